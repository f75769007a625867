"""Phases 10 to 12: this holder, this act, and what must still be consumed for it."""

from __future__ import annotations

from typing import Final

from . import constraint, did
from .approval import Approval
from .budget import Budget
from .capability import Authority
from .chain import Trace
from .constraint import Constraints
from .credential import Link
from .errors import Error, error
from .invocation import INVOCATION_HARD_SECONDS, Invocation
from .jose import ALGORITHMS
from .keys import PublicKey
from .policy import Trust
from .request import Request
from .shape import LAST_SECOND
from .standing import SKEW_SECONDS
from .verdict import Debit, Limit, Obligation, Once, Rate, VerifiedChain

__all__ = ["invocation", "obligations", "request"]


def invocation(
    found: Invocation | None,
    chain: VerifiedChain,
    holder: PublicKey,
    trust: Trust,
    at: int,
    nonce: str | None,
    budget: Budget,
) -> Invocation:
    """Phase 10: the last subject signed, for us, now, over this chain.

    Raises:
        Rejected: ``holder-missing``, ``holder-mismatch``, ``audience``, ``nonce``,
        ``invocation-expired``. Undecided: ``suite``.
    """
    if found is None:
        raise error("holder-missing", "the chain came without an invocation")
    holder_signed(found, chain.actor, holder, budget)
    if found.chain != chain.links[-1].digest:
        raise error("holder-mismatch", "the invocation is of another chain")
    if trust.verifier is None:
        raise error("audience", "the trust folder does not say who this verifier is")
    if found.aud != trust.verifier:
        raise error("audience", f"meant for {found.aud}, this is {trust.verifier}")
    if not _addressed(chain.links[-1], found.aud):  # else those above are, too (phase 5)
        for index, link in enumerate(chain.links):
            if not _addressed(link, found.aud):
                raise error("audience", "not an audience of this link", link=index)
    if nonce is not None and found.nonce != nonce:
        raise error("nonce", "not the nonce this verifier asked for")
    in_time(found, at)
    return found


def _addressed(link: Link, audience: str) -> bool:
    allowed = link.authority.constraints.get("audience")
    return allowed is None or audience in allowed


def holder_signed(found: Invocation, name: did.Did, key: PublicKey, budget: Budget) -> None:
    """The invocation is by this DID, with this key."""
    if found.iss != name:
        raise error("holder-mismatch", f"invoked by {found.iss}, held by {name}")
    if not did.is_method_of(found.method, name):
        raise error("holder-mismatch", "signed by a key of another DID")
    if found.alg not in ALGORITHMS:
        raise error("suite", "the invocation is not signed with EdDSA")
    budget.chain_signatures(1)
    if not key.verify(found.signature, found.message):
        raise error("holder-mismatch", "not signed by the holder's key")


def in_time(found: Invocation, at: int) -> None:
    """The invocation is neither too old nor too new, and was not made to last."""
    if not 0 < found.exp - found.iat <= INVOCATION_HARD_SECONDS:
        raise error("invocation-expired", f"lives longer than {INVOCATION_HARD_SECONDS} seconds")
    if found.iat > at + SKEW_SECONDS:
        raise error("invocation-expired", "signed in the future")
    if at >= found.exp or found.exp > LAST_SECOND:
        raise error("invocation-expired", "its time is over")


def request(chain: VerifiedChain, found: Invocation, asked: Request, at: int, trace: Trace) -> None:
    """Phase 11: every link, then the human, then the anchor, then the toolset allow it.

    Raises:
        Rejected: ``no-grant``, ``request-mismatch``, ``constraint``, ``task-mismatch``,
            ``exceeds-sponsor``, ``exceeds-anchor``, ``tool-not-in-toolset``.
    """
    links, last = chain.links, len(chain.links) - 1
    narrowest, rules = links[last].authority, links[last].authority.constraints
    # What the last link lets pass, those above let pass too: phase 5 held, and the order of
    # authorities is one (a law with tests). So the others are asked only to name the first no.
    if not narrowest.reaches(asked.actions, asked.resources):
        for index, link in enumerate(links):
            if not link.authority.reaches(asked.actions, asked.resources):
                raise error(
                    "no-grant", f"{asked.action} on {asked.resource} is not granted", link=index
                )
    if found.request != asked.digest:
        raise error("request-mismatch", "what is done is not what the invocation signed")
    if rules and not constraint.holds(rules, asked, at):
        for index, link in enumerate(links):
            _satisfied(link, index, asked, at)
    if trace:
        for index in range(len(links)):
            trace(11, index, "allows the request")
    own = chain.sponsor_credential
    if own is not None:
        _sponsor(own.entitlements, found, asked, at)
    if trace:
        trace(11, None, "the sponsor may do this")
    if not chain.anchor.ceiling.reaches(asked.actions, asked.resources):
        raise error("exceeds-anchor", f"{chain.anchor.id} has no such authority here")
    if trace:
        trace(11, None, "the anchor's ceiling covers it")
    if not chain.identities[-1].has_tool(asked):
        raise error(
            "tool-not-in-toolset", f"the agent declared no tool for {asked.action}", link=last
        )
    if trace:
        trace(11, last, "the agent declared the tool")


def _satisfied(link: Link, index: int, asked: Request, at: int) -> None:
    broken = constraint.violation(link.authority.constraints, asked, at)
    if broken == "task":
        raise error("task-mismatch", "the grant is for another task", link=index, dimension="task")
    if broken is not None:
        raise error("constraint", f"{broken} is not satisfied", link=index, dimension=broken)


def _sponsor(rights: Authority, found: Invocation, asked: Request, at: int) -> None:
    if not rights.reaches(asked.actions, asked.resources):
        raise error(
            "exceeds-sponsor",
            f"asked: {asked.action} on {asked.resource}, which the sponsor may not do",
            dimension="grants",
        )
    if not rights.constraints:
        return
    audience = rights.constraints.get("audience")
    broken = constraint.violation(rights.constraints, asked, at)
    if audience is not None and found.aud not in audience:
        broken = "audience"
    if broken is not None:
        raise error(
            "exceeds-sponsor", f"the sponsor's own {broken} does not allow it", dimension=broken
        )


def _authorities(chain: VerifiedChain) -> list[Authority]:
    """Every link's authority, then the sponsor's entitlements."""
    out = [link.authority for link in chain.links]
    if chain.sponsor_credential is not None:
        out.append(chain.sponsor_credential.entitlements)
    return out


def obligations(
    chain: VerifiedChain,
    found: Invocation,
    approvals: tuple[Approval, ...],
    asked: Request,
    trust: Trust,
) -> tuple[Obligation, ...]:
    """Phase 12: what the enforcement point must consume before it acts.

    Budgets and rates are kept per link (and per sponsor credential), so that siblings share
    their parent's. Every approval is used up, whether or not fewer would have been enough.

    Raises:
        Undecided: ``no-ledger``, ``ledger-foreign``.
    """
    out: list[Obligation] = [Once(found.once_key, found.exp)]
    if approvals:
        out += [Once(one.once_key, one.exp) for one in approvals]
    rules = chain.links[-1].authority.constraints  # restates all those above (phase 5)
    own = None
    if chain.sponsor_credential is not None:
        own = chain.sponsor_credential.entitlements.constraints
    if not rules and not own:
        return tuple(out)
    if not _COUNTED.isdisjoint(rules) or (own and not _COUNTED.isdisjoint(own)):
        _counted(chain, asked, trust, out)
    limits: Constraints | None = _of_result(rules)
    if own:
        # Phase 11 found columns that both allow, so they have some in common.
        limits = constraint.meet(_of_result(rules), _of_result(own))
    if limits is None:
        limits = {"rows": 0}
    if limits:
        out.append(Limit(limits.get("rows"), limits.get("bytes"), limits.get("columns")))
    return tuple(out)


_COUNTED: Final = frozenset({"budget", "rate"})


def _counted(chain: VerifiedChain, asked: Request, trust: Trust, out: list[Obligation]) -> None:
    for index, authority in enumerate(_authorities(chain)):
        rules = authority.constraints
        linked = index < len(chain.links)
        name = chain.links[index].digest if linked else f"{chain.sponsor}#entitlements"
        try:
            if "budget" in rules:
                ledger, unit, _, total = rules["budget"]
                _kept(ledger, trust, "budget")
                amount = int((asked.amount or {"value": total + 1})["value"])
                out.append(Debit(ledger, name, unit, amount, total))
            if "rate" in rules:
                ledger, count, period = rules["rate"]
                _kept(ledger, trust, "rate")
                out.append(Rate(ledger, name, count, period))
        except Error as exc:
            exc.at(index if linked else None)
            raise


def _of_result(rules: Constraints) -> Constraints:
    """The constraints that the result must keep, too."""
    return {name: rules[name] for name in ("rows", "bytes", "columns") if name in rules}


def _kept(ledger: str, trust: Trust, dimension: str) -> None:
    if not trust.ledgers:
        raise error("no-ledger", "this verifier keeps no ledger", dimension=dimension)
    if ledger not in trust.ledgers:
        raise error("ledger-foreign", f"{ledger} is kept elsewhere", dimension=dimension)
