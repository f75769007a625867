"""kill -9 while names are being registered: what was acknowledged is there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ans.naming import Naming
from delegant.credentials.codec import canonical

ROUNDS = 20
TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer forks")
def test_what_was_acknowledged_survives_kill_minus_nine(
    tmp_path: Path, database: str | None
) -> None:
    naming = Naming(tmp_path / "registry.db", database=database)
    writer = subprocess.Popen(
        [sys.executable, str(TESTS / "ans" / "writer.py"), str(naming.path),
         *([database] if database else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert writer.stdin is not None
    assert writer.stdout is not None
    dice = random.Random(7)
    sent: set[str] = set()
    kept: dict[str, dict[str, Any]] = {}
    for number in range(ROUNDS):
        writer.stdin.write(f"{1 + 10_000 * number}\n".encode())
        writer.stdin.flush()
        child = json.loads(writer.stdout.readline())["pid"]
        enough = len(kept) + 1 + dice.randrange(4)
        for line in writer.stdout:
            told = json.loads(line)
            if "ended" in told:
                break
            if "sent" in told:
                sent.add(told["sent"])
            else:
                kept[told["acknowledged"]] = told
            if len(kept) >= enough:
                time.sleep(dice.random() * 0.01)
                os.kill(child, signal.SIGKILL)  # what it said before is still read
                enough = sys.maxsize
    writer.stdin.close()
    assert writer.wait(10) == 0
    writer.stdout.close()

    again = naming.open()
    assert len(kept) >= ROUNDS
    for name, told in kept.items():
        status, answer = again.resolve(name, naming.now)
        assert status == 200
        assert naming.believed(answer, name).did == naming.bot.did
        # And the same bytes again give the same receipt.
        receipt = again.submit(canonical(told["again"]), None, naming.now)
        assert receipt["leaf"]["event"] == told["event"]
    for name in sent - kept.keys():  # killed between: all of it or nothing
        status, answer = again.resolve(name, naming.now)
        assert (status, answer["freshness"]["status"]) in [(200, "active"), (404, "not-found")]
