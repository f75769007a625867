"""The rows of a log: its leaves, the tiles of its tree, and its checkpoints."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from delegant.credentials.errors import error

from .bulk import replace_row, write_rows
from .engine import Engine
from .prepared import Prepared

__all__ = ["LogStore", "LogTables"]

HASH: Final = 32


class LogTables:
    """The tables of one log, and what is asked of them again and again.

    Args:
        leaves: of ``number`` and ``body``, and perhaps more.
        tiles: of ``level``, ``number`` and ``body``.
        checkpoints: of ``size``, ``note`` and ``cosigned``, by how many witnesses.
    """

    def __init__(self, leaves: Table, tiles: Table, checkpoints: Table) -> None:
        self.leaves = leaves
        self.tiles = tiles
        self.checkpoints = checkpoints
        at = leaves.c.number
        self.span = Prepared(
            select(at, leaves.c.body)
            .where(at >= bindparam("start"), at < bindparam("end"))
            .order_by(at),
            "start",
            "end",
        )
        self.most = Prepared(select(func.max(at).label("number")))
        self.tile = Prepared(
            select(tiles.c.body).where(
                tiles.c.level == bindparam("of_level"), tiles.c.number == bindparam("at")
            ),
            "of_level",
            "at",
        )
        size, count = checkpoints.c.size, checkpoints.c.cosigned
        self.newest = Prepared(
            select(checkpoints.c.note).order_by(size.desc()).limit(literal_column("1"))
        )
        self.cosigned = Prepared(select(func.max(count).label("most")))
        before = checkpoints.alias()
        self.covering = Prepared(
            select(
                size,
                checkpoints.c.note,
                select(func.max(before.c.size))
                .where(before.c.cosigned == bindparam("by"), before.c.size <= bindparam("leaf"))
                .scalar_subquery()
                .label("after"),
            )
            .where(count == bindparam("too"), size > bindparam("beyond"))
            .order_by(size)
            .limit(literal_column("1")),
            "by",
            "leaf",
            "too",
            "beyond",
        )


class LogStore:
    """The rows of one log.

    Args:
        engine: the database.
        log: its tables, which are there.

    Raises:
        Unavailable: ``unavailable``, from every method, when the database cannot be used.
    """

    def __init__(self, engine: Engine, log: LogTables) -> None:
        self.engine = engine
        self.log = log

    def transaction(
        self, *, reading: bool = False, sequencing: bool = False
    ) -> AbstractContextManager[Connection]:
        """All of what is inside, or none of it; readers never wait for the writer.

        Args:
            reading: it sees one state of the store, and writes nothing.
            sequencing: it may add to the log, so no other such transaction runs beside it, in
                any process.
        """
        return self.engine.transaction(reading=reading, sequencing=sequencing)

    def close(self) -> None:
        """Let go of the connections; the next transaction opens one again."""
        self.engine.close()

    def tile(self, db: Connection, level: int, number: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile.

        Raises:
            Unavailable: ``unavailable`` when it has not so many.
        """
        body = self.whole_tile(db, level, number)
        if type(body) is not bytes or len(body) < HASH * width:
            raise error("unavailable", f"tile {level}/{number} of the log is damaged")
        return body if len(body) == HASH * width else body[: HASH * width]

    def whole_tile(self, db: Connection, level: int, number: int) -> bytes | None:
        """All hashes there are of a tile; None where there is none."""
        row = self.log.tile.one(db, level, number)
        return None if row is None else row.body

    def put_tile(self, db: Connection, level: int, number: int, body: bytes) -> None:
        """Write a tile, in place of a narrower one."""
        replace_row(db, self.log.tiles, {"level": level, "number": number, "body": body})

    def leaves(self, db: Connection, start: int, count: int) -> list[bytes]:
        """So many leaves from a number on.

        Raises:
            Unavailable: ``unavailable`` when one is missing.
        """
        rows = self.log.span.all(db, start, start + count)
        if [row.number for row in rows] != list(range(start, start + count)):
            raise error("unavailable", "a leaf of the log is missing")
        if any(type(row.body) is not bytes for row in rows):
            raise error("unavailable", "a leaf of the log is damaged")
        return [row.body for row in rows]

    def leaf_count(self, db: Connection) -> int:
        """How many leaves there are."""
        newest: int | None = self.log.most.one(db).number
        return 0 if newest is None else newest + 1

    def checkpoint(self, db: Connection) -> str | None:
        """The newest checkpoint."""
        row = self.log.newest.one(db)
        return None if row is None else str(row.note)

    def cosigned(self, db: Connection) -> int:
        """The most witnesses that cosigned any one checkpoint."""
        found: int | None = self.log.cosigned.one(db).most
        return found or 0

    def covering(self, db: Connection, number: int, cosigned: int = 0) -> Any:
        """The smallest checkpoint that covers a leaf, of those that so many witnesses cosigned.

        Its ``size`` and ``note``, and ``after``: no smaller one covers any leaf from there on.
        """
        return self.log.covering.one(db, cosigned, number, cosigned, number)

    def checkpoint_of(self, db: Connection, size: int) -> str | None:
        """The checkpoint of a size."""
        table = self.log.checkpoints
        note: str | None = db.execute(
            select(table.c.note).where(table.c.size == size)
        ).scalar_one_or_none()
        return note

    def put_checkpoint(self, db: Connection, size: int, note: str) -> None:
        """Write the signed checkpoint of a size."""
        write_rows(db, self.log.checkpoints, [{"size": size, "note": note, "cosigned": 0}])

    def put_cosigned(self, db: Connection, size: int, note: str, cosigned: int) -> None:
        """Write the checkpoint of a size with its cosignatures."""
        where = self.log.checkpoints.c.size == size
        db.execute(update(self.log.checkpoints).where(where).values(note=note, cosigned=cosigned))
