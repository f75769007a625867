"""The documentation says what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from delegant.credentials import CODES

ROOT = Path(__file__).resolve().parent.parent


def test_the_rendered_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "render.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_design_lists_every_code_of_the_verifier_in_its_phase() -> None:
    text = (ROOT / "DESIGN.md").read_text()
    checks = text.split("## The checks")[1].split("## Naming service")[0]
    for number, line in re.findall(r"^([0-9]+)\. (.*)$", checks, re.MULTILINE):
        stated = set(re.findall(r"`([a-z0-9-]+)`", line))
        known = {code.name for code in CODES.values() if code.phase == int(number)}
        assert stated == known, f"phase {number}"


def test_the_example_holds() -> None:
    story = ROOT / "examples" / "research-chain" / "run.sh"
    command = Path(sys.executable).parent / "delegant"
    done = subprocess.run(
        [str(story)],
        env=os.environ | {"DELEGANT": str(command)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BAD" not in done.stdout


def test_every_promise_names_a_test_that_exists() -> None:
    text = (ROOT / "README.md").read_text()
    table = text.split("## What it promises")[1].split("##")[0]
    named = re.findall(r"`(tests/[A-Za-z0-9_/.]+)::(test_[a-z0-9_]+)`", table)
    assert len(named) >= 6
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
