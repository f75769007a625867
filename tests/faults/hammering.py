"""Driving `hammer.py`: rounds of registrations, the child killed amid them, and what was seen."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ans.naming import Naming
from delegant.ans.name import AnsName
from faults.hammer import name_of
from faults.history import Op, check_history
from faults.reading import checkpoint, log_entries, newest

TESTS = Path(__file__).parents[1]


@dataclass
class Hammering:
    """A hammer on a database of its own.

    Attributes:
        ops: what was sent last, by the number of its name; and what became of it.
        past: the same of what was sent before, where the same was sent again.
        opened: seconds that each start took.
        refused: codes of refusals.
        next: the first number that was not used yet.
    """

    naming: Naming
    process: subprocess.Popen[bytes]
    ops: dict[int, Op] = field(default_factory=dict)
    past: list[Op] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    reads: list[tuple[int, str]] = field(default_factory=list)
    next: int = 1

    def fresh(self, count: int) -> list[int]:
        """Names that nobody sent yet."""
        return list(range(self.next, self.next + count))

    def begin(self, numbers: list[int], how: str = "go") -> int:
        """Start a round with these names; the pid of its child."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{how} {' '.join(map(str, numbers))}\n".encode())
        self.process.stdin.flush()
        return int(self.line()[1])

    def line(self) -> list[str]:
        """What it says next."""
        assert self.process.stdout is not None
        words = self.process.stdout.readline().decode().split()
        assert words, "the hammer is gone"
        return words

    def listen(self, heard: Callable[[list[str]], None] = lambda _: None) -> None:
        """Take down the rest of a round; ``heard`` is shown every line."""
        while (words := self.line()) != ["ended"]:
            match words:
                case ["open", seconds]:
                    self.opened.append(float(seconds))
                case ["shut", code]:
                    self.refused.append(code)
                case ["sent", number, event, at]:
                    self._sent(int(number), float(at), event)
                case ["ok", number, index, at]:
                    self._answered(int(number), float(at), "ok", int(index))
                case ["no", number, code, at]:
                    self.refused.append(code)
                    outcome = "unknown" if code == "unavailable" else "refused"
                    self._answered(int(number), float(at), outcome)
                case ["read", number, outcome, _]:
                    self.reads.append((int(number), outcome))
            heard(words)

    def _sent(self, number: int, at: float, event: str) -> None:
        if number in self.ops:
            self.past.append(self.ops[number])
        self.ops[number] = Op("write", AnsName.parse(name_of(number)).key, at, event=event)
        self.next = max(self.next, number + 1)

    def _answered(self, number: int, at: float, outcome: str, index: int = -1) -> None:
        self.ops[number] = replace(self.ops[number], end=at, outcome=outcome, index=index)

    @property
    def unknown(self) -> list[int]:
        """Names of which nobody was told what became of them."""
        return [number for number, op in self.ops.items() if op.outcome == "unknown"]

    @property
    def acknowledged(self) -> list[int]:
        return [number for number, op in self.ops.items() if op.outcome == "ok"]

    def wrong(self) -> list[str]:
        """What a registry opened now shows, held to what was seen."""
        self.naming.registry = self.naming.open()
        try:
            final = newest(self.naming, [op.name for op in self.ops.values()])
            shown = [checkpoint(self.naming)]
            return check_history(
                [*self.past, *self.ops.values()], log_entries(self.naming), shown, final
            )
        finally:
            self.naming.registry.close()


@contextlib.contextmanager
def hammering(folder: Path, threads: int = 64) -> Iterator[Hammering]:
    """A hammer, ended afterwards."""
    naming = Naming(folder / "registry.db")
    naming.registry.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "faults.hammer", str(naming.path), str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Hammering(naming, process)
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its child too, which may be stopped
        process.wait(10)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
