"""A link of ours in the W3C world: as it is, and signed again over RDF."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from delegant.credentials import PrivateKey, did
from delegant.credentials.codec import canonical
from delegant.credentials.credential import parse_link
from delegant.credentials.envelope import CONTEXT, unpack
from delegant.w3c import jsonld, proofs
from delegant.w3c.dids import expand
from delegant.w3c.keys import EdSigner
from refusal import refusal
from world import Party, World, research_chain

BLOCKS = ("delegation", "humanSponsor", "agentIdentity")


def ours() -> dict[str, tuple[dict[str, Any], PrivateKey]]:
    """One credential of each kind, with its issuer's key."""
    world = World()
    links, parties = research_chain(world)
    bot = parties["research"]
    assert bot.identity
    assert parties["ana"].credential
    kinds: dict[str, tuple[Any, Party]] = {
        "grant": (links[-1], parties["dbquery"]),
        "root": (links[0], parties["ana"]),
        "sponsor": (parties["ana"].credential, world.org),
        "identity": (bot.identity, parties["ana"]),
    }
    out = {}
    for name, (made, issuer) in kinds.items():
        raw = made.secured.raw
        assert isinstance(raw, dict)
        assert raw["issuer"] == issuer.did
        out[name] = (raw, issuer.key)
    return out


OURS = ours()
AT = World().now


def bare(name: str) -> dict[str, Any]:
    return {member: value for member, value in OURS[name][0].items() if member != "proof"}


def again(name: str, suite: str = "eddsa-rdfc-2022") -> dict[str, Any]:
    """The same credential, secured anew by its issuer."""
    key = OURS[name][1]
    method = did.vm_of(did.from_key(key.public))
    return proofs.sign(bare(name), EdSigner(key), suite=suite, method=method, created=AT)


@pytest.mark.parametrize("name", OURS)
def test_a_credential_of_ours_verifies_as_any_other(name: str) -> None:
    (proof,) = proofs.verify(OURS[name][0], resolve=expand, at=AT, purpose="assertionMethod")
    assert proof.suite == "eddsa-jcs-2022"
    assert proof.controller == OURS[name][0]["issuer"]


@pytest.mark.parametrize("name", OURS)
def test_signed_again_over_rdf_it_verifies(name: str) -> None:
    (proof,) = proofs.verify(again(name), resolve=expand, at=AT, purpose="assertionMethod")
    assert (proof.suite, proof.controller) == ("eddsa-rdfc-2022", OURS[name][0]["issuer"])


@pytest.mark.parametrize("name", OURS)
def test_every_member_of_the_block_lies_inside_the_signed_quads(name: str) -> None:
    document = bare(name)
    (block,) = (b for b in BLOCKS if b in document["credentialSubject"])
    text = canonical(document["credentialSubject"][block]).decode()
    quads = jsonld.nquads(document).decode()
    literal = json.dumps(text, ensure_ascii=False)
    assert f"<https://delegant.example/vocab#{block}> {literal}^^" in quads


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, name))


def changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return [*value, "x"] if isinstance(value, list) else value | {"more": 1}


@pytest.mark.parametrize("name", OURS)
def test_any_change_inside_the_block_is_refused(name: str) -> None:
    made = again(name)
    (block,) = (b for b in BLOCKS if b in made["credentialSubject"])
    count = 0
    for path in places(made["credentialSubject"][block], ("credentialSubject", block)):
        for remove in (False, True):
            other = copy.deepcopy(made)
            at: Any = other
            for step in path[:-1]:
                at = at[step]
            if remove:
                del at[path[-1]]
            else:
                at[path[-1]] = changed(at[path[-1]])
            count += 1
            assert refusal(lambda d=other: proofs.verify(d, resolve=expand, at=AT)) == "proof", path
    assert count > 20


@pytest.mark.parametrize("name", ["grant", "root"])
def test_a_chain_takes_no_link_that_was_signed_over_rdf(name: str) -> None:
    made = again(name)
    assert refusal(lambda: parse_link(unpack(made))) == "shape"
    made["proof"]["@context"] = list(CONTEXT)
    link = parse_link(unpack(made))
    key = OURS[name][1].public
    assert len(proofs.verify(made, resolve=expand, at=AT)) == 1
    assert refusal(lambda: link.secured.check(link.issuer, key)) == "suite"
    same = parse_link(unpack(OURS[name][0]))
    assert refusal(lambda: same.secured.check(same.issuer, key)) == ""


@pytest.mark.parametrize("name", OURS)
def test_signed_again_over_json_it_is_the_same_to_the_letter(name: str) -> None:
    raw = OURS[name][0]
    created = raw["proof"]["created"]
    key = OURS[name][1]
    made = proofs.sign(bare(name), EdSigner(key), suite="eddsa-jcs-2022",
                       method=raw["proof"]["verificationMethod"], created=created)  # fmt: skip
    assert made == raw


def test_an_attestation_has_its_terms() -> None:
    document = {
        "@context": list(CONTEXT),
        "type": ["VerifiableCredential", "AgentAttestationCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": "did:example:agent", "agentAttestation": {"any": [1, None]}},
    }
    assert b'"{\\"any\\":[1,null]}"^^' in jsonld.nquads(document)
    assert refusal(lambda: jsonld.check_terms(document | {"any": 1})) == "undefined-term"
