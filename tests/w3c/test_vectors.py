"""The W3C test vectors of the EdDSA and ECDSA cryptosuites, step by step."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from delegant.credentials.codec import b58_decode, canonical
from delegant.w3c import jsonld, proofs
from delegant.w3c.dids import expand
from delegant.w3c.keys import EcSigner, EdSigner, signer
from delegant.w3c.suites import SUITES, Unsecured
from published import VECTORS, load, needs_vectors
from refusal import refusal

pytestmark = needs_vectors

AT = 1_764_000_000
ED, EC = "vc-di-eddsa", "vc-di-ecdsa"
STEPS = {
    "eddsa-jcs-2022": (ED, "eddsa-jcs-2022", "JCS", "JCS"),
    "eddsa-rdfc-2022": (ED, "eddsa-rdfc-2022", "DataInt", "DataInt"),
    "Ed25519Signature2020": (ED, "Ed25519Signature2020", "EdSig", "EdSig"),
    "ecdsa-jcs-2019 P-256": (EC, "ecdsa-jcs-2019-p256", "JCSECDSAP256", "JCSECDSAP256"),
    "ecdsa-jcs-2019 P-384": (EC, "ecdsa-jcs-2019-p384", "JCSECDSAP384", "JCSECDSAP384"),
    "ecdsa-rdfc-2019 P-256": (EC, "ecdsa-rdfc-2019-p256", "ECDSAP256", "ECDSAP256"),
    "ecdsa-rdfc-2019 P-384": (EC, "ecdsa-rdfc-2019-p384", "ECDSAP384", "ECDSAP384"),
    "eddsa-rdfc-2022 Ed25519 employ": (ED, "eddsa-rdfc-2022/employ", "DataInt", "DataInt"),
    "ecdsa-rdfc-2019 P-256 employ": (EC, "ecdsa-rdfc-2019-p256/employ", "ECDSAP256", "ECDSAP256"),
    "ecdsa-rdfc-2019 P-384 employ": (EC, "ecdsa-rdfc-2019-p384/employ", "ECDSAP384", "ECDSAP384"),
}  # fmt: skip


def text(*parts: str) -> str:
    return VECTORS.joinpath(*parts).read_text("utf-8")


def secret(group: str, file: str, *names: str) -> EdSigner | EcSigner:
    """The published key pair."""
    pair: Any = load(group, file)
    for name in names:
        pair = pair[name]
    raw = b58_decode((pair.get("privateKeyMultibase") or pair["secretKeyMultibase"])[1:])
    kind = {b"\x80\x26": "Ed25519", b"\x86\x26": "P-256", b"\x87\x26": "P-384"}[raw[:2]]
    return signer(kind, raw[2:])


@pytest.mark.parametrize("name", STEPS)
def test_every_step_gives_the_published_bytes(name: str) -> None:
    group, folder, tag, _ = STEPS[name]
    suite_name, kind = (*name.split(" "), "Ed25519")[:2]
    suite = SUITES[suite_name]
    hashed = "SHA-384" if kind == "P-384" else "SHA-256"
    signed = load(group, folder, f"signed{tag}.json")
    options = load(group, folder, f"proofConfig{tag}.json")
    document = {member: value for member, value in signed.items() if member != "proof"}

    def form(value: Any) -> bytes:
        return jsonld.nquads(value, hash=hashed) if suite.rdf else canonical(value)

    def digest(data: bytes) -> str:
        return hashlib.new(hashed.replace("-", ""), data).hexdigest()

    assert form(document).decode() == text(group, folder, f"canonDoc{tag}.txt")
    assert form(options).decode() == text(group, folder, f"proofCanon{tag}.txt")
    assert digest(form(document)) == text(group, folder, f"docHash{tag}.txt").strip()
    assert digest(form(options)) == text(group, folder, f"proofHash{tag}.txt").strip()
    both = Unsecured(document).hash_data(suite, kind, options)
    assert both.hex() == text(group, folder, f"combinedHash{tag}.txt").strip()
    assert (
        b58_decode(signed["proof"]["proofValue"][1:], size=144).hex()
        == text(group, folder, f"sigHex{tag}.txt").strip()
    )
    (proof,) = proofs.verify(signed, resolve=expand, at=AT, purpose="assertionMethod")
    assert (proof.suite, proof.key.kind) == (suite.name, kind)


@pytest.mark.parametrize("name", STEPS)
def test_a_published_document_that_was_changed_is_refused(name: str) -> None:
    group, folder, tag, _ = STEPS[name]
    signed = load(group, folder, f"signed{tag}.json")

    def ask(document: Any) -> object:
        return proofs.verify(document, resolve=expand, at=AT)

    assert refusal(lambda: ask(signed)) == ""
    assert refusal(lambda: ask(signed | {"name": "Another"})) == "proof"
    assert refusal(lambda: ask(signed | {"proof": signed["proof"] | {"nonce": "n"}})) == "proof"


@pytest.mark.parametrize("name", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_we_sign_the_published_document_to_the_letter(name: str) -> None:
    group, folder, tag, _ = STEPS[name]
    signed = load(group, folder, f"signed{tag}.json")
    key = secret(group, "keyPair.json")
    made = proofs.sign(
        load(group, "unsigned.json"),
        key,
        suite=name,
        method=signed["proof"]["verificationMethod"],
        created=signed["proof"]["created"],
    )
    assert made == signed


@pytest.mark.parametrize("name", [name for name in STEPS if name.count(" ") == 1])
def test_what_we_sign_with_the_published_curve_keys_holds(name: str) -> None:
    group, folder, tag, _ = STEPS[name]
    kind = name.partition(" ")[2]
    signed = load(group, folder, f"signed{tag}.json")
    made = proofs.sign(
        load(group, "unsigned.json"),
        secret(group, f"{kind.lower().replace('-', '')}KeyPair.json"),
        suite=name.partition(" ")[0],
        method=signed["proof"]["verificationMethod"],
        created=signed["proof"]["created"],
    )
    (proof,) = proofs.verify(made, resolve=expand, at=AT)
    assert proof.key.kind == kind
    assert {**made["proof"], "proofValue": ""} == {**signed["proof"], "proofValue": ""}


CHAIN = (ED, "proof-set-chain")


@pytest.mark.parametrize(
    ("file", "count"),
    [("signedProofSet1", 1), ("signedProofSet2", 2), ("signedProofChain1", 3),
     ("signedProofChain2", 4)],
)  # fmt: skip
def test_published_sets_and_chains_hold(file: str, count: int) -> None:
    assert len(proofs.verify(load(*CHAIN, f"{file}.json"), resolve=expand, at=AT)) == count


def test_we_make_the_published_set_and_chain_to_the_letter() -> None:
    document = load(*CHAIN, "unsigned.json")
    final = load(*CHAIN, "signedProofChain2.json")
    steps = ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"]
    for number, (proof, step) in enumerate(zip(final["proof"], steps, strict=True), 1):
        document = proofs.sign(
            document,
            secret(ED, "proof-set-chain/multiKeyPairs.json", f"keyPair{number}"),
            suite=proof["cryptosuite"],
            method=proof["verificationMethod"],
            created=proof["created"],
            id=proof.get("id"),
            previous=proof.get("previousProof"),
        )
        published = load(*CHAIN, f"{step}.json")
        if isinstance(published["proof"], dict):
            published["proof"] = [published["proof"]]
        own = document["proof"]
        assert [own] if isinstance(own, dict) else own == published["proof"]
    assert document == final


def without(document: Any, *numbers: int) -> Any:
    left = [proof for n, proof in enumerate(document["proof"]) if n not in numbers]
    return document | {"proof": left}


@pytest.mark.parametrize(
    ("numbers", "code"),
    [((), ""), ((0,), "proof-chain"), ((1,), "proof-chain"), ((2,), "proof-chain"), ((3,), ""),
     ((2, 3), ""), ((0, 1), "proof-chain"), ((0, 2, 3), "")],
)  # fmt: skip
def test_a_proof_of_a_chain_needs_every_proof_it_continues(
    numbers: tuple[int, ...], code: str
) -> None:
    document = without(load(*CHAIN, "signedProofChain2.json"), *numbers)
    assert refusal(lambda: proofs.verify(document, resolve=expand, at=AT)) == code


def test_a_proof_of_a_chain_signs_the_proofs_it_continues() -> None:
    document = load(*CHAIN, "signedProofChain2.json")
    first = document["proof"][0]
    first["proofValue"] = load(*CHAIN, "signedProofSet2.json")["proof"][1]["proofValue"]
    for numbers in ((0, 1), (3,)):
        assert refusal(
            lambda n=numbers: proofs.verify(without(document, *n), resolve=expand, at=AT)
        )


def test_the_order_of_a_chain_s_proofs_does_not_matter_to_rdf() -> None:
    document = load(*CHAIN, "signedProofChain2.json")
    document["proof"].reverse()
    assert len(proofs.verify(document, resolve=expand, at=AT)) == 4
