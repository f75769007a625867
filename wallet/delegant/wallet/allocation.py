"""Which status bits are taken.

A range is leased down the chain, and its holder hands out entries (two bits) and smaller
ranges. What was handed out is free again once its credential has expired, unless its bits are
set: a revoked index is never used again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from delegant.credentials import Lease, StatusEntry
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error

from . import files

__all__ = ["FOREVER", "HUMAN_BITS", "LIST_BITS", "keep", "lease_bits", "take", "take_entry"]

LIST_BITS: Final = 1 << 20
HUMAN_BITS: Final = 65_536
FOREVER: Final = 253_402_300_799  # the last second of the year 9999
_BY_REMAINING: Final = {0: 0, 1: 64, 2: 512, 3: 4096}
_MOST: Final = 8192

Taken = list[list[int]]


def lease_bits(remaining: int, available: Lease | None) -> int:
    """How many bits a delegate gets that may hand on ``remaining`` times: 0 for none."""
    if available is None:
        return 0
    wanted = min(_BY_REMAINING.get(remaining, _MOST), available.count // 2)
    return wanted - wanted % 2


def take_entry(
    home: Path, lease: Lease, now: int, until: int, used: Callable[[int], bool]
) -> StatusEntry:
    """One entry of a range, for a credential that lives until then.

    Raises:
        Rejected: ``status-range`` when nothing is free.
    """
    return StatusEntry(lease.list, take(home, lease, 2, now, until, used))


def take(
    home: Path, lease: Lease, count: int, now: int, until: int, used: Callable[[int], bool]
) -> int:
    """The start of ``count`` free bits of a range; they are taken when this returns.

    Args:
        home: the folder whose ``state.json`` remembers.
        lease: the range to take from.
        now, until: seconds since 1970; what ended before now is free again.
        used: whether the bit at an index is set in its list.

    Raises:
        Rejected: ``status-range``.
    """
    path = home / "state.json"
    with files.lock(home):
        state: JsonObject = {"version": 1, "taken": {}}
        if path.is_file():
            state = files.read_object(path)
            if state.get("version") != 1 or type(state.get("taken")) is not dict:
                raise error("shape", "state.json is not one of ours: restore it from a backup")
        place = f"{lease.list}#{lease.start}#{lease.count}"
        live: Taken = [one for one in state["taken"].get(place, []) if one[2] > now]
        start = _first_fit(live, lease, count, used)
        if start is None:
            raise error("status-range", f"no {count} free status bits left in the leased range")
        state["taken"][place] = sorted([*live, [start, count, until]])
        files.write_json(path, state)
    return start


def keep(home: Path, lease: Lease, entry: StatusEntry, now: int, until: int) -> bool:
    """Keep an entry of a range taken for longer; False where it is free again, or was never."""
    with files.lock(home):
        path = home / "state.json"
        state = files.read_object(path) if path.is_file() else {}
        place = f"{lease.list}#{lease.start}#{lease.count}"
        for one in state.get("taken", {}).get(place, []):
            if one[:2] == [entry.index, 2] and one[2] > now:
                one[2] = max(one[2], until)
                files.write_json(path, state)
                return True
    return False


def _first_fit(live: Taken, lease: Lease, count: int, used: Callable[[int], bool]) -> int | None:
    """The lowest even start whose bits are neither taken nor set."""
    start, end = lease.start, lease.start + lease.count
    ends = [one for one in live if one[0] < end]
    while start + count <= end:
        clash = [one for one in ends if one[0] < start + count and start < one[0] + one[1]]
        if clash:
            start = max(one[0] + one[1] for one in clash)
            continue
        marked = [index for index in range(start, start + count) if used(index)]
        if not marked:
            return start
        start = marked[-1] + 2 - marked[-1] % 2
    return None
