"""What is old goes, and nothing else; and whatever is gone, the log says so and still verifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from delegant.ans.log import tiles
from delegant.credentials.shape import format_time
from delegant.governance import retention
from delegant.governance.auditlog import AuditLog
from delegant.governance.holding import Scope, hold, lift
from delegant.governance.retention import prune
from delegant.governance.tables import ENTRIES, PRUNED
from delegant.wallet.keystore import CHEAPEST
from governance import samples
from governance.auditing import PASSPHRASE, Auditing
from governance.keeping import (
    BY,
    DAY,
    KEPT_DAYS,
    act,
    begin,
    exhibits,
    later,
    notices,
    numbers,
    openings,
    pruned,
    told,
)
from refusal import refusal
from world import T0


def prune_now(auditing: Auditing, days: int = KEPT_DAYS) -> retention.Pruned:
    """Prune what is so many days old."""
    return prune(auditing.log, auditing.now - days * DAY, BY, auditing.now)


# --- the retention ------------------------------------------------------------------------------


def test_nothing_inside_the_retention_is_pruned(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing)
    for days in (0, 1, KEPT_DAYS - 1):
        assert refusal(lambda days=days: prune_now(auditing, days)) == "retention"
    log = auditing.log
    assert refusal(lambda: prune(log, T0 + 1, BY, auditing.now)) == "retention"
    assert numbers(auditing) == [0, 1]
    assert prune(log, T0, BY, auditing.now).events == 0  # it is not before itself
    later(auditing, 1)
    assert prune(log, T0 + 1, BY, auditing.now).events == 1


def test_no_six_months_are_longer_than_the_shortest_retention() -> None:
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    for leap in (0, 1):
        year = [*lengths[:1], 28 + leap, *lengths[2:]] * 2
        assert max(sum(year[start : start + 6]) for start in range(12)) <= KEPT_DAYS


@pytest.mark.parametrize("days", [0, 183, -1, 184.0, "184", True, 36_501])
def test_a_log_keeps_its_records_for_184_days_at_least(tmp_path: Path, days: Any) -> None:
    def made(name: str, days: Any) -> AuditLog:
        return AuditLog.create(
            tmp_path / name, PASSPHRASE, did=samples.LOG, retention_days=days, cost=CHEAPEST
        )

    assert refusal(lambda: made("short", days)) == "shape"
    log = made("long", 184)
    assert log.settings.retention_days == 184
    log.close()


def test_a_log_may_keep_them_for_longer(tmp_path: Path) -> None:
    log = AuditLog.create(tmp_path, PASSPHRASE, did=samples.LOG, retention_days=365, cost=CHEAPEST)
    assert refusal(lambda: prune(log, T0, BY, T0 + 364 * DAY)) == "retention"
    assert prune(log, T0, BY, T0 + 365 * DAY).events == 0
    log.close()


def test_only_a_human_with_a_name_prunes(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    assert refusal(lambda: prune(auditing.log, T0 + DAY, "ana", auditing.now)) == "shape"
    assert refusal(lambda: prune(auditing.log, T0 + DAY, "", auditing.now)) == "shape"
    assert numbers(auditing) == [0, 1]
    assert prune(auditing.log, T0 + DAY, BY, auditing.now).events == 1


def test_a_clock_that_went_back_prunes_nothing(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing, 400)
    told(auditing, samples.refusal())
    back = auditing.now - 100 * DAY
    assert refusal(lambda: prune(auditing.log, T0 + DAY, BY, back)) == "unavailable"
    assert numbers(auditing) == [0, 1, 2]
    assert prune(auditing.log, T0 + DAY, BY, auditing.now).events == 1


# --- what goes, and what stays ------------------------------------------------------------------


def test_what_is_old_is_gone_and_the_log_says_so(auditing: Auditing) -> None:
    link = auditing.link()
    events = [act(auditing, link) for _ in range(3)]
    later(auditing)
    young = told(auditing, samples.refusal())
    found = prune_now(auditing, KEPT_DAYS - 0)
    assert found.events == 0  # nothing is before the instant of the oldest
    later(auditing, 1)
    found = prune_now(auditing)

    assert (found.events, found.entries, found.held, found.open) == (3, 6, 0, 0)
    assert numbers(auditing) == [young, *found.notices]
    assert pruned(auditing) == [[0, 6]]
    assert openings(auditing) == exhibits(auditing) == []
    (notice,) = notices(auditing)
    assert notice.sponsor == notice.json["by"] == BY
    assert notice.time == auditing.now
    before = format_time(auditing.now - KEPT_DAYS * DAY)
    assert notice.json["notice"] == {"kind": "prune", "before": before, "entries": [[0, 6]]}
    for number in range(6):
        assert refusal(lambda number=number: auditing.log.record(number)) == "not-found"
    for event in events:
        assert auditing.log.records(event) == []
    assert auditing.log.record(young).type == "refusal"


def test_the_tree_still_proves_everything_that_is_left(auditing: Auditing) -> None:
    link = auditing.link()
    for _ in range(3):
        act(auditing, link)
    head = auditing.log.book.head()
    later(auditing, 200)
    young = told(auditing, samples.refusal())
    prune_now(auditing)
    book = auditing.log.book
    size = book.head().size
    assert len(book.tile(0, 0, size)) == 32 * size
    assert book.consistency(head.size, size)["proof"]
    assert book.inclusion(young)["index"] == young
    auditing.reopen()
    assert told(auditing, samples.refusal()) == size
    assert auditing.log.record(size).previous is not None


def test_pruning_twice_is_pruning_once(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    assert prune_now(auditing).notices == [2]
    again = prune_now(auditing)
    assert (again.events, again.entries, again.notices) == (0, 0, [])
    assert numbers(auditing) == [2]


def test_a_notice_is_never_pruned(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    prune_now(auditing)
    later(auditing, 400)
    assert prune_now(auditing).events == 0
    assert numbers(auditing) == [2]


def test_refusals_go_like_acts(auditing: Auditing) -> None:
    told(auditing, samples.refusal())
    told(auditing, samples.unproven(sponsor=None))
    later(auditing, 200)
    assert prune_now(auditing).entries == 2
    assert pruned(auditing) == [[0, 2]]


def test_an_intent_without_outcome_stays_until_it_has_one(auditing: Auditing) -> None:
    link = auditing.link()
    act(auditing, link)
    waiting = auditing.permit([link])
    act(auditing, link)
    later(auditing, 200)
    found = prune_now(auditing)
    assert (found.events, found.open) == (2, 1)
    assert pruned(auditing) == [[0, 2], [3, 5]]
    assert numbers(auditing) == [2, 5]
    assert openings(auditing) == [waiting.event]
    assert len(exhibits(auditing)) > 1  # its link, and what vouched for it

    auditing.ledger.fail(waiting, "unavailable", at=auditing.now)
    assert prune_now(auditing).events == 0  # the outcome is young
    later(auditing, 200)
    assert prune_now(auditing).events == 1
    assert openings(auditing) == exhibits(auditing) == []


def test_what_a_young_record_refers_to_stays(auditing: Auditing) -> None:
    old, both = auditing.link(), auditing.link(seconds=600)
    assert old.digest != both.digest
    act(auditing, old)
    act(auditing, both)
    shared = {both.digest}
    everything = set(exhibits(auditing))
    assert {old.digest, both.digest} <= everything
    later(auditing, 200)
    auditing.world.attest(auditing.ana)
    again = samples.refusal(chain=[{"id": both.id, "digestMultibase": both.digest}])
    told(auditing, again)
    with auditing.log.store.transaction(sequencing=True) as db:  # as its writer notes the day
        db.execute(
            update(retention.EXHIBITS)
            .where(retention.EXHIBITS.c.digest == both.digest)
            .values(used=auditing.now // DAY * DAY)
        )
    found = prune_now(auditing)
    assert set(exhibits(auditing)) == shared
    assert found.exhibits == len(everything - shared)


def test_events_go_whole(auditing: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    link = auditing.link()
    first, second = auditing.permit([link]), auditing.permit([link])
    act(auditing, link)
    auditing.ledger.settle(second, at=auditing.now)
    auditing.ledger.settle(first, at=auditing.now)
    later(auditing, 200)
    found = prune_now(auditing)
    assert [one.json["notice"]["entries"] for one in notices(auditing)] == [
        [[1, 5]],
        [[0, 1], [5, 6]],
    ]
    assert found.entries == 6
    assert numbers(auditing) == found.notices == [6, 7]


# --- damage -------------------------------------------------------------------------------------


def changed(auditing: Auditing, statement: Any) -> None:
    """Write into the database behind the log's back."""
    with auditing.log.store.transaction(sequencing=True) as db:
        db.execute(statement)


DAMAGE: dict[str, Callable[[], Any]] = {
    "a body that is another": lambda: (
        update(ENTRIES).where(ENTRIES.c.number == 1).values(body=b"{}")
    ),
    "an entry that is missing": lambda: delete(ENTRIES).where(ENTRIES.c.number == 1),
    "a time that is another": lambda: (
        update(ENTRIES).where(ENTRIES.c.number == 4).values(time=T0, body=b"")
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_stops_the_pruning(auditing: Auditing, name: str) -> None:
    act(auditing, auditing.link())
    act(auditing, auditing.link())
    told(auditing, samples.refusal())
    later(auditing, 200)
    changed(auditing, DAMAGE[name]())
    left = numbers(auditing)
    assert refusal(lambda: prune_now(auditing)) == "unavailable"
    assert numbers(auditing) == left
    assert pruned(auditing) == []


def test_what_is_missing_and_no_notice_says_so_is_not_taken_for_pruned(auditing: Auditing) -> None:
    link = auditing.link()
    act(auditing, link)
    begin(auditing, link)
    later(auditing, 200)
    prune_now(auditing)
    assert refusal(lambda: auditing.log.record(0)) == "not-found"
    assert refusal(lambda: prune_now(auditing)) == ""
    changed(auditing, delete(PRUNED))
    assert refusal(lambda: auditing.log.record(0)) == "unavailable"
    assert refusal(lambda: prune_now(auditing)) == "unavailable"


# --- meanwhile ----------------------------------------------------------------------------------


def test_a_hold_that_is_placed_meanwhile_is_kept(
    auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = act(auditing, auditing.link())
    later(auditing, 200)
    log = auditing.log
    write, placed = log.write, []

    def late(change: Any, at: int) -> Any:
        if not placed:
            placed.append(True)
            placed.append(hold(log, Scope(event=event), "late", BY, at))
        return write(change, at)

    monkeypatch.setattr(log, "write", late)
    assert refusal(lambda: prune_now(auditing)) == "retention"
    assert numbers(auditing) == [0, 1, 2]
    assert prune_now(auditing).held == 1
    lift(log, placed[1].id, BY, auditing.now)
    assert prune_now(auditing).events == 1


def test_two_that_prune_at_once_prune_once(
    auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    log = auditing.log
    write, others = log.write, []

    def late(change: Any, at: int) -> Any:
        if not others:
            others.append(True)
            others.append(prune_now(auditing))
        return write(change, at)

    monkeypatch.setattr(log, "write", late)
    assert refusal(lambda: prune_now(auditing)) == "retention"
    assert others[1].events == 1
    assert len(notices(auditing)) == 1


def test_acts_go_on_after_it(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    prune_now(auditing)
    world = auditing.world
    world.attest(auditing.ana)
    auditing.bot = world.agent("fresh", auditing.ana)
    event = act(auditing, auditing.link())
    assert [one.type for one in auditing.log.records(event)] == ["intent", "outcome"]
    assert tiles.FULL > auditing.log.book.head().size == 5


# --- what is left on the disk -------------------------------------------------------------------


def test_what_was_pruned_is_not_left_in_the_file(tmp_path: Path) -> None:
    auditing = Auditing(tmp_path / "audit")
    target = "urn:acme:papers:a-very-particular-paper"
    link = auditing.link()
    event = act(auditing, link, target)
    begin(auditing, auditing.link(seconds=600))
    words = [target.encode(), event.encode(), link.digest.encode()]

    def on_disk() -> list[bool]:
        auditing.log.close()
        data = b"".join(one.read_bytes() for one in auditing.folder.iterdir() if one.is_file())
        auditing.reopen()
        return [word in data for word in words]

    assert on_disk() == [True, True, True]
    later(auditing, 200)
    assert prune_now(auditing).events == 1
    assert on_disk() == [False, False, False]
    auditing.log.close()
