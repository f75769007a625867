"""Measure the naming service beside nginx, print it, and write it down: ``make bench-ans``.

Writes ``build/bench/ans.json`` (a number a row; null for what cannot be measured here),
``build/bench/ans-details.json`` (every round, the machine, the curves, the reasons),
``docs/ans-speed.png`` and ``docs/ans-speed.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measure import Figure
from benchmarks.run import machine, write
from benchmarks.suite import measured, shown

from . import page
from .dns import by_dns
from .effort import FULL, QUICK, Effort
from .processes import CORES, LOAD
from .registering import growth, registering, storing, verifying
from .resolving import by_capability, by_name
from .rows import ROWS

__all__ = ["PARTS", "main", "measure"]

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench" / "ans.json"
DOCS = ROOT / "docs"

Part = Callable[[Effort], tuple[dict[str, Figure | None], dict[str, Any]]]
PARTS: dict[str, Part] = {
    "resolve": by_name,
    "search": by_capability,
    "register": registering,
    "store": storing,
    "verify": verifying,
    "dns": lambda effort: ({}, by_dns(effort)),
}


def measure(
    effort: Effort, only: list[str], console: Console
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Every row, and what is worth knowing of it; a row that cannot be measured has a reason."""
    figures, details = measured(PARTS, ROWS, effort, only, console)
    if "store" in only:
        details["growth"] = growth(effort)
    return figures, details


def _end(_signal: int, _frame: object) -> None:
    sys.exit("ended")  # so that the servers are, too


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: no figures")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="these rows alone")
    parser.add_argument("--names", type=int, help="in the home asked by name; searched at most")
    parser.add_argument("--out", type=Path, default=OUT, help="the JSON file of the figures")
    parser.add_argument("--docs", type=Path, help="folder of page and plot; default docs/, "
                        "none where --quick or --only is given")  # fmt: skip
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    if options.names:
        effort = effort.at_most(options.names)
    if options.quick:
        effort = effort.kept_in(options.out.parent / "homes")
    only = options.only or list(PARTS)
    before, ended = os.sched_getaffinity(0), signal.signal(signal.SIGTERM, _end)
    os.sched_setaffinity(0, {LOAD})  # the servers have the other core
    try:
        console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
        about = machine() | {"cores": len(CORES), "quick": options.quick, "at": int(time.time())}
        figures, details = measure(effort, only, console)
    finally:
        os.sched_setaffinity(0, before)
        signal.signal(signal.SIGTERM, ended)
    details = about | details
    if options.only and options.out.is_file():  # the rows of an earlier run stay
        figures = json.loads(options.out.read_text()) | {
            key: value for key, value in figures.items() if value is not None
        }
    write(options.out, figures)
    write(options.out.with_name(f"{options.out.stem}-details.json"), details)
    console.print(shown("delegant: the naming service", ROWS, figures, details))
    for name, reason in details["absent"].items():
        console.print(f"{name}: not measured: {reason}")
    console.print(page.notes(details))
    docs = options.docs or (DOCS if not (options.quick or options.only) else None)
    if docs is not None:
        page.publish(figures, details, docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
