"""Cedar decides: a signed policy set as the `Policy` of a resource.

    point = EnforcementPoint(ledger, trust, policy=CedarPolicy(PolicySet.load(path, trusted)))

What Cedar's two words say, and what a policy adds with annotations:

    permit                              allow
    permit  @narrow("rows=100,bytes=4096,columns=title|year")   modify
    forbid                              deny
    forbid  @effect("defer")            defer
    forbid  @effect("step_up")          step_up, perhaps with @approvers("did:…|did:…")
    either  @id("…")  @reason("…")      what people are told

Whatever nothing permits is denied. Of several that apply the strictest wins: deny, defer, step_up,
modify, allow. Narrowings meet. One policy that cannot be evaluated denies, whatever the others
say: Cedar alone would leave it out, a forbid as well.

Needs the extra ``policy``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import did, shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.resource import action_pattern, resource_pattern
from delegant.credentials.verdict import Limit
from delegant.w3c import extras

from .deciding import Decision, Effect
from .policyfacts import RESERVED, Unfit, schema, weighed
from .policyset import PolicySet

__all__ = ["CedarPolicy", "Rule", "check"]

_ANNOTATIONS: Final = {
    "permit": frozenset({"id", "reason", "narrow"}),
    "forbid": frozenset({"id", "reason", "effect", "approvers"}),
}
_STRICT: Final[tuple[Effect, ...]] = ("deny", "defer", "step_up")
MAX_RULES: Final = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy of a set, and what it answers where it applies."""

    name: str
    effect: Effect
    reason: str
    limits: Limit | None
    approvers: tuple[str, ...]


class CedarPolicy:
    """A policy set that can be asked.

    Args:
        policies: the set.
        production: whether the set must have been verified (`PolicySet.load`).

    Raises:
        Rejected: ``policy-unsigned``. Malformed: ``policy-format``. Unavailable:
        ``extra-missing``.
    """

    def __init__(self, policies: PolicySet, *, production: bool = True) -> None:
        if production and not policies.approved:
            raise error(
                "policy-unsigned", f"{policies.id} {policies.revision}: nobody saw a signature"
            )
        self._rules, parsed = _rules(policies)
        self._policy = (policies.id, str(policies.revision))
        self._declared = policies.facts
        self._cedar = extras.load("cedarpy", "policy")
        # Which apply is all that Cedar is asked, so that one evaluation tells of permits and
        # forbids alike; what follows of it is decided here.
        for one in parsed["staticPolicies"].values():
            one["effect"] = "permit"
        self._set = self._cedar.PolicySet.from_json_str(json.dumps(parsed))

    def decide(self, facts: JsonObject) -> Decision:
        """Decide over verified facts (`facts_of`).

        Raises:
            Unavailable: ``unavailable``: Cedar does not answer.
        """
        try:
            request, entities = weighed(facts, self._declared)
        except Unfit as exc:
            return self._answer("deny", [str(exc)])
        try:
            found = self._cedar.is_authorized(request, self._set, entities)
            failed, names = found.diagnostics.errors, found.diagnostics.reasons
            decided = found.decision is not self._cedar.Decision.NoDecision
        except BaseException as exc:  # a panic of the engine is no Exception
            if isinstance(exc, KeyboardInterrupt | SystemExit):
                raise
            raise error("unavailable", f"Cedar: {type(exc).__name__}") from None
        if failed or not decided:
            return self._answer("deny", ["a policy could not be evaluated"])
        return self._weigh([self._rules[name] for name in names], facts["sponsor"])

    def _weigh(self, held: list[Rule], sponsor: str) -> Decision:
        permits = [one for one in held if one.effect in ("allow", "modify")]
        for effect in _STRICT:
            found = [one for one in held if one.effect == effect]
            if found and (permits or effect == "deny"):
                approvers: tuple[str, ...] = ()
                if effect == "step_up":
                    approvers = _all_accept(found, sponsor)
                    if not approvers:
                        return self._answer("deny", ["no human may approve all that applies"])
                return self._answer(effect, _told(found), _least(permits), approvers)
        if not permits:
            return self._answer("deny", ["no policy permits it"])
        limits = _least(permits)
        return self._answer("allow" if limits is None else "modify", _told(permits), limits)

    def _answer(
        self,
        effect: Effect,
        reasons: Iterable[str],
        limits: Limit | None = None,
        approvers: tuple[str, ...] = (),
    ) -> Decision:
        return Decision(
            effect,
            self._policy,
            "; ".join(reasons),
            limits if effect != "deny" else None,
            approvers,
        )


def check(policies: PolicySet) -> tuple[Rule, ...]:
    """Hold a set to Cedar, to the schema of facts and to our annotations.

    Raises:
        Malformed: ``policy-format``, with everything that is wrong. Unavailable:
        ``extra-missing``.
    """
    return tuple(_rules(policies)[0].values())


# --- inside -------------------------------------------------------------------------------------


def _rules(policies: PolicySet) -> tuple[dict[str, Rule], Any]:
    """The policies by Cedar's names for them, and their JSON form."""
    cedar = extras.load("cedarpy", "policy")
    for place, names in policies.facts.items():
        ours = RESERVED[place] & names.keys()
        if ours:
            raise error("policy-format", f"facts.{place}.{min(ours)} is not yours to declare")
    try:
        parsed = json.loads(cedar.policies_to_json_str(policies.policies))
    except (ValueError, RecursionError) as exc:
        raise error("policy-format", f"not Cedar: {exc}") from None
    if parsed.get("templates") or parsed.get("templateLinks"):
        raise error("policy-format", "a template says nothing until it is linked")
    static = parsed["staticPolicies"]
    if not 0 < len(static) <= MAX_RULES:
        raise error("policy-format", f"a set has 1 to {MAX_RULES} policies")
    rules = {name: _rule(name, one) for name, one in static.items()}
    if len({one.name for one in rules.values()}) != len(rules):
        raise error("policy-format", "two policies have one id")
    actions = set()
    for kind, name in _entities(static):
        try:
            if kind == "Action":
                actions.add(action_pattern(name, "Action"))
            elif kind == "Resource":
                resource_pattern(name, "Resource")
        except Error as exc:
            raise error("policy-format", exc.detail) from None
    own = schema(actions, policies.facts)
    _asked(static, own[""])
    found = cedar.validate_policies(policies.policies, own)
    if not found.validation_passed:
        told = "; ".join(str(one) for one in found.errors) or "it does not fit the schema of facts"
        raise error("policy-format", told)
    return rules, parsed


def _rule(name: str, policy: JsonObject) -> Rule:
    notes = {key: value or "" for key, value in policy.get("annotations", {}).items()}
    word = policy["effect"]
    unknown = notes.keys() - _ANNOTATIONS[word]
    own = notes.get("id", name)
    if unknown:
        raise error("policy-format", f"{own}: @{min(unknown)} means nothing on a {word}")
    try:
        shape.text(own, "@id", 128)
        reason = shape.text(notes.get("reason", own), f"{own}: @reason")
        limits = _narrowing(notes["narrow"], own) if "narrow" in notes else None
        effect: Effect = "allow" if limits is None else "modify"
        if word == "forbid":
            effect = "deny"
            if "effect" in notes:
                wanted = shape.one_of(notes["effect"], f"{own}: @effect", ("defer", "step_up"))
                effect = "defer" if wanted == "defer" else "step_up"
        approvers: tuple[str, ...] = ()
        if "approvers" in notes:
            if effect != "step_up":
                raise error("shape", f'{own}: @approvers goes with @effect("step_up")')
            approvers = tuple([did.check(one) for one in notes["approvers"].split("|")])
    except Error as exc:
        raise error("policy-format", exc.detail) from None
    return Rule(own, effect, reason, limits, approvers)


def _narrowing(text: str, own: str) -> Limit:
    """``rows=100,bytes=4096,columns=title|year``, each once."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name in found or name not in ("rows", "bytes", "columns") or not value:
            raise error("shape", f"{own}: @narrow has rows=N, bytes=N, columns=NAME|NAME")
        found[name] = value
    numbers = {
        name: shape.integer(shape.decimal(found[name], f"{own}: @narrow {name}"), name)
        for name in ("rows", "bytes")
        if name in found
    }
    columns = None
    if "columns" in found:
        columns = shape.string_set([*found["columns"].split("|")], f"{own}: @narrow columns")
    return Limit(numbers.get("rows"), numbers.get("bytes"), columns)


def _entities(value: Any) -> Iterator[tuple[str, str]]:
    """Every entity that a policy names: ``{"type": …, "id": …}``, wherever it stands."""
    for one in _nodes(value):
        if one.keys() == {"type", "id"}:
            yield str(one["type"]), str(one["id"])


def _nodes(value: Any) -> Iterator[JsonObject]:
    """Every object inside a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is dict:
            yield one
            waiting.extend(one.values())
        elif type(one) is list:
            waiting.extend(one)


def _asked(value: Any, own: JsonObject) -> None:
    """Every fact asked for with ``has`` is one: Cedar takes a misspelt one for absent, for ever."""
    shapes: dict[str, Any] = {
        "principal": own["entityTypes"]["Agent"]["shape"],
        "resource": own["entityTypes"]["Resource"]["shape"],
        "context": next(iter(own["actions"].values()))["appliesTo"]["context"],
    }
    for node in _nodes(value):
        asked = node.get("has")
        if type(asked) is dict and asked.keys() == {"left", "attr"}:
            found = _shape(asked["left"], shapes)
            if found is None or asked["attr"] not in found.get("attributes", {}):
                raise error(
                    "policy-format",
                    f"`has {asked['attr']}`: no such fact; the set's `facts` can declare it",
                )


def _shape(expression: Any, shapes: dict[str, Any]) -> Any:
    """The type of ``context.task`` and its like; None for what is written otherwise."""
    if "Var" in expression:
        return shapes.get(expression["Var"])
    step = expression.get(".")
    if type(step) is not dict:
        return None
    found = _shape(step["left"], shapes)
    return None if found is None else found.get("attributes", {}).get(step["attr"])


def _told(rules: list[Rule]) -> list[str]:
    return sorted({one.reason for one in rules})


def _least(permits: list[Rule]) -> Limit | None:
    limits: Limit | None = None
    for one in permits:
        if one.limits is not None:
            limits = one.limits.meet(limits)
    return limits


def _all_accept(rules: list[Rule], sponsor: str) -> tuple[str, ...]:
    """Who may approve for each of them; the sponsor, where none are named."""
    accepted = [set(one.approvers or (sponsor,)) for one in rules]
    return tuple(sorted(set.intersection(*accepted)))
