"""The one writer: what is logged, signed and acknowledged, and what a rolled-back store is told."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ans.naming import NAME, Naming
from delegant.ans import providers
from delegant.ans.leaf import parse_leaf
from delegant.ans.log import merkle
from delegant.ans.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from delegant.ans.log.note import NoteSigner
from delegant.ans.log.tiles import unpack
from delegant.ans.store import Store
from delegant.ans.tables import TILES
from delegant.credentials import Error, PrivateKey, Unavailable
from delegant.wallet import files
from refusal import refusal


@pytest.fixture
def filed(tmp_path: Path) -> Naming:
    """The same, in a file."""
    return Naming(tmp_path / "registry.db")


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    """``AcmeLabs`` is bound: the log has one entry."""
    return Naming(tmp_path / "registry.db", database=database)


def versions(first: int, count: int) -> list[str]:
    return [NAME.replace("v1.0", f"v{n}") for n in range(first, first + count)]


def head(naming: Naming) -> Checkpoint:
    return open_checkpoint(naming.registry.log.checkpoint(), naming.log)


def execute(naming: Naming, *statements: str) -> None:
    db = sqlite3.connect(naming.path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def test_every_change_is_one_leaf_and_nothing_else_is(naming: Naming) -> None:
    first = naming.register()
    naming.send(naming.event("renew", receipt=first))
    naming.registry.bind_provider("Rival", naming.world.db.did, naming.now)
    refusal(lambda: naming.send(naming.event("renew", receipt=first)))
    naming.state()
    entries = [parse_leaf(data) for data in unpack(naming.registry.log.bundle(0, 4))]
    assert [one.json["type"] for one in entries] == ["bind", "register", "renew", "bind"]
    assert head(naming).size == 4
    assert [one.json["registry"] for one in entries] == [naming.did] * 4


def test_the_root_is_that_of_the_leaves(naming: Naming) -> None:
    for name in versions(1, 5):
        naming.register(name=name)
    entries = unpack(naming.registry.log.bundle(0, 6))
    hashes = b"".join(merkle.leaf_hash(data) for data in entries)
    assert naming.registry.log.tile(0, 0, 6) == hashes
    assert head(naming).root == merkle.root(6, lambda _level, _index, width: hashes[: 32 * width])
    for number in range(6):
        found = naming.registry.log.inclusion(number)
        assert (found["index"], found["size"]) == (number, 6)
    assert naming.registry.log.consistency(2)["new"] == 6


def test_more_leaves_than_a_tile_holds(naming: Naming) -> None:
    rival = naming.world.db.did
    store, logged = naming.registry.store, naming.registry._writer.logged
    bindings = [
        providers.Binding(store, naming.did, f"rival-{number}q", rival, "operator", logged)
        for number in range(600)
    ]
    for future in naming.registry._sequencer.write_all(bindings, naming.now):
        future.result()
    assert head(naming).size == 601
    assert len(unpack(naming.registry.log.bundle(1))) == 256
    assert len(naming.registry.log.tile(1, 0, 2)) == 64
    assert refusal(lambda: naming.registry.log.tile(1, 0, 3)) == "not-found"
    assert refusal(lambda: naming.registry.log.bundle(2, 90)) == "not-found"
    assert refusal(lambda: naming.registry.log.tile(0, 0, 257)) == "not-found"
    assert len(unpack(naming.registry.log.bundle(2, 89))) == 89
    receipt = naming.registry.bind_provider("rival-300q", rival, naming.now)
    assert (receipt["index"], naming.logged(receipt).size) == (301, 513)  # the first that covers it
    for old, new in ((1, 601), (256, 257), (257, 600), (601, 601)):
        assert naming.registry.log.consistency(old, new)["old"] == old
    for old, new in ((0, 5), (5, 4), (5, 602)):
        assert refusal(lambda o=old, n=new: naming.registry.log.consistency(o, n)) == "not-found"
    assert naming.registry.log.inclusion(receipt["index"], 302)["size"] == 302
    assert refusal(lambda: naming.registry.log.inclusion(302, 302)) == "not-found"
    zero = update(TILES).where(TILES.c.level == 0, TILES.c.number == 0)
    naming.change(zero.values(body=bytes(8192)))
    assert refusal(lambda: naming.registry.log.tile(0, 0)) == "unavailable"
    assert refusal(lambda: naming.registry.log.bundle(0)) == "unavailable"
    assert len(naming.registry.log.tile(0, 1)) == 8192  # what is whole is served


def test_an_event_is_found_in_the_log_by_its_digest(naming: Naming) -> None:
    receipt = naming.register()
    found = naming.registry.log.inclusion_of(receipt["leaf"]["event"])
    assert found["index"] == receipt["index"] == 1
    assert (
        refusal(lambda: naming.registry.log.inclusion_of(receipt["leaf"]["record"])) == "not-found"
    )


def test_the_receipt_stays_the_same_however_the_log_grows(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    first = naming.registry.submit(body, token, naming.now)
    for name in versions(5, 3):
        naming.register(name=name)
    assert naming.registry.submit(body, token, naming.now) == first
    late = naming.now + 9999  # the event is public by now: who sent it is known by the token
    assert naming.open().submit(body, token, late) == first
    assert naming.open().submit(body, None, late) == {k: first[k] for k in first if k != "opening"}
    assert head(naming).size == 5  # and one leaf


# --- no log entry, no success ---------------------------------------------------------------

FAULT = (
    "CREATE TRIGGER fault BEFORE INSERT ON leaves WHEN CAST(new.body AS TEXT) LIKE '%.fault%' "
    "BEGIN SELECT RAISE(ABORT, 'no space for this one'); END"
)


def test_what_cannot_be_logged_does_not_happen(filed: Naming) -> None:
    naming = filed
    known = naming.register()
    before = naming.registry.log.checkpoint()
    execute(naming, FAULT)
    magic = f"{NAME}.fault"
    body, token = naming.body(naming.event(name=magic))
    with pytest.raises(Unavailable) as caught:
        naming.registry.submit(body, token, naming.now)
    assert caught.value.http_status == 503
    assert "no space" not in str(caught.value)  # no driver text
    assert naming.registry.log.checkpoint() == before
    assert naming.state(magic) == ""
    assert naming.state(NAME) == "active"  # reads go on
    assert naming.send(naming.event("renew", receipt=known))["leaf"]["seq"] == 1  # writes too
    execute(naming, "DROP TRIGGER fault")
    # Nothing was spent either: the very same bytes are taken now.
    assert naming.registry.submit(body, token, naming.now)["leaf"]["name"] == magic


@pytest.mark.parametrize("table", ["events", "names", "tiles", "checkpoints", "spent"])
def test_half_a_change_is_none(filed: Naming, table: str) -> None:
    naming = filed
    before = naming.registry.log.checkpoint()
    execute(
        naming,
        f"CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER other BEFORE UPDATE ON tiles BEGIN SELECT RAISE(ABORT, 'x'); END",
    )
    body, token = naming.body(naming.event())
    assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "unavailable"
    assert naming.registry.log.checkpoint() == before
    assert naming.state(NAME) == ""
    execute(naming, "DROP TRIGGER fault", "DROP TRIGGER other")
    assert naming.registry.submit(body, token, naming.now)["index"] == 1


def test_what_was_written_but_not_published_is_acknowledged_when_sent_again(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    body, token = naming.body(naming.event())
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "unavailable"
        # It is durable but not signed for where everybody sees it: still no receipt.
        assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "unavailable"
        assert head(naming).size == 1
    receipt = naming.registry.submit(body, token, naming.now)
    assert head(naming).size == naming.logged(receipt).size == 2


def test_a_store_ahead_of_its_checkpoint_is_published_at_start(naming: Naming) -> None:
    old = naming.checkpoint.read_bytes()
    receipt = naming.register()
    naming.checkpoint.write_bytes(old)  # as if the process died in between
    naming.registry = naming.open()
    assert head(naming).size == 2
    assert naming.logged(receipt).root == head(naming).root


# --- a clock, a rollback, a fork ------------------------------------------------------------


def test_a_clock_that_went_back_writes_nothing(naming: Naming) -> None:
    naming.world.now += 100
    naming.register()
    before = naming.registry.log.checkpoint()
    naming.world.now -= 31
    body, token = naming.body(naming.event(name=versions(2, 1)[0]))
    assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "unavailable"
    assert naming.registry.log.checkpoint() == before
    assert naming.state(NAME) == "active"
    naming.world.now += 1  # a request may have waited so long for its turn
    receipt = naming.register(name=versions(3, 1)[0])
    assert naming.leaf(receipt).time == naming.now + 30
    naming.world.now += 40
    assert naming.leaf(naming.register(name=versions(4, 1)[0])).time == naming.now


def _rolled_back(naming: Naming) -> None:
    naming.registry.store.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{naming.path}{suffix}").unlink(missing_ok=True)
    shutil.copy(naming.path.with_name("backup.db"), naming.path)


def _emptied(naming: Naming) -> None:
    naming.registry.store.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{naming.path}{suffix}").unlink(missing_ok=True)


def _forked(naming: Naming) -> None:
    """The same store, in which something else happened instead, and as much."""
    _rolled_back(naming)
    kept = naming.checkpoint.read_bytes()
    naming.checkpoint.unlink()
    db = sqlite3.connect(naming.path, isolation_level=None)
    note = db.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()[0]
    db.close()
    naming.checkpoint.write_text(note)
    other = naming.open()
    other.bind_provider("Another", naming.world.org.did, naming.now)
    other.bind_provider("Another2", naming.world.org.did, naming.now)
    other.store.close()
    naming.checkpoint.write_bytes(kept)


def _lost(naming: Naming) -> None:
    naming.checkpoint.unlink()


def _not_ours(naming: Naming) -> None:
    stranger = NoteSigner(naming.log.name, PrivateKey.generate())
    naming.checkpoint.write_text(sign_checkpoint(head(naming), stranger))


@pytest.mark.parametrize(
    ("damage", "codes"),
    [(_rolled_back, {"log-rollback"}), (_emptied, {"log-rollback"}), (_forked, {"log-rollback"}),
     (_lost, {"log-rollback"}), (_not_ours, {"log-note"})],
)  # fmt: skip
def test_a_store_that_was_set_back_is_neither_served_nor_signed(
    filed: Naming, damage: Callable[[Naming], None], codes: set[str]
) -> None:
    naming = filed
    db = sqlite3.connect(naming.path)
    copy = sqlite3.connect(naming.path.with_name("backup.db"))
    db.backup(copy)
    copy.close()
    db.close()
    naming.register()
    kept = naming.checkpoint.read_bytes()
    damage(naming)
    left = naming.checkpoint.read_bytes() if naming.checkpoint.exists() else b""
    assert refusal(naming.open) in codes
    now = naming.checkpoint.read_bytes() if naming.checkpoint.exists() else b""
    assert now == left  # nothing was signed
    if damage in (_lost, _not_ours):  # and it goes on when the file is put back
        naming.checkpoint.write_bytes(kept)
        naming.registry = naming.open()
        assert naming.state() == "active"


def test_a_store_set_back_while_it_is_served_is_not_written_on(filed: Naming) -> None:
    naming = filed
    db = sqlite3.connect(naming.path)
    copy = sqlite3.connect(naming.path.with_name("backup.db"))
    db.backup(copy)
    copy.close()
    db.close()
    naming.register()
    before = naming.registry.log.checkpoint()
    _rolled_back(naming)
    body, token = naming.body(naming.event(name=versions(2, 1)[0]))
    assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "log-rollback"
    assert naming.registry.log.checkpoint() == before


def test_a_new_registry_signs_the_empty_log_first(tmp_path: Path) -> None:
    naming = Naming(tmp_path / "registry.db")
    folder = tmp_path / "second"
    folder.mkdir()
    naming.path = folder / "registry.db"
    other = naming.open()
    found = open_checkpoint(other.log.checkpoint(), naming.log)
    assert (found.size, found.root) == (0, merkle.EMPTY_ROOT)
    assert refusal(lambda: other.log.tile(0, 0, 1)) == "not-found"
    assert refusal(lambda: other.log.inclusion(0)) == "not-found"
    assert naming.open().log.checkpoint() == other.log.checkpoint()


def test_a_registry_from_before_the_log_is_refused_with_a_way_out(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    db = sqlite3.connect(old, isolation_level=None)
    db.execute("CREATE TABLE events (digest VARCHAR PRIMARY KEY, receipt BLOB)")
    db.close()
    with pytest.raises(Unavailable, match="Move it away"):
        Store(old)
    db = sqlite3.connect(old)
    assert db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [
        ("events",)
    ]  # nothing was put into it
    db.close()


def test_two_registries_on_one_file_write_one_log(naming: Naming) -> None:
    """As the server and the operator's own command do."""
    other = naming.open()
    sent = [naming.body(naming.event(name=name)) for name in versions(1, 24)]

    def one(number: int) -> Any:
        registry = (naming.registry, other)[number % 2]
        try:
            return registry.submit(*sent[number], naming.now)["index"]
        except Error as exc:
            return exc.code

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(one, range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert head(naming).size == 25
    assert naming.open().log.consistency(1)["new"] == 25


@pytest.mark.parametrize("file", ["set back", "gone"])
def test_a_process_does_not_forget_what_it_published(tmp_path: Path, file: str) -> None:
    """A snapshot of the whole home is put back under a running server, the checkpoint too."""
    naming = Naming(tmp_path / "registry.db")
    log = naming.checkpoint
    naming.registry.store.close()
    old = {path: path.read_bytes() for path in (naming.path, log)}
    naming.register()
    naming.registry.store.close()
    for suffix in ("-wal", "-shm"):
        naming.path.with_name(naming.path.name + suffix).unlink(missing_ok=True)
    for path, content in old.items():
        new = tmp_path / "new"
        new.write_bytes(content)
        new.replace(path)
    if file == "gone":
        log.unlink()
    body, token = naming.body(naming.event(name=NAME.replace("v1.0", "v2.0")))
    assert refusal(lambda: naming.registry.submit(body, token, naming.now)) == "log-rollback"
    if file == "set back":  # the next process has no memory: it goes on from what lies there
        assert naming.open().log.head().size == 1
