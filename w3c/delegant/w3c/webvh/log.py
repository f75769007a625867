"""The log of a did:webvh: each entry checked against those before it (did:webvh 1.0, Read).

A log is believed up to its first entry that does not hold; nothing after that entry is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from delegant.credentials.codec import Json, JsonObject, canonical, parse, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed

from . import proofs
from .hashes import hash_of
from .identifier import PLACEHOLDER, Name, read
from .parameters import Parameters, Witnesses, applied
from .times import Instant, instant

__all__ = ["MAX_ENTRIES", "MAX_ENTRY", "MAX_LOG", "Entry", "History", "history"]

MAX_LOG: Final = 4 * 1024 * 1024
MAX_ENTRY: Final = 256 * 1024
MAX_ENTRIES: Final = 1024
_MEMBERS: Final = frozenset(("versionId", "versionTime", "parameters", "state", "proof"))
_VERSION: Final = re.compile(r"([1-9][0-9]{0,5})-(Qm[1-9A-HJ-NP-Za-km-z]{44})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One version that holds.

    Attributes:
        number: from 1.
        version_id: number and hash.
        time: of the version.
        name: the DID it is called by in this version.
        state: the DID document as it was signed.
        parameters: in force after it.
        witnesses: who must witness it.
    """

    number: int
    version_id: str
    time: Instant
    name: Name
    state: JsonObject
    parameters: Parameters
    witnesses: Witnesses


@dataclass(frozen=True, slots=True)
class History:
    """A log as far as it holds, and why it holds no further; None: it holds to its end."""

    entries: tuple[Entry, ...]
    failure: Error | None

    def upto(self, count: int, failure: Error) -> History:
        """The first so many entries, since the next fails too."""
        return History(self.entries[:count], failure)


def history(log: bytes, at: int) -> History:
    """Check a log, witnesses left aside.

    Args:
        log: the content of ``did.jsonl``.
        at: now, seconds since 1970; no entry may be younger.

    Raises:
        LimitExceeded: ``limit-size``, ``limit-items``. Whatever is wrong with an entry is not
        raised but is the ``failure`` of what is returned.
    """
    if len(log) > MAX_LOG:
        raise error("limit-size", f"a log of {len(log)} bytes, {MAX_LOG} are allowed")
    lines = log.split(b"\n", MAX_ENTRIES + 1)
    if not lines[-1]:
        lines.pop()  # the line feed at the end of the last entry
    if len(lines) > MAX_ENTRIES:
        raise error("limit-items", f"a log of more than {MAX_ENTRIES} entries")
    if not lines:
        return History((), error("did-log", "a log without entries"))
    entries: list[Entry] = []
    for line in lines:
        try:
            entries.append(_entry(line, entries[-1] if entries else None, at))
        except Error as exc:
            where = f"entry {len(entries) + 1}: {exc.detail}"
            return History(tuple(entries), error(exc.code, where))
    return History(tuple(entries), None)


def _entry(line: bytes, before: Entry | None, at: int) -> Entry:
    entry = closed(parse_object(line, size=MAX_ENTRY), "the entry", _MEMBERS)
    _no_floats(entry)
    if before is not None and before.parameters.deactivated:
        raise error("did-log", "an entry after the DID was deactivated")
    parameters, keys = applied(None if before is None else before.parameters, entry["parameters"])
    number = _version(entry, before, parameters.scid)
    time = _time(entry, before, at)
    unsigned = {name: value for name, value in entry.items() if name != "proof"}
    for one in proofs.listed(entry["proof"]):
        proofs.check(unsigned, one, keys, time[0])
    name = _name(entry["state"], before, parameters)
    witnesses = parameters.witness
    if before is not None and before.parameters.witness.keys:
        witnesses = before.parameters.witness  # a new list is in force after its entry
    return Entry(number, entry["versionId"], time, name, entry["state"], parameters, witnesses)


def _version(entry: JsonObject, before: Entry | None, scid: str) -> int:
    """The entry's number, once its hash is seen to be right, and of the first entry the SCID."""
    version = entry["versionId"]
    match = _VERSION.fullmatch(version) if type(version) is str else None
    number = before.number + 1 if before else 1
    if match is None or int(match[1]) != number:
        raise error("did-log", f"versionId is not that of entry {number}")
    unsigned = {name: value for name, value in entry.items() if name != "proof"}
    if before is None and _scid(unsigned, scid) != scid:
        raise error("did-log", "the SCID is not the hash of the first entry")
    if match[2] != hash_of({**unsigned, "versionId": before.version_id if before else scid}):
        raise error("did-log", "the hash in versionId is not that of the entry")
    return number


def _scid(unsigned: JsonObject, scid: str) -> str:
    """The hash of the first entry with the placeholder wherever the SCID stands."""
    text = canonical({**unsigned, "versionId": PLACEHOLDER})
    if canonical({**unsigned, "versionId": ""}).count(PLACEHOLDER.encode()):
        # else two different first entries would have one SCID
        raise error("did-log", "the placeholder stands in a published entry")
    text = text.replace(scid.encode(), PLACEHOLDER.encode())
    return hash_of(parse(text, size=2 * MAX_ENTRY))


def _time(entry: JsonObject, before: Entry | None, at: int) -> Instant:
    time = instant(entry["versionTime"], "versionTime")
    if before is not None and time <= before.time:
        raise error("did-log", "versionTime is not after that of the entry before")
    if time[0] > at:
        raise error("did-log", "versionTime lies in the future")
    return time


def _name(state: Json, before: Entry | None, parameters: Parameters) -> Name:
    """The DID of the version: of this SCID, and the same as before unless it may move."""
    if type(state) is not dict:
        raise error("shape", "state is not an object")
    try:
        name = read(state.get("id"))
    except Error as exc:
        raise error("did-document", f"state.id: {exc.detail}") from None
    if name.scid != parameters.scid:
        raise error("did-document", "state.id has another SCID")
    if before is not None and name.did != before.name.did:
        if not (before.parameters.portable and parameters.portable):
            raise error("did-document", "state.id changed, and the DID is not portable")
        known = state.get("alsoKnownAs")
        if type(known) is not list or before.name.did not in known:
            raise error("did-document", "alsoKnownAs lacks the DID it was called by before")
    return name


def _no_floats(entry: JsonObject) -> None:
    """Numbers with a fraction or exponent have no place here, and read differently elsewhere."""
    level: list[Json] = [entry]
    while level:
        node = level.pop()
        if type(node) is float:
            raise error("json", "a number that is not an integer")
        level.extend(node.values() if type(node) is dict else node if type(node) is list else ())
