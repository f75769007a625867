"""What a cache of chains may change: how long an answer takes, and nothing else.

And the batch, which is many single verifications and a cache.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import delegant.credentials.chain as phases
from delegant.credentials import (
    ChainCache,
    Error,
    Item,
    Link,
    Presentation,
    PrivateKey,
    Request,
    Trust,
    decide,
    decide_many,
    verify,
    verify_chain,
)
from world import PAPERS, Party, World, research_chain

ASKED = Request("db.read", "urn:acme:papers:17", rows=3)
READ = [f"db.read {PAPERS}"]


class Counted:
    """How often phases 4 and 6 ran."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[str] = []
        for name in ("linkage", "signatures"):
            real = getattr(phases, name)

            def counting(*args: Any, _name: str = name, _real: Any = real) -> Any:
                self.runs.append(_name)
                return _real(*args)

            monkeypatch.setattr(phases, name, counting)

    def taken(self) -> list[str]:
        """Since the last call."""
        out, self.runs = self.runs, []
        return out


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def story(form: str = "di") -> tuple[World, list[Link]]:
    world = World(form=form)  # type: ignore[arg-type]
    return world, research_chain(world)[0][:3]


def said(world: World, shown: Any, cache: ChainCache | None, **more: Any) -> str:
    members: dict[str, Any] = {"trust": world.trust(), "evidence": world.evidence(),
                               "at": world.now} | more  # fmt: skip
    trust, evidence = members.pop("trust"), members.pop("evidence")
    verdict = decide(shown, evidence, trust, ASKED, cache=cache, **members)
    return verdict.code or verdict.state


@pytest.mark.parametrize("form", ["di", "jwt"])
def test_chain_seen_before_is_not_read_again(form: str, counted: Counted) -> None:
    world, links = story(form)
    cache = ChainCache()
    counted.taken()  # the issuer asks them too
    for expected in (["linkage", "signatures"], []):
        shown = world.present(links, ASKED).to_bytes()  # another invocation each time
        first = verify(shown, world.evidence(), world.trust(), ASKED, at=world.now, cache=cache)
        assert counted.taken() == expected
        again = verify(shown, world.evidence(), world.trust(), ASKED, at=world.now)
        assert first.inputs_digest == again.inputs_digest
        assert [link[1:] for link in first.links] == [link[1:] for link in again.links]
        assert (first.path, first.effective, first.obligations) == (
            again.path,
            again.effective,
            again.obligations,
        )
        counted.taken()
    assert len(cache) == 1


def test_chain_and_invocation_come_as_two_strings_or_as_one() -> None:
    world, links = story()
    cache = ChainCache()
    whole = world.present(links, ASKED)
    data, token = whole.to_bytes(), whole.invocation or ""
    chain = data[data.index(b'"links":') + 8 : -1]
    for shown in (data, (chain, token), whole):
        assert said(world, shown, None) == "accepted"
        assert said(world, shown, cache) == "accepted"
    assert len(cache) == 1
    assert said(world, (chain, token[:-4] + "AAAA"), cache) == "holder-mismatch"
    assert said(world, (chain, token[:-1] + "="), cache) == "encoding"
    assert said(world, (chain, "ä"), cache) == "encoding"
    assert said(world, (chain[:-1], token), cache) == "json"
    assert said(world, (chain, token), cache, trust=sized(world, len(chain))) == "limit-size"


def sized(world: World, size: int) -> Trust:
    own = world.trust_json["verifier"]
    return world.trust(verifier={**own, "limits": {"presentation": size}})


def test_what_is_judged_every_time_is_judged_with_the_cache_too() -> None:
    world, links = story()
    cache = ChainCache()

    def warm(**more: Any) -> str:
        return said(world, world.present(links, ASKED).to_bytes(), cache, **more)

    assert warm() == "accepted"
    assert warm(at=world.now + 300) == "expired"
    assert warm(nonce="n") == "nonce"
    assert warm(trust=world.trust(anchors=[])) == "root-untrusted"
    assert warm(evidence=world.evidence(status_lists=[])) == "status-missing"
    assert warm(evidence=world.evidence(identities=[])) == "delegate-not-allowed"
    assert links[1].status is not None
    world.revoked = {links[1].status.index}
    assert warm() == "revoked"
    world.revoked = set()
    other = Request("db.read", "urn:acme:papers:18", rows=3)
    assert said(world, world.present(links, other).to_bytes(), cache) == "request-mismatch"
    assert warm() == "accepted"
    assert len(cache) == 1


def test_only_an_accepted_chain_is_kept() -> None:
    world, links = story()
    cache = ChainCache()
    shown = world.present(links, ASKED).to_bytes()
    for more in ({"at": world.now + 300}, {"nonce": "n"}, {"trust": world.trust(anchors=[])}):
        assert said(world, shown, cache, **more) != "accepted"
        assert len(cache) == 0
    with pytest.raises(Error):
        verify_chain(shown, world.evidence(), world.trust(), at=world.now + 300, cache=cache)
    assert len(cache) == 0
    verify_chain(shown, world.evidence(), world.trust(), at=world.now, cache=cache)
    assert len(cache) == 1


def test_other_limits_read_the_chain_again(counted: Counted) -> None:
    world, links = story()
    cache = ChainCache()
    shown = world.present(links, ASKED).to_bytes()
    own = world.trust_json["verifier"]
    assert said(world, shown, cache) == "accepted"
    strict = world.trust(verifier={**own, "limits": {"links": 2}})
    assert said(world, shown, cache, trust=strict) == "limit-links"
    counted.taken()
    equal = world.trust()
    assert said(world, shown, cache, trust=equal) == "accepted"
    assert counted.taken() == []
    few = world.trust(verifier={**own, "limits": {"chainSignatures": 3}})
    assert said(world, shown, cache, trust=few) == said(world, shown, None, trust=few)


def test_chain_from_the_cache_costs_the_signatures_it_would_have_cost() -> None:
    world, links = story()
    own = world.trust_json["verifier"]
    shown = world.present(links, ASKED).to_bytes()
    for most, expected in ((4, "accepted"), (3, "limit-signatures")):  # three links, one invocation
        trust = world.trust(verifier={**own, "limits": {"chainSignatures": most}})
        cache = ChainCache()
        verify_chain(shown, world.evidence(), trust, at=world.now, cache=cache)
        assert len(cache) == 1
        assert said(world, shown, cache, trust=trust) == expected
        assert said(world, shown, None, trust=trust) == expected


def test_chain_kept_under_wider_limits_is_compared_again_under_narrower() -> None:
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    above = world.delegate(ana, one, [f"db.* {PAPERS}"], remaining=1, lease=8)
    links = [above, world.delegate(one, two, READ, above=[above])]
    own = world.trust_json["verifier"]
    shown = world.present(links, ASKED).to_bytes()
    cache = ChainCache()
    assert said(world, shown, cache) == "accepted"
    few = world.trust(verifier={**own, "limits": {"comparisons": 1}})
    assert said(world, shown, cache, trust=few) == "limit-comparisons"
    assert said(world, shown, None, trust=few) == "limit-comparisons"


def test_presentation_of_the_largest_size_comes_from_the_cache_and_a_larger_is_refused(
    counted: Counted,
) -> None:
    world, links = story()
    asked = [world.present(links, ASKED), world.present(links, ASKED, nonce="n" * 40)]
    tokens = [one.invocation or "" for one in asked]
    data, larger = (one.to_bytes() for one in asked)
    chain = data[data.index(b'"links":') + 8 : -1]
    both: list[tuple[Any, Any, int]] = [
        (data, larger, len(data)),
        ((chain, tokens[0]), (chain, tokens[1]), len(chain) + len(tokens[0])),
    ]
    for fits, exceeds, size in both:
        cache, trust = ChainCache(), sized(world, size)
        assert said(world, fits, cache, trust=trust) == "accepted"
        counted.taken()
        assert said(world, fits, cache, trust=trust) == "accepted"
        assert counted.taken() == []
        assert said(world, exceeds, cache, trust=trust) == "limit-size"
        assert said(world, exceeds, None, trust=trust) == "limit-size"


def test_root_that_is_no_key_is_kept_with_the_keys_it_had(counted: Counted) -> None:
    world = World()
    ana = world.human("ana")
    ana.did = "did:web:acme.example:ana"
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, READ)
    anchor = {**world.trust_json["anchors"][0], "subjects": ["did:web:**"]}
    trust = world.trust(anchors=[anchor])
    cache = ChainCache()

    def warm(human_key: PrivateKey) -> str:
        world.attest(ana, human_key=human_key.public)
        counted.taken()
        return said(world, world.present([link], ASKED).to_bytes(), cache, trust=trust)

    assert (warm(ana.key), counted.taken()) == ("accepted", ["linkage", "signatures"])
    assert (warm(ana.key), counted.taken()) == ("accepted", [])
    assert (warm(PrivateKey(b"\x31" * 32)), counted.taken()) == ("proof", ["linkage", "signatures"])
    assert (warm(ana.key), counted.taken()) == ("accepted", [])
    assert isinstance(bot, Party)


def test_mandate_in_the_cache_is_still_never_invoked() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, READ, use="mandate", remaining=1, lease=8)
    as_grant = world.delegate(ana, bot, READ)
    token = world.present([as_grant], ASKED).invocation
    shown = Presentation((link.secured,), token).to_bytes()
    cache = ChainCache()
    verify_chain(shown, world.evidence(), world.trust(), at=world.now, cache=cache)
    assert len(cache) == 1
    assert said(world, shown, cache) == "use"


# --- its size ---------------------------------------------------------------------------------


def chains(number: int) -> tuple[World, list[bytes]]:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    out = [
        world.present([world.delegate(ana, bot, READ, id=world.id(f"l/{n}"))], ASKED).to_bytes()
        for n in range(number)
    ]
    return world, out


@pytest.mark.parametrize(("chains_", "size", "left"), [(2, 1 << 20, 2), (9, 4800, 2), (0, 99, 0),
                                                       (9, 100, 0)])  # fmt: skip
def test_oldest_chains_go_first_where_there_is_no_room(chains_: int, size: int, left: int) -> None:
    world, shown = chains(4)
    cache = ChainCache(chains_, size)
    for data in shown:
        assert said(world, data, cache) == "accepted"
        assert len(cache) <= left
    assert len(cache) == left
    kept = [cache.get(data[data.index(b'"links":') + 8 : -1]) is not None for data in shown]
    assert kept == [False] * (4 - left) + [True] * left
    cache.clear()
    assert len(cache) == 0
    assert said(world, shown[0], cache) == "accepted"


def test_threads_fill_one_cache_without_harm() -> None:
    world, links = story()
    cache = ChainCache(4)
    shown = world.present(links, ASKED).to_bytes()
    verify_chain(shown, world.evidence(), world.trust(), at=world.now, cache=cache)
    ((chain, kept),) = cache._kept.items()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that they meet often
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: cache.put(b"%d" % n + chain, kept), range(20_000)))
    finally:
        sys.setswitchinterval(before)
    assert 0 < len(cache) <= 4
    cache._make_room()
    assert cache._held == sum(map(len, cache._kept))


# --- the batch --------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 3, 100])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_batch_is_many_single_decisions(parts: int, as_bytes: bool, counted: Counted) -> None:
    world, links = story()
    asked = [Request("db.read", f"urn:acme:papers:{n}", rows=3) for n in range(6)]
    items = [Item(world.present(links, one).to_bytes(), one) for one in asked]
    items.insert(3, Item(items[0].presentation, asked[1]))
    items.insert(5, Item(b"{", asked[1]))
    items.append(Item(items[0].presentation, asked[0], "n-1"))
    evidence = world.evidence()
    each = [
        decide(i.presentation, evidence, world.trust(), i.request, at=world.now, nonce=i.nonce)
        for i in items
    ]
    counted.taken()
    stapled = evidence.to_bytes() if as_bytes else evidence
    with ThreadPoolExecutor(2) as pool:
        for more in ({}, {"spread": pool.map}):
            many = decide_many(
                items,
                stapled,
                world.trust(),
                at=world.now,
                parts=parts,
                **more,  # type: ignore[arg-type]
            )
            assert [(v.state, v.code) for v in many] == [(v.state, v.code) for v in each]
    assert counted.taken().count("signatures") < 2 * len(items)


def test_batch_of_nothing_is_nothing_and_bad_evidence_is_said_once() -> None:
    world, links = story()
    assert decide_many([], world.evidence(), world.trust(), at=world.now) == []
    items: Sequence[Item] = [Item(world.present(links, ASKED).to_bytes(), ASKED)]
    with pytest.raises(Error, match="json"):
        decide_many(items, b"{", world.trust(), at=world.now)


# --- room, to the last chain and byte ----------------------------------------------------------


def filled(cache: ChainCache, *lengths: int) -> list[int]:
    """How many chains are kept after each one put in, chains of these many bytes."""
    nothing: Any = None
    out = []
    for number, length in enumerate(lengths):
        cache.put(bytes([number]) * length, nothing)
        out.append(len(cache))
    return out


def test_number_of_chains_is_kept_to_the_last_and_then_an_eighth_goes() -> None:
    cache = ChainCache(chains=16)
    assert filled(cache, *[10] * 18) == [*range(1, 17), 14, 15]
    assert [bytes([n]) * 10 in cache._kept for n in (0, 2, 3, 17)] == [False, False, True, True]
    cache.clear()
    assert filled(cache, *[10] * 17) == [*range(1, 17), 14]
    assert filled(ChainCache(chains=1), 10, 10, 10) == [1, 1, 1]
    assert filled(ChainCache(chains=0), 10) == [0]


def test_bytes_of_chains_are_kept_to_the_last_and_then_an_eighth_goes() -> None:
    cache = ChainCache(chains=100, size=80)
    assert filled(cache, *[10] * 10) == [*range(1, 9), 7, 8]
    cache.clear()
    assert filled(cache, *[10] * 9) == [*range(1, 9), 7]
    assert filled(ChainCache(size=80), 80, 81, 70) == [1, 1, 1]
    assert filled(ChainCache(size=80), 81) == [0]
    assert filled(ChainCache(size=80), 60, 10, 1, 20) == [1, 2, 3, 3]


def test_chain_put_twice_is_counted_once() -> None:
    cache = ChainCache(size=40)
    nothing: Any = None
    for _ in range(9):
        cache.put(b"a" * 20, nothing)
    cache.put(b"b" * 20, nothing)
    assert len(cache) == 2


def test_cache_holds_4096_chains_and_64_mib_unless_told_otherwise() -> None:
    assert (ChainCache().chains, ChainCache().size) == (4096, 64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("number", "parts", "dealt"),
    [(0, 1, []), (1, 1, [1]), (5, 1, [5]), (5, 2, [3, 2]), (6, 3, [2, 2, 2]), (2, 9, [1, 1]),
     (5, 0, [5])],
)  # fmt: skip
def test_items_are_dealt_into_as_many_parts_as_asked(
    number: int, parts: int, dealt: list[int]
) -> None:
    world, links = story()
    shown = world.present(links, ASKED).to_bytes()
    seen: list[int] = []

    def spread(decided: Any, parts_: Any) -> Any:
        seen.extend(map(len, parts_))
        return map(decided, parts_)

    items = [Item(shown, ASKED)] * number
    verdicts = decide_many(
        items, world.evidence(), world.trust(), at=world.now, spread=spread, parts=parts
    )
    assert (seen, len(verdicts)) == (dealt, number)
    once = decide_many(items, world.evidence(), world.trust(), at=world.now)
    assert [v.state for v in verdicts] == [v.state for v in once] == ["accepted"] * number


def test_batch_uses_the_callers_cache_and_its_own_only_without_one(counted: Counted) -> None:
    world, links = story()
    items = [Item(world.present(links, ASKED).to_bytes(), ASKED) for _ in range(3)]
    cache = ChainCache()
    counted.taken()
    for expected in (["linkage", "signatures"], []):
        decide_many(items, world.evidence(), world.trust(), at=world.now, cache=cache)
        assert counted.taken() == expected
    for _ in range(2):
        decide_many(items, world.evidence(), world.trust(), at=world.now)
        assert counted.taken() == ["linkage", "signatures"]
