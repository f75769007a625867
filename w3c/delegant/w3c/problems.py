"""Our codes as the problem types that W3C specifications name.

VCDM 2.0 (7.1), VC Data Integrity (4.7), Controlled Identifiers (3.5) and Bitstring Status List
(3.5) each ask for a ``type`` of their own. What none of them names keeps ours.
"""

from __future__ import annotations

from typing import Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import CODES, Error

__all__ = ["details"]

_VCDM: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"

_TYPES: Final = {
    _VCDM + "PARSING_ERROR": ("json", "encoding", "duplicate-member", "limit-depth"),
    _VCDM + "MALFORMED_VALUE_ERROR": (
        "data-model", "shape", "vcdm-version", "undefined-term", "json-ld", "status-list",
        "unknown-member",
    ),
    _VCDM + "RANGE_ERROR": ("status-index",),
    _VCDM + "CRYPTOGRAPHIC_SECURITY_ERROR": ("suite", "key-weak", "did-key-mismatch"),
    _SECURITY + "PROOF_VERIFICATION_ERROR": ("proof", "proof-purpose", "proof-chain"),
    _SECURITY + "INVALID_DOMAIN_ERROR": ("proof-domain",),
    _SECURITY + "INVALID_CHALLENGE_ERROR": ("proof-challenge",),
    _SECURITY + "INVALID_VERIFICATION_METHOD_URL": ("did-invalid",),
    _SECURITY + "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT": (
        "did-document", "did-not-found", "did-method", "did-deactivated",
    ),
    _SECURITY + "INVALID_VERIFICATION_METHOD": ("key-not-found", "key-retired", "controller"),
    _SECURITY + "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD": ("key-purpose",),
    _STATUS + "STATUS_RETRIEVAL_ERROR": ("status-missing",),
    _STATUS + "STATUS_VERIFICATION_ERROR": ("status-unknown", "status-stale", "status-rollback"),
    _STATUS + "STATUS_LIST_LENGTH_ERROR": ("status-length",),
}  # fmt: skip
_BY_CODE: Final = {code: type_ for type_, codes in _TYPES.items() for code in codes}


def details(exc: Error) -> JsonObject:
    """A ``ProblemDetails`` object (VCDM 2.0, 7.1): type, title and detail, and our code."""
    return {
        "type": _BY_CODE.get(exc.code, f"https://delegant.example/problems/{exc.code}"),
        "title": CODES[exc.code].meaning,
        "detail": exc.detail,
        "code": exc.code,
    }
