"""The two forms a credential of VCDM 1.1 comes in: a linked-data proof inside, or a JWT around."""

from __future__ import annotations

import copy
from typing import Final

from delegant.credentials import jose, shape
from delegant.credentials.codec import Json, JsonObject, b64u_decode, parse_object
from delegant.credentials.errors import error
from delegant.credentials.standing import SKEW_SECONDS

from .model import CONTEXTS, KINDS, MAX_SIZE, Found, credential, listed, moment

__all__ = ["linked", "token"]

_PROOF: Final = frozenset({"type", "created", "verificationMethod", "proofPurpose"})


def linked(raw: bytes, at: int) -> Found:
    """A JSON object with one linked-data proof (steps 1 to 4)."""
    document = parse_object(raw, size=MAX_SIZE)
    for name, value in document.items():
        if name not in ("@context", "proof"):
            _nothing_passed_over(name, value)
    proof = document.get("proof")
    if type(proof) is not dict:
        raise error("data-model", "it does not have exactly one proof")
    form = proof.get("type")
    if type(form) is not str or form not in KINDS or form == "jwt":
        raise error("suite", f"a proof of type {str(form)[:64]!r} is not read here")
    value = "proofValue" if form == "Ed25519Signature2020" else "jws"
    shape.closed(proof, "proof", _PROOF | {value}, frozenset({"@context"}))
    if proof["proofPurpose"] != "assertionMethod":
        raise error("proof-purpose", f"made for {str(proof['proofPurpose'])[:64]!r}")
    if "@context" in proof and not CONTEXTS.issuperset(listed(proof["@context"], "proof")):
        raise error("context-unknown", "the proof's @context does not come with DIDKit")
    found = credential(
        document,
        at,
        form=form,
        text=raw.decode("utf-8"),
        method=shape.text(proof["verificationMethod"], "proof.verificationMethod", 2048),
        alg=_detached(proof[value]) if value == "jws" else "",
    )
    created = moment(proof["created"], "proof.created")
    if created > at + SKEW_SECONDS:
        raise error("not-yet-valid", f"signed at {shape.format_time(created)}")
    return found


def _nothing_passed_over(name: str, value: Json) -> None:
    """Refuse what a JSON-LD processor drops without a word: it would be no part of what is signed.

    Raises:
        Malformed: ``undefined-term``.
    """
    if name.startswith("@"):
        raise error("undefined-term", f"{name[:64]!r} inside a credential")
    if value is None or value in ([], {}):
        raise error("undefined-term", f"{name[:64]!r} has no value")
    if type(value) is list:
        for item in value:
            _nothing_passed_over(name, item)
    elif type(value) is dict:
        for inner, item in value.items():
            _nothing_passed_over(inner, item)


def _detached(jws: Json) -> str:
    """The algorithm of a detached JWS (RFC 7797), its header closed."""
    parts = jws.split(".") if type(jws) is str else []
    if len(parts) != 3 or parts[1]:
        raise error("shape", "proof.jws is no detached JWS")
    header = parse_object(b64u_decode(parts[0], size=1024), size=1024)
    shape.closed(header, "proof.jws", frozenset({"alg", "b64", "crit"}))
    if header["b64"] is not False or header["crit"] != ["b64"]:
        raise error("shape", "proof.jws is no detached JWS")
    return shape.text(header["alg"], "proof.jws.alg", 16)


def token(raw: bytes, at: int) -> Found:
    """A compact JWT with the claim ``vc`` (steps 1 to 4; VCDM 1.1, 6.3.1)."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise error("encoding", "neither a JSON object nor a compact JWT") from None
    jws = jose.split(text, size=MAX_SIZE)
    header = shape.closed(jws.header, "header", frozenset({"alg", "kid"}), frozenset({"typ"}))
    if header.get("typ", "JWT") != "JWT":
        raise error("data-model", f"typ {str(header['typ'])[:32]!r} is not of VCDM 1.1")
    payload = jws.payload
    if "aud" in payload:
        raise error("audience", "a credential for one audience only")
    if type(payload.get("vc")) is not dict or "vp" in payload:
        raise error("data-model", "a credential of VCDM 1.1 has the claim vc, and no vp")
    document = _merged(payload["vc"], payload)
    return credential(
        document,
        at,
        form="jwt",
        text=text,
        method=shape.text(header["kid"], "header.kid", 2048),
        alg=shape.text(header["alg"], "header.alg", 16),
    )


def _merged(credential: JsonObject, payload: JsonObject) -> JsonObject:
    """The credential with what the token's own claims say (VCDM 1.1, 6.3.1); they must agree."""
    out = copy.deepcopy(credential)
    if "proof" in out:
        raise error("data-model", "a proof inside and a signature around")
    _same(out, "id", payload.get("jti"))
    subject = out.get("credentialSubject")
    if "sub" in payload:
        if type(subject) is not dict:
            raise error("data-model", "sub, and not exactly one credentialSubject")
        _same(subject, "id", payload["sub"])
    issuer = out.get("issuer")
    if type(issuer) is dict:
        _same(issuer, "id", payload.get("iss"))
    else:
        _same(out, "issuer", payload.get("iss"))
    for claim, member in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
        if claim in payload:
            seconds = _numeric(payload[claim], claim)
            if member in out and moment(out[member], member) != seconds:
                raise error("data-model", f"{claim} and {member} differ")
            out[member] = shape.format_time(seconds)
    return out


def _same(target: JsonObject, name: str, value: Json) -> None:
    if value is None:
        return
    if target.setdefault(name, value) != value:
        raise error("data-model", f"the token's own claims and {name} differ")


def _numeric(value: Json, where: str) -> int:
    if type(value) not in (int, float) or not shape.FIRST_SECOND <= value <= shape.LAST_SECOND:
        raise error("data-model", f"{where} is no number of seconds")
    return int(value)
