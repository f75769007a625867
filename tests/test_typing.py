"""The types are tested too: what must not pass a type checker is written down and does not pass.

`tests/typing/` holds the lines; `make types` reads them. Here: that it does, that the expected
errors are really there, and that the running program keeps what the types promise.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Authorization, Request, VerifiedChain, verify, verify_chain
from world import World, research_chain

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tests" / "typing").glob("*.py"))
IGNORED = re.compile(r"\s*# type: ignore\[([a-z-, ]+)\]$")


def lines_with_errors(path: Path) -> dict[int, set[str]]:
    """Line number to the codes of the errors expected there."""
    out: dict[int, set[str]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if found := IGNORED.search(line):
            out[number] = set(found[1].split(", "))
    return out


def test_both_type_checkers_read_the_files_strictly() -> None:
    tools: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert tools["mypy"]["strict"] is True  # which warns of unused ignores
    assert "tests" in tools["mypy"]["files"]
    assert "tests/typing" in tools["pyright"]["include"]
    assert not {"exclude", "overrides", "warn_unused_ignores"} & tools["mypy"].keys()
    for path in FILES:
        assert "# pyright: strict, reportUnnecessaryTypeIgnoreComment=true" in path.read_text()
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ntypes:")[1].split("\n\n")[0]
    assert "$(BIN)/mypy\n" in recipe
    assert recipe.endswith("$(BIN)/pyright")


def test_every_expected_error_is_one_when_nothing_hides_it(tmp_path: Path) -> None:
    """Without its comments the file has errors on just those lines, of just those kinds."""
    assert FILES
    for path in FILES:
        expected = lines_with_errors(path)
        assert len(expected) > 30
        bare = tmp_path / f"bare_{path.name}"
        text = "\n".join(IGNORED.sub("", line) for line in path.read_text("utf-8").splitlines())
        bare.write_text(text + "\n", "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary", str(bare)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert done.returncode == 1, done.stdout + done.stderr
        found: dict[int, set[str]] = {}
        for number, code in re.findall(r":(\d+): error: .*\[([a-z-]+)\]", done.stdout):
            found.setdefault(int(number), set()).add(code)
        assert found == expected


# --- at run time -----------------------------------------------------------------------------


def test_only_the_verifier_makes_a_verified_chain_or_an_authorization() -> None:
    world = World()
    links, _ = research_chain(world)
    asked = Request("doc.write", "urn:acme:drafts:1", rows=1)
    shown, evidence, trust = world.present(links, asked), world.evidence(), world.trust()
    chain = verify_chain(shown, evidence, trust, at=world.now)
    yes = verify(shown, evidence, trust, asked, at=world.now)
    assert (type(chain), type(yes)) == (VerifiedChain, Authorization)
    assert not hasattr(chain, "obligations")
    for seal in (None, object(), True, "seal", chain, yes, VerifiedChain):
        for kind in (VerifiedChain, Authorization):
            rest = [chain] * (len(inspect.signature(kind).parameters) - 1)
            make: Callable[..., object] = kind
            with pytest.raises(TypeError, match="only the verifier"):
                make(seal, *rest)
