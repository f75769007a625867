"""Build the data: every row of ``groups/`` forged, written to ``cases/<namespace>.json``.

The same rows give the same bytes: keys and nonces follow from names, Ed25519 is deterministic.
What cases share stands once in their file: byte strings in ``blobs`` (see `limbo.shared`), trust
folders in ``trusts``, each under the beginning of its SHA-256.

    cd tests && python -m limbo.build            # write all
    cd tests && python -m limbo.build wire key   # write two
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
from limbo.forge import Case, forge
from limbo.shared import Blobs

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
MOST_MS = 50
"""What one answer may take, in milliseconds, on the machine at hand."""
_STATES = ("accepted", "rejected", "undecided", "malformed")
IMPORTANCE = ("critical", "high", "medium", "low")
ID = re.compile(r"[a-z][a-z0-9-]*(?:::[a-z0-9][a-z0-9.-]*){1,2}", re.ASCII)  # as the schema


def collect(folder: str = "groups") -> dict[str, list[Any]]:
    """Every row by namespace, in the order of the files and of the rows in them."""
    found: dict[str, list[Any]] = {}
    for path in sorted((HERE / folder).glob("*.py")):
        if path.stem == "__init__":
            continue
        for case in importlib.import_module(f"limbo.{folder}.{path.stem}").CASES:
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
            "its id is not namespace::group::name": not ID.fullmatch(case.id),
            "its description is no sentence": not case.description.endswith("."),
            "an unknown state": case.state not in _STATES,
            "an unknown importance": case.importance not in IMPORTANCE,
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


def written(namespace: str, cases: list[Case]) -> str:
    """The file of one namespace: its blobs and trust folders, then its cases, one a line."""
    blobs = Blobs()
    trusts: dict[str, Any] = {}
    lines: list[str] = []
    for case in cases:
        try:
            made = _finished(forge(case))
        except Exception as exc:
            exc.add_note(case.id)
            raise
        for group in ("presentation", "evidence"):
            made[group] = blobs.put(made[group])
        made["trust"] = named(made["trust"], trusts)
        lines.append(line(made))
    return file_of({"version": 1, "namespace": namespace}, blobs, trusts, lines)


def named(trust: Any, trusts: dict[str, Any]) -> str:
    """The name under which a trust folder stands once in its file."""
    name = hashlib.sha256(line(trust).encode()).hexdigest()[:16]
    trusts[name] = trust
    return name


def file_of(head: dict[str, Any], blobs: Blobs, trusts: dict[str, Any], lines: list[str]) -> str:
    """A file: its head, what its cases share, and the cases, one a line."""
    return "\n".join(
        [
            f'{line(head)[:-1]},"blobs":{{',
            _rows(blobs.written),
            '},"trusts":{',
            _rows(trusts),
            '},"cases":[',
            ",\n".join(lines),
            "]}\n",
        ]
    )


def _rows(shared: dict[str, Any]) -> str:
    return ",\n".join(f"{line(name)}:{line(value)}" for name, value in shared.items())


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


def line(value: Any) -> str:
    """JSON without spaces, ASCII alone."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main(arguments: list[str]) -> None:
    """Write the files, or with ``--check`` fail if one differs; all, or those named."""
    groups = collect()
    if wrong := faults(groups):
        sys.exit("\n".join(wrong))
    only = [name for name in arguments if name != "--check"] or list(groups)
    files = {f"{name}.json": written(name, groups[name]) for name in sorted(only)}
    size = put(CASES, files, set(groups), "limbo.build", check="--check" in arguments)
    total = sum(len(groups[name]) for name in only)
    print(f"{total} cases in {len(files)} namespaces, {size / 1e6:.1f} MB")


def put(folder: Path, files: dict[str, str], known: set[str], module: str, *, check: bool) -> int:
    """Write files, or exit if one differs; those of no namespace go. How large they are."""
    there = {path.name: path for path in folder.glob("*.json")}
    stale = {name for name in there if name[:-5] not in known}
    if check:
        differ = {name for name, text in files.items() if _read(there.get(name)) != text} | stale
        if differ:
            sys.exit(f"not what the rows give: {', '.join(sorted(differ))}; "
                     f"run python -m {module} in tests")  # fmt: skip
    else:
        folder.mkdir(exist_ok=True)
        for name in stale:
            there[name].unlink()
        for name, text in files.items():
            (folder / name).write_text(text)
    return sum(map(len, files.values()))


def _read(path: Path | None) -> str | None:
    return None if path is None else path.read_text()


if __name__ == "__main__":
    main(sys.argv[1:])
