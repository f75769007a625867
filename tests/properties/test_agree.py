"""One input, one answer: however it is asked, however often, in whatever form it is handed in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Item, corpus
from delegant.credentials import (
    Bundle,
    Error,
    Evidence,
    Presentation,
    Trust,
    Verdict,
    decide,
    explain,
    verify,
    verify_chain,
)
from properties.story import as_bytes, damaged, story

READABLE = [item for item in corpus() if item.state != "malformed"]


def opened(item: Item) -> tuple[Bundle, Trust]:
    """The bundle and the trust."""
    return Bundle.parse(item.bundle), Trust.parse(item.trust)


@pytest.mark.parametrize("item", READABLE, ids=lambda item: item.name)
def test_every_way_of_asking_gives_the_same_answer(item: Item) -> None:
    bundle, trust = opened(item)
    shown, evidence, asked = bundle.presentation, bundle.evidence, bundle.request
    first = decide(shown, evidence, trust, asked, at=item.at)
    assert (first.state, first.code) == (item.state, item.code)
    again = [
        decide(shown, evidence, trust, asked, at=item.at),
        explain(shown, evidence, trust, asked, at=item.at).verdict,
        decide(shown.to_bytes(), evidence.to_bytes(), trust, asked, at=item.at),
        decide(shown, Evidence.from_json(evidence.json), trust, asked, at=item.at),
        decide(Presentation.from_json(shown.json), evidence, opened(item)[1], asked, at=item.at),
    ]
    try:
        again.append(Verdict.of(verify(shown, evidence, trust, asked, at=item.at)))
    except Error as exc:
        again.append(Verdict.of(exc))
    assert [one.json for one in again] == [first.json] * len(again)


@pytest.mark.parametrize("item", READABLE, ids=lambda item: item.name)
def test_chain_alone_is_judged_as_its_explanation_says(item: Item) -> None:
    bundle, trust = opened(item)
    told = explain(bundle.presentation, bundle.evidence, trust, None, at=item.at)
    try:
        chain = verify_chain(bundle.presentation, bundle.evidence, trust, at=item.at)
    except Error as exc:
        assert told.verdict.json == Verdict.of(exc).json
        # without a request nothing is known to be of low sensitivity: lists must be fresh
        assert item.state != "accepted" or exc.code == "status-stale"
    else:
        assert told.verdict.state == "accepted"
        assert chain.path == (chain.links[0].issuer, *(link.subject for link in chain.links))
    assert told.json == explain(bundle.presentation, bundle.evidence, trust, None, at=item.at).json


@pytest.mark.parametrize("item", READABLE, ids=lambda item: item.name)
def test_steps_told_come_in_order_and_stop_where_the_verdict_says(item: Item) -> None:
    bundle, trust = opened(item)
    told = explain(bundle.presentation, bundle.evidence, trust, bundle.request, at=item.at)
    phases = [step.phase for step in told.steps]
    assert phases == sorted(phases)
    if told.verdict.phase is not None:
        # phase 5 also refuses a root's status bits once the sponsor's lease is known, in phase 9
        assert all(phase <= max(told.verdict.phase, 9) for phase in phases)
        assert 12 not in phases
    else:
        alone = {5} if len(bundle.presentation.links) == 1 else set()  # nothing to compare with
        assert set(phases) == set(range(1, 13)) - alone


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_presentation_and_evidence_get_the_same_answer_both_ways(data: Any) -> None:
    s = story(data.draw(st.sampled_from(["di", "jwt"])))
    which = data.draw(st.sampled_from(["presentation", "evidence", "neither"]))
    shown = as_bytes(data.draw(damaged(s.presentation)) if which == "presentation" else
                     s.presentation)  # fmt: skip
    evidence = as_bytes(data.draw(damaged(s.evidence)) if which == "evidence" else s.evidence)
    at = s.now + data.draw(st.sampled_from([0, 0, -31, 59, 60, 119, 120, 10**6, -(10**10), 10**12]))
    nonce = data.draw(st.sampled_from([None, None, "n"]))
    one = decide(shown, evidence, s.trust, s.asked, at=at, nonce=nonce)
    two = explain(shown, evidence, s.trust, s.asked, at=at, nonce=nonce)
    assert one.json == two.verdict.json
    assert one.state in {"accepted", "rejected", "undecided", "malformed"}
    json.dumps(two.json, allow_nan=False)
