"""Altered bundles as data: what was done, the exact refusal, and the nearest bundle that passes.

Each case is ``(name, alter, state, code, link, twin)``. ``alter`` edits an honest draft;
``twin`` makes the neighbouring edit that must be accepted (None: the honest bundle itself, one
edit away). Rows are in the order of the verifier's phases.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from delegant.credentials import digest
from delegant.credentials.codec import b58_encode
from delegant.credentials.shape import format_time
from draft import LIST, Doc, Draft, draft, list_doc, unsigned
from world import T0, World

Alter = Callable[[Draft], object]
"""Edits a draft; what it returns is nobody's business."""


@dataclass(frozen=True)
class Case:
    """One altered bundle."""

    name: str
    alter: Alter
    state: str
    code: str
    link: int | None = None
    twin: Alter | None = None
    depth: int = 3


def t(seconds: int) -> str:
    """An instant, counted from the world's first."""
    return format_time(T0 + seconds)


def setter(*path: Any, value: Any) -> Callable[[Any], Any]:
    """A function that sets one member deep inside an object, and returns the object."""

    def edit(target: Any) -> Any:
        node = target
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
        return target

    return edit


def signed(index: int, *path: Any, value: Any) -> Alter:
    """Set a member of a link *after* it was signed."""

    def alter(d: Draft) -> None:
        d.links[index].after = setter(*path, value=value)

    return alter


def doc(index: int, *path: Any, value: Any) -> Alter:
    """Set a member of a link *before* it is signed."""

    def alter(d: Draft) -> None:
        setter(*path, value=value)(d.links[index].doc)

    return alter


def block(index: int, *path: Any, value: Any) -> Alter:
    """Set a member of a link's delegation block before it is signed."""
    return doc(index, "credentialSubject", "delegation", *path, value=value)


def claim(**claims: Any) -> Alter:
    """Set claims of the invocation."""

    def alter(d: Draft) -> None:
        d.claims |= claims

    return alter


def do(**members: Any) -> Alter:
    """Set attributes of the draft itself."""

    def alter(d: Draft) -> None:
        for name, value in members.items():
            setattr(d, name, value)

    return alter


def bundle(*path: Any, value: Any) -> Alter:
    """Set a member of the finished bundle."""
    return do(last=setter(*path, value=value))


def raw(old: bytes, new: bytes) -> Alter:
    """Replace bytes of the finished file, which must contain them."""

    def replace(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return do(raw=replace)


def constrained(first: int, name: str, value: Any, **facts: Any) -> Alter:
    """A constraint from a link downwards, and a request with these facts."""

    def alter(d: Draft) -> None:
        d.constrain(first, name, value)
        d.request |= facts

    return alter


def both(*alters: Alter) -> Alter:
    """One after the other."""

    def alter(d: Draft) -> None:
        for one in alters:
            one(d)

    return alter


# --- phases 1 and 2: limits and bytes ------------------------------------------------------


def eleven_links(d: Draft) -> None:
    d.last = lambda b: setter("presentation", "links", value=b["presentation"]["links"] * 4)(b)


def deep(d: Draft) -> None:
    node: Any = 1
    for _ in range(40):
        node = [node]
    setter("request", "arguments", value={"a": node})
    d.last = setter("request", "arguments", value={"a": node})


def wide(d: Draft) -> None:
    d.last = setter("request", "arguments", value={f"a{i}": 1 for i in range(5000)})


def jws_link_cut(d: Draft) -> None:
    def cut(bundle: dict[str, Any]) -> dict[str, Any]:
        links = bundle["presentation"]["links"]
        links[2] = links[2][:-4] + "===="
        return bundle

    d.links[2].form = "jwt"
    d.last = cut


BYTES = [
    Case("too-many-links", eleven_links, "malformed", "limit-links"),
    Case("nested-too-deep", deep, "malformed", "limit-depth"),
    Case("too-many-members", wide, "malformed", "limit-members"),
    Case("truncated-file", do(raw=lambda b: b[:-20]), "malformed", "json"),
    Case("trailing-bytes", do(raw=lambda b: b + b"x"), "malformed", "json",
         twin=do(raw=lambda b: b + b"\n")),
    Case("utf-16", do(raw=lambda b: b.decode().encode("utf-16")), "malformed", "encoding"),
    Case("byte-order-mark", do(raw=lambda b: b"\xef\xbb\xbf" + b), "malformed", "encoding"),
    Case("not-utf-8", raw(b'"rows": 3', b'"rows": "\xff"'), "malformed", "encoding"),
    Case("nan", raw(b'"rows": 3', b'"rows": NaN'), "malformed", "json"),
    Case("huge-integer", raw(b'"rows": 3', b'"rows": 9007199254740993'), "malformed", "json"),
    Case("duplicate-member", raw(b'"rows": 3', b'"rows": 3, "rows": 3'), "malformed",
         "duplicate-member"),
    Case("duplicate-escaped", raw(b'"rows": 3', b'"rows": 3, "\\u0072ows": 3'), "malformed",
         "duplicate-member"),
    Case("lone-surrogate", bundle("request", "purpose", value="\ud800"), "malformed", "encoding"),
    Case("empty-file", do(raw=lambda _: b""), "malformed", "json"),
    Case("not-an-object", do(raw=lambda _: b"[]"), "malformed", "shape"),
    Case("jws-link-cut", jws_link_cut, "malformed", "encoding",
         twin=lambda d: setattr(d.links[2], "form", "jwt")),
]  # fmt: skip


# --- phase 3: shape ------------------------------------------------------------------------


def own_anchors(d: Draft) -> None:
    d.last = setter("evidence", "anchors", value=d.trust["anchors"])


def drop(index: int, *path: Any) -> Alter:
    def alter(d: Draft) -> None:
        node: Any = d.links[index].doc
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return alter


SUBJECT = ("credentialSubject", "delegation")

SHAPE = [
    Case("trust-anchors-in-the-bundle", own_anchors, "malformed", "unknown-member"),
    Case("trust-beside-the-evidence", bundle("trust", value={}), "malformed", "unknown-member"),
    Case("unknown-member-of-link", block(1, "note", value="x"), "malformed", "unknown-member", 1),
    Case("unknown-member-outside", doc(1, "termsOfUse", value=[]), "malformed",
         "unknown-member", 1),
    Case("link-without-depth", drop(1, *SUBJECT, "depth"), "malformed", "shape", 1),
    Case("link-without-redelegation", drop(2, *SUBJECT, "redelegation"), "malformed", "shape", 2),
    Case("foreign-context", doc(0, "@context", value=["https://www.w3.org/ns/credentials/v2"]),
         "malformed", "context", 0),
    Case("vcdm-1.1", doc(0, "issuanceDate", value=t(0)), "malformed", "vcdm-version", 0),
    Case("extra-type", doc(1, "type", value=["VerifiableCredential", "AgentDelegationCredential",
         "More"]), "malformed", "shape", 1),
    Case("identity-as-link", lambda d: d.links.__setitem__(2, d.identities[2]), "malformed",
         "shape", 2),
    Case("no-actions", block(1, "grants", 0, "actions", value=[]), "malformed", "empty-array", 1),
    Case("no-grants", block(1, "grants", value=[]), "malformed", "empty-array", 1),
    Case("bool-as-number", block(1, "depth", value=True), "malformed", "shape", 1),
    Case("version-2", block(1, "version", value=2), "undecided", "unknown-version", 1),
    Case("unknown-constraint", lambda d: d.constrain(1, "moonPhase", "full"), "undecided",
         "unknown-constraint", 1, twin=constrained(1, "purpose", ["review"], purpose="review")),
    Case("unknown-operator", lambda d: d.constrain(1, "arguments", {"q": {"regex": ".*"}}),
         "undecided", "unknown-constraint", 1,
         twin=constrained(1, "arguments", {"q": {"eq": "x"}}, arguments={"q": "x"})),
    Case("dot-dot", block(1, "grants", 0, "resources", value=["https://papers.example/a/../b"]),
         "malformed", "shape", 1),
    Case("zoneless-time", doc(1, "validUntil", value="2026-11-23T09:00:00"), "malformed",
         "shape", 1),
    Case("purpose-authentication", signed(2, "proof", "proofPurpose", value="authentication"),
         "malformed", "shape", 2),
    Case("proof-array", lambda d: setattr(d.links[2], "after",
         lambda r: setter("proof", value=[r["proof"]])(r)), "malformed", "shape", 2),
    Case("single-status-entry", lambda d: d.links[1].doc["credentialStatus"].pop(), "malformed",
         "shape", 1),
    Case("jwk-in-header", lambda d: setattr(d, "invocation_after", with_jwk), "malformed",
         "unknown-member"),
    Case("link-token-as-invocation", lambda d: d.header.update(typ="vc+jwt"), "malformed",
         "shape"),
    Case("audience-list", claim(aud=["did:key:a", "did:key:b"]), "malformed", "shape"),
    Case("malformed-request", bundle("request", "rows", value="3"), "malformed", "shape"),
]  # fmt: skip


def with_jwk(token: str) -> str:
    """The same token with the key embedded in its header, as forgers like it."""
    from delegant.credentials.codec import b64u_decode, b64u_encode, canonical

    head, body, signature = token.split(".")
    header = json.loads(b64u_decode(head)) | {"jwk": {"kty": "OKP"}}
    return f"{b64u_encode(canonical(header))}.{body}.{signature}"


# --- phase 4: linkage ----------------------------------------------------------------------


def reorder(d: Draft) -> None:
    d.relink = False
    resign(d)
    d.links[1], d.links[2] = d.links[2], d.links[1]


def resign(d: Draft) -> None:
    """Link honestly first, so that what follows is done to a finished chain."""
    d.relink = True
    d.build()
    d.relink = False


def same_id_other_content(d: Draft) -> None:
    resign(d)
    d.links[1].subject["grants"] = d.links[1].subject["grants"][:1]


def cut_middle(d: Draft) -> None:
    resign(d)
    del d.links[1]


def cut_head(d: Draft) -> None:
    resign(d)
    del d.links[0]


def doubled(d: Draft) -> None:
    resign(d)
    d.links.insert(1, d.links[1])


def grafted(d: Draft) -> None:
    """A link by a stranger, hung under the chain with the right digest."""
    d.links[2].doc["issuer"] = d.did("mallory")
    d.links[2].signer = d.key("mallory")


def loop(d: Draft) -> None:
    d.links[2].doc["credentialSubject"]["id"] = d.did("research")
    d.holder = d.key("research")


LINKAGE = [
    Case("links-reordered", reorder, "rejected", "chain-broken", 1),
    Case("middle-link-removed", cut_middle, "rejected", "chain-broken", 1),
    Case("first-link-removed", cut_head, "rejected", "chain-broken", 0),
    Case("link-doubled", doubled, "rejected", "chain-broken", 2),
    Case("same-id-other-content", same_id_other_content, "rejected", "chain-broken", 2),
    Case("grafted", grafted, "rejected", "chain-broken", 2),
    Case("hidden-grandparent", block(0, "parent", value={"id": World().id("x"),
         "digestMultibase": digest(b"x")}), "rejected", "chain-broken", 0),
    Case("depth-lie", block(2, "depth", value=1), "rejected", "depth", 2),
    Case("remaining-not-falling", block(2, "redelegation", "remaining", value=2), "rejected",
         "depth", 2),
    Case("fifth-link", lambda d: d.add_link("intruder"), "rejected", "depth", 4, depth=4),
    Case("cycle", loop, "rejected", "cycle", 2),
    Case("sponsor-swapped", lambda d: d.links[2].subject["sponsor"].update(id=d.did("mia")),
         "rejected", "sponsor-changed", 2),
    Case("sponsor-not-the-issuer", lambda d: [link.subject["sponsor"].update(id=d.did("mia"))
         for link in d.links], "rejected", "sponsor-changed", 0),
]  # fmt: skip


# --- phase 5: attenuation ------------------------------------------------------------------


def recombined(d: Draft) -> None:
    d.links[1].subject["grants"] = [
        {"actions": ["db.read"], "resources": ["urn:acme:papers:**"]},
        {"actions": ["doc.write"], "resources": ["urn:acme:papers:**"]},
    ]


def research_alone(d: Draft) -> None:
    """Only the first link, presented by its subject."""
    del d.links[1:]
    d.holder = d.key("research")


ATTENUATION = [
    Case("expiry-extended", doc(1, "validUntil", value=t(1801)), "rejected", "scope-widened", 1,
         twin=doc(1, "validUntil", value=t(899))),
    Case("starts-before-parent", both(doc(0, "validFrom", value=t(10)), do(at=T0 + 20),
         lambda d: setattr(d, "lists", [list_doc(d.world)])), "rejected", "scope-widened", 1),
    Case("action-widened", block(1, "grants", 0, "actions", value=["db.*"]), "rejected",
         "scope-widened", 1),
    Case("resource-widened", block(2, "grants", 0, "resources", value=["urn:acme:**"]), "rejected",
         "scope-widened", 2,
         twin=block(2, "grants", 0, "resources", value=["urn:acme:papers:17"])),
    Case("sibling-prefix", block(2, "grants", 0, "resources", value=["urn:acme:papers-2:**"]),
         "rejected", "scope-widened", 2),
    Case("grants-recombined", recombined, "rejected", "scope-widened", 1),
    Case("rows-raised", both(constrained(1, "rows", {"max": 400}),
         block(2, "constraints", "rows", value={"max": 401})), "rejected", "scope-widened", 2,
         twin=constrained(1, "rows", {"max": 400})),
    Case("constraint-dropped", both(lambda d: d.constrain(0, "purpose", ["x"]),
         lambda d: d.links[1].subject.pop("constraints")), "rejected",
         "constraint-dropped", 1, twin=constrained(0, "purpose", ["x"], purpose="x")),
    Case("argument-dropped", both(lambda d: d.constrain(0, "arguments", {"a": {"eq": 1},
         "b": {"eq": 2}}), lambda d: d.links[1].subject["constraints"]["arguments"].pop("b")),
         "rejected", "constraint-dropped", 1,
         twin=constrained(0, "arguments", {"a": {"eq": 1}}, arguments={"a": 1})),
    Case("spawn-taken", block(1, "redelegation", "spawn", value=True), "rejected",
         "scope-widened", 1),
    Case("organisation-added", lambda d: d.links[1].subject["redelegation"]["to"].append(
         d.did("evil-org")), "rejected", "scope-widened", 1),
    Case("status-outside-lease", lambda d: [e.update(statusListIndex=str(100 + i)) for i, e in
         enumerate(d.links[1].doc["credentialStatus"])], "rejected", "scope-widened", 1),
    Case("lease-outside-lease", block(1, "redelegation", "status", "count", value=4096),
         "rejected", "scope-widened", 1),
    Case("mandate-below", block(1, "use", value="mandate"), "rejected", "use", 1),
    Case("mandate-invoked", both(research_alone, block(0, "use", value="mandate")), "rejected",
         "use", 0, twin=research_alone),
]  # fmt: skip


# --- phase 6: keys and signatures ----------------------------------------------------------

WEAK = "did:key:z" + b58_encode(b"\xed\x01" + b"\x01" + bytes(31))
SECP = "did:key:z" + b58_encode(b"\xe7\x01" + b"\x02" + bytes(range(32)))


def unresolved(d: Draft) -> None:
    """The last agent has a DID nobody pins a key for."""
    d.links[2].doc["credentialSubject"]["id"] = "did:web:agents.example"
    d.claims["iss"] = "did:web:agents.example"


def stranger_signs(d: Draft) -> None:
    d.links[1].signer = d.key("mallory")


def other_method(d: Draft) -> None:
    name = d.did("mallory")
    d.links[1].after = setter("proof", "verificationMethod", value=f"{name}#{name[8:]}")


KEYS = [
    Case("signature-flipped", lambda d: setattr(d.links[1], "after", flip), "rejected", "proof", 1),
    Case("content-changed", signed(2, "credentialSubject", "delegation", "constraints",
         value={"rows": {"max": 501}}), "rejected", "proof", 2),
    Case("signed-by-a-stranger", stranger_signs, "rejected", "proof", 1),
    Case("key-of-another-did", other_method, "rejected", "did-key-mismatch", 1),
    Case("rdfc-suite", signed(1, "proof", "cryptosuite", value="eddsa-rdfc-2022"), "undecided",
         "suite", 1),
    Case("unresolvable-key", unresolved, "undecided", "key-unresolved", 2),
    Case("weak-key", lambda d: d.links[2].doc["credentialSubject"].update(id=WEAK), "rejected",
         "key-weak", 2),
    Case("unknown-key-type", lambda d: d.links[2].doc["credentialSubject"].update(id=SECP),
         "undecided", "suite", 2),
    Case("jwt-form-mixed-and-altered", both(lambda d: setattr(d.links[1], "form", "jwt"),
         lambda d: setattr(d.links[1], "signer", d.key("mallory"))), "rejected", "proof", 1,
         twin=lambda d: setattr(d.links[1], "form", "jwt")),
]  # fmt: skip


def flip(secured: dict[str, Any]) -> dict[str, Any]:
    """Another valid-looking signature: 64 bytes, none of them right."""
    out = copy.deepcopy(secured)
    out["proof"]["proofValue"] = "z" + b58_encode(b"\x01" * 64)
    return out


def older_copy(source: Doc, signer: Any) -> Doc:
    """A second document like one of ours, to be edited."""
    return Doc(copy.deepcopy(source.doc), signer)


__all__ = ["ATTENUATION", "BYTES", "KEYS", "LINKAGE", "LIST", "SHAPE", "Case", "draft", "unsigned"]
