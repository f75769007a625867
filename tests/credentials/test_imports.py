"""What each file of the core imports is written down here, and nothing else is imported.

Everyday modules are free; each of the others has the files that may use it, exactly: whoever
needs one more writes it here, and whoever reviews it sees it.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "credentials" / "delegant" / "credentials"
SOURCES = sorted(CORE.glob("*.py"))

EVERYDAY = {"__future__", "abc", "collections", "dataclasses", "functools", "itertools", "math",
            "re", "typing"}  # fmt: skip
SPECIAL: dict[str, set[str]] = {
    "binascii": {"codec"},
    "datetime": {
        "batch",
        "grammar",
        "shape",
        "verifier",
    },  # a type of instant, and its spelling; no clock
    "gzip": {"status"},
    "hashlib": {"codec", "grammar", "proof"},
    "ipaddress": {"kinds", "request"},
    "json": {"codec"},
    "nacl": {"keys"},
    "orjson": {"codec", "grammar"},
    "os": {"keys"},  # os.urandom, for new keys, ids and nonces
    "rfc8785": {"codec"},
    "unicodedata": {"resource"},
    "weakref": {"evidence"},
    "zlib": {"status"},
}
"""Top-level module to the files of the core that import it."""
FROM_NACL = {"nacl.bindings", "nacl.exceptions"}
FROM_COLLECTIONS = {"collections.abc"}
FROM_DATETIME = {"UTC", "datetime"}


def foreign(source: str) -> set[str]:
    """Every absolute module a source imports, at its top or anywhere inside."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def inside_functions(source: str) -> set[str]:
    """The modules imported only when a function runs."""
    tree = ast.parse(source)
    top = foreign(ast.unparse(ast.Module([n for n in tree.body if isinstance(
        n, ast.Import | ast.ImportFrom)], [])))  # fmt: skip
    return foreign(source) - top


def imported() -> dict[str, set[str]]:
    """Special module to the files that import it."""
    out: dict[str, set[str]] = {}
    for path in SOURCES:
        for module in foreign(path.read_text("utf-8")):
            name = module.split(".")[0]
            if name not in EVERYDAY:
                out.setdefault(name, set()).add(path.stem)
    return out


def test_every_import_of_the_core_is_written_down() -> None:
    assert len(SOURCES) > 25
    assert imported() == SPECIAL


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_file_imports_only_the_parts_that_are_pure(path: Path) -> None:
    source = path.read_text("utf-8")
    for module in foreign(source):
        if module.startswith("nacl"):
            assert module in FROM_NACL
        if module.startswith("collections"):
            assert module in FROM_COLLECTIONS
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "datetime":
            assert {alias.name for alias in node.names} <= FROM_DATETIME
        if isinstance(node, ast.ImportFrom):
            assert "*" not in {alias.name for alias in node.names}
            assert node.level < 2, "the core reaches out of its room"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_file_imports_nothing_late(path: Path) -> None:
    late = inside_functions(path.read_text("utf-8"))
    assert late == set()


@pytest.mark.parametrize(
    ("source", "modules", "late"),
    [
        ("import os.path, sys", {"os.path", "sys"}, set()),
        ("from json import loads", {"json"}, set()),
        ("def f():\n    import socket", {"socket"}, {"socket"}),
        ("if True:\n    from time import time", {"time"}, {"time"}),
        ("from . import codec", set(), set()),
    ],
)
def test_the_scan_sees_imports_anywhere(source: str, modules: set[str], late: set[str]) -> None:
    assert foreign(source) == modules
    assert inside_functions(source) == late
