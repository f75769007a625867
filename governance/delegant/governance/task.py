"""A task: one grant, the agent it is for, and what it may still do while it is open."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from delegant.credentials import (
    AgentIdentity,
    Evidence,
    Link,
    Presentation,
    PrivateKey,
    Request,
    present,
    shape,
)
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.wallet import Wallet, create_ephemeral, delegate

from .broker import Broker

__all__ = ["Task", "constraints_of", "grants_of", "seconds_of"]

PASS: str = "MCPToolAccessPass"  # noqa: S105 - a type of credential


class Task:
    """One agent under one grant; leaving its ``with`` closes it. Also a sub-agent under a task.

    Attributes:
        links: the chain, root first; the last is this grant.
        agent: the DID of whoever acts.
    """

    def __init__(
        self,
        broker: Broker,
        wallet: Wallet,
        links: Sequence[Link],
        *,
        audience: str | None = None,
        identities: Sequence[AgentIdentity] = (),
        ephemeral: bool = False,
    ) -> None:
        self.links = tuple(links)
        self.agent = wallet.did
        self._broker = broker
        self._wallet = wallet
        self._audience = audience
        self._identities = tuple(identities)
        self._ephemeral = ephemeral
        self._below: list[Task] = []
        self._open = True
        self._lock = threading.Lock()

    # --- what it is -----------------------------------------------------------------------------

    @property
    def grant(self) -> Link:
        """The link that was made for it."""
        return self.links[-1]

    @property
    def task(self) -> dict[str, str]:
        """``{id, initiation}``, as each request under it says."""
        name, initiation = self.grant.authority.constraints["task"]
        return {"id": name, "initiation": initiation}

    @property
    def id(self) -> str:
        """The task's id."""
        return self.task["id"]

    @property
    def open(self) -> bool:
        """Whether it was not closed; it may have expired."""
        return self._open

    @property
    def key(self) -> PrivateKey:
        """What signs for it, while it is open.

        Raises:
            Rejected: ``revoked``, ``expired``.
        """
        if not self._open:
            raise error("revoked", f"the task {self.id} is closed")
        if self._broker.now >= self.grant.valid_until:
            raise error("expired", f"the grant for the task {self.id} is over")
        return self._wallet.key()

    def evidence(self) -> Evidence:
        """What a resource needs to judge the chain, as of now."""
        people = [self.links[0].issuer, *(link.subject for link in self.links)]
        own = Evidence(identities=[one.secured.raw for one in self._identities])
        return self._broker.evidence(people).merged(own)

    # --- using it -------------------------------------------------------------------------------

    def present(
        self, request: Request, *, audience: str | None = None, nonce: str | None = None
    ) -> tuple[Presentation, Evidence]:
        """A presentation of exactly this request, and the evidence for it.

        Args:
            request: says its task, as `Request.task`; another's is ``task-mismatch``.
            audience: the resource's DID; by default what the task was opened for.

        Raises:
            Rejected: ``revoked``, ``expired``, ``task-mismatch``, ``no-grant``.
        """
        key = self.key
        if request.task is None or dict(request.task) != self.task:
            raise error("task-mismatch", f"the request is not of the task {self.id}")
        if not self.grant.authority.covers(request.action, request.resource):
            raise error("no-grant", f"{self.id} grants no {request.action} on {request.resource}")
        whom = audience or self._audience or self._addressed()
        shown = present(
            self.links, key, audience=whom, request=request, at=self._broker.now, nonce=nonce
        )
        return shown, self.evidence()

    def request(self, action: str, resource: str, **facts: Any) -> Request:
        """A request of this task."""
        return Request(action, resource, task=self.task, **facts)

    def spawn(
        self,
        name: str,
        *,
        allow: Sequence[str] = (),
        narrow: Mapping[str, Any] | None = None,
        ttl: str | int | None = None,
        tools: Sequence[str] = (),
    ) -> Task:
        """Make a sub-agent, known to this process alone, and hand it less than this task has.

        Args:
            name: for people.
            allow: ``ACTION:RESOURCE``; by default all that this task may.
            narrow: constraints, wire form or as `constraints_of`.
            ttl: as ``"30s"``; by default until this task ends, and never longer.
            tools: actions it has tools for; by default those it is granted.

        Raises:
            Rejected: ``spawn-forbidden``, ``scope-widened``, ``revoked``, ``expired``,
            ``status-range``.
        """
        _ = self.key  # so it is open, and in time
        grant, now = self.grant, self._broker.now
        if not grant.spawn or not grant.remaining:
            raise error("spawn-forbidden", f"the task {self.id} was not opened to spawn")
        left = grant.valid_until - now
        seconds = left if ttl is None else seconds_of(ttl)
        if seconds > left:
            raise error("scope-widened", "a sub-agent does not outlive its task", dimension="time")
        grants = grants_of(allow) if allow else list(grant.authority.json["grants"])
        actions = sorted({action for one in grants for action in one["actions"]})
        home = self._broker.home
        wallet, identity = create_ephemeral(
            home, self._wallet, name, now=now, seconds=seconds, tools=tools or actions
        )
        made = delegate(
            home, self._wallet, wallet.did, grants, now=now, constraints=constraints_of(narrow),
            seconds=seconds, above=grant,
        )  # fmt: skip
        below = Task(
            self._broker, wallet, (*self.links, made.link), audience=self._audience,
            identities=(*self._identities, identity), ephemeral=True,
        )  # fmt: skip
        with self._lock:
            if self._open:
                self._below.append(below)
                return below
        below._drop()
        raise error("revoked", f"the task {self.id} was closed meanwhile")

    def pass_(
        self,
        *,
        tool: str | None = None,
        input: str | None = None,  # noqa: A002 - the paper's own word
        output: str | None = None,
    ) -> JsonObject:
        """This grant in the terms of the CSA paper's ``MCPToolAccessPass``; nobody signs it.

        Args:
            tool: the tool's DID; by default the one audience that the grant names.
            input, output: handles of the data; by default the resource, where there is one.

        Returns:
            The fields, with ``link``: the id and the digest of what is signed and counts.
        """
        grant = self.grant
        resources = sorted({r for one in grant.authority.grants for r in one.resources})
        actions = sorted({a for one in grant.authority.grants for a in one.actions})
        only = resources[0] if len(resources) == 1 else None
        return {
            "id": f"{grant.id}#pass",
            "type": ["VerifiableCredential", PASS],
            "issuer": grant.issuer,
            "validFrom": shape.format_time(grant.valid_from),
            "validUntil": shape.format_time(grant.valid_until),
            "credentialSubject": {
                "id": self.agent,
                "authorizedToolDID": tool or _only(grant) or self._audience,
                "allowedActions": actions,
                "inputDataHandle": input or only,
                "outputDataHandle": output,
                "jobId": self.id,
            },
            "link": {"id": grant.id, "digestMultibase": grant.digest},
        }

    # --- ending it ------------------------------------------------------------------------------

    def close(self) -> None:
        """End it, with every sub-agent: their keys are gone, and nothing below acts any more.

        Raises:
            Error: where it could not be told to others; here it is closed all the same.
        """
        if self._drop():
            self._broker.close(self.grant, f"the task {self.id[:200]} is complete")

    def _drop(self) -> bool:
        with self._lock:
            was, self._open = self._open, False
            below, self._below = self._below, []
        for one in below:
            one._drop()
        if self._ephemeral:
            self._wallet.forget()
        return was

    def _addressed(self) -> str:
        return _only(self.grant) or self._broker.home.settings.registry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


def constraints_of(given: Mapping[str, Any] | None) -> JsonObject:
    """Constraints in wire form; ``rows`` and ``bytes`` may be plain numbers."""
    return {
        name: {"max": value} if name in ("rows", "bytes") and type(value) is int else value
        for name, value in (given or {}).items()
    }


def grants_of(allow: Sequence[str]) -> list[JsonObject]:
    """Grants from ``ACTION:RESOURCE``, one a resource.

    Raises:
        Malformed: ``shape``.
    """
    found: dict[str, list[str]] = {}
    for text in allow:
        action, colon, resource = text.partition(":")
        if not colon or not resource:
            raise error("shape", f"{text[:80]!r} is not ACTION:RESOURCE")
        found.setdefault(resource, []).append(action)
    return [{"actions": actions, "resources": [name]} for name, actions in found.items()]


def seconds_of(ttl: str | int) -> int:
    """``"2m"`` or 120, in seconds; or ``shape``."""
    return shape.seconds(ttl) if isinstance(ttl, str) else shape.integer(ttl, "ttl", 1)


def _only(link: Link) -> str | None:
    named = link.authority.constraints.get("audience", frozenset())
    return next(iter(named)) if len(named) == 1 else None
