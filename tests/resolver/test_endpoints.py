"""Hostile input at every endpoint there is: the routes are read from the program itself.

Whatever is sent, no answer is a 5xx, every refusal is the one problem document, and none of them
quotes the store, the interpreter or a path of this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from delegant.credentials import CODES
from published import VECTORS, names, needs_vectors
from resolver.door import NAME, House, Reply, build, parse_reply, running
from resolver.strings import NAUGHTY
from resolver.test_hostile import BODIES

OWN_SHAPE = ("/1.0/identifiers/",)
"""Whose refusals are resolution results, as DID Resolution has them."""
INNER = re.compile(
    r"sqlite|sqlalchemy|traceback|site-packages|\.py\b|\bline [0-9]+, in|errno|<class|object at 0x",
    re.IGNORECASE,
)
ANY = {
    "agent": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "number": "1",
    "about": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "digest": "uEi" + "A" * 44,
    "name": NAME,
    "rest": "0/000",
    "folder": "agents/nobody",
}
_HOLE = re.compile(r"{([a-z_]+)(?::path)?}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that asks nobody for a token, so that everything gets as far as it can."""
    folder: Path = tmp_path_factory.mktemp("endpoints")
    with running(build(folder), development=True) as open_house:
        yield open_house


def filled(path: str, **holes: str) -> str:
    """A route's address; what is in its holes is percent-encoded."""
    return _HOLE.sub(lambda hole: quote(holes.get(hole[1], ANY.get(hole[1], "x")), safe=""), path)


def endpoints(house: House, *methods: str) -> list[tuple[str, str]]:
    return [(method, path) for method, path in house.routes if method in methods]


def is_safe(house: House, reply: Reply, what: object) -> None:
    """Not our fault, and told in the one shape; nothing of our inside is quoted."""
    assert 200 <= reply.status < 500, (what, reply.status, reply.body[:300])
    if reply.status < 400 or not reply.body:  # HEAD has none
        return
    text = reply.body.decode()
    assert not INNER.search(text), (what, text[:300])
    assert str(house.home.path) not in text, what
    value: Any = json.loads(text)
    if reply.headers["content-type"] != "application/problem+json":
        told = value.get("verified") is False or "didResolutionMetadata" in value
        assert told or "contentMetadata" in str(value), (what, text[:300])
        return
    assert {"type", "title", "status", "detail", "code", "message"} <= value.keys(), what
    assert value["status"] == reply.status, what
    assert value["code"] in CODES, what


def test_every_kind_of_route_is_asked(house: House) -> None:
    routes = set(house.routes)
    for wanted in (
        ("POST", "/v1/agents"), ("GET", "/v1/resolve"), ("POST", "/v1/resolve"),
        ("POST", "/v1/verify"), ("GET", "/status/{number}"), ("POST", "/credentials/issue"),
        ("GET", "/1.0/identifiers/{name:path}"), ("GET", "/health"),
    ):  # fmt: skip
        assert wanted in routes


# --- bodies --------------------------------------------------------------------------------------

NO_JSON = {
    "empty", "space", "text", "duplicate", "escaped duplicate", "NaN", "Infinity", "huge integer",
    "huge float", "lone surrogate", "surrogate key", "UTF-16", "UTF-16 without mark", "UTF-32",
    "byte order mark", "not UTF-8", "overlong", "null byte", "comment", "trailing comma",
    "two values", "cut short", "deep array", "deep object", "array", "null", "number", "string",
}  # fmt: skip


@pytest.mark.parametrize("what", BODIES)
def test_a_hostile_body(house: House, what: str) -> None:
    for method, path in endpoints(house, "POST", "PUT"):
        for token in ({}, {"Agent-Invocation": "a.b.c"}):
            reply = house.call(method, filled(path), BODIES[what], token)
            is_safe(house, reply, (path, what))
            if what in NO_JSON:
                assert 400 <= reply.status < 500, (path, what, reply.status)


@needs_vectors
@pytest.mark.parametrize("kind", ["n", "i", "y"])
def test_the_json_test_suite(house: House, kind: str) -> None:
    bodies = {
        name: VECTORS.joinpath("json-parsing", "test_parsing", name).read_bytes()
        for name in names("json-parsing", "test_parsing")
        if name.startswith(f"{kind}_")
    }
    assert len(bodies) > 30
    for method, path in endpoints(house, "POST", "PUT"):
        for name, body in bodies.items():
            reply = house.call(method, filled(path), body)
            is_safe(house, reply, (path, name))
            if kind == "n":
                assert 400 <= reply.status < 500, (path, name, reply.status)


MEMBERS = ("name", "event", "presentation", "credential", "verifiableCredential", "capability",
           "ansNamePattern", "versionRange", "organization", "label", "@context", "id")  # fmt: skip


@pytest.mark.parametrize("what", NAUGHTY)
def test_a_naughty_text_in_a_body(house: House, what: str) -> None:
    text = NAUGHTY[what]
    for method, path in endpoints(house, "POST", "PUT"):
        for body in (
            *({member: text} for member in MEMBERS),
            {text: text},
            {"options": {text: [text]}},
        ):
            reply = house.call(method, filled(path), json.dumps(body).encode())
            is_safe(house, reply, (path, body))


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", NAUGHTY)
def test_a_naughty_text_in_an_address(house: House, what: str) -> None:
    text = NAUGHTY[what]
    for method, path in endpoints(house, "GET", "HEAD"):
        if _HOLE.search(path):
            holes = dict.fromkeys(ANY, text)
            is_safe(house, house.call(method, filled(path, **holes)), (path, what))
        for member in ("name", "pattern", "capability", "version", "index", "old", "x"):
            asked = f"{filled(path)}?{member}={quote(text, safe='')}"
            is_safe(house, house.call(method, asked), asked)
        is_safe(house, house.call(method, f"{filled(path)}?{quote(text, safe='')}"), (path, what))


RAW = [
    "%00", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/", "//", "%ff", "%c0%ae",
    "%ED%A0%80", "%", "%2", "%zz", "%EF%BC%8E%EF%BC%8E", "%E2%80%AE", "a%0d%0aX: y", ";a=b", "%5c",
    "a" * 8000,
]  # fmt: skip


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw[:16])
def test_an_address_spelled_oddly(house: House, raw: str) -> None:
    for method, path in endpoints(house, "GET"):
        odd = _HOLE.sub(lambda _: raw, path)
        is_safe(house, house.call(method, odd), odd)
        is_safe(house, house.call(method, f"{filled(path)}/{raw}"), (path, raw))
        is_safe(house, house.call(method, f"{filled(path)}?name={raw}&name={raw}"), (path, raw))


def test_another_method_is_refused_everywhere(house: House) -> None:
    known: dict[str, set[str]] = {}
    for method, path in house.routes:
        known.setdefault(path, set()).add(method)
    for path, methods in known.items():
        for method in {"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "GET", "POST", "X"} - methods:
            reply = house.call(method, filled(path), b"{}" if method == "POST" else None)
            is_safe(house, reply, (method, path))
            assert reply.status in (400, 404, 405), (method, path, reply.status)


# --- what is not even HTTP -------------------------------------------------------------------


def heads(method: str, path: str) -> dict[str, bytes]:
    """Heads that are no HTTP/1.1, or say two things at once."""
    start = f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode()
    return {
        "length and chunks": start
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": start + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        "a bad chunk": start + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "a huge chunk": start + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
        "another coding": start + b"Transfer-Encoding: gzip, identity\r\n\r\n{}",
        "a negative length": start + b"Content-Length: -1\r\n\r\n",
        "a flood": start + b"".join(b"X-%d: y\r\n" % i for i in range(9000)) + b"\r\n",
        "a wide header": start + b"X: " + b"y" * 80_000 + b"\r\n\r\n",
        "no colon": start + b"nothing\r\n\r\n",
        "a folded line": start + b"X: y\r\n z\r\n\r\n",
        "a null": start + b"X: a\x00b\r\n\r\n",
        "a huge address": f"{method} {path}{'a' * 70_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        "no version": f"{method} {path}\r\n\r\n".encode(),
        "version 9": f"{method} {path} HTTP/9.9\r\nHost: x\r\n\r\n".encode(),
        "blank in the address": f"{method} {path} x HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    }


@pytest.mark.parametrize("what", heads("GET", "/"))
def test_what_is_no_http_is_refused_in_the_same_shape(house: House, what: str) -> None:
    for method, path in endpoints(house, "GET", "POST"):
        data = heads(method, filled(path))[what]
        done = data.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n", 1)
        raw = house.raw(done, timeout=5)
        if not raw:  # closed without a word
            continue
        reply = parse_reply(raw)
        is_safe(house, reply, (path, what))
        if method == "POST" and what in ("length and chunks", "two lengths", "a bad chunk"):
            assert 400 <= reply.status < 500, (path, what)
