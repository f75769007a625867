"""Compact JWS with EdDSA (RFC 7515, RFC 8037), for ``vc+jwt`` and the invocation.

The header is closed: ``alg``, ``typ``, ``kid`` and nothing else, so no embedded key, no
``crit``, no ``b64``. The key never comes from the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .codec import MAX_MEMBERS, JsonObject, b64u_decode, b64u_encode, canonical, parse_object
from .errors import error
from .keys import PrivateKey
from .shape import closed, text

__all__ = ["ALGORITHMS", "Jws", "is_compact", "sign", "split"]

ALGORITHMS: Final = ("EdDSA", "Ed25519")
_HEADER: Final = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True, slots=True)
class Jws:
    """A compact JWS taken apart. Nothing about it is verified yet."""

    header: JsonObject
    payload: JsonObject
    message: bytes
    signature: bytes


def sign(payload: JsonObject, key: PrivateKey, typ: str, kid: str, *, floats: bool = True) -> str:
    """The compact serialisation; the payload is written in RFC 8785 form.

    Args:
        floats: whether the payload may hold a float (see `codec.canonical`).
    """
    header = canonical({"alg": "EdDSA", "kid": kid, "typ": typ}, floats=False)
    message = f"{b64u_encode(header)}.{b64u_encode(canonical(payload, floats=floats))}"
    return f"{message}.{b64u_encode(key.sign(message.encode('ascii')))}"


def split(
    token: str,
    *,
    size: int,
    members: int = MAX_MEMBERS,
    header: int = 4096,
    signature: int = 128,
) -> Jws:
    """Take a compact JWS apart.

    Args:
        size: characters it may have.
        members: object members and array items the payload may have in all.
        header: bytes the header may have.
        signature: characters the signature may have.

    Raises:
        LimitExceeded: ``limit-size``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``, ``shape``.
    """
    if len(token) > size:
        raise error("limit-size", f"a token of {len(token)} characters, {size} are allowed")
    parts = token.split(".")
    if len(parts) != 3:
        raise error("encoding", "a compact JWS has three parts")
    head = parse_object(b64u_decode(parts[0], size=size), size=header)
    payload = parse_object(b64u_decode(parts[1], size=size), size=size, members=members)
    message = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Jws(head, payload, message, b64u_decode(parts[2], size=signature))


def check_header(jws: Jws, typ: str) -> str:
    """Hold the closed header to ``typ`` and return its ``kid``.

    Raises:
        Malformed: ``shape``, ``unknown-member``.
    """
    header = closed(jws.header, "header", _HEADER)
    if header["typ"] != typ:
        raise error("shape", f"header.typ is not {typ}")
    text(header["alg"], "header.alg", 32)
    if len(jws.signature) != 64:
        raise error("shape", "the signature is not 64 bytes")
    return text(header["kid"], "header.kid", 512)


def check_algorithm(jws: Jws) -> None:
    """The header's ``alg`` is one of ours, or ``suite``; what it says chooses nothing."""
    if jws.header["alg"] not in ALGORITHMS:
        raise error("suite", f"{jws.header['alg'][:40]!r} is not EdDSA")


def is_compact(value: object) -> bool:
    """Whether a value could be a compact JWS at all."""
    return type(value) is str and value.count(".") == 2
