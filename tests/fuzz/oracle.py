"""What every target holds: only refusals of the table leave, and the same bytes say the same.

A `Finding` is a broken promise. It is an `AssertionError`, so that pytest, a replay and the
fuzzer all show it alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

from delegant.credentials import CODES, Error

__all__ = ["STATES", "Finding", "check_error", "equal", "expect", "has_float", "result", "settled"]

T = TypeVar("T")

STATES: Final = ("accepted", "rejected", "undecided", "malformed")


class Finding(AssertionError):
    """Something the program promises did not hold."""


def expect(holds: object, promise: str, *shown: object) -> None:
    """A `Finding` unless ``holds``; ``shown`` is what a person needs to see."""
    if not holds:
        raise Finding(" | ".join([promise, *(repr(one)[:400] for one in shown)]))


def check_error(exc: Error) -> None:
    """A refusal has a code of the table, its class, and a problem document that can be sent."""
    row = CODES.get(exc.code)
    expect(row is not None, "a refusal outside the table", exc.code, exc.detail)
    assert row is not None
    expect(type(exc) is row.cls, "a refusal of another class than its row", exc.code, type(exc))
    expect(exc.state in STATES[1:], "a refusal is one of three states", exc.state)
    expect(exc.link is None or exc.link >= 0, "a link counts from 0", exc.link)
    problem = exc.problem()
    expect(problem["status"] == row.http, "the HTTP status is the row's", problem)
    try:
        json.dumps(problem, ensure_ascii=False).encode()
    except (UnicodeEncodeError, TypeError) as bad:
        raise Finding(f"a problem document that cannot be sent: {bad}: {problem!r}") from None


def result(call: Callable[[], T]) -> T | Error:
    """What the call returns, or its refusal; anything else it raises goes through."""
    try:
        return call()
    except Error as exc:
        check_error(exc)
        return exc


def settled(call: Callable[[], T]) -> T | Error:
    """`result`, twice: the second answer must be the first."""
    first, second = result(call), result(call)
    if isinstance(first, Error) or isinstance(second, Error):
        expect(_said(first) == _said(second), "asked twice, answered differently", first, second)
    return first


def _said(outcome: object) -> object:
    if isinstance(outcome, Error):
        return (outcome.code, outcome.link, outcome.dimension, outcome.detail)
    return None


def equal(a: Any, b: Any) -> bool:
    """Whether two JSON values are one: ``1`` is ``1.0`` as in RFC 8785, and not ``true``."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def has_float(value: Any) -> bool:
    """Whether a float stands anywhere in a JSON value."""
    if isinstance(value, dict | list):
        return any(map(has_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float)
