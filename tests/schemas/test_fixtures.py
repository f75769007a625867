"""For each credential some documents that are right, and some that are wrong in one way each."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from delegant import schemas
from schemas.full import FULL

ABSENT = object()
SUBJECT = "credentialSubject."
LINK = SUBJECT + "delegation."
SPONSOR = SUBJECT + "humanSponsor."
AGENT = SUBJECT + "agentIdentity."
CLAIM = SUBJECT + "attestation."

RIGHT: tuple[tuple[str, str, Any], ...] = (
    ("agent-delegation", "credentialStatus", ABSENT),
    ("agent-delegation", LINK + "parent", ABSENT),
    ("agent-delegation", LINK + "use", "mandate"),
    ("agent-delegation", LINK + "grants.0.resources", ["https://h/a/**", "urn:a:**"]),
    ("human-sponsor", SPONSOR + "attestation", ABSENT),
    ("human-sponsor", SPONSOR + "revision", 2**53 - 1),
    ("human-sponsor", "credentialStatus.0.statusListIndex", "134217726"),
    ("agent-identity", AGENT + "toolset", "none"),
    ("agent-identity", AGENT + "scopeOfBehavior", "none"),
    ("agent-identity", AGENT + "updated", "2024-02-29T00:00:00Z"),
    ("agent-attestation", CLAIM + "type", "DataRecipient_EncryptionLevel5_Compliant"),
    ("agent-attestation", CLAIM + "capabilities", ABSENT),
    ("agent-attestation", CLAIM + "scope", ABSENT),
    ("agent-attestation", CLAIM + "evidence", ABSENT),
    ("agent-attestation", CLAIM + "status.authority", "did:web:status.example"),
)

WRONG: tuple[tuple[str, str, Any], ...] = (
    # an unknown member, which nobody would enforce
    ("agent-delegation", LINK + "constraints", {"maxRows": {"max": 5}}),
    ("human-sponsor", SPONSOR + "admin", True),
    ("agent-identity", AGENT + "grants", []),
    # neither all nor none
    ("agent-delegation", LINK + "grants", []),
    ("human-sponsor", SPONSOR + "entitlements.grants.0.actions", []),
    ("agent-identity", AGENT + "toolset", []),
    # a version of another time
    ("agent-delegation", LINK + "version", 2),
    ("human-sponsor", SPONSOR + "version", "1"),
    ("agent-identity", AGENT + "version", 0),
    # the data model of before
    ("agent-delegation", "issuanceDate", "2026-01-01T00:00:00Z"),
    ("human-sponsor", "@context.0", "https://www.w3.org/2018/credentials/v1"),
    ("agent-identity", "type", ["VerifiableCredential", "HumanSponsorCredential"]),
    # what another reader might read otherwise
    ("agent-delegation", LINK + "grants.0.resources.0", "https://acme.example/a/../b"),
    ("agent-delegation", LINK + "depth", True),
    ("agent-delegation", "validFrom", "2026-11-23T09:00:00Z\n"),
    ("agent-delegation", LINK + "parent.digestMultibase", "uEi" + "A" * 43 + "B"),
    ("human-sponsor", SPONSOR + "revision", 2**53),
    ("human-sponsor", SPONSOR + "entitlements.grants.0.actions.0", "DB.read"),
    ("human-sponsor", SPONSOR + "status.from", 3),
    ("human-sponsor", "credentialStatus.0.statusListIndex", "134217728"),
    ("agent-identity", "validUntil", "2026-02-30T00:00:00Z"),
    ("agent-identity", AGENT + "owner", "did:web:x#key"),
    ("agent-identity", AGENT + "name", "Bot\u202eevil"),
    # a key for a DID that is its own
    ("agent-delegation", SUBJECT + "id", "did:key:z6Mkabc"),
    ("human-sponsor", SUBJECT + "id", "did:jwk:e30"),
    # an identity that does not say where it comes from, or when it ends
    ("agent-identity", AGENT + "expires", ABSENT),
    ("agent-identity", AGENT + "modelHash", "uGi" + "A" * 44),
    # a claim that says too much, too little, or something else
    ("agent-attestation", CLAIM + "grants", []),
    ("agent-attestation", CLAIM + "capabilities", []),
    ("agent-attestation", CLAIM + "version", 2),
    ("agent-attestation", CLAIM + "type", ["SOXComplianceCertified"]),
    ("agent-attestation", CLAIM + "type", "SOX Compliance"),
    ("agent-attestation", CLAIM + "type", "SOXComplianceCertified\n"),
    ("agent-attestation", CLAIM + "status", ABSENT),
    ("agent-attestation", CLAIM + "status.key", ABSENT),
    ("agent-attestation", CLAIM + "evidence.digestMultibase", "sha256:abc"),
    ("agent-attestation", CLAIM + "evidence.url", "https://acme.example/report"),
    ("agent-attestation", "credentialStatus", ABSENT),
    ("agent-attestation", "validUntil", ABSENT),
    ("agent-attestation", "type", ["VerifiableCredential", "SOXComplianceCertified"]),
    ("agent-attestation", "issuanceDate", "2026-01-01T00:00:00Z"),
)


def changed(kind: str, place: str, value: Any) -> Any:
    """The full document of a kind with one member set, or taken away."""
    document = copy.deepcopy(FULL[kind]())
    *way, last = (int(step) if step.isdigit() else step for step in place.split("."))
    holder: Any = document
    for step in way:
        holder = holder[step]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return document


@pytest.mark.parametrize(("kind", "place", "value"), RIGHT)
def test_this_is_right(kind: str, place: str, value: Any) -> None:
    assert schemas.validate(kind, changed(kind, place, value)) == []


@pytest.mark.parametrize(("kind", "place", "value"), WRONG)
def test_this_is_wrong(kind: str, place: str, value: Any) -> None:
    assert schemas.validate(kind, changed(kind, place, value)) != []


def test_a_fork_without_its_parent_is_wrong() -> None:
    document = changed("agent-identity", AGENT + "identityModel", "fork")
    assert schemas.accepts("agent-identity", document)
    del document["credentialSubject"]["agentIdentity"]["parent"]
    assert not schemas.accepts("agent-identity", document)
