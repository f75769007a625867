"""The one writer: a change, its leaf, the tiles and the checkpoint, all or nothing, in order.

A transaction holds the event, its leaf, the tiles that change and the signed checkpoint of the
new tree. Once it is durable the checkpoint is put into a file outside the database, flushed to
the disk, and only then is anything acknowledged. So a database that is set back is seen: at
start, and before every write, the store must hold the tree that the file says was signed
(``log-rollback``, and nothing more is signed). A store that is larger, because the process died
between the two, has its own checkpoint published instead.

Several processes may write, one at a time. Over SQLite they are of one machine, and a lock beside
the file lets them in; over PostgreSQL the transaction has a lock that the server takes away from
whoever dies or hangs, and each machine may have a checkpoint file of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import format_time
from delegant.wallet import files

from .leaf import leaf_bytes, parse_leaf
from .log import merkle, tiles
from .log.checkpoint import (
    Checkpoint,
    add_signatures,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from .log.note import NoteKey, NoteSigner
from .store import Store

__all__ = ["Batch", "Sequencer"]

BACKWARDS_SECONDS: Final = 30
"""A request may wait for its turn so long; its leaf then has the time of the leaf before."""
MAX_NOTE: Final = 16_384
PUBLISHING: Final = ".publishing"
"""The lock of the checkpoint file alone, held for no longer than writing it takes."""


class Batch:
    """What one transaction adds to the log.

    Attributes:
        db: the transaction.
        time: of its leaves, seconds since 1970.
    """

    def __init__(self, store: Store, db: Connection, size: int, time: int) -> None:
        self.db = db
        self.time = time
        self._store = store
        self._size = size
        self.hashes: list[bytes] = []

    def log(self, leaf: JsonObject) -> int:
        """Add a leaf, to which the time is added; its number."""
        data = leaf_bytes(leaf | {"time": format_time(self.time)})
        number = self._size + len(self.hashes)
        self._store.put_leaf(self.db, number, data)
        self.hashes.append(merkle.leaf_hash(data))
        return number


class Sequencer:
    """Writes the store and signs its log.

    Args:
        store: the rows.
        signer: the log's key, which signs nothing else.
        path: of the checkpoint file; its folder is its own, for the lock in it.

    Raises:
        Rejected: ``log-rollback`` when the store does not hold the tree of the file;
            ``log-note`` when the file is not this log's.
        Unavailable: ``unavailable``.
    """

    def __init__(self, store: Store, signer: NoteSigner, path: Path) -> None:
        self._store = store
        self._signer = signer
        self.key: NoteKey = signer.key
        self._path = path
        self._writing = threading.Lock()  # one writer: SQLite has no more, and waits less so
        with self._alone():
            self._start()

    @contextmanager
    def writing(self, at: int) -> Iterator[Batch]:
        """A transaction that may add to the log.

        Args:
            at: now, seconds since 1970.

        Raises:
            Rejected: ``log-rollback``. Unavailable: ``unavailable``, also for a clock that
            went back. Nothing is written then, unless the checkpoint file alone could not be:
            what was written is acknowledged when the same is sent again.
        """
        with self._alone():
            with self._store.transaction(sequencing=True) as db:
                before = self._held(db, self._said())
                batch = Batch(self._store, db, before.size, self._time(db, before.size, at))
                yield batch
                note = self._grown(db, before, batch.hashes) if batch.hashes else None
            if note is not None:
                self._publish(note)

    def acknowledge(self, number: int) -> None:
        """See that the published checkpoint covers a leaf before anybody is told of it."""
        if self.published().size <= number:
            self.follow()

    def follow(self) -> None:
        """Publish what other processes have added to the log: over a shared database, elsewhere.

        Raises:
            Rejected: ``log-rollback``. Unavailable: ``unavailable``.
        """
        with self._file():
            said = self._said()  # before the store is read, which then holds it already
            with self._store.transaction(reading=True) as db:
                held = self._held(db, said)
                newest = self._store.checkpoint(db)
            if newest is not None and (said is None or held.size > said.size):
                self._publish(newest)

    def cosigned(self, note: str) -> None:
        """Keep the cosignatures of a checkpoint of ours, for receipts from now on.

        Args:
            note: with cosignatures that the caller verified.

        Raises:
            Rejected: ``log-note`` for a checkpoint that this log never signed.
            Unavailable: ``unavailable``.
        """
        given, lines = parse_checkpoint(note)
        with self._alone():
            with self._store.transaction(sequencing=True) as db:
                held = self._store.checkpoint_of(db, given.size)
                if held is None or parse_checkpoint(held)[0] != given:
                    raise error("log-note", "a checkpoint that this log never signed")
                whole = add_signatures(held, lines.signatures)
                found = parse_checkpoint(whole)[1].signatures
                others = {(one.name, one.id) for one in found if not one.by(self.key)}
                self._store.put_cosigned(db, given.size, whole, len(others))
            with files.lock(self._path.parent, PUBLISHING):
                if self.published().size == given.size:
                    files.write(self._path, whole.encode("utf-8"))

    def published(self) -> Checkpoint:
        """What the checkpoint file says.

        Raises:
            Rejected: ``log-note``. Unavailable: ``unavailable``.
        """
        return open_checkpoint(self.text(), self.key)

    def text(self) -> str:
        """The checkpoint file."""
        try:
            return files.read(self._path, size=MAX_NOTE).decode("utf-8")
        except (Error, UnicodeDecodeError):
            raise error("unavailable", "the checkpoint file cannot be read") from None

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._file(), self._writing:
            if self._store.engine.kind != "sqlite":  # the database's own lock outlives nobody
                yield
                return
            with files.lock(self._path.parent):
                yield

    @contextmanager
    def _file(self) -> Iterator[None]:
        try:
            files.make_folder(self._path.parent)
            yield
        except OSError as exc:
            raise error("unavailable", f"the checkpoint is not written: {exc.strerror}") from None

    def _start(self) -> None:
        with self._store.transaction(sequencing=True) as db:
            newest = self._store.checkpoint(db)
            if newest is None:
                if self._path.exists() and self.published().size:
                    raise error("log-rollback", "the log is empty, and was signed for more")
                newest = self._grown(db, None, [])
            elif not self._path.exists():
                raise error(
                    "log-rollback",
                    f"{self._path} is missing, and the log is not empty: put it back, or the log "
                    "could have been set back unseen",
                )
            self._held(db, self._said())
        self._publish(newest)

    def _said(self) -> Checkpoint | None:
        return self.published() if self._path.exists() else None

    def _held(self, db: Connection, said: Checkpoint | None) -> Checkpoint:
        """The newest tree of the store: as signed, and one the published tree has grown into."""
        newest = self._store.checkpoint(db)
        if newest is None:
            raise error("log-rollback", "the log is gone")
        try:
            held = open_checkpoint(newest, self.key)
        except Error as exc:
            raise error("unavailable", f"a stored checkpoint is damaged: {exc.code}") from None
        if said is not None:
            if held.size < said.size:
                raise error("log-rollback", f"{held.size} entries, and {said.size} were signed for")
            if said.root != self._root(db, said.size):
                raise error("log-rollback", "the log is another than was signed for")
        if self._store.leaf_count(db) != held.size or held.root != self._root(db, held.size):
            raise error("unavailable", "the log and its checkpoint do not belong together")
        return held

    def _root(self, db: Connection, size: int) -> bytes:
        return merkle.root(size, partial(self._store.tile, db))

    def _time(self, db: Connection, size: int, at: int) -> int:
        if size == 0:
            return at
        try:
            last = parse_leaf(self._store.leaves(db, size - 1, 1)[0]).time
        except Error as exc:
            raise error("unavailable", f"a stored leaf is damaged: {exc.code}") from None
        if last - at > BACKWARDS_SECONDS:
            raise error("unavailable", f"the clock went back {last - at} seconds")
        return max(at, last)

    def _grown(self, db: Connection, before: Checkpoint | None, hashes: list[bytes]) -> str:
        """Write the tiles and the checkpoint of the larger tree; its note."""
        size = 0 if before is None else before.size
        read: Callable[[int, int, int], bytes] = partial(self._store.tile, db)
        for level, number, body in tiles.extend(size, hashes, read):
            self._store.put_tile(db, level, number, body)
        size += len(hashes)
        note = sign_checkpoint(Checkpoint(self.key.name, size, self._root(db, size)), self._signer)
        self._store.put_checkpoint(db, size, note)
        return note

    def _publish(self, note: str) -> None:
        """Put a checkpoint into the file, unless a larger one is there."""
        size = open_checkpoint(note, self.key).size
        with files.lock(self._path.parent, PUBLISHING):
            said = self._said()
            if said is None or said.size <= size:
                files.write(self._path, note.encode("utf-8"))
