"""Proofs that travel alone (C2SP tlog-proof): index, audit path and checkpoint in one text.

c2sp.org/tlog-proof@v1
extra <base64>                  (optional, and signed by nobody)
index 73894
<hash in base64, sibling of the leaf first>

<the checkpoint, as the log signed it>
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import error

from .checkpoint import MAX_CHECKPOINT, Checkpoint, open_checkpoint, parse_checkpoint
from .merkle import HASH, MAX_PROOF, check_inclusion, leaf_hash
from .note import NoteKey, b64_decode, b64_encode, parse_number, read_text

__all__ = ["MAX_EXTRA", "MAX_TEXT", "LogProof", "check", "export", "parse"]

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_EXTRA: Final = 1 << 16
"""Bytes of extra data."""
MAX_TEXT: Final = MAX_CHECKPOINT + 2 * MAX_EXTRA
"""Bytes of a whole proof."""


@dataclass(frozen=True, slots=True)
class LogProof:
    """A proof whose hashes and signatures nobody has looked at yet.

    ``checkpoint`` is a note's text; ``extra`` is authenticated by nothing.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def encode(self) -> str:
        """The proof as it is sent.

        Raises:
            Rejected: ``log-proof``, ``log-note``. LimitExceeded: ``limit-size``.
        """
        parse_checkpoint(self.checkpoint)
        if len(self.proof) > MAX_PROOF or any(len(one) != HASH for one in self.proof):
            raise error("log-proof", f"a proof is of at most {MAX_PROOF} hashes of 32 bytes")
        lines = [HEADER]
        if self.extra is not None:
            if not self.extra:
                raise error("log-proof", "extra data that is empty is left out")
            if len(self.extra) > MAX_EXTRA:
                raise error("limit-size", f"more than {MAX_EXTRA} bytes of extra data")
            lines.append(f"extra {b64_encode(self.extra)}")
        parse_number(str(self.index), "log-proof")
        lines += [f"index {self.index}", *map(b64_encode, self.proof), "", self.checkpoint]
        return "\n".join(lines)


def export(index: int, proof: Sequence[bytes], checkpoint: str, extra: bytes | None = None) -> str:
    """A proof that an entry stands at an index of the tree of a checkpoint.

    Raises:
        Rejected: ``log-proof``, ``log-note``. LimitExceeded: ``limit-size``.
    """
    return LogProof(index, tuple(proof), checkpoint, extra).encode()


def parse(data: bytes | str) -> LogProof:
    """Inverse of `export`; any other spelling is refused, and nothing is believed yet.

    Raises:
        Rejected: ``log-proof``, ``log-note``. LimitExceeded: ``limit-size``.
        Malformed: ``encoding``.
    """
    text = read_text(data, MAX_TEXT, "log-proof")
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n", MAX_PROOF + 4)
    if not blank or lines.pop(0) != HEADER:
        raise error("log-proof", "not a proof that begins as tlog-proof@v1 does")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = b64_decode(lines.pop(0).removeprefix("extra "), "log-proof")
    if not lines or not lines[0].startswith("index "):
        raise error("log-proof", "a proof without the index of its entry")
    index = parse_number(lines.pop(0).removeprefix("index "), "log-proof")
    found = LogProof(
        index, tuple(b64_decode(line, "log-proof") for line in lines), checkpoint, extra
    )
    if found.encode() != text:
        raise error("log-proof", "a proof that is not spelled as proofs are")
    return found


def check(
    data: bytes | str,
    entry: bytes,
    key: NoteKey,
    witnesses: Collection[NoteKey] = (),
    quorum: int = 0,
    *,
    origin: str | None = None,
) -> tuple[LogProof, Checkpoint]:
    """That a proof shows these bytes as an entry of the log with this key.

    Args: see `open_checkpoint`.

    Raises:
        Rejected: ``log-proof``, ``log-note``. Undecided: ``log-witness``.
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    found = parse(data)
    head = open_checkpoint(found.checkpoint, key, witnesses, quorum, origin=origin)
    check_inclusion(leaf_hash(entry), found.index, head.size, found.proof, head.root)
    return found, head
