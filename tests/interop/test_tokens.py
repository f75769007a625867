"""vc+jwt and vp+jwt both ways: signatures by the npm package jose, and by us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from delegant.credentials.codec import b64u_decode
from delegant.credentials.shape import format_time
from delegant.w3c import dids, issue, verify
from interop.common import NOW, V2, ask, credential, found, ours, told
from interop.peer import Peer

KINDS = [("EdDSA", "Ed25519", "Ed25519"), ("ES256", "P-256", "P-256"), ("ES384", "P-384", "P-384")]
Peers = Callable[[str], Peer]


def spoiled(token: str, part: int) -> str:
    """The token with one character of one part changed."""
    parts = token.split(".")
    other = "A" if parts[part][6] != "A" else "B"
    parts[part] = parts[part][:6] + other + parts[part][7:]
    return ".".join(parts)


@pytest.mark.parametrize(("alg", "kind", "crv"), KINDS)
def test_a_token_of_ours_they_verify(peers: Peers, alg: str, kind: str, crv: str) -> None:
    peer = peers("tokens")
    signer, did, method = ours(kind)
    document = credential(did)
    token = issue.issue(document, signer, method=method, form="jwt")
    assert isinstance(token, str)
    asked: dict[str, Any] = {"jwk": signer.public.jwk, "typ": "vc+jwt", "alg": alg}
    answer = peer("verify", token=token, **asked)
    assert told(answer) == ""
    assert answer["value"]["payload"] == document
    assert answer["value"]["header"] == {"alg": alg, "typ": "vc+jwt", "cty": "vc", "kid": method}
    for part in (0, 1, 2):
        assert told(peer("verify", token=spoiled(token, part), **asked))
    stranger = ours(kind, "stranger")[0].public.jwk
    assert told(peer("verify", token=token, **asked | {"jwk": stranger}))


@pytest.mark.parametrize(("alg", "kind", "crv"), KINDS)
def test_a_token_of_theirs_we_verify(peers: Peers, alg: str, kind: str, crv: str) -> None:
    peer = peers("tokens")
    did = peer("key", alg=alg, crv=crv)["did"]
    document = credential(did)
    header = {"alg": alg, "typ": "vc+jwt", "cty": "vc", "kid": f"{did}#0"}
    token = peer("sign", did=did, payload=document, header=header)
    report = ask(token)
    assert found(report) == ""
    assert report.document == document
    for part, codes in ((1, ("proof", "json", "encoding")), (2, ("proof", "encoding"))):
        assert found(ask(spoiled(token, part))) in codes

    def refused(change: dict[str, Any], **claims: Any) -> str:
        made = peer("sign", did=did, payload=document | claims, header=header | change)
        return found(ask(made))

    assert refused({}) == ""
    assert refused({"typ": "JWT"}) == "shape"
    assert refused({"kid": f"{did}#1"}) == "key-not-found"
    assert refused({"kid": f"{ours('Ed25519')[1]}#0"}) == "key-not-found"
    assert refused({"jwk": {"kty": "OKP"}}) == "shape"
    assert refused({}, vc={}) == "data-model"
    assert refused({}, exp=NOW - 1) == "expired"
    assert refused({}, nbf=NOW + 3600) == "not-yet-valid"
    assert refused({}, validUntil=format_time(NOW - 1)) == "expired"
    assert refused({}, issuer=ours("P-256")[1]) == "controller"


@pytest.mark.parametrize(("alg", "kind", "crv"), KINDS)
def test_a_presentation_goes_both_ways(peers: Peers, alg: str, kind: str, crv: str) -> None:
    peer = peers("tokens")
    signer, issuer, method = ours(kind)
    inner = issue.issue(credential(issuer), signer, method=method, form="jwt")
    held = {
        "@context": V2,
        "id": f"data:application/vc+jwt,{inner}",
        "type": "EnvelopedVerifiableCredential",
    }
    holder = peer("key", alg=alg, crv=crv)["did"]
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [held],
    }
    header = {"alg": alg, "typ": "vp+jwt", "cty": "vp", "kid": f"{holder}#0"}
    token = peer(
        "sign", did=holder, payload=document | {"nonce": "n-1", "aud": "shop"}, header=header
    )

    def answer(**asked: str) -> str:
        given: Any = {"challenge": "n-1", "domain": "shop"} | asked
        return found(verify.verify_presentation(token, resolve=dids.expand, at=NOW, **given))

    assert answer() == ""
    assert answer(challenge="n-2") == "proof-challenge"
    assert answer(domain="bank") == "proof-domain"

    signer, did, method = ours(kind, "holder")
    ours_ = issue.issue(document | {"holder": did}, signer, method=method, form="jwt")
    asked = {"jwk": signer.public.jwk, "typ": "vp+jwt", "alg": alg}
    assert told(peer("verify", token=ours_, **asked)) == ""
    assert told(peer("verify", token=ours_, **asked | {"typ": "vc+jwt"}))


@pytest.mark.parametrize(("alg", "kind", "crv"), KINDS)
def test_a_thumbprint_is_the_same_for_both(peers: Peers, alg: str, kind: str, crv: str) -> None:
    public = ours(kind)[0].public
    assert peers("tokens")("thumbprint", jwk=public.jwk) == public.thumbprint


def test_half_of_their_curve_signatures_have_a_high_s_and_count(peers: Peers) -> None:
    peer = peers("tokens")
    did = peer("key", alg="ES256", crv="P-256")["did"]
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{did}#0"}
    half = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
    high = 0
    for _ in range(32):
        token = peer("sign", did=did, payload=credential(did), header=header)
        high += int.from_bytes(b64u_decode(token.split(".")[2])[32:], "big") > half
        assert found(ask(token)) == ""
    assert high  # none of 32 would be a chance of one in four thousand million
