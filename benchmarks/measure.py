"""Ratios that hold on a busy machine.

A figure is a ratio: how many units (one raw libsodium call in this process) a job costs. Job
and unit are timed in turn, in blocks of about a millisecond, so whatever slows one slows the
other. What is read is the CPU time of this thread, which stands still while a neighbour has
the core; of the pairs of one round the fastest job and the fastest unit count, the figure is
the median round, and the spread is the middle half of the rounds.

The garbage collector stays on, as in a server. What lives before a row starts is frozen, so a
row pays for its own litter only; whoever called last may ``gc.unfreeze()``.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat

import nacl.bindings

from delegant.credentials import PrivateKey

__all__ = ["FULL", "QUICK", "Effort", "Figure", "Job", "per_call", "ratio", "raw_r", "raw_s", "two"]

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time a figure may take: ``rounds`` of ``pairs`` of blocks of ``block`` seconds.

    ``work`` is the number of jobs a worker does between two looks at the clock.
    """

    rounds: int
    pairs: int
    block: float
    work: int


FULL = Effort(rounds=15, pairs=8, block=0.001, work=50)
QUICK = Effort(rounds=1, pairs=1, block=0.0, work=2)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number and the middle half of what its rounds said."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float], value: float | None = None) -> Figure:
        """From all rounds; the value is their median unless given."""
        middle = statistics.median(rounds)
        if len(rounds) == 1:
            low = high = middle
        else:
            low, _, high = statistics.quantiles(rounds, n=4, method="inclusive")
        return cls(middle if value is None else value, low, high)

    def scaled(self, by: float) -> Figure:
        """The same in another unit."""
        return Figure(self.value * by, self.low * by, self.high * by)


def raw_r() -> Job:
    """One r: libsodium verifies an Ed25519 signature over 64 bytes."""
    key = PrivateKey(bytes(32))
    signed = key.sign(b"m" * 64) + b"m" * 64
    public = key.public.raw
    return lambda: nacl.bindings.crypto_sign_open(signed, public)


def raw_s() -> Job:
    """One s: libsodium signs 64 bytes."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(bytes(32))
    return lambda: nacl.bindings.crypto_sign(b"m" * 64, secret)


def per_call(job: Job, calls: int) -> float:
    """Seconds of this thread's CPU a call takes."""
    start = time.thread_time()
    for _ in repeat(None, calls):
        job()
    return (time.thread_time() - start) / calls


def ratio(job: Job, unit: Job, effort: Effort) -> Figure:
    """How many units one call of the job costs."""
    gc.collect()
    gc.freeze()
    job_calls, unit_calls = (_fill(one, effort.block) for one in (job, unit))
    rounds = []
    for _ in range(effort.rounds):
        pairs = [
            (per_call(job, job_calls), per_call(unit, unit_calls)) for _ in range(effort.pairs)
        ]
        rounds.append(min(a for a, _ in pairs) / min(b for _, b in pairs))
    return Figure.of(rounds)


def _fill(job: Job, block: float) -> int:
    """How many calls fill a block, after a warm-up of one."""
    job()
    return max(1, round(block / per_call(job, 1)))


def two(
    pool: Executor, works: Sequence[Callable[[int], object]], effort: Effort
) -> tuple[Figure, ...]:
    """For each kind of work, the throughput of two workers of a pool against one.

    This is a matter of cores, so the wall clock is read. A value compares the fastest single
    run with the fastest double run: it is right if at one moment two cores were free, and too
    low, never too high, if they never were. The spread is that of the pairs.
    """
    took: list[tuple[list[float], list[float]]] = [([], []) for _ in works]
    list(pool.map(works[0], [1] * 4))  # both workers are up
    for _ in range(2 * effort.rounds + 1):  # many and short: a free moment is soon over
        for work, runs in zip(works, took, strict=True):
            for workers, found in enumerate(runs, start=1):
                start = time.perf_counter()
                list(pool.map(work, [effort.work] * workers))
                found.append(time.perf_counter() - start)
    figures = []
    for runs in took:
        ones, twos = (found[1:] for found in runs)  # the first round was for warming up
        pairs = [2 * one / both for one, both in zip(ones, twos, strict=True)]
        figures.append(Figure.of(pairs, 2 * min(ones) / min(twos)))
    return tuple(figures)
