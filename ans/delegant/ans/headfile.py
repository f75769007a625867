"""The checkpoint file of a log, outside its database: what is published."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

from delegant.credentials.errors import Error, error
from delegant.wallet import files

from .log.checkpoint import Checkpoint, open_checkpoint
from .log.note import NoteKey

__all__ = ["HeadFile", "opened"]

KEPT: Final = 1024
MAX_NOTE: Final = 16_384


class HeadFile:
    """What a log has published.

    Args:
        path: of the file. key: the log's.
    """

    def __init__(self, path: Path, key: NoteKey) -> None:
        self.key = key
        self._path = path
        self._text = str(path)

    def published(self) -> Checkpoint:
        """What the checkpoint file says.

        Raises:
            Rejected: ``log-note``. Unavailable: ``unavailable``.
        """
        return opened(self.text(), self.key)

    def mark(self) -> object:
        """What is another one whenever the checkpoint file is."""
        try:
            found = os.stat(self._text)
        except OSError:
            return object()  # like no other
        return found.st_ino, found.st_mtime_ns, found.st_size

    def text(self) -> str:
        """The checkpoint file."""
        try:
            return files.read(self._path, size=MAX_NOTE).decode("utf-8")
        except (Error, UnicodeDecodeError):
            raise error("unavailable", "the checkpoint file cannot be read") from None


@lru_cache(KEPT)
def opened(note: str, key: NoteKey) -> Checkpoint:
    """A checkpoint, as `open_checkpoint`; its signature is checked once for the same bytes."""
    return open_checkpoint(note, key)
