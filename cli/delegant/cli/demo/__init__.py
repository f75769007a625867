"""`demo`: the story of the README, for real, in a temporary folder.

`stage` sets the scene (registry, resource, people, agents), `attempts` is what happens on it,
`resource` is the database that verifies for itself, `offline` a process without sockets, and
`show` prints the account.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from delegant.cli.edge import Edge, command
from delegant.cli.serve import needs_server

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "demo")(demo)


def demo(
    edge: Edge,
    keep: Annotated[
        Path | None, typer.Option(help="Keep everything in this new folder, to look at.")
    ] = None,
) -> None:
    """Watch a human's authority travel to a sub-agent four links away, and every misuse refused."""
    needs_server()
    from .story import run  # noqa: PLC0415 - needs the extra

    if not run(keep, as_json=edge.json):
        raise typer.Exit(1)
