"""Results of DID resolution and DID URL dereferencing (DID Resolution 1.0, CR of July 2026).

Nothing is fetched here: what a method found is passed in as a `Resolution`, and everything
that follows from it, fragments, services, errors, is worked out from that alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import method_of
from delegant.credentials.errors import CODES, Error, error

from . import didkey
from .diddoc import check_document, is_uri
from .dids import RELATIONSHIPS, checked, expand
from .didurl import DidUrl, Options, absolute

__all__ = [
    "DidUrl",
    "Options",
    "Resolution",
    "Resource",
    "check_document",
    "dereference",
    "expand_urls",
    "local",
    "status_of",
]

DID_ERRORS: Final = {
    "did-invalid": ("INVALID_DID", 400),
    "did-url": ("INVALID_DID_URL", 400),
    "did-options": ("INVALID_OPTIONS", 400),
    "did-not-found": ("NOT_FOUND", 404),
    "did-representation": ("REPRESENTATION_NOT_SUPPORTED", 406),
    "did-document": ("INVALID_DID_DOCUMENT", 500),
    "unavailable": ("INTERNAL_ERROR", 500),
    "did-method": ("METHOD_NOT_SUPPORTED", 501),
    "did-feature": ("FEATURE_NOT_SUPPORTED", 501),
    "suite": ("FEATURE_NOT_SUPPORTED", 501),
    "key-weak": ("INVALID_DID", 400),
}
"""The specification's error and HTTP status for each of our codes (section 12.1)."""
CID_ERRORS: Final = {
    "key-not-found": "INVALID_VERIFICATION_METHOD",
    "key-purpose": "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
}
"""Errors of Controlled Identifiers 1.0, 3.5; their status is 500, as of any other (12.1)."""
DID_NS: Final = "https://www.w3.org/ns/did#"
SECURITY_NS: Final = "https://w3id.org/security#"
DOCUMENT_TYPE: Final = "application/did"
URI_LIST: Final = "text/uri-list"
_SCHEMES: Final = ("https", "http", "wss", "ws", "did", "didcomm", "mailto")
"""Where a service may lead: nothing that runs in whoever follows it."""


def _problem(exc: Error) -> JsonObject:
    if exc.code in DID_ERRORS:
        kind = DID_NS + DID_ERRORS[exc.code][0]
    elif exc.code in CID_ERRORS:
        kind = SECURITY_NS + CID_ERRORS[exc.code]
    else:
        kind = str(exc.problem()["type"])
    return {"type": kind, "title": CODES[exc.code].meaning, "detail": exc.detail}


def status_of(exc: Error) -> int:
    """The HTTP status of an error, by the table of section 12.1; else as our own table says."""
    if exc.code in DID_ERRORS:
        return DID_ERRORS[exc.code][1]
    return 500 if exc.code in CID_ERRORS else exc.http_status


@dataclass(frozen=True, slots=True)
class Resolution:
    """What came of resolving a DID.

    Attributes:
        document: None where there was an error, or the DID is deactivated.
        metadata: of the resolution: ``contentType`` or ``error``.
        document_metadata: ``created``, ``updated``, ``deactivated``, ``versionId``,
            ``nextUpdate``, ``nextVersionId``, ``equivalentId``, ``canonicalId`` and what the
            method adds; empty where there was an error.
    """

    document: JsonObject | None
    metadata: JsonObject = field(default_factory=dict)
    document_metadata: JsonObject = field(default_factory=dict)

    @classmethod
    def of(cls, exc: Error) -> Resolution:
        """The result of a failure."""
        if exc.code == "did-deactivated":
            return cls(None, {}, {"deactivated": True})
        return cls(None, {"error": _problem(exc)})

    @property
    def deactivated(self) -> bool:
        """Whether the DID was deactivated."""
        return self.document_metadata.get("deactivated") is True

    @property
    def json(self) -> JsonObject:
        """The DID resolution result (section 9)."""
        return {
            "didDocument": self.document,
            "didResolutionMetadata": self.metadata,
            "didDocumentMetadata": self.document_metadata,
        }


@dataclass(frozen=True, slots=True)
class Resource:
    """What a DID URL leads to.

    Attributes:
        content: a document, a verification method, a service, or URLs; None after an error.
        metadata: ``contentType`` or ``error``.
        content_metadata: of the document, where the content is one.
    """

    content: JsonObject | list[str] | None
    metadata: JsonObject = field(default_factory=dict)
    content_metadata: JsonObject = field(default_factory=dict)

    @classmethod
    def of(cls, exc: Error) -> Resource:
        """The result of a failure."""
        if exc.code == "did-deactivated":
            return cls(None, {}, {"deactivated": True})
        return cls(None, {"error": _problem(exc)})

    @property
    def json(self) -> JsonObject:
        """The DID URL dereferencing result (section 10)."""
        return {
            "dereferencingMetadata": self.metadata,
            "contentStream": self.content,
            "contentMetadata": self.content_metadata,
        }


def local(name: str, options: Options = Options()) -> Resolution:  # noqa: B008 - frozen
    """Resolve what follows from the DID itself: did:key and did:jwk.

    They have one version for ever: any ``versionTime`` is answered, no other version is there.

    Raises:
        Malformed: ``did-invalid``, ``did-options``. Undecided: ``did-method``, ``suite``.
        NotFound: ``did-not-found`` for a version. Rejected: ``key-weak``.
    """
    who = checked(name)
    document = didkey.document(who, options) if method_of(who) == "key" else expand(who)
    if options.version_id is not None or options.version_number is not None:
        raise error("did-not-found", f"did:{method_of(who)} has no versions")
    return Resolution(document)


def expand_urls(document: JsonObject) -> JsonObject:
    """The document with every relative DID URL in full (section 4.4, step 6)."""
    name = str(document.get("id"))
    out = dict(document)
    for member in ("verificationMethod", "service", *RELATIONSHIPS):
        if type(out.get(member)) is list:
            out[member] = [
                item | {"id": absolute(item["id"], name)}
                if type(item) is dict and "id" in item
                else absolute(item, name) or item
                for item in out[member]
            ]
    return out


def dereference(
    url: DidUrl, found: Resolution, options: Options, *, uri_list: bool = False
) -> Resource:
    """What a DID URL leads to, given what its DID resolves to (section 5.4).

    Args:
        url: the DID URL.
        found: the resolution of its DID, without error.
        options: its own parameters and those of the question, together.
        uri_list: whether the addresses of services are wanted, not the document.

    Raises:
        NotFound: ``did-not-found``, ``key-not-found``. Gone: ``did-deactivated``.
        Malformed: ``did-url``, ``did-options``. Rejected: ``key-purpose``.
        Undecided: ``did-representation`` where addresses are wanted of something else.
    """
    if found.document is None:
        raise error("did-deactivated", f"{url.did} is deactivated")
    if url.path:
        raise error("did-not-found", f"nothing says where {url.path[:80]!r} of {url.did} leads")
    document = found.document
    if uri_list:
        if not options.services:
            raise error("did-representation", "only services lead to other addresses")
        return Resource(_addresses(url, document, options), {"contentType": URI_LIST})
    if options.services:
        document = document | {"service": _services(document, options)}
    if url.fragment is None:
        if options.relationship is not None:
            raise error("key-not-found", "a whole document is no verification method")
        return Resource(document, {"contentType": DOCUMENT_TYPE}, found.document_metadata)
    part = _part(document, f"{url.did}#{url.fragment}", options.relationship)
    context = {"@context": document["@context"]} if "@context" in document else {}
    return Resource(context | part, {"contentType": DOCUMENT_TYPE})


def _services(document: JsonObject, options: Options) -> list[JsonObject]:
    """The services asked for (5.4.1, step 7)."""
    name, wanted, kind = str(document["id"]), options.service, options.service_type
    ids = (wanted, absolute(wanted, name), f"{name}#{wanted}")
    return [
        service
        for service in document.get("service", [])
        if (wanted is None or absolute(service["id"], name) in ids)
        and (kind is None or kind == service["type"] or kind in _listed(service["type"]))
    ]


def _listed(value: Any) -> list[Any]:
    return value if type(value) is list else [value]


def _addresses(url: DidUrl, document: JsonObject, options: Options) -> list[str]:
    ends = [
        end
        for service in _services(document, options)
        for end in _listed(service["serviceEndpoint"])
        if type(end) is str
    ]
    out = [_address(end, options.relative_ref, url.fragment) for end in ends]
    if not out:
        raise error("did-not-found", f"{url.did} has no such service with an address")
    return out


def _address(end: str, relative: str | None, fragment: str | None) -> str:
    """One endpoint, with the reference and the fragment of the DID URL (RFC 3986, 5)."""
    if relative is not None:
        reference = quote(unquote(relative), safe="!#$%&'()*+,/:;=?@[]~")
        joined = urljoin(end, reference)
        if urlsplit(joined)[:2] != urlsplit(end)[:2]:
            raise error("did-options", "relativeRef leads away from the service")
        end = joined
    if fragment is not None:
        if "#" in end:
            raise error("did-url", "the service's address has a fragment already")
        end = f"{end}#{fragment}"
    if not is_uri(end) or end.partition(":")[0].lower() not in _SCHEMES:
        raise error("did-not-found", "the service leads to no address that is told here")
    return end


def _part(document: JsonObject, wanted: str, relationship: str | None) -> JsonObject:
    """The verification method or service of that id (5.4.2)."""
    name = str(document["id"])
    methods = [
        item
        for member in ("verificationMethod", *RELATIONSHIPS)
        for item in document.get(member, [])
        if type(item) is dict
    ]
    found = _by_id(methods, wanted, name)
    if relationship is not None:
        if found is None:
            raise error("key-not-found", f"{wanted[:120]} is no verification method")
        listed = document.get(relationship, [])
        if wanted not in [
            absolute(item["id"] if type(item) is dict else item, name) for item in listed
        ]:
            raise error("key-purpose", f"{wanted[:120]} is not listed under {relationship}")
    found = found or _by_id(document.get("service", []), wanted, name)
    if found is None:
        raise error("did-not-found", f"the document of {name[:80]} has no {wanted[:120]}")
    return found


def _by_id(items: Iterable[JsonObject], wanted: str, name: str) -> JsonObject | None:
    return next((item for item in items if absolute(item.get("id"), name) == wanted), None)
