"""did:webvh: witnesses, their threshold, and what their proofs approve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from delegant.w3c import webvh
from delegant.w3c.webvh import witness as witness_file
from refusal import refusal
from w3c.webvh_logs import (
    W1,
    W2,
    W3,
    A,
    T,
    approvals,
    created,
    entries,
    first_changed,
    resolved,
)


def witnessed(*who: Any, threshold: int = 1, count: int = 1) -> tuple[str, bytes]:
    did, log = created(witness=webvh.witnesses([one.public for one in who], threshold))
    for n in range(1, count):
        log += webvh.update(log, A, at=T + n, document={"alsoKnownAs": [f"https://n{n}.example"]})
    return did, log


def code(did: str, log: bytes, proofs: bytes | None, **given: Any) -> str:
    return refusal(lambda: resolved(did, log, witness=proofs, **given))


def test_as_many_witnesses_as_the_threshold_approve() -> None:
    did, log = witnessed(W1, W2, W3, threshold=2)
    for who, expected in (
        ((W1, W2), ""),
        ((W2, W3), ""),
        ((W1, W2, W3), ""),
        ((W1,), "did-witness"),
        ((W1, W1), "did-witness"),
        ((W1, A), "did-witness"),
        ((), "did-witness"),
    ):
        assert code(did, log, approvals(log, *((1, one) for one in who))) == expected
    assert code(did, log, None) == "did-witness"


def test_the_metadata_names_the_witnesses() -> None:
    did, log = witnessed(W1, W2, threshold=2)
    found = resolved(did, log, witness=approvals(log, (1, W1), (1, W2)))
    assert found.document_metadata["witness"] == {
        "threshold": "2",
        "witnesses": [{"id": f"did:key:{one.public.multikey}"} for one in (W1, W2)],
    }


def test_one_witness_named_twice_is_not_two() -> None:
    twice = {"threshold": 2, "witnesses": [{"id": f"did:key:{KEY}"}] * 2}
    did, log = first_changed(lambda entry: entry["parameters"].__setitem__("witness", twice))
    assert code(did, log, approvals(log, (1, W1))) == "did-log"
    assert code(did, log, approvals(log, (1, W1), (1, W1))) == "did-log"
    did, log = witnessed(W1, W2, threshold=2)
    assert code(did, log, approvals(log, (1, W1), (1, W2))) == ""


def test_a_proof_approves_all_versions_before_it() -> None:
    did, log = witnessed(W1, count=3)
    assert code(did, log, approvals(log, (3, W1))) == ""
    assert code(did, log, approvals(log, (2, W1))) == "did-witness"
    assert code(did, log, approvals(log, (2, W1)), version_number=2) == ""
    assert code(did, log, approvals(log, (2, W1)), version_number=1) == ""
    assert code(did, log, approvals(log, (2, W1)), version_number=3) == "did-witness"


def test_proofs_of_different_versions_add_up() -> None:
    did, log = witnessed(W1, W2, threshold=2, count=3)
    both = approvals(log, (3, W1), (2, W2))
    assert code(did, log, both) == "did-witness"
    assert code(did, log, both, version_number=2) == ""


def test_a_proof_on_a_version_not_in_the_log_approves_nothing() -> None:
    did, log = witnessed(W1, count=2)
    longer = log + webvh.update(log, A, at=T + 5)
    ahead = approvals(longer, (3, W1))
    assert code(did, longer, ahead) == ""
    assert code(did, log, ahead) == "did-witness"
    assert code(did, log, approvals(longer, (3, W1), (2, W1))) == ""


def test_a_proof_on_a_version_that_fails_approves_nothing() -> None:
    did, log = witnessed(W1, count=2)
    broken = log[:-3] + b"?}\n"
    proofs = approvals(log, (2, W1))
    assert code(did, log, proofs, version_number=1) == ""
    assert code(did, broken, proofs, version_number=1) != ""


def test_a_proof_for_another_did_approves_nothing() -> None:
    did, log = witnessed(W1)
    _, other = created(witness=webvh.witnesses([W1.public], 1), at=T + 1)
    assert code(did, log, approvals(other, (1, W1))) == "did-witness"
    moved = json.loads(approvals(other, (1, W1)))
    moved[0]["versionId"] = entries(log)[0]["versionId"]
    assert code(did, log, json.dumps(moved).encode()) == "did-witness"


def test_a_new_list_is_in_force_after_its_entry() -> None:
    did, log = witnessed(W1, W2, threshold=2)
    log += webvh.update(log, A, at=T + 1, witness=webvh.witnesses([W3.public], 1))
    assert code(did, log, approvals(log, (2, W1), (2, W2))) == ""
    assert code(did, log, approvals(log, (1, W1), (1, W2), (2, W3))) == "did-witness"
    assert code(did, log, approvals(log, (1, W1), (1, W2), (2, W1))) == "did-witness"
    assert code(did, log, approvals(log, (1, W1), (1, W2), (2, W1), (2, W2))) == ""
    log += webvh.update(log, A, at=T + 2)
    assert code(did, log, approvals(log, (2, W1), (2, W2), (3, W3))) == ""
    assert code(did, log, approvals(log, (3, W1), (3, W2))) == "did-witness"


def test_the_entry_that_ends_witnessing_is_witnessed_and_the_next_is_not() -> None:
    did, log = witnessed(W1)
    log += webvh.update(log, A, at=T + 1, witness={})
    assert code(did, log, approvals(log, (1, W1))) == "did-witness"
    proofs = approvals(log, (2, W1))
    assert code(did, log, proofs) == ""
    log += webvh.update(log, A, at=T + 2)
    assert code(did, log, proofs) == ""
    assert "witness" not in resolved(did, log, witness=proofs).document_metadata


def test_witnesses_named_later_are_in_force_at_once() -> None:
    did, log = created()
    later = log + webvh.update(log, A, at=T + 1, witness=webvh.witnesses([W1.public], 1))
    assert code(did, log, None) == ""
    assert code(did, later, None) == "did-witness"
    assert code(did, later, None, version_number=1) == ""
    assert code(did, later, approvals(later, (1, W1))) == "did-witness"
    assert code(did, later, approvals(later, (2, W1))) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof.__setitem__("proofPurpose", "authentication"),
        lambda proof: proof.__setitem__("cryptosuite", "eddsa-rdfc-2022"),
        lambda proof: proof.__setitem__("proofValue", "z1"),
        lambda proof: proof.__setitem__("created", "2025-10-09T08:53:29Z"),
        lambda proof: proof.__setitem__("surprise", 1),
        lambda proof: proof.__setitem__(
            "verificationMethod", f"did:key:{W1.public.multikey}#{W2.public.multikey}"
        ),
        lambda proof: proof.__setitem__(
            "verificationMethod", f"did:key:{W2.public.multikey}#{W2.public.multikey}"
        ),
        lambda proof: proof.clear(),
    ],
)
def test_a_proof_that_fails_counts_for_nothing_and_hinders_no_other(change: Any) -> None:
    did, log = witnessed(W1, W2)
    items = json.loads(approvals(log, (1, W1), (1, W1)))
    change(items[0]["proof"][0])
    assert code(did, log, json.dumps(items[:1]).encode()) == "did-witness"
    assert code(did, log, json.dumps(items).encode()) == ""
    items[0]["proof"] += items[1]["proof"]
    assert code(did, log, json.dumps(items[:1]).encode()) == ""


KEY = W1.public.multikey


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"threshold": 1, "witnesses": [{"id": f"did:key:{KEY}"}]}, "did-witness"),
        ({"threshold": 0, "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": -1, "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": 2, "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": "1", "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": None, "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": True, "witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ({"threshold": 2, "witnesses": [{"id": f"did:key:{KEY}"}] * 2}, "did-log"),
        ({"threshold": 1, "witnesses": [{"id": f"did:key:{KEY}"}] * 2}, "did-log"),
        ({"threshold": 1, "witnesses": []}, "did-log"),
        ({"threshold": 1, "witnesses": {}}, "did-log"),
        ({"threshold": 1, "witnesses": [{"id": "did:web:example.com"}]}, "did-log"),
        ({"threshold": 1, "witnesses": [{"id": f"did:key:{KEY}#{KEY}"}]}, "did-log"),
        ({"threshold": 1, "witnesses": [{"id": 7}]}, "did-log"),
        ({"threshold": 1, "witnesses": [f"did:key:{KEY}"]}, "shape"),
        ({"threshold": 1, "witnesses": [{"id": f"did:key:{KEY}", "weight": 1}]}, "unknown-member"),
        ({"threshold": 1}, "shape"),
        ({"witnesses": [{"id": f"did:key:{KEY}"}]}, "shape"),
        ([], "shape"),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_parameter_witness_follows_every_rule(value: Any, expected: str) -> None:
    did, log = first_changed(lambda entry: entry["parameters"].__setitem__("witness", value))
    assert code(did, log, None) == expected


@pytest.mark.parametrize(
    ("proofs", "expected"),
    [
        (b"", "json"),
        (b"{}", "shape"),
        (b"[[]]", "shape"),
        (b"[] []", "json"),
        (b'[{"versionId":"x","versionId":"x"}]', "duplicate-member"),
        (b'[{"proof":{}}]', "shape"),
        (b"[" * 99, "limit-depth"),
        (b"[]", "did-witness"),
        (b'[{"versionId":"1-x"}]', "did-witness"),
        (b'[{"versionId":7,"proof":[]}]', "did-witness"),
    ],
)
def test_a_witness_file_that_is_none_approves_nothing(proofs: bytes, expected: str) -> None:
    did, log = witnessed(W1)
    assert code(did, log, approvals(log, (1, W1))) == ""
    assert code(did, log, proofs) == expected


def test_a_witness_file_is_not_looked_at_where_nobody_must_witness() -> None:
    did, log = created()
    assert code(did, log, b"no json") == ""


def test_a_witness_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    did, log = witnessed(W1)
    proofs = approvals(log, (1, W1), (1, W2))
    for name, most, expected in (
        ("MAX_WITNESS", len(proofs), "limit-size"),
        ("MAX_PROOFS", 2, "limit-signatures"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(witness_file, name, most)
            assert code(did, log, proofs) == ""
            patch.setattr(witness_file, name, most - 1)
            assert code(did, log, proofs) == expected
