"""Credentials of VCDM 1.1, really issued by DIDKit: what is read as evidence, and what is not."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.credentials.codec import b64u_decode, b64u_encode, digest
from delegant.credentials.shape import format_time
from delegant.w3c.legacy import MAX_SIZE, Report, check
from refusal import refusal
from w3c.issuing import EXAMPLES, FORMS, NOW, V1, University

pytest.importorskip("didkit", reason="DIDKit is not installed (extra: didkit; Python up to 3.12)")

UNI = University()
LINKED = FORMS[:3]


def judged(raw: bytes, at: int = NOW) -> str:
    """The code it is refused with; empty where it is accepted."""
    return refusal(lambda: check(raw, at=at))


def altered(raw: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A credential with a linked-data proof, changed after it was signed."""
    document = json.loads(raw)
    change(document)
    return json.dumps(document).encode()


def payload(raw: bytes) -> dict[str, Any]:
    """What a token says."""
    said: dict[str, Any] = json.loads(b64u_decode(raw.decode().split(".")[1]))
    return said


def token(claims: dict[str, Any], header: dict[str, Any] | None = None) -> bytes:
    """A token of the university, with any header and claims."""
    from delegant.w3c import keys

    head = header or {"alg": "EdDSA", "kid": UNI.method}
    parts = ".".join(b64u_encode(json.dumps(part).encode()) for part in (head, claims))
    seed = b64u_decode(json.loads(UNI.jwk)["d"])
    signature = keys.signer("Ed25519", seed).sign(parts.encode())
    return f"{parts}.{b64u_encode(signature)}".encode()


# --- what is accepted ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["key", "jwk"])
@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *(("Ed25519", form) for form in FORMS),
        *((kind, form) for kind in ("P-256", "secp256k1") for form in FORMS[2:]),
    ],
)
def test_a_credential_is_read_with_who_signed_it_and_what_it_says(
    kind: str, method: str, form: str
) -> None:
    issuer = University(kind=kind, method=method)
    raw = issuer.issue(form)
    report = check(raw, at=NOW)
    assert (report.form, report.issuer, report.method) == (form, issuer.did, issuer.method)
    assert report.types == ("VerifiableCredential", "AlumniCredential")
    assert report.subject == "did:example:graduate"
    assert report.claims == issuer.credential()["credentialSubject"]
    assert report.original == digest(raw)
    assert (report.issued, report.expires) == (NOW - 86_400, NOW + 365 * 86_400)
    assert report.by == "didkit 0.3.3"


def test_a_report_says_what_nobody_looked_at() -> None:
    entry = {"id": "https://status.example/1#7", "type": "OtherStatus2024"}
    raw = UNI.issue("jwt", credentialStatus=entry, evidence=[{"type": ["Interview"]}])
    assert check(raw, at=NOW).unchecked == (
        "issuer",
        "subject",
        "credentialStatus",
        "evidence",
        "contexts",
    )
    assert check(UNI.issue(LINKED[0]), at=NOW).unchecked == ("issuer", "subject")


def test_the_issuer_may_be_an_object_and_the_end_open() -> None:
    raw = UNI.issue("jwt", issuer={"id": UNI.did, "name": "University"}, expirationDate=None)
    report = check(raw, at=NOW)
    assert (report.issuer, report.expires) == (UNI.did, None)
    assert "expires" not in report.json


def test_it_can_be_asked_inside_a_running_event_loop() -> None:
    async def inside() -> Report:
        return check(raw, at=NOW)

    raw = UNI.issue("jwt")
    assert asyncio.run(inside()).form == "jwt"


def test_a_program_that_asked_ends_as_it_should(tmp_path: Path) -> None:
    (tmp_path / "it.jwt").write_bytes(RAW["jwt"])
    code = (
        "import pathlib, time; from delegant.w3c import legacy; "
        "legacy.check(pathlib.Path('it.jwt').read_bytes(), at=int(time.time()))"
    )
    for _ in range(5):
        assert (
            subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
        )


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_what_has_expired_is_said_to_have_expired(form: str) -> None:
    raw = UNI.issue(form, expirationDate=format_time(NOW + 1000))
    assert judged(raw, NOW + 999) == ""
    assert judged(raw, NOW + 1000) == "expired"
    past = {"issuanceDate": "2020-01-01T00:00:00Z", "expirationDate": "2021-01-01T00:00:00Z"}
    assert judged(UNI.issue(form, **past)) == "expired"


@pytest.mark.parametrize("form", FORMS)
def test_what_was_not_issued_yet_is_refused(form: str) -> None:
    raw = UNI.issue(form)
    assert judged(raw, NOW - 86_400 - 30) == ("" if form == "jwt" else "not-yet-valid")
    assert judged(raw, NOW - 86_400 - 31) == "not-yet-valid"


def test_a_proof_made_later_than_now_is_refused() -> None:
    raw = UNI.issue(LINKED[0])  # made an hour before NOW
    assert judged(raw, NOW - 3600 - 30) == ""
    assert judged(raw, NOW - 3600 - 31) == "not-yet-valid"


@pytest.mark.parametrize("text", ["2026-09-20", "2026-09-20T10:00:00", "2026-02-30T10:00:00Z", 5])
def test_a_time_that_is_none_is_refused(text: object) -> None:
    said = payload(UNI.issue("jwt"))
    said["vc"]["issuanceDate"] = text
    del said["nbf"]
    assert judged(token(said)) == "data-model"
    said["vc"]["issuanceDate"] = "2026-09-20T10:00:00.25+02:00"
    assert check(token(said), at=NOW).json["issued"] == "2026-09-20T08:00:01Z"


# --- purpose, keys, signature ----------------------------------------------------------------


@pytest.mark.parametrize("form", LINKED)
def test_a_proof_for_another_purpose_is_refused(form: str) -> None:
    assert judged(UNI.issue(form, purpose="authentication")) == "proof-purpose"
    assert judged(UNI.issue(form)) == ""


@pytest.mark.parametrize("form", FORMS)
def test_a_key_that_is_not_the_issuers_is_refused(form: str) -> None:
    other = University("somebody else")
    credential = UNI.credential()
    if form == "jwt":
        said = payload(UNI.issue("jwt"))
        head = {"alg": "EdDSA", "kid": other.method}
        assert judged(token(said, head)) == "controller"
        assert judged(token(said)) == ""
        return
    raw = altered(other.issue(form), lambda it: it.update(issuer=UNI.did))
    assert judged(raw) == "controller"
    assert judged(UNI.sign(credential, form)) == ""


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_credential_is_refused(form: str) -> None:
    raw = UNI.issue(form)
    assert judged(raw) == ""
    if form == "jwt":
        head, _, signature = raw.decode().split(".")
        said = payload(raw)
        said["vc"]["credentialSubject"]["alumniOf"] = "Another University"
        body = b64u_encode(json.dumps(said).encode())
        assert judged(f"{head}.{body}.{signature}".encode()) == "proof"
        return
    for change in (
        lambda it: it["credentialSubject"].update(alumniOf="Another University"),
        lambda it: it["credentialSubject"]["degree"].pop("name"),
        lambda it: it.update(expirationDate=format_time(NOW + 10**8)),
        lambda it: it["proof"].update(created=format_time(NOW - 7200)),
        lambda it: it["credentialSubject"].update(id="did:example:another"),
    ):
        assert judged(altered(raw, change)) == "proof"


def test_the_algorithm_is_that_of_the_key() -> None:
    said = payload(UNI.issue("jwt"))
    for alg in ("ES256", "HS256", "none", "RS256"):
        assert judged(token(said, {"alg": alg, "kid": UNI.method})) == "suite"
    assert judged(token(said, {"alg": "EdDSA", "kid": UNI.method})) == ""


@pytest.mark.parametrize("member", ["jwk", "jku", "x5c", "crit", "b64"])
def test_a_token_with_a_header_that_names_more_is_refused(member: str) -> None:
    said = payload(UNI.issue("jwt"))
    head = {"alg": "EdDSA", "kid": UNI.method, "typ": "JWT"}
    assert judged(token(said, head)) == ""
    assert judged(token(said, head | {member: "x"})) == "unknown-member"


@pytest.mark.parametrize(
    "name", ["did:web:university.example", "did:ion:EiA", "did:pkh:eip155:1:0xab"]
)
@pytest.mark.parametrize("form", ["linked", "jwt"])
def test_a_did_that_would_have_to_be_looked_up_is_never_looked_up(name: str, form: str) -> None:
    if form == "jwt":
        said = payload(UNI.issue("jwt"))
        said["iss"] = said["vc"]["issuer"] = name
        assert judged(token(said, {"alg": "EdDSA", "kid": f"{name}#1"})) == "did-method"
        return

    def change(it: dict[str, Any]) -> None:
        it["issuer"] = name
        it["proof"]["verificationMethod"] = f"{name}#1"

    assert judged(altered(UNI.issue(LINKED[0]), change)) == "did-method"


@pytest.mark.parametrize(
    "kind", ["DataIntegrityProof", "RsaSignature2018", "BbsBlsSignature2020", 7]
)
def test_a_proof_of_another_type_is_refused(kind: object) -> None:
    raw = UNI.issue(LINKED[1])
    assert judged(altered(raw, lambda it: it["proof"].update(type=kind))) == "suite"
    assert judged(raw) == ""


def test_there_is_exactly_one_proof() -> None:
    raw = UNI.issue(LINKED[1])
    for change in (
        lambda it: it.pop("proof"),
        lambda it: it.update(proof=[it["proof"], it["proof"]]),
        lambda it: it.update(proof=[it["proof"]]),
    ):
        assert judged(altered(raw, change)) == "data-model"


@pytest.mark.parametrize("member", ["domain", "challenge", "expires", "nonce", "capability"])
def test_a_proof_says_nothing_that_nobody_looks_at(member: str) -> None:
    raw = UNI.issue(LINKED[1])
    assert judged(altered(raw, lambda it: it["proof"].update({member: "x"}))) == "unknown-member"


def test_a_detached_signature_has_the_one_header() -> None:
    raw = UNI.issue(LINKED[0])
    for header in ({"alg": "EdDSA"}, {"alg": "EdDSA", "b64": True, "crit": ["b64"]}):
        document = json.loads(raw)
        document["proof"]["jws"] = b64u_encode(json.dumps(header).encode()) + ".." + "A" * 86
        assert judged(json.dumps(document).encode()) == "shape"
    assert judged(altered(raw, lambda it: it["proof"].update(jws=7))) == "shape"


# --- contexts, and what JSON-LD would pass over ----------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_first_context_is_that_of_the_data_model(form: str) -> None:
    v2 = "https://www.w3.org/ns/credentials/v2"
    for contexts, code in (
        ([V1, EXAMPLES], ""),
        ([EXAMPLES, V1], "data-model"),
        ([v2], "data-model"),
        ([V1, v2], "data-model"),
        ([], "data-model"),
        ([V1, {"@vocab": "https://x.example/"}], "data-model"),
    ):
        if form == "jwt":
            said = payload(UNI.issue("jwt"))
            said["vc"]["@context"] = contexts
            assert judged(token(said)) == code
        else:
            document = json.loads(UNI.issue(form)) | {"@context": contexts}
            assert judged(json.dumps(document).encode()) == code


@pytest.mark.parametrize("form", LINKED)
def test_a_context_that_is_not_bundled_is_not_fetched(form: str) -> None:
    unknown = "https://university.example/context/v1"
    raw = altered(UNI.issue(form), lambda it: it["@context"].append(unknown))
    assert judged(raw) == "context-unknown"
    raw = altered(UNI.issue(form), lambda it: it["proof"].update({"@context": [unknown]}))
    assert judged(raw) == "context-unknown"


def test_a_token_is_signed_whatever_its_contexts_say() -> None:
    own = "https://university.example/context/v1"
    for contexts in ([V1], [V1, own]):
        raw = UNI.sign(UNI.credential() | {"@context": contexts}, "jwt")
        assert ("contexts" in check(raw, at=NOW).unchecked) == (own in contexts)


@pytest.mark.parametrize("form", LINKED)
@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["type"].append("CitizenCredential"),
        lambda it: it["credentialSubject"].update({"@note": "a citizen"}),
        lambda it: it["credentialSubject"].update({"@index": "a citizen"}),
        lambda it: it.update({"@included": []}),
        lambda it: it.update(evidence=[]),
        lambda it: it["credentialSubject"].update(alumniOf=None),
        lambda it: it["credentialSubject"]["degree"].update({"@context": {"x": "urn:x"}}),
        lambda it: it.update(termsOfUse=[{}]),
    ],
    ids=["type", "keyword", "index", "included", "empty", "null", "context", "object"],
)
def test_what_was_added_where_no_signature_reaches_is_refused(form: str, change: Any) -> None:
    raw = UNI.issue(form)
    assert judged(raw) == ""
    assert judged(altered(raw, change)) == "undefined-term"


def test_a_member_that_no_context_defines_is_refused() -> None:
    raw = altered(UNI.issue(LINKED[0]), lambda it: it["credentialSubject"].update(citizen="yes"))
    assert judged(raw) == "proof"


# --- the data model --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda vc: vc.update(type="AlumniCredential"), "data-model"),
        (lambda vc: vc.update(type=[]), "data-model"),
        (lambda vc: vc.update(validUntil="2099-01-01T00:00:00Z"), "data-model"),
        (lambda vc: vc.update(credentialSubject=[]), "data-model"),
        (lambda vc: vc.update(credentialSubject="did:example:graduate"), "data-model"),
        (lambda vc: vc.update(proof={}), "data-model"),
        (lambda vc: vc.update(issuer=7), "did-invalid"),
        (lambda vc: vc.update(issuer="https://university.example/"), "did-invalid"),
        (lambda vc: vc.update(id="no uri"), "data-model"),
        (lambda vc: vc.update(type="VerifiableCredential"), ""),
    ],
)
def test_a_token_holds_a_credential_of_the_data_model(
    change: Callable[[dict[str, Any]], object], code: str
) -> None:
    said = payload(UNI.issue("jwt"))
    for claim in ("iss", "sub", "jti"):
        said.pop(claim, None)
    change(said["vc"])
    assert judged(token({"iss": UNI.did, **said} if not code else said)) == code


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "nbf", "exp"])
def test_what_a_token_says_twice_it_says_alike(claim: str) -> None:
    said = payload(UNI.issue("jwt"))
    assert judged(token(said)) == ""
    other: Any = said[claim] - 1 if claim in ("nbf", "exp") else "did:example:another"
    assert judged(token(said | {claim: other})) == "data-model"


def test_a_token_of_another_kind_is_refused() -> None:
    said = payload(UNI.issue("jwt"))
    assert judged(token(said | {"aud": "https://elsewhere.example/"})) == "audience"
    assert judged(token(said | {"vp": {}})) == "data-model"
    assert judged(token({n: v for n, v in said.items() if n != "vc"})) == "data-model"
    head = {"alg": "EdDSA", "kid": UNI.method, "typ": "vc+jwt"}
    assert judged(token(said, head)) == "data-model"
    assert judged(token(said | {"exp": "soon"})) == "data-model"
    assert judged(token(said | {"exp": 1e300})) in ("data-model", "json")


def test_bytes_that_are_no_credential_are_malformed() -> None:
    raw = UNI.issue(LINKED[0])
    for data, code in (
        (b"", "encoding"),
        (b"{", "json"),
        (b"a.b", "encoding"),
        ("é.e.e".encode(), "encoding"),
        (b'{"type":1,"type":2}', "duplicate-member"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "limit-depth"),
        (b"{" + b" " * MAX_SIZE + b"}", "limit-size"),
        (b"[]", "encoding"),
        (b"\n" + raw + b"\n", ""),
    ):
        assert judged(data) == code, data[:40]


def test_more_claims_than_are_looked_at_are_refused() -> None:
    many = [f"University {n}" for n in range(300)]
    raw = UNI.issue(LINKED[0], credentialSubject={"id": "did:example:x", "alumniOf": many})
    assert judged(raw) == "limit-items"
    raw = UNI.issue(LINKED[0], credentialSubject={"id": "did:example:x", "alumniOf": many[:200]})
    assert judged(raw) == ""


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.floats(),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=4), below, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=30)
@given(data=st.data(), value=ANYTHING)
def test_whatever_is_changed_the_answer_is_a_report_or_an_error_of_ours(
    data: st.DataObject, value: Any
) -> None:
    form = data.draw(st.sampled_from(("jwt", LINKED[1])))
    raw = RAW[form]
    document: Any = payload(raw) if form == "jwt" else json.loads(raw)
    target: Any = document
    while True:
        keys = list(target) if type(target) is dict else range(len(target))
        step = data.draw(st.sampled_from(list(keys)))
        if type(target[step]) in (dict, list) and target[step] and data.draw(st.booleans()):
            target = target[step]
        else:
            break
    before = target[step]
    target[step] = value
    changed = token(document) if form == "jwt" else json.dumps(document).encode()
    try:
        report = check(changed, at=NOW)
    except Error:
        return
    assert form == "jwt" or value == before or json.dumps(report.json)


RAW = {form: UNI.issue(form) for form in FORMS}


# --- reports, extras -------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_read_back_as_it_was_written(form: str) -> None:
    report = check(RAW[form], at=NOW)
    assert Report.from_json(json.loads(json.dumps(report.json))) == report


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": 2}, "unknown-version"),
        ({"dataModel": "2.0"}, "unknown-version"),
        ({"extra": 1}, "unknown-member"),
        ({"form": "cose"}, "shape"),
        ({"checked": ["signature"]}, "shape"),
        ({"notChecked": []}, "empty-array"),
        ({"original": "x"}, "shape"),
        ({"key": "x"}, "encoding"),
        ({"issuer": "x"}, "did-invalid"),
        ({"checkedAt": "now"}, "shape"),
        ({"by": ""}, "shape"),
    ],
)
def test_a_report_that_was_tampered_with_is_refused(change: dict[str, Any], code: str) -> None:
    value = check(RAW["jwt"], at=NOW).json
    assert refusal(lambda: Report.from_json(value | change)) == code
    assert refusal(lambda: Report.from_json([])) == "shape"
    assert refusal(lambda: Report.from_json(value)) == ""


def test_without_didkit_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "didkit", None)
    with pytest.raises(Error, match=r"pip install 'delegant\[didkit\]'") as told:
        check(RAW["jwt"], at=NOW)
    assert told.value.code == "extra-missing"
