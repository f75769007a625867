"""The verdict on a constraint is the oracle's, for every kind, every value and every request.

And along a chain the last link decides: what it allows, every link above it allows too, because
each step only narrows. So a verifier that asks the last link has asked them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Link, Presentation, Request, Verdict, decide, did
from delegant.credentials.envelope import secure
from properties.oracle import allows, needs_approval
from properties.universe import (
    ANN,
    BEN,
    CAT,
    NOON,
    UNIVERSE,
    VALUES,
    Ask,
    allowed,
    budget,
    money,
    passing,
    rate,
)
from world import PAPERS, T0, Party, World

DAY = T0 - T0 % 86_400
KINDS = sorted(VALUES)
READ = [f"db.read {PAPERS}"]
WIDENED = {"scope-widened", "constraint-dropped"}


def brief(
    world: World, issuer: Party, subject: Party, above: tuple[Link, ...], rules: Mapping[str, Any]
) -> Link:
    """A link of one minute, which needs no status bits."""
    return world.delegate(
        issuer,
        subject,
        READ,
        above=above,
        seconds=60,
        remaining=3 - len(above),
        status=None,
        constraints=rules,
    )


def judged(world: World, links: list[Link], ask: Ask) -> Verdict:
    """What the verifier says to the holder of the chain; every ledger is its own."""
    trust = world.trust(verifier={"id": ask.audience, "ledgers": [ANN, BEN]})
    shown = world.present(links, ask.request, audience=ask.audience)
    return decide(shown, world.evidence(), trust, ask.request, at=world.now)


def expected(rules: Mapping[str, Any], ask: Ask) -> bool:
    """Whether the oracle lets the request pass, without anybody's approval."""
    asked = ask.request.json
    return allows(rules, asked, DAY + ask.at, ask.audience) and not needs_approval(rules, asked)


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_on_one_constraint_is_that_of_the_oracle(kind: str) -> None:
    seen: set[str | None] = set()
    for at in sorted({ask.at for ask in UNIVERSE[kind]}):
        world = World(now=DAY + at)
        ana = world.human("ana")
        bot = world.agent("bot", ana)
        now = {ask.request.digest + ask.audience: ask for ask in UNIVERSE[kind] if ask.at == at}
        for value in VALUES[kind]:
            link = world.delegate(
                ana, bot, READ, status=None, seconds=60, constraints={kind: value}
            )
            for ask in now.values():
                said = judged(world, [link], ask)
                assert (said.state == "accepted") == expected({kind: value}, ask), (value, ask)
                if said.code is not None:
                    assert (said.dimension or said.code).startswith(kind), (value, ask, said)
                    assert said.link == 0
                seen.add(said.code)
    refusal = {"audience": "audience", "task": "task-mismatch", "approval": "approval-missing"}
    assert seen == ({None} if kind == "rate" else {None, refusal.get(kind, "constraint")})


# --- chains --------------------------------------------------------------------------------


def drawn_rules(draw: Any, above: Mapping[str, Any]) -> dict[str, Any]:
    """Constraints that restate those above by values that allow less, and perhaps some more."""
    rules: dict[str, Any] = {}
    for kind, value in above.items():
        passes = passing(kind)
        limit = allowed(kind, value)
        less = [VALUES[kind][i] for i, some in enumerate(passes) if some <= limit]
        rules[kind] = draw(st.sampled_from(less))
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=3, unique=True)):
        if kind not in rules:
            rules[kind] = draw(st.sampled_from(VALUES[kind]))
    return rules


def drawn_ask(draw: Any, rules: Mapping[str, Any], at: int, audience: str) -> Ask:
    """A request with a fact for each rule, mostly one that the rule lets pass."""
    facts: dict[str, Any] = {}
    for kind, value in rules.items():
        passes = allowed(kind, value)
        good = [
            a for i, a in enumerate(UNIVERSE[kind]) if i in passes or kind in ("budget", "rate")
        ]
        choice = good if good and draw(st.integers(0, 7)) else UNIVERSE[kind]
        facts |= draw(st.sampled_from(choice)).request.json
    facts |= {"action": "db.read", "resource": "urn:acme:papers:17"}
    return Ask(Request.from_json(facts), at, audience)


def drawn_asks(draw: Any, effective: list[dict[str, Any]], at: int) -> list[Ask]:
    """Requests near what the last of these authorities allows."""
    rules = effective[-1] if effective else {}
    facts: list[dict[str, Any]] = [{}]
    for kind in rules:
        facts = [a | b.request.json for a in facts[:4] for b in draw(some_asks(kind))]
    where = {"action": "db.read", "resource": "urn:acme:papers:17"}
    return [Ask(Request.from_json(one | where), at, ANN) for one in facts]


def some_asks(kind: str) -> st.SearchStrategy[list[Ask]]:
    return st.lists(st.sampled_from(UNIVERSE[kind]), min_size=1, max_size=4)


def drawn_world(draw: Any) -> tuple[World, Party, dict[str, Any], int]:
    """A world at some time of the day, and a human with entitlements of their own."""
    at = draw(st.sampled_from([NOON, *sorted({ask.at for ask in UNIVERSE["hours"]})]))
    world = World(now=DAY + at, form=draw(st.sampled_from(["di", "jwt"])))
    own = drawn_rules(draw, {}) if draw(st.booleans()) else {}
    return world, world.human("ana", constraints=own), own, at


@settings(max_examples=80)
@given(data=st.data())
def test_what_the_last_link_allows_every_link_above_allows(data: Any) -> None:
    """For every kind of constraint, audience, hours and approval included, in both directions."""
    world, ana, own, at = drawn_world(data.draw)
    links: list[Link] = []
    rules: list[dict[str, Any]] = []
    holder = ana
    for index in range(data.draw(st.integers(1, 4))):
        agent = world.agent(f"agent-{index}", ana)
        drawn = drawn_rules(data.draw, rules[-1] if rules else {})
        try:
            link = brief(world, holder, agent, tuple(links), drawn)
        except Error as exc:  # allows less in our universe, and yet is not known to be narrower
            assert exc.code in WIDENED
            break
        links.append(link)
        rules.append(drawn)
        holder = agent
    for _ in range(4 if rules else 0):
        audience = data.draw(st.sampled_from([ANN, ANN, BEN, CAT]))
        ask = drawn_ask(data.draw, rules[-1], at, audience)
        human = expected(own, ask)
        before = True
        effective: list[dict[str, Any]] = []
        for length, leaf in enumerate(rules, 1):
            said = judged(world, links[:length], ask)
            accepted = said.state == "accepted"
            assert accepted == (human and expected(leaf, ask)), (leaf, own, ask, said)
            assert before or not accepted, "a longer chain allows more"
            assert not accepted or all(expected(above, ask) for above in rules[:length])
            before = accepted
            yes = said.authorization
            if yes is not None and yes.effective.grants:
                effective.append(yes.effective.json.get("constraints", {}))
        for some in drawn_asks(data.draw, effective, at):
            lets = [expected(one, some) for one in effective]
            assert lets == sorted(lets, reverse=True), "a longer chain has more authority"
            assert not lets or not lets[-1] or expected(own, some)


@pytest.mark.parametrize("kind", KINDS)
def test_issuer_and_verifier_agree_on_what_is_narrower(kind: str) -> None:
    """A dishonest issuer signs any value; the verifier then says what the honest issuer was told.

    And where it says yes, the values lie in each other as the oracle sees them.
    """
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    parents = VALUES[kind][:: max(1, len(VALUES[kind]) // 9)]
    told: set[str | None] = set()
    for value in parents:
        rules = {kind: value}
        parent = brief(world, ana, one, (), rules)
        plain = brief(world, one, two, (parent,), rules)
        for number, child in enumerate([*VALUES[kind], None]):
            drawn = {} if child is None else {kind: child}
            honest: str | None = None
            try:
                brief(world, one, two, (parent,), drawn)
            except Error as exc:
                honest = exc.code
            shown = presented_anyway(world, parent, plain, drawn, one)
            asked = UNIVERSE[kind][0].request
            said = decide(shown, world.evidence(), world.trust(), asked, at=world.now)
            verdict = said.code if said.phase == 5 else None
            assert verdict == honest, (value, child)
            told.add(honest)
            if honest is None:
                passes = passing(kind)
                assert passes[number] <= allowed(kind, value)
    assert told == {None, *WIDENED}


def presented_anyway(
    world: World, parent: Link, child: Link, rules: Mapping[str, Any], issuer: Party
) -> Presentation:
    """The chain with other constraints in its last link, signed by its issuer all the same."""
    document = {name: value for name, value in child.secured.document.items() if name != "proof"}
    subject = document["credentialSubject"]
    delegation = {k: v for k, v in subject["delegation"].items() if k != "constraints"}
    delegation |= {"constraints": rules} if rules else {}
    document["credentialSubject"] = subject | {"delegation": delegation}
    method = did.vm_of(did.Did(issuer.did))
    forged = secure(document, issuer.key, method, world.now, "di")
    honest = world.present([parent, child], Request("db.read", "urn:acme:papers:17"))
    return Presentation((parent.secured, forged), honest.invocation)


SEPARATE: dict[str, tuple[Any, Any]] = {
    "approval": (
        {"threshold": 1, "by": [ANN], "over": money(2)},
        {"threshold": 1, "by": [BEN], "over": money(2)},
    ),
    "budget": (budget(2, 2, ANN), budget(2, 2, BEN)),
    "rate": (rate(1, 1, ANN), rate(1, 1, BEN)),
}
"""Rules of the human and of the link that have no meet, and yet let one request pass."""


@pytest.mark.parametrize("kind", sorted(SEPARATE))
def test_what_is_accepted_lies_in_the_effective_authority(kind: str) -> None:
    own, rules = SEPARATE[kind]
    world = World()
    ana = world.human("ana", constraints={kind: own})
    link = brief(world, ana, world.agent("bot", ana), (), {kind: rules})
    said = judged(world, [link], Ask(Request("db.read", "urn:acme:papers:17", amount=money(1))))
    assert said.authorization is not None
    assert said.authorization.effective.covers("db.read", "urn:acme:papers:17")
