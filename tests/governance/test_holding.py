"""What is held stays, whatever its age; and a hold tells nobody whom it is about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from delegant.credentials import canonical
from delegant.governance import holding
from delegant.governance.holding import Held, Scope, hold, holds, lift
from delegant.governance.record import new_event
from delegant.governance.retention import prune
from delegant.governance.tables import ENTRIES, HOLDS
from governance import samples
from governance.auditing import Auditing
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
    told,
)
from refusal import refusal
from world import T0

WHY = "a case that nobody should read of here"


def held(auditing: Auditing, **scope: Any) -> Held:
    """Hold something, now."""
    return hold(auditing.log, Scope(**scope), WHY, BY, auditing.now)


def gone(auditing: Auditing) -> int:
    """Prune what is old enough; how many events are gone."""
    return prune(auditing.log, auditing.now - KEPT_DAYS * DAY, BY, auditing.now).events


def scopes(auditing: Auditing, event: str, *, covering: bool) -> list[dict[str, Any]]:
    """Scopes that cover an act at `T0`, and their nearest that do not."""
    ana, bot, other = auditing.ana.did, auditing.bot.did, "did:web:other.example"
    if covering:
        return [
            {"sponsor": ana}, {"agent": bot}, {"event": event}, {"start": T0}, {"end": T0 + 1},
            {"start": T0, "end": T0 + 1}, {"sponsor": ana, "agent": bot, "start": T0},
        ]  # fmt: skip
    return [
        {"sponsor": bot}, {"agent": ana}, {"agent": other}, {"event": new_event(1)},
        {"start": T0 + 1}, {"end": T0}, {"sponsor": ana, "agent": other},
        {"event": event, "start": T0 + 1},
    ]  # fmt: skip


def test_what_a_hold_covers_stays_until_it_is_lifted(auditing: Auditing) -> None:
    event = act(auditing, auditing.link())
    kept = exhibits(auditing)
    for scope in scopes(auditing, event, covering=True):
        placed = held(auditing, **scope)
        later(auditing, 200)
        assert gone(auditing) == 0, scope
        assert numbers(auditing)[:2] == [0, 1]
        assert openings(auditing) == [event]
        assert exhibits(auditing) == kept
        lift(auditing.log, placed.id, BY, auditing.now)
    assert gone(auditing) == 1
    assert openings(auditing) == exhibits(auditing) == []


def test_what_it_does_not_cover_goes(auditing: Auditing) -> None:
    event = act(auditing, auditing.link())
    for scope in scopes(auditing, event, covering=False):
        held(auditing, **scope)
    later(auditing, 200)
    assert gone(auditing) == 1


def test_an_act_that_a_held_agent_had_another_do_stays(auditing: Auditing) -> None:
    told(auditing, samples.refusal())
    held(auditing, agent=samples.AIDE)
    later(auditing, 200)
    assert gone(auditing) == 0


def test_what_comes_after_the_hold_is_held_too(auditing: Auditing) -> None:
    held(auditing, sponsor=auditing.ana.did)
    act(auditing, auditing.link())
    told(auditing, samples.refusal())  # another's
    later(auditing, 200)
    assert gone(auditing) == 1
    assert numbers(auditing)[:3] == [0, 1, 2]


def test_of_two_holds_one_is_enough(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    first, second = held(auditing, sponsor=auditing.ana.did), held(auditing, end=T0 + 1)
    later(auditing, 200)
    lift(auditing.log, first.id, BY, auditing.now)
    assert gone(auditing) == 0
    lift(auditing.log, second.id, BY, auditing.now)
    assert gone(auditing) == 1


def test_a_hold_of_an_act_that_is_open_outlives_its_end(auditing: Auditing) -> None:
    event = begin(auditing, auditing.link())
    placed = held(auditing, event=event)
    later(auditing, 200)
    assert gone(auditing) == 0
    lift(auditing.log, placed.id, BY, auditing.now)
    assert gone(auditing) == 0  # it is still open


# --- what the log says of it --------------------------------------------------------------------


def test_the_log_says_that_something_is_held_and_not_what_or_why(auditing: Auditing) -> None:
    placed = held(auditing, sponsor=auditing.ana.did, start=T0, end=T0 + DAY)
    (notice,) = notices(auditing)
    assert notice.event == placed.id
    assert notice.sponsor == BY
    assert notice.json["notice"].keys() == {"kind", "terms"}
    text = canonical(notice.json).decode()
    assert auditing.ana.did not in text
    assert WHY not in text

    again = held(auditing, sponsor=auditing.ana.did, start=T0, end=T0 + DAY)
    one, other = (found.json["notice"]["terms"] for found in notices(auditing))
    assert one != other  # whoever guesses what is held cannot try
    assert again.id != placed.id


def test_a_lift_reveals_nothing_and_leaves_nothing(auditing: Auditing) -> None:
    act(auditing, auditing.link())
    placed = held(auditing, sponsor=auditing.ana.did)
    number = lift(auditing.log, placed.id, BY, auditing.now)
    notice = notices(auditing)[-1]
    assert auditing.log.record(number) == notice
    assert notice.json["notice"] == {"kind": "lift", "hold": placed.id}
    assert holds(auditing.log) == []
    with auditing.log.store.transaction(reading=True) as db:
        assert list(db.execute(select(HOLDS))) == []
    if auditing.database is None:
        auditing.log.close()
        data = b"".join(one.read_bytes() for one in auditing.folder.iterdir() if one.is_file())
        assert WHY.encode() not in data
        assert placed.id.encode() in data
        auditing.reopen()


def test_the_holds_that_stand_are_listed_as_they_were_placed(auditing: Auditing) -> None:
    first = held(auditing, sponsor=auditing.ana.did, start=T0)
    later(auditing, 1)
    second = held(auditing, event=new_event(1))
    assert holds(auditing.log) == [first, second]
    assert first.json == {
        "id": first.id, "index": 0, "time": "2026-09-21T14:13:20Z", "by": BY, "reason": WHY,
        "sponsor": auditing.ana.did, "from": "2026-09-21T14:13:20Z",
    }  # fmt: skip
    lift(auditing.log, first.id, BY, auditing.now)
    auditing.reopen()
    assert holds(auditing.log) == [second]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"sponsor": "ana"},
        {"agent": ""},
        {"event": "evt_1"},
        {"start": 2, "end": 2},
    ],
)
def test_a_hold_of_nothing_is_none(scope: dict[str, Any]) -> None:
    assert refusal(lambda: Scope(**scope)) == "shape"
    assert refusal(lambda: Scope(start=1, end=2)) == ""


def test_a_hold_has_a_reason_and_a_human(auditing: Auditing) -> None:
    log, scope, at = auditing.log, Scope(event=new_event(1)), auditing.now
    assert refusal(lambda: hold(log, scope, "", BY, at)) == "shape"
    assert refusal(lambda: hold(log, scope, "x" * 1025, BY, at)) == "shape"
    assert refusal(lambda: hold(log, scope, WHY, "ana", at)) == "shape"
    assert numbers(auditing) == []
    assert refusal(lambda: hold(log, scope, "x" * 1024, BY, at)) == ""


def test_only_a_hold_that_stands_is_lifted_and_once(auditing: Auditing) -> None:
    log, placed = auditing.log, held(auditing, start=T0)
    assert refusal(lambda: lift(log, new_event(1), BY, auditing.now)) == "not-found"
    assert refusal(lambda: lift(log, "all", BY, auditing.now)) == "shape"
    assert refusal(lambda: lift(log, placed.id, "ana", auditing.now)) == "shape"
    assert holds(log) == [placed]
    assert refusal(lambda: lift(log, placed.id, BY, auditing.now)) == ""
    assert refusal(lambda: lift(log, placed.id, BY, auditing.now)) == "not-found"
    assert len(notices(auditing)) == 2


def test_no_more_holds_stand_than_can_be_asked(
    auditing: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MAX_HOLDS", 2)
    first = held(auditing, start=T0)
    held(auditing, start=T0)
    assert refusal(lambda: held(auditing, start=T0)) == "limit-items"
    assert len(notices(auditing)) == 2
    lift(auditing.log, first.id, BY, auditing.now)
    assert refusal(lambda: held(auditing, start=T0)) == ""


# --- damage -------------------------------------------------------------------------------------

OTHER = canonical({"salt": "AAAAAAAAAAAAAAAAAAAAAA", "reason": "x", "sponsor": "did:web:x.example"})
BEHIND = {
    "a hold that vanished": delete(HOLDS),
    "a hold that is another": update(HOLDS).values(body=OTHER),
    "a hold that nobody placed": insert(HOLDS).values(event=new_event(1), body=OTHER),
    "a notice that is another": update(ENTRIES).where(ENTRIES.c.number == 2).values(body=OTHER),
    "a notice that vanished": delete(ENTRIES).where(ENTRIES.c.number == 2),
}


@pytest.mark.parametrize("name", BEHIND)
def test_nobody_gets_around_a_hold_behind_the_logs_back(auditing: Auditing, name: str) -> None:
    act(auditing, auditing.link())
    held(auditing, sponsor=auditing.ana.did)
    told(auditing, samples.refusal())
    later(auditing, 200)
    with auditing.log.store.transaction(sequencing=True) as db:
        db.execute(BEHIND[name])
    assert refusal(lambda: gone(auditing)) == "unavailable"
    assert refusal(lambda: holds(auditing.log)) == "unavailable"
    assert numbers(auditing)[:2] == [0, 1]
