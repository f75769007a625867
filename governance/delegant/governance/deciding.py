"""What decides beside the chain: a policy of the resource's own, and what the human may do now.

A policy sees facts that were verified, and nothing that was merely presented. It can only take
away: whatever it answers, the chain, the sponsor's entitlements and the ceiling have allowed the
act before it is asked.

    allow     go on
    modify    go on, with less: narrower limits on the result
    deny      ``policy``
    defer     ``policy-deferred``: not now
    step_up   a human must approve this very request first: ``approval-missing``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from delegant.credentials import Authority, Authorization, Request, constraint, shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.verdict import Limit

from . import acts

__all__ = [
    "ALLOW",
    "Decision",
    "Effect",
    "Entitlements",
    "Policy",
    "answering",
    "facts_of",
    "held_to_entitlements",
]

Effect = Literal["allow", "modify", "deny", "defer", "step_up"]
Entitlements = Callable[[str, Request], Authority | None]
"""The sponsor's DID and the request, to what that human may do now; None: nothing at all."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy answered.

    Attributes:
        policy: its id and version.
        reason: for people.
        limits: of a ``modify``; of a ``step_up``, what holds once it is approved.
        approvers: of a ``step_up``: whose approval is wanted; the sponsor's, where none are named.
    """

    effect: Effect
    policy: tuple[str, str]
    reason: str = ""
    limits: Limit | None = None
    approvers: tuple[str, ...] = ()

    def refusal(self) -> Error | None:
        """The refusal that it is; None where the act may go on, or may once it is approved."""
        told = f"{self.policy[0]} {self.policy[1]}: {self.reason or self.effect}"
        if self.effect == "deny":
            return error("policy", told)
        if self.effect == "defer":
            return error("policy-deferred", told)
        return None


ALLOW: Final = Decision("allow", acts.CHAIN_ALONE)


class Policy(Protocol):
    """What a resource asks before each act."""

    def decide(self, facts: JsonObject) -> Decision:
        """Decide over verified facts (`facts_of`).

        Raises:
            Unavailable: when it cannot be asked: then nothing is done.
        """
        ...


def facts_of(auth: Authorization, request: Request, at: int, **more: Any) -> JsonObject:
    """What a policy may know: all of it verified.

    Args:
        more: context that the resource itself vouches for, as a trust score.

    Returns:
        ``{agent, sponsor, organization, path, depth, grant, action, resource, request, time,
        identity, context}``.
    """
    identity = auth.identities[-1] if auth.identities else None
    return {
        "agent": auth.actor,
        "sponsor": auth.sponsor,
        "organization": auth.organization,
        "path": list(auth.path),
        "depth": len(auth.links),
        "grant": auth.links[-1].id,
        "action": request.action,
        "resource": request.resource,
        "request": request.json,
        "time": shape.format_time(at),
        "identity": {} if identity is None else identity.secured.document["credentialSubject"],
        "context": dict(more),
    }


def held_to_entitlements(
    authority: Authority | None, sponsor: str, request: Request, at: int
) -> Limit | None:
    """That the human may do this now; the limits that this puts on the result.

    Raises:
        Rejected: ``exceeds-sponsor``, with the dimension, what was asked and what the human has.
    """
    if authority is None:
        raise error("exceeds-sponsor", f"{sponsor} may do nothing here now", dimension="grants")
    if not authority.reaches(request.actions, request.resources):
        has = "; ".join(
            f"{', '.join(sorted(one.actions))} on {', '.join(sorted(one.resources))}"
            for one in authority.grants
        )
        raise error(
            "exceeds-sponsor",
            f"asked: {request.action} on {request.resource}; the sponsor has: {has or 'nothing'}",
            dimension="grants",
        )
    broken = constraint.violation(authority.constraints, request, at)
    if broken is not None:
        name = broken.partition(".")[0]
        asked = request.json.get(name)
        has = authority.json.get("constraints", {}).get(name)
        raise error(
            "exceeds-sponsor", f"{broken}: asked: {asked}; the sponsor has: {has}",
            dimension=broken,
        )  # fmt: skip
    rules = authority.constraints
    if not {"rows", "bytes", "columns"} & rules.keys():
        return None
    return Limit(rules.get("rows"), rules.get("bytes"), rules.get("columns"))


@contextmanager
def answering(what: str) -> Iterator[None]:
    """What is asked on the way to a permit or a grant answers, or there is none."""
    try:
        yield
    except Error:
        raise
    except Exception as exc:
        raise error("unavailable", f"{what} does not answer: {type(exc).__name__}") from exc
