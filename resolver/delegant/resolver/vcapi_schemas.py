"""What the API document says of the VC-API's routes; bodies are read by our own strict codec."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["document"]

_OBJECT: Final[dict[str, Any]] = {"type": "object"}
_URL: Final = {"type": "string", "format": "uri"}
_SECURED: Final = {"oneOf": [_OBJECT, {"type": "string"}]}


def _body(required: list[str], **members: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": required,
        "properties": members,
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "detail", "code"],
    "properties": {
        "type": _URL,
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "status": {"type": "integer"},
        "verified": {"const": False},
        "problemDetails": {"type": "array", "items": _OBJECT},
    },
}
_VERDICT: Final = {
    "type": "object",
    "required": ["verified", "errors", "warnings", "problemDetails", "checks"],
    "properties": {
        "verified": {"type": "boolean"},
        "errors": {"type": "array", "items": _OBJECT},
        "warnings": {"type": "array", "items": _OBJECT},
        "problemDetails": {"type": "array", "items": _OBJECT},
        "checks": {"type": "array", "items": {"type": "string"}},
        "credential": _SECURED,
        "verifiablePresentation": _SECURED,
    },
}


def _answer(text: str, schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    return {"description": text, "content": {media: {"schema": schema}}}


def _refusal(text: str) -> dict[str, Any]:
    return _answer(text, _PROBLEM, "application/problem+json")


_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: _refusal("What was sent is wrong, or refused"),
    401: _refusal("No token, or none that counts"),
    403: _refusal("The token has no such scope"),
    413: _refusal("Too large"),
    503: _refusal("A part or store of this server cannot answer"),
}
_VERIFIED: Final[dict[int | str, dict[str, Any]]] = {
    200: _answer("It verifies", _VERDICT),
    400: {
        "description": "It does not verify, or the question is wrong",
        "content": {
            "application/json": {"schema": _VERDICT},
            "application/problem+json": {"schema": _PROBLEM},
        },
    },
}
_PROOF: Final = {
    "challenge": {"type": "string"},
    "domain": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}
_STATUS: Final = {
    "type": "object",
    "required": ["type", "statusPurpose"],
    "properties": {
        "id": _URL,
        "type": {"const": "BitstringStatusListEntry"},
        "statusPurpose": {"enum": ["revocation", "suspension"]},
        "statusListIndex": {"type": "string"},
        "statusListCredential": _URL,
    },
}
_BODIES: Final[dict[str, dict[str, Any]]] = {
    "issue": _body(
        ["credential"],
        credential=_OBJECT,
        options={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cryptosuite": {"type": "string"},
                "keyType": {"enum": ["Ed25519", "P-256", "P-384"]},
                "form": {"enum": ["proof", "vc+jwt"]},
                "credentialId": _URL,
                "credentialStatus": {},
                "type": {"const": "DataIntegrityProof"},
            },
        },
    ),
    "status": _body(
        ["credentialStatus"],
        credentialId=_URL,
        credentialStatus=_STATUS,
        status={"type": "boolean"},
        indexAllocator={"type": "string"},
    ),
    "verify": _body(["verifiableCredential"], verifiableCredential=_SECURED, options=_OBJECT),
    "verifyPresentation": _body(
        [], verifiablePresentation=_SECURED, presentation=_OBJECT, options=_OBJECT
    ),
    "present": _body(
        ["presentation"],
        presentation=_OBJECT,
        options={
            "type": "object",
            "additionalProperties": False,
            "properties": _PROOF | {"cryptosuite": {"type": "string"}, "form": {"type": "string"}},
        },
    ),
    "createList": _body(
        ["statusPurpose"],
        statusPurpose={"enum": ["revocation", "suspension"]},
        options=_OBJECT,
    ),
}
_DONE: Final[dict[str, dict[int | str, dict[str, Any]]]] = {
    "issue": {201: _answer("Issued", _OBJECT)},
    "status": {200: _answer("Changed, and the list signed", _OBJECT), 404: _refusal("Not issued")},
    "verify": _VERIFIED,
    "verifyPresentation": _VERIFIED,
    "present": {201: _answer("Signed", _OBJECT)},
    "createList": {201: _answer("Made", _OBJECT)},
}


def document(name: str) -> dict[str, Any]:
    """Keyword arguments of a route, for its place in the API document."""
    if name == "list":
        return {
            "responses": {
                200: _answer("The list as last signed", _OBJECT),
                304: {"description": "Not changed"},
                404: _refusal("No such list"),
            }
        }
    extra = {"requestBody": _BODIES[name], "security": [{"bearer": []}]}
    return {"openapi_extra": extra, "responses": _REFUSALS | _DONE[name]}
