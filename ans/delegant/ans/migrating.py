"""Bringing the tables of an older registry to this program's layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from delegant.credentials.errors import error

from . import layouts
from .engine import open_engine
from .tables import REVISION

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["migrate", "script"]


def migrate(where: Path | str) -> tuple[str, str]:
    """Take all steps up to this program's layout, in one transaction; none where it has it.

    Nothing else may use the database meanwhile; over PostgreSQL no sequencer can.

    Args:
        where: as for `Store`.

    Returns:
        The revisions before and after.

    Raises:
        NotFound: ``not-found`` where there is no registry.
        Unavailable: ``unavailable`` for a layout that is unknown, or newer; nothing was changed.
    """
    engine = open_engine(where, patient=True, making=False)
    try:
        with engine.transaction(sequencing=True) as db:
            before = layouts.found(db)
            if before is None:
                raise error("not-found", f"{engine.name} holds no registry")
            if before not in (layouts.BASELINE, layouts.HEAD):
                raise layouts.refused(engine.name, before)
            if before != layouts.HEAD:
                _upgrade(db, before)
            return before, layouts.HEAD
    finally:
        engine.close()


def script() -> str:
    """The folder of the steps."""
    return str(Path(__file__).parent / "migrations")


def _upgrade(db: Connection, before: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", script().replace("%", "%%"))
    config.attributes |= {"connection": db, "table": REVISION.name}
    if before == layouts.BASELINE:
        command.stamp(config, before)
    command.upgrade(config, layouts.HEAD)
