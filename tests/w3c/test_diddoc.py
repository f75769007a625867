"""DID Core 1.0: the document that conforms, and each way it can fail to."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from delegant.credentials.codec import JsonObject
from delegant.w3c.dids import RELATIONSHIPS, expand, from_key
from delegant.w3c.resolution import check_document
from published import load, names, needs_vectors
from refusal import refusal

NAME = "did:example:123"
JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
FULL: JsonObject = {
    "@context": ["https://www.w3.org/ns/did/v1", {"more": "https://x.example/more"}],
    "id": NAME,
    "alsoKnownAs": ["https://acme.example/", "did:example:456", "urn:uuid:1"],
    "controller": [NAME, "did:example:456"],
    "verificationMethod": [
        {
            "id": f"{NAME}#key-1",
            "type": "Multikey",
            "controller": NAME,
            "publicKeyMultibase": "z6Mk",
        },
        {"id": "#key-2", "type": "JsonWebKey", "controller": NAME, "publicKeyJwk": JWK},
        {"id": "#key-3", "type": "Other", "controller": NAME, "blockchainAccountId": "x"},
    ],
    "authentication": [f"{NAME}#key-1", "#key-2"],
    "assertionMethod": [
        {"id": "#key-4", "type": "Multikey", "controller": NAME, "publicKeyMultibase": "z6Mk"}
    ],
    "keyAgreement": ["did:example:456#key-9"],
    "service": [
        {"id": "#a", "type": "A", "serviceEndpoint": "https://acme.example/a"},
        {"id": f"{NAME}#b", "type": ["B", "C"], "serviceEndpoint": {"uri": "x"}},
        {"id": "urn:uuid:2", "type": "D", "serviceEndpoint": ["https://acme.example", {"a": 1}]},
    ],
    "unknown": {"kept": True},
}


def changed(path: str, value: Any) -> JsonObject:
    """The full document with one value at a path such as ``service.0.id``."""
    made = copy.deepcopy(FULL)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = made
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made


def test_a_full_document_conforms_as_json_and_as_json_ld() -> None:
    assert check_document(FULL, NAME) is FULL
    assert check_document(FULL, NAME, json_ld=True) is FULL
    assert check_document({"id": NAME}, NAME) == {"id": NAME}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("controller", "did:example:456"),
        ("service.0.type", ["A"]),
        ("verificationMethod.0.id", f"{NAME}?versionId=1#key-1"),
        ("verificationMethod.0.id", f"{NAME}/path#key-1"),
        ("verificationMethod.0.expires", "2026-01-01T00:00:00Z"),
        ("authentication.0", "did:example:456#x"),
        ("alsoKnownAs", []),
        ("verificationMethod", []),
        ("service", []),
    ],
)
def test_what_may_be_otherwise_conforms(path: str, value: Any) -> None:
    assert refusal(lambda: check_document(changed(path, value), NAME)) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # 5.1 identifiers
        ("id", ...),
        ("id", None),
        ("id", 1),
        ("id", "did:example:124"),
        ("id", f"{NAME}#x"),
        ("controller", None),
        ("controller", ""),
        ("controller", "https://acme.example"),
        ("controller", f"{NAME}#key-1"),
        ("controller", []),
        ("controller", [NAME, NAME]),
        ("controller", [NAME, 1]),
        ("controller", {"id": NAME}),
        ("alsoKnownAs", "https://acme.example/"),
        ("alsoKnownAs", ["acme"]),
        ("alsoKnownAs", ["https://acme.example/ x"]),
        ("alsoKnownAs", [1]),
        ("alsoKnownAs", ["urn:a", "urn:a"]),
        # 5.2 verification methods
        ("verificationMethod", {}),
        ("verificationMethod", None),
        ("verificationMethod", ["did:example:123#key-1"]),
        ("verificationMethod.0.id", ...),
        ("verificationMethod.0.id", "key-1"),
        ("verificationMethod.0.id", "https://acme.example/#key"),
        ("verificationMethod.0.id", 1),
        ("verificationMethod.0.id", ""),
        ("verificationMethod.0.id", "#key-2"),
        ("verificationMethod.0.type", ...),
        ("verificationMethod.0.type", ""),
        ("verificationMethod.0.type", ["Multikey"]),
        ("verificationMethod.0.controller", ...),
        ("verificationMethod.0.controller", "acme"),
        ("verificationMethod.0.controller", [NAME]),
        ("verificationMethod.0.controller", f"{NAME}#key-1"),
        ("verificationMethod.0.publicKeyMultibase", 1),
        ("verificationMethod.0.publicKeyMultibase", ""),
        ("verificationMethod.0.publicKeyJwk", JWK),
        ("verificationMethod.0.publicKeyBase58", "H3C2"),
        ("verificationMethod.1.publicKeyJwk", "text"),
        ("verificationMethod.1.publicKeyJwk", {}),
        ("verificationMethod.1.publicKeyMultibase", "z6Mk"),
        # 5.3 relationships
        *((relationship, []) for relationship in RELATIONSHIPS),
        *((relationship, {}) for relationship in RELATIONSHIPS),
        *((relationship, None) for relationship in RELATIONSHIPS),
        *((relationship, f"{NAME}#key-1") for relationship in RELATIONSHIPS),
        *((relationship, [f"{NAME}#key-1"] * 2) for relationship in RELATIONSHIPS),
        ("authentication.0", "key-1"),
        ("authentication.0", 1),
        ("authentication.0", "https://acme.example/#key-1"),
        ("assertionMethod.0.type", ...),
        ("assertionMethod.0.controller", "acme"),
        ("assertionMethod.0.publicKeyJwk", JWK),
        # 5.4 services
        ("service", {}),
        ("service", ["https://acme.example"]),
        ("service.0.id", ...),
        ("service.0.id", "a"),
        ("service.0.id", f"{NAME}#b"),
        ("service.0.id", "#b"),
        ("service.0.type", ...),
        ("service.0.type", ""),
        ("service.0.type", []),
        ("service.0.type", ["A", 1]),
        ("service.0.serviceEndpoint", ...),
        ("service.0.serviceEndpoint", "acme.example"),
        ("service.0.serviceEndpoint", "https://acme.example/ x"),
        ("service.0.serviceEndpoint", "https://acme.example/%zz"),
        ("service.0.serviceEndpoint", {}),
        ("service.0.serviceEndpoint", []),
        ("service.0.serviceEndpoint", [1]),
        ("service.0.serviceEndpoint", ["acme"]),
    ],
)
def test_each_rule_of_did_core_refuses_alone(path: str, value: Any) -> None:
    assert refusal(lambda: check_document(changed(path, value), NAME)) == "did-document"


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_no_private_part_of_a_key_is_published(member: str) -> None:
    made = changed("verificationMethod.1.publicKeyJwk", JWK | {member: "x"})
    assert refusal(lambda: check_document(made, NAME)) == "key-weak"


@pytest.mark.parametrize(
    "member",
    ["privateKeyJwk", "privateKeyMultibase", "privateKeyBase58", "secretKeyMultibase"],
)
@pytest.mark.parametrize("path", ["verificationMethod.0", "assertionMethod.0"])
def test_no_private_key_is_published(path: str, member: str) -> None:
    made = changed(f"{path}.{member}", "x")
    assert refusal(lambda: check_document(made, NAME)) == "key-weak"


@pytest.mark.parametrize(
    "context",
    [
        ...,
        None,
        "https://www.w3.org/2018/credentials/v1",
        [],
        ["https://w3id.org/security/v1", "https://www.w3.org/ns/did/v1"],
        {"@vocab": "https://www.w3.org/ns/did/v1"},
    ],
)
def test_json_ld_begins_with_the_context_of_dids(context: Any) -> None:
    made = changed("@context", context)
    assert refusal(lambda: check_document(made, NAME, json_ld=True)) == "did-document"
    assert refusal(lambda: check_document(made, NAME)) == ""


@pytest.mark.parametrize(
    "context", ["https://www.w3.org/ns/did/v1", "https://www.w3.org/ns/did/v1.1"]
)
def test_json_ld_may_have_that_context_alone(context: str) -> None:
    assert refusal(lambda: check_document(changed("@context", context), NAME, json_ld=True)) == ""


@pytest.mark.parametrize("value", [None, 1, "x", [], [FULL], True])
def test_a_document_is_an_object(value: Any) -> None:
    assert refusal(lambda: check_document(value, NAME)) == "did-document"


@needs_vectors
@pytest.mark.parametrize("file", names("did-key"))
def test_published_documents_conform(file: str) -> None:
    cases = load("did-key", file)
    found = {n: case["didDocument"] for n, case in cases.items() if "didDocument" in case}
    for name, document in (found or cases["didDocument"]).items():
        assert refusal(lambda d=document, n=name: check_document(d, n, json_ld=True)) == ""


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384", "secp256k1"])
@pytest.mark.parametrize("method", ["key", "jwk"])
def test_the_documents_we_work_out_conform(kind: str, method: str) -> None:
    from delegant.w3c.keys import new_signer

    name = from_key(new_signer(kind).public, method)
    assert refusal(lambda: check_document(expand(name), name, json_ld=True)) == ""
