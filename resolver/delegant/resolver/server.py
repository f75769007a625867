"""Run the API: uvicorn with deadlines, and the task that keeps lists and credentials fresh."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.credentials import Error
from delegant.wallet import Home, Wallet, load_trust, refresh

from .app import create_app

__all__ = ["Deadline", "open_registry", "serve"]

REFRESH_SECONDS: Final = 20
DEADLINE_SECONDS: Final = 10.0
LOG: Final = logging.getLogger("delegant")


class Deadline(HttpToolsProtocol):
    """Close a connection whose request is not whole in time; uvicorn itself waits for ever."""

    deadline = DEADLINE_SECONDS
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection must say something soon."""
        super().connection_made(transport)
        self._arm()

    def on_message_begin(self) -> None:
        """A request has begun; it must end soon."""
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
        lambda: load_trust(home.path / "trust"),
    )


async def _keep_fresh(home: Home, organization: Wallet) -> None:
    while True:
        try:
            await asyncio.to_thread(refresh, home, organization, int(time.time()))
        except (Error, OSError) as exc:
            LOG.warning("not refreshed, trying again: %s", exc)
        await asyncio.sleep(REFRESH_SECONDS)


def serve(
    home: Home, organization: Wallet, host: str, port: int, listening: Callable[[str], None]
) -> None:
    """Serve until told to stop.

    Args:
        host, port: where; port 0 picks a free one.
        listening: called with the address once connections are taken.
    """
    registry = open_registry(home, organization)
    refresh(home, organization, int(time.time()))
    app = create_app(home, registry)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_fresh(home, organization))
        yield
        task.cancel()

    app.router.lifespan_context = lifespan
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Deadline,
        log_level="warning",
        access_log=False,
        limit_concurrency=512,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    listener = config.bind_socket()
    listener.listen()  # whoever is told may connect at once
    bound = listener.getsockname()
    listening(f"http://{bound[0]}:{bound[1]}")
    uvicorn.Server(config).run(sockets=[listener])
