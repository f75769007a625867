"""R1: no regular expression of ours goes back: each is linear, whatever it is shown."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from itertools import product

import pytest

import delegant

LENGTH = 100_000
SECONDS = 0.02
"""Of the processor's time, for each expression and text; 10 ms on an idle machine."""
UNITS = ("a", "0", "A", "-", ".", "_", "/", ":", " ", "\t", "%41", "a-", "a.", ".a", "0.", "a:",
         "ab-", '"', '"a"', ",", "a,", ";", "=", "a=b;", "did:", "{", '{"a":', "\\", "\\\\", "é",
         "+", "~", "*", "**", "[", "<", "\n")  # fmt: skip
ENDS = ("", "!", "\n", "\x00")


def expressions() -> dict[str, re.Pattern[str]]:
    """Every expression that a module of ours holds, by the module and its name there."""
    found: dict[re.Pattern[str], str] = {}
    for info in pkgutil.walk_packages(delegant.__path__, "delegant."):
        if info.name.endswith("__main__") or ".migrations" in info.name:  # run, not imported
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found.setdefault(value, f"{info.name}.{name}")
    return {name: pattern for pattern, name in found.items()}


FOUND = expressions()


def test_r1_there_are_expressions_to_try() -> None:
    assert len(FOUND) > 30


@pytest.mark.parametrize("name", FOUND)
def test_r1_an_expression_takes_linear_time(name: str) -> None:
    pattern = FOUND[name]
    for unit, end in product(UNITS, ENDS):
        text = (unit * LENGTH)[:LENGTH] + end
        best = float("inf")
        for _ in range(3):
            began = time.thread_time()
            pattern.fullmatch(text)
            pattern.match(text)
            best = min(best, time.thread_time() - began)
            if best < SECONDS:
                break
        assert best < SECONDS, (unit, end, best)
