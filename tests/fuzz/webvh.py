"""The target for did:webvh logs, held against a second reading of the chain of hashes."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

import rfc8785

from delegant.credentials import Error
from delegant.credentials.codec import b58_encode, canonical
from delegant.w3c import webvh
from delegant.w3c.resolution import Resolution
from fuzz.oracle import expect, settled
from fuzz.trees import Bytes, closed, damaged, opened
from w3c.webvh_logs import NOW, A, B, C, T, created, signed, updated

__all__ = ["log_bytes", "log_too", "logs"]

MOST = 1 << 15


def logs() -> list[bytes]:
    """Logs in which all that needs no witness file happens, and the first lines of each."""
    rotated = created(next_keys=[B.public])[1]
    rotated += webvh.update(rotated, B, at=T + 1, next_keys=[C.public])
    rotated += webvh.update(rotated, C, at=T + 2, next_keys=[])
    moved = created(portable=True, ttl=60, watchers=["https://watcher.example/"])[1]
    moved += webvh.move(moved, A, "example.org", at=T + 1)
    ended = moved + webvh.deactivate(moved, A, at=T + 2)
    watched = created(witness=webvh.witnesses([B.public, C.public], 1))[1]
    whole = [updated(3)[1], rotated, moved, ended, watched]
    return [*whole, *(log.splitlines(keepends=True)[0] for log in whole), b"", b"\n", b"{}\n"]


def log_bytes(data: bytes) -> None:
    """What is believed is a line of the log, and every line up to it is hashed into its id."""
    lines = data.removesuffix(b"\n").split(b"\n")
    for did in _names(lines):
        for number in (None, 1, 2, len(lines)):
            found = settled(
                lambda did=did, number=number: webvh.resolve(  # type: ignore[misc]
                    did, data, witness=None, at=NOW, version_number=number, services=False
                )
            )
            if not isinstance(found, Error):
                _check(did, lines, found)


def _names(lines: list[bytes]) -> set[str]:
    out = set()
    for line in lines[:1] + lines[-1:]:
        try:
            out.add(str(json.loads(line)["state"]["id"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return out


def _check(did: str, lines: list[bytes], found: Resolution) -> None:
    about = found.document_metadata
    entries: list[Any] = [json.loads(line) for line in lines[: about["versionNumber"]]]
    expect(entries[-1]["state"] == found.document, "a document that is not the line's", found)
    expect(entries[-1]["versionId"] == about["versionId"], "another id than the line's", about)
    before = entries[0]["parameters"]["scid"]
    expect(f"did:webvh:{before}:" in did, "a SCID that is not the DID's", did)
    last = ""
    for number, entry in enumerate(entries, 1):
        bare = {name: value for name, value in entry.items() if name != "proof"}
        digest = hashlib.sha256(rfc8785.dumps(bare | {"versionId": before})).digest()
        before = f"{number}-{b58_encode(bytes((0x12, 0x20)) + digest)}"
        expect(entry["versionId"] == before, "an entry that its id does not fit", entry)
        expect(entry["versionTime"][:19] >= last, "time that runs back", entry)
        last = entry["versionTime"][:19]


def log_too(data: bytes, most: int, dice: Random, plain: Bytes) -> bytes:
    """One entry changed, and mostly hashed and signed again, so that only a rule is broken."""
    lines = data.splitlines(keepends=True)
    if not lines or dice.random() < 0.2:
        return plain(data, most)
    at = dice.randrange(len(lines))
    try:
        entry = closed(damaged(opened(json.loads(lines[at])), dice))
        if type(entry) is dict and dice.random() < 0.8:
            before = entry["parameters"]["scid"]
            if at:
                before = json.loads(lines[at - 1])["versionId"]
            entry = signed(entry, before, at + 1, dice.choice((A, A, B, C)))
        lines[at] = canonical(entry) + b"\n"
    except (Error, ValueError, KeyError, TypeError, RecursionError):
        return plain(data, most)
    out = b"".join(lines)
    return out if len(out) <= most else plain(data, most)
