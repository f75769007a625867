"""Build the data: every row of ``groups/`` forged, written to ``cases/<namespace>.json``.

The same rows give the same bytes: keys and nonces follow from names, Ed25519 is deterministic.
A byte string stands once in the ``blobs`` of its file, under the beginning of its SHA-256;
where a long one repeats itself it is written as pieces ``[base64, times]``.

    cd tests && python -m limbo.build            # write
    cd tests && python -m limbo.build --check    # fail where the data are not what the rows give
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from delegant.credentials import CODES
from limbo.forge import Case, encoded, forge

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
MOST_MS = 50
"""What one answer may take, in milliseconds, on the machine at hand."""
_STATES = ("accepted", "rejected", "undecided", "malformed")
_IMPORTANCE = ("critical", "high", "medium", "low")
_ID = re.compile(r"[a-z][a-z0-9-]*(?:::[a-z0-9][a-z0-9.-]*){1,2}", re.ASCII)
_RUN = re.compile(rb"(.{1,64}?)\1{255,}", re.DOTALL)
_REPEATS = 32_768
"""Byte strings longer than this are searched for repetition."""


def collect() -> dict[str, list[Case]]:
    """Every row by namespace, in the order of the files and of the rows in them."""
    found: dict[str, list[Case]] = {}
    for path in sorted((HERE / "groups").glob("*.py")):
        if path.stem == "__init__":
            continue
        for case in importlib.import_module(f"limbo.groups.{path.stem}").CASES:
            namespace = case.id.split("::")[0]
            assert path.stem == namespace or path.stem.startswith(f"{namespace}_"), case.id
            found.setdefault(namespace, []).append(case)
    return found


def faults(groups: dict[str, list[Case]]) -> list[str]:
    """What is wrong with the rows as rows, whatever a verifier says of them."""
    every = [case for cases in groups.values() for case in cases]
    by_id = {case.id: case for case in every}
    out = [f"{case.id}: stands twice" for case in every if by_id[case.id] is not case]
    for case in every:
        twin = by_id.get(case.twin or "")
        wrong = {
            "its id is not namespace::group::name": not _ID.fullmatch(case.id),
            "no description": len(case.description) < 12,
            "an unknown state": case.state not in _STATES,
            "an unknown importance": case.importance not in _IMPORTANCE,
        }
        if case.state == "accepted":
            wrong["accepted, and names a code"] = (case.code, case.link) != (None, None)
        else:
            code = CODES.get(case.code or "")
            wrong["its code is not in the table"] = code is None
            wrong["its code belongs to another state"] = (
                code is not None and code.cls.state != case.state
            )
            wrong["its twin does not exist"] = twin is None
            wrong["its twin is no accepted case"] = twin is not None and twin.state != "accepted"
        out += [f"{case.id}: {fault}" for fault, holds in wrong.items() if holds]
    return out


def blob(data: bytes) -> str | list[list[Any]]:
    """A byte string as the files have it: base64, or pieces of it with how often they stand."""
    if len(data) <= _REPEATS:
        return encoded(data)
    pieces: list[list[Any]] = []
    end = 0
    for run in _RUN.finditer(data):
        if run.start() > end:
            pieces.append([encoded(data[end : run.start()]), 1])
        pieces.append([encoded(run[1]), len(run[0]) // len(run[1])])
        end = run.end()
    if not pieces:
        return encoded(data)
    if end < len(data):
        pieces.append([encoded(data[end:]), 1])
    return pieces


def written(namespace: str, cases: list[Case]) -> str:
    """The file of one namespace: its blobs, then its cases, one a line."""
    blobs: dict[str, Any] = {}
    lines: list[str] = []
    for case in cases:
        made = forge(case)
        for group in ("presentation", "evidence"):
            data = made[group]
            name = hashlib.sha256(data).hexdigest()[:16]
            if name not in blobs:
                blobs[name] = blob(data)
            made[group] = name
        lines.append(_line(_finished(made)))
    head = f'{{"version": 1,\n "namespace": {json.dumps(namespace)},\n "blobs": {{\n'
    shared = ",\n".join(f"{json.dumps(name)}: {_line(blobs[name])}" for name in sorted(blobs))
    rows = ",\n".join(lines)
    return f'{head}{shared}\n }},\n "cases": [\n{rows}\n ]}}\n'


def _finished(made: dict[str, Any]) -> dict[str, Any]:
    """The case with its limits apart from its trust, and its ceilings of cost."""
    trust = copy.deepcopy(made["trust"])
    limits = trust.get("verifier", {}).pop("limits", {})
    out: dict[str, Any] = {}
    for name, value in made.items():
        out[name] = trust if name == "trust" else value
        if name == "trust":
            out["limits"] = limits
    out["expect"] = made["expect"] | {"maxMs": MOST_MS}
    return out


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main() -> None:
    """Write the files, or with ``--check`` fail if one differs."""
    groups = collect()
    if wrong := faults(groups):
        sys.exit("\n".join(wrong))
    files = {f"{name}.json": written(name, cases) for name, cases in sorted(groups.items())}
    if "--check" in sys.argv[1:]:
        there = {path.name: path.read_text() for path in CASES.glob("*.json")}
        if differ := sorted(k for k in files.keys() | there.keys() if files.get(k) != there.get(k)):
            sys.exit(f"not what the rows give: {', '.join(differ)}; run python -m limbo.build")
    else:
        CASES.mkdir(exist_ok=True)
        for path in CASES.glob("*.json"):
            if path.name not in files:
                path.unlink()
        for name, text in files.items():
            (CASES / name).write_text(text)
    total = sum(map(len, groups.values()))
    size = sum(map(len, files.values()))
    print(f"{total} cases in {len(files)} namespaces, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
