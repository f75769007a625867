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

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from . import argument, did, shape
from .codec import Json, JsonObject
from .errors import error
from .request import DATA_CLASSES, INITIATIONS, Request, argument_name

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

DATA_CLASS_SCHEME: Final = "https://delegant.example/data-class/v1"
DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of constraint: reader, order, meet, test, writer."""

    read: Callable[[Json, str], Any]
    narrows: Callable[[Any, Any], bool]
    meet: Callable[[Any, Any], Any]
    holds: Callable[[Any, Request, int], bool]
    write: Callable[[Any], Json]


def parse(value: Json, where: str = "constraints") -> Constraints:
    """Read the ``constraints`` member of a link or of entitlements.

    Raises:
        Undecided: ``unknown-constraint``.
        Malformed: ``shape``, ``unknown-member``, ``empty-array``. LimitExceeded: ``limit-items``.
    """
    if type(value) is not dict or not value:
        raise error("shape", f"{where} is not an object with at least one constraint")
    out: Constraints = {}
    for name, member in value.items():
        if name == "arguments":
            if type(member) is not dict or not 0 < len(member) <= shape.MAX_SET:
                raise error("shape", f"{where}.arguments names 1 to {shape.MAX_SET} arguments")
            for name_, test in member.items():
                dimension = f"arguments.{argument_name(name_, where)}"
                out[dimension] = argument.read(test, f"{where}.{dimension}", dimension)
        elif name in KINDS:
            out[name] = KINDS[name].read(member, f"{where}.{name}")
        else:
            raise error("unknown-constraint", f"{where} has {name[:64]!r}", dimension=name[:64])
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
            raise error(
                "constraint-dropped", f"{dimension} is not restated", dimension=dimension
            )
        if not _kind(dimension).narrows(limit, child[dimension]):
            raise error(
                "scope-widened",
                f"{dimension} allows more than the link above",
                dimension=dimension,
            )


def meet(a: Constraints, b: Constraints) -> Constraints | None:
    """What satisfies both; None if nothing can."""
    out = dict(a)
    for dimension, value in b.items():
        if dimension in out:
            value = _kind(dimension).meet(out[dimension], value)
            if value is None:
                return None
        out[dimension] = value
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
    return int(request.amount["value"]) > over[1]


def _kind(dimension: str) -> Kind:
    return _ARGUMENT if dimension.startswith("arguments.") else KINDS[dimension]


# --- sets ----------------------------------------------------------------------------------


def _subset(parent: frozenset[Any], child: frozenset[Any]) -> bool:
    return child <= parent


def _set_meet(a: frozenset[Any], b: frozenset[Any]) -> frozenset[Any] | None:
    return (a & b) or None


def _read_dids(value: Json, where: str) -> frozenset[str]:
    return shape.string_set(value, where, lambda item, _where: did.check(item))


def _columns_hold(limit: frozenset[str], request: Request, _at: int) -> bool:
    return request.columns is not None and limit.issuperset(request.columns)


# --- networks ------------------------------------------------------------------------------

_Net: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _inside(inner: _Net, outer: _Net) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )


def _read_network(value: Json, where: str) -> frozenset[_Net]:
    nets: list[_Net] = []
    for item in shape.string_set(value, where):
        try:
            net = ipaddress.ip_network(item)
        except ValueError:
            raise error("shape", f"{where}: {item!r} is not a CIDR prefix") from None
        if str(net) != item:
            raise error("shape", f"{where}: write {str(net)!r}, not {item!r}")
        nets.append(net)
    if any(a is not b and _inside(a, b) for a in nets for b in nets):
        raise error("shape", f"{where} has a prefix inside another")
    return frozenset(nets)


def _network_narrows(parent: frozenset[_Net], child: frozenset[_Net]) -> bool:
    return all(any(_inside(net, outer) for outer in parent) for net in child)


def _network_meet(a: frozenset[_Net], b: frozenset[_Net]) -> frozenset[_Net] | None:
    common = {x for x in a for y in b if _inside(x, y)} | {y for y in b for x in a if _inside(y, x)}
    return frozenset(common) or None


def _network_holds(limit: frozenset[_Net], request: Request, _at: int) -> bool:
    if request.network is None:
        return False
    address = ipaddress.ip_address(request.network)
    return any(address in net for net in limit)


# --- task ----------------------------------------------------------------------------------


def _read_task(value: Json, where: str) -> tuple[str, str]:
    shape.closed(value, where, frozenset({"id", "initiation"}))
    initiation = shape.one_of(value["initiation"], f"{where}.initiation", INITIATIONS)
    return (shape.text(value["id"], f"{where}.id"), initiation)


def _task_narrows(parent: tuple[str, str], child: tuple[str, str]) -> bool:
    return child[0] == parent[0] and child[1] in (parent[1], "agent_decision")


def _task_meet(a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str] | None:
    if a[0] != b[0]:
        return None
    return a if a[1] == b[1] else (a[0], "agent_decision")


def _task_holds(limit: tuple[str, str], request: Request, _at: int) -> bool:
    task = request.task
    return task is not None and _task_narrows(limit, (task["id"], task["initiation"]))


# --- money, rate, class, approval, hours ---------------------------------------------------


def _read_max(value: Json, where: str) -> int:
    shape.closed(value, where, frozenset({"max"}))
    return shape.integer(value["max"], f"{where}.max")


def _no_higher(parent: int, child: int) -> bool:
    return child <= parent


def _read_budget(value: Json, where: str) -> tuple[str, str, int, int]:
    shape.closed(value, where, frozenset({"ledger", "unit", "perAction", "total"}))
    return (
        did.check(value["ledger"]),
        shape.text(value["unit"], f"{where}.unit", 32),
        shape.decimal(value["perAction"], f"{where}.perAction"),
        shape.decimal(value["total"], f"{where}.total"),
    )


def _budget_narrows(parent: Any, child: Any) -> bool:
    return bool(parent[:2] == child[:2] and child[2] <= parent[2] and child[3] <= parent[3])


def _budget_meet(a: Any, b: Any) -> Any:
    return (*a[:2], min(a[2], b[2]), min(a[3], b[3])) if a[:2] == b[:2] else None


def _budget_holds(limit: Any, request: Request, _at: int) -> bool:
    amount = request.amount
    return (
        amount is not None and amount["unit"] == limit[1] and int(amount["value"]) <= limit[2]
    )


def _read_rate(value: Json, where: str) -> tuple[str, int, int]:
    shape.closed(value, where, frozenset({"ledger", "count", "periodSeconds"}))
    return (
        did.check(value["ledger"]),
        shape.integer(value["count"], f"{where}.count", 1),
        shape.integer(value["periodSeconds"], f"{where}.periodSeconds", 1, 366 * 86400),
    )


def _rate_narrows(parent: tuple[str, int, int], child: tuple[str, int, int]) -> bool:
    ledger, count, period = child
    if ledger != parent[0]:
        return False
    # A sliding window of the parent's length meets at most this many of the child's windows.
    windows = 1 if period >= parent[2] else -(-parent[2] // period)
    return count * windows <= parent[1]


def _rate_meet(a: tuple[str, int, int], b: tuple[str, int, int]) -> tuple[str, int, int] | None:
    return (a[0], min(a[1], b[1]), max(a[2], b[2])) if a[0] == b[0] else None


def _read_data_class(value: Json, where: str) -> int:
    shape.closed(value, where, frozenset({"scheme", "max"}))
    if value["scheme"] != DATA_CLASS_SCHEME:
        raise error("unknown-constraint", f"{where} has an unknown scheme", dimension="dataClass")
    return DATA_CLASSES.index(shape.one_of(value["max"], f"{where}.max", DATA_CLASSES))


def _data_class_holds(limit: int, request: Request, _at: int) -> bool:
    return request.data_class is not None and DATA_CLASSES.index(request.data_class) <= limit


def _read_approval(value: Json, where: str) -> Any:
    shape.closed(value, where, frozenset({"threshold", "by"}), frozenset({"over"}))
    by = _read_dids(value["by"], f"{where}.by")
    threshold = shape.integer(value["threshold"], f"{where}.threshold", 1, len(by))
    over = None
    if "over" in value:
        shape.closed(value["over"], f"{where}.over", frozenset({"unit", "value"}))
        over = (
            shape.text(value["over"]["unit"], f"{where}.over.unit", 32),
            shape.decimal(value["over"]["value"], f"{where}.over.value"),
        )
    return (threshold, by, over)


def _over_narrows(parent: Any, child: Any) -> bool:
    if child is None:
        return True
    return parent is not None and parent[0] == child[0] and child[1] <= parent[1]


def _approval_narrows(parent: Any, child: Any) -> bool:
    return child[0] >= parent[0] and child[1] <= parent[1] and _over_narrows(parent[2], child[2])


def _approval_meet(a: Any, b: Any) -> Any:
    threshold, by = max(a[0], b[0]), a[1] & b[1]
    over = min(a[2], b[2]) if a[2] and b[2] and a[2][0] == b[2][0] else None
    return (threshold, by, over) if len(by) >= threshold else None


def _write_approval(value: Any) -> Json:
    out: JsonObject = {"threshold": value[0], "by": sorted(value[1])}
    if value[2] is not None:
        out["over"] = {"unit": value[2][0], "value": str(value[2][1])}
    return out


_CLOCK: Final = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9]))|24:00", re.ASCII)


def _minutes(value: Json, where: str) -> int:
    match = _CLOCK.fullmatch(value) if type(value) is str else None
    if match is None:
        raise error("shape", f"{where} is not a time of day from 00:00 to 24:00")
    return DAY if match[1] is None else int(match[1]) * 60 + int(match[2])


def _read_hours(value: Json, where: str) -> tuple[tuple[int, int], ...]:
    windows: list[tuple[int, int]] = []
    for pair in shape.array(value, where):
        if type(pair) is not list or len(pair) != 2:
            raise error("shape", f"{where} has a window that is not [from, to]")
        windows.append((_minutes(pair[0], where), _minutes(pair[1], where)))
    edges = [edge for window in windows for edge in window]
    if any(a >= b for a, b in zip(edges, edges[1:], strict=False)):
        raise error("shape", f"{where} must be windows in order that do not touch")
    return tuple(windows)


def _hours_narrow(parent: Any, child: Any) -> bool:
    return all(any(a <= c and d <= b for a, b in parent) for c, d in child)


def _hours_meet(a: Any, b: Any) -> Any:
    cuts = ((max(w[0], v[0]), min(w[1], v[1])) for w in a for v in b)
    return tuple(sorted(cut for cut in cuts if cut[0] < cut[1])) or None


def _hours_hold(limit: Any, _request: Request, at: int) -> bool:
    minute = at // 60 % DAY
    return any(start <= minute < end for start, end in limit)


def _write_hours(value: Any) -> Json:
    return [[f"{m // 60:02}:{m % 60:02}" for m in window] for window in value]


def _always(_limit: Any, _request: Request, _at: int) -> bool:
    return True


_ARGUMENT: Final = Kind(
    lambda value, where: argument.read(value, where, where),
    argument.narrows,
    argument.meet,
    _always,
    argument.write,
)

KINDS: Final[dict[str, Kind]] = {
    "audience": Kind(_read_dids, _subset, _set_meet, _always, sorted),
    "purpose": Kind(
        shape.string_set, _subset, _set_meet, lambda v, r, _: r.purpose in v, sorted
    ),
    "task": Kind(
        _read_task,
        _task_narrows,
        _task_meet,
        _task_holds,
        lambda v: {"id": v[0], "initiation": v[1]},
    ),
    "rows": Kind(
        _read_max,
        _no_higher,
        min,
        lambda v, r, _: r.rows is not None and r.rows <= v,
        lambda v: {"max": v},
    ),
    "bytes": Kind(
        _read_max,
        _no_higher,
        min,
        lambda v, r, _: r.bytes is not None and r.bytes <= v,
        lambda v: {"max": v},
    ),
    "columns": Kind(shape.string_set, _subset, _set_meet, _columns_hold, sorted),
    "budget": Kind(
        _read_budget,
        _budget_narrows,
        _budget_meet,
        _budget_holds,
        lambda v: {"ledger": v[0], "unit": v[1], "perAction": str(v[2]), "total": str(v[3])},
    ),
    "rate": Kind(
        _read_rate,
        _rate_narrows,
        _rate_meet,
        _always,
        lambda v: {"ledger": v[0], "count": v[1], "periodSeconds": v[2]},
    ),
    "dataClass": Kind(
        _read_data_class,
        _no_higher,
        min,
        _data_class_holds,
        lambda v: {"scheme": DATA_CLASS_SCHEME, "max": DATA_CLASSES[v]},
    ),
    "approval": Kind(
        _read_approval, _approval_narrows, _approval_meet, _always, _write_approval
    ),
    "hours": Kind(_read_hours, _hours_narrow, _hours_meet, _hours_hold, _write_hours),
    "network": Kind(
        _read_network,
        _network_narrows,
        _network_meet,
        _network_holds,
        lambda v: sorted(map(str, v)),
    ),
}
