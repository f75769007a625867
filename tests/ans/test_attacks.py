"""What strangers, members and former members of an organisation try against its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ans.market import Market
from ans.naming import NAME, Naming
from delegant.ans import statement
from delegant.ans.answer import MAX_ANSWER
from delegant.ans.health import heartbeat
from delegant.ans.query import Query
from delegant.ans.tables import SPENT
from delegant.credentials.codec import JsonObject, canonical
from refusal import refusal
from world import World


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    return Naming(tmp_path / "registry.db", database=database)


@pytest.fixture
def market(tmp_path: Path, database: str | None) -> Market:
    return Market(tmp_path / "registry.db", database=database)


def replayed(event: JsonObject) -> bytes:
    """What a stranger makes of an event that anybody may read."""
    return canonical({"event": event, "links": [], "evidence": {}})


# --- the opening ----------------------------------------------------------------------------


def test_who_sends_a_public_event_again_is_not_told_its_opening(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    first = naming.registry.submit(body, token, naming.now)
    public = naming.registry.event(first["leaf"]["event"])
    shown = {name: value for name, value in first.items() if name != "opening"}
    other = naming.agent("other")
    _, foreign = naming.body(naming.event(bot=other, name=NAME.replace("v1.0", "v2.0")), other)
    for stolen in (None, "x", foreign):
        assert naming.registry.submit(replayed(public), stolen, naming.now) == shown
    naming.world.now += 86_400  # a retry may come late
    assert naming.registry.submit(body, token, naming.now) == first


def test_nor_is_who_sends_an_office_s_event_again(naming: Naming) -> None:
    event = naming.office("suspend", naming.world.org, naming.register())
    first = naming.say(event)
    assert "opening" in first
    again = naming.say(event)
    assert again == {name: value for name, value in first.items() if name != "opening"}


# --- whoever left ---------------------------------------------------------------------------


def test_a_sponsor_who_went_to_another_organisation_has_no_say_left(market: Market) -> None:
    receipt = market.register()
    ana = market.ana
    other = World(label="rival", now=market.now, ceiling=market.world.ceiling)
    market.others.append(other)
    moved = other.human("ana")
    moved.did, moved.key = ana.did, ana.key  # the same human, whom the rival attests now
    other.attest(moved)
    event = market.office("suspend", ana, receipt)
    told = refusal(
        lambda: market.registry.submit(statement(event, other.evidence()), None, market.now)
    )
    assert told == "namespace"
    assert market.say(event, market.world.evidence())["leaf"]["by"] == "sponsor"


# --- heartbeats -----------------------------------------------------------------------------


def test_a_heartbeat_from_before_a_name_went_and_came_back_is_not_played_again(
    market: Market,
) -> None:
    first = market.register()
    body, token = heartbeat(market.bot.key, market.bot.did, NAME, "up", market.did, at=market.now)
    market.registry.heartbeat(body, token, market.now)
    other = market.agent("other")
    gone = market.send(market.transfer(first, other))
    theirs = heartbeat(other.key, other.did, NAME, "down", market.did, at=market.now + 1)
    market.registry.heartbeat(*theirs, market.now)
    mine, market.bot = market.bot, other
    market.send(market.transfer(gone, mine))
    assert refusal(lambda: market.registry.heartbeat(body, token, market.now)) == "replay"
    newer = heartbeat(mine.key, mine.did, NAME, "up", market.did, at=market.now + 2)
    assert market.registry.heartbeat(*newer, market.now)["status"] == "up"


# --- what is kept ---------------------------------------------------------------------------


def test_what_can_no_longer_be_used_again_is_forgotten(naming: Naming) -> None:
    for number in range(5):
        naming.registry.once(f"old {number}", naming.now + 60, naming.now)
    naming.registry.once("live", naming.now + 7200, naming.now)
    naming.registry.once("new", naming.now + 7200, naming.now + 3600)
    with naming.registry.store.transaction(reading=True) as db:
        assert db.execute(select(func.count()).select_from(SPENT)).scalar() == 2
    assert refusal(lambda: naming.registry.once("live", naming.now, naming.now + 3600)) == "replay"


# --- what is too much -----------------------------------------------------------------------


def test_no_record_is_so_large_that_an_answer_of_fifty_is_too_large_to_read(
    market: Market,
) -> None:
    def named(number: int) -> str:
        return NAME.replace("v1.0", f"v{number}")

    fat = {f"p{one}": {"x": "y" * 4000} for one in range(16)}
    record: dict[str, Any] = {
        "extensions": fat,
        "capabilities": [f"{one:0250}" for one in range(64)],
    }
    assert refusal(lambda: market.offer(named(99), **record)) == "limit-size"
    most: dict[str, Any] = {"extensions": dict(list(fat.items())[:7])}
    for number in range(3):
        market.offer(named(number), **most)
    _, answer = market.registry.resolve(Query.from_json({"pattern": "*.*.AcmeLabs"}), market.now)
    assert len(canonical(answer)) * 50 < 3 * MAX_ANSWER
