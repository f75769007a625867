"""The resource with its log, over each database there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from delegant.wallet import keystore
from governance.auditing import Auditing
from governance.tasks import Office


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Where a log's rows lie: its file, or a PostgreSQL; what it does is the same."""
    if request.param == "sqlite":
        return None
    address: str = request.getfixturevalue("postgres")
    return address


@pytest.fixture
def auditing(tmp_path: Path, database: str | None) -> Iterator[Auditing]:
    """The world's database, with an audit log."""
    found = Auditing(tmp_path / "audit", database=database)
    yield found
    found.log.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Auditing]:
    """The same, over SQLite alone."""
    found = Auditing(tmp_path / "audit")
    yield found
    found.log.close()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A home whose agents work by tasks."""
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)
    found = Office(tmp_path)
    yield found
    found.log.close()
