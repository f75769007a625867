"""How much is asked, written and waited for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .homes import HOMES

__all__ = ["FULL", "QUICK", "Effort"]


@dataclass(frozen=True)
class Effort:
    """What a run does.

    Attributes:
        names: in the home that is asked by name; ``draws`` of them are asked for hot.
        cold: names that are asked for once, in a round.
        sizes: of the homes that are searched; ``standard`` is the one of the figures.
        questions: searches that were never asked before.
        rounds: turns of ours and theirs, each of ``seconds``.
        clients: numbers of clients that register at once; ``registrations`` each time.
        rows: names written by store and log alone.
        verified: answers that are verified offline.
    """

    names: int
    draws: int
    cold: int
    sizes: tuple[int, ...]
    standard: int
    questions: int
    rounds: int
    seconds: float
    clients: tuple[int, ...]
    registrations: int
    rows: int
    verified: int
    homes: Path = HOMES

    def at_most(self, names: int) -> Effort:
        """The same over homes of no more names than these."""
        sizes = tuple(one for one in self.sizes if one <= names) or (names,)
        return replace(
            self, names=min(self.names, names), draws=min(self.draws, names),
            cold=min(self.cold, names // 16), sizes=sizes, standard=min(self.standard, sizes[-1]),
        )  # fmt: skip

    def kept_in(self, homes: Path) -> Effort:
        """The same with homes kept elsewhere."""
        return replace(self, homes=homes)


FULL = Effort(
    names=100_000, draws=20_000, cold=8_000,
    sizes=(1_000, 10_000, 100_000, 1_000_000), standard=100_000, questions=900,
    rounds=5, seconds=3, clients=(1, 64, 256), registrations=8_000, rows=50_000, verified=64,
)  # fmt: skip
QUICK = Effort(
    names=200, draws=60, cold=40, sizes=(200,), standard=200, questions=20,
    rounds=1, seconds=1, clients=(1, 4), registrations=24, rows=64, verified=2,
)  # fmt: skip
