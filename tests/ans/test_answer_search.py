"""Answers to searches: each agent is one, in order, and a trace is as it was signed."""

from __future__ import annotations

import pytest

from ans.ledger import NAME, SOX, V2, Ledger, attested, code_of, verified
from delegant.ans.query import Query
from delegant.credentials import shape
from refusal import refusal


@pytest.fixture
def market() -> Ledger:
    """A name, and version 2.1 of it by another agent."""
    made = Ledger()
    made.fill(3)
    made.register(capabilities=["search", "cite"])
    made.register(V2, made.agent("second"))
    return made


CAPABLE = Query.from_params([("capability", "SemanticSearch")])


def test_a_search_finds_the_highest_version_first(market: Ledger) -> None:
    entries = [market.entry(V2), market.entry()]
    said = verified(market, market.answer(CAPABLE, entries), CAPABLE)
    assert [one.name for one in said.agents] == [V2, NAME]
    assert said.resolution.name == V2
    for wrong in (entries[::-1], [entries[0], entries[0]]):
        assert code_of(market, market.answer(CAPABLE, wrong), CAPABLE) == "ans-signature"


def test_a_search_that_finds_nothing_is_signed(market: Ledger) -> None:
    said = verified(market, market.answer(CAPABLE, []), CAPABLE)
    assert (said.status, said.agents) == ("not-found", ())
    assert refusal(said.check_success) == "ans-not-found"


@pytest.mark.parametrize(
    "pair",
    [("capability", "Payroll"), ("provider", "Other"), ("protocol", "a2a"), ("attestation", SOX),
     ("available", "60")],
)  # fmt: skip
def test_a_registry_cannot_answer_another_question_than_was_asked(
    market: Ledger, pair: tuple[str, str]
) -> None:
    query = Query.from_params([pair])
    assert code_of(market, market.answer(query, [market.entry()]), query) == "ans-signature"


def test_what_was_asked_for_is_found(market: Ledger) -> None:
    health = {"status": "up", "at": shape.format_time(market.now - 60)}
    entry = market.entry(attestations=attested(market), health=health)
    pairs = [("provider", "datacorp"), ("protocol", "mcp"), ("attestation", SOX),
             ("available", "60")]  # fmt: skip
    query = Query.from_params(pairs)
    said = verified(market, market.answer(query, [entry]), query)
    assert [one.type for one in said.resolution.entry.attestations] == [SOX]
    assert said.resolution.json["attestations"] == [SOX]


def test_no_more_than_the_limit_and_none_kept_back_unsaid(market: Ledger) -> None:
    one = Query.from_params([("capability", "SemanticSearch"), ("limit", "1")])
    both = [market.entry(V2), market.entry()]
    assert code_of(market, market.answer(one, both), one) == "ans-signature"
    assert code_of(market, market.answer(one, both[:1], total=2), one) == ""
    assert code_of(market, market.answer(CAPABLE, both[:1], total=2), CAPABLE) == "ans-signature"
    assert code_of(market, market.answer(CAPABLE, both, total=1), CAPABLE) == "ans-signature"
    assert code_of(market, market.answer(CAPABLE, both, total=2), CAPABLE) == ""


def test_a_trace_is_signed_and_comes_where_it_was_asked_for(market: Ledger) -> None:
    asked = Query.from_params([("capability", "SemanticSearch"), ("trace", "true")])
    trace = [{"name": NAME, "reason": "no-attestation"}]
    answer = market.answer(asked, [market.entry(V2)], trace=trace)
    assert verified(market, answer, asked).trace == ((NAME, "no-attestation"),)
    assert code_of(market, answer | {"trace": []}, asked) == "ans-signature"
    assert code_of(market, {k: v for k, v in answer.items() if k != "trace"}, asked) != ""
    assert code_of(market, market.answer(asked, [market.entry(V2)]), asked) == "ans-signature"
    unasked = market.answer(CAPABLE, [market.entry(V2)], trace=trace)
    assert code_of(market, unasked, CAPABLE) == "ans-signature"
    odd = market.answer(asked, [market.entry(V2)], trace=[{"name": NAME, "reason": "mood"}])
    assert code_of(market, odd, asked) == "shape"


def test_what_is_called_unattested_is_what_no_attestation_covers(market: Ledger) -> None:
    honest = market.entry()
    assert honest["unattested"] == ["cite", "search"]
    silent = {name: value for name, value in honest.items() if name != "unattested"}
    partly = {"attestations": attested(market, capabilities=["search"])}
    for entry, code in (
        (honest, ""),
        (silent, "ans-signature"),
        (silent | {"unattested": ["cite"]}, "ans-signature"),
        (silent | {"unattested": ["cite", "search", "sing"]}, "ans-signature"),
        (silent | partly | {"unattested": ["cite"]}, ""),
        (silent | partly, "ans-signature"),
        (silent | {"attestations": attested(market)}, ""),
    ):
        assert code_of(market, market.answer(CAPABLE, [entry]), CAPABLE) == code, entry


def test_an_attestation_counts_to_its_last_second(market: Ledger) -> None:
    query = Query.from_params([("attestation", SOX)])

    def answer(seconds: int) -> object:
        end = shape.format_time(market.now + seconds)
        return market.answer(query, [market.entry(attestations=attested(market, validUntil=end))])

    assert code_of(market, answer(20), query, market.now + 19) == ""
    assert code_of(market, answer(20), query, market.now + 20) == "ans-stale"
    assert code_of(market, answer(0), query) == "ans-signature"
    # one that was not asked for is shown as counting, so it has to
    entry = market.entry(attestations=attested(market, validUntil=shape.format_time(market.now)))
    assert code_of(market, market.answer(CAPABLE, [entry]), CAPABLE) == "ans-signature"


def test_receipts_of_one_answer_are_of_one_log(market: Ledger) -> None:
    """The log's own key signed two trees of the same size, both older than the answer's."""
    entries = [market.entry(V2), market.entry()]
    size = market.size
    market.fill(1)
    honest = market.answer(CAPABLE, entries, size=size)
    assert code_of(market, honest, CAPABLE) == ""
    kept = market.leaves[1]
    market.leaves[1] = market.leaves[2]
    honest["resolvedAgents"][1]["receipt"] = market.receipt(entries[1]["index"], size)
    market.leaves[1] = kept
    assert code_of(market, honest, CAPABLE) == "log-split"


def test_nothing_found_is_nothing_shown(market: Ledger) -> None:
    answer = market.answer(CAPABLE, [market.entry(V2)])
    token = market.token(CAPABLE, "not-found", [market.entry(V2)])
    value = answer | {"freshness": token, "resolutionStatus": "not-found", "resolvedAgents": []}
    assert code_of(market, value, CAPABLE) == "ans-signature"
    empty = market.token(CAPABLE, "not-found", [])
    assert code_of(market, value | {"freshness": empty}, CAPABLE) == ""
