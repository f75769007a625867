"""Measure everything, print it, and write it down: ``make bench``.

Writes ``build/bench/verify.json`` (a number a row; null for a peer that is not installed),
``build/bench/details.json`` (spreads, the curve, the machine) and ``docs/verify-cost.png``.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from . import plot
from .chains import story
from .measure import FULL, QUICK, Effort, Figure, per_call, ratio, raw_r
from .peers import OURS, PEERS, Absent, Scope
from .rows import LENGTHS, ROWS, Row, curve

__all__ = ["main", "measure"]

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
PLOT = ROOT / "docs" / "verify-cost.png"

FREE = 1.9
"""Two cores are free when two raw workers do this many times the work of one."""

LOOK: dict[str, Any] = {
    "title_justify": "left",
    "title_style": "bold",
    "header_style": "dim",
    "box": box.HORIZONTALS,
    "padding": (0, 1),
    "collapse_padding": True,
    "pad_edge": False,
}
VERDICT = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}


def measure(effort: Effort, console: Console) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """All rows, ours and the peers', and what is worth knowing of the peers' tokens.

    A peer that cannot be measured has no figure but a reason.
    """
    figures: dict[str, Figure | None] = {}
    tokens: dict[str, Any] = {}
    with console.status("measuring") as status:
        for row in ROWS:
            status.update(f"measuring {row.key}")
            figures[row.key] = row.measure(effort)
        for peer in PEERS:
            status.update(f"measuring {peer.package}")
            try:
                ready = peer.ready()
            except Absent as exc:
                figures[peer.key], tokens[peer.key] = None, str(exc)
                continue
            figures[peer.key] = ratio(partial(ready.accepts, ready.token), raw_r(), effort)
            tokens[peer.key] = len(ready.token)
    return figures, tokens


def number(value: float, unit: str) -> str:
    """As many digits as mean something."""
    return f"{value:,.0f}" if unit == "bytes" else f"{value:.2f}"


def promises(figures: dict[str, Figure | None]) -> Table:
    """Our rows: measured, spread, floor, goal, and whether it is met."""
    table = Table(title="delegant: cost and size", **LOOK)
    table.add_column("")
    for name in ("measured", "middle half", "floor", "goal"):
        table.add_column(name, justify="right")
    table.add_column("")
    cores = figures["cores_2"]
    for row in ROWS:
        figure = figures[row.key]
        assert figure is not None
        met = row.met(figure.value)
        busy = met is False and row.unit == "x" and cores is not None and cores.value < FREE
        spread = f"{figure.low:.2f} – {figure.high:.2f}" if row.unit != "bytes" else ""
        table.add_row(
            row.what,
            f"{number(figure.value, row.unit)} {row.unit}",
            spread,
            "" if row.floor is None else f"{row.floor:g}",
            goal(row),
            "no free cores" if busy else VERDICT[met],
        )
    return table


def goal(row: Row) -> str:
    """A goal as one reads it."""
    if row.most is not None:
        return f"<= {row.most:,g}"
    return "" if row.least is None else f">= {row.least:g}"


def comparison(figures: dict[str, Figure | None], tokens: dict[str, Any], own: int) -> Table:
    """The peers beside our cold row: cost, and what that cost covers."""
    table = Table(
        title="Peers: three hops, then db.read of 3 rows where at most 500 may be read",
        **LOOK,
    )
    for name in ("r", "bytes"):
        table.add_column(name, justify="right")
    for name in ("", "signatures,\nholder", "revocation,\nroot", "narrowing\nchecked by"):
        table.add_column(name)

    def add(cost: Figure, size: int, name: str, scope: Scope) -> None:
        table.add_row(
            f"{cost.value:.2f}",
            f"{size:,}",
            name,
            f"{scope.signatures}\n{scope.holder}",
            f"{scope.revoked}\n{scope.root}",
            scope.narrowing,
        )

    ours = figures["verify_3_cold"]
    assert ours is not None
    add(ours, own, "[bold]delegant[/]\n3 links + invocation", OURS)
    for peer in PEERS:
        figure = figures[peer.key]
        if figure is None:
            table.add_row("–", "–", f"[bold]{peer.package}[/]\n{tokens[peer.key]}")
        else:
            add(figure, tokens[peer.key], f"[bold]{peer.name}[/]\n{peer.what}", peer.scope)
    return table


NOTES = """\
r is one raw libsodium verification ({r_us} us here), s one signature; the floor is what the
signatures alone cost. Cold: from bytes, the evidence verified before (what that costs once is in
its rows), nothing else remembered. Peers: offline, from bytes, trusted keys parsed before. Root is
what a chain is led back to: a key one trusts, or a human an organisation vouches for. By
construction: a hop can only add checks, and all are run. Every row leaves it to its caller to
refuse the same bytes a second time.
{machine}, {cores} cores.\
"""


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "machine": f"{platform.python_implementation()} {platform.python_version()}"
        f" on {platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        "r_us": round(min(per_call(raw_r(), 200) for _ in range(20)) * 1e6, 1),
    }


def write(to: Path, content: dict[str, Any]) -> None:
    """A JSON file among the results."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(content, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of everything: no figures")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the JSON files")
    parser.add_argument("--plot", type=Path, default=PLOT, help="the PNG")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    details = machine()
    figures, tokens = measure(effort, console)
    write(
        options.out / "verify.json",
        {key: None if one is None else round(one.value, 3) for key, one in figures.items()},
    )
    own = len(story().presentation)
    for part in (promises(figures), comparison(figures, tokens, own), NOTES.format(**details)):
        console.print(part)
        console.print()
    costs = curve(effort)
    gc.unfreeze()
    write(
        options.out / "details.json",
        details
        | {
            "spread": {
                key: [round(one.low, 3), round(one.high, 3)] for key, one in figures.items() if one
            },
            "tokens": tokens,
            "links": list(LENGTHS),
            "curve": {name: [round(one.value, 2) for one in row] for name, row in costs.items()},
        },
    )
    cold, warm = ([one.value for one in costs[name]] for name in ("cold", "warm"))
    try:
        plot.draw(LENGTHS, cold, warm, options.plot)
    except ImportError as exc:
        console.print(f"No plot: {exc}.")
    else:
        console.print(f"Plot: {os.path.relpath(options.plot)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
