"""The tables of a registry, and the version of their layout."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "CHECKPOINTS",
    "EVENTS",
    "HEALTH",
    "LAYOUT",
    "LAYOUT_VERSION",
    "LEAVES",
    "LISTINGS",
    "META",
    "NAMES",
    "PROVIDERS",
    "REVISION",
    "SPENT",
    "TERMS",
    "TILES",
]

LAYOUT_VERSION: Final = 3
"""1, which had no table to say so, kept no log; 2 had no revisions, and was SQLite's alone."""

TEXT: Final = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared by its code points, as SQLite does, and not as people sort it."""

META: Final = MetaData()
LAYOUT = Table("layout", META, Column("version", Integer, primary_key=True, autoincrement=False))
"""For programs that know of no revisions: they refuse what is newer than they are."""
REVISION = Table("revision", META, Column("version_num", String(32), primary_key=True))
"""Alembic's: the last step of `migrations` that was taken."""
PROVIDERS = Table(
    "providers",
    META,
    Column("label", TEXT, primary_key=True),
    Column("shown", TEXT, nullable=False),
    Column("organization", TEXT, nullable=False),
    Column("basis", TEXT, nullable=False),
    Column("skeleton", TEXT, nullable=False, index=True),
    Column("leaf", BigInteger, nullable=False),
)
NAMES = Table(
    "names",
    META,
    Column("key", TEXT, primary_key=True),
    Column("agent", TEXT, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("last", TEXT, nullable=False),
    Column("with_record", TEXT, nullable=False),
    Column("suspended", Integer),
    Column("revoked", Boolean, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("vouched", BigInteger, nullable=False),
)
"""``last`` and ``with_record`` are digests of events: the newest, and the one with the record.

``vouched`` is how long the sponsor credential last judged is valid, seconds since 1970.
"""
EVENTS = Table(
    "events",
    META,
    Column("digest", TEXT, primary_key=True),
    Column("key", TEXT, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("record", TEXT, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("opening", LargeBinary),
    Column("leaf", BigInteger, nullable=False),
    Column("suspended", Integer),
    UniqueConstraint("key", "seq"),
)
"""``suspended`` is what the event left the name as: the same as in ``names``, to hold it to."""
SPENT = Table(
    "spent",
    META,
    Column("key", TEXT, primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
)
LEAVES = Table(
    "leaves",
    META,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
TILES = Table(
    "tiles",
    META,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
CHECKPOINTS = Table(
    "checkpoints",
    META,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("cosigned", Integer, nullable=False),
    Index("checkpoints_cosigned", "cosigned", "size"),
)
"""``cosigned`` is by how many witnesses."""

LISTINGS = Table(
    "listings",
    META,
    Column("key", TEXT, primary_key=True),
    Column("live", Boolean, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("capabilities", LargeBinary, nullable=False),
    Column("attestations", LargeBinary, nullable=False),
    Index("listings_expiring", "live", "expires"),
)
"""What is searched of a name: JSON arrays of its capabilities, and of the attestations that came
with its record. ``live``: neither suspended, nor revoked, nor swept away as expired.
"""
TERMS = Table(
    "terms",
    META,
    Column("term", TEXT, primary_key=True),
    Column("live", Boolean, primary_key=True),
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("minor", Integer, primary_key=True, autoincrement=False),
    Column("patch", Integer, primary_key=True, autoincrement=False),
    Column("deprecated", Boolean, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Index("terms_key", "key"),
    sqlite_with_rowid=False,
)
"""What names are found by, in the order of answers: the version's numbers are negated."""
HEALTH = Table(
    "health",
    META,
    Column("key", TEXT, primary_key=True),
    Column("agent", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("issued", BigInteger, nullable=False),
)
"""The newest heartbeat of a name: when it came, and when its agent signed it."""
