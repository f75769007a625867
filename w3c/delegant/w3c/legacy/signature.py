"""Steps 6 and 7: DIDKit verifies the signature, and shows what it covers."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .model import Found

__all__ = ["MAX_CLAIMS", "confirm"]

MAX_CLAIMS: Final = 256
"""Values and types that are tried one by one in step 7."""
PATIENCE: Final = 60
"""Seconds DIDKit may take for one credential and its changed copies."""
_BESIDES: Final = ("@context", "proof", "id", "issuanceDate", "expirationDate")
"""Members that step 7 leaves alone: V1 defines them, and they are held to their form."""


def confirm(found: Found) -> None:
    """Have the signature verified and, with linked data, all that it must cover.

    A type that no context defines, or a reference that is no URI, is dropped before anything
    is signed. So every value and type is changed in turn: where the signature still fits, it
    says nothing about that value.

    Raises:
        Rejected: ``proof``. Malformed: ``undefined-term``. LimitExceeded: ``limit-items``.
        Unavailable: ``unavailable`` when DIDKit does not answer.
    """
    others: list[tuple[str, str]] = []
    if found.form != "jwt":
        places = [*_places(found.document)]
        if len(places) > MAX_CLAIMS:
            raise error("limit-items", f"{len(places)} claims, {MAX_CLAIMS} are allowed")
        others = [(".".join(map(str, p)), _altered(found.document, p)) for p in places]
    refusal, *further = _ask([found.text, *(text for _, text in others)], found.form)
    if refusal:
        raise error("proof", f"DIDKit: {refusal[:200]}")
    for (where, _), noticed in zip(others, further, strict=True):
        if not noticed:
            raise error("undefined-term", f"{where[:120]} is no part of what is signed")


def _ask(texts: list[str], form: str) -> list[str]:
    """Why each is refused; empty where it is not.

    In a process of its own (`asked`): DIDKit's threads may outlive an interpreter that ends,
    and whatever becomes of it there, here it is a refusal.
    """
    options = {"proofFormat": "jwt"} if form == "jwt" else {}
    checks = ["JWS" if form == "jwt" else "proof"]
    good: JsonObject = {"checks": checks, "warnings": [], "errors": []}
    command = [sys.executable, "-I", str(Path(__file__).with_name("asked.py"))]
    job = json.dumps({"texts": texts, "options": json.dumps(options)}).encode()
    try:
        done = subprocess.run(  # noqa: S603 - our own program, in our own interpreter
            command, input=job, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise error("unavailable", f"DIDKit could not be asked: {type(exc).__name__}") from None
    if done.returncode:
        raise error("unavailable", f"DIDKit ended with status {done.returncode}")
    answers: list[JsonObject | str] = json.loads(done.stdout)
    return ["" if answer == good else _said(answer) for answer in answers]


def _said(answer: JsonObject | str) -> str:
    if isinstance(answer, str):
        return answer
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
