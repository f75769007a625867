"""A zip file written so that the same members give the same bytes, and read as a stranger's.

What is read is bounded before it is read: the directory by `MAX_DIRECTORY`, a member by what its
reader allows, whatever its header says. A name is only ever looked up, never followed: nothing is
unpacked anywhere. The checksums of the format are not looked at: what a member holds is held to
digests and signatures by whoever asks for it, which can then say what is wrong.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple, Self

from delegant.credentials.errors import Error, error
from delegant.wallet import files

__all__ = ["MAX_DIRECTORY", "MAX_MEMBERS", "Archive", "ArchiveWriter", "writing"]

MAX_DIRECTORY: Final = 128 * 1024 * 1024
MAX_MEMBERS: Final = 1_000_000
CHUNK: Final = 256 * 1024

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_ENTRY: Final = struct.Struct("<4s4xHH4x4xLLHHH2x2x4xL")
_LOCAL: Final = struct.Struct("<4s22xHH")
_STORED: Final = 0
_DEFLATED: Final = 8
_LONG: Final = 0xFFFFFFFF


class _Member(NamedTuple):
    """Where a member lies, as the directory says."""

    method: int
    packed: int
    size: int
    offset: int


class Archive:
    """A zip file, open for reading; use as a context manager.

    Args:
        path: a regular file.

    Raises:
        NotFound: ``not-found``. Unavailable: ``unavailable`` where the system refuses.
        Malformed: ``audit-bundle`` for what is no zip file, or one that needs more than reading:
        several disks, encryption, other packing, a comment at its end, a name twice.
        LimitExceeded: ``limit-size``, ``limit-items``.
    """

    def __init__(self, path: Path) -> None:
        self._handle = _open(path)
        try:
            self._end = os.fstat(self._handle).st_size
            self._members, self._start = self._directory()
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def read(self, name: str, size: int) -> bytes:
        """A member whole, of at most ``size`` bytes.

        Raises:
            NotFound: ``not-found``. LimitExceeded: ``limit-size``. Malformed: ``audit-bundle``.
        """
        found, at = self._at(name)
        if found.size > size:
            raise error("limit-size", f"{name} has more than {size} bytes")
        if found.method == _STORED:
            return self._bytes(at, found.size)
        reader, out, end = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), at + found.packed
        try:
            while at < end and not reader.eof:
                chunk = self._bytes(at, min(CHUNK, end - at))
                at += len(chunk)
                out += reader.decompress(chunk, found.size + 1 - len(out))
                if len(out) > found.size:
                    break
        except zlib.error:
            raise _broken(f"{name} does not unpack") from None
        if len(out) != found.size or not reader.eof:
            raise _broken(f"{name} is not as long as the file says")
        return bytes(out)

    def length(self, name: str) -> int:
        """How many bytes a member has that is not packed.

        Raises:
            NotFound: ``not-found``. Malformed: ``audit-bundle`` for one that is packed.
        """
        found, _ = self._at(name)
        if found.method != _STORED:
            raise _broken(f"{name} is packed")
        return found.size

    def part(self, name: str, start: int, count: int) -> bytes:
        """Some bytes of a member that is not packed, without reading the others.

        Raises:
            As `length`.
        """
        found, at = self._at(name)
        if found.method != _STORED or not 0 <= start <= start + count <= found.size:
            raise _broken(f"{name} has no bytes {start} to {start + count}")
        return self._bytes(at + start, count)

    # --- inside ---------------------------------------------------------------------------------

    def _at(self, name: str) -> tuple[_Member, int]:
        """A member, and where its bytes begin."""
        raw = name.encode()
        found = self._members.get(raw)
        if found is None:
            raise error("not-found", f"there is no {name}")
        magic, named, extra = _LOCAL.unpack(self._bytes(found.offset, _LOCAL.size))
        at = found.offset + _LOCAL.size
        if magic != b"PK\3\4" or self._bytes(at, named) != raw:
            raise _broken(f"{name} is not where the file says")
        return found, at + named + extra

    def _bytes(self, at: int, count: int) -> bytes:
        """So many bytes of what is before the directory."""
        if not 0 <= at <= at + count <= self._start:
            raise _broken("a member outside the file")
        return self._read(at, count)

    def _read(self, at: int, count: int) -> bytes:
        try:
            data = os.pread(self._handle, count, at)
        except (OSError, OverflowError, ValueError) as exc:
            raise error("unavailable", f"the bundle cannot be read: {exc}") from None
        if len(data) != count:
            raise _broken("it ends too soon")
        return data

    def _directory(self) -> tuple[dict[bytes, _Member], int]:
        """Every member by its name, and where the directory begins."""
        end = self._end - _END.size
        if end < 0:
            raise _broken("it is too short for a zip file")
        magic, disk, first, here, count, size, start, comment = _END.unpack(
            self._read(end, _END.size)
        )
        if magic != b"PK\5\6" or comment:
            raise _broken("it does not end as a zip file does")
        if self._read(max(0, end - _LOCATOR.size), 4) == b"PK\6\7":  # written where it need not be
            disk, first, here, count, size, start, end = self._long(end)
        if disk or first or here != count:
            raise _broken("a zip file of several disks")
        if count > MAX_MEMBERS:
            raise error("limit-items", f"a bundle has at most {MAX_MEMBERS} members")
        if size > MAX_DIRECTORY:
            raise error("limit-size", f"a directory of more than {MAX_DIRECTORY} bytes")
        if start + size != end:
            raise _broken("its directory is not where it says")
        members = _members(self._read(start, size), count)
        return members, start

    def _long(self, end: int) -> tuple[int, int, int, int, int, int, int]:
        """The end of a zip file that is large, or has many members (ZIP64)."""
        at = end - _LOCATOR.size - _END64.size
        if at < 0:
            raise _broken("it is too short for what it says")
        data = self._read(at, _END64.size + _LOCATOR.size)
        magic, own, _, _, disk, first, here, count, size, start = _END64.unpack(data[: _END64.size])
        locator, on, where, disks = _LOCATOR.unpack(data[_END64.size :])
        if magic != b"PK\6\6" or locator != b"PK\6\7" or where != at:
            raise _broken("it does not end as a large zip file does")
        if own != _END64.size - 12 or on or disks > 1:
            raise _broken("a zip file of several disks, or of a later kind")
        return disk, first, here, count, size, start, at


def _members(data: bytes, count: int) -> dict[bytes, _Member]:
    members: dict[bytes, _Member] = {}
    at, end, head = 0, len(data), _ENTRY.size
    for _ in range(count):
        if at + head > end:
            raise _broken("its directory ends too soon")
        magic, flags, method, packed, size, named, extra, comment, offset = _ENTRY.unpack_from(
            data, at
        )
        at += head
        name = data[at : at + named]
        if magic != b"PK\1\2" or len(name) != named or name in members:
            raise _broken("its directory is damaged, or names a member twice")
        if flags & 0x2041 or method not in {_STORED, _DEFLATED}:
            raise _broken("a member is encrypted, or packed in another way")
        if _LONG in (packed, size, offset):
            packed, size, offset = _longer(
                data[at + named : at + named + extra], packed, size, offset
            )
        if method == _STORED and packed != size:
            raise _broken("a member of two lengths")
        members[name] = _Member(method, packed, size, offset)
        at += named + extra + comment
    if at != end:
        raise _broken("its directory has another length")
    return members


def _longer(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The numbers of a member that do not fit into 32 bits."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != 1:
            continue
        if length % 8 or len(body) != length:
            break
        long = iter(struct.unpack(f"<{length // 8}Q", body))
        numbers = [next(long, _LONG) if one == _LONG else one for one in (size, packed, offset)]
        return numbers[1], numbers[0], numbers[2]
    raise _broken("a member without its length")


def _open(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise error("not-found", f"there is no file {path.name}") from None
    except (OSError, ValueError) as exc:
        raise error("unavailable", f"cannot read {path.name}: {exc}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _broken(f"{path.name} is not a file")
    return handle


def _broken(why: str) -> Error:
    return error("audit-bundle", why)


# --- writing ------------------------------------------------------------------------------------


class ArchiveWriter:
    """Adds members, in the order they will lie in; see `writing`."""

    def __init__(self, target: zipfile.ZipFile) -> None:
        self._target, self._count = target, 0

    def add(self, name: str, data: bytes, *, packed: bool = True) -> None:
        """Add a member whole.

        Raises:
            LimitExceeded: ``limit-items`` for more than are ever read.
        """
        kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self._target.writestr(self._about(name, kind), data)

    @contextmanager
    def stream(self, name: str) -> Iterator[IO[bytes]]:
        """Add a member bit by bit, not packed, so that any part of it can be read alone.

        Raises:
            As `add`.
        """
        about = self._about(name, zipfile.ZIP_STORED)
        with self._target.open(about, "w", force_zip64=True) as out:
            yield out

    def _about(self, name: str, kind: int) -> zipfile.ZipInfo:
        """A member without a time of its own: the same members are the same bytes."""
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise error("limit-items", f"a bundle has at most {MAX_MEMBERS} members")
        about = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        about.compress_type = kind
        about.create_system = 3
        about.external_attr = 0o644 << 16
        return about


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """Write a zip file: it is there once the block is left, and whole (`files.writing`).

    Raises:
        OSError: as the system says.
    """
    with (
        files.writing(path) as out,
        zipfile.ZipFile(out, "w") as target,
    ):
        yield ArchiveWriter(target)
