"""SD-JWT: what is withheld stays hidden, what does not belong is refused (RFC 9901)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
from sd_jwt.common import SDObj  # type: ignore[import-untyped]
from sd_jwt.holder import SDJWTHolder  # type: ignore[import-untyped]
from sd_jwt.issuer import SDJWTIssuer  # type: ignore[import-untyped]
from sd_jwt.verifier import SDJWTVerifier  # type: ignore[import-untyped]

from delegant.credentials.codec import b64u_decode, b64u_encode, canonical, parse
from delegant.w3c import dids, sdjwt, tokens
from delegant.w3c.keys import Key
from refusal import refusal
from w3cworld import (
    EXAMPLES,
    HOLDER,
    ISSUER,
    T0,
    V2,
    codes,
    credential,
    issued,
    presentation,
    shown,
    someone,
    verified,
)

PERSON = {
    "id": "did:example:subject",
    "name": "Ana Example",
    "address": {"street": "1 Main St", "city": "Anytown"},
    "phones": [{"n": "1"}, {"n": "2"}],
}
PATHS = [
    "credentialSubject.name",
    "credentialSubject.address",
    "credentialSubject.address.city",
    "credentialSubject.phones[0]",
]
DOCUMENT = credential(context=[V2, EXAMPLES], credentialSubject=PERSON)


def sd(**options: Any) -> str:
    return str(issued(DOCUMENT, form="sd-jwt", **{"disclosable": PATHS} | options))


def subject(text: str, **options: Any) -> Any:
    report = verified(text, **options)
    assert codes(report) == []
    assert report.document is not None
    return report.document["credentialSubject"]


def test_everything_disclosed_is_the_whole_document() -> None:
    report = verified(sd())
    assert report.document == DOCUMENT
    assert report.proofs[0].hidden == 0


def test_what_is_withheld_does_not_show_anywhere() -> None:
    text = sdjwt.present(sd(), [])
    assert subject(text) == {"id": PERSON["id"], "phones": [{"n": "2"}]}
    assert verified(text).proofs[0].hidden == 3  # the city is inside what is hidden
    seen = b"".join(b64u_decode(part) for part in text.rstrip("~").replace("~", ".").split("."))
    for secret in (b"Ana", b"Main", b"Anytown", b'"1"'):
        assert secret not in seen
    assert b'"2"' in seen


def test_each_part_is_disclosed_by_itself_with_what_it_lies_in() -> None:
    text = sd()
    assert subject(sdjwt.present(text, PATHS[:1]))["name"] == "Ana Example"
    address = subject(sdjwt.present(text, ["credentialSubject.address"]))["address"]
    assert address == {"street": "1 Main St"}
    city = subject(sdjwt.present(text, ["credentialSubject.address.city"]))
    assert city["address"] == PERSON["address"]
    assert "name" not in city
    phones = subject(sdjwt.present(text, ["credentialSubject.phones[0]"]))["phones"]
    assert phones == PERSON["phones"]


def test_decoys_hide_how_much_is_withheld() -> None:
    text = sdjwt.issue(
        DOCUMENT, ISSUER.signer, typ="vc+sd-jwt", kid=ISSUER.method, disclosable=PATHS, decoys=True
    )
    assert verified(text).document == DOCUMENT
    assert verified(text).proofs[0].hidden >= 8


@pytest.mark.parametrize("path", ["credentialSubject.nobody", "credentialSubject.phones[2]", "",
                                  "credentialSubject..name", "[0]", "a[01]", "a[x]", "x" * 600,
                                  "credentialSubject.name "])  # fmt: skip
def test_a_path_leads_somewhere(path: str) -> None:
    assert refusal(lambda: sd(disclosable=[path])) == "disclosure"
    assert refusal(lambda: sdjwt.present(sd(), [path])) == "disclosure"


@pytest.mark.parametrize("name", ["@context", "type", "issuer", "type[0]"])
def test_what_a_verifier_must_see_is_never_withheld(name: str) -> None:
    assert refusal(lambda: sd(disclosable=[name])) == "disclosure"
    with_status = {**DOCUMENT, "validUntil": "2030-01-01T00:00:00Z"}
    assert refusal(
        lambda: issued(with_status, form="sd-jwt", disclosable=["validUntil"])
    ) == "disclosure"  # fmt: skip


def test_a_document_may_not_use_names_of_sd_jwt_itself() -> None:
    for name in ("_sd", "...", "_sd_alg"):
        document = {**DOCUMENT, "credentialSubject": {**PERSON, name: []}}
        assert refusal(lambda d=document: issued(d, form="sd-jwt")) != ""


# --- what does not belong ------------------------------------------------------------------


def signed(payload: dict[str, Any], *disclosures: str) -> str:
    """A correctly signed SD-JWT of any payload and disclosures."""
    token = tokens.compact(payload, ISSUER.signer, {"typ": "vc+sd-jwt", "kid": ISSUER.method})
    return "~".join([token, *disclosures, ""])


def disclosure(*parts: Any) -> str:
    return b64u_encode(canonical(list(parts)))


def digest(text: str) -> str:
    return b64u_encode(hashlib.sha256(text.encode()).digest())


NAME = disclosure("salt", "name", "Ana")
ITEM = disclosure("salt", {"n": "1"})
LIKES = disclosure("salt", "likes", {"_sd": [digest(NAME)]})


def hiding(*digests: Any, **members: Any) -> dict[str, Any]:
    """A payload whose subject hides the digests."""
    whole = {"id": "did:example:subject", "_sd": list(digests), **members}
    return {**DOCUMENT, "credentialSubject": whole, "_sd_alg": "sha-256"}


GOOD: dict[str, str] = {
    "a name": signed(hiding(digest(NAME)), NAME),
    "nothing of one": signed(hiding(digest(NAME))),
    "a name inside a disclosed object": signed(hiding(digest(LIKES)), LIKES, NAME),
    "an item": signed(hiding(phones=[{"...": digest(ITEM)}]), ITEM),
    "no hash named, which means sha-256": signed(
        {name: one for name, one in hiding(digest(NAME)).items() if name != "_sd_alg"}, NAME
    ),
}
BAD: dict[str, tuple[str, str]] = {
    "a disclosure twice": (signed(hiding(digest(NAME)), NAME, NAME), "disclosure"),
    "one that nothing refers to": (signed(hiding(digest(NAME)), NAME, ITEM), "disclosure"),
    "a digest twice": (signed(hiding(digest(NAME), digest(NAME)), NAME), "disclosure"),
    "a digest twice that nothing is shown for": (signed(hiding("x", "x")), "disclosure"),
    "a digest again inside a disclosure": (
        signed(hiding(digest(LIKES), digest(NAME)), LIKES, NAME), "disclosure"),
    "a name that is there already": (signed(hiding(digest(NAME), name="Eve"), NAME), "disclosure"),
    "a name disclosed twice": (
        signed(hiding(digest(NAME), digest(disclosure("2", "name", "Eve"))), NAME,
               disclosure("2", "name", "Eve")), "disclosure"),
    "an item where a name belongs": (signed(hiding(digest(ITEM)), ITEM), "disclosure"),
    "a name where an item belongs": (
        signed(hiding(phones=[{"...": digest(NAME)}]), NAME), "disclosure"),
    "an item beside other members": (
        signed(hiding(phones=[{"...": digest(ITEM), "n": "1"}]), ITEM), "disclosure"),
    "an ellipsis that is no item": (signed(hiding(**{"...": digest(ITEM)}), ITEM), "disclosure"),
    "a digest that is a number": (signed(hiding(5)), "disclosure"),
    "_sd that is no list": (signed(hiding() | {"_sd": "x"}), "disclosure"),
    "_sd as a disclosed name": (
        signed(hiding(digest(disclosure("s", "_sd", []))), disclosure("s", "_sd", [])),
        "disclosure"),
    "... as a disclosed name": (
        signed(hiding(digest(disclosure("s", "...", 1))), disclosure("s", "...", 1)), "disclosure"),
    "_sd_alg inside": (signed(hiding(_sd_alg="sha-256")), "disclosure"),
    "another hash": (signed(hiding() | {"_sd_alg": "sha-512"}), "suite"),
    "a weak hash": (signed(hiding() | {"_sd_alg": "md5"}), "suite"),
    "a disclosure with four parts": (signed(hiding(), disclosure("s", "a", 1, 2)), "disclosure"),
    "a disclosure with one part": (signed(hiding(), disclosure("s")), "disclosure"),
    "a disclosure that is an object": (signed(hiding(), b64u_encode(b"{}")), "disclosure"),
    "a salt that is a number": (signed(hiding(), disclosure(5, "name", "Ana")), "disclosure"),
    "a name that is a number": (signed(hiding(), disclosure("s", 5, "Ana")), "disclosure"),
    "a disclosure that is not JSON": (signed(hiding(), b64u_encode(b"[1")), "json"),
    "a disclosure in other base64": (signed(hiding(), "++"), "encoding"),
    "an empty disclosure": (signed(hiding(), ""), "json"),
    "a validity that could be withheld": (
        signed({**DOCUMENT, "_sd": [digest(disclosure("s", "validUntil", "2030-01-01T00:00:00Z"))]},
               disclosure("s", "validUntil", "2030-01-01T00:00:00Z")), "disclosure"),
    "the claim vc, disclosed": (
        signed({**DOCUMENT, "_sd": [digest(disclosure("s", "vc", 1))]}, disclosure("s", "vc", 1)),
        "disclosure"),
    "no tilde": (signed(hiding())[:-1], "shape"),
    "a changed disclosure": (signed(hiding(digest(NAME)), disclosure("salt", "name", "Eve")),
                             "disclosure"),
    "too many": (signed(hiding(), *[disclosure("s", f"n{n}", 1) for n in range(257)]),
                 "limit-items"),
}  # fmt: skip


@pytest.mark.parametrize("what", GOOD)
def test_disclosures_that_belong_are_put_back(what: str) -> None:
    assert codes(verified(GOOD[what])) == []


@pytest.mark.parametrize("what", BAD)
def test_disclosures_that_do_not_belong_are_refused(what: str) -> None:
    text, code = BAD[what]
    assert codes(verified(text)) == [code]


def test_what_is_disclosed_is_held_to_the_data_model_too() -> None:
    broken = disclosure("s", "credentialSubject", {})
    payload = {name: one for name, one in DOCUMENT.items() if name != "credentialSubject"}
    text = signed({**payload, "_sd": [digest(broken)]}, broken)
    assert codes(verified(text)) == ["data-model"]
    whole = disclosure("s", "credentialSubject", PERSON)
    assert codes(verified(signed({**payload, "_sd": [digest(whole)]}, whole))) == []


def test_disclosures_nest_no_deeper_than_anything_else() -> None:
    def chain(length: int) -> str:
        inner, parts = digest(NAME), [NAME]
        for number in range(length):
            deep: Any = {"_sd": [inner]}
            for _ in range(9):
                deep = {"likes": deep}
            parts.append(disclosure(str(number), "likes", deep))
            inner = digest(parts[-1])
        return signed(hiding(inner), *parts)

    assert codes(verified(chain(2))) == []
    for length in (4, 64, 200):
        assert codes(verified(chain(length))) == ["limit-depth"]


# --- holder binding ------------------------------------------------------------------------

BOUND = sd(holder=HOLDER.signer.public)
ASK = {"audience": "https://verifier.example", "nonce": "n-1"}


def bound(**options: Any) -> str:
    return sdjwt.present(BOUND, PATHS, **{"signer": HOLDER.signer, "at": T0, **ASK} | options)


def test_the_holder_shows_it_to_one_verifier() -> None:
    report = verified(bound(), **ASK)
    assert codes(report) == []
    assert report.proofs[0].bound
    assert not verified(BOUND).proofs[0].bound


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (lambda: BOUND, "holder-missing"),
        (sd, "holder-missing"),
        (lambda: str(issued(form="jwt")), "holder-missing"),
        (lambda: bound(nonce="n-2"), "nonce"),
        (lambda: bound(audience="https://other.example"), "audience"),
        (lambda: bound(signer=someone("P-256").signer), "holder-mismatch"),
        (lambda: bound(signer=ISSUER.signer), "suite"),
        (lambda: bound(at=T0 - 301), "invocation-expired"),
        (lambda: bound(at=T0 + 61), "invocation-expired"),
        (lambda: bound().replace("~" + bound().split("~")[1], "", 1), "holder-mismatch"),
        (lambda: sdjwt.present(sd(), PATHS, signer=HOLDER.signer, at=T0, **ASK), "holder-mismatch"),
    ],
)  # fmt: skip
def test_a_showing_that_is_not_the_holders_for_us_is_refused(
    text: Callable[[], str], code: str
) -> None:
    assert codes(verified(text(), **ASK)) == [code]


def test_a_binding_is_verified_even_where_nobody_asked() -> None:
    assert codes(verified(bound())) == []
    broken = bound()[:-8] + ("AAAAAAAA" if not bound().endswith("AAAAAAAA") else "BBBBBBBB")
    assert codes(verified(broken)) != []
    assert refusal(lambda: bound(nonce="")) == "disclosure"


# --- presentations -------------------------------------------------------------------------


def test_parts_of_a_presentation_may_be_withheld() -> None:
    from delegant.w3c.issue import enveloped

    vp = presentation(enveloped(sd()))
    text = issued(vp, by=HOLDER, form="sd-jwt", disclosable=["holder", "verifiableCredential[0]"])
    whole = shown(text)
    assert codes(whole) == []
    assert whole.document == vp
    assert whole.credentials[0].document == DOCUMENT
    assert codes(shown(sdjwt.present(text, ["verifiableCredential[0]"]))) == []
    assert codes(verified(text)) == ["shape"]


@pytest.mark.parametrize(
    ("claim", "right", "wrong"),
    [("sub", "did:example:subject", "did:example:other"), ("jti", "urn:uuid:1", "urn:uuid:2")],
)
def test_a_claim_that_was_withheld_says_what_the_document_says(
    claim: str, right: str, wrong: str
) -> None:
    """Else the same token would be about one subject to one reader, another to the next."""
    for said, code in ((right, []), (wrong, ["data-model"])):
        text = sdjwt.issue(
            {**DOCUMENT, "id": "urn:uuid:1", claim: said}, ISSUER.signer, typ="vc+sd-jwt",
            kid=ISSUER.method, disclosable=[claim, "credentialSubject.id"],
        )  # fmt: skip
        assert codes(verified(text)) == code
        assert codes(verified(sdjwt.present(text, ["credentialSubject.id"]))) == []
        only = codes(verified(sdjwt.present(text, [claim])))
        assert only == (code if claim == "jti" else [])  # there is no subject to compare with


# --- the reference library -----------------------------------------------------------------


def peer_key() -> JWK:
    return JWK.generate(kty="EC", crv="P-256")


def test_we_verify_what_the_reference_library_issues_and_shows() -> None:
    secret, holder = peer_key(), peer_key()
    name = dids.from_key(Key.from_jwk(json.loads(secret.export_public())))
    claims: dict[Any, Any] = {**DOCUMENT, "issuer": name}
    claims["credentialSubject"] = {
        "id": "did:example:subject",
        SDObj("name"): "Ana",
        "phones": [SDObj({"n": "1"}), {"n": "2"}],
    }
    made = SDJWTIssuer(
        claims,
        secret,
        holder_key=holder,
        add_decoy_claims=True,
        extra_header_parameters={"typ": "vc+sd-jwt", "kid": dids.vm_of(name)},
    ).sd_jwt_issuance
    assert subject(made)["name"] == "Ana"
    showing = SDJWTHolder(made)
    showing.create_presentation(
        {"credentialSubject": {"phones": [True]}}, "n-1", "https://verifier.example", holder
    )
    kb = parse(b64u_decode(showing.sd_jwt_presentation.rpartition("~")[2].split(".")[1]), size=999)
    report = verified(showing.sd_jwt_presentation, at=kb["iat"], **ASK)
    assert codes(report) == []
    assert report.document is not None
    assert report.document["credentialSubject"] == {
        "id": "did:example:subject",
        "phones": [{"n": "1"}, {"n": "2"}],
    }


def test_the_reference_library_verifies_what_we_issue_and_show() -> None:
    by = someone("P-256")
    document = {**DOCUMENT, "issuer": by.did}
    text = issued(document, by=by, form="sd-jwt", disclosable=PATHS, holder=HOLDER.signer.public)
    showing = sdjwt.present(
        text, ["credentialSubject.name"], signer=HOLDER.signer, at=T0, **ASK
    )  # fmt: skip
    peer = SDJWTVerifier(
        showing,
        lambda *_: JWK(**by.signer.public.jwk),
        expected_aud=ASK["audience"],
        expected_nonce=ASK["nonce"],
    )
    found = peer.get_verified_payload()
    assert found["credentialSubject"] == {
        "id": PERSON["id"],
        "name": PERSON["name"],
        "phones": [{"n": "2"}],
    }


TEXT = sd()


@given(st.integers(0, len(TEXT) - 1), st.sampled_from("ABCxyz019-_.~"))
def test_a_changed_character_is_always_noticed(place: int, character: str) -> None:
    changed = TEXT[:place] + character + TEXT[place + 1 :]
    if changed != TEXT:
        assert codes(verified(changed)) != []


@given(st.sets(st.sampled_from(PATHS)))
def test_exactly_what_is_chosen_is_shown(chosen: set[str]) -> None:
    found = subject(sdjwt.present(TEXT, chosen))
    address = bool(chosen & {"credentialSubject.address", "credentialSubject.address.city"})
    assert ("name" in found) is ("credentialSubject.name" in chosen)
    assert ("address" in found) is address
    if address:
        assert ("city" in found["address"]) is ("credentialSubject.address.city" in chosen)
    assert (len(found["phones"]) == 2) is ("credentialSubject.phones[0]" in chosen)
