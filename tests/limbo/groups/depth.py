"""How deep a chain may go: depth counts up, what remains counts down, and the verifier's limit."""

from __future__ import annotations

from typing import Any

from altered import block, both
from draft import Draft
from limbo.crafts import limits, long_chain
from limbo.forge import Alter, presented
from limbo.rows import accepted, group, malformed, rejected

AGAIN = ("redelegation", "remaining")
TWO: dict[str, Any] = {"twin": "two-links"}
THREE: dict[str, Any] = {"twin": "three-links", "depth": 3}
ONE: dict[str, Any] = {"twin": "one-link", "depth": 1}


def remaining(*numbers: int) -> Alter:
    """What remains after each link."""
    return both(*(block(i, *AGAIN, value=number) for i, number in enumerate(numbers)))


def narrower(d: Draft) -> None:
    """The second link's two grants lie strictly inside those of the first."""
    d.links[1].subject["grants"] = [
        {"actions": ["db.read"], "resources": ["urn:acme:papers:17"]},
        {"actions": ["doc.write"], "resources": ["urn:acme:drafts:1"]},
    ]


def unrooted(number: int) -> Alter:
    """Every link says it stands so much deeper."""

    def alter(d: Draft) -> None:
        for link in d.links:
            link.subject["depth"] += number

    return alter


def depth(index: int, value: Any) -> Alter:
    return block(index, "depth", value=value)


REMAINING = [
    accepted("one-link", "One link, which allows three more.", depth=1),
    accepted("two-links", "Three may follow the first, two the second."),
    accepted("three-links", "Three, two, one.", depth=3),
    accepted("four-links", "Three, two, one, none.", depth=4),
    accepted("remaining-none-at-the-leaf", "The leaf allows no further link.", remaining(1, 0)),
    accepted("remaining-falls-by-more", "From 31, the most there is, to none at once.",
             remaining(31, 0)),
    accepted("remaining-falls-by-one", "From 31 to 30.", remaining(31, 30)),
    accepted("remaining-just-enough", "Two, one, none.", remaining(2, 1, 0), depth=3),
    rejected("remaining-spent", "The first link allows none below: it is no authority, as an end "
             "certificate is no issuer.", remaining(0, 0), "depth", 1, importance="critical",
             origin="CVE-2026-33896", twin="remaining-none-at-the-leaf"),
    rejected("remaining-spent-in-the-middle", "The second link allows none, and a third follows.",
             remaining(1, 0, 0), "depth", 2, depth=3, twin="remaining-just-enough",
             importance="critical", origin="CVE-2026-33896"),
    rejected("remaining-equal", "What remains does not fall.", remaining(2, 2), "depth", 1,
             twin="remaining-falls-by-one", importance="critical"),
    rejected("remaining-raised", "The child allows itself more than its parent has.",
             remaining(2, 3), "depth", 1, importance="critical", **TWO),
    rejected("remaining-raised-to-the-most", "The child allows itself 31.", remaining(2, 31),
             "depth", 1, **TWO),
    rejected("remaining-equal-at-the-leaf", "The last of three does not count down.",
             remaining(3, 2, 2), "depth", 2, **THREE),
    rejected("remaining-restored", "None in the middle, some again at the end.",
             remaining(3, 0, 1), "depth", 2, **THREE),
    rejected("fifth-link", "Four links use up what the first allowed; a fifth follows.",
             lambda d: d.add_link("intruder"), "depth", 4, depth=4, twin="four-links"),
]  # fmt: skip

NUMBERS = [
    *(malformed(f"remaining-{name}", f"remaining is {how}.", block(1, *AGAIN, value=value),
                "shape", 1, **TWO)
      for name, how, value in (
          ("negative", "below none", -1), ("thirty-two", "above 31", 32), ("true", "true", True),
          ("false", "false", False), ("text", "a text", "1"),
          ("fraction", "one and a half", 1.5), ("list", "a list", [1]),
          ("huge", "2^53 - 1", 2**53 - 1))),
    *(malformed(f"depth-{name}", f"depth is {how}.", depth(1, value), "shape", 1, **TWO)
      for name, how, value in (
          ("negative", "below the root", -1), ("thirty-two", "beyond the last there can be", 32),
          ("true", "true, which is no 1", True), ("text", "a text", "1"),
          ("fraction", "one and a half", 1.5))),
    rejected("depth-root-says-one", "A single link says it is the second.", depth(0, 1), "depth",
             0, **ONE),
    rejected("depth-root-says-last", "A single link says it is the 32nd.", depth(0, 31), "depth",
             0, **ONE),
    rejected("depth-says-root", "The second link says it is the first.", depth(1, 0), "depth", 1,
             importance="critical", **TWO),
    rejected("depth-one-more", "The second link says it is the third.", depth(1, 2), "depth", 1,
             **TWO),
    rejected("depth-leaf-one-less", "The third link says it is the second.", depth(2, 1), "depth",
             2, **THREE),
    rejected("depth-leaf-says-root", "The third link says it is the first.", depth(2, 0), "depth",
             2, **THREE),
    rejected("depth-counted-from-one", "Every link counts from one.", unrooted(1), "depth", 0,
             **THREE),
]  # fmt: skip


def junk(number: int) -> Alter:
    """So many things that are no links at all: how many there are is counted first."""
    return presented("links", value=[{} for _ in range(number)])


LIMITS = [
    accepted("limit-met", "Two links, where two are the verifier's limit.", limits(links=2)),
    malformed("limit-passed", "Two links, where one is the verifier's limit.", limits(links=1),
              "limit-links", twin="limit-met"),
    accepted("ten-links", "Ten links, the usual limit.", long_chain(10), depth=1),
    malformed("eleven-links", "Eleven links, one beyond the usual limit.", long_chain(11),
              "limit-links", depth=1, twin="ten-links"),
    accepted("eleven-links-where-allowed", "Eleven links, where this verifier takes so many.",
             both(long_chain(11), limits(links=11)), depth=1),
    malformed("eleven-links-raised-by-a-link", "A limit stated in a link is none of the "
              "verifier's.", both(long_chain(11), block(0, "limits", value={"links": 11})),
              "limit-links", depth=1, twin="ten-links"),
    malformed("thirty-three-links", "More links than any verifier takes, none of them a link.",
              junk(33), "limit-links", twin="limit-met"),
    malformed("four-thousand-links", "As many as one JSON text may have members.", junk(4000),
              "limit-links", twin="limit-met"),
    malformed("ten-thousand-links", "More than one JSON text may have members.", junk(10_000),
              "limit-members", twin="limit-met", importance="critical"),
    accepted("signatures-met", "Two links and an invocation: three signatures to check.",
             limits(chainSignatures=3)),
    malformed("signatures-passed", "One signature more than the verifier will check.",
              limits(chainSignatures=2), "limit-signatures", twin="signatures-met"),
    accepted("comparisons-met", "Two narrower grants below three: 2 x 1 x 6 comparisons.",
             both(narrower, limits(comparisons=12))),
    accepted("comparisons-restated", "Two grants restated word for word need no comparison.",
             limits(comparisons=1)),
    malformed("comparisons-passed", "One comparison more than the verifier will make.",
              both(narrower, limits(comparisons=11)), "limit-comparisons", 1,
              twin="comparisons-met"),
]  # fmt: skip

CASES = [
    *group("depth", REMAINING, NUMBERS, spec="DESIGN 4: linkage"),
    *group("depth", LIMITS, spec="DESIGN 1: limits", importance="medium"),
]
