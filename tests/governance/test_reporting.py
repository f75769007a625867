"""A report finds what was asked for, and puts the records of one event together."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.governance.reporting import Act, Logged, Wanted, report
from governance.exported import RECORDS, source
from governance.recorded import Recorded
from governance.samples import (
    AIDE,
    ANA,
    BEN,
    BOT,
    LOG,
    START,
    event,
    intent,
    outcome,
    read,
    refusal,
)
from refusal import refusal as refused


def events(**wanted: Any) -> list[str]:
    """The events of the acts asked for."""
    return [act.first.record.event for act in source().acts(Wanted(**wanted))]


def named(*numbers: int) -> list[str]:
    """The events of these numbers."""
    return [event(number) for number in numbers]


ALL = named(0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 999)


def test_every_event_is_one_act_in_the_order_of_the_log() -> None:
    assert events() == ALL


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"sponsor": ANA}, (0, 2, 4, 6, 7, 8, 13, 999)),
        ({"sponsor": BEN}, (10, 11, 12)),
        ({"sponsor": "did:web:nobody.example"}, ()),
        ({"agent": BOT}, (0, 2, 4, 6, 7, 8, 13, 999)),
        ({"agent": AIDE}, ()),
        ({"start": START + 8}, (10, 11, 12, 13, 999)),
        ({"end": START + 4}, (0, 2)),
        ({"start": START + 2, "end": START + 5}, (2, 4)),
        ({"decision": "modify"}, (2,)),
        ({"decision": "step_up"}, (7,)),
        ({"decision": "deny"}, (6, 8, 9)),
        ({"decision": "defer"}, ()),
        ({"initiation": "human_request"}, (0, 4, 6, 7, 13)),
        ({"initiation": "schedule"}, ()),
        ({"action": "db.read"}, (0, 6, 7, 8, 13)),
        ({"action": "db.*"}, (0, 2, 6, 7, 8, 13)),
        ({"action": "db"}, ()),
        ({"action": "d.*"}, ()),
        ({"open": True}, (13,)),
        ({"open": True, "end": START + 10}, ()),
        ({"sponsor": ANA, "decision": "deny", "action": "db.*"}, (6, 8)),
    ],
)
def test_what_is_asked_for_is_found_and_nothing_else(
    wanted: dict[str, Any], numbers: tuple[int, ...]
) -> None:
    assert events(**wanted) == named(*numbers)


@pytest.mark.parametrize(
    "wanted",
    [
        {"decision": "maybe"},
        {"initiation": "by_hand"},
        {"start": START, "end": START},
        {"start": START + 1, "end": START},
    ],
)
def test_what_no_record_can_have_is_refused(wanted: dict[str, Any]) -> None:
    assert refused(lambda: Wanted(**wanted)) == "shape"
    assert refused(lambda: Wanted(start=START, end=START + 1)) == ""


def test_an_act_says_what_came_of_it() -> None:
    results = [act.result for act in source().acts(Wanted())]
    assert results == [
        "success", "failure", "released", "refused", "refused", "refused", "refused",
        "notice", "notice", "notice", "open", "success",
    ]  # fmt: skip


def test_an_intent_without_outcome_is_open_until_there_is_one() -> None:
    begun = Logged(0, read(intent(1)))
    done = Logged(1, read(outcome(1, START + 1)))
    assert [act.result for act in Recorded(LOG, [begun]).acts(Wanted(open=True))] == ["open"]
    assert [*Recorded(LOG, [begun, done]).acts(Wanted(open=True))] == []
    (act,) = Recorded(LOG, [begun, done]).acts(Wanted())
    assert act == Act(begun, done)


def test_a_refusal_is_never_open() -> None:
    assert [*Recorded(LOG, [Logged(0, read(refusal()))]).acts(Wanted(open=True))] == []


def test_an_outcome_whose_intent_is_elsewhere_stands_alone() -> None:
    *_, act = source().acts(Wanted())
    assert act.first.record.type == "outcome"
    assert act.outcome is None
    assert len(act.entries) == 1


def test_the_counts_are_of_what_is_shown() -> None:
    found = report(source(), Wanted())
    assert found.counts == {
        "acts": 12, "open": 1, "success": 2, "failure": 1, "released": 1, "refused": 4, "notice": 3,
    }  # fmt: skip
    assert sum(found.counts.values()) == 2 * found.counts["acts"]
    assert not found.more


def test_no_more_is_shown_than_was_asked_for_and_that_is_said() -> None:
    found = report(source(), Wanted(), most=2)
    assert len(found.acts) == found.counts["acts"] == 2
    assert found.more
    assert not report(source(), Wanted(), most=len(ALL)).more


def test_the_json_of_a_report_holds_the_records_whole() -> None:
    value = report(source(), Wanted()).json
    assert value["log"] == LOG
    entries = [one for act in value["acts"] for one in act["entries"]]
    assert sorted(one["index"] for one in entries) == [*range(len(RECORDS))]
    assert all(one["record"] == RECORDS[one["index"]] for one in entries)
