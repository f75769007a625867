"""Run the targets for a bounded time each, or one input once.

    python -m fuzz [TARGET ...] [--seconds N] [--seed N]
    python -m fuzz --replay FILE

With atheris the inputs are guided by coverage. Without it (it has wheels for Linux on x86-64
alone) the same targets and oracles get seeded random mutations, and the table says so. A replay
never needs it: its file is called after its target, and shows the finding's traceback.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build" / "fuzz"
FOUND: Final = Path(__file__).resolve().parent / "found"
SLOWEST: Final = 20
"""Seconds one input may take before it is a finding."""
MEMORY: Final = 1024
"""MiB the process may have before that is one."""


@dataclass
class Outcome:
    """What became of one target."""

    target: str
    guided: bool
    seconds: float = 0
    executions: int = 0
    coverage: int = 0
    corpus: int = 0
    found: list[str] = field(default_factory=list)


def main() -> int:
    """Exit status 1 if anything was found."""
    options = argparse.ArgumentParser(prog="python -m fuzz")
    options.add_argument("targets", nargs="*", metavar="TARGET")
    options.add_argument("--seconds", type=int, default=30)
    options.add_argument("--seed", type=int, default=0, help="0: another one each time")
    options.add_argument("--replay", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.replay is not None:
        return replay(chosen.replay)
    from fuzz.targets import TARGETS

    if unknown := set(chosen.targets) - TARGETS.keys():
        options.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    guided = importlib.util.find_spec("atheris") is not None
    if not guided:
        print("No atheris here: random mutations, not guided by coverage.")
    run = with_atheris if guided else without
    outcomes = []
    print(f"{'target':14}{'executions':>12}{'per second':>12}{'coverage':>10}{'corpus':>8}  found")
    for name in chosen.targets or TARGETS:
        outcomes.append(run(name, chosen.seconds, chosen.seed))
        show(outcomes[-1])
    BUILD.mkdir(parents=True, exist_ok=True)
    report = [asdict(outcome) for outcome in outcomes]
    (BUILD / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    return any(outcome.found for outcome in outcomes)


def replay(file: Path) -> int:
    """Run one input once."""
    from fuzz.targets import TARGETS

    name = file.name.partition("-")[0]
    if name not in TARGETS:
        print(f"{file.name} is not called after a target: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    TARGETS[name].run(file.read_bytes())
    print(f"{name}: nothing found in {file}")
    return 0


def show(outcome: Outcome) -> None:
    """One row; for each finding where it lies and how to see it again."""
    rate = outcome.executions / max(outcome.seconds, 0.001)
    print(
        f"{outcome.target:14}{outcome.executions:12}{rate:12.0f}"
        f"{outcome.coverage:10}{outcome.corpus:8}  {len(outcome.found)}",
        flush=True,
    )
    for file in outcome.found:
        print(f"  {file}")
        if not file.endswith(".log"):  # it ended without an input
            print(f"  PYTHONPATH=tests {sys.executable} -m fuzz --replay {file}")


def start_of(name: str) -> list[bytes]:
    """A target's seeds, and what was found with it before."""
    from fuzz.targets import TARGETS

    found = [path.read_bytes() for path in sorted(FOUND.glob(f"{name}-*"))]
    return [*TARGETS[name].seeds(), *found]


# --- with and without ----------------------------------------------------------------------


def with_atheris(name: str, seconds: int, seed: int) -> Outcome:
    """libFuzzer in a process of its own, its words in ``build/fuzz/TARGET.log``."""
    from fuzz.targets import TARGETS

    corpus, seeds, crashes = (BUILD / one / name for one in ("corpus", "seeds", "found"))
    for folder in (corpus, seeds, crashes.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for data in start_of(name):
        if len(data) <= TARGETS[name].most:
            (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    before = set(crashes.parent.glob(f"{name}-*"))
    command = [
        sys.executable, "-m", "fuzz.guided", name, f"-max_total_time={seconds}", f"-seed={seed}",
        f"-max_len={TARGETS[name].most}", "-len_control=0", f"-timeout={SLOWEST}",
        f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={crashes}-", "-print_final_stats=1",
        str(corpus), str(seeds),
    ]  # fmt: skip
    log = BUILD / f"{name}.log"
    path = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    begun = time.monotonic()
    with log.open("wb") as out:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False
        )
    outcome = Outcome(name, True, round(time.monotonic() - begun, 1))
    text = log.read_text(errors="replace")
    outcome.executions = _last(r"number_of_executed_units: +(\d+)|^#(\d+)", text)
    outcome.coverage, outcome.corpus = _last(r"cov: (\d+)", text), _last(r"corp: (\d+)", text)
    after = set(crashes.parent.glob(f"{name}-*")) - before
    outcome.found = [str(path.relative_to(ROOT)) for path in sorted(after)]
    if done.returncode and not after:
        outcome.found = [str(log.relative_to(ROOT))]
    if outcome.found:
        print("\n".join(_traceback(text)))
    return outcome


def _last(pattern: str, text: str) -> int:
    numbers = [one for match in re.findall(pattern, text, re.MULTILINE)
               for one in ([match] if isinstance(match, str) else match) if one]  # fmt: skip
    return int(numbers[-1]) if numbers else 0


def _traceback(text: str) -> list[str]:
    """What Python said last, cut to a screen."""
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if "Uncaught Python exception" in line), -25)
    end = next((i for i, line in enumerate(lines) if i > at > 0 and line.startswith("==")), None)
    return [line[:400] for line in lines[at:end]][-25:]


def without(name: str, seconds: int, seed: int) -> Outcome:
    """Random mutations in this process until the time is up or something is found."""
    from fuzz.targets import TARGETS, mutations

    target, outcome = TARGETS[name], Outcome(name, False)
    start = start_of(name)
    outcome.corpus = len(start)
    begun = time.monotonic()
    for data in mutations(target, start, Random(seed or None)):
        outcome.executions += 1
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 - whatever gets loose is the finding
            traceback.print_exc()
            file = BUILD / "found" / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            outcome.found.append(str(file.relative_to(ROOT)))
            break
        if time.monotonic() - begun >= seconds:
            break
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
