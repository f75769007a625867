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
from delegant.credentials import Bundle, Error, Evidence, Trust, decide
from draft import Draft, draft
from properties.story import ASKED, FORMS, copy_of, shuffled, story
from world import LIST, World, research_chain


@given(seed=st.integers(0, 2**32))
def test_evidence_withheld_never_turns_no_into_yes(seed: int) -> None:
    """From any damaged state, removing any one item of evidence gives no new yes.

    Lists and revisions are the exception that `seen` exists for: a holder who withholds the
    newest is caught by what the verifier has seen, so the verifier here has seen it.
    """
    dice = random.Random(seed)
    world = World()
    links, parties = research_chain(world)
    now = world.now
    old = world.status_list().secured.raw
    victim = dice.choice(links)
    assert victim.status is not None
    world.revoked.add(victim.status.index + dice.randrange(2))
    world.now = now + 1
    new = world.status_list().secured.raw
    lists = [old, new]
    dice.shuffle(lists)
    world.now = now
    evidence = world.evidence(status_lists=lists).json
    trust = world.trust(seen={"lists": {LIST: "2026-09-21T14:13:21Z"}})
    asked = ASKED
    shown = world.present(links, asked).to_bytes()

    def state(groups: dict[str, Any]) -> str:
        return decide(shown, Evidence.from_json(groups), trust, asked, at=now + 1).state

    assert state(evidence) == "rejected"
    for group, items in evidence.items():
        for index in range(len(items)):
            fewer = copy_of(evidence)
            del fewer[group][index]
            if not fewer[group]:
                del fewer[group]
            assert state(fewer) != "accepted", (group, index)
    assert parties


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
    for index in range(case.depth):
        d = draft(case.depth)
        d.constrain(index, "moonPhase", "full")
        case.alter(d)
        assert state(*d.build(), d.at) != "accepted"
