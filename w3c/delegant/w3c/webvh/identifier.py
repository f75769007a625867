"""The did:webvh identifier and where its log is published (did:webvh 1.0, method-specific id).

>>> urls("did:webvh:QmfG1Dx5wj8zxVVkdTcD81teRgV5DLuQcUvzizd75x8Zxd:example.com%3A3000:a").log
'https://example.com:3000/a/did.jsonl'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from delegant.credentials.codec import Json
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.w3c.dids import checked

from .hashes import is_hash

__all__ = ["PLACEHOLDER", "Name", "Urls", "read", "template", "urls"]

PLACEHOLDER: Final = "{SCID}"
"""Stands for the SCID while it is computed."""
_PREFIX: Final = "did:webvh:"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 1123 labels, at least two; the last begins with a letter, which no IP address does.
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+(?=[A-Za-z]){_LABEL}", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_TRIPLET: Final = re.compile(r"%([0-9A-F]{2})", re.ASCII)
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NEVER: Final = frozenset(b"/\\?#%:@") | frozenset(range(0x21)) | {0x7F}
"""Octets that would end or leave a segment of a path, wherever a server decodes it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A did:webvh in its parts.

    Attributes:
        did: the whole.
        scid: the self-certifying identifier.
        host: lower case.
        port: None for 443.
        path: the segments, percent-encoded as they stand in the DID.
    """

    did: Did
    scid: str
    host: str
    port: int | None
    path: tuple[str, ...]

    @property
    def web(self) -> Did:
        """The did:web of the same place."""
        return Did("did:web:" + self.did[len(_PREFIX) + len(self.scid) + 1 :])

    @property
    def base(self) -> str:
        """Where paths of the DID lead: no ``.well-known``, a slash at the end."""
        port = "" if self.port is None else f":{self.port}"
        return f"https://{self.host}{port}/" + "".join(f"{part}/" for part in self.path)


@dataclass(frozen=True, slots=True)
class Urls:
    """What is published of a did:webvh, and where."""

    log: str
    witness: str
    web: str  # the did.json of a parallel did:web
    files: str
    whois: str


def read(name: Json) -> Name:
    """The parts of a did:webvh.

    Accepted are the ASCII spellings alone: an internationalised domain in its ``xn--`` form,
    other characters of a path percent-encoded, upper case, and nothing encoded that need not be.

    Raises:
        Malformed: ``did-invalid``.
    """
    who = checked(name)
    if not who.startswith(_PREFIX):
        raise error("did-invalid", f"{who[:80]!r} is not a did:webvh")
    scid, _, rest = who[len(_PREFIX) :].partition(":")
    if not is_hash(scid):
        raise error("did-invalid", f"{scid[:60]!r} is not a SCID")
    return _located(who, scid, rest)


def template(host: str, path: tuple[str, ...] = (), port: int | None = None) -> str:
    """The DID of a place, with the placeholder for its SCID.

    Raises:
        Malformed: ``did-invalid``.
    """
    place = ":".join((host if port is None else f"{host}%3A{port}", *path))
    checked(f"did:webvh:{place}")
    _located(Did(f"{_PREFIX}{PLACEHOLDER}:{place}"), PLACEHOLDER, place)
    return f"{_PREFIX}{PLACEHOLDER}:{place}"


def _located(who: Did, scid: str, rest: str) -> Name:
    domain, *path = rest.split(":")
    host, colon, port = domain.partition("%3A")
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise error("did-invalid", f"{domain[:80]!r} is not a domain name")
    if colon and not (_PORT.fullmatch(port) and int(port) < 65536):
        raise error("did-invalid", f"{port[:20]!r} is not a port")
    for part in path:
        _segment(part)
    return Name(who, scid, host.lower(), int(port) if colon else None, tuple(path))


def _segment(part: str) -> None:
    octets = [int(two, 16) for two in _TRIPLET.findall(part)]
    if any(octet in _PLAIN or octet in _NEVER for octet in octets):
        raise error("did-invalid", f"{part[:80]!r} encodes what it must not")
    try:
        decoded = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise error("did-invalid", f"{part[:80]!r} is not UTF-8") from None
    if not decoded.strip("."):
        raise error("did-invalid", "a path that leaves its folder")


def urls(name: Json) -> Urls:
    """Where the log of a DID, and what goes with it, is published; nothing is fetched.

    Raises:
        Malformed: ``did-invalid``.
    """
    place = read(name)
    base = place.base
    log = base if place.path else f"{base}.well-known/"
    return Urls(
        log=f"{log}did.jsonl",
        witness=f"{log}did-witness.json",
        web=f"{log}did.json",
        files=base,
        whois=f"{base}whois.vp",
    )
