"""Targets for the formats of the transparency log, each held against a second reading of it.

The second readings are regular expressions and the standard library, straight from C2SP: what
one accepts, so does the other, and it means the same; what is accepted has no other spelling.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable
from typing import Any, Final

from ans.log.naive import LOG, OTHER, WITNESS, Log
from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import (
    Checkpoint,
    add_signatures,
    cosign,
    open_checkpoint,
    parse_checkpoint,
)
from delegant.ans.log.merkle import consistency, inclusion
from delegant.ans.log.note import Note, NoteKey, open_note, sign
from delegant.ans.log.tlogproof import export, parse
from delegant.ans.log.witness import Request, Witness
from delegant.credentials import Error
from fuzz.oracle import expect, result, settled
from fuzz.texts import text_of

__all__ = [
    "bundle_bytes", "bundles", "checkpoint_text", "checkpoints", "note_text", "notes",
    "path_text", "paths", "proof_text", "proofs", "request_text", "requests",
]  # fmt: skip

TREE: Final = Log(300)
HEAD: Final = TREE.head()
SIGNED: Final = add_signatures(
    TREE.publish(), [cosign(HEAD, WITNESS, 1_700_000_000), cosign(HEAD, OTHER, 7)]
)
OLD: Final = Checkpoint(HEAD.origin, 200, bytes(32))
_HASH: Final = r"[A-Za-z0-9+/]{43}="
_NUMBER: Final = r"0|[1-9][0-9]{0,18}"


def _second(reading: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return reading(data)
    except (ValueError, struct.error):  # Unicode, base64 and match errors are of the first
        return None


def _match(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text, re.DOTALL)
    if found is None:
        raise ValueError(pattern)
    return found


def _base64(text: str, least: int, most: int) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text or not least <= len(raw) <= most:
        raise ValueError(text)
    return raw


def _number(text: str) -> int:
    if int(text) >= 1 << 63:
        raise ValueError(text)
    return int(text)


def _note(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    text = data.decode()
    if re.search("[\x00-\x09\x0b-\x1f]", text):
        raise ValueError("control")
    found = _match(r"(.*\n)\n((?:— [^\s+]+ [A-Za-z0-9+/=]+\n){1,64})", text)
    lines = [line.split(" ") for line in found[2].split("\n")[:-1]]
    if any(len(name.encode()) > 255 for _, name, _ in lines):
        raise ValueError("long name")
    return found[1], [(name, _base64(value, 5, 1 << 17)) for _, name, value in lines]


def _checkpoint(data: bytes) -> tuple[str, int, bytes]:
    text, _ = _note(data)
    found = _match(rf"([^\n]+)\n({_NUMBER})\n({_HASH})\n(?:[^\n]+\n)*", text)
    size, root = _number(found[2]), _base64(found[3], 32, 32)
    if size == 0 and root != Checkpoint.empty("x").root:
        raise ValueError("empty")
    return found[1], size, root


def _proof(data: bytes) -> tuple[int, list[bytes], bytes | None]:
    found = _match(
        r"c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]+)\n)?"
        rf"index ({_NUMBER})\n((?:{_HASH}\n){{0,64}})\n(.*)",
        data.decode(),
    )
    _checkpoint(found[4].encode())
    hashes = [_base64(line, 32, 32) for line in found[3].split("\n")[:-1]]
    extra = None if found[1] is None else _base64(found[1], 1, 1 << 16)
    return _number(found[2]), hashes, extra


def _request(data: bytes) -> tuple[int, list[bytes]]:
    found = _match(rf"old ({_NUMBER})\n((?:{_HASH}\n){{0,63}})\n(.*)", data.decode())
    _checkpoint(found[3].encode())
    return _number(found[1]), [_base64(line, 32, 32) for line in found[2].split("\n")[:-1]]


def _bundle(data: bytes) -> list[bytes]:
    entries, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at)
        entries.append(struct.unpack_from(f"{length}s", data, at + 2)[0])
        at += 2 + length
    if len(entries) > 256:
        raise ValueError("many")
    return entries


def _path(data: bytes) -> tuple[int | None, int, int]:
    found = _match(
        r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]*))?",
        data.decode("ascii"),
    )
    index = int(found[2].replace("x", "").replace("/", "") + found[3])
    if found[2].startswith("x000") or index >= 1 << 55 or int(found[4] or 1) > 255:
        raise ValueError("number")
    return None if found[1] == "entries" else int(found[1]), index, int(found[4] or 256)


def _agree(mine: Any, other: Any, data: bytes) -> bool:
    """Whether both accept; a `Finding` where one does and the other does not."""
    if isinstance(mine, Error):
        expect(other is None, "good bytes were refused", mine, data)
        return False
    expect(other is not None, "bad bytes were accepted", mine, data)
    return True


# --- the targets ---------------------------------------------------------------------------


def note_text(data: bytes) -> None:
    """A note reads as its grammar says, and opens only where a known key signed its text."""
    mine, other = settled(lambda: Note.parse(data)), _second(_note, data)
    if _agree(mine, other, data):
        assert isinstance(mine, Note)
        lines = [(one.name, one.id + one.value) for one in mine.signatures]
        expect((mine.text, lines) == other, "read otherwise", mine, other)
        expect(mine.encode().encode() == data, "not its one spelling", data)
    opened = settled(lambda: open_note(data, [LOG.key]))
    if not isinstance(opened, Error):
        expect(f"{opened.text}\n" in _SIGNED_TEXTS, "a text that nobody signed", opened.text)


def checkpoint_text(data: bytes) -> None:
    """A checkpoint reads as its grammar says, and only the signed one opens."""
    mine, other = settled(lambda: parse_checkpoint(data)), _second(_checkpoint, data)
    if _agree(mine, other, data):
        assert not isinstance(mine, Error)
        head = mine[0]
        expect((head.origin, head.size, head.root) == other, "read otherwise", head, other)
        expect(result(lambda: Checkpoint.parse(head.text)) == head, "not its text", head)
    opened = settled(lambda: open_checkpoint(data, LOG.key, _WITNESSES, 1))
    if not isinstance(opened, Error):
        expect(opened == HEAD, "a checkpoint that nobody signed", opened)


def proof_text(data: bytes) -> None:
    """A log proof reads as its grammar says, and has no other spelling."""
    mine, other = settled(lambda: parse(data)), _second(_proof, data)
    if _agree(mine, other, data):
        assert not isinstance(mine, Error)
        same = (mine.index, list(mine.proof), mine.extra) == other
        expect(same, "read otherwise", mine, other)
        expect(mine.encode().encode() == data, "not its one spelling", data)


def request_text(data: bytes) -> None:
    """A request reads as its grammar says; whatever comes, the witness answers, and keeps rightly.

    Only the checkpoints that the log signed are kept.
    """
    mine, other = settled(lambda: Request.parse(data)), _second(_request, data)
    if _agree(mine, other, data):
        assert not isinstance(mine, Error)
        expect((mine.old, list(mine.proof)) == other, "read otherwise", mine, other)
        expect(mine.encode().encode() == data, "not its one spelling", data)
    witness = Witness(WITNESS, {LOG.key.name: [LOG.key]})
    for have in (None, OLD, HEAD):
        answer = witness.decide(data, lambda _, have=have: have, 7)  # type: ignore[misc]
        expect(answer.status in {200, 400, 403, 404, 409, 422}, "no such status", answer)
        expect((answer.status == 200) == (answer.keep is not None), "kept without a yes", answer)
        expect((answer.status == 400) >= isinstance(mine, Error), "malformed, and no 400", answer)
        if answer.keep is not None:
            expect(answer.keep == HEAD and have is not OLD, "kept what was not signed", answer)


def bundle_bytes(data: bytes) -> None:
    """A bundle is its entries and nothing else."""
    mine, other = settled(lambda: tiles.unpack(data)), _second(_bundle, data)
    if _agree(mine, other, data):
        assert not isinstance(mine, Error)
        expect(mine == other, "read otherwise", mine, other)
        expect(tiles.pack(mine) == data, "not its one spelling", data)


def path_text(data: bytes) -> None:
    """A path reads as its grammar says, and has no other spelling."""
    text = text_of(data)
    mine, other = settled(lambda: tiles.parse_path(text)), _second(_path, data)
    if isinstance(mine, Error) and mine.code == "limit-size":
        expect(len(text) > tiles.MAX_PATH, "within the limit, and refused", text)
    elif _agree(mine, other, data):
        assert not isinstance(mine, Error)
        expect((mine.level, mine.index, mine.width) == other, "read otherwise", mine, other)
        expect(mine.path == text, "not its one spelling", text)


# --- where they start ----------------------------------------------------------------------

_WITNESSES: Final[tuple[NoteKey, ...]] = (WITNESS.key, OTHER.key)
_NOTES: Final = [sign(text, LOG) for text in ("a\n", "\n", "a\n\nb\n", "é—+ \n", HEAD.text)]
_SIGNED_TEXTS: Final = {note.rpartition("\n\n")[0] + "\n\n" for note in (*_NOTES, SIGNED)}


def notes() -> list[bytes]:
    """Notes of several texts and signers."""
    return [note.encode() for note in (*_NOTES, SIGNED, _NOTES[0] + _NOTES[0].split("\n\n")[1])]


def checkpoints() -> list[bytes]:
    """Checkpoints with and without witnesses, of no entry, and with an extension."""
    heads = [Checkpoint.empty("a/b"), Checkpoint("a b", 2**63 - 1, bytes(32), ("x", "y z"))]
    return [
        SIGNED.encode(),
        TREE.publish().encode(),
        *(sign(one.text, LOG).encode() for one in heads),
    ]


def proofs() -> list[bytes]:
    """Proofs with and without extra data and hashes."""
    return [
        export(70, inclusion(70, 300, TREE.read), SIGNED).encode(),
        export(299, inclusion(299, 300, TREE.read), SIGNED, b"extra").encode(),
        export(0, [], Log(1).publish()).encode(),
    ]


def requests() -> list[bytes]:
    """Requests of a first checkpoint, of one again, and of one that continues another."""
    between = tuple(consistency(200, 300, TREE.read))
    some = [Request(0, (), SIGNED), Request(300, (), SIGNED), Request(200, between, SIGNED)]
    return [one.encode().encode() for one in some]


def bundles() -> list[bytes]:
    """Bundles of no entry, an empty one, a few, and as many as there may be."""
    return [b"", tiles.pack([b""]), tiles.pack(TREE.entries[:3]), tiles.pack([b"x"] * 256)]


def paths() -> list[bytes]:
    """Paths of tiles and bundles, full and partial, and one that is too far."""
    some = [tiles.path(0, 0), tiles.path(63, 1_234_067), tiles.path(1, 273, 112),
            tiles.bundle_path(5), tiles.bundle_path(1_067, 255)]  # fmt: skip
    return [*(one.encode() for one in some), b"tile/0/x036/x028/x797/x018/x963/968"]
