"""A store that is full, held, gone or broken: no permit, nothing done; it goes on afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error
from delegant.credentials.errors import error
from governance.accounting import account
from governance.auditing import Auditing, costing
from refusal import refusal

TOTAL = 1000


class Attempts:
    """Everything that writes, tried while the store does not; and again when it does."""

    def __init__(self, auditing: Auditing) -> None:
        self.auditing = auditing
        self.link = auditing.link(constraints={"budget": auditing.budget(TOTAL)})
        self.settled, self.released = (auditing.permit([self.link], costing(100)) for _ in "ab")
        self.call = auditing.asked([self.link], costing(700))
        self.evidence = auditing.world.evidence()
        self.before = len(auditing.records())

    def all(self) -> dict[str, Callable[[], Any]]:
        ledger, now = self.auditing.ledger, self.auditing.now
        auth, request, shown = self.call
        return {
            "permit": lambda: ledger.permit(
                auth, request, presentation=shown, evidence=self.evidence, at=now
            ),
            "settle": lambda: ledger.settle(self.settled, amount=50, at=now),
            "release": lambda: ledger.release(self.released, at=now),
            "refuse": lambda: ledger.refuse(error("no-grant", "no"), presentation=shown, at=now),
        }

    def none_is_done(self) -> None:
        """No permit is given, and nobody is told that anything is on record."""
        for name, call in self.all().items():
            assert refusal(call) == "unavailable", name

    def goes_on(self) -> None:
        """Nothing of it had happened: the same calls are taken now, and budgets are exact."""
        assert len(self.auditing.records()) == self.before
        for call in self.all().values():
            call()
        assert len(self.auditing.records()) == self.before + 4
        left = TOTAL - 50 - 700
        assert refusal(lambda: self.auditing.permit([self.link], costing(left + 1))) == "constraint"
        self.auditing.permit([self.link], costing(left))
        assert account(self.auditing.log, {self.link.digest: TOTAL}) == []


def test_a_full_disk_gives_no_permit_and_it_goes_on_when_there_is_room(local: Auditing) -> None:
    attempts = Attempts(local)
    auth, request, shown = attempts.call
    for _ in range(3):
        capped(local)
        with pytest.raises(Error) as raised:
            local.ledger.permit(
                auth, request, presentation=shown, evidence=attempts.evidence, at=local.now,
                given="x" * 100_000,
            )  # fmt: skip
        assert raised.value.code == "unavailable"
        assert "FULL" in raised.value.detail
    filled = 0
    capped(local)
    while refusal(lambda: local.ledger.refuse(error("no-grant", "no"), at=local.now)) == "":
        filled += 1
        assert filled < 64
    attempts.before += filled
    attempts.goes_on()


def capped(auditing: Auditing) -> None:
    """The database may not grow, as long as this connection is kept: until it fails."""
    with auditing.log.store.transaction(reading=True) as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


@pytest.mark.parametrize(
    "table",
    ["audit_entries", "audit_tiles", "audit_checkpoints", "audit_open", "audit_openings",
     "audit_spent", "audit_budgets"],
)  # fmt: skip
def test_what_a_table_does_not_take_is_no_permit(local: Auditing, table: str) -> None:
    attempts = Attempts(local)
    with sqlite3.connect(local.folder / "audit.db", isolation_level=None) as db:
        for when in ("INSERT", "UPDATE"):
            db.execute(
                f"CREATE TRIGGER no_{when} BEFORE {when} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
    db.close()
    assert refusal(attempts.all()["permit"]) == "unavailable"
    assert len(local.records()) == attempts.before
    with sqlite3.connect(local.folder / "audit.db", isolation_level=None) as db:
        for when in ("INSERT", "UPDATE"):
            db.execute(f"DROP TRIGGER no_{when}")
    db.close()
    attempts.goes_on()


def test_a_store_that_is_gone_gives_no_permit_until_it_is_back(
    local: Auditing, tmp_path: Path
) -> None:
    attempts = Attempts(local)
    path = local.folder / "audit.db"
    path.rename(tmp_path / "away.db")
    attempts.none_is_done()
    assert not path.exists()  # and no new one is made
    (tmp_path / "away.db").rename(path)
    attempts.goes_on()


def test_a_store_that_somebody_holds_is_waited_for_and_then_there_is_no_permit(
    local: Auditing,
) -> None:
    attempts = Attempts(local)
    holder = sqlite3.connect(local.folder / "audit.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert refusal(attempts.all()["permit"]) == "unavailable"
    holder.execute("ROLLBACK")
    holder.close()
    attempts.goes_on()


def test_where_the_checkpoint_cannot_be_written_nobody_is_told_of_a_permit(
    local: Auditing,
) -> None:
    """It may be on record then: it stays spent, and the same call is a replay."""
    attempts = Attempts(local)
    folder = local.folder / "log"
    kept = local.folder / "log.kept"
    folder.rename(kept)
    folder.write_text("no folder")
    assert refusal(attempts.all()["permit"]) == "unavailable"
    folder.unlink()
    kept.rename(folder)
    assert len(local.records()) == attempts.before
    attempts.goes_on()
