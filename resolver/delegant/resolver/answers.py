"""Answers as they leave: in the form that was asked for, and as pages that are kept."""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache
from typing import Final

from delegant.ans.answering import instant
from delegant.ans.log.tlogproof import export
from delegant.ans.pages import Page
from delegant.ans.registry import Registry
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error

from .accept import choose
from .replies import PROBLEM, etag_of

__all__ = ["ANSWER", "JSON", "PROOF", "form", "page_of"]

JSON: Final = "application/json"
ANSWER: Final = "application/ans-answer+jwt"
PROOF: Final = "text/plain"
GIVEN_SECONDS: Final = 45
"""How much of its minute an answer is given for: whoever gets it last has a while left."""
_NEGATIVE: Final = {403: "ans-suspended", 404: "ans-not-found", 410: "ans-gone"}


@lru_cache(256)
def form(accept: str, *, exact: bool) -> str:
    """The form of an answer that a caller wants.

    Args:
        accept: the header.
        exact: whether one name is asked for.

    Raises:
        Malformed: ``not-acceptable``.
    """
    media = choose(accept, (JSON, ANSWER, PROOF))
    if media is None or (media == PROOF and not exact):
        raise error("not-acceptable", f"there is {JSON}, {ANSWER}, and of one name {PROOF}")
    return media


def page_of(
    registry: Registry, answer: JsonObject, status: int, media: str, name: str | None, size: int
) -> Page:
    """An answer as it leaves.

    Args:
        media: its `form`.
        name: the key of the one name it is about, if any.
        size: of the log, as `Pages.follow` said before it was made.
    """
    body, media = _body(registry, answer, status, media)
    token = answer["freshness"]
    until, made = instant(token["validUntil"]), instant(token["time"])
    end = min(until, made + GIVEN_SECONDS)
    return Page(body, media, etag_of(body), status, name, made, end, until, size)


def _body(registry: Registry, answer: JsonObject, status: int, media: str) -> tuple[bytes, str]:
    """An answer in the form that was asked for, and what that form is called."""
    if media == ANSWER:
        return registry.token(answer).encode(), media
    receipt = _receipt(answer) if media == PROOF else None
    if receipt is not None:
        return _proof(receipt), "text/plain; charset=utf-8"
    if status != 200:  # a problem, with the signed answer inside
        told = error(_NEGATIVE[status], f"{answer['freshness']['status']}")
        return canonical(told.problem() | {"answer": answer}), PROBLEM
    return canonical(answer, floats=_floats(answer)), JSON


def _floats(answer: JsonObject) -> bool:
    """Whether an answer may hold one: that can stand nowhere but in what is left to protocols."""
    return any(agent["protocolExtensions"] for agent in answer["resolvedAgents"])


def _receipt(answer: JsonObject) -> JsonObject | None:
    """The receipt an answer about one name comes with: of its record, or of its last event."""
    found = answer.get("resolvedAgents") or [answer.get("last") or answer]
    receipt: JsonObject | None = found[0].get("receipt")
    return receipt


def _proof(receipt: JsonObject) -> bytes:
    """A receipt as C2SP tlog-proof; its extra data is the entry itself."""
    hashes = [b64decode(one) for one in receipt["proof"]]
    leaf = canonical(receipt["leaf"])
    return export(receipt["index"], hashes, receipt["checkpoint"], leaf).encode()
