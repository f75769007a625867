"""What one caller could leave behind, or take from others: places, memory, descriptors, names."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from delegant.ans.pages import Page, Pages
from delegant.resolver.accesslog import AccessLog
from delegant.resolver.cors import Cors
from delegant.resolver.deadline import MAX_PAST, Deadline
from delegant.resolver.guard import Guard
from delegant.resolver.settings import Settings
from delegant.resolver.traffic import Traffic
from resolver.running import listening

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def bare(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers, as 401, 404 and /health do, and reads no body."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def door(log: AccessLog | None = None, **settings: str) -> Iterator[tuple[int, Traffic, list[Any]]]:
    """A server with these settings: its port, its traffic, and its connections."""
    told = {f"DELEGANT_{name}": value for name, value in settings.items()}
    traffic, seen = Traffic(Settings.from_env(told), log=log), list[Any]()

    class Seen(Deadline):
        def connection_made(self, transport: Any) -> None:
            seen.append(self)
            super().connection_made(transport)

    Seen.traffic = traffic
    with listening(Guard(bare), Seen) as port:
        yield port, traffic, seen


def dial(port: int, source: str = "127.0.0.1") -> socket.socket:
    out = socket.socket()
    out.bind((source, 0))
    out.settimeout(5)
    out.connect(("127.0.0.1", port))
    return out


def until(what: Any, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(what())


def test_a_body_that_comes_after_the_answer_takes_no_place() -> None:
    with door(BODIES_MIB="4") as (port, traffic, _):
        for head in (b"Content-Length: 2000000", b"Transfer-Encoding: chunked"):
            with dial(port) as line:
                line.sendall(b"GET /v1/verify HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
                assert line.recv(4096).startswith(b"HTTP/1.1 200")
                with suppress(ConnectionError):
                    line.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
                time.sleep(0.2)
        assert until(lambda: traffic.held == 0)


def test_what_comes_after_a_body_is_not_kept_and_has_an_end() -> None:
    head = b"POST /v1/agents HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with door() as (port, _, seen), dial(port) as line:
        line.sendall(head + b"a:\r\n" * 16_384)
        time.sleep(0.3)
        assert len(seen[0].headers) == 2
        sent = 0
        with suppress(ConnectionError):
            while sent < 4 * MAX_PAST:
                sent += line.send(b"a" * 65_536)
        assert sent < 3 * MAX_PAST


def test_refusals_that_nobody_reads_do_not_pile_up() -> None:
    with door(RATE="0.001", BURST="1") as (port, _, seen), dial(port) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(1)
        line.sendall(GET)
        line.recv(4096)
        end = time.monotonic() + 2
        with suppress(OSError):
            while time.monotonic() < end:
                line.send(GET * 400)
        assert seen[0].transport.is_closing() or seen[0].transport.get_write_buffer_size() < 1 << 20


def test_one_caller_does_not_hold_every_connection() -> None:
    with door(MAX_CONNECTIONS="64", CALLER_CONNECTIONS="32") as (port, traffic, _):
        mine = [dial(port, "127.0.0.9") for _ in range(33)]
        for line in mine:
            line.sendall(GET)
        told = [line.recv(4096)[9:12] for line in mine]
        assert told.count(b"200") == 32
        assert told.count(b"503") == 1
        with dial(port, "127.0.0.2") as other:
            other.sendall(GET)
            assert other.recv(4096).startswith(b"HTTP/1.1 200")
        for line in mine:
            line.close()
        assert until(lambda: not traffic._lines)


def test_who_is_refused_behind_a_proxy_is_told_by_its_own_address(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    with (
        door(log, PROXIES="127.0.0.1", RATE="0.001", BURST="1") as (port, _, _),
        dial(port) as line,
    ):
        for _ in range(2):
            line.sendall(GET[:-2] + b"X-Forwarded-For: 203.0.113.7\r\n\r\n")
            line.recv(4096)
    log.close()
    told = [json.loads(one) for one in (tmp_path / "log").read_text().splitlines()]
    assert [(one["caller"], one["status"]) for one in told] == [
        ("203.0.113.7", 200), ("203.0.113.7", 429),
    ]  # fmt: skip


def test_a_log_that_cannot_be_opened_again_closes_nothing_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log, line = AccessLog(str(folder / "log")), (time.time(), "c", "GET", "r", 200, 0.0, 1, "i")
    log.add(line)
    assert until(lambda: (folder / "log").stat().st_size)
    folder.rename(tmp_path / "gone")
    log.add(line)
    time.sleep(0.5)  # it looks, finds nothing, and can open nothing
    own = os.open(tmp_path, os.O_RDONLY)
    log.add(line)
    time.sleep(0.5)
    os.fstat(own)  # still ours
    os.close(own)
    log.close()


def test_pages_are_given_while_others_are_kept() -> None:
    pages = Pages(lambda: 1, lambda: 1, lambda _a, _b: (), 400_000)
    pages.follow()

    def page(number: int) -> Page:
        return Page(b"x" * 1000, "m", '"e"', 200, f"n{number}", 0, 1 << 40, 1 << 40, 1)

    for number in range(90):
        pages.put(number, page(number))
    failed: list[Exception] = []
    end = time.monotonic() + 1.5

    def keep() -> None:
        number = 100
        while time.monotonic() < end:
            try:
                pages.put(number, page(number))
            except Exception as exc:  # noqa: BLE001 - whatever it is
                failed.append(exc)
            number += 1

    thread = threading.Thread(target=keep)
    thread.start()
    while time.monotonic() < end:
        for key in tuple(pages._pages):
            pages.get(key, 5)
    thread.join()
    assert not failed


def test_with_origins_an_answer_varies_by_one_line() -> None:
    async def varied(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"vary", b"accept")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    told: list[Any] = []

    async def sent(message: Any) -> None:
        told.append(message)

    app: Any = Cors(varied, ("https://a.example",))
    scope = {"type": "http", "method": "GET", "headers": [(b"origin", b"https://a.example")]}
    asyncio.run(app(scope, None, sent))
    assert [value for name, value in told[0]["headers"] if name == b"vary"] == [b"accept, origin"]
