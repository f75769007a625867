"""What the commands of the naming service share: whom they ask, and whom they believe.

The client, and httpx with it, is imported where it is used: other commands start sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.wallet import Home, load_trust, open_organization

from .edge import Edge
from .serve import needs_server

if TYPE_CHECKING:
    from delegant.ans import Client

__all__ = ["Name", "Now", "Url", "ans", "local_registry", "provider", "registry_client", "state_of"]

ans = typer.Typer(no_args_is_help=True, help="The Agent Naming Service.")
provider = typer.Typer(no_args_is_help=True, help="Who owns which provider label.")
ans.add_typer(provider, name="provider")

Url = Annotated[str | None, typer.Option(help="The registry's address; else the home's.")]
Name = Annotated[str, typer.Option(help="mcp://Function.Domain.Provider.v1.0")]


class Now(NamedTuple):
    """Where a name stands: its agent, its newest event, and the record where there is one."""

    agent: str
    seq: int
    event: str
    record: JsonObject | None


def registry_client(edge: Edge, url: str | None, registry: str | None = None) -> Client:
    """A client of a registry that the home's trust folder names; by default of the home's own."""
    from delegant.ans import Client, RegistryTrust  # noqa: PLC0415 - httpx

    home = edge.home()
    whose = registry or home.settings.registry
    trust = RegistryTrust.from_trust(load_trust(home.path / "trust"), whose)
    own = home.settings.url if whose == home.settings.registry else None
    where = url or own or trust.url
    if where is None:
        raise error("not-found", f"the trust folder does not say where {whose} is: give --url")
    return Client(where, trust)


def state_of(client: Client, name: str) -> Now:
    """Where a name stands, verified, whatever its state.

    Raises:
        NotFound: ``ans-not-found``.
    """
    from delegant.ans import Query  # noqa: PLC0415 - httpx comes along

    answer = client.ask(Query.exact(name), fresh=True)
    for agent in answer.agents:
        return Now(agent.did, agent.seq, agent.entry.event, agent.record)
    if answer.last is None:
        answer.check_success()
    last: Any = answer.last
    return Now(
        last.event["agent"], last.event["seq"], last.logged.leaf.event, last.event.get("record")
    )


def local_registry(home: Home) -> Any:
    """The registry of this home, for its operator, with the keys that its log needs."""
    needs_server()
    from delegant.resolver.server import open_registry  # noqa: PLC0415 - needs the extra

    return open_registry(home, open_organization(home)[0])
