"""Listening: uvicorn with deadlines, and with an end to heads."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from delegant.credentials.errors import error

from .guard import problem_response

__all__ = ["Deadline", "listen"]

DEADLINE_SECONDS: Final = 10.0
MAX_HEAD: Final = 64 * 1024


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


def listen(
    app: Any,
    host: str,
    port: int,
    listening: Callable[[str], None],
    *,
    protocol: type[Deadline] = Deadline,
) -> None:
    """Serve an application until told to stop.

    Args:
        host, port: where; port 0 picks a free one.
        listening: called with the address once connections are taken.
        protocol: how requests are read.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    config = uvicorn.Config(
        app,
        http=protocol,
        log_level="warning",
        access_log=False,
        limit_concurrency=4096,  # it counts who says nothing, too: they must not keep others out
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    bound = listener.getsockname()
    listening(f"http://{bound[0]}:{bound[1]}")
    uvicorn.Server(config).run(sockets=[listener])
