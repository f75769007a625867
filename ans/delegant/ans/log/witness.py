"""Witnesses (C2SP tlog-witness): who cosigns a checkpoint that continues the last one it saw.

A request of ``add-checkpoint`` is

    old <size of the last checkpoint the witness cosigned>
    <consistency proof, a hash in base64 a line, 63 at most>

    <the new checkpoint>

`Witness.decide` is pure: the last checkpoint cosigned goes in, the answer and the checkpoint to
keep come out. The caller holds a lock from reading that state until the new one is on disk
(fsync), and only then sends the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import Error, error

from .checkpoint import (
    MAX_CHECKPOINT,
    Checkpoint,
    add_signatures,
    cosign,
    cosigned,
    parse_checkpoint,
)
from .merkle import HASH, check_consistency
from .note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteKey,
    NoteSigner,
    b64_decode,
    b64_encode,
    parse_lines,
    parse_number,
    read_text,
    verified,
)

__all__ = [
    "MAX_ANSWER",
    "MAX_REQUEST",
    "SIZE_TYPE",
    "TEXT_TYPE",
    "Decision",
    "Request",
    "Witness",
    "collect",
]

MAX_LINES: Final = 63
"""Most lines of a consistency proof."""
MAX_REQUEST: Final = MAX_CHECKPOINT + 4096
"""Bytes of a request."""
MAX_ANSWER: Final = 1 << 14
"""Bytes of an answer with cosignatures."""
TEXT_TYPE: Final = "text/plain; charset=utf-8"
SIZE_TYPE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Request:
    """An ``add-checkpoint``: the consistency proof from ``old`` to ``checkpoint`` (a note)."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def encode(self) -> str:
        """The request body.

        Raises:
            Rejected: ``log-note``. LimitExceeded: ``limit-size``.
        """
        parse_checkpoint(self.checkpoint)
        parse_number(str(self.old))
        if len(self.proof) > MAX_LINES or any(len(one) != HASH for one in self.proof):
            raise error("log-note", f"a request has at most {MAX_LINES} hashes of 32 bytes")
        lines = [f"old {self.old}", *map(b64_encode, self.proof), "", self.checkpoint]
        return "\n".join(lines)

    @classmethod
    def parse(cls, data: bytes | str) -> Request:
        """Inverse of `encode`; any other spelling is refused, and nothing is believed yet.

        Raises:
            Rejected: ``log-note``. LimitExceeded: ``limit-size``. Malformed: ``encoding``.
        """
        text = read_text(data, MAX_REQUEST)
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n", MAX_LINES + 2)
        first = lines.pop(0)
        if not blank or not first.startswith("old "):
            raise error("log-note", "a request begins with the old size, and has a checkpoint")
        old = parse_number(first.removeprefix("old "))
        found = cls(old, tuple(map(b64_decode, lines)), checkpoint)
        if found.encode() != text:
            raise error("log-note", "a request that is not spelled as requests are")
        return found


@dataclass(frozen=True, slots=True)
class Decision:
    """What a witness answers, and what it has to keep before it does.

    ``keep`` is None unless ``status`` is 200; ``reason`` is for the witness's own log.
    """

    status: int
    content_type: str
    body: str
    keep: Checkpoint | None = None
    reason: str = ""


class Witness:
    """A witness for the logs it was told of.

    Args:
        signer: its key, of kind 0x04.
        logs: by origin, the keys of each log, of kind 0x01.

    Raises:
        Rejected: ``log-note`` for a key of another kind.
    """

    def __init__(self, signer: NoteSigner, logs: Mapping[str, Collection[NoteKey]]) -> None:
        if signer.key.kind != COSIGNATURE:
            raise error("log-note", "a witness signs with a key of kind 0x04")
        if any(key.kind != ED25519 for keys in logs.values() for key in keys):
            raise error("log-note", "a log's key is of kind 0x01")
        self.key = signer.key
        self._signer = signer
        self._logs = {origin: tuple(keys) for origin, keys in logs.items()}

    def decide(self, data: bytes, last: Callable[[str], Checkpoint | None], at: int) -> Decision:
        """The answer to a request: 200, 400, 403, 404, 409 or 422; nothing is raised for it.

        Args:
            data: the request body.
            last: the last checkpoint cosigned for an origin, None for none; asked only for a
                log that is known.
            at: POSIX seconds.
        """
        try:
            request = Request.parse(data)
            new, note = parse_checkpoint(request.checkpoint)
        except Error as exc:
            return _no(400, exc.detail)
        keys = self._logs.get(new.origin)
        if keys is None:
            return _no(404, "this log is not known here")
        try:
            if not verified(note, keys):
                return _no(403, "the log did not sign this checkpoint")
        except Error as exc:
            return _no(403, exc.detail)
        if request.old > new.size:
            return _no(400, "the old size is larger than the new one")
        have = last(new.origin)
        size = 0 if have is None else have.size
        if request.old != size:
            return Decision(409, SIZE_TYPE, f"{size}\n", None, "another size was cosigned last")
        if have is not None and new.size == size and new.root != have.root:
            return Decision(409, SIZE_TYPE, f"{size}\n", None, "a second root for one size")
        if have is None:
            have = Checkpoint.empty(new.origin)
        try:
            check_consistency(size, new.size, request.proof, have.root, new.root)
        except Error as exc:
            return _no(422, exc.detail)
        return Decision(200, TEXT_TYPE, cosign(new, self._signer, at).line, new)


def collect(checkpoint: str, answer: bytes | str, witnesses: Collection[NoteKey]) -> str:
    """A checkpoint with the cosignatures of known witnesses out of a witness's answer.

    Of each witness the newest is taken: one alone must not fill the note.

    Raises:
        Rejected: ``log-note`` for an answer that is no signature lines, or a cosignature of a
            known witness that does not fit. Undecided: ``log-witness`` for none of a known one.
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    lines = parse_lines(read_text(answer, MAX_ANSWER))
    _, note = parse_checkpoint(checkpoint)
    found = [one for one in lines if any(one.by(key) for key in witnesses)]
    if not found:
        raise error("log-witness", "no known witness cosigned")
    cosigned(Note(note.text, tuple(found)), witnesses)
    newest = {(one.name, one.id): one for one in sorted(found, key=lambda one: one.time)}
    return add_signatures(checkpoint, newest.values())


def _no(status: int, why: str) -> Decision:
    return Decision(status, TEXT_TYPE, f"{why}\n", None, why)
