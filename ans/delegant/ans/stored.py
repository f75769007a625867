"""What the store says of a name, held to its signatures and to the log before it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, func, literal_column, select

from delegant.credentials import shape
from delegant.credentials.codec import JsonObject, digest, parse_object, reread
from delegant.credentials.errors import Error, error

from .leaf import NameLeaf
from .lifecycle import RANKS, Standing
from .logbook import Logbook
from .name import AnsName
from .prepared import Prepared, make_row
from .store import LOGGED, NAMED, Store, standing_of
from .tables import CHECKPOINTS, EVENTS, LEAVES, NAMES

__all__ = ["MAX_EVENT", "MAX_HISTORY", "Glance", "Named", "Shelf", "glance"]

MAX_HISTORY: Final = 1000
MAX_EVENT: Final = 2 * 1024 * 1024
ASK: Final = object()
KEPT: Final = 512
"""Events that are kept read; none is ever changed."""
_LEFT: Final = {"register": None, "update": None, "transfer": None, "resume": None}
"""Events after which nobody holds the name suspended."""


@dataclass(frozen=True, slots=True)
class Glance:
    """All that an answer about one name is made of, in one state of the store; nothing verified.

    Attributes:
        row: as `Store.name` says.
        last: as `Store.event` says of its newest event.
        note: the newest checkpoint.
        most: as `Store.cosigned` says.
    """

    row: Any
    last: Any
    note: str | None
    most: int


@dataclass(frozen=True, slots=True)
class Named:
    """A name, verified.

    Attributes:
        status: one of `lifecycle.STATES`, at the instant asked about.
        last, with_record: its newest event, and the newest that carries a record.
        last_row, record_row: their rows; ``leaf`` in them is their number in the log.
        row: of the name.
    """

    name: AnsName
    standing: Standing
    status: str
    last: JsonObject
    last_row: Any
    with_record: JsonObject
    record_row: Any
    vouched: int
    row: Any

    @property
    def record(self) -> JsonObject:
        """What the name stands for."""
        record: JsonObject = self.with_record["record"]
        return record

    @property
    def expires(self) -> int:
        """When the time of its record is over, seconds since 1970."""
        return int(self.row.expires)

    @property
    def sponsor(self) -> str:
        """Who answers for its agent, as the record says."""
        return str(self.record["sponsorship"]["sponsor"]["id"])


class Shelf:
    """The names and events of one registry, for readers.

    Raises:
        Unavailable: ``unavailable`` from every method, when what is stored does not verify.
    """

    def __init__(self, store: Store, logbook: Logbook) -> None:
        self._store = store
        self._logbook = logbook

    def named(
        self, db: Connection, key: str, at: int, row: Any = ASK, last_row: Any = ASK
    ) -> Named | None:
        """A name by its key (`AnsName.key`) at an instant; None if it was never registered.

        Args:
            row: as `Store.name` says, where that was asked already.
            last_row: likewise, what `Store.event` says of its newest event.
        """
        if row is ASK:
            row = self._store.name(db, key)
        newest = self._store.newest(db, key) if row is None else row.newest
        if newest != (None if row is None else row.seq):
            raise error("unavailable", "a stored name is not that of its newest event")
        if row is None:
            return None
        if last_row is ASK:
            last_row = self._store.event(db, row.last)
        record_row = last_row
        if row.with_record != row.last:
            record_row = self._store.event(db, row.with_record)
        last, logged = self.event(db, last_row)
        with_record = last if record_row is last_row else self.event(db, record_row)[0]
        standing = standing_of(row)
        held = (
            last["seq"] == row.seq
            and last_row.key == key
            and with_record["name"].lower() == key
            and (logged.agent, logged.epoch) == (row.agent, row.epoch)
            and standing.revoked == (last["type"] == "revoke")
            and standing.suspended == _suspended(logged, last_row)
            and with_record.get("record", {}).get("agent") == row.agent
            and row.expires == shape.time(with_record["record"]["expires"], "expires")
        )
        if not held:
            raise error("unavailable", "a stored name is damaged")
        status = standing.state(expired=at >= row.expires)
        return Named(
            logged.name, standing, status, last, last_row, with_record, record_row, row.vouched, row
        )

    def event(self, db: Connection, row: Any) -> tuple[JsonObject, NameLeaf]:
        """The event of a row and its leaf, which must be of one another."""
        try:
            if row is None:
                raise error("shape", "missing")
            event, own = _read(row.body, row.digest)
            leaf = self._logbook.leaf(db, row.leaf, row.logged)
            fits = (
                isinstance(leaf, NameLeaf)
                and own == row.digest == leaf.event
                and row.key == event["name"].lower()
                and event["name"] == leaf.json["name"]
                and event["seq"] == row.seq == leaf.seq
                and row.record == leaf.record
                and (event["agent"], event["type"]) == (leaf.agent, leaf.type)
            )
        except (Error, KeyError, TypeError, ValueError) as exc:
            told = getattr(exc, "code", type(exc).__name__)
            raise error("unavailable", f"a stored event is damaged: {told}") from None
        if not isinstance(leaf, NameLeaf) or not fits:
            raise error("unavailable", "a stored event is damaged: another than was logged")
        return event, leaf

    def proven(self, db: Connection, row: Any, most: int | None = None) -> JsonObject:
        """The receipt of an event that `event` has looked at.

        Args:
            most: what `Store.cosigned` says, where that was asked already.
        """
        return self._logbook.receipt(db, row.leaf, None, row.logged, most)

    def receipt(self, db: Connection, row: Any, *, opening: bool = False) -> JsonObject:
        """The receipt of an event; with ``opening`` for its submitter."""
        self.event(db, row)
        told: JsonObject | None = None
        if opening and row.opening is not None:
            try:
                told = parse_object(bytes(row.opening), size=MAX_EVENT)
            except (Error, TypeError, ValueError):
                raise error("unavailable", "a stored opening is damaged") from None
        return self._logbook.receipt(db, row.leaf, told, row.logged)

    def history(self, key: str, start: int = 0, limit: int = MAX_HISTORY) -> list[JsonObject]:
        """The events of a name, oldest first: ``{event, receipt}`` each.

        Raises:
            NotFound: ``ans-not-found`` for a name never registered.
        """
        with self._store.transaction(reading=True) as db:
            if self._store.name(db, key) is None:
                raise error("ans-not-found", f"{key} is not registered here")
            rows = self._store.events(db, key, start, limit)
            return [
                {"event": self.event(db, row)[0], "receipt": self.receipt(db, row)} for row in rows
            ]


def glance(db: Connection, key: str) -> Glance | None:
    """All of a name that is there, in one statement; None for one that is not there at all."""
    row = _GLANCE.one(db, key)
    if row is None:
        return None
    last = _Event(*row[_FIRST : _FIRST + len(_Event._fields)])
    return Glance(row, None if last.digest is None else last, row.note, row.most or 0)


_Event: Final = make_row("Event", LOGGED.selected_columns.keys())
_FIRST: Final = len(NAMED.selected_columns)
_NEWEST: Final = CHECKPOINTS.alias()
_GLANCE: Final = Prepared(
    NAMED.add_columns(
        *(column.label(f"last_{name}") for name, column in LOGGED.selected_columns.items()),
        select(_NEWEST.c.note)
        .order_by(_NEWEST.c.size.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
        .label("note"),
        select(func.max(CHECKPOINTS.c.cosigned)).scalar_subquery().label("most"),
    )
    .outerjoin(EVENTS, EVENTS.c.digest == NAMES.c.last)
    .outerjoin(LEAVES, LEAVES.c.number == EVENTS.c.leaf),
    "name",
)


@lru_cache(KEPT)
def _read(body: bytes, known: str) -> tuple[JsonObject, str]:
    """An event and its digest, read once for the same bytes.

    Its shape and its signatures were checked when it was taken: the digest says it is that one.
    """
    own = digest(body)
    if own != known:
        raise error("shape", "another digest")
    return reread(body), own


def _suspended(leaf: NameLeaf, row: Any) -> int | None:
    """Who holds the name suspended after its newest event, as an index of `RANKS`."""
    if leaf.type == "suspend":
        return RANKS.index(leaf.by)
    if leaf.type in _LEFT:
        return None
    rank: int | None = row.suspended  # renewing and revoking leave it as it was
    return rank
