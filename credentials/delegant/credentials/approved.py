"""Whether the humans who must approve an act did.

A link's ``approval`` constraint, or the sponsor's own, or the resource itself (`rule`, for example
because its policy says so) demands ``threshold`` of the humans ``by``. Where none demands one,
approvals are not looked at. Where one does, every approval shown is judged and a single wrong one
refuses, whatever the others say: it was made for something else, and whoever presents it either
errs or tries.

Approvers are humans like the sponsor. Who is demanded and has signed is known from phase 7 on,
so that the phases after it ask time, status and feed of them as of everybody. Phase 11 holds
what they signed to this act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from . import did
from .approval import APPROVAL_HARD_SECONDS, Approval
from .budget import Budget
from .chain import Trace, pinned
from .constraint import Constraints, approval_applies
from .credential import HumanSponsor, Link
from .did import Did
from .errors import Error, error
from .invocation import Invocation
from .jose import ALGORITHMS
from .keys import PublicKey
from .kinds import KINDS
from .path import Human, People
from .request import Request
from .shape import LAST_SECOND
from .standing import SKEW_SECONDS
from .verdict import VerifiedChain

__all__ = ["Rule", "approvers", "judge", "rule"]

_DIMENSION: Final = "approval"

Rule: TypeAlias = tuple[int, frozenset[str], Any]
"""How many, of whom, over what."""


def rule(value: Mapping[str, Any]) -> Rule:
    """The resource's own rule, from the wire form of the constraint.

    Raises:
        Malformed: ``shape``, ``unknown-member``, ``empty-array``.
    """
    found: Rule = KINDS["approval"].read(dict(value), "approval")
    return found


def approvers(
    shown: tuple[str, ...],
    links: tuple[Link, ...],
    root: Human,
    people: People,
    asked: Request,
    extra: Rule | None,
    trace: Trace,
) -> tuple[Approval, ...]:
    """Phase 7: read the approvals, where any is demanded; whoever made one is a human of ours.

    Raises:
        The codes of phases 2 and 3 of what was shown, and those of `People.human`.
    """
    demands = _demands(links, root.credential, asked, extra)
    if not demands:
        return ()
    found = tuple([Approval.parse(token) for token in shown])
    for one in found:
        if _may(one.iss, demands) and one.iss not in people.agents:
            try:
                human = people.human(one.iss)
            except Error as exc:
                exc.dimension = exc.dimension or _DIMENSION
                raise
            if trace:
                trace(7, None, "%s answers for the approver %s", human.organization, human.id)
    return found


def judge(
    approvals: tuple[Approval, ...],
    chain: VerifiedChain,
    people: People,
    found: Invocation,
    asked: Request,
    extra: Rule | None,
    at: int,
    budget: Budget,
    trace: Trace,
) -> None:
    """Phase 11, last: each approval is right, and there are as many as every link demands.

    A threshold is each link's own, the sponsor's own, and the resource's; all of them are asked.

    Raises:
        Rejected: ``approval``. Undecided: ``approval-missing``, ``suite``.
        LimitExceeded: ``limit-signatures``.
    """
    demands = _demands(chain.links, chain.sponsor_credential, asked, extra)
    agents = {pinned(one.subject, one.key) for one in people.agents.values()} if approvals else ()
    signers: dict[Did, PublicKey] = {}
    for one in approvals:
        if not _may(one.iss, demands):
            raise error("approval", f"{one.iss} is no approver here", dimension=_DIMENSION)
        if one.iss in people.agents:
            raise error("approval", f"{one.iss} is an agent of this act", dimension=_DIMENSION)
        if one.iss in signers:
            raise error("approval", f"{one.iss} approves twice", dimension=_DIMENSION)
        _of_this_act(one, found)
        in_time(one, at)
        key = _signer(one, people.humans[one.iss], budget)
        if key in agents:
            raise error("approval", "signed with the key of an agent", dimension=_DIMENSION)
        if key in signers.values():
            raise error("approval", "two approvers with one key", dimension=_DIMENSION)
        signers[one.iss] = key
        if trace:
            trace(11, None, "the human %s approves", one.iss)
    for index, (threshold, by, _) in demands:
        if len(by & signers.keys()) < threshold:
            raise error(
                "approval-missing",
                "a human must approve this" if not signers else "more humans must approve this",
                link=index,
                dimension=_DIMENSION,
            )
        if trace:
            trace(11, index, "is approved as it demands")


def _of_this_act(one: Approval, found: Invocation) -> None:
    """It is of what the invocation is of, which is this act: phases 10 and 11 have said so."""
    if one.request != found.request:
        raise error("approval", "an approval of another request", dimension=_DIMENSION)
    if one.chain != found.chain:
        raise error("approval", "an approval of another chain", dimension=_DIMENSION)
    if one.aud != found.aud:
        raise error("approval", f"an approval for {one.aud}", dimension=_DIMENSION)


def in_time(one: Approval, at: int) -> None:
    """It is neither too old nor too new, and was not made to last."""
    if not 0 < one.exp - one.iat <= APPROVAL_HARD_SECONDS:
        raise error(
            "approval",
            f"an approval lives at most {APPROVAL_HARD_SECONDS} seconds",
            dimension=_DIMENSION,
        )
    if one.iat > at + SKEW_SECONDS:
        raise error("approval", "an approval signed in the future", dimension=_DIMENSION)
    if at >= one.exp or one.exp > LAST_SECOND:
        raise error("approval", "the time of the approval is over", dimension=_DIMENSION)


def _signer(one: Approval, human: Human, budget: Budget) -> PublicKey:
    """The key of theirs that signed; as many checks are spent as they have keys."""
    if not did.is_method_of(one.method, one.iss):
        raise error("approval", "signed by a key of another DID", dimension=_DIMENSION)
    if one.alg not in ALGORITHMS:
        raise error("suite", "the approval is not signed with EdDSA", dimension=_DIMENSION)
    budget.chain_signatures(len(human.keys))
    for key in human.keys:
        if key.verify(one.signature, one.message):
            return key
    raise error("approval", "not signed by the approver's key", dimension=_DIMENSION)


_Demand: TypeAlias = tuple["int | None", Rule]
"""A link, or None for the sponsor's own and the resource's, and what it demands."""


def _demands(
    links: tuple[Link, ...], own: HumanSponsor | None, asked: Request, extra: Rule | None
) -> list[_Demand]:
    """Every rule that this request falls under."""
    rules: list[tuple[int | None, Constraints]] = [
        (index, link.authority.constraints) for index, link in enumerate(links)
    ]
    if own is not None:
        rules.append((None, own.entitlements.constraints))
    if extra is not None:
        rules.append((None, {_DIMENSION: extra}))
    return [(index, some[_DIMENSION]) for index, some in rules if approval_applies(some, asked)]


def _may(name: Did, demands: list[_Demand]) -> bool:
    """Whether anybody asks for this human's approval."""
    return any(name in by for _, (_, by, _) in demands)
