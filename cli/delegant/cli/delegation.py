"""`delegate`, `delegations`, `status`: links made, seen and taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import Link, PublicKey, StatusEntry
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import is_did
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import format_time
from delegant.wallet import Home, delegate, files, find_attestation, revocations, statuslists

from . import typed
from .edge import Edge, command, now

delegations = typer.Typer(no_args_is_help=True, help="Links issued here.")
status = typer.Typer(no_args_is_help=True, help="Revoke for good, suspend, resume.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "delegate")(delegate_)
    app.add_typer(delegations, name="delegations")
    app.add_typer(status, name="status")


def delegate_(
    edge: Edge,
    from_: Annotated[str, typer.Option("--from", help="Who delegates: a human or an agent.")],
    to: Annotated[str, typer.Option("--to", help="The agent, or a DID.")],
    allow: typed.Allow,
    to_key: Annotated[
        str | None,
        typer.Option(help="The key (z6Mk…) of an agent of elsewhere whose DID is not its key."),
    ] = None,
    rows: typed.Rows = None,
    bytes_: typed.Bytes = None,
    columns: typed.Columns = None,
    argument: typed.Argument = None,
    audience: Annotated[list[str] | None, typer.Option(help="Only at this verifier (DID).")] = None,
    purpose: typed.Purpose = None,
    task: typed.Task = None,
    initiation: typed.Initiation = "human_request",
    data_class: typed.DataClass = None,
    network: typed.Network = None,
    constraints: Annotated[
        Path | None, typer.Option(help="A JSON file with further constraints.")
    ] = None,
    ttl: Annotated[
        str | None, typer.Option(help="How long, as 15m; never beyond the parent.")
    ] = None,
    redelegate: Annotated[int, typer.Option(help="How many further links may follow.")] = 0,
    spawn: Annotated[bool, typer.Option(help="Agents made by agents may follow.")] = False,
    use: Annotated[
        str, typer.Option(help="grant, or mandate (issues grants, never acts).")
    ] = "grant",
    parent: Annotated[
        str | None, typer.Option(help="The link to continue; else the newest.")
    ] = None,
    form: Annotated[str, typer.Option(help="di (eddsa-jcs-2022) or jwt (vc+jwt).")] = "di",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the link here too.")
    ] = None,
) -> None:
    """Sign one link of a chain. Parent, status bits and limits are found by themselves."""
    home = edge.home()
    if form not in ("di", "jwt"):
        raise error("shape", "--form is di or jwt")
    issuer = home.subject(from_)
    rules = typed.constraints(
        rows=rows,
        bytes_=bytes_,
        columns=columns,
        argument=argument,
        audience=audience,
        purpose=purpose,
        task=task,
        initiation=initiation,
        data_class=data_class,
        network=network,
        file=constraints,
    )
    made = delegate(
        home,
        home.open_wallet(issuer.kind, issuer.handle),
        to,
        typed.grants(allow, home),
        now=now(),
        use=use,
        constraints=rules,
        seconds=typed.seconds(ttl) if ttl else None,
        remaining=redelegate,
        spawn=spawn,
        above=home.link(parent) if parent else None,
        subject_key=PublicKey.from_multikey(to_key) if to_key else None,
        form="jwt" if form == "jwt" else "di",
    )
    if output is not None:
        files.write_json(output, made.link.secured.raw)
    value = _row(home, made.link) | {"notes": list(made.notes)}
    notes = "".join(f"\n  {note}" for note in made.notes)
    edge.show(
        value,
        f"{made.link.use} {made.link.id}\n  {from_} -> {to}, "
        f"until {format_time(made.link.valid_until)}{notes}\n"
        f"next: delegant present {to} --need ACTION:RESOURCE -o bundle.json",
    )


def _name(home: Home, did: str) -> str:
    try:
        return home.subject(did).handle
    except Error:
        return did


def _row(home: Home, link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "use": link.use,
        "from": _name(home, link.issuer),
        "to": _name(home, link.subject),
        "depth": link.depth,
        "validUntil": format_time(link.valid_until),
        **link.authority.json,
    }


@command(delegations, "list")
def delegations_list(edge: Edge) -> None:
    """List the links issued here."""
    home = edge.home()
    rows = [_row(home, link) for link in home.links()]
    text = "\n".join(
        f"{r['id'][9:17]}  {r['use']:<8} {r['from']} -> {r['to']}  until {r['validUntil']}"
        for r in rows
    )
    edge.show(rows, text or "no links yet: `delegant delegate --help`")


@command(delegations, "show")
def delegations_show(
    edge: Edge, link: Annotated[str, typer.Argument(help="Id, the start of it, or a file.")]
) -> None:
    """Show one link whole."""
    found = edge.home().link(link)
    raw = found.secured.raw
    edge.show(raw, json.dumps(found.secured.document, indent=2))


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a person named: for people, in the feed, and where its bits lie, if it has any."""

    what: str
    kind: str
    name: str
    entry: StatusEntry | None


def _meant(home: Home, name: str) -> _Meant:
    try:
        subject = home.subject(name)
    except Error:
        claimed = find_attestation(home, name)
        if claimed is not None:
            what = f"attestation of {claimed.claim}"
            return _Meant(what, "attestation", claimed.id, claimed.status)
        if is_did(name):
            return _Meant(f"DID {name}", "did", name, None)
        link = home.link(name)
        return _Meant(f"link {link.id}", "link", link.id, link.status)
    if subject.kind == "human":
        sponsor = parse_human_sponsor(unpack(subject.credential))
        what = f"sponsor credential of {subject.handle}"
        return _Meant(what, "sponsor", subject.did, sponsor.status)
    identity = parse_agent_identity(unpack(subject.credential))
    return _Meant(f"identity of {subject.handle}", "did", subject.did, identity.status)


def _change(edge: Edge, name: str, change: statuslists.Change, reason: str | None) -> None:
    home = edge.home()
    meant = _meant(home, name)
    if meant.entry is None:
        raise error("status-missing", f"{meant.what} has no status entry: it can only be revoked")
    signed = statuslists.change(home, home.open_wallet("organization"), meant.entry, change, now())
    at = format_time(signed.valid_from)
    done = {"revoke": "revoked, for good", "suspend": "suspended", "resume": "resumed"}[change]
    edge.show(
        {"what": meant.what, "change": change, "list": signed.url, "at": at, "reason": reason},
        f"{meant.what}: {done}\n  {signed.url} signed at {at}",
    )


Reason = Annotated[str | None, typer.Option(help="Why, for people.")]
Named = Annotated[
    str, typer.Argument(help="A link or attestation (id or file), a human or an agent.")
]


@command(status, "revoke")
def status_revoke(
    edge: Edge,
    link: Annotated[
        str,
        typer.Argument(help="A link or attestation (id, file), a human, an agent, or any DID."),
    ],
    reason: Reason = None,
) -> None:
    """Revoke a link, an agent, or a human with every chain of theirs. There is no undoing.

    In the status list and in the revocation feed. A DID that is not of this home is revoked in
    the feed alone: no chain under this organisation may have it on its path.
    """
    home = edge.home()
    meant = _meant(home, link)
    if meant.kind == "attestation":  # no chain: the feed does not know it
        _change(edge, link, "revoke", reason)
        return
    feed, signed = revocations.revoke(
        home,
        home.open_wallet("organization"),
        meant.kind,
        meant.name,
        now=now(),
        entry=meant.entry,
        reason=reason,
    )
    at = format_time(feed.valid_from)
    listed = None if signed is None else signed.url
    edge.show(
        {"what": meant.what, "change": "revoke", "list": listed, "feed": feed.url,
         "seq": feed.seq, "at": at, "reason": reason},
        f"{meant.what}: revoked, for good\n  {feed.url} number {feed.seq} signed at {at}"
        + (f"\n  {listed} signed at {at}" if listed else ""),
    )  # fmt: skip


@command(status, "suspend")
def status_suspend(edge: Edge, link: Named, reason: Reason = None) -> None:
    """Suspend it until resumed."""
    _change(edge, link, "suspend", reason)


@command(status, "resume")
def status_resume(edge: Edge, link: Named, reason: Reason = None) -> None:
    """Resume what was suspended."""
    _change(edge, link, "resume", reason)
