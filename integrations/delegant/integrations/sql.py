"""Reading from a database under a permit: the query is narrowed, and what comes back is counted.

    with point.acting(presented, evidence, request) as act:
        return read(db, select(PAPERS.c.title), act, filters={"topic": PAPERS.c.topic})

Columns that the chain does not name are not asked for; rows that its arguments exclude are not
found; no more rows come back than it allows. The database does it, so what is withheld never
leaves it. The query itself is the program's own: nothing presented is put into its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select

from delegant.credentials.errors import error
from delegant.governance.enforcing import Act

__all__ = ["narrowed", "read"]

Filters = Mapping[str, ColumnElement[Any]]
_NONE: Final[Filters] = {}


def narrowed(query: Select[Any], act: Act, filters: Filters = _NONE) -> Select[Any]:
    """A query for no more than a permit allows: its columns, and rows by its arguments.

    Args:
        filters: which column an argument's name stands for.

    Raises:
        Rejected: ``constraint`` where no column is left, or where an argument is limited and
            nothing says which column it is.
    """
    rules = act.authority.json.get("constraints", {}).get("arguments", {})
    for name, rule in sorted(rules.items()):
        if name not in filters:
            raise error(
                "constraint", f"nothing says which column {name} is", dimension=f"arguments.{name}"
            )
        query = query.where(_holds(filters[name], rule))
    allowed = None if act.limits is None else act.limits.columns
    if allowed is not None:
        kept = [column for column in query.selected_columns if column.key in allowed]
        if not kept:
            raise error("constraint", "no column is left that is allowed", dimension="columns")
        query = query.with_only_columns(*kept)
    return query


def read(
    db: Connection,
    query: Select[Any],
    act: Act,
    *,
    filters: Filters = _NONE,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The rows of a narrowed query, counted and held to the permit.

    Args:
        limit: of the caller's own; the smaller one holds.

    Raises:
        Rejected: ``constraint``.
    """
    query = narrowed(query, act, filters)
    limits = act.limits
    own = None if limits is None else limits.rows
    most = [one for one in (limit, own) if one is not None]
    if most:
        query = query.limit(min(most))
    found = [dict(row) for row in db.execute(query).mappings()]
    columns = frozenset(str(column.key) for column in query.selected_columns)
    size = None
    if limits is not None and limits.bytes is not None:
        size = len(json.dumps(found, default=str, ensure_ascii=False).encode())
    act.result(rows=len(found), columns=columns, bytes=size)
    return found


def _holds(column: ColumnElement[Any], rule: Mapping[str, Any]) -> ColumnElement[bool]:
    if "range" in rule:
        low, high = (
            Decimal(one) if isinstance(one, str) else one
            for one in (rule["range"]["min"], rule["range"]["max"])
        )
        return column.between(low, high)
    return column == rule["eq"] if "eq" in rule else column.in_(rule["in"])
