"""A log and its ledger, held to one another: what must be so whatever happened before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from delegant.ans.replay import Tree
from delegant.credentials.codec import digest, parse_object
from delegant.governance.auditlog import AuditLog, AuditReader
from delegant.governance.exhibit import manifest_digests
from delegant.governance.record import Record, input_hash, parse_record
from delegant.governance.tables import BUDGETS, OPEN

__all__ = ["Limits", "account", "spent"]

Limits = Mapping[str, int]
"""What the budget of a key has in all."""


def account(log: AuditLog | AuditReader, limits: Limits, *, beside: bool = True) -> list[str]:
    """What is wrong with a log and its ledger; empty where nothing is.

    Every leaf is read and hashed, every sum is made anew from the records.

    Args:
        beside: whether what is kept beside the log must be there, too.
    """
    store, wrong = log.store, list[str]()
    head = log.book.head()
    with store.transaction(reading=True) as db:
        leaves = store.leaves(db, 0, store.leaf_count(db))
        opened = {(row.event, row.number, row.time) for row in db.execute(select(OPEN))}
        budgets = {row.key: int(row.spent) for row in db.execute(select(BUDGETS))}
        records = [parse_record(leaf) for leaf in leaves]
        for record in records:
            if record.type == "intent" and beside:
                wrong += _kept(log, db, record)
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    if (tree.size, tree.root) != (head.size, head.root):
        wrong.append(f"a tree of {tree.size}, and one of {head.size} was signed")
    previous, time = None, 0
    for number, (leaf, record) in enumerate(zip(leaves, records, strict=True)):
        if record.previous != previous:
            wrong.append(f"entry {number} does not follow the one before")
        if record.time < time:
            wrong.append(f"the time of entry {number} goes back")
        previous, time = digest(leaf), record.time
    wrong += _ordered(records)
    sums = spent(records, limits, wrong)
    if {key: value for key, value in sums.items() if value} != {
        key: value for key, value in budgets.items() if value
    }:
        wrong.append(f"budgets are {budgets}, the records say {dict(sums)}")
    waiting = {record.event: number for number, record in enumerate(records)
               if record.type == "intent"}  # fmt: skip
    for record in records:
        if record.type == "outcome":
            waiting.pop(record.event, None)
    if opened != {(event, number, records[number].time) for event, number in waiting.items()}:
        wrong.append("the intents that wait are others than the records say")
    return wrong


def spent(records: list[Record], limits: Limits, wrong: list[str]) -> dict[str, int]:
    """What each budget has spent; where it ever was more than it has, that is wrong."""
    sums: dict[str, int] = defaultdict(int)
    reserved: dict[str, dict[str, int]] = {}
    for number, record in enumerate(records):
        if record.type == "intent":
            reserved[record.event] = _amounts(record.json["spent"])
            for key, amount in reserved[record.event].items():
                sums[key] += amount
                if sums[key] > limits[key]:
                    wrong.append(f"entry {number} overspends {key}: {sums[key]} of {limits[key]}")
        elif record.type == "outcome":
            settled = _amounts(record.json["settled"])
            for key, amount in reserved.get(record.event, {}).items():
                if not 0 <= settled[key] <= amount:
                    wrong.append(f"entry {number} settles {settled[key]} of {amount}")
                sums[key] -= amount - settled[key]
    return sums


def _amounts(items: list[dict[str, Any]]) -> dict[str, int]:
    out: dict[str, int] = defaultdict(int)
    for item in items:
        if item["type"] == "debit":
            out[item["key"]] += int(item["amount"])
    return out


def _ordered(records: list[Record]) -> list[str]:
    """An intent comes first and has one outcome at most; an invocation has one intent."""
    wrong, seen, used = list[str](), dict[str, list[str]](), set[str]()
    for number, record in enumerate(records):
        before = seen.setdefault(record.event, [])
        if before != (["intent"] if record.type == "outcome" else []):
            wrong.append(f"entry {number}: {record.type} after {before}")
        before.append(record.type)
        if record.type == "intent":
            if record.json["invocation"] in used:
                wrong.append(f"entry {number}: its invocation was used before")
            used.add(record.json["invocation"])
    return wrong


def _kept(log: AuditLog | AuditReader, db: Any, record: Record) -> list[str]:
    """Whether everything that an intent refers to is there."""
    store = log.store
    opening = store.opening(db, record.event)
    if opening is None:
        return [f"{record.event} has no opening"]
    if input_hash(parse_object(opening, size=1 << 20)) != record.json["inputHash"]:
        return [f"the opening of {record.event} does not fit"]
    name = record.json["evidence"]
    names = [name, *(link["digestMultibase"] for link in record.chain)]
    found = store.exhibits(db, names)
    if set(found) != set(names):
        return [f"an exhibit of {record.event} is missing"]
    more = [one for group in manifest_digests(found[name]).values() for one in group]
    there = store.exhibits(db, more)
    if set(there) != set(more) or any(digest(body) != one for one, body in there.items()):
        return [f"evidence of {record.event} is missing"]
    return []
