"""Cedar decides: the five effects, the strictest of several, and nothing from the facts' text."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Request
from delegant.credentials.verdict import Limit
from delegant.governance.deciding import Decision
from delegant.governance.enforcing import EnforcementPoint
from delegant.governance.policies import CedarPolicy, check
from governance.auditing import TOPIC, Auditing
from governance.policing import ALL, ANA, BOT, LISTING3, cedar, facts, policy_set, trust
from refusal import refusal

INSIDE = {"sourceSegment": "internal", "resource": {"dataSensitivity": "low"}}
ANY = "(principal, action, resource)"
BEN = "did:web:acme.example:people:ben"


def answer(text: str, **more: Any) -> Decision:
    return cedar(text).decide(facts(**more))


@pytest.mark.parametrize(
    ("more", "effect"),
    [
        ({"context": INSIDE}, "allow"),
        ({"context": INSIDE | {"sourceSegment": "dmz"}}, "deny"),
        ({"context": INSIDE | {"resource": {"dataSensitivity": "high"}}}, "deny"),
        ({"context": INSIDE, "action": "db.write"}, "deny"),
        ({"context": INSIDE, "resource": "urn:acme:wages:17"}, "deny"),
        ({"context": INSIDE, "tools": ("web.read",)}, "deny"),
        ({"context": INSIDE, "tools": ()}, "deny"),
        ({"context": INSIDE, "identity": {}}, "deny"),
        ({"context": {"sourceSegment": "internal"}}, "deny"),
        ({}, "deny"),
    ],
)
def test_the_third_listing_of_the_paper(more: dict[str, Any], effect: str) -> None:
    told = answer(LISTING3, **more)
    assert (told.effect, told.policy) == (effect, ("acme-db", "1"))
    assert told.reason == (
        "reading a table that is not sensitive, from inside"
        if effect == "allow"
        else "no policy permits it"
    )


def test_an_identity_of_an_agent_above_is_not_that_of_the_actor() -> None:
    other = facts(context=INSIDE)
    assert cedar(LISTING3).decide(other).effect == "allow"
    other["identity"]["id"] = "did:web:acme.example:agents:parent"
    assert cedar(LISTING3).decide(other).effect == "deny"


STEP = f'@id("big") @effect("step_up") forbid {ANY};'
LATER = f'@id("night") @effect("defer") forbid {ANY};'
NEVER = f'@id("never") forbid {ANY};'
SOME = f'@id("some") @narrow("rows=100,columns=title|year") permit {ANY};'
FEWER = f'@id("fewer") @narrow("rows=10,bytes=4096,columns=title|name") permit {ANY};'


@pytest.mark.parametrize(
    ("text", "effect", "limits", "reason"),
    [
        (ALL, "allow", None, "policy0"),
        (SOME, "modify", Limit(100, None, frozenset({"title", "year"})), "some"),
        (ALL + SOME, "modify", Limit(100, None, frozenset({"title", "year"})), "policy0; some"),
        (SOME + FEWER, "modify", Limit(10, 4096, frozenset({"title"})), "fewer; some"),
        (SOME + STEP, "step_up", Limit(100, None, frozenset({"title", "year"})), "big"),
        (ALL + STEP, "step_up", None, "big"),
        (ALL + STEP + LATER, "defer", None, "night"),
        (ALL + STEP + LATER + NEVER, "deny", None, "never"),
        (NEVER + SOME, "deny", None, "never"),
        (STEP, "deny", None, "no policy permits it"),  # an approval is no permission
        (LATER, "deny", None, "no policy permits it"),
        (f"permit {ANY} when {{false}};" + LATER, "deny", None, "no policy permits it"),
        (ALL + f"forbid {ANY} unless {{true}};", "allow", None, "policy0"),
    ],
)
def test_the_strictest_of_those_that_apply(
    text: str, effect: str, limits: Limit | None, reason: str
) -> None:
    told = answer(text)
    assert (told.effect, told.limits, told.reason) == (effect, limits, reason)
    assert told.policy == ("acme-db", "1")


@pytest.mark.parametrize(
    ("notes", "approvers"),
    [
        (("",), (ANA,)),
        ((f'@approvers("{BEN}")',), (BEN,)),
        ((f'@approvers("{BEN}|{ANA}")',), tuple(sorted((ANA, BEN)))),
        ((f'@approvers("{BEN}|{ANA}")', ""), (ANA,)),
        ((f'@approvers("{BEN}")', ""), None),  # no one human may approve both
    ],
)
def test_who_may_approve_is_who_may_approve_all(
    notes: tuple[str, ...], approvers: tuple[str, ...] | None
) -> None:
    text = ALL + "".join(f'@effect("step_up") {note} forbid {ANY};' for note in notes)
    told = answer(text)
    assert told.effect == ("deny" if approvers is None else "step_up")
    assert told.approvers == (approvers or ())


def test_a_policy_that_cannot_be_evaluated_denies() -> None:
    """Cedar leaves it out and goes on: a forbid that fails would forbid nothing."""
    overflow = f"forbid {ANY} when {{ context has rows && context.rows * 9000000000 > 5 }};"
    assert answer(ALL + overflow, asked={"rows": 1}).effect == "deny"
    assert answer(ALL + overflow).effect == "allow"
    told = answer(ALL + overflow, asked={"rows": 2**53 - 1})
    assert (told.effect, told.reason) == ("deny", "a policy could not be evaluated")
    permit = f"permit {ANY} when {{ context has rows && context.rows * 9000000000 > 5 }};"
    assert answer(ALL + permit, asked={"rows": 2**53 - 1}).effect == "deny"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"context": {"trustScore": 7}}, None),
        ({"context": {"trustScore": "7"}}, "context.trustScore is no Long"),
        ({"context": {"trustScore": True}}, "context.trustScore is no Long"),
        ({"context": {"trustScore": 0.5}}, "context.trustScore is no Long"),
        ({"context": {"trustScore": None}}, "context.trustScore is no Long"),
        ({"context": {"trustScore": 2**63}}, "context.trustScore is no Long"),
        ({"context": {"sourceSegment": {"__entity": {"type": "Human", "id": ANA}}}},
         "context.sourceSegment is no String"),
        ({"context": {"resource": "all"}}, "what the context says of the resource is no object"),
        ({"asked": {"arguments": {"customer": 5}}}, "arguments.customer is no String"),
        ({"asked": {"amount": {"unit": "EUR:2", "value": "9" * 20}}},
         "the amount is more than a policy can count"),
        ({"asked": {"amount": {"unit": "EUR:2", "value": "9" * 18}}}, None),
        ({"context": {"undeclared": {"a": 1}}}, None),
    ],
)  # fmt: skip
def test_a_fact_that_is_not_what_was_declared_denies(
    more: dict[str, Any], reason: str | None
) -> None:
    told = answer(ALL, **more)
    assert (told.effect, told.reason) == (
        ("allow", "policy0") if reason is None else ("deny", reason)
    )


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ('context.time < datetime("2026-10-01T00:00:00Z")', {}),
        ("context has rows && context.rows == 5", {"rows": 5}),
        ('context has columns && ["title", "year"].containsAll(context.columns)',
         {"columns": ["title"]}),
        ('context has network && context.network.isInRange(ip("10.0.0.0/8"))',
         {"network": "10.1.2.3"}),
        ("context has amount && context.amount.value < 1000",
         {"amount": {"unit": "EUR:2", "value": "999"}}),
        ('context has task && context.task.initiation == "schedule"',
         {"task": {"id": "t", "initiation": "schedule"}}),
        ('resource has dataClass && resource.dataClass == "public"', {"dataClass": "public"}),
        ('context has arguments && context.arguments has customer && '
         'context.arguments.customer == "c1"', {"arguments": {"customer": "c1", "other": 5}}),
        ('context has purpose && context.purpose like "audit*"', {"purpose": "audit 2026"}),
        ('context has method && context.method == "GET"', {"method": "GET"}),
        ("principal.depth == 1 && !principal.identity.spawn", {}),
        ('action in Action::"db.*"', {}),
        ('resource in Resource::"urn:acme:**" && resource.uri like "urn:acme:papers:*"', {}),
        (f'principal in Human::"{ANA}" && principal.sponsor == Human::"{ANA}"', {}),
        ('principal in Organization::"did:web:acme.example"', {}),
        (f'principal == Agent::"{BOT}" && principal.path.contains("{ANA}")', {}),
    ],
)  # fmt: skip
def test_what_a_policy_may_ask(condition: str, asked: dict[str, Any]) -> None:
    condition = condition.replace("!principal.identity", "principal has identity && "
                                  "!principal.identity")  # fmt: skip
    text = f"permit {ANY} when {{ {condition} }};"
    assert answer(text, asked=asked).effect == "allow"
    assert answer(f"permit {ANY} unless {{ {condition} }};", asked=asked).effect == "deny"


# --- attack row 21: text of facts is no text of a policy ----------------------------------------

HOSTILE = (
    '"; permit (principal, action, resource); //',
    '" || true || "" == "',
    'x" } ; permit(principal,action,resource) when { "a" == "a',
    '\\"); permit (principal, action, resource); @effect("defer") forbid',
    'Resource::"urn:acme:papers:17"',
    '{"__entity": {"type": "Human", "id": "did:web:acme.example:people:ana"}}',
    '{"__extn": {"fn": "ip", "arg": "10.0.0.1"}}',
    "urn:acme:papers:**",
    "*",
    "\n\0\r",
    "\u202epermit",
    "${jndi}{{7*7}}%s",
    "?principal",
    "x" * 100_000,
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "place", ["agent", "sponsor", "organization", "resource", "action", "purpose", "argument",
              "context", "path", "grant", "tool"],
)  # fmt: skip
def test_text_of_a_fact_is_never_text_of_a_policy(text: str, place: str) -> None:
    more: dict[str, Any] = {"context": INSIDE}
    if place == "purpose":
        more["asked"] = {"purpose": text}
    elif place == "argument":
        more["asked"] = {"arguments": {"customer": text, text: text, "__entity": text}}
    elif place == "context":
        more["context"] = INSIDE | {"sourceSegment": text, text: "internal"}
    elif place == "path":
        more["path"] = [text, BOT]
    elif place == "tool":
        more["tools"] = (text,)
    else:
        more[place] = text
    told = cedar(LISTING3).decide(facts(**more))
    harmless = place in ("sponsor", "organization", "purpose", "argument", "path", "grant")
    assert told.effect == ("allow" if harmless else "deny")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_fact_loosens_no_forbid(text: str) -> None:
    policy = cedar(ALL + 'forbid (principal, action, resource in Resource::"urn:acme:wages:**");')
    more: dict[str, Any] = {
        "asked": {"purpose": text, "arguments": {"customer": text}},
        "context": {"sourceSegment": text}, "agent": text, "sponsor": text, "path": [text],
    }  # fmt: skip
    assert policy.decide(facts(resource="urn:acme:wages:1", **more)).effect == "deny"
    assert policy.decide(facts(resource="urn:acme:papers:1", **more)).effect == "allow"


# --- what is refused before anybody signs it ----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("permit (principal, action", "not Cedar"),
        ("// nothing", "1 to 1000 policies"),
        ("permit (principal == ?principal, action, resource);", "template"),
        (f'@narow("rows=1") permit {ANY};', "@narow means nothing"),
        (f'@narrow("rows=1") forbid {ANY};', "@narrow means nothing on a forbid"),
        (f'@effect("step_up") permit {ANY};', "@effect means nothing on a permit"),
        (f'@effect("allow") forbid {ANY};', "defer, step_up"),
        (f'@effect("deny") forbid {ANY};', "defer, step_up"),
        (f'@narrow("rows=-1") permit {ANY};', "narrow"),
        (f'@narrow("rows=01") permit {ANY};', "narrow"),
        (f'@narrow("rows=1,rows=2") permit {ANY};', "narrow"),
        (f'@narrow("cells=1") permit {ANY};', "narrow"),
        (f'@narrow("columns=") permit {ANY};', "narrow"),
        (f'@narrow("columns=a|a") permit {ANY};', "twice"),
        (f"@narrow permit {ANY};", "narrow"),
        (f'@approvers("{BEN}") forbid {ANY};', "goes with"),
        (f'@effect("step_up") @approvers("ben") forbid {ANY};', "DID"),
        (f'@id("a") permit {ANY}; @id("a") forbid {ANY};', "one id"),
        (f"permit {ANY} when {{ context.rows < 5 }};", "rows"),  # it may be absent
        (f"permit {ANY} when {{ context has trust && context.trust }};", "has trust"),
        (f"forbid {ANY} when {{ context has trustScor && 1 == 1 }};", "has trustScor"),
        (f"forbid {ANY} when {{ context has task.idd }};", "has idd"),
        (f"forbid {ANY} unless {{ principal has identitty }};", "has identitty"),
        (f"forbid {ANY} when {{ (if true then context else context) has rows }};", "has rows"),
        (f'permit {ANY} when {{ context has trustScore && context.trustScore < "7" }};', "Long"),
        (f"permit {ANY} when {{ context.nothing }};", "nothing"),
        (f'permit {ANY} when {{ principal == User::"a" }};', "User"),
        ('permit (principal, action == Action::"db read", resource);', "Action"),
        ('permit (principal, action, resource == Resource::"papers");', "Resource"),
        ('permit (principal, action, resource in Resource::"urn:acme:*:x");', "Resource"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anybody_signs(text: str, told: str) -> None:
    with pytest.raises(Exception, match="policy-format") as refused:
        check(policy_set(text))
    assert told in str(refused.value)
    assert refusal(lambda: CedarPolicy(policy_set(text).verified(trust()))) == "policy-format"


@pytest.mark.parametrize(
    "text",
    [
        LISTING3,
        ALL,
        SOME + FEWER + STEP + LATER + NEVER,
        f'forbid {ANY} when {{ context has task.id && context.task.id like "a*" }};',
        f"forbid {ANY} when {{ principal has identity && principal.identity.spawn }};",
    ],
)
def test_what_is_right_is_told_by_rules(text: str) -> None:
    assert [one.effect for one in check(policy_set(text))]


def test_a_name_of_ours_is_not_declared_again() -> None:
    for place, name in (("context", "time"), ("resource", "uri"), ("context", "arguments")):
        draft = policy_set(facts={place: {name: "String"}})
        assert refusal(lambda draft=draft: check(draft)) == "policy-format"
    assert refusal(lambda: check(policy_set(facts={"context": {"hour": "Long"}}))) == ""


def test_without_the_extra_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cedarpy", None)
    with pytest.raises(Exception, match=r"delegant\[policy\]"):
        cedar(ALL)


# --- at the enforcement point -------------------------------------------------------------------

READ = Request("db.read", TOPIC, rows=5, columns=("title",))


@pytest.mark.parametrize(
    ("text", "segment", "code"),
    [
        (LISTING3, "internal", ""),
        (LISTING3, "dmz", "policy"),
        (ALL + NEVER, "internal", "policy"),
        (ALL + LATER, "internal", "policy-deferred"),
        (ALL + STEP, "internal", "approval-missing"),
    ],
)
def test_it_stands_before_a_resource_and_is_on_record(
    local: Auditing, text: str, segment: str, code: str
) -> None:
    told = {"sourceSegment": segment, "resource": {"dataSensitivity": "low"}}
    at = EnforcementPoint(
        local.ledger, local.world.trust(), policy=cedar(text), context=lambda _auth: told,
        clock=lambda: local.now,
    )  # fmt: skip
    link = local.link(constraints={"rows": {"max": 5}, "columns": ["title", "year"]})
    shown = local.world.present([link], READ).to_bytes()

    def run() -> None:
        with at.acting(shown, local.world.evidence().to_bytes(), READ) as act:
            act.result(rows=1, columns={"title"})

    assert refusal(run) == code
    told_of = [one for one in local.records() if one.type != "outcome"]
    assert len(told_of) == 1
    for one in told_of:
        assert (one.json["policyId"], one.json["policyVersion"]) == ("acme-db", "1")


def test_what_is_approved_is_approved_no_wider(local: Auditing) -> None:
    from delegant.credentials import approve

    world = local.world
    at = EnforcementPoint(
        local.ledger, world.trust(), clock=lambda: local.now,
        policy=cedar(f'@narrow("rows=2") permit {ANY};' + STEP),
    )  # fmt: skip
    link = local.link(constraints={"rows": {"max": 5}, "columns": ["title"]})
    token = approve(
        local.ana.key, human=local.ana.did, chain=[link], request=READ, audience=world.db.did,
        at=world.now,
    )  # fmt: skip
    shown = world.present([link], READ, approvals=[token]).to_bytes()
    with at.acting(shown, world.evidence().to_bytes(), READ) as act:
        assert act.limits == Limit(2, None, frozenset({"title"}))
        act.result(rows=2, columns={"title"})


def test_weighing_spends_nothing_and_leaves_no_record(local: Auditing) -> None:
    at = EnforcementPoint(
        local.ledger, local.world.trust(), policy=cedar(ALL), clock=lambda: local.now
    )
    shown = local.world.present([local.link()], READ).to_bytes()
    evidence = local.world.evidence().to_bytes()
    for _ in range(3):
        found = at.weighing(shown, evidence, READ)
        assert (found.refused, found.decision.effect) == (None, "allow")
    assert not local.records()
    with at.acting(shown, evidence, READ) as act:  # it is still new
        act.result(rows=1, columns={"title"})
    other = at.weighing(shown, evidence, Request("db.read", "urn:acme:papers:18"))
    assert other.refused is not None
    assert other.refused.code == "request-mismatch"
