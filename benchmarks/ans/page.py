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

__all__ = ["draw", "notes", "publish", "render"]

PAGE, PLOT, DATA = "ans-speed.md", "ans-speed.png", "ans-speed.json"


def notes(details: dict[str, Any]) -> str:
    """What one must know to read the figures."""
    lines = [f"{details['machine']}, {details['cores']} cores; r is {details['r_us']} us here."]
    for name, row in (("resolve", "hot"), ("resolve", "cold"), ("resolve", "304")):
        told = details.get(name, {}).get(row)
        if told:
            ours, theirs = told["ours"][0], told["nginx"][0]
            lines.append(
                f"{row}: {ours['rate']:,.0f}/s at {ours['cpu_us']:.0f} us of a core "
                f"({ours['busy']:.0%} busy), nginx {theirs['rate']:,.0f}/s at "
                f"{theirs['cpu_us']:.0f} us ({theirs['busy']:.0%} busy); "
                f"by the processor's time {told['ratio_by_cpu'][0]:.2f} x"
            )
    search = details.get("search", {})
    for size in search.get("sizes", []):
        told = search[str(size)]
        lines.append(
            f"{size:,} agents: hot {told['hot_vs_nginx'][0]:.2f} x nginx, cold p99 "
            f"{told['cold_p99_ms']:.1f} ms at {told['cold_cpu_us']:,.0f} us of a core"
        )
    for name, told in details.get("register", {}).items():
        if isinstance(told, dict):
            lines.append(
                f"{name}: {told['per_s']:,.0f}/s, p50 {told['p50_ms']:.1f} ms, p99 "
                f"{told['p99_ms']:.1f} ms; {told['server_cpu_us']:,.0f} us of the server's cores "
                f"each; the clients took {told['load_busy']:.0%} of one"
            )
    if "dns" in details:
        first = details["dns"]["answers"][0]
        lines.append(
            f"Unbound, one TXT record over UDP: {first['rate']:,.0f}/s at {first['cpu_us']:.1f} us "
            f"of a core ({first['busy']:.0%} busy). {details['dns']['note']}."
        )
    return "\n".join(lines)


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
    absent = "".join(f"\n- {name}: not measured: {why}." for name, why in details["absent"].items())
    return TEXT.format(rows=table(ROWS, figures), notes=quoted + absent)


TEXT = """\
# How fast the naming service is

`make bench-ans` measures it and writes this page; no number here is typed. It needs nginx, wrk and
unbound, as Debian has them; a row whose program is missing is null, with the reason.

{rows}

x is the rate of `delegant serve` as a part of that of nginx. Both have one worker, on the same
core, and are asked in turn in one run; nginx serves, as files it keeps open, the very bytes that
the server answered. It logs nothing there, and the server has its access log and its limits for
one caller off. Whoever asks has another core. A rate says what it should only where the core of
the server was busy throughout, which is why that stands below too, with the ratio by time of the
processor, which neighbours disturb less.

![Resolving by number of names, registering by clients, appending by size of the log](ans-speed.png)

## What was seen

{notes}

## What a row includes

**Resolve by name, hot.** Names drawn by Zipf from the whole registry (the k-th most wanted is
asked for 1/k as often as the first), with a fixed seed. Every name that is drawn was asked for
once just before, within the time that an answer is good for, so the server gives what it keeps.
It does not sign anew, nor read its store; it does look whether the log has moved on.

**Never asked before, each once.** The server reads the name, holds it to the hashes and proofs of
its log, signs that it is so now, and answers. The ratio is to nginx serving files that were asked
for before, so it is the price of a first answer, not that of a cold disk.

**304.** Whoever has the answer already asks with its etag; nginx is asked in the same way.

**By capability.** A hundredth of all agents can do what is asked for; the ten best come back, each
with its proof. Hot: a hundred questions, in turn. p99 is the larger of two: of hot answers while
the server is full, and of questions that were never asked before, one after another.

**Register.** Each client has a connection of its own, an agent of its own, and evidence as a real
client sends it: its identity, its sponsor, the status list. All is signed before the clock starts.
An answer means: judged, written, flushed to the disk, logged, the checkpoint published; it carries
the proof, and of every fiftieth the proof is checked. Each agent has registered before, so its
evidence was judged once; a first registration costs about twice as much. The figures are those of
the better of one worker and two, of one run each. The clients run on the same cores, in one
process, and what they take of them is said above.

**Store and log alone.** What registrations write, in batches, durable: for each name its event,
itself, the used invocation, its leaf and what it is searched by, which are the rows that are
counted, and for each batch tiles and a checkpoint. It leaves out HTTP, judging and the signatures
of the agent.

**Verify an answer offline.** From bytes: parse, the registry's signature, the record's, the log's,
the proof. r is one raw Ed25519 verification by libsodium in the same process.

**Unbound.** Another kind of service, for scale: it does much less, as said above.

## What it does not say

Nothing about a network: all is loopback, without TLS. Nothing about PostgreSQL: this is SQLite.
The homes are populated past the door, by the same batch that registrations take once they are
judged, so nobody waits for a million invocations; records, events, leaves and proofs in them are
real. Times are those of one machine; ratios travel better.
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
        figure, (resolve, register, append) = pyplot.subplots(1, 3, figsize=(10.67, 4), dpi=150)
        search = details.get("search", {})
        sizes = search.get("sizes", [])
        told = [search[str(size)] for size in sizes]
        for key, label, colour in (
            ("cold_cpu_us", "by capability, first time", ORANGE),
            ("name_cold_cpu_us", "by name, first time", BLUE),
        ):
            resolve.plot(sizes, [one[key] / 1e3 for one in told], "o-", color=colour, label=label)
        resolve.plot(
            sizes, [one["hot"]["ours"][0]["cpu_us"] / 1e3 for one in told], "s-", color=INK,
            label="by capability, kept",
        )  # fmt: skip
        plain(resolve, "Resolve: ms of a core", "agents in the registry", log=True)
        if sizes:
            resolve.set_yscale("log")
            resolve.set_ylim(0.01, 10)  # the others' axes begin at 0, which no logarithm has
            resolve.legend(frameon=False, loc="best", fontsize=8)
        runs = {n: one for n, one in details.get("register", {}).items() if isinstance(one, dict)}
        names = [name.replace(" clients, ", "\n").replace(" workers", " w.") for name in runs]
        register.bar(names, [one["per_s"] for one in runs.values()], color=BLUE)
        register.tick_params(axis="x", labelsize=8)
        plain(register, "Register: durable and proven, a second", "clients, workers")
        cost = details.get("growth", {}).get("cpu_us_by_log_size", [])
        append.plot([one[0] or 1 for one in cost], [one[1] for one in cost], color=BLUE)
        plain(append, "Append: us of a core, all rows", "names in the log before", log=True)
        figure.tight_layout()
        to.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(to, metadata={"Software": None})
        pyplot.close(figure)
