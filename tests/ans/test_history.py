"""Histories: every event logged, one leading to the next, and no transfer that nobody signed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ans.ledger import NAME, Ledger
from delegant.ans import consent
from delegant.ans.history import MAX_HISTORY, Past, verify_history
from delegant.ans.signing import digest_of, sign
from delegant.credentials import PrivateKey, did
from delegant.credentials.codec import JsonObject
from refusal import refusal
from world import Party

OTHER = NAME.replace("main", "other")
Items = list[JsonObject]


@pytest.fixture
def ledger() -> Ledger:
    """Registered, suspended by the sponsor, resumed, transferred, and revoked by the heir."""
    made = Ledger()
    made.fill(2)
    made.register()
    made.fill()
    made.add(made.event("suspend", by=made.ana), by="sponsor")
    made.add(made.event("resume", by=made.ana), by="sponsor")
    heir = made.agent("heir")
    made.add(made.event("transfer", to=heir))
    made.add(made.event("revoke", agent=heir, reason="retired"))
    return made


def told(ledger: Ledger, items: Any = None, name: str = NAME) -> tuple[Past, ...]:
    return verify_history(ledger.history() if items is None else items, ledger.trust, name)


def code_of(ledger: Ledger, items: Any) -> str:
    return refusal(lambda: told(ledger, items))


def test_a_history_says_whose_the_name_was_and_what_it_is(ledger: Ledger) -> None:
    past = told(ledger)
    heir = ledger.agent("heir").did
    kinds = ["register", "suspend", "resume", "transfer", "revoke"]
    assert [one.leaf.type for one in past] == kinds
    assert [one.standing.agent for one in past] == [ledger.bot.did] * 3 + [heir] * 2
    assert [one.standing.epoch for one in past] == [0, 0, 0, 1, 1]
    assert [one.standing.state(False) for one in past] == [
        "active", "suspended", "active", "active", "revoked",
    ]  # fmt: skip
    assert [one.logged.index for one in past] == [2, 4, 5, 6, 7]
    assert all(one.signed for one in past)
    assert past[-1].event["reason"] == "retired"


MOVED: list[tuple[str, Callable[[Items], object], str]] = [
    ("as it is", lambda items: items, ""),
    ("cut short", lambda items: items[:-1], ""),  # that it is the newest is another's word
    ("nothing", lambda _: [], "ans-signature"),
    ("no list", lambda items: items[0], "ans-signature"),
    ("without its first", lambda items: items[1:], "log-entry"),
    ("without one within", lambda items: [*items[:2], *items[3:]], "log-entry"),
    ("one twice", lambda items: [*items, items[-1]], "log-entry"),
    ("backwards", lambda items: items[::-1], "log-entry"),
    ("two exchanged", lambda items: [items[0], items[2], items[1], *items[3:]], "log-entry"),
    ("too much of it", lambda items: items * MAX_HISTORY, "limit-items"),
    ("a receipt of another", lambda items: [items[0] | {"receipt": items[1]["receipt"]}],
     "ans-signature"),
    ("an event of another", lambda items: [items[0] | {"event": items[1]["event"]}],
     "ans-signature"),
    ("without receipt", lambda items: [{"event": items[0]["event"]}], "shape"),
    ("with more", lambda items: [items[0] | {"note": "x"}], "unknown-member"),
    ("something else", lambda _: [7], "shape"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), [one[1:] for one in MOVED], ids=[m[0] for m in MOVED])
def test_events_stand_in_their_order_and_none_is_missing(
    ledger: Ledger, change: Callable[[Items], object], code: str
) -> None:
    assert code_of(ledger, change(ledger.history())) == code


def test_a_history_is_of_the_name_that_was_asked_for(ledger: Ledger) -> None:
    ledger.register(OTHER)
    assert refusal(lambda: told(ledger, ledger.history(OTHER))) == "ans-signature"
    assert told(ledger, ledger.history(OTHER), OTHER)[0].leaf.seq == 0
    assert told(ledger, name=NAME.replace("DataCorp", "datacorp"))[0].leaf.seq == 0


def test_an_event_that_was_altered_is_not_the_one_in_the_log(ledger: Ledger) -> None:
    for at, path, new in (
        (4, ("reason",), "stolen"),
        (0, ("record", "ttl"), 1),
        (3, ("proof", 0, "created"), "2026-09-21T14:13:21Z"),
    ):
        items = ledger.history()
        items[at] = copy.deepcopy(items[at])
        holder: Any = items[at]["event"]
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = new
        assert code_of(ledger, items) == "ans-signature", path


def test_a_receipt_shown_to_others_opens_nothing(ledger: Ledger) -> None:
    items = ledger.history()
    items[0]["receipt"]["opening"] = {"salt": "A" * 22}
    assert code_of(ledger, items) == "ans-signature"


# --- what no registry may log ----------------------------------------------------------------


def fresh(**leaf: Any) -> Ledger:
    made = Ledger()
    made.add(made.event(), **leaf)
    return made


def test_a_log_that_says_something_else_than_its_event_is_refused() -> None:
    made = fresh()
    assert code_of(made, made.history()) == ""
    stranger = did.from_key(PrivateKey.generate().public)
    lies: list[dict[str, Any]] = [
        {"agent": stranger},
        {"name": OTHER},
        {"registry": stranger},
        {"record": digest_of({})},
    ]
    for lie in lies:
        made = fresh(**lie)
        assert code_of(made, made.history()) == "ans-signature", lie
    later: list[tuple[str, dict[str, Any]]] = [
        ("renew", {"type": "update"}),
        ("renew", {"seq": 2}),
        ("renew", {"previous": digest_of({})}),
        ("transfer", {"from": stranger}),
        ("transfer", {"agent": stranger}),
    ]
    for kind, lie in later:
        made = fresh()
        to = made.agent("heir") if kind == "transfer" else None
        made.add(made.event(kind, to=to), **lie)
        assert code_of(made, made.history()) == "ans-signature", lie


def test_an_event_for_another_registry_or_name_is_not_this_ones() -> None:
    made = Ledger()
    elsewhere = Ledger(made.world, "another")
    made.add(elsewhere.event())
    assert code_of(made, made.history()) == "ans-signature"
    made = Ledger()
    made.add(made.event(name=OTHER), name=NAME)
    (item,) = made.history(OTHER)
    assert code_of(made, [item]) == "ans-signature"


def test_events_stand_in_the_log_as_they_followed() -> None:
    made = fresh()
    renewal = made.event("renew")
    made.add(renewal)
    (first, one), (second, two) = made.past[NAME.lower()]
    made.leaves[one], made.leaves[two] = made.leaves[two], made.leaves[one]
    turned = [(first, two), (second, one)]
    made.past[NAME.lower()] = turned
    assert code_of(made, made.history()) == "log-entry"


def test_enough_witnesses_must_have_cosigned_every_event() -> None:
    made = fresh()
    made.witness("w.example/one")
    items = made.history()
    made.witness("w.example/two")
    made.quorum = 2
    assert code_of(made, items) == "log-witness"
    assert code_of(made, made.history()) == ""


def test_the_key_of_a_did_web_is_the_one_that_was_logged_before() -> None:
    """Suspending brings no record, so no key: it is held to the key of the registration."""
    for stolen, code in ((False, ""), (True, "ans-signature")):
        made = Ledger()
        own = made.world.parties["bot"]
        web = Party("web", own.key, "did:web:agents.acme.example:bot", identity=own.identity)
        record = {name: value for name, value in made.record(own).items() if name != "proof"}
        record |= {"agent": web.did, "key": web.key.public.multikey}
        made.add(made.event(agent=web, record=sign(record, web.key, web.did, made.now)))
        thief = Party("thief", PrivateKey.generate(), web.did)
        made.add(made.event("suspend", agent=web, by=thief if stolen else web))
        assert code_of(made, made.history()) == code
        if not stolen:
            assert [one.signed for one in told(made)] == [True, True]


def test_ranks_that_are_not_the_signers_are_refused() -> None:
    for by, rank, code in (
        ("ana", "sponsor", ""),
        ("ana", "organization", ""),
        ("ana", "agent", "ans-signature"),
        ("ana", "registry", "ans-signature"),
        ("bot", "agent", ""),
        ("bot", "sponsor", "ans-signature"),
    ):
        made = fresh()
        made.add(made.event("suspend", by=made.world.parties[by], agent=made.bot), by=rank)
        # the agent is the bot's whoever signs
        assert code_of(made, made.history()) == code, (by, rank)


def test_an_event_that_the_table_does_not_allow_is_no_history() -> None:
    made = fresh()
    made.add(made.event("resume"))
    assert code_of(made, made.history()) == "log-entry"
    made = fresh()
    made.add(made.event("revoke"))
    made.add(made.event("renew"))
    assert code_of(made, made.history()[:2]) == ""
    assert code_of(made, made.history()) == "log-entry"


def test_transfers_are_counted() -> None:
    made = fresh()
    made.add(made.event("renew"), epoch=1)
    assert code_of(made, made.history()) == "log-entry"
    made = fresh()
    made.add(made.event("renew"), epoch=0)
    assert code_of(made, made.history()) == ""


def test_time_never_goes_backwards() -> None:
    for seconds, code in ((0, ""), (-1, "log-entry")):
        made = fresh()
        made.world.now += seconds
        made.add(made.event("renew"))
        assert code_of(made, made.history()) == code


# --- who signed ------------------------------------------------------------------------------


def forged(event: JsonObject, by: str) -> JsonObject:
    """The event with a proof that is somebody else's and says it is by ``by``."""
    unsigned = {member: value for member, value in event.items() if member != "proof"}
    mallory = PrivateKey.generate()
    out = sign(unsigned, mallory, did.from_key(mallory.public), 1_790_000_000)
    out["proof"]["verificationMethod"] = by
    return out


def test_an_event_that_its_signer_did_not_sign_is_refused_though_it_was_logged() -> None:
    for who in ("bot", "ana"):
        made = fresh()
        signer = made.world.parties[who]
        event = made.event("suspend", by=signer, agent=made.bot)
        made.add(forged(event, did.vm_of(did.check(signer.did))),
                 by="agent" if who == "bot" else "sponsor")  # fmt: skip
        assert code_of(made, made.history()) == "ans-signature"


def test_whose_key_is_not_known_stands_in_the_registrys_word() -> None:
    made = fresh()
    office = Party("office", PrivateKey.generate(), "did:web:acme.example")
    made.add(made.event("suspend", by=office, agent=made.bot), by="organization")
    past = told(made)
    assert [one.signed for one in past] == [True, False]
    trust = made.trust
    known = type(trust)(
        trust.id, trust.keys, trust.log, organizations={office.did: (office.key.public,)}
    )
    assert verify_history(made.history(), known, NAME)[-1].signed
    other = type(trust)(trust.id, trust.keys, trust.log,
                        organizations={office.did: (made.ana.key.public,)})  # fmt: skip
    assert refusal(lambda: verify_history(made.history(), other, NAME)) == "ans-signature"


def test_the_registry_itself_suspends_with_its_own_key() -> None:
    for key, code in ((None, ""), (PrivateKey.generate(), "ans-signature")):
        made = fresh()
        keeper = Party("keeper", made.key, made.did)
        event = made.event("suspend", by=keeper, agent=made.bot, reason="sponsor-gone")
        if key is not None:
            event = forged(event, did.vm_of(did.check(made.did)))
        made.add(event, by="registry")
        assert code_of(made, made.history()) == code
        if not code:
            assert told(made)[-1].signed


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_transfer_that_one_of_three_did_not_sign_is_refused(at: int) -> None:
    made = fresh()
    heir = made.agent("heir")
    event = made.event("transfer", to=heir)
    signers = (made.bot, heir, made.world.org)
    wrong = copy.deepcopy(event)
    wrong["proof"][at] = forged(event, did.vm_of(did.check(signers[at].did)))["proof"]
    made.add(wrong)
    assert code_of(made, made.history()) == "ans-consent"
    made = fresh()
    made.agent("heir")
    made.add(made.event("transfer", to=made.agent("heir")))
    assert code_of(made, made.history()) == ""


def test_a_transfer_has_three_proofs_in_their_order() -> None:
    def without(event: JsonObject) -> None:
        event["proof"].pop()

    def one(event: JsonObject) -> None:
        event["proof"] = event["proof"][0]

    def turned(event: JsonObject) -> None:
        event["proof"][:2] = event["proof"][1::-1]

    def more(event: JsonObject) -> None:
        event["proof"].append(event["proof"][0])

    def junk(event: JsonObject) -> None:
        event["proof"][2] = 7

    for change in (without, one, turned, more, junk):
        made = fresh()
        event = made.event("transfer", to=made.agent("heir"))
        change(event)
        made.add(event)
        assert code_of(made, made.history()) == "ans-consent", change.__name__


def test_the_old_agent_of_a_transfer_is_the_one_before(ledger: Ledger) -> None:
    """A name cannot be handed over by somebody who does not have it."""
    made = fresh()
    thief, heir = made.agent("thief"), made.agent("heir")
    made.add(made.event("transfer", agent=thief, to=heir))
    assert code_of(made, made.history()) == "log-entry"
    assert ledger.agent("heir").did == told(ledger)[-1].standing.agent


def test_the_consent_of_an_organisation_nobody_knows_is_the_registrys_word() -> None:
    made = fresh()
    heir = made.agent("heir")
    event = made.event("transfer", to=heir)
    event["proof"].pop()
    event = consent(event, PrivateKey.generate(), "did:web:acme.example", at=made.now)
    made.add(event)
    assert not told(made)[-1].signed
