"""The registry's rows: SQLAlchemy Core over SQLite, every event in one transaction.

WAL and ``synchronous=FULL``: what was acknowledged survives the process and the power. A
connection is opened for each transaction and never shared between threads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from delegant.credentials.errors import error

__all__ = ["Store"]

_META = MetaData()
PROVIDERS = Table(
    "providers",
    _META,
    Column("label", String, primary_key=True),
    Column("shown", String, nullable=False),
    Column("organization", String, nullable=False),
)
NAMES = Table(
    "names",
    _META,
    Column("key", String, primary_key=True),
    Column("agent", String, nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("last", String, nullable=False),
    Column("with_record", String, nullable=False),
)
EVENTS = Table(
    "events",
    _META,
    Column("digest", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("sponsorship", LargeBinary, nullable=False),
    UniqueConstraint("key", "seq"),
)
SPENT = Table(
    "spent",
    _META,
    Column("key", String, primary_key=True),
    Column("until", Integer, nullable=False),
)


class Store:
    """One SQLite file.

    Args:
        path: the file; it is made if it is not there.

    Raises:
        Unavailable: ``unavailable``, from every method, when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        try:  # sponsorships lie in it: not for others to read
            path.touch(mode=0o600)
        except OSError as exc:
            raise error("unavailable", f"{path}: {exc.strerror}") from None
        self._engine, self._reader = (
            create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 10})
            for _ in range(2)
        )
        for engine, begin in ((self._engine, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
            event.listen(engine, "connect", _connected)
            event.listen(engine, "begin", _beginning(begin))
        with self.transaction() as db:
            _META.create_all(db)

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Connection]:
        """All of what is inside, or none of it; readers never wait for the writer."""
        try:
            with (self._reader if reading else self._engine).begin() as db:
                yield db
        except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as exc:
            raise error("unavailable", f"the store does not answer: {type(exc).__name__}") from exc

    def event(self, db: Connection, digest: str) -> Any:
        """The event of a digest, or None."""
        return db.execute(select(EVENTS).where(EVENTS.c.digest == digest)).one_or_none()

    def name(self, db: Connection, key: str) -> Any:
        """The row of a name, or None."""
        return db.execute(select(NAMES).where(NAMES.c.key == key)).one_or_none()

    def newest(self, db: Connection, key: str) -> int | None:
        """The number of the newest event of a name, from the events themselves."""
        return db.execute(select(func.max(EVENTS.c.seq)).where(EVENTS.c.key == key)).scalar()

    def names_of(self, db: Connection, agent: str) -> list[str]:
        """The names of an agent."""
        rows = db.execute(select(NAMES.c.key).where(NAMES.c.agent == agent).order_by(NAMES.c.key))
        return list(rows.scalars())

    def append(
        self,
        db: Connection,
        row: dict[str, Any],
        *,
        agent: str,
        carries_record: bool,
        spent: tuple[str, int],
    ) -> None:
        """Write an event with what follows from it: the name's state, the spent invocation.

        Raises:
            Conflict: ``replay`` when the invocation was used before, ``stale-version``.
        """
        try:
            db.execute(insert(SPENT).values(key=spent[0], until=spent[1]))
        except IntegrityError:
            raise error("replay", "this invocation was used before") from None
        try:
            db.execute(insert(EVENTS).values(**row))
            state = {"seq": row["seq"], "last": row["digest"]}
            if carries_record:
                state["with_record"] = row["digest"]
            if row["seq"] == 0:
                db.execute(insert(NAMES).values(key=row["key"], agent=agent, **state))
            else:
                db.execute(update(NAMES).where(NAMES.c.key == row["key"]).values(**state))
        except IntegrityError:
            raise error("stale-version", "the name changed meanwhile") from None

    def bind(self, label: str, shown: str, organization: str) -> None:
        """Bind a provider label to an organisation.

        Raises:
            Conflict: ``name-taken`` when another has it.
        """
        with self.transaction() as db:
            owner = self.owner(db, label)
            if owner is None:
                db.execute(
                    insert(PROVIDERS).values(label=label, shown=shown, organization=organization)
                )
            elif owner != organization:
                raise error("name-taken", f"{shown} belongs to {owner}")

    def owner(self, db: Connection, label: str) -> str | None:
        """Who owns a provider label."""
        query = select(PROVIDERS.c.organization).where(PROVIDERS.c.label == label)
        return db.execute(query).scalar_one_or_none()

    def providers(self) -> list[dict[str, str]]:
        """All bound labels."""
        with self.transaction(reading=True) as db:
            rows = db.execute(select(PROVIDERS).order_by(PROVIDERS.c.label))
            return [{"label": row.shown, "organization": row.organization} for row in rows]

    def spend(self, key: str, until: int) -> None:
        """Accept a key once.

        Raises:
            Conflict: ``replay``.
        """
        with self.transaction() as db:
            try:
                db.execute(insert(SPENT).values(key=key, until=until))
            except IntegrityError:
                raise error("replay", "this invocation was used before") from None

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
        self._reader.dispose()


def _connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _beginning(statement: str) -> Callable[[Any], None]:
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(statement)

    return begin
