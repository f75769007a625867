"""Who did what, for whom, and what came of it: the records of a log, put together by event.

A report is made from a `Source`, which gives nothing but verified records: an audit folder
(`searching`), or a bundle once all of it holds (`Bundled`). An *act* is
what the records of one event tell: an intent with its outcome, if there is one; a refusal; a
notice of the log's keeper.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from delegant.ans.log.tiles import FULL
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error

from .reading import AuditBundle, Believed, read_entry
from .record import DECISIONS, INITIATIONS, Record
from .verifying import verify_bundle

__all__ = ["Act", "Bundled", "Logged", "Report", "Source", "Wanted", "report"]

MOST: Final = 1000
"""Acts in a report that people read."""
KEPT: Final = 64
"""Pieces of a bundle, of 256 entries each, that are kept for outcomes further on."""
RESULTS: Final = ("open", "success", "failure", "released", "refused", "notice")


@dataclass(frozen=True, slots=True)
class Logged:
    """A record, and its number in the log."""

    number: int
    record: Record


@dataclass(frozen=True, slots=True)
class Act:
    """What the log tells of one event.

    Attributes:
        first: the intent, the refusal or the notice; the outcome, where its intent is not here.
        outcome: what came of an intent; None where nothing is known of that.
    """

    first: Logged
    outcome: Logged | None = None

    @property
    def entries(self) -> tuple[Logged, ...]:
        """Its entries, oldest first."""
        return (self.first,) if self.outcome is None else (self.first, self.outcome)

    @property
    def result(self) -> str:
        """``open``, ``success``, ``failure``, ``released``, ``refused`` or ``notice``."""
        first = self.first.record
        if first.type in ("refusal", "notice"):
            return "refused" if first.type == "refusal" else "notice"
        last = first if self.outcome is None else self.outcome.record
        return "open" if last.type == "intent" else str(last.json["outcome"]["status"])

    @property
    def json(self) -> JsonObject:
        """``{event, result, entries: [{index, record}]}``."""
        entries = [{"index": one.number, "record": one.record.json} for one in self.entries]
        return {"event": self.first.record.event, "result": self.result, "entries": entries}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are asked for; None asks for any.

    Attributes:
        start, end: from, and before; seconds since 1970, of the intent or refusal.
        action: an action, or one that ends in ``.*`` for all below it.
        open: only intents of which nobody knows what came.

    Raises:
        Malformed: ``shape`` for what no record can have.
    """

    sponsor: str | None = None
    agent: str | None = None
    start: int | None = None
    end: int | None = None
    initiation: str | None = None
    decision: str | None = None
    action: str | None = None
    open: bool = False

    def __post_init__(self) -> None:
        every = (*DECISIONS["intent"], *DECISIONS["refusal"])
        for what, given, known in (
            ("decision", self.decision, every),
            ("initiation", self.initiation, INITIATIONS),
        ):
            if given is not None and given not in known:
                raise error("shape", f"{what} is none of {', '.join(known)}")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise error("shape", "nothing is from then on and before that")

    def admits(self, record: Record) -> bool:
        """Whether the act of this intent, refusal or notice is meant, but for what came of it."""
        said = record.json
        return (
            self.sponsor in (None, record.sponsor)
            and self.agent in (None, record.agent)
            and (self.start is None or self.start <= record.time)
            and (self.end is None or record.time < self.end)
            and self.initiation in (None, said.get("initiation"))
            and self.decision in (None, said.get("decision"))
            and (self.action is None or _covers(self.action, said.get("action")))
            and (not self.open or record.type == "intent")
        )


def _covers(pattern: str, action: str | None) -> bool:
    if action is None:
        return False
    return action.startswith(pattern[:-1]) if pattern.endswith(".*") else action == pattern


class Source(Protocol):
    """Where acts come from; every record of theirs is in the tree that was believed."""

    log: str

    def acts(self, wanted: Wanted) -> Iterator[Act]:
        """The acts asked for, oldest first."""
        ...


class Bundled:
    """A `Source` over a bundle that stays open; all of it is verified first.

    Args:
        believed: the log's key, from the auditor's own trust.

    Raises:
        As `verify_bundle`.
    """

    def __init__(self, bundle: AuditBundle, believed: Believed) -> None:
        self.log = verify_bundle(bundle, believed).log
        self._bundle = bundle
        self._reader = bundle.reader(believed)
        self._size = self._reader.checkpoint().size
        self._known: OrderedDict[int, list[bytes]] = OrderedDict()

    def acts(self, wanted: Wanted) -> Iterator[Act]:
        """As `Source`; an outcome whose intent is not in the bundle is an act of its own."""
        for start, end in self._bundle.about.ranges:
            for number in range(start, end):
                first = self._entry(number)
                if first is None or not wanted.admits(first.record):
                    continue
                places = self._bundle.places(first.record.event)
                if first.record.type == "outcome":
                    if places.intent is None:
                        yield Act(first)
                    continue
                outcome = None if places.outcome is None else self._entry(places.outcome)
                if not (wanted.open and outcome):
                    yield Act(first, outcome)

    def _entry(self, number: int) -> Logged | None:
        """An entry; None where it was pruned."""
        index, at = divmod(number, FULL)
        if index not in self._known:
            start = index * FULL
            entries = self._reader.entries(start, min(start + FULL, self._size), gaps=True)
            self._known[index] = list(entries)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        data = self._known[index][at]
        return Logged(number, read_entry(data, number, self.log)) if data else None


@dataclass(frozen=True, slots=True)
class Report:
    """Acts that were asked for.

    Attributes:
        counts: how many there are of each result, and of all as ``acts``.
        more: there are more than were to be shown.
    """

    log: str
    acts: tuple[Act, ...]
    counts: dict[str, int]
    more: bool

    @property
    def json(self) -> JsonObject:
        """``{log, counts, more, acts}``."""
        return {
            "log": self.log,
            "counts": self.counts,
            "more": self.more,
            "acts": [act.json for act in self.acts],
        }


def report(source: Source, wanted: Wanted, most: int = MOST) -> Report:
    """The first acts that were asked for, counted.

    Raises:
        Unavailable: ``unavailable`` where a record does not verify.
    """
    found = tuple(islice(source.acts(wanted), most + 1))
    shown = found[:most]
    results = Counter(act.result for act in shown)
    counts = {"acts": len(shown)} | {result: results[result] for result in RESULTS}
    return Report(source.log, shown, counts, len(found) > most)
