"""The routes. Each is a few lines: parse, call one function, answer."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

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
from delegant.wallet import Home, TrustFolder, gather, revocations, statuslists
from delegant.wallet.issuer import Issuer

from . import healthroutes, identifiers, logroutes, names, providers, vcapi
from .cors import Cors
from .dids import Dids
from .door import Door
from .fetch import AT_ONCE, Fetcher
from .guard import LARGE_BODY, Guard, problem_bytes
from .material import Material
from .metrics import Meter
from .openapi import describe
from .replies import PROBLEM, cached, json_reply, reading
from .retiring import decided
from .traffic import Traffic

__all__ = ["create_app", "own_trust"]

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
FEED: Final = "application/revocation-feed+jwt"
RETRY_SECONDS: Final = "1"
"""When to ask again what could not be answered."""
_HTTP_CODES: Final = {404: "not-found", 405: "method-not-allowed", 400: "json"}


def create_app(
    home: Home,
    registry: Registry,
    *,
    issuer: Issuer | None = None,
    development: bool = False,
    dids: Dids | None = None,
    clock: Callable[[], float] = time.time,
    traffic: Traffic | None = None,
) -> FastAPI:
    """The API of one home.

    Args:
        home: its settings, status lists and credentials are served.
        registry: the naming service.
        issuer: of credentials in general; None: without the VC-API.
        development: the VC-API asks nobody for a token; for loopback alone.
        dids: what resolves DIDs; by default with what the home allows to be fetched.
        clock: seconds since 1970.
        traffic: whose counts are told, and whose settings name the origins browsers may serve.
    """
    app = FastAPI(
        title="delegant", version="1", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(Guard)
    if traffic is not None and traffic.settings.cors:
        app.add_middleware(Cors, origins=traffic.settings.cors)
    _errors(app, None if traffic is None else traffic.meter)
    resolver = dids or Dids(Fetcher(home.settings.fetch), home)
    names.add(app, registry, clock)
    providers.add(app, registry, clock, resolver)
    logroutes.add(app, registry)
    _documents(app, home, registry, clock, resolver)
    identifiers.add(app, resolver)
    shown = traffic is not None and traffic.settings.metrics
    healthroutes.add(app, registry, traffic.meter if traffic is not None and shown else None)
    if issuer is not None:
        material = Material(
            issuer, resolve=resolver.document, fetch=resolver.fetch if resolver.replies.on else None
        )
        vcapi.add(app, material, Door(home, development=development, clock=clock), clock)
    describe(app)
    return app


def _errors(app: FastAPI, meter: Meter | None = None) -> None:
    @app.exception_handler(Error)
    async def ours(_request: Request, exc: Exception) -> Response:
        known = exc if isinstance(exc, Error) else error("unavailable", "unknown")
        if meter is not None and known.code == "unavailable":
            meter.count("store_errors")
        again = {"retry-after": RETRY_SECONDS} if known.http_status in (429, 503) else None
        return Response(problem_bytes(known), known.http_status, again, media_type=PROBLEM)

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


def _documents(
    app: FastAPI, home: Home, registry: Registry, clock: Callable[[], float], dids: Dids
) -> None:
    work = ThreadPoolExecutor(AT_ONCE, "verify")  # documents may keep it waiting, and it alone

    @reading(app, "/status/{number}")
    async def status(number: str) -> Response:
        """A status list, as last signed."""
        if not _NUMBER.fullmatch(number) or int(number) not in statuslists.numbers(home):
            raise error("not-found", "there is no such status list")
        raw = await asyncio.to_thread(statuslists.raw, home, int(number))
        response = json_reply(raw)
        response.headers["cache-control"] = "max-age=15"
        return response

    @reading(app, "/v1/revocations")
    async def feed(http: Request) -> Response:
        """The revocation feed, as last signed: a compact JWS."""
        token = await asyncio.to_thread(revocations.raw, home)
        return cached(http, token.encode("ascii"), FEED, "max-age=15")

    @app.get("/v1/evidence/{about}")
    async def evidence(about: str, http: Request) -> Response:
        """Fresh evidence about a DID, for itself or a verifier this home lists."""
        name = did.check(about)
        token = http.headers.get("agent-invocation")
        await asyncio.to_thread(_may_read, home, registry, name, token, int(clock()))
        found: Evidence = await asyncio.to_thread(gather, home, [name])
        if not found.json:
            raise error("not-found", f"nothing is known of {about}")
        response = json_reply(found.json)
        response.headers["cache-control"] = "no-store"
        return response

    @app.post("/v1/verify")
    async def verify(http: Request) -> Response:
        """``{presentation, evidence, request, nonce?}``: the verdict, under this home's trust."""
        body = await asyncio.to_thread(parse_object, await http.body(), size=LARGE_BODY)
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
        return json_reply(verdict.json)


def own_trust(home: Home) -> Trust:
    """This home's trust; that it cannot be read is our fault, not the caller's."""
    try:
        return _trust_folder(home.path).read()
    except Error as exc:
        raise error("unavailable", f"the trust folder cannot be read: {exc.code}") from None


@lru_cache(8)
def _trust_folder(home: Path) -> TrustFolder:
    return TrustFolder(home / "trust")


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
    registry.once(found.once_key, found.exp, at)


def _pinned(home: Home, name: str) -> PublicKey | None:
    """The key that this home's newest credential pins for a did:web of its own."""
    try:
        return home.subject(name).key
    except Error:
        return None
