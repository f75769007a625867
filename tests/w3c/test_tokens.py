"""``vc+jwt`` and ``vp+jwt``: opened strictly, made so that others open them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as peer_jws
from joserfc.jwk import ECKey, OKPKey
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from delegant.credentials.codec import b64u_decode, b64u_encode, canonical
from delegant.w3c import dids, tokens
from delegant.w3c.keys import Key, new_signer
from refusal import refusal
from w3cworld import (
    HOLDER,
    ISSUER,
    T0,
    Someone,
    codes,
    credential,
    issued,
    presentation,
    shown,
    someone,
    verified,
    warned,
)

KINDS = ["Ed25519", "P-256", "P-384", "P-521"]


def made(
    payload: Any = None,
    by: Someone = ISSUER,
    header: dict[str, Any] | None = None,
) -> str:
    """A token with any header and payload, correctly signed."""
    head: dict[str, Any] = {
        "typ": "vc+jwt",
        "kid": by.method,
        "alg": tokens.ALGORITHMS[by.signer.public.kind][0],
    }
    head |= header or {}
    body = credential() if payload is None else payload
    parts = [canonical({name: value for name, value in head.items() if value is not None}),
             body if type(body) is bytes else canonical(body)]  # fmt: skip
    message = ".".join(map(b64u_encode, parts))
    return f"{message}.{b64u_encode(by.signer.sign(message.encode()))}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["jwt", "sd-jwt"])
def test_a_token_of_every_kind_of_key_verifies(kind: str, form: str) -> None:
    by = someone(kind)
    report = verified(issued(credential(issuer=by.did), by=by, form=form))
    assert codes(report) == []
    assert report.proofs[0].key == by.signer.public
    assert report.proofs[0].controller == by.did


def test_secp256k1_signs_no_token() -> None:
    by = someone("secp256k1")
    document = credential(issuer=by.did)
    assert refusal(lambda: issued(document, by=by, form="jwt")) == "suite"
    assert refusal(lambda: issued(credential(), form="jwt")) == ""


HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "alg none": ({"alg": "none"}, "suite"),
    "an HMAC": ({"alg": "HS256"}, "suite"),
    "the algorithm of another kind of key": ({"alg": "ES256"}, "suite"),
    "RSA": ({"alg": "RS256"}, "suite"),
    "no alg": ({"alg": None}, "suite"),
    "an alg that is a list": ({"alg": ["EdDSA"]}, "suite"),
    "a key inside": ({"jwk": ISSUER.signer.public.jwk}, "shape"),
    "a certificate inside": ({"x5c": ["MII="]}, "shape"),
    "the address of a key": ({"jku": "https://example.org/keys"}, "shape"),
    "the address of a certificate": ({"x5u": "https://example.org/cert"}, "shape"),
    "a critical extension": ({"crit": ["exp"], "exp": 1}, "shape"),
    "an unencoded payload": ({"b64": False, "crit": ["b64"]}, "shape"),
    "no typ": ({"typ": None}, "shape"),
    "the typ of a plain token": ({"typ": "JWT"}, "shape"),
    "the typ of a presentation": ({"typ": "vp+jwt"}, "shape"),
    "the typ of an SD-JWT": ({"typ": "vc+sd-jwt"}, "shape"),
    "a cty that does not fit": ({"cty": "vp"}, "shape"),
    "no kid": ({"kid": None}, "shape"),
    "a kid that is a number": ({"kid": 5}, "shape"),
    "a kid that is no URL": ({"kid": "mine"}, "key-not-found"),
    "a relative kid without iss": ({"kid": "#" + ISSUER.did[8:]}, "key-not-found"),
    "a key the document does not have": ({"kid": ISSUER.did + "#other"}, "key-not-found"),
    "a DID that has to be fetched": ({"kid": "did:web:example.org#0"}, "did-method"),
    "another's key": ({"kid": someone().method}, "proof"),
}


def test_a_header_may_say_what_is_so() -> None:
    for header in ({}, {"cty": "vc"}, {"typ": "application/vc+jwt"}, {"alg": "Ed25519"},
                   {"x-note": "ignored"}):  # fmt: skip
        assert codes(verified(made(header=header))) == []


@pytest.mark.parametrize("what", HEADERS)
def test_a_header_that_says_otherwise_is_refused(what: str) -> None:
    header, code = HEADERS[what]
    assert codes(verified(made(header=header))) == [code]


def test_a_relative_kid_is_relative_to_iss() -> None:
    relative = {"kid": "#" + ISSUER.did[8:]}
    assert codes(verified(made(credential() | {"iss": ISSUER.did}, header=relative))) == []


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "vc": ({"vc": {}}, "data-model"),
    "vp": ({"vp": "x"}, "data-model"),
    "another issuer": ({"iss": "did:example:other"}, "data-model"),
    "another id": ({"id": "urn:a:b", "jti": "urn:a:c"}, "data-model"),
    "another subject": ({"sub": "did:example:other"}, "data-model"),
    "an exp that is a string": ({"exp": "2026-01-01T00:00:00Z"}, "shape"),
    "an exp that is true": ({"exp": True}, "shape"),
    "an nbf that is null": ({"nbf": None}, "shape"),
    "exp, now": ({"exp": T0}, "expired"),
    "nbf, in a second": ({"nbf": T0 + 1}, "not-yet-valid"),
    "a term no context defines": ({"scope": "all"}, "undefined-term"),
}
FINE: list[dict[str, Any]] = [
    {"iss": ISSUER.did},
    {"id": "urn:a:b", "jti": "urn:a:b"},
    {"sub": "did:example:subject"},
    {"exp": T0 + 1},
    {"exp": T0 + 0.5, "nbf": T0},
    {"iat": "2010-01-01T19:23:24Z"},  # some write it so; nothing is concluded from it
    {"aud": ["x"], "nonce": "y"},
]


@pytest.mark.parametrize("claims", FINE, ids=",".join)
def test_claims_that_fit_stand_beside_the_document(claims: dict[str, Any]) -> None:
    report = verified(made(credential() | claims))
    assert codes(report) == []
    assert report.document is not None
    assert not report.document.keys() & tokens.CLAIMS


@pytest.mark.parametrize("what", CLAIMS)
def test_claims_that_do_not_fit_are_refused(what: str) -> None:
    claims, code = CLAIMS[what]
    assert codes(verified(made(credential() | claims))) == [code]


def test_the_issuer_of_an_object_is_its_id() -> None:
    document = credential(issuer={"id": ISSUER.did, "name": "Example"})
    assert codes(verified(made(document | {"iss": ISSUER.did}))) == []
    assert codes(verified(made(document | {"iss": "Example"}))) == ["data-model"]


def test_a_token_by_another_than_the_issuer_is_found_out() -> None:
    other = someone()
    report = verified(made(by=other))
    assert codes(report) == ["controller"]
    lenient = verified(made(by=other), strict=False)
    assert (codes(lenient), warned(lenient)) == ([], ["controller"])


def test_a_key_of_a_set_the_caller_vouches_for_is_found_by_thumbprint() -> None:
    by = someone("P-384")
    token = made(
        credential(issuer="https://example.org/issuer"),
        by=by,
        header={"kid": by.signer.public.thumbprint},
    )
    keys = {by.signer.public.thumbprint: by.signer.public}
    assert codes(verified(token, keys=keys)) == []
    assert codes(verified(token)) == ["key-not-found"]
    swapped = {by.signer.public.thumbprint: someone("P-384").signer.public}
    assert codes(verified(token, keys=swapped)) == ["proof"]


def test_a_high_s_counts_as_much_as_a_low_one() -> None:
    by = someone("P-256")
    token = issued(credential(issuer=by.did), by=by, form="jwt")
    message, _, signature = token.rpartition(".")
    raw = b64u_decode(signature)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    high = (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert codes(verified(f"{message}.{b64u_encode(raw[:32] + high)}")) == []
    assert codes(verified(f"{message}.{b64u_encode(raw[:32] + raw[:32])}")) == ["proof"]
    assert codes(verified(f"{message}.{b64u_encode(bytes(64))}")) == ["proof"]
    der = b"\x30\x44\x02\x20" + raw[:32] + b"\x02\x20" + raw[32:]
    assert codes(verified(f"{message}.{b64u_encode(der)}")) == ["proof"]


SHAPES: dict[str, Callable[[str], str]] = {
    "two parts": lambda token: token.rpartition(".")[0],
    "four parts": lambda token: token + ".AA",
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "padding": lambda token: token + "=",
    "a space inside": lambda token: token[:9] + " " + token[9:],
    "other base64": lambda token: token.replace("-", "+").replace("_", "/") + "+",
    "a header that is a list": lambda token: b64u_encode(b"[]") + token[token.index(".") :],
    "a header with a member twice": lambda token: (
        b64u_encode(b'{"alg":"none","alg":"EdDSA"}') + token[token.index(".") :]
    ),
    "JSON serialization": lambda token: json.dumps({"payload": token.split(".")[1]}),
}


@pytest.mark.parametrize("what", SHAPES)
def test_only_the_compact_serialization_is_read(what: str) -> None:
    token = issued(form="jwt")
    assert codes(verified(SHAPES[what](token))) != []
    assert codes(verified(token)) == []
    assert codes(verified(token.encode() + b"\n")) == []


def test_a_payload_is_read_strictly() -> None:
    text = canonical(credential())
    assert codes(verified(made(text))) == []
    assert codes(verified(made(text[:-1] + b',"type":["VerifiableCredential"]}'))) == [
        "duplicate-member"
    ]
    assert codes(verified(made(text[:-1] + b',"nbf":1e999}'))) == ["json"]
    assert codes(verified(made(b"[]"))) == ["shape"]


def test_a_token_is_bounded() -> None:
    from delegant.w3c.report import Limits

    token = issued(form="jwt")
    assert codes(verified(token, limits=Limits(size=len(token)))) == []
    assert codes(verified(token, limits=Limits(size=len(token) - 1))) == ["limit-size"]


# --- parts nobody here wrote ---------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_jwcrypto_verifies_what_we_issue(kind: str) -> None:
    by = someone(kind)
    token = issued(credential(issuer=by.did), by=by, form="jwt")
    peer = JWS()
    peer.deserialize(token, JWK(**by.signer.public.jwk))
    assert json.loads(peer.payload) == credential(issuer=by.did)


@pytest.mark.parametrize(("kind", "alg"), [("Ed25519", "Ed25519"), ("P-256", "ES256"),
                                           ("P-384", "ES384"), ("P-521", "ES512")])  # fmt: skip
def test_we_verify_what_joserfc_signs(kind: str, alg: str) -> None:
    secret: Any = OKPKey.generate_key("Ed25519") if kind == "Ed25519" else ECKey.generate_key(kind)
    public = Key.from_jwk(secret.as_dict(private=False))
    name = dids.from_key(public)
    document = json.dumps(credential(issuer=name))
    header = {"alg": alg, "typ": "vc+jwt", "kid": dids.vm_of(name)}
    for _ in range(4):  # half of an ECDSA signer's are high in s
        token = peer_jws.serialize_compact(header, document, secret, algorithms=[alg])
        assert codes(verified(token)) == []


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_joserfc_verifies_what_we_issue(kind: str) -> None:
    by = someone(kind)
    token = issued(credential(issuer=by.did), by=by, form="jwt")
    key = ECKey.import_key(by.signer.public.jwk)
    found = peer_jws.deserialize_compact(
        token, key, registry=peer_jws.JWSRegistry(algorithms=["ES256", "ES384"])
    )
    assert json.loads(found.payload) == credential(issuer=by.did)


# --- presentations -------------------------------------------------------------------------


def test_a_presentation_by_token_answers_what_was_asked() -> None:
    from delegant.w3c.issue import enveloped

    vp = presentation(enveloped(issued(form="jwt")))
    asked = vp | {"nonce": "n-1", "aud": "https://verifier.example"}
    token = made(asked, by=HOLDER, header={"typ": "vp+jwt"})
    ask = {"challenge": "n-1", "domain": "https://verifier.example"}
    assert codes(shown(token, **ask)) == []
    assert codes(shown(token)) == []
    assert codes(shown(token, challenge="n-2")) == ["proof-challenge"]
    assert codes(shown(token, domain="https://other.example")) == ["proof-domain"]
    bare = issued(vp, by=HOLDER, form="jwt")
    assert codes(shown(bare)) == []
    assert codes(shown(bare, **ask)) == ["proof-challenge"]


def test_a_presentation_by_token_holds_secured_credentials_only() -> None:
    embedded = presentation(issued())
    assert codes(shown(issued(embedded, by=HOLDER, form="jwt"))) == []
    bare = presentation(credential(issuer=HOLDER.did))
    assert refusal(lambda: issued(bare, by=HOLDER, form="jwt")) == "data-model"
    token = tokens.sign(bare, HOLDER.signer, typ="vp+jwt", kid=HOLDER.method)
    assert codes(shown(token)) == ["data-model"]


def test_a_presentation_is_no_credential_and_the_other_way_round() -> None:
    vp = issued(presentation(issued()), by=HOLDER, form="jwt")
    assert codes(verified(vp)) == ["shape"]
    assert codes(shown(issued(form="jwt"))) == ["shape"]


TOKEN = issued(form="jwt")


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCxyz019-_.~ é"))
def test_a_changed_character_is_always_noticed(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    assert (codes(verified(changed)) == []) is (changed == TOKEN)


def test_a_did_key_of_what_is_no_point_of_the_curve_is_no_did() -> None:
    off = next(n for n in range(2, 99) if _no_point(Key("Ed25519", bytes([n]) + bytes(31))))
    key = Key("Ed25519", bytes([off]) + bytes(31))
    assert refusal(lambda: dids.expand(dids.from_key(key))) == "did-invalid"


def _no_point(key: Key) -> bool:
    import nacl.bindings

    return not nacl.bindings.crypto_core_ed25519_is_valid_point(key.raw)


def test_a_kid_of_a_new_signer_is_its_own() -> None:
    made_ = new_signer("P-256")
    with pytest.raises(Exception, match="did-key-mismatch"):
        issued(by=Someone(made_, ISSUER.did, ISSUER.method), form="jwt")
