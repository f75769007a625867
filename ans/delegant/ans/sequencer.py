"""The one writer: changes, their leaves, the tiles and the checkpoint, all or nothing, in order.

Changes that wait while a transaction is being written are the next transaction: each is judged
alone, all share one checkpoint and one flush to the disk (group commit). A transaction holds what
the changes add, their leaves, the tiles that change and the signed checkpoint of the new tree. Once
it is durable the checkpoint is put into a file outside the database, flushed to the disk, and only
then is anything acknowledged. So a database that is set back is seen: at
start, and before every write, the store must hold the tree that the file says was signed
(``log-rollback``, and nothing more is signed). A store that is larger, because the process died
between the two, has its own checkpoint published instead.

Several processes may write, one at a time. Over SQLite they are of one machine, and a lock beside
the file lets them in; over PostgreSQL the transaction has a lock that the server takes away from
whoever dies or hangs, and each machine may have a checkpoint file of its own.

What a log is of is none of its business: see `change`, and `namelog` for the log of names.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection

from delegant.credentials.errors import Error, Unavailable, error
from delegant.wallet import files

from .change import Added, Batch, Change
from .headfile import HeadFile, opened
from .log import merkle, tiles
from .log.checkpoint import (
    Checkpoint,
    add_signatures,
    parse_checkpoint,
    sign_checkpoint,
)
from .log.note import NoteSigner
from .logstore import LogStore

__all__ = ["Sequencer"]

B = TypeVar("B", bound="Batch")
R = TypeVar("R")

LINGER_SECONDS: Final = 0.006
WAIT_SECONDS: Final = 10
PUBLISHING: Final = ".publishing"
"""The lock of the checkpoint file alone, held for no longer than writing it takes."""


@dataclass(eq=False, slots=True)
class _Asked(Generic[B, R]):
    """A change that waits for its turn, and whoever waits for it."""

    change: Change[B, R]
    at: int
    future: Future[R] = field(default_factory=Future)


class Sequencer(HeadFile, ABC, Generic[B, R]):
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

    most = 256
    """Changes in one transaction."""

    def __init__(self, store: LogStore, signer: NoteSigner, path: Path) -> None:
        self._store = store
        self._signer = signer
        super().__init__(path, signer.key)
        self.on_publish: list[Callable[[B, int, int], None]] = []
        self._writing = threading.Lock()  # one writer: SQLite has no more, and waits less so
        self._queue = threading.Lock()
        self._waiting: deque[_Asked[B, R]] = deque()
        self._running = False
        self._crowded = False
        self._theirs = False
        """Whether the changes being written are what fails, if something does."""
        self._work = ThreadPoolExecutor(1, "sequencer")  # its thread starts with the first change
        self._newest: Checkpoint | None = None
        self._end = b"", 0
        """The hash of the last leaf that was written here, and its time."""
        with self._alone():
            self._start()

    def write(self, change: Change[B, R], at: int) -> Future[R]:
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

    def write_all(self, changes: Iterable[Change[B, R]], at: int) -> list[Future[R]]:
        """The same for many, in their order."""
        asked: list[_Asked[B, R]] = [_Asked(change, at) for change in changes]
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

    # --- inside ---------------------------------------------------------------------------------

    def _run(self) -> None:
        """Write what waits until nothing does.

        A transaction costs much the same for one as for many. So where several came together
        last time, more are waited for; whoever comes alone waits for nobody.
        """
        while True:
            if self._crowded and len(self._waiting) < self.most:
                time.sleep(LINGER_SECONDS)
            asked = self._taken(self.most)
            if not asked:
                with self._queue:
                    if not self._waiting:
                        self._running = False
                        return
                continue
            try:
                self._together(asked)
            except BaseException as exc:  # noqa: BLE001 - whoever waits is told, whatever it is
                for one in asked:
                    if not one.future.done():
                        one.future.set_exception(exc)
            self._crowded = len(asked) > 1

    def _taken(self, most: int) -> list[_Asked[B, R]]:
        """The first of those that wait, and still do."""
        with self._queue:
            asked = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [one for one in asked if one.future.set_running_or_notify_cancel()]

    def _together(self, asked: list[_Asked[B, R]]) -> None:
        """Write these, and who joins them, in one transaction; if that breaks, each in its own.

        So a change that the database itself will not take, or over which this program breaks,
        spoils no other. Where two find no database one after the other it is not they who are at
        fault, nor are they where the transaction never began, or was committed.
        """
        try:
            self._written(asked, joined=True)
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

    def _written(self, asked: list[_Asked[B, R]], *, joined: bool = False) -> None:
        """Write these in one transaction.

        Args:
            joined: those who came while the turn to write was waited for are added to them.
        """
        self._theirs = False
        with self._alone():
            with self._store.transaction(sequencing=True) as db:
                before, newest = self._held(db, self._said())
                last = self._last(db, before.size)
                if joined:
                    asked += self._taken(self.most - len(asked))
                self._theirs = True
                batch = self._batch(db, before.size, last, [one.change for one in asked])
                outcomes = [_outcome(one, batch) for one in asked]
                batch.flush()
                if batch.hashes:
                    self._swept(db, batch)
                read = _kept(partial(self._store.tile, db))
                note = newest if not batch.hashes else self._grown(db, before, batch.hashes, read)
                size = before.size + len(batch.hashes)
                told = self._told(batch, outcomes, size, note, read)
            self._theirs = False
            self._publish(note)
        if batch.hashes:
            self._end = batch.hashes[-1], batch.time
            for tell in self.on_publish:
                tell(batch, before.size, size)
        for one, out in zip(asked, told, strict=True):
            _tell(one, out)

    # --- what the log is of ---------------------------------------------------------------------

    @abstractmethod
    def _batch(self, db: Connection, size: int, time: int, changes: Sequence[Change[B, R]]) -> B:
        """The batch of a transaction, on a log of this size whose last leaf is of this time."""

    def _swept(self, db: Connection, batch: B) -> None:
        """Do what is to be done now and then, in a transaction that writes anyway."""

    @abstractmethod
    def _told(
        self, batch: B, outcomes: Sequence[Added | Error], size: int, note: str, read: merkle.Tiles
    ) -> list[R | Added | Error]:
        """What each is told: an `Added` that was known is asked for its receipt afterwards."""

    @abstractmethod
    def _time(self, leaf: bytes) -> int:
        """When a leaf was written; what it raises means that the leaf is damaged."""

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
        root: bytes | None = None
        if said is not None:
            if held.size < said.size:
                raise error("log-rollback", f"{held.size} entries, and {said.size} were signed for")
            root = self._root(db, said.size)
            if said.root != root:
                raise error("log-rollback", "the log is another than was signed for")
        if root is None or said is None or held.size != said.size:
            root = self._root(db, held.size)
        if self._store.leaf_count(db) != held.size or held.root != root:
            raise error("unavailable", "the log and its checkpoint do not belong together")
        return held, newest

    def _root(self, db: Connection, size: int) -> bytes:
        return merkle.root(size, partial(self._store.tile, db))

    def _last(self, db: Connection, size: int) -> int:
        """The time of the newest leaf; 0 where there is none."""
        if size == 0:
            return 0
        leaf, (known, time) = self._store.leaves(db, size - 1, 1)[0], self._end
        try:
            return time if merkle.leaf_hash(leaf) == known else self._time(leaf)
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
        found = opened(note, self.key)
        size = found.size
        with files.lock(self._path.parent, PUBLISHING, WAIT_SECONDS):
            said = self._said()
            if said is None or said.size < size or (said.size == size and self.text() != note):
                files.write(self._path, note.encode("utf-8"))
                self._newest = found


def _outcome(one: _Asked[B, R], batch: B) -> Added | Error:
    """A change, judged and added; or what refuses it."""
    time = batch.time
    try:
        batch.at(one.at)
        added = one.change.add(batch)
    except Error as exc:
        batch.time = time
        return exc
    if added.known:  # no leaf has that time
        batch.time = time
    return added


def _tell(one: _Asked[B, R], told: R | Added | Error) -> None:
    """Tell whoever waits."""
    try:
        if isinstance(told, Added):  # known from before
            one.future.set_result(one.change.receipt(told.number))
        elif isinstance(told, Error):
            raise told
        else:
            one.future.set_result(told)
    except Error as exc:
        one.future.set_exception(exc)


def _kept(read: merkle.Tiles) -> merkle.Tiles:
    """The same, each tile read once."""
    kept: dict[tuple[int, int, int], bytes] = {}

    def tile(level: int, number: int, width: int) -> bytes:
        place = level, number, width
        if place not in kept:
            kept[place] = read(*place)
        return kept[place]

    return tile
