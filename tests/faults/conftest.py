"""One home, made once; whoever damages it takes a copy."""

from __future__ import annotations

import time

import pytest

from faults.serving import registry_of
from resolver.door import House, build


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose label is bound; nobody serves it."""
    house = build(tmp_path_factory.mktemp("home"))
    registry = registry_of(house)
    registry.bind_provider("DataCorp", house.home.settings.organization, int(time.time()))
    registry.close()
    return house
