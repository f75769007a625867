"""Permits: 64 callers at once, each waits until its intent is on the disk."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, per_call, raw_r

from .effort import Effort
from .logs import TOTAL, Call, Resource

__all__ = ["permitting"]


def permitting(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """Of acts that were verified before: three budgets, one key used once, an intent, durable."""
    effort.homes.mkdir(parents=True, exist_ok=True)
    cpus, rates, units = [], [], []
    count = max(effort.permits // effort.rounds, effort.threads)
    with tempfile.TemporaryDirectory(prefix="permit-", dir=effort.homes) as folder:
        resource = Resource(Path(folder) / "audit")
        chains = resource.chains(effort.chains)
        for _ in range(effort.rounds):
            calls = resource.calls(chains, count)
            units.append(min(per_call(raw_r(), 200) for _ in range(5)) * 1e6)
            cpu, rate = _permits(resource, calls, effort.threads)
            cpus.append(cpu)
            rates.append(rate)
        records = resource.records()
        assert [one.type for one in records] == ["intent"] * (count * effort.rounds)
        resource.log.close()
    return {
        "permit_us_at_64": Figure.of(cpus),
        "permit_r_at_64": Figure.of([cpu / unit for cpu, unit in zip(cpus, units, strict=True)]),
        "permits_per_s_at_64": Figure.of(rates),
    }, {
        "permits": len(records),
        "callers": effort.threads,
        "budgets": 3,
        "of_each": TOTAL,
        "cpu_us": [round(one, 1) for one in cpus],
        "per_s": [round(one) for one in rates],
    }


def _permits(resource: Resource, calls: list[Call], threads: int) -> tuple[float, float]:
    """Microseconds of processor for a permit, of all threads together; and permits a second."""
    evidence = resource.world.evidence()
    left, taking = iter(calls), threading.Lock()
    failed: list[BaseException] = []

    def client() -> None:
        try:
            while True:
                with taking:
                    call = next(left, None)
                if call is None:
                    return
                auth, request, shown = call
                resource.ledger.permit(
                    auth, request, presentation=shown, evidence=evidence, at=resource.now
                )
        except BaseException as exc:  # noqa: BLE001 - told below
            failed.append(exc)

    own = [threading.Thread(target=client) for _ in range(threads)]
    cpu, began = time.process_time(), time.perf_counter()
    for one in own:
        one.start()
    for one in own:
        one.join()
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    if failed:
        raise failed[0]
    return spent / len(calls) * 1e6, len(calls) / took
