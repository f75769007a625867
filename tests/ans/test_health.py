"""Heartbeats: the agent's own word, once, shown with its age."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ans.market import Market
from ans.naming import NAME
from delegant.ans.health import heartbeat
from delegant.credentials.codec import canonical
from refusal import refusal


@pytest.fixture
def market(tmp_path: Path, database: str | None) -> Market:
    made = Market(tmp_path / "registry.db", database=database)
    made.receipt = made.register()  # type: ignore[attr-defined]
    return made


def beat(market: Market, status: str = "up", **more: Any) -> Any:
    own: dict[str, Any] = {"key": market.bot.key, "agent": market.bot.did, "name": NAME}
    own |= {"registry": market.did, "at": market.now} | more
    body, token = heartbeat(own.pop("key"), own.pop("agent"), own.pop("name"), status, **own)
    return market.registry.heartbeat(body, token, market.now)


UP = {"capability": "PaperQuery", "available": 60}


def test_who_says_nothing_is_not_available(market: Market) -> None:
    assert market.reasons(**UP) == {NAME: "unavailable"}
    assert market.ask(NAME).resolution.entry.health is None


def test_a_heartbeat_is_shown_with_its_age_and_counts_while_it_is_young(market: Market) -> None:
    told = beat(market)
    assert (told["name"], told["status"]) == (NAME, "up")
    assert market.ask(NAME).resolution.entry.health == ("up", market.now)
    assert market.names(**UP) == [NAME]
    market.world.now += 60
    assert market.names(**UP) == [NAME]
    assert market.ask(NAME).resolution.entry.health == ("up", market.now - 60)
    market.world.now += 1
    assert market.reasons(**UP) == {NAME: "unavailable"}
    assert market.names(capability="PaperQuery", available=61) == [NAME]


def test_the_newest_word_counts_at_once(market: Market) -> None:
    beat(market)
    assert market.names(**UP) == [NAME]
    market.ask(NAME)
    market.world.now += 1
    beat(market, "down")
    assert market.names(**UP) == []
    assert market.ask(NAME).resolution.entry.health == ("down", market.now)


def test_no_heartbeat_counts_twice_and_none_is_played_again(market: Market) -> None:
    beat(market)
    body, token = heartbeat(
        market.bot.key, market.bot.did, NAME, "down", market.did, at=market.now + 1
    )
    market.world.now += 2
    market.registry.heartbeat(body, token, market.now)
    again = refusal(lambda: market.registry.heartbeat(body, token, market.now))
    assert again == "replay"
    assert refusal(lambda: beat(market, at=market.now - 1)) == "replay"
    assert refusal(lambda: beat(market)) == ""


def test_only_the_agent_whose_name_it_is_speaks_for_it(market: Market) -> None:
    other = market.agent("other")
    assert refusal(lambda: beat(market, agent=other.did, key=other.key)) == "holder-mismatch"
    body, _ = heartbeat(market.bot.key, market.bot.did, NAME, "up", market.did, at=market.now)
    assert refusal(lambda: market.registry.heartbeat(body, None, market.now)) == "holder-missing"
    assert refusal(lambda: beat(market, registry=other.did)) == "audience"
    assert refusal(lambda: beat(market, at=market.now - 120)) == "invocation-expired"
    assert refusal(lambda: beat(market, at=market.now + 31)) == "invocation-expired"
    assert refusal(lambda: beat(market)) == ""


def test_a_heartbeat_is_signed_as_it_stands(market: Market) -> None:
    _, token = heartbeat(market.bot.key, market.bot.did, NAME, "up", market.did, at=market.now)
    down = canonical({"name": NAME, "status": "down"})
    refused = refusal(lambda: market.registry.heartbeat(down, token, market.now))
    assert refused == "holder-mismatch"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": NAME}, "shape"),
        ({"name": NAME, "status": "sideways"}, "shape"),
        ({"name": NAME, "status": True}, "shape"),
        ({"name": NAME, "status": "up", "load": 3}, "unknown-member"),
        ({"name": "helpdesk", "status": "up"}, "ans-name"),
        ({"name": "mcp://No.Such.AcmeLabs.v1", "status": "up"}, "ans-not-found"),
    ],
)
def test_what_is_no_heartbeat_is_refused(market: Market, body: Any, code: str) -> None:
    _, token = heartbeat(market.bot.key, market.bot.did, NAME, "up", market.did, at=market.now)
    data = canonical(body)
    assert refusal(lambda: market.registry.heartbeat(data, token, market.now)) == code


def test_a_name_that_is_gone_or_suspended_has_no_health(market: Market) -> None:
    receipt: Any = market.receipt  # type: ignore[attr-defined]
    receipt = market.send(market.event("suspend", receipt=receipt))
    assert refusal(lambda: beat(market)) == "ans-suspended"
    market.send(market.event("revoke", receipt=receipt))
    assert refusal(lambda: beat(market)) == "ans-gone"


def test_after_a_transfer_the_old_agents_word_is_no_longer_shown(market: Market) -> None:
    beat(market)
    heir = market.agent("heir")
    market.send(market.transfer(market.receipt, heir), market.bot)  # type: ignore[attr-defined]
    assert market.ask(NAME).resolution.entry.health is None
    assert refusal(lambda: beat(market)) == "holder-mismatch"
    assert refusal(lambda: beat(market, agent=heir.did, key=heir.key)) == ""
    assert market.ask(NAME).resolution.entry.health == ("up", market.now)


@pytest.mark.parametrize("change", ["status = 'sideways'", "at = 'noon'", "issued = 'noon'"])
def test_a_damaged_heartbeat_is_shown_to_nobody(market: Market, change: str) -> None:
    if market.database and "noon" in change:
        pytest.skip("PostgreSQL keeps no text in a column of numbers")
    beat(market)
    market.change(text(f"update health set {change}"))  # noqa: S608 - a test's own words
    assert refusal(lambda: market.ask(NAME)) == "unavailable"
    assert refusal(lambda: market.names(**UP)) == "unavailable"
