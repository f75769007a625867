"""What is old goes, and nothing else; and whatever is gone, the log says so and still verifies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from delegant.credentials import Error
from delegant.credentials.shape import format_time
from delegant.governance import bundle, retention
from delegant.governance.auditlog import AuditLog, Settings
from delegant.governance.checking import Verified
from delegant.governance.holding import Scope, hold, lift
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.retention import prune
from delegant.governance.tables import ENTRIES, EXHIBITS, PRUNED
from delegant.governance.verifying import verify_bundle
from delegant.wallet import files
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


def test_the_setting_in_the_folder_is_held_to_the_same(auditing: Auditing) -> None:
    path = auditing.folder / "audit.json"
    said = files.read_object(path)
    for days, code in ((183, "shape"), (0, "shape"), (None, "shape"), (184, ""), (400, "")):
        files.write_json(path, said | {"retentionDays": days})
        assert refusal(lambda: Settings(auditing.folder)) == code
    auditing.reopen()
    later(auditing, 399)
    assert refusal(lambda: prune_now(auditing)) == "retention"
    assert refusal(lambda: prune_now(auditing, 400)) == ""


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
            update(EXHIBITS)
            .where(EXHIBITS.c.digest == both.digest)
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


def test_the_store_finds_what_is_pruned_in_any_range(auditing: Auditing) -> None:
    every = [(2, 4), (4, 5), (9, 10), (20, 40)]
    store = auditing.log.store
    with store.transaction(sequencing=True) as db:
        assert store.pruned(db, 0, 100) == []
        db.execute(insert(PRUNED), [{"start": start, "end": end} for start, end in every])
    with store.transaction(reading=True) as db:
        for start in range(45):
            for end in range(start + 1, 46):
                touched = [one for one in every if one[0] < end and start < one[1]]
                assert store.pruned(db, start, end) == touched


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


def test_an_auditor_sees_what_was_pruned_and_what_was_only_taken_away(
    auditing: Auditing, tmp_path: Path
) -> None:
    link = auditing.link()
    for _ in range(3):
        act(auditing, link)
    told(auditing, samples.refusal())
    later(auditing, 200)
    prune(auditing.log, T0 + 1, BY, auditing.now)
    told(auditing, samples.refusal())

    def verified(name: str) -> Verified:
        bundle.export(auditing.log, tmp_path / name)
        with AuditBundle(tmp_path / name) as opened:
            return verify_bundle(opened, Believed(auditing.log.key))

    found = verified("good.zip")
    assert (found.pruned, found.entries, found.whole) == (7, 2, True)
    with auditing.log.store.transaction(sequencing=True) as db:
        db.execute(delete(ENTRIES).where(ENTRIES.c.number == 8))
        db.execute(insert(PRUNED).values(start=8, end=9))
    with pytest.raises(Error) as refused:
        verified("bad.zip")
    assert (refused.value.code, refused.value.dimension) == ("log-proof", "entry 8")


# --- meanwhile ----------------------------------------------------------------------------------


def test_a_hold_that_is_placed_meanwhile_is_kept(
    auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = act(auditing, auditing.link())
    later(auditing, 200)
    log = auditing.log
    write = log.write
    placed: list[Any] = []

    def late(change: Any, at: int) -> Any:
        if not placed:
            placed.append(None)
            placed[0] = hold(log, Scope(event=event), "late", BY, at)
        return write(change, at)

    monkeypatch.setattr(log, "write", late)
    assert refusal(lambda: prune_now(auditing)) == "retention"
    assert numbers(auditing) == [0, 1, 2]
    assert prune_now(auditing).held == 1
    lift(log, placed[0].id, BY, auditing.now)
    assert prune_now(auditing).events == 1


def test_two_that_prune_at_once_prune_once(
    auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(auditing, auditing.link())
    later(auditing, 200)
    log = auditing.log
    write = log.write
    others: list[Any] = []

    def late(change: Any, at: int) -> Any:
        if not others:
            others.append(None)
            others[0] = prune_now(auditing)
        return write(change, at)

    monkeypatch.setattr(log, "write", late)
    assert refusal(lambda: prune_now(auditing)) == "retention"
    assert others[0].events == 1
    assert len(notices(auditing)) == 1


def test_acts_go_on_while_it_prunes(auditing: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    for _ in range(40):
        told(auditing, samples.refusal())
    later(auditing, 200)
    world = auditing.world
    world.attest(auditing.ana)
    auditing.bot = world.agent("fresh", auditing.ana)
    link = auditing.link()
    with ThreadPoolExecutor(1) as pool:
        pruning = pool.submit(prune_now, auditing)
        events = [act(auditing, link) for _ in range(10)]
        found = pruning.result()
    assert found.events == 40
    assert len(notices(auditing)) == 20
    for event in events:
        assert [one.type for one in auditing.log.records(event)] == ["intent", "outcome"]
    assert numbers(auditing) == [*range(40, 80)]
    assert exhibits(auditing) != []


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.faults)])
def test_whoever_is_killed_while_pruning_has_done_a_step_or_has_not(
    tmp_path: Path, every: int
) -> None:
    auditing = Auditing(tmp_path / "audit")
    link = auditing.link()
    events = [act(auditing, link) for _ in range(4)]
    act(auditing, auditing.link(seconds=600))  # with the two steps of two it makes three
    begin(auditing, link)
    later(auditing, 200)
    auditing.log.close()

    def pruning(*deaths: int) -> list[int]:
        """Prune copies, each dying somewhere else; what those that lived have counted."""
        done = subprocess.run(
            [sys.executable, "-m", "governance.pruner", str(auditing.folder), str(auditing.now),
             *map(str, deaths)],
            cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [int(line) for line in done.stdout.split()]

    (whole,) = pruning(0)
    deaths = range(1, whole + 1, every)
    assert whole > 40
    assert pruning(*deaths) == []

    left = set()
    for death in (0, *deaths):
        copy = AuditLog.open(tmp_path / f"audit.{death}", PASSPHRASE)
        try:
            found = Auditing.__new__(Auditing)
            found.log = copy
            gone = [number for start, end in pruned(found) for number in range(start, end)]
            said = [one.json["notice"]["entries"] for one in notices(found)]
            assert (
                sorted(n for one in said for start, end in one for n in range(start, end)) == gone
            )
            assert len(gone) in (0, 4, 8, 10)
            kept = numbers(found)
            assert sorted({*range(11)} - {*kept}) == gone
            assert all(copy.record(number).log == copy.id for number in kept)
            assert [event in openings(found) for event in events] == [
                2 * turn not in gone for turn in range(4)
            ]
            assert {link.digest} <= {*exhibits(found)}  # of the act that is open
            left.add(len(gone))
            assert prune(copy, auditing.now - KEPT_DAYS * DAY, BY, auditing.now).events == (
                (10 - len(gone)) // 2
            )
            assert len(exhibits(found)) == 5
        finally:
            copy.close()
    assert left == {0, 4, 8, 10}


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
