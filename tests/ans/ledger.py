"""A registry that says what it is told to: real keys and real proofs, and no rules of its own.

It shares no code with the registry's store: its tree is RFC 6962 read aloud, so it can also tell
lies that no registry of ours would.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from delegant.ans import new_event, new_record
from delegant.ans.answer import Answer, verify_answer
from delegant.ans.holder import consent
from delegant.ans.leaf import leaf_bytes
from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.name import AnsName
from delegant.ans.query import Query
from delegant.ans.shown import listing2
from delegant.ans.signing import digest_of, members, sign
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import PrivateKey, canonical, did, digest, jose, shape
from delegant.credentials.codec import JsonObject
from refusal import refusal
from world import Party, World

ORIGIN = "acme.example/ans"
NAME = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"
ENDPOINT = "https://agents.acme.example/mcp"
OTHER = NAME.replace("main", "other")
V2 = NAME.replace("v1.0", "v2.1")
SOX = "SOXComplianceCertified"
STATUSES = {"active": "success", "found": "success", "revoked": "gone", "expired": "gone"}


def text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << ((count - 1).bit_length() - 1)


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1: the Merkle tree hash of a list of leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return _node(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1: the audit path of leaf m."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2: the consistency proof from the first m leaves."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


@dataclass
class Ledger:
    """``past`` holds every event of a name with its place in the log, by the name's key."""

    world: World = field(default_factory=World)
    label: str = "registry"
    leaves: list[bytes] = field(default_factory=list)
    past: dict[str, list[tuple[JsonObject, int]]] = field(default_factory=dict)
    witnesses: list[NoteSigner] = field(default_factory=list)
    quorum: int = 0

    def __post_init__(self) -> None:
        self.key = PrivateKey(hashlib.sha256(self.label.encode()).digest())
        self.did = did.from_key(self.key.public)
        self.signer = NoteSigner(ORIGIN, PrivateKey(hashlib.sha256(b"log").digest()))
        if "ana" not in self.world.parties:
            self.world.human("ana")
            self.world.agent("bot", self.world.parties["ana"])
        self.ana, self.bot = self.world.parties["ana"], self.world.parties["bot"]

    @property
    def now(self) -> int:
        return self.world.now

    @property
    def trust(self) -> RegistryTrust:
        return RegistryTrust(
            did.check(self.did),
            (self.key.public,),
            self.signer.key,
            tuple(one.key for one in self.witnesses),
            self.quorum,
        )

    def agent(self, name: str) -> Party:
        found = self.world.parties.get(name)
        return found or self.world.agent(name, self.ana)

    def witness(self, name: str) -> None:
        secret = PrivateKey(hashlib.sha256(name.encode()).digest())
        self.witnesses.append(NoteSigner(name, secret, COSIGNATURE))

    # --- the log --------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        return len(self.leaves)

    def _hashes(self, size: int | None = None) -> list[bytes]:
        return [hashlib.sha256(b"\0" + leaf).digest() for leaf in self.leaves[:size]]

    def root(self, size: int | None = None) -> bytes:
        return mth(self._hashes(size))

    def log(self, leaf: JsonObject) -> int:
        self.leaves.append(leaf_bytes(leaf))
        return self.size - 1

    def fill(self, count: int = 1) -> None:
        """Entries about others."""
        for _ in range(count):
            shown = f"Label{self.size}"
            self.log(
                {"version": 1, "registry": self.did, "kind": "provider", "type": "bind",
                 "provider": shown.lower(), "shown": shown, "organization": self.world.org.did,
                 "basis": "operator", "time": shape.format_time(self.now)}
            )  # fmt: skip

    def checkpoint(self, size: int | None = None, signer: NoteSigner | None = None) -> str:
        size = self.size if size is None else size
        found = Checkpoint((signer or self.signer).key.name, size, self.root(size))
        note = sign_checkpoint(found, signer or self.signer)
        if not self.witnesses:
            return note
        return add_signatures(note, [cosign(found, one, self.now) for one in self.witnesses])

    def receipt(self, index: int, size: int | None = None) -> JsonObject:
        size = self.size if size is None else size
        return {
            "version": 1,
            "leaf": json.loads(self.leaves[index]),
            "index": index,
            "proof": [text(one) for one in path(index, self._hashes(size))],
            "checkpoint": self.checkpoint(size),
        }

    def consistency(self, old: int, new: int) -> JsonObject:
        proof = subproof(old, self._hashes(new))
        return {"old": old, "new": new, "proof": [text(one) for one in proof]}

    # --- names ----------------------------------------------------------------------------------

    def record(self, agent: Party, name: str = NAME, **more: Any) -> JsonObject:
        endpoints = more.pop("endpoints", {AnsName.parse(name).protocol: ENDPOINT})
        evidence = self.world.evidence(
            identities=[self.world.parties[agent.name].identity.secured.raw]  # type: ignore[union-attr]
        )
        more.setdefault("at", self.now)
        return new_record(agent.key, agent.did, name, endpoints, evidence, **more)

    def event(
        self,
        kind: str = "register",
        name: str = NAME,
        *,
        agent: Party | None = None,
        by: Party | None = None,
        to: Party | None = None,
        reason: str | None = None,
        record: JsonObject | None = None,
        **more: Any,
    ) -> JsonObject:
        """A signed event that follows the last one of its name; ``more`` is its record's."""
        who = agent or self.bot
        if record is None and kind in ("register", "renew", "update", "transfer"):
            record = self.record(to or who, name, **more)
        before = self.past.get(AnsName.parse(name).key)
        signer = by or who
        event = new_event(
            signer.key, signer.did, self.did, name, kind, at=self.now, agent=(to or who).did,
            record=record, receipt=self.receipt(before[-1][1]) if before else None, reason=reason,
        )  # fmt: skip
        if to is not None:
            event = consent(event, to.key, to.did, at=self.now)
            event = consent(event, self.world.org.key, self.world.org.did, at=self.now)
        return event

    def add(self, event: JsonObject, by: str = "agent", **leaf: Any) -> int:
        """Log an event, whatever it is; its place."""
        name = AnsName.parse(event["name"])
        before = self.past.setdefault(name.key, [])
        moved = sum(one["type"] == "transfer" for one, _ in before)
        record = event.get("record")
        before_key = json.loads(self.leaves[before[-1][1]]).get("key") if before else None
        key = record.get("key") if record else before_key
        index = self.log(
            members(
                version=1, registry=self.did, kind="name", type=event["type"], name=event["name"],
                agent=event["agent"], key=key,
                provider=name.provider_key, epoch=moved + (event["type"] == "transfer"),
                seq=event["seq"], previous=event.get("previous"), event=digest_of(event),
                record=digest_of(record) if record else None, by=by,
                time=shape.format_time(self.now),
            )
            | ({"from": event["from"]} if "from" in event else {})
            | leaf
        )  # fmt: skip
        before.append((event, index))
        return index

    def register(self, name: str = NAME, agent: Party | None = None, **more: Any) -> int:
        return self.add(self.event("register", name, agent=agent, **more))

    def history(self, name: str = NAME) -> list[JsonObject]:
        found = self.past.get(AnsName.parse(name).key, [])
        return [{"event": one, "receipt": self.receipt(at)} for one, at in found]

    # --- answers --------------------------------------------------------------------------------

    def entry(self, name: str = NAME, status: str = "active", **more: Any) -> JsonObject:
        past = self.past[AnsName.parse(name).key]
        last = past[-1][0]
        carrier, index = next(one for one in reversed(past) if "record" in one[0])
        moved = sum(one["type"] == "transfer" for one, _ in past)
        if status == "active" and "attestations" not in more:
            claimed = sorted(carrier["record"].get("capabilities", ()))
            more = ({"unattested": claimed} if claimed else {}) | more
        return members(
            name=last["name"], agent=last["agent"], epoch=moved, seq=last["seq"], status=status,
            event=digest_of(last), record=digest_of(carrier["record"]), index=index,
            successor=carrier["record"].get("successor"),
        ) | more  # fmt: skip

    def token(
        self, query: Query, status: str, entries: Sequence[JsonObject], **more: Any
    ) -> JsonObject:
        at = more.pop("at", self.now)
        key = more.pop("key", self.key)
        token = members(
            version=1,
            registry=self.did,
            query=query.digest,
            status=status,
            entries=list(entries),
            log={"origin": ORIGIN, "size": self.size, "root": text(self.root())},
            time=shape.format_time(at),
            validUntil=shape.format_time(at + 60),
        )
        return sign(token | more, key, self.did, at)

    def shown(self, entry: JsonObject, protocol: str | None = None, size: int | None = None) -> Any:
        past = self.past[AnsName.parse(entry["name"]).key]
        record = next(one for one, at in past if at == entry["index"])["record"]
        receipt = self.receipt(entry["index"], size)
        return listing2(record, entry, protocol) | {"record": record, "receipt": receipt}

    def answer(
        self,
        query: Query | None = None,
        entries: Sequence[JsonObject] | None = None,
        *,
        status: str | None = None,
        trace: list[JsonObject] | None = None,
        size: int | None = None,
        **more: Any,
    ) -> JsonObject:
        """An honest answer, but for what is said to be otherwise."""
        query = query or Query.exact(NAME)
        if entries is None:
            entries = [self.entry()]
        if status is None:
            status = entries[0]["status"] if query.name and entries else "found"
            status = status if entries else "not-found"
        outcome = STATUSES.get(status, status)
        if trace is not None:
            more["trace"] = digest(canonical(trace))
        value: JsonObject = {
            "version": 1,
            "query": query.json,
            "resolutionStatus": outcome,
            "resolvedAgents": [self.shown(one, query.protocol, size) for one in entries]
            if outcome == "success"
            else [],
        }
        if outcome in ("gone", "suspended"):
            event, index = self.past[AnsName.parse(entries[0]["name"]).key][-1]
            value["last"] = {"event": event, "receipt": self.receipt(index, size)}
            if event["type"] in ("suspend", "revoke"):
                more = members(reason=event.get("reason"), since=shape.format_time(self.now)) | more
        value["freshness"] = self.token(query, status, entries, **more)
        return value if trace is None else value | {"trace": trace}

    def jws(self, answer: JsonObject, key: PrivateKey | None = None) -> str:
        method = did.vm_of(did.check(self.did))
        return jose.sign(answer, key or self.key, "ans-answer+jwt", method)


def verified(ledger: Ledger, answer: Any, query: Query | str = NAME, at: int = 0) -> Answer:
    """The answer as whoever trusts the registry verifies it; by default in its own instant."""
    return verify_answer(answer, ledger.trust, query, at=at or ledger.now)


def code_of(ledger: Ledger, answer: Any, query: Query | str = NAME, at: int = 0) -> str:
    """The code an answer is refused with; empty where it is believed."""
    return refusal(lambda: verified(ledger, answer, query, at))


def attested(ledger: Ledger, kind: str = SOX, **more: Any) -> list[JsonObject]:
    """The attestations of an entry: one, live for a day."""
    return [
        {"type": kind, "issuer": ledger.world.org.did, "issued": shape.format_time(ledger.now),
         "validUntil": shape.format_time(ledger.now + 86_400), "digestMultibase": digest_of({})}
        | more
    ]  # fmt: skip
