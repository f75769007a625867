"""What the organisation attests about agents, by its attestation key and no other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from delegant.credentials import (
    AgentAttestation,
    Evidence,
    Lease,
    issue_attestation,
    parse_agent_attestation,
)
from delegant.credentials.attestation import claim_name
from delegant.credentials.codec import Json, digest, parse
from delegant.credentials.did import check as check_did
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.evidence import MAX_EVIDENCE

from . import files, statuslists
from .allocation import LIST_BITS, take_entry
from .home import Home
from .keystore import Wallet

__all__ = [
    "attest",
    "attestation_evidence",
    "attestations",
    "find_attestation",
    "read_attestation",
]

ATTESTATION_SECONDS: Final = 90 * 86_400


def attest(
    home: Home,
    organization: Wallet,
    agent: str,
    claim: str,
    *,
    now: int,
    seconds: int = ATTESTATION_SECONDS,
    capabilities: Sequence[str] = (),
    scope: str | None = None,
    evidence: Path | None = None,
) -> AgentAttestation:
    """Attest something about an agent, of this home or of elsewhere.

    Args:
        organization: the open wallet; its attestation key signs.
        agent: a handle of this home, or any DID.
        claim: what is claimed, as ``SOXComplianceCertified``.
        seconds: how long; at most a year.
        capabilities, scope: what it is claimed for, for machines and for people.
        evidence: a file that was relied on; its digest is stated.

    Raises:
        Rejected: ``wallet-kind`` for a human, ``ttl-too-long``, ``did-key-mismatch`` for a wallet
            from before a rotation, ``status-range``. Malformed: ``shape``.
    """
    home.check_current(organization)
    claim_name(claim, "the claim")
    subject = agent
    if not agent.startswith("did:"):
        known = home.subject(agent)
        if known.kind != "agent":
            raise error("wallet-kind", f"{agent} is a human: agents are attested")
        subject = known.did
    check_did(subject)
    until = now + seconds
    relied = None if evidence is None else digest(files.read(evidence))
    # The entries of humans lie outside every lease of the first list, and so do these.
    whole = Lease(home.settings.list_url(1), 0, LIST_BITS)
    used = statuslists.used_in(home, whole.list)
    made = issue_attestation(
        organization.key(),
        issuer=home.settings.organization,
        agent=subject,
        claim=claim,
        authority=home.settings.authority,
        authority_key=organization.key("status").public,
        status=take_entry(home.path, whole, now, until, used),
        valid_from=now,
        valid_until=until,
        capabilities=capabilities,
        scope=scope,
        evidence=relied,
    )
    save(home, made)
    return made


def save(home: Home, credential: AgentAttestation) -> Path:
    """Write an attestation; its name is its id."""
    folder = home.path / "attestations"
    files.make_folder(folder)
    path = folder / f"{credential.id.removeprefix('urn:uuid:')}.json"
    files.write_json(path, credential.secured.raw)
    return path


def attestations(home: Home, agent: str | None = None) -> list[AgentAttestation]:
    """What was attested here, oldest first; about one agent (a DID) only, if it is named."""
    found = [read_attestation(path)[0] for path in (home.path / "attestations").glob("*.json")]
    mine = [one for one in found if agent in (None, one.subject)]
    return sorted(mine, key=lambda one: (one.valid_from, one.id))


def find_attestation(home: Home, name: str) -> AgentAttestation | None:
    """One by id, by the start of its id (eight letters at least), or by file; else None.

    Raises:
        Conflict: ``name-taken`` when several begin so.
    """
    if Path(name).is_file():
        try:
            return read_attestation(Path(name))[0]
        except Error:
            return None
    wanted = name.removeprefix("urn:uuid:")
    found = [one for one in attestations(home) if one.id[9:].startswith(wanted)]
    if len(wanted) < 8 or not found:
        return None
    if len(found) > 1:
        raise error("name-taken", f"several attestations begin with {name}")
    return found[0]


def read_attestation(path: Path) -> tuple[AgentAttestation, Evidence]:
    """An attestation from a file, and the evidence that came with it.

    The file is evidence that holds one attestation, or the credential alone: a JSON object, a
    JSON string, or a bare compact JWS.

    Raises:
        NotFound: ``not-found``. Malformed, Undecided: the codes of phases 2 and 3.
    """
    data = files.read(path, size=MAX_EVIDENCE).strip()
    value: Json = data.decode("ascii", "replace")
    if data[:1] in (b"{", b'"'):
        value = parse(data, size=MAX_EVIDENCE)
    alone = type(value) is not dict or "type" in value
    found = Evidence(attestations=[value]) if alone else Evidence.from_json(value)
    raw = found.json.get("attestations", [])
    if len(raw) != 1:
        raise error("shape", f"{path.name} holds {len(raw)} attestations, not one")
    return parse_agent_attestation(unpack(raw[0])), found


def attestation_evidence(home: Home, credential: AgentAttestation) -> Evidence:
    """The attestation and the status list it names, where that is this home's."""
    lists = []
    if credential.status is not None and credential.status.list in [
        home.settings.list_url(number) for number in statuslists.numbers(home)
    ]:
        number = statuslists.number_of(home, credential.status.list)
        lists.append(statuslists.raw(home, number))
    return Evidence(status_lists=lists, attestations=[credential.secured.raw])


def renew_signed(home: Home, organization: Wallet, now: int) -> list[str]:
    """Sign again what older keys of the organisation attested; it claims the same.

    Returns:
        What was signed, for people.
    """
    signer = organization.key().public.multikey
    changed: list[str] = []
    for old in attestations(home):
        entry = old.status
        current = (
            old.issuer == home.settings.organization
            and old.authority == home.settings.authority
            and old.secured.method.endswith(f"#{signer}")
        )
        if entry is None or current or now >= old.valid_until:
            continue
        if statuslists.used_in(home, entry.list)(entry.index):
            continue  # what was revoked stays so
        made = issue_attestation(
            organization.key(),
            issuer=home.settings.organization,
            agent=old.subject,
            claim=old.claim,
            authority=home.settings.authority,
            authority_key=organization.key("status").public,
            status=entry,
            valid_from=now,
            valid_until=old.valid_until,
            capabilities=sorted(old.capabilities),
            scope=old.scope,
            evidence=old.evidence,
            id=old.id,
        )
        save(home, made)
        changed.append(f"attestation of {old.claim}")
    return changed
