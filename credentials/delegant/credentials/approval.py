"""The approval: a human's signature over one request under one chain.

A compact JWS ``typ: agent-approval+jwt`` by whoever must approve, with claims
``iss, aud, chain, request, iat, exp, jti``. It is made over the `Request` itself, so that what
the human was shown and what is signed are the same bytes; `approved` judges it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from . import did, jose, shape
from .codec import JsonObject, b64u_encode
from .credential import Link
from .did import Did
from .errors import error
from .invocation import once_key, signed_claims
from .keys import PrivateKey, new_nonce
from .request import Request

__all__ = ["APPROVAL_HARD_SECONDS", "APPROVAL_TYPE", "MAX_APPROVAL", "Approval", "approve"]

APPROVAL_TYPE: Final = "agent-approval+jwt"
APPROVAL_HARD_SECONDS: Final = 900
MAX_APPROVAL: Final = 8192


class Approval(NamedTuple):
    """A parsed approval; nothing about it is verified yet.

    ``alg`` and ``method`` (its ``kid``) are what the header says, ``message`` is what is signed;
    ``iss`` is the human, ``aud`` the verifier, ``chain`` the digest of the last link, ``request``
    of the request; times are seconds.
    """

    alg: str
    method: str
    message: bytes
    signature: bytes
    iss: Did
    aud: Did
    iat: int
    exp: int
    jti: str
    chain: str
    request: str

    @property
    def token(self) -> str:
        """The compact JWS it was read from: there is one spelling of each."""
        return f"{self.message.decode('ascii')}.{b64u_encode(self.signature)}"

    @property
    def once_key(self) -> str:
        """What whoever accepts it must accept only once."""
        return once_key(self.aud, self.iss, self.jti)

    @classmethod
    def parse(cls, token: str) -> Approval:
        """Take the token apart (phase 2) and hold it to the profile (phase 3).

        Raises:
            LimitExceeded: ``limit-size``. Malformed: ``encoding``, ``json``,
            ``duplicate-member``, ``shape``, ``unknown-member``.
        """
        jws = jose.split(token, size=MAX_APPROVAL)
        found = signed_claims(jws, APPROVAL_TYPE, "approval")
        return cls(
            jws.header["alg"], jws.header["kid"], jws.message, jws.signature, found.iss, found.aud,
            found.iat, found.exp, found.jti, found.chain, found.request,
        )  # fmt: skip


def approve(
    key: PrivateKey,
    *,
    human: str,
    chain: Sequence[Link] | str,
    request: Request,
    audience: str,
    at: int,
    seconds: int = APPROVAL_HARD_SECONDS,
) -> str:
    """Approve one request, once, at one verifier: a compact JWS.

    Args:
        key: the human's own.
        human: their DID.
        chain: the whole chain it will be asked for with, root first, or the digest of its last
            link.
        request: what is approved; show the human this, and nothing made from anything else.
        audience: the verifier's id, a DID.
        at: now, seconds since 1970.
        seconds: how long it may be used, 15 minutes at most.

    Raises:
        Rejected: ``did-key-mismatch`` when the key is not the human's, ``ttl-too-long``.
        Malformed: ``shape``.
    """
    name = did.check(human)
    if did.embeds_key(name) and did.key_of(name) != key.public:
        raise error("did-key-mismatch", f"the key is not that of {human}")
    if shape.integer(seconds, "seconds", 1) > APPROVAL_HARD_SECONDS:
        raise error("ttl-too-long", f"an approval lives at most {APPROVAL_HARD_SECONDS} seconds")
    claims: JsonObject = {
        "iss": name,
        "aud": did.check(audience),
        "iat": at,
        "exp": at + seconds,
        "jti": new_nonce(),
        "chain": shape.digest_text(chain, "chain") if isinstance(chain, str) else chain[-1].digest,
        "request": request.digest,
    }
    return jose.sign(claims, key, APPROVAL_TYPE, did.method_for(name, key.public))
