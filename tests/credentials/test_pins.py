"""Whose key is it: DIDs that are no key are pinned from above, or nothing is decided.

And the edges of a chain's life: a human pinned directly, a mandate, 32 links, an empty budget.
"""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import (
    Authorization,
    Error,
    Link,
    Presentation,
    PrivateKey,
    Request,
    Trust,
    did,
    invoke,
    verify,
)
from delegant.credentials.envelope import unpack
from delegant.credentials.proof import sign
from world import PAPERS, Party, World

READ = [f"db.read {PAPERS}"]
ASKED = Request("db.read", "urn:acme:papers:1")
BOTH = ["did:key:**", "did:web:**"]


def web(world: World, name: str, kind: str = "human") -> Party:
    """Somebody of the world whose DID is a web name and so no key."""
    party = world.human(name) if kind == "human" else world._party(name)
    party.did = f"did:web:acme.example:{name}"
    return party


def trusting(world: World, **anchor: Any) -> Trust:
    """The world's trust, which also takes did:web humans."""
    first = {**world.trust_json["anchors"][0], "subjects": BOTH} | anchor
    return world.trust(anchors=[first])


def ask(world: World, links: list[Link], trust: Trust, **evidence: Any) -> str:
    """``accepted``, or the code of the refusal with the link at fault."""
    shown = world.present(links, ASKED).to_bytes()  # bytes, so that no signature is remembered
    try:
        verify(shown, world.evidence(**evidence), trust, ASKED, at=world.now)
    except Error as exc:
        return exc.code if exc.link is None else f"{exc.code} {exc.link}"
    return "accepted"


# --- a human whose DID is a web name ----------------------------------------------------------


@pytest.mark.parametrize("form", ["di", "jwt"])
def test_human_by_web_name_is_pinned_by_the_sponsor_credential(form: str) -> None:
    world = World(form=form)  # type: ignore[arg-type]
    ana = web(world, "ana")
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, READ)
    world.attest(ana, human_key=ana.key.public)
    assert ask(world, [link], trusting(world)) == "accepted"
    world.attest(ana)
    assert ask(world, [link], trusting(world)) == "key-unresolved 0"
    world.attest(ana, human_key=bot.key.public)
    assert ask(world, [link], trusting(world)) == "proof 0"


def test_human_by_key_needs_no_pin_and_must_not_have_one() -> None:
    world = World()
    ana = world.human("ana")
    with pytest.raises(Error) as refused:
        world.attest(ana, human_key=ana.key.public)
    assert (refused.value.code, refused.value.dimension) == ("shape", "key")
    assert world.attest(ana).key is None


# --- an agent whose DID is a web name ---------------------------------------------------------


def web_agent(
    world: World, ana: Party, *, link_key: Any = True, identity_key: Any = True
) -> tuple[Party, Link]:
    """An agent by web name and the link to it; each pins the agent's key, another, or none."""
    bot = web(world, "bot", "agent")
    did_ = bot.did
    world._party = lambda name: bot if name == "bot" else World._party(world, name)  # type: ignore[method-assign]

    def pin(choice: Any) -> Any:
        return bot.key.public if choice is True else choice

    key = pin(identity_key)
    world.agent("bot", ana, block={"key": key.multikey} if key else None)
    assert bot.did == did_
    return bot, world.delegate(ana, bot, READ, subject_key=pin(link_key) or None, remaining=1,
                               lease=8)  # fmt: skip


def test_agent_by_web_name_is_pinned_by_link_and_identity() -> None:
    world = World()
    ana = world.human("ana")
    _, link = web_agent(world, ana)
    assert ask(world, [link], world.trust()) == "accepted"


def test_agent_by_web_name_delegates_on_with_the_pinned_key() -> None:
    world = World()
    ana = world.human("ana")
    bot, link = web_agent(world, ana)
    helper = world.agent("helper", ana)
    below = world.delegate(bot, helper, READ, above=[link], seconds=300)
    assert ask(world, [link, below], world.trust()) == "accepted"
    thief = PrivateKey(b"\x66" * 32)
    with pytest.raises(Error) as refused:
        world.delegate(Party("thief", thief, bot.did, lease=link.lease), helper, READ, above=[link])
    assert refused.value.code == "did-key-mismatch"
    unsigned = {k: v for k, v in below.secured.raw.items() if k != "proof"}  # type: ignore[union-attr]
    forged = unpack(sign(unsigned, thief, f"{bot.did}#k", world.now))
    token = invoke(helper.key, holder=helper.did, audience=world.db.did, chain=forged.digest,
                   request=ASKED, at=world.now)  # fmt: skip
    shown = Presentation((link.secured, forged), token)
    with pytest.raises(Error) as refused:
        verify(shown, world.evidence(), world.trust(), ASKED, at=world.now)
    assert (refused.value.code, refused.value.link) == ("proof", 1)


@pytest.mark.parametrize(
    ("link_key", "identity_key", "said"),
    [
        (False, True, "key-unresolved 0"),
        (False, False, "key-unresolved 0"),
        (True, False, "did-key-mismatch 0"),
        (True, PrivateKey(b"\x07" * 32).public, "did-key-mismatch 0"),
        (PrivateKey(b"\x07" * 32).public, True, "did-key-mismatch 0"),
    ],
)
def test_agent_by_web_name_with_missing_or_unequal_pins_is_refused(
    link_key: Any, identity_key: Any, said: str
) -> None:
    world = World()
    _, link = web_agent(world, world.human("ana"), link_key=link_key, identity_key=identity_key)
    assert ask(world, [link], world.trust()) == said


def test_document_in_evidence_supplies_no_key() -> None:
    world = World()
    bot, link = web_agent(world, world.human("ana"), link_key=False, identity_key=False)
    document = did.document(did.from_key(bot.key.public)) | {"id": bot.did}
    assert ask(world, [link], world.trust(), documents=[document]) == "key-unresolved 0"


# --- a human pinned directly ------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_human_pinned_directly_needs_no_organisation(which: int) -> None:
    world = World()
    ana = web(world, "ana")
    keys = [ana.key, PrivateKey(b"\x31" * 32)]
    ana.key, ana.credential = keys[which], None
    world.org.did = ana.did
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, READ)
    anchor = {
        "id": ana.did,
        "keys": [key.public.multikey for key in keys],
        "ceiling": world.ceiling,
    }
    lists = [world.status_list(signer=ana, authority=ana.did).secured.raw]
    trust = world.trust(anchors=[anchor])
    assert ask(world, [link], trust, status_lists=lists) == "accepted"
    # A list by anyone else, even by the organisation's own authority, says nothing here.
    assert ask(world, [link], trust) == "status-unknown 0"
    # Somebody who is not pinned is nobody.
    assert ask(world, [link], world.trust(anchors=[]), status_lists=lists) == "key-unresolved 0"
    other = anchor | {"keys": [PrivateKey(b"\x32" * 32).public.multikey]}
    assert ask(world, [link], world.trust(anchors=[other]), status_lists=lists) == "proof 0"
    # An anchor without a ceiling has no authority here.
    bare = {name: anchor[name] for name in ("id", "keys")}
    assert ask(world, [link], world.trust(anchors=[bare]), status_lists=lists) == "exceeds-anchor"


# --- mandates ---------------------------------------------------------------------------------


def test_grant_below_a_mandate_is_accepted_and_the_mandate_itself_is_not() -> None:
    world = World()
    ana = world.human("ana")
    steward, bot = world.agent("steward", ana), world.agent("bot", ana)
    mandate = world.delegate(
        ana, steward, READ, use="mandate", seconds=7 * 86_400, remaining=1, lease=64
    )
    grant = world.delegate(steward, bot, READ, above=[mandate], seconds=300)
    assert ask(world, [mandate, grant], world.trust()) == "accepted"

    with pytest.raises(Error) as refused:
        world.present([mandate], ASKED)
    assert refused.value.code == "use"
    token = invoke(steward.key, holder=steward.did, audience=world.db.did, chain=mandate.digest,
                   request=ASKED, at=world.now)  # fmt: skip
    with pytest.raises(Error) as refused:
        verify(Presentation((mandate.secured,), token), world.evidence(), world.trust(), ASKED,
               at=world.now)  # fmt: skip
    assert (refused.value.code, refused.value.link) == ("use", 0)

    with pytest.raises(Error) as refused:
        world.delegate(steward, bot, READ, above=[mandate], use="mandate", seconds=300)
    assert refused.value.code == "use"


# --- limits -----------------------------------------------------------------------------------


def long_chain(world: World, length: int) -> list[Link]:
    """That many links of a minute each."""
    ana = world.human("ana")
    holder: Party = ana
    links: list[Link] = []
    for index in range(length):
        agent = world.agent(f"agent-{index}", ana)
        link = world.delegate(holder, agent, READ, above=links, seconds=60,
                              remaining=length - 1 - index)  # fmt: skip
        links = [*links, link]
        holder = agent
    return links


def limited(world: World, **limits: int) -> Trust:
    own = world.trust_json["verifier"]
    return world.trust(verifier={**own, "limits": limits})


def test_thirty_two_links_are_the_hard_limit() -> None:
    world = World()
    links = long_chain(world, 32)
    assert ask(world, links, limited(world, links=32)) == "accepted"
    assert ask(world, links, limited(world, links=31)) == "limit-links"
    assert ask(world, links, world.trust()) == "limit-links"
    with pytest.raises(Error) as refused:
        limited(world, links=33)
    assert refused.value.code == "shape"
    with pytest.raises(Error) as refused:
        long_chain(World(), 33)
    assert refused.value.code == "shape"


def test_ten_links_are_the_usual_limit() -> None:
    world = World()
    assert ask(world, long_chain(world, 10), world.trust()) == "accepted"
    other = World()
    assert ask(other, long_chain(other, 11), other.trust()) == "limit-links"


@pytest.mark.parametrize(
    ("name", "most", "code"),
    [
        # 3 links and their invocation; 1 sponsor, 3 identities and 1 list
        ("chainSignatures", 4, "limit-signatures"),
        ("evidenceSignatures", 5, "limit-signatures"),
        ("links", 3, "limit-links"),
        ("statusList", 16 * 1024, "limit-size"),
    ],
)
def test_budget_is_spent_to_the_last_and_not_beyond(name: str, most: int, code: str) -> None:
    world = World()
    links = long_chain(world, 3)
    assert ask(world, links, limited(world, **{name: most})) == "accepted"
    assert ask(world, links, limited(world, **{name: most - 1})).split()[0] == code


def test_comparisons_are_counted() -> None:
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    others = [f"db.read urn:acme:papers:{n}" for n in range(10, 18)]
    top = world.delegate(ana, one, [*READ, *others], remaining=1, lease=8)
    # 8 pairs, each against 9 grants of one action and one resource: 144 comparisons.
    own = [f"db.read urn:acme:papers:{n}" for n in range(8)]
    links = [top, world.delegate(one, two, own, above=[top], seconds=300)]
    assert ask(world, links, limited(world, comparisons=144)) == "accepted"
    assert ask(world, links, limited(world, comparisons=143)) == "limit-comparisons 1"
    restated = [top, world.delegate(one, two, READ, above=[top], seconds=300)]
    assert ask(world, restated, limited(world, comparisons=1)) == "accepted"


@pytest.mark.parametrize("what", ["presentation", "evidence"])
def test_sizes_are_counted_in_bytes(what: str) -> None:
    world = World()
    links = long_chain(world, 2)
    shown, stapled = world.present(links, ASKED).to_bytes(), world.evidence().to_bytes()
    size = len(shown if what == "presentation" else stapled)
    yes = verify(shown, stapled, limited(world, **{what: size}), ASKED, at=world.now)
    assert isinstance(yes, Authorization)
    with pytest.raises(Error) as refused:
        verify(shown, stapled, limited(world, **{what: size - 1}), ASKED, at=world.now)
    assert refused.value.code == "limit-size"
