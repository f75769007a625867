"""The search index: it finds what a judge of every single name would, and reads little for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ans.market import SOX, Market
from delegant.ans import listing
from delegant.ans.batch import Batch
from delegant.ans.health import heartbeat
from delegant.ans.listing import LOOK, Look, terms_for
from delegant.ans.matching import Attestation, Candidate, judge, order
from delegant.ans.name import AnsName
from delegant.ans.query import Query
from delegant.ans.store import Store
from refusal import refusal

# --- the law ------------------------------------------------------------------------------------

PROTOCOLS = ("mcp", "a2a")
FUNCTIONS = ("Search", "Sum")
DOMAINS = ("Law", "Search")
PROVIDERS = ("AcmeLabs", "DataCorp")
VERSIONS = ("1", "1.2", "1.10.3", "2.0.0")
CAPABILITIES = ("search", "Fly", "sum.law")


class Fair:
    """A market of 32 names of every kind, and what each of them is, written down beside it."""

    def __init__(self, path: Path) -> None:
        self.market = Market(path)
        self.market.registry.bind_provider("DataCorp", self.market.world.org.did, self.market.now)
        self.candidates: dict[str, Candidate] = {}
        self.market.withdrawn.add(2)
        receipts, bodies = {}, []
        for number in range(32):
            name = AnsName.parse(
                f"{PROTOCOLS[number % 2]}://{FUNCTIONS[number // 2 % 2]}.{DOMAINS[number // 4 % 2]}"
                f".{PROVIDERS[number // 8 % 2]}.v{VERSIONS[number % 4]}.x{number}"
            )
            receipts[number] = self._offer(number, name)
            if number % 7 in (3, 4):
                bodies.append((number, name))
        for number, name in bodies:
            self._beat(name, "up" if number % 7 == 3 else "down")
        for number in (5, 11, 17, 23):
            kind = ("suspend", "revoke")[number % 4 // 2]
            shown = str(self.candidates[list(self.candidates)[number]].name)
            self.market.send(self.market.event(kind, name=shown, receipt=receipts[number]))
            self._now(shown, status=f"{kind.removesuffix('e')}ed")
        self.market.world.now += 30

    def _offer(self, number: int, name: AnsName) -> Any:
        market, bot = self.market, self.market.bot
        can = [one for at, one in enumerate(CAPABILITIES) if number >> at & 1]
        claims, counted, discounted = [], [], []
        if number % 3 == 0:
            claims.append(market.claim(bot, id=market.world.id(f"whole/{number}")))
            counted.append(Attestation(SOX, claims[-1].valid_until))
        if number % 5 == 0:
            part = market.claim(bot, capabilities=["fly"], id=market.world.id(f"part/{number}"))
            claims.append(part)
            counted.append(Attestation(SOX, part.valid_until, frozenset({"fly"})))
        if number % 4 == 1:
            claims.append(market.claim(bot, index=1, id=market.world.id(f"gone/{number}")))
            discounted.append((SOX, "attestation-revoked"))
        if number % 6 == 1:
            claims.append(market.claim(bot, "ISO", id=market.world.id(f"other/{number}")))
            discounted.append(("ISO", "attestation-issuer"))
        old = "mcp://Next.One.AcmeLabs.v9" if number % 8 == 6 else None
        self.candidates[name.key] = Candidate(name, "active", can, old, counted, discounted, None)
        return market.offer(str(name), None, *claims, capabilities=can, successor=old)

    def _now(self, name: str, **changes: Any) -> None:
        key = AnsName.parse(name).key
        self.candidates[key] = replace(self.candidates[key], **changes)

    def _beat(self, name: AnsName, status: str) -> None:
        market = self.market
        body, token = heartbeat(
            market.bot.key, market.bot.did, str(name), status, market.did, at=market.now
        )
        market.registry.heartbeat(body, token, market.now)
        self._now(str(name), health=(status, market.now))


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Fair:
    return Fair(tmp_path_factory.mktemp("fair") / "registry.db")


QUESTIONS = st.fixed_dictionaries(
    {"trace": st.booleans(), "limit": st.integers(1, 40)},
    optional={
        "capability": st.sampled_from(
            [*CAPABILITIES, "SEARCH", "law.search", "search.law", "sum", "nothing"]
        ),
        "version": st.sampled_from(["*", "^1", "~1.2", ">=1.2 <2", "2.x", "<1.10.3", ">9"]),
        "provider": st.sampled_from([*PROVIDERS, "Nobody"]),
        "protocol": st.sampled_from([*PROTOCOLS, "acp"]),
        "pattern": st.sampled_from(
            ["*://*.Law.*", "mcp://S*.*.AcmeLabs.v1.*", "*://Sum.Search.*", "*.*.*Corp.v2.0.0.*"]
        ),
        "attestations": st.sampled_from([[SOX], ["ISO"], ["ISO", SOX], ["None"]]),
        "available": st.sampled_from([29, 30, 300]),
        "prefer": st.sampled_from([*PROVIDERS, "Nobody"]),
    },
).filter(lambda given: len(given.keys() - {"trace", "limit", "prefer"}) > 0)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(QUESTIONS)
def test_a_search_finds_what_a_judge_of_every_name_would(fair: Fair, asked: dict[str, Any]) -> None:
    query, at = Query.from_json(asked), fair.market.now
    whole = fair.candidates.values()
    expected = order([one for one in whole if judge(one, query, at) is None], query)
    found = fair.market.ask(query)
    names = [str(one.name) for one in expected]
    assert [one.name for one in found.agents] == names[: query.limit]
    assert found.freshness.total in (len(names), None if len(names) > query.limit else len(names))
    told = dict(found.trace)
    assert not told.keys() & set(names[: query.limit])
    for name, reason in told.items():
        assert reason == (judge(fair.candidates[AnsName.parse(name).key], query, at) or "limit")
    if query.trace and query.capability not in (None, "nothing"):
        assert told.keys() >= set(names[query.limit :])


# --- its price ----------------------------------------------------------------------------------


def _fill(store: Store, start: int, end: int) -> None:
    """Names in a thousand functions and 50 providers, of which 1 is rare; all can ``common``."""
    record = {"capabilities": ["common"]}
    with store.transaction() as db:
        batch = Batch(db, 0, 0, [])
        for number in range(start, end):
            provider = "Rare" if number % 1000 == 7 else f"P{number % 50}"
            version = f"{number % 3}.{number % 11}.{number % 7}"
            name = AnsName.parse(f"mcp://F{number % 1000}.All.{provider}.v{version}.x{number}")
            listing.Listing(name, record, [], [], 10**10).put(batch, live=True, fresh=True)
        batch.flush()


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    made = []
    for count in (1000, 10_000):
        store = Store(tmp_path_factory.mktemp("index") / f"{count}.db")
        _fill(store, 0, count)
        made.append(store)
    yield made[0], made[1]
    for store in made:
        store.close()


def _price(store: Store, query: Query, take: int = 10) -> tuple[int, list[str]]:
    """How many instructions of SQLite the first so many of a question take; their names."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with store.transaction(reading=True) as db:
        raw: Any = db.connection.driver_connection
        raw.set_progress_handler(step, 10)
        look = Look(db, terms_for(query), query)
        found = [one.name.key for one, _ in zip(look, range(take), strict=False)]
        raw.set_progress_handler(None, 0)
    return 10 * steps, found


SELECTIVE = (
    {"capability": "common"},
    {"capability": "common", "version": "~1.5"},
    {"capability": "common", "version": "<1"},
    {"capability": "common", "provider": "P7"},
    {"capability": "F13.All", "protocol": "mcp"},
    {"pattern": "mcp://F13.*.P13.v1.*"},
    {"version": "^2.3"},
    {"capability": "nothing"},
)


@pytest.mark.parametrize("asked", SELECTIVE, ids=str)
def test_the_first_ten_cost_as_much_of_ten_thousand_as_of_one_thousand(
    stores: tuple[Store, Store], asked: dict[str, Any]
) -> None:
    query = Query.from_json(asked)
    small, some = _price(stores[0], query)
    large, more = _price(stores[1], query)
    assert len(more) >= len(some)
    assert large <= 3 * small + 3000, (small, large)


def test_ten_thousand_names_in_the_order_of_answers(stores: tuple[Store, Store]) -> None:
    query = Query.from_json({"capability": "common", "version": "~2.10"})
    _, found = _price(stores[1], query, take=10_000)
    names = [AnsName.parse(key) for key in found]
    ordered = order([Candidate(name, "active") for name in names], query)
    assert [one.name for one in ordered] == names
    assert len(names) == sum(n % 3 == 2 and n % 11 == 10 for n in range(10_000))


def test_no_search_looks_at_more_than_so_many_names(stores: tuple[Store, Store]) -> None:
    query = Query.from_json({"capability": "common"})
    with stores[1].transaction(reading=True) as db:
        look = Look(db, terms_for(query), query)
        assert len(list(look)) == look.seen == LOOK
        assert not look.whole
        few = Look(db, ["provider:rare"], None)
        assert (len(list(few)), few.whole) == (10, True)
        exact = Look(db, ["provider:rare"], None, most=10)
        assert (len(list(exact)), exact.whole) == (10, True)
        less = Look(db, ["provider:rare"], None, most=9)
        assert (len(list(less)), less.whole) == (9, False)


def test_a_search_cut_short_neither_counts_nor_denies(tmp_path: Path) -> None:
    market = Market(tmp_path / "registry.db")
    market.offer("mcp://Papers.Research.AcmeLabs.v9", capabilities=["common"])
    assert market.ask({"capability": "common"}).freshness.total == 1
    _fill(market.registry.store, 0, LOOK)
    market.world.now += 30
    found = market.ask({"capability": "common", "protocol": "mcp", "limit": 2})
    assert [one.name for one in found.agents] == ["mcp://Papers.Research.AcmeLabs.v9"]
    assert found.freshness.total is None
    asked = {"capability": "common", "protocol": "mcp", "pattern": "*://Z*.*"}
    assert refusal(lambda: market.ask(asked)) == "limit-items"
    assert market.ask(asked | {"version": "9"}).status == "not-found"


def test_the_expired_are_put_aside(tmp_path: Path) -> None:
    store = Store(tmp_path / "registry.db")
    with store.transaction() as db:
        batch = Batch(db, 0, 0, [])
        for number in range(5):
            name = AnsName.parse(f"mcp://A.B.C.v{number}")
            listing.Listing(name, {}, [], [], 100 + number).put(batch, live=True, fresh=True)
        batch.flush()
        assert listing.sweep(db, 99) == 0
        assert listing.sweep(db, 103, most=3) == 3
        assert listing.sweep(db, 103) == 1
        assert listing.sweep(db, 103) == 0
        left = [one.name.version for one in Look(db, ["provider:c"])]
        gone = [one.name.version for one in Look(db, ["provider:c"], live=False)]
    assert (left, gone) == ([(4,)], [(3,), (2,), (1,), (0,)])
