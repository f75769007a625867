"""Whether an audit bundle is what its log signed, whole and in order; offline, record by record.

1. *Checkpoint.* Signed by the log's key as the auditor has it, and by enough witnesses.
2. *Kept checkpoints.* The log that was seen before is the beginning of this one: a smaller log is
   ``log-rollback``, another one ``log-split``.
3. *Entries.* Each is in the tree of the checkpoint, in its place (``log-proof``). Those that were
   left out are told of by a notice in the log.
4. *Records.* Each is a record of this log, names the entry before it by digest, and is no earlier
   in time. An event has one intent and at most one outcome, which comes later and in the same
   names (``audit-entry``).
5. *Exhibits.* What records name by digest has that digest, and the chain that a record names is
   that of its agent and its sponsor (``audit-exhibit``, ``audit-entry``).
6. *Index.* It has a line for each record, and no other.

The first of these that fails is raised; where one entry is to blame, ``dimension`` is that of the
first: ``entry 17``. Nobody's authority is judged here, for that see `tracing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from delegant.ans.log import merkle, tiles
from delegant.ans.log.checkpoint import (
    MAX_CHECKPOINT,
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
)
from delegant.ans.log.reading import LogReader
from delegant.credentials.codec import digest
from delegant.credentials.errors import Error, NotFound, error
from delegant.wallet import files

from .checking import Records, Verified, entry_name
from .reading import AuditBundle, Believed
from .record import parse_record

__all__ = ["kept_checkpoints", "verify_bundle"]

MAX_KEPT: Final = 10_000


def verify_bundle(
    bundle: AuditBundle, believed: Believed, kept: Iterable[Checkpoint] = ()
) -> Verified:
    """Verify all of a bundle.

    Args:
        believed: the log's key, from the auditor's own trust.
        kept: checkpoints of this log that were seen before, verified (`kept_checkpoints`).

    Raises:
        Rejected: ``log-note``, ``log-rollback``, ``log-split``, ``log-proof``, ``audit-entry``,
            ``audit-no-sponsor``, ``audit-exhibit``.
        Undecided: ``log-witness``, ``audit-incomplete``.
        Malformed: ``audit-bundle`` and the codes of what is read.
    """
    reader = bundle.reader(believed)
    head = reader.checkpoint()  # (1)
    out = Verified(bundle.log_of(believed), head)
    same = _continued(bundle, head, kept, out)  # (2)
    try:
        _led_to(reader, head)  # (3)
        Records(bundle, reader, out).check()
    except Error as exc:
        if exc.code != "log-proof":
            raise
        raise _located(bundle, head, same, exc) from None
    return out


def kept_checkpoints(path: Path, believed: Believed) -> list[Checkpoint]:
    """The checkpoints of this log in a file, or in the files of a folder.

    Those of other logs are passed over.

    Raises:
        NotFound: ``not-found`` where there is none of this log: then nothing could be compared.
        Rejected: ``log-note`` for one in its name that it did not sign.
        LimitExceeded: ``limit-items``, ``limit-size``.
    """
    names = sorted(path.iterdir()) if path.is_dir() else [path]
    if len(names) > MAX_KEPT:
        raise error("limit-items", f"more than {MAX_KEPT} checkpoints")
    found = []
    for name in names:
        if name.is_dir() or (name.name.startswith(".") and name != path):
            continue
        data = files.read(name, size=MAX_CHECKPOINT)
        one, _ = parse_checkpoint(data)
        if one.origin == believed.key.name:
            found.append(open_checkpoint(data, believed.key))
    if not found:
        raise error("not-found", f"no checkpoint of {believed.key.name} in {path.name}")
    return found


# --- the tree -----------------------------------------------------------------------------------


def _continued(
    bundle: AuditBundle, head: Checkpoint, kept: Iterable[Checkpoint], out: Verified
) -> int:
    """How many entries are those of a checkpoint kept before.

    The tiles are taken as they lie there: a root that the log signed proves them.
    """

    def raw(level: int, index: int, width: int) -> bytes:
        have = merkle.width(head.size, level, index)
        return bundle.fetch(tiles.path(level, index, have))[: merkle.HASH * width]

    same = 0
    for one in sorted(kept, key=lambda one: one.size):
        if one.size > head.size:
            raise error(
                "log-rollback",
                f"a checkpoint kept before has {one.size} entries, this log ends after {head.size}",
                dimension=entry_name(head.size),
            )
        try:
            root = merkle.root(one.size, raw)
        except NotFound:
            raise error(
                "audit-incomplete",
                f"the bundle has not the tiles to compare a checkpoint of {one.size} entries",
            ) from None
        if root != one.root:
            raise error(
                "log-split",
                f"not the log of the checkpoint of {one.size} entries kept before: "
                f"it differs somewhere from entry {same} on",
                dimension=entry_name(same),
            )
        same = one.size
        out.kept += 1
    return same


def _led_to(reader: LogReader, head: Checkpoint) -> None:
    """The tiles of the right edge lead to the root."""
    try:
        if reader.root(head.size) != head.root:
            raise error("log-proof", "the tiles do not lead to the checkpoint's root")
    except NotFound as exc:
        raise error("audit-bundle", f"a tile is missing: {exc.detail}") from None


def _located(bundle: AuditBundle, head: Checkpoint, same: int, refused: Error) -> Error:
    """A refusal with the first entry to blame, as near as that can be told.

    Where tiles were changed with their entries, the tree only tells that something is wrong below
    them. Those before ``same`` are known to be right, and the entries' own digests of each other
    tell where they do not fit.
    """
    first = same
    if refused.dimension is not None:
        number = int(refused.dimension.removeprefix("entry "))
        if not refused.detail.startswith("tile "):
            return refused  # an entry that is not its tile's
        first = max(same, number)
    broken = _broken(bundle, head, first)
    if broken is None:
        return error("log-proof", refused.detail, dimension=entry_name(first))
    told = f"{refused.detail}; the digests of entries break at {entry_name(broken)} or the next"
    return error("log-proof", told, dimension=entry_name(broken))


def _broken(bundle: AuditBundle, head: Checkpoint, first: int) -> int | None:
    """The first entry from a number on that the next does not name, or that names another.

    Nothing is proven here: entries are taken as they lie there.
    """
    for start, end in bundle.about.ranges:
        before: bytes | None = None
        unfit = None
        for number, data in _lying(bundle, head, max(start, first - 1), min(end, head.size)):
            fits = before is None or not data or _previous(data) == digest(before)
            if unfit is not None:  # one that was put elsewhere fits neither before nor after
                return unfit if not fits else max(first, unfit - 1)
            if not fits:
                unfit = number
            before = data or None
        if unfit is not None:
            return max(first, unfit - 1)
    return None


def _lying(
    bundle: AuditBundle, head: Checkpoint, start: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """Entries by number, as far as they can be read."""
    for index in range(start // tiles.FULL, -(-end // tiles.FULL)):
        width = merkle.width(head.size, 0, index)
        try:
            entries = tiles.unpack(bundle.fetch(tiles.bundle_path(index, width)))
        except Error:
            return
        for number, data in enumerate(entries, index * tiles.FULL):
            if start <= number < end:
                yield number, data


def _previous(data: bytes) -> str | None:
    try:
        return parse_record(data).previous
    except Error:
        return None
