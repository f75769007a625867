"""Signed notes (C2SP signed-note): a text, a blank line, and a line for each signature.

    — <key name> <base64 of a 4-byte key id and the signature>

A note has one spelling: what is parsed is written again and must be the same. Two kinds of key
are known: 0x01, Ed25519 over the text, and 0x04, the timed cosignature of a witness (C2SP
tlog-cosignature, ``cosignature/v1``). Lines of unknown keys are ignored, as the specification
demands; a line of a known key that does not verify condemns the note.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from delegant.credentials import PrivateKey, PublicKey
from delegant.credentials.errors import error

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "MAX_NAME",
    "MAX_NOTE",
    "MAX_NUMBER",
    "MAX_SIGNATURES",
    "Note",
    "NoteKey",
    "NoteSigner",
    "Signature",
    "b64_decode",
    "b64_encode",
    "open_note",
    "parse_lines",
    "parse_number",
    "read_text",
    "sign",
    "verified",
]

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MAX_NOTE: Final = 1 << 17
"""Bytes of a note: 16 signatures of 5 kB each fit, as the specification asks."""
MAX_SIGNATURES: Final = 64
MAX_NAME: Final = 255
"""Bytes of a key name."""
MAX_NUMBER: Final = 2**63 - 1
"""The largest size, index and time."""
_DASH: Final = "\u2014 "


def b64_encode(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def b64_decode(text: str, code: str = "log-note") -> bytes:
    """Inverse of `b64_encode`; any other spelling is refused with the code."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise error(code, "not base64") from None
    if b64_encode(data) != text:
        raise error(code, "not the canonical spelling in base64")
    return data


def parse_number(text: str, code: str = "log-note") -> int:
    """A decimal number without leading zeros, up to 2^63 - 1; else refused with the code."""
    if not (0 < len(text) <= 19 and text.isascii() and text.isdigit()):
        raise error(code, "not a number in decimal")
    number = int(text)
    if str(number) != text or number > MAX_NUMBER:
        raise error(code, "a number with leading zeros, or out of range")
    return number


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key by name, that verifies lines of its own name and id.

    Args:
        name: for a log its origin; without spaces and ``+``.
        kind: `ED25519` or `COSIGNATURE`.

    Raises:
        Rejected: ``log-note`` for a name or kind that no key has.
    """

    name: str
    kind: int
    public: PublicKey

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in {ED25519, COSIGNATURE}:
            raise error("log-note", f"keys of kind {self.kind:#04x} are not known here")

    @property
    def id(self) -> bytes:
        """The four bytes that name the key together with its name."""
        material = bytes([self.kind]) + self.public.raw
        return hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]

    @property
    def vkey(self) -> str:
        """``name+hexid+base64(kind || key)``: the public form."""
        return f"{self.name}+{self.id.hex()}+{b64_encode(bytes([self.kind]) + self.public.raw)}"

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """Inverse of `vkey`.

        Raises:
            Rejected: ``log-note``, ``key-weak``. LimitExceeded: ``limit-size``.
        """
        if len(vkey) > MAX_NAME + 64:
            raise error("limit-size", "a verifier key is shorter")
        name, _, rest = vkey.partition("+")  # base64 may have a + of its own
        _, _, text = rest.partition("+")
        material = b64_decode(text)
        if len(material) != 33:
            raise error("log-note", "a verifier key is name+id+base64 of 33 bytes")
        key = cls(name, material[0], PublicKey(material[1:]))
        if key.vkey != vkey:
            raise error("log-note", "a verifier key whose id is not its own")
        return key

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether the bytes after the id are this key's signature over a note text."""
        if self.kind == ED25519:
            return self.public.verify(signature, text.encode())
        if len(signature) != 72 or (time := int.from_bytes(signature[:8], "big")) > MAX_NUMBER:
            return False
        return self.public.verify(signature[8:], _cosigned(text, time))


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; ``value`` is what follows the four bytes of the id."""

    name: str
    id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {b64_encode(self.id + self.value)}\n"

    @property
    def time(self) -> int:
        """When a cosignature was made, in POSIX seconds."""
        return int.from_bytes(self.value[:8], "big")

    def by(self, key: NoteKey) -> bool:
        """Whether the line says it is this key's."""
        return self.name == key.name and self.id == key.id


class NoteSigner:
    """A private key by name.

    Args:
        kind: `ED25519` for a log, `COSIGNATURE` for a witness.
    """

    __slots__ = ("_private", "key")

    key: NoteKey

    def __init__(self, name: str, private: PrivateKey, kind: int = ED25519) -> None:
        self.key = NoteKey(name, kind, private.public)
        self._private = private

    def sign(self, text: str, at: int | None = None) -> Signature:
        """Its signature over a note text.

        Args:
            at: POSIX seconds, which a cosignature carries and a plain signature does not.

        Raises:
            Rejected: ``log-note`` for a text that no note has, or when the kind of key and
                the time do not fit each other.
            LimitExceeded: ``limit-size``. Malformed: ``encoding``.
        """
        read_text(text, MAX_NOTE)
        if (self.key.kind == COSIGNATURE) != (at is not None):
            raise error("log-note", "a cosignature carries a time, another signature none")
        if at is None:
            value = self._private.sign(text.encode())
        else:
            if not 0 <= at <= MAX_NUMBER:
                raise error("log-note", "a time that is out of range")
            value = at.to_bytes(8, "big") + self._private.sign(_cosigned(text, at))
        return Signature(self.key.name, self.key.id, value)


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> str:
        """The note as it is sent.

        Raises:
            Rejected: ``log-note`` for a text or number of signatures that no note has.
        """
        if not self.text.endswith("\n") or _has_control(self.text):
            raise error("log-note", "a note text ends in a newline and has no other control")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise error("log-note", f"a note has 1 to {MAX_SIGNATURES} signatures")
        return self.text + "\n" + "".join(one.line for one in self.signatures)

    @classmethod
    def parse(cls, data: bytes | str, size: int = MAX_NOTE) -> Note:
        """A note whose signatures nobody has looked at yet.

        Raises:
            Rejected: ``log-note``. LimitExceeded: ``limit-size``. Malformed: ``encoding``.
        """
        text = read_text(data, size)
        body, blank, lines = text.rpartition("\n\n")
        if not blank:
            raise error("log-note", "a note without a blank line before its signatures")
        note = cls(body + "\n", parse_lines(lines))
        if note.encode() != text:
            raise error("log-note", "a note that is not spelled as notes are")
        return note


def sign(text: str, *signers: NoteSigner) -> str:
    """A note over a text by each of the signers (kind `ED25519`).

    Raises:
        Rejected: ``log-note`` for a text that no note has.
    """
    return Note(text, tuple(signer.sign(text) for signer in signers)).encode()


def open_note(data: bytes | str, keys: Collection[NoteKey], size: int = MAX_NOTE) -> Note:
    """A note that at least one of the keys signed, with the signatures of those keys alone.

    Raises:
        Rejected: ``log-note`` when none signed it, or a signature of one does not fit.
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    note = Note.parse(data, size)
    good = verified(note, keys)
    if not good:
        raise error("log-note", "no known key signed this note")
    return Note(note.text, good)


def verified(note: Note, keys: Collection[NoteKey]) -> tuple[Signature, ...]:
    """The signatures of these keys; the others are passed over.

    Raises:
        Rejected: ``log-note`` when a signature of one of them does not fit.
    """
    good = []
    for one in note.signatures:
        for key in keys:
            if one.by(key):
                if not key.verify(note.text, one.value):
                    raise error("log-note", f"a signature of {key.name} does not fit")
                good.append(one)
                break
    return tuple(good)


def parse_lines(text: str) -> tuple[Signature, ...]:
    """Signature lines, each with its newline: what a witness answers.

    Raises:
        Rejected: ``log-note``.
    """
    lines = text.split("\n", MAX_SIGNATURES)
    if lines.pop():
        raise error("log-note", f"at most {MAX_SIGNATURES} signature lines, each ends in a newline")
    return tuple(_parse_line(line) for line in lines)


def read_text(data: bytes | str, size: int, code: str = "log-note") -> str:
    """Text of at most ``size`` bytes of UTF-8 without any control but the newline.

    Raises:
        LimitExceeded: ``limit-size``. Malformed: ``encoding``. Rejected: the code.
    """
    if len(data) > size:
        raise error("limit-size", f"more than {size} bytes")
    try:
        raw = data.encode() if isinstance(data, str) else data
        text = raw.decode()
    except ValueError:
        raise error("encoding", "not UTF-8") from None
    if len(raw) > size:
        raise error("limit-size", f"more than {size} bytes")
    if _has_control(text):
        raise error(code, "a control character")
    return text


def _parse_line(line: str) -> Signature:
    name, _, text = line.removeprefix(_DASH).partition(" ")
    _check_name(name)
    raw = b64_decode(text)
    if not line.startswith(_DASH) or len(raw) < 5:
        raise error("log-note", "a signature line is a dash, a name, an id and a signature")
    return Signature(name, raw[:4], raw[4:])


def _check_name(name: str) -> None:
    try:
        raw = name.encode()
    except ValueError:
        raise error("encoding", "not UTF-8") from None
    if not 0 < len(raw) <= MAX_NAME or "+" in name or any(map(str.isspace, name)):
        raise error("log-note", "a key name is not empty, not long, and has no space and no +")
    if _has_control(name):
        raise error("log-note", "a control character")


def _has_control(text: str) -> bool:
    return min(text.replace("\n", " "), default=" ") < " "


def _cosigned(text: str, time: int) -> bytes:
    """What a ``cosignature/v1`` signs."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()
