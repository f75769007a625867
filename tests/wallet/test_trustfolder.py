"""The trust folder: closed, remembered, and never backwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error, Seen
from delegant.wallet import (
    Home,
    add_anchor,
    add_audit,
    add_registry,
    files,
    init_trust,
    load_trust,
    remove_audit,
    remove_registry,
    save_seen,
)

URL = "https://acme.example/status/1"


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    path = tmp_path / "trust"
    init_trust(path, home.settings.registry)
    add_anchor(path, home.path / "anchor.json")
    return path


def test_an_anchor_brings_its_suggested_ceiling_or_ours(tmp_path: Path, home: Home) -> None:
    anchor = home.path / "anchor.json"
    ours = [{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}]
    for name, ceiling in (("a", None), ("b", ours)):
        init_trust(tmp_path / name, home.settings.registry)
        added = add_anchor(tmp_path / name, anchor, ceiling)
        assert added["ceiling"] == (ceiling or json.loads(anchor.read_bytes())["ceiling"])
        trust = load_trust(tmp_path / name)
        assert list(trust.anchors) == [home.settings.organization]
        assert trust.verifier == home.settings.registry
    found = load_trust(tmp_path / "b").anchors[home.settings.organization].ceiling
    assert not found.covers("db.write", "urn:acme:papers:1")
    assert found.covers("db.read", "urn:acme:papers:1")


def test_it_is_made_once_and_an_anchor_added_once(folder: Path, home: Home) -> None:
    before = (folder / "trust.json").read_bytes()
    with pytest.raises(Error, match="name-taken"):
        init_trust(folder, home.settings.registry)
    with pytest.raises(Error, match="name-taken"):
        add_anchor(folder, home.path / "anchor.json")
    assert (folder / "trust.json").read_bytes() == before


def test_where_there_is_none_it_says_so(tmp_path: Path, home: Home) -> None:
    for action in (
        lambda: load_trust(tmp_path / "none"),
        lambda: add_anchor(tmp_path, home.path / "anchor.json"),
    ):
        with pytest.raises(Error, match="not-found") as caught:
            action()
        assert "delegant trust init" in caught.value.detail


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"colour": 1}, "unknown-member"),
        ({"keys": []}, "empty-array"),
        ({"keys": ["z6Mk"]}, "suite"),
        ({"id": "acme"}, "shape"),
        ({"ceiling": "all"}, "shape"),
        ({"maxGrantSeconds": 7200}, "shape"),
    ],
)
def test_a_bad_anchor_is_refused_and_changes_nothing(
    tmp_path: Path, home: Home, edit: dict[str, Any], code: str
) -> None:
    init_trust(tmp_path / "t", home.settings.registry)
    whole = files.read_object(home.path / "anchor.json")
    files.write_json(tmp_path / "anchor.json", whole | edit)
    before = (tmp_path / "t" / "trust.json").read_bytes()
    with pytest.raises(Error, match=code):
        add_anchor(tmp_path / "t", tmp_path / "anchor.json")
    assert (tmp_path / "t" / "trust.json").read_bytes() == before
    files.write_json(tmp_path / "anchor.json", whole)
    assert add_anchor(tmp_path / "t", tmp_path / "anchor.json") == whole


def test_another_key_for_a_did_key_is_refused(tmp_path: Path, home: Home) -> None:
    init_trust(tmp_path / "t", home.settings.registry)
    whole = files.read_object(home.path / "anchor.json")
    stranger = home.settings.authority.removeprefix("did:key:")
    files.write_json(tmp_path / "anchor.json", whole | {"keys": [stranger]})
    with pytest.raises(Error, match="did-key-mismatch"):
        add_anchor(tmp_path / "t", tmp_path / "anchor.json")


LOG = "acme.example/ans+0a1b2c3d+AQID"
WITNESSES = ["w.example/w+11111111+BA", "x.example/x+22222222+BA"]


def published(folder: Path, home: Home, **more: Any) -> Path:
    """A registry.json beside the trust folder."""
    (peer,) = files.read_object(home.path / "trust" / "trust.json")["registries"]
    whole = {"id": peer["id"], "keys": peer["keys"], "url": peer["url"]} | more
    files.write_json(folder.parent / "registry.json", whole)
    return folder.parent / "registry.json"


def test_a_registry_brings_its_log_and_we_choose_the_witnesses(folder: Path, home: Home) -> None:
    add_registry(folder, published(folder, home, log=LOG), WITNESSES, 1)
    peer = load_trust(folder).registries[home.settings.registry]
    assert (peer.log, peer.witnesses, peer.quorum) == (LOG, tuple(WITNESSES), 1)
    remove_registry(folder, home.settings.registry)
    assert load_trust(folder).registries == {}
    add_registry(folder, published(folder, home, log=LOG), WITNESSES)
    assert load_trust(folder).registries[home.settings.registry].quorum == 2
    remove_registry(folder, home.settings.registry)
    suggested = published(folder, home, log=LOG, witnesses=WITNESSES, quorum=1)
    add_registry(folder, suggested)
    assert load_trust(folder).registries[home.settings.registry].quorum == 1
    remove_registry(folder, home.settings.registry)
    add_registry(folder, suggested, WITNESSES[:1])
    peer = load_trust(folder).registries[home.settings.registry]
    assert (peer.witnesses, peer.quorum) == (tuple(WITNESSES[:1]), 1)


def test_a_registry_is_added_once_and_a_bad_one_changes_nothing(folder: Path, home: Home) -> None:
    before = (folder / "trust.json").read_bytes()
    for more, witnesses, quorum, code in (
        ({"log": LOG}, WITNESSES, 3, "shape"),
        ({"log": LOG}, (), 1, "shape"),
        ({}, WITNESSES, 1, "shape"),
        ({"log": "a b"}, (), None, "shape"),
        ({"keys": []}, (), None, "empty-array"),
        ({"ceiling": []}, (), None, "unknown-member"),
    ):
        with pytest.raises(Error, match=code):
            add_registry(folder, published(folder, home, **more), witnesses, quorum)
        assert (folder / "trust.json").read_bytes() == before
    with pytest.raises(Error, match="not-found"):
        remove_registry(folder, home.settings.registry)
    add_registry(folder, published(folder, home, log=LOG))
    with pytest.raises(Error, match="name-taken"):
        add_registry(folder, published(folder, home, log=LOG))
    with pytest.raises(Error, match="not-found"):
        remove_registry(folder, "did:web:other.example")
    assert LOG in (folder / "trust.json").read_text()


def test_what_was_seen_only_moves_forward(folder: Path) -> None:
    save_seen(folder, Seen({"did:key:a": 3}, {URL: 1000}))
    save_seen(folder, Seen({"did:key:a": 2, "did:key:b": 1}, {URL: 900}))
    seen = load_trust(folder).seen
    assert seen.revision == {"did:key:a": 3, "did:key:b": 1}
    assert seen.lists == {URL: 1000}
    before = (folder / "seen.json").stat().st_mtime_ns
    save_seen(folder, Seen({"did:key:a": 1}, {}))
    assert (folder / "seen.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"revision":{"a":-1}}', b'{"lists":{"a":"soon"}}', b'{"x":{}}']
)
def test_a_damaged_memory_is_never_begun_anew(folder: Path, data: bytes) -> None:
    files.write(folder / "seen.json", data)
    with pytest.raises(Error):
        load_trust(folder)
    with pytest.raises(Error):
        save_seen(folder, Seen({"did:key:a": 1}, {}))
    assert (folder / "seen.json").read_bytes() == data


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version":1,"version":1,"anchors":[]}'])
def test_a_damaged_trust_file_is_refused(folder: Path, data: bytes) -> None:
    files.write(folder / "trust.json", data)
    with pytest.raises(Error) as caught:
        load_trust(folder)
    assert caught.value.exit_status == 4


def test_an_audit_log_is_believed_by_what_its_owner_published(folder: Path, home: Home) -> None:
    keys = files.read_object(home.path / "anchor.json")["keys"]
    said = {
        "version": 1, "id": "did:web:db.example", "keys": keys, "log": LOG,
        "retentionDays": 184,
    }  # fmt: skip
    path = folder.parent / "audit.json"
    files.write_json(path, said)
    add_audit(folder, path, WITNESSES, 1)
    peer = load_trust(folder).audits["did:web:db.example"]
    assert (peer.log, peer.witnesses, peer.quorum) == (LOG, tuple(WITNESSES), 1)
    with pytest.raises(Error, match="name-taken"):
        add_audit(folder, path)
    remove_audit(folder, "did:web:db.example")
    assert load_trust(folder).audits == {}
    with pytest.raises(Error, match="not-found"):
        remove_audit(folder, "did:web:db.example")
    del said["log"]
    files.write_json(path, said)
    with pytest.raises(Error, match="shape"):
        add_audit(folder, path)
