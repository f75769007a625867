"""Small universes: for each kind of constraint, values as they stand in a link, and requests.

The values stand beside, inside and apart from each other; the requests are fine enough to tell
them apart.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

from delegant.credentials import PrivateKey, Request, did
from properties.oracle import allows, approved, schedules

ANN, BEN, CAT = (did.from_key(PrivateKey(bytes([n]) * 32).public) for n in (1, 2, 3))
NOON = 12 * 3600
DATA_CLASS_SCHEME = "https://delegant.example/data-class/v1"


@dataclass(frozen=True)
class Ask:
    """One point of the universe: a request, an instant, and who approved and whom it is for."""

    request: Request
    at: int = NOON
    audience: str = ANN
    approvers: frozenset[str] = frozenset()


def ask(at: int = NOON, audience: str = ANN, approvers: tuple[str, ...] = (), **facts: Any) -> Ask:
    return Ask(
        Request("db.read", "urn:acme:papers:17", **facts), at, audience, frozenset(approvers)
    )


def clock(hour: int, minute: int = 0) -> int:
    return hour * 3600 + minute * 60


def subsets(items: list[str]) -> list[list[str]]:
    return [list(c) for n in range(1, len(items) + 1) for c in itertools.combinations(items, n)]


def money(value: int, unit: str = "EUR:2") -> dict[str, str]:
    return {"unit": unit, "value": str(value)}


def budget(each: int, total: int, ledger: str = ANN, unit: str = "EUR:2") -> dict[str, str]:
    return {"ledger": ledger, "unit": unit, "perAction": str(each), "total": str(total)}


def rate(count: int, period: int, ledger: str = ANN) -> dict[str, Any]:
    return {"ledger": ledger, "count": count, "periodSeconds": period}


NUMBERS: list[str | int | bool] = ["1", "2", "x", 1, 2, 3, True, False, "-1", "01"]

VALUES: dict[str, list[Any]] = {
    "audience": subsets([ANN, BEN, CAT]),
    "purpose": subsets(["audit", "billing", "care"]),
    "columns": subsets(["a", "b", "c"]),
    "task": [
        {"id": name, "initiation": how}
        for name in ("t1", "t2")
        for how in ("human_request", "schedule", "agent_decision")
    ],
    "rows": [{"max": n} for n in range(4)],
    "bytes": [{"max": n} for n in range(4)],
    "budget": [budget(e, t) for e in range(3) for t in range(3)]
    + [budget(1, 1, BEN), budget(1, 1, ANN, "USD:2")],
    "rate": [rate(c, p) for c in range(1, 5) for p in range(1, 5)] + [rate(1, 1, BEN)],
    "dataClass": [
        {"scheme": DATA_CLASS_SCHEME, "max": name}
        for name in ("public", "internal", "confidential", "restricted")
    ],
    "approval": [
        {"threshold": n, "by": by} | over
        for by in subsets([ANN, BEN, CAT])
        for n in range(1, len(by) + 1)
        for over in (
            {},
            {"over": money(0)},
            {"over": money(2)},
            {"over": money(2, "USD:2")},
        )
    ],
    "hours": [
        [["00:00", "24:00"]],
        [["09:00", "17:00"]],
        [["10:00", "12:00"]],
        [["12:00", "17:00"]],
        [["09:00", "12:00"], ["13:00", "17:00"]],
        [["09:00", "12:01"], ["12:59", "24:00"]],
        [["23:59", "24:00"]],
        [["00:00", "00:01"], ["12:00", "12:01"]],
    ],
    "network": [
        ["10.0.0.0/8"],
        ["10.1.0.0/16"],
        ["10.1.2.3/32"],
        ["10.0.0.0/9", "10.128.0.0/9"],
        ["10.1.0.0/16", "192.168.0.0/16"],
        ["0.0.0.0/0"],
        ["::/0"],
        ["2001:db8::/32", "10.1.2.0/24"],
    ],
    "arguments": [
        {"n": test}
        for test in (
            {"eq": 1},
            {"eq": "1"},
            {"eq": True},
            {"in": [1, 2]},
            {"in": [1, 2, "x"]},
            {"in": ["1", "-1", "01"]},
            {"range": {"min": 1, "max": 1}},
            {"range": {"min": 1, "max": 2}},
            {"range": {"min": 0, "max": 9}},
            {"range": {"min": "1", "max": "1"}},
            {"range": {"min": "-1", "max": "2"}},
            {"range": {"min": "0", "max": "0"}},
        )
    ]
    + [{"m": {"eq": 1}}, {"n": {"eq": 1}, "m": {"eq": 1}}],
}
"""For each kind, values as they stand in a link."""

AMOUNTS: list[dict[str, Any]] = [
    {},
    *({"amount": money(v, u)} for v in range(4) for u in ("EUR:2", "USD:2")),
]

UNIVERSE: dict[str, list[Ask]] = {
    "audience": [ask(audience=who) for who in (ANN, BEN, CAT)],
    "purpose": [ask(), *(ask(purpose=p) for p in ("audit", "billing", "care", "fun"))],
    "columns": [ask(), *(ask(columns=tuple(c)) for c in subsets(["a", "b", "c", "d"]))],
    "task": [
        ask(),
        *(
            ask(task={"id": name, "initiation": how})
            for name in ("t1", "t2", "t3")
            for how in ("human_request", "schedule", "agent_decision")
        ),
    ],
    "rows": [ask(), *(ask(rows=n) for n in range(6))],
    "bytes": [ask(), *(ask(bytes=n) for n in range(6))],
    "budget": [ask(), *(ask(amount=money(v, u)) for v in range(4) for u in ("EUR:2", "USD:2"))],
    "rate": [ask()],
    "dataClass": [
        ask(),
        *(ask(data_class=c) for c in ("public", "internal", "confidential", "restricted")),
    ],
    "approval": [
        ask(approvers=who, **facts)
        for who in [(), *map(tuple, subsets([ANN, BEN, CAT]))]
        for facts in AMOUNTS
    ],
    "hours": [
        ask(at=clock(h, m)) for h in (0, 8, 9, 10, 11, 12, 13, 16, 17, 23) for m in (0, 1, 58, 59)
    ],
    "network": [
        ask(),
        *(
            ask(network=ip)
            for ip in (
                "10.0.0.1",
                "10.1.0.0",
                "10.1.2.3",
                "10.1.2.4",
                "10.200.0.1",
                "192.168.1.1",
                "8.8.8.8",
                "::1",
                "2001:db8::1",
            )
        ),
    ],
    "arguments": [
        ask(),
        *(ask(arguments={"n": v}) for v in NUMBERS),
        *(ask(arguments={"m": v}) for v in NUMBERS),
        *(ask(arguments={"n": v, "m": 1}) for v in NUMBERS),
    ],
}


def allowed(kind: str, value: Any) -> set[Any]:
    """What a constraint lets pass, as the oracle says, without any use of the order."""
    rules = {kind: value}
    if kind == "rate":
        plans = schedules(value["count"], value["periodSeconds"], 5)
        return {(value["ledger"], plan) for plan in plans}
    out: set[Any] = {
        number
        for number, one in enumerate(UNIVERSE[kind])
        if allows(rules, one.request.json, one.at, one.audience)
        and approved(rules, one.request.json, one.approvers)
    }
    if kind == "budget":
        # the ledger is part of what is allowed: another ledger keeps another balance
        spent = ["at all", *range(int(value["total"]))]
        out = {(number, value["ledger"], left) for number in out for left in spent}
    return out


@cache
def passing(kind: str) -> list[set[Any]]:
    """What each value of a kind lets pass."""
    return [allowed(kind, value) for value in VALUES[kind]]
