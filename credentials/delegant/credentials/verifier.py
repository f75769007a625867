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
    shows an identity that leads to a human, from an organisation its delegator named.
 8. *Time.* Links, sponsor credentials and identities are within their time at ``at``.
 9. *Status.* None of them is revoked or suspended, and the lists that say so are fresh.
10. *Invocation.* The last subject signed, with its own key, for us, now, over this chain.
11. *Request.* What is about to be done is what was signed for, and every link, the human's
    entitlements, the anchor's ceiling and the agent's toolset allow it.
12. *Obligations.* What the enforcement point must still consume, in ledgers it keeps.

Phases 3 to 6 live in `chain`, 7 in `path`, 8 and 9 in `standing`, 10 to 12 in `act`.
"""

from __future__ import annotations

from datetime import datetime

from . import act, chain, path, standing
from .account import account_of
from .budget import Budget
from .credential import Link
from .errors import Error, error
from .evidence import Evidence
from .keys import PublicKey
from .policy import Trust
from .presentation import Invocation, Presentation
from .request import Request
from .verdict import SEAL, Authorization, Explanation, Step, Verdict, VerifiedChain

__all__ = ["decide", "explain", "verify", "verify_chain"]


def verify(
    presentation: bytes | Presentation,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request,
    *,
    at: datetime | int,
    nonce: str | None = None,
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

    Returns:
        An `Authorization`, whose obligations are still to be discharged.

    Raises:
        Rejected: the answer is no. Undecided: something needed is absent, stale or unknown.
        Malformed: not documents of ours. Each with code, link and dimension.
    """
    return _Run(trust, at, None).act(presentation, evidence, request, nonce)


def verify_chain(
    presentation: bytes | Presentation,
    evidence: bytes | Evidence,
    trust: Trust,
    *,
    at: datetime | int,
) -> VerifiedChain:
    """Phases 1 to 9: whether the chain itself holds, whatever it may be used for.

    Raises:
        As `verify`.
    """
    run = _Run(trust, at, None)
    return run.chain(run.read(presentation, evidence), None)[0]


def decide(
    presentation: bytes | Presentation,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request,
    *,
    at: datetime | int,
    nonce: str | None = None,
) -> Verdict:
    """`verify`, with the refusal as a value instead of an exception."""
    try:
        return Verdict.of(verify(presentation, evidence, trust, request, at=at, nonce=nonce))
    except Error as exc:
        return Verdict.of(exc)


def explain(
    presentation: bytes | Presentation,
    evidence: bytes | Evidence,
    trust: Trust,
    request: Request | None,
    *,
    at: datetime | int,
    nonce: str | None = None,
) -> Explanation:
    """`decide`, with every step that held and who limited what.

    Without a request, the chain alone is judged (as `verify_chain`); its verdict says
    ``accepted`` and carries no authorization.
    """
    steps: list[Step] = []
    run = _Run(trust, at, steps)
    try:
        if request is None:
            run.chain(run.read(presentation, evidence), None)
            verdict = Verdict("accepted")
        else:
            verdict = Verdict.of(run.act(presentation, evidence, request, nonce))
    except Error as exc:
        verdict = Verdict.of(exc)
    return Explanation(verdict, tuple(steps), account_of(run.links, run.human))


class _Run:
    """One verification: its budget, its instant, and what it has established so far."""

    def __init__(self, trust: Trust, at: datetime | int, steps: list[Step] | None) -> None:
        self._trust = trust
        self._at = _instant(at)
        self._steps = steps
        self._budget = Budget(trust.limits)
        self._evidence = Evidence()
        self._invocation: Invocation | None = None
        self.links: tuple[Link, ...] = ()
        self.human: path.Human | None = None

    def _trace(self, phase: int, link: int | None, text: str, *arguments: object) -> None:
        if self._steps is not None:
            self._steps.append(Step(phase, link, text % arguments))

    def read(self, presentation: bytes | Presentation, evidence: bytes | Evidence) -> Presentation:
        """Phases 1 to 3."""
        limits = self._trust.limits
        # (1) sizes and (2) strict parse
        if isinstance(presentation, bytes):
            presentation = Presentation.parse(presentation, size=limits.presentation)
        if isinstance(evidence, bytes):
            evidence = Evidence.parse(evidence, size=limits.evidence)
        if not presentation.links:
            raise error("empty-array", "a presentation without links")
        if len(presentation.links) > limits.links:
            raise error(
                "limit-links", f"{len(presentation.links)} links, {limits.links} are allowed"
            )
        self._trace(1, None, "within the limits")
        token = presentation.invocation
        jws = None if token is None else Invocation.unpack(token)
        self._trace(2, None, "one reading, and only one")
        # (3) shape
        self.links = chain.read_links(presentation.links, self._trace)
        self._invocation = None if jws is None else Invocation.parse(jws)
        self._evidence = evidence
        return presentation

    def chain(
        self, presentation: Presentation, request: Request | None
    ) -> tuple[VerifiedChain, PublicKey]:
        """Phases 4 to 9; also the holder's key."""
        links, trust, evidence, trace = self.links, self._trust, self._evidence, self._trace
        chain.linkage(links, trace)  # (4)
        chain.attenuation(links, self._budget, trace)  # (5)
        if request is not None and links[-1].use == "mandate":
            raise error("use", "a mandate is never invoked", link=len(links) - 1)
        keys = path.root_keys(links[0].issuer, evidence, trust)  # (6)
        holder = chain.signatures(links, keys, self._budget, trace)
        people = path.People(evidence, trust, self._budget)  # (7)
        self.human, identities = people.path(links, trace)
        standing.times(links, identities, people, self._at, trace)  # (8)
        sensitivity = trust.sensitivity(None if request is None else request.resource)
        as_of = standing.status(  # (9)
            self.human,
            links,
            identities,
            people,
            evidence,
            trust,
            self._at,
            sensitivity,
            trace,
        )
        verified = VerifiedChain(
            SEAL,
            links,
            self.human.anchor,
            self.human.credential,
            tuple(identities),
            people.revisions,
            as_of,
            {"presentation": presentation.json, "evidence": evidence.json, "at": self._at},
        )
        return verified, holder

    def act(
        self,
        presentation: bytes | Presentation,
        evidence: bytes | Evidence,
        request: Request,
        nonce: str | None,
    ) -> Authorization:
        """All twelve."""
        presentation = self.read(presentation, evidence)
        verified, holder = self.chain(presentation, request)
        invocation = act.invocation(  # (10)
            self._invocation, verified, holder, self._trust, self._at, nonce, self._budget
        )
        self._trace(10, None, "invoked by %s for %s", invocation.iss, invocation.aud)
        act.request(verified, invocation, request, self._at, self._trace)  # (11)
        obligations = act.obligations(verified, invocation, request, self._trust)  # (12)
        self._trace(12, None, "%d obligations to discharge", len(obligations))
        inputs = {
            "presentation": presentation.json,
            "evidence": self._evidence.json,
            "request": request.json,
            "at": self._at,
            "nonce": nonce,
        }
        return Authorization(SEAL, verified, obligations, inputs)


def _instant(at: datetime | int) -> int:
    """Whole seconds since 1970, rounded down: bounds are whole seconds."""
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise TypeError("at= needs a time zone")
        return int(at.timestamp() // 1)
    if type(at) is not int:  # NaN is neither before nor after anything
        raise TypeError("at= is an aware datetime or whole seconds since 1970")
    return at
