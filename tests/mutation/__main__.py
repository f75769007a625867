"""Mutation testing of the core: ``python -m mutation [FILE ...] [--survivors] [--page]``.

Results go to ``build/mutation/FILE.json``. Exit status 1 if a mutant survived that
``survivors.toml`` does not explain.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from mutation import survivors
from mutation.core import CORE
from mutation.cover import BUILD, cover
from mutation.mutants import mutants
from mutation.run import Result, run

APART: Final = {"__init__", "errors", "account", "holder", "issuer", "request", "verdict"}
"""Files that check nothing a verifier relies on: only asked for by name."""


def main() -> int:
    """Run, tell, and say whether all is explained."""
    options = argparse.ArgumentParser(prog="python -m mutation")
    options.add_argument("files", nargs="*", metavar="FILE", help="of the core, without .py")
    options.add_argument(
        "--survivors", action="store_true", help="of the last run, those not explained"
    )
    options.add_argument("--budget", type=float, default=5, help="seconds of tests for a mutant")
    options.add_argument("--cases", type=int, default=9999, help="most limbo cases for a mutant")
    options.add_argument("--page", action="store_true", help="only write docs/mutation.md")
    chosen = options.parse_args()
    every = [path.stem for path in sorted(CORE.glob("*.py"))]
    files = chosen.files or [stem for stem in every if stem not in APART]
    if not chosen.page:
        known = cover()
        for file in files:
            _file(file, chosen, known)
    return survivors.tell(files, chosen.page)


def _file(file: str, chosen: argparse.Namespace, known: Any) -> None:
    path = BUILD / f"{file}.json"
    every = mutants(CORE / f"{file}.py")
    before: dict[str, dict[str, Any]] = {}
    if chosen.survivors and path.exists():
        reasons = survivors.entries()
        before = {
            _name(one): one for one in json.loads(path.read_text())["results"]
            if one["outcome"] != "survived" or any(entry.covers(one) for entry in reasons)
        }  # fmt: skip
    part = path.with_suffix(".part")
    part.touch()  # of a run that was broken off: it is gone on with
    before |= {_name(one): one for one in map(json.loads, part.read_text().splitlines())}
    todo = [one for one in every if _name(asdict(one)) not in before]
    results = list(before.values())
    start = time.perf_counter()

    def told(result: Result) -> None:
        out = asdict(result) | asdict(result.mutant)
        del out["mutant"], out["source"]
        with part.open("a") as lines:
            lines.write(json.dumps(out) + "\n")
        if result.outcome == "survived" and os.isatty(2):
            print(f"  survived: {result.mutant.name}", file=sys.stderr)

    run(todo, known, chosen.budget, chosen.cases, told)
    fresh = {_name(asdict(one)) for one in todo}
    lines = map(json.loads, part.read_text().splitlines())
    results += [one for one in lines if _name(one) in fresh]
    part.unlink()
    seconds = round(time.perf_counter() - start, 1)
    path.write_text(json.dumps({"seconds": seconds, "results": results}, indent=0))
    counts = {kind: sum(one["outcome"] == kind for one in results)
              for kind in ("killed", "timeout", "survived")}  # fmt: skip
    print(f"{file}: {len(results)} mutants, {counts}, {seconds} s", file=sys.stderr, flush=True)


def _name(one: dict[str, Any]) -> str:
    return f"{one['line']} {one['operator']} {one['was']} -> {one['now']}"


if __name__ == "__main__":
    sys.exit(main())
