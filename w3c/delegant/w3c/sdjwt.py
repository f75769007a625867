"""SD-JWT (RFC 9901) for credentials and presentations: ``vc+sd-jwt`` and ``vp+sd-jwt``.

The reference library ``sd-jwt`` makes disclosures and puts them back; around it stand the
checks that RFC 9901, 7.1, asks of a verifier and it leaves out, on strictly parsed values.
Needs the extra ``sdjwt``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sd_jwt.common import SDObj  # type: ignore[import-untyped]
from sd_jwt.issuer import SDJWTIssuer  # type: ignore[import-untyped]
from sd_jwt.verifier import SDJWTVerifier  # type: ignore[import-untyped]

from delegant.credentials.codec import MAX_DEPTH, Json, JsonObject, b64u_decode, b64u_encode, parse
from delegant.credentials.errors import Error, error

from . import tokens
from .dids import Resolve
from .keys import Key, Signer
from .paths import mark
from .tokens import MAX_TOKEN, Token

__all__ = ["NEVER", "Opened", "issue", "open_sd", "present", "split"]

MAX_DISCLOSURES: Final = 256
KB_SECONDS: Final = 300
"""How old a key binding may be; one from the future is refused beyond a minute."""
NEVER: Final = frozenset(
    {"@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus",
     "credentialSchema", "relatedResource", "proof", "iss", "exp", "nbf", "cnf", "vc", "vp"}
)  # fmt: skip
"""Members whose withholding could turn a no into a yes, or one thing into another."""
_RESERVED: Final = frozenset({"_sd", "...", "_sd_alg"})


@dataclass(frozen=True, slots=True)
class _Disclosure:
    text: str
    digest: str
    name: str | None  # None for an item of a list
    value: Json


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified SD-JWT.

    Attributes:
        token: with the document as far as it was disclosed.
        disclosed: how many disclosures came with it.
        hidden: digests that nothing came for: what was withheld, and decoys.
        bound: whether the holder's key signed this showing (``kb+jwt``).
    """

    token: Token
    disclosed: int
    hidden: int
    bound: bool


# --- issuing -------------------------------------------------------------------------------


class _Issuer(SDJWTIssuer):  # type: ignore[misc]
    """The reference issuer, signing with our signers."""

    def __init__(self, claims: Any, signer: Signer, header: JsonObject, **more: Any) -> None:
        self._signer, self._header = signer, header
        super().__init__(claims, issuer_key=None, **more)

    def _create_signed_jws(self) -> None:
        self.serialized_sd_jwt = tokens.compact(self.sd_jwt_payload, self._signer, self._header)


def issue(
    document: JsonObject,
    signer: Signer,
    *,
    typ: str,
    kid: str,
    disclosable: Collection[str],
    holder: Key | None = None,
    decoys: bool = False,
) -> str:
    """A credential or presentation of which the holder may withhold parts.

    Args:
        document: as it is when everything is disclosed; it was checked before.
        typ: ``vc+sd-jwt`` or ``vp+sd-jwt``.
        disclosable: paths such as ``credentialSubject.address.city`` or
            ``credentialSubject.phones[0]``, each of which exists.
        holder: the key that showings must be signed with (``cnf``); None: anyone shows it.
        decoys: add digests of nothing to each object, which hide how much is withheld.

    Raises:
        Rejected: ``disclosure`` for a path that must always be seen, or that is not there.
        Undecided: ``suite``.
    """
    for name in _names(document):
        if name in _RESERVED:
            raise error("disclosure", f"{name} is SD-JWT's own name")
    for path in disclosable:
        if path.partition(".")[0].partition("[")[0] in NEVER:
            raise error("disclosure", f"{path[:80]} is never withheld: a verifier must see it")
    claims = mark(document, disclosable, SDObj)
    if holder is not None:
        claims["cnf"] = {"jwk": holder.jwk}
    header = {"typ": typ, "cty": tokens.TYPES[typ], "kid": kid}
    made: str = _Issuer(claims, signer, header, add_decoy_claims=decoys).sd_jwt_issuance
    return made


def _names(value: Json) -> Iterator[str]:
    if type(value) is dict:
        yield from value
        for one in value.values():
            yield from _names(one)
    elif type(value) is list:
        for one in value:
            yield from _names(one)


# --- showing -------------------------------------------------------------------------------


def present(
    text: str,
    disclose: Collection[str],
    *,
    signer: Signer | None = None,
    audience: str = "",
    nonce: str = "",
    at: int = 0,
) -> str:
    """What a holder shows: the token, the disclosures chosen, and perhaps a key binding.

    A path brings along what it lies in. The token is taken apart as strictly as a verifier
    would; its signature is not looked at.

    Args:
        text: as issued.
        disclose: paths, as in `issue`.
        signer: the holder's key; None: no key binding.
        audience, nonce, at: of the key binding, which needs all three.

    Raises:
        Malformed: what `open_sd` raises for shapes. Rejected: ``disclosure`` for a path that
        names no disclosure.
    """
    parts = split(text)
    places = _Walk(tokens.split(parts.jwt).payload, parts.disclosures).places
    wanted: set[str] = set()
    for path in disclose:
        if path not in places.values():
            raise error("disclosure", f"{path[:80]} is not there to be disclosed")
        wanted |= {
            digest
            for digest, place in places.items()
            if path == place or path.startswith((f"{place}.", f"{place}["))
        }
    shown = [one.text for one in parts.disclosures if one.digest in wanted]
    out = "~".join([parts.jwt, *shown, ""])
    if signer is None:
        return out
    if not audience or not nonce:
        raise error("disclosure", "a key binding is for an audience and answers a nonce")
    payload = {"iat": at, "aud": audience, "nonce": nonce, "sd_hash": _hash(out)}
    return out + tokens.compact(payload, signer, {"typ": "kb+jwt"})


# --- verifying -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """An SD-JWT taken apart: the token, its disclosures, the key binding (or nothing)."""

    jwt: str
    disclosures: list[_Disclosure]
    binding: str
    signed: str


def split(text: str, *, size: int = MAX_TOKEN) -> Parts:
    """Take ``<jwt>~<disclosure>~…~[<kb-jwt>]`` apart (RFC 9901, 4).

    Raises:
        LimitExceeded: ``limit-size``, ``limit-items``.
        Malformed: ``encoding``, ``json``, ``shape``. Rejected: ``disclosure``.
    """
    if len(text) > size:
        raise error("limit-size", f"an SD-JWT of {len(text)} characters, {size} are allowed")
    jwt, *middle = text.split("~")
    if not middle:
        raise error("encoding", "an SD-JWT ends with ~ or a key binding")
    binding = middle.pop()
    if len(middle) > MAX_DISCLOSURES:
        raise error("limit-items", f"{len(middle)} disclosures, {MAX_DISCLOSURES} are allowed")
    disclosures = [_disclosure(one, size) for one in middle]
    if len({one.digest for one in disclosures}) != len(disclosures):
        raise error("disclosure", "a disclosure stands twice")
    return Parts(jwt, disclosures, binding, text[: len(text) - len(binding)])


def open_sd(
    text: str,
    *,
    resolve: Resolve,
    at: int | None,
    typ: str,
    relationship: str = "assertionMethod",
    keys: Mapping[str, Key] | None = None,
    audience: str | None = None,
    nonce: str | None = None,
    size: int = MAX_TOKEN,
) -> Opened:
    """Verify an SD-JWT and put together what was disclosed (RFC 9901, 7.1 and 7.3).

    Args:
        audience, nonce: what the key binding must be for; where either is given, there must be
            one. A binding that is there is verified in any case.
        at: also the instant against which the binding's age is judged; None: not judged.

    The others are as in `tokens.open_token`.

    Raises:
        As `tokens.open_token`, and Rejected: ``disclosure``; ``audience``, ``nonce``,
        ``holder-missing``, ``holder-mismatch``, ``invocation-expired`` for the key binding.
    """
    parts = split(text, size=size)
    outer = tokens.open_token(
        parts.jwt, resolve=resolve, at=at, typ=typ, relationship=relationship, keys=keys, size=size
    )
    payload = {**outer.document, **outer.claims}
    walk = _Walk(payload, parts.disclosures)
    whole = _assemble(parts, payload)
    document = {name: value for name, value in whole.items() if name not in tokens.CLAIMS}
    shown = {name: value for name, value in whole.items() if name in tokens.CLAIMS}
    claims = {**outer.claims, **shown}
    tokens.check_claims(document, claims)  # again: a claim may have been withheld, too
    token = Token(document, claims, typ, outer.method, outer.key, outer.controller)
    bound = _check_binding(parts, outer.claims, audience=audience, nonce=nonce, at=at)
    return Opened(token, len(parts.disclosures), walk.hidden, bound)


class _Verifier(SDJWTVerifier):  # type: ignore[misc]
    """The reference verifier, on a payload whose signature was verified before."""

    def _verify_sd_jwt(self, cb_get_issuer_key: Any, sign_alg: Any = None) -> None:
        self._sd_jwt_payload = cb_get_issuer_key


def _assemble(parts: Parts, payload: JsonObject) -> JsonObject:
    try:
        reference: Any = _Verifier
        whole: JsonObject = reference(parts.signed, payload).get_verified_payload()
    except Error:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise error("disclosure", f"the disclosures do not fit: {type(exc).__name__}") from None
    return whole


def _disclosure(text: str, size: int) -> _Disclosure:
    value = parse(b64u_decode(text, size=size), size=size)
    if type(value) is not list or len(value) not in (2, 3) or type(value[0]) is not str:
        raise error("disclosure", "a disclosure is a list of salt, perhaps a name, and a value")
    name = value[1] if len(value) == 3 else None
    if len(value) == 3 and (type(name) is not str or name in _RESERVED):
        raise error("disclosure", "a disclosure names what only SD-JWT itself names")
    return _Disclosure(text, _hash(text), name, value[-1])


class _Walk:
    """Every place of a payload a digest may stand, with what was disclosed for it.

    Attributes:
        places: from the digests of disclosures to the paths they fill.
        hidden: digests that nothing was disclosed for.
    """

    def __init__(self, payload: JsonObject, disclosures: list[_Disclosure]) -> None:
        if payload.get("_sd_alg", "sha-256") != "sha-256":
            raise error("suite", "an SD-JWT with another hash than sha-256")
        self._known = {one.digest: one for one in disclosures}
        self._seen: set[str] = set()
        self.places: dict[str, str] = {}
        self.hidden = 0
        self._object(payload, "", top=True)
        unused = self._known.keys() - self._seen
        if unused:
            raise error("disclosure", f"{len(unused)} disclosures that the token does not refer to")

    def _value(self, value: Json, path: str) -> None:
        if path.count(".") + path.count("[") > MAX_DEPTH:
            raise error("limit-depth", f"parts nested deeper than {MAX_DEPTH} levels")
        if type(value) is dict:
            self._object(value, path)
        elif type(value) is list:
            for number, item in enumerate(value):
                self._item(item, f"{path}[{number}]")

    def _object(self, value: JsonObject, path: str, *, top: bool = False) -> None:
        if "..." in value or ("_sd_alg" in value and not top):
            raise error("disclosure", "a name of SD-JWT's own stands where it must not")
        digests = value.get("_sd", [])
        if type(digests) is not list:
            raise error("disclosure", "_sd is not a list of digests")
        for name, member in value.items():
            if name not in _RESERVED:
                self._value(member, f"{path}.{name}" if path else name)
        names = set(value)
        for digest in digests:
            found = self._take(digest)
            if found is None:
                continue
            if found.name is None or found.name in names:
                raise error("disclosure", "a disclosure that does not fit an object, or its names")
            if top and found.name in NEVER:
                raise error("disclosure", f"{found.name} could be withheld, and must not be")
            names.add(found.name)
            self._put(found, f"{path}.{found.name}" if path else found.name)

    def _item(self, item: Json, path: str) -> None:
        if type(item) is not dict or "..." not in item:
            self._value(item, path)
            return
        if len(item) != 1:
            raise error("disclosure", "a withheld item has other members beside its digest")
        found = self._take(item["..."])
        if found is None:
            return
        if found.name is not None:
            raise error("disclosure", "a disclosure with a name stands for an item of a list")
        self._put(found, path)

    def _take(self, digest: Json) -> _Disclosure | None:
        if type(digest) is not str:
            raise error("disclosure", "a digest is a string")
        if digest in self._seen:
            raise error("disclosure", "a digest stands twice")
        self._seen.add(digest)
        found = self._known.get(digest)
        self.hidden += found is None
        return found

    def _put(self, found: _Disclosure, path: str) -> None:
        self.places[found.digest] = path
        self._value(found.value, path)


def _check_binding(
    parts: Parts, claims: JsonObject, *, audience: str | None, nonce: str | None, at: int | None
) -> bool:
    if not parts.binding:
        if audience is not None or nonce is not None:
            raise error("holder-missing", "no key binding by the holder")
        return False
    confirmed = claims.get("cnf")
    if type(confirmed) is not dict:
        raise error("holder-mismatch", "a key binding, and the token names no holder's key")
    jws = tokens.split(parts.binding)
    if jws.header.get("typ") != "kb+jwt":
        raise error("shape", "header.typ of a key binding is not kb+jwt")
    for name in ("crit", "b64", "jwk", "jku", "x5u", "x5c"):
        if name in jws.header:
            raise error("shape", f"the header of the key binding has {name}")
    try:
        tokens.check_key(jws, Key.from_jwk(confirmed.get("jwk")))
    except Error as exc:
        if exc.code != "proof":
            raise
        raise error("holder-mismatch", "the key binding is not by the holder's key") from None
    said = jws.payload
    if said.get("sd_hash") != _hash(parts.signed):
        raise error("holder-mismatch", "the key binding is for other disclosures")
    if audience is not None and said.get("aud") != audience:
        raise error("audience", "the key binding is for another audience")
    if nonce is not None and said.get("nonce") != nonce:
        raise error("nonce", "the key binding answers another nonce")
    made = said.get("iat")
    if type(made) is not int:
        raise error("shape", "iat of a key binding is not a number of seconds")
    if at is not None and not at - KB_SECONDS <= made <= at + 60:
        raise error("invocation-expired", "the key binding is too old, or not of this time")
    return True


def _hash(text: str) -> str:
    return b64u_encode(hashlib.sha256(text.encode("ascii", "replace")).digest())
