"""The documentation says what the program does."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from delegant.cli.limbo.cases import load
from delegant.credentials import (
    CODES,
    Limits,
    capability,
    codec,
    credential,
    holder,
    invocation,
    path,
    policy,
    shape,
)
from delegant.credentials.budget import HARD

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "credentials" / "delegant" / "credentials"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


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


def floors() -> list[str]:
    """The files of the core in the order in which the design stacks them."""
    text = (ROOT / "DESIGN.md").read_text()
    (block,) = re.findall(r"on its own floor:\n\n```\n(.*?)```", text, re.DOTALL)
    wide = max(line.index("the doors") for line in block.splitlines() if "the doors" in line)
    return [name for line in block.splitlines() for name in line[:wide].split()]


def test_the_floors_of_the_design_are_those_of_the_imports() -> None:
    order = floors()
    assert len(set(order)) == len(order)
    assert set(order) == {file.stem for file in CORE.glob("*.py")} - {"__init__"}
    for place, name in enumerate(order):
        tree = ast.parse((CORE / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                used = {node.module} if node.module else {alias.name for alias in node.names}
                assert used <= set(order[:place]), name


def test_the_floors_of_the_general_room_are_those_of_the_imports() -> None:
    (block,) = re.findall(
        r"\nabove it:\n\n```\n(.*?)```", (ROOT / "DESIGN.md").read_text(), re.DOTALL
    )
    wide = block.index("packages loaded on demand")
    order = [name.rstrip("/") for line in block.splitlines() for name in line[:wide].split()]
    room = ROOT / "w3c" / "delegant" / "w3c"
    parts = {path.stem: [path] for path in room.glob("*.py") if path.stem != "__init__"}
    parts |= {
        path.parent.name: sorted(path.parent.glob("*.py")) for path in room.glob("*/__init__.py")
    }
    assert set(order) == set(parts)
    for place, name in enumerate(order):
        for file in parts[name]:
            here = 1 if file.parent == room else 2
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and node.level == here:
                    used = {node.module} if node.module else {one.name for one in node.names}
                    assert {one.split(".")[0] for one in used} <= {*order[:place], name}, file.name


def test_the_limits_of_the_design_are_those_of_the_code() -> None:
    own = Limits()
    text = (ROOT / "DESIGN.md").read_text().split("## Limits")[1].split("## Not promised")[0]
    rows = [re.split(r" *\| *", line)[1:4] for line in text.splitlines() if line.startswith("|")]
    stated = {what: (default, most) for what, default, most in rows}
    sets = (
        f"{capability.MAX_GRANTS}; {capability.MAX_ACTIONS}, {capability.MAX_RESOURCES}; "
        f"{shape.MAX_SET}"
    )
    ages = policy.DEFAULT_STATUS_AGE
    expected = {
        "links in a chain": (f"{own.links}", f"{HARD.links}"),
        "grants in a link; actions, resources in a grant; members of a set": (sets, "same"),
        "comparisons in one verification, for grants not restated word for word": (
            f"{own.comparisons:,}",
            "same",
        ),
        "presentation; evidence": (
            f"{own.presentation >> 10} KiB; {own.evidence >> 20} MiB",
            f"{HARD.presentation >> 20} MiB; {HARD.evidence >> 20} MiB",
        ),
        "signature checks: chain; evidence": (
            f"{own.chain_signatures}; {own.evidence_signatures}",
            f"{HARD.chain_signatures}; {HARD.evidence_signatures}",
        ),
        "JSON depth; members": (f"{codec.MAX_DEPTH}; {codec.MAX_MEMBERS:,}", "same"),
        "status list, decompressed": (
            f"{own.status_list >> 20} MiB",
            f"{HARD.status_list >> 20} MiB",
        ),
        "status lists of one verification, decompressed together": (
            f"{path.MAX_LISTS} times that",
            f"{path.MAX_LISTS} times that",
        ),
        "life of a grant; mandate": (
            f"{policy.DEFAULT_GRANT_SECONDS // 60} min; "
            f"{policy.DEFAULT_MANDATE_SECONDS // 86_400} days",
            f"{credential.GRANT_HARD_SECONDS // 3600} h; "
            f"{credential.MANDATE_HARD_SECONDS // 86_400} days",
        ),
        "life of an invocation": (
            f"{holder.DEFAULT_SECONDS} s",
            f"{invocation.INVOCATION_HARD_SECONDS} s",
        ),
        "age of a status list, high; low sensitivity": (
            f"{ages['high'] // 60} min; {ages['low'] // 3600} h",
            "by the trust folder",
        ),
    }
    assert {name: stated[name] for name in expected} == expected


def test_there_are_as_many_cases_as_the_pages_say() -> None:
    number = len(load(ROOT / "tests" / "limbo" / "cases"))
    for page in ("README.md", "CHANGELOG.md"):
        (said,) = re.findall(r"([0-9,]+) hostile and honest chains", (ROOT / page).read_text())
        assert int(said.replace(",", "")) <= number, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
