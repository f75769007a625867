"""What an agent sends to a registry: a signed event, and an invocation of its chain for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from delegant.credentials import (
    AgentIdentity,
    Evidence,
    Link,
    PrivateKey,
    Request,
    digest,
    invoke,
    shape,
)
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error

from .documents import digest_of, members, sign
from .name import AnsName

__all__ = [
    "ancestry",
    "evidence_request",
    "lifecycle",
    "new_record",
    "request_of",
    "sponsorship_of",
    "submission",
]

RECORD_SECONDS: Final = 30 * 86_400
DEFAULT_TTL: Final = 3600
MAX_ANCESTRY: Final = 16


def new_record(
    key: PrivateKey,
    agent: str,
    name: str,
    endpoints: Mapping[str, str],
    evidence: Evidence,
    *,
    at: int,
    seconds: int = RECORD_SECONDS,
    ttl: int = DEFAULT_TTL,
    capabilities: Sequence[str] = (),
) -> JsonObject:
    """A signed record. Its sponsorship is read from the agent's own identity in the evidence.

    Raises:
        Rejected: ``orphan-agent`` when the evidence has no identity of the agent.
    """
    path = ancestry(evidence, agent)
    if not path:
        raise error("orphan-agent", f"no identity credential of {agent} at hand")
    until = min(at + seconds, *(identity.valid_until for identity in path))
    record = members(
        version=1,
        name=str(AnsName.parse(name)),
        agent=agent,
        endpoints=dict(endpoints),
        capabilities=list(capabilities) or None,
        ttl=ttl,
        created=shape.format_time(at),
        expires=shape.format_time(until),
        sponsorship=sponsorship_of(path),
    )
    return sign(record, key, agent, at)


def ancestry(evidence: Evidence, agent: str) -> list[AgentIdentity]:
    """The agent's identity, then those of the agents that made it, up to one by a human."""
    path: list[AgentIdentity] = []
    one = agent
    while found := evidence.identities(one):
        path.append(found[0])
        if found[0].issuer == found[0].sponsor or len(path) > MAX_ANCESTRY:
            break
        one = found[0].issuer
    return path


def sponsorship_of(path: Sequence[AgentIdentity]) -> JsonObject:
    """What a record says of who answers for the agent: digests, not the credentials."""
    return {
        "sponsor": {"id": path[0].sponsor, "organization": path[0].organization},
        "identities": [{"id": one.id, "digestMultibase": one.digest} for one in path],
    }


def lifecycle(
    key: PrivateKey,
    agent: str,
    registry: str,
    name: str,
    kind: str,
    *,
    at: int,
    record: JsonObject | None = None,
    receipt: JsonObject | None = None,
    reason: str | None = None,
) -> JsonObject:
    """A signed event; ``receipt`` is that of the event before it."""
    event = members(
        version=1,
        registry=registry,
        name=str(AnsName.parse(name)),
        type=kind,
        seq=0 if receipt is None else receipt["seq"] + 1,
        previous=None if receipt is None else receipt["event"],
        record=record,
        reason=reason,
        agent=agent,
        at=shape.format_time(at),
    )
    return sign(event, key, agent, at)


def request_of(event: JsonObject, registry: str) -> Request:
    """The request an event is an invocation of; agent and registry both build it so."""
    return Request(
        f"ans.{event['type']}",
        registry,
        arguments={"name": event["name"], "event": digest_of(event)},
    )


def submission(
    key: PrivateKey,
    links: Sequence[Link],
    evidence: Evidence,
    event: JsonObject,
    registry: str,
    *,
    at: int,
) -> tuple[bytes, str]:
    """The body and the ``Agent-Invocation`` header of a registration or event."""
    body = {
        "event": event,
        "links": [link.secured.raw for link in links],
        "evidence": evidence.json,
    }
    token = invoke(
        key,
        holder=links[-1].subject,
        audience=registry,
        chain=links[-1].digest,
        request=request_of(event, registry),
        at=at,
    )
    return canonical(body), token


def evidence_request(key: PrivateKey, caller: str, about: str, registry: str, *, at: int) -> str:
    """The ``Agent-Invocation`` header that fetches the evidence about a DID.

    No chain stands behind it: ``chain`` is the digest of ``{"did": about}``.
    """
    return invoke(
        key,
        holder=caller,
        audience=registry,
        chain=digest(canonical({"did": about})),
        request=Request("evidence.read", about),
        at=at,
    )
