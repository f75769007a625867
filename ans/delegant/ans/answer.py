"""Answers: an immutable part (records and their receipts) and a freshness token of a minute.

    {version, query, resolutionStatus, resolvedAgents [agent], last? {event, receipt},
     freshness, trace? [{name, reason}]}

    agent  what `shown.listing2` derives, and: record, receipt

`verify_answer` is pure and believes nothing but signatures and proofs. It holds, in this order:

 1. the token is the registry's, about the question asked, and of this minute;
 2. status, trace and the number of agents are those the token states;
 3. each record is signed by its agent, is the one the token names, and shows what it shows;
 4. each record's event is in the log, under a checkpoint signed by the log's key and cosigned by
    enough witnesses, and the log is no shorter than that in the state the token speaks of;
 5. every agent answers the question (name, version, capability, attestations, …), none stands
    twice, and they stand in the order that the question asks for;
 6. of a name that is gone or suspended: its newest event, in the log, says so.

The same bytes can be checked again offline; the time asked about decides only freshness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import canonical, did, digest, jose, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .departure import AWAY, SKEW_SECONDS, Departure, check_departure, logged_for
from .fresh import EXACT, FOUND, Entry, Freshness, check_freshness
from .leaf import NameLeaf
from .matching import REASONS, Candidate, attested, judge, order
from .name import AnsName
from .query import Query
from .receipt import Logged
from .record import check_record, record_key
from .shown import SHOWN, listing2
from .signing import digest_of, version
from .trusted import RegistryTrust

__all__ = [
    "JWS_TYPE",
    "SKEW_SECONDS",
    "Answer",
    "Departure",
    "Resolution",
    "open_jws",
    "verify_answer",
]

MAX_ANSWER: Final = 4 * 1024 * 1024
MAX_MEMBERS: Final = 262_144
MAX_TRACE: Final = 1000
JWS_TYPE: Final = "ans-answer+jwt"
STATUS: Final = {
    "active": "success",
    "found": "success",
    "not-found": "not-found",
    "suspended": "suspended",
    "revoked": "gone",
    "expired": "gone",
}
_CODE: Final = {"not-found": "ans-not-found", "suspended": "ans-suspended", "gone": "ans-gone"}
_ANSWER: Final = frozenset({"version", "query", "resolutionStatus", "resolvedAgents", "freshness"})
_AGENT: Final = SHOWN | {"record", "receipt"}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name stands for, verified: DID, endpoints, and who answers for the agent.

    ``endpoint`` is the one to call for what was asked. ``entry`` is the registry's word of the
    minute, ``logged`` where the record stands in the log.
    """

    name: str
    did: str
    endpoint: str
    endpoints: dict[str, str]
    sponsor: str
    organization: str
    epoch: int
    seq: int
    valid_until: int
    record: JsonObject
    entry: Entry
    logged: Logged
    answer: JsonObject

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        return {
            "name": self.name,
            "did": self.did,
            "endpoint": self.endpoint,
            "endpoints": self.endpoints,
            "sponsor": self.sponsor,
            "organization": self.organization,
            "attestations": sorted({one.type for one in self.entry.attestations}),
            "unattested": sorted(self.entry.unattested),
            "validUntil": shape.format_time(self.valid_until),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer. ``agents`` is empty unless ``status`` is success.

    ``trace``: names that were considered and why each was left out, where that was asked for.
    """

    query: Query
    status: str
    agents: tuple[Resolution, ...]
    last: Departure | None
    freshness: Freshness
    trace: tuple[tuple[str, str], ...]
    json: JsonObject

    @property
    def resolution(self) -> Resolution:
        """The first agent.

        Raises:
            NotFound: ``ans-not-found``. Gone: ``ans-gone``. Rejected: ``ans-suspended``.
        """
        self.check_success()
        return self.agents[0]

    def check_success(self) -> None:
        """Raise, as `resolution` does, unless an agent was found."""
        if self.status == "success":
            return
        asked = self.query.name or "no agent that was asked for"
        told = f": {self.freshness.reason}" if self.freshness.reason else ""
        since = self.freshness.since
        when = "" if since is None else f" since {shape.format_time(since)}"
        raise error(_CODE[self.status], f"{asked} is {self.freshness.status}{when}{told}")


def verify_answer(answer: Json, trust: RegistryTrust, query: Query | str, *, at: int) -> Answer:
    """Believe an answer, or say why not.

    Args:
        answer: parsed JSON as the registry sent it, or the text of its JWS form.
        trust: the registry whose word counts.
        query: what was asked; a text is an exact name.
        at: now, seconds since 1970.

    Returns:
        The answer, also one that says no: ask its `Answer.resolution`.

    Raises:
        Rejected: ``ans-signature`` for anything altered or not about this question;
        ``log-note``, ``log-proof``, ``log-entry``, ``log-split``.
        Undecided: ``ans-stale``, ``log-witness``, ``unknown-version``.
        Malformed: ``shape``, ``unknown-member``, ``ans-name`` and what else it may be.
    """
    asked = Query.exact(query) if isinstance(query, str) else query
    value = open_jws(answer, trust) if isinstance(answer, str) else answer
    version(value, "answer")
    shape.closed(value, "answer", _ANSWER, frozenset({"last", "trace"}))
    token = check_freshness(value["freshness"], trust.id, trust.keys)  # 1
    if canonical(value["query"]) != canonical(asked.json) or token.query != asked.digest:
        raise error("ans-signature", "the answer is to another question")
    if at >= token.valid_until:
        told = shape.format_time(token.valid_until)
        raise error("ans-stale", f"the answer was good until {told}")
    if token.time > at + SKEW_SECONDS:
        told = shape.format_time(token.time)
        raise error("ans-stale", f"the answer is of {told}, which has not come yet")
    if token.head.origin != trust.log.name:
        raise error("ans-signature", "the answer speaks of another log")
    _totals(value, token, asked)  # 2
    agents = tuple(
        _agent(one, entry, token, trust, asked, value)  # 3, 4
        for one, entry in zip(value["resolvedAgents"], _shown(token), strict=True)
    )
    for agent in agents:
        if at >= agent.valid_until:
            raise error("ans-stale", f"the record of {agent.name}, or a claim, has expired")
    _answers(agents, token, asked)  # 5
    last = check_departure(value, token, trust, asked.name)  # 6
    trace = tuple((one["name"], one["reason"]) for one in value.get("trace", ()))
    return Answer(asked, value["resolutionStatus"], agents, last, token, trace, value)


def open_jws(token: str, trust: RegistryTrust) -> JsonObject:
    """The answer in its JWS form, signed as a whole by the registry.

    Raises:
        Rejected: ``ans-signature``. Malformed: ``encoding``, ``shape``, ``json``.
    """
    jws = jose.split(token, size=2 * MAX_ANSWER, members=MAX_MEMBERS)
    kid = jose.check_header(jws, JWS_TYPE)
    jose.check_algorithm(jws)
    if not did.is_method_of(kid, trust.id) or not any(
        key.verify(jws.signature, jws.message) for key in trust.keys
    ):
        raise error("ans-signature", f"not signed by {trust.id}")
    return jws.payload


def _shown(token: Freshness) -> tuple[Entry, ...]:
    """The entries that come with an agent: none of those that are gone or suspended."""
    return token.entries if STATUS[token.status] == "success" else ()


def _totals(value: JsonObject, token: Freshness, asked: Query) -> None:
    """Everything beside the agents is what the token says."""
    exact = asked.name is not None
    if token.status not in (EXACT if exact else FOUND):
        raise error("ans-signature", "the answer is to another kind of question")
    if value["resolutionStatus"] != STATUS[token.status]:
        raise error("ans-signature", "resolutionStatus is not the one that was signed")
    agents = value["resolvedAgents"]
    if type(agents) is not list or len(agents) != len(_shown(token)):
        raise error("ans-signature", "not the agents that were signed")
    wanted = 0 if token.status == "not-found" else 1
    most = asked.limit if token.status == "found" else wanted
    if not wanted <= len(token.entries) <= most:
        raise error("ans-signature", "more or fewer entries than the question has answers")
    if exact and any(one.status != token.status for one in token.entries):
        raise error("ans-signature", "the status of the name is not that of the answer")
    told = (token.reason, token.since) != (None, None)
    if told and value["resolutionStatus"] not in AWAY:
        raise error("ans-signature", "a reason comes with a name that is away")
    found = len(token.entries) if token.total is None else token.total
    if found < len(token.entries) or (
        found > len(token.entries) and len(token.entries) < asked.limit
    ):
        raise error("ans-signature", "agents that were found are missing")
    _trace(value, token, asked)


def _trace(value: JsonObject, token: Freshness, asked: Query) -> None:
    if asked.trace != ("trace" in value) or asked.trace != (token.trace is not None):
        raise error("ans-signature", "a trace comes exactly where it was asked for")
    if not asked.trace:
        return
    trace = value["trace"]
    if type(trace) is not list or digest(canonical(trace)) != token.trace:
        raise error("ans-signature", "the trace is not the one that was signed")
    if len(trace) > MAX_TRACE:
        raise error("limit-items", f"a trace of more than {MAX_TRACE} names")
    for one in trace:
        shape.closed(one, "trace", frozenset({"name", "reason"}))
        AnsName.parse(one["name"])
        shape.one_of(one["reason"], "trace.reason", REASONS)


def _agent(
    value: Json,
    entry: Entry,
    token: Freshness,
    trust: RegistryTrust,
    asked: Query,
    whole: JsonObject,
) -> Resolution:
    """One agent: its record, what is shown of it, and its place in the log."""
    shape.closed(value, "resolvedAgents", _AGENT)
    record = value["record"]
    name = check_record(record)
    shown = {member: value[member] for member in SHOWN}
    same = (
        entry.status == "active"
        and name.key == entry.name.key
        and record["agent"] == entry.agent
        and digest_of(record) == entry.record
        and _successor(record) == (entry.successor.key if entry.successor else None)
        and all(token.time < one.valid_until for one in entry.attestations)
        and canonical(shown) == canonical(listing2(record, entry.json, asked.protocol))
    )
    if not same:
        raise error("ans-signature", "the agent shown is not the one that was signed")
    logged = logged_for(value["receipt"], entry, token, trust)
    leaf = logged.leaf
    key = record_key(record)
    if (
        not isinstance(leaf, NameLeaf)
        or leaf.record != entry.record
        or leaf.agent != entry.agent
        or leaf.key != key
        or logged.index != entry.index
        or leaf.epoch != entry.epoch
        or leaf.seq > entry.seq
        or (leaf.seq == entry.seq) != (leaf.event == entry.event)
    ):
        raise error("ans-signature", "record, receipt and freshness token do not belong together")
    sponsor = record["sponsorship"]["sponsor"]
    expires = shape.time(record["expires"], "record.expires")
    return Resolution(
        record["name"],
        record["agent"],
        value["serviceEndpoint"],
        dict(record["endpoints"]),
        sponsor["id"],
        sponsor["organization"],
        entry.epoch,
        entry.seq,
        min(token.valid_until, expires, *(one.valid_until for one in entry.attestations)),
        record,
        entry,
        logged,
        whole,
    )


def _successor(record: JsonObject) -> str | None:
    return AnsName.parse(record["successor"]).key if "successor" in record else None


def _answers(agents: tuple[Resolution, ...], token: Freshness, asked: Query) -> None:
    """Every agent is an answer to the question, once, in its order, and all in one log."""
    candidates = [_candidate(one) for one in agents]
    roots: dict[int, bytes] = {}
    for agent, one in zip(agents, candidates, strict=True):
        bare = {claim for claim in one.capabilities if not attested(one, claim, token.time)}
        if bare != agent.entry.unattested:
            raise error("ans-signature", f"not what attestations of {one.name} leave uncovered")
        if roots.setdefault(agent.logged.size, agent.logged.root) != agent.logged.root:
            raise error("log-split", "two receipts speak of two logs of one size")
    for one in candidates:
        told = judge(one, asked, token.time)
        if told is not None:
            raise error("ans-signature", f"{one.name} does not answer the question: {told}")
    keys = [one.name.key for one in candidates]
    if len(set(keys)) != len(keys):
        raise error("ans-signature", "a name stands twice")
    if order(candidates, asked) != candidates:
        raise error("ans-signature", "not in the order that the question asks for")


def _candidate(one: Resolution) -> Candidate:
    entry = one.entry
    return Candidate(
        entry.name,
        entry.status,
        tuple(one.record.get("capabilities", ())),
        one.record.get("successor"),
        entry.attestations,
        health=entry.health,
    )
