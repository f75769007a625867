"""The registry's rows: SQLAlchemy Core, all of a change in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    insert,
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
from .logstore import LogStore, LogTables
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

LOG: Final = LogTables(LEAVES, TILES, CHECKPOINTS)
MOST_EVENTS: Final = 2**31 - 1
"""The number of an event is no larger: a database refuses to compare it with one that is."""
FORGET: Final = 100
"""Most keys that are forgotten when one is accepted."""
SLOW_SECONDS: Final = 600
"""How far the clocks of those who write may be apart, amply."""


class Store(LogStore):
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
        super().__init__(open_engine(where, patient=patient), LOG)
        with self.transaction(sequencing=True) as db:
            layouts.ready(db, self.engine.name)

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

    def forget(self, db: Connection, at: int) -> int:
        """Forget some of the used keys that time alone refuses; how many."""
        late = select(SPENT.c.key).where(SPENT.c.until < at - SLOW_SECONDS).limit(FORGET)
        late = late.with_for_update(skip_locked=True)  # who forgets beside us waits for nobody
        return db.execute(delete(SPENT).where(SPENT.c.key.in_(late))).rowcount

    # --- the log -------------------------------------------------------------------------------

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


def standing_of(row: Any) -> Standing:
    """What a name's row says it is."""
    return Standing(row.agent, row.epoch, row.seq, row.last, row.suspended, bool(row.revoked))
