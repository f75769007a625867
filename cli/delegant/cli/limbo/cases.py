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
        blobs = _blobs(whole["blobs"])
        return [_case(item, blobs, whole["trusts"]) for item in whole["cases"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise error("shape", f"{path} is not a file of cases: {exc}") from None


def _blobs(written: dict[str, Any]) -> dict[str, bytes]:
    """Every byte string: base64, or pieces of base64, of another blob, or that repeat."""
    plain = {name: _decode(text) for name, text in written.items() if isinstance(text, str)}

    def piece(one: Any) -> bytes:
        if isinstance(one, str):
            return _decode(one)
        if len(one) == 3:
            name, start, end = one
            return plain[name][start:end]
        text, times = one
        return _decode(text) * int(times)

    return plain | {
        name: b"".join(map(piece, pieces)) for name, pieces in written.items() if name not in plain
    }


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _case(item: dict[str, Any], blobs: dict[str, bytes], trusts: dict[str, Any]) -> Case:
    expect = item["expect"]
    question = Question(
        blobs[item["presentation"]],
        blobs[item["evidence"]],
        trusts[item["trust"]],
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
