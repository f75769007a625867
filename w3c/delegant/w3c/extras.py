"""Packages that only some users need: loaded when asked for, named when missing."""

from __future__ import annotations

import importlib
from typing import Any

from delegant.credentials.errors import error

__all__ = ["load"]


def load(module: str, extra: str) -> Any:
    """Import a module that comes with an extra.

    Raises:
        Unavailable: ``extra-missing``, which says what to type.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] == "delegant":
            raise
        raise error(
            "extra-missing", f"{exc.name} is not installed: pip install 'delegant[{extra}]'"
        ) from None
