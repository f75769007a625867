"""The tables of an audit log and its ledger."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)

from delegant.ans.logstore import LogTables
from delegant.ans.tables import CHECKPOINTS, TEXT, TILES

__all__ = [
    "ACTS",
    "BUDGETS",
    "ENTRIES",
    "EXHIBITS",
    "HOLDS",
    "LAYOUT",
    "LAYOUT_VERSION",
    "LEDGER",
    "LOG",
    "META",
    "OPEN",
    "OPENINGS",
    "PRUNED",
    "SPENT",
]

LAYOUT_VERSION: Final = 1
META: Final = MetaData()
LAYOUT = Table(
    "audit_layout",
    META,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("log", String(), nullable=False),
)
"""Which log it is, too: two logs in one database would be neither."""
ENTRIES = Table(
    "audit_entries",
    META,
    Column(
        "number",
        BigInteger().with_variant(Integer(), "sqlite"),  # there it is the row's own number then
        primary_key=True,
        autoincrement=False,
    ),
    Column("time", BigInteger, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("event", TEXT, nullable=False),
    Column("sponsor", TEXT),
    Column("agent", TEXT),
    Column("action", TEXT),
    Column("initiation", TEXT),
    Column("decision", TEXT),
    Column("body", LargeBinary, nullable=False),
    Index("audit_entries_event", "event"),
    Index("audit_entries_sponsor", "sponsor", "number"),
    Index("audit_entries_agent", "agent", "number"),
    Index(
        "audit_entries_notices",
        "number",
        sqlite_where=text("type = 'notice'"),
        postgresql_where=text("type = 'notice'"),
    ),
)
"""The leaves, with what they are searched by.

Times never go backwards along the numbers. Over PostgreSQL it is partitioned by them, a month
each (`layout`).
"""
PRUNED = Table(
    "audit_pruned",
    META,
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("end", BigInteger, nullable=False),
)
"""From which number to before which the bodies are gone, each range as a notice in the log says."""
OPEN = Table(
    "audit_open",
    META,
    Column("event", TEXT, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("audit_open_time", "time", "number"),
)
"""Intents that have no outcome yet."""
OPENINGS = Table(
    "audit_openings",
    META,
    Column("event", TEXT, primary_key=True),
    Column("time", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
"""What opens the digests of a record: never in the log, and the first to go."""
EXHIBITS = Table(
    "audit_exhibits",
    META,
    Column("digest", TEXT, primary_key=True),
    Column("used", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
"""Links, evidence and lists of evidence, each once; ``used`` is the last day of a record's use."""
HOLDS = Table(
    "audit_holds",
    META,
    Column("event", TEXT, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Holds that stand: the notice that placed each, and what it holds."""
SPENT = Table(
    "audit_spent",
    META,
    Column("key", TEXT, primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
)
BUDGETS = Table(
    "audit_budgets",
    META,
    Column("key", TEXT, primary_key=True),
    Column("unit", TEXT, primary_key=True),
    Column("spent", TEXT, nullable=False),
    Column("until", BigInteger),
    Index("audit_budgets_spent", "key", "unit", "spent"),
    Index("audit_budgets_until", "until"),
)
"""``spent`` is a decimal: amounts have up to 39 digits. ``until`` its link is valid, from when on
nobody asks for it; null for what a human's own entitlements allow."""
ACTS = Table(
    "audit_acts",
    META,
    Column("key", TEXT, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("audit_acts_count", "key", "at", "count"),
    Index("audit_acts_until", "until"),
)
"""When something with a rate was done, milliseconds since 1970, and how often; and until when,
in seconds, it counts."""

LEDGER: Final = (SPENT, BUDGETS, ACTS, OPEN)
"""What no tree proves. Each column is in an index too, so that damage is seen: `layout.sound`."""
LOG: Final = LogTables(
    ENTRIES,
    TILES.to_metadata(META, name="audit_tiles"),
    CHECKPOINTS.to_metadata(META, name="audit_checkpoints"),
)
