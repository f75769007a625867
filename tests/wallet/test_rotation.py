"""New keys: what verifies before and after, with the codes, and what an interruption leaves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Bundle, Error, Evidence, Trust, verify
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import parse_agent_identity
from delegant.w3c.dids import key_for
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_human,
    create_agent,
    delegate,
    files,
    load_trust,
    refresh,
    renew_identity,
    revocations,
    rotate_agent,
    rotate_human,
    rotation,
    save_seen,
    statuslists,
    web_subjects,
)
from refusal import refusal

from .conftest import ASKED, READ, T0, presented

METHODS = ("key", "jwk", "web")


def people(home: Home, method: str) -> tuple[Wallet, Wallet]:
    """The organisation and Eva, with an agent that holds a grant by her."""
    organization = home.open_wallet("organization")
    add_human(home, organization, "eva", now=T0, method=method, attestation="idp:corp")
    eva = home.open_wallet("human", "eva")
    create_agent(home, eva, "bot", now=T0, tools=["db.read"], method=method)
    delegate(home, eva, "bot", READ, now=T0)
    return organization, eva


def bundle(home: Home, agent: str = "bot", now: int = T0) -> Bundle:
    wallet = home.open_wallet("agent", agent)
    return presented(home, wallet, now)


def judged(home: Home, made: Bundle, now: int, **changes: Any) -> str:
    """The code and link it is refused with; nothing when it is accepted."""
    evidence = Evidence.from_json(made.evidence.json | changes)
    trust = load_trust(home.path / "trust")
    try:
        verify(made.presentation.to_bytes(), evidence.to_bytes(), trust, ASKED, at=now)
    except Error as exc:
        return exc.code if exc.link is None else f"{exc.code} {exc.link}"
    return ""


def sponsor(home: Home, name: str = "eva") -> Any:
    return parse_human_sponsor(unpack(home.subject(name).credential))


def files_of(home: Home) -> set[str]:
    found = (path for path in home.path.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(home.path)) for path in found}


# --- a person ------------------------------------------------------------------------------


@pytest.mark.parametrize("recover", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_after_a_new_key_one_more_delegation_works(web: Home, method: str, recover: bool) -> None:
    organization, eva = people(web, method)
    assert judged(web, bundle(web), T0) == ""
    done = rotate_human(web, organization, "eva", now=T0 + 5, recover=recover)
    assert done.renewed == ("bot",)
    assert done.left == ()
    assert len(done.ended) == 1
    fresh = web.open_wallet("human", "eva")
    assert fresh.key().public != eva.key().public
    assert (fresh.did == eva.did) == (method == "web")
    assert done.did == fresh.did == web.subject("eva").did
    delegate(web, fresh, "bot", READ, now=T0 + 6)
    assert judged(web, bundle(web, now=T0 + 6), T0 + 6) == ""


@pytest.mark.parametrize("method", METHODS)
def test_the_next_credential_says_the_same_of_the_new_key(web: Home, method: str) -> None:
    organization, eva = people(web, method)
    before = sponsor(web)
    rotate_human(web, organization, "eva", now=T0 + 5)
    after = sponsor(web)
    assert (after.revision, after.lease) == (before.revision + 1, before.lease)
    assert after.entitlements == before.entitlements
    assert after.secured.document["credentialSubject"]["humanSponsor"]["attestation"] == "idp:corp"
    assert (after.key is None) == (method != "web")
    assert (after.status == before.status) == (method == "web")
    assert [one.key for one in web.subject("eva").retired] == [eva.key().public.multikey]


def test_a_did_webs_old_links_end_where_the_new_credential_is_seen(web: Home) -> None:
    organization, _ = people(web, "web")
    old = bundle(web)
    assert judged(web, old, T0 + 1) == ""
    rotate_human(web, organization, "eva", now=T0 + 5)
    new = sponsor(web).secured.raw
    # not seen yet: within its time, and by old evidence alone, an old link still counts
    assert judged(web, old, T0 + 6) == ""
    # beside the new credential the link is by another key than the one pinned
    assert judged(web, old, T0 + 6, sponsors=[new]) == "proof 0"
    assert judged(web, old, T0 + 6, sponsors=[*old.evidence.json["sponsors"], new]) == "proof 0"
    # and once the verifier met the new revision, the old credential is refused
    eva = web.open_wallet("human", "eva")
    delegate(web, eva, "bot", READ, now=T0 + 6)
    fresh = bundle(web, now=T0 + 6)
    trust = load_trust(web.path / "trust")
    seen = verify(fresh.presentation, fresh.evidence, trust, ASKED, at=T0 + 6).seen
    save_seen(web.path / "trust", seen)
    assert judged(web, old, T0 + 6) == "sponsor-rollback"
    assert judged(web, fresh, T0 + 6) == ""


def test_a_did_webs_new_pin_over_an_old_identity_is_refused(web: Home) -> None:
    organization, _ = people(web, "web")
    old = web.subject("bot").credential
    rotate_human(web, organization, "eva", now=T0 + 5)
    delegate(web, web.open_wallet("human", "eva"), "bot", READ, now=T0 + 6)
    made = bundle(web, now=T0 + 6)
    assert judged(web, made, T0 + 6) == ""
    assert judged(web, made, T0 + 6, identities=[old]) == "proof 0"


@pytest.mark.parametrize("method", ["key", "web"])
def test_what_a_lost_wallet_still_signs_is_refused(web: Home, method: str) -> None:
    organization, eva = people(web, method)
    old = bundle(web)
    rotate_human(web, organization, "eva", now=T0 + 5, recover=True)
    lists = [statuslists.raw(web, 1)]
    assert judged(web, old, T0 + 6) == ""  # as long as the list from before is fresh enough
    assert judged(web, old, T0 + 6, statusLists=lists) == "sponsor-gone"
    with pytest.raises(Error, match="did-key-mismatch"):
        delegate(web, eva, "bot", READ, now=T0 + 6)
    with pytest.raises(Error, match="did-key-mismatch"):
        create_agent(web, eva, "x", now=T0 + 6)
    assert not web.wallet_path("agent", "x").exists()


def test_a_did_keys_old_credential_is_revoked_when_it_moves_on(web: Home) -> None:
    organization, eva = people(web, "key")
    old = bundle(web)
    done = rotate_human(web, organization, "eva", now=T0 + 5)
    assert (done.before, done.did) == (eva.did, web.subject("eva").did)
    assert judged(web, old, T0 + 6, statusLists=[statuslists.raw(web, 1)]) == "sponsor-gone"
    assert judged(web, bundle(web, now=T0 + 6), T0 + 6) == "no-human-root"  # delegate again
    with pytest.raises(Error, match="not-found"):
        web.subject(eva.did)
    assert web.formerly(eva.did).handle == "eva"


@pytest.mark.parametrize("recover", [False, True])
def test_the_feed_names_a_did_that_was_its_key_and_no_did_web(web: Home, recover: bool) -> None:
    organization, eva = people(web, "key")
    rotate_human(web, organization, "eva", now=T0 + 5, recover=recover)
    rotate_human(web, organization, "ana", now=T0 + 5, recover=recover)
    feed = revocations.load(web, organization)
    assert feed is not None
    assert [(one.kind, one.id) for one in feed.entries] == [("did", eva.did)]
    assert refresh(web, organization, T0 + 6) == []
    again = revocations.load(web, organization)
    assert again is not None
    assert again.seq == feed.seq


def test_a_did_web_that_the_feed_revoked_comes_back_under_another(web: Home) -> None:
    organization, eva = people(web, "web")
    revocations.revoke(web, organization, "sponsor", eva.did, now=T0 + 1, entry=sponsor(web).status)
    done = rotate_human(web, organization, "eva", now=T0 + 2, recover=True)
    assert done.did != eva.did
    assert done.did.startswith("did:web:acme.example:people:p-")
    assert done.renewed == ("bot",)
    delegate(web, web.open_wallet("human", "eva"), "bot", READ, now=T0 + 3)
    assert judged(web, bundle(web, now=T0 + 3), T0 + 3) == ""


@pytest.mark.parametrize("change", ["revoke", "suspend"])
def test_who_was_stopped_comes_back_only_by_recovery(web: Home, change: Any) -> None:
    organization, _ = people(web, "web")
    statuslists.change(web, organization, sponsor(web).status, change, T0 + 1)
    code = refusal(lambda: rotate_human(web, organization, "eva", now=T0 + 2))
    assert code == ("sponsor-gone" if change == "revoke" else "suspended")
    rotate_human(web, organization, "eva", now=T0 + 3, recover=True)
    delegate(web, web.open_wallet("human", "eva"), "bot", READ, now=T0 + 4)
    assert judged(web, bundle(web, now=T0 + 4), T0 + 4) == ""


def test_recovery_asks_for_no_old_wallet(web: Home) -> None:
    organization, _ = people(web, "web")
    web.wallet_path("human", "eva").unlink()
    rotate_human(web, organization, "eva", now=T0 + 5, recover=True)
    assert web.open_wallet("human", "eva").key().public == web.subject("eva").key


def test_the_old_secret_is_kept_nowhere(web: Home) -> None:
    organization, eva = people(web, "key")
    before = files_of(web)
    rotate_human(web, organization, "eva", now=T0 + 5)
    assert files_of(web) == before  # no wallet more, none beside
    assert web.open_wallet("human", "eva").key().public != eva.key().public


def test_a_document_marks_the_old_key_revoked(web: Home) -> None:
    organization, eva = people(web, "web")
    rotate_human(web, organization, "eva", now=T0 + 5)
    (document,) = [one.document for one in web_subjects(web) if one.did == eva.did]
    old = f"{eva.did}#{eva.key().public.multikey}"
    new = f"{eva.did}#{web.subject('eva').key.multikey}"
    rows = {one["id"]: one.get("revoked") for one in document["verificationMethod"]}
    assert rows == {new: None, old: "2026-09-21T14:13:25Z"}

    def asked(method: str, at: int) -> str:
        return refusal(lambda: key_for(method, "assertionMethod", lambda _: document, at=at))

    assert asked(new, T0 + 5) == ""
    assert asked(old, T0 + 4) == ""
    assert asked(old, T0 + 5) == "key-retired"


def test_agents_of_agents_follow_a_did_key_to_its_new_did(web: Home) -> None:
    organization, eva = people(web, "key")
    create_agent(web, eva, "boss", now=T0, tools=["db.read"], spawn=True)
    boss = web.open_wallet("agent", "boss")
    create_agent(web, boss, "kid", now=T0, tools=["db.read"], model="child", spawn=True)
    kid = web.open_wallet("agent", "kid")
    create_agent(web, kid, "grandkid", now=T0, tools=["db.read"], model="child")
    done = rotate_human(web, organization, "eva", now=T0 + 5)
    assert set(done.renewed) == {"bot", "boss", "kid", "grandkid"}
    delegate(web, web.open_wallet("human", "eva"), "grandkid", READ, now=T0 + 6)
    assert judged(web, bundle(web, "grandkid", T0 + 6), T0 + 6) == ""
    creator = parse_agent_identity(unpack(web.subject("kid").credential)).secured.document
    assert creator["credentialSubject"]["agentIdentity"]["owner"] == done.did


def test_agents_whose_wallet_does_not_open_are_named(web: Home, tmp_path: Path) -> None:
    organization, eva = people(web, "key")
    other = tmp_path / "other"
    other.write_text("another passphrase")
    other.chmod(0o600)
    create_agent(Home(web.path, Passphrases(other)), eva, "boss", now=T0, spawn=True)
    boss = Home(web.path, Passphrases(other)).open_wallet("agent", "boss")
    create_agent(web, boss, "kid", now=T0, tools=["db.read"], model="child")
    done = rotate_human(web, organization, "eva", now=T0 + 5)
    assert set(done.renewed) == {"bot", "boss"}
    assert done.left == ("kid",)
    renew_identity(web, boss, "kid", now=T0 + 6)
    delegate(web, web.open_wallet("human", "eva"), "kid", READ, now=T0 + 7)
    assert judged(web, bundle(web, "kid", T0 + 7), T0 + 7) == ""


def test_of_others_nothing_changes(web: Home) -> None:
    organization, _ = people(web, "key")
    ana = web.open_wallet("human", "ana")
    create_agent(web, ana, "other", now=T0, tools=["db.read"])
    delegate(web, ana, "other", READ, now=T0)
    before = {name: web.subject(name) for name in ("ana", "other")}
    rotate_human(web, organization, "eva", now=T0 + 5)
    assert {name: web.subject(name) for name in before} == before
    assert judged(web, bundle(web, "other", T0 + 6), T0 + 6) == ""


@pytest.mark.parametrize("method", METHODS)
def test_keys_can_be_changed_again_and_again(web: Home, method: str) -> None:
    organization, _ = people(web, method)
    for turn in range(1, 4):
        rotate_human(web, organization, "eva", now=T0 + turn, recover=turn == 2)
    delegate(web, web.open_wallet("human", "eva"), "bot", READ, now=T0 + 5)
    assert judged(web, bundle(web, now=T0 + 5), T0 + 5) == ""
    assert len(web.subject("eva").retired) == 3
    assert refresh(web, organization, T0 + 6) == []


def test_only_a_human_is_given_a_humans_key(web: Home) -> None:
    organization, _ = people(web, "web")
    assert refusal(lambda: rotate_human(web, organization, "bot", now=T0)) == "wallet-kind"
    assert refusal(lambda: rotate_human(web, organization, "nobody", now=T0)) == "not-found"
    eva = web.open_wallet("human", "eva")
    assert refusal(lambda: rotate_agent(web, eva, "eva", now=T0)) == "wallet-kind"


# --- interruptions -------------------------------------------------------------------------

STEPS = ("save_subject", "move", "settle", "hand_over")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["key", "web"])
def test_an_interrupted_rotation_is_repeated(
    web: Home, monkeypatch: pytest.MonkeyPatch, method: str, step: str
) -> None:
    organization, _ = people(web, method)
    old = bundle(web)

    def dying(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "save_subject":
            patch.setattr(Home, "save_subject", dying)
        elif step == "move":
            patch.setattr(files, "move", dying)
        else:
            patch.setattr(rotation, step if step == "settle" else "_hand_over", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate_human(web, organization, "eva", now=T0 + 5)
    assert web.open_wallet("human", "eva").name == "eva"  # whole, before or after
    if step == "save_subject":
        assert judged(web, bundle(web, now=T0 + 6), T0 + 6) == ""  # nothing has changed
    rotate_human(web, organization, "eva", now=T0 + 7)
    delegate(web, web.open_wallet("human", "eva"), "bot", READ, now=T0 + 8)
    assert judged(web, bundle(web, now=T0 + 8), T0 + 8) == ""
    if method == "key":
        assert judged(web, old, T0 + 8, statusLists=[statuslists.raw(web, 1)]) == "sponsor-gone"
    assert not [name for name in files_of(web) if name.endswith(".next")]


def test_a_refresh_ends_what_an_interrupted_recovery_owed(
    web: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization, _ = people(web, "web")
    old = bundle(web)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "settle", lambda *_given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rotate_human(web, organization, "eva", now=T0 + 5, recover=True)
    assert judged(web, old, T0 + 6, statusLists=[statuslists.raw(web, 1)]) == ""
    assert refresh(web, organization, T0 + 6) == ["eva, revoked before"]
    assert judged(web, old, T0 + 6, statusLists=[statuslists.raw(web, 1)]) == "sponsor-gone"
    assert refresh(web, organization, T0 + 7) == []


def test_of_two_rotations_at_once_one_comes_after_the_other(web: Home, secret: Path) -> None:
    people(web, "web")
    meet, said = threading.Barrier(2), list[str]()

    def turn() -> None:
        own = Home(web.path, Passphrases(secret))
        organization = own.open_wallet("organization")
        meet.wait()
        said.append(rotate_human(own, organization, "eva", now=T0 + 5).did)

    threads = [threading.Thread(target=turn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [web.subject("eva").did] * 2
    assert len(web.subject("eva").retired) == 2
    assert web.open_wallet("human", "eva").key().public == web.subject("eva").key


# --- an agent ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_agent_gets_a_new_key(web: Home, method: str) -> None:
    organization, eva = people(web, method)
    old, before = bundle(web), web.open_wallet("agent", "bot")
    done = rotate_agent(web, eva, "bot", now=T0 + 5)
    assert refresh(web, organization, T0 + 5) == ["bot, revoked before"]
    assert (done.before == done.did) == (method == "web")
    assert len(done.ended) == 1
    assert judged(web, old, T0 + 6) == ""  # by what was known before, until it ages
    assert judged(web, old, T0 + 6, statusLists=[statuslists.raw(web, 1)]) == "revoked 0"
    fresh = web.open_wallet("agent", "bot")
    assert fresh.key().public != before.key().public
    if method == "web":
        code = refusal(lambda: bundle(web, now=T0 + 6))
        assert code == "holder-mismatch"  # the link pins the key from before
        identities = [web.subject("bot").credential]
        assert judged(web, old, T0 + 6, identities=identities) == "did-key-mismatch 0"
    delegate(web, eva, "bot", READ, now=T0 + 7)
    assert judged(web, bundle(web, now=T0 + 7), T0 + 7) == ""


@pytest.mark.parametrize("method", METHODS)
def test_the_children_of_an_agent_follow_its_new_key(web: Home, method: str) -> None:
    _, eva = people(web, method)
    create_agent(web, eva, "boss", now=T0, tools=["db.read"], spawn=True, method=method)
    boss = web.open_wallet("agent", "boss")
    create_agent(web, boss, "kid", now=T0, tools=["db.read"], model="child", method=method)
    delegate(web, eva, "kid", READ, now=T0)
    assert judged(web, bundle(web, "kid"), T0) == ""
    assert rotate_agent(web, eva, "boss", now=T0 + 5).renewed == ("kid",)
    assert judged(web, bundle(web, "kid", T0 + 6), T0 + 6) == ""


def test_a_strangers_wallet_renews_no_agent(web: Home, home: Home, ana: Wallet) -> None:
    people(web, "web")
    code = refusal(lambda: renew_identity(web, ana, "bot", now=T0 + 1))
    assert code == "did-key-mismatch"  # another home's Ana


def test_an_identity_is_renewed_for_longer_under_the_same_entry(web: Home) -> None:
    _, eva = people(web, "web")
    before = parse_agent_identity(unpack(web.subject("bot").credential))
    after = renew_identity(web, eva, "bot", now=T0 + 9, seconds=60 * 86_400)
    assert (after.status, after.key, after.subject) == (before.status, before.key, before.subject)
    assert after.valid_until == T0 + 9 + 60 * 86_400
    # the entry stays taken for as long: nobody else gets it in the meantime
    others = {
        create_agent(web, eva, f"a{number}", now=T0 + 40 * 86_400).status for number in range(3)
    }
    assert after.status not in others
    assert refusal(lambda: renew_identity(web, eva, "bot", now=T0, seconds=91 * 86_400)) == (
        "ttl-too-long"
    )


def test_another_human_takes_an_agent_over(web: Home) -> None:
    organization, _ = people(web, "web")
    ana = web.open_wallet("human", "ana")
    statuslists.change(web, organization, sponsor(web).status, "revoke", T0 + 1)
    renew_identity(web, ana, "bot", now=T0 + 2)
    assert refresh(web, organization, T0 + 2) == ["bot, revoked before"]
    delegate(web, ana, "bot", READ, now=T0 + 3)
    made = bundle(web, now=T0 + 3)
    assert judged(web, made, T0 + 3) == ""
    identity = parse_agent_identity(unpack(web.subject("bot").credential))
    assert (identity.sponsor, identity.issuer) == (ana.did, ana.did)


def test_a_revoked_or_expired_identity_is_not_renewed(web: Home) -> None:
    organization, eva = people(web, "web")
    create_agent(web, eva, "brief", now=T0, model="ephemeral", seconds=60)
    assert refusal(lambda: renew_identity(web, eva, "brief", now=T0 + 60)) == "expired"
    assert renew_identity(web, eva, "brief", now=T0 + 59, seconds=500).valid_until == T0 + 60
    entry = parse_agent_identity(unpack(web.subject("bot").credential)).status
    assert entry is not None
    assert renew_identity(web, eva, "bot", now=T0 + 1).subject == web.subject("bot").did
    statuslists.change(web, organization, entry, "revoke", T0 + 2)
    assert refusal(lambda: renew_identity(web, eva, "bot", now=T0 + 3)) == "revoked"
    assert refusal(lambda: rotate_agent(web, eva, "bot", now=T0 + 3)) == "revoked"


def test_a_trust_that_never_heard_of_it_still_refuses_the_new_did(web: Home) -> None:
    """A rotation never widens: an anchor of people by name is not one of their new keys."""
    organization, eva = people(web, "key")
    value = files.read_object(web.path / "trust" / "trust.json")
    value["anchors"][0]["subjects"] = [eva.did]
    assert Trust.from_json(value).anchors[web.settings.organization].speaks_for(eva.did)
    rotate_human(web, organization, "eva", now=T0 + 5)
    assert (
        not Trust.from_json(value)
        .anchors[web.settings.organization]
        .speaks_for(web.subject("eva").did)
    )
