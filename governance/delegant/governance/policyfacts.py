"""Verified facts as Cedar has them: entities, a context, and the schema of both.

    principal   Agent::"did:…"     in Human (the sponsor) and Organization
                depth, path, sponsor, organization
                identity?          model, owner, deployer, spawn, tools, toolNames, compliance,
                                   securityProperties
    action      Action::"db.read"  in Action::"db.*"
    resource    Resource::"urn:…"  in Resource::"urn:acme:**": patterns as a grant spells them
                uri, dataClass?, and what the set declares of a ``resource``
    context     time, grant, rows?, bytes?, columns?, amount?, purpose?, task?, network?, method?,
                uri?, bodyDigest?, arguments?, and what the set declares of the ``context``

Facts travel as JSON values and never as text of a policy. What is marked ``?``, and all that a set
declares, may be absent: a policy asks with ``has`` first, and `delegant policy check` holds it to
that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from delegant.credentials import shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.resource import covering_actions, covering_resources

__all__ = ["RESERVED", "Unfit", "schema", "weighed"]

Declared = Mapping[str, Mapping[str, str]]
_LONG: Final = 2**63

_STRING: Final = {"type": "String"}
_NUMBER: Final = {"type": "Long"}
_BOOLEAN: Final = {"type": "Boolean"}
_STRINGS: Final = {"type": "Set", "element": _STRING}
_TYPES: Final[dict[str, JsonObject]] = {
    "Boolean": _BOOLEAN, "Long": _NUMBER, "String": _STRING, "Set<String>": _STRINGS,
}  # fmt: skip


class Unfit(ValueError):
    """A fact that is not of the type it was declared with, or beyond what Cedar can count."""


def _record(required: JsonObject, optional: Mapping[str, Any] | None = None) -> JsonObject:
    absent = {name: one | {"required": False} for name, one in (optional or {}).items()}
    return {"type": "Record", "attributes": required | absent}


_IDENTITY: Final = _record(
    {
        "model": _STRING,
        "owner": _STRING,
        "deployer": _STRING,
        "spawn": _BOOLEAN,
        "tools": _STRINGS,
        "toolNames": _STRINGS,
        "compliance": _STRINGS,
        "securityProperties": _STRINGS,
    }
)
_AGENT: Final = _record(
    {
        "depth": _NUMBER,
        "path": _STRINGS,
        "sponsor": {"type": "Entity", "name": "Human"},
        "organization": {"type": "Entity", "name": "Organization"},
    },
    {"identity": _IDENTITY},
)
_CONTEXT: Final[JsonObject] = {
    "time": {"type": "Extension", "name": "datetime"},
    "grant": _STRING,
}
_ASKED: Final[JsonObject] = {
    "rows": _NUMBER,
    "bytes": _NUMBER,
    "columns": _STRINGS,
    "amount": _record({"unit": _STRING, "value": _NUMBER}),
    "purpose": _STRING,
    "task": _record({"id": _STRING, "initiation": _STRING}),
    "network": {"type": "Extension", "name": "ipaddr"},
    "method": _STRING,
    "uri": _STRING,
    "bodyDigest": _STRING,
}
RESERVED: Final[dict[str, frozenset[str]]] = {
    "context": frozenset({*_CONTEXT, *_ASKED, "arguments"}),
    "resource": frozenset({"uri", "dataClass"}),
    "arguments": frozenset(),
}
"""Names that a set cannot declare, by their place: they are ours."""


def schema(actions: Iterable[str], declared: Declared) -> JsonObject:
    """The Cedar schema, in its JSON form.

    Args:
        actions: that the policies name.
        declared: the ``facts`` of the set.
    """
    own = {
        place: {name: _TYPES[kind] for name, kind in names.items()}
        for place, names in declared.items()
    }
    arguments = {"arguments": _record({}, own.get("arguments"))}
    context = _record(_CONTEXT, _ASKED | arguments | own.get("context", {}))
    resource = _record({"uri": _STRING}, {"dataClass": _STRING} | own.get("resource", {}))
    applies = {"principalTypes": ["Agent"], "resourceTypes": ["Resource"], "context": context}
    known = set(actions) or {"any"}
    return {
        "": {
            "entityTypes": {
                "Human": {},
                "Organization": {},
                "Agent": {"memberOfTypes": ["Human", "Organization"], "shape": _AGENT},
                "Resource": {"memberOfTypes": ["Resource"], "shape": resource},
            },
            "actions": {
                name: {
                    "appliesTo": applies,
                    "memberOf": [{"id": one} for one in sorted(_above(name) & known)],
                }
                for name in sorted(known)
            },
        }
    }


def weighed(facts: JsonObject, declared: Declared) -> tuple[JsonObject, list[JsonObject]]:
    """The request and the entities of an evaluation.

    Args:
        facts: as `deciding.facts_of` makes them.

    Raises:
        Unfit: a fact is not of its type.
    """
    asked = facts["request"]
    if "*" in facts["action"] or "*" in facts["resource"]:
        raise Unfit("a pattern is nothing that is done, or done to")
    given = dict(facts["context"])
    about = given.pop("resource", {})
    if type(about) is not dict:
        raise Unfit("what the context says of the resource is no object")
    agent, sponsor, organization = (
        {"type": kind, "id": facts[name]}
        for kind, name in (
            ("Agent", "agent"),
            ("Human", "sponsor"),
            ("Organization", "organization"),
        )
    )
    attributes: JsonObject = {
        "depth": facts["depth"],
        "path": facts["path"],
        "sponsor": {"__entity": sponsor},
        "organization": {"__entity": organization},
    }
    identity = facts["identity"]
    if identity.get("id") == facts["agent"]:  # and not that of an agent above it
        attributes["identity"] = _identity(identity["agentIdentity"])
    resource: JsonObject = {"uri": facts["resource"]}
    if "dataClass" in asked:
        resource["dataClass"] = asked["dataClass"]
    resource |= _declared(about, declared, "resource")
    action = {"type": "Action", "id": facts["action"]}
    target = {"type": "Resource", "id": facts["resource"]}
    entities: list[JsonObject] = [
        {"uid": agent, "attrs": attributes, "parents": [sponsor, organization]},
        {"uid": action, "attrs": {}, "parents": _parents("Action", _above(facts["action"]))},
        {
            "uid": target, "attrs": resource,
            "parents": _parents("Resource", covering_resources(facts["resource"])
                                - {facts["resource"]}),
        },
    ]  # fmt: skip
    context = _context(facts, asked) | _declared(given, declared, "context")
    if "arguments" in asked:
        context["arguments"] = _declared(asked["arguments"], declared, "arguments")
    request = {"principal": agent, "action": action, "resource": target, "context": context}
    return request, entities


# --- inside -------------------------------------------------------------------------------------


def _above(action: str) -> frozenset[str]:
    return covering_actions(action) - {action}


def _parents(kind: str, names: Iterable[str]) -> list[JsonObject]:
    return [{"type": kind, "id": name} for name in sorted(names)]


def _identity(block: JsonObject) -> JsonObject:
    tools = block["toolset"] if type(block["toolset"]) is list else []
    return {
        "model": block["identityModel"],
        "owner": block["owner"],
        "deployer": block["deployer"],
        "spawn": block["spawn"],
        "tools": sorted({action for tool in tools for action in tool["actions"]}),
        "toolNames": sorted({tool["toolName"] for tool in tools}),
        "compliance": block.get("compliance", []),
        "securityProperties": block.get("securityProperties", []),
    }


def _context(facts: JsonObject, asked: JsonObject) -> JsonObject:
    out: JsonObject = {"time": _extension("datetime", facts["time"]), "grant": facts["grant"]}
    for name in _ASKED:
        if name in asked:
            out[name] = asked[name]
    if "network" in asked:
        out["network"] = _extension("ip", asked["network"])
    if "amount" in asked:
        out["amount"] = {"unit": asked["amount"]["unit"], "value": int(asked["amount"]["value"])}
        if out["amount"]["value"] >= _LONG:
            raise Unfit("the amount is more than a policy can count")
    return out


def _extension(function: str, text: str) -> JsonObject:
    return {"__extn": {"fn": function, "arg": text}}


def _declared(given: JsonObject, declared: Declared, place: str) -> JsonObject:
    """What was declared of a place, each of its type; nothing else goes further."""
    out: JsonObject = {}
    for name, kind in declared.get(place, {}).items():
        if name in given:
            if not _is(given[name], kind):
                raise Unfit(f"{place}.{name} is no {kind}")
            out[name] = given[name]
    return out


def _is(value: Any, kind: str) -> bool:
    if kind == "Long":
        return type(value) is int and -_LONG <= value < _LONG
    if kind == "Set<String>":
        return (
            type(value) is list and len(value) <= shape.MAX_SET
            and all(type(one) is str for one in value)
        )  # fmt: skip
    return type(value) is (bool if kind == "Boolean" else str)
