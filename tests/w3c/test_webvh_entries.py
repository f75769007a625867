"""did:webvh: what each entry after the first must be, and its proofs."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import proof as core
from delegant.credentials.codec import JsonObject, b58_encode
from delegant.w3c import webvh
from delegant.w3c.keys import EdSigner, new_signer
from delegant.w3c.webvh import proofs
from delegant.w3c.webvh.hashes import hash_of
from refusal import refusal
from w3c.webvh_logs import (
    OTHER_SCID,
    A,
    B,
    C,
    Change,
    T,
    code,
    created,
    entries,
    first_changed,
    joined,
    last_changed,
    proved_again,
    resolved,
    set_parameter,
    set_state,
    updated,
)

# --- later entries ----------------------------------------------------------------------------


def test_a_later_entry_made_again_unchanged_holds() -> None:
    did, log = updated(2)
    assert code(did, last_changed(log, lambda entry: None)) == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (set_parameter("method", "did:webvh:0.5"), "unknown-version"),
        (set_parameter("method", "did:webvh:1.1"), "unknown-version"),
        (set_parameter("scid", OTHER_SCID), "did-log"),
        (set_parameter("portable", True), "did-log"),
        (lambda entry: entry.__setitem__("versionTime", "2025-10-09T08:53:20Z"), "did-log"),
        (lambda entry: entry.__setitem__("versionTime", "2025-10-09T08:53:19Z"), "did-log"),
        (lambda entry: entry.__setitem__("versionTime", "2099-01-01T00:00:00Z"), "did-log"),
        (lambda entry: entry.__setitem__("versionTime", "2025-10-09T10:53:21+02:00"), "shape"),
        (lambda entry: entry.__setitem__("versionTime", "2025-10-09T08:53:21"), "shape"),
        (lambda entry: entry.__setitem__("versionTime", "2025-10-09"), "shape"),
        (lambda entry: entry.__setitem__("versionTime", 1_760_000_001), "shape"),
        (lambda entry: entry.pop("versionTime"), "shape"),
        (lambda entry: entry.pop("parameters"), "shape"),
        (set_state("id", f"did:webvh:{OTHER_SCID}:example.com:ana"), "did-document"),
    ],
)
def test_a_later_entry_follows_every_rule(change: Change, expected: str) -> None:
    did, log = updated(2)
    assert code(did, last_changed(log, change)) == expected
    assert code(did, last_changed(log, change), version_number=1) == ""


@pytest.mark.parametrize(
    "time",
    ["2025-10-09T08:53:20.000000001Z", "2025-10-09T08:53:21.500Z", "2025-10-09T08:53:21+00:00"],
)
def test_a_time_may_have_a_fraction(time: str) -> None:
    did, log = updated(2)
    new = last_changed(log, lambda entry: entry.__setitem__("versionTime", time))
    assert resolved(did, new).document_metadata["updated"] == time[:19] + "Z"


def test_a_log_is_not_from_the_future() -> None:
    did, log = updated(3)
    assert code(did, log, at=T + 2) == ""
    assert code(did, log, at=T + 1) == "did-log"
    assert code(did, log, at=T + 1, version_number=2) == ""
    assert code(did, log, at=T - 1, version_number=1) == "did-log"


def test_restating_what_is_so_is_allowed() -> None:
    did, log = updated(2, portable=True)
    defaults = {"nextKeyHashes": [], "witness": {}, "watchers": [], "deactivated": False}
    for change in (
        set_parameter("portable", True),
        set_parameter("method", "did:webvh:1.0"),
        set_parameter("updateKeys", [A.public.multikey]),
        lambda entry: entry["parameters"].update(defaults),
    ):
        assert code(did, last_changed(log, change)) == ""


def _numbered(n: str) -> Change:
    def change(entry: JsonObject) -> None:
        entry["versionId"] = n + "-" + entry["versionId"].split("-")[1]

    return change


@pytest.mark.parametrize("n", ["1", "3", "02", "", "two", "-2", "2 ", "+2"])
def test_versions_are_counted_one_by_one(n: str) -> None:
    did, log = updated(2)
    items = entries(log)
    _numbered(n)(items[1])
    bare = {name: value for name, value in items[1].items() if name != "proof"}
    items[1]["proof"] = [proofs.sign(bare, A, T)]
    assert code(did, joined(items)) == "did-log"


def test_entries_are_neither_left_out_nor_reordered_nor_repeated() -> None:
    did, log = updated(4)
    one, two, three, four = log.splitlines(keepends=True)
    assert code(did, one + two + three + four) == ""
    for wrong in (
        one + three + four,
        one + two + four,
        one + three + two + four,
        one + two + two + three,
        two + three + four,
        one + one + two,
    ):
        assert code(did, wrong) == "did-log"


def test_a_hash_is_of_the_entry_and_of_no_other_kind() -> None:
    did, log = updated(2)
    items = entries(log)
    for wrong in (hash_of("x"), "Qm" + "1" * 44, "zQm", items[0]["versionId"][2:]):
        items[1]["versionId"] = f"2-{wrong}"
        bare = {name: value for name, value in items[1].items() if name != "proof"}
        items[1]["proof"] = [proofs.sign(bare, A, T)]
        assert code(did, joined(items)) == "did-log"


# --- proofs ----------------------------------------------------------------------------------


def _swapped(name: str, value: Any) -> Change:
    return lambda proof: proof.__setitem__(name, value)


KEY_A, KEY_B = A.public.multikey, B.public.multikey


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_swapped("type", "Ed25519Signature2020"), "suite"),
        (_swapped("cryptosuite", "eddsa-rdfc-2022"), "suite"),
        (_swapped("cryptosuite", "eddsa-jcs-2023"), "suite"),
        (_swapped("proofPurpose", "authentication"), "proof-purpose"),
        (_swapped("verificationMethod", f"did:key:{KEY_B}#{KEY_A}"), "proof"),
        (_swapped("verificationMethod", f"did:key:{KEY_A}#{KEY_B}"), "proof"),
        (_swapped("verificationMethod", f"did:key:{KEY_B}#{KEY_B}"), "proof"),
        (_swapped("verificationMethod", f"did:key:{KEY_A}"), "proof"),
        (_swapped("verificationMethod", KEY_A), "proof"),
        (_swapped("verificationMethod", None), "proof"),
        (_swapped("created", "2025-10-09T08:53:22Z"), "proof"),
        (_swapped("created", "yesterday"), "shape"),
        (_swapped("expires", "2025-10-09T08:53:20Z"), "expired"),
        (_swapped("previousProof", "urn:x"), "unknown-member"),
        (_swapped("domain", "example.com"), "unknown-member"),
        (_swapped("@context", ["https://w3id.org/security/data-integrity/v2"]), "context"),
        (_swapped("proofValue", "z" + "1" * 64), "proof"),
        (_swapped("proofValue", "u" + "A" * 86), "shape"),
        (_swapped("proofValue", "z0"), "encoding"),
        (_swapped("proofValue", 7), "shape"),
        (lambda proof: proof.pop("proofValue"), "shape"),
        (lambda proof: proof.pop("proofPurpose"), "shape"),
    ],
)
def test_a_proof_is_what_it_must_be(change: Change, expected: str) -> None:
    did, log = updated(2)
    assert code(did, log) == ""
    assert code(did, proved_again(log, change)) == expected
    assert code(did, proved_again(log, change), version_number=1) == ""


def _by(who: EdSigner, method: str, document: JsonObject, at: str) -> JsonObject:
    """A proof by one key that names its method as it likes."""
    config: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": method,
        "created": at,
        "proofPurpose": "assertionMethod",
    }
    return {**config, "proofValue": "z" + b58_encode(who.sign(core.hash_data(document, config)))}


def test_a_did_key_is_the_same_before_and_after_its_number_sign() -> None:
    """Whoever checks authority by the one and the signature by the other accepts a forgery."""
    did, log = updated(2)
    items = entries(log)
    bare = {name: value for name, value in items[1].items() if name != "proof"}
    for who, body, fragment, expected in (
        (A, KEY_A, KEY_A, ""),
        (B, KEY_B, KEY_A, "proof"),
        (B, KEY_A, KEY_B, "proof"),
        (A, KEY_B, KEY_A, "proof"),
        (A, KEY_A, KEY_B, "proof"),
        (B, KEY_B, KEY_B, "proof"),
    ):
        proof = _by(who, f"did:key:{body}#{fragment}", bare, "2025-10-09T08:53:21Z")
        items[1]["proof"] = [proof]
        assert code(did, joined(items)) == expected


@pytest.mark.parametrize("made", ["1999-01-01T00:00:00Z", "2038-01-01T00:00:00Z"])
def test_when_a_proof_was_made_is_only_told(made: str) -> None:
    did, log = updated(2)
    items = entries(log)
    bare = {name: value for name, value in items[1].items() if name != "proof"}
    items[1]["proof"] = [_by(A, f"did:key:{KEY_A}#{KEY_A}", bare, made)]
    assert code(did, joined(items)) == ""
    items[1]["proof"][0]["created"] = "2025-10-09T08:53:21Z"
    assert code(did, joined(items)) == "proof"


def test_a_proof_that_expires_later_holds() -> None:
    did, log = updated(2)
    items = entries(log)
    for expires, expected in (("2025-10-09T08:53:22Z", ""), ("2025-10-09T08:53:21Z", "expired")):
        bare = {name: value for name, value in items[1].items() if name != "proof"}
        config = {k: v for k, v in items[1]["proof"][0].items() if k != "proofValue"}
        config["expires"] = expires

        value = "z" + b58_encode(A.sign(core.hash_data(bare, config)))
        items[1]["proof"] = [{**config, "proofValue": value}]
        assert code(did, joined(items)) == expected


def test_every_proof_of_an_entry_holds() -> None:
    did, log = created(keys=[A.public, B.public])
    log += webvh.update(log, B, at=T + 1)
    items = entries(log)
    bare = {name: value for name, value in items[1].items() if name != "proof"}
    mine, other, stranger = (proofs.sign(bare, who, T + 1) for who in (A, B, C))
    broken = {**other, "proofValue": mine["proofValue"]}
    for proof, expected in (
        (mine, ""),
        ([mine], ""),
        ([mine, other], ""),
        ([mine, mine], ""),
        ([mine, stranger], "proof"),
        ([stranger], "proof"),
        ([mine, broken], "proof"),
        ([], "did-log"),
        ([mine] * 17, "limit-signatures"),
        ([None], "shape"),
        (None, "shape"),
    ):
        items[1]["proof"] = proof
        assert code(did, joined(items)) == expected


def test_another_kind_of_key_signs_nothing() -> None:
    p256 = new_signer("P-256")
    assert refusal(lambda: created(signer=p256)) == "suite"
    did, log = first_changed(set_parameter("updateKeys", [KEY_A, p256.public.multikey]))
    assert code(did, log) == ""
