"""Keys of every kind the W3C world signs with, in their two public spellings.

Ed25519 goes through the core and libsodium, which refuse weak keys; the elliptic curves
through `ec`. X25519 keys are read, because documents carry them, and sign nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from delegant.credentials import PrivateKey, PublicKey
from delegant.credentials.codec import (
    Json,
    JsonObject,
    b58_decode,
    b58_encode,
    b64u_decode,
    b64u_encode,
    canonical,
)
from delegant.credentials.errors import error

from .extras import load

__all__ = ["KINDS", "EcSigner", "EdSigner", "Key", "Signer", "new_signer", "signer"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of key is written."""

    codec: bytes  # multicodec, as a varint
    size: int
    kty: str
    alg: str  # JOSE; empty for what signs nothing
    secret: bytes  # multicodec of its secret


KINDS: Final = {
    "Ed25519": _Kind(b"\xed\x01", 32, "OKP", "EdDSA", b"\x80\x26"),
    "P-256": _Kind(b"\x80\x24", 33, "EC", "ES256", b"\x86\x26"),
    "P-384": _Kind(b"\x81\x24", 49, "EC", "ES384", b"\x87\x26"),
    "P-521": _Kind(b"\x82\x24", 67, "EC", "ES512", b"\x88\x26"),
    "secp256k1": _Kind(b"\xe7\x01", 33, "EC", "ES256K", b"\x81\x26"),
    "X25519": _Kind(b"\xec\x01", 32, "OKP", "", b"\x82\x26"),
}
"""By the name of the curve (JOSE ``crv``)."""
_BY_CODEC: Final = {kind.codec: name for name, kind in KINDS.items()}


def _ec() -> Any:
    return load("delegant.w3c.ec", "p256")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that was checked when it was read.

    Attributes:
        kind: a name of `KINDS`.
        raw: 32 bytes for Ed25519 and X25519, the compressed point for the curves.
    """

    kind: str
    raw: bytes

    def __post_init__(self) -> None:
        if self.kind == "Ed25519":
            PublicKey(self.raw)
        elif KINDS[self.kind].kty == "EC":
            _ec().on_curve(self.kind, self.raw)
        elif len(self.raw) != 32:
            raise error("encoding", f"a key of {self.kind} has 32 bytes")

    @classmethod
    def of(cls, key: PublicKey) -> Key:
        """A key of the core."""
        return cls("Ed25519", key.raw)

    @classmethod
    def from_multikey(cls, text: Json) -> Key:
        """From ``z…`` (Controlled Identifiers 1.0, 2.2.2).

        Raises:
            Undecided: ``suite`` for a kind not in `KINDS`.
            Malformed: ``encoding``. Rejected: ``key-weak``. LimitExceeded: ``limit-size``.
        """
        if type(text) is not str or text[:1] != "z":
            raise error("encoding", "a Multikey begins with z")
        data = b58_decode(text[1:])
        kind = _BY_CODEC.get(data[:2])
        if kind is None:
            raise error("suite", f"{text[:16]!r} is of no kind of key we know")
        return cls(kind, data[2:])

    @classmethod
    def from_jwk(cls, jwk: Json) -> Key:
        """From a JSON Web Key (RFC 7517, RFC 8037); a private one is refused (``key-weak``).

        Raises:
            Undecided: ``suite``. Malformed: ``encoding``, ``shape``. Rejected: ``key-weak``.
        """
        if type(jwk) is not dict:
            raise error("shape", "a JWK is an object")
        if "d" in jwk:
            raise error("key-weak", "a private key was published")
        kind = jwk.get("crv")
        if type(kind) is not str or kind not in KINDS or KINDS[kind].kty != jwk.get("kty"):
            raise error("suite", "a JWK of a kind we do not know")
        x = _coordinate(jwk, "x")
        if KINDS[kind].kty == "OKP":
            return cls(kind, x)
        return cls(kind, _ec().compressed(kind, x, _coordinate(jwk, "y")))

    @property
    def multikey(self) -> str:
        """``z…``, base58 of multicodec and key."""
        return "z" + b58_encode(KINDS[self.kind].codec + self.raw)

    @property
    def jwk(self) -> JsonObject:
        """The public JWK: the members RFC 7638 hashes, and no other."""
        kind = KINDS[self.kind]
        if kind.kty == "OKP":
            return {"crv": self.kind, "kty": "OKP", "x": b64u_encode(self.raw)}
        x, y = _ec().coordinates(self.kind, self.raw)
        return {"crv": self.kind, "kty": "EC", "x": b64u_encode(x), "y": b64u_encode(y)}

    @property
    def thumbprint(self) -> str:
        """base64url of SHA-256 over the JWK (RFC 7638)."""
        return b64u_encode(hashlib.sha256(canonical(self.jwk)).digest())

    @property
    def alg(self) -> str:
        """The JOSE algorithm it signs with; empty for X25519."""
        return KINDS[self.kind].alg

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature (r and s side by side for the curves) is this key's."""
        if self.kind == "Ed25519":
            return PublicKey(self.raw).verify(signature, message)
        if not self.alg:
            return False
        return bool(_ec().verify(self.kind, self.raw, signature, message))

    def __repr__(self) -> str:
        return f"Key({self.multikey})"


def _coordinate(jwk: JsonObject, name: str) -> bytes:
    value = jwk.get(name)
    if type(value) is not str:
        raise error("encoding", f"a JWK without {name}")
    return b64u_decode(value, size=128)


class Signer(Protocol):
    """Whatever signs with one key: a wallet's key, or one in a device."""

    @property
    def public(self) -> Key:
        """The key others verify with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over the message; r and s side by side for the curves."""
        ...


class EdSigner:
    """An Ed25519 key of the core, as a `Signer`."""

    __slots__ = ("_private", "public")

    def __init__(self, private: PrivateKey) -> None:
        self._private = private
        self.public = Key.of(private.public)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature."""
        return self._private.sign(message)

    def export_secret(self) -> bytes:
        """The secret itself, for keystores only."""
        return self._private.export_seed()


class EcSigner:
    """A secret scalar on an elliptic curve. It shows itself nowhere.

    Args:
        kind: P-256, P-384, P-521 or secp256k1.
        secret: the scalar, big-endian, of full length.

    Raises:
        Malformed: ``encoding``. Unavailable: ``extra-missing``.
    """

    __slots__ = ("_secret", "public")

    def __init__(self, kind: str, secret: bytes) -> None:
        self.public = Key(kind, _ec().public(kind, secret))
        self._secret = secret

    def sign(self, message: bytes) -> bytes:
        """R and s, deterministic, s in the lower half."""
        signature: bytes = _ec().sign(self.public.kind, self._secret, message)
        return signature

    def export_secret(self) -> bytes:
        """The secret itself, for keystores only."""
        return self._secret

    def __repr__(self) -> str:
        return f"EcSigner(public={self.public.multikey})"

    def __reduce_ex__(self, _protocol: Any) -> Any:
        raise TypeError("a private key never leaves its keystore")


def signer(kind: str, secret: bytes) -> EdSigner | EcSigner:
    """The signer of a secret.

    Raises:
        Undecided: ``suite`` for kinds that do not sign. Malformed: ``encoding``.
    """
    if kind == "Ed25519":
        return EdSigner(PrivateKey(secret))
    if kind not in KINDS or not KINDS[kind].alg:
        raise error("suite", f"{kind[:32]!r} is no kind of key that signs")
    return EcSigner(kind, secret)


def new_signer(kind: str = "Ed25519") -> EdSigner | EcSigner:
    """A new key from the system's randomness."""
    if kind == "Ed25519":
        return EdSigner(PrivateKey.generate())
    if kind not in KINDS or not KINDS[kind].alg:
        raise error("suite", f"{kind[:32]!r} is no kind of key that signs")
    return EcSigner(kind, _ec().generate(kind))
