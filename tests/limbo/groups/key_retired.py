"""Keys that their own DID's document took away, and documents that take nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from altered import both, t
from altered_evidence import spawned
from delegant.credentials.codec import b58_encode
from draft import Draft, Feed
from limbo.crafts import limits, members, token
from limbo.forge import Alter, stapled
from limbo.groups.happy import rename_org
from limbo.groups.link_pin import ANA, BOT, agent, human
from limbo.groups.status import web_authority
from limbo.rows import accepted, group, malformed, rejected, undecided

ORG = "did:web:acme.example"
AUTHORITY = "did:web:acme.example:status"
TYPE = "did-resolution+jwt"
Make = Callable[[Draft], Any]
WEB: dict[str, Any] = {"features": ("did:web",)}


def document(name: str, *parties: str, relations: Any = ("assertionMethod", "authentication"),
             **method: Any) -> Make:  # fmt: skip
    """A DID document that lists these parties' keys; members of the first one's method."""

    def make(d: Draft) -> dict[str, Any]:
        own = [
            {
                "id": f"{name}#{party}",
                "type": "Multikey",
                "controller": name,
                "publicKeyMultibase": d.key(party).public.multikey,
            }
            for party in parties
        ]
        if own:
            own[0] = {k: v for k, v in (own[0] | method).items() if v is not ...}
        listed = [one["id"] for one in own]
        return {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": name,
            "verificationMethod": own,
            **dict.fromkeys(relations, listed),
        }

    return make


def jwk(d: Draft) -> dict[str, Any]:
    """Retrieval's key as a JWK, with the name written short, inside the relationships."""
    method = {"id": "#k", "type": "JsonWebKey", "controller": BOT,
              "publicKeyJwk": d.key("retrieval").public.jwk}  # fmt: skip
    return {"id": BOT, "assertionMethod": [method], "authentication": [method]}


def base58(d: Draft) -> dict[str, Any]:
    """Retrieval's key as documents of 2018 have it, named without the DID."""
    method = {"id": "#k", "type": "Ed25519VerificationKey2018", "controller": BOT,
              "publicKeyBase58": b58_encode(d.key("retrieval").public.raw)}  # fmt: skip
    return {"id": BOT, "verificationMethod": [method], "assertionMethod": "#k",
            "authentication": "#k"}  # fmt: skip


def told(name: str, says: Make | None, *, by: str = "resolver", key: str = "",
         retrieved: int = -60, until: int = 3600, **changes: Any) -> Alter:  # fmt: skip
    """A resolver of the trust folder says what a DID resolved to."""

    def alter(d: Draft) -> None:
        d.trust["resolvers"] = [
            {"id": d.did("resolver"), "keys": [d.key("resolver").public.multikey]}
        ]
        value = {"version": 1, "issuer": d.did(by), "did": name, "retrieved": t(retrieved),
                 "validUntil": t(until)}  # fmt: skip
        if says is not None:
            value["document"] = says(d)
        value = {k: v for k, v in (value | changes).items() if v is not ...}
        d.documents.append(Feed(value, d.key(key or by), TYPE))

    return alter


def bot(*parties: str, **more: Any) -> Alter:
    """The last agent by a web name, and its document as a resolver told it."""
    return both(agent(), told(BOT, document(BOT, *(parties or ("retrieval",)), **more)))


def after(change: Callable[[Draft, Feed], None]) -> Alter:
    """Edit the statement."""
    return lambda d: change(d, d.documents[-1])


def gone(name: str, **more: Any) -> Alter:
    return told(name, None, deactivated=True, **more)


def middle(*alters: Alter) -> Alter:
    """The agent between two links by a web name."""
    return both(agent(index=0), *alters)


def org(*keys: str) -> Alter:
    return lambda d: rename_org(d, ORG, *keys)


def made_by_web(d: Draft) -> None:
    """The last agent was made by the one above it, which has a web name."""
    spawned(True)(d)
    agent(index=1)(d)
    d.identities[2].subject["parent"] = BOT
    d.identities[2].doc["issuer"] = BOT


def pinned_human(d: Draft) -> None:
    """Ana is pinned by this verifier directly, under a web name with two keys."""
    human()(d)
    d.sponsors.clear()
    d.trust["anchors"] = [{
        "id": ANA, "keys": [d.key(name).public.multikey for name in ("ana", "ana-2")],
        "ceiling": d.trust["anchors"][0]["ceiling"], "maxGrantSeconds": 1800,
    }]  # fmt: skip
    for one in (*d.links, *d.identities):
        one.subject["sponsor"]["organization"] = ANA
    for link in d.links:
        link.subject["redelegation"]["to"] = [ANA]
    d.lists[0].doc["issuer"], d.lists[0].signer = ANA, d.key("ana")


LISTED: dict[str, Any] = {"twin": "retired-not", "importance": "critical", **WEB}
AGENTS = [
    accepted("retired-not", "The agent's document lists the pinned key.", bot(), **WEB),
    accepted("retired-nothing-told", "Nobody says what the agent's DID resolves to.", agent(),
             **WEB),
    accepted("retired-not-as-jwk", "The document has the key as a JWK, embedded.",
             both(agent(), told(BOT, jwk)), **WEB),
    accepted("retired-not-as-base58", "The document has the key in base58, by short names.",
             both(agent(), told(BOT, base58)), **WEB),
    accepted("retired-not-beside-another", "The document lists two keys, the pinned one second.",
             bot("bot-2", "retrieval"), **WEB),
    rejected("retired-replaced", "The document lists another key: the pinned one is gone.",
             bot("bot-2"), "key-retired", 1, **LISTED),
    rejected("retired-document-without-keys", "The document lists no key at all.",
             both(agent(), told(BOT, document(BOT))), "key-retired", 1, **LISTED),
    rejected("retired-only-a-method", "The key is there, and under no relationship.",
             bot(relations=()), "key-retired", 1, **LISTED),
    rejected("retired-holder-cannot-authenticate", "The holder's key is listed for assertions "
             "alone, and an invocation is none.", bot(relations=("assertionMethod",)),
             "key-retired", 1, **LISTED),
    accepted("retired-not-holder-authenticates", "The holder's key is listed to authenticate: it "
             "signs no link.", bot(relations=("authentication",)), **WEB),
    rejected("retired-middle-cannot-assert", "An agent that signs a link is listed to "
             "authenticate alone.", middle(told(BOT, document(BOT, "research",
             relations=("authentication",)))), "key-retired", 0, twin="retired-not-in-the-middle",
             **WEB),
    accepted("retired-not-in-the-middle", "It is listed for assertions alone, and signs one.",
             middle(told(BOT, document(BOT, "research", relations=("assertionMethod",)))), **WEB),
    rejected("retired-in-the-middle", "The agent that signed the last link lost its key.",
             middle(told(BOT, document(BOT, "bot-2"))), "key-retired", 0,
             twin="retired-not-in-the-middle", importance="critical", **WEB),
    rejected("retired-deactivated", "The agent's DID is deactivated.",
             both(agent(), gone(BOT)), "key-retired", 1, **LISTED),
    rejected("retired-deactivated-with-document", "It is, and the last document still has it.",
             both(agent(), told(BOT, document(BOT, "retrieval"), deactivated=True)),
             "key-retired", 1, **LISTED),
    accepted("retired-not-deactivated", "It says that it is not deactivated.",
             both(agent(), told(BOT, document(BOT, "retrieval"), deactivated=False)), **WEB),
    rejected("retired-maker", "The agent that made the last one lost its key.",
             both(made_by_web, told(BOT, document(BOT, "bot-2"))), "key-retired", 1, depth=3,
             twin="retired-not-maker", importance="critical", **WEB),
    accepted("retired-not-maker", "The agent that made the last one has its key.",
             both(made_by_web, told(BOT, document(BOT, "retrieval"))), depth=3, **WEB),
]  # fmt: skip

TIMES = [
    *(rejected(f"retired-{member}-{name}", f"The key's method says {member} {when}.",
               bot(**{member: value}), "key-retired", 1, **LISTED)
      for member in ("revoked", "expires")
      for name, when, value in (
          ("yesterday", "yesterday", t(-86_400)), ("now", "at this second", t(0)),
          ("now-with-offset", "now, in another zone", "2026-09-21T15:13:20+01:00"),
          ("fraction", "half a second ago", "2026-09-21T14:13:19.5Z"),
          ("null", "null", None), ("words", "something that is no time", "soon"),
          ("without-zone", "a time without a zone", "2027-09-21T14:13:20"))),
    *(accepted(f"retired-not-{member}-{name}", f"The key's method says {member} {when}.",
               bot(**{member: value}), **WEB)
      for member in ("revoked", "expires")
      for name, when, value in (
          ("next-second", "in a second", t(1)),
          ("next-second-with-offset", "in a second, in another zone",
           "2026-09-21T09:13:21-05:00"))),
    rejected("retired-revoked-elsewhere", "One method of the key is revoked, another is listed.",
             both(agent(), told(BOT, lambda d: _twice(d, revoked=t(-1)))), "key-retired", 1,
             **LISTED),
    accepted("retired-not-renewed", "One method of the key has expired, another is listed.",
             both(agent(), told(BOT, lambda d: _twice(d, expires=t(-1)))), **WEB),
    accepted("retired-not-other-key-revoked", "Another key of the agent's is revoked.",
             bot("bot-2", "retrieval", revoked=t(-1)), **WEB),
]  # fmt: skip


def _twice(d: Draft, **members_: Any) -> dict[str, Any]:
    made: dict[str, Any] = document(BOT, "retrieval")(d)
    again = copy.deepcopy(made["verificationMethod"][0]) | {"id": f"{BOT}#again"} | members_
    made["verificationMethod"].append(again)
    for relation in ("assertionMethod", "authentication"):
        made[relation].append(again["id"])
    return made


PEOPLE = [
    accepted("retired-not-human", "The human's document lists the pinned key.",
             both(human(), told(ANA, document(ANA, "ana"))), **WEB),
    *(rejected(f"retired-human-{name}", f"The human {how}.", both(human(), alter), "key-retired",
               None, twin="retired-not-human", importance="critical", **WEB)
      for name, how, alter in (
          ("replaced", "has another key now", told(ANA, document(ANA, "ana-2"))),
          ("revoked", "revoked the key", told(ANA, document(ANA, "ana", revoked=t(-1)))),
          ("deactivated", "has a deactivated DID", gone(ANA)))),
    accepted("retired-not-organisation", "The organisation's document lists its key.",
             both(org("org"), told(ORG, document(ORG, "org"))), **WEB),
    *(rejected(f"retired-organisation-{name}", f"The organisation {how}.",
               both(org("org"), alter), "key-retired", None, twin="retired-not-organisation",
               importance="critical", **WEB)
      for name, how, alter in (
          ("replaced", "has another key now", told(ORG, document(ORG, "org-2"))),
          ("expired", "let its key expire", told(ORG, document(ORG, "org", expires=t(-1)))),
          ("deactivated", "has a deactivated DID", gone(ORG)))),
    accepted("retired-not-the-one-that-signed", "Of two pinned keys the organisation retired the "
             "one that did not sign.", both(org("org-old", "org"), told(ORG, document(ORG, "org"))),
             **WEB),
    rejected("retired-the-one-that-signed", "Of two pinned keys it retired the one that did.",
             both(org("org", "org-new"), told(ORG, document(ORG, "org-new"))), "key-retired", None,
             twin="retired-not-the-one-that-signed", importance="critical", **WEB),
    accepted("retired-not-authority", "The status authority's document lists its key.",
             both(web_authority("status-authority"), told(AUTHORITY, document(AUTHORITY,
             "status-authority"))), **WEB),
    rejected("retired-authority", "The status authority has another key: nobody knows who signs "
             "that nothing is revoked.", both(web_authority("status-authority"), told(AUTHORITY,
             document(AUTHORITY, "mallory"))), "key-retired", None, twin="retired-not-authority",
             importance="critical", **WEB),
    accepted("retired-not-pinned-human", "A human pinned here has two keys; the one that signed "
             "is listed.", both(pinned_human, told(ANA, document(ANA, "ana"))), **WEB),
    rejected("retired-pinned-human", "The one that signed is listed no more.",
             both(pinned_human, told(ANA, document(ANA, "ana-2"))), "key-retired", None,
             twin="retired-not-pinned-human", importance="critical", **WEB),
]  # fmt: skip

OLD = told(BOT, document(BOT, "bot-2"), retrieved=-7200, until=-3600)
COUNTS = [
    *(accepted(f"retired-not-by-{name}", f"{what}: it does not count.", both(agent(), alter),
               **WEB)
      for name, what, alter in (
          ("a-bare-document", "A document without another key, signed by nobody",
           lambda d: d.documents.append(document(BOT, "bot-2")(d))),
          ("a-stranger", "A statement by a resolver that is not in the trust folder",
           gone(BOT, by="mallory")),
          ("the-agent", "The agent's own statement", gone(BOT, by="retrieval")),
          ("the-organisation", "The organisation's own statement", gone(BOT, by="org")),
          ("a-forger", "A statement in the resolver's name by another key",
           gone(BOT, key="mallory")),
          ("a-forger-without-alg", "A statement in its name that is not signed",
           both(gone(BOT), after(lambda d, one: setattr(one, "after", token(
               lambda _d: d.key("resolver"), d, head=members(alg="none")))))),
          ("another-kind", "The resolver signed something else",
           both(gone(BOT), after(lambda _d, one: setattr(one, "typ", "vc+jwt")))),
          ("a-header-with-more", "The resolver's header says more than it may",
           both(gone(BOT), after(lambda d, one: setattr(one, "after", token(
               lambda _d: d.key("resolver"), d, head=members(crit=["b64"])))))),
          ("another-did", "It is about another DID", gone(f"{BOT}:deputy")),
          ("a-prefix", "It is about a DID that begins alike", gone(BOT[:-1])))),
    accepted("retired-not-a-did-key", "A did:key is its own key for ever: no document about it "
             "counts.", lambda d: gone(d.did("retrieval"))(d)),
    accepted("retired-not-without-resolvers", "A statement, and no resolver in the trust folder.",
             both(bot("bot-2"), lambda d: d.trust.pop("resolvers")), **WEB),
    accepted("retired-not-any-more", "An older document lacks the key, the newest lists it.",
             both(OLD, bot()), **WEB),
    rejected("retired-since", "An older document lists the key, the newest does not.",
             both(agent(), told(BOT, document(BOT, "retrieval"), retrieved=-600),
                  told(BOT, document(BOT, "bot-2"))), "key-retired", 1, **LISTED),
    rejected("retired-in-one-of-two", "Two of the same second: one lacks the key.",
             both(bot(), told(BOT, document(BOT, "bot-2"))), "key-retired", 1, **LISTED),
    accepted("retired-not-by-a-stale-document", "A document past its time lacks the key: it may "
             "be older than the key.", both(agent(), OLD), **WEB),
    accepted("retired-not-by-one-of-the-future", "A document of the future lacks the key.",
             both(agent(), told(BOT, document(BOT, "bot-2"), retrieved=31)), **WEB),
    rejected("retired-within-the-skew", "One that is 30 seconds ahead does count.",
             both(agent(), told(BOT, document(BOT, "bot-2"), retrieved=30)), "key-retired", 1,
             **LISTED),
    rejected("retired-at-the-last-second", "A document in its last second lacks the key.",
             both(agent(), told(BOT, document(BOT, "bot-2"), until=1)), "key-retired", 1,
             **LISTED),
    accepted("retired-not-after-the-last-second", "A second later it proves nothing missing.",
             both(agent(), told(BOT, document(BOT, "bot-2"), until=0)), **WEB),
    rejected("retired-by-a-stale-mark", "A document past its time marks the key revoked: that "
             "stays so.", both(agent(), told(BOT, document(BOT, "retrieval", revoked=t(-9000)),
             retrieved=-7200, until=-3600)), "key-retired", 1, **LISTED),
    rejected("retired-by-an-older-mark", "An older document marks it revoked, the newest does "
             "not.", both(bot(), told(BOT, document(BOT, "retrieval", revoked=t(-9000)),
             retrieved=-7200)), "key-retired", 1, **LISTED),
    rejected("retired-by-an-older-deactivation", "An older statement says deactivated.",
             both(bot(), gone(BOT, retrieved=-7200, until=-3600)), "key-retired", 1, **LISTED),
    accepted("retired-not-supplied", "A resolver's document lists the key that is pinned, and "
             "more.", bot("retrieval", "mallory"), **WEB),
    undecided("retired-supplies-no-key", "A resolver's document lists the key that nobody "
              "pinned.", both(agent(None, None), told(BOT, document(BOT, "retrieval"))),
              "key-unresolved", 1, **LISTED),
    rejected("retired-replaces-no-key", "A resolver's document lists the key that signed; another "
             "is pinned.", both(agent(lambda d: d.key("mallory").public.multikey, lambda d: d.key(
             "mallory").public.multikey, index=0), told(BOT, document(BOT, "research"))),
             "proof", 1, **LISTED),
]  # fmt: skip

SIGNED_NONSENSE = [
    *(malformed(f"retired-statement-{name}", f"The resolver did sign a statement {how}.",
                both(agent(), told(BOT, says, **changes)), code, None, twin="retired-not", **WEB)
      for name, how, says, changes, code in (
          ("without-document", "without a document", None, {}, "shape"),
          ("not-deactivated", "of nothing", None, {"deactivated": False}, "shape"),
          ("deactivated-text", "deactivated in words", None, {"deactivated": "yes"}, "shape"),
          ("of-another", "with another DID's document", document(f"{BOT}:deputy", "retrieval"),
           {}, "shape"),
          ("document-text", "with text as document", lambda _d: BOT, {}, "shape"),
          ("unknown-member", "with a member nobody knows", None,
           {"deactivated": True, "note": "x"}, "unknown-member"),
          ("without-time", "without a time", None, {"deactivated": True, "validUntil": ...},
           "shape"),
          ("version-text", "of version one in words", None,
           {"deactivated": True, "version": "1"}, "shape"))),
    undecided("retired-statement-version-2", "The resolver signed a statement of a version to "
              "come.", both(agent(), gone(BOT, version=2)), "unknown-version", None,
              twin="retired-not", **WEB),
    *(malformed(f"retired-documents-of-{name}", f"Among the documents is {what}.",
                both(agent(), stapled("documents", value=[value])), code, None,
                twin="retired-nothing-told", **WEB)
      for name, what, value, code in (
          ("text", "text that is no token", "a document", "encoding"),
          ("null", "null", None, "shape"), ("a-list", "a list", [], "shape"))),
    accepted("retired-signatures-enough", "Four items of evidence and the statement, and five "
             "signatures may be checked.", both(bot(), limits(evidenceSignatures=5)), **WEB),
    malformed("retired-signatures-spent", "More statements than may be checked.",
              both(bot(), *(told(BOT, document(BOT, "retrieval"), retrieved=-seconds)
                            for seconds in (61, 62)), limits(evidenceSignatures=5)),
              "limit-signatures", None,
              twin="retired-signatures-enough", **WEB),
]  # fmt: skip

CASES = group("key", AGENTS, TIMES, PEOPLE, COUNTS, SIGNED_NONSENSE,
              spec="DESIGN 7: documents that can only take authority away")  # fmt: skip
