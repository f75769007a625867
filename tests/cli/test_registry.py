"""`delegant registry`: what the commands say, and what they refuse."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from cli.conftest import Shell

ANS = Path(__file__).parents[1] / "ans"


@pytest.fixture
def home(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a registry yet; the shell is in it."""
    shell.ok("init", "--org", "acme.example")
    monkeypatch.chdir(shell.folder / "acme")
    return shell.folder / "acme"


def code(shell: Shell, typed: str) -> str:
    result = shell(*typed.split(), "--json")
    assert result.exit_code != 0
    return str(json.loads(result.stdout)["code"])


def change(path: Path, statement: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(statement)
    db.close()


def test_where_there_is_no_registry_none_is_made(shell: Shell, home: Path) -> None:
    for command in ("check", "backup x.db", "migrate", "reindex", "rewind --reason why"):
        assert code(shell, f"registry {command}") == "not-found"
    assert not (home / "registry.db").exists()


def test_what_stands_in_the_way_or_is_no_database_is_refused(shell: Shell, home: Path) -> None:
    shell.ok("ans", "provider", "add", "DataCorp")
    shell.ok("registry", "backup", "x.db")
    for command, expected in {
        "backup x.db": "name-taken",
        "restore x.db": "name-taken",
        "restore none.db --database other.db": "not-found",
        "rewind --reason why": "ans-transition",
        "check --database mysql://u:secret@h/d": "shape",
        "check --database postgresql://u:secret@127.0.0.1:1/d": "unavailable",
        "backup y.db --database postgresql://u:secret@127.0.0.1:1/d": "shape",
    }.items():
        assert code(shell, f"registry {command}") == expected, command
    assert "secret" not in "".join(shell.said)


def test_damage_is_named_and_is_not_copied(shell: Shell, home: Path) -> None:
    shell.ok("ans", "provider", "add", "DataCorp")
    assert "all is well" in shell.ok("registry", "check")
    change(home / "registry.db", "UPDATE providers SET basis = 'domain'")
    found = shell.json("registry", "check", status=1)
    assert [(one["table"], one["key"]) for one in found["damage"]] == [("providers", "datacorp")]
    assert "! providers: datacorp: it is not what leaf 0 says" in shell("registry", "check").stdout
    assert code(shell, "registry backup x.db") == "unavailable"
    assert not (home / "x.db").exists()


def test_an_older_registry_is_migrated_by_the_command_it_names(shell: Shell, home: Path) -> None:
    change(home / "registry.db", (ANS / "layout2.sql").read_text())
    told = shell("ans", "provider", "list").output
    assert "type: delegant registry migrate" in told
    assert "an older layout" in shell.ok("registry", "backup", "before.db")
    assert "from layout 2 to 3" in shell.ok("registry", "migrate")
    assert "AcmeLabs" in shell.ok("ans", "provider", "list")
    assert shell.json("registry", "migrate") == {"from": 3, "to": 3}


def test_the_environment_says_where_the_store_is(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELEGANT_DATABASE", "elsewhere.db")
    shell.ok("ans", "provider", "add", "DataCorp")
    assert "1 entries" in shell.ok("registry", "check")
    monkeypatch.setenv("DELEGANT_DATABASE", f"sqlite:///{home}/elsewhere.db")
    assert "DataCorp" in shell.ok("ans", "provider", "list")
    assert not (home / "registry.db").exists()
    assert code(shell, f"registry check --database {home}/registry.db") == "not-found"
