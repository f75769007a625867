"""`policy check`, `sign`, `trust`, `show` and `decide`, as two people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Shell
from delegant import schemas
from delegant.governance.policyset import PolicySet, PolicyTrust
from governance.policing import DECLARED, LISTING3, facts
from refusal import refusal

INSIDE = {"sourceSegment": "internal", "resource": {"dataSensitivity": "low"}}


@pytest.fixture
def two(shell: Shell) -> Shell:
    """Ana and Ben, an agent, the third listing and facts for it."""
    shell.ok("init", "--org", "acme.example")
    shell.monkeypatch.setenv("DELEGANT_HOME", str(shell.folder / "acme"))
    shell.many(
        [
            "human add ana --attest idp:corp",
            "human add ben --attest idp:corp",
            "agent create bot --sponsor ana --tools db.read",
        ]
    )
    Path("db.cedar").write_text(LISTING3)
    Path("declared.json").write_text(json.dumps(DECLARED))
    Path("inside.json").write_text(json.dumps(facts(context=INSIDE)))
    Path("outside.json").write_text(json.dumps(facts(context={"sourceSegment": "dmz"})))
    return shell


SIGN = "policy sign db.cedar --id acme-db --revision 3 --facts declared.json -o db.json --by "


def signed(two: Shell) -> None:
    """By both, and a trust that asks for both."""
    two.many(
        [
            SIGN + "ana",
            "policy sign db.json --by ben",
            "policy trust --id acme-db --threshold 2 --signer ana --signer ben -o trust.json",
        ]
    )


def test_two_people_sign_and_the_resource_loads_it(two: Shell) -> None:
    told = two.ok("policy", "check", "db.cedar", "--facts", "declared.json")
    assert told.splitlines() == ["allow    read-tables", "1 policies hold"]
    signed(two)
    document = json.loads(Path("db.json").read_text())
    assert schemas.validate("policy-set", document) == []
    assert schemas.validate("policy-trust", json.loads(Path("trust.json").read_text())) == []
    trust = PolicyTrust.load(Path("trust.json"))
    assert len(PolicySet.load(Path("db.json"), trust).approved) == 2
    assert two.ok("policy", "check", "db.json").endswith("1 policies hold\n")


def test_one_signature_of_two_is_shown_and_not_followed(two: Shell) -> None:
    signed(two)
    two.ok(*(SIGN + "ana").split())  # afresh, by one
    assert "says signed" in two.ok("policy", "show", "db.json")
    refused = two.json("policy", "show", "db.json", "--trust", "trust.json", status=1)
    assert refused["code"] == "policy-unsigned"
    asked = ["policy", "decide", "db.json", "--facts", "inside.json", "--trust", "trust.json"]
    assert two.json(*asked, status=1)["code"] == "policy-unsigned"
    two.ok("policy", "sign", "db.json", "--by", "ben")
    said = two.json("policy", "show", "db.json", "--trust", "trust.json")
    assert [one["holds"] for one in said["signatures"]] == [True, True]
    assert two.json(*asked)["effect"] == "allow"


def test_what_a_set_says_of_facts_is_the_exit_status(two: Shell) -> None:
    signed(two)
    said = two.json("policy", "decide", "db.json", "--facts", "inside.json")
    assert (said["effect"], said["policy"]) == ("allow", {"id": "acme-db", "version": "3"})
    assert two("policy", "decide", "db.json", "--facts", "outside.json").exit_code == 1
    Path("later.cedar").write_text(
        'permit (principal, action, resource);'
        '@effect("step_up") forbid (principal, action, resource);'
    )  # fmt: skip
    result = two("policy", "decide", "later.cedar", "--facts", "inside.json")
    assert (result.exit_code, result.stdout) == (3, "step_up by draft 1: policy1\n")
    Path("none.json").write_text("{}")
    assert two("policy", "decide", "db.json", "--facts", "none.json").exit_code == 4


def test_an_agent_signs_no_policy(two: Shell) -> None:
    assert two.json(*(SIGN + "bot").split(), status=1)["code"] == "wallet-kind"
    trust = ["policy", "trust", "--id", "acme-db", "--threshold", "1", "--signer"]
    assert two.json(*trust, "bot", status=1)["code"] == "wallet-kind"
    assert json.loads(two.ok(*trust, "ana"))["threshold"] == 1
    assert not Path("db.json").exists()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("policy sign db.cedar --by ana -o db.json", "shape"),
        ("policy sign db.cedar --by ana --id acme-db --revision 1", "shape"),
        ("policy check none.cedar", "not-found"),
        ("policy check bad.cedar", "policy-format"),
        ("policy check db.cedar", "policy-format"),  # its facts are not declared
        ("policy show db.cedar", "policy-format"),
        ("policy sign bad.cedar --id a --revision 1 --by ana -o bad.json", "policy-format"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_signed(two: Shell, typed: str, code: str) -> None:
    Path("bad.cedar").write_text("permit (principal, action")
    result = two(*typed.split(), "--json")
    assert result.exit_code != 0
    assert json.loads(result.stdout)["code"] == code
    assert not Path("db.json").exists()
    assert not Path("bad.json").exists()


def test_a_set_has_its_own_id_and_revision(two: Shell) -> None:
    signed(two)
    before = Path("db.json").read_bytes()
    refused = two.json("policy", "sign", "db.json", "--by", "ana", "--revision", "4", status=4)
    assert refused["code"] == "shape"
    assert Path("db.json").read_bytes() == before
    assert refusal(lambda: PolicySet.parse(before)) == ""
