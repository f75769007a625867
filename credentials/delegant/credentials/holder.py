"""Presenting: the holder binds a chain to one act at one audience, with its own key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from . import did, jose
from .codec import JsonObject
from .credential import Link
from .errors import error
from .invocation import INVOCATION_TYPE
from .keys import PrivateKey, new_nonce
from .presentation import Presentation
from .request import Request

__all__ = ["invoke", "present"]

DEFAULT_SECONDS: Final = 60


def present(
    links: Sequence[Link],
    key: PrivateKey,
    *,
    audience: str,
    request: Request,
    at: int,
    seconds: int = DEFAULT_SECONDS,
    nonce: str | None = None,
    approvals: Sequence[str] = (),
) -> Presentation:
    """The chain and an invocation of it for one request.

    Args:
        links: the whole chain, root first.
        key: that of the last link's subject.
        audience: the verifier's id, a DID.
        at: now, seconds since 1970.
        approvals: by the humans who must approve it, as `approve` makes them.

    Raises:
        Rejected: ``holder-mismatch`` when the key is not the last subject's, ``use`` for a
        mandate. Malformed: ``shape``.
    """
    last = links[-1]
    if last.use == "mandate":
        raise error("use", "a mandate is never invoked: issue a grant under it")
    token = invoke(
        key,
        holder=last.subject,
        audience=audience,
        chain=last.digest,
        request=request,
        at=at,
        seconds=seconds,
        nonce=nonce,
    )
    return Presentation(tuple(link.secured for link in links), token, tuple(approvals))


def invoke(
    key: PrivateKey,
    *,
    holder: str,
    audience: str,
    chain: str,
    request: Request,
    at: int,
    seconds: int = DEFAULT_SECONDS,
    nonce: str | None = None,
) -> str:
    """The invocation alone, a compact JWS.

    Args:
        chain: the digest of the last link (or of whatever document stands for it).

    Raises:
        Rejected: ``holder-mismatch``. Malformed: ``shape``.
    """
    name = did.check(holder)
    method = did.method_for(name, key.public)
    if did.embeds_key(name) and did.key_of(name) != key.public:
        raise error("holder-mismatch", f"the key is not that of {holder}")
    claims: JsonObject = {
        "iss": name,
        "aud": did.check(audience),
        "iat": at,
        "exp": at + seconds,
        "jti": new_nonce(),
        "chain": chain,
        "request": request.digest,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return jose.sign(claims, key, INVOCATION_TYPE, method)
