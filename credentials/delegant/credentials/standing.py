"""Phases 8 and 9: whether all of it still stands, in time and in status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from .chain import Trace
from .credential import STATUS_FREE_SECONDS, HumanSponsor, Link, StatusEntry
from .errors import Error, error
from .identity import AgentIdentity
from .path import Human, People
from .policy import Trust
from .status import StatusList

__all__ = ["SKEW_SECONDS", "stands", "status", "times"]

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
    # Windows are nested (phase 5), so the last one decides; the first that fails is named.
    if links and not _holds(links[-1], at):
        for index, link in enumerate(links):
            _in_time(link, at, index)
    if trace:
        for index in range(len(links)):
            trace(8, index, "is within its time")
    for human in people.humans.values():
        if human.credential is not None:
            _in_time(human.credential, at, None)
    for identity in people.agents.values():
        if not _holds(identity, at):
            _in_time(identity, at, _index_of(identity, identities))
    if trace:
        trace(8, None, "sponsor and identities are within their time")


def _holds(credential: Link | AgentIdentity, at: int) -> bool:
    return credential.valid_from <= at + SKEW_SECONDS and at < credential.valid_until


def _in_time(credential: Link | HumanSponsor | AgentIdentity, at: int, link: int | None) -> None:
    if credential.valid_from > at + SKEW_SECONDS:
        raise error("not-yet-valid", f"{credential.id} is not valid yet", link=link)
    if at >= credential.valid_until:
        raise error("expired", f"{credential.id} has expired", link=link)


def _index_of(identity: AgentIdentity, identities: list[AgentIdentity]) -> int:
    """The link an identity belongs to: its subject's, or that of the agent made by it."""
    for index, one in enumerate(identities):
        if identity.subject in (one.subject, one.issuer):
            return index
    return len(identities) - 1


# --- 9 status ------------------------------------------------------------------------------


_Watched: TypeAlias = tuple[StatusEntry, Human, "int | AgentIdentity | None"]
"""Two bits that must be clear, under whom, and whose: a link's, an agent's, or the human's own."""


def status(
    root: Human,
    links: tuple[Link, ...],
    identities: list[AgentIdentity],
    people: People,
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
    most = trust.limits.status_list
    watched = _watched(root, links, people, identities)
    lists: dict[tuple[str, str], tuple[StatusList, ...]] = {}
    unsure: list[_Watched] = []  # the first to ask each list, and whoever a list says nothing of
    as_of: dict[str, int] = {}
    asked: tuple[Human | None, str] = (None, "")  # whose list was asked last, and its bits
    bits = b""
    whose: int | AgentIdentity | None = None  # for the refusal: which of them it was
    try:
        for one in watched:
            entry, human, whose = one
            index = entry.index
            if (
                human is asked[0]
                and entry.list == asked[1]
                and index < 8 * len(bits)
                and not bits[index >> 3] & (0xC0 >> (index & 7))
            ):
                continue  # the one list there is has both bits clear
            believed = lists.get((human.id, entry.list))
            if believed is None:
                believed = people.status_lists(human, entry.list)
                lists[human.id, entry.list] = believed
                unsure.append(one)
                for candidate in believed:
                    people.unpack(candidate)
                if len(believed) == 1:
                    asked, bits = (human, entry.list), believed[0].expand(most)
            for place, candidate in enumerate(believed):
                pair = candidate.pair(index, most)
                if pair:
                    _clear(pair, place, candidate, whose)
                    if not place:
                        unsure.append(one)
        for entry, human, whose in unsure:  # noqa: B007 - read where it is refused
            believed = lists[human.id, entry.list]
            listed, ages = people.has_list(entry.list), human.anchor.max_status_age
            newest = _fresh(believed, entry.list, listed, ages, trust, at, sensitivity)
            if newest.pair(entry.index, most) < 0:
                raise error("status-unknown", f"{newest.url} ends before index {entry.index}")
            as_of[newest.url] = newest.valid_from
    except Error as exc:
        exc.at(whose if isinstance(whose, int) or whose is None else _index_of(whose, identities))
        raise
    for index, link in enumerate(links):
        if link.status is None and (link.use != "grant" or link.seconds > STATUS_FREE_SECONDS):
            raise error("status-missing", "a link this long-lived needs a status entry", link=index)
        if trace:
            trace(9, index, "is neither revoked nor suspended")
    return as_of


def stands(
    entry: StatusEntry,
    believed: tuple[StatusList, ...],
    listed: bool,
    ages: Mapping[str, int],
    trust: Trust,
    at: int,
    sensitivity: str,
) -> int:
    """Phase 9 for one credential outside a chain: two bits, and the believed lists, newest first.

    Args:
        believed: the lists by that URL that their authority signed.
        listed: whether any list by that URL was presented, whoever signed it.
        ages: how old one may be, by sensitivity.

    Returns:
        The start of validity of the list relied on.

    Raises:
        Rejected: ``revoked``, ``suspended``, ``status-rollback``.
        Undecided: ``status-missing``, ``status-stale``, ``status-unknown``.
    """
    most = trust.limits.status_list
    for place, candidate in enumerate(believed):
        pair = candidate.pair(entry.index, most)
        if pair:
            _clear(pair, place, candidate, 0)
    newest = _fresh(believed, entry.list, listed, ages, trust, at, sensitivity)
    if newest.pair(entry.index, most) < 0:
        raise error("status-unknown", f"{newest.url} ends before index {entry.index}")
    return newest.valid_from


def _watched(
    root: Human, links: tuple[Link, ...], people: People, identities: list[AgentIdentity]
) -> list[_Watched]:
    out: list[_Watched] = []
    if links and root.lease is not None:
        entry, lease = links[0].status, links[0].lease
        if (entry is not None and not root.lease.holds_entry(entry)) or (
            lease is not None and not root.lease.holds_lease(lease)
        ):
            raise error(
                "scope-widened",
                "status bits outside what the sponsor was leased",
                link=0,
                dimension="status",
            )
    out += [(link.status, root, n) for n, link in enumerate(links) if link.status is not None]
    for human in people.humans.values():
        if human.credential is not None:
            out.append((_own_entry(human.credential), human, None))
    for identity in people.agents.values():
        human = people.humans[identity.sponsor]
        entry = _own_entry(identity)
        if human.lease is not None and not human.lease.holds_entry(entry):
            raise error(
                "scope-widened",
                "the identity's status bits lie outside what its sponsor was leased",
                link=_index_of(identity, identities),
                dimension="status",
            )
        out.append((entry, human, identity))
    return out


def _own_entry(credential: HumanSponsor | AgentIdentity) -> StatusEntry:
    """The status entry of a credential that its parser lets go nowhere without one."""
    return cast("StatusEntry", credential.status)


def _clear(pair: int, place: int, found: StatusList, whose: int | AgentIdentity | None) -> None:
    """Refuse what any believed list says is revoked, or the newest says is suspended."""
    if pair < 0 or (pair == 1 and place):  # beyond the end, or suspended once and no more
        return
    if whose is None:
        raise error("sponsor-gone", f"revoked or suspended in {found.url}")
    if pair & 2:
        raise error("revoked", f"revoked in {found.url}")
    raise error("suspended", f"suspended in {found.url}")


def _fresh(
    believed: tuple[StatusList, ...],
    url: str,
    listed: bool,
    ages: Mapping[str, int],
    trust: Trust,
    at: int,
    sensitivity: str,
) -> StatusList:
    """The newest believed list, if it is fresh enough; ``listed``: anybody's was presented."""
    if not believed:
        if listed:
            raise error("status-unknown", f"{url} is not by the chain's status authority")
        raise error("status-missing", f"{url} was not presented")
    newest = believed[0]
    if newest.valid_from < trust.seen.lists.get(url, 0):
        raise error("status-rollback", f"a newer {url} has been seen")
    if newest.valid_from > at + SKEW_SECONDS:
        raise error("status-unknown", f"{url} comes from the future")
    age, most = at - newest.valid_from, ages[sensitivity]
    if age > most or at >= newest.valid_until:
        raise error("status-stale", f"{url} is {age} seconds old, {most} are allowed")
    return newest
