"""From one event back to the human, out of an audit bundle and the auditor's own trust.

The record is proven to be the log's. Its chain is then verified again, link by link, by the same
verifier that the resource asks, with the evidence of that time, and at that time: whether the
auditor's anchors answer for these people is judged now, whether they were in good standing then.
What the auditor has seen since (``seen``) is left aside: newer lists do not make older ones false
that were the newest then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from delegant.credentials import (
    Error,
    Evidence,
    Link,
    Presentation,
    Request,
    Seen,
    Trust,
    Verdict,
    VerifiedChain,
    did,
    shape,
    verify,
    verify_chain,
)
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import parse_link
from delegant.credentials.errors import NotFound, error
from delegant.credentials.invocation import Invocation

from .checking import check_parties
from .reading import AuditBundle, Believed, read_entry
from .record import Record

__all__ = ["Line", "Traced", "how_obtained", "trace"]


@dataclass(frozen=True, slots=True)
class Line:
    """One party on the way from the human to the agent.

    Attributes:
        role: ``human`` or ``agent``.
        link: what made it a party; None for the human.
        verdict: of the chain from the human to here; None where it could not be asked.
    """

    role: str
    did: str
    link: Link | None
    verdict: Verdict | None

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        verdict = self.verdict
        return {
            "role": self.role,
            "did": self.did,
            "link": None if self.link is None else self.link.id,
            "state": None if verdict is None else verdict.state,
            "code": None if verdict is None else verdict.code,
            "detail": "" if verdict is None else verdict.detail,
        }


@dataclass(frozen=True, slots=True)
class Traced:
    """An event, and what is proven of it.

    Attributes:
        record: its intent, or its refusal. number: where it stands in the log.
        outcome: what came of an intent; None where the bundle has no outcome.
        origin, size: of the checkpoint that the log signed.
        lines: the human, then every agent; of a refusal of what was not verified, as claimed.
            Empty where there is no chain to ask about.
        chain: the whole chain, verified; None where it does not hold.
        opening: the request and the invocation, where they are disclosed: those of the record.
        recomputed: what the verifier says of that invocation and request; None without.
        problem: why the account does not hold; None where it does.
    """

    record: Record
    number: int
    outcome: Record | None
    origin: str
    size: int
    lines: tuple[Line, ...]
    chain: VerifiedChain | None
    opening: JsonObject | None
    recomputed: Verdict | None
    problem: Error | None

    @property
    def json(self) -> JsonObject:
        """The four answers, and what they stand on."""
        said = self.record.json
        outcome = None if self.outcome is None else self.outcome.json
        return {
            "whichAgent": {"did": said["agentDid"], "name": said["agentAnsName"]},
            "authorisedBy": [line.json for line in self.lines],
            "permissions": None if self.chain is None else self.chain.effective.json,
            "howObtained": [
                how_obtained(line.link) for line in self.lines if line.link is not None
            ],
            "record": said,
            "outcome": outcome,
            "logged": {"entry": self.number, "origin": self.origin, "size": self.size},
            "request": None if self.opening is None else self.opening["request"],
            "requestVerdict": None if self.recomputed is None else self.recomputed.json,
            "verdict": "holds" if self.problem is None else self.problem.code,
            "problem": None if self.problem is None else self.problem.problem(),
        }


def trace(bundle: AuditBundle, event: str, believed: Believed, trust: Trust) -> Traced:
    """Trace an event.

    Args:
        believed: the log as the auditor knows it.
        trust: the auditor's own, for the people and organisations. Invocations must be addressed
            to whose log it is, or to the ``verifier`` that this trust names.

    Raises:
        NotFound: ``not-found`` for an event that is not in the bundle, or a notice.
        Rejected: ``log-note``, ``log-proof``, ``audit-entry``, ``audit-no-sponsor``,
            ``audit-exhibit``. Undecided: ``log-witness``, ``audit-incomplete``.
        Malformed: ``audit-bundle`` and the codes of what is read.
    """
    log, places = bundle.log_of(believed), bundle.places(event)
    reader = bundle.reader(believed)
    head = reader.checkpoint()

    def entry(number: int, kind: str) -> Record:
        if not 0 <= number < head.size:
            raise error("audit-bundle", f"the log has no entry {number}")
        try:
            (data,) = reader.entries(number, number + 1, gaps=True)
        except NotFound as exc:
            raise error("audit-bundle", f"a part is missing: {exc.detail}") from None
        if not data:
            raise error("audit-incomplete", f"entry {number} is not in this bundle")
        record = read_entry(data, number, log)
        if record.event != event or record.type != kind:
            raise error("audit-bundle", f"its index takes entry {number} for the {kind} of {event}")
        return record

    if places.notice is not None:
        entry(places.notice, "notice")
        raise error("not-found", f"{event} is a notice of the log itself: no agent did it")
    outcome = None if places.outcome is None else entry(places.outcome, "outcome")
    if places.intent is not None:
        number, record = places.intent, entry(places.intent, "intent")
    elif places.refusal is not None:
        number, record = places.refusal, entry(places.refusal, "refusal")
    else:
        raise error("audit-incomplete", f"the intent of {event} is not in this bundle")
    if outcome is not None and places.outcome is not None:
        same = (record.sponsor, record.agent) == (outcome.sponsor, outcome.agent)
        if places.outcome < number or not same:
            raise error("audit-entry", "an outcome before its intent, or in other names")
    return _Trace(bundle, record, trust).traced(number, outcome, head.origin, head.size)


def how_obtained(link: Link) -> JsonObject:
    """What a link gave, by whom to whom."""
    return {
        "by": link.issuer,
        "to": link.subject,
        "link": link.id,
        "digestMultibase": link.digest,
        "validFrom": shape.format_time(link.valid_from),
        "validUntil": shape.format_time(link.valid_until),
        **link.authority.json,
    }


class _Trace:
    """What is established of one record, step by step, until one fails."""

    def __init__(self, bundle: AuditBundle, record: Record, trust: Trust) -> None:
        self._bundle, self._record = bundle, record
        self._own = trust.verifier
        self._trust = replace(trust, verifier=did.check(record.log), seen=Seen())
        self._lines: tuple[Line, ...] = ()
        self._chain: VerifiedChain | None = None
        self._opening: JsonObject | None = None
        self._recomputed: Verdict | None = None

    def traced(self, number: int, outcome: Record | None, origin: str, size: int) -> Traced:
        """All that can be said."""
        problem: Error | None = None
        try:
            self._follow()
        except Error as exc:
            problem = exc
        return Traced(
            self._record,
            number,
            outcome,
            origin,
            size,
            self._lines,
            self._chain,
            self._opening,
            self._recomputed,
            problem,
        )

    def _follow(self) -> None:
        record = self._record
        self._opening = self._bundle.opening(record)
        if not record.verified:
            self._claimed()
            return
        shown = self._bundle.presentation(record, self._opening)
        check_parties(record, [link.raw for link in shown.links])
        evidence = self._bundle.evidence(record)
        self._verify(shown, evidence)
        if self._opening is not None:
            self._act(shown, evidence, self._opening)

    def _claimed(self) -> None:
        """Of a refusal: what was presented, as far as it is at hand and can be read.

        Where nothing is on record that it was judged by, nothing is judged again: to find that
        evidence is missing here would say nothing of what was refused there.
        """
        if not self._record.chain:
            return
        try:
            shown = self._bundle.presentation(self._record)
            if self._record.json["evidence"] is None:
                links = [parse_link(one) for one in shown.links]
                own = [Line("agent", link.subject, link, None) for link in links]
                self._lines = (Line("human", links[0].issuer, None, None), *own)
            else:
                self._verify(shown, self._bundle.evidence(self._record))
        except Error as exc:
            if exc.code == "audit-exhibit":
                raise

    def _verify(self, shown: Presentation, evidence: Evidence) -> None:
        """Phases 1 to 9, for each party on the way down.

        Raises:
            As `verify_chain`, for the whole chain.
        """
        links = [parse_link(one) for one in shown.links]
        lines: list[Line] = []
        refused: Error | None = None
        for count, link in enumerate(links, 1):
            part = Presentation(shown.links[:count], read=tuple(links[:count]))
            try:
                chain = verify_chain(part, evidence, self._trust, at=self._record.time)
                verdict, refused = Verdict("accepted"), None
                self._chain = chain if count == len(links) else None
            except Error as exc:
                verdict, refused = Verdict.of(exc), exc
            if count == 1:
                lines.append(Line("human", link.issuer, None, _of_human(verdict)))
            lines.append(Line("agent", link.subject, link, verdict))
            self._lines = tuple(lines)
        if refused is not None:
            raise refused

    def _act(self, shown: Presentation, evidence: Evidence, opening: JsonObject) -> None:
        """Phases 10 to 12, over what was disclosed."""
        record = self._record
        request = Request.from_json(opening["request"])
        if (request.action, request.resource) != (record.json["action"], record.json["target"]):
            raise error("audit-entry", "the request is of another action or target than the record")
        trust = replace(self._trust, ledgers=self._trust.ledgers | _ledgers(self._chain))
        if self._own is not None and _audience(shown) == self._own:
            trust = replace(trust, verifier=self._own)  # a log that several resources write
        try:
            verify(shown, evidence, trust, request, at=record.time)
            self._recomputed = Verdict("accepted")
        except Error as exc:
            self._recomputed = Verdict.of(exc)
            if record.type == "intent":
                raise


def _audience(shown: Presentation) -> str | None:
    """Whom the invocation is for, as it says."""
    if shown.invoked is not None or shown.invocation is None:
        return shown.invoked and shown.invoked.aud
    return Invocation.parse(Invocation.unpack(shown.invocation)).aud


def _of_human(verdict: Verdict) -> Verdict | None:
    """The part of the first link's verdict that is the human's own; None where it is the link's."""
    return verdict if verdict.state == "accepted" or verdict.link is None else None


def _ledgers(chain: VerifiedChain | None) -> frozenset[str]:
    """The ledgers that the chain names.

    Whether they were this resource's own was its to judge; here it is asked what the chain allowed.
    """
    if chain is None:
        return frozenset()
    rules = [link.authority.constraints for link in chain.links]
    if chain.sponsor_credential is not None:
        rules.append(chain.sponsor_credential.entitlements.constraints)
    return frozenset(one[name][0] for one in rules for name in ("budget", "rate") if name in one)
