"""`human evidence`: what credentials of others say of a person, and nothing that acts on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from delegant.credentials.shape import format_time
from delegant.w3c import legacy
from delegant.wallet import files, testimony

from .edge import Edge, command, now

__all__ = ["evidence", "summary"]

evidence = typer.Typer(
    no_args_is_help=True, help="Credentials others issued about a person (VCDM 1.1)."
)
Person = Annotated[str, typer.Option("--for", help="The person: name or DID.")]


def summary(report: legacy.Report) -> str:
    """One line of a report."""
    until = "for good" if report.expires is None else f"until {format_time(report.expires)}"
    kind = next((one for one in report.types if one != "VerifiableCredential"), "a credential")
    return f"{report.original[:12]}…  {kind} by {report.issuer} {until}"


@command(evidence, "import")
def evidence_import(
    edge: Edge,
    file: Annotated[Path, typer.Argument(help="The credential: JSON, or a compact JWT.")],
    for_: Person,
) -> None:
    """Check a credential of VCDM 1.1 and keep it beside a person. It attests nothing by itself."""
    raw = files.read(file, size=legacy.MAX_SIZE)
    report = testimony.keep(edge.home(), for_, raw, now=now())
    value = report.json
    edge.show(
        value,
        f"kept for {for_}: {summary(report)}\n"
        f"checked by {report.by}: {', '.join(value['checked'])}\n"
        f"not checked: {', '.join(report.unchecked)}\n"
        f"{for_} is attested as before; to attest by this evidence: "
        f"delegant human evidence attest {report.original} --for {for_}",
    )


@command(evidence, "attest")
def evidence_attest(
    edge: Edge,
    evidence: Annotated[str, typer.Argument(help="The digest shown, or how it begins.")],
    for_: Person,
) -> None:
    """Attest a person anew, by evidence that is kept and still holds."""
    home = edge.home()
    credential = testimony.attest_by(
        home, home.open_wallet("organization"), for_, evidence, now=now()
    )
    until = format_time(credential.valid_until)
    edge.show(
        {"did": credential.subject, "revision": credential.revision, "validUntil": until},
        f"{for_} is attested by that evidence until {until}, revision {credential.revision}",
    )
