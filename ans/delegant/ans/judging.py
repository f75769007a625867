"""Who answers for an agent, and who may speak for a name without being its agent.

A sponsorship is judged as the verifier judges a path, with no chain: identities leading to a
human, that human's live sponsor credential, nothing revoked, by fresh lists (phases 7 to 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import (
    AgentIdentity,
    Evidence,
    PublicKey,
    RevocationFeed,
    Seen,
    Trust,
    did,
    retired,
    standing,
)
from delegant.credentials.budget import Budget
from delegant.credentials.chain import pinned
from delegant.credentials.errors import Error, error
from delegant.credentials.path import Human, People

from .holder import ancestry

__all__ = [
    "Sponsorship",
    "gone",
    "human",
    "living",
    "organization_keys",
    "sponsorship",
]

_GONE: Final = {
    "sponsor-gone": "sponsor-gone",
    "revoked": "identity-revoked",
    "suspended": "identity-suspended",
    "key-retired": "key-retired",
}
"""What proves that nobody answers for an agent any more, and the reason that is told."""


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """A live sponsorship.

    Attributes:
        identity: the agent's own; ``path`` begins with it and ends with one by a human.
        key: the agent's key, where its DID is not its key.
        vouched: how long the human's sponsor credential is valid, seconds since 1970.
        seen: what was relied on, against rollback.
    """

    sponsor: str
    organization: str
    identity: AgentIdentity
    path: tuple[AgentIdentity, ...]
    key: PublicKey | None
    vouched: int
    seen: Seen


def sponsorship(agent: str, evidence: Evidence, trust: Trust, at: int) -> Sponsorship:
    """Who answers for an agent now.

    Raises:
        Conflict: ``id-shared`` for a human's DID.
        Rejected: ``orphan-agent``, with the reason.
    """
    if evidence.sponsors(did.check(agent)):
        raise error("id-shared", f"{agent} is a human's")
    try:
        return living(agent, evidence, trust, at)
    except Error as exc:
        raise error("orphan-agent", f"no live human answers for {agent}: {exc}") from None


def living(agent: str, evidence: Evidence, trust: Trust, at: int) -> Sponsorship:
    """`sponsorship`, raising what phases 7 to 9 raise."""
    budget = Budget(trust.limits)
    people = People(evidence, trust, budget)
    name = did.check(agent)
    identity = people.agent(name)
    root = people.human(identity.sponsor)
    seen = _standing(root, [identity], people, evidence, trust, budget, at)
    vouched = identity.valid_until if root.credential is None else root.credential.valid_until
    return Sponsorship(
        root.id,
        root.organization,
        identity,
        tuple(ancestry(evidence, name)),
        None if did.embeds_key(name) else pinned(name, identity.key),
        vouched,
        seen,
    )


def human(name: str, evidence: Evidence, trust: Trust, at: int) -> Human:
    """A live human that one of our anchors answers for.

    Raises:
        Rejected, Undecided: the codes of phases 7 to 9.
    """
    budget = Budget(trust.limits)
    people = People(evidence, trust, budget)
    root = people.human(did.check(name))
    _standing(root, [], people, evidence, trust, budget, at)
    return root


def _standing(
    root: Human,
    identities: list[AgentIdentity],
    people: People,
    evidence: Evidence,
    trust: Trust,
    budget: Budget,
    at: int,
) -> Seen:
    spend = budget.evidence_signatures
    retired.keys(root, (), identities, people, evidence, trust, spend, at, None)
    standing.times((), identities, people, at, None)
    lists, feeds = standing.status(root, (), identities, people, trust, at, "high", None)
    return Seen(
        {
            one.id: one.credential.revision
            for one in people.humans.values()
            if one.credential is not None
        },
        lists,
        _sequence(feeds),
    )


def _sequence(feeds: dict[str, RevocationFeed]) -> dict[str, int]:
    return {name: feed.seq for name, feed in feeds.items()}


def gone(agent: str, evidence: Evidence, exc: Error, at: int) -> str | None:
    """The reason, where a refusal of `living` proves that nobody answers for the agent any more.

    None where it only leaves that unknown: evidence that is absent, stale or not believed.
    """
    if exc.code == "expired" and any(at >= one.valid_until for one in ancestry(evidence, agent)):
        return "identity-expired"
    return _GONE.get(exc.code)


def organization_keys(organization: str, trust: Trust) -> tuple[PublicKey, ...]:
    """The keys an organisation signs with: its own, else those of the anchor.

    Raises:
        Undecided: ``key-unresolved``.
    """
    own = did.key_of(did.check(organization))
    if own is not None:
        return (own,)
    anchor = trust.anchors.get(organization)
    if anchor is None:
        raise error("key-unresolved", f"{organization} is no anchor here, and not its own key")
    return anchor.keys
