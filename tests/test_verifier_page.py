"""The page about the verifier: its Python runs, its commands exist, its figures are measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from delegant.cli.limbo.cases import load
from delegant.cli.limbo.targets import Library
from delegant.credentials import Authorization, Request, canonical
from limbo.build import MOST_MS
from world import World, research_chain

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "verifier.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHELL = [line.split("  #")[0].strip()
         for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
         for line in block.splitlines()]  # fmt: skip
DELEGANT = [sys.executable, "-m", "delegant.cli.main"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A folder with what a server has, and what a holder sent a moment ago."""
    world = World(now=int(time.time()))
    shown = world.present(research_chain(world)[0][:3], Request("db.read", "urn:acme:papers:17",
                                                               rows=3))  # fmt: skip
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "trust.json").write_bytes(canonical(world.trust_json))
    (tmp_path / "evidence.json").write_bytes(world.evidence().to_bytes())
    (tmp_path / "chain.json").write_bytes(canonical(shown.json["links"]))
    (tmp_path / "invocation.jwt").write_text(str(shown.invocation))
    monkeypatch.chdir(tmp_path)
    return world


def run(*blocks: str) -> dict[str, Any]:
    """The page's Python, one block after the other, in one place."""
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page
    return names


def test_the_python_of_the_page_runs_and_says_what_it_says(desk: World) -> None:
    names = run(*PYTHON)
    yes = names["yes"]
    assert isinstance(yes, Authorization)
    assert yes.sponsor == desk.human("ana").did
    assert names["owed"] == yes.obligations != ()
    assert len(names["cache"]) == 1
    assert (names["verdict"].state, names["verdict"].code) == ("rejected", "nonce")
    assert names["holds"].path == yes.path
    assert names["told"].verdict.state == "accepted"
    assert [one.state for one in names["verdicts"]] == ["accepted"] * 8


def test_what_an_accepted_verdict_met_is_kept_once(desk: World) -> None:
    start, act, _ = PYTHON
    names = run(start, act)
    kept = json.loads(Path("trust/seen.json").read_text())
    assert kept == names["yes"].seen.json
    trust = names["trust"]
    exec(act, names)  # noqa: S102 - our own page
    assert names["trust"] is trust  # nothing newer was met, so what the evidence knows still holds


def test_a_refusal_of_the_page_is_told_with_code_link_and_status(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    start, act, _ = PYTHON
    run(start, act.replace("rows=3", "rows=501"))
    assert capsys.readouterr().out == "request-mismatch None 403\n"


@pytest.mark.parametrize("line", SHELL)
def test_command_of_the_page_is_one_of_ours(line: str) -> None:
    program, *typed = line.split()
    if program == "make":  # what each of them does has tests of its own
        assert re.search(rf"^{typed[0]}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    done = subprocess.run(
        [*DELEGANT, *typed], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_worst_costs_of_the_page_are_those_of_the_cases() -> None:
    said = [Library().answer(case) for case in load(ROOT / "tests" / "limbo" / "cases")
            if case.namespace == "dos"]  # fmt: skip
    chain, evidence = max(one.chain or 0 for one in said), max(one.evidence or 0 for one in said)
    text = re.sub(r"\s+", " ", PAGE)
    assert f"at most {chain} signature checks for the chain and {evidence} for the evidence" in text
    assert f"the tests hold each to {MOST_MS} ms" in text


def test_every_file_the_page_names_is_there() -> None:
    core = ROOT / "credentials" / "delegant" / "credentials"
    named = set(re.findall(r"`((?:tests/|docs/)?[a-z_/]+\.(?:py|json|md))`", PAGE))
    assert len(named) > 20
    for name in named - {"trust.json"}:
        places = [ROOT / name, core / name, ROOT / "tests" / "properties" / name]
        assert any(place.is_file() for place in places), name
    for name in re.findall(r"\]\(([a-z.]+)\)", PAGE):
        assert (ROOT / "docs" / name).is_file()
