"""The Merkle tree of RFC 6962, section 2.1 (SHA-256), computed from tiles.

A tree of ``size`` leaves is read through a `Tiles` function: ``tiles(level, index, width)`` gives
the ``32 * width`` bytes of a tile of C2SP tlog-tiles, which is all that a proof needs. Proofs read
each tile at most once and O(log size) tiles; inside a tile they hash at most 255 nodes.

Leaves and nodes are hashed under different prefixes, so neither passes for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from delegant.credentials.errors import error

__all__ = [
    "EMPTY_ROOT",
    "HASH",
    "MAX_PROOF",
    "MAX_SIZE",
    "Node",
    "Tiles",
    "audit_path",
    "check_consistency",
    "check_inclusion",
    "consistency",
    "consistency_path",
    "fold",
    "inclusion",
    "inclusions",
    "leaf_hash",
    "node_hash",
    "root",
    "root_of",
    "rows",
    "width",
]

Tiles = Callable[[int, int, int], bytes]
"""``(level, index, width)`` to ``32 * width`` bytes: the tile's first ``width`` hashes."""

Node = Callable[[int, int], bytes]
"""``(height, index)`` to the hash over the full subtree of 2^height leaves, from the left."""

HASH: Final = 32
MAX_SIZE: Final = 2**63 - 1
"""Most leaves of a tree: what others keep in a signed 64-bit number."""
MAX_PROOF: Final = 64
"""More hashes than any proof in a tree of `MAX_SIZE` leaves has."""
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash above two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The hash above 2^k neighbours, given as ``32 * 2^k`` bytes."""
    while len(hashes) > HASH:
        hashes = _above(hashes)
    return hashes


def _above(hashes: bytes) -> bytes:
    """The row of nodes above a row of hashes; one that stands alone at the end has none."""
    return b"".join(
        hashlib.sha256(b"\x01" + hashes[at : at + 64]).digest()
        for at in range(0, len(hashes) & ~63, 64)
    )


@lru_cache(maxsize=256)
def rows(tile: bytes) -> tuple[bytes, ...]:
    """A tile and the rows of nodes above it: proofs near each other share most of their tiles."""
    out = [tile]
    while len(out[-1]) > HASH:
        out.append(_above(out[-1]))
    return tuple(out)


def width(size: int, level: int, index: int) -> int:
    """How many hashes a tile has in a tree of ``size`` leaves: 0 to 256."""
    return max(0, min(256, (size >> 8 * level) - 256 * index))


def root(size: int, tiles: Tiles) -> bytes:
    """The tree's root hash.

    Raises:
        Rejected: ``log-proof`` for a size out of range, or a tile of the wrong length.
    """
    return root_of(size, _Tree(size, tiles).node)


def root_of(size: int, node: Node) -> bytes:
    """`root`, from the nodes of the tree."""
    _size(size)
    return _span(0, size, node) if size else EMPTY_ROOT


def inclusion(index: int, size: int, tiles: Tiles) -> list[bytes]:
    """The audit path of one leaf (RFC 6962, 2.1.1): its sibling first, the root's child last.

    Raises:
        Rejected: ``log-proof`` when the tree has no such leaf.
    """
    return audit_path(index, size, _Tree(size, tiles).node)


def inclusions(indexes: Iterable[int], size: int, tiles: Tiles) -> list[list[bytes]]:
    """`inclusion` of several leaves; each tile is read once, and what they share is hashed once."""
    tree, shared = _Tree(size, tiles), dict[tuple[int, int], bytes]()
    return [audit_path(index, size, tree.node, shared) for index in indexes]


def audit_path(
    index: int, size: int, node: Node, shared: dict[tuple[int, int], bytes] | None = None
) -> list[bytes]:
    """`inclusion`, from the nodes of the tree.

    Args:
        shared: the hashes found for other leaves of the same tree.
    """
    _size(size)
    known = {} if shared is None else shared
    if not 0 <= index < size:
        raise error("log-proof", f"no entry {index} in a tree of {size}")
    path, height, at, last = [], 0, index, size - 1
    while last:  # from the leaf up: `last` is the last node of a row, and may be no full subtree
        beside = at ^ 1
        if beside < last or (beside == last and (last + 1) << height <= size):
            path.append(node(height, beside))
        elif beside == last:
            span = last << height, size
            if span not in known:
                known[span] = _span(*span, node)
            path.append(known[span])
        height, at, last = height + 1, at >> 1, last >> 1
    return path


def consistency(old: int, new: int, tiles: Tiles) -> list[bytes]:
    """That the tree of ``old`` leaves begins the tree of ``new`` leaves (RFC 6962, 2.1.2).

    Empty where ``old`` is 0 or equal to ``new``.

    Raises:
        Rejected: ``log-proof`` when ``old`` is larger than ``new``.
    """
    return consistency_path(old, new, _Tree(new, tiles).node)


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """`consistency`, from the nodes of the tree."""
    _size(new)
    if not 0 <= old <= new:
        raise error("log-proof", f"a tree of {new} does not continue one of {old}")
    if old == 0:
        return []
    path, low, high = [], 0, new
    while high > old:
        middle = low + _half(high - low)
        if old <= middle:
            path.append(_span(middle, high, node))
            high = middle
        else:
            path.append(_span(low, middle, node))
            low = middle
    if low:  # else the old root itself, which the verifier has
        path.append(_span(low, high, node))
    return path[::-1]


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """That a leaf hash stands at an index of the tree with this root.

    Args:
        leaf: `leaf_hash` of the entry.

    Raises:
        Rejected: ``log-proof``.
    """
    _size(size)
    _hashes(proof, leaf, root)
    if not 0 <= index < size:
        raise error("log-proof", f"no entry {index} in a tree of {size}")
    last, at, have, sha256 = size - 1, index, leaf, hashlib.sha256
    for sibling in proof:
        if last == 0:
            raise error("log-proof", "an inclusion proof with more hashes than the tree is high")
        if at & 1 or at == last:
            have = sha256(b"\x01" + sibling + have).digest()
            while not at & 1:
                at, last = at >> 1, last >> 1
        else:
            have = sha256(b"\x01" + have + sibling).digest()
        at, last = at >> 1, last >> 1
    if last:
        raise error("log-proof", "an inclusion proof with fewer hashes than the tree is high")
    if have != root:
        raise error("log-proof", f"no proof that this is entry {index} of {size}")


def check_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """That the tree of ``new`` leaves continues the one of ``old`` leaves, changing none.

    Every tree continues the empty one.

    Raises:
        Rejected: ``log-proof``.
    """
    _size(new)
    _hashes(proof, old_root, new_root)
    if not 0 <= old <= new:
        raise error("log-proof", f"a tree of {new} does not continue one of {old}")
    if (old == 0 and old_root != EMPTY_ROOT) or (new == 0 and new_root != EMPTY_ROOT):
        raise error("log-proof", "an empty tree whose root is not that of the empty tree")
    if old in {0, new}:
        if proof:
            raise error("log-proof", "a consistency proof where none is needed")
        if old and old_root != new_root:
            raise error("log-proof", f"two roots for one tree of {old}")
        return
    rest = list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not rest:
        raise error("log-proof", "a consistency proof with too few hashes")
    have_old = have_new = rest.pop(0) if at else old_root
    for sibling in rest:
        if last == 0:
            raise error("log-proof", "a consistency proof with too many hashes")
        if at & 1 or at == last:
            have_old, have_new = node_hash(sibling, have_old), node_hash(sibling, have_new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            have_new = node_hash(have_new, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise error("log-proof", "a consistency proof with too few hashes")
    if have_old != old_root or have_new != new_root:
        raise error("log-proof", f"no proof that {new} entries continue {old}")


class _Tree:
    """The hashes of one tree, each tile read once."""

    def __init__(self, size: int, tiles: Tiles) -> None:
        self._size, self._tiles = size, tiles
        self._read: dict[tuple[int, int], bytes] = {}

    def node(self, height: int, index: int) -> bytes:
        """The hash over the full subtree of 2^height leaves, counted from the left."""
        level, inner = divmod(height, 8)
        index, first = divmod(index << inner, 256)
        if (level, index) not in self._read:
            count = width(self._size, level, index)
            tile = self._tiles(level, index, count)
            if len(tile) != HASH * count:
                raise error("log-proof", f"a tile of {len(tile)} bytes, not {HASH * count}")
            self._read[level, index] = tile
        row = rows(self._read[level, index])[inner]
        at = HASH * (first >> inner)
        return row[at : at + HASH]


def _span(low: int, high: int, node: Node) -> bytes:
    """The hash over leaves ``low`` to ``high``, which RFC 6962 joins to one subtree."""
    parts, at = [], low
    while at < high:  # full subtrees, largest first
        height = (high - at).bit_length() - 1
        parts.append(node(height, at >> height))
        at += 1 << height
    have = parts.pop()
    while parts:
        have = node_hash(parts.pop(), have)
    return have


def _half(count: int) -> int:
    """The largest power of two below a count of at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise error("log-proof", "a tree size that is out of range")


def _hashes(proof: Sequence[bytes], *more: bytes) -> None:
    if len(proof) > MAX_PROOF or {*map(len, proof), *map(len, more)} != {HASH}:
        raise error("log-proof", "a proof of SHA-256 hashes has 32 bytes each, 64 at most")
