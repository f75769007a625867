"""The page about the store: all of it is typed, in its order, over both databases."""

from __future__ import annotations

import gc
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from shlex import quote

import pytest

from cli.conftest import Shell, shell
from delegant.ans import engine
from delegant.ans import postgres as server
from postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "storage.md").read_text()
FIRST, SECOND = PAGE.split("## PostgreSQL")
__all__ = ["shell"]  # pytest finds the fixture by its name here
ADDRESS = "postgresql://registry@db.example/registry"


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def typed(shell: Shell, block: str, path: str = "") -> str:
    """What a block prints: our own command in this process, all else by the shell."""
    said = ""
    for line in block.splitlines():
        command, _, otherwise = line.partition(" || ")
        words = shlex.split(command)
        if words[0] == "cd":
            shell.monkeypatch.chdir(words[1])
        elif words[0] == "delegant":
            result = shell(*words[1:])
            assert (result.exit_code != 0) == bool(otherwise), line + result.output
            said += result.output
            gc.collect()  # as when its process ends: what it had open is closed
        else:
            done = subprocess.run(
                ["bash", "-euc", line],  # noqa: S607 - as a reader would
                env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"},
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, line + done.stderr
    return said


def test_the_page_about_sqlite(shell: Shell) -> None:
    said = [typed(shell, block) for block in blocks(FIRST)]
    assert "all is well" in said[0]
    assert "1 entries, 0 names; all of it checked" in said[1]
    assert "all is well" in said[2]
    assert "log-rollback" in said[3]
    assert "! 2 entries were signed for" in said[4]
    assert said[4].rstrip().endswith("all is well")
    assert "\n2\n" in (Path("log") / "registry.checkpoint.2").read_text()


def test_the_page_about_postgresql(
    shell: Shell, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.sql("CREATE DATABASE registry TEMPLATE template0")
    address = cluster.address(database="registry")
    monkeypatch.setenv("DELEGANT_DATABASE", address)
    shell.ok("init", "--org", "acme.example")
    monkeypatch.chdir("acme")
    page = [block.replace(ADDRESS, quote(address)) for block in blocks(SECOND)]
    said = [typed(shell, block, str(cluster.bin)) for block in page]
    assert "1 entries, 0 names\nall is well" in said[0]
    assert "all is well" in said[2]
    assert "layout 3 already" in said[3]
    assert "0 names are listed anew" in said[4]
    assert "DataCorp" in shell.ok("ans", "provider", "list")
    shell.ok("ans", "provider", "add", "Payments")
    typed(shell, page[2].splitlines()[0], str(cluster.bin))  # an older state
    value = shell.json("registry", "check", status=1)
    assert (value["size"], value["signedFor"], value["rolledBack"]) == (1, 2, True)
    assert "log-rollback" in shell("ans", "provider", "add", "Another").output


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (r"keeps up to (\d+) connections", lambda: server.MOST),
        (r"stand still for (\d+) ", lambda: server.IDLE_MS // 1000),
        (r"statements that\ntake (\d+),", lambda: server.STATEMENT_MS // 1000),
        (r"(\d+) s for SQLite's writer", lambda: engine.WAIT_SECONDS),
        (r"(\d+) s for PostgreSQL's lock", lambda: 2 * server.LOCK_MS // 1000),
        (r"(\d+) s for a statement", lambda: server.STATEMENT_MS // 1000),
        (r"has not moved for (\d+)\.", lambda: server.STILL_SECONDS),
        (r"(\d+) s for a server that fell silent", lambda: server.SILENT_SECONDS),
    ],
)
def test_the_page_states_the_limits(said: str, meant: Callable[[], int]) -> None:
    (number,) = re.findall(said, PAGE)
    assert int(number) == meant()
