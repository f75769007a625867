"""`trust`: whom this verifier trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from delegant.wallet import add_anchor, init_trust, load_trust, trustfolder

from .edge import Edge, command
from .typed import grants

trust = typer.Typer(no_args_is_help=True, help="A verifier's trust folder.")
Folder = Annotated[Path, typer.Argument(help="The trust folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(trust, name="trust")


@command(trust, "init")
def trust_init(
    edge: Edge,
    folder: Folder,
    id_: Annotated[
        str | None, typer.Option("--id", help="Your DID: what invocations are addressed to.")
    ] = None,
) -> None:
    """Make a trust folder that trusts nobody yet."""
    init_trust(folder, id_)
    who = id_ or "no id yet: give one with --id, or --audience when verifying"
    edge.show(
        {"folder": str(folder), "id": id_},
        f"{folder}: trusts nobody yet ({who})\nnext: delegant trust add {folder} anchor.json",
    )


@command(trust, "add")
def trust_add(
    edge: Edge,
    folder: Folder,
    anchor: Annotated[Path, typer.Argument(help="What the organisation published.")],
    allow: Annotated[
        list[str] | None, typer.Option(help="ACTION:RESOURCE: how far; else what the file says.")
    ] = None,
) -> None:
    """Trust an organisation, up to a ceiling."""
    added = add_anchor(folder, anchor, grants(allow or []))
    ceiling = [
        f"{action} on {resource}"
        for grant in added.get("ceiling", [])
        for action in grant["actions"]
        for resource in grant["resources"]
    ]
    edge.show(added, f"{added['id']} is trusted for:\n  " + "\n  ".join(ceiling or ["nothing"]))


@command(trust, "list")
def trust_list(edge: Edge, folder: Folder) -> None:
    """List the anchors."""
    load_trust(folder)
    anchors = trustfolder.trust_json(folder)["anchors"]
    edge.show(anchors, "\n".join(anchor["id"] for anchor in anchors) or "nobody is trusted here")
