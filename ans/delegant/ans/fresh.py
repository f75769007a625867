"""The freshness token: what a registry says, for a minute, in answer to one question.

    {version, registry, query (digest), status, entries [entry], total?, trace? (digest),
     log {origin, size, root}, time, validUntil, reason?, since?, proof}

    entry {name, agent, epoch, seq, status, event, record?, index, successor?,
           attestations? [{type, issuer, issued, validUntil, digestMultibase, capabilities?}],
           unattested? [capability], health? {status, at}}

``status`` of an exact name is the name's own, or not-found; of any other question found or
not-found. ``event`` is the digest of the name's newest event, ``record`` that of its record, and
``index`` where the event that brought the record stands in the log. ``log`` is the log's state the
registry spoke from. Signed by the registry's key, never by the log's.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .lifecycle import STATES
from .name import AnsName
from .signing import check, version

__all__ = [
    "FRESH_SECONDS",
    "MAX_ENTRIES",
    "Attested",
    "Entry",
    "Freshness",
    "Head",
    "check_freshness",
    "read_hash",
]

FRESH_SECONDS: Final = 60
MAX_ENTRIES: Final = 50
EXACT: Final = (*STATES, "not-found")
FOUND: Final = ("found", "not-found")


@dataclass(frozen=True, slots=True)
class Head:
    """A state of a log: ``size`` entries under ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Attested:
    """An attestation that counted. Without ``capabilities`` it is about the agent as a whole."""

    type: str
    issuer: str
    issued: int
    valid_until: int
    digest: str
    capabilities: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the registry says of one name. ``health`` is (up or down, seconds since 1970)."""

    json: JsonObject
    name: AnsName
    agent: str
    epoch: int
    seq: int
    status: str
    event: str
    record: str | None
    index: int
    successor: AnsName | None
    attestations: tuple[Attested, ...]
    unattested: frozenset[str]
    health: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """A token whose shape and signature were checked. Times are seconds since 1970."""

    query: str
    status: str
    entries: tuple[Entry, ...]
    total: int | None
    trace: str | None
    head: Head
    time: int
    valid_until: int
    reason: str | None
    since: int | None


_FRESH: Final = frozenset(
    {"version", "registry", "query", "status", "entries", "log", "time", "validUntil", "proof"}
)
_FRESH_OPTIONAL: Final = frozenset({"total", "trace", "reason", "since"})
_ENTRY: Final = frozenset({"name", "agent", "epoch", "seq", "status", "event", "index"})
_ENTRY_OPTIONAL: Final = frozenset({"record", "successor", "attestations", "unattested", "health"})
_ATTESTED: Final = frozenset({"type", "issuer", "issued", "validUntil", "digestMultibase"})


def check_freshness(value: Json, registry: str, keys: Sequence[PublicKey] = ()) -> Freshness:
    """Shape and signature of a token.

    Args:
        value: parsed.
        registry: the DID whose word counts.
        keys: its keys, where the DID is not its own key.

    Raises:
        Malformed: ``shape``, ``unknown-member``, ``limit-items``, ``ans-name``.
        Rejected: ``ans-signature``. Undecided: ``unknown-version``.
    """
    version(value, "freshness")
    shape.closed(value, "freshness", _FRESH, _FRESH_OPTIONAL)
    if value["registry"] != registry:
        raise error("ans-signature", "an answer of another registry")
    check(value, registry, keys)
    entries = value["entries"]
    if type(entries) is not list:
        raise error("shape", "freshness.entries is not a list")
    if len(entries) > MAX_ENTRIES:
        raise error("limit-items", f"freshness.entries has more than {MAX_ENTRIES} items")
    start, end = (shape.time(value[name], f"freshness.{name}") for name in ("time", "validUntil"))
    if not start < end <= start + FRESH_SECONDS:
        raise error("shape", f"an answer is good for at most {FRESH_SECONDS} seconds")
    return Freshness(
        shape.digest_text(value["query"], "freshness.query"),
        shape.one_of(value["status"], "freshness.status", (*EXACT, "found")),
        tuple(_entry(one) for one in entries),
        shape.integer(value["total"], "freshness.total") if "total" in value else None,
        shape.digest_text(value["trace"], "freshness.trace") if "trace" in value else None,
        _head(value["log"]),
        start,
        end,
        shape.text(value["reason"], "freshness.reason") if "reason" in value else None,
        shape.time(value["since"], "freshness.since") if "since" in value else None,
    )


def _head(value: Json) -> Head:
    shape.closed(value, "freshness.log", frozenset({"origin", "size", "root"}))
    return Head(
        shape.text(value["origin"], "log.origin"),
        shape.integer(value["size"], "log.size"),
        read_hash(value["root"], "log.root"),
    )


def _entry(value: Json) -> Entry:
    shape.closed(value, "entry", _ENTRY, _ENTRY_OPTIONAL)
    name = AnsName.parse(value["name"])
    return Entry(
        value,
        name,
        did.check(value["agent"]),
        shape.integer(value["epoch"], "entry.epoch"),
        shape.integer(value["seq"], "entry.seq"),
        shape.one_of(value["status"], "entry.status", STATES),
        shape.digest_text(value["event"], "entry.event"),
        shape.digest_text(value["record"], "entry.record") if "record" in value else None,
        shape.integer(value["index"], "entry.index"),
        AnsName.parse(value["successor"]) if "successor" in value else None,
        shape.array_of(value["attestations"], "entry.attestations", _attested)
        if "attestations" in value
        else (),
        shape.string_set(value["unattested"], "entry.unattested")
        if "unattested" in value
        else frozenset(),
        _health(value["health"]) if "health" in value else None,
    )


def _attested(value: Json, where: str) -> Attested:
    shape.closed(value, where, _ATTESTED, frozenset({"capabilities"}))
    return Attested(
        shape.text(value["type"], "attestation.type"),
        did.check(value["issuer"]),
        shape.time(value["issued"], "attestation.issued"),
        shape.time(value["validUntil"], "attestation.validUntil"),
        shape.digest_text(value["digestMultibase"], "attestation.digestMultibase"),
        shape.string_set(value["capabilities"], "attestation.capabilities")
        if "capabilities" in value
        else None,
    )


def _health(value: Json) -> tuple[str, int]:
    shape.closed(value, "health", frozenset({"status", "at"}))
    said = shape.one_of(value["status"], "health.status", ("up", "down"))
    return said, shape.time(value["at"], "health.at")


def read_hash(value: Json, where: str) -> bytes:
    """32 bytes in base64, in their one spelling; or ``shape``."""
    try:
        out = b64decode(value, validate=True) if type(value) is str and value.isascii() else b""
    except (NotBase64, ValueError):
        out = b""
    if len(out) != 32 or (b64encode(out).decode("ascii") != value):
        raise error("shape", f"{where} is not 32 bytes in base64")
    return out
