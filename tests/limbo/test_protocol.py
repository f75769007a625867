"""The protocol as others meet it: real processes, right ones and broken ones."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from delegant.cli.limbo import client, judge, targets
from delegant.cli.limbo.cases import Case, load
from delegant.cli.limbo.protocol import Answer, Question
from delegant.cli.main import app
from delegant.credentials import Error
from limbo.build import CASES

HERE = Path(__file__).resolve().parent
OURS = f"{shlex.quote(str(Path(sys.executable).parent / 'delegant'))} limbo"
HONEST = "happy::honest::two-links"
FEW = (
    HONEST,
    "happy::request::nonce-answered",
    "proof::signature::link-1-bit-0",
    "proof::suite::rdfc",
    "wire::structure::empty",
    "wire::size::presentation-over-limit",
)
"""One of each state, one with a nonce, one with limits, and their twins."""


def broken(fault: str) -> str:
    """The command of a broken verifier."""
    return shlex.join([sys.executable, str(HERE / "broken.py"), fault])


@cache
def every() -> tuple[Case, ...]:
    """All cases."""
    return tuple(load(CASES))


def some(*ids: str) -> list[Case]:
    """Cases by id, and the twins they need."""
    needed = set(ids) | {case.twin for case in every() if case.id in ids}
    return [case for case in every() if case.id in needed]


def judged(command: str, cases: Any, **more: Any) -> judge.Report:
    """The report of a command."""
    with targets.reach(command) as target:
        return judge.judge(cases, target, **more)


def test_our_own_client_answers_all_in_one_process() -> None:
    with targets.reach(OURS) as target:
        assert isinstance(target, targets.Stream)
        report = judge.judge(every(), target)
    assert dict(report.counts) == {"pass": len(every())}
    assert report.status == 0


def test_our_own_client_answers_a_case_a_process(tmp_path: Path) -> None:
    target = targets.Command(shlex.split(OURS), tmp_path)
    for case in some(*FEW):
        said = target.answer(case)
        assert (said.state, said.code, said.link) == (case.state, case.code, case.link), said


def test_a_target_that_cannot_stream_is_started_for_every_case() -> None:
    with targets.reach(broken("plain")) as target:
        assert isinstance(target, targets.Command)
        report = judge.judge(some(*FEW), target)
    assert set(report.counts) == {"pass"}


def test_one_that_accepts_all_is_caught_at_every_refusal() -> None:
    report = judged(broken("accepts"), every())
    refusals = [case for case in every() if case.state != "accepted"]
    assert report.counts["fail"] == len(refusals)
    assert report.status == 1
    assert all("ACCEPTS" in one.why for one in report.results if one.outcome == "fail")


def test_one_that_refuses_all_is_right_for_nothing() -> None:
    report = judged(broken("refuses"), every())
    assert set(report.counts) == {"fail"}
    assert any("right for nothing" in one.why for one in report.results)


@pytest.mark.parametrize(
    ("fault", "caught"),
    [
        ("sorts", "wire::structure::links-leaf-first"),
        ("lenient", "wire::duplicate::root-same"),
    ],
)
def test_one_with_a_fault_is_caught_where_it_is(fault: str, caught: str) -> None:
    report = judged(broken(fault), load(CASES, ("link", "wire")))
    wrong = {one.case.id for one in report.results if "ACCEPTS" in one.why}
    assert caught in wrong
    assert len(wrong) < len(report.results) / 3, "the fault is a small one"


def test_right_states_for_other_reasons_are_conformance_in_part() -> None:
    report = judged(broken("codeless"), some(*FEW))
    assert set(report.counts) == {"pass", "partial"}
    assert report.status == 3


@pytest.mark.parametrize("fault", ["garbage", "exits"])
def test_an_answer_outside_the_protocol_is_none(fault: str) -> None:
    report = judged(broken(fault), some("proof::suite::rdfc"))
    assert set(report.counts) == {"fail"}


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "PATIENCE", 3.0)
    report = judged(broken("hangs"), some(HONEST))
    assert report.counts == {"fail": 1}


def test_a_target_that_does_not_exist_is_told() -> None:
    with pytest.raises(Error) as caught, targets.reach("/no/such/verifier"):
        pass
    assert caught.value.code == "not-found"


def test_a_line_says_what_the_files_say() -> None:
    for case in every():
        again = Question.from_line(case.question.line.encode())
        assert again == case.question
    for line in (b"", b"{}", b"[]", b'{"presentation": "?", "evidence": ""}'):
        with pytest.raises(ValueError, match=r"question|JSON|Expecting"):
            Question.from_line(line)


@pytest.mark.parametrize(
    "line", ["", "yes", "[]", "{}", '{"state":"maybe","code":null,"link":null}',
             '{"state":"accepted","code":1,"link":null}',
             '{"state":"rejected","code":"proof","link":"1"}'],
)  # fmt: skip
def test_what_is_no_answer_is_none(line: str) -> None:
    assert Answer.from_line(line).state == "none"


def test_the_command_runs_a_namespace_and_its_twins(tmp_path: Path) -> None:
    typed = ["limbo", "run", "--cases", str(CASES), "--namespace", "incident"]
    done = CliRunner().invoke(app, [*typed, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["outcomes"] == {"pass": said["total"]}
    assert said["namespaces"]["happy"]["total"] < said["namespaces"]["incident"]["total"]
    listed = tmp_path / "known.xfails"
    listed.write_text("# none\nincident::alg-none # not so\nincident::nowhere\n")
    done = CliRunner().invoke(app, [*typed, "--xfails", str(listed)])
    assert done.exit_code == 1
    assert "xpass: incident::alg-none" in done.stdout
    assert "no such case: incident::nowhere" in done.stdout


def test_features_a_target_lacks_are_skipped() -> None:
    typed = ["limbo", "run", "--cases", str(CASES), "--namespace", "happy", "--json"]
    done = CliRunner().invoke(app, [*typed, "--without", "did:web", "--without", "vc+jwt"])
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert said["outcomes"]["skip"] >= 10
    assert said["outcomes"]["skip"] + said["outcomes"]["pass"] == said["total"]


def test_known_failures_are_no_failures(tmp_path: Path) -> None:
    refusals = [case.id for case in every() if case.state != "accepted"]
    with targets.reach(broken("accepts")) as target:
        report = judge.judge(some(*FEW), target, frozenset(refusals))
    assert report.counts["xfail"] == len([c for c in some(*FEW) if c.state != "accepted"])
    assert report.status == 0


def test_without_cases_it_says_where_to_get_them(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["limbo", "run", "--cases", str(tmp_path)])
    assert done.exit_code == 1
    assert "tests/limbo/cases" in done.stderr
    done = CliRunner().invoke(app, ["limbo", "run", "--cases", str(CASES), "--namespace", "no"])
    assert done.exit_code == 1
    assert "no cases of no" in done.stderr
    (tmp_path / "odd.json").write_text('{"version": 2}')
    done = CliRunner().invoke(app, ["limbo", "run", "--cases", str(tmp_path)])
    assert done.exit_code == 3
    (tmp_path / "odd.json").write_text("{")
    done = CliRunner().invoke(app, ["limbo", "run", "--cases", str(tmp_path)])
    assert done.exit_code == 4


def test_verify_says_which_option_is_missing() -> None:
    done = CliRunner().invoke(app, ["limbo", "verify"])
    assert done.exit_code == 4
    assert "--evidence is missing" in done.stderr


def test_a_stream_ends_with_its_input() -> None:
    done = subprocess.run(
        [*shlex.split(OURS), "verify", "--stream"],
        input=some(HONEST)[0].question.line + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        '{"limbo": 1}',
        '{"state": "accepted", "code": null, "link": null}',
    ]


def blocks(language: str) -> list[str]:
    """The code in one language of the page about all this."""
    page = (HERE.parent.parent / "docs" / "limbo.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_target_of_the_page_keeps_to_the_protocol(tmp_path: Path) -> None:
    target = tmp_path / "my_verifier.py"
    target.write_text(blocks("python")[0])
    report = judged(shlex.join([sys.executable, str(target)]), some(*FEW))
    assert {one.answer.state for one in report.results if one.answer} == {"undecided"}
    assert report.status == 1


def test_the_lines_of_the_page_are_those_of_the_protocol() -> None:
    page = (HERE.parent.parent / "docs" / "limbo.md").read_text()
    asked, said = re.findall(
        r'^ {4}(\{"presentation".*|\{"state": "malformed".*)$', page, re.MULTILINE
    )
    assert client.answer(Question.from_line(asked.encode())) == Answer.from_line(said)
    assert Question.from_line(asked.encode()).line == asked
    for name in {case.namespace for case in every()}:
        assert f"| `{name}` |" in page
