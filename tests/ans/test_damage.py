"""A damaged store: the registry then cannot answer, and never answers wrongly."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, Naming
from delegant.ans.store import Store
from delegant.credentials import Unavailable
from delegant.credentials.codec import parse_object


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    """NAME is registered and once renewed; another name was revoked."""
    out = Naming(tmp_path / "registry.db")
    first = out.register()
    out.send(out.event("renew", receipt=first))
    other = NAME.replace("v1.0", "v0.9")
    gone = out.register(name=other)
    out.send(out.event("revoke", name=other, receipt=gone))
    return out


def _flip(value: Any, at: int) -> Any:
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes):
        return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    return value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :]


def _write(path: Path, table: str, column: str, rowid: int, value: Any) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))  # noqa: S608
    db.close()


def _cells(path: Path, table: str, columns: tuple[str, ...]) -> list[tuple[str, int, Any]]:
    db = sqlite3.connect(path)
    query = f"SELECT rowid, {', '.join(columns)} FROM {table}"  # noqa: S608
    rows = db.execute(query).fetchall()
    db.close()
    return [
        (column, row[0], value)
        for row in rows
        for column, value in zip(columns, row[1:], strict=True)
    ]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("names", ("agent", "seq", "last", "with_record")),
        ("events", ("digest", "body", "receipt")),
    ],
)
def test_a_flipped_byte_in_a_row_is_never_a_wrong_answer(
    naming: Naming, table: str, columns: tuple[str, ...]
) -> None:
    names = (NAME, NAME.replace("v1.0", "v0.9"))
    before = [naming.registry.resolve(name, naming.now) for name in names]
    tried = unavailable = 0
    for column, rowid, value in _cells(naming.path, table, columns):
        size = 1 if isinstance(value, int) else len(value)
        for at in {0, size // 2, size - 1}:
            _write(naming.path, table, column, rowid, _flip(value, at))
            for name, (status, answer) in zip(names, before, strict=True):
                tried += 1
                try:
                    again, other = naming.registry.resolve(name, naming.now)
                except Unavailable as exc:
                    assert exc.code == "unavailable"
                    unavailable += 1
                    continue
                assert again == status
                assert other.get("record") == answer.get("record")
                assert other["receipt"] == answer["receipt"]
                assert other["freshness"]["status"] == answer["freshness"]["status"]
            _write(naming.path, table, column, rowid, value)
    assert unavailable > tried // 8  # the damage was seen, not missed
    assert [naming.registry.resolve(name, naming.now)[0] for name in names] == [200, 410]


def test_a_damaged_receipt_is_not_handed_out_again(naming: Naming) -> None:
    body, token = naming.body(naming.event(name=NAME.replace("v1.0", "v7.0")))
    first = naming.registry.submit(body, token, naming.now)
    cells = _cells(naming.path, "events", ("receipt",))
    rowid, value = cells[-1][1:]
    assert parse_object(value, size=1 << 20) == first
    _write(naming.path, "events", "receipt", rowid, _flip(value, len(value) // 2))
    with pytest.raises(Unavailable):
        naming.registry.submit(body, token, naming.now)
    _write(naming.path, "events", "receipt", rowid, value)
    assert naming.registry.submit(body, token, naming.now) == first


def test_a_name_whose_row_is_lost_is_not_answered_as_never_registered(naming: Naming) -> None:
    db = sqlite3.connect(naming.path, isolation_level=None)
    db.execute("DELETE FROM names")
    db.close()
    with pytest.raises(Unavailable):
        naming.registry.resolve(NAME, naming.now)


def test_a_name_set_back_to_an_older_event_is_not_answered(naming: Naming) -> None:
    revoked = NAME.replace("v1.0", "v0.9").lower()
    db = sqlite3.connect(naming.path, isolation_level=None)
    first = db.execute("SELECT digest FROM events WHERE key = ? AND seq = 0", (revoked,)).fetchone()
    db.execute("UPDATE names SET seq = 0, last = ? WHERE key = ?", (*first, revoked))
    db.close()
    try:
        status = naming.registry.resolve(revoked, naming.now)[0]
    except Unavailable:
        status = 503
    assert status in (410, 503)


@pytest.mark.parametrize("content", [b"not a database at all", b"\x00" * 8192])
def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(content)
    with pytest.raises(Unavailable):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Store(tmp_path / "nowhere" / "registry.db")


def test_readers_see_what_another_process_wrote(naming: Naming) -> None:
    again = naming.open()
    assert again.resolve(NAME, naming.now)[0] == 200
    newest = naming.register(name=NAME.replace("v1.0", "v8.0"))
    assert again.resolve(newest["name"], naming.now)[0] == 200


def test_the_file_is_written_ahead_and_synchronously(naming: Naming) -> None:
    with naming.registry._store.transaction(reading=True) as db:
        told = {
            pragma: db.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
