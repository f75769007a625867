"""The invocation: the holder's signature over one request with one chain.

A compact JWS ``typ: agent-invocation+jwt`` by the subject of the last link, with claims
``iss, aud, iat, exp, jti, nonce?, chain, request``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from . import did, jose, shape
from .codec import canonical, digest
from .did import Did

__all__ = ["INVOCATION_HARD_SECONDS", "INVOCATION_TYPE", "MAX_INVOCATION", "Invocation"]

INVOCATION_TYPE: Final = "agent-invocation+jwt"
INVOCATION_HARD_SECONDS: Final = 120
MAX_INVOCATION: Final = 8192

_CLAIMS: Final = frozenset({"iss", "aud", "iat", "exp", "jti", "chain", "request"})


class Invocation(NamedTuple):
    """A parsed invocation; nothing about it is verified yet.

    ``alg`` and ``method`` (its ``kid``) are what the header says, ``message`` is what is signed;
    ``chain`` is the digest of the last link, ``request`` of the request, times are seconds.
    """

    alg: str
    method: str
    message: bytes
    signature: bytes
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
        return digest(canonical([self.aud, self.iss, self.jti], floats=False))

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
            jws.header["alg"],
            method,
            jws.message,
            jws.signature,
            did.check(claims["iss"]),
            did.check(claims["aud"]),
            shape.integer(claims["iat"], "invocation.iat"),
            shape.integer(claims["exp"], "invocation.exp"),
            shape.text(claims["jti"], "invocation.jti", 128),
            shape.text(claims["nonce"], "invocation.nonce", 128) if "nonce" in claims else None,
            shape.digest_text(claims["chain"], "invocation.chain"),
            shape.digest_text(claims["request"], "invocation.request"),
        )
