"""A witness of other people's logs over HTTP (C2SP tlog-witness): ``POST /add-checkpoint``.

It keeps the last checkpoint it cosigned of each log in one file, flushed to the disk before it
answers, and cosigns only what continues it. Answers are plain text, as the specification has
them. It proves something only where it runs on another machine than the log, in other hands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

from delegant.ans.log.checkpoint import Checkpoint
from delegant.ans.log.witness import MAX_REQUEST, TEXT_TYPE, Decision, Witness
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed, integer
from delegant.wallet import files

from .deadline import Deadline
from .guard import Receive, Send

__all__ = ["Book", "PlainDeadline", "witness_app"]

LOG: Final = logging.getLogger("delegant")
ADD: Final = "/add-checkpoint"
_ENTRY: Final = frozenset({"size", "root"})


class PlainDeadline(Deadline):
    """As `Deadline`; what is no HTTP is told in plain text."""

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        body = f"{msg}\n".encode("ascii", "replace")
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {TEXT_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class Book:
    """What was cosigned last of each log: one file, replaced durably.

    Args:
        path: the file; it is made with the first cosignature.

    Raises:
        Malformed: ``shape`` and the codes of phases 2 and 3 when it is damaged: it is what keeps
        a log from being forked, so it is not silently begun anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read()

    def decide(self, witness: Witness, data: bytes, at: int) -> Decision:
        """The witness's answer to a request, when what it must remember is on the disk.

        Raises:
            Malformed: as above. OSError: as the system says; nothing is cosigned then.
        """
        with files.lock(self._path.parent):
            known = self._read()
            decision = witness.decide(data, known.get, at)
            if decision.keep is not None:
                known[decision.keep.origin] = decision.keep
                files.write_json(self._path, _json(known))
        return decision

    def _read(self) -> dict[str, Checkpoint]:
        if not self._path.exists():
            return {}
        value = closed(
            files.read_object(self._path), self._path.name, frozenset({"version", "logs"})
        )
        if value["version"] != 1 or type(value["logs"]) is not dict:
            raise error("shape", f"{self._path.name}: version is 1, logs is an object")
        return {origin: _checkpoint(origin, one) for origin, one in value["logs"].items()}


def _json(known: dict[str, Checkpoint]) -> Any:
    logs = {
        origin: {"size": one.size, "root": b64encode(one.root).decode()}
        for origin, one in known.items()
    }
    return {"version": 1, "logs": logs}


def _checkpoint(origin: str, value: object) -> Checkpoint:
    entry = closed(value, "a log", _ENTRY)
    try:
        root = b64decode(entry["root"], validate=True)
    except (ValueError, TypeError):
        raise error("shape", "root is not base64") from None
    return Checkpoint(origin, integer(entry["size"], "size"), root)


Scope = MutableMapping[str, Any]


def witness_app(
    witness: Witness, book: Book, clock: Callable[[], float] = time.time
) -> Callable[[Scope, Receive, Send], Any]:
    """The witness as an ASGI application: one route, and its key at ``/``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/" and method in ("GET", "HEAD"):
            await _answer(send, 200, TEXT_TYPE, f"{witness.key.vkey}\n")
        elif path not in ("/", ADD):
            await _answer(send, 404, TEXT_TYPE, "not found\n")
        elif path == "/" or method != "POST":
            await _answer(send, 405, TEXT_TYPE, "method not allowed\n")
        else:
            data = await _body(receive)
            if data is None:
                await _answer(send, 413, TEXT_TYPE, f"at most {MAX_REQUEST} bytes\n")
                return
            try:
                decision = await asyncio.to_thread(book.decide, witness, data, int(clock()))
            except (Error, OSError) as exc:
                LOG.error("nothing is cosigned: %s", exc)
                await _answer(send, 503, TEXT_TYPE, "what was cosigned cannot be kept\n")
                return
            if decision.status != 200:
                LOG.warning("not cosigned: %s", decision.reason)
            await _answer(send, decision.status, decision.content_type, decision.body)

    return app


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None for one that is too large."""
    data = bytearray()
    while True:
        message = await receive()
        data += message.get("body", b"")
        if len(data) > MAX_REQUEST:
            return None
        if not message.get("more_body"):
            return bytes(data)


async def _answer(send: Send, status: int, media: str, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", media.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
