"""Opening a registry's database by its address, and beginning and ending transactions on it.

SQLite (a path, or ``sqlite:///…``) or PostgreSQL (``postgresql://…``). Connections are kept, and
one is in the hands of one transaction at a time. Every wait is bounded, and whatever a driver
says becomes ``unavailable`` with the driver's code and none of its text, which may name
addresses, files and values.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Table, create_engine, make_url
from sqlalchemy import Engine as SqlEngine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from delegant.credentials.errors import Error, error

T = TypeVar("T")

__all__ = ["WAIT_SECONDS", "Engine", "Kept", "open_engine", "sqlite_path", "upsert"]

WAIT_SECONDS: Final = 5
"""How long to wait for another writer, or for a connection."""
KEPT: Final = 16
"""Connections that are kept while nobody uses them."""
WAL_PAGES: Final = 8000
"""Pages (4 KiB) of SQLite's write-ahead log, before it is copied into the file: a page that many
transactions change is then copied once."""
_PRAGMAS: Final = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={WAL_PAGES}",
)  # fmt: skip


def open_engine(where: Path | str, *, patient: bool = False, making: bool = True) -> Engine:
    """The database at a path or an address.

    Args:
        patient: statements may take as long as they need, for what an operator waits for.
        making: an SQLite file that is not there is made.

    Raises:
        Malformed: ``shape`` for an address that is neither SQLite's nor PostgreSQL's.
        Unavailable: ``unavailable`` when the file cannot be made, or psycopg is missing.
    """
    path = sqlite_path(where)
    if path is not None:
        return _Sqlite(path, making=making)
    try:
        url = make_url(str(where))
    except (ArgumentError, ValueError):
        raise error("shape", "the database is no address") from None  # it may hold a password
    if url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise error("shape", "a database is sqlite:///FILE or postgresql://…")
    try:
        from .postgres import Postgres  # noqa: PLC0415 - an extra
    except ImportError:
        raise error(
            "unavailable", "psycopg is not installed here: pip install '.[postgresql]'"
        ) from None
    return Postgres(url, patient=patient)


def sqlite_path(where: Path | str) -> Path | None:
    """The file of an SQLite database; None for another's address.

    Raises:
        Malformed: ``shape`` for an SQLite address without a file.
    """
    if isinstance(where, Path):
        return where
    if not where.startswith("sqlite:"):
        return None
    path = where.removeprefix("sqlite:///")
    if path in (where, "", ":memory:") or "?" in path:
        raise error("shape", "an SQLite database is sqlite:///FILE")
    return Path(path)


class Engine(ABC):
    """A database, and the connections to it that are kept.

    Raises:
        Unavailable: ``unavailable`` from a transaction, when the database does not do its part.
    """

    kind: str
    """``sqlite`` or ``postgresql``."""
    name: str
    """What people are told it is: no password in it."""
    failures: tuple[type[Exception], ...] = (SQLAlchemyError, UnicodeError)
    """What the driver raises."""

    def __init__(self, sql: SqlEngine, most: int) -> None:
        self._sql = sql  # which must not hold this: nobody would ever close it then
        self._most = most
        self._free: deque[Kept] = deque()
        self._hasty: deque[Kept] = deque()
        """Of them, those that wait for nobody."""
        self._places = threading.BoundedSemaphore(most)
        _ENGINES.add(self)
        weakref.finalize(self, _drop, self._free, self._hasty)

    @contextmanager
    def transaction(
        self, *, reading: bool = False, sequencing: bool = False
    ) -> Iterator[Connection]:
        """All of what is inside, or none of it.

        Args:
            reading: it sees one state of the database, and writes nothing.
            sequencing: no other such transaction runs beside it, in any process.
        """
        places = self._places
        if not places.acquire(timeout=WAIT_SECONDS):
            raise error("unavailable", "too many wait for the store")
        kept: Kept | None = None
        sound = False
        try:
            kept = self._begun(reading, sequencing)
            try:
                yield kept.db
            except Error:
                kept.rollback()
                sound = True
                raise
            kept.commit()
            if not reading:
                self._written(kept)
            sound = True
        except self.failures as exc:
            raise failed(exc) from None
        finally:
            if kept is not None:
                if sound and len(self._free) < KEPT:
                    self._free.append(kept)
                else:  # what failed once is not trusted again
                    kept.close()
            places.release()

    def glance(self, read: Callable[[Connection], T]) -> T:
        """What a function reads, where nobody in the way has to be waited for.

        Args:
            read: each of its statements sees a state of its own.

        Raises:
            Unavailable: ``unavailable``, also where it would have to be waited for.
        """
        kept, sound = None, False
        try:
            kept = self._glance()
            try:
                out = read(kept.db)
                sound = True
            except Error:
                sound = True
                raise
            finally:
                if kept.db.in_transaction():
                    kept.db.rollback()
        except self.failures as exc:
            raise failed(exc) from None
        finally:
            if kept is not None:
                self._hasty.append(kept) if sound else kept.close()
        return out

    def close(self) -> None:
        """Let go of the connections; the next transaction opens one again."""
        _drop(self._free, self._hasty)

    def forked(self) -> None:
        """Leave the parent's connections alone, in a child of a fork."""
        for free in (self._free, self._hasty):
            _PARENTS.extend(free)  # not even closed: that would be told on their wires
            free.clear()
        self._places = threading.BoundedSemaphore(self._most)  # its threads are not here

    @abstractmethod
    def _begun(self, reading: bool, sequencing: bool) -> Kept:
        """A connection on which a transaction has begun."""

    def _glance(self) -> Kept:
        """One to read from, if that can be had at once."""
        raise error("unavailable", "the store is elsewhere, and must be waited for")

    def _written(self, kept: Kept) -> None:
        """See that what was committed is where everybody looks; or ``unavailable``."""
        del kept

    def _opened(self, mark: object = None, sql: SqlEngine | None = None) -> Kept:
        db = (sql or self._sql).connect()
        return Kept(db, db.connection.dbapi_connection, mark)


class Kept:
    """A connection.

    Attributes:
        db, raw: SQLAlchemy's, and the driver's own.
        mark: of what file it is.
    """

    __slots__ = ("db", "mark", "raw")

    def __init__(self, db: Connection, raw: Any, mark: object) -> None:
        self.db = db
        self.raw = raw
        self.mark = mark

    def begin(self, statement: str, *, told: bool = True) -> Kept:
        """Itself, with a transaction begun on it; or closed, when that failed.

        Args:
            told: SQLAlchemy is told, which takes longer than to begin; else it finds out when it
                is first asked something, if that is ever.
        """
        try:
            if told:
                self.db.begin()
            self.raw.execute(statement)
        except BaseException:
            self.close()
            raise
        return self

    def commit(self) -> None:
        """End the transaction on it: all of it happened."""
        (self.db if self.db.in_transaction() else self.raw).commit()

    def rollback(self) -> None:
        """End the transaction on it: nothing of it happened."""
        (self.db if self.db.in_transaction() else self.raw).rollback()

    def close(self) -> None:
        """Close it; a transaction on it did not happen."""
        with suppress(Exception):
            self.db.invalidate()
        with suppress(Exception):
            self.db.close()


class _Sqlite(Engine):
    """One file. WAL and ``synchronous=FULL``: a commit survives the process and the power.

    A kept connection goes on writing into a file that was removed or replaced meanwhile, where
    nobody would ever find it. So the file is looked at before each transaction, and once more
    before anything that was written is acknowledged.
    """

    kind = "sqlite"
    failures = (*Engine.failures, sqlite3.Error)

    def __init__(self, path: Path, *, making: bool) -> None:
        self.name = str(path)
        self._path = str(path)
        try:
            if making:
                path.touch(mode=0o600)  # openings lie in it: not for others to read
        except OSError as exc:
            raise error("unavailable", f"{path}: {exc.strerror}") from None
        uri = f"file:{quote(str(path))}?mode=rw"  # what is gone is not made anew
        sql, self._quick = (
            create_engine("sqlite://", creator=partial(_connect, uri, waits), poolclass=NullPool)
            for waits in (True, False)
        )
        super().__init__(sql, 1 << 16)

    def _mark(self) -> tuple[int, ...]:
        """What the file is: another one, or one with other rights, differs."""
        try:
            found = os.stat(self._path)
        except OSError as exc:
            raise error("unavailable", f"the store is not there: {exc.strerror}") from None
        return found.st_ino, found.st_dev, found.st_mode, found.st_uid, found.st_gid

    def _begun(self, reading: bool, sequencing: bool) -> Kept:
        del sequencing  # there is one writer anyway
        kept = self._ready(self._free, self._sql)
        return kept.begin("BEGIN", told=False) if reading else kept.begin("BEGIN IMMEDIATE")

    def _glance(self) -> Kept:
        return self._ready(self._hasty, self._quick)

    def _ready(self, free: deque[Kept], sql: SqlEngine) -> Kept:
        """A connection to the file that is there now."""
        mark = self._mark()
        with suppress(IndexError):
            while (kept := free.pop()).mark != mark:
                kept.close()
            return kept
        return self._opened(mark, sql)

    def _written(self, kept: Kept) -> None:
        if self._mark() != kept.mark:
            raise error("unavailable", "the store was replaced while it was written")


_CACHE: Final = "cache_size=-8192"
"""KiB of pages kept by the one connection that waits for nobody: what leads to any row of many."""


def _connect(uri: str, waits: bool) -> sqlite3.Connection:
    out = sqlite3.connect(
        uri, uri=True, timeout=WAIT_SECONDS if waits else 0, isolation_level=None,
        check_same_thread=False, cached_statements=256,
    )  # fmt: skip
    try:
        for pragma in _PRAGMAS if waits else (*_PRAGMAS, _CACHE):
            out.execute(f"PRAGMA {pragma}")
    except BaseException:
        out.close()
        raise
    return out


def upsert(db: Connection, table: Table) -> Any:
    """An insert that may say ``on_conflict_…``: both databases have it, each its own class.

    The ``rowcount`` of its result says whether anything was written.
    """
    kind = sqlite if db.dialect.name == "sqlite" else postgresql
    return kind.insert(table).execution_options(preserve_rowcount=True)


def failed(exc: BaseException) -> Error:
    """``unavailable``, with the driver's own short code of what happened."""
    cause = getattr(exc, "orig", None) or exc
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return error("unavailable", f"the store does not answer: {code or type(cause).__name__}")


def _drop(*lists: deque[Kept]) -> None:
    for free in lists:
        with suppress(IndexError):
            while True:
                free.pop().close()


_ENGINES: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()
_PARENTS: Final[list[Kept]] = []


def _forked() -> None:
    for engine in list(_ENGINES):
        engine.forked()


os.register_at_fork(after_in_child=_forked)
