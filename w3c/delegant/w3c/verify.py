"""Verifying any credential or presentation, in any of its forms.

In numbered steps; the code carries the numbers.

1. Size, and strict reading of bytes and tokens.
2. The data model, and that every term is defined.
3. The signature: each Data Integrity proof, or the token's.
4. Who signed: a key of the issuer, or of the holder.
5. Validity: ``validFrom`` and ``validUntil``, and ``nbf`` and ``exp`` of a token.
6. Status lists, each verified as a credential itself.
7. Schemas.
8. Digests of related resources.
9. Of a presentation: the same for each credential in it.

Steps 1 to 3 always make errors, but for a context that a signature does not cover (`inline`).
That, and what steps 4 to 8 find of a credential, is an error unless ``strict`` is off: then it is
a warning, as an API reports it (VCALM, 3.3) that leaves the judgement to its caller. Nothing is
fetched: documents, lists, schemas and resources are passed in, and what is missing is said to be,
never taken for a yes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Unpack

from delegant.credentials.codec import JsonObject, canonical, parse
from delegant.credentials.errors import Error, error

from . import inline, model, related, schema, status, tokens
from . import proofs as integrity
from .extras import load
from .related import Look, look_up
from .report import CHECKS, Given, Limits, Report, Run, Signature
from .values import ABSENT, id_of, many, types_of
from .xsd import instant

__all__ = ["CHECKS", "Given", "Limits", "Report", "Signature", "verify_credential",
           "verify_presentation"]  # fmt: skip

Inner = Literal["verify", "shape"]


def verify_credential(
    raw: JsonObject | str | bytes,
    *,
    audience: str | None = None,
    nonce: str | None = None,
    **given: Unpack[Given],
) -> Report:
    """Verify one credential.

    Args:
        raw: an object with its proof, an enveloped credential, a ``vc+jwt`` or ``vc+sd-jwt``;
            or bytes of any of these.
        audience, nonce: what the key binding of an SD-JWT must be for.
        given: what it is verified with; ``resolve`` and ``at`` are needed (`Given`).

    Returns:
        The report; nothing is raised for a bad credential.

    Raises:
        Malformed: ``shape`` for a name in ``checks`` that there is not.
    """
    return _credential(raw, Run.of(given), audience=audience, nonce=nonce)


def _credential(
    raw: Any, run: Run, *, audience: str | None = None, nonce: str | None = None
) -> Report:
    try:
        value = _read(raw, run.limits, model.ENVELOPED_CREDENTIAL)  # 1
        document, claims, proofs = _parted(value, run, "vc", audience=audience, nonce=nonce)
        _check_model(document, model.check_credential)  # 2
        proofs += _inside(document, run)  # 3
        if not proofs:
            raise error("proof", "the credential is not secured")
    except Error as exc:
        run.errors.append(exc)
        return run.report()
    unsecured = {name: member for name, member in document.items() if name != "proof"}
    run.soft("issuer", lambda: _check_party(document["issuer"], proofs, "issuer"))  # 4
    run.soft("validity", lambda: _check_validity(document, claims, run.at))  # 5
    run.soft("status", lambda: _check_status(document, run))  # 6
    run.soft("schema", lambda: _check_schemas(unsecured, run))  # 7
    run.soft("resources", lambda: _check_resources(document, run.resources))  # 8
    return run.report(unsecured, proofs)


def verify_presentation(
    raw: JsonObject | str | bytes,
    *,
    challenge: str | None = None,
    domain: str | None = None,
    unsigned: bool = False,
    inner: Inner = "verify",
    **given: Unpack[Given],
) -> Report:
    """Verify a presentation and every credential in it.

    Args:
        raw: an object with its proof, an enveloped presentation, a ``vp+jwt`` or
            ``vp+sd-jwt``; or bytes of any of these.
        challenge, domain: what the presenter was asked to sign: of a proof the members of that
            name, of a token the claims ``nonce`` and ``aud``. None: not asked for.
        unsigned: whether one without any signature will do; its credentials are verified all
            the same, and who presents them is not known.
        inner: ``shape`` looks only at the form of the credentials inside, and warns that
            nothing is known of them.
        given: as for `verify_credential`.

    A holder that is named must be who signed; a credential without a signature of its own
    counts only if the holder, who signs, is its issuer (VCDM 2.0, 4.13.3).

    Returns:
        The report, with one for each credential.

    Raises:
        Malformed: ``shape`` for a name in ``checks`` that there is not.
    """
    run = Run.of(given)
    try:
        value = _read(raw, run.limits, model.ENVELOPED_PRESENTATION)  # 1
        document, claims, proofs = _parted(value, run, "vp")
        _check_model(document, model.check_presentation)  # 2
        if proofs:
            _check_asked(claims, challenge, domain)
        proofs += _inside(document, run, "authentication", challenge, domain)  # 3
        if not proofs and not unsigned:
            raise error("proof", "the presentation is not signed")
        if not proofs and (challenge is not None or domain is not None):
            raise error("proof-challenge", "nobody signed what was asked for")
        if "holder" in document and proofs:
            _check_party(document["holder"], proofs, "holder")  # 4
        held = many(document.get("verifiableCredential", ABSENT), "verifiableCredential")
        if len(held) > run.limits.credentials:
            raise error("limit-items", f"a presentation of {len(held)} credentials")
    except Error as exc:
        run.errors.append(exc)
        return run.report()
    run.soft("validity", lambda: _check_claims_time(claims, run.at))  # 5
    holder = id_of(document.get("holder")) if proofs else ""
    reports = tuple(_held(one, run, inner, holder, enveloping=bool(claims) or type(value) is str)
                    for one in held)  # 9  # fmt: skip
    for number, one in enumerate(reports):
        run.errors += [_inner(exc, number) for exc in one.errors]
        run.warnings += [_inner(exc, number) for exc in one.warnings]
    unsecured = {name: member for name, member in document.items() if name != "proof"}
    return run.report(unsecured, proofs, reports)


def _inner(exc: Error, number: int) -> Error:
    return error(exc.code, f"credential {number}: {exc.detail}", dimension=exc.dimension)


def _held(one: JsonObject, run: Run, inner: Inner, holder: str, *, enveloping: bool) -> Report:
    """One credential of a presentation."""
    part = run.fresh()
    secured = model.is_enveloped(one) or "proof" in one
    if enveloping and not secured:
        part.errors.append(error("data-model", "a credential in a token is secured itself"))
        return part.report(one)
    if inner == "shape":
        part.warnings.append(error("key-unresolved", "only its form was looked at"))
        return part.report(one)
    if secured:
        return _credential(one, part)
    if not holder or id_of(one.get("issuer")) != holder:
        part.errors.append(error("proof", "not secured, and not the holder's own word"))
        return part.report(one)
    part.soft("validity", lambda: _check_validity(one, {}, run.at))
    part.soft("status", lambda: _check_status(one, part))
    part.soft("schema", lambda: _check_schemas(one, part))
    part.soft("resources", lambda: _check_resources(one, run.resources))
    return part.report(one)


# --- the steps -----------------------------------------------------------------------------


def _read(raw: Any, limits: Limits, kind: str) -> JsonObject | str:
    """An object, or a token that was in an envelope, in bytes, or by itself."""
    if type(raw) is bytes:
        if len(raw) > limits.size:
            raise error("limit-size", f"{len(raw)} bytes, {limits.size} are allowed")
        text = raw.strip()
        if text[:1] == b"{":
            raw = parse(text, size=limits.size)
        else:
            try:
                raw = text.decode("ascii")
            except UnicodeDecodeError:
                raise error("encoding", "neither JSON nor a token") from None
    if type(raw) is str:
        return raw
    if type(raw) is not dict:
        raise error("shape", "a credential is an object or a token")
    if len(canonical(raw)) > limits.size:
        raise error("limit-size", f"more than {limits.size} bytes")
    if not model.is_enveloped(raw):
        return raw
    media, token = model.check_enveloped(raw, kind)
    model.check_terms(raw)
    if media.endswith("+cose"):
        raise error("suite", f"application/{media} is not read here")
    if _media_of(token) != media:
        raise error("data-model", f"the envelope says {media}, and what is in it does not")
    return token


def _media_of(token: str) -> str:
    stated = tokens.split(token.partition("~")[0]).header.get("typ")
    return stated.lower().removeprefix("application/") if type(stated) is str else ""


def _parted(
    value: JsonObject | str,
    run: Run,
    kind: str,
    *,
    audience: str | None = None,
    nonce: str | None = None,
) -> tuple[JsonObject, JsonObject, tuple[Signature, ...]]:
    """The document, the claims beside it and the signature around it; an object has neither."""
    if type(value) is dict:
        if audience is not None or nonce is not None:
            raise error("holder-missing", "only an SD-JWT has a key binding")
        return value, {}, ()
    token = str(value)
    common: dict[str, Any] = {
        "resolve": run.resolve,
        "at": run.at,
        "relationship": "assertionMethod" if kind == "vc" else "authentication",
        "keys": run.keys,
        "size": run.limits.size,
    }
    if "~" not in token:
        if audience is not None or nonce is not None:
            raise error("holder-missing", "only an SD-JWT has a key binding")
        found = tokens.open_token(token, typ=f"{kind}+jwt", **common)
        hidden, bound = 0, False
    else:
        opened = load("delegant.w3c.sdjwt", "sdjwt").open_sd(
            token, typ=f"{kind}+sd-jwt", audience=audience, nonce=nonce, **common
        )
        found, hidden, bound = opened.token, opened.hidden, opened.bound
    made = Signature(found.typ, found.method, found.controller, found.key, hidden, bound)
    return found.document, found.claims, (made,)


def _check_model(document: JsonObject, check: Callable[[JsonObject], None]) -> None:
    check(document)
    model.check_terms(document)


def _inside(
    document: JsonObject,
    run: Run,
    purpose: str = "assertionMethod",
    challenge: str | None = None,
    domain: str | None = None,
) -> tuple[Signature, ...]:
    """The proofs inside a document; none where it has none."""
    stated = many(document.get("proof", ABSENT), "proof")
    if not stated:
        return ()
    if len(stated) > run.limits.proofs:
        raise error("limit-signatures", f"{len(stated)} proofs, {run.limits.proofs} are allowed")
    found = integrity.verify(
        document,
        resolve=run.resolve,
        at=run.at,
        purpose=purpose,
        challenge=challenge,
        domain=domain,
        contexts=inline.unsigned(document, stated),  # judged here
    )
    own = _own(document) if purpose == "authentication" else document
    unknown = inline.unsigned(own, stated) - run.contexts
    if unknown:
        run.found(inline.refusal(unknown))
    return tuple(Signature(one.suite, one.method, one.controller, one.key) for one in found)


def _own(presentation: JsonObject) -> JsonObject:
    """Without the credentials that have proofs of their own, and are held to them apart."""
    held = many(presentation.get("verifiableCredential", ABSENT), "verifiableCredential")
    rest = [one for one in held if "proof" not in one or model.is_enveloped(one)]
    return {**presentation, "verifiableCredential": rest}


def _check_party(party: Any, proofs: tuple[Signature, ...], what: str) -> None:
    """One of the keys must be the party's, or one the caller vouched for."""
    name = id_of(party)
    if not any(one.controller in (name, "") for one in proofs):
        raise error("controller", f"no signature by a key of the {what} {name[:120]}")


def _check_validity(document: JsonObject, claims: JsonObject, at: int) -> None:
    if "validFrom" in document and at < instant(document["validFrom"], "validFrom"):
        raise error("not-yet-valid", f"valid from {document['validFrom']}")
    if "validUntil" in document and at >= instant(document["validUntil"], "validUntil"):
        raise error("expired", f"valid until {document['validUntil']}")
    _check_claims_time(claims, at)


def _check_claims_time(claims: JsonObject, at: int) -> None:
    if "nbf" in claims and at < claims["nbf"]:
        raise error("not-yet-valid", "the token's nbf has not come")
    if "exp" in claims and at >= claims["exp"]:
        raise error("expired", "the token's exp is over")


def _check_asked(claims: JsonObject, challenge: str | None, domain: str | None) -> None:
    if challenge is not None and claims.get("nonce") != challenge:
        raise error("proof-challenge", "the token's nonce is another")
    stated = claims.get("aud")
    if domain is not None and domain not in (stated if type(stated) is list else [stated]):
        raise error("proof-domain", "the token's aud is another")


def _check_resources(document: JsonObject, resources: Look) -> None:
    stated = many(document.get("relatedResource", ABSENT), "relatedResource")
    related.check_digests(stated, resources)


def _check_status(document: JsonObject, run: Run) -> None:
    stated = many(document.get("credentialStatus", ABSENT), "credentialStatus")
    if len(stated) > run.limits.lists:
        raise error("limit-items", f"{len(stated)} status entries")
    for entry in stated:
        if status.ENTRY_TYPE not in types_of(entry):
            raise error("status-unknown", f"a status of type {types_of(entry)[:2]} is not known")
        listed = _list(entry["statusListCredential"], run)
        found = status.read(
            listed,
            entry,
            at=run.at,
            most=run.limits.status_list,
            issuers={id_of(document["issuer"])},
            fetched=run.fetched,
        )
        if found.stale:
            raise error("status-stale", "the status list is past its ttl")
        if found.value and found.purpose in ("revocation", "suspension"):
            code = "revoked" if found.purpose == "revocation" else "suspended"
            raise error(code, f"by {entry['statusListCredential'][:120]}")


def _check_schemas(document: JsonObject, run: Run) -> None:
    def trusted(raw: Any) -> JsonObject:
        """A schema in a credential: signed by its issuer, whoever that is, and in force."""
        return _leaned_on(raw, run, "schema-missing")

    schema.check(document, run.schemas, trusted)


def _leaned_on(raw: Any, run: Run, code: str) -> JsonObject:
    """A credential that another leans on; its own status and schemas are not asked.

    What a caller may let pass of a credential, it may not of this one: so that is told by
    another code.
    """
    aside = run.fresh(checks=frozenset({"issuer", "validity"}), strict=True)
    report = _credential(raw, aside)
    for exc in report.errors[:1]:
        if exc.code in ("controller", "context-inline"):
            raise error(code, f"{exc.code}: {exc.detail}")
    return report.require()


def _list(url: str, run: Run) -> JsonObject:
    """A status list, verified as the credential it is; its own status is not asked."""
    raw = look_up(run.lists, url)
    if raw is None:
        raise error("status-missing", f"{url[:120]} was not given")
    return _leaned_on(raw, run, "status-unknown")
