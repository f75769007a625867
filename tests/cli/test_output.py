"""What commands print: help for people, JSON for machines, and never a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from delegant.cli.main import app
from delegant.credentials.codec import b58_encode
from delegant.wallet import Wallet

from .conftest import PASSPHRASE, Shell

NEED = "db.read:urn:acme:papers:17"


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group, by what is typed."""
    for name, one in group.commands.items():
        yield (*path, name), one
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))
LEAVES = {path: one for path, one in ALL.items() if not hasattr(one, "commands")}
WANTED = """init; human add; human list; human show; agent create; agent list; agent show; delegate;
delegations list; delegations show; present; verify; bundle export; evidence refresh; trust init;
trust add; trust list; status revoke; status suspend; status resume; ans register; ans resolve;
ans renew; ans revoke; ans provider add; serve; did create; did resolve; demo; human rotate;
human recover; agent renew; agent rotate; org rotate; attest; attestation verify; trust accredit;
trust update; trust remove; trust add-registry; trust remove-registry; story"""


def test_every_command_promised_is_there() -> None:
    assert {tuple(line.split()) for line in WANTED.split(";")} <= LEAVES.keys()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_a_person_understands(shell: Shell, path: tuple[str, ...]) -> None:
    told = shell.ok(*path, "--help")
    assert len(told.split()) > 10
    assert ALL[path].help
    for parameter in ALL[path].params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            assert parameter.help, f"{path}: {parameter.name} says nothing"


@pytest.mark.parametrize("path", [p for p in LEAVES if p != ("demo",)], ids=" ".join)
def test_every_command_has_the_common_options(path: tuple[str, ...]) -> None:
    names = {option for parameter in LEAVES[path].params for option in parameter.opts}
    assert {"--json", "--home", "--passphrase-file"} <= names


LINES = [
    "human list",
    "human show ana",
    "human add ben",
    "agent list",
    "agent show bot",
    "agent create third --sponsor ana",
    "delegations list",
    "delegations show link1.json",
    f"delegate --from ana --to bot --allow {NEED} --rows 3",
    f"present bot --need {NEED} --rows 1",
    f"present bot --need {NEED} --rows 1 -o b.json",
    "verify b.json",
    "verify b.json --explain",
    "bundle export link1.json link2.json --rows 1",
    "bundle export link1.json link2.json --rows 1 -o c.json",
    "evidence refresh",
    "evidence refresh b.json",
    "evidence refresh --agent bot",
    "trust init t",
    "trust add t acme/anchor.json",
    "trust list t",
    "status suspend link2.json",
    "status resume link2.json",
    "status revoke link2.json",
    "did create -o own.wallet",
    "did resolve did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "init --org other.example",
]


def test_with_json_every_command_prints_one_json_document(acme: Shell) -> None:
    for line in LINES:
        assert acme.json(*line.split()) is not None, line


def secrets_of(folder: Path) -> Iterator[bytes]:
    """Every seed below a folder."""
    for path in folder.rglob("*.wallet"):
        kind: Any = json.loads(path.read_bytes())["kind"]
        wallet = Wallet.open(path, PASSPHRASE, kind=kind)
        roles = ("attestation", "status", "registry") if kind == "organization" else ("main",)
        for role in roles:
            yield wallet.key(role).export_seed()


def spellings(seed: bytes) -> Iterator[str]:
    """The ways a seed could show."""
    yield seed.hex()
    yield seed.hex().upper()
    yield base64.b64encode(seed).decode().rstrip("=")
    yield base64.urlsafe_b64encode(seed).decode().rstrip("=")
    yield b58_encode(seed)
    yield repr(seed)[2:-1]


def test_no_command_and_no_file_ever_shows_a_secret(acme: Shell) -> None:
    for line in LINES:
        acme(*line.split())
        acme(*line.split(), "--json")
    for line in ("verify none", "human add ana", "human add x --passphrase-file nowhere",
                 "present nobody --need a:b", "did create -o own.wallet"):  # fmt: skip
        assert acme(*line.split()).exit_code != 0
    printed = "".join(acme.said)
    written = b"".join(p.read_bytes() for p in acme.folder.rglob("*") if p.is_file())
    seeds = list(secrets_of(acme.folder))
    assert len(seeds) >= 9
    for seed in seeds:
        assert seed not in written
        for text in spellings(seed):
            assert text not in printed
            assert text.encode() not in written
    assert PASSPHRASE not in printed
    assert PASSPHRASE.encode() not in written


def test_a_toolset_left_out_is_said_to_be_none(acme: Shell) -> None:
    assert "none" in acme.ok("agent", "create", "bare", "--sponsor", "ana")
    assert "db.read" in acme.ok("agent", "show", "bot")
