"""Issuing: the four credentials, the status list, the feed; nothing that would not verify.

Every function signs, reads its own result back through the verifier's parser, and for a link
runs the verifier's linkage and attenuation against the chain above it. What would be refused
there is raised here and never leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from . import chain, did, documents, feed, grammar, jose, proof, status
from .attestation import ATTESTATION_HARD_SECONDS, AgentAttestation, parse_agent_attestation
from .codec import JsonObject, canonical
from .credential import (
    GRANT_HARD_SECONDS,
    IDENTITY_HARD_SECONDS,
    MANDATE_HARD_SECONDS,
    SPONSOR_HARD_SECONDS,
    STATUS_FREE_SECONDS,
    HumanSponsor,
    Lease,
    Link,
    StatusEntry,
    parse_human_sponsor,
    parse_link,
)
from .documents import Resolved
from .envelope import CONTEXT, Form, Secured, secure, unpack
from .errors import error
from .feed import Revocation, RevocationFeed, parse_feed, unpack_feed
from .identity import AgentIdentity, parse_agent_identity
from .keys import PrivateKey, PublicKey, new_id
from .shape import format_time, time
from .status import StatusList, parse_status_list

__all__ = [
    "issue_agent_identity",
    "issue_attestation",
    "issue_human_sponsor",
    "issue_link",
    "issue_revocation_feed",
    "issue_statement",
    "issue_status_list",
]

Issued = TypeVar("Issued", Link, HumanSponsor, AgentIdentity, AgentAttestation)


def issue_link(
    key: PrivateKey,
    *,
    issuer: str,
    subject: str,
    organization: str,
    grants: Sequence[Mapping[str, Sequence[str]]],
    valid_from: int,
    valid_until: int,
    above: Sequence[Link] = (),
    use: str = "grant",
    constraints: Mapping[str, Any] | None = None,
    remaining: int = 0,
    spawn: bool = False,
    to: Sequence[str] = (),
    status: StatusEntry | None = None,
    lease: Lease | None = None,
    subject_key: PublicKey | None = None,
    form: Form = "di",
    id: str | None = None,  # noqa: A002 - the credential's own member
) -> Link:
    """Delegate: sign one link of a chain.

    Args:
        key: the issuer's.
        issuer, subject: delegator and delegate, DIDs.
        organization: who answers for the sponsor; every link of a chain repeats it.
        grants: ``[{"actions": […], "resources": […]}]``.
        valid_from, valid_until: seconds since 1970.
        above: the chain this link continues, root first; empty when a human signs the first.
        use: ``grant`` or ``mandate``.
        constraints: wire form; must restate those above.
        remaining, spawn, to: what the delegate may hand on; ``to`` defaults to the organisation.
        status: the link's own status entry; lease: the range leased to the delegate.
        subject_key: pinned for a subject whose DID is not its key.
        id: a ``urn:uuid``; a fresh one by default.

    Raises:
        Rejected: ``did-key-mismatch``, ``chain-broken``, ``depth``, ``cycle``,
            ``sponsor-changed``, ``scope-widened``, ``constraint-dropped``, ``use``,
            ``ttl-too-long``.
        Malformed, Undecided: the codes of phase 3, ``status-missing``.
    """
    delegation: JsonObject = {
        "version": 1,
        "use": use,
        "sponsor": {
            "id": above[0].sponsor if above else issuer,
            "organization": organization,
        },
        "depth": len(above),
        "redelegation": {
            "remaining": remaining,
            "spawn": spawn,
            "to": list(to) or [organization],
        },
        "grants": [{name: list(items) for name, items in grant.items()} for grant in grants],
    }
    if above:
        delegation["parent"] = {"id": above[-1].id, "digestMultibase": above[-1].digest}
    if lease is not None:
        delegation["redelegation"]["status"] = _lease(lease)
    if constraints:
        delegation["constraints"] = dict(constraints)
    if subject_key is not None:
        delegation["key"] = subject_key.multikey
    document = _document(
        "AgentDelegationCredential",
        issuer,
        {"id": subject, "delegation": delegation},
        valid_from,
        valid_until,
        status,
        id,
    )
    link = _signed_link(document, key, issuer, above[-1].key if above else None, form)
    chain.linkage((*above, link), None)
    if above:
        chain.attenuates(above[-1], link)
    if link.status is None and (use != "grant" or link.seconds > STATUS_FREE_SECONDS):
        raise error("status-missing", f"only a grant of {STATUS_FREE_SECONDS} s needs no status")
    return _short(link, MANDATE_HARD_SECONDS if use == "mandate" else GRANT_HARD_SECONDS)


def issue_human_sponsor(
    key: PrivateKey,
    *,
    organization: str,
    human: str,
    revision: int,
    grants: Sequence[Mapping[str, Sequence[str]]],
    authority: str,
    authority_key: PublicKey,
    lease: Lease,
    status: StatusEntry,
    valid_from: int,
    valid_until: int,
    constraints: Mapping[str, Any] | None = None,
    attestation: str | None = None,
    human_key: PublicKey | None = None,
    form: Form = "di",
    id: str | None = None,  # noqa: A002
) -> HumanSponsor:
    """Attest a human: this DID is a natural person the organisation answers for.

    Args:
        key: the organisation's attestation key.
        revision: rises with every issue; verifiers refuse a lower one than they have seen.
        grants, constraints: the human's own entitlements.
        authority, authority_key: who signs the status lists of every chain below this human.
        lease: the status bits the human may hand out; status: the credential's own.
        attestation: how the organisation knows the person, for example ``idp:corp``.

    Raises:
        Rejected: ``ttl-too-long``.
        Malformed, Undecided, Rejected: the codes of phases 3 and 6.
    """
    entitlements: JsonObject = {"grants": [dict(grant) for grant in grants]}
    if constraints:
        entitlements["constraints"] = dict(constraints)
    block: JsonObject = {
        "version": 1,
        "organization": organization,
        "revision": revision,
        "entitlements": entitlements,
        "status": {"authority": authority, "key": authority_key.multikey, **_lease(lease)},
    }
    if attestation is not None:
        block["attestation"] = attestation
    if human_key is not None:
        block["key"] = human_key.multikey
    document = _document(
        "HumanSponsorCredential",
        organization,
        {"id": human, "humanSponsor": block},
        valid_from,
        valid_until,
        status,
        id,
    )
    sponsor = parse_human_sponsor(_sign(document, key, organization, None, form))
    return _short(sponsor, SPONSOR_HARD_SECONDS)


def issue_agent_identity(
    key: PrivateKey,
    *,
    issuer: str,
    agent: str,
    identity: Mapping[str, Any],
    status: StatusEntry,
    valid_from: int,
    valid_until: int,
    issuer_key: PublicKey | None = None,
    form: Form = "di",
    id: str | None = None,  # noqa: A002
) -> AgentIdentity:
    """Sign an agent's identity. It grants nothing.

    Args:
        key: the human's, or a parent agent's that may spawn.
        identity: the ``agentIdentity`` block without ``version``.
        issuer_key: the issuer's pinned key, where its DID is not its key.

    Raises:
        Rejected: ``id-no-expiry``, ``id-no-provenance``, ``id-shared``, ``did-key-mismatch``,
            ``ttl-too-long``.
        Malformed, Undecided: the codes of phase 3.
    """
    document = _document(
        "AgentIdentityCredential",
        issuer,
        {"id": agent, "agentIdentity": {"version": 1, **identity}},
        valid_from,
        valid_until,
        status,
        id,
    )
    pin = None if issuer_key is None else issuer_key.multikey
    return _short(
        parse_agent_identity(_sign(document, key, issuer, pin, form)), IDENTITY_HARD_SECONDS
    )


def issue_attestation(
    key: PrivateKey,
    *,
    issuer: str,
    agent: str,
    claim: str,
    authority: str,
    authority_key: PublicKey,
    status: StatusEntry,
    valid_from: int,
    valid_until: int,
    capabilities: Sequence[str] = (),
    scope: str | None = None,
    evidence: str | None = None,
    form: Form = "di",
    id: str | None = None,  # noqa: A002
) -> AgentAttestation:
    """Attest something about an agent. It counts where the issuer is accredited for the claim.

    Args:
        key: the issuer's attestation key.
        claim: what is claimed, as ``SOXComplianceCertified``.
        authority, authority_key: who signs the status list of this credential.
        capabilities, scope: what it is claimed for; for machines, for people.
        evidence: the digest of what the issuer relied on.

    Raises:
        Rejected: ``id-shared``, ``did-key-mismatch``, ``ttl-too-long``.
        Malformed: the codes of phase 3.
    """
    block: JsonObject = {
        "version": 1,
        "type": claim,
        "status": {"authority": authority, "key": authority_key.multikey},
    }
    if capabilities:
        block["capabilities"] = list(capabilities)
    if scope is not None:
        block["scope"] = scope
    if evidence is not None:
        block["evidence"] = {"digestMultibase": evidence}
    document = _document(
        "AgentAttestationCredential",
        issuer,
        {"id": agent, "attestation": block},
        valid_from,
        valid_until,
        status,
        id,
    )
    return _short(
        parse_agent_attestation(_sign(document, key, issuer, None, form)), ATTESTATION_HARD_SECONDS
    )


def issue_status_list(
    key: PrivateKey,
    *,
    url: str,
    authority: str,
    bits: bytes,
    valid_from: int,
    valid_until: int,
    form: Form = "di",
) -> StatusList:
    """Sign a status list; ``bits`` is the whole bitstring.

    Raises:
        Malformed: ``shape``. Rejected: ``did-key-mismatch``.
    """
    document = status.document(url, authority, bits, valid_from, valid_until)
    return parse_status_list(_sign(document, key, authority, None, form))


def issue_revocation_feed(
    key: PrivateKey,
    *,
    url: str,
    authority: str,
    seq: int,
    entries: Iterable[Revocation],
    valid_from: int,
    valid_until: int,
) -> RevocationFeed:
    """Sign an authority's revocation feed, whole.

    Args:
        seq: one more than that of the last feed with other entries.

    Raises:
        Malformed: ``shape``. LimitExceeded: ``limit-items``, ``limit-size``.
        Rejected: ``did-key-mismatch``.
    """
    payload = feed.document(url, authority, seq, entries, valid_from, valid_until)
    method = _method(key, authority, None)
    made = parse_feed(unpack_feed(jose.sign(payload, key, feed.FEED_TYPE, method, floats=False)))
    made.entries  # noqa: B018 - each is read as a verifier will
    return made


def issue_statement(key: PrivateKey, *, resolver: str, found: Resolved) -> str:
    """Sign what a DID resolved to, for verifiers that have this resolver in their trust folder.

    Raises:
        Malformed: ``shape``. LimitExceeded: ``limit-size``. Rejected: ``did-key-mismatch``.
    """
    payload = documents.statement(resolver, found)
    method = _method(key, resolver, None)
    token = jose.sign(payload, key, documents.STATEMENT_TYPE, method)
    documents.parse_statement(documents.unpack_statement(token))
    return token


def _document(
    kind: str,
    issuer: str,
    subject: JsonObject,
    valid_from: int,
    valid_until: int,
    entry: StatusEntry | None,
    name: str | None,
) -> JsonObject:
    document: JsonObject = {
        "@context": list(CONTEXT),
        "id": name or new_id(),
        "type": ["VerifiableCredential", kind],
        "issuer": issuer,
        "validFrom": format_time(valid_from),
        "validUntil": format_time(valid_until),
        "credentialSubject": subject,
    }
    if entry is not None:
        document["credentialStatus"] = [
            {
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": str(entry.index + offset),
                "statusListCredential": entry.list,
            }
            for offset, purpose in enumerate(("revocation", "suspension"))
        ]
    return document


def _sign(
    document: JsonObject, key: PrivateKey, issuer: str, pin: str | None, form: Form
) -> Secured:
    method = _method(key, issuer, pin)
    return secure(document, key, method, time(document["validFrom"], "validFrom"), form)


def _signed_link(
    document: JsonObject, key: PrivateKey, issuer: str, pin: str | None, form: Form
) -> Link:
    """A link, read back as the verifier will: at once if it can, else member by member."""
    method, created = _method(key, issuer, pin), document["validFrom"]
    signed: JsonObject | str
    # A float among the constraints is refused by either reader.
    if form == "jwt":
        signed = jose.sign(document, key, "vc+jwt", method, floats=False)
        read = grammar.read_links(f'["{signed}"]'.encode("ascii"))
    else:
        signed = proof.sign(document, key, method, created, floats=False)
        read = grammar.read_links(b"[" + canonical(signed, floats=False) + b"]")
    return parse_link(unpack(signed)) if read is None else read[0]


def _method(key: PrivateKey, issuer: str, pin: str | None) -> str:
    """The verification method of the issuer's key, which must be the one known for it."""
    name = did.check(issuer)
    stated = chain.pinned(name, pin)
    if stated is not None and stated != key.public:
        raise error("did-key-mismatch", f"the signing key is not that of {issuer}")
    return did.method_for(name, key.public)


def _short(credential: Issued, most: int) -> Issued:
    """The credential, if it lives no longer than any verifier lets it."""
    if credential.seconds > most:
        raise error("ttl-too-long", f"lives {credential.seconds} seconds, at most {most} may be")
    return credential


def _lease(lease: Lease) -> JsonObject:
    return {"list": lease.list, "from": lease.start, "count": lease.count}
