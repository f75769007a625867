"""Policy sets, who signs them, and facts to decide over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from delegant.credentials import PrivateKey, did
from delegant.credentials.codec import JsonObject
from delegant.governance.policies import CedarPolicy
from delegant.governance.policyset import PolicySet, PolicyTrust, sign

LISTING3 = (Path(__file__).parent / "policy" / "listing3.cedar").read_text()
DECLARED = {
    "context": {"sourceSegment": "String", "trustScore": "Long"},
    "resource": {"dataSensitivity": "String"},
    "arguments": {"customer": "String"},
}
KEYS = {name: PrivateKey(bytes([number]) * 32) for number, name in enumerate("abc", 1)}
SIGNERS = {name: did.from_key(key.public) for name, key in KEYS.items()}
T0 = 1_790_000_000
ALL = "permit (principal, action, resource);"
BOT = "did:web:acme.example:agents:bot"
ANA = "did:web:acme.example:people:ana"


def policy_set(text: str = ALL, by: str = "ab", revision: int = 1, **more: Any) -> PolicySet:
    """A set, signed by those named."""
    found = PolicySet.from_json(
        {"version": 1, "id": "acme-db", "revision": revision, "language": "cedar",
         "policies": text, "facts": DECLARED} | more
    )  # fmt: skip
    for name in by:
        found = sign(found, KEYS[name], SIGNERS[name], T0)
    return found


def trust(threshold: int = 2, signers: str = "ab", **more: Any) -> PolicyTrust:
    """Who must sign."""
    keys = {SIGNERS[name]: KEYS[name].public.multikey for name in signers}
    return PolicyTrust.from_json(
        {"version": 1, "id": "acme-db", "threshold": threshold, "signers": keys} | more
    )


def cedar(text: str, **more: Any) -> CedarPolicy:
    """A policy that was signed as it must be."""
    return CedarPolicy(policy_set(text, **more).verified(trust()))


def facts(**more: Any) -> JsonObject:
    """Facts as `facts_of` has them; ``asked`` are further members of the request."""
    asked = more.pop("asked", {})
    tools = more.pop("tools", ("db.read",))
    out: JsonObject = {
        "agent": BOT, "sponsor": ANA, "organization": "did:web:acme.example",
        "path": [ANA, BOT], "depth": 1, "grant": "urn:uuid:f34de15d-1a27-56a5-a3a2-649b1e630da7",
        "action": "db.read", "resource": "urn:acme:papers:17",
        "time": "2026-09-21T14:13:20Z", "context": {},
        "identity": {"id": BOT, "agentIdentity": {
            "identityModel": "persistent", "owner": ANA, "deployer": "did:web:acme.example",
            "spawn": False,
            "toolset": [{"toolName": one, "actions": [one]} for one in tools] or "none",
        }},
    } | more  # fmt: skip
    out["request"] = {"action": out["action"], "resource": out["resource"]} | asked
    return out
