"""The humans and agents of a home, kept: read again exactly when one of them was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant.wallet import Home, Known, create_agent, gather
from resolver.door import build


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return build(tmp_path).home


def test_it_knows_whoever_is_there_and_no_other(home: Home) -> None:
    known = Known(home)
    own = {one.did for one in home.subjects()}
    assert set(known.subjects()) == own
    bot = home.subject("bot").did
    found = known.evidence(bot)
    assert found is not None
    assert found.json == gather(home, [bot]).json
    assert known.evidence(home.settings.registry) is None
    assert known.evidence(home.subject("ana").did) is None  # a human has no identity credential


def test_a_new_agent_is_known_at_once_and_nobody_is_read_twice(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(home)
    before = known.subjects()
    create_agent(
        home, home.open_wallet("human", "ana"), "third", now=1_800_000_000, tools=["db.read"]
    )
    after = known.subjects()
    assert set(after) - set(before) == {home.subject("third").did}
    monkeypatch.setattr(Home, "subjects", lambda _self: pytest.fail("read again"))
    assert known.subjects() is after
