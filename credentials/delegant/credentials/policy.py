"""The verifier's own side: whom it trusts, how far, and how fresh evidence must be.

Read from the trust folder (closed format), never from anything presented:

    {"version": 1,
     "anchors": [{"id", "keys": ["z6Mk…"], "subjects"?: ["did:key:**"],
                  "ceiling"?: [{"actions", "resources"}], "accredits"?: […],
                  "maxGrantSeconds"?: 900, "maxMandateSeconds"?: 604800,
                  "maxStatusAge"?: {"low": 3600, "high": 300}, "requireFeed"?: false}],
     "registries"?: [{"id", "keys", "url"?}], "resolvers"?: [{"id", "keys"}],
     "verifier"?: {"id", "ledgers"?, "limits"?, "lowSensitivity"?: [resource patterns]},
     "seen"?: {"revision"?: {…}, "lists"?: {…}, "feeds"?: {…}}}

An anchor with ``subjects`` is an organisation that attests humans; one without is a human
pinned directly. An anchor without a ceiling has no authority here. With ``requireFeed`` nothing
below the anchor is accepted without a fresh revocation feed; so it is, unasked, once ``seen`` has
met a feed of the authority, or whoever is revoked would only have to leave it out.
"""

from __future__ import annotations

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

__all__ = ["Anchor", "Seen", "Trust"]

MAX_TRUST: Final = 1024 * 1024
MAX_ANCHORS: Final = 256
DEFAULT_GRANT_SECONDS: Final = 900
DEFAULT_MANDATE_SECONDS: Final = 7 * 86400
DEFAULT_STATUS_AGE: Final = {"low": 3600, "high": 300}


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


@dataclass(frozen=True, slots=True)
class Trust:
    """A parsed trust folder. ``verifier`` is None until the folder names the verifier.

    ``documents`` is not in the folder: the edge hands over what it fetched (`with_documents`).
    """

    anchors: Mapping[str, Anchor]
    verifier: Did | None = None
    ledgers: frozenset[str] = frozenset()
    limits: Limits = Limits()
    low_sensitivity: tuple[str, ...] = ()
    registries: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    seen: Seen = Seen()
    resolvers: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    documents: Mapping[str, tuple[Resolved, ...]] = field(default_factory=dict)

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
            _peers(value, "registries"),
            _seen(value.get("seen", {})),
            _peers(value, "resolvers"),
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


_OPTIONAL: Final = frozenset({"registries", "resolvers", "verifier", "seen"})
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
    texts = shape.array_of(value, "keys", lambda item, where: shape.text(item, where, 128), 8)
    keys = tuple(PublicKey.from_multikey(text) for text in texts)
    own = did.key_of(name)
    if own is not None and keys != (own,):
        raise error("did-key-mismatch", f"the keys of {name} are not its own")
    return keys


def _subject(value: Json, where: str) -> str:
    text = shape.text(value, where, did.MAX_LENGTH)
    if text.endswith(":**"):
        did.check(text[:-3] + ":x")
        return text
    return did.check(text)


def _peers(value: JsonObject, group: str) -> dict[str, tuple[PublicKey, ...]]:
    out: dict[str, tuple[PublicKey, ...]] = {}
    for item in shape.array(value[group], group) if group in value else []:
        shape.closed(item, group, frozenset({"id", "keys"}), frozenset({"url"}))
        name = did.check(item["id"])
        out[name] = _keys(name, item["keys"])
    return out


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
