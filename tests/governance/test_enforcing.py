"""One call before a resource: nothing is done without a permit, nothing is off the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from delegant.credentials import (
    Authority,
    Error,
    Evidence,
    Presentation,
    Request,
    Seen,
    approve,
)
from delegant.credentials.capability import parse
from delegant.credentials.verdict import Limit
from delegant.governance.deciding import Decision
from delegant.governance.enforcing import EnforcementPoint
from delegant.governance.receipt import read_resource_receipt
from governance.auditing import TOPIC, Auditing
from refusal import refusal

READ = Request("db.read", TOPIC, rows=5, columns=("title",))
RULES = {"rows": {"max": 5}, "columns": ["title", "year"]}


def point(auditing: Auditing, **more: Any) -> EnforcementPoint:
    return EnforcementPoint(
        auditing.ledger, auditing.world.trust(), clock=lambda: auditing.now, **more
    )


def sent(auditing: Auditing, request: Request = READ, **rules: Any) -> tuple[bytes, bytes]:
    """A presentation and its evidence, as bytes."""
    link = auditing.link(constraints=rules or RULES)
    shown = auditing.world.present([link], request)
    return shown.to_bytes(), auditing.world.evidence().to_bytes()


def kinds(auditing: Auditing) -> list[str]:
    return [one.type for one in auditing.records()]


def attempt(at: EnforcementPoint, shown: bytes, evidence: bytes, request: Request = READ) -> None:
    """A call that must not get so far as to act."""
    with at.acting(shown, evidence, request):
        pytest.fail("it ran")


class Always:
    """A policy that answers the same to all."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.asked: list[dict[str, Any]] = []

    def decide(self, facts: dict[str, Any]) -> Decision:
        self.asked.append(facts)
        return self.decision


def test_an_act_runs_after_its_intent_and_before_its_outcome(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)
    with point(auditing).acting(shown, evidence, READ) as act:
        assert kinds(auditing) == ["intent"]
        assert act.limits == Limit(5, None, frozenset({"title", "year"}))
        act.result(rows=5, columns={"title"})
    assert kinds(auditing) == ["intent", "outcome"]
    assert auditing.records()[1].json["outcome"] == {"status": "success", "rows": 5}
    assert act.receipt is not None
    assert read_resource_receipt(act.receipt).outcome == "success"


def test_it_does_the_same_on_a_loop(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)
    at = point(auditing)

    async def call() -> str | None:
        async with at.acting_async(shown, evidence, READ) as act:
            act.result(rows=1, columns={"title"})
        return act.receipt

    assert asyncio.run(call()) is not None
    assert kinds(auditing) == ["intent", "outcome"]


def test_what_raises_inside_is_a_failure_on_record_and_goes_on(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)
    with pytest.raises(ZeroDivisionError), point(auditing).acting(shown, evidence, READ):
        raise ZeroDivisionError("no word of this is on record")
    last = auditing.records()[-1].json
    assert last["outcome"] == {"status": "failure", "code": "ZeroDivisionError"}


def test_a_result_beyond_the_limits_is_not_handed_out(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)
    handed: list[int] = []

    def run() -> None:
        with point(auditing).acting(shown, evidence, READ) as act:
            act.result(rows=6, columns={"title"})
            handed.append(6)

    assert refusal(run) == "constraint"
    assert not handed
    assert auditing.records()[-1].json["outcome"]["code"] == "constraint"


def test_whoever_forgets_to_count_has_not_succeeded(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)

    def run() -> None:
        with point(auditing).acting(shown, evidence, READ):
            pass

    assert refusal(run) == "constraint"
    assert auditing.records()[-1].json["outcome"]["status"] == "failure"


def test_a_refusal_before_the_act_is_on_record_with_who_it_was(auditing: Auditing) -> None:
    request = Request("db.drop", TOPIC, rows=5, columns=("title",))
    shown, evidence = sent(auditing, request)
    at, done = point(auditing), []

    def run() -> None:
        with at.acting(shown, evidence, request):
            done.append(1)

    assert refusal(run) == "no-grant"
    assert not done
    (told,) = auditing.records()
    assert (told.type, told.json["code"], told.verified) == ("refusal", "no-grant", True)
    assert told.sponsor == auditing.ana.did


def test_what_is_no_presentation_is_on_record_without_a_name(auditing: Auditing) -> None:
    _, evidence = sent(auditing)
    at = point(auditing)

    def run() -> None:
        with at.acting(b"{}", evidence, READ):
            pytest.fail("it ran")

    assert refusal(run) == "shape"
    (told,) = auditing.records()
    assert (told.type, told.sponsor, told.verified) == ("refusal", None, False)


def test_the_request_is_the_one_about_to_be_made(auditing: Auditing) -> None:
    """A confused deputy: what was signed for one paper is not used for another."""
    shown, evidence = sent(auditing)
    other = Request("db.read", "urn:acme:papers:18", rows=5, columns=("title",))
    at = point(auditing)

    def run() -> None:
        with at.acting(shown, evidence, other):
            pytest.fail("it ran")

    assert refusal(run) == "request-mismatch"


def test_a_replay_is_refused_though_everything_is_kept(auditing: Auditing) -> None:
    shown, evidence = sent(auditing)
    at = point(auditing)
    with at.acting(shown, evidence, READ) as act:
        act.result(rows=1, columns={"title"})

    def run() -> None:
        with at.acting(shown, evidence, READ):
            pytest.fail("it ran")

    assert refusal(run) == "replay"
    assert kinds(auditing) == ["intent", "outcome", "refusal"]


@pytest.mark.parametrize(
    ("effect", "code", "recorded"),
    [
        ("deny", "policy", "deny"),
        ("defer", "policy-deferred", "defer"),
        ("step_up", "approval-missing", "step_up"),
    ],
)
def test_a_policy_says_no_and_is_named(
    auditing: Auditing, effect: Any, code: str, recorded: str
) -> None:
    policy = Always(Decision(effect, ("acme", "7"), "not on Wednesdays"))
    shown, evidence = sent(auditing)
    at = point(auditing, policy=policy)

    def run() -> None:
        with at.acting(shown, evidence, READ):
            pytest.fail("it ran")

    assert refusal(run) == code
    (told,) = auditing.records()
    assert (told.json["decision"], told.json["code"]) == (recorded, code)
    assert (told.json["policyId"], told.json["policyVersion"]) == ("acme", "7")
    assert told.verified


@pytest.mark.parametrize("whose", ["ana", "ben", "bot", None])
def test_a_step_up_is_answered_by_an_approval_of_this_very_act(
    auditing: Auditing, whose: str | None
) -> None:
    world = auditing.world
    world.human("ben")
    policy = Always(Decision("step_up", ("acme", "7"), "over the limit"))
    link = auditing.link(constraints=RULES)
    approvals = []
    if whose is not None:
        party = auditing.bot if whose == "bot" else world.parties[whose]
        approvals = [
            approve(
                party.key, human=party.did, chain=[link], request=READ, audience=world.db.did,
                at=world.now,
            )
        ]  # fmt: skip
    shown = world.present([link], READ, approvals=approvals).to_bytes()
    evidence = world.evidence().to_bytes()
    at = point(auditing, policy=policy)

    def run() -> None:
        with at.acting(shown, evidence, READ) as act:
            act.result(rows=1, columns={"title"})

    if whose == "ana":
        run()
        assert kinds(auditing) == ["intent", "outcome"]
        assert refusal(run) == "replay"
        return
    assert refusal(run) == ("approval-missing" if whose is None else "approval")
    told = auditing.records()[-1]
    assert told.json["decision"] == ("step_up" if whose is None else "deny")
    assert told.json["policyId"] == "acme"


def test_an_approval_is_for_one_request(auditing: Auditing) -> None:
    world, link = auditing.world, auditing.link(constraints=RULES)
    policy = Always(Decision("step_up", ("acme", "7"), approvers=(auditing.ana.did,)))
    token = approve(
        auditing.ana.key, human=auditing.ana.did, chain=[link], request=READ,
        audience=world.db.did, at=world.now,
    )  # fmt: skip
    at, evidence = point(auditing, policy=policy), world.evidence().to_bytes()
    other = Request("db.read", "urn:acme:papers:18", rows=5, columns=("title",))
    for request, code in ((other, "approval"), (READ, None), (READ, "replay")):
        shown = world.present([link], request, approvals=[token]).to_bytes()

        def run(shown: bytes = shown, request: Request = request) -> None:
            with at.acting(shown, evidence, request) as act:
                act.result(rows=1, columns={"title"})

        if code is None:
            run()
        else:
            assert refusal(run) == code


def test_a_policy_narrows_the_result(auditing: Auditing) -> None:
    less = Limit(2, None, frozenset({"title", "name"}))
    policy = Always(Decision("modify", ("acme", "7"), limits=less))
    shown, evidence = sent(auditing)
    at = point(auditing, policy=policy)

    def run(rows: int) -> None:
        with at.acting(shown, evidence, READ) as act:
            assert act.limits == Limit(2, None, frozenset({"title"}))
            act.result(rows=rows, columns={"title"})

    assert refusal(lambda: run(3)) == "constraint"
    shown, evidence = sent(auditing)
    run(2)
    assert auditing.records()[-2].json["decision"] == "modify"


def test_a_policy_sees_verified_facts_alone(auditing: Auditing) -> None:
    policy = Always(Decision("allow", ("acme", "7")))
    shown, evidence = sent(auditing)
    at = point(auditing, policy=policy, context=lambda auth: {"score": len(auth.links)})
    with at.acting(shown, evidence, READ) as act:
        act.result(rows=1, columns={"title"})
    (facts,) = policy.asked
    assert facts["sponsor"] == auditing.ana.did
    assert facts["path"] == [auditing.ana.did, auditing.bot.did]
    assert facts["context"] == {"score": 1}
    assert (facts["action"], facts["resource"]) == ("db.read", TOPIC)


def rights(*pairs: str, **constraints: Any) -> Authority:
    grants = [
        {"actions": [action], "resources": [resource]}
        for action, resource in (pair.split(" ") for pair in pairs)
    ]
    return parse({"grants": grants} | ({"constraints": constraints} if constraints else {}), "own")


@pytest.mark.parametrize(
    ("now", "dimension"),
    [
        (rights("db.read urn:acme:papers:**"), None),
        (rights("db.read urn:acme:papers:**", rows={"max": 5}), None),
        (rights("db.read urn:acme:papers:**", rows={"max": 4}), "rows"),
        (rights("db.read urn:acme:papers:**", columns=["year"]), "columns"),
        (rights("db.read urn:acme:drafts:**"), "grants"),
        (None, "grants"),
    ],
)
def test_the_human_must_be_allowed_it_now(
    auditing: Auditing, now: Authority | None, dimension: str | None
) -> None:
    shown, evidence = sent(auditing)
    at = point(auditing, entitlements=lambda _sponsor, _request: now)

    def run() -> None:
        with at.acting(shown, evidence, READ) as act:
            act.result(rows=5, columns={"title"})

    if dimension is None:
        run()
        return
    with pytest.raises(Error) as refused:
        run()
    assert (refused.value.code, refused.value.dimension) == ("exceeds-sponsor", dimension)
    assert "the sponsor has" in refused.value.detail or now is None


def test_what_the_human_lost_in_mid_task_the_next_call_has_not(auditing: Auditing) -> None:
    held = [rights("db.read urn:acme:papers:**")]
    at = point(auditing, entitlements=lambda _sponsor, _request: held[0])
    shown, evidence = sent(auditing)
    with at.acting(shown, evidence, READ) as act:
        act.result(rows=1, columns={"title"})
    held[0] = rights("doc.write urn:acme:drafts:**")
    shown, evidence = sent(auditing)

    def run() -> None:
        with at.acting(shown, evidence, READ):
            pytest.fail("it ran")

    assert refusal(run) == "exceeds-sponsor"


def test_a_source_or_a_policy_that_breaks_lets_nothing_through(auditing: Auditing) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("the directory is down")

    class Broken:
        decide = staticmethod(broken)

    for more in ({"entitlements": broken}, {"policy": Broken()}, {"gathered": broken}):
        shown, evidence = sent(auditing)
        assert refusal(partial(attempt, point(auditing, **more), shown, evidence)) == "unavailable"
        assert auditing.records()[-1].json["code"] == "unavailable"


def test_a_record_that_cannot_be_written_is_no_act_and_no_plain_refusal(
    auditing: Auditing,
) -> None:
    shown, evidence = sent(auditing)
    at = point(auditing)
    auditing.log.close()  # nothing is taken any more

    def run(presented: bytes) -> Callable[[], None]:
        def inner() -> None:
            with at.acting(presented, evidence, READ):
                pytest.fail("it ran")

        return inner

    assert refusal(run(shown)) == "unavailable"
    assert refusal(run(b"{}")) == "unavailable"


def test_evidence_gathered_by_the_resource_counts_with_what_is_stapled(
    auditing: Auditing,
) -> None:
    link = auditing.link(constraints=RULES)
    shown = auditing.world.present([link], READ).to_bytes()
    whole = auditing.world.evidence()
    lists = Evidence(status_lists=whole.json["statusLists"])
    rest = Evidence(sponsors=whole.json["sponsors"], identities=whole.json["identities"])

    def run(**more: Any) -> None:
        with point(auditing, **more).acting(shown, rest.to_bytes(), READ) as act:
            act.result(rows=1, columns={"title"})

    assert refusal(run) == "status-missing"
    run(gathered=lambda: lists)


def test_what_a_verdict_saw_is_remembered(auditing: Auditing) -> None:
    seen: list[Seen] = []
    shown, evidence = sent(auditing)
    with point(auditing, remember=seen.append).acting(shown, evidence, READ) as act:
        act.result(rows=1, columns={"title"})
    assert seen
    assert seen[0].revision == {auditing.ana.did: 1}


def test_every_form_of_a_presentation_is_taken(auditing: Auditing) -> None:
    at = point(auditing)
    for form in ("bytes", "spaced", "parsed", "apart"):
        data, evidence = sent(auditing)
        whole = Presentation.parse(data)
        shown: Any = {
            "bytes": data,
            "spaced": data.replace(b'":', b'" :', 1),
            "parsed": whole,
            "apart": (data[data.index(b'"links":') + 8 : -1], whole.invocation),
        }[form]
        with at.acting(shown, evidence, READ) as act:
            act.result(rows=1, columns={"title"})
    assert kinds(auditing) == ["intent", "outcome"] * 4


def test_an_act_given_more_than_is_kept_is_refused_on_record(auditing: Auditing) -> None:
    at = point(auditing)
    for size, told, records in (
        (1024 * 1024, "limit-size", ["refusal"]),
        (1000, "", ["refusal", "intent", "outcome"]),
    ):
        shown, evidence = sent(auditing)

        def call(shown: bytes = shown, evidence: bytes = evidence, size: int = size) -> None:
            with at.acting(shown, evidence, READ, given="x" * size) as act:
                act.result(rows=1, columns={"title"})

        assert refusal(call) == told
        assert kinds(auditing) == records
    assert auditing.records()[0].sponsor == auditing.ana.did


def test_a_failure_with_a_long_name_has_its_outcome(auditing: Auditing) -> None:
    kind = type("E" * 100, (Exception,), {})
    shown, evidence = sent(auditing)
    with pytest.raises(kind), point(auditing).acting(shown, evidence, READ):
        raise kind
    assert auditing.records()[1].json["outcome"] == {"status": "failure", "code": "E" * 64}
