"""The guarded fetcher: what it refuses before it connects, and what it ends while it reads."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.resolver.addresses import public
from delegant.resolver.fetch import LOG_TYPES, SIZE, Fetcher, Wire
from refusal import refusal
from resolver.tls import HOST, PUBLIC, Site, page, says, site, trusting

URL = f"https://{HOST}/.well-known/did.json"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, says(page(b'{"id": "x"}'))) as running:
        yield running


# --- addresses -----------------------------------------------------------------------------------

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - an address like the others
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.1.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:127.0.0.1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC_ONES = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2606:4700::5efe:8.8.8.8",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_address_but_a_public_one_is_connected_to(door: Site, address: str) -> None:
    door.addresses = [[address]]
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-refused"
    assert door.connected == []


@pytest.mark.parametrize("address", PUBLIC_ONES)
def test_a_public_address_is_public(address: str) -> None:
    assert str(public(address)) == str(ip_address(address))


@given(st.ip_addresses())
def test_a_public_address_is_never_one_the_standard_library_knows_as_special(found: object) -> None:
    text = str(found)
    if refusal(lambda: public(text)) == "":
        known = ip_address(text)
        inside = getattr(known, "ipv4_mapped", None) or getattr(known, "sixtofour", None) or known
        assert not inside.is_private
        assert not inside.is_multicast
        assert not inside.is_loopback
        assert not inside.is_link_local
        assert not inside.is_unspecified


@given(st.text(max_size=40))
def test_what_is_no_address_is_refused(text: str) -> None:
    assert refusal(lambda: public(text)) in ("", "fetch-refused")


# --- URLs ----------------------------------------------------------------------------------------

NO_URL = [
    "",
    "acme.example/did.json",
    "http://acme.example/did.json",
    "HTTPS://acme.example/did.json",
    "ftp://acme.example/did.json",
    "file:///etc/passwd",
    "https:acme.example",
    "https:///did.json",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://①②⑦.⓪.⓪.①/",
    "https://acme。example/",
    "https://ACME.example/",
    "https://localhost/",
    "https://acme/",
    "https://acme.example./",
    "https://.acme.example/",
    "https://acme..example/",
    "https://-acme.example/",
    "https://acme_x.example/",
    "https://acme.example:443/",
    "https://acme.example:8443/",
    "https://acme.example:22/",
    "https://acme.example:/",
    "https://user@acme.example/",
    "https://user:pass@acme.example/",
    "https://acme.example@evil.example/",
    "https://acme.example%2eevil.example/",
    "https://acme.example\\@evil.example/",
    "https://acme.example/#fragment",
    "https://acme.example/a b",
    "https://acme.example/a\r\nHost: evil.example",
    "https://acme.example/a\nb",
    "https://acme.example/\x00",
    "https://acme.example/%zz",
    "https://acme.example/" + "a" * 4096,
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
]


@pytest.mark.parametrize("url", NO_URL)
def test_no_url_but_a_plain_https_one_is_even_looked_up(door: Site, url: str) -> None:
    assert refusal(lambda: door.fetcher("*").get(url)) == "fetch-refused"
    assert door.asked == []


def test_a_plain_url_is_fetched_from_the_checked_address_under_its_own_name(door: Site) -> None:
    reply = door.fetcher().get(URL)
    assert reply.body == b'{"id": "x"}'
    assert reply.media == "application/did+json"
    assert reply.max_age is None
    assert door.connected == [(PUBLIC, 443)]
    assert door.names == [HOST]
    assert f"Host: {HOST}\r\n" in door.requests[0]
    assert door.requests[0].startswith("GET /.well-known/did.json HTTP/1.1\r\n")


# --- who may be asked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "host", "may"),
    [
        ("acme.example", "acme.example", True),
        ("acme.example", "www.acme.example", False),
        ("acme.example", "evilacme.example", False),
        ("*.acme.example", "www.acme.example", True),
        ("*.acme.example", "a.b.acme.example", True),
        ("*.acme.example", "acme.example", False),
        ("*.acme.example", "evilacme.example", False),
        ("*.acme.example", "acme.example.evil.example", False),
        ("*", "anything.example", True),
    ],
)
def test_only_hosts_the_operator_listed_are_asked(pattern: str, host: str, may: bool) -> None:
    assert Fetcher([pattern]).allows(host) is may


def test_without_a_list_nothing_is_looked_up(door: Site) -> None:
    nothing = Fetcher((), wire=Wire(door.lookup, door.connect, trusting))
    assert refusal(lambda: nothing.get(URL)) == "fetch-refused"
    assert refusal(lambda: door.fetcher("other.example").get(URL)) == "fetch-refused"
    assert door.asked == []


@pytest.mark.parametrize(
    "pattern", ["", "**", "*.", "*acme.example", "acme", "a.*", "A.example", 1]
)
def test_a_pattern_that_could_mean_something_else_is_refused(pattern: str) -> None:
    assert refusal(lambda: Fetcher([pattern])) == "shape"


# --- rebinding -----------------------------------------------------------------------------------


def test_the_address_that_was_checked_is_the_one_connected_to(door: Site) -> None:
    """The second answer of the name server is never asked for."""
    door.addresses = [[PUBLIC], ["127.0.0.1"]]
    assert door.fetcher().get(URL).body == b'{"id": "x"}'
    assert door.asked == [HOST]
    assert door.connected == [(PUBLIC, 443)]
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-refused"


@pytest.mark.parametrize(
    "mixed", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "::1"], ["1.1.1.1", "x"]]
)
def test_one_bad_address_among_good_ones_refuses_the_name(door: Site, mixed: list[str]) -> None:
    door.addresses = [mixed]
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-refused"
    assert door.connected == []


def test_a_name_without_addresses_or_with_too_many_fails(door: Site) -> None:
    for found in ([], [f"8.8.8.{n}" for n in range(17)]):
        door.addresses = [found]
        assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"

    def unknown(_host: str) -> list[str]:
        raise socket.gaierror(-2, "unknown")

    wire = Wire(unknown, door.connect, trusting)
    assert refusal(lambda: Fetcher([HOST], wire=wire).get(URL)) == "fetch-failed"


def test_the_next_address_is_tried_when_one_does_not_answer(door: Site) -> None:
    def connect(address: str, port: int, seconds: float) -> socket.socket:
        if address == "1.1.1.1":
            raise ConnectionRefusedError
        return door.connect(address, port, seconds)

    wire = Wire(lambda _host: ["1.1.1.1", PUBLIC], connect, trusting)
    assert Fetcher([HOST], wire=wire).get(URL).body == b'{"id": "x"}'
    dead = Wire(lambda _host: ["1.1.1.1"], connect, trusting)
    assert refusal(lambda: Fetcher([HOST], wire=dead).get(URL)) == "fetch-failed"


# --- TLS -----------------------------------------------------------------------------------------


def test_the_certificate_must_be_trusted_and_the_names_own(door: Site) -> None:
    stranger = Wire(door.lookup, door.connect)
    assert refusal(lambda: Fetcher([HOST], wire=stranger).get(URL)) == "fetch-failed"
    assert refusal(lambda: door.fetcher("*").get("https://other.example/")) == "fetch-failed"
    assert door.requests == []
    assert door.fetcher().get(URL).body


def test_a_server_without_tls_is_not_spoken_to(door: Site) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def plain(_address: str, _port: int, seconds: float) -> socket.socket:
        line = socket.create_connection(listener.getsockname(), seconds)
        other, _ = listener.accept()
        other.sendall(page(b"{}"))
        other.close()
        return line

    wire = Wire(door.lookup, plain, trusting)
    with listener:
        assert refusal(lambda: Fetcher([HOST], wire=wire).get(URL)) == "fetch-failed"


# --- what comes back -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["https://acme.example/other", "http://acme.example/", "https://127.0.0.1/"]
)
def test_a_redirect_is_not_followed(door: Site, status: int, target: str) -> None:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    door.answer = says(head.encode())
    assert refusal(lambda: door.fetcher("*").get(URL)) == "fetch-failed"
    assert len(door.requests) == len(door.connected) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_told_with_the_code_asked_for(door: Site, status: int) -> None:
    door.answer = says(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"
    assert refusal(lambda: door.fetcher().get(URL, absent="did-not-found")) == "did-not-found"


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 403, 429, 500, 503])
def test_any_status_but_200_fails(door: Site, status: int) -> None:
    door.answer = says(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
    assert refusal(lambda: door.fetcher().get(URL, absent="did-not-found")) == "fetch-failed"


@pytest.mark.parametrize(
    "media", ["text/html", "text/plain", "application/jsonx", "application/did+cbor", "", "x"]
)
def test_a_type_that_was_not_asked_for_fails(door: Site, media: str) -> None:
    door.answer = says(page(b"{}", media))
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"


def test_each_use_has_its_own_types(door: Site) -> None:
    door.answer = says(page(b"{}", "text/jsonl; charset=utf-8"))
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"
    assert door.fetcher().get(URL, media=LOG_TYPES).media == "text/jsonl"
    door.answer = says(page(b"{}", "Application/JSON; charset=utf-8"))
    assert door.fetcher().get(URL).media == "application/json"
    door.answer = says(page(b"{}", head="Content-Type: application/json\r\n"))
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"


def test_a_body_may_be_as_large_as_allowed_and_no_larger(door: Site) -> None:
    for size, code in ((SIZE, ""), (SIZE + 1, "fetch-failed")):
        door.answer = says(page(b" " * size))
        assert refusal(lambda: door.fetcher().get(URL)) == code
    assert len(door.fetcher().get(URL, size=SIZE + 1).body) == SIZE + 1


def test_a_body_without_an_announced_length_is_bounded_too(door: Site) -> None:
    sent = 0

    def endless(line: ssl.SSLSocket, _request: str) -> None:
        nonlocal sent
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        line.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            line.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
            sent += 0x1000

    door.answer = endless
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"
    assert sent < 10_000 * 0x1000


def test_what_came_compressed_is_not_unpacked(door: Site) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < SIZE
    door.answer = says(page(bomb, head="Content-Encoding: gzip\r\n"))
    tracemalloc.start()
    try:
        assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert "Accept-Encoding: identity\r\n" in door.requests[0]
    door.answer = says(page(b"{}", head="Content-Encoding: identity\r\n"))
    assert door.fetcher().get(URL).body == b"{}"


def test_endless_headers_are_not_read_to_their_end(door: Site) -> None:
    sent = 0

    def endless(line: ssl.SSLSocket, _request: str) -> None:
        nonlocal sent
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        for n in range(1_000_000):
            line.sendall(f"X-{n}: {'x' * 1000}\r\n".encode())
            sent += 1000

    door.answer = endless
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"
    assert sent < 20_000_000


def test_endless_answers_before_the_answer_are_not_read_to_their_end(door: Site) -> None:
    def endless(line: ssl.SSLSocket, _request: str) -> None:
        for _ in range(1_000_000):
            line.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 64)

    door.answer = endless
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"


LONG = 10
"""Seconds: many times what is allowed, for a loaded machine; what is waited for takes longer."""
SLOW = {
    "silence": [],
    "a slow head": [b"H", b"T", b"T", b"P"] * 25,
    "a slow body": [page(b"x" * 100)[:-100], *[b"x"] * 99],
    "half a body": [page(b"x" * 100)[:-50]],
}


@pytest.mark.parametrize("parts", SLOW.values(), ids=list(SLOW))
def test_what_takes_too_long_is_given_up(door: Site, parts: list[bytes]) -> None:
    over = threading.Event()

    def drip(line: ssl.SSLSocket, _request: str) -> None:
        for part in parts:
            line.sendall(part)
            over.wait(0.2)
        over.wait(2 * LONG)

    door.answer = drip
    begun = time.monotonic()
    try:
        assert refusal(lambda: door.fetcher(seconds=0.6).get(URL)) == "fetch-failed"
        assert time.monotonic() - begun < LONG
    finally:
        over.set()


def test_a_name_server_and_a_handshake_that_take_too_long_are_given_up(door: Site) -> None:
    over = threading.Event()

    def slow(_host: str) -> list[str]:
        over.wait(2 * LONG)
        return [PUBLIC]

    listener = socket.create_server(("127.0.0.1", 0))

    def silent(_address: str, _port: int, seconds: float) -> socket.socket:
        return socket.create_connection(listener.getsockname(), seconds)

    with listener:
        for wire in (Wire(slow, door.connect, trusting), Wire(door.lookup, silent, trusting)):
            begun = time.monotonic()
            fetcher = Fetcher([HOST], wire=wire, seconds=0.4)
            assert refusal(lambda fetcher=fetcher: fetcher.get(URL)) == "fetch-failed"
            assert time.monotonic() - begun < LONG
    over.set()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/0.9 200\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        page(b"", head="Transfer-Encoding: chunked\r\n") + b"zz",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_what_is_no_http_fails(door: Site, data: bytes) -> None:
    door.answer = says(data)
    assert refusal(lambda: door.fetcher().get(URL)) == "fetch-failed"


# --- what is not taken along ----------------------------------------------------------------------


def test_proxies_and_passwords_of_the_surroundings_are_ignored(
    door: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login ana password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert door.fetcher().get(URL).body == b'{"id": "x"}'
    assert door.connected == [(PUBLIC, 443)]
    assert "authorization" not in door.requests[0].lower()


def test_cookies_are_not_kept(door: Site) -> None:
    door.answer = says(page(b"{}", head="Set-Cookie: a=b\r\n"))
    fetcher = door.fetcher()
    fetcher.get(URL)
    fetcher.get(URL)
    assert "cookie" not in door.requests[1].lower()


@pytest.mark.parametrize(
    ("told", "age"),
    [
        ("max-age=60", 60),
        ("public, max-age=3600, immutable", 3600),
        ("no-store", 0),
        ("no-cache, max-age=60", 0),
        ("s-maxage=60", None),
        ("max-age=x", None),
    ],
)
def test_how_long_it_may_be_kept_is_read(door: Site, told: str, age: int | None) -> None:
    door.answer = says(page(b"{}", head=f"Cache-Control: {told}\r\n"))
    assert door.fetcher().get(URL).max_age == age


@given(st.text(max_size=60))
def test_any_text_is_a_refusal_or_an_error_of_ours(text: str) -> None:
    try:
        Fetcher(["other.example"]).get(text)
    except Error as exc:
        assert exc.code == "fetch-refused"
