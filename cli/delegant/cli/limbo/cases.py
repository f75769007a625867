"""The case files as objects: ``<namespace>.json`` as `tests/limbo/build.py` writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delegant.credentials.errors import error

from .protocol import Question

__all__ = ["Case", "load", "read", "xfails"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question and the one right answer.

    ``most_signatures`` is None where the limits of the question are all that bounds them;
    ``most_ms`` None where nothing bounds the time.
    """

    id: str
    description: str
    importance: str
    features: frozenset[str]
    twin: str | None
    question: Question
    state: str
    code: str | None
    link: int | None
    most_signatures: int | None
    most_ms: int | None

    @property
    def namespace(self) -> str:
        """What stands before the first ``::``."""
        return self.id.split("::")[0]


def load(folder: Path, namespaces: Collection[str] = ()) -> list[Case]:
    """Every case of a folder, or of some namespaces, in the order of files and lines.

    A refusal's twin comes along even where its namespace was not asked for.

    Raises:
        NotFound: there are no such cases here. Malformed: a file that is none of ours.
    """
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise error(
            "not-found",
            f"no case files in {folder}; they are not part of the installed package: "
            "get a checkout of delegant and point --cases at its tests/limbo/cases",
        )
    every = [case for path in files for case in read(path)]
    if not namespaces:
        return every
    chosen = [case for case in every if case.namespace in namespaces]
    if missing := set(namespaces) - {case.namespace for case in chosen}:
        raise error("not-found", f"no cases of {', '.join(sorted(missing))} in {folder}")
    needed = {case.twin for case in chosen}
    return [case for case in every if case.namespace in namespaces or case.id in needed]


def read(path: Path) -> list[Case]:
    """The cases of one file.

    Raises:
        Malformed: ``shape`` where it is not a case file.
    """
    try:
        whole = json.loads(path.read_bytes())
        if whole["version"] != 1:
            raise error("unknown-version", f"{path} is not of version 1")
        blobs = {name: _bytes(value) for name, value in whole["blobs"].items()}
        return [_case(item, blobs) for item in whole["cases"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise error("shape", f"{path} is not a file of cases: {exc}") from None


def _bytes(value: Any) -> bytes:
    """A blob: base64, or pieces of it with how often each stands."""
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    return b"".join(base64.b64decode(part, validate=True) * times for part, times in value)


def _case(item: dict[str, Any], blobs: dict[str, bytes]) -> Case:
    expect = item["expect"]
    question = Question(
        blobs[item["presentation"]],
        blobs[item["evidence"]],
        item["trust"],
        item["request"],
        item["limits"],
        item["audience"],
        item["nonce"],
        item["at"],
    )
    return Case(
        item["id"],
        item["description"],
        item["importance"],
        frozenset(item["features"]),
        item["twin"],
        question,
        expect["state"],
        expect["code"],
        expect["link"],
        expect["maxSignatures"],
        expect["maxMs"],
    )


def xfails(path: Path) -> frozenset[str]:
    """The case ids of an ``.xfails`` file: one a line, the reason after ``#``."""
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(line for line in lines if line)
