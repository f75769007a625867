"""Every wrong way ends with its exit status, a code, a hint, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from delegant.credentials import CODES
from delegant.wallet import files

from .conftest import Shell

NEED = "db.read:urn:acme:papers:17"


def refusal(shell: Shell, line: str) -> tuple[int, str]:
    """Exit status and code, told alike to people and to machines."""
    human = shell(*line.split())
    assert "Traceback" not in human.output
    found = re.search(r"^error: ([a-z0-9-]+)", human.stderr, re.MULTILINE)
    assert found, human.output
    assert re.search(r"^hint: \S", human.stderr, re.MULTILINE)
    machine = shell(*line.split(), "--json")
    problem = json.loads(machine.stdout)
    assert machine.exit_code == human.exit_code
    assert problem["code"] == found[1]
    assert found[1] in CODES
    return human.exit_code, found[1]


REFUSED = {
    "human show nobody": (1, "not-found"),
    "human show bot": (1, "not-found"),
    "human add ana": (1, "name-taken"),
    "human add bot": (1, "name-taken"),
    "human add Ben": (4, "shape"),
    "human add ../ben": (4, "shape"),
    "human add ben --may db.read": (4, "shape"),
    "human add ben --may DB:urn:acme:x": (4, "shape"),
    "agent create bot --sponsor ana": (1, "name-taken"),
    "agent create x --sponsor nobody": (1, "not-found"),
    "agent create x --sponsor bot": (1, "not-found"),
    "agent create x": (1, "no-human-root"),
    "agent create x --sponsor ana --model ephemeral": (1, "id-no-expiry"),
    "agent create x --sponsor ana --model fork": (1, "id-no-provenance"),
    "agent create x --model child": (1, "id-no-provenance"),
    "agent create x --model child --parent bot": (1, "spawn-forbidden"),
    "agent create x --sponsor ana --model robot": (4, "shape"),
    "agent create x --sponsor ana --ttl soon": (4, "shape"),
    "agent create x --sponsor ana --model-file none.json": (1, "not-found"),
    f"delegate --from helper --to bot --allow {NEED}": (1, "depth"),
    "delegate --from ana --to nobody --allow db.read:urn:acme:x": (1, "not-found"),
    "delegate --from ana --to bot --allow db.read": (4, "shape"),
    "delegate --from ana --to bot --allow db.read:urn:acme:a/../b": (4, "shape"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --ttl 2h": (1, "ttl-too-long"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --ttl 31m": (1, "ttl-too-long"),
    f"delegate --from ana --to bot --allow {NEED} --ttl 8d --use mandate": (1, "ttl-too-long"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --ttl 0": (4, "shape"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --rows -1": (4, "shape"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --form xml": (4, "shape"),
    "delegate --from ana --to bot --allow db.read:urn:acme:x --use gift": (4, "shape"),
    "delegate --from bot --to helper --allow db.write:urn:acme:papers:1": (1, "scope-widened"),
    f"delegate --from bot --to helper --allow {NEED} --rows 51": (1, "scope-widened"),
    f"delegate --from bot --to helper --allow {NEED} --ttl 16m": (1, "scope-widened"),
    f"delegate --from bot --to helper --allow {NEED} --parent none": (1, "not-found"),
    f"delegate --from bot --to helper --allow {NEED} --spawn": (1, "scope-widened"),
    f"delegate --from bot --to bot --allow {NEED}": (1, "cycle"),
    "present bot --need db.write:urn:acme:papers:1": (1, "no-grant"),
    "present bot --need db.read:urn:acme:papers:**": (4, "shape"),
    "present nobody --need db.read:urn:acme:papers:1": (1, "not-found"),
    "bundle export link1.json": (4, "shape"),
    "bundle export none.json": (1, "not-found"),
    f"bundle export link1.json bad.json --need {NEED}": (4, "json"),
    "status revoke nobody": (1, "not-found"),
    "delegations show nobody": (1, "not-found"),
    "verify none.json": (1, "not-found"),
    "verify bad.json": (4, "json"),
    "verify twice.json": (4, "duplicate-member"),
    "verify list.json": (4, "shape"),
    "verify deep.json": (4, "limit-depth"),
    "verify huge.json": (4, "limit-size"),
    "verify bytes.json": (4, "encoding"),
    "verify b.json --need db.read:urn:acme:papers:18": (1, "request-mismatch"),
    "verify b.json --need db.read": (4, "shape"),
    "verify b.json --at yesterday": (4, "shape"),
    "verify b.json --audience me": (4, "shape"),
    "verify b.json --trust nowhere": (1, "not-found"),
    "evidence refresh bad.json": (4, "json"),
    "trust add nowhere acme/anchor.json": (1, "not-found"),
    "trust list nowhere": (1, "not-found"),
    "init --org acme.example": (1, "name-taken"),
    "did resolve acme": (4, "did-invalid"),
    "did resolve did:web:acme.example": (3, "did-method"),
    "did resolve did:key:zzz": (3, "suite"),
    "did create -o acme/wallets/humans/ana.wallet": (1, "name-taken"),
    "human list --home nowhere": (1, "not-found"),
    "human add ben --passphrase-file nowhere": (1, "not-found"),
    "human add ben --passphrase-file open": (1, "wallet-mode"),
    "human add ben --passphrase-file wrong": (1, "wallet-auth"),
}


@pytest.fixture
def stocked(acme: Shell) -> Shell:
    """Good files and bad ones beside them."""
    acme.ok("present", "bot", "--need", NEED, "--rows", "1", "-o", "b.json")
    good = Path("b.json").read_bytes()
    contents = {
        "bad.json": good[:500],
        "twice.json": b'{"request":1,"request":2}',
        "list.json": b"[]",
        "deep.json": b"[" * 3000,
        "huge.json": b" " * (9 * 1024 * 1024 + 1),
        "bytes.json": b"\xff\xfe{}",
        "open": b"x",
        "wrong": b"x",
    }
    for name, data in contents.items():
        Path(name).write_bytes(data)
    Path("wrong").chmod(0o600)
    return acme


def state(shell: Shell) -> dict[str, bytes]:
    """Every file of the home but its lock and the bits taken (they may be wasted)."""
    return {
        str(path): path.read_bytes()
        for path in shell.folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "state.json")
    }


@pytest.mark.parametrize("lines", [list(REFUSED)[n::8] for n in range(8)])
def test_each_refusal_has_its_code_its_exit_and_changes_nothing(
    stocked: Shell, lines: list[str]
) -> None:
    before = state(stocked)
    for line in lines:
        assert refusal(stocked, line) == REFUSED[line], line
    assert state(stocked) == before
    assert stocked("verify", "b.json", "--need", NEED).exit_code == 0


def test_without_a_home_it_says_what_to_type(shell: Shell) -> None:
    assert refusal(shell, "human list") == (1, "not-found")
    assert "delegant init" in shell.said[0]


@pytest.mark.parametrize(
    ("name", "damage", "code"),
    [("delegant.toml", b"= 1", "shape"), ("subjects/ana.json", b"{", "json"),
     ("subjects/ana.json", b'{"a":1}', "shape"), ("trust/trust.json", b"{}", "shape"),
     ("trust/seen.json", b"[]", "shape"), ("status/1.json", b"{", "json")],
)  # fmt: skip
def test_a_damaged_home_is_told(stocked: Shell, name: str, damage: bytes, code: str) -> None:
    path = stocked.folder / "acme" / name
    whole = path.read_bytes() if path.exists() else None
    path.write_bytes(damage)
    line = {
        "delegant.toml": "human list",
        "status/1.json": "status revoke bot",
        "subjects/ana.json": "human list",
    }.get(name, "verify b.json")
    if name == "status/1.json":
        line = "evidence refresh"
        stocked.now += 100
    assert refusal(stocked, line) == (4, code)
    if whole is None:
        path.unlink()
    else:
        path.write_bytes(whole)
    assert stocked(*line.split()).exit_code == 0


@pytest.mark.parametrize("member", ["kind", "did"])
def test_a_subject_of_the_wrong_kind_is_told(stocked: Shell, member: str) -> None:
    path = stocked.folder / "acme" / "subjects" / "ana.json"
    files.write_json(path, files.read_object(path) | {member: 1})
    status, _ = refusal(stocked, "human list")
    assert status == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_a_folder_one_may_not_write_is_told(stocked: Shell) -> None:
    folder = stocked.folder / "acme" / "wallets" / "humans"
    folder.chmod(0o500)
    try:
        assert refusal(stocked, "human add ben") == (5, "unavailable")
    finally:
        folder.chmod(0o700)
    assert stocked("human", "add", "ben").exit_code == 0


def test_a_disk_that_fails_is_told_and_leaves_nothing(
    stocked: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(stocked)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for line in ("human add ben", "agent create x --sponsor ana", "status revoke bot",
                     f"delegate --from ana --to bot --allow {NEED}", "trust init t"):  # fmt: skip
            assert refusal(stocked, line) == (5, "unavailable")
    assert state(stocked) == before
    stocked.ok("human", "add", "ben")


@pytest.mark.parametrize(
    "line",
    ["nonsense", "human", "human ad ana", "verify", "present bot", "delegate --from ana",
     "verify b.json --nonsense", "init", "delegate --from ana --to bot --allow a:b --rows many"],
)  # fmt: skip
def test_a_wrong_command_line_is_exit_2(shell: Shell, line: str) -> None:
    result = shell(*line.split())
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def run(*typed: str, **more: object) -> subprocess.CompletedProcess[str]:
    """The installed command, in a process of its own."""
    line = [sys.executable, "-m", "delegant.cli.main", *typed]
    return subprocess.run(line, text=True, capture_output=True, check=False, **more)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_leaves_early_gets_no_traceback(stocked: Shell) -> None:
    line = f"{sys.executable} -m delegant.cli.main verify b.json --explain --no-remember"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} | true"], text=True, capture_output=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_in_a_process_of_its_own_it_ends_alike(stocked: Shell) -> None:
    good = run("present", "bot", "--need", NEED, "--home", "none")
    assert (good.returncode, good.stderr.split(":")[:2]) == (1, ["error", " not-found"])
    assert run("--version").stdout.startswith("delegant ")
    asked = run("human", "add", "ben", stdin=subprocess.DEVNULL, env=_bare(stocked))
    assert asked.returncode == 1
    assert "--passphrase-file" in asked.stderr


def _bare(shell: Shell) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k != "DELEGANT_PASSPHRASE_FILE"}
    return env | {"DELEGANT_HOME": str(shell.folder / "acme")}
