"""``GET /1.0/identifiers/{did}`` and ``did.json``: DID Resolution over HTTP (its section 12.1).

Which of the answers a caller gets, Accept says:

* ``application/did-resolution`` (also ``*/*``): the document with its metadata;
* ``application/did-url-dereferencing``: what a DID URL leads to, with its metadata; a service,
  as 303 to its address;
* ``application/did``, ``application/did+json``, ``application/did+ld+json``,
  ``application/json``, ``application/ld+json``: the document, or the part of it, alone;
* ``text/uri-list``: 303 to the address of a service;
* ``application/ld+json;profile="https://w3id.org/did-resolution"``: the result as it was before
  there were error objects, for clients of that time.
"""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from fastapi import FastAPI, Request, Response

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import CODES, Error, error
from delegant.w3c.dids import checked
from delegant.w3c.didurl import DidUrl, Options
from delegant.w3c.didweb import WELL_KNOWN
from delegant.w3c.resolution import (
    DID_ERRORS,
    DOCUMENT_TYPE,
    URI_LIST,
    Resolution,
    Resource,
    dereference,
    status_of,
)

from .accept import MAX_ACCEPT, choose
from .dids import Dids
from .fetch import AT_ONCE

__all__ = ["LEGACY", "RESOLUTION", "RESOURCE", "add", "negotiate"]

RESOLUTION: Final = "application/did-resolution"
RESOURCE: Final = "application/did-url-dereferencing"
LEGACY: Final = 'application/ld+json;profile="https://w3id.org/did-resolution"'
_PLAIN: Final = (
    "application/did",
    "application/did+json",
    "application/did+ld+json",
    "application/json",
    "application/ld+json",
)
OFFERED: Final = (RESOLUTION, RESOURCE, *_PLAIN, URI_LIST, LEGACY)
"""In the order of preference, where a caller has none."""
MAX_PARAMETERS: Final = 16
WAITING: Final = 64
"""Most questions that may wait for the network at once; the next is told to come back."""


def add(app: FastAPI, dids: Dids) -> None:
    """The routes.

    What needs the network has threads of its own, so that slow hosts of others hold up nothing
    else that this server answers.
    """
    network = ThreadPoolExecutor(AT_ONCE, "identifiers")
    waiting = threading.BoundedSemaphore(WAITING)

    @app.get("/1.0/identifiers/{name:path}")
    async def identifiers(name: str, http: Request) -> Response:
        """Resolve a DID, or dereference a DID URL."""
        raw = http.scope.get("raw_path") or name.encode()
        asked = _asked(raw.decode("latin-1").partition("/1.0/identifiers/")[2])
        query = str(http.scope["query_string"], "latin-1")
        accept = ",".join(http.headers.getlist("accept"))
        if not asked.startswith("did:web"):
            return await asyncio.to_thread(_answer, dids, asked, query, accept)
        if not waiting.acquire(blocking=False):
            raise error("too-many", "questions that wait for the network")
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(network, _answer, dids, asked, query, accept)
        finally:
            waiting.release()

    async def document(http: Request) -> Response:
        """A document of this home's own."""
        found = await asyncio.to_thread(dids.at, str(http.scope["path"]))
        return _json(found, 200, "application/did+json", {"cache-control": "max-age=60"})

    app.get(WELL_KNOWN)(document)
    app.get("/{folder:path}/did.json")(document)


def _json(value: Any, status: int, media: str, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, media_type=media)


def _asked(raw: str) -> str:
    """The DID or DID URL in the path, URL-encoded or as it is.

    A DID may itself hold percent signs (``did:web:localhost%3A8443``), so one that stands there
    with its colons is taken as it is, but for ``#`` and ``?``, which no path can hold.
    """
    if raw.startswith("did:"):
        return raw.replace("%23", "#").replace("%3F", "?").replace("%3f", "?")
    return unquote(raw)


def _answer(dids: Dids, asked: str, query: str, accept: str) -> Response:
    try:
        media = negotiate(accept)
    except Error as exc:
        return _refused(exc, RESOLUTION, asked)
    try:
        return _resolved(dids, asked, query, media)
    except Error as exc:
        return _refused(exc, media, asked)


def _options(url: DidUrl, query: str) -> Options:
    """The parameters of the DID URL, and those of the question."""
    try:
        asked = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise error("did-options", f"more than {MAX_PARAMETERS} parameters") from None
    if any(not value.isascii() for pair in asked for value in pair):
        raise error("did-options", "a parameter is not plain ASCII text")
    asked = [pair for pair in asked if pair[0] != "accept"]  # Accept says it
    own = url.parameters
    try:
        Options.read(own)
    except Error as exc:
        if exc.code == "did-feature":  # nobody knows where such a query leads (5.4.1, step 9)
            raise error("did-not-found", exc.detail) from None
        raise
    return Options.read([*own, *asked])


def _resolved(dids: Dids, asked: str, query: str, media: str) -> Response:
    url = _url(asked, media)
    options = _options(url, query)
    found = dids.resolve(url.did, options)
    part = bool(url.path) or url.fragment is not None or options.relationship is not None
    if media == RESOLUTION and not part:
        found = _with_services(found, url, options)
        kind = {} if found.document is None else {"contentType": DOCUMENT_TYPE}
        result = Resolution(found.document, kind | found.metadata, found.document_metadata)
        return _json(result.json, 410 if found.deactivated else 200, RESOLUTION)
    if media == LEGACY:
        return _old(dereference(url, found, options), found, part)
    uri_list = media == URI_LIST or (media == RESOURCE and options.services)
    resource = dereference(url, found, options, uri_list=uri_list)
    if uri_list and type(resource.content) is list:
        return Response(b"", 303, {"location": resource.content[0]}, media_type=URI_LIST)
    if media in _PLAIN:
        return _json(resource.content, 200, media)
    return _json(resource.json, 200, RESOURCE)


def _url(asked: str, media: str) -> DidUrl:
    try:
        return DidUrl.parse(asked)
    except Error:
        if media != RESOURCE:
            name = asked.partition("#")[0].partition("?")[0].partition("/")[0]
            checked(name)
        raise


def _with_services(found: Resolution, url: DidUrl, options: Options) -> Resolution:
    """The document with the services asked for alone (5.4.1, step 7)."""
    if found.document is None or not options.services:
        return found
    content = dereference(url, found, options).content
    document = content if type(content) is dict else None
    return Resolution(document, found.metadata, found.document_metadata)


# --- refusals ------------------------------------------------------------------------------------


def _refused(exc: Error, media: str, asked: str) -> Response:
    status = status_of(exc)
    if media == LEGACY:
        return _json(_old_error(exc, asked), status, LEGACY)
    if media in (RESOURCE, URI_LIST):
        return _json(Resource.of(exc).json, status, RESOURCE)
    return _json(Resolution.of(exc).json, status, RESOLUTION)


def _old(resource: Resource, found: Resolution, part: bool) -> Response:
    result: JsonObject = {
        "@context": "https://w3id.org/did-resolution/v1",
        "didDocument": resource.content,
        "didDocumentMetadata": found.document_metadata,
        "didResolutionMetadata": {"contentType": "application/did+ld+json"},
    }
    if part:
        result["didDereferencingMetadata"] = {"contentType": "application/did+ld+json"}
    return _json(result, 200, LEGACY)


def _old_error(exc: Error, asked: str) -> JsonObject:
    """The error as one word, as the did:key draft and DID Core 1.0 have it."""
    url = any(mark in asked for mark in "/?#")
    if url and asked.startswith("did:key:") and exc.code == "did-not-found":
        word = "invalidDidUrl"
    elif exc.dimension:
        word = exc.dimension
    else:
        first, *rest = DID_ERRORS.get(exc.code, ("INTERNAL_ERROR", 500))[0].lower().split("_")
        word = first + "".join(one.capitalize() for one in rest)
    told = {"error": word, "message": f"{CODES[exc.code].meaning}: {exc.detail}"}
    result: JsonObject = {
        "@context": "https://w3id.org/did-resolution/v1",
        "didDocument": None,
        "didDocumentMetadata": {},
        "didResolutionMetadata": told,
    }
    return result | ({"didDereferencingMetadata": told} if url else {})


# --- Accept --------------------------------------------------------------------------------------


def negotiate(accept: str) -> str:
    """The representation a caller prefers among `OFFERED` (RFC 9110, 12.5.1).

    Raises:
        Rejected: ``did-representation``. Malformed: ``did-options`` for no Accept at all.
    """
    if not accept.isascii() or len(accept) > MAX_ACCEPT:
        raise error("did-options", "Accept is not a list of media types")
    best = choose(accept, OFFERED, (LEGACY,))  # the old form only for who asks for it
    if best is None:
        raise error("did-representation", f"none of {accept[:120]!r}")
    return best
