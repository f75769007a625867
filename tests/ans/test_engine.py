"""Opening a database, keeping connections to it, and what is said when it does not answer."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from ans.naming import NAME, Naming
from delegant.ans import engine, listing
from delegant.ans.engine import open_engine
from delegant.ans.store import Store
from delegant.ans.tables import LEAVES
from delegant.credentials import Error, Unavailable
from postgres import Cluster
from refusal import refusal

KEY = "mcp://a.b.c.v1"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    address: str = request.getfixturevalue("postgres")
    return address


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


# --- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "registry.db", "mysql://root:secret@host/x", "sqlite://", "sqlite:///", "sqlite:x.db",
     "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "postgresql+asyncpg://u:secret@h/d",
     "postgresql://u:secret@h:port/d"],
)  # fmt: skip
def test_an_address_of_nothing_we_know_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(Error) as caught:
        Store(address)
    assert caught.value.code == "shape"
    assert "secret" not in str(caught.value)


def test_a_path_and_its_address_are_one_database(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "r.db"), Store(f"sqlite:///{tmp_path}/r.db")
    with one.transaction() as db:
        one.spend(db, "key", 100, 0)
    with pytest.raises(Error) as caught, other.transaction() as db:
        other.spend(db, "key", 100, 0)
    assert caught.value.code == "replay"


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "delegant.ans.postgres", raising=False)
    with pytest.raises(Unavailable, match="postgresql"):
        Store("postgresql://nobody@127.0.0.1/none")


def test_what_a_driver_says_is_not_told(cluster: Cluster) -> None:
    with pytest.raises(Unavailable) as caught:
        Store(f"postgresql://ghost:secret@/none?host={cluster.folder}")
    told = str(caught.value)
    assert "does not answer" in told
    assert not any(word in told for word in ("secret", "ghost", str(cluster.folder)))
    assert caught.value.__cause__ is None


# --- both databases -------------------------------------------------------------------------


def test_all_of_a_transaction_or_none(where: str) -> None:
    store = Store(where)

    def three() -> None:
        with store.transaction() as db:
            for key in "aba":
                store.spend(db, key, 100, 0)

    assert refusal(three) == "replay"
    with store.transaction() as db:
        store.spend(db, "b", 100, 0)
        store.spend(db, "a", 100, 0)


def test_a_reader_sees_one_state_and_writes_nothing(where: str) -> None:
    store = Store(where)
    with store.transaction(reading=True) as db:
        assert store.checkpoint(db) is None
        with store.transaction(sequencing=True) as other:
            store.put_checkpoint(other, 1, "note")
        assert store.checkpoint(db) is None
    with store.transaction(reading=True) as db:
        assert store.checkpoint(db) == "note"


def test_a_mistake_in_a_transaction_is_no_part_of_it(where: str) -> None:
    store = Store(where)

    def mistaken(mistake: Callable[[Connection], object]) -> None:
        with store.transaction() as db:
            store.spend(db, "a", 100, 0)
            mistake(db)

    with pytest.raises(ZeroDivisionError):
        mistaken(lambda _: 1 // 0)
    assert refusal(lambda: mistaken(lambda db: db.execute(text("SELECT x FROM y")))) == (
        "unavailable"
    )
    with store.transaction() as db:
        store.spend(db, "a", 100, 0)


def test_text_is_sorted_by_its_code_points(where: str) -> None:
    store = Store(where)
    keys = ["a-b", "a.b", "aa", "B", "b", "é", "\U0001f600", "Z", "_"]
    with store.transaction() as db:
        for at, key in enumerate(keys):
            store.bind(
                db, label=key, shown=key, organization="o", basis="operator", skeleton="s", leaf=at
            )
    assert [one["label"] for one in store.providers()] == sorted(keys)


def test_bytes_numbers_and_truth_come_back_as_they_went(where: str) -> None:
    store = Store(where)
    body = bytes(range(256))
    with store.transaction() as db:
        db.execute(insert(LEAVES).values(number=2**53 - 1, body=body))
        store.put_tile(db, 0, 2**40, body)
        store.put_tile(db, 0, 2**40, body + body)
    with store.transaction(reading=True) as db:
        (found,) = store.leaves(db, 2**53 - 1, 1)
        tile = store.tile(db, 0, 2**40, 16)
        assert store.leaf_count(db) == 2**53
    assert (type(found), found) == (bytes, body)
    assert (type(tile), tile) == (bytes, body + body)


def test_numbers_beyond_what_a_column_holds_find_nothing(where: str) -> None:
    store = Store(where)
    with store.transaction(reading=True) as db:
        for start in (2**31 - 1, 2**31, 2**53, 2**64):
            assert store.events(db, KEY, start, 10) == []


def test_a_key_is_spent_once_however_many_try(where: str) -> None:
    stores = [Store(where), Store(where)]
    barrier = threading.Barrier(8)

    def one(number: int) -> str:
        barrier.wait()
        return refusal(lambda: slowly(stores[number % 2]))

    def slowly(store: Store) -> None:
        with store.transaction() as db:
            store.spend(db, "key", 100, 0)
            time.sleep(0.02)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(8)))
    assert sorted(told) == [""] + ["replay"] * 7


def test_of_many_heartbeats_the_newest_is_kept(where: str) -> None:
    stores = [Store(where), Store(where)]
    barrier = threading.Barrier(8)

    def one(issued: int) -> str:
        barrier.wait()
        return refusal(lambda: beat(stores[issued % 2], issued))

    def beat(store: Store, issued: int) -> None:
        with store.transaction() as db:
            listing.beat(db, KEY, "did:key:z", "up", 100 + issued, issued)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(8)))
    assert told[7] == ""
    assert set(told) <= {"", "replay"}
    with stores[0].transaction(reading=True) as db:
        assert listing.health(db, KEY).issued == 7
    assert refusal(lambda: beat(stores[1], 7)) == "replay"
    assert refusal(lambda: beat(stores[1], 8)) == ""


def test_only_one_transaction_at_a_time_adds_to_the_log(where: str) -> None:
    stores = [Store(where), Store(where)]
    inside: list[int] = []
    most: list[int] = []

    def one(number: int) -> None:
        with stores[number % 2].transaction(sequencing=True):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(16)))
    assert most == [1] * 16


def test_connections_are_kept_and_never_used_by_two(where: str) -> None:
    store = Store(where)
    seen: list[int] = []
    used: set[int] = set()

    def one(_: int) -> None:
        for _ in range(20):
            with store.transaction(reading=True) as db:
                own = id(db)
                assert own not in used
                used.add(own)
                seen.append(own)
                store.checkpoint(db)
                used.discard(own)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert len(set(seen)) <= 8


def test_a_child_of_a_fork_leaves_its_parents_connections_alone(where: str) -> None:
    store = Store(where)
    with store.transaction() as db:
        store.spend(db, "parent", 100, 0)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with store.transaction() as db:
                store.spend(db, "child", 100, 0)
            store.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(Error) as caught, store.transaction() as db:
        store.spend(db, "child", 100, 0)
    assert caught.value.code == "replay"


# --- SQLite: the file -----------------------------------------------------------------------


def spent(path: Path) -> set[str]:
    db = sqlite3.connect(path)
    out = {row[0] for row in db.execute("SELECT key FROM spent")}
    db.close()
    return out


def spend(store: Store, key: str) -> None:
    with store.transaction() as db:
        store.spend(db, key, 2**40, 0)


def test_a_file_that_was_removed_is_not_written_and_not_made_anew(naming: Naming) -> None:
    aside = naming.path.with_name("aside.db")
    store = naming.registry.store
    spend(store, "before")
    store.close()
    naming.path.rename(aside)
    for _ in range(2):
        assert refusal(lambda: spend(store, "lost")) == "unavailable"
        assert refusal(lambda: naming.registry.resolve(NAME, naming.now)) == "unavailable"
    assert not naming.path.exists()
    aside.rename(naming.path)
    spend(store, "after")  # and it goes on, without a restart
    assert {"before", "after"} <= spent(naming.path)
    assert "lost" not in spent(naming.path)


def test_a_file_put_in_place_of_another_is_the_one_that_is_written(naming: Naming) -> None:
    store = naming.registry.store
    spend(store, "before")
    aside = naming.path.with_name("aside.db")
    db, copy = sqlite3.connect(naming.path), sqlite3.connect(aside)
    db.backup(copy)
    db.close()
    copy.close()
    spend(store, "of the old one")
    aside.replace(naming.path)
    for suffix in ("-wal", "-shm"):
        Path(f"{naming.path}{suffix}").unlink(missing_ok=True)
    other = sqlite3.connect(naming.path, isolation_level=None)
    other.execute("INSERT INTO spent VALUES ('of another process', 1)")  # in the new file's WAL
    spend(store, "of the new one")
    other.close()
    assert spent(naming.path) >= {"before", "of the new one", "of another process"}
    assert "of the old one" not in spent(naming.path)


def test_what_went_into_a_replaced_file_is_not_acknowledged(naming: Naming) -> None:
    store = naming.registry.store
    aside = naming.path.with_name("aside.db")
    shutil.copy(naming.path, aside)

    def replaced() -> None:
        with store.transaction() as db:
            store.spend(db, "lost", 2**40, 0)
            aside.replace(naming.path)

    assert refusal(replaced) == "unavailable"


def test_rights_that_were_taken_are_noticed_and_given_back_too(naming: Naming) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    store = naming.registry.store
    naming.path.chmod(0)
    assert refusal(lambda: spend(store, "a")) == "unavailable"
    naming.path.chmod(0o400)
    with store.transaction(reading=True) as db:
        assert store.checkpoint(db)
    assert refusal(lambda: spend(store, "a")) == "unavailable"
    naming.path.chmod(0o600)
    spend(store, "a")


def test_a_file_that_somebody_holds_is_waited_for_so_long_and_no_longer(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.3)
    store = Store(naming.path)
    other = sqlite3.connect(naming.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(Unavailable, match="SQLITE_BUSY"):
        spend(store, "a")
    assert 0.2 < time.monotonic() - began < 3
    with store.transaction(reading=True) as db:  # readers do not wait
        assert store.checkpoint(db)
    other.execute("ROLLBACK")
    other.close()
    spend(store, "a")


def test_who_glances_waits_for_nobody(naming: Naming) -> None:
    store = naming.registry.store
    assert store.engine.glance(store.checkpoint)
    writer = sqlite3.connect(naming.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert store.engine.glance(store.checkpoint)  # nobody is in the way
    writer.execute("ROLLBACK")
    store.close()
    writer.execute("PRAGMA locking_mode=EXCLUSIVE")
    writer.execute("INSERT INTO spent VALUES ('a', 1)")
    began = time.monotonic()
    assert refusal(lambda: store.engine.glance(store.checkpoint)) == "unavailable"
    assert time.monotonic() - began < 2 < engine.WAIT_SECONDS
    writer.close()
    assert store.engine.glance(store.checkpoint)


def test_what_was_begun_in_passing_is_ended_too(naming: Naming) -> None:
    store = naming.registry.store
    assert store.engine.glance(lambda db: store.newest(db, KEY)) is None  # SQLAlchemy's own begin
    before = store.engine.glance(store.leaf_count)
    naming.register()
    assert store.engine.glance(store.leaf_count) == before + 1
    gone = refusal(lambda: store.engine.glance(lambda db: store.leaves(db, 99, 1)))
    assert gone == "unavailable"
    naming.register(name=NAME.replace("v1.0", "v7.0"))
    assert store.engine.glance(store.leaf_count) == before + 2


def test_what_is_elsewhere_is_not_glanced_at(postgres: str) -> None:
    store = Store(postgres)
    assert refusal(lambda: store.engine.glance(store.checkpoint)) == "unavailable"


# --- PostgreSQL: the server -----------------------------------------------------------------


def test_a_connection_that_the_server_ended_is_not_noticed_by_the_next(
    cluster: Cluster, postgres: str
) -> None:
    store = Store(postgres)
    spend(store, "a")
    cluster.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'delegant-%' AND pid <> pg_backend_pid()"
    )
    spend(store, "b")
    assert refusal(lambda: spend(store, "a")) == "replay"


def test_a_connection_that_ends_amid_a_transaction_ends_it(cluster: Cluster, postgres: str) -> None:
    store = Store(postgres)

    def ended() -> None:
        with store.transaction() as db:
            store.spend(db, "a", 2**40, 0)
            pid = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
            cluster.sql(f"SELECT pg_terminate_backend({pid})")
            store.checkpoint(db)

    assert refusal(ended) == "unavailable"
    spend(store, "a")


def test_a_server_that_falls_silent_is_not_waited_for(
    cluster: Cluster, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delegant.ans import postgres as module

    monkeypatch.setattr(module, "SILENT_SECONDS", 0.5)
    store = Store(postgres)
    with store.transaction(reading=True) as db:
        pid = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        assert refusal(lambda: spend(store, "a")) == "unavailable"
        assert time.monotonic() - began < 3
        spend(store, "a")  # by another connection
    finally:
        os.kill(pid, signal.SIGCONT)
    assert refusal(lambda: spend(store, "a")) == "replay"


MANY = "INSERT INTO spent (key, until) VALUES (%(key)s, 1)"
ONE = "INSERT INTO spent (key, until) VALUES ('x', 1)"


@pytest.mark.parametrize("last", [(ONE,), (MANY, [{"key": "x"}, {"key": "y"}])])
def test_a_sequencer_that_does_nothing_loses_its_turn(postgres: str, last: Any) -> None:
    """Within the time that others wait for it; and what it wrote did not happen.

    After many rows at once the server believes that more is to come, and never ends it by itself.
    """
    store = Store(postgres)
    held, over = threading.Event(), threading.Event()

    def idle() -> str:
        try:
            with store.transaction(sequencing=True) as db:
                store.spend(db, "a", 2**40, 0)
                db.exec_driver_sql(*last)
                held.set()
                over.wait(20)
        except Error as exc:
            return exc.code
        return "accepted"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(idle)
        held.wait(10)
        began = time.monotonic()
        with store.transaction(sequencing=True) as db:
            store.spend(db, "b", 2**40, 0)
        assert time.monotonic() - began < 5
        over.set()
        assert first.result(10) == "unavailable"
    spend(store, "a")


def test_a_server_that_was_started_again_is_used_again(cluster: Cluster) -> None:
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    own = Cluster(folder, cluster.bin)
    try:
        own.make()
        own.start()
        store = Store(own.fresh())
        spend(store, "a")
        own.stop()
        began = time.monotonic()
        assert refusal(lambda: spend(store, "b")) == "unavailable"
        assert time.monotonic() - began < 1
        own.start()
        spend(store, "b")
        assert refusal(lambda: spend(store, "a")) == "replay"
    finally:
        own.stop()
        shutil.rmtree(folder)


def test_two_schemas_of_one_database_do_not_wait_for_each_other(cluster: Cluster) -> None:
    one, other = Store(cluster.fresh()), Store(cluster.fresh())
    with one.transaction(sequencing=True), other.transaction(sequencing=True) as db:
        assert other.checkpoint(db) is None


def test_engines_that_nobody_holds_are_closed(where: str) -> None:
    found = open_engine(where)
    with found.transaction() as db:
        raw: Any = db.connection.dbapi_connection
    del found, db
    gc.collect()
    with pytest.raises(Exception, match=r"closed"):
        raw.execute("SELECT 1")


def test_so_many_connections_and_no_more(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from delegant.ans import postgres as module

    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
    store = Store(postgres)

    def three() -> None:
        with store.transaction(reading=True), store.transaction(reading=True):
            store.providers()

    assert refusal(three) == "unavailable"
    spend(store, "a")


def test_a_database_of_another_encoding_is_refused(cluster: Cluster) -> None:
    cluster.sql(
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C' "
        "LOCALE_PROVIDER libc"
    )
    assert refusal(lambda: Store(cluster.address(database="ascii"))) == "unavailable"


def test_a_file_that_may_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(lambda: Store(tmp_path / "file" / "registry.db")) == "unavailable"
