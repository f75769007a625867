"""New keys and attestations as they are typed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from delegant.wallet import Home
from delegant.wallet.webdids import web_subjects

from .conftest import T0, Shell

NEED = "db.read:urn:acme:papers:17"
ALLOW = "db.read:urn:acme:papers:**"


@pytest.fixture
def web(shell: Shell) -> Shell:
    """A did:web organisation, its Ana, and two agents in one chain."""
    shell.ok("init", "--org", "acme.example", "--method", "web")
    shell.monkeypatch.setenv("DELEGANT_HOME", str(shell.folder / "acme"))
    shell.many(
        [
            "human add ana",
            "agent create bot --sponsor ana --tools db.read",
            "agent create helper --sponsor ana --tools db.read",
        ]
    )
    again(shell)
    return shell


def again(shell: Shell) -> None:
    """Ana delegates to the bot, and the bot to the helper."""
    shell.ok("delegate", "--from", "ana", "--to", "bot", "--allow", ALLOW, "--redelegate", "1")
    shell.ok("delegate", "--from", "bot", "--to", "helper", "--allow", NEED)


def said(shell: Shell, agent: str = "helper") -> str:
    """What the home's own verifier says of an agent's next act."""
    shell.ok("present", agent, "--need", NEED, "-o", "b.json")
    result = shell("verify", "b.json", "--json")
    return str(json.loads(result.stdout)["code"] or "accepted")


def test_did_web_at_every_position_from_init_to_verify(web: Shell) -> None:
    assert said(web) == "accepted"
    told = web.json("agent", "show", "helper")
    assert told["did"] == "did:web:acme.example:agents:helper"
    assert told["sponsor"].startswith("did:web:acme.example:people:p-")
    bundle = json.loads(Path("b.json").read_bytes())
    assert "documents" not in bundle["evidence"]
    assert [link["issuer"].split(":")[1] for link in bundle["presentation"]["links"]] == [
        "web", "web",
    ]  # fmt: skip


def test_a_method_is_chosen_for_each(web: Shell) -> None:
    assert web.json("human", "add", "ben", "--method", "key")["did"].startswith("did:key:")
    made = web.json("agent", "create", "x", "--sponsor", "ben", "--method", "jwk")
    assert made["did"].startswith("did:jwk:")
    assert web.json("human", "add", "eva", "--method", "ion", status=4)["code"] == "shape"
    wrong = ("init", "--org", "b.example", "--method", "web", "--url", "http://127.0.0.1:1")
    assert web.json(*wrong, status=4)["code"] == "did-invalid"


def test_a_stranger_of_another_method_is_delegated_to_with_its_key(web: Shell) -> None:
    stranger = ("delegate", "--from", "ana", "--to", "did:web:b.example:x", "--allow", NEED)
    assert web.json(*stranger, status=3)["code"] == "key-unresolved"
    document = web.json("agent", "show", "bot")["credential"]
    key = document["credentialSubject"]["agentIdentity"]["key"]
    assert web.json(*stranger, "--to-key", key)["to"] == "did:web:b.example:x"


@pytest.mark.parametrize("verb", ["rotate", "recover"])
def test_a_person_gets_a_new_key_and_one_delegation_more_works(web: Shell, verb: str) -> None:
    before = web.json("human", "show", "ana")["did"]
    web.now += 5
    done = web.json("human", verb, "ana")
    assert (done["did"], done["before"]) == (before, before)
    assert set(done["renewed"]) == {"bot", "helper"}
    assert done["toRenew"] == []
    assert said(web) == "proof"  # the links of before are by the old key
    again(web)
    assert said(web) == "accepted"


def test_a_did_key_person_becomes_another_did(acme: Shell) -> None:
    before = acme.json("human", "show", "ana")["did"]
    acme.now += 5
    told = acme.ok("human", "rotate", "ana")
    assert "(a new DID)" in told
    assert f"no longer {before}" in told
    assert "next: delegant delegate --from ana" in told
    again(acme)
    assert said(acme) == "accepted"


def test_a_lost_wallet_needs_recovery(web: Shell) -> None:
    wallet = web.folder / "acme" / "wallets" / "humans" / "ana.wallet"
    wallet.unlink()
    assert web.json("human", "rotate", "ana", status=1)["code"] == "not-found"
    web.ok("human", "recover", "ana")
    assert wallet.is_file()
    again(web)
    assert said(web) == "accepted"


def test_a_wallet_from_before_is_told_so(web: Shell) -> None:
    wallet = web.folder / "acme" / "wallets" / "humans" / "ana.wallet"
    before = wallet.read_bytes()
    web.ok("human", "rotate", "ana")
    wallet.write_bytes(before)  # somebody restores a backup
    old = ("delegate", "--from", "ana", "--to", "bot", "--allow", NEED)
    assert web.json(*old, status=1)["code"] == "did-key-mismatch"
    web.ok("human", "rotate", "ana")
    assert web.json(*old)["use"] == "grant"


def test_an_agent_is_renewed_and_rotated(web: Shell) -> None:
    (row,) = web.json("agent", "renew", "bot", "--ttl", "60d")
    assert row["validUntil"] == "2026-11-20T14:13:20Z"
    web.now += 5
    done = web.json("agent", "rotate", "helper")
    assert len(done["ended"]) == 1
    web.ok("delegate", "--from", "bot", "--to", "helper", "--allow", NEED)
    assert said(web) == "accepted"
    web.ok("human", "add", "ben")
    assert web.json("agent", "renew", "helper", "--sponsor", "ben")[0]["sponsor"] != row["sponsor"]
    assert web.json("agent", "renew", "ana", status=1)["code"] == "wallet-kind"


def test_an_api_owner_follows_a_did_web_organisation(web: Shell) -> None:
    home = web.folder / "acme"
    registry = json.loads((home / "trust" / "trust.json").read_bytes())["verifier"]["id"]
    web.ok("trust", "init", "owner", "--id", registry)
    web.ok("trust", "add", "owner", str(home / "anchor.json"))
    web.now += 5
    done = web.json("org", "rotate", "--overlap", "1h")
    assert done["overlapUntil"] == "2026-09-21T15:13:25Z"
    assert set(done["signed"]) == {"ana"}
    web.ok("present", "helper", "--need", NEED, "-o", "b.json")
    assert web.json("verify", "b.json", "--trust", "owner", status=1)["code"] == "proof"
    told = web.ok("trust", "update", "owner", str(home / "anchor.json"))
    assert told.count("z6Mk") == 2
    web.ok("verify", "b.json", "--trust", "owner")
    assert "trust update" in web.ok("org", "rotate", "--status")


def test_a_did_key_organisation_says_what_must_be_done(acme: Shell) -> None:
    home = acme.folder / "acme"
    before = json.loads((home / "anchor.json").read_bytes())["id"]
    assert acme.json("org", "rotate", "--overlap", "1h", status=4)["code"] == "shape"
    acme.now += 5
    told = acme.ok("org", "rotate")
    for line in ("this is another DID", "trust add FOLDER", f"trust remove FOLDER {before}",
                 "next: delegant agent renew bot helper"):  # fmt: skip
        assert line in told
    acme.ok("agent", "renew", "bot", "helper")
    again(acme)
    assert said(acme) == "accepted"
    assert acme.json("trust", "remove", str(home / "trust"), before, status=1)["code"] == (
        "not-found"
    )


def test_a_name_is_registered_by_agents_of_either_kind_of_did(web: Shell) -> None:
    web.ok("agent", "create", "named", "--sponsor", "ana", "--tools", "db.read", "--method", "key")
    name = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"
    for agent in ("bot", "named"):
        web.ok("delegate", "--from", "ana", "--to", agent, "--allow", "ans.*:registry")
        register = ("ans", "register", agent, "--name", name, "--endpoint", "https://a.example/mcp")
        told = web.json(*register, "--url", "http://127.0.0.1:9", status=5)
        assert told["code"] == "unavailable"  # it gets as far as the registry, which is not there


# --- documents that take keys away ----------------------------------------------------------


def written(web: Shell, document: Any, **metadata: Any) -> str:
    """A resolution result in a file, as old as this instant."""
    path = web.folder / "document.json"
    path.write_text(json.dumps({"didDocument": document, "didDocumentMetadata": metadata}))
    os.utime(path, (web.now, web.now))
    return str(path)


def test_a_document_in_a_file_takes_a_key_away_and_adds_none(web: Shell) -> None:
    assert said(web) == "accepted"
    home = Home(web.folder / "acme")
    did = web.json("agent", "show", "helper")["did"]
    (document,) = [one.document for one in web_subjects(home) if one.did == did]
    check = ("verify", "b.json", "--document")
    assert web.json(*check, written(web, document))["state"] == "accepted"
    gone = web.json(*check, written(web, document, deactivated=True), status=1)
    assert gone["code"] == "key-retired"
    (method,) = document["verificationMethod"]
    ended = document | {"verificationMethod": [method | {"revoked": "2026-01-01T00:00:00Z"}]}
    assert web.json(*check, written(web, ended), status=1)["code"] == "key-retired"
    unlisted = {"@context": document["@context"], "id": did}
    assert web.json(*check, written(web, unlisted), status=1)["code"] == "key-retired"
    assert web.json(*check, written(web, None), status=4)["code"] == "did-document"
    assert web("verify", "b.json", "--offline", "--allow-host", "*").exit_code == 2


# --- attestations --------------------------------------------------------------------------

SOX = "SOXComplianceCertified"


def test_an_attestation_counts_where_its_issuer_is_accredited(acme: Shell) -> None:
    home = acme.folder / "acme"
    made = acme.json("attest", "bot", "--claim", SOX, "--until", "30d", "-o", "sox.json")
    assert made["validUntil"] == "2026-10-21T14:13:20Z"
    check = ("attestation", "verify", "sox.json", "--claim", SOX)
    assert acme.json(*check, status=1)["code"] == "issuer-not-accredited"
    acme.ok("trust", "accredit", str(home / "trust"), str(home / "anchor.json"), SOX)
    assert acme.json(*check)["agent"] == made["agent"]
    other = ("attestation", "verify", "sox.json", "--claim", "ISO42001")
    assert acme.json(*other, status=1)["code"] == "not-attested"
    acme.now = T0 + 301
    assert acme.json(*check, status=3)["code"] == "status-stale"
    acme.ok("evidence", "refresh")
    acme.ok("attestation", "export", made["id"], "-o", "sox.json")
    acme.ok(*check)
    acme.ok("status", "revoke", made["id"][9:17])
    acme.ok("attestation", "export", made["id"], "-o", "new.json")
    assert acme.json(*check, "--evidence", "new.json", status=1)["code"] == "revoked"
    assert acme.json("attestation", "verify", "new.json", status=1)["code"] == "revoked"
    acme.ok("trust", "accredit", str(home / "trust"), made["issuer"], SOX, "--no-longer")
    assert acme.json(*check, status=1)["code"] == "issuer-not-accredited"


def test_an_attestation_may_be_typed_as_any_credential_is(acme: Shell) -> None:
    kind = ("vc", "issue", "--type", "AgentAttestationCredential")
    made = acme.json(*kind, "--agent", "bot", "--claim", SOX, "--until", "30d", "-o", "sox.json")
    assert [row["id"] for row in acme.json("attestation", "list", "bot")] == [made["id"]]
    acme.ok("trust", "accredit", str(acme.folder / "acme" / "trust"), made["issuer"], SOX)
    shown = acme.json("attestation", "verify", "sox.json", "--claim", SOX)
    assert shown["agent"] == made["agent"]
    link = ("vc", "issue", "--type", "AgentDelegationCredential", "--agent", "bot", "--claim", SOX)
    assert acme.json(*link, status=1)["code"] == "chain-type"
    assert acme(*kind, "--agent", "bot").exit_code == 2
    assert acme(*kind, "--agent", "bot", "--claim", SOX, "--input", "sox.json").exit_code == 2
    assert acme("vc", "issue", "--input", "sox.json").exit_code == 2


def test_attestations_are_listed_and_shown(acme: Shell) -> None:
    made = acme.json("attest", "bot", "--claim", SOX, "--until", "2026-12-31T00:00:00Z")
    assert made["validUntil"] == "2026-12-31T00:00:00Z"
    acme.ok("attest", "helper", "--claim", "ISO42001", "--capability", "db.read")
    assert [row["claim"] for row in acme.json("attestation", "list", "bot")] == [SOX]
    assert len(acme.json("attestation", "list")) == 2
    shown = acme.json("attestation", "show", made["id"])
    assert shown["type"] == ["VerifiableCredential", "AgentAttestationCredential"]
    assert acme.json("attestation", "show", "nothing", status=1)["code"] == "not-found"
    for until in ("2026-01-01T00:00:00Z", "soon", "0d"):
        again = acme.json("attest", "bot", "--claim", SOX, "--until", until, status=4)
        assert again["code"] == "shape"
    far = acme.json("attest", "bot", "--claim", SOX, "--until", "367d", status=1)
    assert far["code"] == "ttl-too-long"
