"""A FastAPI application behind an enforcement point, over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi import Request as Http
from fastapi.responses import StreamingResponse

from delegant.governance.enforcing import Act, EnforcementPoint
from delegant.governance.receipt import read_resource_receipt
from delegant.integrations.client import AgentAuth
from delegant.integrations.fastapi import install, require
from governance.auditing import Auditing


class House:
    """The application, served, and the agent that calls it."""

    def __init__(self, auditing: Auditing, url: str) -> None:
        self.auditing = auditing
        self.url = url
        self.ran: list[str] = []

    def agent(self, *allow: str, **constraints: Any) -> AgentAuth:
        pairs = allow or ("db.read urn:acme:papers:**", "doc.write urn:acme:papers:**")
        more: dict[str, Any] = {"constraints": constraints} if constraints else {}
        auditing = self.auditing
        link = auditing.world.delegate(auditing.ana, auditing.bot, pairs, **more)
        return AgentAuth(
            [link], self.auditing.bot.key, self.auditing.world.evidence(),
            audience=self.auditing.world.db.did, clock=lambda: self.auditing.now,
        )  # fmt: skip

    @property
    def types(self) -> list[str]:
        return [one.type for one in self.auditing.records()]


def topic(http: Http) -> str:
    return f"urn:acme:papers:{http.path_params['topic']}"


def application(house: House, point: EnforcementPoint) -> FastAPI:
    app = FastAPI(openapi_url=None)
    install(app, point, base=house.url)
    read = require(
        "db.read", resource=topic, facts=lambda http: {"rows": int(http.query_params["limit"])}
    )
    write = require("doc.write", resource=topic)

    @app.get("/papers/{topic}")
    async def papers(topic: str, limit: int, act: Act = Depends(read)) -> list[str]:
        house.ran.append(topic)
        found = [f"On {topic}, part {n}" for n in range(10 if topic == "many" else limit)]
        act.result(rows=len(found))
        return found

    @app.post("/papers/{topic}")
    async def add(topic: str, http: Http, act: Act = Depends(write)) -> dict[str, int]:
        house.ran.append(topic)
        if topic == "broken":
            raise ZeroDivisionError
        if topic == "absent":
            raise HTTPException(404)
        return {"size": len(await http.body())}

    @app.get("/stream/{topic}")
    async def stream(topic: str, act: Act = Depends(write)) -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b"]))

    @app.get("/open")
    async def unguarded() -> str:
        return "everybody"

    return app


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    auditing = Auditing(tmp_path / "audit")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = House(auditing, url)
        point = EnforcementPoint(auditing.ledger, auditing.world.trust, clock=lambda: auditing.now)
        server = uvicorn.Server(uvicorn.Config(application(found, point), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield found
        finally:
            server.should_exit = True
            thread.join(10)
            auditing.log.close()


def test_a_call_is_answered_with_a_receipt_of_what_is_on_record(house: House) -> None:
    auth = house.agent().act("db.read", "urn:acme:papers:17", rows=3)
    answer = httpx.get(f"{house.url}/papers/17?limit=3", auth=auth)
    assert answer.status_code == 200
    assert len(answer.json()) == 3
    assert house.types == ["refusal", "intent", "outcome"]  # the chain was not known at first
    assert house.auditing.records()[0].json["code"] == "chain-unknown"
    told = read_resource_receipt(answer.headers["agent-receipt"])
    told.check([house.auditing.log.receipts.public])
    assert (told.outcome, told.event) == ("success", house.auditing.records()[1].event)
    assert answer.headers["cache-control"] == "no-store"


def test_a_chain_that_is_known_is_not_shown_again(house: House) -> None:
    agent = house.agent()
    with httpx.Client() as client:
        for _ in range(2):
            auth = agent.act("db.read", "urn:acme:papers:17", rows=3)
            assert client.get(f"{house.url}/papers/17?limit=3", auth=auth).status_code == 200
    assert house.types == ["refusal", "intent", "outcome", "intent", "outcome"]


@pytest.mark.parametrize(
    ("signed", "called", "code"),
    [
        ({"rows": 3}, ("GET", "/papers/17?limit=3", b""), None),
        ({"rows": 3}, ("GET", "/papers/17?limit=4", b""), "request-mismatch"),
        ({"rows": 3}, ("GET", "/papers/18?limit=3", b""), "request-mismatch"),
    ],
)
def test_what_is_called_is_what_was_signed(
    house: House, signed: dict[str, Any], called: tuple[str, str, bytes], code: str | None
) -> None:
    method, path, body = called
    auth = house.agent().act("db.read", "urn:acme:papers:17", **signed)
    answer = httpx.request(method, house.url + path, content=body, auth=auth)
    assert answer.json()["code"] == code if code else answer.status_code == 200
    assert bool(house.ran) == (code is None)


@pytest.mark.parametrize("part", ["method", "uri", "body", None])
def test_an_invocation_is_for_one_method_address_and_body(house: House, part: str | None) -> None:
    agent = house.agent()
    auth = agent.act("doc.write", "urn:acme:papers:17")
    with httpx.Client() as client:
        assert client.post(f"{house.url}/papers/17", content=b"a", auth=auth).status_code == 200
        call = client.build_request("POST", f"{house.url}/papers/17", content=b"a")
        next(auth.auth_flow(call))
        signed = dict(call.headers)
        if part == "body":
            call = client.build_request("POST", call.url, content=b"b", headers={
                name: signed[name] for name in ("agent-invocation", "agent-chain")
            })  # fmt: skip
        elif part == "uri":
            call.url = httpx.URL(f"{house.url}/papers/17?more=1")
        elif part == "method":
            call = client.build_request("GET", f"{house.url}/stream/17", headers={
                name: signed[name] for name in ("agent-invocation", "agent-chain")
            })  # fmt: skip
        answer = client.send(call)
    assert answer.status_code == (200 if part is None else 403)


def test_nobody_acts_twice_on_one_invocation(house: House) -> None:
    agent = house.agent()
    with httpx.Client() as client:
        auth = agent.act("doc.write", "urn:acme:papers:17")
        client.post(f"{house.url}/papers/17", auth=auth)
        call = client.build_request("POST", f"{house.url}/papers/17")
        next(auth.auth_flow(call))
        assert client.send(call).status_code == 200
        answer = client.send(call)
    assert (answer.status_code, answer.json()["code"]) == (409, "replay")
    assert len(house.ran) == 2


def test_no_header_no_act_and_a_record(house: House) -> None:
    answer = httpx.get(f"{house.url}/papers/17?limit=3")
    assert (answer.status_code, answer.json()["code"]) == (401, "holder-missing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.types == ["refusal"]
    assert not house.ran
    assert httpx.get(f"{house.url}/open").json() == "everybody"
    assert house.types == ["refusal"]


def test_what_is_not_granted_is_refused_and_on_record_as_verified(house: House) -> None:
    agent = house.agent("db.read urn:acme:papers:**")
    auth = agent.act("doc.write", "urn:acme:papers:17")
    answer = httpx.post(f"{house.url}/papers/17", auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (403, "no-grant")
    assert house.auditing.records()[-1].verified
    assert not house.ran


def test_a_result_beyond_the_limits_does_not_leave(house: House) -> None:
    agent = house.agent(rows={"max": 5})
    auth = agent.act("db.read", "urn:acme:papers:many", rows=5)
    answer = httpx.get(f"{house.url}/papers/many?limit=5", auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (403, "constraint")
    assert "part" not in answer.text
    assert house.auditing.records()[-1].json["outcome"]["status"] == "failure"


def test_a_route_that_does_not_count_does_not_answer(house: House) -> None:
    agent = house.agent("doc.write urn:acme:papers:**", rows={"max": 5})
    auth = agent.act("doc.write", "urn:acme:papers:17", rows=0)
    answer = httpx.post(f"{house.url}/papers/17", auth=auth)
    assert answer.status_code == 403
    assert "size" not in answer.text


def test_what_breaks_or_is_answered_with_an_error_is_a_failure_on_record(house: House) -> None:
    agent = house.agent()
    for name, status, code in (("broken", 500, "ZeroDivisionError"), ("absent", 404, "http-404")):
        auth = agent.act("doc.write", f"urn:acme:papers:{name}")
        assert httpx.post(f"{house.url}/papers/{name}", auth=auth).status_code == status
        last = house.auditing.records()[-1]
        assert (last.type, last.json["outcome"]) == ("outcome", {"status": "failure", "code": code})


def test_a_stream_begins_when_the_outcome_is_on_record(house: House) -> None:
    auth = house.agent().act("doc.write", "urn:acme:papers:17")
    with httpx.stream("GET", f"{house.url}/stream/17", auth=auth) as answer:
        assert "agent-receipt" in answer.headers
        assert answer.read() == b"ab"


def test_only_a_chain_that_holds_is_kept(house: House) -> None:
    agent = house.agent()
    name = agent.links[-1].digest
    at = f"{house.url}/.well-known/agent-chains/{name}"
    assert httpx.put(at, content=agent.shown()).status_code == 204
    assert httpx.put(at[:-1] + "x", content=agent.shown()).json()["code"] == "chain-broken"
    assert httpx.put(at, content=b"{}").status_code == 400
    assert httpx.put(at, content=b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    house.auditing.world.now += 3600
    assert httpx.put(at, content=agent.shown()).json()["code"] == "expired"


def test_an_async_client_signs_the_same(house: House) -> None:
    import anyio

    async def call() -> int:
        auth = house.agent().act("db.read", "urn:acme:papers:17", rows=3)
        async with httpx.AsyncClient() as client:
            found = await client.get(f"{house.url}/papers/17?limit=3", auth=auth)
        return found.status_code

    assert anyio.run(call) == 200
