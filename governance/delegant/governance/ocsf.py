"""A record as an event of the Open Cybersecurity Schema Framework: API Activity, class 6003.

The sponsor is the actor's user and the agent the application that acts for them. ``metadata.uid``
is one record's, ``correlation_uid`` the event's, so an outcome is found beside its intent.
What has no place of its own is in ``unmapped`` under its own name. The parties of a refusal that
proved nothing are nobody's word, and stand in ``unmapped`` alone.
"""

from __future__ import annotations

from typing import Any, Final

from delegant.credentials.codec import JsonObject

from .record import Record
from .reporting import Logged

__all__ = ["OCSF_VERSION", "ocsf_event"]

OCSF_VERSION: Final = "1.6.0"
CLASS: Final = 6003
OTHER: Final = 99
ACTIVITIES: Final = ("Unknown", "Create", "Read", "Update", "Delete")
VERBS: Final = {
    **dict.fromkeys(("create", "add", "insert", "register", "issue"), 1),
    **dict.fromkeys(("read", "get", "list", "query", "search"), 2),
    **dict.fromkeys(("update", "write", "set", "put", "renew"), 3),
    **dict.fromkeys(("delete", "remove", "revoke", "prune"), 4),
}
"""The last segment of an action, as an activity."""
STATUS: Final = {"success": (1, "Success"), "failure": (2, "Failure")}
PLACED: Final = frozenset(
    {"version", "log", "type", "event", "time", "sponsorDid", "agentDid", "agentAnsName",
     "organizationDid", "action", "target", "policyId", "policyVersion", "decision", "code", "by"}
)  # fmt: skip
"""Members of a record that have a place of their own."""
CLAIMED: Final = ("sponsorDid", "agentDid", "agentAnsName", "organizationDid")
NOBODY: Final = "unverified"


def ocsf_event(entry: Logged, first: Record) -> JsonObject:
    """The OCSF event of an entry.

    Args:
        first: the record that began the same event, which says what an outcome is of.
    """
    record = entry.record
    said = record.json
    act: JsonObject = {name: first.json.get(name) for name in ("action", "target")}
    if record.type == "notice":
        act = {"action": f"audit.{said['notice']['kind']}", "target": record.log}
    activity = _activity(act["action"])
    named = act["action"] if activity == OTHER else ACTIVITIES[activity]
    parties = _parties(record, first)
    event: JsonObject = {
        "activity_id": activity,
        "activity_name": named,
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"API Activity: {named}",
        "severity_id": 1,
        "severity": "Informational",
        "time": record.time * 1000,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["security_control"],
            "product": {"name": "delegant", "vendor_name": "delegant"},
            "uid": f"{record.event}/{record.type}",
            "correlation_uid": record.event,
            "event_code": record.type,
            "log_name": record.log,
            "log_version": str(said["version"]),
            "sequence": entry.number,
            "original_time": said["time"],
        },
        "api": {"operation": act["action"] or record.type, "service": {"uid": record.log}},
        "dst_endpoint": {"uid": record.log},
        "unmapped": {
            name: value
            for name, value in said.items()
            if name not in PLACED or (not record.verified and name in CLAIMED)
        },
        **parties,
        **_outcome(record),
    }
    if act["target"] is not None:
        event["resources"] = [{"uid": act["target"]}]
    if said.get("policyId") is not None:
        event["policy"] = {"uid": said["policyId"]}
        if said["policyVersion"] is not None:
            event["policy"]["version"] = said["policyVersion"]
    return event


def _activity(action: str | None) -> int:
    return 0 if action is None else VERBS.get(action.rpartition(".")[2], OTHER)


def _parties(record: Record, first: Record) -> JsonObject:
    """Who acted for whom, as far as it is proven; and the same once more, to search by."""
    if not record.verified or record.sponsor is None:
        return {"actor": {"app_name": NOBODY}, "src_endpoint": {"name": NOBODY}}
    user: JsonObject = {"uid": record.sponsor, "type_id": 1, "type": "User"}
    seen = [("actor.user.uid", record.sponsor)]
    organization = first.json.get("organizationDid")
    if organization is not None:
        user["org"] = {"uid": organization}
    actor: JsonObject = {"user": user}
    if record.agent is None:
        return {"actor": actor, "src_endpoint": {"uid": record.sponsor}, **_observed(seen)}
    actor["app_uid"] = record.agent
    seen.append(("actor.app_uid", record.agent))
    name = first.json.get("agentAnsName")
    if name is not None:
        actor["app_name"] = name
    return {"actor": actor, "src_endpoint": {"uid": record.agent}, **_observed(seen)}


def _observed(seen: list[tuple[str, str]]) -> JsonObject:
    return {
        "observables": [
            {"name": name, "type_id": OTHER, "type": "DID", "value": did} for name, did in seen
        ]
    }


def _outcome(record: Record) -> JsonObject:
    """What was decided, and what came of it."""
    said = record.json
    if record.type == "refusal":
        told: dict[str, Any] = {
            "action_id": 2, "action": "Denied", "disposition_id": 2, "disposition": "Blocked",
            "status_id": 2, "status": "Failure", "status_code": said["code"],
            "status_detail": said["decision"],
        }  # fmt: skip
        return told
    allowed = {
        "action_id": 1, "action": "Allowed", "disposition_id": 1, "disposition": "Allowed",
    }  # fmt: skip
    if record.type == "intent":
        told = {"status_id": 0, "status": "Unknown", "status_detail": said["decision"]}
    elif record.type == "notice":
        told = {"status_id": 1, "status": "Success"}
    else:
        status = said["outcome"]["status"]
        number, name = STATUS.get(status, (OTHER, status))
        told = {"status_id": number, "status": name}
        if "code" in said["outcome"]:
            told["status_code"] = said["outcome"]["code"]
    return allowed | told
