"""Authority: grants and constraints, the order between authorities, and their meet.

An *authority* is a list of grants (each a set of actions on a set of resources) under a set of
constraints. A link carries one; so do a human's entitlements and an anchor's ceiling.
`attenuates` is the partial order that every chain must descend (DESIGN, rules 7 to 13).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from . import constraint, shape
from .budget import Budget
from .codec import Json, JsonObject
from .constraint import Constraints
from .errors import error
from .resource import (
    action_pattern,
    covering_actions,
    covering_resources,
    covers_action,
    covers_resource,
    meet_actions,
    meet_resources,
    resource_pattern,
)

__all__ = ["Authority", "Grant", "attenuates", "meet", "parse", "parse_grants"]

MAX_GRANTS: Final = 32
MAX_ACTIONS: Final = 16
MAX_RESOURCES: Final = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """Every action listed, on every resource listed."""

    actions: frozenset[str]
    resources: frozenset[str]

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {"actions": sorted(self.actions), "resources": sorted(self.resources)}


@dataclass(frozen=True, slots=True)
class Authority:
    """What may be done. Without grants: nothing."""

    grants: tuple[Grant, ...]
    constraints: Constraints = field(default_factory=dict)

    @property
    def json(self) -> JsonObject:
        """The wire form; without constraints, without that member."""
        out: JsonObject = {"grants": [grant.json for grant in self.grants]}
        if self.constraints:
            out["constraints"] = constraint.to_json(self.constraints)
        return out

    def covers(self, action: str, resource: str) -> bool:
        """Whether one grant covers both."""
        return self.reaches(covering_actions(action), covering_resources(resource))

    def reaches(self, actions: frozenset[str], resources: frozenset[str]) -> bool:
        """`covers`, by the patterns that cover the action and those that cover the resource."""
        for grant in self.grants:
            if not (actions.isdisjoint(grant.actions) or resources.isdisjoint(grant.resources)):
                return True
        return False


def parse_grants(value: Json, where: str = "grants") -> tuple[Grant, ...]:
    """Read a list of grants.

    Raises:
        Malformed: ``shape``, ``unknown-member``, ``empty-array``. LimitExceeded: ``limit-items``.
    """
    return shape.array_of(value, where, _grant, MAX_GRANTS)


def _grant(value: Json, where: str) -> Grant:
    shape.closed(value, where, frozenset({"actions", "resources"}))
    return Grant(
        shape.string_set(value["actions"], f"{where}.actions", action_pattern, MAX_ACTIONS),
        shape.string_set(value["resources"], f"{where}.resources", resource_pattern, MAX_RESOURCES),
    )


def parse(value: JsonObject, where: str) -> Authority:
    """Read the members ``grants`` and, where present, ``constraints`` of an object."""
    grants = parse_grants(value["grants"], f"{where}.grants")
    if "constraints" not in value:
        return Authority(grants)
    return Authority(grants, constraint.parse(value["constraints"], f"{where}.constraints"))


def attenuates(parent: Authority, child: Authority, budget: Budget | None = None) -> None:
    """Return if the child allows nothing that the parent does not.

    Raises:
        Rejected: ``scope-widened`` (dimension ``grants`` or a constraint's),
            ``constraint-dropped``. LimitExceeded: ``limit-comparisons``.
    """
    for grant in child.grants:
        if grant in parent.grants:
            continue
        if budget is not None:
            pairs = len(grant.actions) * len(grant.resources)
            budget.compare(pairs * sum(len(g.actions) + len(g.resources) for g in parent.grants))
        resources = {name: covering_resources(name) for name in grant.resources}
        for action in grant.actions:
            actions = covering_actions(action)
            for resource, above in resources.items():
                # Pair by pair, and each inside one grant: read@A and write@B make no write@A.
                if not parent.reaches(actions, above):
                    raise error(
                        "scope-widened",
                        f"{action} on {resource} is not granted above",
                        dimension="grants",
                    )
    constraint.narrows(parent.constraints, child.constraints)


def meet(a: Authority, b: Authority, *, apart: frozenset[str] = frozenset()) -> Authority:
    """What both allow. Nothing in common gives an authority without grants.

    Args:
        apart: dimensions of which ``a``'s is kept where the two cannot be said as one.
    """
    constraints = constraint.meet(a.constraints, b.constraints, apart)
    if constraints is None:
        return Authority(())
    pairs: set[tuple[str, str]] = set()
    for x, y in itertools.product(a.grants, b.grants):
        actions = {meet_actions(m, n) for m in x.actions for n in y.actions} - {None}
        resources = {meet_resources(m, n) for m in x.resources for n in y.resources} - {None}
        pairs.update(itertools.product(actions, resources))  # type: ignore[arg-type]
    return Authority(_gather(pairs), constraints)


def _gather(pairs: set[tuple[str, str]]) -> tuple[Grant, ...]:
    """Pairs as few grants, in normal form: no pair inside another, one grant a resource set."""
    all_of: dict[str, set[str]] = {}
    for action, resource in pairs:
        all_of.setdefault(action, set()).add(resource)
    # Only a wildcard covers another pattern, so most pairs need no comparing at all.
    above_action = _covering(set(all_of), covers_action)
    above_resource = _covering({resource for _, resource in pairs}, covers_resource)
    by_resources: dict[frozenset[str], set[str]] = {}
    for action, resources in all_of.items():
        wider = [all_of[other] for other in above_action[action]]
        lasting = frozenset(
            resource
            for resource in resources
            if resources.isdisjoint(above_resource[resource])
            and not any(resource in all_ or not all_.isdisjoint(above_resource[resource])
                        for all_ in wider)
        )  # fmt: skip
        if lasting:
            by_resources.setdefault(lasting, set()).add(action)
    grants = [Grant(frozenset(actions), rs) for rs, actions in by_resources.items()]
    return tuple(sorted(grants, key=lambda g: (sorted(g.actions), sorted(g.resources))))


def _covering(patterns: set[str], covers: Callable[[str, str], bool]) -> dict[str, frozenset[str]]:
    """For each pattern, the others that cover it."""
    wild = [pattern for pattern in patterns if pattern.endswith("*")]
    return {p: frozenset(w for w in wild if w != p and covers(w, p)) for p in patterns}
