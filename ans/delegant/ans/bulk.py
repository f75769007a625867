"""Many rows of one table, written at once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, insert

__all__ = ["write_rows"]

_SIZES: Final = (256, 64, 16, 4, 1)
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
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            part = rows[at : at + size]
            values = tuple([row[name] for row in part for name in columns])
            db.exec_driver_sql(_many(table, columns, size), values)
            at += size


@lru_cache(64)
def _many(table: Table, columns: tuple[str, ...], size: int) -> str:
    """SQLite's statement for so many rows at once."""
    names = ", ".join(f'"{name}"' for name in columns)
    row = "(" + ", ".join("?" * len(columns)) + ")"
    return f'INSERT INTO "{table.name}" ({names}) VALUES ' + ", ".join([row] * size)  # noqa: S608


@lru_cache(64)
def _statement(
    table: Table, dialect: Dialect, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(columns))
    order = compiled.positiontup
    return str(compiled), tuple(order) if order else None
