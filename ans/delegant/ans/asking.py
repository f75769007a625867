"""The client's core, without a socket: what to ask next, and what to make of the reply.

Every operation is a generator. It yields an `Ask` and is sent the `Reply`, or `Broken` where there
was none; or it yields a `Wait` and is sent nothing. `client` drives it over httpx, in a thread
or in an event loop; a test drives it by hand.

An answer is believed for its signatures and proofs (`answer`), and for agreeing with all that
was met before (`memory`): a log that only grows and is the same for everybody, and names that
pass to another agent only by their holder's signature.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from delegant.credentials import CODES, Malformed, shape
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error

from .answer import MAX_ANSWER, MAX_MEMBERS

__all__ = ["Ask", "Broken", "Caller", "Reply", "Steps", "Wait", "check_reply", "object_of"]

T = TypeVar("T")

ATTEMPTS: Final = 4
FIRST_PAUSE: Final = 0.1
MAX_PAUSE: Final = 5.0
MAX_REPLY: Final = MAX_ANSWER
MAX_DETAIL: Final = 500
AGAIN: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same request is worth repeating."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send. ``seconds``: until when the whole reply must be there."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds to let pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no reply, or only part of one."""

    why: str


Steps = Generator[Ask | Wait, Reply | Broken | None, T]


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks until there is an answer or the time is over.

    Args:
        seconds: for one operation, with all it asks and waits for.
        clock: seconds, never backwards.
        now: seconds since 1970, for ``Retry-After`` dates.
    """

    seconds: float
    clock: Callable[[], float]
    now: Callable[[], float]

    def end(self) -> float:
        """When an operation that starts now must be over."""
        return self.clock() + self.seconds

    def ask(self, make: Callable[[], Ask], end: float, *, again: bool = True) -> Steps[Reply]:
        """Send a request, again after a broken connection or a busy registry.

        Args:
            make: the request, made anew for each attempt.
            end: by `end`.
            again: whether repeating it is safe.

        Raises:
            Unavailable: ``unavailable``.
        """
        attempt = 0
        while True:
            left = end - self.clock()
            if left <= 0:
                raise error("unavailable", f"no answer within {self.seconds:g} seconds")
            got = yield replace(make(), seconds=left)
            if got is None:
                got = Broken("nothing was sent")
            attempt += 1
            if isinstance(got, Reply) and got.status not in AGAIN:
                return got
            pause = self._pause(got, attempt)
            if not again or attempt >= ATTEMPTS or self.clock() + pause >= end:
                if isinstance(got, Reply):
                    return got
                raise error("unavailable", f"the registry does not answer: {got.why}")
            yield Wait(pause)

    def _pause(self, got: Reply | Broken, attempt: int) -> float:
        own = min(MAX_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311
        if isinstance(got, Reply) and "retry-after" in got.headers:
            return max(own, self._told(got.headers["retry-after"]))
        return own

    def _told(self, text: str) -> float:
        """``Retry-After``: seconds, or a date."""
        if text.isascii() and text.isdigit() and len(text) <= 6:
            return float(text)
        try:
            return parsedate_to_datetime(text).timestamp() - self.now()
        except (ValueError, TypeError, IndexError, OverflowError):
            return 0.0


def object_of(reply: Reply) -> JsonObject:
    """The JSON object that was answered; or ``unavailable`` for what is none."""
    try:
        return parse_object(reply.body, size=MAX_REPLY, members=MAX_MEMBERS)
    except Error as exc:
        raise error(
            "unavailable", f"the answer ({reply.status}) is not JSON of ours: {exc}"
        ) from None


def check_reply(reply: Reply, *, signed: bool = False) -> JsonObject:
    """What a reply says, or the error in it.

    Args:
        signed: only a signed word counts here: an unsigned refusal is believed no further
            than that the question was bad.

    Raises:
        Error: with the code of the problem. Unavailable: ``unavailable``.
    """
    value = object_of(reply)
    if 200 <= reply.status < 300:
        return value
    code, detail = value.get("code"), _shown(value.get("detail"))
    if type(code) is str and code in CODES:
        if not signed or issubclass(CODES[code].cls, Malformed):
            raise error(code, detail)
        if code.startswith("ans-"):
            raise error("ans-signature", f"{code}, and nobody signed it")
    raise error("unavailable", f"the registry answered {reply.status}: {detail}")


def _shown(detail: object) -> str:
    """What a registry says in words, unsigned: short, and harmless to a terminal."""
    words = detail[:MAX_DETAIL] if type(detail) is str else ""
    return "".join(one if shape.visible(one) else "?" for one in words)
