"""`trust`: whom this verifier trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from delegant.credentials import Peer
from delegant.credentials.codec import JsonObject
from delegant.wallet import (
    accredit,
    add_anchor,
    add_audit,
    add_registry,
    files,
    init_trust,
    load_trust,
    remove_anchor,
    remove_audit,
    remove_registry,
    trustfolder,
    update_anchor,
)

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


@command(trust, "update")
def trust_update(
    edge: Edge,
    folder: Folder,
    anchor: Annotated[Path, typer.Argument(help="What the organisation published anew.")],
) -> None:
    """Take an anchor's keys from its new file after a rotation; nothing else changes."""
    changed = update_anchor(folder, anchor)
    edge.show(changed, f"{changed['id']} has the keys:\n  " + "\n  ".join(changed["keys"]))


@command(trust, "remove")
def trust_remove(
    edge: Edge, folder: Folder, org: Annotated[str, typer.Argument(help="The anchor's DID.")]
) -> None:
    """Trust an organisation no longer."""
    remove_anchor(folder, org)
    edge.show({"removed": org}, f"{org} is trusted no longer")


@command(trust, "accredit")
def trust_accredit(
    edge: Edge,
    folder: Folder,
    org: Annotated[str, typer.Argument(help="The anchor: its DID, or its anchor.json.")],
    claim: Annotated[list[str], typer.Argument(help="Claims, as SOXComplianceCertified.")],
    no_longer: Annotated[bool, typer.Option("--no-longer", help="Take it back.")] = False,
) -> None:
    """Let an anchor's attestations of these claims count."""
    name = str(files.read_object(Path(org)).get("id")) if Path(org).is_file() else org
    changed = accredit(folder, name, claim, no_longer=no_longer)
    told = ", ".join(changed.get("accredits", [])) or "nothing"
    edge.show(changed, f"{name} is accredited for: {told}")


@command(trust, "add-registry")
def trust_add_registry(
    edge: Edge,
    folder: Folder,
    registry: Annotated[Path, typer.Argument(help="What it published: its registry.json.")],
    witness: Annotated[
        list[str] | None, typer.Option(help="The note key of one who cosigns its log.")
    ] = None,
    quorum: Annotated[
        int | None, typer.Option(help="How many witnesses must have cosigned; else all.")
    ] = None,
) -> None:
    """Believe a naming registry: its answers, and its log."""
    added = add_registry(folder, registry, witness or (), quorum, check=_note_keys)
    edge.show(added, f"{added['id']} is believed\n{_log_of(added)}")


@command(trust, "remove-registry")
def trust_remove_registry(
    edge: Edge, folder: Folder, registry: Annotated[str, typer.Argument(help="Its DID.")]
) -> None:
    """Believe a naming registry no longer."""
    remove_registry(folder, registry)
    edge.show({"removed": registry}, f"{registry} is believed no longer")


@command(trust, "add-audit")
def trust_add_audit(
    edge: Edge,
    folder: Folder,
    audit: Annotated[Path, typer.Argument(help="What its owner published: its audit.json.")],
    witness: Annotated[
        list[str] | None, typer.Option(help="The note key of one who cosigns it.")
    ] = None,
    quorum: Annotated[
        int | None, typer.Option(help="How many witnesses must have cosigned; else all.")
    ] = None,
) -> None:
    """Believe an audit log: its records, and its receipts."""
    added = add_audit(folder, audit, witness or (), quorum, check=_note_keys)
    edge.show(added, f"the audit log of {added['id']} is believed\n{_log_of(added)}")


@command(trust, "remove-audit")
def trust_remove_audit(
    edge: Edge, folder: Folder, audit: Annotated[str, typer.Argument(help="Whose log: a DID.")]
) -> None:
    """Believe an audit log no longer."""
    remove_audit(folder, audit)
    edge.show({"removed": audit}, f"the audit log of {audit} is believed no longer")


def _note_keys(name: str, peer: Peer) -> None:
    """The keys are note keys, of a log and of witnesses: told now, not when an answer comes."""
    from delegant.ans.trusted import RegistryTrust  # noqa: PLC0415 - httpx comes along

    if peer.log is not None:
        RegistryTrust.of(name, peer)


def _log_of(registry: JsonObject) -> str:
    if "log" not in registry:
        return "  no log key: none of its answers will count"
    told = f"  log        {registry['log']}"
    for witness in registry.get("witnesses", ()):
        told += f"\n  witness    {witness}"
    return told + (f"\n  quorum     {registry['quorum']}" if "quorum" in registry else "")


@command(trust, "list")
def trust_list(edge: Edge, folder: Folder) -> None:
    """List the anchors, the naming registries and the audit logs."""
    load_trust(folder)
    value = trustfolder.trust_json(folder)
    anchors, registries = value["anchors"], value.get("registries", [])
    told = [anchor["id"] for anchor in anchors] or ["nobody is trusted here"]
    audits = value.get("audits", [])
    told += [f"registry {one['id']}\n{_log_of(one)}" for one in registries]
    told += [f"audit log of {one['id']}\n{_log_of(one)}" for one in audits]
    said = {"anchors": anchors, "registries": registries, "audits": audits}
    edge.show(said, "\n".join(told))
