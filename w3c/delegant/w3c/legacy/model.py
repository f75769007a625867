"""The data model 1.1, as far as it is read here: contexts, types, subject, issuer, times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.credentials.standing import SKEW_SECONDS
from delegant.w3c.dids import checked
from delegant.w3c.values import url
from delegant.w3c.xsd import instant

__all__ = ["CONTEXTS", "KINDS", "MAX_SIZE", "Found", "credential", "listed", "moment"]

MAX_SIZE: Final = 64 * 1024
V1: Final = "https://www.w3.org/2018/credentials/v1"
V2: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXTS: Final = frozenset(
    {
        V1,
        "https://www.w3.org/2018/credentials/examples/v1",
        "https://w3id.org/citizenship/v1",
        "https://w3id.org/vaccination/v1",
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "https://w3id.org/security/suites/jws-2020/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
    }
)
"""What a credential with a linked-data proof may be written in."""

KINDS: Final = {
    "Ed25519Signature2018": ("Ed25519",),
    "Ed25519Signature2020": ("Ed25519",),
    "JsonWebSignature2020": ("Ed25519", "P-256", "secp256k1"),
    "jwt": ("Ed25519", "P-256", "secp256k1"),
}
"""The kinds of keys by form; other proof types are refused."""
_UNJUDGED: Final = (
    "credentialStatus",
    "credentialSchema",
    "evidence",
    "refreshService",
    "termsOfUse",
)
ALWAYS_UNCHECKED: Final = ("issuer", "subject")
"""Whether the issuer knows what it says, and whether the subject is the human: for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """A credential taken apart; its signature is still to be verified."""

    form: str
    alg: str
    text: str
    document: JsonObject
    id: str | None
    types: tuple[str, ...]
    issuer: Did
    method: str
    issued: int
    expires: int | None
    claims: Json
    unchecked: tuple[str, ...]


def credential(document: JsonObject, at: int, **rest: Any) -> Found:
    """What every form has in common; ``rest`` is the form's own."""
    contexts = _contexts(document)
    linked = rest["form"] != "jwt"
    if linked:
        for context in contexts:
            if context not in CONTEXTS:
                raise error("context-unknown", f"{context[:120]} does not come with DIDKit")
    types: tuple[str, ...] = listed(document.get("type"), "type")
    if "VerifiableCredential" not in types:
        raise error("data-model", "type does not include VerifiableCredential")
    for name in ("validFrom", "validUntil"):
        if name in document:
            raise error("data-model", f"{name} belongs to VCDM 2.0")
    claims = document.get("credentialSubject")
    subjects: list[Any] = claims if type(claims) is list else [claims]
    if not subjects or any(type(one) is not dict or not one for one in subjects):
        raise error("data-model", "credentialSubject is no object with members")
    for one in subjects:
        if "id" in one:
            url(one["id"], "credentialSubject.id")
    issuer = document.get("issuer")
    issued = moment(document.get("issuanceDate"), "issuanceDate")
    until = None
    if "expirationDate" in document:
        until = moment(document["expirationDate"], "expirationDate")
    _in_time(issued, until, at)
    unchecked = (
        *ALWAYS_UNCHECKED,
        *(name for name in _UNJUDGED if name in document),
        *(("contexts",) if not linked and len(contexts) > 1 else ()),
    )
    return Found(
        document=document,
        id=url(document["id"], "id") if "id" in document else None,
        types=types,
        issuer=checked(issuer.get("id") if type(issuer) is dict else issuer),
        issued=issued,
        expires=until,
        claims=claims,
        unchecked=unchecked,
        **rest,
    )


def _contexts(document: JsonObject) -> tuple[str, ...]:
    contexts = listed(document.get("@context"), "@context")
    if V2 in contexts:
        raise error("data-model", "this is VCDM 2.0, which is verified as such")
    if contexts[0] != V1:
        raise error("data-model", f"@context does not begin with {V1}")
    return contexts


def listed(value: Json, where: str) -> tuple[str, ...]:
    """One text, or a list of texts that is not empty."""
    items = value if type(value) is list else [value]
    if not items or len(items) > shape.MAX_SET or any(type(item) is not str for item in items):
        raise error("data-model", f"{where} is no text and no list of texts")
    return tuple(shape.text(item, where, 2048) for item in items)


def _in_time(issued: int, until: int | None, at: int) -> None:
    if until is not None and at >= until:
        raise error("expired", f"it expired at {shape.format_time(until)}")
    if issued > at + SKEW_SECONDS:
        raise error("not-yet-valid", f"it is of {shape.format_time(issued)}")


def moment(value: Json, where: str) -> int:
    """An XSD dateTimeStamp as seconds since 1970, a fraction rounded up."""
    seconds = math.ceil(instant(value, where))
    shape.format_time(seconds)  # a report can write it
    return seconds
