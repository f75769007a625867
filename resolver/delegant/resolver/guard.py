"""What stands before every route: a cap on bodies, and one shape for every error."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from delegant.credentials import Error
from delegant.credentials.errors import error

__all__ = ["Guard", "problem_bytes", "problem_response", "refuse"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SMALL_BODY: Final = 64 * 1024
LARGE_BODY: Final = 2 * 1024 * 1024
_LARGE: Final = re.compile(
    r"/v1/verify|/v1/agents(/[^/]*/events)?|/credentials/verify|/presentations(/.*)?", re.DOTALL
)
"""The addresses that take chains, documents and evidence."""


def problem_bytes(exc: Error, status: int | None = None) -> bytes:
    """The body of an error; ``status`` where HTTP has a closer one than its code."""
    return json.dumps(exc.problem() | ({} if status is None else {"status": status})).encode()


def problem_response(
    exc: Error, status: int = 400, *, retry: int | None = None, keep: bool = False
) -> bytes:
    """A whole HTTP/1.1 response, for what never became a request.

    Args:
        retry: seconds to wait; the status is then that of the code.
        keep: whether the connection is.
    """
    status = status if retry is None else exc.http_status
    body = problem_bytes(exc, status)
    again = "" if retry is None else f"retry-after: {retry}\r\n"
    last = "" if keep else "connection: close\r\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"{again}{last}\r\n"
    )
    return head.encode() + body


class Guard:
    """Pure ASGI: bodies above the cap are refused while they are read (413)."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, counting its bytes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = LARGE_BODY if _LARGE.fullmatch(str(scope["path"])) else SMALL_BODY
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length[:12]) > cap:
            await refuse(send, error("limit-size", f"a body of {cap} bytes is allowed"))
            return
        seen = 0
        answered = over = False

        async def counted() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > cap:
                over = True
                raise error("limit-size", f"a body of {cap} bytes is allowed")
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            if over and message["type"] == "http.response.start":  # the rest is not read
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, counted, sending)
        except Error as exc:
            if answered:
                raise
            await refuse(send, exc)


async def refuse(send: Send, exc: Error, retry: int | None = None) -> None:
    """Answer with an error, and close.

    Args:
        retry: seconds to wait before another try.
    """
    body = problem_bytes(exc)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if retry is not None:
        headers.append((b"retry-after", str(retry).encode()))
    await send({"type": "http.response.start", "status": exc.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
