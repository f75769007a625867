"""Build the data about the naming service: rows of ``ansgroups/`` to ``ans/<namespace>.json``.

As `build`: the same rows give the same bytes, and what cases share stands once.

    cd tests && python -m limbo.ansbuild            # write all
    cd tests && python -m limbo.ansbuild --check    # fail where the data are not what rows give
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from delegant.credentials import CODES
from limbo import build
from limbo.ansrows import Row
from limbo.shared import Blobs

CASES = Path(__file__).resolve().parent / "ans"


def collect() -> dict[str, list[Row]]:
    """Every row by namespace, in the order of the files and of the rows in them."""
    return build.collect("ansgroups")


def faults(groups: dict[str, list[Row]]) -> list[str]:
    """What is wrong with the rows as rows, whatever anybody says of them."""
    every = [row for rows in groups.values() for row in rows]
    by_id = {row.id: row for row in every}
    out = [f"{row.id}: stands twice" for row in every if by_id[row.id] is not row]
    for row in every:
        twin = by_id.get(row.twin or "")
        wrong = {
            "its id is not namespace::group::name": not build.ID.fullmatch(row.id),
            "its description is no sentence": not row.description.endswith("."),
            "an unknown importance": row.importance not in build.IMPORTANCE,
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
            question["trust"] = build.named(question["trust"], trusts)
        lines.append(build.line(_case(row, question)))
    head = {"version": 1, "asks": "naming", "namespace": namespace}
    return build.file_of(head, blobs, trusts, lines)


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


def main(arguments: list[str]) -> None:
    """Write the files, or with ``--check`` fail if one differs."""
    groups = collect()
    if wrong := faults(groups):
        sys.exit("\n".join(wrong))
    files = {f"{name}.json": written(name, rows) for name, rows in sorted(groups.items())}
    size = build.put(CASES, files, set(groups), "limbo.ansbuild", check="--check" in arguments)
    total = sum(map(len, groups.values()))
    print(f"{total} cases about names in {len(files)} namespaces, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
