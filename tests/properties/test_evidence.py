"""Less evidence is never more authority, and what strangers add changes nothing."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altered import Case
from corpus import refused
from delegant.credentials import Bundle, Error, Trust, decide
from draft import Draft, draft
from properties.story import FORMS, copy_of, shuffled, story
from world import World, research_chain


@FORMS
@given(seed=st.integers(0, 2**32))
def test_evidence_is_needed_whole_and_strangers_in_it_change_nothing(form: str, seed: int) -> None:
    s = story(form)
    dice = random.Random(seed)
    stranger = World(label="stranger")
    research_chain(stranger)
    more = {
        name: shuffled([*items, *stranger.evidence().json[name]], dice)
        for name, items in s.evidence.items()
        if name != "statusLists"
    } | {"statusLists": s.evidence["statusLists"]}
    for items in more.values():
        dice.shuffle(items)
    assert s.state(s.presentation, more) == "accepted"
    group = dice.choice(sorted(s.evidence))
    fewer = copy_of(s.evidence)
    del fewer[group][dice.randrange(len(fewer[group]))]
    if not fewer[group]:
        del fewer[group]
    assert s.state(s.presentation, fewer) != "accepted"


@FORMS
def test_only_the_whole_evidence_is_enough(form: str) -> None:
    """Of all its subsets, sixty-four."""
    s = story(form)
    items = [(group, item) for group, group_items in s.evidence.items() for item in group_items]
    for kept in itertools.product((False, True), repeat=len(items)):
        some: dict[str, list[Any]] = {}
        for keep, (group, item) in zip(kept, items, strict=True):
            if keep:
                some.setdefault(group, []).append(item)
        assert (s.state(s.presentation, some) == "accepted") == all(kept)


# --- from every refusal we know ---------------------------------------------------------------

REFUSED = pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)


def altered(case: Case) -> Draft:
    d = draft(case.depth)
    case.alter(d)
    return d


def state(bundle: bytes, trust: bytes, at: int) -> str:
    try:
        read, ours = Bundle.parse(bundle), Trust.parse(trust)
    except Error as exc:
        return exc.state
    return decide(read.presentation, read.evidence, ours, read.request, at=at).state


@REFUSED
def test_no_item_of_evidence_withheld_turns_this_refusal_into_a_yes(case: Case) -> None:
    d = altered(case)
    bundle, trust = d.build()
    assert state(bundle, trust, d.at) == case.state
    for group in (d.sponsors, d.identities, d.lists):
        for index in range(len(group)):
            item = group.pop(index)
            assert state(*d.build(), d.at) != "accepted", item.doc["id"]
            group.insert(index, item)


@REFUSED
def test_no_unknown_constraint_turns_this_refusal_into_a_yes(case: Case) -> None:
    for index in range(case.depth + 1):
        d = draft(case.depth)
        if index < case.depth:
            d.constrain(index, "moonPhase", "full")
        else:
            entitlements = d.sponsors[0].subject["entitlements"]
            entitlements["constraints"] = {"moonPhase": "full"}
        case.alter(d)
        assert state(*d.build(), d.at) != "accepted"
