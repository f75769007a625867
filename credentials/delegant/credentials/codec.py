"""Bytes to values and back, with exactly one accepted spelling.

Strict JSON comes in (RFC 8259, UTF-8, no duplicate members, no numbers that another parser
would read otherwise), RFC 8785 goes out. base64url and base58 are decoded only from the
spelling their encoder would write.

>>> canonical({"b": 1, "a": "x"})
b'{"a":"x","b":1}'
>>> digest(b"abc")
'uEiC6eBa_jwHP6kFBQN4isiOwA2GjlhepyGG0EP9hyACVrQ'
"""

from __future__ import annotations

import binascii
import hashlib
import json
import math
import re
from typing import Any, Final, TypeAlias

import orjson
import rfc8785

from .errors import error

__all__ = [
    "Json",
    "JsonObject",
    "b58_decode",
    "b58_encode",
    "b64u_decode",
    "b64u_encode",
    "canonical",
    "digest",
    "is_digest",
    "measure",
    "parse",
    "parse_object",
    "reread",
]

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

MAX_INT: Final = 2**53 - 1
"""Integers beyond this are read differently by other JSON implementations (RFC 8259, 6)."""
MAX_DEPTH: Final = 32
MAX_MEMBERS: Final = 4096


# --- strict JSON ---------------------------------------------------------------------------


def parse(data: bytes, *, size: int, depth: int = MAX_DEPTH, members: int = MAX_MEMBERS) -> Json:
    """Read one JSON text.

    Args:
        data: the bytes, UTF-8 without byte order mark.
        size: most bytes allowed.
        depth: most levels of nesting.
        members: most object members and array items in all.

    Raises:
        LimitExceeded: ``limit-size``, ``limit-depth``, ``limit-members``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``.
    """
    if len(data) > size:
        raise error("limit-size", f"{len(data)} bytes, and {size} are allowed")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        _check_encoding(data)
        _scan(data, depth, members)
        value = _slow_parse(data, exc.pos)
        measure(value, depth, members)
        return value
    has_float = measure(value, depth, members)
    # A canonical text has no duplicates and no odd numbers; anything else is read again, slowly.
    if has_float or not _same_as_canonical(value, data):
        value = _slow_parse(data)
    return value


def parse_object(data: bytes, *, size: int, members: int = MAX_MEMBERS) -> JsonObject:
    """`parse`, and the value must be an object (else ``shape``)."""
    value = parse(data, size=size, members=members)
    if type(value) is not dict:
        raise error("shape", "expected a JSON object")
    return value


def reread(data: bytes) -> JsonObject:
    """An object that this program wrote itself, as its hash shows: held to nothing again.

    Raises:
        Malformed: ``json``, ``shape``.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise error("json", "no JSON") from None
    if type(value) is not dict:
        raise error("shape", "expected a JSON object")
    return value


def _same_as_canonical(value: Json, data: bytes) -> bool:
    try:
        return orjson.dumps(value, option=_ORJSON) == data
    except orjson.JSONEncodeError:
        return False


def measure(value: Json, depth: int, members: int) -> bool:
    """Hold depth and member count; True if a float occurs."""
    has_float = False
    count = 0
    level = [value]
    for _ in range(depth + 1):
        below: list[Json] = []
        for node in level:
            kind = type(node)
            if kind is dict:
                count += len(node)
                below.extend(node.values())
            elif kind is list:
                count += len(node)
                below.extend(node)
            elif kind is float:
                has_float = True
        if count > members:
            raise error("limit-members", f"more than {members} members")
        if not below:
            return has_float
        level = below
    raise error("limit-depth", f"nested deeper than {depth} levels")


_TOKEN: Final = re.compile(rb'"(?>(?:[^"\\]++|\\.)*)"?|[\[{\]},]', re.DOTALL)


def _scan(data: bytes, depth: int, members: int) -> None:
    """Hold a text that may be no JSON to the limits, before it is read for its error.

    Never stricter than `measure`; it ends as soon as a limit is passed, so hostile bytes cost
    no more than honest ones, and their answer does not depend on how deep the decoder recurses.
    """
    level = commas = 0
    most = 5 * members + 3  # a member has a name, a value, a comma and two brackets at the most
    for number, token in enumerate(_TOKEN.finditer(data)):
        if number > most:
            return  # not even the beginning of a text: the decoder stops before this
        mark = data[token.start()]
        if mark in b"[{":
            level += 1
            if level > depth + 1:
                raise error("limit-depth", f"nested deeper than {depth} levels")
        elif mark in b"]}":
            level -= 1
        elif mark == 0x2C:
            commas += 1
            if commas >= members:
                raise error("limit-members", f"more than {members} members")


def _check_encoding(data: bytes) -> None:
    if data.startswith(b"\xef\xbb\xbf"):
        raise error("encoding", "a byte order mark")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise error("encoding", "not UTF-8") from None


def _slow_parse(data: bytes, at: int = 0) -> Json:
    """Read strictly; ``at`` is where the fast parser stopped, the same on every Python."""
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except json.JSONDecodeError:
        raise error("json", f"no JSON, from character {at} on") from None
    except RecursionError:
        raise error("limit-depth", "nested too deep to read") from None


def _pairs(pairs: list[tuple[str, Json]]) -> JsonObject:
    out: JsonObject = {}
    for name, value in pairs:
        _text(name)
        if name in out:
            raise error("duplicate-member", f"{name[:64]!r} stands twice")
        if type(value) is str:
            _text(value)
        elif type(value) is list:
            _texts(value)
        out[name] = value
    return out


def _texts(items: list[Json]) -> None:
    for item in items:
        if type(item) is str:
            _text(item)
        elif type(item) is list:
            _texts(item)


def _text(value: str) -> None:
    """Refuse lone surrogates, which `json` lets through and UTF-8 cannot carry."""
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise error("encoding", "a lone surrogate") from None


def _int(digits: str) -> int:
    if len(digits) <= 17:
        value = int(digits)
        if -MAX_INT <= value <= MAX_INT and digits != "-0":
            return value
    raise error("json", f"integer {digits[:24]} is not exact everywhere")


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= 64 else math.inf
    # Whole numbers that would be written as integers must be exact ones (RFC 8785, 3.2.2.3).
    if math.isfinite(value) and not (MAX_INT < abs(value) < 1e21):
        return value
    raise error("json", f"number {digits[:24]} is out of range")


def _constant(name: str) -> Json:
    raise error("json", f"{name} is not JSON")


class _TopDecoder(json.JSONDecoder):
    """The standard decoder, which also looks at strings outside any object."""

    def decode(self, s: str, _w: Any = None) -> Json:
        value = super().decode(s)
        _texts([value])
        return value


_DECODER: Final = _TopDecoder(
    object_pairs_hook=_pairs, parse_int=_int, parse_float=_float, parse_constant=_constant
)

# --- RFC 8785 ------------------------------------------------------------------------------

_ORJSON: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def canonical(value: Json, *, floats: bool = True) -> bytes:
    """RFC 8785 form of a value that came from `parse` or was built from such parts.

    orjson's sorted output is that form when no float occurs and code-point order of the keys
    is UTF-16 order; else the general path. The orders differ only between characters from U+E000
    to U+FFFF and those above.

    Args:
        value: any JSON value.
        floats: False if the caller knows that it holds no float, which saves looking.

    Raises:
        Malformed: ``json`` for what RFC 8785 cannot write (never for a parsed value).
    """
    try:
        out = orjson.dumps(value, option=_ORJSON)
    except orjson.JSONEncodeError:
        out = b""
    alike = out.isascii() or not (_has(out, _ABOVE) and _has(out, _BELOW))
    if out and alike and not (floats and _has_float(value)):
        return out
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as exc:
        raise error("json", f"no canonical form: {exc}") from None


_BELOW: Final = (b"\xee", b"\xef")
_ABOVE: Final = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
"""Bytes of UTF-8 that begin characters of the two ranges."""


def _has(data: bytes, marks: tuple[bytes, ...]) -> bool:
    """Whether one of these bytes is there: a quick look for each costs less than one for all."""
    return any(mark in data for mark in marks)


def _has_float(value: Json) -> bool:
    stack = [value]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is dict:
            stack.extend(node.values())
        elif kind is list or kind is tuple:
            stack.extend(node)
        elif kind is float:
            return True
    return False


# --- text encodings ------------------------------------------------------------------------


def b64u_encode(data: bytes) -> str:
    """base64url without padding (RFC 4648, 5)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def b64u_decode(text: str, *, size: int = 1 << 20) -> bytes:
    """Inverse of `b64u_encode`; any other spelling is ``encoding``."""
    if len(text) > size:
        raise error("limit-size", f"{len(text)} characters of base64url, {size} are allowed")
    try:
        return b64u_bytes(text.encode("ascii"))
    except ValueError:
        raise error("encoding", "not base64url, or not its canonical spelling") from None


def b64u_bytes(text: bytes) -> bytes:
    """Inverse of `b64u_encode`, from ASCII bytes; ValueError for any other spelling."""
    raw = text.translate(_FROM_URL)  # '=', '+' and '/' become a byte no base64 has
    if text[-1:] not in _LAST[len(text) & 3]:  # spare bits must be zero
        raise ValueError
    return binascii.a2b_base64(raw + _PAD[len(text) & 3], strict_mode=True)


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/\x00\x00\x00")
_PAD: Final = (b"", b"", b"==", b"=")
_B64U: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST: Final = (_B64U, b"", _B64U[::16], _B64U[::4])
"""By length modulo 4: the last characters whose spare bits are all zero (of 1: none)."""

_B58: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B58_DIGIT: Final = bytes(_B58.find(c) & 0xFF for c in range(256))
"""Byte to digit; 255 for what is no digit."""
_B58_PAIR: Final = [bytes((a, b)) for a in _B58 for b in _B58]
B58_MAX: Final = 128
"""Most characters of base58: decoding is quadratic, and a signature needs 88."""


def b58_encode(data: bytes) -> str:
    """base58btc (the Bitcoin alphabet), as multibase ``z`` uses it."""
    number = int.from_bytes(data, "big")
    pair, out = _B58_PAIR, b""
    while number:  # ten digits at a time: few divisions of the long number
        number, block = divmod(number, 58**10)
        block, e = divmod(block, 3364)
        block, d = divmod(block, 3364)
        block, c = divmod(block, 3364)
        a, b = divmod(block, 3364)
        out = pair[a] + pair[b] + pair[c] + pair[d] + pair[e] + out
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + out.lstrip(b"1").decode("ascii")


def _lanes(digits: int) -> list[tuple[int, int, int]]:
    """For each doubling of the lane: its width in bits, the mask of the low lanes, the gap."""
    out: list[tuple[int, int, int]] = []
    width = 8
    while width < 8 * digits:
        low = sum(((1 << width) - 1) << at for at in range(0, 8 * digits, 2 * width))
        out.append((width, low, (1 << width) - 58 ** (width // 8)))
        width *= 2
    return out


_B58_LANES: Final = _lanes(B58_MAX)
_B58_LANES_64: Final = _lanes(64)


def b58_decode(text: str, *, size: int = B58_MAX) -> bytes:
    """Inverse of `b58_encode`, for at most ``size`` characters.

    The digits are read as one number in base 256, whose neighbours are then joined lane by
    lane, all at once: high * 256^n + low becomes high * 58^n + low, for n = 1, 2, 4 … 64. No
    lane overflows, since 58^n < 256^n.

    Raises:
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    if len(text) > size:
        raise error("limit-size", f"{len(text)} characters of base58, {size} are allowed")
    digits = text.encode("ascii", "replace").translate(_B58_DIGIT)
    if b"\xff" in digits:
        raise error("encoding", "not base58")
    number = int.from_bytes(digits, "big")
    lanes = _B58_LANES if len(digits) > 64 else _B58_LANES_64
    for width, low, gap in lanes if len(digits) <= B58_MAX else _lanes(len(digits)):
        number -= (number >> width & low) * gap
    out = number.to_bytes((number.bit_length() + 7) >> 3, "big")
    if digits.startswith(b"\0"):
        return b"\0" * (len(text) - len(text.lstrip("1"))) + out
    return out


_SHA2_256: Final = b"\x12\x20"


def digest(data: bytes) -> str:
    """Multibase ``u`` of the sha2-256 multihash of the bytes (46 characters after ``uEi``)."""
    return "u" + b64u_encode(_SHA2_256 + hashlib.sha256(data).digest())


def is_digest(text: Json) -> bool:
    """Whether a value is one that `digest` could have written."""
    if type(text) is not str or len(text) != 47 or not text.startswith("uEi"):
        return False
    try:
        raw = b64u_decode(text[1:])
    except Exception:  # noqa: BLE001 - any failure to decode is the answer no
        return False
    return len(raw) == 34 and raw.startswith(_SHA2_256)
