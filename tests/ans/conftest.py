"""A fresh registry for every test; on demand, served, with both clients to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ans.fronted import Driver, Front, fronted, present_naming
from ans.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """The scene, in a folder of its own."""
    return Scene(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Where a registry's rows lie: its file, or a PostgreSQL; what it does is the same."""
    if request.param == "sqlite":
        return None
    address: str = request.getfixturevalue("postgres")
    return address


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A registry of this hour, served."""
    with fronted(present_naming(tmp_path / "registry")) as open_front:
        yield open_front


@pytest.fixture(params=["sync", "async"])
def asking(request: pytest.FixtureRequest, front: Front) -> Iterator[Callable[..., Driver]]:
    """Makes clients of the front: one after the other kind."""
    made: list[Driver] = []

    def make(url: str | None = None, **more: Any) -> Driver:
        trust = more.pop("trust", front.naming.trusted)
        made.append(Driver(request.param, front.url if url is None else url, trust, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
