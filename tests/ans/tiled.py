"""A log of names as a folder of tiles, and leaves for it; written with no help from any store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.ans.leaf import leaf_bytes
from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import Checkpoint, sign_checkpoint
from delegant.ans.log.merkle import leaf_hash, root
from delegant.ans.log.note import NoteSigner
from delegant.credentials import PrivateKey, did
from delegant.credentials.codec import JsonObject, canonical, digest
from delegant.credentials.shape import format_time

ORIGIN = "acme.example/ans"
T0 = 1_790_000_000


def key_of(name: str) -> PrivateKey:
    """Somebody's key."""
    return PrivateKey(hashlib.sha256(name.encode()).digest())


def did_of(name: str) -> str:
    """Somebody's DID."""
    return did.from_key(key_of(name).public)


REGISTRY = did_of("registry")


@dataclass
class Log:
    """Entries, as the registry of Acme would log them. ``now`` runs on by itself."""

    entries: list[bytes] = field(default_factory=list)
    now: int = T0
    last: dict[str, JsonObject] = field(default_factory=dict)
    signer: NoteSigner = field(default_factory=lambda: NoteSigner(ORIGIN, key_of("log")))

    def add(self, leaf: JsonObject) -> Log:
        """Log a leaf as it is."""
        self.entries.append(leaf_bytes(leaf))
        return self

    def bind(self, label: str, organization: str = "acme", kind: str = "bind", **more: Any) -> Log:
        """Bind a provider label."""
        self.now += 1
        return self.add(
            {
                "version": 1, "registry": REGISTRY, "kind": "provider", "type": kind,
                "provider": label.lower(), "shown": label, "organization": did_of(organization),
                "basis": "operator", "time": format_time(self.now),
            } | more
        )  # fmt: skip

    def event(self, kind: str, name: str, agent: str = "bot", **more: Any) -> Log:
        """The next event of a name."""
        self.now += 1
        before = self.last.get(name.lower())
        provider = name.split("://")[1].split(".")[2].lower()
        leaf: JsonObject = {
            "version": 1, "registry": REGISTRY, "kind": "name", "type": kind, "name": name,
            "agent": did_of(agent), "provider": provider,
            "epoch": 0 if before is None else before["epoch"] + (kind == "transfer"),
            "seq": 0 if before is None else before["seq"] + 1,
            "event": digest(canonical([name, len(self.entries), self.now])),
            "by": "agent", "time": format_time(self.now),
        }  # fmt: skip
        if before is not None:
            leaf["previous"] = before["event"]
        if kind in ("register", "renew", "update", "transfer"):
            leaf["record"] = digest(canonical(["record", name, self.now]))
        if kind == "transfer" and before is not None:
            leaf["from"] = before["agent"]
        leaf |= more
        self.last[name.lower()] = leaf
        return self.add(leaf)

    @property
    def checkpoint(self) -> Checkpoint:
        """The head of the tree."""
        return Checkpoint(ORIGIN, len(self.entries), self.root())

    def root(self, size: int | None = None) -> bytes:
        """The root of the first entries."""
        kept: dict[tuple[int, int], bytes] = {}
        size = len(self.entries) if size is None else size
        hashes = [leaf_hash(entry) for entry in self.entries[:size]]
        for level, index, body in tiles.extend(0, hashes, lambda *_: b""):
            kept[level, index] = body
        return root(size, lambda level, index, width: kept[level, index][: 32 * width])

    def write(self, folder: Path, *, note: str | None = None) -> Path:
        """The log as a folder of tiles, with every partial tile of this size."""
        hashes = [leaf_hash(entry) for entry in self.entries]
        for level, index, body in tiles.extend(0, hashes, lambda *_: b""):
            width = len(body) // 32
            put(folder / tiles.path(level, index, width), body)
            if level == 0:
                some = self.entries[256 * index : 256 * index + width]
                put(folder / tiles.bundle_path(index, width), tiles.pack(some))
        text = sign_checkpoint(self.checkpoint, self.signer) if note is None else note
        put(folder / "checkpoint", text.encode())
        return folder


def put(path: Path, data: bytes) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


SEARCH = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"
RISK = "a2a://RiskScoring.Finance.DataCorp.v2.1"


def story() -> Log:
    """A label, two names and their lives: registered, renewed, transferred, suspended, revoked."""
    log = Log().bind("DataCorp").event("register", SEARCH).event("register", RISK, "risk")
    log.event("renew", SEARCH).event("update", SEARCH).event("transfer", SEARCH, "other")
    log.event("suspend", SEARCH, "other", by="registry")
    log.event("resume", SEARCH, "other", by="registry")
    log.event("suspend", RISK, "risk", by="sponsor").event("revoke", SEARCH, "other")
    return log.bind("Payments", "bank").event("register", "mcp://Pay.Money.Payments.v1", "payer")
