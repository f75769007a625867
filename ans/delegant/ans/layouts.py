"""Which layout the tables of a database have, and what to do about another one than ours.

The steps from one layout to the next are Alembic's, in `migrations`; the table ``revision`` says
how far a database has come. Layout 2 is older than that table and says so in ``layout``. Nothing
is guessed, and nothing migrated unasked: other processes may be using the database, and there is
no way back but a backup.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, func, insert, inspect, select

from delegant.credentials.errors import Error, error

from .tables import EVENTS, LAYOUT, LAYOUT_VERSION, META, REVISION

__all__ = ["BASELINE", "HEAD", "found", "ready", "refused"]

HEAD: Final = "0003"
"""The revision that has the tables as `tables` says."""
BASELINE: Final = "0002"


def found(db: Connection) -> str | None:
    """The revision of a database: None where there are no tables at all, ``""`` if it says none."""
    tables = set(inspect(db).get_table_names())
    if REVISION.name in tables:
        told = list(db.execute(select(REVISION.c.version_num)).scalars())
        return told[0] if len(told) == 1 else ""
    if LAYOUT.name in tables:
        version = db.execute(select(func.max(LAYOUT.c.version))).scalar()
        return f"{version:04}" if isinstance(version, int) else ""
    if EVENTS.name in tables:
        return "0001"
    return "" if tables else None


def ready(db: Connection, name: str) -> None:
    """Make the tables in an empty database; refuse those of another layout.

    Args:
        name: of the database, for people.

    Raises:
        Unavailable: ``unavailable``.
    """
    revision = found(db)
    if revision is None:
        META.create_all(db)
        db.execute(insert(LAYOUT).values(version=LAYOUT_VERSION))
        db.execute(insert(REVISION).values(version_num=HEAD))
    elif revision != HEAD:
        raise refused(name, revision)


def refused(name: str, revision: str) -> Error:
    """Why a database of another layout is not opened, and what to do."""
    if revision == "0001":
        way = (
            f"is a registry of layout 1, and this is {LAYOUT_VERSION}: layout 1 kept no log, and "
            "its events cannot be logged afterwards. Move it away, bind the provider labels "
            "again, and have the agents register again"
        )
    elif revision == BASELINE:
        way = (
            f"is a registry of layout 2, and this is {LAYOUT_VERSION}: stop all that use it, "
            "make a copy, and type: delegant registry migrate"
        )
    else:
        way = (
            f"has a layout that this program does not know (it knows {LAYOUT_VERSION}): use the "
            "program that made it, or an empty database"
        )
    return error("unavailable", f"{name} {way}")
