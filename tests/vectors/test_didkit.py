"""An independent implementation, DIDKit, reads the same keys out of our DIDs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest

from delegant.credentials import PrivateKey, PublicKey, did

didkit: Any = pytest.importorskip("didkit", reason="DIDKit is not installed (extra: didkit)")


def resolved(name: str) -> dict[str, Any]:
    """DIDKit's document of a DID."""

    async def resolve() -> str:
        return str(await didkit.resolve_did(name, "{}"))

    document: dict[str, Any] = json.loads(asyncio.run(resolve()))
    return document


@pytest.mark.parametrize("method", ["key", "jwk"])
@pytest.mark.parametrize("seed", range(8))
def test_didkit_finds_the_key_we_put_into_the_did(method: str, seed: int) -> None:
    key = PrivateKey(hashlib.sha256(f"didkit/{seed}".encode()).digest()).public
    name = did.from_key(key, method)
    document = resolved(name)
    assert document["id"] == name
    (found,) = document["verificationMethod"]
    assert PublicKey.from_jwk(found["publicKeyJwk"]) == key == did.key_of(name)
    assert found["id"] == did.vm_of(name)
    assert found["controller"] == name
    for relation in ("authentication", "assertionMethod"):
        assert document[relation] == did.document(name)[relation]


def test_didkit_names_a_key_as_we_do() -> None:
    key = PrivateKey(b"\x2a" * 32).public
    jwk = json.dumps(key.jwk)
    assert didkit.key_to_did("key", jwk) == did.from_key(key, "key")
    assert did.key_of(did.check(didkit.key_to_did("jwk", jwk))) == key
