"""VCDM 2.0, requirement by requirement: what is issued, and what is refused instead.

Most rejections of the public suite are tried at issuance, so these are too. Each pair holds
documents that conform, and the nearest that do not.
"""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Error
from delegant.w3c import proofs, tokens
from delegant.w3c.issue import enveloped
from delegant.w3c.model import check_credential, check_presentation
from refusal import refusal
from w3cworld import EXAMPLES, HOLDER, ISSUER, V2, codes, credential, issued, presentation, shown
from w3cworld import verified as verified_

SUBJECT = {"id": "did:example:subject"}
TERM = {"ExampleTestCredential": "https://example.org/#ExampleTestCredential"}
URL = "https://example.org/x"
SHORT = "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJw=="
REC = "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ="
OLDER = "uEiAkoYyQ6YVtUmER8pN24wLZcLK9EBguM5WZlbAgfXBDuQ"


def of_type(name: str, **members: Any) -> dict[str, Any]:
    """A credential whose context defines a type, and which uses it."""
    return credential(context=[V2, {name: f"https://example.org/#{name}"}], **members)


def related(*resources: Any) -> dict[str, Any]:
    return credential(relatedResource=list(resources))


def context_resource(**members: Any) -> dict[str, Any]:
    return {"id": V2, **members}


ISSUED: dict[str, tuple[list[Any], list[Any]]] = {
    "4.3 credentials include a @context": ([credential()], [credential(context=None)]),
    "4.3 the first of the ordered set is credentials/v2": (
        [credential(context=[V2, EXAMPLES])],
        [
            credential(context=[EXAMPLES]),
            credential(context=[EXAMPLES, V2]),
            credential(context=V2),
            credential(context=[]),
            credential(context={}),
        ],
    ),
    "4.3 what follows are URLs or objects that are JSON-LD contexts": (
        [
            credential(context=[V2, EXAMPLES, "https://w3id.org/security/data-integrity/v2"]),
            credential(context=[V2, TERM], type=["VerifiableCredential", *TERM]),
        ],
        [
            credential(context=[V2, "https ://not-a-url/contexts/example/v1"]),
            credential(context=[V2, 192_837]),
            credential(context=[V2, None]),
            credential(context=[V2, ["https://w3id.org/security/data-integrity/v2"]]),
            credential(context=[V2, {"Broken": 5}]),
            credential(context=[V2, "https://example.com/never-seen"]),
        ],
    ),
    "4.4 an id is a single URL": (
        [
            credential(id="urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5"),
            credential(id=URL, credentialSubject={"id": "did:example:1"}),
        ],
        [
            credential(id=None) | {"id": None},
            credential(id=[URL, "https://example.org/y"]),
            credential(id="not a url"),
            credential(id="no-scheme"),
            credential(id=""),
            credential(id={"id": URL}),
            credential(credentialSubject={"id": ["did:example:1", "did:example:2"]}),
            credential(credentialSubject={"id": None}),
        ],
    ),
    "4.5 credentials have a type": ([credential(type="VerifiableCredential")],
                                    [credential(type=None), credential(type=[])]),
    "4.5 a type is a term or an absolute URL": (
        [
            credential(type=["VerifiableCredential", "https://example.org/#Example"]),
            credential(context=[V2, TERM], type=["VerifiableCredential", *TERM]),
        ],
        [
            credential(
                context=[V2, {"ExampleTestCredential": "https ://not-a-url#Example"}],
                type=["VerifiableCredential", "ExampleTestCredential"],
            ),
            credential(
                context=[V2, {"@vocab": None}],
                type=["VerifiableCredential", "ExampleTestCredential"],
            ),
            credential(type=["VerifiableCredential", "ExampleTestCredential"]),
            credential(type=["VerifiableCredential", 5]),
            credential(type=["VerifiableCredential", ""]),
        ],
    ),
    "4.5 the order of types does not matter": (
        [
            credential(type=["https://example.org/#A", "https://example.org/#B",
                             "VerifiableCredential"]),
            credential(type=["https://example.org/#B", "VerifiableCredential",
                             "https://example.org/#A"]),
        ],
        [credential(type=["https://example.org/#A", "https://example.org/#B"])],
    ),
    "4.5 a credential is a VerifiableCredential": (
        [credential(context=[V2, TERM], type=["VerifiableCredential", *TERM])],
        [credential(context=[V2, TERM], type=[*TERM]), credential(type="verifiableCredential")],
    ),
    "4.6 name is a string or language value objects": (
        [
            credential(name="Example"),
            credential(name={"@value": "Example", "@language": "en"}),
            credential(name={"@value": "Example", "@language": "en", "@direction": "ltr"}),
            credential(name=[{"@value": "Example", "@language": "en"},
                             {"@value": "مثال", "@language": "ar", "@direction": "rtl"}]),
        ],
        [
            credential(name={"@value": "Example", "@language": "en", "url": URL}),
            credential(name={"@value": "Example", "@language": "en", "@direction": "up"}),
            credential(name={"@value": "Example", "@language": "not a language"}),
            credential(name={"@language": "en"}),
            credential(name={"@value": 5, "@language": "en"}),
            credential(name=5),
            credential(name=[]),
        ],
    ),
    "4.6 description is a string or language value objects": (
        [credential(description={"@value": "Long", "@language": "de-AT"})],
        [credential(description={"@value": "Long", "@language": "en", "extra": "x"}),
         credential(description=True)],
    ),
    "4.6 so are name and description of an issuer": (
        [
            credential(issuer={"id": ISSUER.did, "name": "Example",
                               "description": [{"@value": "x", "@language": "en"}]}),
        ],
        [
            credential(issuer={"id": ISSUER.did,
                               "name": {"@value": "x", "@language": "en", "url": URL}}),
            credential(issuer={"id": ISSUER.did, "description": ["x", 5]}),
        ],
    ),
    "4.7 an issuer is a URL or an object with one as its id": (
        [credential(issuer={"id": ISSUER.did}), credential(issuer="https://example.org/issuer")],
        [
            credential(issuer=None),
            credential() | {"issuer": None},
            credential(issuer="not-a-url"),
            credential(issuer={"id": None}),
            credential(issuer={"id": "not-a-url"}),
            credential(issuer={"name": "Example"}),
            credential(issuer=[ISSUER.did]),
        ],
    ),
    "4.8 a credential has subjects, each with claims": (
        [credential(credentialSubject=[SUBJECT, {"id": "did:example:other"}])],
        [
            credential(credentialSubject=None),
            credential(credentialSubject={}),
            credential(credentialSubject=[]),
            credential(credentialSubject=[SUBJECT, {}]),
            credential(credentialSubject="did:example:subject"),
            credential(credentialSubject=[SUBJECT, "did:example:subject"]),
        ],
    ),
    "4.9 validFrom is a dateTimeStamp": (
        [
            credential(validFrom="2023-02-25T07:16:31.127Z"),
            credential(validFrom="2023-02-25T07:16:31-05:00"),
            credential(validFrom="9023-02-25T07:16:31Z"),
        ],
        [
            credential(validFrom="Sat 25 Feb 2023 07:16:31 PM CST"),
            credential(validFrom="2023-02-25T07:16:31"),
            credential(validFrom="2023-02-30T07:16:31Z"),
            credential(validFrom="2023-02-25"),
            credential(validFrom=1_677_309_391),
            credential() | {"validFrom": None},
        ],
    ),
    "4.9 validUntil is a dateTimeStamp": (
        [credential(validUntil="2033-02-25T07:16:31.1Z"),
         credential(validUntil="2033-02-25T07:16:31+05:00")],
        [credential(validUntil="2033-02-25T24:16:31Z"), credential(validUntil="never")],
    ),
    "4.9 validFrom is not after validUntil": (
        [
            credential(validFrom="2023-01-01T00:00:00Z", validUntil="2023-01-01T00:00:00Z"),
            credential(validFrom="2023-01-01T02:00:00+03:00", validUntil="2023-01-01T00:00:00Z"),
        ],
        [
            credential(validFrom="2023-01-01T00:00:01Z", validUntil="2023-01-01T00:00:00Z"),
            credential(validFrom="2023-01-01T00:00:00.9Z", validUntil="2023-01-01T00:00:00.1Z"),
            credential(validFrom="2023-01-01T00:00:00-01:00", validUntil="2023-01-01T00:00:00Z"),
        ],
    ),
    "4.10 a status has a type, and perhaps one id": (
        [
            of_type("Status2017", credentialStatus={"type": "Status2017", "id": URL}),
            of_type("Status2017", credentialStatus={"type": "Status2017"}),
            of_type("Status2017", credentialStatus=[{"type": "Status2017"},
                                                    {"type": ["Status2017"]}]),
        ],
        [
            credential(credentialStatus={"id": URL}),
            credential(credentialStatus={"id": "did:example:status", "type": 2}),
            of_type("Status2017", credentialStatus={"type": "Status2017", "id": [URL, URL]}),
            of_type("Status2017", credentialStatus={"type": "Status2017", "id": "not a url"}),
            credential(credentialStatus=[]),
            credential(credentialStatus=URL),
            credential(credentialStatus={"type": "UndefinedStatus"}),
        ],
    ),
    "4.10 a bitstring status entry says where to look": (
        [credential(credentialStatus={
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "5", "statusListCredential": URL})],
        [credential(credentialStatus={
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": 5, "statusListCredential": URL})],
    ),
    "4.11 a schema has a type and a URL as its id": (
        [
            credential(credentialSchema={"id": URL, "type": "JsonSchema"}),
            credential(credentialSchema=[{"id": URL, "type": "JsonSchema"},
                                         {"id": f"{URL}2", "type": "JsonSchema"}]),
        ],
        [
            credential(credentialSchema={"id": URL}),
            credential(credentialSchema={"type": "JsonSchema"}),
            credential(credentialSchema={"id": 5, "type": "JsonSchema"}),
            credential(credentialSchema=URL),
        ],
    ),
    "5.2 no context redefines a protected term": (
        [credential(context=[V2, {"@protected": True, **TERM}],
                    type=["VerifiableCredential", *TERM])],
        [
            credential(context=[V2, {"VerifiableCredential": "https://example.org/#Other"}]),
            credential(
                context=[V2, {"@protected": True, **TERM},
                         {"ExampleTestCredential": "https://example.org/#Bad"}],
                type=["VerifiableCredential", *TERM],
            ),
        ],
    ),
    "5.2 every term has a meaning": (
        [credential(context=[V2, {"likes": "https://example.org/#likes"}],
                    credentialSubject={**SUBJECT, "likes": "tea"})],
        [credential(credentialSubject={**SUBJECT, "likes": "tea"}), credential(likes="tea")],
    ),
    "5.3 a related resource is an object with an id of its own": (
        [related(context_resource(digestSRI=REC)),
         related({"id": URL, "digestMultibase": OLDER, "mediaType": "application/json"},
                 {"id": f"{URL}?q=1", "digestSRI": REC})],
        [
            related(V2),
            related({"digestSRI": REC}),
            related({"id": "no url", "digestSRI": REC}),
            related({"id": URL, "digestSRI": REC}, {"id": URL, "digestMultibase": OLDER}),
            credential(relatedResource=[]),
        ],
    ),
    "5.3 a related resource states a digest": (
        [related(context_resource(digestMultibase=OLDER)),
         related(context_resource(digestSRI=[REC], digestMultibase=[OLDER]))],
        [
            related(context_resource()),
            related(context_resource(digestSRI=[])),
            related(context_resource(digestSRI="")),
            related(context_resource(digestSRI="md5-1B2M2Y8AsgTpgAmY7PhCfg==")),
            related(context_resource(digestSRI=SHORT)),
            related(context_resource(digestMultibase="uZTQ0MjM1NiAgcmVwb3J0cc5jZWxhdGVk")),
            related(context_resource(digestMultibase=REC)),
            related(context_resource(digestSRI=5)),
        ],
    ),
    "5.3 a digest that is known fits": (
        [related(context_resource(digestSRI=REC)),
         related(context_resource(digestMultibase=OLDER))],
        [
            related(context_resource(digestSRI=REC.replace("WZVc", "WZVd"))),
            related(context_resource(digestMultibase=OLDER.replace("koYy", "koYz"))),
            related(context_resource(digestSRI=REC, digestMultibase=OLDER.replace("B", "C"))),
        ],
    ),
    "5.4 a refresh service has a type": (
        [of_type("Refresh1", refreshService={"type": "Refresh1", "id": URL}),
         of_type("Refresh1", refreshService=[{"type": "Refresh1"}, {"type": "Refresh1"}])],
        [credential(refreshService={"id": URL}), credential(refreshService=[])],
    ),
    "5.5 terms of use have a type, and perhaps an id": (
        [of_type("Policy1", termsOfUse={"type": "Policy1"}),
         of_type("Policy1", termsOfUse=[{"type": "Policy1", "id": URL}, {"type": "Policy1"}])],
        [credential(termsOfUse={"id": URL}),
         of_type("Policy1", termsOfUse=[{"type": "Policy1"}, {}]),
         of_type("Policy1", termsOfUse={"type": "Policy1", "id": "no url"})],
    ),
    "5.6 evidence is one or more objects with types": (
        [of_type("Seen1", evidence=[{"type": "Seen1"}, {"type": "Seen1"}])],
        [credential(evidence={"id": URL}), credential(evidence="seen"), credential(evidence=[])],
    ),
    "5.10 reserved extension points have a type": (
        [of_type("Sure1", confidenceMethod={"type": "Sure1"})],
        [credential(confidenceMethod={"id": URL}), credential(renderMethod={"id": URL})],
    ),
    "VCDM 1.1 is another data model": (
        [credential()],
        [credential(context=["https://www.w3.org/2018/credentials/v1"]),
         credential(context=[V2, "https://www.w3.org/2018/credentials/v1"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("requirement", ISSUED)
@pytest.mark.parametrize("form", ["di", "jwt"])
def test_what_conforms_is_issued_and_verifies(requirement: str, form: str) -> None:
    for document in ISSUED[requirement][0]:
        made = issued(document, form=form)
        report = verified_(made, strict=False)
        assert codes(report) == []
        assert report.document == document


@pytest.mark.parametrize("requirement", ISSUED)
@pytest.mark.parametrize("form", ["di", "jwt"])
def test_what_does_not_conform_is_not_issued(requirement: str, form: str) -> None:
    for document in ISSUED[requirement][1]:
        code = refusal(lambda d=document: issued(d, form=form))
        assert code in WRONG, document


WRONG = {"data-model", "vcdm-version", "undefined-term", "json-ld", "context-unknown",
         "status-list", "related-resource"}  # fmt: skip


@pytest.mark.parametrize("requirement", ISSUED)
def test_what_does_not_conform_does_not_verify_either(requirement: str) -> None:
    for document in ISSUED[requirement][1]:
        signed = tokens.sign(document, ISSUER.signer, typ="vc+jwt", kid=ISSUER.method)
        assert codes(verified_(signed))[:1] != [], document


def test_an_issued_credential_is_secured_and_has_what_is_required() -> None:
    made = issued()
    assert made.keys() >= {"@context", "type", "issuer", "credentialSubject", "proof"}
    assert made["proof"]["proofPurpose"] == "assertionMethod"
    assert codes(verified_(made)) == []
    assert codes(verified_(credential())) == ["proof"]


def test_what_is_no_credential_at_all_is_refused() -> None:
    empty: list[Any] = [
        {"type": ["NonconformingDocument"]},
        {},
        [],
        None,
        5,
        "",
        b"",
        b"{",
        b"\xff",
    ]
    for nothing in empty:
        assert codes(verified_(nothing)) != []
        assert codes(shown(nothing)) != []


# --- presentations -------------------------------------------------------------------------

VC = issued()
SHOWN: dict[str, tuple[list[Any], list[Any]]] = {
    "4.3 presentations include a @context that begins with credentials/v2": (
        [presentation(VC), presentation(VC, context=[V2, EXAMPLES]),
         presentation(VC, context=[V2, TERM], type=["VerifiablePresentation", *TERM])],
        [
            presentation(VC, context=None),
            presentation(VC, context=[EXAMPLES, V2]),
            presentation(VC, context=[EXAMPLES]),
            presentation(VC, context=[V2, "https://example.com"]),
            presentation(VC, context=[V2, "https ://not-a-url/contexts/example/v1"]),
            presentation(VC, context=[V2, 123_192_875]),
        ],
    ),
    "4.5 presentations have a type, which is VerifiablePresentation": (
        [presentation(VC), presentation(VC, type="VerifiablePresentation")],
        [presentation(VC, type=None), presentation(VC, type=["VerifiableCredential"]),
         presentation(VC, type=["https://example.org/#Other"])],
    ),
    "4.13 an id is a URL": (
        [presentation(VC, id="urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5")],
        [presentation(VC, id="no url"), presentation(VC, id=[URL])],
    ),
    "4.13 it holds credentials, which are objects": (
        [presentation(), presentation(VC), presentation(VC, issued(credential(id=URL))),
         presentation() | {"verifiableCredential": VC}],
        [
            presentation("urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5"),
            presentation(5),
            presentation() | {"verifiableCredential": []},
            presentation() | {"verifiableCredential": None},
            presentation({name: value for name, value in VC.items() if name != "type"}),
            presentation({name: value for name, value in VC.items() if name != "issuer"}),
        ],
    ),
    "4.13 a holder is a URL or an object with one as its id": (
        [presentation(VC, holder=HOLDER.did), presentation(VC, holder={"id": HOLDER.did})],
        [
            presentation(VC, holder={"name": "me"}),
            presentation(VC, holder="me"),
            presentation(VC) | {"holder": None},
            presentation(VC, holder="did:example:somebody"),
        ],
    ),
    "4.13.3 a self-asserted credential needs its issuer as the holder": (
        [presentation(credential(issuer=HOLDER.did)),
         presentation(credential(issuer={"id": HOLDER.did}), holder={"id": HOLDER.did})],
        [
            presentation(credential(issuer=HOLDER.did), holder=None),
            presentation(credential(issuer=HOLDER.did), holder="did:example:acme"),
            presentation(credential(issuer="did:example:acme")),
        ],
    ),
}  # fmt: skip


def signed_anyway(document: dict[str, Any]) -> Any:
    """Signed as it is, so that what is wrong with it is the verifier's to find."""
    options = {"suite": "ecdsa-jcs-2019", "method": HOLDER.method, "purpose": "authentication"}
    try:
        return proofs.sign(document, HOLDER.signer, **options)
    except Error:
        return tokens.sign(document, HOLDER.signer, typ="vp+jwt", kid=HOLDER.method)


@pytest.mark.parametrize("requirement", SHOWN)
def test_a_presentation_that_conforms_verifies(requirement: str) -> None:
    for document in SHOWN[requirement][0]:
        assert codes(shown(signed_anyway(document))) == []
        assert refusal(lambda d=document: issued(d, by=HOLDER)) == ""


@pytest.mark.parametrize("requirement", SHOWN)
def test_a_presentation_that_does_not_conform_is_refused(requirement: str) -> None:
    for document in SHOWN[requirement][1]:
        assert codes(shown(signed_anyway(document))) != [], document


# --- envelopes -----------------------------------------------------------------------------

TOKEN = issued(form="jwt")
GOOD = enveloped(TOKEN)
BAD: dict[str, dict[str, Any]] = {
    "no context": {**GOOD, "@context": []},
    "another context": {**GOOD, "@context": EXAMPLES},
    "no data: URL": {**GOOD, "id": TOKEN},
    "another URL": {**GOOD, "id": "https://example.org/x"},
    "another media type": {**GOOD, "id": f"data:application/jwt,{TOKEN}"},
    "a media type for presentations": {**GOOD, "id": f"data:application/vp+jwt,{TOKEN}"},
    "the media type of another form": {**GOOD, "id": f"data:application/vc+sd-jwt,{TOKEN}"},
    "no type": {name: value for name, value in GOOD.items() if name != "type"},
    "another type": {**GOOD, "type": "VerifiableCredential"},
    "two types": {**GOOD, "type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]},
    "COSE, which is not read here": {**GOOD, "id": "data:application/vc+cose;base64,0oRYV6"},
    "an undefined term beside it": {**GOOD, "likes": "tea"},
}


def test_an_enveloped_credential_is_the_credential_inside() -> None:
    for good in (GOOD, {**GOOD, "@context": [V2, EXAMPLES]},
                 {**GOOD, "id": GOOD["id"][:99] + "\n " + GOOD["id"][99:]}):  # fmt: skip
        report = verified_(good)
        assert codes(report) == []
        assert report.document == credential()


@pytest.mark.parametrize("what", BAD)
def test_an_envelope_that_is_wrong_is_refused(what: str) -> None:
    assert codes(verified_(BAD[what])) != []
    assert codes(shown(signed_anyway(presentation(BAD[what])))) != []


def test_an_enveloped_presentation_is_the_presentation_inside() -> None:
    token = issued(presentation(enveloped(TOKEN)), by=HOLDER, form="jwt")
    good = enveloped(token)
    assert good["type"] == "EnvelopedVerifiablePresentation"
    assert codes(shown(good)) == []
    changes: list[dict[str, Any]] = [
        {"@context": []},
        {"@context": [EXAMPLES]},
        {"id": token},
        {"type": ["VerifiablePresentation"]},
        {"type": "EnvelopedVerifiableCredential"},
    ]
    for change in changes:
        assert codes(shown({**good, **change})) != []
    assert codes(verified_(good)) != []


# --- bounds --------------------------------------------------------------------------------


def test_lists_of_parts_are_bounded() -> None:
    many = [{"id": f"did:example:{number}"} for number in range(256)]
    assert refusal(lambda: check_credential(credential(credentialSubject=many))) == ""
    assert refusal(lambda: check_credential(credential(credentialSubject=many + many[:1]))) == (
        "data-model"
    )
    assert refusal(lambda: check_credential(credential(context=[V2, *[URL] * 256]))) == "data-model"
    assert refusal(lambda: check_presentation(presentation(*[VC] * 257))) == "data-model"
