"""Phases 3 to 6: what follows from the chain alone, without evidence, trust or clock.

Root to leaf, so a long forged tail costs nothing: the first link that fails ends the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from . import capability, did
from .budget import Budget
from .credential import Link, parse_link
from .did import Did
from .envelope import Secured
from .errors import Error, error
from .keys import PublicKey
from .presentation import Presentation

__all__ = ["Trace", "attenuation", "linkage", "pinned", "read_links", "signatures"]

Trace: TypeAlias = Callable[..., None] | None
"""Called with (phase, link, template, *arguments) for every check that held; None: nobody asks."""


def read_links(shown: Presentation, trace: Trace) -> tuple[Link, ...]:
    """Phase 3: every link has the profile's shape."""
    links = shown.read
    if not links:
        found: list[Link] = []
        try:
            for item in shown.links:
                found.append(parse_link(item))  # noqa: PERF401 - how far it came is needed below
        except Error as exc:
            exc.at(len(found))
            raise
        links = tuple(found)
    if trace:
        for index in range(len(links)):
            trace(3, index, "is a delegation credential of the profile")
    return links


def linkage(links: tuple[Link, ...], trace: Trace) -> None:
    """Phase 4: each link continues the one before it.

    Raises:
        Rejected: ``chain-broken``, ``depth``, ``cycle``, ``sponsor-changed``.
    """
    root = links[0]
    parties: set[str] = {root.issuer}
    ids: set[str] = set()
    parent: Link | None = None
    index = 0
    try:
        for index, link in enumerate(links):
            if (
                parent is None
                or link.depth != index
                or link.remaining >= parent.remaining
                or link.issuer != parent.subject
                or link.parent != (parent.id, parent.digest)
            ):
                _continues(link, parent)
                _depth(link, index, parent)
            if link.subject in parties or link.id in ids:
                raise error("cycle", "a party or a link stands twice in the chain")
            if index == 0 and link.sponsor != link.issuer:
                raise error("sponsor-changed", "the first link is not signed by the sponsor")
            if link.sponsor != root.sponsor or link.organization != root.organization:
                raise error("sponsor-changed", "not the sponsor of the first link")
            parties.add(link.subject)
            ids.add(link.id)
            parent = link
            if trace:
                trace(4, index, "continues the chain at depth %d", link.depth)
    except Error as exc:
        exc.at(index)
        raise


def _continues(link: Link, parent: Link | None) -> None:
    if parent is None:
        if link.parent is not None:
            raise error("chain-broken", "the first link names a parent that is not presented")
        return
    if link.parent is None:
        raise error("chain-broken", "names no parent")
    if link.parent != (parent.id, parent.digest):
        raise error("chain-broken", "its parent is not the link before it, by id and digest")
    if link.issuer != parent.subject:
        raise error("chain-broken", "not issued by the subject of the link before it")


def _depth(link: Link, index: int, parent: Link | None) -> None:
    if link.depth != index:
        raise error("depth", f"says depth {link.depth}, and stands at {index}")
    if parent is not None and link.remaining >= parent.remaining:
        raise error(
            "depth",
            f"{parent.remaining} further links were allowed, and it allows {link.remaining}",
        )


def attenuation(links: tuple[Link, ...], budget: Budget, trace: Trace) -> None:
    """Phase 5: each link allows no more than the one before it.

    Raises:
        Rejected: ``scope-widened``, ``constraint-dropped``, ``use``.
        LimitExceeded: ``limit-comparisons``.
    """
    parent = links[0]
    index = 0
    try:
        for index, link in enumerate(links):
            if index:
                attenuates(parent, link, budget)
                if trace:
                    trace(5, index, "allows no more than the link before it")
            parent = link
    except Error as exc:
        exc.at(index)
        raise


def attenuates(parent: Link, child: Link, budget: Budget | None = None) -> None:
    """One step of phase 5; the issuer asks it too before it signs."""
    if child.valid_from < parent.valid_from or child.valid_until > parent.valid_until:
        raise error("scope-widened", "lives outside the link above", dimension="validity")
    if child.authority is not parent.authority:
        capability.attenuates(parent.authority, child.authority, budget)
    if child.spawn and not parent.spawn:
        raise error("scope-widened", "the right to spawn was not given", dimension="spawn")
    if not child.to <= parent.to:
        raise error("scope-widened", "names more organisations", dimension="to")
    entry, lease = child.status, child.lease
    if (entry is not None and not (parent.lease and parent.lease.holds_entry(entry))) or (
        lease is not None and not (parent.lease and parent.lease.holds_lease(lease))
    ):
        raise error("scope-widened", "status bits outside the leased range", dimension="status")
    if child.use == "mandate":
        raise error("use", "a mandate stands below another link")


def pinned(subject: Did, key: str | None) -> PublicKey | None:
    """The subject's key: the DID's own, else the pinned one, else None.

    Raises:
        Undecided: ``suite``. Rejected: ``key-weak``. Malformed: ``encoding``.
    """
    if did.embeds_key(subject):
        return did.key_of(subject)
    return None if key is None else PublicKey.from_multikey(key)


def signatures(
    links: tuple[Link, ...], root_keys: tuple[PublicKey, ...], budget: Budget, trace: Trace
) -> PublicKey:
    """Phase 6: every link is signed by the key the link above pins. Nothing is skipped.

    Args:
        root_keys: the human's keys; empty where nothing trusted gives one.

    Returns:
        The key of the last subject, the holder.

    Raises:
        Undecided: ``key-unresolved``, ``suite``.
        Rejected: ``did-key-mismatch``, ``key-weak``, ``proof``, ``id-shared``.
    """
    keys = root_keys
    holders = {key.raw for key in root_keys}
    shared: int | None = None
    holder: PublicKey | None = None
    claims: list[tuple[Link, PublicKey, bytes]] = []
    refused: Error | None = None
    index = 0
    # First all that is to be checked, then the checks in one go: libsodium and the interpreter
    # push each other out of the processor's caches.
    try:
        for index, link in enumerate(links):
            if not keys:
                raise error("key-unresolved", f"nothing trusted gives the key of {link.issuer}")
            if len(keys) == 1:
                budget.chain_signatures(1)
                claims.append((link, keys[0], link.secured.claim(link.issuer, keys[0])))
            else:  # a human pinned directly, whose link is the first
                check_any(link.secured, link.issuer, keys, budget.chain_signatures)
            keys = ()
            holder = pinned(link.subject, link.key)
            if holder is not None:
                if holder.raw in holders and shared is None:
                    shared = index
                holders.add(holder.raw)
                keys = (holder,)
        if holder is None:
            raise error("key-unresolved", f"no key is pinned for {links[-1].subject}")
    except Error as exc:
        exc.at(index)
        refused = exc
    for link, key, message in claims:  # what is wrong with a signature comes before what follows
        try:
            link.secured.settle(link.issuer, key, message)
        except Error as exc:
            exc.at(link.depth)
            raise
    if refused is not None:
        raise refused
    if trace:
        for index, link in enumerate(links):
            trace(6, index, "is signed by %s", link.issuer)
    if shared is not None:
        raise error("id-shared", "a key of two parties of the chain", link=shared)
    return cast("PublicKey", holder)  # without one, something was refused


def check_any(
    secured: Secured, signer: Did, keys: tuple[PublicKey, ...], spend: Callable[[int], None]
) -> None:
    """Verify with the first of the keys that fits.

    As many checks are spent as there are keys, whichever fits and whatever is remembered, so
    that no verdict depends on what came before.
    """
    spend(len(keys))
    if len(keys) == 1:
        secured.check(signer, keys[0])
        return
    keys = tuple(sorted(keys, key=lambda key: not secured.checked_by(key)))
    for left, key in enumerate(keys, 1 - len(keys)):
        try:
            secured.check(signer, key)
        except Error as exc:
            if exc.code != "proof" or not left:
                raise
        else:
            return
