"""Over PostgreSQL: a partition for each month, several nodes at one log, and searches by index."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, func, select

from delegant.credentials import Request
from delegant.credentials.errors import error
from delegant.governance.auditlog import AuditLog
from delegant.governance.discharging import Append
from delegant.governance.entry import Entry
from delegant.governance.ledger import Ledger
from delegant.governance.record import new_event
from delegant.governance.tables import ENTRIES
from governance.accounting import account
from governance.auditing import PASSPHRASE, TOPIC, Auditing, costing
from governance.hammering import Hammering, hammering
from postgres import Cluster
from refusal import refusal

CLIENTS = 16
TAKEOVER = 5.0
"""Seconds in which another node must go on."""
MONTHS = ("2026_11", "2026_12", "2027_01", "2028_02")


@pytest.fixture
def auditing(tmp_path: Path, postgres: str) -> Iterator[Auditing]:
    found = Auditing(tmp_path / "audit", database=postgres)
    yield found
    found.log.close()


def instant(month: str, day: int, hour: int = 12) -> int:
    year, number = month.split("_")
    return int(datetime(int(year), int(number), day, hour, tzinfo=UTC).timestamp())


def partitions(cluster: Cluster, url: str) -> dict[str, int]:
    """How many entries lie in each partition."""
    names = cluster.sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = 'audit_entries'::regclass",
        url=url,
    )
    return {
        name.rpartition("entries_")[2]: len(cluster.sql(f"TABLE {name}", url=url))
        for (name,) in names
    }


def plain(log: AuditLog, at: int) -> Append:
    """A record with no more than a time."""
    event = new_event(at * 1000)
    said: dict[str, Any] = dict.fromkeys(
        ("sponsorDid", "agentDid", "agentAnsName", "organizationDid", "grantId", "action",
         "target", "inputHash", "invocation", "evidence", "initiation", "collaborationContext",
         "previous", "link", "dimension")
    )  # fmt: skip
    told = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said |= {
        "version": 1, "log": log.id, "type": "refusal", "event": event, "time": told, "chain": [],
        "policyId": "chain", "policyVersion": "1", "decision": "deny", "code": "json", "phase": 2,
        "verified": False,
    }  # fmt: skip
    return Append(Entry.of(said), event)


def test_a_month_has_its_partition_when_the_first_entry_comes(
    auditing: Auditing, cluster: Cluster, postgres: str
) -> None:
    made = []
    for month in MONTHS:
        at = instant(month, 1, 0)  # its first second
        auditing.ledger.refuse(error("json", "no"), at=at)
        auditing.ledger.refuse(error("json", "no"), at=at + 86_400)
        made.append(month)
        assert partitions(cluster, postgres) == dict.fromkeys(made, 2)
    auditing.reopen()  # who does not know that they are there
    auditing.ledger.refuse(error("json", "no"), at=instant("2028_02", 29, 23))
    assert partitions(cluster, postgres)["2028_02"] == 3
    assert account(auditing.log, {}) == []


def test_a_transaction_over_midnight_of_a_month_fills_both(
    auditing: Auditing, cluster: Cluster, postgres: str
) -> None:
    edge = instant("2026_12", 1, 0)
    for at in (edge - 1, edge):
        futures = auditing.log.write_all([plain(auditing.log, at) for _ in range(3)], at)
    futures[-1].result()
    assert partitions(cluster, postgres) == {"2026_11": 3, "2026_12": 3}
    assert account(auditing.log, {}) == []


def test_two_nodes_that_begin_a_month_together_make_one_partition(
    auditing: Auditing, cluster: Cluster, postgres: str, tmp_path: Path
) -> None:
    shutil.copytree(auditing.folder, tmp_path / "other")
    other = AuditLog.open(tmp_path / "other", PASSPHRASE)
    at = instant("2026_12", 1)
    futures = [log.write(plain(log, at), at) for _ in range(20) for log in (auditing.log, other)]
    assert sorted(one.result() for one in futures) == list(range(40))
    assert partitions(cluster, postgres) == {"2026_12": 40}
    other.close()
    other = AuditLog.open(tmp_path / "other", PASSPHRASE)  # it publishes what the other added
    assert account(other, {}) == []
    other.close()


# --- several nodes ------------------------------------------------------------------------------


class Node:
    """A hammer at the log with a folder of its own; when it said something last."""

    def __init__(self, hammer: Hammering) -> None:
        self.hammer = hammer
        self.said: list[float] = []

    def run(self, numbers: list[int], until: str, seconds: float) -> threading.Thread:
        def listening() -> None:
            self.hammer.killed(numbers, until, seconds, self.heard)

        thread = threading.Thread(target=listening)
        thread.start()
        return thread

    def heard(self, words: list[str]) -> None:
        if words[0] == "ok":
            self.said.append(time.monotonic())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the actor forks")
def test_when_a_node_is_killed_another_goes_on_within_5_s(
    auditing: Auditing, tmp_path: Path
) -> None:
    auditing.log.close()
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        shutil.copytree(auditing.folder, folder)
    with hammering(one, CLIENTS) as first, hammering(two, CLIENTS) as second:
        dying, living = Node(first), Node(second)
        for turn in range(2):
            acts = first.fresh(120), second.fresh(80)
            threads = [
                dying.run(acts[0], "ok", 0.05 * (turn + 1)),
                living.run(acts[1], "end", 0),
            ]
            for thread in threads:
                thread.join()
        pauses = [
            later - sooner for sooner, later in zip(living.said, living.said[1:], strict=False)
        ]
        assert max(pauses) < TAKEOVER
        assert len(second.permits) == 160  # each of its acts, whatever became of the other
        assert 0 < len(first.permits) < 240
        assert first.wrong() == []
        assert second.wrong() == []


def test_a_node_that_did_not_write_shows_what_the_other_did(
    auditing: Auditing, tmp_path: Path
) -> None:
    shutil.copytree(auditing.folder, tmp_path / "other")
    other = AuditLog.open(tmp_path / "other", PASSPHRASE)
    ledger = Ledger(other)
    link = auditing.link(constraints={"budget": auditing.budget(100)})
    permit = auditing.permit([link], costing(60))
    assert refusal(lambda: ledger.settle(permit, amount=61, at=auditing.now)) == "constraint"
    assert [one.type for one in other.records(permit.event)] == ["intent", "outcome"]
    assert account(other, {link.digest: 100}) == []
    other.close()


# --- searches -----------------------------------------------------------------------------------


def plan(log: AuditLog, query: Select[Any]) -> str:
    """What the server says it would do."""
    dialect: Any = log.store.engine._sql.dialect
    text = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    with log.store.transaction(reading=True) as db:
        (found,) = db.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}".replace("%", "%%")).one()
    return json.dumps(found)


def test_a_search_reads_an_index_or_a_partition_and_never_the_whole_log(
    auditing: Auditing, cluster: Cluster, postgres: str
) -> None:
    log, changes = auditing.log, list[Append]()
    for name in MONTHS[:3]:
        first = instant(name, 3)
        changes = [plain(log, first + number) for number in range(1200)]
        for one in log.write_all(changes, first + 1200):
            one.result()
    cluster.sql("ANALYZE audit_entries", url=postgres)
    at: Any = ENTRIES.c
    event = changes[7].event
    start = instant("2026_12", 1, 0)
    queries: dict[str, Select[Any]] = {
        "event": select(at.number, at.type).where(at.event == event).order_by(at.number),
        "number": select(at.number, at.body).where(at.number >= 40, at.number < 41),
        "last": select(func.max(at.number)),
        "sponsor": select(at.number).where(at.sponsor == "did:key:zAna").order_by(at.number),
        "agent": select(at.number).where(at.agent == "did:key:zBot").order_by(at.number),
    }
    for name, query in queries.items():
        told = plan(log, query)
        assert "Index" in told, name
        assert "Seq Scan" not in told, (name, told)
    month = (at.time >= start) & (at.time < start + 31 * 86_400)
    told = plan(log, select(at.number).where(month))
    assert "audit_entries_2026_12" in told
    assert "audit_entries_2026_11" not in told
    assert "audit_entries_2027_01" not in told
    assert [one.event for one in log.records(event)] == [event]


def test_a_partition_of_a_transaction_that_was_rolled_back_is_made_again(
    auditing: Auditing, cluster: Cluster, postgres: str
) -> None:
    auditing.ledger.refuse(error("json", "no"), at=instant("2026_11", 30))
    at = instant("2026_12", 1)
    cluster.sql("ALTER TABLE audit_openings RENAME TO away", url=postgres)
    told = error("json", "no")
    call = Request("db.read", TOPIC)
    assert refusal(lambda: auditing.ledger.refuse(told, at=at, request=call)) == "unavailable"
    assert partitions(cluster, postgres) == {"2026_11": 1}
    cluster.sql("ALTER TABLE away RENAME TO audit_openings", url=postgres)
    auditing.ledger.refuse(told, at=at, request=call)
    assert partitions(cluster, postgres) == {"2026_11": 1, "2026_12": 1}
