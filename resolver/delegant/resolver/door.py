"""Who may use the VC-API: bearer tokens (RFC 6750), or nobody asked where it is for development.

Verification asks for a token too: canonicalising a stranger's graph and fetching what it names
costs more than any other answer of ours.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request

from delegant.credentials.errors import Error, error
from delegant.wallet import Home, tokens

__all__ = ["Door", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a host to bind, or of an Origin, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Door:
    """Asked before anything of a request is read.

    Args:
        home: whose tokens count.
        development: nobody is asked; for a server bound to loopback alone.
        clock: seconds since 1970.
    """

    def __init__(
        self, home: Home, *, development: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._home = home
        self._development = development
        self._clock = clock

    async def admit(self, http: Request, scope: str) -> None:
        """Let a request with a token of this scope through.

        Raises:
            Rejected: ``api-auth``. Unavailable: ``unavailable``.
        """
        if self._development:
            self._no_browser(http)
            return
        scheme, _, presented = http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise challenge("send a bearer token")
        now = int(self._clock())
        try:
            token = await asyncio.to_thread(tokens.check, self._home, presented.strip(), now=now)
        except Error as exc:
            if exc.code == "api-auth":
                raise challenge(exc.detail, "invalid_token") from None
            raise
        if scope not in token.scopes:
            raise challenge(f"the token has no scope {scope}", "insufficient_scope")

    def _no_browser(self, http: Request) -> None:
        """A page somebody looks at must not issue here, by whatever name it reaches us."""
        origin = http.headers.get("origin")
        if origin is not None and not is_loopback(_host(origin)):
            raise challenge("this server is for development: no page of elsewhere may use it")


def _host(origin: str) -> str:
    """The host of an Origin; empty where there is none."""
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:  # an open bracket
        return ""


def challenge(detail: str, kind: str = "") -> Error:
    """A refusal that says how to be let in (RFC 6750, 3)."""
    told = error("api-auth", detail)
    told.dimension = kind or None
    return told
