"""The records of an act, from what was verified; or from what was claimed, where nothing was."""

from __future__ import annotations

from typing import Any, Final

from delegant.credentials import Authorization, Presentation, Request, VerifiedChain
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.credential import parse_link
from delegant.credentials.errors import Error
from delegant.credentials.shape import format_time
from delegant.credentials.verdict import Debit, Rate

from .record import input_hash

__all__ = ["CHAIN_ALONE", "claimed", "intent", "outcome", "refusal", "verified"]

CHAIN_ALONE: Final = ("chain", "1")
"""Id and version of the policy that allows whatever the chain does."""


def verified(chain: VerifiedChain) -> JsonObject:
    """The members of a record that say who acts, for whom, and by what."""
    links = chain.links
    return {
        "sponsorDid": chain.sponsor,
        "organizationDid": chain.organization,
        "agentDid": chain.actor,
        "chain": [{"id": link.id, "digestMultibase": link.digest} for link in links],
        "grantId": links[-1].id,
        "triggering": links[-1].issuer if len(links) > 1 else None,
    }


def claimed(presentation: Presentation | None) -> JsonObject:
    """The same, as whoever presented it claims; nothing of it is believed."""
    try:
        links = [parse_link(one) for one in presentation.links] if presentation else []
    except Error:
        links = []
    if not links:
        nothing: JsonObject = dict.fromkeys(
            ("sponsorDid", "organizationDid", "agentDid", "grantId", "triggering")
        )
        return nothing | {"chain": []}
    return {
        "sponsorDid": links[0].sponsor,
        "organizationDid": links[0].organization,
        "agentDid": links[-1].subject,
        "chain": [{"id": link.id, "digestMultibase": link.digest} for link in links],
        "grantId": links[-1].id,
        "triggering": None,
    }


def intent(
    log: str,
    event: str,
    auth: Authorization,
    request: Request,
    presentation: Presentation,
    opening: JsonObject,
    evidence: str,
    *,
    name: str | None,
    policy: tuple[str, str],
    decision: str,
    at: int,
) -> JsonObject:
    """What is about to be done."""
    said = verified(auth)
    return _act(
        log, "intent", event, said, request, presentation.invocation, opening, name, policy, at
    ) | {"decision": decision, "evidence": evidence, "spent": spent(auth)}


def refusal(
    log: str,
    event: str,
    refused: Error,
    said: JsonObject,
    request: Request | None,
    invocation: str | None,
    opening: JsonObject | None,
    evidence: str | None,
    *,
    known: bool,
    name: str | None,
    policy: tuple[str, str],
    decision: str,
    at: int,
) -> JsonObject:
    """What was not done, and why.

    Args:
        said: `verified` or `claimed`.
        known: whether chain and invocation were verified.
    """
    return _act(
        log, "refusal", event, said, request, invocation, opening, name, policy, at
    ) | {
        "decision": decision, "evidence": evidence, "code": refused.code, "phase": refused.phase,
        "link": refused.link, "dimension": refused.dimension, "verified": known,
    }  # fmt: skip


def outcome(
    log: str,
    event: str,
    sponsor: str,
    agent: str,
    what: JsonObject,
    settled: list[JsonObject],
    at: int,
) -> JsonObject:
    """What came of it."""
    return {
        "version": 1, "log": log, "type": "outcome", "event": event, "time": format_time(at),
        "previous": None, "sponsorDid": sponsor, "agentDid": agent, "outcome": what,
        "settled": settled,
    }  # fmt: skip


def spent(auth: Authorization) -> list[JsonObject]:
    """What an intent reserves of budgets and rates."""
    out: list[JsonObject] = []
    for duty in auth.obligations:
        if isinstance(duty, Debit):
            out.append(debited(duty.key, duty.unit, duty.amount))
        elif isinstance(duty, Rate):
            out.append({"type": "rate", "key": duty.key})
    return out


def debited(key: str, unit: str, amount: int) -> JsonObject:
    """An amount of a budget."""
    return {"type": "debit", "key": key, "unit": unit, "amount": str(amount)}


def _act(
    log: str,
    kind: str,
    event: str,
    said: JsonObject,
    request: Request | None,
    invocation: str | None,
    opening: JsonObject | None,
    name: str | None,
    policy: tuple[str, str],
    at: int,
) -> JsonObject:
    own = dict(said)
    triggering = own.pop("triggering")
    task: Any = None if request is None else request.task
    context: JsonObject | None = None
    if task is not None or triggering is not None:
        context = {
            "triggeringAgentDid": triggering,
            "triggeringAgentAnsName": None,
            "taskId": task["id"] if task else None,
        }
    return own | {
        "version": 1,
        "log": log,
        "type": kind,
        "event": event,
        "time": format_time(at),
        "previous": None,
        "agentAnsName": name,
        "action": request and request.action,
        "target": request and request.resource,
        "inputHash": None if opening is None else input_hash(opening),
        "invocation": None if invocation is None else digest(invocation.encode()),
        "policyId": policy[0],
        "policyVersion": policy[1],
        "initiation": task["initiation"] if task else None,
        "collaborationContext": context,
    }
