"""The page about the record: all of it is typed and run, in its order, by one reader."""

from __future__ import annotations

import gc
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from shlex import quote

from cli.conftest import Shell, shell
from delegant.credentials import CODES
from delegant.credentials.shape import format_time
from delegant.credentials.shape import time as seconds
from delegant.governance.auditlog import RETENTION_DAYS
from delegant.governance.record import parse_record
from postgres import Cluster

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "audit.md").read_text()
MAIN, POSTGRESQL = PAGE.split("\n## PostgreSQL")
EVENT = "evt_01M89N2S2JFXS4GEFAP5AHKG26"
HOLD = "evt_01M8A0R7QW3E5T7Y9V1B3N5M7K"
ADDRESS = "postgresql://audit@db.example/audit"
__all__ = ["shell"]  # pytest finds the fixture by its name here


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def typed(shell: Shell, block: str) -> str:
    """What a block prints: our own command in this process, all else by bash."""
    said = ""
    for line in block.splitlines():
        command, _, otherwise = line.partition(" || ")
        command, _, file = command.partition(" > ")
        words = shlex.split(command)
        if words[0] == "cd":
            shell.monkeypatch.chdir(words[1])
        elif words[0] == "delegant":
            result = shell(*words[1:])
            assert (result.exit_code != 0) == bool(otherwise), line + result.output
            if file:
                Path(file).write_bytes(result.stdout_bytes)
            said += result.output
            gc.collect()  # as when its process ends: what it had open is closed
        else:
            words[0] = sys.executable if words[0] == "python" else words[0]
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, line + done.stderr
            said += done.stdout
    return said


def shown_lines(text: str) -> list[str]:
    """How each line of a trace begins."""
    start = text.index("event      evt_")
    lines = text[start : text.index("verdict    holds")].splitlines()
    return [line[:11] for line in lines]


def test_the_page_as_it_stands(shell: Shell) -> None:
    shell.now = int(time.time())  # the snippets have their own clock
    make, act, ask, formats, export, trust, verify, match, own, early, hold, late = blocks(
        MAIN, "sh"
    )

    def types(block: str) -> str:
        return typed(shell, block)

    assert "next: delegant trust add-audit" in types(make)
    for name, text in zip(("papers.py", "agent.py"), blocks(MAIN, "python"), strict=True):
        assert text.startswith(f"# {name}\n")
        Path(name).write_text(text)
    (limits,) = blocks(MAIN, "json")
    Path("limits.json").write_text(limits)

    calls = [line for line in types(act).splitlines() if "titles" in line or "refused" in line]
    assert calls[0] == calls[2] == "5 titles"
    assert calls[1].startswith("refused: replay")
    assert calls[3].startswith("refused: constraint (budget): the budget has not 30 EUR:2 left")
    assert len(calls) == 4

    told = types(ask)
    assert "2 success" in told
    assert "2 refused" in told
    assert "no acts" in told  # of which nobody knows what came
    types(formats)
    records = [parse_record(line) for line in Path("acts.jsonl").read_bytes().splitlines()]
    assert [one.type for one in records] == ["intent", "outcome", "refusal"] * 2
    for name in ("ocsf", "otel"):
        assert len(Path(f"acts.{name}.jsonl").read_text().splitlines()) == 6

    assert "6 records of 6" in types(export)
    assert types(trust).count("did:web:db.acme.example") >= 1
    event = records[0].event
    told = types(verify.replace(EVENT, event))
    assert "continues  1 checkpoint" in told
    assert "holds: every entry is the log's" in told
    assert "decision   allow, by chain 1" in told
    assert "outcome    success, rows 5" in told
    assert "signed for by the agent, and accepted again" in told
    assert "verdict    holds" in told
    assert "2 success, 2 refused of did:web:db.acme.example" in told
    assert shown_lines(told) == shown_lines(
        re.findall(r"^```\n(event.*?)^```", MAIN, re.DOTALL | re.MULTILINE)[0]
    )

    for block in (match, own):
        told = types(block)
        assert "compared   6 records, 8 receipts: 3 pairs" in told
        assert "matched: each side says what the other says" in told

    today = format_time(shell.now)[:10]
    assert "retention" in types(early.replace("2026-11-25", today))
    told = types(hold.replace(EVENT, event))
    assert "case 17" in told
    (held,) = json.loads(shell.ok("audit", "hold", "list", "db-audit", "--json"))
    shell.now += (RETENTION_DAYS + 2) * 86_400
    later = format_time(seconds(f"{today}T00:00:00Z", "today") + 86_400)[:10]
    told = types(late.replace("2026-11-26", later).replace(HOLD, held["id"]))
    assert "pruned 3 events in 4 entries" in told
    assert "kept 1 that are held" in told
    assert "holds: every entry is the log's" in told
    assert "pruned     4, as notices in the log say" in told


def test_a_budget_of_the_page_is_what_it_says(shell: Shell) -> None:
    (limits,) = blocks(MAIN, "json")
    budget = json.loads(limits)["budget"]
    assert (budget["total"], budget["perAction"]) == ("50", "30")
    assert "spend 50 cents" in PAGE
    assert f'"value": "{budget["perAction"]}"' in PAGE


def test_the_page_about_postgresql(shell: Shell, cluster: Cluster) -> None:
    cluster.sql("CREATE DATABASE audit TEMPLATE template0")
    (block,) = blocks(POSTGRESQL, "sh")
    said = typed(shell, block.replace(ADDRESS, quote(cluster.address(database="audit"))))
    assert "the audit log of did:web:db.acme.example" in said
    assert "no acts of did:web:db.acme.example" in said


def test_the_codes_of_the_page_are_ours() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert len(named) == 10
    assert set(named) <= set(CODES)


def test_the_page_names_every_command_of_the_record(shell: Shell) -> None:
    told = shell.ok("audit", "--help")
    commands = re.findall(r"^│ ([a-z]+) +[A-Z]", told, re.MULTILINE)
    assert len(commands) >= 9
    typed_lines = [shlex.split(line) for block in blocks(PAGE, "sh") for line in block.splitlines()]
    for name in commands:
        assert any(words[:3] == ["delegant", "audit", name] for words in typed_lines), name
    assert str(RETENTION_DAYS) in PAGE
