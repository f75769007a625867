"""Durable files: the only functions of this room that write.

A write is all or nothing: a temporary file in the same folder, flushed to the disk, renamed
over the old one, and the folder flushed. Whoever reads sees the old bytes or the new ones.
`append_line` adds to a file of lines instead, where only the last line can ever be torn.
Secret files are 0600, never a symbolic link and never readable by others (``wallet-mode``).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from delegant.credentials import canonical
from delegant.credentials.codec import Json, JsonObject, parse
from delegant.credentials.errors import error

__all__ = [
    "MAX_FILE",
    "append_line",
    "lock",
    "make_folder",
    "move",
    "read",
    "read_object",
    "read_secret",
    "remove",
    "write",
    "write_json",
    "writing",
]

MAX_FILE: Final = 16 * 1024 * 1024
MAX_MEMBERS: Final = 1_000_000
"""Files of our own may hold many entries; what others send is held to the core's limits."""
PUBLIC: Final = 0o644
SECRET: Final = 0o600
POLL_SECONDS: Final = 0.001


def write(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Replace a file durably.

    Args:
        path: where; the folder must exist.
        secret: mode 0600 instead of 0644 (less the umask).

    Raises:
        Rejected: ``wallet-mode`` when a secret's place is taken by a symbolic link.
        OSError: as the system says.
    """
    with writing(path, secret=secret) as out:
        out.write(data)


@contextmanager
def writing(path: Path, *, secret: bool = False) -> Iterator[IO[bytes]]:
    """`write` bit by bit: the file is there once the block is left, and whole.

    Raises:
        As `write`; where the block raises, nothing was written.
    """
    if secret and path.is_symlink():
        raise error("wallet-mode", f"{path.name} is a symbolic link")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, SECRET if secret else PUBLIC)
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a secret file of lines, durably; others, in this process too, wait.

    A line that a crash tore stays where it is, and the next begins a line of its own. What the
    system took only in part is taken back.

    Args:
        path: where; the folder must exist, the file need not.
        line: without its end.

    Raises:
        Rejected: ``wallet-mode`` for a symbolic link, no regular file, or one that others can
        read. OSError: as the system says.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, SECRET)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO):
            raise error("wallet-mode", f"{path.name} is not a regular file") from None
        raise
    try:
        _private(path, os.fstat(handle))
        _flock(handle, None)
        end = os.fstat(handle).st_size
        whole = end == 0 or os.pread(handle, 1, end - 1) == b"\n"
        try:
            _write_all(handle, (b"" if whole else b"\n") + line + b"\n")
            os.fsync(handle)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(handle, end)
            raise
    finally:
        os.close(handle)
    if end == 0:
        _flush_folder(path.parent)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def write_json(path: Path, value: Json, *, secret: bool = False) -> None:
    """`write` the RFC 8785 bytes of a value and a newline."""
    write(path, canonical(value) + b"\n", secret=secret)


def move(source: Path, target: Path) -> None:
    """Put a file in another's place, durably; both lie in one folder."""
    source.replace(target)
    _flush_folder(target.parent)


def remove(path: Path) -> None:
    """Remove a file durably; one that is not there is fine."""
    path.unlink(missing_ok=True)
    _flush_folder(path.parent)


def make_folder(path: Path, *, secret: bool = False) -> None:
    """Make a folder and those above it; a secret one is 0700."""
    path.mkdir(mode=0o700 if secret else 0o755, parents=True, exist_ok=True)


def read(path: Path, *, size: int = MAX_FILE) -> bytes:
    """All bytes of a regular file.

    Raises:
        NotFound: ``not-found``. LimitExceeded: ``limit-size``.
        Unavailable: ``unavailable`` when the system refuses.
    """
    return _read(path, size, secret=False)


def read_secret(path: Path, *, size: int = 65_536) -> bytes:
    """`read`, and the file must be ours alone.

    Raises:
        Rejected: ``wallet-mode``; and what `read` raises.
    """
    return _read(path, size, secret=True)


def read_object(path: Path, *, size: int = MAX_FILE) -> JsonObject:
    """A JSON object from a file of ours, strictly read.

    Raises:
        Malformed: ``json``, ``encoding``, ``duplicate-member``, ``shape``; and what `read` raises.
    """
    value = parse(read(path, size=size), size=size, members=MAX_MEMBERS)
    if type(value) is not dict:
        raise error("shape", f"{path.name} is not a JSON object")
    return value


def _read(path: Path, size: int, *, secret: bool) -> bytes:
    flags = os.O_RDONLY | os.O_CLOEXEC | (os.O_NOFOLLOW | os.O_NONBLOCK if secret else 0)
    try:
        handle = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        raise error("not-found", f"there is no file {path.name}") from None
    except OSError as exc:
        if secret and exc.errno == errno.ELOOP:
            raise error("wallet-mode", f"{path.name} is a symbolic link") from None
        raise error("unavailable", f"cannot read {path.name}: {exc.strerror}") from None
    about = os.fstat(handle)
    if stat.S_ISDIR(about.st_mode):
        os.close(handle)
        raise error("not-found", f"{path.name} is a folder, not a file")
    with os.fdopen(handle, "rb") as source:
        if secret:
            _private(path, about)
        data = source.read(size + 1)
    if len(data) > size:
        raise error("limit-size", f"{path.name} is larger than {size} bytes")
    return data


def _private(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise error("wallet-mode", f"{path.name} is not a regular file")
    if about.st_mode & 0o077:
        told = f"{path.name} has mode {stat.S_IMODE(about.st_mode):04o}, not 0600"
        raise error("wallet-mode", told)
    if about.st_uid not in (os.geteuid(), 0):
        raise error("wallet-mode", f"{path.name} belongs to another user")


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def lock(folder: Path, name: str = ".lock", seconds: float | None = None) -> Iterator[None]:
    """Hold a folder for one state change; others, in this process too, wait.

    ``name``: of the lock, where only a part of the folder is to be held. ``seconds``: to wait at
    most, then ``TimeoutError``.

    Not reentrant: a function that holds it calls none that takes it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(folder / name, flags, SECRET)
    try:
        _flock(handle, seconds)  # released with the descriptor, and by death
        yield
    finally:
        os.close(handle)


def _flock(handle: int, seconds: float | None) -> None:
    if seconds is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise TimeoutError("another process holds the lock") from None
            time.sleep(POLL_SECONDS)
