"""`human rotate|recover`, `agent renew|rotate`, `org rotate`: new keys, and what follows."""

from __future__ import annotations

from typing import Annotated

import typer

from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import format_time
from delegant.wallet import (
    Home,
    Wallet,
    refresh,
    renew_identity,
    rotate_agent,
    rotate_human,
    rotate_organization,
)
from delegant.wallet.rotation import Rotated

from .edge import Edge, command, now
from .setup import agent, human
from .typed import seconds

org = typer.Typer(no_args_is_help=True, help="The organisation itself.")

Person = Annotated[str, typer.Argument(help="The person's name.")]
Sponsor = Annotated[
    str | None, typer.Option(help="The human who signs; else whoever signed before.")
]


def register(app: typer.Typer) -> None:
    """Add the group; the rest joins `human` and `agent`."""
    app.add_typer(org, name="org")


@command(human, "rotate")
def human_rotate(edge: Edge, name: Person) -> None:
    """Give a person a new key: a did:web stays, a did:key becomes a new DID."""
    home = edge.home()
    organization = home.open_wallet("organization")
    home.open_wallet("human", name)  # whoever cannot open it needs `recover`
    done = rotate_human(home, organization, name, now=now())
    _tell(edge, done, f"delegant delegate --from {name} --to AGENT --allow ACTION:RESOURCE")


@command(human, "recover")
def human_recover(edge: Edge, name: Person) -> None:
    """The person's wallet is lost: a new one, by the organisation's word; the old is revoked."""
    home = edge.home()
    done = rotate_human(home, home.open_wallet("organization"), name, now=now(), recover=True)
    _tell(edge, done, f"delegant delegate --from {name} --to AGENT --allow ACTION:RESOURCE")


def _tell(edge: Edge, done: Rotated, follows: str) -> None:
    same = done.before == done.did
    lines = [
        f"{done.handle} has a new key",
        f"  {done.did}{'' if same else ' (a new DID)'}",
    ]
    if not same:
        lines.append(f"  no longer {done.before}")
    if done.renewed:
        lines.append("  identities signed again: " + ", ".join(done.renewed))
    if done.ended:
        lines.append(f"  links of the old key, to be delegated again: {len(done.ended)}")
    if done.left:
        lines.append("next: delegant agent renew " + " ".join(done.left))
    else:
        lines.append(f"next: {follows}")
    value = {
        "name": done.handle,
        "did": done.did,
        "before": done.before,
        "renewed": list(done.renewed),
        "toRenew": list(done.left),
        "ended": list(done.ended),
    }
    edge.show(value, "\n".join(lines))


def _issuer(home: Home, name: str, sponsor: str | None) -> Wallet:
    """The open wallet of whoever signs an agent's identity."""
    if sponsor is not None:
        return home.open_wallet("human", sponsor)
    subject = home.subject(name)
    if subject.kind != "agent":
        raise error("wallet-kind", f"{name} is no agent")
    who = home.formerly(parse_agent_identity(unpack(subject.credential)).issuer)
    return home.open_wallet(who.kind, who.handle)


@command(agent, "renew")
def agent_renew(
    edge: Edge,
    names: Annotated[list[str], typer.Argument(help="The agents; parents before children.")],
    sponsor: Sponsor = None,
    ttl: Annotated[
        str | None, typer.Option(help="How long from now, as 30d; else as before.")
    ] = None,
) -> None:
    """Sign identities again: for longer, after a rotation, or by a human who takes over."""
    home = edge.home()
    at, rows = now(), []
    for name in names:
        issuer = _issuer(home, name, sponsor)
        made = renew_identity(home, issuer, name, now=at, seconds=seconds(ttl) if ttl else None)
        rows.append({"name": name, "did": made.subject, "sponsor": made.sponsor,
                     "validUntil": format_time(made.valid_until)})  # fmt: skip
    edge.show(rows, "\n".join(f"{r['name']}: identity until {r['validUntil']}" for r in rows))


@command(agent, "rotate")
def agent_rotate(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="The agent.")],
    sponsor: Sponsor = None,
) -> None:
    """Give an agent a new key and a new identity; the old identity is revoked."""
    home = edge.home()
    organization = home.open_wallet("organization")
    at = now()
    done = rotate_agent(home, _issuer(home, name, sponsor), name, now=at)
    refresh(home, organization, at)
    _tell(edge, done, f"delegant delegate --from HUMAN --to {name} --allow ACTION:RESOURCE")


@command(org, "rotate")
def org_rotate(
    edge: Edge,
    overlap: Annotated[
        str | None,
        typer.Option(help="How long anchor.json still names the old key, as 24h (did:web only)."),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="A new key for the status lists, too.")
    ] = False,
) -> None:
    """Give the organisation a new attestation key, and sign again what the old one signed."""
    home = edge.home()
    done = rotate_organization(
        home,
        home.open_wallet("organization"),
        now=now(),
        overlap=seconds(overlap) if overlap else 0,
        status=status,
    )
    same = done.before == done.did
    anchor = home.path / "anchor.json"
    lines = [f"{home.settings.org} has a new key", f"  {done.did}", f"  key {done.key}"]
    if done.signed:
        lines.append("  signed again: " + ", ".join(done.signed))
    if same:
        lines.append(f"API owners: delegant trust update FOLDER {anchor}")
        if done.until is not None:
            ends = format_time(done.until)
            lines.append(f"  the old key counts until {ends}: update again after that")
    else:
        lines += [
            "A did:key is its key: this is another DID, and so another anchor. API owners:",
            f"  delegant trust add FOLDER {anchor}",
            f"  delegant trust remove FOLDER {done.before}",
        ]
    lines.append("Start `delegant serve` again: it still holds the old key.")
    if done.left:
        lines.append("next: delegant agent renew " + " ".join(done.left))
    value = {
        "organization": done.did,
        "before": done.before,
        "key": done.key,
        "authority": done.authority,
        "overlapUntil": None if done.until is None else format_time(done.until),
        "anchor": str(anchor),
        "signed": list(done.signed),
        "toRenew": list(done.left),
    }
    edge.show(value, "\n".join(lines))
