"""The records of a log, one by one and verified, from a bundle or from the log itself.

Wherever entries are left out there is a None in their place: before the first, between two, behind
the last. Whoever looks for what is missing must know where nothing could be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from delegant.ans.log import tiles
from delegant.credentials import PublicKey, Trust
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, NotFound

from .matching import Exhibit, Opening
from .reading import AuditBundle, Believed, read_entry
from .record import Record, parse_opening
from .verifying import verify_bundle

if TYPE_CHECKING:
    from .auditlog import AuditReader  # needs the extra

__all__ = ["Source", "bundle_source", "log_source"]

FULL: Final = tiles.FULL


@dataclass(frozen=True, slots=True)
class Source:
    """One side of `matching.match`: whose log, its receipt keys, and what to read of it."""

    log: str
    keys: tuple[PublicKey, ...]
    records: Iterator[Record | None]
    exhibit: Exhibit
    opening: Opening


def bundle_source(bundle: AuditBundle, trust: Trust) -> Source:
    """A bundle, verified whole before anything of it is handed out.

    Args:
        trust: the auditor's own; it names the log and its keys.

    Raises:
        As `verify_bundle`; Undecided: ``key-unresolved`` for a log it does not name.
    """
    believed = Believed.of(trust, bundle.about.log)
    verify_bundle(bundle, believed)

    def exhibit(name: str) -> bytes | None:
        try:
            return bundle.exhibit(name)
        except Error:
            return None  # not there, or another: it proves nothing

    return Source(
        bundle.about.log,
        trust.audits[bundle.about.log].keys,
        _of_bundle(bundle, believed),
        exhibit,
        bundle.opening,
    )


def _of_bundle(bundle: AuditBundle, believed: Believed) -> Iterator[Record | None]:
    reader = bundle.reader(believed)
    size, after = reader.head.size, 0
    for start, end in bundle.about.ranges:
        if start > after:
            yield None
        for number, data in enumerate(reader.entries(start, end, gaps=True), start):
            yield read_entry(data, number, bundle.about.log) if data else None
        after = end
    if after < size:
        yield None


def log_source(log: AuditReader) -> Source:
    """A log in the hands of whoever keeps it, up to its checkpoint of now.

    Raises:
        Unavailable: ``unavailable`` for a store that does not verify.
    """

    def exhibit(name: str) -> bytes | None:
        with log.store.transaction(reading=True) as db:
            return log.store.exhibit(db, name)

    def opening(record: Record) -> JsonObject | None:
        with log.store.transaction(reading=True) as db:
            data = log.store.opening(db, record.event)
        return None if data is None else parse_opening(data)

    return Source(log.id, log.settings.keys, _of_log(log), exhibit, opening)


def _of_log(log: AuditReader) -> Iterator[Record | None]:
    size = log.book.head().size
    for start in range(0, size, FULL):
        width = min(FULL, size - start)
        try:
            some: list[bytes] = tiles.unpack(log.book.bundle(start // FULL, width))
        except NotFound:
            some = _what_is_left(log, start, width)
        for number, data in enumerate(some, start):
            yield read_entry(data, number, log.id) if data else None


def _what_is_left(log: AuditReader, start: int, width: int) -> list[bytes]:
    """Entries of which some were pruned, each proven by itself; nothing where one is gone."""
    found: list[bytes] = []
    with log.store.transaction(reading=True) as db:
        for number in range(start, start + width):
            try:
                found.append(log.book.entry(db, number))
            except NotFound:
                found.append(b"")
    return found
