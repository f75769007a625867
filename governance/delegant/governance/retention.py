"""How long records are kept, what is held beyond that, and what is pruned after it.

Records are kept for 184 days at least: no six months have more. What is older may be pruned: the
bodies of entries, what opens them, and the exhibits that no record refers to any more. Their hashes
stay in the tiles, so everything that is left still verifies, and a notice in the log says which
entries are gone. A body that is missing without one is a loss that verifying finds.

Pruning goes in steps, each one transaction: a notice, and then the entries that it names, of whole
events. Whoever is killed has done a step, or has not.

- An event is pruned once all of its records are old enough.
- An intent without outcome is never pruned: nobody knows yet what came of it.
- What a hold covers is kept whatever its age. What that is, and why, lies beside the log, salted;
  the log says that something was held, by whom and until when. Lifting forgets the rest.
- Notices are never pruned. Without them nobody could tell a pruned entry from a lost one.
- Each entry is proven to be the log's before it is decided upon; damage stops the pruning.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from delegant.ans.change import Added
from delegant.ans.log import merkle, tiles
from delegant.credentials import canonical, did, shape
from delegant.credentials.codec import JsonObject, b64u_encode, digest, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import format_time

from .auditlog import AuditLog
from .batch import AuditBatch, Done
from .entry import Entry
from .exhibit import manifest_digests
from .record import SALT_BYTES, Record, is_event, new_event, parse_record
from .searching import Kept, proven
from .tables import ENTRIES, EXHIBITS, HOLDS, OPENINGS, PRUNED

__all__ = ["MAX_HOLDS", "Held", "Pruned", "Scope", "hold", "holds", "lift", "prune"]

DAY: Final = 86_400
STEP: Final = 1000
"""Events in one notice: of two entries each, so their ranges are never more than it may have."""
MAX_HOLDS: Final = 1024
MAX_REASON: Final = 1024
MAX_TERMS: Final = 16_384


# --- holds --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold covers: every event of which all that is stated here is true.

    Attributes:
        agent: who acted, or had another act.
        start, end: from, and before; seconds since 1970.

    Raises:
        Malformed: ``shape`` for nothing, ``did-invalid`` for what is no DID.
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
        Malformed: ``shape``, ``did-invalid``. LimitExceeded: ``limit-items``.
        Unavailable: ``unavailable``.
    """
    shape.text(reason, "reason", MAX_REASON)
    said = {"salt": b64u_encode(os.urandom(SALT_BYTES)), "reason": reason, **scope.json}
    body = canonical(said)
    change = _Hold(_entry(log, by, at, {"kind": "hold", "terms": digest(body)}), at, body)
    number = log.write(change, at).result()
    return Held(change.event, scope, reason, by, log.record(number).time, number)


def lift(log: AuditLog, hold: str, by: str, at: int) -> int:
    """Let go of a hold; why it stood is forgotten.

    Returns:
        The number of the notice.

    Raises:
        NotFound: ``not-found`` where no such hold stands. Malformed: ``shape``, ``did-invalid``.
        Unavailable: ``unavailable``.
    """
    if not is_event(hold):
        raise error("shape", f"{hold[:64]!r} is no name of a hold")
    change = _Lift(_entry(log, by, at, {"kind": "lift", "hold": hold}), at, hold)
    number: int = log.write(change, at).result()
    return number


def holds(log: Kept) -> list[Held]:
    """The holds that stand, oldest first: those of the log, whatever lies beside it.

    Raises:
        Unavailable: ``unavailable`` where what one covers is lost, or is not what the log says.
    """
    with log.store.transaction(reading=True) as db:
        return _standing(log, db)


def _standing(log: Kept, db: Connection) -> list[Held]:
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


# --- pruning ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Pruned:
    """What a pruning did.

    Attributes:
        before: seconds since 1970.
        events, entries: how many are gone. notices: the numbers of those that say so.
        held, open: how many old events stay for a hold, and for having no outcome that is old.
        exhibits: how many nobody referred to any more.
    """

    before: int
    events: int = 0
    entries: int = 0
    notices: list[int] = field(default_factory=list)
    held: int = 0
    open: int = 0
    exhibits: int = 0

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "before": format_time(self.before),
            "events": self.events,
            "entries": self.entries,
            "notices": self.notices,
            "held": self.held,
            "open": self.open,
            "exhibits": self.exhibits,
        }


def prune(log: AuditLog, before: int, by: str, at: int) -> Pruned:
    """Remove what is older than an instant, and neither held nor open.

    Args:
        before: seconds since 1970.
        by: the DID of the human who says so.
        at: now, seconds since 1970.

    Raises:
        Conflict: ``retention`` for an instant inside the retention; also where a hold was placed
            or lifted meanwhile, and then the steps done so far stand.
        Malformed: ``did-invalid``. Unavailable: ``unavailable``, also for an entry that is damaged.
    """
    did.check(by)
    days = log.settings.retention_days
    if before > at - days * DAY:
        latest = format_time(at - days * DAY)
        raise error("retention", f"records are kept for {days} days; up to {latest} may be pruned")
    out = Pruned(before)
    with log.store.transaction(reading=True) as db:
        standing = _standing(log, db)
    names = frozenset(one.id for one in standing)
    old = _Old(log, before, [one.scope for one in standing], out)
    for events in old.steps():
        ranges = _ranges(number for _, numbers in events for number in numbers)
        notice = {"kind": "prune", "before": format_time(before), "entries": ranges}
        step = _Prune(_entry(log, by, at, notice), at, ranges, [one for one, _ in events], names)
        out.notices.append(log.write(step, at).result())
        out.events += len(events)
        out.entries += sum(len(numbers) for _, numbers in events)
    with log.store.transaction(sequencing=True) as db:
        out.exhibits = _sweep(db, before // DAY * DAY, old.needed())
    return out


class _Old:
    """The events that are older than an instant, oldest first; each entry is proven on the way."""

    def __init__(self, log: Kept, before: int, scopes: Sequence[Scope], out: Pruned) -> None:
        self._log, self._before, self._scopes, self._out = log, before, scopes, out
        self._links: set[str] = set()
        self._lists: set[str] = set()
        """What the records that stay refer to: links, and lists of evidence."""

    def steps(self) -> Iterator[list[tuple[str, list[int]]]]:
        """Whole events that may go, with the numbers of their entries: so many at a time."""
        step: list[tuple[str, list[int]]] = []
        begun: dict[str, tuple[int, bool, Record]] = {}
        for number, record in self._entries():
            if record.type == "notice":
                continue
            stays = any(scope.covers(record) for scope in self._scopes)
            if record.type == "intent":
                begun[record.event] = number, stays, record
                continue
            numbers, act = [number], record
            if record.type == "outcome":
                if record.event not in begun:
                    continue
                first, before, act = begun.pop(record.event)
                numbers, stays = [first, number], stays or before
            if stays:
                self._out.held += 1
                self._stays(act)
                continue
            step.append((record.event, numbers))
            if len(step) == STEP:
                yield step
                step = []
        if step:
            yield step
        for _, stays, act in begun.values():
            self._stays(act)
            self._out.held += stays
            self._out.open += not stays

    def _stays(self, record: Record) -> None:
        self._links.update(str(one["digestMultibase"]) for one in record.chain)
        evidence = record.json.get("evidence")
        if evidence is not None:
            self._lists.add(evidence)

    def needed(self) -> list[str]:
        """The exhibits that what stays refers to."""
        out = self._links | self._lists
        with self._log.store.transaction(reading=True) as db:
            for name, body in self._log.store.exhibits(db, sorted(self._lists)).items():
                if digest(body) != name:
                    raise error("unavailable", f"exhibit {name} is damaged")
                for items in manifest_digests(body).values():
                    out.update(items)
        return sorted(out)

    def _entries(self) -> Iterator[tuple[int, Record]]:
        store, book = self._log.store, self._log.book
        size = book.head().size
        with store.transaction(reading=True) as db:
            end = min(size, store.at(db, self._before))
        for start in range(0, end, tiles.FULL):
            stop = min(end, start + tiles.FULL)
            with store.transaction(reading=True) as db:
                rows = store.entries(db, start, stop, tiles.FULL)
                gone = store.pruned(db, start, stop)
            if len(rows) != stop - start - _overlap(gone, start, stop):
                raise error("unavailable", f"an entry from {start} on is missing")
            if not rows:
                continue
            width = min(tiles.FULL, size - start)
            hashes = book.tile(0, start // tiles.FULL, width)
            for row in rows:
                at = merkle.HASH * (row.number - start)
                body = bytes(row.body)
                if merkle.leaf_hash(body) != hashes[at : at + merkle.HASH]:
                    raise error("unavailable", f"entry {row.number} is damaged")
                record = parse_record(body)
                if record.time < self._before:
                    yield row.number, record


def _overlap(ranges: Sequence[tuple[int, int]], start: int, stop: int) -> int:
    return sum(min(stop, end) - max(start, first) for first, end in ranges)


def _ranges(numbers: Iterator[int]) -> list[list[int]]:
    """Numbers as half-open ranges that do not touch."""
    out: list[list[int]] = []
    for number in sorted(numbers):
        if out and out[-1][1] == number:
            out[-1][1] = number + 1
        else:
            out.append([number, number + 1])
    return out


def _sweep(db: Connection, day: int, needed: Sequence[str]) -> int:
    """Forget the exhibits that were used before a day and are not needed; how many."""
    if needed:
        touch = update(EXHIBITS).where(
            EXHIBITS.c.digest == bindparam("name"), EXHIBITS.c.used < day
        )
        db.execute(touch.values(used=day), [{"name": name} for name in needed])
    with _overwriting(db):
        return db.execute(delete(EXHIBITS).where(EXHIBITS.c.used < day)).rowcount


@contextmanager
def _overwriting(db: Connection) -> Iterator[None]:
    """What is deleted is overwritten, and not just let go of: with SQLite, whose file is ours."""
    if db.dialect.name != "sqlite":
        yield
        return
    db.exec_driver_sql("PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        db.exec_driver_sql("PRAGMA secure_delete=OFF")


# --- changes ------------------------------------------------------------------------------------


def _entry(log: AuditLog, by: str, at: int, notice: JsonObject) -> Entry:
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


@dataclass(frozen=True, slots=True)
class _Notice:
    """A notice, and what is done with it in one transaction."""

    entry: Entry
    at: int
    once: tuple[str, ...] = field(default=(), init=False)
    budgets: tuple[tuple[str, str], ...] = field(default=(), init=False)
    closes: str | None = field(default=None, init=False)

    @property
    def event(self) -> str:
        """The event that it is."""
        return str(self.entry.row["event"])

    def receipt(self, number: int, /) -> Any:
        """Never asked for: nothing is written twice."""
        raise NotImplementedError

    def _log(self, batch: AuditBatch) -> Added:
        """Add the notice, and write it."""
        batch.at(self.at)
        number = batch.log(self.entry)
        batch.flush()
        return Done(number, number)


@dataclass(frozen=True, slots=True)
class _Hold(_Notice):
    body: bytes

    def add(self, batch: AuditBatch, /) -> Added:
        if len(_names(batch.db)) >= MAX_HOLDS:
            raise error("limit-items", f"at most {MAX_HOLDS} holds stand at once")
        out = self._log(batch)
        batch.db.execute(insert(HOLDS).values(event=self.event, body=self.body))
        return out


@dataclass(frozen=True, slots=True)
class _Lift(_Notice):
    hold: str

    def add(self, batch: AuditBatch, /) -> Added:
        if self.hold not in _names(batch.db):
            raise error("not-found", f"no hold {self.hold} stands")
        out = self._log(batch)
        with _overwriting(batch.db):
            batch.db.execute(delete(HOLDS).where(HOLDS.c.event == self.hold))
        return out


@dataclass(frozen=True, slots=True)
class _Prune(_Notice):
    ranges: list[list[int]]
    events: list[str]
    holds: frozenset[str]
    """Those that stood when it was decided what goes."""

    def add(self, batch: AuditBatch, /) -> Added:
        db = batch.db
        if _names(db) != self.holds:
            raise error("retention", "a hold was placed or lifted meanwhile: prune again")
        rows = [{"first": first, "beyond": end} for first, end in self.ranges]
        if any(_gone(db, row["first"], row["beyond"]) for row in rows):
            raise error("retention", "something else is pruning this log: prune again")
        out = self._log(batch)
        with _overwriting(db):
            db.execute(_ENTRIES, rows)
            db.execute(_OPENINGS, [{"named": event} for event in self.events])
        db.execute(insert(PRUNED), [{"start": first, "end": end} for first, end in self.ranges])
        return out


def _names(db: Connection) -> frozenset[str]:
    return frozenset(db.execute(select(HOLDS.c.event)).scalars())


def _gone(db: Connection, first: int, beyond: int) -> bool:
    query = select(PRUNED.c.start).where(PRUNED.c.start < beyond, PRUNED.c.end > first)
    return db.execute(query.limit(1)).scalar() is not None


_ENTRIES: Final = delete(ENTRIES).where(
    ENTRIES.c.number >= bindparam("first"), ENTRIES.c.number < bindparam("beyond")
)
_OPENINGS: Final = delete(OPENINGS).where(OPENINGS.c.event == bindparam("named"))
