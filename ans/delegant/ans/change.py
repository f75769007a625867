"""What a log is written by: changes, each judged alone, and the batch they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from delegant.credentials.codec import JsonObject

__all__ = ["Added", "Batch", "Change"]

B_contra = TypeVar("B_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a change.

    Attributes:
        number: of its leaf.
        opening: what its sender alone is told.
        known: it was written before, by this batch or another.
    """

    number: int
    opening: JsonObject | None = None
    known: bool = False


class Batch(Protocol):
    """One transaction that may add to the log.

    Attributes:
        hashes: of the leaves that it adds.
        time: of the last leaf, seconds since 1970.
    """

    hashes: list[bytes]
    time: int

    def at(self, at: int, /) -> None:
        """The time of what is added next; ``unavailable`` for a clock that went back."""

    def flush(self) -> None:
        """Write what was added."""


class Change(Protocol[B_contra, R_co]):
    """One change that a batch is asked for."""

    def add(self, batch: B_contra, /) -> Added:
        """Check, then add; whatever this raises refuses this change alone."""
        ...

    def receipt(self, number: int, /) -> R_co:
        """What its sender is told of a change that was there already."""
        ...
