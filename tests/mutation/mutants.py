"""The mutants of a file: cosmic-ray's, every statement taken away, every ``except`` in vain.

Operators work on one top-level statement at a time, so that a file need not be parsed again for
each mutant. What no test should ever tell apart is left out: annotations, docstrings, the detail
of an `error`, `__repr__`, and ``is`` against ``==`` where one operand is a class, None or a bool.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Mutant", "mutants"]

TYPES: Final = frozenset({"bool", "dict", "float", "int", "list", "str", "tuple"})
UNTOLD: Final = frozenset({"__repr__", "__str__", "_shown"})
"""Functions that only make text for people."""
UNASKED: Final = ("VariableInserter", "VariableReplacer", "ExceptionReplacer")
"""Operators that need to be told names, and one that cannot read ``except module.Name``."""
ARITHMETIC: Final = frozenset(
    f"ReplaceBinaryOperator_{pair}"
    for pair in (
        "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Mod_FloorDiv", "Pow_Mul",
        "LShift_RShift", "RShift_LShift", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd",
    )
)  # fmt: skip
"""One other operator for each: all eleven would die of the same TypeError."""
INTERNED: Final = ("ReplaceComparisonOperator_Eq_Is", "ReplaceComparisonOperator_NotEq_IsNot")
"""``is`` for ``==``: what it does depends on which values the interpreter shares."""


@dataclass(frozen=True)
class Mutant:
    """One change. ``was`` and ``now`` are the changed lines, stripped; ``source`` the new file."""

    file: str
    place: str
    line: int
    operator: str
    was: str
    now: str
    source: str

    @property
    def name(self) -> str:
        """As results and `survivors.toml` call it."""
        return f"{self.file}.{self.place}: {self.was} -> {self.now}"


def mutants(path: Path) -> list[Mutant]:
    """All mutants of a file that compile and mean something else, each once."""
    source = path.read_text("utf-8")
    lines = source.splitlines(keepends=True)
    found: list[Mutant] = []
    for node in ast.parse(source).body:
        first = min([node.lineno, *[one.lineno for one in getattr(node, "decorator_list", [])]])
        last = node.end_lineno or first
        piece = "".join(lines[first - 1 : last])
        seen = {_meaning(piece)}
        for operator, changed in [*_operators(piece), *_own(piece)]:
            try:
                meaning = _meaning(changed)
            except SyntaxError:
                continue
            if meaning in seen:
                continue
            seen.add(meaning)
            line, was, now = _difference(piece, changed)
            whole = "".join(lines[: first - 1]) + changed + "".join(lines[last:])
            place = _place(node, line + first - 1)
            if place.split(".")[-1] not in UNTOLD:
                found.append(Mutant(path.stem, place, line + first - 1, operator, was, now, whole))
    return found


def _operators(piece: str) -> Iterator[tuple[str, str]]:
    plugins: Any = importlib.import_module("cosmic_ray.plugins")
    trees: Any = importlib.import_module("cosmic_ray.ast")
    mutating: Any = importlib.import_module("cosmic_ray.mutating")
    nodes = list(trees.ast_nodes(trees.get_ast(piece)))
    for name in sorted(plugins.operator_names()):
        short = name.split("/")[1]
        if short.startswith(UNASKED) or short in INTERNED:
            continue
        if short.startswith("ReplaceBinary") and short not in ARITHMETIC:
            continue
        operator = plugins.get_operator(name)()
        many = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        for occurrence in range(many):
            changed = mutating.mutate_code(piece, operator, occurrence)
            if changed is not None:
                yield short, changed


def _own(piece: str) -> Iterator[tuple[str, str]]:
    """Simple statements that become ``pass``, and handlers that catch nothing."""
    for owner in ast.walk(ast.parse(piece)):
        if not isinstance(owner, ast.FunctionDef):
            continue
        for node in ast.walk(owner):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            if node is owner.body[-1] and isinstance(node, ast.Return) and _is_none(node.value):
                continue
            if isinstance(node, ast.Raise | ast.Expr | ast.Assign | ast.AugAssign | ast.Return):
                yield "RemoveStatement", _put(piece, node, "pass")
            elif isinstance(node, ast.ExceptHandler) and node.type is not None:
                yield "ExceptNothing", _put(piece, node.type, "()")


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _put(piece: str, node: ast.stmt | ast.expr, text: str) -> str:
    """The piece with a node's text replaced, its lines kept."""
    lines = piece.splitlines(keepends=True)
    first, last = node.lineno, node.end_lineno or node.lineno
    head = lines[first - 1].encode()[: node.col_offset].decode()
    tail = lines[last - 1].encode()[node.end_col_offset :].decode()
    middle = head + text + tail.rstrip("\n") + "\n" * (last - first + 1)
    return "".join(lines[: first - 1]) + middle + "".join(lines[last:])


class _Meaning(ast.NodeTransformer):
    """Takes away what no test should ever tell apart."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        _undocument(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        _undocument(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """By name or by place: an operator takes the ``*`` between them for a product."""
        self.generic_visit(node)
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults += [one or ast.Constant(...) for one in node.kw_defaults]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "error" and len(node.args) > 1:
            node.args[1] = ast.Constant("")
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 and any(map(_single, (node.left, *node.comparators))):
            if isinstance(node.ops[0], ast.Is):
                node.ops = [ast.Eq()]
            elif isinstance(node.ops[0], ast.IsNot):
                node.ops = [ast.NotEq()]
        return node


def _single(node: ast.expr) -> bool:
    """What is equal to nothing but itself: None, a bool, a class."""
    if isinstance(node, ast.Constant):
        return node.value is None or isinstance(node.value, bool)
    if isinstance(node, ast.Name):
        return node.id in TYPES
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def _undocument(node: ast.FunctionDef | ast.ClassDef) -> None:
    node.body = [
        one
        for one in node.body
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ] or [ast.Pass()]


def _meaning(piece: str) -> str:
    return ast.dump(_Meaning().visit(ast.parse(piece)))


def _difference(piece: str, changed: str) -> tuple[int, str, str]:
    """The first changed line, from 1, and the changed lines, joined."""
    old, new = piece.splitlines(), changed.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    return start + 1, _joined(was), _joined(now)


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def _place(node: ast.stmt, line: int) -> str:
    """The dotted name of the innermost class or function around a line."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.ClassDef) and inner.lineno <= line <= (
                inner.end_lineno or 0
            ):
                return f"{node.name}.{_place(inner, line)}"
        return node.name
    if isinstance(node, ast.AnnAssign | ast.Assign):
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name):
            return target.id
    return "module"
