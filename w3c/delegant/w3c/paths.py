"""Paths into a document, as ``credentialSubject.phones[0]``: what may be withheld."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

__all__ = ["mark", "parse"]

MAX_PATH: Final = 512
_STEP: Final = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(0|[1-9][0-9]{0,5})\]")


def parse(path: str) -> tuple[str | int, ...]:
    """The names and indices of a path.

    Raises:
        Rejected: ``disclosure``.
    """
    steps: list[str | int] = []
    at = 0
    for match in _STEP.finditer(path) if len(path) <= MAX_PATH else ():
        if match.start() != at:
            break
        at = match.end()
        steps.append(match[1] if match[1] is not None else int(match[2]))
    if not steps or at != len(path) or type(steps[0]) is not str:
        raise error("disclosure", f"{path[:80]!r} is no path such as credentialSubject.phones[0]")
    return tuple(steps)


def mark(
    document: JsonObject, paths: Collection[str], wrap: Callable[[Any], Any]
) -> dict[Any, Any]:
    """A copy of the document in which the names and items at the paths are wrapped.

    Raises:
        Rejected: ``disclosure`` for a path that leads nowhere.
    """
    wanted = {parse(path): path for path in paths}
    found: set[tuple[str | int, ...]] = set()

    def copy(value: Json, here: tuple[str | int, ...]) -> Any:
        if type(value) is dict:
            out: dict[Any, Any] = {}
            for name, member in value.items():
                below = (*here, name)
                out[wrap(name) if take(below) else name] = copy(member, below)
            return out
        if type(value) is list:
            return [item(one, (*here, number)) for number, one in enumerate(value)]
        return value

    def item(value: Json, here: tuple[str | int, ...]) -> Any:
        made = copy(value, here)
        return wrap(made) if take(here) else made

    def take(here: tuple[str | int, ...]) -> bool:
        if here in wanted:
            found.add(here)
            return True
        return False

    marked: dict[Any, Any] = copy(document, ())
    for steps in wanted.keys() - found:
        raise error("disclosure", f"{wanted[steps][:80]} is not in the document")
    return marked
