"""The verifier: bytes in, verdict out. It opens nothing, asks nobody and has no clock.

Twelve phases, in this order; within a phase root to leaf. The first check that fails is the
answer, with its code and the link that said no.

 1. *Limits.* Sizes, number of links; later phases spend a budget of signatures and comparisons.
 2. *Strict parse.* Presentation and evidence are JSON with one reading, tokens base64url.
 3. *Shape.* Links, invocation and request are closed documents of the profile.
 4. *Linkage.* Each link names the one before it by id and digest and is issued by its subject;
    depth counts up, what remains counts down; nobody stands twice; one sponsor throughout.
 5. *Attenuation.* Each link allows no more than the one before it. A mandate is never invoked.
 6. *Keys and signatures.* Each link is signed by exactly the key the link above pins.
 7. *Root and path.* An anchor of ours answers for the human who signed first; every subject
    shows an identity that leads to a human, from an organisation its delegator named. No key
    of theirs is retired by a document of its own DID that counts.
 8. *Time.* Links, sponsor credentials and identities are within their time at ``at``.
 9. *Status.* None of them is revoked or suspended, by a list or by the authority's feed, and
    what says so is fresh.
10. *Invocation.* The last subject signed, with its own key, for us, now, over this chain.
11. *Request.* What is about to be done is what was signed for, and every link, the human's
    entitlements, the anchor's ceiling and the agent's toolset allow it. Whoever must approve it
    did, this act and no other.
12. *Obligations.* What the enforcement point must still consume, in ledgers it keeps.

Phases 3 to 6 live in `chain`, 7 in `path` and `retired`, 8 and 9 in `standing`, 10 to 12 in `act`;
approvals (7, 11) in `approved`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from . import act, approved, chain, path, retired, standing
from .account import account_of
from .approval import Approval
from .budget import Budget
from .cache import ChainCache, Kept
from .chain import Trace
from .codec import JsonObject
from .credential import Link
from .did import Did, embeds_key
from .errors import Error, error
from .evidence import Evidence
from .invocation import Invocation
from .keys import PublicKey
from .policy import Trust
from .presentation import Presentation, split
from .request import Request
from .verdict import SEAL, Authorization, Explanation, Step, Verdict, VerifiedChain

__all__ = ["Presented", "authenticate", "decide", "explain", "verify", "verify_chain"]

Presented: TypeAlias = bytes | Presentation | tuple[bytes, str]
"""A presentation: its bytes; taken apart; or chain (``[…]``) and invocation as two strings."""


def verify(
    presentation: Presented,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request,
    *,
    at: datetime | int,
    nonce: str | None = None,
    approval: Mapping[str, Any] | None = None,
    cache: ChainCache | None = None,
) -> Authorization:
    """Decide whether this agent may do this thing at this instant.

    Args:
        presentation: links and invocation, as received.
        evidence: sponsor and identity credentials and status lists gathered beforehand. Keep
            the parsed `Evidence` to have its signatures checked only once.
        trust: the verifier's own trust folder.
        request: what is about to be done, built by the enforcement point from the act itself.
        at: the instant, an aware datetime or whole seconds since 1970.
        nonce: the nonce this verifier asked for, if it did.
        approval: humans whom this verifier wants to approve besides those whom the chain names,
            as the constraint has it: ``{threshold, by, over?}``.
        cache: the caller's own memory of chains; with it, a chain seen before is not read again.

    Returns:
        An `Authorization`, whose obligations are still to be discharged.

    Raises:
        Rejected: the answer is no. Undecided: something needed is absent, stale or unknown.
        Malformed: not documents of ours. Each with code, link and dimension.
    """
    return _Run(trust, at, None, cache).act(presentation, evidence, request, nonce, approval)


def verify_chain(
    presentation: Presented,
    evidence: bytes | Evidence,
    trust: Trust,
    *,
    at: datetime | int,
    cache: ChainCache | None = None,
) -> VerifiedChain:
    """Phases 1 to 9: whether the chain itself holds, whatever it may be used for.

    Raises:
        As `verify`.
    """
    run = _Run(trust, at, None, cache)
    run.read(presentation, evidence)
    verified, _, _ = run.chain(None)
    run.keep()
    return verified


def authenticate(
    presentation: Presented,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request,
    *,
    at: datetime | int,
    nonce: str,
) -> VerifiedChain:
    """Phases 1 to 10: who this is, and under which chain; not whether it may do anything.

    Args:
        request: what the holder must have signed, to answer ``nonce``.

    Raises:
        As `verify`; ``request-mismatch`` for an invocation of something else.
    """
    run = _Run(trust, at, None, None)
    run.read(presentation, evidence)
    verified, holder, _ = run.chain(request)
    run.invoked(verified, holder, request, nonce)
    return verified


def decide(
    presentation: Presented,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request,
    *,
    at: datetime | int,
    nonce: str | None = None,
    approval: Mapping[str, Any] | None = None,
    cache: ChainCache | None = None,
) -> Verdict:
    """`verify`, with the refusal as a value instead of an exception."""
    try:
        return Verdict.of(
            verify(
                presentation, evidence, trust, request, at=at, nonce=nonce, approval=approval,
                cache=cache,
            )
        )  # fmt: skip
    except Error as exc:
        return Verdict.of(exc)


def explain(
    presentation: Presented,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request | None,
    *,
    at: datetime | int,
    nonce: str | None = None,
    approval: Mapping[str, Any] | None = None,
) -> Explanation:
    """`decide`, with every step that held and who limited what.

    Without a request, the chain alone is judged (as `verify_chain`); its verdict says
    ``accepted`` and carries no authorization.
    """
    steps: list[Step] = []
    run = _Run(trust, at, steps, None)
    try:
        if request is None:
            run.read(presentation, evidence)
            run.chain(None)
            verdict = Verdict("accepted")
        else:
            verdict = Verdict.of(run.act(presentation, evidence, request, nonce, approval))
    except Error as exc:
        verdict = Verdict.of(exc)
    return Explanation(verdict, tuple(steps), account_of(run.links, run.human))


_NOTHING: Final = Presentation(())
_NO_EVIDENCE: Final = Evidence()


class _Run:
    """One verification: its budget, its instant, and what it has established so far."""

    def __init__(
        self,
        trust: Trust,
        at: datetime | int,
        steps: list[Step] | None,
        cache: ChainCache | None,
    ) -> None:
        self._trust = trust
        self._at = _instant(at)
        self._trace: Trace = None if steps is None else _tracer(steps)
        self._budget = Budget(trust.limits)
        self._cache = cache
        self._bytes: bytes | None = None  # of the chain, where the cache may keep it
        self._kept: Kept | None = None
        self._shown = _NOTHING
        self._evidence = _NO_EVIDENCE
        self._invocation: Invocation | None = None
        self._rule: approved.Rule | None = None
        self._approvals: tuple[Approval, ...] = ()
        self._root_keys: tuple[PublicKey, ...] = ()
        self._holder: PublicKey | None = None
        self.links: tuple[Link, ...] = ()
        self.human: path.Human | None = None

    def read(self, presented: Presented, evidence: bytes | Evidence) -> None:
        """Phases 1 to 3."""
        limits, trace = self._trust.limits, self._trace
        # (1) sizes and (2) strict parse
        shown = None if self._cache is None else self._recall(presented, self._cache)
        if shown is None:
            shown = _taken_apart(presented, limits.presentation)
        self._shown = shown
        if isinstance(evidence, bytes):
            evidence = Evidence.parse(evidence, size=limits.evidence)
        self._evidence = evidence
        number = len(shown.links)
        if not number:
            raise error("empty-array", "a presentation without links")
        if number > limits.links:
            raise error("limit-links", f"{number} links, {limits.links} are allowed")
        if trace:
            trace(1, None, "within the limits")
        found, jws = shown.invoked, None
        if found is None and shown.invocation is not None:
            jws = Invocation.unpack(shown.invocation)
        if trace:
            trace(2, None, "one reading, and only one")
        # (3) shape
        self.links = chain.read_links(shown, trace)
        self._invocation = found if jws is None else Invocation.parse(jws)

    def _recall(self, presented: Presented, cache: ChainCache) -> Presentation | None:
        """The presentation, its chain from the cache; None where it must be read."""
        limits = self._trust.limits
        if isinstance(presented, bytes):
            parts = split(presented) if len(presented) <= limits.presentation else None
            if parts is None:
                return None
            chain_bytes, token = parts
        elif isinstance(presented, tuple):
            chain_bytes, token = presented[0], presented[1].encode("ascii", "replace")
            if len(chain_bytes) + len(token) > limits.presentation:
                return None
        else:
            return None
        self._bytes = chain_bytes
        kept = cache.get(chain_bytes)
        if kept is None or (kept.limits is not limits and kept.limits != limits):
            return None
        invoked = Invocation.read(token)
        if invoked is None:
            return None
        self._kept = kept
        return Presentation(kept.secured, token.decode("ascii"), (), kept.links, invoked)

    def chain(self, request: Request | None) -> tuple[VerifiedChain, PublicKey, path.People]:
        """Phases 4 to 9; also the holder's key, and everybody who was judged."""
        links, trust, trace, kept = self.links, self._trust, self._trace, self._kept
        root = links[0].issuer
        if kept is not None and (embeds_key(root) or kept.root_keys == self._roots(root)):
            self._holder, self._root_keys = kept.holder, kept.root_keys
            self._budget.chain_signatures(len(links) - 1 + len(kept.root_keys))
        else:
            chain.linkage(links, trace)  # (4)
            chain.attenuation(links, self._budget, trace)  # (5)
        if request is not None and links[-1].use == "mandate":
            raise error("use", "a mandate is never invoked", link=len(links) - 1)
        holder = self._holder
        if holder is None:
            self._root_keys = self._roots(root)  # (6)
            holder = self._holder = chain.signatures(links, self._root_keys, self._budget, trace)
        people = path.People(self._evidence, trust, self._budget)  # (7)
        self.human, identities = people.path(links, trace)
        if request is not None and self._shown.approvals:
            self._approvals = approved.approvers(
                self._shown.approvals, links, self.human, people, request, self._rule, trace
            )
        if trust.documents or trust.resolvers:
            spend = self._budget.evidence_signatures
            retired.keys(
                self.human, links, identities, people, self._evidence, trust, spend, self._at, trace
            )
        standing.times(links, identities, people, self._at, trace)  # (8)
        sensitivity = trust.sensitivity(None if request is None else request.resource)
        as_of, feeds = standing.status(  # (9)
            self.human, links, identities, people, trust, self._at, sensitivity, trace
        )
        verified = VerifiedChain(
            SEAL,
            links,
            self.human.anchor,
            self.human.credential,
            tuple(identities),
            people.humans,
            as_of,
            feeds,
            lambda: self._inputs() | {"at": self._at},
        )
        return verified, holder, people

    def act(
        self,
        presented: Presented,
        evidence: bytes | Evidence,
        request: Request,
        nonce: str | None,
        approval: Mapping[str, Any] | None,
    ) -> Authorization:
        """All twelve."""
        if approval is not None:
            self._rule = approved.rule(approval)
        self.read(presented, evidence)
        verified, holder, people = self.chain(request)
        at, trust, trace, budget = self._at, self._trust, self._trace, self._budget
        found = act.invocation(self._invocation, verified, holder, trust, at, nonce, budget)  # (10)
        if trace:
            trace(10, None, "invoked by %s for %s", found.iss, found.aud)
        act.request(verified, found, request, at, trace)  # (11)
        given, own = self._approvals, verified.sponsor_credential
        if (
            self._rule is not None
            or "approval" in verified.links[-1].authority.constraints  # restates those above
            or (own is not None and "approval" in own.entitlements.constraints)
        ):
            approved.judge(given, verified, people, found, request, self._rule, at, budget, trace)
        obligations = act.obligations(verified, found, given, request, trust)  # (12)
        if trace:
            trace(12, None, "%d obligations to discharge", len(obligations))
        self.keep()
        asked = {"request": request.json, "at": at, "nonce": nonce}
        if approval is not None:
            asked["approval"] = dict(approval)
        return Authorization(SEAL, verified, obligations, given, lambda: self._inputs() | asked)

    def invoked(
        self, verified: VerifiedChain, holder: PublicKey, request: Request, nonce: str
    ) -> None:
        """Phase 10, and that it is over this very request."""
        found = act.invocation(
            self._invocation, verified, holder, self._trust, self._at, nonce, self._budget
        )
        if found.request != request.digest:
            raise error("request-mismatch", "the invocation is of another request")

    def keep(self) -> None:
        """Let the cache remember the chain, now that all of it was accepted."""
        shown = self._shown
        if (
            self._cache is not None
            and self._kept is None
            and self._bytes is not None
            and self._holder is not None
            and not shown.approvals  # so these bytes are the links, and nothing else
        ):
            self._cache.put(
                self._bytes,
                Kept(self.links, shown.links, self._holder, self._root_keys, self._trust.limits),
            )

    def _roots(self, human: Did) -> tuple[PublicKey, ...]:
        try:
            return path.root_keys(human, self._evidence, self._trust)
        except Error as exc:
            exc.at(0)
            raise

    def _inputs(self) -> JsonObject:
        """What went in, but for the instant and the request."""
        return {"presentation": self._shown.json, "evidence": self._evidence.json}


def _tracer(steps: list[Step]) -> Trace:
    def trace(phase: int, link: int | None, text: str, *arguments: object) -> None:
        steps.append(Step(phase, link, text % arguments))

    return trace


def _taken_apart(presented: Presented, size: int) -> Presentation:
    if isinstance(presented, bytes):
        return Presentation.parse(presented, size=size)
    if isinstance(presented, tuple):
        return Presentation.of(*presented, size=size)
    return presented


def _instant(at: datetime | int) -> int:
    """Whole seconds since 1970, rounded down: bounds are whole seconds."""
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise TypeError("at= needs a time zone")
        return int(at.timestamp() // 1)
    if type(at) is not int:  # NaN is neither before nor after anything
        raise TypeError("at= is an aware datetime or whole seconds since 1970")
    return at
