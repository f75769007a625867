"""An honest registry behind its real routes on loopback, and a front before it that may lie.

Every request goes through `Front.play`, which may leave it to the registry, alter what that says,
or answer with any bytes at all, as slowly as it likes. `Driver` asks through either client.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import shutil
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from ans.naming import Naming
from delegant.ans import AsyncClient, Client
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.ans.trusted import RegistryTrust
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.resolver import logroutes, names
from delegant.resolver.app import _errors
from delegant.resolver.guard import Guard
from resolver.running import listening
from world import World


@dataclass(frozen=True)
class Asked:
    """A request; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """A reply with the length it claims to have."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Said:
        return cls(status, canonical(value), headers)

    @property
    def value(self) -> JsonObject:
        return parse_object(self.body, size=1 << 22, members=65_536)

    @property
    def wire(self) -> bytes:
        own = {"content-length": str(len(self.body)), "connection": "close"} | self.headers
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{k}: {v}" for k, v in own.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


Play = Callable[[Asked], "Said | bytes | Iterable[bytes]"]


class Front:
    """``asked`` are the requests so far; ``play`` says what each is answered with."""

    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.asked: list[Asked] = []
        self.port = self.upstream = 0
        self.play: Play = self.honest

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """The addresses asked for, without their parameters."""
        return [one.path.partition("?")[0] for one in self.asked]

    def honest(self, asked: Asked) -> Said:
        """What the registry says."""
        line = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=10)
        with contextlib.closing(line):
            hop = {"host", "connection"}
            headers = {name: value for name, value in asked.headers.items() if name not in hop}
            line.request(asked.method, asked.path, asked.body or None, headers)
            got = line.getresponse()
            kept = {
                name.lower(): value
                for name, value in got.getheaders()
                if name.lower() in ("etag", "content-type", "cache-control", "retry-after")
            }
            return Said(got.status, got.read(), kept)

    def altered(self, path: str, change: Callable[[JsonObject], Any]) -> None:
        """From now on, what the registry says at addresses that begin so is changed."""

        def play(asked: Asked) -> Said:
            said = self.honest(asked)
            if not asked.path.startswith(path):
                return said
            value = said.value
            return replace(said, body=canonical(change(value) or value))

        self.play = play

    def first(self, *each: Said | bytes | Iterable[bytes]) -> None:
        """The next requests are answered so, and those after them honestly."""
        rest = list(each)
        self.play = lambda asked: rest.pop(0) if rest else self.honest(asked)


class _Connection(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        front = cast("_Listener", self.server).front
        with contextlib.suppress(OSError, ValueError):
            first = self.rfile.readline().decode("latin-1").split()
            headers: dict[str, str] = {}
            while line := self.rfile.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", "0")))
            asked = Asked(first[0], first[1], headers, body)
            front.asked.append(asked)
            said = front.play(asked)
            for chunk in [said.wire] if isinstance(said, Said) else (
                [said] if isinstance(said, bytes) else said
            ):  # fmt: skip
                self.wfile.write(chunk)
                self.wfile.flush()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    front: Front


def application(registry: Registry, naming: Naming) -> FastAPI:
    """The routes of names and log, with the guard and the errors of the whole API."""
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Guard)
    _errors(app)
    names.add(app, registry, lambda: naming.now)
    logroutes.add(app, registry)
    return app


@contextlib.contextmanager
def fronted(naming: Naming) -> Iterator[Front]:
    """A registry that is served, and the front before it."""
    front = Front(naming)
    with (
        listening(application(naming.registry, naming)) as front.upstream,
        _Listener(("127.0.0.1", 0), _Connection) as listener,
    ):
        listener.front, front.port = front, listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield front
        finally:
            listener.shutdown()
            thread.join(10)


@contextlib.contextmanager
def turned(front: Front, registry: Registry) -> Iterator[None]:
    """Inside, what is honestly said comes from another registry."""
    before, own = front.upstream, front.naming.registry
    with listening(application(registry, front.naming)) as port:
        front.upstream, front.naming.registry = port, registry
        try:
            yield
        finally:
            front.upstream, front.naming.registry = before, own


def forked(naming: Naming, folder: Path) -> Registry:
    """A registry of the same keys that goes on from what this one has now."""
    shutil.copytree(naming.path.parent, folder)
    return Registry(
        Store(folder / naming.path.name), naming.did, naming.keeper.key, naming.logger,
        folder / "log" / "checkpoint", naming.trust,
    )  # fmt: skip


def present_naming(folder: Path, method: str = "key") -> Naming:
    """A registry of this very hour: clients have a clock of their own."""
    folder.mkdir()
    return Naming(folder / "registry.db", World(now=int(time.time()), method=method))


class Driver:
    """Either client, asked in the same words: every method waits for its result."""

    def __init__(self, kind: str, url: str, trust: RegistryTrust, **more: Any) -> None:
        self._runner = asyncio.Runner() if kind == "async" else None
        self.client: Any = (AsyncClient if self._runner else Client)(url, trust, **more)

    def __getattr__(self, name: str) -> Any:
        method, runner = getattr(self.client, name), self._runner
        if runner is None:
            return method
        return lambda *given, **named: runner.run(method(*given, **named))

    def together(self, *asked: tuple[str, str]) -> list[Any]:
        """Methods with one argument: at once where that can be, or one after the other."""

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(getattr(self.client, what)(arg) for what, arg in asked))

        if self._runner is not None:
            return self._runner.run(gathered())
        return [getattr(self.client, what)(arg) for what, arg in asked]

    def close(self) -> None:
        if self._runner is None:
            self.client.close()
            return
        self._runner.run(self.client.close())
        self._runner.close()


def nowhere() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
