"""Rows of limbo cases: a constructor for each of the four answers, and the names of a group.

Inside a group file ids are short; `group` puts the namespace before them and before their twins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from limbo.forge import Alter, Case, nothing

TABLE = Iterable[Case]
"""Cases one by one, or a table of them."""


def accepted(name: str, description: str, alter: Alter = nothing, **more: Any) -> Case:
    """A case that must pass."""
    return Case(name, description, alter, **more)


def rejected(
    name: str, description: str, alter: Alter, code: str, link: int | None = None, **more: Any
) -> Case:
    """A case whose answer is no."""
    return Case(name, description, alter, "rejected", code, link, **more)


def undecided(
    name: str, description: str, alter: Alter, code: str, link: int | None = None, **more: Any
) -> Case:
    """A case where something needed is absent, stale or unknown."""
    return Case(name, description, alter, "undecided", code, link, **more)


def malformed(
    name: str, description: str, alter: Alter, code: str, link: int | None = None, **more: Any
) -> Case:
    """A case that is no document of ours."""
    return Case(name, description, alter, "malformed", code, link, **more)


def group(namespace: str, *tables: TABLE, spec: str, importance: str = "") -> list[Case]:
    """The cases of a namespace, in order.

    Args:
        namespace: put before every id and twin, for example ``attenuation::action``.
        spec: where the rule stands, for the cases that do not say it themselves.
        importance: in place of the usual ``high``, for the cases that do not say it themselves.
    """
    out: list[Case] = []
    for case in (case for table in tables for case in table):
        usual = case.importance == "high" and importance
        out.append(
            replace(
                case,
                id=f"{namespace}::{case.id}",
                twin=None if case.twin is None else f"{namespace}::{case.twin}",
                spec=case.spec or spec,
                importance=importance if usual else case.importance,
            )
        )
    return out
