"""Proofs: what holds, and everything that does not, each beside what does."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials.codec import b58_encode, parse_object
from delegant.credentials.envelope import V2_CONTEXT
from delegant.w3c import inline, proofs
from delegant.w3c.dids import expand, from_key, vm_of
from delegant.w3c.keys import Key, new_signer, signer
from delegant.w3c.suites import read_value
from refusal import refusal

AT = 1_800_000_000
KEYS = {kind: signer(kind, bytes([7]) * size)
        for kind, size in (("Ed25519", 32), ("P-256", 32), ("P-384", 48))}  # fmt: skip
OTHER = signer("Ed25519", bytes([8]) * 32)
PAIRS = [
    ("eddsa-jcs-2022", "Ed25519"),
    ("eddsa-rdfc-2022", "Ed25519"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
]
SUITES = ("eddsa-jcs-2022", "eddsa-rdfc-2022")
V1 = "https://www.w3.org/2018/credentials/v1"
DI = "https://w3id.org/security/data-integrity/v2"
ED2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
PURPOSE = "assertionMethod"


def method(kind: str = "Ed25519") -> str:
    return vm_of(from_key(KEYS[kind].public))


def credential(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@context": [V2_CONTEXT, {"score": "urn:x:score", "Badge": "urn:x:Badge"}],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "Badge"],
        "name": "Name",
        "issuer": from_key(KEYS["Ed25519"].public),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject", "score": [1, 2.5, True, "x"]},
    }
    return made | changes


def signed(suite: str = "eddsa-rdfc-2022", kind: str = "Ed25519", **more: Any) -> dict[str, Any]:
    document = more.pop("document", None) or credential()
    given = {"created": AT} | more
    return proofs.sign(document, KEYS[kind], suite=suite, method=method(kind), **given)


def ask(document: Any, **more: Any) -> tuple[proofs.Proof, ...]:
    known = [inline.digest(SCORE)]
    asked: dict[str, Any] = {"resolve": expand, "at": AT, "contexts": known}
    return proofs.verify(document, **(asked | more))


def forged(suite: str, **members: Any) -> dict[str, Any]:
    """A document whose proof really signs options that `sign` would not write."""
    from delegant.w3c.suites import Unsecured, write_value

    document = members.pop("document", None) or credential()
    options = proofs.SUITES[suite].head | {
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": method(),
        "proofPurpose": PURPOSE,
    }
    options = {k: v for k, v in (options | members).items() if v is not None}
    under = options | {"@context": document["@context"]}
    data = Unsecured(document).hash_data(proofs.SUITES[suite], "Ed25519", under)
    kept = options if proofs.SUITES[suite].rdf else under
    value = write_value(KEYS["Ed25519"].sign(data))
    return document | {"proof": kept | {"proofValue": value}}


# --- what holds ----------------------------------------------------------------------------


@pytest.mark.parametrize(("suite", "kind"), PAIRS)
def test_what_is_signed_verifies_and_tells_who_signed(suite: str, kind: str) -> None:
    made = signed(suite, kind, expires=AT + 60, domain="a.example", challenge="c")
    (proof,) = ask(made, purpose=PURPOSE, domain="a.example", challenge="c")
    assert proof.suite == suite
    assert proof.key == KEYS[kind].public
    assert proof.controller == from_key(KEYS[kind].public)
    assert proof.method == method(kind)
    assert (proof.purpose, proof.created, proof.expires) == (PURPOSE, AT, AT + 60)
    assert (proof.id, proof.previous, proof.challenge) == (None, (), "c")


@pytest.mark.parametrize(("suite", "kind"), PAIRS)
def test_it_survives_the_wire(suite: str, kind: str) -> None:
    wire = json.dumps(signed(suite, kind), indent=3).encode()
    assert len(ask(parse_object(wire, size=1 << 16))) == 1


@pytest.mark.parametrize(("suite", "kind"), PAIRS)
def test_signing_changes_no_argument(suite: str, kind: str) -> None:
    document = credential()
    before = copy.deepcopy(document)
    signed(suite, kind, document=document)
    assert document == before


def test_the_old_credentials_verify_too() -> None:
    document = {
        "@context": [V1, DI],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject"},
    }
    for suite in SUITES:
        assert len(ask(signed(suite, document=document))) == 1
    assert refusal(lambda: signed(document=document | {"@context": [V1]})) == "undefined-term"


def test_ed25519signature2020_is_verified_and_never_made() -> None:
    document = credential(**{"@context": [V2_CONTEXT, ED2020], "type": ["VerifiableCredential"],
                             "credentialSubject": {"id": "did:example:subject"}})  # fmt: skip
    made = forged("Ed25519Signature2020", document=document)
    assert ask(made)[0].suite == "Ed25519Signature2020"
    assert refusal(lambda: ask(made | {"name": "Other"})) == "proof"
    assert refusal(lambda: signed("Ed25519Signature2020", document=document)) == "suite"


# --- what the W3C and CCG suites try -------------------------------------------------------

Z = "z" + b58_encode(bytes(64))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ""),
        # type and cryptosuite
        ({"type": None}, "suite"),
        ({"type": "UnknownProofType"}, "suite"),
        ({"type": ""}, "suite"),
        ({"type": ["DataIntegrityProof"]}, "suite"),
        ({"type": "Ed25519Signature2020"}, "undefined-term"),
        ({"cryptosuite": None}, "suite"),
        ({"cryptosuite": "UnknownCryptosuite"}, "suite"),
        ({"cryptosuite": ""}, "suite"),
        ({"cryptosuite": 7}, "suite"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, "suite"),
        ({"cryptosuite": "bbs-2023"}, "suite"),
        # verificationMethod
        ({"verificationMethod": None}, "shape"),
        ({"verificationMethod": 7}, "shape"),
        ({"verificationMethod": {"id": "did:key:z6Mk"}}, "shape"),
        ({"verificationMethod": ""}, "shape"),
        ({"verificationMethod": "did:key:invalidVm"}, "did-invalid"),
        ({"verificationMethod": "https://example.com/key#1"}, "did-invalid"),
        ({"verificationMethod": from_key(KEYS["Ed25519"].public)}, "did-invalid"),
        ({"verificationMethod": from_key(KEYS["Ed25519"].public) + "#other"}, "key-not-found"),
        ({"verificationMethod": vm_of(from_key(OTHER.public))}, "proof"),
        ({"verificationMethod": method("P-256")}, "suite"),
        ({"verificationMethod": "did:web:example.com#k"}, "did-method"),
        # proofPurpose
        ({"proofPurpose": None}, "shape"),
        ({"proofPurpose": 7}, "shape"),
        ({"proofPurpose": "invalidPurpose"}, "proof-purpose"),
        ({"proofPurpose": "keyAgreement"}, "proof-purpose"),
        ({"proofPurpose": "authentication"}, "proof-purpose"),
        ({"proofPurpose": ["assertionMethod"]}, "shape"),
        # proofValue
        ({"proofValue": None}, "encoding"),
        ({"proofValue": 7}, "encoding"),
        ({"proofValue": ""}, "encoding"),
        ({"proofValue": Z[1:]}, "encoding"),
        ({"proofValue": "u" + Z[1:]}, "encoding"),
        ({"proofValue": "Z" + Z[1:]}, "encoding"),
        ({"proofValue": "z0" + Z[2:]}, "encoding"),
        ({"proofValue": "z" + b58_encode(bytes(63))}, "shape"),
        ({"proofValue": "z" + b58_encode(bytes(96))}, "shape"),
        ({"proofValue": "z" + "2" * 200}, "limit-size"),
        ({"proofValue": Z}, "proof"),
        # times
        ({"created": "invalidDate"}, "shape"),
        ({"created": "2026-01-01T00:00:00"}, "shape"),
        ({"created": "2026-01-01"}, "shape"),
        ({"created": 7}, "shape"),
        ({"created": "2026-01-01T00:00:01Z"}, "proof"),
        ({"expires": "2026-01-01T00:00:00"}, "shape"),
        ({"expires": "2026-01-01T00:00:00Z"}, "expired"),
        ({"expires": "2099-01-01T00:00:00Z"}, "proof"),
        # the rest
        ({"id": "not a url"}, "undefined-term"),
        ({"id": 7}, "shape"),
        ({"id": "urn:x:1"}, "proof"),
        ({"domain": 7}, "shape"),
        ({"domain": []}, "shape"),
        ({"domain": ["a", 7]}, "shape"),
        ({"domain": ["a", "a"]}, "shape"),
        ({"domain": ["a", "b"]}, "proof"),
        ({"challenge": 7}, "shape"),
        ({"challenge": ""}, "shape"),
        ({"challenge": ["c"]}, "shape"),
        ({"nonce": 7}, "shape"),
        ({"nonce": "n"}, "proof"),
        ({"previousProof": 7}, "shape"),
        ({"previousProof": []}, "shape"),
        ({"previousProof": [7]}, "shape"),
        ({"previousProof": "urn:x:absent"}, "proof-chain"),
        ({"previousProof": ["urn:x:absent"]}, "proof-chain"),
        ({"undefinedTerm": "x"}, "unknown-member"),
        ({"name": "x"}, "unknown-member"),
        ({"jws": "x"}, "unknown-member"),
    ],
)  # fmt: skip
def test_a_proof_that_was_changed_is_refused(suite: str, change: dict[str, Any], code: str) -> None:
    made = signed(suite, created="2026-01-01T00:00:00Z")
    proof = {k: v for k, v in (made["proof"] | change).items() if v is not None}
    assert refusal(lambda: ask(made | {"proof": proof}, purpose=PURPOSE)) == code


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("value", [None, "proof", 7, [], [None], ["x"], [[]], {}, [{}], True])
def test_what_is_no_proof_is_refused(suite: str, value: Any) -> None:
    made = signed(suite)
    assert refusal(lambda: ask(made | {"proof": value})) in ("shape", "suite")
    assert refusal(lambda: ask(made | {"proof": [made["proof"]]})) == ""


def test_a_document_without_a_proof_is_refused() -> None:
    assert refusal(lambda: ask(credential())) == "shape"
    assert refusal(lambda: ask([signed()])) == "shape"
    assert refusal(lambda: ask("x")) == "shape"


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("members", "more", "code"),
    [  # truly signed, and still no
        ({}, {}, ""),
        ({"created": None}, {}, ""),
        ({"created": "2026-01-01T01:00:00.25+01:00"}, {}, ""),
        ({"created": "2026-01-01T00:00:00"}, {}, "shape"),
        ({"created": "2027-01-15T08:05:00Z"}, {}, ""),
        ({"created": "2027-01-15T08:05:01Z"}, {}, "not-yet-valid"),
        ({"expires": "2027-01-15T08:00:01Z"}, {}, ""),
        ({"expires": "2027-01-15T08:00:00Z"}, {}, "expired"),
        ({"expires": "2027-01-15T09:00:00.5+01:00"}, {}, ""),
        ({"expires": "2027-01-15T08:00:00"}, {}, "shape"),
        ({"proofPurpose": "authentication"}, {}, ""),
        ({"proofPurpose": "authentication"}, {"purpose": PURPOSE}, "proof-purpose"),
        ({"proofPurpose": "authentication"}, {"purpose": "authentication"}, ""),
        ({"proofPurpose": "keyAgreement"}, {}, "proof-purpose"),
        ({"domain": "a"}, {}, ""),
        ({"domain": "a"}, {"domain": "a"}, ""),
        ({"domain": "a"}, {"domain": ["a"]}, ""),
        ({"domain": ["a", "b"]}, {"domain": ["b", "a"]}, ""),
        ({"domain": ["a", "b"]}, {"domain": "a"}, "proof-domain"),
        ({"domain": "a"}, {"domain": ["a", "b"]}, "proof-domain"),
        ({"domain": "a"}, {"domain": "A"}, "proof-domain"),
        ({}, {"domain": "a"}, "proof-domain"),
        ({"domain": "a", "challenge": "c"}, {"domain": "a", "challenge": "c"}, ""),
        ({"challenge": "c"}, {"challenge": "d"}, "proof-challenge"),
        ({"challenge": "c"}, {"challenge": "c "}, "proof-challenge"),
        ({}, {"challenge": "c"}, "proof-challenge"),
        ({"challenge": "c"}, {}, ""),
        ({"nonce": "n"}, {}, ""),
        ({"id": "urn:x:1"}, {}, ""),
        ({"name": "x"}, {}, "unknown-member"),
        ({"previousProof": "urn:x:absent"}, {}, "proof-chain"),
    ],
)  # fmt: skip
def test_a_proof_is_good_for_what_it_says(
    suite: str, members: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    assert refusal(lambda: ask(forged(suite, **members), **more)) == code


@pytest.mark.parametrize("suite", SUITES)
def test_a_document_with_undefined_terms_is_neither_signed_nor_verified(suite: str) -> None:
    bad = credential(undefinedTerm="x")
    assert refusal(lambda: signed(suite, document=bad)) == "undefined-term"
    good = signed(suite)
    assert refusal(lambda: ask(good | {"undefinedTerm": "x"})) == "undefined-term"
    far = credential(**{"@context": [V2_CONTEXT, "https://example.com/context"]})
    assert refusal(lambda: signed(suite, document=far)) == "context-unknown"


def test_a_jcs_proof_by_another_s_hand_over_an_undefined_term_is_refused() -> None:
    from delegant.credentials import PrivateKey
    from delegant.credentials.proof import sign as plain

    key = PrivateKey(bytes([7]) * 32)
    assert refusal(lambda: ask(plain(credential(), key, method(), AT))) == ""
    bad = plain(credential(undefinedTerm="x"), key, method(), AT)
    assert refusal(lambda: ask(bad)) == "undefined-term"


def test_a_jcs_document_that_is_no_json_ld_has_no_terms_to_hold() -> None:
    made = signed("eddsa-jcs-2022", document={"any": {"thing": [1, None]}})
    assert "@context" not in made["proof"]
    assert len(ask(made)) == 1
    assert refusal(lambda: ask(made | {"any": 1})) == "proof"
    assert refusal(lambda: signed("eddsa-rdfc-2022", document={"any": 1})) == "undefined-term"


# --- contexts of a proof -------------------------------------------------------------------

SCORE = {"score": "urn:x:score", "Badge": "urn:x:Badge"}


@pytest.mark.parametrize(
    ("suite", "document", "proof", "code"),
    [
        ("eddsa-jcs-2022", [V2_CONTEXT, SCORE], [V2_CONTEXT, SCORE], ""),
        ("eddsa-jcs-2022", [V2_CONTEXT, SCORE, DI], [V2_CONTEXT, SCORE], ""),
        ("eddsa-jcs-2022", [V2_CONTEXT, DI, SCORE], [V2_CONTEXT, SCORE], "context"),
        ("eddsa-jcs-2022", [DI, V2_CONTEXT, SCORE], [V2_CONTEXT, SCORE], "context"),
        ("eddsa-jcs-2022", [V2_CONTEXT], [V2_CONTEXT, SCORE], "context"),
        ("eddsa-jcs-2022", V2_CONTEXT, [V2_CONTEXT, SCORE], "context"),
        ("eddsa-jcs-2022", None, [V2_CONTEXT, SCORE], "context"),
        ("eddsa-rdfc-2022", [V2_CONTEXT, SCORE], [V2_CONTEXT, SCORE], ""),  # says the same
        ("eddsa-rdfc-2022", [V2_CONTEXT, SCORE], [V2_CONTEXT], "context"),
        ("eddsa-rdfc-2022", [V2_CONTEXT, SCORE], None, ""),
    ],
)
def test_a_proof_s_context_is_the_head_of_the_document_s(
    suite: str, document: Any, proof: Any, code: str
) -> None:
    made = signed(suite)
    made["@context"] = document
    made["proof"] = {k: v for k, v in made["proof"].items() if k != "@context"}
    if proof is not None:
        made["proof"]["@context"] = proof
    assert refusal(lambda: ask(made)) == code


def test_contexts_put_after_those_signed_define_nothing() -> None:
    from delegant.credentials import PrivateKey
    from delegant.credentials.proof import sign as plain

    made = plain(credential(late="x"), PrivateKey(bytes([7]) * 32), method(), AT)
    made["@context"] = [*made["@context"], {"late": "urn:x:late"}]
    assert refusal(lambda: ask(made)) == "undefined-term"


# --- sets and chains -----------------------------------------------------------------------


def chain(suite: str = "eddsa-rdfc-2022", *, as_list: bool = False) -> dict[str, Any]:
    """A set of two proofs, and a third that continues both."""
    made = signed(suite, id="urn:x:1")
    made = proofs.sign(made, OTHER, suite="eddsa-jcs-2022", method=vm_of(from_key(OTHER.public)),
                       created=AT, id="urn:x:2")  # fmt: skip
    last = "ecdsa-jcs-2019" if "jcs" in suite else "ecdsa-rdfc-2019"
    previous = ["urn:x:1", "urn:x:2"] if as_list else "urn:x:1"
    return signed(last, "P-256", document=made, previous=previous, id="urn:x:3")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("as_list", [True, False])
def test_a_chain_of_proofs_of_several_suites_holds(suite: str, as_list: bool) -> None:
    made = chain(suite, as_list=as_list)
    found = ask(made)
    assert [proof.id for proof in found] == ["urn:x:1", "urn:x:2", "urn:x:3"]
    assert found[2].previous == (("urn:x:1", "urn:x:2") if as_list else ("urn:x:1",))


@pytest.mark.parametrize("suite", SUITES)
def test_every_proof_of_a_set_must_hold(suite: str) -> None:
    for number in range(3):
        made = chain(suite)
        value = read_value(made["proof"][number]["proofValue"], "Ed25519")
        made["proof"][number]["proofValue"] = "z" + b58_encode(value[:-1] + bytes([value[-1] ^ 1]))
        assert refusal(lambda made=made: ask(made)) == "proof"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: p, ""),
        (lambda p: p[:2], ""),
        (lambda p: p[1:], "proof-chain"),
        (lambda p: [p[0], p[2]], ""),
        (lambda p: [p[0], p[0], p[2]], "proof-chain"),
        (lambda p: [p[0] | {"id": "urn:x:2"}, p[1], p[2]], "proof-chain"),
        (lambda p: [*p[:2], p[2] | {"id": "urn:x:4"}], "proof"),
        (lambda p: [*p[:2], p[2] | {"previousProof": "urn:x:2"}], "proof"),
        (lambda p: [*p[:2], p[2] | {"previousProof": "urn:x:3"}], "proof"),
        (lambda p: [*p[:2], {k: v for k, v in p[2].items() if k != "previousProof"}], "proof"),
        (lambda p: [p[0] | {"previousProof": "urn:x:3"}, *p[1:]], "proof"),
        (lambda p: [p[0] | {"created": "2026-01-01T00:00:00Z"}, *p[1:]], "proof"),
        (lambda p: [*p, p[1] | {"id": "urn:x:4", "cryptosuite": "bbs-2023"}], "suite"),
    ],
)
def test_a_chain_that_was_changed_is_refused(change: Any, code: str) -> None:
    made = chain()
    assert refusal(lambda: ask(made | {"proof": change(made["proof"])})) == code


def test_more_proofs_than_anybody_makes_are_refused_before_any_is_checked() -> None:
    made = signed()
    many = made | {"proof": [made["proof"]] * (proofs.MAX_PROOFS + 1)}
    start = time.thread_time()
    assert refusal(lambda: ask(many)) == "limit-signatures"
    assert time.thread_time() - start < 0.05
    assert len(ask(made | {"proof": [made["proof"]] * proofs.MAX_PROOFS})) == proofs.MAX_PROOFS
    full = made | {"proof": [made["proof"]] * proofs.MAX_PROOFS}
    assert refusal(lambda: signed(document=full)) == "limit-signatures"


# --- what is not signed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, ""),
        ({"suite": "bbs-2023"}, "suite"),
        ({"suite": "ecdsa-jcs-2019"}, "suite"),
        ({"purpose": "keyAgreement"}, "proof-purpose"),
        ({"purpose": "other"}, "proof-purpose"),
        ({"created": "yesterday"}, "shape"),
        ({"expires": "2026-01-01T00:00:00"}, "shape"),
        ({"created": 10**12}, "shape"),
        ({"domain": []}, "shape"),
        ({"challenge": ""}, "shape"),
        ({"id": "1"}, "undefined-term"),
        ({"previous": "urn:x:absent"}, "proof-chain"),
        ({"previous": "absent"}, "undefined-term"),
        ({"document": credential(proof="x")}, "shape"),
        ({"document": credential(proof=[])}, "shape"),
    ],
)
def test_what_would_not_verify_is_not_signed(members: dict[str, Any], code: str) -> None:
    assert refusal(lambda: signed(**members)) == code


def test_a_key_signs_only_with_a_suite_of_its_kind() -> None:
    for suite in dict(PAIRS):
        for other in ("Ed25519", "P-256", "P-384", "P-521", "secp256k1"):
            key = KEYS.get(other) or new_signer(other)
            ok = (suite, other) in PAIRS
            call = lambda k=key, s=suite: proofs.sign(credential(), k, suite=s, method=method())  # noqa: E731
            assert refusal(call) == ("" if ok else "suite")


# --- laws ----------------------------------------------------------------------------------

WIRES = {pair: json.dumps(signed(*pair), ensure_ascii=False).encode() for pair in PAIRS}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PAIRS), st.data())
def test_any_one_byte_that_is_changed_is_refused(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    wire = WIRES[pair]
    at = data.draw(st.integers(0, len(wire) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != wire[at]))
    changed = wire[:at] + bytes([byte]) + wire[at + 1 :]

    def read() -> Any:
        document = parse_object(changed, size=1 << 16)
        return ask(document) if document != json.loads(wire) else None

    found = refusal(read)
    if not found:  # white space between two tokens, or the same thing said otherwise
        assert parse_object(changed, size=1 << 16) == json.loads(wire) or _same(changed, wire)


def _same(changed: bytes, wire: bytes) -> bool:
    """Whether two documents say the same in RDF: a context's unused term has another name."""
    from delegant.w3c import jsonld

    a, b = json.loads(changed), json.loads(wire)
    a.pop("proof"), b.pop("proof")
    return bool(jsonld.nquads(a) == jsonld.nquads(b)) and a["@context"] != b["@context"]


texts = st.text(min_size=1, max_size=12).filter(lambda t: t.isprintable())
bodies = st.dictionaries(
    st.sampled_from(["name", "description", "score"]),
    texts | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.floats(-1e6, 1e6),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PAIRS), bodies)
def test_whatever_is_signed_verifies(pair: tuple[str, str], body: dict[str, Any]) -> None:
    made = signed(*pair, document=credential(credentialSubject={"id": "urn:x:s"} | body))
    assert len(ask(parse_object(json.dumps(made).encode(), size=1 << 16))) == 1


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8)
    | st.sampled_from([V2_CONTEXT, DI, "DataIntegrityProof", "urn:x:1", *SUITES]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*sorted(proofs._MEMBERS), "x"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PAIRS), st.sampled_from(sorted(proofs._MEMBERS)), junk)
def test_any_member_may_be_anything_and_is_refused_with_a_code(
    pair: tuple[str, str], name: str, value: Any
) -> None:
    made = json.loads(WIRES[pair])
    before = copy.deepcopy(made)
    made["proof"][name] = value
    found = refusal(lambda: ask(made))
    assert found or made == before or name == "@context"


def test_the_signature_of_a_weak_key_is_never_asked() -> None:
    assert refusal(lambda: Key("Ed25519", b"\x01" + bytes(31))) == "key-weak"
    weak = "did:key:z" + b58_encode(b"\xed\x01\x01" + bytes(31))
    made = forged("eddsa-jcs-2022", verificationMethod=f"{weak}#{weak[8:]}")
    made["proof"]["proofValue"] = "z" + b58_encode(b"\x01" + bytes(63))
    assert refusal(lambda: ask(made)) == "key-weak"


# --- presentations -------------------------------------------------------------------------


def presentation(suite: str, *inside: Any) -> dict[str, Any]:
    document = {
        "@context": [V2_CONTEXT],
        "type": ["VerifiablePresentation"],
        "holder": from_key(KEYS["Ed25519"].public),
        "verifiableCredential": list(inside),
    }
    return signed(suite, document=document, purpose="authentication", domain="a.example",
                  challenge="c")  # fmt: skip


ENVELOPED = {
    "@context": V2_CONTEXT,
    "id": "data:application/vc+jwt,eyJhbGciOiJFZERTQSJ9.e30.AAAA_-",
    "type": "EnvelopedVerifiableCredential",
}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("inner", SUITES)
def test_a_presentation_signs_all_that_is_in_it(suite: str, inner: str) -> None:
    made = presentation(suite, signed(inner), credential(id="urn:x:unsigned"), ENVELOPED)
    wanted = {"purpose": "authentication", "domain": "a.example", "challenge": "c"}
    assert len(ask(made, **wanted)) == 1
    for number, change in enumerate(
        ({"name": "Other"}, {"issuer": "urn:x:other"}, {"id": "data:application/vc+jwt,eyJh.e30.A"})
    ):
        other = copy.deepcopy(made)
        other["verifiableCredential"][number] |= change
        assert refusal(lambda d=other: ask(d, **wanted)) == "proof"
    fewer = made | {"verifiableCredential": made["verifiableCredential"][:2]}
    assert refusal(lambda: ask(fewer, **wanted)) == "proof"


@pytest.mark.parametrize("inside", ["https://example.org/credential", {"id": "urn:x:only"}, 7, {}])
def test_what_says_nothing_in_a_presentation_would_not_be_signed_over_rdf(inside: Any) -> None:
    assert refusal(lambda: presentation("eddsa-rdfc-2022", inside)) == "undefined-term"
    assert refusal(lambda: presentation("eddsa-rdfc-2022", ENVELOPED)) == ""


def test_an_undefined_term_deep_in_a_presentation_is_found() -> None:
    for suite in SUITES:
        bad = credential(credentialSubject={"id": "urn:x:s", "undefinedTerm": 1})
        assert refusal(lambda s=suite, b=bad: presentation(s, credential(), b)) == "undefined-term"
