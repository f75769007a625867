"""A process with strace at it, which lets its system calls fail, or kills it in one of them."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Tampered", "needs_strace", "tampered"]


@functools.cache
def _works() -> bool:
    """Whether strace is here and may attach: a container may forbid it."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "5"]) as sleeper:  # noqa: S607
        try:
            with tampered(sleeper.pid, [], "trace=pwrite64"):
                return True
        except (AssertionError, OSError):
            return False
        finally:
            sleeper.kill()


needs_strace = pytest.mark.skipif(
    "not __import__('faults.tampering').tampering._works()",
    reason="strace is not here, or may not attach",
)


@dataclass
class Tampered:
    """What strace writes down."""

    notes: Path

    @property
    def hits(self) -> int:
        """Calls that were tampered with."""
        return self.notes.read_text().count("(INJECTED)")


@contextlib.contextmanager
def tampered(
    pid: int, paths: list[Path], *asked: str, notes: Path | None = None
) -> Iterator[Tampered]:
    """Attach to a process and its threads; only calls on these paths are looked at.

    Args:
        asked: what strace takes after ``-e``.
    """
    own = [word for path in paths for word in ("-P", str(path))]
    own += [word for one in asked for word in ("-e", one)]
    command = ["strace", "-f", "-y", "-p", str(pid), "-o", str(notes or os.devnull), *own]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        try:
            os.set_blocking(strace.stderr.fileno(), False)
            said, end = b"", time.monotonic() + 10
            while b"attached" not in said:
                assert time.monotonic() < end, said
                assert strace.poll() is None, said
                if select.select([strace.stderr], [], [], 0.2)[0]:
                    said += strace.stderr.read() or b""
            yield Tampered(notes or Path(os.devnull))
        finally:
            strace.terminate()
            strace.wait(10)
