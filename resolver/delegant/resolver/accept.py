"""Which form of an answer a caller wants: Accept, as RFC 9110 section 12.5.1 has it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["MAX_ACCEPT", "choose"]

MAX_ACCEPT: Final = 2048
_QUALITY: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)


def choose(accept: str, offered: Collection[str], unasked: Collection[str] = ()) -> str | None:
    """The media type a caller prefers; None where none of those offered is wanted.

    Args:
        accept: the header, several joined by commas; empty: anything.
        offered: media types, the one preferred where a caller has no preference first. A
            ``;profile="…"`` belongs to the type; other parameters of ranges are not looked at.
        unasked: those of them that no wildcard means.
    """
    if not accept.isascii() or len(accept) > MAX_ACCEPT:
        return None
    ranges = [_range(item) for item in _outside(accept, ",")] if accept.strip() else [("*/*", 1.0)]
    best, most = None, 0.0
    for media in offered:
        quality = _quality(media, ranges, media not in unasked)
        if quality > most:
            best, most = media, quality
    return best


def _outside(text: str, mark: str) -> list[str]:
    """The parts between marks that stand in no quotes, without empty ones."""
    parts, begun, quoted = [], 0, False
    for place, character in enumerate(text):
        quoted ^= character == '"'
        if character == mark and not quoted:
            parts.append(text[begun:place].strip())
            begun = place + 1
    return [part for part in (*parts, text[begun:].strip()) if part]


def _range(item: str) -> tuple[str, float]:
    """A media range with its profile, and its quality."""
    media, *parameters = _outside(item, ";") or [""]
    media, quality = media.lower(), 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        elif name.lower() == "profile":
            media += f';profile="{value.strip(chr(34))}"'
    return media, quality


def _quality(media: str, ranges: list[tuple[str, float]], wild: bool) -> float:
    """The quality of the most exact range that a type falls in."""
    wide = (f"{media.partition('/')[0]}/*", "*/*") if wild else ()
    for exact in (media, *wide):
        found = [quality for name, quality in ranges if name == exact]
        if found:
            return max(found)
    return 0.0
