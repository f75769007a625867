"""Necessity: switch off one check of the verifier at a time, and see which cases get through.

A numbered check is a phase and a code, as DESIGN lists them; in the core it is one or more lines
``raise error(CODE, …)``. The core is loaded once more with all of them switched off (`switches`
says what stands there where nothing will not do), and the cases of that code are judged again.
A case that is accepted now *needs* that check. `refused_by` notes the very line that refuses each
case, so a line that no case reaches is seen too.

    cd tests && python -m limbo.necessity      # the matrix: check, how many cases need it
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
from types import CodeType, ModuleType
from typing import Any

from delegant.cli.limbo.cases import Case, load
from delegant.cli.limbo.client import trust_of
from limbo.switches import BESIDES, INSTEAD, SHARPER

HERE = Path(__file__).resolve().parent
CORE = HERE.parent.parent / "credentials" / "delegant" / "credentials"
PACKAGE = "delegant.credentials"
APART = {"holder", "issuer", "approval", "batch", "cache", "errors", "account", "verdict",
         "attestation", "accredited"}  # fmt: skip
"""Files of the core with no check of a presentation: issuing, telling, and attestations."""


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
        found = [n for n in ast.walk(owner) if isinstance(n, ast.Raise) and _is_error(n)]
        for place, node in enumerate(sorted(found, key=lambda one: one.lineno), start=1):
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
    assert isinstance(node.exc, ast.Call)
    first = node.exc.args[0]
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
    for file in {check.file for check in off}:
        tree = changed[file] = ast.parse((CORE / f"{file}.py").read_text("utf-8"))
        places = {(function, place): node for function, place, node in _refusals(tree)}
        for check in off:
            if check.file == file:
                text = INSTEAD.get(check.name, "pass")
                _put(tree, places[check.function, check.number], text)
        ast.fix_missing_locations(tree)
    return changed


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


def answer(package: ModuleType, case: Case) -> tuple[str, BaseException | None]:
    """A core's state for a case, and what it raised on the way there."""
    question = case.question
    shape = importlib.import_module(f"{PACKAGE}.shape")
    try:
        trust = package.Trust.from_json(trust_of(question))
        request = package.Request.from_json(question.request)
        package.verify(
            question.presentation,
            question.evidence,
            trust,
            request,
            at=shape.time(question.at, "at"),
            nonce=question.nonce,
        )
    except package.Error as exc:
        return exc.state, exc
    except Exception as exc:  # noqa: BLE001 - a core without one of its checks may do anything
        return "crashed", exc
    return "accepted", None


def refused_by(cases: Sequence[Case]) -> dict[Check, list[Case]]:
    """The cases by the check that refuses them."""
    known = checks()
    out: dict[Check, list[Case]] = {check: [] for check in sorted(known.values())}
    with core() as package:
        for case in cases:
            if case.state == "accepted":
                continue
            _, refusal = answer(package, case)
            place = _raised_at(refusal)
            if place in known:
                out[known[place]].append(case)
    return out


def _raised_at(refusal: BaseException | None) -> tuple[str, int]:
    """File and line of the ``raise`` an `Error` comes from."""
    trace = refusal.__traceback__ if refusal is not None else None
    last = ("", 0)
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.parent == CORE:
            last = (path.stem, trace.tb_lineno)
        trace = trace.tb_next
    return last


def matrix(cases: Sequence[Case]) -> dict[str, list[str]]:
    """Numbered check (``4 chain-broken``) to the ids of the cases accepted without it."""
    numbered: dict[tuple[int, str], list[Check]] = {}
    for check in sorted(checks().values()):
        numbered.setdefault((check.phase, check.code), []).append(check)
    out: dict[str, list[str]] = {}
    for (phase, code), own in numbered.items():
        off = own + [c for c in sorted(checks().values()) if c.code in SHARPER.get(code, ())]
        with core(without(off)) as package:
            if code in BESIDES:
                exec(BESIDES[code], {"core": package})  # noqa: S102 - ours
            out[f"{phase} {code}"] = [
                case.id
                for case in cases
                if case.code == code and answer(package, case)[0] == "accepted"
            ]
    return out


def table(found: dict[str, list[str]]) -> str:
    """The matrix as it is printed: a check a line, how many cases need it, and the first."""
    wide = max(map(len, found))
    return "\n".join(
        f"  {check:<{wide}} {len(ids):>4}  {ids[0] if ids else '-'}" for check, ids in found.items()
    )


if __name__ == "__main__":
    print(table(matrix(load(HERE / "cases"))))
