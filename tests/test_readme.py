"""Every command and snippet of the README runs, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from delegant.cli.demo.stage import free_port, running

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
DRAFTS = "urn:acme:drafts:**"
DELEGANT = [sys.executable, "-m", "delegant.cli.main"]


def commands() -> list[str]:
    """Every line of every sh block, without its comment."""
    lines = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
    return [line.split("   #")[0].strip() for line in lines if line.strip()]


class Shell:
    """A person's terminal: one folder, one environment, one command after the other."""

    def __init__(self, folder: Path, port: int) -> None:
        secret = folder / "passphrase"
        secret.write_text("correct horse battery staple")
        secret.chmod(0o600)
        self.folder = folder
        self.port = port
        self.event = ""
        self.env = os.environ | {"DELEGANT_PASSPHRASE_FILE": str(secret)}

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type one line; the README's port is ours, and so is the event."""
        line = re.sub(r"evt_[0-9A-Z]{26}", self.event, line)
        line = line.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        typed = shlex.split(line)
        if typed[0] == "delegant":
            typed = [*DELEGANT, *typed[1:]]
        if typed[:4] == [*DELEGANT, "init"]:
            typed += ["--url", f"http://127.0.0.1:{self.port}"]
        return subprocess.run(
            typed, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )

    def types(self, line: str) -> str:
        """Type one line that must work."""
        done = self.run(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


def test_the_five_commands_the_terminals_and_the_library_work(tmp_path: Path) -> None:
    shell = Shell(tmp_path, free_port())
    lines = [line for line in commands() if line.startswith(("delegant", "cd ", "curl"))]
    server = next(line for line in lines if line.startswith("delegant serve"))
    first = lines.index(server)
    for line in lines[:first]:
        if line.startswith("cd "):
            shell.folder /= line.split()[1]
        else:
            shell.types(line)
    bind = ["--bind", f"127.0.0.1:{shell.port}", "--home", str(shell.folder)]
    secret = ["--passphrase-file", shell.env["DELEGANT_PASSPHRASE_FILE"]]
    with running(["-m", "delegant.cli.main", "serve", *bind, *secret]):
        for line in lines[first + 1 :]:
            shown = shell.types(line)
            if "/v1/resolve" in line:
                kept = json.loads((shell.folder / "answer.json").read_bytes())
                assert kept["freshness"]["status"] == "active"
            if "/v1/revocations" in line:
                assert shown.count(".") == 2  # a compact JWS
            if line.startswith("delegant ans verify"):
                assert "active" in shown
            if line.startswith("delegant verify") and "--trust" in line:
                assert "accepted" in shown
                assert "acts" in library(shell, tmp_path)
            if line.startswith("delegant audit report"):
                assert "1 success" in shown
            if line.startswith("delegant audit trace"):
                assert "verdict    holds" in shown


def library(shell: Shell, folder: Path) -> str:
    """The README's Python, run in a folder with what the terminals made."""
    python = "".join(block for kind, block in BLOCKS if kind == "python")
    code = python.replace("    print(yes.", "    print('acts', yes.") + "print(permit.event)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=shell.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shell.event = done.stdout.split()[-1]
    return done.stdout


def test_every_command_of_the_help_is_one_the_readme_or_design_could_name() -> None:
    done = subprocess.run([*DELEGANT, "--help"], capture_output=True, text=True, check=True)
    for name in ("init", "human", "agent", "delegate", "delegations", "present", "verify",
                 "bundle", "evidence", "trust", "status", "ans", "serve", "did",
                 "demo"):  # fmt: skip
        assert name in done.stdout, f"`delegant {name}` is missing from the help"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo's own account, as JSON."""
    kept = tmp_path_factory.mktemp("story") / "demo"
    done = subprocess.run(
        [*DELEGANT, "demo", "--json", "--keep", str(kept)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_demo_holds_every_expectation(demo: Any) -> None:
    assert demo["held"] is True
    assert demo["offline"] == "accepted"
    assert [a["accepted"] for a in demo["attempts"][:3]] == [True, True, True]
    refused = [(a["code"], a["link"]) for a in demo["attempts"][3:]]
    assert refused == [
        ("constraint", 2),
        ("no-grant", 3),
        ("depth", 4),
        ("spawn-forbidden", 3),
        ("delegate-not-allowed", 3),
        ("proof", 1),
        ("holder-mismatch", None),
        ("chain-broken", 1),
        ("chain-broken", 1),
        ("replay", None),
        ("proof", None),
        ("revoked", 1),
        ("revoked", 1),
        ("revoked", 1),
        ("sponsor-gone", None),
    ]
    names = [one["name"] for one in demo["answers"]["authorisedBy"]]
    assert names == ["ana", "research", "retrieval", "dbquery"]
    assert demo["answers"]["whichAgent"]["name"] == "formatter"


def test_the_demo_tells_its_account_from_the_audit_record(demo: Any) -> None:
    record = demo["record"]
    assert record["verdict"] == "holds"
    denied = [(a["code"], a["link"]) for a in demo["attempts"] if not a["accepted"]]
    assert [(one["code"], one["link"]) for one in record["refusals"]] == denied
    assert record["entries"] == {"intent": 4, "outcome": 4, "refusal": len(denied)}
    assert record["pairs"] == 15  # what the agents kept of it says the same
    human, *agents = record["lines"]
    assert (human["name"], human["role"], human["by"]) == ("ana", "human", None)
    assert [one["by"] for one in agents] == ["ana", "research", "retrieval", "dbquery"]
    assert [one["state"] for one in record["lines"]] == ["accepted"] * 5
    assert agents[-1]["grants"] == [{"actions": ["doc.write"], "resources": [DRAFTS]}]
    assert record["act"]["outcome"] == "success"
