"""Every case about the naming service gets its one right verdict, beside a twin that passes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from delegant import schemas
from delegant.cli.limbo import judge, naming, targets
from delegant.cli.limbo.cases import load, load_any, load_naming
from delegant.cli.limbo.client import from_question
from delegant.cli.limbo.naming import NamingCase, NamingQuestion
from delegant.cli.limbo.protocol import Answer
from delegant.cli.main import app
from delegant.credentials import Error
from limbo.ansbuild import CASES, collect, faults, written

ROOT = Path(__file__).resolve().parents[2]
NAMES = [path.stem for path in sorted(CASES.glob("*.json"))]
OURS = shlex.join([sys.executable, "-m", "delegant.cli.main", "limbo"])
ANSWER_CODES = {
    "ans-gone", "ans-name", "ans-not-found", "ans-rebound", "ans-signature", "ans-stale",
    "ans-suspended", "duplicate-member", "encoding", "json", "key-unresolved", "limit-items",
    "limit-size", "log-entry", "log-note", "log-proof", "log-rollback", "log-split",
    "log-witness", "name-confusable", "name-taken", "shape", "unknown-member", "unknown-version",
}  # fmt: skip
"""What texts, receipts and answers are refused with."""
ONCE = {"ans-gone", "ans-suspended", "key-unresolved"}
"""Of those, what is said in one way only."""


@cache
def every() -> dict[str, NamingCase]:
    """All cases by id."""
    return {case.id: case for case in load_naming(CASES)}


def of(namespace: str) -> list[NamingCase]:
    """The cases of one namespace."""
    return [case for case in every().values() if case.namespace == namespace]


@cache
def answered(id_: str) -> tuple[str, str | None]:
    """The library's word on one case."""
    said = naming.answer(every()[id_].question)
    return said.state, said.code


def test_there_are_enough_of_them_and_of_every_kind() -> None:
    assert NAMES == ["name", "receipt"]
    assert len(of("name")) >= 85
    assert len(of("receipt")) >= 40
    for name in NAMES:
        accepted = [case for case in of(name) if case.state == "accepted"]
        assert len(of(name)) / 2 > len(accepted) >= 20
    asked = Counter(case.question.value["ask"] for case in every().values())
    assert asked.keys() == {"name", "alias", "names", "receipt", "answer"}


def test_every_code_of_names_and_answers_has_two_cases() -> None:
    met = Counter(case.code for case in every().values() if case.code is not None)
    assert met.keys() == ANSWER_CODES
    assert {code for code, number in met.items() if number < 2} <= ONCE


def test_the_rows_are_sound() -> None:
    assert faults(collect()) == []


@pytest.mark.parametrize("namespace", NAMES)
def test_the_data_are_what_the_rows_give(namespace: str) -> None:
    assert written(namespace, collect()[namespace]) == (CASES / f"{namespace}.json").read_text()


@pytest.mark.parametrize("namespace", NAMES)
def test_the_data_fit_their_schema(namespace: str) -> None:
    document = json.loads((CASES / f"{namespace}.json").read_bytes())
    assert schemas.validate("limbo-ans", document) == []
    assert document["namespace"] == namespace
    document["cases"][0]["question"]["more"] = 1
    assert schemas.validate("limbo-ans", document) != []


@pytest.mark.parametrize("namespace", NAMES)
def test_every_case_gets_its_verdict(namespace: str) -> None:
    wrong = {
        case.id: (answered(case.id), (case.state, case.code))
        for case in of(namespace)
        if answered(case.id) != (case.state, case.code)
    }
    assert wrong == {}


@pytest.mark.parametrize("namespace", NAMES)
def test_no_refusal_is_for_nothing(namespace: str) -> None:
    for case in of(namespace):
        if case.state != "accepted":
            assert case.twin is not None, case.id
            assert answered(case.twin) == ("accepted", None), (case.id, case.twin)


def test_no_two_refusals_ask_the_same() -> None:
    asked: dict[str, list[str]] = {}
    for case in every().values():
        if case.state != "accepted":
            asked.setdefault(case.question.line, []).append(case.id)
    assert [ids for ids in asked.values() if len(ids) > 1] == []


def test_a_memory_is_asked_for_only_where_it_is_needed() -> None:
    for case in every().values():
        if "memory" in case.features:
            assert case.question.value["memory"] is not None
        elif case.question.value["ask"] == "answer":
            assert case.question.value["memory"] is None
            assert case.question.value["proofs"] == []


def test_the_features_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "limbo.md").read_text()
    features = {one for case in every().values() for one in case.features}
    assert features == {"memory", "look-alikes", "jws"}
    assert all(f"`{one}`" in page for one in features)


def some(*ids: str) -> list[NamingCase]:
    """Cases by id, with their twins."""
    twins = {every()[id_].twin for id_ in ids}
    return [case for case in every().values() if case.id in ids or case.id in twins]


FEW = (
    "name::script::lone-surrogate",
    "name::clash::all-at-once",
    "receipt::opening::another-salt",
    "receipt::memory::shrunk",
    "receipt::pin::handed-over-without-consent",
    "receipt::witness::too-few",
)


def test_any_program_can_be_asked_by_lines() -> None:
    with targets.reach(OURS) as target:
        assert isinstance(target, targets.Stream)
        report = judge.judge(some(*FEW), target)
    assert set(report.counts) == {"pass"}
    assert report.status == 0


def test_or_once_a_case(tmp_path: Path) -> None:
    target = targets.Command(shlex.split(OURS), tmp_path)
    report = judge.judge(some(*FEW[:2]), target)
    assert set(report.counts) == {"pass"}


def test_one_that_believes_everything_is_caught_at_every_refusal() -> None:
    class Believer:
        name = "believer"

        def answer(self, case: object) -> Answer:
            return Answer("accepted")

    report = judge.judge([*every().values()], Believer())
    refusals = [case for case in every().values() if case.state != "accepted"]
    assert report.counts["fail"] == len(refusals)
    assert report.status == 1


def test_the_command_puts_them_to_the_library() -> None:
    done = CliRunner().invoke(app, ["limbo", "run", "--cases", str(CASES), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["outcomes"] == {"pass": said["total"]} == {"pass": len(every())}
    done = CliRunner().invoke(
        app, ["limbo", "run", "--cases", str(CASES), "--namespace", "receipt", "--without", "jws"]
    )
    assert done.exit_code == 0, done.output
    assert "skip" in done.stdout


def test_chains_and_names_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Error):
        load(CASES)
    with pytest.raises(Error):
        load_naming(CASES.parent / "cases")
    assert [case.id for case in load_any(CASES)] == list(every())
    (tmp_path / "chain.json").write_text('{"asks": "about a chain"}')
    with pytest.raises(Error) as caught:
        load_any(tmp_path)
    assert caught.value.code == "shape"


def test_a_line_says_what_the_case_says() -> None:
    for case in every().values():
        again = NamingQuestion.from_line(case.question.line.encode())
        assert again == case.question
    assert NamingQuestion.from_line(b'{"presentation": ""}') is None
    for line in (b"", b'{"ask": "receipt", "data": "?"}', b'{"ask": "receipt", "data": 1}'):
        with pytest.raises(ValueError, match=r"question|JSON|Expecting"):
            NamingQuestion.from_line(line)


def test_a_file_asks_one_question(tmp_path: Path) -> None:
    path = tmp_path / "question"
    path.write_text('{"ask": "name", "text": "mcp://a.b.c.v1"}')
    assert from_question(path) == Answer("accepted")
    path.write_text('{"ask": "the way"}')
    assert from_question(path) == Answer("malformed", "shape")
    for text in ("{", "{}"):
        path.write_text(text)
        with pytest.raises(Error) as caught:
            from_question(path)
        assert caught.value.code == "shape"


def test_the_lines_of_the_page_are_those_of_the_protocol() -> None:
    page = (ROOT / "docs" / "limbo.md").read_text()
    (asked,) = re.findall(r'^ {4}(\{"ask".*)$', page, re.MULTILINE)
    found = NamingQuestion.from_line(asked.encode())
    assert found is not None
    assert naming.answer(found) == Answer("malformed", "ans-name")
    assert found.line == asked
    for name in NAMES:
        assert f"| `{name}` |" in page


def test_a_checkout_rebuilds_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "limbo.ansbuild", "--check"],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
