"""Whether all is well, and the numbers: for whoever watches over a server.

``/health/live``: the process answers; it asks nothing of the store. ``/health/store`` and
``/health/log``: the rows, and the published checkpoint, can be read. ``/health/ready`` and
``/health``: both. 200, or 503 and what is wrong; within a bounded time, whatever the store does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastapi import FastAPI, Response

from delegant.ans.registry import Registry
from delegant.credentials import Error
from delegant.credentials.errors import error

from .metrics import CONTENT_TYPE, Meter
from .replies import json_reply, reading

__all__ = ["WAIT_SECONDS", "add"]

WAIT_SECONDS: Final = 2.0
_PARTS: Final = {
    "live": (),
    "store": ("store",),
    "log": ("log",),
    "ready": ("store", "log"),
}
_FRESH: Final = {"cache-control": "no-store"}


class _Health:
    """Looks after a registry; each thing once at a time, however many ask."""

    def __init__(self, registry: Registry) -> None:
        self._looks: dict[str, Callable[[], object]] = {
            "store": registry.store_alive,
            "log": registry.log_alive,
        }
        self._pool = ThreadPoolExecutor(len(self._looks), "health")  # its own: others may be stuck
        self._asked: dict[str, asyncio.Future[object]] = {}

    async def look(self, parts: tuple[str, ...]) -> None:
        """Raise ``unavailable`` unless all of these are well."""
        loop = asyncio.get_running_loop()
        for part in parts:
            asked = self._asked.get(part)
            if asked is None or asked.done():
                asked = loop.run_in_executor(self._pool, self._looks[part])
                asked.add_done_callback(_seen)
                self._asked[part] = asked
        waited = [self._asked[part] for part in parts]
        if waited:
            await asyncio.wait(waited, timeout=WAIT_SECONDS)
        for part, asked in zip(parts, waited, strict=True):
            if not asked.done():
                raise error("unavailable", f"{part}: no answer in {WAIT_SECONDS:g} s")
            exc = asked.exception()
            if exc is not None:
                told = exc.detail if isinstance(exc, Error) else "an error of ours"
                raise error("unavailable", f"{part}: {told}")


def _seen(asked: asyncio.Future[object]) -> None:
    if not asked.cancelled():
        asked.exception()  # else it is told of as never looked at


def add(app: FastAPI, registry: Registry, meter: Meter | None) -> None:
    """The routes; ``/metrics`` where there is a meter."""
    health = _Health(registry)

    async def told(part: str) -> Response:
        await health.look(_PARTS[part])
        said = {"status": "ok", **dict.fromkeys(_PARTS[part], "ok")}
        if part == "ready":
            said["registry"] = registry.did
        return json_reply(said, headers=_FRESH)

    @reading(app, "/health")
    async def whole() -> Response:
        """Whether the store and the log answer."""
        return await told("ready")

    @reading(app, "/health/{part}")
    async def one(part: str) -> Response:
        """The same of one part: live, ready, store or log."""
        if part not in _PARTS:
            raise error("not-found", "there are live, ready, store and log")
        return await told(part)

    if meter is not None:

        @reading(app, "/metrics")
        async def metrics() -> Response:
            """All counts, in the text form of Prometheus."""
            text = await asyncio.to_thread(meter.text)
            return Response(text, headers={"content-type": CONTENT_TYPE, **_FRESH})
