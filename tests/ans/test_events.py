"""Every event an agent sends about its own name; each refusal beside its accepted twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, Naming, later
from delegant.ans.holder import new_event
from delegant.ans.leaf import salted
from delegant.ans.signing import sign
from delegant.credentials import PrivateKey
from refusal import refusal
from world import Party


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def test_an_agent_takes_its_name_through_its_life(naming: Naming) -> None:
    receipt = naming.register()
    for seq, (kind, status) in enumerate(
        [("renew", "active"), ("update", "active"), ("suspend", "suspended"), ("resume", "active"),
         ("suspend", "suspended"), ("revoke", "revoked")], 1
    ):  # fmt: skip
        naming.world.now += 1
        event = naming.event(kind, receipt=receipt)
        receipt = naming.send(event)
        leaf = naming.leaf(receipt)
        assert (leaf.type, leaf.seq, leaf.epoch, leaf.by) == (kind, seq, 0, "agent")
        assert leaf.time == naming.now
        assert naming.state() == status
    history = naming.registry.history(NAME)
    assert [one["receipt"]["leaf"]["seq"] for one in history] == list(range(7))
    assert [one["event"]["type"] for one in history][-1] == "revoke"
    assert naming.registry.history(NAME, start=5, limit=1) == history[5:6]


def test_an_update_changes_what_the_name_stands_for(naming: Naming) -> None:
    first = naming.register()
    record = naming.record(
        capabilities=["paper.query"], aliases=["ans://v1.0.0.papers.example"],
        extensions={"mcp": {"transport": "streamable-http"}},
        successor=NAME.replace("v1.0", "v2.0"),
    )  # fmt: skip
    receipt = naming.send(naming.event("update", receipt=first, record=record))
    assert receipt["leaf"]["record"] != first["leaf"]["record"]
    assert naming.registry.record(receipt["leaf"]["record"]) == record
    old = naming.registry.record(first["leaf"]["record"])
    assert "capabilities" not in old  # what was said once can still be read
    assert naming.registry.event(receipt["leaf"]["event"])["record"] == record
    assert refusal(lambda: naming.registry.record(receipt["leaf"]["event"])) == "not-found"


@pytest.mark.parametrize(
    ("member", "value"),
    [("aliases", ["https://x"]), ("aliases", []), ("successor", NAME), ("successor", "mcp://x"),
     ("protocolExtensions", {"mcp": []}), ("protocolExtensions", {}),
     ("protocolExtensions", {"mcp": {"x": "y" * 5000}}), ("unheard", 1), ("key", "z6Mk")],
)  # fmt: skip
def test_what_a_record_may_not_say(naming: Naming, member: str, value: Any) -> None:
    record = {k: v for k, v in naming.record().items() if k != "proof"} | {member: value}
    signed = sign(record, naming.bot.key, naming.bot.did, naming.now)
    told = refusal(lambda: naming.send(naming.event(record=signed)))
    assert told in {"shape", "empty-array", "ans-name", "limit-size", "unknown-member"}
    assert naming.register()["leaf"]["seq"] == 0


def test_people_stand_in_the_log_as_salted_digests_alone(naming: Naming) -> None:
    receipt = naming.register()
    leaf, opening = naming.leaf(receipt), receipt["opening"]
    assert leaf.sponsor == salted(opening["salt"], naming.ana.did)
    assert leaf.chain == salted(opening["salt"], opening["chain"])
    again = naming.register(name=NAME.replace("v1.0", "v2.0"))
    assert again["leaf"]["sponsor"] != receipt["leaf"]["sponsor"]  # a salt for each entry
    for entry in (receipt, again):
        told = refusal(lambda e=entry: naming.logged(e | {"opening": opening}))
        assert told == ("" if entry is receipt else "ans-signature")


def test_a_suspended_name_is_neither_renewed_updated_nor_transferred(naming: Naming) -> None:
    other = naming.agent("other")
    held = naming.send(naming.event("suspend", receipt=naming.register()))
    for kind in ("renew", "update"):
        assert refusal(lambda k=kind: naming.send(naming.event(k, receipt=held))) == (
            "ans-transition"
        )
    assert refusal(lambda: naming.send(naming.transfer(held, other))) == "ans-transition"
    resumed = naming.send(naming.event("resume", receipt=held, record=naming.record()))
    assert resumed["leaf"]["record"]
    assert naming.send(naming.event("update", receipt=resumed))["leaf"]["seq"] == 3


def test_a_suspended_name_that_expired_is_renewed_and_stays_suspended(naming: Naming) -> None:
    first = naming.send(naming.event(record=naming.record(seconds=3600)))
    held = naming.send(naming.event("suspend", receipt=first))
    later(naming, 3600)
    assert naming.state() == "expired"
    assert refusal(lambda: naming.send(naming.event("resume", receipt=held))) == "ans-gone"
    renewed = naming.send(naming.event("renew", receipt=held))
    assert naming.state() == "suspended"
    naming.send(naming.event("resume", receipt=renewed))
    assert naming.state() == "active"


def test_an_expired_name_is_renewed_or_revoked_and_nothing_else(naming: Naming) -> None:
    first = naming.send(naming.event(record=naming.record(seconds=3600)))
    later(naming, 3600)
    other = naming.agent("other")
    for kind in ("update", "suspend", "resume"):
        assert refusal(lambda k=kind: naming.send(naming.event(k, receipt=first))) == "ans-gone"
    assert refusal(lambda: naming.send(naming.transfer(first, other))) == "ans-gone"
    assert naming.send(naming.event("revoke", receipt=first))["leaf"]["type"] == "revoke"


def test_a_renewal_judges_the_sponsorship_again(naming: Naming) -> None:
    first = naming.register()
    assert naming.ana.lease is not None
    naming.world.revoked.add(naming.ana.lease.start - 2)
    for kind in ("renew", "update", "resume", "suspend"):
        assert refusal(lambda k=kind: naming.send(naming.event(k, receipt=first))) == (
            "orphan-agent"
        )
    naming.world.revoked.clear()
    assert naming.send(naming.event("renew", receipt=first))["leaf"]["seq"] == 1


# --- agents whose DID is not their key ------------------------------------------------------


def web_agent(
    naming: Naming, name: str = "webbot", key: PrivateKey | None = None, **more: Any
) -> Party:
    key = key or naming.world._key(name)
    naming.world.parties[name] = party = Party(name, key, f"did:web:acme.example:agents:{name}")
    from delegant.credentials import issue_agent_identity

    template = naming.agent(f"{name}-template")
    assert template.identity is not None
    block = dict(template.identity.secured.document["credentialSubject"]["agentIdentity"])
    party.sponsor = naming.ana
    party.identity = issue_agent_identity(
        naming.ana.key, issuer=naming.ana.did, agent=party.did,
        identity=block | {"key": key.public.multikey} | more,
        status=naming.world.entry(naming.ana), valid_from=naming.now,
        valid_until=naming.now + 30 * 86_400, form="di", id=naming.world.id(f"identity/{name}"),
    )  # fmt: skip
    return party


def test_an_agent_of_did_web_registers_with_its_pinned_key(naming: Naming) -> None:
    bot = web_agent(naming)
    links = naming.grant(bot, subject_key=bot.key.public)
    event = naming.event(bot=bot)
    receipt = naming.send(event, bot, links=links)
    leaf = naming.leaf(receipt)
    assert (leaf.agent, leaf.key) == (bot.did, bot.key.public)
    assert naming.agent_of() == bot.did
    held = naming.send(naming.event("suspend", bot, receipt=receipt), bot, links=links)
    assert naming.leaf(held).key == bot.key.public
    forged = naming.event("resume", bot, receipt=held)
    bare = {k: v for k, v in forged.items() if k != "proof"}
    wrong = sign(bare, PrivateKey.generate(), bot.did, naming.now)
    assert refusal(lambda: naming.send(wrong, bot, links=links)) == "holder-mismatch"
    assert naming.send(forged, bot, links=links)["leaf"]["seq"] == 2


def test_a_record_s_key_is_the_one_the_identity_pins(naming: Naming) -> None:
    bot = web_agent(naming)
    links = naming.grant(bot, subject_key=bot.key.public)
    thief = PrivateKey.generate()
    record = {k: v for k, v in naming.record(bot).items() if k != "proof"}
    own = sign(record | {"key": thief.public.multikey}, thief, bot.did, naming.now)
    event = new_event(bot.key, bot.did, naming.did, NAME, "register", at=naming.now, record=own)
    assert refusal(lambda: naming.send(event, bot, links=links)) == "did-key-mismatch"
    bare = sign({k: v for k, v in record.items() if k != "key"}, bot.key, bot.did, naming.now)
    event = new_event(bot.key, bot.did, naming.did, NAME, "register", at=naming.now, record=bare)
    assert refusal(lambda: naming.send(event, bot, links=links)) == "shape"
    assert naming.send(naming.event(bot=bot), bot, links=links)["leaf"]["seq"] == 0
