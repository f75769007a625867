"""A connection that is closed when something is late, with a timer that is hardly ever set."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["IDLE", "Timed"]

IDLE: Final = "idle"
"""Why a connection is closed that is kept for another request."""
TICK_SECONDS: Final = 0.001


class Timed(HttpToolsProtocol, ABC):
    """A connection of which one thing at a time is expected by some instant.

    Each request moves that instant several times. So no timer is set for it: the one there is
    fires, looks at what is due, and is set for what is left.
    """

    _timer: asyncio.TimerHandle | None = None
    _fires = 0.0
    _due: float | None = None
    _why = ""
    _waits = True
    """Whether nothing is expected but perhaps another request."""

    def _arm(self, seconds: float, why: str) -> None:
        """The connection is closed in so long, instead of when it would have been.

        A timer that fires no later than that is left as it is: most never need another.
        """
        self._due = due = self.loop.time() + seconds
        self._why = why
        self._waits = why is IDLE
        if self._timer is None or due < self._fires:
            self._wake(due, seconds)

    def _disarm(self) -> None:
        """It is not closed for what it was to be closed for."""
        self._due = None
        self._waits = True

    def _unset(self) -> None:
        self._disarm()
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self, due: float, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires = due
        self._timer = self.loop.call_later(seconds, self._woken)

    def _woken(self) -> None:
        self._timer = None
        if self._due is None:
            return
        left = self._due - self.loop.time()
        if left > TICK_SECONDS:
            self._wake(self._due, left)
            return
        self._late(self._why)

    @abstractmethod
    def _late(self, why: str) -> None:
        """What was expected did not come."""
