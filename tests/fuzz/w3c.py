"""The target for proofs of any credential: JSON-LD of anybody's, under keys that are ours alone."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from delegant.credentials import Error
from delegant.credentials.codec import parse_object
from delegant.credentials.envelope import V2_CONTEXT
from delegant.w3c import inline, jsonld, proofs
from delegant.w3c.dids import expand, from_key, vm_of
from delegant.w3c.keys import signer
from fuzz.oracle import expect, settled
from world import T0, World, research_chain

__all__ = ["credentials", "proof_text"]


def proof_text(data: bytes) -> None:
    """What is accepted under our keys says what was signed, and nothing else does."""
    document = settled(lambda: parse_object(data, size=1 << 16))
    if isinstance(document, Error):
        return
    settled(lambda: jsonld.nquads(document))
    found = settled(lambda: _verified(document))
    if isinstance(found, Error):
        return
    known, keys = _known()
    expect(len(found) == len(_list(document["proof"])), "a proof was passed over", found)
    for proof, raw in zip(found, _list(document["proof"]), strict=True):
        expect(proof.key in keys, "signed by a stranger", proof)
        expect(_said(document, raw) in known, "accepted, and not what was signed", document)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _said(document: Any, proof: Any) -> bytes:
    """The quads of a document without its proofs, under the contexts it was signed with."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in proof:
        bare["@context"] = proof["@context"]
    return jsonld.nquads(bare)


KEYS = (signer("Ed25519", bytes([9]) * 32), signer("P-256", bytes([9]) * 32))

OWN = {"score": "urn:x:score", "list": {"@id": "urn:x:list", "@container": "@list"}}


def _verified(document: Any) -> tuple[proofs.Proof, ...]:
    known = [inline.digest(OWN)]
    return proofs.verify(document, resolve=expand, at=T0, contexts=known)


@cache
def _seeds() -> tuple[dict[str, Any], ...]:
    plain: dict[str, Any] = {
        "@context": [V2_CONTEXT, OWN],
        "type": ["VerifiableCredential"],
        "issuer": {"id": from_key(KEYS[0].public), "name": [{"@value": "a", "@language": "en"}]},
        "credentialSubject": [{"score": 1.5, "list": [1, "x", True]}, {"id": "urn:x:s"}],
    }  # fmt: skip
    made = [
        proofs.sign(plain, key, suite=suite, method=vm_of(from_key(key.public)), created=T0,
                    id=f"urn:x:{suite}", domain=["a", "b"], challenge="c", expires=T0 + 60)
        for key, suites in zip(KEYS, (("eddsa-jcs-2022", "eddsa-rdfc-2022"),
                                      ("ecdsa-jcs-2019", "ecdsa-rdfc-2019")), strict=True)
        for suite in suites
    ]  # fmt: skip
    method, first = vm_of(from_key(KEYS[1].public)), made[1]["proof"]["id"]
    chain = proofs.sign(
        made[1], KEYS[1], suite="ecdsa-rdfc-2019", created=T0, method=method, previous=first
    )
    links = research_chain(World())[0]
    ours = [link.secured.raw for link in links[:2]]
    return (*made, chain, *(raw for raw in ours if isinstance(raw, dict)))


@cache
def _known() -> tuple[frozenset[bytes], frozenset[Any]]:
    seeds = _seeds()
    said = {_said(seed, raw) for seed in seeds for raw in _list(seed["proof"])}
    found = (proof.key for s in seeds for proof in _verified(s))
    return frozenset(said), frozenset(found)


def credentials() -> list[bytes]:
    """A credential in every suite, a chain of proofs, and two links of ours."""
    return [json.dumps(seed).encode() for seed in _seeds()]
