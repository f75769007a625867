"""Every altered bundle is refused by `delegant verify` with the exact code and link.

The same cases run through the library and through the command an API owner types; beside each
stands its nearest accepted twin, so that no refusal is for a wrong reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from altered import Alter, Case
from corpus import CASES
from delegant.cli.main import app
from delegant.credentials import CODES, Bundle, Error, Trust, decide, explain
from delegant.credentials.shape import format_time
from draft import Draft, draft

EXIT = {"accepted": 0, "rejected": 1, "undecided": 3, "malformed": 4}


def altered(alter: Alter | None, depth: int) -> Draft:
    """An honest draft with one edit, or none."""
    d = draft(depth)
    if alter is not None:
        alter(d)
    return d


def command(d: Draft, folder: Path) -> tuple[int, dict[str, object], str]:
    """Exit status, JSON and human account of `delegant verify` on the draft's files."""
    data, trust = d.build()
    (folder / "bundle.json").write_bytes(data)
    (folder / "trust").mkdir(exist_ok=True)
    (folder / "trust" / "trust.json").write_bytes(trust)
    typed = ["verify", str(folder / "bundle.json"), "--trust", str(folder / "trust")]
    typed += ["--need", d.need, "--at", format_time(d.at), "--offline", "--no-remember"]
    machine = CliRunner().invoke(app, [*typed, "--json"])
    human = CliRunner().invoke(app, [*typed, "--explain"])
    assert machine.exit_code == human.exit_code
    return machine.exit_code, json.loads(machine.stdout), human.output


def test_there_are_enough_cases_and_every_name_is_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 150
    assert {case.code for case in CASES} <= set(CODES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_altered_bundle_is_refused_and_its_twin_accepted(case: Case, tmp_path: Path) -> None:
    status, said, account = command(altered(case.alter, case.depth), tmp_path)
    assert (said.get("state", case.state), said["code"], said["link"]) == (
        case.state,
        case.code,
        case.link,
    )
    assert status == EXIT[case.state]
    assert case.code in account
    status, said, account = command(altered(case.twin, case.depth), tmp_path)
    assert (status, said["state"]) == (0, "accepted"), said
    assert "accepted" in account


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_explain_and_verify_agree(case: Case) -> None:
    d = altered(case.alter, case.depth)
    data, trust_bytes = d.build()
    try:
        bundle, trust = Bundle.parse(data), Trust.parse(trust_bytes)
    except Error as exc:
        assert exc.code == case.code
        return
    arguments = (bundle.presentation, bundle.evidence, trust, bundle.request)
    verdict = decide(*arguments, at=d.at)
    explained = explain(*arguments, at=d.at).verdict
    assert (verdict.state, verdict.code, verdict.link) == (
        explained.state,
        explained.code,
        explained.link,
    )
