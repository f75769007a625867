"""A home with Ana, a broker that holds her mandate, an agent, and a resource of the home's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from delegant.credentials import Evidence, Request
from delegant.governance.agent import Agent
from delegant.governance.auditlog import AuditLog
from delegant.governance.broker import Broker
from delegant.governance.closing import Closed
from delegant.governance.enforcing import EnforcementPoint
from delegant.governance.ledger import Ledger
from delegant.governance.record import Record, parse_record
from delegant.governance.task import Task
from delegant.wallet import (
    Passphrases,
    add_human,
    create_agent,
    create_home,
    delegate,
    keystore,
    load_trust,
)

T0 = 1_790_000_000
PAPERS = {"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}
DRAFTS = {"actions": ["doc.write"], "resources": ["urn:acme:drafts:**"]}
READ = "db.read:urn:acme:papers:**"


class Office:
    """Everything of it in one folder, and a clock that can be turned."""

    def __init__(self, folder: Path, *, spawn: bool = True) -> None:
        secret = folder / "passphrase"
        secret.write_text("correct horse\n")
        secret.chmod(0o600)
        self.now = T0
        self.home = create_home(
            folder / "acme", "acme.example", url="http://127.0.0.1:8080",
            passphrases=Passphrases(secret), now=T0,
        )  # fmt: skip
        self.organization = self.home.open_wallet("organization")
        add_human(self.home, self.organization, "ana", now=T0, attestation="idp:corp")
        self.ana = self.home.open_wallet("human", "ana")
        create_agent(self.home, self.ana, "broker", now=T0)
        create_agent(
            self.home, self.ana, "bot", now=T0, tools=["db.read", "doc.write"], spawn=spawn
        )
        self.mandate = delegate(
            self.home, self.ana, "broker", [PAPERS, DRAFTS], now=T0, use="mandate",
            remaining=2, spawn=True,
        ).link  # fmt: skip
        self.closed = Closed()
        self.log = AuditLog.create(
            folder / "audit", "quite a secret", did=self.home.settings.registry,
            cost=keystore.CHEAPEST,
        )  # fmt: skip
        self.ledger = Ledger(self.log)
        self.trust = load_trust(self.home.path / "trust")

    def broker(self, **more: Any) -> Broker:
        """The broker, with what publishes."""
        own: dict[str, Any] = {
            "organization": self.organization, "closed": self.closed, "clock": lambda: self.now,
        }  # fmt: skip
        holder = more.pop("holder", None) or self.home.open_wallet("agent", "broker")
        return Broker(self.home, holder, **(own | more))

    def bot(self, **more: Any) -> Agent:
        return Agent.load("bot", home=self.home, broker=self.broker(**more))

    def point(self, **more: Any) -> EnforcementPoint:
        return EnforcementPoint(self.ledger, self.trust, clock=lambda: self.now, **more)

    def read(self, point: EnforcementPoint, task: Task, topic: str = "17", **facts: Any) -> str:
        """Read one paper under a task, as it presents itself."""
        request = task.request("db.read", f"urn:acme:papers:{topic}", **facts)
        shown, evidence = task.present(request)
        return self.act(point, shown.to_bytes(), evidence, request)

    def act(
        self, point: EnforcementPoint, shown: bytes, evidence: Evidence, request: Request
    ) -> str:
        with point.acting(shown, evidence, request) as act:
            act.result(rows=1)
        return request.resource

    def records(self) -> list[Record]:
        with self.log.store.transaction(reading=True) as db:
            count = self.log.store.leaf_count(db)
            return [parse_record(one) for one in self.log.store.leaves(db, 0, count)]
