"""Building answers, by whoever signs them: what `answer` and `fresh` describe and check.

Pure: the parts are told, and believed by whoever tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from delegant.credentials import PrivateKey, canonical, digest, shape
from delegant.credentials.codec import Json, JsonObject

from .answer import STATUS
from .attested import Verdict
from .fresh import FRESH_SECONDS, Attested
from .log.checkpoint import Checkpoint
from .log.note import b64_encode
from .matching import Candidate, attested
from .query import Query
from .shown import listing2
from .signing import members, sign

__all__ = ["HTTP_STATUS", "instant", "new_answer", "new_entry", "new_token", "resolved"]

HTTP_STATUS: Final = {"success": 200, "not-found": 404, "suspended": 403, "gone": 410}
"""By ``resolutionStatus``."""


def new_entry(
    candidate: Candidate,
    record: JsonObject,
    verdict: Verdict,
    *,
    epoch: int,
    seq: int,
    event: str,
    digest: str,
    index: int,
    at: int,
) -> JsonObject:
    """What a token says of one name.

    Args:
        candidate: the name as it was judged.
        record: what it stands for.
        verdict: on the attestations of its agent.
        event: the digest of its newest event.
        digest: that of its record.
        index: where the event that brought the record stands in the log.
        at: when it was judged, seconds since 1970.
    """
    active = candidate.status == "active"
    health = candidate.health
    unattested = candidate.capabilities
    if candidate.attestations:
        unattested = [one for one in unattested if not attested(candidate, one, at)]
    return members(
        name=record["name"],
        agent=record["agent"],
        epoch=epoch,
        seq=seq,
        status=candidate.status,
        event=event,
        record=digest,
        index=index,
        successor=record.get("successor"),
        attestations=[_attested(one) for one in verdict.counted if active] or None,
        unattested=sorted(unattested) if active and unattested else None,
        health=None
        if health is None or not active
        else {"status": health[0], "at": shape.format_time(health[1])},
    )


def _attested(one: Attested) -> JsonObject:
    return members(
        type=one.type,
        issuer=one.issuer,
        issued=shape.format_time(one.issued),
        validUntil=shape.format_time(one.valid_until),
        digestMultibase=one.digest,
        capabilities=None if one.capabilities is None else sorted(one.capabilities),
    )


def resolved(
    record: JsonObject, receipt: JsonObject, entry: JsonObject, query: Query
) -> JsonObject:
    """One item of ``resolvedAgents``."""
    return {**listing2(record, entry, query.protocol), "record": record, "receipt": receipt}


def new_token(
    key: PrivateKey,
    registry: str,
    query: Query,
    status: str,
    entries: Sequence[JsonObject],
    head: Checkpoint,
    *,
    at: int,
    until: int | None = None,
    total: int | None = None,
    trace: Sequence[JsonObject] | None = None,
    reason: str | None = None,
    since: int | None = None,
) -> JsonObject:
    """A freshness token, signed.

    Args:
        head: the state of the log that was read.
        at: now; ``until`` cuts the minute short, where something ends before.
        total: how many names answer the question, where that is known.
        trace: what was left out, and why.
        reason, since: of a name that is gone or suspended.
    """
    end = at + FRESH_SECONDS if until is None else min(at + FRESH_SECONDS, until)
    token = members(
        version=1,
        registry=registry,
        query=query.digest,
        status=status,
        entries=list(entries),
        total=total,
        trace=None if trace is None else digest(canonical(list(trace), floats=False)),
        log={"origin": head.origin, "size": head.size, "root": b64_encode(head.root)},
        time=_written(at),
        validUntil=_written(end),
        reason=reason,
        since=None if since is None else shape.format_time(since),
    )
    return sign(token, key, registry, at, floats=False)


@lru_cache(64)
def instant(text: str) -> int:
    """An instant that a token states, seconds since 1970."""
    return shape.time(text, "freshness.time")


@lru_cache(16)
def _written(at: int) -> str:
    """An instant as text; most answers of a second speak of the same two."""
    return shape.format_time(at)


def new_answer(
    query: Query,
    token: JsonObject,
    agents: Sequence[JsonObject] = (),
    *,
    last: JsonObject | None = None,
    trace: Sequence[JsonObject] | None = None,
) -> JsonObject:
    """The answer around a token.

    Args:
        last: ``{event, receipt}``, the newest of a name that is gone or suspended.
    """
    parts: dict[str, Any] = {
        "version": 1,
        "query": query.json,
        "resolutionStatus": STATUS[token["status"]],
        "resolvedAgents": list(agents),
        "last": last,
        "freshness": token,
        "trace": None if trace is None else list(trace),
    }
    out: dict[str, Json] = members(**parts)
    return out
