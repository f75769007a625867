"""Where the fuzzer starts: the test world's honest and altered bundles, and the limbo's.

All of it is made by code; nothing is kept. `known` holds every signed thing the seeds contain:
whoever holds no key can present nothing else.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import altered
import altered_evidence
from altered import both
from delegant.credentials import Error, PublicKey, canonical, did
from draft import Draft, draft
from fuzz.trees import written
from limbo.groups.approval import asked, given
from world import World

__all__ = [
    "LARGEST",
    "LIMBO",
    "Seed",
    "bundles",
    "dids",
    "honest",
    "key_of",
    "known",
    "limbo",
    "party",
]

LIMBO: Final = Path(__file__).resolve().parents[1] / "limbo" / "cases"
LARGEST: Final = 1 << 17
"""Bytes of the largest bundle worth mutating."""
_ROWS: Final = (
    altered.BYTES, altered.SHAPE, altered.LINKAGE, altered.ATTENUATION, altered.KEYS,
    altered_evidence.PATH, altered_evidence.TIME_AND_STATUS, altered_evidence.ACT,
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """One bundle file under a name; ``yes`` if it is meant to be accepted."""

    name: str
    data: bytes
    yes: bool


def _plain(d: Draft) -> None:
    """As it is."""


def _tokens(d: Draft) -> None:
    """Every credential as ``vc+jwt``."""
    for doc in (*d.links, *d.sponsors, *d.identities, *d.lists):
        doc.form = "jwt"


def _mixed(d: Draft) -> None:
    """Both forms in one chain."""
    for doc in (*d.links[::2], *d.identities[1::2]):
        doc.form = "jwt"


def _limited(d: Draft) -> None:
    """Every constraint, from the second link down, and a request that satisfies them."""
    db, unit = d.parties["db"].did, "EUR:2"
    facts = {
        "purpose": "audit", "columns": ["title", "year"], "dataClass": "internal", "bytes": 10,
        "network": "10.0.0.1", "task": {"id": "T-17", "initiation": "schedule"},
        "arguments": {"n": 7, "s": "x", "b": True}, "amount": {"unit": unit, "value": "100"},
    }  # fmt: skip
    limits = {
        "purpose": ["audit", "billing"], "columns": ["title", "year"], "bytes": {"max": 4096},
        "dataClass": {"scheme": "https://delegant.example/data-class/v1", "max": "internal"},
        "network": ["10.0.0.0/8"], "task": {"id": "T-17", "initiation": "schedule"},
        "arguments": {"n": {"range": {"min": 1, "max": 9}}, "s": {"in": ["x", "y"]},
                      "b": {"eq": True}},
        "audience": [db], "hours": [["00:00", "24:00"]],
        "budget": {"ledger": db, "unit": unit, "perAction": "100", "total": "5000"},
        "rate": {"ledger": db, "count": 10, "periodSeconds": 60},
        "approval": {"threshold": 1, "by": [d.did("ana")], "over": {"unit": unit, "value": "100"}},
    }  # fmt: skip
    for name, limit in limits.items():
        d.constrain(1, name, limit)
    d.request |= facts


@cache
def honest() -> dict[str, bytes]:
    """Bundles that are accepted under the world's trust, by name; ``plain-3`` comes first."""
    out: dict[str, bytes] = {}
    for depth in (3, 1, 2, 4):
        for name, alter in (("plain", _plain), ("tokens", _tokens), ("mixed", _mixed)):
            d = draft(depth)
            alter(d)
            out[f"{name}-{depth}"] = _built(d)
    d = draft(3)
    _limited(d)
    out["limited-3"] = _built(d)
    d = draft(3)
    both(asked(2), given("mia"), given("leo"))(d)
    out["approved-3"] = _built(d)
    return out


def _built(d: Draft) -> bytes:
    return d.build()[0]


@cache
def bundles() -> tuple[Seed, ...]:
    """Every seed bundle: honest, altered and its accepted twin, and the limbo's."""
    out = [Seed(name, data, True) for name, data in honest().items()]
    for rows in _ROWS:
        for case in rows:
            for yes, alter in ((False, case.alter), (True, case.twin)):
                if alter is not None:
                    d = draft(case.depth)
                    alter(d)
                    out.append(Seed(f"{case.name}{'-twin' * yes}", _built(d), yes))
    return (*out, *limbo())


def limbo(folder: Path = LIMBO) -> tuple[Seed, ...]:
    """The limbo's cases as bundle files; empty where there are none, or none we can read."""
    out: list[Seed] = []
    for path in sorted(folder.glob("**/*.json")):
        try:
            whole = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            continue
        blobs = whole.get("blobs", {}) if isinstance(whole, dict) else {}
        cases = whole.get("cases", ()) if isinstance(whole, dict) else whole
        for number, case in enumerate(cases.values() if isinstance(cases, dict) else cases):
            if isinstance(case, dict) and "presentation" in case:
                data = b'{"presentation":%s,"request":%s,"evidence":%s}' % (
                    _blob(case["presentation"], blobs),
                    written(case.get("request")),
                    _blob(case.get("evidence", ""), blobs),
                )
                if len(data) <= LARGEST:
                    expected = case.get("expect")
                    yes = isinstance(expected, dict) and expected.get("state") == "accepted"
                    out.append(Seed(str(case.get("id", f"{path.stem}-{number}")), data, yes))
    return tuple(out)


def _blob(value: Any, blobs: Any) -> bytes:
    """base64, the name of a blob, pieces ``[base64, times]``, or the JSON itself."""
    if isinstance(value, str):
        if isinstance(blobs, dict) and value in blobs:
            return _blob(blobs[value], {})
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return written(value)
    pieces = value if isinstance(value, list) else []
    if pieces and all(isinstance(one, list) and len(one) == 2 for one in pieces):
        return b"".join(_blob(text, {}) * int(times) for text, times in pieces)
    return written(value)


def party(name: str) -> PublicKey:
    """The public key of somebody in the test world."""
    return World()._key(name).public


def dids() -> list[str]:
    """Two people, each as did:key and as did:jwk."""
    return [did.from_key(party(name), how) for name in ("ana", "org") for how in ("key", "jwk")]


# --- what the seeds have signed ------------------------------------------------------------


def key_of(raw: Any) -> bytes:
    """The bytes by which a presented thing is known: RFC 8785, or the token."""
    return raw.encode("utf-8", "replace") if isinstance(raw, str) else canonical(raw)


@cache
def known() -> dict[bytes, Any]:
    """Every link, credential, list and invocation in the seeds, by `key_of`."""
    out: dict[bytes, Any] = {}
    for seed in bundles():
        try:
            whole = json.loads(seed.data)
        except (ValueError, RecursionError):
            continue
        for item in _items(whole):
            try:
                out[key_of(item)] = item
            except Error:
                continue
    return out


def _items(whole: Any) -> Iterator[Any]:
    if not isinstance(whole, dict):
        return
    for group in (whole.get("presentation"), whole.get("evidence")):
        if isinstance(group, dict):
            for items in group.values():
                many = items if isinstance(items, list) else [items]
                yield from (item for item in many if isinstance(item, dict | str))
