"""Records of every type that are the same each time: none of their digests is of anything."""

from __future__ import annotations

import hashlib
from typing import Any

from delegant.credentials import canonical
from delegant.credentials.codec import JsonObject, b64u_encode, digest
from delegant.credentials.shape import format_time
from delegant.governance.record import Record, input_hash, new_event, parse_record

START = 1_790_000_000
"""2026-09-21T14:13:20Z."""
LOG = "did:web:db.acme.example"
ANA = "did:web:acme.example:people:p-7f3a"
BEN = "did:web:acme.example:people:p-91c2"
ACME = "did:web:acme.example"
BOT = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
AIDE = "did:web:aide.acme.example"
NAME = "mcp://SemanticSearch.KnowledgeBase.Acme.v1.0"


def told(text: str) -> str:
    """A digest that is the same for the same text."""
    return digest(text.encode())


def event(number: int) -> str:
    """The name of an event, the same for the same number."""
    return new_event(START * 1000 + number, hashlib.sha256(str(number).encode()).digest()[:10])


def opening(number: int) -> JsonObject:
    """What opens an intent: nothing of this may ever be told by an export."""
    return {
        "salt": b64u_encode(hashlib.sha256(b"salt %d" % number).digest()[:16]),
        "request": {
            "action": "db.read",
            "resource": "urn:acme:papers:17",
            "arguments": {"customer_id": f"secret-customer-{number}"},
        },
        "invocation": f"eyJhbGciOiJFZERTQSJ9.c2VjcmV0LWludm9jYXRpb24t{number}.{'A' * 86}",
        "input": f"secret-input-{number}",
    }


def _all(kind: str, number: int, at: int, sponsor: str | None) -> JsonObject:
    return {
        "version": 1,
        "log": LOG,
        "type": kind,
        "event": event(number),
        "time": format_time(at),
        "previous": told(f"entry before {number}"),
        "sponsorDid": sponsor,
    }


def _act(number: int, **changes: Any) -> JsonObject:
    opened = opening(number)
    links = [f"urn:uuid:00000000-0000-4000-8000-{depth:012x}" for depth in (1, 2)]
    value: JsonObject = {
        "agentDid": BOT,
        "agentAnsName": NAME,
        "organizationDid": ACME,
        "chain": [{"id": one, "digestMultibase": told(one)} for one in links],
        "grantId": links[-1],
        "action": "db.read",
        "target": "urn:acme:papers:17",
        "inputHash": input_hash(opened),
        "invocation": told(opened["invocation"]),
        "evidence": told("evidence"),
        "policyId": "chain",
        "policyVersion": "1",
        "decision": "allow",
        "initiation": "human_request",
        "collaborationContext": {
            "triggeringAgentDid": AIDE,
            "triggeringAgentAnsName": None,
            "taskId": "T-17",
        },
    }
    return value | changes


def intent(number: int = 1, at: int = START, sponsor: str = ANA, **changes: Any) -> JsonObject:
    """What was about to be done."""
    spent = [
        {"type": "debit", "key": "urn:uuid:1/EUR:2", "unit": "EUR:2", "amount": "1000"},
        {"type": "rate", "key": "urn:uuid:1/60"},
    ]
    return _all("intent", number, at, sponsor) | _act(number) | {"spent": spent} | changes


def outcome(number: int = 1, at: int = START, sponsor: str = ANA, **changes: Any) -> JsonObject:
    """What came of it."""
    return (
        _all("outcome", number, at, sponsor)
        | {
            "agentDid": BOT,
            "outcome": {
                "status": "success", "rows": 12, "bytes": 4096, "resultHash": told("result"),
            },
            "settled": [
                {"type": "debit", "key": "urn:uuid:1/EUR:2", "unit": "EUR:2", "amount": "700"}
            ],
        }
        | changes
    )  # fmt: skip


def refusal(
    number: int = 1, at: int = START, sponsor: str | None = ANA, **changes: Any
) -> JsonObject:
    """What was refused of a chain that verified."""
    return (
        _all("refusal", number, at, sponsor)
        | _act(number, decision="deny")
        | {"code": "constraint", "phase": 12, "link": 1, "dimension": "budget", "verified": True}
        | changes
    )


def unproven(
    number: int = 1, at: int = START, sponsor: str | None = ANA, **changes: Any
) -> JsonObject:
    """What was refused of somebody who proved nothing."""
    nothing: JsonObject = dict.fromkeys(
        ("agentAnsName", "organizationDid", "grantId", "inputHash", "invocation", "evidence",
         "policyId", "policyVersion", "initiation", "collaborationContext", "link", "dimension")
    )  # fmt: skip
    why = {"code": "proof", "phase": 6, "verified": False, "chain": []}
    return refusal(number, at, sponsor, **nothing) | why | changes


def notice(
    number: int = 1, at: int = START, by: str = BEN, what: JsonObject | None = None
) -> JsonObject:
    """What the keeper of the log did."""
    value = what or {"kind": "hold", "terms": told("terms")}
    return _all("notice", number, at, by) | {"by": by, "notice": value}


def prune(*entries: list[int], before: int = START - 184 * 86_400) -> JsonObject:
    """A notice's own part, of what was pruned."""
    return {"kind": "prune", "before": format_time(before), "entries": list(entries)}


def read(value: JsonObject) -> Record:
    """The record of a value."""
    return parse_record(canonical(value))
