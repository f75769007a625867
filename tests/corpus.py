"""Every altered bundle and every twin as bytes: hundreds of inputs whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from altered import ATTENUATION, BYTES, KEYS, LINKAGE, SHAPE, Alter, Case
from altered_evidence import ACT, PATH, TIME_AND_STATUS
from draft import draft

CASES = BYTES + SHAPE + LINKAGE + ATTENUATION + KEYS + PATH + TIME_AND_STATUS + ACT


@dataclass(frozen=True)
class Item:
    """One bundle, the trust it is judged under, the instant, and the answer."""

    name: str
    bundle: bytes
    trust: bytes
    at: int
    state: str
    code: str | None


def built(name: str, alter: Alter | None, depth: int, state: str, code: str | None) -> Item:
    """The honest draft with one edit, or none, as bytes."""
    d = draft(depth)
    if alter is not None:
        alter(d)
    bundle, trust = d.build()
    return Item(name, bundle, trust, d.at, state, code)


@cache
def corpus() -> tuple[Item, ...]:
    """The refused ones of each case, and the accepted twins, once each.

    Left out: what only the command refuses, because the request is not the one it was asked.
    """
    out: dict[tuple[bytes, bytes, int], Item] = {}
    for case in CASES:
        if case.name == "bundle-for-another-need":
            continue
        for item in (
            built(case.name, case.alter, case.depth, case.state, case.code),
            built(f"{case.name}, twin", case.twin, case.depth, "accepted", None),
        ):
            out.setdefault((item.bundle, item.trust, item.at), item)
    return tuple(out.values())


def refused() -> list[Case]:
    """The cases that the verifier itself refuses, with a bundle that can be read."""
    return [c for c in CASES if c not in BYTES and c.name != "bundle-for-another-need"]
