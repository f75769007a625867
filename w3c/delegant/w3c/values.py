"""Small readers for the open world: what the data model says of a value, and no more."""

from __future__ import annotations

import re
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

__all__ = ["ABSENT", "MAX_ITEMS", "id_of", "many", "object_", "types_of", "url"]

MAX_ITEMS: Final = 256
MAX_URL: Final = 2048
ABSENT: Final[Any] = object()
"""Stands for a member that is not there; null is a value, and never an allowed one."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f<>\"{}|\\^`]+", re.ASCII)


def object_(value: Json, what: str) -> JsonObject:
    """An object, or ``data-model``."""
    if type(value) is not dict:
        raise error("data-model", f"{what} is not an object")
    return value


def url(value: Json, where: str) -> str:
    """A single URL with its scheme, or ``data-model`` (VCDM 2.0, 4.4)."""
    if type(value) is not str or len(value) > MAX_URL or not _URL.fullmatch(value):
        raise error("data-model", f"{where} is not a URL")
    return value


def many(value: Json, where: str) -> list[Json]:
    """One or more of something, as a list; an empty list is ``data-model``, `ABSENT` is none."""
    if value is ABSENT:
        return []
    if type(value) is not list:
        return [value]
    if not 0 < len(value) <= MAX_ITEMS:
        raise error("data-model", f"{where} is a list of {len(value)} items, not 1 to {MAX_ITEMS}")
    return value


def types_of(value: Json) -> list[str]:
    """The types an object states; none where they are no strings."""
    stated = value.get("type") if type(value) is dict else None
    found = stated if type(stated) is list else [stated]
    return [one for one in found if type(one) is str]


def id_of(value: Json) -> str:
    """The id of an issuer, holder or subject, in either spelling; empty where there is none."""
    found = value.get("id") if type(value) is dict else value
    return found if type(found) is str else ""
