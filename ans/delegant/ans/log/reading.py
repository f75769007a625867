"""Reading a log through its tiles (C2SP tlog-tiles) without believing who serves it.

A `LogReader` starts from a checkpoint that the log signed. The partial tiles at the right edge
of the tree are folded together and must give the checkpoint's root; every other tile is full and
must fold to its hash in the tile above. Only then is a hash used, in a proof or for an entry.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Final

from delegant.credentials.errors import (
    Error,
    LimitExceeded,
    Malformed,
    NotFound,
    Unavailable,
    error,
)

from . import merkle
from .checkpoint import Checkpoint, open_checkpoint
from .fetching import Fetch, most
from .merkle import HASH
from .note import NoteKey
from .tiles import FULL, MAX_TILE, bundle_path, path, unpack

__all__ = ["LogReader"]

CACHE: Final = 1024
"""Verified full tiles kept: at most 8 MiB."""


class LogReader:
    """One log, read through ``fetch``.

    Args:
        fetch: see `Fetch`; `http_fetch` and `folder_fetch` make one.
        key: the log's, of kind 0x01.
        witnesses, quorum, origin: see `open_checkpoint`.
        known: the last checkpoint that was believed, kept by the caller.

    Not for several threads at once.
    """

    def __init__(
        self,
        fetch: Fetch,
        key: NoteKey,
        *,
        witnesses: Collection[NoteKey] = (),
        quorum: int = 0,
        origin: str | None = None,
        known: Checkpoint | None = None,
    ) -> None:
        self._fetch, self._key = fetch, key
        self._witnesses, self._quorum, self._origin = tuple(witnesses), quorum, origin
        self._known = known
        self._view: _View | None = None
        self._note = ""

    def checkpoint(self) -> Checkpoint:
        """The log's checkpoint now: signed, and consistent with the last one believed.

        Raises:
            Rejected: ``log-rollback`` for a smaller tree, ``log-split`` for one that does not
                continue the last; ``log-note``, ``log-proof``. Undecided: ``log-witness``.
            Error: what fetching raised.
        """
        data = self._get("checkpoint")
        new = open_checkpoint(data, self._key, self._witnesses, self._quorum, origin=self._origin)
        old = self._known
        view = _View(self._get, new, None if self._view is None else self._view.full)
        if old is not None:
            _follow(old, new, view)
        view.settle()
        self._known, self._view, self._note = new, view, data.decode()
        return new

    @property
    def note(self) -> str:
        """The last checkpoint as the log signed it; empty before the first."""
        return self._note

    @property
    def head(self) -> Checkpoint:
        """The checkpoint that is read under; fetched where there is none yet."""
        return self._at().head

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile of the tree, verified: a `merkle.Tiles`.

        Raises:
            Rejected: ``log-proof`` for a tile that does not lead to the root, or is not in it.
            Error: what fetching raised.
        """
        return self._at().tile(level, index, width)

    def root(self, size: int) -> bytes:
        """The root hash that the log had at an earlier size.

        Raises: as `tile`.
        """
        return merkle.root(self._within(size), self.tile)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of an entry in the tree of a size, or of the whole one.

        Raises: as `tile`.
        """
        return merkle.inclusion(index, self._within(size), self.tile)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """That the tree of ``new`` entries, or the whole one, continues that of ``old``.

        Raises: as `tile`.
        """
        return merkle.consistency(old, self._within(new), self.tile)

    def entries(
        self, start: int = 0, end: int | None = None, *, gaps: bool = False
    ) -> Iterator[bytes]:
        """The entries from ``start`` until before ``end`` (or to the end), each verified.

        They are fetched as they are asked for, a bundle at a time.

        Args:
            gaps: let entries be left out: of no bytes where they stood in their bundle, which
                says nothing of what they were. For logs that have no empty entry.

        Raises: as `tile`; ``dimension`` names the first entry that is not the tree's.
        """
        view = self._at()
        end = self._within(end)
        if not 0 <= start <= end:
            raise error("log-proof", f"no entries {start} to {end}")
        return view.entries(start, end, gaps)

    def _at(self) -> _View:
        if self._view is None:
            self.checkpoint()
        assert self._view is not None  # noqa: S101 - checkpoint() set it
        return self._view

    def _within(self, size: int | None) -> int:
        head = self._at().head
        if size is not None and not 0 <= size <= head.size:
            raise error("log-proof", f"the tree has {head.size} entries, not {size}")
        return head.size if size is None else size

    def _get(self, name: str) -> bytes:
        limit = most(name)
        data = self._fetch(name)
        if len(data) > limit:
            raise error("limit-size", f"{name} has more than {limit} bytes")
        return data


def _follow(old: Checkpoint, new: Checkpoint, view: _View) -> None:
    """That a checkpoint continues the last one."""
    if new.origin != old.origin:
        raise error("log-split", "a checkpoint of another log than the last one")
    if new.size < old.size:
        raise error("log-rollback", f"the log had {old.size} entries and now has {new.size}")
    if new.size == old.size and new.root != old.root:
        raise error("log-split", f"two roots for a log of {new.size} entries")
    proof = merkle.consistency(old.size, new.size, view.tile)
    try:
        merkle.check_consistency(old.size, new.size, proof, old.root, new.root)
    except Error as exc:
        raise error("log-split", f"not the same log any more: {exc.detail}") from None


class _View:
    """The verified tiles of the tree of one checkpoint."""

    def __init__(
        self, get: Fetch, head: Checkpoint, full: OrderedDict[tuple[int, int], bytes] | None
    ) -> None:
        self.head = head
        self.full = OrderedDict() if full is None else full
        """Verified full tiles, of every checkpoint so far."""
        self._fresh: OrderedDict[tuple[int, int], bytes] | None = OrderedDict()
        """Those of this one alone, until it is believed: only then are the others its own."""
        self._get = get
        self._edge: dict[tuple[int, int], bytes] | None = None

    def settle(self) -> None:
        """Keep what was read on the way to believing the checkpoint."""
        fresh, self._fresh = self._fresh, None
        for at, tile in (fresh or {}).items():
            self._keep(at, tile)

    def tile(self, level: int, index: int, width: int) -> bytes:
        """See `LogReader.tile`."""
        have = merkle.width(self.head.size, level, index) if level >= 0 <= index else 0
        if not 0 < width <= have:
            raise error("log-proof", f"no {width} hashes in tile {index} of level {level}")
        if have < FULL:
            return self._edges()[level, index][: HASH * width]
        return self._full(level, index)[: HASH * width]

    def entries(self, start: int, end: int, gaps: bool) -> Iterator[bytes]:
        """See `LogReader.entries`."""
        while start < end:
            index, skip = divmod(start, FULL)
            have = merkle.width(self.head.size, 0, index)
            hashes = self.tile(0, index, have)
            entries = self._bundle(index, have)
            _held_to(hashes, entries, index * FULL, gaps)
            chosen = entries[skip : end - index * FULL]
            yield from chosen
            start += len(chosen)

    def _bundle(self, index: int, have: int) -> list[bytes]:
        try:
            return _unpacked(self._get(bundle_path(index, have)))
        except (NotFound, Unavailable):
            if have == FULL:
                raise
        return _unpacked(self._get(bundle_path(index)))[:have]  # it has grown full since

    def _edges(self) -> dict[tuple[int, int], bytes]:
        """The partial tiles, which together are hashed into the root."""
        if self._edge is None:
            edge: dict[tuple[int, int], bytes] = {}

            def read(level: int, index: int, width: int) -> bytes:
                edge[level, index] = self._partial(level, index, width)
                return edge[level, index]

            if merkle.root(self.head.size, read) != self.head.root:
                raise error("log-proof", "the tiles do not lead to the checkpoint's root")
            self._edge = edge
        return self._edge

    def _partial(self, level: int, index: int, width: int) -> bytes:
        try:
            return self._get(path(level, index, width))
        except (NotFound, Unavailable):  # it has grown full since
            return self._get(path(level, index))[: HASH * width]

    def _full(self, level: int, index: int) -> bytes:
        """A full tile, each tile from the nearest verified one down to it verified in turn."""
        chain = []
        while (known := self._cached(level, index)) is None:
            chain.append((level, index))
            level, index = level + 1, index >> 8
            if merkle.width(self.head.size, level, index) < FULL:
                known = self._edges()[level, index]
                break
        tile = known
        for level, index in reversed(chain):
            hash_above = tile[HASH * (index & 255) :][:HASH]
            tile = self._get(path(level, index))
            if len(tile) != MAX_TILE or merkle.fold(tile) != hash_above:
                first = index << 8 * (level + 1)
                told = f"tile {index} of level {level}, from entry {first} on, is not the log's"
                raise error("log-proof", told, dimension=f"entry {first}")
            self._keep((level, index), tile)
        return tile

    def _cached(self, level: int, index: int) -> bytes | None:
        room = self.full if self._fresh is None else self._fresh
        if (tile := room.get((level, index))) is not None:
            room.move_to_end((level, index))
        return tile

    def _keep(self, at: tuple[int, int], tile: bytes) -> None:
        room = self.full if self._fresh is None else self._fresh
        room[at] = tile
        if len(room) > CACHE:
            room.popitem(last=False)


def _unpacked(data: bytes) -> list[bytes]:
    """The entries of a bundle; of one that ends within an entry, those before it."""
    try:
        return unpack(data)
    except LimitExceeded:
        raise
    except Malformed:
        entries, at = [], 0
        while (end := at + 2 + int.from_bytes(data[at : at + 2], "big")) <= len(data):
            entries.append(data[at + 2 : end])
            at = end
        return entries


def _held_to(hashes: bytes, entries: list[bytes], first: int, gaps: bool) -> None:
    """That entries are those of their tile; ``dimension`` names the first that is not."""
    count = len(hashes) // HASH
    for at, entry in enumerate(entries[:count]):
        if gaps and not entry:
            continue
        if merkle.leaf_hash(entry) != hashes[HASH * at :][:HASH]:
            raise _wrong(first + at, "is not the one in the tree")
    if len(entries) < count:
        raise _wrong(first + len(entries), "is missing")
    if len(entries) > count:
        raise _wrong(first + count, "is more than the tree has")


def _wrong(index: int, why: str) -> Error:
    return error("log-proof", f"entry {index} {why}", dimension=f"entry {index}")
