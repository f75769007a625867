"""Byte strings of one file, each written once and mostly as pieces of those before it.

A blob is base64, or a list of pieces: base64; ``[name, start, end]``, bytes of another blob of
the file, which is plain base64; or ``[base64, times]``, bytes that repeat. Honest documents are
the same in most cases, so the pieces are what a case changed.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from limbo.forge import encoded

GRAM = 32
"""Bytes that must agree before a copy is thought of."""
LEAST = 64
"""The shortest copy; below that, base64 is as short."""
PLAIN = 0.5
"""A blob of which more than this is new stands as it is, and others may copy from it."""
REPEATS = 32_768
"""Longer byte strings are searched for repetition instead."""
_RUN = re.compile(rb"(.{1,64}?)\1{255,}", re.DOTALL)
Piece = str | list[Any]


class Blobs:
    """The blobs of one file, in the order they were put."""

    def __init__(self) -> None:
        self.written: dict[str, str | list[Piece]] = {}
        self._plain: dict[str, bytes] = {}
        self._grams: dict[bytes, tuple[str, int]] = {}

    def put(self, data: bytes) -> str:
        """The name of a byte string, which is written if it is new."""
        name = hashlib.sha256(data).hexdigest()[:16]
        if name not in self.written:
            self.written[name] = self._write(name, data)
        return name

    def _write(self, name: str, data: bytes) -> str | list[Piece]:
        if len(data) > REPEATS and (repeated := runs(data)):
            return repeated
        pieces, new = self._copies(data)
        if pieces and new <= len(data) * PLAIN:
            return pieces
        self._plain[name] = data
        for at in range(len(data) - GRAM + 1):
            self._grams.setdefault(data[at : at + GRAM], (name, at))
        return encoded(data)

    def _copies(self, data: bytes) -> tuple[list[Piece], int]:
        """Pieces, and how many bytes of them are new."""
        pieces: list[Piece] = []
        at = begun = new = 0
        while at < len(data):
            found = self._grams.get(data[at : at + GRAM])
            length = self._agreeing(data, at, found) if found else 0
            if not found or length < LEAST:
                at += 1
                continue
            if at > begun:
                pieces.append(encoded(data[begun:at]))
                new += at - begun
            pieces.append([found[0], found[1], found[1] + length])
            at += length
            begun = at
        if begun < len(data):
            pieces.append(encoded(data[begun:]))
            new += len(data) - begun
        return pieces, new

    def _agreeing(self, data: bytes, at: int, found: tuple[str, int]) -> int:
        """How many bytes from here on are those of the other blob from there on."""
        other, start = self._plain[found[0]], found[1]
        length, step = GRAM, 1024
        most = min(len(data) - at, len(other) - start)
        while step:
            end = length + step
            if end <= most and data[at + length : at + end] == other[start + length : start + end]:
                length = end
            else:
                step //= 2
        return length


def runs(data: bytes) -> list[Piece]:
    """Pieces that repeat and what stands between them; nothing where nothing repeats."""
    pieces: list[Piece] = []
    end = 0
    for run in _RUN.finditer(data):
        if run.start() > end:
            pieces.append(encoded(data[end : run.start()]))
        pieces.append([encoded(run[1]), len(run[0]) // len(run[1])])
        end = run.end()
    if pieces and end < len(data):
        pieces.append(encoded(data[end:]))
    return pieces
