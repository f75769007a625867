"""Tiles and bundles: one spelling each, and growing is the same as building anew."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ans.log import naive
from delegant.ans.log import tiles
from delegant.ans.log.merkle import MAX_SIZE, leaf_hash, width
from delegant.ans.log.tiles import Place, bundle_path, extend, pack, parse_path, path, unpack
from refusal import refusal


def test_the_paths_are_those_of_the_specification() -> None:
    assert path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert path(0, 273, 112) == "tile/0/273.p/112"
    assert path(63, 0) == "tile/63/000"
    assert bundle_path(1_067, 1) == "tile/entries/x001/067.p/1"


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, MAX_SIZE >> 8), st.integers(1, 256))
@example(None, MAX_SIZE >> 8, 255)
def test_a_path_reads_back_as_what_it_names(level: int | None, index: int, count: int) -> None:
    place = Place(level, index, count)
    assert parse_path(place.path) == place
    assert len(place.path) <= tiles.MAX_PATH


@pytest.mark.parametrize(
    "text",
    [
        "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000",
        "tile/0/1000", "tile/0/x000/000", "tile/0/000/001", "tile/0/x001/x067", "tile/0/x001",
        "tile/0/X001/067", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p",
        "tile/0/000.p/1/", "tile/0/000/", "/tile/0/000", "tile//000", "tile/0/-01", "tile/0/٠٠٠",
        "tile/0/000.p/²", "tile/entries", "tile/entries/", "tile/entries/1", "tile/data/000",
        "Tile/0/000", "tile/0/..", "tile/0/../000", "tile/0/%30%30%30", "tile/0/000?x",
        "tile/0/000\n", " tile/0/000", "tile/0/xx001/067", "tile/0/x0x1/067", "tile/0/000.p/1.p/1",
        "tile/0/x099/x999/x999/x999/x999/x999/999", "checkpoint", "\ud800",
    ],
)  # fmt: skip
def test_another_spelling_of_a_path_is_refused(text: str) -> None:
    assert refusal(lambda: parse_path(text)) == "encoding"
    assert parse_path("tile/0/000") == Place(0, 0, 256)


def test_a_path_is_measured_before_it_is_read() -> None:
    assert refusal(lambda: parse_path("tile/0/" + "x" * 60)) == "limit-size"


@pytest.mark.parametrize(
    ("level", "index", "count"),
    [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, (MAX_SIZE >> 8) + 1, 1), (0, 0, 0), (0, 0, 257)],
)
def test_what_no_tile_has_gets_no_path(level: int, index: int, count: int) -> None:
    assert refusal(lambda: path(level, index, count)) == "encoding"


@given(st.lists(st.binary(max_size=40), max_size=256))
def test_a_bundle_reads_back_as_its_entries(entries: list[bytes]) -> None:
    data = pack(entries)
    assert unpack(data) == entries
    assert pack(unpack(data)) == data


def test_the_longest_entry_fits_and_a_longer_one_does_not() -> None:
    entry = bytes(tiles.MAX_ENTRY)
    data = pack([entry, b""])
    assert data[:2] == b"\xff\xff"
    assert unpack(data) == [entry, b""]
    assert refusal(lambda: pack([entry + b"\0"])) == "limit-size"


def test_a_bundle_has_256_entries_at_most() -> None:
    assert len(unpack(pack([b"x"] * 256))) == 256
    assert refusal(lambda: pack([b"x"] * 257)) == "limit-size"
    assert refusal(lambda: unpack(b"\0\1x" * 257)) == "limit-size"
    assert refusal(lambda: unpack(bytes(tiles.MAX_BUNDLE + 1))) == "limit-size"
    full = pack([bytes(tiles.MAX_ENTRY)] * 256)
    assert len(full) == tiles.MAX_BUNDLE
    assert len(unpack(full)) == 256


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2x", b"\0\1xy", b"\0\1x\0", b"\xff\xffx"])
def test_a_bundle_that_ends_within_an_entry_is_refused(data: bytes) -> None:
    assert refusal(lambda: unpack(data)) == "encoding"
    assert unpack(b"\0\1x") == [b"x"]


def build(size: int) -> dict[tuple[int, int], bytes]:
    """All tiles of a tree, straight from the formula of the specification."""
    entries = [naive.entry(at) for at in range(size)]
    found = {}
    level = 0
    while count := size >> 8 * level:
        span = 256**level
        hashes = [naive.mth(entries[i * span : (i + 1) * span]) for i in range(count)]
        for index in range(-(-count // 256)):
            found[level, index] = b"".join(hashes[256 * index : 256 * index + 256])
        level += 1
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 20), st.sampled_from([255, 256, 257])), max_size=8))
def test_growing_in_any_steps_gives_the_tiles_of_the_formula(steps: list[int]) -> None:
    log = naive.Log()
    for step in steps:
        start = log.size
        log.add([naive.entry(at) for at in range(start, start + step)])
    assert log.store == build(log.size)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    log = naive.Log(70_000)
    widths = {at: len(tile) // 32 for at, tile in log.store.items()}
    full = [at for at, count in widths.items() if count == 256]
    assert sum(level == 0 for level, _ in full) == 273
    assert [at for at in full if at[0]] == [(1, 0)]
    assert {at: count for at, count in widths.items() if count < 256} == {
        (0, 273): 112, (1, 1): 17, (2, 0): 1,
    }  # fmt: skip
    assert all(width(70_000, *at) == count for at, count in widths.items())
    assert width(256, 0, 0) == 256
    assert width(256, 1, 0) == 1
    assert width(256, 2, 0) == width(256, 0, 1) == 0


def test_one_entry_more_reads_and_writes_a_tile_a_level() -> None:
    log = naive.Log(65_535)
    read: list[tuple[int, int]] = []

    def tiles_of(level: int, index: int, count: int) -> bytes:
        read.append((level, index))
        return log.read(level, index, count)

    changed = extend(65_535, [leaf_hash(b"one more")], tiles_of)
    assert [at[:2] for at in changed] == [(0, 255), (1, 0), (2, 0)]
    assert read == [(0, 255), (1, 0)]  # that of level 2 did not exist
    assert extend(65_535, [], tiles_of) == []


def test_growing_takes_no_size_hash_or_tile_out_of_range() -> None:
    log = naive.Log(3)
    one = leaf_hash(b"x")
    for bad in (
        lambda: extend(-1, [one], log.read),
        lambda: extend(MAX_SIZE, [one], log.read),
        lambda: extend(3, [one[:-1]], log.read),
        lambda: extend(3, [one], lambda *_: bytes(95)),
    ):
        assert refusal(bad) == "log-proof"
    assert extend(3, [one], log.read) == [(0, 0, log.store[0, 0] + one)]
