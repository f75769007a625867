"""One home and one server a module: registering leaves names behind, so tests choose their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.door import House, build, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with its door open."""
    folder: Path = tmp_path_factory.mktemp("house")
    with running(build(folder)) as open_house:
        yield open_house
