"""The journeys as they are typed: an organisation, a developer, an API owner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from delegant.ans.log.note import COSIGNATURE, NoteKey
from delegant.credentials import Bundle, PrivateKey, Request, verify
from delegant.wallet import load_trust

from .conftest import T0, Shell

NEED = "db.read:urn:acme:papers:17"


def test_five_commands_make_a_working_chain(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.ok("init", "--org", "acme.example")
    monkeypatch.chdir(shell.folder / "acme")
    shell.many(
        [
            "human add ana",
            "agent create bot --sponsor ana --tools db.read",
            "delegate --from ana --to bot --allow db.read:urn:acme:papers:**",
            f"present bot --need {NEED} -o bundle.json",
        ]
    )
    assert "accepted" in shell.ok("verify", "bundle.json", "--need", NEED)


def test_the_security_engineer_begins_an_organisation(shell: Shell) -> None:
    told = shell.ok("init", "--org", "acme.example", "--out", "./acme")
    assert "anchor.json" in told
    assert "next:" in told
    shell.monkeypatch.chdir(shell.folder / "acme")
    assert "did:key:" in shell.ok("human", "add", "ana", "--attest", "idp:corp")
    (ana,) = shell.json("human", "list")
    assert ana["name"] == "ana"
    shown = shell.json("human", "show", "ana")
    block = shown["credential"]["credentialSubject"]["humanSponsor"]
    assert block["attestation"] == "idp:corp"
    assert block["status"]["count"] == 65_536


def test_the_developer_delegates_with_a_task_and_rows(shell: Shell) -> None:
    shell.ok("init", "--org", "acme.example")
    shell.monkeypatch.chdir(shell.folder / "acme")
    Path("model.json").write_text("{}")
    shell.many(
        [
            "human add ana",
            "agent create research-bot --sponsor ana --model persistent --model-file model.json "
            "--tools web.read,db.read",
            "delegate --from ana --to research-bot --task T-17 --allow db.read:urn:acme:papers:** "
            "--rows 500 --ttl 15m --redelegate 2 --spawn -o link1.json",
        ]
    )
    link = json.loads(Path("link1.json").read_bytes())["credentialSubject"]["delegation"]
    assert link["constraints"] == {
        "rows": {"max": 500},
        "task": {"id": "T-17", "initiation": "human_request"},
    }
    assert (link["redelegation"]["remaining"], link["redelegation"]["spawn"]) == (2, True)
    assert link["redelegation"]["status"]["count"] == 512
    shell.ok("present", "research-bot", "--need", NEED, "--task", "T-17", "--rows", "500",
             "-o", "b.json")  # fmt: skip
    assert "accepted" in shell.ok("verify", "b.json", "--need", NEED)
    shell.ok("present", "research-bot", "--need", NEED, "--task", "T-17", "--rows", "501",
             "-o", "b.json")  # fmt: skip
    refused = shell.json("verify", "b.json", "--need", NEED, status=1)
    assert (refused["code"], refused["dimension"], refused["link"]) == ("constraint", "rows", 0)


def test_an_owner_believes_a_registry_and_takes_it_back(acme: Shell) -> None:
    published = json.loads((acme.folder / "acme/registry.json").read_bytes())
    Path("registry.json").write_text(json.dumps(published))
    acme.ok("trust", "init", "trust")
    key = PrivateKey.generate().public
    one, two = (NoteKey(f"{name}.example/w", COSIGNATURE, key).vkey for name in ("one", "two"))
    for wrong in ((published["log"],), (one[:-4],), ("x",)):  # a log's key, half a key, none
        typed = ("trust", "add-registry", "trust", "registry.json", "--witness", *wrong)
        assert acme.json(*typed, status=1)["code"] == "log-note"
    assert acme.json("trust", "list", "trust")["registries"] == []
    witnesses = ("--witness", one, "--witness", two)
    told = acme.ok("trust", "add-registry", "trust", "registry.json", *witnesses, "--quorum", "1")
    for line in ("is believed", published["log"], one, two, "quorum     1"):
        assert line in told
    assert acme.json("trust", "add-registry", "trust", "registry.json", status=1)["code"] == (
        "name-taken"
    )
    assert f"registry {published['id']}" in acme.ok("trust", "list", "trust")
    assert acme.json("trust", "list", "trust")["registries"][0]["quorum"] == 1
    acme.ok("trust", "remove-registry", "trust", published["id"])
    assert acme.json("trust", "list", "trust")["registries"] == []
    assert acme.json("trust", "remove-registry", "trust", published["id"], status=1)["code"] == (
        "not-found"
    )
    published.pop("log")
    Path("registry.json").write_text(json.dumps(published))
    assert "none of its answers will count" in acme.ok(
        "trust", "add-registry", "trust", "registry.json"
    )


def test_the_api_owner_trusts_adds_and_verifies(acme: Shell) -> None:
    home = acme.folder / "acme"
    registry = load_trust(home / "trust").verifier
    assert registry is not None
    acme.monkeypatch.delenv("DELEGANT_HOME")
    acme.ok("trust", "init", "trust", "--id", registry)
    assert "db.* on" in acme.ok("trust", "add", "trust", str(home / "anchor.json"))
    assert acme.json("trust", "list", "trust")["anchors"][0]["id"].startswith("did:key:")
    acme.ok("bundle", "export", "link1.json", "link2.json", "--rows", "5", "-o", "bundle.json",
            "--home", str(home))  # fmt: skip
    told = acme.ok(
        "verify", "bundle.json", "--trust", "trust", "--need", NEED, "--offline", "--explain"
    )
    assert "accepted" in told
    assert told.count("└ agent") == 2
    assert json.loads(Path("trust/seen.json").read_bytes())["revision"]
    bundle = Bundle.parse(Path("bundle.json").read_bytes())
    asked = Request("db.read", "urn:acme:papers:17", rows=5)
    auth = verify(bundle.presentation, bundle.evidence, load_trust("trust"), asked, at=T0)
    assert len(auth.path) == 3
    assert "anchors" not in bundle.evidence.json


def test_an_own_ceiling_goes_before_the_suggested_one(acme: Shell) -> None:
    home = acme.folder / "acme"
    registry = str(load_trust(home / "trust").verifier)
    acme.ok("present", "bot", "--need", NEED, "--rows", "1", "-o", "b.json")
    for name, allow, status in (("wide", NEED, 0), ("narrow", "db.read:urn:acme:x:**", 1)):
        acme.ok("trust", "init", name, "--id", registry)
        acme.ok("trust", "add", name, str(home / "anchor.json"), "--allow", allow)
        said = acme.json("verify", "b.json", "--trust", name, status=status)
        assert said["code"] == (None if status == 0 else "exceeds-anchor")


@pytest.mark.parametrize(
    ("target", "lower", "upper"),
    [("link2.json", ("revoked", 1), None), ("link1.json", ("revoked", 0), ("revoked", 0)),
     ("helper", ("revoked", 1), None), ("ana", ("sponsor-gone", None), ("sponsor-gone", None))],
)  # fmt: skip
def test_revoking_stops_what_lies_below_and_nothing_else(
    acme: Shell, target: str, lower: tuple[str, int], upper: tuple[str, int] | None
) -> None:
    acme.now += 1
    acme.ok("status", "revoke", target, "--reason", "key theft")
    for agent, expected in (("helper", lower), ("bot", upper)):
        acme.ok("present", agent, "--need", NEED, "--rows", "1", "-o", "b.json")
        said = acme.json("verify", "b.json", status=0 if expected is None else 1)
        assert (said["code"], said["link"]) == (expected or (None, None))
    assert acme.json("status", "resume", target, status=1)["code"] == "revoked"


@pytest.mark.parametrize(
    ("target", "expected"),
    [("link2.json", ("revoked", 1)), ("helper", ("revoked", 1)), ("ana", ("sponsor-gone", None)),
     ("DID", ("revoked", 1))],
)  # fmt: skip
def test_feed_alone_stops_what_was_revoked(
    acme: Shell, target: str, expected: tuple[str, int | None]
) -> None:
    acme.now += 1
    acme.ok("present", "helper", "--need", NEED, "--rows", "1", "-o", "before.json")
    helper = acme.json("agent", "show", "helper")["did"]
    named = helper if target == "DID" else target
    said = acme.json("status", "revoke", named, "--reason", "key theft")
    assert (said["seq"], said["change"]) == (2, "revoke")
    acme.ok("present", "helper", "--need", NEED, "--rows", "1", "-o", "after.json")
    kept = json.loads(Path("before.json").read_bytes())
    kept["evidence"]["feeds"] = json.loads(Path("after.json").read_bytes())["evidence"]["feeds"]
    Path("mixed.json").write_text(json.dumps(kept))
    acme.ok("verify", "before.json", "--no-remember")
    said = acme.json("verify", "mixed.json", status=1)
    assert (said["code"], said["link"]) == expected


def test_stranger_is_revoked_by_did_and_what_is_no_did_is_not_found(acme: Shell) -> None:
    said = acme.json("status", "revoke", "did:web:thief.example")
    assert (said["list"], said["seq"]) == (None, 2)
    assert acme.json("status", "revoke", "did:web:thief.example")["seq"] == 2
    assert acme.json("status", "suspend", "did:web:thief.example", status=3)["code"] == (
        "status-missing"
    )
    assert acme.json("status", "revoke", "nobody", status=1)["code"] == "not-found"


def test_evidence_is_shown_with_its_age_and_what_the_feed_revokes(acme: Shell) -> None:
    acme.ok("status", "revoke", "did:web:thief.example", "--reason", "stole a key")
    acme.ok("present", "helper", "--need", NEED, "--rows", "1", "-o", "b.json")
    acme.now += 90
    shown = acme.ok("evidence", "show", "b.json")
    assert "number 2, 1 revoked, 90 seconds old" in shown
    rows = acme.json("evidence", "show", "b.json")
    assert [row["kind"] for row in rows] == ["sponsor", "identity", "identity", "list", "feed"]
    (entry,) = rows[-1]["entries"]
    assert (entry["id"], entry["reason"]) == ("did:web:thief.example", "stole a key")
    Path("e.json").write_text('{"documents": [{"id": "did:web:a.example"}]}')
    assert "did:web:a.example" in acme.ok("evidence", "show", "e.json")
    Path("none.json").write_text("{}")
    assert "no evidence" in acme.ok("evidence", "show", "none.json")


def test_suspending_is_undone_by_resuming(acme: Shell) -> None:
    for number, (verb, status) in enumerate((("suspend", 1), ("resume", 0)), start=1):
        acme.now = T0 + number
        acme.ok("status", verb, "link1.json")
        acme.ok("present", "helper", "--need", NEED, "--rows", "1", "-o", "b.json")
        assert acme("verify", "b.json").exit_code == status


def test_old_evidence_is_refused_and_refreshed(acme: Shell) -> None:
    acme.now = T0 + 400  # the list was signed at T0
    acme.ok("present", "bot", "--need", NEED, "--rows", "1", "-o", "b.json")
    assert acme.json("verify", "b.json", status=3)["code"] == "status-stale"
    assert "status/1" in acme.ok("evidence", "refresh", "b.json")
    assert acme.json("verify", "b.json")["state"] == "accepted"
    assert acme.json("evidence", "refresh") == {"renewed": []}
    acme.ok("evidence", "refresh", "--agent", "helper", "-o", "e.json")
    found = json.loads(Path("e.json").read_bytes())
    assert {name: len(items) for name, items in found.items()} == {
        "sponsors": 1, "identities": 1, "statusLists": 1, "feeds": 1,
    }  # fmt: skip


def test_what_was_seen_newer_is_not_believed_older(acme: Shell) -> None:
    acme.ok("present", "bot", "--need", NEED, "--rows", "1", "-o", "old.json")
    acme.now += 70
    acme.ok("evidence", "refresh")
    acme.ok("present", "bot", "--need", NEED, "--rows", "1", "-o", "new.json")
    acme.ok("verify", "new.json", "--no-remember")
    twin = acme("verify", "old.json", "--at", "2026-09-21T14:13:25Z", "--no-remember")
    assert twin.exit_code == 0, twin.output
    acme.ok("verify", "new.json")
    said = acme.json("verify", "old.json", "--at", "2026-09-21T14:13:25Z", status=1)
    assert said["code"] == "status-rollback"


def test_an_agent_without_its_humans_passphrase_still_presents(acme: Shell) -> None:
    (acme.folder / "acme" / "wallets" / "humans" / "ana.wallet").unlink()
    (acme.folder / "acme" / "wallets" / "organization.wallet").unlink()
    acme.ok("present", "helper", "--need", NEED, "--rows", "1", "-o", "b.json")
    assert "accepted" in acme.ok("verify", "b.json")


@pytest.mark.parametrize("form", ["di", "jwt"])
def test_a_nonce_and_both_forms_travel(acme: Shell, form: str) -> None:
    acme.ok("delegate", "--from", "ana", "--to", "bot", "--allow", NEED, "--form", form)
    acme.ok("present", "bot", "--need", NEED, "--nonce", "n1", "-o", "b.json")
    assert acme("verify", "b.json", "--nonce", "n1").exit_code == 0
    assert acme.json("verify", "b.json", "--nonce", "n2", status=1)["code"] == "nonce"


def test_a_child_a_fork_and_an_ephemeral_agent(acme: Shell) -> None:
    acme.many(
        [
            "agent create boss --sponsor ana --spawn --tools db.read",
            "agent create kid --model child --parent boss --tools db.read",
            "agent create twin --sponsor ana --model fork --parent boss",
            "agent create brief --sponsor ana --model ephemeral --ttl 60s --tools db.read",
            "delegate --from ana --to boss --allow db.read:urn:acme:papers:** --redelegate 1 "
            "--spawn",
            f"delegate --from boss --to kid --allow {NEED}",
            f"delegate --from ana --to brief --allow {NEED} --ttl 60s",
        ]
    )
    models = {row["name"]: row["model"] for row in acme.json("agent", "list")}
    assert models == {"bot": "persistent", "helper": "persistent", "boss": "persistent",
                      "kid": "child", "twin": "fork", "brief": "ephemeral"}  # fmt: skip
    for name in ("kid", "brief"):
        acme.ok("present", name, "--need", NEED, "-o", "b.json")
        acme.ok("verify", "b.json")
    acme.now += 61
    acme.ok("evidence", "refresh", "b.json")
    assert acme.json("verify", "b.json", status=1)["code"] == "expired"


def test_dids_are_made_and_resolved(shell: Shell) -> None:
    for method in ("key", "jwk"):
        made = shell.json("did", "create", "-o", f"{method}.wallet", "--method", method)
        document = shell.json("did", "resolve", made["did"])["didDocument"]
        assert document["id"] == made["did"]
        assert {one["controller"] for one in document["verificationMethod"]} == {made["did"]}
