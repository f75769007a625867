"""The revocation feed at its edges: its form, what it costs, what is kept and what is shown."""

from __future__ import annotations

import time
from typing import Any

import pytest

from delegant.credentials import (
    Evidence,
    Link,
    Request,
    Revocation,
    Trust,
    Verdict,
    canonical,
    decide,
    feed,
    issue_revocation_feed,
    jose,
    verify,
)
from delegant.credentials.did import vm_of
from delegant.credentials.feed import MAX_ENTRIES, parse_feed, unpack_feed
from delegant.schemas import validate
from refusal import refusal
from world import FEED, PAPERS, World

ASKED = Request("db.read", "urn:acme:papers:1")


def chain(world: World) -> tuple[Link, str]:
    """Ana's link to a bot, and the bot's DID."""
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    return world.delegate(ana, bot, [f"db.read {PAPERS}"]), bot.did


def said(world: World, link: Link, trust: Trust | None = None, *tokens: Any) -> Verdict:
    shown = world.present([link], ASKED)
    found = world.evidence(feeds=tokens)
    return decide(shown, found, trust or world.trust(), ASKED, at=world.now)


def payload(**changes: Any) -> dict[str, Any]:
    world = World()
    return {**world.feed().secured.document, **changes}


def signed(value: dict[str, Any]) -> str:
    world = World()
    return jose.sign(value, world.status.key, feed.FEED_TYPE, vm_of(world.status.did))  # type: ignore[arg-type]


def test_feed_is_read_as_it_was_signed() -> None:
    world = World()
    entries = (world.kills("link", world.id("x")), world.kills("did", world.db.did, at=5))
    made = world.feed(*entries, seq=9)
    again = parse_feed(unpack_feed(made.secured.raw))
    assert (again.url, again.issuer, again.seq) == (FEED, world.status.did, 9)
    assert (again.valid_from, again.valid_until) == (world.now, world.now + 3600)
    assert again.entries == made.entries == entries
    assert again.names("link") == {world.id("x")}
    assert again.names("did") == {world.db.did}
    assert again.names("sponsor") == frozenset()
    assert (again.revokes, world.feed().revokes) == (True, False)
    assert validate("revocation-feed", made.secured.document) == []
    assert validate("revocation-feed", world.feed().secured.document) == []
    assert "entries" not in world.feed().secured.document


def test_feed_of_the_most_entries_is_read_and_quickly_and_one_more_is_refused() -> None:
    world = World()
    link, _ = chain(world)
    entries = [world.kills("did", f"did:web:n{n}.example") for n in range(MAX_ENTRIES)]
    token = world.feed(*entries).secured.raw
    bytes_ = canonical(world.evidence(feeds=[token]).json)
    shown = world.present([link], ASKED).to_bytes()
    took = []
    for _ in range(3):
        begun = time.process_time()
        verify(shown, bytes_, world.trust(), ASKED, at=world.now)
        took.append(time.process_time() - begun)
    assert min(took) < 0.05
    assert refusal(lambda: world.feed(*entries, entries[0])) == "limit-items"

    assert refusal(lambda: unpack_feed("a" * (feed.MAX_FEED + 1))) == "limit-size"
    assert refusal(lambda: unpack_feed("a" * feed.MAX_FEED)) == "encoding"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 2}, "unknown-version"), ({"version": "1"}, "shape"), ({"seq": 0}, "shape"),
        ({"seq": 1.5}, "shape"), ({"issuer": "acme"}, "shape"), ({"id": "feed"}, "shape"),
        ({"entries": []}, "empty-array"), ({"entries": {}}, "shape"),
        ({"more": 1}, "unknown-member"), ({"validUntil": "2026-09-21T14:13:20Z"}, "shape"),
        ({"validUntil": "2026-09-21T14:13:21Z"}, ""), ({"seq": 1}, ""), ({}, ""),
    ],
)  # fmt: skip
def test_feed_of_another_shape_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refusal(lambda: parse_feed(unpack_feed(signed(payload(**changes))))) == code


ENTRY = {"kind": "did", "id": "did:web:a", "at": "2026-01-01T00:00:00Z", "by": "did:web:b",
         "reason": "lost"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""), ({"reason": "x" * 256}, ""), ({"kind": "sponsor"}, ""),
        ({"kind": "link"}, "shape"), ({"kind": "list"}, "shape"), ({"kind": None}, "shape"),
        ({"id": 7}, "shape"), ({"at": 7}, "shape"), ({"by": "ana"}, "shape"),
        ({"reason": "x" * 257}, "shape"), ({"reason": ""}, "shape"), ({"until": "x"},
         "unknown-member"),
    ],
)  # fmt: skip
def test_entry_of_another_shape_is_refused_when_it_is_read(
    changes: dict[str, Any], code: str
) -> None:
    made = parse_feed(unpack_feed(signed(payload(entries=[ENTRY | changes]))))
    assert refusal(lambda: made.entries) == refusal(lambda: made.names("did")) == code


def test_feed_that_would_not_be_read_is_not_issued() -> None:
    world = World()
    for wrong in (
        world.kills("list", world.db.did),
        world.kills("link", world.db.did),
        world.kills("did", world.db.did, reason=""),
        world.kills("did", world.db.did, by="ana"),
    ):
        assert refusal(lambda wrong=wrong: world.feed(wrong)) == "shape"
    assert refusal(lambda: world.feed(seq=0)) == "shape"
    assert refusal(lambda: world.feed(signer=world.org)) == "did-key-mismatch"
    key = world.status.key
    same: Any = {"url": FEED, "authority": "did:web:acme.example", "seq": 1, "entries": [],
                 "valid_from": 0, "valid_until": 1}  # fmt: skip
    assert issue_revocation_feed(key, **same).secured.method.startswith("did:web:acme.example#z6Mk")


def test_feed_relied_on_is_shown_and_remembered_and_asked_for_from_then_on() -> None:
    world = World()
    link, bot = chain(world)
    assert said(world, link).state == "accepted"
    seven = world.feed(seq=7).secured.raw
    yes = said(world, link, None, seven)
    assert yes.authorization is not None
    assert yes.authorization.seen.feeds == {world.status.did: 7}
    assert yes.json["statusAsOf"][1:] == [
        {"feed": world.status.did, "seq": 7, "validFrom": "2026-09-21T14:13:20Z"}
    ]
    assert validate("verdict", yes.json) == []
    after = world.trust().with_seen(yes.authorization.seen)
    assert said(world, link, after, seven).state == "accepted"
    without = said(world, link, after)
    assert (without.code, without.dimension) == ("status-missing", "feed")
    older = said(world, link, after, world.feed(seq=6).secured.raw)
    assert (older.code, older.dimension) == ("status-rollback", "feed")
    newer = said(world, link, after, world.feed(world.kills("did", bot), seq=8).secured.raw)
    assert (newer.code, newer.link) == ("revoked", 0)
    again = Trust.from_json(world.trust_json | {"seen": after.seen.json})
    assert again.seen == after.seen
    assert validate("trust", world.trust_json | {"seen": after.seen.json}) == []


def test_no_refusal_is_remembered_as_seen_and_no_feed_leaves_no_trace() -> None:
    world = World()
    link, _ = chain(world)
    yes = said(world, link)
    assert yes.authorization is not None
    assert yes.authorization.seen.feeds == {}
    assert yes.authorization.feeds == {}
    assert len(yes.json["statusAsOf"]) == 1


def test_same_evidence_is_asked_again_under_another_trust_and_at_another_time() -> None:
    world = World()
    link, _ = chain(world)
    found = world.evidence(feeds=[world.feed().secured.raw])
    shown = world.present([link], ASKED)
    strict = dict(world.trust_json["anchors"][0], requireFeed=True)
    trust = world.trust(anchors=[strict])
    for at, code in ((0, None), (300, None), (301, "status-stale"), (0, None)):
        later = world.present([link], ASKED, at=world.now + at)
        listed = found.merged(Evidence(status_lists=[
            world.status_list(valid_from=world.now + at).secured.raw]))  # fmt: skip
        assert decide(later, listed, trust, ASKED, at=world.now + at).code == code
    bare = decide(shown, world.evidence(), trust, ASKED, at=world.now)
    assert (bare.code, bare.dimension) == ("status-missing", "feed")


@pytest.mark.parametrize("value", ["yes", 1, None, []])
def test_require_feed_is_true_or_false(value: Any) -> None:
    world = World()
    anchor = dict(world.trust_json["anchors"][0], requireFeed=value)
    assert refusal(lambda: world.trust(anchors=[anchor])) == "shape"
    assert validate("trust", world.trust_json | {"anchors": [anchor]}) != []
    good = dict(anchor, requireFeed=True)
    assert world.trust(anchors=[good]).anchors[world.org.did].require_feed
    assert validate("trust", world.trust_json | {"anchors": [good]}) == []


@pytest.mark.parametrize("feeds", [[], 7, {"did:key:a": "7"}, {"did:key:a": -1}])
def test_seen_feeds_are_numbers_by_authority(feeds: Any) -> None:
    world = World()
    assert refusal(lambda: world.trust(seen={"feeds": feeds})) == "shape"


def test_feeds_are_merged_each_once() -> None:
    world = World()
    one, two = (str(world.feed(seq=n).secured.raw) for n in (1, 2))
    both = Evidence(feeds=[one]).merged(Evidence(feeds=[one, two]))
    assert both.json == {"feeds": [one, two]}
    assert [each.seq for each in both.feeds(world.status.did)] == [2, 1]
    assert both.feeds(world.org.did) == []
    assert (both.has_feeds, Evidence().has_feeds) == (True, False)
    assert validate("evidence", both.json) == []
    assert Evidence.parse(both.to_bytes()).json == both.json


def test_of_one_number_the_later_signed_is_the_newest() -> None:
    world = World()
    early, late = (
        str(world.feed(valid_from=world.now + n, valid_until=world.now + 99).secured.raw)
        for n in (0, 9)
    )
    found = Evidence(feeds=[early, late]).feeds(world.status.did)
    assert [one.valid_from for one in found] == [world.now + 9, world.now]


def test_entry_shows_itself_as_it_is_written() -> None:
    one = Revocation("did", "did:web:a", 0, "did:web:b", "lost")  # type: ignore[arg-type]
    assert one.json == ENTRY | {"at": "1970-01-01T00:00:00Z"}


def test_authority_by_a_web_name_is_remembered_under_its_anchor() -> None:
    """Or any other anchor could raise the number met, and lock our chains out."""
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"])
    name = "did:web:acme.example:status"
    world.attest(ana, authority=name)
    lists = [world.status_list(authority=name).secured.raw]
    shown = world.present([link], ASKED)
    tokens = [str(world.feed(authority=name, seq=n).secured.raw) for n in (3, 2)]
    found = world.evidence(status_lists=lists, feeds=tokens[:1])
    yes = decide(shown, found, world.trust(), ASKED, at=world.now)
    assert yes.authorization is not None
    kept = yes.authorization.seen.feeds
    assert kept == {f"{world.org.did} {name}": 3}
    older = world.evidence(status_lists=lists, feeds=tokens[1:])
    after = world.trust().with_seen(yes.authorization.seen)
    assert decide(shown, older, after, ASKED, at=world.now).code == "status-rollback"
    others = world.trust(seen={"feeds": {name: 9, f"did:web:partner.example {name}": 9}})
    assert decide(shown, older, others, ASKED, at=world.now).state == "accepted"
