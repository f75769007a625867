"""Which agents answer a question, in what order, and why the others do not.

Pure: the registry judges what it has listed, whoever reads its answer judges it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from .name import AnsName
from .query import Query, folded
from .versions import padded

__all__ = [
    "REASONS",
    "Attestation",
    "Attests",
    "Candidate",
    "attested",
    "by_name",
    "judge",
    "order",
]

REASONS: Final = (
    "wrong-protocol",
    "wrong-provider",
    "wrong-capability",
    "wrong-version",
    "wrong-name",
    "no-attestation",
    "attestation-issuer",
    "attestation-revoked",
    "attestation-expired",
    "attestation-stale",
    "suspended",
    "expired",
    "revoked",
    "unavailable",
    "limit",
)
"""The closed words of a trace. ``limit``: it fits, and others that fit come before it."""

_NEAREST: Final = (  # of several attestations that do not count, the one that failed last is told
    "attestation-stale",
    "attestation-expired",
    "attestation-revoked",
    "attestation-issuer",
)


class Attests(Protocol):
    """An attestation that counts, as far as matching looks at it."""

    @property
    def type(self) -> str:
        """The credential type."""
        ...

    @property
    def valid_until(self) -> int:
        """Seconds since 1970."""
        ...

    @property
    def capabilities(self) -> Collection[str] | None:
        """What it covers; None for the agent as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attestation by an accredited issuer, live and not revoked."""

    type: str
    valid_until: int
    capabilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent as the registry knows it.

    ``capabilities`` are the record's. ``attestations`` are those that count; ``discounted`` are
    the others as (type, trace reason). ``health`` is (up or down, seconds since 1970), the
    newest. ``successor`` names the version that deprecates this one.
    """

    name: AnsName
    status: str
    capabilities: Collection[str] = ()
    successor: str | None = None
    attestations: Sequence[Attests] = ()
    discounted: Sequence[tuple[str, str]] = ()
    health: tuple[str, int] | None = None


def judge(candidate: Candidate, query: Query, at: int) -> str | None:
    """Why a candidate does not answer the question; None where it does.

    The name is judged first, then what the record says, then its status, then what others say.
    ``at`` is in seconds since 1970. Unknown words never match.
    """
    name = candidate.name
    if query.name is not None and name.key != query.name:
        return "wrong-name"
    if query.pattern is not None and not query.pattern.matches(name):
        return "wrong-name"
    if query.protocol is not None and name.protocol != query.protocol:
        return "wrong-protocol"
    if query.provider is not None and name.provider_key != query.provider:
        return "wrong-provider"
    if query.capability is not None and not _can(candidate, query.capability):
        return "wrong-capability"
    if query.version is not None and not query.version.matches(name.version):
        return "wrong-version"
    if candidate.status != "active":
        known = candidate.status in {"suspended", "expired", "revoked"}
        return candidate.status if known else "unavailable"
    for kind in query.attestations:
        reason = _lacks(candidate, kind, query.capability, at)
        if reason is not None:
            return reason
    if query.available is not None and not _up(candidate.health, query.available, at):
        return "unavailable"
    return None


def order(candidates: Iterable[Candidate], query: Query) -> list[Candidate]:
    """Those of the preferred provider first, then the highest version, then not deprecated, then
    by name: one order, whatever order they come in.
    """  # noqa: D205

    def rank(one: Candidate) -> tuple[bool, tuple[int, int, int], bool, str]:
        major, minor, patch = padded(one.name.version)
        highest = (-major, -minor, -patch)
        other = query.prefer is not None and one.name.provider_key != query.prefer
        return other, highest, one.successor is not None, one.name.key

    return sorted(candidates, key=rank)


def attested(candidate: Candidate, capability: str, at: int) -> bool:
    """Whether an attestation that counts covers a capability of the candidate."""
    asked = folded(capability)
    return any(
        at < one.valid_until and _covers(candidate, one, asked) for one in candidate.attestations
    )


def by_name(name: AnsName) -> frozenset[str]:
    """The capabilities a name says by itself."""
    function, domain = name.function.lower(), name.domain.lower()
    return frozenset({f"{function}.{domain}", f"{domain}.{function}", function})


def _can(candidate: Candidate, asked: str) -> bool:
    return asked in by_name(candidate.name) or asked in map(folded, candidate.capabilities)


def _covers(candidate: Candidate, one: Attests, asked: str | None) -> bool:
    if one.capabilities is None or asked is None:
        return True
    covered = frozenset(map(folded, one.capabilities))
    own = by_name(candidate.name)
    return asked in covered or (asked in own and not own.isdisjoint(covered))


def _lacks(candidate: Candidate, kind: str, asked: str | None, at: int) -> str | None:
    """Why no attestation of a type counts for what is asked; None where one does."""
    reasons = {reason for other, reason in candidate.discounted if other == kind}
    for one in candidate.attestations:
        if one.type == kind and _covers(candidate, one, asked):
            if at < one.valid_until:
                return None
            reasons.add("attestation-expired")
    return next((reason for reason in _NEAREST if reason in reasons), "no-attestation")


def _up(health: tuple[str, int] | None, age: int, at: int) -> bool:
    return health is not None and health[0] == "up" and 0 <= at - health[1] <= age
