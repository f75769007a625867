"""Copies of a registry: made while it is used, checked, brought back, never passed off as new."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from ans.naming import NAME, Naming
from delegant.ans import checking, keeping, providers
from delegant.ans.checking import Checked, check
from delegant.ans.keeping import backup, published, reindex, restore, rewind
from delegant.ans.leaf import RewindLeaf, parse_leaf
from delegant.ans.log.checkpoint import open_checkpoint
from delegant.ans.tables import (
    CHECKPOINTS,
    EVENTS,
    HEALTH,
    LEAVES,
    LISTINGS,
    NAMES,
    PROVIDERS,
    SPENT,
    TERMS,
    TILES,
)
from delegant.credentials import Error
from postgres import Cluster
from refusal import refusal

OTHER = NAME.replace("v1.0", "v0.9")
REASON = "the disk of 25 November"


def version(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}")


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    """NAME is registered and renewed, OTHER revoked; a heartbeat and more entries than a tile."""
    out = Naming(tmp_path / "registry.db", database=database)
    filled(out)
    return out


@pytest.fixture
def filed(tmp_path: Path) -> Naming:
    """The same, in a file."""
    out = Naming(tmp_path / "registry.db")
    filled(out)
    return out


def filled(naming: Naming) -> None:
    first = naming.register()
    naming.send(naming.event("renew", receipt=first))
    gone = naming.register(name=OTHER)
    naming.send(naming.event("revoke", name=OTHER, receipt=gone))
    store, logged = naming.registry.store, naming.registry._writer.logged
    rival = naming.world.db.did
    bindings = [
        providers.Binding(store, naming.did, f"rival-{number}q", rival, "operator", logged)
        for number in range(260)
    ]
    for future in naming.registry._sequencer.write_all(bindings, naming.now):
        future.result()
    naming.change(
        insert(HEALTH).values(
            key=NAME.lower(), agent=naming.bot.did, status="up", at=naming.now, issued=naming.now
        )
    )


def checked(naming: Naming) -> Checked:
    said = published(naming.checkpoint, naming.log)
    return check(naming.registry.store, naming.log, said, naming.now)


def damaged(naming: Naming) -> set[tuple[str, str]]:
    return {(one.table, one.key) for one in checked(naming).damage}


# --- checking -------------------------------------------------------------------------------


def test_a_whole_store_is_whole(naming: Naming) -> None:
    found = checked(naming)
    assert found.damage == ()
    assert (found.size, found.names, found.rolled_back) == (265, 2, False)
    naming.world.now += 400 * 86_400  # all expired, and swept away or not
    assert checked(naming).damage == ()


KEY, GONE = NAME.lower(), OTHER.lower()


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (update(LEAVES).where(LEAVES.c.number == 3).values(body=b"{}"), ("leaves", "3")),
        (delete(LEAVES).where(LEAVES.c.number == 3), ("leaves", "3")),
        (delete(LEAVES).where(LEAVES.c.number == 264), ("checkpoints", "265")),
        (insert(LEAVES).values(number=265, body=b"{}"), ("leaves", "265")),
        (update(TILES).where(TILES.c.level == 1).values(body=bytes(32)), ("tiles", "1/0")),
        (delete(TILES).where(TILES.c.number == 1), ("tiles", "0/1")),
        (insert(TILES).values(level=2, number=0, body=bytes(32)), ("tiles", "2/0")),
        (update(CHECKPOINTS).where(CHECKPOINTS.c.size == 2).values(note="x"), ("checkpoints", "2")),
        (
            update(CHECKPOINTS).where(CHECKPOINTS.c.size == 2).values(cosigned=1),
            ("checkpoints", "2"),
        ),
        (delete(CHECKPOINTS).where(CHECKPOINTS.c.size == 265), ("leaves", "261")),
        (update(NAMES).where(NAMES.c.key == KEY).values(epoch=1), ("names", KEY)),
        (update(NAMES).where(NAMES.c.key == GONE).values(revoked=False), ("names", GONE)),
        (delete(NAMES).where(NAMES.c.key == GONE), ("names", GONE)),
        (
            update(PROVIDERS).where(PROVIDERS.c.label == "acmelabs").values(basis="domain"),
            ("providers", "acmelabs"),
        ),
        (delete(PROVIDERS).where(PROVIDERS.c.label == "acmelabs"), ("providers", "acmelabs")),
        (update(LISTINGS).where(LISTINGS.c.key == KEY).values(live=False), ("listings", KEY)),
        (update(LISTINGS).where(LISTINGS.c.key == KEY).values(expires=1), ("listings", KEY)),
        (
            update(LISTINGS).where(LISTINGS.c.key == KEY).values(attestations=b"["),
            ("listings", KEY),
        ),
        (delete(LISTINGS).where(LISTINGS.c.key == KEY), ("listings", KEY)),
        (delete(TERMS).where(TERMS.c.term == "*", TERMS.c.key == KEY), ("terms", f"{KEY} *")),
        (
            update(TERMS).where(TERMS.c.term == "*", TERMS.c.key == KEY).values(major=7),
            ("terms", f"{KEY} *"),
        ),
        (update(HEALTH).values(status="odd"), ("health", KEY)),
        (update(HEALTH).values(key="none"), ("health", "none")),
        (insert(SPENT).values(key="odd", until=1), ("spent", "odd")),
    ],
)
def test_each_row_that_is_damaged_is_named(
    filed: Naming, change: Any, row: tuple[str, str]
) -> None:
    filed.change(change)
    assert row in damaged(filed)


def test_over_postgresql_they_are_named_too(shared: Naming) -> None:
    shared.change(
        update(LEAVES).where(LEAVES.c.number == 3).values(body=b"{}"),
        delete(TILES).where(TILES.c.number == 1),
        update(NAMES).where(NAMES.c.key == KEY).values(epoch=1),
        delete(PROVIDERS).where(PROVIDERS.c.label == "acmelabs"),
        update(HEALTH).values(status="odd"),
    )
    assert damaged(shared) >= {
        ("leaves", "3"), ("tiles", "0/1"), ("names", KEY), ("providers", "acmelabs"),
        ("health", KEY),
    }  # fmt: skip


def test_an_event_that_is_damaged_is_named_by_its_digest(naming: Naming) -> None:
    told = {one["event"]["type"]: one["receipt"]["leaf"] for one in naming.registry.history(NAME)}
    first, renewed = told["register"]["event"], told["renew"]["event"]
    row = EVENTS.c.digest == first
    for change in (
        update(EVENTS).where(row).values(body=b"{}"),
        update(EVENTS).where(row).values(leaf=9),
        update(EVENTS).where(row).values(opening=b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA"}'),
    ):
        with naming.registry.store.transaction(reading=True) as db:
            kept = db.execute(select(EVENTS).where(row)).one()._mapping
        naming.change(change)
        assert ("events", first) in damaged(naming)
        naming.change(update(EVENTS).where(row).values(**kept))
        assert damaged(naming) == set()
    naming.change(delete(EVENTS).where(EVENTS.c.digest == renewed))
    assert ("events", renewed) in damaged(naming)


def test_a_flipped_byte_anywhere_in_the_file_is_found_or_harmless(filed: Naming) -> None:
    """Pages that nobody wrote to are not read; what SQLite cannot read is said, not raised."""
    naming = filed
    naming.registry.store.close()
    whole = naming.path.read_bytes()
    seen = 0
    for at in range(4096 + 7, len(whole), len(whole) // 60):
        naming.path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            seen += bool(checked(naming).damage)
        except Error as exc:
            assert exc.code == "unavailable"
            seen += 1
        naming.registry.store.close()
    naming.path.write_bytes(whole)
    assert checked(naming).damage == ()
    assert seen > 30


def test_the_search_index_is_made_anew(naming: Naming) -> None:
    naming.change(
        delete(TERMS).where(TERMS.c.key == KEY),
        update(LISTINGS).values(live=True, capabilities=b"["),
        insert(TERMS).values(
            term="x", live=True, major=0, minor=0, patch=0, deprecated=False, key="nobody"
        ),
    )
    assert len(damaged(naming)) > 3
    assert reindex(naming.registry.store, naming.now) == 2
    assert damaged(naming) == set()
    answer = naming.registry.resolve(f"{NAME}", naming.now)
    assert answer[0] == 200


# --- copies ---------------------------------------------------------------------------------


def test_a_copy_is_made_and_checked_while_the_store_is_written(filed: Naming) -> None:
    naming, out = filed, filed.path.with_name("copy.db")
    over = threading.Event()

    def write() -> None:
        number = 10
        while not over.is_set():
            naming.register(name=version(number))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = backup(naming.path, out, naming.log, naming.now)
    finally:
        over.set()
        writer.join()
    assert found is not None
    assert found.size >= 265
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(one.name for one in out.parent.iterdir() if "copy" in one.name) == ["copy.db"]
    assert refusal(lambda: backup(naming.path, out, naming.log, naming.now)) == "name-taken"


def test_a_damaged_store_gives_no_copy(filed: Naming) -> None:
    out = filed.path.with_name("copy.db")
    filed.change(update(NAMES).where(NAMES.c.key == KEY).values(epoch=1))
    with pytest.raises(Error, match=r"names: mcp://.*delegant registry check"):
        backup(filed.path, out, filed.log, filed.now)
    assert not [one for one in out.parent.iterdir() if "copy" in one.name]


def lose(naming: Naming) -> None:
    naming.registry.store.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{naming.path}{end}").unlink(missing_ok=True)


def bring(naming: Naming, copy: Path, **more: Any) -> Checked:
    return restore(copy, naming.path, naming.checkpoint, naming.log, naming.now, **more)


def test_a_copy_that_is_new_enough_is_brought_back(filed: Naming) -> None:
    naming, out = filed, filed.path.with_name("copy.db")
    backup(naming.path, out, naming.log, naming.now)
    assert refusal(lambda: bring(naming, out)) == "name-taken"
    lose(naming)
    assert bring(naming, out).size == 265
    assert stat.S_IMODE(naming.path.stat().st_mode) == 0o600
    naming.registry = naming.open()
    assert naming.state() == "active"
    assert naming.register(name=version(5))["index"] == 265


def test_an_older_copy_is_refused_and_so_is_one_without_a_measure(filed: Naming) -> None:
    naming, out = filed, filed.path.with_name("copy.db")
    backup(naming.path, out, naming.log, naming.now)
    naming.register(name=version(5))
    lose(naming)
    assert refusal(lambda: bring(naming, out)) == "log-rollback"
    assert not naming.path.exists()
    kept = naming.checkpoint.read_bytes()
    naming.checkpoint.unlink()
    assert refusal(lambda: bring(naming, out)) == "log-rollback"
    naming.checkpoint.write_bytes(kept)
    out.write_bytes(out.read_bytes()[:-5000])
    assert refusal(lambda: bring(naming, out)) == "unavailable"
    assert refusal(lambda: bring(naming, out.with_name("none.db"))) == "not-found"
    Path(f"{naming.path}-wal").touch()  # of the old file: it would be read into the new one
    assert refusal(lambda: bring(naming, out)) == "name-taken"


def set_back(naming: Naming) -> bytes:
    """An older copy in place of a store that had acknowledged more; the checkpoint it had."""
    out = naming.path.with_name("copy.db")
    backup(naming.path, out, naming.log, naming.now)
    naming.register(name=version(5))
    naming.register(name=version(6))
    lose(naming)
    assert bring(naming, out, older=True).rolled_back
    return naming.checkpoint.read_bytes()


def turn_back(naming: Naming, reason: str = REASON) -> Any:
    return rewind(
        naming.database or naming.path, naming.did, naming.logger, naming.checkpoint, reason,
        naming.now,
    )  # fmt: skip


def test_going_on_from_an_older_copy_is_an_entry_of_the_log(filed: Naming) -> None:
    naming = filed
    before = set_back(naming)
    assert refusal(naming.open) == "log-rollback"
    said, now = turn_back(naming)
    assert (said.size, now.size) == (267, 266)
    naming.registry = naming.open()
    (entry,) = _leaves(naming, 265, 1)
    leaf = parse_leaf(entry)
    assert isinstance(leaf, RewindLeaf)
    old = open_checkpoint(before.decode(), naming.log)
    assert (leaf.size, leaf.root, leaf.reason) == (267, old.root, REASON)
    assert naming.checkpoint.with_name("checkpoint.267").read_bytes() == before
    assert naming.register(name=version(5))["index"] == 266  # what was lost is free again
    assert checked(naming).damage == ()
    assert refusal(lambda: turn_back(naming)) == "ans-transition"


def _leaves(naming: Naming, start: int, count: int) -> list[bytes]:
    with naming.registry.store.transaction(reading=True) as db:
        return naming.registry.store.leaves(db, start, count)


def test_whoever_saw_the_larger_tree_refuses_the_log_that_was_set_back(filed: Naming) -> None:
    naming = filed
    before = open_checkpoint(set_back(naming).decode(), naming.log)
    turn_back(naming)
    naming.registry = naming.open()
    for number in range(20, 25):  # and goes on refusing it when it is as large again
        naming.register(name=version(number))
    found = naming.registry.log.consistency(before.size)
    from base64 import b64decode

    from delegant.ans.log.merkle import check_consistency

    head = naming.registry.log.head()
    proof = [b64decode(one) for one in found["proof"]]
    with pytest.raises(Error):
        check_consistency(before.size, head.size, proof, before.root, head.root)


def test_without_any_checkpoint_the_log_says_what_the_copy_knew(filed: Naming) -> None:
    naming = filed
    set_back(naming)
    naming.checkpoint.unlink()
    assert refusal(naming.open) == "log-rollback"
    said, now = turn_back(naming)
    assert (said.size, now.size) == (265, 266)
    naming.registry = naming.open()
    assert naming.state() == "active"


def test_a_reason_that_cannot_be_shown_is_none(filed: Naming) -> None:
    before = set_back(filed)
    for reason in ("", "a\nb", "x" * 257):
        assert refusal(lambda r=reason: turn_back(filed, r)) == "shape"
    assert filed.checkpoint.read_bytes() == before


def test_a_damaged_store_is_not_rewound(filed: Naming) -> None:
    set_back(filed)
    db = sqlite3.connect(filed.path, isolation_level=None)
    db.execute("UPDATE names SET epoch = 3 WHERE key = ?", (KEY,))
    db.close()
    left = filed.checkpoint.read_bytes()
    assert refusal(lambda: turn_back(filed)) == "unavailable"
    assert filed.checkpoint.read_bytes() == left


# --- PostgreSQL -----------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path, postgres: str) -> Naming:
    out = Naming(tmp_path / "registry.db", database=postgres)
    filled(out)
    return out


def dumped(cluster: Cluster, naming: Naming) -> bytes:
    """What pg_dump says of the registry's schema."""
    assert naming.database
    done = cluster.run("pg_dump", "--format=custom", "--schema", schema(cluster, naming),
                       "-d", cluster.address())  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema(cluster: Cluster, naming: Naming) -> str:
    return str(cluster.sql("SELECT current_schema()", url=naming.database)[0][0])


def brought(cluster: Cluster, naming: Naming, dump: bytes) -> None:
    cluster.sql(f"DROP SCHEMA {schema(cluster, naming)} CASCADE")
    done = cluster.run("pg_restore", "--exit-on-error", "-d", cluster.address(), input=dump)
    assert done.returncode == 0, done.stderr


def test_a_dump_is_brought_back_and_checked(cluster: Cluster, shared: Naming) -> None:
    naming = shared
    dump = dumped(cluster, naming)
    naming.registry.store.close()
    brought(cluster, naming, dump)
    naming.registry = naming.open()
    assert checked(naming).damage == ()
    assert naming.state() == "active"
    assert naming.register(name=version(5))["index"] == 265


def test_an_older_dump_is_refused_by_every_process_that_saw_more(
    cluster: Cluster, shared: Naming, tmp_path: Path
) -> None:
    """At start, and before every write; by each, out of its own checkpoint file."""
    naming = shared
    other = Naming(naming_home(naming, tmp_path / "b"), database=naming.database)
    unaware = naming_home(naming, tmp_path / "c")
    dump = dumped(cluster, naming)
    naming.register(name=version(5))
    other.registry._sequencer.follow()
    brought(cluster, naming, dump)
    for one in (naming, other):
        body, token = one.body(one.event(name=version(6)))
        assert refusal(lambda o=one, b=body, t=token: o.registry.submit(b, t, o.now)) == (
            "log-rollback"
        )
        assert refusal(one.registry._sequencer.follow) == "log-rollback"
        assert refusal(one.open) == "log-rollback"
    assert checked(naming).rolled_back
    third = Naming(unaware, database=naming.database)  # it never saw more, so it cannot know
    assert third.registry.log.head().size == 265
    third.registry.store.close()
    said, now = turn_back(naming)
    assert (said.size, now.size) == (266, 266)
    naming.registry = naming.open()
    assert naming.register(name=version(7))["index"] == 266
    assert refusal(other.open) == "log-rollback"  # until its own file is replaced by the new one
    shutil.copy(naming.checkpoint, other.checkpoint)
    other.registry = other.open()
    assert other.register(name=version(8))["index"] == 267


def naming_home(naming: Naming, folder: Path) -> Path:
    """Another machine's home, with the checkpoint as it is now."""
    (folder / "log").mkdir(parents=True)
    shutil.copy(naming.checkpoint, folder / "log" / "checkpoint")
    return folder / "registry.db"


def test_copying_and_bringing_back_files_is_for_sqlite(shared: Naming, tmp_path: Path) -> None:
    assert shared.database
    where = shared.database
    out = tmp_path / "copy.db"
    calls: list[Callable[[], object]] = [
        lambda: backup(where, out, shared.log, shared.now),
        lambda: restore(out, where, shared.checkpoint, shared.log, shared.now),
    ]
    for call in calls:
        assert refusal(call) == "shape"


def test_many_pages_are_walked_and_of_much_damage_some_is_named(
    filed: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PAGE", 7)
    monkeypatch.setattr(keeping, "PAGE", 1)
    assert checked(filed).damage == ()
    assert reindex(filed.registry.store, filed.now) == 2
    filed.change(delete(LEAVES).where(LEAVES.c.number > 20, LEAVES.c.number < 200))
    assert {("leaves", "21"), ("leaves", "199")} <= damaged(filed)
    monkeypatch.setattr(checking, "MOST", 3)
    found = checked(filed)
    assert (len(found.damage), found.more, found.json["more"]) == (3, True, True)


def test_a_checkpoint_or_an_opening_of_something_else_is_named(filed: Naming) -> None:
    with filed.registry.store.transaction(reading=True) as db:
        other = filed.registry.store.checkpoint_of(db, 3)
        event = filed.registry.store.events(db, KEY, 0, 1)[0].digest
    filed.change(
        update(CHECKPOINTS).where(CHECKPOINTS.c.size == 2).values(note=other),
        update(EVENTS).where(EVENTS.c.digest == event).values(opening=b"["),
        update(PROVIDERS).where(PROVIDERS.c.label == "acmelabs").values(leaf=10_000),
    )
    assert {("checkpoints", "2"), ("events", event), ("providers", "acmelabs")} <= damaged(filed)


def test_where_a_copy_cannot_be_written_it_says_so(filed: Naming, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "copy.db"
    assert refusal(lambda: backup(filed.path, nowhere, filed.log, filed.now)) == "unavailable"
    (tmp_path / "text.db").write_text("no database" * 1000)
    out = tmp_path / "copy.db"
    assert refusal(lambda: backup(tmp_path / "text.db", out, filed.log, filed.now)) == "unavailable"
    assert not out.exists()
    backup(filed.path, out, filed.log, filed.now)
    far = tmp_path / "nowhere" / "registry.db"
    assert refusal(
        lambda: restore(out, far, filed.checkpoint, filed.log, filed.now)
    ) == "unavailable"  # fmt: skip
    filed.checkpoint.write_bytes(b"\xff")
    assert refusal(lambda: published(filed.checkpoint, filed.log)) == "log-note"


def test_a_damaged_copy_is_not_brought_back(filed: Naming) -> None:
    out = filed.path.with_name("copy.db")
    backup(filed.path, out, filed.log, filed.now)
    db = sqlite3.connect(out, isolation_level=None)
    db.execute("UPDATE names SET epoch = 3 WHERE key = ?", (KEY,))
    db.close()
    lose(filed)
    with pytest.raises(Error, match=r"1 rows of copy\.db are damaged, the first in names"):
        bring(filed, out)
    assert not filed.path.exists()


def test_an_empty_log_cannot_be_rewound(tmp_path: Path, filed: Naming) -> None:
    filed.path = tmp_path / "second" / "registry.db"
    filed.path.parent.mkdir()
    filed.open()
    filed.checkpoint.unlink()
    assert refusal(lambda: turn_back(filed)) == "not-found"
