"""What comes of holding receipts and records against each other: `matching` makes it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.shape import format_time

__all__ = ["ALWAYS", "GRACE_SECONDS", "Finding", "Period", "Report", "Shown"]

GRACE_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Period:
    """What is looked at: from ``since`` to ``until``, seconds since 1970; None is no edge.

    Within ``grace`` seconds of an edge, what is there is paired and compared, but nothing is
    missed: its other half may lie beyond. Records beyond an edge still serve as other halves.
    """

    since: int | None = None
    until: int | None = None
    grace: int = GRACE_SECONDS

    def holds(self, at: int, margin: int = 0) -> bool:
        """Whether an instant lies inside, and so far from either edge."""
        early = self.since is not None and at < self.since + margin
        late = self.until is not None and at > self.until - margin
        return not early and not late

    def misses(self, at: int) -> bool:
        """Whether the other half of what happened then should be there."""
        return self.holds(at, self.grace)


ALWAYS: Final = Period()


class Shown:
    """The stretches of time of which a log is shown without a gap, record by record.

    Attributes:
        whole: nothing was left out so far.
    """

    def __init__(self, grace: int) -> None:
        self._grace = grace
        self._closed: list[Period] = []
        self._since: int | None = None
        self._last: int | None = None
        self._in_gap = False
        self.whole = True

    def record(self, at: int) -> None:
        """The next record is of this time."""
        if self._in_gap:
            self._since, self._in_gap = at, False
        self._last = at

    def gap(self) -> None:
        """Here entries are left out."""
        if not self._in_gap and self._last is not None:
            self._closed.append(Period(self._since, self._last, self._grace))
        self._in_gap, self.whole = True, False

    def misses(self, at: int) -> bool:
        """Whether what happened then should be shown, if it is in the log at all."""
        if not self._in_gap and Period(self._since, None, self._grace).misses(at):
            return True
        found = bisect_right(self._closed, at, key=lambda one: one.since or 0)
        return found > 0 and self._closed[found - 1].misses(at)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not match.

    Attributes:
        kind: missing, disagree or unproven.
        lacks: the side whose word is not there, agent or resource; None where both are.
        dimension: what is missing (receipt, record, outcome), what differs (status, request …),
            or the code of what is wrong with a receipt (proof, key-unresolved …).
        where: the line of a journal, ``FILE:LINE``, where one is concerned.
    """

    kind: str
    lacks: str | None
    dimension: str
    agent: str | None
    event: str | None
    invocation: str | None
    time: int | None
    where: str | None
    detail: str

    @property
    def json(self) -> JsonObject:
        """Its JSON form; every finding has the code ``unmatched``."""
        return {
            "code": "unmatched",
            "kind": self.kind,
            "lacks": self.lacks,
            "dimension": self.dimension,
            "agent": self.agent,
            "event": self.event,
            "invocation": self.invocation,
            "time": None if self.time is None else format_time(self.time),
            "where": self.where,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it.

    Attributes:
        findings: in the order of time; empty where everything matches.
        counts: records read; receipts heard; pairs found, and how many requests and resource
            receipts were held against something; elsewhere: receipts for other resources or by
            other agents; claimed: refusals of what nobody verified; beyond: what may have its
            other half in a gap of the log.
        torn: lines that a crash cut, ``FILE:LINE``.
    """

    log: str
    findings: tuple[Finding, ...]
    counts: JsonObject
    torn: tuple[str, ...]
    period: Period

    @property
    def json(self) -> JsonObject:
        """Its JSON form."""
        edges = {"since": self.period.since, "until": self.period.until}
        return {
            "log": self.log,
            "matched": not self.findings,
            "period": {name: None if at is None else format_time(at) for name, at in edges.items()}
            | {"graceSeconds": self.period.grace},
            **self.counts,
            "torn": list(self.torn),
            "findings": [one.json for one in self.findings],
        }
