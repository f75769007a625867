"""The organisation's revocation feed on disk: one file, the feed as last signed.

``status/revocations.jwt`` is the whole store: what was revoked is read back from the signed feed,
and only if the organisation's own key signed it. ``seq`` begins at 1 and rises with every
change, so a feed that was lost and begun anew is refused by whoever met the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from delegant.credentials import (
    PublicKey,
    Revocation,
    RevocationFeed,
    StatusEntry,
    StatusList,
    issue_revocation_feed,
)
from delegant.credentials.credential import MANDATE_HARD_SECONDS
from delegant.credentials.did import check as check_did
from delegant.credentials.did import from_key
from delegant.credentials.errors import error
from delegant.credentials.feed import MAX_ENTRIES, MAX_FEED, parse_feed, unpack_feed

from . import files, statuslists
from .home import Home
from .keystore import Wallet

__all__ = ["load", "names", "raw", "refresh", "revoke", "sign"]

FEED_SECONDS: Final = 3600
FILE: Final = "revocations.jwt"


def raw(home: Home) -> str:
    """The feed as last signed, a compact JWS.

    Raises:
        NotFound: ``not-found`` where none was signed yet.
    """
    data = files.read(home.path / "status" / FILE, size=MAX_FEED + 1)
    return data.decode("ascii", "replace").strip()


def load(home: Home, organization: Wallet) -> RevocationFeed | None:
    """`raw`, read and checked; None where none was signed yet.

    Raises:
        Rejected: ``proof``, ``did-key-mismatch`` for a feed that is not this organisation's.
        Malformed: what `parse_feed` raises.
    """
    if not (home.path / "status" / FILE).exists():
        return None
    feed = parse_feed(unpack_feed(raw(home)))
    key = organization.key("status").public
    for one in home.retired_keys():  # it may still be signed with the key before a rotation
        if one.did == feed.issuer != from_key(key):
            key = PublicKey.from_multikey(one.key)
    feed.secured.check(feed.issuer, key)
    return feed


def names(home: Home, organization: Wallet, name: str) -> bool:
    """Whether the feed revokes this DID, or every chain of it as a sponsor."""
    feed = load(home, organization)
    entries = () if feed is None else feed.entries
    return any(one.id == name and one.kind in ("did", "sponsor") for one in entries)


def sign(
    home: Home, organization: Wallet, seq: int, entries: Sequence[Revocation], now: int
) -> RevocationFeed:
    """Sign a feed as of now and write it.

    Raises:
        LimitExceeded: ``limit-items``, ``limit-size``.
    """
    feed = issue_revocation_feed(
        organization.key("status"),
        url=home.settings.feed_url,
        authority=home.settings.authority,
        seq=seq,
        entries=entries,
        valid_from=now,
        valid_until=now + FEED_SECONDS,
    )
    files.make_folder(home.path / "status")
    files.write(home.path / "status" / FILE, f"{feed.secured.raw}\n".encode("ascii"))
    return feed


def refresh(home: Home, organization: Wallet, now: int, least: int) -> bool:
    """Sign the feed again, unchanged, if it is that many seconds old; begin one if there is none.

    Returns:
        Whether it was signed.
    """
    with files.lock(home.path):
        feed = load(home, organization)
        current = feed is not None and feed.issuer == home.settings.authority
        if feed is not None and current and feed.valid_from > now - least:
            return False
        if feed is None:
            sign(home, organization, 1, (), now)
        else:
            sign(home, organization, feed.seq, feed.entries, now)
        return True


def revoke(
    home: Home,
    organization: Wallet,
    kind: str,
    name: str,
    *,
    now: int,
    entry: StatusEntry | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> tuple[RevocationFeed, StatusList | None]:
    """Revoke for good, in the feed and, where it has bits of ours, in its status list.

    The feed is written first, then the bits, then the list. What fails on the way is raised, and
    nobody is told that it is done; the same again does what was left over.

    Args:
        kind: ``link``, ``did`` or ``sponsor``.
        name: the id of the link, or the DID.
        entry: the status bits of what is revoked, if it has any.
        by: on whose word; by default the organisation's.
        reason: for people, 1 to 256 printable characters.

    Raises:
        LimitExceeded: ``limit-items`` for a full feed. NotFound: ``not-found`` for bits of a list
        that is not ours. Malformed: ``shape``.
    """
    made = Revocation(
        kind,
        name,
        now,
        check_did(by or home.settings.organization),
        reason or "revoked by the organisation",
    )
    number = None if entry is None else statuslists.number_of(home, entry.list)
    with files.lock(home.path):
        feed = load(home, organization)
        before = () if feed is None else feed.entries
        if any((one.kind, one.id) == (kind, name) for one in before):
            entries = before
        else:
            entries = (*_live(before, now), made)
        if len(entries) > MAX_ENTRIES:
            raise error("limit-items", f"the feed has {MAX_ENTRIES} entries, and takes no more")
        seq = (0 if feed is None else feed.seq) + (entries is not before)
        signed = sign(home, organization, max(seq, 1), entries, now)
        if entry is None or number is None:
            return signed, None
        return signed, statuslists.set_bit(home, organization, number, entry.index, now)


def _live(entries: Sequence[Revocation], now: int) -> tuple[Revocation, ...]:
    """Entries but for links that have expired since: no link lives beyond 30 days."""
    return tuple(
        one for one in entries if one.kind != "link" or now < one.at + MANDATE_HARD_SECONDS
    )
