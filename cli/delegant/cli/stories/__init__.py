"""`story`: what goes wrong without delegant, and what becomes of it, played for real.

`finance` sets the scene of the CSA paper's walkthrough: a registry, two organisations, their
agents. `naive` is the directory and the database as many run them. `discovery` plays on both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from delegant.cli.edge import Edge, command
from delegant.cli.serve import needs_server

__all__ = ["register"]


class Mode(StrEnum):
    """Without checks, or with them."""

    BEFORE = "before"
    AFTER = "after"


class Story(StrEnum):
    """What can be played."""

    DISCOVERY = "ans-financial-discovery"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "story")(story)


def story(
    edge: Edge,
    name: Annotated[Story, typer.Argument(help="Which one.")],
    mode: Annotated[
        Mode, typer.Option(help="before: nobody checks anything; after: everybody does.")
    ] = Mode.AFTER,
) -> None:
    """Play a story in a temporary folder: exit 0 if all came as it must in this mode."""
    needs_server()
    from .discovery import play  # noqa: PLC0415 - needs the extra

    account = play(after=mode is Mode.AFTER)
    edge.show(account.json, account.text)
    if not account.held:
        raise typer.Exit(1)
