"""Hostile input: one shape for every error, and never a 5xx while our own store answers."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from delegant.ans.store import Store
from delegant.credentials import CODES
from resolver.door import NAME, Hasty, House, Reply, build, lasted, parse_reply, running

GOOD = json.dumps({"name": NAME}).encode()
POSTS = ["/v1/agents", "/v1/agents/did:key:zX/events", "/v1/resolve", "/v1/verify"]

BODIES = {
    "empty": b"",
    "space": b"  \n",
    "text": b"hello",
    "array": b"[]",
    "null": b"null",
    "number": b"7",
    "string": b'"x"',
    "empty object": b"{}",
    "unknown member": b'{"name": "x", "more": 1}',
    "wrong type": b'{"name": 5}',
    "null member": b'{"name": null}',
    "duplicate": b'{"name": "a", "name": "b"}',
    "escaped duplicate": b'{"name": "a", "n\\u0061me": "b"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "huge integer": b'{"name": ' + b"9" * 5000 + b"}",
    "huge float": b'{"name": 1e99999}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "surrogate key": b'{"\\udfff": 1}',
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "overlong": b'{"name": "\xc0\xaf"}',
    "null byte": b'{"name": "a\x00b"}',
    "comment": b'{"name": "x" /* y */}',
    "trailing comma": b'{"name": "x",}',
    "two values": GOOD + GOOD,
    "cut short": GOOD[:-2],
    "deep array": b"[" * 30_000,
    "deep object": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "wide": b'{"a": [' + b"1," * 9000 + b"1]}",
    "registration of nothing": b'{"event": {}, "links": [], "evidence": {}}',
    "registration of types": b'{"event": 1, "links": {}, "evidence": []}',
    "event of nulls": b'{"event": {"version": null, "name": null}, "links": [1], "evidence": {}}',
    "verify nothing": b'{"presentation": {}, "evidence": {}, "request": {}}',
    "verify types": b'{"presentation": [], "evidence": 1, "request": "x", "nonce": {}}',
    "verify junk links": b'{"presentation": {"links": [{"a": []}, "x.y.z"]}, "evidence": {},'
    b' "request": {"action": "a.b", "resource": "urn:a:b"}}',
}

PATHS = [
    "/", "/nowhere", "/v1", "/v1/agents/a/b", "/v1/resolve", "/v1/resolve?name=", "/v1/resolve?n=x",
    "/v1/resolve?name=%00", "/v1/resolve?name=%ff%fe", "/v1/resolve?name=%ED%A0%80",
    "/v1/resolve?name=" + "a" * 20_000, "/v1/resolve?name=mcp://a.b.%D0%90cme.v1",
    "/v1/resolve?name=mcp%3A%2F%2Fa.b.c.v1%0A", "/v1/resolve?" + "&".join(["x=1"] * 2000),
    "/v1/agents/x", "/v1/agents/%00", "/v1/agents/..%2f..%2fetc", "/v1/agents/did:key:",
    "/v1/agents/did:key:%EF%BC%A1", "/v1/agents/" + "did:key:" + "z" * 5000,
    "/v1/evidence/x", "/v1/evidence/did:key:z", "/status/x", "/status/%00", "/status/2",
    "/status/..%2f..%2fdelegant.toml", "/status/1.json", "/status/" + "9" * 5000,
]  # fmt: skip


def is_problem(reply: Reply) -> None:
    """The one shape of every error."""
    assert 400 <= reply.status < 500, (reply.status, reply.body[:200])
    assert reply.headers["content-type"] == "application/problem+json"
    value = reply.json
    assert set(value) == {
        "type", "title", "status", "detail", "code", "message", "link", "dimension",
    }  # fmt: skip
    assert value["status"] == reply.status
    assert value["code"] in CODES
    assert value["type"].endswith("/" + value["code"])
    assert "Traceback" not in reply.body.decode()
    assert "sqlite" not in reply.body.decode().lower()


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("path", POSTS)
def test_a_hostile_body_is_a_problem(house: House, path: str, what: str) -> None:
    reply = house.call("POST", path, BODIES[what], {"Agent-Invocation": "a.b.c"})
    if path == "/v1/verify" and reply.status == 200:  # its answer to what is shown is a verdict
        assert reply.json["state"] == "malformed"
    else:
        is_problem(reply)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:32])
def test_a_hostile_path_is_a_problem(house: House, path: str) -> None:
    is_problem(house.call("GET", path))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/resolve", "/v1/agents", "/status/1", "/health"])
def test_another_method_is_405(house: House, method: str, path: str) -> None:
    reply = house.call(method, path)
    assert reply.status == 405
    is_problem(reply)


@pytest.mark.parametrize(
    "token",
    ["", "x", "..", "a.b.c", "e30.e30.e30", "\xff.\xfe.\xfd", "a" * 9000, "a.b.c.d", " . . ", "{}"],
    ids=range(10),
)
def test_a_hostile_invocation_is_a_problem(house: House, token: str) -> None:
    body, _ = house.wire(house.event(NAME.replace("main", "hostile")))
    is_problem(house.call("POST", "/v1/agents", body, {"Agent-Invocation": token}))
    about = f"/v1/evidence/{house.bot.did}"
    is_problem(house.call("GET", about, headers={"Agent-Invocation": token}))


@pytest.mark.parametrize(("path", "cap"), [("/v1/resolve", 1 << 16), ("/v1/verify", 1 << 21)])
def test_a_body_above_the_cap_is_413_with_and_without_a_length(
    house: House, path: str, cap: int
) -> None:
    said = house.call("POST", path, b" " * (cap + 1))
    assert said.status == 413
    is_problem(said)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    chunk = b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (cap // 65_536 + 1)
    counted = parse_reply(house.raw(chunked + b"0\r\n\r\n"))
    assert counted.status == 413
    is_problem(counted)
    assert house.call("POST", path, b" " * cap).status == 400  # read whole, and no JSON


def test_a_length_that_lies_is_refused_before_the_body_comes(house: House) -> None:
    start = time.monotonic()
    reply = house.raw(
        b"POST /v1/agents HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", timeout=5
    )
    assert parse_reply(reply).status == 413
    assert time.monotonic() - start < 2


def test_two_readings_of_one_request_are_none(house: House) -> None:
    for framing in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1_0\r\n",
    ):
        data = b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n0\r\n\r\n"
        assert parse_reply(house.raw(data)).status == 400


# --- slowness ----------------------------------------------------------------------------------


def test_who_drips_is_closed_and_others_are_served(tmp_path: Path) -> None:
    with running(build(tmp_path), protocol=Hasty) as house:
        for first, drip in (
            (b"", b""),
            (b"GET /health HTTP/1.1\r\n", b"X-A: b\r\n"),
            (b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", b"x"),
        ):
            assert lasted(house, first, drip) < 5
        idle = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(100)]
        start = time.monotonic()
        assert house.call("GET", "/health").status == 200
        assert time.monotonic() - start < 2
        for line in idle:
            line.close()


def test_a_connection_that_is_kept_open_is_not_hurried(tmp_path: Path) -> None:
    with running(build(tmp_path), protocol=Hasty) as house:
        ask = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
            for _ in range(3):
                line.sendall(ask)
                assert line.recv(4096).startswith(b"HTTP/1.1 200")
                time.sleep(0.6)  # together longer than one request may take


def test_asking_after_its_health_reads_no_list_of_labels(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Store, "providers", counted)
    assert house.call("GET", "/health").status == 200
    checkpoint = house.home.path / "log" / "registry.checkpoint"
    held = checkpoint.read_bytes()
    checkpoint.write_bytes(b"x")
    assert house.call("GET", "/health").status == 503
    checkpoint.write_bytes(held)
    assert house.call("GET", "/health").status == 200
