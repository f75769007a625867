"""Acts as both sides tell them: real invocations, records of the house's own shape, receipts.

Nothing is written to a log here: what is compared is what the two sides say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.credentials import Link, PrivateKey, Request, digest, invoke, jose
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.shape import format_time
from delegant.governance.journal import Journal
from delegant.governance.receipt import MAX_RECEIPT, RESOURCE_RECEIPT, resource_receipt
from delegant.governance.record import (
    Record,
    input_hash,
    new_event,
    new_opening,
    parse_record,
)
from world import T0, Party, World

HOUR = 3600


@dataclass
class Act:
    """One act, and where both sides have come with it."""

    invocation: str
    request: Request
    leaf: str
    event: str
    agent: str
    at: int
    opening: JsonObject


@dataclass
class Scene:
    """A resource that records, and an agent that keeps a journal."""

    folder: Path
    world: World = field(default_factory=World)
    records: list[Record] = field(default_factory=list)
    openings: dict[str, bytes] = field(default_factory=dict)
    exhibits: dict[str, bytes] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.ana = self.world.human("ana")
        self.bot = self.world.agent("bot", self.ana)
        self.link = self.world.delegate(self.ana, self.bot, ["db.read urn:acme:papers:**"])
        self.keep_exhibit(self.link)
        self.db = self.world.db
        self.journal = self.journal_of(self.bot.key)

    def keep_exhibit(self, link: Link) -> None:
        """What the log keeps beside: a link by its digest."""
        raw = link.secured.raw
        data = raw.encode("ascii") if isinstance(raw, str) else canonical(raw)
        self.exhibits[link.digest] = data

    def journal_of(self, key: PrivateKey, name: str = "journal.jsonl") -> Journal:
        """A journal in this folder."""
        return Journal(self.folder / name, key, {self.db.did: [self.db.key.public]})

    @property
    def path(self) -> Path:
        """The agent's journal."""
        return self.folder / "journal.jsonl"

    def act(self, *, holder: str | None = None, key: PrivateKey | None = None,
            leaf: str | None = None, audience: str | None = None) -> Act:  # fmt: skip
        """Invoke: an hour after the one before."""
        self.count += 1
        at = T0 + self.count * HOUR
        request = Request("db.read", f"urn:acme:papers:{self.count}", rows=1)
        name, chain = holder or self.bot.did, leaf or self.link.digest
        token = invoke(key or self.bot.key, holder=name, audience=audience or self.db.did,
                       chain=chain, request=request, at=at)  # fmt: skip
        opening = new_opening(request.json, token)
        event = new_event(at * 1000)
        self.openings[event] = canonical(opening)
        return Act(token, request, chain, event, name, at, opening)

    def intent(self, act: Act, **changes: Any) -> None:
        """Record the intent."""
        self._record(act, "intent", self._act(act) | {"decision": "allow", "spent": []} | changes)

    def outcome(self, act: Act, status: str = "success", **more: Any) -> None:
        """Record the outcome, a second later."""
        self._record(act, "outcome", {"agentDid": act.agent, "settled": [],
                                      "outcome": {"status": status, **more}}, later=1)  # fmt: skip

    def refusal(self, act: Act, code: str = "constraint", *, verified: bool = True,
                **changes: Any) -> None:  # fmt: skip
        """Record a refusal."""
        said = {"decision": "deny", "code": code, "phase": 11 if verified else 8, "link": 0,
                "dimension": None, "verified": verified}  # fmt: skip
        self._record(act, "refusal", self._act(act) | said | changes)

    def opening(self, record: Record) -> JsonObject | None:
        """What opens a record, if it is kept."""
        data = self.openings.get(record.event)
        return None if data is None else parse_object(data, size=9000)

    def receipt(self, act: Act, **changes: Any) -> str:
        """What the resource hands back: of an allowed act that went well.

        With ``sub``, ``invocation``, ``request`` or ``chain`` it is a lie, well signed.
        """
        key = changes.pop("key", self.db.key)
        names = ("sub", "invocation", "request", "chain")
        lies = {name: changes.pop(name) for name in names if name in changes}
        said: dict[str, Any] = {
            "log": self.db.did,
            "event": act.event,
            "decision": "allow",
            "outcome": "success",
        }
        token = resource_receipt(key, act.invocation, act.at + 1, **(said | changes))
        if not lies:
            return token
        found = jose.split(token, size=MAX_RECEIPT)
        return jose.sign(found.payload | lies, key, RESOURCE_RECEIPT, found.header["kid"])

    def honest(self, status: str = "success") -> Act:
        """An act that both sides tell alike."""
        act = self.act()
        self.intent(act)
        self.outcome(act, status)
        self.journal.keep(act.invocation, status, act.at + 2,
                          answer=self.receipt(act, outcome=status))  # fmt: skip
        return act

    def refused(self, code: str = "constraint") -> Act:
        """A refusal that both sides tell alike."""
        act = self.act()
        self.refusal(act, code)
        answer = self.receipt(act, decision="deny", outcome=None, code=code)
        self.journal.keep(act.invocation, "refused", act.at + 1, answer=answer)
        return act

    def _act(self, act: Act) -> JsonObject:
        return {
            "agentDid": act.agent,
            "agentAnsName": None,
            "organizationDid": self.world.org.did,
            "chain": [{"id": self.link.id, "digestMultibase": act.leaf}],
            "grantId": self.link.id,
            "action": act.request.action,
            "target": act.request.resource,
            "inputHash": input_hash(act.opening),
            "invocation": digest(act.invocation.encode()),
            "evidence": digest(b"manifest"),
            "policyId": "chain",
            "policyVersion": "1",
            "initiation": None,
            "collaborationContext": None,
        }

    def _record(self, act: Act, kind: str, members: JsonObject, later: int = 0) -> None:
        previous = self.records[-1].json if self.records else None
        value = {
            "version": 1,
            "log": self.db.did,
            "type": kind,
            "event": act.event,
            "time": format_time(act.at + later),
            "previous": digest(canonical(previous)) if previous else None,
            "sponsorDid": self.ana.did,
        } | members
        self.records.append(parse_record(canonical(value)))


def web_agent(scene: Scene, name: str = "did:web:acme.example:agents:bot") -> Party:
    """An agent whose DID is not its key; the chain pins it."""
    party = Party("webbot", scene.world._key("webbot"), name)
    scene.world.parties["webbot"] = party
    return party
