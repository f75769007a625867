"""The case files as objects: ``<namespace>.json`` as `tests/limbo/build.py` writes them.

Files of chains hold `Case`; those of the naming service, which say ``"asks": "naming"``, hold
`naming.NamingCase` (`tests/limbo/ansbuild.py`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from delegant.credentials.errors import error

from .naming import NamingCase, NamingQuestion
from .protocol import Question

__all__ = ["AnyCase", "Case", "load", "load_any", "load_naming", "read", "xfails"]


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


AnyCase = Case | NamingCase
C = TypeVar("C", bound=AnyCase)


def load(folder: Path, namespaces: Collection[str] = ()) -> list[Case]:
    """Every case of a folder, or of some namespaces, in the order of files and lines.

    A refusal's twin comes along even where its namespace was not asked for.

    Raises:
        NotFound: there are no such cases here. Malformed: a file that is none of ours.
    """
    return _chosen(folder, namespaces, read)


def load_naming(folder: Path, namespaces: Collection[str] = ()) -> list[NamingCase]:
    """The same of a folder of cases about the naming service."""
    return _chosen(folder, namespaces, _read_naming)


def load_any(folder: Path, namespaces: Collection[str] = ()) -> list[AnyCase]:
    """The same of a folder of whatever cases."""
    return _chosen(folder, namespaces, _read_any)


def _chosen(
    folder: Path, namespaces: Collection[str], reader: Callable[[Path], list[C]]
) -> list[C]:
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise error(
            "not-found",
            f"no case files in {folder}; they are not part of the installed package: "
            "get a checkout of delegant and point --cases at its tests/limbo/cases",
        )
    every = [case for path in files for case in reader(path)]
    if not namespaces:
        return every
    chosen = [case for case in every if case.namespace in namespaces]
    if missing := set(namespaces) - {case.namespace for case in chosen}:
        raise error("not-found", f"no cases of {', '.join(sorted(missing))} in {folder}")
    needed = {case.twin for case in chosen}
    return [case for case in every if case.namespace in namespaces or case.id in needed]


def read(path: Path) -> list[Case]:
    """The cases of one file of chains.

    Raises:
        Malformed: ``shape`` where it is not a case file.
    """
    try:
        whole = _whole(path)
        blobs = _blobs(whole["blobs"])
        return [_case(item, blobs, whole["trusts"]) for item in whole["cases"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise error("shape", f"{path} is not a file of cases: {exc}") from None


def _read_naming(path: Path) -> list[NamingCase]:
    try:
        whole = _whole(path)
        if whole["asks"] != "naming":
            raise error("shape", f"{path} does not ask about names")
        blobs = _blobs(whole["blobs"])
        return [_naming_case(item, blobs, whole["trusts"]) for item in whole["cases"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise error("shape", f"{path} is not a file of cases: {exc}") from None


def _read_any(path: Path) -> list[AnyCase]:
    try:
        named = "asks" in _whole(path)
    except (ValueError, KeyError, TypeError) as exc:
        raise error("shape", f"{path} is not a file of cases: {exc}") from None
    return [*_read_naming(path)] if named else [*read(path)]


def _whole(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(path.read_bytes())
    if whole["version"] != 1:
        raise error("unknown-version", f"{path} is not of version 1")
    return whole


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


def _naming_case(
    item: dict[str, Any], blobs: dict[str, bytes], trusts: dict[str, Any]
) -> NamingCase:
    asked = dict(item["question"])
    for member in ("data", "history"):
        if asked.get(member) is not None:
            asked[member] = base64.b64encode(blobs[asked[member]]).decode("ascii")
    if "trust" in asked:
        asked["trust"] = trusts[asked["trust"]]
    return NamingCase(
        item["id"],
        item["description"],
        item["importance"],
        frozenset(item["features"]),
        item["twin"],
        NamingQuestion(asked),
        item["expect"]["state"],
        item["expect"]["code"],
    )


def xfails(path: Path) -> frozenset[str]:
    """The case ids of an ``.xfails`` file: one a line, the reason after ``#``."""
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(line for line in lines if line)
