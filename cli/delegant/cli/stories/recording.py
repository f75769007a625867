"""The database of the story: it verifies, acts by permits of its ledger, and keeps the record.

What the record has of a query is told in the words of the paper's Listing 8, and with what that
lacks: the human, the chain and the decision. Its ``logEntrySignature`` is the log's checkpoint.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from delegant.credentials import Bundle, Error, Request, verify, verify_chain
from delegant.credentials.codec import JsonObject, canonical, digest
from delegant.governance.auditlog import AuditLog
from delegant.governance.ledger import Ledger
from delegant.wallet import load_trust

__all__ = ["Recording"]

ROWS: Final[dict[str, list[JsonObject]]] = {
    "QuarterlySummaries": [
        {"quarter": "Q1", "revenue": "1200"},
        {"quarter": "Q2", "revenue": "1350"},
    ],
    "Payroll": [{"person": "p-7f3a", "salary": "5100"}],
}
INVOCATION: Final = 10
"""The phase by which the chain has been verified."""


class Recording:
    """Its tables, for whoever proves a right to one.

    Args:
        trust: its trust folder. log: its own, open.
    """

    def __init__(self, trust: Path, log: AuditLog) -> None:
        self._trust = trust
        self._log = log
        self._ledger = Ledger(log)

    def query_table(self, table: str, sent: bytes, name: str) -> int:
        """How many rows it gives.

        Args:
            sent: the caller's bundle.
            name: the caller's, as the naming service proved it.

        Raises:
            Error: a refusal; it is on record.
        """
        rows = ROWS[table]
        at, came, trust = datetime.now(UTC), Bundle.parse(sent), load_trust(self._trust)
        shown, evidence = came.presentation, came.evidence
        asked = Request(
            "db.query_table", f"urn:acme-finance:tables:{table}", task=came.request.task
        )
        try:
            yes = verify(shown, evidence, trust, asked, at=at)
        except Error as no:
            whole = no.phase >= INVOCATION
            self._ledger.refuse(
                no, presentation=shown, request=asked, evidence=evidence, name=name, at=at,
                chain=verify_chain(shown, evidence, trust, at=at) if whole else None,
            )  # fmt: skip
            raise
        permit = self._ledger.permit(
            yes, asked, presentation=shown, evidence=evidence, name=name, at=at
        )
        self._ledger.settle(
            permit, rows=len(rows), result=digest(canonical(rows)), at=datetime.now(UTC)
        )
        return len(rows)

    def told(self) -> list[JsonObject]:
        """Every query on record, proven to be the log's: Listing 8's members, then our own."""
        head = self._log.book.head()
        records = [self._log.record(number).json for number in range(head.size)]
        outcomes = {one["event"]: one["outcome"] for one in records if one["type"] == "outcome"}
        return [
            _listing_8(one, outcomes.get(one["event"]), self._log.head)
            for one in records
            if one["type"] != "outcome"
        ]


def _listing_8(one: JsonObject, outcome: JsonObject | None, signed: str) -> JsonObject:
    came = outcome or {"status": one["code"]}
    return {
        "eventId": one["event"],
        "timestamp": one["time"],
        "initiatingSystem": one["organizationDid"],
        "agentDid": one["agentDid"],
        "agentAnsName": one["agentAnsName"],
        "actionPerformed": one["action"],
        "targetResourceDid": one["log"],
        "targetResourceAnsName": None,
        "targetResource": one["target"],
        "inputParametersHash": one["inputHash"],
        "presentedVcIds": [link["id"] for link in one["chain"]],
        "decisionPolicyId": one["policyId"],
        "collaborationContext": one["collaborationContext"],
        "outcome": {
            "status": came["status"],
            "rowsAffected": came.get("rows", 0),
            "dataRetrievedHash": came.get("resultHash"),
        },
        "logEntrySignature": signed,
        "sponsorDid": one["sponsorDid"],
        "chain": one["chain"],
        "grantId": one["grantId"],
        "initiation": one["initiation"],
        "decision": one["decision"],
    }
