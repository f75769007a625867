"""The demo's resource: a table of papers and a table of drafts that verify chains themselves.

It trusts its own trust folder and nobody's server. For every call it builds the request from
what it is about to do, verifies the chain in its own process, and asks its ledger for a permit:
the invocation is used up and the intent is on disk before the table is opened. What came of it is
recorded before it is answered, and so is every refusal. No record, no act: 503.
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
from typing import Any, Final, NamedTuple

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
    verify_chain,
)
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import error
from delegant.credentials.shape import closed, integer, text
from delegant.governance.auditlog import AuditLog
from delegant.governance.ledger import Ledger
from delegant.governance.permit import Permit
from delegant.governance.receipt import HEADER
from delegant.wallet import Passphrases, load_trust, save_seen

MAX_BODY: Final = 2 * 1024 * 1024
MAX_DRAFT: Final = 64 * 1024
POLL_SECONDS: Final = 0.5
INVOCATION: Final = 10
"""The phase by which the chain has been verified."""
SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS papers"
    " (id INTEGER PRIMARY KEY, topic TEXT, title TEXT, year INTEGER)",
    "CREATE TABLE IF NOT EXISTS drafts (id TEXT PRIMARY KEY, body TEXT)",
)


class Store:
    """The two tables."""

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
        """One transaction: all of it, or none.

        Raises:
            Unavailable: ``unavailable`` for whatever the database does not do.
        """
        try:
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
        except sqlite3.Error as exc:
            raise error("unavailable", f"the tables: {exc}") from None


class Answer(NamedTuple):
    """What goes back, with the receipt of it where there is one."""

    status: int
    body: JsonObject
    receipt: str | None = None


class Resource:
    """The enforcement point: verify, permit, act, settle; or refuse. All of it on record."""

    def __init__(self, trust: Path, store: Store, ledger: Ledger, lists: list[str]) -> None:
        self._folder = trust
        self._store = store
        self._ledger = ledger
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

    def serve(self, path: str, data: bytes) -> Answer:
        """The answer to a call, once it is on record.

        Raises:
            Rejected: ``replay``, and whatever else the ledger refuses, on record as well.
            Unavailable: ``unavailable`` where there can be no record. Nothing was done then, or
                it was done and is on record as an act of which nobody knows what came.
        """
        at = datetime.now(UTC)
        known: dict[str, Any] = {}  # so far, of this call: what can be on record
        shown: Presentation | None = None
        try:
            body = parse_object(data, size=MAX_BODY)
            closed(body, "body", frozenset({"presentation", "evidence", "ask"}))
            known["presentation"] = shown = Presentation.from_json(body["presentation"])
            known["request"] = request = _request(path, body["ask"])
            evidence = Evidence.from_json(body["evidence"]).merged(self._gathered)
            auth = self._verified(shown, evidence, request, at, known)
        except Error as exc:
            refused = self._ledger.refuse(exc, at=at, **known)
            receipt = None if shown is None else self._ledger.refusal_receipt(refused, shown, at=at)
            return Answer(exc.http_status, exc.problem(), receipt)
        permit = self._ledger.permit(
            auth, request, presentation=shown, evidence=evidence, given=body["ask"], at=at
        )
        return self._acted(permit, body["ask"])

    def _verified(
        self,
        shown: Presentation,
        evidence: Evidence,
        request: Request,
        at: datetime,
        known: dict[str, Any],
    ) -> Authorization:
        trust = load_trust(self._folder)
        try:
            auth = verify(shown, evidence, trust, request, at=at)
        except Error as exc:
            if exc.phase >= INVOCATION:  # of the chain itself nothing was wrong
                chain = verify_chain(shown, evidence, trust, at=at)
                known.update(chain=chain, evidence=evidence)
            raise
        save_seen(self._folder, auth.seen)
        return auth

    def _acted(self, permit: Permit, ask: JsonObject) -> Answer:
        """Do what there is a permit for, count what came of it, and hold it to the limits."""
        try:
            with self._store.transaction() as db:
                answer = _read(db, ask) if permit.action == "db.read" else _write(db, ask)
        except Error as exc:
            at = datetime.now(UTC)
            self._ledger.fail(permit, exc.code, at=at)
            receipt = self._ledger.receipt(permit, "failure", at=at, code=exc.code)
            return Answer(exc.http_status, exc.problem(), receipt)
        at = datetime.now(UTC)
        self._ledger.settle(permit, rows=len(answer.get("rows", ())), at=at)
        receipt = self._ledger.receipt(permit, "success", at=at)
        return Answer(200, answer | {"event": permit.event}, receipt)


def _request(path: str, ask: Any) -> Request:
    """What is about to be done, whatever the caller says of it."""
    if path == "papers":
        closed(ask, "ask", frozenset({"topic", "limit"}))
        limit = integer(ask["limit"], "ask.limit", 1, 10_000)
        topic = text(ask["topic"], "ask.topic")
        return Request("db.read", f"urn:acme:papers:{topic}", rows=limit)
    closed(ask, "ask", frozenset({"draft", "body"}))
    if type(ask["body"]) is not str or len(ask["body"]) > MAX_DRAFT:
        raise error("shape", f"ask.body is not a string of at most {MAX_DRAFT} characters")
    return Request("doc.write", f"urn:acme:drafts:{text(ask['draft'], 'ask.draft')}", rows=0)


def _read(db: sqlite3.Connection, ask: JsonObject) -> JsonObject:
    rows = db.execute(
        "SELECT title, year FROM papers WHERE topic = ? ORDER BY id LIMIT ?",
        (ask["topic"], ask["limit"]),
    ).fetchall()
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
                    break  # it is refused for its size, on record as anything else
            answer = await asyncio.to_thread(resource.serve, path, bytes(data))
        except Error as exc:
            told = exc
            if exc.code.startswith("log-"):  # our log was set back: no fault of the caller's
                told = error("unavailable", "the record cannot be written")
            answer = Answer(told.http_status, told.problem())
        kind = "application/json" if answer.status == 200 else "application/problem+json"
        headers = {"Cache-Control": "no-store"}
        if answer.receipt is not None:
            headers[HEADER] = answer.receipt
        return JSONResponse(answer.body, answer.status, headers, kind)

    return app


def main() -> None:
    """Run the resource on a free loopback port and print its address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trust", type=Path, required=True)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--audit", type=Path, required=True)
    parser.add_argument("--passphrase-file", type=Path, required=True)
    parser.add_argument("--list", action="append", default=[])
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    log = AuditLog.open(options.audit, Passphrases(options.passphrase_file).get("audit"))
    resource = Resource(options.trust, Store(options.database), Ledger(log), options.list)
    config = uvicorn.Config(create_app(resource), port=options.port, log_level="warning")
    listener = config.bind_socket()
    listener.listen()  # whoever reads the line below may connect at once
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"listening on http://{host}:{port}\n")
    sys.stdout.flush()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        log.close()


if __name__ == "__main__":
    main()
