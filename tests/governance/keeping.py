"""A log with a past: acts of long ago, through the ledger, and whatever else a test needs in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from delegant.credentials import Link, Request
from delegant.credentials.codec import JsonObject
from delegant.governance.discharging import Append
from delegant.governance.entry import Entry
from delegant.governance.record import Record, new_event
from delegant.governance.tables import ENTRIES, EXHIBITS, OPENINGS, PRUNED
from governance.auditing import Auditing

DAY = 86_400
KEPT_DAYS = 184
BY = "did:web:acme.example:people:p-91c2"


def act(auditing: Auditing, link: Link, target: str = "urn:acme:papers:17", **more: Any) -> str:
    """An act that was done; its event."""
    permit = auditing.permit([link], Request("db.read", target), **more)
    auditing.ledger.settle(permit, at=auditing.now)
    return permit.event


def begin(auditing: Auditing, link: Link) -> str:
    """An act of which nobody knows what came; its event."""
    return auditing.permit([link]).event


def told(auditing: Auditing, value: JsonObject) -> int:
    """Put a record into the log, under a name of its own; its number."""
    event = new_event(auditing.now * 1000)
    whole = value | {"log": auditing.log.id, "event": event, "previous": None}
    change = Append(Entry.of(whole), event)
    number: int = auditing.log.write(change, auditing.now).result()
    return number


def later(auditing: Auditing, days: int = KEPT_DAYS) -> int:
    """Let time go by; now."""
    auditing.world.now += days * DAY
    return auditing.now


def rows(auditing: Auditing, column: Any) -> list[Any]:
    """What a column holds."""
    with auditing.log.store.transaction(reading=True) as db:
        return list(db.execute(select(column).order_by(column)).scalars())


def numbers(auditing: Auditing) -> list[int]:
    """The entries that have their bodies."""
    return rows(auditing, ENTRIES.c.number)


def pruned(auditing: Auditing) -> list[list[int]]:
    """What the store says is gone."""
    with auditing.log.store.transaction(reading=True) as db:
        return [[row.start, row.end] for row in db.execute(select(PRUNED).order_by("start"))]


def openings(auditing: Auditing) -> list[str]:
    """The events whose records can be opened."""
    return rows(auditing, OPENINGS.c.event)


def exhibits(auditing: Auditing) -> list[str]:
    """What is exhibited."""
    return rows(auditing, EXHIBITS.c.digest)


def notices(auditing: Auditing) -> list[Record]:
    """The notices in the log, each proven."""
    with auditing.log.store.transaction(reading=True) as db:
        query = select(ENTRIES.c.number).where(ENTRIES.c.type == "notice")
        found = list(db.execute(query.order_by(ENTRIES.c.number)).scalars())
    return [auditing.log.record(number) for number in found]
