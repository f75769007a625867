"""`audit export`, `audit verify`, `audit trace`: what an auditor is given, and asks of it alone.

Only the export needs the server's extra. An auditor needs a bundle, and a trust folder of their
own; no home, no network.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from delegant.credentials.errors import error
from delegant.credentials.shape import time
from delegant.wallet import load_trust

from .edge import Edge, command
from .serve import needs_server

if TYPE_CHECKING:
    from delegant.governance.checking import Verified
    from delegant.governance.reading import AuditBundle, Believed
    from delegant.governance.tracing import Line, Traced

__all__ = ["believed_of", "register"]

SHOWN: Final = 20
Trust = Annotated[
    Path | None, typer.Option("--trust", help="Your own trust folder; else the home's.")
]


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    command(audit, "export")(audit_export)
    command(audit, "verify")(audit_verify)
    command(audit, "trace")(audit_trace)


def audit_export(
    edge: Edge,
    folder: Annotated[Path, typer.Argument(help="The folder of the log.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new file, a zip.")],
    event: Annotated[str | None, typer.Option(help="Only this event: evt_…")] = None,
    sponsor: Annotated[str | None, typer.Option(help="Only the records of this human.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="From this instant, as 2026-11-25T09:00:00Z.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Until before this one.")] = None,
    openings: Annotated[
        bool, typer.Option("--openings", help="Disclose the requests, which records only hash.")
    ] = False,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Checkpoints the auditor kept, which the bundle shall be held to."),
    ] = None,
) -> None:
    """Export a part of an audit log, or all of it, as one file that proves itself.

    Records that were not asked for are left out; that they are there is seen. Without --openings
    a record says which act was done, and of its arguments only a salted hash.
    """
    needs_server()
    from delegant.governance.auditlog import AuditReader  # noqa: PLC0415
    from delegant.governance.bundle import Selection, export  # noqa: PLC0415
    from delegant.governance.reading import Believed  # noqa: PLC0415
    from delegant.governance.verifying import kept_checkpoints  # noqa: PLC0415

    wanted = Selection(
        event,
        sponsor,
        None if from_ is None else time(from_, "--from"),
        None if to is None else time(to, "--to"),
    )
    with closing(AuditReader(folder)) as log:
        kept = () if checkpoints is None else kept_checkpoints(checkpoints, Believed(log.key))
        told = export(log, output, wanted, openings=openings, kept=kept)
    value = {"file": str(output), "log": log.id, **dataclasses.asdict(told)}
    lines = [
        f"{output}: {told.entries} records of {told.size}, {told.exhibits} exhibits",
        f"  openings   {told.openings if openings else 'none: what was asked is not disclosed'}",
        f"next: delegant audit verify {output} --trust TRUST",
    ]
    if told.missing:
        lines.insert(1, f"  ! {told.missing} exhibits are gone: those acts cannot be traced")
    edge.show(value, "\n".join(lines))


def audit_verify(
    edge: Edge,
    bundle: Annotated[
        Path,
        typer.Argument(help="A bundle: the file, or its folder; or the folder of a log itself."),
    ],
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Checkpoints of this log that you kept: a file, or a folder of them."),
    ] = None,
    trust: Trust = None,
    key: Annotated[
        str | None, typer.Option(help="The log's note key, name+hash+key, in place of a folder.")
    ] = None,
) -> None:
    """Verify an audit bundle: that its log signed it, that nothing was changed, that none is gone.

    Exit 0: it holds; intents without an outcome are listed. Exit 1: it does not, and the first
    entry to blame is named (log-proof, audit-entry), or it is not the log of the checkpoints you
    kept (log-rollback, log-split). Exit 3: something needed is not there. Exit 4: no bundle.
    """
    from delegant.governance.reading import AuditBundle  # noqa: PLC0415 - httpx comes along
    from delegant.governance.verifying import (  # noqa: PLC0415
        kept_checkpoints,
        verify_bundle,
    )

    with _lying(bundle) as path, AuditBundle(path) as opened:
        believed = believed_of(edge, opened, trust, key)
        kept = [] if checkpoints is None else kept_checkpoints(checkpoints, believed)
        found = verify_bundle(opened, believed, kept)
    edge.show(found.json, "\n".join(_verified(found)))


def audit_trace(
    edge: Edge,
    event: Annotated[str, typer.Argument(help="The event: evt_…, as its record or permit says.")],
    bundle: Annotated[Path, typer.Option(help="A bundle: the file, or its folder.")],
    trust: Trust = None,
) -> None:
    """Trace one event back to the human: who did it, who allowed it, and what is proven of that.

    Every link is verified again, by your own trust, at the time of the event, from the bundle
    alone. Exit 0: the account holds. Exit 1: it does not. Exit 3: something is not in the bundle.
    """
    from delegant.governance.reading import (  # noqa: PLC0415 - httpx comes along
        AuditBundle,
        Believed,
    )
    from delegant.governance.tracing import trace  # noqa: PLC0415

    folder = load_trust(_folder(edge, trust))
    with AuditBundle(bundle) as opened:
        found = trace(opened, event, Believed.of(folder, opened.about.log), folder)
    if edge.json:
        edge.show(found.json, "")
    else:
        print("\n".join(_traced(found)))
    if found.problem is not None:
        raise typer.Exit(found.problem.exit_status) if edge.json else found.problem


@contextmanager
def _lying(path: Path) -> Iterator[Path]:
    """The bundle; of the folder of a log, one of its rows as they lie there."""
    if not (path / "keys.wallet").is_file():
        yield path
        return
    needs_server()
    from delegant.governance.auditlog import AuditReader  # noqa: PLC0415
    from delegant.governance.bundle import lying  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        with closing(AuditReader(path)) as log:
            lying(log, Path(folder) / "lying.zip")
        yield Path(folder) / "lying.zip"


def _folder(edge: Edge, trust: Path | None) -> Path:
    return trust if trust is not None else edge.home().path / "trust"


def believed_of(edge: Edge, opened: AuditBundle, trust: Path | None, key: str | None) -> Believed:
    """The log's key as it was typed, or as the trust folder has it: never the bundle's own."""
    from delegant.ans.log.note import ED25519, NoteKey  # noqa: PLC0415 - httpx comes along
    from delegant.governance.reading import Believed  # noqa: PLC0415

    if key is None:
        return Believed.of(load_trust(_folder(edge, trust)), opened.about.log)
    if trust is not None:
        raise error("shape", "give --key or --trust, not both")
    found = NoteKey.parse(key)
    if found.kind != ED25519:
        raise error("log-note", "this is not the key of a log")
    return Believed(found)


# --- telling --------------------------------------------------------------------------------


def _verified(found: Verified) -> list[str]:
    """What holds, a line each."""
    said = found.json
    what = ", ".join(_many(count, kind) for kind, count in said["records"].items()) or "none"
    lines = [
        f"log        {said['origin']} of {said['log']}",
        f"signed     {said['size']} entries, of which {said['entries']} are here"
        + (", the whole log" if said["whole"] else ""),
        f"records    {what}",
    ]
    if said["from"] is not None:
        lines.append(f"time       {said['from']} to {said['to']}")
    if said["pruned"]:
        lines.append(f"pruned     {said['pruned']}, as notices in the log say")
    lines.append(
        f"exhibits   {said['exhibits']}"
        + (f", and {said['exhibitsMissing']} are not here" if said["exhibitsMissing"] else "")
    )
    if said["keptCheckpoints"]:
        lines.append(f"continues  {_many(said['keptCheckpoints'], 'checkpoint')} kept before")
    for one in found.unanswered[:SHOWN]:
        row = one.json
        lines.append(
            f"! no outcome  {row['event']} at entry {row['entry']}, {row['time']}: "
            f"{row['agentDid']} for {row['sponsorDid']}"
        )
    if found.unanswered_count > SHOWN:
        lines.append(f"! and {found.unanswered_count - SHOWN} more")
    return [*lines, "holds: every entry is the log's, in its place, and in order"]


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _traced(found: Traced) -> list[str]:
    """The account of one event, a line each."""
    said = found.record.json
    lines = [
        f"event      {said['event']} at {said['time']}",
        f"action     {said['action'] or 'unknown'} on {said['target'] or 'nothing known'}",
        f"decision   {_decision(said)}",
        f"outcome    {_outcome(found)}",
        f"logged     entry {found.number} of {found.origin}, signed at {found.size} entries",
    ]
    lines += [_line(depth, line) for depth, line in enumerate(found.lines)]
    if found.chain is not None:
        lines.insert(6, f"           whom {found.chain.organization} answers for")
    if not found.lines:
        lines.append("chain      none that could be read")
    if not found.record.verified:
        lines.append("           as the presenter claimed it: the refusal proves nothing of them")
    lines.append(f"request    {_request(found)}")
    if found.problem is None:
        lines.append("verdict    holds")
    return lines


def _decision(said: dict[str, Any]) -> str:
    by = (
        f"by {said['policyId']} {said['policyVersion']}" if said["policyId"] else "by nothing named"
    )
    if said["type"] == "intent":
        return f"{said['decision']}, {by}"
    where = "" if said["link"] is None else f" at link {said['link']}"
    about = "" if said["dimension"] is None else f" ({said['dimension']})"
    return f"{said['decision']}, {by}: {said['code']}{where}{about}"


def _outcome(found: Traced) -> str:
    if found.record.type == "refusal":
        return "nothing was done"
    if found.outcome is None:
        return "none is in this bundle: the act may have happened"
    told = dict(found.outcome.json["outcome"])
    status = told.pop("status")
    return ", ".join([status, *(f"{name} {value}" for name, value in sorted(told.items()))])


def _line(depth: int, line: Line) -> str:
    name = "human" if line.role == "human" else "agent"
    head = f"{'  ' * depth}{name}"
    return f"{head:<10} {line.did}  {_state(line)}{_grant(line)}"


def _state(line: Line) -> str:
    verdict = line.verdict
    if verdict is None:
        return "as claimed"
    if verdict.code is None:
        return verdict.state
    where = "" if verdict.link is None else f" at link {verdict.link}"
    return f"{verdict.state}: {verdict.code}{where}: {verdict.detail}"


def _grant(line: Line) -> str:
    if line.link is None:
        return ""
    allowed = "; ".join(
        f"{', '.join(grant['actions'])} on {', '.join(grant['resources'])}"
        for grant in line.link.authority.json["grants"]
    )
    limits = line.link.authority.json.get("constraints")
    return f", by {line.link.id}: {allowed}" + (f", within {json.dumps(limits)}" if limits else "")


def _request(found: Traced) -> str:
    if found.opening is None:
        return "not disclosed in this bundle"
    verdict = found.recomputed
    told = f"{json.dumps(found.opening['request'])}, the one of the record by its salted hash"
    if verdict is None:
        return told
    if verdict.code is None:
        return f"{told}; signed for by the agent, and accepted again"
    return f"{told}; asked again: {verdict.code}: {verdict.detail}"
