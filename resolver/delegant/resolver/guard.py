"""What stands before every route: a cap on bodies, and one shape for every error."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from delegant.credentials import Error
from delegant.credentials.errors import error

__all__ = ["Guard", "problem_bytes", "problem_response"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SMALL_BODY: Final = 64 * 1024
LARGE_BODY: Final = 2 * 1024 * 1024
_LARGE: Final = ("/v1/verify", "/v1/agents", "/credentials/verify", "/presentations")


def problem_bytes(exc: Error) -> bytes:
    """The body of an error."""
    return json.dumps(exc.problem()).encode()


def problem_response(exc: Error) -> bytes:
    """A whole HTTP/1.1 response, for what never became a request."""
    body = problem_bytes(exc)
    head = (
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
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
        cap = LARGE_BODY if str(scope["path"]).startswith(_LARGE) else SMALL_BODY
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length[:12]) > cap:
            await _refuse(send, error("limit-size", f"a body of {cap} bytes is allowed"))
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
            await _refuse(send, exc)


async def _refuse(send: Send, exc: Error) -> None:
    body = problem_bytes(exc)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": exc.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
