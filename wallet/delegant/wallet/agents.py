"""What humans and agents of a home do: create agents, delegate, present."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delegant.credentials import (
    AgentIdentity,
    Bundle,
    Lease,
    Link,
    Presentation,
    PrivateKey,
    PublicKey,
    Request,
    Trust,
    issue_agent_identity,
    issue_link,
    present,
)
from delegant.credentials.codec import JsonObject, b64u_encode
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import check as check_did
from delegant.credentials.did import embeds_key, from_key
from delegant.credentials.envelope import Form, unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.identity import NONE, parse_agent_identity
from delegant.credentials.shape import format_time

from . import files, statuslists
from .allocation import lease_bits, take, take_entry
from .evidence import gather
from .home import Home, Subject, handle
from .keystore import Wallet
from .organization import pin

__all__ = [
    "Delegation",
    "acting",
    "create_agent",
    "create_ephemeral",
    "delegate",
    "find_chain",
    "make_bundle",
    "model_hash",
    "sponsor_behind",
]

IDENTITY_SECONDS: Final = 30 * 86_400
DEFAULT_GRANT: Final = 900
DEFAULT_MANDATE: Final = 7 * 86_400
_SHA3_256: Final = b"\x16\x20"


def model_hash(path: Path) -> str:
    """Multibase ``u`` of the sha3-256 multihash of a file, as the CSA paper recommends."""
    digest = hashlib.sha3_256(files.read(path, size=1 << 34)).digest()
    return "u" + b64u_encode(_SHA3_256 + digest)


def create_agent(
    home: Home,
    issuer: Wallet,
    name: str,
    *,
    now: int,
    model: str = "persistent",
    tools: Sequence[str] = (),
    scope: str | None = None,
    spawn: bool = False,
    seconds: int = IDENTITY_SECONDS,
    parent: str | None = None,
    members: Mapping[str, Any] | None = None,
    method: str = "key",
) -> AgentIdentity:
    """Make an agent's wallet and its identity, signed by its sponsor or its parent agent.

    Args:
        issuer: the open wallet of the human, or of the parent agent (which must be one that
            may spawn).
        name: a handle that is free in this home.
        model: persistent, ephemeral, fork or child.
        tools: actions it has tools for; none declares an empty toolset.
        seconds: life of the identity; an ephemeral agent ends with it.
        parent: the agent it was forked from; a child's parent is its issuer.
        members: further members of ``agentIdentity``.

    Raises:
        Conflict: ``name-taken``, ``id-shared``. Rejected: ``id-no-expiry``,
            ``id-no-provenance``, ``spawn-forbidden``. Malformed: ``shape``.
    """
    handle(name)
    author = acting(home, issuer)
    sponsor_behind(home, author, now)  # who may not make one leaves no wallet
    wallet = home.create_wallet("agent", name, method)
    try:
        identity = _identify(
            home, author, issuer, wallet, now=now, model=model, tools=tools, scope=scope,
            spawn=spawn, seconds=seconds, parent=parent, members=members,
        )  # fmt: skip
        home.save_subject(Subject(name, "agent", wallet.did, identity.secured.raw))
    except BaseException:
        files.remove(home.wallet_path("agent", name))  # nothing half-made stays
        raise
    return identity


def create_ephemeral(
    home: Home, issuer: Wallet, name: str, *, now: int, seconds: int, tools: Sequence[str] = ()
) -> tuple[Wallet, AgentIdentity]:
    """Make an agent that this process alone knows: its key is written nowhere.

    Args:
        issuer: the open wallet of the parent agent (which must be one that may spawn), or of the
            human.

    Raises:
        Rejected: ``spawn-forbidden``, ``ttl-too-long``, ``status-range``. Malformed: ``shape``.
    """
    handle(name)
    author = acting(home, issuer)
    key = PrivateKey.generate()
    wallet = Wallet("agent", name, {"main": key}, from_key(key.public))
    identity = _identify(
        home, author, issuer, wallet, now=now, model="ephemeral", tools=tools, seconds=seconds
    )
    return wallet, identity


def _identify(
    home: Home,
    author: Subject,
    issuer: Wallet,
    wallet: Wallet,
    *,
    now: int,
    model: str,
    tools: Sequence[str],
    seconds: int,
    scope: str | None = None,
    spawn: bool = False,
    parent: str | None = None,
    members: Mapping[str, Any] | None = None,
) -> AgentIdentity:
    """The identity of whoever holds a new wallet, signed by its sponsor or its parent agent."""
    sponsor, until = sponsor_behind(home, author, now + seconds)
    credential = parse_human_sponsor(unpack(sponsor.credential))
    block: JsonObject = {
        "name": wallet.name,
        "creator": issuer.did,
        "deployer": home.settings.organization,
        "owner": sponsor.did,
        "sponsor": {"id": sponsor.did, "organization": credential.organization},
        "identityModel": model,
        "scopeOfBehavior": {"summary": scope} if scope else NONE,
        "toolset": [{"toolName": tool, "actions": [tool]} for tool in tools] or NONE,
        "spawn": spawn,
        "lifecycleStatus": "active",
        "created": format_time(now),
    } | dict(members or {})
    if parent is not None:
        block["parent"] = home.subject(parent).did
    elif issuer.kind == "agent":
        block["parent"] = issuer.did
    if model == "ephemeral":
        block.setdefault("expires", format_time(until))
    if (key := pin(wallet)) is not None:
        block["key"] = key.multikey
    used = statuslists.used_in(home, credential.lease.list)
    return issue_agent_identity(
        issuer.key(),
        issuer=issuer.did,
        agent=wallet.did,
        identity=block,
        status=take_entry(home.path, credential.lease, now, until, used),
        valid_from=now,
        valid_until=until,
        issuer_key=author.pin,
    )


def acting(home: Home, wallet: Wallet) -> Subject:
    """The human or agent a wallet is of, if it holds the key this home knows for it.

    Raises:
        Rejected: ``did-key-mismatch`` for a wallet from before a rotation. NotFound.
    """
    subject = home.subject(wallet.name)
    if wallet.did != subject.did or wallet.key().public != subject.key:
        raise error(
            "did-key-mismatch",
            f"this wallet is not the newest of {subject.handle}: was a rotation interrupted? "
            "then repeat it",
        )
    return subject


def sponsor_behind(home: Home, subject: Subject, until: int) -> tuple[Subject, int]:
    """The human behind an issuer, and how long an identity by it may live.

    Raises:
        Rejected: ``spawn-forbidden``.
    """
    if subject.kind == "human":
        return subject, until
    own = parse_agent_identity(unpack(subject.credential))
    if not own.spawn:
        raise error("spawn-forbidden", f"{subject.handle} may not create agents")
    return home.subject(own.sponsor), min(until, own.valid_until)


@dataclass(frozen=True, slots=True)
class Delegation:
    """A new link, where it was written, and what was filled in for the delegator."""

    link: Link
    path: Path
    above: tuple[Link, ...]
    notes: tuple[str, ...]


def delegate(
    home: Home,
    issuer: Wallet,
    subject: str,
    grants: Sequence[JsonObject],
    *,
    now: int,
    use: str = "grant",
    constraints: Mapping[str, Any] | None = None,
    seconds: int | None = None,
    remaining: int = 0,
    spawn: bool = False,
    to: Sequence[str] = (),
    above: Link | None = None,
    subject_key: PublicKey | None = None,
    form: Form = "di",
) -> Delegation:
    """Sign one link; parent, constraints to restate, status bits and limits are found.

    Args:
        issuer: the open wallet of the delegator, human or agent.
        subject: the delegate's handle or DID.
        seconds: life; by default 15 minutes (a mandate: 7 days), cut to the parent's end. More
            than ``anchor.json`` tells verifiers to expect is refused.
        above: the link to continue; by default the delegator's newest that covers the grants.
        subject_key: the key of a delegate of elsewhere whose DID is not its key.

    Raises:
        Rejected: what `issue_link` raises; ``no-grant`` when an agent holds nothing to hand on.
        Undecided: ``key-unresolved``.
    """
    to_did, key = _recipient(home, subject, subject_key)
    author = acting(home, issuer)
    notes: list[str] = []
    chain: tuple[Link, ...] = ()
    organization = home.settings.organization
    if issuer.kind == "agent" or above is not None:
        parent = above or _parent_for(home, issuer.did, grants, now)
        chain = home.chain(parent)
        organization = parent.organization
        lease = parent.lease
        notes.append(f"continues {parent.id}")
    else:
        lease = author.lease
    life = seconds or (DEFAULT_MANDATE if use == "mandate" else DEFAULT_GRANT)
    if organization == home.settings.organization:
        most = _longest(home, use)
        if seconds is not None and seconds > most:
            raise error("ttl-too-long", f"a {use} of {organization} lives at most {most} s")
        life = min(life, most)
    until = now + life
    if chain and until > chain[-1].valid_until and seconds is None:
        until = chain[-1].valid_until
        notes.append(f"ends with its parent at {format_time(until)}")
    restated = dict(chain[-1].authority.json.get("constraints", {})) if chain else {}
    own = {**restated, **_deep(restated, constraints or {})}
    if restated:
        notes.append("restates " + ", ".join(sorted(restated)))
    if chain and not to:
        to = sorted(chain[-1].to)
    entry = below = None
    if lease is not None:
        used = statuslists.used_in(home, lease.list)
        entry = take_entry(home.path, lease, now, until, used)
        if remaining and (bits := lease_bits(remaining, lease)):
            below = Lease(lease.list, take(home.path, lease, bits, now, until, used), bits)
    link = issue_link(
        issuer.key(),
        issuer=issuer.did,
        subject=to_did,
        organization=organization,
        grants=grants,
        valid_from=now,
        valid_until=until,
        above=chain,
        use=use,
        constraints=own,
        remaining=remaining,
        spawn=spawn,
        to=to,
        status=entry,
        lease=below,
        subject_key=key,
        form=form,
    )
    return Delegation(link, home.save_link(link), chain, tuple(notes))


def _longest(home: Home, use: str) -> int:
    """How long, in seconds, whoever trusts the organisation's anchor lets a link live."""
    published = files.read_object(home.path / "anchor.json")
    (anchor,) = Trust.from_json({"version": 1, "anchors": [published]}).anchors.values()
    return anchor.max_mandate if use == "mandate" else anchor.max_grant


def _recipient(home: Home, name: str, stated: PublicKey | None) -> tuple[str, PublicKey | None]:
    """The DID of a delegate, and its key where the link must pin it."""
    try:
        known = home.subject(name)
    except Error:
        if not name.startswith("did:"):
            raise
        known = None
    if known is not None and known.kind != "agent":
        raise error("wallet-kind", f"{name} is a human: authority is delegated to agents")
    if known is not None and stated in (None, known.key):
        return known.did, known.pin
    if known is not None:
        raise error("did-key-mismatch", f"the key stated is not that of {known.handle}")
    if embeds_key(check_did(name)):
        return name, None
    if stated is None:
        raise error("key-unresolved", f"{name} is not of this home: state its key (--to-key)")
    return name, stated


def _deep(restated: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Own constraints, with the parent's arguments restated beside one's own."""
    out = dict(own)
    if "arguments" in restated and "arguments" in own:
        out["arguments"] = {**restated["arguments"], **own["arguments"]}
    return out


def _parent_for(home: Home, holder: str, grants: Sequence[JsonObject], now: int) -> Link:
    """The holder's newest live link that covers all grants and may be handed on."""
    live = [
        link
        for link in home.links()
        if link.subject == holder and link.valid_from <= now + 30 and now < link.valid_until
    ]
    covering = [
        link
        for link in live
        if all(
            link.authority.covers(action, resource)
            for grant in grants
            for action in grant["actions"]
            for resource in grant["resources"]
        )
    ]
    if not live:
        raise error("no-grant", "this agent holds no live link: delegate to it first")
    best = [link for link in covering if link.remaining > 0] or covering or live
    return best[-1]


def find_chain(home: Home, holder: str, request: Request, now: int) -> tuple[Link, ...]:
    """The holder's newest live grant that covers the request, with all above it.

    Raises:
        Rejected: ``no-grant``.
    """
    found = [
        link
        for link in home.links()
        if link.subject == holder
        and link.use == "grant"
        and now < link.valid_until
        and link.authority.covers(request.action, request.resource)
    ]
    if not found:
        raise error("no-grant", f"no live grant here covers {request.action} on {request.resource}")
    return home.chain(found[-1])


def make_bundle(
    home: Home,
    agent: Wallet,
    links: Sequence[Link],
    request: Request,
    *,
    audience: str | None,
    now: int,
    nonce: str | None = None,
) -> Bundle:
    """Presentation, request and evidence in one; the agent's key alone is used.

    Args:
        audience: the verifier's DID; by default the one the grant names, else this home's own.

    Raises:
        Rejected: ``holder-mismatch``. Malformed: ``shape``.
    """
    pinned = links[-1].key
    if pinned is not None and pinned != agent.key().public.multikey:
        raise error("holder-mismatch", f"the grant pins another key for {agent.name}")
    if audience is None:
        named = links[-1].authority.constraints.get("audience", frozenset())
        audience = next(iter(named)) if len(named) == 1 else home.settings.registry
    shown: Presentation = present(
        links, agent.key(), audience=audience, request=request, at=now, nonce=nonce
    )
    return Bundle(shown, request, gather(home, [links[0].issuer, *(x.subject for x in links)]))
