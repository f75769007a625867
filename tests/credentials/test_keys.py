"""A public key is one only its holder can sign for, and a private key shows itself nowhere."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from delegant.credentials import Error, PrivateKey, PublicKey, did
from delegant.credentials.codec import b58_encode, b64u_encode
from delegant.credentials.keys import new_id, new_nonce
from delegant.credentials.shape import uuid_urn

P = 2**255 - 19
Y8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
KEY = PrivateKey(b"\x11" * 32)


def point(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def refusal(call: Any) -> str:
    with pytest.raises(Error) as refused:
        call()
    return refused.value.code


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [0, 1, P - 1, Y8, P - Y8, P, P + 1, P + 18, 2**255 - 1])
def test_key_anyone_could_sign_for_is_refused_in_every_spelling(y: int, sign: int) -> None:
    raw = point(y, sign)
    assert refusal(lambda: PublicKey(raw)) == "key-weak"
    multikey = "z" + b58_encode(b"\xed\x01" + raw)
    assert refusal(lambda: PublicKey.from_multikey(multikey)) == "key-weak"
    assert refusal(lambda: did.key_of(did.check(f"did:key:{multikey}"))) == "key-weak"
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64u_encode(raw)}
    assert refusal(lambda: PublicKey.from_jwk(jwk)) == "key-weak"


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_key_of_another_length_is_refused(length: int) -> None:
    raw = b"\x05" * length
    assert refusal(lambda: PublicKey(raw)) == "encoding"
    assert refusal(lambda: PrivateKey(raw)) == "encoding"
    multikey = "z" + b58_encode(b"\xed\x01" + raw)
    assert refusal(lambda: PublicKey.from_multikey(multikey)) == "encoding"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "encoding"),
        (KEY.public.multikey[1:], "encoding"),
        ("m" + KEY.public.multikey[1:], "encoding"),
        ("z" + b58_encode(b"\xec\x01" + KEY.public.raw), "suite"),
        ("z" + b58_encode(b"\x80\x24" + b"\x02" * 33), "suite"),
        ("z" + b58_encode(b"\xed\x81\x00" + KEY.public.raw), "suite"),
        ("z1" + KEY.public.multikey[1:], "suite"),
        ("z", "suite"),
        ("z0", "encoding"),
        (KEY.public.multikey + "\n", "encoding"),
        ("z" + "2" * 200, "limit-size"),
    ],
)
def test_other_multikeys_are_refused(text: str, code: str) -> None:
    assert refusal(lambda: PublicKey.from_multikey(text)) == code
    assert PublicKey.from_multikey(KEY.public.multikey) == KEY.public


@pytest.mark.parametrize("odd", [None, 5, True, [], {}, b"z", [KEY.public.multikey]])
def test_what_is_no_text_is_no_multikey(odd: Any) -> None:
    assert refusal(lambda: PublicKey.from_multikey(odd)) == "encoding"
    assert PublicKey.from_multikey(KEY.public.multikey) == KEY.public


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kty": "EC"}, "suite"),
        ({"crv": "X25519"}, "suite"),
        ({"crv": "Ed448"}, "suite"),
        ({"d": b64u_encode(b"\x11" * 32)}, "key-weak"),
        ({"d": None}, "key-weak"),
        ({"x": None}, "encoding"),
        ({"x": 7}, "encoding"),
        ({"x": KEY.public.jwk["x"] + "="}, "encoding"),
        ({"x": KEY.public.jwk["x"][:-2]}, "encoding"),
    ],
)
def test_other_jwks_are_refused(change: dict[str, Any], code: str) -> None:
    assert refusal(lambda: PublicKey.from_jwk(KEY.public.jwk | change)) == code
    assert PublicKey.from_jwk(KEY.public.jwk) == KEY.public


def test_signature_is_of_this_key_over_this_message_in_64_bytes() -> None:
    signature = KEY.sign(b"hello")
    assert KEY.public.verify(signature, b"hello")
    assert not KEY.public.verify(signature, b"hello!")
    assert not KEY.public.verify(signature[:-1], b"hello")
    assert not KEY.public.verify(signature + b"\0", b"hello")
    assert not KEY.public.verify(signature + b"h", b"ello")
    assert not KEY.public.verify(b"", b"hello")
    assert not PrivateKey(b"\x12" * 32).public.verify(signature, b"hello")
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    assert not KEY.public.verify(signature[:32] + s.to_bytes(32, "little"), b"hello")


def test_private_key_shows_itself_nowhere() -> None:
    seed = KEY.export_seed()
    assert seed == b"\x11" * 32
    for text in (repr(KEY), str(KEY), f"{KEY}", repr([KEY]), repr(KEY.public)):
        assert seed.hex() not in text
        assert b64u_encode(seed) not in text
        assert repr(seed)[2:-1] not in text
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="keystore"):
            act(KEY)
    assert not hasattr(KEY, "__dict__")


def test_public_keys_are_equal_by_their_bytes() -> None:
    same = PublicKey(KEY.public.raw)
    assert same == KEY.public
    assert len({same, KEY.public}) == 1
    assert same != KEY.public.raw


def test_generated_keys_ids_and_nonces_do_not_repeat() -> None:
    assert len({PrivateKey.generate().public for _ in range(20)}) == 20
    ids = {new_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(uuid_urn(one, "id")[23] == "4" for one in ids)
    assert len({new_nonce() for _ in range(50)}) == 50
    assert all(len(new_nonce()) == 22 for _ in range(5))


@pytest.mark.parametrize("method", ["key", "jwk"])
def test_did_is_the_key_and_back(method: str) -> None:
    name = did.from_key(KEY.public, method)
    assert did.embeds_key(name)
    assert did.key_of(name) == KEY.public
    document = did.document(name)
    assert document["id"] == name
    assert document["verificationMethod"][0]["id"] == did.vm_of(name)


@pytest.mark.parametrize(
    ("text", "twin"),
    [("did:web:", "did:web:a"), ("did:WEB:a", "did:web:a"), ("DID:web:a", "did:web:a"),
     ("did:web:a#k", "did:web:a"), ("did:web:a/p", "did:web:a:p"), ("did:web:a?q", "did:web:a"),
     ("did:web:a%2f", "did:web:a%2F"), ("did:web:a%", "did:web:a"), ("did:web::a", "did:web:x:a"),
     ("did:web:a ", "did:web:a"), ("did:web:a\n", "did:web:a"), ("did:web:ä", "did:web:a"),
     ("did:web:" + "a" * 249, "did:web:" + "a" * 248), ("did::a", "did:x:a"), ("", "did:x:y"),
     ("did:web", "did:web:x"), ("did:web:a:", "did:web:a:b")],
)  # fmt: skip
def test_other_spelling_of_a_did_is_refused(text: str, twin: str) -> None:
    assert refusal(lambda: did.check(text)) == "shape"
    assert not did.is_did(text)
    assert did.check(twin) == twin


def test_did_of_another_method_has_no_key_of_its_own() -> None:
    name = did.check("did:web:acme.example")
    assert did.key_of(name) is None
    assert refusal(lambda: did.document(name)) == "not-found"
    assert refusal(lambda: did.from_key(KEY.public, "web")) == "shape"
