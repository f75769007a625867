"""Phase 12: what a verdict leaves to the enforcement point."""

from __future__ import annotations

from delegant.credentials.verdict import Debit, Limit, Once, Rate
from world import PAPERS, World, research_chain


def test_a_chain_with_rows_limits_the_result_to_the_smallest() -> None:
    world = World()
    links, _ = research_chain(world)
    yes = world.verify(links[:3], "db.read", "urn:acme:papers:17", rows=3)
    once, limit = yes.obligations
    assert isinstance(once, Once)
    assert once.until == world.now + 60
    assert limit == Limit(rows=500, bytes=None, columns=None)


def test_a_chain_without_limits_obliges_once_only() -> None:
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"])
    (once,) = world.verify([link], "db.read", "urn:acme:papers:17").obligations
    assert isinstance(once, Once)


def test_sponsor_and_links_limit_together() -> None:
    world = World()
    ana = world.human("ana", constraints={"rows": {"max": 7}, "columns": ["title", "year"]})
    bot = world.agent("bot", ana)
    rules = {"rows": {"max": 9}, "columns": ["title", "iban"]}
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"], constraints=rules)
    yes = world.verify([link], "db.read", "urn:acme:papers:17", rows=1, columns=["title"])
    assert yes.obligations[-1] == Limit(7, None, frozenset({"title"}))
    assert yes.effective.constraints["rows"] == 7


def test_budget_and_rate_are_kept_per_link_so_that_siblings_share() -> None:
    world = World()
    ana = world.human("ana")
    first, second = world.agent("first", ana), world.agent("second", ana)
    boss = world.agent("boss", ana)
    ledger = world.db.did
    rules = {
        "budget": {"ledger": ledger, "unit": "EUR:2", "perAction": "100", "total": "1000"},
        "rate": {"ledger": ledger, "count": 20, "periodSeconds": 60},
    }
    top = world.delegate(ana, boss, [f"db.read {PAPERS}"], remaining=1, lease=64, constraints=rules)
    keys = []
    for sibling in (first, second):
        link = world.delegate(boss, sibling, [f"db.read {PAPERS}"], above=(top,), constraints=rules)
        yes = world.verify(
            [top, link], "db.read", "urn:acme:papers:1", amount={"unit": "EUR:2", "value": "60"}
        )
        debits = [duty for duty in yes.obligations if isinstance(duty, Debit)]
        rates = [duty for duty in yes.obligations if isinstance(duty, Rate)]
        assert [duty.amount for duty in debits] == [60, 60]
        assert {duty.limit for duty in debits} == {1000}
        assert [duty.count for duty in rates] == [20, 20]
        keys.append([duty.key for duty in debits])
    assert keys[0][0] == keys[1][0] == top.digest, "the parent's budget is one account"
    assert keys[0][1] != keys[1][1]
