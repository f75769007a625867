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
    "LAYOUT",
    "LAYOUT_VERSION",
    "LEAVES",
    "META",
    "NAMES",
    "PROVIDERS",
    "SPENT",
    "TILES",
]

LAYOUT_VERSION: Final = 2
"""1, which had no table to say so, kept no log."""

META: Final = MetaData()
LAYOUT = Table("layout", META, Column("version", Integer, primary_key=True, autoincrement=False))
PROVIDERS = Table(
    "providers",
    META,
    Column("label", String, primary_key=True),
    Column("shown", String, nullable=False),
    Column("organization", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("skeleton", String, nullable=False, index=True),
    Column("leaf", BigInteger, nullable=False),
)
NAMES = Table(
    "names",
    META,
    Column("key", String, primary_key=True),
    Column("agent", String, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("last", String, nullable=False),
    Column("with_record", String, nullable=False),
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
    Column("digest", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("record", String, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("opening", LargeBinary),
    Column("evidence", LargeBinary),
    Column("leaf", BigInteger, nullable=False),
    Column("suspended", Integer),
    UniqueConstraint("key", "seq"),
)
"""``suspended`` is what the event left the name as: the same as in ``names``, to hold it to."""
SPENT = Table(
    "spent",
    META,
    Column("key", String, primary_key=True),
    Column("until", BigInteger, nullable=False),
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
    Column("note", Text, nullable=False),
    Column("cosigned", Integer, nullable=False),
    Index("checkpoints_cosigned", "cosigned", "size"),
)
"""``cosigned`` is by how many witnesses."""
