"""The core is pure: no I/O, no clock, no log, no state, few imports; and the tree says so.

What it imports is asked of a fresh interpreter, where nothing a test imported can help or
hinder; `test_locks` judges hundreds of inputs there.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import delegant.credentials as core
from delegant.credentials import CODES, Error

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "credentials" / "delegant" / "credentials"
ROOMS = ("credentials", "wallet", "ans", "resolver", "cli", "schemas")
SOURCES = sorted(CORE.glob("*.py"))


def python(code: str, *arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- what it imports -----------------------------------------------------------------------

ALLOWED = {"delegant", "nacl", "_cffi_backend", "cffi", "rfc8785", "orjson", "_sodium"}
FORBIDDEN = {"fastapi", "sqlalchemy", "httpx", "sqlite3", "rich", "typer", "jsonschema", "keyring",
             "uvicorn", "starlette", "logging", "asyncio", "multiprocessing"}  # fmt: skip


def test_importing_the_core_brings_only_what_a_verifier_needs() -> None:
    # What the interpreter itself loaded before (site hooks, say) is not ours.
    code = (
        "import sys, json; before = set(sys.modules); import delegant.credentials;"
        "print(json.dumps(sorted({n.split('.')[0] for n in set(sys.modules) - before})))"
    )
    brought = set(json.loads(python(code)))
    assert brought >= {"delegant", "nacl", "orjson"}
    assert not brought & FORBIDDEN
    foreign = brought - set(sys.stdlib_module_names)
    assert foreign <= ALLOWED, sorted(foreign - ALLOWED)


def test_importing_the_core_brings_no_other_room() -> None:
    code = (
        "import sys, delegant.credentials;"
        "print(sorted(n for n in sys.modules if n.startswith('delegant.')"
        " and not n.startswith('delegant.credentials')))"
    )
    assert python(code).strip() == "[]"


def test_the_public_names_are_those_promised() -> None:
    assert sorted(core.__all__, key=lambda n: (not n.isupper(), n.islower(), n)) == core.__all__
    assert core.__all__ == [
        "CODES", "AgentIdentity", "Anchor", "Authority", "Authorization", "Bundle", "Conflict",
        "Error", "Evidence", "Explanation", "Gone", "Grant", "HumanSponsor", "Lease",
        "LimitExceeded", "Limits", "Link", "Malformed", "NotFound", "Presentation", "PrivateKey",
        "PublicKey", "Rejected", "Request", "Secured", "Seen", "StatusEntry", "StatusList",
        "Trust", "Unavailable", "Undecided", "Verdict", "VerifiedChain", "canonical", "decide",
        "digest", "explain", "invoke", "issue_agent_identity", "issue_human_sponsor",
        "issue_link", "issue_status_list", "present", "verify", "verify_chain",
    ]  # fmt: skip
    assert all(hasattr(core, name) for name in core.__all__)


# --- what its source says ------------------------------------------------------------------

IMPURE = re.compile(
    r"^(time\.|datetime\.(datetime\.)?(now|utcnow|today)$|date\.today$|random\.|secrets\.|os\.(?!urandom$)"
    r"|logging\.|socket\.|subprocess\.|pathlib\.|threading\.|sys\.)"
)
IMPURE_IMPORTS = {
    "time",
    "random",
    "secrets",
    "logging",
    "socket",
    "subprocess",
    "pathlib",
    "sys",
    "threading",
    "asyncio",
    "http",
    "urllib",
    "httpx",
    "io",
    "tempfile",
    "shutil",
}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


def impurities(source: str) -> list[str]:
    """Everything in a module that reads a clock, chance, the environment or a file, or writes."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in IMPURE_IMPORTS]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").split(".")[0] in IMPURE_IMPORTS | {"os"}:
                found.append(f"from {node.module}")
        elif isinstance(node, ast.Attribute) and IMPURE.match(ast.unparse(node)):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS:
            found.append(ast.unparse(node.func))
        elif isinstance(node, ast.Global):
            found.append("global")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_of_the_core_reads_a_clock_chance_a_file_or_the_environment(path: Path) -> None:
    # `shape.time` and `standing.times` are parsers and checks of given instants, no clocks.
    assert impurities(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    ["import time", "from time import time", "datetime.now()", "os.environ['X']", "open('x')",
     "print(1)", "import logging", "random.random()", "from os import environ",
     "from pathlib import Path", "os.getenv('X')"],
)  # fmt: skip
def test_the_scan_would_see_it(line: str) -> None:
    assert impurities(line)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_randomness_is_drawn_only_where_keys_ids_and_nonces_are_made(path: Path) -> None:
    assert ("urandom" in path.read_text("utf-8")) == (path.name == "keys.py")


# --- the tree ------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_a_typed_package_in_one_namespace(room: str) -> None:
    assert not (ROOT / room / "__init__.py").exists()
    assert not (ROOT / room / "delegant" / "__init__.py").exists()
    if (ROOT / room / "delegant" / room).is_dir():
        assert (ROOT / room / "delegant" / room / "__init__.py").is_file()
        assert (ROOT / room / "delegant" / room / "py.typed").is_file()
    else:
        pytest.skip(f"room {room} is not built yet")


def test_the_page_of_codes_is_that_of_the_table() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "render.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- the table of errors -------------------------------------------------------------------

STATES = {"malformed": 4, "rejected": 1, "undecided": 3}


@pytest.mark.parametrize("name", CODES)
def test_every_code_is_well_formed(name: str) -> None:
    row = CODES[name]
    assert row.name == name
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert issubclass(row.cls, Error)
    assert row.cls.state in STATES
    assert 0 <= row.phase <= 12
    assert 400 <= row.http <= 599
    assert row.meaning
    assert row.remedy
    assert row.cls.exit_status == STATES[row.cls.state] or row.cls.__name__ == "Unavailable"


def sources_of_codes() -> str:
    """The text of every source file but the table itself."""
    return "\n".join(
        path.read_text("utf-8")
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != CORE / "errors.py"
    )


def test_every_code_of_verification_is_raised_somewhere() -> None:
    text = sources_of_codes()
    unused = [name for name, row in CODES.items() if row.phase and f'"{name}"' not in text]
    assert unused == []


def test_no_code_is_raised_that_the_table_does_not_have() -> None:
    raised = set(re.findall(r"\berror\(\s*\"([a-z-]+)\"", sources_of_codes()))
    assert len(raised) > 30
    assert raised <= set(CODES)
