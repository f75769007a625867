"""What came with events before, and was believed: evidence and chains, known again by their bytes.

An agent that registers many names sends the same evidence and the same links each time. What a
body ends with, from its evidence on, is known again before it is read: then only the event in
front of it is. Signatures in evidence and chains are checked once, and who answers for an agent
is asked once in a second; everything else is judged anew each time.
"""

from __future__ import annotations

from typing import Final
from weakref import ref

from delegant.credentials import ChainCache, Evidence, Trust
from delegant.credentials.codec import (
    MAX_DEPTH,
    MAX_MEMBERS,
    Json,
    canonical,
    measure,
    parse,
)
from delegant.credentials.errors import Error

from . import judging
from .bounded import Bounded
from .judging import Sponsorship

__all__ = ["MAX_BODY", "Came", "Memory"]

MAX_BODY: Final = 2 * 1024 * 1024
MEMORY: Final = 16 * 1024 * 1024
REMEMBERED: Final = 2048
_BEFORE: Final = b'{"event":'
_AFTER: Final = b',"evidence":'
_HALF: Final = MAX_MEMBERS // 2 - 2
"""Members of an event, and of what comes with it, where they are read apart."""


class Came:
    """What came with an event.

    Attributes:
        links: the RFC 8785 bytes of the chain.
        evidence: parsed.
        tail: what an RFC 8785 body ends with, after the event.
    """

    __slots__ = ("_judged", "evidence", "links", "tail")

    def __init__(self, links: bytes, evidence: Evidence, tail: bytes) -> None:
        self.links = links
        self.evidence = evidence
        self.tail = tail
        self._judged: tuple[str, int, ref[Trust], Sponsorship] | None = None

    def sponsorship(self, agent: str, trust: Trust, at: int) -> Sponsorship:
        """Who answers for an agent now, as `judging.sponsorship`: it follows from these alone."""
        kept = self._judged
        if kept is not None and kept[0] == agent and kept[1] == at and kept[2]() is trust:
            return kept[3]
        found = judging.sponsorship(agent, self.evidence, trust, at)
        self._judged = agent, at, ref(trust), found
        return found


class Memory:
    """What was accepted before. Only that is kept, the oldest goes first.

    Args:
        size: most bytes of bodies kept, and of chains.
        most: most of each.
    """

    def __init__(self, size: int = MEMORY, most: int = REMEMBERED) -> None:
        self.chains = ChainCache(most, size)
        self._kept: Bounded[bytes, Came] = Bounded(size, most)

    def read(self, data: bytes) -> tuple[Json, Came] | None:
        """The event of a body and what came with it, where that is known; else None.

        Where what stands between its beginning and a known end is one whole value, the body is
        the object of just these members, whatever else the value may hold.
        """
        at = data.find(_AFTER) if data.startswith(_BEFORE) else -1
        came = self._kept.get(data[at:]) if at > 0 else None
        if came is None:
            return None
        try:
            event = parse(
                data[len(_BEFORE) : at], size=MAX_BODY - len(came.tail), depth=MAX_DEPTH - 1,
                members=_HALF,
            )  # fmt: skip
        except Error:
            return None  # whoever reads the whole says what is wrong with it
        return event, came

    def came(self, links: Json, evidence: Json) -> Came:
        """What came with an event, parsed: what was kept of it, where it was.

        Raises:
            Malformed: the codes of phases 2 and 3.
        """
        chain = canonical(links)
        tail = b"".join((_AFTER, canonical(evidence), b',"links":', chain, b"}"))
        kept = self._kept.get(tail)
        return Came(chain, Evidence.from_json(evidence), tail) if kept is None else kept

    def keep(self, came: Came) -> None:
        """Keep what came with an event that was accepted."""
        tail = came.tail
        known = self._kept.get(tail) is not None
        if not known and len(tail) <= self._kept.size // 16 and _small(came):
            self._kept.put(tail, came, len(tail))


def _small(came: Came) -> bool:
    """Whether no body with it has too many members, where its event has no more than half."""
    try:
        links = parse(came.links, size=len(came.links))
        measure([links, came.evidence.json], MAX_DEPTH + 1, _HALF)
    except Error:
        return False
    return True
