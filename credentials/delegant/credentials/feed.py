"""The revocation feed: everything a status authority has revoked for good, in one signed list.

A compact JWS, ``typ: revocation-feed+jwt``, whose payload is closed:

    {"version": 1, "id": URL, "issuer": DID, "seq": 7, "validFrom": …, "validUntil": …,
     "entries"?: [{"kind": "link" | "did" | "sponsor", "id", "at", "by", "reason"}]}

An authority has one feed (DESIGN, rule 18). ``seq`` rises with every change of the entries;
``entries`` is absent while there are none. ``link`` kills that link, ``did`` every chain with
that DID on its path, ``sponsor`` every chain of that human. ``at``, ``by`` and ``reason`` are
the record of it: an entry kills whenever it says it was made and whoever it says asked for it,
because the authority that signs it could set the bits of a list just as well, and a verifier
that weighed them would turn what is revoked into what is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from . import did, shape
from .codec import Json, JsonObject
from .did import Did
from .envelope import Secured, SignedToken, unpack_token
from .errors import error

__all__ = ["Revocation", "RevocationFeed", "document", "parse_feed", "unpack_feed"]

FEED_TYPE: Final = "revocation-feed+jwt"
KINDS: Final = ("link", "did", "sponsor")
MAX_ENTRIES: Final = 2048
MAX_FEED: Final = 1024 * 1024
_MEMBERS: Final = 6 * MAX_ENTRIES + 16

_FEED: Final = frozenset({"version", "id", "issuer", "seq", "validFrom", "validUntil"})
_ENTRIES: Final = frozenset({"entries"})
_ENTRY: Final = frozenset({"kind", "id", "at", "by", "reason"})


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry: what is revoked, since when (seconds since 1970), on whose word, and why."""

    kind: str
    id: str
    at: int
    by: Did
    reason: str

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "kind": self.kind,
            "id": self.id,
            "at": shape.format_time(self.at),
            "by": self.by,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class RevocationFeed:
    """A parsed feed; `secured` is still to be checked by whoever knows the authority.

    Its entries are read when they are asked for: only of a feed whose signature holds.
    """

    secured: Secured
    url: str
    issuer: Did
    seq: int
    valid_from: int
    valid_until: int
    _raw: list[Json]
    _named: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def revokes(self) -> bool:
        """Whether it has any entry."""
        return bool(self._raw)

    @property
    def entries(self) -> tuple[Revocation, ...]:
        """What is revoked.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        by: dict[str, Did] = {}  # mostly one and the same
        return tuple([_entry(item, by) for item in self._raw])

    def names(self, kind: str) -> frozenset[str]:
        """The ids of one kind; all entries are read once.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        if not self._named:
            entries = self.entries
            for one in KINDS:
                self._named[one] = frozenset([each.id for each in entries if each.kind == one])
        return self._named[kind]


def unpack_feed(raw: object) -> SignedToken:
    """Take a feed apart (phase 2).

    Raises:
        LimitExceeded: ``limit-*``. Malformed: the codes of phase 2, ``shape``.
    """
    return unpack_token(raw, FEED_TYPE, size=MAX_FEED, members=_MEMBERS)


def parse_feed(secured: Secured) -> RevocationFeed:
    """Read a feed, but for its entries (phase 3).

    Raises:
        LimitExceeded: ``limit-items``. Malformed, Undecided: the codes of phase 3.
    """
    secured.open()
    value = secured.document
    if shape.integer(value.get("version"), "feed.version", 1) != 1:
        raise error("unknown-version", "feed.version is not 1")
    shape.closed(value, "feed", _FEED, _ENTRIES)
    start = shape.time(value["validFrom"], "validFrom")
    end = shape.time(value["validUntil"], "validUntil")
    if start >= end:
        raise error("shape", "validUntil is not after validFrom", dimension="validity")
    entries = shape.array(value["entries"], "entries", MAX_ENTRIES) if "entries" in value else []
    return RevocationFeed(
        secured,
        shape.url(value["id"], "id"),
        did.check(value["issuer"]),
        shape.integer(value["seq"], "seq", 1),
        start,
        end,
        entries,
    )


def _entry(value: Json, known: dict[str, Did]) -> Revocation:
    shape.closed(value, "entries", _ENTRY)
    kind = shape.one_of(value["kind"], "kind", KINDS)
    name: Any = value["id"]
    by: Any = value["by"]
    if type(by) is not str or by not in known:
        known[did.check(by)] = Did(by)
    return Revocation(
        kind,
        shape.uuid_urn(name, "id") if kind == "link" else did.check(name),
        shape.time(value["at"], "at"),
        known[by],
        shape.text(value["reason"], "reason"),
    )


def document(
    url: str,
    issuer: str,
    seq: int,
    entries: Iterable[Revocation],
    valid_from: int,
    valid_until: int,
) -> JsonObject:
    """The payload of a feed.

    Args:
        url: where it is served.
        seq: one more than that of the last feed with other entries.
        valid_from, valid_until: seconds since 1970.
    """
    out: JsonObject = {
        "version": 1,
        "id": url,
        "issuer": issuer,
        "seq": seq,
        "validFrom": shape.format_time(valid_from),
        "validUntil": shape.format_time(valid_until),
    }
    own = [entry.json for entry in entries]
    return out | {"entries": own} if own else out
