"""The entries of an audit bundle, one by one: phases 3 to 6 of `verifying`."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from sys import intern
from typing import Final

from delegant.ans.log import merkle
from delegant.ans.log.checkpoint import Checkpoint
from delegant.ans.log.reading import LogReader
from delegant.credentials import shape
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.credential import parse_link
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, NotFound, error

from .contents import INDEX_WIDTH, index_line
from .reading import AuditBundle, read_entry
from .record import Record

__all__ = ["Records", "Unanswered", "Verified", "check_parties", "entry_name", "pruned_ranges"]

SHOWN: Final = 1000
"""Intents without an outcome that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An intent whose outcome is not in the bundle: the act may have happened."""

    event: str
    number: int
    time: int
    sponsor: str | None
    agent: str | None

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "event": self.event,
            "entry": self.number,
            "time": shape.format_time(self.time),
            "sponsorDid": self.sponsor,
            "agentDid": self.agent,
        }


@dataclass(slots=True)
class Verified:
    """What was found in a bundle that holds.

    Attributes:
        log: whose log it is. head: of the whole log, of which ``entries`` are in the bundle.
        whole: all entries of the log are in the bundle, but those that were pruned.
        types: how many records of each type.
        first, last: seconds since 1970; None where there is no record.
        unanswered: intents without an outcome, ``unanswered_count`` of them.
        pruned: entries that are gone, as the log tells.
        kept: checkpoints, seen before, that this log continues.
        exhibits, missing: how many that records name are in the bundle, and are not.
    """

    log: str
    head: Checkpoint
    entries: int = 0
    whole: bool = False
    types: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    unanswered: list[Unanswered] = field(default_factory=list)
    unanswered_count: int = 0
    pruned: int = 0
    kept: int = 0
    exhibits: int = 0
    missing: int = 0

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "log": self.log,
            "origin": self.head.origin,
            "size": self.head.size,
            "entries": self.entries,
            "whole": self.whole,
            "records": dict(sorted(self.types.items())),
            "from": None if self.first is None else shape.format_time(self.first),
            "to": None if self.last is None else shape.format_time(self.last),
            "withoutOutcome": [one.json for one in self.unanswered],
            "withoutOutcomeCount": self.unanswered_count,
            "pruned": self.pruned,
            "keptCheckpoints": self.kept,
            "exhibits": self.exhibits,
            "exhibitsMissing": self.missing,
        }


def check_parties(record: Record, links: list[JsonObject | str]) -> None:
    """That a record names the sponsor, the organisation and the agent of its own chain.

    Nothing is verified of the links but that they are those whose digests the record has.

    Raises:
        Rejected: ``audit-entry``. Malformed: the codes of phases 2 and 3.
    """
    read = [parse_link(unpack(link)) for link in links]
    said = [(one["id"], one["digestMultibase"]) for one in record.chain]
    if said != [(link.id, link.secured.digest) for link in read]:
        raise error("audit-entry", "the links are not those the record names")
    for name, value in (
        ("sponsorDid", read[0].issuer),
        ("organizationDid", read[0].organization),
        ("agentDid", read[-1].subject),
        ("grantId", read[-1].id),
    ):
        if record.json[name] != value:
            raise error("audit-entry", f"{name} is not that of the chain", dimension=name)


@dataclass(slots=True)
class _Event:
    """Where an event's records stand, and the names they are in."""

    kind: str
    number: int
    names: tuple[str | None, str | None]
    time: int
    outcome: int | None = None


class Records:
    """Phases 3 to 6 over the records of a bundle; what is found goes into ``out``."""

    def __init__(self, bundle: AuditBundle, reader: LogReader, out: Verified) -> None:
        self._bundle, self._reader, self._out = bundle, reader, out
        self._events: dict[str, _Event] = {}
        self._names: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = {}
        self._parties: set[tuple[str | None, ...]] = set()
        self._exhibits: dict[str, bool] = {}
        self._complete = True
        """No entry before this one is left out: whatever is missing was never there."""

    def check(self) -> None:
        """All of it.

        Raises:
            As `verify_bundle`.
        """
        pruned = self._pruned()
        next_ = 0
        for start, end in self._bundle.about.ranges:
            self._complete = self._complete and start == next_
            next_ = end
            self._range(start, end, pruned)
        size = self._out.head.size
        self._out.whole = self._bundle.about.ranges == (((0, size),) if size else ())
        self._unanswered()
        self._index()

    def _pruned(self) -> list[tuple[int, int, int]]:
        """What notices in the log say was pruned, and that it was older than what; in order."""
        told: list[tuple[int, int, int]] = []
        for number in self._bundle.about.prunes:
            if not self._bundle.has(number):
                raise error("audit-bundle", f"it tells of notice {number} and has it not")
            (data,) = self._entries(number, number + 1)
            record = read_entry(data, number, self._bundle.about.log)
            ranges = pruned_ranges(record)
            if not ranges:
                raise error("audit-bundle", f"entry {number} tells of nothing that was pruned")
            before = shape.time(record.json["notice"]["before"], "before")
            told += [(start, min(end, number), before) for start, end in ranges]
        out: list[tuple[int, int, int]] = []
        for start, end, before in sorted(told):
            free = max(start, out[-1][1] if out else 0)  # a notice of what was gone tells nothing
            if free < end:
                out.append((free, end, before))
        return out

    def _entries(self, start: int, end: int) -> Iterator[bytes]:
        try:
            yield from self._reader.entries(start, end, gaps=True)
        except NotFound as exc:
            raise error("audit-bundle", f"a part is missing: {exc.detail}") from None

    def _range(self, start: int, end: int, pruned: list[tuple[int, int, int]]) -> None:
        out = self._out
        before: bytes | None = None
        for number, data in enumerate(self._entries(start, end), start):
            if not data:
                self._gone(number, pruned)
                out.pruned += 1
                before, self._complete = None, False
                continue
            record = read_entry(data, number, out.log)
            if number == 0 or before is not None:
                expected = None if before is None else digest(before)
                if record.previous != expected:
                    raise _wrong(number, "does not name the entry before it")
            elif record.previous is None:
                raise _wrong(number, "says that it is the first")
            if out.last is not None and record.time < out.last:
                raise _wrong(number, "is earlier in time than one before it")
            out.first = record.time if out.first is None else out.first
            out.last = record.time
            self._event(number, record)
            if record.type in ("intent", "refusal"):
                self._beside(number, record)
            out.types[record.type] += 1
            out.entries += 1
            before = data

    def _gone(self, number: int, pruned: list[tuple[int, int, int]]) -> None:
        """An entry that is missing was pruned, and may have been old enough."""
        where = entry_name(number)
        at = bisect_right(pruned, (number, merkle.MAX_SIZE)) - 1
        if at < 0 or number >= pruned[at][1]:
            told = f"{where} is missing, and no notice says that it was pruned"
            raise error("log-proof", told, dimension=where)
        if self._out.last is not None and self._out.last >= pruned[at][2]:
            told = f"{where} was pruned, and one before it is younger than the notice says"
            raise error("retention", told, dimension=where)

    def _event(self, number: int, record: Record) -> None:
        """The rules of an event."""
        known = self._events.get(record.event)
        names = record.sponsor, record.agent
        names = self._names.setdefault(names, names)  # one of each: there may be many events
        if record.type != "outcome":
            if known is not None:
                raise _wrong(number, f"is a second {record.type} of {record.event}, or a late one")
            self._events[record.event] = _Event(intern(record.type), number, names, record.time)
        elif known is None:
            if self._complete:
                raise _wrong(number, f"is an outcome of {record.event}, which has no intent")
            self._events[record.event] = _Event("outcome", number, names, record.time)
        elif known.kind != "intent" or known.outcome is not None:
            raise _wrong(number, f"is an outcome of {record.event}, which awaits none")
        elif known.names != names:
            raise _wrong(number, "is an outcome in other names than its intent")
        else:
            known.outcome = number

    def _beside(self, number: int, record: Record) -> None:
        """The exhibits of a record, as far as they are in the bundle, and its opening."""
        evidence = record.json["evidence"]
        links = [one["digestMultibase"] for one in record.chain]
        if evidence is not None and evidence not in self._exhibits and self._exhibit(evidence):
            for items in self._bundle.manifest(evidence).values():
                for item in items:
                    self._exhibit(item)
        names = record.sponsor, record.agent, record.json["organizationDid"], *links
        present = [self._exhibit(link) for link in links]
        if all(present) and record.verified:
            parties = (*names, record.json["grantId"], *[one["id"] for one in record.chain])
            if parties not in self._parties:
                try:
                    check_parties(record, self._bundle.links(record))
                except Error as exc:
                    where = entry_name(number)
                    told = f"{where}: {exc.detail}"
                    raise error("audit-entry", told, dimension=where) from None
                self._parties.add(parties)
        self._bundle.opening(record)

    def _exhibit(self, name: str) -> bool:
        """Whether an exhibit is in the bundle; each is read once."""
        found = self._exhibits.get(name)
        if found is None:
            try:
                self._bundle.exhibit(name)
                found = True
                self._out.exhibits += 1
            except Error as exc:
                if exc.code != "audit-incomplete":
                    raise
                found = False
                self._out.missing += 1
            self._exhibits[name] = found
        return found

    def _unanswered(self) -> None:
        waiting = [
            Unanswered(event, one.number, one.time, *one.names)
            for event, one in self._events.items()
            if one.kind == "intent" and one.outcome is None
        ]
        self._out.unanswered_count = len(waiting)
        self._out.unanswered = waiting[:SHOWN]

    def _index(self) -> None:
        """The index is that of the records."""
        lines = self._lines()
        for piece in self._bundle.index():
            if b"".join(islice(lines, len(piece) // INDEX_WIDTH)) != piece:
                raise error("audit-bundle", "its index is not that of its records")
        if next(lines, None) is not None:
            raise error("audit-bundle", "its index lacks a record")

    def _lines(self) -> Iterator[bytes]:
        for event, one in sorted(self._events.items()):
            yield index_line(event, one.kind, one.number)
            if one.outcome is not None:
                yield index_line(event, "outcome", one.outcome)


def pruned_ranges(record: Record) -> list[tuple[int, int]]:
    """The entries that a record says were pruned, as (start, end); none where it is no notice."""
    notice = record.json.get("notice", {"kind": None})
    if notice["kind"] != "prune":
        return []
    return [(start, end) for start, end in notice["entries"]]


def entry_name(number: int) -> str:
    """An entry as ``dimension`` names it."""
    return f"entry {number}"


def _wrong(number: int, why: str) -> Error:
    return error("audit-entry", f"{entry_name(number)} {why}", dimension=entry_name(number))
