"""A batch: the changes of one transaction, each judged alone, written together.

What the changes need to know is read for all of them with a few queries; what they add is kept
and written with one statement a table. A change that is refused leaves nothing behind: it checks
first and adds afterwards. One that touches what an earlier one of the batch wrote sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Table, delete

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time

from .bulk import write_rows
from .change import Added
from .leaf import spelled
from .log import merkle
from .tables import EVENTS, LEAVES, LISTINGS, NAMES, PROVIDERS, SPENT, TERMS

__all__ = ["Added", "Batch", "Change"]

BACKWARDS_SECONDS: Final = 30
"""A change may wait for its turn so long; its leaf then has the time of the leaf before."""
_ORDER: Final = (LEAVES, EVENTS, NAMES, SPENT, LISTINGS, TERMS)


class Change(Protocol):
    """One change that a batch is asked for; its properties are looked up beforehand."""

    @property
    def digest(self) -> str | None:
        """Of the event it is."""

    @property
    def key(self) -> str | None:
        """Of the name it is about (`AnsName.key`)."""

    @property
    def label(self) -> str | None:
        """The provider label it is about, lower case."""

    @property
    def once(self) -> str | None:
        """The key that is used once with it."""

    def add(self, batch: Batch) -> Added:
        """Check, then add; whatever this raises refuses this change alone."""
        ...

    def receipt(self, number: int, /) -> JsonObject:
        """The receipt of a change that was there already."""
        ...


class Batch:
    """One transaction that may add to the log.

    Args:
        db: the transaction.
        size: of the log before it.
        time: of the last leaf, seconds since 1970.
        changes: those that will be asked to add to it.
    """

    def __init__(self, db: Connection, size: int, time: int, changes: Sequence[Change]) -> None:
        self.db = db
        self.size = size
        self.time = time
        self.leaves: list[JsonObject] = []
        self.hashes: list[bytes] = []
        self.names: set[str] = set()
        """Those that it changes."""
        self._rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _ORDER}
        self._unlisted: set[str] = set()
        self._events = self._found(EVENTS, "digest", "leaf", changes, "digest")
        self._known = {
            *self._found(NAMES, "key", "seq", changes, "key"),
            *self._found(EVENTS, "key", "key", changes, "key"),
        }
        self._spent = set(self._found(SPENT, "key", "until", changes, "once"))
        self._owners = self._found(PROVIDERS, "label", "organization", changes, "label")

    def _found(
        self, table: Table, column: str, told: str, changes: Iterable[Change], what: str
    ) -> dict[str, Any]:
        """Of the rows that the changes ask about, one column by another."""
        asked = {getattr(change, what) for change in changes} - {None}
        if not asked:
            return {}
        values: tuple[Any, ...] = tuple(asked)
        if self.db.dialect.name == "sqlite":
            among = f"IN ({', '.join('?' * len(values))})"
        else:
            among, values = "= ANY(%s)", (list(values),)
        driver: Any = self.db.connection.driver_connection
        query = f'SELECT DISTINCT "{column}", "{told}" FROM "{table.name}" WHERE "{column}" {among}'  # noqa: S608
        return {row[0]: row[1] for row in driver.execute(query, values)}

    # --- asking ---------------------------------------------------------------------------------

    def at(self, at: int) -> None:
        """The time of the leaves that follow is this, or that of the leaf before.

        Raises:
            Unavailable: ``unavailable`` for a clock that went back.
        """
        if self.time - at > BACKWARDS_SECONDS:
            raise error("unavailable", f"the clock went back {self.time - at} seconds")
        self.time = max(self.time, at)

    def event(self, digest: str) -> int | None:
        """The leaf of an event that was written before."""
        return self._events.get(digest)

    def owner(self, label: str) -> str | None:
        """Who owns a provider label."""
        return self._owners.get(label)

    def knows(self, key: str) -> bool:
        """Whether a name was ever registered; if so, what is stored of it can be read."""
        if key in self.names:
            self.flush()
        return key in self._known

    def unspent(self, key: str) -> None:
        """A key was not used before; or ``replay``."""
        if key in self._spent:
            raise error("replay", "this invocation was used before")

    # --- adding ---------------------------------------------------------------------------------

    def log(self, leaf: JsonObject) -> int:
        """Add a leaf, to which the time is added; its number."""
        whole = leaf | {"time": format_time(self.time)}
        data = spelled(whole)
        number = self.size + len(self.hashes)
        self._rows[LEAVES.name].append({"number": number, "body": data})
        self.leaves.append(whole)
        self.hashes.append(merkle.leaf_hash(data))
        return number

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        """Add rows; all of a table have the same columns."""
        self._rows[table.name].extend(rows)

    def touch(self, key: str, digest: str, number: int) -> None:
        """A name has changed, by an event with this leaf."""
        self.names.add(key)
        self._known.add(key)
        self._events[digest] = number

    def spend(self, key: str, until: int) -> None:
        """A key is used now."""
        self._spent.add(key)
        self.put(SPENT, {"key": key, "until": until})

    def unlist(self, key: str) -> None:
        """What is searched of a name is made anew."""
        self._unlisted.add(key)

    def bound(self, label: str, organization: str) -> None:
        """A provider label has an owner now."""
        self._owners[label] = organization

    def flush(self) -> None:
        """Write what was added, for others of the transaction to see."""
        if self._unlisted:
            for table in (TERMS, LISTINGS):
                self.db.execute(delete(table).where(table.c.key.in_(self._unlisted)))
            self._unlisted.clear()
        for table in _ORDER:
            rows = self._rows[table.name]
            if rows:
                write_rows(self.db, table, rows)
                rows.clear()
