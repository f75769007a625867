"""Both clients against a registry on loopback that is honest, broken, slow or hostile."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from ans.fronted import Asked, Driver, Front, Said, nowhere
from ans.naming import NAME, URL
from delegant.ans import RegistryTrust
from delegant.ans.signing import digest_of
from delegant.credentials import did
from delegant.credentials.codec import JsonObject, parse_object
from refusal import refusal

Asking = Callable[..., Driver]
OTHER = NAME.replace("v1.0", "v2.0")


def size_of(front: Front) -> int:
    """How many entries the log has."""
    return int(front.naming.registry.log.checkpoint().splitlines()[1])


def test_a_client_registers_resolves_renews_and_revokes(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = one.submit(*naming.body(naming.event()))
    found = one.resolve(NAME)
    assert (found.did, found.endpoints) == (naming.bot.did, {"mcp": URL})
    assert time.time() < found.valid_until <= time.time() + 61
    renewal = naming.event("renew", receipt=receipt)
    receipt = one.submit(*naming.body(renewal), agent=naming.bot.did)
    revocation = naming.event("revoke", receipt=receipt, reason="retired")
    assert one.submit(*naming.body(revocation), agent=naming.bot.did)["leaf"]["seq"] == 2
    assert refusal(lambda: one.resolve(NAME)) == "ans-gone"
    assert [past.leaf.type for past in one.history(NAME)] == ["register", "renew", "revoke"]


def test_the_routes_and_the_headers(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = one.submit(*naming.body(naming.event()))
    one.resolve(NAME)
    one.submit(*naming.body(naming.event("renew", receipt=receipt)), agent=naming.bot.did)
    agent, name = naming.bot.did.replace(":", "%3A"), NAME.lower().replace(":", "%3A")
    name = name.replace("/", "%2F")
    told = [
        (asked.method, asked.path, "agent-invocation" in asked.headers) for asked in front.asked
    ]
    assert [line for line in told if "/log/" not in line[1]] == [
        ("POST", "/v1/agents", True),
        ("GET", f"/v1/resolve?name={name}", False),
        ("POST", f"/v1/agents/{agent}/events", True),
    ]
    assert {asked.headers["accept-encoding"] for asked in front.asked} == {"identity"}


def test_a_search_finds_by_what_an_agent_can_do(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    naming.register(name=OTHER)
    assert [a.name for a in one.search(capability="PaperQuery").agents] == [OTHER, NAME]
    found = one.search(capability="paperquery", version="^1", trace=True)
    assert [a.name for a in found.agents] == [NAME]
    assert (OTHER, "wrong-version") in found.trace
    assert one.search(capability="nothing of the kind").agents == ()
    assert refusal(one.search) == "ans-query"
    assert refusal(lambda: one.search(colour="red")) == "ans-query"


def test_what_the_registry_refuses_is_raised_with_its_code(front: Front, asking: Asking) -> None:
    body, token = front.naming.body(front.naming.event())
    one = asking()
    assert refusal(lambda: one.submit(body, token[:-8] + "AAAAAAAA")) == "holder-mismatch"
    assert one.submit(body, token)["leaf"]["seq"] == 0


def test_words_of_a_refusal_cannot_steer_a_terminal(front: Front, asking: Asking) -> None:
    front.first(Said.json({"code": "namespace", "detail": "\x1b[2Jgone\nerror: x\u202e"}, 403))
    with pytest.raises(Exception, match="namespace") as caught:
        asking().submit(*front.naming.body(front.naming.event()))
    assert str(caught.value).isprintable()
    assert "gone" in str(caught.value)


def test_signed_negatives_are_believed(front: Front, asking: Asking) -> None:
    one = asking()
    assert refusal(lambda: one.resolve(NAME)) == "ans-not-found"
    assert refusal(lambda: one.resolve("mcp://no.name")) == "ans-name"
    assert refusal(lambda: one.history(NAME)) == "ans-not-found"


@pytest.mark.parametrize(("status", "code"), [
    (404, "ans-not-found"), (410, "ans-gone"), (403, "ans-suspended"), (404, "not-found"),
])  # fmt: skip
@pytest.mark.parametrize("what", ["resolve", "history", "search"])
def test_an_unsigned_negative_is_not_believed(
    front: Front, asking: Asking, what: str, status: int, code: str
) -> None:
    front.naming.register()
    front.play = lambda _: Said.json({"code": code, "detail": "x", "answer": None}, status)
    one = asking()

    def ask() -> object:
        return one.search(pattern=NAME) if what == "search" else getattr(one, what)(NAME)

    assert refusal(ask) in ("ans-signature", "unavailable")
    front.play = front.honest
    ask()


def test_another_registry_is_not_believed(front: Front, asking: Asking) -> None:
    naming = front.naming
    naming.register()
    stranger = naming.world.db
    trust = RegistryTrust(did.check(stranger.did), (stranger.key.public,), naming.log)
    assert refusal(lambda: asking(trust=trust).resolve(NAME)) == "ans-signature"
    assert asking().resolve(NAME).did == naming.bot.did


def test_an_answer_about_another_name_is_refused(front: Front, asking: Asking) -> None:
    front.naming.register()
    front.naming.register(name=OTHER)
    front.play = lambda asked: front.honest(Asked(
        asked.method, asked.path.replace("v1.0", "v2.0"), asked.headers, asked.body
    ))  # fmt: skip
    assert refusal(lambda: asking().resolve(NAME)) == "ans-signature"
    assert asking().resolve(OTHER).name == OTHER


def alter(value: JsonObject, path: tuple[str | int, ...], new: object) -> None:
    *most, last = path
    for step in most:
        value = value[step]  # type: ignore[index]
    value[last] = new  # type: ignore[index]


@pytest.mark.parametrize(("path", "new", "code"), [
    (("resolvedAgents", 0, "agentDid"), "did:key:z6MkEvil", "ans-signature"),
    (("resolvedAgents", 0, "serviceEndpoint"), "https://evil.example/", "ans-signature"),
    (("resolvedAgents", 0, "record", "endpoints", "mcp"), "https://evil.example/", "ans-signature"),
    (("resolvedAgents", 0, "receipt", "index"), 0, "log-proof"),
    (("resolvedAgents", 0, "receipt", "checkpoint"), "acme.example/ans\n", "log-note"),
    (("resolvedAgents",), [], "ans-signature"),
    (("freshness", "validUntil"), "2099-01-01T00:00:00Z", "ans-signature"),
    (("freshness", "log", "size"), 99, "ans-signature"),
    (("resolutionStatus",), "not-found", "ans-signature"),
])  # fmt: skip
def test_an_altered_answer_is_refused(
    front: Front, asking: Asking, path: tuple[str | int, ...], new: object, code: str
) -> None:
    front.naming.register()
    front.altered("/v1/resolve", lambda value: alter(value, path, new))
    one = asking()
    assert refusal(lambda: one.resolve(NAME)) == code
    front.play = front.honest
    assert one.resolve(NAME).did == front.naming.bot.did


def test_a_redirect_is_not_followed(front: Front, asking: Asking) -> None:
    front.play = lambda _: Said.json({}, 302, location=f"{front.url}/elsewhere")
    assert refusal(lambda: asking().resolve(NAME)) == "unavailable"
    assert front.paths == ["/v1/resolve"]


def test_packed_bytes_are_not_unpacked(front: Front, asking: Asking) -> None:
    front.naming.register()
    front.play = lambda asked: Said(
        200, gzip.compress(front.honest(asked).body), {"content-encoding": "gzip"}
    )
    assert refusal(lambda: asking().resolve(NAME)) == "unavailable"
    assert len(front.asked) == 1


def test_no_proxy_of_the_environment_is_used(
    front: Front, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.naming.register()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nowhere())
    assert asking().resolve(NAME).did == front.naming.bot.did


def test_no_cookie_is_kept(front: Front, asking: Asking) -> None:
    front.naming.register()
    front.play = lambda asked: Said(200, front.honest(asked).body, {"set-cookie": "id=7; Path=/"})
    one = asking()
    one.resolve(NAME)
    one.resolve(NAME, fresh=True)
    assert len(front.asked) > 1
    assert not any("cookie" in asked.headers for asked in front.asked)


def endless(sent: list[int]) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    while True:
        sent.append(65_536)
        yield b" " * 65_536


def test_an_endless_answer_is_cut_off(front: Front, asking: Asking) -> None:
    sent: list[int] = []
    front.play = lambda _: endless(sent)
    assert refusal(lambda: asking().resolve(NAME)) == "limit-size"
    assert sum(sent) < 32 * 1024 * 1024  # what the system's own buffers swallow included


def dripped(data: bytes) -> Iterator[bytes]:
    for one in data:
        yield bytes([one])
        time.sleep(0.05)


@pytest.mark.parametrize("after", [0, 9, 60], ids=["from the first byte", "headers", "body"])
def test_a_slow_drip_ends_with_the_time(front: Front, asking: Asking, after: int) -> None:
    whole = Said(200, b" " * 1000).wire

    def play(_: Asked) -> Iterator[bytes]:
        yield whole[:after]
        yield from dripped(whole[after:])

    front.play = play
    start = time.monotonic()
    assert refusal(lambda: asking(total=0.6).resolve(NAME)) == "unavailable"
    assert 0.5 < time.monotonic() - start < 2


def test_silence_ends_with_the_wait_and_is_asked_again(front: Front, asking: Asking) -> None:
    front.naming.register()

    def silence() -> Iterator[bytes]:
        time.sleep(1)
        yield b""

    front.first(silence())
    start = time.monotonic()
    assert asking(timeout=0.3).resolve(NAME).did == front.naming.bot.did
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"\xff", b'{"a":1,"a":2}', b"[" * 9999])
@pytest.mark.parametrize("status", [200, 304, 404, 410, 500])
def test_an_answer_that_is_none_is_unavailable(
    front: Front, asking: Asking, status: int, content: bytes
) -> None:
    front.play = lambda _: Said(status, b"" if status == 304 else content)
    assert refusal(lambda: asking().resolve(NAME)) == "unavailable"


@pytest.mark.parametrize("data", [
    b"", b"\0" * 100, b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n{}",
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 No\r\nRetry-After: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 No\r\nRetry-After: 999999\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
])  # fmt: skip
def test_garbage_on_the_line_is_unavailable(front: Front, asking: Asking, data: bytes) -> None:
    front.play = lambda _: data
    start = time.monotonic()
    assert refusal(lambda: asking(total=3).resolve(NAME)) == "unavailable"
    assert time.monotonic() - start < 4
    assert len(front.asked) <= 4


@pytest.mark.parametrize("problem", [{"code": "nonsense"}, {"code": 7}, {}, {"detail": [1]}])
def test_a_problem_with_an_unknown_code_is_unavailable(
    front: Front, asking: Asking, problem: JsonObject
) -> None:
    front.play = lambda _: Said.json(problem, 500)
    assert refusal(lambda: asking().resolve(NAME)) == "unavailable"


@pytest.mark.parametrize("first", [
    [b""], [Said.json({"code": "unavailable"}, 503)], [Said.json({}, 429, **{"retry-after": "0"})],
    [b"", Said(502, b"<html>"), Said(504, b"")],
], ids=["dropped", "503", "429", "three"])  # fmt: skip
def test_a_question_is_asked_again(front: Front, asking: Asking, first: list[Said | bytes]) -> None:
    front.naming.register()
    front.first(*first)
    assert asking().resolve(NAME).did == front.naming.bot.did
    assert front.paths.count("/v1/resolve") == len(first) + 1


def test_retry_after_is_honoured_and_bounded(front: Front, asking: Asking) -> None:
    front.naming.register()
    front.first(Said.json({}, 503, **{"retry-after": "1"}))
    start = time.monotonic()
    assert asking().resolve(NAME).did == front.naming.bot.did
    assert time.monotonic() - start >= 1
    front.first(Said.json({"code": "unavailable"}, 503, **{"retry-after": "3600"}))
    start = time.monotonic()
    assert refusal(lambda: asking().resolve(NAME)) == "unavailable"
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("how", ["dropped", "503", "half"])
def test_an_event_sent_again_is_one_leaf(front: Front, asking: Asking, how: str) -> None:
    naming, before = front.naming, size_of(front)
    broken = {"dropped": b"", "503": Said.json({"code": "unavailable"}, 503), "half": b"HTTP/1.1 2"}
    times = 0

    def play(asked: Asked) -> Said | bytes:
        nonlocal times
        said = front.honest(asked)  # it was written; only the word of it is lost
        times += asked.method == "POST"
        return broken[how] if asked.method == "POST" and times == 1 else said  # type: ignore[return-value]

    front.play = play
    body, token = naming.body(naming.event())
    receipt = asking().submit(body, token)
    assert times == 2
    assert size_of(front) == before + 1
    assert receipt["leaf"]["event"] == digest_of(parse_object(body, size=1 << 20)["event"])
    assert [asked.body for asked in front.asked if asked.method == "POST"] == [body, body]


def test_a_registry_that_stays_away_is_unavailable(front: Front, asking: Asking) -> None:
    front.play = lambda _: b""
    one = asking()
    assert refusal(lambda: one.resolve(NAME)) == "unavailable"
    assert len(front.asked) == 4
    assert refusal(lambda: one.submit(*front.naming.body(front.naming.event()))) == "unavailable"
    assert refusal(lambda: asking(nowhere()).resolve(NAME)) == "unavailable"


@pytest.mark.parametrize("url", [
    "", "registry.example", "ftp://registry.example", "http://", "http://user:x@registry.example",
    "http://registry.example/?x=1", "http://[", "http://" + "a" * 64 + ".example",
    "http://registry.example:99999",
])  # fmt: skip
def test_what_is_no_address_is_told(front: Front, asking: Asking, url: str) -> None:
    assert refusal(lambda: asking(url, total=3).resolve(NAME)) in ("shape", "unavailable")


def test_a_receipt_of_another_event_is_not_taken(front: Front, asking: Asking) -> None:
    naming = front.naming
    old = naming.register(name=NAME.replace("v1.0", "v0.1"))
    front.first(Said.json(old, 201))
    assert refusal(lambda: asking().submit(*naming.body(naming.event()))) == "ans-signature"


@pytest.mark.parametrize(("path", "new", "code"), [
    (("leaf", "agent"), "did:key:z6MkEvil", "log-proof"), (("leaf", "by"), "sponsor", "log-entry"),
    (("index",), 0, "log-proof"),
    (("leaf", "seq"), 5, "log-entry"), (("checkpoint",), "x", "log-note"),
    (("opening", "salt"), "A" * 22, "ans-signature"), (("more",), 1, "unknown-member"),
])  # fmt: skip
def test_a_forged_receipt_is_not_taken(
    front: Front, asking: Asking, path: tuple[str | int, ...], new: object, code: str
) -> None:
    body, token = front.naming.body(front.naming.event())
    front.altered("/v1/agents", lambda value: alter(value, path, new))
    one = asking()
    assert refusal(lambda: one.submit(body, token)) == code
    front.play = front.honest
    assert one.submit(body, token)["leaf"]["seq"] == 0


def test_the_client_needs_no_server_library() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, delegant.ans\n"
            "print([m for m in ('sqlalchemy', 'fastapi', 'uvicorn') if m in sys.modules])",
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.strip() == "[]"
