"""Issuing any credential, and securing any presentation, in any of the forms.

What is wrong is refused here, before it is signed; nothing is set that the caller did not
write. The kinds that `delegant.credentials` issues itself, and status lists, are refused: they
have keys and commands of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, Literal

from delegant.credentials.codec import Json, JsonObject, canonical
from delegant.credentials.envelope import DELEGATION_CONTEXT, V2_CONTEXT
from delegant.credentials.errors import error

from . import contexts, dids, model, proofs, related, spelled, tokens
from .extras import load
from .keys import Key, Signer
from .related import Look
from .values import ABSENT, id_of, many, types_of

__all__ = [
    "RESERVED",
    "Form",
    "check_issuable",
    "check_members",
    "enveloped",
    "is_reserved",
    "issue",
]

Form = Literal["di", "jwt", "sd-jwt"]
MAX_DOCUMENT: Final = 256 * 1024
RESERVED: Final = frozenset(
    {
        "HumanSponsorCredential",
        "AgentIdentityCredential",
        "AgentDelegationCredential",
        "AgentAttestationCredential",
        "BitstringStatusListCredential",
        "BitstringStatusList",
    }
)
"""Types that only commands made for them issue."""
_VCDM: Final = frozenset(
    {"@context", "id", "type", "name", "description", "issuer", "credentialSubject", "validFrom",
     "validUntil", "credentialStatus", "credentialSchema", "refreshService", "termsOfUse",
     "evidence", "relatedResource", "confidenceMethod", "renderMethod", "holder",
     "verifiableCredential"}
)  # fmt: skip


def issue(
    document: JsonObject,
    signer: Signer,
    *,
    method: str,
    form: Form = "di",
    suite: str = "eddsa-rdfc-2022",
    created: int | None = None,
    domain: str | None = None,
    challenge: str | None = None,
    disclosable: Collection[str] = (),
    holder: Key | None = None,
    resources: Look = None,
) -> JsonObject | str:
    """Secure a credential or presentation.

    Args:
        document: without what is asked for here; it is not changed.
        signer: the key.
        method: its verification method, a URL. Where that is one of a did:key or did:jwk, the
            key must be the DID's own; where issuer or holder is a DID, it must be of that DID.
        form: ``di`` for a proof inside, ``jwt`` for ``vc+jwt`` or ``vp+jwt``, ``sd-jwt``.
        suite: cryptosuite of a proof.
        created: seconds since 1970, for a proof; None: without.
        domain, challenge: of a proof on a presentation.
        disclosable: what may be withheld of an SD-JWT (`sdjwt.issue`).
        holder: the key that showings of an SD-JWT must be signed with.
        resources: from URLs to bytes, for the digests of related resources.

    Returns:
        The document with its proof, or the token.

    Raises:
        Malformed: ``data-model``, ``vcdm-version``, ``undefined-term``, ``json-ld``,
        ``unknown-member``. LimitExceeded: ``limit-*``. Undecided: ``context-unknown``, ``suite``.
        Rejected: ``chain-type``, ``controller``, ``did-key-mismatch``, ``related-resource``,
        ``disclosure``.
    """
    presentation = check_issuable(document, resources=resources)
    _check_method(document, signer, method, presentation)
    purpose = "authentication" if presentation else "assertionMethod"
    if form == "di":
        signed: JsonObject = proofs.sign(
            document,
            signer,
            suite=suite,
            method=method,
            created=created,
            purpose=purpose,
            domain=domain,
            challenge=challenge,
        )
        return signed
    check_members(document)
    if presentation:
        _check_secured(document)
    kind = "vp" if presentation else "vc"
    if form == "jwt":
        return tokens.sign(document, signer, typ=f"{kind}+jwt", kid=method)
    made: str = load("delegant.w3c.sdjwt", "sdjwt").issue(
        document,
        signer,
        typ=f"{kind}+sd-jwt",
        kid=method,
        disclosable=disclosable,
        holder=holder,
    )
    return made


def check_issuable(document: Json, *, resources: Look = None) -> bool:
    """Everything about a document that does not depend on the key or form.

    Returns:
        Whether it is a presentation.

    Raises:
        As `issue`.
    """
    if type(document) is not dict:
        raise error("data-model", "what is issued is an object")
    if len(canonical(document)) > MAX_DOCUMENT:
        raise error("limit-size", f"more than {MAX_DOCUMENT} bytes")
    if is_reserved(document):
        raise error("chain-type", "this kind of credential has a command of its own")
    presentation = "VerifiablePresentation" in types_of(document)
    if presentation:
        model.check_presentation(document)
    else:
        model.check_credential(document)
        stated = many(document.get("relatedResource", ABSENT), "relatedResource")
        related.check_digests(stated, resources, missing_too=False)
    expanded = model.check_terms(document)
    if _are_reserved(spelled.kinds(expanded)):  # by whatever words its contexts allow
        raise error("chain-type", "this kind of credential has a command of its own")
    return presentation


def is_reserved(document: Json) -> bool:
    """Whether a document is, or could be read as, of a type in `RESERVED`.

    Also by full URL, by a term that an inline context gives the same meaning, or by the
    context of delegations: the generic issuer has no business there.
    """
    if type(document) is not dict:
        return False
    names = [name for part in _described(document) for name in _typed(part)]
    everywhere = list(_contexts(document))
    if DELEGATION_CONTEXT in everywhere:
        return True
    for context in everywhere:
        names += _targets(context)
    return _are_reserved(names)


def _are_reserved(names: Iterable[str]) -> bool:
    return any(re.split(r"[#/:]", name)[-1] in RESERVED for name in names)


def _described(document: JsonObject) -> list[Json]:
    """The credential itself, and its subjects."""
    stated = document.get("credentialSubject")
    return [document, *(stated if type(stated) is list else [stated])]


def _typed(part: Json) -> list[str]:
    return types_of(part) + types_of({"type": part.get("@type")} if type(part) is dict else part)


def _contexts(document: JsonObject) -> Iterator[Json]:
    """Every context in a document, at any depth; not those of credentials it presents."""
    stack: list[Any] = [document]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            stated = node.get("@context")
            yield from stated if type(stated) is list else [stated]
            stack += [one for name, one in node.items()
                      if name not in ("@context", "verifiableCredential")]  # fmt: skip
        elif type(node) is list:
            stack.extend(node)


def _targets(context: Json) -> list[str]:
    """The strings an inline context defines or maps to, at any depth."""
    out: list[str] = []
    stack: list[Any] = [context] if type(context) is dict else []
    while stack:
        node = stack.pop()
        if type(node) is dict:
            stack.extend(node.values())
            out.extend(node)
        elif type(node) is list:
            stack.extend(node)
        elif type(node) is str:
            out.append(node)
    return out


def _check_method(document: JsonObject, signer: Signer, method: str, presentation: bool) -> None:
    party = id_of(document.get("holder" if presentation else "issuer"))
    name = method.partition("#")[0]
    if party.startswith("did:") and name != party:
        raise error("controller", f"{method[:80]} is no key of {party[:80]}")
    if name.startswith(("did:key:", "did:jwk:")):
        purpose = "authentication" if presentation else "assertionMethod"
        if dids.key_for(method, purpose, dids.expand, at=None)[0] != signer.public:
            raise error("did-key-mismatch", f"the key is not the one {name[:80]} names")


def check_members(document: JsonObject) -> None:
    """Hold a token's members to what the data model or a context names.

    A ``@vocab`` lets any word through and says what none means; beside the claims of a token,
    whose names anyone may register, that is how one is taken for the other.

    Raises:
        Malformed: ``unknown-member``.
    """
    known = set(_VCDM)
    for one in document["@context"]:
        body = one if type(one) is dict else contexts.context(one).get("@context")
        for part in body if type(body) is list else [body]:
            known |= part.keys() if type(part) is dict else set()
    for name in document.keys() - known:
        raise error("unknown-member", f"{name[:64]!r} is no member of the data model, nor a term")


def _check_secured(document: JsonObject) -> None:
    """Each credential in a presentation by token is enveloped, or has a proof of its own."""
    for one in many(document.get("verifiableCredential", ABSENT), "verifiableCredential"):
        if not model.is_enveloped(one) and "proof" not in one:
            raise error("data-model", "a credential in a presentation by token is secured itself")


def enveloped(token: str) -> JsonObject:
    """A token as an enveloped credential or presentation (VCDM 2.0, 4.13.1 and 4.13.2).

    Raises:
        Malformed: ``encoding``, ``shape``.
    """
    typ = tokens.split(token.partition("~")[0]).header.get("typ")
    kinds = {form: kind for kind, forms in model.MEDIA_TYPES.items() for form in forms}
    if type(typ) is not str or typ not in kinds:
        raise error("shape", "a token that is no credential and no presentation")
    return {
        "@context": V2_CONTEXT,
        "id": f"data:application/{typ},{token}",
        "type": kinds[typ],
    }
