"""Who asks: wrk where a server must be filled, and a client of our own where each asks once."""

from __future__ import annotations

import json
import resource
import selectors
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .processes import CORES, LOAD, Running, program

__all__ = ["Asked", "Filled", "Reply", "ask", "fill", "get"]

SECONDS = 30.0
"""No answer is waited for longer."""


@dataclass(frozen=True)
class Filled:
    """What wrk saw of a server that it kept full.

    Attributes:
        rate: answers a second.
        cpu_us: of the server's processors, an answer.
        busy: share of one core that the server used; 1 is all of it.
        load_busy: the same of wrk.
        p50_ms, p99_ms: of the time that an answer took, with this many connections.
        size: bytes of an answer, head and body.
    """

    rate: float
    cpu_us: float
    busy: float
    load_busy: float
    p50_ms: float
    p99_ms: float
    size: float
    connections: int


LUA = """\
local asked, at, threads = {}, 0, {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  for line in io.lines(args[1]) do
    local path, etag = line:match("^(%S+)\\t?(%S*)$")
    local headers = {}
    if etag ~= "" then headers["If-None-Match"] = etag end
    asked[#asked + 1] = wrk.format("GET", path, headers)
  end
  at = tonumber(args[2])
end
function request()
  at = at % #asked + 1
  return asked[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "us": %d, "bytes": %d, "errors": %d, "p50": %f, "p99": %f}\\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def fill(
    server: Running, paths: Sequence[str], seconds: float, *, connections: int = 16, start: int = 0
) -> Filled:
    """Ask for these paths in their order, round and round; each may have an etag after a tab.

    Args:
        start: where in the order.
    """
    found = program("wrk")
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as folder:
        script, listed = Path(folder) / "draws.lua", Path(folder) / "paths"
        script.write_text(LUA)
        listed.write_text("\n".join(paths) + "\n")
        pinned = [program("taskset"), "-c", str(LOAD)] if len(CORES) > 1 else []
        words = [
            *pinned, found, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
            "-s", str(script), f"http://127.0.0.1:{server.port}", "--", str(listed), str(start),
        ]  # fmt: skip
        cpu, began = server.cpu, time.monotonic()
        load = _children()
        out = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
        took, cpu, load = time.monotonic() - began, server.cpu - cpu, _children() - load
    line = next((one for one in out.splitlines() if one.startswith("RESULT ")), None)
    assert line is not None, out
    told = json.loads(line.removeprefix("RESULT "))
    assert not told["errors"], f"{told['errors']} answers were errors"
    assert told["requests"], "nothing was answered"
    return Filled(
        rate=told["requests"] / told["us"] * 1e6,
        cpu_us=cpu / told["requests"] * 1e6,
        busy=cpu / took,
        load_busy=load / took,
        p50_ms=told["p50"] / 1e3,
        p99_ms=told["p99"] / 1e3,
        size=told["bytes"] / told["requests"],
        connections=connections,
    )


def _children() -> float:
    """Seconds of the processors of all children that have ended."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


@dataclass(frozen=True)
class Reply:
    """One answer: its status, its etag, its body."""

    status: int
    etag: str
    body: bytes


@dataclass
class Asked:
    """What our own client saw: every request was sent once.

    Attributes:
        seconds: from the first byte sent to the last taken.
        took: seconds of each.
        cpu: seconds of the server's processors.
        own: seconds of the client's.
        replies: those that were to be kept, by the number of the request.
    """

    seconds: float
    took: list[float]
    cpu: float
    own: float
    statuses: Counter[int]
    replies: dict[int, Reply] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    @property
    def cpu_us(self) -> float:
        """Of the server's processors, an answer."""
        return self.cpu / len(self.took) * 1e6

    @cached_property
    def percentiles(self) -> list[float]:
        """Milliseconds, of 1 to 99 percent."""
        took = self.took if len(self.took) > 1 else self.took * 2
        return [1e3 * one for one in statistics.quantiles(took, n=100, method="inclusive")]


@dataclass(eq=False)
class _Line:
    """A connection: the number of the request on it, and what has come of the answer."""

    socket: socket.socket
    number: int = -1
    began: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    end: int = 0
    head: int = 0


def get(path: str, etag: str = "") -> bytes:
    """A request without a body."""
    known = f"If-None-Match: {etag}\r\n" if etag else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{known}\r\n".encode()


def ask(
    server: Running,
    requests: Sequence[bytes],
    connections: int,
    *,
    keep: int = 0,
    most: float = SECONDS * 100,
) -> Asked:
    """Send each request once, over this many kept connections, the next as soon as one is free.

    Args:
        keep: every how manieth answer is kept; 0: none.
        most: seconds after which no more are sent.
    """
    lines = [
        _Line(socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS))
        for _ in range(min(connections, len(requests)))
    ]
    out = Asked(0, [], 0, 0, Counter())
    with selectors.DefaultSelector() as selector:
        for line in lines:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.socket, selectors.EVENT_READ, line)
        left = iter(range(len(requests)))
        cpu, own, began = server.cpu, time.thread_time(), time.perf_counter()
        waiting = sum(_next(line, requests, left) for line in lines)
        while waiting:
            ready = selector.select(SECONDS)
            assert ready, "a server does not answer"
            for key, _ in ready:
                line = key.data
                chunk = line.socket.recv(262_144)
                assert chunk, "a server closed a connection"
                line.data += chunk
                if not _whole(line):
                    continue
                now = time.perf_counter()
                out.took.append(now - line.began)
                status = int(line.data[9:12])
                out.statuses[status] += 1
                if keep and line.number % keep == 0:
                    out.replies[line.number] = _reply(line, status)
                if now - began > most or not _next(line, requests, left):
                    waiting -= 1
        out.seconds = time.perf_counter() - began
        out.own, out.cpu = time.thread_time() - own, server.cpu - cpu
    for line in lines:
        line.socket.close()
    return out


def _next(line: _Line, requests: Sequence[bytes], left: Iterator[int]) -> bool:
    number = next(left, None)
    if number is None:
        return False
    line.number, line.end, line.head = number, 0, 0
    line.data.clear()
    line.began = time.perf_counter()
    line.socket.sendall(requests[number])
    return True


def _whole(line: _Line) -> bool:
    """Whether the answer is all there."""
    if not line.end:
        head = line.data.find(b"\r\n\r\n")
        if head < 0:
            return False
        line.head = head + 4
        told = bytes(line.data[:head]).lower()
        at = told.find(b"\r\ncontent-length:")
        length = int(told[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        line.end = line.head + (0 if line.data[9:12] == b"304" else length)
    return len(line.data) >= line.end


def _reply(line: _Line, status: int) -> Reply:
    head = bytes(line.data[: line.head]).decode("latin-1")
    etag = ""
    for one in head.split("\r\n"):
        name, _, value = one.partition(":")
        if name.lower() == "etag":
            etag = value.strip()
    return Reply(status, etag, bytes(line.data[line.head : line.end]))
