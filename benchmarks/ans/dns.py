"""One row beside another kind of naming service: Unbound answers a TXT record over UDP."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from typing import Any

from .effort import Effort
from .processes import MissingError, Running, unbound

__all__ = ["NOTE", "by_dns"]

NOTE = (
    "DNS over UDP does less: no signature made for the answer, no proof that the record was "
    "logged, no time until which it is good that anybody signed, no TLS, no negative answer that "
    "is signed; a record of a few hundred bytes, and nothing of who answers for the agent"
)
TEXT = "endpoint=https://agents.example/0/mcp did=did:key:z6Mk" + "x" * 40
WINDOW = 32


def by_dns(effort: Effort) -> dict[str, Any]:
    """Answers a second, and what each costs."""
    with unbound(TEXT) as server:
        _up(server)
        rounds = [_asked(server, effort.seconds) for _ in range(effort.rounds)]
    return {"answers": rounds, "note": NOTE, "record_bytes": len(TEXT)}


def question(number: int) -> bytes:
    """A query for the one TXT record."""
    name = b"".join(bytes([len(one)]) + one for one in (b"name", b"bench", b"example")) + b"\0"
    return struct.pack("!HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name + b"\0\x10\0\x01"


def _up(server: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.2)
        one.connect(("127.0.0.1", server.port))
        for _ in range(50):
            try:
                one.send(question(1))
                answer = one.recv(2048)
            except OSError:
                time.sleep(0.1)
                continue
            assert TEXT.encode()[:40] in answer
            return
    raise MissingError("unbound does not answer")


def _asked(server: Running, seconds: float) -> dict[str, float]:
    """A window of questions is always under way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, selectors.DefaultSelector() as on:
        one.connect(("127.0.0.1", server.port))
        one.setblocking(False)
        on.register(one, selectors.EVENT_READ)
        asked = answered = 0
        cpu, own, began = server.cpu, time.thread_time(), time.perf_counter()
        end = began + seconds
        while (now := time.perf_counter()) < end:
            while asked - answered < WINDOW:
                one.send(question(asked))
                asked += 1
            if not on.select(0.2):
                answered = asked  # lost, as UDP may
                continue
            while True:
                try:
                    one.recv(2048)
                except BlockingIOError:
                    break
                answered += 1
        took = now - began
        cpu = server.cpu - cpu
    assert answered, "unbound does not answer"
    return {
        "rate": round(answered / took, 1),
        "cpu_us": round(cpu / answered * 1e6, 2),
        "busy": round(cpu / took, 3),
        "load_busy": round((time.thread_time() - own) / took, 3),
    }
