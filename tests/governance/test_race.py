"""Budgets and rates hold whoever comes when: every schedule, every order, threads, processes."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from delegant.ans.change import Added
from delegant.credentials import Error
from delegant.credentials.errors import error
from delegant.governance.batch import AuditBatch, AuditChange, Done
from delegant.governance.entry import Entry
from delegant.governance.permit import Permit
from delegant.governance.record import new_event
from delegant.governance.store import SLOW_SECONDS
from delegant.governance.tables import ACTS, SPENT
from governance.accounting import account
from governance.auditing import Auditing, costing
from governance.hammer import AMOUNT, siblings
from governance.hammering import hammering
from refusal import refusal

CLIENTS = 64
COUNT, PERIOD = 2, 10
GAPS = (0, 5_000, 9_999, 10_000)
"""Milliseconds between one act and the next: both sides of every edge of a window."""


def test_a_rate_holds_in_every_window_of_every_schedule(local: Auditing) -> None:
    rate = {"ledger": local.world.db.did, "count": COUNT, "periodSeconds": PERIOD}
    schedules = list(itertools.product(GAPS, repeat=4))
    evidence, start = local.world.evidence(), datetime.fromtimestamp(local.now, UTC)
    acts: list[tuple[int, int]] = []
    links = []
    for number, gaps in enumerate(schedules):
        links.append(local.link(constraints={"rate": rate}, id=local.world.id(str(number))))
        acts += [(at, number) for at in itertools.accumulate(gaps, initial=0)]
    told = []
    for at, number in sorted(acts):
        auth, request, shown = local.asked([links[number]], evidence=evidence)
        told.append(
            local.ledger.permitting(
                auth, request, presentation=shown, evidence=evidence,
                at=start + timedelta(milliseconds=at),
            )
        )  # fmt: skip
    done: dict[int, list[int]] = {number: [] for number in range(len(schedules))}
    refused = 0
    for (at, number), future in zip(sorted(acts), told, strict=True):
        before = [one for one in done[number] if one > at - PERIOD * 1000]
        try:
            future.result()
            assert len(before) < COUNT, f"{schedules[number]} at {at}"
            done[number].append(at)
        except Error as exc:
            assert (exc.code, exc.dimension) == ("constraint", "rate")
            assert len(before) >= COUNT, f"{schedules[number]} at {at}"
            refused += 1
    assert 0 < refused < len(told) // 2
    for times in done.values():
        for first in times:
            assert sum(first <= at < first + PERIOD * 1000 for at in times) <= COUNT
    assert account(local.log, {}) == []


def test_what_counts_for_nothing_any_more_is_forgotten(auditing: Auditing) -> None:
    rate = {"ledger": auditing.world.db.did, "count": COUNT, "periodSeconds": PERIOD}
    store = auditing.log.store

    def kept() -> tuple[int, int]:
        with store.transaction(reading=True) as db:
            return tuple(  # type: ignore[return-value]
                db.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (SPENT, ACTS)
            )

    auditing.permit([auditing.link(constraints={"rate": rate})])
    assert kept() == (1, 1)
    auditing.ledger.refuse(error("json", "no"), at=auditing.now + SLOW_SECONDS + PERIOD)
    assert kept() == (1, 1)
    auditing.ledger.refuse(error("json", "no"), at=auditing.now + SLOW_SECONDS + PERIOD + 2)
    assert kept()[1] == 0
    auditing.ledger.refuse(error("json", "no"), at=auditing.now + 4000)
    assert kept() == (0, 0)


@dataclass(frozen=True)
class Spread(AuditChange):
    """Takes a cent from each of so many budgets."""

    entry: Entry
    count: int

    @property
    def budgets(self) -> tuple[tuple[str, str], ...]:
        return tuple((f"budget {number}", "EUR:2") for number in range(self.count))

    def add(self, batch: AuditBatch) -> Added:
        left = {batch.left(key, unit, 10) for key, unit in self.budgets}
        for key, unit in self.budgets:
            batch.debit(key, unit, 1)
        return Done(batch.log(self.entry), left)


def test_a_transaction_may_touch_more_budgets_than_a_statement_has_parameters(
    auditing: Auditing,
) -> None:
    auditing.ledger.refuse(error("json", "no"), at=auditing.now)
    (record,) = auditing.records()
    entry = Entry.of(record.json | {"event": new_event(auditing.now * 1000), "previous": None})
    change = Spread(entry, 33_000)
    assert auditing.log.write(change, auditing.now).result() == {10}
    assert auditing.log.write(change, auditing.now).result() == {9}


@pytest.mark.parametrize("seed", range(2))
def test_siblings_in_64_threads_never_overspend_what_they_share(
    auditing: Auditing, seed: int
) -> None:
    total = 40 * AMOUNT
    chains = siblings(auditing, total)
    limits = dict.fromkeys((one.digest for chain in chains for one in chain), total)
    evidence, barrier = auditing.world.evidence(), threading.Barrier(CLIENTS)
    calls = [
        auditing.asked(chains[n % 2], costing(AMOUNT), evidence=evidence)
        for n in range(3 * CLIENTS)
    ]

    def client(number: int) -> int:
        barrier.wait()
        given = 0
        for turn in range(3):
            auth, request, shown = calls[number * 3 + turn]
            try:
                permit = auditing.ledger.permit(
                    auth, request, presentation=shown, evidence=evidence, at=auditing.now
                )
            except Error as exc:
                assert (exc.code, exc.dimension) == ("constraint", "budget")
                continue
            given += 1
            _end(auditing, permit, (number + turn + seed) % 4)
        return given

    with ThreadPoolExecutor(CLIENTS) as pool:
        given = sum(pool.map(client, range(CLIENTS)))
    assert 40 <= given < 3 * CLIENTS
    assert account(auditing.log, limits) == []


def _end(auditing: Auditing, permit: Permit, how: int) -> int | None:
    ledger, now = auditing.ledger, auditing.now
    if how == 0:
        return ledger.settle(permit, amount=AMOUNT // 2, at=now)
    if how == 1:
        return ledger.release(permit, at=now)
    if how == 2:
        return ledger.fail(permit, "unavailable", at=now)
    return None


def test_of_many_outcomes_of_one_act_one_is_true_and_gives_back_once(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(8 * AMOUNT)})
    permits = [auditing.permit([link], costing(AMOUNT)) for _ in range(8)]
    assert refusal(lambda: auditing.permit([link], costing(1))) == "constraint"

    def attempt(number: int) -> int:
        try:
            return _end(auditing, permits[number // 8], number % 3) is not None
        except Error as exc:
            assert exc.code == "audit-outcome"
            return 0

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert sum(pool.map(attempt, range(64))) == 8
    assert account(auditing.log, {link.digest: 8 * AMOUNT}) == []
    outcomes = [one for one in auditing.records() if one.type == "outcome"]
    costs = sum(int(one.json["settled"][0]["amount"]) for one in outcomes)
    left = 8 * AMOUNT - costs
    if left:
        auditing.permit([link], costing(left))
    assert refusal(lambda: auditing.permit([link], costing(1))) == "constraint"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the actor forks")
def test_two_processes_at_one_log_never_overspend(tmp_path: Path, database: str | None) -> None:
    """Over SQLite they share the folder; over PostgreSQL each has its own, with the same key."""
    total, one, two = 60 * AMOUNT, tmp_path / "one", tmp_path / "two"
    Auditing(one, database=database).log.close()
    if database is None:
        two = one
    else:
        shutil.copytree(one, two)
    with hammering(one, CLIENTS, total) as first, hammering(two, CLIENTS, total) as second:
        assert first.keys == second.keys
        threads = [
            threading.Thread(target=one.killed, args=(list(range(CLIENTS)), "end", 0))
            for one in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(first.codes.values()) | set(second.codes.values()) == {"constraint"}
        assert first.permits
        assert second.permits
        for hammer in (first, second):
            assert hammer.wrong() == []
        events = [event for one in (first, second) for event, _ in one.permits.values()]
        assert len(set(events)) == len(events) >= 60
        assert [one.type for one in first.records()].count("intent") == len(events)


# --- laws ---------------------------------------------------------------------------------------

TOTAL = 100
MOVES = st.one_of(
    st.tuples(st.just("permit"), st.integers(1, 60)),
    st.tuples(st.just("replay"), st.just(0)),
    st.tuples(st.sampled_from(["settle", "release", "fail"]), st.integers(0, 60)),
    st.tuples(st.just("reopen"), st.just(0)),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Auditing]:
    found = Auditing(tmp_path_factory.mktemp("laws") / "audit")
    yield found
    records = found.records()
    keys = {item["key"] for one in records for item in one.json.get("spent", ())}
    assert account(found.log, dict.fromkeys(keys, TOTAL)) == []
    found.log.close()


@given(st.lists(MOVES, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_a_budget_is_what_the_model_says(
    shared: Auditing, moves: list[tuple[str, int]]
) -> None:
    """Reserved and settled never exceed the limit, and what fits is never refused."""
    link = shared.link(
        constraints={"budget": shared.budget(TOTAL)},
        id=shared.world.id(os.urandom(8).hex()),  # a budget of its own
    )
    spent, waiting, calls = 0, list[tuple[Permit, int]](), list[Any]()
    evidence, now = shared.world.evidence(), shared.now

    def ask(call: Any) -> Permit:
        auth, request, shown = call
        return shared.ledger.permit(auth, request, presentation=shown, evidence=evidence, at=now)

    for move, amount in moves:
        if move == "permit":
            call = shared.asked([link], costing(amount), evidence=evidence)
            if spent + amount > TOTAL:
                assert refusal(lambda call=call: ask(call)) == "constraint"
                continue
            waiting.append((ask(call), amount))
            calls.append(call)
            spent += amount
        elif move == "replay" and calls:
            assert refusal(lambda: ask(calls[-1])) == "replay"
        elif move == "reopen":
            shared.reopen()
        elif waiting:
            permit, reserved = waiting.pop(0)
            if move == "settle":
                settle = partial(shared.ledger.settle, permit, amount=amount, at=now)
                if amount > reserved:
                    assert refusal(settle) == "constraint"
                else:
                    settle()
                    spent -= reserved - amount
            elif move == "release":
                shared.ledger.release(permit, at=now)
                spent -= reserved
            else:
                shared.ledger.fail(permit, "unavailable", at=now)
    if spent < TOTAL:
        ask(shared.asked([link], costing(TOTAL - spent)))
    assert refusal(lambda: ask(shared.asked([link], costing(1)))) == "constraint"
