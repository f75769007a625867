"""AuthZEN 1.0 over an enforcement point: questions, and nothing spent by asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from delegant.credentials import Request
from delegant.governance.enforcing import EnforcementPoint
from delegant.integrations.authzen import authzen
from governance.auditing import Auditing
from governance.policing import ALL, LISTING3, cedar
from refusal import refusal

BASE = "https://pdp.acme.example"
PAPER = "urn:acme:papers:17"
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"


class Desk:
    """A decision point, and questions to it."""

    def __init__(self, auditing: Auditing) -> None:
        self.auditing = auditing
        self.told: dict[str, Any] = {
            "sourceSegment": "internal", "resource": {"dataSensitivity": "low"},
        }  # fmt: skip
        self.link = auditing.link()
        self.follow(LISTING3)

    def follow(self, text: str) -> None:
        self.point = EnforcementPoint(
            self.auditing.ledger, self.auditing.world.trust(), policy=cedar(text),
            context=lambda _auth: self.told, clock=lambda: self.auditing.now,
        )  # fmt: skip
        app = FastAPI(openapi_url=None)
        app.include_router(authzen(self.point, base=BASE))
        self.client = TestClient(app)

    def question(self, resource: str = PAPER, **asked: Any) -> dict[str, Any]:
        world = self.auditing.world
        shown = world.present([self.link], Request("db.read", resource, **asked))
        return {
            "subject": {"type": "agent", "id": self.auditing.bot.did},
            "action": {"name": "db.read"},
            "resource": {"type": "resource", "id": resource},
            "context": {
                "presentation": shown.json, "evidence": world.evidence().json, "request": asked,
            },
        }  # fmt: skip

    def ask(self, body: Any, path: str = ONE, status: int = 200) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    auditing = Auditing(tmp_path / "audit")
    yield Desk(auditing)
    auditing.log.close()


def test_the_configuration_says_where_to_ask(desk: Desk) -> None:
    assert desk.client.get("/.well-known/authzen-configuration").json() == {
        "policy_decision_point": BASE,
        "access_evaluation_endpoint": BASE + ONE,
        "access_evaluations_endpoint": BASE + MANY,
    }
    assert refusal(lambda: authzen(desk.point, base="pdp.acme.example")) == "shape"


def test_a_yes_names_its_policy_and_what_it_leaves_to_the_ledger(desk: Desk) -> None:
    answer = desk.client.post(ONE, json=desk.question(), headers={"X-Request-ID": "q-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "q-1")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["decision"] is True
    context = told["context"]
    assert (context["effect"], context["code"], context["spent"]) == ("allow", None, False)
    assert context["policy"] == {"id": "acme-db", "version": "1"}
    assert context["reason"] == "reading a table that is not sensitive, from inside"
    assert [one["type"] for one in context["obligations"]] == ["once"]


def test_asking_spends_nothing_and_is_no_act(desk: Desk) -> None:
    body = desk.question()
    assert [desk.ask(body)["decision"] for _ in range(3)] == [True] * 3
    assert desk.auditing.records() == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"subject": {"type": "agent", "id": "did:web:mallory.example"}}, "holder-mismatch"),
        ({"resource": {"type": "resource", "id": "urn:acme:papers:18"}}, "request-mismatch"),
        ({"action": {"name": "db.write"}}, "no-grant"),
        ({"action": {"name": "db write"}}, "shape"),
        ({"resource": {"type": "resource", "id": "papers"}}, "shape"),
        ({"context": {}}, "holder-missing"),
        ({"context": {"presentation": {}, "evidence": {}}}, "shape"),
    ],
)
def test_a_no_says_why(desk: Desk, changed: dict[str, Any], code: str) -> None:
    body = desk.question()
    assert desk.ask(body)["decision"] is True
    told = desk.ask(body | changed)
    assert (told["decision"], told["context"]["effect"]) == (False, "deny")
    assert told["context"]["code"] == code
    assert told["context"]["obligations"] == []


def test_what_is_merely_sent_reaches_no_policy(desk: Desk) -> None:
    """Attack: the asker says that it is inside, that data is harmless, that it is trusted."""
    body = desk.question()
    desk.told["sourceSegment"] = "dmz"
    claims = {"sourceSegment": "internal", "dataSensitivity": "low"}
    body["context"] |= claims
    for part in ("subject", "action", "resource"):
        body[part]["properties"] = claims
    told = desk.ask(body)
    assert (told["decision"], told["context"]["code"]) == (False, "policy")
    assert told["context"]["policy"] == {"id": "acme-db", "version": "1"}
    desk.told["sourceSegment"] = "internal"
    assert desk.ask(body)["decision"] is True


@pytest.mark.parametrize(
    ("text", "effect", "code"),
    [
        (ALL, "allow", None),
        (ALL + "forbid (principal, action, resource);", "deny", "policy"),
        (ALL + '@effect("defer") forbid (principal, action, resource);', "defer",
         "policy-deferred"),
        (ALL + '@effect("step_up") forbid (principal, action, resource);', "step_up",
         "approval-missing"),
    ],
)  # fmt: skip
def test_every_effect_is_told(desk: Desk, text: str, effect: str, code: str | None) -> None:
    desk.follow(text)
    told = desk.ask(desk.question())
    assert told["decision"] is (code is None)
    assert (told["context"]["effect"], told["context"]["code"]) == (effect, code)


@pytest.mark.parametrize(
    ("rows", "held", "decision"),
    [(5, False, True), (6, False, False), (None, False, False), (6, True, True)],
)
def test_a_narrower_yes_is_no_yes_to_who_does_not_hold_it(
    desk: Desk, rows: int | None, held: bool, decision: bool
) -> None:
    desk.follow('@narrow("rows=5") permit (principal, action, resource);')
    facts: dict[str, Any] = {} if rows is None else {"rows": rows}
    body = desk.question(**facts)
    body["context"]["limits"] = held
    told = desk.ask(body)
    assert told["decision"] is decision
    assert told["context"]["limits"] == {"type": "limit", "rows": 5}
    assert told["context"]["code"] == (None if decision else "constraint")


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": None},
        {"subject": {"type": "agent"}},
        {"subject": {"id": "did:web:a.example"}},
        {"action": "db.read"},
        {"action": {"name": 5}},
        {"resource": []},
        {"resource": {"id": PAPER}},
        {"context": []},
        {"context": {"request": {"action": "db.read"}}},
        {"context": {"nonce": 5}},
    ],
)
def test_what_is_no_question_is_a_problem_document(desk: Desk, changed: dict[str, Any]) -> None:
    told = desk.ask(desk.question() | changed, status=400)
    assert told["code"] == "shape"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 9999, 413),
     (b" " * 3_000_000, 413)],
)  # fmt: skip
def test_bytes_that_are_no_document(desk: Desk, body: bytes, status: int) -> None:
    for path in (ONE, MANY):
        answer = desk.client.post(path, content=body)
        assert (answer.status_code, answer.headers["content-type"]) == (
            status, "application/problem+json",
        )  # fmt: skip


def test_many_are_asked_at_once_each_over_what_all_share(desk: Desk) -> None:
    one, two = desk.question(), desk.question("urn:acme:papers:18")
    shared = {"subject": one["subject"], "action": one["action"]}
    items = [{"resource": q["resource"], "context": q["context"]} for q in (one, two)]
    swapped = items[0] | {"resource": two["resource"]}
    told = desk.ask(shared | {"evaluations": [items[0], swapped, {"resource": 5}, items[1]]}, MANY)
    assert [q["decision"] for q in told["evaluations"]] == [True, False, False, True]
    codes = [q["context"]["code"] for q in told["evaluations"]]
    assert codes == [None, "request-mismatch", "shape", None]
    assert desk.ask(one, MANY)["decision"] is True  # none: then it is a single question
    assert desk.ask(one | {"evaluations": []}, MANY)["decision"] is True


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_whoever_asks_says_when_to_stop(
    desk: Desk, semantic: str | None, decisions: list[bool]
) -> None:
    body = desk.question()
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
    asked = body | options | {"evaluations": [{}, {"action": {"name": "db.write"}}, {}]}
    assert [q["decision"] for q in desk.ask(asked, MANY)["evaluations"]] == decisions


@pytest.mark.parametrize(
    "changed",
    [
        {"evaluations": {}},
        {"evaluations": [5]},
        {"evaluations": [{}], "options": []},
        {"evaluations": [{}], "options": {"evaluations_semantic": "any"}},
    ],
)
def test_many_that_are_no_questions(desk: Desk, changed: dict[str, Any]) -> None:
    assert desk.ask(desk.question() | changed, MANY, 400)["code"] == "shape"


def test_no_more_than_so_many_at_once(desk: Desk) -> None:
    body = desk.question()
    assert len(desk.ask(body | {"evaluations": [{}] * 32}, MANY)["evaluations"]) == 32
    assert desk.ask(body | {"evaluations": [{}] * 33}, MANY, 413)["code"] == "limit-items"


def test_the_point_cannot_answer_and_that_is_no(desk: Desk) -> None:
    def broken(_auth: Any) -> dict[str, Any]:
        raise OSError

    desk.point._context = broken
    told = desk.ask(desk.question())
    assert (told["decision"], told["context"]["code"]) == (False, "unavailable")
