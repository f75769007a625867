"""The generic issuer: keys apart from every other, lists that no chain takes."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials.codec import JsonObject
from delegant.credentials.envelope import unpack
from delegant.credentials.status import parse_status_list
from delegant.w3c import dids, status
from delegant.w3c.issue import issue
from delegant.w3c.verify import verify_credential
from delegant.wallet import Home, Passphrases, Wallet, create_home, load_trust, statuslists
from delegant.wallet.issuer import KINDS, LIST_SECONDS, LIST_TTL, Issuer
from delegant.wallet.webdids import web_document
from refusal import refusal

from .conftest import PASSPHRASE, T0

NAME = "urn:uuid:0bd8d6a4-3d4c-4c3a-9e0e-000000000001"


@pytest.fixture
def issuer(home: Home) -> Issuer:
    return Issuer.open(home, PASSPHRASE)


def listed(issuer: Issuer, entry: JsonObject) -> JsonObject:
    number = issuer.number_of(entry["statusListCredential"])
    assert number is not None
    return issuer.listed(number)


def test_the_issuer_is_made_once_and_stays(home: Home, issuer: Issuer) -> None:
    again = Issuer.open(home, PASSPHRASE)
    assert again.issuers == issuer.issuers
    assert set(issuer.issuers) == set(KINDS)
    assert refusal(lambda: Issuer.open(home, "wrong")) == "wallet-auth"
    assert home.wallet_path("issuer").stat().st_mode & 0o777 == 0o600


def test_none_of_its_keys_is_another_of_the_home(
    home: Home, organization: Wallet, issuer: Issuer
) -> None:
    own = {issuer.signer(name, kind)[0].public.multikey for kind, name in issuer.issuers.items()}
    own.add(issuer.holder[0].public.multikey)
    others = {
        organization.key(role).public.multikey for role in ("attestation", "status", "registry")
    }
    assert len(own) == 4
    assert not own & others
    trusted = str(load_trust(home.path / "trust").anchors)
    assert not [key for key in own if key in trusted]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_has_a_did_and_a_method(issuer: Issuer, kind: str) -> None:
    name = issuer.issuers[kind]
    signer, method = issuer.signer(name, kind)
    assert issuer.kinds_of(name) == (kind,)
    assert dids.key_for(method, "assertionMethod", dids.expand, at=T0) == (signer.public, name)
    assert signer.public.kind == kind


def test_an_issuer_of_elsewhere_is_none_of_ours(home: Home, issuer: Issuer) -> None:
    assert issuer.kinds_of("did:web:acme.example") == ()
    assert issuer.kinds_of(home.settings.organization) == ()
    assert refusal(lambda: issuer.kinds_of("acme")) == "did-invalid"


def test_its_wallet_opens_as_no_other_kind(home: Home, issuer: Issuer) -> None:
    path = home.wallet_path("issuer")
    assert refusal(lambda: Wallet.open(path, PASSPHRASE, kind="organization")) == "wallet-kind"
    wallet = Wallet.open(path, PASSPHRASE, kind="issuer")
    assert refusal(lambda: wallet.key("P-256")) == "not-found"
    assert refusal(lambda: wallet.signer("status")) == "not-found"
    for thing in (wallet, wallet.signer("P-256")):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_its_lists_verify_and_say_what_was_changed(issuer: Issuer, kind: str, purpose: str) -> None:
    (entry,) = issuer.take(issuer.issuers[kind], NAME, [purpose], T0)
    before = listed(issuer, entry)
    assert before["issuer"] == issuer.issuers[kind]
    checks = ["issuer", "validity"]
    assert verify_credential(before, resolve=dids.expand, at=T0, checks=checks).verified
    assert status.read(before, entry, at=T0, issuers={issuer.issuers[kind]}).valid
    issuer.change(NAME, purpose, True, T0 + 1)
    after = listed(issuer, entry)
    assert verify_credential(after, resolve=dids.expand, at=T0 + 1, checks=checks).verified
    assert status.read(after, entry, at=T0 + 1).value == 1


def test_an_entry_is_named_by_its_place_too(issuer: Issuer) -> None:
    (entry,) = issuer.take(issuer.issuers["Ed25519"], None, ["revocation"], T0)
    place = (entry["statusListCredential"], int(entry["statusListIndex"]))
    issuer.change(None, "revocation", True, T0, entry=place)
    assert status.read(listed(issuer, entry), entry, at=T0).value == 1
    foreign = ("https://b.example/status-lists/1", place[1])
    call = lambda: issuer.change(None, "revocation", True, T0, entry=foreign)  # noqa: E731
    assert refusal(call) == "not-found"


@pytest.mark.parametrize("tail", ["", "0x1", "1/2", "１", "-1", "1234567890", "1#5", "1?x"])
def test_only_a_number_names_a_list(issuer: Issuer, tail: str) -> None:
    assert issuer.number_of(issuer.list_url(17)) == 17
    assert issuer.number_of(issuer.list_url(1)[:-1] + tail) is None


def test_purposes_nobody_acts_on_are_not_given(issuer: Issuer) -> None:
    for purpose in ("refresh", "message", "x"):
        take = partial(issuer.take, issuer.issuers["P-256"], NAME, [purpose], T0)
        assert refusal(take) == "status-list"
        assert refusal(partial(issuer.begin_list, "P-256", purpose, T0)) == "status-list"


def test_lists_are_kept_fresh(issuer: Issuer) -> None:
    (entry,) = issuer.take(issuer.issuers["Ed25519"], NAME, ["revocation"], T0)
    assert issuer.refresh(T0 + 60) == []
    assert issuer.refresh(T0 + 2 * 3600) == [1]
    late = T0 + 3600 + LIST_SECONDS
    assert status.read(listed(issuer, entry), entry, at=late).valid
    assert refusal(lambda: status.read(listed(issuer, entry), entry, at=late + 3600)) == (
        "status-stale"
    )


def test_a_list_counts_for_all_its_validity_wherever_it_was_kept(issuer: Issuer) -> None:
    """Its ``ttl`` tells whoever fetches when to fetch again; it is no end of validity."""
    signer, method = issuer.signer(issuer.issuers["Ed25519"], "Ed25519")
    (entry,) = issuer.take(issuer.issuers["Ed25519"], NAME, ["revocation"], T0)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer.issuers["Ed25519"],
        "credentialSubject": {"id": "did:example:1"},
        "credentialStatus": entry,
    }
    signed = issue(document, signer, method=method)
    lists = {entry["statusListCredential"]: listed(issuer, entry)}

    def codes(at: int) -> list[str]:
        assert isinstance(signed, dict)
        report = verify_credential(signed, resolve=dids.expand, at=at, lists=lists, fetched=at)
        return [one.code for one in report.errors]

    assert codes(T0) == codes(T0 + LIST_TTL + 1) == codes(T0 + LIST_SECONDS - 1) == []
    assert codes(T0 + LIST_SECONDS) == ["expired"]
    issuer.change(NAME, "revocation", True, T0)
    lists = {entry["statusListCredential"]: listed(issuer, entry)}
    assert codes(T0 + LIST_TTL + 1) == ["revoked"]


def test_a_generic_list_is_no_list_of_a_chain(home: Home, issuer: Issuer) -> None:
    """It has another address, another form and another signer than the chain's."""
    (entry,) = issuer.take(issuer.issuers["Ed25519"], NAME, ["revocation"], T0)
    found = listed(issuer, entry)
    own: Any = statuslists.raw(home, 1)
    assert refusal(lambda: parse_status_list(unpack(own))) == ""
    assert refusal(lambda: parse_status_list(unpack(found))) == "shape"
    assert entry["statusListCredential"] != home.settings.list_url(1)
    assert found["issuer"] != home.settings.authority


def test_the_store_lies_in_the_home(home: Home, issuer: Issuer) -> None:
    issuer.take(issuer.issuers["Ed25519"], NAME, ["revocation"], T0)
    again = Issuer.open(home, PASSPHRASE)
    again.change(NAME, "revocation", True, T0)
    assert (
        refusal(lambda: issuer.take(issuer.issuers["Ed25519"], NAME, ["revocation"], T0))
        == "revoked"
    )
    assert Path(home.path / "issued.db").is_file()


def test_a_home_with_a_did_web_issues_as_one_beside_its_organisation(
    tmp_path: Path, secret: Path
) -> None:
    home = create_home(
        tmp_path / "web", "acme.example", url="https://acme.example", now=T0, method="web",
        passphrases=Passphrases(secret),
    )  # fmt: skip
    issuer = Issuer.open(home, PASSPHRASE)
    name = "did:web:acme.example:issuer"
    assert issuer.issuers == dict.fromkeys(KINDS, name)
    assert issuer.kinds_of(name) == KINDS
    assert issuer.kinds_of(home.settings.organization) == ()
    document = web_document(home, "/issuer/did.json")

    def resolve(asked: str) -> JsonObject:
        return document if asked == name else dids.expand(asked)

    for kind in KINDS:
        signer, method = issuer.signer(name, kind)
        found = dids.key_for(method, "assertionMethod", resolve, at=T0)
        assert found == (signer.public, name)
        authenticate = partial(dids.key_for, method, "authentication", resolve, at=T0)
        assert refusal(authenticate) == "key-purpose"
        own = dids.from_key(signer.public)
        assert issuer.signer(own, kind)[1] == dids.vm_of(own)
    (entry,) = issuer.take(name, NAME, ["revocation"], T0)
    checks = ["issuer", "validity"]
    found_list = listed(issuer, entry)
    assert found_list["issuer"] == name
    assert verify_credential(found_list, resolve=resolve, at=T0, checks=checks).verified
    assert refusal(lambda: issuer.signer("did:web:b.example", "Ed25519")) == "not-found"
