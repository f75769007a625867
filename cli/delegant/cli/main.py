"""The `delegant` command. Every command parses, calls one function of the rooms, and prints."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Identity and delegated authority for AI agents: who did it, who authorised it, "
    "what was it allowed, how did it get that.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"delegant {version('delegant')}")
        raise typer.Exit


@app.callback()
def _root(
    _version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Identity and delegated authority for AI agents."""


_ROOMS = (
    "setup",
    "rotation",
    "delegation",
    "task",
    "my",
    "acting",
    "attesting",
    "trusting",
    "policy",
    "did",
    "vc",
    "ans",
    "log",
    "registry",
    "audit",
    "api",
    "serve",
    "demo",
    "stories",
    "limbo",
)
for _room in _ROOMS:
    importlib.import_module(f"delegant.cli.{_room}").register(app)

if __name__ == "__main__":
    app()
