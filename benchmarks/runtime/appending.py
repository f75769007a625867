"""Appending: one who feeds many records, many threads, and bare SQLite beside them."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure

from .effort import Effort
from .logs import Fed, Resource, large

__all__ = ["appending"]

BATCH = 1_024
"""Rows in one transaction of bare SQLite, as of a batch of ours."""


def appending(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """Records a second, ours and bare SQLite's in turn; and what one costs as the log grows."""
    effort.homes.mkdir(parents=True, exist_ok=True)  # the disk that counts, and not a tmpfs
    ours, bare, cpus = [], [], []
    with tempfile.TemporaryDirectory(prefix="append-", dir=effort.homes) as folder:
        resource = Resource(Path(folder) / "audit")
        calls = resource.calls(resource.chains(effort.chains), effort.chains)
        size, count = 0, max(effort.appends // 2, 2)
        for _ in range(effort.rounds):
            changes = resource.prepared(calls, size, count)
            cpu, began = time.process_time(), time.perf_counter()
            for one in resource.log.write_all(changes, resource.now + 60):
                one.result()
            ours.append(count / (time.perf_counter() - began))
            cpus.append((time.process_time() - cpu) / count * 1e6)
            bare.append(_inserted(Path(folder) / "bare.db", changes))
            size += count
        alone = _threads(resource, resource.prepared(calls, size, effort.appends), effort.threads)
        resource.log.close()
    grown = large(effort)
    at = _at_sizes(grown.cost, effort.sizes)
    tenth = max(len(grown.cost) // 10, 1)
    first, last = (
        statistics.median(one[1] for one in grown.cost[part])
        for part in (
            slice(tenth),
            slice(-tenth, None),
        )
    )
    return {
        "audit_append_per_s": Figure.of(ours),
        "audit_append_vs_sqlite": Figure.of([a / b for a, b in zip(ours, bare, strict=True)]),
        "audit_append_threads_per_s": Figure.of([alone]),
        "audit_append_flat": Figure.of([last / first]),
    }, {
        "records": count * effort.rounds,
        "cpu_us": [round(one, 1) for one in cpus],
        "per_s": [round(one) for one in ours],
        "bare_per_s": [round(one) for one in bare],
        "threads": effort.threads,
        "by_log_size": [[size, round(cpu, 1), round(rate)] for size, cpu, rate in at],
    }


def _at_sizes(
    cost: list[tuple[int, float, float]], sizes: tuple[int, ...]
) -> list[tuple[int, float, float]]:
    """Around each size: the size, the median us of processor, and the median rate."""
    out = []
    for size in sizes:
        near = sorted(cost, key=lambda one: abs(one[0] - size))[:9]
        near = [one for one in near if size // 2 <= one[0] <= size * 2] or near[:1]
        middle = len(near) // 2
        cpu = sorted(one[1] for one in near)[middle]
        out.append((size, cpu, sorted(one[2] for one in near)[middle]))
    return out


def _inserted(path: Path, changes: list[Fed]) -> float:
    """Rows a second of one table with the same bytes, in transactions as large, flushed alike."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE IF NOT EXISTS leaves (number INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    bodies = [(one.entry.body(None, one.entry.time) + (one.opening or b""),) for one in changes]
    began = time.perf_counter()
    for at in range(0, len(bodies), BATCH):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO leaves (body) VALUES (?)", bodies[at : at + BATCH])
        db.execute("COMMIT")
    took = time.perf_counter() - began
    db.close()
    return len(bodies) / took


def _threads(resource: Resource, changes: list[Fed], threads: int) -> float:
    """Records a second, where each thread waits for its own before it sends the next."""
    left, taking = iter(changes), threading.Lock()

    def client() -> None:
        while True:
            with taking:
                change = next(left, None)
            if change is None:
                return
            resource.log.write(change, resource.now + 60).result()

    own = [threading.Thread(target=client) for _ in range(threads)]
    began = time.perf_counter()
    for one in own:
        one.start()
    for one in own:
        one.join()
    return len(changes) / (time.perf_counter() - began)
