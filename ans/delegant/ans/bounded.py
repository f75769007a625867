"""A memory of so many things and so many bytes, the oldest of which goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Bounded"]

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """What is kept, by its key; for many threads.

    Args:
        size: most bytes kept. most: most things.
    """

    def __init__(self, size: int, most: int) -> None:
        self.size = size
        self._most = most
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What is kept under a key."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep it, of so many bytes, in place of what was kept under its key."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._held += weight - (0 if before is None else before[1])
            self._kept[key] = value, weight
            while self._held > self.size or len(self._kept) > self._most:
                self._held -= self._kept.popitem(last=False)[1][1]
