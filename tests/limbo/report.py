"""``make limbo``: every case put to our verifier, told on the screen and in ``build/limbo.json``.

cd tests && python -m limbo.report
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from delegant.cli.limbo.cases import load, xfails
from delegant.cli.limbo.judge import judge
from delegant.cli.limbo.targets import Library
from limbo.necessity import matrix, table

HERE = Path(__file__).resolve().parent
OUT = HERE.parent.parent / "build" / "limbo.json"
Matrix = Mapping[str, Sequence[str]]
"""Check to the ids of the cases that are accepted once it is switched off."""


def write(necessity: Callable[[], Matrix] | None = None) -> int:
    """Run all, print, write.

    Args:
        necessity: computes the matrix that stands under ``necessity``; without it, an empty one.

    Returns:
        The exit status: 0 all passed, 3 some only in part, 1 some failed.
    """
    found = judge(load(HERE / "cases"), Library(), xfails(HERE / "delegant.xfails"))
    matrix = {} if necessity is None else {name: list(ids) for name, ids in necessity().items()}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found.json | {"necessity": matrix}, indent=1) + "\n")
    print(found.text)
    return found.status


def _necessity() -> Matrix:
    found = matrix(load(HERE / "cases"))
    print("cases that only this check refuses:", table(found), sep="\n")
    return found


if __name__ == "__main__":
    sys.exit(write(_necessity))
