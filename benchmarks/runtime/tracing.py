"""Tracing one event among a million records: in the store, and in a bundle of the whole log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.measure import Figure, per_call, raw_r
from delegant.credentials import Presentation, Trust, verify_chain
from delegant.governance.auditlog import AuditReader
from delegant.governance.bundle import export
from delegant.governance.exhibit import evidence_of, manifest_digests, opened
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.tables import ENTRIES
from delegant.governance.tracing import trace

from .effort import Effort
from .logs import Large, large

__all__ = ["tracing"]

SEED = 6


def tracing(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """Each of so many events at random, once."""
    home = large(effort)
    resource = home.opened()
    resource.chains(1)  # the people of the chains
    said = resource.world.trust_json
    said["anchors"][0]["maxStatusAge"] = {"low": 3600, "high": 3600}  # one list for the whole log
    trust = Trust.from_json(said)
    resource.log.close()
    reader = AuditReader(home.folder)
    events = _events(reader, effort)
    bundle, exported = _bundle(home, reader)
    unit = min(per_call(raw_r(), 200) for _ in range(20))
    wall, cpu = _timed(events, lambda event: _in_store(reader, event, trust))
    believed = Believed(reader.key, log=reader.id)
    with AuditBundle(bundle) as found:

        def in_bundle(event: str) -> None:
            assert trace(found, event, believed, trust).problem is None

        told, told_cpu = _timed(events, in_bundle)
    reader.close()
    return {
        "trace_1e6_ms": _at(wall, 50),
        "trace_1e6_p99_ms": _at(wall, 99),
        "trace_1e6_r": Figure.of([sum(cpu) / len(cpu) / 1e3 / unit]),
        "trace_bundle_1e6_ms": _at(told, 50),
        "trace_bundle_1e6_p99_ms": _at(told, 99),
    }, {
        "records": home.size,
        "events": len(events),
        "store_cpu_ms": round(sum(cpu) / len(cpu), 3),
        "bundle_cpu_ms": round(sum(told_cpu) / len(told_cpu), 3),
        "bundle_bytes": bundle.stat().st_size,
        "export_seconds": exported,
    }


def _events(reader: AuditReader, effort: Effort) -> list[str]:
    dice, out = random.Random(SEED), list[str]()
    with reader.store.transaction(reading=True) as db:
        size = reader.store.leaf_count(db)
        while len(out) < effort.traces:
            query = select(ENTRIES.c.event).where(ENTRIES.c.number == dice.randrange(size))
            out.append(db.execute(query).scalar_one())
    return out


def _bundle(home: Large, reader: AuditReader) -> tuple[Path, float | None]:
    """The whole log as a bundle, kept from before or written; and in how many seconds."""
    path = home.folder.parent / "bundle.zip"
    if path.is_file():
        return path, None
    began = time.monotonic()
    export(reader, path)
    return path, round(time.monotonic() - began, 1)


def _in_store(reader: AuditReader, event: str, trust: Trust) -> None:
    """Intent and outcome, each proven to be in the signed tree; the chain, verified as of then."""
    intent, outcome = reader.records(event)
    assert (intent.type, outcome.type) == ("intent", "outcome")
    named = [link["digestMultibase"] for link in intent.chain]
    manifest = intent.json["evidence"]
    with reader.store.transaction(reading=True) as db:
        found = reader.store.exhibits(db, [*named, manifest])
        items = [one for group in manifest_digests(found[manifest]).values() for one in group]
        evidence = evidence_of(found[manifest], reader.store.exhibits(db, items))
    shown = Presentation.from_json({"links": [opened(found[one], one) for one in named]})
    chain = verify_chain(shown, evidence, trust, at=intent.time)
    assert chain.sponsor == intent.sponsor


def _timed(events: list[str], job: Callable[[str], None]) -> tuple[list[float], list[float]]:
    """Milliseconds that each took, by the clock and by the processor."""
    wall, cpu = [], []
    for event in events:
        began, spent = time.perf_counter(), time.thread_time()
        job(event)
        cpu.append((time.thread_time() - spent) * 1e3)
        wall.append((time.perf_counter() - began) * 1e3)
    return wall, cpu


def _at(times: list[float], percent: int) -> Figure:
    value = sorted(times)[min(len(times) - 1, len(times) * percent // 100)]
    return Figure(value, value, value)
