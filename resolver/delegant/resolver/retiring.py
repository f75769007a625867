"""DID documents at the edge: asked once a chain was accepted, to see whether they take it away.

A document can only retire a key (`delegant.credentials.documents`), so one that cannot be had
changes nothing. Asked about are the DIDs of an accepted chain alone: whoever presents one that
does not hold makes nobody fetch anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from delegant.credentials import Error, Trust, Verdict, VerifiedChain
from delegant.credentials.did import check, embeds_key
from delegant.credentials.documents import Resolved

from .dids import KEEP_MOST, Dids

__all__ = ["decided", "look_up", "parties"]

MOST: Final = 16
SECONDS: Final = 10.0


def parties(chain: VerifiedChain) -> list[str]:
    """The DIDs whose keys a chain rests on and whose documents could retire them, root first."""
    found = [chain.anchor.id]
    if chain.sponsor_credential is not None:
        found.append(chain.sponsor_credential.authority)
    for link in chain.links:
        found += [link.issuer, link.subject]
    for identity in chain.identities:
        found += [identity.issuer, identity.sponsor]
    return [name for name in dict.fromkeys(found) if not embeds_key(check(name))]


def look_up(
    names: list[str], dids: Dids, at: int, *, most: int = MOST, seconds: float = SECONDS
) -> tuple[list[Resolved], list[tuple[str, Error]]]:
    """What these DIDs resolve to now, and of which it cannot be told.

    Args:
        names: DIDs; those after the first ``most`` are not looked up.
        dids: the resolver.
        at: the instant, seconds since 1970.
        most: how many.
        seconds: after which no other is begun.
    """
    found: list[Resolved] = []
    missing: list[tuple[str, Error]] = []
    begun = time.monotonic()
    for name in names[:most]:
        if time.monotonic() - begun > seconds:
            break
        try:
            one = dids.resolve(name)
        except Error as exc:
            missing.append((name, exc))
            continue
        document = one.document or {}
        if one.deactivated or document.get("id") == name:  # one that moved is another's
            found.append(Resolved(check(name), document, at, at + KEEP_MOST, one.deactivated))
    return found, missing


def decided(judge: Callable[[Trust], Verdict], trust: Trust, dids: Dids, at: int) -> Verdict:
    """A verdict that the documents of the chain's parties were asked about.

    Args:
        judge: decides under a trust.
        trust: the verifier's own.
        dids: the resolver.
        at: the instant, seconds since 1970.
    """
    verdict = judge(trust)
    if verdict.authorization is None:
        return verdict
    found, _ = look_up(parties(verdict.authorization), dids, at)
    return judge(trust.with_documents(found)) if found else verdict
