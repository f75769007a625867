"""An agent in its own process: a key, an identity, and no privilege until it has a task.

bot = Agent.load("bot", home=home, broker=broker)
with bot.task("T-17", allow=["db.read:urn:acme:papers:**"], ttl="2m") as task:
with calling(point, task):
read_paper("17")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from delegant.credentials import AgentIdentity, Link, PrivateKey, Request
from delegant.credentials.errors import error
from delegant.wallet import Home, Wallet

from .broker import Ask, Broker
from .task import Task, constraints_of, grants_of, seconds_of

__all__ = ["Agent", "standing"]


class Agent:
    """Whoever asks for tasks.

    Args:
        key: of the DID. did: the agent's.
        identity: its identity credential, where the broker's home does not have it.
        broker: whom it asks.
        name: for people.
    """

    def __init__(
        self,
        key: PrivateKey,
        did: str,
        identity: AgentIdentity | None = None,
        *,
        broker: Broker | None = None,
        name: str = "agent",
    ) -> None:
        self.did = did
        self.identity = identity
        self.broker = broker
        self._wallet = Wallet("agent", name, {"main": key}, did)

    @classmethod
    def load(cls, name: str, *, home: Home, broker: Broker | None = None) -> Agent:
        """An agent of a home, its wallet opened.

        Raises:
            NotFound: ``not-found``. Rejected: ``wallet-auth``, ``did-key-mismatch``.
        """
        subject = home.subject(name)
        wallet = home.open_wallet("agent", subject.handle)
        if wallet.did != subject.did or wallet.key().public != subject.key:
            raise error("did-key-mismatch", f"this wallet is not the newest of {subject.handle}")
        return cls(wallet.key(), wallet.did, broker=broker, name=subject.handle)

    def task(
        self,
        task: str,
        *,
        allow: Sequence[str],
        ttl: str | int | None = None,
        constraints: Mapping[str, Any] | None = None,
        initiation: str = "human_request",
        justification: str = "",
        audience: str | None = None,
        spawn: bool = False,
    ) -> Task:
        """Ask the broker for a grant for one task; use it in a ``with``.

        Args:
            task: its id.
            allow: ``ACTION:RESOURCE``, as ``db.read:urn:acme:papers:**``.
            ttl: as ``"2m"``, or seconds; by default what the broker grants at most.
            constraints: as `constraints_of`.
            initiation: human_request, schedule or agent_decision.
            audience: the resource's DID; by default the one the grant names, else the registry.
            spawn: whether sub-agents may be made for it.

        Raises:
            Rejected: ``no-grant`` without a broker; and what `Broker.grant` raises.
        """
        if self.broker is None:
            raise error("no-grant", "this agent has nobody to ask for a task")
        seconds = None if ttl is None else seconds_of(ttl)
        rules = constraints_of(constraints)
        grants = tuple(grants_of(allow))
        links = self.broker.grant(
            Ask(self.did, task, grants, rules, seconds, initiation, justification, spawn)
        )
        known = () if self.identity is None else (self.identity,)
        return Task(self.broker, self._wallet, links, audience=audience, identities=known)

    def present(self, request: Request) -> NoReturn:
        """Outside a task an agent may do nothing.

        Raises:
            Rejected: ``no-grant``, always.
        """
        raise error("no-grant", f"no task is open: nothing may {request.action}")


def standing(home: Home, did: str, now: int) -> list[Link]:
    """What an agent of a home may do now without any task: live grants that name none."""
    return [
        link
        for link in home.links()
        if link.subject == did
        and link.use == "grant"
        and link.valid_from <= now < link.valid_until
        and "task" not in link.authority.constraints
    ]
