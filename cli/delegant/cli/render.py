"""The account as a person reads it: the chain as a tree, the steps, the verdict."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from delegant.credentials import Evidence, Explanation
from delegant.credentials.documents import unpack_statement
from delegant.credentials.envelope import unpack
from delegant.credentials.evidence import MAX_LIST
from delegant.credentials.feed import parse_feed, unpack_feed
from delegant.credentials.status import parse_status_list

__all__ = ["evidence_rows", "short", "show_explanation"]

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


def evidence_rows(found: Evidence, now: int) -> list[dict[str, Any]]:
    """One row an item: its kind, whose it is, how long it lasts or how old it is."""
    rows: list[dict[str, Any]] = []
    for group, kind in (("sponsors", "sponsor"), ("identities", "identity")):
        for item in found.json.get(group, ()):
            document = unpack(item).document
            subject = document.get("credentialSubject")
            name = subject.get("id") if isinstance(subject, dict) else None
            rows.append(_item(kind, name, f"until {document.get('validUntil')}"))
    for item in found.json.get("statusLists", ()):
        one = parse_status_list(unpack(item, size=MAX_LIST))
        rows.append(_item("list", one.url, f"{now - one.valid_from} seconds old"))
    for item in found.json.get("feeds", ()):
        feed = parse_feed(unpack_feed(item))
        told = (
            f"number {feed.seq}, {len(feed.entries)} revoked, {now - feed.valid_from} seconds old"
        )
        rows.append(_item("feed", feed.issuer, told) | {"entries": [e.json for e in feed.entries]})
    for item in found.json.get("documents", ()):
        held = item if isinstance(item, dict) else unpack_statement(item).document
        told = "for people to look at" if isinstance(item, dict) else f"by {held.get('issuer')}"
        rows.append(_item("document", held.get("did") or held.get("id"), told))
    return rows


def _item(kind: str, of: Any, says: str) -> dict[str, Any]:
    return {"kind": kind, "of": of if isinstance(of, str) else "nobody", "says": says}
