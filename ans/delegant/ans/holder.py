"""What is sent to a registry: a signed event, and an agent's invocation of its chain for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from delegant.credentials import (
    AgentIdentity,
    Evidence,
    Link,
    PrivateKey,
    Request,
    did,
    digest,
    invoke,
    shape,
)
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error

from .name import AnsName
from .signing import cosign, digest_of, members, sign

__all__ = [
    "ancestry",
    "consent",
    "evidence_request",
    "new_event",
    "new_record",
    "provider_claim",
    "request_of",
    "sponsorship_of",
    "statement",
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
    aliases: Sequence[str] = (),
    extensions: Mapping[str, JsonObject] | None = None,
    successor: str | None = None,
) -> JsonObject:
    """A signed record. Its sponsorship is read from the agent's own identity in the evidence.

    Args:
        seconds: how long it lasts, at most as long as the agent's identity.
        extensions: ``protocolExtensions``, small objects by protocol.
        successor: the name that replaces this one.

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
        key=None if did.embeds_key(did.check(agent)) else key.public.multikey,
        endpoints=dict(endpoints),
        capabilities=list(capabilities) or None,
        aliases=list(aliases) or None,
        protocolExtensions=dict(extensions) if extensions else None,
        successor=None if successor is None else str(AnsName.parse(successor)),
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


def new_event(
    key: PrivateKey,
    signer: str,
    registry: str,
    name: str,
    kind: str,
    *,
    at: int,
    agent: str | None = None,
    record: JsonObject | None = None,
    receipt: JsonObject | None = None,
    before: tuple[int, str] | None = None,
    reason: str | None = None,
) -> JsonObject:
    """A signed event.

    Args:
        key, signer: of whoever takes the step: for register, renew and update the agent.
        agent: whose the name is then; by default the signer. To transfer, the new agent, with
            ``record`` its own: the old agent signs first, then the new one and the provider's
            organisation add their `consent`, in this order.
        receipt, before: of the event before it: its receipt, or its number and digest; neither
            for a registration.
    """
    if receipt is not None:
        before = receipt["leaf"]["seq"], receipt["leaf"]["event"]
    moved = kind == "transfer"
    event = members(
        version=1,
        registry=registry,
        name=str(AnsName.parse(name)),
        type=kind,
        seq=0 if before is None else before[0] + 1,
        previous=None if before is None else before[1],
        record=record,
        reason=reason,
        agent=agent or signer,
        by=signer,
        at=shape.format_time(at),
    )
    if moved:
        event["from"] = signer
        return consent(event, key, signer, at=at)
    return sign(event, key, signer, at)


def consent(event: JsonObject, key: PrivateKey, signer: str, *, at: int) -> JsonObject:
    """A transfer with one more signature: the new agent's, then the provider's organisation's."""
    return cosign(event, key, signer, at)


def provider_claim(
    key: PrivateKey, organization: str, registry: str, label: str, *, at: int
) -> JsonObject:
    """A did:web organisation's signed claim of the provider label its domain gives it."""
    claim = members(
        version=1,
        registry=registry,
        label=label,
        organization=organization,
        at=shape.format_time(at),
    )
    return sign(claim, key, organization, at)


def request_of(event: JsonObject, registry: str, known: str | None = None) -> Request:
    """The request an event is an invocation of; agent and registry both build it so.

    Args:
        known: the digest of the event, where it is at hand.
    """
    return Request(
        f"ans.{event['type']}",
        registry,
        arguments={"name": event["name"], "event": known or digest_of(event)},
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


def statement(event: JsonObject, evidence: Evidence | None = None) -> bytes:
    """The body by which a sponsor, or the provider's organisation, suspends, resumes or revokes.

    Args:
        evidence: that the sponsor is a live human; an organisation needs none.
    """
    return canonical(members(event=event, evidence=None if evidence is None else evidence.json))


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
