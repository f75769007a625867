"""`init`, `human`, `agent`: an organisation, its people, its agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import format_time
from delegant.w3c import legacy
from delegant.wallet import (
    Home,
    Subject,
    add_human,
    create_agent,
    create_home,
    files,
    testimony,
)
from delegant.wallet.agents import model_hash
from delegant.wallet.registry import REGISTRY_FILE

from .edge import Edge, command, now
from .testimony import evidence as evidence_commands
from .testimony import summary
from .typed import grants, seconds, words

human = typer.Typer(no_args_is_help=True, help="People of the organisation.")
agent = typer.Typer(no_args_is_help=True, help="Agents and their identities.")

Method = Annotated[
    str | None, typer.Option(help="key, jwk or web; by default web where the organisation is one.")
]
LOCAL = "http://127.0.0.1:8080"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "init")(init)
    human.add_typer(evidence_commands, name="evidence")
    app.add_typer(human, name="human")
    app.add_typer(agent, name="agent")


def init(
    edge: Edge,
    org: Annotated[str, typer.Option(help="The organisation's name, as acme.example.")],
    out: Annotated[
        Path | None, typer.Option(help="The new home; by default ./<first label>.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help=f"Where its registry will be; by default {LOCAL}, or https://ORG for web."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="key, jwk, or web: the did:web of the URL.")] = "key",
    allow: Annotated[
        list[str] | None, typer.Option(help="ACTION:RESOURCE it claims authority over.")
    ] = None,
    keyring: Annotated[
        bool, typer.Option(help="Keep passphrases in the system's keyring.")
    ] = False,
) -> None:
    """Make a home: organisation key, status authority, registry key, trust folder."""
    path = out or Path(org.split(".", 1)[0])
    passphrases = edge.passphrases()
    passphrases.keyring = keyring
    made = create_home(
        path,
        org,
        url=url or (f"https://{org}" if method == "web" else LOCAL),
        method=method,
        passphrases=passphrases,
        now=now(),
        ceiling=grants(allow or []),
        passphrase_source="keyring" if keyring else "prompt",
    )
    s = made.settings
    value = {
        "home": str(path),
        "organization": s.organization,
        "authority": s.authority,
        "registry": s.registry,
        "anchor": str(path / "anchor.json"),
        "registryFile": str(path / REGISTRY_FILE),
    }
    edge.show(
        value,
        f"{org} lives in {path}\n"
        f"  organisation      {s.organization}\n"
        f"  status authority  {s.authority}\n"
        f"  registry          {s.registry}\n"
        f"API owners add {path / 'anchor.json'} to their trust folder, "
        f"whoever resolves names here {path / REGISTRY_FILE}.\n"
        f"next: cd {path} && delegant human add NAME",
    )


@command(human, "add")
def human_add(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="A short name, as ana.")],
    attest: Annotated[
        str | None, typer.Option(help="How you know the person, as idp:corp.")
    ] = None,
    may: Annotated[
        list[str] | None,
        typer.Option(help="ACTION:RESOURCE the person may do; default: all of it."),
    ] = None,
    rows: Annotated[int | None, typer.Option(help="Rows at most, for the person too.")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(help="Instead of --attest: a credential others issued (VCDM 1.1)."),
    ] = None,
    method: Method = None,
) -> None:
    """Add a person: a wallet, and a sponsor credential for a day."""
    home = edge.home()
    raw = None if evidence is None else files.read(evidence, size=legacy.MAX_SIZE)
    if raw is not None:
        if attest is not None:
            raise error("shape", "--evidence says how you know the person: give no --attest")
        attest = testimony.attestation_of(legacy.check(raw, at=now()))
    organization = home.open_wallet("organization")
    credential = add_human(
        home,
        organization,
        name,
        now=now(),
        attestation=attest,
        grants=grants(may or [], home),
        constraints=None if rows is None else {"rows": {"max": rows}},
        method=_method(home, method),
    )
    if raw is not None:
        testimony.keep(home, name, raw, now=now())
    until = format_time(credential.valid_until)
    edge.show(
        {"name": name, "did": credential.subject, "validUntil": until},
        f"{name} is {credential.subject}\n"
        f"attested until {until}; `delegant serve` or `delegant evidence refresh` renews it\n"
        f"next: delegant agent create NAME --sponsor {name}",
    )


def _method(home: Home, typed: str | None) -> str:
    """The DID method of a new person or agent."""
    if typed not in (None, "key", "jwk", "web"):
        raise error("shape", "--method is key, jwk or web")
    return typed or ("web" if home.settings.organization.startswith("did:web:") else "key")


def _row(subject: Subject) -> dict[str, Any]:
    parse: Any = parse_human_sponsor if subject.kind == "human" else parse_agent_identity
    credential = parse(unpack(subject.credential))
    row: dict[str, Any] = {
        "name": subject.handle,
        "did": subject.did,
        "validUntil": format_time(credential.valid_until),
    }
    if subject.kind == "human":
        block = credential.secured.document["credentialSubject"]["humanSponsor"]
        row |= {"attestation": block["attestation"]} if "attestation" in block else {}
    if subject.kind == "agent":
        row |= {
            "sponsor": credential.sponsor,
            "model": credential.model,
            "tools": sorted(credential.tools),
        }
    return row


def _list(edge: Edge, home: Home, kind: Any) -> None:
    rows = [_row(subject) for subject in home.subjects(kind)]
    text = "\n".join(f"{r['name']:<20} {r['did']}  until {r['validUntil']}" for r in rows)
    edge.show(rows, text or f"no {kind} yet: `delegant {kind} --help`")


def _show(edge: Edge, name: str, kind: Any) -> None:
    home = edge.home()
    subject = home.subject(name)
    if subject.kind != kind:
        raise error("not-found", f"{name} is a {subject.kind}, not a {kind}")
    row = _row(subject)
    lines = [f"{key:<12} {value}" for key, value in row.items()]
    row["credential"] = subject.credential
    if kind == "human":
        reports = [one.report for one in testimony.kept(home, subject.handle)]
        row["evidence"] = [report.json for report in reports]
        lines += [f"{'evidence':<12} {summary(report)}" for report in reports]
    edge.show(row, "\n".join(lines))


@command(human, "list")
def human_list(edge: Edge) -> None:
    """List the people."""
    _list(edge, edge.home(), "human")


@command(human, "show")
def human_show(edge: Edge, name: Annotated[str, typer.Argument(help="Name or DID.")]) -> None:
    """Show a person, and the evidence kept; with --json the sponsor credential too."""
    _show(edge, name, "human")


@command(agent, "create")
def agent_create(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="A short name, as research-bot.")],
    sponsor: Annotated[str | None, typer.Option(help="The human who answers for it.")] = None,
    model: Annotated[
        str, typer.Option(help="persistent, ephemeral, fork or child.")
    ] = "persistent",
    parent: Annotated[
        str | None, typer.Option(help="The agent it is a fork of, or whose child it is.")
    ] = None,
    ttl: Annotated[str | None, typer.Option(help="How long it lives, as 60s or 30d.")] = None,
    tools: Annotated[
        str | None, typer.Option(help="Actions it has tools for, with commas.")
    ] = None,
    scope: Annotated[str | None, typer.Option(help="What it is for, in a sentence.")] = None,
    spawn: Annotated[bool, typer.Option(help="It may create agents of its own.")] = False,
    model_file: Annotated[Path | None, typer.Option(help="Hash this file as its model.")] = None,
    software_version: Annotated[str | None, typer.Option(help="Its version.")] = None,
    protocols: Annotated[str | None, typer.Option(help="Protocols it speaks, with commas.")] = None,
    method: Method = None,
) -> None:
    """Create an agent: a wallet of its own, and an identity. It may do nothing yet."""
    home = edge.home()
    if model == "child":
        if parent is None:
            raise error("id-no-provenance", "a child needs --parent AGENT, who signs its identity")
        issuer = home.open_wallet("agent", parent)
    else:
        if sponsor is None:
            raise error("no-human-root", "an agent needs --sponsor HUMAN")
        issuer = home.open_wallet("human", sponsor)
    if model == "ephemeral" and ttl is None:
        raise error("id-no-expiry", "an ephemeral agent needs --ttl, as 60s")
    members: dict[str, Any] = {}
    if model_file is not None:
        members["modelHash"] = model_hash(model_file)
    if software_version is not None:
        members["softwareVersion"] = software_version
    if protocols:
        members["protocols"] = words(protocols)
    identity = create_agent(
        home,
        issuer,
        name,
        now=now(),
        model=model,
        tools=words(tools),
        scope=scope,
        spawn=spawn,
        seconds=seconds(ttl) if ttl else 30 * 86_400,
        parent=parent if model == "fork" else None,
        members=members,
        method=_method(home, method),
    )
    until = format_time(identity.valid_until)
    declared = ", ".join(sorted(identity.tools)) or "none, so it may be granted nothing but ans.*"
    edge.show(
        {"name": name, "did": identity.subject, "sponsor": identity.sponsor, "validUntil": until},
        f"{name} is {identity.subject}\n"
        f"identity until {until}; tools: {declared}\n"
        f"next: delegant delegate --from {sponsor or parent} --to {name} --allow ACTION:RESOURCE",
    )


@command(agent, "list")
def agent_list(edge: Edge) -> None:
    """List the agents."""
    _list(edge, edge.home(), "agent")


@command(agent, "show")
def agent_show(edge: Edge, name: Annotated[str, typer.Argument(help="Name or DID.")]) -> None:
    """Show an agent; with --json its identity credential too."""
    _show(edge, name, "agent")
