"""A trust folder that is kept: read again exactly when it was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant.credentials import Seen
from delegant.wallet import TrustFolder, init_trust, save_seen
from refusal import refusal


def test_it_is_read_again_when_a_file_was_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "trust"
    init_trust(folder, "did:web:one.example")
    kept = TrustFolder(folder)
    first = kept.read()
    assert kept.read() is first
    save_seen(folder, Seen(revision={"urn:uuid:1": 3}))
    second = kept.read()
    assert second.seen.revision == {"urn:uuid:1": 3}
    assert kept.read() is second
    (folder / "seen.json").unlink()
    assert kept.read() == first


def test_damage_is_told_and_a_folder_put_right_is_believed(tmp_path: Path) -> None:
    folder = tmp_path / "trust"
    init_trust(folder, "did:web:one.example")
    kept = TrustFolder(folder)
    first = kept.read()
    good = (folder / "trust.json").read_bytes()
    (folder / "trust.json").write_bytes(b"{")
    assert refusal(kept.read) == "json"
    (folder / "trust.json").write_bytes(good)
    assert kept.read() == first


@pytest.mark.parametrize("part", ["revision", "lists", "feeds"])
def test_what_covers_another_holds_all_of_it_as_new(part: str) -> None:
    seen = Seen(**{part: {"a": 5}})
    assert seen.covers(Seen())
    assert seen.covers(Seen(**{part: {"a": 5}}))
    assert not seen.covers(Seen(**{part: {"a": 6}}))
    assert not seen.covers(Seen(**{part: {"b": 1}}))
