"""Phase 7: who stands at the root, and who is on the path.

Evidence is judged here. Nothing in it is believed for being there: a sponsor credential counts
under an anchor's key, an identity under its human's (or its parent agent's), a status list
under the key the sponsor credential names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .budget import Budget
from .chain import Trace, check_any, pinned
from .credential import (
    IDENTITY_HARD_SECONDS,
    SPONSOR_HARD_SECONDS,
    HumanSponsor,
    Lease,
    Link,
)
from .did import Did, embeds_key
from .errors import Error, error
from .evidence import Evidence
from .feed import RevocationFeed
from .identity import AgentIdentity
from .keys import PublicKey
from .policy import Anchor, Trust
from .status import StatusList

__all__ = ["Human", "People", "root_keys"]

MAX_LISTS: Final = 4
"""So many status lists of the largest size may one verification decompress."""
_NOT_OURS: Final = frozenset({"no-human-root", "root-untrusted", "root-not-authoritative"})


@dataclass(frozen=True, slots=True)
class Human:
    """A human whom an anchor answers for. ``credential`` is None for one pinned directly."""

    id: Did
    anchor: Anchor
    credential: HumanSponsor | None
    keys: tuple[PublicKey, ...]

    @property
    def organization(self) -> Did:
        """Who answers for the human; a human pinned directly answers alone."""
        return self.anchor.id if self.credential is None else self.credential.organization

    @property
    def lease(self) -> Lease | None:
        """The status bits leased to the human; None: the human's own lists, whole."""
        return None if self.credential is None else self.credential.lease

    @property
    def feed_name(self) -> str:
        """What the feed below this human is remembered by.

        A DID that is a key is nobody else's. Another is only a name: whom it means is the word of
        the anchor, and no anchor may speak of another's feed.
        """
        if self.credential is None:
            return self.anchor.id
        name = self.credential.authority
        return name if embeds_key(name) else f"{self.anchor.id} {name}"

    def status_authority(self) -> tuple[Did, tuple[PublicKey, ...]]:
        """Who signs the status lists below this human, and with which keys.

        Raises:
            Undecided: ``key-unresolved``, ``suite``. Rejected: ``did-key-mismatch``, ``key-weak``.
        """
        if self.credential is None:
            return self.anchor.id, self.anchor.keys
        name = self.credential.authority
        stated = PublicKey.from_multikey(self.credential.authority_key)
        if pinned(name, self.credential.authority_key) != stated:
            raise error("did-key-mismatch", f"the key stated for {name} is not its own")
        return name, (stated,)


def root_keys(human: Did, evidence: Evidence, trust: Trust) -> tuple[PublicKey, ...]:
    """The root's keys, for phase 6: its own, else pinned by us, else by its sponsor credential.

    The credential is judged in phase 7; a forged one gains nothing by coming early.
    """
    own = pinned(human, None)
    if own is not None:
        return (own,)
    anchor = trust.anchors.get(human)
    if anchor is not None and anchor.subjects is None:
        return anchor.keys
    for credential in evidence.sponsors(human):
        key = pinned(human, credential.key)
        return () if key is None else (key,)
    return ()


class Known:
    """Who was judged already, in one body of evidence under one trust.

    Attributes:
        humans: by DID.
        agents: by DID, the agent behind those who made it, eldest first.
        lists: by human and URL, the status lists their authority signed, newest first.
        feeds: by human, the revocation feeds their authority signed, newest first.
    """

    __slots__ = ("agents", "feeds", "humans", "lists")

    def __init__(self) -> None:
        self.humans: dict[str, Human] = {}
        self.agents: dict[str, tuple[AgentIdentity, ...]] = {}
        self.lists: dict[tuple[str, str], tuple[StatusList, ...]] = {}
        self.feeds: dict[str, tuple[RevocationFeed, ...]] = {}


class People:
    """The humans and agents of one verification (phase 7).

    Who was judged under this trust before is known to the evidence and not judged again: what
    phase 7 says follows from the two alone. Signatures are spent all the same.
    """

    def __init__(self, evidence: Evidence, trust: Trust, budget: Budget) -> None:
        self._evidence = evidence
        self._trust = trust
        self._known = evidence.known(trust, Known)
        self.spend: Callable[[int], None] = budget.evidence_signatures
        self.humans: dict[str, Human] = {}
        self.agents: dict[str, AgentIdentity] = {}
        self._unpacked = 0

    def human(self, name: Did) -> Human:
        """A human that one of our anchors answers for.

        Raises:
            Rejected: ``no-human-root``, ``root-untrusted``, ``root-not-authoritative``,
            ``sponsor-rollback``, ``ttl-too-long``, ``proof``, ``did-key-mismatch``.
        """
        found = self.humans.get(name)
        if found is None:
            found = self._known.humans.get(name)
            if found is None:
                found = self._known.humans[name] = self._human(name)
            elif found.credential is not None:
                self.spend(len(found.anchor.keys))
            self.humans[name] = found
        return found

    def _human(self, name: Did) -> Human:
        anchor = self._trust.anchors.get(name)
        if anchor is not None and anchor.subjects is None:
            return Human(name, anchor, None, anchor.keys)
        if anchor is not None:
            raise error("no-human-root", f"{name} is an organisation")
        found = self._evidence.sponsors(name)
        if not found:
            raise error("no-human-root", f"no sponsor credential says that {name} is a human")
        credential = found[0]
        anchor = self._trust.anchors.get(credential.issuer)
        if anchor is None:
            raise error("root-untrusted", f"{credential.issuer} is no anchor of this verifier")
        check_any(credential.secured, credential.issuer, anchor.keys, self.spend)
        if not anchor.speaks_for(name) or credential.organization != anchor.id:
            raise error("root-not-authoritative", f"{anchor.id} does not speak for {name}")
        if credential.revision < self._trust.seen.revision.get(name, 0):
            raise error("sponsor-rollback", f"revision {credential.revision} is not the newest")
        if credential.seconds > SPONSOR_HARD_SECONDS:
            raise error("ttl-too-long", "a sponsor credential lives at most 24 hours")
        key = pinned(name, credential.key)
        if key is None:
            raise error("key-unresolved", f"the sponsor credential pins no key for {name}")
        return Human(name, anchor, credential, (key,))

    def status_lists(self, human: Human, url: str) -> tuple[StatusList, ...]:
        """The lists by that URL which the status authority below this human signed, newest first.

        Raises:
            Rejected: ``proof``, ``did-key-mismatch``, ``key-weak``. Undecided: ``suite``.
        """
        found = self._known.lists.get((human.id, url))
        if found is not None:
            self.spend(len(found) * len(human.keys))
            return found
        authority, keys = human.status_authority()
        lists = self._evidence.status_lists(url)
        found = tuple([candidate for candidate in lists if candidate.issuer == authority])
        for candidate in found:
            check_any(candidate.secured, authority, keys, self.spend)
        self._known.lists[human.id, url] = found
        return found

    def unpack(self, found: StatusList) -> None:
        """Decompress a list, within what one verification may decompress.

        Raises:
            LimitExceeded: ``limit-size``. Malformed: ``encoding``, ``shape``.
        """
        most = self._trust.limits.status_list
        self._unpacked += len(found.expand(most))
        if self._unpacked > MAX_LISTS * most:
            raise error("limit-size", f"status lists of more than {MAX_LISTS} times {most} bytes")

    def feeds(self, human: Human) -> tuple[RevocationFeed, ...]:
        """The feeds that the status authority below this human signed, newest first.

        Raises:
            Rejected: ``proof``, ``did-key-mismatch``, ``key-weak``. Undecided: ``suite``.
            Malformed: the codes of phase 3.
        """
        authority, keys = human.status_authority()
        found = self._known.feeds.get(human.id)
        if found is not None:
            self.spend(len(found) * len(keys))
            return found
        found = tuple(self._evidence.feeds(authority))
        for feed in found:
            check_any(feed.secured, authority, keys, self.spend)
        self._known.feeds[human.id] = found
        return found

    @property
    def has_feeds(self) -> bool:
        """Whether any feed was presented, whoever signed it."""
        return self._evidence.has_feeds

    def has_list(self, url: str) -> bool:
        """Whether any list by that URL was presented, whoever signed it."""
        return bool(self._evidence.status_lists(url))

    def path(self, links: tuple[Link, ...], trace: Trace) -> tuple[Human, list[AgentIdentity]]:
        """Phase 7 for a chain: the root, then every subject.

        Raises:
            Rejected: the codes of phase 7. Undecided: ``key-unresolved``, ``suite``.
        """
        root = self.human(links[0].issuer)
        if links[0].organization != root.organization:
            raise error(
                "root-not-authoritative", f"{links[0].organization} does not answer for the sponsor"
            )
        if trace:
            trace(7, None, "%s answers for the human %s", root.organization, root.id)
        identities: list[AgentIdentity] = []
        parent: Link | None = None
        index = 0
        short = min(root.anchor.max_grant, root.anchor.max_mandate)
        try:
            for index, link in enumerate(links):
                if link.valid_until - link.valid_from > short:
                    _life(link, root.anchor)
                identities.append(self._delegate(link, parent))
                parent = link
                if trace:
                    trace(
                        7, index, "%s is an agent of %s", link.subject, identities[-1].organization
                    )
        except Error as exc:
            exc.at(index)
            raise
        return root, identities

    def _delegate(self, link: Link, parent: Link | None) -> AgentIdentity:
        identity = self.agent(link.subject)
        if parent is not None:
            if identity.organization not in parent.to:
                raise error(
                    "delegate-not-allowed",
                    f"{identity.organization} is none of those the delegator named",
                    dimension="to",
                )
            if identity.issuer != identity.sponsor and not parent.spawn:
                raise error("spawn-forbidden", "an agent issued this identity, without the right")
        if identity.key != link.key:
            raise error("did-key-mismatch", "identity and link pin different keys")
        return identity

    def agent(self, name: Did, below: frozenset[str] = frozenset()) -> AgentIdentity:
        """An agent whose identity leads to a human we accept.

        Raises:
            Rejected: ``delegate-not-allowed``, ``spawn-forbidden``, ``ttl-too-long``,
            ``id-no-provenance``, ``proof``, ``did-key-mismatch``.
            LimitExceeded: ``limit-signatures``.
        """
        found = self.agents.get(name)
        if found is not None:
            return found
        line = self._known.agents.get(name)
        if line is not None:
            for identity in line:  # of this verification too: its human, and what both cost
                if identity.subject not in self.agents:
                    human = self.human(identity.sponsor)
                    self.spend(len(human.keys) if identity.issuer == identity.sponsor else 1)
                    self.agents[identity.subject] = identity
            return line[-1]
        if len(below) > self._trust.limits.evidence_signatures:
            raise error("limit-signatures", "more ancestors than signatures may be checked")
        credentials = self._evidence.identities(name)
        if not credentials or name in below:
            raise error("delegate-not-allowed", f"no identity credential for {name}")
        found = self.agents[name] = self._agent(credentials[0], below | {name})
        self._remember(found)
        return found

    def _remember(self, identity: AgentIdentity) -> None:
        """Judged once under this trust: an agent and those who made it, eldest first."""
        own = identity.issuer == identity.sponsor
        above = () if own else self._known.agents[identity.issuer]
        self._known.agents[identity.subject] = (*above, identity)

    def _agent(self, identity: AgentIdentity, below: frozenset[str]) -> AgentIdentity:
        try:
            human = self.human(identity.sponsor)
        except Error as exc:
            if exc.code in _NOT_OURS:
                raise error("delegate-not-allowed", f"its sponsor: {exc.detail}") from None
            raise
        if identity.organization != human.organization:
            raise error("delegate-not-allowed", "its identity names another organisation")
        own = identity.issuer == identity.sponsor
        keys = human.keys if own else self._parent(identity, below)
        check_any(identity.secured, identity.issuer, keys, self.spend)
        if identity.lifecycle != "active":
            raise error("delegate-not-allowed", f"its identity says {identity.lifecycle}")
        if identity.seconds > IDENTITY_HARD_SECONDS:
            raise error("ttl-too-long", "an identity credential lives at most 90 days")
        return identity

    def _parent(self, identity: AgentIdentity, below: frozenset[str]) -> tuple[PublicKey, ...]:
        """The keys of the agent that issued this identity, if it may."""
        parent = self.agent(identity.issuer, below)
        if not parent.spawn:
            raise error("spawn-forbidden", f"{parent.subject} may not create agents")
        if identity.model not in ("child", "ephemeral") or (
            identity.parent is not None and identity.parent != parent.subject
        ):
            raise error("id-no-provenance", "its parent is not the agent that issued it")
        if identity.sponsor != parent.sponsor:
            raise error("delegate-not-allowed", "its parent agent has another sponsor")
        if identity.valid_until > parent.valid_until:
            raise error("ttl-too-long", "its identity outlives its parent's")
        key = pinned(parent.subject, parent.key)
        return () if key is None else (key,)


def _life(link: Link, anchor: Anchor) -> None:
    most = anchor.max_mandate if link.use == "mandate" else anchor.max_grant
    if link.seconds > most:
        raise error("ttl-too-long", f"a {link.use} lives at most {most} seconds here")
