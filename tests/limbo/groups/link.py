"""Whether each link continues the one before it, and whose key signed it."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from altered import (
    block,
    both,
    cut_head,
    cut_middle,
    doubled,
    drop,
    flip,
    grafted,
    loop,
    older_copy,
    other_method,
    reorder,
    resign,
    same_id_other_content,
    setter,
    signed,
)
from delegant.credentials import canonical, digest
from delegant.credentials.codec import b58_encode, b64u_encode
from delegant.credentials.envelope import unpack
from draft import Draft
from limbo.crafts import forms
from limbo.forge import Alter, presented
from limbo.rows import accepted, group, malformed, rejected
from world import World

LAST: dict[str, Any] = {"depth": 3, "twin": "three-links"}
"""An edit of the last of three links."""


def parent(**members: Any) -> Alter:
    """The last link's ``parent``, with other members than the honest ones; ``...`` removes."""

    def alter(d: Draft) -> None:
        resign(d)
        for name, value in members.items():
            if value is ...:
                del d.delegation(2)["parent"][name]
            else:
                d.delegation(2)["parent"][name] = value

    return alter


def after_linking(change: Alter) -> Alter:
    """Link honestly, then change a link without telling the one below."""
    return both(resign, change)


def parent_digest(hashed: Any) -> Alter:
    """The last link names its parent by another digest, made from the signed parent."""

    def alter(d: Draft) -> None:
        resign(d)
        d.delegation(2)["parent"]["digestMultibase"] = hashed(d.links[1].sign())

    return alter


def without_proof(raw: dict[str, Any]) -> str:
    return digest(canonical({k: v for k, v in raw.items() if k != "proof"}))


def other_hash(name: str, code: bytes) -> Any:
    return lambda raw: "u" + b64u_encode(code + hashlib.new(name, canonical(raw)).digest())


def skips(d: Draft) -> None:
    """The last link names the first as its parent."""
    resign(d)
    d.delegation(2)["parent"] = copy.deepcopy(d.delegation(1)["parent"])


def fork(d: Draft) -> None:
    """Research delegates to dbquery as well; its link follows its sibling, not its parent."""
    skips(d)
    d.links[2].doc["issuer"] = d.did("research")
    d.links[2].signer = d.key("research")


def only_fork(d: Draft) -> None:
    """The same sibling link under its own parent alone, with status bits from there."""
    fork(d)
    d.links[2].subject["depth"] = 1
    d.links[2].doc["credentialStatus"] = d.links[1].doc["credentialStatus"]
    del d.links[1]
    d.relink = True


def splice(d: Draft) -> None:
    """The last link of another chain: same parties, other parent (one more constraint there)."""
    other = older_copy(d.links[1], d.key("research"))
    other.subject["constraints"] = {"rows": {"max": 100}}
    before = unpack(d.links[0].sign())
    resign(d)
    other.subject["parent"] = {"id": before.document["id"], "digestMultibase": before.digest}
    d.links[1] = other


def signer(index: int, name: str) -> Alter:
    """A link in its issuer's name, by somebody else's key."""
    return lambda d: setattr(d.links[index], "signer", d.key(name))


def signature_wrong(index: int) -> Alter:
    return lambda d: setattr(d.links[index], "after", flip)


def proof_of(source: int, target: int) -> Alter:
    """The signature of one link put on another."""

    def alter(d: Draft) -> None:
        value = d.links[source].sign()["proof"]["proofValue"]
        d.links[target].after = setter("proof", "proofValue", value=value)

    return alter


def resecured(d: Draft) -> None:
    """The middle link, signed again in the other form after its child was made."""
    resign(d)
    d.links[1].form = "jwt"


def embedded(d: Draft) -> None:
    """The last link alone, its parents carried inside it as claims."""
    resign(d)
    d.links[2].subject["parents"] = [link.sign() for link in d.links[:2]]
    del d.links[:2]


def reissued(d: Draft) -> None:
    """The leaf issued by the human, who is not the subject above."""
    d.links[2].doc["issuer"] = d.did("ana")
    d.links[2].signer = d.key("ana")


def widened_root(d: Draft) -> None:
    """One more grant in the first link, after it was signed; the rest is linked to that."""
    grants = [*d.delegation(0)["grants"], {"actions": ["db.*"], "resources": ["urn:acme:hr:**"]}]
    d.links[0].after = setter("credentialSubject", "delegation", "grants", value=grants)


def leaf_issuer(spelled: Any) -> Alter:
    return lambda d: d.links[2].doc.update(issuer=spelled(d.did("retrieval")))


def leaf_subject(name: str) -> Alter:
    def alter(d: Draft) -> None:
        d.links[-1].doc["credentialSubject"]["id"] = d.did(name)
        d.holder = d.key(name)

    return alter


def tail_cut(name: str | None) -> Alter:
    """Without the last link, presented by who held it; perhaps in the name of who holds now."""

    def alter(d: Draft) -> None:
        del d.links[2]
        if name is not None:
            d.claims["iss"] = d.did(name)

    return alter


HONEST = [
    accepted("one-link", "Ana to research, presented by research.", depth=1),
    accepted("two-links", "Ana to research to retrieval, presented by retrieval."),
    accepted("three-links", "The honest chain of three.", depth=3),
    accepted("four-links", "The honest chain of four, presented by the formatter.", depth=4),
    accepted("middle-as-jwt", "The middle link is a vc+jwt: one chain may mix the forms.",
             forms("link-1"), depth=3, features=("vc+jwt",)),
    accepted("all-as-jwt", "Every link is a vc+jwt.", forms("link-0", "link-1", "link-2"),
             depth=3, features=("vc+jwt",)),
    accepted("everything-as-jwt", "Links, sponsor, identities and list, all as vc+jwt.",
             forms("link-0", "link-1", "sponsor-0", "identity-0", "identity-1", "list-0"),
             features=("vc+jwt",)),
    accepted("sibling-alone", "Research delegates to two; the second shows its own branch.",
             only_fork, depth=3),
    accepted("middle-presents-itself", "Retrieval, in the middle of three, shows its own two.",
             both(tail_cut(None), lambda d: setattr(d, "holder", d.key("retrieval"))), depth=3),
]  # fmt: skip

ORDER = [
    rejected("reordered", "The second and the third link change places.", reorder,
             "chain-broken", 1, **LAST),
    rejected("reversed", "Leaf first: the order is root first.",
             after_linking(lambda d: d.links.reverse()), "chain-broken", 0, **LAST),
    rejected("middle-removed", "The middle link, which limits rows above, is left out.",
             cut_middle, "chain-broken", 1, importance="critical", **LAST),
    rejected("head-removed", "The human's link is left out.", cut_head, "chain-broken", 0,
             importance="critical", **LAST),
    rejected("leaf-only", "Only the last link: its parents are somewhere else.",
             after_linking(lambda d: d.links.__delitem__(slice(0, 2))), "chain-broken", 0, **LAST),
    rejected("tail-removed", "The leaf drops its own, narrower link and keeps its parent's.",
             tail_cut(None), "holder-mismatch", importance="critical", **LAST),
    rejected("tail-removed-in-the-parents-name", "The same, with the parent's DID as iss.",
             tail_cut("retrieval"), "holder-mismatch", importance="critical", **LAST),
    rejected("middle-doubled", "The middle link stands twice.", doubled, "chain-broken", 2, **LAST),
    rejected("first-doubled", "The first link stands twice.",
             after_linking(lambda d: d.links.insert(0, d.links[0])), "chain-broken", 1, **LAST),
    rejected("last-doubled", "The last link stands twice.",
             after_linking(lambda d: d.links.append(d.links[2])), "chain-broken", 3, **LAST),
    rejected("fork-after-sibling", "A sibling of the second link follows it (a diamond).", fork,
             "chain-broken", 2, depth=3, twin="sibling-alone"),
    malformed("parents-embedded", "The leaf carries its parents as claims inside itself.",
              embedded, "unknown-member", 0, importance="critical", **LAST),
    malformed("links-empty", "A presentation without links.", presented("links", value=[]),
              "empty-array", twin="two-links"),
    malformed("links-null", "null in place of the links.", presented("links", value=None),
              "shape", twin="two-links"),
    malformed("links-object", "An object in place of the links.", presented("links", value={}),
              "shape", twin="two-links"),
    malformed("link-null", "null in place of the second link.", presented("links", 1, value=None),
              "shape", twin="two-links"),
    malformed("link-number", "A number in place of the second link.",
              presented("links", 1, value=7), "shape", twin="two-links"),
    malformed("link-nested", "An array of links in place of one.",
              presented("links", 1, value=[]), "shape", twin="two-links"),
    malformed("link-reference", "A digest in place of the link it names.",
              presented("links", 1, value=digest(b"x")), "encoding", twin="two-links"),
]  # fmt: skip

ISSUER = [
    rejected("grafted", "A stranger hangs a link under the chain, with the right digest.",
             grafted, "chain-broken", 2, importance="critical", **LAST),
    rejected("issued-by-the-root", "The human issues the last link, past retrieval.", reissued,
             "chain-broken", 2, **LAST),
    *(malformed(f"issuer-{name}", f"The issuer is retrieval's DID {how}: not a DID as it must be.",
                leaf_issuer(spelled), "shape", 2, origin="W3C DID Core 1.0, 3.1", **LAST)
      for name, how, spelled in (
          ("with-fragment", "with its key's fragment", lambda did: f"{did}#{did[8:]}"),
          ("with-path", "with a path", lambda did: f"{did}/a"),
          ("with-query", "with a query", lambda did: f"{did}?versionId=1"),
          ("with-parameter", "with a parameter", lambda did: f"{did};service=a"),
          ("upper-case-scheme", "with DID in capitals", lambda did: "DID" + did[3:]),
          ("upper-case-method", "with KEY in capitals", lambda did: did.replace("key", "KEY")),
          ("lower-case-percent", "percent-encoded in lower case",
           lambda did: "did:web:agents.example%3a8080"),
          ("space-behind", "with a space behind", lambda did: did + " "),
          ("newline-behind", "with a newline behind", lambda did: did + "\n"),
          ("zero-width", "with a zero-width space", lambda did: did + "\u200b"),
          ("object", "inside an object", lambda did: {"id": did}),
          ("array", "inside an array", lambda did: [did]),
          ("null", "replaced by null", lambda did: None),
          ("url", "replaced by a web address", lambda did: "https://agents.example"))),
    rejected("issuer-other-multibase", "The same key in base64url multibase is another DID.",
             leaf_issuer(lambda _: "did:key:u7QEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
             "chain-broken", 2, **LAST),
    rejected("issuer-case-changed", "base58 knows case: the DID in lower case is another.",
             leaf_issuer(lambda did: did.lower()), "chain-broken", 2, **LAST),
    rejected("issuer-by-another-name", "Retrieval signs in a web name nobody delegated to.",
             leaf_issuer(lambda _: "did:web:agents.example"), "chain-broken", 2, **LAST),
    malformed("subject-with-fragment", "The leaf's subject is a DID URL.",
              lambda d: d.links[2].doc["credentialSubject"].update(id=d.did("dbquery") + "#k"),
              "shape", 2, **LAST),
]  # fmt: skip

PARENTS = [
    rejected("same-id-other-content", "The middle link is signed again with fewer grants.",
             same_id_other_content, "chain-broken", 2, **LAST),
    rejected("spliced", "The middle link is another of the same parties, under the same root.",
             splice, "chain-broken", 2, importance="critical", **LAST),
    rejected("parent-resecured", "The middle link comes in its other form: another digest.",
             resecured, "chain-broken", 2, depth=3, twin="middle-as-jwt", features=("vc+jwt",)),
    rejected("grandparent-as-parent", "The last link names the first as its parent.", skips,
             "chain-broken", 2, **LAST),
    rejected("hidden-grandparent", "The first link names a parent that is not shown.",
             block(0, "parent", value={"id": World().id("x"), "digestMultibase": digest(b"x")}),
             "chain-broken", 0, **LAST),
    *(rejected(f"hidden-grandparent-of-{name}", "The first link names a parent that is not "
               "shown.", block(0, "parent", value={"id": World().id("x"), "digestMultibase":
               digest(b"x")}), "chain-broken", 0, depth=number, twin=f"{name}")
      for number, name in ((1, "one-link"), (2, "two-links"))),
    rejected("no-parent", "The last link names no parent.",
             both(resign, drop(2, "credentialSubject", "delegation", "parent")),
             "chain-broken", 2, **LAST),
    rejected("parent-id-only", "The digest is right and the id is another's.",
             parent(id=World().id("other")), "chain-broken", 2, **LAST),
    rejected("parent-digest-of-nothing", "The id is right and the digest is of other bytes.",
             parent(digestMultibase=digest(b"")), "chain-broken", 2, **LAST),
    rejected("parent-digest-without-proof", "The digest is of the parent without its proof.",
             parent_digest(without_proof), "chain-broken", 2, **LAST),
    rejected("parent-digest-with-newline", "The digest is of the parent's bytes and a newline.",
             parent_digest(lambda raw: digest(canonical(raw) + b"\n")), "chain-broken", 2, **LAST),
    rejected("parent-own-id", "The last link names itself as its parent, by id.",
             both(resign, lambda d: d.delegation(2)["parent"].update(id=d.links[2].doc["id"])),
             "chain-broken", 2, **LAST),
    *(malformed(f"parent-{name}", f"The parent {how}: digests and ids have one spelling.",
                change, "shape", 2, **LAST)
      for name, how, change in (
          ("null", "is null", both(resign, block(2, "parent", value=None))),
          ("array", "is an array", both(resign, block(2, "parent", value=[]))),
          ("id-text", "is only an id", both(resign, block(2, "parent", value=World().id("x")))),
          ("without-digest", "has no digest", parent(digestMultibase=...)),
          ("without-id", "has no id", parent(id=...)),
          ("id-upper-case", "id is in capitals", parent(id="urn:uuid:6BA7B810-9DAD-11D1-80B4-"
           "00C04FD430C8")),
          ("id-bare", "id has no urn:uuid", parent(id="6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
          ("digest-null", "digest is null", parent(digestMultibase=None)),
          ("digest-hex", "digest is in hex", parent_digest(
           lambda raw: hashlib.sha256(canonical(raw)).hexdigest())),
          ("digest-base58", "digest is in base58", parent_digest(
           lambda raw: "z" + b58_encode(b"\x12\x20" + hashlib.sha256(canonical(raw)).digest()))),
          ("digest-bare", "digest has no multihash prefix", parent_digest(
           other_hash("sha256", b""))),
          ("digest-padded", "digest is padded", parent_digest(
           lambda raw: digest(canonical(raw)) + "=")),
          ("digest-sha2-512", "digest is sha2-512", parent_digest(
           other_hash("sha512", b"\x13\x40"))),
          ("digest-sha3-256", "digest is sha3-256", parent_digest(
           other_hash("sha3_256", b"\x16\x20"))),
          ("digest-sha1", "digest is sha1", parent_digest(other_hash("sha1", b"\x11\x14"))),
          ("digest-cut", "digest is cut to 128 bits", parent_digest(
           lambda raw: digest(canonical(raw))[:25])))),
    malformed("parent-unknown-member", "The parent has a member more.", parent(type="Link"),
              "unknown-member", 2, **LAST),
]  # fmt: skip

CYCLES = [
    rejected("cycle", "The last link gives to research, who is above.", loop, "cycle", 2, **LAST),
    rejected("cycle-to-the-human", "The last link gives back to Ana.", leaf_subject("ana"),
             "cycle", 2, **LAST),
    rejected("self-delegation", "Retrieval delegates to itself.", leaf_subject("retrieval"),
             "cycle", 2, **LAST),
    rejected("first-to-itself", "Ana delegates to herself.", leaf_subject("ana"), "cycle", 0,
             depth=1, twin="one-link"),
    rejected("id-of-the-first", "The last link has the id of the first.",
             lambda d: d.links[2].doc.update(id=d.links[0].doc["id"]), "cycle", 2, **LAST),
    rejected("id-of-the-first-again", "The fourth link has the id of the first.",
             lambda d: d.links[3].doc.update(id=d.links[0].doc["id"]), "cycle", 3, depth=4,
             twin="four-links"),
    rejected("id-of-the-parent", "The last link has the id of its parent.",
             lambda d: d.links[2].doc.update(id=d.links[1].doc["id"]), "cycle", 2, **LAST),
]  # fmt: skip

SIGNED = [
    *(rejected(f"signed-by-a-stranger-{index}", "The link is in its issuer's name, by another "
               "key; every signature is checked, not only the leaf's.", signer(index, "mallory"),
               "proof", index, importance="critical", origin="CVE-2025-55241", **LAST)
      for index in range(3)),
    *(rejected(f"signature-wrong-{index}", "64 bytes, none of them the signature.",
               signature_wrong(index), "proof", index,
               importance="critical", origin="CVE-2025-55241", **LAST) for index in range(3)),
    rejected("signed-by-its-subject", "The last link is signed by who receives it.",
             signer(2, "dbquery"), "proof", 2, importance="critical", **LAST),
    rejected("signed-by-the-grandparent", "The last link is signed by research, above its issuer.",
             signer(2, "research"), "proof", 2, **LAST),
    rejected("signed-by-the-organisation", "The anchor's key signs in an agent's name.",
             signer(2, "org"), "proof", 2, **LAST),
    rejected("signature-of-another-link", "The first link's signature on the last.",
             proof_of(0, 2), "proof", 2, **LAST),
    rejected("method-of-another", "The middle link names the key of another DID.", other_method,
             "did-key-mismatch", 1, origin="CVE-2024-42350", **LAST),
    rejected("method-and-key-of-another", "Another's key, and the proof says so.",
             both(signer(1, "mallory"), other_method), "did-key-mismatch", 1,
             importance="critical", origin="CVE-2024-41949", **LAST),
    rejected("content-changed", "One limit of the leaf is raised after it was signed.",
             signed(2, "credentialSubject", "delegation", "constraints",
                    value={"rows": {"max": 501}}), "proof", 2, importance="critical", **LAST),
    rejected("root-widened", "The first link is given a grant more after Ana signed it, and the "
             "rest is signed on top of that.", widened_root, "proof", 0, importance="critical",
             **LAST),
]  # fmt: skip

CASES = [
    *group("link", HONEST, ORDER, ISSUER, PARENTS, CYCLES, spec="DESIGN 4: linkage"),
    *group("link", SIGNED, spec="DESIGN 6: keys and signatures"),
]
