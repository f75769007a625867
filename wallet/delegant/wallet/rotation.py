"""New keys: for a person, or an agent (for the organisation: `rekeying`).

A did:web keeps its DID and is pinned anew; a did:key becomes another DID. Either way the person's
next sponsor credential names the new key, and whatever the old key had signed ends: links by
themselves within their time, identities of agents are signed again here.

What is written, and when: the new wallet beside the old one, then the credential that names its
key, then the new wallet in the old one's place. An old secret key is kept nowhere: it has no use
left but misuse. Its public half stays in the subject's file. A rotation that was interrupted is
repeated; the old wallet counts until the new one is in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from delegant.credentials import AgentIdentity, Lease, StatusEntry, issue_agent_identity
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import check as check_did
from delegant.credentials.did import embeds_key, method_of
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import format_time, time

from . import files, revocations, statuslists
from .agents import acting, sponsor_behind
from .allocation import FOREVER, LIST_BITS, keep, take_entry
from .home import Home
from .keystore import Kind, Wallet
from .organization import (
    attest_again,
    pin,
    settle,
    sponsor_of,
)
from .subject import Retired, Subject

__all__ = [
    "Rotated",
    "renew_identity",
    "rotate_agent",
    "rotate_human",
]


@dataclass(frozen=True, slots=True)
class Rotated:
    """A person or an agent with a new key.

    Attributes:
        before, did: the DID before and after; the same for a did:web.
        renewed: agents whose identity was signed again.
        left: agents whose identity is still to be renewed by hand (`renew_identity`).
        ended: ids of links that were live, and end with the old key.
    """

    handle: str
    before: str
    did: str
    renewed: tuple[str, ...]
    left: tuple[str, ...]
    ended: tuple[str, ...]


def rotate_human(
    home: Home, organization: Wallet, name: str, *, now: int, recover: bool = False
) -> Rotated:
    """Give a person a new key, attested by the organisation; no old signature is needed.

    A did:web keeps its DID (unless the feed revoked it: nothing un-revokes), and its next sponsor
    credential pins the new key; a did:key becomes a new DID, and the old one's credential is
    revoked. So is whatever a lost wallet might still use (``recover``).

    Args:
        organization: its open wallet; it authorises the change.
        recover: the old wallet is lost: revoke its credential even where the DID stays. A
            person whose credential was revoked or suspended comes back this way only.

    Raises:
        Rejected: ``wallet-kind``, ``did-key-mismatch``, ``sponsor-gone``, ``suspended``,
            ``wallet-auth``, ``status-range``. NotFound: ``not-found``.
    """
    with files.lock(home.path / "wallets"):  # of two at once, one after the other
        return _rotate_human(home, organization, name, now, recover)


def _rotate_human(home: Home, organization: Wallet, name: str, now: int, recover: bool) -> Rotated:
    home.check_current(organization)
    subject = home.subject(name)
    before, entry = sponsor_of(subject)
    used = statuslists.used_in(home, entry.list)
    if not recover and used(entry.index):
        raise error("sponsor-gone", f"{subject.handle} was revoked: only recovery brings them back")
    if not recover and used(entry.index + 1):
        raise error("suspended", f"{subject.handle} is suspended: resume first, or recover")
    gone = recover and revocations.names(home, organization, subject.did)
    fresh, path = _beside(home, "human", subject, another=gone)
    replaced = recover or fresh.did != subject.did
    if replaced:
        whole = Lease(entry.list, 0, LIST_BITS)
        entry = take_entry(home.path, whole, now, FOREVER, used)
    credential = attest_again(
        home, organization, before, human=fresh.did, key=pin(fresh), status=entry, now=now
    )
    old = [before.status] if replaced and before.status is not None else []
    home.save_subject(_succeeded(subject, fresh, credential.secured.raw, old, now))
    files.move(path, home.wallet_path("human", subject.handle))
    settle(home, organization, now)
    renewed, left = _hand_over(home, fresh, subject, now)
    return Rotated(
        subject.handle, subject.did, fresh.did, renewed, left, _ended(home, subject.did, now)
    )


def rotate_agent(home: Home, issuer: Wallet, name: str, *, now: int) -> Rotated:
    """Give an agent a new key, under an identity signed by its human or parent agent.

    The old identity is to be revoked: `refresh` does, with the organisation's wallet.

    Raises:
        Rejected: ``wallet-kind``, ``did-key-mismatch``, ``revoked``, ``spawn-forbidden``.
    """
    with files.lock(home.path / "wallets"):
        return _rotate_agent(home, issuer, name, now)


def _rotate_agent(home: Home, issuer: Wallet, name: str, now: int) -> Rotated:
    subject = home.subject(name)
    fresh, path = _beside(home, "agent", subject)
    identity, old = _next_identity(home, issuer, subject, now=now, fresh=fresh)
    home.save_subject(_succeeded(subject, fresh, identity.secured.raw, old, now))
    files.move(path, home.wallet_path("agent", subject.handle))
    renewed, left = _hand_over(home, fresh, subject, now)
    ended = _ended(home, subject.did, now, subject.did)
    return Rotated(subject.handle, subject.did, fresh.did, renewed, left, ended)


def _beside(
    home: Home, kind: Kind, subject: Subject, *, another: bool = False
) -> tuple[Wallet, Path]:
    """A new wallet of a subject beside its old one; what an interruption left there goes.

    ``another``: under another DID even where this one could stay, for it was revoked.
    """
    if subject.kind != kind:
        raise error("wallet-kind", f"{subject.handle} is not of kind {kind}")
    path = home.wallet_path(kind, subject.handle)
    path = path.with_name(f"{path.name}.next")
    files.make_folder(path.parent, secret=True)
    files.remove(path)
    own = check_did(subject.did)
    web = None if embeds_key(own) else own
    if web is not None and another:
        web = check_did(home.new_web(kind, subject.handle))
    fresh = Wallet.create(
        path,
        home.passphrases.get(f"{kind} {subject.handle}", new=True),
        kind=kind,
        name=subject.handle,
        method=method_of(own),
        web=web,
    )
    return fresh, path


def _succeeded(
    subject: Subject, fresh: Wallet, credential: JsonObject | str, old: Sequence[StatusEntry],
    now: int,
) -> Subject:  # fmt: skip
    """The subject under its new key, with what it had written down."""
    return replace(
        subject,
        did=fresh.did,
        credential=credential,
        retired=(*subject.retired, Retired(subject.did, subject.key.multikey, now)),
        revoke=(*subject.revoke, *old),
    )


def _ended(home: Home, issuer: str, now: int, subject: str | None = None) -> tuple[str, ...]:
    """Live links by that DID (and to it), which the old key signed (or holds)."""
    return tuple(
        link.id
        for link in home.links()
        if now < link.valid_until and (link.issuer == issuer or link.subject == subject)
    )


# --- identities ----------------------------------------------------------------------------


def renew_identity(
    home: Home, issuer: Wallet, name: str, *, now: int, seconds: int | None = None
) -> AgentIdentity:
    """Sign an agent's identity again: the same agent and key, under the issuer's key of now.

    Args:
        issuer: the open wallet of its human (another may take the agent over) or parent agent.
        seconds: from now on; by default until when it was to live.

    Raises:
        Rejected: ``wallet-kind``, ``did-key-mismatch``, ``revoked``, ``expired``,
            ``spawn-forbidden``, ``ttl-too-long``.
    """
    subject = home.subject(name)
    identity, old = _next_identity(home, issuer, subject, now=now, seconds=seconds)
    revoke = (*subject.revoke, *old)
    home.save_subject(replace(subject, credential=identity.secured.raw, revoke=revoke))
    return identity


def _next_identity(
    home: Home,
    issuer: Wallet,
    subject: Subject,
    *,
    now: int,
    seconds: int | None = None,
    fresh: Wallet | None = None,
) -> tuple[AgentIdentity, list[StatusEntry]]:
    """An agent's next identity, and the entries of those before that must not live on."""
    if subject.kind != "agent":
        raise error("wallet-kind", f"{subject.handle} is no agent")
    before = parse_agent_identity(unpack(subject.credential))
    entry = before.status
    if entry is not None and statuslists.used_in(home, entry.list)(entry.index):
        raise error("revoked", f"the identity of {subject.handle} was revoked; make a new agent")
    author = acting(home, issuer)
    sponsor, until = sponsor_behind(home, author, now + seconds if seconds else before.valid_until)
    block = dict(before.secured.document["credentialSubject"]["agentIdentity"])
    del block["version"]
    if "expires" in block:
        until = min(until, time(block["expires"], "expires"))
    if until <= now:
        raise error("expired", f"the identity of {subject.handle} has expired: say for how long")
    credential = parse_human_sponsor(unpack(sponsor.credential))
    lease = credential.lease
    if block["owner"] == before.sponsor:
        block["owner"] = sponsor.did
    if block["deployer"] == before.organization:
        block["deployer"] = credential.organization
    if block.get("parent") == before.issuer:
        block["parent"] = issuer.did
    block |= {
        "sponsor": {"id": sponsor.did, "organization": credential.organization},
        "updated": format_time(now),
    }
    who, key = subject.did, subject.pin
    if fresh is not None:
        who, key = fresh.did, pin(fresh)
        block |= {} if key is None else {"key": key.multikey}
    old: list[StatusEntry] = []
    kept = fresh is None and entry is not None and lease.holds_entry(entry)
    if entry is None or not (kept and keep(home.path, lease, entry, now, until)):
        old = [] if entry is None else [entry]
        used = statuslists.used_in(home, lease.list)
        entry = take_entry(home.path, lease, now, until, used)
    identity = issue_agent_identity(
        issuer.key(),
        issuer=issuer.did,
        agent=who,
        identity=block,
        status=entry,
        valid_from=now,
        valid_until=until,
        issuer_key=author.pin,
    )
    return identity, old


def _hand_over(
    home: Home, fresh: Wallet, old: Subject, now: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sign again the identities that a new key, or a new DID, invalidates.

    Those of earlier DIDs too, which a rotation that was interrupted had left behind.

    Returns:
        The agents done, and those whose issuer's wallet does not open here.
    """
    before = {old.did, *(one.did for one in old.retired)}
    waiting: dict[str, tuple[Subject, AgentIdentity]] = {}
    for subject in home.subjects("agent"):
        identity = parse_agent_identity(unpack(subject.credential))
        moved = identity.sponsor in before and identity.sponsor != fresh.did
        if (identity.issuer in before or moved) and now < identity.valid_until:
            waiting[subject.did] = (subject, identity)
    done: list[str] = []
    left: list[str] = []
    while waiting:
        ready = [one for one in waiting if waiting[one][1].issuer not in waiting]
        for one in ready or list(waiting):
            subject, identity = waiting.pop(one)
            try:
                issuer = fresh
                if identity.issuer not in before:
                    parent = home.formerly(identity.issuer)
                    if parent.handle in left:
                        raise error("wallet-auth", f"{parent.handle} comes first")
                    issuer = home.open_wallet("agent", parent.handle)
                renew_identity(home, issuer, subject.handle, now=now)
            except Error:
                left.append(subject.handle)
            else:
                done.append(subject.handle)
    return tuple(done), tuple(left)
