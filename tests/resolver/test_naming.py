"""Every step in the life of a name, typed as commands against a server that runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delegant.ans import Client
from delegant.wallet import delegate, load_trust
from resolver.door import ENDPOINT, NAME, House, build
from resolver.process import command, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A home that is served, with a label, and two agents that may register."""
    out = build(tmp_path_factory.mktemp("naming"))
    grant = {"actions": ["ans.*"], "resources": [out.registry]}
    delegate(out.home, out.home.open_wallet("human", "ana"), "other", [grant], now=_now())
    assert command(out, "ans", "provider", "add", "DataCorp").returncode == 0
    with served(out):
        yield out


def _now() -> int:
    return int(time.time())


def run(house: House, *words: str, status: int = 0) -> Any:
    """A command's JSON, whatever it says."""
    at = ("--url", house.url) if words[1] != "provider" else ()
    told = command(house, *words, *at, "--json")
    assert told.returncode == status, (words, told.stdout, told.stderr)
    return json.loads(told.stdout)


def register(house: House, name: str, agent: str = "bot", *more: str) -> Any:
    return run(house, "ans", "register", agent, "--name", name, "--endpoint", ENDPOINT, *more)


def version(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}.0")


def resolve(house: House, name: str) -> Any:
    with Client(house.url, house.trusted) as client:
        return client.resolve(name)


def code(house: House, *words: str) -> str:
    told = command(house, *words, "--url", house.url, "--json")
    assert told.returncode not in (0, 2), told.stdout + told.stderr
    return str(json.loads(told.stdout)["code"])


def test_what_is_said_at_registration_is_in_the_record(house: House) -> None:
    name, after = version(11), version(12)
    receipt = register(
        house, name, "bot", "--capability", "paper.query", "--alias", "ans://v11.0.0.a.example",
        "--successor", after, "--extension", 'mcp={"transport":"http"}',
        "--endpoint", "a2a=https://agents.acme.example/a2a", "--ttl", "2h",
    )  # fmt: skip
    assert receipt["leaf"]["seq"] == 0
    record = resolve(house, name).record
    assert record["capabilities"] == ["paper.query"]
    assert record["aliases"] == ["ans://v11.0.0.a.example"]
    assert record["successor"] == after
    assert record["protocolExtensions"] == {"mcp": {"transport": "http"}}
    assert record["endpoints"] == {"mcp": ENDPOINT, "a2a": "https://agents.acme.example/a2a"}


def test_a_renewal_keeps_what_was_said_and_an_update_changes_it(house: House) -> None:
    name = version(21)
    register(house, name, "bot", "--capability", "paper.query", "--ttl", "2h")
    first = resolve(house, name).record
    assert run(house, "ans", "renew", "bot", "--name", name, "--ttl", "3h")["leaf"]["seq"] == 1
    renewed = resolve(house, name).record
    assert renewed["capabilities"] == ["paper.query"]
    assert renewed["expires"] > first["expires"]
    run(house, "ans", "update", "bot", "--name", name, "--capability", "paper.write")
    updated = resolve(house, name).record
    assert updated["capabilities"] == ["paper.write"]
    assert updated["expires"] == renewed["expires"]
    assert updated["endpoints"] == first["endpoints"]


@pytest.mark.parametrize(("who", "by", "number"), [
    ("bot", "agent", 31), ("ana", "sponsor", 32), ("organization", "organization", 33),
])  # fmt: skip
def test_each_of_them_suspends_resumes_and_revokes(
    house: House, who: str, by: str, number: int
) -> None:
    name = version(number)
    register(house, name)
    leaf = run(house, "ans", "suspend", who, "--name", name, "--reason", "audit")["leaf"]
    assert (leaf["type"], leaf["by"], leaf["seq"]) == ("suspend", by, 1)
    told = run(house, "ans", "resolve", name, status=1)
    assert told["code"] == "ans-suspended"
    assert "audit" in told["detail"]
    assert run(house, "ans", "resume", who, "--name", name)["leaf"]["by"] == by
    assert resolve(house, name).did == house.bot.did
    run(house, "ans", "revoke", who, "--name", name, "--reason", "retired")
    assert run(house, "ans", "resolve", name, status=1)["code"] == "ans-gone"
    assert code(house, "ans", "resume", who, "--name", name) == "ans-gone"


def test_a_name_is_transferred(house: House) -> None:
    name = version(41)
    register(house, name, "bot", "--capability", "paper.query")
    leaf = run(house, "ans", "transfer", "bot", "--name", name, "--to", "other")["leaf"]
    assert (leaf["agent"], leaf["from"], leaf["epoch"]) == (house.other.did, house.bot.did, 1)
    found = resolve(house, name)
    assert (found.did, found.record["capabilities"]) == (house.other.did, ["paper.query"])
    assert code(house, "ans", "renew", "bot", "--name", name) == "name-taken"
    assert run(house, "ans", "renew", "other", "--name", name)["leaf"]["epoch"] == 1


def test_whoever_ranks_lower_does_not_resume(house: House) -> None:
    name = version(51)
    register(house, name)
    run(house, "ans", "suspend", "organization", "--name", name)
    assert code(house, "ans", "resume", "bot", "--name", name) == "ans-suspended"
    assert code(house, "ans", "resume", "ana", "--name", name) == "ans-suspended"
    # The operator of the registry ranks above them all.
    assert run(house, "ans", "resume", "registry", "--name", name)["leaf"]["by"] == "registry"


def test_what_is_mistyped_is_told(house: House) -> None:
    name = version(61)
    for words, told in (
        (("register", "bot", "--name", name), "shape"),  # nowhere to reach it
        (("register", "ana", "--name", name, "--endpoint", ENDPOINT), "wallet-kind"),
        (("register", "bot", "--name", "mcp://x", "--endpoint", ENDPOINT), "ans-name"),
        (("register", "bot", "--name", name, "--endpoint", ENDPOINT, "--extension", "x"), "shape"),
        (("renew", "bot", "--name", name), "ans-not-found"),
        (("suspend", "nobody", "--name", name), "not-found"),
    ):
        assert code(house, "ans", *words) == told, words
    assert register(house, name)["leaf"]["seq"] == 0


def test_labels_are_bound_and_listed(house: House) -> None:
    rival = "did:web:rival.example"
    told = run(house, "ans", "provider", "add", "Rival", "--owner", rival)
    assert told["receipt"]["leaf"]["organization"] == rival
    taken = run(house, "ans", "provider", "add", "DataC0rp", "--owner", rival, status=1)
    assert taken["code"] == "name-confusable"
    rows = {row["label"]: row for row in run(house, "ans", "provider", "list")}
    assert rows["Rival"] == {"label": "Rival", "organization": rival, "basis": "operator"}
    assert rows["DataCorp"]["organization"] == house.home.settings.organization
    # An organisation whose DID is its key has no domain to claim with.
    assert run(house, "ans", "provider", "claim", status=4)["code"] == "ans-name"


def test_the_operator_s_own_writes_are_in_the_log_that_is_served(house: House) -> None:
    told = run(house, "ans", "provider", "add", "Another")
    with Client(house.url, house.trusted) as client:
        receipt = client.submit(*house.wire(house.event(version(71))))
    assert receipt["index"] > told["receipt"]["index"]
    assert load_trust(house.home.path / "trust").registries[house.registry].log is not None
    assert Path(house.home.path / "log").is_dir()
