"""Names that are told apart whichever sorts first, and signers with several keys."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import (
    Evidence,
    Limits,
    Link,
    PrivateKey,
    Request,
    Trust,
    decide,
    did,
)
from delegant.credentials import chain as phases
from delegant.credentials import proof as proofs
from delegant.credentials.budget import Budget
from delegant.credentials.envelope import CONTEXT, Secured, unpack
from delegant.credentials.path import People
from refusal import refusal
from world import LIST, PAPERS, T0, World, research_chain

ASKED = Request("db.read", "urn:acme:papers:1")
READ = [f"db.read {PAPERS}"]
KEYS = [PrivateKey(bytes([n]) * 32) for n in (1, 2, 3)]
SIGNER = did.check("did:web:acme.example")
STRANGERS = [did.check(f"did:key:z6Mk{letter * 44}") for letter in "1Zz"] + [SIGNER]
"""Names that sort before, between and behind those of any story."""


def honest() -> tuple[Link, ...]:
    return tuple(research_chain(World())[0][:3])


# --- linkage and attenuation -----------------------------------------------------------------


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("member", ["sponsor", "organization"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_sponsor_changed_is_noticed_however_its_name_sorts(at: int, member: str, name: str) -> None:
    links = list(honest())
    assert refusal(lambda: phases.linkage(tuple(links), None)) == ""
    change: dict[str, Any] = {member: name}
    links[at] = links[at]._replace(**change)
    assert refusal(lambda: phases.linkage(tuple(links), None)) == "sponsor-changed"


@pytest.mark.parametrize("name", STRANGERS)
def test_first_link_by_another_than_the_sponsor_is_noticed_however_it_sorts(name: did.Did) -> None:
    root = honest()[0]
    assert refusal(lambda: phases.linkage((root,), None)) == ""
    assert (
        refusal(lambda: phases.linkage((root._replace(sponsor=name),), None)) == "sponsor-changed"
    )


def test_child_may_live_from_later_to_earlier_than_its_parent_and_no_other_way() -> None:
    parent, child = honest()[:2]
    start, end = parent.valid_from, parent.valid_until
    for since, until, code in (
        (start, end, ""),
        (start + 1, end, ""),
        (start, end - 1, ""),
        (start - 1, end, "scope-widened"),
        (start, end + 1, "scope-widened"),
    ):
        lived = child._replace(valid_from=since, valid_until=until)
        assert refusal(lambda one=lived: phases.attenuates(parent, one)) == code


# --- several keys ----------------------------------------------------------------------------


def signed_by(key: PrivateKey, **change: Any) -> Secured:
    document = {"@context": list(CONTEXT), "id": "urn:x"}
    whole = proofs.sign(document, key, f"{SIGNER}#k", T0)
    whole["proof"] |= change
    secured = unpack(whole)
    secured.open()
    return secured


@pytest.mark.parametrize("signer", [0, 1, 2])
@pytest.mark.parametrize("known", [(0,), (1,), (0, 1), (1, 0), (0, 1, 2), (2, 1, 0)])
def test_any_of_a_signers_keys_will_do_and_no_other(signer: int, known: tuple[int, ...]) -> None:
    keys = tuple(KEYS[n].public for n in known)
    secured = signed_by(KEYS[signer])
    spent: list[int] = []
    code = "" if signer in known else "proof"
    for _ in range(2):  # the second time it is remembered, and costs the same
        assert refusal(lambda: phases.check_any(secured, SIGNER, keys, spent.append)) == code
    assert spent == [len(known)] * 2


def test_what_no_key_can_mend_is_said_at_once() -> None:
    keys = tuple(key.public for key in KEYS)
    other = signed_by(KEYS[2], cryptosuite="ecdsa-jcs-2019")
    assert refusal(lambda: phases.check_any(other, SIGNER, keys, lambda _: None)) == "suite"
    stranger = did.check("did:web:b.example")
    mine = signed_by(KEYS[2])
    code = refusal(lambda: phases.check_any(mine, stranger, keys, lambda _: None))
    assert code == "did-key-mismatch"


def two_keys(signer: int, **own: Any) -> tuple[World, Link, Evidence, Trust]:
    """A human pinned with two keys, whose link is signed with one of three."""
    world = World()
    ana = world.human("ana")
    ana.did = did.check("did:web:acme.example:ana")
    ana.key = KEYS[0]
    anchor = world.trust_json["anchors"][0]
    pinned = {
        "id": ana.did,
        "keys": [key.public.multikey for key in KEYS[:2]],
        "ceiling": anchor["ceiling"],
        "maxGrantSeconds": 1800,
    }
    sponsor = {"id": ana.did, "organization": ana.did}
    bot = world.agent("bot", ana, block={"sponsor": sponsor})
    lists = [world.status_list(authority=ana.did, signer=ana).secured.raw]
    ana.key = KEYS[signer]
    link = world.delegate(ana, bot, READ, organization=ana.did)
    trust = world.trust(anchors=[anchor, pinned], verifier=world.trust_json["verifier"] | own)
    return world, link, world.evidence(sponsors=[], status_lists=lists), trust


@pytest.mark.parametrize("signer", [0, 1, 2])
def test_human_pinned_with_two_keys_signs_with_either(signer: int) -> None:
    world, link, evidence, trust = two_keys(signer)
    for _ in range(2):
        said = decide(world.present([link], ASKED), evidence, trust, ASKED, at=world.now)
        assert said.code == ("proof" if signer == 2 else None)


@pytest.mark.parametrize(("most", "code"), [(4, None), (3, "limit-signatures")])
def test_every_key_of_a_signer_is_a_signature_spent_the_second_time_too(
    most: int, code: str | None
) -> None:
    """Two for the identity and two for the status list, by a human with two keys."""
    world, link, evidence, trust = two_keys(0, limits={"evidenceSignatures": most})
    for _ in range(3):
        said = decide(world.present([link], ASKED), evidence, trust, ASKED, at=world.now)
        assert said.code == code


@pytest.mark.parametrize("name", [did.check("did:aaa:x"), did.check("did:web:x")])
def test_organisation_that_does_not_answer_for_the_human_is_noticed(name: did.Did) -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    evidence = world.evidence()
    link = world.delegate(ana, bot, READ, organization=name)
    said = decide(world.present([link], ASKED), evidence, world.trust(), ASKED, at=world.now)
    assert said.code == "root-not-authoritative"


# --- status lists ----------------------------------------------------------------------------


def test_bits_beyond_the_end_of_a_list_are_none() -> None:
    world = World()
    found = world.status_list()
    size = 16 * 1024
    assert found.expand(size) == bytes(size)
    assert [found.pair(8 * size + more, size) for more in (-2, 0, 8, 800)] == [0, -1, -1, -1]


def test_list_longer_than_the_least_is_issued_and_a_shorter_is_not() -> None:
    world = World()
    size = 16 * 1024
    assert refusal(lambda: world.status_list(bits=bytes(size - 1))) == "shape"
    noise = b"".join(PrivateKey(n.to_bytes(32, "big")).public.raw for n in range(size // 32 + 8))
    longer = world.status_list(bits=noise)
    assert longer.expand(len(noise)) == noise
    assert longer.url == LIST


def test_lists_of_one_verification_are_unpacked_to_four_times_the_largest() -> None:
    world = World()
    people = People(world.evidence(), world.trust(), Budget(Limits()))
    most = world.trust().limits.status_list
    full = world.status_list(bits=bytes(most))
    for _ in range(4):
        assert refusal(lambda: people.unpack(full)) == ""
    assert refusal(lambda: people.unpack(world.status_list())) == "limit-size"
