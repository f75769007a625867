"""did:key in the formats its draft knows (CCG, The did:key Method, 3.1).

Multikey is what everybody else here works with; the others are for clients that ask for them.
An error's ``dimension`` is the word the draft has for it.
"""

from __future__ import annotations

from typing import Any, Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import Did
from delegant.credentials.errors import Error, error

from .dids import DID_CONTEXT, JWK_CONTEXT, expand
from .didurl import Options
from .keys import Key

__all__ = ["FORMATS", "document"]

_SUITES: Final = "https://w3id.org/security/suites"
FORMATS: Final = {
    "Multikey": (),
    "JsonWebKey": (JWK_CONTEXT,),
    "JsonWebKey2020": (f"{_SUITES}/jws-2020/v1",),
    "Ed25519VerificationKey2020": (f"{_SUITES}/ed25519-2020/v1", f"{_SUITES}/x25519-2020/v1"),
}
"""The formats, and the contexts that define them."""
_2020: Final = {"Ed25519": "Ed25519VerificationKey2020", "X25519": "X25519KeyAgreementKey2020"}


def document(name: Did, options: Options) -> JsonObject:
    """The document of a did:key.

    Args:
        name: the DID.
        options: ``key_format``, and ``agreement`` False to derive no X25519 key from Ed25519.

    Raises:
        Malformed: ``did-invalid``, ``did-options`` for a format. Undecided: ``suite`` for a
        kind of key we do not know. Rejected: ``key-weak``.
    """
    body = name.removeprefix("did:key:")
    if ":" in body or body[:1] != "z":
        raise error(
            "did-invalid", "a did:key is did:key:z…, with no version", dimension="invalidId"
        )
    form = options.key_format or "Multikey"
    if form not in FORMATS:
        word = "invalid" if options.experimental is False else "unsupported"
        raise error(
            "did-options", f"no format {form[:40]!r} of keys", dimension=f"{word}PublicKeyType"
        )
    try:
        out = expand(name)
    except Error as exc:
        raise _worded(exc) from None
    if options.agreement is False and name[8:12] == "z6Mk":
        del out["keyAgreement"]
        out["verificationMethod"] = out["verificationMethod"][:1]
    if form == "Multikey":
        return out
    methods = [_rewritten(method, form) for method in out["verificationMethod"]]
    return out | {"@context": [DID_CONTEXT, *FORMATS[form]], "verificationMethod": methods}


def _worded(exc: Error) -> Error:
    if exc.code == "extra-missing":
        return exc
    # of a key nobody knows the kind of, no length is right
    word = "invalidPublicKeyLength" if exc.code == "suite" else "invalidPublicKey"
    return error(exc.code, exc.detail, dimension=word)


def _rewritten(method: JsonObject, form: str) -> JsonObject:
    key = Key.from_multikey(method["publicKeyMultibase"])
    out: dict[str, Any] = {name: method[name] for name in ("id", "controller")}
    if form.startswith("Json"):
        return out | {"type": form, "publicKeyJwk": key.jwk}
    if key.kind not in _2020:
        raise error(
            "did-options", f"a key of {key.kind} is no {form}", dimension="invalidPublicKeyType"
        )
    return out | {"type": _2020[key.kind], "publicKeyMultibase": key.multikey}
