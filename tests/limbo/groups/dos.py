"""Costs: what must be answered quickly, and with how few signature checks, however hostile."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from altered import block, constrained, doc
from delegant.credentials import CODES
from delegant.credentials.status import encode
from draft import Doc, Draft, list_doc
from limbo.crafts import after, chain, finished, limits, long_chain, member, padded
from limbo.forge import Alter, Case, presented, rewrite
from limbo.groups.happy import rename_org

TWO = "happy::honest::two-links"


def no(name: str, description: str, alter: Alter, code: str, link: int | None = None,
       **more: Any) -> Case:  # fmt: skip
    """A refused case."""
    own: dict[str, Any] = {"twin": TWO, "spec": "DESIGN: limits", "at_most": 0,
                           "state": CODES[code].cls.state}  # fmt: skip
    return Case(f"dos::{name}", description, alter, code=code, link=link, **(own | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    own: dict[str, Any] = {"spec": "DESIGN: limits", "importance": "medium"}
    return Case(f"dos::{name}", description, alter, **(own | more))


# --- signatures ----------------------------------------------------------------------------


def _forged_root(d: Draft) -> None:
    long_chain(10)(d)
    d.links[0].signer = d.key("mallory")


def _many_keys(d: Draft) -> None:
    """Eight keys are pinned for the organisation, the right one last."""
    rename_org(d, "did:web:acme.example", *(f"old-{n}" for n in range(7)), "org")


def _lists(number: int) -> Alter:
    """The same status list again and again."""
    return lambda d: d.lists.extend(d.lists[0] for _ in range(number - 1))


def ancestors(number: int, *, loop: bool = False) -> Alter:
    """The last agent was made by an agent, which was made by an agent, so many times."""

    def alter(d: Draft) -> None:
        for link in d.links:
            link.subject["redelegation"]["spawn"] = True
        child = d.identities[-1]
        for at in range(number):
            name = f"ancestor-{at}"
            parent = Doc(copy.deepcopy(child.doc), child.signer)
            parent.doc["credentialSubject"]["id"] = d.did(name)
            parent.doc["id"] = d.world.id(name)
            parent.subject["spawn"] = True
            _made_by(d, child, name)
            d.identities.append(parent)
            child = parent
        if loop:
            _made_by(d, child, "ancestor-0")

    return alter


def _made_by(d: Draft, child: Doc, name: str) -> None:
    child.doc["issuer"] = d.did(name)
    child.signer = d.key(name)
    child.subject.update(identityModel="child", parent=d.did(name))


SIGNATURES = [
    yes("signatures::chain-at-budget", "Ten links and an invocation; eleven checks are allowed.",
        chain(long_chain(10), limits(chainSignatures=11)), depth=1, at_most=23),
    no("signatures::chain-over-budget", "Ten links and an invocation; ten checks are allowed.",
       chain(long_chain(10), limits(chainSignatures=10)), "limit-signatures", at_most=22, depth=1,
       twin="dos::signatures::chain-at-budget"),
    no("signatures::links-over-budget", "Ten links, and nine checks are allowed.",
       chain(long_chain(10), limits(chainSignatures=9)), "limit-signatures", 9, at_most=9,
       depth=1, twin="dos::signatures::chain-at-budget"),
    yes("signatures::evidence-at-budget", "A sponsor credential, two identities and a list; four "
        "checks are allowed.", limits(evidenceSignatures=4), at_most=7),
    no("signatures::evidence-over-budget", "A sponsor credential, two identities and a list; "
       "three checks are allowed.", limits(evidenceSignatures=3), "limit-signatures", 0,
       at_most=5, twin="dos::signatures::evidence-at-budget"),
    no("signatures::forged-root", "Ten links, the first signed by a stranger: one check, and the "
       "nine behind it cost nothing.", _forged_root, "proof", 0, at_most=1, depth=1,
       twin="happy::long::10-links"),
    yes("signatures::eight-keys", "Eight keys are pinned for the organisation, the right one "
        "last.", _many_keys, at_most=14, features=("did:web",)),
    yes("signatures::lists-at-budget", "The same status list 45 times: 48 checks of evidence.",
        _lists(45), at_most=51),
    no("signatures::lists-over-budget", "The same status list 46 times: 49 checks of evidence.",
       _lists(46), "limit-signatures", 0, at_most=50, twin="dos::signatures::lists-at-budget"),
    yes("signatures::ancestors-at-budget", "The last agent has four agents as ancestors; eight "
        "checks of evidence.", chain(ancestors(4), limits(evidenceSignatures=8)), at_most=11),
    no("signatures::ancestors-over-budget", "The last agent has five agents as ancestors; nine "
       "checks of evidence, and eight are allowed.", chain(ancestors(5), limits(
           evidenceSignatures=8)), "limit-signatures", 0, at_most=10,
       twin="dos::signatures::ancestors-at-budget"),
    no("signatures::ancestors-in-a-ring", "The last agent's ancestors made each other.",
       ancestors(4, loop=True), "delegate-not-allowed", 1, at_most=4,
       twin="dos::signatures::ancestors-at-budget"),
    yes("links::32", "The longest chain a verifier's owner may allow: 32 links.",
        chain(long_chain(32), limits(links=32)), depth=1, at_most=67),
    no("links::33", "33 links, whatever the owner allows.", chain(limits(links=32), finished(
        lambda b: b["presentation"].update(links=b["presentation"]["links"] * 17))),
       "limit-links", twin="dos::links::32"),
    no("links::4000", "4,000 links of nothing.", presented("links", value=[None] * 4000),
       "limit-links"),
]  # fmt: skip

# --- bytes ---------------------------------------------------------------------------------


def _whole(data: bytes, group: str = "presentation") -> Alter:
    return rewrite(lambda _old: data, group)


MIB = 1024 * 1024
BYTES = [
    yes("bytes::presentation-at-limit", "A presentation of 262,144 bytes, mostly spaces.",
        rewrite(padded(256 * 1024))),
    no("bytes::presentation-over-limit", "A presentation of 262,145 bytes.",
       rewrite(padded(256 * 1024 + 1)), "limit-size", twin="dos::bytes::presentation-at-limit"),
    yes("bytes::evidence-at-limit", "Evidence of 1,048,576 bytes, mostly spaces.",
        rewrite(padded(MIB), "evidence")),
    no("bytes::evidence-over-limit", "Evidence of 1,048,577 bytes.",
       rewrite(padded(MIB + 1), "evidence"), "limit-size", twin="dos::bytes::evidence-at-limit"),
    *(no(f"bytes::{name}", f"A presentation of {words}.", _whole(data), code)
      for name, words, data, code in (
          ("brackets", "200,000 opening brackets", b"[" * 200_000, "limit-depth"),
          ("nested-objects", "40,000 objects inside each other", b'{"a":' * 40_000,
           "limit-depth"),
          ("closed-brackets", "100,000 lists inside each other, closed again",
           b"[" * 100_000 + b"]" * 100_000, "limit-depth"),
          ("items", "130,000 numbers in a list", b"[" + b"1," * 130_000 + b"1]",
           "limit-members"),
          ("commas", "a bracket and 260,000 commas", b"[" + b"," * 260_000, "limit-members"),
          ("empty-lists", "80,000 empty lists in a list", b"[" + b"[]," * 80_000 + b"[]]",
           "limit-members"),
          ("digits", "one number of 250,000 digits", b"1" * 250_000, "json"),
          ("negative-digits", "one number of 250,000 digits below zero", b"-" + b"1" * 250_000,
           "json"),
          ("fraction", "one number with 250,000 places", b"0." + b"1" * 250_000, "json"),
          ("exponent", "one number with an exponent of 100,000 digits", b"1e" + b"9" * 100_000,
           "json"),
          ("quotes", "260,001 quotes", b'"' * 260_001, "json"),
          ("backslashes", "a string of 250,001 backslashes", b'"' + b"\\" * 250_001 + b'"',
           "json"),
          ("escapes", "a string of 43,000 escapes that never ends", b'"' + b"\\u0061" * 43_000,
           "json"),
          ("text", "a string of 260,000 letters", b'"' + b"a" * 260_000 + b'"', "shape"),
          ("same-member", "an object with one member 4,001 times",
           b"{" + b'"a":1,' * 4000 + b'"a":1}', "duplicate-member"),
          ("zeros", "262,144 bytes of zero", bytes(256 * 1024), "json"),
      )),
    no("bytes::evidence-brackets", "Evidence of 1,000,000 opening brackets.",
       _whole(b"[" * 1_000_000, "evidence"), "limit-depth"),
    no("bytes::evidence-commas", "Evidence of a bracket and 1,000,000 commas.",
       _whole(b"[" + b"," * 1_000_000, "evidence"), "limit-members"),
    no("bytes::evidence-digits", "Evidence of one number of 1,000,000 digits.",
       _whole(b"1" * 1_000_000, "evidence"), "json", origin="CVE-2020-10735"),
    no("bytes::evidence-of-pairs", "Evidence of 500,000 lists of nothing, one after the other.",
       _whole(b"[]" * 500_000, "evidence"), "json"),
    no("bytes::token-of-letters", "An invocation of 250,000 letters.",
       presented("invocation", value="a" * 250_000), "limit-size"),
    no("bytes::token-of-dots", "An invocation of 8,000 dots.",
       presented("invocation", value="." * 8000), "encoding"),
    no("bytes::token-nested", "An invocation whose payload nests 2,000 lists.",
       presented("invocation", value="e30." + "W1tb" * 700 + ".AA"), "limit-depth"),
]  # fmt: skip

# --- texts with a costly reader ------------------------------------------------------------


def _proof_value(value: str) -> Alter:
    return after("link-1", member("proof", "proofValue", value=value))


def _resource(value: str) -> Alter:
    return block(1, "grants", 0, "resources", value=[value])


RESOURCES = {
    "host-of-hyphens": "https://" + "a-" * 1000 + "!/", "host-of-labels": "https://" + "a." * 1000,
    "path-of-slashes": "https://a.example" + "/" * 2000, "path-of-segments":
    "https://a.example" + "/a" * 1000 + "\\", "urn-of-colons": "urn:a" + ":" * 2000,
    "urn-of-parts": "urn:a" + ":a" * 1000 + "#", "stars": "urn:a:" + "*" * 2000,
    "stars-and-letters": "urn:a:" + "*a" * 1000, "percents": "https://a.example/" + "%" * 2000,
    "triplets": "https://a.example/" + "%E2%80%8B" * 220, "expanding":
    "https://a.example/" + "%EF%B7%BA" * 220, "port": "https://a.example:" + "9" * 2000 + "/",
    "too-long": "urn:a:" + "a" * 3000, "did-of-colons": "did:a" + ":a" * 1000 + ":",
}  # fmt: skip
TEXTS: dict[str, tuple[str, Alter, str]] = {
    "base58": ("a proof's value of 200,000 characters", _proof_value("z" + "2" * 200_000),
               "limit-size"),
    "base58-ones": ("a proof's value of 200,000 ones", _proof_value("z" + "1" * 200_000),
                    "limit-size"),
    "base58-at-limit": ("a proof's value of 128 characters", _proof_value("z" + "2" * 128),
                        "shape"),
    "did": ("an issuer of 100,000 characters", doc(1, "issuer", value="did:" + "a:" * 50_000),
            "shape"),
    "did-of-colons": ("an issuer that is nearly a DID of many parts",
                      doc(1, "issuer", value="did:a" + ":a" * 120 + "!"), "shape"),
    "action": ("an action that is nearly one of many parts",
               block(1, "grants", 0, "actions", value=["a." * 63 + "!"]), "shape"),
    "time": ("a time with 100,000 places", doc(1, "validUntil", value="2026-09-21T14:13:20."
             + "0" * 100_000 + "Z"), "shape"),
    "url": ("a status list's URL that is nearly one", doc(1, "credentialStatus", 0,
            "statusListCredential", value="https://" + "a." * 1000), "shape"),
    "index": ("a status index of 10,000 digits", doc(1, "credentialStatus", 0, "statusListIndex",
              value="9" * 10_000), "shape"),
    "id": ("an id of 100,000 characters", doc(1, "id", value="urn:uuid:" + "0" * 100_000),
           "shape"),
}  # fmt: skip
COSTLY = [
    *(no(f"text::resource-{name}", f"A granted resource that costs a careless reader much: "
         f"{name.replace('-', ' ')}.", _resource(value), "shape", 1)
      for name, value in RESOURCES.items()),
    *(no(f"text::{name}", f"A link with {words}.", alter, code, 1)
      for name, (words, alter, code) in TEXTS.items()),
]  # fmt: skip

# --- lists ---------------------------------------------------------------------------------


def grants(parent: int) -> Alter:
    """One grant of 256 pairs under so many grants of as many."""

    def alter(d: Draft) -> None:
        actions = ["db.read", *(f"a.x{n}" for n in range(15))]
        wide = ["urn:acme:papers:17", *(f"urn:p:x{n}" for n in range(15))]
        one = {"actions": actions, "resources": [*wide[:-1], "urn:p:**"]}
        others = [{"actions": [f"b{n}.x{m}" for m in range(16)],
                   "resources": [f"urn:q{n}:x{m}" for m in range(16)]}
                  for n in range(parent - 1)]  # fmt: skip
        narrow = {"actions": actions, "resources": wide}
        d.links[0].subject["grants"] = [*others, one]
        d.links[1].subject["grants"] = [narrow]

    return alter


def _set(name: str, number: int, spell: Callable[[int], Any]) -> Alter:
    return constrained(1, name, [spell(n) for n in range(number)])


def _narrowing(d: Draft) -> None:
    """Every link's one grant lies strictly inside the one above."""
    papers = "urn:acme:papers:**"
    for link, action, resource in zip(
        d.links, ("db.*", "db.read", "db.read"), (papers, papers, "urn:acme:papers:17"), strict=True
    ):
        link.subject["grants"] = [{"actions": [action], "resources": [resource]}]


def _columns(number: int) -> Alter:
    return chain(_set("columns", number, lambda n: f"c{n}"),
                 lambda d: d.request.update(columns=["c0"]))  # fmt: skip


def _networks(d: Draft) -> None:
    for link in d.links:
        link.subject.setdefault("constraints", {})["network"] = [
            f"10.0.{n}.0/24" for n in range(64)
        ]
    d.request["network"] = "10.0.63.1"


def _approvals(number: int) -> Alter:
    return finished(lambda b: b["presentation"].update(approvals=[
        b["presentation"]["invocation"][:20] + f".{n}." for n in range(number)]))  # fmt: skip


def _documents(number: int) -> Alter:
    return finished(lambda b: b["evidence"].update(documents=[{}] * number))


def _items(name: str, number: int, what: str) -> Any:
    return block(1, "grants", 0, name, value=[f"{what}{n}" for n in range(number)])


LISTS = [
    yes("lists::comparisons-at-budget", "256 pairs under eight grants of 16 and 16: 65,536 "
        "comparisons.", grants(8)),
    no("lists::comparisons-over-budget", "256 pairs under nine grants: 73,728 comparisons.",
       grants(9), "limit-comparisons", 1, twin="dos::lists::comparisons-at-budget"),
    yes("lists::comparisons-of-all-links", "Two narrowing links take two comparisons each, and "
        "four are allowed.", chain(_narrowing, limits(comparisons=4)), depth=3),
    no("lists::comparisons-over-in-the-third", "Two narrowing links take two comparisons each, "
       "and three are allowed: the budget is one for all.",
       chain(_narrowing, limits(comparisons=3)), "limit-comparisons", 2, depth=3,
       twin="dos::lists::comparisons-of-all-links"),
    yes("lists::columns-at-limit", "A constraint of 64 columns.", _columns(64)),
    no("lists::columns-over-limit", "A constraint of 65 columns.", _columns(65), "limit-items", 1,
       twin="dos::lists::columns-at-limit"),
    yes("lists::networks-at-limit", "64 prefixes under 64 prefixes.", _networks),
    no("lists::arguments-over-limit", "A constraint on 65 arguments.", lambda d: d.constrain(
        1, "arguments", {f"a{n}": {"eq": n} for n in range(65)}), "shape", 1),
    no("lists::grants-over-limit", "33 grants in one link.", block(1, "grants", value=[
        {"actions": ["db.read"], "resources": [f"urn:acme:papers:{n}"]} for n in range(33)]),
       "limit-items", 1),
    no("lists::actions-over-limit", "17 actions in one grant.", _items("actions", 17, "db.a"),
       "limit-items", 1),
    no("lists::resources-over-limit", "17 resources in one grant.",
       _items("resources", 17, "urn:acme:papers:"), "limit-items", 1),
    no("lists::organisations-over-limit", "65 organisations a link names.", block(
        1, "redelegation", "to", value=[f"did:web:o{n}.example" for n in range(65)]),
       "limit-items", 1),
    no("lists::status-entries-over-limit", "65 status entries.", doc(
        1, "credentialStatus", value=[{}] * 65), "limit-items", 1),
    yes("lists::approvals-at-limit", "64 approvals nobody asked for.", _approvals(64)),
    no("lists::approvals-over-limit", "65 approvals.", _approvals(65), "limit-items",
       twin="dos::lists::approvals-at-limit"),
    yes("lists::documents-at-limit", "512 DID documents nobody needs.", _documents(512)),
    no("lists::documents-over-limit", "513 DID documents.", _documents(513), "limit-items",
       twin="dos::lists::documents-at-limit"),
]  # fmt: skip

# --- status lists that swell ---------------------------------------------------------------


def _bits(size: int) -> Alter:
    """The honest list, lengthened with zeros to so many bytes."""

    def alter(d: Draft) -> None:
        d.lists = [list_doc(d.world)]
        d.lists[0].doc["credentialSubject"]["encodedList"] = encode(bytes(size))

    return alter


def _versions(number: int) -> Alter:
    """So many versions of the list, each as large as one may be."""

    def alter(d: Draft) -> None:
        _bits(MIB)(d)
        d.lists = d.lists * number

    return alter


BOMBS = [
    yes("bomb::four-lists", "Four status lists of 1,048,576 bytes each.", _versions(4)),
    no("bomb::five-lists", "Five status lists of 1,048,576 bytes each.", _versions(5),
       "limit-size", 0, twin="dos::bomb::four-lists", at_most=10),
    no("bomb::forty-lists", "Forty status lists of 1,048,576 bytes each.", _versions(40),
       "limit-size", 0, twin="dos::bomb::four-lists", at_most=45),
    yes("bomb::list-at-limit", "A status list of 1,048,576 bytes, compressed to 1,000.",
        _bits(MIB)),
    no("bomb::list-of-16-mib", "A status list of 16 MiB, compressed to 16,000 bytes.",
       _bits(16 * MIB), "limit-size", 0, twin="dos::bomb::list-at-limit", at_most=6),
]  # fmt: skip

CASES: list[Case] = [*SIGNATURES, *BYTES, *COSTLY, *LISTS, *BOMBS]
