"""Health: each part says the truth about itself, in time, whatever the store does."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from delegant.ans.store import Store
from delegant.resolver import healthroutes
from resolver.door import House, build, running

PARTS = ("live", "store", "log", "ready")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(build(tmp_path)) as open_house:
        yield open_house


def told(house: House) -> dict[str, int]:
    """What each part says."""
    out = {part: house.call("GET", f"/health/{part}") for part in PARTS}
    for reply in out.values():
        assert reply.status == 503 or reply.headers["cache-control"] == "no-store"
        if reply.status == 503:
            assert reply.json["code"] == "unavailable"
            assert reply.headers["content-type"] == "application/problem+json"
            assert str(house.home.path) not in reply.json["detail"]
    whole = house.call("GET", "/health").status
    assert whole == out["ready"].status
    return {part: reply.status for part, reply in out.items()}


def quickly(house: House) -> None:
    """The process answers, however it is with the rest."""
    start = time.monotonic()
    assert house.call("GET", "/health/live").json == {"status": "ok"}
    assert time.monotonic() - start < 0.5  # 0.1 of it, on a machine with nothing else to do


def test_all_is_well(house: House) -> None:
    assert told(house) == dict.fromkeys(PARTS, 200)
    ready = house.call("GET", "/health/ready").json
    assert ready == {"status": "ok", "store": "ok", "log": "ok", "registry": house.registry}
    assert house.call("HEAD", "/health/live").body == b""
    assert house.call("GET", "/health/nothing").status == 404


def test_a_store_that_is_gone_is_told_and_one_that_is_back_too(house: House) -> None:
    path = house.home.path / "registry.db"
    path.rename(path.with_suffix(".away"))
    assert told(house) == {"live": 200, "store": 503, "log": 200, "ready": 503}
    quickly(house)
    path.with_suffix(".away").rename(path)
    assert told(house) == dict.fromkeys(PARTS, 200)


def test_a_store_that_another_writes_on_is_read_all_the_same(house: House) -> None:
    with sqlite3.connect(house.home.path / "registry.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        quickly(house)
        assert told(house) == dict.fromkeys(PARTS, 200)
        other.execute("ROLLBACK")


def test_a_log_that_is_damaged_is_told(house: House) -> None:
    path = house.home.path / "log" / "registry.checkpoint"
    held = path.read_bytes()
    path.write_bytes(held.replace(b"\n", b" ", 1))
    assert told(house) == {"live": 200, "store": 200, "log": 503, "ready": 503}
    path.write_bytes(held)
    assert told(house) == dict.fromkeys(PARTS, 200)


def test_a_store_that_hangs_is_told_in_time_and_asked_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    let_go, stuck = os.pipe()

    def hangs(*_: object) -> None:
        asked.append(time.monotonic())
        os.read(let_go, 1)

    monkeypatch.setattr(healthroutes, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(Store, "checkpoint", hangs)
    try:
        for _ in range(3):
            start = time.monotonic()
            reply = house.call("GET", "/health/ready")
            assert reply.status == 503
            assert "no answer in 0.3 s" in reply.json["detail"]
            assert time.monotonic() - start < 2
            quickly(house)
        assert len(asked) == 1
        assert house.call("GET", "/health/log").status == 200
    finally:
        os.close(stuck)
    monkeypatch.undo()
    assert house.call("GET", "/health/ready").status in (200, 503)
    assert house.call("GET", "/health/ready").status == 200
    os.close(let_go)
