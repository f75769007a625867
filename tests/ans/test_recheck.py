"""Sponsors are judged again, and the names of the orphaned suspended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ans.naming import NAME, Naming
from delegant.ans.tables import NAMES
from delegant.credentials import Evidence, Seen
from delegant.credentials.errors import error
from refusal import refusal

DAY = 86_400


class Fresh:
    """What the registry finds when it asks for evidence; ``None`` is nothing at all."""

    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.told: Any = "all"
        self.asked: list[str] = []

    def __call__(self, did: str) -> Evidence | None:
        self.asked.append(did)
        if self.told == "raise":
            raise error("unavailable", "no answer")
        if self.told is None or isinstance(self.told, Evidence):
            return self.told
        return self.naming.world.evidence()


class Watched(Naming):
    """A registry that asks for evidence, and remembers what it met."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.fresh = Fresh(self)
        self.seen: list[Seen] = []


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Watched:
    """NAME is registered."""
    out = Watched(tmp_path / "registry.db", database=database)
    out.register()
    out.registry = out.open(fresh=out.fresh, remember=out.seen.append)
    return out


def recheck(naming: Watched) -> list[tuple[str, str]]:
    return [(one["name"], one["reason"]) for one in naming.registry.recheck(naming.now)]


def orphaned(naming: Watched, reason: str) -> None:
    """Exactly NAME is suspended, by a logged event that the registry signed and gives a reason."""
    assert recheck(naming) == [(NAME.lower(), reason)]
    assert naming.state() == "suspended"
    last = naming.registry.history(NAME)[-1]
    leaf = naming.leaf(last["receipt"])
    assert (leaf.type, leaf.by, leaf.seq) == ("suspend", "registry", 1)
    assert (last["event"]["by"], last["event"]["reason"]) == (naming.did, reason)
    assert recheck(naming) == []  # once is enough


def test_a_name_whose_sponsor_lives_stays(naming: Watched) -> None:
    assert recheck(naming) == []
    assert naming.state() == "active"
    assert naming.seen[-1].revision == {naming.ana.did: 1}
    for _ in range(3):
        naming.world.now += DAY // 2
        naming.world.attest(naming.ana)
        assert recheck(naming) == []
    assert naming.state() == "active"


def test_a_revoked_sponsor_suspends(naming: Watched) -> None:
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    orphaned(naming, "sponsor-gone")


def test_a_suspended_sponsor_suspends(naming: Watched) -> None:
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 1)
    orphaned(naming, "sponsor-gone")


@pytest.mark.parametrize(("bit", "reason"), [(0, "identity-revoked"), (1, "identity-suspended")])
def test_a_revoked_or_suspended_identity_suspends(naming: Watched, bit: int, reason: str) -> None:
    assert naming.bot.identity is not None
    assert naming.bot.identity.status is not None
    naming.world.revoked.add(naming.bot.identity.status.index + bit)
    orphaned(naming, reason)


def test_an_identity_that_ended_early_suspends(naming: Watched) -> None:
    block = dict(naming.bot.identity.secured.document["credentialSubject"]["agentIdentity"])  # type: ignore[union-attr]
    naming.world.now += 10
    naming.agent("research", valid_until=naming.now + 60, block=block)
    assert recheck(naming) == []
    naming.world.now += 60
    orphaned(naming, "identity-expired")


def test_a_feed_that_names_the_sponsor_suspends(naming: Watched) -> None:
    feed = naming.world.feed(naming.world.kills("sponsor", naming.ana.did))
    naming.fresh.told = naming.world.evidence(feeds=[feed.secured.raw])
    orphaned(naming, "sponsor-gone")


UNKNOWN: dict[str, Any] = {
    "nothing at hand": lambda _n: None,
    "no answer": lambda _n: "raise",
    "empty": lambda _n: Evidence(),
    "no list": lambda n: n.world.evidence(status_lists=[]),
    "no sponsor": lambda n: n.world.evidence(sponsors=[]),
    "no identity": lambda n: n.world.evidence(identities=[]),
    "an old list": lambda n: n.world.evidence(
        status_lists=[n.world.status_list(valid_from=n.now - 3000).secured.raw]
    ),
    "a list that others signed": lambda n: n.world.evidence(
        status_lists=[n.world.status_list(signer=n.keeper, authority=n.keeper.did).secured.raw]
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_unknown_is_waited_for_until_the_sponsor_credential_ends(
    naming: Watched, case: str
) -> None:
    naming.world.now += DAY - 1  # the credential that was judged ends in a second
    naming.fresh.told = UNKNOWN[case](naming)
    assert recheck(naming) == []
    assert naming.state() == "active"
    naming.world.now += 1
    naming.fresh.told = UNKNOWN[case](naming)
    orphaned(naming, "sponsor-unknown")


def test_without_any_source_of_evidence_a_name_lasts_a_day(naming: Watched) -> None:
    naming.registry = naming.open()
    naming.world.now += DAY - 1
    assert recheck(naming) == []
    naming.world.now += 1
    orphaned(naming, "sponsor-unknown")


def test_the_agent_does_not_resume_what_the_registry_suspended(naming: Watched) -> None:
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    orphaned(naming, "sponsor-gone")
    assert refusal(lambda: naming.registry.resume(NAME, naming.now)) == "orphan-agent"
    naming.world.revoked.clear()
    held = naming.registry.history(NAME)[-1]["receipt"]
    assert refusal(lambda: naming.send(naming.event("resume", receipt=held))) == "ans-suspended"
    by_owner = naming.office("resume", naming.world.org, held)
    assert refusal(lambda: naming.say(by_owner, naming.world.evidence())) == "ans-suspended"
    assert recheck(naming) == []  # nothing is resumed by itself
    assert naming.state() == "suspended"
    receipt = naming.registry.resume(NAME, naming.now, "a new sponsor credential")
    assert naming.leaf(receipt).by == "registry"
    assert naming.state() == "active"
    assert refusal(lambda: naming.registry.resume(NAME, naming.now)) == "ans-transition"


def test_names_that_are_not_active_are_left_alone(naming: Watched) -> None:
    held = NAME.replace("v1.0", "v2.0")
    gone = NAME.replace("v1.0", "v3.0")
    naming.send(naming.event("suspend", name=held, receipt=naming.register(name=held)))
    naming.send(naming.event("revoke", name=gone, receipt=naming.register(name=gone)))
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    orphaned(naming, "sponsor-gone")
    assert len(naming.registry.history(held)) == len(naming.registry.history(gone)) == 2


def test_every_name_is_met_however_many_there_are(
    naming: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delegant.ans.rechecking.PAGE", 3)
    names = [NAME] + [NAME.replace("v1.0", f"v2.{n}") for n in range(7)]
    for name in names[1:]:
        naming.register(name=name)
    naming.fresh.asked.clear()
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    assert sorted(name for name, _ in recheck(naming)) == sorted(name.lower() for name in names)
    assert naming.fresh.asked == [naming.bot.did]


def test_one_s_orphans_are_not_another_s(naming: Watched) -> None:
    bea = naming.world.human("bea")
    bot = naming.agent("beas", bea)
    other = NAME.replace("v1.0", "v2.0")
    links = [naming.world.delegate(bea, bot, [f"ans.* {naming.did}"], remaining=0)]
    naming.send(naming.event("register", bot, other), bot, links=links)
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    orphaned(naming, "sponsor-gone")
    assert naming.state(other) == "active"


def test_what_a_recheck_relied_on_is_remembered(naming: Watched) -> None:
    recheck(naming)
    seen = naming.seen[-1]
    assert isinstance(seen, Seen)
    assert list(seen.lists.values()) == [naming.now]


def test_a_damaged_name_does_not_keep_the_orphans_behind_it(naming: Watched) -> None:
    first = NAME.replace("PaperQuery", "Aardvark")
    naming.register(name=first)
    with naming.registry.store.transaction() as db:
        db.execute(update(NAMES).where(NAMES.c.key == first.lower()).values(epoch=7))
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    assert refusal(lambda: recheck(naming)) == "unavailable"  # told, once the others are done
    assert naming.state() == "suspended"


def test_who_is_vouched_for_as_before_is_not_written_again(
    naming: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming.register(name=NAME.replace("v1.0", "v2.0"))
    changes: list[int] = []
    kept = naming.registry.store.vouch

    def counted(db: Any, agent: str, until: int) -> None:
        changes.append(until)
        kept(db, agent, until)

    monkeypatch.setattr(naming.registry.store, "vouch", counted)
    assert recheck(naming) == []
    assert changes == []
    naming.world.now += 3600
    naming.world.attest(naming.ana, revision=2)
    assert recheck(naming) == []
    assert len(changes) == 1


def test_only_agents_it_may_know_of_are_asked_about_while_others_are_vouched_for(
    naming: Watched,
) -> None:
    other = naming.agent("other")
    naming.register(other, NAME.replace("v1.0", "v2.0"))
    naming.register()
    naming.fresh.told = None
    known: list[str] = [naming.bot.did]
    naming.registry = naming.open(fresh=naming.fresh, known=lambda: known)
    naming.fresh.asked.clear()
    assert recheck(naming) == []
    assert naming.fresh.asked == [naming.bot.did]
    naming.world.now += 86_400  # nobody was heard of for a day
    naming.fresh.asked.clear()
    assert {reason for _, reason in recheck(naming)} == {"sponsor-unknown"}
    assert sorted(naming.fresh.asked) == sorted([naming.bot.did, other.did])


def test_a_long_walk_suspends_as_of_now(naming: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    naming.register()
    began, walked = naming.now, [0.0]
    monkeypatch.setattr("delegant.ans.rechecking.time.monotonic", lambda: walked[0])
    told = naming.fresh.told = None

    def slow(_name: str) -> None:
        walked[0] = 90.0  # meanwhile others write
        naming.world.now += 90
        naming.world.attest(naming.ana, revision=2)
        naming.registry.bind_provider("Other", naming.world.org.did, naming.now)

    del told
    naming.registry = naming.open(fresh=slow)
    at = began + 86_400
    naming.world.now = at
    assert [one["reason"] for one in naming.registry.recheck(at)] == ["sponsor-unknown"]
