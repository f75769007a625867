"""Pages of other origins that may ask from a browser: none, but those an operator lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final

__all__ = ["Cors"]

_METHODS: Final = b"GET, HEAD, POST"
_HEADERS: Final = (
    b"accept, agent-invocation, authorization, cache-control, content-type, if-none-match"
)
_SHOWN: Final = b"etag, retry-after, x-request-id"
_KEEP_SECONDS: Final = b"600"


class Cors:
    """Pure ASGI: let browsers show answers to pages of these origins, exactly.

    Args:
        app: what answers.
        origins: ``https://app.example``. Nobody is let in by it: it only tells browsers.
    """

    def __init__(self, app: Any, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(one.encode() for one in origins)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer a preflight, or mark the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"origin"]
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        ours = given[0] if len(given) == 1 and given[0] in self._origins else None
        more: list[tuple[bytes, bytes]] = []
        if ours is not None:
            more += [
                (b"access-control-allow-origin", ours),
                (b"access-control-expose-headers", _SHOWN),
            ]
            if scope["method"] == "OPTIONS" and asks:
                more += [
                    (b"access-control-allow-methods", _METHODS),
                    (b"access-control-allow-headers", _HEADERS),
                    (b"access-control-max-age", _KEEP_SECONDS),
                ]
                more.append((b"vary", b"origin"))
                await send({"type": "http.response.start", "status": 204, "headers": more})
                await send({"type": "http.response.body", "body": b""})
                return

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                vary = b", ".join([*(v for n, v in given if n == b"vary"), b"origin"])  # one line
                kept = [one for one in given if one[0] != b"vary"]
                message = {**message, "headers": [*kept, (b"vary", vary), *more]}
            await send(message)

        await self._app(scope, receive, sending)
