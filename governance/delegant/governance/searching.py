"""The acts in an audit folder, found by the columns of its entries.

The columns only say where to look. Every record shown is read through the book of the log, so it
is in the published tree, and it must be what the columns said it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, select

from delegant.ans.treebook import TreeBook
from delegant.credentials.errors import Error, error

from .record import Record, parse_record
from .reporting import Act, Logged, Wanted
from .store import AuditStore
from .tables import ENTRIES, OPEN

__all__ = ["Kept", "Searched", "proven"]

PAGE: Final = 256


class Kept(Protocol):
    """An audit log on this machine: an `AuditLog`, or an `AuditReader`."""

    @property
    def id(self) -> str:
        """The DID whose log it is."""
        ...

    @property
    def store(self) -> AuditStore:
        """Its rows."""
        ...

    @property
    def book(self) -> TreeBook:
        """What proves them."""
        ...


def proven(log: Kept, db: Connection, number: int) -> Record:
    """An entry that is in the published tree.

    Raises:
        NotFound: ``not-found``, also where it was pruned. Unavailable: ``unavailable``.
    """
    try:
        return parse_record(log.book.entry(db, number))
    except Error as exc:
        if exc.code in ("not-found", "unavailable"):
            raise
        raise error("unavailable", f"entry {number} is no record: {exc.detail}") from None


class Searched:
    """A `reporting.Source` over an audit folder.

    Raises:
        Unavailable: ``unavailable``, where something in the folder is damaged.
    """

    def __init__(self, log: Kept) -> None:
        self.log = log.id
        self._kept = log

    def acts(self, wanted: Wanted) -> Iterator[Act]:
        """As `reporting.Source`; no transaction is open while somebody looks at an act."""
        at = 0
        while True:
            with self._kept.store.transaction(reading=True) as db:
                page = self._page(db, wanted, at)
                found = [self._act(db, wanted, number) for number in page]
            yield from (act for act in found if act is not None)
            if len(page) < PAGE:
                return
            at = page[-1] + 1

    def _page(self, db: Connection, wanted: Wanted, at: int) -> list[int]:
        """The numbers of the next intents, refusals and notices that may be meant."""
        store = self._kept.store
        start = at if wanted.start is None else max(at, store.at(db, wanted.start))
        end = self._kept.book.head().size
        if wanted.end is not None:
            end = min(end, store.at(db, wanted.end))
        number = ENTRIES.c.number
        query = select(number).where(number >= start, number < end, *_columns(wanted))
        return list(db.execute(query.order_by(number).limit(PAGE)).scalars())

    def _act(self, db: Connection, wanted: Wanted, number: int) -> Act | None:
        first = Logged(number, proven(self._kept, db, number))
        if first.record.type == "outcome" or not wanted.admits(first.record):
            raise error("unavailable", f"the columns of entry {number} are not those of its record")
        outcome = None
        if first.record.type == "intent":
            outcome = self._outcome(db, first.record.event)
        return None if wanted.open and outcome is not None else Act(first, outcome)

    def _outcome(self, db: Connection, event: str) -> Logged | None:
        for number, kind in self._kept.store.numbers(db, event):
            if kind == "outcome" and number < self._kept.book.head().size:
                record = proven(self._kept, db, number)
                if (record.type, record.event) != (kind, event):
                    told = f"the columns of entry {number} are not those of its record"
                    raise error("unavailable", told)
                return Logged(number, record)
        return None


def _columns(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the columns of an entry must be."""
    at: Any = ENTRIES.c
    tests = [at.type != "outcome"]
    for name in ("sponsor", "agent", "initiation", "decision"):
        value = getattr(wanted, name)
        if value is not None:
            tests.append(at[name] == value)
    if wanted.action is not None:
        if wanted.action.endswith(".*"):
            below = wanted.action[:-1]
            tests += [at.action >= below, at.action < f"{below[:-1]}/"]  # "/" comes after "."
        else:
            tests.append(at.action == wanted.action)
    if wanted.open:
        tests += [at.type == "intent", at.event.in_(select(OPEN.c.event))]
    return tests
