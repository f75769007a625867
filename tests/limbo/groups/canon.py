"""What exactly is signed: RFC 8785 bytes, and every near miss that another signer might make."""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Callable
from typing import Any

from altered import both, claim, constrained, resign
from delegant.credentials import canonical, digest
from delegant.credentials.codec import b58_encode, b64u_encode
from draft import Draft
from limbo.crafts import after, chain, forms, signed_as
from limbo.forge import Alter, Case, rewrite

TWO = "happy::honest::two-links"
JWT = "happy::form::leaf-jwt"
SPEC = "RFC 8785; vc-di-eddsa 1.0, 3.3"


def no(name: str, description: str, alter: Alter, code: str, link: int | None = None,
       **more: Any) -> Case:  # fmt: skip
    """A refused case."""
    own: dict[str, Any] = {"twin": TWO, "spec": SPEC, "state": "rejected"}
    return Case(f"canon::{name}", description, alter, code=code, link=link, **(own | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    own: dict[str, Any] = {"spec": SPEC, "importance": "medium"}
    return Case(f"canon::{name}", description, alter, **(own | more))


# --- other bytes under the signature -------------------------------------------------------


def sha(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def _less(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: member for name, member in value.items() if name not in names}


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in sorted(value, reverse=True)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


HASHINGS: dict[str, tuple[str, Callable[[Any, Any], bytes]]] = {
    "document-first": ("the document's hash before the proof's",
                       lambda d, c: sha(canonical(d)) + sha(canonical(c))),
    "document-alone": ("the document's hash alone, so that the proof's members are free",
                       lambda d, _c: sha(canonical(d))),
    "proof-alone": ("the proof's hash alone, so that the document is free",
                    lambda _d, c: sha(canonical(c))),
    "unhashed": ("the canonical forms themselves", lambda d, c: canonical(c) + canonical(d)),
    "hash-of-hashes": ("the hash of both hashes",
                       lambda d, c: sha(sha(canonical(c)) + sha(canonical(d)))),
    "hash-of-both": ("one hash over both forms", lambda d, c: sha(canonical(c) + canonical(d))),
    "hexadecimal": ("both hashes in hexadecimal",
                    lambda d, c: (sha(canonical(c)).hex() + sha(canonical(d)).hex()).encode()),
    "sha-512": ("SHA-512 of both", lambda d, c: hashlib.sha512(canonical(c)).digest()
                + hashlib.sha512(canonical(d)).digest()),
    "sha-384": ("SHA-384 of both", lambda d, c: hashlib.sha384(canonical(c)).digest()
                + hashlib.sha384(canonical(d)).digest()),
    "proof-inside": ("the document with its proof, without the value, still inside",
                     lambda d, c: sha(canonical(c)) + sha(canonical(d | {"proof": c}))),
    "no-context-in-proof": ("the proof's members without their @context",
                            lambda d, c: sha(canonical(_less(c, "@context"))) + sha(canonical(d))),
    "no-created": ("the proof's members without created",
                   lambda d, c: sha(canonical(_less(c, "created"))) + sha(canonical(d))),
    "no-purpose": ("the proof's members without proofPurpose",
                   lambda d, c: sha(canonical(_less(c, "proofPurpose"))) + sha(canonical(d))),
    "no-method": ("the proof's members without verificationMethod",
                  lambda d, c: sha(canonical(_less(c, "verificationMethod")))
                  + sha(canonical(d))),
    "empty-value": ("the proof's members with an empty proofValue",
                    lambda d, c: sha(canonical(c | {"proofValue": ""})) + sha(canonical(d))),
    "no-subject": ("the document without its subject",
                   lambda d, c: sha(canonical(c)) + sha(canonical(_less(d, "credentialSubject")))),
    "spaced": ("JSON with spaces after commas and colons",
               lambda d, c: sha(json.dumps(c, sort_keys=True).encode())
               + sha(json.dumps(d, sort_keys=True).encode())),
    "indented": ("indented JSON", lambda d, c: sha(json.dumps(c, sort_keys=True, indent=1).encode())
                 + sha(json.dumps(d, sort_keys=True, indent=1).encode())),
    "newline-after": ("the canonical forms, each with a newline after it",
                      lambda d, c: sha(canonical(c) + b"\n") + sha(canonical(d) + b"\n")),
    "reverse-order": ("members in the reverse order",
                      lambda d, c: sha(_compact(_reversed(c))) + sha(_compact(_reversed(d)))),
    "nothing": ("nothing", lambda _d, _c: b""),
}  # fmt: skip

HASHED = [
    no(f"hash::{name}", f"The signature is over {words}.", signed_as("link-1", hashing), "proof",
       1) for name, (words, hashing) in HASHINGS.items()
]  # fmt: skip

# --- text under the signature --------------------------------------------------------------

TEXTS = {
    "euro": "\u20ac", "umlaut": "\u00f6", "emoji": "\U0001f600", "hebrew-presentation": "\ufb33",
    "quote": 'say "so"', "backslash": "back\\slash", "solidus": "a/b", "markup": "</script>",
    "apostrophe": "it's", "cjk": "\u8ad6\u6587", "astral-and-bmp": "\U00010000\uffe6",
}  # fmt: skip


def _escaped(data: bytes) -> bytes:
    return json.dumps(json.loads(data), ensure_ascii=True).encode()


def _purpose(words: str) -> Alter:
    return chain(constrained(0, "purpose", [words], purpose=words), rewrite(_escaped))


def _ascii(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _decomposed(raw: Any) -> Any:
    return json.loads(unicodedata.normalize("NFD", json.dumps(raw, ensure_ascii=False)))


UMLAUT = "canon::text::umlaut"
NAMES = ("a", "B", "_", "a.b", "a-b", "10", "9", "Z", "z")


def _many_arguments(d: Draft) -> None:
    d.constrain(0, "arguments", {name: {"eq": at} for at, name in enumerate(NAMES)})
    d.request["arguments"] = {name: at for at, name in enumerate(NAMES)}


SIGNED_TEXT = [
    *(yes(f"text::{name}", f"The signed text holds {words!a}; on the wire it is escaped.",
          _purpose(words)) for name, words in TEXTS.items()),
    no("text::signed-as-escapes", "The signature is over JSON with escapes beyond ASCII, and RFC "
       "8785 has none.", both(_purpose("\u00f6"), signed_as("link-1", lambda d, c: sha(_ascii(c))
       + sha(_ascii(d)))), "proof", 1, twin=UMLAUT),
    no("text::signed-decomposed", "The signature is over the text's decomposed form.",
       both(_purpose("\u00f6"), signed_as("link-1", lambda d, c: sha(canonical(c))
       + sha(unicodedata.normalize("NFD", canonical(d).decode()).encode()))), "proof", 1,
       twin=UMLAUT),
    no("text::signed-latin-1", "The signature is over the text as Latin-1.",
       both(_purpose("\u00f6"), signed_as("link-1", lambda d, c: sha(canonical(c))
       + sha(canonical(d).decode().encode("latin-1")))), "proof", 1, twin=UMLAUT),
    yes("text::leaf-composed", "The last link's text is composed.",
        constrained(1, "purpose", ["\u00f6"], purpose="\u00f6")),
    no("text::leaf-sent-decomposed", "Signed composed, sent decomposed.",
       both(constrained(1, "purpose", ["\u00f6"], purpose="\u00f6"),
            after("link-1", _decomposed)), "proof", 1, twin="canon::text::leaf-composed"),
    yes("text::argument-order", "Nine argument names that sort differently by letter, case and "
        "number.", _many_arguments),
    yes("number::greatest", "The greatest exact integer in signed content.",
        constrained(0, "rows", {"max": 2**53 - 1})),
    yes("number::least", "The least exact integer in signed content.", constrained(
        0, "arguments", {"n": {"eq": -(2**53 - 1)}}, arguments={"n": -(2**53 - 1)})),
    yes("number::zero", "Zero in signed content.", both(constrained(0, "arguments", {"n":
        {"eq": 0}}, arguments={"n": 0}))),
    no("number::zero-for-false", "The constraint says 0, the request says false.",
       constrained(0, "arguments", {"n": {"eq": 0}}, arguments={"n": False}), "constraint", 0,
       twin="canon::number::zero", spec="DESIGN: constraints"),
    no("number::one-for-true", "The constraint says true, the request says 1.",
       constrained(0, "arguments", {"n": {"eq": True}}, arguments={"n": 1}), "constraint", 0,
       twin="canon::number::true", spec="DESIGN: constraints"),
    yes("number::true", "The constraint says true, and so does the request.",
        constrained(0, "arguments", {"n": {"eq": True}}, arguments={"n": True})),
]  # fmt: skip


def _reserialised(token: str) -> str:
    """The payload in its reverse order, under the old signature."""
    head, body, signature = token.split(".")
    data = base64.urlsafe_b64decode(body + "==")
    return f"{head}.{b64u_encode(_compact(_reversed(json.loads(data))))}.{signature}"


TOKENS = [
    no("token::link-reserialised", "A vc+jwt link's payload was written anew after signing; a "
       "token is signed as bytes.", after("link-1", _reserialised, "jwt"), "proof", 1, twin=JWT,
       features=("vc+jwt",), spec="RFC 7515, 5.2"),
    no("token::invocation-reserialised", "The invocation's payload was written anew after "
       "signing.", after("invocation", _reserialised), "holder-mismatch", spec="RFC 7515, 5.2"),
]  # fmt: skip

# --- digests -------------------------------------------------------------------------------


def _unproved(raw: dict[str, Any]) -> bytes:
    return canonical(_less(raw, "proof"))


def parent_digest(spell: Callable[[Any], str]) -> Alter:
    """Link 1 names its parent by another digest of it."""

    def alter(d: Draft) -> None:
        resign(d)
        d.links[1].subject["parent"]["digestMultibase"] = spell(d.links[0].sign())

    return alter


def _multihash(code: bytes, data: bytes) -> bytes:
    return code + bytes([len(data)]) + data


WELL_FORMED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "without-proof": ("of the parent without its proof", lambda r: digest(_unproved(r))),
    "reverse-order": ("of the parent in the reverse order", lambda r: digest(
        _compact(_reversed(r)))),
    "spaced": ("of the parent with spaces", lambda r: digest(json.dumps(r).encode())),
    "without-value": ("of the parent without its proof's value",
                      lambda r: digest(canonical(r | {"proof": _less(r["proof"], "proofValue")}))),
    "of-its-digest": ("of the parent's digest", lambda r: digest(sha(canonical(r)))),
    "of-itself": ("of something else", lambda _r: digest(b"")),
}  # fmt: skip
ODD: dict[str, tuple[str, Callable[[Any], str]]] = {
    "hexadecimal": ("in hexadecimal", lambda r: sha(canonical(r)).hex()),
    "multibase-hexadecimal": ("as multibase f", lambda r: "f1220" + sha(canonical(r)).hex()),
    "multibase-base58": ("as multibase z",
                         lambda r: "z" + b58_encode(_multihash(b"\x12", sha(canonical(r))))),
    "padded": ("with padding", lambda r: digest(canonical(r)) + "="),
    "no-multihash": ("without its multihash head", lambda r: "u" + b64u_encode(sha(canonical(r)))),
    "sha-512": ("as SHA-512", lambda r: "u" + b64u_encode(_multihash(
        b"\x13", hashlib.sha512(canonical(r)).digest()))),
    "sha3-256": ("as SHA3-256", lambda r: "u" + b64u_encode(_multihash(
        b"\x16", hashlib.sha3_256(canonical(r)).digest()))),
    "truncated": ("cut to 20 bytes", lambda r: "u" + b64u_encode(_multihash(
        b"\x12", sha(canonical(r))[:20]))),
    "integrity": ("as subresource integrity has it",
                  lambda r: "sha256-" + base64.b64encode(sha(canonical(r))).decode()),
    "empty": ("as an empty text", lambda _r: ""),
}  # fmt: skip


def _claimed(name: str, spell: Callable[[Draft], str]) -> Alter:
    return lambda d: claim(**{name: spell(d)})(d)


def _columns(d: Draft) -> None:
    d.signed_request = d.request | {"columns": ["a", "b"]}
    d.request["columns"] = ["b", "a"]


DIGESTS = [
    *(no(f"digest::parent-{name}", f"The parent's digest is {words}.", parent_digest(spell),
         "chain-broken", 1, spec="DESIGN: the link") for name, (words, spell) in
      WELL_FORMED.items()),
    *(no(f"digest::parent-{name}", f"The parent's digest is written {words}.",
         parent_digest(spell), "shape", 1, state="malformed", spec="DESIGN: the link", at_most=0)
      for name, (words, spell) in ODD.items()),
    no("digest::request-with-null", "The invocation signs the request with a null member.",
       _claimed("request", lambda d: digest(canonical(d.request | {"purpose": None}))),
       "request-mismatch"),
    no("digest::request-action-alone", "The invocation signs action and resource alone.",
       _claimed("request", lambda d: digest(canonical(_less(d.request, "rows")))),
       "request-mismatch", importance="critical"),
    yes("digest::request-in-other-order", "The verifier built the same request in another order.",
        lambda d: setattr(d, "request", dict(reversed(d.request.items())))),
    no("digest::columns-in-other-order", "The columns signed for are those asked for, in another "
       "order: lists have one.", _columns, "request-mismatch",
       twin="canon::digest::columns-in-order"),
    yes("digest::columns-in-order", "The columns signed for are those asked for.",
        lambda d: d.request.update(columns=["b", "a"])),
    yes("digest::parent-as-jwt", "The parent is a token, named by the digest of its characters.",
        forms("link-0"), features=("vc+jwt",)),
    no("digest::parent-as-jwt-of-payload", "The parent is a token, named by the digest of its "
       "payload.", chain(forms("link-0"), parent_digest(lambda t: digest(base64.urlsafe_b64decode(
           t.split(".")[1] + "==")))), "chain-broken", 1, features=("vc+jwt",),
       twin="canon::digest::parent-as-jwt"),
]  # fmt: skip

CASES: list[Case] = [*HASHED, *SIGNED_TEXT, *TOKENS, *DIGESTS]
