"""Run the API: uvicorn with deadlines, and the task that keeps lists and credentials fresh."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from delegant.ans.log.note import NoteSigner
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.credentials import Error
from delegant.credentials.errors import error
from delegant.wallet import Home, Wallet, gather, refresh, save_seen
from delegant.wallet.issuer import Issuer
from delegant.wallet.registry import LOG_ROLE

from .app import create_app, own_trust
from .door import is_loopback
from .guard import problem_response

__all__ = ["Deadline", "open_registry", "serve"]

REFRESH_SECONDS: Final = 20
DEADLINE_SECONDS: Final = 10.0
MAX_HEAD: Final = 64 * 1024
LOG: Final = logging.getLogger("delegant")


class Deadline(HttpToolsProtocol):
    """Close a connection whose request is not whole in time, or whose head has no end.

    uvicorn itself waits for ever, takes heads of any size, and answers what is no HTTP in
    plain text.
    """

    deadline = DEADLINE_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _head: int | None = 0

    def data_received(self, data: bytes) -> None:
        """Count the head while it is not whole."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("the head of the request is too large")

    def on_headers_complete(self) -> None:
        """The head is whole; what follows is the body."""
        self._head = None
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told in the one shape of all errors."""
        self.transport.write(problem_response(error("json", msg)))
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        """A connection must say something soon."""
        super().connection_made(transport)
        self._arm()

    def on_message_begin(self) -> None:
        """A request has begun; it must end soon."""
        self._head = self._head or 0
        super().on_message_begin()
        self._arm()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._disarm()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._disarm()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._disarm()
        self._timer = self.loop.call_later(self.deadline, self._close)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self.transport.close()


def open_registry(home: Home, organization: Wallet) -> Registry:
    """The naming service of a home, on its SQLite file."""
    return Registry(
        Store(home.path / "registry.db"),
        home.settings.registry,
        organization.key("registry"),
        NoteSigner(home.settings.log, organization.key(LOG_ROLE)),
        home.path / "log" / "checkpoint",
        lambda: own_trust(home),
        lambda seen: save_seen(home.path / "trust", seen),
        lambda name: gather(home, [name]),
    )


async def _keep_fresh(home: Home, organization: Wallet, issuer: Issuer) -> None:
    while True:
        try:
            await asyncio.to_thread(refresh, home, organization, int(time.time()))
            await asyncio.to_thread(issuer.refresh, int(time.time()))
        except (Error, OSError) as exc:
            LOG.warning("not refreshed, trying again: %s", exc)
        await asyncio.sleep(REFRESH_SECONDS)


def serve(
    home: Home,
    organization: Wallet,
    issuer: Issuer,
    host: str,
    port: int,
    listening: Callable[[str], None],
    *,
    development: bool = False,
) -> None:
    """Serve until told to stop.

    Args:
        issuer: of credentials in general.
        host, port: where; port 0 picks a free one.
        listening: called with the address once connections are taken.
        development: the VC-API asks nobody for a token; the host must be loopback.

    Raises:
        Rejected: ``api-auth`` for development that others could reach.
    """
    if development and not is_loopback(host):
        raise error("api-auth", f"--insecure-development binds to loopback alone, not to {host}")
    registry = open_registry(home, organization)
    refresh(home, organization, int(time.time()))
    issuer.refresh(int(time.time()))
    app = create_app(home, registry, issuer=issuer, development=development)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_fresh(home, organization, issuer))
        yield
        task.cancel()

    app.router.lifespan_context = lifespan
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    config = uvicorn.Config(
        app,
        http=Deadline,
        log_level="warning",
        access_log=False,
        limit_concurrency=512,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    bound = listener.getsockname()
    listening(f"http://{bound[0]}:{bound[1]}")
    uvicorn.Server(config).run(sockets=[listener])
