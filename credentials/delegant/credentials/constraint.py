"""The constraint algebra: what each constraint means, and when one is narrower than another.

Constraints are held flat, by *dimension*: ``{"rows": 500, "arguments.customer_id": …}``. For
each dimension the values form a partial order with a meet; `narrows` is that order, `meet` its
lower bound, `holds` the test against a request. Two laws tie them together and are property
tests: if ``narrows(p, c)`` then every request that c allows p allows, and ``meet(a, b)``
narrows both.

The algebra (child against parent; request against constraint):

    audience purpose columns   subset; member
    network                    every prefix inside one of the parent's; the caller's address
    rows bytes                 max no higher; the ask, and then the result
    arguments.<name>           {eq}, {in}, {range}: every value also the parent's; present and one
    task                       same id; initiation equal or narrowed to agent_decision; equal
    budget                     same ledger and unit; perAction and total no higher; debit
    rate                       same ledger; count no higher over the parent's period; debit
    dataClass                  no higher rank; no higher rank
    approval                   threshold no lower, fewer approvers, from a smaller amount on
    hours                      windows inside the parent's; now inside
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from . import argument, shape
from .codec import Json, JsonObject
from .errors import error
from .kinds import KINDS, Kind, always
from .request import Request, argument_name

__all__ = [
    "Constraints",
    "approval_applies",
    "holds",
    "meet",
    "narrows",
    "parse",
    "to_json",
    "violation",
]

Constraints: TypeAlias = dict[str, Any]
"""Dimension to normal value. Not for hand-writing: made by `parse`, `meet`."""


def parse(value: Json, where: str = "constraints") -> Constraints:
    """Read the ``constraints`` member of a link or of entitlements.

    Raises:
        Undecided: ``unknown-constraint``.
        Malformed: ``shape``, ``unknown-member``, ``empty-array``. LimitExceeded: ``limit-items``.
    """
    if type(value) is not dict or not value:
        raise error("shape", f"{where} is not an object with at least one constraint")
    out: Constraints = {}
    # In one order, so that of two faults the same is named however the members stand.
    for name, member in sorted(value.items()):
        if name == "arguments":
            if type(member) is not dict or not 0 < len(member) <= shape.MAX_SET:
                raise error("shape", f"{where}.arguments names 1 to {shape.MAX_SET} arguments")
            for name_, test in sorted(member.items()):
                dimension = f"arguments.{argument_name(name_, where)}"
                out[dimension] = argument.read(test, f"{where}.{dimension}", dimension)
        elif name in KINDS:
            out[name] = KINDS[name].read(member, f"{where}.{name}")
        else:
            shown = name[:64] if shape.visible(name) else None  # it is shown to people as it is
            raise error("unknown-constraint", f"{where} has {name[:64]!r}", dimension=shown)
    return out


def to_json(constraints: Constraints) -> JsonObject:
    """The wire form of flat constraints."""
    out: JsonObject = {}
    for dimension, value in constraints.items():
        written = _kind(dimension).write(value)
        if dimension.startswith("arguments."):
            out.setdefault("arguments", {})[dimension[10:]] = written
        else:
            out[dimension] = written
    return out


def narrows(parent: Constraints, child: Constraints) -> None:
    """Return if the child restates every constraint of the parent, equal or narrower.

    Raises:
        Rejected: ``constraint-dropped`` or ``scope-widened``, with the dimension.
    """
    for dimension, limit in parent.items():
        if dimension not in child:
            raise error("constraint-dropped", f"{dimension} is not restated", dimension=dimension)
        if not _kind(dimension).narrows(limit, child[dimension]):
            raise error(
                "scope-widened",
                f"{dimension} allows more than the link above",
                dimension=dimension,
            )


def meet(a: Constraints, b: Constraints, apart: frozenset[str] = frozenset()) -> Constraints | None:
    """What satisfies both; None if nothing can, but for dimensions ``apart``: there a's stays."""
    out = dict(a)
    for dimension, value in b.items():
        if dimension not in out:
            out[dimension] = value
            continue
        met = _kind(dimension).meet(out[dimension], value)
        if met is not None:
            out[dimension] = met
        elif dimension not in apart:
            return None
    return out


def holds(constraints: Constraints, request: Request, at: int) -> bool:
    """Whether the request satisfies all of them."""
    return violation(constraints, request, at) is None


def violation(constraints: Constraints, request: Request, at: int) -> str | None:
    """The first dimension the request breaks, or lacks the fact for; None if it breaks none.

    ``at`` is seconds since 1970. ``audience`` is tested with the invocation, ``approval`` by
    `approval_applies`, ``total`` of a budget and ``rate`` by the ledger.
    """
    for dimension, limit in constraints.items():
        if dimension.startswith("arguments."):
            given = (request.arguments or {}).get(dimension[10:])
            if given is None or not argument.holds(limit, given):
                return dimension
        elif not KINDS[dimension].holds(limit, request, at):
            return dimension
    return None


def approval_applies(constraints: Constraints, request: Request) -> bool:
    """Whether an ``approval`` constraint asks for a human here."""
    rule = constraints.get("approval")
    if rule is None:
        return False
    over = rule[2]
    if over is None or request.amount is None or request.amount["unit"] != over[0]:
        return True
    return bool(int(request.amount["value"]) > over[1])


def _kind(dimension: str) -> Kind:
    return _ARGUMENT if dimension.startswith("arguments.") else KINDS[dimension]


_ARGUMENT: Final = Kind(
    lambda value, where: argument.read(value, where, where),
    argument.narrows,
    argument.meet,
    always,
    argument.write,
)
