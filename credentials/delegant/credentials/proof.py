"""Data Integrity 1.0 with the cryptosuite eddsa-jcs-2022: one proof on one JSON document.

The signature covers SHA-256 of the RFC 8785 form of the proof's configuration, followed by
SHA-256 of that of the document without its proof (vc-di-eddsa 1.0, 3.3).
"""

from __future__ import annotations

import hashlib
from typing import Final

from .codec import JsonObject, b58_decode, b58_encode, canonical
from .errors import error
from .keys import PrivateKey, PublicKey
from .shape import format_time

__all__ = ["SUITE", "hash_data", "sign", "signature_of", "verify"]

SUITE: Final = "eddsa-jcs-2022"


def hash_data(document: JsonObject, config: JsonObject, *, floats: bool = True) -> bytes:
    """The 64 bytes that are signed.

    Args:
        document: without its proof.
        config: the proof without its value.
        floats: whether either may hold a float (see `codec.canonical`).
    """
    return (
        hashlib.sha256(canonical(config, floats=floats)).digest()
        + hashlib.sha256(canonical(document, floats=floats)).digest()
    )


def sign(
    document: JsonObject, key: PrivateKey, method: str, created: int | str, *, floats: bool = True
) -> JsonObject:
    """The document with a proof by the verification method ``method``.

    Args:
        document: without ``proof``; it is not changed.
        created: seconds since 1970, or the time as it is written.
        floats: whether the document may hold a float (see `codec.canonical`).
    """
    config: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "proofPurpose": "assertionMethod",
        "verificationMethod": method,
        "created": created if isinstance(created, str) else format_time(created),
    }
    if "@context" in document:
        config["@context"] = document["@context"]
    value = "z" + b58_encode(key.sign(hash_data(document, config, floats=floats)))
    return {**document, "proof": {**config, "proofValue": value}}


def signature_of(proof: JsonObject) -> bytes:
    """The 64 bytes of ``proofValue``.

    Raises:
        Malformed: ``encoding``, ``shape``.
    """
    value = proof.get("proofValue")
    if type(value) is not str or not value.startswith("z"):
        raise error("shape", "proof.proofValue is not multibase z")
    signature = b58_decode(value[1:])
    if len(signature) != 64:
        raise error("shape", "proof.proofValue is not 64 bytes")
    return signature


def verify(document: JsonObject, key: PublicKey) -> bool:
    """Whether the document's one proof is by this key (vc-di-eddsa 1.0, 3.3.2).

    For any eddsa-jcs-2022 document. Who the key belongs to, what the proof is for and when it
    was made is the caller's to judge.

    Raises:
        Undecided: ``suite``. Malformed: ``shape``, ``encoding``, ``context``.
    """
    proof = document.get("proof")
    if type(proof) is not dict:
        raise error("shape", "the document does not have exactly one proof")
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != SUITE:
        raise error("suite", f"only {SUITE} is accepted")
    signature = signature_of(proof)
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in config:
        own, ours = unsecured.get("@context"), config["@context"]
        own_list = own if type(own) is list else [own]
        our_list = ours if type(ours) is list else [ours]
        if own_list[: len(our_list)] != our_list:
            raise error("context", "the proof's @context is not the head of the document's")
        unsecured["@context"] = ours
    return key.verify(signature, hash_data(unsecured, config))
