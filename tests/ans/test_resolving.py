"""Answers as the registry gives them: signed, kept for a while, never older than they may be."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from ans.market import Market
from ans.naming import NAME
from delegant.ans.answer import open_jws, verify_answer
from delegant.ans.query import Query
from delegant.ans.resolving import KEPT, NEGATIVES, REUSE_SECONDS, Resolver
from delegant.ans.signing import digest_of
from delegant.ans.tables import CHECKPOINTS, EVENTS, LISTINGS
from delegant.credentials.errors import Error
from refusal import refusal


@pytest.fixture
def market(tmp_path: Path, database: str | None) -> Market:
    return Market(tmp_path / "registry.db", database=database)


def test_a_name_that_is_not_there_is_denied_with_a_signature(market: Market) -> None:
    found = market.ask(NAME)
    assert (found.status, found.freshness.status, found.agents) == ("not-found", "not-found", ())
    assert refusal(lambda: found.resolution) == "ans-not-found"
    market.register()
    assert market.ask(NAME).resolution.did == market.bot.did


def test_a_search_without_an_answer_is_signed_too(market: Market) -> None:
    found = market.ask({"capability": "nothing", "trace": True})
    assert (found.status, found.freshness.total, found.trace) == ("not-found", 0, ())


def test_a_revoked_name_is_gone_and_says_why_and_since_when(market: Market) -> None:
    receipt = market.register()
    market.world.now += 60
    market.send(market.event("revoke", receipt=receipt, reason="retired"))
    market.world.now += 60
    found = market.ask(NAME)
    assert (found.status, found.freshness.status) == ("gone", "revoked")
    assert (found.freshness.reason, found.freshness.since) == ("retired", market.now - 60)
    assert found.last is not None
    assert (found.last.event["type"], found.last.signed) == ("revoke", True)
    assert refusal(lambda: found.resolution) == "ans-gone"


def test_a_suspended_name_says_so_until_it_expires(market: Market) -> None:
    receipt = market.offer(NAME, seconds=600)
    market.send(market.event("suspend", receipt=receipt, reason="under review"))
    found = market.ask(NAME)
    assert (found.status, found.freshness.reason) == ("suspended", "under review")
    assert refusal(lambda: found.resolution) == "ans-suspended"
    market.world.now += 600
    found = market.ask(NAME)
    assert (found.status, found.freshness.status) == ("gone", "expired")


def test_an_expired_name_is_gone_at_that_very_second(market: Market) -> None:
    market.offer(NAME, seconds=600)
    market.world.now += 590
    found = market.ask(NAME)
    assert found.resolution.valid_until == market.now + 10
    assert found.freshness.valid_until == market.now + 10
    market.world.now += 9
    assert market.ask(NAME).status == "success"
    market.world.now += 1
    found = market.ask(NAME)
    assert (found.freshness.status, found.freshness.since) == ("expired", market.now)


def test_a_trace_of_one_name_says_what_has_become_of_it(market: Market) -> None:
    assert market.ask(Query.exact(NAME, trace=True)).trace == ()
    receipt = market.register()
    assert market.ask(Query.exact(NAME, trace=True)).trace == ()
    market.send(market.event("revoke", receipt=receipt))
    assert market.ask(Query.exact(NAME, trace=True)).trace == ((NAME, "revoked"),)


# --- again, and not too long --------------------------------------------------------------------


def _answer(market: Market, query: Query | None = None) -> Any:
    return market.registry.resolve(query or Query.exact(NAME), market.now)[1]


def test_an_answer_is_given_again_for_half_a_minute(market: Market) -> None:
    market.register()
    first = _answer(market)
    market.world.now += REUSE_SECONDS - 1
    assert _answer(market) is first
    market.world.now += 1
    assert _answer(market) is not first


def test_a_clock_set_back_gets_no_answer_from_later(market: Market) -> None:
    market.register()
    first = _answer(market)
    market.world.now -= 1
    assert _answer(market) is not first


def test_a_change_of_the_name_is_told_at_once_and_of_another_is_not(market: Market) -> None:
    receipt = market.register()
    first = _answer(market)
    market.register(name="mcp://Other.Research.AcmeLabs.v1.0")
    assert _answer(market) is first
    market.send(market.event("renew", receipt=receipt))
    second = market.ask(NAME)
    assert second.json is not first
    assert second.resolution.seq == 1


def test_who_asks_for_a_longer_log_gets_an_answer_from_it(market: Market) -> None:
    market.register()
    first = _answer(market)
    size = market.ask(NAME).freshness.head.size
    assert _answer(market, Query.exact(NAME, min_log_size=size)) is first
    market.register(name="mcp://Other.Research.AcmeLabs.v1.0")
    longer = Query.exact(NAME, min_log_size=size + 1)
    second = market.ask(longer)
    assert second.freshness.head.size == size + 1
    assert second.json is not first
    too_long = Query.exact(NAME, min_log_size=size + 2)
    assert refusal(lambda: market.ask(too_long)) == "unavailable"


def test_a_search_is_answered_anew_whenever_the_log_has_grown(market: Market) -> None:
    market.register()
    query = Query.from_json({"capability": "PaperQuery"})
    first = _answer(market, query)
    assert _answer(market, query) is first
    market.offer("mcp://PaperQuery.Research.AcmeLabs.v2.0")
    second = _answer(market, query)
    assert second is not first
    assert _answer(market, query) is second


def test_the_immutable_part_is_the_same_bytes_every_time(market: Market) -> None:
    market.register()
    (first,) = market.ask(NAME).json["resolvedAgents"]
    for minor in range(3):
        market.offer(f"mcp://Other.Research.AcmeLabs.v1.{minor}")
    market.world.now += 3600
    (again,) = market.ask(NAME).json["resolvedAgents"]
    assert again == first
    by_search = market.ask({"capability": "PaperQuery"}).json["resolvedAgents"][0]
    assert (by_search["record"], by_search["receipt"]) == (first["record"], first["receipt"])


def test_the_answer_as_a_jws_is_the_registrys(market: Market) -> None:
    market.register()
    answer = market.ask(NAME).json
    token = market.registry.token(answer)
    assert open_jws(token, market.believer) == answer
    assert verify_answer(token, market.believer, NAME, at=market.now).resolution.name == NAME


def test_nothing_is_spoken_of_before_its_checkpoint_is_published(market: Market) -> None:
    """As after a process died between the store and the checkpoint file."""
    before, other = market.checkpoint.read_bytes(), market.open()
    market.register()
    published = market.checkpoint.read_bytes()
    market.checkpoint.write_bytes(before)
    market.registry = other  # a process that did not die, and reads what the other wrote
    assert market.ask(NAME).status == "success"
    assert market.checkpoint.read_bytes() == published != before


def test_whoever_asks_while_others_write_gets_an_answer_that_holds(market: Market) -> None:
    names = [f"mcp://Papers.Research.AcmeLabs.v1.{minor}" for minor in range(12)]
    search = Query.from_json({"capability": "papers", "limit": 20, "trace": True})
    done, found = threading.Event(), list[int]()

    def reading() -> None:
        while not done.is_set():
            found.append(len(market.ask(search).agents))
            market.ask(names[5])

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(reading) for _ in range(3)]
        for name in names:
            market.offer(name)
        done.set()
        for reader in readers:
            reader.result()
    assert len(market.ask(search).agents) == 12
    assert found


def test_a_reader_that_began_before_a_write_is_no_rollback(market: Market) -> None:
    market.register()
    resolver = market.registry._resolver
    with market.registry.store.transaction(reading=True) as db:
        size = resolver._head(db, 0).size
        market.register(name="mcp://Other.Research.AcmeLabs.v1.0")
        assert market.ask(NAME).freshness.head.size == size + 1
        assert resolver._head(db, size).size == size


# --- strangers, and a store that lies -----------------------------------------------------------


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_stranger_with_a_million_names_costs_no_million_signatures(market: Market) -> None:
    registry, clock = market.registry, Clock()
    resolver = Resolver(
        registry.store, registry.shelf, registry._sequencer, market.did, market.keeper.key,
        market.trust, clock=clock,
    )  # fmt: skip

    def ask(number: int) -> str:
        query = Query.exact(f"mcp://No.Such.AcmeLabs.v{number}")
        return refusal(lambda: resolver.resolve(query, market.now))

    most, rate = NEGATIVES
    asked = [ask(number) for number in range(most + 5)]
    assert asked == [""] * most + ["too-many"] * 5
    assert ask(most - 1) == ""  # it is kept, and costs nothing
    clock.now += 2 / rate
    assert [ask(number) for number in range(most, most + 3)] == ["", "", "too-many"]
    market.register()
    assert resolver.resolve(Query.exact(NAME), market.now)[0] == 200


def test_what_is_kept_is_bounded(market: Market) -> None:
    resolver = market.registry._resolver
    query = Query.exact(NAME)
    market.register()
    answer = _answer(market)
    with market.registry.store.transaction(reading=True) as db:
        head = resolver._head(db, 0)
    for number in range(KEPT):
        other = Query.exact(f"mcp://A.B.AcmeLabs.v{number}")
        resolver._keep(other, answer, head, None, market.now)
    assert resolver._weight <= KEPT
    assert query.digest not in resolver._kept


def test_damaged_rows_fail_and_never_lie(market: Market) -> None:
    market.register()
    with market.registry.store.transaction(reading=True) as db:
        body = db.execute(select(EVENTS.c.body)).scalar_one()
    market.change(update(EVENTS).values(body=body.replace(b"research", b"elsewhere")))
    assert refusal(lambda: market.ask(NAME)) == "unavailable"
    assert refusal(lambda: market.ask({"capability": "PaperQuery"})) == "unavailable"


def test_damaged_attestations_fail(market: Market) -> None:
    market.offer(NAME, None, market.claim(market.bot))
    market.change(update(LISTINGS).values(attestations=b"{"))
    assert refusal(lambda: market.ask(NAME)) == "unavailable"


def test_a_log_that_shrank_is_not_spoken_from(market: Market) -> None:
    market.register()
    market.ask(NAME)
    market.change(delete(CHECKPOINTS).where(CHECKPOINTS.c.size == 2))
    with pytest.raises(Error) as refused:
        market.ask(NAME)
    assert refused.value.code == "log-rollback"


def test_every_name_of_an_agent_is_answered(market: Market) -> None:
    receipt = market.register()
    market.register(name="mcp://Other.Research.AcmeLabs.v1.0")
    market.send(market.event("revoke", receipt=receipt))
    answers = market.registry.by_agent(market.bot.did, market.now)
    assert [one["resolutionStatus"] for one in answers] == ["success", "gone"]
    last = answers[1]["last"]
    assert last["receipt"]["leaf"]["event"] == digest_of(last["event"])
