"""A closed grant: refused here at once, elsewhere as soon as the list is seen, with all below."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from delegant.credentials import Evidence, Request
from delegant.credentials.codec import parse
from delegant.governance import closing
from delegant.governance.closing import Closed
from delegant.governance.task import Task
from delegant.wallet import revocations, statuslists
from governance.tasks import READ, T0, Office
from refusal import refusal

Shown = tuple[bytes, Evidence, Request]


def signed(task: Task) -> Shown:
    """What an agent may have signed before its task was closed."""
    request = task.request("db.read", "urn:acme:papers:17")
    shown, evidence = task.present(request)
    return shown.to_bytes(), evidence, request


def test_here_it_is_refused_at_once(office: Office) -> None:
    at = office.point(closed=office.closed)
    bot = office.bot(organization=None)  # nothing is published
    with bot.task("T-17", allow=[READ]) as task, bot.task("T-18", allow=[READ]) as other:
        assert office.read(at, task)
        before = signed(task)
        task.close()
        assert refusal(lambda: office.act(at, *before)) == "revoked"
        assert office.records()[-1].json["code"] == "revoked"
        assert office.read(at, other)
        assert office.act(office.point(), *before)  # who does not ask takes it until it expires


def test_leaving_closes_it_also_by_an_exception(office: Office) -> None:
    at = office.point(closed=office.closed)
    kept: list[Any] = []

    def run() -> None:
        with office.bot().task("T-17", allow=[READ]) as task:
            kept.extend([task, signed(task)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert not kept[0].open
    assert refusal(lambda: office.act(at, *kept[1])) == "revoked"
    assert refusal(lambda: signed(kept[0])) == "revoked"


def test_everything_below_falls_with_it(office: Office) -> None:
    at = office.point(closed=office.closed)
    with office.bot().task("T-17", allow=[READ], spawn=True) as task:
        below, beside = task.spawn("db-query"), task.spawn("formatter")
        first, second = signed(below), signed(beside)
        below.close()
        assert refusal(lambda: office.act(at, *first)) == "revoked"
        assert office.act(at, *second)
        third, own = signed(beside), signed(task)
    for one in (third, own):
        assert refusal(lambda o=one: office.act(at, *o)) == "revoked"
    assert not beside.open
    assert refusal(lambda: task.spawn("late")) == "revoked"


def test_closing_twice_is_closing_once(office: Office) -> None:
    with office.bot().task("T-17", allow=[READ]) as task:
        task.close()
        number = len(office.closed)
        task.close()
    assert len(office.closed) == number == 1


def test_elsewhere_it_is_refused_as_soon_as_the_list_is_seen(office: Office) -> None:
    """Another resource, with a log of its own and no memory in common, over real HTTP."""
    pytest.importorskip("uvicorn")
    from delegant.resolver.app import create_app
    from delegant.resolver.server import open_registry
    from resolver.running import listening

    registry = open_registry(office.home, office.organization)
    with listening(create_app(office.home, registry)) as port:

        def served() -> Evidence:
            found = httpx.get(f"http://127.0.0.1:{port}/status/1", timeout=5)
            return Evidence(status_lists=[parse(found.content, size=len(found.content))])

        at = office.point(gathered=served)
        with office.bot().task("T-17", allow=[READ], spawn=True) as task:
            below = task.spawn("db-query")
            before, lower = signed(task), signed(below)
            assert office.act(at, *before)
            assert office.act(at, *lower)
            again, lower = signed(task), signed(below)
            began = time.monotonic()
        for one in (again, lower):
            assert refusal(lambda o=one: office.act(at, *o)) == "revoked"
        assert time.monotonic() - began < 1


def test_offline_it_is_refused_once_the_list_it_has_is_too_old(office: Office) -> None:
    age = {"low": 60, "high": 60}
    anchors = {k: replace(one, max_status_age=age) for k, one in office.trust.anchors.items()}
    office.trust = replace(office.trust, anchors=anchors)
    at = office.point()
    bot = office.bot()
    with bot.task("T-17", allow=[READ]) as task:
        before = [signed(task) for _ in range(2)]
    office.now += 50
    assert office.act(at, *before[0])  # with the list of before, which is all that it has
    office.now += 11
    assert refusal(lambda: office.act(at, *before[1])) == "status-stale"


def test_a_closed_grant_takes_no_room_in_the_feed(office: Office) -> None:
    for n in range(3):
        with office.bot().task(f"T-{n}", allow=[READ]):
            pass
    feed = revocations.load(office.home, office.organization)
    assert feed is None or not feed.entries


def test_one_that_is_over_is_not_published(office: Office) -> None:
    with office.bot().task("T-17", allow=[READ], ttl=60) as task:
        office.now += 60
    number = task.grant.status
    assert number is not None
    assert not statuslists.is_set(statuslists.bits(office.home, 1), number.index)
    with office.bot().task("T-17", allow=[READ], ttl=60) as other:
        pass
    assert other.grant.status is not None
    assert statuslists.is_set(statuslists.bits(office.home, 1), other.grant.status.index)


def test_here_it_is_closed_also_where_it_cannot_be_published(office: Office) -> None:
    at = office.point(closed=office.closed)
    task = office.bot().task("T-17", allow=[READ])
    before = signed(task)
    (office.home.path / "status" / "1.bits").rename(office.home.path / "gone")
    assert refusal(task.close) == "not-found"
    assert refusal(lambda: office.act(at, *before)) == "revoked"


def test_what_is_remembered_is_bounded_in_time_and_in_number(office: Office) -> None:
    links = [office.bot().task(f"T-{n}", allow=[READ], ttl=60).grant for n in range(3)]
    found = Closed(most=2)
    found.add(links[0], T0)
    found.add(links[1], T0)
    found.add(links[1], T0)
    assert refusal(lambda: found.add(links[2], T0)) == "unavailable"
    assert not found([links[2]])
    found.add(links[2], T0 + 60 + closing.SKEW)
    assert len(found) == 1
    assert found([links[2]])
