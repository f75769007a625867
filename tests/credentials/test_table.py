"""The tree and the table of codes: what stands where, and that page, table and code agree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from delegant.credentials import CODES, Error

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "credentials" / "delegant" / "credentials"
ROOMS = ("credentials", "w3c", "wallet", "ans", "governance", "resolver", "cli", "schemas")

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
