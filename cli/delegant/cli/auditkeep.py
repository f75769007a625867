"""`audit report`, `audit prune`, `audit hold`: what the keeper of a log asks of it, and does to it.

A report is made from the folder of a log, or from a bundle alone: then it needs no server, and
nothing is shown before the whole bundle has verified.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from delegant.credentials.errors import error
from delegant.credentials.shape import format_time

from .auditask import believed_of
from .edge import Edge, command, now
from .render import short
from .serve import needs_server
from .typed import moment

if TYPE_CHECKING:
    from delegant.governance.auditlog import AuditLog
    from delegant.governance.holding import Held
    from delegant.governance.reporting import Act, Report, Source

__all__ = ["register"]

LIMIT = 1000
Folder = Annotated[Path, typer.Argument(help="The folder of the audit log.")]
Sponsor = Annotated[str | None, typer.Option(help="The accountable human's DID.")]
Agent = Annotated[str | None, typer.Option(help="The agent's DID.")]
From = Annotated[
    str | None, typer.Option("--from", help="From then on: 2026-11-23, or 2026-11-23T09:00:00Z.")
]
To = Annotated[str | None, typer.Option("--to", help="Before then.")]
By = Annotated[str, typer.Option(help="The human who says so: a DID, or a handle of the home.")]

holding = typer.Typer(no_args_is_help=True, help="Legal hold: keep records whatever their age.")


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    command(audit, "report")(audit_report)
    command(audit, "prune")(audit_prune)
    command(holding, "add")(hold_add)
    command(holding, "list")(hold_list)
    command(holding, "lift")(hold_lift)
    audit.add_typer(holding, name="hold")


def audit_report(
    edge: Edge,
    folder: Annotated[Path | None, typer.Argument(help="The folder of the audit log.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="A bundle, in place of a folder: the file, or its folder.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", help="With --bundle: your own trust folder; else the home's."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="With --bundle: the log's note key, in place of a folder.")
    ] = None,
    sponsor: Sponsor = None,
    agent: Agent = None,
    start: From = None,
    end: To = None,
    initiation: Annotated[
        str | None, typer.Option(help="human_request, schedule or agent_decision.")
    ] = None,
    decision: Annotated[
        str | None, typer.Option(help="allow, modify, deny, defer or step_up.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="An action, as db.read; or db.* for all below it.")
    ] = None,
    unanswered: Annotated[
        bool, typer.Option("--open", help="Only acts of which nobody knows what came.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Acts at most; by default 1000, and all with --format."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="For other tools, one value a line: jsonl, ocsf or otel."),
    ] = None,
) -> None:
    """Report who did what, for whom, and what came of it.

    Every record is held to the signed log before it is shown.
    """
    from delegant.governance.exporting import export_lines  # noqa: PLC0415
    from delegant.governance.reporting import Wanted, report  # noqa: PLC0415

    wanted = Wanted(
        sponsor=sponsor,
        agent=agent,
        start=moment(start, "--from"),
        end=moment(end, "--to"),
        initiation=initiation,
        decision=decision,
        action=action,
        open=unanswered,
    )
    with _source(edge, folder, bundle, trust, key) as source:
        if form is None:
            found = report(source, wanted, limit or LIMIT)
            edge.show(found.json, lambda: _show(found))
            return
        for line in export_lines(islice(source.acts(wanted), limit), form):
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


def audit_prune(
    edge: Edge,
    folder: Folder,
    before: Annotated[str, typer.Option(help="What is older goes: 2026-05-01, or a time.")],
    by: By,
) -> None:
    """Remove the bodies of old records, and what lies beside them; the log still verifies.

    Refused inside the retention (184 days, or more where the log says so). A notice in the log
    says which entries are gone, and who said so. What is held stays, and so does an intent of
    which nobody knows what came.
    """
    needs_server()
    from delegant.governance.retention import prune  # noqa: PLC0415 - needs the extra

    until, human = moment(before, "--before") or 0, _human(edge, by)
    with closing(_open(edge, folder)) as log:
        found = prune(log, until, human, now())
    told = [
        f"pruned {found.events} events in {found.entries} entries, and {found.exhibits} exhibits"
    ]
    told += [f"kept {found.held} that are held"] if found.held else []
    told += [f"kept {found.open} without an outcome that is old enough"] if found.open else []
    told += [f"the log says so in entry {number}" for number in found.notices]
    edge.show(found.json, "\n".join(told))


def hold_add(
    edge: Edge,
    folder: Folder,
    reason: Annotated[str, typer.Option(help="Why; it is kept beside the log, not in it.")],
    by: By,
    sponsor: Sponsor = None,
    agent: Agent = None,
    event: Annotated[str | None, typer.Option(help="One event: evt_…")] = None,
    start: From = None,
    end: To = None,
) -> None:
    """Hold what fits all that is stated, until the hold is lifted."""
    needs_server()
    from delegant.governance.holding import Scope, hold  # noqa: PLC0415 - needs the extra

    scope = Scope(sponsor, agent, event, moment(start, "--from"), moment(end, "--to"))
    human = _human(edge, by)
    with closing(_open(edge, folder)) as log:
        found = hold(log, scope, reason, human, now())
    edge.show(found.json, f"{found.id} holds {_scope(found)}, entry {found.number} of the log")


def hold_list(edge: Edge, folder: Folder) -> None:
    """List the holds that stand."""
    needs_server()
    from delegant.governance.auditlog import AuditReader  # noqa: PLC0415 - needs the extra
    from delegant.governance.holding import holds  # noqa: PLC0415

    with closing(AuditReader(folder)) as reader:
        found = holds(reader)
    told = [
        f"{one.id}  {format_time(one.time)}  by {one.by}\n  {_scope(one)}: {one.reason}"
        for one in found
    ]
    edge.show([one.json for one in found], "\n".join(told) or "none stands")


def hold_lift(
    edge: Edge,
    folder: Folder,
    hold: Annotated[str, typer.Argument(help="The hold, as `audit hold list` names it.")],
    by: By,
) -> None:
    """Let go of a hold; what it covered, and why, is forgotten."""
    needs_server()
    from delegant.governance.holding import lift  # noqa: PLC0415 - needs the extra

    human = _human(edge, by)
    with closing(_open(edge, folder)) as log:
        number = lift(log, hold, human, now())
    edge.show({"hold": hold, "index": number}, f"{hold} is lifted, entry {number} of the log")


# --- inside -------------------------------------------------------------------------------------


def _open(edge: Edge, folder: Path) -> AuditLog:
    needs_server()
    from delegant.governance.auditlog import AuditLog, Settings  # noqa: PLC0415 - needs the extra

    Settings(folder)  # a folder that holds none is told before anybody types
    return AuditLog.open(folder, edge.passphrases().get("audit"))


def _human(edge: Edge, by: str) -> str:
    """Who answers for what is done to the log; an agent of the home is not asked."""
    if by.startswith("did:"):
        return by
    subject = edge.home().subject(by)
    if subject.kind != "human":
        raise error("wallet-kind", f"{by} is an agent: a human answers for this")
    return subject.did


@contextmanager
def _source(
    edge: Edge, folder: Path | None, bundle: Path | None, trust: Path | None, key: str | None
) -> Iterator[Source]:
    """What to report of, while it is open."""
    from delegant.governance.reading import AuditBundle  # noqa: PLC0415 - httpx comes along
    from delegant.governance.reporting import Bundled  # noqa: PLC0415

    if folder is None and bundle is not None:
        with AuditBundle(bundle) as opened:
            yield Bundled(opened, believed_of(edge, opened, trust, key))
        return
    if folder is None or bundle is not None:
        raise error("shape", "give the folder of a log, or --bundle")
    if trust is not None or key is not None:
        raise error("shape", "--trust and --key go with --bundle")
    needs_server()
    from delegant.governance.auditlog import AuditReader  # noqa: PLC0415 - needs the extra
    from delegant.governance.searching import Searched  # noqa: PLC0415

    with closing(AuditReader(folder)) as reader:
        yield Searched(reader)


def _scope(held: Held) -> str:
    return ", ".join(f"{name} {value}" for name, value in held.scope.json.items())


def _show(found: Report) -> None:
    """The acts, two lines each, and how many there are."""
    console = Console(highlight=False, emoji=False)
    for act in found.acts:
        for line in _lines(act):
            console.print(line, soft_wrap=True)
    counts = [f"{number} {name}" for name, number in found.counts.items() if number]
    console.print(f"{', '.join(counts) or 'no acts'} of {found.log}", markup=False, soft_wrap=True)
    if found.more:
        console.print("and more: --limit shows them", markup=False)


_COLOUR = {"success": "green", "open": "yellow", "refused": "red", "failure": "red"}


def _lines(act: Act) -> list[Any]:
    """What was done, and what came of it; by whom, for whom, under which name."""
    from rich.text import Text  # noqa: PLC0415

    record = act.first.record
    said = record.json
    claimed = "" if record.verified else "?"
    notice = said.get("notice", {}).get("kind")
    done = f"audit {notice}" if notice else f"{said['action'] or '-'} on {said['target'] or '-'}"
    result = act.result
    if record.type == "refusal":
        result = f"refused: {said['code']}"
    elif said.get("decision", "allow") != "allow":
        result = f"{result} ({said['decision']})"
    colour = _COLOUR.get(act.result, "")
    agent, sponsor = (
        f"{claimed}{short(name)}" if name else "-" for name in (record.agent, record.sponsor)
    )
    by = f"by {sponsor}" if notice else f"{agent} for {sponsor}"
    first = Text.assemble(f"{said['time']}  {done}  ", (result, colour))
    return [first, Text(f"  {record.event}  {by}", style="dim")]
