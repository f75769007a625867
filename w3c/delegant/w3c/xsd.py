"""Times as XML Schema has them: ``dateTimeStamp``, with any offset and any fraction.

Our own documents write one form only (`delegant.credentials.shape.time`); other people's may use
them all (VC Data Integrity 1.0, 2.1; VCDM 2.0, 4.9).

>>> date_time_stamp("2026-11-23T10:00:00.5+01:00", "created")
1795424401
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from delegant.credentials.codec import Json
from delegant.credentials.errors import error

__all__ = ["date_time_stamp", "instant"]

MAX_LENGTH: Final = 64
_STAMP: Final = re.compile(
    r"(-?(?:[1-9][0-9]{3,8}|0[0-9]{3}))-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T(?:([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(\.[0-9]+)?|(24):00:00(?:\.0+)?)"
    r"(?:Z|([+-])(?:(0[0-9]|1[0-3]):([0-5][0-9])|(14):00))",
    re.ASCII,
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def date_time_stamp(value: Json, where: str) -> int:
    """A ``dateTimeStamp`` (XML Schema 1.1, 3.4.28) as seconds since 1970, a fraction rounded up.

    Rounded up, an instant in whole seconds stands to it as it does to the exact time: ``at`` is
    at or after half past ten exactly if it is at or after eleven.

    Raises:
        Malformed: ``shape``; also for a time without an offset, which is a ``dateTime`` only.
    """
    return math.ceil(instant(value, where, code="shape"))


def instant(value: Json, where: str, *, code: str = "data-model") -> Fraction:
    """The same, exact: for two times that are compared with each other.

    Raises:
        Malformed: ``data-model``, or the code asked for.
    """
    found = None
    if type(value) is str and len(value) <= MAX_LENGTH:
        found = _STAMP.fullmatch(value)
    if found is None:
        raise error(code, f"{where} is not a dateTimeStamp like 2026-11-23T09:00:00Z")
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _DAYS[month - 1] + (leap and month == 2):
        raise error(code, f"{where} names a day that its month does not have")
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    seconds = (_days(year, month, day) * 24 + (24 if found[8] else hour)) * 3600
    seconds += minute * 60 + second
    offset = (int(found[10] or found[12] or 0) * 60 + int(found[11] or 0)) * 60
    seconds += offset if found[9] == "-" else -offset
    return seconds + Fraction(f"0{found[7]}" if found[7] else 0)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, of any year, the year 0 included."""
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719468
