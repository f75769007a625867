"""Documents that can only take a key away: what they say of it, and whose word counts."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import (
    Evidence,
    Link,
    PrivateKey,
    Request,
    Resolved,
    Trust,
    Verdict,
    decide,
    did,
    explain,
    issue_statement,
)
from delegant.credentials.codec import b58_encode
from delegant.credentials.did import Did
from delegant.credentials.documents import methods, past
from delegant.schemas import validate
from refusal import refusal
from world import PAPERS, T0, World

BOT = Did("did:web:agents.example:bot")
ASKED = Request("db.read", "urn:acme:papers:1")
KEY = PrivateKey(b"\x07" * 32).public


def web_chain(world: World) -> Link:
    """Ana's link to a bot by a web name, whose key both pin."""
    ana = world.human("ana")
    bot = world._party("bot")
    bot.did = BOT
    pin = bot.key.public
    made = world.agent("bot", ana, block={"key": pin.multikey}, agent=BOT)
    bot.identity, bot.sponsor = made.identity, ana
    made.did = BOT
    return world.delegate(ana, made, [f"db.read {PAPERS}"], subject_key=pin)


def told(world: World, *, key: Any = None, **changes: Any) -> Resolved:
    own = key or world._key("bot").public
    body = {"id": BOT, "verificationMethod": [
        {"id": "#k", "publicKeyMultibase": own.multikey}],
        "assertionMethod": ["#k"], "authentication": ["#k"]}  # fmt: skip
    members: dict[str, Any] = {"document": body, "retrieved": T0, "valid_until": T0 + 60} | changes
    return Resolved(BOT, **members)


def said(world: World, link: Link, trust: Trust, at: int = T0, **groups: Any) -> Verdict:
    shown = world.present([link], ASKED, key=world._key("bot"))
    return decide(shown, world.evidence(**groups), trust, ASKED, at=at)


def test_document_the_verifier_fetched_counts_and_none_that_came_along_does() -> None:
    world = World()
    link = web_chain(world)
    good, bad = told(world), told(world, key=KEY)
    assert said(world, link, world.trust()).state == "accepted"
    assert said(world, link, world.trust().with_documents([good])).state == "accepted"
    no = said(world, link, world.trust().with_documents([bad]))
    assert (no.state, no.code, no.phase, no.link) == ("rejected", "key-retired", 7, 0)
    assert said(world, link, world.trust(), documents=[bad.document]).state == "accepted"
    gone = Resolved(BOT, {}, T0, T0 + 60, deactivated=True)
    assert said(world, link, world.trust().with_documents([gone])).code == "key-retired"
    assert said(world, link, world.trust().with_documents([good, gone])).code == "key-retired"
    replaced = world.trust().with_documents([bad]).with_documents([good])
    assert said(world, link, replaced).state == "accepted"


def test_resolver_of_the_trust_folder_counts_like_what_was_fetched() -> None:
    world = World()
    link = web_chain(world)
    resolver = world._party("resolver")
    token = issue_statement(resolver.key, resolver=resolver.did, found=told(world, key=KEY))
    trusted = world.trust(resolvers=[{"id": resolver.did, "keys": [resolver.key.public.multikey]}])
    assert said(world, link, trusted, documents=[token]).code == "key-retired"
    assert said(world, link, world.trust(), documents=[token]).state == "accepted"
    assert said(world, link, trusted).state == "accepted"
    document = Evidence(documents=[token]).statements(BOT)[0].document
    assert validate("did-resolution", document) == []
    assert validate("evidence", {"documents": [token, {"id": BOT}]}) == []


def test_time_is_asked_anew_of_the_same_objects() -> None:
    world = World()
    link = web_chain(world)
    body = told(world).document
    body["verificationMethod"][0]["expires"] = "2026-09-21T14:13:30Z"
    trust = world.trust().with_documents([told(world, document=body)])
    shown, found = world.present([link], ASKED, key=world._key("bot")), world.evidence()
    states = [decide(shown, found, trust, ASKED, at=T0 + n).code for n in (9, 10, 9)]
    assert states == [None, "key-retired", None]


def test_explanation_tells_whose_document_was_asked() -> None:
    world = World()
    link = web_chain(world)
    shown = world.present([link], ASKED, key=world._key("bot"))
    trust = world.trust().with_documents([told(world)])
    steps = explain(shown, world.evidence(), trust, ASKED, at=T0).steps
    assert [(s.phase, s.link) for s in steps if "document of" in s.text] == [(7, 0)]


def test_statement_that_would_not_be_read_is_not_issued() -> None:
    world = World()
    resolver = world._party("resolver")

    def issued(found: Resolved, by: str = resolver.did) -> str:
        return refusal(lambda: issue_statement(resolver.key, resolver=by, found=found))

    assert issued(told(world)) == ""
    assert issued(told(world, document={"id": "did:web:other"})) == "shape"
    assert issued(told(world, document={})) == "shape"
    assert issued(told(world, document={}, deactivated=True)) == ""
    assert issued(told(world), world.org.did) == "did-key-mismatch"


@pytest.mark.parametrize(
    ("written", "ahead"),
    [
        ("2026-09-21T14:13:20Z", 0), ("2026-09-21T14:13:20.999999999Z", 0),
        ("2026-09-21T16:13:20+02:00", 0), ("2026-09-21T08:43:20-05:30", 0),
        ("2026-09-22T00:13:20+10:00", 0), ("2026-09-21T14:13:21Z", 1),
    ],
)  # fmt: skip
def test_time_of_a_document_has_come_at_its_second(written: str, ahead: int) -> None:
    assert not past(written, T0 + ahead - 1)
    assert past(written, T0 + ahead)


@pytest.mark.parametrize(
    "written",
    [None, 0, "", "soon", "2026-09-21", "2099-09-21T14:13:20", "2099-13-21T14:13:20Z",
     "2099-09-21T14:13:20z", "2099-09-21T14:13:20Z\n", "2099-09-21T14:13:20.Z",
     "2099-09-21T14:13:20+2:00", "2099-09-21T24:13:20Z", "2099-09-21T14:13:20+00:60", True],
)  # fmt: skip
def test_time_that_cannot_be_read_has_always_come(written: Any) -> None:
    assert past(written, -(2**40))


def shapes() -> list[tuple[str, dict[str, Any]]]:
    other = PrivateKey(b"\x08" * 32).public
    return [
        ("multibase", {"publicKeyMultibase": KEY.multikey}),
        ("jwk", {"publicKeyJwk": KEY.jwk}),
        ("base58", {"publicKeyBase58": b58_encode(KEY.raw)}),
        ("of another", {"publicKeyMultibase": other.multikey}),
        ("of another kind", {"publicKeyJwk": {"kty": "EC"}}),
        ("weak", {"publicKeyBase58": b58_encode(b"\x01" + bytes(31))}),
        ("long", {"publicKeyBase58": "1" * 64}),
        ("nothing", {}), ("numbers", {"publicKeyMultibase": 7, "publicKeyJwk": 7}),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "members"), shapes())
def test_key_is_found_in_every_spelling_and_nonsense_lists_none(
    name: str, members: dict[str, Any]
) -> None:
    method = {"id": f"{BOT}#k", **members}
    body = {"verificationMethod": [method, "x", None, 7], "assertionMethod": [f"{BOT}#k", 7],
            "authentication": method, "keyAgreement": None}  # fmt: skip
    found: list[Any] = list(methods(Resolved(BOT, body, 0, 1), KEY))
    if name in ("multibase", "jwk", "base58"):
        assert found == [(method, {"assertionMethod"}), (method, {"assertionMethod",
                         "authentication"})]  # fmt: skip
    else:
        assert found == []


def test_method_without_a_name_is_listed_where_it_stands() -> None:
    method = {"publicKeyMultibase": KEY.multikey}
    one = Resolved(BOT, {"verificationMethod": [method], "authentication": [method]}, 0, 1)
    assert [under for _, under in methods(one, KEY)] == [frozenset(), {"authentication"}]


def test_document_about_a_did_that_is_its_key_takes_nothing() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"])
    gone = [Resolved(Did(one), {}, T0, T0 + 60, deactivated=True)
            for one in (ana.did, bot.did, world.org.did, world.status.did)]  # fmt: skip
    shown = world.present([link], ASKED)
    trust = world.trust().with_documents(gone)
    assert decide(shown, world.evidence(), trust, ASKED, at=T0).state == "accepted"
    assert did.embeds_key(did.check(ana.did))


def test_newest_document_that_is_not_stale_says_what_is_listed() -> None:
    world = World()
    link = web_chain(world)
    for good, bad, code in ((0, -10, None), (-10, 0, "key-retired"), (0, 0, "key-retired")):
        both = [told(world, retrieved=T0 + good), told(world, key=KEY, retrieved=T0 + bad)]
        for order in (both, both[::-1]):
            assert said(world, link, world.trust().with_documents(order)).code == code
    stale = told(world, key=KEY, retrieved=T0 - 60, valid_until=T0)
    assert said(world, link, world.trust().with_documents([stale])).code is None
    ahead = told(world, key=KEY, retrieved=T0 + 31)
    assert said(world, link, world.trust().with_documents([ahead])).code is None
    nearly = told(world, key=KEY, retrieved=T0 + 30, valid_until=T0 + 60)
    assert said(world, link, world.trust().with_documents([nearly])).code == "key-retired"


def test_statement_nobody_believes_does_not_hide_the_next() -> None:
    world = World()
    link = web_chain(world)
    resolver, stranger = world._party("resolver"), world._party("stranger")
    trusted = world.trust(resolvers=[{"id": resolver.did, "keys": [resolver.key.public.multikey]}])
    bad = issue_statement(resolver.key, resolver=resolver.did, found=told(world, key=KEY))
    head, payload, signature = bad.split(".")
    forged = ".".join((head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]))
    others = (
        issue_statement(stranger.key, resolver=stranger.did, found=told(world)),
        forged,
    )
    for other in others:
        assert said(world, link, trusted, documents=[other]).code is None
        for order in ([other, bad], [bad, other]):
            assert said(world, link, trusted, documents=order).code == "key-retired"


def test_one_method_s_relationship_is_not_another_s() -> None:
    world = World()
    link = web_chain(world)
    own = world._key("bot").public
    body: dict[str, Any] = {
        "id": BOT,
        "verificationMethod": [
            {"id": "#old", "publicKeyMultibase": own.multikey},
            {"id": f"{BOT}#k", "publicKeyMultibase": KEY.multikey},
        ],
        "assertionMethod": ["#old", "#k"],
    }
    for listed, code in ((f"{BOT}#old", None), ("#old", None), ("#k", "key-retired"),
                         (f"{BOT}#k", "key-retired"), ("old", "key-retired")):  # fmt: skip
        found = told(world, document=body | {"authentication": [listed]})
        assert said(world, link, world.trust().with_documents([found])).code == code


@pytest.mark.parametrize("name", ["did:web:a.example", "did:web:z.example", "did:key:z6", ""])
def test_statement_about_one_did_holds_no_document_of_another(name: str) -> None:
    resolver = World()._party("resolver")
    body = told(World()).document

    def issued(document: Any) -> str:
        found = told(World(), document=document)
        return refusal(lambda: issue_statement(resolver.key, resolver=resolver.did, found=found))

    assert issued(body) == ""
    assert issued(body | {"id": name}) == "shape"
