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

from collections.abc import Iterable
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
from delegant.credentials.errors import Error, NotFound, error
from delegant.wallet import files

from .checking import Records, Verified, entry_name
from .reading import AuditBundle, Believed

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
    _led_to(reader, head, same)  # (3)
    Records(bundle, reader, out).check()
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


def _led_to(reader: LogReader, head: Checkpoint, same: int) -> None:
    """The tiles of the right edge lead to the root; entries before ``same`` are known to."""
    try:
        if reader.root(head.size) != head.root:
            raise error("log-proof", "the tiles do not lead to the checkpoint's root")
    except NotFound as exc:
        raise error("audit-bundle", f"a tile is missing: {exc.detail}") from None
    except Error as exc:
        if exc.code == "log-proof" and exc.dimension is None:
            raise error("log-proof", exc.detail, dimension=entry_name(same)) from None
        raise
