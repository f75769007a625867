"""Answers over HTTP: JSON, and what caches need to know (RFC 9110, 8.8 and 13; RFC 9111)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response

from delegant.credentials.errors import error

__all__ = [
    "IMMUTABLE",
    "PROBLEM",
    "cached",
    "etag_of",
    "json_reply",
    "pairs",
    "parameters",
    "reading",
    "whole",
]

PROBLEM: Final = "application/problem+json"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""Of what never changes under its name: kept for a year, and not asked for again."""
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
MAX_TAGS: Final = 4096
MAX_PARAMETERS: Final = 64
_TAG: Final = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')


def json_reply(
    value: Any, status: int = 200, media: str = "application/json", headers: Any = None
) -> Response:
    """A value as JSON."""
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, media_type=media)


def cached(
    http: Request,
    body: bytes,
    media: str,
    control: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    etag: str | None = None,
) -> Response:
    """A body with a strong ``ETag`` of its bytes; 304 for who has it already.

    Args:
        control: ``Cache-Control``.
        etag: `etag_of` the body, where that is known.
    """
    etag = etag_of(body) if etag is None else etag
    told = {"cache-control": control, "etag": etag, **(headers or {})}
    if status == 200 and _has(http, etag):
        return Response(status_code=304, headers=told)
    return Response(body, status, told, media_type=media)


def etag_of(body: bytes) -> str:
    """A strong entity tag of a body."""
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()}"'


def _has(http: Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names the tag, or anything; compared weakly, as it must be."""
    given = ",".join(http.headers.getlist("if-none-match"))[:MAX_TAGS]
    return given.strip() == "*" or etag in _TAG.findall(given)


def reading(app: FastAPI, path: str) -> Callable[[Any], Any]:
    """A route for GET, and for HEAD, which is the same without the body."""

    def register(function: Any) -> Any:
        app.get(path)(function)
        app.head(path, include_in_schema=False)(function)
        return function

    return register


def pairs(http: Request) -> list[tuple[str, str]]:
    """What stands after the question mark, in order.

    Raises:
        Malformed: ``shape`` for what is no form in UTF-8, or has too many members.
    """
    query = http.scope["query_string"].decode("latin-1")
    try:
        return parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )  # fmt: skip
    except ValueError:  # UnicodeDecodeError is one too
        raise error("shape", "what stands after ? is no form in UTF-8") from None


def parameters(http: Request, known: Collection[str]) -> dict[str, str]:
    """The same as members, each at most once and none unknown.

    Raises:
        Malformed: ``shape``.
    """
    found = pairs(http)
    asked = dict(found)
    if len(asked) != len(found) or not asked.keys() <= set(known):
        raise error("shape", f"each once, and no other than: {', '.join(sorted(known))}")
    return asked


def whole(text: str, least: int = 0) -> int:
    """A whole number in its one spelling; or ``shape``."""
    if not _NUMBER.fullmatch(text) or int(text) < least:
        raise error("shape", f"{text[:32]!r} is no whole number from {least} on")
    return int(text)
