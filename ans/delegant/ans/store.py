"""The registry's rows: SQLAlchemy Core over SQLite, all of a change in one transaction.

WAL and ``synchronous=FULL``: what was acknowledged survives the process and the power. A
connection is opened for each transaction and never shared between threads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from delegant.credentials.errors import error

from .batch import Batch
from .lifecycle import Standing
from .tables import (
    CHECKPOINTS,
    EVENTS,
    LAYOUT,
    LAYOUT_VERSION,
    LEAVES,
    META,
    NAMES,
    PROVIDERS,
    SPENT,
    TILES,
)

__all__ = ["Store", "standing_of"]

BUSY_SECONDS: Final = 10
HASH: Final = 32
SLOW_SECONDS: Final = 600
"""How far the clocks of those who write may be apart, amply."""


class Store:
    """One SQLite file.

    Args:
        path: the file; it is made if it is not there.

    Raises:
        Unavailable: ``unavailable``, from every method, when the file cannot be used; from here
            also for a registry that was kept before there was a log.
    """

    def __init__(self, path: Path) -> None:
        try:  # openings lie in it: not for others to read
            path.touch(mode=0o600)
        except OSError as exc:
            raise error("unavailable", f"{path}: {exc.strerror}") from None
        self._engine, self._reader = (
            create_engine(
                f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}
            )
            for _ in range(2)
        )
        for engine, begin in ((self._engine, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
            event.listen(engine, "connect", _connected)
            event.listen(engine, "begin", _beginning(begin))
        with self.transaction() as db:
            _lay_out(db, path)

    @contextmanager
    def transaction(
        self, *, reading: bool = False, sequencing: bool = False
    ) -> Iterator[Connection]:
        """All of what is inside, or none of it; readers never wait for the writer.

        Args:
            sequencing: it may add to the log, so no other such transaction runs beside it. SQLite
                lets in one writer anyway.
        """
        del sequencing
        try:
            with (self._reader if reading else self._engine).begin() as db:
                yield db
        except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as exc:
            raise error("unavailable", f"the store does not answer: {type(exc).__name__}") from exc

    # --- names and events ----------------------------------------------------------------------

    def event(self, db: Connection, digest: str) -> Any:
        """The event of a digest, or None."""
        return db.execute(select(EVENTS).where(EVENTS.c.digest == digest)).one_or_none()

    def with_record(self, db: Connection, digest: str) -> Any:
        """The first event that carries the record of a digest, or None."""
        query = select(EVENTS).where(EVENTS.c.record == digest).order_by(EVENTS.c.leaf).limit(1)
        return db.execute(query).one_or_none()

    def name(self, db: Connection, key: str) -> Any:
        """The row of a name, or None."""
        return db.execute(select(NAMES).where(NAMES.c.key == key)).one_or_none()

    def newest(self, db: Connection, key: str) -> int | None:
        """The number of the newest event of a name, from the events themselves."""
        return db.execute(select(func.max(EVENTS.c.seq)).where(EVENTS.c.key == key)).scalar()

    def events(self, db: Connection, key: str, start: int, limit: int) -> list[Any]:
        """The events of a name from number ``start`` on, oldest first."""
        query = select(EVENTS).where(EVENTS.c.key == key, EVENTS.c.seq >= start)
        return list(db.execute(query.order_by(EVENTS.c.seq).limit(limit)))

    def names_of(self, db: Connection, agent: str, after: str = "", limit: int = 1000) -> list[str]:
        """The names of an agent, in order, beyond ``after``."""
        query = select(NAMES.c.key).where(NAMES.c.agent == agent, NAMES.c.key > after)
        return list(db.execute(query.order_by(NAMES.c.key).limit(limit)).scalars())

    def active(self, db: Connection, after: str, at: int, limit: int) -> list[Any]:
        """The rows of names that are active, in order, beyond the name ``after``."""
        query = select(NAMES).where(
            NAMES.c.key > after,
            NAMES.c.revoked.is_(False),
            NAMES.c.suspended.is_(None),
            NAMES.c.expires > at,
        )
        return list(db.execute(query.order_by(NAMES.c.key).limit(limit)))

    def put_name(
        self,
        batch: Batch,
        key: str,
        digest: str,
        name: Standing,
        *,
        expires: int | None,
        vouched: int | None,
    ) -> None:
        """Write what a name is after an event.

        Args:
            digest: of the event.
            name: as `lifecycle.step` says.
            expires, vouched: of the record the event carries, and of who vouched for it; None
                leaves them as they are.
        """
        state: dict[str, Any] = {
            "agent": name.agent,
            "epoch": name.epoch,
            "seq": name.seq,
            "last": name.last,
            "suspended": name.suspended,
            "revoked": name.revoked,
        }
        if expires is not None:
            state |= {"with_record": digest, "expires": expires}
        if vouched is not None:
            state["vouched"] = vouched
        if name.seq == 0:
            batch.put(NAMES, key=key, **state)
        else:
            batch.db.execute(update(NAMES).where(NAMES.c.key == key).values(**state))

    def vouch(self, db: Connection, agent: str, until: int) -> None:
        """Somebody was seen to answer for the agent, by a credential valid until then."""
        query = update(NAMES).where(NAMES.c.agent == agent, NAMES.c.vouched < until)
        db.execute(query.values(vouched=until))

    # --- providers ------------------------------------------------------------------------------

    def provider(self, db: Connection, label: str) -> Any:
        """The row of a provider label, lower case; or None."""
        return db.execute(select(PROVIDERS).where(PROVIDERS.c.label == label)).one_or_none()

    def owner(self, db: Connection, label: str) -> str | None:
        """Who owns a provider label."""
        row = self.provider(db, label)
        return None if row is None else str(row.organization)

    def alike(self, db: Connection, skeleton: str) -> list[Any]:
        """The labels that look like one of this skeleton."""
        return list(db.execute(select(PROVIDERS).where(PROVIDERS.c.skeleton == skeleton)))

    def bind(self, db: Connection, **row: Any) -> None:
        """Bind a provider label to an organisation."""
        db.execute(insert(PROVIDERS).values(**row))

    def providers(self) -> list[dict[str, str]]:
        """All bound labels."""
        with self.transaction(reading=True) as db:
            rows = db.execute(select(PROVIDERS).order_by(PROVIDERS.c.label))
            return [
                {"label": row.shown, "organization": row.organization, "basis": row.basis}
                for row in rows
            ]

    # --- once ----------------------------------------------------------------------------------

    def spend(self, db: Connection, key: str, until: int, at: int) -> None:
        """Accept a key once.

        Args:
            until: when it could no longer be used anyway; ``at``: now. Seconds since 1970.

        Raises:
            Conflict: ``replay``.
        """
        if db.execute(select(SPENT.c.key).where(SPENT.c.key == key)).first() is not None:
            raise error("replay", "this invocation was used before")
        self.forget(db, at)
        db.execute(insert(SPENT).values(key=key, until=until))

    def forget(self, db: Connection, at: int) -> None:
        """Forget the used keys that time alone refuses."""
        db.execute(delete(SPENT).where(SPENT.c.until < at - SLOW_SECONDS))

    # --- the log -------------------------------------------------------------------------------

    def tile(self, db: Connection, level: int, number: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile.

        Raises:
            Unavailable: ``unavailable`` when it has not so many.
        """
        query = select(TILES.c.body).where(TILES.c.level == level, TILES.c.number == number)
        body = db.execute(query).scalar_one_or_none()
        if type(body) is not bytes or len(body) < HASH * width:
            raise error("unavailable", f"tile {level}/{number} of the log is damaged")
        return body[: HASH * width]

    def put_tile(self, db: Connection, level: int, number: int, body: bytes) -> None:
        """Write a tile, in place of a narrower one."""
        where = (TILES.c.level == level, TILES.c.number == number)
        if db.execute(update(TILES).where(*where).values(body=body)).rowcount == 0:
            db.execute(insert(TILES).values(level=level, number=number, body=body))

    def leaves(self, db: Connection, start: int, count: int) -> list[bytes]:
        """So many leaves from a number on.

        Raises:
            Unavailable: ``unavailable`` when one is missing.
        """
        query = select(LEAVES).where(LEAVES.c.number >= start, LEAVES.c.number < start + count)
        rows = list(db.execute(query.order_by(LEAVES.c.number)))
        if [row.number for row in rows] != list(range(start, start + count)):
            raise error("unavailable", "a leaf of the log is missing")
        return [bytes(row.body) for row in rows]

    def leaf_count(self, db: Connection) -> int:
        """How many leaves there are."""
        newest: int | None = db.execute(select(func.max(LEAVES.c.number))).scalar()
        return 0 if newest is None else newest + 1

    def checkpoint(self, db: Connection) -> str | None:
        """The newest checkpoint."""
        query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc())
        note: str | None = db.execute(query.limit(1)).scalar_one_or_none()
        return note

    def covering(self, db: Connection, number: int) -> str | None:
        """The checkpoint that covers a leaf: with the most cosignatures, of these the smallest."""
        most: int | None = db.execute(select(func.max(CHECKPOINTS.c.cosigned))).scalar()
        for count in range(most or 0, -1, -1):
            query = select(CHECKPOINTS.c.note).where(
                CHECKPOINTS.c.cosigned == count, CHECKPOINTS.c.size > number
            )
            query = query.order_by(CHECKPOINTS.c.size).limit(1)
            note: str | None = db.execute(query).scalar_one_or_none()
            if note is not None:
                return note
        return None

    def checkpoint_of(self, db: Connection, size: int) -> str | None:
        """The checkpoint of a size."""
        query = select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == size)
        note: str | None = db.execute(query).scalar_one_or_none()
        return note

    def put_checkpoint(self, db: Connection, size: int, note: str) -> None:
        """Write the signed checkpoint of a size."""
        db.execute(insert(CHECKPOINTS).values(size=size, note=note, cosigned=0))

    def put_cosigned(self, db: Connection, size: int, note: str, cosigned: int) -> None:
        """Write the checkpoint of a size with its cosignatures."""
        where = CHECKPOINTS.c.size == size
        db.execute(update(CHECKPOINTS).where(where).values(note=note, cosigned=cosigned))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
        self._reader.dispose()


def standing_of(row: Any) -> Standing:
    """What a name's row says it is."""
    return Standing(row.agent, row.epoch, row.seq, row.last, row.suspended, bool(row.revoked))


def _lay_out(db: Connection, path: Path) -> None:
    """Make the tables in a new file; refuse those of another layout."""
    found = set(inspect(db).get_table_names())
    if not found:
        META.create_all(db)
        db.execute(insert(LAYOUT).values(version=LAYOUT_VERSION))
        return
    version = db.execute(select(func.max(LAYOUT.c.version))).scalar() if LAYOUT.name in found else 1
    if version != LAYOUT_VERSION:
        raise error(
            "unavailable",
            f"{path} is a registry of layout {version}, and this is {LAYOUT_VERSION}: layout 1 "
            "kept no log, and its events cannot be logged afterwards. Move the file away, bind "
            "the provider labels again, and have the agents register again",
        )


def _connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _beginning(statement: str) -> Callable[[Any], None]:
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(statement)

    return begin
