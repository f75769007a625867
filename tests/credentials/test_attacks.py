"""An attacker's afternoon: what was tried against the verifier and must stay in vain.

The altered bundles (`altered`, `altered_evidence`) change one thing in an honest bundle. Here are
the schemes that need more: evidence made up by the hundred, one key under two names, objects
changed after they were judged, trust of one verifier leaking into another's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from delegant.credentials import (
    Error,
    Evidence,
    Link,
    Presentation,
    PrivateKey,
    Request,
    StatusEntry,
    Trust,
    did,
    invoke,
    verify,
)
from world import LIST, PAPERS, Party, World

READ = [f"db.read {PAPERS}"]
ASKED = Request("db.read", "urn:acme:papers:1")


def said(
    world: World,
    links: list[Link],
    *,
    trust: Trust | None = None,
    evidence: Evidence | None = None,
    asked: Request = ASKED,
    **more: Any,
) -> str:
    """``accepted``, or the code of the refusal with the link at fault."""
    shown = world.present(links, asked, **more)
    stapled = world.evidence() if evidence is None else evidence
    try:
        verify(shown, stapled, trust or world.trust(), asked, at=world.now)
    except Error as exc:
        return exc.code if exc.link is None else f"{exc.code} {exc.link}"
    return "accepted"


# --- made up by the hundred -----------------------------------------------------------------


def family(world: World, generations: int) -> list[Link]:
    """Ana's agent makes an agent, which makes an agent, and so on; the last gets a link."""
    ana = world.human("ana")
    member = ana
    for number in range(generations):
        member = world.agent(
            f"agent-{number}",
            member,
            block={"spawn": True},
            form="jwt",
            status=StatusEntry(LIST, 3000 + 2 * number),
        )
    return [world.delegate(ana, member, READ)]


def test_endless_ancestry_ends_in_a_limit_not_in_a_crash() -> None:
    twin = World()
    assert said(twin, family(twin, 20)) == "accepted"
    world = World()
    links = family(world, 400)
    assert said(world, links) == "limit-signatures 0"


def test_agents_that_made_each_other_lead_to_nobody() -> None:
    world = World()
    ana = world.human("ana")
    first = world.agent("first", ana, block={"spawn": True})
    second = world.agent("second", first, block={"spawn": True})
    links = [world.delegate(ana, second, READ)]
    assert said(world, links) == "accepted"
    world.agent("first", second, block={"spawn": True}, status=StatusEntry(LIST, 3000))
    assert said(world, links) == "delegate-not-allowed 0"


# --- one key under two names ----------------------------------------------------------------


def named(world: World, who: str, key: PrivateKey, method: str) -> None:
    """The next party of that name has this key, and a DID by this method."""
    usual = world._party

    def party(name: str) -> Party:
        if name != who:
            return usual(name)
        world.parties[name] = Party(name, key, did.from_key(key.public, method))
        return world.parties[name]

    world._party = party  # type: ignore[method-assign]


@pytest.mark.parametrize(("shared", "code"), [(True, "id-shared 0"), (False, "accepted")])
def test_human_does_not_pass_for_an_agent_under_another_name(shared: bool, code: str) -> None:
    world = World()
    ana = world.human("ana")
    named(world, "bot", ana.key if shared else PrivateKey(b"\x51" * 32), "jwk")
    bot = world.agent("bot", ana)
    assert said(world, [world.delegate(ana, bot, READ)], key=bot.key) == code


@pytest.mark.parametrize(("shared", "code"), [(True, "id-shared 2"), (False, "accepted")])
def test_agent_does_not_come_back_under_another_name(shared: bool, code: str) -> None:
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    named(world, "again", one.key if shared else PrivateKey(b"\x52" * 32), "jwk")
    again = world.agent("again", ana)
    links = [world.delegate(ana, one, READ, remaining=2, lease=64)]
    links.append(world.delegate(one, two, READ, above=links, seconds=600, remaining=1, lease=16))
    links.append(world.delegate(two, again, READ, above=links, seconds=300))
    assert said(world, links, key=again.key) == code


# --- changed after it was judged ------------------------------------------------------------


def test_request_cannot_be_changed_between_signing_and_judging() -> None:
    world = World()
    ana = world.human("ana")
    rule = {"arguments": {"customer": {"in": ["42", "43"]}}}
    links = [world.delegate(ana, world.agent("bot", ana), READ, constraints=rule)]
    arguments: dict[str, str | int | bool] = {"customer": "42"}
    asked = Request("db.read", "urn:acme:papers:1", arguments=arguments)
    shown = world.present(links, asked)
    arguments["customer"] = "43"
    assert asked.arguments == {"customer": "42"}
    assert asked == Request("db.read", "urn:acme:papers:1", arguments={"customer": "42"})
    other = Request("db.read", "urn:acme:papers:1", arguments=arguments)
    with pytest.raises(Error) as refused:
        verify(shown, world.evidence(), world.trust(), other, at=world.now)
    assert refused.value.code == "request-mismatch"


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 0.5, True, None, "1790000000"])
def test_instant_that_is_no_instant_decides_nothing(at: Any) -> None:
    world = World()
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), READ)]
    shown, stapled = world.present(links, ASKED), world.evidence()
    with pytest.raises(TypeError, match="at="):
        verify(shown, stapled, world.trust(), ASKED, at=at)
    with pytest.raises(TypeError, match="time zone"):
        verify(shown, stapled, world.trust(), ASKED, at=datetime(2026, 9, 21, 14, 0))  # noqa: DTZ001
    moment = datetime.fromtimestamp(world.now + 0.9, UTC)
    assert verify(shown, stapled, world.trust(), ASKED, at=moment).sponsor == ana.did


@pytest.mark.parametrize("version", [True, 1.0, "1", None, 0])
def test_trust_of_a_version_that_is_no_number_is_not_read(version: Any) -> None:
    world = World()
    assert world.trust(version=1).anchors
    with pytest.raises(Error) as refused:
        world.trust(version=version)
    assert refused.value.code == "shape"
    with pytest.raises(Error) as refused:
        world.trust(version=2)
    assert refused.value.code == "unknown-version"


# --- what is remembered is remembered for this key only -------------------------------------


def test_signature_remembered_under_one_trust_is_checked_again_under_another() -> None:
    world = World()
    world.org.did = "did:web:acme.example"
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), READ)]
    kept = world.evidence()
    own = world.trust_json["anchors"][0]
    stranger = PrivateKey(b"\x53" * 32).public.multikey
    ours, theirs = (
        world.trust(anchors=[own | {"keys": keys}]) for keys in (own["keys"], [stranger])
    )
    assert said(world, links, trust=ours, evidence=kept) == "accepted"
    assert said(world, links, trust=theirs, evidence=kept) == "proof"
    assert said(world, links, trust=ours, evidence=kept) == "accepted"
    both = world.trust(anchors=[own | {"keys": [stranger, *own["keys"]]}])
    assert said(world, links, trust=both, evidence=kept) == "accepted"
    assert said(world, links, trust=both) == "accepted"


def test_holder_signs_in_the_name_of_the_chain_not_in_another_of_its_own() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    links = [world.delegate(ana, bot, READ)]
    assert said(world, links) == "accepted"
    alias = did.from_key(bot.key.public, "jwk")
    shown = world.present(links, ASKED)
    token = invoke(bot.key, holder=alias, audience=world.db.did, chain=links[-1].digest,
                   request=ASKED, at=world.now)  # fmt: skip
    with pytest.raises(Error) as refused:
        verify(Presentation(shown.links, token), world.evidence(), world.trust(), ASKED,
               at=world.now)  # fmt: skip
    assert refused.value.code == "holder-mismatch"


# --- two organisations, both trusted --------------------------------------------------------


def partner(world: World) -> tuple[World, Callable[..., dict[str, Any]]]:
    """A second organisation with people of its own, and trust in both."""
    other = World(label="partner")

    def both(**changes: Any) -> dict[str, Any]:
        anchors = [world.trust_json["anchors"][0], other.trust_json["anchors"][0] | changes]
        return {"anchors": anchors}

    return other, both


def test_partner_cannot_speak_for_our_people() -> None:
    world = World()
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), READ)]
    other, both = partner(world)
    assert said(world, links, trust=world.trust(**both())) == "accepted"
    # The partner attests Ana too, with a newer revision and every right there is.
    mine = copy.copy(ana)
    theirs = other.attest(mine, revision=99, organization=other.org.did)
    sponsors = [ana.credential.secured.raw, theirs.secured.raw]  # type: ignore[union-attr]
    stapled = world.evidence(sponsors=sponsors)
    assert said(world, links, trust=world.trust(**both()), evidence=stapled) == (
        "root-not-authoritative"
    )
    # Nor does its own human pass for one of ours.
    ben = other.human("ben")
    bot = other.agent("bot", ben)
    other.parties["db"] = world.db
    claimed = other.delegate(ben, bot, READ, organization=world.org.did)
    shown = other.present([claimed], ASKED, audience=world.db.did)
    with pytest.raises(Error) as refused:
        verify(shown, other.evidence(), world.trust(**both()), ASKED, at=world.now)
    assert refused.value.code == "root-not-authoritative"


def test_agent_falls_with_the_human_who_answers_for_it_not_only_with_the_root() -> None:
    world = World()
    ana, ben = world.human("ana"), world.human("ben")
    parent = world.agent("parent", ben, block={"spawn": True})
    child = world.agent("child", parent)
    links = [world.delegate(ana, child, READ)]
    assert said(world, links) == "accepted"
    for fallen, code in ((ben.credential, "sponsor-gone"), (parent.identity, "revoked 0"),
                         (child.identity, "revoked 0")):  # fmt: skip
        assert fallen is not None
        assert fallen.status is not None
        world.revoked = {fallen.status.index}
        assert said(world, links) == code
    world.revoked = set()
    assert said(world, links) == "accepted"


def test_what_was_seen_of_an_agents_human_is_remembered_too() -> None:
    world = World()
    ana, ben = world.human("ana"), world.human("ben")
    links = [world.delegate(ana, world.agent("bot", ben), READ)]
    assert ben.credential is not None
    older = ben.credential.secured.raw
    newer = world.attest(ben, revision=2).secured.raw
    yes = verify(world.present(links, ASKED), world.evidence(), world.trust(), ASKED, at=world.now)
    assert yes.seen.revision == {ana.did: 1, ben.did: 2}
    wary = world.trust().with_seen(yes.seen)
    assert ana.credential is not None
    for shown, code in ((newer, "accepted"), (older, "sponsor-rollback 0")):
        stapled = world.evidence(sponsors=[ana.credential.secured.raw, shown])
        assert said(world, links, trust=wary, evidence=stapled) == code


def test_presentation_of_nothing_is_refused() -> None:
    world = World()
    for data in (Presentation(()), b'{"links":[]}'):
        with pytest.raises(Error) as refused:
            verify(data, world.evidence(), world.trust(), ASKED, at=world.now)
        assert refused.value.code == "empty-array"


# --- status, between two lists --------------------------------------------------------------


def test_revoked_is_for_good_and_suspended_until_the_newest_list() -> None:
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), READ)
    assert link.status is not None
    fresh = world.status_list().secured.raw
    for bit, code in ((0, "revoked 0"), (1, "accepted")):
        world.revoked = {link.status.index + bit}
        older = world.status_list(valid_from=world.now - 60).secured.raw
        for lists in ([fresh, older], [older, fresh]):
            assert said(world, [link], evidence=world.evidence(status_lists=lists)) == code
    assert said(world, [link], evidence=world.evidence(status_lists=[older])) == "suspended 0"


def test_bits_of_others_are_not_to_be_hidden_behind() -> None:
    """Neither the first link nor an identity takes bits that its human was not leased."""
    world = World()
    ana, ben = world.human("ana"), world.human("ben")
    bot = world.agent("bot", ana)
    assert ben.lease is not None
    foreign = StatusEntry(LIST, ben.lease.start)
    own = world.delegate(ana, bot, READ)
    assert said(world, [own]) == "accepted"
    assert said(world, [world.delegate(ana, bot, READ, status=foreign)]) == "scope-widened 0"
    lent = copy.copy(ana)
    for lease, code in ((ana.lease, "accepted"), (ben.lease, "scope-widened 0")):
        lent.lease = lease
        link = world.delegate(lent, bot, READ, remaining=1, lease=8, seconds=60, status=None)
        assert said(world, [link]) == code
    world.agent("bot", ana, status=foreign)
    assert said(world, [own]) == "scope-widened 0"
