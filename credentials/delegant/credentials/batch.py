"""Many verifications at once, for servers that collect what arrives together.

Equal chains are read once, evidence is judged once, and the work can be spread over threads.
They gain little, since only signatures are verified outside the interpreter lock and each asks
for it again; processes gain what there are cores (``make bench`` measures both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from .cache import ChainCache
from .evidence import Evidence
from .policy import Trust
from .request import Request
from .verdict import Verdict
from .verifier import Presented, decide

__all__ = ["Item", "decide_many"]


class Item(NamedTuple):
    """One act to decide: what was presented, what is about to be done, the nonce asked for."""

    presentation: Presented
    request: Request
    nonce: str | None = None


def decide_many(
    items: Iterable[Item],
    evidence: bytes | Evidence,
    trust: Trust,
    *,
    at: datetime | int,
    cache: ChainCache | None = None,
    spread: Callable[
        [Callable[[Sequence[Item]], list[Verdict]], Sequence[Sequence[Item]]],
        Iterable[list[Verdict]],
    ] = map,
    parts: int = 1,
) -> list[Verdict]:
    """`decide` for each item, in their order.

    Args:
        items: the acts; one that is refused takes nothing from the others.
        evidence: of all of them together, read once.
        cache: the caller's own memory of chains; without it, one for this call alone.
        spread: maps a function over the parts, for example a thread pool's ``map``.
        parts: how many parts the items are dealt into, so many threads are kept busy.

    Returns:
        A verdict an item, the same that `decide` gives.

    Raises:
        Malformed, LimitExceeded: the evidence cannot be read at all.
    """
    known = ChainCache() if cache is None else cache
    if isinstance(evidence, bytes):
        evidence = Evidence.parse(evidence, size=trust.limits.evidence)
    read = evidence

    def decided(some: Sequence[Item]) -> list[Verdict]:
        return [
            decide(one.presentation, read, trust, one.request, at=at, nonce=one.nonce, cache=known)
            for one in some
        ]

    whole = list(items)
    size = -(-len(whole) // max(parts, 1)) or 1
    dealt = [whole[start : start + size] for start in range(0, len(whole), size)]
    return [verdict for some in spread(decided, dealt) for verdict in some]
