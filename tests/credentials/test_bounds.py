"""What an accepted or refused verification may cost, and what it may show.

A holder chooses its own grants and names its own constraints, so neither may make the verifier
work for minutes nor write on somebody's terminal.
"""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import (
    Bundle,
    Error,
    Grant,
    Link,
    Malformed,
    Presentation,
    Request,
    Trust,
    canonical,
    decide,
    verify_chain,
)
from delegant.credentials.capability import Authority, meet
from delegant.credentials.resource import covers_action, covers_resource
from delegant.credentials.shape import time
from draft import draft
from world import PAPERS, World

Pair = tuple[str, str]


# --- the meet of large grants ----------------------------------------------------------------


def widest(world: World) -> list[Link]:
    """An agent with one wide grant splits it into all that fits into a link: 8,192 pairs."""
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana, tools=["db.*"])
    above = world.delegate(ana, one, [f"db.* {PAPERS}"], remaining=1, lease=8)
    grants = [
        {
            "actions": [f"db.a{block}-{n}" for n in range(16)],
            "resources": [f"urn:acme:papers:{block}:{n}" for n in range(16)],
        }
        for block in range(32)
    ]
    below = world.delegate(one, two, [], above=[above], seconds=60, grants=grants)
    return [above, below]


def test_split_grant_is_shown_as_quickly_as_it_is_verified() -> None:
    world = World()
    links = widest(world)
    started = process_time()
    yes = world.verify(links, "db.a0-0", "urn:acme:papers:0:0")
    assert len(yes.effective.grants) == 32
    assert sum(len(g.actions) * len(g.resources) for g in yes.effective.grants) == 8192
    assert process_time() - started < 3, "the effective authority cost more than its pairs"


ACTIONS = st.sampled_from(["a", "a.*", "a.b", "a.b.*", "a.b.c", "d", "d.*", "d.e"])
RESOURCES = st.sampled_from(
    [
        "urn:a:**",
        "urn:a:b",
        "urn:a:b:**",
        "urn:a:b:c",
        "https://x/**",
        "https://x/a",
        "https://x/a/**",
    ]
)


def pairs_of(authority: Authority) -> list[Pair]:
    return [(a, r) for g in authority.grants for a in g.actions for r in g.resources]


@given(st.sets(st.tuples(ACTIONS, RESOURCES), min_size=1, max_size=14))
def test_normal_form_holds_each_widest_pair_once(given_pairs: set[Pair]) -> None:
    grants = tuple(Grant(frozenset({a}), frozenset({r})) for a, r in given_pairs)
    everything = Authority(
        (Grant(frozenset({"a", "a.*", "d", "d.*"}), frozenset({"urn:a:**", "https://x/**"})),)
    )
    left = pairs_of(meet(Authority(grants), everything))
    assert len(left) == len(set(left))
    assert set(left) == {
        one
        for one in given_pairs
        if not any(
            other != one and covers_action(other[0], one[0]) and covers_resource(other[1], one[1])
            for other in given_pairs
        )
    }


# --- what a refusal shows --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["moonPhase", "Mondphase-ä", "x\nlink 0 accepted", "\x1b[2Jx"])
def test_name_of_an_unknown_constraint_cannot_write_on_the_terminal(name: str) -> None:
    case = draft(3)
    case.constrain(1, name, "full")
    data, trust = case.build()
    bundle = Bundle.parse(data)
    said = decide(
        bundle.presentation, bundle.evidence, Trust.parse(trust), bundle.request, at=case.at
    )
    assert (said.state, said.code, said.link) == ("undecided", "unknown-constraint", 1)
    assert said.dimension == (name if name.isprintable() else None)
    assert said.detail.isprintable()


# --- one spelling of absent ------------------------------------------------------------------


def test_invocation_that_is_null_is_malformed_and_one_left_out_is_not() -> None:
    world = World()
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"])]
    shown = world.present(links, Request("db.read", "urn:acme:papers:1")).json
    del shown["invocation"]
    whole = verify_chain(canonical(shown), world.evidence(), world.trust(), at=world.now)
    assert whole.actor == links[0].subject
    with pytest.raises(Malformed, match="compact JWS"):
        Presentation.parse(canonical(shown | {"invocation": None}))


@pytest.mark.parametrize("hour", ["24:00:00", "23:60:00", "23:59:60"])
def test_hour_that_another_clock_reads_as_the_next_day_is_no_time(hour: str) -> None:
    assert time("2026-11-23T23:59:59Z", "validFrom") == 1_795_478_399
    with pytest.raises(Error, match="not a time"):
        time(f"2026-11-23T{hour}Z", "validFrom")
