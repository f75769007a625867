"""What a did:webvh document has without saying so, and its did:web twin (did:webvh 1.0)."""

from __future__ import annotations

from typing import Final

from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.errors import error

from .identifier import read
from .log import MAX_ENTRY

__all__ = ["did_web", "with_services"]

WHOIS_CONTEXT: Final = "https://identity.foundation/linked-vp/contexts/v1"


def with_services(document: JsonObject) -> JsonObject:
    """The document with the services ``#files`` and ``#whois``, unless it has its own.

    Raises:
        Malformed: ``did-document``, ``did-invalid``.
    """
    name = read(document.get("id"))
    listed = document.get("service", [])
    if type(listed) is not list:
        raise error("did-document", "service is not a list")
    named = [item.get("id") for item in listed if type(item) is dict]
    added = [
        {"id": f"{name.did}#files", "type": "relativeRef", "serviceEndpoint": name.base},
        {
            "@context": WHOIS_CONTEXT,
            "id": f"{name.did}#whois",
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": f"{name.base}whois.vp",
        },
    ]
    missing = [
        one
        for one in added
        if one["id"] not in named and one["id"].removeprefix(name.did) not in named
    ]
    return {**document, "service": [*listed, *missing]}


def did_web(document: JsonObject) -> JsonObject:
    """The document of the did:web of the same place, to be published as ``did.json``.

    Raises:
        Malformed: ``did-document``, ``did-invalid``.
    """
    name = read(document.get("id"))
    whole = with_services(document)
    text = canonical(whole).replace(f"did:webvh:{name.scid}:".encode(), b"did:web:")
    out = parse_object(text, size=2 * MAX_ENTRY)
    known = out.get("alsoKnownAs", [])
    if type(known) is not list or any(type(item) is not str for item in known):
        raise error("did-document", "alsoKnownAs is not a list of strings")
    names = dict.fromkeys([*known, str(name.did)])
    names.pop(str(name.web), None)
    return {**out, "alsoKnownAs": list(names)}
