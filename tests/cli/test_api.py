"""`delegant api` and the development server, as an operator types them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from delegant.wallet import Home, tokens
from refusal import refusal
from resolver.conftest import settled  # noqa: F401 - a fixture
from resolver.process import command, served
from resolver.vc import Api, plain

from .conftest import T0, Shell


@pytest.fixture
def home(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Home:
    shell.ok("init", "--org", "acme.example")
    monkeypatch.chdir(shell.folder / "acme")
    monkeypatch.setattr("delegant.cli.api.now", lambda: T0)
    return Home(shell.folder / "acme")


def test_a_token_is_made_listed_and_revoked(shell: Shell, home: Home) -> None:
    made = shell.ok(
        "api", "token", "new", "--scope", "issue,verify", "--name", "ci", "--ttl", "1h"
    ).strip()
    assert tokens.check(home, made, now=T0 + 3599).scopes == ("issue", "verify")
    shown = shell.ok("api", "token", "list")
    assert made.split("_", 2)[2] not in shown
    (row,) = shell.json("api", "token", "list")
    assert (row["name"], row["scopes"]) == ("ci", ["issue", "verify"])
    assert row["id"] in shown
    shell.ok("api", "token", "revoke", row["id"])
    assert refusal(lambda: tokens.check(home, made, now=T0)) == "api-auth"
    assert "no token yet" in shell.ok("api", "token", "list")


def test_a_scope_there_is_not_makes_no_token(shell: Shell, home: Home) -> None:
    told: Any = shell.json("api", "token", "new", "--scope", "everything", status=4)
    assert told["code"] == "shape"
    assert tokens.all_tokens(home) == []


def test_the_issuer_shows_its_dids_the_same_each_time(shell: Shell, home: Home) -> None:
    first = shell.json("api", "issuer")
    assert first == shell.json("api", "issuer")
    assert set(first) == {"Ed25519", "P-256", "P-384"}
    assert first["P-384"] in shell.ok("api", "issuer")
    assert first["Ed25519"] != home.settings.organization


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_development_is_served_to_this_machine_alone(settled: Any) -> None:  # noqa: F811
    told = command(settled, "serve", "--insecure-development", "--bind", "0.0.0.0:0", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["code"] == "api-auth"
    with served(settled, "--insecure-development") as process:
        assert "asks nobody" in line_of(process)
        issued = Api(settled).issue(plain())
        assert Api(settled).verify(issued)[0] == 200
    with served(settled) as process:
        assert "delegant api token new" in line_of(process)
        assert Api(settled).post("/credentials/issue", {"credential": plain()}).status == 401
        made = command(settled, "api", "token", "new", "--scope", "issue,verify")
        mine = Api(settled, made.stdout.strip())
        assert re.fullmatch(r"delegant_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", mine.token)
        assert mine.verify(issued)[0] == 200
        assert mine.issue(plain())["issuer"] == issued["issuer"]
