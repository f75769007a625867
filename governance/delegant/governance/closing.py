"""Grants that are closed before their time is over, and who is told.

In this process at once: whoever holds the same `Closed` (an `EnforcementPoint`) refuses the link
and everything below it. Elsewhere as soon as the organisation's list is seen: `publish` signs it.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from typing import Final

from delegant.credentials import Link
from delegant.credentials.errors import error
from delegant.wallet import Home, Wallet, revocations, statuslists

__all__ = ["Closed", "publish"]

MOST: Final = 1 << 18


class Closed:
    """Links that were closed here, each until it would have expired.

    Args:
        most: how many are kept; they are small.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: set[str] = set()
        self._ends: list[tuple[int, str]] = []
        self._lock = threading.Lock()

    def add(self, link: Link, now: int) -> None:
        """Close a link, and so everything below it.

        Raises:
            Unavailable: ``unavailable`` where no more are remembered: revoke it elsewhere.
        """
        with self._lock:
            while self._ends and self._ends[0][0] <= now - SKEW:
                self._ids.discard(heapq.heappop(self._ends)[1])
            if link.id in self._ids:
                return
            if len(self._ids) >= self._most:
                raise error("unavailable", f"{self._most} closed links are remembered, no more")
            self._ids.add(link.id)
            heapq.heappush(self._ends, (link.valid_until, link.id))

    def __call__(self, links: Sequence[Link]) -> bool:
        """Whether one of them was closed."""
        return any(link.id in self._ids for link in links)

    def __len__(self) -> int:
        return len(self._ids)


SKEW: Final = 120
"""Seconds that another clock of this process may be behind."""


def publish(home: Home, organization: Wallet, link: Link, now: int, why: str) -> None:
    """Revoke a link for whoever asks the organisation: in its list, or else in its feed.

    A link with status bits takes no room in the feed.

    Raises:
        NotFound: ``not-found`` for bits of a list that is not ours. LimitExceeded.
    """
    if link.status is None:
        revocations.revoke(home, organization, "link", link.id, now=now, reason=why)
    else:
        statuslists.change(home, organization, link.status, "revoke", now)
