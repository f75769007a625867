"""Real bugs of other systems, recast: what went wrong there must be refused here.

The origin names the report; the description says what the bug was and what its like is here.
"""

from __future__ import annotations

import copy
from typing import Any

from altered import block, both, cut_head, doc, resign, same_id_other_content, t
from delegant.credentials import CODES, canonical, did
from delegant.credentials.codec import b58_decode, b58_encode, b64u_decode, b64u_encode
from draft import Doc, Draft, list_doc
from limbo.crafts import (
    ORDER,
    WEB,
    after,
    finished,
    forms,
    member,
    members,
    retoken,
    scalar,
    signature,
    subject,
)
from limbo.forge import Alter, Case, stapled, swap
from limbo.groups.happy import colleague

TWO = "happy::honest::two-links"
THREE = "happy::honest::three-links"
JWT = "happy::form::leaf-jwt"
PAPERS = "https://papers.example"


def no(name: str, origin: str, description: str, alter: Alter, code: str,
       link: int | None = None, **more: Any) -> Case:  # fmt: skip
    """A refused case."""
    own: dict[str, Any] = {"twin": TWO, "origin": origin, "importance": "critical",
                           "state": CODES[code].cls.state}  # fmt: skip
    return Case(f"incident::{name}", description, alter, code=code, link=link, **(own | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    return Case(f"incident::{name}", description, alter, **({"importance": "medium"} | more))


# --- signatures that were not checked ------------------------------------------------------


def _unsigned(raw: str) -> str:
    """The token, saying that it needs no signature, under 64 bytes of none."""
    head, body, _ = raw.split(".")
    first = b64u_encode(members(alg="none")(b64u_decode(head)))
    return f"{first}.{body}.{b64u_encode(bytes(64))}"


def _other_artifact(d: Draft) -> None:
    """The invocation of another request, in a bundle for this one."""
    d.signed_request = d.request | {"resource": "urn:acme:papers:18"}


def _two_by_one_id(d: Draft) -> None:
    """Two links with one id: the signed one first, and then another for the reader."""
    forged = Doc(copy.deepcopy(d.links[1].doc), d.key("mallory"))
    forged.subject["grants"][0]["actions"] = ["db.*"]
    finished(lambda b: b["presentation"]["links"].append(forged.sign()))(d)


def _wrapped_identity(d: Draft) -> None:
    """A forged identity of the same id, for the same agent, newer than the signed one."""
    forged = Doc(copy.deepcopy(d.identities[1].doc), d.key("mallory"))
    forged.doc["validFrom"] = t(1)
    forged.subject["toolset"] = [{"toolName": "all", "actions": ["db.*"]}]
    d.identities.insert(0, forged)


def _mix(links: list[dict[str, Any]]) -> None:
    first, second = (b58_decode(link["proof"]["proofValue"][1:]) for link in links)
    links[1]["proof"]["proofValue"] = "z" + b58_encode(first[:32] + second[32:])


def _own_key(d: Draft) -> None:
    """A stranger signs, in the holder's name, and embeds its own key."""
    d.claims["iss"] = d.did("retrieval")
    d.holder = d.key("mallory")
    retoken("invocation", members(jwk=d.key("mallory").public.jwk))(d)


def _other_key(d: Draft) -> None:
    method = did.vm_of(did.Did(d.did("mallory")))
    after("link-1", member("proof", "verificationMethod", value=method))(d)


CURVE = {"crv": "custom", "g": "AAAA", "kty": "OKP", "x": b64u_encode(bytes(range(32)))}
DOCUMENT = {"id": WEB, "verificationMethod": [{"id": f"{WEB}#0", "publicKeyMultibase": "z6Mk"}]}

SIGNATURES = [
    no("actor-token-unsigned", "CVE-2025-55241", "A cloud took an unsigned token for an actor "
       "because it stood inside a signed one; here the last link is a token nobody signed.",
       after("link-1", _unsigned, "jwt"), "suite", 1, twin=JWT, features=("vc+jwt",)),
    no("psychic-signature", "CVE-2022-21449", "A library took a signature of zeros for any; here "
       "the last link's is zeros.", after("link-1", signature(lambda _s: bytes(64))), "proof", 1),
    no("alg-none", "CVE-2015-9235", "Libraries let the token say that it needs no signature; "
       "here the invocation says so.", retoken("invocation", members(alg="none")), "suite"),
    no("public-key-as-secret", "CVE-2022-29217", "Libraries checked a MAC with the public key as "
       "its secret; here the invocation asks for that.",
       retoken("invocation", members(alg="HS512")), "suite"),
    no("embedded-key", "CVE-2018-0114", "A library verified with the key the token brought "
       "along; here a stranger signs the invocation and brings its key.", _own_key,
       "unknown-member", at_most=0),
    no("key-address-in-header", "CVE-2024-21643", "Libraries fetched the key from an address in "
       "the token's header.", retoken("invocation", members(jku="https://evil.example/jwks")),
       "unknown-member"),
    no("signature-for-another-artifact", "CVE-2022-36056", "A verifier matched a signature with "
       "an artifact it was not made for; here the invocation signs another request.",
       _other_artifact, "request-mismatch"),
    no("signature-of-another-order", "CVE-2020-36843", "A library took S plus the group's order "
       "for S, so that a signature had two forms.", after("link-1", signature(
           scalar(lambda s: s + ORDER))), "proof", 1),
    no("key-made-of-parts", "CVE-2022-31053", "A token format's signatures could be recombined "
       "by algebra; here the last link carries the first link's R and its own S.", finished(
           lambda b: _mix(b["presentation"]["links"])), "proof", 1),
    no("curve-of-ones-own", "CVE-2020-0601", "A system matched a key by its point and let the "
       "certificate choose the generator; here a did:jwk brings parameters along and says it is "
       "of another curve.", subject(1, "did:jwk:" + b64u_encode(canonical(CURVE))),
       "suite", 1, twin="happy::did::jwk-leaf", features=("did:jwk",)),
    no("key-of-a-document", "CVE-2024-42350", "A token's holder chose which key a third party's "
       "words would mean; here a did:web's key comes from a document in the evidence.",
       both(subject(1, WEB), stapled("documents", value=[DOCUMENT])), "key-unresolved", 1,
       twin="happy::did::web-leaf", features=("did:web",)),
    no("right-issuer-wrong-key", "key confusion: the name is checked, the key is not",
       "Verifiers checked the issuer's name and took "
       "any key; here the last link names the right issuer and an attacker's key.", _other_key,
       "did-key-mismatch", 1),
    no("wrapping-a-link", "XML signature wrapping (Somorovsky et al., 2012)", "A reader "
       "looked up the signed element by id and used another of that id; here two links share "
       "one.",
       _two_by_one_id, "chain-broken", 2),
    no("wrapping-an-identity", "CVE-2025-25291", "Two parsers saw two documents, one signed and "
       "one used; here two identities share an id, the newer one forged.", _wrapped_identity,
       "proof", 1),
    no("duplicate-role", "CVE-2017-12635", "One parser took the first of two members, another "
       "the last; here a grant names its actions twice.",
       swap(b'"actions":["db.read"]', b'"actions":["db.*"],"actions":["db.read"]'),
       "duplicate-member", at_most=0),
]  # fmt: skip


# --- chains --------------------------------------------------------------------------------


def _leaf_as_authority(d: Draft) -> None:
    """A grant that may not be handed on is handed on."""
    d.links[1].subject["redelegation"]["remaining"] = 0
    d.add_link("intruder")


def _allowed_authority(d: Draft) -> None:
    """The same with the right to: one further link, to an agent that has an identity."""
    d.add_link("dbquery")
    d.identities.append(Doc(copy.deepcopy(d.identities[1].doc), d.identities[1].signer))
    d.identities[-1].doc["credentialSubject"]["id"] = d.did("dbquery")


def _expired_above(d: Draft) -> None:
    """A link in the middle has expired; the last one lives on in its own words."""
    d.links[1].doc["validUntil"] = t(100)
    d.at = d.world.now = d.world.now + 200
    d.lists = [list_doc(d.world)]


def _both_expired(d: Draft) -> None:
    _expired_above(d)
    d.links[2].doc["validUntil"] = t(100)


def _stripped(d: Draft) -> None:
    d.constrain(0, "purpose", ["review"])
    del d.links[1].subject["constraints"]
    d.request["purpose"] = "review"


def _kept(d: Draft) -> None:
    d.constrain(0, "purpose", ["review"])
    d.request["purpose"] = "review"


def _diamond(d: Draft) -> None:
    """Two ways lead to one delegate; the link comes from the one, its parent is the other."""
    other = Doc(copy.deepcopy(d.links[1].doc), d.links[1].signer)
    other.doc["id"] = d.world.id("other-way")
    other.subject["grants"] = other.subject["grants"][:1]
    resign(d)
    d.links[1] = other


def _confused_deputy(d: Draft) -> None:
    """The deputy holds two chains and invokes one of them for the other's act."""
    narrow = copy.deepcopy(d.links[1].subject["grants"])
    narrow[0]["resources"] = ["urn:acme:papers:18"]
    d.links[1].subject["grants"] = narrow[:1]


def _combined(d: Draft) -> None:
    d.links[1].subject["grants"] = [
        {"actions": ["doc.write"], "resources": ["urn:acme:papers:**"]},
    ]


def _web(parent: str, child: str) -> Alter:
    """The first link grants one pattern below papers.example, the second another."""

    def alter(d: Draft) -> None:
        for link, path in zip(d.links, (parent, child), strict=True):
            grants = [g for g in link.subject["grants"] if g["actions"] != ["web.read"]]
            grants.append({"actions": ["web.read"], "resources": [f"{PAPERS}{path}"]})
            link.subject["grants"] = grants

    return alter


def _own_organisation(d: Draft) -> None:
    """The last agent's human is of a partner nobody named."""
    colleague(d, "partner")


def _metadata(d: Draft) -> None:
    for entry in d.identities[1].doc["credentialStatus"]:
        entry["statusListCredential"] = "http://169.254.169.254/latest"


CHAINS = [
    no("not-an-authority", "CVE-2002-0862", "A browser took any certificate for one that may "
       "issue others; here an agent that may not hand on does.", _leaf_as_authority, "depth", 2,
       twin="incident::an-authority"),
    yes("an-authority", "The same agent with the right to hand on once.", _allowed_authority),
    no("flag-ignored", "CVE-2026-33896", "A library did not look whether an issuer may issue; "
       "here the third link's issuer was left no further link.", both(lambda d: d.links[1].subject[
           "redelegation"].update(remaining=0), block(2, "redelegation", "remaining", value=0)),
       "depth", 2, depth=3, twin=THREE),
    no("expired-in-the-middle", "CVE-2024-31995", "A library checked the time of the last "
       "capability alone; here the middle link is over, and the last lies inside it.",
       _both_expired, "expired", 1, depth=3, twin=THREE),
    no("child-outlives-parent", "CVE-2024-31995", "The same, and the last link claims to live "
       "longer than the middle one.", _expired_above, "scope-widened", 2, depth=3, twin=THREE),
    no("caveat-stripped", "macaroons: caveats must survive", "A bearer removed a caveat on the "
       "way; here the second link leaves out the first one's purpose.", _stripped,
       "constraint-dropped", 1, twin="incident::caveat-kept"),
    yes("caveat-kept", "The second link restates the first one's purpose.", _kept),
    no("prefix-without-boundary", "zcap: inbox and inbox-2", "A capability for /inbox was used "
       "for /inbox-2; here the second link names a sibling of the first one's folder.",
       _web("/inbox/**", "/inbox-2/**"), "scope-widened", 1, twin="incident::prefix-below"),
    yes("prefix-below", "The second link names a folder below the first one's.",
        _web("/inbox/**", "/inbox/2/**")),
    no("dot-dot", "CVE-2021-41773", "A server normalised a path after it had checked it; here "
       "the second link's path climbs.", _web("/inbox/**", "/inbox/../admin/**"), "shape", 1,
       at_most=0, twin="incident::prefix-below"),
    no("dot-dot-encoded", "CVE-2021-42013", "The same, its dots encoded.",
       _web("/inbox/**", "/inbox/%2E%2E/admin/**"), "shape", 1, at_most=0,
       twin="incident::prefix-below"),
    no("dot-dot-encoded-twice", "CVE-2021-42013", "The same, its dots encoded twice.",
       _web("/inbox/**", "/inbox/%252E%252E/admin/**"), "shape", 1, at_most=0,
       twin="incident::prefix-below"),
    no("nul-in-a-name", "CVE-2009-2408", "A browser read a certificate's name up to a NUL; here "
       "a resource holds one.", _web("/inbox/**", "/inbox/a%00.example/**"), "shape", 1,
       at_most=0, twin="incident::prefix-below"),
    no("wildcard-in-a-label", "CVE-2014-1492", "A library let a star match a part of a label; "
       "here a host has one.", both(_web("/inbox/**", "/inbox/2/**"), block(
           1, "grants", -1, "resources", value=["https://papers*.example/inbox/2/**"])), "shape",
       1, at_most=0, twin="incident::prefix-below"),
    no("wildcard-against-exclusion", "CVE-2025-61727", "A library let a wildcard name reach into "
       "an excluded one; here a child's wildcard covers more than each of its parent's.",
       _web("/inbox/2/**", "/inbox/**"), "scope-widened", 1, twin="incident::prefix-below"),
    no("backslash-as-slash", "CVE-2018-3774", "Two URL parsers disagreed where the host ends; "
       "here a resource has a backslash.", _web("/inbox/**", "/inbox/\\@evil.example/**"),
       "shape", 1, at_most=0, twin="incident::prefix-below"),
    no("user-info-as-host", "RFC 3986, 7.6", "A reader took what stands before @ "
       "for the host.", both(_web("/inbox/**", "/inbox/2/**"), block(1, "grants", -1, "resources",
       value=["https://papers.example@evil.example/inbox/2/**"])), "shape", 1, at_most=0,
       twin="incident::prefix-below"),
    no("other-way-of-a-diamond", "TUF: delegation caches by name alone", "A client remembered a "
       "role by its name, whatever path led there; here another link of the same parties stands "
       "in for the one that was linked to.", _diamond, "chain-broken", 2, depth=3, twin=THREE),
    no("same-id-other-content", "SAML and OAuth caches by id alone", "A cache knew a token by its "
       "id; here a link was exchanged for another of the same id.", same_id_other_content,
       "chain-broken", 2, depth=3, twin=THREE),
    no("hidden-grandparent", "RFC 8693, 4.1: nested act claims decide nothing", "A "
       "verifier saw the last two parties and believed the rest; here the first link is missing.",
       cut_head, "chain-broken", 0, depth=3, twin=THREE),
    no("confused-deputy", "Hardy 1988", "A deputy used its own right for its client's wish; here "
       "the deputy invokes a chain that does not reach the resource.", _confused_deputy,
       "no-grant", 1),
    no("rights-recombined", "rights joined across grants", "A reader joined an action of one "
       "grant with a resource of another.", _combined, "scope-widened", 1),
    no("unnamed-organisation", "nOAuth, 2023", "Services took a guest of "
       "another tenant for one of its own; here the agent answers to a trusted organisation that "
       "no delegator named.", _own_organisation, "delegate-not-allowed", 1,
       twin="happy::path::agent-of-a-partner"),
    no("every-audience", "RFC 8725, 3.9", "A service took a token for another "
       "service; here the invocation is for the organisation.", lambda d: d.claims.update(
           aud=d.parties["org"].did), "audience"),
    no("list-of-audiences", "RFC 7519: aud may be a list", "A token for many is a token for each "
       "of them to use at the others.", lambda d: d.claims.update(aud=[
           d.parties["db"].did, d.parties["org"].did]), "shape", at_most=0),
    no("agent-token-as-person", "RFC 8725, 3.11", "An identity token was taken for "
       "an access token; here an identity credential stands in for a link.",
       lambda d: d.links.__setitem__(1, d.identities[1]), "shape", 1, at_most=0),
    no("digits", "CVE-2020-10735", "A parser took quadratic time for a long number; here the "
       "depth has 5,000 digits.", swap(b'"depth":1', b'"depth":' + b"1" * 5000), "json",
       at_most=0),
    no("bomb", "CVE-2019-11253", "A parser swelled on references to references; here nested lists "
       "without an end.", swap(b'"links":[', b'"links":[' + b"[" * 100), "limit-depth",
       at_most=0),
    no("truncated-token", "CVE-2014-1266", "A check was jumped over by one line too many; here "
       "the last character of the last signature is another.", after("invocation", lambda token:
       token[:-1] + ("A" if token[-1] != "A" else "Q")), "holder-mismatch"),
    no("address-within", "SSRF to link-local metadata (Capital One, 2019)", "Services fetched what "
       "a caller named, from their own inside; here an identity's status list has the address of "
       "a cloud's metadata, and nothing is fetched.", _metadata, "scope-widened", 1),
    no("year-2038", "time_t of 32 bits", "A clock that wraps makes what has expired valid; here a "
       "link is said to last until 2038.", doc(1, "validUntil", value="2038-01-19T03:14:08Z"),
       "scope-widened", 1),
    no("all-as-tokens-one-swapped", "CVE-2023-48795", "A message was dropped from "
       "the front of a stream; here the first of two tokens is missing.", both(
           forms("link-0", "link-1"), finished(lambda b: b["presentation"]["links"].pop(0))),
       "chain-broken", 0, twin="happy::form::all-jwt", features=("vc+jwt",)),
]  # fmt: skip

CASES: list[Case] = [*SIGNATURES, *CHAINS]
