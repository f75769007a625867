"""kill -9 amid the acts of 64 clients: what was acknowledged is there, nothing is spent twice."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from faults.reading import rounds
from governance.hammer import AMOUNT
from governance.hammering import Hammering, hammering

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the actor forks")

CLIENTS = 64
ACTS = 80
QUICK = 40


def killed(hammer: Hammering, times: int, seed: int = 7) -> int:
    """Kill it so often, at any moment; in how many rounds that was amid acts."""
    dice, amid = random.Random(seed), 0
    for turn in range(times):
        again = sorted(hammer.unknown)[-CLIENTS:] if dice.random() < 0.8 else []
        sent = again + hammer.fresh(ACTS - len(again))
        hammer.killed(sent, dice.choice(("sent", "ok", "done", "told")), dice.random() * 0.04)
        amid += not hammer.unknown.isdisjoint(sent)
        if turn % 20 == 0:
            assert hammer.wrong() == []
    return amid


def held(folder: Path, times: int) -> None:
    with hammering(folder / "audit", CLIENTS) as hammer:
        amid = killed(hammer, times)
        assert hammer.wrong() == []
        print(
            f"{times} kills, {amid} amid acts, {len(hammer.permits)} permits, "
            f"{len(hammer.outcomes)} outcomes, {len(hammer.unknown)} never answered, "
            f"slowest start {max(hammer.opened):.3f} s"
        )
        assert set(hammer.codes.values()) <= {"replay"}  # of what nobody had been told of
        assert len(hammer.permits) > times
        assert amid > times // 4
        assert max(hammer.opened) < 5
        again = sorted(hammer.permits)[-CLIENTS:]
        before = dict(hammer.permits)
        hammer.killed(again, "end", 0)
        assert {hammer.codes.get(number) for number in again} == {"replay"}
        assert hammer.permits == before
        assert hammer.wrong() == []


def test_kill_9_loses_no_permit_that_was_given_and_gives_none_twice(tmp_path: Path) -> None:
    held(tmp_path, QUICK)


@pytest.mark.faults
def test_kill_9_again_and_again_loses_no_permit_and_gives_none_twice(tmp_path: Path) -> None:
    held(tmp_path, rounds())


def test_kill_9_leaves_no_more_to_spend_than_there_was(tmp_path: Path) -> None:
    """The budget ends amid the kills: what is gone with nobody told stays gone."""
    total = AMOUNT * 300
    with hammering(tmp_path / "audit", CLIENTS, total) as hammer:
        killed(hammer, 6, seed=11)
        for _ in range(8):
            hammer.killed(hammer.fresh(2 * CLIENTS), "end", 0)
            if "constraint" in hammer.codes.values():
                break
        assert "constraint" in hammer.codes.values()
        assert set(hammer.codes.values()) <= {"replay", "constraint"}
        assert hammer.wrong() == []
