"""A registry with several providers and many agents in it, and an accredited issuer of claims."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ans.naming import URL, Naming
from delegant.ans import new_record
from delegant.ans.answer import Answer, verify_answer
from delegant.ans.name import AnsName
from delegant.ans.query import Query
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import AgentAttestation, Evidence, StatusEntry, Trust, did
from delegant.credentials.codec import JsonObject
from world import LIST, Party, World

SOX = "SOXComplianceCertified"
SOX_LIST = "https://auditor.example/status/7"


@dataclass
class Market(Naming):
    """``auditor`` is accredited for SOX; its list is at `SOX_LIST`, ``withdrawn`` what it revoked.

    The lists at ``silent`` cannot be had. ``asked`` are the lists that were asked for.
    """

    withdrawn: set[int] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    others: list[World] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = self.world
        super().__post_init__()
        self.auditor = self.world._party("auditor")

    def open(self, **more: Any) -> Any:
        return super().open(**({"lists": self.lists} | more))

    def trust(self) -> Trust:
        value = self.first.trust_json
        value["anchors"] += [other.trust_json["anchors"][0] for other in self.others]
        if hasattr(self, "auditor"):
            keys = [self.auditor.key.public.multikey]
            value["anchors"].append({"id": self.auditor.did, "keys": keys, "accredits": [SOX]})
        return Trust.from_json(value | {"verifier": {"id": self.did}})

    def lists(self, url: str) -> JsonObject | str | None:
        """What the registry has of a status list by now."""
        self.asked.append(url)
        if url in self.silent or url not in (LIST, SOX_LIST):
            return None
        before, self.first.revoked = self.first.revoked, self.withdrawn
        try:
            return self.first.status_list(url=url).secured.raw
        finally:
            self.first.revoked = before

    def claim(self, bot: Party, kind: str = SOX, index: int = 0, **more: Any) -> AgentAttestation:
        """The auditor's claim about an agent."""
        own: dict[str, Any] = {
            "signer": self.auditor,
            "issuer": self.auditor.did,
            "status": StatusEntry(SOX_LIST, 2 * index),
        }
        return self.first.attestation(bot, kind, **(own | more))

    @contextmanager
    def abroad(self, label: str) -> Iterator[Party]:
        """Inside, whoever registers belongs to another organisation, which is given."""
        other = World(label=label, now=self.now, ceiling=self.world.ceiling)
        self.others.append(other)
        before = self.world, self.ana
        self.world, self.ana = other, other.human("eve")
        try:
            yield other.org
        finally:
            self.world, self.ana = before

    def about(self, *claims: AgentAttestation) -> Evidence:
        """Evidence that holds these attestations too."""
        return self.world.evidence(attestations=[one.secured.raw for one in claims])

    def offer(
        self,
        name: str,
        bot: Party | None = None,
        *claims: AgentAttestation,
        kind: str = "register",
        receipt: JsonObject | None = None,
        **record: Any,
    ) -> JsonObject:
        """Register (or renew, or update) a name; ``record`` is what its record holds besides."""
        who = bot or self.bot
        evidence = self.about(*claims)
        made = new_record(
            who.key, who.did, name, {AnsName.parse(name).protocol: URL}, evidence,
            at=self.now, **record,
        )  # fmt: skip
        event = self.event(kind, who, name, record=made, receipt=receipt)
        return self.send(event, who, evidence=evidence)

    @property
    def believer(self) -> RegistryTrust:
        """A client's trust in this registry."""
        return RegistryTrust(did.check(self.did), (self.keeper.key.public,), self.log)

    def ask(self, query: Query | str | dict[str, Any]) -> Answer:
        """The verified answer to a question."""
        asked = Query.from_json(query) if isinstance(query, dict) else query
        status, answer = self.registry.resolve(asked, self.now)
        found = verify_answer(answer, self.believer, asked, at=self.now)
        outcomes = {"success": 200, "not-found": 404, "gone": 410, "suspended": 403}
        assert status == outcomes[found.status]
        return found

    def names(self, **query: Any) -> list[str]:
        """The names that answer a search, in their order."""
        return [one.name for one in self.ask(query).agents]

    def reasons(self, **query: Any) -> dict[str, str]:
        """Who was left out of a search, and why."""
        return dict(self.ask(query | {"trace": True}).trace)
