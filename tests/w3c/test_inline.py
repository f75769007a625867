"""A context inside a document is not signed over RDF: whoever takes it must know it."""

from __future__ import annotations

import copy
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials.codec import Json
from delegant.w3c import contexts, inline, proofs, status
from delegant.w3c.dids import expand
from delegant.w3c.suites import Unsecured, write_value
from refusal import refusal
from w3cworld import (
    HOLDER,
    ISSUER,
    T0,
    V2,
    codes,
    credential,
    issued,
    presentation,
    shown,
    verified,
    warned,
)

Document = dict[str, Any]

IRI = "https://example.org/#"
LOAN = {"lent": f"{IRI}lent", "owed": f"{IRI}owed"}
TURNED = {"lent": f"{IRI}owed", "owed": f"{IRI}lent"}
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SUITE_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
LIST = "https://example.org/status/1"
RDF = ["eddsa-rdfc-2022", "ecdsa-rdfc-2019", "Ed25519Signature2020"]


def loan(**members: Any) -> Document:
    """The issuer lent 5, the subject owes 900."""
    subject = {"id": "did:example:subject", "lent": "5", "owed": "900"}
    return credential(**{"context": [V2, LOAN], "credentialSubject": subject, **members})


def deeper(**members: Any) -> Document:
    subject = {"@context": LOAN, "id": "did:example:subject", "lent": "5", "owed": "900"}
    return credential(credentialSubject=subject, **members)


def turned(document: Document) -> Document:
    """The same statements; who reads the JSON reads that 900 were lent and 5 are owed."""
    other = copy.deepcopy(document)
    subject = other["credentialSubject"]
    subject |= {"lent": subject["owed"], "owed": subject["lent"]}
    if "@context" in subject:
        subject["@context"] = TURNED
    else:
        other["@context"][1] = TURNED
    return other


def signed(document: Document, suite: str) -> Document:
    """By the issuer; with P-256 by the holder, whose name it then has to have."""
    if suite == "ecdsa-rdfc-2019":
        return issued(document | {"issuer": HOLDER.did}, by=HOLDER, suite=suite)  # type: ignore[no-any-return]
    if proofs.SUITES[suite].signs:
        return issued(document, suite=suite)  # type: ignore[no-any-return]
    old = proofs.SUITES[suite]
    document = document | {"@context": [*document["@context"], SUITE_2020]}
    options = old.head | {"created": "2026-01-01T00:00:00Z", "proofPurpose": "assertionMethod",
                          "verificationMethod": ISSUER.method}  # fmt: skip
    under = options | {"@context": document["@context"]}
    data = Unsecured(document).hash_data(old, "Ed25519", under)
    return document | {"proof": options | {"proofValue": write_value(ISSUER.signer.sign(data))}}


def checked(document: Document, *listed: Json) -> str:
    known = [inline.digest(one) for one in listed]
    return refusal(lambda: proofs.verify(document, resolve=expand, at=T0, contexts=known))


@pytest.mark.parametrize("suite", RDF)
@pytest.mark.parametrize("make", [loan, deeper])
def test_two_terms_that_changed_places_are_refused(suite: str, make: Any) -> None:
    made = signed(make(), suite)
    other = turned(made)
    known = [inline.digest(LOAN)]
    assert (checked(made, LOAN), codes(verified(made, contexts=known))) == ("", [])
    assert checked(other, LOAN) == "context-inline"
    assert codes(verified(other, contexts=known)) == ["context-inline"]
    assert checked(other, TURNED) == ""  # the signature itself does not tell them apart


@pytest.mark.parametrize("suite", RDF)
@pytest.mark.parametrize("make", [loan, deeper])
def test_a_context_nobody_listed_is_refused_unless_the_judgement_is_the_caller_s(
    suite: str, make: Any
) -> None:
    made = signed(make(), suite)
    assert checked(made) == "context-inline"
    assert codes(verified(made)) == ["context-inline"]
    assert codes(verified(made, checks=())) == ["context-inline"]
    lax = verified(made, strict=False)
    assert (codes(lax), warned(lax)) == ([], ["context-inline"])
    assert inline.digest(LOAN) in lax.warnings[0].detail


@pytest.mark.parametrize("suite", RDF)
def test_bundled_contexts_are_known_at_any_depth(suite: str) -> None:
    subject = {"id": "did:example:subject", "lent": "5", "owed": "900"}
    top = signed(loan(context=[V2, EXAMPLES]), suite)
    inner = signed(credential(credentialSubject={"@context": EXAMPLES, **subject}), suite)
    assert [codes(verified(one)) for one in (top, inner)] == [[], []]


def test_a_signature_over_the_json_covers_its_contexts() -> None:
    for make in (loan, deeper):
        made = issued(make(), suite="eddsa-jcs-2022")
        assert (checked(made), codes(verified(made))) == ("", [])
        other = turned(made)
        assert codes(verified(other)) != []
        for form in ("jwt", "sd-jwt"):
            assert codes(verified(issued(make(), form=form))) == []


def test_a_context_put_after_those_that_a_proof_names_is_not_signed() -> None:
    made = issued(credential(context=[V2, LOAN]), suite="eddsa-jcs-2022")
    more = {"debt": f"{IRI}debt"}
    after = made | {"@context": [V2, LOAN, more]}
    assert codes(verified(after)) == ["context-inline"]
    assert codes(verified(after, contexts=[inline.digest(more)])) == []
    assert codes(verified(made | {"@context": [V2, LOAN, EXAMPLES]})) == []


@pytest.mark.parametrize("odd", [None, [LOAN], [V2, LOAN]])
def test_whatever_else_is_no_url_is_not_known_either(odd: Any) -> None:
    """`null` takes terms away; a list in a list is another spelling."""
    document = {"@context": [LOAN, odd, LOAN], "lent": "5"}
    assert inline.unsigned(document, [{"type": "DataIntegrityProof",
                                       "cryptosuite": "eddsa-rdfc-2022"}]) == {
        inline.digest(LOAN), inline.digest(odd)}  # fmt: skip


def test_a_proof_that_covers_the_contexts_does_not_excuse_one_that_does_not() -> None:
    first = issued(loan(), suite="eddsa-rdfc-2022")
    both = proofs.sign(turned(first), HOLDER.signer, suite="ecdsa-jcs-2019", method=HOLDER.method)
    assert codes(verified(both)) == ["context-inline"]
    assert codes(verified(both, contexts=[inline.digest(TURNED)])) == []


# --- presentations -------------------------------------------------------------------------


def by_holder(document: Document) -> Document:
    return issued(document, by=HOLDER, suite="ecdsa-rdfc-2019")  # type: ignore[no-any-return]


def test_a_presentation_is_held_to_it_and_so_is_each_credential_in_it() -> None:
    sound = issued(loan(), suite="eddsa-jcs-2022")
    assert codes(shown(by_holder(presentation(sound)))) == []
    held = by_holder(presentation(issued(loan(), suite="eddsa-rdfc-2022")))
    assert codes(shown(held)) == ["context-inline"]
    assert codes(shown(held, contexts=[inline.digest(LOAN)])) == []
    own = by_holder(presentation(sound, context=[V2, LOAN]))
    assert codes(shown(own)) == ["context-inline"]
    assert codes(shown(own, contexts=[inline.digest(LOAN)])) == []
    bare = by_holder(presentation(loan(issuer=HOLDER.did)))
    assert codes(shown(bare)) == ["context-inline"]
    assert codes(shown(bare, contexts=[inline.digest(LOAN)])) == []


def test_only_what_is_verified_apart_is_left_out() -> None:
    """A credential that calls itself a presentation; an envelope with a member like a proof."""
    inner = issued(loan(), suite="eddsa-rdfc-2022")
    both = credential(
        type=["VerifiableCredential", "VerifiablePresentation"], verifiableCredential=inner
    )
    made = proofs.sign(both, ISSUER.signer, suite="eddsa-rdfc-2022", method=ISSUER.method)
    assert "context-inline" in codes(verified(made))
    envelope = {
        "@context": [V2, {"proof": f"{IRI}proof"}],
        "id": f"data:application/vc+jwt,{issued(form='jwt')}",
        "type": "EnvelopedVerifiableCredential",
        "proof": "any",
    }
    shell = presentation(envelope)
    held = proofs.sign(shell, HOLDER.signer, suite="ecdsa-rdfc-2019", method=HOLDER.method,
                       purpose="authentication")  # fmt: skip
    assert "context-inline" in codes(shown(held))


# --- what a credential leans on ------------------------------------------------------------


def a_list(suite: str, *more: Json, by: Any = ISSUER) -> Document:
    bare = status.document(
        LIST, ISSUER.did, bytes(status.MIN_BITS // 8), purposes=["revocation"],
        valid_from=T0 - 60, valid_until=T0 + 3600,
    )  # fmt: skip
    bare["@context"] = [V2, *more]
    return proofs.sign(bare, by.signer, suite=suite, method=by.method)


def test_a_status_list_with_a_context_nobody_knows_says_nothing() -> None:
    made = issued(credential(credentialStatus=status.entry(LIST, 7, "revocation")))
    for strict in (True, False):

        def told(listed: Document, strict: bool = strict, **more: Any) -> list[str]:
            report = verified(made, lists={LIST: listed}, strict=strict, **more)
            return codes(report) or warned(report)

        assert told(a_list("eddsa-rdfc-2022")) == []
        assert told(a_list("eddsa-rdfc-2022", LOAN)) == ["status-unknown"]
        assert told(a_list("eddsa-rdfc-2022", LOAN), contexts=[inline.digest(LOAN)]) == []


def test_a_list_by_another_s_key_is_never_told_as_what_a_caller_may_let_pass() -> None:
    """`controller` is a warning to some callers; a list nobody vouched for is none to anyone."""
    made = issued(credential(credentialStatus=status.entry(LIST, 7, "revocation")))
    forged = a_list("ecdsa-jcs-2019", by=HOLDER)
    lax = verified(made, lists={LIST: forged}, strict=False)
    assert (codes(lax), warned(lax)) == ([], ["status-unknown"])
    assert codes(verified(made, lists={LIST: forged})) == ["status-unknown"]
    sound = verified(made, lists={LIST: a_list("eddsa-jcs-2022")}, strict=False)
    assert (codes(sound), warned(sound)) == ([], [])


# --- laws ----------------------------------------------------------------------------------

NAMES = ["lent", "owed", "paid", "due"]
WORDS = {name: f"{IRI}{name}" for name in NAMES}
VALUES = dict(zip(NAMES, ["5", "900", "7", "0"], strict=True))
FOUR = {
    suite: issued(
        credential(context=[V2, WORDS], credentialSubject={"id": "did:example:1", **VALUES}),
        suite=suite,
    )
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022")
}


@given(order=st.sampled_from(list(permutations(NAMES))), suite=st.sampled_from(sorted(FOUR)))
def test_what_verifies_reads_as_it_was_signed(order: tuple[str, ...], suite: str) -> None:
    """However the terms are dealt out anew, under the context that the owner listed."""
    other = copy.deepcopy(FOUR[suite])
    dealt = dict(zip(NAMES, order, strict=True))
    other["@context"][1] = {new: WORDS[old] for old, new in dealt.items()}
    other["credentialSubject"] |= {new: VALUES[old] for old, new in dealt.items()}
    report = verified(other, contexts=[inline.digest(WORDS)])
    assert report.verified == (other["credentialSubject"] == FOUR[suite]["credentialSubject"])


def meanings(stated: Any, around: dict[str, Any]) -> list[tuple[str, str]]:
    """Each term of a context, those of contexts inside it too, and what it stands for."""
    if type(stated) is list:
        return [one for part in stated for one in meanings(part, around)]
    if type(stated) is not dict:
        return []
    around = around | stated
    found = []
    for term, meaning in stated.items():
        iri = meaning
        if type(meaning) is dict:
            found += meanings(meaning.get("@context"), around)
            iri = meaning.get("@id")
        if type(iri) is str and not term.startswith("@"):
            found.append((term, spelled_out(iri, around)))
    return found


def spelled_out(name: str, around: dict[str, Any]) -> str:
    prefix, colon, rest = name.partition(":")
    whole = around.get(prefix)
    whole = whole.get("@id") if type(whole) is dict else whole
    if not colon or rest.startswith("//") or type(whole) is not str:
        return name
    return spelled_out(whole, around) + rest


def test_no_two_terms_of_bundled_contexts_stand_for_the_same() -> None:
    """So that none can be put for another, whichever bundled contexts a document names."""
    names: dict[str, set[str]] = {}
    vocabularies = set()
    for url in contexts.urls():
        stated = contexts.context(url)["@context"]
        vocabularies |= {one["@vocab"] for one in (stated if type(stated) is list else [stated])
                         if type(one) is dict and "@vocab" in one}  # fmt: skip
        for term, iri in meanings(stated, {}):
            names.setdefault(iri, set()).add(term)
    assert len(names) > 300
    assert names.pop("@id") == {"id", "uid"}  # odrl; `id` is left out then, not exchanged
    assert {iri: terms for iri, terms in names.items() if len(terms) > 1} == {}
    assert len(vocabularies) == 2
    for start in vocabularies:
        for iri, terms in names.items():
            assert not iri.startswith(start) or terms == {iri.removeprefix(start)}
