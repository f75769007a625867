"""FastAPI: an enforcement point before its routes.

    app = FastAPI()
    install(app, point)

    @app.get("/papers/{topic}")
    async def papers(topic: str, limit: int, act: Act = Depends(require(
        "db.read", resource=lambda http: f"urn:acme:papers:{http.path_params['topic']}",
        facts=lambda http: {"rows": int(http.query_params["limit"])},
    ))) -> list[dict[str, str]]:
        found = ...
        act.result(rows=len(found))
        return found

A call carries ``Agent-Invocation`` and ``Agent-Chain``, the digest of its chain's last link. A
chain that was not shown before is ``428 chain-unknown``: the client PUTs ``{links, evidence}`` to
``/.well-known/agent-chains/<digest>`` and repeats. The invocation is bound to the method, the
address and the body of the call, unless `require` says otherwise.

The outcome is on record before the first byte of the answer leaves, and ``Agent-Receipt`` says so.
An answer of 400 and more is a failure. What is refused is a problem document (RFC 9457).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi import Request as Http
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from delegant.credentials import Request
from delegant.credentials.codec import digest
from delegant.credentials.errors import Error, error
from delegant.governance.enforcing import Act, EnforcementPoint
from delegant.governance.receipt import HEADER

from .chains import MAX_BODY, Chains

__all__ = ["CHAIN", "INVOCATION", "TASK", "answer", "body_of", "header", "install", "require"]

INVOCATION: Final = "agent-invocation"
CHAIN: Final = "agent-chain"
TASK: Final = "agent-task"
_KEY: Final = "delegant"
_ACTS: Final = "delegant.acts"
Facts = Callable[[Http], dict[str, Any]]


class _Door:
    """What `install` puts beside an application."""

    def __init__(self, point: EnforcementPoint, base: str | None) -> None:
        self.point = point
        self.base = base
        self.chains = Chains()


def install(app: FastAPI, point: EnforcementPoint, *, base: str | None = None) -> None:
    """Put an enforcement point before an application.

    Args:
        base: the address that callers know it by, as ``https://db.acme.example``, where a proxy
            stands before it; else that of the call.
    """
    door = _Door(point, base)
    setattr(app.state, _KEY, door)
    app.add_middleware(_Recording, door=door)
    app.add_exception_handler(Error, _problem)

    @app.put("/.well-known/agent-chains/{name}", include_in_schema=False)
    async def show(name: str, http: Http) -> Response:
        body = await body_of(http, MAX_BODY)
        await asyncio.to_thread(door.chains.put, name, body, point)
        return Response(status_code=204)


def require(
    action: str | Callable[[Http], str],
    *,
    resource: str | Callable[[Http], str],
    facts: Facts | None = None,
    bound: bool = True,
) -> Callable[[Http], Awaitable[Act]]:
    """A dependency: the route runs only under a permit for what it is about to do.

    Args:
        action, resource: what the route does, and on what; perhaps from the call.
        facts: further facts of the request, as ``{"rows": 10}``.
        bound: whether the invocation must be for this method, address and body.

    Raises:
        Error: from the dependency, what `EnforcementPoint.acting` raises; ``holder-missing``,
            ``chain-unknown``.
    """

    async def dependency(http: Http) -> Act:
        door: _Door | None = getattr(http.app.state, _KEY, None)
        if door is None or _ACTS not in http.scope:
            raise RuntimeError("install(app, point) comes first")
        more: dict[str, Any] = {} if facts is None else facts(http)
        if TASK in http.headers:
            more = {"task": _task(header(http, TASK))} | more
        if bound:
            more = await _binding(http, door) | more
        asked = Request(
            action if isinstance(action, str) else action(http),
            resource if isinstance(resource, str) else resource(http),
            **more,
        )
        try:
            token = header(http, INVOCATION)
            shown = door.chains.get(header(http, CHAIN))
        except Error as exc:
            await asyncio.to_thread(door.point.refused, exc, request=asked)
            raise
        act = Act(
            await asyncio.wrap_future(
                door.point.permitting((shown.chain, token), shown.evidence, asked)
            )
        )
        http.scope[_ACTS].append(act)
        return act

    return dependency


async def _binding(http: Http, door: _Door) -> dict[str, Any]:
    uri = (
        str(http.url)
        if door.base is None
        else door.base + str(http.url)[len(str(http.base_url)) - 1 :]
    )
    out: dict[str, Any] = {"method": http.method, "uri": uri}
    body = await body_of(http, MAX_BODY)
    if body:
        out["body_digest"] = digest(body)
    return out


def _task(said: str) -> dict[str, str]:
    """The task that the caller says, and signed: its initiation and its id."""
    initiation, _, name = said.partition(" ")
    return {"id": unquote(name), "initiation": initiation}


def header(http: Http, name: str) -> str:
    """The one header of this name, or ``holder-missing``."""
    found = http.headers.getlist(name)
    if len(found) != 1:
        raise error("holder-missing", f"one {name} header is needed")
    return found[0]


async def body_of(http: Http, most: int) -> bytes:
    """The body of a call, of ``most`` bytes at most, or ``limit-size``."""
    if not hasattr(http, "_body"):
        data = bytearray()
        async for part in http.stream():
            data += part
            if len(data) > most:
                raise error("limit-size", f"a body has at most {most} bytes")
        http._body = bytes(data)  # where Starlette itself keeps it for whoever reads it next
    return await http.body()


async def _problem(_http: Http, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Error)  # noqa: S101 - it is registered for these alone
    return answer(exc)


def answer(exc: Error) -> JSONResponse:
    """A refusal as a problem document."""
    return JSONResponse(exc.problem(), exc.http_status, media_type="application/problem+json")


class _Recording:
    """Puts outcomes on record before an answer begins to leave."""

    def __init__(self, app: ASGIApp, door: _Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        acts: list[Act] = []
        scope[_ACTS] = acts
        withheld = False

        async def sending(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start" and acts:
                try:
                    await self._settled(acts, message)
                except Error as exc:
                    withheld = True
                    await self._failed(acts, exc)
                    await answer(exc)(scope, receive, send)
            if not withheld:
                await send(message)

        try:
            await self._app(scope, receive, sending)
        except BaseException as exc:
            await self._failed(acts, exc)
            raise

    async def _settled(self, acts: list[Act], message: Message) -> None:
        """Settle what was done; the answer gets the receipt of the last."""
        failed = message["status"] >= 400
        receipt: str | None = None
        while acts:
            act = acts.pop(0)
            code = f"http-{message['status']}" if failed else None
            await self._door.point.concluded(act, code)
            receipt = act.receipt
        if receipt is not None:
            message["headers"] = [
                *message["headers"], (HEADER.lower().encode(), receipt.encode()),
                (b"cache-control", b"no-store"),
            ]  # fmt: skip

    async def _failed(self, acts: list[Act], exc: BaseException) -> None:
        while acts:
            await self._door.point.concluded(acts.pop(0), exc)
