"""A fresh registry for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ans.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """The scene, in a folder of its own."""
    return Scene(tmp_path)
