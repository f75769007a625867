"""What the runner calls right, right in part, and wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from delegant.cli.limbo.cases import AnyCase, Case, load
from delegant.cli.limbo.judge import LISTED, Report, Result, judge, outcome
from delegant.cli.limbo.protocol import Answer, Question
from limbo import report as report_
from limbo.build import CASES

QUESTION = Question(b"{}", b"{}", {}, {}, {}, None, None, "2026-01-01T00:00:00Z")
YES = Case("a::yes", "Passes.", "high", frozenset(), None, QUESTION, "accepted", None, None, 9, 50)
NO = replace(YES, id="a::no", twin="a::yes", state="rejected", code="proof", link=1)
RIGHT = Answer("rejected", "proof", 1, chain=4, evidence=5, ms=50.0)


class Told:
    """A target that answers what it was told to."""

    name = "told"

    def __init__(self, **answers: Answer) -> None:
        self._answers = answers

    def answer(self, case: AnyCase) -> Answer:
        return self._answers[case.id.split("::")[1]]


@pytest.mark.parametrize(
    ("said", "expected", "why"),
    [
        (RIGHT, "pass", ""),
        (Answer("rejected", "proof", 1), "pass", ""),
        (replace(RIGHT, code="depth"), "partial", "rejected depth at link 1, not rejected proof"),
        (replace(RIGHT, link=None), "partial", "rejected proof, not rejected proof at link 1"),
        (replace(RIGHT, evidence=6), "fail", "10 signature checks, at most 9"),
        (replace(RIGHT, ms=50.1), "fail", "50 ms, at most 50"),
        (Answer("accepted"), "fail", "ACCEPTS WHAT MUST BE REFUSED"),
        (Answer("malformed", "proof", 1), "fail", "another state: malformed proof at link 1"),
        (Answer("none", fault="it fell over"), "fail", "it fell over"),
    ],
)
def test_an_answer_is_held_to_state_code_link_and_cost(
    said: Answer, expected: str, why: str
) -> None:
    found, told = outcome(NO, said)
    assert found == expected
    assert told.startswith(why)


def test_a_refusal_counts_only_beside_an_accepted_twin() -> None:
    report = judge([YES, NO], Told(yes=Answer("rejected", "proof", 1), no=RIGHT))
    assert [one.outcome for one in report.results] == ["fail", "fail"]
    assert "its twin a::yes" in report.results[1].why
    report = judge([YES, NO], Told(yes=Answer("accepted"), no=RIGHT))
    assert [one.outcome for one in report.results] == ["pass", "pass"]
    assert report.status == 0


def test_the_status_tells_failed_from_partial() -> None:
    partial = judge([YES, NO], Told(yes=Answer("accepted"), no=replace(RIGHT, link=None)))
    assert partial.status == 3
    failed = judge([YES, NO], Told(yes=Answer("accepted"), no=Answer("accepted")))
    assert failed.status == 1
    known = judge([YES, NO], Told(yes=Answer("accepted"), no=Answer("accepted")),
                  frozenset({"a::no"}))  # fmt: skip
    assert known.status == 0
    stale = judge([YES, NO], Told(yes=Answer("accepted"), no=RIGHT), frozenset({"a::no"}))
    assert stale.status == 1
    assert "xpass: a::no" in stale.text


def test_a_report_for_people_is_short_and_one_for_machines_whole() -> None:
    results = tuple(
        Result(replace(NO, id=f"a::n{at}"), replace(RIGHT, code="depth"), "partial", "why")
        for at in range(LISTED + 5)
    )
    report = Report("told", results, ("a::gone",))
    assert "… and 5 more" in report.text
    assert report.text.count("partial: a::n") == LISTED
    assert "no such case: a::gone" in report.text
    assert len(report.json["results"]) == LISTED + 5
    assert report.json["results"][0]["chainSignatures"] == 4
    assert report.json["namespaces"] == {"a": {"total": LISTED + 5, "partial": LISTED + 5}}


def test_the_report_of_make_keeps_a_place_for_necessity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report_, "OUT", tmp_path / "build" / "limbo.json")
    few = [case for case in load(CASES, ("canon",)) if case.state == "accepted"]
    monkeypatch.setattr(report_, "load", lambda _folder: few)
    monkeypatch.setattr(report_, "xfails", lambda _path: frozenset())
    assert report_.write() == 0
    assert json.loads(report_.OUT.read_text())["necessity"] == {}
    assert report_.write(lambda: {"4 chain-broken": ("link::reversed",)}) == 0
    said = json.loads(report_.OUT.read_text())
    assert said["necessity"] == {"4 chain-broken": ["link::reversed"]}
    assert said["outcomes"] == {"pass": len(few)}
    assert "canon" in capsys.readouterr().out
