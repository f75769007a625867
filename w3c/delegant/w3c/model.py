"""The W3C Verifiable Credentials Data Model 2.0: what every conforming document has.

Open world: members nobody here knows are let pass, as long as a ``@context`` defines them
(`jsonld.check_terms` sees to that). What the specification does name is held to what it says.
No document is changed, none is fetched, no signature is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.envelope import V2_CONTEXT
from delegant.credentials.errors import error

from . import jsonld, related, spelled, status
from .values import ABSENT, MAX_ITEMS, many, object_, types_of, url
from .xsd import instant

__all__ = [
    "ENVELOPED_CREDENTIAL",
    "ENVELOPED_PRESENTATION",
    "MEDIA_TYPES",
    "check_credential",
    "check_enveloped",
    "check_presentation",
    "check_terms",
    "is_enveloped",
]

V1_CONTEXT: Final = "https://www.w3.org/2018/credentials/v1"
ENVELOPED_CREDENTIAL: Final = "EnvelopedVerifiableCredential"
ENVELOPED_PRESENTATION: Final = "EnvelopedVerifiablePresentation"
MEDIA_TYPES: Final = {
    ENVELOPED_CREDENTIAL: ("vc+jwt", "vc+sd-jwt", "vc+cose"),
    ENVELOPED_PRESENTATION: ("vp+jwt", "vp+sd-jwt", "vp+cose"),
}
"""What an enveloped document may hold, without ``application/`` (VC-JOSE-COSE, 6.1)."""
TYPED: Final = ("evidence", "termsOfUse", "refreshService", "confidenceMethod", "renderMethod")
"""Members whose objects must say their type (4.5, 5.10); what else they hold is theirs."""

_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_DATA: Final = re.compile(
    r"data:application/([a-z0-9.+-]{1,32})(;base64)?,([A-Za-z0-9_~.=+/ \t\r\n-]+)", re.ASCII
)
_SPACE: Final = re.compile(r"[ \t\r\n]+", re.ASCII)
"""Breaks a long URL and is no part of it (RFC 3986, appendix C); some tools leave it in."""


def check_credential(document: Json) -> None:
    """Hold an unsecured or secured credential to the data model (VCDM 2.0, 4).

    Raises:
        Malformed: ``data-model``, ``vcdm-version``, ``status-list``.
    """
    value = object_(document, "the credential")
    _contexts(value)
    _types(value, "the credential", "VerifiableCredential")
    _id(value, "id")
    _texts(value, "")
    if "issuer" not in value:
        raise error("data-model", "the credential has no issuer")
    _party(value["issuer"], "issuer")
    _subjects(value)
    _validity(value)
    _each(value, "credentialStatus", _status)
    _each(value, "credentialSchema", _schema)
    for name in TYPED:
        _each(value, name, _typed)
    if "relatedResource" in value:
        related.check_shape(many(value["relatedResource"], "relatedResource"))
    _proofs(value)


def check_presentation(document: Json) -> None:
    """Hold a presentation, and each credential in it, to the data model (VCDM 2.0, 4.13).

    Raises:
        Malformed: ``data-model``, ``vcdm-version``.
    """
    value = object_(document, "the presentation")
    _contexts(value)
    _types(value, "the presentation", "VerifiablePresentation")
    _id(value, "id")
    if "holder" in value:
        _party(value["holder"], "holder")
    _each(value, "termsOfUse", _typed)
    for credential in many(value.get("verifiableCredential", ABSENT), "verifiableCredential"):
        if type(credential) is not dict:
            raise error("data-model", "verifiableCredential holds something that is no object")
        if is_enveloped(credential):
            check_enveloped(credential, ENVELOPED_CREDENTIAL)
        else:
            check_credential(credential)
    _proofs(value)


def check_enveloped(document: Json, kind: str) -> tuple[str, str]:
    """An enveloped credential or presentation (VCDM 2.0, 4.13.1 and 4.13.2).

    Args:
        document: an object.
        kind: `ENVELOPED_CREDENTIAL` or `ENVELOPED_PRESENTATION`.

    Returns:
        The media type without ``application/``, and the token (still base64 where it says so).

    Raises:
        Malformed: ``data-model``.
    """
    value = object_(document, "the enveloped document")
    contexts = value.get("@context")
    listed = contexts if type(contexts) is list else [contexts]
    if V2_CONTEXT not in listed:
        raise error("data-model", f"an enveloped document without the context {V2_CONTEXT}")
    if types_of(value) != [kind]:
        raise error("data-model", f"an enveloped document whose type is not {kind}")
    address = value.get("id")
    match = _DATA.fullmatch(address) if type(address) is str else None
    if match is None:
        raise error("data-model", f"the id of an {kind} is a data: URL with a secured document")
    if match[1] not in MEDIA_TYPES[kind]:
        raise error("data-model", f"an {kind} with application/{match[1]} in it")
    return match[1], _SPACE.sub("", match[3])


def check_terms(document: JsonObject) -> list[Json]:
    """Hold a document to its contexts, and what is judged of it to its own name (`spelled`).

    Of enveloped documents the URL is taken without the space that breaks it.

    Returns:
        The expanded form.

    Raises:
        Malformed: ``undefined-term``, ``json-ld``. Undecided: ``context-unknown``.
        LimitExceeded: ``limit-*``.
    """
    inside = document.get("verifiableCredential", ABSENT)
    if inside is not ABSENT:
        whole = [_joined(one) for one in many(inside, "verifiableCredential")]
        document = {**document, "verifiableCredential": whole}
    document = _joined(document)
    expanded = jsonld.expand(document)
    spelled.check(document, expanded)
    return expanded


def _joined(document: JsonObject) -> JsonObject:
    if not is_enveloped(document):
        return document
    return {**document, "id": _SPACE.sub("", str(document.get("id")))}


def is_enveloped(document: JsonObject) -> bool:
    """Whether an object says that the document proper is inside its ``id``."""
    kinds = types_of(document)
    return ENVELOPED_CREDENTIAL in kinds or ENVELOPED_PRESENTATION in kinds


def _each(value: JsonObject, name: str, check: Callable[[Json, str], None]) -> None:
    for one in many(value.get(name, ABSENT), name):
        check(one, name)


def _contexts(value: JsonObject) -> None:
    contexts = value.get("@context")
    listed = contexts if type(contexts) is list else [contexts]
    if V1_CONTEXT in listed:
        raise error("vcdm-version", "this is VCDM 1.1: issue it under 2.0")
    if type(contexts) is not list or contexts[:1] != [V2_CONTEXT]:
        raise error("data-model", f"@context is not a list that begins with {V2_CONTEXT}")
    if len(contexts) > MAX_ITEMS:
        raise error("data-model", f"@context has {len(contexts)} items")
    for one in contexts[1:]:
        if type(one) is dict:
            _inline(one)
        else:
            url(one, "an item of @context")


def _inline(context: JsonObject) -> None:
    """What an inline context maps terms to must be able to be part of a URL (4.5)."""
    for term, mapped in context.items():
        target = mapped.get("@id") if type(mapped) is dict else mapped
        if type(target) is str and not term.startswith("@") and re.search(r"\s", target):
            raise error("data-model", f"@context maps {term[:64]!r} to what is no URL")


def _types(value: JsonObject, where: str, needed: str = "") -> None:
    stated = value.get("type")
    listed = stated if type(stated) is list else [stated]
    if not listed or len(listed) > MAX_ITEMS:
        raise error("data-model", f"{where} has no type, or more than {MAX_ITEMS}")
    for one in listed:
        if type(one) is not str or not one or re.search(r"\s", one):
            raise error("data-model", f"a type of {where} is neither a term nor a URL")
    if needed and needed not in listed:
        raise error("data-model", f"{where} is not of type {needed}")


def _id(value: JsonObject, where: str) -> None:
    if "id" in value:
        url(value["id"], where)


def _party(value: Json, where: str) -> None:
    """An issuer or a holder: a URL, or an object with one as its id (4.7, 4.13)."""
    if type(value) is not dict:
        url(value, where)
        return
    url(value.get("id"), f"{where}.id")
    _texts(value, f"{where}.")


def _texts(value: JsonObject, where: str) -> None:
    """``name`` and ``description``: strings or language value objects (4.6, 11.1)."""
    for name in ("name", "description"):
        for one in many(value.get(name, ABSENT), f"{where}{name}"):
            if type(one) is not str and not _is_language_value(one):
                raise error("data-model", f"{where}{name} is no string or language value object")


def _is_language_value(value: Json) -> bool:
    if type(value) is not dict or not value.keys() <= {"@value", "@language", "@direction"}:
        return False
    language = value.get("@language", "und")
    return (
        type(value.get("@value")) is str
        and type(language) is str
        and _LANGUAGE.fullmatch(language) is not None
        and value.get("@direction", "ltr") in ("ltr", "rtl")
    )


def _subjects(value: JsonObject) -> None:
    for one in many(value.get("credentialSubject"), "credentialSubject"):
        if type(one) is not dict or not one:
            raise error("data-model", "credentialSubject is an object with claims, or several")
        _id(one, "credentialSubject.id")


def _validity(value: JsonObject) -> None:
    stated = [name for name in ("validFrom", "validUntil") if name in value]
    times = [instant(value[name], name) for name in stated]
    if len(times) == 2 and times[0] > times[1]:
        raise error("data-model", "validUntil is before validFrom")


def _typed(value: Json, where: str) -> None:
    one = object_(value, where)
    _types(one, where)
    _id(one, f"{where}.id")


def _schema(value: Json, where: str) -> None:
    _typed(value, where)
    url(value.get("id"), f"{where}.id")


def _status(value: Json, where: str) -> None:
    _typed(value, where)
    if status.ENTRY_TYPE in types_of(value):
        status.check_entry(value)


def _proofs(value: JsonObject) -> None:
    for one in many(value.get("proof", ABSENT), "proof"):
        _types(object_(one, "proof"), "proof")
