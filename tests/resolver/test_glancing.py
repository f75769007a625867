"""The first answer about a name, made on the loop: as the long way says it, and waiting for nobody.

That a damaged store makes no wrong one is in `tests/ans/test_damage.py`.
"""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from delegant.ans.registry import Registry
from delegant.resolver import glancing
from delegant.resolver.server import open_registry
from resolver.door import NAME, House, Line, build, running

Told: TypeAlias = list[str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with its door open, and names in it."""
    with running(build(tmp_path_factory.mktemp("house"))) as open_house:
        for name in map(named, range(12)):
            assert open_house.post(open_house.event(name)).status == 201
        yield open_house


def named(number: int) -> str:
    """One of the names; their case is their own."""
    return NAME.replace("v1.0", f"v1.{number}")


def path(number: int, more: str = "") -> str:
    """What asks for it, in a way that nobody did before."""
    return f"/v1/resolve?name={named(number).replace(':', '%3A')}{more}"


@pytest.fixture
def line(house: House) -> Iterator[Line]:
    """A connection that is kept: others leave the lane."""
    made = Line(house)
    yield made
    made.close()


@pytest.fixture
def told(house: House, monkeypatch: pytest.MonkeyPatch) -> Told:
    """How each question was answered: in passing, or the long way."""
    assert house.call("GET", path(0)).status == 200  # so whatever was written is known
    out: Told = []
    glance, resolve = Registry.glance, Registry.resolve

    def passing(self: Registry, text: str, at: int) -> Any:
        found = glance(self, text, at)
        out.append("no" if found is None else "glance")
        return found

    def long(self: Registry, *given: Any, **more: Any) -> Any:
        out.append("long")
        return resolve(self, *given, **more)

    monkeypatch.setattr(Registry, "glance", passing)
    monkeypatch.setattr(Registry, "resolve", long)
    monkeypatch.setattr(glancing, "SLOW_SECONDS", 2.0)  # however busy this machine is
    return out


def test_it_is_what_the_long_way_says_byte_for_byte(house: House, line: Line, told: Told) -> None:
    for accept in ("*/*", "application/json", "application/ans-answer+jwt", "text/plain"):
        first = line.ask(path(1), Accept=accept)
        other = line.ask(path(1, "&trace=false"), Accept=accept)
        assert first.status == other.status == 200
        assert first.body == other.body
        drop = {"date", "cache-control", "connection"}
        heads = [{k: v for k, v in one.headers.items() if k not in drop} for one in (first, other)]
        assert heads[0] == heads[1]
    assert told == ["glance", "long"] * 4


def test_head_and_etag_are_served_too(house: House, line: Line, told: Told) -> None:
    head = line.ask(path(2), "HEAD")
    assert (head.status, head.body) == (200, b"")
    same = line.ask(path(2), If_None_Match=head.headers["etag"])
    assert (same.status, same.body) == (304, b"")
    assert told == ["glance"]  # and then it was kept


def test_a_name_that_is_gone_is_told_as_gone(house: House, line: Line, told: Told) -> None:
    receipt = line.ask(path(3)).json["resolvedAgents"][0]["receipt"]
    revoked = house.event(named(3), kind="revoke", receipt=receipt)
    assert house.post(revoked).status == 200
    assert line.ask(path(3)).status == 410
    assert line.ask(path(3, "&trace=false")).status == 410


def test_what_is_not_plainly_one_name_goes_the_long_way(line: Line, told: Told) -> None:
    asked = [
        "?provider=DataCorp",
        "?name=" + named(4) + "&min_log_size=1",
        "?name=nothing",
        "?name=" + NAME.replace("v1.0", "v8.8"),
        "?name=%FF",
        "?name=a+b",
        "?name=",
    ]
    statuses = [line.ask(f"/v1/resolve{one}").status for one in asked]
    assert statuses == [200, 200, 400, 404, 400, 400, 400]
    assert "glance" not in told
    assert line.ask(path(4), Accept="text/html").status == 406
    assert line.ask(path(4), Cache_Control="no-cache").status == 200
    assert told[-1] == "long"


def test_who_holds_the_store_is_not_waited_for(house: House, line: Line, told: Told) -> None:
    file = house.home.path / "registry.db"
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert line.ask(path(5)).status == 200
        other.execute("ROLLBACK")
    assert told == ["glance"]  # who writes is in nobody's way
    away = file.with_suffix(".away")
    file.rename(away)
    try:
        start = time.monotonic()
        replies = [line.ask(path(6)) for _ in range(3)]
        assert time.monotonic() - start < 2
        assert {one.status for one in replies} == {503}
        assert house.call("GET", "/health/live").status == 200
    finally:
        away.rename(file)
    time.sleep(glancing.REST_SECONDS)
    assert line.ask(path(6)).status == 200
    assert told[-1] == "glance"


def test_a_store_that_is_slow_is_left_to_threads_for_a_while(
    house: House, line: Line, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = Registry.glance

    def slow(self: Registry, text: str, at: int) -> Any:
        time.sleep(0.05)
        return quick(self, text, at)

    monkeypatch.setattr(Registry, "glance", slow)
    monkeypatch.setattr(glancing, "SLOW_SECONDS", 0.04)
    assert line.ask(path(7)).status == 200
    assert line.ask(path(8)).status == 200
    assert told == ["glance", "long"]
    monkeypatch.setattr(Registry, "glance", quick)
    monkeypatch.setattr(glancing, "SLOW_SECONDS", 2.0)
    time.sleep(1.5)
    assert line.ask(path(9)).status == 200
    assert told[-1] == "glance"


def test_one_turn_of_the_loop_is_not_filled_with_them(
    house: House, line: Line, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, turn, glances in ((named(10), 1e-9, 1), (named(11), 5.0, 40)):
        spelled = [f"{name[:at]}%{ord(name[at]):02X}{name[at + 1 :]}" for at in range(6, 46)]
        raw = "".join(f"GET /v1/resolve?name={x} HTTP/1.1\r\nHost: x\r\n\r\n" for x in spelled)
        monkeypatch.setattr(glancing, "TURN_SECONDS", turn)
        line.ask(path(11, "%20"))  # which begins a turn of that length
        time.sleep(0.05)
        del told[:]
        with socket.create_connection(("127.0.0.1", house.port), timeout=10) as together:
            together.sendall(raw.encode())  # all in one piece
            out = b""
            while out.count(b"HTTP/1.1 200 OK") < 40:
                out += together.recv(1 << 20)
        assert (told.count("glance"), len(told)) == (glances, 40)


def test_what_another_process_wrote_is_seen(house: House, line: Line, told: Told) -> None:
    assert line.ask(path(10)).status == 200
    registry = open_registry(house.home, house.organization)
    organization = house.home.settings.organization
    registry.bind_provider(f"Label{time.time_ns()}", organization, int(time.time()))
    registry.close()
    del told[:]
    assert line.ask(path(11)).status == 200
    assert told == ["no", "long"]
    assert line.ask(path(11, "%20")).status == 400
