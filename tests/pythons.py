"""Other Pythons to ask: found on PATH or named, each with an environment of its own in build/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "base.txt"
ROOMS = ("credentials", "w3c", "wallet", "ans", "governance", "cli", "schemas", "tests")
NAMES = ("python3.11", "python3.12", "python3.13")


class Missing(Exception):
    """Why an interpreter cannot be asked."""


@dataclass(frozen=True)
class Python:
    """An interpreter, and its environment once it is made. ``version`` is like (3, 13, 0)."""

    path: str
    version: tuple[int, ...]

    @property
    def home(self) -> Path:
        """Where its environment lies."""
        return ROOT / "build" / "pythons" / ".".join(map(str, self.version))

    def run(self, *typed: object, seed: str = "0") -> str:
        """What it writes, running the core of this tree."""
        rooms = os.pathsep.join(str(ROOT / name) for name in ROOMS)
        inside = self.home / "bin" / "python"
        return _output(inside, "-s", *typed, PYTHONPATH=rooms, PYTHONHASHSEED=seed)

    def make(self) -> None:
        """Make its environment, or renew it when the pins have changed.

        Raises:
            Missing: the packages cannot be had here.
        """
        stamp, pins = self.home / ".pins", hashlib.sha256(PINS.read_bytes()).hexdigest()
        if stamp.is_file() and stamp.read_text("ascii") == pins:
            return
        _output(self.path, "-m", "venv", "--clear", self.home)
        pip = (self.home / "bin" / "python", "-m", "pip", "install", "--quiet")
        _output(*pip, "--disable-pip-version-check", "--require-hashes", "-r", PINS)
        stamp.write_text(pins, "ascii")


def names() -> tuple[str, ...]:
    """The interpreters to look for: ``DELEGANT_PYTHONS`` (with colons between), or the usual."""
    named = os.environ.get("DELEGANT_PYTHONS", "")
    return tuple(name for name in named.split(":") if name) or NAMES


@cache
def python(name: str) -> Python:
    """An interpreter by its name or path.

    Raises:
        Missing: not on PATH, or it does not run.
    """
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not on PATH")
    version = _output(found, "-c", "import sys; print(*sys.version_info[:3])")
    return Python(found, tuple(map(int, version.split())))


def _output(*typed: object, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in typed],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=clean | environment,
    )
    if done.returncode != 0:
        why = (done.stderr.strip() or "no message").splitlines()[0]
        raise Missing(f"{Path(str(typed[0])).name} {typed[1]}: {why[:200]}")
    return done.stdout
