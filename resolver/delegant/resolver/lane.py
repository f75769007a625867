"""The fast lane: an answer leaves before anything else of a request is looked at.

`GET /v1/resolve` is most of what a registry is asked. Where the very same was asked before, and
the answer still stands, its bytes go out from inside the HTTP protocol: no task, no framework, no
store. So does the first answer about one name, where nothing has to be waited for (`glancing`).
Whatever is not plainly so takes the long way: bodies, upgrades, pipelines whose reader is slow,
callers who want it fresh.
"""

from __future__ import annotations

import time
from typing import Any, Final

from delegant.ans.pages import Page, Pages
from delegant.ans.registry import Registry

from .deadline import Deadline
from .glancing import Glancing
from .traffic import Traffic

__all__ = ["Lane", "asked", "lane"]

PATH: Final = b"/v1/resolve?"
_LONG_WAY: Final = frozenset(
    {b"content-length", b"transfer-encoding", b"cache-control", b"pragma", b"expect", b"upgrade",
     b"range", b"origin", b"authorization"}
)  # fmt: skip
MAX_KEY: Final = 1024
_REASON: Final = {200: b"OK", 403: b"Forbidden", 404: b"Not Found", 410: b"Gone"}


def asked(query: bytes, accept: bytes) -> tuple[bytes, bytes] | None:
    """What a page is kept under; None for what is not worth it."""
    return (query, accept) if len(query) + len(accept) <= MAX_KEY else None


class Lane(Deadline):
    """`Deadline`, and kept answers at once."""

    pages: Pages | None = None
    glancing: Glancing | None = None
    clock = staticmethod(time.time)

    def answered(self) -> tuple[int, int, bool] | None:
        """Give the answer that is kept, where it is plainly the one asked for."""
        pages = self.pages
        return self._kept(pages) if pages is not None and self.url.startswith(PATH) else None

    def _kept(self, pages: Pages) -> tuple[int, int, bool] | None:
        parser: Any = self.parser
        cycle: Any = self.cycle  # None before the first
        method = parser.get_method()
        if (
            method not in (b"GET", b"HEAD")
            or (cycle is not None and not cycle.response_complete)
            or self.flow.write_paused
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
        ):
            return None
        accept = known = b""
        for name, value in self.headers:
            if name == b"accept":
                accept = accept + b"," + value if accept else value
            elif name == b"if-none-match":
                known = value
            elif name in _LONG_WAY:
                return None
        now = self.clock()
        query = self.url[len(PATH) :]
        page = pages.get((query, accept), now)
        kept = page is not None
        if page is None:
            key, glancing = asked(query, accept), self.glancing
            if key is not None and glancing is not None:
                page = glancing.page(query, accept, now, self.loop)
            if page is None:
                return None
            pages.put(key, page)
        status = (
            304 if page.status == 200 and known and page.etag.encode() == known else page.status
        )
        if known and status != 304 and page.status == 200:
            return None  # several, weak or *: rarely
        head = self._made(page, status, int(now))
        body = b"" if status == 304 or method == b"HEAD" else page.body
        self.transport.write(head + body)
        self._sent = True
        return status, len(body), kept

    def _vary(self) -> bytes:
        origins = self.traffic is not None and self.traffic.settings.cors
        return b"accept, origin" if origins else b"accept"

    def _made(self, page: Page, status: int, now: int) -> bytes:
        """The head of a page, the same for a second."""
        made = page.head.get(status)
        if made is not None and made[0] == now:
            return made[1]
        line = b"HTTP/1.1 304 Not Modified" if status == 304 else _line(status)
        fields: list[Any] = [
            *self.server_state.default_headers,
            (b"cache-control", f"public, max-age={max(page.until - now, 0)}".encode()),
            (b"etag", page.etag.encode()),
            (b"vary", self._vary()),
        ]
        if status != 304:
            fields += [
                (b"content-type", page.media.encode()),
                (b"content-length", str(len(page.body)).encode()),
            ]
        head = b"".join(
            [line, b"\r\n", *(name + b": " + value + b"\r\n" for name, value in fields), b"\r\n"]
        )
        page.head[status] = now, head
        return head


def lane(registry: Registry, traffic: Traffic | None = None) -> type[Lane]:
    """The protocol of a server of a registry.

    Args:
        traffic: what every request passes; its settings are the protocol's. None: no limits.
    """
    own: dict[str, object] = {
        "pages": registry.pages, "glancing": Glancing(registry), "traffic": traffic,
    }  # fmt: skip
    if traffic is not None:
        told = traffic.settings
        own |= {
            "deadline": told.head_seconds,
            "body_seconds": told.body_seconds,
            "send_seconds": told.send_seconds,
        }
    return type("Lane", (Lane,), own)


def _line(status: int) -> bytes:
    return f"HTTP/1.1 {status} ".encode() + _REASON[status]
