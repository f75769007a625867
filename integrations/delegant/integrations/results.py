"""Counting what comes back, in the shapes that results usually have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delegant.credentials.verdict import Limit

__all__ = ["counted"]


def counted(result: Any, limits: Limit | None) -> dict[str, Any]:
    """What `Act.result` is to be told of a result, as far as it is limited and can be counted.

    A list or tuple has so many rows, each of which may be a mapping with columns; one mapping is
    one row, None is none. Text and bytes have bytes. What cannot be counted is left out, and so
    refused where it is limited.
    """
    if limits is None:
        return {}
    out: dict[str, Any] = {}
    rows = _rows(result)
    if limits.rows is not None and rows is not None:
        out["rows"] = len(rows)
    if limits.columns is not None and rows is not None and all(map(_named, rows)):
        out["columns"] = frozenset(str(name) for row in rows for name in row)
    if limits.bytes is not None and isinstance(result, str | bytes):
        out["bytes"] = len(result.encode() if isinstance(result, str) else result)
    return out


def _rows(result: Any) -> list[Any] | None:
    if result is None:
        return []
    if isinstance(result, Mapping):
        return [result]
    if isinstance(result, list | tuple):
        return list(result)
    return None


def _named(row: Any) -> bool:
    return isinstance(row, Mapping)
