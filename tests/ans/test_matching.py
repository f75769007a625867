"""Who answers a question, in what order, and why the others do not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans import AnsName
from delegant.ans.matching import REASONS, Attestation, Candidate, attested, judge, order
from delegant.ans.pattern import NamePattern, fits
from delegant.ans.query import Query

AT = 1_800_000_000
NAME = "acp://FinancialRiskAnalysis.CorporateReporting.AcmeFinance.v2.1.3"
SOX = Attestation("SOX", AT + 100)


def candidate(name: str = NAME, **more: Any) -> Candidate:
    return Candidate(AnsName.parse(name), **({"status": "active"} | more))


def told(one: Candidate, **asked: Any) -> str | None:
    return judge(one, Query.from_json(asked), AT)


@pytest.mark.parametrize(
    ("asked", "one", "reason"),
    [
        ({"name": NAME}, candidate(), None),
        ({"name": NAME}, candidate(NAME + ".x"), "wrong-name"),
        ({"pattern": "*.*.AcmeFinance"}, candidate(), None),
        ({"pattern": "*.*.AcmeFinances"}, candidate(), "wrong-name"),
        ({"protocol": "acp"}, candidate(), None),
        ({"protocol": "mcp"}, candidate(), "wrong-protocol"),
        ({"provider": "ACMEFINANCE"}, candidate(), None),
        ({"provider": "AcrneFinance"}, candidate(), "wrong-provider"),
        ({"capability": "financialriskanalysis"}, candidate(), None),
        ({"capability": "CorporateReporting.FinancialRiskAnalysis"}, candidate(), None),
        ({"capability": "FinancialRiskAnalysis.CorporateReporting"}, candidate(), None),
        ({"capability": "CorporateReporting"}, candidate(), "wrong-capability"),
        ({"capability": "Summarise"}, candidate(capabilities=["summarisE"]), None),
        ({"version": "^2.1"}, candidate(), None),
        ({"version": "^2.2"}, candidate(), "wrong-version"),
        ({"provider": "acmefinance"}, candidate(status="suspended"), "suspended"),
        ({"provider": "acmefinance"}, candidate(status="expired"), "expired"),
        ({"provider": "acmefinance"}, candidate(status="revoked"), "revoked"),
        ({"provider": "acmefinance"}, candidate(status="new"), "unavailable"),
        ({"attestations": ["SOX"]}, candidate(attestations=[SOX]), None),
        ({"attestations": ["SOX"]}, candidate(), "no-attestation"),
        ({"attestations": ["SOX"]}, candidate(attestations=[Attestation("ISO", AT + 9)]), "no-attestation"),  # noqa: E501
        ({"attestations": ["SOX"]}, candidate(attestations=[Attestation("SOX", AT)]), "attestation-expired"),  # noqa: E501
        ({"attestations": ["SOX"]}, candidate(discounted=[("SOX", "attestation-issuer")]), "attestation-issuer"),  # noqa: E501
        ({"attestations": ["SOX"]}, candidate(discounted=[("SOX", "attestation-revoked")]), "attestation-revoked"),  # noqa: E501
        ({"attestations": ["SOX"]}, candidate(discounted=[("SOX", "attestation-stale")]), "attestation-stale"),  # noqa: E501
        ({"attestations": ["SOX", "ISO"]}, candidate(attestations=[SOX]), "no-attestation"),
        ({"available": 60}, candidate(health=("up", AT - 60)), None),
        ({"available": 60}, candidate(health=("up", AT - 61)), "unavailable"),
        ({"available": 60}, candidate(health=("up", AT + 1)), "unavailable"),
        ({"available": 60}, candidate(health=("down", AT)), "unavailable"),
        ({"available": 60}, candidate(), "unavailable"),
    ],
)  # fmt: skip
def test_a_candidate_is_judged(asked: Any, one: Candidate, reason: str | None) -> None:
    assert told(one, **asked) == reason
    assert reason is None or reason in REASONS


def test_an_attestation_of_something_else_does_not_count_for_what_is_asked() -> None:
    other = candidate(
        capabilities=["Summarise", "Translate"],
        attestations=[Attestation("SOX", AT + 9, frozenset({"Translate"}))],
    )
    assert told(other, attestations=["SOX"], capability="translate") is None
    assert told(other, attestations=["SOX"], capability="summarise") == "no-attestation"
    assert attested(other, "TRANSLATE", AT)
    assert not attested(other, "Summarise", AT)
    assert not attested(other, "Translate", AT + 9)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("mcp://*.*.c", "mcp://a.b.c.v1.0.x", "a2a://a.b.c.v1"),
        ("mcp://*.*.c.v*", "mcp://a.b.c.v1.0.x", "mcp://a.b.d.v1"),
        ("*", "mcp://a.b.c.v1", None),
        ("*://a.*", "mcp://a.b.c.v1", "mcp://aa.b.c.v1"),
        ("mcp://a.b.c.v1.*", "mcp://a.b.c.v1", "mcp://a.b.c.v2"),
        ("mcp://a.b.c.v1.*", "mcp://a.b.c.v1.2.3.x", "mcp://a.b.c.v11"),
        ("mcp://a.b.c.v1", "mcp://a.b.c.v1", "mcp://a.b.c.v1.0"),
        ("mcp://A*z.b.c", "mcp://a1z.b.c.v1", "mcp://a1.b.c.v1"),
        ("m*://a.b.c", "mcp://a.b.c.v1", "acp://a.b.c.v1"),
        ("*.b.*", "mcp://a.b.c.v1", "mcp://a.x.b.v1"),
    ],
)
def test_patterns(pattern: str, yes: str, no: str | None) -> None:
    read = NamePattern.parse(pattern)
    assert NamePattern.parse(str(read)) == read
    assert read.matches(AnsName.parse(yes))
    assert no is None or not read.matches(AnsName.parse(no))


@given(st.text("ab*", max_size=7), st.text("ab", max_size=7))
def test_the_matcher_agrees_with_trying_everything(pattern: str, text: str) -> None:
    def tried(left: str, right: str) -> bool:
        if not left:
            return not right
        if left[0] == "*":
            return any(tried(left[1:], right[at:]) for at in range(len(right) + 1))
        return right[:1] == left[0] and tried(left[1:], right[1:])

    assert fits(pattern, text) == tried(pattern, text)


def test_the_matcher_takes_linear_time() -> None:
    start = time.perf_counter()
    assert not fits("*a" * 10_000 + "*b", "a" * 20_000)
    assert not fits("*a" * 10_000 + "*b", "a" * 9_999 + "b")
    assert fits("*a" * 10_000 + "*b", "a" * 10_000 + "b")
    assert time.perf_counter() - start < 0.25


CANDIDATES = st.builds(
    lambda p, v, s: candidate(f"mcp://a.b.{p}.v{'.'.join(map(str, v))}", successor=s),
    st.sampled_from(["x", "y", "Z"]),
    st.lists(st.integers(0, 2), min_size=1, max_size=3),
    st.none() | st.just("mcp://a.b.x.v9"),
)


@given(st.lists(CANDIDATES, max_size=6, unique_by=lambda c: c.name.key), st.randoms())
def test_the_order_is_one_whatever_comes_first(some: list[Candidate], dice: Any) -> None:
    asked = Query.from_json({"version": "*", "prefer": "Y"})
    mixed = list(some)
    dice.shuffle(mixed)
    ordered = order(some, asked)
    assert order(mixed, asked) == ordered
    assert [c.name.provider_key != "y" for c in ordered] == sorted(
        c.name.provider_key != "y" for c in some
    )


def test_the_highest_version_comes_first_and_of_equals_the_one_not_deprecated() -> None:
    old = candidate("mcp://a.b.a.v2.9")
    gone = candidate("mcp://a.b.a.v2.10", successor="mcp://a.b.c.v2.10")
    new = candidate("mcp://a.b.c.v2.10")
    assert order([old, gone, new], Query.from_json({"version": "*"})) == [new, gone, old]


KINDS = st.sampled_from(["SOX", "ISO"])


@given(
    st.lists(st.builds(Attestation, KINDS, st.integers(AT - 2, AT + 2))),
    st.lists(st.tuples(KINDS, st.sampled_from(["attestation-issuer", "attestation-stale"]))),
)
def test_what_is_not_attested_never_answers_for_an_attestation(
    good: list[Attestation], bad: list[tuple[str, str]]
) -> None:
    one = candidate(attestations=good, discounted=bad)
    live = any(a.type == "SOX" and a.valid_until > AT for a in good)
    assert (told(one, attestations=["SOX"]) is None) == live
