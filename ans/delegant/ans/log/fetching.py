"""Where a log is read from: a web server or a folder, each bounded; nothing is believed here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from delegant.credentials.errors import error
from delegant.wallet.files import read as read_file

from .checkpoint import MAX_CHECKPOINT
from .tiles import MAX_BUNDLE, MAX_TILE, parse_path

__all__ = ["Fetch", "FolderFetch", "HttpFetch", "folder_fetch", "http_fetch", "most"]

Fetch = Callable[[str], bytes]
"""From ``checkpoint`` or the path of a tile or bundle to its bytes, at most `most` of them;
raises NotFound where the log has no such thing, Unavailable where it cannot be had now."""


def most(name: str) -> int:
    """How many bytes the thing at a path may have.

    Raises:
        Malformed: ``encoding`` for what is no path of a log. LimitExceeded: ``limit-size``.
    """
    if name == "checkpoint":
        return MAX_CHECKPOINT
    place = parse_path(name)
    return MAX_TILE if place.level is not None else MAX_BUNDLE


class FolderFetch:
    """See `folder_fetch`."""

    def __init__(self, folder: Path) -> None:
        self._root = Path(os.path.realpath(folder))

    def __call__(self, name: str) -> bytes:
        """The bytes of a file of the log."""
        limit = most(name)  # refuses every name that is no path of a log
        target = Path(os.path.realpath(self._root / name))
        if not target.is_relative_to(self._root):
            raise error("not-found", f"{name} is a link that leads out of the folder")
        return read_file(target, size=limit)


def folder_fetch(folder: Path) -> FolderFetch:
    """A `Fetch` from a folder laid out as the log's URLs are; nothing outside it is read.

    It raises ``not-found``, ``encoding``, ``limit-size`` and ``unavailable``.
    """
    return FolderFetch(folder)


class HttpFetch:
    """See `http_fetch`."""

    def __init__(
        self, url: str, *, timeout: float = 5.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._timeout = timeout
        try:
            self._http = httpx.Client(
                base_url=url,
                timeout=timeout,
                transport=transport,
                follow_redirects=False,
                headers={"Accept-Encoding": "identity"},
                trust_env=False,
            )
        except httpx.InvalidURL as exc:
            raise error("unavailable", f"not an address of a log: {exc}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __call__(self, name: str) -> bytes:
        """The bytes of a resource of the log."""
        limit, data = most(name), bytearray()
        end = time.monotonic() + 2 * self._timeout
        try:
            with self._http.stream("GET", name) as response:
                if response.status_code in {404, 410}:
                    raise error("not-found", f"the log has no {name}")
                if response.status_code != 200:
                    raise error("unavailable", f"the log answered {response.status_code}")
                if "content-encoding" in response.headers:  # not asked for, and may be a bomb
                    raise error("unavailable", "the answer is packed")
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > limit:
                        raise error("limit-size", f"{name} has more than {limit} bytes")
                    if time.monotonic() > end:
                        raise error("unavailable", "the answer takes too long")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise error("unavailable", f"the log does not answer: {exc}") from None
        return bytes(data)


def http_fetch(
    url: str, *, timeout: float = 5.0, transport: httpx.BaseTransport | None = None
) -> HttpFetch:
    """A `Fetch` over HTTP below a prefix; redirects are not followed, packing is not taken.

    It raises ``not-found``, ``encoding``, ``limit-size`` and ``unavailable``.

    Args:
        url: the log's prefix, for example ``http://127.0.0.1:8080``.
        timeout: seconds for each wait; a whole answer may take twice that.
    """
    return HttpFetch(url, timeout=timeout, transport=transport)
