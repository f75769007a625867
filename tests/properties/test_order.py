"""The order of authority, against an oracle that tries every request of a small universe.

`attenuates(parent, child)` may pass only if whatever the child allows, the parent allows: every
pair of the values in `universe` is tried, and `oracle` says what each of them allows.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from delegant.credentials import Authority, Error
from delegant.credentials import capability as cap
from delegant.credentials import constraint as con
from delegant.credentials.kinds import KINDS
from properties.oracle import schedules
from properties.universe import ANN, UNIVERSE, VALUES, allowed, passing


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
    passes = passing(kind)
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
    passes = passing(kind)
    for p, c in itertools.product(range(len(values)), repeat=2):
        assert narrower(values[p], values[c]) == (passes[c] <= passes[p]), (
            VALUES[kind][p],
            VALUES[kind][c],
        )


@pytest.mark.parametrize("kind", ALL)
def test_order_is_reflexive_antisymmetric_and_transitive(kind: str) -> None:
    values = read(kind)
    passes = passing(kind)
    count = len(values)
    below = [{c for c in range(count) if narrower(values[p], values[c])} for p in range(count)]
    for a in range(count):
        assert a in below[a]
        for b in below[a]:
            assert below[b] <= below[a], (VALUES[kind][a], VALUES[kind][b])
            if a != b and a in below[b]:
                assert passes[a] == passes[b]
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
    passes = passing(kind)
    for a, b in itertools.product(range(len(values)), repeat=2):
        met = con.meet(values[a], values[b])
        if met is None:
            if kind in COMPLETE or kind == "network":
                assert not passes[a] & passes[b], (VALUES[kind][a], VALUES[kind][b])
            continue
        assert narrower(values[a], met), (VALUES[kind][a], VALUES[kind][b])
        assert narrower(values[b], met), (VALUES[kind][a], VALUES[kind][b])
        if kind in COMPLETE or kind == "network":
            assert allowed(kind, con.to_json(met)[kind]) == passes[a] & passes[b]
        else:
            assert allowed(kind, con.to_json(met)[kind]) <= passes[a] & passes[b]


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


def test_rate_is_narrower_exactly_where_every_schedule_it_allows_is_allowed_above() -> None:
    """Whatever happens in a window of the parent happens in as many seconds: those are tried."""
    limits = [value["rate"] for value in read("rate") if value["rate"][0] == ANN]
    for p, c in itertools.product(limits, repeat=2):
        safe = all(sum(plan) <= p[1] for plan in schedules(c[1], c[2], p[2]))
        assert narrower({"rate": p}, {"rate": c}) == safe, (p, c)


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
