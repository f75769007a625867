"""Build the data about the naming service: rows of ``ansgroups/`` to ``ans/<namespace>.json``.

As `build`: the same rows give the same bytes, and what cases share stands once.

    cd tests && python -m limbo.ansbuild            # write all
    cd tests && python -m limbo.ansbuild --check    # fail where the data are not what rows give
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from delegant.credentials import CODES
from limbo.ansrows import Row
from limbo.shared import Blobs

HERE = Path(__file__).resolve().parent
CASES = HERE / "ans"
_IMPORTANCE = ("critical", "high", "medium", "low")
_ID = re.compile(r"[a-z][a-z0-9-]*(?:::[a-z0-9][a-z0-9.-]*){1,2}", re.ASCII)  # as the schema


def collect() -> dict[str, list[Row]]:
    """Every row by namespace, in the order of the files and of the rows in them."""
    found: dict[str, list[Row]] = {}
    for path in sorted((HERE / "ansgroups").glob("*.py")):
        for row in importlib.import_module(f"limbo.ansgroups.{path.stem}").CASES:
            namespace = row.id.split("::")[0]
            assert path.stem == namespace or path.stem.startswith(f"{namespace}_"), row.id
            found.setdefault(namespace, []).append(row)
    return found


def faults(groups: dict[str, list[Row]]) -> list[str]:
    """What is wrong with the rows as rows, whatever anybody says of them."""
    every = [row for rows in groups.values() for row in rows]
    by_id = {row.id: row for row in every}
    out = [f"{row.id}: stands twice" for row in every if by_id[row.id] is not row]
    for row in every:
        twin = by_id.get(row.twin or "")
        wrong = {
            "its id is not namespace::group::name": not _ID.fullmatch(row.id),
            "its description is no sentence": not row.description.endswith("."),
            "an unknown importance": row.importance not in _IMPORTANCE,
            "accepted, and has a twin": row.code is None and row.twin is not None,
            "its code is not in the table": row.code is not None and row.code not in CODES,
            "its twin does not exist": row.code is not None and twin is None,
            "its twin is no accepted case": twin is not None and twin.code is not None,
        }
        out += [f"{row.id}: {fault}" for fault, holds in wrong.items() if holds]
    return out


def written(namespace: str, rows: list[Row]) -> str:
    """The file of one namespace: its blobs and trust folders, then its cases, one a line."""
    blobs = Blobs()
    trusts: dict[str, Any] = {}
    lines: list[str] = []
    for row in rows:
        try:
            question, parts = row.ask()
        except Exception as exc:
            exc.add_note(row.id)
            raise
        question |= {member: blobs.put(data) for member, data in parts.items()}
        if "trust" in question:
            name = hashlib.sha256(_line(question["trust"]).encode()).hexdigest()[:16]
            trusts[name] = question["trust"]
            question["trust"] = name
        lines.append(_line(_case(row, question)))
    return "\n".join(
        [
            f'{{"version":1,"asks":"naming","namespace":{json.dumps(namespace)},"blobs":{{',
            _rows(blobs.written),
            '},"trusts":{',
            _rows(trusts),
            '},"cases":[',
            ",\n".join(lines),
            "]}\n",
        ]
    )


def _case(row: Row, question: dict[str, Any]) -> dict[str, Any]:
    state = "accepted" if row.code is None else CODES[row.code].cls.state
    return {
        "id": row.id,
        "description": row.description,
        "importance": row.importance,
        "features": sorted(row.features),
        "spec": row.spec,
        "origin": row.origin,
        "twin": row.twin,
        "question": question,
        "expect": {"state": state, "code": row.code},
    }


def _rows(shared: dict[str, Any]) -> str:
    return ",\n".join(f"{_line(name)}:{_line(value)}" for name, value in shared.items())


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main(arguments: list[str]) -> None:
    """Write the files, or with ``--check`` fail if one differs."""
    groups = collect()
    if wrong := faults(groups):
        sys.exit("\n".join(wrong))
    files = {f"{name}.json": written(name, rows) for name, rows in sorted(groups.items())}
    there = {path.name: path for path in CASES.glob("*.json")}
    stale = there.keys() - files.keys()
    if "--check" in arguments:
        read = {name: path.read_text() for name, path in there.items()}
        if differ := {name for name in files if read.get(name) != files[name]} | stale:
            sys.exit(f"not what the rows give: {', '.join(sorted(differ))}; "
                     "run python -m limbo.ansbuild in tests")  # fmt: skip
    else:
        CASES.mkdir(exist_ok=True)
        for name in stale:
            there[name].unlink()
        for name, body in files.items():
            (CASES / name).write_text(body)
    size = sum(map(len, files.values()))
    total = sum(map(len, groups.values()))
    print(f"{total} cases about names in {len(files)} namespaces, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
