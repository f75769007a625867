"""Limits as they are promised, and evidence: which item counts, and what is known of it."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Evidence, Limits, Request, Trust, canonical, decide
from delegant.credentials import budget as budgets
from delegant.credentials import evidence as gathered
from refusal import refusal
from world import LIST, PAPERS, World

ASKED = Request("db.read", "urn:acme:papers:1")
KIB = 1024


def test_limits_are_those_promised() -> None:
    assert Limits() == Limits(10, 65_536, 256 * KIB, KIB * KIB, 48, 48, KIB * KIB)
    assert Limits(32, 65_536, KIB * KIB, 8 * KIB * KIB, 64, 128, 16 * KIB * KIB) == budgets.HARD
    assert (gathered.MAX_EVIDENCE, gathered.MAX_LIST) == (8 * KIB * KIB, 4 * KIB * KIB)
    assert gathered.MAX_ITEMS == 512


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, ""),
        ({"links": 1}, ""),
        ({"links": 0}, "shape"),
        ({"links": 32}, ""),
        ({"links": 33}, "shape"),
        ({"links": True}, "shape"),
        ({"moons": 1}, "unknown-member"),
        ([], "shape"),
    ],
)
def test_limits_of_a_trust_folder_lie_between_one_and_the_hardest(value: Any, said: str) -> None:
    assert refusal(lambda: Limits.from_json(value)) == said


def test_newest_revision_identity_and_list_count_wherever_they_stand() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    assert ana.credential is not None
    assert bot.identity is not None
    sponsors, identities, lists = [ana.credential], [bot.identity], [world.status_list()]
    for step in (1, 2):
        world.now += 10
        sponsors.append(world.attest(ana, revision=1 + step))
        identity = world.agent("bot", ana).identity
        assert identity is not None
        identities.append(identity)
        lists.append(world.status_list())
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        found = Evidence(
            [sponsors[n].secured.raw for n in order],
            [identities[n].secured.raw for n in order],
            [lists[n].secured.raw for n in order],
        )
        assert [one.revision for one in found.sponsors(ana.did)] == [3, 2, 1]
        starts = [world.now, world.now - 10, world.now - 20]
        assert [one.valid_from for one in found.identities(bot.did)] == starts
        assert [one.valid_from for one in found.status_lists(LIST)] == starts


def test_merged_evidence_has_each_item_once_and_first_come_first() -> None:
    world = World()
    world.agent("bot", world.human("ana"))
    other = World(label="other")
    other.agent("bot", other.human("ben"))
    one, two = world.evidence(), other.evidence()
    merged = one.merged(two).merged(one)
    for name in ("sponsors", "identities", "statusLists"):
        assert merged.json[name] == one.json[name] + two.json[name]
    assert one.merged(Evidence()).json == one.json
    assert Evidence.parse(merged.to_bytes()).json == merged.json
    documents = Evidence(documents=[{"id": "did:web:a.example"}])
    assert one.merged(documents).json["documents"] == [{"id": "did:web:a.example"}]


def test_what_is_known_is_known_under_the_trust_asked_for_last() -> None:
    evidence, one, two = Evidence(), Trust({}), Trust({})
    first = evidence.known(one, list)
    first.append("found")
    assert evidence.known(one, list) is first
    assert evidence.known(two, list) == []
    assert evidence.known(one, list) == []


def test_bare_documents_in_evidence_are_kept_and_read_by_nobody() -> None:
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"])
    stapled = {**world.evidence().json, "documents": [{"anything": ["at", "all"]}, {}]}
    shown = world.present([link], ASKED)
    said = decide(shown, canonical(stapled), world.trust(), ASKED, at=world.now)
    assert said.state == "accepted"
