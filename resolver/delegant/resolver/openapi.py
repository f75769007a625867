"""What the API document says of every route that does not say it itself.

Handlers read bytes with our own strict codec and declare nothing to the framework, so their
parameters, bodies, answers and refusals stand here, in one table by address and method.
`vcapi_schemas` does the same for the VC-API.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

__all__ = ["describe"]

_OBJECT: Final[dict[str, Any]] = {"type": "object"}
_ARRAY: Final[dict[str, Any]] = {"type": "array", "items": _OBJECT}
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_DID: Final[dict[str, Any]] = {"type": "string", "pattern": "^did:", "maxLength": 2048}
_DIGEST: Final[dict[str, Any]] = {"type": "string", "maxLength": 128}
_WHOLE: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_YES: Final[dict[str, Any]] = {"type": "string", "enum": ["true", "false"]}
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
REASONS: Final = {
    400: "What was sent is not what it must be",
    401: "Who sent it is not shown to be who may",
    403: "It is refused",
    404: "There is no such thing",
    406: "There is no such representation",
    409: "It was done before, or somebody else was first",
    410: "It is gone for good",
    413: "Too large",
    422: "Not enough is known to say yes",
    429: "Too many at once",
    501: "Such DIDs, or such questions about them, are not known here",
    503: "A part or store of this server cannot answer",
}
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457; `code` is one of the table in docs/codes.md.",
    "required": ["type", "title", "status", "detail", "code", "message"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "message": _TEXT,
        "link": {"type": ["integer", "null"]},
        "dimension": {"type": ["string", "null"]},
        "answer": _OBJECT,
    },
}
_READING: Final = (400, 404)
_ASKING: Final = (400, 403, 404, 406, 410)
_SENDING: Final = (400, 401, 403, 404, 409, 410, 413, 422)
_ALWAYS: Final = (429, 503)


def _parameter(name: str, schema: dict[str, Any], where: str = "query", **more: Any) -> Any:
    return {"name": name, "in": where, "required": False, "schema": schema} | more


def _members(required: list[str], **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": members,
        "additionalProperties": False,
    }


def _route(
    answer: dict[str, Any] = _OBJECT,
    refusals: tuple[int, ...] = _READING,
    *,
    status: int = 200,
    media: tuple[str, ...] = (JSON,),
    kept: bool = False,
    body: dict[str, Any] | None = None,
    parameters: tuple[Any, ...] = (),
    problem: str = PROBLEM,
) -> dict[str, Any]:
    """A route: what it answers, what it is asked, and with which statuses it refuses.

    Args:
        kept: whoever has the answer already is told so, 304.
        media: of the answer; only JSON has a schema.
        problem: the media type that refusals may have instead.
    """
    own = {"schema": answer}
    content = {one: own if one == JSON else {"schema": _TEXT} for one in media}
    responses: dict[str, Any] = {str(status): {"description": "Done", "content": content}}
    if kept:
        responses["304"] = {"description": "Not changed"}
    told = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if problem != PROBLEM:
        told[problem] = {"schema": _OBJECT}
    for code in sorted({*refusals, *_ALWAYS}):
        responses[str(code)] = {"description": REASONS[code], "content": told}
    out: dict[str, Any] = {"responses": responses}
    if body is not None:
        out["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    if parameters:
        out["parameters"] = list(parameters)
    return out


_INVOCATION: Final = _parameter(
    "Agent-Invocation", _TEXT, "header", description="A compact JWS of the agent"
)
_EVENT: Final = _members(["event"], event=_OBJECT, links=_ARRAY, evidence=_OBJECT)
_RECEIPT: Final = {
    "type": "object",
    "required": ["index", "leaf", "proof", "checkpoint"],
    "properties": {"index": _WHOLE, "leaf": _OBJECT, "checkpoint": _TEXT, "proof": _ARRAY
                   | {"items": _TEXT}},
}  # fmt: skip
_ANSWER: Final = {
    "type": "object",
    "required": ["resolvedAgents", "freshness"],
    "properties": {"resolvedAgents": _ARRAY, "freshness": _OBJECT},
}
_QUERY: Final = (
    *(
        _parameter(name, _TEXT)
        for name in ("name", "pattern", "capability", "version", "provider", "protocol",
                     "attestation", "prefer")
    ),
    *(_parameter(name, _YES) for name in ("available", "trace")),
    *(_parameter(name, _WHOLE) for name in ("limit", "min_log_size")),
)  # fmt: skip
_ANSWERS: Final = (JSON, "application/ans-answer+jwt", "text/plain; charset=utf-8")
_DID_MEDIA: Final = (
    "application/did-resolution", "application/did-resolution+json", "application/did",
    "application/did+json", "application/did+ld+json", JSON,
)  # fmt: skip

ROUTES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("post", "/v1/agents"): _route(
        _RECEIPT, _SENDING, status=201, body=_EVENT, parameters=(_INVOCATION,)
    ),
    ("post", "/v1/agents/{agent}/events"): _route(
        _RECEIPT, _SENDING, body=_EVENT, parameters=(_INVOCATION,)
    ),
    ("post", "/v1/agents/{agent}/health"): _route(
        _OBJECT, _SENDING, parameters=(_INVOCATION,),
        body=_members(["name", "status"], name=_TEXT, status={"enum": ["up", "down"]}),
    ),
    ("get", "/v1/agents/{agent}"): _route(
        _members(["agent", "names"], agent=_TEXT, names=_ARRAY)
    ),
    ("get", "/v1/resolve"): _route(
        _ANSWER, _ASKING, media=_ANSWERS, kept=True, parameters=_QUERY
    ),
    ("post", "/v1/resolve"): _route(_ANSWER, (*_ASKING, 413), media=_ANSWERS, body=_OBJECT),
    ("get", "/v1/records/{digest}"): _route(kept=True),
    ("get", "/v1/events/{digest}"): _route(kept=True),
    ("get", "/v1/names/{name}/history"): _route(
        _members(["name", "events"], name=_TEXT, events=_ARRAY), kept=True,
        parameters=(_parameter("start", _WHOLE), _parameter("limit", {"type": "integer", "minimum":
                    1, "maximum": 100})),
    ),
    ("get", "/v1/providers"): _route(),
    ("post", "/v1/providers"): _route(_OBJECT, _SENDING, status=201, body=_OBJECT),
    ("get", "/checkpoint"): _route(media=("text/plain; charset=utf-8",), kept=True),
    ("get", "/tile/{rest}"): _route(media=("application/octet-stream",), kept=True),
    ("get", "/v1/log/inclusion"): _route(
        parameters=(_parameter("index", _WHOLE), _parameter("event", _DIGEST),
                    _parameter("size", _WHOLE)), kept=True,
    ),
    ("get", "/v1/log/consistency"): _route(
        parameters=(_parameter("old", _WHOLE, required=True), _parameter("new", _WHOLE)), kept=True
    ),
    ("get", "/status/{number}"): _route(kept=True),
    ("get", "/v1/revocations"): _route(media=("application/revocation-feed+jwt",), kept=True),
    ("get", "/v1/evidence/{about}"): _route(_OBJECT, _SENDING, parameters=(_INVOCATION,)),
    ("post", "/v1/verify"): _route(
        _members(["state"]) | {"additionalProperties": True}, (400, 413),
        body=_members(["presentation", "request"], presentation=_OBJECT, request=_OBJECT,
                      evidence=_OBJECT, nonce=_TEXT),
    ),
    ("get", "/health"): _route(),
    ("get", "/1.0/identifiers/{name}"): _route(
        _OBJECT, (400, 403, 404, 406, 410, 422, 501), media=_DID_MEDIA,
        problem="application/did-resolution",
    ),
    ("get", "/.well-known/did.json"): _route(media=_DID_MEDIA, kept=True),
    ("get", "/{folder}/did.json"): _route(media=_DID_MEDIA, kept=True, parameters=(
        _parameter("folder", _TEXT, "path", required=True),)),
}  # fmt: skip


def describe(app: FastAPI) -> None:
    """Let an application's document say what is in the table above."""
    before = app.openapi
    done: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not done:
            done.append(_document(before()))
        return done[0]

    app.openapi = openapi  # type: ignore[method-assign]


def _document(out: dict[str, Any]) -> dict[str, Any]:
    out.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    refusal = {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path, methods in out["paths"].items():
        for method, operation in methods.items():
            own = ROUTES.get((method, path))
            if own is not None:
                parameters = [*operation.get("parameters", []), *own.get("parameters", [])]
                operation.update(own | {"parameters": parameters})
            if "201" in operation["responses"]:
                operation["responses"].pop("200", None)  # the framework's own guess
            held = {422: "422" in operation["responses"], 404: "{" in path}
            for code in (404, 422, *_ALWAYS):
                if own is None and held.get(code, True):
                    operation["responses"][str(code)] = {"description": REASONS[code], **refusal}
    return out
