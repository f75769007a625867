"""Proofs on log entries, and on versions by witnesses: eddsa-jcs-2022 by a did:key."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from delegant.credentials import proof
from delegant.credentials.codec import Json, JsonObject, b58_encode
from delegant.credentials.errors import error
from delegant.credentials.keys import PublicKey
from delegant.credentials.shape import closed
from delegant.w3c.keys import Signer

from .times import instant, written

__all__ = ["check", "listed", "sign", "signer_of"]

MAX_PROOFS: Final = 16
_REQUIRED: Final = frozenset(
    ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue")
)
_OPTIONAL: Final = frozenset(("id", "created", "expires", "@context"))
_METHOD: Final = re.compile(r"did:key:(z[1-9A-HJ-NP-Za-km-z]{8,120})#(z[1-9A-HJ-NP-Za-km-z]+)")


def listed(value: Json) -> list[Json]:
    """The proofs of a member ``proof``: a list of 1 to `MAX_PROOFS`, or a single one.

    Raises:
        Malformed: ``did-log``. LimitExceeded: ``limit-signatures``.
    """
    many = value if type(value) is list else [value]
    if not many:
        raise error("did-log", "no proof")
    if len(many) > MAX_PROOFS:
        raise error("limit-signatures", f"{len(many)} proofs, {MAX_PROOFS} are allowed")
    return many


def signer_of(one: Json) -> str:
    """The Multikey that a proof names; its did:key and fragment are the same.

    Raises:
        Malformed: ``shape``, ``unknown-member``. Undecided: ``suite``.
        Rejected: ``proof-purpose``, ``proof``.
    """
    closed(one, "proof", _REQUIRED, _OPTIONAL)
    if one["proofPurpose"] != "assertionMethod":
        raise error("proof-purpose", f"a proof for {str(one['proofPurpose'])[:40]!r}")
    method = one["verificationMethod"]
    match = _METHOD.fullmatch(method) if type(method) is str else None
    if match is None or match[1] != match[2]:
        raise error("proof", f"{str(method)[:80]!r} is not the method of a did:key")
    return match[1]


def check(document: JsonObject, one: Json, keys: Collection[str], at: int) -> str:
    """Verify one proof by one of these keys.

    Args:
        document: without its proof.
        keys: the Multikeys that may sign.
        at: the time of what is signed, against ``expires``.

    Returns:
        The Multikey that signed.

    Raises:
        what `signer_of` raises, ``encoding``, ``key-weak``. Rejected: ``proof``, ``expired``.
    """
    key = signer_of(one)
    if key not in keys:
        raise error("proof", f"{key[:24]}… has no authority here")
    if "created" in one:
        instant(one["created"], "proof.created")
    if "expires" in one and at >= instant(one["expires"], "proof.expires")[0]:
        raise error("expired", "the proof had expired when it was made")
    if not proof.verify({**document, "proof": one}, PublicKey.from_multikey(key)):
        raise error("proof", "the signature does not fit")
    return key


def sign(document: JsonObject, signer: Signer, at: int) -> JsonObject:
    """A proof on a document.

    Raises:
        Undecided: ``suite`` for a key that is no Ed25519.
    """
    if signer.public.kind != "Ed25519":
        raise error("suite", f"did:webvh 1.0 signs with Ed25519, not {signer.public.kind}")
    key = signer.public.multikey
    config: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": proof.SUITE,
        "verificationMethod": f"did:key:{key}#{key}",
        "created": written(at),
        "proofPurpose": "assertionMethod",
    }
    return config | {"proofValue": "z" + b58_encode(signer.sign(proof.hash_data(document, config)))}
