"""The naming service over HTTP. Each route is a few lines: parse, call one function, answer.

Answers are signed, so a cache may keep them, for as long as their own freshness token is good
and no longer. Records and events are named by their digest and never change. ``Accept`` chooses
between JSON, the whole answer as one JWS, and (of one name) the proof of its record as C2SP
tlog-proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import FastAPI, Request, Response

from delegant.ans.query import Query
from delegant.ans.registry import Registry
from delegant.credentials import did
from delegant.credentials.codec import JsonObject, canonical, is_digest, parse_object
from delegant.credentials.errors import error

from .answers import ANSWER, JSON, PROOF, form, page_of
from .desk import Bare, Desk
from .guard import SMALL_BODY
from .lane import asked
from .replies import IMMUTABLE, cached, json_reply, pairs, parameters, reading, whole

__all__ = ["ANSWER", "JSON", "PROOF", "add"]

PAGE: Final = 100
"""Most events of a name in one answer."""


def add(app: FastAPI, registry: Registry, clock: Callable[[], float]) -> None:
    """The routes of names, records and events."""
    desk = Desk(registry, clock)

    def now() -> int:
        return int(clock())

    async def submit(http: Request, status: int, agent: str | None = None) -> Response:
        body, token = await http.body(), http.headers.get("agent-invocation")
        receipt = await desk.submit(body, token, agent)
        return Response(
            canonical(receipt, floats=False), status, {"cache-control": "no-store"}, JSON
        )

    async def register(http: Request) -> Response:
        """Register a name: ``{event, links, evidence}`` with the header Agent-Invocation."""
        return await submit(http, 201)

    async def events(http: Request, agent: str) -> Response:
        """Any later event of a name; the agent's as above, others' as ``{event}`` alone."""
        return await submit(http, 200, did.check(agent))

    for path, take, status in (
        ("/v1/agents", register, 201),
        ("/v1/agents/{agent}/events", events, 200),
    ):
        app.router.add_api_route(
            path, take, methods=["POST"], status_code=status, route_class_override=Bare
        )

    @app.post("/v1/agents/{agent}/health")
    async def health(agent: str, http: Request) -> Response:
        """A heartbeat: ``{name, status: up | down}`` with the header Agent-Invocation."""
        token = http.headers.get("agent-invocation")
        told = await asyncio.to_thread(
            registry.heartbeat, await http.body(), token, now(), did.check(agent)
        )
        return json_reply(told, headers={"cache-control": "no-store"})

    @reading(app, "/v1/agents/{agent}")
    async def by_agent(agent: str) -> Response:
        """The signed answers about every name of an agent."""
        name = did.check(agent)

        def told() -> Response:
            value = {"agent": agent, "names": registry.by_agent(name, now())}
            return json_reply(value, headers={"cache-control": "no-cache"})

        return await asyncio.to_thread(told)

    @reading(app, "/v1/resolve")
    async def resolve(http: Request) -> Response:
        """The signed answer to a question: 200, or a problem with the signed answer inside."""
        return await asyncio.to_thread(
            _answered, http, registry, Query.from_params(pairs(http)), now()
        )

    @app.post("/v1/resolve")
    async def resolve_post(http: Request) -> Response:
        """The same, asked in JSON: our own members, or the shapes of the paper."""
        query = Query.from_json(parse_object(await http.body(), size=SMALL_BODY))
        return await asyncio.to_thread(_answered, http, registry, query, now())

    @reading(app, "/v1/records/{digest}")
    async def record(digest: str, http: Request) -> Response:
        """A record by its digest; it never changes."""
        return await asyncio.to_thread(_kept, http, registry.record, digest)

    @reading(app, "/v1/events/{digest}")
    async def event(digest: str, http: Request) -> Response:
        """An event by its digest; it never changes."""
        return await asyncio.to_thread(_kept, http, registry.event, digest)

    @reading(app, "/v1/names/{name:path}/history")
    async def history(name: str, http: Request) -> Response:
        """The events of a name, each with its receipt, oldest first: ``?start=&limit=``."""
        asked = parameters(http, {"start", "limit"})
        start, limit = whole(asked.get("start", "0"), 0), whole(asked.get("limit", str(PAGE)), 1)
        if limit > PAGE:
            raise error("shape", f"limit is at most {PAGE}")

        def told() -> Response:
            body = canonical({"name": name, "events": registry.history(name, start, limit)})
            return cached(http, body, JSON, "no-cache")

        return await asyncio.to_thread(told)


def _answered(http: Request, registry: Registry, query: Query, at: int) -> Response:
    accept = ",".join(http.headers.getlist("accept"))
    media = form(accept, exact=query.name is not None)
    size = registry.pages.follow()
    anew = "no-cache" in http.headers.get("cache-control", "").lower()
    status, answer = registry.resolve(query, at, anew=anew)
    page = page_of(registry, answer, status, media, query.name, size)
    left = max(page.until - at, 0)
    control = "no-store" if http.method == "POST" else f"public, max-age={left}"
    key = asked(http.scope["query_string"], accept.encode("latin-1"))
    if http.method != "POST" and key is not None and query.available is None:
        registry.pages.put(key, page)
    return cached(
        http, page.body, page.media, control, status=status, headers={"vary": "accept"},
        etag=page.etag,
    )  # fmt: skip


def _kept(http: Request, read: Callable[[str], JsonObject], digest: str) -> Response:
    if not is_digest(digest):
        raise error("not-found", "that is no digest")
    return cached(http, canonical(read(digest)), JSON, IMMUTABLE)
