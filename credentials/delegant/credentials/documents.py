"""DID documents that count: they can take a key away, and never give one.

Keys come down the chain (phase 6), so no document is needed. One that this verifier has reason
to believe is asked all the same whether the key that was pinned is still its subject's:

- what the verifier fetched itself, handed over with `Trust.with_documents`: a did:web document
  by the guarded fetcher, a did:webvh document whose log was verified down from the SCID. The core
  fetches nothing and verifies no log; whoever hands a document over answers for it;
- what a resolver of the trust folder signed, among the ``documents`` of the evidence: a compact
  JWS, ``typ: did-resolution+jwt``, with the closed payload

    {"version": 1, "issuer": DID of the resolver, "did": DID, "document"?: {…},
     "deactivated"?: true, "retrieved": …, "validUntil": …}

Anything else among the ``documents`` is for people to look at. did:key and did:jwk are their own
key for ever: no document about them counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from . import did, shape
from .codec import Json, JsonObject, b58_decode
from .did import Did
from .envelope import Secured, SignedToken, unpack_token
from .errors import Error, error
from .keys import PublicKey

__all__ = ["Resolved", "methods", "parse_statement", "past", "statement", "unpack_statement"]

STATEMENT_TYPE: Final = "did-resolution+jwt"
MAX_STATEMENT: Final = 256 * 1024
RELATIONS: Final = ("assertionMethod", "authentication", "capabilityInvocation",
                    "capabilityDelegation", "keyAgreement")  # fmt: skip

_STATEMENT: Final = frozenset({"version", "issuer", "did", "retrieved", "validUntil"})
_OPTIONAL: Final = frozenset({"document", "deactivated"})


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a DID resolved to, on the word of somebody this verifier believes.

    Attributes:
        document: the DID document; empty where the DID is deactivated and none was told.
        retrieved: when, seconds since 1970.
        valid_until: from when on it says no longer what is *not* in it.
    """

    did: Did
    document: JsonObject
    retrieved: int
    valid_until: int
    deactivated: bool = False


def unpack_statement(raw: object) -> SignedToken:
    """Take a resolver's statement apart (phase 2)."""
    return unpack_token(raw, STATEMENT_TYPE, size=MAX_STATEMENT)


def parse_statement(secured: Secured) -> Resolved:
    """Read a resolver's statement, whose signature holds.

    Raises:
        Malformed, Undecided: the codes of phase 3.
    """
    value = secured.document
    if shape.integer(value.get("version"), "statement.version", 1) != 1:
        raise error("unknown-version", "statement.version is not 1")
    shape.closed(value, "statement", _STATEMENT, _OPTIONAL)
    gone = "deactivated" in value and shape.boolean(value["deactivated"], "deactivated")
    body = value.get("document", {} if gone else None)
    if type(body) is not dict:
        raise error("shape", "a statement has a document, or says deactivated")
    did.check(value["issuer"])
    name = did.check(value["did"])
    if body and body.get("id") != name:
        raise error("shape", f"the document is not that of {name}")
    return Resolved(
        name,
        body,
        shape.time(value["retrieved"], "retrieved"),
        shape.time(value["validUntil"], "validUntil"),
        gone,
    )


def statement(issuer: str, found: Resolved) -> JsonObject:
    """The payload of a resolver's statement."""
    out: JsonObject = {
        "version": 1,
        "issuer": issuer,
        "did": found.did,
        "retrieved": shape.format_time(found.retrieved),
        "validUntil": shape.format_time(found.valid_until),
    }
    if found.document:
        out["document"] = found.document
    return out | {"deactivated": True} if found.deactivated else out


# --- what a document says of a key ---------------------------------------------------------


def methods(found: Resolved, key: PublicKey) -> Iterator[tuple[JsonObject, frozenset[str]]]:
    """Every verification method of this key, and the relationships it is listed under.

    Members of forms nobody reads here are no methods: what cannot be read lists no key.
    """
    named: dict[str, set[str]] = {}
    inside: list[tuple[Json, frozenset[str]]] = [
        (method, frozenset()) for method in _list(found.document.get("verificationMethod"))
    ]
    for relation in RELATIONS:
        for item in _list(found.document.get(relation)):
            if type(item) is str:
                named.setdefault(_absolute(item, found.did), set()).add(relation)
            else:
                inside.append((item, frozenset({relation})))
    for method, under in inside:
        if type(method) is dict and _key_of(method) == key:
            name = method.get("id")
            listed = named.get(_absolute(name, found.did), ()) if type(name) is str else ()
            yield method, under | frozenset(listed)


def past(value: Json, at: int) -> bool:
    """Whether a time of a document (XML Schema dateTimeStamp) has come; an odd one always has."""
    match = _STAMP.fullmatch(value) if type(value) is str else None
    if match is None:
        return True
    try:
        moment = shape.time(f"{match[1]}Z", "a time")
    except Error:
        return True
    sign, hours, minutes = match[2] or "+", int(match[3] or 0), int(match[4] or 0)
    return moment - (1 if sign == "+" else -1) * (3600 * hours + 60 * minutes) <= at


_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.][0-9]{1,9})?"
    r"(?:Z|([+-])([01][0-9]):([0-5][0-9]))",
    re.ASCII,
)


def _list(value: Json) -> list[Json]:
    if type(value) is list:
        return value
    return [] if value is None else [value]


def _absolute(name: str, subject: Did) -> str:
    return f"{subject}{name}" if name.startswith("#") else name


def _key_of(method: JsonObject) -> PublicKey | None:
    """The Ed25519 key of a method, in any of the ways documents spell one."""
    text, jwk, old = (
        method.get(name) for name in ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58")
    )
    try:
        if type(text) is str:
            return PublicKey.from_multikey(text)
        if type(jwk) is dict:
            return PublicKey.from_jwk(jwk)
        return PublicKey(b58_decode(old)) if type(old) is str and len(old) < 64 else None
    except Error:
        return None
