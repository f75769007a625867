"""The curve of Ed25519 in plain integers, for keys and signatures no honest signer makes.

Slow, not constant in time, and for test data alone. Points are affine pairs ``(x, y)``.
"""

from __future__ import annotations

import hashlib
from itertools import count

from limbo.crafts import ORDER

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
"""A square root of -1."""
Point = tuple[int, int]


def recover(y: int, sign: int) -> Point:
    """The point with this y; ValueError where the curve has none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        raise ValueError("not on the curve")
    return (P - x if x & 1 != sign else x, y)


BASE = recover(4 * pow(5, -1, P) % P, 0)
Y8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
TORSION = recover(Y8, 0)
"""A point of order eight."""


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    out: Point = (0, 1)
    while number:
        if number & 1:
            out = add(out, point)
        point = add(point, point)
        number >>= 1
    return out


def encode(point: Point) -> bytes:
    """The 32 bytes of RFC 8032."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    """The point of 32 bytes, whatever its order and spelling; ValueError where there is none."""
    number = int.from_bytes(data, "little")
    x, y = recover((number & (1 << 255) - 1) % P, number >> 255)
    return (x % P, y)


def secret(seed: bytes) -> int:
    """The secret number of an RFC 8032 seed."""
    raw = bytearray(hashlib.sha512(seed).digest()[:32])
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return int.from_bytes(raw, "little")


def mixed_key(seed: bytes) -> bytes:
    """The seed's public key plus a point of order eight: neither small nor in the right group."""
    return encode(add(times(secret(seed), BASE), TORSION))


def mixed_sign(seed: bytes, message: bytes, *, fits: bool) -> bytes:
    """A signature by the mixed key.

    Args:
        seed: of the plain key below it.
        message: what is signed.
        fits: True: it fits both equations of RFC 8032, 5.1.7; False: only the one with cofactor.
    """
    public = mixed_key(seed)
    for turn in count():
        r = int.from_bytes(hashlib.sha512(seed + bytes([turn]) + message).digest(), "little")
        r %= ORDER
        head = encode(times(r, BASE))
        h = int.from_bytes(hashlib.sha512(head + public + message).digest(), "little") % ORDER
        if (h % 8 == 0) == fits:
            s = (r + h * secret(seed)) % ORDER
            return head + s.to_bytes(32, "little")
    raise AssertionError


def lax(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether R = SB - kA, and nothing else: what a library says that knows no weak keys."""
    try:
        point, rest = decode(key), decode(signature[:32])
    except ValueError:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    number = int.from_bytes(digest, "little") % ORDER
    scalar = int.from_bytes(signature[32:], "little")
    return times(scalar, BASE) == add(rest, times(number, point))
