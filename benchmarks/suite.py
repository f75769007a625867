"""What benches of several rows have in common: rows with goals, parts that measure them, a page."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from .measure import Figure
from .run import LOOK, VERDICT

__all__ = ["MissingError", "Row", "measured", "shown", "table"]

E = TypeVar("E")


class MissingError(Exception):
    """A program is not installed here, or does not start; why."""


@dataclass(frozen=True)
class Row:
    """A figure of a run.

    Attributes:
        least, most: the goal.
    """

    key: str
    what: str
    unit: str
    digits: int = 2
    least: float | None = None
    most: float | None = None

    @property
    def goal(self) -> str:
        """As one reads it."""
        if self.most is not None:
            return f"<= {self.most:,g}"
        return "" if self.least is None else f">= {self.least:,g}"

    def met(self, value: float) -> bool | None:
        """Whether a value meets the goal; None where there is none."""
        if self.most is not None:
            return value <= self.most
        return None if self.least is None else value >= self.least

    def told(self, value: float | None) -> str:
        """A value, as one reads it."""
        return "not measured" if value is None else f"{value:,.{self.digits}f} {self.unit}"


def measured(
    parts: Mapping[str, Callable[[E], tuple[dict[str, Figure | None], dict[str, Any]]]],
    rows: Iterable[Row],
    effort: E,
    only: Sequence[str],
    console: Console,
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Every row, and what is worth knowing of it; a row that cannot be measured has a reason."""
    figures: dict[str, float | None] = {row.key: None for row in rows}
    details: dict[str, Any] = {"spread": {}, "absent": {}}
    for name, part in parts.items():
        if name not in only:
            continue
        began = time.monotonic()
        with console.status(f"measuring {name}"):
            try:
                found, details[name] = part(effort)
            except MissingError as exc:
                details["absent"][name] = str(exc)
                continue
        details[name]["took_seconds"] = round(time.monotonic() - began, 1)
        details[name]["load_average"] = round(os.getloadavg()[0], 2)
        for key, figure in found.items():
            if figure is not None:
                figures[key] = round(figure.value, 4)
                details["spread"][key] = [round(figure.low, 4), round(figure.high, 4)]
        gc.collect()
    return figures, details


def shown(
    title: str, rows: Iterable[Row], figures: dict[str, float | None], details: dict[str, Any]
) -> Table:
    """The rows beside their goals, for a terminal."""
    out = Table(title=title, **LOOK)
    out.add_column("")
    for name in ("measured", "middle half", "goal"):
        out.add_column(name, justify="right")
    out.add_column("")
    for row in rows:
        value = figures[row.key]
        spread = details["spread"].get(row.key)
        out.add_row(
            row.what,
            "–" if value is None else row.told(value),
            "" if spread is None else f"{spread[0]:,.{row.digits}f} – {spread[1]:,.{row.digits}f}",
            row.goal,
            "" if value is None else VERDICT[row.met(value)],
        )
    return out


def table(rows: Iterable[Row], figures: dict[str, float | None]) -> str:
    """The rows beside their goals, for a page."""
    out = ["| | measured | goal |", "|---|---:|---:|"]
    for row in rows:
        told = row.told(figures[row.key])
        out.append(f"| {row.what.strip()} (`{row.key}`) | {told} | {row.goal or '–'} |")
    return "\n".join(out)
