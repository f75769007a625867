"""Laws of whole chains: a longer one never allows more, nor lives longer, than a shorter one.

Every request of a small universe is presented under a chain and, by the holder one step up,
under the chain without its last link.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Link, Request, Trust, decide
from delegant.credentials.capability import attenuates
from world import World

PAPERS, HERE, THERE = "urn:acme:papers:**", "urn:acme:papers:1", "urn:acme:drafts:1"
GRANTS = [f"{a} {r}" for a in ("db.*", "db.read", "db.write") for r in (PAPERS, HERE, THERE)]
UNIVERSE = [
    (Request(action, resource, rows=rows), later)
    for action, resource, rows, later in itertools.product(
        ("db.read", "db.write"), (HERE, "urn:acme:papers:2", THERE), (1, 5), (0, 59, 60, 599, 600)
    )
]


def patient(world: World) -> Trust:
    """The world's trust, content with a status list an hour old."""
    age = {"maxStatusAge": {"low": 3600, "high": 3600}}
    return world.trust(anchors=[world.trust_json["anchors"][0] | age])


def drawn_chain(world: World, draw: Any) -> list[Link]:
    """One to four links; each tries its luck, and keeps what its issuer was let sign."""
    issuer = world.human("ana")
    ana = issuer
    links: list[Link] = []
    for index in range(4):
        agent = world.agent(f"agent-{index}", ana, tools=["db.*"])
        offer = draw(st.lists(st.sampled_from(GRANTS), min_size=1, max_size=3, unique=True))
        try:
            link = world.delegate(
                issuer,
                agent,
                offer if index else GRANTS,
                above=tuple(links),
                seconds=draw(st.sampled_from((60, 600, 900))),
                remaining=3 - index,
                lease=512 >> (3 * index) if index < 3 else 0,
                constraints=draw(
                    st.sampled_from((None, {"rows": {"max": 1}}, {"rows": {"max": 9}}))
                ),
            )
        except Error as exc:
            assert exc.code in {"scope-widened", "constraint-dropped"}, exc
            break
        links.append(link)
        issuer = agent
    return links


def allowed(world: World, links: Sequence[Link]) -> set[int]:
    """Which requests of the universe the holder of the chain may make."""
    evidence, trust = world.evidence(), patient(world)
    out: set[int] = set()
    for number, (asked, later) in enumerate(UNIVERSE):
        at = world.now + later
        said = decide(world.present(links, asked, at=at), evidence, trust, asked, at=at)
        if said.state == "accepted":
            out.add(number)
            assert said.authorization is not None
            assert said.authorization.effective.covers(asked.action, asked.resource)
    return out


@settings(max_examples=20)
@given(data=st.data())
def test_link_added_never_widens(data: Any) -> None:
    world = World(ceiling=[{"actions": ["db.*"], "resources": ["urn:acme:**"]}])
    links = drawn_chain(world, data.draw)
    before: set[int] | None = None
    for length in range(1, len(links) + 1):
        now = allowed(world, links[:length])
        assert before is None or now <= before, [UNIVERSE[i] for i in now - before]
        before = now
        ends = min(link.valid_until for link in links[:length])
        assert all(world.now + UNIVERSE[i][1] < ends for i in now), "used after the earliest end"
    assert before is not None


@settings(max_examples=20)
@given(data=st.data())
def test_effective_authority_lies_below_everything_that_made_it(data: Any) -> None:
    world = World(ceiling=[{"actions": ["db.*"], "resources": [PAPERS]}])
    links = drawn_chain(world, data.draw)
    evidence, trust = world.evidence(), patient(world)
    for asked, _ in UNIVERSE:
        shown = world.present(links, asked)
        yes = decide(shown, evidence, trust, asked, at=world.now).authorization
        if yes is not None:
            for link in links:
                attenuates(link.authority, yes.effective)
            assert yes.sponsor_credential is not None
            attenuates(yes.sponsor_credential.entitlements, yes.effective)
            attenuates(yes.anchor.ceiling, yes.effective)


def test_the_universe_tells_chains_apart() -> None:
    """Each way to narrow that the laws above draw from takes something away."""
    world = World(ceiling=[{"actions": ["db.*"], "resources": ["urn:acme:**"]}])
    ana = world.human("ana")
    one, two = world.agent("one", ana, tools=["db.*"]), world.agent("two", ana, tools=["db.*"])
    wide = world.delegate(ana, one, GRANTS, remaining=1, lease=64)
    everything = allowed(world, [wide])
    assert len(everything) == len(UNIVERSE)
    ways: list[tuple[list[str], dict[str, Any]]] = [
        (["db.read urn:acme:papers:**"], {}),
        ([f"db.* {THERE}"], {}),
        (GRANTS, {"seconds": 60}),
        (GRANTS, {"constraints": {"rows": {"max": 1}}}),
    ]
    for allow, changes in ways:
        narrow = world.delegate(one, two, allow, above=(wide,), **changes)
        left = allowed(world, [wide, narrow])
        assert set() < left < everything
