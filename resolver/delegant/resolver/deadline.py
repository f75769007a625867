"""What one connection may take: deadlines for every wait, and an end to heads, bodies and lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sized
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.flow_control import FlowControl

from delegant.credentials.errors import Error, error

from .callers import caller_of
from .guard import LARGE_BODY, SMALL_BODY, problem_response, refuse
from .timed import IDLE, Timed
from .traffic import Traffic

__all__ = ["Deadline"]

DEADLINE_SECONDS: Final = 10.0
MAX_HEAD: Final = 64 * 1024
MAX_LINE: Final = 16 * 1024
MAX_PAST: Final = 2 * LARGE_BODY
"""Bytes of a request, whatever they are: twice the largest body, for its chunks."""
MAX_HEADERS: Final = 128
MAX_WAITING: Final = 256
"""Requests on one connection that wait for the one before them."""
SPARE: Final = 64
"""Connections beyond the most there may be that are told so; any further are just closed."""
FULL_SECONDS: Final = 2.0
_FORWARDED: Final = b"x-forwarded-for"
_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})


class _Asked:
    """A request, from its head to its answer."""

    __slots__ = ("body", "caller", "entered", "held", "method", "over", "since")

    def __init__(self, caller: str, method: str, since: float) -> None:
        self.caller = caller
        self.method = method
        self.since = since
        self.entered = False
        self.body = self.held = 0
        self.over = False


class _Flow(FlowControl):
    """Does not read on while requests wait for their turn: uvicorn would take any number."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, unless that is for nothing."""
        if not self._waiting:
            super().resume_reading()


class Deadline(Timed):
    """Bound what a connection may take: time for each wait, bytes of head and body.

    uvicorn itself waits for ever, takes heads of any size, and answers what is no HTTP in
    plain text. Whoever is late is closed: whoever sends its head or body by the byte, asks for
    nothing, or does not read what is sent to it.
    """

    deadline: ClassVar[float] = DEADLINE_SECONDS
    body_seconds: ClassVar[float | None] = None
    send_seconds: ClassVar[float] = 20.0
    traffic: ClassVar[Traffic | None] = None
    _reader: asyncio.TimerHandle | None = None
    _head: int | None = 0
    _past = 0
    _sent = False
    _full = False
    _proxied = False
    _counted = False
    _caller = ""
    _asked: _Asked | None = None

    # --- the head -------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Count the head while it is not whole."""
        if self._head is not None:
            self._head += len(data)
        self._past += len(data)
        cycle: Any = self.cycle  # None before the first
        if self._waits and (cycle is None or cycle.response_complete):
            self._arm(self.deadline, "head-time")  # even an empty line must lead to a request
        super().data_received(data)
        if self._past > MAX_PAST and not self.transport.is_closing():
            self._limit("bodies")
            self._hang_up(0)
        if self._head is not None and self._head > MAX_HEAD and not self.transport.is_closing():
            self._too_large()

    def on_message_begin(self) -> None:
        """A request has begun; its head must end soon."""
        self._head = self._head or 0
        self._past = 0
        self._sent = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        if self._waits:
            self._arm(self.deadline, "head-time")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those after a body are nobody's business."""
        if self._head is not None:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def _scoped(self) -> None:
        """What an application is told of the request; only where one is asked."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers

    def on_headers_complete(self) -> None:
        """The head is whole: refuse it, answer it at once, or have it answered."""
        size, self._head = self._head or 0, None
        if self.transport.is_closing():
            self._sent = True
            return
        if len(self.url) > MAX_LINE or len(self.headers) > MAX_HEADERS or size > MAX_HEAD:
            held = sum(len(name) + len(value) for name, value in self.headers)
            if max(len(self.url) - MAX_LINE, len(self.headers) - MAX_HEADERS, held - MAX_HEAD) > 0:
                self._too_large()
                return
        if len(self.pipeline) >= MAX_WAITING:
            self._sent = True
            self._limit("pipeline")
            self._hang_up(0)
            return
        traffic = self.traffic
        if traffic is None:
            if self.answered() is None:
                self._body_follows()
                self._scoped()
                super().on_headers_complete()
        elif self._full:
            traffic.meter.limit("connections")
            self._refuse(traffic, self._caller, error("unavailable", "too many connections"), 5)
        else:
            self._let_in(traffic)

    def answered(self) -> tuple[int, int, bool] | None:
        """Answer at once, where that can be: status, bytes, whether it was kept; else None."""
        return None

    def _let_in(self, traffic: Traffic) -> None:
        caller = self._who(traffic) if self._proxied else self._caller
        cycle: Any = self.cycle
        since = time.monotonic()
        mine = cycle is None or cycle.response_complete  # else its turn comes
        if mine:
            wait = traffic.wait(caller)
            if wait is not None:
                told = error("too-many", f"too many requests of {caller}: wait {wait} s")
                self._refuse(traffic, caller, told, wait)
                return
            out = self.answered()
            if out is not None:
                status, sent, kept = out
                seconds = time.monotonic() - since
                traffic.passed(caller, self._method, "/v1/resolve", status, seconds, sent)
                if kept:
                    traffic.meter.count("kept")
                return
            traffic.stay(caller)
        method = self._method()
        self._asked = asked = _Asked(caller, method, since)
        asked.entered = mine
        self._body_follows()
        self._scoped()
        self.scope["delegant.asked"] = asked  # type: ignore[typeddict-unknown-key]
        try:
            super().on_headers_complete()
        except BaseException:
            if asked.entered:
                traffic.leave(caller, method, "other", 400, 0.0, 0)
            raise

    def _method(self) -> str:
        parser: Any = self.parser
        return str(parser.get_method(), "ascii")

    def _who(self, traffic: Traffic) -> str:
        said = b",".join(value for name, value in self.headers if name == _FORWARDED)
        return traffic.callers.forwarded(self.client[0], said) if self.client else self._caller

    def _refuse(self, traffic: Traffic, caller: str, told: Error, wait: int) -> None:
        """Answer a request that is not let in, before anything else is done for it."""
        parser: Any = self.parser
        method = self._method()
        bare = method == "GET" and parser.should_keep_alive()
        bare = bare and not self._full and not self.flow.write_paused  # who does not read is closed
        bare = bare and all(name not in _BODY for name, _ in self.headers)
        out = problem_response(told, retry=wait, keep=bare)
        self.transport.write(out)
        self._sent = True
        traffic.refused(caller, method, told.http_status, len(out))
        if not bare:
            self._hang_up()

    def _too_large(self) -> None:
        self._sent = True
        self._limit("head-size")
        if len(self.url) > MAX_LINE:
            told, status = error("limit-size", f"a line of {MAX_LINE} bytes is allowed"), 414
        else:
            told, status = error("limit-size", f"a head of {MAX_HEAD} bytes is allowed"), 431
        self.transport.write(problem_response(told, status))
        self._hang_up()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told in the one shape of all errors."""
        if not self.transport.is_closing():
            self.transport.write(problem_response(error("json", msg)))
            self._hang_up()

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody is upgraded here, and who asks for it is answered as if they had not."""

    # --- the body -------------------------------------------------------------------------------

    def _body_follows(self) -> None:
        self._disarm()
        seconds = self.deadline if self.body_seconds is None else self.body_seconds
        self._arm(seconds, "body-time")

    def on_body(self, body: bytes) -> None:
        """Take what there is a place for."""
        cycle: Any = self.cycle
        if self._sent or cycle.response_complete:  # nobody will look at it, nor give its place back
            return
        asked, traffic = self._asked, self.traffic
        if asked is not None and traffic is not None:
            asked.body += len(body)
            more = asked.body - SMALL_BODY - asked.held
            if more > 0 and not asked.over:
                if traffic.held + more > traffic.bodies:
                    asked.over = True
                    traffic.meter.limit("bodies")
                else:
                    asked.held += more
                    traffic.held += more
            if asked.over:
                body = b" "  # it is answered with an error, once it is looked at
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._disarm()
        if self._sent:
            self.on_response_complete()
            return
        super().on_message_complete()
        cycle: Any = self.cycle
        if cycle.response_complete and not self.transport.is_closing():  # before it was whole
            self._arm(self.timeout_keep_alive, IDLE)

    # --- the answer -----------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        asked = cycle.scope.get("delegant.asked")
        traffic = self.traffic
        if asked is None or traffic is None:
            super()._start_asgi_task(cycle, app)
            return
        wait = None if asked.entered else traffic.enter(asked.caller)
        asked.entered = wait is None
        super()._start_asgi_task(cycle, _told(app, asked, traffic, wait, self.transport))

    def on_response_complete(self) -> None:
        """An answer was handed over: what comes next?

        Its last bytes must leave soon, if the connection ends. As uvicorn's own, but for the
        timer: that is set once, and looks at what is due when it fires.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._reading_expected()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._waits:
            self._arm(self.timeout_keep_alive, IDLE)

    def pause_writing(self) -> None:
        """Much waits to be sent: whoever asked for it must read it."""
        super().pause_writing()
        self._reading_expected()

    def resume_writing(self) -> None:
        """It was read."""
        super().resume_writing()
        if self._reader is not None and not self.transport.is_closing():
            self._reader.cancel()
            self._reader = None

    def _reading_expected(self) -> None:
        if self._reader is None:
            self._reader = self.loop.call_later(self.send_seconds, self._unread)

    def _unread(self) -> None:
        self._limit("send-time")
        self.transport.abort()

    # --- the connection -------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """A connection must say something soon."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        seconds, traffic = self.deadline, self.traffic
        if traffic is not None:
            traffic.meter.connections(1)
            peer = self.client[0] if self.client else None
            self._caller = caller_of(peer)
            self._proxied = traffic.callers.trusts(peer)
            most = traffic.settings.max_connections
            if len(self.connections) > most + SPARE:
                traffic.meter.limit("connections")
                transport.abort()
                return
            self._counted = not self._proxied
            share = traffic.connected(self._caller) if self._counted else True
            if len(self.connections) > most or not share:
                self._full, seconds = True, min(seconds, FULL_SECONDS)
        self._arm(seconds, "head-time")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._unset()
        if self._reader is not None:
            self._reader.cancel()
        if self.traffic is not None:
            self.traffic.meter.connections(-1)
            if self._counted:
                self.traffic.parted(self._caller)
            for cycle, _ in self.pipeline:  # nobody will come to these
                _release(cycle.scope.get("delegant.asked"), self.traffic)
        super().connection_lost(exc)

    def _late(self, why: str) -> None:
        if why is not IDLE:
            self._limit(why)
        self._hang_up(0)

    def _hang_up(self, seconds: float | None = None) -> None:
        """Close, once what waits was sent, or the time for that is over."""
        if self.transport.get_write_buffer_size() == 0:
            self.transport.close()
        elif seconds == 0:
            self.transport.abort()
        else:
            self.transport.close()
            self._reading_expected()

    def _limit(self, name: str) -> None:
        if self.traffic is not None:
            self.traffic.meter.limit(name)


def _release(asked: object, traffic: Traffic) -> None:
    if isinstance(asked, _Asked):
        traffic.held -= asked.held
        asked.held = 0


def _told(app: Any, asked: _Asked, traffic: Traffic, wait: int | None, transport: Any) -> Any:
    """An application that is told of in the metrics and the access log."""
    status = sent = 0
    known = traffic.id()

    async def run(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        async def sending(message: Any) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400 or asked.method not in ("GET", "HEAD"):  # what no cache keeps
                    given = (b"x-request-id", known.encode())
                    message = {**message, "headers": [*message.get("headers", ()), given]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        async def receiving() -> Any:
            message = await receive()
            if asked.over:
                raise error("unavailable", "too many large bodies are being received")
            return message

        try:
            if wait is None:
                await app(scope, receiving, sending)
            else:
                told = error("too-many", f"too many requests of {asked.caller}: wait {wait} s")
                await refuse(sending, told, wait)
        except asyncio.CancelledError:  # the server stops, and has waited long enough
            transport.abort()
        finally:
            _release(asked, traffic)
            if wait is None:
                route = getattr(scope.get("route"), "path", "other")
                seconds = time.monotonic() - asked.since
                traffic.leave(asked.caller, asked.method, route, status, seconds, sent, known)
            else:
                traffic.refused(asked.caller, asked.method, 429, sent)

    return run
