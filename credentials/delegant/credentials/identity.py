"""The `AgentIdentityCredential`: who made an agent, who answers for it, what it is.

Its members are those of the CSA paper's agent id (arXiv 2505.19301, section III-B). It grants
nothing. Four identity models (the paper's Table I): ``persistent``; ``ephemeral``, which needs
``expires``; ``fork`` and ``child``, which name their parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import did, shape
from .codec import Json, b64u_decode
from .credential import Envelope, parse_envelope, pinned_key, version
from .did import Did
from .envelope import Secured
from .errors import error
from .request import Request
from .resource import action_pattern

__all__ = ["IDENTITY_MODELS", "NONE", "AgentIdentity", "parse_agent_identity"]

IDENTITY_MODELS: Final = ("persistent", "ephemeral", "fork", "child")
NONE: Final = "none"
"""What ``toolset`` and ``scopeOfBehavior`` say where an agent is declared to have none."""
LIFECYCLE: Final = ("active", "suspended", "revoked", "archived")


@dataclass(frozen=True, slots=True)
class AgentIdentity(Envelope):
    """An agent's identity. ``tools`` are the action patterns of its toolset."""

    sponsor: Did
    organization: Did
    model: str
    parent: Did | None
    expires: int | None
    spawn: bool
    lifecycle: str
    tools: frozenset[str]
    key: str | None

    def has_tool(self, request: Request) -> bool:
        """Whether a declared tool covers the action; ``ans.*`` needs none (DESIGN, section 3)."""
        return request.action.startswith("ans.") or not self.tools.isdisjoint(request.actions)


_REQUIRED: Final = frozenset(
    {
        "version",
        "creator",
        "deployer",
        "owner",
        "sponsor",
        "identityModel",
        "scopeOfBehavior",
        "toolset",
        "spawn",
        "lifecycleStatus",
        "created",
    }
)
_TEXTS: Final = ("name", "softwareVersion", "decisionModel", "updateMechanism", "training")
_LISTS: Final = ("expectedOutcomes", "limitations", "protocols", "securityProperties",
                 "compliance", "dependencies")  # fmt: skip
_OPTIONAL: Final = frozenset({"parent", "updated", "expires", "modelHash", "key", *_TEXTS, *_LISTS})
_TOOL: Final = frozenset({"toolName", "actions"})


def parse_agent_identity(secured: Secured) -> AgentIdentity:
    """Read an agent identity credential.

    Raises:
        Rejected: ``id-no-expiry``, ``id-no-provenance``, ``id-shared``.
        Malformed, Undecided, LimitExceeded: the codes of phases 2 and 3.
    """
    outer, block = parse_envelope(secured, "AgentIdentityCredential", "agentIdentity")
    version(block, "agentIdentity")
    shape.closed(block, "agentIdentity", _REQUIRED, _OPTIONAL)
    sponsor = shape.closed(
        block["sponsor"], "agentIdentity.sponsor", frozenset({"id", "organization"})
    )
    for name in ("creator", "deployer", "owner"):
        did.check(block[name])
    times = {
        name: shape.time(block[name], f"agentIdentity.{name}")
        for name in ("created", "updated", "expires")
        if name in block
    }
    for name in _TEXTS:
        if name in block:
            shape.text(block[name], f"agentIdentity.{name}", 1024)
    for name in _LISTS:
        if name in block:
            shape.string_set(block[name], f"agentIdentity.{name}")
    if "modelHash" in block:
        check_model_hash(block["modelHash"])
    identity = AgentIdentity(
        *outer,
        sponsor=did.check(sponsor["id"]),
        organization=did.check(sponsor["organization"]),
        model=shape.one_of(block["identityModel"], "identityModel", IDENTITY_MODELS),
        parent=did.check(block["parent"]) if "parent" in block else None,
        expires=times.get("expires"),
        spawn=shape.boolean(block["spawn"], "agentIdentity.spawn"),
        lifecycle=shape.one_of(block["lifecycleStatus"], "lifecycleStatus", LIFECYCLE),
        tools=_toolset(block["toolset"]),
        key=pinned_key(block, outer[3], "agentIdentity"),
    )
    _behaviour(block["scopeOfBehavior"])
    _check_model(identity)
    secured.shaped = True
    return identity


def _check_model(identity: AgentIdentity) -> None:
    if identity.model == "ephemeral" and identity.expires is None:
        raise error("id-no-expiry", "an ephemeral agent needs `expires`")
    if identity.model in ("fork", "child") and identity.parent is None:
        raise error("id-no-provenance", f"a {identity.model} names its parent agent")
    if identity.subject in (identity.issuer, identity.sponsor, identity.parent):
        raise error("id-shared", "the agent has the DID of its sponsor, issuer or parent")
    if identity.expires is not None and identity.valid_until > identity.expires:
        raise error("shape", "validUntil is after the identity `expires`", dimension="expires")


def _toolset(value: Json) -> frozenset[str]:
    if value == NONE:
        return frozenset()
    tools: set[str] = set()
    for tool in shape.array(value, "toolset"):
        shape.closed(tool, "toolset", _TOOL, frozenset({"toolDid", "targetSchemas"}))
        shape.text(tool["toolName"], "toolset.toolName")
        if "toolDid" in tool:
            did.check(tool["toolDid"])
        if "targetSchemas" in tool:
            shape.string_set(tool["targetSchemas"], "toolset.targetSchemas")
        tools |= shape.string_set(tool["actions"], "toolset.actions", action_pattern)
    return frozenset(tools)


def _behaviour(value: Json) -> None:
    if value == NONE:
        return
    shape.closed(value, "scopeOfBehavior", frozenset({"summary"}), frozenset({"purposes"}))
    shape.text(value["summary"], "scopeOfBehavior.summary", 1024)
    if "purposes" in value:
        shape.string_set(value["purposes"], "scopeOfBehavior.purposes")


_MODEL_HASH: Final[dict[bytes, str]] = {b"\x12\x20": "sha2-256", b"\x16\x20": "sha3-256"}


def check_model_hash(value: Any) -> None:
    """A model hash is multibase ``u`` of a sha2-256 or sha3-256 multihash."""
    if type(value) is not str or len(value) != 47 or value[0] != "u":
        raise error("shape", "modelHash is not a multihash in multibase u", dimension="modelHash")
    if b64u_decode(value[1:])[:2] not in _MODEL_HASH:
        raise error("shape", "modelHash is not sha2-256 or sha3-256", dimension="modelHash")
