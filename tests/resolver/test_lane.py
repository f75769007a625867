"""The fast lane: what it says leaves at once, as the long way would say it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from delegant.ans.pages import Page
from delegant.resolver import lane as lanes
from resolver.door import NAME, House, Line, Reply, build, parse_reply, running

PATH = f"/v1/resolve?name={NAME}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with its door open, and NAME in it."""
    with running(build(tmp_path_factory.mktemp("house"))) as open_house:
        assert open_house.post(open_house.event()).status == 201
        yield open_house


@pytest.fixture
def line(house: House) -> Iterator[Line]:
    made = Line(house)
    yield made
    made.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses of what went by the lane."""
    out: list[int] = []
    made = lanes.Lane._made

    def counted(self: lanes.Lane, page: Page, status: int, now: int) -> bytes:
        out.append(status)
        return made(self, page, status, now)

    monkeypatch.setattr(lanes.Lane, "_made", counted)
    return out


def told(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """What it says, but for what a second changes."""
    headers = {k: v for k, v in reply.headers.items() if k not in ("date", "cache-control")}
    return reply.status, headers, reply.body


@pytest.mark.parametrize(
    "accept", ["", "application/json", "application/ans-answer+jwt", "text/plain"]
)
def test_it_is_byte_for_byte_what_the_long_way_says(
    house: House, line: Line, sent: list[int], accept: str
) -> None:
    path = f"{PATH}&min_log_size=1"  # which is no question for a glance
    asking = {"Accept": accept} if accept else {}
    first = line.ask(path, **asking)
    assert not sent
    second = line.ask(path, **asking)
    assert sent == [200]
    assert told(first) == told(second)


def test_head_is_the_same_without_the_body(line: Line, sent: list[int]) -> None:
    whole = line.ask()
    head = line.ask(method="HEAD")
    assert sent[-1] == 200
    assert head.body == b""
    assert told(head)[:2] == told(whole)[:2]


def test_who_has_it_is_told_so(line: Line, sent: list[int]) -> None:
    etag = line.ask().headers["etag"]
    same = line.ask(If_None_Match=etag)
    assert (same.status, same.body, sent[-1]) == (304, b"", 304)
    assert same.headers["etag"] == etag
    before = len(sent)
    for other in (f'W/{etag}, "x"', "*"):  # the long way
        assert line.ask(If_None_Match=other).status == 304
    assert line.ask(If_None_Match='"x"').status == 200
    assert len(sent) == before


@pytest.mark.parametrize(
    "headers",
    [{"Cache_Control": "no-cache"}, {"Pragma": "no-cache"}, {"Range": "bytes=0-1"},
     {"Accept": "text/html"}, {"Origin": "https://a.example"}],
)  # fmt: skip
def test_whoever_asks_for_more_goes_the_long_way(
    line: Line, sent: list[int], headers: dict[str, str]
) -> None:
    line.ask()
    before = len(sent)
    assert line.ask(**headers).status == (406 if "Accept" in headers else 200)
    assert len(sent) == before


def test_a_body_goes_the_long_way(house: House, line: Line, sent: list[int]) -> None:
    line.ask()
    before = len(sent)
    assert house.call("GET", PATH, b"{}").status == 200
    assert len(sent) == before


def test_it_says_how_long_it_is_good_for(
    house: House, line: Line, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.call("GET", PATH.replace("v1.0", "v1.9"))  # nothing to do with it
    line.ask(f"{PATH}&trace=true", Cache_Control="no-cache")
    for later in (0, 7):
        clock = staticmethod(lambda later=later: time.time() + later)
        monkeypatch.setattr(lanes.Lane, "clock", clock)
        reply = line.ask(f"{PATH}&trace=true")
        left = int(reply.headers["cache-control"].partition("max-age=")[2])
        assert 51 - later <= left <= 60 - later
    count = len(sent)
    monkeypatch.setattr(lanes.Lane, "clock", staticmethod(lambda: time.time() + 46))
    line.ask(f"{PATH}&trace=true")
    assert len(sent) == count  # a page is not given in the last seconds of its minute


def test_requests_that_come_together_are_answered_in_their_order(house: House, line: Line) -> None:
    whole = line.ask()
    request = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n".encode()
    other = b"GET /v1/resolve?name=nothing HTTP/1.1\r\nHost: a\r\n\r\n"
    last = request.replace(b"Host: a", b"Host: a\r\nConnection: close")
    data = house.raw(request * 3 + other + request * 2 + last)
    assert data.count(whole.body) == 6
    parts = data.split(b"HTTP/1.1 ")[1:]
    assert [int(part[:3]) for part in parts] == [200] * 3 + [400] + [200] * 3


def test_a_reader_who_does_not_read_is_not_written_to_without_end(house: House) -> None:
    request = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    assert house.call("GET", PATH).status == 200
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(1.0)
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                sent += line.send(request * 100)
        except (TimeoutError, ConnectionError):
            pass
    assert sent < 32 * 1024 * 1024  # it stopped reading requests, or hung up
    assert house.call("GET", PATH).status == 200


def test_what_was_revoked_is_gone_at_once(tmp_path: Path, sent: list[int]) -> None:
    with running(build(tmp_path)) as house:
        receipt = house.post(house.event()).json
        line = Line(house)
        for _ in range(2):
            assert line.ask().status == 200
        before = len(sent)
        assert set(sent) == {200}
        revoked = house.event(kind="revoke", receipt=receipt)
        assert house.post(revoked).status == 200
        assert line.ask().status == 410
        gone = line.ask()
        assert (gone.status, set(sent[before:])) == (410, {410})
        assert gone.json["answer"]["freshness"]["status"] == "revoked"
        line.close()


def test_an_unknown_name_is_answered_from_the_lane_until_it_is_registered(
    house: House, line: Line, sent: list[int]
) -> None:
    name = NAME.replace("v1.0", "v7.7")
    path = f"/v1/resolve?name={name}"
    assert [line.ask(path).status for _ in range(2)] == [404, 404]
    assert sent == [404]
    assert house.post(house.event(name)).status == 201
    assert line.ask(path).status == 200
    assert parse_reply(house.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())).status == 200


def test_many_questions_without_an_answer_are_429_and_never_5xx(line: Line) -> None:
    told = {}
    for number in range(400):
        reply = line.ask(f"/v1/resolve?name={NAME.replace('v1.0', f'v9.{number}')}")
        told[reply.status] = reply
    assert set(told) == {404, 429}
    assert told[429].json["code"] == "too-many"
    assert int(told[429].headers["retry-after"]) >= 1
    assert line.ask().status == 200


def test_who_will_have_no_kept_answer_gets_one_signed_anew(line: Line) -> None:
    first = line.ask().json["freshness"]["time"]
    time.sleep(1.1)
    assert line.ask().json["freshness"]["time"] == first
    assert line.ask(Cache_Control="no-cache").json["freshness"]["time"] > first
