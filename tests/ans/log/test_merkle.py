"""The tree: what RFC 6962 says it is, what others published, and what is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ans.log import naive
from delegant.ans.log import merkle
from delegant.ans.log.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    check_consistency,
    check_inclusion,
    consistency,
    inclusion,
    inclusions,
    leaf_hash,
    node_hash,
    root,
)
from refusal import refusal

# Test data of the reference implementation (github.com/transparency-dev/merkle, testonly):
# eight leaves and the roots of the trees of the first one, two, … eight of them.
LEAVES = [
    bytes.fromhex(one)
    for one in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    bytes.fromhex(one)
    for one in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
_H = {
    "leaf 1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "2-3": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4-7": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "leaf 4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "6-7": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "4-5": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "0-3": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
}
H = {name: bytes.fromhex(text) for name, text in _H.items()}
INCLUSIONS = [
    (0, 1, []),
    (0, 8, ["leaf 1", "2-3", "4-7"]),
    (5, 8, ["leaf 4", "6-7", "0-3"]),
]
CONSISTENCIES = [
    (1, 1, []),
    (1, 8, ["leaf 1", "2-3", "4-7"]),
    (2, 5, ["2-3", "leaf 4"]),
    (6, 8, ["4-5", "6-7", "0-3"]),
]


@pytest.fixture(scope="module")
def reference() -> naive.Log:
    log = naive.Log()
    log.add(LEAVES)
    return log


@pytest.fixture(scope="module")
def large() -> naive.Log:
    return naive.Log(70_000)


@pytest.fixture(scope="module")
def small() -> naive.Log:
    return naive.Log(300)


def cut(log: naive.Log, size: int) -> merkle.Tiles:
    """The tiles of the log as it was at a size."""

    def read(level: int, index: int, width: int) -> bytes:
        assert width == merkle.width(size, level, index) > 0
        return log.read(level, index, width)

    return read


def at(log: naive.Log, size: int) -> bytes:
    return root(size, cut(log, size))


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(reference: naive.Log, size: int) -> None:
    assert at(reference, size) == naive.mth(LEAVES[:size]) == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "names"), INCLUSIONS)
def test_the_published_inclusion_proofs_come_out_and_hold(
    reference: naive.Log, index: int, size: int, names: list[str]
) -> None:
    proof = inclusion(index, size, cut(reference, size))
    assert proof == [H[name] for name in names]
    check_inclusion(leaf_hash(LEAVES[index]), index, size, proof, ROOTS[size])


@pytest.mark.parametrize("size", range(1, 9))
def test_paths_that_are_asked_for_together_are_those_asked_for_alone(
    reference: naive.Log, size: int
) -> None:
    tiles = cut(reference, size)
    every = [*range(size), 0]
    assert inclusions(every, size, tiles) == [inclusion(one, size, tiles) for one in every]
    for index in (-1, size):
        assert refusal(lambda one=index: inclusions([0, one], size, tiles)) == "log-proof"


@pytest.mark.parametrize(("old", "new", "names"), CONSISTENCIES)
def test_the_published_consistency_proofs_come_out_and_hold(
    reference: naive.Log, old: int, new: int, names: list[str]
) -> None:
    proof = consistency(old, new, cut(reference, new))
    assert proof == [H[name] for name in names]
    check_consistency(old, new, proof, ROOTS[old], ROOTS[new])


@pytest.mark.parametrize("size", range(1, 72))
def test_every_proof_of_a_small_tree_is_the_naive_one_and_holds(
    small: naive.Log, size: int
) -> None:
    entries, tiles = small.entries[:size], cut(small, size)
    top = naive.mth(entries)
    assert root(size, tiles) == top
    for index in range(size):
        proof = inclusion(index, size, tiles)
        assert proof == naive.path(index, entries)
        check_inclusion(leaf_hash(entries[index]), index, size, proof, top)
    for old in range(size + 1):
        proof = consistency(old, size, tiles)
        assert proof == (naive.proof(old, entries) if old else [])
        check_consistency(old, size, proof, naive.mth(entries[:old]), top)


SIZES = st.one_of(
    st.integers(1, 70_000),
    st.sampled_from([2**k + d for k in range(1, 17) for d in (-1, 0, 1)]),
    st.sampled_from([256 * k + d for k in (1, 2, 255, 256, 257, 273) for d in (-1, 0, 1)]),
)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(257, 1500), data=st.data())
def test_proofs_over_several_tiles_are_the_naive_ones(
    large: naive.Log, size: int, data: st.DataObject
) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    entries, tiles = large.entries[:size], cut(large, size)
    assert root(size, tiles) == naive.mth(entries)
    assert inclusion(index, size, tiles) == naive.path(index, entries)
    assert consistency(old, size, tiles) == naive.proof(old, entries)


@settings(max_examples=150, deadline=None)
@given(size=SIZES, data=st.data())
def test_every_proof_made_is_accepted_and_every_earlier_tree_is_a_beginning(
    large: naive.Log, size: int, data: st.DataObject
) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    tiles, top = cut(large, size), at(large, size)
    leaf = leaf_hash(large.entries[index])
    check_inclusion(leaf, index, size, inclusion(index, size, tiles), top)
    check_consistency(old, size, consistency(old, size, tiles), at(large, old), top)


def holds(leaf: bytes, index: int, size: int, proof: list[bytes], top: bytes) -> bool:
    code = refusal(lambda: check_inclusion(leaf, index, size, proof, top))
    assert code in {"", "log-proof"}
    return not code


def _bad(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    """The proof, damaged in one of several ways."""
    where = data.draw(st.integers(0, len(proof) - 1))
    way = data.draw(st.sampled_from(["flip", "cut", "extend", "begin", "drop", "swap", "short"]))
    out = list(proof)
    match way:
        case "flip":
            bit = data.draw(st.integers(0, 255))
            out[where] = (int.from_bytes(out[where], "big") ^ 1 << bit).to_bytes(32, "big")
        case "cut":
            out.pop()
        case "drop":
            out.pop(where)
        case "extend":
            out.append(data.draw(st.sampled_from([bytes(32), proof[where]])))
        case "begin":
            out.insert(0, proof[where])
        case "short":
            out[where] = out[where][:-1]
        case _:
            out[where], out[0] = out[0], out[where]
    return out


@settings(max_examples=200, deadline=None)
@given(size=SIZES.filter(lambda size: size > 1), data=st.data())
def test_a_damaged_inclusion_proof_is_refused(
    large: naive.Log, size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(index, size, cut(large, size))
    leaf, top = leaf_hash(large.entries[index]), at(large, size)
    bad = _bad(proof, data)
    if bad != proof:
        assert refusal(lambda: check_inclusion(leaf, index, size, bad, top)) == "log-proof"
    for other in {index - 1, index + 1, index ^ 1, size - 1 - index} - {index}:
        assert not holds(leaf, other, size, proof, top)
    flipped = bytes([top[0] ^ 1]) + top[1:]
    assert refusal(lambda: check_inclusion(leaf, index, size, proof, flipped)) == "log-proof"
    assert refusal(lambda: check_inclusion(top, index, size, proof, top)) == "log-proof"
    check_inclusion(leaf, index, size, proof, top)


@settings(max_examples=200, deadline=None)
@given(size=SIZES.filter(lambda size: size > 2), data=st.data())
def test_a_damaged_consistency_proof_is_refused(
    large: naive.Log, size: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, size - 1))
    proof = consistency(old, size, cut(large, size))
    first, last = at(large, old), at(large, size)
    bad = _bad(proof, data)
    if bad != proof:
        assert refusal(lambda: check_consistency(old, size, bad, first, last)) == "log-proof"
    assert refusal(lambda: check_consistency(old, size, proof, last, first)) == "log-proof"
    assert refusal(lambda: check_consistency(old, size, proof, EMPTY_ROOT, last)) == "log-proof"
    assert refusal(lambda: check_consistency(old, size, proof, first, EMPTY_ROOT)) == "log-proof"
    check_consistency(old, size, proof, first, last)


@pytest.mark.parametrize("size", range(2, 40))
def test_no_other_size_passes_unless_the_hashes_read_the_same(small: naive.Log, size: int) -> None:
    """A size is bound through the shape of its proof: the naive shapes say which must differ."""
    for index in range(size):
        tiles, top = cut(small, size), at(small, size)
        proof, leaf = inclusion(index, size, tiles), leaf_hash(small.entries[index])
        for other in range(1, 41):
            passes = holds(leaf, index, other, proof, top)
            same = index < other and _sides(index, other) == _sides(index, size)
            assert passes is same


def _sides(index: int, size: int) -> list[bool]:
    """For each hash of the path, leaf first: whether it stands on the left (RFC 6962, 2.1.1)."""
    if size == 1:
        return []
    k = naive.largest(size)
    if index < k:
        return [*_sides(index, k), False]
    return [*_sides(index - k, size - k), True]


def test_a_node_does_not_pass_for_a_leaf_nor_a_leaf_for_a_node(small: naive.Log) -> None:
    entries = small.entries[:4]
    top, tiles = naive.mth(entries), cut(small, 4)
    left, right = (naive.mth(half) for half in (entries[:2], entries[2:]))
    forged = left + right  # an entry whose bytes are the two nodes below the root
    assert leaf_hash(forged) != top
    assert refusal(lambda: check_inclusion(leaf_hash(forged), 0, 1, [], top)) == "log-proof"
    assert refusal(lambda: check_inclusion(leaf_hash(forged), 0, 2, [right], top)) == "log-proof"
    check_inclusion(leaf_hash(entries[0]), 0, 4, inclusion(0, 4, tiles), top)
    assert leaf_hash(b"\x01" + forged) != node_hash(left, right)
    assert leaf_hash(b"") != EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, -1), (0, MAX_SIZE + 1)]
)
def test_an_entry_that_is_not_in_the_tree_has_no_proof(
    small: naive.Log, index: int, size: int
) -> None:
    leaf = leaf_hash(small.entries[0])
    assert refusal(lambda: inclusion(index, size, small.read)) == "log-proof"
    assert refusal(lambda: check_inclusion(leaf, index, size, [], leaf)) == "log-proof"
    check_inclusion(leaf, 0, 1, [], leaf)


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5), (1, MAX_SIZE + 1)])
def test_a_tree_continues_no_larger_one(small: naive.Log, old: int, new: int) -> None:
    top = at(small, 5)
    assert refusal(lambda: consistency(old, new, small.read)) == "log-proof"
    assert refusal(lambda: check_consistency(old, new, [], top, top)) == "log-proof"
    check_consistency(5, 5, [], top, top)


def test_every_tree_continues_the_empty_one_and_only_its_own_root_is_the_empty_one(
    small: naive.Log,
) -> None:
    top = at(small, 5)
    check_consistency(0, 5, [], EMPTY_ROOT, top)
    check_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    for bad in (
        lambda: check_consistency(0, 5, [top], EMPTY_ROOT, top),
        lambda: check_consistency(0, 5, [], top, top),
        lambda: check_consistency(0, 0, [], EMPTY_ROOT, top),
        lambda: check_consistency(5, 5, [], EMPTY_ROOT, top),
        lambda: check_consistency(5, 5, [top], top, top),
        lambda: check_consistency(3, 5, [], at(small, 3), top),
        lambda: check_consistency(4, 5, [], at(small, 4), top),
    ):
        assert refusal(bad) == "log-proof"


def test_a_proof_longer_than_any_is_refused_before_it_is_hashed() -> None:
    one = bytes(32)
    assert refusal(lambda: check_inclusion(one, 0, 2, [one] * 65, one)) == "log-proof"
    assert refusal(lambda: check_consistency(1, 2, [one] * 65, one, one)) == "log-proof"


def test_a_tile_of_the_wrong_length_is_refused(small: naive.Log) -> None:
    def short(level: int, index: int, width: int) -> bytes:
        return small.read(level, index, width)[:-1]

    assert refusal(lambda: root(300, short)) == "log-proof"
    assert refusal(lambda: inclusion(7, 300, short)) == "log-proof"
    assert refusal(lambda: consistency(7, 300, short)) == "log-proof"


def test_a_proof_reads_each_tile_once_and_as_many_as_the_tree_has_levels(large: naive.Log) -> None:
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        for make in (inclusion, consistency):
            read: list[tuple[int, int]] = []

            def tiles(level: int, at: int, width: int) -> bytes:
                read.append((level, at))  # noqa: B023 - used before the next turn
                return large.read(level, at, width)

            make(index, 70_000, tiles)
            assert len(read) == len(set(read)) <= 2 * 3  # a tile and one at the edge a level


def test_inside_one_full_tile_fewer_than_256_nodes_are_hashed(
    small: naive.Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[bytes] = []

    class Counting:
        @staticmethod
        def sha256(data: bytes) -> hashlib._Hash:
            counted.append(data)
            return hashlib.sha256(data)

    monkeypatch.setattr(merkle, "hashlib", Counting)
    for index in range(256):
        counted.clear()
        merkle.rows.cache_clear()
        inclusion(index, 256, cut(small, 256))
        assert len(counted) <= 255
    counted.clear()
    root(256, lambda *_: merkle.fold(small.store[0, 0]))
    assert len(counted) == 255
