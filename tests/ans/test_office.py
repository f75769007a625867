"""What an agent's sponsor and the organisation of its label may do to a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ans.naming import NAME, Naming
from delegant.ans.leaf import salted
from delegant.ans.signing import sign
from delegant.credentials import Evidence, PrivateKey
from refusal import refusal
from world import Party


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    return Naming(tmp_path / "registry.db", database=database)


def sender(naming: Naming, who: str) -> tuple[Party, Evidence | None]:
    if who == "sponsor":
        return naming.ana, naming.world.evidence()
    return naming.world.org, None


@pytest.mark.parametrize("who", ["sponsor", "organization"])
def test_sponsor_and_organisation_suspend_resume_and_revoke(naming: Naming, who: str) -> None:
    by, shown = sender(naming, who)
    receipt = naming.register()
    for kind, status in (
        ("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked"),
    ):  # fmt: skip
        naming.world.now += 1
        event = naming.office(kind, by, receipt, reason="audit")
        evidence = naming.world.evidence() if kind == "resume" else shown
        receipt = naming.say(event, evidence)
        leaf = naming.leaf(receipt)
        assert (leaf.type, leaf.by, leaf.agent) == (kind, who, naming.bot.did)
        assert leaf.chain is None
        assert leaf.sponsor == salted(receipt["opening"]["salt"], naming.ana.did)
        assert naming.state() == status
        assert naming.say(event, evidence)["leaf"] == receipt["leaf"]


@pytest.mark.parametrize("who", ["sponsor", "organization"])
def test_only_their_own_signature_counts(naming: Naming, who: str) -> None:
    by, shown = sender(naming, who)
    receipt = naming.register()
    event = naming.office("suspend", by, receipt)
    bare = {k: v for k, v in event.items() if k != "proof"}
    forged = sign(bare, PrivateKey.generate(), by.did, naming.now)
    assert refusal(lambda: naming.say(forged, shown)) == "holder-mismatch"
    assert refusal(lambda: naming.say(event | {"reason": "x"}, shown)) == "holder-mismatch"
    assert naming.say(event, shown)["leaf"]["by"] == who


def test_whoever_has_no_say_has_none(naming: Naming) -> None:
    receipt = naming.register()
    bea = naming.world.human("bea")
    for stranger in (bea, naming.agent("other"), naming.keeper, naming.bot):
        event = naming.office("suspend", stranger, receipt)
        told = refusal(lambda e=event: naming.say(e, naming.world.evidence()))
        assert told == "holder-mismatch"
    assert naming.say(naming.office("suspend", naming.world.org, receipt))["leaf"]["seq"] == 1


def test_a_sponsor_shows_to_be_a_live_human(naming: Naming) -> None:
    receipt = naming.register()
    event = naming.office("suspend", naming.ana, receipt)
    assert refusal(lambda: naming.say(event)) == "no-human-root"
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    assert refusal(lambda: naming.say(event, naming.world.evidence())) == "sponsor-gone"
    naming.world.revoked.clear()
    naming.registry = naming.open(fresh=lambda _did: naming.world.evidence())
    assert naming.say(event)["leaf"]["by"] == "sponsor"  # the registry had it at hand


@pytest.mark.parametrize("who", ["sponsor", "organization"])
def test_nobody_resumes_the_name_of_an_orphan(naming: Naming, who: str) -> None:
    by, shown = sender(naming, who)
    held = naming.say(naming.office("suspend", by, naming.register()), shown)
    event = naming.office("resume", by, held)
    assert naming.bot.identity is not None
    assert naming.bot.identity.status is not None
    naming.world.revoked.add(naming.bot.identity.status.index)
    assert refusal(lambda: naming.say(event, naming.world.evidence())) == "orphan-agent"
    naming.world.revoked.clear()
    assert naming.say(event, naming.world.evidence())["leaf"]["type"] == "resume"


@pytest.mark.parametrize("kind", ["register", "renew", "update", "transfer"])
def test_only_agents_send_the_other_events(naming: Naming, kind: str) -> None:
    first = naming.register()
    event = naming.event("register", name=NAME.replace("v1.0", "v2.0"))
    if kind == "transfer":
        event = naming.transfer(first, naming.agent("other"))
    elif kind != "register":
        event = naming.event(kind, receipt=first)
    assert refusal(lambda: naming.say(event)) == "shape"
    assert naming.send(event)["leaf"]["type"] == kind


def test_a_name_nobody_registered_is_not_suspended(naming: Naming) -> None:
    receipt = naming.register()
    unknown = naming.office("suspend", naming.world.org, receipt, name=NAME.replace("v1", "v9"))
    assert refusal(lambda: naming.say(unknown)) == "ans-not-found"
    assert naming.say(naming.office("suspend", naming.world.org, receipt))["leaf"]["seq"] == 1


def test_an_office_of_yesterday_is_refused(naming: Naming) -> None:
    receipt = naming.register()
    event = naming.office("suspend", naming.world.org, receipt)
    naming.world.now += 301
    assert refusal(lambda: naming.say(event)) == "invocation-expired"
    naming.world.now -= 1
    assert naming.say(event)["leaf"]["seq"] == 1


def test_stale_events_of_an_office_are_refused(naming: Naming) -> None:
    first = naming.register()
    renewed = naming.send(naming.event("renew", receipt=first))
    stale = naming.office("suspend", naming.world.org, first)
    assert refusal(lambda: naming.say(stale)) == "stale-version"
    assert naming.say(naming.office("suspend", naming.world.org, renewed))["leaf"]["seq"] == 2


def test_whoever_ranks_lower_does_not_resume(naming: Naming) -> None:
    held = naming.say(naming.office("suspend", naming.world.org, naming.register()))
    shown = naming.world.evidence()
    low = naming.office("resume", naming.ana, held)
    assert refusal(lambda: naming.say(low, shown)) == "ans-suspended"
    assert refusal(lambda: naming.send(naming.event("resume", receipt=held))) == "ans-suspended"
    lower = naming.office("suspend", naming.ana, held)
    assert refusal(lambda: naming.say(lower, shown)) == "ans-transition"
    naming.say(naming.office("resume", naming.world.org, held), shown)
    assert naming.state() == "active"


def test_a_higher_rank_takes_a_suspension_over(naming: Naming) -> None:
    receipt = naming.send(naming.event("suspend", receipt=naming.register()))
    receipt = naming.say(naming.office("suspend", naming.ana, receipt), naming.world.evidence())
    assert refusal(lambda: naming.send(naming.event("resume", receipt=receipt))) == "ans-suspended"
    receipt = naming.say(naming.office("suspend", naming.world.org, receipt))
    assert (
        refusal(
            lambda: naming.say(
                naming.office("resume", naming.ana, receipt), naming.world.evidence()
            )
        )
        == "ans-suspended"
    )
    # Revoking takes no rank: it takes nothing from anybody but the name.
    assert naming.send(naming.event("revoke", receipt=receipt))["leaf"]["type"] == "revoke"
    assert naming.state() == "revoked"
