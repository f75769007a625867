"""An agent's calls over HTTP: signed for exactly what they are, by ``httpx``'s own means.

    auth = AgentAuth(links, key, evidence, audience="did:web:db.acme.example")
    httpx.get(url, auth=auth.act("db.read", "urn:acme:papers:17", rows=5))

Works in a `httpx.Client` and in an `AsyncClient` alike. A resource that does not know the chain
yet is shown it once, and asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from delegant.credentials import Evidence, Link, PrivateKey, Request, canonical, invoke
from delegant.credentials.codec import digest
from delegant.governance.receipt import HEADER
from delegant.governance.task import Task
from delegant.wallet import Home, find_chain, gather

__all__ = ["AgentAuth"]


class AgentAuth:
    """Signs the calls of one agent under one chain.

    Args:
        links: the chain, root first. key: of its last subject, or what has it while it may sign.
        evidence: what the resource needs to judge it, or what gathers that.
        audience: the resource's DID.
        task: ``{id, initiation}`` of each request.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        links: Sequence[Link],
        key: PrivateKey | Callable[[], PrivateKey],
        evidence: Evidence | Callable[[], Evidence],
        *,
        audience: str,
        task: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.links = tuple(links)
        self.audience = audience
        self._key = key if callable(key) else lambda: key
        self._task = task
        self._evidence = evidence if callable(evidence) else lambda: evidence
        self._clock = clock

    @classmethod
    def of(cls, task: Task, *, audience: str, clock: Callable[[], float] = time.time) -> AgentAuth:
        """Signs the calls of a task, while it is open."""
        return cls(
            task.links, lambda: task.key, task.evidence, audience=audience, task=task.task,
            clock=clock,
        )  # fmt: skip

    @classmethod
    def from_home(
        cls, home: Home, agent: str, *, audience: str, action: str, resource: str
    ) -> AgentAuth:
        """With the wallet, the newest live grant for this, and the evidence that lie in a home.

        Args:
            agent: its handle. audience: the resource's DID.

        Raises:
            NotFound: ``not-found``. Rejected: ``no-grant``, ``wallet-auth``.
        """
        subject = home.subject(agent)
        links = find_chain(home, subject.did, Request(action, resource), int(time.time()))
        key = home.open_wallet("agent", subject.handle).key()
        path = [links[0].issuer, *(link.subject for link in links)]
        return cls(links, key, lambda: gather(home, path), audience=audience)

    def act(self, action: str, resource: str, *, bound: bool = True, **facts: Any) -> httpx.Auth:
        """What signs one call, as ``auth=``.

        Args:
            action, resource: what the call does, as the resource will see it.
            bound: to the call's method, address and body.
            facts: further ones of the request, as ``rows=5``.
        """
        if self._task is not None:
            facts = {"task": self._task, **facts}
        return _Signing(self, action, resource, facts, bound)

    def headers(self, request: Request) -> dict[str, str]:
        """The headers that carry one invocation."""
        last = self.links[-1]
        token = invoke(
            self._key(), holder=last.subject, audience=self.audience, chain=last.digest,
            request=request, at=int(self._clock()),
        )  # fmt: skip
        out = {"Agent-Invocation": token, "Agent-Chain": last.digest}
        if request.task is not None:
            out["Agent-Task"] = f"{request.task['initiation']} {quote(request.task['id'])}"
        return out

    def shown(self) -> bytes:
        """The body that shows the chain."""
        links = [link.secured.raw for link in self.links]
        return canonical({"links": links, "evidence": self._evidence().json})


class _Signing(httpx.Auth):
    requires_request_body = True

    def __init__(
        self, agent: AgentAuth, action: str, resource: str, facts: dict[str, Any], bound: bool
    ) -> None:
        self._agent = agent
        self._asked = action, resource, facts
        self._bound = bound
        self.receipt: str | None = None
        """The resource's receipt, once it has answered."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield self._signed(request)
        if response.status_code == 428:
            where = f"/.well-known/agent-chains/{self._agent.links[-1].digest}"
            put = httpx.Request("PUT", request.url.join(where), content=self._agent.shown())
            if (yield put).status_code == 204:
                response = yield self._signed(request)
        self.receipt = response.headers.get(HEADER)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        """The call, with an invocation of its own: none is used twice."""
        action, resource, facts = self._asked
        more = dict(facts)
        if self._bound:
            more |= {"method": request.method, "uri": str(request.url)}
            if request.content:
                more["body_digest"] = digest(request.content)
        request.headers.update(self._agent.headers(Request(action, resource, **more)))
        return request
