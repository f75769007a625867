"""Limits, and the work one verification may do, spent by checked subtraction."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from .codec import Json
from .errors import error
from .shape import closed, integer

__all__ = ["HARD", "Budget", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a verifier accepts (DESIGN, section 6). Defaults; `HARD` is as far as they go."""

    links: int = 10
    comparisons: int = 65_536
    presentation: int = 256 * 1024
    evidence: int = 1024 * 1024
    chain_signatures: int = 48
    evidence_signatures: int = 48
    status_list: int = 1024 * 1024

    @classmethod
    def from_json(cls, value: Json) -> Limits:
        """From ``verifier.limits`` of a trust folder: lowerCamelCase, each optional.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        names = {_camel(f.name): f.name for f in fields(cls)}
        closed(value, "limits", frozenset(), frozenset(names))
        return cls(
            **{
                names[name]: integer(number, f"limits.{name}", 1, getattr(HARD, names[name]))
                for name, number in value.items()
            }
        )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


HARD: Final = Limits(
    links=32,
    comparisons=65_536,
    presentation=1024 * 1024,
    evidence=8 * 1024 * 1024,
    chain_signatures=64,
    evidence_signatures=128,
    status_list=16 * 1024 * 1024,
)


class Budget:
    """What is left of one verification's work. An empty budget is fatal, never a yes."""

    __slots__ = ("_chain", "_comparisons", "_evidence")

    def __init__(self, limits: Limits) -> None:
        self._chain = limits.chain_signatures
        self._evidence = limits.evidence_signatures
        self._comparisons = limits.comparisons

    def compare(self, number: int) -> None:
        """Spend comparisons, or ``limit-comparisons``."""
        if number > self._comparisons:
            raise error("limit-comparisons", "more comparisons than the budget allows")
        self._comparisons -= number

    def chain_signatures(self, number: int) -> None:
        """Spend signature checks of links or invocation, or ``limit-signatures``."""
        if number > self._chain:
            raise error("limit-signatures", "more chain signatures than the budget allows")
        self._chain -= number

    def evidence_signatures(self, number: int) -> None:
        """Spend signature checks of evidence, or ``limit-signatures``."""
        if number > self._evidence:
            raise error("limit-signatures", "more evidence signatures than the budget allows")
        self._evidence -= number
