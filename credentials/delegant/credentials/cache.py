"""Chains that held, kept by whoever verifies many, so that the same bytes are read once.

What is kept are successes of phases 2 to 6 only: they follow from the bytes of the chain, the
limits and the keys of its root, and from nothing else. Anchors, people, time, status, invocation
and request are judged every time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .budget import Limits
from .credential import Link
from .envelope import Secured
from .keys import PublicKey

__all__ = ["ChainCache", "Kept"]

DEFAULT_CHAINS: Final = 4096
DEFAULT_BYTES: Final = 64 * 1024 * 1024


class Kept(NamedTuple):
    """A chain whose phases 2 to 6 held, with what they depended on."""

    links: tuple[Link, ...]
    secured: tuple[Secured, ...]
    holder: PublicKey
    root_keys: tuple[PublicKey, ...]
    limits: Limits


class ChainCache:
    """The memory of one verifier: bytes of a chain to what was found in them.

    The caller owns it and passes it to `verify`; one may serve many threads and many trust
    folders. A chain is kept only after a whole verification accepted it, so nobody without
    authority can fill it; the oldest go first, some together. It is compared whole, byte by
    byte: no digest stands for it.

    Args:
        chains: most chains kept.
        size: most bytes of chains kept, together.
    """

    __slots__ = ("_held", "_kept", "chains", "size")

    def __init__(self, chains: int = DEFAULT_CHAINS, size: int = DEFAULT_BYTES) -> None:
        self.chains = chains
        self.size = size
        self._kept: dict[bytes, Kept] = {}
        self._held = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, chain: bytes) -> Kept | None:
        """What was kept for these very bytes; whether it applies is the verifier's to see."""
        return self._kept.get(chain)

    def put(self, chain: bytes, kept: Kept) -> None:
        """Keep it, letting the oldest go where there is no room.

        Threads need no lock here: single steps on a dictionary are whole, and what two of them
        lose to each other is a chain that is read again, or the count until it is taken anew.
        """
        if len(chain) > self.size or self.chains < 1:
            return
        if chain not in self._kept:
            self._held += len(chain)
        self._kept[chain] = kept
        if len(self._kept) > self.chains or self._held > self.size:
            self._make_room()

    def _make_room(self) -> None:
        """Keep the newest, with an eighth to spare, so that this is seldom done."""
        left: list[tuple[bytes, Kept]] = []
        held = 0
        for chain, kept in reversed(list(self._kept.items())):
            held += len(chain)
            if len(left) >= self.chains - self.chains // 8 or held > self.size - self.size // 8:
                held -= len(chain)
                break
            left.append((chain, kept))
        self._kept, self._held = dict(reversed(left)), held

    def clear(self) -> None:
        """Forget everything."""
        self._kept, self._held = {}, 0
