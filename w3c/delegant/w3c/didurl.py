"""DID URLs and what may be asked in them (DID Core 1.0, 3.2; DID Resolution 1.0, 3 and 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from delegant.credentials import did
from delegant.credentials.codec import Json
from delegant.credentials.did import Did
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import time

from .dids import RELATIONSHIPS, checked

__all__ = ["DidUrl", "Options", "absolute"]

MAX_URL: Final = 4096
_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_DID_URL: Final = re.compile(
    rf"(?P<did>{did.SYNTAX})(?P<path>(?:/{_PCHAR}*)*)"
    rf"(?:\?(?P<query>(?:{_PCHAR}|[/?])*))?(?:#(?P<fragment>(?:{_PCHAR}|[/?])*))?",
    re.ASCII,
)
_RELATIVE: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+", re.ASCII)


def absolute(value: Json, name: str) -> str:
    """A DID URL that may be relative to a document's DID, in full; "" for what is no text."""
    if type(value) is not str:
        return ""
    return name + value if value[:1] in ("#", "?", "/") else value


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID URL in its parts; ``query`` and ``fragment`` are None where no ``?`` or ``#`` stands.

    Attributes:
        did: the DID.
        path: from ``/`` on, or empty.
    """

    did: Did
    path: str = ""
    query: str | None = None
    fragment: str | None = None

    @classmethod
    def parse(cls, text: Json) -> DidUrl:
        """Read a DID URL.

        Raises:
            Malformed: ``did-url``.
        """
        match = _DID_URL.fullmatch(text) if type(text) is str and len(text) <= MAX_URL else None
        if match is None:
            raise error("did-url", f"{str(text)[:80]!r} is not a DID URL")
        try:
            name = checked(match["did"])
        except Error as exc:
            raise error("did-url", exc.detail) from None
        return cls(name, match["path"], match["query"], match["fragment"])

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.did}{self.path}{query}{'' if self.fragment is None else f'#{self.fragment}'}"

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters in the query, names and values as they stand there."""
        if not self.query:
            return []
        pairs = [item.partition("=") for item in self.query.split("&")]
        return [(name, value) for name, _, value in pairs]


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a resolver besides the DID.

    Attributes:
        version_id, version_time, version_number: which version; seconds since 1970 for the time.
        service, service_type: which services.
        relative_ref: a reference relative to the service's endpoint, still percent-encoded.
        relationship: what the verification method must be listed for.
        key_format: of did:key: Multikey, JsonWebKey, JsonWebKey2020, Ed25519VerificationKey2020.
        agreement: of did:key: whether an X25519 key is derived.
        expand: whether relative DID URLs in the document become absolute.
        experimental: of did:key: whether other formats may be asked for; None: nothing was said.
    """

    version_id: str | None = None
    version_time: int | None = None
    version_number: int | None = None
    service: str | None = None
    service_type: str | None = None
    relative_ref: str | None = None
    relationship: str | None = None
    key_format: str | None = None
    agreement: bool | None = None
    expand: bool = False
    experimental: bool | None = None

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> Options:
        """Read parameters, as they stand in the query of a DID URL.

        Raises:
            Malformed: ``did-options``. Undecided: ``did-feature`` for names we do not know.
        """
        found: dict[str, str | int | bool] = {}
        for name, raw in pairs:
            field = _FIELDS.get(name)
            value = raw if name == "relativeRef" else unquote(raw)
            if not value.isascii() or not value.isprintable() or not name.isascii():
                raise error("did-options", f"{name[:40]!r} is not plain ASCII text")
            if field is None:
                raise error("did-feature", f"the parameter {name[:40]!r} is not known here")
            if field in found and found[field] != _read(name, value):
                raise error("did-options", f"{name} stands twice")
            found[field] = _read(name, value)
        versions = {"version_id", "version_time", "version_number"} & found.keys()
        if len(versions) > 1:
            raise error("did-options", "one of versionId, versionTime and versionNumber")
        return cls(**found)  # type: ignore[arg-type]

    @property
    def versioned(self) -> bool:
        """Whether a version is asked for."""
        return any(
            one is not None for one in (self.version_id, self.version_time, self.version_number)
        )

    @property
    def services(self) -> bool:
        """Whether services are asked for."""
        return self.service is not None or self.service_type is not None


_FIELDS: Final = {
    "versionId": "version_id",
    "versionTime": "version_time",
    "versionNumber": "version_number",
    "service": "service",
    "serviceType": "service_type",
    "relativeRef": "relative_ref",
    "verificationRelationship": "relationship",
    "publicKeyFormat": "key_format",
    "enableEncryptionKeyDerivation": "agreement",
    "expandRelativeUrls": "expand",
    "enableExperimentalPublicKeyTypes": "experimental",
}
_FLAGS: Final = ("agreement", "expand", "experimental")


def _read(name: str, value: str) -> str | int | bool:
    field = _FIELDS[name]
    if field == "version_time":
        try:
            return time(value, name)
        except Error as exc:
            raise error("did-options", exc.detail) from None
    if field == "version_number":
        if not re.fullmatch(r"[1-9][0-9]{0,8}", value, re.ASCII):
            raise error("did-options", "versionNumber counts from 1")
        return int(value)
    if field in _FLAGS:
        if value not in ("true", "false"):
            raise error("did-options", f"{name} is true or false")
        return value == "true"
    if field == "relationship" and value not in RELATIONSHIPS:
        raise error("did-options", f"{name} is one of {', '.join(RELATIONSHIPS)}")
    if field == "relative_ref" and not _RELATIVE.fullmatch(value):
        raise error("did-options", "relativeRef is a relative reference, percent-encoded")
    if not value:
        raise error("did-options", f"{name} is empty")
    return value
