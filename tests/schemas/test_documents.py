"""Every document the simulator makes fits its schema, in either secured form."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from delegant import schemas
from delegant.credentials import CODES, Error, PrivateKey, Request, Verdict
from delegant.credentials import did as did_
from delegant.credentials.envelope import CONTEXT, Form
from delegant.credentials.errors import error
from schemas.full import BLOCK, FULL, constrained
from world import World, research_chain

EVERY_SCHEMA = (*schemas.names(), "common")
FORMS: tuple[Form, ...] = ("di", "jwt")
NEED = Request("db.read", "urn:acme:papers:17", rows=5, purpose="research")


def payload(token: str) -> Any:
    """What a compact JWS says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def walk(node: Any) -> Any:
    """Every object of a schema."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for below in node.values() if isinstance(node, dict) else node:
            yield from walk(below)


def test_there_is_one_for_every_wire_document() -> None:
    assert schemas.names() == (
        "agent-attestation", "agent-delegation", "agent-identity", "agent-receipt", "approval",
        "audit-record", "bundle", "did-resolution", "evidence",
        "human-sponsor", "invocation", "limbo", "limbo-ans", "policy-set", "policy-trust",
        "presentation", "problem", "request", "resource-receipt", "revocation-feed",
        "status-list", "trust", "verdict",
    )  # fmt: skip
    for name in ("wallet", "", "../common"):
        with pytest.raises(KeyError):
            schemas.load(name)


@pytest.mark.parametrize("name", EVERY_SCHEMA)
def test_each_is_a_valid_schema_that_says_where_it_lives(name: str) -> None:
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://delegant.example/schemas/{name}.json"
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", EVERY_SCHEMA)
def test_each_object_is_closed(name: str) -> None:
    open_ = {"document", "documents"}  # a DID document is open to all
    for node in walk(schemas.load(name)):
        for key, below in (node.get("properties") or {}).items():
            if key not in open_ and isinstance(below, dict) and below.get("type") == "object":
                # `then` and `else` narrow an object that is closed where it is described
                assert "additionalProperties" in below or below == {"type": "object"}, key
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False


@pytest.mark.parametrize("name", EVERY_SCHEMA)
def test_each_pattern_is_anchored_and_means_the_same_everywhere(name: str) -> None:
    for node in walk(schemas.load(name)):
        pattern = node.get("pattern")
        if not isinstance(pattern, str) or pattern in ("[*][*]$", "^did:(?:key|jwk):"):
            continue  # those two only tell cases apart
        re.compile(pattern)
        assert pattern.startswith("^"), pattern
        assert pattern.endswith(r"$(?!\n)"), pattern
        for class_ in (r"\d", r"\w", r"\s", r"\b", "(?P", "(?i"):
            assert class_ not in pattern


@pytest.mark.parametrize("form", FORMS)
def test_the_credentials_of_the_simulator_fit(form: Form) -> None:
    world = World(form=form)
    links, parties = research_chain(world)
    for link in links:
        assert schemas.validate("agent-delegation", link.secured.document) == []
    for party in parties.values():
        if party.credential is not None:
            assert schemas.validate("human-sponsor", party.credential.secured.document) == []
        if party.identity is not None:
            assert schemas.validate("agent-identity", party.identity.secured.document) == []
    assert schemas.validate("status-list", world.status_list().secured.document) == []


@pytest.mark.parametrize("kind", FULL)
def test_a_credential_fits_with_its_proof_and_without(kind: str) -> None:
    document = FULL[kind]()
    assert "proof" in document
    assert schemas.validate(kind, document) == []
    del document["proof"]
    assert schemas.validate(kind, document) == []


def test_every_kind_of_constraint_fits() -> None:
    documents = list(constrained())
    kinds = schemas.load("common")["$defs"]["constraints"]["properties"].keys()
    written = [set(d["credentialSubject"]["delegation"]["constraints"]) for d in documents]
    assert set().union(*written) == kinds
    for document in documents:
        assert schemas.validate("agent-delegation", document) == []


@pytest.mark.parametrize("form", FORMS)
def test_the_one_file_fits_and_so_do_its_parts(form: Form) -> None:
    world = World(form=form)
    links, _ = research_chain(world)
    bundle = json.loads(world.bundle(links[:3], NEED).to_bytes())
    assert schemas.validate("bundle", bundle) == []
    for part in ("presentation", "request", "evidence"):
        assert schemas.validate(part, bundle[part]) == []
    assert schemas.validate("invocation", payload(bundle["presentation"]["invocation"])) == []

    bundle["trust"] = world.trust_json
    assert schemas.validate("bundle", bundle) != []


def test_a_bundle_with_a_link_without_its_proof_does_not_fit() -> None:
    world = World()
    links, _ = research_chain(world)
    bundle = json.loads(world.bundle(links[:3], NEED).to_bytes())
    del bundle["presentation"]["links"][0]["proof"]
    assert not schemas.accepts("bundle", bundle)


def test_the_trust_folder_fits() -> None:
    world = World()
    trust = world.trust_json
    assert schemas.validate("trust", trust) == []
    assert schemas.validate("trust", trust | {"seen": world.trust().seen.json}) == []
    changes: list[dict[str, Any]] = [
        {"version": 2},
        {"anchors": {}},
        {"verifier": {"ledgers": []}},
        {"pins": []},
    ]
    for wrong in changes:
        assert schemas.validate("trust", trust | wrong) != []


def test_a_yes_and_a_no_fit_and_cannot_be_mixed() -> None:
    world = World()
    links, _ = research_chain(world)
    yes = Verdict.of(world.verify(links[:3], NEED.action, NEED.resource, rows=5)).json
    with pytest.raises(Error) as refused:
        world.verify(links[:3], NEED.action, NEED.resource, rows=501)
    no = Verdict.of(refused.value).json
    assert schemas.validate("verdict", yes) == []
    assert schemas.validate("verdict", no) == []
    assert schemas.validate("verdict", yes | {"state": "rejected"}) != []
    assert schemas.validate("verdict", no | {"state": "accepted"}) != []
    assert schemas.validate("verdict", no | {"actor": yes["actor"]}) != []


def test_every_kind_of_obligation_fits() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    limits = {
        "columns": ["title"],
        "budget": {"ledger": world.db.did, "unit": "EUR:2", "perAction": "9", "total": "90"},
        "rate": {"ledger": world.db.did, "count": 5, "periodSeconds": 60},
    }
    link = world.delegate(ana, bot, ["db.read urn:acme:papers:**"], constraints=limits)
    facts = {"amount": {"unit": "EUR:2", "value": "7"}, "columns": ("title",)}
    verdict = Verdict.of(world.verify([link], NEED.action, NEED.resource, **facts)).json
    assert {one["type"] for one in verdict["obligations"]} == {"once", "debit", "rate", "limit"}
    assert schemas.validate("verdict", verdict) == []


@pytest.mark.parametrize("code", CODES)
def test_the_problem_of_every_code_fits(code: str) -> None:
    problem = error(code, "what happened", link=1, dimension="rows").problem()
    assert schemas.validate("problem", problem) == []
    assert schemas.validate("verdict", Verdict.of(error(code, "what happened")).json) == []
    assert schemas.validate("problem", problem | {"trace": "…"}) != []


def test_a_message_names_the_place() -> None:
    document = FULL["human-sponsor"]()
    document["credentialSubject"]["humanSponsor"]["revision"] = 0
    (message,) = schemas.validate("human-sponsor", document)
    assert message.startswith("$.credentialSubject.humanSponsor.revision: ")


def test_the_context_is_the_one_pinned_and_defines_what_we_add() -> None:
    assert hashlib.sha256(schemas.context()).hexdigest() == schemas.CONTEXT_SHA256
    terms = json.loads(schemas.context())["@context"]
    assert terms["@protected"] is True
    for kind, block in BLOCK.items():
        name = schemas.load(kind)["title"]
        assert terms[name].endswith(f"#{name}")
        assert terms[block]["@type"] == "@json"
    more = {"@version", "@protected", "AgentAttestationCredential", "attestation"}
    assert terms["attestation"]["@type"] == "@json"
    titles = {schemas.load(kind)["title"] for kind in BLOCK}
    assert set(terms) == more | titles | set(BLOCK.values())
    assert schemas.load("common")["$defs"]["contexts"]["const"] == list(CONTEXT)


def test_a_key_and_a_did_of_every_kind_fit() -> None:
    key = PrivateKey.generate().public
    anchor = {"id": did_.from_key(key, "jwk"), "keys": [key.multikey]}
    assert schemas.validate("trust", {"version": 1, "anchors": [anchor]}) == []
