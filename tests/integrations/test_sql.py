"""A query under a permit asks for no more than the chain allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine, select

from delegant.credentials import Request
from delegant.governance.enforcing import EnforcementPoint
from delegant.integrations.sql import read
from governance.auditing import Auditing
from refusal import refusal

ORDERS = Table(
    "orders", MetaData(),
    Column("id", Integer, primary_key=True), Column("customer", String),
    Column("total", Integer), Column("iban", String),
)  # fmt: skip
RESOURCE = "urn:acme:papers:orders"


@pytest.fixture
def auditing(tmp_path: Path) -> Iterator[Auditing]:
    found = Auditing(tmp_path / "audit")
    yield found
    found.log.close()


@pytest.fixture
def db() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as found:
        ORDERS.metadata.create_all(found)
        found.execute(ORDERS.insert(), [
            {"id": n, "customer": str(n % 3), "total": n, "iban": f"XX{n:04}"} for n in range(60)
        ])  # fmt: skip
        yield found


def ask(
    auditing: Auditing, db: Connection, rules: dict[str, Any], columns: list[str],
    request: dict[str, Any], **more: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    asked = Request("db.read", RESOURCE, **request)
    shown = auditing.world.present([auditing.link(constraints=rules)], asked)
    point = EnforcementPoint(auditing.ledger, auditing.world.trust(), clock=lambda: auditing.now)
    with point.acting(shown, auditing.world.evidence(), asked) as act:
        return read(db, select(*[ORDERS.c[name] for name in columns]), act, **more)


def test_columns_rows_and_filters_are_the_chains(auditing: Auditing, db: Connection) -> None:
    rules = {
        "rows": {"max": 5}, "columns": ["id", "total"],
        "arguments": {"customer": {"in": ["1"]}},
    }  # fmt: skip
    found = ask(
        auditing, db, rules, ["id", "total", "iban"],
        {"rows": 5, "columns": ("id", "total"), "arguments": {"customer": "1"}},
        filters={"customer": ORDERS.c.customer},
    )  # fmt: skip
    assert [row["id"] for row in found] == [1, 4, 7, 10, 13]
    assert all(row.keys() == {"id", "total"} for row in found)
    assert auditing.records()[-1].json["outcome"] == {"status": "success", "rows": 5}


def test_without_limits_the_query_is_as_it_was(auditing: Auditing, db: Connection) -> None:
    assert len(ask(auditing, db, {}, ["id", "iban"], {})) == 60
    assert len(ask(auditing, db, {}, ["id", "iban"], {}, limit=7)) == 7


@pytest.mark.parametrize("most", [3, 9])
def test_the_smaller_limit_holds(auditing: Auditing, db: Connection, most: int) -> None:
    rules = {"rows": {"max": 5}}
    assert len(ask(auditing, db, rules, ["id"], {"rows": 5}, limit=most)) == min(most, 5)


def test_a_range_is_a_range_in_the_database(auditing: Auditing, db: Connection) -> None:
    rules = {"arguments": {"total": {"range": {"min": 10, "max": 12}}}}
    found = ask(
        auditing, db, rules, ["total"], {"arguments": {"total": 11}},
        filters={"total": ORDERS.c.total},
    )  # fmt: skip
    assert [row["total"] for row in found] == [10, 11, 12]


def test_an_argument_that_nobody_knows_refuses(auditing: Auditing, db: Connection) -> None:
    rules = {"arguments": {"customer": {"eq": "1"}}}
    asked = {"arguments": {"customer": "1"}}
    assert refusal(lambda: ask(auditing, db, rules, ["id"], asked)) == "constraint"
    filters = {"customer": ORDERS.c.customer}
    assert len(ask(auditing, db, rules, ["id"], asked, filters=filters)) == 20


def test_where_no_column_is_left_nothing_is_read(auditing: Auditing, db: Connection) -> None:
    rules = {"columns": ["id"]}
    asked = {"columns": ("id",)}
    assert refusal(lambda: ask(auditing, db, rules, ["iban"], asked)) == "constraint"
    assert len(ask(auditing, db, rules, ["id", "iban"], asked)) == 60


def test_bytes_are_counted(auditing: Auditing, db: Connection) -> None:
    asked = {"bytes": 100}
    assert refusal(lambda: ask(auditing, db, {"bytes": {"max": 100}}, ["id"], asked)) == (
        "constraint"
    )
    assert len(ask(auditing, db, {"bytes": {"max": 100}}, ["id"], asked, limit=5)) == 5
