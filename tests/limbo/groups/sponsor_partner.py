"""Two organisations on one path: whom a delegator names, and whom this verifier trusts."""

from __future__ import annotations

from typing import Any

from altered import block, both, older_copy, t
from draft import Draft, list_doc
from limbo.forge import Alter
from limbo.rows import accepted, group, malformed, rejected, undecided

DAY = 86_400
PARTNER_LIST = "https://partner.example/status/1"


def partner(
    *, index: int = 1, named: bool = True, bits: tuple[int, ...] = (), **anchor: Any
) -> Alter:
    """An agent of the chain is Bob's, whom a partner organisation answers for.

    Args:
        index: which; retrieval, if nothing is said.
        named: whether the links above name the partner in ``to``.
        bits: set in the partner's own list; Bob's are 1998 and 1999, his agent's 2000 and 2001.
        anchor: members of the partner's anchor, else that of an organisation trusted for Bob.
    """

    def alter(d: Draft) -> None:
        org, bob, authority = d.did("partner"), d.did("bob"), d.key("partner-status")
        leased = {"authority": d.did("partner-status"), "key": authority.public.multikey,
                  "list": PARTNER_LIST, "from": 2000, "count": 64}  # fmt: skip
        answers = older_copy(d.sponsors[0], d.key("partner"))
        answers.doc |= {"id": d.world.id("sponsor/bob"), "issuer": org,
                        "credentialStatus": _entries(1998)}  # fmt: skip
        answers.doc["credentialSubject"]["id"] = bob
        answers.subject.update(organization=org, status=leased)
        d.sponsors.append(answers)
        agent = d.identities[index]
        agent.doc |= {"issuer": bob, "credentialStatus": _entries(2000)}
        agent.signer = d.key("bob")
        agent.subject["sponsor"] = {"id": bob, "organization": org}
        if named:
            for link in d.links:
                link.subject["redelegation"]["to"].append(org)
        d.trust["anchors"].append({
            "id": org, "keys": [d.key("partner").public.multikey], "subjects": [bob],
            "ceiling": [{"actions": ["db.*"], "resources": ["urn:partner:**"]}],
        } | anchor)  # fmt: skip
        before, d.world.revoked = d.world.revoked, set(bits)
        own = list_doc(d.world, url=PARTNER_LIST)
        own.doc["issuer"], own.signer = d.did("partner-status"), authority
        d.world.revoked = before
        d.lists.append(own)

    return alter


def aged(seconds: int) -> Alter:
    """The partner's list is so old, and its anchor takes a minute."""

    def alter(d: Draft) -> None:
        partner(maxStatusAge={"low": 60, "high": 60})(d)
        d.lists[1].doc["validFrom"] = t(-seconds)

    return alter


def our_authority(d: Draft) -> None:
    """The partner's list, signed by who signs ours."""
    d.lists[1].doc["issuer"], d.lists[1].signer = d.lists[0].doc["issuer"], d.lists[0].signer


def _entries(first: int) -> list[dict[str, str]]:
    return [
        {"type": "BitstringStatusListEntry", "statusPurpose": purpose,
         "statusListIndex": str(first + number), "statusListCredential": PARTNER_LIST}
        for number, purpose in enumerate(("revocation", "suspension"))
    ]  # fmt: skip


def partner_leaf(d: Draft) -> None:
    partner(index=2)(d)
    to(1, "org")(d)
    to(2, "org")(d)


def bob_by_web(pinned: bool) -> Alter:
    """Bob has a web name, whose key his sponsor credential pins, or does not."""

    def alter(d: Draft) -> None:
        name = "did:web:partner.example:people:bob"
        partner(subjects=["did:web:partner.example:people:**"])(d)
        d.sponsors[1].doc["credentialSubject"]["id"] = name
        if pinned:
            d.sponsors[1].subject["key"] = d.key("bob").public.multikey
        d.identities[1].doc["issuer"] = name
        d.identities[1].subject["sponsor"]["id"] = name

    return alter


def to(index: int, *names: str) -> Alter:
    """``to`` of one link."""
    return lambda d: d.delegation(index)["redelegation"].update(
        to=[d.parties["org"].did if name == "org" else d.did(name) for name in names]
    )


PARTNERS: dict[str, Any] = {"twin": "of-a-partner"}
ELSEWHERE = [
    accepted("of-a-partner", "The second agent is of an organisation that is named and trusted. "
             "What it may do here is Ana's.", partner()),
    rejected("of-a-partner-not-named", "It is trusted, and the link above does not name it.",
             partner(named=False), "delegate-not-allowed", 1, importance="critical", **PARTNERS),
    rejected("of-a-partner-named-by-itself", "Only its own link names it.",
             both(partner(), to(0, "org")), "scope-widened", 1, importance="critical",
             **PARTNERS),
    rejected("of-a-partner-not-trusted", "It is named, and this verifier does not trust it.",
             both(partner(), lambda d: d.trust["anchors"].pop()), "delegate-not-allowed", 1,
             importance="critical", **PARTNERS),
    rejected("of-a-partner-for-others", "It is trusted for other people.",
             lambda d: partner(subjects=[d.did("eve")])(d), "delegate-not-allowed", 1, **PARTNERS),
    rejected("of-a-partner-without-bob", "Bob's sponsor credential is missing.",
             both(partner(), lambda d: d.sponsors.pop()), "delegate-not-allowed", 1, **PARTNERS),
    rejected("of-a-partner-forged", "Bob's sponsor credential is by another key.",
             both(partner(), lambda d: setattr(d.sponsors[1], "signer", d.key("mallory"))),
             "proof", 1, importance="critical", **PARTNERS),
    rejected("of-a-partner-bob-gone", "Bob's sponsor credential is revoked.",
             partner(bits=(1998,)), "sponsor-gone", importance="critical", **PARTNERS),
    rejected("of-a-partner-bob-suspended", "Bob's sponsor credential is suspended.",
             partner(bits=(1999,)), "sponsor-gone", **PARTNERS),
    rejected("of-a-partner-revoked", "Bob's agent is revoked.", partner(bits=(2000,)), "revoked",
             1, importance="critical", **PARTNERS),
    undecided("of-a-partner-without-list", "The partner's list is missing.",
              both(partner(), lambda d: d.lists.pop()), "status-missing", **PARTNERS),
    accepted("of-a-partner-fresh-for-it", "The partner's list is a minute old, as its anchor "
             "allows.", aged(60)),
    undecided("of-a-partner-stale-for-it", "The partner's list is a second older than its anchor "
              "allows, though ours would take it.", aged(61), "status-stale",
              twin="of-a-partner-fresh-for-it"),
    undecided("of-a-partner-other-authority", "The partner's list is by our authority.",
              both(partner(), our_authority), "status-unknown", **PARTNERS),
    rejected("of-a-partner-rolled-back", "A newer credential of Bob's has been met.",
             both(partner(), lambda d: d.trust.update(seen={"revision": {d.did("bob"): 2}})),
             "sponsor-rollback", 1, **PARTNERS),
    rejected("of-a-partner-over", "Bob's sponsor credential is over.",
             both(partner(), lambda d: d.sponsors[1].doc.update(validFrom=t(-DAY),
                                                                validUntil=t(0))),
             "expired", **PARTNERS),
    rejected("of-a-partner-claiming-ours", "Bob's agent says our organisation answers for it.",
             both(partner(), lambda d: d.identities[1].subject["sponsor"].update(
                 organization=d.parties["org"].did)), "delegate-not-allowed", 1, **PARTNERS),
    rejected("of-a-partner-third", "The third agent is a partner's, whom the second link does not "
             "name.", partner_leaf, "delegate-not-allowed", 2, depth=3, importance="critical",
             twin="of-a-partner-third-named"),
    accepted("of-a-partner-third-named", "The third agent is a partner's, whom both links name.",
             partner(index=2), depth=3),
    rejected("of-ours-claiming-a-partner", "Ana's agent says the partner answers for it, and the "
             "links name the partner.", both(partner(), lambda d: d.identities[0].subject[
                 "sponsor"].update(organization=d.did("partner"))), "delegate-not-allowed", 0,
             **PARTNERS),
    rejected("of-ours-claiming-another", "Ana's agent says the partner answers for it; named, and "
             "trusted by nobody.", both(to(0, "org", "partner"), lambda d: d.identities[1].subject[
                 "sponsor"].update(organization=d.did("partner"))), "delegate-not-allowed", 1,
             twin="to-fewer"),
    accepted("bob-by-web-name", "Bob has a web name; his sponsor credential pins his key.",
             bob_by_web(True), features=("did:web",)),
    undecided("bob-by-web-name-unpinned", "Bob's sponsor credential pins no key for his name.",
              bob_by_web(False), "key-unresolved", 1, features=("did:web",),
              twin="bob-by-web-name"),
    rejected("bob-by-web-name-other-key", "Bob's sponsor credential pins another's key.",
             both(bob_by_web(True), lambda d: d.sponsors[1].subject.update(
                 key=d.key("mallory").public.multikey)), "proof", 1, features=("did:web",),
             twin="bob-by-web-name", importance="critical"),
    accepted("to-fewer", "The second link names fewer organisations.",
             both(to(0, "org", "partner"), to(1, "org"))),
    rejected("to-more", "The second link names one more.", to(1, "org", "partner"),
             "scope-widened", 1, importance="critical", twin="to-fewer"),
    rejected("to-more-at-the-leaf", "The third link names one more.", to(2, "org", "partner"),
             "scope-widened", 2, depth=3, importance="critical", twin="to-restated-at-the-leaf"),
    accepted("to-restated-at-the-leaf", "Three links name the same.", to(2, "org"), depth=3),
    rejected("to-another", "The second link names another.", to(1, "partner"), "scope-widened", 1,
             importance="critical", twin="to-fewer"),
    rejected("to-others-only", "Every link names only the partner.",
             both(to(0, "partner"), to(1, "partner")), "delegate-not-allowed", 1,
             twin="to-fewer", importance="critical"),
    *(malformed(f"to-{name}", f"to {how}.", block(1, "redelegation", "to", value=value), code, 1,
                twin="to-fewer", importance="critical")
      for name, how, value, code in (
          ("none", "is an empty list: neither all nor none", [], "empty-array"),
          ("star", "is a star", ["*"], "shape"),
          ("text", "is a text", "did:web:acme.example", "shape"),
          ("pattern", "is a pattern", ["did:web:**"], "shape"),
          ("name", "is a name", ["acme"], "shape"))),
]  # fmt: skip

CASES = group("sponsor::delegate", ELSEWHERE, spec="DESIGN, rule 6")
