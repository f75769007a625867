"""A chain is all or nothing: whoever drops, repeats, moves or alters a link gets no yes.

How it is spelled never matters: order of members and white space are nobody's content.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import verify
from properties.story import FORMS, copy_of, paths_of, shuffled, story
from world import World, research_chain

# --- every link, once, in order ---------------------------------------------------------------


@FORMS
def test_the_story_itself_is_accepted(form: str) -> None:
    s = story(form)
    assert s.state(s.presentation) == "accepted"


@FORMS
@given(data=st.data())
def test_chain_with_links_dropped_repeated_or_moved_is_refused(form: str, data: Any) -> None:
    s = story(form)
    links = s.presentation["links"]
    order = data.draw(st.lists(st.integers(0, len(links) - 1), min_size=1, max_size=6))
    said = s.state({**s.presentation, "links": [links[i] for i in order]})
    assert said == ("accepted" if order == [0, 1, 2, 3] else "rejected")


@FORMS
@pytest.mark.parametrize("index", range(4))
def test_chain_without_one_of_its_links_is_refused(form: str, index: int) -> None:
    s = story(form)
    links = list(s.presentation["links"])
    del links[index]
    assert s.state({**s.presentation, "links": links}) == "rejected"


@FORMS
def test_link_of_another_chain_does_not_fit(form: str) -> None:
    s = story(form)
    other = World(label="other", form=form)  # type: ignore[arg-type]
    theirs, _ = research_chain(other)
    for index, link in enumerate(theirs):
        links = list(s.presentation["links"])
        links[index] = link.secured.raw
        assert s.state({**s.presentation, "links": links}) == "rejected"


# --- one byte ---------------------------------------------------------------------------------


@FORMS
def test_presentation_with_one_byte_changed_is_never_accepted(form: str) -> None:
    s = story(form)
    data = json.dumps(s.presentation, separators=(",", ":"), sort_keys=True).encode()
    assert s.state(data) == "accepted"
    dice = random.Random(8785)
    accepted = []
    for _ in range(1500):
        at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        changed = bytearray(data)
        changed[at] ^= bit
        if s.state(bytes(changed)) == "accepted":
            accepted.append((at, bytes(changed[max(0, at - 20) : at + 20])))
    assert accepted == []


@FORMS
def test_evidence_with_one_byte_changed_is_never_accepted(form: str) -> None:
    s = story(form)
    data = json.dumps(s.evidence, separators=(",", ":"), sort_keys=True).encode()
    assert s.state(s.presentation, data) == "accepted"
    dice = random.Random(8785)
    accepted = []
    for _ in range(1000):
        at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        changed = bytearray(data)
        changed[at] ^= bit
        if s.state(s.presentation, bytes(changed)) == "accepted":
            accepted.append((at, bytes(changed[max(0, at - 20) : at + 20])))
    assert accepted == []


def nudged(value: Any, dice: random.Random) -> Any:
    """Another value of the same type, as near as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + dice.choice((-1, 1))
    at = dice.randrange(len(value))
    other = {"a": "b", "A": "B", "1": "2", "0": "1"}.get(
        value[at], "a" if value[at] != "a" else "b"
    )
    return value[:at] + other + value[at + 1 :]


@FORMS
@pytest.mark.parametrize("part", ["presentation", "evidence"])
def test_every_value_in_signed_content_matters(form: str, part: str) -> None:
    """One after the other, every string, number and bool of every document is nudged."""
    s = story(form)
    honest = {"presentation": s.presentation, "evidence": s.evidence}
    dice = random.Random(1)
    tried = 0
    for *way, last in filter(None, paths_of(honest[part])):
        changed = copy_of(honest)
        node = changed[part]
        for step in way:
            node = node[step]
        if isinstance(node[last], dict | list):
            continue
        for _ in range(1 if form == "di" else 20):
            node[last], before = nudged(node[last], dice), node[last]
            tried += 1
            assert s.state(changed["presentation"], changed["evidence"]) != "accepted", (way, last)
            node[last] = before
    assert tried >= (100 if part == "presentation" or form == "jwt" else 150)


@FORMS
@given(data=st.data())
def test_presentation_cut_short_or_lengthened_is_never_accepted(form: str, data: Any) -> None:
    s = story(form)
    whole = json.dumps(s.presentation).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert s.state(whole[:cut]) != "accepted"
    more = data.draw(st.binary(min_size=1, max_size=4).filter(lambda b: b.strip(b" \t\r\n") != b""))
    assert s.state(whole + more) != "accepted"


# --- spelling that means nothing --------------------------------------------------------------


@FORMS
@given(seed=st.integers(0, 2**32), indent=st.sampled_from([None, 0, 1, 7, "\t"]))
def test_order_of_members_and_white_space_never_matter(
    form: str, seed: int, indent: int | str | None
) -> None:
    s = story(form)
    mixed = shuffled(s.presentation, random.Random(seed))
    assert s.state(json.dumps(mixed, indent=indent).encode()) == "accepted"
    evidence = shuffled(s.evidence, random.Random(seed + 1))
    assert s.state(mixed, evidence) == "accepted"
    one = verify(
        json.dumps(mixed, indent=indent).encode(),
        json.dumps(evidence).encode(),
        s.trust,
        s.asked,
        at=s.now,
    )
    two = verify(
        json.dumps(s.presentation).encode(),
        json.dumps(s.evidence).encode(),
        s.trust,
        s.asked,
        at=s.now,
    )
    assert one.inputs_digest == two.inputs_digest
