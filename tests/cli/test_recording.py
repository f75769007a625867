"""The database of the discovery story records every query, with what the paper's Listing 8 asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delegant.cli.stories.recording import ROWS, Recording
from delegant.credentials import Link, Request
from delegant.governance.auditlog import AuditLog
from delegant.wallet import trustfolder
from delegant.wallet.keystore import CHEAPEST
from refusal import refusal
from world import World

TABLES = "urn:acme-finance:tables:**"
NAME = "acp://FinancialRiskAnalysis.CorporateReporting.AcmeFinance.v2.1.3"
TASK = {"id": "Q3-risk", "initiation": "human_request"}
LISTING_8 = {
    "eventId", "timestamp", "initiatingSystem", "agentDid", "agentAnsName", "actionPerformed",
    "targetResourceDid", "targetResourceAnsName", "inputParametersHash", "presentedVcIds",
    "decisionPolicyId", "collaborationContext", "outcome", "logEntrySignature",
}  # fmt: skip


class Place:
    """The database, and a chain of two to one of its tables."""

    def __init__(self, folder: Path) -> None:
        ceiling = [{"actions": ["db.*"], "resources": [TABLES]}]
        self.world = world = World(now=int(time.time()), ceiling=ceiling)
        self.human = world.human("human")
        middle, self.right = (
            world.agent(name, self.human, tools=["db.query_table"]) for name in ("middle", "right")
        )
        rules: Any = {"task": TASK}
        first = world.delegate(
            self.human, middle, [f"db.query_table {TABLES}"], remaining=1, lease=16,
            constraints=rules,
        )  # fmt: skip
        allow = ["db.query_table urn:acme-finance:tables:QuarterlySummaries"]
        last = world.delegate(middle, self.right, allow, above=[first], constraints=rules)
        self.links: list[Link] = [first, last]
        trustfolder.write_trust(folder / "trust", world.trust_json)
        self.log = AuditLog.create(folder / "audit", "a secret", did=world.db.did, cost=CHEAPEST)
        self.database = Recording(folder / "trust", self.log)

    def ask(self, table: str, **more: Any) -> int:
        asked = Request("db.query_table", f"urn:acme-finance:tables:{table}", task=TASK)
        sent = self.world.bundle(self.links, asked, **more).to_bytes()
        return self.database.query_table(table, sent, NAME)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.log.close()


def test_every_query_is_on_record_with_every_member_of_listing_8(place: Place) -> None:
    assert place.ask("QuarterlySummaries") == len(ROWS["QuarterlySummaries"])
    assert refusal(lambda: place.ask("Payroll")) == "no-grant"
    allowed, denied = place.database.told()
    for one in (allowed, denied):
        assert set(one) >= LISTING_8
        assert [name for name in one if one[name] is None] == ["targetResourceAnsName"]
        assert (one["sponsorDid"], one["agentDid"]) == (place.human.did, place.right.did)
        assert one["presentedVcIds"] == [link.id for link in place.links]
        assert one["agentAnsName"] == NAME
        assert (one["collaborationContext"]["taskId"], one["initiation"]) == (
            "Q3-risk", "human_request",
        )  # fmt: skip
    assert (allowed["decision"], allowed["outcome"]["status"]) == ("allow", "success")
    assert allowed["outcome"]["rowsAffected"] == 2
    assert allowed["outcome"]["dataRetrievedHash"].startswith("uEi")
    assert (denied["decision"], denied["outcome"]["status"]) == ("deny", "no-grant")
    assert denied["outcome"]["dataRetrievedHash"] is None


def test_a_chain_that_fails_is_on_record_as_it_was_claimed(place: Place) -> None:
    place.links.pop(0)
    assert refusal(lambda: place.ask("QuarterlySummaries"))
    (one,) = place.database.told()
    assert one["decision"] == "deny"
    assert not place.log.record(0).verified
