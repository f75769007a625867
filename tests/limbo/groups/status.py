"""Revoked, suspended, or unknown: the bits of a chain, and the lists that say so.

Two bits belong to a credential: the even one revokes, the next suspends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altered import both, do, t
from altered_evidence import aged_list, later, low, revoked, seen_list
from draft import Doc, Draft, list_doc
from limbo.crafts import forms
from limbo.forge import Alter, stapled
from limbo.rows import accepted, group, malformed, rejected, undecided
from world import T0

OTHER = "https://acme.example/status/2"
CLEAN: dict[str, Any] = {"twin": "nothing-revoked"}


# --- bits ----------------------------------------------------------------------------------


def bit(where: Callable[[Draft], Doc], offset: int) -> Alter:
    """Set the bit so far from a credential's first one."""

    def alter(d: Draft) -> None:
        index = int(where(d).doc["credentialStatus"][0]["statusListIndex"])
        d.world.revoked.add(index + offset)
        d.lists = [list_doc(d.world)]

    return alter


def mirrored(d: Draft) -> None:
    """The bit that a reader from the right finds in place of the second link's."""
    index = int(d.links[1].doc["credentialStatus"][0]["statusListIndex"])
    d.world.revoked.add(index - index % 8 + 7 - index % 8)
    d.lists = [list_doc(d.world)]


PARTS: tuple[tuple[str, str, int, int | None], ...] = (
    ("first-link", "links", 0, 0), ("middle-link", "links", 1, 1), ("leaf", "links", 2, 2),
    ("first-identity", "identities", 0, 0), ("middle-identity", "identities", 1, 1),
    ("leaf-identity", "identities", 2, 2), ("sponsor", "sponsors", 0, None),
)  # fmt: skip
BITS = [
    accepted("nothing-revoked", "A clean list."),
    accepted("nothing-revoked-of-three", "A clean list for three links.", depth=3),
    *(rejected(f"{name}-{word}", f"The {name.replace('-', ' ')} is {word}.",
               revoked(group_, index, number), code if group_ != "sponsors" else "sponsor-gone",
               link, depth=3, twin="nothing-revoked-of-three", importance="critical")
      for name, group_, index, link in PARTS
      for word, number, code in (("revoked", 0, "revoked"), ("suspended", 1, "suspended"))),
    *(rejected(f"ancestor-{index}-revoked-for-the-formatter", "A link above is revoked: all below "
               "it are.", revoked("links", index), "revoked", index, depth=4,
               twin="nothing-revoked-of-four", importance="critical") for index in range(3)),
    accepted("nothing-revoked-of-four", "A clean list for four links.", depth=4),
    accepted("neighbour-revoked", "The bits behind the second link's are another's.",
             bit(lambda d: d.links[1], 2)),
    accepted("mirrored-bit-set", "Bits are counted from the left (Bitstring Status List, 3.2): "
             "the one a reader from the right would find is another's.", mirrored),
    rejected("revoked-and-suspended", "Both bits are set: revoked is the answer.",
             both(revoked("links", 1, 0), revoked("links", 1, 1)), "revoked", 1, **CLEAN),
    rejected("all-revoked", "Everything is revoked: the first link answers.",
             both(*(revoked(part, 0) for part in ("links", "identities", "sponsors"))), "revoked",
             0, **CLEAN),
    rejected("second-revoked-sponsor-too", "Links are asked before the sponsor.",
             both(revoked("sponsors", 0), revoked("links", 1)), "revoked", 1, **CLEAN),
]  # fmt: skip

# --- lists ---------------------------------------------------------------------------------


def lists(*changes: dict[str, Any]) -> Alter:
    """Lists in place of the one; ``bits`` are indices from the second link's first bit."""

    def alter(d: Draft) -> None:
        first = int(d.links[1].doc["credentialStatus"][0]["statusListIndex"])
        made = []
        for change in changes:
            own = dict(change)
            d.world.revoked = {first + offset for offset in own.pop("bits", ())}
            by = own.pop("by", None)
            one = list_doc(d.world, **own)
            if by is not None:
                one.doc["issuer"], one.signer = d.did(by), d.key(by)
            made.append(one)
        d.lists = made

    return alter


def authored(by: str, signer: str) -> Alter:
    """A list in one's name, with another's key."""

    def alter(d: Draft) -> None:
        d.lists[0].doc["issuer"], d.lists[0].signer = d.did(by), d.key(signer)

    return alter


def stale(age: int, **more: Any) -> dict[str, Any]:
    return {"valid_from": T0 - age, "valid_until": T0 + 3600} | more


def ages(high: int, low_: int = 3600) -> Alter:
    return lambda d: d.trust["anchors"][0].update(maxStatusAge={"low": low_, "high": high})


def listed_low(pattern: str) -> Alter:
    return lambda d: d.trust["verifier"].update(lowSensitivity=[pattern])


FRESH = [
    undecided("no-list", "No list is shown: nothing is known.", do(lists=[]), "status-missing", 0,
              importance="critical", **CLEAN),
    undecided("list-of-another-place", "A list is shown, and of another address.",
              lists({"url": OTHER}), "status-missing", 0, importance="critical", **CLEAN),
    malformed("lists-empty", "An empty list of lists.", stapled("statusLists", value=[]),
              "empty-array", **CLEAN),
    accepted("stale-at-the-second", "300 seconds old, and 300 are allowed.", aged_list(300)),
    undecided("stale-after-the-second", "301 seconds old.", aged_list(301), "status-stale", 0,
              twin="stale-at-the-second"),
    undecided("stale-by-a-day", "A day old.", lists(stale(86_400)), "status-stale", 0,
              twin="stale-at-the-second"),
    accepted("stale-at-the-second-low", "3600 seconds old, for a resource of low sensitivity.",
             both(low, aged_list(3600))),
    undecided("stale-after-the-second-low", "3601 seconds old.", both(low, aged_list(3601)),
              "status-stale", 0, twin="stale-at-the-second-low"),
    undecided("low-is-another-resource", "An hour is for drafts, and papers are asked.",
              both(listed_low("urn:acme:drafts:**"), aged_list(3600)), "status-stale", 0,
              twin="stale-at-the-second-low"),
    accepted("stale-as-the-anchor-says", "Sixty seconds old, where sixty are allowed.",
             both(ages(60), aged_list(60))),
    undecided("stale-beyond-what-the-anchor-says", "Sixty-one seconds old.",
              both(ages(60), aged_list(61)), "status-stale", 0, twin="stale-as-the-anchor-says"),
    accepted("ends-next-second", "The list is valid for one second more.",
             lists({"valid_from": T0 - 10, "valid_until": T0 + 1})),
    undecided("ends-now", "The list's time is over, at the second.",
              lists({"valid_from": T0 - 10, "valid_until": T0}), "status-stale", 0,
              twin="ends-next-second"),
    accepted("future-within-the-skew", "Signed 30 seconds from now.", aged_list(-30)),
    undecided("future-beyond-the-skew", "Signed 31 seconds from now.", aged_list(-31),
              "status-unknown", 0, twin="future-within-the-skew"),
    *(undecided(f"future-{name}", "A list of the future would be fresh for long.",
                lists(stale(-seconds, valid_until=T0 + seconds + 60)), "status-unknown", 0,
                twin="future-within-the-skew")
      for name, seconds in (("by-an-hour", 3600), ("by-a-year", 365 * 86_400))),
    accepted("as-new-as-seen", "As new as the newest this verifier has met.", seen_list(0)),
    rejected("older-than-seen", "A second older than the newest it has met.", seen_list(1),
             "status-rollback", 0, importance="critical", twin="as-new-as-seen"),
    rejected("fresh-and-older-than-seen", "Fresh enough, and rolled back all the same.",
             both(aged_list(100), seen_list(-50)), "status-rollback", 0, importance="critical",
             twin="as-new-as-seen"),
    accepted("other-list-seen", "A newer list of another address says nothing of this one.",
             lambda d: d.trust.update(seen={"lists": {OTHER: t(500)}})),
    rejected("stale-list-proves-revoked", "A stale list can prove revoked.",
             lists(stale(3000, bits=(0,))), "revoked", 1, importance="critical", **CLEAN),
    rejected("stale-list-proves-suspended", "A stale list, the newest there is, says suspended.",
             lists(stale(3000, bits=(1,))), "suspended", 1, **CLEAN),
    rejected("expired-list-proves-revoked", "So can one whose time is over.",
             lists({"valid_from": T0 - 10, "valid_until": T0, "bits": (0,)}), "revoked", 1,
             importance="critical", **CLEAN),
    rejected("future-list-proves-revoked", "So can one that is not yet believed otherwise.",
             lists(stale(-500, bits=(0,))), "revoked", 1, **CLEAN),
]  # fmt: skip

SEVERAL = [
    accepted("older-list-beside", "A stale list beside a fresh one, both clean.",
             lists({}, stale(3000))),
    rejected("older-list-revoked", "What was revoked once stays revoked.",
             lists({}, stale(3000, bits=(0,))), "revoked", 1, importance="critical",
             twin="older-list-beside"),
    accepted("resumed", "The older list says suspended, the newer no longer does.",
             lists({}, stale(3000, bits=(1,)))),
    rejected("suspended-again", "The newer list says suspended, the older does not.",
             lists({"bits": (1,)}, stale(3000)), "suspended", 1, importance="critical",
             twin="resumed"),
    rejected("revoked-in-the-second", "The newer list stands second.",
             lists(stale(100), {"bits": (0,)}), "revoked", 1, importance="critical",
             twin="older-list-beside"),
    rejected("revoked-since", "Ten seconds later the list says so.",
             both(later(10), lists({}, {"valid_from": T0 + 10, "bits": (0,)})), "revoked", 1,
             importance="critical", twin="later-and-clean"),
    accepted("later-and-clean", "Ten seconds later nothing is revoked.", later(10)),
    rejected("old-list-shown-after-a-newer", "The holder shows the list of before; the verifier "
             "has met the newer.", both(later(10), lists(stale(0)), seen_list(10)),
             "status-rollback", 0, importance="critical", twin="later-and-clean"),
    accepted("another-authoritys-list-beside", "A list by somebody else, beside the right one, "
             "says nothing, not even that all is revoked.",
             lists({}, {"by": "mallory", "bits": (0,)})),
    rejected("forged-list-beside", "A list in the authority's name, by another key.",
             both(lists({}, {}), lambda d: setattr(d.lists[1], "signer", d.key("mallory"))),
             "proof", 0, twin="another-authoritys-list-beside"),
    accepted("list-as-jwt", "The list as vc+jwt.", forms("list-0"), features=("vc+jwt",)),
    rejected("list-as-jwt-revoked", "The list as vc+jwt says revoked.",
             both(revoked("links", 1), forms("list-0")), "revoked", 1, features=("vc+jwt",),
             twin="list-as-jwt", importance="critical"),
    rejected("list-as-jwt-forged", "The list as vc+jwt by another key.",
             both(authored("status-authority", "mallory"), forms("list-0")), "proof", 0,
             features=("vc+jwt",), twin="list-as-jwt", importance="critical"),
]  # fmt: skip


def authority_key(name: str) -> Alter:
    """The sponsor credential states somebody's key as the authority's."""
    return lambda d: d.sponsors[0].subject["status"].update(key=d.key(name).public.multikey)


def web_authority(signer: str) -> Alter:
    """The authority by a web name, its list signed by this key."""

    def alter(d: Draft) -> None:
        name = "did:web:acme.example:status"
        d.sponsors[0].subject["status"]["authority"] = name
        d.lists[0].doc["issuer"], d.lists[0].signer = name, d.key(signer)

    return alter


AUTHORITY = [
    rejected("list-forged", "The list is in the authority's name, by another key.",
             authored("status-authority", "mallory"), "proof", 0, importance="critical", **CLEAN),
    *(undecided(f"list-by-{name}", f"The list is by {who}, who is not the chain's authority.",
                authored(name, name), "status-unknown", 0, importance="critical", **CLEAN)
      for name, who in (("mallory", "a stranger"), ("research", "the agent who issued the link"),
                        ("ana", "the human"), ("org", "the organisation"),
                        ("retrieval", "the holder"), ("db", "the verifier"))),
    *(rejected(f"authority-key-of-{name}", "The stated key signed the list, and is not the "
               "authority's own.", both(authority_key(name),
               authored("status-authority", name)), "did-key-mismatch", 0,
               importance="critical", **CLEAN)
      for name in ("org", "retrieval")),
    rejected("authority-key-of-another", "The sponsor credential states a key for the authority's "
             "did:key that is not its own.", authority_key("mallory"), "did-key-mismatch", 0,
             **CLEAN),
    accepted("authority-by-web-name", "The authority has a web name; its key is in the sponsor "
             "credential.", web_authority("status-authority"), features=("did:web",)),
    rejected("authority-by-web-name-other-key", "A list by another key than the one stated.",
             web_authority("mallory"), "proof", 0, features=("did:web",),
             twin="authority-by-web-name", importance="critical"),
]  # fmt: skip

CASES = group("status", BITS, FRESH, SEVERAL, AUTHORITY, spec="DESIGN 9: status")
