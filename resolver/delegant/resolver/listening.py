"""Listening: a server that takes connections until it is told to stop, and ends well."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import uvicorn

from .deadline import Deadline

__all__ = [
    "DRAIN_SECONDS",
    "address_of",
    "allow_files",
    "bound",
    "listen",
    "run",
    "settle",
]

DRAIN_SECONDS: Final = 6
"""How long a stop waits for what was begun."""
LAST_SECONDS: Final = 9.0
"""How long a stop takes at most."""
BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """A server that ends well when it is told to: with 0, not by the signal again."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop; at once where somebody insists."""
        del frame
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        if not self.should_exit:  # a job that hangs is no reason to
            last = threading.Timer(LAST_SECONDS, os._exit, (0,))
            last.daemon = True
            last.start()
        self.should_exit = True


def bound(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)


def address_of(listener: socket.socket) -> str:
    """Where it is, as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    app: Any,
    listener: socket.socket,
    protocol: type[Deadline],
    *,
    idle: float = 5.0,
    ready: Callable[[uvicorn.Server], None] = lambda _server: None,
) -> None:
    """Serve an application until told to stop; what was begun is ended before that.

    Args:
        idle: seconds that a connection is kept for another request.
        ready: called once everything is made that will be; with the server, to stop it by.
    """
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_level="error",
        access_log=False,
        timeout_keep_alive=idle,  # type: ignore[arg-type] # it goes to call_later
        timeout_graceful_shutdown=DRAIN_SECONDS,
        server_header=False,
    )
    server = _Server(config)
    ready(server)
    server.run(sockets=[listener])


def settle() -> None:
    """What is there now stays; so it is not looked through again for garbage, nor so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def allow_files(count: int) -> None:
    """Have this process open so many files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < want:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


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
    listener = bound(host, port)
    listening(address_of(listener))
    run(app, listener, protocol)
