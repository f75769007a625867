"""`delegant ans resolve`, `search` and `history` against a server that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resolver.door import ENDPOINT, NAME, House, build
from resolver.process import COMMAND, command, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A home that is served, with three versions of a name; the third is revoked."""
    out = build(tmp_path_factory.mktemp("asking"))
    assert command(out, "ans", "provider", "add", "DataCorp").returncode == 0
    with served(out):
        for number in (1, 2, 3):
            done(out, "ans", "register", "bot", "--name", version(number), "--endpoint", ENDPOINT,
                 "--capability", "papers.find")  # fmt: skip
        done(out, "ans", "suspend", "ana", "--name", version(2), "--reason", "audit")
        done(out, "ans", "resume", "ana", "--name", version(2))
        done(out, "ans", "revoke", "bot", "--name", version(3), "--reason", "retired")
        yield out


def version(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}.0")


def done(house: House, *words: str, status: int = 0) -> str:
    told = command(house, *words, "--url", house.url)
    assert told.returncode == status, (words, told.stdout, told.stderr)
    return told.stdout


def as_json(house: House, *words: str, status: int = 0) -> Any:
    return json.loads(done(house, *words, "--json", status=status))


def test_a_search_is_for_people_and_for_machines(house: House) -> None:
    text = done(house, "ans", "search", "--capability", "papers.find")
    assert text.index(version(2)) < text.index(version(1))
    assert house.bot.did in text
    assert ENDPOINT in text
    told = as_json(house, "ans", "search", "--pattern", "mcp://SemanticSearch.*", "--version", "^1",
                   "--provider", "datacorp", "--protocol", "mcp", "--limit", "5", "--trace",
                   "--prefer", "DataCorp")  # fmt: skip
    assert [one["name"] for one in told["agents"]] == [version(1)]
    assert told["agents"][0]["unattested"] == ["papers.find"]
    assert {"name": version(2), "reason": "wrong-version"} in told["trace"]
    assert told["answer"]["query"]["trace"] is True


@pytest.mark.parametrize(("words", "reason"), [
    (("--available", "5m"), "unavailable"), (("--attestation", "SOXComplianceCertified",
     "--attestation", "Other"), "no-attestation"), (("--version", ">=9"), "wrong-version"),
])  # fmt: skip
def test_nobody_found_is_exit_1_and_says_why(
    house: House, words: tuple[str, ...], reason: str
) -> None:
    asked = ("ans", "search", "--capability", "papers.find", *words)
    text = done(house, *asked, "--trace", status=1)
    assert text.startswith("nobody was found\n")
    assert f"left out        {version(1)}: {reason}" in text
    assert as_json(house, *asked, status=1)["agents"] == []


@pytest.mark.parametrize(("words", "code"), [
    ((), "ans-query"), (("--version", "soon"), "ans-query"), (("--limit", "51"), "ans-query"),
    (("--available", "now"), "shape"), (("--pattern", "mcp://["), None),
])  # fmt: skip
def test_a_question_that_is_none_is_told(
    house: House, words: tuple[str, ...], code: str | None
) -> None:
    told = as_json(house, "ans", "search", *words, status=4)
    assert code in (None, told["code"])


def test_the_history_of_a_name_from_first_to_last(house: House) -> None:
    told = as_json(house, "ans", "history", version(2))
    assert [(one["seq"], one["type"], one["by"], one["signed"]) for one in told] == [
        (0, "register", "agent", True), (1, "suspend", "sponsor", True),
        (2, "resume", "sponsor", True),
    ]  # fmt: skip
    assert told[1]["event"]["reason"] == "audit"
    lines = done(house, "ans", "history", version(3)).splitlines()
    assert len(lines) == 2
    assert f"register by the agent, now {house.bot.did}'s" in lines[0]
    assert "revoke by the agent: retired" in lines[1]
    assert as_json(house, "ans", "history", version(9), status=1)["code"] == "ans-not-found"


def test_what_was_met_is_remembered_in_the_home(house: House) -> None:
    done(house, "ans", "resolve", version(1))
    file = house.home.path / "ans-memory.json"
    before = json.loads(file.read_bytes())
    assert before["names"][version(1).lower()]["agent"] == house.bot.did
    # Whoever was met holding the name must have handed it over.
    forged = json.loads(file.read_bytes())
    forged["names"][version(1).lower()]["agent"] = house.other.did
    file.write_text(json.dumps(forged))
    assert as_json(house, "ans", "resolve", version(1), status=1)["code"] == "ans-rebound"
    # A log of more entries than this one has was met: it was set back.
    file.write_text(json.dumps(before | {"log": before["log"] | {"size": 999}}))
    assert as_json(house, "ans", "resolve", version(1), status=1)["code"] == "log-rollback"
    file.write_text("{")
    assert as_json(house, "ans", "resolve", version(1), status=4)["code"] == "json"
    file.write_text(json.dumps(before))
    done(house, "ans", "resolve", version(1))


def bare(house: House, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of somebody who has no home, but a trust folder."""
    trust = folder / "trust"
    if not trust.exists():
        shutil.copytree(house.home.path / "trust", trust)
    asked = [*COMMAND, *words, "--trust", str(trust), "--url", house.url, "--json"]
    return subprocess.run(
        asked, capture_output=True, text=True, timeout=30, check=False, cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )  # fmt: skip


def test_a_name_that_is_forgotten_is_met_anew(house: House) -> None:
    done(house, "ans", "resolve", version(1))
    assert house.bot.did in command(house, "ans", "forget", version(1)).stdout
    kept = json.loads((house.home.path / "ans-memory.json").read_bytes())
    assert version(1).lower() not in kept["names"]
    assert "log" in kept
    assert "not-found" in command(house, "ans", "forget", version(1)).stderr
    done(house, "ans", "resolve", version(1))


def test_without_a_home_a_trust_folder_is_enough(house: House, tmp_path: Path) -> None:
    memory = tmp_path / "kept" / "memory.json"
    for words in (
        ("ans", "resolve", version(1), "--registry", house.registry, "--memory", str(memory)),
        ("ans", "search", "--capability", "papers.find", "--memory", str(memory)),
        ("ans", "history", version(2)),
    ):
        told = bare(house, tmp_path, *words)
        assert told.returncode == 0, (words, told.stdout, told.stderr)
    assert set(json.loads(memory.read_bytes())["names"]) == {
        version(1).lower(), version(2).lower(),
    }  # fmt: skip
    stranger = bare(house, tmp_path, "ans", "resolve", version(1), "--registry", house.bot.did)
    assert json.loads(stranger.stdout)["code"] == "not-found"
    assert stranger.returncode == 1
