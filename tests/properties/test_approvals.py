"""Approvals: a yes is what the oracle finds approved, and nothing wrong was shown beside it.

So a right approval withheld never turns a no into a yes, and of a token of which one character
is another nothing is left.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Link, Request, Verdict, approve, decide, digest
from delegant.credentials.codec import b64u_decode, b64u_encode
from properties.oracle import approved, needs_approval
from world import PAPERS, Party, World

READ = [f"db.read {PAPERS}"]
NAMES = ("ann", "ben", "cat")
ASKS = [
    Request("db.read", "urn:acme:papers:17", amount=amount)
    for amount in (None, *({"unit": unit, "value": value} for unit, value in (
        ("EUR:2", "2"), ("EUR:2", "3"), ("USD:2", "0"))))
]  # fmt: skip
OVERS: list[dict[str, Any]] = [{}, {"over": {"unit": "EUR:2", "value": "2"}}]


def demands(world: World) -> list[dict[str, Any]]:
    """Every way in which some of three may have to approve."""
    people = [world.parties[name].did for name in NAMES]
    sets = [c for n in range(1, 4) for c in itertools.combinations(people, n)]
    return [
        {"approval": {"threshold": n, "by": list(by)} | over}
        for by in sets
        for n in range(1, len(by) + 1)
        for over in OVERS
    ]


def peopled(own: Mapping[str, Any] | None = None) -> World:
    """Ann, Ben and Cat, who may have to approve, and Ana, whose agents ask."""
    world = World()
    for name in (*NAMES, "eve"):
        world.human(name)
    world.human("ana", constraints=own)
    return world


def chained(world: World, rules: list[Mapping[str, Any]]) -> list[Link]:
    """A chain of one-minute links with these constraints, as far as each narrows the one before."""
    links: list[Link] = []
    holder = ana = world.parties["ana"]
    for index, some in enumerate(rules):
        agent = world.agent(f"agent-{index}", ana)
        try:
            links.append(
                world.delegate(
                    holder, agent, READ, above=tuple(links), seconds=60, status=None,
                    remaining=len(rules) - index, constraints=some,
                )
            )  # fmt: skip
        except Error:
            break
        holder = agent
    return links


def by(world: World, links: list[Link], who: Party, asked: Request, **more: Any) -> str:
    members: dict[str, Any] = {
        "human": who.did, "chain": links, "request": asked, "audience": world.db.did,
        "at": world.now,
    }  # fmt: skip
    return approve(who.key, **(members | more))


def judged(world: World, links: list[Link], asked: Request, tokens: list[str]) -> Verdict:
    shown = world.present(links, asked, approvals=tokens)
    return decide(shown.to_bytes(), world.evidence(), world.trust(), asked, at=world.now)


@settings(max_examples=150)
@given(data=st.data())
def test_an_act_is_approved_where_the_oracle_says_so(data: Any) -> None:
    """For every link and the human's own rights, and for every set of those who did approve."""
    some = demands(peopled())
    rules = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=3))
    rules = [data.draw(st.sampled_from([rules[0], rule])) for rule in rules]
    own = data.draw(st.sampled_from([None, *some]))
    world = peopled(own)
    links = chained(world, rules)
    asked = data.draw(st.sampled_from(ASKS))
    stated = [link.authority.json["constraints"] for link in links] + [own or {}]
    named = {one for rule in stated if needs_approval(rule, asked.json)
             for one in rule["approval"]["by"]}  # fmt: skip
    for number in range(4):
        for who in itertools.combinations(NAMES, number):
            people = [world.parties[name] for name in who]
            given_ = frozenset(one.did for one in people)
            said = judged(world, links, asked, [by(world, links, p, asked) for p in people])
            enough = all(approved(rule, asked.json, given_) for rule in stated)
            if named and not given_ <= named:
                assert said.code == "approval", said
            else:
                assert said.code == (None if enough else "approval-missing"), said


WRONG: dict[str, dict[str, Any]] = {
    "request": {"request": Request("db.read", "urn:acme:papers:18")},
    "chain": {"chain": digest(b"another")},
    "audience": {"audience": World().org.did},
    "time": {"at": World().now - 900},
    "none": {},
}


@settings(max_examples=60)
@given(
    threshold=st.integers(1, 3),
    shown=st.lists(st.tuples(st.sampled_from([*NAMES, "eve"]), st.sampled_from(sorted(WRONG))),
                   max_size=4),
)  # fmt: skip
def test_one_withheld_turns_no_into_yes_only_where_it_was_wrong(
    threshold: int, shown: list[tuple[str, str]]
) -> None:
    world = peopled()
    people = [world.parties[name].did for name in NAMES]
    links = chained(world, [{"approval": {"threshold": threshold, "by": people}}])
    tokens = [by(world, links, world.parties[n], ASKS[0], **WRONG[w]) for n, w in shown]
    right = [n != "eve" and w == "none" for n, w in shown]
    before = judged(world, links, ASKS[0], tokens)
    once = len({name for name, _ in shown}) == len(shown)
    assert (before.state == "accepted") == (all(right) and once and len(shown) >= threshold)
    for at, ok in enumerate(right):
        after = judged(world, links, ASKS[0], tokens[:at] + tokens[at + 1 :])
        if ok and once and after.state == "accepted":
            assert before.state == "accepted"
        if before.code == "approval-missing":
            assert after.code == "approval-missing"


@cache
def one() -> tuple[World, list[Link], str]:
    world = peopled()
    links = chained(world, [{"approval": {"threshold": 1, "by": [world.parties["ann"].did]}}])
    return world, links, by(world, links, world.parties["ann"], ASKS[0])


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_with_a_bit_turned_approves_nothing(at: int, bit: int) -> None:
    world, links, token = one()
    parts = [bytearray(b64u_decode(part)) for part in token.split(".")]
    place = at % sum(map(len, parts))
    for part in parts:
        if place < len(part):
            part[place] ^= 1 << bit
            break
        place -= len(part)
    bent = ".".join(b64u_encode(bytes(part)) for part in parts)
    assert judged(world, links, ASKS[0], [bent]).state != "accepted"


@pytest.mark.parametrize("extra", ["", "=", "A", " ", ".", "\n"])
def test_one_with_something_behind_it_approves_nothing(extra: str) -> None:
    world, links, token = one()
    assert (judged(world, links, ASKS[0], [token + extra]).state == "accepted") == (not extra)
