"""Phases 7 to 9: who stands at the root, who is on the path, and whether all of it still holds.

Evidence is judged here. Nothing in it is believed for being there: a sponsor credential counts
under an anchor's key, an identity under its human's (or its parent agent's), a status list
under the key the sponsor credential names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .budget import Budget
from .chain import Trace, at_link, check_any, pinned
from .credential import (
    IDENTITY_HARD_SECONDS,
    SPONSOR_HARD_SECONDS,
    STATUS_FREE_SECONDS,
    Envelope,
    HumanSponsor,
    Lease,
    Link,
    StatusEntry,
)
from .did import Did
from .errors import Error, error
from .evidence import Evidence
from .identity import AgentIdentity
from .keys import PublicKey
from .policy import Anchor, Trust
from .status import StatusList

__all__ = ["Human", "People", "status", "times"]

SKEW_SECONDS: Final = 30
"""A start may lie this far ahead of our clock; an end has no grace (DESIGN, rule 14)."""

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


class People:
    """The humans and agents of one verification, each judged once (phase 7)."""

    def __init__(self, evidence: Evidence, trust: Trust, budget: Budget) -> None:
        self._evidence = evidence
        self._trust = trust
        self.spend: Callable[[], None] = budget.evidence_signature
        self.humans: dict[str, Human] = {}
        self.agents: dict[str, AgentIdentity] = {}

    def human(self, name: Did) -> Human:
        """A human that one of our anchors answers for.

        Raises:
            Rejected: ``no-human-root``, ``root-untrusted``, ``root-not-authoritative``,
            ``sponsor-rollback``, ``ttl-too-long``, ``proof``, ``did-key-mismatch``.
        """
        if name not in self.humans:
            self.humans[name] = self._human(name)
        return self.humans[name]

    def _human(self, name: Did) -> Human:
        anchor = self._trust.anchors.get(name)
        if anchor is not None and anchor.subjects is None:
            return Human(name, anchor, None, anchor.keys)
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
        trace(7, None, f"{root.organization} answers for the human {root.id}")
        identities: list[AgentIdentity] = []
        for index, link in enumerate(links):
            with at_link(index):
                _life(link, root.anchor)
                identities.append(self._delegate(link, links[index - 1] if index else None))
            trace(7, index, f"{link.subject} is an agent of {identities[-1].organization}")
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
        """
        if name not in self.agents:
            found = self._evidence.identities(name)
            if not found or name in below:
                raise error("delegate-not-allowed", f"no identity credential for {name}")
            self.agents[name] = self._agent(found[0], below | {name})
        return self.agents[name]

    def _agent(self, identity: AgentIdentity, below: frozenset[str]) -> AgentIdentity:
        try:
            human = self.human(identity.sponsor)
        except Error as exc:
            if exc.code in _NOT_OURS:
                raise error("delegate-not-allowed", f"its sponsor: {exc.detail}") from None
            raise
        if identity.organization != human.organization:
            raise error("delegate-not-allowed", "its identity names another organisation")
        if identity.issuer == identity.sponsor:
            keys = human.keys
        else:
            keys = self._parent(identity, below)
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


# --- 8 time --------------------------------------------------------------------------------


def times(
    links: tuple[Link, ...],
    identities: list[AgentIdentity],
    people: People,
    at: int,
    trace: Trace,
) -> None:
    """Phase 8: links, then sponsor credentials, then identities, all within their time.

    Raises:
        Rejected: ``expired``, ``not-yet-valid``.
    """
    for index, link in enumerate(links):
        with at_link(index):
            _in_time(link, at)
        trace(8, index, "is within its time")
    for human in people.humans.values():
        if human.credential is not None:
            _in_time(human.credential, at)
    for identity in people.agents.values():
        with at_link(_index_of(identity, identities)):
            _in_time(identity, at)
    trace(8, None, "sponsor and identities are within their time")


def _in_time(credential: Envelope, at: int) -> None:
    if credential.valid_from > at + SKEW_SECONDS:
        raise error("not-yet-valid", f"{credential.id} is not valid yet")
    if at >= credential.valid_until:
        raise error("expired", f"{credential.id} has expired")


def _index_of(identity: AgentIdentity, identities: list[AgentIdentity]) -> int:
    """The link an identity belongs to: its subject's, or that of the agent made by it."""
    for index, one in enumerate(identities):
        if identity.subject in (one.subject, one.issuer):
            return index
    return len(identities) - 1


# --- 9 status ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Watched:
    """One credential whose bits must be clear."""

    entry: StatusEntry
    human: Human
    link: int | None
    gone: str


def status(
    root: Human,
    links: tuple[Link, ...],
    identities: list[AgentIdentity],
    people: People,
    evidence: Evidence,
    trust: Trust,
    at: int,
    sensitivity: str,
    trace: Trace,
) -> dict[str, int]:
    """Phase 9: nothing on the path is revoked or suspended, and the lists are fresh.

    Revoked and suspended come first, whatever the age of the list: a stale list can prove
    revoked, never not-revoked.

    Returns:
        Each list's URL and the start of validity of the version used.

    Raises:
        Rejected: ``revoked``, ``suspended``, ``sponsor-gone``, ``status-rollback``,
            ``scope-widened`` (dimension ``status``), ``proof``.
        Undecided: ``status-missing``, ``status-stale``, ``status-unknown``.
    """
    lists = _Lists(evidence, trust, people.spend)
    watched = _watched(root, links, identities, people)
    for one in watched:
        with at_link(one.link):
            lists.bits(one)
    as_of: dict[str, int] = {}
    for one in watched:
        with at_link(one.link):
            newest = lists.fresh(one, at, sensitivity)
            as_of[newest.url] = newest.valid_from
    for index, link in enumerate(links):
        if link.status is None and (link.use != "grant" or link.seconds > STATUS_FREE_SECONDS):
            with at_link(index):
                raise error("status-missing", "a link this long-lived needs a status entry")
        trace(9, index, "is neither revoked nor suspended")
    return as_of


def _watched(
    root: Human, links: tuple[Link, ...], identities: list[AgentIdentity], people: People
) -> list[_Watched]:
    out: list[_Watched] = []
    for index, link in enumerate(links):
        if index == 0 and root.lease is not None:
            for inside in (
                link.status is None or root.lease.holds_entry(link.status),
                link.lease is None or root.lease.holds_lease(link.lease),
            ):
                if not inside:
                    raise error(
                        "scope-widened",
                        "status bits outside what the sponsor was leased",
                        link=0,
                        dimension="status",
                    )
        if link.status is not None:
            out.append(_Watched(link.status, root, index, "revoked"))
    for human in people.humans.values():
        if human.credential is not None and human.credential.status is not None:
            out.append(_Watched(human.credential.status, human, None, "sponsor-gone"))
    for identity in people.agents.values():
        human = people.humans[identity.sponsor]
        index = _index_of(identity, identities)
        assert identity.status is not None  # its shape demands one
        if human.lease is not None and not human.lease.holds_entry(identity.status):
            raise error(
                "scope-widened",
                "the identity's status bits lie outside what its sponsor was leased",
                link=index,
                dimension="status",
            )
        out.append(_Watched(identity.status, human, index, "revoked"))
    return out


class _Lists:
    """The status lists of one verification, each believed only under its authority's key."""

    def __init__(self, evidence: Evidence, trust: Trust, spend: Callable[[], None]) -> None:
        self._evidence = evidence
        self._trust = trust
        self._spend = spend

    def _believed(self, one: _Watched) -> list[StatusList]:
        authority, keys = one.human.status_authority()
        out: list[StatusList] = []
        for candidate in self._evidence.status_lists(one.entry.list):
            if candidate.issuer == authority:
                check_any(candidate.secured, authority, keys, self._spend)
                out.append(candidate)
        return out

    def bits(self, one: _Watched) -> None:
        """Refuse what any believed list says is revoked, or the newest says is suspended."""
        most = self._trust.limits.status_list
        for number, believed in enumerate(self._believed(one)):
            if believed.bit(one.entry.index, most):
                raise error(one.gone, f"revoked in {believed.url}")
            if number == 0 and believed.bit(one.entry.index + 1, most):
                code = "suspended" if one.gone == "revoked" else one.gone
                raise error(code, f"suspended in {believed.url}")

    def fresh(self, one: _Watched, at: int, sensitivity: str) -> StatusList:
        """The newest believed list, if it is fresh enough and speaks of this credential."""
        believed = self._believed(one)
        url = one.entry.list
        if not believed:
            if self._evidence.status_lists(url):
                raise error("status-unknown", f"{url} is not by the chain's status authority")
            raise error("status-missing", f"{url} was not presented")
        newest = believed[0]
        if newest.valid_from < self._trust.seen.lists.get(url, 0):
            raise error("status-rollback", f"a newer {url} has been seen")
        if newest.valid_from > at + SKEW_SECONDS:
            raise error("status-unknown", f"{url} comes from the future")
        age, most = at - newest.valid_from, one.human.anchor.max_status_age[sensitivity]
        if age > most or at >= newest.valid_until:
            raise error("status-stale", f"{url} is {age} seconds old, {most} are allowed")
        if newest.bit(one.entry.index + 1, self._trust.limits.status_list) is None:
            raise error("status-unknown", f"{url} ends before index {one.entry.index}")
        return newest
