"""The verifier's own side: whom it trusts, how far, and how fresh evidence must be.

Read from the trust folder (closed format), never from anything presented:

    {"version": 1,
     "anchors": [{"id", "keys": ["z6Mk…"], "subjects"?: ["did:key:**"],
                  "ceiling"?: [{"actions", "resources"}], "accredits"?: […],
                  "maxGrantSeconds"?: 900, "maxMandateSeconds"?: 604800,
                  "maxStatusAge"?: {"low": 3600, "high": 300}, "requireFeed"?: false}],
     "registries"?: [{"id", "keys", "url"?, "log"?, "witnesses"?, "quorum"?}],
     "audits"?: [{"id", "keys", "log", "witnesses"?, "quorum"?}],
     "resolvers"?: [{"id", "keys", "url"?}],
     "verifier"?: {"id", "ledgers"?, "limits"?, "lowSensitivity"?: [resource patterns]},
     "seen"?: {"revision"?: {…}, "lists"?: {…}, "feeds"?: {…}}}

An anchor with ``subjects`` is an organisation that attests humans; one without is a human
pinned directly. An anchor without a ceiling has no authority here. With ``requireFeed`` nothing
below the anchor is accepted without a fresh revocation feed; so it is, unasked, once ``seen`` has
met a feed of the authority, or whoever is revoked would only have to leave it out.

A registry's ``log`` is the key its checkpoints are signed with, ``witnesses`` the keys that may
cosign them, ``quorum`` how many of those must: C2SP note keys, kept here as text alone. So it is
with the audit logs in ``audits``, whose ``keys`` sign receipts of what was done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from . import capability, did, shape
from .budget import Limits
from .capability import Authority
from .codec import Json, JsonObject, parse_object
from .credential import GRANT_HARD_SECONDS, MANDATE_HARD_SECONDS, read_dids
from .did import Did
from .documents import Resolved
from .errors import error
from .keys import PublicKey
from .resource import covers_resource, resource_pattern

__all__ = ["Anchor", "Peer", "Seen", "Trust"]

MAX_TRUST: Final = 1024 * 1024
MAX_ANCHORS: Final = 256
DEFAULT_GRANT_SECONDS: Final = 900
DEFAULT_MANDATE_SECONDS: Final = 7 * 86400
DEFAULT_STATUS_AGE: Final = {"low": 3600, "high": 300}
MAX_WITNESSES: Final = 16


@dataclass(frozen=True, slots=True)
class Anchor:
    """An organisation (or a human pinned directly) this verifier trusts, up to a ceiling."""

    id: Did
    keys: tuple[PublicKey, ...]
    subjects: tuple[str, ...] | None
    ceiling: Authority
    accredits: tuple[str, ...]
    max_grant: int
    max_mandate: int
    max_status_age: Mapping[str, int]
    require_feed: bool = False

    def speaks_for(self, human: str) -> bool:
        """Whether the anchor may attest this DID."""
        return any(
            subject == human or (subject.endswith(":**") and human.startswith(subject[:-2]))
            for subject in self.subjects or ()
        )


@dataclass(frozen=True, slots=True)
class Peer:
    """A naming registry, or an audit log, as the trust folder names it.

    Without a ``log`` none of a registry's answers counts.

    Attributes:
        keys: those it signs answers, or receipts, with.
        url: where it is reached, if the folder says so.
        log: the note key of its log, as text; read by whoever checks a checkpoint.
        witnesses: the note keys of those who may cosign, as text.
        quorum: how many of them must.
    """

    keys: tuple[PublicKey, ...]
    url: str | None = None
    log: str | None = None
    witnesses: tuple[str, ...] = ()
    quorum: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest things met so far. The edge writes it after a verdict; the core only reads."""

    revision: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, int] = field(default_factory=dict)
    feeds: Mapping[str, int] = field(default_factory=dict)

    def merged(self, other: Seen) -> Seen:
        """The newer of both, one by one."""
        return Seen(
            _newest(self.revision, other.revision),
            _newest(self.lists, other.lists),
            _newest(self.feeds, other.feeds),
        )

    def covers(self, other: Seen) -> bool:
        """Whether the other holds nothing newer."""
        pairs = (
            (self.revision, other.revision),
            (self.lists, other.lists),
            (self.feeds, other.feeds),
        )
        return all(own.get(name, 0) >= at for own, new in pairs for name, at in new.items())

    @property
    def json(self) -> JsonObject:
        """The ``seen`` member of the trust folder."""
        return {
            "revision": dict(self.revision),
            "lists": {url: shape.format_time(when) for url, when in self.lists.items()},
            "feeds": dict(self.feeds),
        }


def _newest(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: max(a.get(name, 0), b.get(name, 0)) for name in {**a, **b}}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Trust:
    """A parsed trust folder. ``verifier`` is None until the folder names the verifier.

    ``documents`` is not in the folder: the edge hands over what it fetched (`with_documents`).
    """

    anchors: Mapping[str, Anchor]
    verifier: Did | None = None
    ledgers: frozenset[str] = frozenset()
    limits: Limits = Limits()
    low_sensitivity: tuple[str, ...] = ()
    registries: Mapping[str, Peer] = field(default_factory=dict)
    seen: Seen = Seen()
    resolvers: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    documents: Mapping[str, tuple[Resolved, ...]] = field(default_factory=dict)
    audits: Mapping[str, Peer] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """Read ``trust.json``.

        Raises:
            Malformed, Undecided, Rejected: ``shape``, ``unknown-member``, ``unknown-version``,
            ``key-weak``, ``did-key-mismatch`` and the rest of phases 2, 3 and 6.
        """
        return cls.from_json(parse_object(data, size=MAX_TRUST))

    @classmethod
    def from_json(cls, value: Json) -> Trust:
        """From a parsed JSON object."""
        shape.closed(value, "trust", frozenset({"version", "anchors"}), _OPTIONAL)
        if shape.integer(value["version"], "trust.version", 1) != 1:
            raise error("unknown-version", "trust.version is not 1")
        if type(value["anchors"]) is not list or len(value["anchors"]) > MAX_ANCHORS:
            raise error("shape", f"anchors is not a list of at most {MAX_ANCHORS}")
        anchors = [_anchor(item) for item in value["anchors"]]
        by_id: dict[str, Anchor] = {anchor.id: anchor for anchor in anchors}
        if len(by_id) != len(anchors):
            raise error("shape", "an anchor stands twice")
        own = value.get("verifier", {})
        shape.closed(own, "verifier", frozenset({"id"}) if own else frozenset(), _VERIFIER)
        return cls(
            by_id,
            did.check(own["id"]) if "id" in own else None,
            read_dids(own["ledgers"], "verifier.ledgers") if "ledgers" in own else frozenset(),
            Limits.from_json(own.get("limits", {})),
            shape.array_of(own["lowSensitivity"], "verifier.lowSensitivity", resource_pattern)
            if "lowSensitivity" in own
            else (),
            _registries(value),
            _seen(value.get("seen", {})),
            _resolvers(value),
            audits=_audits(value),
        )

    def with_seen(self, seen: Seen) -> Trust:
        """This trust, remembering more."""
        return replace(self, seen=self.seen.merged(seen))

    def with_documents(self, found: Iterable[Resolved]) -> Trust:
        """This trust, and DID documents this verifier fetched itself; in place of earlier ones.

        They can only take keys away. Whoever hands one over answers for it: that it came from
        where the DID says, or follows from a did:webvh log down from its SCID.
        """
        by_did: dict[str, tuple[Resolved, ...]] = {}
        for one in found:
            by_did[one.did] = (*by_did.get(one.did, ()), one)
        return replace(self, documents=by_did)

    def sensitivity(self, resource: str | None) -> str:
        """``low`` where local policy says so, else ``high``."""
        if resource is not None and any(
            covers_resource(pattern, resource) for pattern in self.low_sensitivity
        ):
            return "low"
        return "high"


_OPTIONAL: Final = frozenset({"registries", "audits", "resolvers", "verifier", "seen"})
_VERIFIER: Final = frozenset({"id", "ledgers", "limits", "lowSensitivity"})
_ANCHOR_OPTIONAL: Final = frozenset(
    {
        "subjects",
        "ceiling",
        "accredits",
        "maxGrantSeconds",
        "maxMandateSeconds",
        "maxStatusAge",
        "requireFeed",
    }
)


def _anchor(value: Json) -> Anchor:
    shape.closed(value, "anchor", frozenset({"id", "keys"}), _ANCHOR_OPTIONAL)
    name = did.check(value["id"])
    ages = value.get("maxStatusAge", DEFAULT_STATUS_AGE)
    shape.closed(ages, "maxStatusAge", frozenset({"low", "high"}))
    return Anchor(
        name,
        _keys(name, value["keys"]),
        shape.array_of(value["subjects"], "subjects", _subject) if "subjects" in value else None,
        Authority(capability.parse_grants(value["ceiling"], "ceiling"))
        if "ceiling" in value
        else Authority(()),
        shape.array_of(value["accredits"], "accredits", shape.text) if "accredits" in value else (),
        shape.integer(
            value.get("maxGrantSeconds", DEFAULT_GRANT_SECONDS),
            "maxGrantSeconds",
            1,
            GRANT_HARD_SECONDS,
        ),
        shape.integer(
            value.get("maxMandateSeconds", DEFAULT_MANDATE_SECONDS),
            "maxMandateSeconds",
            1,
            MANDATE_HARD_SECONDS,
        ),
        {level: shape.integer(ages[level], f"maxStatusAge.{level}", 1) for level in ages},
        shape.boolean(value.get("requireFeed", False), "requireFeed"),
    )


def _keys(name: Did, value: Json) -> tuple[PublicKey, ...]:
    keys = _public(value)
    own = did.key_of(name)
    if own is not None and keys != (own,):
        raise error("did-key-mismatch", f"the keys of {name} are not its own")
    return keys


def _public(value: Json) -> tuple[PublicKey, ...]:
    texts = shape.array_of(value, "keys", lambda item, where: shape.text(item, where, 128), 8)
    return tuple(PublicKey.from_multikey(text) for text in texts)


def _subject(value: Json, where: str) -> str:
    text = shape.text(value, where, did.MAX_LENGTH)
    if text.endswith(":**"):
        did.check(text[:-3] + ":x")
        return text
    return did.check(text)


_PEER: Final = frozenset({"id", "keys"})
_LOG: Final = frozenset({"log", "witnesses", "quorum"})
_NOTE_KEY: Final = re.compile(r"[!-~]{1,512}", re.ASCII)


def _resolvers(value: JsonObject) -> dict[str, tuple[PublicKey, ...]]:
    out: dict[str, tuple[PublicKey, ...]] = {}
    for item in shape.array(value["resolvers"], "resolvers") if "resolvers" in value else []:
        shape.closed(item, "resolvers", _PEER, frozenset({"url"}))
        name = did.check(item["id"])
        out[name] = _keys(name, item["keys"])
    return out


def _registries(value: JsonObject) -> dict[str, Peer]:
    out: dict[str, Peer] = {}
    for item in shape.array(value["registries"], "registries") if "registries" in value else []:
        shape.closed(item, "registries", _PEER, _LOG | {"url"})
        name = did.check(item["id"])
        if name in out:
            raise error("shape", "a registry stands twice")
        out[name] = _peer(item, _keys(name, item["keys"]))
    return out


def _audits(value: JsonObject) -> dict[str, Peer]:
    out: dict[str, Peer] = {}
    for item in shape.array(value["audits"], "audits") if "audits" in value else []:
        shape.closed(item, "audits", _PEER | {"log"}, _LOG)
        name = did.check(item["id"])
        if name in out:
            raise error("shape", "an audit log stands twice")
        out[name] = _peer(item, _public(item["keys"]))  # receipts have keys of their own
    return out


def _peer(item: JsonObject, keys: tuple[PublicKey, ...]) -> Peer:
    if ("witnesses" in item) != ("quorum" in item) or ("quorum" in item and "log" not in item):
        raise error("shape", "witnesses and quorum go together, and with a log")
    witnesses: tuple[str, ...] = ()
    if "witnesses" in item:
        found = shape.string_set(item["witnesses"], "witnesses", _note_key, MAX_WITNESSES)
        witnesses = tuple(sorted(found))
    return Peer(
        keys,
        shape.url(item["url"], "registries.url") if "url" in item else None,
        _note_key(item["log"], "registries.log") if "log" in item else None,
        witnesses,
        shape.integer(item["quorum"], "registries.quorum", 1, len(witnesses)) if witnesses else 0,
    )


def _note_key(value: Json, where: str) -> str:
    if type(value) is not str or not _NOTE_KEY.fullmatch(value):
        raise error("shape", f"{where} is not a note key: name+hash+key")
    return value


def _seen(value: Json) -> Seen:
    shape.closed(value, "seen", frozenset(), frozenset({"revision", "lists", "feeds"}))
    revision, lists, feeds = (value.get(name, {}) for name in ("revision", "lists", "feeds"))
    if type(revision) is not dict or type(lists) is not dict or type(feeds) is not dict:
        raise error("shape", "seen.revision, seen.lists and seen.feeds are objects")
    return Seen(
        {human: shape.integer(number, "seen.revision") for human, number in revision.items()},
        {url: shape.time(when, "seen.lists") for url, when in lists.items()},
        {name: shape.integer(number, "seen.feeds") for name, number in feeds.items()},
    )
