"""Heartbeats: an agent says of its name that it is up, or down.

    {name, status: up | down}, with the header Agent-Invocation of ``ans.health``

No chain stands behind one: it grants nothing and is the agent's own word, so ``chain`` is the
digest of the body. The registry shows the newest with its age and probes nobody. Each must be
signed later than the one before, so none can be played again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import PrivateKey, PublicKey, Request, did, digest, invoke, shape
from delegant.credentials.act import holder_signed, in_time
from delegant.credentials.budget import Budget
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.errors import error
from delegant.credentials.invocation import Invocation
from delegant.credentials.policy import Trust

from .name import AnsName

__all__ = ["Heartbeat", "heartbeat"]

MAX_BODY: Final = 4096
STATUSES: Final = ("up", "down")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What an agent says of a name; `check` says whether it was the agent."""

    name: AnsName
    status: str
    json: JsonObject

    @classmethod
    def read(cls, data: bytes) -> Heartbeat:
        """Read the body.

        Raises:
            Malformed: ``shape``, ``unknown-member``, ``ans-name``, ``json`` and its like.
            LimitExceeded: ``limit-size``.
        """
        body = parse_object(data, size=MAX_BODY)
        shape.closed(body, "heartbeat", frozenset({"name", "status"}))
        status = shape.one_of(body["status"], "heartbeat.status", STATUSES)
        return cls(AnsName.parse(body["name"]), status, body)

    def check(
        self,
        invocation: str | None,
        agent: str,
        key: PublicKey | None,
        registry: str,
        trust: Trust,
        at: int,
    ) -> int:
        """The agent whose name it is has signed this heartbeat, now, for this registry.

        Args:
            agent: whose name it is.
            key: the agent's, where its DID is not its own key.

        Returns:
            When it was signed.

        Raises:
            Rejected: ``holder-missing``, ``holder-mismatch``, ``audience``,
                ``invocation-expired``, ``request-mismatch``.
        """
        if invocation is None:
            raise error("holder-missing", "the header Agent-Invocation is missing")
        found = Invocation.parse(Invocation.unpack(invocation))
        name = did.check(agent)
        own = did.key_of(name) or key
        if own is None:
            raise error("holder-mismatch", f"no key of {name} is known")
        holder_signed(found, name, own, Budget(trust.limits))
        if found.aud != registry:
            raise error("audience", f"meant for {found.aud}")
        in_time(found, at)
        if found.chain != digest(canonical(self.json)):
            raise error("holder-mismatch", "the invocation is of another heartbeat")
        if found.request != _request(self.json, registry).digest:
            raise error("request-mismatch", "the invocation is of another request")
        return found.iat


def heartbeat(
    key: PrivateKey, agent: str, name: str, status: str, registry: str, *, at: int
) -> tuple[bytes, str]:
    """The body and the ``Agent-Invocation`` header of a heartbeat.

    Args:
        status: ``up`` or ``down``.
    """
    body: JsonObject = {"name": str(AnsName.parse(name)), "status": status}
    token = invoke(
        key,
        holder=agent,
        audience=registry,
        chain=digest(canonical(body)),
        request=_request(body, registry),
        at=at,
    )
    return canonical(body), token


def _request(body: JsonObject, registry: str) -> Request:
    return Request("ans.health", registry, arguments=dict(body))
