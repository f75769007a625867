"""Challenge and response over real HTTP: a session for whoever holds the key, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from delegant.credentials import (
    Error,
    Link,
    Presentation,
    PrivateKey,
    Request,
    canonical,
    invoke,
)
from delegant.credentials.did import from_key
from delegant.governance.closing import Closed
from delegant.integrations.auth import Session, Sessions, add, login, session_of
from delegant.integrations.chains import MAX_BODY
from delegant.integrations.fastapi import answer
from refusal import refusal
from resolver.running import listening
from world import World


@dataclass
class Desk:
    """Where agents log in, and one that does."""

    world: World
    sessions: Sessions
    closed: Closed
    link: Link
    http: httpx.Client

    def asked(self) -> str:
        found = self.http.post("/auth/challenge").json()
        assert found["audience"] == self.world.db.did
        assert found["expires_in"] == 60
        return str(found["nonce"])

    def body(self, nonce: str | None, request: Request | None = None, **more: Any) -> Any:
        world = self.world
        asked = request or login(world.db.did)
        shown = world.present([self.link], asked, nonce=nonce, **more)
        return {"presentation": shown.json, "evidence": world.evidence().json}

    def token(self, body: Any) -> httpx.Response:
        return self.http.post("/auth/token", json=body)

    def code(self, body: Any) -> str:
        found = self.token(body)
        return "" if found.status_code == 200 else str(found.json()["code"])

    def who(self, token: str, chain: str) -> httpx.Response:
        return self.http.get(
            "/who", headers={"authorization": f"Bearer {token}", "agent-chain": chain}
        )


@pytest.fixture
def desk() -> Iterator[Desk]:
    world = World()
    ana = world.human("ana")
    bot = world.agent("research", ana)
    link = world.delegate(ana, bot, ["db.read urn:acme:papers:**"])
    closed = Closed()
    sessions = Sessions(world.trust(), closed=closed, clock=lambda: world.now)
    app = FastAPI(openapi_url=None)
    add(app, sessions)

    @app.get("/who")
    def who(session: Session = Depends(session_of(sessions))) -> list[str]:
        return [session.agent, session.sponsor, session.key]

    app.add_exception_handler(Error, lambda _, exc: answer(exc))
    with listening(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        yield Desk(world, sessions, closed, link, http)


def test_an_agent_logs_in_with_its_key(desk: Desk) -> None:
    found = desk.token(desk.body(desk.asked()))
    assert found.status_code == 200
    assert found.headers["cache-control"] == "no-store"
    told = found.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 300)
    who = desk.who(told["access_token"], desk.link.digest)
    bot = desk.world.parties["research"]
    assert who.json() == [bot.did, desk.world.parties["ana"].did, bot.key.public.multikey]


def test_a_session_is_of_one_chain(desk: Desk) -> None:
    token = desk.token(desk.body(desk.asked())).json()["access_token"]
    assert desk.who(token, desk.link.digest).status_code == 200
    assert desk.who(token, "u" + "A" * 43).json()["code"] == "holder-mismatch"
    assert desk.who("x" + token[1:], desk.link.digest).json()["code"] == "holder-missing"
    assert desk.http.get("/who").json()["code"] == "holder-missing"


def test_a_nonce_is_answered_once(desk: Desk) -> None:
    body = desk.body(desk.asked())
    assert desk.code(body) == ""
    assert desk.code(body) == "nonce"  # a replay
    nonce = desk.asked()
    first, second = desk.body(nonce), desk.body(nonce)
    assert desk.code(first) == ""
    assert desk.code(second) == "nonce"


def test_of_many_answers_at_once_one_is_taken(desk: Desk) -> None:
    nonce = desk.asked()
    bodies = [desk.body(nonce) for _ in range(6)]
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda b=body: codes.append(desk.code(b))) for body in bodies
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(codes) == ["", *["nonce"] * 5]


def test_a_stale_nonce_is_refused(desk: Desk) -> None:
    early, late = desk.asked(), desk.asked()
    desk.world.now += 59
    assert desk.code(desk.body(early)) == ""
    desk.world.now += 1
    assert desk.code(desk.body(late)) == "nonce"


def test_only_a_nonce_of_this_desk_counts(desk: Desk) -> None:
    own = desk.asked()
    left, until, seal = own.split(".")
    other = Sessions(desk.world.trust(), clock=lambda: desk.world.now).challenge()["nonce"]
    for nonce in (None, "x", other, f"{left}.{int(until) + 1}.{seal}", f"{left}.{until}.", "é.9.x"):
        assert desk.code(desk.body(nonce)) in ("nonce", "shape"), nonce
    assert desk.code(desk.body(own)) == ""


def test_only_the_holder_of_the_chain_logs_in(desk: Desk) -> None:
    thief = PrivateKey.generate()
    nonce = desk.asked()
    honest = desk.body(nonce)
    token = invoke(
        thief, holder=from_key(thief.public), audience=desk.world.db.did, chain=desk.link.digest,
        request=login(desk.world.db.did), at=desk.world.now, nonce=nonce,
    )  # fmt: skip
    shown = replace(Presentation.from_json(honest["presentation"]), invocation=token)
    assert desk.code(honest | {"presentation": shown.json}) == "holder-mismatch"
    bare = replace(shown, invocation=None)
    assert desk.code(honest | {"presentation": bare.json}) == "holder-missing"
    assert desk.code(honest) == ""  # nobody used up its nonce


def test_what_was_signed_for_something_else_is_no_login(desk: Desk) -> None:
    read = Request("db.read", "urn:acme:papers:17")
    assert desk.code(desk.body(desk.asked(), read)) == "request-mismatch"
    other = desk.world.parties["ana"].did
    assert desk.code(desk.body(desk.asked(), audience=other)) == "audience"
    assert desk.code(desk.body(desk.asked())) == ""


def test_a_session_is_short_and_ends_with_its_chain(desk: Desk) -> None:
    token = desk.token(desk.body(desk.asked())).json()["access_token"]
    desk.world.now += 299
    assert desk.who(token, desk.link.digest).status_code == 200
    desk.world.now += 1
    assert desk.who(token, desk.link.digest).json()["code"] == "expired"
    desk.world.now += 500
    told = desk.token(desk.body(desk.asked())).json()
    assert told["expires_in"] == 100  # of the chain's 900
    desk.world.now += 100
    assert desk.code(desk.body(desk.asked())) == "expired"


def test_a_closed_grant_has_no_session(desk: Desk) -> None:
    token = desk.token(desk.body(desk.asked())).json()["access_token"]
    desk.closed.add(desk.link, desk.world.now)
    assert desk.who(token, desk.link.digest).json()["code"] == "revoked"
    assert desk.code(desk.body(desk.asked())) == "revoked"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"presentation":1,"evidence":{}}', b"\xff"])
def test_what_is_no_answer_is_malformed(desk: Desk, body: bytes) -> None:
    found = desk.http.post("/auth/token", content=body)
    assert found.status_code == 400
    assert found.headers["content-type"] == "application/problem+json"


def test_a_body_is_bounded(desk: Desk) -> None:
    assert desk.http.post("/auth/token", content=b" " * (MAX_BODY + 1)).status_code == 413


def test_there_is_one_session_a_chain_and_so_many_in_all(desk: Desk) -> None:
    first = desk.token(desk.body(desk.asked())).json()["access_token"]
    second = desk.token(desk.body(desk.asked())).json()["access_token"]
    assert desk.who(first, desk.link.digest).json()["code"] == "holder-missing"
    assert desk.who(second, desk.link.digest).status_code == 200
    assert len(desk.sessions) == 1
    world = desk.world
    few = Sessions(world.trust(), most=1, clock=lambda: world.now)

    def enter(link: Link) -> None:
        nonce = few.challenge()["nonce"]
        shown = world.present([link], login(world.db.did), nonce=nonce)
        body = {"presentation": shown.json, "evidence": world.evidence().json}
        few.token(canonical(body))

    ana, bot = world.parties["ana"], world.parties["research"]
    other = world.delegate(ana, bot, ["db.read urn:acme:papers:18"], id=world.id("other"))
    assert refusal(lambda: enter(desk.link)) == ""
    assert refusal(lambda: enter(other)) == "too-many"
    world.now += 300
    assert refusal(lambda: enter(other)) == ""
    assert len(few) == 1
