"""Rows by many keys at once, by statements that are made once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection

__all__ = ["rows_among"]

MOST: Final = 256
"""Keys in one statement of SQLite, whose parameters have an end."""


def rows_among(
    db: Connection, by: Column[Any], names: Iterable[str], *more: Column[Any]
) -> list[tuple[Any, ...]]:
    """The rows whose column is one of these names: that column, then the others asked for.

    Raises:
        What the driver raises: a transaction makes it ``unavailable``.
    """
    asked = list(names)
    if not asked:
        return []
    driver: Any = db.connection.driver_connection
    columns = (by.name, *[one.name for one in more])
    if db.dialect.name != "sqlite":
        return list(driver.execute(_any(by.table.name, columns), [asked]).fetchall())
    out: list[tuple[Any, ...]] = []
    for at in range(0, len(asked), MOST):
        part = asked[at : at + MOST]
        size = 1 << (len(part) - 1).bit_length()  # few sizes, so that each is compiled once
        part += part[-1:] * (size - len(part))
        out += driver.execute(_in(by.table.name, columns, size), part).fetchall()
    return out


@lru_cache(64)
def _in(table: str, columns: tuple[str, ...], size: int) -> str:
    return f"{_select(table, columns)} IN ({', '.join('?' * size)})"


@lru_cache(64)
def _any(table: str, columns: tuple[str, ...]) -> str:
    return f"{_select(table, columns)} = ANY(%s)"


def _select(table: str, columns: tuple[str, ...]) -> str:
    told = ", ".join(f'"{name}"' for name in columns)
    return f'SELECT {told} FROM "{table}" WHERE "{columns[0]}"'  # noqa: S608 - names of our own
