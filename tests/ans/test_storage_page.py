"""The page about the store: all of it is typed, in its order, over both databases."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from delegant.ans import engine
from delegant.ans import postgres as server
from postgres import Cluster
from test_vc_api_page import Reader

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "storage.md").read_text()
FIRST, SECOND = PAGE.split("## PostgreSQL")
ADDRESS = "postgresql://registry@db.example/registry"


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_page_about_sqlite(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    first, *rest = blocks(FIRST)
    before, after = first.split("cd acme\n")
    reader.types(before)
    reader.folder /= "acme"
    assert "all is well" in reader.types(after)
    said = [reader.types(block) for block in rest]
    assert "1 entries, 0 names; all of it checked" in said[0]
    assert "all is well" in said[1]
    assert "older than was signed for" in said[2]
    assert "! 2 entries were signed for" in said[3]
    assert said[3].rstrip().endswith("all is well")
    shown = reader.types("delegant log verify --key registry.json copy || true")
    assert not shown  # nothing is served here
    kept = reader.folder / "log" / "registry.checkpoint.2"
    assert "\n2\n" in kept.read_text()


def test_the_page_about_postgresql(tmp_path: Path, cluster: Cluster) -> None:
    cluster.sql("CREATE DATABASE registry TEMPLATE template0")
    reader = Reader(tmp_path)
    reader.types("delegant init --org acme.example")
    reader.folder /= "acme"
    address = cluster.address(database="registry")
    reader.env |= {"DELEGANT_DATABASE": address, "PATH": f"{cluster.bin}:{reader.env['PATH']}"}
    typed = [block.replace(ADDRESS, address) for block in blocks(SECOND)]
    said = [reader.types(block) for block in typed]
    assert "1 entries, 0 names\nall is well" in said[0]
    assert "all is well" in said[2]
    assert "layout 3 already" in said[3]
    assert "0 names are listed anew" in said[4]
    assert "DataCorp" in reader.types("delegant ans provider list")
    reader.types("delegant ans provider add Payments")
    reader.types(typed[2].splitlines()[0])
    told = reader.types("delegant registry check --json || true")
    value = json.loads(told)
    assert (value["size"], value["signedFor"], value["rolledBack"]) == (1, 2, True)
    assert "log-rollback" in reader.types("delegant ans provider add Another 2>&1 || true")
    assert refused(reader, "delegant registry backup x.db") == "shape"
    assert refused(reader, "delegant registry restore x.db") in ("shape", "not-found")


def refused(reader: Reader, line: str) -> str:
    return str(json.loads(reader.types(f"{line} --json || true"))["code"])


def test_what_the_commands_refuse(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.types("delegant init --org acme.example")
    reader.folder /= "acme"
    for command in ("check", "backup x.db", "migrate", "reindex", "rewind --reason why"):
        assert refused(reader, f"delegant registry {command}") == "not-found"
    assert not (reader.folder / "registry.db").exists()
    reader.types("delegant ans provider add DataCorp")
    reader.types("delegant registry backup x.db")
    for command, code in {
        "backup x.db": "name-taken",
        "restore x.db": "name-taken",
        "rewind --reason why": "ans-transition",
        "check --database mysql://u:secret@h/d": "shape",
        "check --database postgresql://u:secret@127.0.0.1:1/d": "unavailable",
    }.items():
        told = reader.types(f"delegant registry {command} --json || true")
        assert json.loads(told)["code"] == code, told
        assert "secret" not in told
    rows = sqlite3.connect(reader.folder / "registry.db")
    rows.execute("UPDATE providers SET basis = 'domain'")
    rows.commit()
    rows.close()
    told = reader.types("delegant registry check && echo fine || true")
    assert "! providers: datacorp: it is not what leaf 0 says" in told
    assert "fine" not in told
    assert refused(reader, "delegant registry backup y.db") == "unavailable"


def test_an_older_registry_is_migrated_by_the_command_it_names(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.types("delegant init --org acme.example")
    reader.folder /= "acme"
    rows = sqlite3.connect(reader.folder / "registry.db")
    rows.executescript((Path(__file__).parent / "layout2.sql").read_text())
    rows.close()
    told = reader.types("delegant ans provider list 2>&1 || true")
    (command,) = re.findall(r"type: (delegant registry \w+)", told)
    assert "a registry of an older layout" in reader.types("delegant registry backup before.db")
    assert "from layout 2 to 3" in reader.types(command)
    assert "AcmeLabs" in reader.types("delegant ans provider list")
    assert "layout 3 already" in reader.types(command)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (r"keeps up to (\d+) connections", lambda: server.MOST),
        (r"stand still for (\d+),", lambda: server.IDLE_MS // 1000),
        (r"statements that\ntake (\d+)\.", lambda: server.STATEMENT_MS // 1000),
        (r"(\d+) s for SQLite's writer", lambda: engine.WAIT_SECONDS),
        (r"(\d+) s for PostgreSQL's lock", lambda: server.STATEMENT_MS // 1000),
        (r"(\d+) s for a server that fell silent", lambda: server.SILENT_SECONDS),
    ],
)
def test_the_page_states_the_limits(said: str, meant: Callable[[], int]) -> None:
    (number,) = re.findall(said, PAGE)
    assert int(number) == meant()
