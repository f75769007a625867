"""Measure what the design promises, as ratios taken in this one run.

r is one raw libsodium Ed25519 verification in this process; a row says how many of them a job
costs. Every row is the median of several rounds, each round timing the job and r side by side,
so that a slow or busy machine changes both. Writes ``build/bench/verify.json``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nacl.bindings

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from delegant.credentials import (  # noqa: E402
    Evidence,
    Link,
    PrivateKey,
    Request,
    canonical,
    issue_link,
    verify,
)
from world import PAPERS, World, research_chain  # noqa: E402

OUT = HERE.parent / "build" / "bench" / "verify.json"
ROUNDS = 15
READ = Request("db.read", "urn:acme:papers:17", rows=3)


def per_call(job: Callable[[], object], seconds: float = 0.02) -> float:
    """Seconds a call takes, over as many calls as fit."""
    calls, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        job()
        calls += 1
    return spent / calls


def ratio(job: Callable[[], object], unit: Callable[[], object]) -> float:
    """How many units the job costs: the median over rounds that time both."""
    job()
    return statistics.median(per_call(job) / per_call(unit) for _ in range(ROUNDS))


def raw_verification() -> Callable[[], object]:
    """One libsodium Ed25519 verification of a 64-byte message."""
    key = PrivateKey(bytes(32))
    signed = key.sign(b"m" * 64) + b"m" * 64
    public = key.public.raw
    return lambda: nacl.bindings.crypto_sign_open(signed, public)


def raw_signature() -> Callable[[], object]:
    """One libsodium Ed25519 signature over a 64-byte message."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(bytes(32))
    return lambda: nacl.bindings.crypto_sign(b"m" * 64, secret)


def line_of(world: World, length: int) -> list[Link]:
    """A chain of ``length`` grants, each restating rows <= 500."""
    human = world.human("human")
    links: list[Link] = []
    issuer = human
    for depth in range(length):
        subject = world.agent(f"agent-{depth}", human)
        links.append(
            world.delegate(
                issuer,
                subject,
                [f"db.read {PAPERS}"],
                above=tuple(links),
                seconds=900 - depth,
                remaining=length - 1 - depth,
                lease=4096 >> depth if depth < length - 1 else 0,
                constraints={"rows": {"max": 500}},
            )
        )
        issuer = subject
    return links


class Job:
    """A presentation as bytes, its evidence, and the call that verifies it."""

    def __init__(self, world: World, links: list[Link]) -> None:
        self.presentation = world.present(links, READ).to_bytes()
        self.evidence = world.evidence()
        self.trust = world.trust()
        self.at = world.now
        self()  # the evidence is now verified, as a server's would be

    def __call__(self) -> object:
        """Cold: parse and verify every link and the invocation from bytes."""
        return verify(self.presentation, self.evidence, self.trust, READ, at=self.at)


def evidence_item(world: World) -> Callable[[], object]:
    """One sponsor credential from bytes: parse, verify, accept."""
    human = world.human("human").did
    item = canonical({"sponsors": world.evidence().json["sponsors"]})
    anchor = world.org.key.public

    def job() -> object:
        (credential,) = Evidence.parse(item).sponsors(human)
        credential.secured.check(credential.issuer, anchor)
        return credential

    return job


def issue(world: World, links: list[Link]) -> Callable[[], object]:
    """One link below a parent that is already verified."""
    parent = tuple(links[:1])
    research, retrieval = world.parties["research"], world.parties["retrieval"].did
    grants = [{"actions": ["db.read"], "resources": [PAPERS]}]
    entry = world.entry(research)
    return lambda: issue_link(
        research.key,
        issuer=research.did,
        subject=retrieval,
        organization=world.org.did,
        grants=grants,
        valid_from=world.now,
        valid_until=world.now + 300,
        above=parent,
        status=entry,
    )


def _many(number: int) -> float:
    """Verify a three-link chain this many times; seconds spent."""
    world = World()
    job = Job(world, research_chain(world)[0][:3])
    start = time.perf_counter()
    for _ in range(number):
        job()
    return time.perf_counter() - start


def speed_up(pool: Any, number: int = 400) -> float:
    """Throughput of two workers against one, in the same pool, the best of three pairs."""
    list(pool.map(_many, [20, 20]))
    found = []
    for _ in range(5):
        start = time.perf_counter()
        next(iter(pool.map(_many, [number])))
        one = time.perf_counter() - start
        start = time.perf_counter()
        list(pool.map(_many, [number, number]))
        two = time.perf_counter() - start
        found.append(2 * one / two)
    return statistics.median(found)


def main() -> None:
    """Measure, print the table, write the file."""
    r, s = raw_verification(), raw_signature()
    world = World()
    story = research_chain(world)[0]
    three, ten = Job(world, story[:3]), Job(w := World(), line_of(w, 10))
    rows: dict[str, float] = {
        "verify_3_cold": ratio(three, r),
        "verify_3_warm": ratio(three, r),
        "verify_10_cold": ratio(ten, r),
        "verify_10_warm": ratio(ten, r),
        "evidence_item": ratio(evidence_item(World()), r),
        "issue_link": ratio(issue(world, story), s),
        "bytes_per_link": len(canonical(story[2].secured.raw)),
    }
    with ThreadPoolExecutor(2) as threads:
        rows["threads_2"] = speed_up(threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        rows["processes_2"] = speed_up(processes)
    show(rows, per_call(r, 0.2))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({k: round(v, 3) for k, v in rows.items()}, indent=2) + "\n")


TABLE = {
    "verify_3_cold": ("verify 3 links + invocation, from bytes", "r", "<= 6"),
    "verify_3_warm": ("same, seen before (no link cache yet: as cold)", "r", "<= 1.6"),
    "verify_10_cold": ("verify 10 links + invocation, from bytes", "r", "<= 17"),
    "verify_10_warm": ("same, seen before (no link cache yet: as cold)", "r", "<= 2.3"),
    "evidence_item": ("one item of evidence, once per bytes", "r", "<= 3"),
    "issue_link": ("issue one link, parent verified", "signatures", "<= 3"),
    "bytes_per_link": ("size of the dbquery link", "bytes", "<= 1945"),
    "threads_2": ("verification, 2 threads against 1", "x", ">= 1.3"),
    "processes_2": ("verification, 2 processes against 1", "x", ">= 1.8"),
}


def show(rows: dict[str, float], unit: float) -> None:
    """The table, with the goal beside each figure."""
    print(f"r = one raw libsodium verification, here {unit * 1e6:.1f} microseconds\n")
    for name, (what, of, goal) in TABLE.items():
        value = f"{rows[name]:.0f}" if of == "bytes" else f"{rows[name]:.2f}"
        print(f"  {what:<48} {value:>7} {of:<10}  goal {goal}")


if __name__ == "__main__":
    main()
