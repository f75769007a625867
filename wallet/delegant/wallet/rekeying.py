"""New keys for the organisation, and what they signed before signed again.

The new wallet is written beside the old one and moved into its place once ``anchor.json`` names
its key. A rotation that was interrupted is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from delegant.credentials import PublicKey
from delegant.credentials.did import check as check_did
from delegant.credentials.did import embeds_key, from_key
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.identity import parse_agent_identity

from . import files
from .anchoring import end_keys, publish
from .attestations import renew_signed
from .home import Home
from .keystore import Wallet
from .organization import refresh
from .registry import LOG_ROLE, publish_registry
from .subject import Retired

__all__ = ["OrganizationRotated", "rotate_organization"]


@dataclass(frozen=True, slots=True)
class OrganizationRotated:
    """An organisation with new keys.

    Attributes:
        before, did: the DID before and after; the same for a did:web.
        key: its attestation key of now, a Multikey.
        until: until when ``anchor.json`` names the old one too; None: no longer.
        signed: what was signed again.
        left: agents whose identity names the DID before: to be renewed by hand.
    """

    before: str
    did: str
    key: str
    authority: str
    until: int | None
    signed: tuple[str, ...]
    left: tuple[str, ...]


def rotate_organization(
    home: Home, organization: Wallet, *, now: int, overlap: int = 0, status: bool = False
) -> OrganizationRotated:
    """Give the organisation a new attestation key, and sign again what the old one signed.

    Args:
        overlap: seconds for which ``anchor.json`` still names the old key, so that evidence
            from before verifies where the new file is trusted already. A did:key has none.
        status: a new key for its status lists, too.

    Raises:
        Rejected: ``wallet-auth``. Malformed: ``shape`` for the overlap of a did:key.
    """
    with files.lock(home.path / "wallets"):
        return _rotate_organization(home, organization, now, overlap, status)


def _rotate_organization(
    home: Home, organization: Wallet, now: int, overlap: int, status: bool
) -> OrganizationRotated:
    before = home.settings.organization
    web = not embeds_key(check_did(before))
    if overlap and not web:
        raise error("shape", f"{before[:60]} is its own key: no anchor names two of them")
    path = home.wallet_path("organization")
    beside = path.with_name(f"{path.name}.next")
    files.remove(beside)
    wanted = {"attestation"} | ({"status"} if status else set())
    wanted |= {LOG_ROLE} - organization.roles  # homes from before have none
    fresh = organization.renewed(
        beside, home.passphrases.get("organization", new=True), tuple(sorted(wanted))
    )
    anchor = files.read_object(home.path / "anchor.json")
    new = fresh.key().public.multikey
    if web:  # trusted before anything is signed with it
        publish(home, anchor | {"keys": [organization.key().public.multikey, new]})
    if status:  # the feed is still signed with the key of before
        old = organization.key("status").public
        authority = home.settings.authority
        row = Retired(authority, old.multikey, now)
        home.save_retired((*home.retired_keys(), row))
    files.move(beside, path)
    _retire(home, anchor["keys"], new, before, now, overlap)
    kept = [key.key for key in home.retired_keys() if key.expires and key.at > now]
    publish(home, anchor | {"id": fresh.did, "keys": [new, *kept]}, (before, organization.did))
    authority = from_key(fresh.key("status").public)
    home.save_settings(replace(home.settings, organization=fresh.did, authority=authority))
    publish_registry(home, fresh)
    end_keys(home, now)
    signed = refresh(home, fresh, now) + renew_signed(home, fresh, now)
    left = [
        subject.handle
        for subject in home.subjects("agent")
        if (found := parse_agent_identity(unpack(subject.credential))).organization != fresh.did
        and now < found.valid_until
    ]
    return OrganizationRotated(
        before,
        fresh.did,
        new,
        authority,
        now + overlap if overlap else None,
        tuple(signed),
        tuple(left),
    )


def _retire(home: Home, keys: Sequence[str], new: str, who: str, now: int, overlap: int) -> None:
    """Write down every key of the anchor but the new one as used no more, or only for a while."""
    known = {one.key: one for one in home.retired_keys()}
    for key in keys:
        if key != new and key not in known:
            PublicKey.from_multikey(key)
            known[key] = Retired(who, key, now + overlap, expires=bool(overlap))
        elif key in known and not overlap and known[key].at > now:
            known[key] = Retired(who, key, now)  # no overlap: none for those before either
    home.save_retired(tuple(known.values()))
