"""The core against published test vectors."""

from __future__ import annotations

import copy
import json

import pytest

from delegant.credentials import Error, PrivateKey, PublicKey, canonical, did, proof
from delegant.credentials.codec import b58_decode, parse
from delegant.credentials.shape import time
from published import VECTORS, load, names, needs_vectors

pytestmark = needs_vectors


# --- Wycheproof ----------------------------------------------------------------------------


def signature_holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """What we say of a signature; an ill-formed key or signature counts as no."""
    try:
        return PublicKey(key).verify(signature, message)
    except Error:
        return False


def test_every_wycheproof_ed25519_case_agrees() -> None:
    data = load("wycheproof", "ed25519_test.json")
    wrong: list[int] = []
    seen: list[str] = []
    for group in data["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            seen.append(case["result"])
            if signature_holds(key, signature, message) is not (case["result"] == "valid"):
                wrong.append(case["tcId"])
    assert wrong == []
    assert len(seen) == data["numberOfTests"] >= 150
    assert set(seen) == {"valid", "invalid"}


# --- RFC 8785 ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names("rfc8785", "input"))
def test_canonical_form_is_that_of_rfc_8785(name: str) -> None:
    data = VECTORS.joinpath("rfc8785", "input", name).read_bytes()
    expected = VECTORS.joinpath("rfc8785", "output", name).read_bytes()
    # values.json holds a number no I-JSON integer can be, so the plain reader reads it here.
    assert canonical(json.loads(data)) == expected
    as_hex = VECTORS.joinpath("rfc8785", "outhex", name.replace(".json", ".txt")).read_text()
    assert bytes.fromhex(as_hex) == expected


@pytest.mark.parametrize("name", names("rfc8785", "output"))
def test_canonical_form_of_a_canonical_form_is_itself(name: str) -> None:
    data = VECTORS.joinpath("rfc8785", "output", name).read_bytes()
    assert canonical(json.loads(data)) == data


# --- JSONTestSuite -------------------------------------------------------------------------

TWICE = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
"""Valid JSON that two parsers may read as two different values; we refuse it."""
INEXACT = {
    "y_number_double_close_to_zero.json",  # a number of more than 64 characters
    "y_number_minus_zero.json",  # -0: RFC 8785 writes it 0, so it has a second spelling
    "y_number_negative_zero.json",
}
"""Valid JSON whose number other parsers read otherwise; we refuse it too."""


@pytest.mark.parametrize("name", names("json-parsing", "test_parsing"))
def test_strict_parser_agrees_with_the_json_test_suite(name: str) -> None:
    data = VECTORS.joinpath("json-parsing", "test_parsing", name).read_bytes()
    try:
        value = parse(data, size=1 << 20)
    except Error as exc:
        refusal = exc.code
    else:
        refusal = ""
        assert name.startswith("i_") or value == json.loads(data)
    if name in TWICE:
        assert refusal == "duplicate-member"
    elif name in INEXACT:
        assert refusal == "json"
    elif name.startswith("y_"):
        assert refusal == ""
    elif name.startswith("n_"):
        assert refusal in {"json", "encoding", "limit-depth"}
    else:
        assert refusal in {"", "json", "encoding", "limit-depth"}


# --- Data Integrity, eddsa-jcs-2022 ---------------------------------------------------------


def w3c_key() -> PublicKey:
    """The key of the W3C vectors."""
    return PublicKey.from_multikey(load("vc-di-eddsa", "keyPair.json")["publicKeyMultibase"])


def test_w3c_jcs_credential_verifies_and_every_step_is_theirs() -> None:
    signed = load("vc-di-eddsa", "eddsa-jcs-2022", "signedJCS.json")
    assert proof.verify(signed, w3c_key())

    def text(name: str) -> str:
        return (VECTORS / "vc-di-eddsa" / "eddsa-jcs-2022" / name).read_text("utf-8").strip()

    config = load("vc-di-eddsa", "eddsa-jcs-2022", "proofConfigJCS.json")
    unsigned = load("vc-di-eddsa", "unsigned.json")
    assert canonical(config).decode() == text("proofCanonJCS.txt")
    assert canonical(unsigned).decode() == text("canonDocJCS.txt")
    assert proof.hash_data(unsigned, config).hex() == text("combinedHashJCS.txt")
    assert proof.signature_of(signed["proof"]).hex() == text("sigHexJCS.txt")


def test_we_sign_the_w3c_credential_with_the_same_bytes() -> None:
    pair = load("vc-di-eddsa", "keyPair.json")
    key = PrivateKey(b58_decode(pair["privateKeyMultibase"][1:])[2:])
    assert key.public == w3c_key()
    signed = load("vc-di-eddsa", "eddsa-jcs-2022", "signedJCS.json")
    config = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    unsigned = load("vc-di-eddsa", "unsigned.json")
    assert key.sign(proof.hash_data(unsigned, config)) == proof.signature_of(signed["proof"])
    ours = proof.sign(
        unsigned, key, config["verificationMethod"], time(config["created"], "created")
    )
    assert ours == signed


@pytest.mark.parametrize("part", ["document", "proof", "signature", "key"])
def test_w3c_jcs_credential_altered_anywhere_fails(part: str) -> None:
    signed = copy.deepcopy(load("vc-di-eddsa", "eddsa-jcs-2022", "signedJCS.json"))
    key = w3c_key()
    if part == "document":
        signed["name"] = "Another Credential"
    elif part == "proof":
        signed["proof"]["created"] = "2033-02-24T23:36:38Z"
    elif part == "signature":
        value = signed["proof"]["proofValue"]
        signed["proof"]["proofValue"] = value[:20] + ("3" if value[20] == "2" else "2") + value[21:]
    else:
        key = PrivateKey(b"\x07" * 32).public
    assert not proof.verify(signed, key)


def test_w3c_credential_of_another_suite_is_refused_as_such() -> None:
    with pytest.raises(Error) as refused:
        proof.verify(load("vc-di-eddsa", "eddsa-rdfc-2022", "signedDataInt.json"), w3c_key())
    assert refused.value.code == "suite"


# --- did:key -------------------------------------------------------------------------------


def test_did_key_of_ed25519_gives_the_published_key() -> None:
    documents = load("did-key", "ed25519-x25519.json")
    assert len(documents) >= 5
    for name, vector in documents.items():
        key = did.key_of(did.check(name))
        assert key is not None
        method = vector["didDocument"]["verificationMethod"][0]
        if "publicKeyBase58" in method:
            assert key.raw == b58_decode(method["publicKeyBase58"])
        else:
            assert PublicKey.from_jwk(method["publicKeyJwk"]) == key
        assert did.from_key(key) == name
        assert did.vm_of(did.check(name)) == method["id"]
        assert PrivateKey(bytes.fromhex(vector["seed"])).public == key


@pytest.mark.parametrize(
    "name", ["bls12381.json", "nist-curves.json", "rsa.json", "secp256k1.json", "x25519.json"]
)
def test_did_key_of_another_curve_is_refused_never_read_as_ours(name: str) -> None:
    data = load("did-key", name)
    texts = list(data["didDocument"]) if name == "x25519.json" else list(data)
    assert texts
    for text in texts:
        with pytest.raises(Error) as refused:
            did.key_of(did.check(text))
        # A BLS pair is longer than any base58 we decode, an RSA key than any DID we take: of
        # those nobody learns what kind they are.
        longer = "limit-size" if len(text) <= 256 else "shape"
        assert refused.value.code == ("suite" if len(text) < 140 else longer)


def test_key_agreement_key_is_not_a_signing_key() -> None:
    for vector in load("did-key", "ed25519-x25519.json").values():
        fragment = vector["didDocument"]["keyAgreement"][0]
        text = fragment if isinstance(fragment, str) else fragment["id"]
        with pytest.raises(Error) as refused:
            did.key_of(did.check("did:key:" + text.partition("#")[2]))
        assert refused.value.code == "suite"
