"""Times in logs: ISO 8601 in UTC, with or without a fraction of the second."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from delegant.credentials.codec import Json
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time, time

__all__ = ["Instant", "instant", "written"]

Instant: TypeAlias = tuple[int, int]
"""Seconds since 1970, and nanoseconds."""
_SPELLING: Final = re.compile(r"([0-9T:-]{19})(?:\.([0-9]{1,9}))?(?:Z|\+00:00)", re.ASCII)


def instant(value: Json, where: str) -> Instant:
    """``2026-11-23T09:00:00Z``, a fraction allowed, ``+00:00`` for ``Z`` too; else ``shape``."""
    match = _SPELLING.fullmatch(value) if type(value) is str else None
    if match is None:
        raise error("shape", f"{where} is not a time in UTC")
    return time(f"{match[1]}Z", where), int((match[2] or "").ljust(9, "0"))


def written(seconds: int) -> str:
    """A time as metadata and our own logs have it."""
    return format_time(seconds)
