"""F1: kill -9 amid the registrations of 64 clients. What was acknowledged is there, whole."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from faults.hammering import Hammering, hammering
from faults.reading import newest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer forks")


def logged(hammer: Hammering, numbers: list[int]) -> int:
    """How many of these names the registry has."""
    hammer.naming.registry = hammer.naming.open()
    names = [hammer.ops[number].name for number in numbers]
    found = newest(hammer.naming, names)
    hammer.naming.registry.close()
    return sum(event != "" for event in found.values())


ROUNDS = 200
CLIENTS = 64


def test_f1_of_64_clients_no_acknowledged_name_is_lost_to_kill_9(tmp_path: Path) -> None:
    dice = random.Random(1)
    with hammering(tmp_path, CLIENTS) as hammer:
        amid = 0
        for _ in range(ROUNDS):
            again = hammer.unknown[-CLIENTS:] if dice.random() < 0.85 else []  # as clients do
            sent = again + hammer.fresh(2 * CLIENTS - len(again))
            child = hammer.begin(sent, "stay")
            until, pause = dice.choice(("sent", "ok")), dice.random() * 0.05
            killed = False

            def heard(words: list[str], until: str = until, pause: float = pause) -> None:
                nonlocal killed
                if not killed and words[0] in (until, "end"):
                    time.sleep(pause)
                    os.kill(child, signal.SIGKILL)  # noqa: B023 - what it said before is still read
                    killed = True

            hammer.listen(heard)
            assert killed
            amid += any(hammer.ops[number].outcome == "unknown" for number in sent)
        unknown = hammer.unknown
        began = time.monotonic()
        print(
            f"{ROUNDS} kills, {amid} amid registrations, "
            f"{len(hammer.acknowledged)} names acknowledged, "
            f"{len(unknown)} of which nobody was told, slowest start {max(hammer.opened):.3f} s"
        )
        assert hammer.wrong() == []
        print("checked in", time.monotonic() - began)
        assert hammer.refused == []
        assert max(hammer.opened) < 2
        assert len(hammer.acknowledged) > ROUNDS
        assert amid > ROUNDS // 4
        assert logged(hammer, unknown) > 0  # some of them are whole though nobody ever heard of it
