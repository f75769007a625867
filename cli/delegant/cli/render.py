"""The account as a person reads it: the chain as a tree, the steps, the verdict."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from delegant.credentials import Explanation

__all__ = ["short", "show_explanation"]

_COLOUR = {"accepted": "green", "rejected": "red", "undecided": "yellow", "malformed": "red"}
PHASES = ("limits", "parse", "shape", "linkage", "attenuation", "signatures", "root and path",
          "time", "status", "invocation", "request", "obligations")  # fmt: skip


def short(did: str) -> str:
    """A DID as people can tell it from another: its end."""
    return did if len(did) < 24 else f"{did[:12]}…{did[-6:]}"


def _grant(value: Any) -> str:
    return "; ".join(f"{', '.join(g['actions'])} on {', '.join(g['resources'])}" for g in value)


def show_explanation(found: Explanation) -> None:
    """Print who limited what, what held, and the verdict."""
    console = Console(highlight=False, emoji=False)
    if found.account:
        tree: Tree = Tree("who limited what")
        for dimension, entries in found.account.items():
            branch = tree.add(dimension)
            for entry in entries:
                value = _grant(entry["value"]) if dimension == "grants" else entry["value"]
                branch.add(f"{entry['by']}: {value}")
        console.print(tree)
    held: dict[int, int] = {}
    for step in found.steps:
        held[step.phase] = held.get(step.phase, 0) + 1
    table = Table(box=None, pad_edge=False, show_header=False)
    for phase, number in sorted(held.items()):
        table.add_row(f"{phase:>2}", PHASES[phase - 1], f"{number} held")
    console.print(table)
    verdict = found.verdict
    where = "" if verdict.link is None else f" at link {verdict.link}"
    about = "" if verdict.dimension is None else f" ({verdict.dimension})"
    told = f": {verdict.code}{where}{about}: {verdict.detail}" if verdict.code else ""
    console.print(f"[{_COLOUR[verdict.state]}]{verdict.state}[/]{told}", markup=True)
    if verdict.authorization is not None:
        for depth, did in enumerate(verdict.authorization.path):
            console.print("  " * depth + ("the human " if depth == 0 else "└ agent ") + did)
