"""Run mutants: a fork for each, with core, cases and tests loaded before.

A mutant of a function gets its code put into the live function; one of what runs on import (a
table, a constant, a decorator) is imported afresh in a fork that has no core yet. Both are asked
the cases that run the changed line, then the tests that do, and end with the first wrong answer.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from mutation.core import CORE, Fresh, Live, called_on_import, reach, refusals
from mutation.cover import Cover, arguments
from mutation.mutants import Mutant
from mutation.oracle import Cases

__all__ = ["Result", "run"]

MEMORY: Final = 4 << 30
PATIENCE: Final = 20
"""Seconds a mutant may take beyond what its tests should."""


@dataclass(frozen=True)
class Result:
    """``outcome``: killed, timeout (also killed), survived; ``by``: the case or test that told."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float
    asked: int


EDGES: Final = ("edges", "edges_chain", "edges_rules", "edges_verify")
NEAR: Final = {
    "act": ("obligations", "attacks"),
    "argument": ("constraints",),
    "cache": ("cache",),
    "capability": ("bounds", "resource"),
    "chain": ("root", "attacks"),
    "codec": ("codec", "keys"),
    "constraint": ("constraints",),
    "grammar": ("grammar", "cache"),
    "keys": ("keys", "codec"),
    "kinds": ("constraints",),
    "path": ("root", "attacks"),
    "resource": ("resource",),
    "shape": ("bounds", "codec", "resource"),
    "standing": ("status", "root"),
    "status": ("status",),
    "verifier": ("cache", "obligations"),
}
"""The tests that are about a file: they come first, and where the core is imported afresh they
are all that is asked, since collecting takes time."""

Told = Callable[[Result], None]


def forked(work: Callable[[], Any], seconds: float) -> Any:
    """What ``work`` returns in a fork of this process; None if it dies or takes too long."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _alone(seconds)
        os.close(read)
        try:
            answer = work()
        except BaseException as exc:  # noqa: BLE001 - a core that cannot be imported
            answer = f"{type(exc).__name__}: {exc}"[:200]
        with os.fdopen(write, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(data) if data and status == 0 else None  # noqa: S301 - our own child


def _alone(seconds: float) -> None:
    """No output, no more time and memory than given, no tracer."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def run(mutants: list[Mutant], cover: Cover, budget: float, most: int, told: Told) -> None:
    """Run them all.

    Args:
        budget: most seconds of tests a mutant is given, of those that run its line; first
            those that run little else.
        most: as many of the cases that run its line; those that told before come first.
        told: is given each result.
    """
    on_import = forked(called_on_import, 60)
    assert isinstance(on_import, frozenset), on_import
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        plugin = Living(mutants, on_import, cover, budget, most, told)
        with open(os.devnull, "w") as nothing:
            kept = sys.stdout
            sys.stdout = nothing
            plugin.out, plugin.errors = kept, os.fdopen(os.dup(2), "w")
            pytest.main(arguments("-s"), plugins=[plugin])
        with os.fdopen(write, "wb") as pipe:
            if plugin.done:
                pickle.dump(plugin.left, pipe)
        kept.flush()
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        left = pickle.loads(pipe.read())  # noqa: S301 - our own child
    os.waitpid(child, 0)
    Imported(cover, budget, most, told).run(left)


class Living:
    """A pytest plugin: the loaded session is the one every mutant of a function is run in."""

    out: Any
    errors: Any
    done = False

    def __init__(
        self,
        mutants: list[Mutant],
        on_import: frozenset[tuple[str, str, int]],
        cover: Cover,
        budget: float,
        most: int,
        told: Told,
    ) -> None:
        self._mutants = mutants
        self._on_import = on_import
        self._cover = cover
        self._budget = budget
        self._most = most
        self._told = told
        self._killers: list[str] = []
        self.left: list[Mutant] = []

    def pytest_collection(self) -> None:
        _unhurried()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.stdout = self.out
        try:
            self._all(session)
        except BaseException:
            traceback.print_exc(file=self.errors)
            self.errors.flush()
            raise
        self.done = True
        return True

    def _all(self, session: pytest.Session) -> None:
        cases, live = Cases(), Live()
        trees: dict[str, ast.Module] = {}
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        for mutant in self._mutants:
            tree = trees.setdefault(
                mutant.file, ast.parse((CORE / f"{mutant.file}.py").read_text("utf-8"))
            )
            changes = live.changes(mutant.file, mutant.source)
            early = changes is None or any(
                (mutant.file, code.co_qualname, code.co_firstlineno) in self._on_import
                for _, code in changes
            )
            if changes is None or early:
                self.left.append(mutant)
                continue
            self._told(self._one(mutant, tree, changes, cases, items))

    def _one(
        self, mutant: Mutant, tree: ast.Module, changes: Any, cases: Cases, items: dict[str, Any]
    ) -> Result:
        start = time.perf_counter()
        near = self._cover.who(mutant.file, reach(tree, mutant.line))
        refused = self._cover.some(mutant.file, refusals(tree, mutant.line))
        first = [name for name in self._killers if name in near and name in refused]
        first += [name for name in cases.ids if name in near & refused and name not in first]
        first += [name for name in self._killers if name in near and name not in first]
        asked = [n for n in first if n not in items]
        known = set(asked)
        asked += [n for n in cases.ids if n in near and n not in known]
        del asked[self._most :]
        files = [f"credentials/test_{name}.py" for name in (*NEAR.get(mutant.file, ()), *EDGES)]
        about = [n for n in near if any(file in n for file in files)]
        about.sort(key=lambda name: self._cover.breadth[name])
        first = [*(n for n in first if n in items), *about]
        tests = _within(self._cover, first, near, self._budget)

        def work() -> str:
            for function, code in changes:
                function.__code__ = code
            wrong = cases.wrong(asked)
            if wrong is not None:
                return wrong
            protocol: Any = importlib.import_module("_pytest.runner").runtestprotocol
            for name in tests:
                if name in items:
                    reports = protocol(items[name], nextitem=None, log=False)
                    if any(report.failed for report in reports):
                        return name
            return ""

        limit = PATIENCE + 3 * sum(self._cover.seconds[name] for name in tests)
        by = forked(work, limit)
        if by:
            self._killers = [by, *[name for name in self._killers if name != by]][:60]
        outcome = "timeout" if by is None else "killed" if by else "survived"
        taken = round(time.perf_counter() - start, 2)
        return Result(mutant, outcome, by or "", taken, len(asked) + len(tests))


def _within(cover: Cover, first: list[str], near: Iterable[str], budget: float) -> list[str]:
    """Tests near a line, those that are about least first, as many as the budget holds."""
    rest = sorted((n for n in near if n in cover.seconds), key=lambda n: cover.breadth[n])
    out: list[str] = []
    for name in dict.fromkeys([*first, *rest]):
        if cover.seconds[name] < budget:
            budget -= cover.seconds[name]
            out.append(name)
    return out


def _unhurried() -> None:
    """A counterexample is enough: it need not be the smallest."""
    hypothesis: Any = importlib.import_module("hypothesis")
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    settings = hypothesis.settings
    settings.register_profile("mutation", settings.get_profile("delegant"), phases=phases)
    settings.load_profile("mutation")


class Shortened:
    """A pytest plugin for a core imported afresh: the tests a budget holds, nothing shrunk."""

    def __init__(self, cover: Cover, budget: float) -> None:
        self._cover = cover
        self._budget = budget
        self.failed = ""

    def pytest_collection(self) -> None:
        _unhurried()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = {item.nodeid: item for item in items}
        items[:] = [known[name] for name in _within(self._cover, [], known, self._budget)]

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = f"collecting {report.nodeid}"


class Imported:
    """Runs mutants of what is done on import; nothing of ours may have been imported yet."""

    def __init__(self, cover: Cover, budget: float, most: int, told: Told) -> None:
        self._cover = cover
        self._budget = budget
        self._most = most
        self._told = told
        for name in ("orjson", "rfc8785", "nacl.signing", "jsonschema", "hypothesis.strategies"):
            importlib.import_module(name)

    def run(self, mutants: list[Mutant]) -> None:
        """Run them all."""
        assert not any(name.startswith("delegant.") for name in sys.modules)
        for mutant in mutants:
            self._told(self._one(mutant))

    def _one(self, mutant: Mutant) -> Result:
        start = time.perf_counter()

        def work() -> str:
            Fresh(mutant.file, mutant.source)
            cases = Cases()
            wrong = cases.wrong(cases.ids[: self._most])
            if wrong is not None:
                return wrong
            plugin = Shortened(self._cover, 2 * self._budget)
            near = (*NEAR.get(mutant.file, ("attacks", "bounds")), *EDGES)
            files = tuple(f"credentials/test_{name}.py" for name in near)
            status = pytest.main(arguments(tests=files), plugins=[plugin])
            return plugin.failed or ("" if status == 0 else f"pytest: {status}")

        by = forked(work, PATIENCE + 10 + 6 * self._budget)
        outcome = "timeout" if by is None else "killed" if by else "survived"
        taken = round(time.perf_counter() - start, 2)
        return Result(mutant, outcome, by or "", taken, len(self._cover.names))
