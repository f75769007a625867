"""The tables as programs without revisions made them: nothing to do."""

from __future__ import annotations

revision = "0002"
down_revision = None


def upgrade() -> None:
    """Nothing: these tables are there."""
