"""Tell programs without revisions that the tables are no longer theirs."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Raise the number in ``layout``, by which they refuse."""
    op.execute("UPDATE layout SET version = 3")
