"""How the story is printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.tree import Tree

from delegant.ans import Resolution
from delegant.cli.render import short
from delegant.credentials import Link
from delegant.credentials.codec import JsonObject

if TYPE_CHECKING:
    from .account import Account
    from .attempts import Outcome

__all__ = ["Quiet", "Teller"]

_PARTS = {
    "allowed": "What the chain was made for",
    "misuse": "Every misuse is refused, with the reason and the link that said no",
    "revocation": "One link revoked, then the human: all below falls",
}


class Teller:
    """Tells the story on a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False)

    def chain(self, links: Sequence[Link], names: dict[str, str]) -> None:
        """The chain as a tree."""
        root = links[0].issuer
        tree = Tree(f"[bold]{names[root]}[/], a human, attested for a day   [dim]{short(root)}[/]")
        branch = tree
        for link in links:
            allowed = ", ".join(sorted(a for g in link.authority.grants for a in g.actions))
            rows = link.authority.constraints.get("rows")
            limit = "" if rows is None else f", at most {rows} rows"
            branch = branch.add(
                f"[bold]{names[link.subject]}[/]: {allowed}{limit}; "
                f"{link.seconds // 60} min, may hand on {link.remaining}"
            )
        self._console.print(tree)

    def part(self, name: str) -> None:
        """A heading."""
        self._console.print(f"\n[bold]{_PARTS[name]}[/]")

    def attempt(self, outcome: Outcome) -> None:
        """One line: who tried what, and what was answered."""
        if outcome.code is None:
            verdict = f"[green]accepted[/]  {outcome.detail}"
        else:
            where = "" if outcome.link is None else f" at link {outcome.link}"
            verdict = f"[red]refused[/]   {outcome.code}{where}"
        flag = "" if outcome.expected else f"   [bold red]NOT AS EXPECTED[/] {outcome.detail}"
        self._console.print(f"  {outcome.attempt.title:<46} {verdict}{flag}", soft_wrap=True)

    def resolution(self, found: Resolution, registry: str) -> None:
        """The agent, by name."""
        self._console.print(f"\n[bold]By name, over HTTP[/] ({registry})")
        self._console.print(f"  {found.name}\n    is {found.did}", soft_wrap=True)
        self._console.print(
            f"    {found.sponsor} answers for it; signatures verified", soft_wrap=True
        )

    def offline(self, verdict: str, path: Path) -> None:
        """The bundle, in a process without sockets."""
        self._console.print("\n[bold]Once more, offline[/]: one file, no socket can be opened")
        colour = "green" if verdict == "accepted" else "bold red"
        self._console.print(f"  delegant verify {path.name}: [{colour}]{verdict}[/]")

    def account(self, found: Account) -> None:
        """The four questions, from the audit record."""
        self._console.print(
            "\n[bold]The four questions, from the audit record alone[/]: one file, no socket"
        )
        if found.problem:
            self._console.print(f"  [bold red]{found.problem}[/]", soft_wrap=True)
            return
        counted = ", ".join(f"{count} {kind}s" for kind, count in found.entries.items())
        act, actor = found.act, found.lines[-1]["name"]
        self._line("delegant audit verify", f"[green]holds[/]  {counted}")
        pairs = f"{found.match['pairs']} of the agents' own receipts say the same"
        self._line("delegant audit match", f"[green]holds[/]  {pairs}")
        self._line("delegant audit trace", f"[green]{found.trace['verdict']}[/]  {act['event']}")
        self._line(
            f"  {act['time']}", f"{actor}: {act['action']} on {act['target']}, {act['outcome']}"
        )
        for one in found.lines:
            self._line(f"  {one['name']}", f"[green]{one['state']}[/]  {_standing(one)}")

    def _line(self, head: str, told: str) -> None:
        self._console.print(f"  {head:<24} {told}", soft_wrap=True)

    def end(self, held: bool) -> None:
        """The last line."""
        told = "[green]Every expectation held.[/]" if held else "[bold red]Not as expected.[/]"
        self._console.print(f"\n{told}")


def _standing(line: JsonObject) -> str:
    """By whom somebody was authorised, to what, and by which link."""
    if line["by"] is None:
        return "a human, who answers for what all of them do"
    actions = ", ".join(sorted(action for grant in line["grants"] for action in grant["actions"]))
    rows = line["constraints"].get("rows")
    limit = "" if rows is None else f", at most {rows['max']} rows"
    return f"by {line['by']}: {actions}{limit}; until {line['until'][11:16]}, {line['link'][9:17]}"


class Quiet(Teller):
    """Says nothing: for --json."""

    def __init__(self) -> None:
        self._console = Console(quiet=True)
