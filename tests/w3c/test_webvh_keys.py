"""did:webvh: who may sign, the end of a DID, moving, and what is written."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials.codec import canonical
from delegant.w3c import webvh
from delegant.w3c.webvh.hashes import key_hash
from refusal import refusal
from w3c.webvh_logs import (
    DOCUMENT,
    OTHER_SCID,
    W1,
    A,
    B,
    C,
    Change,
    T,
    code,
    created,
    drop_parameter,
    entries,
    joined,
    last_changed,
    resolved,
    set_parameter,
    set_state,
    signed,
    updated,
)

# --- keys, rotation, pre-rotation --------------------------------------------------------------


def test_the_keys_before_an_entry_sign_it() -> None:
    did, log = created()
    rotated = log + webvh.update(log, A, at=T + 1, keys=[B.public])
    assert code(did, rotated) == ""
    assert code(did, rotated + webvh.update(rotated, B, at=T + 2)) == ""
    assert refusal(lambda: webvh.update(rotated, A, at=T + 2)) == "proof"
    assert refusal(lambda: webvh.update(log, B, at=T + 1, keys=[B.public])) == "proof"


def test_an_entry_without_keys_is_the_last() -> None:
    did, log = created()
    last = log + webvh.update(log, A, at=T + 1, keys=[])
    assert code(did, last) == ""
    assert refusal(lambda: webvh.update(last, A, at=T + 2)) == "proof"


def test_pre_rotation_takes_only_keys_committed_to() -> None:
    did, log = created(next_keys=[B.public, C.public])
    assert refusal(lambda: webvh.update(log, A, at=T + 1, next_keys=[C.public])) == "did-log"
    two = log + webvh.update(log, B, at=T + 1, next_keys=[C.public])
    assert code(did, two) == ""
    assert refusal(lambda: webvh.update(two, B, at=T + 2, next_keys=[])) == "did-log"
    both: dict[str, Any] = {"keys": [B.public, C.public], "next_keys": [A.public]}
    assert refusal(lambda: webvh.update(log, B, at=T + 1, **both)) == ""
    one_more: dict[str, Any] = {"keys": [B.public, W1.public], "next_keys": [A.public]}
    assert refusal(lambda: webvh.update(log, B, at=T + 1, **one_more)) == "did-log"


@pytest.mark.parametrize(
    ("change", "signer", "expected"),
    [
        (lambda entry: None, B, ""),
        (drop_parameter("updateKeys"), B, "did-log"),
        (drop_parameter("updateKeys"), A, "did-log"),
        (drop_parameter("nextKeyHashes"), B, "did-log"),
        (set_parameter("updateKeys", []), B, "proof"),
        (set_parameter("updateKeys", []), A, "proof"),
        (set_parameter("updateKeys", None), A, "proof"),
        (set_parameter("updateKeys", [A.public.multikey]), A, "did-log"),
        (lambda entry: None, A, "proof"),
        (set_parameter("nextKeyHashes", None), B, ""),
    ],
)
def test_while_pre_rotation_is_on_each_entry_names_its_keys(
    change: Change, signer: Any, expected: str
) -> None:
    did, log = created(next_keys=[B.public])
    log += webvh.update(log, B, at=T + 1, next_keys=[C.public])
    assert code(did, last_changed(log, change, signer)) == expected


def test_pre_rotation_ends_after_the_entry_that_ends_it() -> None:
    did, log = created(next_keys=[B.public])
    log += webvh.update(log, B, at=T + 1, next_keys=[])
    assert entries(log)[1]["parameters"]["nextKeyHashes"] == []
    log += webvh.update(log, B, at=T + 2, keys=[C.public])  # the key before, once more
    assert entries(log)[2]["parameters"] == {"updateKeys": [C.public.multikey]}
    assert code(did, log + webvh.update(log, C, at=T + 3)) == ""
    assert refusal(lambda: webvh.update(log, B, at=T + 3)) == "proof"


def test_the_hash_of_a_key_is_of_its_text() -> None:
    # the value that other implementations write for this key
    key = "z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"
    assert key_hash(key) == "Qmf2V5jB2UwPcFL5bvmKed7VvY3CSQ1RXyDdtip7ufpQ3R"


# --- deactivation ---------------------------------------------------------------------------------


def test_a_deactivated_did_says_so_and_is_never_updated() -> None:
    did, log = created()
    ended = log + webvh.deactivate(log, A, at=T + 1)
    found = resolved(did, ended)
    assert found.deactivated
    assert resolved(did, ended, version_number=1).deactivated
    assert not resolved(did, log).deactivated
    assert refusal(lambda: webvh.update(ended, A, at=T + 2)) == "did-log"


def test_no_entry_follows_deactivation_even_with_a_key_in_force() -> None:
    did, log = created()
    log += webvh.update(log, A, at=T + 1, deactivated=True)
    assert resolved(did, log).deactivated
    items = entries(log)
    more = {**items[1], "parameters": {"deactivated": False}, "versionTime": "2025-10-09T08:53:29Z"}
    longer = joined([*items, signed(more, items[1]["versionId"], 3)])
    assert code(did, longer) == "did-log"


def test_with_pre_rotation_it_takes_two_entries() -> None:
    did, log = created(next_keys=[B.public])
    ended = log + webvh.deactivate(log, B, at=T + 5)
    assert len(entries(ended)) == 3
    assert resolved(did, ended).deactivated


# --- moving -----------------------------------------------------------------------------------


def test_a_portable_did_moves_and_is_found_by_both_names() -> None:
    did, log = created(portable=True)
    moved = log + webvh.move(log, A, "example.org", ("new",), at=T + 1)
    new = did.replace("example.com:ana", "example.org:new")
    for name in (did, new):
        found = resolved(name, moved).document
        assert found is not None
        assert found["id"] == found["controller"] == new
        assert found["alsoKnownAs"] == [did]
    back = moved + webvh.move(moved, A, "example.com", ("ana",), at=T + 2)
    found = resolved(did, back).document
    assert found is not None
    assert found["id"] == did
    assert new in found["alsoKnownAs"]


def test_a_did_that_is_not_portable_never_moves() -> None:
    _, log = created()
    assert refusal(lambda: webvh.move(log, A, "example.org", at=T + 1)) == "did-document"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda entry: None, ""),
        (set_state("authentication", ["did:webvh:{SCID}:example.com#k"]), ""),
        (lambda entry: entry["state"].pop("alsoKnownAs"), "did-document"),
        (set_state("alsoKnownAs", []), "did-document"),
        (set_state("alsoKnownAs", "did:web:example.com"), "did-document"),
        (set_state("id", f"did:webvh:{OTHER_SCID}:example.org"), "did-document"),
        (set_parameter("portable", False), "did-document"),
    ],
)
def test_a_move_follows_every_rule(change: Change, expected: str) -> None:
    did, log = created(portable=True)
    moved = log + webvh.move(log, A, "example.org", at=T + 1)
    assert code(did, last_changed(moved, change)) == expected


def test_portability_is_lost_for_good() -> None:
    _, log = created(portable=True)
    log += webvh.update(log, A, at=T + 1, portable=False)
    assert refusal(lambda: webvh.move(log, A, "example.org", at=T + 2)) == "did-document"
    assert refusal(lambda: webvh.update(log, A, at=T + 2, portable=True)) == "did-log"


# --- what is written ------------------------------------------------------------------------------


def test_a_created_log_is_canonical_and_names_the_did_everywhere() -> None:
    did, log = created(document={**DOCUMENT, "authentication": ["{DID}#k"]})
    entry = entries(log)[0]
    assert canonical(entry) + b"\n" == log
    assert entry["state"]["authentication"] == [f"{did}#k"]
    assert b"{SCID}" not in log
    assert b"{DID}" not in log


def test_nothing_is_written_on_a_log_that_fails() -> None:
    _, log = updated(2)
    assert refusal(lambda: webvh.update(log + b"x", A, at=T + 5)) == "json"
    assert refusal(lambda: webvh.update(b"", A, at=T + 5)) == "did-log"
    assert refusal(lambda: webvh.update(log, A, at=T + 1)) == "did-log"  # no later than the last
    assert refusal(lambda: webvh.update(log, A, at=T + 2)) == ""
    assert refusal(lambda: webvh.update(log, A, at=T + 2, colour="red")) == "unknown-member"
    assert refusal(lambda: created(witness={"threshold": 0, "witnesses": []})) == "did-log"


def test_a_log_may_lack_its_last_line_feed_when_it_is_updated() -> None:
    did, log = created()
    assert code(did, log + webvh.update(log[:-1], A, at=T + 1)) == ""
