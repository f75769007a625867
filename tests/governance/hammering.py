"""Driving `hammer.py`: rounds of acts, the child killed amid them, and what was seen."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from delegant.governance.auditlog import AuditLog
from delegant.governance.record import Record
from governance.accounting import account
from governance.auditing import PASSPHRASE

TESTS = Path(__file__).parents[1]


@dataclass
class Hammering:
    """A hammer at the log of a folder.

    Attributes:
        keys: of the budgets, of ``total`` each.
        permits: number of an act to its event and the number of its intent.
        outcomes: number of an act to the number of its outcome, and the amount.
        refusals: number of an act to the number of its refusal.
        codes: of what was refused, by the number of the act.
        unknown: acts of which nobody was told anything.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    total: int
    keys: list[str] = field(default_factory=list)
    permits: dict[int, tuple[str, int]] = field(default_factory=dict)
    outcomes: dict[int, tuple[int, int]] = field(default_factory=dict)
    refusals: dict[int, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    opened: list[float] = field(default_factory=list)
    next: int = 0

    def fresh(self, count: int) -> list[int]:
        """Acts that nobody tried yet."""
        self.next += count
        return list(range(self.next - count, self.next))

    def begin(self, numbers: list[int]) -> int:
        """Start a round; the pid of its child."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{' '.join(map(str, numbers))}\n".encode())
        self.process.stdin.flush()
        return int(self.line()[1])

    def line(self) -> list[str]:
        """What it says next."""
        assert self.process.stdout is not None
        words = self.process.stdout.readline().decode().split()
        assert words, "the hammer is gone"
        return words

    def killed(
        self,
        numbers: list[int],
        until: str,
        seconds: float,
        also: Callable[[list[str]], None] = lambda _: None,
    ) -> None:
        """A round whose child is killed so long after it first says a word.

        Args:
            also: is shown every line.
        """
        child, dead = self.begin(numbers), False

        def heard(words: list[str]) -> None:
            nonlocal dead
            also(words)
            if not dead and words[0] in (until, "end"):
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)  # what it said before is still read
                dead = True

        self.listen(heard)
        assert dead

    def listen(self, heard: Callable[[list[str]], None] = lambda _: None) -> None:
        """Take down the rest of a round."""
        while (words := self.line()) != ["ended"]:
            match words:
                case ["open", seconds]:
                    self.opened.append(float(seconds))
                case ["sent", number]:
                    self.unknown.add(int(number))
                case ["ok", number, event, index]:
                    assert int(number) not in self.permits, "two permits for one invocation"
                    self.permits[int(number)] = event, int(index)
                    self.unknown.discard(int(number))
                case ["done", number, index, amount]:
                    self.outcomes[int(number)] = int(index), int(amount)
                case ["told", number, index]:
                    self.refusals[int(number)] = int(index)
                case ["no", number, code]:
                    self.codes[int(number)] = code
                    self.unknown.discard(int(number))
            heard(words)

    @property
    def limits(self) -> dict[str, int]:
        return dict.fromkeys(self.keys, self.total)

    def wrong(self) -> list[str]:
        """What a log opened now shows, held to its own rules and to what was seen."""
        log = AuditLog.open(self.folder, PASSPHRASE)
        try:
            wrong = account(log, self.limits)
            with log.store.transaction(reading=True) as db:
                entries = log.store.entries(db, 0, 1 << 30, 1 << 30)
            records = {row.number: (row.type, row.event) for row in entries}
            for number, (event, index) in self.permits.items():
                if records.get(index) != ("intent", event):
                    wrong.append(f"the permit of act {number} is not in the log")
                if number in self.outcomes and records.get(self.outcomes[number][0]) != (
                    "outcome", event,
                ):  # fmt: skip
                    wrong.append(f"the outcome of act {number} is not in the log")
            for number, index in self.refusals.items():
                if records.get(index, ("",))[0] != "refusal":
                    wrong.append(f"the refusal of act {number} is not in the log")
            return wrong
        finally:
            log.close()

    def records(self) -> list[Record]:
        """The records there are now."""
        log = AuditLog.open(self.folder, PASSPHRASE)
        try:
            with log.store.transaction(reading=True) as db:
                return [log.record(number) for number in range(log.store.leaf_count(db))]
        finally:
            log.close()


@contextlib.contextmanager
def hammering(folder: Path, threads: int = 64, total: int = 10_000_000) -> Iterator[Hammering]:
    """A hammer, ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "governance.hammer", str(folder), str(threads), str(total)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        out = Hammering(folder, process, total)
        out.keys = out.line()[1:]
        yield out
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its child too
        process.wait(10)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
