"""Holding the two sides of an act against each other: the audit log, and the agents' journals.

A log proves that nothing was changed in it, not that everything is in it. What a resource left
out is found here, by what the agent signed and by the receipt that the resource handed back; what
an agent keeps silent about is found by the record. The two meet in the digest of the invocation.

`match` looks for four things, all of them ``unmatched``:

    missing    a record without a receipt of the agent; a receipt without a record, or
               without the outcome that the agent saw
    disagree   both are there and say different things: status, request, chain, event …
    unproven   a receipt that is not signed with the key expected, or a line that is none

A replay is recorded with the invocation it repeats, so one receipt stands for all records of one
invocation; but no invocation has two intents. A refusal of what nobody verified may name an agent
that had no part in it: it needs no receipt, and is only counted (``claimed``).

The records must have been verified before they come here (`verifying`). Memory grows with the
journals and the findings, not with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from delegant.credentials import PublicKey, did
from delegant.credentials.codec import JsonObject, canonical, digest, parse_object
from delegant.credentials.credential import parse_link
from delegant.credentials.envelope import MAX_CREDENTIAL, unpack
from delegant.credentials.errors import Error, error

from .findings import ALWAYS, Finding, Period, Report, Shown
from .hearing import Answer, Said, heard
from .journal import Damaged, Entry
from .receipt import seen_as
from .record import Record, input_hash

__all__ = ["match"]

Exhibit: TypeAlias = Callable[[str], bytes | None]
"""Bytes by digest; None where they are not kept (any more)."""
Opening: TypeAlias = Callable[[Record], JsonObject | None]
"""What opens a record; None where it is not kept, or not disclosed."""


def match(
    records: Iterable[Record | None],
    journals: Iterable[Entry | Damaged],
    *,
    log: str,
    keys: Sequence[PublicKey] = (),
    resources: Collection[str] = (),
    agents: Collection[str] = (),
    period: Period = ALWAYS,
    exhibit: Exhibit | None = None,
    opening: Opening | None = None,
) -> Report:
    """Hold records and receipts against each other.

    Args:
        records: of one log, verified, in its order; None wherever entries are left out, also
            before the first and behind the last. What may lie in such a gap is not missed.
        journals: the lines of every journal there is (`read_journal`).
        log: the DID whose log it is.
        keys: those its receipts are signed with, from the trust folder.
        resources: the audiences whose acts this log records; the log itself by default.
        agents: those whose journals are complete here; all by default, so that an agent
            without a journal is missed.
        exhibit: a link by its digest; gives the pinned key of an agent that has a did:web, say.
        opening: the opening of a record; without it, requests are compared with the
            resource's receipts alone.

    Raises:
        Rejected: ``audit-entry`` for a record of another log; and what either iterable raises.
    """
    matcher = _Matcher(
        log, tuple(keys), frozenset(resources or (log,)), frozenset(agents), period,
        exhibit or _nothing, opening or _nothing,
    )  # fmt: skip
    for line in journals:
        matcher.hear(line)
    for record in records:
        if record is None:
            matcher.shown.gap()
        else:
            matcher.read(record)
    return matcher.report()


def _nothing(_name: object) -> None:
    return None


@dataclass(slots=True)
class _Act:
    """What the log says of one act; of an outcome whose intent lies before, only that."""

    kind: str
    event: str
    time: int
    agent: str | None
    invocation: str | None = None
    leaf: str | None = None
    decision: str | None = None
    outcome: str | None = None
    code: str | None = None
    verified: bool = True
    request: str | None = None

    @property
    def seen(self) -> frozenset[str]:
        return seen_as(self.decision or "allow", self.outcome)


@dataclass
class _Matcher:
    log: str
    keys: tuple[PublicKey, ...]
    resources: frozenset[str]
    agents: frozenset[str]
    period: Period
    exhibit: Exhibit
    opening: Opening
    findings: dict[tuple[object, ...], Finding] = field(default_factory=dict)
    torn: list[str] = field(default_factory=list)
    said: dict[str, list[Said]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # event to invocation, as receipts say
    acts: dict[str, list[_Act]] = field(default_factory=dict)
    open: dict[str, _Act] = field(default_factory=dict)
    leaves: dict[str, set[str]] = field(default_factory=dict)  # by agent, where it is pinned
    pins: dict[tuple[str, str], PublicKey | None] = field(default_factory=dict)
    records: int = 0
    receipts: int = 0
    pairs: int = 0
    answers: int = 0
    requests: set[str] = field(default_factory=set)
    elsewhere: int = 0
    claimed: int = 0
    beyond: int = 0

    def __post_init__(self) -> None:
        self.shown = Shown(self.period.grace)

    # --- the agents' side

    def hear(self, line: Entry | Damaged) -> None:
        if isinstance(line, Damaged):
            where = f"{line.source}:{line.line}"
            if line.torn:
                self.torn.append(where)
            else:
                told = f"not a line of a journal: {line.fault.detail}"
                self._find("unproven", "agent", line.fault.code, None, None, told, where=where)
            return
        own = line.receipt
        if own.resource not in self.resources or (self.agents and own.agent not in self.agents):
            self.elsewhere += 1
            return
        self.receipts += 1
        said = heard(line, self.log, self.keys)
        self.said.setdefault(said.invocation, []).append(said)
        if said.unproven is not None:
            self.leaves.setdefault(said.agent, set())
        if said.event is not None:
            self.named.setdefault(said.event, said.invocation)

    # --- the resource's side

    def read(self, record: Record) -> None:
        self.records += 1
        self.shown.record(record.time)
        if record.log != self.log:
            raise error("audit-entry", f"a record of {record.log} in the log of {self.log}")
        if record.type == "notice":
            return
        if record.type == "outcome":
            self._outcome(record)
            return
        value = record.json
        leaf = record.chain[-1]["digestMultibase"] if record.chain else None
        act = _Act(
            record.type, record.event, record.time, record.agent, value["invocation"], leaf,
            value["decision"], None, value.get("code"), record.verified,
        )  # fmt: skip
        if act.kind == "intent":
            self.open[act.event] = act
            if act.invocation in self.said:
                act.request = self._request(record, act)
        if act.verified and act.agent in self.leaves and leaf is not None:
            self.leaves[act.agent].add(leaf)
        self._place(act)

    def _outcome(self, record: Record) -> None:
        said = record.json["outcome"]
        act = self.open.pop(record.event, None)
        if act is None:  # its intent lies before the first record: only its name leads on
            act = _Act("outcome", record.event, record.time, record.agent)
            act.invocation = self.named.get(act.event)
            if act.invocation is None and not self.shown.whole:
                self.beyond += 1
                return
            self._place(act)
        act.outcome, act.code = said["status"], said.get("code")

    def _place(self, act: _Act) -> None:
        if act.invocation in self.said:
            self.acts.setdefault(act.invocation, []).append(act)
        elif not act.verified:
            self.claimed += 1
        elif (not self.agents or act.agent in self.agents) and self.period.misses(act.time):
            told = f"recorded, and no receipt of {act.agent} says so"
            self._find("missing", "agent", "receipt", act, None, told)

    # --- both

    def report(self) -> Report:
        for invocation, told in self.said.items():
            self._judge(told, self.acts.get(invocation, []))
        counts: JsonObject = {
            "records": self.records,
            "receipts": self.receipts,
            "pairs": self.pairs,
            "requests": len(self.requests),
            "answers": self.answers,
            "elsewhere": self.elsewhere,
            "claimed": self.claimed,
            "beyond": self.beyond,
        }
        found = sorted(self.findings.values(), key=lambda one: (one.time or 0, one.event or ""))
        return Report(self.log, tuple(found), counts, tuple(self.torn), self.period)

    def _judge(self, told: list[Said], acts: list[_Act]) -> None:
        own = [said for said in told if self._proven(said, acts)]
        theirs = [said for said in told if self._answered(said, acts)]
        if not acts:
            self._omitted(own, theirs)
            return
        intents = [act for act in acts if act.kind == "intent"]
        if len(intents) > 1:
            twice = f"acted on twice, also as {intents[0].event}: an agent invokes each once"
            self._find("disagree", None, "invocation", intents[1], told[0], twice)
        self.pairs += bool(own)
        for said in own:
            self._compare(said, acts)
        for said in theirs:
            self._compare_answer(said, acts)

    def _proven(self, said: Said, acts: list[_Act]) -> bool:
        """Whether the agent signed its receipt."""
        keys: list[PublicKey] = []
        if said.unproven is not None:
            leaves = {a.leaf for a in acts if a.verified and a.leaf is not None}
            every = leaves or self.leaves.get(said.agent, set())
            found = [self._pinned(leaf, said.agent) for leaf in every]
            keys = [key for key in found if key is not None]
        fault = said.prove(keys)
        if fault is not None:
            self._find("unproven", "agent", fault.code, _first(acts), said, fault.detail)
        return fault is None

    def _pinned(self, leaf: str, agent: did.Did) -> PublicKey | None:
        """The key that a link, by its digest, pins for an agent."""
        if (leaf, agent) not in self.pins:
            data = self.exhibit(leaf)
            try:
                self.pins[leaf, agent] = None if data is None else _pin(data, leaf, agent)
            except (Error, UnicodeDecodeError):
                self.pins[leaf, agent] = None
        return self.pins[leaf, agent]

    def _answered(self, said: Said, acts: list[_Act]) -> bool:
        """Whether it has a receipt of this log, of the same act."""
        answer = said.answer
        if answer is None:
            return False
        if answer.fault is not None:
            code, detail = answer.fault
            self._find("unproven", "resource", code, _first(acts), said, detail)
            return False
        self.answers += 1
        for part in ("invocation", "agent", "request", "chain"):
            if getattr(answer, part) != getattr(said, part):
                told = f"the two receipts are not of one {part}"
                self._find("disagree", None, part, _first(acts), said, told)
        self.requests.add(said.invocation)
        return answer.invocation == said.invocation

    def _omitted(self, own: list[Said], theirs: list[Said]) -> None:
        """The log has nothing of an act: whoever signed that there was one is believed."""
        told = "the resource's own receipt names it, and its log has no record of it"
        if not theirs:
            told = "the agent saw an answer, and there is no record of it"
            theirs = [one for one in own if one.status != "unanswered"]
        if not theirs:
            told = "sent and not answered, and there is no record of it"
            theirs = own
        if not theirs or not self.period.misses(theirs[0].time):
            return
        if not self.shown.misses(theirs[0].time):
            self.beyond += 1
            return
        self._find("missing", "resource", "record", None, theirs[0], told)

    def _compare(self, said: Said, acts: list[_Act]) -> None:
        act = self._act_of(said, said.event, acts, said.status)
        self._same(said, act, said)
        if said.status == "unanswered" or said.status in act.seen:
            if act.kind == "intent" and act.outcome is None and said.status != "unanswered":
                self._no_outcome(act, said)
            return
        recorded = act.outcome or act.kind
        self._find("disagree", None, "status", act, said,
                   f"the agent saw {said.status}, the log says {recorded}")  # fmt: skip

    def _compare_answer(self, said: Said, acts: list[_Act]) -> None:
        answer = said.answer
        if answer is None:
            return
        act = self._act_of(said, answer.event, acts, "")
        self._same(answer, act, said)
        pairs = (
            ("decision", answer.decision, act.decision),
            ("outcome", answer.outcome, act.outcome),
            ("code", answer.code, act.code),
        )
        for part, signed, recorded in pairs:
            if signed is not None and recorded is not None and signed != recorded:
                told = f"the resource's receipt says {signed}, its log {recorded}"
                self._find("disagree", None, part, act, said, told)
        if answer.outcome is not None and act.kind == "intent" and act.outcome is None:
            self._no_outcome(act, said)

    def _no_outcome(self, act: _Act, said: Said) -> None:
        if self.period.misses(act.time) and self.shown.misses(act.time):
            told = "there is an intent, and no record of the outcome that was seen"
            self._find("missing", "resource", "outcome", act, said, told)

    def _act_of(self, said: Said, event: str | None, acts: list[_Act], status: str) -> _Act:
        """The act that is meant: by its name, else the one it agrees with, else the first."""
        if event is not None:
            for act in acts:
                if act.event == event:
                    return act
            told = f"told as {event}, recorded as {acts[0].event}"
            self._find("disagree", None, "event", acts[0], said, told)
        return next((act for act in acts if status in act.seen), acts[0])

    def _same(self, one: Said | Answer, act: _Act, said: Said) -> None:
        """What a receipt names is what was recorded; of a refusal only what was verified."""
        parts = (("agent", act.agent), ("chain", act.leaf)) if act.verified else ()
        for part, recorded in parts:
            if recorded is not None and getattr(one, part) != recorded:
                told = f"the log names another {part}, {recorded}"
                self._find("disagree", None, part, act, said, told)
        if act.request is not None:
            self.requests.add(said.invocation)
            if act.request != one.request:
                told = "the log opens to another request than the receipt names"
                self._find("disagree", None, "request", act, said, told)

    def _request(self, record: Record, act: _Act) -> str | None:
        """The digest of the request that was recorded; None where its opening is not here.

        Of an intent alone: a refusal may be one because the request was not the one signed.
        """
        found = self.opening(record)
        if found is None:
            return None
        if "request" not in found or input_hash(found) != record.json["inputHash"]:
            told = "the opening is not that of the record"
            self._find("disagree", None, "opening", act, None, told)
            return None
        return digest(canonical(found["request"]))

    def _find(
        self,
        kind: str,
        lacks: str | None,
        dimension: str,
        act: _Act | None,
        said: Said | None,
        detail: str,
        where: str | None = None,
    ) -> None:
        at = act.time if act else said.time if said else None
        if at is not None and not self.period.holds(at):
            return
        invocation = said.invocation if said else act.invocation if act else None
        finding = Finding(
            kind,
            lacks,
            dimension,
            act.agent if act and act.agent else said.agent if said else None,
            act.event if act else said.event if said else None,
            invocation,
            at,
            said.where if said else where,
            detail,
        )
        name = finding.where if invocation is None and act is None else None
        self.findings.setdefault((kind, lacks, dimension, finding.event, invocation, name), finding)


def _first(acts: list[_Act]) -> _Act | None:
    return acts[0] if acts else None


def _pin(data: bytes, leaf: str, agent: did.Did) -> PublicKey | None:
    raw = parse_object(data, size=MAX_CREDENTIAL) if data[:1] == b"{" else data.decode("ascii")
    link = parse_link(unpack(raw))
    if link.digest != leaf or link.subject != agent or link.key is None:
        return None
    return PublicKey.from_multikey(link.key)
