"""`my`: what a human answers for, and how to stop it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.identity import AgentIdentity, parse_agent_identity
from delegant.credentials.shape import format_time
from delegant.governance.agent import standing
from delegant.governance.broker import records
from delegant.wallet import Home, Subject, statuslists

from .edge import Edge, command, now
from .task import close, row

my = typer.Typer(no_args_is_help=True, help="A human's own agents.")

Me = Annotated[str | None, typer.Option("--as", help="The human; else the only one there is.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(my, name="my")


def _me(home: Home, name: str | None) -> Subject:
    people = home.subjects("human")
    if name is None and len(people) != 1:
        raise error("not-found", f"{len(people)} humans are here: say which with --as")
    found = people[0] if name is None else home.subject(name)
    if found.kind != "human":
        raise error("wallet-kind", f"{found.handle} is no human")
    return found


def _mine(home: Home, human: Subject) -> list[tuple[Subject, AgentIdentity]]:
    found = [(one, parse_agent_identity(unpack(one.credential))) for one in home.subjects("agent")]
    own = {human.did, *(was.did for was in human.retired)}
    return [(one, identity) for one, identity in found if identity.sponsor in own]


def _status(home: Home, identity: AgentIdentity, at: int) -> str:
    entry = identity.status
    if entry is not None:
        data = statuslists.bits(home, statuslists.number_of(home, entry.list))
        if statuslists.is_set(data, entry.index):
            return "revoked"
        if statuslists.is_set(data, entry.index + 1):
            return "suspended"
    return "active" if at < identity.valid_until else "expired"


@command(my, "agents")
def my_agents(edge: Edge, as_: Me = None) -> None:
    """List the agents a human answers for, what each is about, and what it may do without a task.

    No wallet is opened.
    """
    home = edge.home()
    at = now()
    human = _me(home, as_)
    tasks = [row(home, told, at) for told in records(home)]
    rows: list[dict[str, Any]] = [
        {
            "agent": one.handle,
            "did": one.did,
            "model": identity.model,
            "status": _status(home, identity, at),
            "until": format_time(identity.valid_until),
            "tasks": [t["task"] for t in tasks if t["agent"] == one.did and t["state"] == "open"],
            "standing_privileges": len(standing(home, one.did, at)),
        }
        for one, identity in _mine(home, human)
    ]
    text = "\n".join(
        f"{r['agent']:<12} {r['status']:<9} tasks: {', '.join(r['tasks']) or 'none'}"
        f"  standing privileges: {r['standing_privileges']}"
        for r in rows
    )
    edge.show(rows, text or f"{human.handle} answers for no agent")


@command(my, "stop")
def my_stop(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent.")],
    as_: Me = None,
) -> None:
    """Stop an agent: what it was granted is closed for good, and its identity is suspended.

    `delegant status resume AGENT` lets it ask for tasks again.
    """
    home = edge.home()
    at = now()
    human = _me(home, as_)
    home.open_wallet("human", human.handle)  # whoever stops it is the human
    subject = home.subject(agent)
    mine = {one.did: identity for one, identity in _mine(home, human)}
    if subject.did not in mine:
        raise error("not-found", f"{human.handle} does not answer for {subject.handle}")
    links = [link for link in home.links() if link.subject == subject.did and at < link.valid_until]
    close(home, edge, links, f"{subject.handle} was stopped", at)
    identity = mine[subject.did]
    if identity.status is None:
        raise error("status-missing", f"the identity of {subject.handle} has no status entry")
    status = _status(home, identity, at)
    if status == "active":
        organization = home.open_wallet("organization")
        statuslists.change(home, organization, identity.status, "suspend", at)
        status = "suspended"
    edge.show(
        {"agent": subject.handle, "closed": [link.id for link in links], "status": status},
        f"{subject.handle}: {status}, {len(links)} grant{'s' * (len(links) != 1)} closed",
    )
