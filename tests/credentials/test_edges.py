"""What lies just beside a bound or just before a word in the alphabet is told apart from it.

Most of these were found by changing the core one operator at a time (docs/mutation.md).
"""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Error, PrivateKey, PublicKey, did, digest
from delegant.credentials import proof as proofs
from delegant.credentials.codec import b64u_encode, canonical
from delegant.credentials.envelope import CONTEXT, unpack
from delegant.credentials.jose import check_header, is_compact, sign, split

KEY = PrivateKey(b"\x21" * 32)
OTHER = PrivateKey(b"\x22" * 32)
NAME = did.from_key(KEY.public)
METHOD = did.vm_of(NAME)
T0 = 1_790_000_000


def refusal(call: Any) -> str:
    """The code the call is refused with; empty where it is not."""
    try:
        call()
    except Error as exc:
        return exc.code
    return ""


# --- keys ------------------------------------------------------------------------------------


def test_signature_cut_short_does_not_borrow_its_end_from_the_message() -> None:
    signature = KEY.sign(b"message")
    assert KEY.public.verify(signature, b"message")
    assert not KEY.public.verify(signature[:63], signature[63:] + b"message")
    assert not KEY.public.verify(signature + b"m", b"essage")


def test_honest_key_may_end_as_those_beyond_the_prime_do() -> None:
    ends = set()
    for number in range(2000):
        raw = PrivateKey(number.to_bytes(32, "big")).public.raw
        if raw[31] | 0x80 == 0xFF:
            assert PublicKey(raw).raw == raw
            ends.add(raw[31])
    assert ends == {0x7F, 0xFF}


def test_two_keys_are_equal_only_if_their_bytes_are() -> None:
    one, two = KEY.public, OTHER.public
    assert one == PublicKey(one.raw)
    assert one != two
    assert two != one


# --- proofs ----------------------------------------------------------------------------------


def signed(**change: Any) -> dict[str, Any]:
    """A signed document with a changed proof, which is not signed again."""
    document = {"@context": list(CONTEXT), "id": "urn:x"}
    out = proofs.sign(document, KEY, METHOD, T0)
    out["proof"] |= change
    return out


@pytest.mark.parametrize("word", ["A", "Zz", "", "zz"])
@pytest.mark.parametrize("member", ["type", "cryptosuite"])
def test_proof_of_another_suite_is_undecided_however_it_sorts(member: str, word: str) -> None:
    assert refusal(lambda: proofs.verify(signed(**{member: word}), KEY.public)) == "suite"
    if word:
        secured = unpack(signed(**{member: word}))
        secured.open()
        assert refusal(lambda: secured.check(did.check(NAME), KEY.public)) == "suite"


@pytest.mark.parametrize("purpose", ["a", "assertionMethoc", "authentication", "zz"])
def test_proof_for_another_purpose_is_malformed_however_it_sorts(purpose: str) -> None:
    assert refusal(unpack(signed()).open) == ""
    assert refusal(unpack(signed(proofPurpose=purpose)).open) == "shape"


@pytest.mark.parametrize("context", [[], ["a"], list(CONTEXT[:1]), [*CONTEXT, "z"], ["z"]])
def test_proof_in_another_context_is_malformed_however_it_sorts(context: list[str]) -> None:
    assert refusal(unpack(signed(**{"@context": context})).open) == "context"


@pytest.mark.parametrize("context", [["a"], ["z"], ["z", "a"], "a", ["a", "b", "c"]])
def test_proof_whose_context_is_not_the_head_of_the_documents_is_refused(context: Any) -> None:
    document = {"@context": ["b", "c"], "id": "urn:x"}
    whole = proofs.sign(document, KEY, METHOD, T0)
    assert proofs.verify(whole, KEY.public)
    changed = {**whole, "proof": {**whole["proof"], "@context": context}}
    assert refusal(lambda: proofs.verify(changed, KEY.public)) == "context"


def test_proof_without_context_is_verified_over_a_document_without() -> None:
    whole = proofs.sign({"id": "urn:x"}, KEY, METHOD, T0)
    assert "@context" not in whole["proof"]
    assert proofs.verify(whole, KEY.public)
    assert not proofs.verify({**whole, "id": "urn:y"}, KEY.public)


def test_digest_of_what_was_not_read_yet_is_over_its_canonical_form() -> None:
    assert unpack({"n": 1.0}).digest == digest(b'{"n":1}')
    assert proofs.hash_data({"n": 1.0}, {}) == proofs.hash_data({"n": 1}, {})


# --- lengths ---------------------------------------------------------------------------------


def test_longest_verification_method_is_taken_and_the_next_is_not() -> None:
    for length, code in ((512, ""), (513, "shape")):
        method = "m" * length
        assert refusal(unpack(signed(verificationMethod=method)).open) == code
        token = split(sign({"a": 1}, KEY, "t", method), size=4096)
        assert refusal(lambda token=token: check_header(token, "t")) == code  # type: ignore[misc]


def test_longest_name_of_an_algorithm_is_taken_and_the_next_is_not() -> None:
    for length, code in ((32, ""), (33, "shape")):
        header = canonical({"alg": "a" * length, "kid": "k", "typ": "t"})
        token = split(f"{b64u_encode(header)}.e30.{b64u_encode(bytes(64))}", size=4096)
        assert refusal(lambda token=token: check_header(token, "t")) == code  # type: ignore[misc]


def test_largest_token_is_taken_apart_and_the_next_is_not() -> None:
    token = sign({"a": 1}, KEY, "t", "k")
    assert refusal(lambda: split(token, size=len(token))) == ""
    assert refusal(lambda: split(token, size=len(token) - 1)) == "limit-size"
    most = 64 * 1024
    assert refusal(lambda: unpack("." * most)) == "encoding"
    assert refusal(lambda: unpack("." * (most + 1))) == "limit-size"


def test_longest_signature_is_decoded_and_the_next_is_a_limit() -> None:
    head = sign({"a": 1}, KEY, "t", "k").rsplit(".", 1)[0]
    assert refusal(lambda: split(f"{head}.{'A' * 128}", size=4096)) == ""
    assert refusal(lambda: split(f"{head}.{'A' * 129}", size=4096)) == "limit-size"


def test_compact_token_has_three_parts() -> None:
    assert [is_compact(text) for text in ("", "a.b", "a.b.c", "a.b.c.d", None)] == [
        False, False, True, False, False,
    ]  # fmt: skip
