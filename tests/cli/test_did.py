"""`did`: what follows from a DID, or from its log, and how a refusal is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delegant.w3c import webvh
from w3c.webvh_logs import W1, A, T, approvals, created, updated

from .conftest import T0, Shell

KEY = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.fixture
def published(tmp_path: Path) -> tuple[str, str]:
    """A DID of three versions, and the file of its log."""
    did, log = updated(3)
    path = tmp_path / "did.jsonl"
    path.write_bytes(log)
    return did, str(path)


def test_a_did_key_follows_from_itself(shell: Shell) -> None:
    for found in (shell.json("did", "resolve", KEY), json.loads(shell.ok("did", "resolve", KEY))):
        assert found["didDocument"]["id"] == KEY
        assert found.keys() == {"didDocument", "didResolutionMetadata", "didDocumentMetadata"}


def test_a_did_webvh_follows_from_its_log(shell: Shell, published: tuple[str, str]) -> None:
    did, log = published
    found = json.loads(shell.ok("did", "resolve", "--log", log, did))
    assert found["didDocument"]["id"] == did
    assert found["didDocumentMetadata"]["versionNumber"] == 3
    version = json.loads(Path(log).read_text().splitlines()[1])["versionId"]
    for typed in (
        ("--version-number", "2", did),
        ("--version-id", version, did),
        ("--version-time", "2025-10-09T08:53:21Z", did),
        (f"{did}?versionNumber=2",),
        (f"{did}?versionId={version}",),
        (f"{did}?versionTime=2025-10-09T08:53:21Z",),
    ):
        found = shell.json("did", "resolve", "--log", log, *typed)
        assert found["didDocumentMetadata"]["versionId"] == version


def test_witness_proofs_come_from_their_file(shell: Shell, tmp_path: Path) -> None:
    did, log = created(witness=webvh.witnesses([W1.public], 1))
    (tmp_path / "did.jsonl").write_bytes(log)
    (tmp_path / "did-witness.json").write_bytes(approvals(log, (1, W1)))
    typed = ("did", "resolve", did, "--log", str(tmp_path / "did.jsonl"))
    assert shell.json(*typed, status=1)["code"] == "did-witness"
    found = shell.json(*typed, "--witness", str(tmp_path / "did-witness.json"))
    assert found["didDocument"]["id"] == did


@pytest.mark.parametrize(
    ("typed", "status", "code", "word"),
    [
        (["--version-number", "9"], 1, "did-not-found", "notFound"),
        (["--version-time", "yesterday"], 4, "shape", "invalidDid"),
        (["--at", "2025-10-09T08:53:21Z"], 4, "did-log", "invalidDid"),
    ],
)
def test_a_failure_is_a_resolution_result_too(
    shell: Shell, published: tuple[str, str], typed: list[str], status: int, code: str, word: str
) -> None:
    did, log = published
    human = shell("did", "resolve", did, "--log", log, *typed)
    machine = shell.json("did", "resolve", did, "--log", log, *typed, status=status)
    assert human.exit_code == status
    assert f"error: {code}" in human.stderr
    for found in (json.loads(human.stdout), machine):
        assert found["didDocument"] is None
        assert found["didResolutionMetadata"]["error"] == word
    assert machine["code"] == code


SCID = "QmfG1Dx5wj8zxVVkdTcD81teRgV5DLuQcUvzizd75x8Zxd"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (f"did:webvh:{SCID}:example.com", "did-method"),  # no log
        (f"did:webvh:{SCID}:example.com:..:..:admin", "did-invalid"),
        (f"did:webvh:{SCID}:127%2E0%2E0%2E1", "did-invalid"),
        (f"did:webvh:{SCID}:127.0.0.1%3a8080", "did-invalid"),
        (f"did:webvh:{SCID}:127.0.0.1#x", "did-invalid"),
        (f"{KEY}?versionNumber=1", "did-not-found"),
        (f"{KEY}?service=files", "did-options"),
        (f"{KEY}/path?versionNumber=1", "did-options"),
        (f"{KEY}?surprise=1", "did-feature"),
    ],
)
def test_what_cannot_be_asked_is_refused(shell: Shell, name: str, code: str) -> None:
    found = shell("did", "resolve", name, "--json")
    assert json.loads(found.stdout)["code"] == code
    assert found.exit_code != 0


def test_a_log_that_is_not_there_is_told(shell: Shell, published: tuple[str, str]) -> None:
    did, log = published
    found: Any = shell("did", "resolve", did, "--log", f"{log}.old", "--json")
    assert found.exit_code != 0
    assert json.loads(found.stdout)["didDocument"] is None


def test_a_did_webvh_is_made_with_its_log(shell: Shell, tmp_path: Path) -> None:
    log, wallet = str(tmp_path / "did.jsonl"), str(tmp_path / "own.wallet")
    typed = ("did", "create", "-o", wallet, "--method", "webvh", "--log", log)
    made = shell.json(*typed, "--place", "example.com:8443/people/ana")
    assert made["did"].endswith(":example.com%3A8443:people:ana")
    found = shell.json("did", "resolve", made["did"], "--log", log)
    assert found["didDocumentMetadata"]["created"] == "2026-09-21T14:13:20Z"
    assert T0 == 1_790_000_000
    (method,) = found["didDocument"]["verificationMethod"]
    assert method["id"] == f"{made['did']}#{method['publicKeyMultibase']}"
    assert found["didDocument"]["assertionMethod"] == [method["id"]]
    again = (*typed[:3], str(tmp_path / "two.wallet"), *typed[4:], "--place", "example.com")
    assert shell.json(*again, status=1)["code"] == "name-taken"
    assert not (tmp_path / "two.wallet").exists()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["--method", "webvh"], "shape"),
        (["--place", "example.com"], "shape"),
        (["--method", "webvh", "--place", "127.0.0.1"], "did-invalid"),
        (["--method", "webvh", "--place", "example.com/../x"], "did-invalid"),
        (["--method", "webvh", "--place", "example.com:x"], "did-invalid"),
        (["--method", "webvh", "--place", "example.com:0"], "did-invalid"),
    ],
)
def test_no_key_is_made_for_a_place_that_is_none(
    shell: Shell, tmp_path: Path, typed: list[str], code: str
) -> None:
    wallet = tmp_path / "own.wallet"
    found = shell("did", "create", "-o", str(wallet), *typed, "--json")
    assert json.loads(found.stdout)["code"] == code
    assert not wallet.exists()


def test_an_updated_log_is_found_newer(shell: Shell, published: tuple[str, str]) -> None:
    did, log = published
    path = Path(log)
    path.write_bytes(path.read_bytes() + webvh.deactivate(path.read_bytes(), A, at=T + 9))
    found = shell.json("did", "resolve", did, "--log", log)
    assert found["didDocumentMetadata"]["deactivated"] is True
