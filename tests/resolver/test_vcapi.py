"""The VC-API as its callers and the public suites use it."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from delegant.credentials import CODES
from delegant.credentials.codec import JsonObject, b64u_decode
from delegant.w3c import dids, proofs
from delegant.w3c.keys import EdSigner, new_signer
from delegant.w3c.proofs import sign
from resolver.test_door import ROUTES
from resolver.test_hostile import BODIES
from resolver.vc import V2, Api, plain, shown

SUITES = {
    "eddsa-rdfc-2022": "Ed25519",
    "eddsa-jcs-2022": "Ed25519",
    "ecdsa-rdfc-2019": "P-256",
    "ecdsa-jcs-2019": "P-256",
}


# --- issue ---------------------------------------------------------------------------------


def test_issue_verify_revoke_and_verify_again(api: Api) -> None:
    issued = api.issue(plain())
    assert api.verify(issued)[0] == 200
    reply = api.status(issued["id"], True)
    assert reply.status == 200
    status, told = api.verify(issued)
    assert (status, told["verified"]) == (400, False)
    assert [one["code"] for one in told["errors"]] == ["revoked"]
    assert api.codes(issued, checks=["proof"]) == []


@pytest.mark.parametrize(("suite", "kind"), SUITES.items())
def test_each_suite_is_issued_by_option_and_by_address(api: Api, suite: str, kind: str) -> None:
    for issued in (api.issue(plain(), cryptosuite=suite), api.issue(plain(), f"/{suite}")):
        assert issued["issuer"] == api.house.issuer.issuers[kind]
        proof = issued["proof"]
        assert proof["type"] == "DataIntegrityProof"
        assert proof["cryptosuite"] == suite
        assert proof["proofPurpose"] == "assertionMethod"
        assert proof["verificationMethod"].startswith(issued["issuer"] + "#z")
        assert proof["proofValue"].startswith("z")
        assert proof["created"].endswith("Z")
        assert api.codes(issued) == []


@pytest.mark.parametrize("suite", ["ecdsa-rdfc-2019", "ecdsa-jcs-2019"])
def test_p_384_is_chosen_by_issuer_option_or_address(api: Api, suite: str) -> None:
    own = api.house.issuer.issuers["P-384"]
    by_issuer = api.issue(plain(issuer=own), cryptosuite=suite)
    by_option = api.issue(plain(), cryptosuite=suite, keyType="P-384")
    by_address = api.issue(plain(), f"/{suite},P-384")
    for issued in (by_issuer, by_option, by_address):
        assert issued["issuer"] == own
        assert api.codes(issued) == []


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384"])
def test_a_token_is_issued_as_an_enveloped_credential(api: Api, kind: str) -> None:
    issued = api.issue(plain(), form="vc+jwt", keyType=kind)
    assert issued["type"] == "EnvelopedVerifiableCredential"
    assert issued["id"].startswith("data:application/vc+jwt,")
    token = issued["id"].partition(",")[2]
    inner = json.loads(b64u_decode(token.split(".")[1]))
    assert inner["issuer"] == api.house.issuer.issuers[kind]
    assert api.codes(issued) == []
    assert api.codes(token) == []
    assert api.status(inner["id"], True).status == 200
    assert api.codes(issued) == ["revoked"]
    assert api.codes(api.issue(plain(), "/vc+jwt")) == []


def test_what_the_caller_says_is_kept(api: Api) -> None:
    own = api.house.issuer.issuers["Ed25519"]
    wanted = plain(
        issuer={"id": own, "name": "Example University"},
        name="A degree",
        validUntil="2999-01-01T00:00:00+02:00",
        evidence={"type": "ExampleEvidence"},
    )
    issued = api.issue(wanted)
    assert {name: issued[name] for name in wanted} == wanted
    assert issued.keys() - wanted.keys() == {"proof", "credentialStatus"}
    named = api.issue(plain(issuer={"name": "Example University"}))
    assert named["issuer"] == {"name": "Example University", "id": own}


@pytest.mark.parametrize(
    "issuer",
    ["did:web:acme.example", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
     {"id": "https://acme.example/issuers/1"}],
)  # fmt: skip
def test_another_issuer_is_refused(api: Api, issuer: Any) -> None:
    status, code = api.refused(plain(issuer=issuer))
    assert status == 400
    assert code in ("controller", "did-invalid")


@pytest.mark.parametrize("issuer", [None, "", {}, {"id": None}, {"id": 7}, [], 7, True])
def test_what_is_no_issuer_is_refused(api: Api, issuer: Any) -> None:
    credential = plain() | {"issuer": issuer}
    expected = (201, "") if issuer == {} else (400, "data-model")
    assert api.refused(credential) == expected


def test_a_key_that_does_not_go_with_the_suite_is_refused(api: Api) -> None:
    own = api.house.issuer.issuers
    assert api.refused(plain(issuer=own["P-256"]), cryptosuite="eddsa-jcs-2022") == (400, "suite")
    assert api.refused(plain(issuer=own["Ed25519"]), keyType="P-256") == (400, "controller")
    assert api.refused(plain(), "/eddsa-jcs-2022,P-256") == (400, "suite")
    assert api.refused(plain(), "/bbs-2023") == (404, "not-found")
    assert api.refused(plain(), cryptosuite="bbs-2023") == (400, "suite")


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        (plain(type=["ExampleDegreeCredential"]), "data-model"),
        (plain(credentialSubject=None), "data-model"),
        (plain(**{"@context": ["https://www.w3.org/ns/credentials/examples/v2"]}), "data-model"),
        (plain(**{"@context": ["https://www.w3.org/2018/credentials/v1"]}), "vcdm-version"),
        (plain(**{"@context": [V2, "https://unknown.example/v1"]}), "context-unknown"),
        (plain(**{"@context": [V2]}), "undefined-term"),
        (plain(validFrom="2024-01-01"), "data-model"),
        (plain(credentialSchema={"id": "https://a.example/s"}), "data-model"),
        (plain(relatedResource=[{"id": "https://a.example/"}]), "data-model"),
        ([], "data-model"),
        ("x", "data-model"),
        (None, "data-model"),
    ],
)
def test_what_does_not_conform_is_not_issued(api: Api, credential: Any, code: str) -> None:
    assert api.refused(credential) == (400, code)


def test_an_unknown_member_beside_the_status_is_refused(api: Api) -> None:
    """The suite of Bitstring Status List sends `statusEntry`, which no context defines."""
    entry = {"type": "BitstringStatusListEntry", "statusListIndex": True,
             "statusListCredential": "https://example.com"}  # fmt: skip
    wanted = plain(statusEntry=entry, type=["VerifiableCredential"]) | {
        "@context": [V2], "credentialSubject": {"id": "did:example:1"},
    }  # fmt: skip
    assert api.refused(wanted) == (400, "undefined-term")
    del wanted["statusEntry"]
    assert api.refused(wanted) == (201, "")


@pytest.mark.parametrize(
    "type_",
    ["HumanSponsorCredential", "AgentIdentityCredential", "AgentDelegationCredential",
     "AgentAttestationCredential", "BitstringStatusListCredential"],
)  # fmt: skip
def test_our_own_kinds_are_never_issued_here(api: Api, type_: str) -> None:
    assert api.refused(plain(type=["VerifiableCredential", type_])) == (400, "chain-type")


def test_an_anchor_never_issues_here(api: Api) -> None:
    settings = api.house.home.settings
    for name in (settings.organization, settings.authority, settings.registry):
        assert api.refused(plain(issuer=name)) == (400, "controller")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credential": plain(), "more": 1},
        {"credential": plain(), "options": []},
        {"credential": plain(), "options": None},
        {"credential": plain(), "options": {"mandatoryPointers": ["/issuer"]}},
        {"credential": plain(), "options": {"cryptosuite": 7}},
        {"credential": plain(), "options": {"keyType": "RSA"}},
        {"credential": plain(), "options": {"form": "vc+cose"}},
        {"credential": plain(), "options": {"credentialId": "no url"}},
        {"credential": plain(), "options": {"credentialStatus": "revocation"}},
        {"credential": plain(), "options": {"credentialStatus": {"statusPurpose": "refresh"}}},
        {"credential": plain(), "options": {"type": "Ed25519Signature2020"}},
    ],
)
def test_a_question_that_is_no_question_is_refused(api: Api, body: Any) -> None:
    assert api.post("/credentials/issue", body).status == 400


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b'{"credential":{},"credential":{}}', b"\xff\xfe{}", b"[]", b"null",
     b'{"credential":' + b"[" * 40 + b"]" * 40 + b"}", b'{"credential":{"a":1e999}}'],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/credentials/issue", "/credentials/verify", "/presentations/verify", "/presentations"]
)
def test_bytes_are_read_strictly(api: Api, path: str, raw: bytes) -> None:
    reply = api.post(path, raw)
    assert 400 <= reply.status < 500
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["verified"] is False


@pytest.mark.parametrize("path", [path for path, _, _ in ROUTES])
def test_no_body_is_ever_a_5xx(api: Api, path: str) -> None:
    for raw in BODIES.values():
        reply = api.post(path, raw)
        assert 400 <= reply.status < 500, (raw[:60], reply.body[:200])
        problem = reply.json
        assert problem["status"] == reply.status
        assert problem["code"] in CODES
        assert {"type", "title", "detail", "message", "link", "dimension"} <= problem.keys()
        told = problem.get("problemDetails", [problem])  # the cap stands before every route
        assert [one["code"] for one in told] == [problem["code"]]


JUNK: list[Any] = [
    None, 0, -1, 1.5, True, "", "x", "\x00", "did:key:z", [], {}, [[]], [None], {"id": 7},
    {"@value": 1}, [{}], {"": {}}, {"@id": "x"}, {"type": []}, "https://b.example/" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("value", JUNK)
def test_no_member_of_a_document_is_ever_a_5xx(api: Api, value: Any) -> None:
    """Each member of a credential and its proof becomes what it never should be."""
    good = foreign(
        credentialStatus={"type": "ExampleStatus", "id": "urn:x:1"}, evidence={"type": "ExampleX"}
    )
    spoilt = [good | {name: value} for name in good]
    spoilt += [good | {"proof": good["proof"] | {name: value}} for name in good["proof"]]
    for one in spoilt:
        for path, body in [
            ("/credentials/verify", {"verifiableCredential": one}),
            ("/credentials/issue", {"credential": one}),
            ("/presentations/verify", {"presentation": shown(one)}),
            ("/presentations", {"presentation": shown(one)}),
            ("/presentations/verify", {"presentation": one | {"type": "VerifiablePresentation"}}),
        ]:
            reply = api.post(path, body)
            assert reply.status in (200, 201, 400), (path, one, reply.body[:300])


def test_bodies_have_a_cap(api: Api) -> None:
    big = {"credential": plain(description="x" * 70_000)}
    assert api.post("/credentials/issue", big).status == 413
    wide = {"verifiableCredential": plain(description="x" * 70_000)}
    assert api.post("/credentials/verify", wide).status == 400
    huge = json.dumps({"verifiableCredential": "x" * (2 << 20)}).encode()
    assert api.post("/credentials/verify", huge).status == 413


# --- status --------------------------------------------------------------------------------


def listed(api: Api, entry: JsonObject, **headers: str) -> Any:
    path = urlsplit(entry["statusListCredential"]).path
    return api.house.call("GET", path, headers=headers)


def test_the_status_of_an_issued_credential_is_as_the_suite_asks(api: Api) -> None:
    entry = api.issue(plain())["credentialStatus"]
    assert entry["type"] == "BitstringStatusListEntry"
    assert entry["statusPurpose"] == "revocation"
    assert entry["id"] != entry["statusListCredential"]
    assert entry["statusListIndex"] == str(int(entry["statusListIndex"]))
    assert not entry.keys() & {"statusSize", "statusMessage", "statusReference"}
    found = listed(api, entry).json
    assert "BitstringStatusListCredential" in found["type"]
    assert found["id"] == entry["statusListCredential"]
    subject = found["credentialSubject"]
    assert subject["type"] == "BitstringStatusList"
    assert subject["statusPurpose"] == "revocation"
    assert subject["encodedList"][0] == "u"
    raw = gzip.decompress(b64u_decode(subject["encodedList"][1:]))
    assert len(raw) >= 16 * 1024


def test_suspension_is_taken_back_and_revocation_is_not(api: Api) -> None:
    both = [{"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
            {"statusPurpose": "suspension"}]  # fmt: skip
    issued = api.issue(plain(), credentialStatus=both)
    assert [one["statusPurpose"] for one in issued["credentialStatus"]] == [
        "revocation", "suspension",
    ]  # fmt: skip
    assert api.status(issued["id"], True, "suspension").status == 200
    assert api.codes(issued) == ["suspended"]
    assert api.status(issued["id"], False, "suspension").status == 200
    assert api.codes(issued) == []
    assert api.status(issued["id"], True).status == 200
    refused = api.status(issued["id"], False)
    assert (refused.status, refused.json["code"]) == (400, "revoked")
    assert api.codes(issued) == ["revoked"]


def test_a_status_is_left_out_where_nobody_wants_it(api: Api) -> None:
    assert "credentialStatus" not in api.issue(plain(), credentialStatus=False)
    assert "credentialStatus" not in api.issue(plain(id=None))
    foreign = {"id": "https://b.example/status/1", "type": "ExampleStatus"}
    kept = api.issue(plain(credentialStatus=foreign))
    assert kept["credentialStatus"] == foreign
    more = api.issue(plain(credentialStatus=foreign), "/revocation")
    assert [one["type"] for one in more["credentialStatus"]] == [
        "ExampleStatus", "BitstringStatusListEntry",
    ]  # fmt: skip


def test_a_credential_without_an_id_is_revoked_by_name_or_place(api: Api) -> None:
    named = api.issue(plain(id=None), credentialId="urn:example:named")
    assert "id" not in named
    assert api.status("urn:example:named", True).status == 200
    assert api.codes(named) == ["revoked"]
    placed = api.issue(plain(id=None), "/revocation")
    body = {"credentialStatus": placed["credentialStatus"], "status": True}
    assert api.codes(placed) == []
    assert api.post("/credentials/status", body).status == 200
    assert api.codes(placed) == ["revoked"]


def test_issuing_a_name_again_gives_its_entry_again_until_it_is_revoked(api: Api) -> None:
    wanted = plain()
    one, two = api.issue(wanted), api.issue(wanted)
    assert one["credentialStatus"] == two["credentialStatus"]
    api.status(wanted["id"], True)
    assert api.refused(wanted) == (400, "revoked")
    assert api.codes(two) == ["revoked"]


def test_a_second_proof_leaves_the_first_as_it_was(api: Api) -> None:
    first = api.issue(plain(), credentialStatus=False)
    both = api.issue(first, cryptosuite="eddsa-jcs-2022")
    assert [one["cryptosuite"] for one in both["proof"]] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    assert api.codes(both) == []
    wish = {"statusPurpose": "revocation"}
    assert api.refused(first, credentialStatus=wish) == (400, "data-model")


def test_what_cannot_be_issued_takes_no_entry(api: Api) -> None:
    wanted = plain()
    assert api.refused(wanted | {"validFrom": "x"}) == (400, "data-model")
    assert api.status(wanted["id"], True).status == 404


def test_an_entry_of_our_lists_is_given_by_us_alone(api: Api) -> None:
    entry = api.issue(plain())["credentialStatus"]
    assert api.refused(plain(credentialStatus=entry)) == (400, "status-list")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"credentialId": "urn:x:1"}, 400),
        ({"credentialId": "urn:x:1", "credentialStatus": {}}, 400),
        ({"credentialId": "urn:x:1", "credentialStatus": {"type": "X"}}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry"}}, 400),
        ({"credentialId": 7, "credentialStatus": {"type": "BitstringStatusListEntry"}}, 400),
        ({"credentialId": "urn:x:1", "status": "yes",
          "credentialStatus": {"type": "BitstringStatusListEntry"}}, 400),
        ({"credentialId": "urn:x:never",
          "credentialStatus": {"type": "BitstringStatusListEntry"}}, 404),
        ({"credentialId": "urn:x:never", "credentialStatus": {
            "type": "BitstringStatusListEntry", "statusPurpose": "message"}}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": "1",
          "statusListCredential": "https://b.example/1"}}, 404),
        ({"credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": 1,
          "statusListCredential": "https://b.example/1"}}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": "1" * 900,
          "statusListCredential": "http://127.0.0.1:8080/status-lists/1"}}, 404),
    ],
)  # fmt: skip
def test_a_status_of_nothing_is_not_changed(api: Api, body: Any, status: int) -> None:
    assert api.post("/credentials/status", body).status == status


def test_a_list_can_be_cached_and_asked_again(api: Api) -> None:
    issued = api.issue(plain())
    reply = listed(api, issued["credentialStatus"])
    assert reply.headers["cache-control"] == "public, max-age=300"
    assert reply.json["credentialSubject"]["ttl"] == 300_000
    tag = reply.headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = listed(api, issued["credentialStatus"], **{"If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    api.status(issued["id"], True)
    again = listed(api, issued["credentialStatus"], **{"If-None-Match": tag})
    assert again.status == 200
    assert again.headers["etag"] != tag


def test_a_list_comes_in_the_media_type_asked_for(api: Api) -> None:
    entry = api.issue(plain())["credentialStatus"]
    assert listed(api, entry).headers["content-type"] == "application/json"
    likes = {"Accept": "application/vc"}
    assert listed(api, entry, **likes).headers["content-type"] == "application/vc"


@pytest.mark.parametrize("number", ["0", "01", "x", "9" * 30, "-1", "1%2F..", "999999"])
def test_there_is_no_other_list(api: Api, number: str) -> None:
    assert api.house.call("GET", f"/status-lists/{number}").status == 404


def test_a_list_can_be_begun(api: Api) -> None:
    reply = api.post("/status-lists", {"statusPurpose": "suspension"})
    assert reply.status == 201
    assert reply.headers["location"] == reply.json["id"]
    assert api.codes(reply.json["verifiableCredential"]) == []
    assert api.post("/status-lists", {"statusPurpose": "message"}).status == 400
    made = api.issue(plain(), credentialStatus={"statusPurpose": "suspension"})
    assert made["credentialStatus"]["statusListCredential"] == reply.json["id"]


# --- verify --------------------------------------------------------------------------------


def foreign(suite: str = "eddsa-jcs-2022", **changes: Any) -> JsonObject:
    """A credential of somebody else."""
    signer = new_signer("Ed25519")
    name = dids.from_key(signer.public)
    value = plain(issuer=name) | changes
    return sign(value, signer, suite=suite, method=dids.vm_of(name), created=1_700_000_000)


def test_credentials_of_others_verify(api: Api) -> None:
    for suite in ("eddsa-jcs-2022", "eddsa-rdfc-2022"):
        assert api.codes(foreign(suite)) == []


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda c: c | {"name": "Other"}, "proof"),
        (lambda c: {k: v for k, v in c.items() if k != "proof"}, "proof"),
        (lambda c: c | {"proof": c["proof"] | {"proofPurpose": "authentication"}}, "proof-purpose"),
        (lambda c: c | {"proof": c["proof"] | {"cryptosuite": "bbs-2023"}}, "suite"),
        (lambda c: c | {"unknown": 1}, "undefined-term"),
        (lambda c: c | {"@context": ["https://www.w3.org/2018/credentials/v1"]}, "vcdm-version"),
    ],
)
def test_what_does_not_verify_is_400_with_a_reason(api: Api, spoil: Any, code: str) -> None:
    assert api.codes(spoil(foreign("eddsa-rdfc-2022", **{"@context": [V2], "credentialSubject": {
        "id": "did:example:1"}, "type": ["VerifiableCredential"]}))) == [code]  # fmt: skip


@pytest.mark.parametrize("value", [None, 7, [], "", "x.y.z", {}, True])
def test_what_is_no_credential_does_not_verify(api: Api, value: Any) -> None:
    status, told = api.verify(value)
    assert (status, told["verified"]) == (400, False)
    assert told["problemDetails"]


def test_times_count_unless_only_the_proof_is_asked_for(api: Api) -> None:
    old = foreign(validUntil="2024-06-01T00:00:00Z")
    young = foreign(validFrom="2999-01-01T00:00:00Z")
    assert api.codes(old) == ["expired"]
    assert api.codes(young) == ["not-yet-valid"]
    for one in (old, young):
        assert api.codes(one, checks=["proof"]) == []


def test_a_key_that_is_not_the_issuers_is_a_warning(api: Api) -> None:
    """The published vectors are signed so, and the suites expect 200 for them."""
    signer = new_signer("Ed25519")
    method = dids.vm_of(dids.from_key(signer.public))
    other = sign(plain(issuer="https://vc.example/issuers/5678"), signer,
                 suite="eddsa-jcs-2022", method=method)  # fmt: skip
    status, told = api.verify(other)
    assert (status, told["verified"], told["errors"]) == (200, True, [])
    assert [one["code"] for one in told["warnings"]] == ["controller"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"type": "BitstringStatusListEntry", "statusPurpose": "revocation",
          "statusListIndex": "7", "statusListCredential": "https://b.example/1"}, "status-missing"),
        ({"type": "BitstringStatusListEntry", "statusPurpose": "revocation",
          "statusListIndex": "7", "statusListCredential": "http://127.0.0.1:8080/status-lists/99"},
         "status-missing"),
        ({"id": "https://b.example/1", "type": "ExampleStatus"}, "status-unknown"),
    ],
)  # fmt: skip
def test_a_status_that_cannot_be_looked_up_is_never_a_yes(
    api: Api, entry: JsonObject, code: str
) -> None:
    given = foreign(credentialStatus=entry)
    assert api.codes(given) == [code]
    assert api.codes(given, checks=["proof", "credentialStatus"]) == [code]
    assert api.codes(given, checks=["proof"]) == []


def test_a_context_inside_that_is_not_signed_is_told_and_left_to_the_caller(api: Api) -> None:
    own = {"@context": [V2, {"lent": "https://example.org/#lent"}],
           "type": ["VerifiableCredential"], "credentialSubject": {"lent": "5"}}  # fmt: skip
    for suite, codes in (("eddsa-rdfc-2022", ["context-inline"]), ("eddsa-jcs-2022", [])):
        status, told = api.verify(foreign(suite, **own))
        assert (status, told["verified"], told["errors"]) == (200, True, [])
        for said in ("warnings", "problemDetails"):
            assert [one["code"] for one in told[said]] == codes


def test_a_list_of_ours_says_nothing_of_anothers_credential(api: Api) -> None:
    """Its issuer is not theirs, whatever they point at."""
    entry = api.issue(plain())["credentialStatus"]
    assert api.codes(foreign(credentialStatus=entry)) == ["status-unknown"]


def test_schemas_that_are_not_here_are_never_a_yes(api: Api) -> None:
    schema = {"id": "https://b.example/schema", "type": "JsonSchema"}
    assert api.codes(foreign(credentialSchema=schema)) == ["schema-missing"]


@pytest.mark.parametrize(
    "options",
    [{"checks": "proof"}, {"checks": ["prof"]}, {"checks": [7]}, {"checks": ["proof"] * 17},
     {"challenge": "x"}, {"returnCredential": 1}, {"ignore": True}],
)  # fmt: skip
def test_options_nobody_knows_are_refused(api: Api, options: Any) -> None:
    assert api.verify(foreign(), **options)[0] == 400
    assert api.codes(foreign()) == []


def test_the_verified_credential_comes_back_on_demand(api: Api) -> None:
    given = foreign()
    assert "credential" not in api.verify(given)[1]
    assert api.verify(given, returnCredential=True)[1]["credential"] == given


def test_problems_have_the_types_of_the_specifications(api: Api) -> None:
    def type_of(credential: Any, **options: Any) -> str:
        return str(api.verify(credential, **options)[1]["problemDetails"][0]["type"])

    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation",
             "statusListIndex": "7", "statusListCredential": "https://b.example/1"}  # fmt: skip
    assert type_of(foreign(credentialStatus=entry)) == (
        "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"
    )
    assert type_of(foreign() | {"name": "x"}) == (
        "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
    )
    assert type_of({}) == "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"


# --- presentations -------------------------------------------------------------------------


def proven(api: Api, presentation: JsonObject, **options: Any) -> JsonObject:
    reply = api.post("/presentations", {"presentation": presentation, "options": options})
    assert reply.status == 201, reply.body
    made: JsonObject = reply.json["verifiablePresentation"]
    return made


def judged(api: Api, presentation: Any, **options: Any) -> tuple[int, list[str]]:
    reply = api.post(
        "/presentations/verify", {"verifiablePresentation": presentation, "options": options}
    )
    assert reply.json["verified"] is (reply.status == 200)
    return reply.status, [one["code"] for one in reply.json["problemDetails"]]


def test_a_presentation_is_proven_and_verified(api: Api) -> None:
    made = proven(api, shown(api.issue(plain())), challenge="c-1", domain="b.example")
    assert made["proof"]["proofPurpose"] == "authentication"
    assert made["proof"]["challenge"] == "c-1"
    assert made["holder"] == api.house.issuer.holder[1].partition("#")[0]
    assert judged(api, made, challenge="c-1", domain="b.example") == (200, [])
    assert judged(api, made) == (200, [])
    assert judged(api, made, challenge="c-2") == (400, ["proof-challenge"])
    assert judged(api, made, challenge="c-1", domain="a.example") == (400, ["proof-domain"])
    assert judged(api, made | {"id": "urn:x:1"})[0] == 400


def test_a_presentation_by_token_is_verified(api: Api) -> None:
    made = proven(api, shown(api.issue(plain())), form="vp+jwt")
    assert made["type"] == "EnvelopedVerifiablePresentation"
    assert judged(api, made) == (200, [])
    refused = {"presentation": shown(), "options": {"form": "vp+jwt", "challenge": "c"}}
    assert api.post("/presentations", refused).status == 400


def test_an_enveloped_credential_is_presented(api: Api) -> None:
    made = proven(api, shown(api.issue(plain(), form="vc+jwt")))
    assert judged(api, made) == (200, [])


def test_a_revoked_credential_spoils_its_presentation(api: Api) -> None:
    issued = api.issue(plain())
    made = proven(api, shown(issued, foreign()))
    assert judged(api, made) == (200, [])
    api.status(issued["id"], True)
    assert judged(api, made) == (400, ["revoked"])
    assert judged(api, made, checks=["proof"]) == (200, [])


def test_only_our_own_holder_is_proven(api: Api) -> None:
    for holder in ("did:example:1", {"id": "did:example:1"}, 7):
        body = {"presentation": shown(holder=holder)}
        assert api.post("/presentations", body).status == 400
    own = api.house.issuer.holder[1].partition("#")[0]
    assert proven(api, shown(holder={"id": own, "name": "Us"}))["holder"]["name"] == "Us"
    assert api.post("/presentations", {"presentation": plain()}).status == 400


def test_an_unsigned_presentation_is_one_only_by_its_own_name(api: Api) -> None:
    issued = api.issue(plain())
    assert api.post("/presentations/verify", {"presentation": shown(issued)}).status == 200
    assert judged(api, shown(issued)) == (400, ["proof"])
    both = {"presentation": shown(), "verifiablePresentation": shown()}
    assert api.post("/presentations/verify", both).status == 400
    assert api.post("/presentations/verify", {}).status == 400
    bad = shown(issued | {"name": "x"})
    assert api.post("/presentations/verify", {"presentation": bad}).status == 400


def test_each_credential_of_a_presentation_has_its_result(api: Api) -> None:
    good, bad = foreign(), foreign(validUntil="2024-06-01T00:00:00Z")
    made = proven(api, shown(good, bad))
    body = {"verifiablePresentation": made, "options": {"returnPresentation": True}}
    told = api.post("/presentations/verify", body).json
    assert [one["verified"] for one in told["credentialResults"]] == [True, False]
    assert told["verifiablePresentation"] == made


def test_the_signer_is_the_one_the_wallet_keeps(api: Api) -> None:
    issued = api.issue(plain())
    own = api.house.issuer.signer(issued["issuer"], "Ed25519")
    found = proofs.verify(issued, resolve=dids.expand, at=1_900_000_000)
    assert found[0].key == own[0].public
    assert isinstance(own[0], EdSigner)
