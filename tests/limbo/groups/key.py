"""Keys: that anybody can sign for, of another kind, misspelled, shared, or from nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from altered import both
from delegant.credentials import CODES, canonical, did
from delegant.credentials.codec import b58_encode, b64u_encode
from draft import Draft
from limbo.crafts import WEB, after, finished, signature, subject, under
from limbo.edwards import Y8, P, mixed_key, mixed_sign
from limbo.forge import Alter, Case
from limbo.groups.happy import rename_ana, rename_org

TWO = "happy::honest::two-links"
WEAK_SIGNATURE = b"\x01" + bytes(63)
"""The neutral point and zero: what a weak key takes for a signature of anything."""


def no(name: str, description: str, alter: Alter, code: str, link: int | None = 1,
       **more: Any) -> Case:  # fmt: skip
    """A refused case, at link 1 where nothing else is said."""
    own: dict[str, Any] = {"twin": TWO, "spec": "DESIGN: keys come down the chain",
                           "state": CODES[code].cls.state}  # fmt: skip
    return Case(f"key::{name}", description, alter, code=code, link=link, **(own | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    own: dict[str, Any] = {"spec": "DESIGN: keys come down the chain", "importance": "medium"}
    return Case(f"key::{name}", description, alter, **(own | more))


# --- keys anybody can sign for -------------------------------------------------------------


def _point(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


WEAK: dict[str, tuple[str, bytes]] = {
    "identity": ("the neutral point", _point(1)),
    "identity-signed": ("the neutral point with its sign bit set", _point(1, 1)),
    "identity-unreduced": ("the neutral point, its y not reduced", _point(P + 1)),
    "identity-unreduced-signed": ("the same with its sign bit set", _point(P + 1, 1)),
    "order-2": ("the point of order two", _point(P - 1)),
    "order-2-signed": ("the point of order two with its sign bit set", _point(P - 1, 1)),
    "order-4": ("a point of order four", _point(0)),
    "order-4-signed": ("the other point of order four", _point(0, 1)),
    "order-4-unreduced": ("a point of order four, its y not reduced", _point(P)),
    "order-4-unreduced-signed": ("the other, its y not reduced", _point(P, 1)),
    "order-8-a": ("a point of order eight", _point(Y8)),
    "order-8-b": ("a point of order eight", _point(Y8, 1)),
    "order-8-c": ("a point of order eight", _point(P - Y8)),
    "order-8-d": ("a point of order eight", _point(P - Y8, 1)),
    "unreduced-3": ("a point whose y is not reduced", _point(P + 3)),
    "unreduced-greatest": ("the greatest y that 255 bits hold", _point(2**255 - 1)),
}  # fmt: skip


def multikey(raw: bytes, codec: bytes = b"\xed\x01") -> str:
    """``z…`` of any bytes under any codec."""
    return "z" + b58_encode(codec + raw)


def _forged_invocation(d: Draft) -> None:
    after("invocation", signature(lambda _s: WEAK_SIGNATURE))(d)


def _weak_leaf(raw: bytes) -> Alter:
    """The last agent's DID is a weak key, and its invocation a signature of anything."""
    return both(subject(1, f"did:key:{multikey(raw)}"), _kid, _forged_invocation)


def _kid(d: Draft) -> None:
    """Name the method that follows from whatever the DID now is."""
    name = d.claims["iss"]
    d.header["kid"] = f"{name}#{name[8:]}"


def _weak_middle(d: Draft) -> None:
    """The first agent's DID is a weak key; the link below is signed by nobody."""
    subject(0, f"did:key:{multikey(_point(1))}")(d)
    after("link-1", signature(lambda _s: WEAK_SIGNATURE))(d)


def _weak_root(d: Draft) -> None:
    rename_ana(d, f"did:key:{multikey(_point(1))}")
    after("link-0", signature(lambda _s: WEAK_SIGNATURE))(d)


def _weak_anchor(d: Draft) -> None:
    rename_org(d, "did:web:acme.example", "org")
    d.trust["anchors"][0]["keys"] = [multikey(_point(1))]
    after("sponsor-0", signature(lambda _s: WEAK_SIGNATURE))(d)


def _authority(key: str, name: str | None = None) -> Alter:
    """The sponsor credential states this key for the status authority."""

    def alter(d: Draft) -> None:
        block = d.sponsors[0].subject["status"]
        block["key"] = key
        if name is not None:
            block["authority"] = name
            d.lists[0].doc["issuer"] = name

    return alter


def _pinned(pin: Any) -> Alter:
    return subject(1, WEB, pin=pin)


WEAKNESS: dict[str, Any] = {"importance": "critical", "origin": "RFC 8032, 5.1.7; small order"}
WEAK_KEYS = [
    *(no(f"weak::leaf-{name}", f"The last agent's did:key is {words}; its invocation is signed "
         "without any secret.", _weak_leaf(raw), "key-weak", at_most=2, **WEAKNESS)
      for name, (words, raw) in WEAK.items()),
    no("weak::middle", "The first agent's did:key is the neutral point; the next link is signed "
       "without any secret.", _weak_middle, "key-weak", 0, at_most=1, **WEAKNESS),
    no("weak::root", "The human's did:key is the neutral point; the first link is signed without "
       "any secret.", _weak_root, "key-weak", 0, at_most=0, **WEAKNESS),
    no("weak::anchor", "The trust folder pins the neutral point for the organisation.",
       _weak_anchor, "key-weak", None, at_most=0, twin="happy::did::web-organisation",
       features=("did:web",), **WEAKNESS),
    no("weak::pinned", "The key pinned for the last agent, a did:web, is the neutral point.",
       both(_pinned(multikey(_point(1))), _forged_invocation), "key-weak",
       twin="happy::did::web-leaf", features=("did:web",), **WEAKNESS),
    no("weak::jwk", "The last agent is a did:jwk on the neutral point.", both(subject(
        1, "did:jwk:" + b64u_encode(canonical({"crv": "Ed25519", "kty": "OKP",
                                               "x": b64u_encode(_point(1))}))),
        _forged_invocation), "key-weak", twin="happy::did::jwk-leaf", features=("did:jwk",),
       **WEAKNESS),
    no("weak::status-authority", "The key of the status authority, a did:web, is the neutral "
       "point; anybody can sign that nothing is revoked.", both(_authority(multikey(_point(1)),
       "did:web:status.acme.example"), after("list-0", signature(lambda _s: WEAK_SIGNATURE))),
       "key-weak", 0, twin="happy::did::web-status-authority", features=("did:web",), **WEAKNESS),
]  # fmt: skip


# --- a key outside the prime-order group ---------------------------------------------------


def _mixed(fits: bool) -> Alter:
    def alter(d: Draft) -> None:
        seed = d.key("retrieval").export_seed()
        subject(1, f"did:key:{multikey(mixed_key(seed))}")(d)
        _kid(d)

        def sign(token: str) -> str:
            message = token.rsplit(".", 1)[0]
            made = mixed_sign(seed, message.encode(), fits=fits)
            return f"{message}.{b64u_encode(made)}"

        d.invocation_after = sign

    return alter


COFACTOR: dict[str, Any] = {"importance": "low", "features": ("cofactorless",),
                            "spec": "RFC 8032, 5.1.7"}  # fmt: skip
MIXED = [
    yes("mixed::fits", "A key with a part of order eight; its signature fits the equation with "
        "and without cofactor.", _mixed(True), **COFACTOR),
    no("mixed::fits-with-cofactor-only", "The same key; its signature fits only the equation with "
       "cofactor, which some verifiers use and we do not.", _mixed(False), "holder-mismatch",
       None, twin="key::mixed::fits", **COFACTOR),
]  # fmt: skip

# --- other kinds of key, other spellings ---------------------------------------------------

CODECS: dict[str, tuple[bytes, int]] = {
    "x25519": (b"\xec\x01", 32), "ed25519-private": (b"\x80\x26", 32),
    "secp256k1": (b"\xe7\x01", 33), "p-256": (b"\x80\x24", 33), "p-384": (b"\x81\x24", 49),
    "ed448": (b"\x83\x24", 57), "bls12381-g1": (b"\xea\x01", 48), "sr25519": (b"\xef\x01", 32),
    "sha2-256": (b"\x12\x20", 32), "identity": (b"\x00\x20", 32), "ed25519-long-varint":
    (b"\xed\x81\x00", 32), "ed25519-one-byte": (b"\xed", 32), "no-codec": (b"", 32),
}  # fmt: skip


def _leaf(name: str) -> Alter:
    return subject(1, name)


def _respelled(spell: Callable[[bytes], str]) -> Alter:
    return lambda d: subject(1, spell(d.key("retrieval").public.raw))(d)


SPELLINGS: dict[str, tuple[str, Callable[[bytes], str], str]] = {
    "base64url": ("multibase u", lambda k: "did:key:u" + b64u_encode(b"\xed\x01" + k), "encoding"),
    "hexadecimal": ("multibase f", lambda k: "did:key:fed01" + k.hex(), "encoding"),
    "capital-prefix": ("a capital Z", lambda k: "did:key:Z" + multikey(k)[1:], "encoding"),
    "no-prefix": ("no prefix", lambda k: "did:key:" + multikey(k)[1:], "encoding"),
    "version": ("a version before it", lambda k: "did:key:1.1:" + multikey(k), "encoding"),
    "zero": ("a digit 0", lambda k: "did:key:" + multikey(k)[:-1] + "0", "encoding"),
    "capital-o": ("a capital O", lambda k: "did:key:" + multikey(k)[:-1] + "O", "encoding"),
    "small-l": ("a small l", lambda k: "did:key:" + multikey(k)[:-1] + "l", "encoding"),
    "small-letters": ("small letters only: another number", lambda k: "did:key:"
                      + multikey(k).lower(), "suite"),
    "leading-1": ("a leading 1", lambda k: "did:key:z1" + multikey(k)[1:], "suite"),
    "empty": ("nothing after z", lambda _k: "did:key:z", "suite"),
    "31-bytes": ("31 bytes", lambda k: "did:key:" + multikey(k[:31]), "encoding"),
    "33-bytes": ("33 bytes", lambda k: "did:key:" + multikey(k + b"\0"), "encoding"),
    "no-bytes": ("its codec alone", lambda _k: "did:key:" + multikey(b""), "encoding"),
    "two-keys": ("two keys", lambda k: "did:key:" + multikey(k + k), "encoding"),
    "fragment": ("its fragment", lambda k: f"did:key:{multikey(k)}#{multikey(k)}", "shape"),
    "query": ("a query", lambda k: f"did:key:{multikey(k)}?a=1", "shape"),
    "path": ("a path", lambda k: f"did:key:{multikey(k)}/", "shape"),
    "capital-scheme": ("a capital DID", lambda k: f"DID:key:{multikey(k)}", "shape"),
    "capital-method": ("a capital Key", lambda k: f"did:Key:{multikey(k)}", "shape"),
    "space": ("a space after it", lambda k: f"did:key:{multikey(k)} ", "shape"),
    "newline": ("a newline after it", lambda k: f"did:key:{multikey(k)}\n", "shape"),
    "percent": ("an escape", lambda k: f"did:key:%7A{multikey(k)[1:]}", "encoding"),
}  # fmt: skip

KINDS = [
    *(no(f"codec::{name}", f"The last agent's did:key is of another kind: {name}.",
         _leaf(f"did:key:{multikey(bytes(range(7, 7 + size)), codec)}"), "suite")
      for name, (codec, size) in CODECS.items()),
    *(no(f"spelling::{name}", f"The last agent's did:key is spelled with {words}.",
         _respelled(spell), code, importance="medium")
      for name, (words, spell, code) in SPELLINGS.items()),
    no("codec::off-the-curve", "The last agent's did:key is a y without a point: nothing can "
       "fit it.", both(_leaf(f"did:key:{multikey(_point(2))}"), _kid), "holder-mismatch", None),
]  # fmt: skip

# --- did:jwk -------------------------------------------------------------------------------


def _jwk(change: Callable[[dict[str, Any]], Any], dump: Callable[[Any], bytes] = canonical) -> Any:
    def alter(d: Draft) -> None:
        value = change(dict(d.key("retrieval").public.jwk))
        subject(1, "did:jwk:" + b64u_encode(dump(value)))(d)

    return alter


def _with(**values: Any) -> Any:
    return _jwk(lambda jwk: {k: v for k, v in (jwk | values).items() if v is not ...})


JWKS: dict[str, tuple[str, Alter, str]] = {
    "private": ("publishes its private half", _with(d="AAAA"), "key-weak"),
    "ec": ("says kty EC", _with(kty="EC"), "suite"),
    "oct": ("is a shared secret", _with(kty="oct", k="AAAA"), "suite"),
    "x25519": ("is a key for agreement", _with(crv="X25519"), "suite"),
    "ed448": ("says crv Ed448", _with(crv="Ed448"), "suite"),
    "crv-case": ("says crv ED25519", _with(crv="ED25519"), "suite"),
    "no-crv": ("has no crv", _with(crv=...), "suite"),
    "no-kty": ("has no kty", _with(kty=...), "suite"),
    "encryption": ("is for encryption", _with(use="enc"), "suite"),
    "no-x": ("has no x", _with(x=...), "encoding"),
    "x-number": ("has a number as x", _with(x=1), "encoding"),
    "x-short": ("has an x of 31 bytes", _with(x=b64u_encode(bytes(31))), "encoding"),
    "x-padded": ("has a padded x", _jwk(lambda jwk: jwk | {"x": jwk["x"] + "="}), "encoding"),
    "x-hexadecimal": ("has a hexadecimal x", _with(x="ab" * 32), "encoding"),
    "array": ("is a list", _jwk(lambda jwk: [jwk]), "shape"),
    "no-json": ("is no JSON", _jwk(lambda _jwk: None, lambda _v: b"{"), "json"),
    "duplicate": ("has a member twice", _jwk(lambda jwk: jwk, lambda v: b'{"kty":"OKP",'
                  + canonical(v)[1:]), "duplicate-member"),
}  # fmt: skip

JWK = [
    *(no(f"jwk::{name}", f"The last agent's did:jwk {words}.", alter, code,
         twin="happy::did::jwk-leaf", features=("did:jwk",))
      for name, (words, alter, code) in JWKS.items()),
    no("jwk::not-base64url", "The last agent's did:jwk is JSON in base64 that is padded.",
       _leaf("did:jwk:e30%3D"), "encoding", twin="happy::did::jwk-leaf", features=("did:jwk",)),
    yes("jwk::for-signing", "The last agent's did:jwk says that it is for signing.",
        both(_with(use="sig", alg="EdDSA"), lambda d: setattr(d, "holder", d.key("retrieval"))),
        features=("did:jwk",)),
    yes("jwk::spaced", "The last agent's did:jwk is JSON with spaces: another DID of its own.",
        _jwk(lambda jwk: jwk, lambda v: json.dumps(v).encode()), features=("did:jwk",)),
]  # fmt: skip

# --- one key for two -----------------------------------------------------------------------


def _same_key(index: int, who: str) -> Alter:
    """The subject of a link is a did:jwk of somebody's key."""

    def alter(d: Draft) -> None:
        name = did.from_key(d.key(who).public, "jwk")
        subject(index, name, d.key(who))(d)
        if index == 0:
            under("link-1", lambda _d: f"{name}#0")(d)

    return alter


SHARED = [
    no("shared::leaf-and-human", "The last agent's key is the human's, under another DID.",
       _same_key(1, "ana"), "id-shared", twin="happy::did::jwk-leaf", features=("did:jwk",),
       importance="critical"),
    no("shared::agent-and-human", "The first agent's key is the human's, under another DID.",
       _same_key(0, "ana"), "id-shared", 0, twin="happy::did::jwk-middle", features=("did:jwk",),
       importance="critical"),
    no("shared::two-agents", "The last agent's key is that of the agent above it.",
       _same_key(1, "research"), "id-shared", twin="happy::did::jwk-leaf", features=("did:jwk",)),
    no("shared::pinned", "The key pinned for the last agent is that of the agent above it.",
       lambda d: subject(1, WEB, d.key("research"), d.key("research").public.multikey)(d),
       "id-shared", twin="happy::did::web-leaf", features=("did:web",)),
]  # fmt: skip

# --- keys from above, and from nowhere -----------------------------------------------------


def _pin_link_only(d: Draft) -> None:
    _pinned(d.key("retrieval").public.multikey)(d)
    del d.identities[1].subject["key"]


def _pin_identity_only(d: Draft) -> None:
    _pinned(d.key("retrieval").public.multikey)(d)
    del d.links[1].subject["key"]


def _pin_differs(d: Draft) -> None:
    _pinned(d.key("retrieval").public.multikey)(d)
    d.identities[1].subject["key"] = d.key("mallory").public.multikey


def _document(d: Draft) -> None:
    """A DID document in the evidence says what nobody above pinned."""
    _pinned(None)(d)
    key = d.key("retrieval").public.multikey
    method = {"id": f"{WEB}#0", "type": "Multikey", "controller": WEB, "publicKeyMultibase": key}
    one = {"id": WEB, "verificationMethod": [method], "assertionMethod": [f"{WEB}#0"],
           "authentication": [f"{WEB}#0"]}  # fmt: skip
    finished(lambda b: b["evidence"].update(documents=[one]))(d)


def _web_middle(d: Draft) -> None:
    subject(0, WEB)(d)
    d.links[1].after = _web_proof


def _web_proof(raw: Any) -> Any:
    return raw | {"proof": raw["proof"] | {"verificationMethod": f"{WEB}#k"}}


def _web_human(d: Draft) -> None:
    rename_ana(d, "did:web:acme.example:people:ana")
    d.trust["anchors"][0]["subjects"] = ["did:web:acme.example:people:**"]


PINNED: dict[str, Any] = {"twin": "happy::did::web-leaf", "features": ("did:web",)}
ABOVE = [
    no("pinned::link-only", "The link pins the last agent's key, its identity does not.",
       _pin_link_only, "did-key-mismatch", **PINNED),
    no("pinned::identity-only", "The identity pins the last agent's key, the link does not: what "
       "the delegator did not see does not count.", _pin_identity_only, "key-unresolved",
       importance="critical", **PINNED),
    no("pinned::two-keys", "Link and identity pin different keys.", _pin_differs,
       "did-key-mismatch", **PINNED),
    no("pinned::nowhere", "Nobody pins a key for the last agent, a did:web.", _pinned(None),
       "key-unresolved", **PINNED),
    no("pinned::by-document", "A DID document that the presenter brings says which key the last "
       "agent has.", _document, "key-unresolved", importance="critical",
       origin="CVE-2024-42350", **PINNED),
    no("pinned::middle-nowhere", "Nobody pins a key for the first agent, a did:web.", _web_middle,
       "key-unresolved", twin="happy::did::web-middle", features=("did:web",)),
    no("pinned::human-nowhere", "Nobody pins a key for the human, a did:web.", _web_human,
       "key-unresolved", 0, twin="happy::did::web-human", features=("did:web",)),
    *(no(f"pinned::{name}", f"The key pinned for the last agent, a did:web, is {words}.",
         _pinned(pin), code, **PINNED) for name, words, pin, code in (
             ("x25519", "one for agreement", multikey(bytes(range(32)), b"\xec\x01"), "suite"),
             ("did", "a DID", "did:key:z6Mk", "encoding"),
             ("empty", "empty", "", "shape"),
             ("jwk", "a JWK", {"kty": "OKP"}, "shape"))),
    no("authority::x25519", "The key stated for the status authority is one for agreement.",
       _authority(multikey(bytes(range(32)), b"\xec\x01")), "suite", 0),
    no("anchor::other-key", "The trust folder pins another key for the organisation's did:key.",
       lambda d: d.trust["anchors"][0].update(keys=[d.key("mallory").public.multikey]),
       "did-key-mismatch", None, at_most=0, importance="medium"),
    no("anchor::no-key", "The trust folder pins no key for the organisation.",
       lambda d: d.trust["anchors"][0].update(keys=[]), "empty-array", None, at_most=0,
       importance="medium"),
    no("anchor::did-web-other-key", "The trust folder pins a key for the organisation, a did:web, "
       "that did not sign.", lambda d: rename_org(d, "did:web:acme.example", "mallory"), "proof",
       None, twin="happy::did::web-organisation", features=("did:web",)),
]  # fmt: skip

CASES: list[Case] = [*WEAK_KEYS, *MIXED, *KINDS, *JWK, *SHARED, *ABOVE]
