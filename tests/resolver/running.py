"""Any ASGI application on a free loopback port, for as long as a test wants it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from delegant.resolver.deadline import Deadline


@contextlib.contextmanager
def listening(app: Any, protocol: type[Deadline] = Deadline, *, idle: int = 5) -> Iterator[int]:
    """The port it is served on."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    config = uvicorn.Config(
        app, http=protocol, lifespan="off", log_level="critical", access_log=False,
        server_header=False, ws="none", timeout_keep_alive=idle,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
