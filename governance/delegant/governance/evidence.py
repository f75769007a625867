"""Evidence that came before: its items are parsed, and their signatures checked, once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from delegant.credentials import Evidence

__all__ = ["EvidenceMemory"]

MOST: Final = 1024
SIZE: Final = 32 * 1024 * 1024


class EvidenceMemory:
    """What presenters stapled, by its bytes, with what this verifier gathered itself.

    Nothing is believed for being kept: what evidence says is judged anew each time. Only what
    was accepted is kept, so nobody without authority can fill it; the oldest goes first.

    Args:
        size: most bytes kept. most: most pieces.
    """

    def __init__(self, size: int = SIZE, most: int = MOST) -> None:
        self._size, self._most = size, most
        self._kept: OrderedDict[bytes, tuple[Evidence | None, Evidence]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def read(self, data: bytes, gathered: Evidence | None) -> Evidence:
        """The evidence of these bytes together with what was gathered.

        Args:
            gathered: the same object for as long as it says the same.

        Raises:
            Malformed: the codes of phases 2 and 3. LimitExceeded: ``limit-*``.
        """
        kept = self._kept.get(data)
        if kept is not None and kept[0] is gathered:
            return kept[1]
        found = Evidence.parse(data)
        return found if gathered is None else found.merged(gathered)

    def keep(self, data: bytes, gathered: Evidence | None, evidence: Evidence) -> None:
        """Keep what was accepted."""
        kept = self._kept.get(data)
        if (kept is not None and kept[1] is evidence) or len(data) > self._size // 16:
            return
        with self._lock:
            if self._kept.pop(data, None) is None:
                self._held += len(data)
            self._kept[data] = gathered, evidence
            while self._held > self._size or len(self._kept) > self._most:
                self._held -= len(self._kept.popitem(last=False)[0])
