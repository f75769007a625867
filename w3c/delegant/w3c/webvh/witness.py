"""Witness proofs: ``did-witness.json`` against the entries it speaks of (did:webvh 1.0, Witnesses).

A proof by a witness on one version approves all versions before it. So the newest version that
each witness has signed is all that counts.
"""

from __future__ import annotations

from typing import Final

from delegant.credentials.codec import Json, parse
from delegant.credentials.errors import Error, error

from . import proofs
from .log import History

__all__ = ["MAX_PROOFS", "MAX_WITNESS", "witnessed"]

MAX_WITNESS: Final = 2 * 1024 * 1024
MAX_PROOFS: Final = 1024


def witnessed(seen: History, witness: bytes | None) -> History:
    """The history as far as enough witnesses approved it.

    Proofs on versions that are not in the log, by others than witnesses, or that do not hold
    are passed over.

    Args:
        seen: the log as far as it holds by itself.
        witness: the content of ``did-witness.json``; None where there is none.
    """
    if not any(entry.witnesses.keys for entry in seen.entries):
        return seen
    failure: Error | None = None
    newest: dict[str, int] = {}
    try:
        if witness is None:
            raise error("did-witness", "witnesses are needed, and no did-witness.json is here")
        newest = _newest(seen, witness)
    except Error as exc:
        failure = exc
    for count, entry in enumerate(seen.entries):
        needed = entry.witnesses
        found = sum(newest.get(key, 0) >= entry.number for key in needed.keys)
        if found < needed.threshold:
            why = f"entry {entry.number}: {found} of {needed.threshold} witnesses approved it"
            return seen.upto(count, failure or error("did-witness", why))
    return seen


def _newest(seen: History, witness: bytes) -> dict[str, int]:
    """By witness: the number of the newest version it signed."""
    numbers = {entry.version_id: entry for entry in seen.entries}
    keys = {key for entry in seen.entries for key in entry.witnesses.keys}
    signed: list[tuple[int, int, str, Json]] = []
    for item in _items(witness):
        version, given = item.get("versionId"), item.get("proof", [])
        if type(given) is not list:
            raise error("shape", "did-witness.json: proof is not a list")
        if type(version) is str and version in numbers:
            entry = numbers[version]
            signed += [(entry.number, entry.time[0], version, one) for one in given]
    if len(signed) > MAX_PROOFS:
        raise error("limit-signatures", f"more than {MAX_PROOFS} witness proofs")
    newest: dict[str, int] = {}
    for number, time, version, one in sorted(signed, key=lambda item: -item[0]):
        try:
            if (key := proofs.signer_of(one)) in keys and key not in newest:
                proofs.check({"versionId": version}, one, (key,), time)
                newest[key] = number
        except Error:
            continue  # the specification lets them be passed over; they count for nothing
    return newest


def _items(witness: bytes) -> list[dict[str, Json]]:
    items = parse(witness, size=MAX_WITNESS, members=64 * MAX_PROOFS)
    if type(items) is not list or any(type(item) is not dict for item in items):
        raise error("shape", "did-witness.json is not a list of objects")
    return items
