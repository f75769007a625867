"""Actions: which pattern lies in which, and what is no action at all."""

from __future__ import annotations

import copy
from typing import Any

from altered import block, both, recombined
from delegant.credentials import canonical, digest
from draft import Draft
from limbo.forge import Alter, Case, presented
from limbo.rows import accepted, group, malformed, rejected

PAPERS, DRAFTS = "urn:acme:papers:**", "urn:acme:drafts:**"
PAPER = "urn:acme:papers:17"
EVERY = ["db.*", "doc.*", "web.*", "a.*"]


def grants(*pairs: tuple[list[str], list[str]]) -> list[dict[str, list[str]]]:
    return [{"actions": actions, "resources": resources} for actions, resources in pairs]


def given(parent: Any, child: Any, action: Any = "db.read", resource: str = PAPER) -> Alter:
    """Grants of the first and the second link, in a world where nothing else limits them."""

    def alter(d: Draft) -> None:
        for index, value in enumerate((parent, child)):
            d.delegation(index)["grants"] = copy.deepcopy(value)
        wide = [{"actions": EVERY, "resources": [PAPERS, DRAFTS]}]
        d.sponsors[0].subject["entitlements"]["grants"] = wide
        d.trust["anchors"][0]["ceiling"] = wide
        d.identities[1].subject["toolset"] = [{"toolName": "any", "actions": EVERY}]
        d.ask(action, resource)
        d.claims["request"] = digest(canonical(d.request))

    return alter


def actions(parent: list[str], child: list[Any], ask: Any = "db.read") -> Alter:
    """The same resource under other actions."""
    return given(grants((parent, [PAPERS])), grants((child, [PAPERS])), ask)


# --- patterns against patterns ---------------------------------------------------------------

PATTERNS = ("db.*", "db.read", "db.read.*", "db.read.full", "db.readall", "db", "web.read")
COVERS = """
              db.*  db.read  db.read.*  db.read.full  db.readall  db  web.read
db.*           y       y         y            y           y       n       n
db.read        n       y         n            n           n       n       n
db.read.*      n       n         y            y           n       n       n
db.read.full   n       n         n            y           n       n       n
db.readall     n       n         n            n           y       n       n
db             n       n         n            n           n       y       n
web.read       n       n         n            n           n       n       y
"""
"""Parent in the row, child in the column. ``x.*`` is what lies strictly below x."""


def spelled(pattern: str) -> str:
    return pattern.replace(".*", "-any").replace(".", "-")


def lattice() -> list[Case]:
    _, head, *rows = COVERS.splitlines()
    out: list[Case] = []
    for row in rows:
        parent, *answers = row.split()
        for child, answer in zip(head.split(), answers, strict=True):
            name = f"{spelled(parent)}-over-{spelled(child)}"
            ask = child.replace(".*", ".read")
            if answer == "y":
                out.append(accepted(name, f"{parent} above, {child} below: no wider.",
                                    top(parent, child, ask)))  # fmt: skip
            else:
                out.append(rejected(name, f"{parent} above, {child} below: wider.",
                                    top(parent, child, ask), "scope-widened", 1,
                                    importance="critical",
                                    twin=f"{spelled(parent)}-over-{spelled(parent)}"))  # fmt: skip
    return out


def top(parent: str, child: str, ask: str) -> Alter:
    """`actions`, where the human may also do the bare action ``db``."""

    def alter(d: Draft) -> None:
        actions([parent], [child], ask)(d)
        for wide in (d.sponsors[0].subject["entitlements"]["grants"],
                     d.trust["anchors"][0]["ceiling"]):  # fmt: skip
            wide[0]["actions"] = [*EVERY, "db"]
        d.identities[1].subject["toolset"][0]["actions"] = [*EVERY, "db"]

    return alter


# --- sets and pairs ------------------------------------------------------------------------

READ_WRITE = ["db.read", "db.write"]
SETS = [
    accepted("subset-equal", "Two actions, restated.", actions(READ_WRITE, READ_WRITE)),
    accepted("subset-other-order", "A set has no order.", actions(READ_WRITE, READ_WRITE[::-1])),
    accepted("subset-first", "One of two.", actions(READ_WRITE, ["db.read"])),
    accepted("subset-second", "The other of two.", actions(READ_WRITE, ["db.write"], "db.write")),
    accepted("subset-of-wildcard", "Two below one wildcard.", actions(["db.*"], READ_WRITE)),
    accepted("subset-in-two-grants", "Two actions in two grants below one.",
             given(grants((READ_WRITE, [PAPERS])),
                   grants((["db.read"], [PAPERS]), (["db.write"], [PAPERS])))),
    accepted("subset-gathered", "Two grants above, on one resource, gathered into one below.",
             given(grants((["db.read"], [PAPERS]), (["db.write"], [PAPERS])),
                   grants((READ_WRITE, [PAPERS])))),
    rejected("superset", "One more action.", actions(["db.read"], READ_WRITE), "scope-widened", 1,
             importance="critical", twin="subset-equal"),
    rejected("one-of-two-new", "One of the parent's and one of nobody's.",
             actions(READ_WRITE, ["db.read", "db.drop"]), "scope-widened", 1, twin="subset-equal"),
    rejected("both-new", "Two of nobody's.", actions(READ_WRITE, ["db.drop", "db.alter"]),
             "scope-widened", 1, twin="subset-equal"),
    rejected("every-sample-is-no-wildcard", "Every action there is today is not db.*.",
             actions(["db.read", "db.write", "db.drop"], ["db.*"]), "scope-widened", 1,
             twin="subset-equal"),
    rejected("third-grant-new", "Two grants restated and a third added.",
             given(grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])),
                   grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS]),
                          (["db.drop"], [PAPERS]))), "scope-widened", 1,
             twin="pairs-restated"),
    accepted("pairs-restated", "read papers, write drafts: restated.",
             given(grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])),
                   grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])))),
    rejected("pairs-recombined", "read papers, write drafts become write papers.", recombined,
             "scope-widened", 1, importance="critical", twin="pairs-restated"),
    rejected("pairs-multiplied", "read papers, write drafts become {read, write} on both.",
             given(grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])),
                   grants((["db.read", "doc.write"], [PAPERS, DRAFTS]))), "scope-widened", 1,
             importance="critical", twin="pairs-restated"),
    accepted("product-divided", "{read, write} on both becomes read papers.",
             given(grants((["db.read", "doc.write"], [PAPERS, DRAFTS])),
                   grants((["db.read"], [PAPERS])))),
    rejected("one-bad-pair-of-four", "Three of four pairs are the parent's.",
             given(grants((READ_WRITE, [PAPERS]), (["db.read"], [DRAFTS])),
                   grants((READ_WRITE, [PAPERS, DRAFTS]))), "scope-widened", 1,
             importance="critical", twin="three-good-pairs"),
    accepted("three-good-pairs", "The three pairs alone.",
             given(grants((READ_WRITE, [PAPERS]), (["db.read"], [DRAFTS])),
                   grants((READ_WRITE, [PAPERS]), (["db.read"], [DRAFTS])))),
    rejected("omit-then-widen", "The middle link leaves an action out, the last takes it back.",
             both(block(1, "grants", value=grants((["db.read"], [PAPERS]))),
                  block(2, "grants", value=grants((["db.read"], [PAPERS]),
                                                  (["doc.write"], [DRAFTS])))),
             "scope-widened", 2, depth=3, importance="critical", twin="omitted-for-good"),
    accepted("omitted-for-good", "The middle link leaves an action out, and so does the last.",
             both(block(1, "grants", value=grants((["db.read"], [PAPERS]))),
                  block(2, "grants", value=grants((["db.read"], [PAPERS])))), depth=3),
]  # fmt: skip

# --- what is asked -------------------------------------------------------------------------


def asked(action: Any, second: str = "db.read") -> Alter:
    """Another action, where the first link says db.* and the second this."""
    return actions(["db.*"], [second], action)


REQUESTS = [
    accepted("asked-granted", "db.read is asked, and is what the second link says.",
             asked("db.read")),
    accepted("asked-below-wildcard", "db.read.full is asked, under db.*.",
             asked("db.read.full", second="db.*")),
    *(rejected(f"asked-{name}", f"{action} is asked: {why}.", asked(action), "no-grant", link,
               importance="critical", twin="asked-granted")
      for name, action, why, link in (
          ("sibling", "db.write", "the second link says only db.read", 1),
          ("below-exact", "db.read.full", "db.read is exact", 1),
          ("longer", "db.readall", "a longer word is another", 1),
          ("shorter", "db.rea", "a shorter word is another", 1),
          ("above", "db", "db.* is strictly below db", 0),
          ("other", "web.read", "nobody granted it", 0),
          ("prefix-of-segment", "dbx.read", "db.* ends at a dot", 0),
          ("suffix", "x.db.read", "it does not begin with db", 0))),
    *(malformed(f"asked-{name}", f"What is asked {how}: no action.", asked(action), "shape",
                twin="asked-granted")
      for name, how, action in (
          ("wildcard", "is a pattern", "db.*"), ("star", "is a star", "*"),
          ("empty", "is empty", ""), ("upper-case", "is in capitals", "DB.READ"),
          ("newline", "ends in a newline", "db.read\n"), ("blank", "ends in a blank", "db.read "),
          ("double-dot", "has two dots", "db..read"), ("dot-behind", "ends in a dot", "db.read."),
          ("cyrillic", "has a Cyrillic letter", "db.r\u0435ad"),
          ("zero-width", "has a zero-width space", "db.\u200bread"),
          ("nul", "has a NUL", "db.read\x00"), ("list", "is a list", ["db.read"]),
          ("null", "is null", None), ("too-long", "has 129 characters", "a." + "b" * 127))),
    rejected("asked-recombined", "Both links say read papers, write drafts; write papers is asked.",
             given(grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])),
                   grants((["db.read"], [PAPERS]), (["doc.write"], [DRAFTS])), "doc.write", PAPER),
             "no-grant", 0, importance="critical", twin="pairs-restated"),
    rejected("asked-of-the-parents", "The parent may write, the child it was narrowed to may not.",
             actions(READ_WRITE, ["db.read"], "db.write"), "no-grant", 1, twin="subset-first",
             importance="critical"),
]  # fmt: skip

# --- no actions ----------------------------------------------------------------------------


def stated(value: Any) -> Alter:
    return block(1, "grants", 0, "actions", value=value)


def many(number: int) -> Alter:
    names = ["db.read", *(f"db.a{n}" for n in range(number - 1))]
    return given(grants((["db.*"], [PAPERS])), grants((names, [PAPERS])))


def granted(number: int) -> Alter:
    rows = [(["db.read"], [f"urn:acme:papers:{n}"]) for n in range(number)]
    return given(grants((["db.*"], [PAPERS])), grants(*rows))


LONGEST = "db." + "a" * 125
SHAPES = [
    accepted("stated-once", "One action in a list."),
    accepted("stated-beside", "Two actions below a wildcard.",
             actions(["db.*"], ["db.write", "db.read"])),
    *(malformed(f"stated-{name}", f"A child's action {how}: no action, and not made one.",
                actions(["db.*"], [action, "db.read"]), "shape", 1, twin="stated-beside",
                **more)
      for name, how, action, more in (
          ("star", "is a star alone", "*", {"importance": "critical"}),
          ("double-star", "is two stars", "**", {}),
          ("dot-star", "is a dot and a star", ".*", {}),
          ("star-ahead", "has the star ahead", "*.read", {}),
          ("star-inside", "has the star inside", "db.*.read", {}),
          ("star-in-segment", "has the star in a segment", "db.r*", {}),
          ("two-stars", "has two stars", "db.**", {}),
          ("question-mark", "has a question mark", "db.rea?", {}),
          ("regular-expression", "is a regular expression", "db.(read|drop)", {}),
          ("brackets", "is a character class", "db.[r]ead", {}),
          ("negation", "is a negation", "!db.drop", {}),
          ("comma", "is two in one", "db.read,db.drop", {}),
          ("capital", "has a capital", "db.Read", {}),
          ("capitals", "is in capitals", "DB.READ", {}),
          ("empty", "is empty", "", {}), ("dot", "is a dot", ".", {}),
          ("dot-ahead", "begins with a dot", ".db.read", {}),
          ("dot-behind", "ends in a dot", "db.read.", {}),
          ("two-dots", "has two dots", "db..read", {}),
          ("slash", "has a slash", "db/read", {}), ("colon", "has a colon", "db:read", {}),
          ("blank", "has a blank", "db. read", {}), ("blank-behind", "ends in a blank", "db.read ",
                                                     {}),
          ("newline", "ends in a newline", "db.read\n", {"origin": "CWE-625"}),
          ("tab", "has a tab", "db.\tread", {}), ("nul", "has a NUL", "db.read\x00.x", {}),
          ("percent", "is percent-encoded", "db%2Eread", {}),
          ("cyrillic", "has a Cyrillic letter", "db.re\u0430d", {"origin": "UTS 39"}),
          ("full-width", "is full-width", "ｄｂ.read", {"origin": "UTS 39"}),
          ("full-width-dot", "has a full-width dot", "db．read", {}),
          ("zero-width", "has a zero-width joiner", "db.re\u200dad", {"origin": "UTS 39"}),
          ("accent", "has an accent of its own", "db.re\u0301ad", {}),
          ("kelvin", "has a Kelvin sign, which folds to k", "db.\u212a", {}),
          ("right-to-left", "has a right-to-left mark", "db.read\u202e", {"origin":
           "CVE-2021-42574"}),
          ("number", "is a number", 1, {}), ("true", "is true", True, {}),
          ("null", "is null", None, {}), ("object", "is an object", {"name": "db.read"}, {}),
          ("list", "is a list", ["db.read"], {}))),
    malformed("stated-twice", "An action stands twice.", stated(["db.read", "db.read"]), "shape",
              1, twin="stated-once", importance="medium"),
    malformed("none-stated", "An empty list means neither all nor none.", stated([]),
              "empty-array", 1, twin="stated-once", importance="critical"),
    malformed("text-for-list", "A text in place of the list.", stated("db.read"), "shape", 1,
              twin="stated-once"),
    malformed("object-for-list", "An object in place of the list.", stated({"0": "db.read"}),
              "shape", 1, twin="stated-once"),
    malformed("excepted", "A grant with an exception, which is no member of ours.",
              block(1, "grants", 0, "except", value=["db.drop"]), "unknown-member", 1,
              twin="stated-once"),
    malformed("grants-empty", "A link without any grant.", block(1, "grants", value=[]),
              "empty-array", 1, twin="stated-once", importance="critical"),
    malformed("grants-object", "One grant that is in no list.",
              lambda d: d.delegation(1).update(grants=d.delegation(1)["grants"][0]), "shape", 1,
              twin="stated-once"),
    malformed("grant-text", "A grant as a text.",
              block(1, "grants", value=["db.read:urn:acme:papers:**"]), "shape", 1,
              twin="stated-once"),
    accepted("sixteen-actions", "Sixteen actions in a grant are the most.", many(16)),
    malformed("seventeen-actions", "One more.", many(17), "limit-items", 1,
              twin="sixteen-actions", importance="medium"),
    accepted("thirty-two-grants", "Thirty-two grants in a link are the most.", granted(32)),
    malformed("thirty-three-grants", "One more.", granted(33), "limit-items", 1,
              twin="thirty-two-grants", importance="medium"),
    accepted("longest", "An action of 128 characters.", actions(["db.*"], [LONGEST], LONGEST)),
    malformed("one-longer", "An action of 129 characters.",
              actions(["db.*"], [LONGEST + "a"], LONGEST), "shape", 1, twin="longest",
              importance="medium"),
]  # fmt: skip

# --- the toolset ---------------------------------------------------------------------------


def tools(index: int, *declared: str) -> Alter:
    tool = [{"toolName": "t", "actions": list(declared)}]
    return lambda d: d.identities[index].subject.update(toolset=tool if declared else "none")


TOOLS = [
    accepted("tool-exact", "The agent declared a tool for db.read.", tools(1, "db.read")),
    accepted("tool-wildcard", "The agent declared a tool for db.*.", tools(1, "db.*")),
    accepted("tool-of-the-middle", "An agent that only delegates needs no tool.", tools(0)),
    rejected("tool-other", "The agent declared another tool.", tools(1, "doc.write"),
             "tool-not-in-toolset", 1, twin="tool-exact"),
    rejected("tool-none", "The agent declared that it has no tools.", tools(1),
             "tool-not-in-toolset", 1, twin="tool-exact"),
    rejected("tool-below", "The agent's tool does less.", tools(1, "db.read.full"),
             "tool-not-in-toolset", 1, twin="tool-exact"),
    rejected("tool-strictly-below", "db.read.* is strictly below db.read.", tools(1, "db.read.*"),
             "tool-not-in-toolset", 1, twin="tool-exact"),
    rejected("tool-longer", "The agent's tool has a longer name.", tools(1, "db.readall"),
             "tool-not-in-toolset", 1, twin="tool-exact"),
    malformed("tool-empty", "A tool without actions.",
              lambda d: d.identities[1].subject["toolset"][0].update(actions=[]), "empty-array",
              1, twin="tool-exact"),
    malformed("tool-star", "A tool for everything.", tools(1, "*"), "shape", 1, twin="tool-exact"),
    malformed("invocation-names-a-tool", "The presentation states the toolset itself.",
              presented("toolset", value=["db.read"]), "unknown-member", twin="tool-exact"),
]  # fmt: skip

CASES = [
    *group("attenuation::action", lattice(), SETS, spec="DESIGN 5: attenuation"),
    *group("attenuation::action", SHAPES, spec="DESIGN, rules 7 and 11"),
    *group("attenuation::action", REQUESTS, TOOLS, spec="DESIGN 11: request"),
]
