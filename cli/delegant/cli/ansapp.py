"""What the commands of the naming service share: whom they ask, and whom they believe.

The client, and httpx with it, is imported where it is used: other commands start sooner.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.wallet import Home, load_trust, open_organization

from .edge import Edge
from .serve import needs_server

if TYPE_CHECKING:
    from delegant.ans import Client

__all__ = [
    "Folder",
    "Kept",
    "Name",
    "Now",
    "Registry",
    "Url",
    "Whom",
    "ans",
    "local_registry",
    "provider",
    "registry_client",
    "state_of",
]

ans = typer.Typer(no_args_is_help=True, help="The Agent Naming Service.")
provider = typer.Typer(no_args_is_help=True, help="Who owns which provider label.")
ans.add_typer(provider, name="provider")

Url = Annotated[str | None, typer.Option(help="The registry's address; else the home's.")]
Registry = Annotated[str | None, typer.Option(help="The DID of a registry you trust.")]
Folder = Annotated[
    Path | None, typer.Option("--trust", help="A trust folder; no home is needed then.")
]
Kept = Annotated[
    Path | None,
    typer.Option("--memory", help="What was met before, remembered; else in the home."),
]
Name = Annotated[str, typer.Option(help="mcp://Function.Domain.Provider.v1.0")]
MEMORY: Final = "ans-memory.json"


class Now(NamedTuple):
    """Where a name stands: its agent, its newest event, and the record where there is one."""

    agent: str
    seq: int
    event: str
    record: JsonObject | None


class Whom(NamedTuple):
    """Which registry is asked, whom its answers are believed from, and what is remembered of it."""

    url: str | None = None
    registry: str | None = None
    trust: Path | None = None
    memory: Path | None = None

    def client(self, edge: Edge) -> Client:
        """A client that remembers: in the home, or the file named; else as long as it lives."""
        if self.trust is not None:
            return _client(self.trust, self.registry, self.url, self.memory)
        home = edge.home()
        whose, memory = self.kept(home)
        own = home.settings.url if whose == home.settings.registry else None
        return _client(home.path / "trust", whose, self.url or own, memory)

    def kept(self, home: Home) -> tuple[str, Path]:
        """The registry's DID, and the file of the home in which it is remembered."""
        whose = self.registry or home.settings.registry
        own = whose == home.settings.registry
        name = MEMORY if own else f"ans-memory-{sha256(whose.encode()).hexdigest()[:16]}.json"
        return whose, self.memory or home.path / name


def registry_client(edge: Edge, url: str | None, registry: str | None = None) -> Client:
    """A client of a registry that the home's trust folder names; by default of the home's own."""
    home = edge.home()
    whose = registry or home.settings.registry
    own = home.settings.url if whose == home.settings.registry else None
    return _client(home.path / "trust", whose, url or own, None)


def _client(folder: Path, registry: str | None, url: str | None, memory: Path | None) -> Client:
    from delegant.ans import Client, RegistryTrust  # noqa: PLC0415 - httpx

    trust = RegistryTrust.from_trust(load_trust(folder), registry)
    where = url or trust.url
    if where is None:
        raise error("not-found", f"the trust folder does not say where {trust.id} is: give --url")
    return Client(where, trust, memory=memory)


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
