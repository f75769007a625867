"""The bundled contexts: the bytes that were published, and nothing else."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials.envelope import CONTEXT, DELEGATION_CONTEXT, V2_CONTEXT
from delegant.w3c import contexts
from published import VECTORS, needs_vectors
from refusal import refusal

REC = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
JULY_2024 = "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9"


@pytest.mark.parametrize("url", contexts.urls())
def test_a_context_has_the_bytes_it_is_pinned_by(url: str) -> None:
    assert hashlib.sha256(contexts.raw(url)).hexdigest() == contexts.DIGESTS[url][0]
    assert contexts.context(url) == json.loads(contexts.raw(url))


@pytest.mark.parametrize(
    ("url", "digest"),
    [  # as the Recommendations state them
        (V2_CONTEXT, REC),
        ("https://www.w3.org/2018/credentials/v1",
         "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"),
        ("https://w3id.org/security/data-integrity/v2",
         "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4"),
        ("https://w3id.org/security/multikey/v1",
         "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597"),
        ("https://w3id.org/security/jwk/v1",
         "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece"),
    ],
)  # fmt: skip
def test_our_copy_is_the_one_the_recommendation_names(url: str, digest: str) -> None:
    assert contexts.DIGESTS[url][0] == digest


def test_both_published_forms_of_the_v2_context_are_known() -> None:
    assert contexts.DIGESTS[V2_CONTEXT] == (REC, JULY_2024)


@needs_vectors
@pytest.mark.parametrize(
    ("url", "file"),
    [
        (V2_CONTEXT, "credentials-v2.json"),
        ("https://www.w3.org/ns/credentials/examples/v2", "credentials-examples-v2.json"),
    ],
)
def test_our_copy_is_the_published_file(url: str, file: str) -> None:
    assert contexts.raw(url) == VECTORS.joinpath("contexts", file).read_bytes()


def test_our_own_context_is_the_one_of_the_schemas_and_makes_every_block_one_literal() -> None:
    assert contexts.raw(DELEGATION_CONTEXT) == schemas.context()
    assert contexts.DIGESTS[DELEGATION_CONTEXT] == (schemas.CONTEXT_SHA256,)
    terms = contexts.context(DELEGATION_CONTEXT)["@context"]
    assert terms["@protected"] is True
    for block, kind in (
        ("delegation", "AgentDelegation"),
        ("humanSponsor", "HumanSponsor"),
        ("agentIdentity", "AgentIdentity"),
        ("attestation", "AgentAttestation"),
    ):
        assert terms[block]["@type"] == "@json"
        assert f"{kind}Credential" in terms
    assert "AgentDelegationCredential" in terms
    assert CONTEXT == (V2_CONTEXT, DELEGATION_CONTEXT)


def test_a_context_that_is_changed_changes_nothing_here() -> None:
    contexts.context(V2_CONTEXT)["@context"]["issuer"] = "https://evil.example/"
    assert "evil" not in json.dumps(contexts.context(V2_CONTEXT))


@pytest.mark.parametrize(
    "url", ["https://example.com/context", "", "../credentials-v2", V2_CONTEXT + "#", None, 7, {}]
)
def test_what_is_not_bundled_is_unknown(url: Any) -> None:
    assert refusal(lambda: contexts.context(url)) == "context-unknown"
    assert refusal(lambda: contexts.context(V2_CONTEXT)) == ""


def test_every_file_has_its_row_in_the_notice() -> None:
    folder = files(contexts.__name__)
    notice = folder.joinpath("LICENCES.md").read_text("utf-8")
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".jsonld"))
    assert names
    assert [name for name in names if f"| {name}" not in notice] == []
    assert {f"{row[0]}.jsonld" for row in contexts._FILES.values()} == set(names)
