"""Where a credential's bits lie: its two entries, and the ranges leased down the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altered import both, t
from altered_evidence import revoked
from draft import LIST, Draft
from limbo.forge import Alter
from limbo.groups.status import CLEAN, OTHER
from limbo.rows import accepted, group, malformed, rejected, undecided

MINUTE: dict[str, Any] = {"twin": "minute-without-entry"}


def entry(index: int, group_: str = "links", **members: Any) -> Alter:
    """Members of both entries of a credential; a function is given the first one's index."""

    def alter(d: Draft) -> None:
        for number, one in enumerate(getattr(d, group_)[index].doc["credentialStatus"]):
            for name, value in members.items():
                one[name] = value(number) if callable(value) else value

    return alter


def at_index(index: int, first: int, group_: str = "links") -> Alter:
    return entry(index, group_, statusListIndex=lambda number: str(first + number))


def lease(index: int, **members: Any) -> Alter:
    return lambda d: d.delegation(index)["redelegation"]["status"].update(members)


def sponsors_lease(**members: Any) -> Alter:
    return lambda d: d.sponsors[0].subject["status"].update(members)


def bare(index: int, end: int) -> Alter:
    """A link without an entry, and without a lease, ends so many seconds on."""

    def alter(d: Draft) -> None:
        del d.links[index].doc["credentialStatus"]
        d.links[index].doc["validUntil"] = t(end)

    return alter


def first_leased(d: Draft) -> int:
    """The first bit that the first link leases on."""
    return int(d.delegation(0)["redelegation"]["status"]["from"])


def leased(offset: int, count: int) -> Alter:
    """What the second link leases on, counted from what it was leased."""
    return lambda d: lease(1, **{"from": first_leased(d) + offset, "count": count})(d)


def within(offset: int) -> Alter:
    """The second link's bits, counted from what its parent was leased."""
    return lambda d: at_index(1, first_leased(d) + offset)(d)


def no_lease(d: Draft) -> None:
    del d.delegation(0)["redelegation"]["status"]


def of(index: int, change: Callable[[list[dict[str, Any]]], Any]) -> Alter:
    """Edit a link's two status entries."""

    def alter(d: Draft) -> None:
        made = change(d.links[index].doc["credentialStatus"])
        if made is not None:
            d.links[index].doc["credentialStatus"] = made

    return alter


def stripped(group_: str, index: int) -> Alter:
    return lambda d: getattr(d, group_)[index].doc.pop("credentialStatus")


LEASES = [
    rejected("entry-of-another-branch", "The second link's bits are another's: outside the range "
             "its parent was leased.", at_index(1, 100), "scope-widened", 1,
             importance="critical", **CLEAN),
    rejected("entry-of-its-sponsor", "The first link uses its sponsor's own bits.",
             lambda d: d.links[0].doc.update(
                 credentialStatus=d.sponsors[0].doc["credentialStatus"]), "scope-widened", 0,
             **CLEAN),
    rejected("entry-in-another-list", "The second link's bits are in a list nobody leased.",
             entry(1, statusListCredential=OTHER), "scope-widened", 1, importance="critical",
             **CLEAN),
    rejected("entry-without-a-lease", "Its parent leased no bits on.",
             both(no_lease, lambda d: d.delegation(1)["redelegation"].pop("status")),
             "scope-widened", 1, **CLEAN),
    rejected("entry-just-before-the-lease", "Two bits before the first leased.",
             within(-2), "scope-widened", 1,
             twin="entry-first-of-the-lease"),
    accepted("entry-first-of-the-lease", "The first two bits leased.",
             within(0)),
    accepted("entry-last-of-the-lease", "The last two bits leased.",
             within(510)),
    rejected("entry-just-behind-the-lease", "Two bits behind the last leased.",
             within(512), "scope-widened", 1,
             twin="entry-last-of-the-lease"),
    accepted("lease-restated", "The second link leases on all it was leased.",
             lambda d: d.delegation(1)["redelegation"].update(
                 status=d.delegation(0)["redelegation"]["status"])),
    rejected("lease-longer", "Two bits more.", leased(0, 514), "scope-widened", 1,
             twin="lease-restated"),
    rejected("lease-earlier", "It begins two bits before.", leased(-2, 512), "scope-widened", 1,
             twin="lease-restated"),
    rejected("lease-of-another-list", "Bits of another list.", lease(1, list=OTHER),
             "scope-widened", 1, **CLEAN),
    rejected("first-lease-beyond-the-sponsors", "The first link leases more than the human has.",
             lease(0, count=16_384), "scope-widened", 0, **CLEAN),
    rejected("first-entry-beyond-the-sponsors", "The first link's bits are not the human's.",
             at_index(0, 100), "scope-widened", 0, importance="critical", **CLEAN),
    rejected("identity-entry-beyond-the-sponsors", "An identity's bits are not its human's.",
             at_index(1, 100, "identities"), "scope-widened", 1, importance="critical", **CLEAN),
    rejected("first-identity-entry-beyond-the-sponsors", "The first agent's bits are not its "
             "human's.", at_index(0, 1998, "identities"), "scope-widened", 0, **CLEAN),
    rejected("identity-entry-in-another-list", "An identity's bits are in a list nobody leased.",
             entry(1, "identities", statusListCredential=OTHER), "scope-widened", 1,
             importance="critical", **CLEAN),
    rejected("identity-entry-behind-the-sponsors", "The bits after the human's last.",
             at_index(1, 2000 + 8192, "identities"), "scope-widened", 1, **CLEAN),
    *(malformed(f"lease-{name}", f"A leased range {how}.", lease(1, **members), "shape", 1, **CLEAN)
      for name, how, members in (
          ("odd-start", "begins at an odd bit", {"from": 2105}),
          ("odd-count", "has an odd number of bits", {"count": 63}),
          ("of-none", "has no bits", {"count": 0}), ("negative", "is negative", {"count": -2}),
          ("text", "has a text for its start", {"from": "2104"}),
          ("no-url", "names no address", {"list": "status/1"}))),
    malformed("lease-with-a-member-more", "A leased range says more.", lease(1, purpose="all"),
              "unknown-member", 1, **CLEAN),
]  # fmt: skip


ENTRIES = [
    accepted("minute-without-entry", "A grant of sixty seconds may do without.", bare(1, 60)),
    undecided("stripped", "A grant of 61 seconds may not.", bare(1, 61), "status-missing", 1,
              importance="critical", **MINUTE),
    undecided("stripped-at-the-root", "The first link, of thirty minutes, without its entry.",
              stripped("links", 0), "status-missing", 0, importance="critical", **CLEAN),
    rejected("minute-under-a-revoked-parent", "Its parent's bits kill it.",
             both(bare(1, 60), revoked("links", 0)), "revoked", 0, importance="critical", **MINUTE),
    undecided("mandate-without-entry", "A mandate needs one, however short.",
              both(lambda d: d.delegation(0).update(use="mandate"), stripped("links", 0)),
              "status-missing", 0, twin="nothing-revoked"),
    malformed("stripped-from-the-sponsor", "A sponsor credential needs an entry.",
              stripped("sponsors", 0), "shape", importance="critical", **CLEAN),
    malformed("stripped-from-the-identity", "An identity credential needs an entry.",
              stripped("identities", 1), "shape", 1, importance="critical", **CLEAN),
    *(malformed(f"entry-{name}", f"The entries {how}.", alter, "shape", 1, **CLEAN)
      for name, how, alter in (
          ("single", "are one", of(1, lambda es: es[:1])),
          ("suspension-only", "are one, of suspension", of(1, lambda es: es[1:])),
          ("swapped", "are swapped: what is meant to suspend would revoke",
           of(1, lambda es: es[::-1])),
          ("doubled", "are three", of(1, lambda es: [*es, es[1]])),
          ("object", "are one object", of(1, lambda es: es[0])),
          ("null-inside", "hold null", of(1, lambda es: [es[0], None])),
          ("other-purpose", "are for messages", entry(1, statusPurpose="message")),
          ("refresh", "are for refreshing", entry(1, statusPurpose="refresh")),
          ("both-revocation", "are both of revocation", entry(1, statusPurpose="revocation")),
          ("old-type", "are of the kind before", entry(1, type="StatusList2021Entry")),
          ("odd", "begin at an odd bit", at_index(1, 2105)),
          ("same-bit", "are one bit", entry(1, statusListIndex="2104")),
          ("apart", "are apart", entry(1, statusListIndex=lambda n: str(2104 + 2 * n))),
          ("negative", "are negative", at_index(1, -2)),
          ("number", "are numbers", entry(1, statusListIndex=lambda n: 2104 + n)),
          ("leading-zero", "have a zero ahead", entry(1, statusListIndex=lambda n: f"0{2104 + n}")),
          ("hexadecimal", "are hexadecimal", entry(1, statusListIndex=lambda n: hex(2104 + n))),
          ("wide-digits", "have wide digits", entry(1, statusListIndex="２１０４")),
          ("huge", "are beyond any list", at_index(1, 16 * 2**20 * 8)),
          ("no-url", "name no address", entry(1, statusListCredential="acme/1")),
          ("query", "name an address with a query", entry(1, statusListCredential=f"{LIST}?v=2")),
          ("file", "name a file", entry(1, statusListCredential="file:///status/1")),
          ("two-lists", "are in two lists",
           entry(1, statusListCredential=lambda n: (LIST, OTHER)[n])))),
    malformed("entries-none", "An empty list of entries.", of(1, lambda _: []), "empty-array", 1,
              **CLEAN),
    malformed("entries-null", "null in place of the entries.",
              lambda d: d.links[1].doc.update(credentialStatus=None), "shape", 1, **CLEAN),
    malformed("entry-with-size", "An entry with a statusSize.", entry(1, statusSize=2),
              "unknown-member", 1, **CLEAN),
]  # fmt: skip

CASES = [
    *group("status", LEASES, spec="DESIGN, rule 17"),
    *group("status", ENTRIES, spec="DESIGN 9: status"),
]
