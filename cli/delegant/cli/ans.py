"""`ans`: the group; what asks is in `ansask`, what changes names in `naming`.

The client, and httpx with it, is imported where it is used: other commands start sooner.
"""

from __future__ import annotations

import typer

from . import (  # noqa: F401 - their commands are added when they are read
    ansask,
    ansverify,
    labels,
    naming,
)
from .ansapp import ans

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(ans, name="ans")
