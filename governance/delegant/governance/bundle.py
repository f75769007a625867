"""Exporting: a part of an audit log as a bundle that proves itself (see `contents`).

The same entries of the same log are the same bytes, whenever they are exported: nothing in a
bundle tells by whom or when. Whatever is read from the store is held to the published checkpoint
before it is written.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, and_, or_, select, true

from delegant.ans.log import merkle, tiles
from delegant.ans.log.checkpoint import Checkpoint, open_checkpoint
from delegant.ans.log.note import NoteKey
from delegant.credentials import canonical, shape
from delegant.credentials.errors import Error, error

from .archive import ArchiveWriter, writing
from .checking import pruned_ranges
from .contents import about_json, index_line
from .exhibit import manifest_digests
from .record import is_event, parse_record
from .searching import Kept
from .tables import ENTRIES, OPENINGS

__all__ = ["Exported", "Selection", "Signed", "export", "lying"]

PAGE: Final = 4096
EXHIBITS: Final = 16
OPENED: Final = 256
"""So many are in memory at once; an exhibit may be large."""


class Signed(Kept, Protocol):
    """The same, with the key that its checkpoints are signed with."""

    @property
    def key(self) -> NoteKey:
        """Of the log."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export: all, or one event, or a time, of a sponsor or of everybody.

    Attributes:
        event: this one alone.
        sponsor: the records that name this human.
        start, end: seconds since 1970, from the one until before the other.

    Raises:
        Malformed: ``shape`` for an event together with the others.
    """

    event: str | None = None
    sponsor: str | None = None
    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        if self.event is not None and not is_event(self.event):
            raise error("shape", "not the name of an event: evt_ and a ULID")
        if self.event is not None and (self.sponsor, self.start, self.end) != (None, None, None):
            raise error("shape", "an event is exported alone, whoever and whenever it was")


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in a bundle that was written."""

    entries: int
    size: int
    exhibits: int
    missing: int
    openings: int


def export(
    log: Signed,
    path: Path,
    wanted: Selection = Selection(),
    *,
    openings: bool = False,
    kept: Collection[Checkpoint] = (),
) -> Exported:
    """Write a bundle; the file is there once it is whole.

    Args:
        wanted: which entries.
        openings: disclose the requests, too, and the salts with which the records' hashes can be
            recomputed.
        kept: checkpoints that the auditor has, which the bundle shall prove to be of this log.

    Raises:
        NotFound: ``not-found`` for an event, or a human, that the log has no record of.
        Unavailable: ``unavailable`` where something stored is damaged.
        LimitExceeded: ``limit-items`` for more than one bundle may have: ask for less time.
        OSError.
    """
    note = log.book.checkpoint()
    job = _Export(log, open_checkpoint(note, log.key), wanted, openings)
    with writing(path) as out:
        return job.write(out, note, kept)


def lying(log: Signed, path: Path) -> None:
    """Write all of a log as its rows lie there, held to nothing: for whoever verifies that.

    Raises:
        Unavailable: ``unavailable``. OSError.
    """
    note = log.book.checkpoint()
    job = _Export(log, open_checkpoint(note, log.key), Selection(), openings=True, held=False)
    with writing(path) as out:
        job.write(out, note, ())


class _Export:
    """One export, under one checkpoint; ``held`` to it, or not."""

    def __init__(
        self, log: Signed, head: Checkpoint, wanted: Selection, openings: bool, held: bool = True
    ) -> None:
        self._held = held
        self._log, self._size, self._wanted, self._openings = log, head.size, wanted, openings
        self._store = log.store
        self._named: set[str] = set()
        self._manifests: set[str] = set()
        self._events: list[str] = []
        self._entries = 0
        with self._store.transaction(reading=True) as db:
            self._chosen, ranges, pruned = self._choose(db)
            self._prunes = self._notices(db, pruned)
        self._pruned = pruned
        self._ranges = _joined([*ranges, *[(at, at + 1) for at in self._prunes]])

    # --- what is in it --------------------------------------------------------------------------

    def _choose(
        self, db: Connection
    ) -> tuple[ColumnElement[bool], list[tuple[int, int]], list[tuple[int, int]]]:
        """Which rows, in which ranges, of which these were pruned."""
        wanted, size = self._wanted, self._size
        start = 0 if wanted.start is None else min(size, self._store.at(db, wanted.start))
        end = size if wanted.end is None else min(size, self._store.at(db, wanted.end))
        for _, after in self._store.pruned(db, end, end + 1) if end < size else []:
            end = min(size, after)  # nobody knows of what time they were: it is told they are gone
        rows = and_(ENTRIES.c.number >= start, ENTRIES.c.number < max(start, end))
        if wanted.event is None and wanted.sponsor is None:
            if start >= end:
                return rows, [], []
            return rows, [(start, end)], self._store.pruned(db, start, end)
        if wanted.event is not None:
            rows = and_(rows, ENTRIES.c.event == wanted.event)
        else:
            rows = and_(rows, ENTRIES.c.sponsor == wanted.sponsor)
        query = select(ENTRIES.c.number).where(rows).order_by(ENTRIES.c.number)
        found = _joined((number, number + 1) for number in db.execute(query).scalars())
        if not found:
            raise error("not-found", "the log has no record of that")
        return rows, found, []

    def _notices(self, db: Connection, pruned: list[tuple[int, int]]) -> list[int]:
        """The numbers of the notices that tell of what was pruned."""
        if not pruned:
            return []
        query = select(ENTRIES.c.number, ENTRIES.c.body).where(
            ENTRIES.c.type == "notice", ENTRIES.c.number < self._size
        )
        found = []
        for row in db.execute(query.order_by(ENTRIES.c.number)):
            try:
                told = pruned_ranges(parse_record(_body(row.body)))
            except Error:
                continue  # told where its entry is written
            if any(start < pruned[-1][1] and pruned[0][0] < end for start, end in told):
                found.append(row.number)
        return found

    # --- writing --------------------------------------------------------------------------------

    def write(self, out: ArchiveWriter, note: str, kept: Iterable[Checkpoint]) -> Exported:
        """All members, in their order."""
        wanted = self._wanted
        about = about_json(
            self._log.id,
            self._log.key,
            self._ranges,
            self._prunes,
            event=wanted.event,
            sponsor=wanted.sponsor,
            **{"from": _time(wanted.start), "to": _time(wanted.end)},
        )
        out.add("audit.json", canonical(about))
        out.add("checkpoint", note.encode())
        bundles = sorted({at for start, end in self._ranges for at in _tiles(start, end)})
        self._tiles(out, {*bundles, *[one.size >> 8 for one in kept if one.size < self._size]})
        for index in bundles:
            self._bundle(out, index)
        with out.stream("index") as lines:
            for piece in self._index():
                lines.write(piece)
        exhibits, missing = self._exhibits(out)
        openings = self._opened(out) if self._openings else 0
        return Exported(self._entries, self._size, exhibits, missing, openings)

    def _tiles(self, out: ArchiveWriter, lowest: set[int]) -> None:
        """Tiles of level 0 as far as needed, the right edge, and all of the levels above."""
        size, level = self._size, 0
        while size >> 8 * level:
            count = -(-(size >> 8 * level) // tiles.FULL)
            some = range(count) if level else sorted({*lowest, count - 1})
            for index in some:
                width = merkle.width(size, level, index)
                if width:
                    body = self._tile(level, index, width)
                    out.add(tiles.path(level, index, width), body, packed=False)
            level += 1

    def _tile(self, level: int, index: int, width: int) -> bytes:
        if self._held:
            return self._log.book.tile(level, index, width)
        with self._store.transaction(reading=True) as db:
            return (self._store.whole_tile(db, level, index) or b"")[: merkle.HASH * width]

    def _bundle(self, out: ArchiveWriter, index: int) -> None:
        """An entry bundle, in which what is not in the ranges is left out."""
        first, width = index * tiles.FULL, merkle.width(self._size, 0, index)
        hashes = self._tile(0, index, width)
        with self._store.transaction(reading=True) as db:
            query = select(ENTRIES.c.number, ENTRIES.c.body).where(
                ENTRIES.c.number >= first, ENTRIES.c.number < first + width
            )
            bodies = {row.number: _body(row.body) for row in db.execute(query)}
        entries = [b""] * width
        for number in self._within(first, first + width):
            at = number - first
            body = bodies.get(number)
            if body is None or merkle.leaf_hash(body) != hashes[merkle.HASH * at :][: merkle.HASH]:
                if self._held:
                    raise error("unavailable", f"stored entry {number} is missing or damaged")
                entries[at] = body or b""
                continue
            entries[at] = body
            self._names(body)
        out.add(tiles.bundle_path(index, width), tiles.pack(entries))

    def _within(self, first: int, end: int) -> Iterator[int]:
        """The numbers of a bundle that are in the ranges, and were not pruned."""
        for low, high in _touching(self._ranges, first, end):
            for number in range(max(low, first), min(high, end)):
                if not _touching(self._pruned, number, number + 1):
                    yield number

    def _names(self, body: bytes) -> None:
        """What a record names, to be written later."""
        record = parse_record(body)
        self._entries += 1
        self._named.update([one["digestMultibase"] for one in record.chain])
        if record.type in ("intent", "refusal"):
            self._events.append(record.event)
            if record.json["evidence"] is not None:
                self._manifests.add(record.json["evidence"])

    def _index(self) -> Iterator[bytes]:
        rows = or_(self._chosen, ENTRIES.c.number.in_(self._prunes)) if self._prunes else None
        query = select(ENTRIES.c.event, ENTRIES.c.type, ENTRIES.c.number).where(
            self._chosen if rows is None else rows, true()
        )
        with self._store.transaction(reading=True) as db:
            ordered = query.order_by(ENTRIES.c.event, ENTRIES.c.number).execution_options(
                yield_per=PAGE  # of the statement: a connection is kept, and would keep it too
            )
            for page in db.execute(ordered).partitions():
                yield b"".join([index_line(row.event, row.type, row.number) for row in page])

    def _exhibits(self, out: ArchiveWriter) -> tuple[int, int]:
        """Every exhibit that is still there, and how many there are and are not."""
        for _, body in self._stored(sorted(self._manifests)):
            for items in manifest_digests(body).values():
                self._named.update(items)
        named = sorted(self._named | self._manifests)
        count = 0
        for name, body in self._stored(named):
            out.add(f"exhibits/{name}", body)
            count += 1
        return count, len(named) - count

    def _stored(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        for at in range(0, len(names), EXHIBITS):
            with self._store.transaction(reading=True) as db:
                found = self._store.exhibits(db, names[at : at + EXHIBITS])
            yield from sorted(found.items())

    def _opened(self, out: ArchiveWriter) -> int:
        count, events = 0, sorted(self._events)
        for at in range(0, len(events), OPENED):
            some = OPENINGS.c.event.in_(events[at : at + OPENED])
            with self._store.transaction(reading=True) as db:
                query = select(OPENINGS.c.event, OPENINGS.c.body).where(some)
                found = {row.event: bytes(row.body) for row in db.execute(query)}
            for event, body in sorted(found.items()):
                out.add(f"openings/{event}", body)
            count += len(found)
        return count


def _tiles(start: int, end: int) -> range:
    """The tiles of level 0 that a range touches."""
    return range(start // tiles.FULL, -(-end // tiles.FULL))


def _touching(ranges: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Those of some ranges, in order, that this one touches."""
    at = max(0, bisect_right(ranges, (start, merkle.MAX_SIZE)) - 1)
    return [one for one in ranges[at : bisect_left(ranges, (end,))] if one[1] > start]


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that touch made one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((start, end))
    return out


def _body(stored: Any) -> bytes:
    """A leaf as it lies in the rows; whoever meddles with them may leave text there."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


def _time(at: int | None) -> str | None:
    return None if at is None else shape.format_time(at)
