"""DIDs whose document follows from the identifier alone: did:key and did:jwk.

For both, the DID *is* the key: nothing needs to be fetched and nothing a presenter brings can
supply another key. Other methods are named (so that links may speak of them) and never
resolved here; their key is pinned by whoever signs above them.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from .codec import JsonObject, b64u_decode, b64u_encode, canonical, parse_object
from .errors import Error, error
from .keys import PublicKey

__all__ = ["Did", "check", "document", "embeds_key", "from_key", "key_of", "method_of", "vm_of"]

Did = NewType("Did", str)
"""A string that `check` accepted: a DID without path, query or fragment."""

MAX_LENGTH: Final = 256
# DID Core 1.0, 3.1. Percent signs only as upper-case triplets; no empty segment.
SYNTAX: Final = r"did:[a-z0-9]++(?>(?::(?>(?:[A-Za-z0-9._-]++|%[0-9A-F]{2})+))+)"
"""No group is repeated possessively: before 3.11.5, CPython matched too much then (gh-106052)."""
_SYNTAX: Final = re.compile(SYNTAX, re.ASCII)


def check(text: object) -> Did:
    """A DID, or ``shape``."""
    if type(text) is not str or len(text) > MAX_LENGTH or not _SYNTAX.fullmatch(text):
        shown = repr(text[:80]) if isinstance(text, str) else "what is no string"
        raise error("shape", f"{shown} is not a DID")
    return Did(text)


def method_of(did: Did) -> str:
    """``key`` of ``did:key:…``."""
    return did.split(":", 2)[1]


def embeds_key(did: Did) -> bool:
    """Whether the DID is its own key."""
    return did.startswith(("did:key:", "did:jwk:"))


def key_of(did: Did) -> PublicKey | None:
    """The key a did:key or did:jwk consists of; None for every other method.

    Raises:
        Undecided: ``suite``. Rejected: ``key-weak``. Malformed: ``encoding``, ``json``.
    """
    if did.startswith("did:key:"):
        return PublicKey.from_multikey(did[8:])
    if did.startswith("did:jwk:"):
        return PublicKey.from_jwk(parse_object(b64u_decode(did[8:]), size=1024))
    return None


def vm_of(did: Did) -> str:
    """The verification method id of a did:key or did:jwk."""
    return f"{did}#{did[8:]}" if did.startswith("did:key:") else f"{did}#0"


def method_for(did: Did, key: PublicKey) -> str:
    """The verification method id that a signer writes for a key of its own."""
    return vm_of(did) if embeds_key(did) else f"{did}#{key.multikey}"


def is_method_of(method: str, did: Did) -> bool:
    """Whether a verification method id is one of this DID's.

    A did:key or did:jwk has exactly one; of other DIDs any fragment may be, since their key is
    pinned by whoever signs above them.
    """
    if did.startswith("did:key:"):
        return method == f"{did}#{did[8:]}"
    return method == vm_of(did) if embeds_key(did) else method.startswith(f"{did}#")


def from_key(key: PublicKey, method: str = "key") -> Did:
    """The DID of a key, by method ``key`` or ``jwk``."""
    if method == "key":
        return Did(f"did:key:{key.multikey}")
    if method == "jwk":
        return Did(f"did:jwk:{b64u_encode(canonical(key.jwk))}")
    raise error("shape", f"did:{method} does not follow from a key")


def document(did: Did) -> JsonObject:
    """The DID document of a did:key (CCG draft, Multikey form) or did:jwk.

    Raises:
        NotFound: ``not-found`` for methods that need a network or a registry.
        and what `key_of` raises.
    """
    key = key_of(did)
    if key is None:
        raise error("not-found", f"did:{method_of(did)} does not follow from its identifier")
    vm = vm_of(did)
    method: JsonObject = {"id": vm, "controller": did}
    if method_of(did) == "key":
        context = "https://w3id.org/security/multikey/v1"
        method |= {"type": "Multikey", "publicKeyMultibase": key.multikey}
    else:
        context = "https://w3id.org/security/suites/jws-2020/v1"
        method |= {"type": "JsonWebKey2020", "publicKeyJwk": _jwk(did)}
    relations = (
        "authentication",
        "assertionMethod",
        "capabilityInvocation",
        "capabilityDelegation",
    )
    return {
        "@context": ["https://www.w3.org/ns/did/v1", context],
        "id": did,
        "verificationMethod": [method],
        **{name: [vm] for name in relations},
    }


def _jwk(did: Did) -> JsonObject:
    return parse_object(b64u_decode(did[8:]), size=1024)


def is_did(text: object) -> bool:
    """Whether `check` would accept it."""
    try:
        check(text)
    except Error:
        return False
    return True
