"""Evidence that came before: its items are parsed, and their signatures checked, once."""

from __future__ import annotations

from typing import Final

from delegant.ans.bounded import Bounded
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
        self._kept: Bounded[bytes, tuple[Evidence | None, Evidence]] = Bounded(size, most)

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
        known = kept is not None and kept[1] is evidence
        if not known and len(data) <= self._kept.size // 16:
            self._kept.put(data, (gathered, evidence), len(data))
