"""How much a registry does for strangers: so many at once, then so many in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from delegant.credentials.errors import error

__all__ = ["Bucket"]


class Bucket:
    """A token bucket; for several threads.

    Args:
        most: how many at once.
        rate: how many more in a second.
        what: is told whoever gets none.
        clock: in seconds.
    """

    def __init__(
        self, most: float, rate: float, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._rate, self._what, self._clock = most, rate, what, clock
        self._left, self._at = most, clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one; or ``too-many``."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left < 1:
                raise error("too-many", self._what)
            self._left -= 1
