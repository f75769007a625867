"""What each constraint lets pass, from the table of DESIGN alone: no code of the core is used.

Everything is read in its wire form and decided the slow way: sets are listed, times compared as
text, addresses as bits, ranges by counting through them.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

CLASSES = ["public", "internal", "confidential", "restricted"]


def allows(limits: Mapping[str, Any], asked: Mapping[str, Any], at: int, audience: str) -> bool:
    """Whether all constraints are kept, but for approvals, totals and rates (see below)."""
    return all(_keeps(kind, limit, asked, at, audience) for kind, limit in limits.items())


def _keeps(kind: str, limit: Any, asked: Mapping[str, Any], at: int, audience: str) -> bool:
    match kind:
        case "audience":
            return audience in limit
        case "purpose":
            return asked.get("purpose") in limit
        case "columns":
            return "columns" in asked and all(one in limit for one in asked["columns"])
        case "network":
            return "network" in asked and any(_inside(asked["network"], one) for one in limit)
        case "rows" | "bytes":
            return kind in asked and asked[kind] <= limit["max"]
        case "arguments":
            given = asked.get("arguments", {})
            return all(name in given and _is_one(given[name], limit[name]) for name in limit)
        case "task":
            task = asked.get("task", {})
            narrowed = [limit["initiation"], "agent_decision"]
            return task.get("id") == limit["id"] and task.get("initiation") in narrowed
        case "budget":
            amount = asked.get("amount", {})
            return amount.get("unit") == limit["unit"] and (
                int(amount["value"]) <= int(limit["perAction"])
            )
        case "dataClass":
            return asked.get("dataClass") in CLASSES[: CLASSES.index(limit["max"]) + 1]
        case "hours":
            now = time.strftime("%H:%M", time.gmtime(at))
            return any(start <= now < end for start, end in limit)
        case "rate" | "approval":
            return True
    raise AssertionError(f"the oracle does not know {kind}")


def _bits(address: str) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return "".join(f"{byte:08b}" for byte in socket.inet_pton(family, address))


def _inside(address: str, prefix: str) -> bool:
    network, length = prefix.split("/")
    ours, theirs = _bits(network), _bits(address)
    return len(ours) == len(theirs) and ours[: int(length)] == theirs[: int(length)]


def _is_one(given: Any, test: Mapping[str, Any]) -> bool:
    ((operator, operand),) = test.items()
    values: Iterable[Any]
    match operator:
        case "eq":
            values = [operand]
        case "in":
            values = operand
        case _:
            low, high = operand["min"], operand["max"]
            values = range(int(low), int(high) + 1)
            if isinstance(low, str):
                values = map(str, values)
    return any(type(given) is type(value) and given == value for value in values)


def needs_approval(constraints: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether an ``approval`` constraint asks for a human: by default, and above its amount."""
    rule = constraints.get("approval")
    if rule is None:
        return False
    amount, over = asked.get("amount"), rule.get("over")
    below = (
        over is not None
        and amount is not None
        and amount["unit"] == over["unit"]
        and int(amount["value"]) <= int(over["value"])
    )
    return not below


def approved(constraints: Mapping[str, Any], asked: Mapping[str, Any], by: frozenset[str]) -> bool:
    """Whether these approvers would be enough."""
    if not needs_approval(constraints, asked):
        return True
    rule = constraints["approval"]
    return len(by.intersection(rule["by"])) >= int(rule["threshold"])


@cache
def schedules(count: int, period: int, seconds: int) -> frozenset[tuple[int, ...]]:
    """Every way to act in so many seconds with at most ``count`` acts in any ``period`` of them.

    A schedule is the number of acts in each second; windows begin and end anywhere.
    """
    return frozenset(
        plan
        for plan in itertools.product(range(count + 1), repeat=seconds)
        if all(sum(plan[i : i + period]) <= count for i in range(seconds))
    )
