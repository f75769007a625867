"""Statements that are asked for every answer: compiled once, put to the driver itself."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Select

__all__ = ["Prepared"]

make_row: Any = namedtuple
"""Its fields come from a query, where types cannot follow."""


_Text: TypeAlias = tuple[str, "tuple[str, ...] | None", dict[str, Any]]
"""The text, where its parameters stand (None: they have names), those with a value."""


class Prepared:
    """A query with bound parameters, which takes its values in their order.

    Args:
        query: whose columns have names of their own.
        order: of its parameters.

    Raises:
        From `one` and `all`, what the driver raises: a transaction makes it ``unavailable``.
    """

    def __init__(self, query: Select[*tuple[Any, ...]], *order: str) -> None:
        self._query = query
        self._order = order
        self._row = make_row("Row", [column.name for column in query.selected_columns])
        self._texts: dict[str, _Text] = {}

    def one(self, db: Connection, *values: Any) -> Any:
        """The first row, or None."""
        found = self._asked(db, values).fetchone()
        return None if found is None else self._row(*found)

    def all(self, db: Connection, *values: Any) -> list[Any]:
        """All rows."""
        return [self._row(*row) for row in self._asked(db, values).fetchall()]

    def _asked(self, db: Connection, values: tuple[Any, ...]) -> Any:
        text, places, own = self._texts.get(db.dialect.name) or self._compiled(db.dialect)
        told: Any = values
        if own or places != self._order:
            given = own | dict(zip(self._order, values, strict=True))
            told = given if places is None else [given[place] for place in places]
        connection: Any = db.connection.driver_connection
        return connection.execute(text, told)

    def _compiled(self, dialect: Dialect) -> _Text:
        compiled = self._query.compile(dialect=dialect)
        own = {name: value for name, value in compiled.params.items() if value is not None}
        places = compiled.positiontup
        made = str(compiled), None if places is None else tuple(places), own
        self._texts[dialect.name] = made
        return made
