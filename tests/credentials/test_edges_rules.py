"""The rules of constraints, patterns, status and limits, at the values beside their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Request, canonical, capability, decide, verify
from delegant.credentials import constraint as con
from delegant.credentials.capability import parse_grants
from delegant.credentials.codec import parse
from delegant.credentials.credential import STATUS_FREE_SECONDS
from delegant.credentials.did import from_key
from delegant.credentials.keys import PrivateKey
from refusal import refusal
from world import LIST, PAPERS, World

ASKED = Request("db.read", "urn:acme:papers:1")
READ = [f"db.read {PAPERS}"]
LEDGER = from_key(PrivateKey(b"\x31" * 32).public)


# --- constraints -----------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 32, 33])
def test_longest_unit_is_read_and_a_longer_one_is_not(length: int) -> None:
    code = "" if length < 33 else "shape"
    unit = "u" * length
    budget = {"ledger": LEDGER, "unit": unit, "perAction": "1", "total": "2"}
    approval = {"threshold": 1, "by": [LEDGER], "over": {"unit": unit, "value": "1"}}
    assert refusal(lambda: con.parse({"budget": budget})) == code
    assert refusal(lambda: con.parse({"approval": approval})) == code


@pytest.mark.parametrize("seconds", [0, 1, 366 * 86400, 366 * 86400 + 1])
def test_longest_period_of_a_rate_is_a_leap_year(seconds: int) -> None:
    rate = {"ledger": LEDGER, "count": 1, "periodSeconds": seconds}
    code = "" if 0 < seconds <= 366 * 86400 else "shape"
    assert refusal(lambda: con.parse({"rate": rate})) == code


def test_hours_that_only_touch_have_no_time_in_common() -> None:
    morning, noon = (
        con.parse({"hours": [pair]}) for pair in (["08:00", "12:00"], ["12:00", "14:00"])
    )
    assert con.meet(morning, noon) is None
    late = con.parse({"hours": [["11:59", "24:00"]]})
    assert con.to_json(con.meet(morning, late) or {}) == {"hours": [["11:59", "12:00"]]}


def test_hours_are_those_of_every_day() -> None:
    late = con.parse({"hours": [["23:00", "24:00"]]})
    for day in (0, 1, 2, 20_000):
        for minute, held in (
            (22 * 60 + 59, False),
            (23 * 60, True),
            (23 * 60 + 59, True),
            (0, False),
        ):
            assert con.holds(late, ASKED, day * 86_400 + minute * 60) is held


# --- authorities -----------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", ["urn:a:!b", "urn:a:$b", "urn:a:b", "urn:a:(b):**"])
def test_resource_inside_a_wider_one_is_left_out_however_it_sorts(narrow: str) -> None:
    both = parse_grants([{"actions": ["a"], "resources": sorted([narrow, "urn:a:**"])}])
    met = capability.meet(capability.Authority(both), capability.Authority(both))
    assert [grant.json for grant in met.grants] == [{"actions": ["a"], "resources": ["urn:a:**"]}]


# --- status ----------------------------------------------------------------------------------


def judged(world: World, **change: Any) -> str:
    """The word on one link of Ana's."""
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    if code := refusal(lambda: world.delegate(ana, bot, READ, **change)):
        return code  # the issuer knows the same rule
    link = world.delegate(ana, bot, READ, **change)
    evidence = world.evidence()
    said = decide(world.present([link], ASKED), evidence, world.trust(), ASKED, at=world.now)
    return said.code or said.state


@pytest.mark.parametrize("seconds", [1, 60, STATUS_FREE_SECONDS, STATUS_FREE_SECONDS + 1])
def test_link_may_do_without_status_as_long_as_it_is_short_lived(seconds: int) -> None:
    code = "accepted" if seconds <= STATUS_FREE_SECONDS else "status-missing"
    assert judged(World(), seconds=seconds, status=None) == code


def test_what_was_seen_of_a_status_list_is_when_it_was_made() -> None:
    world = World()
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), READ)]
    yes = verify(world.present(links, ASKED), world.evidence(), world.trust(), ASKED, at=world.now)
    assert yes.seen.lists == {LIST: world.now}
    again = world.trust().with_seen(yes.seen)
    verify(world.present(links, ASKED), world.evidence(), again, ASKED, at=world.now)


@pytest.mark.parametrize(("later", "code"), [(9, None), (10, "status-stale"), (11, "status-stale")])
def test_status_list_ends_before_the_second_it_names(later: int, code: str | None) -> None:
    world = World()
    ana = world.human("ana")
    links = [world.delegate(ana, world.agent("bot", ana), READ)]
    short = world.status_list(valid_until=world.now + 10).secured.raw
    shown = world.present(links, ASKED)
    evidence = world.evidence(status_lists=[short])
    assert decide(shown, evidence, world.trust(), ASKED, at=world.now + later).code == code


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "most", "code"),
    [
        (b"[1,1,1,", 4, "json"),
        (b"[1,1,1,1,", 4, "limit-members"),
        (b"[" + b"[]," * 3 + b"[" * 31, 99, "json"),
        (b"[" + b"[]," * 3 + b"[" * 33, 99, "limit-depth"),
    ],
)
def test_broken_text_is_held_to_the_limits_before_it_is_called_broken(
    text: bytes, most: int, code: str
) -> None:
    assert refusal(lambda: parse(text, size=99, members=most)) == code


@pytest.mark.parametrize(
    "wrap", [lambda x: [x], lambda x: (x,), lambda x: [[x], 1], lambda x: {"a": [x]}]
)
def test_float_is_written_as_the_standard_says_wherever_it_stands(wrap: Any) -> None:
    assert canonical(wrap(1.0)) == canonical(wrap(1))
    assert canonical(wrap(1e21)) == canonical(wrap(1)).replace(b"1", b"1e+21", 1)
