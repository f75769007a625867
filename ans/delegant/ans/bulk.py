"""Rows of one table, written at once, by statements that are made once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Dialect, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["replace_row", "write_rows"]

_Statement: TypeAlias = tuple[str, tuple[str, ...] | None]

_SIZES: Final = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement: few sizes, so that each is compiled once."""


def write_rows(db: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """All rows of a table, by the driver's own statement for many.

    SQLite's driver lets other threads run at every step it takes, and each time must wait for its
    turn again; so there many rows are one step.
    """
    columns = tuple(rows[0])
    if db.dialect.name != "sqlite":
        text, names = _statement(table, db.dialect, columns)
        told = rows if names is None else [tuple([row[name] for name in names]) for row in rows]
        db.exec_driver_sql(text, told)
        return
    driver: Any = db.connection.driver_connection
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            part = rows[at : at + size]
            values = tuple([row[name] for row in part for name in columns])
            driver.execute(_many(table, columns, size), values)
            at += size


def replace_row(db: Connection, table: Table, row: dict[str, Any]) -> None:
    """A row, in place of the one that has its key, if there is one."""
    text, names = _replacing(table, db.dialect, tuple(row))
    db.exec_driver_sql(text, row if names is None else tuple([row[name] for name in names]))


@lru_cache(128)
def _many(table: Table, columns: tuple[str, ...], size: int) -> str:
    """SQLite's statement for so many rows at once."""
    names = ", ".join(f'"{name}"' for name in columns)
    row = "(" + ", ".join("?" * len(columns)) + ")"
    return f'INSERT INTO "{table.name}" ({names}) VALUES ' + ", ".join([row] * size)  # noqa: S608


@lru_cache(64)
def _statement(table: Table, dialect: Dialect, columns: tuple[str, ...]) -> _Statement:
    return _compiled(insert(table), dialect, columns)


@lru_cache(64)
def _replacing(table: Table, dialect: Dialect, columns: tuple[str, ...]) -> _Statement:
    kind: Any = sqlite if dialect.name == "sqlite" else postgresql
    keys = [column.name for column in table.primary_key]
    made = kind.insert(table)
    rest = {name: made.excluded[name] for name in columns if name not in keys}
    made = made.on_conflict_do_update(index_elements=keys, set_=rest)
    return _compiled(made, dialect, columns)


def _compiled(made: Any, dialect: Dialect, columns: tuple[str, ...]) -> _Statement:
    """The text, and in which order it takes the columns; None: by their names."""
    compiled = made.compile(dialect=dialect, column_keys=list(columns))
    order = compiled.positiontup
    return str(compiled), tuple(order) if order else None
