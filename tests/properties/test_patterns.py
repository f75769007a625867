"""Actions, resources and whole authorities, against oracles that compare segment by segment."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Authority, Error
from delegant.credentials import capability as cap
from delegant.credentials.resource import (
    covers_action,
    covers_resource,
    meet_actions,
    meet_resources,
)

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
