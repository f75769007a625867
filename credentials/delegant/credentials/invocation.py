"""The invocation: the holder's signature over one request with one chain.

A compact JWS ``typ: agent-invocation+jwt`` by the subject of the last link, with claims
``iss, aud, iat, exp, jti, nonce?, chain, request``.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from . import did, jose, shape
from .codec import b64u_bytes, canonical, digest
from .did import Did
from .grammar import DID, DIGEST, WORDS

__all__ = [
    "INVOCATION_HARD_SECONDS",
    "INVOCATION_TYPE",
    "MAX_INVOCATION",
    "Invocation",
    "once_key",
    "signed_claims",
]

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
        return once_key(self.aud, self.iss, self.jti)

    @classmethod
    def read(cls, token: bytes) -> Invocation | None:
        """Read one whose parts are canonical at once; None for what `unpack` must take apart.

        As `grammar`, it only ever says yes, and what it reads `parse` would read alike.
        """
        if len(token) > MAX_INVOCATION:
            return None
        try:
            message, _, signed = token.rpartition(b".")
            head, _, claims = message.partition(b".")
            header = _HEADER.fullmatch(b64u_bytes(head).decode("ascii"))
            found = _CANONICAL.fullmatch(b64u_bytes(claims).decode("ascii"))
            signature = b64u_bytes(signed)
        except ValueError:
            return None
        if header is None or found is None or len(signature) != 64:
            return None
        claimed: tuple[Any, ...] = found.groups()
        aud, chain, exp, iat, iss, jti, nonce, request = claimed
        alg, method = header.groups()
        return cls(
            alg, method, message, signature, iss, aud, int(iat), int(exp), jti, nonce, chain,
            request,
        )  # fmt: skip

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
        found = signed_claims(jws, INVOCATION_TYPE, "invocation", frozenset({"nonce"}))
        return cls(jws.header["alg"], jws.header["kid"], jws.message, jws.signature, *found)


class Claims(NamedTuple):
    """What an invocation and an approval both claim."""

    iss: Did
    aud: Did
    iat: int
    exp: int
    jti: str
    nonce: str | None
    chain: str
    request: str


def signed_claims(
    jws: jose.Jws, typ: str, where: str, optional: frozenset[str] = frozenset()
) -> Claims:
    """Hold the header to ``typ`` and the claims to one request under one chain (phase 3).

    Raises:
        Malformed: ``shape``, ``unknown-member``.
    """
    jose.check_header(jws, typ)
    claims = shape.closed(jws.payload, where, _CLAIMS, optional)
    return Claims(
        did.check(claims["iss"]),
        did.check(claims["aud"]),
        shape.integer(claims["iat"], f"{where}.iat"),
        shape.integer(claims["exp"], f"{where}.exp"),
        shape.text(claims["jti"], f"{where}.jti", 128),
        shape.text(claims["nonce"], f"{where}.nonce", 128) if "nonce" in claims else None,
        shape.digest_text(claims["chain"], f"{where}.chain"),
        shape.digest_text(claims["request"], f"{where}.request"),
    )


def once_key(aud: str, iss: Did, jti: str) -> str:
    """What a signature made for one use is remembered by."""
    return digest(canonical([aud, iss, jti], floats=False))


_HEADER: Final = re.compile(
    rf'\{{"alg":"(EdDSA|Ed25519)","kid":"({WORDS}{{1,512}}+)","typ":"{re.escape(INVOCATION_TYPE)}"\}}',
    re.ASCII,
)
_SECONDS: Final = "(?:0|[1-9][0-9]{0,14}+)"
_CANONICAL: Final = re.compile(
    rf'\{{"aud":"({DID})","chain":"({DIGEST})","exp":({_SECONDS}),"iat":({_SECONDS})'
    rf',"iss":"({DID})","jti":"({WORDS}{{1,128}}+)",(?:"nonce":"({WORDS}{{1,128}}+)",)?'
    rf'"request":"({DIGEST})"\}}',
    re.ASCII,
)
