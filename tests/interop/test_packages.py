"""What the peers are installed from: exact versions, digests, and no place to fetch them from."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from interop.peer import HERE

LOCK: dict[str, Any] = json.loads((HERE / "package-lock.json").read_bytes())["packages"]
WANTED: dict[str, str] = json.loads((HERE / "package.json").read_bytes())["dependencies"]


@pytest.mark.parametrize("name", sorted(WANTED))
def test_each_peer_is_locked_to_the_exact_version_asked_for(name: str) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", WANTED[name])
    assert LOCK[f"node_modules/{name}"]["version"] == WANTED[name]


def test_each_package_has_a_digest_and_none_says_where_it_came_from() -> None:
    packages = {path: row for path, row in LOCK.items() if path}
    assert len(packages) > len(WANTED)
    for path, row in packages.items():
        assert row["integrity"].startswith("sha512-"), path
        assert "resolved" not in row, path
    assert "://" not in (HERE / "package-lock.json").read_text("utf-8")
