"""What a broker grants, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials.verdict import Limit
from delegant.governance.broker import Ask, Broker, records
from delegant.governance.deciding import Decision
from delegant.wallet import delegate
from governance.tasks import DRAFTS, PAPERS, READ, T0, Office
from refusal import refusal

NAMED = ("acme-tasks", "3")


class Always:
    """A policy that answers the same to all."""

    def __init__(self, effect: Any, **more: Any) -> None:
        self.decision = Decision(effect, NAMED, **more)
        self.asked: list[dict[str, Any]] = []

    def decide(self, facts: dict[str, Any]) -> Decision:
        self.asked.append(facts)
        return self.decision


@pytest.mark.parametrize(
    ("ttl", "longest", "code"),
    [
        (900, 900, ""), (901, 900, "ttl-too-long"), (None, 900, ""), (1800, 1800, ""),
        (1801, 1800, "ttl-too-long"), (900, 3601, "ttl-too-long"), ("15m", 900, ""),
        ("1h", 900, "ttl-too-long"), (0, 900, "shape"), ("soon", 900, "shape"),
    ],
)  # fmt: skip
def test_no_grant_is_long(office: Office, ttl: Any, longest: int, code: str) -> None:
    def ask() -> None:
        bot = office.bot(longest=longest)
        with bot.task("T-17", allow=[READ], ttl=ttl) as task:
            assert task.grant.seconds == {None: 900, "15m": 900}.get(ttl, ttl)

    assert refusal(ask) == code


def test_by_default_a_grant_lives_a_quarter_of_an_hour_at_most(office: Office) -> None:
    for longest, seconds in ((900, 900), (3600, 900), (60, 60)):
        with office.bot(longest=longest).task("T-17", allow=[READ]) as task:
            assert task.grant.seconds == seconds


def test_a_grant_does_not_outlive_the_mandate(office: Office) -> None:
    office.now = office.mandate.valid_until - 300
    with office.bot().task("T-17", allow=[READ]) as task:
        assert task.grant.seconds == 300
    office.now = office.mandate.valid_until
    assert refusal(lambda: office.bot().task("T-18", allow=[READ])) == "no-grant"


@pytest.mark.parametrize(
    ("allow", "code"),
    [
        (READ, ""), ("doc.write:urn:acme:drafts:1", ""), ("db.drop:urn:acme:papers:17", "no-grant"),
        ("db.read:urn:acme:**", "no-grant"), ("db.read", "shape"),
    ],
)  # fmt: skip
def test_no_grant_is_beyond_the_mandate(office: Office, allow: str, code: str) -> None:
    assert refusal(lambda: office.bot().task("T-17", allow=[allow])) == code


def test_nor_beyond_its_constraints(office: Office) -> None:
    mandate = delegate(
        office.home, office.ana, "broker", [PAPERS], now=T0, use="mandate", remaining=1,
        constraints={"rows": {"max": 50}},
    ).link  # fmt: skip
    bot = office.bot(mandate=mandate)
    for rows, code in ((50, ""), (51, "scope-widened")):
        ask: dict[str, Any] = {"allow": [READ], "constraints": {"rows": rows}}
        assert refusal(lambda a=ask: bot.task("T-17", **a)) == code
    assert bot.task("T-17", allow=[READ]).grant.authority.constraints["rows"] == 50


def test_a_grant_is_no_mandate_to_grant(office: Office) -> None:
    helper = delegate(office.home, office.ana, "bot", [DRAFTS], now=T0, remaining=1).link
    assert helper.use == "grant"
    bot = office.home.open_wallet("agent", "bot")
    ask = Ask(office.home.subject("broker").did, "T-1", (DRAFTS,))
    assert refusal(lambda: Broker(office.home, bot, clock=lambda: T0).grant(ask)) == "no-grant"
    assert office.broker().grant(Ask(bot.did, "T-1", (DRAFTS,)))


def test_the_task_is_not_among_the_constraints(office: Office) -> None:
    task = {"id": "T-18", "initiation": "schedule"}
    bot = office.bot()
    assert refusal(lambda: bot.task("T", allow=[READ], constraints={"task": task})) == "shape"
    assert refusal(lambda: bot.task("T", allow=[READ], initiation="whim")) == "shape"
    assert refusal(lambda: bot.task("T", allow=[READ], initiation="agent_decision")) == ""


# --- policy ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        ("allow", ""), ("deny", "policy"), ("defer", "policy-deferred"),
        ("step_up", "approval-missing"), ("modify", "unavailable"),
    ],
)  # fmt: skip
def test_a_policy_is_asked_first(office: Office, effect: str, code: str) -> None:
    before = len(list(office.home.links()))
    policy = Always(effect)
    bot = office.bot(policy=policy)
    ask: dict[str, Any] = {"allow": [READ], "justification": "the weekly digest"}
    assert refusal(lambda: bot.task("T-17", **ask)) == code
    assert len(list(office.home.links())) == before + (not code)
    (facts,) = policy.asked
    assert facts["agent"] == bot.did
    assert facts["sponsor"] == office.ana.did
    assert facts["action"] == "task.start"
    assert facts["identity"]["agentIdentity"]["name"] == "bot"
    assert facts["request"]["justification"] == "the weekly digest"


def test_a_policy_narrows(office: Office) -> None:
    policy = Always("modify", limits=Limit(20, None, frozenset({"title", "year"})))
    asked = {"rows": 50, "columns": ["title", "name"]}
    task = office.bot(policy=policy).task("T-17", allow=[READ], constraints=asked)
    rules = task.grant.authority.constraints
    assert (rules["rows"], rules["columns"]) == (20, frozenset({"title"}))
    other = {"columns": ["name"]}
    bot = office.bot(policy=policy)
    assert refusal(lambda: bot.task("T-17", allow=[READ], constraints=other)) == "policy"


def test_a_policy_that_does_not_answer_grants_nothing(office: Office) -> None:
    class Broken:
        def decide(self, facts: dict[str, Any]) -> Decision:
            raise ZeroDivisionError

    assert refusal(lambda: office.bot(policy=Broken()).task("T", allow=[READ])) == "unavailable"


# --- the record --------------------------------------------------------------------------------


def test_what_was_asked_and_when_it_ended_is_on_record(office: Office) -> None:
    assert records(office.home) == []
    bot = office.bot(policy=Always("allow"))
    with bot.task("T-17", allow=[READ], ttl="2m", justification="the weekly digest") as task:
        (told,) = records(office.home)
        assert "closed" not in told
        office.now += 5
    (told,) = records(office.home)
    assert told == {
        "version": 1, "task": "T-17", "initiation": "human_request", "agent": bot.did,
        "justification": "the weekly digest", "grants": [PAPERS], "constraints": {},
        "seconds": 120, "spawn": False, "link": task.grant.id, "policy": list(NAMED),
        "opened": "2026-09-21T14:13:20Z", "until": "2026-09-21T14:15:20Z",
        "closed": "2026-09-21T14:13:25Z",
    }  # fmt: skip
