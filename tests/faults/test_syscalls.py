"""F2, F3, F4: death, an error of the disk and a full disk at every system call that writes.

strace lets the n-th call of a kind on the registry's files fail, or kills the process in it.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from faults.hammering import Hammering, hammering
from faults.reading import rounds
from faults.tampering import needs_strace, tampered

pytestmark = needs_strace
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "openat", "rename")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
QUICK = (1, 2, 5)
NAMES = 3
"""Names that are registered in each round, one after the other."""


def files_of(hammer: Hammering) -> list[Path]:
    """What the registry opens; other calls are on nothing else, or on names made up."""
    base, note = hammer.naming.path, hammer.naming.checkpoint
    return [
        base, Path(f"{base}-wal"), Path(f"{base}-shm"), base.parent,
        note, note.parent, *(note.parent.glob(".*")),
    ]  # fmt: skip


def round_with(hammer: Hammering, call: str, fault: str, number: int, notes: Path) -> bool:
    """Register with one fault; whether it was met."""
    numbers = hammer.fresh(NAMES)
    notes.write_bytes(b"")
    child = hammer.begin(numbers, "wait")
    paths = files_of(hammer) if call == "openat" else []
    inject = f"inject={call}:{fault}:when={number}"
    with tampered(child, paths, f"trace={call}", inject, notes=notes) as strace:
        os.kill(child, signal.SIGUSR1)
        hammer.listen()
    return strace.hits > 0 or (fault == "signal=KILL" and "killed by SIGKILL" in notes.read_text())


def tried(hammer: Hammering, call: str, fault: str, numbers: tuple[int, ...], notes: Path) -> int:
    """Every round of one fault; how many met it. What fails is told as `unavailable`, and works
    when it is tried again, in the same process."""
    hits = 0
    for number in numbers:
        reads, first = len(hammer.reads), hammer.next
        hit = round_with(hammer, call, fault, number, notes)
        hits += hit
        if not hit and number > 3:
            break
        if fault != "signal=KILL":
            done = [hammer.ops[n].outcome for n in range(first, first + NAMES)]
            assert done == ["ok"] * NAMES, (call, fault, number)
            assert [outcome for _, outcome in hammer.reads[reads:]] in (["200"], ["unavailable"])
    assert set(hammer.refused) <= {"unavailable"}
    return hits


def settled(hammer: Hammering) -> None:
    """The name that is looked up throughout."""
    hammer.begin([1])
    hammer.listen()
    assert hammer.acknowledged == [1]


def test_f2_f3_death_or_an_error_at_a_system_call_loses_nothing(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with hammering(tmp_path, 1) as hammer:
        settled(hammer)
        hits = {
            (call, fault): tried(hammer, call, fault, QUICK, notes)
            for call in CALLS
            for fault in FAULTS
        }
        print({f"{c} {f}": n for (c, f), n in hits.items()}, sum(hits.values()))
        assert hammer.wrong() == []
    assert sum(hits.values()) >= 20


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_f2_f3_at_every_call_in_turn(tmp_path: Path, call: str, fault: str) -> None:
    with hammering(tmp_path, 1) as hammer:
        settled(hammer)
        hits = tried(hammer, call, fault, tuple(range(1, rounds() + 1)), tmp_path / "notes")
        print(f"{call} {fault}: {hits} met")
        assert hammer.wrong() == []
