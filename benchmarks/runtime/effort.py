"""How much is written and asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["FULL", "QUICK", "Effort"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Effort:
    """What a run does.

    Attributes:
        size: records of the large log; ``sizes`` are those at which appending is looked at.
        chunk: records that are prepared at once, and so in memory.
        chains: different chains that acts are by.
        threads: callers at once; ``appends`` and ``permits`` of them all.
        traces: events that are traced, each once.
        rounds: turns of ours and bare SQLite.
        homes: where the large log is kept.
    """

    size: int
    sizes: tuple[int, ...]
    chunk: int
    chains: int
    threads: int
    appends: int
    permits: int
    traces: int
    rounds: int
    homes: Path = ROOT / "build" / "bench" / "runtime"

    def kept_in(self, homes: Path) -> Effort:
        """The same with the log kept elsewhere."""
        return replace(self, homes=homes)

    def at_most(self, size: int) -> Effort:
        """The same over a log of no more records than these."""
        sizes = tuple(one for one in self.sizes if one < size)
        return replace(self, size=min(size, self.size), sizes=(*sizes, size))


FULL = Effort(
    size=1_000_000, sizes=(1_000, 10_000, 100_000, 1_000_000), chunk=8_192, chains=64,
    threads=64, appends=16_384, permits=6_144, traces=1_000, rounds=7,
)  # fmt: skip
QUICK = Effort(
    size=600, sizes=(100, 600), chunk=256, chains=2, threads=4, appends=64, permits=16,
    traces=8, rounds=1,
)  # fmt: skip
