"""Reading the log: nothing leaves it unverified.

Whatever is handed out is first held to a checkpoint that the log's own key signed, so a damaged
store makes a reader fail and never makes it lie.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Final, TypeVar

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from .leaf import Leaf, own_leaf
from .log import merkle, tiles
from .log.checkpoint import Checkpoint
from .log.note import b64_encode
from .receipt import check_opening, new_receipt
from .sequencer import Sequencer, opened
from .store import Store

__all__ = ["Logbook"]

T = TypeVar("T")

KEPT: Final = 1024
TILES: Final = 2048
"""Tiles that are kept: half a million leaves, in some 35 MB."""
COVERS: Final = 4096
MAX_SIZE: Final = merkle.MAX_SIZE


class Logbook:
    """The log of one registry, for readers.

    Args:
        store: its rows.
        registry: the DID its entries are of.
        sequencer: who publishes its checkpoints.

    Raises:
        Unavailable: ``unavailable`` from every method, when what is stored does not verify.
        NotFound: ``not-found`` for what the log does not hold yet.
    """

    def __init__(self, store: Store, registry: str, sequencer: Sequencer) -> None:
        self._store = store
        self._registry = registry
        self._sequencer = sequencer
        self._key = sequencer.key
        self._nodes = _Nodes(store)
        self._covers: list[tuple[int, int, str]] = []
        self._lock = threading.Lock()

    def checkpoint(self) -> str:
        """The published checkpoint, a signed note."""
        text = self._sequencer.text()
        self._opened(text)
        return text

    def head(self) -> Checkpoint:
        """The published checkpoint, read."""
        return self._opened(self._sequencer.text())

    def receipt(
        self,
        db: Connection,
        number: int,
        opening: JsonObject | None = None,
        data: bytes | None = None,
        most: int | None = None,
    ) -> JsonObject:
        """The receipt of a leaf, under the first checkpoint that covers it.

        Always the same one, unless witnesses have cosigned: then under the first that the most
        of them did.

        Args:
            data: the leaf's bytes, where they are at hand.
            most: what `Store.cosigned` says, likewise.
        """
        head, note = self._covering(db, number, most)
        data = self._store.leaves(db, number, 1)[0] if data is None else data
        hashed = merkle.leaf_hash(data)

        def proven(node: merkle.Node) -> JsonObject:
            proof = merkle.audit_path(number, head.size, node)
            merkle.check_inclusion(hashed, number, head.size, proof, head.root)
            leaf = _leaf(data)
            if opening is not None:
                check_opening(opening, leaf)
            if leaf.registry != self._registry:
                raise error("ans-signature", "an entry of another registry")
            return new_receipt(leaf.json, number, proof, note, opening)

        return self._held(db, proven, "a stored entry")

    def leaf(self, db: Connection, number: int, data: bytes | None = None) -> Leaf:
        """A leaf, read; held to no checkpoint here."""
        try:
            return _leaf(self._store.leaves(db, number, 1)[0] if data is None else data)
        except Error as exc:
            raise error("unavailable", f"a stored leaf is damaged: {exc.code}") from None

    def tile(self, level: int, index: int, width: int = 256) -> bytes:
        """The hashes of a tile of the published tree (C2SP tlog-tiles)."""
        size = self.head().size
        if not 0 < width <= tiles.FULL or (index * tiles.FULL + width) << (8 * level) > size:
            raise error("not-found", "the log does not reach so far")
        with self._store.transaction(reading=True) as db:
            return self._tile(db, level, index, width)

    def bundle(self, index: int, width: int = 256) -> bytes:
        """The leaves below a tile of level 0, as an entry bundle (C2SP tlog-tiles)."""
        if not 0 < width <= tiles.FULL or index * tiles.FULL + width > self.head().size:
            raise error("not-found", "the log does not reach so far")
        with self._store.transaction(reading=True) as db:
            entries = self._store.leaves(db, index * tiles.FULL, width)
            hashes = self._tile(db, 0, index, width)
        if b"".join(map(merkle.leaf_hash, entries)) != hashes:
            raise error("unavailable", "a stored leaf is damaged")
        return tiles.pack(entries)

    def inclusion(self, entry: int | str, size: int | None = None) -> JsonObject:
        """The proof that a leaf is in the tree of a size.

        Args:
            entry: its number, or the digest of the event it is of.
            size: by default that of the published checkpoint.

        Returns:
            ``{index, size, leafHash, proof}``, hashes in base64.
        """
        head = self.head()
        with self._store.transaction(reading=True) as db:
            number = entry if isinstance(entry, int) else self._number(db, entry)
            of = head.size if size is None else size
            if not 0 <= number < of <= head.size:
                raise error("not-found", f"the log has {head.size} entries")
            hashed = merkle.leaf_hash(self._store.leaves(db, number, 1)[0])

            def proven(node: merkle.Node) -> list[bytes]:
                proof = merkle.audit_path(number, of, node)
                merkle.check_inclusion(hashed, number, of, proof, _root(of, head, node))
                return proof

            proof = self._held(db, proven)
        return {"index": number, "size": of, "leafHash": b64_encode(hashed), "proof": _texts(proof)}

    def consistency(self, old: int, new: int | None = None) -> JsonObject:
        """The proof that the tree of one size has grown into that of another.

        Returns:
            ``{old, new, proof}``, hashes in base64.
        """
        head = self.head()
        to = head.size if new is None else new
        if not 0 < old <= to <= head.size:
            raise error("not-found", f"the log has {head.size} entries")
        with self._store.transaction(reading=True) as db:

            def proven(node: merkle.Node) -> list[bytes]:
                proof = merkle.consistency_path(old, to, node)
                roots = _root(old, head, node), _root(to, head, node)
                merkle.check_consistency(old, to, proof, *roots)
                return proof

            proof = self._held(db, proven)
        return {"old": old, "new": to, "proof": _texts(proof)}

    # --- inside ---------------------------------------------------------------------------------

    def _covering(
        self, db: Connection, number: int, most: int | None = None
    ) -> tuple[Checkpoint, str]:
        """The checkpoint that a receipt of a leaf is under; what never changes is kept."""
        most = self._store.cosigned(db) if most is None else most
        if not most:
            covers = self._covers
            at = bisect_right(covers, (number, MAX_SIZE, "")) - 1
            if at >= 0 and number < covers[at][1]:
                return self._opened(covers[at][2]), covers[at][2]
        for count in range(most, -1, -1):
            row = self._store.covering(db, number, count)
            if row is not None:
                break
        else:
            raise error("unavailable", "an entry has no checkpoint")
        head = self._opened(row.note)
        if not most and head.size == row.size:
            with self._lock:
                kept = [one for one in self._covers if one[1] != row.size]
                insort(kept, (row.after or 0, row.size, row.note))
                self._covers = kept if len(kept) <= COVERS else []
        return head, row.note

    def _number(self, db: Connection, event: str) -> int:
        row = self._store.event(db, event)
        if row is None:
            raise error("not-found", "there is no such event")
        return int(row.leaf)

    def _opened(self, note: str) -> Checkpoint:
        try:
            return opened(note, self._key)
        except Error as exc:
            raise error("unavailable", f"a stored checkpoint is damaged: {exc.code}") from None

    def _held(
        self, db: Connection, prove: Callable[[merkle.Node], T], what: str = "the stored log"
    ) -> T:
        """What follows from the nodes of the tree, those that are kept first.

        Args:
            prove: raises where the nodes do not lead to a checkpoint.
        """
        for nodes in (self._nodes, _Nodes(self._store)):  # the second keeps nothing from before
            try:
                out = prove(partial(nodes.node, db))
            except Error as exc:
                wrong = exc
                continue
            self._nodes = nodes
            return out
        raise error("unavailable", f"{what} is damaged: {wrong.code}")

    def _tile(self, db: Connection, level: int, index: int, width: int) -> bytes:
        """A tile whose every hash is proven to be the published tree's."""
        head = self.head()
        body = self._store.tile(db, level, index, width)
        first = index * tiles.FULL

        def proven(node: merkle.Node) -> bytes:
            at, left = 0, width
            while left:  # by complete subtrees, the largest first
                deep = left.bit_length() - 1
                top = merkle.fold(body[merkle.HASH * at : merkle.HASH * (at + (1 << deep))])
                _check_node(top, 8 * level + deep, (first + at) >> deep, head, node)
                at, left = at + (1 << deep), left - (1 << deep)
            return body

        return self._held(db, proven, "a stored tile")


def _root(size: int, head: Checkpoint, node: merkle.Node) -> bytes:
    """The root of an earlier size, which the published tree has grown from."""
    root = merkle.root_of(size, node)
    proof = merkle.consistency_path(size, head.size, node)
    merkle.check_consistency(size, head.size, proof, root, head.root)
    return root


def _check_node(have: bytes, deep: int, index: int, head: Checkpoint, node: merkle.Node) -> None:
    """A complete subtree's root is a node of the published tree: RFC 6962, from ``deep`` up."""
    proof = merkle.audit_path(index << deep, head.size, node)[deep:]
    at, last = index, (head.size - 1) >> deep
    for sibling in proof:
        if at & 1 or at == last:
            have = merkle.node_hash(sibling, have)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            have = merkle.node_hash(have, sibling)
        at, last = at >> 1, last >> 1
    if have != head.root:
        raise error("log-proof", "it does not lead to the checkpoint")


@lru_cache(KEPT)
def _leaf(data: bytes) -> Leaf:
    """A leaf, as `own_leaf`; read once for the same bytes, and never changed."""
    return own_leaf(data)


def _texts(hashes: list[bytes]) -> list[str]:
    return [b64_encode(one) for one in hashes]


class _Nodes:
    """The nodes of the tree, from tiles that are kept: none of their hashes ever changes.

    Nothing of it is believed for being kept: a proof made of nodes is held to a checkpoint.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[int, int], tuple[bytes, ...]] = OrderedDict()

    def node(self, db: Connection, height: int, index: int) -> bytes:
        """As `merkle.Node`."""
        level, inner = height >> 3, height & 7
        number = index >> 8 - inner
        at = merkle.HASH * (index & (tiles.FULL >> inner) - 1)
        rows = self._kept.get((level, number))
        if rows is None or len(rows) <= inner or len(rows[inner]) < at + merkle.HASH:
            body = self._store.whole_tile(db, level, number)
            if body is None:
                raise error("log-proof", f"tile {level}/{number} is missing")
            rows = merkle.rows(body)
            if len(rows) <= inner or len(rows[inner]) < at + merkle.HASH:
                raise error("log-proof", f"tile {level}/{number} is too narrow")
            self._kept[level, number] = rows
            while len(self._kept) > TILES:
                with suppress(KeyError):
                    self._kept.popitem(last=False)
        return rows[inner][at : at + merkle.HASH]
