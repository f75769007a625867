"""The signed documents of the naming service: record, event, receipt, freshness token.

All are closed JSON objects. The agent signs records and, with its sponsor, its provider's
organisation and the registry, events (`record`, `events`); a receipt is an entry of the log with
its proof (`receipt`); the registry signs freshness tokens.

    freshness {version, registry, query, status, record?, seq?, reason?, time, validUntil}
"""

from __future__ import annotations

from typing import Final

from delegant.credentials import PublicKey, canonical, digest, shape
from delegant.credentials.codec import Json
from delegant.credentials.errors import error

from .events import check_consent, check_event, read_event
from .lifecycle import EVENTS, STATES
from .name import AnsName
from .receipt import Logged, check_receipt
from .record import MAX_TTL, check_record, record_key
from .signing import check, cosign, digest_of, members, sign, version

__all__ = [
    "EVENTS",
    "MAX_TTL",
    "STATUSES",
    "Logged",
    "check",
    "check_consent",
    "check_event",
    "check_freshness",
    "check_receipt",
    "check_record",
    "cosign",
    "digest_of",
    "members",
    "query_digest",
    "read_event",
    "record_key",
    "sign",
]

STATUSES: Final = (*STATES, "not-found")
_FRESH: Final = frozenset({"version", "registry", "query", "status", "time", "validUntil", "proof"})


def query_digest(name: AnsName) -> str:
    """What a freshness token says was asked."""
    return digest(canonical({"name": name.key}))


def check_freshness(value: Json, registry: str, key: PublicKey | None = None) -> None:
    """Shape and signature of a freshness token.

    Raises:
        Malformed: ``shape``. Rejected: ``ans-signature``.
    """
    version(value, "freshness")
    shape.closed(value, "freshness", _FRESH, frozenset({"record", "seq", "reason"}))
    shape.one_of(value["status"], "freshness.status", STATUSES)
    shape.time(value["time"], "freshness.time")
    shape.time(value["validUntil"], "freshness.validUntil")
    if value["registry"] != registry:
        raise error("ans-signature", "an answer of another registry")
    check(value, registry, key)
