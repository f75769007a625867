"""The log of names, as it is written: receipts with their proofs, and what is swept on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error

from . import listing
from .batch import Batch
from .change import Added
from .leaf import parse_leaf
from .log import merkle
from .log.note import NoteSigner
from .receipt import new_receipt
from .sequencer import Sequencer
from .store import FORGET, Store

__all__ = ["NameSequencer"]


class NameSequencer(Sequencer[Batch, JsonObject]):
    """Writes names; what it tells of a change is its receipt."""

    def __init__(self, store: Store, signer: NoteSigner, path: Path) -> None:
        self._names = store
        self._clean = 0
        """The second in which nothing was left to sweep."""
        super().__init__(store, signer, path)

    def tell(self, publish: Callable[[frozenset[str], int, int], None]) -> None:
        """Have it told of each batch: names that changed, sizes of the log before and after."""
        self.on_publish.append(
            lambda batch, before, size: publish(frozenset(batch.names), before, size)
        )

    def _batch(self, db: Connection, size: int, time: int, changes: Sequence[Any]) -> Batch:
        return Batch(db, size, time, changes)

    def _swept(self, db: Connection, batch: Batch) -> None:
        """Once in a second, and again with the next batch where there is more than one sweeps."""
        if batch.time != self._clean:
            swept, forgot = listing.sweep(db, batch.time), self._names.forget(db, batch.time)
            if swept < listing.SWEEP and forgot < FORGET:
                self._clean = batch.time

    def _told(
        self,
        batch: Batch,
        outcomes: Sequence[Added | Error],
        size: int,
        note: str,
        read: merkle.Tiles,
    ) -> list[JsonObject | Added | Error]:
        before = size - len(batch.hashes)
        added = [one for one in outcomes if isinstance(one, Added) and not one.known]
        paths = iter(merkle.inclusions([one.number for one in added], size, read))
        return [
            new_receipt(
                batch.leaves[out.number - before], out.number, next(paths), note, out.opening
            )
            if isinstance(out, Added) and not out.known
            else out
            for out in outcomes
        ]

    def _time(self, leaf: bytes) -> int:
        return parse_leaf(leaf).time
