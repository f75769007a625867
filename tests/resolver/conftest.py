"""One home and one server a module: registering leaves names behind, so tests choose their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.door import House, build, running
from resolver.process import command
from resolver.vc import Api


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with its door open."""
    folder: Path = tmp_path_factory.mktemp("house")
    with running(build(folder)) as open_house:
        yield open_house


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home with a label bound, nobody serving it."""
    house = build(tmp_path_factory.mktemp("served"))
    told = command(house, "ans", "provider", "add", "DataCorp")
    assert told.returncode == 0, told.stderr
    return house


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A house whose VC-API asks nobody for a token."""
    folder: Path = tmp_path_factory.mktemp("api")
    with running(build(folder), development=True) as open_house:
        yield Api(open_house)
