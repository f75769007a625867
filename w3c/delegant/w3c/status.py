"""Bitstring Status List 1.0 in general: any purpose, entries of any size, anybody's lists.

The chain's own lists are a closed profile of this specification and are read by
`delegant.credentials.status`, never here; what is read here no chain ever meets. Whether a
list is signed by whom it says is for the caller (`delegant.w3c.verify`); this module is the
data model (section 2) and the algorithms (section 3) around it.

``statusSize`` above 1 and ``statusMessage`` are read as section 2.1 has them (two to the power
of the size messages) and never written.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from delegant.credentials import shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.envelope import V2_CONTEXT
from delegant.credentials.errors import Error, error
from delegant.credentials.status import MIN_BITS, encode, inflate

from .xsd import instant

__all__ = [
    "ENTRY_TYPE",
    "LIST_TYPE",
    "MAX_LIST",
    "MIN_BITS",
    "Status",
    "check_entry",
    "document",
    "entries_of",
    "entry",
    "free_index",
    "is_set",
    "put",
    "read",
]

ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusListCredential"
MAX_LIST: Final = 1 << 20
"""Bytes a list may have when decompressed, unless the caller says otherwise."""
MAX_ENTRIES: Final = 16
"""Status entries a credential may have: each may cost a list."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,16}", re.ASCII)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\s\x00-\x1f\x7f]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Status:
    """What a list says of a credential.

    Attributes:
        value: 0 where nothing is set.
        purpose: the entry's.
        message: what the issuer calls this value; None where it gave no messages.
        stale: the list's own ``ttl`` has passed: a fresh one SHOULD be fetched.
    """

    value: int
    purpose: str
    message: str | None
    stale: bool

    @property
    def valid(self) -> bool:
        """Section 3.2: nothing is set."""
        return self.value == 0


# --- writing -------------------------------------------------------------------------------


def document(
    url: str,
    issuer: str,
    bits: bytes,
    *,
    purposes: Sequence[str],
    valid_from: int,
    valid_until: int | None = None,
    ttl: int | None = None,
) -> JsonObject:
    """The unsigned credential of a list (section 2.2); equal bits give equal text.

    Args:
        url: where the list is served; it is the credential's id too.
        bits: the whole bitstring, at least `MIN_BITS` bits.
        purposes: one or more; a single one is written as a string.
        valid_from, valid_until: seconds since 1970.
        ttl: milliseconds after which a reader fetches again.

    Raises:
        Malformed: ``status-length``, ``status-list``.
    """
    if len(bits) * 8 < MIN_BITS:
        raise error("status-length", f"a status list has at least {MIN_BITS} bits")
    if not purposes or len(set(purposes)) != len(purposes):
        raise error("status-list", "a status list has one or more purposes, each once")
    subject: JsonObject = {
        "id": f"{url}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purposes[0] if len(purposes) == 1 else list(purposes),
        "encodedList": encode(bits),
    }
    if ttl is not None:
        subject["ttl"] = ttl
    out: JsonObject = {
        "@context": [V2_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", LIST_TYPE],
        "issuer": issuer,
        "validFrom": shape.format_time(valid_from),
        "credentialSubject": subject,
    }
    if valid_until is not None:
        out["validUntil"] = shape.format_time(valid_until)
    return out


def entry(url: str, index: int, purpose: str) -> JsonObject:
    """The ``credentialStatus`` of one credential (section 2.1)."""
    return {
        "id": f"{url}#{index}",
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": url,
    }


def free_index(
    taken: Collection[int],
    size: int = MIN_BITS,
    *,
    draw: Callable[[int], int] = secrets.randbelow,
) -> int:
    """A random index that is not taken, so that it tells nothing of when it was (2.1).

    Args:
        taken: every index in use, decoys too.
        size: entries of the list.
        draw: a number below its argument, from the system's randomness.

    Raises:
        Rejected: ``status-range`` when three quarters are taken: begin another list.
    """
    if 4 * len(taken) >= 3 * size:
        raise error("status-range", "the status list is three quarters full")
    while (index := draw(size)) in taken:
        pass
    return index


def is_set(bits: bytes | bytearray, index: int) -> bool:
    """The bit at an index, counted from the left (7.1)."""
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))


def put(bits: bytearray, index: int, value: bool) -> None:
    """Set or clear the bit at an index."""
    mask = 0x80 >> (index & 7)
    bits[index >> 3] = bits[index >> 3] | mask if value else bits[index >> 3] & ~mask


# --- reading -------------------------------------------------------------------------------


def entries_of(credential: JsonObject) -> list[JsonObject]:
    """The status entries of this kind in a credential; others are not ours to read.

    Raises:
        Malformed: ``status-list``. LimitExceeded: ``limit-items``.
    """
    found = credential.get("credentialStatus", [])
    items = found if type(found) is list else [found]
    if len(items) > MAX_ENTRIES:
        raise error("limit-items", f"{len(items)} status entries, {MAX_ENTRIES} are allowed")
    if any(type(one) is not dict for one in items):
        raise error("status-list", "credentialStatus is not an object or a list of objects")
    return [one for one in items if _is(one.get("type"), ENTRY_TYPE)]


@dataclass(frozen=True, slots=True)
class _Entry:
    url: str
    index: str
    purpose: str
    size: int
    messages: dict[int, str] | None


def check_entry(value: Json) -> str:
    """Hold an entry to every MUST of section 2.1; the URL of its list.

    Raises:
        Malformed: ``status-list``.
    """
    return _entry(value).url


def read(
    listed: Json,
    entry: Json,
    *,
    at: int,
    most: int = MAX_LIST,
    issuers: Collection[str] | None = None,
    fetched: int | None = None,
) -> Status:
    """What a list credential says of the credential with this entry (section 3.2).

    Args:
        listed: the list credential, whose proof the caller has verified.
        entry: the ``BitstringStatusListEntry``.
        at: seconds since 1970.
        most: bytes the list may have when decompressed.
        issuers: who may have issued the list; None: the caller looks at that. The
            specification lets it be another than the credential's issuer, and leaves it to
            the verifier to trust both.
        fetched: when the list was fetched, for its ``ttl``; by default its ``validFrom``.

    Raises:
        Malformed: ``status-list``, ``status-length``, ``status-index``.
        LimitExceeded: ``limit-size``. Undecided: ``status-unknown`` for a list of another
        purpose, place or issuer, ``status-stale`` for one before or after its own validity.
    """
    wanted = _entry(entry)
    subject = _subject(listed, wanted.url)
    if issuers is not None and _issuer(listed) not in issuers:
        raise error("status-unknown", "the status list is by nobody who may say so")
    begins, ends = _bound(listed, "validFrom"), _bound(listed, "validUntil")
    if begins is not None and at < begins:
        raise error("status-stale", "the status list is not valid yet")
    if ends is not None and at >= ends:
        raise error("status-stale", "the status list is no longer valid")
    if wanted.purpose not in _purposes(subject):
        raise error("status-unknown", f"the list is not about {wanted.purpose[:40]!r}")
    ttl = _ttl(subject)
    value = _value(subject["encodedList"], wanted, most)
    since = begins if fetched is None else fetched
    stale = ttl is not None and since is not None and 1000 * (at - since) > ttl
    return Status(value, wanted.purpose, _message(wanted, value), stale)


def _is(value: Json, name: str) -> bool:
    """Whether a ``type`` includes a name."""
    return value == name or (type(value) is list and name in value)


def _malformed(detail: str) -> Error:
    return error("status-list", detail)


def _url(value: Json, where: str) -> str:
    if type(value) is not str or len(value) > shape.MAX_URL or not _URL.fullmatch(value):
        raise _malformed(f"{where} is not a URL")
    return value


def _entry(value: Json) -> _Entry:
    if type(value) is not dict or not _is(value.get("type"), ENTRY_TYPE):
        raise _malformed(f"not a {ENTRY_TYPE}")
    url = _url(value.get("statusListCredential"), "statusListCredential")
    if "id" in value and _url(value["id"], "id") == url:
        raise _malformed("the id of an entry is not the URL of its list")
    purpose, index = value.get("statusPurpose"), value.get("statusListIndex")
    if type(purpose) is not str or not purpose:
        raise _malformed("statusPurpose of an entry is a string")
    if type(index) is not str or not _INDEX.fullmatch(index):
        raise _malformed("statusListIndex is a whole number in base 10, as a string")
    size = value.get("statusSize", 1)
    if type(size) is not int or not 0 < size <= shape.MAX_SET:
        raise _malformed("statusSize is a whole number above zero")
    if "statusReference" in value:
        found = value["statusReference"]
        for one in found if type(found) is list and found else [found]:
            _url(one, "statusReference")
    return _Entry(url, index, purpose, size, _messages(value, size, purpose))


def _messages(value: JsonObject, size: int, purpose: str) -> dict[int, str] | None:
    if "statusMessage" not in value:
        if size > 1 or purpose == "message":
            raise _malformed("statusMessage is missing: what would the value mean?")
        return None
    items = value["statusMessage"]
    if type(items) is not list or len(items) != 1 << size:
        raise _malformed(f"statusMessage is a list of {1 << size} for a statusSize of {size}")
    out: dict[int, str] = {}
    for item in items:
        status, text = (item.get("status"), item.get("message")) if type(item) is dict else (0, 0)
        if type(status) is not str or not _HEX.fullmatch(status) or type(text) is not str:
            raise _malformed("a statusMessage has status, as 0x1f, and message")
        out[int(status, 16)] = text
    if sorted(out) != list(range(1 << size)):
        raise _malformed("statusMessage does not name each value once")
    return out


def _message(wanted: _Entry, value: int) -> str | None:
    return None if wanted.messages is None else wanted.messages[value]


def _subject(listed: Json, url: str) -> JsonObject:
    if type(listed) is not dict or not _is(listed.get("type"), LIST_TYPE):
        raise _malformed(f"not a {LIST_TYPE}")
    if "id" in listed and listed["id"] != url:
        raise error("status-unknown", "the list says that its place is another")
    subject = listed.get("credentialSubject")
    if type(subject) is list and len(subject) == 1:
        subject = subject[0]
    if type(subject) is not dict or subject.get("type") not in (
        "BitstringStatusList",
        ["BitstringStatusList"],
    ):
        raise _malformed("credentialSubject is not one BitstringStatusList")
    encoded = subject.get("encodedList")
    if type(encoded) is not str or not encoded.startswith("u"):
        raise _malformed("encodedList is not multibase u")
    return subject


def _issuer(listed: JsonObject) -> str:
    found = listed.get("issuer")
    named = found.get("id") if type(found) is dict else found
    return named if type(named) is str else ""


def _bound(listed: JsonObject, name: str) -> Fraction | None:
    return instant(listed[name], name) if name in listed else None


def _purposes(subject: JsonObject) -> list[str]:
    found = subject.get("statusPurpose")
    items = found if type(found) is list else [found]
    texts = [one for one in items if type(one) is str and one]
    if not items or len(texts) != len(items):
        raise _malformed("statusPurpose of a list is one or more strings")
    return texts


def _ttl(subject: JsonObject) -> int | None:
    ttl = subject.get("ttl")
    if ttl is not None and (type(ttl) is not int or ttl < 0):
        raise _malformed("ttl is a number of milliseconds")
    return ttl


def _value(encoded: str, wanted: _Entry, most: int) -> int:
    try:
        bits = inflate(encoded, most)
    except Error as exc:
        if exc.code == "encoding":
            raise _malformed(exc.detail) from None
        raise
    length = 8 * len(bits)
    if length < MIN_BITS * wanted.size:
        raise error("status-length", f"{length} bits are fewer than {MIN_BITS} entries")
    # A longer number is beyond any list; reading it would only cost.
    start = int(wanted.index) * wanted.size if len(wanted.index) <= 19 else length
    if start + wanted.size > length:
        raise error("status-index", f"entry {wanted.index[:24]} of a list of {length} bits")
    value = 0
    for place in range(start, start + wanted.size):
        value = value << 1 | is_set(bits, place)
    return value
