"""The one place from which this program fetches what others publish.

Somebody else says which address; so nothing of it is believed. Only https, on its own port,
from hosts the operator listed. Names are resolved here, every address of the answer must be
public, and the connection goes to the address that was checked, so a name that changes in
between (rebinding) changes nothing. No redirects, proxies, cookies, credentials or
compression; bytes, headers and time are bounded. `httpcore` alone does none of these by
itself, so there is nothing to switch off.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookupTimeout
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpcore
import httpx

from delegant.credentials.errors import Error, error
from delegant.wallet.home import host_pattern

from .addresses import public

__all__ = ["DOCUMENT_TYPES", "LOG_TYPES", "SIZE", "Fetcher", "Reply", "Wire"]

SIZE: Final = 64 * 1024
SECONDS: Final = 5.0
HEAD: Final = 32 * 1024
"""Most bytes around the body: status line, headers, chunk marks."""
ADDRESSES: Final = 16
AT_ONCE: Final = 8
DOCUMENT_TYPES: Final = (
    "application/did",
    "application/did+json",
    "application/did+ld+json",
    "application/json",
    "application/ld+json",
)
LOG_TYPES: Final = (
    "text/jsonl",
    "application/jsonl",
    "application/x-ndjson",
    "application/json",
    "text/plain",
    "application/octet-stream",
)
"""Of logs, which are their own proof; most servers know no type for ``.jsonl``."""

_URL: Final = re.compile(
    r"https://(?P<host>[^/?#]*)"
    r"(?P<target>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII,
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+\Z|0x[0-9a-f]*\Z){_LABEL}", re.ASCII)
_AGE: Final = re.compile(r"(?:^|[ ,])max-age=([0-9]{1,9})(?:$|[ ,])", re.ASCII)
_LOOKUPS: Final = ThreadPoolExecutor(AT_ONCE, "lookup")


def _lookup(host: str) -> list[str]:
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(row[4][0]) for row in found]


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), seconds)


@dataclass(frozen=True)
class Wire:
    """What lies outside of this process. Tests lay another one; no setting can.

    Attributes:
        lookup: from a name to its addresses, in the resolver's order.
        connect: to an address that was checked; address, port, seconds.
        tls: whom to trust; names are always checked.
    """

    lookup: Callable[[str], list[str]] = _lookup
    connect: Callable[[str, int, float], socket.socket] = _connect
    tls: Callable[[], ssl.SSLContext] = field(
        default=lambda: httpx.create_ssl_context(trust_env=False)
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """What was fetched.

    Attributes:
        body: the bytes, as they were sent.
        media: the media type, lower case, without parameters.
        max_age: seconds the server lets it be kept; None where it says nothing.
    """

    body: bytes
    media: str
    max_age: int | None


class Fetcher:
    """Fetches from allowed hosts.

    Args:
        allowed: host patterns: ``acme.example``, ``*.acme.example`` (what is below it), ``*``.
            Empty: nothing is ever fetched.
        wire: what lies outside; for tests.
        seconds: for one fetch, everything included.

    Raises:
        Malformed: ``shape`` for a pattern.
    """

    def __init__(
        self, allowed: Iterable[str] = (), *, wire: Wire | None = None, seconds: float = SECONDS
    ) -> None:
        self.allowed = tuple(host_pattern(one) for one in allowed)
        self._wire = wire or Wire()
        self._seconds = seconds
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def allows(self, host: str) -> bool:
        """Whether the operator listed this host."""
        return any(
            pattern in ("*", host) or (pattern[:2] == "*." and host.endswith(pattern[1:]))
            for pattern in self.allowed
        )

    def get(
        self,
        url: str,
        *,
        media: Iterable[str] = DOCUMENT_TYPES,
        size: int = SIZE,
        absent: str = "fetch-failed",
    ) -> Reply:
        """Fetch one URL.

        Args:
            url: ``https://host/path``; nothing else.
            media: the media types that are taken.
            size: most bytes of the body.
            absent: the code raised for 404 and 410.

        Raises:
            Rejected: ``fetch-refused`` before anything is sent. Undecided: ``fetch-failed``.
        """
        host = self._host(url)
        deadline = time.monotonic() + self._seconds
        if not self._slots.acquire(timeout=self._seconds):
            raise error("fetch-failed", "too many fetches at once")
        try:
            addresses = self._addresses(host, deadline)
            with _told(host):
                return self._get(url, tuple(media), size, absent, addresses, deadline)
        finally:
            self._slots.release()

    def _host(self, url: str) -> str:
        match = _URL.fullmatch(url) if len(url) <= 2048 else None
        if match is None or not _HOST.fullmatch(match["host"]) or len(match["host"]) > 253:
            raise error("fetch-refused", f"{url[:120]!r} is no plain https address of a host")
        if not self.allows(match["host"]):
            raise error("fetch-refused", f"{match['host']} is not among the hosts allowed here")
        return match["host"]

    def _addresses(self, host: str, deadline: float) -> list[str]:
        """The addresses of a name, if every one is public."""
        asked: Future[list[str]] = _LOOKUPS.submit(self._wire.lookup, host)
        try:
            found = asked.result(timeout=max(0.0, deadline - time.monotonic()))
        except (OSError, UnicodeError, LookupTimeout) as exc:
            raise error("fetch-failed", f"{host} has no address: {type(exc).__name__}") from None
        finally:
            asked.cancel()
        addresses = [str(public(text)) for text in found]
        if not addresses or len(addresses) > ADDRESSES:
            raise error("fetch-failed", f"{host} has {len(addresses)} addresses")
        return addresses

    def _get(
        self,
        url: str,
        media: tuple[str, ...],
        size: int,
        absent: str,
        addresses: list[str],
        deadline: float,
    ) -> Reply:
        backend = _Backend(self._wire.connect, addresses, deadline, size + HEAD)
        headers = [
            ("Accept", ", ".join(media)),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "delegant"),
            ("Connection", "close"),
        ]
        with (
            httpcore.ConnectionPool(
                ssl_context=self._wire.tls(), max_connections=1, network_backend=backend
            ) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            names = [(name.lower(), value.decode("latin-1")) for name, value in response.headers]
            kind = _checked(response.status, names, media, absent)
            body = bytearray()
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > size:
                    raise error("fetch-failed", f"more than {size} bytes")
            return Reply(bytes(body), kind, _max_age(names))


def _checked(
    status: int, names: list[tuple[bytes, str]], media: tuple[str, ...], absent: str
) -> str:
    """The media type of an answer that may be read."""
    if status != 200:
        code = absent if status in (404, 410) else "fetch-failed"
        raise error(code, f"the server answered {status}")
    if any(name == b"content-encoding" and value.lower() != "identity" for name, value in names):
        raise error("fetch-failed", "it came compressed, which was not asked for")
    kinds = [value for name, value in names if name == b"content-type"]
    kind = kinds[0].partition(";")[0].strip().lower() if len(kinds) == 1 else ""
    if kind not in media:
        raise error("fetch-failed", f"it came as {kind[:60]!r}")
    return kind


def _max_age(names: list[tuple[bytes, str]]) -> int | None:
    told = ", ".join(value.lower() for name, value in names if name == b"cache-control")
    if "no-store" in told or "no-cache" in told:
        return 0
    match = _AGE.search(told)
    return int(match[1]) if match else None


@contextmanager
def _told(host: str) -> Iterator[None]:
    """Whatever the network does is an error of ours."""
    try:
        yield
    except Error:
        raise
    except httpcore.TimeoutException:
        raise error("fetch-failed", f"{host} took too long") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as exc:
        raise error("fetch-failed", f"{host}: {str(exc)[:160] or type(exc).__name__}") from None


class _Backend(httpcore.NetworkBackend):
    """Connects to checked addresses, whatever name is asked for."""

    def __init__(
        self,
        connect: Callable[[str, int, float], socket.socket],
        addresses: list[str],
        deadline: float,
        most: int,
    ) -> None:
        self._connect = connect
        self._addresses = addresses
        self._deadline = deadline
        self._most = most

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first address that answers."""
        if port != 443:
            raise error("fetch-refused", f"port {port} is not that of https")
        for left, address in zip(range(len(self._addresses), 0, -1), self._addresses, strict=True):
            try:  # none may use up the time of those after it
                line = self._connect(address, port, _left(self._deadline) / left)
            except OSError:
                continue
            return _Stream(line, self._deadline, self._most)
        raise httpcore.ConnectError("no address answers")


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time is up")
    return seconds


class _Stream(httpcore.NetworkStream):
    """A connection with one deadline and one allowance of bytes."""

    def __init__(self, line: socket.socket, deadline: float, most: int) -> None:
        self._line = line
        self._deadline = deadline
        self._most = most

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes, at the latest when the time is up."""
        self._line.settimeout(_left(self._deadline))
        try:
            data = self._line.recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout("the time is up") from None
        self._most -= len(data)
        if self._most < 0:
            raise error("fetch-failed", "more bytes than were allowed")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._line.settimeout(_left(self._deadline))
        try:
            self._line.sendall(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout("the time is up") from None

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted; the certificate must be the name's."""
        self._line.settimeout(_left(self._deadline))
        try:
            line = ssl_context.wrap_socket(self._line, server_hostname=server_hostname)
        except TimeoutError:
            self.close()
            raise httpcore.ConnectTimeout("the time is up") from None
        except OSError:
            self.close()
            raise
        return _Stream(line, self._deadline, self._most)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of the connection: whether it still stands."""
        return False if info == "is_readable" else None
