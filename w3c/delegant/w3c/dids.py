"""DID documents: those that follow from the DID itself, and what a document says of a key.

did:key and did:jwk of every kind in `keys.KINDS`. Whatever has to be fetched is fetched by
somebody else and passed in as a `Resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import nacl.bindings
import nacl.exceptions

from delegant.credentials import did
from delegant.credentials.codec import (
    Json,
    JsonObject,
    b64u_decode,
    b64u_encode,
    canonical,
    parse_object,
)
from delegant.credentials.did import Did
from delegant.credentials.errors import Error, error

from .keys import Key
from .xsd import date_time_stamp

__all__ = ["RELATIONSHIPS", "Resolve", "expand", "from_key", "key_for", "split_url", "vm_of"]

Resolve: TypeAlias = Callable[[str], JsonObject]
"""From a DID to its document; raises ``did-*`` codes where there is none."""

RELATIONSHIPS: Final = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
    "capabilityDelegation",
    "keyAgreement",
)
MAX_DID: Final = 2048
"""Links take shorter ones; a did:jwk of a long key does not fit there."""
_SYNTAX: Final = re.compile(did.SYNTAX, re.ASCII)
_SIGNING: Final = RELATIONSHIPS[:4]
DID_CONTEXT: Final = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT: Final = "https://w3id.org/security/multikey/v1"
JWK_CONTEXT: Final = "https://w3id.org/security/jwk/v1"


def expand(name: str) -> JsonObject:
    """The document of a did:key (Multikey form) or did:jwk; a `Resolve` that needs no network.

    Raises:
        Malformed: ``did-invalid``. Undecided: ``suite`` for kinds of keys we do not know,
        ``did-method`` for methods that need more than the DID itself.
    """
    who = checked(name)
    method = did.method_of(who)
    if method not in ("key", "jwk"):
        raise error("did-method", f"did:{method} does not follow from its identifier")
    try:
        return _key_document(who) if method == "key" else _jwk_document(who)
    except Error as exc:
        if exc.code in ("suite", "key-weak", "extra-missing"):
            raise
        raise error("did-invalid", f"{who[:80]}: {exc.detail}") from None


def checked(name: Json) -> Did:
    """A DID of any length up to `MAX_DID`, or ``did-invalid``."""
    if type(name) is not str or len(name) > MAX_DID or not _SYNTAX.fullmatch(name):
        raise error("did-invalid", f"{str(name)[:80]!r} is not a DID")
    return Did(name)


def _key_document(who: Did) -> JsonObject:
    key = Key.from_multikey(who[8:])
    if key.multikey != who[8:]:
        raise error("encoding", "not the canonical spelling of its key")
    agreement = key
    if key.kind == "Ed25519":
        try:
            raw: bytes = nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(key.raw)
        except nacl.exceptions.RuntimeError:
            raise error("encoding", "not a point of Ed25519") from None
        agreement = Key("X25519", raw)
    methods = [key] if agreement == key else [key, agreement]
    out: JsonObject = {
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT],
        "id": who,
        "verificationMethod": [
            {
                "id": f"{who}#{one.multikey}",
                "type": "Multikey",
                "controller": who,
                "publicKeyMultibase": one.multikey,
            }
            for one in methods
        ],
    }
    if key.alg:
        out |= {name: [f"{who}#{key.multikey}"] for name in _SIGNING}
    return out | {"keyAgreement": [f"{who}#{agreement.multikey}"]}


def _jwk_document(who: Did) -> JsonObject:
    jwk = parse_object(b64u_decode(who[8:], size=2048), size=2048)
    key = Key.from_jwk(jwk)
    method = {"id": f"{who}#0", "type": "JsonWebKey", "controller": who, "publicKeyJwk": jwk}
    out: JsonObject = {
        "@context": [DID_CONTEXT, JWK_CONTEXT],
        "id": who,
        "verificationMethod": [method],
    }
    use = jwk.get("use")  # did:jwk: `sig` leaves out keyAgreement, `enc` all the others
    if key.alg and use != "enc":
        out |= {name: [f"{who}#0"] for name in _SIGNING}
    if use != "sig" and key.kind != "Ed25519":
        out["keyAgreement"] = [f"{who}#0"]
    return out


def from_key(key: Key, method: str = "key") -> Did:
    """The did:key or did:jwk of a key."""
    if method == "jwk":
        return Did(f"did:jwk:{b64u_encode(canonical(key.jwk))}")
    return Did(f"did:key:{key.multikey}")


def vm_of(name: Did) -> str:
    """The verification method id of a did:key or did:jwk."""
    return did.vm_of(name)


def split_url(url: Json) -> tuple[Did, str]:
    """A DID URL with a fragment: the DID, and the fragment.

    Raises:
        Malformed: ``did-invalid``.
    """
    if type(url) is not str or url.count("#") != 1 or len(url) > 2048:
        raise error("did-invalid", f"{str(url)[:80]!r} is not a DID URL with a fragment")
    name, fragment = url.split("#")
    if not fragment:
        raise error("did-invalid", f"{url[:80]!r} has an empty fragment")
    return checked(name), fragment


def key_for(url: Json, relationship: str, resolve: Resolve, *, at: int | None) -> tuple[Key, str]:
    """The key a verification method stands for, if it may be used so (CID 1.0, 3.3).

    Args:
        url: the id of the verification method.
        relationship: ``assertionMethod`` or another of `RELATIONSHIPS`.
        resolve: from the DID to its document.
        at: seconds since 1970, against ``expires`` and ``revoked``; None: not judged.

    Returns:
        The key, and the DID of its controller.

    Raises:
        Malformed: ``did-invalid``, ``did-document``. Undecided: what ``resolve`` raises,
        ``suite``. NotFound: ``key-not-found``.
        Rejected: ``key-purpose`` when the document does not list it for this relationship,
        ``controller``, ``key-retired``.
    """
    name, fragment = split_url(url)
    document = resolve(name)
    if document.get("id") != name:
        raise error("did-document", f"the document of {name} says it is another's")
    method = _method(document, name, fragment)
    listed = document.get(relationship, [])
    if type(listed) is not list or not any(_names(item, name, url) for item in listed):
        raise error("key-purpose", f"{url[:120]} is not listed under {relationship}")
    controller = method.get("controller")
    if controller != name:
        raise error("controller", f"{url[:120]} is controlled by {str(controller)[:80]}")
    if at is not None:
        _alive(method, at)
    return _key(method), name


def _absolute(value: Any, name: str) -> Any:
    return name + value if type(value) is str and value.startswith("#") else value


def _names(item: Any, name: str, url: str) -> bool:
    return bool(_absolute(item.get("id") if type(item) is dict else item, name) == url)


def _method(document: JsonObject, name: str, fragment: str) -> JsonObject:
    """The verification method of that fragment, wherever the document defines it."""
    groups = [document.get(group, []) for group in ("verificationMethod", *RELATIONSHIPS)]
    found = [
        item
        for group in groups
        if type(group) is list
        for item in group
        if type(item) is dict and _names(item, name, f"{name}#{fragment}")
    ]
    if not found:
        raise error("key-not-found", f"the document of {name} has no {fragment[:80]!r}")
    if any(one != found[0] for one in found):
        raise error("did-document", f"the document of {name} defines {fragment[:80]!r} twice")
    return found[0]


def _alive(method: JsonObject, at: int) -> None:
    for member, word in (("revoked", "revoked"), ("expires", "expired")):
        if member not in method:
            continue
        if at >= date_time_stamp(method[member], f"verificationMethod.{member}"):
            raise error("key-retired", f"the key {word} at {method[member]}")


def _key(method: JsonObject) -> Key:
    if "publicKeyMultibase" in method:
        if "publicKeyJwk" in method:
            raise error("did-document", "a verification method with two keys")
        return Key.from_multikey(method["publicKeyMultibase"])
    if "publicKeyJwk" in method:
        return Key.from_jwk(method["publicKeyJwk"])
    raise error("suite", f"a verification method of type {str(method.get('type'))[:40]!r}")
