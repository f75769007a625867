"""Leased status bits: live ones never overlap and never leave the lease, whatever happens."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Lease
from delegant.wallet import files
from delegant.wallet.allocation import HUMAN_BITS, LIST_BITS, lease_bits, take, take_entry

URL = "https://acme.example/status/1"


def clear(_index: int) -> bool:
    return False


def test_the_first_free_bits_are_taken_in_order(tmp_path: Path) -> None:
    lease = Lease(URL, 100, 8)
    found = [take_entry(tmp_path, lease, 0, 10, clear).index for _ in range(4)]
    assert found == [100, 102, 104, 106]
    with pytest.raises(Error, match="status-range"):
        take_entry(tmp_path, lease, 0, 10, clear)


def test_bits_are_free_again_after_the_end_and_not_before(tmp_path: Path) -> None:
    lease = Lease(URL, 0, 2)
    take_entry(tmp_path, lease, 0, 100, clear)
    with pytest.raises(Error, match="status-range"):
        take_entry(tmp_path, lease, 99, 200, clear)
    assert take_entry(tmp_path, lease, 100, 200, clear).index == 0


@pytest.mark.parametrize("marked", [0, 1])
def test_bits_that_were_ever_set_are_never_given_out_again(tmp_path: Path, marked: int) -> None:
    lease = Lease(URL, 0, 4)
    take_entry(tmp_path, lease, 0, 100, clear)
    assert take_entry(tmp_path, lease, 1000, 2000, lambda i: i == marked).index == 2
    assert take_entry(tmp_path, lease, 5000, 6000, lambda i: i == marked).index == 2


def test_a_range_with_one_marked_bit_is_passed_over(tmp_path: Path) -> None:
    lease = Lease(URL, 0, 256)
    assert take(tmp_path, lease, 64, 0, 1, lambda index: index in (3, 60)) == 62


@pytest.mark.parametrize(
    ("remaining", "bits"), [(0, 0), (1, 64), (2, 512), (3, 4096), (4, 8192), (31, 8192)]
)
def test_a_delegate_is_leased_what_it_may_need(remaining: int, bits: int) -> None:
    assert lease_bits(remaining, Lease(URL, 0, HUMAN_BITS)) == bits


@given(remaining=st.integers(0, 31), half=st.integers(1, 100_000))
def test_never_more_than_half_of_what_the_delegator_has(remaining: int, half: int) -> None:
    lease = Lease(URL, 0, 2 * half)
    bits = lease_bits(remaining, lease)
    assert bits % 2 == 0
    assert 0 <= bits <= half
    assert lease_bits(remaining, None) == 0


STEP = st.tuples(
    st.sampled_from(["entry", "range", "wait", "mark"]), st.integers(1, 40), st.integers(1, 60)
)


@settings(max_examples=30)
@given(steps=st.lists(STEP, max_size=40), start=st.integers(0, 50), size=st.integers(1, 60))
def test_live_bits_never_overlap_and_stay_inside(
    steps: list[tuple[str, int, int]], start: int, size: int
) -> None:
    lease = Lease(URL, 2 * start, 2 * size)
    now, marked, live = 0, set[int](), list[tuple[int, int, int]]()
    with tempfile.TemporaryDirectory() as folder:
        for what, number, life in steps:
            live = [one for one in live if one[2] > now]
            if what == "wait":
                now += life
            elif what == "mark":
                marked.add(lease.start + (number * life) % lease.count)
            else:
                count = 2 if what == "entry" else 2 * number
                try:
                    found = take(Path(folder), lease, count, now, now + life, marked.__contains__)
                except Error as exc:
                    assert exc.code == "status-range"
                    continue
                assert found % 2 == 0
                assert lease.start <= found <= lease.start + lease.count - count
                assert not marked.intersection(range(found, found + count))
                assert all(found + count <= a or a + n <= found for a, n, _ in live)
                live.append((found, count, now + life))


@settings(max_examples=25)
@given(taken=st.lists(st.integers(1, 8), min_size=1, max_size=12))
def test_a_full_refusal_means_there_is_no_gap(taken: list[int]) -> None:
    lease = Lease(URL, 0, 64)
    with tempfile.TemporaryDirectory() as folder:
        for half in taken:
            before = _free(Path(folder), lease)
            try:
                take(Path(folder), lease, 2 * half, 0, 10, clear)
            except Error:
                assert before < 2 * half


def _free(folder: Path, lease: Lease) -> int:
    """The longest free run: nothing was ever released, so it is the tail."""
    if not (folder / "state.json").exists():
        return lease.count
    (items,) = files.read_object(folder / "state.json")["taken"].values()
    assert isinstance(items, list)
    return lease.count - int(sum(item[1] for item in items))


@pytest.mark.parametrize("dies", ["before", "after"])
def test_death_in_the_middle_wastes_bits_at_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    lease = Lease(URL, 0, 8)
    first = take_entry(tmp_path, lease, 0, 10, clear).index
    real = files.write

    def dying(path: Path, data: bytes, *, secret: bool = False) -> None:
        if dies == "after":
            real(path, data, secret=secret)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            take_entry(tmp_path, lease, 0, 10, clear)
    rest = [take_entry(tmp_path, lease, 0, 10, clear).index for _ in range(2)]
    assert len({first, *rest}) == 3
    assert rest[0] == (2 if dies == "before" else 4)


def test_leases_of_two_lists_or_two_ranges_do_not_touch(tmp_path: Path) -> None:
    a, b = Lease(URL, 0, 2), Lease("https://acme.example/status/2", 0, 2)
    assert take_entry(tmp_path, a, 0, 10, clear).list != take_entry(tmp_path, b, 0, 10, clear).list
    whole = Lease(URL, 0, LIST_BITS)
    inner = Lease(URL, take(tmp_path, whole, HUMAN_BITS, 0, 10, clear), HUMAN_BITS)
    assert inner.holds_entry(take_entry(tmp_path, inner, 0, 10, clear))
