"""Stories: the harm that is done without checks, and what becomes of it with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from delegant.ans.versions import VersionRange
from delegant.cli.main import app
from delegant.cli.stories.discovery import VERSIONS, Account
from delegant.cli.stories.finance import RIGHT, candidates

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "ans-financial-discovery"
SECONDS = 30


def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLE / "expected.json").read_text())
    return found


def test_the_discovery_holds_before_and_after_within_half_a_minute() -> None:
    command = Path(sys.executable).parent / "delegant"
    start = time.monotonic()
    done = subprocess.run(
        [str(EXAMPLE / "run.sh")],
        env=os.environ | {"DELEGANT": str(command)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BAD" not in done.stdout
    assert time.monotonic() - start < SECONDS
    for one in expected()["later"]:
        assert f"not yet checked: {one}" in done.stdout


def test_what_is_expected_is_what_the_story_is_about() -> None:
    before, after = expected()["before"], expected()["after"]
    assert before["harms"] == len(before["attempts"]) - 1 > 4
    assert after["harms"] == 0
    assert {one["outcome"] for one in after["attempts"]} >= {
        "name-confusable", "namespace", "name-taken", "ans-signature", "no-grant", "accepted",
        RIGHT,
    }  # fmt: skip
    assert sorted(after["trace"].values()) == [
        "attestation-issuer", "attestation-issuer", "attestation-revoked", "wrong-version",
    ]  # fmt: skip
    titles = {one["title"] for one in before["attempts"]} & {
        one["title"] for one in after["attempts"]
    }
    assert len(titles) >= 5


def test_an_unexpected_outcome_is_not_held() -> None:
    account = Account("after")
    assert not account.held, "nothing was tried"
    account.tell("a", "b", harm=False)
    assert account.held
    account.tell("a", "b", harm=True)
    assert not account.held
    assert "HARM" in account.text


def test_the_right_one_is_not_the_highest_and_not_the_lowest() -> None:
    names = [one.name for one in candidates("AcmesFinance")]
    assert len(names) == 5
    wanted = VersionRange.parse(VERSIONS)
    within = [name for name in names if wanted.matches(version(name))]
    assert RIGHT in within
    assert len(within) == 4


def version(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.rpartition(".v")[2].split(".")))


def test_without_checks_every_harm_is_done() -> None:
    done = CliRunner().invoke(app, ["story", "ans-financial-discovery", "--mode", "before"])
    assert done.exit_code == 0, done.output
    assert "7 harms" in done.stdout
    assert CliRunner().invoke(app, ["story", "no-such-story"]).exit_code == 2
