"""`task`: grants for one task each, from a broker's mandate or from a human who is present."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import Link
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import format_time
from delegant.credentials.shape import time as instant
from delegant.governance.broker import Ask, Broker, complete, records
from delegant.wallet import Home

from . import typed
from .edge import Edge, command, now

task = typer.Typer(no_args_is_help=True, help="Grants for one task each.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(task, name="task")


@command(task, "start")
def task_start(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent that shall act.")],
    id_: Annotated[str, typer.Argument(metavar="TASK", help="The task's id, as T-17.")],
    from_: Annotated[
        str, typer.Option("--from", help="The agent that holds a mandate, or the human.")
    ],
    allow: typed.Allow,
    ttl: Annotated[str | None, typer.Option(help="How long, as 2m; at most 15m.")] = None,
    justification: Annotated[str, typer.Option(help="Why, for people and the policy.")] = "",
    initiation: typed.Initiation = "human_request",
    rows: typed.Rows = None,
    bytes_: typed.Bytes = None,
    columns: typed.Columns = None,
    argument: typed.Argument = None,
    audience: Annotated[list[str] | None, typer.Option(help="Only at this verifier (DID).")] = None,
    purpose: typed.Purpose = None,
    data_class: typed.DataClass = None,
    network: typed.Network = None,
    constraints: Annotated[
        Path | None, typer.Option(help="A JSON file with further constraints.")
    ] = None,
    spawn: Annotated[bool, typer.Option(help="Sub-agents may be made for it.")] = False,
) -> None:
    """Grant an agent one task. It is bound to the task, and ends with it."""
    home = edge.home()
    rules = typed.constraints(
        rows=rows, bytes_=bytes_, columns=columns, argument=argument, audience=audience,
        purpose=purpose, task=None, initiation=initiation, data_class=data_class,
        network=network, file=constraints,
    )  # fmt: skip
    ask = Ask(
        home.subject(agent).did,
        id_,
        tuple(typed.grants(allow, home)),
        rules,
        typed.seconds(ttl) if ttl else None,
        initiation,
        justification,
        spawn,
    )
    holder = home.subject(from_)
    broker = Broker(home, home.open_wallet(holder.kind, holder.handle), clock=now)
    made = broker.grant(ask)[-1]
    (told,) = [one for one in records(home) if one["link"] == made.id]
    edge.show(
        told,
        f"task {id_} of {agent}: {made.id}\n  until {format_time(made.valid_until)}\n"
        f"next: delegant present {agent} --task {id_} --need ACTION:RESOURCE -o bundle.json",
    )


@command(task, "complete")
def task_complete(
    edge: Edge,
    id_: Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or that of a link.")],
) -> None:
    """Close every grant of a task, with all below; the organisation's list says so at once."""
    home = edge.home()
    at = now()
    found = [one for one in records(home) if id_ in (one["task"], one["link"])]
    if not found:
        raise error("not-found", f"no task {id_[:80]} was started here")
    links = [home.link(one["link"]) for one in found if _state(one, at) == "open"]
    close(home, edge, links, f"the task {found[0]['task'][:200]} is complete", at)
    edge.show(
        {"task": found[0]["task"], "closed": [link.id for link in links]},
        f"{found[0]['task']}: {len(links)} grant{'s' * (len(links) != 1)} closed",
    )


@command(task, "list")
def task_list(
    edge: Edge,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
) -> None:
    """List the tasks that were started here: those that are open."""
    home = edge.home()
    at = now()
    rows = [row(home, one, at) for one in records(home) if all_ or _state(one, at) == "open"]
    text = "\n".join(
        f"{r['task']:<12} {r['state']:<8} {r['name']}  until {r['until']}  {r['initiation']}"
        for r in rows
    )
    edge.show(rows, text or "no open task: `delegant task start --help`")


def close(home: Home, edge: Edge, links: list[Link], why: str, at: int) -> None:
    """Close grants, in the organisation's list and in the home's records."""
    if links:
        organization = home.open_wallet("organization")
        for link in links:
            complete(home, organization, link, at, why)


def row(home: Home, told: JsonObject, at: int) -> dict[str, Any]:
    """A task as it is listed: its record, its state, and the agent's name."""
    try:
        name = home.subject(told["agent"]).handle
    except Error:
        name = told["agent"]
    return told | {"state": _state(told, at), "name": name}


def _state(told: JsonObject, at: int) -> str:
    if "closed" in told:
        return "closed"
    return "open" if at < instant(told["until"], "until") else "expired"
