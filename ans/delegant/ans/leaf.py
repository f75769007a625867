"""What the transparency log holds: one closed object for each event of a name or provider label.

And for each time that an operator went on from an older copy of the store: ``size`` and ``root``
(base64) are those of the larger tree that had been signed, which this log no longer is.

    name     {version, registry, kind: name, type, name, agent, key?, provider, epoch, seq,
              previous?, event, record?, by, from?, sponsor?, chain?, time}
    provider {version, registry, kind: provider, type: bind | unbind, provider, shown,
              organization, basis: operator | domain, time}
    rewind   {version, registry, kind: rewind, size, root, reason, time}

A leaf is the RFC 8785 bytes of one, at most 65,535. The log is public for ever: people and chains
stand in it only as salted digests, and the salt stays with the registry and the submitter.
``key`` is the agent's, exactly where its DID is not its own key. Times never go backwards along
the log; `check_after` is for whoever reads two in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import PublicKey, canonical, did, digest, shape
from delegant.credentials.codec import JsonObject, b64u_decode, parse_object
from delegant.credentials.errors import Error, error

from .lifecycle import BY, EVENTS, RANKS, WITH_RECORD, Move
from .log.note import b64_decode
from .name import AnsName, provider_label

__all__ = [
    "MAX_LEAF",
    "Leaf",
    "NameLeaf",
    "ProviderLeaf",
    "RewindLeaf",
    "check_after",
    "leaf_bytes",
    "own_leaf",
    "parse_leaf",
    "read_leaf",
    "salted",
    "spelled",
]

MAX_LEAF: Final = 65_535
BASES: Final = ("operator", "domain")
SALT_BYTES: Final = 16
HASH: Final = 32


@dataclass(frozen=True, slots=True)
class NameLeaf:
    """An event of a name, as logged. ``time`` is seconds since 1970; ``json`` the whole."""

    json: JsonObject
    registry: str
    type: str
    name: AnsName
    agent: str
    key: PublicKey | None
    provider: str
    epoch: int
    seq: int
    previous: str | None
    event: str
    record: str | None
    by: str
    origin: str | None
    sponsor: str | None
    chain: str | None
    time: int

    @property
    def move(self) -> Move:
        """What the table of `lifecycle` asks for."""
        return Move(
            self.type, self.agent, self.by, self.seq, self.event, self.previous, self.origin
        )


@dataclass(frozen=True, slots=True)
class ProviderLeaf:
    """A provider label bound to an organisation. ``provider`` is lower case, ``shown`` as given."""

    json: JsonObject
    registry: str
    type: str
    provider: str
    shown: str
    organization: str
    basis: str
    time: int


@dataclass(frozen=True, slots=True)
class RewindLeaf:
    """Going on from an older state: the tree of ``size`` entries had been signed, and is left."""

    json: JsonObject
    registry: str
    size: int
    root: bytes
    reason: str
    time: int


Leaf = NameLeaf | ProviderLeaf | RewindLeaf

_NAME: Final = frozenset(
    {"version", "registry", "kind", "type", "name", "agent", "provider", "epoch", "seq", "event",
     "by", "time"}
)  # fmt: skip
_NAME_OPTIONAL: Final = frozenset({"key", "previous", "record", "from", "sponsor", "chain"})
_PROVIDER: Final = frozenset(
    {"version", "registry", "kind", "type", "provider", "shown", "organization", "basis", "time"}
)
_REWIND: Final = frozenset({"version", "registry", "kind", "size", "root", "reason", "time"})
_KINDS: Final = ("name", "provider", "rewind")


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf from its bytes.

    Raises:
        Rejected: ``log-entry`` for anything but the one spelling of a leaf.
    """
    try:
        value = parse_object(data, size=MAX_LEAF)
        if canonical(value) != data:
            raise error("shape", "not its RFC 8785 bytes")
    except Error as exc:
        raise error("log-entry", f"a leaf is no JSON object of ours: {exc.detail}") from None
    return read_leaf(value)


def own_leaf(data: bytes) -> Leaf:
    """A leaf that this log wrote itself, read and not checked: its hash is held to the log.

    Raises:
        Rejected: ``log-entry`` for what it cannot have written.
    """
    try:
        value = parse_object(data, size=MAX_LEAF)
        if value["kind"] != "name":
            return read_leaf(value)
        return NameLeaf(
            value,
            did.check(value["registry"]),
            value["type"],
            AnsName.parse(value["name"]),
            did.check(value["agent"]),
            PublicKey.from_multikey(value["key"]) if "key" in value else None,
            value["provider"],
            value["epoch"],
            value["seq"],
            value.get("previous"),
            value["event"],
            value.get("record"),
            value["by"],
            did.check(value["from"]) if "from" in value else None,
            value.get("sponsor"),
            value.get("chain"),
            shape.time(value["time"], "leaf.time"),
        )
    except (Error, KeyError, TypeError, ValueError) as exc:
        raise error("log-entry", f"a leaf is malformed: {type(exc).__name__}") from None


def leaf_bytes(value: JsonObject) -> bytes:
    """The bytes of a leaf, which `parse_leaf` would accept; or ``log-entry``."""
    read_leaf(value)
    return spelled(value)


def spelled(value: JsonObject) -> bytes:
    """The bytes of what is known to be a leaf; ``log-entry`` for one that is too large."""
    data = canonical(value, floats=False)
    if len(data) > MAX_LEAF:
        raise error("log-entry", f"a leaf of {len(data)} bytes, {MAX_LEAF} are allowed")
    return data


def read_leaf(value: object) -> Leaf:
    """A leaf from its parsed object.

    Raises:
        Rejected: ``log-entry``.
    """
    try:
        if type(value) is not dict:
            raise error("shape", "it is not an object")
        if shape.integer(value.get("version"), "leaf.version") != 1:
            raise error("shape", "leaf.version is not 1")
        kind = shape.one_of(value.get("kind"), "leaf.kind", _KINDS)
        if kind == "rewind":
            return _rewind(value)
        return _name(value) if kind == "name" else _provider(value)
    except Error as exc:
        raise error("log-entry", f"a leaf is malformed: {exc.detail}") from None


def _name(value: JsonObject) -> NameLeaf:
    shape.closed(value, "leaf", _NAME, _NAME_OPTIONAL)
    kind = shape.one_of(value["type"], "leaf.type", EVENTS)
    agent = did.check(value["agent"])
    digests = {
        member: shape.digest_text(value[member], f"leaf.{member}") if member in value else None
        for member in ("previous", "record", "sponsor", "chain")
    }
    leaf = NameLeaf(
        value,
        did.check(value["registry"]),
        kind,
        AnsName.parse(value["name"]),
        agent,
        PublicKey.from_multikey(shape.text(value["key"], "leaf.key", 128))
        if "key" in value
        else None,
        value["provider"],
        shape.integer(value["epoch"], "leaf.epoch"),
        shape.integer(value["seq"], "leaf.seq"),
        digests["previous"],
        shape.digest_text(value["event"], "leaf.event"),
        digests["record"],
        shape.one_of(value["by"], "leaf.by", RANKS),
        did.check(value["from"]) if "from" in value else None,
        digests["sponsor"],
        digests["chain"],
        shape.time(value["time"], "leaf.time"),
    )
    _consistent(leaf)
    return leaf


def _consistent(leaf: NameLeaf) -> None:
    """What a leaf says in two places it says alike."""
    first, moved = leaf.type == "register", leaf.type == "transfer"
    if first != (leaf.seq == 0) or first != (leaf.previous is None):
        raise error("shape", "register comes first, and alone names no event before it")
    if leaf.epoch > leaf.seq or (moved and leaf.epoch == 0):
        raise error("shape", "an epoch is the number of transfers so far")
    if moved != (leaf.origin is not None) or leaf.origin == leaf.agent:
        raise error("shape", "a transfer, and nothing else, names the agent before it")
    if leaf.type in WITH_RECORD and leaf.record is None:
        raise error("shape", f"{leaf.type} comes with a record")
    if leaf.type in ("suspend", "revoke") and leaf.record is not None:
        raise error("shape", f"{leaf.type} comes with no record")
    if leaf.by not in BY[leaf.type]:
        raise error("shape", f"{leaf.type} is never by the {leaf.by}")
    if leaf.provider != leaf.name.provider_key:
        raise error("shape", "the provider is not that of the name")
    if did.embeds_key(did.check(leaf.agent)) != (leaf.key is None):
        raise error("shape", "a key stands exactly where the agent's DID is not its own key")


def _provider(value: JsonObject) -> ProviderLeaf:
    shape.closed(value, "leaf", _PROVIDER)
    leaf = ProviderLeaf(
        value,
        did.check(value["registry"]),
        shape.one_of(value["type"], "leaf.type", ("bind", "unbind")),
        shape.text(value["provider"], "leaf.provider"),
        shape.text(value["shown"], "leaf.shown"),
        did.check(value["organization"]),
        shape.one_of(value["basis"], "leaf.basis", BASES),
        shape.time(value["time"], "leaf.time"),
    )
    if provider_label(leaf.shown) != leaf.provider:
        raise error("shape", "leaf.provider is not the lower case of leaf.shown")
    return leaf


def _rewind(value: JsonObject) -> RewindLeaf:
    shape.closed(value, "leaf", _REWIND)
    root = b64_decode(shape.text(value["root"], "leaf.root"))
    if len(root) != HASH:
        raise error("shape", "leaf.root is no hash")
    return RewindLeaf(
        value,
        did.check(value["registry"]),
        shape.integer(value["size"], "leaf.size", 1),
        root,
        shape.text(value["reason"], "leaf.reason"),
        shape.time(value["time"], "leaf.time"),
    )


def check_after(before: Leaf | None, leaf: Leaf) -> None:
    """The later leaf of two is not the earlier in time; or ``log-entry``."""
    if before is not None and leaf.time < before.time:
        raise error("log-entry", "time goes backwards along the log")


def salted(salt: str, value: str) -> str:
    """The digest of a text that nobody can guess without the salt.

    Raises:
        Malformed: ``shape``, ``encoding`` for what is no salt.
    """
    if type(salt) is not str or len(b64u_decode(salt)) != SALT_BYTES:
        raise error("shape", f"a salt is {SALT_BYTES} bytes in base64url")
    return digest(canonical({"salt": salt, "value": value}))
