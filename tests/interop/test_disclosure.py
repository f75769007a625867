"""SD-JWT both ways: @sd-jwt/core, the Python reference library, and us."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from delegant.credentials.codec import b64u_encode
from delegant.w3c import dids, issue, keys, sdjwt
from delegant.w3c.keys import Key
from interop.common import V2, ask, found, now, ours, told
from interop.peer import Peer

JWK: Any = pytest.importorskip("jwcrypto.jwk").JWK
SDObj: Any = pytest.importorskip("sd_jwt.common").SDObj
SDJWTHolder: Any = pytest.importorskip("sd_jwt.holder").SDJWTHolder
SDJWTIssuer: Any = pytest.importorskip("sd_jwt.issuer").SDJWTIssuer
SDJWTVerifier: Any = pytest.importorskip("sd_jwt.verifier").SDJWTVerifier
Peers = Callable[[str], Peer]
KINDS = [("EdDSA", "Ed25519"), ("ES256", "P-256")]
ASKED = {"audience": "https://shop.example", "nonce": "n-1"}


def staff(issuer: str) -> dict[str, Any]:
    """A credential of which a holder may want to show little."""
    return {
        "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "ExampleAlumniCredential"],
        "issuer": issuer,
        "credentialSubject": {
            "id": "did:example:ana",
            "name": "Ana",
            "description": "of the third floor",
            "alumniOf": {"id": "did:example:u", "name": "University"},
        },
    }


HIDEABLE = ("credentialSubject.name", "credentialSubject.description", "credentialSubject.alumniOf")
FRAME = {"credentialSubject": {"_sd": ["name", "description", "alumniOf"]}}


def made(kind: str, holder: Key | None = None) -> tuple[str, Key, str]:
    """An SD-JWT of ours, the key it is signed with, its issuer."""
    signer, did, method = ours(kind)
    token = issue.issue(
        staff(did),
        signer,
        method=method,
        form="sd-jwt",
        disclosable=HIDEABLE,
        holder=holder,
    )
    assert isinstance(token, str)
    return token, signer.public, did


def subject(document: dict[str, Any] | None) -> set[str]:
    """What is seen of the subject."""
    assert document is not None
    return set(document["credentialSubject"])


@pytest.mark.parametrize(("alg", "kind"), KINDS)
def test_what_we_let_withhold_they_withhold_and_verify(peers: Peers, alg: str, kind: str) -> None:
    peer = peers("disclosure")
    token, key, _ = made(kind)
    shown = peer("present", token=token, frame={"credentialSubject": {"name": True}})
    asked = {"jwk": key.jwk, "alg": alg, "at": now()}
    answer = peer("verify", token=shown, **asked)
    assert told(answer) == ""
    assert subject(answer["value"]["payload"]) == {"id", "name"}
    report = ask(shown)
    assert (found(report), subject(report.document)) == ("", {"id", "name"})
    stranger = ours(kind, "stranger")[0].public.jwk
    assert told(peer("verify", token=shown, **asked | {"jwk": stranger}))


@pytest.mark.parametrize(("alg", "kind"), KINDS)
def test_what_they_let_withhold_we_withhold_and_verify(peers: Peers, alg: str, kind: str) -> None:
    peer = peers("disclosure")
    did = peer("key", alg=alg)["did"]
    header = {"typ": "vc+sd-jwt", "kid": f"{did}#0"}
    token = peer("issue", did=did, payload=staff(did), frame=FRAME, header=header)
    assert subject(ask(token).document) == {"id", "name", "description", "alumniOf"}
    shown = sdjwt.present(token, ["credentialSubject.name"])
    report = ask(shown)
    assert (found(report), subject(report.document)) == ("", {"id", "name"})
    assert report.proofs[0].hidden == 2
    foreign = shown.split("~")
    foreign[1] = b64u_encode(json.dumps(["salt", "name", "Bo"]).encode())
    assert found(ask("~".join(foreign))) == "disclosure"
    assert found(ask(shown.replace(".", ".e", 1))) in ("json", "encoding", "proof")


@pytest.mark.parametrize(("alg", "kind"), KINDS)
def test_what_must_be_seen_they_may_not_withhold(peers: Peers, alg: str, kind: str) -> None:
    peer = peers("disclosure")
    did = peer("key", alg=alg)["did"]
    header = {"typ": "vc+sd-jwt", "kid": f"{did}#0"}
    document = staff(did) | {"validUntil": "2020-01-01T00:00:00Z"}
    token = peer("issue", did=did, payload=document, frame={"_sd": ["validUntil"]}, header=header)
    assert found(ask(token)) == "disclosure"
    withheld = ask(sdjwt.split(token).jwt + "~")  # nobody can see that it ended,
    assert (found(withheld), withheld.proofs[0].hidden) == ("", 1)  # but that something is hidden
    clear = peer("issue", did=did, payload=document, frame=FRAME, header=header)
    assert found(ask(clear)) == "expired"


@pytest.mark.parametrize(("alg", "kind"), KINDS)
def test_a_key_binding_goes_both_ways(peers: Peers, alg: str, kind: str) -> None:
    peer = peers("disclosure")
    holder = peer("key", alg=alg)
    token, key, _ = made(kind, Key.from_jwk(holder["jwk"]))
    shown = peer("present", token=token, frame={}, did=holder["did"], at=now(), **ASKED)
    assert found(ask(shown, **ASKED)) == ""
    assert ask(shown, **ASKED).proofs[0].bound
    assert found(ask(shown, **ASKED | {"nonce": "n-2"})) == "nonce"
    assert found(ask(shown, **ASKED | {"audience": "https://bank.example"})) == "audience"
    assert found(ask(shown[: shown.rindex("~") + 1], **ASKED)) == "holder-missing"

    mine = keys.signer(kind, b"\x07" * 32)
    token, key, _ = made(kind, mine.public)
    shown = sdjwt.present(token, ["credentialSubject.name"], signer=mine, at=now(), **ASKED)
    asked = {"jwk": key.jwk, "alg": alg, "holderAlg": alg, "at": now()}
    good = {"holder": mine.public.jwk, "nonce": "n-1"}
    answer = peer("verify", token=shown, **asked, **good)
    assert told(answer) == ""
    assert answer["value"]["kb"]["payload"]["aud"] == ASKED["audience"]
    assert told(peer("verify", token=shown, **asked, **good | {"nonce": "n-2"}))
    assert told(peer("verify", token=shown, **asked, **good | {"holder": holder["jwk"]}))


# --- the reference library -------------------------------------------------------------------


def as_jwk(key: Key, secret: bytes = b"") -> Any:
    """The same key, for the reference library."""
    return JWK(**key.jwk, **({"d": b64u_encode(secret)} if secret else {}))


def test_an_sd_jwt_of_ours_the_reference_reads_and_shows() -> None:
    token, key, _ = made("P-256", keys.signer("P-256", b"\x07" * 32).public)
    holder = SDJWTHolder(token)
    holder.create_presentation(
        {"credentialSubject": {"name": True}},
        ASKED["nonce"],
        ASKED["audience"],
        as_jwk(keys.signer("P-256", b"\x07" * 32).public, b"\x07" * 32),
    )
    shown = holder.sd_jwt_presentation
    report = ask(shown, **ASKED)
    assert (found(report), subject(report.document)) == ("", {"id", "name"})
    read = SDJWTVerifier(shown, lambda *_: as_jwk(key), ASKED["audience"], ASKED["nonce"])
    assert subject(read.get_verified_payload()) == {"id", "name"}
    with pytest.raises(Exception, match=r"(?i)verification failed|invalid"):
        SDJWTVerifier(shown, lambda *_: as_jwk(ours("P-256", "stranger")[0].public))


def test_an_sd_jwt_of_the_reference_we_read_and_show() -> None:
    secret = b"\x09" * 32
    public = keys.signer("P-256", secret).public
    did = dids.from_key(public)
    document = staff(did)
    inside = document["credentialSubject"]
    for name in ("name", "description", "alumniOf"):
        inside[SDObj(name)] = inside.pop(name)
    made = SDJWTIssuer(
        document,
        as_jwk(public, secret),
        as_jwk(keys.signer("P-256", b"\x07" * 32).public),
        add_decoy_claims=True,
        extra_header_parameters={"typ": "vc+sd-jwt", "kid": dids.vm_of(did)},
    )
    mine = keys.signer("P-256", b"\x07" * 32)
    shown = sdjwt.present(
        made.sd_jwt_issuance, ["credentialSubject.alumniOf"], signer=mine, at=now(), **ASKED
    )
    report = ask(shown, **ASKED)
    assert (found(report), subject(report.document)) == ("", {"id", "alumniOf"})
    read = SDJWTVerifier(shown, lambda *_: as_jwk(public), ASKED["audience"], ASKED["nonce"])
    assert subject(read.get_verified_payload()) == {"id", "alumniOf"}
