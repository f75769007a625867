"""One kind of document never passes for another, and every document is closed."""

from __future__ import annotations

import copy
from typing import Any

from altered import block, both, doc, drop, research_alone, resign, setter
from delegant.credentials import did
from delegant.credentials.did import Did
from draft import Doc, Draft
from limbo.crafts import after, forms, members, retoken
from limbo.forge import Alter, presented, stapled
from limbo.rows import accepted, group, malformed, rejected, undecided

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
OURS = "https://delegant.example/contexts/delegation/v1"
LINK = ["VerifiableCredential", "AgentDelegationCredential"]
HONEST: dict[str, Any] = {"twin": "honest"}
WORST: dict[str, Any] = {"twin": "honest", "importance": "critical"}
JWT: dict[str, Any] = {"twin": "honest-as-jwt", "features": ("vc+jwt",)}


# --- another document in its place -----------------------------------------------------------


def borrowed(place: str, index: int, source: str, number: int = 0) -> Alter:
    """A document of one kind in the place of another, about the same subject."""

    def alter(d: Draft) -> None:
        there, here = getattr(d, source)[number], getattr(d, place)
        wanted = here[index].doc["credentialSubject"]["id"]
        one = Doc(copy.deepcopy(there.doc), there.signer)
        one.doc["credentialSubject"]["id"] = wanted
        here[index] = one

    return alter


def list_for_link(d: Draft) -> None:
    resign(d)
    d.links[1] = Doc(copy.deepcopy(d.lists[0].doc), d.lists[0].signer)


def identity_for_list(d: Draft) -> None:
    """An identity credential by the name of the list."""
    one = Doc(copy.deepcopy(d.identities[0].doc), d.identities[0].signer)
    one.doc["id"] = d.lists[0].doc["id"]
    d.lists = [one]


def did_document(d: Draft) -> dict[str, Any]:
    return dict(did.document(Did(d.did("retrieval"))))


def in_place(index: int, made: Any) -> Alter:
    """Something else in place of a finished link, made from the draft and the signed link."""

    def alter(d: Draft) -> None:
        d.links[index].after = lambda raw: made(d, raw)

    return alter


def enveloped(_d: Draft, raw: Any) -> dict[str, Any]:
    """VCDM 2.0, 4.13: a token in a data URL."""
    return {"@context": V2, "id": f"data:application/vc+jwt,{raw}",
            "type": "EnvelopedVerifiableCredential"}  # fmt: skip


def in_presentation(_d: Draft, raw: Any) -> dict[str, Any]:
    return {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [raw]}


OTHERS = [
    accepted("honest", "Two delegation credentials, and what belongs to them."),
    accepted("honest-as-jwt", "The second link as vc+jwt.", forms("link-1"),
             features=("vc+jwt",)),
    *(malformed(f"{what}-as-{place}", f"{name} in place of {other}.",
                borrowed(group_, index, source), "shape", link, **WORST)
      for what, name, source, place, other, group_, index, link in (
          ("identity", "An identity credential", "identities", "link", "a link", "links", 1, 1),
          ("sponsor", "A sponsor credential", "sponsors", "link", "a link", "links", 1, 1),
          ("sponsor", "A sponsor credential", "sponsors", "first-link", "the first link", "links",
           0, 0),
          ("link", "A link", "links", "identity", "an identity", "identities", 1, 1),
          ("sponsor", "A sponsor credential", "sponsors", "identity", "an identity", "identities",
           1, 1),
          ("link", "A link", "links", "sponsor", "a sponsor credential", "sponsors", 0, None),
          ("identity", "An identity credential", "identities", "sponsor", "a sponsor credential",
           "sponsors", 0, None))),
    malformed("list-as-link", "A status list in place of a link.", list_for_link, "context", 1,
              **HONEST),
    malformed("identity-as-list", "An identity credential in place of the status list.",
              identity_for_list, "context", 0, **HONEST),
    malformed("did-document-as-link", "A DID document in place of a link.",
              in_place(1, lambda d, _: did_document(d)), "context", 1, **HONEST),
    malformed("enveloped-link", "A link in a data URL.", both(forms("link-1"),
              in_place(1, enveloped)), "context", 1, **JWT),
    malformed("presentation-as-link", "A link wrapped in a W3C presentation.",
              in_place(1, in_presentation), "context", 1, **HONEST),
    malformed("empty-link", "An empty object in place of a link.", in_place(1, lambda *_: {}),
              "context", 1, **HONEST),
    malformed("links-in-each-others-place", "An identity as the first, a sponsor credential as "
              "the second link.", both(borrowed("links", 0, "identities"),
                                       borrowed("links", 1, "sponsors")), "shape", 0, **HONEST),
    malformed("request-as-link", "The request in place of a link.",
              in_place(1, lambda d, _: dict(d.request)), "context", 1, **HONEST),
]  # fmt: skip

# --- type ----------------------------------------------------------------------------------

TYPES: tuple[tuple[str, str, Any], ...] = (
    ("extra", "has a third type", [*LINK, "More"]),
    ("another-of-ours", "is an identity credential too", [*LINK, "AgentIdentityCredential"]),
    ("reversed", "has its types the other way round", LINK[::-1]),
    ("only-first", "is a credential of no kind", LINK[:1]),
    ("only-second", "is no credential", LINK[1:]),
    ("text", "has one type that is no list", LINK[1]),
    ("twice", "has its type twice", [*LINK, LINK[1]]),
    ("lower-case", "has its type in lower case", [LINK[0], "agentdelegationcredential"]),
    ("other", "is an attestation", [LINK[0], "AgentAttestationCredential"]),
    ("identity", "says it is an identity", [LINK[0], "AgentIdentityCredential"]),
    ("address", "has its type as an address", [LINK[0], f"{OURS}#AgentDelegationCredential"]),
    ("nested", "has its types in another list", [LINK]),
    ("null", "has null for a type", None), ("empty", "has no types", []),
    ("object", "has an object for its types", {"0": LINK[0], "1": LINK[1]}),
    ("blank", "has a blank behind its type", [LINK[0], LINK[1] + " "]),
)  # fmt: skip
CONTEXTS: tuple[tuple[str, str, Any, str], ...] = (
    ("swapped", "has its contexts the other way round", [OURS, V2], "context"),
    ("first-only", "has only the first context", [V2], "context"),
    ("second-only", "has only the second context", [OURS], "context"),
    ("extra", "has a third context", [V2, OURS, "https://evil.example/v1"], "context"),
    ("extra-ahead", "has another context ahead", ["https://evil.example/v1", V2, OURS], "context"),
    ("inline", "redefines a term in a context of its own",
     [V2, OURS, {"delegation": "https://evil.example/nothing"}], "context"),
    ("object", "has its contexts in an object", {"@vocab": V2}, "context"),
    ("text", "has one context that is no list", V2, "context"),
    ("null", "has null for its contexts", None, "context"), ("empty", "has none", [], "context"),
    ("twice", "has one twice", [V2, V2, OURS], "context"),
    ("slash", "has a slash behind a context", [f"{V2}/", OURS], "context"),
    ("http", "has a context without TLS", [V2.replace("https", "http"), OURS], "context"),
    ("capital", "has a capital in a context", [V2.replace("www", "WWW"), OURS], "context"),
    ("version-2", "has the next version of ours", [V2, OURS.replace("v1", "v2")], "context"),
    ("vcdm-1", "is of VCDM 1.1", [V1, OURS], "vcdm-version"),
    ("both-versions", "is of VCDM 1.1 and 2.0", [V2, V1, OURS], "vcdm-version"),
)  # fmt: skip
TERMS = [
    *(malformed(f"type-{name}", f"A link that {how}.", doc(1, "type", value=value), "shape", 1,
                **HONEST) for name, how, value in TYPES),
    malformed("sponsor-type-extra", "A sponsor credential that has a third type.",
              lambda d: d.sponsors[0].doc["type"].append("More"), "shape", **HONEST),
    malformed("identity-type-extra", "An identity credential that has a third type.",
              lambda d: d.identities[1].doc["type"].append("More"), "shape", 1, **HONEST),
    malformed("list-type-extra", "A status list that has a third type.",
              lambda d: d.lists[0].doc["type"].append("More"), "shape", 0, **HONEST),
    *(malformed(f"context-{name}", f"A link that {how}.", doc(1, "@context", value=value), code, 1,
                **HONEST) for name, how, value, code in CONTEXTS),
    *(malformed(f"proof-context-{name}", f"A proof that {how}, on an honest link.",
                after("link-1", setter("proof", "@context", value=value)), "context", 1, **HONEST)
      for name, how, value, code in CONTEXTS
      if code == "context" and name != "first-only"),
    malformed("issuance-date", "A link with the issuanceDate of VCDM 1.1.",
              doc(1, "issuanceDate", value="2026-09-21T14:13:20Z"), "vcdm-version", 1, **HONEST),
    malformed("context-absent", "A link without contexts.", drop(1, "@context"), "context", 1,
              **HONEST),
    malformed("type-absent", "A link without types.", drop(1, "type"), "shape", 1, **HONEST),
]  # fmt: skip

# --- version and use -----------------------------------------------------------------------


def mandate(d: Draft) -> None:
    d.delegation(0)["use"] = "mandate"


VERSIONS = [
    *(undecided(f"version-{value}", f"A link of version {value}: never a yes.",
                block(1, "version", value=value), "unknown-version", 1, **WORST)
      for value in (2, 3, 2**53 - 1)),
    undecided("version-2-with-more", "A link of version 2 with a member nobody knows yet.",
              both(block(1, "version", value=2), block(1, "future", value=1)), "unknown-version",
              1, **HONEST),
    undecided("version-2-of-the-first", "The first link is of version 2.",
              block(0, "version", value=2), "unknown-version", 0, **WORST),
    undecided("version-2-of-the-sponsor-credential", "A sponsor credential of version 2.",
              lambda d: d.sponsors[0].subject.update(version=2), "unknown-version", **HONEST),
    *(malformed(f"version-{name}", f"The version is {how}.", block(1, "version", value=value),
                "shape", 1, **HONEST)
      for name, how, value in (("zero", "zero", 0), ("negative", "negative", -1),
                               ("text", "a text", "1"), ("true", "true", True),
                               ("fraction", "one and a half", 1.5), ("list", "a list", [1]))),
    accepted("grant-below-mandate", "A mandate, and a grant below it.", mandate),
    rejected("mandate-below-mandate", "A mandate issues grants, no mandates.",
             both(mandate, block(1, "use", value="mandate")), "use", 1,
             twin="grant-below-mandate", importance="critical"),
    rejected("mandate-below-grant", "A grant issues no mandate.", block(1, "use", value="mandate"),
             "use", 1, **WORST),
    accepted("grant-alone", "The first link alone, a grant.", research_alone),
    rejected("mandate-alone", "The first link alone, a mandate: it is never invoked.",
             both(research_alone, mandate), "use", 0, twin="grant-alone", importance="critical"),
    rejected("mandate-in-the-middle", "A grant, a mandate, a grant: what may not issue for long "
             "issues something that may.", block(1, "use", value="mandate"), "use", 1, depth=3,
             twin="honest-of-three", importance="critical"),
    rejected("mandates-and-a-grant", "A mandate, a mandate, a grant.",
             both(mandate, block(1, "use", value="mandate")), "use", 1, depth=3,
             twin="grants-below-mandate", importance="critical"),
    rejected("mandate-third-of-four", "The third of four links is a mandate.",
             block(2, "use", value="mandate"), "use", 2, depth=4, twin="honest-of-four"),
    accepted("grants-below-mandate", "A mandate, a grant, a grant.", mandate, depth=3),
    accepted("honest-of-four", "Four grants.", depth=4),
    rejected("mandate-below-grants", "The third link is a mandate.",
             block(2, "use", value="mandate"), "use", 2, depth=3, twin="honest-of-three"),
    accepted("honest-of-three", "Three grants.", depth=3),
    *(malformed(f"use-{name}", f"use is {how}.", block(1, "use", value=value), "shape", 1,
                **HONEST)
      for name, how, value in (
          ("capital", "written with a capital", "Grant"), ("plural", "grants", "grants"),
          ("both", "both", ["mandate", "grant"]), ("empty", "empty", ""),
          ("true", "true", True), ("unknown", "a word nobody knows", "lease"))),
]  # fmt: skip

# --- the two forms -------------------------------------------------------------------------


def proof_inside(d: Draft) -> None:
    """A vc+jwt that carries the proof of the other form inside."""
    raw = d.links[1].sign()
    d.links[1].doc["proof"] = raw["proof"]
    d.links[1].form = "jwt"


FORMS = [
    malformed("proof-inside-jwt", "A vc+jwt with a proof of the other form inside.", proof_inside,
              "shape", 1, **JWT),
    malformed("vc-claim", "A JWT of VCDM 1.1: the credential in a claim vc.",
              retoken("link-1", body=lambda b: b'{"iss":"x","vc":' + b + b"}"), "context", 1,
              **JWT),
    *(malformed(f"jwt-with-{name}", f"A vc+jwt with a claim {name} beside the credential's own.",
                retoken("link-1", body=members(**{name: value})), "unknown-member", 1, **JWT)
      for name, value in (("sub", "did:key:z6Mk"), ("exp", 2**40),
                          ("nbf", 0), ("iat", 0), ("jti", "x"), ("aud", "x"), ("cnf", {}))),
    malformed("proofs-two", "A link with two proofs.",
              after("link-1", lambda raw: {**raw, "proof": [raw["proof"]] * 2}), "shape", 1,
              **HONEST),
    malformed("jwt-json", "A vc+jwt in the JSON serialisation.",
              both(forms("link-1"), presented("links", 1, value={"payload": "x", "signatures":
                                                                 []})), "context", 1, **JWT),
    malformed("evidence-text", "A text that is no token among the sponsors.",
              stapled("sponsors", value=["x"]), "encoding", **HONEST),
    malformed("evidence-null", "null among the identities.",
              stapled("identities", 0, value=None), "shape", **HONEST),
    *(malformed(f"evidence-with-{name}", f"Evidence with {name}: trust is the verifier's own.",
                stapled(name, value=[]), "unknown-member", **WORST)
      for name in ("trust", "keys", "limits", "seen", "sponsor")),
    accepted("evidence-of-others-beside", "Other credentials in the evidence are nobody's "
             "business, broken ones too.",
             lambda d: d.identities.append(Doc({"issuer": "x", "credentialSubject": {
                 "id": "did:example:other", "x": {}}}, d.key("mallory")))),
]  # fmt: skip

CASES = group("type", OTHERS, TERMS, VERSIONS, FORMS, spec="DESIGN 3: shape")
