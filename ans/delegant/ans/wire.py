"""How the client's requests reach the network: bounded in bytes and in time, and nothing followed.

httpx bounds each wait, not their sum: a server that sends its headers byte by byte would hold a
thread for ever. In an event loop the whole exchange is cancelled; in a thread every read is given
only what is left of the time, by `TimedTransport`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from delegant.credentials.errors import error

from .asking import MAX_REPLY, Ask, Broken, Reply

__all__ = ["Gathered", "TimedTransport", "options", "until"]

_END: ContextVar[float] = ContextVar("end", default=float("inf"))


def options(base_url: str, seconds: float) -> dict[str, Any]:
    """What both of httpx's clients are made with.

    Raises:
        Malformed: ``shape`` for what is no http(s) address.
    """
    try:
        url = httpx.URL(base_url)
        url.raw_host.decode("ascii").encode("idna")  # as the system's resolver will read it
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise error("shape", f"{base_url[:120]!r}: {exc}") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query:
        raise error("shape", f"{base_url[:120]!r} is no http(s) address of a registry")
    return {
        "base_url": url,
        "timeout": seconds,
        "follow_redirects": False,
        "headers": {"Accept-Encoding": "identity", "User-Agent": "delegant"},
        "trust_env": False,
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


class Gathered:
    """A reply as it comes in, up to a size and an instant of the monotonic clock."""

    def __init__(self, response: httpx.Response, end: float) -> None:
        if "content-encoding" in response.headers:  # not asked for, and may be a bomb
            raise error("unavailable", "the answer is packed")
        self._status = response.status_code
        self._headers = {name.lower(): value for name, value in response.headers.items()}
        self._end = end
        self._data = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take some more of it."""
        self._data += chunk
        if len(self._data) > MAX_REPLY:
            raise error("limit-size", f"an answer of more than {MAX_REPLY} bytes")
        if time.monotonic() > self._end:
            raise httpx.ReadTimeout("the answer takes too long")

    def reply(self) -> Reply:
        """All of it."""
        return Reply(self._status, self._headers, bytes(self._data))


def broken(exc: Exception) -> Broken:
    """Why there was no reply, in words that hold no more than the failure."""
    return Broken(str(exc)[:200] or type(exc).__name__)


def request_of(ask: Ask, seconds: float) -> dict[str, Any]:
    """The arguments of httpx's ``stream``."""
    return {
        "method": ask.method,
        "url": ask.path,
        "headers": dict(ask.headers),
        "content": ask.content or None,
        "timeout": min(seconds, ask.seconds),
    }


@contextmanager
def until(end: float) -> Iterator[None]:
    """Every read and write of this thread ends by then."""
    mark = _END.set(end)
    try:
        yield
    finally:
        _END.reset(mark)


class TimedTransport(httpx.BaseTransport):
    """httpx's own way over httpcore, but for the time: see `until`."""

    def __init__(self) -> None:
        context: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=16, keepalive_expiry=5, network_backend=_Backend()
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, one response; what fails is httpx's to name."""
        with _named():
            got = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(got.status, headers=got.headers, stream=_Body(got.stream))

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as exc:
        raise httpx.TransportError(str(exc) or type(exc).__name__) from exc


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _named():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


def _left(timeout: float | None) -> float:
    left = _END.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is up")
    return left if timeout is None else min(left, timeout)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection whose every wait is within the time."""
        made = super().connect_tcp(host, port, _left(timeout), local_address, socket_options)
        return _Stream(made)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
