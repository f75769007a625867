"""The schemas of the two receipts: right and wrong claims, and every single change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import Error, PrivateKey, digest, jose
from delegant.governance.receipt import (
    AGENT_RECEIPT,
    RESOURCE_RECEIPT,
    read_agent_receipt,
    read_resource_receipt,
)
from schemas.mutate import mutants, places

ABSENT = object()
EVENT = "evt_01K0000000ABCDEFGHJKMNPQRS"
COMMON = {
    "version": 1,
    "invocation": digest(b"invocation"),
    "request": digest(b"request"),
    "chain": digest(b"chain"),
    "event": EVENT,
    "time": "2026-11-25T09:00:00Z",
}
FULL: dict[str, dict[str, Any]] = {
    "resource-receipt": COMMON
    | {
        "iss": "did:web:db.example",
        "sub": "did:web:agent.example",
        "decision": "allow",
        "outcome": "failure",
        "code": "timeout",
    },
    "agent-receipt": COMMON
    | {"iss": "did:web:agent.example", "aud": "did:web:db.example", "status": "success"},
}
READERS: dict[str, tuple[str, Callable[[object], object]]] = {
    "resource-receipt": (RESOURCE_RECEIPT, read_resource_receipt),
    "agent-receipt": (AGENT_RECEIPT, read_agent_receipt),
}
KEY = PrivateKey(bytes(32))
REFUSED = {"decision": "deny", "outcome": None, "code": "constraint"}

RIGHT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("resource-receipt", {}),
    ("resource-receipt", {"code": ABSENT}),
    ("resource-receipt", {"outcome": "released"}),
    ("resource-receipt", {"outcome": "success", "code": ABSENT}),
    ("resource-receipt", {"outcome": None, "code": ABSENT}),
    ("resource-receipt", REFUSED),
    ("resource-receipt", REFUSED | {"decision": "step_up"}),
    ("agent-receipt", {}),
    ("agent-receipt", {"event": ABSENT}),
    ("agent-receipt", {"status": "refused"}),
    ("agent-receipt", {"status": "unanswered", "event": ABSENT}),
)
WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("resource-receipt", {"sponsor": "did:web:ana.example"}),
    ("resource-receipt", {"version": 2}),
    ("resource-receipt", {"outcome": ABSENT}),
    ("resource-receipt", {"outcome": "done"}),
    ("resource-receipt", {"outcome": "success"}),
    ("resource-receipt", {"outcome": None}),
    ("resource-receipt", REFUSED | {"code": ABSENT}),
    ("resource-receipt", REFUSED | {"outcome": "failure"}),
    ("resource-receipt", {"event": EVENT.lower()}),
    ("resource-receipt", {"event": "evt_8" + "0" * 25}),
    ("resource-receipt", {"event": EVENT + "\n"}),
    ("resource-receipt", {"code": "c" * 65}),
    ("resource-receipt", {"time": 1_790_000_000}),
    ("agent-receipt", {"sub": "did:web:agent.example"}),
    ("agent-receipt", {"aud": ["did:web:db.example"]}),
    ("agent-receipt", {"aud": ABSENT}),
    ("agent-receipt", {"status": "lost"}),
    ("agent-receipt", {"status": "unanswered"}),
    ("agent-receipt", {"request": "sha256:abc"}),
    ("agent-receipt", {"time": "2026-02-30T00:00:00Z"}),
    ("agent-receipt", {"code": "replay"}),
)


def changed(kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The full claims of a kind with some set, or taken away."""
    value = copy.deepcopy(FULL[kind]) | changes
    return {name: member for name, member in value.items() if member is not ABSENT}


def reader_accepts(kind: str, value: dict[str, Any]) -> bool:
    """Whether a token with these claims is read."""
    typ, read = READERS[kind]
    try:
        read(jose.sign(value, KEY, typ, "did:web:x.example#k"))
    except Error:
        return False
    return True


@pytest.mark.parametrize(("kind", "changes"), RIGHT)
def test_this_is_right(kind: str, changes: dict[str, Any]) -> None:
    assert schemas.validate(kind, changed(kind, changes)) == []
    assert reader_accepts(kind, changed(kind, changes))


@pytest.mark.parametrize(("kind", "changes"), WRONG)
def test_this_is_wrong(kind: str, changes: dict[str, Any]) -> None:
    assert schemas.validate(kind, changed(kind, changes)) != []
    assert not reader_accepts(kind, changed(kind, changes))


def excused(value: dict[str, Any]) -> bool:
    """Where the schema may say yes alone: a whole float, a character beyond the first plane."""
    found = [member for _, member in places(value)]
    return any(type(one) is float or (type(one) is str and max(one, default="") > "\uffff")
               for one in found)  # fmt: skip


@pytest.mark.parametrize("kind", FULL)
def test_one_change_is_judged_alike(kind: str) -> None:
    both = neither = 0
    for label, value in mutants(FULL[kind]):
        schema, reader = schemas.accepts(kind, value), reader_accepts(kind, value)
        if schema == reader:
            both, neither = both + schema, neither + (not schema)
        else:
            assert schema, label
            assert excused(value), label
    assert both > 10
    assert neither > 100
