"""The revocation feed: whom it kills, whose it must be, and how fresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altered import both, do, t
from altered_evidence import low, revoked, spawned
from draft import Draft, Feed
from limbo.forge import Alter
from limbo.groups.sponsor_partner import partner
from limbo.rows import accepted, group, rejected, undecided

URL = "https://acme.example/v1/revocations"
STRANGER = "did:web:stranger.example"
Id = Callable[[Draft], str] | str
CLEAN: dict[str, Any] = {"twin": "feed-without-entries", "importance": "critical"}
NEVER = "urn:uuid:00000000-0000-4000-8000-000000000000"


def entry(kind: str, name: Id, **members_: Any) -> Callable[[Draft], dict[str, Any]]:
    """One entry, revoked a minute ago by the organisation."""

    def make(d: Draft) -> dict[str, Any]:
        own = {"kind": kind, "id": name(d) if callable(name) else name, "at": t(-60),
               "by": d.parties["org"].did, "reason": "key lost"}  # fmt: skip
        return {k: v for k, v in (own | members_).items() if v is not ...}

    return make


def feed(*entries: Any, by: str = "status-authority", key: str = "", age: int = 0,
         **changes: Any) -> Alter:  # fmt: skip
    """One more feed in the evidence; ``...`` leaves a member out."""

    def alter(d: Draft) -> None:
        value = {"version": 1, "id": URL, "issuer": d.did(by), "seq": 7, "validFrom": t(-age),
                 "validUntil": t(3600)}  # fmt: skip
        if entries:
            value["entries"] = [one(d) if callable(one) else one for one in entries]
        value = {k: v for k, v in (value | changes).items() if v is not ...}
        d.feeds.append(Feed(value, d.key(key or by)))

    return alter


def bent(**changes: Any) -> Alter:
    """The feed's token other than it was signed, or of another header."""

    def alter(d: Draft) -> None:
        feed()(d)
        for name, value in changes.items():
            setattr(d.feeds[0], name, value)

    return alter


def seen(number: int, by: str = "status-authority") -> Alter:
    """A feed of this number was met before."""
    return lambda d: d.trust.setdefault("seen", {}).update(feeds={d.did(by): number})


def required(d: Draft) -> None:
    d.trust["anchors"][0]["requireFeed"] = True


def link(index: int) -> Callable[[Draft], str]:
    return lambda d: str(d.links[index].doc["id"])


def who(name: str) -> Callable[[Draft], str]:
    return lambda d: d.did(name)


# --- whom it kills -------------------------------------------------------------------------

AGENTS = (("first", "research", 0), ("middle", "retrieval", 1), ("last", "dbquery", 2))
KILLS = [
    accepted("feed-without-entries", "A fresh feed by the authority that revokes nothing.",
             feed()),
    accepted("feed-of-three-links", "The same for three links.", feed(), depth=3),
    accepted("feed-of-another-link", "It revokes a link of another chain.",
             feed(entry("link", NEVER))),
    accepted("feed-of-another-did", "It revokes an agent that is not on the path.",
             feed(entry("did", who("formatter")))),
    accepted("feed-of-another-sponsor", "It revokes a human who is not on the path.",
             feed(entry("sponsor", who("eve")))),
    accepted("feed-did-as-sponsor", "An agent named as a sponsor: it sponsors nobody.",
             feed(entry("sponsor", who("retrieval")))),
    *(rejected(f"feed-kills-link-{index}", "The feed names a link of the chain.",
               feed(entry("link", link(index))), "revoked", index, depth=3,
               twin="feed-of-three-links", importance="critical") for index in range(3)),
    *(rejected(f"feed-kills-{name}-agent", f"The feed names the {name} agent's DID.",
               feed(entry("did", who(party))), "revoked", index, depth=3,
               twin="feed-of-three-links", importance="critical")
      for name, party, index in AGENTS),
    *(rejected(f"feed-kills-sponsor-{by}", "The feed names the human: every chain of hers ends.",
               feed(entry(by, who("ana"))), "sponsor-gone", None, **CLEAN)
      for by in ("sponsor", "did")),
    rejected("feed-kills-parent-agent", "The feed names the agent that made the last one.",
             both(spawned(True), feed(entry("did", who("retrieval")))), "revoked", 1, depth=3,
             twin="feed-and-a-parent-agent", importance="critical"),
    accepted("feed-and-a-parent-agent", "The last agent was made by the one above it.",
             both(spawned(True), feed()), depth=3),
    rejected("feed-kills-in-the-second-entry", "What is named stands second.",
             feed(entry("did", who("formatter")), entry("link", link(1))), "revoked", 1, **CLEAN),
    rejected("feed-names-link-before-sponsor", "Links are asked before the human.",
             feed(entry("sponsor", who("ana")), entry("link", link(1))), "revoked", 1, **CLEAN),
    rejected("feed-names-sponsor-before-agent", "The human is asked before the agents.",
             feed(entry("did", who("research")), entry("sponsor", who("ana"))), "sponsor-gone",
             None, **CLEAN),
    rejected("feed-list-before-feed", "The list says suspended: lists are read first.",
             both(revoked("links", 1, 1), feed(entry("link", link(0)))), "suspended", 1, **CLEAN),
    rejected("feed-revoked-and-no-list", "The feed revokes, and a list is missing: revoked is "
             "the answer.", both(do(lists=[]), feed(entry("link", link(0)))), "revoked", 0,
             **CLEAN),
]  # fmt: skip

WORDS = [
    *(rejected(f"feed-entry-{name}", f"The entry says it was made {when}: it kills all the same.",
               feed(entry("link", link(1), at=t(seconds))), "revoked", 1, **CLEAN)
      for name, when, seconds in (("of-the-future", "in an hour", 3600),
                                  ("of-this-second", "now", 0),
                                  ("of-ten-years-ago", "ten years ago", -315_360_000))),
    *(rejected(f"feed-entry-by-{name}", f"On the word of {whose}: who was entitled, the authority "
               "has judged that signed it.", feed(entry("link", link(1), by=by)), "revoked", 1,
               **CLEAN)
      for name, whose, by in (("a-stranger", "a stranger", STRANGER),
                              ("somebody-unnamed", "nobody anybody knows", "did:web:x.example"))),
    rejected("feed-entry-twice", "The same entry twice.",
             feed(entry("link", link(1)), entry("link", link(1))), "revoked", 1, **CLEAN),
]  # fmt: skip


# --- whose it must be ----------------------------------------------------------------------


def partner_feed(*entries: Any, **more: Any) -> Alter:
    return both(partner(), feed(), feed(*entries, by="partner-status", **more))


def partner_requires(d: Draft) -> None:
    partner(requireFeed=True)(d)


PARTNERS: dict[str, Any] = {"twin": "feed-of-a-partner", "importance": "critical"}
WHOSE = [
    accepted("feed-by-somebody-else", "Another's feed that names everybody says nothing.",
             feed(entry("link", link(0)), entry("sponsor", who("ana")), by="mallory")),
    accepted("feed-by-somebody-else-beside", "The same beside the authority's own.",
             both(feed(entry("did", who("retrieval")), by="mallory"), feed())),
    *(accepted(f"feed-by-{name}", f"A feed by {whose}, who is not the chain's status authority.",
               feed(entry("link", link(0)), by=name))
      for name, whose in (("org", "the organisation"), ("ana", "the human"),
                          ("research", "an agent"))),
    *(rejected(f"feed-forged-by-{name}", "A feed in the authority's name, by another key.",
               feed(key=name), "proof", None, **CLEAN)
      for name in ("mallory", "org", "retrieval")),
    rejected("feed-forged-beside", "The right one, and a forged one beside it.",
             both(feed(), feed(key="mallory", seq=8)), "proof", None, **CLEAN),
    rejected("feed-of-another-method", "Signed under another's verification method.",
             bent(kid=f"{STRANGER}#k"), "did-key-mismatch", None, **CLEAN),
    accepted("feed-of-a-partner", "The partner's feed beside ours; the agent is the partner's.",
             partner_feed()),
    rejected("feed-of-a-partner-kills-its-agent", "The partner's feed names its own agent.",
             partner_feed(entry("did", who("retrieval"))), "revoked", 1, **PARTNERS),
    rejected("feed-of-a-partner-kills-its-human", "The partner's feed names Bob.",
             partner_feed(entry("sponsor", who("bob"))), "sponsor-gone", None, **PARTNERS),
    *(accepted(f"feed-of-a-partner-on-{name}", f"The partner's feed names {whose}, who is ours: "
               "the partner answers for its own.", partner_feed(entry(kind, name_)))
      for name, whose, kind, name_ in (
          ("our-human", "Ana", "sponsor", who("ana")), ("our-agent", "research", "did",
           who("research")), ("our-link", "a link", "link", link(1)))),
    rejected("feed-of-ours-kills-a-partners-agent", "Our own feed names the partner's agent: no "
             "chain of ours may have it.", both(partner(), feed(entry("did", who("retrieval")))),
             "revoked", 1, **PARTNERS),
    rejected("feed-of-ours-kills-a-partners-human", "Our own feed names Bob.",
             both(partner(), feed(entry("did", who("bob")))), "sponsor-gone", None, **PARTNERS),
    undecided("feed-required-of-a-partner", "The partner's anchor asks for a feed: ours is none.",
              both(partner_requires, feed()), "status-unknown", None, **PARTNERS),
    undecided("feed-of-a-partner-stale", "The partner's feed is 301 seconds old.",
              partner_feed(age=301), "status-stale", None, **PARTNERS),
]  # fmt: skip


# --- how fresh it must be ------------------------------------------------------------------

FRESH = [
    accepted("feed-never-met", "No feed, where none was ever met and none is asked for."),
    undecided("feed-required-and-missing", "The anchor asks for a feed, and there is none.",
              required, "status-missing", None, twin="feed-required", importance="critical"),
    accepted("feed-required", "The anchor asks for a feed, and there is one.",
             both(required, feed())),
    undecided("feed-met-before-and-missing", "A feed was met before: to leave it out is no way "
              "round.", seen(1), "status-missing", None, twin="feed-as-new-as-met",
              importance="critical"),
    accepted("feed-met-of-another", "A feed of another authority was met.", seen(9, "mallory")),
    undecided("feed-required-and-withheld", "The list is there, the feed that was met is not.",
              both(required, seen(7)), "status-missing", None, twin="feed-required",
              importance="critical"),
    *(undecided(f"feed-required-by-{name}", f"A feed is asked for, and the only one is {whose}.",
                both(required, feed(by=name)), "status-unknown", None, twin="feed-required",
                importance="critical")
      for name, whose in (("mallory", "a stranger's"), ("org", "the organisation's"),
                          ("ana", "the human's"))),
    accepted("feed-as-new-as-met", "As new as the newest met.", both(feed(), seen(7))),
    accepted("feed-newer-than-met", "Newer than the newest met.", both(feed(), seen(6))),
    *(rejected(f"feed-older-than-met-{name}", "Older than the newest met.", both(feed(), seen(n)),
               "status-rollback", None, twin="feed-as-new-as-met", importance="critical")
      for name, n in (("by-one", 8), ("by-many", 7000))),
    rejected("feed-first-again", "The first feed, where many were met.",
             both(feed(seq=1), seen(7)), "status-rollback", None, twin="feed-as-new-as-met",
             importance="critical"),
    accepted("feed-at-the-second", "300 seconds old, and 300 are allowed.", feed(age=300)),
    undecided("feed-after-the-second", "301 seconds old.", feed(age=301), "status-stale", None,
              twin="feed-at-the-second"),
    undecided("feed-a-day-old", "A day old.", feed(age=86_400), "status-stale", None,
              twin="feed-at-the-second"),
    accepted("feed-at-the-second-low", "An hour old, for a resource of low sensitivity.",
             both(low, feed(age=3600))),
    undecided("feed-after-the-second-low", "A second more.", both(low, feed(age=3601)),
              "status-stale", None, twin="feed-at-the-second-low"),
    accepted("feed-ends-next-second", "Valid for one second more.", feed(validUntil=t(1))),
    undecided("feed-ends-now", "Its time is over, at the second.", feed(age=10, validUntil=t(0)),
              "status-stale", None, twin="feed-ends-next-second"),
    accepted("feed-within-the-skew", "Signed 30 seconds from now.", feed(age=-30)),
    undecided("feed-beyond-the-skew", "Signed 31 seconds from now.", feed(age=-31),
              "status-unknown", None, twin="feed-within-the-skew"),
    rejected("feed-stale-proves-revoked", "A stale feed can prove revoked.",
             feed(entry("link", link(1)), age=3000), "revoked", 1, **CLEAN),
    rejected("feed-over-proves-revoked", "So can one whose time is over.",
             feed(entry("did", who("research")), age=10, validUntil=t(0)), "revoked", 0, **CLEAN),
    rejected("feed-future-proves-revoked", "So can one of the future.",
             feed(entry("sponsor", who("ana")), age=-500), "sponsor-gone", None, **CLEAN),
    rejected("feed-rolled-back-proves-revoked", "So can one older than the newest met.",
             both(feed(entry("link", link(1))), seen(9)), "revoked", 1, **CLEAN),
    undecided("feed-after-the-list", "List and feed are stale: the list answers.",
              both(feed(age=301), lambda d: d.lists[0].doc.update(validFrom=t(-301))),
              "status-stale", 0, twin="feed-at-the-second"),
]  # fmt: skip

SEVERAL = [
    accepted("feed-older-beside", "An older, stale one beside a fresh one.",
             both(feed(), feed(seq=6, age=3000))),
    rejected("feed-older-beside-revokes", "Nothing is ever un-revoked: the older names it.",
             both(feed(), feed(entry("link", link(1)), seq=6, age=3000)), "revoked", 1,
             twin="feed-older-beside", importance="critical"),
    rejected("feed-newer-second-revokes", "The newer stands second, and revokes.",
             both(feed(), feed(entry("link", link(1)), seq=8)), "revoked", 1,
             twin="feed-older-beside", importance="critical"),
    undecided("feed-newest-stale", "The newest by number is stale; an older number is fresh.",
              both(feed(seq=8, age=3000), feed(seq=7)), "status-stale", None,
              twin="feed-older-beside"),
    accepted("feed-signed-again", "The same number signed again, later; the earlier one too.",
             both(feed(age=3000), feed())),
    rejected("feed-first-again-beside", "Two feeds, and both older than the newest met.",
             both(feed(seq=5), feed(seq=6), seen(7)), "status-rollback", None,
             twin="feed-as-new-as-met", importance="critical"),
]  # fmt: skip

SPEC = "DESIGN 9: status; rule 18: the revocation feed"
CASES = group("status", KILLS, WORDS, WHOSE, FRESH, SEVERAL, spec=SPEC)
