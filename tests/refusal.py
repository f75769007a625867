"""What a call is refused with."""

from __future__ import annotations

from typing import Any

from delegant.credentials import Error


def refusal(call: Any) -> str:
    """The code the call is refused with; empty where it is not."""
    try:
        call()
    except Error as exc:
        return exc.code
    return ""
