"""Databases of older and newer programs: migrated on demand, or refused; never guessed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ans.naming import NAME, Naming
from delegant.ans import layouts
from delegant.ans.migrating import migrate, script
from delegant.ans.store import Store
from delegant.ans.tables import LAYOUT_VERSION, META
from delegant.credentials import Unavailable
from postgres import Cluster
from refusal import refusal

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture
def old(tmp_path: Path) -> Naming:
    """A registry as a program of layout 2 left it: a name renewed, another one revoked."""
    path = tmp_path / "registry.db"
    naming = Naming(path)
    for one in (path, naming.checkpoint, *tmp_path.glob("registry.db-*")):
        one.unlink()
    db = sqlite3.connect(path)
    db.executescript((HERE / "layout2.sql").read_text())
    db.close()
    shutil.copy(HERE / "layout2.checkpoint", naming.checkpoint)
    return naming


def execute(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    out = list(db.iterdump())
    db.close()
    return out


def test_an_older_layout_is_refused_with_the_command_to_type(old: Naming) -> None:
    before = dump(old.path)
    with pytest.raises(Unavailable, match="delegant registry migrate") as caught:
        old.open()
    assert "layout 2, and this is 3" in str(caught.value)
    assert dump(old.path) == before


def test_an_older_layout_is_migrated_and_everything_is_there(old: Naming) -> None:
    assert migrate(old.path) == ("0002", "0003")
    old.registry = old.open()
    revoked = NAME.replace("v1.0", "v0.9")
    assert [old.registry.resolve(name, old.now)[0] for name in (NAME, revoked)] == [200, 410]
    assert old.believed(old.registry.resolve(NAME, old.now)[1]).did == old.bot.did
    assert [one["event"]["type"] for one in old.registry.history(NAME)] == ["register", "renew"]
    assert old.registry.log.head().size == 5
    receipt = old.register(name=NAME.replace("v1.0", "v2.0"))
    assert receipt["index"] == 5
    assert migrate(old.path) == ("0003", "0003")  # and again: nothing


def test_a_migrated_database_is_laid_out_as_a_new_one(old: Naming) -> None:
    migrate(old.path)
    store = Store(old.path)
    with store.transaction(reading=True) as db:
        own = MigrationContext.configure(db, opts={"version_table": "none"})
        assert compare_metadata(own, META) == []
    store.close()


def test_a_new_postgresql_database_is_laid_out_as_the_tables_say(postgres: str) -> None:
    store = Store(postgres)
    with store.transaction(reading=True) as db:
        own = MigrationContext.configure(db, opts={"version_table": "none"})
        assert compare_metadata(own, META) == []
        assert layouts.found(db) == layouts.HEAD
    store.close()


def test_a_migration_that_fails_changes_nothing(old: Naming) -> None:
    execute(
        old.path,
        "CREATE TRIGGER fault BEFORE UPDATE ON layout BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    before = dump(old.path)
    assert refusal(lambda: migrate(old.path)) == "unavailable"
    assert dump(old.path) == before
    execute(old.path, "DROP TRIGGER fault")
    assert migrate(old.path) == ("0002", "0003")


def test_an_older_program_refuses_the_newer_layout(old: Naming) -> None:
    """It reads the table ``layout``, and knows none that says more than 2."""
    migrate(old.path)
    db = sqlite3.connect(old.path)
    assert db.execute("SELECT max(version) FROM layout").fetchone() == (LAYOUT_VERSION,)
    db.close()


NEWER = "UPDATE revision SET version_num = '9999'"
NONE = "DELETE FROM revision"
TWO = "INSERT INTO revision VALUES ('0002')"
STRANGE = ("DROP TABLE revision", "UPDATE layout SET version = 7")
OTHERS = ("DROP TABLE revision", "DROP TABLE layout", "DROP TABLE events")


@pytest.mark.parametrize("change", [(NEWER,), (NONE,), (TWO,), STRANGE, OTHERS])
def test_a_newer_or_unknown_layout_is_refused(tmp_path: Path, change: tuple[str, ...]) -> None:
    naming = Naming(tmp_path / "registry.db")
    naming.registry.store.close()
    execute(naming.path, *change)
    before = dump(naming.path)
    for use in (lambda: Store(naming.path), lambda: migrate(naming.path)):
        with pytest.raises(Unavailable, match="does not know"):
            use()
    assert dump(naming.path) == before


@pytest.mark.parametrize("change", [(NEWER,), (NONE,), (TWO,), STRANGE, OTHERS])
def test_so_it_is_over_postgresql(cluster: Cluster, postgres: str, change: tuple[str, ...]) -> None:
    Store(postgres).close()
    cluster.sql(*change, url=postgres)
    for use in (lambda: Store(postgres), lambda: migrate(postgres)):
        with pytest.raises(Unavailable, match="does not know"):
            use()


def test_somebody_elses_database_is_left_alone(cluster: Cluster, postgres: str) -> None:
    cluster.sql("CREATE TABLE theirs (key text)", url=postgres)
    with pytest.raises(Unavailable, match="does not know"):
        Store(postgres)
    assert cluster.sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", url=postgres
    ) == [(1,)]
    cluster.sql("DROP TABLE theirs", url=postgres)
    Store(postgres).close()


def test_what_was_never_a_registry_is_not_migrated(tmp_path: Path) -> None:
    assert refusal(lambda: migrate(tmp_path / "none.db")) == "unavailable"
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert refusal(lambda: migrate(tmp_path / "empty.db")) == "not-found"


def test_the_steps_are_one_line_and_end_where_the_program_is() -> None:
    found = ScriptDirectory(script())
    assert found.get_heads() == [layouts.HEAD]
    assert found.get_base() == layouts.BASELINE
    assert int(layouts.HEAD) == LAYOUT_VERSION


def test_the_wheel_holds_the_steps(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if "/ans/migrations/" in name}
    own = {
        f"delegant/ans/migrations/{one.relative_to(script())}"
        for one in Path(script()).rglob("*.py")
    }
    assert held == own
    assert len(own) >= 4
