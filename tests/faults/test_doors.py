"""H1 to H4: hostile requests to the real server, as bytes; others are served meanwhile.

What hostile JSON is answered with, at every endpoint, is in tests/resolver/test_endpoints.py and
test_hostile.py; here is what requests cost the server, and others who ask it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.serving import Asking, Process, copied, name_of, process
from faults.test_process import waited
from resolver.door import House, parse_reply
from resolver.test_hostile import is_problem

SMALL, LARGE = 1 << 16, 1 << 21
OTHERS = 0.05
"""Seconds that 19 of 20 who ask honestly meanwhile wait at most; the sender and they share one
processor and one interpreter, so that the slowest say more of the test than of the server."""
GROWTH = 24 << 20
"""Bytes that memory may grow by, whatever is sent: buffers of bodies that were taken."""


@pytest.fixture(scope="module")
def server(home: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    house = copied(home, tmp_path_factory.mktemp("doors") / "house")
    with process(
        house,
        environment={
            "DELEGANT_BODY_SECONDS": "10",
            "DELEGANT_CALLER_CONNECTIONS": "0",
            "DELEGANT_CONCURRENCY": "0",
            "DELEGANT_RATE": "0",
        },
    ) as running:
        assert waited(running.house, 1)[0] == 201
        for _ in range(50):
            running.house.call("GET", f"/v1/resolve?name={name_of(1)}")
        yield running


@contextlib.contextmanager
def others_served(server: Process) -> Iterator[None]:
    """Somebody resolves a name meanwhile; memory is as it was."""
    before = server.rss
    with Asking(server.house.port, f"/v1/resolve?name={name_of(1)}", pause=0.005) as asking:
        time.sleep(0.3)
        yield
        time.sleep(0.3)
    grown = server.rss - before
    print(
        f"{len(asking.took)} answers meanwhile, p99 {asking.p99 * 1e3:.1f} ms, "
        f"memory {grown / 2**20:+.1f} MiB"
    )
    assert asking.replies == []
    assert asking.p95 < OTHERS
    assert asking.p99 < 5 * OTHERS
    assert grown < GROWTH


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode("latin-1")


def opened(server: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.house.port), timeout=20)


def heard(line: socket.socket) -> bytes:
    """Everything until the other side closes."""
    out = b""
    with contextlib.suppress(ConnectionError):
        while chunk := line.recv(65_536):
            out += chunk
    return out


def is_refused(data: bytes, *statuses: int) -> None:
    reply = parse_reply(data)
    assert reply.status in statuses, data[:200]
    is_problem(reply)


# --- H1: bodies ----------------------------------------------------------------------------------


def by_length(path: str, cap: int) -> Iterator[bytes]:
    yield head(path, f"Content-Length: {64 * cap}")
    for _ in range(64):
        yield b" " * cap


def by_chunks(path: str, cap: int) -> Iterator[bytes]:
    yield head(path, "Transfer-Encoding: chunked")
    for _ in range(64):
        yield b"%x\r\n" % cap + b" " * cap + b"\r\n"


@pytest.mark.parametrize("way", [by_length, by_chunks])
@pytest.mark.parametrize(
    ("path", "cap"), [("/v1/resolve", SMALL), ("/v1/verify", LARGE), ("/v1/agents", LARGE)]
)
def test_h1_a_body_too_large_is_refused_before_it_was_read_whole(
    server: Process, path: str, cap: int, way: Callable[[str, int], Iterator[bytes]]
) -> None:
    with others_served(server):
        for _ in range(3):
            with opened(server) as line:
                sent = 0
                with contextlib.suppress(OSError):
                    for part in way(path, cap):
                        line.sendall(part)
                        sent += len(part)
                data = b""
                with contextlib.suppress(OSError):
                    data = heard(line)
            assert sent < 64 * cap  # it hung up long before
            if data:  # where the reset did not overtake it
                is_refused(data, 413)


@pytest.mark.parametrize(
    ("lines", "body", "statuses"),
    [
        ((), b"{}", (400, 422)),  # no length: no body
        (("Content-Length: 99999999999999999999",), b"", (400, 413)),
        (("Content-Length: 0x10",), b"{}", (400,)),
        (("Content-Length: +2",), b"{}", (400,)),
        (("Content-Length:",), b"{}", (400,)),
        (("Content-Length: 1",), b'{"name": "x"}', (400, 422)),  # more than was said
    ],
    ids=["none", "endless", "hexadecimal", "signed", "empty", "short"],
)
def test_h1_a_length_that_is_wrong_or_missing_is_no_way_in(
    server: Process, lines: tuple[str, ...], body: bytes, statuses: tuple[int, ...]
) -> None:
    data = head("/v1/resolve", "Connection: close", *lines) + body
    first = server.house.raw(data).partition(b"HTTP/1.1 ")[2]
    assert int(first[:3]) in statuses, first[:200]


# --- H2: slowness --------------------------------------------------------------------------------


SLOW = {
    "silent": (b"", b""),
    "slow head": (b"GET /health HTTP/1.1\r\n", b"X-A: b\r\n"),
    "slow body": (head("/v1/resolve", "Content-Length: 60000"), b" "),
    "slow chunks": (head("/v1/resolve", "Transfer-Encoding: chunked"), b"1\r\n \r\n"),
}


def test_h2_a_thousand_who_say_nothing_or_drip_are_closed_and_others_served(
    server: Process,
) -> None:
    count, before = 1000, server.descriptors
    with others_served(server):
        lines = [opened(server) for _ in range(count)]
        began = time.monotonic()
        kinds = list(SLOW.values())
        for number, line in enumerate(lines):
            line.sendall(kinds[number % 4][0])
        while time.monotonic() - began < 15:
            for number, line in enumerate(lines):
                with contextlib.suppress(OSError):
                    line.sendall(kinds[number % 4][1])
            if server.descriptors <= before + 4:
                break
            time.sleep(0.25)
        closed_after = time.monotonic() - began
        for line in lines:
            line.close()
    print(f"{count} slow connections closed after {closed_after:.1f} s")
    assert closed_after < 13  # the deadline is 10 s


# --- H4: heads and paths -------------------------------------------------------------------------


FRAMING = {
    "length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "bad chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "chunk of minus one": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "endless chunk": b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n{}\r\n",
    "another coding": b"Transfer-Encoding: chunked, identity\r\n\r\n{}",
    "space before colon": b"Content-Length : 2\r\n\r\n{}",
    "null in a header": b"X-A: a\x00b\r\n\r\n",
    "flood of headers": b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(4000)) + b"\r\n",
    "one huge header": b"X-A: " + b"a" * (1 << 18) + b"\r\n\r\n",
}


@pytest.mark.parametrize("what", FRAMING)
def test_h4_a_head_that_can_be_read_two_ways_or_has_no_end_is_refused(
    server: Process, what: str
) -> None:
    start = b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with opened(server) as line:
        with contextlib.suppress(OSError):
            line.sendall(start + FRAMING[what])
        data = b""
        with contextlib.suppress(OSError):
            data = heard(line)
    if data or what not in ("flood of headers", "one huge header"):  # a reset may overtake it
        is_refused(data, 400, 431)
    assert server.house.call("GET", "/health").status == 200


PATHS = [
    "/v1/resolve?name=" + "a" * 60_000, "/" + "a" * 60_000, "/v1/agents/%00", "/v1/agents/..",
    "/v1/../etc/passwd", "/v1/names/%2e%2e%2f%2e%2e%2fetc%2fpasswd/history", "/status/..%2f1",
    "/v1/names/\uff4dcp%3A%2F%2Fa/history".encode().decode("latin-1"), "/tile/0/..%2f000",
    "/v1/events/%ff%fe", "//v1/resolve", "/v1/records/" + "%41" * 5000,
]  # fmt: skip


@pytest.mark.parametrize(
    "path", PATHS, ids=lambda path: path[:24].encode("unicode_escape").decode()
)
def test_h4_a_path_that_means_something_else_elsewhere_is_nothing_here(
    server: Process, path: str
) -> None:
    reply = server.house.call("GET", path)
    assert reply.status in (400, 404, 414, 431), reply.body[:200]
    is_problem(reply)


def test_h4_a_flood_of_malformed_requests_leaves_others_served(server: Process) -> None:
    with others_served(server):
        for what in [*FRAMING, *FRAMING, *FRAMING]:
            test_h4_a_head_that_can_be_read_two_ways_or_has_no_end_is_refused(server, what)


RATE = 300


def test_h6_at_twice_what_a_caller_may_it_is_told_so_and_still_served(
    home: House, tmp_path: Path
) -> None:
    limits = {"DELEGANT_RATE": str(RATE), "DELEGANT_BURST": "30"}
    with process(copied(home, tmp_path / "house"), environment=limits) as running:
        end = time.monotonic() + 3

        def asks(number: int) -> list[tuple[int, str | None]]:
            line = http.client.HTTPConnection("127.0.0.1", running.house.port, timeout=10)
            told, step = [], 8 / (2 * RATE)
            due = time.monotonic() + number * step / 8
            while due < end:
                time.sleep(max(due - time.monotonic(), 0))
                line.request("GET", f"/v1/resolve?name={name_of(number)}")
                reply = line.getresponse()
                reply.read()
                told.append((reply.status, reply.headers["retry-after"]))
                due += step
            line.close()
            return told

        with ThreadPoolExecutor(8) as pool:
            told = [one for part in pool.map(asks, range(8)) for one in part]
        statuses = Counter(status for status, _ in told)
        assert set(statuses) == {404, 429}
        assert all(int(again or 0) >= 1 for status, again in told if status == 429)
        assert statuses[404] >= 0.8 * 3 * RATE * min(1.0, len(told) / (2 * 3 * RATE))
        assert statuses[404] <= 3.5 * RATE + 30
        other = running.house.call("GET", "/health/live")
        assert other.status in (200, 429)
