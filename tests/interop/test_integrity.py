"""Data Integrity both ways: what we sign others verify, what others sign we verify."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials.shape import format_time
from delegant.w3c import dids, issue, proofs, status, verify
from interop.common import AT, EXAMPLES, NOW, V2, ask, credential, found, ours, told
from interop.peer import Peer, Refused

SUITES = [
    ("eddsa-jcs-2022", "Ed25519"),
    ("eddsa-rdfc-2022", "Ed25519"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
]


def signed(suite: str, kind: str, **changes: Any) -> dict[str, Any]:
    """A credential of ours, signed by us."""
    signer, did, method = ours(kind)
    made = issue.issue(credential(did, **changes), signer, method=method, suite=suite, created=NOW)
    assert isinstance(made, dict)
    return made


def changes_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document with one thing changed, in several ways."""
    proof = document["proof"]
    value = proof["proofValue"]
    other = "3" if value[5] != "3" else "4"
    subjects = document["credentialSubject"]
    return [
        document | {"validUntil": format_time(NOW + 86_401)},
        document | {"id": "https://university.example/credentials/1873"},
        document | {"credentialSubject": [subjects[0], {"name": "Three"}]},
        {name: member for name, member in document.items() if name != "termsOfUse"},
        document | {"proof": proof | {"created": format_time(NOW - 1)}},
        document | {"proof": proof | {"proofValue": value[:5] + other + value[6:]}},
    ]


# --- credentials -----------------------------------------------------------------------------


@pytest.mark.parametrize(("suite", "kind"), SUITES)
def test_what_we_sign_they_verify_and_a_change_they_notice(
    integrity: Peer, suite: str, kind: str
) -> None:
    document = signed(suite, kind)
    assert told(integrity("verify", credential=document, at=AT)) == ""
    for changed in changes_of(document):
        assert told(integrity("verify", credential=changed, at=AT))


@pytest.mark.parametrize(("suite", "kind"), SUITES)
def test_what_they_sign_we_verify_and_a_change_we_notice(
    integrity: Peer, suite: str, kind: str
) -> None:
    did = integrity("key", kind=kind)
    document = integrity(
        "issue", credential=credential(did), suite=suite, did=did, created=AT, at=AT
    )
    report = ask(document)
    assert found(report) == ""
    assert [(one.form, one.controller) for one in report.proofs] == [(suite, did)]
    for changed in changes_of(document):
        assert found(ask(changed)) in ("proof", "encoding")


@pytest.mark.parametrize(("suite", "kind"), SUITES)
def test_what_another_signed_in_the_issuers_name_neither_accepts(
    integrity: Peer, suite: str, kind: str
) -> None:
    signer, _, method = ours(kind, "somebody")
    _, did, _ = ours(kind)
    document = proofs.sign(credential(did), signer, suite=suite, method=method, created=NOW)
    assert told(integrity("verify", credential=document, at=AT))
    assert found(ask(document)) == "controller"


def test_an_older_suite_of_theirs_we_verify(integrity: Peer) -> None:
    did = integrity("key", kind="Ed25519")
    both = [V2, EXAMPLES, "https://w3id.org/security/suites/ed25519-2020/v1"]
    document = integrity(
        "issue",
        credential=credential(did, **{"@context": both}),
        suite="Ed25519Signature2020",
        did=did,
        created=AT,
        at=AT,
    )
    assert document["proof"]["type"] == "Ed25519Signature2020"
    assert found(ask(document)) == ""
    for changed in changes_of(document):
        assert found(ask(changed)) in ("proof", "encoding")


def test_what_has_expired_both_refuse(integrity: Peer) -> None:
    document = signed("eddsa-rdfc-2022", "Ed25519", validUntil=format_time(NOW + 3600))
    for at, code in ((NOW, ""), (NOW + 7200, "expired")):
        report = verify.verify_credential(document, resolve=dids.expand, at=at)
        assert found(report) == code
        assert bool(told(integrity("verify", credential=document, at=format_time(at)))) == bool(
            code
        )


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"])
def test_a_term_that_no_context_defines_is_dropped_by_nobody(integrity: Peer, suite: str) -> None:
    kind = dict(SUITES)[suite]
    _, did, _ = ours(kind)
    unknown = credential(did, **{"@context": [V2]})
    unknown["credentialSubject"][0]["favouriteColour"] = "green"
    theirs = integrity("key", kind=kind)
    with pytest.raises(Refused):
        integrity(
            "issue",
            credential=unknown | {"issuer": theirs},
            suite=suite,
            did=theirs,
            created=AT,
            at=AT,
        )
    document = signed(suite, kind)
    document["credentialSubject"][0]["favouriteColour"] = "green"
    document["@context"] = [V2]
    assert told(integrity("verify", credential=document, at=AT))
    assert found(ask(document)) == "undefined-term"


# --- sets of proofs --------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
@pytest.mark.parametrize("second", ["ecdsa-jcs-2019", "ecdsa-rdfc-2019"])
def test_a_set_of_our_proofs_they_verify(integrity: Peer, first: str, second: str) -> None:
    document = signed(first, "Ed25519")
    signer, _, method = ours("P-256", "notary")
    both = proofs.sign(document, signer, suite=second, method=method, created=NOW)
    assert len(both["proof"]) == 2
    assert told(integrity("verifyDocument", document=both)) == ""
    changed = both | {"validUntil": format_time(NOW + 86_401)}
    assert told(integrity("verifyDocument", document=changed))


@pytest.mark.parametrize("first", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
@pytest.mark.parametrize("second", ["ecdsa-jcs-2019", "ecdsa-rdfc-2019"])
def test_a_set_of_their_proofs_we_verify(integrity: Peer, first: str, second: str) -> None:
    issuer, notary = (integrity("key", kind=kind) for kind in ("Ed25519", "P-256"))
    document = integrity(
        "issue", credential=credential(issuer), suite=first, did=issuer, created=AT, at=AT
    )
    both = integrity("add", document=document, suite=second, did=notary, created=AT)
    report = ask(both)
    assert found(report) == ""
    assert [one.controller for one in report.proofs] == [issuer, notary]
    for number in (0, 1):  # either of them spoiled
        spoiled = [dict(one) for one in both["proof"]]
        spoiled[number]["created"] = format_time(NOW - 1)
        assert found(ask(both | {"proof": spoiled})) == "proof"


# --- presentations ---------------------------------------------------------------------------


def presentation(holder: str, held: Any) -> dict[str, Any]:
    """A presentation of one credential, not yet signed."""
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [held],
    }


ASKED: Any = {"challenge": "c-1", "domain": "https://shop.example"}
OTHERS = [{"challenge": "c-2"}, {"domain": "https://other.example"}]


@pytest.mark.parametrize(("suite", "kind"), SUITES)
def test_a_presentation_of_ours_answers_what_they_asked(
    integrity: Peer, suite: str, kind: str
) -> None:
    signer, did, method = ours(kind, "holder")
    document = issue.issue(
        presentation(did, signed(suite, kind)),
        signer,
        method=method,
        suite=suite,
        created=NOW,
        **ASKED,
    )
    asked = {"presentation": document, "at": AT, **ASKED}
    assert told(integrity("verifyPresentation", **asked)) == ""
    for other in OTHERS:
        assert told(integrity("verifyPresentation", **asked | other))


@pytest.mark.parametrize(("suite", "kind"), SUITES)
def test_a_presentation_of_theirs_answers_what_we_asked(
    integrity: Peer, suite: str, kind: str
) -> None:
    holder = integrity("key", kind=kind)
    document = integrity(
        "present",
        presentation=presentation(holder, signed(suite, kind)),
        suite=suite,
        did=holder,
        created=AT,
        **ASKED,
    )

    def answer(given: Any, **asked: str) -> str:
        wanted: Any = ASKED | asked
        return found(verify.verify_presentation(given, resolve=dids.expand, at=NOW, **wanted))

    assert answer(document) == ""
    assert answer(document, challenge="c-2") == "proof-challenge"
    assert answer(document, domain="https://other.example") == "proof-domain"
    assert answer(document | {"holder": ours(kind)[1]}) in ("proof", "controller")
    inner = document["verifiableCredential"][0]
    assert answer(document | {"verifiableCredential": [changes_of(inner)[0]]}) == "proof"


# --- status ----------------------------------------------------------------------------------

LIST = "https://university.example/status/1"


def bits(*indexes: int) -> bytes:
    """The bits of a list in which these are set."""
    made = bytearray(16 * 1024)
    for index in indexes:
        status.put(made, index, True)
    return bytes(made)


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_a_status_of_ours_they_check(integrity: Peer, purpose: str) -> None:
    signer, did, method = ours("Ed25519")
    entry = status.entry(LIST, 94_567, purpose)
    document = signed("eddsa-rdfc-2022", "Ed25519", credentialStatus=entry)
    code = {"revocation": "revoked", "suspension": "suspended"}[purpose]
    signing: Any = {"suite": "eddsa-rdfc-2022", "method": method, "created": NOW}
    for listed, taken in ((bits(94_566, 94_568), False), (bits(94_567), True)):
        unsigned = status.document(LIST, did, listed, purposes=[purpose], valid_from=NOW - 60)
        lists = {LIST: proofs.sign(unsigned, signer, **signing)}
        assert integrity("status", credential=document, lists=lists) == [[purpose, taken]]
        assert found(ask(document, lists=lists)) == (code if taken else "")
    forged = {LIST: lists[LIST] | {"validFrom": format_time(NOW - 61)}}
    with pytest.raises(Refused, match="not verified"):
        integrity("status", credential=document, lists=forged)
    assert found(ask(document, lists=forged)) == "proof"


def test_a_status_of_theirs_we_check(integrity: Peer) -> None:
    did = integrity("key", kind="P-256")
    entry = status.entry(LIST, 5, "revocation")
    signing = {"suite": "ecdsa-rdfc-2019", "did": did, "created": AT, "at": AT}
    document = integrity("issue", credential=credential(did, credentialStatus=entry), **signing)
    for revoked, code in (([4, 6], ""), ([5], "revoked")):
        encoded = integrity("list", length=131_072, set=revoked)
        unsigned = {
            "@context": [V2],
            "id": LIST,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": did,
            "validFrom": format_time(NOW - 60),
            "credentialSubject": {
                "id": f"{LIST}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": encoded,
            },
        }
        lists = {LIST: integrity("issue", credential=unsigned, **signing)}
        assert found(ask(document, lists=lists)) == code
