"""Searching a registry: who answers a question, in what order, and why others do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from ans.market import SOX, Market
from delegant.ans.tables import LISTINGS, TERMS
from refusal import refusal

RISK = "FinancialRiskAnalysis.CorporateReporting"
RIGHT = f"acp://{RISK}.AcmeFinance.v2.1.0"


@pytest.fixture
def market(tmp_path: Path, database: str | None) -> Market:
    made = Market(tmp_path / "registry.db", database=database)
    made.registry.bind_provider("AcmeFinance", made.world.org.did, made.now)
    return made


@pytest.fixture
def finance(market: Market) -> Market:
    """Five candidates, of whom one is the right one."""
    right, old, proud, fallen = (market.agent(name) for name in ("right", "old", "proud", "fallen"))
    market.offer(RIGHT, right, market.claim(right, index=1))
    market.offer(f"acp://{RISK}.AcmeFinance.v1.9", old, market.claim(old, index=2))
    own = market.claim(proud, signer=market.ana, issuer=market.ana.did)
    market.offer(f"acp://{RISK}.AcmeFinance.v2.2.0", proud, own)
    market.offer(f"acp://{RISK}.AcmeFinance.v2.3.0", fallen, market.claim(fallen, index=4))
    market.withdrawn.add(8)
    with market.abroad("acmes") as rival:
        market.registry.bind_provider("AcmeFinances", rival.did, market.now)
        fake = market.agent("fake")
        market.offer(f"acp://{RISK}.AcmeFinances.v2.9", fake, market.claim(fake, index=5))
    return market


ASKED: dict[str, Any] = {
    "capability": RISK,
    "protocol": "acp",
    "version": ">=2.1.0 <3.0.0",
    "attestations": [SOX],
    "provider": "AcmeFinance",
}


def test_of_five_candidates_one_answers_and_each_other_is_told_why_not(finance: Market) -> None:
    found = finance.ask(ASKED | {"trace": True})
    assert [one.name for one in found.agents] == [RIGHT]
    assert found.freshness.total == 1
    assert dict(found.trace) == {
        f"acp://{RISK}.AcmeFinance.v1.9": "wrong-version",
        f"acp://{RISK}.AcmeFinance.v2.2.0": "attestation-issuer",
        f"acp://{RISK}.AcmeFinance.v2.3.0": "attestation-revoked",
        f"acp://{RISK}.AcmeFinances.v2.9": "wrong-provider",
    }


def test_a_provider_label_that_can_be_mistaken_for_another_is_bound_to_nobody_else(
    finance: Market,
) -> None:
    bind = finance.registry.bind_provider
    other = finance.agent("other").did
    assert refusal(lambda: bind("AcmeF1nance", other, finance.now)) == "name-confusable"
    assert refusal(lambda: bind("AcmeFunding", other, finance.now)) == ""


def test_the_papers_request_is_answered_in_the_papers_shape(finance: Market) -> None:
    request = {
        "requestType": "resolveAgentByCapability",
        "desiredProtocol": "acp",
        "requiredCapability": "FinancialRiskAnalysis",
        "preferredProvider": "AcmeFinance",
        "versionRange": ">=2.1.0 <3.0.0",
        "requiredAttestations": [{"vcType": SOX}],
    }
    found = finance.ask(request)
    assert [one.name for one in found.agents] == [RIGHT, f"acp://{RISK}.AcmeFinances.v2.9"]
    first = found.json["resolvedAgents"][0]
    assert found.json["resolutionStatus"] == "success"
    assert (first["ansName"], first["serviceEndpoint"]) == (RIGHT, "https://research.example/mcp")
    assert [(one["type"], one["issuer"]) for one in first["relevantVcSnippets"]] == [
        (SOX, finance.auditor.did)
    ]
    assert first["relevantVcSnippets"][0]["digestMultibase"].startswith("uEi")
    assert first["ansRecordSignature"] == first["record"]["proof"]["proofValue"]
    del request["preferredProvider"]
    names = [one.name for one in finance.ask(request).agents]
    assert names == [f"acp://{RISK}.AcmeFinances.v2.9", RIGHT]


def test_the_papers_request_by_name_and_capability(market: Market) -> None:
    market.offer("mcp://Helper.Support.AcmeLabs.v1.0", capabilities=["refunds"])
    market.offer("mcp://Helper.Sales.AcmeLabs.v1.0", capabilities=["refunds"])
    request = {
        "requestType": "resolveAgentByNameAndCapability",
        "ansNamePattern": "*://*.Support.*",
        "requiredCapability": "Refunds",
    }
    assert [one.name for one in market.ask(request).agents] == [
        "mcp://Helper.Support.AcmeLabs.v1.0"
    ]
    assert market.ask(request | {"availabilityRequirement": "highAvailability"}).agents == ()


def test_the_highest_version_comes_first_and_a_deprecated_one_says_who_follows(
    market: Market,
) -> None:
    for version in ("1.2", "1.10", "2.0", "1.9.9"):
        market.offer(f"mcp://Papers.Research.AcmeLabs.v{version}")
    market.offer(
        "mcp://Papers.Research.AcmeLabs.v2.0.0.old",
        successor="mcp://Papers.Research.AcmeLabs.v2.0",
    )
    found = market.ask({"capability": "papers"})
    assert [one.name.partition(".v")[2] for one in found.agents] == [
        "2.0", "2.0.0.old", "1.10", "1.9.9", "1.2",
    ]  # fmt: skip
    successor = found.agents[1].entry.successor
    assert str(successor) == "mcp://Papers.Research.AcmeLabs.v2.0"
    assert market.names(capability="papers", version="^1.9") == [
        "mcp://Papers.Research.AcmeLabs.v1.10",
        "mcp://Papers.Research.AcmeLabs.v1.9.9",
    ]
    assert market.names(capability="papers", version="1.2.x", protocol="mcp")[0].endswith("v1.2")
    assert market.names(capability="papers", version="~3") == []


def test_no_more_are_shown_than_were_asked_for_and_the_others_are_counted(market: Market) -> None:
    names = [f"mcp://Papers.Research.AcmeLabs.v1.{minor}" for minor in range(4)]
    for name in names:
        market.offer(name)
    found = market.ask({"capability": "papers", "limit": 3, "trace": True})
    assert [one.name for one in found.agents] == names[:0:-1]
    assert found.freshness.total == 4
    assert found.trace == ((names[0], "limit"),)
    whole = market.ask({"capability": "papers", "limit": 4, "trace": True})
    assert (len(whole.agents), whole.freshness.total, whole.trace) == (4, 4, ())


def test_who_is_gone_or_suspended_answers_no_search_and_the_trace_says_so(market: Market) -> None:
    names = [f"mcp://Papers.Research.AcmeLabs.v1.{minor}" for minor in range(4)]
    receipts = [market.offer(name, seconds=900 + 9000 * (n > 0)) for n, name in enumerate(names)]
    assert market.names(capability="papers") == names[::-1]
    suspended = market.send(market.event("suspend", name=names[1], receipt=receipts[1]))
    market.send(market.event("revoke", name=names[2], receipt=receipts[2]))
    assert market.names(capability="papers") == [names[3], names[0]]
    market.world.now += 900
    assert market.names(capability="papers") == [names[3]]
    assert market.reasons(capability="papers") == {
        names[0]: "expired",
        names[1]: "suspended",
        names[2]: "revoked",
    }
    market.send(market.event("resume", name=names[1], receipt=suspended))
    assert market.names(capability="papers") == [names[3], names[1]]


def test_an_update_changes_what_a_name_is_found_by(market: Market) -> None:
    name = "mcp://Papers.Research.AcmeLabs.v1.0"
    receipt = market.offer(name, capabilities=["Summaries", "search"])
    assert market.names(capability="summaries") == [name]
    market.offer(name, kind="update", receipt=receipt, capabilities=["search"])
    assert market.names(capability="summaries") == []
    assert market.names(capability="SEARCH") == [name]


def test_after_a_transfer_the_new_agents_record_is_found(market: Market) -> None:
    name = "mcp://Papers.Research.AcmeLabs.v1.0"
    receipt = market.offer(name, None, market.claim(market.bot), capabilities=["search"])
    to = market.agent("heir")
    market.send(market.transfer(receipt, to, name=name), market.bot)
    (found,) = market.ask({"capability": "papers"}).agents
    assert (found.did, found.epoch, found.entry.attestations) == (to.did, 1, ())
    assert market.names(capability="search") == []


def test_every_part_of_a_question_holds(market: Market) -> None:
    market.registry.bind_provider("OtherLabs", market.world.org.did, market.now)
    names = [
        "mcp://Papers.Research.AcmeLabs.v1.0",
        "a2a://Papers.Research.AcmeLabs.v1.0",
        "mcp://Papers.Research.OtherLabs.v1.0",
        "mcp://PaperMill.Print.AcmeLabs.v1.0",
    ]
    for name in names:
        market.offer(name)
    assert market.names(protocol="a2a") == [names[1]]
    assert market.names(provider="otherlabs") == [names[2]]
    assert market.names(pattern="mcp://Papers.*.AcmeLabs.v1.*") == [names[0]]
    assert market.names(pattern="*://Paper*.*.AcmeLabs") == [names[1], names[3], names[0]]
    assert market.names(capability="research.papers", provider="AcmeLabs") == [names[1], names[0]]
    assert market.names(version="^1", prefer="OtherLabs") == [
        names[2],
        names[1],
        names[3],
        names[0],
    ]
    assert market.names(version="^1", prefer="OtherLabs", limit=2) == [names[2], names[1]]
    assert market.names(version="^1", prefer="OtherLabs", limit=1) == [names[2]]
    assert market.reasons(capability="papers", protocol="a2a", provider="OtherLabs") == {
        names[0]: "wrong-protocol",
        names[1]: "wrong-provider",
        names[2]: "wrong-protocol",
    }


def test_a_trace_is_bounded(market: Market) -> None:
    for minor in range(53):
        market.offer(f"mcp://Papers.Research.AcmeLabs.v1.{minor}")
    found = market.ask({"capability": "papers", "limit": 1, "trace": True})
    assert len(found.trace) == 50
    assert {reason for _, reason in found.trace} == {"limit"}
    assert found.freshness.total == 53


def test_the_index_is_only_where_to_look(market: Market) -> None:
    """Rows that say more than the store does make nobody answer."""
    name = "mcp://Papers.Research.AcmeLabs.v1.0"
    receipt = market.offer(name, capabilities=["search"])
    market.send(market.event("suspend", name=name, receipt=receipt))
    market.change(
        update(LISTINGS).values(live=True, capabilities=b'["fly"]'),
        update(TERMS).values(live=True),
        update(TERMS).where(TERMS.c.term == "capability:search").values(term="capability:fly"),
        insert(TERMS).values(
            term="capability:fly", live=True, major=-9, minor=0, patch=0, deprecated=False, key="x"
        ),
    )
    assert market.names(capability="papers") == []
    assert market.reasons(capability="fly") == {name: "wrong-capability"}
    market.change(update(LISTINGS).values(capabilities=b"["))
    assert refusal(lambda: market.names(capability="fly", limit=2)) == "unavailable"
