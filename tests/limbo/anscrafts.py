"""Edits of answers that several groups of cases make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from limbo.ansdraft import Bend, Draft


def token(**changes: Any) -> Bend:
    """The registry says this instead, and signs it."""

    def bend(d: Draft) -> None:
        for name, value in changes.items():
            made = value(d) if callable(value) else value
            d.token.pop(name) if made is None else d.token.update({name: made})
        d.sign()

    return bend


def entry(**changes: Any) -> Bend:
    """The registry says this of the first name instead, and signs it."""

    def bend(d: Draft) -> None:
        for name, value in changes.items():
            made = value(d) if callable(value) else value
            one = d.token["entries"][0]
            one.pop(name) if made is None else one.update({name: made})
        d.sign()

    return bend


def unsigned(**changes: Any) -> Bend:
    """Somebody changed the token, and could not sign it."""
    return lambda d: d.token.update(changes)


def shown(**changes: Any) -> Bend:
    """Something else is shown of the agent."""
    return lambda d: d.agent.update(changes)


def answered(**changes: Any) -> Bend:
    """Another member of the answer."""

    def bend(d: Draft) -> None:
        for name, value in changes.items():
            made = value(d) if callable(value) else value
            d.answer.pop(name) if made is None else d.answer.update({name: made})

    return bend


def then(*bends: Bend) -> Bend:
    """One edit after the other."""

    def bend(d: Draft) -> None:
        for one in bends:
            one(d)

    return bend


def data(make: Callable[[Draft], bytes]) -> Bend:
    """Other bytes."""
    return lambda d: setattr(d, "data", make(d))
