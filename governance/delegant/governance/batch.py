"""A batch: what one transaction adds to an audit log, and what it takes from the ledger.

Records, keys that are used once, budgets and rates are judged here one change after another, by
the one writer there is, so of two that race for the rest of a budget one finds it gone. What a
change adds is kept, and written with one statement a table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from delegant.ans.bulk import write_rows
from delegant.ans.change import Added
from delegant.ans.log import merkle
from delegant.ans.prepared import Prepared
from delegant.credentials.codec import digest
from delegant.credentials.errors import error
from delegant.credentials.shape import LAST_SECOND

from . import layout
from .among import rows_among
from .entry import Entry
from .tables import ACTS, BUDGETS, ENTRIES, EXHIBITS, OPEN, OPENINGS, SPENT

__all__ = ["AuditBatch", "AuditChange", "Done"]

BACKWARDS_SECONDS: Final = 30
"""A record may wait for its turn so long; it then has the time of the one before."""
DAY: Final = 86_400
_MANY: Final = 256


class Done(Added):
    """A change that was written, and what its sender is told: a value, or what refuses it."""

    __slots__ = ("value",)

    def __init__(self, number: int, value: Any) -> None:
        super().__init__(number)
        object.__setattr__(self, "value", value)

    value: Any


class AuditChange(ABC):
    """One change that a batch is asked for; its properties are looked up beforehand."""

    @property
    def once(self) -> tuple[str, ...]:
        """Keys that are used once with it."""
        return ()

    @property
    def budgets(self) -> tuple[tuple[str, str], ...]:
        """Key and unit of what it takes from, or gives back to."""
        return ()

    @property
    def closing(self) -> str | None:
        """The event whose outcome it is."""
        return None

    @abstractmethod
    def add(self, batch: AuditBatch, /) -> Added:
        """Check, then add; whatever this raises refuses this change alone."""

    def receipt(self, number: int, /) -> Any:
        """What is told of a change that was written before: nothing is written twice."""
        raise AssertionError("nothing is written twice")


class AuditBatch:
    """One transaction that may add to the log.

    Args:
        db: the transaction.
        size: of the log before it. previous: the digest of its last entry.
        time: of that entry, seconds since 1970.
        changes: those that will be asked to add to it.
        months: of which partitions are known to be there; those it makes are `fresh_months`, as
            they are gone with it if it is rolled back.
    """

    def __init__(
        self,
        db: Connection,
        size: int,
        previous: str | None,
        time: int,
        changes: Sequence[AuditChange],
        months: Set[str],
    ) -> None:
        self.db = db
        self.size = size
        self.time = time
        self.hashes: list[bytes] = []
        self.exhibited: dict[str, int] = {}
        """Exhibits that it wrote, and the day."""
        self._previous = previous
        self._months = months
        self.fresh_months: set[str] = set()
        self._entries: list[dict[str, Any]] = []
        self._opened: dict[str, tuple[int, int]] = {}
        self._openings: list[dict[str, Any]] = []
        self._exhibits: dict[str, bytes] = {}
        self._acts: dict[str, dict[int, int]] = {}
        self._periods: dict[str, int] = {}
        once = {key for change in changes for key in change.once}
        self._spent = self._found(SPENT.c.key, once)
        self._fresh: dict[str, int] = {}
        budgets = {pair for change in changes for pair in change.budgets}
        self._budgets = self._amounts(budgets)
        self._touched: dict[tuple[str, str], int | None] = {}
        closing = {change.closing for change in changes if change.closing is not None}
        self._open = self._found(OPEN.c.event, closing)
        self._closed: list[str] = []

    def _found(self, column: Column[Any], asked: Iterable[str]) -> set[str]:
        return {row[0] for row in rows_among(self.db, column, asked)}

    def _amounts(self, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        at = BUDGETS.c
        rows = rows_among(self.db, at.key, {key for key, _ in pairs}, at.unit, at.spent)
        return {(key, unit): int(spent) for key, unit, spent in rows}

    # --- asking and taking ----------------------------------------------------------------------

    def at(self, at: int) -> None:
        """The time of what follows is this, or that of the entry before.

        Raises:
            Unavailable: ``unavailable`` for a clock that went back.
        """
        if self.time - at > BACKWARDS_SECONDS:
            raise error("unavailable", f"the clock went back {self.time - at} seconds")
        self.time = max(self.time, at)

    def milliseconds(self, at_ms: int) -> int:
        """An instant, never before that of the log: whose clock is behind gains no room by it."""
        return max(at_ms, self.time * 1000)

    def unspent(self, key: str) -> None:
        """A key was not used before; or ``replay``."""
        if key in self._spent or key in self._fresh:
            raise error("replay", "this invocation was used before")

    def spend(self, key: str, until: int) -> None:
        """A key is used now."""
        self._fresh[key] = until

    def left(self, key: str, unit: str, limit: int) -> int:
        """What a budget still has."""
        return limit - self._budgets.get((key, unit), 0)

    def debit(self, key: str, unit: str, amount: int, until: int | None = None) -> None:
        """Take an amount; a negative one is given back.

        Args:
            until: when nobody can ask for this budget any more, seconds since 1970.
        """
        spent = self._budgets.get((key, unit), 0) + amount
        self._budgets[key, unit] = max(0, spent)
        self._touched[key, unit] = self._touched.get((key, unit)) if until is None else until

    def acts(self, key: str, since_ms: int) -> int:
        """How often something was done after an instant, milliseconds since 1970."""
        found = _ACTS.one(self.db, key, since_ms).count or 0
        fresh = self._acts.get(key, {})
        return int(found) + sum(count for at, count in fresh.items() if at > since_ms)

    def act(self, key: str, at_ms: int, period: int) -> None:
        """Something with a rate is done now, and counts for a period in seconds."""
        self._periods[key] = period
        own = self._acts.setdefault(key, {})
        own[at_ms] = own.get(at_ms, 0) + 1

    def is_open(self, event: str) -> bool:
        """Whether an event has an intent and no outcome."""
        return event in self._open or event in self._opened

    # --- adding ---------------------------------------------------------------------------------

    def log(self, entry: Entry) -> int:
        """Add a record; its number."""
        data = entry.body(self._previous, self.time)
        number = self.size + len(self.hashes)
        self._entries.append({"number": number, "time": self.time, **entry.row, "body": data})
        self.hashes.append(merkle.leaf_hash(data))
        self._previous = digest(data)
        return number

    def open(self, event: str, number: int) -> None:
        """An intent waits for its outcome."""
        self._opened[event] = number, self.time

    def close(self, event: str) -> None:
        """An intent has its outcome."""
        if self._opened.pop(event, None) is None:
            self._open.discard(event)
            self._closed.append(event)

    def keep(self, event: str, opening: bytes) -> None:
        """Keep what opens a record, beside the log."""
        self._openings.append({"event": event, "time": self.time, "body": opening})

    def exhibit(self, found: Iterable[tuple[str, bytes]]) -> None:
        """Keep what a record refers to, each once."""
        self._exhibits.update(found)

    def flush(self) -> None:
        """Write what was added."""
        db = self.db
        if self._entries:
            if db.dialect.name == "postgresql":
                self._partitions()
            write_rows(db, ENTRIES, self._entries)
            self._entries = []
        if self._opened:
            rows = [
                {"event": event, "number": number, "time": time}
                for event, (number, time) in self._opened.items()
            ]
            write_rows(db, OPEN, rows)
            self._open.update(self._opened)
            self._opened = {}
        if self._openings:
            write_rows(db, OPENINGS, self._openings)
            self._openings = []
        if self._fresh:
            write_rows(db, SPENT, [{"key": k, "until": v} for k, v in self._fresh.items()])
            self._spent.update(self._fresh)
            self._fresh = {}
        for at in range(0, len(self._closed), _MANY):
            db.execute(delete(OPEN).where(OPEN.c.event.in_(self._closed[at : at + _MANY])))
        self._closed = []
        self._flush_counted()
        if self._exhibits:
            day = self.time // DAY * DAY
            rows = [
                {"digest": name, "used": day, "body": body} for name, body in self._exhibits.items()
            ]
            db.execute(_merging(db.dialect.name, EXHIBITS), rows)
            self.exhibited.update(dict.fromkeys(self._exhibits, day))
            self._exhibits = {}

    def _flush_counted(self) -> None:
        if self._touched:
            rows: list[dict[str, Any]] = [
                {"key": key, "unit": unit, "spent": str(self._budgets[key, unit]), "until": until}
                for (key, unit), until in self._touched.items()
            ]
            self.db.execute(_merging(self.db.dialect.name, BUDGETS), rows)
            self._touched = {}
        if self._acts:
            rows = [
                {
                    "key": key,
                    "at": at,
                    "count": count,
                    "until": min(at // 1000 + self._periods[key], LAST_SECOND),
                }
                for key, times in self._acts.items()
                for at, count in times.items()
            ]
            self.db.execute(_merging(self.db.dialect.name, ACTS), rows)
            self._acts = {}

    def _partitions(self) -> None:
        for time in {row["time"] for row in self._entries}:
            name = layout.month(time)[0]
            if name not in self._months and name not in self.fresh_months:
                layout.partition(self.db, time)
                self.fresh_months.add(name)


@lru_cache
def _merging(dialect: str, table: Table) -> Any:
    """What inserts rows, and says what becomes of one that is there: made once."""
    kind: Any = sqlite if dialect == "sqlite" else postgresql
    row = kind.insert(table)
    where = None
    if table is BUDGETS:
        change = {"spent": row.excluded.spent}
    elif table is ACTS:
        change = {"count": ACTS.c.count + row.excluded["count"]}
    else:
        change, where = {"used": row.excluded.used}, EXHIBITS.c.used < row.excluded.used
    keys = list(table.primary_key)
    return row.on_conflict_do_update(index_elements=keys, set_=change, where=where)


_ACTS: Final = Prepared(
    select(func.sum(ACTS.c.count).label("count")).where(
        ACTS.c.key == bindparam("of"), ACTS.c.at > bindparam("since")
    ),
    "of",
    "since",
)
