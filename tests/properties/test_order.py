"""The order of authority, against an oracle that tries every request of a small universe.

`attenuates(parent, child)` may pass only if whatever the child allows, the parent allows. For
each kind of constraint this file lists values that sit beside, inside and apart from each other,
and a universe of requests fine enough to tell them apart; then every pair is tried.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Authority, Error, PrivateKey, Request, did
from delegant.credentials import capability as cap
from delegant.credentials import constraint as con
from delegant.credentials.kinds import DATA_CLASS_SCHEME, KINDS
from delegant.credentials.resource import (
    covers_action,
    covers_resource,
    meet_actions,
    meet_resources,
)

ANN, BEN, CAT = (did.from_key(PrivateKey(bytes([n]) * 32).public) for n in (1, 2, 3))
NOON = 12 * 3600


@dataclass(frozen=True)
class Ask:
    """One point of the universe: a request, an instant, and who approved and whom it is for."""

    request: Request
    at: int = NOON
    audience: str = ANN
    approvers: frozenset[str] = frozenset()


def ask(at: int = NOON, audience: str = ANN, approvers: tuple[str, ...] = (), **facts: Any) -> Ask:
    return Ask(
        Request("db.read", "urn:acme:papers:17", **facts), at, audience, frozenset(approvers)
    )


def clock(hour: int, minute: int = 0) -> int:
    return hour * 3600 + minute * 60


def subsets(items: list[str]) -> list[list[str]]:
    return [list(c) for n in range(1, len(items) + 1) for c in itertools.combinations(items, n)]


def money(value: int, unit: str = "EUR:2") -> dict[str, str]:
    return {"unit": unit, "value": str(value)}


def budget(each: int, total: int, ledger: str = ANN, unit: str = "EUR:2") -> dict[str, str]:
    return {"ledger": ledger, "unit": unit, "perAction": str(each), "total": str(total)}


def rate(count: int, period: int, ledger: str = ANN) -> dict[str, Any]:
    return {"ledger": ledger, "count": count, "periodSeconds": period}


NUMBERS: list[str | int | bool] = ["1", "2", "x", 1, 2, 3, True, False, "-1", "01"]

VALUES: dict[str, list[Any]] = {
    "audience": subsets([ANN, BEN, CAT]),
    "purpose": subsets(["audit", "billing", "care"]),
    "columns": subsets(["a", "b", "c"]),
    "task": [
        {"id": name, "initiation": how}
        for name in ("t1", "t2")
        for how in ("human_request", "schedule", "agent_decision")
    ],
    "rows": [{"max": n} for n in range(4)],
    "bytes": [{"max": n} for n in range(4)],
    "budget": [budget(e, t) for e in range(3) for t in range(3)]
    + [budget(1, 1, BEN), budget(1, 1, ANN, "USD:2")],
    "rate": [rate(c, p) for c in range(1, 5) for p in range(1, 5)] + [rate(1, 1, BEN)],
    "dataClass": [
        {"scheme": DATA_CLASS_SCHEME, "max": name}
        for name in ("public", "internal", "confidential", "restricted")
    ],
    "approval": [
        {"threshold": n, "by": by} | over
        for by in subsets([ANN, BEN, CAT])
        for n in range(1, len(by) + 1)
        for over in (
            {},
            {"over": money(0)},
            {"over": money(2)},
            {"over": money(2, "USD:2")},
        )
    ],
    "hours": [
        [["00:00", "24:00"]],
        [["09:00", "17:00"]],
        [["10:00", "12:00"]],
        [["12:00", "17:00"]],
        [["09:00", "12:00"], ["13:00", "17:00"]],
        [["09:00", "12:01"], ["12:59", "24:00"]],
        [["23:59", "24:00"]],
        [["00:00", "00:01"], ["12:00", "12:01"]],
    ],
    "network": [
        ["10.0.0.0/8"],
        ["10.1.0.0/16"],
        ["10.1.2.3/32"],
        ["10.0.0.0/9", "10.128.0.0/9"],
        ["10.1.0.0/16", "192.168.0.0/16"],
        ["0.0.0.0/0"],
        ["::/0"],
        ["2001:db8::/32", "10.1.2.0/24"],
    ],
    "arguments": [
        {"n": test}
        for test in (
            {"eq": 1},
            {"eq": "1"},
            {"eq": True},
            {"in": [1, 2]},
            {"in": [1, 2, "x"]},
            {"in": ["1", "-1", "01"]},
            {"range": {"min": 1, "max": 1}},
            {"range": {"min": 1, "max": 2}},
            {"range": {"min": 0, "max": 9}},
            {"range": {"min": "1", "max": "1"}},
            {"range": {"min": "-1", "max": "2"}},
            {"range": {"min": "0", "max": "0"}},
        )
    ]
    + [{"m": {"eq": 1}}, {"n": {"eq": 1}, "m": {"eq": 1}}],
}
"""For each kind, values as they stand in a link."""

AMOUNTS: list[dict[str, Any]] = [
    {},
    *({"amount": money(v, u)} for v in range(4) for u in ("EUR:2", "USD:2")),
]

UNIVERSE: dict[str, list[Ask]] = {
    "audience": [ask(audience=who) for who in (ANN, BEN, CAT)],
    "purpose": [ask(), *(ask(purpose=p) for p in ("audit", "billing", "care", "fun"))],
    "columns": [ask(), *(ask(columns=tuple(c)) for c in subsets(["a", "b", "c", "d"]))],
    "task": [
        ask(),
        *(
            ask(task={"id": name, "initiation": how})
            for name in ("t1", "t2", "t3")
            for how in ("human_request", "schedule", "agent_decision")
        ),
    ],
    "rows": [ask(), *(ask(rows=n) for n in range(6))],
    "bytes": [ask(), *(ask(bytes=n) for n in range(6))],
    "budget": [ask(), *(ask(amount=money(v, u)) for v in range(4) for u in ("EUR:2", "USD:2"))],
    "rate": [ask()],
    "dataClass": [
        ask(),
        *(ask(data_class=c) for c in ("public", "internal", "confidential", "restricted")),
    ],
    "approval": [
        ask(approvers=who, **facts)
        for who in [(), *map(tuple, subsets([ANN, BEN, CAT]))]
        for facts in AMOUNTS
    ],
    "hours": [
        ask(at=clock(h, m)) for h in (0, 8, 9, 10, 11, 12, 13, 16, 17, 23) for m in (0, 1, 58, 59)
    ],
    "network": [
        ask(),
        *(
            ask(network=ip)
            for ip in (
                "10.0.0.1",
                "10.1.0.0",
                "10.1.2.3",
                "10.1.2.4",
                "10.200.0.1",
                "192.168.1.1",
                "8.8.8.8",
                "::1",
                "2001:db8::1",
            )
        ),
    ],
    "arguments": [
        ask(),
        *(ask(arguments={"n": v}) for v in NUMBERS),
        *(ask(arguments={"m": v}) for v in NUMBERS),
        *(ask(arguments={"n": v, "m": 1}) for v in NUMBERS),
    ],
}


def windows(limit: Any) -> set[tuple[int, ...]]:
    """Every schedule of at most one act a second, over 8 seconds, that a rate lets pass."""
    _, count, period = limit
    return {
        plan
        for plan in itertools.product((0, 1, 2), repeat=6)
        if all(sum(plan[i : i + period]) <= count for i in range(6))
    }


def allowed(kind: str, limits: con.Constraints) -> set[Any]:
    """What a constraint lets pass, said without any use of the order."""
    out: set[Any] = set()
    for number, one in enumerate(UNIVERSE[kind]):
        if not con.holds(limits, one.request, one.at):
            continue
        if kind == "audience" and one.audience not in limits["audience"]:
            continue
        if kind == "approval" and con.approval_applies(limits, one.request):
            threshold, by, _ = limits["approval"]
            if len(one.approvers & by) < threshold:
                continue
        if kind == "budget":
            # the ledger is part of what is allowed: another ledger keeps another balance
            out |= {(number, limits["budget"][0], spent) for spent in range(limits["budget"][3])}
            out.add((number, limits["budget"][0], "at all"))
            continue
        out.add(number)
    if kind == "rate":
        return {(limits["rate"][0], plan) for plan in windows(limits["rate"])}
    return out


def read(kind: str) -> list[con.Constraints]:
    return [con.parse({kind: value}) for value in VALUES[kind]]


def narrower(parent: con.Constraints, child: con.Constraints) -> bool:
    grants = cap.parse_grants([{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}])
    try:
        cap.attenuates(Authority(grants, parent), Authority(grants, child))
    except Error as exc:
        if exc.code not in {"scope-widened", "constraint-dropped"}:
            raise
        return False
    return True


ALL = sorted(VALUES)


def test_every_kind_of_constraint_is_tried() -> None:
    assert set(VALUES) == set(UNIVERSE) == {*KINDS, "arguments"}


@pytest.mark.parametrize("kind", ALL)
def test_child_allows_only_what_the_parent_allows(kind: str) -> None:
    values = read(kind)
    passes = [allowed(kind, value) for value in values]
    nested = 0
    for p, c in itertools.product(range(len(values)), repeat=2):
        if narrower(values[p], values[c]):
            nested += p != c
            assert passes[c] <= passes[p], (VALUES[kind][p], VALUES[kind][c])
    assert nested, "no pair of this kind was ever narrower: the test proves nothing"


COMPLETE = sorted(set(ALL) - {"rate", "network", "approval", "arguments", "budget"})
"""Kinds whose order is also complete: what allows less is narrower. The others may refuse more.

(Two halves of a network are not joined, a rate is judged by its worst window, an approval by its
rule and not by its outcomes, an argument by its type, a budget by its ledger and unit.)
"""


@pytest.mark.parametrize("kind", COMPLETE)
def test_whatever_allows_less_is_narrower(kind: str) -> None:
    values = read(kind)
    passes = [allowed(kind, value) for value in values]
    for p, c in itertools.product(range(len(values)), repeat=2):
        assert narrower(values[p], values[c]) == (passes[c] <= passes[p]), (
            VALUES[kind][p],
            VALUES[kind][c],
        )


@pytest.mark.parametrize("kind", ALL)
def test_order_is_reflexive_antisymmetric_and_transitive(kind: str) -> None:
    values = read(kind)
    count = len(values)
    below = [{c for c in range(count) if narrower(values[p], values[c])} for p in range(count)]
    for a in range(count):
        assert a in below[a]
        for b in below[a]:
            assert below[b] <= below[a], (VALUES[kind][a], VALUES[kind][b])
            if a != b and a in below[b]:
                assert allowed(kind, values[a]) == allowed(kind, values[b])
                # One set with two spellings: only {in: [v]} and {range: v..v} are that.
                assert kind == "arguments", (VALUES[kind][a], VALUES[kind][b])


@pytest.mark.parametrize("kind", ALL)
def test_constraint_left_out_is_noticed_and_one_added_is_fine(kind: str) -> None:
    for value in read(kind):
        assert not narrower(value, {})
        assert narrower({}, value)


@pytest.mark.parametrize("kind", ALL)
def test_meet_is_a_lower_bound_and_takes_away_nothing_both_allow(kind: str) -> None:
    values = read(kind)
    passes = [allowed(kind, value) for value in values]
    for a, b in itertools.product(range(len(values)), repeat=2):
        met = con.meet(values[a], values[b])
        if met is None:
            if kind in COMPLETE or kind == "network":
                assert not passes[a] & passes[b], (VALUES[kind][a], VALUES[kind][b])
            continue
        assert narrower(values[a], met), (VALUES[kind][a], VALUES[kind][b])
        assert narrower(values[b], met), (VALUES[kind][a], VALUES[kind][b])
        if kind in COMPLETE or kind == "network":
            assert allowed(kind, met) == passes[a] & passes[b]
        else:
            assert allowed(kind, met) <= passes[a] & passes[b]


@pytest.mark.parametrize("kind", ALL)
def test_meet_is_commutative_and_idempotent(kind: str) -> None:
    values = read(kind)
    for a, b in itertools.product(values, repeat=2):
        assert con.meet(a, b) == con.meet(b, a)
    for a in values:
        assert con.meet(a, a) == a


@pytest.mark.parametrize("kind", ALL)
def test_meet_is_associative(kind: str) -> None:
    values = read(kind)[:16]
    for a, b, c in itertools.product(values, repeat=3):
        ab, bc = con.meet(a, b), con.meet(b, c)
        left = None if ab is None else con.meet(ab, c)
        right = None if bc is None else con.meet(a, bc)
        assert left == right, (a, b, c)


@pytest.mark.parametrize("kind", ALL)
def test_what_is_written_is_read_again_as_the_same(kind: str) -> None:
    for value in read(kind):
        assert con.parse(con.to_json(value)) == value


# --- rate, by schedules --------------------------------------------------------------------


def test_rate_passes_exactly_where_no_burst_of_the_child_breaks_the_parent() -> None:
    limits = [value["rate"] for value in read("rate") if value["rate"][0] == ANN]
    wrong: list[tuple[Any, Any]] = []
    for p, c in itertools.product(limits, repeat=2):
        said = KINDS["rate"].narrows(p, c)
        # the worst schedule of the child: a full burst every period
        worst = [c[1] if second % c[2] == 0 else 0 for second in range(24)]
        safe = all(sum(worst[i : i + p[2]]) <= p[1] for i in range(24 - p[2]))
        if said != safe:
            wrong.append((p, c))
    assert wrong == []


# --- actions and resources, by segments ------------------------------------------------------

WORDS = st.sampled_from(["a", "b", "ab", "a-b", "a_b"])


@st.composite
def actions(draw: st.DrawFn) -> str:
    text = ".".join(draw(st.lists(WORDS, min_size=1, max_size=3)))
    return text + draw(st.sampled_from(["", ".*"]))


@st.composite
def resources(draw: st.DrawFn) -> str:
    segments = draw(st.lists(WORDS, min_size=1, max_size=3))
    wild = draw(st.booleans())
    if draw(st.booleans()):
        return "urn:acme:" + ":".join(segments) + (":**" if wild else "")
    slash = draw(st.sampled_from(["", "/"]))
    host = draw(st.sampled_from(["https://a.example/", "https://a.example:8443/"]))
    return host + "/".join(segments) + ("/**" if wild else slash)


def segments_of(pattern: str) -> tuple[list[str], bool]:
    """The segments before the wildcard, and whether there is one."""
    if pattern.startswith("urn:"):
        parts = pattern.split(":")
    elif "://" in pattern:
        parts = pattern.split("/")
    else:
        parts = pattern.split(".")
    wild = parts[-1] in {"*", "**"}
    return (parts[:-1] if wild else parts), wild


def covers_by_segments(parent: str, child: str) -> bool:
    """The oracle: the wildcard stands for one or more segments, otherwise all must be equal."""
    ours, wild = segments_of(parent)
    theirs, theirs_wild = segments_of(child)
    if not wild:
        return not theirs_wild and ours == theirs
    longer = len(theirs) > len(ours) or (theirs_wild and len(theirs) == len(ours))
    return longer and theirs[: len(ours)] == ours


@given(actions(), actions())
def test_action_cover_is_cover_by_segments(parent: str, child: str) -> None:
    assert covers_action(parent, child) == covers_by_segments(parent, child)


@given(resources(), resources())
def test_resource_cover_is_cover_by_segments(parent: str, child: str) -> None:
    assert covers_resource(parent, child) == covers_by_segments(parent, child)


@given(actions(), actions(), actions())
def test_meet_of_actions_is_the_widest_pattern_below_both(a: str, b: str, c: str) -> None:
    met = meet_actions(a, b)
    assert met == meet_actions(b, a)
    both = covers_by_segments(a, c) and covers_by_segments(b, c)
    assert both == (met is not None and covers_by_segments(met, c))


@given(resources(), resources(), resources())
def test_meet_of_resources_is_the_widest_pattern_below_both(a: str, b: str, c: str) -> None:
    met = meet_resources(a, b)
    assert met == meet_resources(b, a)
    both = covers_by_segments(a, c) and covers_by_segments(b, c)
    assert both == (met is not None and covers_by_segments(met, c))


# --- whole authorities -----------------------------------------------------------------------

SMALL_ACTIONS = ["db.*", "db.read", "db.write", "doc.*", "doc.read"]
SMALL_RESOURCES = ["urn:acme:**", "urn:acme:a:**", "urn:acme:a:1", "urn:acme:b:**", "urn:acme:b:1"]
ACTS = list(
    itertools.product(
        ["db.read", "db.write", "doc.read", "doc.x"],
        ["urn:acme:a:1", "urn:acme:a:2", "urn:acme:b:1", "urn:acme:c"],
    )
)


@st.composite
def authorities(draw: st.DrawFn) -> Authority:
    def some(items: list[str]) -> list[str]:
        return draw(st.lists(st.sampled_from(items), min_size=1, max_size=2, unique=True))

    grants = [
        {"actions": some(SMALL_ACTIONS), "resources": some(SMALL_RESOURCES)}
        for _ in range(draw(st.integers(1, 3)))
    ]
    rows = draw(st.none() | st.integers(0, 3))
    value: dict[str, Any] = {"grants": grants}
    if rows is not None:
        value["constraints"] = {"rows": {"max": rows}}
    return cap.parse(value, "test")


def lets_pass(authority: Authority) -> set[tuple[str, str, int]]:
    """Every act of the small universe that one grant covers by segments."""
    limit = authority.constraints.get("rows", 99)
    return {
        (act, thing, rows)
        for act, thing in ACTS
        for rows in range(5)
        if rows <= limit
        and any(
            any(covers_by_segments(a, act) for a in grant.actions)
            and any(covers_by_segments(r, thing) for r in grant.resources)
            for grant in authority.grants
        )
    }


def at_most(parent: Authority, child: Authority) -> bool:
    try:
        cap.attenuates(parent, child)
    except Error:
        return False
    return True


@given(authorities(), authorities())
def test_authority_below_another_allows_no_more(parent: Authority, child: Authority) -> None:
    if at_most(parent, child):
        assert lets_pass(child) <= lets_pass(parent)


@given(authorities(), authorities())
def test_meet_of_authorities_allows_what_both_allow(a: Authority, b: Authority) -> None:
    met = cap.meet(a, b)
    assert lets_pass(met) == lets_pass(a) & lets_pass(b)
    if met.grants:
        assert at_most(a, met)
        assert at_most(b, met)
    assert met == cap.meet(b, a)


@given(authorities(), authorities(), authorities())
def test_authorities_are_ordered_transitively(a: Authority, b: Authority, c: Authority) -> None:
    assert at_most(a, a)
    b, c = cap.meet(a, b), cap.meet(cap.meet(a, b), c)
    if b.grants and c.grants:
        assert at_most(a, b)
        assert at_most(b, c)
        assert at_most(a, c)


@given(authorities(), authorities(), authorities())
def test_meet_of_authorities_is_associative(a: Authority, b: Authority, c: Authority) -> None:
    left, right = cap.meet(cap.meet(a, b), c), cap.meet(a, cap.meet(b, c))
    assert lets_pass(left) == lets_pass(right)
    assert left.grants == right.grants


@given(authorities())
def test_meet_with_oneself_changes_nothing(a: Authority) -> None:
    assert lets_pass(cap.meet(a, a)) == lets_pass(a)
    assert cap.meet(a, a) == cap.meet(cap.meet(a, a), a)


def test_read_here_and_write_there_make_no_write_here() -> None:
    parent = cap.parse(
        {
            "grants": [
                {"actions": ["db.read"], "resources": ["urn:acme:a:**"]},
                {"actions": ["db.write"], "resources": ["urn:acme:b:**"]},
            ]
        },
        "test",
    )
    child = cap.parse(
        {"grants": [{"actions": ["db.read", "db.write"], "resources": ["urn:acme:a:1"]}]}, "test"
    )
    assert not at_most(parent, child)
