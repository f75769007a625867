"""Hashes as did:webvh writes them: base58btc of the sha2-256 multihash, and of nothing else."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from delegant.credentials.codec import Json, b58_decode, b58_encode, canonical

__all__ = ["hash_of", "is_hash", "key_hash"]

_MULTIHASH: Final = b"\x12\x20"
_SPELLING: Final = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}", re.ASCII)


def hash_of(value: Json) -> str:
    """Of the RFC 8785 form of a value."""
    return _written(canonical(value))


def key_hash(multikey: str) -> str:
    """Of the text of a Multikey, as ``nextKeyHashes`` lists it."""
    return _written(multikey.encode())


def _written(data: bytes) -> str:
    return b58_encode(_MULTIHASH + hashlib.sha256(data).digest())


def is_hash(text: str) -> bool:
    """Whether it is a sha2-256 multihash in base58."""
    if not _SPELLING.fullmatch(text):
        return False
    raw = b58_decode(text)
    return len(raw) == 34 and raw.startswith(_MULTIHASH)
