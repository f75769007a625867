"""Inclusion proofs with @sigstore/verify: what is proven here holds there, and no more."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from ans.log.naive import Log
from delegant.ans.log.merkle import check_inclusion, inclusion, leaf_hash
from interop.peer import Peer
from refusal import refusal

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 70_000)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(70_000)


@pytest.fixture
def agree(peers: Callable[[str], Peer]) -> Callable[..., bool]:
    """Whether both accept; that they say the same is asserted."""
    peer = peers("merkle")

    def ask(entry: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
        theirs: bool = peer(
            "inclusion",
            entry=entry.hex(),
            index=index,
            size=size,
            proof=[one.hex() for one in proof],
            root=root.hex(),
        )["verified"]
        ours: bool = not refusal(
            lambda: check_inclusion(leaf_hash(entry), index, size, proof, root)
        )
        assert ours is theirs
        return ours

    return ask


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_holds_for_both_and_a_damaged_one_for_neither(
    log: Log, agree: Callable[..., bool], size: int
) -> None:
    dice = Random(size)
    tree = Log()
    tree.add(log.entries[:size])
    root = tree.root()
    for index in {0, size - 1, size // 2, *(dice.randrange(size) for _ in range(8))}:
        entry, proof = tree.entries[index], inclusion(index, size, tree.read)
        assert agree(entry, index, size, proof, root)
        assert not agree(b"another", index, size, proof, root)
        assert not agree(entry, index + 1, size, proof, root)
        assert not agree(entry, index, size, [*proof, root], root)
        assert not agree(entry, index, size, proof, bytes(32))
        if proof:
            assert not agree(entry, index, size, proof[:-1], root)
            agree(entry, index, size, proof[::-1], root)  # of one hash it is the same
        for other in (1, size - 1, size + 1, 2 * size):
            agree(entry, index, other, proof, root)
