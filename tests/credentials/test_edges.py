"""What lies just beside a bound or just before a word in the alphabet is told apart from it.

Most of these were found by changing the core one operator at a time (docs/mutation.md).
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import Any

import pytest

import delegant.credentials as core
from delegant.credentials import (
    Error,
    PrivateKey,
    PublicKey,
    argument,
    capability,
    constraint,
    did,
    digest,
)
from delegant.credentials import proof as proofs
from delegant.credentials.capability import parse_grants
from delegant.credentials.codec import b64u_encode, canonical
from delegant.credentials.envelope import (
    CONTEXT,
    Secured,
    SecuredObject,
    SecuredToken,
    secure,
    unpack,
)
from delegant.credentials.grammar import CanonicalLink
from delegant.credentials.jose import check_header, is_compact, sign, split
from delegant.credentials.keys import new_id
from refusal import refusal

KEY = PrivateKey(b"\x21" * 32)
OTHER = PrivateKey(b"\x22" * 32)
NAME = did.from_key(KEY.public)
METHOD = did.vm_of(NAME)
T0 = 1_790_000_000


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


def test_new_ids_use_every_variant_of_a_random_uuid() -> None:
    ids = [new_id() for _ in range(400)]
    assert {one[23] for one in ids} == {"4"}
    assert {one[28] for one in ids} == set("89ab")
    assert len(set(ids)) == len(ids)


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


@pytest.mark.parametrize("member", ["type", "cryptosuite", "verificationMethod", "created"])
@pytest.mark.parametrize("value", [None, 1, [], ""])
def test_proof_whose_member_is_no_text_is_malformed(member: str, value: Any) -> None:
    assert refusal(unpack(signed(**{member: value})).open) == "shape"


@pytest.mark.parametrize(
    "context", [None, [], ["a"], list(CONTEXT[:1]), [*CONTEXT, "z"], CONTEXT[0]]
)
def test_document_in_another_context_is_malformed_whatever_its_proof_says(context: Any) -> None:
    assert refusal(unpack(signed() | {"@context": context}).open) == "context"
    for member in ("issuanceDate", "expirationDate"):
        assert refusal(unpack(signed() | {member: "x"}).open) == "vcdm-version"


def test_document_with_a_float_is_signed_and_checked_in_canonical_form() -> None:
    for form in ("di", "jwt"):
        document = {"@context": list(CONTEXT), "n": 1.0, "m": 1e21}
        secured = secure(document, KEY, METHOD, T0, form)
        assert secured.form == form
        secured.open()
        secured.check(NAME, KEY.public)
        assert secured.checked_by(KEY.public)


def test_proof_may_be_in_the_head_of_the_documents_contexts_and_covers_that_alone() -> None:
    whole = proofs.sign({"@context": ["a"], "id": "urn:x"}, KEY, METHOD, T0)
    assert proofs.verify({**whole, "@context": ["a", "b"]}, KEY.public)
    assert (
        refusal(lambda: proofs.verify({**whole, "@context": ["b", "a"]}, KEY.public)) == "context"
    )


@pytest.mark.parametrize("missing", [{}, {"proof": None}, {"proof": []}, {"proof": "z"}])
def test_document_without_a_proof_is_no_secured_document(missing: dict[str, Any]) -> None:
    assert refusal(lambda: proofs.verify({"id": "urn:x"} | missing, KEY.public)) == "shape"


@pytest.mark.parametrize("method", ["key", "jwk"])
def test_did_document_of_a_key_names_it_as_its_one_method(method: str) -> None:
    name = did.from_key(KEY.public, method)
    document = did.document(name)
    (found,) = document["verificationMethod"]
    spelled = {
        "key": ("publicKeyMultibase", KEY.public.multikey),
        "jwk": ("publicKeyJwk", KEY.public.jwk),
    }
    member, value = spelled[method]
    assert found["id"] == did.vm_of(name)
    assert found[member] == value
    assert found["type"] == {"key": "Multikey", "jwk": "JsonWebKey2020"}[method]
    assert refusal(lambda: did.document(did.check("did:web:a.example"))) == "not-found"


def test_longest_did_is_one_and_a_longer_one_is_not() -> None:
    assert did.is_did("did:web:" + "a" * 248)
    assert not did.is_did("did:web:" + "a" * 249)
    assert did.method_of(did.check("did:web:a:b:c")) == "web"
    assert refusal(lambda: did.from_key(KEY.public, "ion")) == "shape"


def test_digest_of_what_was_not_read_yet_is_over_its_canonical_form() -> None:
    assert unpack({"n": 1.0}).digest == digest(b'{"n":1}')
    assert proofs.hash_data({"n": 1.0}, {}) == proofs.hash_data({"n": 1}, {})


# --- lengths ---------------------------------------------------------------------------------


def test_longest_verification_method_is_taken_and_the_next_is_not() -> None:
    for length, code in ((512, ""), (513, "shape")):
        method = "m" * length
        assert refusal(unpack(signed(verificationMethod=method)).open) == code
        token = split(sign({"a": 1}, KEY, "t", method), size=4096)
        assert refusal(lambda token=token: check_header(token, "t")) == code


def test_longest_name_of_an_algorithm_is_taken_and_the_next_is_not() -> None:
    for length, code in ((32, ""), (33, "shape")):
        header = canonical({"alg": "a" * length, "kid": "k", "typ": "t"})
        token = split(f"{b64u_encode(header)}.e30.{b64u_encode(bytes(64))}", size=4096)
        assert refusal(lambda token=token: check_header(token, "t")) == code


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


# --- values that cannot be changed -----------------------------------------------------------


def classes() -> list[type]:
    """The dataclasses of the core."""
    modules = [
        importlib.import_module(f"{core.__name__}.{found.name}")
        for found in pkgutil.iter_modules(core.__path__)
    ]
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type)
        and one.__module__ == module.__name__
        and dataclasses.is_dataclass(one)
    ]


LOOSE = {"Request", "StatusList"}
"""They keep what was worked out once."""


@pytest.mark.parametrize("one", classes(), ids=lambda one: one.__name__)
def test_value_of_the_core_can_be_neither_changed_nor_extended(one: Any) -> None:
    assert one.__dataclass_params__.frozen or one.__name__ in LOOSE
    assert "__slots__" in vars(one) or one.__name__ in LOOSE


def test_either_secured_form_has_to_say_what_it_is() -> None:
    assert Secured.__abstractmethods__ == {"raw", "document", "open", "_whole", "_signed"}
    for one in (Secured, SecuredObject, SecuredToken, CanonicalLink):
        assert isinstance(vars(one)["raw"], property)
        assert isinstance(vars(one)["document"], property)


# --- authorities and constraints -------------------------------------------------------------


@pytest.mark.parametrize(
    ("grants", "actions", "resources", "code"),
    [(32, 16, 16, ""), (33, 1, 1, "limit-items"), (1, 17, 1, "limit-items"),
     (1, 1, 17, "limit-items")],
)  # fmt: skip
def test_fullest_list_of_grants_is_read_and_one_more_is_not(
    grants: int, actions: int, resources: int, code: str
) -> None:
    one = {
        "actions": [f"a{n:02}" for n in range(actions)],
        "resources": [f"urn:a:{n:02}" for n in range(resources)],
    }
    written = [{**one, "actions": [*one["actions"][1:], f"b{n:02}"]} for n in range(grants)]
    assert refusal(lambda: parse_grants(written)) == code
    if not code:
        assert [grant.json for grant in parse_grants(written)] == written


def test_authority_is_written_as_it_was_read() -> None:
    grants = [{"actions": ["a.b"], "resources": ["urn:a:b"]}]
    for written in ({"grants": grants}, {"grants": grants, "constraints": {"rows": {"max": 3}}}):
        read = capability.parse(written, "x")
        assert read.json == written
        assert read.covers("a.b", "urn:a:b") is True
        assert read.covers("a.b", "urn:a:c") is False


def test_authorities_whose_constraints_exclude_each_other_have_nothing_in_common() -> None:
    grants = parse_grants([{"actions": ["a"], "resources": ["urn:a:b"]}])
    one, two = (capability.Authority(grants, constraint.parse({"purpose": [p]})) for p in "xy")
    assert capability.meet(one, two) == capability.Authority(())
    assert capability.meet(one, one) == one


@pytest.mark.parametrize("number", [0, 1, 64, 65])
def test_from_one_to_as_many_arguments_as_a_set_holds_may_be_named(number: int) -> None:
    tests = {f"a{n:02}": {"eq": n} for n in range(number)}
    code = "" if 0 < number < 65 else "shape"
    assert refusal(lambda: constraint.parse({"arguments": tests})) == code


def test_name_of_an_unknown_constraint_is_shown_to_its_64th_character() -> None:
    with pytest.raises(Error) as refused:
        constraint.parse({"abcdefgh" * 9: 1})
    assert refused.value.dimension == "abcdefgh" * 8


# --- the test on an argument -----------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        {"eq": 1},
        {"eq": "x"},
        {"in": [True, 10, 9, "10", "9", "a"]},
        {"range": {"min": -5, "max": -1}},
        {"range": {"min": "-5", "max": "-1"}},
        {"range": {"min": 1 - 2**53, "max": 2**53 - 1}},
    ],
)
def test_test_on_an_argument_is_written_as_it_was_read(written: dict[str, Any]) -> None:
    assert argument.write(argument.read(written, "x", "x")) == written


@pytest.mark.parametrize(("low", "high"), [(-(2**53), 0), (0, 2**53), (2, 1)])
def test_range_that_is_not_exact_everywhere_or_empty_is_none(low: int, high: int) -> None:
    assert refusal(lambda: argument.read({"range": {"min": low, "max": high}}, "x", "x")) == "shape"


def test_range_of_one_value_narrows_a_list_that_holds_it() -> None:
    def narrows(parent: Any, child: Any) -> bool:
        return argument.narrows(argument.read(parent, "x", "x"), argument.read(child, "x", "x"))

    for five, six in ((5, 6), ("5", "6")):
        one = {"range": {"min": five, "max": five}}
        assert narrows({"in": [five, "a"]}, one)
        assert not narrows({"in": [six, "a"]}, one)
        assert not narrows({"in": [five, six]}, {"range": {"min": five, "max": six}})
    assert not narrows({"in": ["5"]}, {"range": {"min": 5, "max": 5}})
    assert not narrows({"in": [5]}, {"range": {"min": "5", "max": "5"}})


def test_list_and_range_meet_in_the_values_inside() -> None:
    values = argument.read({"in": [1, 5, "2"]}, "x", "x")
    between = argument.read({"range": {"min": 0, "max": 3}}, "x", "x")
    for a, b in ((values, between), (between, values)):
        assert argument.write(argument.meet(a, b)) == {"eq": 1}
    far = argument.read({"range": {"min": 7, "max": 9}}, "x", "x")
    assert argument.meet(values, far) is None
    assert argument.meet(between, far) is None
    assert (
        argument.meet(between, argument.read({"range": {"min": "0", "max": "3"}}, "", "")) is None
    )
