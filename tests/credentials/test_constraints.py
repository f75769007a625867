"""Each kind of constraint: what it lets pass, what it stops, and that silence is a no.

A fact that the request does not give is never taken for granted.
"""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Error, PrivateKey, Request, did
from delegant.credentials import constraint as con
from delegant.credentials.kinds import DATA_CLASS_SCHEME, KINDS
from world import PAPERS, T0, World

ANN, BEN = (did.from_key(PrivateKey(bytes([n]) * 32).public) for n in (1, 2))
HUMAN = {"id": "t1", "initiation": "human_request"}
AGENT = {"id": "t1", "initiation": "agent_decision"}
EUR = {"ledger": ANN, "unit": "EUR:2", "perAction": "500", "total": "900"}


def eur(value: int, unit: str = "EUR:2") -> dict[str, Any]:
    return {"amount": {"unit": unit, "value": str(value)}}


def args(**given: Any) -> dict[str, Any]:
    return {"arguments": given}


PUBLIC = {"data_class": "public"}
LOW = {"scheme": DATA_CLASS_SCHEME, "max": "internal"}

# constraint, facts that pass, facts that do not (the missing fact is tried for all)
TABLE: list[tuple[str, Any, list[dict[str, Any]], list[dict[str, Any]]]] = [
    ("purpose", ["audit"], [{"purpose": "audit"}], [{"purpose": "Audit"}, {"purpose": "fun"}]),
    ("task", HUMAN, [{"task": HUMAN}, {"task": AGENT}], [{"task": {**HUMAN, "id": "t2"}}]),
    ("task", AGENT, [{"task": AGENT}], [{"task": HUMAN}]),
    ("rows", {"max": 3}, [{"rows": 0}, {"rows": 3}], [{"rows": 4}]),
    ("rows", {"max": 0}, [{"rows": 0}], [{"rows": 1}]),
    ("bytes", {"max": 9}, [{"bytes": 9}], [{"bytes": 10}]),
    ("columns", ["a", "b"], [{"columns": ("a",)}, {"columns": ("b", "a")}],
     [{"columns": ("c",)}, {"columns": ("a", "c")}]),
    ("budget", EUR, [eur(0), eur(500)], [eur(501), eur(5, "USD:2")]),
    ("dataClass", LOW, [PUBLIC, {"data_class": "internal"}], [{"data_class": "confidential"}]),
    ("network", ["10.0.0.0/8", "2001:db8::/32"],
     [{"network": "10.255.255.255"}, {"network": "2001:db8::9"}],
     [{"network": "11.0.0.0"}, {"network": "2001:db9::"}]),
    ("arguments", {"n": {"eq": 1}}, [args(n=1)], [args(n="1"), args(n=True), args(m=1)]),
    ("arguments", {"n": {"in": ["x", 2]}}, [args(n="x"), args(n=2)], [args(n="2"), args(n="X")]),
    ("arguments", {"n": {"range": {"min": -1, "max": 2}}}, [args(n=-1), args(n=2)],
     [args(n=3), args(n="1"), args(n=True), args(n=-2)]),
    ("arguments", {"n": {"range": {"min": "1", "max": "10"}}}, [args(n="9"), args(n="10")],
     [args(n=9), args(n="11"), args(n="09"), args(n=" 9"), args(n="٩"), args(n="-1")]),
    ("arguments", {"a": {"eq": 1}, "b": {"eq": 2}}, [args(a=1, b=2)], [args(a=1), args(b=2)]),
]  # fmt: skip


def holds(limit: con.Constraints, at: int = T0, **facts: Any) -> bool:
    return con.holds(limit, Request("db.read", "urn:acme:papers:1", **facts), at)


@pytest.mark.parametrize(
    ("kind", "value", "passing", "stopped"),
    TABLE,
    ids=[f"{row[0]}-{index}" for index, row in enumerate(TABLE)],
)
def test_constraint_passes_stops_and_takes_silence_for_no(
    kind: str, value: Any, passing: list[dict[str, Any]], stopped: list[dict[str, Any]]
) -> None:
    limit = con.parse({kind: value})
    for facts in passing:
        assert holds(limit, **facts), facts
    for facts in stopped:
        assert not holds(limit, **facts), facts
    assert not holds(limit), "the missing fact"


def test_every_kind_is_tried_here_or_below() -> None:
    below = {"audience", "rate", "approval", "hours"}
    assert {row[0] for row in TABLE} | below == {*KINDS, "arguments"}


@pytest.mark.parametrize(
    ("clock", "inside"),
    [("08:59:59", False), ("09:00:00", True), ("11:59:59", True), ("12:00:00", False),
     ("12:59:59", False), ("13:00:00", True), ("23:59:59", True), ("00:00:00", False)],
)  # fmt: skip
def test_hours_are_half_open_windows_of_the_utc_day(clock: str, inside: bool) -> None:
    limit = con.parse({"hours": [["09:00", "12:00"], ["13:00", "24:00"]]})
    hour, minute, second = map(int, clock.split(":"))
    at = 20_000 * 86_400 + hour * 3600 + minute * 60 + second
    assert holds(limit, at) is inside


@pytest.mark.parametrize(
    ("over", "facts", "asked"),
    [
        (None, {}, True),
        (None, eur(0), True),
        (100, eur(100), False),
        (100, eur(101), True),
        (100, eur(5, "USD:2"), True),
        (100, {}, True),
    ],
)
def test_approval_is_asked_from_an_amount_on_and_where_the_amount_is_unknown(
    over: int | None, facts: dict[str, Any], asked: bool
) -> None:
    rule: dict[str, Any] = {"threshold": 1, "by": [ANN]}
    if over is not None:
        rule["over"] = {"unit": "EUR:2", "value": str(over)}
    request = Request("db.read", "urn:acme:papers:1", **facts)
    assert con.approval_applies(con.parse({"approval": rule}), request) is asked


def acted(constraints: dict[str, Any], *, ledgers: bool = True, **facts: Any) -> str:
    """What the whole verifier says of one link with these constraints."""
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    named = {"ledger": world.db.did}
    own = {k: {**v, **named} if "ledger" in v else v for k, v in constraints.items()}
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"], constraints=own)
    request = Request("db.read", "urn:acme:papers:1", **facts)
    mine = world.trust_json["verifier"]
    trust = world.trust() if ledgers else world.trust(verifier={"id": mine["id"]})
    from delegant.credentials import decide

    shown = world.present([link], request)
    verdict = decide(shown, world.evidence(), trust, request, at=world.now)
    if verdict.authorization is not None:
        return " ".join(sorted(one.json["type"] for one in verdict.authorization.obligations))
    return f"{verdict.code} {verdict.dimension}"


def test_audience_of_a_link_is_held_to() -> None:
    assert "once" in acted({"audience": [World().db.did, ANN]}).split()
    assert acted({"audience": [ANN]}).startswith("audience")


def test_budget_and_rate_become_obligations_of_the_ledger_kept_here() -> None:
    rate = {"ledger": ANN, "count": 3, "periodSeconds": 60}
    assert "rate" in acted({"rate": rate}).split()
    assert "debit" in acted({"budget": EUR}, **eur(5)).split()
    assert acted({"rate": rate}, ledgers=False).startswith("no-ledger")
    assert acted({"budget": EUR}, ledgers=False, **eur(5)).startswith("no-ledger")
    assert acted({"budget": EUR}) == "constraint budget"


def test_task_and_approval_have_codes_of_their_own() -> None:
    assert acted({"task": HUMAN}).startswith("task-mismatch")
    assert acted({"approval": {"threshold": 1, "by": [ANN]}}).startswith("approval-missing")
    assert acted({"rows": {"max": 2}}, rows=3) == "constraint rows"


REFUSED: list[tuple[Any, str]] = [
    ({}, "shape"),
    ([], "shape"),
    ({"colour": "red"}, "unknown-constraint"),
    ({"Rows": {"max": 1}}, "unknown-constraint"),
    ({"rows": {"max": 1, "min": 0}}, "unknown-member"),
    ({"rows": {"max": True}}, "shape"),
    ({"rows": {"max": 1.0}}, "shape"),
    ({"rows": {"max": -1}}, "shape"),
    ({"rows": {"max": "1"}}, "shape"),
    ({"rows": 1}, "shape"),
    ({"purpose": []}, "empty-array"),
    ({"purpose": ["a", "a"]}, "shape"),
    ({"purpose": "a"}, "shape"),
    ({"columns": [str(n) for n in range(65)]}, "limit-items"),
    ({"audience": ["urn:x"]}, "shape"),
    ({"task": {"id": "t", "initiation": "cron"}}, "shape"),
    ({"budget": {**EUR, "total": 900}}, "shape"),
    ({"budget": {**EUR, "total": "0900"}}, "shape"),
    ({"budget": {**EUR, "total": "-1"}}, "shape"),
    ({"budget": {**EUR, "total": "1e3"}}, "shape"),
    ({"rate": {"ledger": ANN, "count": 0, "periodSeconds": 1}}, "shape"),
    ({"rate": {"ledger": ANN, "count": 1, "periodSeconds": 0}}, "shape"),
    ({"dataClass": {"scheme": "https://x.example", "max": "public"}}, "unknown-constraint"),
    ({"dataClass": {"scheme": DATA_CLASS_SCHEME, "max": "secret"}}, "shape"),
    ({"approval": {"threshold": 2, "by": [ANN]}}, "shape"),
    ({"approval": {"threshold": 0, "by": [ANN]}}, "shape"),
    ({"approval": {"threshold": 1, "by": [ANN, ANN]}}, "shape"),
    ({"hours": []}, "empty-array"),
    ({"hours": [["09:00", "09:00"]]}, "shape"),
    ({"hours": [["22:00", "02:00"]]}, "shape"),
    ({"hours": [["09:00", "12:00"], ["12:00", "13:00"]]}, "shape"),
    ({"hours": [["9:00", "12:00"]]}, "shape"),
    ({"hours": [["09:00", "24:01"]]}, "shape"),
    ({"hours": [["09:00", "12:00", "13:00"]]}, "shape"),
    ({"network": ["10.0.0.1/8"]}, "shape"),
    ({"network": ["10.0.0.0"]}, "shape"),
    ({"network": ["10.0.0.0/255.0.0.0"]}, "shape"),
    ({"network": ["010.0.0.0/8"]}, "shape"),
    ({"network": ["10.0.0.0/8", "10.1.0.0/16"]}, "shape"),
    ({"network": ["2001:DB8::/32"]}, "shape"),
    ({"arguments": {}}, "shape"),
    ({"arguments": {"n": {}}}, "shape"),
    ({"arguments": {"n": {"eq": 1, "in": [1]}}}, "shape"),
    ({"arguments": {"n": {"eq": 1.5}}}, "shape"),
    ({"arguments": {"n": {"eq": None}}}, "shape"),
    ({"arguments": {"n": {"in": []}}}, "empty-array"),
    ({"arguments": {"n": {"in": [1, 1]}}}, "shape"),
    ({"arguments": {"n": {"prefix": "a"}}}, "unknown-constraint"),
    ({"arguments": {"n": {"range": {"min": 2, "max": 1}}}}, "shape"),
    ({"arguments": {"n": {"range": {"min": 1, "max": "2"}}}}, "shape"),
    ({"arguments": {"n": {"range": {"min": 1}}}}, "shape"),
    ({"arguments": {"n n": {"eq": 1}}}, "shape"),
    ({"arguments": {"ñ": {"eq": 1}}}, "shape"),
    ({"arguments": {"n" * 65: {"eq": 1}}}, "shape"),
]


@pytest.mark.parametrize(("value", "code"), REFUSED, ids=lambda v: ascii(v)[:50])
def test_constraint_written_otherwise_is_refused(value: Any, code: str) -> None:
    with pytest.raises(Error) as refused:
        con.parse(value)
    assert refused.value.code == code
