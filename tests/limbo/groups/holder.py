"""The invocation: who signed, for whom, over which chain and which request."""

from __future__ import annotations

from typing import Any

from altered import both, claim, do, older_copy, resign
from delegant.credentials import Request, canonical, digest
from delegant.credentials.envelope import unpack
from draft import Draft
from limbo.crafts import flip, forms, members, retoken, signature
from limbo.forge import Alter, presented
from limbo.rows import accepted, group, malformed, rejected

HONEST: dict[str, Any] = {"twin": "honest"}
WORST: dict[str, Any] = {"twin": "honest", "importance": "critical"}


def claims(**values: Any) -> Alter:
    """Claims of the invocation, rightly signed; ``...`` leaves one out."""
    return retoken("invocation", body=members(**values))


def header(**values: Any) -> Alter:
    """Members of the invocation's header, rightly signed; ``...`` leaves one out."""
    return retoken("invocation", head=members(**values))


def by(name: str, iss: str | None = None) -> Alter:
    """Signed with somebody's key, in somebody's name (their own, if nobody's)."""

    def alter(d: Draft) -> None:
        d.claims["iss"] = d.did(iss or name)
        d.holder = d.key(name)

    return alter


def kid(name: str, own: str) -> Alter:
    """The ``kid`` made of these two DIDs' names."""
    return lambda d: d.header.update(kid=f"{d.did(name)}#{d.did(own)[8:]}")


def iss_only(name: str) -> Alter:
    """Another's name in ``iss``; key and kid are the holder's."""
    return both(kid("retrieval", "retrieval"), lambda d: d.claims.update(iss=d.did(name)))


def token(value: Any) -> Alter:
    """Something else in place of the invocation."""
    return presented("invocation", value=value)


# --- who -----------------------------------------------------------------------------------

WHO = [
    accepted("honest", "The last subject signs, for this verifier, over this chain."),
    rejected("absent", "A chain is shown and nothing signed: a stolen chain is no authority.",
             do(invoked=False), "holder-missing", **WORST),
    *(rejected(f"signed-by-{name}", f"The invocation is by {who}, in their own name.", by(name),
               "holder-mismatch", **WORST)
      for name, who in (
          ("research", "the agent above"), ("ana", "the human at the root"),
          ("mallory", "a stranger"), ("dbquery", "an agent below, who is not in this chain"),
          ("org", "the organisation"), ("status-authority", "the status authority"),
          ("db", "the verifier itself"))),
    *(rejected(f"signed-for-the-holder-by-{name}", f"The holder's name, {who} key.",
               by(name, "retrieval"), "holder-mismatch", **WORST)
      for name, who in (("research", "the key of the agent above"), ("ana", "the human's"),
                        ("mallory", "a stranger's"))),
    rejected("signed-in-anothers-name", "The holder's key, another's name.",
             by("retrieval", "research"), "holder-mismatch", **HONEST),
    *(rejected(f"iss-of-{name}", f"The holder's key and kid, and {who} in iss.",
               iss_only(name), "holder-mismatch", **WORST)
      for name, who in (("research", "the agent above"), ("ana", "the human"),
                        ("mallory", "a stranger"))),
    rejected("absent-of-one", "One link, and no invocation.", do(invoked=False),
             "holder-missing", depth=1, twin="honest-of-one", importance="critical"),
    accepted("honest-of-one", "One link, invoked.", depth=1),
    rejected("absent-of-three", "Three links, and no invocation.", do(invoked=False),
             "holder-missing", depth=3, twin="honest-of-three", importance="critical"),
    accepted("honest-of-three", "Three links, invoked.", depth=3),
    rejected("kid-of-another", "The kid is another's, the signature the holder's.",
             kid("mallory", "mallory"), "holder-mismatch", **HONEST),
    rejected("kid-with-anothers-fragment", "The holder's DID with another's fragment.",
             kid("retrieval", "mallory"), "holder-mismatch", origin="CVE-2024-42350", **HONEST),
    rejected("kid-with-the-holders-fragment", "Another's DID with the holder's fragment.",
             kid("mallory", "retrieval"), "holder-mismatch", origin="CVE-2024-42350", **HONEST),
    rejected("kid-without-fragment", "The kid is the DID itself.",
             lambda d: d.header.update(kid=d.did("retrieval")), "holder-mismatch", **HONEST),
    rejected("kid-only-fragment", "The kid is a relative reference.",
             lambda d: d.header.update(kid="#" + d.did("retrieval")[8:]), "holder-mismatch",
             **HONEST),
    rejected("kid-a-path", "The kid leads to a file (path traversal).",
             header(kid="../../dev/null"), "holder-mismatch", origin="RFC 8725, 3.10",
             **HONEST),
    rejected("kid-an-address", "The kid leads to the attacker's key set.",
             header(kid="https://evil.example/jwks#k"), "holder-mismatch", **HONEST),
    rejected("signature-flipped", "One bit of the signature is turned.",
             lambda d: setattr(d, "invocation_after", signature(flip(7))), "holder-mismatch",
             **WORST),
    rejected("signature-of-zeros", "64 bytes of zero.",
             lambda d: setattr(d, "invocation_after", signature(lambda _: bytes(64))),
             "holder-mismatch", origin="CVE-2022-21449", **WORST),
    malformed("signature-cut", "63 bytes.",
              lambda d: setattr(d, "invocation_after", signature(lambda s: s[:-1])), "shape",
              **HONEST),
    malformed("signature-empty", "No signature behind the second dot.",
              lambda d: setattr(d, "invocation_after", signature(lambda _: b"")), "shape",
              origin="RFC 8725, 2.1", **WORST),
    malformed("signature-longer", "65 bytes.",
              lambda d: setattr(d, "invocation_after", signature(lambda s: s + b"\0")), "shape",
              **HONEST),
]  # fmt: skip

# --- for whom, and in answer to what -------------------------------------------------------


def asked(nonce: str | None, answered: Any = None) -> Alter:
    """The verifier asked for a nonce, and this is the one it got."""

    def alter(d: Draft) -> None:
        d.nonce = nonce
        if answered is not None:
            d.claims["nonce"] = answered

    return alter


def audience(name: Any) -> Alter:
    return lambda d: d.claims.update(aud=name(d) if callable(name) else d.did(name))


AUDIENCES = [
    *(rejected(f"audience-{name}", f"Meant for {who}.", audience(name), "audience", **WORST)
      for name, who in (("mallory", "a stranger, who passes it on"), ("org", "the organisation"),
                        ("retrieval", "the holder itself"), ("ana", "the human"))),
    rejected("audience-lower-case", "The verifier's DID in lower case is another.",
             audience(lambda d: d.parties["db"].did.lower()), "audience", **HONEST),
    rejected("audience-longer", "A DID that begins like the verifier's.",
             audience(lambda d: d.parties["db"].did + ":x"), "audience", **HONEST),
    *(malformed(f"audience-{name}", f"aud {how}: it is one DID.", audience(value), "shape",
                **HONEST)
      for name, how, value in (
          ("list-of-two", "is two", lambda d: [d.parties["db"].did, d.did("mallory")]),
          ("list-of-one", "is a list of the right one", lambda d: [d.parties["db"].did]),
          ("empty-list", "is an empty list", lambda d: []),
          ("with-fragment", "is a DID URL", lambda d: d.parties["db"].did + "#k"),
          ("an-address", "is a web address", lambda d: "https://db.acme.example"),
          ("a-star", "is a star", lambda d: "*"), ("empty", "is empty", lambda d: ""),
          ("a-number", "is a number", lambda d: 1),
          ("with-a-blank", "has a blank behind", lambda d: d.parties["db"].did + " "))),
    rejected("verifier-nameless", "The trust folder does not say who this verifier is.",
             lambda d: d.trust.pop("verifier"), "audience", **HONEST),
    accepted("nonce-answered", "The nonce that was asked for.", asked("n-1", "n-1")),
    accepted("nonce-unasked", "A nonce nobody asked for changes nothing.", asked(None, "n-1")),
    rejected("nonce-absent", "A nonce was asked for, and none came.", asked("n-1"), "nonce",
             importance="critical", twin="nonce-answered"),
    rejected("nonce-other", "Another nonce: an answer to an earlier question.",
             asked("n-2", "n-1"), "nonce", importance="critical", twin="nonce-answered"),
    rejected("nonce-capital", "Compared letter by letter.", asked("n-1", "N-1"), "nonce",
             twin="nonce-answered"),
    rejected("nonce-longer", "It begins like the one asked for.", asked("n-1", "n-12"), "nonce",
             twin="nonce-answered"),
    accepted("nonce-longest", "128 characters.", asked("n" * 128, "n" * 128)),
    *(malformed(f"nonce-{name}", f"The nonce {how}.", asked("n-1", value), "shape",
                twin="nonce-answered")
      for name, how, value in (
          ("too-long", "has 129 characters", "n" * 129), ("empty", "is empty", ""),
          ("number", "is a number", 1), ("list", "is a list that holds it", ["n-1"]),
          ("newline", "has a newline", "n-1\n"), ("true", "is true", True))),
    malformed("nonce-null", "The nonce is null.", both(asked(None), claims(nonce=None)), "shape",
              twin="nonce-answered"),
]  # fmt: skip

# --- over which chain and request ----------------------------------------------------------


def over(found: Any) -> Alter:
    """The digest of something else as the chain."""
    return lambda d: d.claims.update(chain=found(d))


def first_link(d: Draft) -> str:
    return unpack(d.links[0].sign()).digest


def sibling(d: Draft) -> str:
    """Another grant to the same holder, under the same parent."""
    other = older_copy(d.links[1], d.links[1].signer)
    other.doc["id"] = d.world.id("sibling")
    return unpack(other.sign()).digest


def unsigned_leaf(d: Draft) -> str:
    raw = d.links[1].sign()
    return digest(canonical({k: v for k, v in raw.items() if k != "proof"}))


def other_form(d: Draft) -> None:
    """The chain is shown with its leaf in the other form than was signed for."""
    resign(d)
    d.claims["chain"] = unpack(d.links[1].sign()).digest
    d.links[1].form = "jwt"


def leaf_dropped(d: Draft) -> None:
    d.claims["chain"] = unpack(d.links[1].sign()).digest
    del d.links[1]


def requested(change: dict[str, Any]) -> Alter:
    """The request that was signed, and then this changed in what is done; ``...`` removes."""

    def alter(d: Draft) -> None:
        d.signed_request = dict(d.request)
        for name, value in change.items():
            if value is ...:
                del d.request[name]
            else:
                d.request[name] = value

    return alter


def both_ways(fact: dict[str, Any]) -> Alter:
    """The fact in what is signed and in what is done."""
    return lambda d: d.request.update(fact)


FACTS: dict[str, tuple[Any, Any]] = {
    "purpose": ("review", "sales"),
    "task": ({"id": "T-1", "initiation": "schedule"}, {"id": "T-2", "initiation": "schedule"}),
    "arguments": ({"a": 1}, {"a": True}),
    "amount": ({"unit": "EUR:2", "value": "1"}, {"unit": "EUR:2", "value": "2"}),
    "bytes": (10, 11),
    "columns": (["title", "year"], ["year", "title"]),
    "dataClass": ("public", "internal"),
    "network": ("10.0.0.1", "10.0.0.2"),
    "method": ("GET", "POST"),
    "uri": ("https://db.acme.example/1", "https://db.acme.example/2"),
    "bodyDigest": (digest(b"1"), digest(b"2")),
}
"""Every fact of a request: what was signed, and what is done instead."""


def named(fact: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in fact)


CHAINS = [
    *(rejected(f"chain-of-{name}", f"The invocation is over {what}.", over(found),
               "holder-mismatch", **WORST)
      for name, what, found in (
          ("the-first-link", "the first link, as if no narrower one followed", first_link),
          ("a-sibling", "another grant to the same holder (spliced)", sibling),
          ("the-leaf-unsigned", "the leaf without its proof", unsigned_leaf),
          ("nothing", "the digest of nothing", lambda _: digest(b"")),
          ("the-request", "the request", lambda d: Request.from_json(d.request).digest))),
    rejected("chain-in-the-other-form", "The leaf is shown as vc+jwt, and was signed over as it "
             "was.", other_form, "holder-mismatch", twin="chain-as-jwt", features=("vc+jwt",)),
    accepted("chain-as-jwt", "The leaf as vc+jwt, and signed over so.", forms("link-1"),
             features=("vc+jwt",)),
    rejected("leaf-dropped", "Signed over the leaf, shown without it.",
             leaf_dropped, "holder-mismatch", **WORST),
    *(malformed(f"chain-{name}", f"chain is {how}.", claim(chain=value), "shape", **HONEST)
      for name, how, value in (
          ("in-hex", "in hex", "ab" * 32), ("list", "a list", [digest(b"")]),
          ("empty", "empty", ""), ("padded", "padded", digest(b"") + "="),
          ("base58", "in base58", "zQm" + "1" * 44), ("number", "a number", 7),
          ("cut", "cut by a letter", digest(b"")[:-1]))),
    *(malformed(f"request-{name}", f"request is {how}.", claim(request=value), "shape", **HONEST)
      for name, how, value in (
          ("itself", "the request itself", {"action": "db.read"}), ("in-hex", "in hex", "ab" * 32),
          ("empty", "empty", ""), ("list", "a list", [digest(b"")]))),
]  # fmt: skip


REQUESTS = [
    rejected("request-of-nothing", "The request signed for is the digest of nothing.",
             claim(request=digest(b"")), "request-mismatch", **WORST),
    rejected("request-not-canonical", "The digest is of the request with blanks in it.",
             lambda d: d.claims.update(request=digest(
                 b'{"action": "db.read", "resource": "urn:acme:papers:17", "rows": 3}')),
             "request-mismatch", **HONEST),
    rejected("other-resource-done", "One paper was signed for, and another is read.",
             requested({"resource": "urn:acme:papers:18"}), "request-mismatch", **WORST),
    rejected("other-action-done", "Reading was signed for, and writing is done (both granted).",
             requested({"action": "doc.write", "resource": "urn:acme:drafts:1"}),
             "request-mismatch", **WORST),
    rejected("more-rows-done", "Three rows were signed for, and four are read.",
             requested({"rows": 4}), "request-mismatch", **WORST),
    rejected("fewer-rows-done", "Three rows were signed for, and two are read.",
             requested({"rows": 2}), "request-mismatch", **HONEST),
    rejected("rows-unsaid", "Three rows were signed for, and how many are read is not said.",
             requested({"rows": ...}), "request-mismatch", **HONEST),
    *(accepted(f"{named(fact)}-signed", f"{fact} is in what was signed and in what is done.",
               both_ways({fact: one})) for fact, (one, _) in FACTS.items()),
    *(rejected(f"{named(fact)}-changed", f"Another {fact} is done than was signed for.",
               both(both_ways({fact: one}), requested({fact: other})), "request-mismatch",
               twin=f"{named(fact)}-signed", importance="critical")
      for fact, (one, other) in FACTS.items()),
    *(rejected(f"{named(fact)}-added", f"{fact} is in what is done, and was not signed.",
               requested({fact: one}), "request-mismatch", twin=f"{named(fact)}-signed")
      for fact, (one, _) in FACTS.items()),
    *(rejected(f"{named(fact)}-removed", f"{fact} was signed, and is not in what is done.",
               both(both_ways({fact: one}), requested({fact: ...})), "request-mismatch",
               twin=f"{named(fact)}-signed") for fact, (one, _) in FACTS.items()),
]  # fmt: skip

CASES = [
    *group("holder", WHO, AUDIENCES, CHAINS, spec="DESIGN 10: invocation"),
    *group("holder", REQUESTS, spec="DESIGN 11: request"),
]
