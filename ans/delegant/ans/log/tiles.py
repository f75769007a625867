"""Tiles and entry bundles as C2SP tlog-tiles has them: their paths, contents and growth.

A tile is up to 256 neighbouring hashes, a bundle up to 256 neighbouring entries, each behind its
length in two bytes. Every path and every bundle has exactly one spelling here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import error

from .merkle import HASH, MAX_SIZE, Tiles, fold

__all__ = [
    "MAX_BUNDLE",
    "MAX_ENTRY",
    "MAX_TILE",
    "Place",
    "bundle_path",
    "extend",
    "pack",
    "parse_path",
    "path",
    "unpack",
]

FULL: Final = 256
MAX_TILE: Final = FULL * HASH
"""Bytes of a full tile."""
MAX_ENTRY: Final = 65_535
"""Bytes of the longest entry."""
MAX_BUNDLE: Final = FULL * (2 + MAX_ENTRY)
"""Bytes of the longest bundle."""
MAX_LEVEL: Final = 63
MAX_PATH: Final = 64
"""Characters of a path, with some to spare."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path names: a tile of hashes, or a bundle of entries where ``level`` is None."""

    level: int | None
    index: int
    width: int

    @property
    def path(self) -> str:
        """Its one spelling."""
        if self.level is None:
            return bundle_path(self.index, self.width)
        return path(self.level, self.index, self.width)


def path(level: int, index: int, width: int = FULL) -> str:
    """The path of a tile below the log's prefix: ``tile/0/x001/067``, ``tile/1/000.p/17``.

    Raises:
        Malformed: ``encoding`` for what no tile has.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise error("encoding", f"tile levels are 0 to {MAX_LEVEL}")
    return f"tile/{level}/{_place(index, width)}"


def bundle_path(index: int, width: int = FULL) -> str:
    """The path of an entry bundle: ``tile/entries/x001/067.p/112``.

    Raises:
        Malformed: ``encoding`` for what no bundle has.
    """
    return f"tile/entries/{_place(index, width)}"


def parse_path(text: str) -> Place:
    """Inverse of `path` and `bundle_path`; any other spelling is refused.

    Raises:
        Malformed: ``encoding``. LimitExceeded: ``limit-size``.
    """
    if len(text) > MAX_PATH:
        raise error("limit-size", f"a tile path has at most {MAX_PATH} characters")
    head, _, rest = text.partition("/")
    kind, _, rest = rest.partition("/")
    rest, partial, count = rest.partition(".p/")
    digits = rest.replace("x", "").replace("/", "")
    for number in (digits, count if partial else "1", "0" if kind == "entries" else kind):
        if not (number.isascii() and number.isdigit()):
            raise error("encoding", "not the path of a tile")
    level = None if kind == "entries" else int(kind)
    place = Place(level, int(digits), int(count) if partial else FULL)
    if head != "tile" or (partial and place.width >= FULL) or place.path != text:
        raise error("encoding", "not the path of a tile, or not its one spelling")
    return place


def _place(index: int, width: int) -> str:
    if not 0 <= index <= MAX_SIZE >> 8 or not 1 <= width <= FULL:
        raise error("encoding", "no tile has such an index or width")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    text = "/".join([*("x" + part for part in parts[:-1]), parts[-1]])
    return text if width == FULL else f"{text}.p/{width}"


def pack(entries: Iterable[bytes]) -> bytes:
    """A bundle of 1 to 256 entries.

    Raises:
        LimitExceeded: ``limit-size`` for an entry above 65,535 bytes, or too many.
    """
    out: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY or len(out) == FULL:
            raise error("limit-size", f"a bundle has {FULL} entries of {MAX_ENTRY} bytes at most")
        out.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(out)


def unpack(data: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        LimitExceeded: ``limit-size``. Malformed: ``encoding`` where it ends within an entry.
    """
    if len(data) > MAX_BUNDLE:
        raise error("limit-size", f"a bundle has at most {MAX_BUNDLE} bytes")
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise error("encoding", "a bundle that ends within an entry")
        entries.append(data[start:at])
        if len(entries) > FULL:
            raise error("limit-size", f"a bundle has at most {FULL} entries")
    return entries


def extend(size: int, leaf_hashes: Sequence[bytes], tiles: Tiles) -> list[tuple[int, int, bytes]]:
    """Every tile that appending changes, as (level, index, all its hashes), lowest level first.

    Reads the one partial tile of each level that grows.

    Args:
        size: the leaves before. leaf_hashes: those to append, 32 bytes each.

    Raises:
        Rejected: ``log-proof`` for sizes out of range, or a tile of the wrong length.
    """
    if not 0 <= size <= MAX_SIZE - len(leaf_hashes):
        raise error("log-proof", "a tree size that is out of range")
    if any(len(one) != HASH for one in leaf_hashes):
        raise error("log-proof", "a leaf hash has 32 bytes")
    changed, level, fresh = [], 0, b"".join(leaf_hashes)
    while fresh:
        index, have = divmod(size >> 8 * level, FULL)
        if have:
            tile = tiles(level, index, have)
            if len(tile) != HASH * have:
                raise error("log-proof", f"a tile of {len(tile)} bytes, not {HASH * have}")
            fresh = tile + fresh
        full = []
        for at in range(0, len(fresh), MAX_TILE):
            tile = fresh[at : at + MAX_TILE]
            changed.append((level, index, tile))
            if len(tile) == MAX_TILE:
                full.append(fold(tile))
            index += 1
        level, fresh = level + 1, b"".join(full)
    return changed
