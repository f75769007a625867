"""F16: a clock that jumps. Entries never go back in time, and nothing expired is shown as live."""

from __future__ import annotations

import calendar
from pathlib import Path

import pytest

from ans.naming import NAME, Naming
from delegant.ans.leaf import parse_leaf
from delegant.credentials import Error
from faults.reading import checkpoint, log_entries

HOUR = 3600
END_OF_32_BITS = 2**31
LAST = calendar.timegm((9999, 12, 31, 23, 59, 59))


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    out = Naming(tmp_path / "registry.db")
    out.register()
    return out


def registered(naming: Naming, name: str) -> str:
    """Register at the clock's instant, everything attested anew; the code it is refused with."""
    world = naming.world
    world.attest(naming.ana, revision=2 + abs(world.now) // HOUR)
    try:
        naming.register(naming.agent(f"bot-{name[-6:].replace('.', '-')}"), name)
    except Error as exc:
        return exc.code
    return ""


def test_f16_an_hour_forward_it_goes_on_and_an_hour_back_it_waits(naming: Naming) -> None:
    start, sizes = naming.now, []
    for number, (move, code) in enumerate(
        (
            (HOUR, ""),
            (0, "unavailable"),
            (HOUR - 31, "unavailable"),
            (HOUR - 30, ""),
            (HOUR + 1, ""),
        )
    ):
        naming.world.now = start + move
        assert registered(naming, NAME.replace("v1.0", f"v{number + 2}")) == code, move
        sizes.append(checkpoint(naming).size)
        assert naming.registry.resolve(NAME, naming.now)[0] == 200
    assert sizes == [3, 3, 3, 4, 5]
    times = [parse_leaf(data).time for data in log_entries(naming)]
    assert times == sorted(times)


@pytest.mark.parametrize("when", [END_OF_32_BITS - 1, END_OF_32_BITS, END_OF_32_BITS + HOUR])
def test_f16_the_year_2038_is_like_any_other(naming: Naming, when: int) -> None:
    status, answer = naming.registry.resolve(NAME, when)
    assert (status, answer["freshness"]["status"]) == (410, "expired")  # not live: it ran out
    naming.world.now = when
    name = NAME.replace("v1.0", "v2")
    assert registered(naming, name) == ""
    assert naming.registry.resolve(name, when)[0] == 200
    assert parse_leaf(log_entries(naming)[-1]).time == when


@pytest.mark.parametrize("when", [LAST - HOUR, LAST, LAST + 1, LAST + HOUR])
def test_f16_at_the_end_of_the_calendar_it_refuses_or_answers_and_never_breaks(
    naming: Naming, when: int
) -> None:
    before = checkpoint(naming)
    try:
        status = naming.registry.resolve(NAME, when)[0]
    except Error as exc:
        status = exc.http_status
    assert status in (400, 410, 503)  # an error of ours: no time of an answer can be written
    body, token = naming.body(naming.event(name=NAME.replace("v1.0", "v2")))
    with pytest.raises(Error):
        naming.registry.submit(body, token, when)
    assert checkpoint(naming) == before
    assert naming.registry.resolve(NAME, naming.now)[0] == 200


def test_f16_a_second_that_comes_twice_is_one_time(tmp_path: Path) -> None:
    naming = Naming(tmp_path / "registry.db")
    for number, second in enumerate((0, 1, 0, 1)):  # the clock is set back over a leap second
        naming.world.now += second
        assert naming.register(name=NAME.replace("v1.0", f"v{number + 1}"))["leaf"]["seq"] == 0
        naming.world.now -= second
    times = [parse_leaf(data).time for data in log_entries(naming)]
    assert times == sorted(times)
