"""Told to stop in the middle of it: what was begun is ended, and nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from delegant.ans import Client
from resolver.door import NAME, House
from resolver.process import connected, served


@pytest.mark.parametrize("workers", ["1", "2"])
def test_stopped_under_load_it_ends_what_it_began(settled: House, workers: str) -> None:
    names = [NAME.replace("main", f"s{workers}x{number}") for number in range(48)]
    wires = [settled.wire(settled.event(name)) for name in names]
    acknowledged, torn = [], []
    began = threading.Semaphore(0)

    def register(mine: slice) -> None:
        for name, (body, token) in zip(names[mine], wires[mine], strict=True):
            line = connected(settled)
            try:
                line.connect()
                line.request("POST", "/v1/agents", body, {"Agent-Invocation": token})
                began.release()
            except OSError:  # it takes no more
                line.close()
                return
            try:
                reply = line.getresponse()
                told = reply.read()
                assert reply.status == 201, told
                acknowledged.append(name)
            except (OSError, http.client.HTTPException):
                torn.append(name)
            finally:
                line.close()

    with served(settled, "--workers", workers, "--concurrency", "0") as process:
        assert settled.call("GET", "/health/ready").status == 200
        crowd = [threading.Thread(target=register, args=(slice(n, None, 8),)) for n in range(8)]
        for one in crowd:
            one.start()
        for _ in range(12):
            began.acquire()
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(11) == 0
        assert time.monotonic() - start < 10
        for one in crowd:
            one.join(10)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert acknowledged
    with served(settled), Client(settled.url, settled.trusted) as client:
        for name in acknowledged:
            assert client.resolve(name).did == settled.bot.did
        assert client.submit(*wires[-1])["leaf"]["name"] == names[-1]


def test_who_holds_on_does_not_hold_it_up(settled: House, tmp_path: Path) -> None:
    where = tmp_path / "access"
    with served(settled, "--access-log", str(where)) as process, contextlib.ExitStack() as lines:
        for first in (
            b"",
            b"GET /health/live HTTP/1.1\r\n",
            b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
        ):
            line = socket.create_connection(("127.0.0.1", settled.port))
            lines.enter_context(line)
            line.sendall(first)
        kept = connected(settled)
        kept.request("GET", "/health/live")
        assert kept.getresponse().read()
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(11) == 0
        assert time.monotonic() - start < 10
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", settled.port))
        kept.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert '"route":"/health/{part}","status":200' in where.read_text()
