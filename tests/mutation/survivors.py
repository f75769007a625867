"""Survivors and why they may live: ``survivors.toml`` against the results of the last runs.

An entry names a place and changed lines (``was``), and says why none of these survivors matters;
``now`` narrows it to some changes, ``by`` to some operators. All four are patterns with ``*``;
``kind`` is one of `KINDS`.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mutation.core import CORE, ROOT
from mutation.cover import BUILD

__all__ = ["KINDS", "Entry", "entries", "tell"]

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = ROOT / "docs" / "mutation.md"
RECORD: Final = HERE / "results.json"
"""Counts of the last run of each file, and every survivor; the page is made of it."""

KINDS: Final = {
    "equivalent": "no input tells the two apart",
    "elsewhere": "another check refuses the same inputs with the same answer",
    "speed": "only another way to the same answer, or a cost",
    "constant": "a test names this very value; the runner cannot tell which test uses a constant",
    "told": "only what is told to people or in a repr",
    "builder": "only a guard of the issuing side, whose output is verified all the same",
}


@dataclass(frozen=True)
class Entry:
    """Why some survivors of one place may live."""

    place: str
    was: str
    kind: str
    why: str
    now: tuple[str, ...] = ("*",)
    by: tuple[str, ...] = ("*",)

    def covers(self, one: dict[str, Any]) -> bool:
        """Whether it speaks of this survivor."""
        return (
            _like(f"{one['file']}.{one['place']}", (self.place,))
            and _like(one["was"], (self.was,))
            and _like(one["now"], self.now)
            and _like(one["operator"], self.by)
        )


def _like(text: str, patterns: Sequence[str]) -> bool:
    """Whether it is one of the patterns; nothing but ``*`` means anything else than itself."""
    return any(
        re.fullmatch(".*".join(map(re.escape, one.split("*"))), text) is not None
        for one in patterns
    )


def entries() -> list[Entry]:
    """All entries of ``survivors.toml``."""
    written = tomllib.loads((HERE / "survivors.toml").read_text("utf-8"))
    return [
        Entry(
            one["place"],
            one.get("was", "*"),
            one["kind"],
            one["why"],
            tuple(one.get("now", ("*",))),
            tuple(one.get("by", ("*",))),
        )
        for one in written.get("survivor", [])
    ]


def record(files: Sequence[str]) -> dict[str, Any]:
    """The record on disk with the last runs of these files put into it."""
    known: dict[str, Any] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    for file in files:
        path = BUILD / f"{file}.json"
        if not path.exists():
            continue
        run = json.loads(path.read_text("utf-8"))
        counts = Counter(one["outcome"] for one in run["results"])
        lived = [
            {name: one[name] for name in ("file", "place", "line", "operator", "was", "now")}
            for one in run["results"]
            if one["outcome"] == "survived"
        ]
        taken = round(sum(one["seconds"] for one in run["results"]))
        known[file] = {"counts": dict(sorted(counts.items())), "seconds": taken}
        known[file]["survivors"] = sorted(lived, key=lambda one: (one["line"], one["now"]))
    RECORD.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return known


def tell(files: Sequence[str], quiet: bool) -> int:
    """Renew record and page; print survivors without a reason, and reasons without a survivor."""
    known, reasons = record(files), entries()
    PAGE.write_text(page(known, reasons), "utf-8")
    open_ = [
        one
        for file in files
        for one in known.get(file, {"survivors": []})["survivors"]
        if not any(entry.covers(one) for entry in reasons)
    ]
    if not quiet:
        for one in open_:
            print(
                f"{one['file']}.{one['place']}:{one['line']}: {one['was']}\n    -> {one['now']}",
                file=sys.stderr,
            )
    lived = [one for said in known.values() for one in said["survivors"]]
    for entry in reasons:
        if not any(entry.covers(one) for one in lived):
            print(f"no such survivor any more: {entry.place}: {entry.was}", file=sys.stderr)
    print(f"{len(open_)} survivors without a reason", file=sys.stderr)
    return 1 if open_ else 0


def page(known: dict[str, Any], reasons: list[Entry]) -> str:
    """``docs/mutation.md``."""
    rows = [
        "| file | mutants | killed | timed out | survived | explained |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    sums: Counter[str] = Counter()
    for file, said in sorted(known.items()):
        counts = said["counts"]
        told = sum(any(entry.covers(one) for entry in reasons) for one in said["survivors"])
        line = {
            "mutants": sum(counts.values()),
            "killed": counts.get("killed", 0),
            "timeout": counts.get("timeout", 0),
            "survived": counts.get("survived", 0),
            "explained": told,
        }
        sums.update(line)
        rows.append(f"| {file} | " + " | ".join(map(str, line.values())) + " |")
    rows.append("| **all** | " + " | ".join(f"**{n}**" for n in sums.values()) + " |")
    seconds = sum(said["seconds"] for said in known.values())
    every = {path.stem for path in CORE.glob("*.py")}
    missing = ", ".join(f"`{name}`" for name in sorted(every - set(known) - {"__init__"}))
    text = (HERE / "page.md").read_text("utf-8")
    parts = {
        "{table}": "\n".join(rows),
        "{minutes}": f"{seconds / 60:.0f}",
        "{missing}": f"Not run: {missing}." if missing else "All files were run.",
        "{kinds}": "\n".join(f"- *{kind}*: {what}" for kind, what in KINDS.items()),
        "{survivors}": _reasons(known, reasons),
    }
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def _reasons(known: dict[str, Any], reasons: list[Entry]) -> str:
    lived = [one for said in known.values() for one in said["survivors"]]
    out: list[str] = []
    last = ""
    for entry in sorted(reasons, key=lambda entry: entry.place.split(".")[0]):
        covered = [one for one in lived if entry.covers(one)]
        if not covered:
            continue
        file = entry.place.split(".")[0]
        if file != last:
            out.append(f"\n### {file}\n")
            last = file
        place = entry.place.split(".", 1)[1]
        times = f" ({len(covered)} mutants)" if len(covered) > 1 else ""
        only = "; ".join(f"`{now}`" for now in (*entry.now, *entry.by) if now != "*")
        out.append(
            f"- `{place}`, `{entry.was}`{' to ' + only if only else ''}{times}: "
            f"*{entry.kind}*; {entry.why}"
        )
    return "\n".join(out).strip()
