"""`task` and `my`: one task each, and a human who stops an agent."""

from __future__ import annotations

from typing import Any

import pytest

from cli.conftest import Shell

NEED = "db.read:urn:acme:papers:17"
START = "task start bot T-17 --from broker --allow db.read:urn:acme:papers:** --ttl 2m"


@pytest.fixture
def tasks(shell: Shell) -> Shell:
    """A home with Ana, a broker with her mandate, and an agent."""
    shell.ok("init", "--org", "acme.example")
    shell.monkeypatch.setenv("DELEGANT_HOME", str(shell.folder / "acme"))
    shell.many(
        [
            "human add ana --attest idp:corp",
            "agent create broker --sponsor ana",
            "agent create bot --sponsor ana --tools db.read",
            "delegate --from ana --to broker --allow db.read:urn:acme:papers:** --use mandate "
            "--redelegate 1",
        ]
    )
    return shell


def verdict(shell: Shell, task: str = "T-17") -> str:
    """What the home's own verifier says of the task's next act, freshly stapled."""
    shell.ok("present", "bot", "--task", task, "--need", NEED, "-o", "bundle.json")
    found = shell("verify", "bundle.json", "--need", NEED, "--json")
    return "" if found.exit_code == 0 else str(_code(found.stdout))


def _code(text: str) -> Any:
    import json

    return json.loads(text)["code"]


def test_a_task_is_started_used_and_completed(tasks: Shell) -> None:
    told = tasks.json(*START.split(), "--justification", "the weekly digest")
    assert (told["task"], told["justification"]) == ("T-17", "the weekly digest")
    (listed,) = tasks.json("task", "list")
    assert (listed["name"], listed["state"]) == ("bot", "open")
    assert verdict(tasks) == ""
    assert verdict(tasks, "T-18") == "task-mismatch"
    done = tasks.json("task", "complete", "T-17")
    assert done == {"task": "T-17", "closed": [told["link"]]}
    assert verdict(tasks) == "revoked"
    assert tasks.json("task", "list") == []
    (listed,) = tasks.json("task", "list", "--all")
    assert listed["state"] == "closed"
    assert tasks.json("task", "complete", told["link"])["closed"] == []


def test_a_task_that_is_over_is_not_open(tasks: Shell) -> None:
    tasks.ok(*START.split())
    tasks.now += 119
    assert "T-17" in tasks.ok("task", "list")
    tasks.now += 1
    assert "no open task" in tasks.ok("task", "list")
    assert tasks.json("task", "list", "--all")[0]["state"] == "expired"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (START, ""),
        (START.replace("--from broker", "--from ana"), ""),
        (START.replace("2m", "16m"), "ttl-too-long"),
        (START.replace("db.read", "db.drop"), "no-grant"),
        (START.replace("--from broker", "--from bot"), "no-grant"),
        (START.replace("--from broker", "--from nobody"), "not-found"),
    ],
)
def test_what_a_task_may_be(tasks: Shell, typed: str, code: str) -> None:
    found = tasks(*typed.split(), "--json")
    assert (found.exit_code == 0) == (not code)
    assert not code or _code(found.stdout) == code


def test_nobody_completes_what_was_not_started(tasks: Shell) -> None:
    assert tasks.json("task", "complete", "T-17", status=1)["code"] == "not-found"


def test_a_human_sees_their_agents(tasks: Shell) -> None:
    tasks.many(["human add bob --attest idp:corp", "agent create other --sponsor bob"])
    assert [one["agent"] for one in tasks.json("my", "agents", "--as", "bob")] == ["other"]
    tasks.ok(*START.split())
    rows = {one["agent"]: one for one in tasks.json("my", "agents", "--as", "ana")}
    assert rows.keys() == {"broker", "bot"}
    assert rows["bot"]["tasks"] == ["T-17"]
    assert rows["bot"]["standing_privileges"] == 0
    tasks.ok(*f"delegate --from ana --to bot --allow {NEED}".split())
    rows = {one["agent"]: one for one in tasks.json("my", "agents", "--as", "ana")}
    assert rows["bot"]["standing_privileges"] == 1
    assert tasks.json("my", "agents", status=1)["code"] == "not-found"  # of two, which?


def test_a_human_stops_an_agent(tasks: Shell) -> None:
    tasks.ok(*START.split())
    assert verdict(tasks) == ""
    told = tasks.json("my", "stop", "bot")
    assert (told["status"], len(told["closed"])) == ("suspended", 1)
    assert verdict(tasks) in ("revoked", "suspended")
    (bot,) = [one for one in tasks.json("my", "agents") if one["agent"] == "bot"]
    assert (bot["status"], bot["tasks"]) == ("suspended", [])
    tasks.ok(*START.replace("T-17", "T-18").split())
    assert verdict(tasks, "T-18") == "suspended"
    tasks.ok("status", "resume", "bot")
    assert verdict(tasks, "T-18") == ""


def test_nobody_stops_another_ones_agent(tasks: Shell) -> None:
    tasks.ok("human", "add", "bob", "--attest", "idp:corp")
    assert tasks.json("my", "stop", "bot", "--as", "bob", status=1)["code"] == "not-found"
    tasks.ok("my", "stop", "bot", "--as", "ana")
