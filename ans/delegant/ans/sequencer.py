"""The one writer: changes, their leaves, the tiles and the checkpoint, all or nothing, in order.

Changes that wait while a transaction is being written are the next transaction: each is judged
alone, all share one checkpoint and one flush to the disk (group commit). A transaction holds the
events, their leaves, the tiles that change and the signed checkpoint of the new tree. Once it is
durable the checkpoint is put into a file outside the database, flushed to
the disk, and only then is anything acknowledged. So a database that is set back is seen: at
start, and before every write, the store must hold the tree that the file says was signed
(``log-rollback``, and nothing more is signed). A store that is larger, because the process died
between the two, has its own checkpoint published instead.

Several processes may write, one at a time. Over SQLite they are of one machine, and a lock beside
the file lets them in; over PostgreSQL the transaction has a lock that the server takes away from
whoever dies or hangs, and each machine may have a checkpoint file of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, Unavailable, error
from delegant.wallet import files

from . import listing
from .batch import Added, Batch, Change
from .leaf import parse_leaf
from .log import merkle, tiles
from .log.checkpoint import (
    Checkpoint,
    add_signatures,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from .log.note import NoteKey, NoteSigner
from .receipt import new_receipt
from .store import Store

__all__ = ["Sequencer", "opened"]

MOST: Final = 256
"""Changes in one transaction."""
LINGER_SECONDS: Final = 0.006
WAIT_SECONDS: Final = 10
KEPT: Final = 1024
MAX_NOTE: Final = 16_384
PUBLISHING: Final = ".publishing"
"""The lock of the checkpoint file alone, held for no longer than writing it takes."""


@dataclass(eq=False, slots=True)
class _Asked:
    """A change that waits for its turn, and whoever waits for it."""

    change: Change
    at: int
    future: Future[JsonObject] = field(default_factory=Future)


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
        self._text = str(path)
        self.on_publish: list[Callable[[frozenset[str], int, int], None]] = []
        self._writing = threading.Lock()  # one writer: SQLite has no more, and waits less so
        self._queue = threading.Lock()
        self._waiting: deque[_Asked] = deque()
        self._running = False
        self._crowded = False
        self._theirs = False
        """Whether the changes being written are what fails, if something does."""
        self._work = ThreadPoolExecutor(1, "sequencer")  # its thread starts with the first change
        self._newest: Checkpoint | None = None
        with self._alone():
            self._start()

    def write(self, change: Change, at: int) -> Future[JsonObject]:
        """Ask for a change; the receipt comes once it is written, published and so acknowledged.

        Args:
            at: now, seconds since 1970.

        Returns:
            A future. It raises what refuses the change; ``log-rollback``; ``unavailable``, also
            for a clock that went back. Nothing is written then, unless the checkpoint file alone
            could not be: what was written is acknowledged when the same is sent again.

        Raises:
            Unavailable: ``unavailable`` once it is closed.
        """
        return self.write_all([change], at)[0]

    def write_all(self, changes: Iterable[Change], at: int) -> list[Future[JsonObject]]:
        """The same for many, in their order."""
        asked = [_Asked(change, at) for change in changes]
        with self._queue:
            self._waiting.extend(asked)
            if not self._running:
                try:
                    self._work.submit(self._run)
                except RuntimeError:  # it was closed, or the program ends
                    self._waiting.clear()
                    raise error("unavailable", "the registry is closing") from None
                self._running = True
        return [one.future for one in asked]

    def close(self) -> None:
        """Write what still waits, and take no more."""
        self._work.shutdown()

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
                held, newest = self._held(db, said)
            if said is None or held.size > said.size:
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
            with files.lock(self._path.parent, PUBLISHING, WAIT_SECONDS):
                if self.published().size == given.size:
                    files.write(self._path, whole.encode("utf-8"))

    def published(self) -> Checkpoint:
        """What the checkpoint file says.

        Raises:
            Rejected: ``log-note``. Unavailable: ``unavailable``.
        """
        return opened(self.text(), self.key)

    def mark(self) -> object:
        """What is another one whenever the checkpoint file is."""
        try:
            found = os.stat(self._text)
        except OSError:
            return object()  # like no other
        return found.st_ino, found.st_mtime_ns, found.st_size

    def text(self) -> str:
        """The checkpoint file."""
        try:
            return files.read(self._path, size=MAX_NOTE).decode("utf-8")
        except (Error, UnicodeDecodeError):
            raise error("unavailable", "the checkpoint file cannot be read") from None

    # --- inside ---------------------------------------------------------------------------------

    def _run(self) -> None:
        """Write what waits until nothing does.

        A transaction costs much the same for one as for many. So where several came together
        last time, more are waited for; whoever comes alone waits for nobody.
        """
        while True:
            if self._crowded and len(self._waiting) < MOST:
                time.sleep(LINGER_SECONDS)
            with self._queue:
                asked = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                if not asked:
                    self._running = False
                    return
            self._crowded = len(asked) > 1
            asked = [one for one in asked if one.future.set_running_or_notify_cancel()]
            if not asked:
                continue
            try:
                self._together(asked)
            except BaseException as exc:  # noqa: BLE001 - whoever waits is told, whatever it is
                for one in asked:
                    if not one.future.done():
                        one.future.set_exception(exc)

    def _together(self, asked: list[_Asked]) -> None:
        """Write these in one transaction; if they break that one, each in its own.

        So a change that the database itself will not take, or over which this program breaks,
        spoils no other. Where two find no database one after the other it is not they who are at
        fault, nor are they where the transaction never began, or was committed.
        """
        try:
            self._written(asked)
        except Exception as exc:
            if not self._theirs or len(asked) == 1:
                raise
            failed, told = 0, exc
            for one in asked:
                try:
                    self._written([one])
                    failed = 0
                except Exception as again:  # noqa: BLE001 - it is told, whatever it is
                    one.future.set_exception(again)
                    failed += isinstance(again, Unavailable)
                    told = again
                    if failed == 2 or not self._theirs:
                        break
            for one in asked:
                if not one.future.done():
                    one.future.set_exception(told)

    def _written(self, asked: list[_Asked]) -> None:
        self._theirs = False
        with self._alone():
            with self._store.transaction(sequencing=True) as db:
                before, newest = self._held(db, self._said())
                last = self._last(db, before.size)
                self._theirs = True
                batch = Batch(db, before.size, last, [one.change for one in asked])
                outcomes = [_outcome(one, batch) for one in asked]
                batch.flush()
                if batch.hashes:
                    listing.sweep(db, batch.time)
                    self._store.forget(db, batch.time)
                read = _kept(partial(self._store.tile, db))
                note = newest if not batch.hashes else self._grown(db, before, batch.hashes, read)
                size = before.size + len(batch.hashes)
                added = [one for one in outcomes if isinstance(one, Added) and not one.known]
                paths = iter(merkle.inclusions([one.number for one in added], size, read))
                told = [
                    new_receipt(
                        batch.leaves[out.number - before.size],
                        out.number,
                        next(paths),
                        note,
                        out.opening,
                    )
                    if isinstance(out, Added) and not out.known
                    else out
                    for out in outcomes
                ]
            self._theirs = False
            self._publish(note)
        if batch.hashes:
            for tell in self.on_publish:
                tell(frozenset(batch.names), before.size, size)
        for one, out in zip(asked, told, strict=True):
            _tell(one, out)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._file():
            end = time.monotonic() + WAIT_SECONDS
            if not self._writing.acquire(timeout=WAIT_SECONDS):
                raise error("unavailable", "the log is being written on, and does not come free")
            try:
                if self._store.engine.kind != "sqlite":  # its own lock outlives nobody
                    yield
                    return
                with files.lock(self._path.parent, seconds=end - time.monotonic()):
                    yield
            finally:
                self._writing.release()

    @contextmanager
    def _file(self) -> Iterator[None]:
        try:
            files.make_folder(self._path.parent)
            yield
        except OSError as exc:
            told = exc.strerror or exc
            raise error("unavailable", f"the checkpoint is not written: {told}") from None

    def _start(self) -> None:
        with self._store.transaction(sequencing=True) as db:
            newest = self._store.checkpoint(db)
            if newest is None:
                if self._path.exists() and self.published().size:
                    raise error("log-rollback", "the log is empty, and was signed for more")
                newest = self._grown(db, None, [], partial(self._store.tile, db))
            elif not self._path.exists():
                raise error(
                    "log-rollback",
                    f"{self._path} is missing, and the log is not empty: put it back, or the log "
                    "could have been set back unseen",
                )
            self._held(db, self._said())
        self._publish(newest)

    def _said(self) -> Checkpoint | None:
        """What the file says, which is never less than this process knows was published."""
        most = self._newest  # read first: the file only grows
        said = self.published() if self._path.exists() else None
        if most is not None and (
            said is None
            or said.size < most.size
            or (said.size == most.size and said.root != most.root)
        ):
            raise error("log-rollback", "the checkpoint file is older than what was published")
        self._newest = said
        return said

    def _held(self, db: Connection, said: Checkpoint | None) -> tuple[Checkpoint, str]:
        """The newest tree of the store: as signed, and one the published tree has grown into."""
        newest = self._store.checkpoint(db)
        if newest is None:
            raise error("log-rollback", "the log is gone")
        try:
            held = opened(newest, self.key)
        except Error as exc:
            raise error("unavailable", f"a stored checkpoint is damaged: {exc.code}") from None
        if said is not None:
            if held.size < said.size:
                raise error("log-rollback", f"{held.size} entries, and {said.size} were signed for")
            if said.root != self._root(db, said.size):
                raise error("log-rollback", "the log is another than was signed for")
        if self._store.leaf_count(db) != held.size or held.root != self._root(db, held.size):
            raise error("unavailable", "the log and its checkpoint do not belong together")
        return held, newest

    def _root(self, db: Connection, size: int) -> bytes:
        return merkle.root(size, partial(self._store.tile, db))

    def _last(self, db: Connection, size: int) -> int:
        """The time of the newest leaf; 0 where there is none."""
        if size == 0:
            return 0
        try:
            return parse_leaf(self._store.leaves(db, size - 1, 1)[0]).time
        except Error as exc:
            raise error("unavailable", f"a stored leaf is damaged: {exc.code}") from None

    def _grown(
        self, db: Connection, before: Checkpoint | None, hashes: list[bytes], read: merkle.Tiles
    ) -> str:
        """Write the tiles and the checkpoint of the larger tree; its note."""
        size = 0 if before is None else before.size
        for level, number, body in tiles.extend(size, hashes, partial(self._store.tile, db)):
            self._store.put_tile(db, level, number, body)
        size += len(hashes)
        root = merkle.root(size, read)
        note = sign_checkpoint(Checkpoint(self.key.name, size, root), self._signer)
        self._store.put_checkpoint(db, size, note)
        return note

    def _publish(self, note: str) -> None:
        """Put a checkpoint into the file, unless it is there, or a larger one."""
        size = opened(note, self.key).size
        with files.lock(self._path.parent, PUBLISHING, WAIT_SECONDS):
            said = self._said()
            if said is None or said.size < size or (said.size == size and self.text() != note):
                files.write(self._path, note.encode("utf-8"))
                self._newest = self.published()


def _outcome(one: _Asked, batch: Batch) -> Added | Error:
    """A change, judged and added; or what refuses it."""
    time = batch.time
    try:
        batch.at(one.at)
        return one.change.add(batch)
    except Error as exc:
        batch.time = time
        return exc


def _tell(one: _Asked, told: JsonObject | Added | Error) -> None:
    """Tell whoever waits."""
    try:
        if isinstance(told, Added):  # known from before
            told = one.change.receipt(told.number)
        if isinstance(told, Error):
            raise told
    except Error as exc:
        one.future.set_exception(exc)
    else:
        one.future.set_result(told)


def _kept(read: merkle.Tiles) -> merkle.Tiles:
    """The same, each tile read once."""
    kept: dict[tuple[int, int, int], bytes] = {}

    def tile(level: int, number: int, width: int) -> bytes:
        place = level, number, width
        if place not in kept:
            kept[place] = read(*place)
        return kept[place]

    return tile


@lru_cache(KEPT)
def opened(note: str, key: NoteKey) -> Checkpoint:
    """A checkpoint, as `open_checkpoint`; its signature is checked once for the same bytes."""
    return open_checkpoint(note, key)
