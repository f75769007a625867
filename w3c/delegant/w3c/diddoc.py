"""What a DID document must look like, whoever wrote it (DID Core 1.0, sections 3 to 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from .dids import DID_CONTEXT, RELATIONSHIPS, checked
from .didurl import DidUrl, absolute

__all__ = ["check_document", "is_uri"]

DID_CONTEXTS: Final = (DID_CONTEXT, "https://www.w3.org/ns/did/v1.1")
MATERIAL: Final = (
    "publicKeyJwk",
    "publicKeyMultibase",
    "publicKeyBase58",
    "publicKeyHex",
    "publicKeyBase64",
    "publicKeyPem",
)
"""Ways to write a public key; a verification method uses one of them."""
_PRIVATE_JWK: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_PRIVATE: Final = re.compile(r"(?:private|secret)Key\w*", re.ASCII)
_URI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})+", re.ASCII
)
MAX_URI: Final = 4096


def check_document(document: Json, name: str, *, json_ld: bool = False) -> JsonObject:
    """A conforming document of this DID, itself.

    Args:
        document: as parsed.
        name: the DID that was asked for.
        json_ld: whether it came as ``application/did+ld+json``, so that ``@context`` must be.

    Raises:
        Malformed: ``did-document``. Rejected: ``key-weak`` for a private key that was published.
    """
    if type(document) is not dict:
        _no("it is no object")
    if document.get("id") != name:
        _no(f"it says it is the document of {str(document.get('id'))[:80]!r}, not of {name[:80]}")
    _did(document["id"], "id")
    _context(document, json_ld)
    if "controller" in document:
        _controllers(document["controller"])
    for item in _set(document, "alsoKnownAs"):
        if not is_uri(item):
            _no("alsoKnownAs names something that is no URI")
    methods = _set(document, "verificationMethod")
    for method in methods:
        _method(method, name)
    for relationship in RELATIONSHIPS:
        _relationship(document, relationship, name)
    _once((absolute(method["id"], name) for method in methods), "verificationMethod")
    services = _set(document, "service")
    for service in services:
        _service(service, name)
    _once((absolute(service["id"], name) for service in services), "service")
    return document


def is_uri(value: Json) -> bool:
    """Whether a value is an absolute URI (RFC 3986) of sensible length."""
    return type(value) is str and len(value) <= MAX_URI and _URI.fullmatch(value) is not None


def _no(why: str) -> NoReturn:
    raise error("did-document", why)


def _did(value: Json, where: str) -> None:
    try:
        checked(value)
    except Error:
        _no(f"{where} is not a DID")


def _set(document: JsonObject, member: str) -> list[Any]:
    value = document.get(member, [])
    if type(value) is not list:
        _no(f"{member} is not a list")
    if any(item in value[:place] for place, item in enumerate(value)):
        _no(f"{member} names an item twice")
    return value


def _once(ids: Iterable[str], member: str) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            _no(f"{member} has two entries with the id {one[:120]!r}")
        seen.add(one)


def _context(document: JsonObject, json_ld: bool) -> None:
    if not json_ld:  # in plain JSON it is a member like any other (6.2.2)
        return
    value = document.get("@context")
    first = value[0] if type(value) is list and value else value
    if first not in DID_CONTEXTS:
        _no(f"its first @context is not {DID_CONTEXT}")


def _controllers(value: Json) -> None:
    controllers = value if type(value) is list else [value]
    if not controllers or any(one in controllers[:place] for place, one in enumerate(controllers)):
        _no("controller is an empty list, or names one twice")
    for one in controllers:
        _did(one, "controller")


def _url(value: Json, name: str, where: str) -> str:
    try:
        return str(DidUrl.parse(absolute(value, name)))
    except Error:
        _no(f"{where} is not a DID URL")


def _method(method: Json, name: str) -> None:
    """A verification method: id, type, controller, and its key written once (5.2)."""
    if type(method) is not dict:
        _no("a verification method is no object")
    for member in method:
        if _PRIVATE.fullmatch(member):
            raise error("key-weak", f"a private key was published as {member[:40]}")
    where = "a verification method's"
    _url(method.get("id"), name, f"{where} id")
    if type(method.get("type")) is not str or not method["type"]:
        _no(f"{where} type is not one name")
    _did(method.get("controller"), f"{where} controller")
    if sum(member in method for member in MATERIAL) > 1:
        _no("a verification method writes its key in two ways")
    for member in MATERIAL[1:]:
        if member in method and (type(method[member]) is not str or not method[member]):
            _no(f"{member} is not text")
    if "publicKeyJwk" in method:
        jwk = method["publicKeyJwk"]
        if type(jwk) is not dict or type(jwk.get("kty")) is not str:
            _no("publicKeyJwk is not a JSON Web Key")
        if any(member in jwk for member in _PRIVATE_JWK):
            raise error("key-weak", "a private key was published as publicKeyJwk")


def _relationship(document: JsonObject, relationship: str, name: str) -> None:
    """Verification methods, by reference or whole (5.3)."""
    if relationship in document and not document[relationship]:
        _no(f"{relationship} is empty")
    for item in _set(document, relationship):
        if type(item) is dict:
            _method(item, name)
        else:
            _url(item, name, f"an item of {relationship}")


def _service(service: Json, name: str) -> None:
    """Id, type and endpoint (5.4)."""
    if type(service) is not dict:
        _no("a service is no object")
    if not is_uri(absolute(service.get("id"), name)):
        _no("a service's id is no URI")
    kinds = service.get("type")
    kinds = kinds if type(kinds) is list else [kinds]
    if not kinds or any(type(kind) is not str or not kind for kind in kinds):
        _no("a service's type is neither text nor a list of texts")
    ends = service.get("serviceEndpoint")
    ends = ends if type(ends) is list else [ends]
    if not ends:
        _no("a service's endpoint is an empty list")
    for end in ends:
        if not (is_uri(end) or (type(end) is dict and end)):
            _no("a service's endpoint is neither a URI nor a map, nor a list of such")
