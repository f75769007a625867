"""Our own target: the library behind the protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from delegant.credentials import Error, Request, Trust, decide
from delegant.credentials.codec import parse_object
from delegant.credentials.errors import error
from delegant.credentials.shape import time

from . import naming
from .naming import NamingQuestion
from .protocol import GREETING, Answer, Question

__all__ = ["answer", "from_files", "from_question", "serve"]

MAX_FILE: Final = 16 * 1024 * 1024


def answer(question: Question) -> Answer:
    """The library's word on one case."""
    try:
        trust = Trust.from_json(trust_of(question))
        request = Request.from_json(question.request)
        at = time(question.at, "at")
    except Error as exc:
        return Answer(exc.state, exc.code, exc.link)
    verdict = decide(
        question.presentation, question.evidence, trust, request, at=at, nonce=question.nonce
    )
    return Answer(verdict.state, verdict.code, verdict.link)


def trust_of(question: Question) -> Any:
    """The trust folder, in the name of the audience and under the limits of the question."""
    if type(question.trust) is not dict:
        return question.trust
    own = dict(question.trust.get("verifier", {}))
    if question.audience is not None:
        own["id"] = question.audience
    if question.limits:
        own["limits"] = question.limits
    return {**question.trust, "verifier": own} if own else question.trust


def from_files(
    paths: dict[str, Path | None],
    audience: str | None,
    nonce: str | None,
    at: str | None,
    how: Callable[[Question], Answer] = answer,
) -> Answer:
    """The answer to a case in files; what none of them can be read as is malformed.

    Raises:
        Malformed: ``shape`` when a file or the instant was not named.
    """
    if missing := sorted(name for name, path in paths.items() if path is None):
        raise error("shape", f"--{missing[0]} is missing")
    if at is None:
        raise error("shape", "--at is missing")
    data = {name: path.read_bytes() for name, path in paths.items() if path is not None}
    try:
        read = {
            name: parse_object(data[name], size=MAX_FILE) for name in ("trust", "request", "limits")
        }
    except Error as exc:
        return Answer(exc.state, exc.code, exc.link)
    values = read["trust"], read["request"], read["limits"]
    parts = data["presentation"], data["evidence"]
    return how(Question(*parts, *values, audience, nonce, at))


def from_question(path: Path) -> Answer:
    """The answer to a case about names, in a file.

    Raises:
        Malformed: ``shape`` for what is no such question.
    """
    try:
        found = NamingQuestion.from_line(path.read_bytes())
    except ValueError as exc:
        raise error("shape", f"{path}: {exc}") from None
    if found is None:
        raise error("shape", f"{path} asks nothing about names")
    return naming.answer(found)


def serve(
    questions: IO[bytes], answers: IO[str], how: Callable[[Question], Answer] = answer
) -> None:
    """Greet, then answer a line with a line until there are no more.

    Args:
        how: answers a question about a chain.
    """
    print(json.dumps(GREETING), file=answers, flush=True)
    for line in questions:
        named = NamingQuestion.from_line(line)
        said = naming.answer(named) if named is not None else how(Question.from_line(line))
        print(said.line, file=answers, flush=True)
