"""`ans`: resolve names; what changes them is in `naming`, saved answers in `ansverify`.

The client, and httpx with it, is imported where it is used: other commands start sooner.
"""

from __future__ import annotations

from typing import Annotated

import typer

from . import ansverify, labels, naming  # noqa: F401 - their commands are added when they are read
from .ansapp import Url, ans, registry_client
from .edge import Edge, command

__all__ = ["register"]

Name = Annotated[str, typer.Argument(help="mcp://Function.Domain.Provider.v1.0")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(ans, name="ans")


@command(ans, "resolve")
def ans_resolve(
    edge: Edge,
    name: Name,
    url: Url = None,
    registry: Annotated[
        str | None, typer.Option(help="The registry's DID you trust; else the home's.")
    ] = None,
) -> None:
    """Resolve a name, and believe only signatures."""
    with registry_client(edge, url, registry) as client:
        found = client.resolve(name)
    edge.show(
        found.json | {"answer": found.answer},
        f"{found.name}\n"
        f"  agent         {found.did}\n"
        + "".join(f"  {protocol:<13} {at}\n" for protocol, at in found.endpoints.items())
        + f"  answers for   {found.sponsor}\n"
        f"  organisation  {found.organization}\n"
        "  signatures of agent and registry verified",
    )
