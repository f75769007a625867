"""However changes fall into transactions, the same happens, and the log and the rows say so."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ans.batching import Sent, ask, together, told
from ans.naming import NAME, Naming
from delegant.ans.holder import statement
from delegant.ans.leaf import parse_leaf
from delegant.ans.log.tiles import unpack
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.ans.tables import EVENTS, LISTINGS, NAMES, SPENT, TERMS
from delegant.credentials.codec import JsonObject

STEPS = 30
KINDS = ("register", "renew", "update", "revoke", "suspend", "suspend", "resume", "transfer")


@contextmanager
def opened(naming: Naming, where: Path | str, folder: Path) -> Iterator[Registry]:
    """An empty registry of the same operator, in which ``AcmeLabs`` is bound."""
    registry = Registry(
        Store(where), naming.did, naming.keeper.key, naming.logger,
        folder / "checkpoint", naming.trust,
    )  # fmt: skip
    registry.bind_provider("AcmeLabs", naming.world.org.did, naming.now)
    yield registry
    registry.close()


class Story:
    """Steps in the lives of three names by two agents and their sponsor, many of them mistaken."""

    def __init__(self, naming: Naming, seed: int) -> None:
        self.naming = naming
        self.dice = random.Random(seed)
        self.other = naming.agent("other")
        self.known: dict[str, list[JsonObject]] = {}

    def step(self) -> tuple[str, Sent]:
        """The next, and the name it is about."""
        naming, dice = self.naming, self.dice
        name = NAME.replace("v1.0", f"v{dice.randint(1, 3)}")
        known = self.known.setdefault(name, [])
        kind = dice.choice(KINDS) if known else "register"
        bot = naming.bot if dice.random() < 0.75 else self.other
        if kind == "register":
            return name, naming.body(naming.event(kind, bot, name), bot)
        before = known[-1] if dice.random() < 0.75 else dice.choice(known)
        if kind in ("suspend", "resume"):
            event = naming.office(kind, naming.ana, before, bot=bot, name=name)
            return name, (statement(event, naming.world.evidence()), None)
        if kind == "transfer":
            return name, naming.body(naming.transfer(before, self.other, name=name))
        return name, naming.body(naming.event(kind, bot, name, receipt=before), bot)


def shown(outcome: JsonObject | str) -> Any:
    """A refusal; or what a receipt says, but for the salt and the tree it is proven in."""
    if isinstance(outcome, str):
        return outcome
    return outcome["index"], unsalted(outcome["leaf"]), "opening" in outcome


def unsalted(leaf: JsonObject) -> JsonObject:
    return {key: value for key, value in leaf.items() if key not in ("sponsor", "chain")}


def state(registry: Registry) -> dict[str, Any]:
    """The log, and all rows that follow from it."""
    size = registry.log.inclusion(0)["size"]
    leaves = unpack(registry.log.bundle(0, size))
    out: dict[str, Any] = {"log": [unsalted(parse_leaf(one).json) for one in leaves]}
    with registry.store.transaction(reading=True) as db:
        for table in (EVENTS, NAMES, SPENT, LISTINGS, TERMS):
            columns = [column for column in table.c if column.name != "opening"]
            out[table.name] = sorted(map(repr, db.execute(select(*columns))))
    return out


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("seed", range(4))
def test_any_batching_is_as_one_at_a_time(
    tmp_path: Path, request: pytest.FixtureRequest, database: str, seed: int
) -> None:
    naming = Naming(tmp_path / "registry.db")
    story = Story(naming, seed)
    sent: list[Sent] = []
    alone: list[JsonObject | str] = []
    with opened(naming, tmp_path / "alone.db", tmp_path / "alone") as registry:
        while len(sent) < STEPS:
            name, one = story.step()
            sent += [one] * (2 if story.dice.random() < 0.1 else 1)  # as whoever heard nothing
            while len(alone) < len(sent):
                alone.append(told(ask(registry, one, naming.now)))
            if isinstance(alone[-1], dict):
                story.known[name].append(alone[-1])
        expected = state(registry)
    codes = {one if isinstance(one, str) else one["leaf"]["type"] for one in alone}
    assert len(codes) > 3, codes  # a story worth telling

    where = (
        tmp_path / "together.db" if database == "sqlite" else request.getfixturevalue("postgres")
    )
    with opened(naming, where, tmp_path / "together") as registry:
        given: list[Any] = []
        while len(given) < len(sent):
            start, end = len(given), len(given) + story.dice.choice((1, 2, 5, 20))
            for number in range(start + 1, min(end, len(sent))):
                if sent[number][1] is None:  # whoever speaks by office is judged by what is written
                    end = number
                    break
            given += together(registry, sent[start:end], naming.now)
        assert list(map(shown, given)) == list(map(shown, alone))
        assert state(registry) == expected
