"""The verifier's own side at its extremes: instants, nonces, requests and objects of odd types.

Whatever the caller hands in, there is a verdict, one of our errors, or a `TypeError` for what is
no instant at all; never a yes that a plain instant would not give.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Error, Evidence, Presentation, Request, Trust, decide, explain
from delegant.credentials import verify as verify_
from delegant.credentials import verify_chain as verify_chain_
from properties.story import JSON, as_bytes, only_our_errors, story
from world import PAPERS, T0, World

verify: Any = verify_
verify_chain: Any = verify_chain_
LAST = 253_402_300_799
"""The last second of the year 9999."""


def answer(at: Any, nonce: Any = None) -> tuple[str, str | None]:
    """State and code for the honest story at this instant."""
    s = story()
    shown, evidence = Presentation.from_json(s.presentation), Evidence.from_json(s.evidence)
    said = decide(shown, evidence, s.trust, s.asked, at=at, nonce=nonce)
    told = explain(shown, evidence, s.trust, s.asked, at=at, nonce=nonce)
    assert told.verdict.json == said.json
    return said.state, said.code


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (0, "not-yet-valid"),
        (-1, "not-yet-valid"),
        (-(2**63), "not-yet-valid"),
        (-(10**400), "not-yet-valid"),
        (T0 - 31, "not-yet-valid"),
        (T0 + 60, "invocation-expired"),
        (T0 + 120, "expired"),
        (LAST, "expired"),
        (LAST + 1, "expired"),
        (2**63, "expired"),
        (10**400, "expired"),
        (datetime.min.replace(tzinfo=UTC), "not-yet-valid"),
        (datetime.max.replace(tzinfo=UTC), "expired"),
        (datetime(1, 1, 2, tzinfo=timezone(timedelta(hours=23, minutes=59))), "not-yet-valid"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_instant_at_the_end_of_the_world_is_before_or_after(at: int | datetime, code: str) -> None:
    assert answer(at) == ("rejected", code)


@pytest.mark.parametrize("hours", [-12, 0, 5.75, 14])
def test_instant_is_the_same_in_every_zone(hours: float) -> None:
    now = datetime.fromtimestamp(T0, timezone(timedelta(hours=hours)))
    assert answer(now) == answer(T0) == ("accepted", None)


class Nowhere(tzinfo):
    """A zone that does not say where it is."""

    def utcoffset(self, _dt: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


def test_instant_in_a_zone_that_says_nothing_is_none() -> None:
    with pytest.raises(TypeError):
        answer(datetime.fromtimestamp(T0, UTC).replace(tzinfo=Nowhere()))


NO_INSTANTS: list[Any] = [
    True, False, 1.0, float(T0), math.nan, math.inf, -math.inf, str(T0), "2026-09-21T14:13:20Z",
    None, b"", [], {}, T0 + 0j, Decimal(T0), Fraction(T0), datetime.fromtimestamp(T0, UTC).date(),
    datetime.fromtimestamp(T0, UTC).replace(tzinfo=None), timedelta(seconds=T0),
]  # fmt: skip


@pytest.mark.parametrize("at", NO_INSTANTS, ids=lambda value: f"{type(value).__name__} {value}")
def test_what_is_no_instant_is_refused_before_anything_is_read(at: Any) -> None:
    s = story()
    for ask in (verify, decide, explain):
        with pytest.raises(TypeError, match="at="):
            ask(b"not json", b"not json", s.trust, s.asked, at=at)
    with pytest.raises(TypeError, match="at="):
        verify_chain(b"not json", b"not json", s.trust, at=at)


def test_instant_must_be_given() -> None:
    s = story()
    asks: tuple[Any, ...] = (verify, decide, explain)
    for ask in asks:
        with pytest.raises(TypeError, match="'at'"):
            ask(b"{}", b"{}", s.trust, s.asked)
    with pytest.raises(TypeError, match="'at'"):
        verify_chain(b"{}", b"{}", s.trust)


@pytest.mark.parametrize("nonce", ["", "x", "\ud800", "a" * 10**6, 0, True, b"n", [], 1.5])
def test_nonce_that_was_not_signed_is_refused_whatever_it_is(nonce: Any) -> None:
    assert answer(T0, nonce) == ("rejected", "nonce")


@given(at=st.integers() | st.datetimes(timezones=st.timezones()), nonce=st.none() | st.text())
def test_any_instant_and_nonce_get_the_answer_of_their_second(
    at: int | datetime, nonce: str | None
) -> None:
    second = at if isinstance(at, int) else math.floor(at.timestamp())
    assert answer(at, nonce) == answer(second, nonce)
    assert answer(second, nonce)[0] == (
        "accepted" if nonce is None and T0 - 30 <= second < T0 + 60 else "rejected"
    )


@given(value=JSON)
def test_json_of_any_kind_is_read_or_refused_by_every_reader(value: Any) -> None:
    readers: tuple[Any, ...] = (
        Presentation.from_json,
        Evidence.from_json,
        Request.from_json,
        Trust.from_json,
    )
    for reader in readers:
        only_our_errors(lambda reader=reader: reader(value))
        only_our_errors(lambda reader=reader: reader({"links": value, "version": 1,
                                                      "anchors": value}))  # fmt: skip


@given(value=JSON)
def test_request_with_any_member_is_read_or_refused(value: Any) -> None:
    for name in ("purpose", "task", "arguments", "amount", "rows", "bytes", "columns",
                 "dataClass", "network", "method", "uri", "bodyDigest", "more"):  # fmt: skip
        try:
            made = Request.from_json(
                {"action": "db.read", "resource": "urn:acme:papers:1", name: value}
            )
        except Error:
            continue
        assert name != "more"
        assert made.json[name] == value
        assert Request.parse(as_bytes(made.json)) == made


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\x00", b'{"links":[]}', b"1" * 99])
def test_nothing_shown_is_nothing_allowed(data: bytes) -> None:
    s = story()
    for evidence in (data, as_bytes(s.evidence)):
        said = decide(data, evidence, s.trust, s.asked, at=T0)
        assert said.state == "malformed"
    said = decide(as_bytes(s.presentation), data, s.trust, s.asked, at=T0)
    assert said.state in {"malformed", "rejected"}


# --- the end of the calendar ------------------------------------------------------------------


def test_verdict_of_the_last_minute_of_the_calendar_can_be_written() -> None:
    world = World(now=LAST - 60)
    ana = world.human("ana", valid_until=LAST)
    bot = world.agent("bot", ana, valid_until=LAST)
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"], seconds=60)
    asked = Request("db.read", "urn:acme:papers:17")
    evidence = Evidence(
        [ana.credential.secured.raw] if ana.credential else [],
        [bot.identity.secured.raw] if bot.identity else [],
        [world.status_list(valid_until=LAST).secured.raw],
    )
    shown = world.present([link], asked, seconds=120)  # it would end in the year 10000
    said = decide(shown, evidence, world.trust(), asked, at=world.now)
    assert said.state in {"accepted", "rejected"}
    assert said.json["state"] == said.state


@pytest.mark.parametrize("start", [-(10**12), LAST - 1, 10**12])
def test_credential_outside_the_calendar_is_refused_by_the_issuer(start: int) -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    with pytest.raises(Error):
        world.delegate(ana, bot, [f"db.read {PAPERS}"], valid_from=start, valid_until=start + 60)
