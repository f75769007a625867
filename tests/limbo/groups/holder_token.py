"""The invocation as a token: its claims, its header, its three parts, and what stands beside it."""

from __future__ import annotations

from typing import Any

from altered import with_jwk
from delegant.credentials.codec import b64u_encode
from draft import Draft
from limbo.crafts import retoken
from limbo.forge import Alter, presented
from limbo.groups.holder import HONEST, WORST, claims, header, token
from limbo.rows import accepted, group, malformed, undecided

CLAIMS = [
    *(malformed(f"{name}-absent", f"{name} is required.", claims(**{name: ...}), "shape",
                importance="critical", **HONEST)
      for name in ("iss", "aud", "iat", "exp", "jti", "chain", "request")),
    *(malformed(f"{name}-null", f"{name} is null.", claims(**{name: None}), "shape", **HONEST)
      for name in ("iss", "aud", "iat", "exp", "jti", "chain", "request")),
    *(malformed(f"{name}-{word}", f"{name} is {how}.", claims(**{name: value}), "shape", **HONEST)
      for name in ("iat", "exp")
      for word, how, value in (
          ("text", "a text", "1790000000"), ("instant", "an instant", "2026-09-21T14:13:20Z"),
          ("true", "true", True), ("fraction", "a fraction", 1790000000.5),
          ("list", "a list", [1790000000]))),
    *(malformed(f"iss-{word}", f"iss is {how}.", claims(iss=value), "shape", **HONEST)
      for word, how, value in (
          ("with-fragment", "a DID URL", "did:key:z6Mk#z6Mk"), ("name", "a name", "retrieval"),
          ("list", "a list", ["did:key:z6Mk"]), ("object", "an object", {"id": "did:key:z6Mk"}),
          ("address", "an address", "https://agents.example"))),
    *(malformed(f"jti-{word}", f"jti is {how}.", claims(jti=value), "shape", **HONEST)
      for word, how, value in (
          ("empty", "empty", ""), ("number", "a number", 1), ("too-long", "129 letters", "j" * 129),
          ("newline", "two lines", "j\n1"), ("list", "a list", ["j-1"]))),
    accepted("jti-longest", "jti has 128 letters.", claims(jti="j" * 128)),
    *(malformed(f"with-{name}", f"A claim {name} that nobody knows, and that may mean something.",
                claims(**{name: value}), "unknown-member", **HONEST)
      for name, value in (
          ("sub", "did:key:z6Mk"), ("nbf", 0), ("scope", "db.*"), ("act", {"sub": "did:key:z6Mk"}),
          ("cnf", {"jkt": "x"}), ("azp", "db"), ("htm", "GET"), ("vp", {}),
          ("grants", []))),
]  # fmt: skip

HEADERS = [
    accepted("alg-ed25519", "Ed25519 is the newer name of the same (RFC 9864).",
             header(alg="Ed25519")),
    *(undecided(f"alg-{name}", f"{alg}: an algorithm this verifier does not take.",
                header(alg=alg), "suite", importance="critical", origin=origin, **HONEST)
      for name, alg, origin in (
          ("none", "none", "RFC 8725, 2.1"), ("none-with-a-capital", "None", "CVE-2015-9235"),
          ("hs256", "HS256", "CVE-2016-5431"),
          ("es256", "ES256", "RFC 8725, 3.1"), ("es256k", "ES256K", ""), ("ed448", "Ed448", ""),
          ("eddsa-lower-case", "eddsa", "RFC 7515, 4.1.1"), ("dir", "dir", ""))),
    *(malformed(f"header-with-{name}", f"A header with {name}.",
                header(**{name: value}), "unknown-member", importance="critical", origin=origin,
                **HONEST)
      for name, value, origin in (
          ("jwk", {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, "CVE-2018-0114"),
          ("jku", "https://evil.example/jwks", "RFC 8725, 2.8"),
          ("x5u", "https://evil.example/x5u", "RFC 8725, 2.8"), ("x5c", ["AA"], ""),
          ("crit", ["exp"], "RFC 7515, 4.1.11"), ("b64", False, "RFC 7797"),
          ("cty", "JWT", ""), ("enc", "A256GCM", ""))),
    malformed("header-jwk-inserted", "A key put into the header after signing.",
              lambda d: setattr(d, "invocation_after", with_jwk), "unknown-member",
              origin="CVE-2018-0114", **WORST),
    *(malformed(f"{name}-absent", f"A header without {name}.", header(**{name: ...}), "shape",
                **HONEST) for name in ("alg", "typ", "kid")),
    *(malformed(f"typ-{name}", f"A header whose typ is {value!r}: another kind of token.",
                header(typ=value), "shape", importance="critical", origin="RFC 8725, 3.11",
                **HONEST)
      for name, value in (
          ("link", "vc+jwt"), ("jwt", "JWT"), ("proof-of-possession", "dpop+jwt"),
          ("access-token", "at+jwt"), ("capitals", "AGENT-INVOCATION+JWT"),
          ("media-type", "application/agent-invocation+jwt"), ("empty", ""), ("null", None),
          ("list", ["agent-invocation+jwt"]))),
    *(malformed(f"{name}-{word}", f"A header whose {name} is {word}.", header(**{name: value}),
                "shape", **HONEST)
      for name in ("alg", "kid") for word, value in (("null", None), ("list", ["EdDSA"]),
                                                     ("empty", ""))),
]  # fmt: skip


def part(index: int, value: str) -> Alter:
    """One of the token's three parts replaced."""

    def edit(raw: str) -> str:
        parts = raw.split(".")
        parts[index] = value
        return ".".join(parts)

    return lambda d: setattr(d, "invocation_after", edit)


def text(change: Any) -> Alter:
    return lambda d: setattr(d, "invocation_after", change)


def leaf_as_invocation(d: Draft) -> None:
    """The leaf, a vc+jwt, once more as the invocation."""
    d.links[1].form = "jwt"
    d.invocation_after = lambda _: d.links[1].sign()


def invocation_as_link(d: Draft) -> None:
    d.last = lambda bundle: (
        bundle["presentation"]["links"].append(bundle["presentation"]["invocation"]) or bundle
    )


def serialised(raw: str) -> dict[str, Any]:
    head, body, proof = raw.split(".")
    return {"payload": body, "signatures": [{"protected": head, "signature": proof}]}


TOKENS = [
    malformed("token-null", "null in place of the invocation.", token(None), "shape", **HONEST),
    malformed("token-list", "A list of invocations.", text(lambda raw: [raw]), "shape", **HONEST),
    malformed("token-object", "The invocation in the JSON serialisation.", text(serialised),
              "shape", **HONEST),
    malformed("token-number", "A number.", token(7), "shape", **HONEST),
    malformed("token-empty", "An empty text.", token(""), "encoding", **HONEST),
    malformed("token-unsigned", "Two parts.", text(lambda raw: raw.rpartition(".")[0]),
              "encoding", **WORST),
    malformed("token-of-four-parts", "Four parts.", text(lambda raw: raw + ".x"), "encoding",
              **HONEST),
    malformed("token-of-five-parts", "Five parts: an encrypted one.",
              text(lambda raw: raw + ".x.y"), "encoding", **HONEST),
    malformed("token-detached", "The payload is left out (detached).", part(1, ""), "json",
              origin="RFC 7515, F", **HONEST),
    malformed("token-payload-no-json", "The payload is no JSON.", part(1, b64u_encode(b"x")),
              "json", **HONEST),
    malformed("token-payload-list", "The payload is a list.", part(1, b64u_encode(b"[]")),
              "shape", **HONEST),
    malformed("token-header-empty", "The header is empty.", part(0, ""), "json", **HONEST),
    malformed("token-padded", "The signature is padded.", text(lambda raw: raw + "=="),
              "encoding", **HONEST),
    malformed("token-newline", "A newline behind.", text(lambda raw: raw + "\n"), "encoding",
              **HONEST),
    malformed("token-bearer", "The word Bearer ahead.", text(lambda raw: "Bearer " + raw),
              "encoding", **HONEST),
    malformed("token-claim-twice", "A claim stands twice.",
              retoken("invocation", body=lambda b: b[:-1] + b',"jti":"j-2"}'),
              "duplicate-member", **WORST),
    malformed("link-as-invocation", "The leaf itself as the invocation.", leaf_as_invocation,
              "shape", twin="chain-as-jwt", features=("vc+jwt",), importance="critical"),
    malformed("invocation-as-link", "The invocation as one link more.", invocation_as_link,
              "context", 2, **WORST),
    malformed("invocation-in-the-leaf", "The invocation inside the leaf, not beside it.",
              lambda d: d.links[1].doc.update(invocation="x.y.z"), "unknown-member", 1, **HONEST),
    *(malformed(f"presentation-with-{name}", f"A presentation with {name}.",
                presented(name, value=value), "unknown-member", **HONEST)
      for name, value in (("holder", "did:key:z6Mk"), ("proof", {}), ("type", ["x"]),
                          ("request", {}), ("trust", {}), ("evidence", {}), ("at", 0))),
    malformed("presentation-without-links", "An invocation alone.",
              lambda d: setattr(d, "last", lambda b: b["presentation"].pop("links") and b),
              "shape", **HONEST),
    *(malformed(f"approvals-{name}", f"Approvals {how}.", presented("approvals", value=value),
                code, **HONEST)
      for name, how, value, code in (
          ("none", "that are an empty list", [], "empty-array"),
          ("text", "that are a text", "x.y.z", "shape"),
          ("no-tokens", "that are no tokens", ["yes"], "shape"),
          ("null-inside", "that are null", [None], "shape"),
          ("of-two-parts", "of two parts", ["x.y"], "shape"),
          ("true", "that are true", True, "shape"))),
]  # fmt: skip

CASES = group("holder", CLAIMS, HEADERS, TOKENS, spec="DESIGN: invocation, request, bundle")
