"""Slow, endless and crowded connections: each wait ends, and others are served meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator

import pytest

from delegant.resolver.app import create_app
from delegant.resolver.lane import lane
from delegant.resolver.server import open_registry
from delegant.resolver.settings import Settings
from delegant.resolver.traffic import Traffic
from resolver.door import House, Reply, build, lasted, parse_reply
from resolver.process import counted
from resolver.running import listening

QUICK = Settings(
    head_seconds=1.0, body_seconds=2.0, send_seconds=1.0, rate=0.0,
    max_connections=40, bodies_mib=4,
)  # fmt: skip
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Traffic]]:
    """A house in a hurry, and what passes its door."""
    house = build(tmp_path_factory.mktemp("house"))
    registry = open_registry(house.home, house.organization)
    traffic = Traffic(QUICK)
    app = create_app(house.home, registry, issuer=house.issuer, traffic=traffic)

    @app.get("/large")
    async def large() -> str:
        return "x" * (16 << 20)

    with listening(app, lane(registry, traffic), idle=2) as house.port:
        yield house, traffic


@pytest.fixture
def house(door: tuple[House, Traffic]) -> House:
    return door[0]


def hits(door: tuple[House, Traffic], name: str) -> float:
    """How often a limit was hit."""
    return counted(door[1].meter.text().decode(), "delegant_limits_total", limit=name)


@pytest.mark.parametrize(
    ("first", "drip", "least", "most", "limit"),
    [
        (b"", b"", 0.8, 2.5, "head-time"),
        (b"\r\n", b"\r\n", 0.8, 2.5, "head-time"),
        (b"GET /health/live HTTP/1.1\r\n", b"A: b\r\n", 0.8, 3.5, "head-time"),
        (LIVE, b"\r\n", 0.8, 3.5, "head-time"),  # what comes after an answer is in a hurry too
        (b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", b"x", 1.8, 4.5,
         "body-time"),
        (b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
         b"1\r\nx\r\n", 1.8, 4.5, "body-time"),
    ],
    ids=["nothing", "empty lines", "head", "kept and then empty lines", "body", "chunks"],
)  # fmt: skip
def test_who_drips_is_closed_however_steadily(
    door: tuple[House, Traffic], first: bytes, drip: bytes, least: float, most: float, limit: str
) -> None:
    before = hits(door, limit)
    assert least < lasted(door[0], first, drip) < most
    assert hits(door, limit) == before + 1


def test_a_head_and_a_body_that_take_their_time_are_answered(house: House) -> None:
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        line.sendall(b"POST /v1/resolve HTTP/1.1\r\n")
        time.sleep(0.7)
        line.sendall(b"Host: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        time.sleep(1.2)  # more than a head may take, and together more than that again
        line.sendall(b"{}")
        assert line.recv(65_536).startswith(b"HTTP/1.1 400 ")


def test_a_connection_that_is_kept_is_closed_when_nobody_asks(house: House) -> None:
    assert 1.8 < lasted(house, LIVE) < 4
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        for _ in range(4):  # longer than any one wait
            line.sendall(LIVE)
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
            time.sleep(0.6)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", b"hello"),
        (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
         b"5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
    ],
    ids=["a body", "chunks"],
)  # fmt: skip
def test_who_was_answered_before_its_body_came_is_closed_when_nobody_asks(
    house: House, head: bytes, body: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        line.sendall(head)
        assert line.recv(4096).startswith(b"HTTP/1.1 ")
        line.sendall(body)
        time.sleep(0.5)
        line.sendall(LIVE)  # the connection is kept,
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
        line.sendall(head)
        assert line.recv(4096).startswith(b"HTTP/1.1 ")
        line.sendall(body)
        assert line.recv(4096) == b""  # and no longer than any other


def test_who_does_not_read_is_closed(door: tuple[House, Traffic]) -> None:
    house, before = door[0], hits(door, "send-time")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", house.port))
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        end = time.monotonic() + 6
        while hits(door, "send-time") == before and time.monotonic() < end:
            assert house.call("GET", "/health/live").status == 200
            time.sleep(0.1)
        assert hits(door, "send-time") == before + 1
        line.settimeout(5)
        got = 0
        with contextlib.suppress(ConnectionError):
            while chunk := line.recv(1 << 20):
                got += len(chunk)
        assert got < 16 << 20  # cut off, not ended
    reader = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)
    reader.request("GET", "/large")  # and who reads has all of it
    assert len(reader.getresponse().read()) == (16 << 20) + 2
    reader.close()


def test_who_asks_on_and_on_and_never_reads_is_closed(door: tuple[House, Traffic]) -> None:
    house, before = door[0], hits(door, "send-time")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", house.port))
        line.settimeout(0.2)
        end, sent = time.monotonic() + 8, 0
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    sent += line.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    assert time.monotonic() < end
    assert sent < 8 << 20  # what the system itself holds
    assert hits(door, "send-time") + hits(door, "pipeline") > before


def test_requests_sent_ahead_are_answered_in_turn_and_not_any_number_of_them(
    door: tuple[House, Traffic],
) -> None:
    house, before = door[0], hits(door, "pipeline")
    assert house.raw(LIVE * 200 + LAST).count(b"HTTP/1.1 200 ") == 201
    start = time.monotonic()
    assert house.raw(LIVE * 100_000).count(b"HTTP/1.1 200 ") < 1000
    assert time.monotonic() - start < 5
    assert hits(door, "pipeline") == before + 1
    assert house.call("GET", "/health/live").status == 200


def problem(reply: Reply, status: int) -> None:
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["connection"] == "close"
    assert reply.json["status"] == status


def test_a_head_without_end_is_431_and_a_line_414(house: House) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    problem(parse_reply(house.raw(head + b"A: b\r\n" * 40_000 + b"\r\n")), 431)
    problem(parse_reply(house.raw(head + b"A: b\r\n" * 127 + b"\r\n")), 431)
    problem(parse_reply(house.raw(head + b"A: " + b"b" * 70_000 + b"\r\n\r\n")), 431)
    problem(parse_reply(house.raw(head + b"A: " + b"b" * 70_000)), 431)
    line = b"GET /health/live?" + b"x" * 17_000
    problem(parse_reply(house.raw(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")), 414)
    problem(parse_reply(house.raw(line + b"x" * 60_000)), 414)
    large = head + b"A: b\r\n" * 120 + b"B: " + b"b" * 50_000 + b"\r\n\r\n"
    assert parse_reply(house.raw(large)).status == 200


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n{}",
        b"Content-Length: +2\r\n\r\n{}",
        b"Content-Length : 2\r\n\r\n{}",
        b" Content-Length: 2\r\n\r\n{}",
    ],
)
def test_a_request_that_two_could_read_as_two_is_none(house: House, framing: bytes) -> None:
    head = b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\n"
    reply = house.raw(head + framing + LAST)
    assert reply.count(b"HTTP/1.1 ") == 1  # and what follows is not read as another
    problem(parse_reply(reply), 400)


def test_a_crowd_that_says_nothing_hinders_nobody_and_more_are_told(
    door: tuple[House, Traffic],
) -> None:
    house, before = door[0], hits(door, "connections")
    with contextlib.ExitStack() as idle:
        for _ in range(QUICK.max_connections - 5):
            idle.enter_context(socket.create_connection(("127.0.0.1", house.port)))
        start = time.monotonic()
        assert house.call("GET", "/health/live").status == 200
        assert time.monotonic() - start < 2
        for _ in range(10):
            idle.enter_context(socket.create_connection(("127.0.0.1", house.port)))
        full = house.call("GET", "/health/live")
        problem(full, 503)
        assert full.json["code"] == "unavailable"
        assert int(full.headers["retry-after"]) > 0
        assert hits(door, "connections") == before + 1
        for _ in range(100):  # far beyond: these are not even told
            idle.enter_context(socket.create_connection(("127.0.0.1", house.port)))
    end = time.monotonic() + 5
    while house.call("GET", "/health/live").status != 200:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_large_bodies_share_a_budget_and_it_is_given_back(door: tuple[House, Traffic]) -> None:
    house, traffic = door
    size = 1 << 20
    head = b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with contextlib.ExitStack() as lines:
        slow = []
        for _ in range(8):
            line = socket.create_connection(("127.0.0.1", house.port), timeout=5)
            lines.enter_context(line)
            with contextlib.suppress(ConnectionError):
                line.sendall(head % (size + 1) + b" " * size)
            slow.append(line)
        time.sleep(0.3)
        assert traffic.held <= traffic.bodies == 4 << 20
        assert hits(door, "bodies") >= 1
        refused = [parse_reply(one) for line in slow if (one := _there(line))]
        assert {one.status for one in refused} == {503}
        assert house.call("POST", "/v1/resolve", b"{}").status == 400  # small ones have no need
    end = time.monotonic() + 5
    while traffic.held and time.monotonic() < end:
        time.sleep(0.05)
    assert traffic.held == 0
    assert house.call("POST", "/v1/verify", b" " * size).status == 400


def _there(line: socket.socket) -> bytes:
    """What has come, without waiting for more."""
    line.settimeout(0.2)
    try:
        return line.recv(65_536)
    except (TimeoutError, ConnectionError):
        return b""


@pytest.mark.parametrize(
    ("path", "cap"),
    [
        ("/v1/agents", 2 << 20), ("/v1/agents/did:key:z/events", 2 << 20), ("/v1/verify", 2 << 20),
        ("/v1/agents/did:key:z/health", 64 << 10), ("/v1/resolve", 64 << 10),
        ("/v1/verify/more", 64 << 10),
    ],
)  # fmt: skip
def test_each_address_takes_what_it_needs(house: House, path: str, cap: int) -> None:
    over, whole = (house.call("POST", path, b" " * (cap + more)) for more in (1, 0))
    assert over.status == 413
    assert over.json["detail"] == f"a body of {cap} bytes is allowed"
    assert 400 <= whole.status < 500
    assert whole.json["detail"] != over.json["detail"]  # it was read


def test_nobody_is_inside_when_all_have_left(door: tuple[House, Traffic]) -> None:
    house, traffic = door
    for raw in (
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: x\r\n\r\n", b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        LIVE[:-2] + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        LIVE * 3 + b"GET", b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        LIVE * 30,
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
            line.sendall(raw)
    end = time.monotonic() + 6
    while time.monotonic() < end and any(one[1] for one in traffic._young.values()):
        time.sleep(0.05)
    assert not any(one[1] for one in traffic._young.values())
