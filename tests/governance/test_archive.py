"""Zip files of strangers: nothing they say makes us read more, or elsewhere, than we allow."""

from __future__ import annotations

import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.governance import archive
from delegant.governance.archive import Archive, writing
from refusal import refusal

TEXT = b"the quick brown fox " * 100


def made(path: Path) -> Path:
    with writing(path) as out:
        out.add("a/packed", TEXT)
        out.add("plain", TEXT, packed=False)
        with out.stream("long") as lines:
            lines.write(b"one ")
            lines.write(b"two ")
    return path


def code(path: Path, name: str = "a/packed", size: int = 4096) -> str:
    def read() -> None:
        with Archive(path) as found:
            found.read(name, size)

    return refusal(read)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with Archive(made(tmp_path / "z")) as found:
        assert found.read("a/packed", 2000) == TEXT
        assert found.read("plain", 2000) == TEXT
        assert found.part("plain", 4, 5) == b"quick"
        assert found.length("long") == 8


def test_others_can_read_it_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(made(tmp_path / "z")) as found:
        assert found.testzip() is None
        assert found.read("long") == b"one two "


def test_the_same_members_are_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "a").read_bytes() == made(tmp_path / "b").read_bytes()


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    def broken() -> None:
        with writing(tmp_path / "z") as out:
            out.add("a", TEXT)
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_what_others_pack_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a/packed", TEXT)
    assert code(tmp_path / "z") == ""


def test_a_large_file_is_read_with_its_long_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    with Archive(made(tmp_path / "z")) as found:
        assert b"PK\6\6" in (tmp_path / "z").read_bytes()
        assert found.read("a/packed", 2000) == TEXT
        assert found.part("plain", 4, 5) == b"quick"


# --- names and places ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../z", "/etc/passwd", "a", "a/packed/", "A/PACKED", "é", ""])
def test_a_name_is_only_looked_up(tmp_path: Path, name: str) -> None:
    assert code(made(tmp_path / "z"), name) == "not-found"


def test_no_other_kind_of_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code(tmp_path / "pipe") == "audit-bundle"
    assert code(tmp_path) == "audit-bundle"
    assert code(tmp_path / "none") == "not-found"


# --- sizes --------------------------------------------------------------------------------------


def test_a_member_is_read_up_to_what_is_allowed(tmp_path: Path) -> None:
    path = made(tmp_path / "z")
    assert code(path, size=len(TEXT)) == ""
    assert code(path, size=len(TEXT) - 1) == "limit-size"
    assert code(path, "plain", len(TEXT) - 1) == "limit-size"


def bomb(path: Path, said: int) -> Path:
    """A member of 64 MiB of zeros that says it is smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a/packed", bytes(64 << 20))
    data = path.read_bytes()
    where = data.rindex(b"PK\1\2")
    path.write_bytes(data[: where + 24] + struct.pack("<L", said) + data[where + 28 :])
    return path


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    seen = 0
    real = zlib.decompressobj

    class Counting:
        def __init__(self, bits: int) -> None:
            self._real = real(bits)

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal seen
            out = self._real.decompress(data, most)
            seen += len(out)
            return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompressobj", Counting)
        assert code(bomb(tmp_path / "z", 4096)) == "audit-bundle"
    assert seen <= 4097
    assert code(bomb(tmp_path / "y", 64 << 20), size=4096) == "limit-size"


def test_the_directory_and_the_number_of_members_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "z")
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    assert code(path) == ""
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    assert code(path) == "limit-items"
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 100)
    assert code(path) == "limit-size"


def test_nothing_is_written_that_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    assert code(made(tmp_path / "z")) == ""
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    assert refusal(lambda: made(tmp_path / "y")) == "limit-items"
    assert not (tmp_path / "y").exists()


# --- damage -------------------------------------------------------------------------------------


def changed(at: Callable[[bytes], int], put: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        where = at(data)
        return data[:where] + put + data[where + len(put) :]

    return change


def entry(offset: int) -> Callable[[bytes], int]:
    return lambda data: data.index(b"PK\1\2") + offset


def end(offset: int) -> Callable[[bytes], int]:
    return lambda data: len(data) - 22 + offset


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "cut short": lambda data: data[:-1],
    "more behind": lambda data: data + b"\0",
    "more before": lambda data: b"\0" + data,
    "a comment": changed(end(20), b"\1\0"),
    "two disks": changed(end(4), b"\1\0"),
    "another number of members": changed(end(8), b"\2\0\2\0"),
    "too many members": changed(end(8), b"\4\0\4\0"),
    "two numbers of members": changed(end(8), b"\2\0"),
    "another directory": changed(end(16), b"\0\0\0\0"),
    "a longer directory": changed(end(12), b"\xff\xff\xff\x00"),
    "long numbers that are not there": changed(end(16), b"\xff\xff\xff\xff"),
    "encrypted": changed(entry(8), b"\1\0"),
    "packed otherwise": changed(entry(10), b"\x0e\0"),
    "a longer name": changed(entry(28), b"\xff\xff"),
    "elsewhere": changed(entry(42), b"\5\0\0\0"),
    "beyond the end": changed(entry(42), b"\xff\xff\xff\x7f"),
    "a long place that is not there": changed(entry(42), b"\xff\xff\xff\xff"),
    "packed longer": changed(entry(20), b"\xff\xff\xff\x7f"),
    "packed shorter": changed(entry(20), b"\1\0\0\0"),
    "shorter": changed(entry(24), b"\1\0\0\0"),
    "longer": changed(entry(24), b"\xff\x0f\0\0"),
    "another name there": changed(lambda data: data.index(b"a/packed"), b"b"),
    "not packed data": changed(lambda data: data.index(b"a/packed") + 8, b"\xff\xff\xff"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "z")
    assert code(path) == ""
    path.write_bytes(DAMAGE[name](path.read_bytes()))
    assert code(path) == "audit-bundle"


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with writing(tmp_path / "z") as out:
        out.add("a/packed", TEXT)
        out.add("b/packed", TEXT)
    path = tmp_path / "z"
    assert code(path) == ""
    path.write_bytes(path.read_bytes().replace(b"b/packed", b"a/packed"))
    assert code(path) == "audit-bundle"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8), cut=st.booleans())
def test_whatever_is_done_to_it_it_is_read_or_refused(
    tmp_path: Path, seed: int, flips: int, cut: bool
) -> None:
    noise = random.Random(seed)
    data = bytearray(made(tmp_path / "z").read_bytes())
    for _ in range(flips):
        data[noise.randrange(len(data))] = noise.choice((0, 1, 0x7F, 0xFF, noise.randrange(256)))
    if cut:
        del data[noise.randrange(len(data)) :]
    (tmp_path / "z").write_bytes(bytes(data))
    for name in ("a/packed", "plain", "long"):
        try:
            with Archive(tmp_path / "z") as found:
                assert len(found.read(name, 4096)) <= 4096
                found.part(name, 0, found.length(name))
        except Error:
            continue
