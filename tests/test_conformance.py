"""The page of conformance names tests that there are, and says of each row how far it goes."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "conformance.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+)(\.py)?(?:::(\w+)[^`]*)?`", PAGE)
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("|---")
]


@cache
def defined(path: Path) -> frozenset[str]:
    """The functions and tables of a file of tests."""
    names = set[str]()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return frozenset(names)


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 200
    for stem, suffix, name in NAMED:
        path = ROOT / (stem + suffix)
        assert path.exists(), stem
        assert not name or name in defined(path), f"{path.name}::{name}"


def test_what_is_said_to_be_done_names_its_test() -> None:
    for row in ROWS:
        if row[-1].startswith("done"):
            assert any(re.search(r"`tests/|limbo `|same", cell) for cell in row[:-1]), row


def test_every_specification_of_the_overview_has_its_section() -> None:
    heads = [line[3:] for line in PAGE.splitlines() if line.startswith("## ")]
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    named = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert len(named) >= 10
    assert set(named) <= anchors
