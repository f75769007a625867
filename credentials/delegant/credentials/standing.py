"""Phases 8 and 9: whether all of it still stands, in time and in status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .chain import AtLink, Trace, check_any
from .credential import STATUS_FREE_SECONDS, Envelope, Link, StatusEntry
from .errors import error
from .evidence import Evidence
from .identity import AgentIdentity
from .path import Human, People
from .policy import Trust
from .status import StatusList

__all__ = ["SKEW_SECONDS", "status", "times"]

SKEW_SECONDS: Final = 30
"""A start may lie this far ahead of our clock; an end has no grace (DESIGN, rule 14)."""


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
        with AtLink(index):
            _in_time(link, at)
        trace(8, index, "is within its time")
    for human in people.humans.values():
        if human.credential is not None:
            _in_time(human.credential, at)
    for identity in people.agents.values():
        with AtLink(_index_of(identity, identities)):
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
        with AtLink(one.link):
            lists.bits(one)
    as_of: dict[str, int] = {}
    for one in watched:
        with AtLink(one.link):
            newest = lists.fresh(one, at, sensitivity)
            as_of[newest.url] = newest.valid_from
    for index, link in enumerate(links):
        if link.status is None and (link.use != "grant" or link.seconds > STATUS_FREE_SECONDS):
            with AtLink(index):
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
        if human.credential is not None:
            entry = _own_entry(human.credential)
            out.append(_Watched(entry, human, None, "sponsor-gone"))
    for identity in people.agents.values():
        human = people.humans[identity.sponsor]
        index = _index_of(identity, identities)
        entry = _own_entry(identity)
        if human.lease is not None and not human.lease.holds_entry(entry):
            raise error(
                "scope-widened",
                "the identity's status bits lie outside what its sponsor was leased",
                link=index,
                dimension="status",
            )
        out.append(_Watched(entry, human, index, "revoked"))
    return out


def _own_entry(credential: Envelope) -> StatusEntry:
    """The status entry of a credential that may not do without one."""
    if credential.status is None:
        raise error("status-missing", f"{credential.id} has no status entry")
    return credential.status


class _Lists:
    """The status lists of one verification, each believed only under its authority's key."""

    def __init__(self, evidence: Evidence, trust: Trust, spend: Callable[[], None]) -> None:
        self._evidence = evidence
        self._trust = trust
        self._spend = spend
        self._found: dict[tuple[str, str], list[StatusList]] = {}

    def _believed(self, one: _Watched) -> list[StatusList]:
        place = (one.human.id, one.entry.list)
        if place not in self._found:
            authority, keys = one.human.status_authority()
            self._found[place] = [
                candidate
                for candidate in self._evidence.status_lists(one.entry.list)
                if candidate.issuer == authority
            ]
            for candidate in self._found[place]:
                check_any(candidate.secured, authority, keys, self._spend)
        return self._found[place]

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
