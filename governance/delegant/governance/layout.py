"""Making the tables of an audit log, and the partitions of PostgreSQL's, a month each."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.schema import CreateTable

from delegant.credentials.errors import error
from delegant.credentials.shape import LAST_SECOND

from .tables import ENTRIES, LAYOUT, LAYOUT_VERSION, LEDGER, META

__all__ = ["month", "partition", "ready", "sound"]


def ready(db: Connection, log: str, *, making: bool = True) -> None:
    """Make the tables where there are none; refuse those of another log or layout.

    Args:
        log: the DID whose log it is.
        making: False refuses where there are none.

    Raises:
        Unavailable: ``unavailable``. NotFound: ``not-found``.
    """
    if LAYOUT.name not in inspect(db).get_table_names():
        if not making:
            raise error("not-found", "the database has no audit log")
        if db.dialect.name == "postgresql":
            _partitioned(db)
        META.create_all(db)
        db.execute(insert(LAYOUT).values(version=LAYOUT_VERSION, log=log))
        return
    found = db.execute(select(LAYOUT)).one_or_none()
    if found is None or found.version != LAYOUT_VERSION:
        raise error("unavailable", "the database has an audit log of another layout")
    if found.log != log:
        raise error("unavailable", f"the database has the audit log of {found.log}")


def sound(db: Connection) -> None:
    """See that SQLite's ledger is undamaged: each row against each of its indexes.

    The log proves itself; what was spent would just be another number, or would not be found.
    A server has its own checksums.

    Raises:
        Unavailable: ``unavailable``.
    """
    if db.dialect.name != "sqlite":
        return
    for table in LEDGER:
        found = db.exec_driver_sql(f"PRAGMA integrity_check({table.name})").scalars().first()
        if found != "ok":
            raise error("unavailable", f"the ledger is damaged: {table.name}")


def month(time: int) -> tuple[str, int, int]:
    """The month of an instant: ``2026_11``, its first second, and the next one's."""
    at = datetime.fromtimestamp(time, UTC)
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = int(first.timestamp())
    if (first.year, first.month) == (9999, 12):  # no month follows it
        return f"{first:%Y_%m}", start, LAST_SECOND + 1
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return f"{first:%Y_%m}", start, int(following.timestamp())


def partition(db: Connection, time: int) -> None:
    """See that PostgreSQL has a partition for entries of an instant."""
    name, first, end = month(time)
    db.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {ENTRIES.name}_{name} PARTITION OF {ENTRIES.name} "
        f"FOR VALUES FROM ({first}) TO ({end})"
    )


def _partitioned(db: Connection) -> None:
    """A partitioned table's key must hold what it is partitioned by."""
    text = str(CreateTable(ENTRIES).compile(dialect=db.dialect)).strip()
    key = "PRIMARY KEY (number)"
    assert key in text  # noqa: S101 - of our own table
    db.exec_driver_sql(
        f"{text.replace(key, 'PRIMARY KEY (number, time)')} PARTITION BY RANGE (time)"
    )
    for index in sorted(ENTRIES.indexes, key=lambda one: str(one.name)):
        index.create(db)
