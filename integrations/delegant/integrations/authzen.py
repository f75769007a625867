"""AuthZEN 1.0: other enforcement points ask what this one would say.

    app.include_router(authzen(point, base="https://pdp.acme.example"))

    POST /access/v1/evaluation
    {"subject": {"type": "agent", "id": "did:…"}, "action": {"name": "db.read"},
     "resource": {"type": "resource", "id": "urn:acme:papers:17"},
     "context": {"presentation": {…}, "evidence": {…}, "request": {"rows": 10}}}

    {"decision": true, "context": {"effect": "allow", "policy": {"id": "acme-db", "version": "3"},
     "reason": "…", "code": null, "limits": null, "obligations": […], "spent": false}}

``context.request`` holds the members of the request besides action and resource, and with them is
what the invocation was signed for. Whatever else is sent (``properties``, other members of the
context) reaches no policy: a policy sees what was verified, and what the resource itself vouches
for.

An answer is no permit: nothing is spent, nothing is on record, and what a ledger would still say
(used before, budget, rate) is in ``obligations``. Where the answer narrows the result, the decision
is true only if the request stays within, or the asker says with ``"limits": true`` in its context
that it holds the result to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from fastapi import Request as Http
from fastapi.responses import JSONResponse

from delegant.credentials import Evidence, Presentation, Request, shape
from delegant.credentials.codec import Json, JsonObject, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.verdict import Limit
from delegant.governance.enforcing import EnforcementPoint, Weighed

from .chains import MAX_BODY
from .fastapi import body_of

__all__ = ["authzen"]

MAX_EVALUATIONS: Final = 32
SEMANTICS: Final = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
REQUEST_ID: Final = "x-request-id"
_PARTS: Final = ("subject", "action", "resource", "context")


def authzen(point: EnforcementPoint, *, base: str) -> APIRouter:
    """The three addresses, over what a point verifies and decides.

    Args:
        base: the address that callers know this by, as ``https://pdp.acme.example``.

    Raises:
        Malformed: ``shape``: the base is no plain http(s) URL.
    """
    base = shape.url(base.rstrip("/") + "/", "base").rstrip("/")
    router = APIRouter(include_in_schema=False)

    @router.get("/.well-known/authzen-configuration")
    async def configuration() -> JSONResponse:
        return JSONResponse(
            {
                "policy_decision_point": base,
                "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
                "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
            }
        )

    @router.post("/access/v1/evaluation")
    async def evaluation(http: Http) -> JSONResponse:
        return await _answered(http, lambda body: _evaluated(point, body))

    @router.post("/access/v1/evaluations")
    async def evaluations(http: Http) -> JSONResponse:
        return await _answered(http, lambda body: _all_evaluated(point, body))

    return router


# --- inside -------------------------------------------------------------------------------------

Answering = Callable[[JsonObject], JsonObject]


async def _answered(http: Http, answer: Answering) -> JSONResponse:
    """200 with a decision; a problem document where there was no question."""
    try:
        body = await body_of(http, MAX_BODY)
        found = await asyncio.to_thread(lambda: answer(parse_object(body, size=MAX_BODY)))
        out = JSONResponse(found)
    except Error as exc:
        out = JSONResponse(exc.problem(), exc.http_status, media_type="application/problem+json")
    out.headers["cache-control"] = "no-store"
    name = http.headers.get(REQUEST_ID, "")
    if 0 < len(name) <= 128 and name.isascii() and name.isprintable():
        out.headers[REQUEST_ID] = name
    return out


def _all_evaluated(point: EnforcementPoint, body: JsonObject) -> JsonObject:
    if "evaluations" not in body or body["evaluations"] == []:
        return _evaluated(point, body)
    options = body.get("options", {})
    if type(options) is not dict:
        raise error("shape", "options is not an object")
    semantic = shape.one_of(
        options.get("evaluations_semantic", SEMANTICS[0]), "evaluations_semantic", SEMANTICS
    )
    usual = {name: body[name] for name in _PARTS if name in body}
    asked = shape.array(body["evaluations"], "evaluations", MAX_EVALUATIONS)
    if not all(type(one) is dict for one in asked):
        raise error("shape", "an evaluation is not an object")
    answers: list[Json] = []
    for one in asked:
        try:
            found = _evaluated(point, usual | one)
        except Error as exc:  # one question that is none does not silence the others
            found = {"decision": False, "context": _said(Weighed(refused=exc))}
        answers.append(found)
        if (semantic, found["decision"]) in ((SEMANTICS[1], False), (SEMANTICS[2], True)):
            break
    return {"evaluations": answers}


def _evaluated(point: EnforcementPoint, body: JsonObject) -> JsonObject:
    """What the point would say.

    Raises:
        Malformed: ``shape``: this is no question. All else is a decision.
    """
    subject, action, resource = (
        _part(body, part, members)
        for part, members in (
            ("subject", ("type", "id")), ("action", ("name",)), ("resource", ("type", "id")),
        )
    )  # fmt: skip
    context = body.get("context", {})
    if type(context) is not dict:
        raise error("shape", "context is not an object")
    more = context.get("request", {})
    if type(more) is not dict or {"action", "resource"} & more.keys():
        raise error("shape", "context.request has the members besides action and resource")
    nonce = context.get("nonce")
    if nonce is not None:
        shape.text(nonce, "context.nonce")
    try:
        request = Request.from_json({"action": action["name"], "resource": resource["id"]} | more)
        if "presentation" not in context or "evidence" not in context:
            raise error("holder-missing", "the context has no presentation with its evidence")
        shown = Presentation.from_json(context["presentation"])
        found = point.weighing(shown, Evidence.from_json(context["evidence"]), request, nonce)
    except Error as exc:
        return {"decision": False, "context": _said(Weighed(refused=exc))}
    if found.refused is None:
        found.refused = _else(found, subject["id"], request, context.get("limits") is True)
    return {"decision": found.refused is None, "context": _said(found)}


def _part(body: JsonObject, name: str, members: tuple[str, ...]) -> JsonObject:
    value = body.get(name)
    if type(value) is not dict:
        raise error("shape", f"{name} is not an object", dimension=name)
    for member in members:
        shape.text(value.get(member), f"{name}.{member}", shape.MAX_URL)
    return value


def _else(found: Weighed, subject: str, request: Request, held: bool) -> Error | None:
    """Why not, though verification and decision say yes."""
    auth = found.authorization
    if auth is None or auth.actor != subject:
        return error("holder-mismatch", "the subject is not the agent that presents")
    if found.limits is not None and not held and not _within(request, found.limits):
        return error("constraint", "only within limits, which the asker does not say it holds")
    return None


def _within(request: Request, limits: Limit) -> bool:
    columns = limits.columns
    return (
        (limits.rows is None or (request.rows is not None and request.rows <= limits.rows))
        and (limits.bytes is None or (request.bytes is not None and request.bytes <= limits.bytes))
        and (columns is None or (request.columns is not None and columns >= {*request.columns}))
    )


def _said(found: Weighed) -> JsonObject:
    refused, decision, auth = found.refused, found.decision, found.authorization
    effect = decision.effect
    if refused is not None and decision.refusal() is None:
        effect = "step_up" if refused.code == "approval-missing" else "deny"
    policy, version = decision.policy
    return {
        "effect": effect,
        "policy": {"id": policy, "version": version},
        "reason": decision.reason if refused is None else str(refused),
        "code": refused and refused.code,
        "limits": found.limits and found.limits.json,
        "obligations": [one.json for one in auth.obligations] if auth and not refused else [],
        "spent": False,
    }
