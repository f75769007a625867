"""Who stands at the root: a human, whom an organisation this verifier trusts answers for."""

from __future__ import annotations

import copy
from typing import Any

from altered import block, both, do, older_copy, t
from altered_evidence import (
    agent_root,
    evil_org,
    exact_subject,
    forged_sponsor,
    narrow_sponsor,
    no_ceiling,
    other_subjects,
    revoked,
    seen_revision,
    service_root,
)
from delegant.credentials import did
from draft import Draft
from limbo.crafts import forms, member
from limbo.forge import Alter, stapled
from limbo.rows import accepted, group, malformed, rejected
from world import DRAFTS, PAPERS, World

HONEST: dict[str, Any] = {"twin": "honest"}
WORST: dict[str, Any] = {"twin": "honest", "importance": "critical"}


def all_links(*path: str, value: Any) -> Alter:
    """The same member of every link's delegation."""

    def alter(d: Draft) -> None:
        for index in range(len(d.links)):
            block(index, *path, value=value(d) if callable(value) else value)(d)

    return alter


def sponsor(**members: Any) -> Alter:
    """Members of the sponsor credential's own block."""
    return lambda d: d.sponsors[0].subject.update(members)


def without(name: str) -> Alter:
    """The sponsor credential's own block lacks a member."""
    return lambda d: d.sponsors[0].subject.pop(name)


def party(name: str) -> Any:
    return lambda d: d.did(name)


def changed(index: int, name: str, who: str) -> Alter:
    """One link names another sponsor or organisation than the first does."""
    return lambda d: d.links[index].subject["sponsor"].update({name: d.did(who)})


# --- the same sponsor throughout -----------------------------------------------------------

SAME = [
    accepted("honest", "Ana signs first, her organisation says who she is."),
    accepted("honest-three", "The same with three links.", depth=3),
    *(rejected(f"sponsor-changed-at-{index}", "A link names another sponsor than the root.",
               changed(index, "id", "mia"), "sponsor-changed", index, depth=3,
               twin="honest-three", importance="critical") for index in range(3)),
    *(rejected(f"organisation-changed-at-{index}", "A link names another organisation than the "
               "root.", changed(index, "organization", "evil-org"), "sponsor-changed", index,
               depth=3, twin="honest-three") for index in (1, 2)),
    rejected("sponsor-not-the-issuer", "Every link names Mia, and Ana signed.",
             all_links("sponsor", "id", value=party("mia")), "sponsor-changed", 0, **WORST),
    rejected("sponsor-is-the-first-agent", "Every link names the first agent as sponsor.",
             all_links("sponsor", "id", value=party("research")), "sponsor-changed", 0, **WORST),
    rejected("sponsor-is-the-holder", "Every link names the holder as sponsor.",
             all_links("sponsor", "id", value=party("retrieval")), "sponsor-changed", 0, **WORST),
    rejected("organisation-not-the-sponsors", "Every link names an organisation that does not "
             "answer for Ana.", all_links("sponsor", "organization", value=party("evil-org")),
             "root-not-authoritative", **WORST),
    *(malformed(f"sponsor-{name}", f"The sponsor {how}.", change, code, 1, importance=rank,
                **HONEST)
      for name, how, change, code, rank in (
          ("text", "is a text", block(1, "sponsor", value="did:key:z6Mk"), "shape", "high"),
          ("list", "is two", block(1, "sponsor", value=[{}, {}]), "shape", "high"),
          ("id-mail", "is a mail address", block(1, "sponsor", "id", value="ana@acme.example"),
           "shape", "high"),
          ("id-with-fragment", "is a DID URL", lambda d: d.delegation(1)["sponsor"].update(
           id=d.did("ana") + "#k"), "shape", "high"),
          ("with-a-name", "says more", block(1, "sponsor", "name", value="Ana"),
           "unknown-member", "medium"))),
]  # fmt: skip

# --- the human -----------------------------------------------------------------------------


def self_sponsored(d: Draft) -> None:
    """Ana's sponsor credential is by Ana."""
    d.sponsors[0].doc["issuer"], d.sponsors[0].signer = d.did("ana"), d.key("ana")


def by_an_agent(d: Draft) -> None:
    """Ana's sponsor credential is by her agent."""
    d.sponsors[0].doc["issuer"], d.sponsors[0].signer = d.did("research"), d.key("research")


def agent_attested(d: Draft) -> None:
    """An agent at the root, whom an organisation of the attacker's own calls a human."""
    agent_root(d)
    evil_org(d)
    d.sponsors[0].doc["credentialSubject"]["id"] = d.did("mallory")


def identity_for_sponsor(d: Draft) -> None:
    """An agent at the root, whose identity stands where its sponsor credential should."""
    agent_root(d)
    identity = older_copy(d.identities[0], d.key("ana"))
    identity.doc["credentialSubject"]["id"] = d.did("mallory")
    d.sponsors = [identity]


def organisation_attested(d: Draft) -> None:
    """The organisation at the root, with a sponsor credential about itself."""
    service_root(d)
    itself = older_copy(d.sponsors[0], d.key("org"))
    itself.doc["id"] = d.world.id("sponsor/org")
    itself.doc["credentialSubject"]["id"] = d.parties["org"].did
    d.sponsors.insert(0, itself)


def lasting(seconds: int) -> Alter:
    """The sponsor credential lives so long."""
    return lambda d: d.sponsors[0].doc.update(validUntil=t(seconds))


def trusted(name: str) -> Alter:
    """One more organisation whom this verifier trusts for anybody."""

    def alter(d: Draft) -> None:
        keys = [d.key(name).public.multikey]
        d.trust["anchors"].append(d.trust["anchors"][0] | {"id": d.did(name), "keys": keys})

    return alter


def called_by_another(d: Draft) -> None:
    """Our organisation at the root, with a sponsor credential by another that is trusted."""
    organisation_attested(d)
    trusted("partner")(d)
    d.sponsors[0].doc["issuer"] = d.sponsors[0].subject["organization"] = d.did("partner")
    d.sponsors[0].signer = d.key("partner")
    all_links("sponsor", "organization", value=d.did("partner"))(d)


def agent_of_organisation(d: Draft) -> None:
    """Retrieval's sponsor is the organisation, which is called a human by itself."""
    org = d.parties["org"].did
    itself = older_copy(d.sponsors[0], d.key("org"))
    itself.doc["id"] = d.world.id("sponsor/org")
    itself.doc["credentialSubject"]["id"] = org
    d.sponsors.append(itself)
    d.identities[1].doc["issuer"], d.identities[1].signer = org, d.key("org")
    d.identities[1].subject["sponsor"]["id"] = org


def headless(d: Draft) -> None:
    """The human's link is left out; research's, made first and honest, begins the chain."""
    del d.links[0]
    for link in d.links:
        link.subject["sponsor"]["id"] = d.did("research")
        link.subject["depth"] -= 1
    d.links[0].subject.pop("parent")


def about(name: str) -> Alter:
    """The sponsor credential is about somebody else."""
    return lambda d: d.sponsors[0].doc["credentialSubject"].update(id=d.did(name))


def second(revision: int, change: Alter, name: str = "org") -> Alter:
    """One more sponsor credential for Ana, by this party, altered."""

    def alter(d: Draft) -> None:
        newer = older_copy(d.sponsors[0], d.key(name))
        newer.doc["issuer"] = newer.subject["organization"] = d.did(name)
        newer.doc["id"] = d.world.id(f"sponsor/ana/{revision}")
        newer.subject["revision"] = revision
        before, d.sponsors = d.sponsors, [newer]
        change(d)
        d.sponsors = [*before, *d.sponsors]

    return alter


def nobody(_d: Draft) -> None:
    """No change."""


def pinned(subjects: Any = ...) -> Alter:
    """Ana stands in the trust folder herself, and signs her own status list."""

    def alter(d: Draft) -> None:
        ana = d.did("ana")
        anchor = {k: v for k, v in d.trust["anchors"][0].items() if k != "subjects"}
        anchor |= {"id": ana, "keys": [d.key("ana").public.multikey]}
        d.trust["anchors"] = [anchor if subjects is ... else anchor | {"subjects": subjects}]
        for one in (*d.links, *d.identities):
            one.subject["sponsor"]["organization"] = ana
        for index in range(len(d.links)):
            d.links[index].subject["redelegation"]["to"] = [ana]
        d.lists[0].doc["issuer"], d.lists[0].signer = ana, d.key("ana")
        d.sponsors = []

    return alter


HUMAN = [
    rejected("no-credential", "Nothing says that Ana is a human.", do(sponsors=[]),
             "no-human-root", **WORST),
    malformed("credentials-empty", "An empty list of sponsor credentials.",
              stapled("sponsors", value=[]), "empty-array", **HONEST),
    rejected("credential-about-another", "The sponsor credential is about Mia.", about("mia"),
             "no-human-root", **WORST),
    rejected("agent-at-the-root", "The first link is by a stranger's agent.", agent_root,
             "no-human-root", **WORST),
    rejected("head-cut-off", "Research's link begins the chain, as if it were nobody's child.",
             headless, "no-human-root", depth=3, twin="honest-three", importance="critical"),
    rejected("agent-called-a-human", "An organisation nobody trusts calls the agent a human.",
             agent_attested, "root-untrusted", **WORST),
    malformed("identity-for-sponsor", "An agent's identity stands in for a sponsor credential.",
              identity_for_sponsor, "shape", **WORST),
    rejected("organisation-at-the-root", "The organisation signs the first link itself.",
             service_root, "no-human-root", **WORST),
    rejected("organisation-called-a-human", "It has a sponsor credential about itself.",
             organisation_attested, "no-human-root", **WORST),
    rejected("self-sponsored", "Ana says herself that she is a human.", self_sponsored,
             "root-untrusted", **WORST),
    rejected("sponsored-by-her-agent", "Her agent says so.", by_an_agent, "root-untrusted",
             **WORST),
    rejected("organisation-not-ours", "Another organisation says so.", evil_org,
             "root-untrusted", **WORST),
    rejected("no-anchors", "This verifier trusts nobody.",
             lambda d: d.trust.update(anchors=[]), "root-untrusted", **HONEST),
    rejected("forged", "The credential is in the organisation's name, by another key.",
             forged_sponsor, "proof", **WORST),
    rejected("forged-as-jwt", "The same as vc+jwt.", both(forged_sponsor, forms("sponsor-0")),
             "proof", twin="honest-as-jwt", features=("vc+jwt",), importance="critical"),
    accepted("honest-as-jwt", "The sponsor credential as vc+jwt.", forms("sponsor-0"),
             features=("vc+jwt",)),
    rejected("widened-after-signing", "Entitlements put in after it was signed.",
             lambda d: setattr(d.sponsors[0], "after", member(
                 "credentialSubject", "humanSponsor", "revision", value=9)), "proof", **WORST),
    rejected("not-the-anchors-organisation", "The anchor answers for another organisation's "
             "human.", lambda d: d.sponsors[0].subject.update(organization=d.did("partner")),
             "root-not-authoritative", **HONEST),
    rejected("not-for-this-human", "The anchor speaks for people of web names.", other_subjects,
             "root-not-authoritative", importance="critical", twin="for-this-human"),
    accepted("for-this-human", "The anchor speaks for Ana alone.", exact_subject),
    rejected("for-another-human", "The anchor speaks for Mia alone.",
             lambda d: d.trust["anchors"][0].update(subjects=[d.did("mia")]),
             "root-not-authoritative", twin="for-this-human"),
    rejected("for-a-longer-name", "The anchor speaks for what lies below Ana's DID.",
             lambda d: d.trust["anchors"][0].update(subjects=[d.did("ana") + ":**"]),
             "root-not-authoritative", twin="for-this-human"),
    malformed("for-a-prefix", "An anchor for DIDs that begin alike, in the middle of a segment.",
              lambda d: d.trust["anchors"][0].update(subjects=[d.did("ana")[:20] + "**"]),
              "shape", twin="for-this-human"),
    rejected("gone", "The sponsor credential is revoked.", revoked("sponsors", 0),
             "sponsor-gone", **WORST),
    accepted("pinned-directly", "Ana stands in the trust folder herself.", pinned()),
    rejected("pinned-as-organisation", "She stands there as one who answers for others.",
             pinned(["did:key:**"]), "no-human-root", twin="pinned-directly"),
    accepted("newest-as-seen", "The revision is the newest this verifier has met.",
             seen_revision(1)),
    rejected("older-than-seen", "A newer revision has been met.", seen_revision(2),
             "sponsor-rollback", importance="critical", twin="newest-as-seen"),
    *(rejected(f"older-than-seen-by-{name}", "A much newer revision has been met.",
               both(sponsor(revision=shown), seen_revision(seen)), "sponsor-rollback",
               importance="critical", twin="newest-as-seen")
      for name, shown, seen in (("one-of-many", 8, 9), ("many", 1, 2**31))),
    *(rejected(f"credential-of-{name}", "A sponsor credential lives a day at most.",
               lasting(end), "ttl-too-long", **HONEST)
      for name, end in (("two-days", 2 * 86_400), ("a-month", 30 * 86_400))),
    rejected("organisation-called-a-human-by-another", "Another organisation, trusted, says that "
             "ours is a human.", called_by_another, "no-human-root", **HONEST),
    rejected("organisation-as-an-agents-sponsor", "An agent's identity is by the organisation, "
             "which says of itself that it is a human.", agent_of_organisation,
             "delegate-not-allowed", 1, **HONEST),
    rejected("links-of-a-trusted-stranger", "Every link names another organisation this verifier "
             "trusts.", both(trusted("partner"), all_links("sponsor", "organization",
             value=party("partner"))), "root-not-authoritative", **WORST),
    rejected("pinned-and-of-an-organisation", "Ana is pinned herself, and her links name an "
             "organisation.", both(pinned(), all_links("sponsor", "organization",
             value=party("org"))), "root-not-authoritative", twin="pinned-directly"),
    accepted("another-humans-revision-seen", "A newer revision of somebody else's.",
             lambda d: d.trust.update(seen={"revision": {d.did("mia"): 9}})),
    accepted("two-revisions", "The newer of two counts, and is seen.",
             both(second(2, nobody), seen_revision(2))),
    rejected("newer-revision-narrower", "The newer one no longer lets Ana read papers.",
             second(2, narrow_sponsor), "exceeds-sponsor", importance="critical",
             twin="two-revisions"),
    rejected("newer-revision-expired", "The newer one is over; the older does not come back.",
             second(2, lambda d: d.sponsors[0].doc.update(validFrom=t(-9), validUntil=t(-1))),
             "expired", twin="two-revisions"),
    rejected("newer-revision-by-a-stranger", "A newer one by nobody we trust does not pass.",
             second(2, nobody, "evil-org"), "root-untrusted", twin="two-revisions"),
    *(malformed(f"revision-{name}", f"The revision is {how}.", sponsor(revision=value), "shape",
                **HONEST)
      for name, how, value in (("zero", "zero", 0), ("negative", "negative", -1),
                               ("text", "a text", "1"), ("true", "true", True),
                               ("null", "null", None), ("fraction", "a half", 0.5))),
    *(malformed(f"credential-without-{name}", f"The sponsor credential has no {name}.",
                without(name), "shape", **HONEST)
      for name in ("organization", "revision", "entitlements", "status", "version")),
    malformed("credential-with-a-role", "The sponsor credential says more.",
              sponsor(role="admin"), "unknown-member", **HONEST),
]  # fmt: skip

# --- what the human may do -----------------------------------------------------------------

DB = World().db.did
ANA = str(did.from_key(World()._key("ana").public))
RIGHTS: tuple[tuple[str, Any, dict[str, Any], dict[str, Any]], ...] = (
    ("rows", {"max": 3}, {"rows": 3}, {"rows": 4}),
    ("bytes", {"max": 10}, {"bytes": 10}, {"bytes": 11}),
    ("purpose", ["review"], {"purpose": "review"}, {"purpose": "sales"}),
    ("columns", ["title"], {"columns": ["title"]}, {"columns": ["title", "iban"]}),
    ("network", ["10.0.0.0/8"], {"network": "10.0.0.1"}, {"network": "11.0.0.1"}),
    ("arguments", {"a": {"eq": 1}}, {"arguments": {"a": 1}}, {"arguments": {"a": 2}}),
    ("task", {"id": "T-1", "initiation": "schedule"},
     {"task": {"id": "T-1", "initiation": "schedule"}},
     {"task": {"id": "T-2", "initiation": "schedule"}}),
    ("dataClass", {"scheme": "https://delegant.example/data-class/v1", "max": "internal"},
     {"dataClass": "internal"}, {"dataClass": "confidential"}),
    ("budget", {"ledger": DB, "unit": "EUR:2", "perAction": "5", "total": "9"},
     {"amount": {"unit": "EUR:2", "value": "5"}}, {"amount": {"unit": "EUR:2", "value": "6"}}),
)  # fmt: skip
"""A constraint of Ana's own; facts that meet it, and facts that do not."""


def entitled(name: str, value: Any, facts: dict[str, Any]) -> Alter:
    def alter(d: Draft) -> None:
        d.sponsors[0].subject["entitlements"]["constraints"] = {name: copy.deepcopy(value)}
        d.request |= copy.deepcopy(facts)

    return alter


def may(*pairs: tuple[str, str]) -> Alter:
    """What Ana herself may do."""
    grants = [{"actions": [action], "resources": [resource]} for action, resource in pairs]
    return lambda d: d.sponsors[0].subject["entitlements"].update(grants=grants)


def ceilings(*pairs: tuple[str, str]) -> Alter:
    """What the organisation may do here."""
    grants = [{"actions": [action], "resources": [resource]} for action, resource in pairs]
    return lambda d: d.trust["anchors"][0].update(ceiling=grants)


def plain(name: str) -> str:
    return name.replace("dataClass", "data-class")


ALLOWED = [
    *(accepted(f"own-{plain(name)}-met", f"Ana's own {name} allows it.",
               entitled(name, value, met)) for name, value, met, _ in RIGHTS),
    *(rejected(f"own-{plain(name)}-broken", f"Ana's own {name} does not allow it, and no link "
               "says so.", entitled(name, value, broken), "exceeds-sponsor",
               importance="critical", twin=f"own-{plain(name)}-met")
      for name, value, _, broken in RIGHTS),
    *(rejected(f"own-{plain(name)}-unsaid", f"Ana has a limit of {name}, and the request says "
               "nothing of it.", entitled(name, value, {}), "exceeds-sponsor",
               twin=f"own-{plain(name)}-met") for name, value, _, _ in RIGHTS if name != "rows"),
    accepted("own-hours-now", "Ana may do this all day.",
             entitled("hours", [["00:00", "24:00"]], {})),
    rejected("own-hours-over", "Ana may do this in the first minute of a day.",
             entitled("hours", [["00:00", "00:01"]], {}), "exceeds-sponsor", twin="own-hours-now"),
    accepted("own-audience", "Ana may do this here.", entitled("audience", [DB], {})),
    rejected("own-audience-other", "Ana may do this elsewhere.",
             entitled("audience", [ANA], {}), "exceeds-sponsor", twin="own-audience",
             importance="critical"),
    accepted("may-exactly-this", "Ana may read paper 17, and nothing else.",
             may(("db.read", "urn:acme:papers:17"))),
    *(rejected(f"may-{name}", f"Ana may only {what}; her links say more.", may(*pairs),
               "exceeds-sponsor", importance="critical", twin="may-exactly-this")
      for name, what, pairs in (
          ("another-paper", "read paper 18", [("db.read", "urn:acme:papers:18")]),
          ("write", "write papers", [("db.write", PAPERS)]),
          ("read-drafts", "read drafts", [("db.read", DRAFTS)]),
          ("the-folder-itself", "read the folder", [("db.read", "urn:acme:papers")]),
          ("recombined", "read drafts and write papers",
           [("db.read", DRAFTS), ("db.write", PAPERS)]))),
    malformed("may-nothing", "Ana's entitlements are an empty list: neither all nor none.",
              lambda d: d.sponsors[0].subject["entitlements"].update(grants=[]), "empty-array",
              importance="critical", twin="may-exactly-this"),
    malformed("may-anything", "Ana may do everything.", may(("*", "**")), "shape",
              importance="critical", twin="may-exactly-this"),
    accepted("ceiling-exactly-this", "The organisation may read paper 17 here.",
             ceilings(("db.read", "urn:acme:papers:17"))),
    *(rejected(f"ceiling-{name}", f"The organisation may only {what} here: nobody gives what is "
               "not theirs.", ceilings(*pairs), "exceeds-anchor", importance="critical",
               twin="ceiling-exactly-this")
      for name, what, pairs in (
          ("another-paper", "read paper 18", [("db.read", "urn:acme:papers:18")]),
          ("other-action", "write papers", [("db.write", PAPERS)]),
          ("other-resource", "read what is its own", [("db.*", "urn:partner:papers:**")]),
          ("recombined", "read drafts and write papers",
           [("db.read", DRAFTS), ("db.write", PAPERS)]))),
    rejected("ceiling-absent", "An anchor without a ceiling has no authority here.", no_ceiling,
             "exceeds-anchor", importance="critical", twin="ceiling-exactly-this"),
]  # fmt: skip

CASES = [
    *group("sponsor", SAME, spec="DESIGN 4: linkage"),
    *group("sponsor", HUMAN, spec="DESIGN 7: root and path"),
    *group("sponsor", ALLOWED, spec="DESIGN 11: request"),
]
