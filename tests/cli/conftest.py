"""The command as a person types it: a folder, a passphrase file, a clock that can be turned."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from delegant.cli import edge
from delegant.cli.main import app
from delegant.wallet import keystore

PASSPHRASE = "correct horse"
T0 = 1_790_000_000


@dataclass
class Shell:
    """Types commands; ``now`` is the instant they see, ``said`` all they ever printed."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    now: int = T0
    said: list[str] = field(default_factory=list)

    def __call__(self, *typed: str) -> Result:
        for name, room in list(sys.modules.items()):
            if name.startswith("delegant.cli.") and hasattr(room, "now"):
                self.monkeypatch.setattr(room, "now", lambda: self.now)
        result = CliRunner().invoke(app, list(typed))
        self.said.append(result.output)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *typed: str) -> str:
        """Standard output of a command that must succeed."""
        result = self(*typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *typed: str, status: int = 0) -> Any:
        """What a command prints with ``--json``."""
        result = self(*typed, "--json")
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    def many(self, lines: Sequence[str]) -> None:
        """Commands without quotes, one a line."""
        for line in lines:
            self.ok(*line.split())


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Nothing yet, in an empty folder."""
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)
    monkeypatch.setenv("DELEGANT_PASSPHRASE_FILE", str(secret))
    monkeypatch.delenv("DELEGANT_HOME", raising=False)
    assert edge.now() > T0 - 10**9  # the real clock, before it is turned
    return Shell(work, monkeypatch)


@pytest.fixture
def acme(shell: Shell) -> Shell:
    """A home with Ana and two agents, Ana's grant to the first and its to the second."""
    shell.ok("init", "--org", "acme.example")
    shell.monkeypatch.setenv("DELEGANT_HOME", str(shell.folder / "acme"))
    shell.many(
        [
            "human add ana --attest idp:corp",
            "agent create bot --sponsor ana --tools db.read,doc.write",
            "agent create helper --sponsor ana --tools db.read",
            "delegate --from ana --to bot --allow db.read:urn:acme:papers:** --rows 50 "
            "--redelegate 1 -o link1.json",
            "delegate --from bot --to helper --allow db.read:urn:acme:papers:17 -o link2.json",
        ]
    )
    return shell
