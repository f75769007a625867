"""The public names of the room, and what importing it costs an auditor."""

from __future__ import annotations

import subprocess
import sys

import pytest

import delegant.governance as room


def test_every_public_name_is_there() -> None:
    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = room.nothing


def test_records_need_no_server() -> None:
    code = (
        "import sys, delegant.governance as room\n"
        "room.Record, room.Journal\n"
        "assert 'sqlalchemy' not in sys.modules and 'fastapi' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
