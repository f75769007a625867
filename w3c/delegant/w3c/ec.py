"""Elliptic-curve keys through `cryptography`: P-256, P-384, P-521 and secp256k1.

Points are compressed (SEC 1, 2.3.3); signatures are r and s side by side, as JOSE (RFC 7518,
3.4) and the ECDSA cryptosuites have them. Needs the extra ``p256``.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delegant.credentials.errors import error

__all__ = ["compressed", "coordinates", "generate", "on_curve", "public", "sign", "verify"]

_CURVES: Final[dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int]]] = {
    "P-256": (ec.SECP256R1(), hashes.SHA256(), 32),
    "P-384": (ec.SECP384R1(), hashes.SHA384(), 48),
    "P-521": (ec.SECP521R1(), hashes.SHA512(), 66),
    "secp256k1": (ec.SECP256K1(), hashes.SHA256(), 32),
}
"""Curve, hash of its signatures, bytes of a coordinate."""


def _point(curve: str, raw: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve][0], raw)
    except ValueError:
        raise error("encoding", f"not a point of {curve}") from None


def on_curve(curve: str, raw: bytes) -> bytes:
    """The compressed point itself, if it is one of the curve.

    Raises:
        Malformed: ``encoding``.
    """
    if len(raw) != _CURVES[curve][2] + 1 or raw[0] not in (2, 3):
        raise error("encoding", f"not a compressed point of {curve}")
    _point(curve, raw)
    return raw


def compressed(curve: str, x: bytes, y: bytes) -> bytes:
    """The compressed point of two coordinates of full length.

    Raises:
        Malformed: ``encoding``.
    """
    size = _CURVES[curve][2]
    if len(x) != size or len(y) != size:
        raise error("encoding", f"a coordinate of {curve} has {size} bytes")
    point = _point(curve, b"\x04" + x + y)
    return point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def coordinates(curve: str, raw: bytes) -> tuple[bytes, bytes]:
    """The two coordinates of a compressed point."""
    size = _CURVES[curve][2]
    whole = _point(curve, raw).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return whole[1 : 1 + size], whole[1 + size :]


def verify(curve: str, raw: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is this key's over the message."""
    point, (_, digest, size) = _point(curve, raw), _CURVES[curve]
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    try:
        point.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _private(curve: str, secret: bytes) -> ec.EllipticCurvePrivateKey:
    if len(secret) != _CURVES[curve][2]:
        raise error("encoding", f"a secret of {curve} has {_CURVES[curve][2]} bytes")
    try:
        return ec.derive_private_key(int.from_bytes(secret, "big"), _CURVES[curve][0])
    except ValueError:
        raise error("encoding", f"not a secret of {curve}") from None


def generate(curve: str) -> bytes:
    """A new secret scalar."""
    made = ec.generate_private_key(_CURVES[curve][0])
    return made.private_numbers().private_value.to_bytes(_CURVES[curve][2], "big")


def public(curve: str, secret: bytes) -> bytes:
    """The compressed point of a secret scalar.

    Raises:
        Malformed: ``encoding``.
    """
    point = _private(curve, secret).public_key()
    return point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def sign(curve: str, secret: bytes, message: bytes) -> bytes:
    """R and s of a signature over the message, s in the lower half.

    Deterministic (RFC 6979), so no weakness of a random source can give the key away; low s,
    so nobody can make a second signature out of it.
    """
    _, digest, size = _CURVES[curve]
    der = _private(curve, secret).sign(message, ec.ECDSA(digest, deterministic_signing=True))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(size, "big") + min(s, _ORDERS[curve] - s).to_bytes(size, "big")


_ORDERS: Final = {
    "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "P-384": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
        "581a0db248b0a77aecec196accc52973",
        16,
    ),
    "P-521": int(
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        16,
    ),
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
"""The order of each curve's group (SEC 2)."""
