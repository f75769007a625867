"""Legal hold: what is kept whatever its age, until a human lets go of it.

What a hold covers, and why, lies beside the log, salted. The log says that something was held, by
whom and until when; lifting forgets the rest. Which holds stand is what the notices in the log
say: one that has vanished from beside the log stops everything that would ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from delegant.ans.change import Added
from delegant.credentials import canonical, did, shape
from delegant.credentials.codec import JsonObject, b64u_encode, digest, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import format_time

from .auditlog import AuditLog
from .batch import AuditBatch, AuditChange, Done
from .entry import Entry
from .record import SALT_BYTES, Record, is_event, new_event
from .searching import Kept, proven
from .tables import ENTRIES, HOLDS

__all__ = [
    "MAX_HOLDS",
    "Held",
    "Notice",
    "Scope",
    "hold",
    "holds",
    "lift",
    "notice_entry",
    "overwriting",
    "standing",
    "standing_names",
]

MAX_HOLDS: Final = 1024
MAX_REASON: Final = 1024
MAX_TERMS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold covers: every event of which all that is stated here is true.

    Attributes:
        agent: who acted, or had another act.
        start, end: from, and before; seconds since 1970.

    Raises:
        Malformed: ``shape`` for nothing, and for what is no DID.
    """

    sponsor: str | None = None
    agent: str | None = None
    event: str | None = None
    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        said = (self.sponsor, self.agent, self.event, self.start, self.end)
        if all(value is None for value in said):
            raise error("shape", "a hold is of a sponsor, an agent, an event, or a time")
        for name in (self.sponsor, self.agent):
            if name is not None:
                did.check(name)
        if self.event is not None and not is_event(self.event):
            raise error("shape", f"{self.event[:64]!r} is no name of an event")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise error("shape", "nothing is from then on and before that")

    def covers(self, record: Record) -> bool:
        """Whether a record, and so its event, is held."""
        context = record.json.get("collaborationContext") or {}
        agents = (None, record.agent, context.get("triggeringAgentDid"))
        return (
            self.sponsor in (None, record.sponsor)
            and self.agent in agents
            and self.event in (None, record.event)
            and (self.start is None or self.start <= record.time)
            and (self.end is None or record.time < self.end)
        )

    @property
    def json(self) -> JsonObject:
        """``{sponsor?, agent?, event?, from?, to?}``."""
        value: JsonObject = {"sponsor": self.sponsor, "agent": self.agent, "event": self.event}
        value["from"] = None if self.start is None else format_time(self.start)
        value["to"] = None if self.end is None else format_time(self.end)
        return {name: one for name, one in value.items() if one is not None}


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that stands.

    Attributes:
        id: the event of its notice, by which it is lifted.
        by: the DID of the human who placed it. time: when; seconds since 1970.
        number: of the notice.
    """

    id: str
    scope: Scope
    reason: str
    by: str
    time: int
    number: int

    @property
    def json(self) -> JsonObject:
        """``{id, index, time, by, reason}`` and what it covers."""
        own = {"id": self.id, "index": self.number, "time": format_time(self.time)}
        return {**own, "by": self.by, "reason": self.reason, **self.scope.json}


def hold(log: AuditLog, scope: Scope, reason: str, by: str, at: int) -> Held:
    """Keep records whatever their age, until `lift`.

    Args:
        by: the DID of the human who says so.
        at: now, seconds since 1970.

    Raises:
        Malformed: ``shape``. LimitExceeded: ``limit-items``.
        Unavailable: ``unavailable``.
    """
    shape.text(reason, "reason", MAX_REASON)
    said = {"salt": b64u_encode(os.urandom(SALT_BYTES)), "reason": reason, **scope.json}
    body = canonical(said)
    change = _Hold(notice_entry(log, by, at, {"kind": "hold", "terms": digest(body)}), at, body)
    number = log.write(change, at).result()
    return Held(change.event, scope, reason, by, log.record(number).time, number)


def lift(log: AuditLog, hold: str, by: str, at: int) -> int:
    """Let go of a hold; why it stood is forgotten.

    Returns:
        The number of the notice.

    Raises:
        NotFound: ``not-found`` where no such hold stands. Malformed: ``shape``.
        Unavailable: ``unavailable``.
    """
    if not is_event(hold):
        raise error("shape", f"{hold[:64]!r} is no name of a hold")
    change = _Lift(notice_entry(log, by, at, {"kind": "lift", "hold": hold}), at, hold)
    number: int = log.write(change, at).result()
    return number


def holds(log: Kept) -> list[Held]:
    """The holds that stand, oldest first: those of the log, whatever lies beside it.

    Raises:
        Unavailable: ``unavailable`` where what one covers is lost, or is not what the log says.
    """
    with log.store.transaction(reading=True) as db:
        return standing(log, db)


def standing(log: Kept, db: Connection) -> list[Held]:
    """`holds`, in a transaction that is open."""
    beside = {row.event: bytes(row.body) for row in db.execute(select(HOLDS))}
    placed: dict[str, tuple[int, Record]] = {}
    number = ENTRIES.c.number
    query = select(number).where(ENTRIES.c.type == "notice").order_by(number)
    for at in list(db.execute(query).scalars()):
        record = proven(log, db, at)
        notice = record.json.get("notice", {})
        if notice.get("kind") == "hold":
            placed[record.event] = at, record
        elif notice.get("kind") == "lift":
            placed.pop(notice["hold"], None)
    if placed.keys() != beside.keys():
        raise error("unavailable", "the holds beside the log are not those of the log")
    return [_held(at, record, beside[event]) for event, (at, record) in placed.items()]


def _held(number: int, record: Record, body: bytes) -> Held:
    if digest(body) != record.json["notice"]["terms"]:
        raise error("unavailable", f"what hold {record.event} covers is damaged")
    try:
        said = parse_object(body, size=MAX_TERMS)
        times = [None if name not in said else shape.time(said[name], name) for name in _TIMES]
        scope = Scope(said.get("sponsor"), said.get("agent"), said.get("event"), *times)
        reason = shape.text(said["reason"], "reason", MAX_REASON)
    except (Error, KeyError):
        raise error("unavailable", f"hold {record.event} is of a kind unknown here") from None
    return Held(record.event, scope, reason, record.json["by"], record.time, number)


_TIMES: Final = ("from", "to")


# --- notices ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice(AuditChange):
    """A notice, and what is done with it in one transaction."""

    entry: Entry
    at: int

    @property
    def event(self) -> str:
        """The event that it is."""
        return str(self.entry.row["event"])

    def log(self, batch: AuditBatch) -> Added:
        """Add the notice, and write it."""
        batch.at(self.at)
        number = batch.log(self.entry)
        batch.flush()
        return Done(number, number)


@dataclass(frozen=True, slots=True)
class _Hold(Notice):
    body: bytes

    def add(self, batch: AuditBatch, /) -> Added:
        if len(standing_names(batch.db)) >= MAX_HOLDS:
            raise error("limit-items", f"at most {MAX_HOLDS} holds stand at once")
        out = self.log(batch)
        batch.db.execute(insert(HOLDS).values(event=self.event, body=self.body))
        return out


@dataclass(frozen=True, slots=True)
class _Lift(Notice):
    hold: str

    def add(self, batch: AuditBatch, /) -> Added:
        if self.hold not in standing_names(batch.db):
            raise error("not-found", f"no hold {self.hold} stands")
        out = self.log(batch)
        with overwriting(batch.db):
            batch.db.execute(delete(HOLDS).where(HOLDS.c.event == self.hold))
        return out


def standing_names(db: Connection) -> frozenset[str]:
    """The holds that lie beside the log; a writer was told what the log says of them."""
    return frozenset(db.execute(select(HOLDS.c.event)).scalars())


def notice_entry(log: AuditLog, by: str, at: int, notice: JsonObject) -> Entry:
    """The record of a notice.

    Raises:
        Malformed: ``shape``. Rejected: ``audit-entry``.
    """
    human = did.check(by)
    return Entry.of(
        {
            "version": 1,
            "log": log.id,
            "type": "notice",
            "event": new_event(at * 1000),
            "time": format_time(at),
            "previous": None,
            "sponsorDid": human,
            "by": human,
            "notice": notice,
        }
    )


@contextmanager
def overwriting(db: Connection) -> Iterator[None]:
    """What is deleted is overwritten, and not just let go of: with SQLite, whose file is ours."""
    if db.dialect.name != "sqlite":
        yield
        return
    db.exec_driver_sql("PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        db.exec_driver_sql("PRAGMA secure_delete=OFF")
