"""did:web: where its document lies, what it may say, and documents of our own (CCG draft).

The document of ``did:web:acme.example:people:ana`` lies at
``https://acme.example/people/ana/did.json``. Nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time

from .dids import DID_CONTEXT, MULTIKEY_CONTEXT, RELATIONSHIPS, checked
from .keys import Key

__all__ = ["WELL_KNOWN", "Listed", "document", "from_url", "host_of", "path_of", "to_url"]

PREFIX: Final = "did:web:"
WELL_KNOWN: Final = "/.well-known/did.json"
_LABEL: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
SIGNING: Final = RELATIONSHIPS[:4]
"""The relationships of a key that signs."""


def host_of(name: Did) -> tuple[str, int]:
    """Host and port of a did:web; the port is 443 where none stands.

    Raises:
        Malformed: ``did-invalid``: not a did:web, an IP address, upper case, a bad port.
    """
    return _parts(name)[:2]


def path_of(name: Did) -> str:
    """The path of the document on its host, from ``/`` on.

    Raises:
        Malformed: ``did-invalid``.
    """
    segments = _parts(name)[2]
    return f"/{'/'.join(segments)}/did.json" if segments else WELL_KNOWN


def to_url(name: Did) -> str:
    """The https URL of the document.

    Raises:
        Malformed: ``did-invalid``.
    """
    host, port, _ = _parts(name)
    return f"https://{host}{'' if port == 443 else f':{port}'}{path_of(name)}"


def from_url(url: str) -> Did:
    """The did:web whose document lies at this https URL, or below this https address.

    ``https://acme.example`` and ``https://acme.example/.well-known/did.json`` are both
    ``did:web:acme.example``; ``https://acme.example/people/ana`` is
    ``did:web:acme.example:people:ana``.

    Raises:
        Malformed: ``did-invalid``.
    """
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme != "https" or "%" in rest:
        raise error("did-invalid", f"{url[:80]!r} is no plain https address")
    whole = slash + path
    folder = "" if whole == WELL_KNOWN else whole.removesuffix("/did.json").removesuffix("/")
    name = checked(PREFIX + authority.replace(":", "%3A") + folder.replace("/", ":"))
    if whole.endswith("did.json") and to_url(name) != url:
        raise error("did-invalid", f"no did:web has its document at {url[:80]!r}")
    _parts(name)
    return name


def _parts(name: Did) -> tuple[str, int, list[str]]:
    if not name.startswith(PREFIX):
        raise error("did-invalid", f"{name[:80]} is not a did:web")
    authority, *segments = name[len(PREFIX) :].split(":")
    host, percent, port = authority.partition("%3A")
    if len(host) > 253 or not _HOST.fullmatch(host) or _NUMBER.fullmatch(host.split(".")[-1]):
        raise error("did-invalid", f"{host[:80]!r} is not a lower-case host name")
    if percent and (not _PORT.fullmatch(port) or int(port) > 65535 or port == "443"):
        raise error("did-invalid", f"{port[:16]!r} is not a port, or the one nobody writes")
    for segment in segments:
        # percent-encoded characters could only hide a slash or a dot; nobody needs them here
        if not _SEGMENT.fullmatch(segment) or not segment.strip("."):
            raise error("did-invalid", f"{segment[:80]!r} is no plain part of a path")
    return host, int(port) if percent else 443, segments


@dataclass(frozen=True, slots=True)
class Listed:
    """A key in a document.

    Attributes:
        key: the key; its Multikey form is also the fragment it is named by.
        relationships: what it may be used for; all of signing as default.
        expires, revoked: seconds since 1970; from then on the key counts for nothing.
    """

    key: Key
    relationships: tuple[str, ...] = SIGNING
    expires: int | None = None
    revoked: int | None = None

    def method(self, name: str) -> JsonObject:
        """The verification method (Controlled Identifiers 1.0, 2.2)."""
        out: JsonObject = {
            "id": f"{name}#{self.key.multikey}",
            "type": "Multikey",
            "controller": name,
            "publicKeyMultibase": self.key.multikey,
        }
        for member, moment in (("expires", self.expires), ("revoked", self.revoked)):
            if moment is not None:
                out[member] = format_time(moment)
        return out


def document(
    name: Did,
    keys: Iterable[Listed],
    *,
    services: Iterable[Mapping[str, Json]] = (),
    also_known_as: Iterable[str] = (),
    controller: str | None = None,
) -> JsonObject:
    """A document of our own, for a did:web or any DID whose document is written by hand.

    Args:
        name: the DID.
        keys: its keys; a revoked or expired one stays listed, with its instant.
        services: maps with ``id`` (``#files``), ``type`` and ``serviceEndpoint``.
        also_known_as: other URIs of the same subject.
        controller: who may change the document, where that is another DID.

    Raises:
        Malformed: ``did-document`` when a key stands twice, or for no known purpose.
    """
    listed = list(keys)
    if len({one.key for one in listed}) != len(listed):
        raise error("did-document", f"a key of {name} is listed twice")
    if any(set(one.relationships) - set(RELATIONSHIPS) for one in listed):
        raise error("did-document", f"relationships are {', '.join(RELATIONSHIPS)}")
    out: JsonObject = {"@context": [DID_CONTEXT, MULTIKEY_CONTEXT], "id": name}
    if others := list(also_known_as):
        out["alsoKnownAs"] = others
    if controller is not None:
        out["controller"] = controller
    out["verificationMethod"] = [one.method(name) for one in listed]
    for relationship in RELATIONSHIPS:
        ids = [f"{name}#{one.key.multikey}" for one in listed if relationship in one.relationships]
        if ids:
            out[relationship] = ids
    if found := [dict(service) for service in services]:
        out["service"] = [one | {"id": _absolute(one.get("id"), name)} for one in found]
    return out


def _absolute(value: Json, name: str) -> Json:
    return name + value if type(value) is str and value.startswith("#") else value
