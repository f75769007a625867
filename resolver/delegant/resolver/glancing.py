"""Answers about one name that nobody asked for before, made on the loop itself.

A thread would cost more than the answer. But while one is made the loop serves nobody else: so it
is done only where nothing has to be waited for, for so long in one turn of the loop, and not for a
while where the store was slow or did not answer. Whatever is not made here goes the long way.
"""

from __future__ import annotations

import re
import time
from asyncio import AbstractEventLoop
from typing import Final
from urllib.parse import unquote_to_bytes

from delegant.ans.pages import Page
from delegant.ans.registry import Registry
from delegant.credentials import Error

from .answers import form, page_of

__all__ = ["REST_SECONDS", "SLOW_SECONDS", "TURN_SECONDS", "Glancing"]

TURN_SECONDS: Final = 0.03
"""How long answers are made in one turn of the loop."""
SLOW_SECONDS: Final = 0.05
"""One that takes longer was kept waiting."""
RESTS: Final = 10
"""How many times as long nothing is made after it, so that others have most of the time."""
REST_SECONDS: Final = 1.0
"""And after a store that did not answer."""
_NAMED: Final = re.compile(rb"name=([A-Za-z0-9.:/%-]+)")


class Glancing:
    """What makes them.

    Args:
        registry: whose answers.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._left = TURN_SECONDS
        self._turning = False
        self._rests = 0.0

    def page(self, query: bytes, accept: bytes, at: float, loop: AbstractEventLoop) -> Page | None:
        """The answer to a question, ready to be sent and kept; None: it goes the long way.

        Args:
            query: what stands after the question mark.
            accept: the header.
            at: now, seconds since 1970.
        """
        named = _NAMED.fullmatch(query)
        began = time.monotonic()
        if named is None or self._left <= 0 or began < self._rests:
            return None
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turned)
        out = None
        try:
            name = str(unquote_to_bytes(named[1]), "ascii")
            media = form(str(accept, "latin-1"), exact=True)
            told = self._registry.glance(name, int(at))
            if told is not None:
                status, answer, key, size = told
                out = page_of(self._registry, answer, status, media, key, size)
        except (Error, UnicodeDecodeError) as exc:
            if getattr(exc, "code", None) == "unavailable":
                self._rests = began + REST_SECONDS
        took = time.monotonic() - began
        self._left -= took
        if took > SLOW_SECONDS:
            self._rests = began + took + RESTS * took
        return out

    def _turned(self) -> None:
        self._left, self._turning = TURN_SECONDS, False
