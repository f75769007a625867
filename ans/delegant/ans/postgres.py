"""Connections to PostgreSQL of which none waits for ever: needs the extra ``postgresql``."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from functools import partial
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from .engine import Engine, Kept

__all__ = ["Postgres"]

T = TypeVar("T")

STATEMENT_MS: Final = 4000
LOCK_MS: Final = 3500
IDLE_MS: Final = 3000
"""A transaction whose process hangs is ended by the server, so that its locks are free before
others give up waiting for them."""
STILL_SECONDS: Final = 2
"""A sequencer that has done nothing for so long, when others have waited in vain, is ended."""
SILENT_SECONDS: Final = 6
"""A server that has not said anything to a statement for so long will not."""
MOST: Final = 32
"""Connections that one process has open."""
LOCK_CLASS: Final = 0x444C4754
"""Of our advisory locks; the other half is the schema, so each registry has its own."""
_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_SEQUENCE: Final = (
    f"{_WRITE}; SELECT pg_advisory_xact_lock({LOCK_CLASS}, hashtext(current_schema()))"
)
_EVICT: Final = """
SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objsubid = 2
AND l.objid = (hashtext(current_schema())::bigint & 4294967295)::oid
AND a.datname = current_database()
AND a.state_change < clock_timestamp() - make_interval(secs => %s)
"""
_GONE: Final = frozenset({None, "57P01", "57P02", "57P05", "25P03", "08003", "08006"})
"""What a statement is told on a connection that the server ended; None: nothing at all."""
_SETTINGS: Final = {
    "statement_timeout": STATEMENT_MS,
    "lock_timeout": LOCK_MS,
    "idle_in_transaction_session_timeout": IDLE_MS,
    "tcp_keepalives_idle": 2,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 2,
    "tcp_user_timeout": STATEMENT_MS,
    "synchronous_commit": "on",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}
"""Of each session, whatever the server's or the role's own are. ``synchronous_commit``: what was
acknowledged survives the power; a server that replicates may be stricter still."""
_PATIENT: Final = {
    "statement_timeout": 0,
    "lock_timeout": 0,
    "idle_in_transaction_session_timeout": 60_000,
}
_CLIENT: Final[dict[str, Any]] = {
    "connect_timeout": 4,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": STATEMENT_MS,
    "client_encoding": "utf-8",
}


class _Bounded(psycopg.Connection[Any]):
    """A connection that fails when its server falls silent, where TCP alone would wait on."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **more: Any) -> T:
        return super().wait(_until(gen, time.monotonic() + SILENT_SECONDS), *args, **more)


def _until(gen: Generator[Any, Any, T], end: float) -> Generator[Any, Any, T]:
    """The same, but it fails when it still waits at an instant (of the monotonic clock)."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > end:
                raise psycopg.errors.QueryCanceled("the server is silent")
            wanted = gen.send(ready)
    except StopIteration as done:
        out: T = done.value
        return out


class Postgres(Engine):
    """A PostgreSQL database: many processes, one of which at a time adds to the log.

    Args:
        url: what libpq is to connect to; its query holds more of libpq's parameters.
        patient: statements may take as long as they need.
    """

    kind = "postgresql"
    name = "the PostgreSQL database"
    failures = (*Engine.failures, psycopg.Error)

    def __init__(self, url: URL, *, patient: bool = False) -> None:
        given = _CLIENT | {
            "host": url.host, "port": url.port, "user": url.username,
            "password": url.password, "dbname": url.database,
        } | {
            name: value if isinstance(value, str) else value[-1]
            for name, value in url.query.items()
        }  # fmt: skip
        known = {name: value for name, value in given.items() if value is not None}
        settings = _SETTINGS | (_PATIENT if patient else {})
        kind = psycopg.Connection if patient else _Bounded
        sql = create_engine(
            "postgresql+psycopg://", creator=partial(_connect, kind, known, settings),
            poolclass=NullPool, use_native_hstore=False,
        )  # fmt: skip
        super().__init__(sql, MOST)

    def _begun(self, reading: bool, sequencing: bool) -> Kept:
        if reading:
            return self._ready("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if not sequencing:
            return self._ready(_WRITE)
        try:
            return self._ready(_SEQUENCE)
        except psycopg.errors.LockNotAvailable:
            self._evict()
            return self._ready(_SEQUENCE)

    def _evict(self) -> None:
        """End the sequencer that holds everybody up.

        The server does it by itself only where it knows that the client is to speak next. After
        a pipeline (many rows at once) that ends in a flush it does not.
        """
        kept = self._opened()
        try:
            kept.raw.execute(_EVICT, (LOCK_CLASS, STILL_SECONDS))
        finally:
            kept.close()

    def _ready(self, begin: str) -> Kept:
        while True:
            try:
                kept = self._free.pop()
            except IndexError:
                return self._opened().begin(begin)
            try:
                return kept.begin(begin)
            except psycopg.OperationalError as exc:
                if exc.sqlstate not in _GONE:
                    raise
                # A server that went away meanwhile began nothing, so it is begun anew.


def _connect(
    kind: type[psycopg.Connection[Any]], given: dict[str, Any], settings: dict[str, Any]
) -> psycopg.Connection[Any]:
    own = f"delegant-{os.getpid()}"  # for whoever asks the server who holds what
    told: dict[str, Any] = {"application_name": own} | given
    out = kind.connect(autocommit=True, **told)  # BEGIN is ours
    try:
        calls = ", ".join("set_config(%s, %s, false)" for _ in settings)
        out.execute(f"SELECT {calls}", [str(x) for one in settings.items() for x in one])
        if out.info.parameter_status("server_encoding") != "UTF8":
            raise psycopg.DataError("the database is not in UTF-8")
    except BaseException:
        out.close()
        raise
    return out
