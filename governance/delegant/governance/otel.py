"""A record as a log record of OpenTelemetry, in the OTLP JSON encoding, one `LogsData` a line.

So a collector reads the file as it is. ``enduser.id`` is the sponsor, ``gen_ai.agent.id`` and
``gen_ai.agent.name`` the agent, ``error.type`` the code of a refusal or failure: names of the
semantic conventions. Everything else is ``delegant.*``. The parties of a refusal that proved
nothing are under ``delegant.claimed.*`` alone.
"""

from __future__ import annotations

from typing import Any, Final

from delegant.credentials.codec import JsonObject

from .record import Record
from .reporting import Logged

__all__ = ["SCHEMA_URL", "otel_logs"]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The semantic conventions whose names are used."""
INFO: Final = (9, "INFO")
WARN: Final = (13, "WARN")
PARTIES: Final = {
    "sponsorDid": "enduser.id",
    "agentDid": "gen_ai.agent.id",
    "agentAnsName": "gen_ai.agent.name",
    "organizationDid": "delegant.organization",
}
CLAIMS: Final = {
    "sponsorDid": "delegant.claimed.sponsor",
    "agentDid": "delegant.claimed.agent",
    "agentAnsName": "delegant.claimed.agent.name",
    "organizationDid": "delegant.claimed.organization",
}
NAMES: Final = {
    "event": "delegant.event",
    "previous": "delegant.previous",
    "chain": "delegant.chain",
    "grantId": "delegant.grant",
    "action": "delegant.action",
    "target": "delegant.target",
    "inputHash": "delegant.input.hash",
    "invocation": "delegant.invocation.digest",
    "evidence": "delegant.evidence.digest",
    "policyId": "delegant.policy.id",
    "policyVersion": "delegant.policy.version",
    "decision": "delegant.decision",
    "initiation": "delegant.initiation",
    "spent": "delegant.spent",
    "settled": "delegant.settled",
    "code": "error.type",
    "phase": "delegant.refusal.phase",
    "link": "delegant.refusal.link",
    "dimension": "delegant.refusal.dimension",
    "verified": "delegant.verified",
    "notice": "delegant.notice",
}
INSIDE: Final = {
    "collaborationContext": {
        "triggeringAgentDid": "delegant.triggering.agent.id",
        "triggeringAgentAnsName": "delegant.triggering.agent.name",
        "taskId": "delegant.task.id",
    },
    "outcome": {
        "status": "delegant.outcome.status",
        "rows": "delegant.outcome.rows",
        "bytes": "delegant.outcome.bytes",
        "resultHash": "delegant.outcome.result.hash",
        "code": "error.type",
    },
}


def otel_logs(entry: Logged, first: Record) -> JsonObject:
    """The `LogsData` of an entry.

    Args:
        first: the record that began the same event, which says what an outcome is of.
    """
    record = entry.record
    said = record.json
    nano = str(record.time * 1_000_000_000)
    number, text = WARN if _wrong(record) else INFO
    found: JsonObject = {"delegant.entry": entry.number, "delegant.type": record.type}
    if record.type == "outcome":
        found |= {NAMES[name]: first.json.get(name) for name in ("action", "target")}
    for name, value in said.items():
        parties = PARTIES if record.verified else CLAIMS
        if name in INSIDE:
            within = INSIDE[name]
            found |= {within[inner]: below for inner, below in (value or {}).items()}
        elif name in parties or name in NAMES:
            found[parties.get(name) or NAMES[name]] = value
    attributes = [_pair(name, found[name]) for name in sorted(found) if found[name] is not None]
    line: JsonObject = {
        "timeUnixNano": nano,
        "observedTimeUnixNano": nano,
        "severityNumber": number,
        "severityText": text,
        "eventName": f"delegant.{record.type}",
        "body": _value(_sentence(record, first)),
        "attributes": attributes,
    }
    scope = {
        "scope": {"name": "delegant.governance", "version": str(said["version"])},
        "schemaUrl": SCHEMA_URL,
        "logRecords": [line],
    }
    whose = [_pair("delegant.log", record.log), _pair("service.name", "delegant")]
    held = {"resource": {"attributes": whose}, "schemaUrl": SCHEMA_URL, "scopeLogs": [scope]}
    return {"resourceLogs": [held]}


def _wrong(record: Record) -> bool:
    failed = record.type == "outcome" and record.json["outcome"]["status"] == "failure"
    return record.type == "refusal" or failed


def _sentence(record: Record, first: Record) -> str:
    """What happened, for people."""
    said, act = record.json, first.json
    what = f"{act.get('action') or 'an act'} on {act.get('target') or 'something'}"
    if record.type == "notice":
        return f"{said['notice']['kind']} by {said['by']}"
    if record.type == "refusal":
        return f"{said['decision']} {what}: {said['code']}"
    return f"{said['decision'] if record.type == 'intent' else said['outcome']['status']} {what}"


def _pair(key: str, value: Any) -> JsonObject:
    return {"key": key, "value": _value(value)}


def _value(value: Any) -> JsonObject:
    """A JSON value as an AnyValue of OTLP, whose 64-bit integers are strings."""
    if value is None:
        return {}
    if type(value) is bool:
        return {"boolValue": value}
    if type(value) is int:
        return {"intValue": str(value)}
    if type(value) is list:
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    if type(value) is dict:
        return {"kvlistValue": {"values": [_pair(*item) for item in sorted(value.items())]}}
    return {"stringValue": str(value)}
