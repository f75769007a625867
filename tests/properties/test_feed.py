"""A feed only ever takes away: added, grown, withheld or replaced, it turns no no into a yes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altered import Case
from corpus import refused
from delegant.credentials import Bundle, Error, Evidence, Link, Request, Revocation, Trust, decide
from draft import Feed, draft
from world import World, research_chain

ASKED = Request("doc.write", "urn:acme:drafts:1", rows=0)
SEEDS = given(seed=st.integers(0, 2**32))


@cache
def chain() -> tuple[World, list[Link], list[str]]:
    """Four links, and everybody on their path."""
    world = World()
    links, parties = research_chain(world)
    return world, links, [party.did for party in parties.values()]


def entries(world: World, links: Sequence[Link], dice: random.Random) -> list[Revocation]:
    """A few entries, some of them about this chain."""
    made: list[Revocation] = []
    for _ in range(dice.randrange(4)):
        kind = dice.choice(("link", "did", "sponsor"))
        ids = [link.id for link in links] if kind == "link" else [
            world.parties[name].did for name in ("ana", "research", "dbquery", "org")]  # fmt: skip
        strange = world.id(str(dice.random())) if kind == "link" else "did:web:x.example"
        name = dice.choice([*ids, strange, strange, strange])
        made.append(world.kills(kind, name, at=world.now + dice.randrange(-99, 99)))
    return made


def hits(found: Sequence[Revocation], links: Sequence[Link], path: Sequence[str]) -> bool:
    """The oracle: whether any entry is about the chain."""
    return any(
        one.id in [link.id for link in links] if one.kind == "link"
        else one.id == links[0].issuer if one.kind == "sponsor"
        else one.id in path
        for one in found
    )  # fmt: skip


def state(tokens: Sequence[Any], trust: Trust | None = None) -> str:
    world, links, _ = chain()
    shown = world.present(links, ASKED)
    return decide(
        shown, world.evidence(feeds=tokens), trust or world.trust(), ASKED, at=world.now
    ).state


@SEEDS
def test_chain_lives_exactly_where_no_feed_of_its_authority_names_it(seed: int) -> None:
    world, links, path = chain()
    dice = random.Random(seed)
    some = [entries(world, links, dice) for _ in range(dice.choice((1, 1, 2)))]
    tokens = [world.feed(*one, seq=n).secured.raw for n, one in enumerate(some, 1)]
    dice.shuffle(tokens)
    dead = any(hits(one, links, path) for one in some)
    assert state(tokens) == ("rejected" if dead else "accepted")


@SEEDS
def test_newer_feed_with_more_entries_accepts_no_more(seed: int) -> None:
    world, links, _ = chain()
    dice = random.Random(seed)
    first = entries(world, links, dice)
    more = [*first, *entries(world, links, dice)]
    before = state([world.feed(*first, seq=1).secured.raw])
    after = state([world.feed(*more, seq=2).secured.raw])
    assert before == "accepted" or after != "accepted"
    both = [world.feed(*first, seq=1).secured.raw, world.feed(*more, seq=2).secured.raw]
    assert state(both) == after


@SEEDS
def test_feed_withheld_where_it_is_required_accepts_nothing(seed: int) -> None:
    world, _, _ = chain()
    dice = random.Random(seed)
    anchor = dict(world.trust_json["anchors"][0], requireFeed=True)
    trusts = [
        world.trust(anchors=[anchor]),
        world.trust(seen={"feeds": {world.status.did: dice.randrange(1, 99)}}),
    ]
    foreign = world.feed(authority=world.org.did, signer=world.org).secured.raw
    for trust in trusts:
        assert state([], trust) == "undecided"
        assert state([foreign] * dice.randrange(1, 3), trust) == "undecided"


def judged(bundle: bytes, trust: bytes, at: int) -> str:
    try:
        read, ours = Bundle.parse(bundle), Trust.parse(trust)
    except Error as exc:
        return exc.state
    return decide(read.presentation, read.evidence, ours, read.request, at=at).state


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)
def test_no_feed_added_turns_this_refusal_into_a_yes(case: Case) -> None:
    for number in (1, 2):
        d = draft(case.depth)
        case.alter(d)
        for seq in range(1, number + 1):
            payload = d.world.feed(seq=seq).secured.document
            d.feeds.append(Feed(payload, d.world.status.key))
        assert judged(*d.build(), d.at) != "accepted"


def test_evidence_of_a_feed_alone_says_nothing_yet() -> None:
    world, _, _ = chain()
    found = Evidence(feeds=[str(world.feed().secured.raw)])
    assert found.sponsors(world.org.did) == []
