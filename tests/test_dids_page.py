"""Every command and claim of the page on DIDs, against a running server."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from delegant.cli.demo.stage import free_port, running
from delegant.resolver.addresses import public
from delegant.resolver.dids import KEEP_FAILURE, KEEP_MOST, MAX_LOG
from delegant.resolver.fetch import LOG_TYPES, SECONDS, SIZE
from delegant.resolver.identifiers import OFFERED
from delegant.w3c.didkey import FORMATS
from delegant.w3c.didurl import Options
from delegant.w3c.resolution import DID_ERRORS
from delegant.wallet import Home
from delegant.wallet.home import host_pattern
from refusal import refusal
from test_keys_pages import typed
from test_readme import ROOT, Shell

PAGE = (ROOT / "docs" / "dids.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def lines(start: str) -> list[str]:
    return [
        line
        for kind, block in BLOCKS
        if kind == "sh"
        for line in block.splitlines()
        if line.startswith(start)
    ]


def test_every_command_of_the_page_works(tmp_path: Path) -> None:

    init, *others = [line for line in lines("delegant") if "--allow-host" not in line]
    typed(tmp_path, init)
    home = tmp_path / "acme"
    settings = (home / "delegant.toml").read_text()
    (toml,) = [block for kind, block in BLOCKS if kind == "toml"]
    (home / "delegant.toml").write_text(settings.replace("fetch = []\n", toml))
    assert Home(home).settings.fetch == tuple(tomllib.loads(toml)["fetch"])
    for line in others:
        typed(tmp_path, line)
    shell = Shell(tmp_path, free_port())
    asked = lines("curl")
    assert len(asked) == 3
    bind = ["--bind", f"127.0.0.1:{shell.port}", "--home", str(home)]
    secret = ["--passphrase-file", shell.env["DELEGANT_PASSPHRASE_FILE"]]
    with running(["-m", "delegant.cli.main", "serve", *bind, *secret]):
        whole, agent, own = [json.loads(shell.types(line)) for line in asked]
    assert whole["didDocument"] == own
    assert own["id"] == "did:web:acme.example"
    assert agent["id"] == "did:web:acme.example:agents:bot"


def test_the_page_names_what_there_is() -> None:
    for media in OFFERED:
        assert media in PAGE or media == "application/ld+json"
    for name in FORMATS:
        assert name in PAGE
    for kind, status in DID_ERRORS.values():
        if kind != "INTERNAL_ERROR":
            assert re.search(rf"^\| {status} \|.*`{kind}`", PAGE, re.MULTILINE), kind
    for name in ("service", "serviceType", "relativeRef", "versionId", "versionNumber"):
        assert f"`{name}`" in PAGE
        assert refusal(lambda name=name: Options.read([(name, "1")])) == ""
    assert refusal(lambda: Options.read([("hl", "x")])) == "did-feature"


def test_the_page_tells_the_bounds_there_are() -> None:
    assert (SIZE, MAX_LOG, SECONDS) == (64 << 10, 1 << 20, 5.0)
    assert "64 KiB, a log 1 MiB, a fetch five\nseconds" in PAGE
    assert (KEEP_MOST, KEEP_FAILURE) == (300, 10)
    assert "five minutes at\nmost; that there was none, ten seconds" in PAGE
    assert "text/jsonl" in LOG_TYPES


@pytest.mark.parametrize("pattern", ["partner.example", "*.issuers.example", "*"])
def test_the_patterns_of_the_page_are_patterns(pattern: str) -> None:
    assert pattern in PAGE
    assert host_pattern(pattern) == pattern


@pytest.mark.parametrize("address", ["2001:0:1::1", "::8.8.8.8", "64:ff9b::7f00:1"])
def test_the_addresses_of_the_page_are_refused(address: str) -> None:
    assert refusal(lambda: public(address)) == "fetch-refused"
