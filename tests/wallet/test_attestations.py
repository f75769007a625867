"""What a home attests, and what its and others' trust folders make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant import schemas
from delegant.credentials import AgentAttestation, Evidence, Lease, check_attestation, digest
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.wallet import (
    Home,
    Wallet,
    accredit,
    attest,
    attestation_evidence,
    attestations,
    create_agent,
    files,
    find_attestation,
    load_trust,
    read_attestation,
    statuslists,
)
from refusal import refusal

from .conftest import T0

SOX = "SOXComplianceCertified"


@pytest.fixture
def bot(home: Home, ana: Wallet) -> str:
    return create_agent(home, ana, "bot", now=T0).subject


def judged(home: Home, one: AgentAttestation, at: int = T0, claim: str = SOX) -> str:
    found = attestation_evidence(home, one)
    trust = load_trust(home.path / "trust")
    return refusal(lambda: check_attestation(one, found, trust, at=at, wanted=claim))


def test_it_counts_once_the_issuer_is_accredited(
    home: Home, organization: Wallet, bot: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"all is well")
    one = attest(
        home, organization, "bot", SOX, now=T0, capabilities=["tables.read"],
        scope="quarterly summaries", evidence=report,
    )  # fmt: skip
    assert (one.subject, one.issuer) == (bot, organization.did)
    assert one.evidence == digest(b"all is well")
    assert schemas.validate("agent-attestation", one.secured.raw) == []
    assert schemas.validate("evidence", attestation_evidence(home, one).json) == []
    assert judged(home, one) == "issuer-not-accredited"
    accredit(home.path / "trust", organization.did, [SOX])
    assert judged(home, one) == ""


def test_it_is_signed_by_the_attestation_key_and_no_other(
    home: Home, organization: Wallet, bot: str
) -> None:
    accredit(home.path / "trust", organization.did, [SOX])
    one = attest(home, organization, "bot", SOX, now=T0)
    assert one.secured.method.endswith(f"#{organization.key('attestation').public.multikey}")
    assert one.authority_key == organization.key("status").public.multikey


def test_it_is_revoked_and_suspended_like_all_else(
    home: Home, organization: Wallet, bot: str
) -> None:
    accredit(home.path / "trust", organization.did, [SOX])
    one, other = (attest(home, organization, "bot", SOX, now=T0) for _ in range(2))
    assert one.status is not None
    for change, code in (("suspend", "suspended"), ("resume", ""), ("revoke", "revoked")):
        statuslists.change(home, organization, one.status, change, T0 + 1)  # type: ignore[arg-type]
        assert judged(home, one, T0 + 1) == code
        assert judged(home, other, T0 + 1) == ""


def test_its_status_bits_are_nobody_elses(home: Home, organization: Wallet, bot: str) -> None:
    entries = [attest(home, organization, "bot", SOX, now=T0).status for _ in range(5)]
    assert len(set(entries)) == 5
    human = parse_human_sponsor(unpack(home.subject("ana").credential))
    assert human.status not in entries
    lease: Lease = human.lease
    assert not any(entry is None or lease.holds_entry(entry) for entry in entries)


def test_any_did_may_be_attested_and_no_human(home: Home, organization: Wallet, bot: str) -> None:
    stranger = "did:web:other.example:agents:x"
    assert attest(home, organization, stranger, SOX, now=T0).subject == stranger
    assert refusal(lambda: attest(home, organization, "ana", SOX, now=T0)) == "wallet-kind"
    assert refusal(lambda: attest(home, organization, "nobody", SOX, now=T0)) == "not-found"
    assert refusal(lambda: attest(home, organization, "bot", "a b", now=T0)) == "shape"
    own = home.settings.organization
    assert refusal(lambda: attest(home, organization, own, SOX, now=T0)) == "id-shared"


def test_it_is_found_again(home: Home, organization: Wallet, bot: str, tmp_path: Path) -> None:
    one = attest(home, organization, "bot", SOX, now=T0)
    two = attest(home, organization, "did:web:x", "ISO42001", now=T0 + 1)
    assert [found.id for found in attestations(home)] == [one.id, two.id]
    assert [found.id for found in attestations(home, bot)] == [one.id]
    for name in (one.id, one.id[9:], one.id[9:17]):
        found = find_attestation(home, name)
        assert found is not None
        assert found.id == one.id
    assert find_attestation(home, one.id[9:16]) is None  # too little to be sure
    assert find_attestation(home, "00000000-0000") is None
    path = tmp_path / "one.json"
    files.write_json(path, one.secured.raw)
    assert read_attestation(path)[0].digest == one.digest
    files.write(path, attestation_evidence(home, one).to_bytes())
    assert read_attestation(path)[0].digest == one.digest
    both = attestation_evidence(home, one).merged(attestation_evidence(home, two))
    files.write(path, both.to_bytes())
    assert refusal(lambda: read_attestation(path)) == "shape"
    files.write(path, b"{}")
    assert find_attestation(home, str(path)) is None


def test_accreditation_is_the_owners_to_give_and_take(
    home: Home, organization: Wallet, bot: str
) -> None:
    trust, who = home.path / "trust", organization.did
    one = attest(home, organization, "bot", SOX, now=T0)
    assert accredit(trust, who, [SOX, "ISO42001"])["accredits"] == ["ISO42001", SOX]
    assert accredit(trust, who, [SOX])["accredits"] == ["ISO42001", SOX]
    assert judged(home, one) == ""
    accredit(trust, who, [SOX], no_longer=True)
    assert judged(home, one) == "issuer-not-accredited"
    assert "accredits" not in accredit(trust, who, ["ISO42001"], no_longer=True)
    assert refusal(lambda: accredit(trust, bot, [SOX])) == "not-found"
    assert refusal(lambda: accredit(trust, who, ["no claim"])) == "shape"


def test_without_its_list_nothing_is_decided(home: Home, organization: Wallet, bot: str) -> None:
    accredit(home.path / "trust", organization.did, [SOX])
    one = attest(home, organization, "bot", SOX, now=T0)
    trust = load_trust(home.path / "trust")
    assert refusal(lambda: check_attestation(one, Evidence(), trust, at=T0)) == "status-missing"
    assert judged(home, one) == ""
