"""A resource with an audit log, in the world's simulation: who asks is verified and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.credentials import Authorization, Evidence, Link, Presentation, Request, verify
from delegant.governance.auditlog import AuditLog
from delegant.governance.ledger import Ledger
from delegant.governance.permit import Permit
from delegant.governance.record import Record, parse_record
from delegant.wallet.keystore import CHEAPEST
from world import World

PASSPHRASE = "quite a secret"
TOPIC = "urn:acme:papers:17"


def costing(amount: int) -> Request:
    """A request that costs so many cents."""
    return Request("db.read", TOPIC, amount={"unit": "EUR:2", "value": str(amount)})


@dataclass
class Auditing:
    """The database of the world, which keeps an audit log in a folder."""

    folder: Path
    world: World = field(default_factory=World)
    database: str | None = None

    def __post_init__(self) -> None:
        self.ana = self.world.human("ana")
        self.bot = self.world.agent("research", self.ana)
        if (self.folder / "audit.json").exists():
            self.log = AuditLog.open(self.folder, PASSPHRASE)
        else:
            own = self.world.db.did
            self.log = AuditLog.create(
                self.folder, PASSPHRASE, did=own, database=self.database, cost=CHEAPEST
            )
        self.ledger = Ledger(self.log)

    @property
    def now(self) -> int:
        return self.world.now

    def reopen(self) -> None:
        """As after a restart."""
        self.log.close()
        self.log = AuditLog.open(self.folder, PASSPHRASE)
        self.ledger = Ledger(self.log)

    def link(self, allow: str = "db.read urn:acme:papers:**", **more: Any) -> Link:
        return self.world.delegate(self.ana, self.bot, [allow], **more)

    def budget(self, total: int, per: int | None = None) -> dict[str, Any]:
        """A budget kept in this ledger."""
        return {
            "ledger": self.world.db.did, "unit": "EUR:2", "perAction": str(per or total),
            "total": str(total),
        }  # fmt: skip

    def asked(
        self,
        links: Sequence[Link],
        request: Request | None = None,
        *,
        evidence: Evidence | None = None,
        **more: Any,
    ) -> tuple[Authorization, Request, Presentation]:
        """A call, presented and verified."""
        request = request or Request("db.read", TOPIC)
        shown = self.world.present(links, request, **more)
        auth = verify(
            shown, evidence or self.world.evidence(), self.world.trust(), request, at=self.now
        )
        return auth, request, shown

    def permit(self, links: Sequence[Link], request: Request | None = None, **more: Any) -> Permit:
        auth, request, shown = self.asked(links, request)
        own: dict[str, Any] = {"evidence": self.world.evidence(), "at": self.now} | more
        return self.ledger.permit(auth, request, presentation=shown, **own)

    def records(self) -> list[Record]:
        """Every entry, read from the rows."""
        with self.log.store.transaction(reading=True) as db:
            count = self.log.store.leaf_count(db)
            return [parse_record(one) for one in self.log.store.leaves(db, 0, count)]
