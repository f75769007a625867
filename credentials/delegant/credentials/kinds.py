"""The kinds of constraint: for each its reader, its order, its meet, its test and its writer.

`constraint` tells what they mean; this file is the table it looks them up in. Normal values
are plain Python: a frozenset for a set, an int for a maximum, a tuple for the rest.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from . import did, shape
from .codec import Json, JsonObject
from .errors import error
from .request import DATA_CLASSES, INITIATIONS, Request, plain_address

__all__ = ["KINDS", "Kind", "always"]

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
        if not plain_address(net.network_address):
            raise error("shape", f"{where}: {item!r} has a zone, or an IPv4 address inside")
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
    return amount is not None and amount["unit"] == limit[1] and int(amount["value"]) <= limit[2]


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
    fewer = child[0] >= parent[0] and child[1] <= parent[1]
    return bool(fewer) and _over_narrows(parent[2], child[2])


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
    if any(a >= b for a, b in itertools.pairwise(edges)):
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


def always(_limit: Any, _request: Request, _at: int) -> bool:
    """The test of what is judged elsewhere: by the invocation, the ledger or a human."""
    return True


KINDS: Final[dict[str, Kind]] = {
    "audience": Kind(_read_dids, _subset, _set_meet, always, sorted),
    "purpose": Kind(shape.string_set, _subset, _set_meet, lambda v, r, _: r.purpose in v, sorted),
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
        always,
        lambda v: {"ledger": v[0], "count": v[1], "periodSeconds": v[2]},
    ),
    "dataClass": Kind(
        _read_data_class,
        _no_higher,
        min,
        _data_class_holds,
        lambda v: {"scheme": DATA_CLASS_SCHEME, "max": DATA_CLASSES[v]},
    ),
    "approval": Kind(_read_approval, _approval_narrows, _approval_meet, always, _write_approval),
    "hours": Kind(_read_hours, _hours_narrow, _hours_meet, _hours_hold, _write_hours),
    "network": Kind(
        _read_network,
        _network_narrows,
        _network_meet,
        _network_holds,
        lambda v: sorted(map(str, v)),
    ),
}
