"""Keys of every kind: read, written, signed with, refused."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from delegant.credentials.codec import b64u_decode
from delegant.w3c.dids import expand, from_key, key_for, vm_of
from delegant.w3c.keys import KINDS, EcSigner, Key, new_signer, signer
from published import load, needs_vectors
from refusal import refusal

SIGNING = [kind for kind, row in KINDS.items() if row.alg]


@pytest.mark.parametrize("kind", SIGNING)
def test_a_signature_holds_for_its_message_and_key_alone(kind: str) -> None:
    mine, other = new_signer(kind), new_signer(kind)
    signature = mine.sign(b"message")
    assert mine.public.verify(signature, b"message")
    assert not mine.public.verify(signature, b"messagf")
    assert not other.public.verify(signature, b"message")
    assert not mine.public.verify(signature[:-1], b"message")
    assert not mine.public.verify(bytes(len(signature)), b"message")


@pytest.mark.parametrize("kind", SIGNING)
def test_a_key_reads_as_it_is_written(kind: str) -> None:
    key = new_signer(kind).public
    assert Key.from_multikey(key.multikey) == key
    assert Key.from_jwk(key.jwk) == key
    assert len(b64u_decode(key.thumbprint)) == 32
    assert signer(kind, (made := new_signer(kind)).export_secret()).public == made.public


def test_a_curve_signature_is_deterministic_and_low() -> None:
    mine = new_signer("P-256")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for n in range(16):
        signature = mine.sign(bytes([n]))
        assert signature == mine.sign(bytes([n]))
        assert int.from_bytes(signature[32:], "big") <= order // 2


def test_a_secret_is_not_shown() -> None:
    made = new_signer("P-256")
    assert isinstance(made, EcSigner)
    assert made.export_secret().hex() not in repr(made)
    with pytest.raises(TypeError):
        pickle.dumps(made)


POINT = bytes.fromhex("02") + (5).to_bytes(32, "big")


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda: Key("P-256", bytes(33)), "encoding"),
        (lambda: Key("P-256", b"\x04" + bytes(64)), "encoding"),
        (lambda: Key("P-256", b"\x02" + b"\xff" * 32), "encoding"),
        (lambda: Key("P-256", POINT), ""),
        (lambda: Key("Ed25519", b"\x01" + bytes(31)), "key-weak"),
        (lambda: Key("X25519", bytes(31)), "encoding"),
        (lambda: Key.from_multikey("f00"), "encoding"),
        (lambda: Key.from_multikey(7), "encoding"),
        (lambda: Key.from_multikey("z4MXj1wBzi9jUstyP"), "suite"),
        (lambda: Key.from_jwk([]), "shape"),
        (lambda: Key.from_jwk({"kty": "RSA", "n": "AQAB"}), "suite"),
        (lambda: Key.from_jwk({"kty": "OKP", "crv": "P-256", "x": "", "y": ""}), "suite"),
        (lambda: Key.from_jwk({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), "encoding"),
        (lambda: Key.from_jwk({"kty": "EC", "crv": "P-256", "x": 1}), "encoding"),
        (lambda: Key.from_jwk(Key("P-256", POINT).jwk | {"d": "AA"}), "key-weak"),
        (lambda: Key.from_jwk(Key("P-256", POINT).jwk), ""),
        (lambda: signer("X25519", bytes(32)), "suite"),
        (lambda: signer("P-256", bytes(32)), "encoding"),
        (lambda: signer("P-256", bytes(31)), "encoding"),
        (lambda: signer("P-256", bytes(31) + b"\1"), ""),
        (lambda: new_signer("X25519"), "suite"),
    ],
)
def test_what_is_no_key_is_refused(read: Any, code: str) -> None:
    assert refusal(read) == code


def test_x25519_signs_nothing() -> None:
    assert not Key("X25519", b"\x09" + bytes(31)).verify(bytes(64), b"")


# --- documents that follow from the DID ----------------------------------------------------


@pytest.mark.parametrize("method", ["key", "jwk"])
@pytest.mark.parametrize("kind", SIGNING)
def test_the_document_of_a_key_lists_it_for_every_signing_purpose(kind: str, method: str) -> None:
    key = new_signer(kind).public
    name = from_key(key, method)
    for purpose in ("authentication", "assertionMethod", "capabilityDelegation"):
        assert key_for(vm_of(name), purpose, expand, at=None) == (key, name)


def test_the_encryption_key_of_an_ed25519_key_signs_nothing() -> None:
    name = from_key(new_signer().public)
    (agreement,) = expand(name)["keyAgreement"]
    assert refusal(lambda: key_for(agreement, "assertionMethod", expand, at=None)) == "key-purpose"
    assert key_for(agreement, "keyAgreement", expand, at=None)[0].kind == "X25519"


@needs_vectors
@pytest.mark.parametrize("file", ["ed25519-x25519", "nist-curves", "secp256k1"])
def test_published_did_keys_hold_the_published_keys(file: str) -> None:
    for name, row in load("did-key", f"{file}.json").items():
        document = expand(name)
        published = row["didDocument"]
        ids = {method["id"]: method for method in document["verificationMethod"]}
        for method in published["verificationMethod"]:
            ours = Key.from_multikey(ids[method["id"]]["publicKeyMultibase"])
            if "publicKeyJwk" in method:
                assert ours == Key.from_jwk(method["publicKeyJwk"])
        for purpose in ("assertionMethod", "authentication", "capabilityInvocation"):
            assert document[purpose] == published[purpose]


@needs_vectors
def test_published_x25519_did_keys_are_for_encryption_alone() -> None:
    for name, published in load("did-key", "x25519.json")["didDocument"].items():
        document = expand(name)
        assert document["keyAgreement"] == published["keyAgreement"]
        assert "assertionMethod" not in document


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("did:web:example.com", "did-method"),
        ("did:key:z6MkiTBz1ymuep", "suite"),
        ("did:key:", "did-invalid"),
        ("did:KEY:z6Mk", "did-invalid"),
        ("did:key:z4MXj1wBzi9jUstyP", "suite"),
        ("did:jwk:e30", "suite"),
        ("did:jwk:%%", "did-invalid"),
        (7, "did-invalid"),
        ("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWr", "did-invalid"),
        ("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", ""),
    ],
)
def test_what_has_no_document_is_told_so(name: Any, code: str) -> None:
    assert refusal(lambda: expand(name)) == code


# --- what a document says of a key ---------------------------------------------------------

WEB = "did:web:example.com"
ED = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"


def document(**changes: Any) -> dict[str, Any]:
    """A document with one key, and something changed about it."""
    method = {
        "id": f"{WEB}#k",
        "type": "Multikey",
        "controller": WEB,
        "publicKeyMultibase": ED,
    } | changes.pop("method", {})
    return {"id": WEB, "verificationMethod": [method], "assertionMethod": [f"{WEB}#k"]} | changes


AT = 1_800_000_000
BEFORE, AFTER = "2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"id": "did:web:other.example"}, "did-document"),
        ({"assertionMethod": []}, "key-purpose"),
        ({"assertionMethod": "#k"}, "key-purpose"),
        ({"assertionMethod": ["#k"]}, ""),
        ({"authentication": [f"{WEB}#k"], "assertionMethod": []}, "key-purpose"),
        ({"verificationMethod": []}, "key-not-found"),
        ({"verificationMethod": None}, "key-not-found"),
        ({"method": {"controller": "did:web:other.example"}}, "controller"),
        ({"method": {"controller": None}}, "controller"),
        ({"method": {"expires": AFTER}}, ""),
        ({"method": {"expires": BEFORE}}, "key-retired"),
        ({"method": {"revoked": BEFORE}}, "key-retired"),
        ({"method": {"revoked": AFTER}}, ""),
        ({"method": {"expires": "soon"}}, "shape"),
        ({"method": {"expires": "2027-01-15T08:00:00"}}, "shape"),
        ({"method": {"expires": "2027-01-15T08:00:00.5Z"}}, ""),
        ({"method": {"expires": "2027-01-15T07:59:59.5Z"}}, "key-retired"),
        ({"method": {"expires": "2027-01-15T09:00:01+01:00"}}, ""),
        ({"method": {"expires": "2027-01-15T09:00:00+01:00"}}, "key-retired"),
        ({"method": {"revoked": "2027-01-15T02:00:00-06:00"}}, "key-retired"),
        ({"method": {"revoked": 1_900_000_000}}, "shape"),
        ({"method": {"revoked": None}}, "shape"),
        ({"method": {"publicKeyJwk": {}}}, "did-document"),
        ({"method": {"publicKeyMultibase": "u7"}}, "encoding"),
    ],
)
def test_a_key_counts_as_its_document_says(changes: dict[str, Any], code: str) -> None:
    made = document(**changes)

    def ask() -> object:
        return key_for(f"{WEB}#k", "assertionMethod", lambda _: made, at=AT)

    assert refusal(ask) == code


def test_a_key_defined_twice_is_no_key() -> None:
    made = document()
    made["authentication"] = [made["verificationMethod"][0] | {"publicKeyMultibase": ED[:-1]}]
    ask = lambda: key_for(f"{WEB}#k", "assertionMethod", lambda _: made, at=AT)  # noqa: E731
    assert refusal(ask) == "did-document"


@pytest.mark.parametrize("url", [WEB, f"{WEB}#", f"{WEB}#a#b", "example", None, 7])
def test_a_method_is_named_by_a_did_url_with_a_fragment(url: Any) -> None:
    made = document()
    ask = lambda: key_for(url, "assertionMethod", lambda _: made, at=AT)  # noqa: E731
    assert refusal(ask) == "did-invalid"
