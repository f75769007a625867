"""The routes. Each is a few lines: parse, call one function, answer."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from delegant.ans.registry import Registry
from delegant.credentials import (
    Error,
    Evidence,
    Presentation,
    PublicKey,
    Trust,
    Verdict,
    decide,
    did,
    shape,
)
from delegant.credentials import Request as Act
from delegant.credentials.act import holder_signed, in_time
from delegant.credentials.budget import Budget
from delegant.credentials.codec import JsonObject, canonical, digest, parse_object
from delegant.credentials.errors import error
from delegant.credentials.invocation import Invocation
from delegant.wallet import Home, gather, load_trust, revocations, statuslists
from delegant.wallet.issuer import Issuer

from . import identifiers, vcapi
from .dids import Dids
from .door import Door
from .fetch import AT_ONCE, Fetcher
from .guard import LARGE_BODY, Guard, problem_bytes
from .material import Material
from .retiring import decided

__all__ = ["create_app", "own_trust"]

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_NEGATIVE: Final = {403: "ans-suspended", 404: "ans-not-found", 410: "ans-gone"}
PROBLEM: Final = "application/problem+json"
FEED: Final = "application/revocation-feed+jwt"
_HTTP_CODES: Final = {404: "not-found", 405: "method-not-allowed", 400: "json"}


def create_app(
    home: Home,
    registry: Registry,
    *,
    issuer: Issuer | None = None,
    development: bool = False,
    dids: Dids | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The API of one home.

    Args:
        home: its settings, status lists and credentials are served.
        registry: the naming service.
        issuer: of credentials in general; None: without the VC-API.
        development: the VC-API asks nobody for a token; for loopback alone.
        dids: what resolves DIDs; by default with what the home allows to be fetched.
        clock: seconds since 1970.
    """
    app = FastAPI(
        title="delegant", version="1", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(Guard)
    _errors(app)
    _names(app, registry, clock)
    resolver = dids or Dids(Fetcher(home.settings.fetch), home)
    _documents(app, home, registry, clock, resolver)
    identifiers.add(app, resolver)
    if issuer is not None:
        material = Material(
            issuer, resolve=resolver.document, fetch=resolver.fetch if resolver.replies.on else None
        )
        vcapi.add(app, material, Door(home, development=development, clock=clock), clock)
    return app


def _json(value: Any, status: int = 200, media: str = "application/json") -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, media_type=media)


def _errors(app: FastAPI) -> None:
    @app.exception_handler(Error)
    async def ours(_request: Request, exc: Exception) -> Response:
        known = exc if isinstance(exc, Error) else error("unavailable", "unknown")
        return Response(problem_bytes(known), known.http_status, media_type=PROBLEM)

    @app.exception_handler(HTTPException)
    async def theirs(_request: Request, exc: Exception) -> Response:
        status = getattr(exc, "status_code", 500)
        told = error(_HTTP_CODES.get(status, "unavailable"), str(getattr(exc, "detail", "")))
        body = told.problem() | {"status": status}
        return Response(json.dumps(body).encode(), status, media_type=PROBLEM)

    @app.exception_handler(RequestValidationError)
    async def queries(_request: Request, _exc: Exception) -> Response:
        told = error("shape", "a part of the address is missing or not what it must be")
        return Response(problem_bytes(told), told.http_status, media_type=PROBLEM)

    @app.exception_handler(Exception)
    async def bugs(_request: Request, _exc: Exception) -> Response:
        told = error("unavailable", "an error of ours; it is in the log")
        return Response(
            json.dumps(told.problem() | {"status": 500}).encode(), 500, media_type=PROBLEM
        )


def _names(app: FastAPI, registry: Registry, clock: Callable[[], float]) -> None:
    async def submit(http: Request, status: int, agent: str | None = None) -> Response:
        body = await http.body()
        _routed(body, agent)
        token = http.headers.get("agent-invocation")
        receipt = await asyncio.to_thread(registry.submit, body, token, int(clock()))
        return _json(receipt, status)

    @app.post("/v1/agents", status_code=201)
    async def register(http: Request) -> Response:
        """Register a name: ``{event, links, evidence}`` with the header Agent-Invocation."""
        return await submit(http, 201)

    @app.post("/v1/agents/{agent}/events")
    async def events(agent: str, http: Request) -> Response:
        """Renew or revoke a name."""
        return await submit(http, 200, did.check(agent))

    @app.get("/v1/agents/{agent}")
    async def by_agent(agent: str) -> Response:
        """The signed answers about every name of an agent."""
        found = await asyncio.to_thread(registry.by_agent, did.check(agent), int(clock()))
        return _json({"agent": agent, "names": found})

    async def resolve(name: object) -> Response:
        if type(name) is not str:
            raise error("shape", "name is text")
        status, answer = await asyncio.to_thread(registry.resolve, name, int(clock()))
        if status != 200:  # a problem, with the signed answer inside
            told = error(_NEGATIVE[status], f"{name}: {answer['freshness']['status']}")
            return _json(told.problem() | {"answer": answer}, status, PROBLEM)
        response = _json(answer)
        response.headers["cache-control"] = "max-age=30"
        return response

    @app.get("/v1/resolve")
    async def resolve_get(name: str, http: Request) -> Response:
        """The signed answer about a name: 200, 404 or 410."""
        if len(http.query_params.multi_items()) != 1:
            raise error("shape", "one question at a time: ?name=")
        return await resolve(name)

    @app.post("/v1/resolve")
    async def resolve_post(http: Request) -> Response:
        """The same, with ``{"name": …}`` as body."""
        body = parse_object(await http.body(), size=LARGE_BODY)
        shape.closed(body, "query", frozenset({"name"}))
        return await resolve(body["name"])


def _documents(
    app: FastAPI, home: Home, registry: Registry, clock: Callable[[], float], dids: Dids
) -> None:
    work = ThreadPoolExecutor(AT_ONCE, "verify")  # documents may keep it waiting, and it alone

    @app.get("/status/{number}")
    async def status(number: str) -> Response:
        """A status list, as last signed."""
        if not _NUMBER.fullmatch(number) or int(number) not in statuslists.numbers(home):
            raise error("not-found", "there is no such status list")
        raw = await asyncio.to_thread(statuslists.raw, home, int(number))
        response = _json(raw)
        response.headers["cache-control"] = "max-age=15"
        return response

    @app.get("/v1/revocations")
    async def feed(http: Request) -> Response:
        """The revocation feed, as last signed: a compact JWS."""
        token = await asyncio.to_thread(revocations.raw, home)
        etag = f'"{digest(token.encode("ascii"))}"'
        headers = {"cache-control": "max-age=15", "etag": etag}
        if etag in re.split(r"\s*,\s*", http.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(token, media_type=FEED, headers=headers)

    @app.get("/v1/evidence/{about}")
    async def evidence(about: str, http: Request) -> Response:
        """Fresh evidence about a DID, for itself or a verifier this home lists."""
        name = did.check(about)
        token = http.headers.get("agent-invocation")
        await asyncio.to_thread(_may_read, home, registry, name, token, int(clock()))
        found: Evidence = await asyncio.to_thread(gather, home, [name])
        if not found.json:
            raise error("not-found", f"nothing is known of {about}")
        response = _json(found.json)
        response.headers["cache-control"] = "no-store"
        return response

    @app.post("/v1/verify")
    async def verify(http: Request) -> Response:
        """``{presentation, evidence, request, nonce?}``: the verdict, under this home's trust."""
        body = parse_object(await http.body(), size=LARGE_BODY)
        shape.closed(
            body,
            "body",
            frozenset({"presentation", "request"}),
            frozenset({"evidence", "nonce"}),
        )
        trust = await asyncio.to_thread(own_trust, home)
        at = int(clock())
        judging = partial(decided, partial(_judge, body, at), trust, dids, at)
        verdict = await asyncio.get_running_loop().run_in_executor(work, judging)
        return _json(verdict.json)

    @app.get("/health")
    async def health() -> Response:
        """Whether the store answers."""
        await asyncio.to_thread(registry.providers)
        return _json({"status": "ok", "registry": registry.did})


def _routed(body: bytes, agent: str | None) -> None:
    """The event stands where it was sent: registrations apart, others under their agent."""
    event = parse_object(body, size=LARGE_BODY).get("event")
    if type(event) is dict and (
        (event.get("type") == "register") != (agent is None)
        or agent not in (None, event.get("agent"))
    ):
        raise error("shape", "this event belongs to another address")


def own_trust(home: Home) -> Trust:
    """This home's trust; that it cannot be read is our fault, not the caller's."""
    try:
        return load_trust(home.path / "trust")
    except Error as exc:
        raise error("unavailable", f"the trust folder cannot be read: {exc.code}") from None


def _judge(body: JsonObject, at: int, trust: Trust) -> Verdict:
    try:
        return decide(
            Presentation.from_json(body["presentation"]),
            Evidence.from_json(body.get("evidence", {})),
            trust,
            Act.from_json(body["request"]),
            at=at,
            nonce=body.get("nonce"),
        )
    except Error as exc:
        return Verdict.of(exc)


def _may_read(home: Home, registry: Registry, about: str, token: str | None, at: int) -> None:
    """The caller signed this very question, and may ask it.

    Raises:
        Rejected: ``holder-missing``, ``holder-mismatch``, ``audience``, ``invocation-expired``,
        ``request-mismatch``. Conflict: ``replay``.
    """
    if token is None:
        raise error("holder-missing", "the header Agent-Invocation is missing")
    found = Invocation.parse(Invocation.unpack(token))
    key = did.key_of(found.iss) or _pinned(home, found.iss)
    if key is None or found.iss not in (about, *home.settings.verifiers):
        raise error("holder-mismatch", f"{found.iss} may not read evidence about {about}")
    holder_signed(found, found.iss, key, Budget(own_trust(home).limits))
    if found.aud != registry.did:
        raise error("audience", f"meant for {found.aud}")
    in_time(found, at)
    if found.chain != digest(canonical({"did": about})):
        raise error("holder-mismatch", "the invocation is about another DID")
    if found.request != Act("evidence.read", about).digest:
        raise error("request-mismatch", "the invocation is of another request")
    registry.once(found.once_key, found.exp)


def _pinned(home: Home, name: str) -> PublicKey | None:
    """The key that this home's newest credential pins for a did:web of its own."""
    try:
        return home.subject(name).key
    except Error:
        return None
