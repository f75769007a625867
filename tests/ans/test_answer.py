"""Answers: believed for their signatures and proofs, their time, and being about what was asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ans.ledger import ENDPOINT, NAME, ORIGIN, OTHER, Ledger, code_of, text, verified
from delegant.ans import RegistryTrust
from delegant.ans.log.note import NoteSigner
from delegant.ans.name import AnsName
from delegant.ans.query import Query
from delegant.ans.signing import digest_of, sign
from delegant.credentials import Error, Peer, PrivateKey, did, shape
from refusal import refusal
from world import Party


@pytest.fixture
def ledger() -> Ledger:
    """A name at place 3 of six."""
    made = Ledger()
    made.fill(3)
    made.register()
    made.fill(2)
    return made


def test_an_answer_says_who_the_agent_is_and_who_answers_for_it(ledger: Ledger) -> None:
    found = verified(ledger, ledger.answer()).resolution
    assert (found.name, found.did, found.endpoint) == (NAME, ledger.bot.did, ENDPOINT)
    assert found.endpoints == {"mcp": ENDPOINT}
    assert (found.sponsor, found.organization) == (ledger.ana.did, ledger.world.org.did)
    assert (found.epoch, found.seq, found.valid_until) == (0, 0, ledger.now + 60)
    assert (found.logged.index, found.logged.size) == (3, ledger.size)


def test_the_jws_form_says_the_same(ledger: Ledger) -> None:
    answer = ledger.answer()
    assert verified(ledger, ledger.jws(answer)).json == answer
    assert code_of(ledger, ledger.jws(answer, PrivateKey.generate())) == "ans-signature"
    token = ledger.jws(answer)
    for at in (5, len(token) // 2, len(token) - 3):
        altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert code_of(ledger, altered) != ""
    assert code_of(ledger, "a.b") != ""


def test_an_answer_is_good_for_a_minute(ledger: Ledger) -> None:
    answer = ledger.answer()
    assert code_of(ledger, answer, at=ledger.now + 59) == ""
    assert code_of(ledger, answer, at=ledger.now + 60) == "ans-stale"
    assert code_of(ledger, answer, at=ledger.now - 30) == ""
    assert code_of(ledger, answer, at=ledger.now - 31) == "ans-stale"


def test_a_token_good_for_longer_than_a_minute_is_none(ledger: Ledger) -> None:
    later = shape.format_time(ledger.now + 61)
    assert code_of(ledger, ledger.answer(validUntil=later)) == "shape"
    assert code_of(ledger, ledger.answer(validUntil=shape.format_time(ledger.now))) == "shape"
    assert code_of(ledger, ledger.answer(validUntil=shape.format_time(ledger.now + 1))) == ""


def test_an_answer_to_another_question_is_refused(ledger: Ledger) -> None:
    ledger.register(OTHER)
    other = ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
    assert code_of(ledger, other, OTHER) == ""
    assert code_of(ledger, other) == "ans-signature"
    assert code_of(ledger, other | {"query": {"name": NAME.lower()}}) == "ans-signature"
    # signed as an answer to what was asked, and about another agent
    swapped = ledger.answer(Query.exact(NAME), [ledger.entry(OTHER)])
    assert code_of(ledger, swapped) == "ans-signature"


def test_who_trusts_no_log_believes_nothing(ledger: Ledger) -> None:
    keys = (ledger.key.public,)
    assert refusal(lambda: RegistryTrust.of(ledger.did, Peer(keys))) == "key-unresolved"
    trust = RegistryTrust.of(ledger.did, Peer(keys, log=ledger.signer.key.vkey))
    assert trust == ledger.trust


def test_an_entry_of_another_registry_is_refused_though_this_log_holds_it(
    ledger: Ledger,
) -> None:
    foreign = did.from_key(PrivateKey.generate().public)
    for registry, code in ((foreign, "ans-signature"), (ledger.did, "")):
        ledger.past.pop(AnsName.parse(OTHER).key, None)
        ledger.add(ledger.event("register", OTHER), registry=registry)
        value = ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
        assert code_of(ledger, value, OTHER) == code


def test_an_answer_of_another_registry_is_refused(ledger: Ledger) -> None:
    other = Ledger(ledger.world, "another")
    other.fill(3)
    other.register()
    assert code_of(other, other.answer()) == ""
    assert code_of(ledger, other.answer()) == "ans-signature"


def test_what_the_log_key_did_not_sign_is_not_logged(ledger: Ledger) -> None:
    answer = ledger.answer()
    stranger = NoteSigner(ORIGIN, PrivateKey.generate())
    answer["resolvedAgents"][0]["receipt"]["checkpoint"] = ledger.checkpoint(signer=stranger)
    assert code_of(ledger, answer) == "log-note"
    answer["resolvedAgents"][0]["receipt"]["checkpoint"] = ledger.checkpoint()
    assert code_of(ledger, answer) == ""


def test_the_registrys_key_is_not_the_logs(ledger: Ledger) -> None:
    answer = ledger.answer()
    stolen = NoteSigner(ORIGIN, ledger.key)
    answer["resolvedAgents"][0]["receipt"]["checkpoint"] = ledger.checkpoint(signer=stolen)
    assert code_of(ledger, answer) == "log-note"


def test_enough_witnesses_must_have_cosigned(ledger: Ledger) -> None:
    ledger.witness("w.example/one")
    ledger.witness("w.example/two")
    ledger.quorum = 2
    answer = ledger.answer()
    assert code_of(ledger, answer) == ""
    del ledger.witnesses[1]
    fewer = ledger.answer()
    ledger.witness("w.example/two")
    assert code_of(ledger, fewer) == "log-witness"
    ledger.quorum = 1
    assert code_of(ledger, fewer) == ""


def test_an_older_checkpoint_will_do_and_a_newer_one_than_the_answers_will_not(
    ledger: Ledger,
) -> None:
    assert code_of(ledger, ledger.answer(size=4)) == ""
    old = {"origin": ORIGIN, "size": 4, "root": text(ledger.root(4))}
    assert code_of(ledger, ledger.answer(size=5, log=old)) == "ans-signature"
    assert code_of(ledger, ledger.answer(size=4, log=old)) == ""


def test_two_logs_of_one_size_are_a_split(ledger: Ledger) -> None:
    fork = {"origin": ORIGIN, "size": ledger.size, "root": text(b"\1" * 32)}
    assert code_of(ledger, ledger.answer(log=fork)) == "log-split"
    foreign = {"origin": "other.example/ans", "size": ledger.size, "root": text(ledger.root())}
    assert code_of(ledger, ledger.answer(log=foreign)) == "ans-signature"


def test_a_question_is_compared_to_the_letter(ledger: Ledger) -> None:
    asked = Query.exact(NAME, trace=True)
    answer = ledger.answer(asked, trace=[])
    assert code_of(ledger, answer, asked) == ""
    assert answer["query"]["trace"] is True
    answer["query"]["trace"] = 1
    assert code_of(ledger, answer, asked) == "ans-signature"


def test_parts_of_two_true_answers_do_not_make_one(ledger: Ledger) -> None:
    ledger.register(OTHER)
    old, other = ledger.answer(), ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
    ledger.add(ledger.event("update", endpoints={"mcp": "https://new.example/"}))
    new = ledger.answer()
    for foreign in (old, other):
        for part in ("resolvedAgents", "freshness"):
            assert code_of(ledger, new | {part: foreign[part]}) == "ans-signature"
        for part in ("record", "receipt"):
            mixed = copy.deepcopy(new)
            mixed["resolvedAgents"][0][part] = foreign["resolvedAgents"][0][part]
            assert code_of(ledger, mixed) == "ans-signature"
    assert code_of(ledger, new) == ""


def test_a_signed_word_that_its_log_denies_is_refused(ledger: Ledger) -> None:
    ledger.register(OTHER, ledger.agent("second"))
    honest = ledger.entry()
    for lie in (
        {"agent": ledger.world.db.did},
        {"epoch": 1},
        {"index": 4},
        {"record": digest_of({})},
        {"event": digest_of({})},
        {"name": OTHER},
        {"status": "suspended"},
        {"successor": OTHER},
        {"seq": 1},
        {"unattested": ["translate"]},
    ):
        entry = honest | lie
        value = ledger.answer(status="active")
        value["freshness"] = ledger.token(Query.exact(NAME), "active", [entry])
        assert code_of(ledger, value) == "ans-signature", lie
    value["freshness"] = ledger.token(Query.exact(NAME), "active", [honest])
    assert code_of(ledger, value) == ""


def test_an_event_after_the_record_leaves_the_record_as_it_was(ledger: Ledger) -> None:
    ledger.add(ledger.event("suspend"))
    ledger.add(ledger.event("resume"))
    assert verified(ledger, ledger.answer()).resolution.seq == 2
    # but a newest event has one number, and the record's own is no newer
    assert code_of(ledger, ledger.answer(entries=[ledger.entry(seq=0)])) == "ans-signature"
    ledger.add(ledger.event("update"))
    assert code_of(ledger, ledger.answer(entries=[ledger.entry(seq=2)])) == "ans-signature"
    assert code_of(ledger, ledger.answer(entries=[ledger.entry(seq=4)])) == "ans-signature"
    assert code_of(ledger, ledger.answer()) == ""


def test_a_forger_with_a_key_of_his_own_gets_nowhere(ledger: Ledger) -> None:
    mallory = PrivateKey.generate()
    posing = {**ledger.answer()}
    token = {k: v for k, v in posing["freshness"].items() if k != "proof"}
    name = did.from_key(mallory.public)
    own = sign(token | {"registry": name}, mallory, name, ledger.now)
    assert code_of(ledger, posing | {"freshness": own}) == "ans-signature"
    forged = sign(token, mallory, name, ledger.now)
    forged["proof"]["verificationMethod"] = did.vm_of(did.check(ledger.did))
    assert code_of(ledger, posing | {"freshness": forged}) == "ans-signature"
    assert code_of(ledger, posing) == ""


def test_a_record_of_another_key_is_refused_though_it_was_logged(ledger: Ledger) -> None:
    """The registry lets a stranger's record in under the agent's DID."""
    mallory = PrivateKey.generate()
    record = ledger.record(ledger.bot, OTHER)
    stranger = sign({k: v for k, v in record.items() if k != "proof"}, mallory,
                    did.from_key(mallory.public), ledger.now)  # fmt: skip
    stranger["proof"]["verificationMethod"] = record["proof"]["verificationMethod"]
    for one, code in ((stranger, "ans-signature"), (record, "")):
        ledger.past.pop(AnsName.parse(OTHER).key, None)
        ledger.add(ledger.event("register", OTHER, record=one))
        value = ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
        assert code_of(ledger, value, OTHER) == code


def test_a_did_web_record_is_held_to_the_key_that_was_logged(ledger: Ledger) -> None:
    """The registry logged another key than the one the record states and is signed with."""
    key = PrivateKey.generate()
    bot = Party("web", key, "did:web:acme.example:agents:web")
    thief = PrivateKey.generate()
    own = {"agent": bot.did, "key": key.public.multikey}
    bare = {k: v for k, v in ledger.record(ledger.bot, OTHER).items() if k != "proof"} | own
    record = sign(bare, key, bot.did, ledger.now)
    event = ledger.event("register", OTHER, agent=bot, record=record)
    for logged, code in ((thief, "ans-signature"), (key, "")):
        ledger.past.pop(AnsName.parse(OTHER).key, None)
        ledger.add(event, key=logged.public.multikey)
        value = ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
        assert code_of(ledger, value, OTHER) == code
    stolen = sign(bare, thief, bot.did, ledger.now)
    value["resolvedAgents"][0]["record"] = stolen
    assert code_of(ledger, value, OTHER) == "ans-signature"


def test_negative_answers_are_signed(ledger: Ledger) -> None:
    missing = NAME.replace("DataCorp", "Nobody")
    answer = ledger.answer(Query.exact(missing), [], status="not-found")
    said = verified(ledger, answer, missing)
    assert (said.status, said.agents) == ("not-found", ())
    assert refusal(lambda: said.resolution) == "ans-not-found"
    assert code_of(ledger, answer) == "ans-signature"
    assert code_of(ledger, answer, missing, at=ledger.now + 60) == "ans-stale"
    answer["freshness"]["status"] = "active"
    assert code_of(ledger, answer, missing) == "ans-signature"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("suspend", "suspended", "ans-suspended"), ("revoke", "revoked", "ans-gone")],
)
def test_a_name_that_is_away_says_why_and_since_when(
    ledger: Ledger, kind: str, status: str, code: str
) -> None:
    ledger.add(ledger.event(kind, reason="key theft"))
    entry = ledger.entry(status=status)
    answer = ledger.answer(entries=[entry])
    said = verified(ledger, answer)
    assert said.agents == ()
    assert said.last is not None
    assert said.last.signed
    assert said.last.event["reason"] == "key theft"
    with pytest.raises(Error, match=f"{status} since .*: key theft") as caught:
        _ = said.resolution
    assert caught.value.code == code
    lies: list[Any] = [{"reason": "resting"}, {"since": shape.format_time(ledger.now - 1)}]
    for lie in lies:
        assert code_of(ledger, ledger.answer(entries=[entry], **lie)) == "ans-signature"
    assert code_of(ledger, {k: v for k, v in answer.items() if k != "last"}) == "ans-signature"
    # of another name, though all of it is true of that one
    ledger.register(OTHER)
    ledger.add(ledger.event(kind, OTHER, reason="key theft"))
    foreign = ledger.entry(OTHER, status=status)
    assert code_of(ledger, ledger.answer(Query.exact(OTHER), [foreign]), OTHER) == ""
    assert code_of(ledger, ledger.answer(entries=[foreign])) == "ans-signature"
    mixed = answer | {"last": ledger.answer(Query.exact(OTHER), [foreign])["last"]}
    assert code_of(ledger, mixed) == "ans-signature"
    # a registry that says so without an event that says so
    ledger.add(ledger.event("renew"))
    again = ledger.entry(status=status)
    assert code_of(ledger, ledger.answer(entries=[again])) == (
        "" if status == "suspended" else "ans-signature"
    )


def test_a_newest_event_that_its_signer_did_not_sign_is_refused(ledger: Ledger) -> None:
    event = ledger.event("revoke", reason="key theft")
    forged = sign({k: v for k, v in event.items() if k != "proof"}, PrivateKey.generate(),
                  "did:web:x.example", ledger.now)  # fmt: skip
    forged["proof"]["verificationMethod"] = event["proof"]["verificationMethod"]
    ledger.add(forged)
    assert code_of(ledger, ledger.answer(entries=[ledger.entry(status="revoked")])) == (
        "ans-signature"
    )


def test_an_expired_name_is_gone_and_needs_no_event_to_say_so(ledger: Ledger) -> None:
    ledger.world.now += 31 * 86_400
    entry = ledger.entry(status="expired")
    since: Any = ledger.past[AnsName.parse(NAME).key][0][0]["record"]["expires"]
    said = verified(ledger, ledger.answer(entries=[entry], since=since))
    assert refusal(lambda: said.resolution) == "ans-gone"
    ledger.world.now -= 31 * 86_400
    early = ledger.answer(entries=[ledger.entry(status="expired")], since=since)
    assert code_of(ledger, early) == "ans-signature"


def test_reason_and_time_are_those_of_the_event_and_never_made_up(ledger: Ledger) -> None:
    lies: list[Any] = [{"reason": "fraud"}, {"since": shape.format_time(ledger.now)}]
    for lie in lies:
        assert code_of(ledger, ledger.answer(**lie)) == "ans-signature"
        missing = Query.exact(OTHER)
        absent = ledger.answer(missing, [], status="not-found", **lie)
        assert code_of(ledger, absent, missing) == "ans-signature"
    expires = ledger.now + 30
    ledger.register(OTHER, seconds=30)
    ledger.world.now += 60
    entry, asked = ledger.entry(OTHER, status="expired"), Query.exact(OTHER)
    since = shape.format_time(expires)
    assert code_of(ledger, ledger.answer(asked, [entry], since=since), OTHER) == ""
    early = shape.format_time(expires - 1)
    lies = [{"reason": "fraud", "since": since}, {"since": early}, {}]
    for lie in lies:
        assert code_of(ledger, ledger.answer(asked, [entry], **lie), OTHER) == "ans-signature"


def test_a_name_that_is_away_has_the_record_that_its_newest_event_brought(ledger: Ledger) -> None:
    ledger.world.now += 31 * 86_400
    since: Any = ledger.past[AnsName.parse(NAME).key][0][0]["record"]["expires"]
    honest = ledger.entry(status="expired")
    assert code_of(ledger, ledger.answer(entries=[honest], since=since)) == ""
    for lie in ({"record": digest_of({})}, {"index": 2}):
        value = ledger.answer(entries=[honest | lie], since=since)
        assert code_of(ledger, value) == "ans-signature"


def test_an_expired_record_is_not_active_however_fresh_the_token(ledger: Ledger) -> None:
    ledger.register(OTHER, seconds=30)
    answer = ledger.answer(Query.exact(OTHER), [ledger.entry(OTHER)])
    assert code_of(ledger, answer, OTHER, at=ledger.now + 29) == ""
    assert code_of(ledger, answer, OTHER, at=ledger.now + 30) == "ans-stale"
