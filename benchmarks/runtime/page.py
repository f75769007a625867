"""What is published of a run: a page, whose every number is the run's, and a plot."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.plot import BLUE, INK, ORANGE, STYLE, plain
from benchmarks.run import write
from benchmarks.suite import table

from .rows import ROWS

__all__ = ["DATA", "PAGE", "draw", "notes", "publish", "render"]

PAGE, PLOT, DATA = "runtime-speed.md", "runtime-speed.png", "runtime-speed.json"


def notes(details: dict[str, Any]) -> str:
    """What one must know to read the figures."""
    lines = [
        f"{details['machine']}, {details['cores']} cores, load {details['load']} before; "
        f"r is {details['r_us']} us here."
    ]
    if told := details.get("append"):
        lines.append(
            f"append: {_span(told['per_s'])} records/s at {_span(told['cpu_us'])} us of processor; "
            f"bare SQLite {_span(told['bare_per_s'])} rows/s (load {told['load_average']})"
        )
        lines += [
            f"{size:,} records in the log: {cpu:.1f} us of processor each, {rate:,.0f}/s"
            for size, cpu, rate in told["by_log_size"]
        ]
    if told := details.get("permit"):
        lines.append(
            f"permit: {_span(told['cpu_us'])} us of processor, {_span(told['per_s'])}/s with "
            f"{told['callers']} callers (load {told['load_average']})"
        )
    if told := details.get("trace"):
        lines.append(
            f"trace: {told['events']:,} events of {told['records']:,} records; by processor "
            f"{told['store_cpu_ms']:.1f} ms in the store, {told['bundle_cpu_ms']:.1f} ms in the "
            f"bundle of {told['bundle_bytes'] / 1e6:,.0f} MB (load {told['load_average']})"
        )
    return "\n".join(lines)


def _span(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} – {high:,.0f}"


def publish(figures: dict[str, float | None], details: dict[str, Any], docs: Path) -> None:
    """Write the run that the page is of, the page, and the plot where it can be drawn."""
    write(docs / DATA, {"figures": figures, "details": details})
    (docs / PAGE).write_text(render(json.loads((docs / DATA).read_text())))
    try:
        draw(details, docs / PLOT)
    except ImportError:
        return  # the plot before stays


def render(run: dict[str, Any]) -> str:
    """The page, from the file of its run."""
    figures, details = run["figures"], run["details"]
    quoted = "\n".join(f"- {line}" for line in notes(details).splitlines())
    return TEXT.format(rows=table(ROWS, figures), notes=quoted)


TEXT = """\
# What acting on record costs

`make bench-runtime` measures it and writes this page; no number here is typed.

{rows}

Durable means: in SQLite, flushed to the disk (WAL, `synchronous=FULL`), in the Merkle tree, under a
signed checkpoint that is flushed too. Only then is anybody told. Times by the processor are those
of all threads together; neighbours disturb them less than they do the clock.

![Appending by size of the log, a permit's rounds, tracing](runtime-speed.png)

## What was seen

{notes}

## What a row includes

**Append.** Intents and outcomes in turn, about a kilobyte each with what lies beside them: spelled
and checked before the clock starts; then chained, hashed, written with the columns they are
searched by, tiles, checkpoint, flush. One thread sends them all, and the writer puts up to 1,024
into one transaction. Bare SQLite inserts the same bytes into one table of one key, in transactions
as large, flushed alike, in turn in the same run: no chain, no tree, no signature, no index, and one
flush where the log has three. With 64 threads each waits for its own record before it sends the
next, so a transaction holds 64.

**Last tenth to first.** Us of processor for a record in the last tenth of the large log, divided by
those in the first. The tree reads and writes one tile for each level; indexes grow as B-trees do.

**Trace in the store.** Intent and outcome are found by the event's name; each is proven to be in
the tree that was signed; links and evidence are read and held to their digests; then the whole
chain of three links is verified again, as of the time of the act. Each event is traced once.

**Trace in a bundle.** What `delegant audit trace` does with a bundle of the whole log, once the
file is open: index, checkpoint, tiles and entries out of the zip file, the proofs, and every
party's part of the chain verified on its own, the human's first.

**Permit.** From a verdict to leave to act: three budgets and the invocation's key judged by the one
writer, the intent made, checked and written, all durable. The verdict itself is measured by
`make bench`. Each act has an invocation of its own; budgets are shared by all acts of a chain.

## What it does not say

Nothing about PostgreSQL or a network. The records of the large log are real, but many share an
invocation, which a ledger would refuse: they were prepared past it, so that nobody waits for half a
million signatures. Times are those of one machine, which had other work meanwhile where the load
says so; ratios travel better.
"""


def draw(details: dict[str, Any], to: Path) -> None:
    """A PNG of three panels, 1,600 by 600 pixels.

    Raises:
        ImportError: matplotlib is not installed.
    """
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = import_module("matplotlib.pyplot")
    with pyplot.rc_context(STYLE | {"font.size": 9}):
        figure, (append, permit, trace) = pyplot.subplots(1, 3, figsize=(10.67, 4), dpi=150)
        told = details.get("append", {}).get("by_log_size", [])
        append.plot([one[0] for one in told], [one[1] for one in told], "o-", color=BLUE)
        plain(append, "Append: us of processor a record", "records in the log", log=True)
        rounds = details.get("permit", {}).get("cpu_us", [])
        permit.bar(range(1, len(rounds) + 1), rounds, color=ORANGE)
        plain(permit, "Permit: us of processor, 64 callers", "round")
        found = details.get("trace", {})
        names = ("in the store", "in a bundle")
        times = [found.get(name, 0) for name in ("store_cpu_ms", "bundle_cpu_ms")]
        trace.bar(names, times, color=INK, width=0.5)
        plain(trace, "Trace: ms of processor an event", f"of {found.get('records', 0):,} records")
        figure.tight_layout()
        to.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(to, metadata={"Software": None})
        pyplot.close(figure)
