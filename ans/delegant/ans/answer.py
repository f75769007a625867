"""Answers: an immutable part (record, receipt) and a freshness token of a minute.

`verify_answer` is pure: given the bytes' values, the registry's DID and key, the name asked for
and an instant, it believes signatures only. The same bytes can be checked again offline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import PrivateKey, PublicKey, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .documents import (
    check_freshness,
    check_receipt,
    check_record,
    digest_of,
    members,
    query_digest,
    record_key,
    sign,
)
from .leaf import NameLeaf
from .log.note import NoteKey
from .name import AnsName

__all__ = ["FRESH_SECONDS", "Resolution", "freshness", "verify_answer"]

FRESH_SECONDS: Final = 60
SKEW_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name stands for, verified: DID, endpoints, and who answers for the agent."""

    name: str
    did: str
    endpoints: dict[str, str]
    sponsor: str
    organization: str
    seq: int
    valid_until: int
    answer: JsonObject

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        return {
            "name": self.name,
            "did": self.did,
            "endpoints": self.endpoints,
            "sponsor": self.sponsor,
            "organization": self.organization,
            "validUntil": shape.format_time(self.valid_until),
        }


def freshness(
    key: PrivateKey,
    registry: str,
    name: AnsName,
    status: str,
    at: int,
    *,
    record: str | None = None,
    seq: int | None = None,
    reason: str | None = None,
) -> JsonObject:
    """A freshness token: what the registry says of a name at this instant."""
    token = members(
        version=1,
        registry=registry,
        query=query_digest(name),
        status=status,
        record=record,
        seq=seq,
        reason=reason,
        time=shape.format_time(at),
        validUntil=shape.format_time(at + FRESH_SECONDS),
    )
    return sign(token, key, registry, at)


def verify_answer(
    answer: Json,
    registry: str,
    name: str,
    *,
    at: int,
    log: NoteKey,
    key: PublicKey | None = None,
) -> Resolution:
    """Believe an answer, or say why not.

    Args:
        answer: parsed JSON, as the registry sent it.
        registry: the DID whose word counts.
        name: what was asked.
        at: now, seconds since 1970.
        log: the key of the registry's log.
        key: the registry's key; by default the DID's own.

    Raises:
        Rejected: ``ans-signature`` for anything altered or not about this name.
        Undecided: ``ans-stale``.
        NotFound: ``ans-not-found``. Gone: ``ans-gone``. Both are signed words of the registry.
    """
    asked = AnsName.parse(name)
    optional = frozenset({"record", "receipt"})
    shape.closed(answer, "answer", frozenset({"freshness"}), optional)
    token = answer["freshness"]
    check_freshness(token, registry, key)
    if token["query"] != query_digest(asked):
        raise error("ans-signature", "the answer is to another question")
    start, end = shape.time(token["time"], "time"), shape.time(token["validUntil"], "validUntil")
    if at >= end or start > at + SKEW_SECONDS:
        raise error("ans-stale", f"the answer was good until {token['validUntil']}")
    if token["status"] == "not-found":
        raise error("ans-not-found", f"{name} is not registered here")
    if token["status"] != "active":
        reason = f": {token['reason']}" if "reason" in token else ""
        raise error("ans-gone", f"{name} is {token['status']}{reason}")
    if not optional <= answer.keys():
        raise error("ans-signature", "an active name comes with its record and receipt")
    record, receipt = answer["record"], answer["receipt"]
    own = check_record(record)
    leaf = check_receipt(receipt, registry, log).leaf
    same = (
        isinstance(leaf, NameLeaf)
        and own.key == asked.key == leaf.name.key
        and digest_of(record) == token.get("record") == leaf.record
        and leaf.agent == record["agent"]
        and leaf.key == record_key(record)
    )
    if not same:
        raise error("ans-signature", "record, receipt and freshness token do not belong together")
    if at >= shape.time(record["expires"], "expires"):
        raise error("ans-stale", "the record has expired")
    sponsor = record["sponsorship"]["sponsor"]
    return Resolution(
        record["name"],
        record["agent"],
        dict(record["endpoints"]),
        sponsor["id"],
        sponsor["organization"],
        token["seq"],
        end,
        answer,
    )
