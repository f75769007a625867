"""Constraints that are none: values of no kind, members nobody knows, kinds nobody knows."""

from __future__ import annotations

from typing import Any

from altered import block
from limbo.forge import Case
from limbo.groups.attenuation_constraint import (
    ANA,
    BLOCKS,
    DB,
    approval,
    budget,
    data,
    pair,
    rate,
    span,
    stated,
    task,
)
from limbo.rows import group, malformed, undecided

BAD: tuple[tuple[str, str, str, tuple[tuple[str, Any, str], ...]], ...] = (
    ("audience", "audience", "shape", (
        ("text", DB, "a text in place of a list"), ("twice", [DB, DB], "one stands twice"),
        ("url", ["https://db.acme.example"], "an address is no DID"),
        ("did-url", [f"{DB}#k"], "a DID URL is no DID"), ("star", ["*"], "a star is no DID"),
        ("number", [1], "a number"), ("object", {"in": [DB]}, "an object"))),
    ("purpose", "purpose", "shape", (
        ("text", "review", "a text in place of a list"), ("empty-text", [""], "an empty text"),
        ("newline", ["review\n"], "a newline"), ("zero-width", ["re\u200bview"], "unseen letters"),
        ("number", [7], "a number"), ("twice", ["review", "review"], "one stands twice"))),
    ("columns", "columns", "shape", (
        ("text", "title,year", "a text in place of a list"), ("null-inside", [None], "null"),
        ("number", [1], "a number"))),
    ("network", "network", "shape", (
        ("text", "10.0.0.0/8", "a text in place of a list"),
        ("host-bits", ["10.0.0.1/8"], "bits beyond the prefix"),
        ("no-prefix", ["10.1.2.3"], "an address without prefix"),
        ("netmask", ["10.0.0.0/255.0.0.0"], "a netmask"),
        ("short", ["10/8"], "bytes left out"),
        ("leading-zero", ["010.0.0.0/8"], "octal for some, decimal for others"),
        ("hexadecimal", ["0x0a.0.0.0/8"], "hexadecimal"),
        ("integer", [167772160], "an address as a number"),
        ("mapped", ["::ffff:10.0.0.0/104"], "an IPv4 address inside an IPv6 one"),
        ("zone", ["fe80::%eth0/64"], "a zone"), ("prefix-33", ["10.0.0.0/33"], "no such prefix"),
        ("nested", ["10.0.0.0/8", "10.1.0.0/16"], "one inside another"),
        ("nested-later", ["10.1.2.0/24", "10.1.0.0/16"], "one inside the next"),
        ("nested-one", ["10.0.0.0/8", "10.255.255.255/32"], "one address inside a prefix"),
        ("mapped-all", ["::ffff:0.0.0.0/96"], "all IPv4 addresses inside IPv6 ones"),
        ("mapped-hex", ["::ffff:a00:0/104"], "an IPv4 address inside an IPv6 one"),
        ("name", ["localhost"], "a name"), ("unicode-digits", ["１０.0.0.0/8"], "wide digits"))),
    ("network-six", "network", "shape", (
        ("nested", ["2001:db8::/32", "2001:db8:1::/48"], "one inside another"),
        ("capitals", ["2001:DB8::/32"], "IPv6 in capitals"),
        ("zeros", ["2001:0db8::/32"], "leading zeros"),
        ("long", ["2001:db8:0:0:0:0:0:0/32"], "zeros that are left out"),
        ("dotted", ["2001:db8::0.0.0.0/32"], "an ending in dots"))),
    ("rows", "rows", "shape", (
        ("bare", 500, "a number in place of an object"), ("text", {"max": "500"}, "a text"),
        ("true", {"max": True}, "true, which is no 1"), ("negative", {"max": -1}, "below none"),
        ("fraction", {"max": 499.5}, "a fraction"), ("null-inside", {"max": None}, "null"),
        ("empty", {}, "nothing inside"), ("list", [500], "a list"),
        ("other-member", {"limit": 500}, "another member"),
        ("capital", {"Max": 500}, "a capital"))),
    ("bytes", "bytes", "shape", (
        ("unit", {"max": "1MB"}, "a unit"), ("negative", {"max": -1}, "below none"),
        ("true", {"max": True}, "true"))),
    ("argument-equal", "arguments", "shape", (
        ("bare", {"a": "42"}, "a value in place of a test"), ("none", {}, "no argument"),
        ("list", [{"a": {"eq": 1}}], "a list"), ("no-operator", {"a": {}}, "no operator"),
        ("two-operators", {"a": {"eq": "42", "in": ["42"]}}, "two operators"),
        ("null-value", {"a": {"eq": None}}, "null"), ("fraction", {"a": {"eq": 1.5}}, "a fraction"),
        ("list-value", {"a": {"eq": ["42"]}}, "a list to be equal to"),
        ("empty-text", {"a": {"eq": ""}}, "an empty text"),
        ("name-blank", {"a b": {"eq": 1}}, "a blank in the name"),
        ("name-empty", {"": {"eq": 1}}, "an empty name"),
        ("name-slash", {"a/b": {"eq": 1}}, "a slash in the name"),
        ("name-cyrillic", {"\u0430": {"eq": 1}}, "a name that looks like another"),
        ("name-long", {"a" * 65: {"eq": 1}}, "a name of 65 letters"),
        ("too-many", {f"a{n}": {"eq": 1} for n in range(65)}, "65 arguments"))),
    ("argument-listed", "arguments", "shape", (
        ("twice", {"a": {"in": [1, 1]}}, "a value stands twice"),
        ("twice-of-three", {"a": {"in": [1, 2, 1]}}, "a value stands twice among three"),
        ("twice-true", {"a": {"in": [True, True]}}, "true stands twice"),
        ("text", {"a": {"in": "123"}}, "a text in place of a list"),
        ("nested", {"a": {"in": [[1]]}}, "a list inside the list"))),
    ("argument-ranged", "arguments", "shape", (
        ("reversed", span(10, 1), "it ends before it begins"),
        ("no-end", {"a": {"range": {"min": 1}}}, "no end"),
        ("no-start", {"a": {"range": {"max": 10}}}, "no start"),
        ("null-end", span(1, None), "null for no end"), ("mixed", span(1, "10"), "number and text"),
        ("bools", span(False, True), "false to true"), ("fractions", span(0.5, 1.5), "fractions"),
        ("list", {"a": {"range": [1, 10]}}, "a list"))),
    ("argument-decimals", "arguments", "shape", (
        ("reversed", span("10", "9"), "it ends before it begins"),
        ("reversed-below-zero", span("-1", "-2"), "it ends before it begins"),
        ("leading-zero", span("01", "10"), "a leading zero"), ("plus", span("+1", "10"), "a plus"),
        ("minus-zero", span("-0", "10"), "minus zero"), ("exponent", span("1e0", "10"), "1e0"),
        ("point", span("1.0", "10"), "1.0"), ("unicode", span("１", "10"), "a digit of width"),
        ("blank", span(" 1", "10"), "a blank"), ("separator", span("1", "1_0"), "a separator"),
        ("hexadecimal", span("0x1", "0xa"), "hexadecimal"), ("forty", span("1", "1" * 40),
         "forty digits"))),
    ("task", "task", "shape", (
        ("text", "T-17", "a text in place of an object"), ("no-id", {"initiation": "schedule"},
         "no id"), ("no-initiation", {"id": "T-17"}, "no initiation"),
        ("null-id", task(None, "schedule"), "null"),
        ("other-initiation", task("T-17", "human"), "an initiation nobody knows"),
        ("capital", task("T-17", "Human_request"), "a capital"))),
    ("budget", "budget", "shape", (
        ("numbers", budget(1000, 50000), "numbers, which some round"),
        ("negative", budget("-1"), "below zero"), ("leading-zero", budget("01000"), "a zero ahead"),
        ("exponent", budget("1e3"), "an exponent"), ("point", budget("10.00"), "a decimal point"),
        ("plus", budget("+1000"), "a plus"), ("blank", budget(" 1000"), "a blank"),
        ("unicode-digits", budget("１０００"), "digits of width"),
        ("arabic-digits", budget("١٠٠٠"), "digits of another script"),
        ("separator", budget("1_000"), "a separator"), ("comma", budget("1,000"), "a comma"),
        ("infinity", budget("Infinity"), "no end"), ("nan", budget("NaN"), "no number"),
        ("forty-digits", budget("1" * 40), "forty digits"), ("empty", budget(""), "empty"),
        ("null", budget(None), "null for no limit"),
        ("no-total", {k: v for k, v in budget().items() if k != "total"}, "no total"),
        ("no-ledger", {k: v for k, v in budget().items() if k != "ledger"}, "no ledger"),
        ("ledger-url", budget(ledger="https://db.acme.example"), "a ledger that is no DID"))),
    ("rate", "rate", "shape", (
        ("none", rate(0, 60), "a count of none"), ("negative", rate(-1, 60), "below none"),
        ("no-time", rate(20, 0), "no time"), ("too-long", rate(20, 366 * 86_400 + 1), "for ever"),
        ("true", rate(True, 60), "true"), ("fraction", rate(20, 0.5), "half a second"),
        ("text", rate("20", 60), "a text"), ("unit", rate(20, "1m"), "a unit"))),
    ("data-class", "dataClass", "shape", (
        ("text", "internal", "a text in place of an object"),
        ("no-scheme", {"max": "internal"}, "no scheme"),
        ("other-class", data("secret"), "a class nobody knows"),
        ("capital", data("Internal"), "a capital"), ("rank", data(1), "a rank"))),
    ("approval", "approval", "shape", (
        ("none", approval(0, [ANA]), "a threshold of none"),
        ("more-than-there-are", approval(2, [ANA]), "two of one"),
        ("twice", approval(2, [ANA, ANA]), "one stands twice"),
        ("true", approval(True, [ANA]), "true"),
        ("number", approval(1, [ANA], 500), "a number"),
        ("over-null", {"threshold": 1, "by": [ANA], "over": None}, "null"),
        ("name", approval(1, ["ana"]), "a name that is no DID"))),
    ("hours", "hours", "shape", (
        ("text", "08:00-18:00", "a text in place of a list"),
        ("reversed", [["18:00", "08:00"]], "it ends before it begins"),
        ("over-midnight", [["22:00", "06:00"]], "over midnight"),
        ("no-time", [["08:00", "08:00"]], "no time between"),
        ("touching", [["14:00", "15:00"], ["15:00", "18:00"]], "they touch"),
        ("overlapping", [["14:00", "16:00"], ["15:00", "18:00"]], "they overlap"),
        ("no-time-ahead", [["08:00", "08:00"], ["14:00", "18:00"]], "no time in the first"),
        ("unordered", [["14:00", "18:00"], ["08:00", "12:00"]], "the later first"),
        ("one-digit", [["8:00", "18:00"]], "one digit"), ("minute-60", [["08:00", "17:60"]],
         "the 60th minute"), ("beyond-24", [["08:00", "24:01"]], "after midnight"),
        ("seconds", [["08:00:00", "18:00:00"]], "seconds"), ("am", [["8am", "6pm"]], "am and pm"),
        ("one", [["08:00"]], "one instant"), ("flat", ["08:00", "18:00"], "no windows"),
        ("newline", [["08:00", "18:00\n"]], "a newline"), ("three", [["08:00", "12:00", "18:00"]],
         "three instants"), ("unicode", [["٠٨:٠٠", "18:00"]], "digits of another script"))),
)  # fmt: skip
ABOVE = {one.title: one for one in BLOCKS}


def bad() -> list[Case]:
    out: list[Case] = []
    for title, name, code, rows in BAD:
        above = ABOVE[title]
        for label, value, why in rows:
            out.append(malformed(f"{title}-as-{label}", f"{name}: {why}. No value of this kind.",
                                 pair(name, above.parent, value, above.facts), code, 1,
                                 twin=f"{title}-restated"))  # fmt: skip
    for title, value in (("audience", []), ("purpose", []), ("columns", []), ("network", []),
                         ("hours", []), ("argument-listed", {"a": {"in": []}}),
                         ("approval", {"threshold": 1, "by": []})):  # fmt: skip
        above = ABOVE[title]
        out.append(malformed(f"{title}-as-empty-list", f"{above.name}: an empty list means neither "
                             "all nor none.", pair(above.name, above.parent, value, above.facts),
                             "empty-array", 1, twin=f"{title}-restated",
                             importance="critical"))  # fmt: skip
    for title, value in (
        ("rows", {"max": 500, "min": 1}), ("bytes", {"max": 10**6, "soft": True}),
        ("task", task("T-17", "human_request") | {"priority": "high"}),
        ("budget", budget() | {"soft": True}), ("rate", rate(20, 60) | {"burst": 40}),
        ("data-class", data("public") | {"except": ["x"]}),
        ("approval", approval(1, [ANA]) | {"optional": True}),
        ("argument-ranged", {"a": {"range": {"min": 1, "max": 10, "step": 2}}}),
    ):  # fmt: skip
        above = ABOVE[title]
        out.append(malformed(f"{title}-with-a-member-more", f"{above.name}: a member nobody knows "
                             "is a limit nobody enforces.",
                             pair(above.name, above.parent, value, above.facts),
                             "unknown-member", 1, twin=f"{title}-restated"))  # fmt: skip
    return out


# --- not understood ------------------------------------------------------------------------

UNKNOWN = [
    *(undecided(f"unknown-{label}", f"{name!r} is no constraint we know: never a yes.",
                stated(1, name, value), "unknown-constraint", 1, twin="rows-restated",
                importance="critical")
      for label, name, value in (
          ("moon", "moonPhase", "full"), ("capital", "Rows", {"max": 500}),
          ("singular", "row", {"max": 500}), ("snake", "data_class", data("public")),
          ("empty", "", {}), ("prototype", "__proto__", {"max": 1}),
          ("null", "geo", None), ("blank", "rows ", {"max": 500}),
          ("cyrillic", "r\u043ews", {"max": 500}), ("location", "location", ["EU"]))),
    *(undecided(f"operator-{label}", f"An argument's test {label!r} is none we know.",
                pair("arguments", {"a": {"eq": "42"}}, {"a": {label: value}}, {}),
                "unknown-constraint", 1, twin="argument-equal-restated", importance="critical")
      for label, value in (("regex", ".*"), ("glob", "4*"), ("not", "43"), ("lt", 43),
                           ("prefix", "4"), ("any", True))),
    *(undecided(f"data-class-scheme-{name}", f"A scheme of classes {how}.",
                pair("dataClass", data("confidential"), {"scheme": scheme, "max": "public"},
                     {"dataClass": "public"}), "unknown-constraint", 1,
                twin="data-class-restated", importance="critical")
      for name, how, scheme in (
          ("later", "of a later version", "https://delegant.example/data-class/v2"),
          ("capital", "with a capital", "https://delegant.example/Data-class/v1"),
          ("null", "that is null", None))),
    undecided("data-class-other-scheme", "A scheme of classes nobody knows.",
              pair("dataClass", data("confidential"), {"scheme": "https://other.example/v1",
                   "max": "public"}, {"dataClass": "public"}), "unknown-constraint", 1,
              twin="data-class-restated", importance="critical"),
    malformed("constraints-empty-above", "The first link's constraints are an empty object.",
              block(0, "constraints", value={}), "shape", 0, twin="rows-restated",
              importance="critical"),
    malformed("constraints-empty-of-the-sponsor", "Ana's own constraints are an empty object.",
              lambda d: d.sponsors[0].subject["entitlements"].update(constraints={}), "shape",
              twin="rows-restated", importance="critical"),
    undecided("unknown-of-the-sponsor", "An unknown constraint of Ana's own.",
              lambda d: d.sponsors[0].subject["entitlements"].update(
                  constraints={"moonPhase": "full"}), "unknown-constraint", twin="rows-restated",
              importance="critical"),
    undecided("unknown-above", "An unknown constraint in the first link.",
              pair("moonPhase", "full", "full", {}), "unknown-constraint", 0,
              twin="rows-restated", importance="critical"),
    undecided("unknown-above-dropped-below", "An unknown constraint that the child leaves out.",
              pair("moonPhase", "full", ..., {}), "unknown-constraint", 0, twin="rows-restated",
              importance="critical"),
    *(malformed(f"constraints-{label}", f"The constraints are {how}.",
                block(1, "constraints", value=value), code, 1,
                twin="rows-restated", importance="critical")
      for label, how, value, code in (
          ("empty", "an empty object: neither all nor none", {}, "shape"),
          ("null", "null", None, "shape"), ("list", "a list", [{"rows": {"max": 1}}], "shape"),
          ("text", "a text", "none", "shape"), ("false", "false", False, "shape"))),
]  # fmt: skip

CASES = [
    *group("attenuation::constraint", bad(), spec="DESIGN: constraints"),
    *group("attenuation::constraint", UNKNOWN, spec="DESIGN, rule 9"),
]
