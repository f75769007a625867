"""Bitstring Status List 1.0: one list, both purposes, two bits a credential.

Bit ``2k`` revokes and bit ``2k + 1`` suspends (DESIGN, rule 17). A list is a credential by the
chain's status authority; it is decompressed under a cap and once per bytes.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Final

from . import did, shape
from .codec import JsonObject, b64u_decode, b64u_encode
from .did import Did
from .envelope import V2_CONTEXT, Secured
from .errors import error

__all__ = ["MIN_BITS", "StatusList", "document", "encode", "inflate", "parse_status_list"]

MIN_BITS: Final = 131_072
"""The least length of a list, so that an index tells nobody much (section 6.1 of the spec)."""
STATUS_CONTEXT: Final = (V2_CONTEXT,)
_PURPOSES: Final = ["revocation", "suspension"]

_LIST: Final = frozenset(
    {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject"}
)
_SUBJECT: Final = frozenset({"id", "type", "statusPurpose", "encodedList"})


@dataclass(slots=True)
class StatusList:
    """A parsed status list; `secured` is still to be checked by whoever knows the authority."""

    secured: Secured
    url: str
    issuer: Did
    valid_from: int
    valid_until: int
    encoded: str
    _bits: bytes | None = None

    def expand(self, most: int) -> bytes:
        """Decompress it, once; all its bits.

        Args:
            most: bytes the list may have when decompressed.

        Raises:
            LimitExceeded: ``limit-size``. Malformed: ``encoding``, ``shape``.
        """
        if self._bits is None:
            self._bits = _expand(self.encoded, most)
        return self._bits

    def pair(self, index: int, most: int) -> int:
        """The two bits of a credential: 2 revokes, 1 suspends; -1 beyond the end of the list.

        Args:
            index: of the first, an even number, counted from the left as the specification does.
            most: bytes the list may have when decompressed.

        Raises:
            LimitExceeded: ``limit-size``. Malformed: ``encoding``, ``shape``.
        """
        bits, place = self.expand(most), index >> 3
        return bits[place] >> (6 - (index & 7)) & 3 if place < len(bits) else -1


def parse_status_list(secured: Secured) -> StatusList:
    """Read a ``BitstringStatusListCredential`` with both purposes.

    Raises:
        Malformed: the codes of phase 3.
    """
    secured.open(STATUS_CONTEXT)
    value = shape.closed(secured.document, "status list", _LIST)
    if value["type"] != ["VerifiableCredential", "BitstringStatusListCredential"]:
        raise error("shape", "type is not VerifiableCredential, BitstringStatusListCredential")
    subject = shape.closed(value["credentialSubject"], "credentialSubject", _SUBJECT)
    url = shape.url(value["id"], "id")
    if subject["id"] != f"{url}#list" or subject["type"] != "BitstringStatusList":
        raise error("shape", "credentialSubject is not the BitstringStatusList of this credential")
    if subject["statusPurpose"] != _PURPOSES:
        raise error("shape", "statusPurpose is not revocation and suspension")
    encoded = subject["encodedList"]
    if type(encoded) is not str or not encoded.startswith("u"):
        raise error("shape", "encodedList is not multibase u")
    parsed = StatusList(
        secured,
        url,
        did.check(value["issuer"]),
        shape.time(value["validFrom"], "validFrom"),
        shape.time(value["validUntil"], "validUntil"),
        encoded,
    )
    secured.shaped = True
    return parsed


def document(url: str, issuer: str, bits: bytes, valid_from: int, valid_until: int) -> JsonObject:
    """The unsigned credential of a list.

    Args:
        bits: the whole bitstring, at least `MIN_BITS` bits.
        valid_from, valid_until: seconds since 1970.
    """
    if len(bits) * 8 < MIN_BITS:
        raise error("shape", f"a status list has at least {MIN_BITS} bits")
    return {
        "@context": list(STATUS_CONTEXT),
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": shape.format_time(valid_from),
        "validUntil": shape.format_time(valid_until),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": list(_PURPOSES),
            "encodedList": encode(bits),
        },
    }


def encode(bits: bytes) -> str:
    """Multibase ``u`` of the gzipped bits; equal bits give equal text."""
    packed = gzip.compress(bits, 9, mtime=0)
    # The byte that names the operating system differs between Pythons: unknown (RFC 1952, 2.3).
    return "u" + b64u_encode(packed[:9] + b"\xff" + packed[10:])


def inflate(encoded: str, most: int) -> bytes:
    """The bits that `encode` packed, of whatever length.

    Args:
        encoded: multibase ``u`` text.
        most: bytes there may be, held while they are decompressed.

    Raises:
        LimitExceeded: ``limit-size``. Malformed: ``encoding``.
    """
    packed = b64u_decode(encoded[1:], size=2 * most)
    unzip = zlib.decompressobj(wbits=31)
    try:
        bits = unzip.decompress(packed, most + 1)
    except zlib.error:
        raise error("encoding", "encodedList is not gzip") from None
    if len(bits) > most:
        raise error("limit-size", f"a status list larger than {most} bytes")
    if not unzip.eof or unzip.unused_data:
        raise error("encoding", "encodedList is cut short, or has more after its end")
    return bits


def _expand(encoded: str, most: int) -> bytes:
    bits = inflate(encoded, most)
    if len(bits) * 8 < MIN_BITS:
        raise error("shape", f"a status list has at least {MIN_BITS} bits")
    return bits
