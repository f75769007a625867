"""A bounded memory keeps the newest, by number and by weight."""

from __future__ import annotations

from delegant.ans.bounded import Bounded


def test_the_oldest_goes_where_there_are_too_many() -> None:
    kept: Bounded[str, int] = Bounded(100, 2)
    for number, name in enumerate("abc"):
        kept.put(name, number, 1)
    assert [kept.get(name) for name in "abc"] == [None, 1, 2]


def test_the_oldest_go_until_the_rest_weighs_little_enough() -> None:
    kept: Bounded[str, int] = Bounded(100, 9)
    for name in "abc":
        kept.put(name, 1, 40)
    assert [kept.get(name) for name in "abc"] == [None, 1, 1]
    kept.put("d", 1, 90)
    assert [kept.get(name) for name in "bcd"] == [None, None, 1]
    kept.put("e", 1, 101)
    assert kept.get("e") is None


def test_what_is_put_again_is_the_newest_and_weighs_once() -> None:
    kept: Bounded[str, int] = Bounded(100, 9)
    kept.put("a", 1, 40)
    kept.put("b", 1, 40)
    kept.put("a", 2, 60)
    assert (kept.get("a"), kept.get("b")) == (2, 1)
    kept.put("c", 1, 1)
    assert (kept.get("a"), kept.get("b")) == (2, None)
