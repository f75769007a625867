"""What every request passes, in and out: the limits of its caller, the metrics, the access log.

A caller may ask so often (a bucket of ``burst`` tokens that fills with ``rate`` a second) and so
many at once. What is known of a caller is two numbers; of how many callers is bounded, and costs
the same however many there are: they are kept in two tables, and when the younger is full the
older one is forgotten.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from .accesslog import AccessLog
from .callers import Callers
from .metrics import Meter
from .settings import Settings

__all__ = ["MOST_CALLERS", "Traffic"]

MOST_CALLERS: Final = 65_536
"""Callers that are known at once, at most."""


class Traffic:
    """What goes through one worker.

    Args:
        settings: the limits.
        meter: where it is counted.
        log: where each request is told, if anywhere.
        clock: seconds, only ever more.
        most: callers known at once.
    """

    def __init__(
        self,
        settings: Settings,
        meter: Meter | None = None,
        log: AccessLog | None = None,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_CALLERS,
    ) -> None:
        self.settings = settings
        self.meter = meter or Meter()
        self.callers = Callers(settings.proxies)
        self.log = log
        self.held = 0  # bytes of large bodies that are being received
        self.bodies = settings.bodies_mib << 20
        self._lines: Counter[str] = Counter()
        self._clock = clock
        self._step = 1 / settings.rate if settings.rate else 0.0
        self._slack = (settings.burst - 1) * self._step
        self._most_at_once = settings.concurrency or math.inf
        self._half = most // 2
        self._young: dict[str, list[float]] = {}
        self._old: dict[str, list[float]] = {}
        self._number = 0
        self._run = os.urandom(5).hex()

    def connected(self, caller: str) -> bool:
        """A connection was made by a caller, who must not have too many; `parted` is owed."""
        self._lines[caller] += 1
        most = self.settings.caller_connections
        return not most or self._lines[caller] <= most

    def parted(self, caller: str) -> None:
        """A connection that was made is gone."""
        self._lines[caller] -= 1
        if not self._lines[caller]:
            del self._lines[caller]

    def enter(self, caller: str) -> int | None:
        """Let a request in.

        Args:
            caller: as `Callers` says.

        Returns:
            None, and `leave` is owed; else the seconds to wait (429), and it is not.
        """
        wait = self.wait(caller)
        if wait is None:
            self.stay(caller)
        return wait

    def wait(self, caller: str) -> int | None:
        """The same, for what is answered at once: `passed` or `stay` is owed instead."""
        known = self._young.get(caller) or self._met(caller)
        if known[1] >= self._most_at_once:
            self.meter.limit("concurrency")
            return 1
        if self._step:
            now = self._clock()
            full = max(now, known[0])  # when its bucket will be full again
            wait = full - now - self._slack
            if wait > 1e-9:
                self.meter.limit("rate")
                return math.ceil(wait)
            known[0] = full + self._step
        return None

    def stay(self, caller: str) -> None:
        """A request that did not have to wait is not answered at once: `leave` is owed."""
        (self._young.get(caller) or self._met(caller))[1] += 1

    def passed(
        self,
        caller: str,
        method: Callable[[], str],
        route: str,
        status: int,
        seconds: float,
        sent: int,
    ) -> None:
        """A request was answered at once; otherwise as `leave`."""
        self.meter.request(route, status, seconds)
        if self.log is not None:
            self.log.add((time.time(), caller, method(), route, status, seconds, sent, self.id()))

    def leave(
        self,
        caller: str,
        method: str,
        route: str,
        status: int,
        seconds: float,
        sent: int,
        known: str = "",
    ) -> None:
        """A request that was let in is answered, or its caller gone.

        Args:
            method, route: as HTTP has it; the template of the address, never the address.
            status: of HTTP; 0 for none.
            seconds: since its head was whole.
            sent: bytes of the body of its answer.
            known: the request's id, where it was told one.
        """
        found = self._young.get(caller) or self._old.get(caller)
        if found is not None and found[1] > 0:
            found[1] -= 1
        self.meter.request(route, status, seconds)
        if self.log is not None:
            self.log.add(
                (time.time(), caller, method, route, status, seconds, sent, known or self.id())
            )

    def refused(self, caller: str, method: str, status: int, sent: int) -> None:
        """A request was not let in."""
        self.meter.request("refused", status, 0.0)
        if self.log is not None:
            self.log.add((time.time(), caller, method, "refused", status, 0.0, sent, self.id()))

    def id(self) -> str:
        """A name for a request, unlike any other."""
        self._number += 1
        return f"{self._run}-{self._number:x}"

    def close(self) -> None:
        """Write what is still to be told."""
        if self.log is not None:
            self.log.close()

    def __len__(self) -> int:
        """How many callers are known."""
        return len(self._young) + len(self._old)

    def _met(self, caller: str) -> list[float]:
        """What is known of a caller who is not in the younger table; there now."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        found = self._old.pop(caller, None)
        if found is None:
            found = [0.0, 0]
        self._young[caller] = found
        return found
