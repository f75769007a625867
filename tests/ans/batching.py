"""Changes that are made to share one transaction, in the order they were asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from delegant.ans.registry import Registry
from delegant.ans.submitting import Submission
from delegant.credentials import Error
from delegant.credentials.codec import JsonObject

Sent = tuple[bytes, str | None]
WAIT = 30


@contextmanager
def gathered(registry: Registry) -> Iterator[None]:
    """What is asked for inside waits until the end, and is then one transaction."""
    gate = threading.Event()
    registry._sequencer._work.submit(gate.wait, WAIT)
    try:
        yield
    finally:
        gate.set()


def ask(registry: Registry, sent: Sent, at: int) -> Future[JsonObject]:
    """Submit; what is refused before it is written is refused in the future, too."""
    out: Future[JsonObject] = Future()
    try:
        return registry.submitting(Submission.read(sent[0]), sent[1], at)
    except Error as exc:
        out.set_exception(exc)
    return out


def told(future: Future[JsonObject]) -> JsonObject | str:
    """The receipt, or the code of the refusal; anything else is raised."""
    try:
        return future.result(WAIT)
    except Error as exc:
        return exc.code


def together(registry: Registry, sent: Sequence[Sent], at: int) -> list[Any]:
    """Submit all in one transaction; the receipt or the code of each."""
    with gathered(registry):
        asked = [ask(registry, one, at) for one in sent]
    return [told(one) for one in asked]
