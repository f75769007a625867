"""Reading a log of any kind: nothing leaves it unverified.

Whatever is handed out is first held to a checkpoint that the log's own key signed, so a damaged
store makes a reader fail and never makes it lie.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from .headfile import HeadFile, opened
from .log import merkle, tiles
from .log.checkpoint import Checkpoint
from .log.note import b64_encode
from .logstore import LogStore

__all__ = ["Nodes", "TreeBook"]

T = TypeVar("T")

TILES: Final = 2048
"""Tiles that are kept: half a million leaves, in some 35 MB."""


class TreeBook:
    """The tree of one log, for readers.

    Args:
        store: its rows.
        published: its checkpoint file.

    Raises:
        Unavailable: ``unavailable`` from every method, when what is stored does not verify.
        NotFound: ``not-found`` for what the log does not hold yet.
    """

    def __init__(self, store: LogStore, published: HeadFile) -> None:
        self._rows = store
        self._published = published
        self._key = published.key
        self._nodes = Nodes(store)

    def checkpoint(self) -> str:
        """The published checkpoint, a signed note."""
        text = self._published.text()
        self._opened(text)
        return text

    def head(self) -> Checkpoint:
        """The published checkpoint, read."""
        return self._opened(self._published.text())

    def entry(self, db: Connection, number: int) -> bytes:
        """A leaf, proven to be in the published tree."""
        head = self.head()
        if not 0 <= number < head.size:
            raise error("not-found", f"the log has {head.size} entries")
        data = self._rows.leaves(db, number, 1)[0]
        hashed = merkle.leaf_hash(data)

        def proven(node: merkle.Node) -> bytes:
            proof = merkle.audit_path(number, head.size, node)
            merkle.check_inclusion(hashed, number, head.size, proof, head.root)
            return data

        return self._held(db, proven, "a stored entry")

    def tile(self, level: int, index: int, width: int = 256) -> bytes:
        """The hashes of a tile of the published tree (C2SP tlog-tiles)."""
        size = self.head().size
        if not 0 < width <= tiles.FULL or (index * tiles.FULL + width) << (8 * level) > size:
            raise error("not-found", "the log does not reach so far")
        with self._rows.transaction(reading=True) as db:
            return self._tile(db, level, index, width)

    def bundle(self, index: int, width: int = 256) -> bytes:
        """The leaves below a tile of level 0, as an entry bundle (C2SP tlog-tiles)."""
        if not 0 < width <= tiles.FULL or index * tiles.FULL + width > self.head().size:
            raise error("not-found", "the log does not reach so far")
        with self._rows.transaction(reading=True) as db:
            entries = self._rows.leaves(db, index * tiles.FULL, width)
            hashes = self._tile(db, 0, index, width)
        if b"".join(map(merkle.leaf_hash, entries)) != hashes:
            raise error("unavailable", "a stored leaf is damaged")
        return tiles.pack(entries)

    def inclusion(self, number: int, size: int | None = None) -> JsonObject:
        """The proof that a leaf is in the tree of a size.

        Args:
            number: of the leaf.
            size: by default that of the published checkpoint.

        Returns:
            ``{index, size, leafHash, proof}``, hashes in base64.
        """
        head = self.head()
        with self._rows.transaction(reading=True) as db:
            of = head.size if size is None else size
            if not 0 <= number < of <= head.size:
                raise error("not-found", f"the log has {head.size} entries")
            hashed = merkle.leaf_hash(self._rows.leaves(db, number, 1)[0])

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
        with self._rows.transaction(reading=True) as db:

            def proven(node: merkle.Node) -> list[bytes]:
                proof = merkle.consistency_path(old, to, node)
                roots = _root(old, head, node), _root(to, head, node)
                merkle.check_consistency(old, to, proof, *roots)
                return proof

            proof = self._held(db, proven)
        return {"old": old, "new": to, "proof": _texts(proof)}

    # --- inside ---------------------------------------------------------------------------------

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
        with suppress(Error):
            return prove(partial(self._nodes.node, db))
        nodes = Nodes(self._rows)  # which keeps nothing from before
        try:
            out = prove(partial(nodes.node, db))
        except Error as exc:
            raise error("unavailable", f"{what} is damaged: {exc.code}") from None
        self._nodes = nodes
        return out

    def _tile(self, db: Connection, level: int, index: int, width: int) -> bytes:
        """A tile whose every hash is proven to be the published tree's."""
        head = self.head()
        body = self._rows.tile(db, level, index, width)
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


def _texts(hashes: list[bytes]) -> list[str]:
    return [b64_encode(one) for one in hashes]


class Nodes:
    """The nodes of the tree, from tiles that are kept: none of their hashes ever changes.

    Nothing of it is believed for being kept: a proof made of nodes is held to a checkpoint.
    """

    def __init__(self, store: LogStore) -> None:
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
            if type(body) is not bytes:
                raise error("log-proof", f"tile {level}/{number} is missing")
            rows = merkle.rows(body)
            if len(rows) <= inner or len(rows[inner]) < at + merkle.HASH:
                raise error("log-proof", f"tile {level}/{number} is too narrow")
            self._kept[level, number] = rows
            while len(self._kept) > TILES:
                with suppress(KeyError):
                    self._kept.popitem(last=False)
        return rows[inner][at : at + merkle.HASH]
