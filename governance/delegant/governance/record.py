"""One entry of the audit log: what was about to be done, what came of it, what was refused.

Every record is a closed JSON object, and its RFC 8785 bytes are one leaf of the log:

    all      {version: 1, log, type, event, time, previous, sponsorDid}
    intent   + {agentDid, agentAnsName, organizationDid, chain: [{id, digestMultibase}], grantId,
               action, target, inputHash, invocation, evidence, policyId, policyVersion, decision,
               initiation, collaborationContext, spent}
    outcome  + {agentDid, outcome: {status, …}, settled}
    refusal  + the members of an intent but ``spent``, and {code, phase, link, dimension, verified}
    notice   + {by, notice}: what the keeper of the log did, by which human:
               {kind: prune, before: time, entries: [[start, end], …]}, bodies that are gone, of
                 records from before a time that is `RETENTION_DAYS` before the notice
               {kind: hold, terms: digest}, of what is held, and why, with a salt
               {kind: lift, hold: event of the hold}

An *event* is one thing that an agent did or tried: its intent and its outcome, or its refusal.
``previous`` is the digest of the entry before, so the entries are a chain as well as a tree.
``inputHash`` and ``invocation`` say nothing to whoever guesses: the salt, the request and the
invocation itself lie beside the log (`opening`).

A record without a sponsor is none (``audit-no-sponsor``). Only a refusal may lack one, where
nothing was verified: what such a refusal names is what the presenter claimed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import canonical, did, shape
from delegant.credentials.codec import MAX_MEMBERS, JsonObject, b64u_encode, digest, parse_object
from delegant.credentials.errors import CODES, Error, error

__all__ = [
    "ALL",
    "MAX_OPENING",
    "MAX_RANGES",
    "MAX_RECORD",
    "NOISE_BYTES",
    "RETENTION_DAYS",
    "SALT_BYTES",
    "TYPES",
    "Record",
    "draft",
    "event_time",
    "input_hash",
    "is_event",
    "new_event",
    "new_opening",
    "opening_bytes",
    "parse_opening",
    "parse_record",
]

MAX_RECORD: Final = 65_535
MAX_OPENING: Final = 1024 * 1024
TYPES: Final = ("intent", "outcome", "refusal", "notice")
STATUSES: Final = ("success", "failure", "released")
DECISIONS: Final = {
    "intent": ("allow", "modify"),
    "refusal": ("deny", "defer", "step_up"),
}
INITIATIONS: Final = ("human_request", "schedule", "agent_decision")
NOTICES: Final = {
    "prune": frozenset({"kind", "before", "entries"}),
    "hold": frozenset({"kind", "terms"}),
    "lift": frozenset({"kind", "hold"}),
}
RETENTION_DAYS: Final = 184
"""Every record is kept for so long: no six months have more days."""
MAX_RANGES: Final = 2048
"""In one notice: with numbers of 13 digits they fit into a record."""
SALT_BYTES: Final = 16
NOISE_BYTES: Final = 10
MAX_CHAIN: Final = 64

ALL: Final = frozenset({"version", "log", "type", "event", "time", "previous", "sponsorDid"})
_ACT: Final = frozenset(
    {"agentDid", "agentAnsName", "organizationDid", "chain", "grantId", "action", "target",
     "inputHash", "invocation", "evidence", "policyId", "policyVersion", "decision",
     "initiation", "collaborationContext"}
)  # fmt: skip
_MEMBERS: Final = {
    "intent": ALL | _ACT | {"spent"},
    "outcome": ALL | {"agentDid", "outcome", "settled"},
    "refusal": ALL | _ACT | {"code", "phase", "link", "dimension", "verified"},
    "notice": ALL | {"by", "notice"},
}
_OUTCOME: Final = frozenset({"rows", "bytes", "resultHash", "code"})
_CONTEXT: Final = frozenset({"triggeringAgentDid", "triggeringAgentAnsName", "taskId"})

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EVENT: Final = re.compile(f"evt_[0-7][{_ALPHABET}]{{25}}", re.ASCII)
_HOLE: Final = b',"previous":null,'


@dataclass(frozen=True, slots=True)
class Record:
    """An entry, read.

    Attributes:
        json: the whole.
        time: seconds since 1970.
        sponsor: the accountable human; None in a refusal of what nobody verified.
        agent: who acted; None in a notice, or where it is not known.
    """

    json: JsonObject
    log: str
    type: str
    event: str
    time: int
    previous: str | None
    sponsor: str | None
    agent: str | None

    @property
    def chain(self) -> list[JsonObject]:
        """``{id, digestMultibase}`` of each link, root first; empty where it has none."""
        found: list[JsonObject] = self.json.get("chain", [])
        return found

    @property
    def verified(self) -> bool:
        """Whether its parties are proven, and not just claimed."""
        return self.type != "refusal" or bool(self.json["verified"])


def parse_record(data: bytes) -> Record:
    """Read an entry, whose bytes have one spelling.

    Raises:
        Rejected: ``audit-no-sponsor``; ``audit-entry`` for anything else that is no record.
    """
    try:
        found = parse_object(data, size=MAX_RECORD)
        record = _read(found)
        if canonical(found) != data:
            raise error("shape", "not the one spelling of this record")
    except Error as exc:
        if exc.code == "audit-no-sponsor":
            raise
        raise error("audit-entry", f"{exc.code}: {exc.detail}", dimension=exc.dimension) from None
    return record


def draft(value: JsonObject, *, made: bool = False) -> tuple[bytes, bytes]:
    """The bytes of a record before and after its ``previous``, which only the writer knows.

    Args:
        value: the record; its ``previous`` is None.
        made: it was made from what the verifier found, so its members have their shapes; that
            it has a sponsor is seen even so, and whatever a resource says itself.

    Raises:
        Rejected: ``audit-no-sponsor``, ``audit-entry``.
    """
    try:
        if not made:
            _read(value)
        elif value["sponsorDid"] is None:
            raise error("audit-no-sponsor", "no human answers for this record")
        else:
            _told(value)
        data = canonical(value, floats=False)
        if len(data) + 64 > MAX_RECORD:
            raise error("limit-size", f"a record has at most {MAX_RECORD} bytes")
    except Error as exc:
        if exc.code == "audit-no-sponsor":
            raise
        raise error("audit-entry", f"{exc.code}: {exc.detail}", dimension=exc.dimension) from None
    head, _, tail = data.partition(_HOLE)
    return head + _HOLE[:-5], b"," + tail


# --- events and openings -----------------------------------------------------------------------


def new_event(at_ms: int, noise: bytes | None = None) -> str:
    """A name for an event: ``evt_`` and a ULID, which sorts by time and is never guessed.

    Args:
        at_ms: now, milliseconds since 1970. noise: 10 random bytes or more.
    """
    value = at_ms << 80 | int.from_bytes((noise or os.urandom(NOISE_BYTES))[:NOISE_BYTES], "big")
    return "evt_" + "".join([_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5)])


def is_event(text: object) -> bool:
    """Whether this is spelled as the name of an event."""
    return type(text) is str and _EVENT.fullmatch(text) is not None


def event_time(event: str) -> int:
    """When an event was named, milliseconds since 1970."""
    value = 0
    for character in event[4:14]:
        value = value << 5 | _ALPHABET.index(character)
    return value


def new_opening(
    request: JsonObject, invocation: str | None, given: Any = None, salt: bytes | None = None
) -> JsonObject:
    """What opens the digests of a record: ``{salt, request, invocation?, approvals?, input?}``.

    It is kept beside the log, with the approvals that a verdict rests on. The invocation signs the
    digest of the request without salt, so whoever had it could try requests until one fits.
    """
    salt = salt or os.urandom(SALT_BYTES)
    opening: JsonObject = {"salt": b64u_encode(salt), "request": request}
    if invocation is not None:
        opening["invocation"] = invocation
    if given is not None:
        opening["input"] = given
    return opening


def opening_bytes(opening: JsonObject) -> bytes:
    """An opening as it is kept, so that `parse_opening` reads it.

    Raises:
        LimitExceeded: ``limit-*`` for more than is read. Malformed: ``json``.
    """
    data = canonical(opening, floats="input" in opening)
    if len(data) > MAX_OPENING:
        raise error("limit-size", f"an opening has at most {MAX_OPENING} bytes")
    if "input" in opening:  # whatever a resource was given; the rest is bounded where it is read
        parse_opening(data)
    return data


def parse_opening(data: bytes) -> JsonObject:
    """Read an opening: it has a request, approvals and an input, each bounded for itself.

    Raises:
        LimitExceeded: ``limit-*``. Malformed: as `codec.parse_object`.
    """
    return parse_object(data, size=MAX_OPENING, members=4 * MAX_MEMBERS)


def input_hash(opening: JsonObject) -> str:
    """The ``inputHash`` of a record: over the salt with the request and the input."""
    said = {name: value for name, value in opening.items() if name != "invocation"}
    return digest(canonical(said, floats="input" in said))


# --- inside -------------------------------------------------------------------------------------


def _read(value: JsonObject) -> Record:
    kind = shape.one_of(value.get("type"), "type", TYPES)
    shape.closed(value, kind, _MEMBERS[kind])
    if value["version"] != 1 or type(value["version"]) is not int:
        raise error("unknown-version", "a record of another version")
    if not is_event(value["event"]):
        raise error("shape", "event is no name of an event")
    if value["previous"] is not None:
        shape.digest_text(value["previous"], "previous")
    record = Record(
        value,
        did.check(value["log"]),
        kind,
        value["event"],
        shape.time(value["time"], "time"),
        value["previous"],
        _did(value["sponsorDid"]),
        _did(value.get("agentDid")),
    )
    if kind in ("intent", "refusal"):
        _act(value, kind)
    elif kind == "outcome":
        _outcome(value["outcome"])
        _spent(value["settled"], "settled")
    else:
        if did.check(value["by"]) != value["sponsorDid"]:
            raise error("shape", "by is not the human who answers for it")
        _notice(value["notice"], record.time)
    if record.sponsor is None and record.verified:
        raise error("audit-no-sponsor", "no human answers for this record")
    if record.agent is None and record.verified and kind != "notice":
        raise error("shape", "a record of no agent")
    return record


def _told(value: JsonObject) -> None:
    """The members that no verifier found: a resource says them."""
    if value["type"] == "outcome":
        _outcome(value["outcome"])
        return
    for name in ("agentAnsName", "policyId", "policyVersion"):
        if value[name] is not None:
            shape.text(value[name], name, shape.MAX_URL)
    shape.one_of(value["decision"], "decision", DECISIONS[value["type"]])


def _act(value: JsonObject, kind: str) -> None:
    for name in ("inputHash", "invocation", "evidence"):
        if value[name] is not None:
            shape.digest_text(value[name], name)
    for name in ("agentAnsName", "grantId", "action", "target", "policyId", "policyVersion"):
        if value[name] is not None:
            shape.text(value[name], name, shape.MAX_URL)
    _did(value["organizationDid"])
    shape.one_of(value["decision"], "decision", DECISIONS[kind])
    if value["initiation"] is not None:
        shape.one_of(value["initiation"], "initiation", INITIATIONS)
    _chain(value["chain"])
    context = value["collaborationContext"]
    if context is not None:
        shape.closed(context, "collaborationContext", _CONTEXT)
        _did(context["triggeringAgentDid"])
        for name in ("triggeringAgentAnsName", "taskId"):
            if context[name] is not None:
                shape.text(context[name], name)
    if kind == "intent":
        _spent(value["spent"], "spent")
        complete = True
    else:
        complete = shape.boolean(value["verified"], "verified")
        if type(value["code"]) is not str or value["code"] not in CODES:
            raise error("shape", "code is none of ours")
        shape.integer(value["phase"], "phase", 0, 12)
        if value["link"] is not None:
            shape.integer(value["link"], "link", 0, MAX_CHAIN)
        if value["dimension"] is not None:
            shape.text(value["dimension"], "dimension")
    known = ("organizationDid", "grantId", "action", "target", "inputHash", "invocation")
    if complete and not (value["chain"] and all(value[name] for name in known)):
        raise error("shape", f"a record without {'chain' if not value['chain'] else 'its act'}")


def _chain(links: Any) -> None:
    if type(links) is not list or len(links) > MAX_CHAIN:
        raise error("shape", f"chain is not a list of at most {MAX_CHAIN} links")
    for link in links:
        shape.closed(link, "chain", frozenset({"id", "digestMultibase"}))
        shape.uuid_urn(link["id"], "chain.id")
        shape.digest_text(link["digestMultibase"], "chain.digestMultibase")


def _outcome(value: Any) -> None:
    shape.closed(value, "outcome", frozenset({"status"}), _OUTCOME)
    shape.one_of(value["status"], "outcome.status", STATUSES)
    for name in ("rows", "bytes"):
        if name in value:
            shape.integer(value[name], f"outcome.{name}")
    if "resultHash" in value:
        shape.digest_text(value["resultHash"], "outcome.resultHash")
    if "code" in value:
        shape.text(value["code"], "outcome.code", 64)


def _notice(value: Any, at: int) -> None:
    kind = value.get("kind") if type(value) is dict else None
    shape.closed(value, "notice", NOTICES[shape.one_of(kind, "notice.kind", tuple(NOTICES))])
    if kind == "hold":
        shape.digest_text(value["terms"], "notice.terms")
    elif kind == "lift":
        if not is_event(value["hold"]):
            raise error("shape", "notice.hold is no name of an event")
    else:
        if shape.time(value["before"], "notice.before") > at - RETENTION_DAYS * 86_400:
            raise error("retention", f"records are kept for {RETENTION_DAYS} days at least")
        free = 0  # the first number that the next range may hold
        for one in shape.array(value["entries"], "notice.entries", MAX_RANGES):
            if type(one) is not list or len(one) != 2:
                raise error("shape", "notice.entries is not of starts and ends")
            start = shape.integer(one[0], "notice.entries", free)
            free = shape.integer(one[1], "notice.entries", start + 1) + 1


def _spent(items: Any, where: str) -> None:
    if type(items) is not list or len(items) > 2 * MAX_CHAIN:
        raise error("shape", f"{where} is not a list of at most {2 * MAX_CHAIN}")
    for item in items:
        kind = shape.one_of(
            item.get("type") if type(item) is dict else None, where, ("debit", "rate")
        )
        if kind == "debit":
            shape.closed(item, where, frozenset({"type", "key", "unit", "amount"}))
            shape.text(item["unit"], f"{where}.unit")
            shape.decimal(item["amount"], f"{where}.amount")
        else:
            shape.closed(item, where, frozenset({"type", "key"}))
        shape.text(item["key"], f"{where}.key", shape.MAX_URL)


def _did(value: Any) -> str | None:
    return None if value is None else did.check(value)
