"""Random bytes, drawn from the system many at a time: asking for a few gives others the turn."""

from __future__ import annotations

import os
import threading
from typing import Final

__all__ = ["noise"]

DRAWN: Final = 4096


class _Pool:
    """Bytes that were drawn, each handed out once. A child of a fork draws its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            if self._at + count > len(self._bytes):
                self._bytes, self._at = os.urandom(max(DRAWN, count)), 0
            self._at += count
            return self._bytes[self._at - count : self._at]


_pool = _Pool()


def _forked() -> None:
    global _pool  # noqa: PLW0603 - the parent's bytes, and its lock, are not the child's
    _pool = _Pool()


os.register_at_fork(after_in_child=_forked)


def noise(count: int) -> bytes:
    """So many random bytes, of the system's own generator."""
    return _pool.take(count)
