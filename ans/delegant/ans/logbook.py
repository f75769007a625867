"""Reading the log: nothing leaves it unverified.

Whatever is handed out is first held to a checkpoint that the log's own key signed, so a damaged
store makes a reader fail and never makes it lie.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from .leaf import Leaf, own_leaf
from .log import merkle
from .log.checkpoint import Checkpoint
from .log.note import MAX_SIGNATURES
from .namelog import NameSequencer
from .receipt import check_opening, new_receipt
from .store import Store
from .treebook import TreeBook

__all__ = ["Logbook"]

KEPT: Final = 1024
COVERS: Final = 4096
MAX_SIZE: Final = merkle.MAX_SIZE


class Logbook(TreeBook):
    """The log of one registry, for readers.

    Args:
        store: its rows.
        registry: the DID its entries are of.
        sequencer: who publishes its checkpoints.

    Raises:
        Unavailable: ``unavailable`` from every method, when what is stored does not verify.
        NotFound: ``not-found`` for what the log does not hold yet.
    """

    def __init__(self, store: Store, registry: str, sequencer: NameSequencer) -> None:
        super().__init__(store, sequencer)
        self._store = store
        self._registry = registry
        self._covers: list[tuple[int, int, str]] = []
        self._lock = threading.Lock()

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

    def inclusion_of(self, event: str, size: int | None = None) -> JsonObject:
        """The same as `inclusion`, of the leaf of an event by its digest."""
        with self._store.transaction(reading=True) as db:
            number = self._number(db, event)
        return self.inclusion(number, size)

    # --- inside ---------------------------------------------------------------------------------

    def _covering(
        self, db: Connection, number: int, most: int | None = None
    ) -> tuple[Checkpoint, str]:
        """The checkpoint that a receipt of a leaf is under; what never changes is kept."""
        most = self._store.cosigned(db) if most is None else most
        if type(most) is not int or not 0 <= most <= MAX_SIGNATURES:
            raise error("unavailable", "a stored count of cosignatures is damaged")
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


@lru_cache(KEPT)
def _leaf(data: bytes) -> Leaf:
    """A leaf, as `own_leaf`; read once for the same bytes, and never changed."""
    return own_leaf(data)
