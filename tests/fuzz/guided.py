"""One target under atheris: ``python -m fuzz.guided TARGET [libFuzzer options] CORPUS SEEDS``.

Started by `fuzz`, once for each target, because libFuzzer ends the process it runs in.
"""

from __future__ import annotations

import importlib
import sys
from random import Random
from typing import Any


def main() -> None:
    """Run the target until libFuzzer has had enough, or something is found."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["delegant"]):
        targets = importlib.import_module("fuzz.targets").TARGETS
    target = targets[sys.argv.pop(1)]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        changed: bytes = target.mutate(data, most, Random(seed), atheris.Mutate)
        return changed

    own = {} if target.change is None else {"custom_mutator": mutate}
    atheris.Setup(sys.argv, target.run, **own)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
