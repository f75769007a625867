"""`attest`, `attestation`: what the organisation says of agents, and whether it counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import (
    AgentAttestation,
    Evidence,
    check_attestation,
)
from delegant.credentials.errors import error
from delegant.credentials.evidence import MAX_EVIDENCE
from delegant.credentials.shape import format_time
from delegant.wallet import (
    Home,
    attest,
    attestation_evidence,
    attestations,
    files,
    find_attestation,
    load_trust,
    read_attestation,
    save_seen,
)

from . import typed
from .edge import Edge, command, now

attestation = typer.Typer(no_args_is_help=True, help="Claims about agents.")

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write it here, with the status list a verifier needs."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "attest")(attest_)
    app.add_typer(attestation, name="attestation")


def _until(text: str | None, at: int) -> int:
    """Seconds from now until an instant, or for a length of time; 90 days unless said."""
    if text is None:
        return 90 * 86_400
    if text.endswith("Z"):
        left = typed.instant(text, at) - at
        if left <= 0:
            raise error("shape", f"{text} is over already")
        return left
    return typed.seconds(text)


def attest_(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent: its name, or any DID.")],
    claim: Annotated[str, typer.Option(help="What is claimed, as SOXComplianceCertified.")],
    until: Annotated[
        str | None, typer.Option(help="An instant, or how long, as 30d; by default 90d.")
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="What it is claimed for; several times.")
    ] = None,
    scope: Annotated[str | None, typer.Option(help="The same in a sentence.")] = None,
    relied_on: Annotated[
        Path | None, typer.Option(help="A report relied on; its digest is stated.")
    ] = None,
    output: Output = None,
) -> None:
    """Attest something about an agent, with the organisation's attestation key."""
    issue(edge, agent, claim, until, capability, scope, relied_on, output)


def issue(
    edge: Edge,
    agent: str,
    claim: str,
    until: str | None,
    capability: list[str] | None,
    scope: str | None,
    relied_on: Path | None,
    output: Path | None,
) -> None:
    """What `attest` does; `vc issue --type AgentAttestationCredential` is the same."""
    home = edge.home()
    at = now()
    made = attest(
        home,
        home.open_wallet("organization"),
        agent,
        claim,
        now=at,
        seconds=_until(until, at),
        capabilities=capability or [],
        scope=scope,
        evidence=relied_on,
    )
    if output is not None:
        files.write(output, attestation_evidence(home, made).to_bytes() + b"\n")
    edge.show(
        _row(made),
        f"{made.claim} of {made.subject}\n  {made.id}, until {format_time(made.valid_until)}\n"
        f"It counts where `delegant trust accredit FOLDER {made.issuer} {made.claim}` was typed.",
    )


def _row(one: AgentAttestation) -> dict[str, Any]:
    return {
        "id": one.id,
        "claim": one.claim,
        "agent": one.subject,
        "issuer": one.issuer,
        "capabilities": sorted(one.capabilities),
        "scope": one.scope,
        "evidence": one.evidence,
        "validUntil": format_time(one.valid_until),
    }


@command(attestation, "list")
def attestation_list(
    edge: Edge,
    agent: Annotated[str | None, typer.Argument(help="Only about this agent.")] = None,
) -> None:
    """List what was attested here."""
    home = edge.home()
    who = agent if agent is None or agent.startswith("did:") else home.subject(agent).did
    rows = [_row(one) for one in attestations(home, who)]
    text = "\n".join(
        f"{r['id'][9:17]}  {r['claim']} of {r['agent']}  until {r['validUntil']}" for r in rows
    )
    edge.show(rows, text or "nothing yet: `delegant attest --help`")


def _found(home: Home, name: str) -> AgentAttestation:
    found = find_attestation(home, name)
    if found is None:
        raise error("not-found", f"no attestation {name[:80]!r}: `delegant attestation list`")
    return found


@command(attestation, "show")
def attestation_show(
    edge: Edge, name: Annotated[str, typer.Argument(help="Id, the start of it, or a file.")]
) -> None:
    """Show one attestation whole."""
    home = edge.home()
    secured = _found(home, name).secured
    edge.show(secured.raw, json.dumps(secured.document, indent=2))


@command(attestation, "export")
def attestation_export(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="Id, the start of it, or a file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file.")],
) -> None:
    """Write an attestation and the status list of now into one file."""
    home = edge.home()
    found = _found(home, name)
    files.write(output, attestation_evidence(home, found).to_bytes() + b"\n")
    edge.show({"file": str(output)}, f"{output}: {found.claim} of {found.subject}")


@command(attestation, "verify")
def attestation_verify(
    edge: Edge,
    file: Annotated[Path, typer.Argument(help="What `attest -o` wrote, or the credential alone.")],
    trust: Annotated[Path | None, typer.Option(help="The trust folder; else the home's.")] = None,
    claim: Annotated[str | None, typer.Option(help="The claim asked for.")] = None,
    agent: Annotated[str | None, typer.Option(help="The agent's DID it must be about.")] = None,
    evidence: Annotated[Path | None, typer.Option(help="More evidence: a newer list.")] = None,
    at: Annotated[str | None, typer.Option(help="The instant, as 2026-11-23T09:00:00Z.")] = None,
    remember: Annotated[
        bool, typer.Option(help="Note the newest list in the trust folder.")
    ] = True,
) -> None:
    """Whether an attestation counts here: exit 0 yes, 1 no, 3 undecided, 4 malformed."""
    folder = trust if trust is not None else edge.home().path / "trust"
    one, found = read_attestation(file)
    if evidence is not None:
        found = found.merged(Evidence.parse(files.read(evidence, size=MAX_EVIDENCE)))
    own = load_trust(folder)
    when = typed.instant(at, now())
    seen = check_attestation(one, found, own, at=when, wanted=claim, subject=agent)
    if remember:
        save_seen(folder, seen)
    edge.show(_row(one), f"counts: {one.claim} of {one.subject}, says {one.issuer}")
