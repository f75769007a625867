"""Times as W3C documents write them: XML Schema 1.1 part 2, ``dateTimeStamp``."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from delegant.credentials.codec import Json
from delegant.credentials.errors import error

__all__ = ["instant"]

_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])"
    r"(\.[0-9]{1,9})?(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)",
    re.ASCII,
)


def instant(value: Json, where: str) -> float:
    """Seconds since 1970 of a time with its offset, as ``2026-11-25T09:00:00.5+01:00``.

    Years 1 to 9999, no leap second, no hour 24: what every implementation reads alike.

    Raises:
        Malformed: ``data-model``.
    """
    match = _STAMP.fullmatch(value) if type(value) is str else None
    try:
        if match is None:
            raise ValueError
        whole = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        raise error("data-model", f"{where} is not a dateTimeStamp with an offset") from None
    return whole + float(match[2] or 0)
