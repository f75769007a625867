"""Rows of cases about the naming service: a question, and the code it is refused with, if any."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from delegant.credentials import canonical
from delegant.credentials.codec import JsonObject
from limbo.ansdraft import NAME, Bend, Draft, Town, town

Asked = tuple[JsonObject, dict[str, bytes]]
"""A question, and its byte strings by member."""


@dataclass(frozen=True)
class Row:
    """One question with its verdict: ``code`` None is accepted.

    ``twin`` of a refusal is the nearest accepted case; ``features`` what one must support to be
    asked: ``jws``, ``memory``.
    """

    id: str
    description: str
    ask: Callable[[], Asked]
    code: str | None = None
    twin: str | None = None
    importance: str = ""
    features: tuple[str, ...] = ()
    spec: str = ""
    origin: str = ""


def text(
    id_: str,
    text_: str,
    description: str,
    twin: str | None = None,
    *,
    ask: str = "name",
    **more: Any,
) -> Row:
    """Is this text a name (or an alias)? With a twin, it is not."""
    code = None if twin is None else "ans-name"
    return Row(id_, description, lambda: ({"ask": ask, "text": text_}, {}), code, twin, **more)


def pair(
    id_: str, one: str, other: str, description: str, code: str | None = None, **more: Any
) -> Row:
    """May two organisations hold these names?"""
    return Row(
        id_, description, lambda: ({"ask": "names", "texts": [one, other]}, {}), code, **more
    )


def answer(
    id_: str,
    description: str,
    bend: Bend = lambda _: None,
    code: str | None = None,
    *names: str,
    query: JsonObject | None = None,
    given: dict[str, Any] | None = None,
    **more: Any,
) -> Row:
    """May one act on this answer? An honest one about ``names``, bent."""

    def ask() -> Asked:
        draft = Draft(*(names or (NAME,)), query=query, **(given or {}))
        bend(draft)
        return draft.question

    return Row(id_, description, ask, code, **more)


def receipt(
    id_: str,
    description: str,
    make: Callable[[Town], JsonObject | bytes],
    code: str | None = None,
    **more: Any,
) -> Row:
    """Does this receipt prove its entry?"""

    def ask() -> Asked:
        own = town()
        made = make(own)
        data = made if isinstance(made, bytes) else canonical(made)
        return {"ask": "receipt", "data": None, "trust": own.trust}, {"data": data}

    return Row(id_, description, ask, code, **more)


def group(
    namespace: str,
    *rows: Row | Iterable[Row],
    spec: str,
    twin: str = "",
    importance: str = "high",
    features: tuple[str, ...] = (),
    origin: str = "",
) -> list[Row]:
    """Rows of a namespace: its name before every id and twin; a refusal without a twin has this."""
    out: list[Row] = []
    for row in (one for some in rows for one in ([some] if isinstance(some, Row) else some)):
        near = row.twin or (twin if row.code else None)
        if near is not None and "::" not in near:
            near = f"{namespace}::{near}"
        out.append(
            replace(
                row,
                id=f"{namespace}::{row.id}",
                twin=near,
                spec=row.spec or spec,
                importance=row.importance or importance,
                features=row.features or features,
                origin=row.origin or origin,
            )
        )
    return out


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")
