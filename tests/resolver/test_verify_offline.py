"""`delegant ans verify`: answers saved by a stranger prove themselves when the server is gone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner, Result

from delegant.cli import ansverify
from delegant.cli.main import app
from delegant.credentials import shape
from delegant.wallet import files
from resolver.door import ENDPOINT, NAME, House, build
from resolver.process import command, served

GONE = NAME.replace("main", "gone")
RESTING = NAME.replace("main", "resting")
MISSING = NAME.replace("main", "missing")
OFFLINE = [sys.executable, "-m", "delegant.cli.demo.offline"]
JWS = {"Accept": "application/ans-answer+jwt"}


@dataclass
class Saved:
    """Files by what was asked, a stranger's trust folder, and when the answers were given."""

    folder: Path
    trust: Path
    house: House
    at: int

    def path(self, what: str) -> Path:
        return self.folder / what

    def verify(self, what: str, *more: str, at: int | None = None) -> Result:
        """The command in this process, by default at the instant of the answers."""
        when = shape.format_time(self.at if at is None else at)
        words = ["ans", "verify", str(self.path(what)), "--trust", str(self.trust)]
        return CliRunner().invoke(app, [*words, "--at", when, *more])

    def altered(self, what: str, alter: Any) -> str:
        """The name of a new file: that one, changed."""
        value = json.loads(self.path(what).read_bytes())
        alter(value)
        self.path("altered.json").write_text(json.dumps(value, indent=1))
        return "altered.json"


def resolve(**query: str) -> str:
    return "/v1/resolve?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """The home of the registry serves, is asked, and stops."""
    house = build(tmp_path_factory.mktemp("home"))
    folder = tmp_path_factory.mktemp("stranger")
    assert command(house, "ans", "provider", "add", "DataCorp").returncode == 0
    with served(house):
        for name in (NAME, GONE, RESTING):
            assert house.post(house.event(name)).status == 201, name
        words = ("--name", GONE, "--reason", "key theft", "--url", house.url)
        assert command(house, "ans", "revoke", "bot", *words).returncode == 0
        words = ("--name", RESTING, "--reason", "holiday", "--url", house.url)
        assert command(house, "ans", "suspend", "ana", *words).returncode == 0
        asked: list[tuple[str, str, dict[str, str]]] = [
            ("exact.json", resolve(name=NAME), {}),
            ("exact.jws", resolve(name=NAME), JWS),
            ("search.json", resolve(capability="SemanticSearch", trace="true"), {}),
            ("missing.json", resolve(name=MISSING), {}),
            ("gone.json", resolve(name=GONE), {}),
            ("gone.jws", resolve(name=GONE), JWS),
            ("resting.json", resolve(name=RESTING), {}),
        ]
        for what, path, headers in asked:
            reply = house.call("GET", path, headers=headers)
            (folder / what).write_bytes(reply.body)
    trust = folder / "trust"
    published = str(house.home.path / "registry.json")
    for typed in (["init", str(trust)], ["add-registry", str(trust), published]):
        done = CliRunner().invoke(app, ["trust", *typed])
        assert done.exit_code == 0, done.output
    whole = json.loads((folder / "exact.json").read_bytes())
    at = shape.time(whole["freshness"]["time"], "time")
    return Saved(folder, trust, house, at + 5)  # the others are a little younger


@pytest.mark.parametrize(
    ("what", "status", "says"),
    [
        ("exact.json", 0, ""),
        ("exact.jws", 0, ""),
        ("search.json", 0, ""),
        ("missing.json", 1, "ans-not-found"),
        ("gone.json", 1, "ans-gone"),
        ("gone.jws", 1, "ans-gone"),
        ("resting.json", 1, "ans-suspended"),
    ],
)
def test_an_answer_is_proven_in_a_process_without_sockets(
    saved: Saved, what: str, status: int, says: str
) -> None:
    words = ["ans", "verify", str(saved.path(what)), "--offline", "--trust", str(saved.trust)]
    when = shape.format_time(saved.at)
    done = subprocess.run(
        [*OFFLINE, *words, "--at", when], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "socket" not in done.stderr
    assert saved.house.registry in done.stdout
    if what != "missing.json":
        assert f"checkpoint    signed by {saved.house.log.vkey.rpartition('+')[0]}" in done.stdout
        assert "logged        entry" in done.stdout
        assert saved.house.bot.did in done.stdout


def test_every_line_says_what_is_proven(saved: Saved) -> None:
    told = saved.verify("exact.json").stdout
    ana = saved.house.home.subject("ana").did
    for line in (
        f"question        {NAME.lower()} (as the file says)",
        f"  agent         {saved.house.bot.did} signed the record",
        f"  mcp           {ENDPOINT}",
        "  logged        entry 1 of acme.example/ans, size ",
        f"  answers for   {ana} (says the record)",
        f"  organisation  {saved.house.organization.did}",
        "0 witnesses",
    ):
        assert line in told, told
    assert "signed        active at 20" in told
    gone = saved.verify("gone.json")
    assert "newest event  revoke by" in gone.stdout
    assert "reason        key theft" in gone.stdout
    assert saved.verify("resting.json").stdout.count(ana) == 1
    assert "no log proves" in saved.verify("missing.json").stdout
    trace = saved.verify("search.json").stdout
    assert f"left out        {GONE}: revoked" in trace
    assert f"left out        {RESTING}: suspended" in trace


def test_the_json_holds_the_same(saved: Saved) -> None:
    found = json.loads(saved.verify("exact.json", "--json", "--name", NAME).stdout)
    (agent,) = found["agents"]
    assert (agent["name"], agent["did"]) == (NAME, saved.house.bot.did)
    assert (agent["logged"]["index"], agent["logged"]["witnesses"]) == (1, [])
    assert (found["status"], found["asked"]) == ("active", "given")
    assert "problem" not in found
    gone = json.loads(saved.verify("gone.json", "--json").stdout)
    assert (gone["status"], gone["reason"], gone["agents"]) == ("revoked", "key theft", [])
    assert (gone["last"]["type"], gone["last"]["signed"]) == ("revoke", True)
    assert gone["problem"]["code"] == "ans-gone"


def test_past_its_time_all_else_is_still_proven(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = saved.verify("exact.json", at=saved.at + 86_400)
    assert late.exit_code == 3
    assert "signed the record" in late.stdout
    assert "error: ans-stale" in late.stderr
    then = json.loads(saved.path("exact.json").read_bytes())["freshness"]["time"]
    assert f"--at {then} asks what it proved then" in late.stderr
    monkeypatch.setattr(ansverify, "now", lambda: saved.at + 86_400)
    words = ["ans", "verify", str(saved.path("gone.jws")), "--trust", str(saved.trust), "--json"]
    by_clock = CliRunner().invoke(app, words)
    assert by_clock.exit_code == 3
    told = json.loads(by_clock.stdout)
    assert (told["problem"]["code"], told["status"]) == ("ans-stale", "revoked")
    assert saved.verify("exact.json", at=saved.at - 86_400).exit_code == 3


def test_what_was_altered_proves_nothing_at_any_time(saved: Saved) -> None:
    def endpoint(value: Any) -> None:
        value["resolvedAgents"][0]["serviceEndpoint"] = "https://evil.example/"

    def reason(value: Any) -> None:
        value["answer"]["last"]["event"]["reason"] = "retired"

    def until(value: Any) -> None:
        value["freshness"]["validUntil"] = "2099-01-01T00:00:00Z"

    for what, alter in (("exact.json", endpoint), ("gone.json", reason), ("exact.json", until)):
        for at in (saved.at, saved.at + 86_400):
            done = saved.verify(saved.altered(what, alter), at=at)
            assert (done.exit_code, done.stdout) == (1, ""), (what, at)
            assert "error: ans-signature" in done.stderr
        assert saved.verify(saved.altered(what, lambda _: None)).exit_code in (0, 1)
    token = saved.path("exact.jws").read_text()
    at = len(token) // 2
    other = "A" if token[at] != "A" else "B"
    saved.path("altered.jws").write_text(token[:at] + other + token[at + 1 :])
    done = saved.verify("altered.jws")
    assert done.exit_code in (1, 4)
    assert done.stdout == ""


def test_the_question_is_the_one_that_was_asked(saved: Saved) -> None:
    assert saved.verify("exact.json", "--name", NAME.upper().replace("MCP:", "mcp:").replace(
        ".V1", ".v1").replace("MAIN", "main")).exit_code == 0  # fmt: skip
    other = saved.verify("exact.json", "--name", MISSING)
    assert (other.exit_code, other.stdout) == (1, "")
    assert "another question" in other.stderr
    asked = '{"capability": "SemanticSearch", "trace": true}'
    assert saved.verify("search.json", "--query", asked).exit_code == 0
    assert saved.verify("search.json", "--query", '{"capability": "Payroll"}').exit_code == 1
    assert saved.verify("search.json", "--query", asked, "--name", NAME).exit_code == 4
    assert saved.verify("search.json", "--query", "{").exit_code == 4


def test_who_is_not_trusted_proves_nothing(saved: Saved, tmp_path: Path) -> None:
    def told(folder: Path) -> tuple[int, str]:
        words = ["ans", "verify", str(saved.path("exact.json")), "--trust", str(folder)]
        done = CliRunner().invoke(app, [*words, "--at", shape.format_time(saved.at), "--json"])
        value = json.loads(done.stdout)
        return done.exit_code, value.get("code", "")

    nobody = tmp_path / "nobody"
    CliRunner().invoke(app, ["trust", "init", str(nobody)])
    assert told(nobody) == (1, "not-found")
    published = files.read_object(saved.house.home.path / "registry.json")
    files.write_json(tmp_path / "silent.json", {k: published[k] for k in ("id", "keys")})
    CliRunner().invoke(app, ["trust", "add-registry", str(nobody), str(tmp_path / "silent.json")])
    assert told(nobody) == (3, "key-unresolved")
    assert told(saved.trust) == (0, "")
    assert told(saved.house.home.path / "trust") == (0, "")


@pytest.mark.parametrize("text", ["", "{", "[]", "a.b.c", "{}", '{"query": {}}', "é", "null"])
def test_a_file_that_is_no_answer_is_malformed(saved: Saved, text: str) -> None:
    saved.path("odd").write_text(text)
    done = saved.verify("odd")
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.startswith("error: ")
    assert CliRunner().invoke(app, ["ans", "verify", "nowhere", "--trust", str(saved.trust)]
                              ).exit_code == 1  # fmt: skip


def test_the_homes_own_folder_is_the_default_and_of_several_registries_the_one_that_answered(
    saved: Saved, tmp_path: Path
) -> None:
    when = shape.format_time(saved.at)
    words = ["ans", "verify", str(saved.path("exact.jws")), "--at", when]
    home = ["--home", str(saved.house.home.path)]
    assert CliRunner().invoke(app, [*words, *home]).exit_code == 0
    both = tmp_path / "both"
    other = build(tmp_path)
    CliRunner().invoke(app, ["trust", "init", str(both)])
    for house in (saved.house, other):
        published = str(house.home.path / "registry.json")
        CliRunner().invoke(app, ["trust", "add-registry", str(both), published])
    assert CliRunner().invoke(app, [*words, "--trust", str(both)]).exit_code == 0
    for registry, status in ((saved.house.registry, 0), (other.registry, 1)):
        own = [*words, "--trust", str(both), "--registry", registry]
        assert CliRunner().invoke(app, own).exit_code == status
    alone = ["--trust", str(other.home.path / "trust")]
    foreign = CliRunner().invoke(app, [*words, *alone])
    assert foreign.exit_code == 1
    assert "ans-signature" in foreign.stderr
