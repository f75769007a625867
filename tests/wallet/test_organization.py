"""The organisation: it attests, renews, revokes for good, and leaves nothing half-made."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error, HumanSponsor, Link, Request, StatusEntry, verify
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import parse_agent_identity
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_human,
    create_agent,
    create_home,
    delegate,
    files,
    load_trust,
    refresh,
    renew_human,
    statuslists,
)

from .conftest import ASKED, READ, T0, presented


def sponsor(home: Home, name: str = "ana") -> HumanSponsor:
    return parse_human_sponsor(unpack(home.subject(name).credential))


def entry_of(home: Home, name: str) -> StatusEntry:
    subject = home.subject(name)
    parse: Any = parse_human_sponsor if subject.kind == "human" else parse_agent_identity
    entry = parse(unpack(subject.credential)).status
    assert isinstance(entry, StatusEntry)
    return entry


def chain_of_two(home: Home, ana: Wallet) -> Link:
    for name in ("research", "worker"):
        create_agent(home, ana, name, now=T0, tools=["db.read"])
    delegate(home, ana, "research", READ, now=T0, remaining=1, constraints={"rows": {"max": 9}})
    made = delegate(home, home.open_wallet("agent", "research"), "worker", READ, now=T0)
    assert made.link.status is not None
    return made.link


def outcome(home: Home, now: int) -> str:
    worker = home.open_wallet("agent", "worker")
    asked = Request(ASKED.action, ASKED.resource, rows=9)
    made = presented(home, worker, now, asked)
    try:
        verify(made.presentation, made.evidence, load_trust(home.path / "trust"), asked, at=now)
    except Error as exc:
        return exc.code if exc.link is None else f"{exc.code} {exc.link}"
    return "accepted"


def test_what_is_issued_here_verifies_here(home: Home, ana: Wallet) -> None:
    leaf = chain_of_two(home, ana)
    assert leaf.depth == 1
    assert leaf.authority.json["constraints"] == {"rows": {"max": 9}}  # restated by itself
    assert outcome(home, T0) == "accepted"


@pytest.mark.parametrize(
    ("who", "revoked", "suspended"),
    [("worker", "revoked 1", "suspended 1"), ("research", "revoked 0", "suspended 0"),
     ("ana", "sponsor-gone", "sponsor-gone")],
)  # fmt: skip
def test_stopping_anybody_on_the_path_stops_the_chain(
    home: Home, organization: Wallet, ana: Wallet, who: str, revoked: str, suspended: str
) -> None:
    chain_of_two(home, ana)
    entry = entry_of(home, who)
    statuslists.change(home, organization, entry, "suspend", T0 + 1)
    assert outcome(home, T0 + 1) == suspended
    statuslists.change(home, organization, entry, "resume", T0 + 2)
    assert outcome(home, T0 + 2) == "accepted"
    statuslists.change(home, organization, entry, "revoke", T0 + 3)
    assert outcome(home, T0 + 3) == revoked
    with pytest.raises(Error, match="revoked"):
        statuslists.change(home, organization, entry, "resume", T0 + 4)
    assert outcome(home, T0 + 4) == revoked


def test_revoking_the_upper_link_stops_the_lower_unlisted(
    home: Home, organization: Wallet, ana: Wallet
) -> None:
    leaf = chain_of_two(home, ana)
    assert leaf.parent is not None
    above = home.link(leaf.parent[0])
    assert above.status is not None
    statuslists.change(home, organization, above.status, "revoke", T0 + 1)
    assert outcome(home, T0 + 1) == "revoked 0"


def test_revoking_again_is_fine_and_stays(home: Home, organization: Wallet, ana: Wallet) -> None:
    chain_of_two(home, ana)
    for when in (1, 2):
        statuslists.change(home, organization, entry_of(home, "worker"), "revoke", T0 + when)
    assert outcome(home, T0 + 2) == "revoked 1"


def test_a_list_of_others_cannot_be_changed(home: Home, organization: Wallet) -> None:
    foreign = StatusEntry("https://other.example/status/1", 0)
    with pytest.raises(Error, match="not-found"):
        statuslists.change(home, organization, foreign, "revoke", T0)


def test_death_between_bits_and_signature_loses_no_revocation(
    home: Home, organization: Wallet, ana: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain_of_two(home, ana)
    entry = entry_of(home, "worker")

    def dying(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(statuslists, "sign", dying)
        with pytest.raises(KeyboardInterrupt):
            statuslists.change(home, organization, entry, "revoke", T0 + 1)
    refresh(home, organization, T0 + 100)
    assert outcome(home, T0 + 100) == "revoked 1"


def test_refresh_signs_what_ages_and_nothing_else(
    home: Home, organization: Wallet, ana: Wallet
) -> None:
    assert refresh(home, organization, T0 + 59) == []
    assert refresh(home, organization, T0 + 60) == ["status/1", "revocations"]
    assert statuslists.load(home, 1).valid_from == T0 + 60
    half = T0 + 12 * 3600
    refresh(home, organization, half)
    assert sponsor(home).revision == 1
    assert refresh(home, organization, half + 1) == ["ana"]
    new = sponsor(home)
    assert (new.revision, new.valid_from, new.valid_until) == (2, half + 1, half + 1 + 86_400)


def test_a_renewed_credential_says_the_same(home: Home, organization: Wallet, ana: Wallet) -> None:
    before = sponsor(home)
    renew_human(home, organization, "ana", now=T0 + 5)
    after = sponsor(home)
    assert (after.lease, after.status, after.entitlements) == (
        before.lease, before.status, before.entitlements,
    )  # fmt: skip
    assert after.revision == before.revision + 1
    block = after.secured.document["credentialSubject"]["humanSponsor"]
    assert block["attestation"] == "idp:corp"


def test_a_revoked_human_is_never_attested_again(
    home: Home, organization: Wallet, ana: Wallet
) -> None:
    statuslists.change(home, organization, entry_of(home, "ana"), "revoke", T0 + 1)
    assert "ana" not in refresh(home, organization, T0 + 80_000)
    with pytest.raises(Error, match="sponsor-gone"):
        renew_human(home, organization, "ana", now=T0 + 2)
    assert sponsor(home).revision == 1


def test_twenty_humans_have_ranges_apart_and_entries_outside(
    home: Home, organization: Wallet
) -> None:
    for number in range(17):
        add_human(home, organization, f"h{number}", now=T0)
    found = [sponsor(home, f"h{number}") for number in range(17)]
    spans = sorted(
        (one.lease.list, one.lease.start, one.lease.start + one.lease.count) for one in found
    )
    for (url, _, end), (other, start, _) in itertools.pairwise(spans):
        assert url != other or end <= start
    entries = [one.status for one in found if one.status is not None]
    assert len(set(entries)) == 17
    assert not any(one.lease.holds_entry(entry) for one in found for entry in entries)
    assert len({one.lease.list for one in found}) == 2  # fifteen a list


def test_a_failed_attestation_leaves_no_wallet(home: Home, organization: Wallet) -> None:
    bad = [{"actions": ["DB READ"], "resources": ["urn:acme:**"]}]
    with pytest.raises(Error, match="shape"):
        add_human(home, organization, "ben", now=T0, grants=bad)
    assert not home.wallet_path("human", "ben").exists()
    add_human(home, organization, "ben", now=T0)


def test_a_failed_identity_leaves_no_wallet(home: Home, ana: Wallet) -> None:
    with pytest.raises(Error, match="shape"):
        create_agent(home, ana, "bot", now=T0, tools=["NOT AN ACTION"])
    assert not home.wallet_path("agent", "bot").exists()
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])


def test_a_home_is_made_once(home: Home, secret: Path) -> None:
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    with pytest.raises(Error, match="name-taken"):
        create_home(
            home.path, "acme.example", url=home.settings.url,
            passphrases=Passphrases(secret), now=T0,
        )  # fmt: skip
    assert {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("url", ["ftp://acme.example", "not a url", "http://ACME.example"])
def test_a_home_that_cannot_be_made_can_be_made_later(
    tmp_path: Path, secret: Path, url: str
) -> None:
    for typed in (url, "http://127.0.0.1:1"):
        try:
            create_home(
                tmp_path / "x", "acme.example", url=typed, passphrases=Passphrases(secret), now=T0
            )
        except Error as exc:
            assert exc.code == "shape"
            assert typed == url


def test_a_child_is_its_parents_and_ends_with_it(home: Home, ana: Wallet) -> None:
    parent = create_agent(home, ana, "boss", now=T0, spawn=True, seconds=3600)
    create_agent(home, ana, "plain", now=T0)
    child = create_agent(home, home.open_wallet("agent", "boss"), "kid", now=T0, model="child")
    assert (child.issuer, child.parent, child.sponsor) == (parent.subject, parent.subject, ana.did)
    assert child.valid_until == parent.valid_until
    with pytest.raises(Error, match="spawn-forbidden"):
        create_agent(home, home.open_wallet("agent", "plain"), "x", now=T0, model="child")


@pytest.mark.parametrize(("model", "code"), [("fork", "id-no-provenance"), ("robot", "shape")])
def test_an_identity_that_is_not_whole_is_refused(
    home: Home, ana: Wallet, model: str, code: str
) -> None:
    with pytest.raises(Error, match=code):
        create_agent(home, ana, "x", now=T0, model=model)
    assert not home.wallet_path("agent", "x").exists()


def test_two_identities_never_share_a_did(home: Home, ana: Wallet) -> None:
    dids = {create_agent(home, ana, f"a{n}", now=T0).subject for n in range(5)} | {ana.did}
    assert len(dids) == 6


def test_a_truncated_state_file_stops_issuing_and_loses_nothing(home: Home, ana: Wallet) -> None:
    path = home.path / "state.json"
    whole = path.read_bytes()
    files.write(path, whole[: len(whole) // 2])
    with pytest.raises(Error, match="json"):
        create_agent(home, ana, "bot", now=T0)
    files.write(path, whole)
    assert create_agent(home, ana, "bot", now=T0).sponsor == ana.did


@pytest.mark.parametrize("taken", [None, [], 1, "x"])
def test_a_state_file_of_the_wrong_kind_is_refused(home: Home, ana: Wallet, taken: Any) -> None:
    value = {"version": 1} if taken is None else {"version": 1, "taken": taken}
    files.write_json(home.path / "state.json", value)
    with pytest.raises(Error):
        create_agent(home, ana, "bot", now=T0)


def test_of_two_who_take_one_name_at_once_one_gets_it(
    home: Home, organization: Wallet, secret: Path
) -> None:
    for name in ("h1", "h2", "h3"):
        meet, outcomes = threading.Barrier(2), list[str]()

        def add(name: str = name, meet: threading.Barrier = meet) -> None:
            own = Home(home.path, Passphrases(secret))
            meet.wait()
            try:
                outcomes.append(add_human(own, organization, name, now=T0).subject)  # noqa: B023
            except Error as exc:
                outcomes.append(exc.code)  # noqa: B023

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        did = home.subject(name).did
        assert home.open_wallet("human", name).did == did
        assert sorted(outcomes) == [did, "name-taken"]


def test_a_human_whose_file_cannot_be_written_can_be_added_later(
    home: Home, organization: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Home, "save_subject", full)
        with pytest.raises(OSError, match="No space"):
            add_human(home, organization, "ben", now=T0)
    assert add_human(home, organization, "ben", now=T0).revision == 1
