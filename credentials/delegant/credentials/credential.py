"""The three credentials of a chain as parsed objects (VCDM 2.0, closed profile).

* `Link`: an ``AgentDelegationCredential``, human to agent to sub-agent.
* `HumanSponsor`: a ``HumanSponsorCredential``, organisation to human.
* `AgentIdentity`: an ``AgentIdentityCredential``, human (or parent agent) to agent.

A parsed object has the right shape and nothing more: its signature, time and status are the
verifier's to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from . import capability, did, shape
from .capability import Authority
from .codec import MAX_INT, Json, JsonObject
from .did import Did
from .envelope import Secured
from .errors import error

__all__ = [
    "GRANT_HARD_SECONDS",
    "MANDATE_HARD_SECONDS",
    "MAX_REMAINING",
    "HumanSponsor",
    "Lease",
    "Link",
    "StatusEntry",
    "parse_human_sponsor",
    "parse_link",
]

GRANT_HARD_SECONDS: Final = 3600
MANDATE_HARD_SECONDS: Final = 30 * 86400
SPONSOR_HARD_SECONDS: Final = 86400
IDENTITY_HARD_SECONDS: Final = 90 * 86400
STATUS_FREE_SECONDS: Final = 60
"""A grant that lives no longer than this may do without a status entry of its own."""
MAX_REMAINING: Final = 31


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where a credential's two bits lie: ``index`` (even) revokes, ``index + 1`` suspends."""

    list: str
    index: int


@dataclass(frozen=True, slots=True)
class Lease:
    """A range of status bits a delegator hands down; ``start`` and ``count`` are even."""

    list: str
    start: int
    count: int

    def holds_entry(self, entry: StatusEntry) -> bool:
        """Whether both bits of the entry lie inside."""
        return self.list == entry.list and self.start <= entry.index < self.start + self.count

    def holds_lease(self, other: Lease) -> bool:
        """Whether the other range lies inside."""
        return (
            self.list == other.list
            and self.start <= other.start
            and other.start + other.count <= self.start + self.count
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every credential of ours has around its subject."""

    secured: Secured
    id: str
    issuer: Did
    subject: Did
    valid_from: int
    valid_until: int
    status: StatusEntry | None

    @property
    def digest(self) -> str:
        """The digest others name it by."""
        return self.secured.digest

    @property
    def seconds(self) -> int:
        """How long it lives."""
        return self.valid_until - self.valid_from


class Link(NamedTuple):
    """One link of a chain: the members of `Envelope`, and the delegation's.

    A tuple, because a verifier makes one for each link it meets.
    """

    secured: Secured
    id: str
    issuer: Did
    subject: Did
    valid_from: int
    valid_until: int
    status: StatusEntry | None
    use: str
    sponsor: Did
    organization: Did
    parent: tuple[str, str] | None
    depth: int
    remaining: int
    spawn: bool
    to: frozenset[str]
    lease: Lease | None
    authority: Authority
    key: str | None

    @property
    def digest(self) -> str:
        """The digest others name it by."""
        return self.secured.digest

    @property
    def seconds(self) -> int:
        """How long it lives."""
        return self.valid_until - self.valid_from


@dataclass(frozen=True, slots=True)
class HumanSponsor(Envelope):
    """An organisation's word that a DID is a natural person it answers for."""

    organization: Did
    revision: int
    entitlements: Authority
    authority: Did
    authority_key: str
    lease: Lease
    key: str | None


Outer: TypeAlias = tuple[Secured, str, Did, Did, int, int, StatusEntry | None]
"""The members of `Envelope`, in its order."""

_CREDENTIAL: Final = frozenset(
    {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject"}
)
_STATUS: Final = frozenset({"credentialStatus"})
_ENTRY: Final = frozenset({"type", "statusPurpose", "statusListIndex", "statusListCredential"})
_LEASE: Final = frozenset({"list", "from", "count"})
MAX_INDEX: Final = 16 * 1024 * 1024 * 8


def parse_envelope(
    secured: Secured, kind: str, block: str, *, needs_status: bool = True
) -> tuple[Outer, JsonObject]:
    """Hold the outer members to the profile: those of `Envelope`, and the subject's block.

    Raises:
        Malformed: the codes of phase 3.
    """
    secured.open()
    required = _CREDENTIAL | _STATUS if needs_status else _CREDENTIAL
    document = shape.closed(secured.document, "credential", required, _STATUS)
    if document["type"] != ["VerifiableCredential", kind]:
        raise error("shape", f"type is not VerifiableCredential, {kind}")
    subject = shape.closed(
        document["credentialSubject"], "credentialSubject", frozenset({"id", block})
    )
    start = shape.time(document["validFrom"], "validFrom")
    end = shape.time(document["validUntil"], "validUntil")
    if start >= end:
        raise error("shape", "validUntil is not after validFrom", dimension="validity")
    if secured.created is not None and not start <= secured.created <= end:
        raise error("shape", "proof.created lies outside the validity", dimension="validity")
    outer = (
        secured,
        shape.uuid_urn(document["id"], "id"),
        did.check(document["issuer"]),
        did.check(subject["id"]),
        start,
        end,
        _status(document["credentialStatus"]) if "credentialStatus" in document else None,
    )
    return outer, subject[block]


def _status(value: Json) -> StatusEntry:
    entries = shape.array(value, "credentialStatus")
    if len(entries) != 2:
        raise error("shape", "credentialStatus is not a revocation and a suspension entry")
    found: list[tuple[str, int]] = []
    for entry, purpose in zip(entries, ("revocation", "suspension"), strict=True):
        shape.closed(entry, "credentialStatus", _ENTRY)
        if entry["type"] != "BitstringStatusListEntry" or entry["statusPurpose"] != purpose:
            raise error("shape", f"credentialStatus: expected the {purpose} entry")
        index = shape.decimal(entry["statusListIndex"], "statusListIndex")
        found.append((shape.url(entry["statusListCredential"], "statusListCredential"), index))
    (url, index), second = found
    if index % 2 or second != (url, index + 1) or index >= MAX_INDEX:
        raise error("shape", "the two status entries are not an even index and the next")
    return StatusEntry(url, index)


def _lease(value: JsonObject, where: str) -> Lease:
    start = shape.integer(value["from"], f"{where}.from", 0, MAX_INDEX)
    count = shape.integer(value["count"], f"{where}.count", 2, MAX_INDEX)
    if start % 2 or count % 2:
        raise error("shape", f"{where}: from and count must be even")
    return Lease(shape.url(value["list"], f"{where}.list"), start, count)


def version(block: Json, where: str) -> None:
    """The block's ``version`` is 1; another whole number is ``unknown-version``."""
    if type(block) is not dict:
        raise error("shape", f"{where} is not an object")
    if shape.integer(block.get("version"), f"{where}.version", 1, MAX_INT) != 1:
        raise error("unknown-version", f"{where}.version is not 1")


def pinned_key(block: JsonObject, subject: Did, where: str) -> str | None:
    """The ``key`` a credential pins for its subject; forbidden where the DID is the key.

    Shape only: the Multikey is decoded where it is used (phase 6).
    """
    if "key" not in block:
        return None
    if did.embeds_key(subject):
        raise error("shape", f"{where}.key: the subject's DID is its key", dimension="key")
    return shape.text(block["key"], f"{where}.key", 128)


_DELEGATION: Final = frozenset({"version", "use", "sponsor", "depth", "redelegation", "grants"})
_DELEGATION_OPTIONAL: Final = frozenset({"parent", "constraints", "key"})


def parse_link(secured: Secured) -> Link:
    """Read one link (phase 3), member by member: the general path, which names what is wrong.

    `grammar` reads the canonical spelling at once; a test holds the two equal.

    Raises:
        Malformed, Undecided, LimitExceeded: the codes of phases 2 and 3.
    """
    outer, block = parse_envelope(
        secured, "AgentDelegationCredential", "delegation", needs_status=False
    )
    version(block, "delegation")
    shape.closed(block, "delegation", _DELEGATION, _DELEGATION_OPTIONAL)
    sponsor = shape.closed(
        block["sponsor"], "delegation.sponsor", frozenset({"id", "organization"})
    )
    again = shape.closed(
        block["redelegation"],
        "delegation.redelegation",
        frozenset({"remaining", "spawn", "to"}),
        frozenset({"status"}),
    )
    lease = None
    if "status" in again:
        lease = _lease(
            shape.closed(again["status"], "redelegation.status", _LEASE), "redelegation.status"
        )
    link = Link(
        *outer,
        use=shape.one_of(block["use"], "delegation.use", ("mandate", "grant")),
        sponsor=did.check(sponsor["id"]),
        organization=did.check(sponsor["organization"]),
        parent=_parent(block["parent"]) if "parent" in block else None,
        depth=shape.integer(block["depth"], "delegation.depth", 0, MAX_REMAINING),
        remaining=shape.integer(again["remaining"], "redelegation.remaining", 0, MAX_REMAINING),
        spawn=shape.boolean(again["spawn"], "redelegation.spawn"),
        to=read_dids(again["to"], "redelegation.to"),
        lease=lease,
        authority=capability.parse(block, "delegation"),
        key=pinned_key(block, outer[3], "delegation"),
    )
    secured.shaped = True
    return link


def _parent(value: Json) -> tuple[str, str]:
    shape.closed(value, "delegation.parent", frozenset({"id", "digestMultibase"}))
    return (
        shape.uuid_urn(value["id"], "delegation.parent.id"),
        shape.digest_text(value["digestMultibase"], "delegation.parent.digestMultibase"),
    )


def read_dids(value: Json, where: str) -> frozenset[str]:
    """A set of DIDs."""
    return shape.string_set(value, where, lambda item, _where: did.check(item))


_SPONSOR: Final = frozenset({"version", "organization", "revision", "entitlements", "status"})
_SPONSOR_OPTIONAL: Final = frozenset({"attestation", "key"})


def parse_human_sponsor(secured: Secured) -> HumanSponsor:
    """Read a human sponsor credential.

    Raises:
        Malformed, Undecided, LimitExceeded: the codes of phases 2 and 3.
    """
    outer, block = parse_envelope(secured, "HumanSponsorCredential", "humanSponsor")
    version(block, "humanSponsor")
    shape.closed(block, "humanSponsor", _SPONSOR, _SPONSOR_OPTIONAL)
    if "attestation" in block:
        shape.text(block["attestation"], "humanSponsor.attestation")
    rights = shape.closed(
        block["entitlements"], "entitlements", frozenset({"grants"}), frozenset({"constraints"})
    )
    leased = shape.closed(
        block["status"], "humanSponsor.status", _LEASE | frozenset({"authority", "key"})
    )
    sponsor = HumanSponsor(
        *outer,
        organization=did.check(block["organization"]),
        revision=shape.integer(block["revision"], "humanSponsor.revision", 1),
        entitlements=capability.parse(rights, "entitlements"),
        authority=did.check(leased["authority"]),
        authority_key=shape.text(leased["key"], "humanSponsor.status.key", 128),
        lease=_lease(leased, "humanSponsor.status"),
        key=pinned_key(block, outer[3], "humanSponsor"),
    )
    secured.shaped = True
    return sponsor
