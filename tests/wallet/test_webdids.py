"""did:web at every position: pins written down the chain, and the documents anybody may see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from delegant.credentials import Error, PrivateKey, verify
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
    create_home,
    delegate,
    load_trust,
    make_bundle,
    web_document,
    web_subjects,
)
from refusal import refusal

from .conftest import ASKED, READ, T0, presented


def outcome(home: Home, agent: str, now: int = T0) -> str:
    wallet = home.open_wallet("agent", agent)
    made = presented(home, wallet, now)
    trust = load_trust(home.path / "trust")
    try:
        verify(made.presentation.to_bytes(), made.evidence.to_bytes(), trust, ASKED, at=now)
    except Error as exc:
        return exc.code
    return "accepted"


def test_a_chain_of_did_webs_verifies_without_a_document(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    create_agent(web, ana, "bot", now=T0, tools=["db.read"], method="web")
    create_agent(web, ana, "helper", now=T0, tools=["db.read"], method="web")
    first = delegate(web, ana, "bot", READ, now=T0, remaining=1).link
    second = delegate(web, web.open_wallet("agent", "bot"), "helper", READ, now=T0).link
    base = "did:web:acme.example"
    assert web.settings.organization == base
    assert (first.subject, second.subject) == (f"{base}:agents:bot", f"{base}:agents:helper")
    assert re.fullmatch(rf"{base}:people:p-[0-9a-f]{{10}}", first.issuer)
    assert outcome(web, "bot") == "accepted"
    assert outcome(web, "helper") == "accepted"


def test_each_key_is_pinned_by_the_signer_above(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    create_agent(web, ana, "bot", now=T0, tools=["db.read"], method="web")
    link = delegate(web, ana, "bot", READ, now=T0).link
    sponsor = parse_human_sponsor(unpack(web.subject("ana").credential))
    identity = parse_agent_identity(unpack(web.subject("bot").credential))
    bot = web.open_wallet("agent", "bot").key().public.multikey
    assert sponsor.key == ana.key().public.multikey
    assert identity.key == link.key == bot
    assert web.subject("bot").key.multikey == bot
    trusted = load_trust(web.path / "trust").anchors["did:web:acme.example"]
    assert trusted.keys == (web.open_wallet("organization").key().public,)


def test_did_key_and_did_web_mix_in_one_chain(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    create_agent(web, ana, "bot", now=T0, tools=["db.read"], method="jwk", spawn=True)
    bot = web.open_wallet("agent", "bot")
    create_agent(web, bot, "kid", now=T0, tools=["db.read"], method="web", model="child")
    delegate(web, ana, "bot", READ, now=T0, remaining=1, spawn=True)
    delegate(web, bot, "kid", READ, now=T0)
    assert outcome(web, "kid") == "accepted"
    create_agent(web, web.open_wallet("human", "ana"), "boss", now=T0, method="web", spawn=True)
    boss = web.open_wallet("agent", "boss")
    create_agent(web, boss, "sub", now=T0, tools=["db.read"], model="child")
    delegate(web, ana, "sub", READ, now=T0)
    assert outcome(web, "sub") == "accepted"


def test_two_people_have_dids_that_tell_nothing(web: Home) -> None:
    organization = web.open_wallet("organization")
    names = ["ben", "eva"]
    dids = {add_human(web, organization, name, now=T0, method="web").subject for name in names}
    assert len(dids | {web.subject("ana").did}) == 3
    assert not any(name in did for did in dids for name in names)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example",
        "https://127.0.0.1:8443",
        "https://[::1]",
        "https://acme.example:99999",
    ],
)
def test_a_did_web_needs_a_host_name_with_https(tmp_path: Path, secret: Path, url: str) -> None:
    code = refusal(
        lambda: create_home(
            tmp_path / "x", "acme.example", url=url, passphrases=Passphrases(secret), now=T0,
            method="web",
        )
    )  # fmt: skip
    assert code in ("did-invalid", "shape")
    assert not (tmp_path / "x").exists()


def test_a_port_and_a_folder_are_part_of_the_did(tmp_path: Path, secret: Path) -> None:
    home = create_home(
        tmp_path / "x", "acme.example", url="https://acme.example:8443/ids",
        passphrases=Passphrases(secret), now=T0, method="web",
    )  # fmt: skip
    assert home.settings.organization == "did:web:acme.example%3A8443:ids"
    assert [one.path for one in web_subjects(home)] == ["/ids/did.json"]


def test_people_of_a_did_key_organisation_may_be_did_webs(tmp_path: Path, secret: Path) -> None:
    home = create_home(
        tmp_path / "x", "acme.example", url="https://acme.example",
        passphrases=Passphrases(secret), now=T0,
    )  # fmt: skip
    add_human(home, home.open_wallet("organization"), "ana", now=T0, method="web")
    ana = home.open_wallet("human", "ana")
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    delegate(home, ana, "bot", READ, now=T0)
    assert outcome(home, "bot") == "accepted"
    assert [one.kind for one in web_subjects(home)] == ["human"]


def test_without_a_host_name_there_are_none(home: Home, organization: Wallet) -> None:
    assert refusal(lambda: add_human(home, organization, "eva", now=T0, method="web")) == (
        "did-invalid"
    )
    assert not home.wallet_path("human", "eva").exists()
    assert add_human(home, organization, "eva", now=T0).key is None
    assert web_subjects(home) == []


def test_a_stranger_whose_did_is_no_key_needs_one_stated(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    key = PrivateKey.generate().public
    stranger = "did:web:other.example:agents:x"
    assert refusal(lambda: delegate(web, ana, stranger, READ, now=T0)) == "key-unresolved"
    made = delegate(web, ana, stranger, READ, now=T0, subject_key=key).link
    assert made.key == key.multikey
    create_agent(web, ana, "bot", now=T0, tools=["db.read"], method="web")
    wrong = refusal(lambda: delegate(web, ana, "bot", READ, now=T0, subject_key=key))
    assert wrong == "did-key-mismatch"
    right = web.subject("bot").key
    assert delegate(web, ana, "bot", READ, now=T0, subject_key=right).link.key == right.multikey


def test_a_holder_whose_key_is_not_the_pinned_one_presents_nothing(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    for name in ("bot", "other"):
        create_agent(web, ana, name, now=T0, tools=["db.read"], method="web")
    chain = (delegate(web, ana, "bot", READ, now=T0).link,)
    other = web.open_wallet("agent", "other")
    code = refusal(lambda: make_bundle(web, other, chain, ASKED, audience=None, now=T0))
    assert code == "holder-mismatch"
    assert outcome(web, "bot") == "accepted"


def test_the_documents_list_the_keys_of_now(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    create_agent(web, ana, "bot", now=T0, tools=["db.read"], method="web")
    found = {one.kind: one for one in web_subjects(web)}
    assert {one.path for one in found.values()} >= {"/.well-known/did.json", "/agents/bot/did.json"}
    for kind, wallet in (
        ("organization", web.open_wallet("organization")),
        ("human", ana),
        ("agent", web.open_wallet("agent", "bot")),
    ):
        document = found[kind].document
        assert web_document(web, found[kind].path) == document
        method = f"{wallet.did}#{wallet.key().public.multikey}"
        key, controller = key_for(method, "assertionMethod", lambda _: document, at=T0)  # noqa: B023
        assert (key.multikey, controller) == (wallet.key().public.multikey, wallet.did)
    assert "service" not in found["human"].document  # nothing there but a key
    assert refusal(lambda: web_document(web, "/people/nobody/did.json")) == "did-not-found"


def test_a_wallet_keeps_its_did_web(web: Home) -> None:
    ana = web.open_wallet("human", "ana")
    again = Wallet.open(web.wallet_path("human", "ana"), "correct horse", kind="human")
    assert again.did == ana.did == web.subject("ana").did
    code = refusal(
        lambda: Wallet.create(
            web.path / "x.wallet", "p", kind="human", name="x",
            web=PrivateKey.generate().public.multikey,
        )
    )  # fmt: skip
    assert code == "shape"
