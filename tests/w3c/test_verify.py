"""A verification as a whole: steps, what makes an error and what a warning, what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials.codec import canonical
from delegant.credentials.shape import format_time
from delegant.w3c import proofs, status
from delegant.w3c.issue import RESERVED, enveloped, is_reserved
from delegant.w3c.report import CHECKS, Limits
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
    warned,
)
from world import World, research_chain

LIST = "https://example.org/status/1"
FORMS = ["di", "jwt", "sd-jwt"]
SUITES = {"eddsa-jcs-2022": "Ed25519", "eddsa-rdfc-2022": "Ed25519", "ecdsa-jcs-2019": "P-256",
          "ecdsa-rdfc-2019": "P-256"}  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
def test_a_credential_of_every_suite_verifies_and_a_changed_one_does_not(suite: str) -> None:
    by = someone(SUITES[suite])
    made = issued(credential(issuer=by.did, validFrom=format_time(T0)), by=by, suite=suite)
    report = verified(made)
    assert codes(report) == []
    assert [one.form for one in report.proofs] == [suite]
    assert report.require() == credential(issuer=by.did, validFrom=format_time(T0))
    for change in (
        {"credentialSubject": {"id": "did:example:other"}},
        {"validFrom": format_time(T0 - 1)},
        {"issuer": {"id": by.did, "name": "Example"}},
    ):
        assert codes(verified({**made, **change})) != []


@pytest.mark.parametrize("suite", SUITES)
def test_bytes_are_read_as_they_are_sent(suite: str) -> None:
    by = someone(SUITES[suite])
    made = issued(credential(issuer=by.did), by=by, suite=suite)
    assert codes(verified(canonical(made))) == []
    assert codes(verified(b" " + json.dumps(made, indent=2).encode() + b"\n")) == []
    assert codes(verified(canonical(made)[:-1] + b',"id":"urn:a:b","id":"urn:a:c"}')) == [
        "duplicate-member"
    ]


# --- validity ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_validity_is_judged_at_the_instant(form: str) -> None:
    made = issued(credential(validFrom=format_time(T0), validUntil=format_time(T0 + 10)), form=form)
    assert [codes(verified(made, at=at)) for at in (T0 - 1, T0, T0 + 9, T0 + 10)] == [
        ["not-yet-valid"], [], [], ["expired"],
    ]  # fmt: skip
    lax = verified(made, at=T0 + 10, strict=False)
    assert (codes(lax), warned(lax), lax.verified) == ([], ["expired"], True)
    assert codes(verified(made, at=T0 + 10, checks=())) == []


def test_a_fraction_of_a_second_is_not_rounded_away() -> None:
    made = issued(credential(validUntil=f"{format_time(T0)[:-1]}.5Z"))
    assert codes(verified(made, at=T0)) == []
    assert codes(verified(made, at=T0 + 1)) == ["expired"]


def test_checks_are_known_by_name() -> None:
    assert refusal(lambda: verified(issued(), checks=["validty"])) == "shape"
    assert refusal(lambda: verified(issued(), checks=CHECKS)) == ""


# --- who signed ----------------------------------------------------------------------------


def test_an_issuer_who_did_not_sign_is_an_error_or_a_warning() -> None:
    document = credential(issuer="https://vc.example/issuers/5678")
    made = issued(document)
    assert codes(verified(made)) == ["controller"]
    lax = verified(made, strict=False)
    assert (codes(lax), warned(lax)) == ([], ["controller"])
    assert codes(verified(issued(credential()))) == []


def test_one_of_several_proofs_must_be_the_issuers() -> None:
    other = someone()
    made = issued()
    both = proofs.sign(made, other.signer, suite="eddsa-jcs-2022", method=other.method)
    report = verified(both)
    assert codes(report) == []
    assert [one.controller for one in report.proofs] == [ISSUER.did, other.did]
    alone = {**both, "proof": both["proof"][1]}
    assert codes(verified(alone)) == ["controller"]
    broken = {**both, "proof": [both["proof"][0], {**both["proof"][1], "created": "2026-01-01T00:00:00Z"}]}  # fmt: skip  # noqa: E501
    assert codes(verified(broken)) == ["proof"]


def test_nothing_is_issued_in_the_name_of_another_did() -> None:
    other = someone()
    assert refusal(lambda: issued(credential(issuer=other.did))) == "controller"
    assert refusal(lambda: issued(credential(issuer={"id": other.did}))) == "controller"
    assert refusal(lambda: issued(presentation(holder=other.did), by=HOLDER)) == "controller"
    assert refusal(lambda: issued(credential(issuer={"id": ISSUER.did}))) == ""


def test_a_proof_for_another_purpose_is_refused() -> None:
    made = proofs.sign(
        credential(), ISSUER.signer, suite="eddsa-jcs-2022", method=ISSUER.method,
        purpose="authentication",
    )  # fmt: skip
    assert codes(verified(made)) == ["proof-purpose"]


# --- status --------------------------------------------------------------------------------


def status_list(index: int | None = None, *, purpose: str = "revocation", **more: Any) -> Any:
    bits = bytearray(status.MIN_BITS // 8)
    if index is not None:
        status.put(bits, index, True)
    document = status.document(
        LIST, ISSUER.did, bytes(bits), purposes=[purpose], valid_from=T0 - 60, **more
    )
    return proofs.sign(document, ISSUER.signer, suite="eddsa-jcs-2022", method=ISSUER.method)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("purpose", "code"), [("revocation", "revoked"), ("suspension", "suspended")])  # fmt: skip  # noqa: E501
def test_a_status_list_says_whether_it_was_taken_back(form: str, purpose: str, code: str) -> None:
    made = issued(credential(credentialStatus=status.entry(LIST, 7, purpose)), form=form)
    assert codes(verified(made, lists={LIST: status_list(purpose=purpose)})) == []
    assert codes(verified(made, lists={LIST: status_list(7, purpose=purpose)})) == [code]
    assert codes(verified(made, lists={LIST: status_list(8, purpose=purpose)})) == []
    lax = verified(made, lists={LIST: status_list(7, purpose=purpose)}, strict=False)
    assert (codes(lax), warned(lax)) == ([], [code])


def test_a_status_list_is_a_credential_too() -> None:
    made = issued(credential(credentialStatus=status.entry(LIST, 7, "revocation")))
    good, other = status_list(), someone()
    assert codes(verified(made, lists={LIST: canonical(good)})) == []
    assert codes(verified(made, lists=lambda url: good if url == LIST else None)) == []
    assert codes(verified(made)) == ["status-missing"]
    assert codes(verified(made, lists={LIST: {**good, "validFrom": format_time(T0)}})) == ["proof"]
    assert codes(verified(made, lists={LIST: b"{"})) == ["json"]
    unsigned = {name: one for name, one in good.items() if name != "proof"}
    assert codes(verified(made, lists={LIST: unsigned})) == ["proof"]
    foreign = proofs.sign(
        {**unsigned, "issuer": other.did}, other.signer, suite="eddsa-jcs-2022",
        method=other.method,
    )  # fmt: skip
    assert codes(verified(made, lists={LIST: foreign})) == ["status-unknown"]
    old = status_list(valid_until=T0)
    assert codes(verified(made, lists={LIST: old})) == ["expired"]
    assert codes(verified(made, lists={LIST: status_list(ttl=1000)})) == ["status-stale"]
    assert codes(verified(made, lists={LIST: status_list(purpose="suspension")})) == [
        "status-unknown"
    ]


def test_a_status_of_another_kind_is_not_taken_for_a_yes() -> None:
    made = issued(
        credential(
            context=[V2, EXAMPLES],
            credentialStatus={"type": "StatusList2021Entry", "id": f"{LIST}#1"},
        )
    )
    assert codes(verified(made)) == ["status-unknown"]
    assert codes(verified(made, checks=["validity"])) == []


def test_status_entries_are_bounded() -> None:
    entries = [status.entry(LIST, number, "revocation") for number in range(9)]
    lists = {LIST: status_list()}
    assert codes(verified(issued(credential(credentialStatus=entries[:8])), lists=lists)) == []
    assert codes(verified(issued(credential(credentialStatus=entries)), lists=lists)) == [
        "limit-items"
    ]


# --- related resources ---------------------------------------------------------------------


def test_a_related_resource_is_what_it_was() -> None:
    made = issued(
        credential(
            relatedResource={
                "id": "https://example.org/terms",
                "digestSRI": "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            }
        )
    )
    at = "https://example.org/terms"
    assert codes(verified(made, resources={at: b"hello"})) == []
    assert codes(verified(made, resources={at: b"hellO"})) == ["related-resource"]
    assert codes(verified(made)) == ["fetch-failed"]
    assert codes(verified(made, resources={at: "hello"})) == ["fetch-failed"]
    hexed = credential(relatedResource={"id": at, "digestSRI": "sha384-" + "59e1748777448c69de6b800d7a33bbfb9ff1b463e44354c3553bcdb9c666fa90125a3c79f90397bdf5f6a13de828684f"})  # fmt: skip  # noqa: E501
    assert codes(verified(issued(hexed), resources={at: b"hello"})) == []


# --- presentations -------------------------------------------------------------------------

ASK = {"challenge": "c-1", "domain": "https://verifier.example"}


def test_a_presentation_answers_its_challenge_and_domain() -> None:
    vp = issued(presentation(issued()), by=HOLDER, **ASK)
    assert codes(shown(vp, **ASK)) == []
    assert codes(shown(vp, challenge="c-2", domain=ASK["domain"])) == ["proof-challenge"]
    assert codes(shown(vp, challenge="c-1", domain="https://other.example")) == ["proof-domain"]
    bare = issued(presentation(issued()), by=HOLDER)
    assert codes(shown(bare, **ASK)) != []
    assert codes(shown(bare)) == []


def test_a_presentation_nobody_signed_will_do_only_where_said() -> None:
    vp = presentation(issued(), holder=None)
    assert codes(shown(vp)) == ["proof"]
    assert codes(shown(vp, unsigned=True)) == []
    assert codes(shown(vp, unsigned=True, challenge="c-1")) == ["proof-challenge"]
    assert codes(shown(presentation(issued()), unsigned=True)) == []
    own = presentation(credential(issuer=HOLDER.did))
    assert codes(shown(own, unsigned=True)) == ["proof"]
    assert codes(shown(issued(own, by=HOLDER))) == []


def test_the_holder_named_is_who_signed() -> None:
    vp = presentation(issued(), holder="https://example.org/me")
    assert codes(shown(issued(vp, by=HOLDER))) == ["controller"]
    assert codes(shown(issued(presentation(issued()), by=HOLDER))) == []


def test_every_credential_of_a_presentation_is_verified() -> None:
    good, bad = issued(), {**issued(), "id": "urn:a:b"}
    report = shown(issued(presentation(good, bad, enveloped(issued(form="jwt"))), by=HOLDER))
    assert codes(report) == ["proof"]
    assert "credential 1" in report.errors[0].detail
    assert [one.verified for one in report.credentials] == [True, False, True]
    late = issued(credential(validUntil=format_time(T0)))
    assert codes(shown(issued(presentation(good, late), by=HOLDER))) == ["expired"]
    lax = shown(issued(presentation(good, late), by=HOLDER), strict=False)
    assert (codes(lax), warned(lax)) == ([], ["expired"])
    formal = shown(issued(presentation(good, bad), by=HOLDER), inner="shape")
    assert (codes(formal), warned(formal)) == ([], ["key-unresolved"] * 2)


def test_a_presentation_is_bounded() -> None:
    vc = issued()
    limits = Limits(credentials=2)
    assert codes(shown(issued(presentation(vc, vc), by=HOLDER), limits=limits)) == []
    assert codes(shown(issued(presentation(vc, vc, vc), by=HOLDER), limits=limits)) == [
        "limit-items"
    ]
    size = len(canonical(vc))
    assert codes(verified(vc, limits=Limits(size=size))) == []
    assert codes(verified(vc, limits=Limits(size=size - 1))) == ["limit-size"]
    assert codes(verified(canonical(vc), limits=Limits(size=size - 1))) == ["limit-size"]
    assert codes(verified({**vc, "proof": [vc["proof"]] * 17})) == ["limit-signatures"]


def test_a_credential_is_no_presentation() -> None:
    assert codes(shown(issued())) == ["data-model"]
    assert codes(verified(issued(presentation(issued()), by=HOLDER))) == ["data-model"]


# --- what the generic issuer never signs ---------------------------------------------------

DELEGATION = "https://delegant.example/contexts/delegation/v1"
KINDS = sorted(RESERVED)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_with_a_command_of_their_own_are_not_issued(kind: str, form: str) -> None:
    with_context = [V2, {"Alias": f"https://delegant.example/vocab#{kind}"}]
    for document in (
        credential(type=["VerifiableCredential", kind]),
        credential(type=["VerifiableCredential", f"https://delegant.example/vocab#{kind}"]),
        credential(context=with_context, type=["VerifiableCredential", "Alias"]),
        credential(context=[V2, {"Alias": {"@id": f"x:{kind}"}}]),
        credential(credentialSubject={"type": kind, "id": "did:example:1"}),
        credential(credentialSubject=[{"id": "did:example:1"}, {"type": [kind]}]),
        credential(context=[V2, DELEGATION]),
        credential(**{"@type": kind}),
        credential(credentialSubject={"@context": {"A": f"x:{kind}"}, "type": "A"}),
        credential(credentialSubject={"id": "did:example:1", "about": [{"@context": DELEGATION}]}),
    ):
        assert is_reserved(document)
        assert refusal(lambda d=document: issued(d, form=form)) == "chain-type"
    assert not is_reserved(credential())
    assert not is_reserved(presentation(credential(type=["VerifiableCredential", kind])))


def test_our_own_links_verify_as_ordinary_credentials() -> None:
    links, _ = research_chain(World())
    for link in links:
        report = verified(link.secured.raw, checks=["issuer", "validity"])
        assert codes(report) == []
        assert report.proofs[0].form == "eddsa-jcs-2022"
        assert codes(verified(link.secured.raw, at=T0 + 99_999, checks=["validity"])) == ["expired"]


# --- laws ----------------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
VALUES = st.recursive(
    st.one_of(NAMES, st.integers(-(2**53) + 1, 2**53 - 1), st.booleans()),
    lambda inner: (
        st.dictionaries(st.sampled_from("pqrs"), inner, min_size=1, max_size=3)
        | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
SUBJECTS = st.dictionaries(st.sampled_from(["first", "likes", "about"]), VALUES, min_size=1)
DOCUMENTS = st.builds(
    lambda subject, name: credential(context=[V2, EXAMPLES], credentialSubject=subject, name=name),
    SUBJECTS,
    NAMES,
)


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, st.sampled_from(FORMS))
def test_what_is_issued_verifies_as_it_was(document: dict[str, Any], form: str) -> None:
    made = issued(document, form=form)
    report = verified(made)
    assert codes(report) == []
    assert report.document == document


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, SUBJECTS)
def test_any_other_subject_is_noticed(document: dict[str, Any], subject: dict[str, Any]) -> None:
    made = {**issued(document), "credentialSubject": subject}
    same = canonical(subject) == canonical(document["credentialSubject"])
    assert (codes(verified(made)) == []) is same


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip
MEMBERS = st.sampled_from(
    ["@context", "type", "id", "issuer", "credentialSubject", "validFrom", "validUntil", "proof",
     "credentialStatus", "credentialSchema", "evidence", "relatedResource", "name", "holder",
     "verifiableCredential", "termsOfUse"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(MEMBERS, JSON)
def test_nothing_else_than_a_report_comes_of_any_document(name: str, value: Any) -> None:
    for made in ({**issued(), name: value}, {**credential(), name: value}):
        report = verified(made)
        assert report.verified or report.errors
        shown({**presentation(made), name: value}, unsigned=True)
