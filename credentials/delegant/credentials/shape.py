"""Small readers for members of closed JSON objects: each returns the value or refuses it.

Every format of ours is closed (DESIGN, rule 1): a member nobody knows is a limit nobody
enforces. ``where`` is the path shown to a person, for example ``delegation.grants[0]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from .codec import MAX_INT, Json, JsonObject, is_digest
from .errors import error

__all__ = [
    "MAX_SET",
    "array",
    "array_of",
    "boolean",
    "closed",
    "decimal",
    "digest_text",
    "format_time",
    "integer",
    "is_decimal",
    "one_of",
    "seconds",
    "string_set",
    "text",
    "time",
    "url",
    "uuid_urn",
    "visible",
]

T = TypeVar("T")

MAX_SET: Final = 64
MAX_TEXT: Final = 256
MAX_URL: Final = 2048
KEPT: Final = 512
"""Times that are remembered by their spelling."""

_NOTHING: Final[frozenset[str]] = frozenset()


def closed(
    value: Json,
    where: str,
    required: frozenset[str],
    optional: frozenset[str] = _NOTHING,
) -> JsonObject:
    """An object with all required members, perhaps optional ones, and no other."""
    if type(value) is not dict:
        raise error("shape", f"{where} is not an object")
    names = value.keys()
    if names == required:
        return value
    if not required <= names:
        missing = min(required - names)
        raise error("shape", f"{where} lacks {missing!r}", dimension=missing)
    unknown = names - required - optional
    if unknown:
        name = min(unknown)[:64]
        raise error("unknown-member", f"{where} has unknown member {name!r}")
    return value


def text(value: Json, where: str, most: int = MAX_TEXT) -> str:
    """A string of 1 to ``most`` printable characters."""
    if type(value) is not str or not 0 < len(value) <= most or not visible(value):
        raise error("shape", f"{where} is not a string of 1 to {most} printable characters")
    return value


def visible(value: str) -> bool:
    """Whether every character may be shown: no control, no format, no private, no odd space.

    `str.isprintable` asks the interpreter's own table of Unicode, which grows from version to
    version; a verdict must not. So the ranges stand here, and what no version has assigned yet
    is let pass.
    """
    return value.isprintable() if value.isascii() else _HIDDEN.search(value) is None


_BEYOND: Final = "".join(chr(n) for n in range(0x1FFFE, 0xF0000) if n & 0xFFFE == 0xFFFE)
_HIDDEN: Final = re.compile(
    "[\0-\x1f\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb"
    "\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    f"\U0001d173-\U0001d17a{_BEYOND}\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def integer(value: Json, where: str, least: int = 0, most: int = MAX_INT) -> int:
    """An integer; a bool is none."""
    if type(value) is not int or not least <= value <= most:
        raise error("shape", f"{where} is not an integer from {least} to {most}")
    return value


def boolean(value: Json, where: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise error("shape", f"{where} is neither true nor false")
    return value


def one_of(value: Json, where: str, choices: tuple[str, ...]) -> str:
    """One of the strings listed."""
    if type(value) is not str or value not in choices:
        raise error("shape", f"{where} is none of {', '.join(choices)}")
    return value


def array(value: Json, where: str, most: int = MAX_SET) -> list[Json]:
    """A list of 1 to ``most`` items; an empty one is ``empty-array``."""
    if type(value) is not list:
        raise error("shape", f"{where} is not a list")
    if not value:
        raise error("empty-array", f"{where} is empty")
    if len(value) > most:
        raise error("limit-items", f"{where} has {len(value)} items, {most} are allowed")
    return value


def array_of(
    value: Json, where: str, read: Callable[[Any, str], T], most: int = MAX_SET
) -> tuple[T, ...]:
    """A list whose items are read one by one."""
    return tuple([read(item, where) for item in array(value, where, most)])


def string_set(
    value: Json, where: str, read: Callable[[Any, str], str] = text, most: int = MAX_SET
) -> frozenset[str]:
    """A list of strings of which none stands twice."""
    out = frozenset([read(item, where) for item in array(value, where, most)])
    if len(out) != len(value):
        raise error("shape", f"{where} names an item twice")
    return out


_DECIMAL: Final = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)


def is_decimal(text: str) -> bool:
    """Whether a text is a whole number in its one spelling."""
    return _DECIMAL.fullmatch(text) is not None


def decimal(value: Json, where: str, *, negative: bool = False) -> int:
    """A whole number as a string (minor units), one spelling: no sign but ``-``, no zeros ahead."""
    if type(value) is not str or not is_decimal(value) or (value[0] == "-" and not negative):
        raise error("shape", f"{where} is not a whole number written as a string")
    return int(value)


_TIME: Final = re.compile(  # 24:00:00, which newer Pythons read as the next day, is no hour
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z", re.ASCII
)


def time(value: Json, where: str) -> int:
    """``YYYY-MM-DDTHH:MM:SSZ`` as seconds since 1970 (DESIGN, rule 14)."""
    try:
        return _seconds(value if type(value) is str else "")
    except ValueError:
        raise error("shape", f"{where} is not a time like 2026-11-23T09:00:00Z") from None


@lru_cache(KEPT)
def _seconds(text: str) -> int:
    """`time`: the few instants of one moment are written again and again."""
    if not _TIME.fullmatch(text):
        raise ValueError
    return int(datetime.fromisoformat(text).timestamp())


def format_time(seconds: int) -> str:
    """Inverse of `time`; ``shape`` outside the years 1 to 9999."""
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise error("shape", "a time outside the years 1 to 9999")
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


FIRST_SECOND: Final = -62_135_596_800
LAST_SECOND: Final = 253_402_300_799
"""The bounds of the years 1 to 9999, seconds since 1970."""

_UUID: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII
)


def seconds(text: str) -> int:
    """``90``, ``60s``, ``15m``, ``2h``, ``30d`` in seconds; or ``shape``."""
    match = _SPAN.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise error("shape", f"{text[:32]!r} is not a length of time like 60s, 15m, 2h or 30d")
    return int(match[1]) * _UNIT[match[2]]


_SPAN: Final = re.compile(r"([0-9]{1,9})([smhd]?)", re.ASCII)
_UNIT: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def uuid_urn(value: Json, where: str) -> str:
    """A lower-case ``urn:uuid:…``."""
    if type(value) is not str or not _UUID.fullmatch(value):
        raise error("shape", f"{where} is not a lower-case urn:uuid")
    return value


_URL: Final = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._~/-]*", re.ASCII)


def url(value: Json, where: str) -> str:
    """A plain http or https URL, used as a name (a status list's, say); nothing is fetched."""
    if type(value) is not str or len(value) > MAX_URL or not _URL.fullmatch(value):
        raise error("shape", f"{where} is not a plain http(s) URL")
    return value


def digest_text(value: Json, where: str) -> str:
    """A digest as `codec.digest` writes it."""
    if not is_digest(value):
        raise error("shape", f"{where} is not a sha2-256 multihash in multibase u")
    return str(value)
