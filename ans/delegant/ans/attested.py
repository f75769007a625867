"""Which attestations of an agent count, and why the others do not.

They come with the evidence of a registration, renewal or update, and are kept with the name. One
counts while its issuer is accredited here for its type, it is about this very agent, within its
time, and a fresh status list says that it is not revoked: lists are asked for at each judgement,
none that came along is used. Whatever cannot be read, or decided, does not count.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from delegant.credentials import (
    AgentAttestation,
    Evidence,
    Trust,
    check_attestation,
    parse_agent_attestation,
)
from delegant.credentials.accredited import check_issuer
from delegant.credentials.attestation import claim_name
from delegant.credentials.budget import Budget
from delegant.credentials.codec import JsonObject, parse
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error

from .fresh import Attested

__all__ = [
    "MAX_ATTESTATIONS",
    "Fetch",
    "Lists",
    "Verdict",
    "believed",
    "claims",
    "judge_attestations",
    "kept",
    "shown",
]

MAX_ATTESTATIONS: Final = 16
"""Of one agent, so many are kept; the others are as if they had not come."""
MAX_CREDENTIAL: Final = 16_384
MAX_STORED: Final = MAX_ATTESTATIONS * MAX_CREDENTIAL + MAX_ATTESTATIONS + 2
LIST_SECONDS: Final = 10
"""How long a list is used before it is asked for again."""
MAX_LISTS: Final = 64
KEPT: Final = 256

Fetch = Callable[[str], "JsonObject | str | None"]
"""The newest status list by a URL, or None. It must answer at once, from what it has."""

_REASON: Final = {
    "revoked": "attestation-revoked",
    "suspended": "attestation-revoked",
    "expired": "attestation-expired",
    "not-yet-valid": "attestation-expired",
    "ttl-too-long": "attestation-expired",
    "status-missing": "attestation-stale",
    "status-stale": "attestation-stale",
    "status-unknown": "attestation-stale",
    "status-rollback": "attestation-stale",
}
"""Any other code: nobody who may say so has said so."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of an agent's attestations.

    ``counted`` are in order of type, issuer and digest; ``discounted`` are (type, trace reason).
    """

    counted: tuple[Attested, ...] = ()
    discounted: tuple[tuple[str, str], ...] = ()


class Lists:
    """Status lists, each asked for at most every `LIST_SECONDS`, read once per version.

    Args:
        fetch: see `Fetch`; None: there are none, and no attestation counts.
    """

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[str, tuple[int, Evidence]] = OrderedDict()
        self._lock = threading.Lock()

    def evidence(self, url: str, at: int) -> Evidence:
        """Evidence that holds the list of a URL, or nothing."""
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and 0 <= at - kept[0] < LIST_SECONDS:
            return kept[1]
        found = self._read(url, kept)
        with self._lock:
            self._kept[url] = (at, found)
            self._kept.move_to_end(url)
            if len(self._kept) > MAX_LISTS:
                self._kept.popitem(last=False)
        return found

    def _read(self, url: str, kept: tuple[int, Evidence] | None) -> Evidence:
        try:
            raw = None if self._fetch is None else self._fetch(url)
            if raw is None:
                return Evidence()
            if kept is not None and kept[1].json.get("statusLists") == [raw]:
                return kept[1]  # its signature need not be checked again
            found = Evidence(status_lists=[raw])
            found.status_lists(url)
        except Error:
            return Evidence()
        return found


def shown(evidence: Evidence, agent: str) -> list[JsonObject | str]:
    """The attestations about an agent in its evidence, as they came, each once."""
    out: list[JsonObject | str] = []
    for raw in evidence.json.get("attestations", ()):
        if len(out) < MAX_ATTESTATIONS and raw not in out and _read(raw, agent)[1]:
            out.append(raw)
    return out


def claims(shown: Sequence[JsonObject | str], agent: str) -> list[str]:
    """What these say they attest, believed or not."""
    return sorted({_read(raw, agent)[1] for raw in shown} - {""})


def believed(shown: Sequence[JsonObject | str], agent: str, trust: Trust) -> set[str]:
    """The types of these that somebody accredited signed, whatever has become of them since.

    Only these are what an agent is found by: anybody may say anything of himself.
    """
    out, budget = set[str](), Budget(trust.limits)
    for raw in shown:
        one, claim = _read(raw, agent)
        if one is not None and claim not in out:
            with suppress(Error):
                check_issuer(one, trust, budget)
                out.add(claim)
    return out


def kept(stored: bytes, agent: str) -> list[JsonObject | str]:
    """Those about an agent among what is stored, as they came."""
    return [one for one in _array(stored) if _read(one, agent)[1]]


def judge_attestations(stored: bytes, agent: str, lists: Lists, trust: Trust, at: int) -> Verdict:
    """Judge what is kept of an agent's attestations.

    Args:
        stored: the RFC 8785 bytes of a list of them.
        agent: whom they must be about.
        lists: where fresh status lists are.
        trust: whose anchors' ``accredits`` say whose word counts for what.
        at: now, seconds since 1970.

    Raises:
        Unavailable: ``unavailable`` when what is stored cannot be read.
    """
    counted: dict[str, Attested] = {}
    discounted: set[tuple[str, str]] = set()
    for one, claim in _kept(stored, agent):
        reason = "attestation-issuer" if one is None else _against(one, agent, lists, trust, at)
        if one is None or reason is not None:
            discounted.add((claim, reason or "attestation-issuer"))
            continue
        counted[one.digest] = Attested(
            claim,
            one.issuer,
            one.valid_from,
            one.valid_until,
            one.digest,
            one.capabilities or None,
        )
    ordered = sorted(counted.values(), key=lambda one: (one.type, one.issuer, one.digest))
    return Verdict(tuple(ordered), tuple(sorted(discounted)))


def _against(one: AgentAttestation, agent: str, lists: Lists, trust: Trust, at: int) -> str | None:
    try:
        url = one.status.list if one.status else ""
        check_attestation(one, lists.evidence(url, at), trust, at=at, subject=agent)
    except Error as exc:
        return _REASON.get(exc.code, "attestation-issuer")
    return None


@lru_cache(KEPT)
def _kept(stored: bytes, agent: str) -> tuple[tuple[AgentAttestation | None, str], ...]:
    """Those that are about the agent, read once for the same bytes."""
    return tuple(found for found in (_read(one, agent) for one in _array(stored)) if found[1])


def _array(stored: bytes) -> list[JsonObject | str]:
    try:
        values = parse(stored, size=MAX_STORED)
        if type(values) is not list:
            raise error("shape", "not a list")
    except Error as exc:
        raise error("unavailable", f"stored attestations are damaged: {exc.code}") from None
    return values


def _read(raw: object, agent: str) -> tuple[AgentAttestation | None, str]:
    """An attestation and its type; None for one that breaks the rules of its kind, as one about
    oneself does; no type for what is none about this agent at all.
    """  # noqa: D205
    try:
        secured = unpack(raw, size=MAX_CREDENTIAL)
        subject = secured.document.get("credentialSubject")
        block = subject.get("attestation") if type(subject) is dict else None
        if type(subject) is not dict or subject.get("id") != agent or type(block) is not dict:
            return None, ""
        claim = claim_name(block.get("type"))
    except Error:
        return None, ""
    try:
        return parse_agent_attestation(secured), claim
    except Error:
        return None, claim
