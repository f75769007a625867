"""A damaged store: the registry then cannot answer, and never answers wrongly."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, Naming
from delegant.ans.leaf import salted
from delegant.ans.logbook import Logbook
from delegant.ans.name import AnsName
from delegant.ans.store import Store
from delegant.ans.stored import Shelf
from delegant.ans.treebook import Nodes
from delegant.credentials import Error, Unavailable
from delegant.credentials.codec import JsonObject


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


KEYS = frozenset({"number", "size", "level", "seq"})
"""Columns of keys: a flipped bit must not make one that is there already."""


def _flip(value: Any, at: int, column: str = "") -> Any:
    if value is None:
        return 0
    if isinstance(value, int):
        return value ^ (64 if column in KEYS else 1)
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
        (
            "names",
            ("agent", "epoch", "seq", "last", "with_record", "suspended", "revoked", "expires"),
        ),
        ("events", ("digest", "key", "seq", "record", "body", "leaf", "suspended")),
        ("leaves", ("number", "body")),
        ("tiles", ("level", "number", "body")),
        ("checkpoints", ("size", "note")),
    ],
)
def test_a_flipped_byte_in_a_row_is_never_a_wrong_answer(
    naming: Naming, table: str, columns: tuple[str, ...]
) -> None:
    names = (NAME, NAME.replace("v1.0", "v0.9"))
    before = [naming.registry.resolve(name, naming.now) for name in names]
    naming.registry.pages.follow()
    assert _glance(naming, NAME)[:2] == before[0]
    tried = unavailable = 0
    for column, rowid, value in _cells(naming.path, table, columns):
        size = len(value) if isinstance(value, bytes | str) else 1
        for at in {0, size // 2, size - 1}:
            _write(naming.path, table, column, rowid, _flip(value, at, column))
            for name, (status, answer) in zip(names, before, strict=True):
                tried += 1
                naming.world.now += 61  # past what was answered before, and what is kept
                naming.registry.log._nodes = Nodes(naming.registry.store)
                naming.registry.pages.follow()
                glanced = _glance(naming, name)
                assert glanced is None or (glanced[0], _told(naming, glanced[1])) == (
                    status, _told(naming, answer),
                )  # fmt: skip
                naming.world.now += 61
                naming.registry.log._nodes = Nodes(naming.registry.store)
                try:
                    again, other = naming.registry.resolve(name, naming.now)
                except Error as exc:
                    assert exc.code in ("unavailable", "log-rollback")
                    unavailable += 1
                    continue
                assert again == status
                assert _told(naming, other) == _told(naming, answer)
            _write(naming.path, table, column, rowid, value)
    # The damage was seen, not missed; most checkpoints cover no answer about these names.
    assert unavailable > tried // (16 if table == "checkpoints" else 8)
    assert [naming.registry.resolve(name, naming.now)[0] for name in names] == [200, 410]


@pytest.mark.parametrize(
    ("table", "column", "odd"),
    [
        ("tiles", "body", 5),
        ("tiles", "body", "text"),
        ("checkpoints", "note", b"\xff"),
        ("checkpoints", "cosigned", "text"),
        ("checkpoints", "cosigned", 2**62),  # by so many witnesses: not looked for one by one
        ("checkpoints", "cosigned", -1),
        ("events", "body", "text"),
        ("names", "expires", "text"),
    ],
)
def test_a_value_of_another_kind_is_never_more_than_unavailable(
    naming: Naming, table: str, column: str, odd: Any
) -> None:
    assert naming.registry.resolve(NAME, naming.now)[0] == 200
    for _, rowid, _ in _cells(naming.path, table, (column,)):
        _write(naming.path, table, column, rowid, odd)
    naming.world.now += 61
    naming.registry.log._nodes = Nodes(naming.registry.store)
    naming.registry.pages.follow()
    assert _glance(naming, NAME) is None
    with pytest.raises(Error) as caught:
        naming.registry.resolve(NAME, naming.now)
    assert caught.value.code in ("unavailable", "log-rollback")


def _glance(naming: Naming, name: str) -> Any:
    """What is told of a name in passing; None where nothing is."""
    try:
        return naming.registry.glance(name, naming.now)
    except Error as exc:
        assert exc.code in ("unavailable", "log-rollback")
        return None


def _logged(naming: Naming, receipt: JsonObject) -> tuple[Any, int]:
    found = naming.logged(receipt)
    return found.leaf.json, found.index


def _told(naming: Naming, answer: JsonObject) -> Any:
    """What an answer says, but for which checkpoint its receipts lie under."""
    receipts = [one["receipt"] for one in answer["resolvedAgents"]]
    receipts += [answer["last"]["receipt"]] if "last" in answer else []
    return (
        [{k: v for k, v in one.items() if k != "receipt"} for one in answer["resolvedAgents"]],
        answer.get("last", {}).get("event"),
        [_logged(naming, one) for one in receipts],
        answer["freshness"]["status"],
        answer["freshness"].get("entries"),
    )


def _read(naming: Naming) -> dict[str, Any]:
    """Everything that the log is asked for, by who remembers nothing of it."""
    registry = naming.registry
    log = Logbook(registry.store, naming.did, registry._sequencer)
    size = log.head().size
    asked: dict[str, Any] = {
        "checkpoint": log.checkpoint,
        "tile": lambda: log.tile(0, 0, size),
        "narrow": lambda: log.tile(0, 0, 1),
        "bundle": lambda: log.bundle(0, size),
        "consistency": lambda: log.consistency(2, size),
        "history": lambda: Shelf(registry.store, log).history(AnsName.parse(NAME).key),
    }
    asked |= {f"inclusion {n}": lambda n=n: log.inclusion(n, size) for n in range(size)}
    out: dict[str, Any] = {}
    for what, call in asked.items():
        try:
            out[what] = call()
        except Unavailable:
            out[what] = "unavailable"
    return out


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("events", ("digest", "body", "leaf")),
        ("leaves", ("number", "body")),
        ("tiles", ("level", "number", "body")),
        ("checkpoints", ("size", "note")),
    ],
)
def test_a_flipped_byte_never_makes_the_log_lie(
    naming: Naming, table: str, columns: tuple[str, ...]
) -> None:
    before = _read(naming)
    assert "unavailable" not in before.values()
    seen = 0
    for column, rowid, value in _cells(naming.path, table, columns):
        size = len(value) if isinstance(value, bytes | str) else 1
        for at in {0, size // 2, size - 1}:
            _write(naming.path, table, column, rowid, _flip(value, at, column))
            after = _read(naming)
            for what, told in before.items():
                same = told == after[what]
                if what == "history" and column == "size" and after[what] != "unavailable":
                    # The first checkpoint that covers an entry is then a later one, as true.
                    pairs = zip(told, after[what], strict=True)
                    same = all(
                        _logged(naming, one["receipt"]) == _logged(naming, other["receipt"])
                        for one, other in pairs
                    )
                assert same or after[what] == "unavailable"
            seen += after != before
        _write(naming.path, table, column, rowid, value)
    assert seen  # the damage was noticed, not missed
    assert _read(naming) == before


@pytest.mark.parametrize("table", ["tiles", "checkpoints", "leaves"])
def test_a_damaged_log_is_not_written_on(naming: Naming, table: str) -> None:
    column = "note" if table == "checkpoints" else "body"
    rowid, value = _cells(naming.path, table, (column,))[-1][1:]
    body, token = naming.body(naming.event(name=NAME.replace("v1.0", "v7.0")))
    _write(naming.path, table, column, rowid, _flip(value, len(value) - 3))
    with pytest.raises(Error) as caught:
        naming.registry.submit(body, token, naming.now)
    assert caught.value.code in ("unavailable", "log-rollback")
    _write(naming.path, table, column, rowid, value)
    assert naming.registry.submit(body, token, naming.now)["leaf"]["seq"] == 0


def test_the_opening_is_told_to_the_submitter_alone(naming: Naming) -> None:
    body, token = naming.body(naming.event(name=NAME.replace("v1.0", "v7.0")))
    first = naming.registry.submit(body, token, naming.now)
    leaf = first["leaf"]
    opening = first["opening"]
    assert opening["sponsor"] == naming.ana.did
    assert leaf["sponsor"] == salted(opening["salt"], naming.ana.did)
    assert leaf["chain"] == salted(opening["salt"], opening["chain"])
    assert naming.ana.did not in str(leaf)
    shown = naming.registry.history(leaf["name"])[0]["receipt"]
    assert shown == {k: v for k, v in first.items() if k != "opening"}
    rowid, value = _cells(naming.path, "events", ("opening",))[-1][1:]
    _write(naming.path, "events", "opening", rowid, _flip(value, len(value) // 2))
    with pytest.raises(Unavailable):
        naming.registry.submit(body, token, naming.now)
    _write(naming.path, "events", "opening", rowid, value)
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
    assert again.resolve(newest["leaf"]["name"], naming.now)[0] == 200


def test_the_file_is_written_ahead_and_synchronously(naming: Naming) -> None:
    with naming.registry.store.transaction(reading=True) as db:
        told = {
            pragma: db.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        }
    assert told == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 8000,
    }  # fmt: skip
