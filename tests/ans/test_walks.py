"""Random lives of names, by whoever may and may not: the registry is what the table says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ans.naming import NAME, Naming
from delegant.ans.leaf import NameLeaf, parse_leaf
from delegant.ans.lifecycle import EVENTS, NEXT, Standing, step
from delegant.ans.log.tiles import unpack
from delegant.credentials import Error
from delegant.credentials.codec import JsonObject
from world import Party

SHORT = 900
"""Seconds that records last here: walks outlive them."""
REFUSED = {"ans-not-found", "ans-gone", "name-taken", "stale-version", "ans-transition",
           "ans-suspended", "shape", "holder-mismatch"}  # fmt: skip

STEPS = st.tuples(
    st.sampled_from(EVENTS),
    st.sampled_from(["agent", "other", "sponsor", "organization"]),
    st.sampled_from([0, 0, 0, 0, SHORT]),  # how much later
    st.sampled_from([0, 0, 0, 0, 0, 1]),  # on how old an event it builds
)


class Walk:
    """One registry, two agents, and a model that is the table alone."""

    def __init__(self, folder: Path) -> None:
        self.naming = Naming(folder / "registry.db")
        self.other = self.naming.agent("other")
        self.receipts: list[JsonObject] = []
        self.model: Standing | None = None
        self.expires = 0

    def event(self, kind: str, by: Party, who: str, back: int) -> tuple[JsonObject, bool]:
        """The event, and whether it goes as an agent's."""
        naming = self.naming
        before = self.receipts[-1 - back] if len(self.receipts) > back else None
        if kind == "register" or before is None:
            before = None
        if who in ("sponsor", "organization"):
            agent = self.model.agent if self.model else naming.bot.did
            record = None
            return naming.office(
                kind, by, before or _nothing(), bot=Party("", by.key, agent), record=record
            ), False
        more: dict[str, Any] = {}
        if kind in ("register", "renew", "update"):
            more["record"] = naming.record(by, seconds=SHORT)
        if kind != "register":
            more["receipt"] = before or _nothing()
        if kind == "transfer":
            to = self.other if by is naming.bot else naming.bot
            record = naming.record(to, seconds=SHORT)
            event = naming.event("transfer", by, agent=to.did, **more, record=record)
            for party in (to, naming.world.org):
                event = _consent(event, party, naming.now)
            return event, True
        return naming.event(kind, by, **more), True

    def take(self, kind: str, who: str, later: int, back: int) -> None:
        naming = self.naming
        naming.world.now += 1 + later
        naming.world.attest(naming.ana, revision=1 + len(self.receipts))
        by = {
            "agent": naming.bot, "other": self.other, "sponsor": naming.ana,
            "organization": naming.world.org,
        }[who]  # fmt: skip
        try:
            event, agents = self.event(kind, by, who, back)
            if agents:
                receipt = naming.send(event, by)
            else:
                receipt = naming.say(event, naming.world.evidence())
        except Error as exc:
            assert exc.code in REFUSED, exc
            return
        leaf = naming.leaf(receipt)
        expired = naming.now >= self.expires and bool(self.receipts)
        state = None if self.model is None else self.model.state(expired)
        assert (state, kind) in NEXT
        self.model = step(self.model, leaf.move, expired=expired)
        if "record" in event:
            self.expires = naming.now + SHORT
        assert leaf.by == ("agent" if who == "other" else who)
        assert leaf.epoch == self.model.epoch
        self.receipts.append(receipt)


def _nothing() -> JsonObject:
    """A receipt of an event that never was."""
    return {"leaf": {"seq": 0, "event": "uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}


def _consent(event: JsonObject, party: Party, at: int) -> JsonObject:
    from delegant.ans import consent

    return consent(event, party.key, party.did, at=at)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_the_registry_is_what_the_table_says(steps: list[tuple[str, str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(Path(folder))
        naming = walk.naming
        walk.take("register", "agent", 0, 0)
        for kind, who, later, back in steps:
            walk.take(kind, who, later, back)
            expected = ""
            if walk.model is not None:
                expected = walk.model.state(expired=naming.now >= walk.expires)
                assert naming.state() == expected
            assert naming.agent_of() == (walk.model.agent if walk.model else "")
        size = naming.registry.log.head().size
        leaves = [parse_leaf(data) for data in unpack(naming.registry.log.bundle(0, size))]
        events = [one for one in leaves if isinstance(one, NameLeaf)]
        assert [one.json for one in events] == [one["leaf"] for one in walk.receipts]
        assert [one.seq for one in events] == list(range(len(events)))
        assert [one.previous for one in events[1:]] == [one.event for one in events[:-1]]
        assert len(naming.registry.history(NAME)) == len(events)
        before = naming.state()
        naming.registry = naming.open()  # and what it says it says again from disk
        assert naming.state() == before


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=1, max_size=8), st.integers(0, 6))
def test_a_revoked_name_is_revoked_whatever_comes(
    steps: list[tuple[str, str, int, int]], place: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(Path(folder))
        walk.take("register", "agent", 0, 0)
        for number, (kind, who, later, back) in enumerate(steps):
            if number == place:
                walk.take("revoke", "organization", 0, 0)
            walk.take(kind, who, later, back)
        walk.take("revoke", "organization", 0, 0)
        for kind, who, later, back in steps:
            count = len(walk.receipts)
            walk.take(kind, who, later, back)
            assert len(walk.receipts) == count
            assert walk.naming.state() == "revoked"
            walk.naming.registry.recheck(walk.naming.now)
