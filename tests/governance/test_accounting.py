"""What holds a ledger to its log finds what is altered in either: else no test with it counts."""

from __future__ import annotations

import sqlite3

import pytest

from governance.accounting import account
from governance.auditing import Auditing, costing

TOTAL = 1000


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit_budgets SET spent = '1'", "budgets are"),
        ("DELETE FROM audit_budgets", "budgets are"),
        ("DELETE FROM audit_open", "the intents that wait"),
        ("UPDATE audit_open SET number = number + 1", "the intents that wait"),
        ("DELETE FROM audit_openings", "has no opening"),
        ("UPDATE audit_openings SET body = CAST('{}' AS BLOB)", "does not fit"),
        ("DELETE FROM audit_exhibits WHERE length(body) > 1000", "is missing"),
        ("DELETE FROM audit_entries WHERE number = (SELECT max(number) FROM audit_entries)",
         "a tree of"),
    ],
)  # fmt: skip
def test_an_altered_table_is_found(local: Auditing, statement: str, told: str) -> None:
    link = local.link(constraints={"budget": local.budget(TOTAL)})
    limits = {link.digest: TOTAL}
    local.ledger.settle(local.permit([link], costing(400)), amount=300, at=local.now)
    local.permit([link], costing(100))
    assert account(local.log, limits) == []
    with sqlite3.connect(local.folder / "audit.db") as db:
        db.execute(statement)
    db.close()
    assert told in " ".join(account(local.log, limits))


def test_a_budget_that_is_smaller_than_what_was_reserved_is_found(local: Auditing) -> None:
    link = local.link(constraints={"budget": local.budget(TOTAL)})
    local.ledger.settle(local.permit([link], costing(400)), amount=0, at=local.now)
    assert account(local.log, {link.digest: 400}) == []
    assert "overspends" in " ".join(account(local.log, {link.digest: 399}))
