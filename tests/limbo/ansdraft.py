"""An honest answer of an honest registry, to be bent one edit at a time.

`Town` is a registry without a store: a log of names built of the pure parts, every key from a
name. `Draft` is one question put to it, `Draft.sign` what makes an edit of the token the
registry's own word: many cases are not forgeries but a registry that lies.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from delegant.ans import consent, new_event, new_record
from delegant.ans.answering import new_answer, new_token, resolved
from delegant.ans.leaf import leaf_bytes, salted
from delegant.ans.log import merkle, tiles
from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint
from delegant.ans.log.note import COSIGNATURE, NoteSigner, b64_encode
from delegant.ans.name import AnsName
from delegant.ans.query import Query
from delegant.ans.receipt import new_receipt
from delegant.ans.signing import digest_of, members, sign
from delegant.credentials import PrivateKey, canonical, did, jose
from delegant.credentials.codec import JsonObject
from delegant.credentials.shape import format_time
from world import T0, Party, World

ORIGIN = "acme.example/ans"
URL = "https://research.example/mcp"
NAME = "mcp://PaperQuery.Research.AcmeLabs.v1.0"
NEWER = "mcp://PaperQuery.Research.AcmeLabs.v1.1"
OTHER = "mcp://Summary.Research.AcmeLabs.v2.0"
GONE = "mcp://Archive.Research.AcmeLabs.v1.0"
PAUSED = "mcp://Translate.Research.AcmeLabs.v1.0"
MOVED = "mcp://Index.Research.AcmeLabs.v1.0"
NOBODY = "mcp://Nobody.Research.AcmeLabs.v1.0"
SALT = "c2FsdCBvZiAxNiBieXRlcw"
NOW = T0 + 100


@dataclass
class Entry:
    """An event as it was logged."""

    event: JsonObject
    leaf: JsonObject
    index: int


@dataclass
class Town:
    """A registry's log. ``entries`` are leaves as bytes, ``names`` the events by name."""

    entries: list[bytes] = field(default_factory=list)
    names: dict[str, list[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World()
        self.keeper = self.world._party("registry")
        self.log = NoteSigner(ORIGIN, self.world._key("log"))
        self.witnesses = [
            NoteSigner(f"w{n}.example/witness", self.world._key(f"witness{n}"), COSIGNATURE)
            for n in (1, 2, 3)
        ]
        self.ana = self.world.human("ana")
        self.bot = self.world.agent("research", self.ana)
        self.second = self.world.agent("retrieval", self.ana)
        self.evidence = self.world.evidence()

    # --- the log --------------------------------------------------------------------------------

    def bind(self, label: str) -> None:
        self.entries.append(
            leaf_bytes(
                {
                    "version": 1, "registry": self.keeper.did, "kind": "provider", "type": "bind",
                    "provider": label.lower(), "shown": label, "organization": self.world.org.did,
                    "basis": "operator", "time": format_time(T0),
                }
            )
        )  # fmt: skip

    def record(self, name: str, bot: Party | None = None, **more: Any) -> JsonObject:
        bot = bot or self.bot
        own: dict[str, Any] = {"at": T0, "capabilities": ["papers.query"]} | more
        return new_record(bot.key, bot.did, name, {"mcp": URL}, self.evidence, **own)

    def event(self, kind: str, name: str, bot: Party | None = None, by: Party | None = None,
              **more: Any) -> Entry:  # fmt: skip
        """Log the next event of a name."""
        before = self.names.get(name, [])
        bot = bot or self.bot
        signer = by or bot
        own: dict[str, Any] = {"at": T0, "agent": bot.did} | more
        if before:
            own["before"] = before[-1].leaf["seq"], before[-1].leaf["event"]
        if kind in ("register", "renew", "update"):
            own.setdefault("record", self.record(name, bot))
        if kind == "transfer":  # `by` is the old agent, `bot` the new one
            own["record"] = self.record(name, bot)
        event = new_event(signer.key, signer.did, self.keeper.did, name, kind, **own)
        if kind == "transfer":
            event = consent(event, bot.key, bot.did, at=T0)
            event = consent(event, self.world.org.key, self.world.org.did, at=T0)
        return self.add(name, event)

    def add(self, name: str, event: JsonObject) -> Entry:
        """Log an event as it is."""
        leaf = self.leaf(name, event)
        entry = Entry(event, leaf, len(self.entries))
        self.entries.append(leaf_bytes(leaf))
        self.names.setdefault(name, []).append(entry)
        return entry

    def leaf(self, name: str, event: JsonObject) -> JsonObject:
        """What the log holds of an event."""
        before = self.names.get(name, [])
        moved = event["type"] == "transfer"
        ranks = {self.ana.did: "sponsor", self.keeper.did: "registry"}
        return members(
            version=1, registry=self.keeper.did, kind="name", type=event["type"], name=name,
            agent=event["agent"], provider=AnsName.parse(name).provider_key,
            epoch=(before[-1].leaf["epoch"] if before else 0) + moved, seq=event["seq"],
            previous=event.get("previous"), event=digest_of(event),
            record=digest_of(event["record"]) if "record" in event else None,
            by=ranks.get(event["by"], "agent"), sponsor=salted(SALT, self.ana.did),
            time=format_time(T0), **({"from": event["from"]} if moved else {}),
        )  # fmt: skip

    def _tiles(self, entries: Sequence[bytes]) -> merkle.Tiles:
        kept: dict[tuple[int, int], bytes] = {}
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        for level, index, body in tiles.extend(0, hashes, lambda *_: b""):
            kept[level, index] = body
        return lambda level, index, width: kept[level, index][: 32 * width]

    def head(self, size: int | None = None) -> Checkpoint:
        """The log at a size."""
        entries = self.entries[:size]
        root = merkle.root(len(entries), self._tiles(entries))
        return Checkpoint(ORIGIN, len(entries), root)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        entries = self.entries[:size]
        return merkle.inclusion(index, len(entries), self._tiles(entries))

    def consistency(self, old: int, new: int | None = None) -> JsonObject:
        """As `ansdraft` cases carry it."""
        new = len(self.entries) if new is None else new
        proof = merkle.consistency(old, new, self._tiles(self.entries[:new]))
        return {"old": old, "new": new, "proof": [b64_encode(one) for one in proof]}

    def note(self, head: Checkpoint | None = None, signer: NoteSigner | None = None,
             by: Sequence[int] = (), at: int = T0) -> str:  # fmt: skip
        """A signed checkpoint, cosigned by these witnesses."""
        head = head or self.head()
        text = sign_checkpoint(head, signer or self.log)
        return add_signatures(text, [cosign(head, self.witnesses[n], at) for n in by])

    def receipt(self, entry: Entry, *, size: int | None = None, note: str | None = None,
                opening: bool = False) -> JsonObject:  # fmt: skip
        return new_receipt(
            entry.leaf, entry.index, self.inclusion(entry.index, size),
            note or self.note(self.head(size)),
            {"salt": SALT, "sponsor": self.ana.did} if opening else None,
        )  # fmt: skip

    def past(self, name: str) -> list[JsonObject]:
        """The events of a name, as the registry tells them."""
        return [{"event": one.event, "receipt": self.receipt(one)} for one in self.names[name]]

    # --- answers --------------------------------------------------------------------------------

    @property
    def trust(self) -> JsonObject:
        """A trust folder that names this registry and its log."""
        anchor = {"id": self.world.org.did, "keys": [self.world.org.key.public.multikey]}
        registry = {
            "id": self.keeper.did,
            "keys": [self.keeper.key.public.multikey],
            "log": self.log.key.vkey,
        }
        return {"version": 1, "anchors": [anchor], "registries": [registry]}

    def standing(self, name: str, status: str = "active") -> JsonObject:
        """The freshness entry of a name."""
        newest, carrier = self.names[name][-1], self.carrier(name)
        return members(
            name=name, agent=newest.leaf["agent"], epoch=newest.leaf["epoch"],
            seq=newest.leaf["seq"], status=status, event=newest.leaf["event"],
            record=carrier.leaf["record"], index=carrier.index,
            unattested=["papers.query"] if status == "active" else None,
        )  # fmt: skip

    def carrier(self, name: str) -> Entry:
        """The newest event with a record."""
        return [one for one in self.names[name] if "record" in one.event][-1]

    def token(self, query: Query, status: str, entries: Sequence[JsonObject],
              **more: Any) -> JsonObject:  # fmt: skip
        own: dict[str, Any] = {"at": NOW - 10} | more
        keeper = self.keeper
        return new_token(keeper.key, keeper.did, query, status, entries, self.head(), **own)


@cache
def _built() -> Town:
    town = Town()
    town.bind("AcmeLabs")
    town.event("register", NAME)
    town.event("register", NEWER)
    town.event("register", OTHER, town.second)
    town.event("register", GONE)
    town.event("revoke", GONE, reason="superseded")
    town.event("register", PAUSED)
    town.event("suspend", PAUSED, by=town.ana, reason="under review")
    town.event("register", MOVED)
    town.event("transfer", MOVED, town.second, by=town.bot)
    town.event("renew", OTHER, town.second)
    return town


def town() -> Town:
    """The town of every case: eleven entries, six names; its log may be changed."""
    own = copy.copy(_built())
    own.entries, own.names = list(own.entries), copy.deepcopy(own.names)
    return own


STATUS = {GONE: "revoked", PAUSED: "suspended", NOBODY: "not-found"}


class Draft:
    """One question and its honest answer.

    Attributes:
        query: what is asked, as JSON; ``answer`` what is answered; ``trust`` who is believed.
        memory, proofs, history, checkpoint: as `delegant.cli.limbo.naming` describes them.
        data: the bytes, where they are not the answer's own.
    """

    def __init__(self, *names: str, query: JsonObject | None = None, **more: Any) -> None:
        self.town = town()
        self.query: JsonObject = {"name": names[0]} if query is None else query
        self.at = NOW
        self.trust = self.town.trust
        self.memory: JsonObject | None = None
        self.proofs: list[JsonObject] = []
        self.history: list[JsonObject] | None = None
        self.checkpoint: str | None = None
        self.data: bytes | None = None
        self.answer = self.answered(names, **more)

    def answered(self, names: Sequence[str], **more: Any) -> JsonObject:
        """What the honest registry says of these names."""
        asked, own = Query.from_json(self.query), self.town
        status = STATUS.get(names[0], "active") if asked.name else "found" if names else "not-found"
        there = [name for name in names if name in own.names]
        entries = [own.standing(name, STATUS.get(name, "active")) for name in there]
        trace: list[JsonObject] | None = [] if asked.trace else None
        last = None
        if status in ("revoked", "suspended"):
            newest = own.names[names[0]][-1]
            more = {"reason": newest.event["reason"], "since": T0} | more
            last = {"event": newest.event, "receipt": own.receipt(newest)}
        if asked.name is None:
            more = {"total": len(names)} | more
        token = own.token(asked, status, entries, trace=trace, **more)
        agents = [
            resolved(
                own.carrier(name).event["record"], own.receipt(own.carrier(name)), entry, asked
            )
            for name, entry in zip(there, entries, strict=True)
            if entry["status"] == "active"
        ]
        return new_answer(asked, token, agents, last=last, trace=trace)

    # --- edits ----------------------------------------------------------------------------------

    @property
    def agent(self) -> JsonObject:
        """The first agent of the answer."""
        return self.answer["resolvedAgents"][0]  # type: ignore[no-any-return]

    @property
    def receipt(self) -> JsonObject:
        """Its receipt, or that of the last event."""
        where = self.answer.get("last") or self.agent
        return where["receipt"]  # type: ignore[no-any-return]

    @property
    def token(self) -> JsonObject:
        """The freshness token."""
        return self.answer["freshness"]  # type: ignore[no-any-return]

    @property
    def registry(self) -> JsonObject:
        """The registry as the trust folder names it."""
        return self.trust["registries"][0]  # type: ignore[no-any-return]

    def sign(self, key: PrivateKey | None = None, signer: str | None = None) -> Draft:
        """The token signed anew, by the registry unless told otherwise."""
        unsigned = {name: value for name, value in self.token.items() if name != "proof"}
        keeper = self.town.keeper
        self.answer["freshness"] = sign(unsigned, key or keeper.key, signer or keeper.did, NOW - 10)
        return self

    def head(self, head: Checkpoint) -> Draft:
        """The token speaks from another state of the log."""
        self.token["log"] = {
            "origin": head.origin,
            "size": head.size,
            "root": b64_encode(head.root),
        }
        return self.sign()

    def witnessed(self, quorum: int, *signed: int) -> Draft:
        """Two witnesses are trusted, this many are wanted, and these cosigned."""
        keys = [one.key.vkey for one in self.town.witnesses[:2]]
        self.registry.update(witnesses=keys, quorum=quorum)
        self.receipt["checkpoint"] = self.town.note(by=signed)
        return self

    def met(self, size: int | None = None, **names: JsonObject) -> Draft:
        """The asker has met the log at this size, and who held NAME."""
        head = self.town.head(size)
        self.memory = {
            "version": 1,
            "registry": self.town.keeper.did,
            "log": {"origin": ORIGIN, "size": head.size, "root": b64_encode(head.root),
                    "time": format_time(NOW - 50)},
            "names": {self.query["name"].lower(): pin for pin in names.values()},
        }  # fmt: skip
        return self

    def jws(self, typ: str = "ans-answer+jwt", key: PrivateKey | None = None) -> Draft:
        """The answer in its JWS form."""
        keeper = self.town.keeper
        kid = did.vm_of(did.check(keeper.did))
        self.data = jose.sign(self.answer, key or keeper.key, typ, kid).encode()
        return self

    @property
    def question(self) -> tuple[JsonObject, dict[str, bytes]]:
        """The question with its byte strings apart."""
        asked: JsonObject = {
            "ask": "answer", "data": None, "trust": self.trust, "query": self.query,
            "at": format_time(self.at), "memory": self.memory, "proofs": self.proofs,
            "history": None,
        }  # fmt: skip
        if self.checkpoint is not None:
            asked["checkpoint"] = self.checkpoint
        data = canonical(self.answer) if self.data is None else self.data
        parts = {"data": data}
        if self.history is not None:
            parts["history"] = json.dumps(self.history, sort_keys=True).encode()
        return asked, parts


Bend = Callable[[Draft], object]


def flipped(text: str, at: int = 0) -> str:
    """The base64 of bytes of which one bit is another."""
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(bytes(raw)).decode("ascii")
