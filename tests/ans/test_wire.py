"""The client: it believes signatures, and nothing for coming from the right address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ans.naming import NAME, URL, Naming
from delegant.ans import Client
from delegant.ans.documents import digest_of
from delegant.credentials import Error, Unavailable
from delegant.credentials.codec import canonical, parse_object

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def honest(naming: Naming) -> Handler:
    """The registry behind its routes, as the HTTP room serves it."""

    def handle(request: httpx.Request) -> httpx.Response:
        try:
            if request.method == "POST":
                token = request.headers.get("agent-invocation")
                receipt = naming.registry.submit(request.read(), token, naming.now)
                return httpx.Response(201, content=canonical(receipt))
            name = request.url.params["name"]
            status, answer = naming.registry.resolve(name, naming.now)
            return httpx.Response(status, content=canonical(answer))
        except Error as exc:
            return httpx.Response(exc.http_status, json=exc.problem())

    return handle


def client(naming: Naming, handle: Handler | None = None) -> Client:
    transport = httpx.MockTransport(handle or honest(naming))
    return Client("http://registry.example", naming.did, log=naming.log, transport=transport)


def code_of(naming: Naming, handle: Handler, name: str = NAME) -> str:
    with client(naming, handle) as one, pytest.raises(Error) as caught:
        one.resolve(name, at=naming.now)
    return caught.value.code


def test_a_client_registers_resolves_renews_and_revokes(naming: Naming) -> None:
    with client(naming) as one:
        receipt = one.submit(*naming.body(naming.event()))
        found = one.resolve(NAME, at=naming.now)
        assert (found.did, found.endpoints) == (naming.bot.did, {"mcp": URL})
        assert naming.now < found.valid_until <= naming.now + 60
        renewal = naming.event("renew", receipt=receipt)
        receipt = one.submit(*naming.body(renewal), agent=naming.bot.did)
        revocation = naming.event("revoke", receipt=receipt)
        assert one.submit(*naming.body(revocation), agent=naming.bot.did)["leaf"]["seq"] == 2
        with pytest.raises(Error, match="ans-gone"):
            one.resolve(NAME, at=naming.now)


def test_the_routes_and_the_header(naming: Naming) -> None:
    asked: list[tuple[str, str, bool]] = []

    def watch(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        asked.append((request.method, path, "agent-invocation" in request.headers))
        return honest(naming)(request)

    with client(naming, watch) as one:
        receipt = one.submit(*naming.body(naming.event()))
        one.resolve(NAME, at=naming.now)
        renewal = naming.event("renew", receipt=receipt)
        one.submit(*naming.body(renewal), agent=naming.bot.did)
    did = naming.bot.did.replace(":", "%3A")
    name = NAME.replace(":", "%3A").replace("/", "%2F")
    assert asked == [
        ("POST", "/v1/agents", True),
        ("GET", f"/v1/resolve?name={name}", False),
        ("POST", f"/v1/agents/{did}/events", True),
    ]


def test_what_the_registry_refuses_is_raised_with_its_code(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    with client(naming) as one:
        with pytest.raises(Error, match="holder-mismatch"):
            one.submit(body, token[:-8] + "AAAAAAAA")
        assert one.submit(body, token)["leaf"]["seq"] == 0


def test_signed_negatives_are_believed(naming: Naming) -> None:
    assert code_of(naming, honest(naming)) == "ans-not-found"
    assert code_of(naming, honest(naming), "mcp://no.name") == "ans-name"


def test_an_answer_kept_too_long_is_stale(naming: Naming) -> None:
    naming.register()
    with client(naming) as one:
        assert one.resolve(NAME, at=naming.now + 59).did == naming.bot.did
        with pytest.raises(Error, match="ans-stale"):
            one.resolve(NAME, at=naming.now + 60)


def test_an_answer_about_another_name_is_refused(naming: Naming) -> None:
    other = NAME.replace("v1.0", "v2.0")
    naming.register(name=other)
    wrong = naming.registry.resolve(other, naming.now)[1]
    assert code_of(naming, lambda _: httpx.Response(200, content=canonical(wrong))) == (
        "ans-signature"
    )


def test_another_registry_is_not_believed(naming: Naming) -> None:
    naming.register()
    transport = httpx.MockTransport(honest(naming))
    stranger = Client(
        "http://registry.example", naming.world.db.did, log=naming.log, transport=transport
    )
    with stranger, pytest.raises(Error, match="ans-signature"):
        stranger.resolve(NAME, at=naming.now)
    with Client("http://registry.example", naming.did, log=naming.log, transport=transport) as one:
        assert one.resolve(NAME, at=naming.now).did == naming.bot.did


def test_a_redirect_is_not_followed(naming: Naming) -> None:
    asked: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://evil.example/"}, json={})

    assert code_of(naming, elsewhere) == "unavailable"
    assert len(asked) == 1


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
def test_a_registry_out_of_reach_is_unavailable(
    naming: Naming, failure: type[httpx.TransportError]
) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise failure("broken")

    assert code_of(naming, broken) == "unavailable"


def test_an_endless_answer_is_cut_off(naming: Naming) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    assert code_of(naming, lambda _: httpx.Response(200, content=endless())) == "limit-size"
    assert sent < 8 * 1024 * 1024


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"\xff", b'{"a":1,"a":2}', b"[" * 9999])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_that_is_none_has_a_known_code(
    naming: Naming, status: int, content: bytes
) -> None:
    code = code_of(naming, lambda _: httpx.Response(status, content=content))
    assert code not in ("ans-not-found", "ans-gone")


@pytest.mark.parametrize("problem", [{"code": "nonsense"}, {"code": 7}, {}, {"detail": "x"}])
def test_a_problem_with_an_unknown_code_is_unavailable(
    naming: Naming, problem: dict[str, object]
) -> None:
    assert code_of(naming, lambda _: httpx.Response(500, json=problem)) == "unavailable"


@pytest.mark.parametrize(("status", "code"), [(404, "ans-not-found"), (410, "ans-gone")])
def test_an_unsigned_negative_is_not_believed(naming: Naming, status: int, code: str) -> None:
    naming.register()
    told = code_of(naming, lambda _: httpx.Response(status, json={"code": code, "detail": "x"}))
    assert told not in ("ans-not-found", "ans-gone")


def test_a_receipt_of_another_event_is_not_taken(naming: Naming) -> None:
    old = naming.register(name=NAME.replace("v1.0", "v0.1"))
    one = client(naming, lambda _: httpx.Response(201, content=canonical(old)))
    with one, pytest.raises(Error, match="ans-signature"):
        one.submit(*naming.body(naming.event()))


def test_a_receipt_names_the_event_that_was_sent(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    with client(naming) as one:
        receipt = one.submit(body, token)
    assert receipt["leaf"]["event"] == digest_of(parse_object(body, size=1 << 20)["event"])


def test_a_forged_receipt_is_not_taken(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    receipt = naming.registry.submit(body, token, naming.now)
    forged = {**receipt, "leaf": {**receipt["leaf"], "by": "sponsor"}}
    for forgery, code in ((forged, "log-entry"), ({**receipt, "index": 0}, "log-proof")):
        one = client(naming, lambda _, f=forgery: httpx.Response(201, content=canonical(f)))  # type: ignore[misc]
        with one, pytest.raises(Error, match=code):
            one.submit(body, token)
    with client(naming) as one:
        assert one.submit(body, token) == receipt


def test_nothing_listens_there(naming: Naming) -> None:
    with (
        Client("http://127.0.0.1:9", naming.did, log=naming.log, timeout=1) as one,
        pytest.raises(Unavailable),
    ):
        one.resolve(NAME)


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
