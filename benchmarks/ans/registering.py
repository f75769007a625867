"""Registering over HTTP, store and log alone, and verifying an answer offline."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.measure import FULL as MEASURED
from benchmarks.measure import QUICK as GLANCE
from benchmarks.measure import Figure, ratio, raw_r
from delegant.ans import verify_answer
from delegant.ans.receipt import check_receipt
from delegant.ans.registry import Registry
from delegant.ans.tables import EVENTS, LEAVES, LISTINGS, NAMES, SPENT, TERMS
from delegant.resolver.server import open_registry

from .effort import Effort
from .homes import PROVIDER, People, Populated, fresh, name_of, populated, prepared, with_evidence
from .load import Asked, ask, get
from .processes import CORES, delegant, workers_known
from .resolving import path_of_name

__all__ = ["registering", "storing", "verifying"]

SAMPLE = 50
"""Of so many receipts one is checked."""
AT_ONCE = 256
SIGNING_SECONDS, RUN_SECONDS = 20, 20
"""Invocations live for a minute; both together must leave some of it."""


def registering(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """Registrations by 1, 64 and 256 clients, with one worker and, where it can, with two."""
    details: dict[str, Any] = {}
    runs: dict[tuple[int, int], Asked] = {}
    for workers in (1, 2) if len(CORES) > 1 and workers_known() else (1,):
        with tempfile.TemporaryDirectory(prefix="bench-register-") as folder:
            house = fresh(Path(folder))
            home = Populated(house, 0)
            with delegant(home.home, home.passphrase, workers=workers) as server:
                for clients in effort.clients:
                    asked, told = _registered(home, server, clients, effort)
                    runs[clients, workers] = asked
                    details[f"{clients} clients, {workers} workers"] = told
    many = 64 if 64 in effort.clients else max(effort.clients)
    best = max((one for (clients, _), one in runs.items() if clients == many), key=_rate)
    rate, half = best.rate, best.percentiles[49]
    return {
        "register_64_per_s": Figure(rate, rate, rate),
        "register_64_p50_ms": Figure(half, half, half),
    }, details | {"many": many, "load": "one process of Python"}


def _rate(asked: Asked) -> float:
    return asked.rate


def _registered(
    home: Populated, server: Any, clients: int, effort: Effort
) -> tuple[Asked, dict[str, Any]]:
    """One run: all is signed before the clock starts, one agent for each client."""
    count = effort.registrations if clients > 1 else max(effort.registrations // 8, 8)
    people = People.of(home.house, int(time.time()))
    agents = with_evidence(home.house, people, clients)
    requests: list[bytes] = []
    signing = time.monotonic()
    for number in range(count):
        agent, link, evidence = agents[number % clients]
        name = f"mcp://Run{clients}.Load.{PROVIDER}.v1.n{number}"
        body, token = people.submission(agent, link, evidence, name, number)
        requests.append(
            b"POST /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + f"Agent-Invocation: {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        if time.monotonic() - signing > SIGNING_SECONDS:
            break
    warm = min(len(requests) // 8, 2 * clients)  # each agent's evidence was seen before
    ask(server, requests[:warm], clients)
    asked = ask(server, requests[warm:], clients, keep=SAMPLE, most=RUN_SECONDS)
    assert set(asked.statuses) == {201}, asked.statuses
    for reply in asked.replies.values():
        check_receipt(json.loads(reply.body), home.house.registry, home.house.log)
    return asked, {
        "requests": len(asked.took),
        "per_s": round(asked.rate, 1),
        "p50_ms": round(asked.percentiles[49], 3),
        "p99_ms": round(asked.percentiles[98], 3),
        "server_cpu_us": round(asked.cpu_us, 1),
        "server_busy": round(asked.cpu / asked.seconds, 3),
        "load_busy": round(asked.own / asked.seconds, 3),
        "request_bytes": len(requests[0]),
        "receipts_checked": len(asked.replies),
    }


def storing(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """What the sequencer writes in a second: judged and signed before, all rows, durable."""
    with tempfile.TemporaryDirectory(prefix="bench-store-") as folder:
        house = fresh(Path(folder))
        people = People.of(house, int(time.time()))
        registry = open_registry(house.home, house.organization)
        rates, cpus = [], []
        before = _rows(registry)
        for start in range(0, effort.rows, 10_000):
            numbers = range(start, min(start + 10_000, effort.rows))
            events = [people.signed(number) for number in numbers]
            changes = prepared(registry, people, events, spent=True)
            cpu, began = time.process_time(), time.perf_counter()
            futures = registry._sequencer.write_all(changes, people.now)
            receipts = [future.result() for future in futures]
            rates.append(len(numbers) / (time.perf_counter() - began))
            cpus.append((time.process_time() - cpu) / len(numbers) * 1e6)
            check_receipt(receipts[-1], house.registry, house.log)
        each = (_rows(registry) - before) / effort.rows
        registry.close()
    return {
        "store_rows_per_s": Figure.of([rate * each for rate in rates]),
        "store_names_per_s": Figure.of(rates),
    }, {
        "names": effort.rows,
        "rows_a_name": each,
        "batch": AT_ONCE,
        "per_s": [round(one, 1) for one in rates],
        "cpu_us": [round(one, 1) for one in cpus],
    }


def _rows(registry: Registry) -> int:
    """How many rows there are of names: tiles and checkpoints, of which a batch has few, apart."""
    tables = (EVENTS, NAMES, SPENT, LEAVES, LISTINGS, TERMS)
    with registry.store.transaction(reading=True) as db:
        counts = [db.execute(select(func.count()).select_from(one)).scalar_one() for one in tables]
    return sum(counts)


def growth(effort: Effort) -> dict[str, Any]:
    """What a name cost to be written, by the size of the log, as the largest home was made."""
    home = populated(max(effort.sizes), effort.homes)
    return {"size": home.size, "cpu_us_by_log_size": [list(one) for one in home.cost]}


def verifying(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """What a client pays in r for believing an answer that it has as bytes."""
    home = populated(min(effort.sizes), effort.homes)
    numbers = [n * (home.size // effort.verified) for n in range(effort.verified)]
    with delegant(home.home, home.passphrase) as server:
        got = ask(server, [get(path_of_name(n)) for n in numbers], 1, keep=1)
    items = [(got.replies[at].body, name_of(number)) for at, number in enumerate(numbers)]
    trust, now, at = home.trust, int(time.time()), 0

    def job() -> None:
        nonlocal at
        body, name = items[at]
        at = (at + 1) % len(items)
        verify_answer(json.loads(body), trust, name, at=now).resolution  # noqa: B018

    quick = effort.registrations < 100
    figure = ratio(job, raw_r(), GLANCE if quick else MEASURED)
    return {"answer_verify_r": figure}, {
        "answers": len(items),
        "body_bytes": len(items[0][0]),
        "log_size": home.size + 1,
    }
