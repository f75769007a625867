"""A registry read afterwards: its log from the tiles, its names from its answers."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from ans.naming import Naming
from delegant.ans.log.checkpoint import Checkpoint, open_checkpoint
from delegant.ans.log.tiles import unpack
from delegant.credentials import NotFound

__all__ = ["checkpoint", "log_entries", "newest", "rounds"]


def rounds(few: int = 200) -> int:
    """How often each fault is injected in the long form."""
    return int(os.environ.get("DELEGANT_FAULT_ROUNDS") or few)


def checkpoint(naming: Naming) -> Checkpoint:
    """What the registry says it signed."""
    return open_checkpoint(naming.registry.log.checkpoint(), naming.log)


def log_entries(naming: Naming) -> list[bytes]:
    """All entries under the published checkpoint, oldest first."""
    size, out = checkpoint(naming).size, list[bytes]()
    while len(out) < size:
        out += unpack(naming.registry.log.bundle(len(out) // 256, min(256, size - len(out))))
    return out


def newest(naming: Naming, names: Iterable[str]) -> dict[str, str]:
    """The digest of each name's newest event, from its whole history; empty where there is none.

    The answer about the name, verified as clients do, must say the same agent.
    """
    out: dict[str, str] = {}
    for name in names:
        if naming.state(name) == "":
            with pytest.raises(NotFound):
                naming.registry.history(name)
            out[name] = ""
            continue
        status, answer = naming.registry.resolve(name, naming.now)
        assert status in (200, 410), name
        if status == 200:
            assert naming.believed(answer, name).did == naming.bot.did
        out[name] = naming.registry.history(name)[-1]["receipt"]["leaf"]["event"]
    return out
