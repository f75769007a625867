"""The registry's rows: SQLAlchemy Core, all of a change in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from delegant.credentials.errors import Error, error

from . import layouts
from .batch import Batch
from .engine import open_engine, upsert
from .leaf import NameLeaf, parse_leaf
from .lifecycle import Standing
from .prepared import Prepared
from .tables import (
    CHECKPOINTS,
    EVENTS,
    HEALTH,
    LEAVES,
    LISTINGS,
    NAMES,
    PROVIDERS,
    SPENT,
    TILES,
)

__all__ = ["LOGGED", "NAMED", "Store", "standing_of"]

HASH: Final = 32
MOST_EVENTS: Final = 2**31 - 1
"""The number of an event is no larger: a database refuses to compare it with one that is."""
FORGET: Final = 100
"""Most keys that are forgotten when one is accepted."""
SLOW_SECONDS: Final = 600
"""How far the clocks of those who write may be apart, amply."""


class Store:
    """The rows of one registry.

    Args:
        where: an SQLite file, made if it is not there; or an address, ``sqlite:///FILE`` or
            ``postgresql://…``.
        patient: statements may take as long as they need, for what an operator waits for.

    Raises:
        Malformed: ``shape`` for any other address.
        Unavailable: ``unavailable``, from every method, when the database cannot be used; from
            here also for the rows of another layout.
    """

    def __init__(self, where: Path | str, *, patient: bool = False) -> None:
        self.engine = open_engine(where, patient=patient)
        with self.transaction(sequencing=True) as db:
            layouts.ready(db, self.engine.name)

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

    # --- names and events ----------------------------------------------------------------------

    def event(self, db: Connection, digest: str) -> Any:
        """The event of a digest, with its leaf as ``logged``; or None."""
        return _EVENT.one(db, digest)

    def with_record(self, db: Connection, digest: str) -> Any:
        """The first event that carries the record of a digest, or None."""
        query = LOGGED.where(EVENTS.c.record == digest).order_by(EVENTS.c.leaf).limit(1)
        return db.execute(query).one_or_none()

    def name(self, db: Connection, key: str) -> Any:
        """The row of a name, or None.

        Besides its columns it has ``newest``, the number of the newest of its events; what
        ``health`` and ``listings`` have of it: ``beat_agent``, ``beat_status``, ``beat_at``,
        ``beat_issued``, ``attestations``.
        """
        return _NAME.one(db, key)

    def newest(self, db: Connection, key: str) -> int | None:
        """The number of the newest event of a name, from the events themselves."""
        return db.execute(select(func.max(EVENTS.c.seq)).where(EVENTS.c.key == key)).scalar()

    def events(self, db: Connection, key: str, start: int, limit: int) -> list[Any]:
        """The events of a name from number ``start`` on, oldest first."""
        if start > MOST_EVENTS:
            return []
        query = LOGGED.where(EVENTS.c.key == key, EVENTS.c.seq >= start)
        return list(db.execute(query.order_by(EVENTS.c.seq).limit(limit)))

    def names_of(self, db: Connection, agent: str, after: str = "", limit: int = 1000) -> list[str]:
        """The names of an agent, in order, beyond ``after``."""
        query = select(NAMES.c.key).where(NAMES.c.agent == agent, NAMES.c.key > after)
        return list(db.execute(query.order_by(NAMES.c.key).limit(limit)).scalars())

    def active(
        self,
        db: Connection,
        after: str,
        at: int,
        limit: int,
        agents: Collection[str] | None = None,
    ) -> list[Any]:
        """The rows of names that are active, in order, beyond the name ``after``.

        Args:
            agents: only theirs, and those that nobody was seen to answer for of late.
        """
        query = select(NAMES).where(
            NAMES.c.key > after,
            NAMES.c.revoked.is_(False),
            NAMES.c.suspended.is_(None),
            NAMES.c.expires > at,
        )
        if agents is not None:
            query = query.where(or_(NAMES.c.vouched <= at, NAMES.c.agent.in_(agents)))
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
            batch.put(NAMES, {"key": key, **state})
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
        self.forget(db, at)
        row = upsert(db, SPENT).values(key=key, until=until)
        if db.execute(row.on_conflict_do_nothing()).rowcount == 0:
            raise error("replay", "this invocation was used before")

    def forget(self, db: Connection, at: int) -> None:
        """Forget some of the used keys that time alone refuses."""
        late = select(SPENT.c.key).where(SPENT.c.until < at - SLOW_SECONDS).limit(FORGET)
        late = late.with_for_update(skip_locked=True)  # who forgets beside us waits for nobody
        db.execute(delete(SPENT).where(SPENT.c.key.in_(late)))

    # --- the log -------------------------------------------------------------------------------

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
        row = _TILE.one(db, level, number)
        return None if row is None else row.body

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

    def grown_since(self, db: Connection, number: int, most: int = 1000) -> tuple[int, set[str]]:
        """What the log has grown by: for whoever keeps answers, and is told by nobody.

        Args:
            number: of the first leaf that is not known yet.
            most: leaves to read at once.

        Returns:
            How many leaves are known then, and the keys of the names they are about.

        Raises:
            Unavailable: ``unavailable`` when a leaf is missing or damaged.
        """
        known = min(self.leaf_count(db), number + most)
        leaves = self.leaves(db, number, known - number) if known > number else []
        try:
            found = [parse_leaf(one) for one in leaves]
        except Error as exc:
            raise error("unavailable", f"a stored leaf is damaged: {exc.code}") from None
        return known, {one.name.key for one in found if isinstance(one, NameLeaf)}

    def checkpoint(self, db: Connection) -> str | None:
        """The newest checkpoint."""
        row = _NEWEST.one(db)
        return None if row is None else str(row.note)

    def cosigned(self, db: Connection) -> int:
        """The most witnesses that cosigned any one checkpoint."""
        found: int | None = _COSIGNED.one(db).most
        return found or 0

    def covering(self, db: Connection, number: int, cosigned: int = 0) -> Any:
        """The smallest checkpoint that covers a leaf, of those that so many witnesses cosigned.

        Its ``size`` and ``note``, and ``after``: no smaller one covers any leaf from there on.
        """
        return _COVERING.one(db, cosigned, number, cosigned, number)

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
        """Let go of the connections; the next transaction opens one again."""
        self.engine.close()


LOGGED: Final = select(*EVENTS.c, LEAVES.c.body.label("logged")).outerjoin(
    LEAVES, LEAVES.c.number == EVENTS.c.leaf
)
"""Events, each with its leaf as ``logged``."""
_EVENT: Final = Prepared(LOGGED.where(EVENTS.c.digest == bindparam("digest")), "digest")
_EVERY: Final = EVENTS.alias()
NAMED: Final = (
    select(
        *NAMES.c,
        select(func.max(_EVERY.c.seq))
        .where(_EVERY.c.key == NAMES.c.key)
        .scalar_subquery()
        .label("newest"),
        *(HEALTH.c[name].label(f"beat_{name}") for name in ("agent", "status", "at", "issued")),
        LISTINGS.c.attestations,
    )
    .outerjoin(HEALTH, HEALTH.c.key == NAMES.c.key)
    .outerjoin(LISTINGS, LISTINGS.c.key == NAMES.c.key)
    .where(NAMES.c.key == bindparam("name"))
)
"""The name of a key, as `Store.name`."""
_NAME: Final = Prepared(NAMED, "name")
_TILE: Final = Prepared(
    select(TILES.c.body).where(
        TILES.c.level == bindparam("of_level"), TILES.c.number == bindparam("at")
    ),
    "of_level",
    "at",
)
_NEWEST: Final = Prepared(
    select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(literal_column("1"))
)
_COSIGNED: Final = Prepared(select(func.max(CHECKPOINTS.c.cosigned).label("most")))
_BEFORE: Final = CHECKPOINTS.alias()
_COVERING: Final = Prepared(
    select(
        CHECKPOINTS.c.size,
        CHECKPOINTS.c.note,
        select(func.max(_BEFORE.c.size))
        .where(_BEFORE.c.cosigned == bindparam("by"), _BEFORE.c.size <= bindparam("leaf"))
        .scalar_subquery()
        .label("after"),
    )
    .where(CHECKPOINTS.c.cosigned == bindparam("too"), CHECKPOINTS.c.size > bindparam("beyond"))
    .order_by(CHECKPOINTS.c.size)
    .limit(literal_column("1")),
    "by",
    "leaf",
    "too",
    "beyond",
)


def standing_of(row: Any) -> Standing:
    """What a name's row says it is."""
    return Standing(row.agent, row.epoch, row.seq, row.last, row.suspended, bool(row.revoked))
