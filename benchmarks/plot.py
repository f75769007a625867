"""The plot: what a verification costs, against the number of links."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["BLUE", "INK", "ORANGE", "STYLE", "draw", "plain"]

BLUE, ORANGE, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#767676"
"""Two colours of Okabe and Ito, told apart by every kind of eye, and two greys."""

GOALS = {"cold": ((3, 6.0), (10, 17.0)), "warm": ((3, 1.6), (10, 2.3))}

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(
    lengths: Sequence[int], cold: Sequence[float], warm: Sequence[float] | None, to: Path
) -> None:
    """Write a PNG of 1,600 by 900 pixels, light, with its labels at the lines.

    Args:
        lengths: numbers of links.
        cold, warm: their cost in r; warm is left out where nothing remembers links.

    Raises:
        ImportError: matplotlib is not installed.
    """
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = import_module("matplotlib.pyplot")
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=200)
        last = lengths[-1]
        floors = {"cold": [one + 1 for one in lengths], "warm": [1 for _ in lengths]}
        said = {"cold": "nothing remembered", "warm": "links seen before"}
        for name, values, colour in (("cold", cold, BLUE), ("warm", warm, ORANGE)):
            if values is None:
                continue
            axes.plot(lengths, floors[name], color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
            mark = "o" if name == "cold" else "s"
            axes.plot(lengths, values, color=colour, linewidth=2.4, marker=mark, markersize=5)
            for links, goal in GOALS[name]:
                axes.plot(links, goal, marker="_", markersize=16, color=INK, markeredgewidth=1.8)
            label = f"{said[name]}\n{values[-1]:.1f} r"
            axes.text(last + 0.8, values[-1], label, color=colour, va="center", weight="bold")
        signatures = f"signatures alone\n{last + 1} r"
        axes.text(last + 0.8, last + 1, signatures, color=BLUE, va="center")
        near = {"xytext": (-8, 6), "textcoords": "offset points", "ha": "right"}
        axes.annotate("goal", GOALS["cold"][-1], weight="bold", **near)
        top = max(cold) * 1.08
        axes.set_xlim(0, last + 10)
        axes.set_ylim(0, top)
        axes.hlines(axes.get_yticks()[1:-1], 0, last, color="#e6e6e6", linewidth=0.8, zorder=0)
        axes.set_xticks([1, 3, 10, 20, 32])
        axes.set_xlabel("links in the chain", x=last / (last + 10) / 2)
        axes.set_ylabel("raw signature verifications (r)")
        axes.set_title(
            "Cost of one verification: chain and invocation, from bytes",
            loc="left",
            fontweight="bold",
            pad=12,
        )
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_bounds(0, last)
        figure.tight_layout()
        to.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(to, metadata={"Software": None})
        pyplot.close(figure)


def plain(axes: Any, title: str, below: str, *, log: bool = False) -> None:
    """Small axes from 0: a title at the left, a label below, two sides."""
    axes.set_title(title, loc="left", fontweight="bold", fontsize=10)
    axes.set_xlabel(below)
    if log:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
