"""Which cases and tests run which lines of the core, and how long a test takes."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

from mutation.core import CORE, ROOT
from mutation.oracle import TESTS, Cases

__all__ = ["BUILD", "Cover", "arguments", "cover"]

BUILD: Final = ROOT / "build" / "mutation"
PROCESS: Final = ("subprocess", "pythons")
"""A test whose name has one of these in its source asks another process, which has no mutant."""


@dataclass(frozen=True)
class Cover:
    """``lines``: by file and line, those who run it, as bits of their place in ``names``."""

    names: list[str]
    lines: dict[str, dict[str, str]]
    seconds: dict[str, float]

    @cached_property
    def breadth(self) -> dict[str, int]:
        """How many lines of the core a test runs: the fewer, the more it is about them."""
        counts = Counter[int]()
        for out in self.lines.values():
            for written in out.values():
                digits = f"{int(written, 16):b}"[::-1]
                at = digits.find("1")
                while at >= 0:
                    counts[at] += 1
                    at = digits.find("1", at + 1)
        return {name: counts[at] for at, name in enumerate(self.names)}

    def some(self, stem: str, lines: Iterable[int]) -> set[str]:
        """As `who`, of lines apart."""
        return set().union(*(self.who(stem, range(line, line + 1)) for line in lines))

    def who(self, stem: str, lines: range) -> set[str]:
        """Who runs one of these lines."""
        bits = 0
        for line in lines:
            bits |= int(self.lines.get(stem, {}).get(str(line), "0"), 16)
        return {name for at, name in enumerate(self.names) if bits >> at & 1}


def arguments(*more: str, tests: tuple[str, ...] = TESTS) -> list[str]:
    """How pytest is called: in the tests' own order, nothing printed."""
    folders = [str(ROOT / "tests" / name) for name in tests]
    return [
        "-q", "-x", "-n", "0", "--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning",
        "-p", "no:randomly", "-p", "no:cov", "-p", "no:cacheprovider",
        "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *more, *folders,
    ]  # fmt: skip


def cover() -> Cover:
    """From the last run, if neither core nor tests have changed since."""
    path = BUILD / f"cover-{_state()}.json"
    if not path.exists():
        print("finding out which cases and tests run which lines …", file=sys.stderr)
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "mutation.cover", str(path)], check=True)
    return Cover(**json.loads(path.read_text("utf-8")))


def _state() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _inputs())).hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    yield from sorted(CORE.glob("*.py"))
    yield from sorted((ROOT / "tests" / "limbo" / "cases").glob("*.json"))
    for name in TESTS:
        yield from sorted((ROOT / "tests" / name).rglob("*.py"))


class Covering:
    """A pytest plugin that runs all under coverage, each in a context of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        coverage: Any = importlib.import_module("coverage")
        runner: Any = importlib.import_module("_pytest.runner")
        measured = coverage.Coverage(data_file=None, include=[f"{CORE}/*"], config_file=False)
        cases = Cases()
        seconds: dict[str, float] = {}
        measured.start()
        for id_ in cases.ids:
            measured.switch_context(id_)
            cases.ask(id_)
        measured.stop()
        for item in session.items:
            start = time.perf_counter()
            measured.start()
            measured.switch_context(item.nodeid)
            reports = runner.runtestprotocol(item, nextitem=None, log=False)
            measured.stop()
            if any(report.failed for report in reports):  # it would kill every mutant
                pytest.exit(f"{item.nodeid} fails without any change", 1)
            seconds[item.nodeid] = round(time.perf_counter() - start, 4)
        names = [*cases.ids, *seconds]
        self._write(measured.get_data(), names, seconds)
        return True

    def _write(self, data: Any, names: list[str], seconds: dict[str, float]) -> None:
        at = {name: number for number, name in enumerate(names)}
        lines: dict[str, dict[str, str]] = {}
        for file in data.measured_files():
            out = lines.setdefault(Path(file).stem, {})
            for line, contexts in data.contexts_by_lineno(file).items():
                bits = sum(1 << at[name] for name in set(contexts) if name in at)
                out[str(line)] = f"{bits:x}"
        document = {"names": names, "lines": lines, "seconds": seconds}
        self._path.write_text(json.dumps(document), "utf-8")


if __name__ == "__main__":
    sys.exit(pytest.main(arguments(), plugins=[Covering(Path(sys.argv[1]))]))
