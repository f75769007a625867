"""Measure what acting on record costs, print it, and write it down: ``make bench-runtime``.

Writes ``build/bench/runtime.json`` (a number a row), ``build/bench/runtime-details.json`` (every
round, the machine, the curves), ``docs/runtime-speed.png`` and ``docs/runtime-speed.md``.
"""

from __future__ import annotations

import argparse
import json
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
from .appending import appending
from .effort import FULL, QUICK, ROOT, Effort
from .permitting import permitting
from .rows import ROWS
from .tracing import tracing

__all__ = ["DOCS", "PARTS", "main"]

OUT = ROOT / "build" / "bench" / "runtime.json"
DOCS = ROOT / "docs"

Part = Callable[[Effort], tuple[dict[str, Figure | None], dict[str, Any]]]
PARTS: dict[str, Part] = {"append": appending, "permit": permitting, "trace": tracing}


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtime", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: no figures")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="these rows alone")
    parser.add_argument("--records", type=int, help="in the large log, at most")
    parser.add_argument("--out", type=Path, default=OUT, help="the JSON file of the figures")
    parser.add_argument("--docs", type=Path, help="folder of page and plot; default docs/, "
                        "none where --quick or --only is given")  # fmt: skip
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    if options.records:
        effort = effort.at_most(options.records)
    if options.quick:
        effort = effort.kept_in(options.out.parent / "runtime")
    only = options.only or list(PARTS)
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    about = machine() | {"quick": options.quick, "at": int(time.time())}
    figures, details = measured(PARTS, ROWS, effort, only, console)
    details = about | details
    out = options.out
    told = out.with_name(f"{out.stem}-details.json")
    if options.only and out.is_file() and told.is_file():  # the rows of an earlier run stay
        figures = json.loads(out.read_text()) | {
            key: value for key, value in figures.items() if value is not None
        }
        before = json.loads(told.read_text())
        details = before | details | {"spread": before["spread"] | details["spread"]}
    write(out, figures)
    write(told, details)
    console.print(shown("delegant: acting on record", ROWS, figures, details))
    console.print(page.notes(details))
    docs = options.docs or (DOCS if not (options.quick or options.only) else None)
    if docs is not None:
        page.publish(figures, details, docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
