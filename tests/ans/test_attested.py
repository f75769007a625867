"""Attestations in a registry: which count, which are told why not, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ans.market import SOX, SOX_LIST, Market
from ans.naming import NAME
from delegant.ans import listing
from delegant.ans.attested import LIST_SECONDS, MAX_ATTESTATIONS
from delegant.ans.resolving import REUSE_SECONDS
from delegant.credentials import StatusEntry
from delegant.credentials.codec import canonical, digest

DAY = 86_400


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path / "registry.db")


def test_one_by_an_accredited_issuer_counts_and_is_shown(market: Market) -> None:
    made = market.claim(market.bot)
    market.offer(NAME, None, made, capabilities=["search"])
    (seen,) = market.ask(NAME).resolution.entry.attestations
    assert (seen.type, seen.issuer, seen.digest) == (SOX, market.auditor.did, made.digest)
    assert (seen.issued, seen.valid_until, seen.capabilities) == (
        made.valid_from, made.valid_until, None,
    )  # fmt: skip
    assert market.names(attestations=[SOX]) == [NAME]


def test_a_capability_nobody_attests_is_shown_so_and_matches_no_required_attestation(
    market: Market,
) -> None:
    made = market.claim(market.bot, capabilities=["search"])
    market.offer(NAME, None, made, capabilities=["search", "delete"])
    assert market.ask(NAME).resolution.entry.unattested == {"delete"}
    assert market.names(capability="search", attestations=[SOX]) == [NAME]
    assert market.names(capability="delete", attestations=[SOX]) == []
    assert market.reasons(capability="delete", attestations=[SOX]) == {NAME: "no-attestation"}
    assert market.names(capability="delete") == [NAME]


def test_without_any_all_capabilities_are_unattested(market: Market) -> None:
    market.offer(NAME, capabilities=["search", "delete"])
    assert market.ask(NAME).resolution.entry.unattested == {"search", "delete"}
    assert market.names(capability="search", attestations=[SOX]) == []


@pytest.mark.parametrize("form", ["di", "jwt"])
def test_who_is_not_accredited_attests_nothing(market: Market, form: str) -> None:
    human = market.claim(market.bot, signer=market.ana, issuer=market.ana.did, form=form)
    other = market.claim(market.bot, "ISO42001", form=form)
    market.offer(NAME, None, human, other)
    assert market.ask(NAME).resolution.entry.attestations == ()
    for kind in (SOX, "ISO42001"):
        assert market.reasons(attestations=[kind]) == {NAME: "attestation-issuer"}


def test_an_altered_one_counts_for_nothing(market: Market) -> None:
    raw: Any = market.claim(market.bot, capabilities=["search"]).secured.raw
    subject = raw["credentialSubject"]
    altered = subject["attestation"] | {"capabilities": ["search", "delete"]}
    raw = raw | {"credentialSubject": subject | {"attestation": altered}}
    market.send(market.event(name=NAME), evidence=market.world.evidence(attestations=[raw]))
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-issuer"}


def test_an_agents_word_about_itself_is_told_as_such(market: Market) -> None:
    made = market.claim(market.bot)
    raw: Any = made.secured.raw
    raw = raw | {"issuer": market.bot.did}
    evidence = market.world.evidence(attestations=[raw])
    market.send(market.event(name=NAME), evidence=evidence)
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-issuer"}


def test_one_about_another_agent_is_as_if_it_had_not_come(market: Market) -> None:
    market.offer(NAME, None, market.claim(market.agent("other")))
    assert market.ask(NAME).resolution.entry.attestations == ()
    assert market.ask({"attestations": [SOX], "trace": True}).trace == ()
    assert market.reasons(capability="PaperQuery", attestations=[SOX]) == {NAME: "no-attestation"}


def test_it_counts_until_its_time_is_over(market: Market) -> None:
    made = market.claim(market.bot, valid_until=market.now + 3600)
    market.offer(NAME, None, made)
    market.world.now += 3599
    assert market.names(attestations=[SOX]) == [NAME]
    market.world.now += 1
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-expired"}


def test_a_revocation_is_seen_within_a_minute(market: Market) -> None:
    market.offer(NAME, None, market.claim(market.bot, index=3))
    assert market.names(attestations=[SOX]) == [NAME]
    market.withdrawn.add(6)
    market.world.now += REUSE_SECONDS + LIST_SECONDS
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-revoked"}
    assert market.ask(NAME).resolution.entry.attestations == ()
    market.withdrawn.clear()
    market.world.now += REUSE_SECONDS + LIST_SECONDS
    assert market.names(attestations=[SOX]) == [NAME]


def test_without_a_fresh_list_nothing_counts(market: Market) -> None:
    market.offer(NAME, None, market.claim(market.bot))
    assert market.names(attestations=[SOX]) == [NAME]
    market.silent.add(SOX_LIST)
    market.world.now += LIST_SECONDS
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-stale"}
    market.silent.clear()
    market.world.now += REUSE_SECONDS
    assert market.names(attestations=[SOX]) == [NAME]


def test_a_list_that_came_along_is_not_relied_on(market: Market) -> None:
    """Whoever registers chooses what comes along; what was fresh then is old now."""
    made = market.claim(market.bot, status=StatusEntry("https://nowhere.example/1", 0))
    listed = market.world.status_list(url="https://nowhere.example/1").secured.raw
    evidence = market.world.evidence(
        attestations=[made.secured.raw],
        status_lists=[market.world.status_list().secured.raw, listed],
    )
    market.send(market.event(name=NAME), evidence=evidence)
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-stale"}


def test_a_list_signed_by_another_is_none(market: Market) -> None:
    made = market.claim(
        market.bot, authority=market.auditor.did, authority_key=market.auditor.key.public
    )
    market.offer(NAME, None, made)
    assert market.reasons(attestations=[SOX])[NAME] != ""
    assert market.names(attestations=[SOX]) == []


def test_a_registry_without_lists_believes_no_attestation(market: Market) -> None:
    market.registry = market.open(lists=None)
    market.offer(NAME, None, market.claim(market.bot))
    assert market.reasons(attestations=[SOX]) == {NAME: "attestation-stale"}


def test_lists_are_asked_for_every_ten_seconds_at_most(market: Market) -> None:
    for minor in range(3):
        market.offer(f"mcp://A.B.AcmeLabs.v1.{minor}", None, market.claim(market.bot))
    market.names(attestations=[SOX])
    assert market.asked == [SOX_LIST]
    market.world.now += LIST_SECONDS
    market.names(attestations=[SOX], limit=9)
    assert market.asked == [SOX_LIST] * 2


def test_renewing_keeps_them_and_updating_replaces_them(market: Market) -> None:
    receipt = market.offer(NAME, None, market.claim(market.bot))
    receipt = market.offer(NAME, kind="renew", receipt=receipt)
    assert market.names(attestations=[SOX]) == [NAME]
    market.offer(NAME, kind="update", receipt=receipt)
    assert market.names(attestations=[SOX]) == []


def test_of_many_some_are_kept(market: Market) -> None:
    made = [
        market.claim(market.bot, id=market.world.id(f"a/{n}")) for n in range(MAX_ATTESTATIONS + 3)
    ]
    market.offer(NAME, None, *made, made[0])
    assert len(market.ask(NAME).resolution.entry.attestations) == MAX_ATTESTATIONS


def test_the_digest_shown_is_that_of_the_credential(market: Market) -> None:
    made = market.claim(market.bot)
    market.offer(NAME, None, made)
    (seen,) = market.ask(NAME).json["resolvedAgents"][0]["relevantVcSnippets"]
    assert seen["digestMultibase"] == digest(canonical(made.secured.raw))


def test_false_claims_keep_nobody_from_being_found(market: Market) -> None:
    honest = "mcp://Papers.Research.AcmeLabs.v1"
    market.offer(honest, None, market.claim(market.bot))
    liar = market.agent("liar")
    false = market.claim(liar, signer=market.ana, issuer=market.ana.did)
    for number in range(2, 32):
        market.offer(f"mcp://Papers.Research.AcmeLabs.v{number}", liar, false)
    with market.registry.store.transaction(reading=True) as db:
        found = [one.name for one in listing.Look(db, [f"claim:{SOX}"])]
        said = [one.name for one in listing.Look(db, [f"said:{SOX}"])]
    assert (len(found), len(said)) == (1, 30)
    assert market.names(attestations=[SOX]) == [honest]
    assert set(market.reasons(attestations=[SOX]).values()) == {"attestation-issuer"}


def test_whoever_is_accredited_later_is_believed_from_the_next_recheck_on(market: Market) -> None:
    market.offer(NAME, None, market.claim(market.bot))
    auditor = market.auditor
    del market.auditor  # nobody trusts it any more
    market.registry.recheck(market.now)
    market.world.now += 61
    assert market.names(attestations=[SOX]) == []
    market.auditor = auditor
    market.world.now += 61
    assert market.names(attestations=[SOX]) == []
    market.registry.recheck(market.now)
    market.world.now += 61
    assert market.names(attestations=[SOX]) == [NAME]
