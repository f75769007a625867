"""The page of faults has every row, and names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from test_conformance import defined

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
ROWS = {
    cells[0]: cells[1:]
    for line in PAGE.splitlines()
    if re.match(r"\| [FHSRK][0-9]+ \|", line)
    for cells in [[cell.strip() for cell in line.split("|")[1:-1]]]
}
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_row_is_there_and_names_its_tests() -> None:
    wanted = [f"F{n}" for n in range(1, 20)] + [f"H{n}" for n in range(1, 8)]
    assert list(ROWS) == [*wanted, "S1", "S2", "S3", "S4", "R1", "R2", "K1"]
    for row, cells in ROWS.items():
        assert NAMED.search(cells[-2]) or cells[-1].startswith("not done"), row


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 60
    for path, name in named:
        assert name in defined(ROOT / path), f"{path}::{name}"


def test_every_test_of_faults_is_named() -> None:
    named = {name for _, name in NAMED.findall(PAGE)}
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        for name in defined(path):
            if re.match(r"test_[a-z][0-9]+_", name):
                assert name in named, f"{path.name}::{name}"
