"""The VC-API (VCALM 1.0): issue, verify, revoke and present credentials in general.

Each route asks the door, reads strictly, calls one function of the rooms, and answers: 201 for
what was issued, 200 for what verified, 400 for what is wrong or did not verify, with RFC 9457
problem details. What we issue is not kept: only which status entry it has.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from fastapi import FastAPI, Request, Response

from delegant.credentials import Error
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.errors import error
from delegant.credentials.shape import closed
from delegant.w3c.problems import details
from delegant.wallet.issuer import LIST_TTL

from .door import Door
from .guard import LARGE_BODY, SMALL_BODY
from .issuing import Order, issue, present, set_status
from .material import Material
from .vcapi_schemas import document

__all__ = ["add"]

T = TypeVar("T")

PROBLEM: Final = "application/problem+json"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_KEPT: Final = frozenset({401, 404, 413, 503})
"""Statuses that keep their meaning here; any other refusal is a Bad Request."""


def add(app: FastAPI, material: Material, door: Door, clock: Callable[[], float]) -> None:
    """Add the routes to an API.

    Args:
        material: the issuer that signs, and whatever verification needs from elsewhere.
        door: who may ask.
        clock: seconds since 1970.
    """
    issuer = material.issuer
    _described(app)
    # Threads of their own: whoever verifies graphs never keeps the naming service waiting.
    work = ThreadPoolExecutor(2 * (os.cpu_count() or 1), "vc-api")

    async def run(function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(work, function, *args)

    async def asked(
        http: Request, scope: str, required: set[str], optional: set[str], size: int
    ) -> JsonObject:
        await door.admit(http, scope)
        body = parse_object(await http.body(), size=size)
        return closed(body, "body", frozenset(required), frozenset(optional))

    async def issued(http: Request, configuration: str | None) -> Response:
        body = await asked(http, "issue", {"credential"}, {"options"}, SMALL_BODY)
        order = Order.read(body.get("options", {}), configuration)
        made = await run(issue, issuer, body["credential"], order, int(clock()))
        return _json({"verifiableCredential": made}, 201)

    @app.post("/credentials/issue", **document("issue"))
    @_answering
    async def issue_one(http: Request) -> Response:
        """Issue a credential: ``{credential, options?}``."""
        return await issued(http, None)

    @app.post("/{configuration}/credentials/issue", **document("issue"))
    @_answering
    async def issue_as(configuration: str, http: Request) -> Response:
        """The same, by cryptosuite, kind of key, form and purposes, with commas between."""
        return await issued(http, configuration)

    @app.post("/credentials/status", **document("status"))
    @_answering
    async def status(http: Request) -> Response:
        """Revoke, suspend or resume: ``{credentialId, credentialStatus, status?}``."""
        body = await asked(
            http, "status", {"credentialStatus"},
            {"credentialId", "status", "indexAllocator"}, SMALL_BODY,
        )  # fmt: skip
        return _json(await run(set_status, issuer, body, int(clock())))

    @app.post("/credentials/verify", **document("verify"))
    @_answering
    async def verify(http: Request) -> Response:
        """Verify a credential: ``{verifiableCredential, options?}``."""
        body = await asked(http, "verify", {"verifiableCredential"}, {"options"}, LARGE_BODY)
        return _verdict(await run(material.credential, body, int(clock())))

    @app.post("/presentations/verify", **document("verifyPresentation"))
    @_answering
    async def verify_presentation(http: Request) -> Response:
        """Verify a presentation and all in it: ``{verifiablePresentation, options?}``."""
        body = await asked(
            http, "verify", set(), {"verifiablePresentation", "presentation", "options"}, LARGE_BODY
        )
        return _verdict(await run(material.presentation, body, int(clock())))

    @app.post("/presentations", **document("present"))
    @_answering
    async def prove(http: Request) -> Response:
        """Sign a presentation as this home's holder: ``{presentation, options?}``."""
        body = await asked(http, "present", {"presentation"}, {"options"}, LARGE_BODY)
        made = await run(
            present, issuer, body["presentation"], body.get("options", {}), int(clock())
        )
        return _json({"verifiablePresentation": made}, 201)

    @app.post("/status-lists", **document("createList"))
    @_answering
    async def create_list(http: Request) -> Response:
        """Begin another status list: ``{statusPurpose}``."""
        body = await asked(http, "status", {"statusPurpose"}, {"options"}, SMALL_BODY)
        order = Order.read(body.get("options", {}), None)
        number = await run(issuer.begin_list, order.kind, body["statusPurpose"], int(clock()))
        url = issuer.list_url(number)
        listed = {"id": url, "verifiableCredential": await run(issuer.listed, number)}
        return _json(listed, 201, headers={"location": url})

    @app.get("/status-lists/{number}", **document("list"))
    async def status_list(number: str, http: Request) -> Response:
        """A status list credential; anybody may read and cache it."""
        if not _NUMBER.fullmatch(number):
            raise error("not-found", "there is no such status list")
        return _cacheable(http, await run(issuer.listed, int(number)))


def _described(app: FastAPI) -> None:
    """The API document says what a bearer token is."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        told = generate()
        schemes = told.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
        return told

    app.openapi = described  # type: ignore[method-assign]


def _answering(route: Any) -> Any:
    """A route whose refusals are those of the VC-API."""

    async def answer(*args: Any, **kwargs: Any) -> Response:
        try:
            return await route(*args, **kwargs)  # type: ignore[no-any-return]
        except Error as exc:
            return refused(exc)

    answer.__wrapped__ = route  # type: ignore[attr-defined]
    answer.__doc__, answer.__name__ = route.__doc__, route.__name__
    return answer


def refused(exc: Error) -> Response:
    """A refusal: 400 unless its status says more, with its problem inside and around."""
    status = exc.http_status if exc.http_status in _KEPT else 400
    headers = {}
    if exc.code == "api-auth":
        status = 403 if exc.dimension == "insufficient_scope" else 401
        more = f', error="{exc.dimension}"' if exc.dimension else ""
        headers["www-authenticate"] = f'Bearer realm="delegant"{more}'
    told = details(exc)
    body = exc.problem() | told | {"status": status, "verified": False, "problemDetails": [told]}
    return _json(body, status, PROBLEM, headers)


def _verdict(verdict: JsonObject) -> Response:
    return _json(verdict, 200 if verdict["verified"] else 400)


def _json(
    value: JsonObject,
    status: int = 200,
    media: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    told = {"cache-control": "no-store"} | (headers or {})
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(body, status, told, media)


def _cacheable(http: Request, listed: JsonObject) -> Response:
    """A list as its reader likes it, with what caches need (RFC 9111); its ttl is theirs."""
    raw = canonical(listed)
    headers = {
        "cache-control": f"public, max-age={LIST_TTL}",
        "etag": f'"{hashlib.sha256(raw).hexdigest()[:32]}"',
        "vary": "accept",
        "access-control-allow-origin": "*",
    }
    known = [tag.strip() for tag in http.headers.get("if-none-match", "").split(",")]
    if headers["etag"] in known or f"W/{headers['etag']}" in known or "*" in known:
        return Response(None, 304, headers)
    likes = http.headers.get("accept", "")
    media = "application/vc" if "application/vc" in likes else "application/json"
    return Response(raw, 200, headers, media)
