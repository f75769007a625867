"""Ed25519 keys (RFC 8032, through libsodium) and their two public spellings.

A public key is checked where it is made: small-order points and encodings that are not
canonical are refused (``key-weak``), because anybody can sign for them. So every `PublicKey`
in the program is one that only its holder can sign for.
"""

from __future__ import annotations

import os  # noqa: TID251 - os.urandom, for new keys, ids and nonces only
from functools import lru_cache
from typing import Any, Final, NoReturn

import nacl.bindings
from nacl.exceptions import CryptoError

from .codec import JsonObject, b58_decode, b58_encode, b64u_decode, b64u_encode
from .errors import error

__all__ = ["PrivateKey", "PublicKey", "new_id", "new_nonce"]

KEPT: Final = 512
"""Keys that are remembered by their spelling."""
_P: Final = 2**255 - 19
_LOW_255: Final = 2**255 - 1
_Y8: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER: Final = frozenset(
    (y | sign << 255).to_bytes(32, "little")
    for y in (0, 1, _P - 1, _Y8, _P - _Y8)
    for sign in (0, 1)
)
"""Every point whose order divides 8, by its y (orders 4, 1, 2, 8, 8) and either sign of x."""
_ED25519_PUB: Final = b"\xed\x01"  # multicodec ed25519-pub, as a varint


class PublicKey:
    """An Ed25519 public key that is safe to verify with.

    Raises:
        Malformed: ``encoding`` when it is not 32 bytes. Rejected: ``key-weak``.
    """

    __slots__ = ("raw",)

    raw: bytes

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise error("encoding", f"an Ed25519 key has 32 bytes, this one {len(raw)}")
        if raw in _SMALL_ORDER or (
            raw[31] | 0x80 == 0xFF and int.from_bytes(raw, "little") & _LOW_255 >= _P
        ):
            raise error("key-weak", "a small-order or non-canonical Ed25519 key")
        self.raw = raw

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """From ``z6Mk…`` (W3C Controlled Identifiers 1.0, section 2.2.2).

        Raises:
            Undecided: ``suite`` for a key of another kind.
            Malformed: ``encoding``. Rejected: ``key-weak``.
        """
        if type(text) is not str:  # as some file of ours may say; a cache cannot even look
            raise error("encoding", "a Multikey is text")
        return _from_multikey(text)

    @classmethod
    def from_jwk(cls, jwk: JsonObject) -> PublicKey:
        """From an OKP JSON Web Key (RFC 8037); a private one is refused (``key-weak``)."""
        if "d" in jwk:
            raise error("key-weak", "a private key was published")
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            raise error("suite", "only OKP keys on Ed25519 are accepted")
        if jwk.get("use", "sig") != "sig":
            raise error("suite", "a key that is not for signing")
        x = jwk.get("x")
        if type(x) is not str:
            raise error("encoding", "a JWK without x")
        return cls(b64u_decode(x))

    @property
    def multikey(self) -> str:
        """``z6Mk…``, 48 characters."""
        return "z" + b58_encode(_ED25519_PUB + self.raw)

    @property
    def jwk(self) -> JsonObject:
        """The public JWK, members in RFC 7638 order."""
        return {"crv": "Ed25519", "kty": "OKP", "x": b64u_encode(self.raw)}

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the 64-byte signature is this key's over the message."""
        if len(signature) != 64:
            return False
        try:
            nacl.bindings.crypto_sign_open(signature + message, self.raw)
        except CryptoError:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.multikey})"


class PrivateKey:
    """An Ed25519 signing key. It shows itself nowhere: not in repr, not in pickles.

    Args:
        seed: the 32 secret bytes of RFC 8032.
    """

    __slots__ = ("_secret", "public")

    public: PublicKey

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise error("encoding", "an Ed25519 seed has 32 bytes")
        raw, self._secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        self.public = PublicKey(raw)

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new key from the system's randomness."""
        return cls(os.urandom(32))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over the message."""
        return nacl.bindings.crypto_sign(message, self._secret)[:64]

    def export_seed(self) -> bytes:
        """The secret itself. For keystores only: whoever holds it is the holder."""
        return self._secret[:32]

    def __repr__(self) -> str:
        return f"PrivateKey(public={self.public.multikey})"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a private key never leaves its keystore")


def new_id() -> str:
    """A fresh ``urn:uuid:…`` (random, version 4; RFC 9562, 5.4)."""
    drawn = os.urandom(16)
    h = drawn.hex()
    variant = "89ab"[int(h[16], 16) & 3]
    return f"urn:uuid:{h[:8]}-{h[8:12]}-4{h[13:16]}-{variant}{h[17:20]}-{h[20:]}"


def new_nonce() -> str:
    """A fresh 128-bit nonce, base64url."""
    return b64u_encode(os.urandom(16))


CODECS: Final = {
    b"\xe7\x01": "secp256k1-pub",
    b"\xeb\x01": "bls12_381-g2-pub",
    b"\xec\x01": "x25519-pub",
    b"\x80\x24": "p256-pub",
    b"\x81\x24": "p384-pub",
    b"\x82\x24": "p521-pub",
    b"\x85\x24": "rsa-pub",
}
"""The multicodecs of keys that did:key knows and we do not take, to name them in a refusal."""


@lru_cache(KEPT)
def _from_multikey(text: str) -> PublicKey:
    """`PublicKey.from_multikey`: the few keys of one moment are spelled again and again."""
    if text[:1] != "z":
        raise error("encoding", "a Multikey begins with z")
    data = b58_decode(text[1:])
    if data[:2] != _ED25519_PUB:
        raise error("suite", f"{_codec_name(data)} is not a key we accept")
    return PublicKey(data[2:])  # 34 bytes that begin so have one base58 spelling


def _codec_name(data: bytes) -> str:
    return CODECS.get(data[:2], "an unknown kind of key")
