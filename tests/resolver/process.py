"""`delegant serve` in a process of its own, as people run it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from resolver.door import House

COMMAND = [sys.executable, "-m", "delegant.cli.main"]


def options(house: House) -> list[str]:
    """Which home, and the passphrase of its wallets."""
    folder = house.home.path
    return ["--home", str(folder), "--passphrase-file", str(folder.parent / "passphrase")]


def command(house: House, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*COMMAND, *words, *options(house)], capture_output=True, text=True, timeout=30,
        check=False, env=os.environ | env,
    )  # fmt: skip


@contextlib.contextmanager
def served(house: House, *more: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The server as a process; its address goes to ``house.port``."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--bind", "127.0.0.1:0", *more, *options(house)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline().strip()
        assert line, process.stderr.read()
        address = json.loads(line)["listening"] if "--json" in more else line.split()[-1]
        if "--json" not in more:
            assert line.startswith("listening on http://127.0.0.1:")
        house.port = int(address.rpartition(":")[2])
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()


def counted(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    total = 0.0
    for line in text.splitlines():
        if line.startswith((name + "{", name + " ")) and all(
            f'{key}="{value}"' in line for key, value in labels.items()
        ):
            total += float(line.rsplit(" ", 1)[1])
    return total


def connected(house: House) -> http.client.HTTPConnection:
    """A connection that is kept."""
    return http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)
