"""Times with any offset and fraction, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.w3c.xsd import date_time_stamp
from refusal import refusal

NINE = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T09:00:00Z", 0),
        ("2026-11-23T10:00:00+01:00", 0),
        ("2026-11-22T23:30:00-09:30", 0),
        ("2026-11-23T09:00:00-00:00", 0),
        ("2026-11-23T23:00:00+14:00", 0),
        ("2026-11-23T09:00:00.000Z", 0),
        ("2026-11-23T09:00:00.000000001Z", 1),
        ("2026-11-23T09:00:00.999Z", 1),
        ("2026-11-23T24:00:00Z", 15 * 3600),
        ("2026-11-23T24:00:00.00Z", 15 * 3600),
        ("2026-11-24T00:00:00Z", 15 * 3600),
    ],
)
def test_a_stamp_is_an_instant(text: str, seconds: int) -> None:
    assert date_time_stamp(text, "created") == NINE + seconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T09:00:00", "2026-11-23 09:00:00Z", "2026-11-23", "2026-11-23T09:00Z",
        "2026-11-23T09:00:00z", "2026-11-23t09:00:00Z", "2026-11-23T09:00:00Z\n",
        " 2026-11-23T09:00:00Z", "2026-11-23T09:00:00.Z", "2026-11-23T09:00:00,5Z",
        "2026-11-23T09:00:60Z", "2026-11-23T24:00:01Z", "2026-11-23T24:30:00Z",
        "2026-02-29T09:00:00Z", "2026-04-31T09:00:00Z", "1900-02-29T09:00:00Z",
        "2026-13-01T09:00:00Z", "2026-00-01T09:00:00Z", "2026-11-00T09:00:00Z",
        "2026-11-23T09:00:00+14:01", "2026-11-23T09:00:00+15:00", "2026-11-23T09:00:00+01",
        "2026-11-23T09:00:00+0100", "2026-11-23T09:00:00+01:60", "2026-W48-1T09:00:00Z",
        "20261123T090000Z", "2026-11-23T09:00:00Z[UTC]", "26-11-23T09:00:00Z",
        "02026-11-23T09:00:00Z", "+2026-11-23T09:00:00Z", "٢٠٢٦-11-23T09:00:00Z",
        "2026-11-23T09:00:00." + "0" * 60 + "Z", "invalidDate", "", None, 7, 1.5, True, ["x"],
    ],
)  # fmt: skip
def test_what_is_no_stamp_is_refused(text: Any) -> None:
    assert refusal(lambda: date_time_stamp(text, "created")) == "shape"


@pytest.mark.parametrize("text", ["2024-02-29T09:00:00Z", "2000-02-29T09:00:00Z",
                                  "-0001-12-31T00:00:00Z", "12026-11-23T09:00:00Z"])  # fmt: skip
def test_days_and_years_that_there_are_are_read(text: str) -> None:
    assert refusal(lambda: date_time_stamp(text, "created")) == ""


@given(
    st.datetimes().filter(lambda moment: 1 < moment.year < 9999),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_a_stamp_is_what_the_standard_library_makes_of_it(moment: datetime, offset: int) -> None:
    whole = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    expected = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert date_time_stamp(whole.isoformat(), "created") == expected
