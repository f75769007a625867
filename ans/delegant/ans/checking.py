"""Holding a whole store to its log, row by row, and naming every row that does not fit.

Whatever a registry answers is held to the log when it is read; here everything is, whether
anybody asks for it or not. The leaves are the measure: the roots that were signed must be theirs,
and every other row must be what a leaf says or what follows from it. That the leaves keep the
rules of names is for `monitor.verify_log`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, func, select, tuple_

from delegant.credentials.codec import JsonObject, canonical, is_digest, parse_object
from delegant.credentials.errors import Error

from . import attested, listing
from .confusable import skeleton
from .engine import failed
from .leaf import NameLeaf, ProviderLeaf, parse_leaf, salted
from .log import merkle, tiles
from .log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from .log.note import NoteKey
from .logbook import Logbook
from .replay import Tree
from .store import LOGGED, Store
from .stored import MAX_EVENT, Named, Shelf
from .tables import (
    CHECKPOINTS,
    EVENTS,
    HEALTH,
    LEAVES,
    LISTINGS,
    NAMES,
    PROVIDERS,
    SPENT,
    TERMS,
    TILES,
)

__all__ = ["Checked", "Damage", "Leaves", "check"]

PAGE: Final = 500
MOST: Final = 1000
"""Rows that are named; of more it is only said that there are more."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A row that is not what the log says: its table, its key, and what is wrong."""

    table: str
    key: str
    detail: str

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        return {"table": self.table, "key": self.key, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        size: of the log, in entries.
        names: how many there are.
        damage: the rows that are wrong, at most `MOST`; ``more``: there are others.
        rolled_back: the store does not hold the tree that was signed for elsewhere.
    """

    size: int
    names: int
    damage: tuple[Damage, ...]
    more: bool
    rolled_back: bool

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        return {
            "size": self.size,
            "names": self.names,
            "damage": [one.json for one in self.damage],
            **({"more": True} if self.more else {}),
            "rolledBack": self.rolled_back,
        }


def check(store: Store, key: NoteKey, said: Checkpoint | None, at: int) -> Checked:
    """Walk a whole store, in one transaction that keeps nobody from writing.

    Args:
        key: the log's.
        said: what the checkpoint file outside the store says; None where there is none.
        at: now, seconds since 1970: what has expired need not be listed.

    Raises:
        Unavailable: ``unavailable`` when the store cannot be opened at all.
    """
    with store.transaction(reading=True) as db:
        return _Walk(store, db, key, said, at).all()


class Leaves(Logbook):
    """A log of which leaves alone are read."""

    def __init__(self, store: Store) -> None:
        self._store = store


class _Walk:
    def __init__(
        self, store: Store, db: Connection, key: NoteKey, said: Checkpoint | None, at: int
    ) -> None:
        self._store = store
        self._db = db
        self._key = key
        self._said = said
        self._at = at
        self._logbook = Leaves(store)
        self._shelf = Shelf(store, self._logbook)
        self._damage: list[Damage] = []
        self._more = False
        self._told: set[int] = set()
        """Leaves that some row is of."""
        self._hashes = bytearray()
        self._names = 0
        self._rolled_back = False

    def all(self) -> Checked:
        """Every table, the log first."""
        steps: list[tuple[Table, Callable[[], None]]] = [
            (EVENTS, self._events), (PROVIDERS, self._providers), (LEAVES, self._leaves),
            (TILES, self._tiles), (NAMES, self._all_names), (LISTINGS, self._orphans),
            (HEALTH, self._health), (SPENT, self._spent),
        ]  # fmt: skip
        for table, step in steps:
            try:
                step()
            except self._store.engine.failures as exc:
                self._wrong(table, "", failed(exc).detail)
        if self._store.engine.kind == "sqlite":
            self._pages()
        size = len(self._hashes) // merkle.HASH
        return Checked(size, self._names, tuple(self._damage), self._more, self._rolled_back)

    def _wrong(self, table: Table, key: object, detail: str) -> None:
        if len(self._damage) < MOST:
            self._damage.append(Damage(table.name, str(key), detail))
        else:
            self._more = True

    # --- the log --------------------------------------------------------------------------------

    def _leaves(self) -> None:
        """The leaves, and the checkpoints of the trees they have been."""
        tree, expected = Tree(), 0
        signed = self._rows(CHECKPOINTS, CHECKPOINTS.c.size)
        due = self._signed(signed, tree, next(signed, None))
        for row in self._rows(LEAVES, LEAVES.c.number):
            missing = range(expected, row.number)
            for number in missing[:MOST]:
                self._wrong(LEAVES, number, "it is missing")
            self._more = self._more or len(missing) > MOST
            expected = row.number + 1
            self._leaf(row.number, bytes(row.body))
            tree.append(bytes(row.body))
            self._hashes += merkle.leaf_hash(bytes(row.body))
            due = self._signed(signed, tree, due)
        if due is not None:
            self._wrong(
                CHECKPOINTS, due.size, f"it is of more leaves than the {tree.size} there are"
            )
        newest = self._db.execute(select(func.max(CHECKPOINTS.c.size))).scalar()
        if newest is None or newest < tree.size:
            self._wrong(LEAVES, newest or 0, "it and those after it are under no checkpoint")
        if self._said is not None and tree.size < self._said.size:
            self._rolled_back = True

    def _signed(self, rows: Iterator[Any], tree: Tree, due: Any) -> Any:
        """The checkpoints of this very size are right; the next one."""
        said = self._said
        if said is not None and said.size == tree.size and said.root != tree.root:
            self._rolled_back = True
        while due is not None and due.size <= tree.size:
            self._checkpoint(due, tree)
            due = next(rows, None)
        return due

    def _checkpoint(self, row: Any, tree: Tree) -> None:
        try:
            found = open_checkpoint(row.note, self._key)
            lines = parse_checkpoint(row.note)[1].signatures
        except Error as exc:
            return self._wrong(CHECKPOINTS, row.size, exc.detail)
        if found.size != row.size:
            return self._wrong(CHECKPOINTS, row.size, f"it is that of {found.size} leaves")
        if found.size == tree.size and found.root != tree.root:
            return self._wrong(CHECKPOINTS, row.size, "the leaves have another root")
        others = {(one.name, one.id) for one in lines if not one.by(self._key)}
        if len(others) != row.cosigned:
            self._wrong(CHECKPOINTS, row.size, f"{len(others)} cosignatures, not {row.cosigned}")
        return None

    def _leaf(self, number: int, body: bytes) -> None:
        try:
            leaf = parse_leaf(body)
        except Error as exc:
            return self._wrong(LEAVES, number, exc.detail)
        if isinstance(leaf, NameLeaf | ProviderLeaf) and number not in self._told:
            table = EVENTS if isinstance(leaf, NameLeaf) else PROVIDERS
            about = leaf.event if isinstance(leaf, NameLeaf) else leaf.provider
            self._wrong(table, about, f"the row of leaf {number} is missing")
        return None

    def _tiles(self) -> None:
        """Each tile is what the leaves hash to, and there is no other."""
        expected = dict[tuple[int, int], bytes]()
        level, hashes = 0, bytes(self._hashes)
        while hashes:
            above = []
            for at in range(0, len(hashes), tiles.MAX_TILE):
                body = hashes[at : at + tiles.MAX_TILE]
                expected[level, at // tiles.MAX_TILE] = body
                if len(body) == tiles.MAX_TILE:
                    above.append(merkle.fold(body))
            level, hashes = level + 1, b"".join(above)
        for row in self._rows(TILES, TILES.c.level, TILES.c.number):
            own = expected.pop((row.level, row.number), None)
            if own != row.body:
                told = "there is no such tile" if own is None else "the leaves hash to another"
                self._wrong(TILES, f"{row.level}/{row.number}", told)
        for level, number in expected:
            self._wrong(TILES, f"{level}/{number}", "it is missing")

    # --- what follows from it -------------------------------------------------------------------

    def _events(self) -> None:
        for row in self._rows(EVENTS, EVENTS.c.digest):
            self._told.add(row.leaf)
            try:
                _, leaf = self._shelf.event(self._db, row)
                if row.opening is not None and not _opens(bytes(row.opening), leaf):
                    self._wrong(EVENTS, row.digest, "its opening is not that of the leaf")
            except Error as exc:
                self._wrong(EVENTS, row.digest, exc.detail)

    def _providers(self) -> None:
        for row in self._rows(PROVIDERS, PROVIDERS.c.label):
            self._told.add(row.leaf)
            try:
                leaf = self._logbook.leaf(self._db, row.leaf)
            except Error as exc:
                self._wrong(PROVIDERS, row.label, exc.detail)
                continue
            if not isinstance(leaf, ProviderLeaf) or (
                (leaf.provider, leaf.shown, leaf.organization, leaf.basis, skeleton(row.label))
                != (row.label, row.shown, row.organization, row.basis, row.skeleton)
            ):
                self._wrong(PROVIDERS, row.label, f"it is not what leaf {row.leaf} says")

    def _all_names(self) -> None:
        for row in self._rows(NAMES, NAMES.c.key):
            self._names += 1
            try:
                named = self._shelf.named(self._db, row.key, self._at)
            except Error as exc:
                self._wrong(NAMES, row.key, exc.detail)
                continue
            if named is not None:
                self._listed(named)
        without = select(EVENTS.c.key).where(EVENTS.c.key.not_in(select(NAMES.c.key))).distinct()
        for key in self._db.execute(without.limit(MOST)).scalars():
            self._wrong(NAMES, key, "it is missing, and there are events of it")

    def _listed(self, named: Named) -> None:
        """What is searched of a name is what its record says."""
        key = named.name.key
        row = self._db.execute(select(LISTINGS).where(LISTINGS.c.key == key)).one_or_none()
        if row is None:
            return self._wrong(LISTINGS, key, "it is missing")
        agent, record = named.standing.agent, named.record
        capabilities = record.get("capabilities", [])
        try:
            claims = attested.claims(attested.kept(bytes(row.attestations), agent), agent)
        except Error as exc:
            return self._wrong(LISTINGS, key, exc.detail)
        may_live = named.standing.suspended is None and not named.standing.revoked
        swept = may_live and not row.live and named.expires <= self._at
        if bytes(row.capabilities) != canonical(capabilities) or row.expires != named.expires:
            self._wrong(LISTINGS, key, "it is not what the record says")
        if row.live != may_live and not swept:
            self._wrong(LISTINGS, key, f"live is {row.live}, and the name is {named.status}")
        found = {tuple(one) for one in self._db.execute(select(TERMS).where(TERMS.c.key == key))}
        # Whose attestations are believed is the trust's to say, and no part of the store.
        believed = {one for one in claims if any(row[0] == f"claim:{one}" for row in found)}
        terms = listing.claimed(claims, believed)
        wanted = {
            tuple(one.values())
            for one in listing.terms_of(named.name, record, terms, live=bool(row.live))
        }
        for one in sorted(wanted ^ found, key=str):
            self._wrong(TERMS, f"{key} {one[0]}", "missing" if one in wanted else "one too many")
        return None

    def _orphans(self) -> None:
        for table in (LISTINGS, TERMS, HEALTH):
            without = select(table.c.key).where(table.c.key.not_in(select(NAMES.c.key)))
            for key in self._db.execute(without.distinct().limit(MOST)).scalars():
                self._wrong(table, key, "there is no such name")

    def _health(self) -> None:
        for row in self._rows(HEALTH, HEALTH.c.key):
            try:
                listing.health(self._db, row.key)
            except Error as exc:
                self._wrong(HEALTH, row.key, exc.detail)

    def _spent(self) -> None:
        for row in self._rows(SPENT, SPENT.c.key):
            if not is_digest(row.key) or type(row.until) is not int:
                self._wrong(SPENT, row.key, "it is no key that was spent")

    def _pages(self) -> None:
        """What SQLite itself says of its file and its indexes."""
        try:
            for (told,) in self._db.exec_driver_sql(f"PRAGMA integrity_check({MOST})"):
                if told != "ok" and len(self._damage) < MOST:
                    self._damage.append(Damage("", "", str(told)))
        except self._store.engine.failures as exc:
            self._damage.append(Damage("", "", failed(exc).detail))

    def _rows(self, table: Table, *keys: Column[Any]) -> Iterator[Any]:
        """All rows in the order of their key, a page at a time."""
        after: tuple[Any, ...] | None = None
        while True:
            query = (LOGGED if table is EVENTS else select(table)).order_by(*keys).limit(PAGE)
            if after is not None:
                query = query.where(tuple_(*keys) > after)
            rows = self._db.execute(query).all()
            yield from rows
            if len(rows) < PAGE:
                return
            after = tuple(getattr(rows[-1], one.name) for one in keys)


def _opens(opening: bytes, leaf: NameLeaf) -> bool:
    try:
        told = parse_object(opening, size=MAX_EVENT)
        made = [
            salted(told["salt"], told[name]) if name in told else None
            for name in ("sponsor", "chain")
        ]
    except (Error, KeyError, TypeError, ValueError):
        return False
    return made == [leaf.sponsor, leaf.chain]
