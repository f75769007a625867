"""Honest credentials with every optional member filled in, to walk over.

Each comes from the simulator, really signed, and is then filled: what is compared here is shape,
which no signature touches.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

from world import World, research_chain

Document = dict[str, Any]

WEB_DID = "did:web:other.example"
DIGEST = "uEiC6eBa_jwHP6kFBQN4isiOwA2GjlhepyGG0EP9hyACVrQ"
KEY = "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


def constraints() -> Document:
    """Every kind of constraint, and every form of each."""
    return {
        "audience": [WEB_DID, "did:key:z6Mk"],
        "purpose": ["research", "audit"],
        "task": {"id": "t-1", "initiation": "human_request"},
        "arguments": {
            "one": {"eq": "x"},
            "few": {"in": [1, "1", True]},
            "numbers": {"range": {"min": -5, "max": 1}},
            "money": {"range": {"min": "-5", "max": "1"}},
        },
        "rows": {"max": 500},
        "bytes": {"max": 0},
        "columns": ["title", "año"],
        "budget": {"ledger": WEB_DID, "unit": "EUR:2", "perAction": "10", "total": "0"},
        "rate": {"ledger": WEB_DID, "count": 1, "periodSeconds": 60},
        "dataClass": {"scheme": "https://delegant.example/data-class/v1", "max": "internal"},
        "approval": {
            "threshold": 2,
            "by": [WEB_DID, "did:web:b", "did:web:c"],
            "over": {"unit": "EUR:2", "value": "100"},
        },
        "hours": [["08:00", "12:00"], ["13:30", "24:00"]],
        "network": ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"],
    }


def _grants() -> list[Document]:
    return [
        {
            "actions": ["db.read", "doc.*"],
            "resources": ["urn:acme:papers:**", "https://papers.example:8443/a%20b/**", WEB_DID],
        },
        {"actions": ["ans.register"], "resources": ["https://papers.example/"]},
    ]


def _inside(credential: Any) -> Document:
    """A copy of a credential whose proof is inside."""
    doc: Document = copy.deepcopy(credential)
    return doc


def link() -> Document:
    """A link below another, to an agent whose DID is not its key; without constraints."""
    links, _ = research_chain(World())
    doc = _inside(links[1].secured.raw)
    subject = doc["credentialSubject"]
    subject["id"] = WEB_DID
    subject["delegation"] |= {"key": KEY, "grants": _grants()}
    subject["delegation"].pop("constraints", None)
    return doc


def constrained() -> Iterator[Document]:
    """A plain link for each kind of constraint, with that one."""
    links, _ = research_chain(World())
    for name, value in constraints().items():
        doc = _inside(links[0].secured.raw)
        doc["credentialSubject"]["delegation"]["constraints"] = {name: value}
        yield doc


def sponsor() -> Document:
    """A sponsor credential of a human whose DID is not their key."""
    human = World().human("ana")
    assert human.credential is not None
    doc = _inside(human.credential.secured.raw)
    subject = doc["credentialSubject"]
    subject["id"] = WEB_DID
    subject["humanSponsor"]["key"] = KEY
    subject["humanSponsor"]["entitlements"] = {
        "grants": _grants(),
        "constraints": {"rows": {"max": 10}},
    }
    return doc


def identity() -> Document:
    """An ephemeral child that says everything about itself."""
    world = World()
    agent = world.agent("bot", world.human("ana"))
    assert agent.identity is not None
    doc = _inside(agent.identity.secured.raw)
    subject = doc["credentialSubject"]
    subject["id"] = WEB_DID
    subject["agentIdentity"] |= {
        "identityModel": "ephemeral",
        "parent": "did:web:parent.example",
        "updated": "2026-02-28T23:59:59Z",
        "expires": doc["validUntil"],
        "name": "Bot",
        "softwareVersion": "1.2",
        "decisionModel": "a large model",
        "updateMechanism": "by hand",
        "training": "none",
        "modelHash": DIGEST,
        "expectedOutcomes": ["a summary"],
        "limitations": ["no mail", "no money"],
        "protocols": ["mcp"],
        "securityProperties": ["sandboxed"],
        "compliance": ["ISO 42001"],
        "dependencies": ["libfoo 1.0"],
        "scopeOfBehavior": {"summary": "reads papers", "purposes": ["research"]},
        "toolset": [
            {
                "toolName": "db",
                "actions": ["db.read", "db.list"],
                "toolDid": WEB_DID,
                "targetSchemas": ["papers"],
            },
            {"toolName": "web", "actions": ["web.*"]},
        ],
        "key": KEY,
    }
    return doc


def attestation() -> Document:
    """An attestation that says everything it may."""
    world = World()
    agent = world.agent("bot", world.human("ana"))
    doc = _inside(world.attestation(agent).secured.raw)
    doc["credentialSubject"]["attestation"] |= {
        "capabilities": ["KnowledgeBase.SemanticSearch", "reads é"],
        "scope": "quarterly summaries, read only",
        "evidence": {"digestMultibase": DIGEST},
    }
    return doc


FULL = {
    "agent-delegation": link,
    "human-sponsor": sponsor,
    "agent-identity": identity,
    "agent-attestation": attestation,
}
"""A full document of each of the four credentials."""
BLOCK = {
    "agent-delegation": "delegation",
    "human-sponsor": "humanSponsor",
    "agent-identity": "agentIdentity",
    "agent-attestation": "attestation",
}
"""What the subject's block is called."""


def as_jwt(payload: Document) -> str:
    """A document as vc+jwt with a signature of the right length, by nobody."""
    header = {"alg": "EdDSA", "kid": f"{WEB_DID}#k", "typ": "vc+jwt"}
    parts = [json.dumps(part).encode() for part in (header, payload)] + [bytes(64)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
