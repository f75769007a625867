"""What Alembic runs the steps with: the connection and the transaction it is given."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["table"],
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
