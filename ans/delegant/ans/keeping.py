"""Copies of a registry, and going on from an older one.

A copy of a store is a store: it holds its own newest checkpoint, signed. Whether it is as new as
what was ever signed only the checkpoint file outside can say, so that file is never replaced by
what a copy says, but for one case: an operator who has nothing newer says so, and why, and the
log then says it too (`rewind`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select

from delegant.credentials import shape
from delegant.credentials.errors import Error, error
from delegant.wallet import files

from . import attested, layouts, listing
from .batch import Batch
from .checking import Checked, Leaves, check
from .engine import failed, open_engine, sqlite_path
from .log.checkpoint import Checkpoint, open_checkpoint
from .log.note import NoteKey, NoteSigner, b64_encode
from .namelog import NameSequencer
from .store import Store
from .stored import Shelf
from .tables import NAMES, TERMS

__all__ = ["backup", "published", "reindex", "restore", "rewind"]

PAGE: Final = 200


def published(path: Path, key: NoteKey) -> Checkpoint | None:
    """What a checkpoint file says was signed for; None where there is no file.

    Raises:
        Rejected: ``log-note`` for a file that is damaged or another log's: it protects against
        rollback, so it is not passed over. Unavailable: ``unavailable``.
    """
    if not path.exists():
        return None
    try:
        return open_checkpoint(files.read(path, size=1 << 16).decode("utf-8"), key)
    except UnicodeDecodeError:
        raise error("log-note", f"{path.name} is no checkpoint") from None


def backup(where: Path | str, out: Path, key: NoteKey, at: int) -> Checked | None:
    """Copy an SQLite registry into a new file while it is being used; it is verified then.

    Args:
        out: the file to make, mode 0600: what connects people to names lies in it.
        key: the log's.
        at: now, seconds since 1970.

    Returns:
        What the copy holds; None for a registry of an older layout, which is copied as it is.

    Raises:
        Malformed: ``shape`` for PostgreSQL, which has programs of its own for this.
        Conflict: ``name-taken`` when there is such a file.
        Unavailable: ``unavailable``, also for a registry that is damaged; there is no copy then.
    """
    path = _file(where, "pg_dump copies a PostgreSQL database")
    if out.exists():
        raise error("name-taken", f"{out} is there already")
    with _beside(out) as beside:
        try:
            with (
                closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as source,
                closing(sqlite3.connect(beside)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as exc:
            raise failed(exc) from None
        return _verified(beside, key, at)


def restore(
    copy: Path, where: Path | str, checkpoint: Path, key: NoteKey, at: int, *, older: bool = False
) -> Checked:
    """Put a copy in the place of an SQLite registry that is gone.

    Args:
        checkpoint: the checkpoint file, which says what was signed for.
        older: whether the copy may be older than that: the registry starts from it when it is
            rewound, and not before.

    Returns:
        What it holds.

    Raises:
        Malformed: ``shape`` for PostgreSQL. NotFound: ``not-found`` when there is no copy.
        Conflict: ``name-taken`` when a registry is there.
        Rejected: ``log-rollback`` for a copy older than the checkpoint file, and where that file
            is missing.
        Unavailable: ``unavailable``, also for a copy that is damaged, or of another layout.
    """
    path = _file(where, "pg_restore brings back a PostgreSQL database")
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if one.exists():
            raise error("name-taken", f"{one} is there: move it away, it is not written over")
    if not copy.is_file():
        raise error("not-found", f"there is no file {copy}")
    said = published(checkpoint, key)
    if said is None and not older:
        raise error(
            "log-rollback", f"{checkpoint} is missing: put it back, it says what was signed"
        )
    with _beside(path) as beside:
        with copy.open("rb") as source, beside.open("wb") as target:
            while block := source.read(1 << 20):
                target.write(block)
        store = Store(beside)
        try:
            found = check(store, key, said, at)
        finally:
            store.close()
        if found.damage:
            raise _damaged(copy, found)
        if found.rolled_back and not older:
            raise error(
                "log-rollback",
                f"{copy} has {found.size} entries and is older than, or another than, what was "
                f"signed for: {0 if said is None else said.size} entries",
            )
        return found


def rewind(
    where: Path | str,
    registry: str,
    signer: NoteSigner,
    checkpoint: Path,
    reason: str,
    at: int,
) -> tuple[Checkpoint, Checkpoint]:
    """Go on from a store that is older than what was signed for, and log that.

    Whoever remembers the larger tree refuses this log from then on, rightly: entries that were
    promised for ever are gone. The checkpoint file that said so is kept beside the new one.

    Args:
        registry: its DID.
        checkpoint: the file that says what was signed for; where it is lost, too, what the store
            itself was signed for is stated.
        reason: why, for everybody to read.

    Returns:
        What had been signed for, and what the log is now.

    Raises:
        Malformed: ``shape`` for a reason that is not 1 to 256 printable characters.
        NotFound: ``not-found`` for an empty log.
        Conflict: ``ans-transition`` where the store holds what was signed for.
        Unavailable: ``unavailable``, also for a store that is damaged.
    """
    shape.text(reason, "the reason")
    said = published(checkpoint, signer.key)
    store = Store(where, patient=True)
    try:
        found = check(store, signer.key, said, at)
        if found.damage:
            raise _damaged(Path(store.engine.name), found)
        if said is not None and not found.rolled_back:
            raise error("ans-transition", "the store holds all that was signed for: start it")
        if said is None:
            said = _newest(store, signer.key)
        leaf = {
            "version": 1, "registry": registry, "kind": "rewind", "size": said.size,
            "root": b64_encode(said.root), "reason": reason,
        }  # fmt: skip
        _Rewinder(store, signer, checkpoint, leaf, at)
    finally:
        store.close()
    return said, published(checkpoint, signer.key) or said


def reindex(store: Store, at: int) -> int:
    """Make the search index anew from the events; how many names are in it.

    The attestations that came with a name are no part of the log: those that are kept stay.

    Raises:
        Unavailable: ``unavailable`` for a name that is damaged itself.
    """
    shelf, after, count = Shelf(store, Leaves(store)), "", 0
    while True:
        with store.transaction(sequencing=True) as db:
            if not after:
                db.execute(delete(TERMS).where(TERMS.c.key.not_in(select(NAMES.c.key))))
            query = select(NAMES.c.key).where(NAMES.c.key > after).order_by(NAMES.c.key)
            keys = list(db.execute(query.limit(PAGE)).scalars())
            batch = Batch(db, 0, 0, [])
            for key in keys:
                _list_again(batch, shelf, key, at)
            batch.flush()
        count += len(keys)
        if len(keys) < PAGE:
            return count
        after = keys[-1]


def _list_again(batch: Batch, shelf: Shelf, key: str, at: int) -> None:
    named = shelf.named(batch.db, key, at)
    if named is None:
        return
    agent = named.standing.agent
    try:
        shown = attested.kept(listing.attestations_of(named.row), agent)
    except Error:
        shown = []
    claims = attested.claims(shown, agent)
    made = listing.Listing(named.name, named.record, shown, claims, named.expires)
    made.put(batch, live=named.status == "active", fresh=False)


class _Rewinder(NameSequencer):
    """A sequencer that starts from an older store, and does nothing more."""

    def __init__(
        self, store: Store, signer: NoteSigner, path: Path, leaf: dict[str, object], at: int
    ) -> None:
        self._leaf = leaf
        self._at = at
        super().__init__(store, signer, path)

    def _start(self) -> None:
        with self._store.transaction(sequencing=True) as db:
            held, _ = self._held(db, None)
            batch = Batch(db, held.size, self._last(db, held.size), [])
            batch.at(self._at)
            batch.log(self._leaf)
            batch.flush()
            note = self._grown(db, held, batch.hashes, partial(self._store.tile, db))
        if self._path.exists():
            old = self._path.with_name(f"{self._path.name}.{self._leaf['size']}")
            files.write(old, files.read(self._path))
        files.write(self._path, note.encode("utf-8"))


def _newest(store: Store, key: NoteKey) -> Checkpoint:
    with store.transaction(reading=True) as db:
        note = store.checkpoint(db)
    found = None if note is None else open_checkpoint(note, key)
    if found is None or found.size == 0:
        raise error("not-found", "the log is empty: there is nothing to rewind")
    return found


def _file(where: Path | str, otherwise: str) -> Path:
    path = sqlite_path(where)
    if path is None:
        raise error("shape", f"this is for SQLite: {otherwise}")
    return path


def _verified(path: Path, key: NoteKey, at: int) -> Checked | None:
    engine = open_engine(path)
    with engine.transaction(reading=True) as db:
        revision = layouts.found(db)
    engine.close()
    if revision == layouts.BASELINE:
        return None
    store = Store(path)
    try:
        found = check(store, key, None, at)
    finally:
        store.close()
    if found.damage:
        raise _damaged(path, found)
    return found


def _damaged(path: Path, found: Checked) -> Error:
    first = found.damage[0]
    count = f"{len(found.damage)}{'+' if found.more else ''}"
    return error(
        "unavailable",
        f"{count} rows of {path.name} are damaged, the first in {first.table}: {first.key}: "
        f"{first.detail}; all of them: delegant registry check",
    )


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A new file, its owner's alone, which takes its place once what is inside went well."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield beside
        _flush(beside)
        files.move(beside, path)
    except OSError as exc:
        raise error("unavailable", f"{path}: {exc.strerror}") from None
    finally:
        _remove(beside)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + end).unlink(missing_ok=True)
