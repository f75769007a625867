"""From the bytes of a log to the document of a version (did:webvh 1.0, Read)."""

from __future__ import annotations

from typing import Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import CODES, Error, error
from delegant.w3c.resolution import Resolution

from .identifier import read
from .log import Entry, History, history
from .services import with_services
from .times import written
from .witness import witnessed

__all__ = ["document_from_pin", "failed", "resolve"]

_CONTENT_TYPE: Final = "application/did+ld+json"
_NOT_FOUND: Final = ("did-not-found", "not-found", "did-options")


def resolve(
    did: str,
    log: bytes,
    *,
    witness: bytes | None,
    at: int,
    version_id: str | None = None,
    version_number: int | None = None,
    version_time: int | None = None,
    services: bool = True,
) -> Resolution:
    """The document of a did:webvh, worked out from its published log alone.

    Where a later entry does not hold, an earlier version is found only by asking for it, by
    ``version_id`` or ``version_number``, or by a time before an entry that holds.

    Args:
        did: what is resolved; some version that holds must be called so.
        log: the content of ``did.jsonl``.
        witness: the content of ``did-witness.json``; None where there is none.
        at: now, seconds since 1970.
        version_id: of the version wanted, in full.
        version_number: of the version wanted, from 1.
        version_time: the version in force at that time, seconds since 1970.
        services: whether the implicit services are added to the document.

    Returns:
        The document and its metadata, of a deactivated DID too: look at ``deactivated``.

    Raises:
        Malformed: ``did-invalid``, ``did-log``, ``did-document``, ``json`` and what else is
        wrong with the first entry that does not hold. LimitExceeded: ``limit-*``.
        Rejected: ``proof``, ``proof-purpose``, ``did-witness``. Undecided: ``unknown-version``,
        ``suite``. NotFound: ``did-not-found``.
    """
    who = read(did)
    seen = witnessed(history(log, at), witness)
    if not seen.entries:
        raise seen.failure or error("did-log", "a log without entries")
    if who.did not in [entry.name.did for entry in seen.entries]:
        raise error("did-document", f"no version of the log is called {who.did[:120]}")
    asked = (version_id, version_number, version_time)
    if asked == (None, None, None) and seen.failure is not None:
        raise seen.failure
    entry = _wanted(seen, version_id, version_number, version_time, at)
    document = with_services(entry.state) if services else entry.state
    return Resolution(document, {"contentType": _CONTENT_TYPE}, _metadata(seen, entry))


def document_from_pin(did: str, log: bytes, witness: bytes | None, at: int) -> Resolution:
    """The newest document that follows from a DID whose SCID is pinned, as it was signed.

    The DID holds the hash of the log's first entry, so whoever brings the log cannot bring
    another DID's. They can bring an old log: what is found may only take authority away.

    Raises:
        what `resolve` raises.
    """
    return resolve(did, log, witness=witness, at=at, services=False)


def _wanted(
    seen: History, version_id: str | None, number: int | None, moment: int | None, at: int
) -> Entry:
    found = [
        entry
        for entry in seen.entries
        if version_id in (None, entry.version_id) and number in (None, entry.number)
    ]
    if moment is not None:
        past = [entry for entry in seen.entries if entry.time <= (moment, 0)]
        if len(past) == len(seen.entries) and seen.failure is not None:
            raise seen.failure  # nobody knows when the version that fails came into force
        found = [entry for entry in found if entry in past[-1:] and moment <= at]
    if found:
        return found[-1]
    if seen.failure is not None:
        raise seen.failure
    raise error("did-not-found", "no such version")


def _metadata(seen: History, entry: Entry) -> JsonObject:
    last = seen.entries[-1]
    now = last.parameters
    out: JsonObject = {
        "versionId": entry.version_id,
        "versionNumber": entry.number,
        "versionTime": written(entry.time[0]),
        "created": written(seen.entries[0].time[0]),
        "updated": written(last.time[0]),
        "scid": now.scid,
        "portable": now.portable,
        "deactivated": now.deactivated,
        "ttl": str(now.ttl),
    }
    if now.watchers:
        out["watchers"] = list(now.watchers)
    if now.witness.keys:
        out["witness"] = now.witness.json
    return out


def failed(exc: Error) -> Resolution:
    """The result of a failure, in the two words did:webvh 1.0 has for it.

    A version that cannot be is one that is not found: the DID is not invalid for what is asked
    of it. Every reason is told in ``problemDetails`` (RFC 9457).
    """
    word = "notFound" if exc.code in _NOT_FOUND else "invalidDid"
    problem = {
        "type": exc.problem()["type"],
        "title": CODES[exc.code].meaning,
        "detail": exc.detail,
    }
    return Resolution(None, {"error": word, "problemDetails": problem}, {})
