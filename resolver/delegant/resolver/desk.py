"""Where submissions are taken in: those of one moment go to one thread, and come back together.

A thread that is woken, and a loop that is, cost as much as a signature. So all that arrive in one
turn of the loop are judged by the thread that is free next, one after the other, and what becomes
of those that were written together is told to the loop in one go.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeAlias

from fastapi import Request
from fastapi.routing import APIRoute

from delegant.ans.registry import Registry
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error

__all__ = ["Bare", "Desk"]

JUDGES: Final = 4
MOST: Final = 16
"""Submissions that one thread takes at once, so that none waits behind many."""

_Asked: TypeAlias = tuple[bytes, "str | None", "str | None", "asyncio.Future[JsonObject]"]


class Desk:
    """Takes submissions from one loop.

    Args:
        registry: who takes them.
        clock: seconds since 1970.
    """

    def __init__(self, registry: Registry, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock
        self._judges = ThreadPoolExecutor(JUDGES, "judge")  # who waits for the disk holds none
        self._asked: list[_Asked] = []
        self._told: list[tuple[asyncio.Future[JsonObject], Future[JsonObject]]] = []
        self._lock = threading.Lock()

    async def submit(self, body: bytes, token: str | None, agent: str | None = None) -> JsonObject:
        """Take one step in the life of a name, as `Registry.submit`; its receipt.

        Args:
            agent: whose address it was sent to; None: to that of registrations.
        """
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._hand_over, loop)
        future: asyncio.Future[JsonObject] = loop.create_future()
        self._asked.append((body, token, agent, future))
        return await future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        asked, self._asked = self._asked, []
        for at in range(0, len(asked), MOST):
            self._judges.submit(self._judge, loop, asked[at : at + MOST])

    def _judge(self, loop: asyncio.AbstractEventLoop, asked: list[_Asked]) -> None:
        """Judge them, and have them written; reading them, too, takes too long for the loop."""
        for body, token, agent, waiting in asked:
            if waiting.cancelled():
                continue
            try:
                sent = self._registry.read(body)
                _routed(sent.event, agent)
                written = self._registry.submitting(sent, token, int(self._clock()))
            except BaseException as exc:  # noqa: BLE001 - whoever waits is told, whatever it is
                written = Future()
                written.set_exception(exc)
            written.add_done_callback(partial(self._done, loop, waiting))

    def _done(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: asyncio.Future[JsonObject],
        written: Future[JsonObject],
    ) -> None:
        with self._lock:
            self._told.append((waiting, written))
            if len(self._told) > 1:  # the loop was woken already
                return
        try:
            loop.call_soon_threadsafe(self._tell)
        except RuntimeError:  # it is closed, and nobody waits any more
            with self._lock:
                self._told.clear()

    def _tell(self) -> None:
        with self._lock:
            told, self._told = self._told, []
        for waiting, written in told:
            if waiting.cancelled():
                continue
            exc = written.exception()
            if exc is None:
                waiting.set_result(written.result())
            else:
                waiting.set_exception(exc)


def _routed(event: JsonObject, agent: str | None) -> None:
    """The event stands where it was sent: registrations apart, others under their agent.

    A transfer is sent where its name is before it.
    """
    whose = event["from"] if event["type"] == "transfer" else event["agent"]
    if (event["type"] == "register") != (agent is None) or agent not in (None, whose):
        raise error("shape", "this event belongs to another address")


class Bare(APIRoute):
    """A route whose function is given the request and the texts of the address, and no more."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Call it, without what others need: dependencies, models, stacks of contexts."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive), **scope["path_params"])
        await response(scope, receive, send)
