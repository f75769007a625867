"""Necessity: switch off one check of the verifier at a time, and see which cases get through.

A check is one ``raise error(CODE, …)`` of the core. First every case is judged by the verifier
as it is, and the very line that refuses it is noted. Then, line by line, the core is loaded once
more with that line switched off (`INSTEAD` says what stands there where nothing will not do),
and the cases it refused are judged again. A case that is accepted now *needs* that check.

    cd tests && python -m limbo.necessity      # the matrix: check, cases refused, cases that flip
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from delegant.cli.limbo.cases import Case, load
from delegant.cli.limbo.client import trust_of

HERE = Path(__file__).resolve().parent
CORE = HERE.parent.parent / "credentials" / "delegant" / "credentials"
PACKAGE = "delegant.credentials"
APART = {"holder", "issuer", "batch", "cache", "errors", "account", "verdict", "proof"}
"""Files of the core with no check of a presentation: issuing, and telling."""


@dataclass(frozen=True, order=True)
class Check:
    """One place that refuses: file, function, and the how-manyeth refusal of that function."""

    phase: int
    code: str
    file: str
    function: str
    number: int

    @property
    def name(self) -> str:
        """As the matrix and `INSTEAD` call it."""
        return f"{self.phase} {self.code} {self.file}.{self.function}#{self.number}"


def checks() -> dict[tuple[str, int], Check]:
    """Every check of the core by file and line."""
    codes: dict[str, Any] = importlib.import_module(PACKAGE).CODES
    found: dict[tuple[str, int], Check] = {}
    for path in sorted(CORE.glob("*.py")):
        if path.stem in APART:
            continue
        for function, place, node in _refusals(ast.parse(path.read_text("utf-8"))):
            code = _code(node)
            if codes[code].phase:
                check = Check(codes[code].phase, code, path.stem, function, place)
                found[path.stem, node.lineno] = check
    return found


def _refusals(tree: ast.Module) -> Iterator[tuple[str, int, ast.Raise]]:
    for owner, name in _functions(tree):
        place = 0
        for node in ast.walk(owner):
            if isinstance(node, ast.Raise) and _is_error(node):
                place += 1
                yield name, place, node


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[ast.AST, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _is_error(node: ast.Raise) -> bool:
    call = node.exc
    return (
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "error"
    )


def _code(node: ast.Raise) -> str:
    """The code; of a choice of two, the one for an agent or a link."""
    assert isinstance(node.exc, ast.Call)
    first = node.exc.args[0]
    if isinstance(first, ast.IfExp):
        first = first.orelse
    assert isinstance(first, ast.Constant), ast.dump(first)
    return str(first.value)


# --- a core with something switched off ----------------------------------------------------------

_CODES: dict[str, CodeType] = {}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the core's modules from their trees, some of which were changed."""

    def __init__(self, changed: dict[str, ast.Module]) -> None:
        self._changed = changed

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != PACKAGE and not name.startswith(f"{PACKAGE}."):
            return None
        stem = name.removeprefix(PACKAGE).lstrip(".") or "__init__"
        origin = CORE / f"{stem}.py"
        package = [str(CORE)] if stem == "__init__" else None
        spec = importlib.machinery.ModuleSpec(name, self, origin=str(origin), is_package=not stem)
        spec.submodule_search_locations = package
        spec.loader_state = stem
        return spec

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        stem = module.__spec__.loader_state
        path = str(CORE / f"{stem}.py")
        if stem in self._changed:
            code = compile(self._changed[stem], path, "exec")
        else:
            if stem not in _CODES:
                _CODES[stem] = compile((CORE / f"{stem}.py").read_text("utf-8"), path, "exec")
            code = _CODES[stem]
        exec(code, module.__dict__)  # noqa: S102 - our own source, a check less


@contextmanager
def core(changed: dict[str, ast.Module] | None = None) -> Iterator[ModuleType]:
    """The core, with some files changed; the real one is back afterwards."""
    mine = [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
    kept = {name: sys.modules.pop(name) for name in mine}
    finder = _Finder(changed or {})
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n == PACKAGE or n.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
        sys.modules.update(kept)
        setattr(sys.modules["delegant"], "credentials", kept[PACKAGE])  # noqa: B010


def without(off: Sequence[Check]) -> dict[str, ast.Module]:
    """The files of some checks, with those switched off."""
    changed: dict[str, ast.Module] = {}
    for check in off:
        tree = changed.setdefault(
            check.file, ast.parse((CORE / f"{check.file}.py").read_text("utf-8"))
        )
        for function, place, node in list(_refusals(tree)):
            if (function, place) == (check.function, check.number):
                _put(tree, node, INSTEAD.get(check.name, "pass"))
                # What came after it keeps its number.
    return {name: ast.fix_missing_locations(tree) for name, tree in changed.items()}


def _put(tree: ast.Module, old: ast.Raise, text: str) -> None:
    new = ast.parse(text).body
    for owner in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(owner, field, None)
            if isinstance(body, list) and old in body:
                at = body.index(old)
                body[at : at + 1] = new
                return
    raise AssertionError("a refusal that stands nowhere")
