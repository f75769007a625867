"""The organisation's own new keys: what API owners must do, and what they see until they do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error, Evidence, check_attestation, verify
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.w3c.dids import key_for
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_anchor,
    add_human,
    attest,
    attestations,
    create_agent,
    create_home,
    delegate,
    files,
    gather,
    init_trust,
    load_trust,
    organization,
    refresh,
    remove_anchor,
    renew_human,
    renew_identity,
    revocations,
    rotate_organization,
    statuslists,
    update_anchor,
    web_subjects,
)
from refusal import refusal

from .conftest import ASKED, READ, T0, presented

DAY = 86_400


@pytest.fixture(params=["key", "web"])
def made(request: pytest.FixtureRequest, tmp_path: Path, secret: Path) -> Home:
    """An organisation of either method, with Ana and her agent."""
    url = "https://acme.example"
    home = create_home(
        tmp_path / "acme", "acme.example", url=url, passphrases=Passphrases(secret), now=T0,
        method=request.param,
    )  # fmt: skip
    return peopled(home)


def peopled(home: Home) -> Home:
    add_human(home, home.open_wallet("organization"), "ana", now=T0)
    ana = home.open_wallet("human", "ana")
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    delegate(home, ana, "bot", READ, now=T0, seconds=1200)
    return home


@pytest.fixture
def org(web: Home) -> Home:
    """A did:web organisation whose Ana is a did:key."""
    add_human(web, web.open_wallet("organization"), "eva", now=T0)
    eva = web.open_wallet("human", "eva")
    create_agent(web, eva, "bot", now=T0, tools=["db.read"])
    delegate(web, eva, "bot", READ, now=T0, seconds=1200)
    return web


def owner(home: Home, folder: Path) -> Path:
    """An API owner's trust folder, made from what the organisation has published so far."""
    init_trust(folder, home.settings.registry)
    add_anchor(folder, home.path / "anchor.json")
    return folder


def judged(home: Home, trust: Path, now: int, evidence: Evidence | None = None) -> str:
    wallet = home.open_wallet("agent", "bot")
    made = presented(home, wallet, now)
    own = load_trust(trust)
    try:
        verify(made.presentation, evidence or made.evidence, own, ASKED, at=now)
    except Error as exc:
        return exc.code
    return ""


def everything(home: Home) -> Evidence:
    return gather(home, [subject.did for subject in home.subjects()])


def test_a_did_web_keeps_its_did_and_links_go_on(org: Home, tmp_path: Path) -> None:
    trust = owner(org, tmp_path / "db")
    before = org.open_wallet("organization")
    done = rotate_organization(org, before, now=T0 + 5)
    after = org.open_wallet("organization")
    assert (done.before, done.did) == (before.did, after.did)
    assert done.key == after.key().public.multikey != before.key().public.multikey
    assert set(done.signed) == {"ana", "eva"}
    assert (done.left, done.until) == ((), None)
    # at home at once, with the very links of before; elsewhere once the new file is there
    assert judged(org, org.path / "trust", T0 + 6) == ""
    assert judged(org, trust, T0 + 6) == "proof"
    update_anchor(trust, org.path / "anchor.json")
    assert judged(org, trust, T0 + 6) == ""


def test_without_an_overlap_the_old_key_counts_nowhere(org: Home, tmp_path: Path) -> None:
    trust = owner(org, tmp_path / "db")
    old = everything(org)
    rotate_organization(org, org.open_wallet("organization"), now=T0 + 5)
    assert judged(org, trust, T0 + 6, old) == ""  # its owner has not heard of it
    assert judged(org, org.path / "trust", T0 + 6, old) == "proof"
    assert len(files.read_object(org.path / "anchor.json")["keys"]) == 1


def test_with_an_overlap_evidence_from_before_counts_until_its_end(
    org: Home, tmp_path: Path
) -> None:
    trust = owner(org, tmp_path / "db")
    old = everything(org)
    done = rotate_organization(org, org.open_wallet("organization"), now=T0 + 5, overlap=600)
    assert done.until == T0 + 605
    update_anchor(trust, org.path / "anchor.json")
    for where in (trust, org.path / "trust"):
        assert judged(org, where, T0 + 6, old) == ""
        assert judged(org, where, T0 + 6) == ""
    wallet = org.open_wallet("organization")
    refresh(org, wallet, T0 + 604)
    assert len(files.read_object(org.path / "anchor.json")["keys"]) == 2
    refresh(org, wallet, T0 + 605)
    assert files.read_object(org.path / "anchor.json")["keys"] == [done.key]
    (own,) = load_trust(org.path / "trust").anchors.values()
    assert [key.multikey for key in own.keys] == [done.key]
    update_anchor(trust, org.path / "anchor.json")
    lists = everything(org).json["statusLists"]
    late = Evidence.from_json(old.json | {"statusLists": lists})
    assert judged(org, trust, T0 + 606, late) == "proof"
    assert judged(org, trust, T0 + 606) == ""


def test_the_document_says_when_the_old_key_ends(org: Home) -> None:
    old = org.open_wallet("organization")
    rotate_organization(org, old, now=T0 + 5, overlap=600)
    rotate_organization(org, org.open_wallet("organization"), now=T0 + 10, overlap=600)
    now = org.open_wallet("organization")
    (document,) = [one.document for one in web_subjects(org) if one.kind == "organization"]

    def asked(wallet: Wallet, at: int) -> str:
        method = f"{wallet.did}#{wallet.key().public.multikey}"
        return refusal(lambda: key_for(method, "assertionMethod", lambda _: document, at=at))

    assert asked(now, T0 + DAY) == ""
    assert asked(old, T0 + 604) == ""
    assert asked(old, T0 + 605) == "key-retired"
    assert len(document["verificationMethod"]) == 3
    rotate_organization(org, now, now=T0 + 20)  # no overlap, for none of them
    (document,) = [one.document for one in web_subjects(org) if one.kind == "organization"]
    assert asked(old, T0 + 19) == ""
    assert asked(old, T0 + 20) == "key-retired"
    assert asked(now, T0 + 20) == "key-retired"
    assert len(files.read_object(org.path / "anchor.json")["keys"]) == 1


def test_a_did_key_becomes_another_anchor(home: Home, tmp_path: Path) -> None:
    peopled(home)
    trust = owner(home, tmp_path / "db")
    before = home.open_wallet("organization")
    assert refusal(
        lambda: rotate_organization(home, before, now=T0 + 5, overlap=60)
    ) == "shape"  # fmt: skip
    done = rotate_organization(home, before, now=T0 + 5)
    assert done.did != done.before == before.did
    assert done.did == home.settings.organization == home.open_wallet("organization").did
    assert done.left == ("bot",)
    assert files.read_object(home.path / "anchor.json")["id"] == done.did
    assert list(load_trust(home.path / "trust").anchors) == [done.did]
    # agents name the organisation of before until their human signs again
    ana = home.open_wallet("human", "ana")
    delegate(home, ana, "bot", READ, now=T0 + 6)
    assert judged(home, home.path / "trust", T0 + 7) == "delegate-not-allowed"
    renew_identity(home, ana, "bot", now=T0 + 7)
    assert judged(home, home.path / "trust", T0 + 7) == ""
    assert judged(home, trust, T0 + 7) == "root-untrusted"
    add_anchor(trust, home.path / "anchor.json")
    remove_anchor(trust, done.before)
    assert judged(home, trust, T0 + 7) == ""
    assert refusal(lambda: remove_anchor(trust, done.before)) == "not-found"


def test_a_new_key_for_the_status_lists(made: Home, tmp_path: Path) -> None:
    before = made.settings.authority
    old = everything(made)
    done = rotate_organization(made, made.open_wallet("organization"), now=T0 + 5, status=True)
    assert "status/1" in done.signed
    assert before != done.authority == made.settings.authority
    assert statuslists.load(made, 1).issuer == done.authority
    ana = made.open_wallet("human", "ana")
    if done.left:
        renew_identity(made, ana, "bot", now=T0 + 6)
    delegate(made, ana, "bot", READ, now=T0 + 6)
    assert judged(made, made.path / "trust", T0 + 7) == ""
    mixed = Evidence.from_json(everything(made).json | {"statusLists": old.json["statusLists"]})
    assert judged(made, made.path / "trust", T0 + 7, mixed) == "status-unknown"


def test_what_the_feed_revoked_stays_so_under_a_new_key(made: Home) -> None:
    wallet = made.open_wallet("organization")
    revocations.revoke(made, wallet, "did", "did:web:b.example", now=T0 + 1)
    for turn in range(2):
        rotate_organization(made, made.open_wallet("organization"), now=T0 + 5 + turn, status=True)
        feed = revocations.load(made, made.open_wallet("organization"))
        assert feed is not None
        assert feed.issuer == made.settings.authority
        assert [one.id for one in feed.entries] == ["did:web:b.example"]
        assert feed.seq == 2


@pytest.mark.parametrize("step", ["files.move", "rekeying._retire", "rekeying.refresh"])
def test_the_feed_survives_an_interrupted_rotation(
    made: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    wallet = made.open_wallet("organization")
    revocations.revoke(made, wallet, "did", "did:web:b.example", now=T0 + 1)

    def dying(*_given: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"delegant.wallet.{step}", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate_organization(made, wallet, now=T0 + 5, status=True)
    fresh = Home(made.path, made.passphrases)
    rotate_organization(fresh, fresh.open_wallet("organization"), now=T0 + 7, status=True)
    feed = revocations.load(fresh, fresh.open_wallet("organization"))
    assert feed is not None
    assert [one.id for one in feed.entries] == ["did:web:b.example"]


def test_ceilings_and_what_was_seen_stay_the_owners_own(org: Home, tmp_path: Path) -> None:
    trust = tmp_path / "db"
    init_trust(trust, org.settings.registry)
    narrow = [{"actions": ["db.read"], "resources": ["urn:acme:papers:17"]}]
    before = add_anchor(trust, org.path / "anchor.json", narrow)
    rotate_organization(org, org.open_wallet("organization"), now=T0 + 5)
    after = update_anchor(trust, org.path / "anchor.json")
    assert {name for name in after if after[name] != before[name]} == {"keys"}
    other = tmp_path / "other"
    init_trust(other, org.settings.registry)
    assert refusal(lambda: update_anchor(other, org.path / "anchor.json")) == "not-found"


def test_the_old_wallet_signs_nothing_any_more(org: Home) -> None:
    old = org.open_wallet("organization")
    rotate_organization(org, old, now=T0 + 5)
    attempts: list[Any] = [
        lambda wallet: refresh(org, wallet, T0 + 6),
        lambda wallet: renew_human(org, wallet, "eva", now=T0 + 6),
        lambda wallet: add_human(org, wallet, "new", now=T0 + 6),
        lambda wallet: attest(org, wallet, "bot", "SOXComplianceCertified", now=T0 + 6),
    ]
    for attempt in attempts:
        with pytest.raises(Error, match="did-key-mismatch"):
            attempt(old)
        attempt(org.open_wallet("organization"))


def test_what_was_attested_is_attested_again(made: Home) -> None:
    attest(made, made.open_wallet("organization"), "bot", "SOXComplianceCertified", now=T0)
    gone = attest(made, made.open_wallet("organization"), "bot", "ISO42001", now=T0)
    assert gone.status is not None
    statuslists.change(made, made.open_wallet("organization"), gone.status, "revoke", T0 + 1)
    for status in (False, True):
        done = rotate_organization(
            made, made.open_wallet("organization"), now=T0 + 5, status=status
        )
        assert "attestation of SOXComplianceCertified" in done.signed
        assert "attestation of ISO42001" not in done.signed
    value = files.read_object(made.path / "trust" / "trust.json")
    value["anchors"][0]["accredits"] = ["SOXComplianceCertified"]
    files.write_json(made.path / "trust" / "trust.json", value)
    (good,) = [one for one in attestations(made) if one.claim == "SOXComplianceCertified"]
    lists = Evidence(status_lists=[statuslists.raw(made, 1)])
    check_attestation(good, lists, load_trust(made.path / "trust"), at=T0 + 6)


STEPS = (
    ("files.move", "before the new wallet is in place"),
    ("rekeying._retire", "before the old key is written down"),
    ("rekeying.end_keys", "before the rest is signed"),
    ("rekeying.refresh", "before anything is signed again"),
    ("organization.renew_human", "while people are attested"),
)


@pytest.mark.parametrize(("step", "when"), STEPS, ids=[step for step, _ in STEPS])
def test_an_interrupted_rotation_is_repeated(
    made: Home, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    def dying(*_given: Any, **_named: Any) -> None:
        raise KeyboardInterrupt(when)

    with monkeypatch.context() as patch:
        patch.setattr(f"delegant.wallet.{step}", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate_organization(made, made.open_wallet("organization"), now=T0 + 5)
    fresh = Home(made.path, made.passphrases)
    done = rotate_organization(fresh, fresh.open_wallet("organization"), now=T0 + 7)
    ana = fresh.open_wallet("human", "ana")
    if done.left:
        renew_identity(fresh, ana, "bot", now=T0 + 8)
    delegate(fresh, ana, "bot", READ, now=T0 + 8)
    assert judged(fresh, fresh.path / "trust", T0 + 8) == ""
    assert files.read_object(fresh.path / "anchor.json")["keys"] == [done.key]
    assert list(load_trust(fresh.path / "trust").anchors) == [done.did]
    assert not list(fresh.path.rglob("*.next"))


@pytest.mark.parametrize("step", ["rekeying.end_keys", "rekeying.refresh"])
def test_a_did_webs_interrupted_rotation_ends_by_itself(
    org: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def dying(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"delegant.wallet.{step}", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate_organization(org, org.open_wallet("organization"), now=T0 + 5)
    assert judged(org, org.path / "trust", T0 + 6) == "proof"
    assert set(refresh(org, org.open_wallet("organization"), T0 + 6)) == {"ana", "eva"}
    assert judged(org, org.path / "trust", T0 + 6) == ""


def test_a_copy_from_before_is_noticed(org: Home, tmp_path: Path) -> None:
    """Whoever restores an old home has old keys, and the new anchor refuses them."""
    shutil.copytree(org.path, tmp_path / "backup")
    rotate_organization(org, org.open_wallet("organization"), now=T0 + 5)
    trust = owner(org, tmp_path / "db")
    backup = Home(tmp_path / "backup", org.passphrases)
    assert judged(backup, trust, T0 + 6) == "proof"
    assert judged(org, trust, T0 + 6) == ""


def test_a_renewed_wallet_keeps_its_other_keys(org: Home) -> None:
    before = org.open_wallet("organization")
    rotate_organization(org, before, now=T0 + 5)
    after = org.open_wallet("organization")
    for role in ("status", "registry"):
        assert after.key(role).public == before.key(role).public
    assert after.key().public != before.key().public
    sponsor = parse_human_sponsor(unpack(org.subject("eva").credential))
    assert sponsor.secured.method.endswith(after.key().public.multikey)
    assert sponsor.seconds == organization.SPONSOR_SECONDS
