"""The test a constraint puts on one argument: ``eq``, ``in`` or ``range``.

Normal values: ``("in", frozenset of (type, value))``, where ``eq`` is a list of one, or
``("range", "int" | "str", low, high)``. Types are compared too: ``1``, ``"1"`` and ``true``
are three values.
"""

from __future__ import annotations

from typing import Any

from . import shape
from .codec import MAX_INT, Json
from .errors import error
from .request import scalar

__all__ = ["holds", "meet", "narrows", "read", "write"]


def _tag(value: str | int | bool) -> tuple[str, str | int | bool]:
    return (type(value).__name__, value)


def read(value: Json, where: str, dimension: str) -> Any:
    """Read ``{eq}``, ``{in}`` or ``{range}``; another operator is ``unknown-constraint``."""
    if type(value) is not dict or len(value) != 1:
        raise error("shape", f"{where} is not one of eq, in, range", dimension=dimension)
    ((operator, operand),) = value.items()
    if operator == "eq":
        return ("in", frozenset({_tag(scalar(operand, where))}))
    if operator == "in":
        items = [_tag(scalar(item, where)) for item in shape.array(operand, where)]
        if len(set(items)) != len(items):
            raise error("shape", f"{where} names a value twice")
        return ("in", frozenset(items))
    if operator == "range":
        shape.closed(operand, where, frozenset({"min", "max"}))
        low, high = operand["min"], operand["max"]
        kind = "int" if type(low) is int else "str"
        if kind == "int":
            least = shape.integer(low, where, -MAX_INT)
            most = shape.integer(high, where, -MAX_INT)
        else:
            least = shape.decimal(low, where, negative=True)
            most = shape.decimal(high, where, negative=True)
        if least > most:
            raise error("shape", f"{where} is an empty range")
        return ("range", kind, least, most)
    raise error("unknown-constraint", f"{where} has {operator[:64]!r}", dimension=dimension)


def _in_range(test: Any, tagged: tuple[str, Any]) -> bool:
    _, kind, low, high = test
    if tagged[0] != kind:
        return False
    if kind == "int":
        return bool(low <= tagged[1] <= high)
    return shape.is_decimal(tagged[1]) and bool(low <= int(tagged[1]) <= high)


def narrows(parent: Any, child: Any) -> bool:
    """Whether every value the child lets pass, the parent lets pass."""
    if child[0] == "in":
        if parent[0] == "in":
            return bool(child[1] <= parent[1])
        return all(_in_range(parent, item) for item in child[1])
    if parent[0] == "range":
        return bool(child[1] == parent[1] and parent[2] <= child[2] and child[3] <= parent[3])
    # a range inside a list: only the range of one value, which is that value
    return child[2] == child[3] and _single(child) in parent[1]


def _single(test: Any) -> tuple[str, Any]:
    return (test[1], test[2] if test[1] == "int" else str(test[2]))


def meet(a: Any, b: Any) -> Any:
    """What both let pass; None if nothing."""
    if a[0] == "range" and b[0] == "range":
        low, high = max(a[2], b[2]), min(a[3], b[3])
        return ("range", a[1], low, high) if a[1] == b[1] and low <= high else None
    if a[0] == "range":
        a, b = b, a
    items = a[1] & b[1] if b[0] == "in" else frozenset(x for x in a[1] if _in_range(b, x))
    return ("in", items) if items else None


def holds(test: Any, given: str | int | bool) -> bool:
    """Whether the test lets this value pass."""
    tagged = _tag(given)
    return tagged in test[1] if test[0] == "in" else _in_range(test, tagged)


def write(test: Any) -> Json:
    """The wire form."""
    if test[0] == "range":
        _, kind, low, high = test
        return {"range": {"min": low, "max": high} if kind == "int" else
                {"min": str(low), "max": str(high)}}  # fmt: skip
    values = [value for _, value in sorted(test[1], key=lambda item: (item[0], str(item[1])))]
    return {"eq": values[0]} if len(values) == 1 else {"in": values}
