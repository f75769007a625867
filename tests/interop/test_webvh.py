"""did:webvh with didwebvh-ts: its logs resolve here, and ours there, to the same document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from delegant.w3c import webvh
from interop.peer import Peer, Refused
from w3c.webvh_logs import DOCUMENT, W1, A, B, C, T, approvals, created, updated

SCENARIOS = (
    "create",
    "update",
    "rotation",
    "pre-rotation",
    "services",
    "paths",
    "move",
    "deactivate",
    "witness",
)


@pytest.fixture
def peer(peers: Callable[[str], Peer]) -> Peer:
    """didwebvh-ts."""
    return peers("webvh")


def _pruned(document: dict[str, Any]) -> dict[str, Any]:
    """Without empty lists, which the peer leaves out, nor services, which it adds elsewhere."""
    return {name: value for name, value in document.items() if value != [] and name != "service"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_log_of_the_peer_resolves_here(peer: Peer, scenario: str) -> None:
    made = peer("make", scenario=scenario)
    log, at = made["log"].encode(), int(time.time()) + 60
    witness = made["witness"] and made["witness"].encode()
    found = webvh.resolve(made["did"], log, witness=witness, at=at, services=False)
    entry = json.loads(log.splitlines()[-1])
    assert found.document == entry["state"]
    assert found.document_metadata["versionId"] == entry["versionId"]
    assert found.deactivated == (scenario == "deactivate")
    theirs = peer("resolve", log=made["log"], witness=made["witness"])
    assert theirs["meta"]["versionId"] == entry["versionId"]


def _rotated() -> tuple[str, bytes]:
    did, log = created(next_keys=[B.public])
    log += webvh.update(log, B, at=T + 1, next_keys=[C.public])
    log += webvh.update(log, C, at=T + 2, next_keys=[])
    return did, log


def _moved() -> tuple[str, bytes]:
    did, log = created(portable=True)
    log += webvh.move(log, A, "example.org", at=T + 1)
    return did.replace("example.com:ana", "example.org"), log


def _ended() -> tuple[str, bytes]:
    did, log = created()
    return did, log + webvh.deactivate(log, A, at=T + 1)


@pytest.mark.parametrize("make", [created, updated, _rotated, _moved, _ended])
def test_a_log_of_ours_resolves_at_the_peer(peer: Peer, make: Any) -> None:
    did, log = make()
    theirs = peer("resolve", log=log.decode(), witness=None)
    ours = webvh.resolve(did, log, witness=None, at=T + 10)
    assert ours.document is not None
    if not ours.deactivated:  # the peer then shows no document
        assert _pruned(theirs["doc"]) == _pruned(ours.document)
    assert theirs["meta"]["versionId"] == ours.document_metadata["versionId"]
    assert theirs["meta"]["deactivated"] == ours.deactivated


def test_a_witnessed_log_of_ours_resolves_at_the_peer_and_no_other(peer: Peer) -> None:
    did, log = created(document=DOCUMENT, witness=webvh.witnesses([W1.public], 1))
    good = approvals(log, (1, W1)).decode()
    assert peer("resolve", log=log.decode(), witness=good)["did"] == did
    bad = approvals(log, (1, C)).decode()
    with pytest.raises(Refused):
        peer("resolve", log=log.decode(), witness=bad)
