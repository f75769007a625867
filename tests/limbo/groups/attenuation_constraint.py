"""A child's constraint against its parent's: restated, narrowed, widened, dropped, not understood.

A block of the table is one constraint of the first link; each row is what the second link says
in its place. To every block belong three rows nobody has to write: the constraint restated
(the twin of all refusals), dropped, and null.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from delegant.credentials import did
from draft import Draft
from limbo.forge import Alter, Case, swap
from limbo.rows import accepted, group, malformed, rejected
from world import World

DB = World().db.did
ORG = World().org.did
ANA, MIA, EVE = (str(did.from_key(World()._key(name).public)) for name in ("ana", "mia", "eve"))
SCHEME = "https://delegant.example/data-class/v1"
COIN = {"amount": {"unit": "EUR:2", "value": "100"}}


def stated(index: int, name: str, value: Any) -> Alter:
    """One constraint of one link; ``...`` leaves it out, and the whole member with it."""

    def alter(d: Draft) -> None:
        block = d.delegation(index)
        if value is ...:
            block.pop("constraints", None)
        else:
            block["constraints"] = {name: copy.deepcopy(value)}

    return alter


def pair(name: str, parent: Any, child: Any, facts: dict[str, Any]) -> Alter:
    """The constraint in the first and in the second link, and a request with these facts."""

    def alter(d: Draft) -> None:
        stated(0, name, parent)(d)
        stated(1, name, child)(d)
        d.request |= copy.deepcopy(facts)

    return alter


@dataclass(frozen=True)
class Block:
    """One constraint of the first link.

    Rows are (name, what the second link says, may it, why); ``facts`` satisfy whatever may.
    """

    title: str
    name: str
    parent: Any
    facts: dict[str, Any]
    rows: tuple[tuple[str, Any, bool, str], ...]

    def cases(self) -> list[Case]:
        """Its rows, and the three that belong to every block."""
        twin = {"twin": f"{self.title}-restated"}
        out = [
            accepted(twin["twin"], f"{self.name}: restated as it is above.",
                     pair(self.name, self.parent, self.parent, self.facts)),
            rejected(f"{self.title}-dropped", f"{self.name}: not restated, so it would be gone.",
                     pair(self.name, self.parent, ..., self.facts), "constraint-dropped", 1,
                     importance="critical", **twin),
            malformed(f"{self.title}-null", f"{self.name}: null is no limit, and no constraint.",
                      pair(self.name, self.parent, None, self.facts), "shape", 1,
                      importance="critical", **twin),
        ]  # fmt: skip
        for label, child, may, why in self.rows:
            alter = pair(self.name, self.parent, child, self.facts)
            said = f"{self.name}: {why}."
            if may:
                out.append(accepted(f"{self.title}-{label}", said, alter))
            else:
                out.append(rejected(f"{self.title}-{label}", said, alter, "scope-widened", 1,
                                    importance="critical", **twin))  # fmt: skip
        return out


def rate(count: Any, period: Any, ledger: str = DB) -> dict[str, Any]:
    return {"ledger": ledger, "count": count, "periodSeconds": period}


def budget(each: Any = "1000", total: Any = "50000", unit: str = "EUR:2",
           ledger: str = DB) -> dict[str, Any]:  # fmt: skip
    return {"ledger": ledger, "unit": unit, "perAction": each, "total": total}


def approval(threshold: Any, by: list[str], over: Any = "500",
             unit: str = "EUR:2") -> dict[str, Any]:  # fmt: skip
    rule: dict[str, Any] = {"threshold": threshold, "by": by}
    return rule if over is None else rule | {"over": {"unit": unit, "value": over}}


def task(name: Any, initiation: str) -> dict[str, Any]:
    return {"id": name, "initiation": initiation}


def data(most: Any) -> dict[str, Any]:
    return {"scheme": SCHEME, "max": most}


def span(low: Any, high: Any) -> dict[str, Any]:
    return {"a": {"range": {"min": low, "max": high}}}


SET = ["review", "audit"]
BLOCKS = [
    Block("audience", "audience", [DB, ORG], {}, (
        ("one-of-two", [DB], True, "one of two"),
        ("other-order", [ORG, DB], True, "a set has no order"),
        ("one-more", [DB, ORG, EVE], False, "two restated, a third added"),
        ("another", [EVE], False, "another's"))),
    Block("purpose", "purpose", SET, {"purpose": "review"}, (
        ("one-of-two", ["review"], True, "one of two"),
        ("other-order", SET[::-1], True, "a set has no order"),
        ("one-more", [*SET, "sales"], False, "two restated, a third added"),
        ("another", ["sales"], False, "another"),
        ("capital", ["Review"], False, "compared letter by letter"),
        ("star", ["*"], False, "a star is a word like others, and none of the parent's"),
        ("prefix", ["rev"], False, "a prefix is another word"))),
    Block("columns", "columns", ["title", "year", "doi"], {"columns": ["year"]}, (
        ("one-of-three", ["year"], True, "one of three"),
        ("one-more", ["title", "year", "doi", "iban"], False, "three restated, a fourth added"),
        ("another", ["iban"], False, "another"),
        ("capital", ["Year"], False, "compared letter by letter"),
        ("star", ["*"], False, "a star is no column"))),
    Block("network", "network", ["10.0.0.0/8"], {"network": "10.1.2.3"}, (
        ("inside", ["10.1.0.0/16"], True, "a prefix inside"),
        ("one-address", ["10.1.2.3/32"], True, "one address inside"),
        ("two-halves", ["10.0.0.0/9", "10.128.0.0/9"], True, "its two halves"),
        ("above", ["10.0.0.0/7"], False, "the prefix above"),
        ("beside", ["11.0.0.0/8"], False, "the prefix beside"),
        ("one-beside", ["10.1.0.0/16", "11.0.0.0/8"], False, "one inside, one beside"),
        ("everything", ["0.0.0.0/0"], False, "every address"),
        ("other-family", ["::/0"], False, "every address of the other family"))),
    Block("network-six", "network", ["2001:db8::/32", "10.0.0.0/8"],
          {"network": "2001:db8:1::1"}, (
        ("inside", ["2001:db8:1::/48"], True, "a prefix inside"),
        ("beside", ["2001:db9::/32"], False, "the prefix beside"),
        ("above", ["2001:d00::/24"], False, "the prefix above"))),
    Block("network-halves", "network", ["10.0.0.0/9", "10.128.0.0/9"], {"network": "10.1.2.3"}, (
        ("one-of-two", ["10.0.0.0/9"], True, "one of two"),
        ("joined", ["10.0.0.0/8"], False, "the prefix above both: inside neither"))),
    Block("rows", "rows", {"max": 500}, {"rows": 0}, (
        ("one-less", {"max": 499}, True, "one less"),
        ("none", {"max": 0}, True, "none at all"),
        ("one-more", {"max": 501}, False, "one more"),
        ("most", {"max": 2**53 - 1}, False, "as many as there are numbers"))),
    Block("rows-none", "rows", {"max": 0}, {"rows": 0}, (
        ("one", {"max": 1}, False, "zero is a limit, not the lack of one"),)),
    Block("bytes", "bytes", {"max": 10**6}, {"bytes": 0}, (
        ("one-less", {"max": 10**6 - 1}, True, "one less"),
        ("one-more", {"max": 10**6 + 1}, False, "one more"))),
    Block("argument-equal", "arguments", {"a": {"eq": "42"}}, {"arguments": {"a": "42"}}, (
        ("listed-alone", {"a": {"in": ["42"]}}, True, "a list of that one value"),
        ("listed-with", {"a": {"in": ["42", "43"]}}, False, "a list with a value more"),
        ("another", {"a": {"eq": "43"}}, False, "another value"),
        ("number", {"a": {"eq": 42}}, False, "the number is not the text"),
        ("blank", {"a": {"eq": "42 "}}, False, "compared letter by letter"),
        ("range", {"a": {"range": {"min": "0", "max": "99"}}}, False, "a range around it"))),
    Block("argument-listed", "arguments", {"a": {"in": [1, 2, 3]}}, {"arguments": {"a": 1}}, (
        ("fewer", {"a": {"in": [1, 2]}}, True, "two of three"),
        ("one", {"a": {"eq": 1}}, True, "one of three"),
        ("one-as-range", span(1, 1), True, "a range of one of them"),
        ("more", {"a": {"in": [1, 2, 3, 4]}}, False, "a value more"),
        ("as-texts", {"a": {"in": ["1", "2"]}}, False, "texts, not numbers"),
        ("as-bool", {"a": {"eq": True}}, False, "true is not one"),
        ("as-range", span(1, 4), False, "a range that goes further"))),
    Block("argument-ranged", "arguments", span(1, 10), {"arguments": {"a": 5}}, (
        ("inner", span(2, 9), True, "a range inside"),
        ("one", {"a": {"eq": 5}}, True, "a value inside"),
        ("some", {"a": {"in": [1, 5, 10]}}, True, "values inside, the edges too"),
        ("lower", span(0, 10), False, "from one lower"),
        ("higher", span(1, 11), False, "to one higher"),
        ("negative", span(-10, 10), False, "from below zero"),
        ("one-outside", {"a": {"eq": 11}}, False, "a value outside"),
        ("some-outside", {"a": {"in": [5, 11]}}, False, "one value inside, one outside"),
        ("as-text", {"a": {"eq": "5"}}, False, "a text, not a number"),
        ("as-texts", span("1", "10"), False, "a range of texts, not of numbers"),
        ("as-bool", {"a": {"eq": True}}, False, "true is not one"))),
    Block("argument-decimals", "arguments", span("1", "10"), {"arguments": {"a": "5"}}, (
        ("inner", span("2", "9"), True, "a range inside"),
        ("one", {"a": {"eq": "5"}}, True, "a value inside"),
        ("one-outside", {"a": {"eq": "11"}}, False, "a value outside"),
        ("no-number", {"a": {"eq": "five"}}, False, "no number at all"),
        ("leading-zero", {"a": {"eq": "05"}}, False, "not how a number is written"),
        ("exponent", {"a": {"eq": "5e0"}}, False, "not how a number is written"),
        ("unicode-digit", {"a": {"eq": "５"}}, False, "a digit of another width"),
        ("as-numbers", span(1, 10), False, "a range of numbers, not of texts"))),
    Block("arguments-two", "arguments", {"a": {"eq": 1}, "b": {"eq": 2}},
          {"arguments": {"a": 1, "b": 2, "c": 3}}, (
        ("three", {"a": {"eq": 1}, "b": {"eq": 2}, "c": {"eq": 3}}, True,
         "one more argument bound"),)),
    Block("task", "task", task("T-17", "human_request"),
          {"task": task("T-17", "agent_decision")}, (
        ("agent", task("T-17", "agent_decision"), True, "narrowed to the agent's own decision"),
        ("schedule", task("T-17", "schedule"), False, "a human's request is no schedule"),
        ("other", task("T-18", "human_request"), False, "another task"),
        ("capital", task("t-17", "human_request"), False, "compared letter by letter"))),
    Block("task-of-agent", "task", task("T-17", "agent_decision"),
          {"task": task("T-17", "agent_decision")}, (
        ("human", task("T-17", "human_request"), False,
         "an agent's decision never becomes a human's request"),
        ("schedule", task("T-17", "schedule"), False,
         "an agent's decision never becomes a schedule"))),
    Block("task-on-schedule", "task", task("T-17", "schedule"),
          {"task": task("T-17", "agent_decision")}, (
        ("agent", task("T-17", "agent_decision"), True, "narrowed to the agent's own decision"),
        ("human", task("T-17", "human_request"), False,
         "a schedule never becomes a human's request"))),
    Block("budget", "budget", budget(), COIN, (
        ("less", budget("999", "49999"), True, "both a cent less"),
        ("less-in-all", budget("1000", "49999"), True, "the total a cent less"),
        ("more-each", budget("1001"), False, "a cent more for one act"),
        ("more-in-all", budget("1000", "50001"), False, "a cent more in all"),
        ("less-each-more-in-all", budget("1", "50001"), False, "less each, more in all"),
        ("digit-more", budget("10000"), False, "compared as numbers, not letter by letter"),
        ("longest", budget("9" * 39, "9" * 39), False, "thirty-nine nines"),
        ("other-currency", budget(unit="USD:2"), False, "another currency"),
        ("other-scale", budget(unit="EUR:0"), False, "whole euros for cents"),
        ("capital", budget(unit="eur:2"), False, "compared letter by letter"),
        ("other-ledger", budget(ledger=ORG), False, "kept in another ledger, it starts anew"))),
    Block("rate", "rate", rate(20, 60), {}, (
        ("fewer", rate(19, 60), True, "one fewer"),
        ("half-the-time", rate(10, 30), True, "10 in any 30 s are at most 20 in any 60 s"),
        ("third-of-the-time", rate(6, 20), True, "3 windows of 6 are 18"),
        ("longer", rate(20, 120), True, "no more in twice the time"),
        ("half-more", rate(11, 30), False, "11 in any 30 s may be 22 in 60 s"),
        ("same-count-shorter", rate(20, 30), False, "20 in any 30 s may be 40 in 60 s"),
        ("odd-window", rate(10, 29), False, "29 s fit into 60 s in part a third time: 30"),
        ("third-more", rate(7, 20), False, "3 windows of 7 are 21"),
        ("every-second", rate(1, 1), False, "one a second is sixty in 60 s"),
        ("one-more", rate(21, 60), False, "one more"),
        ("burst", rate(40, 120), False, "the same average, and 40 at once"),
        ("long-burst", rate(7200, 21600), False, "the same average, and 7200 at once"),
        ("longer-one-more", rate(21, 120), False, "21 in any 120 s may be 21 in 60 s"),
        ("other-ledger", rate(20, 60, ORG), False, "kept in another ledger, it starts anew"))),
    Block("data-class", "dataClass", data("confidential"), {"dataClass": "public"}, (
        ("lower", data("internal"), True, "a class lower"),
        ("lowest", data("public"), True, "the lowest"),
        ("higher", data("restricted"), False, "a class higher"))),
    Block("approval", "approval", approval(1, [ANA, MIA]), COIN, (
        ("both", approval(2, [ANA, MIA]), True, "both must approve"),
        ("one-of-two", approval(1, [ANA]), True, "fewer may approve"),
        ("from-less", approval(1, [ANA, MIA], "499"), True, "from a cent less on"),
        ("from-more", approval(1, [ANA, MIA], "501"), False, "from a cent more on"),
        ("other-unit", approval(1, [ANA, MIA], "500", "USD:2"), False, "in another currency"),
        ("one-more", approval(1, [ANA, MIA, EVE]), False, "one more may approve"),
        ("another", approval(1, [EVE]), False, "another approves"))),
    Block("approval-of-two", "approval", approval(2, [ANA, MIA]), COIN, (
        ("one", approval(1, [ANA, MIA]), False, "one is enough"),)),
    Block("hours", "hours", [["08:00", "12:00"], ["14:00", "18:00"]], {}, (
        ("inside", [["14:00", "15:00"]], True, "an hour inside"),
        ("both-shorter", [["09:00", "10:00"], ["14:01", "17:59"]], True, "both shorter"),
        ("earlier", [["07:59", "12:00"], ["14:00", "18:00"]], False, "a minute earlier"),
        ("later", [["14:00", "18:01"]], False, "a minute later"),
        ("across-the-break", [["08:00", "18:00"]], False, "the break between them too"),
        ("into-the-break", [["08:00", "12:01"]], False, "a minute into the break"),
        ("all-day", [["00:00", "24:00"]], False, "all day"))),
]  # fmt: skip

# --- down the chain ------------------------------------------------------------------------


def three(*limits: Any) -> Alter:
    """``rows`` in the three links."""

    def alter(d: Draft) -> None:
        for index, most in enumerate(limits):
            stated(index, "rows", most if most is ... else {"max": most})(d)

    return alter


def two_kinds(first: dict[str, Any], second: dict[str, Any], **facts: Any) -> Alter:
    def alter(d: Draft) -> None:
        d.delegation(0)["constraints"] = copy.deepcopy(first)
        d.delegation(1)["constraints"] = copy.deepcopy(second)
        d.request |= facts

    return alter


def shadow(d: Draft) -> None:
    pair("rows", {"max": 500}, {"max": 500}, {})(d)
    swap(b'"rows":{"max":500}', b'"rows":{"max":5},"rows":{"max":500}')(d)


ROWS, PURPOSE = {"rows": {"max": 500}}, {"purpose": ["review"]}
CHAINS = [
    accepted("falling", "500, 400, 300 rows.", three(500, 400, 300), depth=3),
    accepted("added-in-the-middle", "None, 400, 400 rows.", three(..., 400, 400), depth=3),
    accepted("added-at-the-leaf", "None, none, 400 rows.", three(..., ..., 400), depth=3),
    rejected("dropped-then-wider", "500 rows, nothing, 900 rows: the middle drops the limit.",
             three(500, ..., 900), "constraint-dropped", 1, depth=3, importance="critical",
             twin="falling"),
    rejected("dropped-then-same", "500 rows, nothing, 500 rows.", three(500, ..., 500),
             "constraint-dropped", 1, depth=3, importance="critical", twin="falling"),
    rejected("dropped-at-the-leaf", "500 rows, 400 rows, nothing.", three(500, 400, ...),
             "constraint-dropped", 2, depth=3, importance="critical", twin="falling"),
    rejected("narrowed-then-wider", "500, 100, 200 rows: within the first, not the second.",
             three(500, 100, 200), "scope-widened", 2, depth=3, importance="critical",
             twin="falling"),
    rejected("widened-then-back", "500, 600, 400 rows.", three(500, 600, 400), "scope-widened", 1,
             depth=3, importance="critical", twin="falling"),
    accepted("both-restated", "Rows and purpose, both restated.",
             two_kinds(ROWS | PURPOSE, ROWS | PURPOSE, purpose="review")),
    accepted("one-added", "Rows restated, purpose added.",
             two_kinds(ROWS, ROWS | PURPOSE, purpose="review")),
    rejected("one-of-two-dropped", "Rows and purpose above, rows below.",
             two_kinds(ROWS | PURPOSE, ROWS, purpose="review"), "constraint-dropped", 1,
             importance="critical", twin="both-restated"),
    rejected("exchanged", "Rows above, purpose below.", two_kinds(ROWS, PURPOSE, purpose="review"),
             "constraint-dropped", 1, importance="critical", twin="one-added"),
    rejected("replaced-by-stricter-kind", "Rows above, an hour of the day below.",
             two_kinds(ROWS, {"hours": [["00:00", "24:00"]]}), "constraint-dropped", 1,
             twin="both-restated"),
    rejected("argument-of-two-dropped", "One of two arguments is not restated.",
             two_kinds({"arguments": {"a": {"eq": 1}, "b": {"eq": 2}}},
                       {"arguments": {"a": {"eq": 1}}}, arguments={"a": 1, "b": 2}),
             "constraint-dropped", 1, importance="critical", twin="arguments-two-restated"),
    rejected("argument-renamed", "The argument is restated by another name.",
             two_kinds({"arguments": {"a": {"eq": 1}}}, {"arguments": {"A": {"eq": 1}}},
                       arguments={"a": 1, "A": 1}), "constraint-dropped", 1,
             importance="critical", twin="arguments-two-restated"),
    malformed("shadowed", "One constraint twice in one object: a strict one, then a wide one.",
              shadow, "duplicate-member", twin="rows-restated",
              importance="critical", origin="CWE-694"),
]  # fmt: skip

CASES = [
    *group("attenuation::constraint", *(b.cases() for b in BLOCKS), spec="DESIGN 5: attenuation"),
    *group("attenuation::constraint", CHAINS, spec="DESIGN, rule 8"),
]
