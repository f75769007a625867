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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from delegant.ans.change import Added
from delegant.ans.log import merkle, tiles
from delegant.credentials import did
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time

from .auditlog import AuditLog
from .batch import DAY, AuditBatch
from .exhibit import manifest_digests
from .holding import Notice, Scope, notice_entry, overwriting, standing, standing_names
from .record import Record, parse_record
from .searching import Kept
from .tables import ENTRIES, EXHIBITS, OPENINGS, PRUNED

__all__ = ["Pruned", "prune"]

STEP: Final = 1000
"""Events in one notice: of two entries each, so their ranges are never more than it may have."""


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
        Malformed: ``shape``. Unavailable: ``unavailable``, also for an entry that is damaged.
    """
    did.check(by)
    days = log.settings.retention_days
    if before > at - days * DAY:
        latest = format_time(at - days * DAY)
        raise error("retention", f"records are kept for {days} days; up to {latest} may be pruned")
    out = Pruned(before)
    with log.store.transaction(reading=True) as db:
        held = standing(log, db)
    names = frozenset(one.id for one in held)
    old = _Old(log, before, [one.scope for one in held], out)
    for events in old.steps():
        ranges = _ranges(number for _, numbers in events for number in numbers)
        notice = {"kind": "prune", "before": format_time(before), "entries": ranges}
        step = _Prune(
            notice_entry(log, by, at, notice), at, ranges, [one for one, _ in events], names
        )
        out.notices.append(log.write(step, at).result())
        out.events += len(events)
        out.entries += sum(len(numbers) for _, numbers in events)
    needed = old.needed()
    with log.store.transaction(sequencing=True) as db:
        out.exhibits = _sweep(db, before // DAY * DAY, needed)
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

    def needed(self) -> frozenset[str]:
        """The exhibits that what stays refers to."""
        out = self._links | self._lists
        with self._log.store.transaction(reading=True) as db:
            for name, body in self._log.store.exhibits(db, sorted(self._lists)).items():
                if digest(body) != name:
                    raise error("unavailable", f"exhibit {name} is damaged")
                for items in manifest_digests(body).values():
                    out.update(items)
        return frozenset(out)

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


def _sweep(db: Connection, day: int, needed: frozenset[str]) -> int:
    """Forget the exhibits that were last used before a day and are not needed; how many."""
    used = db.execute(select(EXHIBITS.c.digest).where(EXHIBITS.c.used < day)).scalars()
    idle = [{"name": name} for name in used if name not in needed]
    if idle:
        with overwriting(db):
            db.execute(delete(EXHIBITS).where(EXHIBITS.c.digest == bindparam("name")), idle)
    return len(idle)


@dataclass(frozen=True, slots=True)
class _Prune(Notice):
    ranges: list[list[int]]
    events: list[str]
    holds: frozenset[str]
    """Those that stood when it was decided what goes."""

    def add(self, batch: AuditBatch, /) -> Added:
        db = batch.db
        if standing_names(db) != self.holds:
            raise error("retention", "a hold was placed or lifted meanwhile: prune again")
        rows = [{"first": first, "beyond": end} for first, end in self.ranges]
        if any(_gone(db, row["first"], row["beyond"]) for row in rows):
            raise error("retention", "something else is pruning this log: prune again")
        out = self.log(batch)
        with overwriting(db):
            db.execute(_ENTRIES, rows)
            db.execute(_OPENINGS, [{"named": event} for event in self.events])
        db.execute(insert(PRUNED), [{"start": first, "end": end} for first, end in self.ranges])
        return out


def _gone(db: Connection, first: int, beyond: int) -> bool:
    """Whether any of it is pruned already: ranges lie apart, so the last to begin before tells."""
    query = select(PRUNED.c.end).where(PRUNED.c.start < beyond)
    end = db.execute(query.order_by(PRUNED.c.start.desc()).limit(1)).scalar()
    return end is not None and end > first


_ENTRIES: Final = delete(ENTRIES).where(
    ENTRIES.c.number >= bindparam("first"), ENTRIES.c.number < bindparam("beyond")
)
_OPENINGS: Final = delete(OPENINGS).where(OPENINGS.c.event == bindparam("named"))
