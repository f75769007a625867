"""Checkpoints (C2SP tlog-checkpoint) and what witnesses put below them (tlog-cosignature).

A checkpoint is a signed note whose text is the log's origin, its size and its root hash:

    acme.example/ans
    2
    <root hash in base64>

    — acme.example/ans <id and Ed25519 signature in base64>
    — witness.example/w1 <id, time and cosignature in base64>
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import error

from .merkle import EMPTY_ROOT, HASH, MAX_SIZE
from .note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteKey,
    NoteSigner,
    Signature,
    b64_decode,
    b64_encode,
    parse_number,
    verified,
)

__all__ = [
    "MAX_CHECKPOINT",
    "Checkpoint",
    "add_signatures",
    "cosign",
    "cosigned",
    "open_checkpoint",
    "parse_checkpoint",
    "sign_checkpoint",
]

MAX_CHECKPOINT: Final = 1 << 16
"""Bytes of a checkpoint with all its signatures."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: ``size`` leaves under ``root``.

    Raises:
        Rejected: ``log-note`` for an origin, size, root or extension that none has.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH:
            raise error("log-note", "a checkpoint of no tree")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise error("log-note", "an empty tree whose root is not that of the empty tree")
        if not all((self.origin, *self.extensions)):
            raise error("log-note", "a checkpoint with an empty line")
        if any("\n" in line for line in (self.origin, *self.extensions)):
            raise error("log-note", "a line of a checkpoint has no newline within")

    @classmethod
    def empty(cls, origin: str) -> Checkpoint:
        """The head of a log that has no entry yet."""
        return cls(origin, 0, EMPTY_ROOT)

    @property
    def text(self) -> str:
        """The note text that is signed."""
        lines = (self.origin, str(self.size), b64_encode(self.root), *self.extensions)
        return "".join(line + "\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Inverse of `text`; any other spelling is ``log-note``."""
        lines = text.split("\n")
        if len(lines) < 4:
            raise error("log-note", "a checkpoint has an origin, a size and a root")
        found = cls(lines[0], parse_number(lines[1]), b64_decode(lines[2]), tuple(lines[3:-1]))
        if found.text != text:
            raise error("log-note", "a checkpoint that is not spelled as checkpoints are")
        return found


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """A checkpoint signed by its log.

    Raises:
        Rejected: ``log-note`` when the signer is not of kind 0x01.
    """
    text = checkpoint.text
    return Note(text, (signer.sign(text),)).encode()


def parse_checkpoint(data: bytes | str) -> tuple[Checkpoint, Note]:
    """A checkpoint whose signatures nobody has looked at yet, and its note.

    Raises:
        Rejected: ``log-note``. LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    note = Note.parse(data, MAX_CHECKPOINT)
    return Checkpoint.parse(note.text), note


def open_checkpoint(
    data: bytes | str,
    key: NoteKey,
    witnesses: Collection[NoteKey] = (),
    quorum: int = 0,
    *,
    origin: str | None = None,
) -> Checkpoint:
    """A checkpoint that its log signed and enough witnesses cosigned.

    Args:
        key: the log's, of kind 0x01.
        witnesses: those that count, of kind 0x04; each counts once, by its key, and never
            where it is the log's own key.
        quorum: how many of them must have cosigned.
        origin: the log's origin where it is not the key's name.

    Raises:
        Rejected: ``log-note`` for its form, its origin, or a signature of one of these keys.
        Undecided: ``log-witness`` for too few witnesses.
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    checkpoint, note = parse_checkpoint(data)
    if key.kind != ED25519:
        raise error("log-note", "a log's key is of kind 0x01")
    if checkpoint.origin != (key.name if origin is None else origin):
        raise error("log-note", "a checkpoint of another log")
    if not verified(note, (key,)):
        raise error("log-note", "the log did not sign this checkpoint")
    times = cosigned(note, witnesses)
    found = len({one.public for one in times} - {key.public})
    if found < quorum:
        raise error("log-witness", f"{found} witnesses cosigned, {quorum} are needed")
    return checkpoint


def cosigned(note: Note, witnesses: Collection[NoteKey]) -> dict[NoteKey, int]:
    """Which witnesses cosigned a note, and when (the latest, in POSIX seconds).

    Raises:
        Rejected: ``log-note`` for a witness key of another kind, or a cosignature that does
            not fit.
    """
    if any(one.kind != COSIGNATURE for one in witnesses):
        raise error("log-note", "a witness's key is of kind 0x04")
    times: dict[NoteKey, int] = {}
    for signature in verified(note, witnesses):
        key = next(one for one in witnesses if signature.by(one))
        times[key] = max(signature.time, times.get(key, 0))
    return times


def cosign(checkpoint: Checkpoint, witness: NoteSigner, at: int) -> Signature:
    """A witness's cosignature: that at this time it knew of no larger tree of this log.

    Args:
        at: POSIX seconds.

    Raises:
        Rejected: ``log-note`` when the signer is not of kind 0x04.
    """
    return witness.sign(checkpoint.text, at)


def add_signatures(data: bytes | str, signatures: Iterable[Signature]) -> str:
    """A checkpoint with further lines below it; lines that it has already are not repeated.

    Raises:
        Rejected: ``log-note``. LimitExceeded: ``limit-size``.
    """
    _, note = parse_checkpoint(data)
    lines = dict.fromkeys((*note.signatures, *signatures))
    text = Note(note.text, tuple(lines)).encode()
    parse_checkpoint(text)
    return text
