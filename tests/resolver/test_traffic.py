"""What every request passes: limits of its caller, counts of it, and a line about it."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import CODES
from delegant.resolver.accesslog import AccessLog
from delegant.resolver.app import create_app
from delegant.resolver.callers import LOCAL, Callers, caller_of
from delegant.resolver.lane import lane
from delegant.resolver.metrics import ROUTES, Board, Meter
from delegant.resolver.server import open_registry
from delegant.resolver.settings import Settings
from delegant.resolver.traffic import Traffic
from resolver.door import NAME, House, build
from resolver.process import counted
from resolver.running import listening

PROXIES = tuple(map(ipaddress.ip_network, ("127.0.0.1", "10.0.0.0/8", "fd00::/8")))


def told_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of an access log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


class Clock:
    """Seconds that a test lets pass."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- limits -------------------------------------------------------------------------------------


def test_a_burst_is_let_in_and_then_as_many_as_the_rate(clock: Clock) -> None:
    traffic = Traffic(Settings(rate=2.0, burst=3, concurrency=0), clock=clock)
    assert [traffic.enter("a") for _ in range(4)] == [None, None, None, 1]
    assert traffic.enter("b") is None  # another caller is another bucket
    clock.now += 0.5
    assert [traffic.enter("a") for _ in range(2)] == [None, 1]
    clock.now += 60
    assert [traffic.enter("a") for _ in range(4)] == [None, None, None, 1]


def test_the_wait_is_as_long_as_it_says(clock: Clock) -> None:
    traffic = Traffic(Settings(rate=0.1, burst=1, concurrency=0), clock=clock)
    assert traffic.enter("a") is None
    wait = traffic.enter("a")
    assert wait == 10
    clock.now += wait - 0.5
    assert traffic.enter("a") == 1
    clock.now += 1
    assert traffic.enter("a") is None


def test_so_many_at_once_and_whoever_leaves_makes_room() -> None:
    traffic = Traffic(Settings(rate=0.0, concurrency=2))
    assert [traffic.enter("a") for _ in range(3)] == [None, None, 1]
    traffic.leave("a", "GET", "/health", 200, 0.1, 1)
    assert [traffic.enter("a") for _ in range(2)] == [None, 1]
    for _ in range(9):  # who was never let in leaves nothing behind
        traffic.leave("b", "GET", "/health", 200, 0.1, 1)
    assert [traffic.enter("b") for _ in range(3)] == [None, None, 1]


def test_with_no_limits_nobody_waits() -> None:
    traffic = Traffic(Settings(rate=0.0, concurrency=0))
    assert not any(traffic.enter("a") for _ in range(10_000))


def test_the_table_of_callers_is_bounded_and_keeps_those_who_come_again(clock: Clock) -> None:
    traffic = Traffic(Settings(rate=1.0, burst=2, concurrency=0), clock=clock, most=100)
    for number in range(10_000):
        traffic.enter(f"n{number}")
        assert len(traffic) <= 100
        if number % 40 == 0:
            traffic.enter("again")
    assert traffic.enter("again") is not None


# --- who calls ----------------------------------------------------------------------------------


def test_an_address_is_a_caller_and_64_bits_of_the_longer_kind_are_one() -> None:
    assert caller_of("203.0.113.7") == "203.0.113.7"
    assert caller_of("::ffff:203.0.113.7") == "203.0.113.7"
    assert caller_of("2001:db8:1:2::1") == caller_of("2001:db8:1:2:ffff::9%eth0")
    assert caller_of("2001:db8:1:2::1") != caller_of("2001:db8:1:3::1")
    assert caller_of(None) == caller_of("/run/x.sock") == LOCAL


def test_only_a_proxy_of_ours_may_say_whom_it_forwards_for() -> None:
    callers = Callers(PROXIES)
    assert callers.trusts("127.0.0.1")
    assert callers.trusts("10.9.9.9")
    assert callers.trusts("::ffff:10.9.9.9")
    assert not callers.trusts("203.0.113.7")
    assert not callers.trusts(None)
    assert not Callers().trusts("127.0.0.1")


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (b"203.0.113.7", "203.0.113.7"),
        (b"1.1.1.1, 203.0.113.7", "203.0.113.7"),  # the first is what the client said itself
        (b"1.1.1.1, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
        (b"10.3.3.3, 203.0.113.7", "203.0.113.7"),
        (b"2001:db8::5", "2001:db8::/64"),
        (b"10.1.1.1", "10.1.1.1"),
        (b"", "127.0.0.1"),
        (b"unknown", "127.0.0.1"),
        (b"203.0.113.7, x", "127.0.0.1"),
        (b'1.1.1.1\n"x', "127.0.0.1"),
        (b"203.0.113.7:99", "127.0.0.1"),
        (b"1," * 5000 + b"203.0.113.7", "203.0.113.7"),
        (b"1" * 5000, "127.0.0.1"),
        (b"\xff\xfe", "127.0.0.1"),
    ],
)
def test_a_client_cannot_choose_who_it_is(said: bytes, who: str) -> None:
    assert Callers(PROXIES).forwarded("127.0.0.1", said) == who


# --- counts -------------------------------------------------------------------------------------


def test_the_counts_are_of_all_workers_whichever_is_asked() -> None:
    board = Board(3)
    meters = [Meter(board, number) for number in range(3)]
    for meter in meters:
        meter.request("/v1/resolve", 200, 0.002)
        meter.connections(1)
    meters[1].request("/v1/agents", 201, 0.2)
    meters[2].batch(7)
    meters[0].limit("rate")
    told = meters[0].text().decode()
    assert told == meters[2].text().decode()
    assert counted(told, "delegant_requests_total", route="/v1/resolve", status="200") == 3
    assert counted(told, "delegant_registrations_total") == 1
    assert counted(told, "delegant_batch_size_bucket", le="8.0") == 1
    assert counted(told, "delegant_batch_size_bucket", le="4.0") == 0
    assert counted(told, "delegant_batch_size_sum") == 7
    assert counted(told, "delegant_limits_total", limit="rate") == 1
    assert counted(told, "delegant_connections") == 3
    seconds = "delegant_request_seconds"
    assert counted(told, f"{seconds}_bucket", route="/v1/resolve", le="0.0025") == 3
    assert counted(told, f"{seconds}_bucket", route="/v1/resolve", le="0.001") == 0
    assert counted(told, f"{seconds}_count", route="/v1/resolve") == 3
    assert counted(told, f"{seconds}_sum", route="/v1/resolve") == pytest.approx(0.006)
    again = Meter(board, 1)  # in the place of one that died: what that counted stays
    told = again.text().decode()
    assert counted(told, "delegant_registrations_total") == 1
    assert counted(told, "delegant_connections") == 2


def test_what_cannot_be_read_is_left_out_and_the_rest_told() -> None:
    def broken() -> float:
        raise OSError

    meter = Meter(gauges=[("broken", "x", broken), ("log_size", "x", lambda: 5)])
    told = meter.text().decode()
    assert counted(told, "delegant_log_size") == 5
    assert "delegant_broken" not in told


def test_an_unknown_route_or_status_is_counted_with_the_others() -> None:
    meter = Meter()
    meter.request("/made/up/by/a/client", 299, 0.1)
    assert counted(meter.text().decode(), "delegant_requests_total", route="other", status="0") == 1


# --- the access log -----------------------------------------------------------------------------

LINE = (1_700_000_000.25, "203.0.113.7", "GET", "/v1/resolve", 200, 0.0125, 700, "r-1")


def test_a_line_is_one_object_of_json(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "access"))
    log.add(LINE)
    log.close()
    assert told_lines(tmp_path / "access") == [
        {
            "time": "2023-11-14T22:13:20.250000Z", "caller": "203.0.113.7", "method": "GET",
            "route": "/v1/resolve", "status": 200, "us": 12500, "bytes": 700, "id": "r-1",
        }
    ]  # fmt: skip


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "access"
    log = AccessLog(str(path))
    log.add(LINE)
    while not path.stat().st_size:
        time.sleep(0.01)
    path.rename(tmp_path / "access.1")
    log.add(LINE)
    log.close()
    assert len(told_lines(path)) == len(told_lines(tmp_path / "access.1")) == 1


def test_lines_beyond_the_buffer_are_dropped_counted_and_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # and it reads nothing
    dropped: list[int] = []
    log = AccessLog(str(pipe), dropped.append, most=2000)
    start = time.monotonic()
    for _ in range(20_000):
        log.add(LINE)
    assert time.monotonic() - start < 2
    log.close(0.5)
    os.close(reader)
    end = time.monotonic() + 5
    while sum(dropped) < 17_000 and time.monotonic() < end:
        time.sleep(0.01)
    assert 17_000 <= sum(dropped) <= 20_000


# --- all of it, at the door ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house"))


class Open:
    """A house behind a door with limits."""

    def __init__(self, house: House, traffic: Traffic) -> None:
        self.house = house
        self.traffic = traffic
        registry = open_registry(house.home, house.organization)
        if not registry.providers():
            owner = house.home.settings.organization
            registry.bind_provider("DataCorp", owner, int(time.time()))
        app = create_app(house.home, registry, issuer=house.issuer, traffic=traffic)
        self.app = app
        self.serving = listening(app, lane(registry, traffic))

    def __enter__(self) -> House:
        self.house.port = self.serving.__enter__()
        return self.house

    def __exit__(self, *_: object) -> None:
        self.serving.__exit__(None, None, None)
        self.traffic.close()


def test_every_route_has_a_place_among_the_counts(shut: House) -> None:
    app = Open(shut, Traffic(Settings())).app
    found = {getattr(route, "path", "") for route in app.routes}
    assert found <= set(ROUTES)


def test_who_asks_too_often_is_told_how_long_to_wait(shut: House) -> None:
    with Open(shut, Traffic(Settings(rate=0.5, burst=2))) as house:
        replies = [house.call("GET", "/health/live") for _ in range(3)]
        assert [one.status for one in replies] == [200, 200, 429]
        last = replies[2]
        assert last.json["code"] == "too-many"
        assert last.json["status"] == CODES["too-many"].http == 429
        assert last.headers["content-type"] == "application/problem+json"
        assert 1 <= int(last.headers["retry-after"]) <= 2
        posted = house.call("POST", "/v1/resolve", b'{"name": "x"}')
        assert posted.status == 429
        raw = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 2
        raw += b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert house.raw(raw).count(b"HTTP/1.1 429 ") == 3  # told apart, on one connection


def test_a_body_that_was_not_let_in_is_no_request(shut: House) -> None:
    with Open(shut, Traffic(Settings(rate=0.01, burst=1))) as house:
        assert house.call("GET", "/health/live").status == 200
        inner = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        head = b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(inner)
        assert house.raw(head + inner).count(b"HTTP/1.1 ") == 1


def test_a_kept_answer_passes_the_limits_too(shut: House) -> None:
    traffic = Traffic(Settings(rate=0.01, burst=4))
    with Open(shut, traffic) as house:
        path = f"/v1/resolve?name={NAME.replace('main', 'kept')}"
        statuses = [house.call("GET", path).status for _ in range(2)]
        assert statuses == [404, 404]
        raw = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 3
        out = house.raw(raw + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert out.count(b"HTTP/1.1 404 ") == 2
        assert out.count(b"HTTP/1.1 429 ") == 2
        assert counted(traffic.meter.text().decode(), "delegant_kept_total") >= 1
        assert not any(one[1] for one in traffic._young.values())  # nobody is inside any more


def test_forwarding_is_believed_of_proxies_alone(shut: House) -> None:
    header = {"X-Forwarded-For": "9.9.9.9, 203.0.113.7"}
    other = {"X-Forwarded-For": "203.0.113.8"}
    path = "/health/live"
    with Open(shut, Traffic(Settings(rate=0.01, burst=1, proxies=PROXIES))) as house:
        assert house.call("GET", path, headers=header).status == 200
        assert house.call("GET", path, headers=header).status == 429
        forged = {"X-Forwarded-For": "8.8.8.8, 203.0.113.7"}
        assert house.call("GET", path, headers=forged).status == 429
        assert house.call("GET", path, headers=other).status == 200
    with Open(shut, Traffic(Settings(rate=0.01, burst=1))) as house:
        assert house.call("GET", path, headers=header).status == 200
        assert house.call("GET", path, headers=other).status == 429


def test_the_log_says_what_was_asked_and_no_secret(shut: House, tmp_path: Path) -> None:
    where = tmp_path / "access"
    traffic = Traffic(Settings(), log=AccessLog(str(where)))
    with Open(shut, traffic) as house:
        secret = {"Authorization": "Bearer s3cr3t", "Agent-Invocation": "s3cr3t", "X-S": "s3cr3t"}
        house.call("GET", "/v1/resolve?name=s3cr3t", headers=secret)
        house.call("POST", "/v1/resolve", b'{"name": "s3cr3t"}', secret)
        house.call("GET", "/v1/agents/did:key:s3cr3t%0a%22,%22status%22:1", headers=secret)
        house.call("GET", "/s3cr3t%0a{}")
        failed = house.call("GET", "/v1/agents/did:key:z%00")
    assert "s3cr3t" not in where.read_text()
    lines = told_lines(where)
    told = [(one["method"], one["route"], one["status"]) for one in lines]
    assert told == [
        ("GET", "/v1/resolve", 400), ("POST", "/v1/resolve", 400),
        ("GET", "/v1/agents/{agent}", 400), ("GET", "other", 404),
        ("GET", "/v1/agents/{agent}", 400),
    ]  # fmt: skip
    assert {one["caller"] for one in lines} == {"127.0.0.1"}
    assert all(one["us"] > 0 and one["bytes"] > 0 for one in lines)
    assert len({one["id"] for one in lines}) == 5
    assert failed.headers["x-request-id"] == lines[-1]["id"]
    assert re.fullmatch(r"[0-9a-f]{10}-[0-9a-f]+", lines[-1]["id"])


def test_metrics_are_told_unless_they_are_off(shut: House) -> None:
    with Open(shut, Traffic(Settings())) as house:
        assert house.post(house.event(NAME.replace("main", "counted"))).status == 201
        reply = house.call("GET", "/metrics")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        told = reply.body.decode()
        assert counted(told, "delegant_registrations_total") == 1
        assert counted(told, "delegant_requests_total", route="/v1/agents", status="201") == 1
    with Open(shut, Traffic(Settings(metrics=False))) as house:
        assert house.call("GET", "/metrics").status == 404


def test_browsers_are_told_of_no_origin_but_those_listed(shut: House) -> None:
    ours, theirs = {"Origin": "https://app.example"}, {"Origin": "https://app.example.evil"}
    asks = {"Access-Control-Request-Method": "POST"}
    with Open(shut, Traffic(Settings())) as house:  # off by default
        reply = house.call("GET", "/health/live", headers=ours)
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert house.call("OPTIONS", "/v1/agents", headers=ours | asks).status == 405
    with Open(shut, Traffic(Settings(cors=("https://app.example",)))) as house:
        reply = house.call("GET", "/health/live", headers=ours)
        assert reply.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in reply.headers
        assert "origin" in reply.headers["vary"]
        asked = house.call("OPTIONS", "/v1/agents", headers=ours | asks)
        assert asked.status == 204
        assert b"POST" in asked.headers["access-control-allow-methods"].encode()
        assert house.call("OPTIONS", "/v1/agents", headers=ours).status == 405  # no preflight
        for other in (theirs, {"Origin": "null"}, {}):
            reply = house.call("GET", "/health/live", headers=other)
            assert "access-control-allow-origin" not in reply.headers
        assert house.call("OPTIONS", "/v1/agents", headers=theirs | asks).status == 405
