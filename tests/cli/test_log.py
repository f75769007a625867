"""`delegant log`, typed: over a server and over folders, whole and damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ans.tiled import REGISTRY, RISK, SEARCH, Log, did_of, key_of, put, story
from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import add_signatures, cosign
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.cli.demo.stage import free_port, running
from delegant.wallet import Home, Wallet, files, keystore
from resolver.door import NAME, PASSPHRASE, House, build
from resolver.process import command, options, served

from .conftest import Shell

VKEY = Log().signer.key.vkey
WITNESS = NoteSigner("w.example/1", key_of("witness"), COSIGNATURE)


@pytest.fixture
def copy(tmp_path: Path) -> str:
    """A folder with a log that keeps the rules."""
    return str(story().write(tmp_path / "tiles"))


# --- verify -------------------------------------------------------------------------------------


def test_a_folder_is_verified_under_a_key(shell: Shell, copy: str) -> None:
    told = shell.ok("log", "verify", copy, "--key", VKEY)
    assert "12 entries, and every one keeps the rules" in told
    value = shell.json("log", "verify", copy, "--key", VKEY, "--registry", REGISTRY)
    assert (value["size"], value["names"], value["revoked"]) == (12, 3, 1)
    assert value["providers"] == {"datacorp": did_of("acme"), "payments": did_of("bank")}


def test_the_life_of_a_name_is_shown(shell: Shell, copy: str) -> None:
    value = shell.json("log", "verify", copy, "--key", VKEY, "--name", SEARCH)
    assert [one["type"] for one in value["history"]] == [
        "register", "renew", "update", "transfer", "suspend", "resume", "revoke",
    ]  # fmt: skip
    told = shell.ok("log", "verify", copy, "--key", VKEY, "--name", SEARCH)
    assert f"from {did_of('bot')} to {did_of('other')}" in told
    gone = shell.json("log", "verify", copy, "--key", VKEY, "--name", "mcp://A.B.C.v1", status=1)
    assert gone["code"] == "ans-not-found"


def test_what_was_damaged_is_named_with_exit_1(shell: Shell, copy: str) -> None:
    path = Path(copy) / tiles.bundle_path(0, 12)
    entries = tiles.unpack(path.read_bytes())
    path.write_bytes(tiles.pack([*entries[:7], entries[8], entries[7], *entries[9:]]))
    told = shell.json("log", "verify", copy, "--key", VKEY, status=1)
    assert (told["code"], told["dimension"]) == ("log-proof", "entry 7")


def test_a_broken_rule_is_named_with_exit_1(shell: Shell, tmp_path: Path) -> None:
    log = story()
    del log.entries[4]
    folder = str(log.write(tmp_path / "broken"))
    told = shell.json("log", "verify", folder, "--key", VKEY, status=1)
    assert (told["code"], told["dimension"]) == ("log-entry", "entry 4")


def test_the_key_comes_from_an_option_a_file_or_a_trust_folder(
    shell: Shell, copy: str, tmp_path: Path
) -> None:
    registry = {"id": REGISTRY, "keys": [key_of("registry").public.multikey], "log": VKEY}
    published = tmp_path / "registry.json"
    files.write_json(published, registry)
    shell.ok("log", "verify", copy, "--key", str(published))
    shell.ok("trust", "init", "ours")
    told = shell.json("log", "verify", copy, "--trust", "ours", status=4)
    assert told["code"] == "shape"  # no registry is trusted there
    shell.ok("trust", "add-registry", "ours", str(published))
    shell.ok("log", "verify", copy, "--trust", "ours")
    shell.ok("log", "verify", copy, "--trust", "ours", "--registry", REGISTRY)
    for words, code in (
        (["--trust", "ours", "--registry", did_of("nobody")], "not-found"),
        (["--trust", "ours", "--key", VKEY], "shape"),
        (["--trust", "ours", "--witness", WITNESS.key.vkey], "shape"),
        (["--key", VKEY, "--registry", did_of("nobody")], "log-entry"),
        (["--key", "x"], "log-note"),
        (["--key", WITNESS.key.vkey], "log-note"),
    ):
        result = shell("log", "verify", copy, *words, "--json")
        assert json.loads(result.stdout)["code"] == code, words


def test_the_home_names_its_own_log(acme: Shell, copy: str) -> None:
    told = acme.json("log", "verify", copy, status=1)
    assert told["code"] == "log-note"  # a checkpoint, but of another key than the home's


def test_witnesses_may_be_asked_for(shell: Shell, copy: str, tmp_path: Path) -> None:
    asked = ["--key", VKEY, "--witness", WITNESS.key.vkey]
    assert shell.json("log", "verify", copy, *asked, status=3)["code"] == "log-witness"
    shell.ok("log", "verify", copy, *asked, "--witness-quorum", "0")
    too_many = shell.json("log", "verify", copy, *asked, "--witness-quorum", "2", status=4)
    assert too_many["code"] == "shape"
    note = Path(copy) / "checkpoint"
    line = cosign(story().checkpoint, WITNESS, 1_790_000_000)
    put(note, add_signatures(note.read_text(), [line]).encode())
    shell.ok("log", "verify", copy, *asked)


def test_a_place_that_is_none(shell: Shell, tmp_path: Path) -> None:
    assert shell.json("log", "verify", "nowhere", "--key", VKEY, status=1)["code"] == "not-found"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert shell.json("log", "verify", str(empty), "--key", VKEY, status=1)["code"] == "not-found"
    url = f"http://127.0.0.1:{free_port()}"
    assert shell.json("log", "verify", url, "--key", VKEY, status=5)["code"] == "unavailable"


# --- monitor ------------------------------------------------------------------------------------


def watch(shell: Shell, copy: str, *words: str, status: int = 0) -> Any:
    return shell.json(
        "log", "monitor", copy, "--key", VKEY, "--state", "seen.json", *words, status=status
    )


def test_the_monitor_remembers_and_tells_each_thing_once(shell: Shell, tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH)
    folder = str(log.write(tmp_path / "log"))
    mine = ("--own", "DataCorp", "--agent", f"{SEARCH}={did_of('bot')}")
    first = watch(shell, folder, *mine)
    assert (first["since"], first["findings"]) == (0, [])
    assert first["names"][0]["agent"] == did_of("bot")
    log.event("register", RISK, "somebody").event("transfer", SEARCH, "thief").write(Path(folder))
    told = watch(shell, folder, *mine, status=1)
    assert [(one["index"], one["kind"]) for one in told["findings"]] == [
        (2, "new-name"), (3, "new-agent"),
    ]  # fmt: skip
    assert watch(shell, folder, *mine)["findings"] == []
    text = shell.ok("log", "monitor", folder, "--key", VKEY, "--state", "seen.json", *mine)
    assert "nothing you should look at" in text


def test_it_is_told_again_where_it_could_not_be_told(shell: Shell, tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH)
    folder = str(log.write(tmp_path / "log"))
    watch(shell, folder, "--own", "DataCorp")
    log.event("register", RISK).write(Path(folder))
    before = Path("seen.json").read_bytes()
    watch(shell, folder, "--own", "DataCorp", status=1)
    Path("seen.json").write_bytes(before)  # as if it had died before it remembered
    watch(shell, folder, "--own", "DataCorp", status=1)


def test_a_rollback_and_a_fork_are_refused_and_not_remembered(
    shell: Shell, copy: str, tmp_path: Path
) -> None:
    watch(shell, copy)
    before = Path("seen.json").read_bytes()
    shorter = story()
    shorter.entries.pop()
    told = watch(shell, str(shorter.write(tmp_path / "short")), status=1)
    assert told["code"] == "log-rollback"
    fork = story()
    fork.entries[-1] = fork.entries[-1].replace(did_of("payer").encode(), did_of("bot").encode())
    assert watch(shell, str(fork.write(tmp_path / "fork")), status=1)["code"] == "log-split"
    fork.event("register", "mcp://A.B.DataCorp.v1")
    assert watch(shell, str(fork.write(tmp_path / "fork2")), status=1)["code"] == "log-split"
    assert Path("seen.json").read_bytes() == before
    longer = story().event("register", "mcp://A.B.DataCorp.v1")
    assert watch(shell, str(longer.write(tmp_path / "long")))["since"] == 12


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b'{"version": 2, "checkpoint": "x"}', b'{"version": 1, "checkpoint": 5}',
     b'{"version": 1, "checkpoint": "x"}', b'{"version": 1, "checkpoint": "x", "more": 1}'],
)  # fmt: skip
def test_a_damaged_memory_is_never_begun_anew(shell: Shell, copy: str, damage: bytes) -> None:
    watch(shell, copy)
    Path("seen.json").write_bytes(damage)
    result = shell("log", "monitor", copy, "--key", VKEY, "--state", "seen.json", "--json")
    assert result.exit_code in (1, 4)
    assert Path("seen.json").read_bytes() == damage


def test_what_is_no_label_or_name_is_refused(shell: Shell, copy: str) -> None:
    for words in (["--own", "a b"], ["--agent", SEARCH], ["--every", "soon"]):
        told = watch(shell, copy, *words, status=4)
        assert told["code"] in ("ans-name", "did-invalid", "shape")


# --- witness ------------------------------------------------------------------------------------


def test_a_witness_has_a_key_of_its_own_under_a_passphrase(shell: Shell) -> None:
    vkey = shell.ok("log", "witness-key", "w.example/1", "--out", "w.wallet").strip()
    assert vkey.startswith("w.example/1+")
    path = Path("w.wallet")
    assert path.stat().st_mode & 0o777 == 0o600
    wallet = Wallet.open(path, "correct horse", kind="witness")
    assert NoteSigner("w.example/1", wallet.key(), COSIGNATURE).key.vkey == vkey
    seed = wallet.key().export_seed()
    assert all(form not in path.read_bytes() for form in (seed, seed.hex().encode()))
    assert shell.json("log", "witness-key", "x", "--out", "w.wallet", status=1)["code"] == (
        "name-taken"
    )
    bad = shell("log", "witness-key", "a b", "--out", "bad.wallet", "--json")
    assert bad.exit_code in (1, 4)
    assert not Path("bad.wallet").exists()


def test_an_agents_wallet_is_no_witness(acme: Shell) -> None:
    path = Home(Path("acme")).wallet_path("agent", "bot")
    told = acme.json("log", "witness", "--key-file", str(path), "--log", VKEY, status=1)
    assert told["code"] == "wallet-kind"
    for words in (["--log", "x"], ["--log", VKEY, "--bind", "x"]):
        acme.ok("log", "witness-key", "w", "--out", f"{len(words)}.wallet")
        result = acme("log", "witness", "--key-file", f"{len(words)}.wallet", *words, "--json")
        assert result.exit_code in (1, 4)


# --- with a server ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    out = build(tmp_path_factory.mktemp("logged"))
    assert command(out, "ans", "provider", "add", "DataCorp").returncode == 0
    with served(out):
        yield out


def test_a_server_is_verified_copied_and_watched(house: House, tmp_path: Path) -> None:
    assert house.post(house.event(NAME)).status == 201
    kept = tmp_path / "copy"
    told = command(house, "log", "verify", house.url, "--save", str(kept), "--json")
    assert told.returncode == 0, told.stderr
    again = command(house, "log", "verify", str(kept), "--json")
    assert json.loads(again.stdout) == json.loads(told.stdout)
    state = str(tmp_path / "seen.json")
    every = [
        "log", "monitor", house.url, "--state", state, "--own", "DataCorp", "--every", "1s",
        "--json",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "delegant.cli.main", *every, *options(house)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 20
        while not Path(state).exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert process.poll() is None  # nothing yet, and it goes on
        assert house.post(house.event(NAME.replace("main", "watched"))).status == 201
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert [one["kind"] for one in json.loads(out)["findings"]] == ["new-name"]


def test_a_witness_runs_and_says_what_it_is(house: House, tmp_path: Path) -> None:
    secret = str(house.home.path.parent / "passphrase")
    wallet = tmp_path / "w.wallet"
    made = command(house, "log", "witness-key", "w.example/1", "--out", str(wallet))
    assert made.returncode == 0, made.stderr
    published = str(house.home.path / "registry.json")
    arguments = [
        "-m", "delegant.cli.main", "log", "witness", "--key-file", str(wallet), "--log", published,
        "--bind", "127.0.0.1:0", "--passphrase-file", secret,
    ]  # fmt: skip
    with running(arguments) as url:
        assert httpx.get(f"{url}/", trust_env=False).text == made.stdout
        assert httpx.post(f"{url}/add-checkpoint", content=b"x", trust_env=False).status_code == 400


def test_an_older_home_gets_a_log_key_when_it_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)
    house = build(tmp_path)
    path = house.home.wallet_path("organization")
    wallet = house.home.open_wallet("organization")
    wallet._keys.pop("log")
    files.remove(path)
    wallet._write(path, PASSPHRASE, None)
    files.remove(house.home.path / "registry.json")
    shutil.rmtree(house.home.path / "log", ignore_errors=True)
    with served(house) as process:
        assert house.call("GET", "/checkpoint").status == 200
        process.terminate()
        process.wait(10)
        assert process.stderr is not None
        assert "the log of names has a key now" in process.stderr.read()
    key = json.loads((house.home.path / "registry.json").read_bytes())["log"]
    with served(house):
        assert house.call("GET", "/checkpoint").body.startswith(b"acme.example/ans\n0\n")
    assert json.loads((house.home.path / "registry.json").read_bytes())["log"] == key
