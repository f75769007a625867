"""Signatures: bent, cut, borrowed, by the wrong key, of the wrong kind, for the wrong end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altered import t
from delegant.credentials.codec import b58_decode, b58_encode, b64u_encode
from limbo.crafts import ORDER, after, flip, member, scalar, signature
from limbo.forge import Alter, Case

TWO = "happy::honest::two-links"
JWT = "happy::form::leaf-jwt"
SPEC = "DESIGN: the checks, 6"


def no(name: str, description: str, alter: Alter, code: str, link: int | None = 1,
       **more: Any) -> Case:  # fmt: skip
    """A rejected case, at link 1 where nothing else is said."""
    own: dict[str, Any] = {"twin": TWO, "spec": SPEC, "state": "rejected"}
    return Case(f"proof::{name}", description, alter, code=code, link=link, **(own | more))


def bad(name: str, description: str, alter: Alter, code: str = "shape", link: int | None = 1,
        **more: Any) -> Case:  # fmt: skip
    """A malformed case, at link 1 where nothing else is said."""
    own: dict[str, Any] = {"state": "malformed", "at_most": 0, "spec": "DESIGN: the checks, 3"}
    return no(name, description, alter, code, link, **(own | more))


def unknown(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """A suite that this verifier does not accept, at link 1 where nothing else is said."""
    return no(name, description, alter, "suite", **({"state": "undecided"} | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    own: dict[str, Any] = {"spec": SPEC, "importance": "medium"}
    return Case(f"proof::{name}", description, alter, **(own | more))


# --- bent signatures -----------------------------------------------------------------------

BENT: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "bit-0": ("its first bit turned", flip(0)),
    "bit-100": ("a bit of R turned", flip(100)),
    "bit-255": ("the sign bit of R turned", flip(255)),
    "bit-256": ("the lowest bit of S turned", flip(256)),
    "bit-400": ("a bit of S turned", flip(400)),
    "bit-511": ("its last bit turned", flip(511)),
    "s-plus-order": ("the group's order added to S, which some verifiers take for S",
                     scalar(lambda s: s + ORDER)),
    "s-plus-8-orders": ("eight times the order added to S", scalar(lambda s: s + 8 * ORDER)),
    "s-negated": ("S replaced by its negative", scalar(lambda s: ORDER - s)),
    "s-zero": ("S replaced by zero", scalar(lambda _s: 0)),
    "s-order": ("S replaced by the order, which is zero to some", scalar(lambda _s: ORDER)),
    "s-greatest": ("S replaced by the greatest number", scalar(lambda _s: 2**256 - 1)),
    "r-zero": ("R replaced by zeros", lambda s: bytes(32) + s[32:]),
    "r-identity": ("R replaced by the neutral point", lambda s: b"\x01" + bytes(31) + s[32:]),
    "all-zero": ("all of it zero", lambda _s: bytes(64)),
    "identity-and-zero": ("the neutral point and zero, which weak keys take for anything",
                          lambda _s: b"\x01" + bytes(63)),
    "all-ones": ("all of it ones", lambda _s: b"\xff" * 64),
    "halves-swapped": ("R and S swapped", lambda s: s[32:] + s[:32]),
    "reversed": ("its bytes in the other order", lambda s: s[::-1]),
}  # fmt: skip
MALLEABLE = {"s-plus-order": "RFC 8032, 5.1.7", "s-plus-8-orders": "RFC 8032, 5.1.7",
             "all-zero": "CVE-2022-21449"}  # fmt: skip
ELSEWHERE = {("invocation", "all-zero")}
"""Stand in another namespace."""
EVERYWHERE = ("bit-0", "bit-511", "s-plus-order", "all-zero", "identity-and-zero")
PLACES: dict[str, tuple[str, str, int | None]] = {
    "link-1": ("the last link", "proof", 1),
    "link-0": ("the first link", "proof", 0),
    "invocation": ("the invocation", "holder-mismatch", None),
    "sponsor-0": ("the sponsor credential", "proof", None),
    "identity-1": ("the last agent's identity", "proof", 1),
    "list-0": ("the status list", "proof", 0),
}  # fmt: skip


def _bent(place: str, how: str, form: str = "di") -> Case:
    words, code, link = PLACES[place]
    what, change = BENT[how]
    jwt = form == "jwt"
    return no(f"signature::{place}{'-jwt' * jwt}-{how}", f"The signature of {words}"
              f"{' (vc+jwt)' * jwt}, {what}.", after(place, signature(change), form), code, link,
              importance="critical", origin=MALLEABLE.get(how, ""), twin=JWT if jwt else TWO,
              features=("vc+jwt",) if jwt else ())  # fmt: skip


LENGTHS: dict[str, Callable[[bytes], bytes]] = {
    "63-bytes": lambda s: s[:63], "65-bytes": lambda s: s + b"\0", "32-bytes": lambda s: s[:32],
    "leading-zero": lambda s: b"\0" + s, "empty": lambda _s: b"",
}  # fmt: skip

SIGNATURES = [
    *(_bent("link-1", how) for how in BENT),
    *(_bent(place, how) for place in PLACES if place != "link-1"
      for how in EVERYWHERE if (place, how) not in ELSEWHERE),
    *(_bent("link-1", how, "jwt") for how in EVERYWHERE),
    *(bad(f"length::link-{name}", f"The proof's value of a link: {name.replace('-', ' ')}.",
          after("link-1", signature(change))) for name, change in LENGTHS.items()),
    *(bad(f"length::jwt-{name}", f"The signature of a vc+jwt link: {name.replace('-', ' ')}.",
          after("link-1", signature(change), "jwt"), twin=JWT, features=("vc+jwt",))
      for name, change in LENGTHS.items()),
]  # fmt: skip

# --- changed content -----------------------------------------------------------------------

CONTENT: dict[str, tuple[tuple[Any, ...], Any]] = {
    "id": (("id",), "urn:uuid:00000000-0000-4000-8000-000000000000"),
    "valid-until": (("validUntil",), t(899)),
    "grants": (("credentialSubject", "delegation", "grants"),
               [{"actions": ["db.read"], "resources": ["urn:acme:papers:17"]}]),
    "remaining": (("credentialSubject", "delegation", "redelegation", "remaining"), 1),
    "constraints": (("credentialSubject", "delegation", "constraints"), {"rows": {"max": 3}}),
    "status-index": (("credentialStatus",), [
        {"type": "BitstringStatusListEntry", "statusPurpose": purpose, "statusListIndex": index,
         "statusListCredential": "https://acme.example/status/1"}
        for purpose, index in (("revocation", "2100"), ("suspension", "2101"))]),
    "lease-count": (("credentialSubject", "delegation", "redelegation", "status", "count"), 62),
    "proof-created": (("proof", "created"), t(1)),
}  # fmt: skip

CHANGED = [
    no(f"content::{name}", f"After signing, {name} of the last link was changed to something "
       "as good in itself.", after("link-1", member(*path, value=value)), "proof",
       importance="critical") for name, (path, value) in CONTENT.items()
]  # fmt: skip

# --- the proof's members -------------------------------------------------------------------


def _proof(name: str, value: Any) -> Alter:
    return after("link-1", member("proof", name, value=value))


def _encoded(spell: Callable[[bytes], str]) -> Alter:
    def change(raw: Any) -> Any:
        data = b58_decode(raw["proof"]["proofValue"][1:])
        return member("proof", "proofValue", value=spell(data))(raw)

    return after("link-1", change)


MEMBERS = ("@context", "type", "cryptosuite", "proofPurpose", "verificationMethod", "created",
           "proofValue")  # fmt: skip
PURPOSES = {
    "authentication": "authentication", "capability-delegation": "capabilityDelegation",
    "capability-invocation": "capabilityInvocation", "key-agreement": "keyAgreement",
    "capital": "AssertionMethod", "empty": "",
}  # fmt: skip
SUITES = {
    "rdfc": "eddsa-rdfc-2022", "ecdsa-jcs": "ecdsa-jcs-2019", "ecdsa-rdfc": "ecdsa-rdfc-2019",
    "ecdsa-sd": "ecdsa-sd-2023", "bbs": "bbs-2023", "capitals": "EDDSA-JCS-2022", "space-after":
    "eddsa-jcs-2022 ", "none": "none",
}  # fmt: skip
TYPES = ("Ed25519Signature2020", "JsonWebSignature2020", "Ed25519Signature2018",
         "dataIntegrityProof")  # fmt: skip
EXTRA: dict[str, Any] = {
    "expires": t(900), "domain": "acme.example", "challenge": "n-1", "nonce": "n-1",
    "previousProof": "urn:uuid:1", "id": "urn:uuid:1", "jws": "e30..AA", "publicKeyMultibase":
    "z6Mk",
}  # fmt: skip
VALUES: dict[str, Callable[[bytes], str]] = {
    "base64url": lambda s: "u" + b64u_encode(s), "hexadecimal": lambda s: "f" + s.hex(),
    "no-prefix": b58_encode, "capital-prefix": lambda s: "Z" + b58_encode(s),
    "two-prefixes": lambda s: "zz" + b58_encode(s)[1:],
}  # fmt: skip
CHARACTERS = {"zero": "0", "capital-o": "O", "capital-i": "I", "small-l": "l", "space": " ",
              "newline": "\n", "cyrillic": "\u0430", "full-width": "\uff41"}  # fmt: skip


def _character(char: str) -> Alter:
    return after("link-1", lambda raw: member("proof", "proofValue", value=raw["proof"][
        "proofValue"][:-1] + char)(raw))  # fmt: skip


def _other_context(raw: Any) -> Any:
    return member("proof", "@context", value=raw["@context"][:1])(raw)


PROOF = [
    bad("member::no-proof", "A link without a proof.",
        after("link-1", member("proof", value=...)), importance="critical",
        origin="CVE-2025-55241"),
    bad("member::proof-null", "A link whose proof is null.",
        after("link-1", member("proof", value=None)), importance="critical"),
    bad("member::proof-empty", "A link whose proof is an empty object.",
        after("link-1", member("proof", value={})), importance="critical"),
    bad("member::proof-none-listed", "A link whose proof is an empty list.",
        after("link-1", member("proof", value=[])), importance="critical"),
    bad("member::proof-list-of-one", "A link whose one proof stands in a list.",
        after("link-1", lambda raw: member("proof", value=[raw["proof"]])(raw))),
    bad("member::proof-list-of-two", "A link with two proofs, one of them right.",
        after("link-1", lambda raw: member("proof", value=[raw["proof"], {}])(raw))),
    bad("member::proof-text", "A link whose proof is a text.",
        after("link-1", member("proof", value="z"))),
    *(bad(f"member::without-{name.strip('@').lower()}", f"A proof without {name}.",
          _proof(name, ...)) for name in MEMBERS),
    *(bad(f"member::extra-{name.lower()}", f"A proof with {name}, which nobody would enforce.",
          _proof(name, value), "unknown-member") for name, value in EXTRA.items()),
    *(bad(f"purpose::{name}", f"A proof made for {value!r}, not for assertionMethod.",
          _proof("proofPurpose", value)) for name, value in PURPOSES.items()),
    *(unknown(f"suite::{name}", f"A proof of the cryptosuite {value!r}.",
              _proof("cryptosuite", value)) for name, value in SUITES.items()),
    *(unknown(f"suite::type-{name.lower()}", f"A proof of the type {name}.", _proof("type", name))
      for name in TYPES),
    bad("member::other-context", "The proof's @context is the document's first alone.",
        after("link-1", _other_context), "context"),
    bad("member::created-before", "A proof made a second before the link is valid.",
        _proof("created", t(-1))),
    bad("member::created-after", "A proof made a second after the link has expired.",
        _proof("created", t(901))),
    bad("member::created-zoneless", "A proof made at a time without a zone.",
        _proof("created", t(0)[:-1])),
    bad("member::created-fraction", "A proof made at a fraction of a second.",
        _proof("created", t(0)[:-1] + ".5Z")),
    bad("member::created-number", "A proof made at a number.", _proof("created", 1_790_000_000)),
    *(bad(f"value::{name}", f"The proof's value is written otherwise: {name.replace('-', ' ')}.",
          _encoded(spell))
      for name, spell in VALUES.items()),
    *(bad(f"value::character-{name}", f"The proof's value ends in {char!a}, which is no base58.",
          _character(char), "encoding") for name, char in CHARACTERS.items()),
    bad("value::number", "The proof's value is a number.", _proof("proofValue", 1)),
]  # fmt: skip

CASES: list[Case] = [*SIGNATURES, *CHANGED, *PROOF]
