"""A chain lives as long as the shortest-lived of all that carries it, to the second.

Links, sponsor credentials and identities begin and end at random; agents may be another human's,
or made by another agent. A start has thirty seconds of grace, an end has none.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Link, Request, Trust, decide
from world import PAPERS, T0, World

GRACE = 30
ASKED = Request("db.read", "urn:acme:papers:17")


def patient(world: World) -> Trust:
    """Trust that minds no old status list, and takes links of an hour."""
    anchor = world.trust_json["anchors"][0]
    ages = {"maxStatusAge": {"low": 10**7, "high": 10**7}, "maxGrantSeconds": 3600}
    return world.trust(anchors=[anchor | ages])


def said(world: World, links: list[Link], at: int | datetime) -> tuple[str, str | None]:
    """State and code at an instant, with an invocation and a status list of that instant."""
    world.now = int(at.timestamp() // 1) if isinstance(at, datetime) else at
    verdict = decide(world.present(links, ASKED), world.evidence(), patient(world), ASKED, at=at)
    return verdict.state, verdict.code


def spans(most: int) -> st.SearchStrategy[tuple[int, int]]:
    """Begin and end, counted from the world's first instant."""
    return st.tuples(st.integers(-40, 90), st.integers(100, most))


def drawn_story(draw: Any) -> tuple[World, list[Link], list[tuple[int, int]]]:
    """A chain of one to four links, and the windows of everything it stands on."""
    world = World(form=draw(st.sampled_from(["di", "jwt"])))
    ana, ben = world.human("ana"), world.human("ben")
    windows: list[tuple[int, int]] = []

    def window(most: int) -> dict[str, Any]:
        start, end = draw(spans(most))
        windows.append((T0 + start, T0 + end))
        return {"valid_from": T0 + start, "valid_until": T0 + end}

    world.attest(ana, **window(20_000))
    bens: list[tuple[int, int]] = []
    links: list[Link] = []
    holder, inner = ana, (T0 - 40, T0 + 3000)
    for index in range(draw(st.integers(1, 4))):
        human = draw(st.sampled_from([ana, ana, ben]))
        if human is ben and not bens:
            world.attest(ben, **window(20_000))
            bens = windows[-1:]
        maker = human
        if draw(st.booleans()):
            maker = world.agent(f"maker-{index}", human, block={"spawn": True}, **window(20_000))
            start, end = windows[-1]
            until = min(end, T0 + draw(st.integers(100, 20_000)))  # it may not outlive its maker
            windows.append((start, until))
            times: dict[str, Any] = {"valid_from": start, "valid_until": until}
        else:
            times = window(20_000)
        agent = world.agent(f"agent-{index}", maker, **times)
        start = draw(st.integers(inner[0], T0 + 90))
        end = draw(st.integers(max(start + 1, T0 + 95), inner[1]))
        inner = (start, end)
        windows.append(inner)
        links.append(
            world.delegate(
                holder,
                agent,
                [f"db.read {PAPERS}"],
                above=tuple(links),
                remaining=3 - index,
                spawn=True,
                lease=512 >> (3 * index) if index < 3 else 0,
                valid_from=start,
                valid_until=end,
            )
        )
        holder = agent
    return world, links, windows


@settings(max_examples=60)
@given(data=st.data())
def test_chain_ends_with_the_first_of_its_parts_and_begins_with_the_last(data: Any) -> None:
    world, links, windows = drawn_story(data.draw)
    start, end = max(one[0] for one in windows), min(one[1] for one in windows)
    for at in (end - 1, end, end + 1, start - GRACE - 1, start - GRACE, start - GRACE + 1):
        codes = {"expired" for _, until in windows if at >= until}
        codes |= {"not-yet-valid" for since, _ in windows if at < since - GRACE}
        state, code = said(world, links, at)
        if not codes:
            assert state == "accepted", (at - T0, code)
        else:
            assert (state, code in codes) == ("rejected", True), (at - T0, code)
    assert start - GRACE < end, "there is an instant at which the chain holds"


@settings(max_examples=40)
@given(data=st.data())
def test_chain_whose_last_link_is_in_time_has_all_its_links_in_time(data: Any) -> None:
    """Windows lie in each other, so of the links the last one decides."""
    world, links, windows = drawn_story(data.draw)
    for parent, child in itertools.pairwise(links):
        assert parent.valid_from <= child.valid_from
        assert child.valid_until <= parent.valid_until
    own = {(link.valid_from, link.valid_until) for link in links}
    others = [one for one in windows if one not in own]
    leaf = links[-1]
    for at in data.draw(st.lists(st.integers(T0 - 80, T0 + 3100), min_size=6, max_size=6)):
        lives = all(since - GRACE <= at < until for since, until in others)
        leaf_lives = leaf.valid_from - GRACE <= at < leaf.valid_until
        assert (said(world, links, at)[0] == "accepted") == (lives and leaf_lives), at - T0
        if leaf_lives:
            assert all(link.valid_from - GRACE <= at < link.valid_until for link in links)


def test_fraction_of_a_second_is_rounded_down() -> None:
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"], seconds=60)
    end = datetime.fromtimestamp(T0 + 60, UTC)
    assert said(world, [link], end - timedelta(microseconds=1)) == ("accepted", None)
    assert said(world, [link], end) == ("rejected", "expired")


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1), (1, 1)])
def test_window_that_reaches_out_of_the_one_above_is_not_signed(before: int, after: int) -> None:
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    above = world.delegate(ana, one, [f"db.read {PAPERS}"], remaining=1, lease=8)
    same = {"valid_from": above.valid_from, "valid_until": above.valid_until}
    below = world.delegate(one, two, [f"db.read {PAPERS}"], above=(above,), **same)
    assert (below.valid_from, below.valid_until) == (above.valid_from, above.valid_until)
    wider = {"valid_from": above.valid_from - before, "valid_until": above.valid_until + after}
    with pytest.raises(Error) as refused:
        world.delegate(one, two, [f"db.read {PAPERS}"], above=(above,), **wider)
    assert (refused.value.code, refused.value.dimension) == ("scope-widened", "validity")
