"""The demo's resource: a table of papers and a table of drafts that verify chains themselves.

It trusts its own trust folder and nobody's server. For every call it builds the request from
what it is about to do, verifies the chain in its own process, and only then opens the table,
in one SQLite transaction with the replay key and the record of what was done and for whom.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse

from delegant.credentials import (
    Authorization,
    Error,
    Evidence,
    Presentation,
    Request,
    verify,
)
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import error
from delegant.credentials.shape import closed, integer, text
from delegant.credentials.verdict import Limit, Once
from delegant.wallet import load_trust, save_seen

MAX_BODY = 2 * 1024 * 1024
POLL_SECONDS = 0.5
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS papers"
    " (id INTEGER PRIMARY KEY, topic TEXT, title TEXT, year INTEGER)",
    "CREATE TABLE IF NOT EXISTS drafts (id TEXT PRIMARY KEY, body TEXT)",
    "CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, until INTEGER)",
    "CREATE TABLE IF NOT EXISTS record"
    " (at TEXT, action TEXT, resource TEXT, actor TEXT, sponsor TEXT, inputs TEXT)",
)


class Store:
    """The tables, and beside them the replay keys and the record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.transaction() as db:
            for statement in SCHEMA:
                db.execute(statement)
            if not db.execute("SELECT 1 FROM papers").fetchone():
                db.executemany(
                    "INSERT INTO papers (topic, title, year) VALUES (?, ?, ?)",
                    [
                        (topic, f"On {topic}, part {part}", 2000 + part % 26)
                        for topic in ("attenuation", "revocation")
                        for part in range(1, 601)
                    ],
                )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or none."""
        db = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        finally:
            db.close()


class Resource:
    """The enforcement point: verify, consume, act, record."""

    def __init__(self, trust: Path, store: Store, lists: list[str]) -> None:
        self._folder = trust
        self._store = store
        self._lists = lists
        self._gathered = Evidence()

    async def gather(self) -> None:
        """Fetch the status lists of the authorities we chose, over and over."""
        async with httpx.AsyncClient(timeout=2, follow_redirects=False) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError, Error):
                    answers = [await client.get(url) for url in self._lists]
                    found = [a.content for a in answers if a.status_code == 200]
                    items = [parse_object(data, size=MAX_BODY) for data in found]
                    self._gathered = Evidence(status_lists=items)
                await asyncio.sleep(POLL_SECONDS)

    def serve(self, path: str, data: bytes) -> JsonObject:
        """Answer one call.

        Raises:
            Error: any refusal, before anything was touched.
        """
        body = parse_object(data, size=MAX_BODY)
        closed(body, "body", frozenset({"presentation", "evidence", "ask"}))
        ask = body["ask"]
        if path == "papers":
            closed(ask, "ask", frozenset({"topic", "limit"}))
            limit = integer(ask["limit"], "ask.limit", 1, 10_000)
            request = Request(
                "db.read", f"urn:acme:papers:{text(ask['topic'], 'topic')}", rows=limit
            )
        else:
            closed(ask, "ask", frozenset({"draft", "body"}))
            request = Request("doc.write", f"urn:acme:drafts:{text(ask['draft'], 'draft')}", rows=0)
        auth = self._verify(body["presentation"], body["evidence"], request)
        with self._store.transaction() as db:
            self._consume(db, auth, request)
            return _read(db, ask, auth) if path == "papers" else _write(db, ask)

    def _verify(self, presentation: Any, evidence: Any, request: Request) -> Authorization:
        trust = load_trust(self._folder)
        auth = verify(
            Presentation.from_json(presentation),
            Evidence.from_json(evidence).merged(self._gathered),
            trust,
            request,
            at=datetime.now(UTC),
        )
        save_seen(self._folder, auth.seen)
        return auth

    def _consume(self, db: sqlite3.Connection, auth: Authorization, request: Request) -> None:
        for duty in auth.obligations:
            if isinstance(duty, Once):
                try:
                    db.execute("INSERT INTO spent VALUES (?, ?)", (duty.key, duty.until))
                except sqlite3.IntegrityError:
                    raise error("replay", "this invocation was used before") from None
            elif not isinstance(duty, Limit):
                raise error("no-ledger", "this store keeps no budget")
        db.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)",
            (
                datetime.now(UTC).isoformat(timespec="seconds"),
                request.action,
                request.resource,
                auth.actor,
                auth.sponsor,
                auth.inputs_digest,
            ),
        )


def _read(db: sqlite3.Connection, ask: JsonObject, auth: Authorization) -> JsonObject:
    rows = db.execute(
        "SELECT title, year FROM papers WHERE topic = ? ORDER BY id LIMIT ?",
        (ask["topic"], ask["limit"]),
    ).fetchall()
    for duty in auth.obligations:  # the limit holds for what comes back, too
        if isinstance(duty, Limit) and duty.rows is not None and len(rows) > duty.rows:
            raise error("constraint", "more rows than allowed", dimension="rows")
    return {"rows": [{"title": title, "year": year} for title, year in rows]}


def _write(db: sqlite3.Connection, ask: JsonObject) -> JsonObject:
    db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?)", (ask["draft"], ask["body"]))
    return {"written": ask["draft"]}


def create_app(resource: Resource) -> FastAPI:
    """The two routes over HTTP; refusals are problem documents."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(resource.gather())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/{path}")
    async def call(path: str, http: HttpRequest) -> JSONResponse:
        try:
            if path not in ("papers", "drafts"):
                raise error("not-found", "papers and drafts are here")
            data = bytearray()
            async for chunk in http.stream():
                data += chunk
                if len(data) > MAX_BODY:
                    raise error("limit-size", "the body is too large")
            return JSONResponse(await asyncio.to_thread(resource.serve, path, bytes(data)))
        except Error as exc:
            return JSONResponse(
                exc.problem(), exc.http_status, media_type="application/problem+json"
            )

    return app


def main() -> None:
    """Run the resource on a free loopback port and print its address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trust", type=Path, required=True)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--list", action="append", default=[])
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    resource = Resource(options.trust, Store(options.database), options.list)
    config = uvicorn.Config(create_app(resource), port=options.port, log_level="warning")
    listener = config.bind_socket()
    listener.listen()  # whoever reads the line below may connect at once
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"listening on http://{host}:{port}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
