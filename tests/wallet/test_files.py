"""Durable writes: the old bytes or the new ones, and nothing left behind."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from delegant.credentials import Error
from delegant.wallet import files


def test_a_write_replaces_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    files.write(path, b"old")

    def torn(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", torn)
        with pytest.raises(OSError, match="No space"):
            files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    files.write(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_write_is_flushed_before_it_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    order: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        order.append("fsync")
        real_sync(handle)

    def replace(old: Path, new: Path) -> Path:
        order.append("rename")
        return real_replace(old, new)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    files.write(path, b"x")
    assert order == ["fsync", "rename", "fsync"]  # the file, its name, the folder


@pytest.mark.parametrize(("secret", "mode"), [(True, 0o600), (False, 0o644)])
def test_secrets_are_0600_whatever_the_umask(tmp_path: Path, secret: bool, mode: int) -> None:
    old = os.umask(0)
    try:
        files.write(tmp_path / "x", b"x", secret=secret)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


def test_a_secret_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"old")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(Error, match="wallet-mode"):
        files.write(tmp_path / "link", b"new", secret=True)
    assert victim.read_bytes() == b"old"


def test_reading_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(Error, match="not-found"):
        files.read(tmp_path / "none")
    files.write(tmp_path / "x", b"12345")
    with pytest.raises(Error, match="limit-size"):
        files.read(tmp_path / "x", size=4)
    assert files.read(tmp_path / "x", size=5) == b"12345"
    with pytest.raises(Error, match="not-found"):
        files.read(tmp_path / "x" / "below")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Error, match="not-found"):
        files.read(tmp_path)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"[]", "shape"), (b'{"a":1,"a":2}', "duplicate-member"), (b"{", "json"),
     (b"\xff", "encoding")],
)  # fmt: skip
def test_json_is_read_strictly(tmp_path: Path, data: bytes, code: str) -> None:
    files.write(tmp_path / "x", data)
    with pytest.raises(Error, match=code):
        files.read_object(tmp_path / "x")
    files.write_json(tmp_path / "x", {"a": 1})
    assert files.read_object(tmp_path / "x") == {"a": 1}


def test_the_lock_is_one_at_a_time_also_between_threads(tmp_path: Path) -> None:
    count = 0

    def add() -> None:
        nonlocal count
        for _ in range(20):
            with files.lock(tmp_path):
                seen = count
                threading.Event().wait(0.0005)
                count = seen + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == 80
