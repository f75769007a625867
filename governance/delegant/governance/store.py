"""The rows of one audit log: SQLite or PostgreSQL, by the naming service's own engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, tuple_

from delegant.ans.engine import open_engine
from delegant.ans.logstore import LogStore
from delegant.ans.prepared import Prepared
from delegant.credentials.errors import error

from . import layout
from .tables import ACTS, BUDGETS, ENTRIES, EXHIBITS, LOG, OPEN, OPENINGS, PRUNED, SPENT

__all__ = ["AuditStore"]

SLOW_SECONDS: Final = 600
"""How far the clocks of those who write may be apart, amply."""
FORGET: Final = 2048
"""Used keys in one transaction: more than it adds, or they would never be fewer."""
AMONG: Final = 256


class AuditStore(LogStore):
    """The rows of an audit log and its ledger.

    Args:
        where: an SQLite file, made if it is not there; or an address, as for the naming
            service's `Store`.
        log: the DID whose log it is.
        patient: statements may take as long as they need, for what an operator waits for.
        making: what is not there is made; False is for readers, who write nothing.

    Raises:
        Malformed: ``shape`` for any other address. Unavailable: ``unavailable``.
    """

    def __init__(
        self, where: Path | str, log: str, *, patient: bool = False, making: bool = True
    ) -> None:
        super().__init__(open_engine(where, patient=patient, making=making), LOG)
        with self.transaction(reading=not making, sequencing=making) as db:
            layout.ready(db, log, making=making)
            if making:
                layout.sound(db)

    def leaves(self, db: Connection, start: int, count: int) -> list[bytes]:
        """As of every log; ``not-found`` for what was pruned."""
        pruned = self.pruned(db, start, start + count)
        if pruned:
            raise error("not-found", f"entry {max(start, pruned[0][0])} was pruned")
        return super().leaves(db, start, count)

    def pruned(self, db: Connection, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges of pruned entries that touch this one, in order."""
        return [(row.start, row.end) for row in _PRUNED.all(db, end, start)]

    def numbers(self, db: Connection, event: str) -> list[tuple[int, str]]:
        """Number and type of each entry of an event, in order."""
        return [(row.number, row.type) for row in _EVENT.all(db, event)]

    def at(self, db: Connection, time: int) -> int:
        """The number of the first entry that is not older than this."""
        low, high = 0, self.leaf_count(db)
        while low < high:
            middle = (low + high) // 2
            row = _FROM.one(db, middle)  # those before it may be pruned
            if row is not None and row.time < time:
                low = row.number + 1
            else:
                high = middle
        return low

    def entries(self, db: Connection, start: int, end: int, most: int = 1000) -> list[Any]:
        """So many rows of `tables.ENTRIES` from a number on."""
        query = select(ENTRIES).where(ENTRIES.c.number >= start, ENTRIES.c.number < end)
        return list(db.execute(query.order_by(ENTRIES.c.number).limit(most)))

    def open_intents(self, db: Connection, before: int) -> Iterator[tuple[str, int, int]]:
        """Event, number and time of the intents from before an instant that have no outcome."""
        query = select(OPEN).where(OPEN.c.time < before).order_by(OPEN.c.number)
        for row in db.execute(query):
            yield row.event, row.number, row.time

    def opening(self, db: Connection, event: str) -> bytes | None:
        """What opens the records of an event, if it is still there."""
        query = select(OPENINGS.c.body).where(OPENINGS.c.event == event)
        return _bytes(db.execute(query).scalar_one_or_none())

    def exhibit(self, db: Connection, digest: str) -> bytes | None:
        """The bytes of an exhibit."""
        query = select(EXHIBITS.c.body).where(EXHIBITS.c.digest == digest)
        return _bytes(db.execute(query).scalar_one_or_none())

    def exhibits(self, db: Connection, digests: Sequence[str]) -> dict[str, bytes]:
        """Those of these exhibits that are there."""
        found: dict[str, bytes] = {}
        for at in range(0, len(digests), AMONG):
            among = digests[at : at + AMONG]
            query = select(EXHIBITS.c.digest, EXHIBITS.c.body).where(EXHIBITS.c.digest.in_(among))
            found |= {row.digest: _bytes(row.body) or b"" for row in db.execute(query)}
        return found

    def forget(self, db: Connection, at: int) -> None:
        """Forget some of what time alone refuses: used keys, links' budgets, acts that counted."""
        for table in (SPENT, BUDGETS, ACTS):
            keys = list(table.primary_key)
            late = select(*keys).where(table.c.until < at - SLOW_SECONDS).limit(FORGET)
            db.execute(delete(table).where(tuple_(*keys).in_(late)))


def _bytes(value: object) -> bytes | None:
    """What a column of bytes holds, unless SQLite took it for something else: it is damaged."""
    if value is None or type(value) is bytes:
        return value
    raise error("unavailable", "a stored body is damaged")


_EVENT: Final = Prepared(
    select(ENTRIES.c.number, ENTRIES.c.type)
    .where(ENTRIES.c.event == bindparam("named"))
    .order_by(ENTRIES.c.number),
    "named",
)
_FROM: Final = Prepared(
    select(ENTRIES.c.number, ENTRIES.c.time)
    .where(ENTRIES.c.number >= bindparam("start"))
    .order_by(ENTRIES.c.number)
    .limit(literal_column("1")),
    "start",
)
_EARLIER: Final = PRUNED.alias()
_PRUNED: Final = Prepared(
    select(PRUNED.c.start, PRUNED.c.end)
    .where(
        PRUNED.c.start < bindparam("before"),
        PRUNED.c.end > bindparam("after"),
        PRUNED.c.start  # none of those before this one reaches so far
        >= select(func.coalesce(func.max(_EARLIER.c.start), literal_column("0")))
        .where(_EARLIER.c.start <= bindparam("after"))
        .scalar_subquery(),
    )
    .order_by(PRUNED.c.start),
    "before",
    "after",
)
