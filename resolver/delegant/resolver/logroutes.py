"""The log of names over HTTP: its checkpoint, its tiles (C2SP tlog-tiles), and proofs ready made.

Tiles are enough for everything: a proof, an audit, a copy on any static host. The two proof routes
are for callers who want one proof and no tiles. An address of a tile has one spelling, and any
other is not found: what a cache keeps for a year should be kept once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from delegant.ans.log import tiles
from delegant.ans.registry import Registry
from delegant.credentials import Error
from delegant.credentials.codec import is_digest
from delegant.credentials.errors import error

from .replies import IMMUTABLE, cached, json_reply, parameters, reading, whole

__all__ = ["CHECKPOINT", "add"]

CHECKPOINT: Final = "text/plain; charset=utf-8"
_TILE: Final = "application/octet-stream"
FULL: Final = 256
_SHORT: Final = "public, max-age=60"


def add(app: FastAPI, registry: Registry) -> None:
    """The routes."""

    @reading(app, "/checkpoint")
    async def checkpoint(http: Request) -> Response:
        """The newest checkpoint: a signed note, with the cosignatures there are."""
        note = await asyncio.to_thread(registry.log.checkpoint)
        return cached(http, note.encode(), CHECKPOINT, "public, max-age=1")

    @reading(app, "/tile/{rest:path}")
    async def tile(rest: str, http: Request) -> Response:
        """A tile of hashes, or a bundle of entries: ``/tile/0/x001/067``, ``/tile/entries/000``."""
        read, full = _found(registry, f"tile/{rest}", http)
        body = await asyncio.to_thread(read)
        return cached(http, body, _TILE, IMMUTABLE if full else _SHORT)

    @reading(app, "/v1/log/inclusion")
    async def inclusion(http: Request) -> Response:
        """``?index=`` or ``?event=`` and perhaps ``size=``: the proof that an entry is there."""
        asked = parameters(http, {"index", "event", "size"})
        if ("index" in asked) == ("event" in asked):
            raise error("shape", "say which entry: ?index= or ?event=")
        size = whole(asked["size"]) if "size" in asked else None
        if "index" in asked:
            prove = partial(registry.log.inclusion, whole(asked["index"]))
        elif is_digest(asked["event"]):
            prove = partial(registry.log.inclusion_of, asked["event"])
        else:
            raise error("shape", "event is the digest of an event")
        found = await asyncio.to_thread(prove, size)
        return _proof(found, sized=size is not None)

    @reading(app, "/v1/log/consistency")
    async def consistency(http: Request) -> Response:
        """``?old=`` and perhaps ``new=``: the proof that the log has only grown."""
        asked = parameters(http, {"old", "new"})
        if "old" not in asked:
            raise error("shape", "say from which size: ?old=")
        new = whole(asked["new"]) if "new" in asked else None
        found = await asyncio.to_thread(registry.log.consistency, whole(asked["old"]), new)
        return _proof(found, sized=new is not None)


def _found(registry: Registry, path: str, http: Request) -> tuple[Callable[[], bytes], bool]:
    """What reads a tile of this address, and whether it is a full one.

    Raises:
        NotFound: ``not-found`` for any other spelling.
    """
    try:
        if http.scope.get("raw_path", b"") != f"/{path}".encode():
            raise error("shape", "a percent sign, where none is needed")
        place = tiles.parse_path(path)
    except Error:
        raise error("not-found", "there is no such tile") from None
    full = place.width == FULL
    if place.level is None:
        return partial(registry.log.bundle, place.index, place.width), full
    return partial(registry.log.tile, place.level, place.index, place.width), full


def _proof(found: Any, *, sized: bool) -> Response:
    """A proof between two sizes never changes; one up to now does."""
    control = IMMUTABLE if sized else "public, max-age=1"
    return json_reply(found, headers={"cache-control": control})
