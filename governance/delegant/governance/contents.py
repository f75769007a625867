"""What an audit bundle is made of; it is a zip file, or a folder.

    audit.json             {version: 1, log, key, ranges: [[start, end], …], prunes: [number, …],
                            event?, sponsor?, from?, to?}
    checkpoint             the head of the log, as it signed it
    tile/…, tile/entries/… C2SP tlog-tiles: all that proves these entries to be the log's
    index                  a line for each record: event, type, number; sorted
    exhibits/<digest>      links, evidence and its manifests, which records name by digest
    openings/<event>       the request and the salt of one record, where they are disclosed

``ranges`` are the entries that are in the bundle, each from a number until before another. In
their entry bundles the others are left out: of no bytes. So are those that were pruned, which
``prunes`` tells the notices of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from delegant.ans.log.merkle import MAX_SIZE
from delegant.ans.log.note import NoteKey
from delegant.credentials import did, shape
from delegant.credentials.codec import Json, JsonObject, parse_object
from delegant.credentials.errors import Error, error

from .record import is_event

__all__ = ["INDEX_WIDTH", "MAX_ABOUT", "About", "about_json", "index_line", "read_index"]

MAX_ABOUT: Final = 64 * 1024 * 1024
MAX_RANGES: Final = 1_000_000

INDEX_WIDTH: Final = 46
"""Bytes of a line of the index."""
_LETTERS: Final = {"intent": "i", "outcome": "o", "refusal": "r", "notice": "n"}
_TYPES: Final = {letter.encode(): kind for kind, letter in _LETTERS.items()}
_LINE: Final = re.compile(rb"(evt_[0-9A-Z]{26}) ([iorn]) ([0-9]{12})\n")
_ABOUT: Final = frozenset({"version", "log", "key", "ranges", "prunes"})
_SELECTED: Final = frozenset({"event", "sponsor", "from", "to"})


@dataclass(frozen=True, slots=True)
class About:
    """``audit.json``, read; nothing of it is a reason to believe it.

    Attributes:
        log: the DID whose log it says it is.
        key: the note key it says.
        ranges: the entries in the bundle, as (start, end), in order, none touching the next.
        prunes: the entries that tell what was pruned.
        selected: what was asked for.
    """

    log: str
    key: str
    ranges: tuple[tuple[int, int], ...]
    prunes: tuple[int, ...]
    selected: JsonObject

    @classmethod
    def parse(cls, data: bytes) -> About:
        """Read it.

        Raises:
            Malformed: ``audit-bundle``. Undecided: ``unknown-version``.
        """
        try:
            value = parse_object(data, size=MAX_ABOUT, members=4 * MAX_RANGES)
            shape.closed(value, "audit.json", _ABOUT, _SELECTED)
            if shape.integer(value["version"], "version", 1) != 1:
                raise error("unknown-version", "audit.json of another version")
            return cls(
                did.check(value["log"]),
                shape.text(value["key"], "key", 1024),
                tuple(_ranges(value["ranges"])),
                tuple(_numbers(value["prunes"], "prunes")),
                _selected({name: value[name] for name in _SELECTED if name in value}),
            )
        except Error as exc:
            if exc.code == "unknown-version":
                raise
            raise error("audit-bundle", f"audit.json: {exc.code}: {exc.detail}") from None


def about_json(
    log: str,
    key: NoteKey,
    ranges: list[tuple[int, int]],
    prunes: list[int] | None = None,
    **selected: str | None,
) -> JsonObject:
    """What ``audit.json`` says; ``selected`` is what was asked for, in its own words.

    Raises:
        LimitExceeded: ``limit-items``.
    """
    if len(ranges) > MAX_RANGES:
        raise error("limit-items", f"a bundle has at most {MAX_RANGES} ranges: ask for less time")
    return {
        "version": 1,
        "log": log,
        "key": key.vkey,
        "ranges": [list(one) for one in ranges],
        "prunes": prunes or [],
        **{name: value for name, value in selected.items() if value is not None},
    }


def index_line(event: str, kind: str, number: int) -> bytes:
    """A line of the index; all have one length, and sort by event, then intent before outcome."""
    return f"{event} {_LETTERS.get(kind, '?')} {number:012d}\n".encode()


def read_index(data: bytes) -> list[tuple[str, str, int]]:
    """Lines of the index, as (event, type, number).

    Raises:
        Malformed: ``audit-bundle``.
    """
    lines = _LINE.findall(data)
    if len(lines) * INDEX_WIDTH != len(data):
        raise error("audit-bundle", "its index is damaged")
    return [(event.decode(), _TYPES[letter], int(number)) for event, letter, number in lines]


# --- inside -------------------------------------------------------------------------------------


def _ranges(value: Json) -> list[tuple[int, int]]:
    if type(value) is not list or len(value) > MAX_RANGES:
        raise error("shape", f"ranges is not a list of at most {MAX_RANGES}")
    out: list[tuple[int, int]] = []
    last = -1
    for one in value:
        if type(one) is not list or len(one) != 2:
            raise error("shape", "a range is [start, end]")
        start, end = (shape.integer(at, "ranges") for at in one)
        if not last < start < end <= MAX_SIZE:
            raise error("shape", "ranges that are empty, not in order, or touch")
        out.append((start, end))
        last = end
    return out


def _numbers(value: Json, where: str) -> list[int]:
    if type(value) is not list or len(value) > MAX_RANGES:
        raise error("shape", f"{where} is not a list of at most {MAX_RANGES}")
    return [shape.integer(one, where) for one in value]


def _selected(value: JsonObject) -> JsonObject:
    for name in ("from", "to"):
        if name in value:
            shape.time(value[name], name)
    if "sponsor" in value:
        did.check(value["sponsor"])
    if "event" in value and not is_event(value["event"]):
        raise error("shape", "event is no name of an event")
    return value
