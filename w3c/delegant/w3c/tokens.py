"""Securing Verifiable Credentials using JOSE: ``vc+jwt`` and ``vp+jwt``, compact only.

The key is found by ``kid``, the key chooses the algorithm, and the header's ``alg`` must agree;
whatever would bring a key or a rule along in the header is refused. A curve signature counts
with either of its two values of s: RFC 7518 asks for neither, half of what other libraries
write is high, and nothing here is ever known by the bytes of its token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import jose
from delegant.credentials.codec import (
    Json,
    JsonObject,
    b64u_encode,
    canonical,
)
from delegant.credentials.errors import error
from delegant.credentials.jose import Jws

from .dids import Resolve, key_for
from .keys import Key, Signer
from .values import id_of, types_of

__all__ = [
    "ALGORITHMS",
    "CLAIMS",
    "MAX_TOKEN",
    "TYPES",
    "Token",
    "check_claims",
    "check_header",
    "check_key",
    "compact",
    "open_token",
    "sign",
    "split",
]

MAX_TOKEN: Final = 256 * 1024
MAX_HEADER: Final = 8 * 1024
ALGORITHMS: Final = {
    "Ed25519": ("EdDSA", "Ed25519"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
}
"""By kind of key, the names of its one algorithm (RFC 7518, RFC 8037, RFC 9864)."""
TYPES: Final = {"vc+jwt": "vc", "vp+jwt": "vp", "vc+sd-jwt": "vc", "vp+sd-jwt": "vp"}
"""Media types of tokens, without ``application/``, and the ``cty`` that fits."""
CLAIMS: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf"})
"""Claims of the token (RFC 7519, 4.1, and the like): they are no part of the document."""
_CARRIERS: Final = ("crit", "b64", "jwk", "jku", "x5u", "x5c")
"""Header parameters that would bring along a key, or a rule to read by."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature holds.

    Attributes:
        document: the credential or presentation, without the token's claims.
        claims: those, as they were signed.
        typ: the media type, without ``application/``.
        method: its ``kid``.
        key: the key that signed.
        controller: whose key it is; empty where the caller vouched for the key.
    """

    document: JsonObject
    claims: JsonObject
    typ: str
    method: str
    key: Key
    controller: str


def compact(payload: JsonObject, signer: Signer, header: JsonObject) -> str:
    """The compact serialisation; ``alg`` is added, the payload is written in RFC 8785 form.

    Raises:
        Undecided: ``suite`` for a key that signs no token.
    """
    names = ALGORITHMS.get(signer.public.kind)
    if names is None:
        raise error("suite", f"no token is signed with {signer.public.kind}")
    head = canonical({"alg": names[0], **header})
    message = f"{b64u_encode(head)}.{b64u_encode(canonical(payload))}"
    return f"{message}.{b64u_encode(signer.sign(message.encode('ascii')))}"


def sign(document: JsonObject, signer: Signer, *, typ: str, kid: str) -> str:
    """A credential or presentation as ``vc+jwt`` or ``vp+jwt``: itself, and no claim added.

    Raises:
        Undecided: ``suite``.
    """
    return compact(document, signer, {"typ": typ, "cty": TYPES[typ], "kid": kid})


def split(token: str, *, size: int = MAX_TOKEN) -> Jws:
    """Take a compact JWS apart.

    Raises:
        LimitExceeded: ``limit-size``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``, ``shape``.
    """
    return jose.split(token, size=size, header=MAX_HEADER, signature=256)


def open_token(
    token: str,
    *,
    resolve: Resolve,
    at: int | None,
    typ: str,
    relationship: str = "assertionMethod",
    keys: Mapping[str, Key] | None = None,
    size: int = MAX_TOKEN,
) -> Token:
    """Verify the signature of a token and hold it to VC-JOSE-COSE, 3.

    ``exp`` and ``nbf`` are not judged here: that is a question of the instant, not of the
    signature (`verify` does).

    Args:
        token: compact serialisation.
        resolve: from a DID to its document.
        at: against ``expires`` and ``revoked`` of the key; None: not judged.
        typ: the media type expected, of `TYPES`.
        relationship: what the key must be listed for.
        keys: keys the caller vouches for, by ``kid`` (a thumbprint or URL); looked at first.
        size: most characters.

    Raises:
        Malformed: ``encoding``, ``json``, ``shape``, ``did-invalid`` and their like.
        Undecided: ``suite``, and what ``resolve`` raises. NotFound: ``key-not-found``.
        Rejected: ``proof``, ``key-purpose``, ``controller``, ``key-retired``.
    """
    jws = split(token, size=size)
    check_header(jws.header, typ)
    document, claims = _parted(jws.payload)
    check_claims(document, claims)
    kid = jws.header.get("kid")
    key, controller = _find(kid, claims, resolve, at, relationship, keys or {})
    check_key(jws, key)
    return Token(document, claims, typ, str(kid), key, controller)


def check_header(header: JsonObject, typ: str) -> None:
    """Hold a header to its media type, and to bringing nothing along.

    Raises:
        Malformed: ``shape``.
    """
    for name in _CARRIERS:
        if name in header:
            raise error("shape", f"the header has {name}: a key or rule never comes from a token")
    if _media(header.get("typ")) != typ:
        raise error("shape", f"header.typ is not {typ}")
    if "cty" in header and _media(header["cty"]) != TYPES.get(typ):
        raise error("shape", f"header.cty does not fit {typ}")


def check_key(jws: Jws, key: Key) -> None:
    """Verify the signature with a key that was found elsewhere than in the token.

    Raises:
        Undecided: ``suite`` when the header names another algorithm than the key's.
        Rejected: ``proof``.
    """
    alg = jws.header.get("alg")
    if alg not in ALGORITHMS.get(key.kind, ()):
        raise error("suite", f"alg {str(alg)[:32]!r} is not that of the {key.kind} key")
    if not key.verify(jws.signature, jws.message):
        raise error("proof", "the token is not signed by the key it names")


def check_claims(document: JsonObject, claims: JsonObject) -> None:
    """Hold the claims to the document they stand beside (VC-JOSE-COSE, 3.1.3 and 3.2).

    Raises:
        Malformed: ``shape``, ``data-model``.
    """
    for name in ("vc", "vp"):
        if name in document:
            raise error("data-model", f"the claim {name} belongs to VCDM 1.1, and MUST NOT be here")
    for name in ("exp", "nbf"):
        if name in claims and not _is_number(claims[name]):
            raise error("shape", f"{name} is not a number of seconds")
    party = "holder" if "VerifiablePresentation" in types_of(document) else "issuer"
    stands = {"iss": document.get(party), "jti": document.get("id")}
    subject = document.get("credentialSubject")
    if type(subject) is dict:
        stands["sub"] = subject.get("id")
    for name, value in stands.items():
        if name in claims and id_of(value) and claims[name] != id_of(value):
            raise error("data-model", f"the claim {name} says other than the document")


def _parted(payload: JsonObject) -> tuple[JsonObject, JsonObject]:
    document = {name: value for name, value in payload.items() if name not in CLAIMS}
    return document, {name: value for name, value in payload.items() if name in CLAIMS}


def _find(
    kid: Json,
    claims: JsonObject,
    resolve: Resolve,
    at: int | None,
    relationship: str,
    keys: Mapping[str, Key],
) -> tuple[Key, str]:
    if type(kid) is not str or not kid:
        raise error("shape", "the header names no kid")
    if kid in keys:
        return keys[kid], ""
    issuer: Any = claims.get("iss", "")
    if kid.startswith("#"):  # relative to iss; without iss it must be absolute (4.1)
        if type(issuer) is not str or not issuer:
            raise error("key-not-found", "a relative kid, and no iss to be relative to")
        kid = issuer + kid
    if not kid.startswith("did:"):
        raise error("key-not-found", f"kid {kid[:80]!r} is no DID URL and no key that was given")
    return key_for(kid, relationship, resolve, at=at)


def _media(value: Json) -> str:
    """A media type without ``application/``, which RFC 7515, 4.1.9, lets leave out."""
    return value.lower().removeprefix("application/") if type(value) is str else ""


def _is_number(value: Json) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))
