"""A verdict becomes a permit once, with its record; budgets and rates hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from delegant.credentials import Error, Request, shape, verify_chain
from delegant.credentials.codec import parse_object
from delegant.credentials.errors import error
from delegant.governance.layout import month
from delegant.governance.permit import Permit
from delegant.governance.receipt import read_resource_receipt
from delegant.governance.record import input_hash, parse_opening
from delegant.governance.tables import ACTS, BUDGETS, SPENT
from governance.auditing import TOPIC, Auditing
from refusal import refusal
from world import T0


def kinds(auditing: Auditing) -> list[str]:
    return [one.type for one in auditing.records()]


def spend(auditing: Auditing, value: int, unit: str = "EUR:2") -> Request:
    return Request("db.read", TOPIC, amount={"unit": unit, "value": str(value)})


def test_an_act_has_an_intent_and_then_an_outcome(auditing: Auditing) -> None:
    link = auditing.link()
    permit = auditing.permit([link], name="mcp://A.B.C.v1")
    assert kinds(auditing) == ["intent"]
    auditing.ledger.settle(permit, at=auditing.now)
    intent, outcome = auditing.records()
    assert intent.event == outcome.event == permit.event
    assert intent.sponsor == outcome.sponsor == auditing.ana.did
    assert intent.agent == auditing.bot.did
    assert intent.json["agentAnsName"] == "mcp://A.B.C.v1"
    assert intent.chain == [{"id": link.id, "digestMultibase": link.digest}]
    assert intent.json["grantId"] == link.id
    assert (intent.json["action"], intent.json["target"]) == ("db.read", TOPIC)
    assert intent.json["decision"] == "allow"
    assert (intent.json["policyId"], intent.json["policyVersion"]) == ("chain", "1")
    assert outcome.json["outcome"] == {"status": "success"}
    assert intent.previous is None
    assert outcome.previous is not None


def test_the_opening_fits_the_record_and_is_not_in_it(auditing: Auditing) -> None:
    auth, request, shown = auditing.asked([auditing.link()], Request("db.read", TOPIC, rows=3))
    permit = auditing.ledger.permit(
        auth, request, presentation=shown, evidence=auditing.world.evidence(), at=auditing.now,
        given={"customer": "42"},
    )  # fmt: skip
    (intent,) = auditing.records()
    with auditing.log.store.transaction(reading=True) as db:
        kept = auditing.log.store.opening(db, permit.event)
    assert kept is not None
    opening = parse_object(bytes(kept), size=1 << 20)
    assert opening["request"] == request.json
    assert opening["input"] == {"customer": "42"}
    assert input_hash(opening) == intent.json["inputHash"]
    assert input_hash(opening | {"input": {"customer": "43"}}) != intent.json["inputHash"]
    assert request.digest not in str(intent.json)
    assert str(opening["salt"]) not in str(intent.json)


def test_the_same_invocation_twice_is_a_replay_on_record_and_takes_nothing(
    auditing: Auditing,
) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    auth, request, shown = auditing.asked([link], spend(auditing, 400))
    more = {"presentation": shown, "evidence": auditing.world.evidence(), "at": auditing.now}
    auditing.ledger.permit(auth, request, **more)
    assert refusal(lambda: auditing.ledger.permit(auth, request, **more)) == "replay"
    assert kinds(auditing) == ["intent", "refusal"]
    assert auditing.records()[1].json["code"] == "replay"
    auditing.permit([link], spend(auditing, 600))  # 600 are left: the replay took none


def test_a_budget_is_spent_to_the_last_cent_and_no_further(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    auditing.permit([link], spend(auditing, 400))
    with pytest.raises(Error) as refused:
        auditing.permit([link], spend(auditing, 601))
    assert (refused.value.code, refused.value.dimension) == ("constraint", "budget")
    auditing.permit([link], spend(auditing, 600))
    assert refusal(lambda: auditing.permit([link], spend(auditing, 1))) == "constraint"
    assert kinds(auditing) == ["intent", "refusal", "intent", "refusal"]


def test_siblings_share_the_budget_of_the_link_above_them(auditing: Auditing) -> None:
    world = auditing.world
    rule = {"budget": auditing.budget(1000)}
    top = auditing.link(constraints=rule, remaining=1, lease=16)
    children = []
    for name in ("left", "right"):
        child = world.agent(name, auditing.ana)
        children.append(
            world.delegate(
                auditing.bot, child, ["db.read urn:acme:papers:**"], above=[top], constraints=rule
            )
        )
    auditing.permit([top, children[0]], spend(auditing, 700))
    assert (
        refusal(lambda: auditing.permit([top, children[1]], spend(auditing, 301))) == "constraint"
    )
    auditing.permit([top, children[1]], spend(auditing, 300))


def test_what_was_not_needed_comes_back_and_what_failed_does_not(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    first = auditing.permit([link], spend(auditing, 1000))
    auditing.ledger.settle(first, amount=400, at=auditing.now)
    second = auditing.permit([link], spend(auditing, 600))
    auditing.ledger.release(second, at=auditing.now)
    third = auditing.permit([link], spend(auditing, 600))
    auditing.ledger.fail(third, "unavailable", at=auditing.now)
    assert refusal(lambda: auditing.permit([link], spend(auditing, 1))) == "constraint"
    told = [one.json["outcome"] for one in auditing.records() if one.type == "outcome"]
    assert told == [
        {"status": "success"}, {"status": "released"}, {"status": "failure", "code": "unavailable"},
    ]  # fmt: skip
    assert auditing.records()[1].json["settled"] == [
        {"type": "debit", "key": link.digest, "unit": "EUR:2", "amount": "400"}
    ]


def test_an_act_has_one_outcome(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    permit = auditing.permit([link], spend(auditing, 1000))
    auditing.ledger.release(permit, at=auditing.now)
    assert refusal(lambda: auditing.ledger.release(permit, at=auditing.now)) == "audit-outcome"
    assert (
        refusal(lambda: auditing.ledger.settle(permit, amount=0, at=auditing.now))
        == "audit-outcome"
    )
    auditing.permit([link], spend(auditing, 1000))
    assert refusal(lambda: auditing.permit([link], spend(auditing, 1))) == "constraint"


def test_it_never_costs_more_than_was_reserved(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    permit = auditing.permit([link], spend(auditing, 500))
    assert (
        refusal(lambda: auditing.ledger.settle(permit, amount=501, at=auditing.now)) == "constraint"
    )
    assert auditing.records()[-1].json["outcome"] == {"status": "failure", "code": "constraint"}


def test_a_rate_holds_in_every_window(auditing: Auditing) -> None:
    rate = {"ledger": auditing.world.db.did, "count": 2, "periodSeconds": 60}
    link = auditing.link(constraints={"rate": rate})

    def attempt() -> bool:
        try:
            auditing.permit([link])
        except Error as exc:
            assert (exc.code, exc.dimension) == ("constraint", "rate")
            return False
        return True

    done = []
    for at in range(0, 180, 10):
        auditing.world.now = T0 + at
        if attempt():
            done.append(at)
    assert done == [0, 10, 60, 70, 120, 130]


def test_a_clock_that_is_behind_gains_no_room(auditing: Auditing) -> None:
    rate = {"ledger": auditing.world.db.did, "count": 1, "periodSeconds": 20}
    link = auditing.link(constraints={"rate": rate})
    auditing.permit([auditing.link()], at=T0 + 25)  # somebody else's clock, whose record is there
    auditing.permit([link], at=T0)  # now the log's time, not this one's
    assert refusal(lambda: auditing.permit([link], at=T0 + 44)) == "constraint"
    auditing.permit([link], at=T0 + 45)


@pytest.mark.parametrize(
    ("at", "name", "days"),
    [("2026-11-25T00:00:00Z", "2026_11", 30), ("2027-02-28T23:59:59Z", "2027_02", 28),
     ("2026-12-31T23:59:59Z", "2026_12", 31), ("9999-12-31T23:59:59Z", "9999_12", 31)],
)  # fmt: skip
def test_every_second_is_in_a_month(at: str, name: str, days: int) -> None:
    found, first, end = month(shape.time(at, "at"))
    assert (found, end - first) == (name, days * 86_400)


def test_what_time_alone_refuses_is_forgotten(auditing: Auditing) -> None:
    rules = {
        "budget": auditing.budget(1000),
        "rate": {"ledger": auditing.world.db.did, "count": 9, "periodSeconds": 60},
    }

    def left() -> list[int]:
        with auditing.log.store.transaction(reading=True) as db:
            return [
                db.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (SPENT, BUDGETS, ACTS)
            ]

    auditing.permit([auditing.link(constraints=rules)], spend(auditing, 10))
    assert left() == [1, 1, 1]
    auditing.world.now += 900 + 600  # the link, and how far clocks may be apart
    auditing.world.attest(auditing.ana, revision=2)
    auditing.permit([auditing.link()])
    assert left() == [1, 1, 0]
    auditing.world.now += 1
    auditing.permit([auditing.link()])
    assert left() == [2, 0, 0]


def test_the_result_is_held_to_the_limits(auditing: Auditing) -> None:
    rules = {"rows": {"max": 5}, "columns": ["title", "year"]}
    link = auditing.link(constraints=rules)
    request = Request("db.read", TOPIC, rows=5, columns=("title",))
    permit = auditing.permit([link], request)
    permit.check(rows=5, columns={"title"})
    for more in ({"rows": 6, "columns": {"title"}}, {"rows": 5, "columns": {"title", "name"}},
                 {"columns": {"title"}}, {"rows": 5}):  # fmt: skip
        assert refusal(lambda more=more: permit.check(**more)) == "constraint"
    refused = refusal(
        lambda: auditing.ledger.settle(permit, rows=6, columns={"title"}, at=auditing.now)
    )
    assert refused == "constraint"
    assert auditing.records()[-1].json["outcome"] == {
        "status": "failure", "rows": 6, "code": "constraint",
    }  # fmt: skip
    again = auditing.permit([link], request)
    auditing.ledger.settle(again, rows=5, columns={"title"}, at=auditing.now)


def test_only_a_ledger_makes_a_permit_and_nobody_changes_it(auditing: Auditing) -> None:
    permit = auditing.permit([auditing.link()])
    with pytest.raises(TypeError):
        Permit(object(), event=permit.event)
    with pytest.raises(AttributeError):
        permit.limits = None


def test_a_refusal_is_on_record_as_claimed_or_as_verified(auditing: Auditing) -> None:
    link = auditing.link()
    request = Request("db.drop", TOPIC)
    shown = auditing.world.present([link], request)
    refused = error("no-grant", "no")
    auditing.ledger.refuse(refused, presentation=shown, request=request, at=auditing.now)
    chain = verify_chain(shown, auditing.world.evidence(), auditing.world.trust(), at=auditing.now)
    auditing.ledger.refuse(
        refused, presentation=shown, request=request, chain=chain,
        evidence=auditing.world.evidence(), at=auditing.now,
    )  # fmt: skip
    auditing.ledger.refuse(error("json", "no"), at=auditing.now)
    claim, known, nothing = auditing.records()
    assert (claim.verified, known.verified, nothing.verified) == (False, True, False)
    assert claim.sponsor == known.sponsor == auditing.ana.did
    assert nothing.sponsor is None
    assert [one.json["decision"] for one in (claim, known, nothing)] == ["deny"] * 3
    assert known.json["code"] == "no-grant"


def test_64_at_once_never_overspend(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    calls = [auditing.asked([link], spend(auditing, 30)) for _ in range(64)]
    evidence = auditing.world.evidence()

    def attempt(number: int) -> bool:
        auth, request, shown = calls[number]
        try:
            auditing.ledger.permit(
                auth, request, presentation=shown, evidence=evidence, at=auditing.now
            )
        except Error as exc:
            assert exc.dimension == "budget"
            return False
        return True

    with ThreadPoolExecutor(64) as pool:
        done = list(pool.map(attempt, range(64)))
    assert sum(done) == 1000 // 30
    assert kinds(auditing).count("intent") == 33
    assert kinds(auditing).count("refusal") == 31


def test_after_a_restart_everything_is_as_it_was(auditing: Auditing) -> None:
    link = auditing.link(constraints={"budget": auditing.budget(1000)})
    auth, request, shown = auditing.asked([link], spend(auditing, 900))
    more = {"presentation": shown, "evidence": auditing.world.evidence(), "at": auditing.now}
    permit = auditing.ledger.permit(auth, request, **more)
    auditing.reopen()
    assert refusal(lambda: auditing.ledger.permit(auth, request, **more)) == "replay"
    assert refusal(lambda: auditing.permit([link], spend(auditing, 101))) == "constraint"
    with auditing.log.store.transaction(reading=True) as db:
        left = list(auditing.log.store.open_intents(db, auditing.now + 1))
    assert left == [(permit.event, 0, auditing.now)]
    assert [one.event for one in auditing.log.records(permit.event)] == [permit.event]


def test_a_clock_that_went_back_writes_nothing(auditing: Auditing) -> None:
    link = auditing.link()
    auditing.permit([link])
    auth, request, shown = auditing.asked([link])
    more = {"presentation": shown, "evidence": auditing.world.evidence()}
    back = refusal(lambda: auditing.ledger.permit(auth, request, at=auditing.now - 31, **more))
    assert back == "unavailable"
    auditing.ledger.permit(auth, request, at=auditing.now - 30, **more)
    first, second = auditing.records()
    assert second.time == first.time


def test_a_receipt_says_what_is_on_record(auditing: Auditing) -> None:
    link = auditing.link()
    permit = auditing.permit([link])
    auditing.ledger.settle(permit, at=auditing.now)
    token = auditing.ledger.receipt(permit, "success", at=auditing.now)
    told = read_resource_receipt(token)
    told.check([auditing.log.receipts.public])
    assert (told.event, told.agent, told.decision, told.outcome) == (
        permit.event, auditing.bot.did, "allow", "success",
    )  # fmt: skip
    intent = auditing.records()[0].json
    assert told.invocation == intent["invocation"]
    assert told.chain == intent["chain"][-1]["digestMultibase"]


def test_a_refusal_has_a_receipt_where_its_parties_were_verified(auditing: Auditing) -> None:
    request = Request("db.drop", TOPIC)
    shown = auditing.world.present([auditing.link()], request)
    chain = verify_chain(shown, auditing.world.evidence(), auditing.world.trust(), at=auditing.now)
    refused = error("no-grant", "no")
    more: dict[str, Any] = {"presentation": shown, "request": request}
    claim = auditing.ledger.refuse(refused, at=auditing.now, **more)
    assert auditing.ledger.refusal_receipt(claim, shown, at=auditing.now) is None
    known = auditing.ledger.refuse(
        refused, at=auditing.now, chain=chain, evidence=auditing.world.evidence(), **more
    )
    token = auditing.ledger.refusal_receipt(known, shown, at=auditing.now)
    assert token is not None
    told = read_resource_receipt(token)
    assert (told.event, told.decision, told.code) == (known.event, "deny", "no-grant")


OUT_OF_SHAPE: list[dict[str, Any]] = [
    {"rows": -1},
    {"bytes": -1},
    {"rows": True},
    {"bytes": 2**60},
    {"result": "no digest"},
]


@pytest.mark.parametrize("told", OUT_OF_SHAPE, ids=str)
def test_an_outcome_out_of_shape_is_refused_and_the_act_stays_open(
    local: Auditing, told: dict[str, Any]
) -> None:
    permit = local.permit([local.link()])
    assert refusal(lambda: local.ledger.settle(permit, at=local.now, **told)) == "audit-entry"
    assert kinds(local) == ["intent"]
    local.ledger.settle(permit, at=local.now, rows=0, bytes=2**53 - 1)
    local.reopen()  # which reads the last entry
    assert kinds(local) == ["intent", "outcome"]


@pytest.mark.parametrize("code", ["", "x" * 65], ids=len)
def test_a_failure_has_a_short_code(local: Auditing, code: str) -> None:
    permit = local.permit([local.link()])
    assert refusal(lambda: local.ledger.fail(permit, code, at=local.now)) == "audit-entry"
    local.ledger.fail(permit, "x" * 64, at=local.now)
    local.reopen()
    assert kinds(local) == ["intent", "outcome"]


@pytest.mark.parametrize(
    "told",
    [{"name": ""}, {"name": "n" * 5000}, {"policy": ("", "1")}, {"policy": ("p", 1)},
     {"decision": "deny"}, {"decision": "maybe"}],
    ids=lambda told: str(told)[:30],
)  # fmt: skip
def test_what_decided_and_the_name_have_their_shapes(local: Auditing, told: dict[str, Any]) -> None:
    link = local.link()
    assert refusal(lambda: local.permit([link], **told)) == "audit-entry"
    assert kinds(local) == []
    local.permit([link], name="mcp://A.B.C.v1", policy=("p", "2"), decision="modify")
    local.reopen()
    assert kinds(local) == ["intent"]


@pytest.mark.parametrize(
    "given", ["x" * 1024 * 1024, [1] * 17_000, {"a": {1}}, "\ud800", float("nan")], ids=type
)
def test_what_could_not_be_read_again_is_not_taken(local: Auditing, given: Any) -> None:
    link = local.link()
    told = refusal(lambda: local.permit([link], given=given))
    assert told in ("limit-size", "limit-members", "json")
    assert kinds(local) == []
    permit = local.permit([link], given=[1] * 16_000)
    with local.log.store.transaction(reading=True) as db:
        kept = local.log.store.opening(db, permit.event)
    assert kept is not None
    assert parse_opening(kept)["input"] == [1] * 16_000


@pytest.mark.parametrize("amount", [0.5, True, "5"], ids=repr)
def test_a_cost_is_a_whole_number(local: Auditing, amount: Any) -> None:
    link = local.link(constraints={"budget": local.budget(10)})
    permit = local.permit([link], spend(local, 5))
    call = lambda: local.ledger.settle(permit, at=local.now, amount=amount)  # noqa: E731
    assert refusal(call) == "constraint"
    assert local.records()[-1].json["outcome"]["status"] == "failure"
    local.reopen()
    local.ledger.settle(local.permit([link], spend(local, 5)), at=local.now, amount=5)
