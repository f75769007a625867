"""Reading an audit bundle: nothing in it is believed for lying there, nor because it says so."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from delegant.ans.log.fetching import FolderFetch, most
from delegant.ans.log.note import COSIGNATURE, ED25519, NoteKey
from delegant.ans.log.reading import LogReader
from delegant.credentials import Evidence, Presentation, Trust, shape
from delegant.credentials.codec import JsonObject, digest, is_digest
from delegant.credentials.errors import Error, NotFound, error
from delegant.wallet import files

from .archive import Archive
from .contents import INDEX_WIDTH, MAX_ABOUT, About, read_index
from .exhibit import MAX_EXHIBIT, manifest_digests, opened
from .record import MAX_OPENING, Record, input_hash, is_event, parse_opening, parse_record

__all__ = ["AuditBundle", "Believed", "Places", "read_entry"]

LINES: Final = 4
"""More lines of the index than an event has."""


@dataclass(frozen=True, slots=True)
class Believed:
    """An audit log as its auditor knows it.

    Attributes:
        key: what its checkpoints are signed with.
        witnesses, quorum: how many of which must have cosigned.
        log: the DID whose log it is; None where only the key is known.
    """

    key: NoteKey
    witnesses: tuple[NoteKey, ...] = ()
    quorum: int = 0
    log: str | None = None

    @classmethod
    def of(cls, trust: Trust, log: str) -> Believed:
        """From a trust folder.

        Raises:
            Undecided: ``key-unresolved`` where the folder names no such log.
            Rejected: ``log-note`` for what is no note key of its kind.
        """
        peer = trust.audits.get(log)
        if peer is None or peer.log is None:
            raise error("key-unresolved", f"the trust folder names no audit log of {log}")
        key = NoteKey.parse(peer.log)
        witnesses = tuple([NoteKey.parse(text) for text in peer.witnesses])
        if key.kind != ED25519 or any(one.kind != COSIGNATURE for one in witnesses):
            raise error("log-note", f"a note key of {log} is of another kind")
        return cls(key, witnesses, peer.quorum, log)


class Places(NamedTuple):
    """The numbers of an event's records; None where the bundle has none of that type."""

    intent: int | None = None
    outcome: int | None = None
    refusal: int | None = None
    notice: int | None = None


class AuditBundle:
    """A zip file or a folder; use as a context manager.

    Attributes:
        about: ``audit.json``.

    Raises:
        NotFound: ``not-found``. Unavailable: ``unavailable``.
        Malformed: ``audit-bundle`` for what is none; ``limit-*``.
    """

    def __init__(self, path: Path) -> None:
        self._source: Archive | _Folder = _Folder(path) if path.is_dir() else Archive(path)
        try:
            self.about = self._about()
        except BaseException:
            self._source.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def _about(self) -> About:
        try:
            return About.parse(self._source.read("audit.json", MAX_ABOUT))
        except NotFound:
            raise error("audit-bundle", "it has no audit.json") from None

    def log_of(self, believed: Believed) -> str:
        """Whose log it is of.

        Raises:
            Malformed: ``audit-bundle`` for another log than the one believed.
        """
        if believed.log not in {None, self.about.log}:
            told = f"it is of the log of {self.about.log}, not of {believed.log}"
            raise error("audit-bundle", told)
        return self.about.log

    # --- the log --------------------------------------------------------------------------------

    def fetch(self, name: str) -> bytes:
        """A `Fetch` of the log: its checkpoint, a tile, a bundle of entries."""
        return self._source.read(name, most(name))

    def reader(self, believed: Believed) -> LogReader:
        """What reads the log under its own key, whatever the bundle says."""
        return LogReader(
            self.fetch, believed.key, witnesses=believed.witnesses, quorum=believed.quorum
        )

    def has(self, number: int) -> bool:
        """Whether an entry should be in the bundle."""
        at = bisect_left(self.about.ranges, (number + 1,)) - 1
        return at >= 0 and number < self.about.ranges[at][1]

    # --- the index ------------------------------------------------------------------------------

    def places(self, event: str) -> Places:
        """Where an event's records stand, says the index; a few reads, however long it is.

        Raises:
            NotFound: ``not-found`` for an event the index does not have.
            Malformed: ``audit-bundle``, ``shape`` for what is no name of an event.
        """
        if not is_event(event):
            raise error("shape", f"{event[:64]!r} is not the name of an event: evt_ and a ULID")
        low, high = 0, self._lines()
        while low < high:
            middle = (low + high) // 2
            if read_index(self._part(middle, 1))[0][0] < event:
                low = middle + 1
            else:
                high = middle
        lines = read_index(self._part(low, min(LINES, self._lines() - low)))
        found = {kind: number for name, kind, number in lines if name == event}
        if not found:
            raise error("not-found", f"{event} is not in this bundle")
        return Places(**found)

    def index(self) -> Iterator[bytes]:
        """The index, piece by piece."""
        count = self._lines()
        for at in range(0, count, 4096):
            yield self._part(at, min(4096, count - at))

    def _lines(self) -> int:
        try:
            size = self._source.length("index")
        except NotFound:
            raise error("audit-bundle", "it has no index") from None
        if size % INDEX_WIDTH:
            raise error("audit-bundle", "its index is damaged")
        return size // INDEX_WIDTH

    def _part(self, at: int, count: int) -> bytes:
        return self._source.part("index", at * INDEX_WIDTH, count * INDEX_WIDTH)

    # --- what lies beside the log ---------------------------------------------------------------

    def exhibit(self, name: str) -> bytes:
        """The bytes with this digest.

        Raises:
            Undecided: ``audit-incomplete`` where they are not in the bundle.
            Rejected: ``audit-exhibit`` where others are. LimitExceeded: ``limit-size``.
        """
        if not is_digest(name):
            raise error("shape", "an exhibit is named by its digest")
        try:
            data = self._source.read(f"exhibits/{name}", MAX_EXHIBIT)
        except NotFound:
            raise error("audit-incomplete", f"exhibit {name} is not in this bundle") from None
        if digest(data) != name:
            raise error("audit-exhibit", f"exhibit {name} has another digest")
        return data

    def links(self, record: Record) -> list[JsonObject | str]:
        """The links of a record, root first, as they were presented.

        Raises:
            As `exhibit`; Malformed: ``json`` and its like.
        """
        return [self._opened(one["digestMultibase"]) for one in record.chain]

    def presentation(self, record: Record, opening: JsonObject | None = None) -> Presentation:
        """The chain of a record, with its invocation and approvals where they were disclosed.

        Raises:
            As `links`; Malformed: the codes of phases 2 and 3.
        """
        value: JsonObject = {"links": self.links(record)}
        for name in ("invocation", "approvals"):
            if opening is not None and name in opening:
                value[name] = opening[name]
        return Presentation.from_json(value)

    def evidence(self, record: Record) -> Evidence:
        """What was known of the people and agents of a record when it was written.

        Raises:
            As `presentation`.
        """
        name = record.json["evidence"]
        if name is None:
            return Evidence()
        return Evidence.from_json(
            {
                group: [self._opened(item) for item in items]
                for group, items in self.manifest(name).items()
            }
        )

    def manifest(self, name: str) -> dict[str, list[str]]:
        """The digests of the items of evidence, by group.

        Raises:
            As `exhibit`.
        """
        data = self.exhibit(name)
        try:
            return manifest_digests(data)
        except Error as exc:
            raise error("audit-exhibit", f"exhibit {name} lists no evidence: {exc}") from None

    def _opened(self, name: str) -> JsonObject | str:
        return opened(self.exhibit(name), name)

    def opening(self, record: Record) -> JsonObject | None:
        """What opens a record's digests; None where it is not disclosed.

        Raises:
            Rejected: ``audit-exhibit`` where it opens another record. LimitExceeded: ``limit-*``.
        """
        try:
            data = self._source.read(f"openings/{record.event}", MAX_OPENING)
        except NotFound:
            return None
        told = f"the opening of {record.event} is not that of the record"
        try:
            value = parse_opening(data)
            shape.closed(value, "opening", frozenset({"salt", "request"}), _OPENED)
            if input_hash(value) != record.json["inputHash"]:
                raise error("audit-exhibit", told)
            jws = value.get("invocation")
            if jws is not None and type(jws) is not str:
                raise error("shape", "invocation is not a compact JWS")
            if (None if jws is None else digest(jws.encode())) != record.json["invocation"]:
                raise error("audit-exhibit", f"{told}: another invocation")
        except Error as exc:
            if exc.code == "audit-exhibit":
                raise
            raise error("audit-exhibit", f"{told}: {exc.detail}") from None
        return value


_OPENED: Final = frozenset({"invocation", "approvals", "input"})


def read_entry(data: bytes, number: int, log: str | None) -> Record:
    """An entry of a log as a record of it.

    Raises:
        Rejected: ``audit-no-sponsor``, ``audit-entry``; ``dimension`` is the entry.
    """
    where = f"entry {number}"
    try:
        record = parse_record(data)
    except Error as exc:
        raise error(exc.code, f"{where}: {exc.detail}", dimension=where) from None
    if log is not None and record.log != log:
        raise error("audit-entry", f"{where} is of the log of {record.log}", dimension=where)
    return record


# --- inside -------------------------------------------------------------------------------------


class _Folder:
    """A bundle that lies unpacked in a folder; nothing outside it is read."""

    def __init__(self, path: Path) -> None:
        self._root = Path(os.path.realpath(path))
        self._tiles = FolderFetch(path)

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, name: str, size: int) -> bytes:
        """As `Archive.read`."""
        if name.startswith("tile/"):
            return self._tiles(name)
        return files.read(self._place(name), size=size)

    def length(self, name: str) -> int:
        """As `Archive.length`."""
        try:
            return self._place(name).stat().st_size
        except OSError:
            raise error("not-found", f"there is no {name}") from None

    def part(self, name: str, start: int, count: int) -> bytes:
        """As `Archive.part`."""
        try:
            with self._place(name).open("rb") as source:
                source.seek(start)
                data = source.read(count)
        except OSError as exc:
            raise error("unavailable", f"cannot read {name}: {exc.strerror}") from None
        if len(data) != count:
            raise error("audit-bundle", f"{name} ends too soon")
        return data

    def _place(self, name: str) -> Path:
        target = Path(os.path.realpath(self._root / name))
        if not target.is_relative_to(self._root):
            raise error("not-found", f"{name} is a link that leads out of the folder")
        return target
