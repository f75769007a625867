"""`audit match`: the receipts of agents against the records of a resource.

A bundle is verified first, under the auditor's own trust folder. Whoever keeps the log may ask the
log itself, which needs the extra ``server``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from delegant.credentials import did
from delegant.credentials.errors import error
from delegant.credentials.shape import time
from delegant.wallet import load_trust

from .edge import Edge, command, now
from .serve import needs_server
from .typed import seconds

if TYPE_CHECKING:
    from delegant.governance.findings import Report
    from delegant.governance.walking import Source

__all__ = ["register"]

SHOWN = 100


def register(audit: typer.Typer) -> None:
    """Add the command."""
    command(audit, "match")(audit_match)


def audit_match(
    edge: Edge,
    bundle: Annotated[
        Path | None, typer.Argument(help="An audit bundle: the file, or its folder.")
    ] = None,
    journal: Annotated[
        list[Path] | None, typer.Option(help="An agent's journal; several times.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="In place of a bundle: the folder of a log of your own.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Your own trust folder; else the home's.")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="Only acts of this agent (DID); several times. Else of every agent."),
    ] = None,
    resource: Annotated[
        list[str] | None,
        typer.Option(help="An audience whose acts the log records (DID); else the log's own."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what happened from here on: 2026-11-23T09:00:00Z.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only what happened until here; of a log of your own, now.")
    ] = None,
    grace: Annotated[
        str, typer.Option(help="How near an edge nothing is missed: 0, 90s, 5m.")
    ] = "5m",
) -> None:
    """Hold agents' receipts against the records of an audit log; exit 1 if anything is unmatched.

    Told are records that no agent has a receipt of, receipts that no record answers, the two sides
    of an act that differ (status, request, chain, event), and receipts that are not signed with
    the key expected, each with the side that lacks something. What may lie beyond an edge of the
    period, or in a part that was not exported, is not missed.
    """
    from delegant.governance.findings import Period  # noqa: PLC0415 - httpx comes along
    from delegant.governance.journal import read_journal  # noqa: PLC0415
    from delegant.governance.matching import match  # noqa: PLC0415

    latest = None if log is None else now()
    period = Period(
        None if since is None else time(since, "--since"),
        latest if until is None else time(until, "--until"),
        0 if grace == "0" else seconds(grace),
    )
    if not journal:
        raise error("shape", "name a --journal: without one every record is unmatched")
    with _source(edge, bundle, log, trust) as source:
        report = match(
            source.records,
            chain.from_iterable(read_journal(path) for path in journal),
            log=source.log,
            keys=source.keys,
            resources=[did.check(one) for one in resource or ()],
            agents=[did.check(one) for one in agent or ()],
            period=period,
            exhibit=source.exhibit,
            opening=source.opening,
        )
    edge.show(report.json, "\n".join(_told(report)))
    if report.findings:
        raise typer.Exit(1)


@contextmanager
def _source(
    edge: Edge, bundle: Path | None, log: Path | None, trust: Path | None
) -> Iterator[Source]:
    from delegant.governance.walking import bundle_source, log_source  # noqa: PLC0415

    if (bundle is None) == (log is None):
        raise error("shape", "name a bundle, or the folder of a log with --log")
    if log is not None:
        if trust is not None:
            raise error("shape", "--trust goes with a bundle: a log of your own has its own keys")
        needs_server()
        from delegant.governance.auditlog import AuditReader  # noqa: PLC0415 - needs the extra

        reader = AuditReader(log)
        try:
            yield log_source(reader)
        finally:
            reader.close()
    elif bundle is not None:
        from delegant.governance.reading import AuditBundle  # noqa: PLC0415 - httpx comes along

        folder = trust if trust is not None else edge.home().path / "trust"
        with AuditBundle(bundle) as opened:
            yield bundle_source(opened, load_trust(folder))


def _told(report: Report) -> list[str]:
    """The report, a line each."""
    said: dict[str, Any] = report.json
    period = said["period"]
    lines = [
        f"log        {said['log']}",
        f"period     {period['since'] or 'the beginning'} to {period['until'] or 'the end'}, "
        f"{period['graceSeconds']} seconds of grace",
        f"compared   {said['records']} records, {said['receipts']} receipts: {said['pairs']} pairs",
        f"requests   {said['requests']} held against an opening or the resource's own receipt",
    ]
    aside = {
        "elsewhere": "receipts for other resources, or by other agents",
        "claimed": "refusals of what nobody verified, which need no receipt",
        "beyond": "whose other half may lie in a part that is not here",
    }
    lines += [f"aside      {said[name]} {what}" for name, what in aside.items() if said[name]]
    lines += [f"torn       {where}: a line that a crash cut" for where in report.torn]
    for one in report.findings[:SHOWN]:
        lacks = f"the {one.lacks} lacks it" if one.lacks else "the two differ"
        about = one.event or one.invocation or one.where or ""
        where = f" ({one.where})" if one.where and one.where != about else ""
        lines.append(f"! unmatched  {one.dimension}: {lacks}: {about}: {one.detail}{where}")
    if len(report.findings) > SHOWN:
        lines.append(f"! and {len(report.findings) - SHOWN} more")
    return lines if report.findings else [*lines, "matched: each side says what the other says"]
