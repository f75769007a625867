"""Steps 6 and 7: DIDKit verifies the signature, and shows what it covers."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .model import Found

__all__ = ["MAX_CLAIMS", "confirm"]

MAX_CLAIMS: Final = 256
"""Values and types that are tried one by one in step 7."""
_BESIDES: Final = ("@context", "proof", "id", "issuanceDate", "expirationDate")
"""Members that step 7 leaves alone: V1 defines them, and they are held to their form."""


def confirm(didkit: Any, found: Found) -> None:
    """Have the signature verified and, with linked data, all that it must cover.

    A type that no context defines, or a reference that is no URI, is dropped before anything
    is signed. So every value and type is changed in turn: where the signature still fits, it
    says nothing about that value.

    Raises:
        Rejected: ``proof``. Malformed: ``undefined-term``. LimitExceeded: ``limit-items``.
    """
    others: list[tuple[str, str]] = []
    if found.form != "jwt":
        places = [*_places(found.document)]
        if len(places) > MAX_CLAIMS:
            raise error("limit-items", f"{len(places)} claims, {MAX_CLAIMS} are allowed")
        others = [(".".join(map(str, p)), _altered(found.document, p)) for p in places]
    refusal, *further = _ask(didkit, [found.text, *(text for _, text in others)], found.form)
    if refusal:
        raise error("proof", f"DIDKit: {refusal[:200]}")
    for (where, _), noticed in zip(others, further, strict=True):
        if not noticed:
            raise error("undefined-term", f"{where[:120]} is no part of what is signed")


def _ask(didkit: Any, texts: list[str], form: str) -> list[str]:
    """Why each is refused; empty where it is not.

    In a thread of its own, for the caller may have a running event loop.
    """
    jwt = form == "jwt"
    options = json.dumps({"proofFormat": "jwt"} if jwt else {})
    good = {"checks": ["JWS" if jwt else "proof"], "warnings": [], "errors": []}

    async def ask(text: str) -> JsonObject:
        answer: JsonObject = json.loads(await didkit.verify_credential(text, options))
        return answer

    async def ask_all() -> list[JsonObject | BaseException]:
        return await asyncio.gather(*map(ask, texts), return_exceptions=True)

    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(lambda: asyncio.run(ask_all())).result()
    return ["" if answer == good else _said(answer) for answer in answers]


def _said(answer: JsonObject | BaseException) -> str:
    if isinstance(answer, BaseException):
        return str(answer) or type(answer).__name__
    said = [*answer.get("errors", ()), *answer.get("warnings", ())]
    return "; ".join(map(str, said)) or "nothing was verified"


def _places(document: JsonObject) -> Iterator[tuple[str | int, ...]]:
    """Every value and type, as the path to it."""
    for name, value in document.items():
        if name == "issuer" and type(value) is dict:
            yield from _leaves({n: v for n, v in value.items() if n != "id"}, (name,))
        elif name not in _BESIDES and name != "issuer":
            yield from _leaves(value, (name,))


def _leaves(value: Json, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if type(value) is dict:
        for name, item in value.items():
            yield from _leaves(item, (*place, name))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _leaves(item, (*place, index))
    elif value != "VerifiableCredential":
        yield place


def _altered(document: JsonObject, place: tuple[str | int, ...]) -> str:
    other = copy.deepcopy(document)
    target: Any = other
    for step in place[:-1]:
        target = target[step]
    value = target[place[-1]]
    if type(value) is bool:
        target[place[-1]] = not value
    else:
        target[place[-1]] = value + "x" if type(value) is str else value + 1
    return json.dumps(other)
