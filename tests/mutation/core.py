"""The core with a changed file: live functions get new code, or all is imported afresh."""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

__all__ = ["CORE", "Fresh", "Live", "called_on_import", "reach", "refusals"]

ROOT: Final = Path(__file__).resolve().parents[2]
CORE: Final = ROOT / "credentials" / "delegant" / "credentials"
PACKAGE: Final = "delegant.credentials"

Key = tuple[str, str, int]
"""A code object: file, qualified name, first line."""


def _key(code: CodeType) -> Key:
    return Path(code.co_filename).stem, code.co_qualname, code.co_firstlineno


def _nested(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _compiled(source: str, stem: str) -> CodeType:
    with warnings.catch_warnings(action="ignore"):  # `is` with a literal: a mutant may
        return compile(source, str(CORE / f"{stem}.py"), "exec", dont_inherit=True)


def called_on_import() -> frozenset[Key]:
    """The functions of the core that run while it is imported; it must not have been yet."""
    assert PACKAGE not in sys.modules
    called: set[Key] = set()
    core = str(CORE)

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(core):
            called.add(_key(frame.f_code))

    sys.setprofile(note)
    try:
        importlib.import_module(PACKAGE)
    finally:
        sys.setprofile(None)
    return frozenset(key for key in called if key[1] != "<module>")


class Live:
    """The functions of the imported core, whose code can be replaced in place."""

    def __init__(self) -> None:
        core = str(CORE)
        self._functions: dict[Key, list[FunctionType]] = {}
        for one in gc.get_objects():
            if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(core):
                self._functions.setdefault(_key(one.__code__), []).append(one)
        self._codes = {path.stem: _compiled(path.read_text("utf-8"), path.stem)
                       for path in CORE.glob("*.py")}  # fmt: skip

    def changes(self, stem: str, source: str) -> list[tuple[FunctionType, CodeType]] | None:
        """Functions and their new code; None where new code in functions is not all."""
        out: list[tuple[FunctionType, CodeType]] = []
        return out if self._compare(self._codes[stem], _compiled(source, stem), out) else None

    def _compare(self, old: CodeType, new: CodeType, out: list[Any]) -> bool:
        """Walk both trees of code; False if what runs on import differs, or a closure."""
        if old == new and old.co_consts == new.co_consts:
            return True
        functions = self._functions.get(_key(old), [])
        if functions:
            if any(one.__code__.co_freevars != new.co_freevars for one in functions):
                return False
            out += [(one, new) for one in functions]
            return True
        inner_old, inner_new = _nested(old), _nested(new)
        plain_old = tuple(one for one in old.co_consts if not isinstance(one, CodeType))
        plain_new = tuple(one for one in new.co_consts if not isinstance(one, CodeType))
        alike = (
            old.co_code == new.co_code
            and repr(plain_old) == repr(plain_new)
            and old.co_names == new.co_names
            and len(inner_old) == len(inner_new)
        )
        return alike and all(
            self._compare(a, b, out) for a, b in zip(inner_old, inner_new, strict=True)
        )


class Fresh(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets the core be imported with one file changed."""

    def __init__(self, stem: str, source: str) -> None:
        self._name = f"{PACKAGE}.{stem}"
        self._stem = stem
        self._code = _compiled(source, stem)
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self._name:
            return None
        origin = str(CORE / f"{self._stem}.py")
        spec = importlib.machinery.ModuleSpec(name, self, origin=origin)
        spec.has_location = True
        return spec

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - our own source, changed


def reach(tree: ast.Module, line: int) -> range:
    """The lines of the innermost simple statement, lambda or head of a compound statement."""
    found = range(line, line + 1)
    for node in _around(tree, line):
        span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and body[0].lineno > node.lineno:
            span = range(node.lineno, body[0].lineno)
        if line in span:
            found = span
    return found


def refusals(tree: ast.Module, line: int) -> list[int]:
    """The lines of the function around a line on which something is raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            return [one.lineno for one in ast.walk(node) if isinstance(one, ast.Raise)]
    return []


def _around(tree: ast.AST, line: int) -> Iterator[Any]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.Lambda | ast.expr | ast.match_case):
            if getattr(node, "lineno", line + 1) <= line <= (getattr(node, "end_lineno", 0) or 0):
                if isinstance(node, ast.stmt | ast.ExceptHandler | ast.Lambda):
                    yield node
                yield from _around(node, line)
        elif isinstance(node, ast.keyword):
            yield from _around(node, line)
