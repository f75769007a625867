"""One way to sign a document of the naming service, and to hold it to its signer.

A signed document is a closed JSON object with one eddsa-jcs-2022 proof; a transfer has three.
A did:key or did:jwk signs with its own key; whoever has another DID with a key that somebody
else vouches for, so `check` is told it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from delegant.credentials import PrivateKey, PublicKey, did, proof, shape
from delegant.credentials.codec import Json, JsonObject, canonical, digest
from delegant.credentials.errors import Error, error

__all__ = ["check", "cosign", "digest_of", "members", "sign", "version"]

_PROOF: Final = frozenset(
    {"type", "cryptosuite", "proofPurpose", "verificationMethod", "created", "proofValue"}
)


def sign(
    document: JsonObject, key: PrivateKey, signer: str, at: int, *, floats: bool = True
) -> JsonObject:
    """The document with a proof by ``signer``: a did:key, a did:jwk, or whose key is pinned.

    Args:
        floats: whether it may hold a float (see `codec.canonical`).
    """
    return proof.sign(document, key, _method(signer, key.public), at, floats=floats)


def cosign(document: JsonObject, key: PrivateKey, signer: str, at: int) -> JsonObject:
    """The document with one more proof, in a list, each over the document without proofs."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    added = sign(unsigned, key, signer, at)["proof"]
    return {**unsigned, "proof": [*document.get("proof", []), added]}


@lru_cache(64)
def _method(signer: str, key: PublicKey) -> str:
    return did.method_for(did.check(signer), key)


def digest_of(document: JsonObject) -> str:
    """The digest others name a signed document by: over the whole, proof included."""
    return digest(canonical(document))


def check(document: Json, signer: str, key: PublicKey | Sequence[PublicKey] | None = None) -> None:
    """The document's one proof is by ``signer``.

    Args:
        document: parsed, with ``proof``.
        signer: a DID.
        key: its key, or those it may sign with; by default the DID's own.

    Raises:
        Rejected: ``ans-signature``.
    """
    try:
        name = did.check(signer)
        own = did.key_of(name)
        given = (key,) if isinstance(key, PublicKey) else tuple(key or ())
        keys = given if own is None else (own,)
        value = shape.closed(document["proof"], "proof", _PROOF)
        shape.time(value["created"], "proof.created")
        method = shape.text(value["verificationMethod"], "verificationMethod", 512)
        good = (
            value["proofPurpose"] == "assertionMethod"
            and did.is_method_of(method, name)
            and any(proof.verify(document, one) for one in keys)
        )
    except (Error, KeyError, TypeError):
        good = False
    if not good:
        raise error("ans-signature", f"not signed by {signer}")


def version(value: Json, where: str) -> None:
    """An object of version 1.

    Raises:
        Malformed: ``shape``. Undecided: ``unknown-version``.
    """
    if type(value) is not dict or type(value.get("version")) is not int:
        raise error("shape", f"{where} is not an object with a version")
    if value["version"] != 1:
        raise error("unknown-version", f"{where}.version is not 1")


def members(**given: Any) -> JsonObject:
    """A document's members without those that are None."""
    return {name: value for name, value in given.items() if value is not None}
