"""`human evidence`: another's credential beside a person, and the organisation's own act."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials.codec import digest
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.envelope import unpack
from delegant.credentials.shape import format_time
from delegant.wallet import Home
from w3c.issuing import NOW, University

pytest.importorskip("didkit", reason="DIDKit is not installed (extra: didkit; Python up to 3.12)")

UNI = University()


@pytest.fixture
def home(shell: Any) -> Any:
    """A home with Ana, in the present, and a diploma in a file."""
    shell.now = NOW
    shell.ok("init", "--org", "acme.example")
    shell.monkeypatch.setenv("DELEGANT_HOME", str(shell.folder / "acme"))
    shell.ok("human", "add", "ana", "--attest", "idp:corp")
    Path("diploma.jwt").write_bytes(UNI.issue("jwt"))
    return shell


def attestation(shell: Any) -> tuple[str | None, int]:
    """What Ana's sponsor credential says of her, and its revision."""
    raw = Home(shell.folder / "acme").subject("ana").credential
    credential = parse_human_sponsor(unpack(raw))
    block = credential.secured.document["credentialSubject"]["humanSponsor"]
    return block.get("attestation"), credential.revision


def test_importing_evidence_changes_no_sponsor_credential(home: Any) -> None:
    before = Home(home.folder / "acme").subject("ana").credential
    report = home.json("human", "evidence", "import", "diploma.jwt", "--for", "ana")
    assert Home(home.folder / "acme").subject("ana").credential == before
    assert report["issuer"] == UNI.did
    assert report["claims"]["alumniOf"] == "Example University"
    assert report["notChecked"] == ["issuer", "subject", "contexts"]
    shown = home.json("human", "show", "ana")
    assert shown["evidence"] == [report]
    assert shown["attestation"] == "idp:corp"
    assert f"evidence     {report['original'][:12]}… " in home.ok("human", "show", "ana")


def test_attesting_by_evidence_is_an_act_of_its_own(home: Any) -> None:
    report = home.json("human", "evidence", "import", "diploma.jwt", "--for", "ana")
    assert attestation(home) == ("idp:corp", 1)
    home.ok("human", "evidence", "attest", report["original"][:10], "--for", "ana")
    assert attestation(home) == (f"evidence:{report['original']}", 2)
    assert home.json("human", "show", "ana")["attestation"] == f"evidence:{report['original']}"
    home.now += 20 * 3600  # renewed, it still says so
    home.ok("evidence", "refresh")
    assert attestation(home) == (f"evidence:{report['original']}", 3)


def test_evidence_that_has_expired_since_attests_nobody(home: Any) -> None:
    raw = UNI.issue("jwt", expirationDate=format_time(NOW + 3600))
    Path("short.jwt").write_bytes(raw)
    home.ok("human", "evidence", "import", "short.jwt", "--for", "ana")
    attest = ("human", "evidence", "attest", digest(raw), "--for", "ana")
    home.now = NOW + 3600
    assert home.json(*attest, status=1)["code"] == "expired"
    assert attestation(home) == ("idp:corp", 1)
    home.now = NOW + 3599
    home.ok(*attest)


def test_a_person_can_be_added_by_evidence(home: Any) -> None:
    raw = Path("diploma.jwt").read_bytes()
    add = ("human", "add", "bo", "--evidence", "diploma.jwt")
    assert home.json(*add, "--attest", "idp:corp", status=4)["code"] == "shape"
    home.ok(*add)
    shown = home.json("human", "show", "bo")
    assert shown["attestation"] == f"evidence:{digest(raw)}"
    assert [one["original"] for one in shown["evidence"]] == [digest(raw)]


def test_bad_evidence_adds_nobody_and_is_not_kept(home: Any) -> None:
    head, body, _ = Path("diploma.jwt").read_text().split(".")
    Path("forged.jwt").write_text(f"{head}.{body}.{'A' * 86}")
    Path("expired.json").write_bytes(
        UNI.issue("Ed25519Signature2018", expirationDate=format_time(NOW - 1))
    )
    for file, status, code in (
        ("forged.jwt", 1, "proof"),
        ("expired.json", 1, "expired"),
        ("nowhere.jwt", 1, "not-found"),
    ):
        got = home.json("human", "evidence", "import", file, "--for", "ana", status=status)
        assert got["code"] == code
        assert home("human", "add", "bo", "--evidence", file).exit_code == status
    assert home.json("human", "show", "ana")["evidence"] == []
    assert home.json("human", "show", "bo", status=1)["code"] == "not-found"


def test_evidence_is_for_people_once_and_for_those_who_are_there(home: Any) -> None:
    home.ok("agent", "create", "bot", "--sponsor", "ana")
    for name, code in (("nobody", "not-found"), ("bot", "wallet-kind")):
        typed = ("human", "evidence", "import", "diploma.jwt", "--for", name)
        assert home.json(*typed, status=1)["code"] == code
    typed = ("human", "evidence", "import", "diploma.jwt", "--for", "ana")
    home.ok(*typed)
    assert home.json(*typed, status=1)["code"] == "name-taken"
    for start, code in (("uEiZZ", "not-found"), ("", "not-found")):
        typed = ("human", "evidence", "attest", start, "--for", "ana")
        assert home.json(*typed, status=1)["code"] == code


def test_there_is_an_end_to_what_is_kept(home: Any) -> None:
    home.ok("human", "evidence", "import", "diploma.jwt", "--for", "ana")
    folder = home.folder / "acme" / "evidence" / "ana"
    for number in range(31):
        (folder / f"{number}.json").write_text("{}")
    Path("other.jwt").write_bytes(UNI.issue("jwt", id="urn:example:1"))
    typed = ("human", "evidence", "import", "other.jwt", "--for", "ana")
    assert home.json(*typed, status=4)["code"] == "limit-items"
    for number in range(31):
        (folder / f"{number}.json").unlink()
    home.ok(*typed)
    attest = ("human", "evidence", "attest", "u", "--for", "ana")
    assert home.json(*attest, status=1)["code"] == "name-taken"


def test_a_kept_file_that_was_tampered_with_is_noticed(home: Any) -> None:
    home.ok("human", "evidence", "import", "diploma.jwt", "--for", "ana")
    (path,) = (home.folder / "acme" / "evidence" / "ana").glob("*.json")
    good = json.loads(path.read_text())
    for change in (
        {"original": good["original"] + "x"},
        {"original": 7},
        {"report": good["report"] | {"claims": "everything", "checked": ["all"]}},
        {"extra": 1},
    ):
        path.write_text(json.dumps(good | change))
        assert home("human", "show", "ana").exit_code == 4
    path.write_text(json.dumps(good))
    assert home("human", "show", "ana").exit_code == 0
