"""What a holder sends: the chain's links, and the invocation that binds them to one act.

* presentation: ``{links, invocation?, approvals?}``, links root first.
* bundle: one file ``{presentation, request, evidence}``. Trust is never in it: the verifier
  brings its own.
* invocation: a compact JWS ``typ: agent-invocation+jwt`` by the subject of the last link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import did, jose, shape
from .budget import HARD
from .codec import Json, JsonObject, canonical, digest, parse_object
from .did import Did
from .envelope import Secured, unpack
from .errors import error
from .evidence import Evidence
from .request import Request

__all__ = ["INVOCATION_TYPE", "Bundle", "Invocation", "Presentation"]

INVOCATION_TYPE: Final = "agent-invocation+jwt"
INVOCATION_HARD_SECONDS: Final = 120
MAX_INVOCATION: Final = 8192
MAX_PRESENTATION: Final = 1024 * 1024
MAX_BUNDLE: Final = 9 * 1024 * 1024

_CLAIMS: Final = frozenset({"iss", "aud", "iat", "exp", "jti", "chain", "request"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """A parsed invocation; nothing about it is verified yet.

    ``chain`` is the digest of the last link, ``request`` of the request, times are seconds.
    """

    jws: jose.Jws
    method: str
    iss: Did
    aud: str
    iat: int
    exp: int
    jti: str
    nonce: str | None
    chain: str
    request: str

    @property
    def once_key(self) -> str:
        """What whoever accepts it must accept only once."""
        return digest(canonical([self.aud, self.iss, self.jti]))

    @classmethod
    def unpack(cls, token: str) -> jose.Jws:
        """Take the token apart (phase 2)."""
        return jose.split(token, size=MAX_INVOCATION)

    @classmethod
    def parse(cls, jws: jose.Jws) -> Invocation:
        """Hold header and claims to the profile (phase 3).

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        method = jose.check_header(jws, INVOCATION_TYPE)
        claims = shape.closed(jws.payload, "invocation", _CLAIMS, frozenset({"nonce"}))
        return cls(
            jws,
            method,
            did.check(claims["iss"]),
            did.check(claims["aud"]),
            shape.integer(claims["iat"], "invocation.iat"),
            shape.integer(claims["exp"], "invocation.exp"),
            shape.text(claims["jti"], "invocation.jti", 128),
            shape.text(claims["nonce"], "invocation.nonce", 128) if "nonce" in claims else None,
            shape.digest_text(claims["chain"], "invocation.chain"),
            shape.digest_text(claims["request"], "invocation.request"),
        )


@dataclass(frozen=True, slots=True)
class Presentation:
    """Links and invocation as they were sent, taken apart (phase 2)."""

    links: tuple[Secured, ...]
    invocation: str | None = None
    approvals: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: bytes, *, size: int = MAX_PRESENTATION) -> Presentation:
        """Read the bytes of a presentation.

        Raises:
            LimitExceeded: ``limit-*``. Malformed: the codes of phases 2 and 3.
        """
        return cls.from_json(parse_object(data, size=size))

    @classmethod
    def from_json(cls, value: Json) -> Presentation:
        """From a parsed JSON object."""
        optional = frozenset({"invocation", "approvals"})
        shape.closed(value, "presentation", frozenset({"links"}), optional)
        links = shape.array(value["links"], "links", most=4096)
        if len(links) > HARD.links:  # before any of them is taken apart
            raise error("limit-links", f"{len(links)} links, {HARD.links} are the most")
        token = value.get("invocation")
        if "invocation" in value and type(token) is not str:
            raise error("shape", "invocation is not a compact JWS")
        approvals: tuple[str, ...] = ()
        if "approvals" in value:
            approvals = shape.array_of(value["approvals"], "approvals", _token)
        return cls(tuple(unpack(link) for link in links), token, approvals)

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        out: JsonObject = {"links": [link.raw for link in self.links]}
        if self.invocation is not None:
            out["invocation"] = self.invocation
        if self.approvals:
            out["approvals"] = list(self.approvals)
        return out

    def to_bytes(self) -> bytes:
        """The wire form in RFC 8785 bytes."""
        return canonical(self.json)


def _token(value: Json, where: str) -> str:
    if not jose.is_compact(value):
        raise error("shape", f"{where} are compact JWS")
    return str(value)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything a verifier needs but its trust, in one file."""

    presentation: Presentation
    request: Request
    evidence: Evidence

    @classmethod
    def parse(cls, data: bytes) -> Bundle:
        """Read a bundle file.

        Raises:
            LimitExceeded: ``limit-*``. Malformed: the codes of phases 2 and 3.
        """
        value = parse_object(data, size=MAX_BUNDLE)
        shape.closed(value, "bundle", frozenset({"presentation", "request", "evidence"}))
        return cls(
            Presentation.from_json(value["presentation"]),
            Request.from_json(value["request"]),
            Evidence.from_json(value["evidence"]),
        )

    def to_bytes(self) -> bytes:
        """The file's bytes, RFC 8785."""
        return canonical(
            {
                "presentation": self.presentation.json,
                "request": self.request.json,
                "evidence": self.evidence.json,
            }
        )
