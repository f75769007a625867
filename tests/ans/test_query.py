"""Questions: the shapes that are read, their one spelling, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans.query import UP_SECONDS, Query
from delegant.credentials import Error
from refusal import refusal

LISTING_1 = {
    "requestType": "resolveAgentByCapability",
    "desiredProtocol": "acp",
    "requiredCapability": "FinancialRiskAnalysis.CorporateReporting",
    "preferredProvider": "AcmeFinance",
    "versionRange": ">=2.1.0 <3.0.0",
    "requiredAttestations": [{"vcType": "SOXComplianceCertified"}],
}
LISTING_4 = {
    "requestType": "resolveAgentByNameAndCapability",
    "ansNamePattern": "helpdesk://*.ProductQuery.*.v1.*",
    "requiredCapability": "ProductQuery",
    "availabilityRequirement": "high",
}


def test_a_request_shaped_as_the_papers_by_capability_is_read() -> None:
    assert Query.from_json(LISTING_1).json == {
        "protocol": "acp",
        "capability": "financialriskanalysis.corporatereporting",
        "prefer": "acmefinance",
        "version": ">=2.1.0 <3.0.0",
        "attestations": ["SOXComplianceCertified"],
    }


def test_a_request_shaped_as_the_papers_by_name_and_capability_is_read() -> None:
    assert Query.from_json(LISTING_4).json == {
        "pattern": "helpdesk://*.productquery.*.v1.*",
        "capability": "productquery",
        "available": UP_SECONDS,
    }
    assert Query.from_json(LISTING_4 | {"availabilityRequirement": 60}).available == 60


def test_a_name_is_asked_for_by_itself() -> None:
    asked = Query.exact("mcp://A.b.C.v1")
    assert asked.json == {"name": "mcp://a.b.c.v1"}
    assert asked == Query.from_json({"name": "mcp://a.B.c.v1"})
    assert asked == Query.from_params([("name", "mcp://a.b.c.v1")])


def test_a_body_is_read_from_its_bytes() -> None:
    assert Query.from_json(json.dumps(LISTING_1).encode()) == Query.from_json(LISTING_1)
    assert refusal(lambda: Query.from_json(b'{"provider":"a","provider":"a"}'))
    assert refusal(lambda: Query.from_json(b'{"provider":"' + b"a" * 20_000 + b'"}'))


def test_how_much_of_the_log_is_wanted_is_no_part_of_the_question() -> None:
    asked = Query.exact("mcp://a.b.c.v1", min_log_size=7)
    assert asked.digest == Query.exact("mcp://a.b.c.v1").digest
    assert asked.pairs == [("name", "mcp://a.b.c.v1"), ("min_log_size", "7")]


PAIRS = [
    ([], "ans-query"),
    ([("trace", "true")], "ans-query"),
    ([("limit", "5")], "ans-query"),
    ([("prefer", "acme")], "ans-query"),
    ([("colour", "red"), ("provider", "a")], "ans-query"),
    ([("attestations", "A")], "ans-query"),
    ([("provider", "a"), ("provider", "a")], "ans-query"),
    ([("name", "mcp://a.b.c.v1"), ("provider", "c")], "ans-query"),
    ([("name", "mcp://a.b.v1")], "ans-name"),
    ([("name", "")], "ans-name"),
    ([("provider", "a.b")], "ans-name"),
    ([("provider", "")], "ans-name"),
    ([("protocol", "m cp")], "ans-name"),
    ([("protocol", "*")], "ans-name"),
    ([("capability", "")], "shape"),
    ([("capability", "a" * 257)], "shape"),
    ([("capability", "a\n")], "shape"),
    ([("version", "")], "ans-query"),
    ([("version", "^1 || ^2")], "ans-query"),
    ([("pattern", "")], "ans-query"),
    ([("pattern", "mcp://a.b")], "ans-query"),
    ([("pattern", "mcp://a.b." + "c" * 64)], "ans-query"),
    ([("pattern", "*" * 254)], "ans-query"),
    ([("pattern", "mcp://a_b.*.*")], "ans-query"),
    ([("pattern", "://a.b.c")], "ans-query"),
    ([("pattern", "mcp://a.b.c.v1.2.3.x.y")], "ans-query"),
    ([("pattern", "mcp://[a-z].b.c")], "ans-query"),
    ([("pattern", "mcp://а.b.c")], "ans-query"),
    ([("attestation", "")], "shape"),
    ([("attestation", "A"), ("attestation", "A")], "shape"),
    ([("attestation", f"A{n}") for n in range(17)], "limit-items"),
    ([("provider", "a"), ("trace", "yes")], "ans-query"),
    ([("provider", "a"), ("trace", "1")], "ans-query"),
    ([("provider", "a"), ("limit", "0")], "shape"),
    ([("provider", "a"), ("limit", "51")], "shape"),
    ([("provider", "a"), ("limit", "01")], "ans-query"),
    ([("provider", "a"), ("limit", "-1")], "shape"),
    ([("provider", "a"), ("limit", "1e1")], "ans-query"),
    ([("provider", "a"), ("limit", "١")], "ans-query"),
    ([("available", "0")], "shape"),
    ([("available", "86401")], "shape"),
    ([("available", "now")], "ans-query"),
    ([("provider", "a"), ("min_log_size", "9" * 16)], "ans-query"),
    ([("attestation", f"A{n}") for n in range(65)], "ans-query"),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "code"), PAIRS)
def test_parameters_that_ask_nothing_are_refused(pairs: list[tuple[str, str]], code: str) -> None:
    assert refusal(lambda: Query.from_params(pairs)) == code


BODIES: list[tuple[Any, str]] = [
    (None, "shape"),
    ([], "shape"),
    ("mcp://a.b.c.v1", "shape"),
    ({}, "ans-query"),
    ({"name": None}, "shape"),
    ({"name": 7}, "ans-name"),
    ({"name": "mcp://a.b.c.v1", "provider": "c"}, "unknown-member"),
    ({"provider": None}, "shape"),
    ({"provider": 7}, "ans-name"),
    ({"protocol": 7}, "ans-name"),
    ({"pattern": ["*"]}, "ans-query"),
    ({"version": 2}, "ans-query"),
    ({"colour": "red", "provider": "a"}, "unknown-member"),
    ({"attestation": "A"}, "unknown-member"),
    ({"attestations": "A"}, "shape"),
    ({"attestations": []}, "empty-array"),
    ({"attestations": [7]}, "shape"),
    ({"attestations": [f"A{n}" for n in range(17)]}, "limit-items"),
    ({"available": True}, "shape"),
    ({"available": "60"}, "shape"),
    ({"provider": "a", "limit": 51}, "shape"),
    ({"provider": "a", "trace": "true"}, "shape"),
    ({"provider": "a", "trace": 1}, "shape"),
    ({"provider": "a", "min_log_size": -1}, "shape"),
    ({"requestType": "resolveAgent"}, "ans-query"),
    ({"requestType": None}, "ans-query"),
    ({"requestType": ["resolveAgentByCapability"]}, "ans-query"),
    ({"requestType": "resolveAgentByCapability"}, "shape"),
    (LISTING_1 | {"name": "mcp://a.b.c.v1"}, "unknown-member"),
    (LISTING_1 | {"provider": "a"}, "unknown-member"),
    (LISTING_1 | {"versionRange": None}, "shape"),
    (LISTING_1 | {"requiredAttestations": ["SOX"]}, "shape"),
    (LISTING_1 | {"requiredAttestations": [{"vcType": "SOX", "issuer": "did:x:y"}]}, "unknown-member"),  # noqa: E501
    (LISTING_1 | {"requiredAttestations": {"vcType": "SOX"}}, "shape"),
    (LISTING_1 | {"preferredProvider": "Acme Corp"}, "ans-name"),
    ({k: v for k, v in LISTING_4.items() if k != "ansNamePattern"}, "shape"),
    (LISTING_4 | {"availabilityRequirement": ""}, "shape"),
    (LISTING_4 | {"availabilityRequirement": "99.9%"}, "ans-query"),
    (LISTING_4 | {"availabilityRequirement": "five9"}, "ans-query"),
    (LISTING_4 | {"availabilityRequirement": {"uptime": 99}}, "shape"),
    (LISTING_4 | {"availabilityRequirement": 0}, "shape"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code"), BODIES)
def test_bodies_that_ask_nothing_are_refused(body: Any, code: str) -> None:
    assert refusal(lambda: Query.from_json(body)) == code


QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "pattern": st.sampled_from(["mcp://*.*.Acme", "*://a*.B.c.v1.*", "*", "a.b.c.v1"]),
        "capability": st.text("aB.-é", min_size=1, max_size=8),
        "version": st.sampled_from(["^2", "~2.1", "*", ">=1 <2", "1.2"]),
        "provider": st.sampled_from(["Acme", "b-1"]),
        "protocol": st.sampled_from(["mcp", "A2A"]),
        "attestations": st.lists(st.sampled_from("ABCD"), min_size=1, unique=True),
        "available": st.integers(1, 86_400),
        "prefer": st.sampled_from(["Acme", "x"]),
        "limit": st.integers(1, 50),
        "trace": st.booleans(),
    },
).filter(lambda q: q.keys() - {"prefer", "limit", "trace"})


@given(QUESTIONS, st.randoms())
def test_two_spellings_of_one_question_have_one_digest(body: dict[str, Any], dice: Any) -> None:
    members = list(body.items())
    dice.shuffle(members)
    other = dict(members)
    for member in ("pattern", "provider", "prefer", "protocol"):
        if member in other:
            other[member] = other[member].upper()
    if "attestations" in other:
        other["attestations"] = other["attestations"][::-1]
    if "version" in other:
        other["version"] = f" {other['version']} "
    if other.get("limit") == 10:
        del other["limit"]
    asked = Query.from_json(body)
    assert Query.from_json(other) == asked
    assert Query.from_json(other).digest == asked.digest
    assert Query.from_json(asked.json) == asked == Query.from_params(asked.pairs)


@given(QUESTIONS, QUESTIONS)
def test_questions_that_differ_have_different_digests(one: Any, other: Any) -> None:
    first, second = Query.from_json(one), Query.from_json(other)
    assert (first.digest == second.digest) == (first == second)


def test_a_refusal_of_an_unknown_parameter_can_be_sent() -> None:
    with pytest.raises(Error) as caught:
        Query.from_params([("a\udceb\n", "x")])
    assert json.dumps(caught.value.problem(), ensure_ascii=False).encode()
