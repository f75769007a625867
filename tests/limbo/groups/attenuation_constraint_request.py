"""A request against the constraints of every link: met at the edge, broken beyond it, or silent.

A block of the table is one constraint and the facts that just meet it; each row changes the
facts. A fact that is not said is a refusal: silence satisfies nothing.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from altered import both
from delegant.credentials import canonical, digest
from draft import Draft
from limbo.forge import Alter, Case
from limbo.groups.attenuation_constraint import (
    ANA,
    DB,
    ORG,
    approval,
    budget,
    data,
    pair,
    rate,
    span,
    task,
)
from limbo.rows import accepted, group, malformed, rejected, undecided
from world import T0


def asked(facts: dict[str, Any]) -> Alter:
    """A request with these facts; ``...`` leaves one out."""

    def alter(d: Draft) -> None:
        for name, value in facts.items():
            if value is ...:
                d.request.pop(name, None)
            else:
                d.request[name] = copy.deepcopy(value)
        d.claims["request"] = digest(canonical(d.request))

    return alter


@dataclass(frozen=True)
class Block:
    """One constraint of the second link (and, as another case, of both).

    ``met`` are facts that meet it. Rows are (name, facts, outcome, why): an outcome is True, a
    code of a refusal, or ``shape`` where the facts are no facts.
    """

    title: str
    name: str
    limit: Any
    met: dict[str, Any]
    rows: tuple[tuple[str, dict[str, Any], Any, str], ...]
    broken: dict[str, Any] = field(default_factory=dict)
    """Facts that break it; then both links are tried, and the first is the one that says no."""
    code: str = "constraint"

    def cases(self) -> list[Case]:
        """Its rows."""
        twin = f"{self.title}-met"
        out = [accepted(twin, f"{self.name}: met.", self._below(self.met))]
        for label, facts, outcome, why in self.rows:
            name, said = f"{self.title}-{label}", f"{self.name}: {why}."
            alter = self._below(self.met | facts)
            if outcome is True:
                out.append(accepted(name, said, alter))
            elif outcome == "shape":
                out.append(malformed(name, said, alter, "shape", twin=twin))
            else:
                out.append(rejected(name, said, alter, outcome, 1, twin=twin,
                                    importance="critical"))  # fmt: skip
        if self.broken:
            both = f"{self.title}-met-by-both"
            out.append(accepted(both, f"{self.name}: said by both links, and met.",
                                self._both(self.met)))  # fmt: skip
            said = f"{self.name}: broken for both links; the first says no."
            out.append(rejected(f"{self.title}-broken-above", said,
                                self._both(self.met | self.broken), self.code, 0, twin=both,
                                importance="critical"))  # fmt: skip
        return out

    def _below(self, facts: dict[str, Any]) -> Alter:
        def alter(d: Draft) -> None:
            d.delegation(1)["constraints"] = {self.name: copy.deepcopy(self.limit)}
            asked(facts)(d)

        return alter

    def _both(self, facts: dict[str, Any]) -> Alter:
        def alter(d: Draft) -> None:
            pair(self.name, self.limit, self.limit, {})(d)
            asked(facts)(d)

        return alter


def coins(value: Any, unit: str = "EUR:2") -> dict[str, Any]:
    return {"amount": {"unit": unit, "value": value}}


def given(value: Any) -> dict[str, Any]:
    return {"arguments": {"a": value}}


def on(name: str, initiation: Any) -> dict[str, Any]:
    return {"task": task(name, initiation)}


NO, TASK = "constraint", "task-mismatch"
BLOCKS = [
    Block("asked-purpose", "purpose", ["review"], {"purpose": "review"}, (
        ("silent", {"purpose": ...}, NO, "no purpose is stated"),
        ("other", {"purpose": "sales"}, NO, "another purpose"),
        ("capital", {"purpose": "Review"}, NO, "compared letter by letter"),
        ("longer", {"purpose": "review of sales"}, NO, "a longer purpose"),
        ("null", {"purpose": None}, "shape", "null is no purpose"),
        ("list", {"purpose": ["review"]}, "shape", "one purpose, not a list"),
        ("empty", {"purpose": ""}, "shape", "an empty purpose")), {"purpose": "sales"}),
    Block("asked-columns", "columns", ["title", "year"], {"columns": ["title", "year"]}, (
        ("one", {"columns": ["year"]}, True, "one of two"),
        ("silent", {"columns": ...}, NO, "no column is named, so all are asked"),
        ("one-more", {"columns": ["title", "year", "iban"]}, NO, "a third column"),
        ("other", {"columns": ["iban"]}, NO, "another column"),
        ("capital", {"columns": ["Year"]}, NO, "compared letter by letter"),
        ("star", {"columns": ["*"]}, NO, "a star is no column"),
        ("text", {"columns": "title"}, "shape", "a text in place of a list"),
        ("twice", {"columns": ["year", "year"]}, "shape", "one stands twice")),
          {"columns": ["iban"]}),
    Block("asked-network", "network", ["10.0.0.0/8"], {"network": "10.1.2.3"}, (
        ("first", {"network": "10.0.0.0"}, True, "the first address"),
        ("last", {"network": "10.255.255.255"}, True, "the last address"),
        ("before", {"network": "9.255.255.255"}, NO, "the address before the first"),
        ("after", {"network": "11.0.0.0"}, NO, "the address after the last"),
        ("silent", {"network": ...}, NO, "the caller's address is not known"),
        ("six", {"network": "2001:db8::1"}, NO, "the other family"),
        ("loopback", {"network": "127.0.0.1"}, NO, "this machine is not inside either"),
        ("mapped", {"network": "::ffff:10.1.2.3"}, "shape", "IPv4 inside IPv6 has two readings"),
        ("leading-zero", {"network": "010.1.2.3"}, "shape", "octal for some"),
        ("short", {"network": "10.1"}, "shape", "a short form"),
        ("integer", {"network": 167838211}, "shape", "a number"),
        ("prefix", {"network": "10.1.2.3/32"}, "shape", "a prefix is no address"),
        ("name", {"network": "localhost"}, "shape", "a name is no address"),
        ("zone", {"network": "fe80::1%eth0"}, "shape", "a zone")), {"network": "11.0.0.0"}),
    Block("asked-rows", "rows", {"max": 500}, {"rows": 500}, (
        ("fewer", {"rows": 499}, True, "one fewer than the most"),
        ("none", {"rows": 0}, True, "none"),
        ("more", {"rows": 501}, NO, "one more than the most"),
        ("silent", {"rows": ...}, NO, "how many is not said"),
        ("negative", {"rows": -1}, "shape", "fewer than none"),
        ("text", {"rows": "500"}, "shape", "a text"), ("true", {"rows": True}, "shape", "true"),
        ("fraction", {"rows": 0.5}, "shape", "half a row"),
        ("null", {"rows": None}, "shape", "null")), {"rows": 501}),
    Block("asked-bytes", "bytes", {"max": 10**6}, {"bytes": 10**6}, (
        ("more", {"bytes": 10**6 + 1}, NO, "one more than the most"),
        ("silent", {"bytes": ...}, NO, "how many is not said"),
        ("text", {"bytes": "1MB"}, "shape", "a unit")), {"bytes": 10**6 + 1}),
    Block("asked-rows-none", "rows", {"max": 0}, {"rows": 0}, (
        ("one", {"rows": 1}, NO, "zero is a limit"),
        ("silent", {"rows": ...}, NO, "how many is not said")), {"rows": 1}),
    Block("asked-equal", "arguments", {"a": {"eq": "42"}}, given("42"), (
        ("other-added", {"arguments": {"a": "42", "b": 7}}, True, "an argument nobody bound"),
        ("silent", {"arguments": ...}, NO, "no arguments"),
        ("other-only", {"arguments": {"b": "42"}}, NO, "another argument"),
        ("other", given("43"), NO, "another value"), ("number", given(42), NO, "a number"),
        ("blank", given("42 "), NO, "a blank behind"), ("wide", given("４２"), NO, "wide digits"),
        ("zero-ahead", given("042"), NO, "a zero ahead"),
        ("capital-name", {"arguments": {"A": "42"}}, NO, "another name"),
        ("null", given(None), "shape", "null"), ("list", given(["42"]), "shape", "a list"),
        ("object", given({"eq": "42"}), "shape", "the test itself"),
        ("fraction", given(4.5), "shape", "a fraction"),
        ("none", {"arguments": {}}, "shape", "an empty object"),
        ("listed", {"arguments": ["42"]}, "shape", "a list of arguments"),
        ("too-many", {"arguments": {"a": "42"} | {f"b{n}": 1 for n in range(64)}}, "shape",
         "65 arguments")), given("43")),
    Block("asked-true", "arguments", {"a": {"eq": True}}, given(True), (
        ("one", given(1), NO, "one is not true"), ("text", given("true"), NO, "a text is not true"),
        ("false", given(False), NO, "false"))),
    Block("asked-one", "arguments", {"a": {"in": [0, 1]}}, given(1), (
        ("true", given(True), NO, "true is not one"), ("false", given(False), NO, "nor false zero"),
        ("zero", given(0), True, "zero, a value like others"),
        ("text", given("1"), NO, "a text"), ("two", given(2), NO, "another number"))),
    Block("asked-ranged", "arguments", span(-5, 10), given(10), (
        ("lowest", given(-5), True, "the lowest"), ("below", given(-6), NO, "below the lowest"),
        ("above", given(11), NO, "above the highest"), ("zero", given(0), True, "zero"),
        ("text", given("5"), NO, "a text"), ("true", given(True), NO, "true")), given(11)),
    Block("asked-decimals", "arguments", span("-5", "10"), given("10"), (
        ("lowest", given("-5"), True, "the lowest"), ("below", given("-6"), NO, "below"),
        ("above", given("11"), NO, "above the highest"),
        ("letters", given("9 "), NO, "compared as numbers, and this is none"),
        ("nine", given("9"), True, "nine is below ten, though not as a text"),
        ("zero-ahead", given("07"), NO, "a zero ahead"), ("plus", given("+7"), NO, "a plus"),
        ("minus-zero", given("-0"), NO, "minus zero"), ("exponent", given("1e0"), NO, "1e0"),
        ("point", given("7.0"), NO, "a decimal point"), ("wide", given("７"), NO, "a wide digit"),
        ("arabic", given("٧"), NO, "a digit of another script"),
        ("hexadecimal", given("0x7"), NO, "hexadecimal"), ("nan", given("NaN"), NO, "no number"),
        ("infinity", given("-Infinity"), NO, "no number"), ("number", given(7), NO, "a number"),
        ("separator", given("1_0"), NO, "a separator"), ("huge", given("9" * 39), NO, "huge"))),
    Block("asked-task", "task", task("T-17", "human_request"), on("T-17", "human_request"), (
        ("agent", on("T-17", "agent_decision"), True, "the agent's own step within it"),
        ("schedule", on("T-17", "schedule"), TASK, "a schedule is no human's request"),
        ("other", on("T-18", "human_request"), TASK, "another task"),
        ("capital", on("t-17", "human_request"), TASK, "compared letter by letter"),
        ("silent", {"task": ...}, TASK, "no task is named"),
        ("unknown", on("T-17", "emergency"), "shape", "an initiation nobody knows"),
        ("null", on("T-17", None), "shape", "null"),
        ("id-only", {"task": {"id": "T-17"}}, "shape", "no initiation"),
        ("text", {"task": "T-17"}, "shape", "a text")), on("T-18", "human_request"), TASK),
    Block("asked-agents-task", "task", task("T-17", "agent_decision"),
          on("T-17", "agent_decision"), (
        ("human", on("T-17", "human_request"), TASK, "no human asked for this"),
        ("schedule", on("T-17", "schedule"), TASK, "nor a schedule"))),
    Block("asked-budget", "budget", budget("1000", "50000"), coins("1000"), (
        ("less", coins("999"), True, "a cent less"), ("nothing", coins("0"), True, "nothing"),
        ("more", coins("1001"), NO, "a cent more"),
        ("digits", coins("9000"), NO, "four digits, like the most"),
        ("huge", coins("9" * 39), NO, "thirty-nine nines"),
        ("silent", {"amount": ...}, NO, "no amount is named"),
        ("other-currency", coins("1", "USD:2"), NO, "another currency"),
        ("other-scale", coins("1", "EUR:0"), NO, "whole euros"),
        ("capital", coins("1", "eur:2"), NO, "compared letter by letter"),
        ("negative", coins("-1"), "shape", "below zero: a refund is no act"),
        ("number", coins(1000), "shape", "a number"), ("point", coins("10.00"), "shape", "a point"),
        ("zero-ahead", coins("01"), "shape", "a zero ahead"),
        ("exponent", coins("1e3"), "shape", "an exponent"),
        ("wide", coins("１"), "shape", "a wide digit"), ("nan", coins("NaN"), "shape", "no number"),
        ("no-unit", {"amount": {"value": "1"}}, "shape", "no unit")), coins("1001")),
    Block("asked-class", "dataClass", data("internal"), {"dataClass": "internal"}, (
        ("lower", {"dataClass": "public"}, True, "a class lower"),
        ("higher", {"dataClass": "confidential"}, NO, "a class higher"),
        ("highest", {"dataClass": "restricted"}, NO, "the highest"),
        ("silent", {"dataClass": ...}, NO, "the class is not known"),
        ("unknown", {"dataClass": "secret"}, "shape", "a class nobody knows"),
        ("capital", {"dataClass": "Internal"}, "shape", "a capital"),
        ("rank", {"dataClass": 1}, "shape", "a rank")), {"dataClass": "restricted"}),
]  # fmt: skip

# --- the clock -----------------------------------------------------------------------------


def clock(windows: list[list[str]], seconds: int) -> Alter:
    """These hours, at so many seconds after 14:13:20."""

    def alter(d: Draft) -> None:
        d.delegation(1)["constraints"] = {"hours": windows}
        d.at = T0 + seconds

    return alter


CLOCK = [
    accepted("clock-last-second", "14:13:59, within hours that end at 14:14.",
             clock([["14:00", "14:14"]], 39)),
    rejected("clock-end", "14:14:00 is no longer within hours that end then.",
             clock([["14:00", "14:14"]], 40), NO, 1, twin="clock-last-second"),
    rejected("clock-after", "14:14:01.", clock([["14:00", "14:14"]], 41), NO, 1,
             twin="clock-last-second"),
    accepted("clock-start", "14:14:00 is within hours that begin then.",
             clock([["14:14", "15:00"]], 40)),
    rejected("clock-before", "14:13:59 is before hours that begin at 14:14: no skew here.",
             clock([["14:14", "15:00"]], 39), NO, 1, twin="clock-start"),
    rejected("clock-in-the-break", "14:13:20, between two windows.",
             clock([["08:00", "14:00"], ["14:30", "18:00"]], 0), NO, 1,
             twin="clock-second-window"),
    accepted("clock-second-window", "14:13:20, in the second of two windows.",
             clock([["08:00", "14:00"], ["14:10", "18:00"]], 0)),
    accepted("clock-all-day", "00:00 to 24:00.", clock([["00:00", "24:00"]], 0)),
    rejected("clock-local", "Hours are of UTC: it is 16:13 in Vienna, and not here.",
             clock([["16:00", "17:00"]], 0), NO, 1, twin="clock-all-day"),
]  # fmt: skip

# --- who else must agree -------------------------------------------------------------------


def ledgered(name: str, value: Any, *ledgers: str, **facts: Any) -> Alter:
    """A constraint of the second link that a ledger keeps, and the verifier's own ledgers."""

    def alter(d: Draft) -> None:
        d.delegation(1)["constraints"] = {name: value}
        d.request |= facts
        if ledgers:
            d.trust["verifier"]["ledgers"] = list(ledgers)
        else:
            del d.trust["verifier"]["ledgers"]

    return alter


def own(name: str, rule: Any) -> Alter:
    """A constraint of the human's own entitlements."""
    return lambda d: d.sponsors[0].subject["entitlements"].update(constraints={name: rule})


COIN = coins("100")
ELSEWHERE = [
    case
    for name, here, there, facts in (
        ("budget", budget(), budget(ledger=ORG), COIN),
        ("rate", rate(20, 60), rate(20, 60, ORG), {}),
    )
    for case in (
        accepted(f"kept-{name}", "The ledger is one the verifier keeps.",
                 ledgered(name, here, DB, **facts)),
        accepted(f"kept-{name}-among-two", "The ledger is one of two the verifier keeps.",
                 ledgered(name, there, DB, ORG, **facts)),
        undecided(f"kept-{name}-nowhere", "The verifier keeps no ledger.",
                  ledgered(name, here, **facts), "no-ledger", 1, twin=f"kept-{name}",
                  importance="critical"),
        undecided(f"kept-{name}-elsewhere-above", "Both links say so; the first is the answer.",
                  both(pair(name, there, there, {}), asked(facts)),
                  "ledger-foreign", 0, twin=f"kept-{name}"),
        undecided(f"kept-{name}-for-the-sponsor-elsewhere", "Ana's own is kept elsewhere.",
                  both(own(name, there), asked(facts)), "ledger-foreign",
                  twin=f"kept-{name}-for-the-sponsor"),
        accepted(f"kept-{name}-for-the-sponsor", "Ana's own is kept here.",
                 both(own(name, here), asked(facts))),
        undecided(f"kept-{name}-for-the-sponsor-nowhere", "Ana's own, and no ledger is kept.",
                  both(own(name, here), asked(facts), lambda d: d.trust["verifier"].pop("ledgers")),
                  "no-ledger", twin=f"kept-{name}-for-the-sponsor"),
        undecided(f"kept-{name}-elsewhere", "The ledger is kept by somebody else.",
                  ledgered(name, there, DB, **facts), "ledger-foreign", 1, twin=f"kept-{name}",
                  importance="critical"),
    )
]  # fmt: skip


def approved(rule: dict[str, Any], amount: dict[str, Any], index: int = 1) -> Alter:
    def alter(d: Draft) -> None:
        d.constrain(index, "approval", rule)
        d.request |= amount

    return alter


APPROVAL = [
    accepted("asked-consent-not-needed", "500 cents, and more than 500 need a human.",
             approved(approval(1, [ANA]), coins("500"))),
    undecided("asked-consent-needed", "501 cents.", approved(approval(1, [ANA]), coins("501")),
              "approval-missing", 1, twin="asked-consent-not-needed", importance="critical"),
    undecided("asked-consent-needed-above", "501 cents, and the first link says so.",
              approved(approval(1, [ANA]), coins("501"), 0), "approval-missing", 0,
              twin="asked-consent-not-needed-above", importance="critical"),
    accepted("asked-consent-not-needed-above", "500 cents, and the first link says so.",
             approved(approval(1, [ANA]), coins("500"), 0)),
    undecided("asked-consent-silent", "No amount is named.",
              approved(approval(1, [ANA]), {}), "approval-missing", 1,
              twin="asked-consent-not-needed", importance="critical"),
    undecided("asked-consent-of-the-sponsor", "501 cents, and Ana's own rights say so.",
              both(own("approval", approval(1, [ANA])), asked(coins("501"))), "approval-missing",
              twin="asked-consent-not-needed-of-the-sponsor", importance="critical"),
    accepted("asked-consent-not-needed-of-the-sponsor", "500 cents, and Ana's own rights say so.",
             both(own("approval", approval(1, [ANA])), asked(coins("500")))),
    undecided("asked-consent-other-unit", "One yen, and cents of euro were meant.",
              approved(approval(1, [ANA]), coins("1", "JPY:0")), "approval-missing", 1,
              twin="asked-consent-not-needed", importance="critical"),
    undecided("asked-consent-always", "A human must approve whatever is done.",
              approved(approval(1, [ANA], None), coins("0")), "approval-missing", 1,
              twin="asked-consent-not-needed", importance="critical"),
    undecided("asked-consent-from-zero", "A human must approve more than nothing.",
              approved(approval(1, [ANA], "0"), coins("1")), "approval-missing", 1,
              twin="asked-consent-not-needed-for-nothing", importance="critical"),
    accepted("asked-consent-not-needed-for-nothing", "Nothing is spent.",
             approved(approval(1, [ANA], "0"), coins("0"))),
]  # fmt: skip


def audience(index: int, *names: str) -> Alter:
    return lambda d: d.constrain(index, "audience", [d.parties[name].did for name in names])


AUDIENCE = [
    accepted("audience-named", "The verifier is the audience of the second link.",
             audience(1, "db")),
    accepted("audience-among-two", "The verifier is one of two audiences.",
             audience(0, "org", "db")),
    rejected("audience-other", "The second link is for somebody else.", audience(1, "org"),
             "audience", 1, twin="audience-named", importance="critical"),
    rejected("audience-other-at-the-leaf", "The third link is for somebody else.",
             audience(2, "org"), "audience", 2, depth=3, twin="audience-at-the-leaf",
             importance="critical"),
    accepted("audience-at-the-leaf", "The third link is for this verifier.", audience(2, "db"),
             depth=3),
    rejected("audience-other-above", "Both links are for somebody else.", audience(0, "org"),
             "audience", 0, twin="audience-among-two", importance="critical"),
]  # fmt: skip

CASES = [
    *group("attenuation::constraint", *(b.cases() for b in BLOCKS), CLOCK, APPROVAL,
           spec="DESIGN 11: request"),
    *group("attenuation::constraint", ELSEWHERE, spec="DESIGN 12: obligations"),
    *group("attenuation::constraint", AUDIENCE, spec="DESIGN 10: invocation"),
]  # fmt: skip
