"""The acts of records in memory: the plain way, to hold the others to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from delegant.governance.reporting import Act, Logged, Wanted


class Recorded:
    """The records of a part of a log, from oldest to newest.

    Args:
        log: the DID whose log it is.
        entries: each verified by whoever gives them. They are kept.
    """

    def __init__(self, log: str, entries: Iterable[Logged]) -> None:
        self.log = log
        self._first: dict[str, Logged] = {}
        self._outcomes: dict[str, Logged] = {}
        for one in entries:
            known = self._outcomes if one.record.type == "outcome" else self._first
            known[one.record.event] = one

    def acts(self, wanted: Wanted) -> Iterator[Act]:
        """As `Source`."""
        lost = [one for event, one in self._outcomes.items() if event not in self._first]
        for first in sorted([*self._first.values(), *lost], key=lambda one: one.number):
            outcome = self._outcomes.get(first.record.event)
            if wanted.admits(first.record) and not (wanted.open and outcome):
                yield Act(first, None if outcome is first else outcome)
