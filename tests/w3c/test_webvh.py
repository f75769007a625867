"""did:webvh 1.0: what a log must be to be believed, each refusal beside its accepted twin."""

from __future__ import annotations

import json
from typing import Any

import pytest

from delegant.credentials import Error
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.w3c import webvh
from delegant.w3c.webvh import log as logs
from refusal import refusal
from w3c.webvh_logs import (
    NOW,
    OTHER_SCID,
    A,
    B,
    Change,
    T,
    code,
    created,
    drop_parameter,
    entries,
    first_changed,
    joined,
    resolved,
    set_parameter,
    set_state,
    signed,
    updated,
)

# --- what is found -------------------------------------------------------------------------


def test_the_newest_version_is_found_with_its_metadata() -> None:
    did, log = updated(3, ttl=60, watchers=["https://watcher.example/"])
    found = resolved(did, log)
    assert found.document is not None
    assert found.document["id"] == did
    assert found.document["alsoKnownAs"] == ["https://n2.example/"]
    newest = entries(log)[2]["versionId"]
    assert found.document_metadata == {
        "versionId": newest,
        "versionNumber": 3,
        "versionTime": "2025-10-09T08:53:22Z",
        "created": "2025-10-09T08:53:20Z",
        "updated": "2025-10-09T08:53:22Z",
        "scid": did.split(":")[2],
        "portable": False,
        "deactivated": False,
        "ttl": "60",
        "watchers": ["https://watcher.example/"],
    }


def test_lists_that_are_empty_are_not_in_the_metadata() -> None:
    empty: dict[str, Any] = {"watchers": [], "witness": {}}
    for given in ({}, empty):
        did, log = created(**given)
        assert not {"watchers", "witness"} & resolved(did, log).document_metadata.keys()
    did, log = updated(2, watchers=["https://watcher.example/"])
    assert "watchers" in resolved(did, log).document_metadata
    log += webvh.update(log, A, at=T + 2, watchers=[])
    assert "watchers" not in resolved(did, log).document_metadata


def test_a_version_is_found_by_id_number_and_time() -> None:
    did, log = updated(3)
    ids = [entry["versionId"] for entry in entries(log)]
    for n in (1, 2, 3):
        asked: list[dict[str, Any]] = [
            {"version_id": ids[n - 1]},
            {"version_number": n},
            {"version_time": T + n - 1},
            {"version_number": n, "version_id": ids[n - 1], "version_time": T + n - 1},
        ]
        for given in asked:
            found = resolved(did, log, **given).document_metadata
            assert found["versionNumber"] == n
            assert found["versionTime"].endswith(f"{19 + n}Z")
    assert resolved(did, log, version_time=NOW).document_metadata["versionNumber"] == 3


@pytest.mark.parametrize(
    "given",
    [
        {"version_number": 0},
        {"version_number": 4},
        {"version_id": "1-invalid"},
        {"version_id": "1"},
        {"version_time": T - 1},
        {"version_time": NOW + 1},
        {"version_number": 1, "version_time": T + 2},
    ],
)
def test_a_version_that_is_not_there_is_not_found(given: dict[str, Any]) -> None:
    did, log = updated(3)
    assert code(did, log, **given) == "did-not-found"


def test_the_version_asked_for_is_the_one_meant_by_all_that_is_asked() -> None:
    did, log = updated(3)
    other = entries(log)[1]["versionId"]
    assert code(did, log, version_number=1, version_id=other) == "did-not-found"
    assert code(did, log, version_number=2, version_id=other) == ""


def test_earlier_versions_outlive_an_entry_that_fails() -> None:
    did, log = updated(3)
    bad = log + b'{"versionId:":"4-"'
    assert code(did, log) == ""
    assert code(did, bad) == "json"
    assert code(did, bad, version_number=4) == "json"
    assert code(did, bad, version_time=T + 2) == "json"  # perhaps the fourth was in force by then
    assert code(did, bad, version_time=T + 1) == ""
    found = resolved(did, bad, version_number=2).document_metadata
    assert (found["versionNumber"], found["updated"]) == (2, "2025-10-09T08:53:22Z")


def test_a_pin_finds_the_document_as_it_was_signed() -> None:
    did, log = updated(2)
    assert webvh.document_from_pin(did, log, None, NOW).document == entries(log)[-1]["state"]
    ended = log + webvh.deactivate(log, A, at=T + 9)
    assert webvh.document_from_pin(did, ended, None, NOW).deactivated
    other, _ = created(at=T + 1)
    assert refusal(lambda: webvh.document_from_pin(other, log, None, NOW)) == "did-document"


def test_a_failure_has_the_two_words_of_the_method() -> None:
    did, log = updated(2)
    for given, word in (({"version_number": 9}, "notFound"), ({"at": T - 1}, "invalidDid")):
        with pytest.raises(Error) as told:
            resolved(did, log, **given)
        found = webvh.failed(told.value)
        assert found.document is None
        assert found.metadata["error"] == word
        assert set(found.metadata["problemDetails"]) == {"type", "title", "detail"}


def test_a_did_is_not_invalid_for_what_is_asked_of_it() -> None:
    for exc, word in (
        (error("did-options", "versionNumber counts from 1"), "notFound"),
        (error("did-not-found", "no such version"), "notFound"),
        (error("did-invalid", "no SCID"), "invalidDid"),
    ):
        assert webvh.failed(exc).metadata["error"] == word


# --- the spelling of a log ------------------------------------------------------------------


def test_a_log_may_end_without_a_line_feed_and_hold_white_space() -> None:
    did, log = updated(2)
    spaced = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries(log))
    assert b'": ' in spaced
    for same in (log, log[:-1], spaced, log.replace(b"\n", b"\r\n")):
        assert resolved(did, same).document == resolved(did, log).document


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda _: b"", "did-log"),
        (lambda _: b"\n", "json"),
        (lambda log: log + b"\n", "json"),
        (lambda log: b"\n" + log, "json"),
        (lambda log: log.replace(b"\n", b"\n\n", 1), "json"),
        (lambda log: log + b"x", "json"),
        (lambda log: b"\xef\xbb\xbf" + log, "encoding"),
        (lambda log: log.replace(b'"ttl":60', b'"ttl":60,"ttl":60'), "duplicate-member"),
        (lambda log: log.replace(b'"ttl":60', b'"ttl":60.0'), "json"),
        (lambda log: log.replace(b'"ttl":60', b'"ttl":6e1'), "json"),
        (lambda log: log.replace(b'"state"', b'"extra":1,"state"', 1), "unknown-member"),
        (lambda log: b"[]\n" + log, "shape"),
        (lambda log: log.replace(b"example.com", b"ex\xffmple.com", 1), "encoding"),
        (lambda log: b"[" * 100 + log, "limit-depth"),
    ],
)
def test_a_log_has_one_spelling_of_each_line(damage: Any, expected: str) -> None:
    did, log = updated(2, ttl=60)
    assert code(did, log) == ""
    assert code(did, damage(log)) == expected


def test_a_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    did, log = updated(3)
    for name, value, expected in (
        ("MAX_LOG", len(log), "limit-size"),
        ("MAX_ENTRY", max(map(len, log.split(b"\n"))), "limit-size"),
        ("MAX_ENTRIES", 3, "limit-items"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(logs, name, value)
            assert code(did, log) == ""
            patch.setattr(logs, name, value - 1)
            assert code(did, log) == expected


# --- the first entry ------------------------------------------------------------------------


def test_a_first_entry_made_again_unchanged_holds() -> None:
    assert code(*first_changed(lambda entry: None)) == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop_parameter("method"), "did-log"),
        (drop_parameter("scid"), "did-log"),
        (drop_parameter("updateKeys"), "did-log"),
        (set_parameter("method", "did:webvh:1.1"), "unknown-version"),
        (set_parameter("method", "did:webvh:0.5"), "unknown-version"),
        (set_parameter("method", "did:webvh:99.0"), "unknown-version"),
        (set_parameter("method", "invalid-method"), "did-log"),
        (set_parameter("method", None), "did-log"),
        (set_parameter("scid", OTHER_SCID), "did-log"),
        (set_parameter("scid", "invalid-scid"), "did-log"),
        (set_parameter("scid", ""), "did-log"),
        (set_parameter("scid", 7), "did-log"),
        (set_parameter("updateKeys", []), "proof"),
        (set_parameter("updateKeys", None), "proof"),
        (set_parameter("updateKeys", [B.public.multikey]), "proof"),
        (set_parameter("updateKeys", A.public.multikey), "did-log"),
        (set_parameter("updateKeys", [A.public.multikey] * 2), "did-log"),
        (set_parameter("updateKeys", [7]), "did-log"),
        (set_parameter("updateKeys", ["did:key:" + A.public.multikey]), "did-log"),
        (set_parameter("nextKeyHashes", "x"), "did-log"),
        (set_parameter("nextKeyHashes", [""]), "did-log"),
        (set_parameter("watchers", ["no uri"]), "did-log"),
        (set_parameter("watchers", {}), "did-log"),
        (set_parameter("portable", "true"), "shape"),
        (set_parameter("portable", None), "shape"),
        (set_parameter("deactivated", 1), "shape"),
        (set_parameter("ttl", -1), "shape"),
        (set_parameter("ttl", 2**31 + 1), "shape"),
        (set_parameter("ttl", "60"), "shape"),
        (set_parameter("ttl", True), "shape"),
        (set_parameter("surprise", 1), "unknown-member"),
        (lambda entry: entry.__setitem__("parameters", []), "shape"),
        (lambda entry: entry.__setitem__("state", []), "shape"),
        (lambda entry: entry["state"].pop("id"), "did-document"),
        (set_state("id", f"did:webvh:{OTHER_SCID}:example.com:ana"), "did-document"),
        (set_state("id", "did:web:example.com"), "did-document"),
        (set_state("id", "did:webvh:{SCID}:127.0.0.1"), "did-document"),
        (set_state("priority", 0.5), "json"),
    ],
)
def test_a_first_entry_follows_every_rule(change: Change, expected: str) -> None:
    did, log = first_changed(change)
    assert code(did, log) == expected


DEFAULTS: JsonObject = {
    "portable": False,
    "nextKeyHashes": [],
    "watchers": [],
    "witness": {},
    "deactivated": False,
}
"""Parameters as implementations write them that leave none out."""


@pytest.mark.parametrize(
    "change",
    [
        set_parameter("nextKeyHashes", None),
        set_parameter("watchers", None),
        set_parameter("witness", None),
        set_parameter("witness", {}),
        set_parameter("nextKeyHashes", []),
        set_parameter("watchers", []),
        set_parameter("portable", False),
        set_parameter("deactivated", False),
        lambda entry: entry["parameters"].update(DEFAULTS),
        set_parameter("ttl", None),
        set_parameter("ttl", 0),
        set_parameter("ttl", 2**31),
        set_parameter("nextKeyHashes", ["any text at all".replace(" ", "-")]),
        set_parameter("watchers", ["did:web:watcher.example"]),
        set_parameter("updateKeys", [A.public.multikey, B.public.multikey]),
        set_state("priority", 5),
    ],
)
def test_a_first_entry_may_say_what_the_rules_allow(change: Change) -> None:
    did, log = first_changed(change)
    assert code(did, log) == ""


def test_null_is_the_default() -> None:
    did, log = first_changed(set_parameter("ttl", None))
    assert resolved(did, log).document_metadata["ttl"] == "3600"


def test_the_scid_is_of_the_whole_first_entry() -> None:
    did, log = created()
    entry = entries(log)[0]
    entry["state"]["service"] = []
    scid = did.split(":")[2]
    again = joined([signed(entry, scid, 1)])  # right hash, right proof, and the old SCID
    assert code(did, again) == "did-log"


def test_no_second_first_entry_has_the_same_scid() -> None:
    did, log = created()
    entry = entries(log)[0]
    scid = did.split(":")[2]
    entry["state"]["controller"] = "did:webvh:{SCID}:example.com:ana"  # hashes alike
    assert code(did, joined([signed(entry, scid, 1)])) == "did-log"


def test_a_log_is_not_another_dids() -> None:
    did, log = created()
    assert code(did, log) == ""
    assert code(did.replace(":ana", ":ben"), log) == "did-document"
    assert code(did.replace(".com", ".org"), log) == "did-document"
    assert code(did.replace(did.split(":")[2], OTHER_SCID), log) == "did-document"
