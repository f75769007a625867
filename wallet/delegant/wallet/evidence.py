"""Gather evidence from the home: what an honest holder staples."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from delegant.credentials import Evidence, did
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, NotFound
from delegant.credentials.identity import parse_agent_identity

from . import revocations, statuslists
from .home import Home, Subject

__all__ = ["Known", "gather"]


class Known:
    """The humans and agents of a home, read again only when one of them was written.

    Args:
        home: whose they are.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._kept: tuple[int, Mapping[str, Subject]] | None = None

    def subjects(self) -> Mapping[str, Subject]:
        """Each by its DID."""
        try:
            mark = os.stat(self._home.path / "subjects").st_mtime_ns  # files are replaced in it
        except FileNotFoundError:
            return {}
        kept = self._kept
        if kept is None or kept[0] != mark:
            kept = self._kept = mark, {one.did: one for one in self._home.subjects()}
        return kept[1]

    def evidence(self, name: str) -> Evidence | None:
        """Fresh evidence about an agent of this home; None about others, who must send it."""
        known = self.subjects()
        if name not in known:
            return None
        found = gather(self._home, [name], known)
        return found if found.identities(did.check(name)) else None


def gather(home: Home, dids: Iterable[str], known: Mapping[str, Subject] | None = None) -> Evidence:
    """Sponsor and identity credentials, status lists and the feed, for these humans and agents.

    Whoever stands behind an agent is found too: parent agents, and the human. DIDs that are
    not of this home are passed over; the verifier will say what it misses.

    Args:
        known: the home's subjects by DID, where they were read already.
    """
    if known is None:
        known = {subject.did: subject for subject in home.subjects()}
    wanted = list(dids)
    sponsors: dict[str, Any] = {}
    identities: dict[str, Any] = {}
    urls: set[str] = set()
    while wanted:
        subject = known.get(wanted.pop(0))
        if subject is None or subject.did in sponsors or subject.did in identities:
            continue
        if subject.kind == "human":
            sponsors[subject.did] = subject.credential
            urls.add(parse_human_sponsor(unpack(subject.credential)).lease.list)
        else:
            identities[subject.did] = subject.credential
            identity = parse_agent_identity(unpack(subject.credential))
            wanted += [identity.issuer, identity.sponsor]
    feeds = _feed(home) if sponsors else []
    return Evidence(sponsors.values(), identities.values(), _lists(home, urls), feeds=feeds)


def _feed(home: Home) -> list[str]:
    try:
        return [revocations.raw(home)]
    except NotFound:
        return []  # never signed


def _lists(home: Home, urls: set[str]) -> list[Any]:
    out: list[Any] = []
    for url in sorted(urls):
        try:
            out.append(statuslists.raw(home, statuslists.number_of(home, url)))
        except Error:
            continue  # not ours, or never signed
    return out
