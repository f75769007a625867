"""Evidence: what was gathered beforehand, none of it believed for coming along.

``{sponsors?, identities?, statusLists?, documents?, feeds?, attestations?}``. Each item counts
only under a key that something trusted names: the trust folder, the sponsor credential, the
identity above, or the attestation.
``feeds`` are revocation feeds. Of the ``documents`` a resolver's signed statement may take a key
away (`documents`); a bare DID document is for people to look at. None supplies a key.

An `Evidence` may be kept and used for many verifications: items are parsed, and their
signatures checked, once per bytes. No chain needs ``attestations``: they are for whoever asks
what else an agent was said to be (`accredited`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, cast
from weakref import ref

from . import shape
from .attestation import AgentAttestation, parse_agent_attestation
from .codec import Json, JsonObject, canonical, parse_object
from .credential import HumanSponsor, parse_human_sponsor
from .documents import unpack_statement
from .envelope import Secured, SignedToken, unpack
from .errors import error
from .feed import RevocationFeed, parse_feed, unpack_feed
from .identity import AgentIdentity, parse_agent_identity
from .status import StatusList, parse_status_list

__all__ = ["Evidence"]

T = TypeVar("T")

MAX_EVIDENCE: Final = 8 * 1024 * 1024
MAX_ITEMS: Final = 512
MAX_LIST: Final = 4 * 1024 * 1024

_GROUPS: Final = ("sponsors", "identities", "statusLists", "documents", "feeds", "attestations")
_SIGNED: Final = ("sponsors", "identities", "statusLists", "attestations")


class Evidence:
    """Credentials, identities, status lists and feeds, by whom they are about."""

    __slots__ = (
        "_attestations",
        "_by_authority",
        "_feeds",
        "_identities",
        "_items",
        "_known",
        "_lists",
        "_sponsors",
        "_statements",
        "json",
    )

    def __init__(
        self,
        sponsors: Iterable[JsonObject | str] = (),
        identities: Iterable[JsonObject | str] = (),
        status_lists: Iterable[JsonObject | str] = (),
        documents: Iterable[JsonObject | str] = (),
        feeds: Iterable[str] = (),
        attestations: Iterable[JsonObject | str] = (),
    ) -> None:
        given = (sponsors, identities, status_lists, documents, feeds, attestations)
        groups = zip(_GROUPS, map(list, given), strict=True)
        self.json: JsonObject = {name: items for name, items in groups if items}
        self._items: dict[str, list[Secured]] = {
            name: [unpack(item, size=MAX_LIST) for item in self.json.get(name, ())]
            for name in _SIGNED
        }
        self._sponsors: dict[str, list[HumanSponsor]] = {}
        self._identities: dict[str, list[AgentIdentity]] = {}
        self._lists: dict[str, list[StatusList]] = {}
        self._attestations: dict[str, list[AgentAttestation]] = {}
        self._statements = _statements(self.json.get("documents", ()))
        self._feeds: list[SignedToken] = [unpack_feed(item) for item in self.json.get("feeds", ())]
        self._by_authority: dict[str, list[RevocationFeed]] = {}
        self._known: tuple[ref[object], object] | None = None

    @classmethod
    def parse(cls, data: bytes, *, size: int = MAX_EVIDENCE) -> Evidence:
        """Read the bytes of evidence (phase 2).

        Raises:
            LimitExceeded: ``limit-*``. Malformed: the codes of phases 2 and 3.
        """
        return cls.from_json(parse_object(data, size=size))

    @classmethod
    def from_json(cls, value: Json) -> Evidence:
        """From a parsed JSON object, which is closed: trust anchors in it are refused."""
        shape.closed(value, "evidence", frozenset(), frozenset(_GROUPS))
        groups: list[list[Any]] = [
            shape.array(value[name], f"evidence.{name}", MAX_ITEMS) if name in value else []
            for name in _GROUPS
        ]
        return cls(*groups)

    def to_bytes(self) -> bytes:
        """The RFC 8785 bytes."""
        return canonical(self.json)

    def sponsors(self, human: str) -> list[HumanSponsor]:
        """Sponsor credentials about this DID, newest revision first. Not yet believed.

        Raises:
            Malformed, Undecided: the codes of phase 3, for those about this DID.
        """
        if human not in self._sponsors:
            found = [parse_human_sponsor(item) for item in self._about("sponsors", human)]
            self._sponsors[human] = sorted(found, key=lambda one: -one.revision)
        return self._sponsors[human]

    def identities(self, agent: str) -> list[AgentIdentity]:
        """Identity credentials about this DID, newest first. Not yet believed."""
        if agent not in self._identities:
            found = [parse_agent_identity(item) for item in self._about("identities", agent)]
            self._identities[agent] = sorted(found, key=lambda one: -one.valid_from)
        return self._identities[agent]

    def status_lists(self, url: str) -> list[StatusList]:
        """Status lists by that URL, newest first. Not yet believed."""
        if url not in self._lists:
            items = self._items["statusLists"]
            found = [parse_status_list(item) for item in items if item.document.get("id") == url]
            self._lists[url] = sorted(found, key=lambda one: -one.valid_from)
        return self._lists[url]

    def attestations(self, agent: str) -> list[AgentAttestation]:
        """Attestations about this DID, newest first. Not yet believed: see `check_attestation`."""
        if agent not in self._attestations:
            found = [parse_agent_attestation(item) for item in self._about("attestations", agent)]
            self._attestations[agent] = sorted(found, key=lambda one: -one.valid_from)
        return self._attestations[agent]

    def feeds(self, authority: str) -> list[RevocationFeed]:
        """Revocation feeds in this authority's name, newest first. Not yet believed."""
        if authority not in self._by_authority:
            items = [one for one in self._feeds if one.document.get("issuer") == authority]
            found = [parse_feed(item) for item in items]
            found.sort(key=lambda one: (-one.seq, -one.valid_from))
            self._by_authority[authority] = found
        return self._by_authority[authority]

    @property
    def has_feeds(self) -> bool:
        """Whether any feed was presented, in whoever's name."""
        return bool(self._feeds)

    def statements(self, name: str) -> list[SignedToken]:
        """Resolvers' statements about this DID. Not yet believed, nor read."""
        return [one for one in self._statements if one.document.get("did") == name]

    @property
    def has_statements(self) -> bool:
        """Whether any resolver's statement was presented."""
        return bool(self._statements)

    def known(self, trust: object, nothing: Callable[[], T]) -> T:
        """What this evidence was found to mean under a trust; ``nothing`` makes an empty one.

        Kept for the trust asked for last, by its identity: a trust is never changed, another
        one is made. It is not kept alive: who keeps much evidence would keep every trust there
        was.
        """
        kept = self._known
        if kept is None or kept[0]() is not trust:
            kept = self._known = (ref(trust), nothing())
        return cast("T", kept[1])

    def _about(self, group: str, name: str) -> list[Secured]:
        """The items whose subject says it is this DID; the rest is nobody's business here."""
        out: list[Secured] = []
        for item in self._items[group]:
            subject = item.document.get("credentialSubject")
            if type(subject) is dict and subject.get("id") == name:
                out.append(item)
        return out

    def merged(self, other: Evidence) -> Evidence:
        """This and another's items together, each once."""
        groups = []
        for name in _GROUPS:
            items = list(self.json.get(name, []))
            items += [item for item in other.json.get(name, []) if item not in items]
            groups.append(items)
        return Evidence(*groups)


def _statements(documents: Iterable[JsonObject | str]) -> list[SignedToken]:
    """The tokens among the documents that say they are a resolver's statement."""
    out: list[SignedToken] = []
    for item in documents:
        if type(item) is str:
            token = unpack_statement(item)
            if token.typed:
                out.append(token)
        elif type(item) is not dict:
            raise error("shape", "a document is an object, or a statement as compact JWS")
    return out
