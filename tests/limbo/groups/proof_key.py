"""Signatures, continued: whose they are, and what tokens say about themselves."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from altered import both
from delegant.credentials import PrivateKey, canonical, did, proof
from delegant.credentials.codec import b64u_decode, b64u_encode
from delegant.credentials.shape import time
from draft import Draft
from limbo.crafts import (
    WEB,
    after,
    documents,
    finished,
    forms,
    member,
    members,
    retoken,
    subject,
    under,
)
from limbo.forge import Alter, Case
from limbo.groups.proof import JWT, bad, no, unknown, yes

# --- whose signature -----------------------------------------------------------------------


def signed_by(where: str, who: str) -> Alter:
    """Another key signs; everything still names the right one."""
    return lambda d: setattr(documents(d, where), "signer", d.key(who))


def _method(spell: Callable[[Draft], str]) -> Alter:
    return lambda d: after("link-1", member("proof", "verificationMethod", value=spell(d)))(d)


def _of(name: str) -> Callable[[Draft], str]:
    return lambda d: f"{d.did(name)}#{d.did(name)[8:]}"


def _issuer(d: Draft) -> str:
    return d.did("research")


METHODS: dict[str, tuple[str, Callable[[Draft], str]]] = {
    "stranger": ("a stranger's", _of("mallory")),
    "delegator": ("the delegator's delegator's", _of("ana")),
    "subject": ("the subject's own", _of("retrieval")),
    "fragment-of-another": ("the issuer's DID with a stranger's fragment",
                            lambda d: f"{_issuer(d)}#{d.did('mallory')[8:]}"),
    "did-of-another": ("a stranger's DID with the issuer's fragment",
                       lambda d: f"{d.did('mallory')}#{_issuer(d)[8:]}"),
    "no-fragment": ("the bare DID", _issuer),
    "empty-fragment": ("an empty fragment", lambda d: f"{_issuer(d)}#"),
    "key-0": ("a fragment by number", lambda d: f"{_issuer(d)}#0"),
    "query": ("the right one behind a query", lambda d: f"{_issuer(d)}?v=1#{_issuer(d)[8:]}"),
    "path": ("the right one behind a path", lambda d: f"{_issuer(d)}/k#{_issuer(d)[8:]}"),
    "fragment-alone": ("the fragment alone", lambda d: f"#{_issuer(d)[8:]}"),
    "two-fragments": ("the fragment twice", lambda d: f"{_issuer(d)}#{_issuer(d)[8:]}#x"),
    "case": ("the fragment in small letters", lambda d: f"{_issuer(d)}#{_issuer(d)[8:].lower()}"),
    "space-after": ("a space after it", lambda d: f"{_of('research')(d)} "),
    "as-jwk": ("the same key as did:jwk", lambda d: did.vm_of(
        did.from_key(d.key("research").public, "jwk"))),
    "url": ("a URL", lambda _d: "https://keys.example/1"),
}  # fmt: skip


def _kid(spell: Callable[[Draft], str]) -> Alter:
    return lambda d: retoken("link-1", members(kid=spell(d)))(d)


def _web_issuer(fragment: str) -> Alter:
    """Link 1 is issued by a did:web, under this verification method."""

    def alter(d: Draft) -> None:
        subject(0, WEB, d.key("research"), d.key("research").public.multikey)(d)
        under("link-1", lambda _d: fragment)(d)

    return alter


def _borrowed(d: Draft) -> None:
    """The proof of the first link on the second."""

    def change(bundle: dict[str, Any]) -> None:
        first, second = bundle["presentation"]["links"]
        second["proof"] = first["proof"]

    finished(change)(d)


def _own_method(where: str, who: str) -> Alter:
    """Another party signs and says so."""

    def alter(d: Draft) -> None:
        one = documents(d, where)
        one.signer = d.key(who)
        one.after = lambda raw: _resigned(raw, d.key(who), _of(who)(d))

    return alter


def _resigned(raw: Any, key: PrivateKey, method: str) -> Any:
    document = {k: v for k, v in raw.items() if k != "proof"}
    return proof.sign(document, key, method, time(raw["proof"]["created"], ""))


SIGNERS = [
    *(no(f"signer::link-{name}", f"The last link is signed by {words}, in the issuer's name.",
         signed_by("link-1", who), "proof", importance="critical")
      for name, words, who in (("stranger", "a stranger", "mallory"),
                               ("subject", "its own subject", "retrieval"),
                               ("sponsor", "the human, who could have", "ana"),
                               ("organisation", "the organisation", "org"),
                               ("verifier", "the verifier", "db"))),
    no("signer::root-stranger", "The first link is signed by a stranger in the human's name.",
       signed_by("link-0", "mallory"), "proof", 0, importance="critical"),
    no("signer::root-by-its-subject", "The first link is signed by its subject, in the human's "
       "name.", signed_by("link-0", "research"), "proof", 0, importance="critical"),
    no("signer::sponsor-by-human", "The human attests herself in the organisation's name.",
       signed_by("sponsor-0", "ana"), "proof", None, importance="critical"),
    no("signer::sponsor-by-authority", "The status authority attests the human.",
       signed_by("sponsor-0", "status-authority"), "proof", None, importance="critical"),
    no("signer::identity-by-agent", "The agent signs its own identity in the human's name.",
       signed_by("identity-1", "retrieval"), "proof", importance="critical"),
    no("signer::identity-by-organisation", "The organisation signs an identity in the human's "
       "name.", signed_by("identity-1", "org"), "proof"),
    no("signer::list-by-organisation", "The organisation signs the status authority's list.",
       signed_by("list-0", "org"), "proof", 0),
    no("signer::list-by-human", "The human signs the list her own credentials stand in.",
       signed_by("list-0", "ana"), "proof", 0, importance="critical"),
    no("signer::stranger-says-so", "A stranger signs the last link, under a method of its own.",
       _own_method("link-1", "mallory"), "did-key-mismatch", importance="critical"),
    no("signer::human-says-so", "The human signs her agent's link, under her own method.",
       _own_method("link-1", "ana"), "did-key-mismatch"),
    no("signer::proof-borrowed", "The last link carries the first link's proof.", _borrowed,
       "did-key-mismatch", importance="critical"),
    *(no(f"method::{name}", f"The proof names {words} verification method.", _method(spell),
         "did-key-mismatch", origin="CVE-2024-42350") for name, (words, spell) in METHODS.items()),
    yes("method::web-fragment", "A did:web issuer's method, its key pinned by the link above.",
        _web_issuer(f"{WEB}#key-1"), features=("did:web",)),
    *(no(f"method::web-{name}", f"A did:web issuer's proof names {method}.", _web_issuer(method),
         "did-key-mismatch", features=("did:web",), twin="proof::method::web-fragment")
      for name, method in {
          "other-domain": "did:web:evil.example#key-1", "longer-domain": f"{WEB}.evil#key-1",
          "sub-path": f"{WEB}:other#key-1", "no-fragment": WEB, "fragment-as-domain":
          f"did:web:evil.example#{WEB}#key-1", "prefix": f"{WEB[:-1]}#key-1",
      }.items()),
]  # fmt: skip

# --- what a token says of itself -----------------------------------------------------------


def _mac(hash_name: str) -> Callable[[Draft], Callable[[str], str]]:
    """A token under HMAC with the signer's public key as the secret."""

    def forged(d: Draft) -> Callable[[str], str]:
        def change(token: str) -> str:
            head, body, _ = token.split(".")
            alg = {"alg": "HS" + hash_name[3:]}
            first = b64u_encode(canonical(json.loads(b64u_decode(head)) | alg))
            secret = d.links[1].signer.public.raw
            made = hmac.new(secret, f"{first}.{body}".encode(), hash_name).digest()
            return f"{first}.{body}.{b64u_encode(made)}"

        return change

    return forged


def _link_mac(hash_name: str) -> Alter:
    return lambda d: after("link-1", _mac(hash_name)(d), "jwt")(d)


def _unsigned(token: str) -> str:
    head, body, _ = token.split(".")
    first = b64u_encode(canonical(json.loads(b64u_decode(head)) | {"alg": "none"}))
    return f"{first}.{body}."


ALGORITHMS = ("none", "None", "HS256", "HS512", "RS256", "PS256", "ES256", "ES256K", "Ed448",
              "EDDSA", "eddsa", "dir")  # fmt: skip
HEADERS: dict[str, Any] = {
    "jwk": {"crv": "Ed25519", "kty": "OKP", "x": "AAAA"}, "jku": "https://keys.example/jwks",
    "x5c": ["AAAA"], "x5u": "https://keys.example/cert", "crit": ["b64"], "b64": False, "zip":
    "DEF", "cty": "vc", "iss": "did:key:z6Mk", "nonce": "n-1",
}  # fmt: skip
TYPES = {"jwt": "JWT", "other": "vp+jwt", "old": "vc+ld+jwt", "capitals": "VC+JWT", "long":
         "application/vc+jwt", "invocation": "agent-invocation+jwt"}  # fmt: skip
CLAIMS: dict[str, Any] = {"iss": "did:key:z6Mk", "nbf": 1_790_000_000, "vc": {}, "jti": "j"}
OF_JWT: dict[str, Any] = {"features": ("vc+jwt",), "twin": JWT}


def _name(alg: str) -> str:
    capital = {"None": "none-capital", "EDDSA": "eddsa-capitals"}
    return capital.get(alg, alg.lower())


TOKENS = [
    *(unknown(f"alg::link-{_name(alg)}", f"A vc+jwt link says alg {alg}, rightly signed with "
              "EdDSA.", retoken("link-1", members(alg=alg)), importance="critical",
              origin="CVE-2015-9235", **OF_JWT) for alg in ALGORITHMS),
    *(unknown(f"alg::invocation-{_name(alg)}", f"The invocation says alg {alg}, rightly signed "
              "with EdDSA.", retoken("invocation", members(alg=alg)), link=None,
              importance="critical", origin="CVE-2015-9235")
      for alg in ("RS256", "EDDSA")),
    bad("alg::link-unsigned", "A vc+jwt link says alg none, and has no signature.",
        after("link-1", _unsigned, "jwt"), importance="critical", origin="CVE-2015-9235",
        **OF_JWT),
    bad("alg::invocation-unsigned", "The invocation says alg none, and has no signature.",
        after("invocation", _unsigned), link=None, importance="critical", origin="CVE-2015-9235"),
    bad("alg::link-hs256-by-public-key", "A vc+jwt link under HMAC-SHA-256, its secret the "
        "issuer's public key: 32 bytes of signature.", _link_mac("sha256"),
        importance="critical", origin="CVE-2016-10555", **OF_JWT),
    unknown("alg::link-hs512-by-public-key", "The same under HMAC-SHA-512: 64 bytes.",
            _link_mac("sha512"), importance="critical", origin="CVE-2016-10555", **OF_JWT),
    yes("alg::link-ed25519", "A vc+jwt link says alg Ed25519 (RFC 9864).",
        retoken("link-1", members(alg="Ed25519")), features=("vc+jwt",)),
    *(bad(f"header::link-{name}", f"A vc+jwt link's header has {name}.",
          retoken("link-1", members(**{name: value})), "unknown-member", importance="critical",
          origin="CVE-2018-0114", **OF_JWT) for name, value in HEADERS.items()),
    *(bad(f"header::invocation-{name}", f"The invocation's header has {name}.",
          retoken("invocation", members(**{name: value})), "unknown-member", None,
          importance="critical", origin="CVE-2018-0114")
      for name, value in HEADERS.items() if name in ("x5c", "x5u", "zip")),
    *(bad(f"header::link-without-{name}", f"A vc+jwt link's header lacks {name}.",
          retoken("link-1", members(**{name: ...})), **OF_JWT) for name in ("alg", "typ", "kid")),
    *(bad(f"header::link-{name}-{kind}", f"A vc+jwt link's {name} is {json.dumps(value)}.",
          retoken("link-1", members(**{name: value})), **OF_JWT)
      for name, kind, value in (("alg", "null", None), ("alg", "list", ["EdDSA"]),
                                ("kid", "null", None), ("kid", "number", 1))),
    *(bad(f"type::link-{name}", f"A vc+jwt link says typ {value}.",
          retoken("link-1", members(typ=value)), origin="RFC 8725, 3.11", **OF_JWT)
      for name, value in TYPES.items()),
    *(no(f"kid::link-{name}", f"A vc+jwt link's kid is {words} verification method.",
         _kid(spell),
         "did-key-mismatch", origin="CVE-2018-0114", **OF_JWT)
      for name, (words, spell) in METHODS.items() if name in ("stranger", "no-fragment",
         "fragment-of-another", "fragment-alone", "url")),
    no("kid::link-path", "A vc+jwt link's kid is a path on the verifier's disk.",
       retoken("link-1", members(kid="../../../../dev/null")), "did-key-mismatch",
       origin="CVE-2018-0114", **OF_JWT),
    no("kid::invocation-path", "The invocation's kid is a path.",
       retoken("invocation", members(kid="/dev/null")), "holder-mismatch", None),
    bad("member::proof-in-token", "A vc+jwt link whose payload carries a proof as well.",
        retoken("link-1", body=members(proof={})), **OF_JWT),
    *(bad(f"member::token-claim-{name}", f"A vc+jwt link whose payload has the claim {name}.",
          retoken("link-1", body=members(**{name: value})), "unknown-member", **OF_JWT)
      for name, value in CLAIMS.items()),
    no("signer::token-stranger", "A vc+jwt link signed by a stranger in the issuer's name.",
       both(forms("link-1"), signed_by("link-1", "mallory")), "proof", importance="critical",
       **OF_JWT),
]  # fmt: skip

# --- one thing passed off as another -------------------------------------------------------


def _identity_as_link(d: Draft) -> None:
    d.links[1] = d.identities[1]


def _link_as_identity(d: Draft) -> None:
    finished(lambda b: b["evidence"]["identities"].__setitem__(
        1, b["presentation"]["links"][1]))(d)  # fmt: skip


CONFUSED = [
    bad("type::identity-as-link", "An agent's identity stands in the place of a link.",
        _identity_as_link, origin="RFC 8725, 3.11"),
    bad("type::invocation-as-link", "The invocation stands in the place of the last link.",
        finished(lambda b: b["presentation"]["links"].__setitem__(
            1, b["presentation"]["invocation"])), "context", origin="RFC 8725, 3.11"),
    bad("type::link-as-identity", "A link stands in the place of an identity.",
        _link_as_identity, at_most=None, origin="RFC 8725, 3.11"),
]  # fmt: skip

CASES: list[Case] = [*SIGNERS, *TOKENS, *CONFUSED]
