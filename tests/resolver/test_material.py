"""What the VC-API verifies with: from this home, from allowed hosts, or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.resolver.dids import Dids
from delegant.resolver.material import MOST, Material
from delegant.w3c import dids, status
from delegant.w3c.didweb import Listed, document
from delegant.w3c.keys import EdSigner, new_signer
from delegant.w3c.proofs import sign
from resolver.door import build, running
from resolver.tls import HOST, Site, page, says, site
from resolver.vc import Api, plain, shown

LIST = f"https://{HOST}/status/1"
SCHEMA = f"https://{HOST}/schema"
WEB = Did(f"did:web:{HOST}")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A host the operator allowed."""
    with site(tmp_path_factory.mktemp("elsewhere"), says(b"")) as running_site:
        yield running_site


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory, elsewhere: Site) -> Iterator[Api]:
    """A server that may fetch from there, and has nothing in its memory."""
    house = build(tmp_path_factory.mktemp("house"))
    resolver = Dids(elsewhere.fetcher(HOST), house.home)
    with running(house, development=True, dids=resolver) as open_house:
        yield Api(open_house)


class Other:
    """An issuer elsewhere, with a list whose seventh bit is set."""

    def __init__(self) -> None:
        made = new_signer("Ed25519")
        assert isinstance(made, EdSigner)
        self.signer = made
        self.name: str = dids.from_key(made.public)
        self.method = dids.vm_of(dids.from_key(made.public))

    def signed(self, document_: JsonObject) -> JsonObject:
        return sign(document_, self.signer, suite="eddsa-jcs-2022", method=self.method)

    def credential(self, **changes: Any) -> JsonObject:
        return self.signed(plain(issuer=self.name, **changes))

    def listed(self, url: str = LIST, *, seconds: int = 3600, **changes: Any) -> JsonObject:
        now = int(time.time())
        bits = bytearray(status.MIN_BITS // 8)
        status.put(bits, 7, True)
        made = status.document(
            url, self.name, bytes(bits), purposes=["revocation"],
            valid_from=now - 3600, valid_until=now + seconds, ttl=60_000,
        )  # fmt: skip
        return self.signed(made | changes)


def serves(there: Site, value: Any, media: str = "application/vc") -> None:
    there.answer = says(page(json.dumps(value).encode(), media))


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.mark.parametrize(("index", "codes"), [(7, ["revoked"]), (8, [])])
def test_a_list_of_an_allowed_host_is_fetched_and_counts(
    api: Api, elsewhere: Site, other: Other, index: int, codes: list[str]
) -> None:
    serves(elsewhere, other.listed())
    given = other.credential(credentialStatus=status.entry(LIST, index, "revocation"))
    assert api.codes(given) == codes
    assert "GET /status/1 " in elsewhere.requests[-1]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "data-model"),
        ([], "encoding"),
        ("x", "encoding"),
        (None, "encoding"),
        ({"type": ["VerifiableCredential"]}, "data-model"),
    ],
)
def test_what_is_no_list_is_never_a_yes(
    api: Api, elsewhere: Site, other: Other, value: Any, code: str
) -> None:
    serves(elsewhere, value)
    given = other.credential(credentialStatus=status.entry(LIST, 8, "revocation"))
    assert api.codes(given) == [code]


def unsigned(document_: JsonObject) -> JsonObject:
    return {name: value for name, value in document_.items() if name != "proof"}


def test_a_list_that_is_forged_over_or_of_another_is_never_a_yes(
    api: Api, elsewhere: Site, other: Other
) -> None:
    urls = [f"{LIST}{number}" for number in range(6)]  # an answer is remembered for a while
    served = [
        ("proof", other.listed(urls[0]) | {"name": "changed"}),
        ("expired", other.listed(urls[1], seconds=-60)),
        ("status-unknown", Other().listed(urls[2])),
        ("proof", unsigned(other.listed(urls[3]))),
        ("status-unknown", other.listed(LIST)),
        ("status-unknown", Other().signed(unsigned(other.listed(urls[5])))),
    ]
    for url, (code, value) in zip(urls, served, strict=True):
        serves(elsewhere, value)
        given = other.credential(credentialStatus=status.entry(url, 8, "revocation"))
        assert api.codes(given) == [code]
    serves(elsewhere, other.listed())
    given = other.credential(credentialStatus=status.entry(LIST, 8, "revocation"))
    assert api.codes(given) == []


def test_a_host_nobody_allowed_is_never_asked(api: Api, elsewhere: Site, other: Other) -> None:
    before = len(elsewhere.connected)
    url = "https://not-allowed.example/status/1"
    given = other.credential(credentialStatus=status.entry(url, 8, "revocation"))
    assert api.codes(given) == ["status-missing"]
    schema = {"id": "https://not-allowed.example/schema", "type": "JsonSchema"}
    assert api.codes(other.credential(credentialSchema=schema)) == ["fetch-refused"]
    loopback = other.credential(
        credentialStatus=status.entry(f"http://127.0.0.1:{elsewhere.port}/x", 8, "revocation")
    )
    assert api.codes(loopback) == ["status-missing"]
    assert len(elsewhere.connected) == before


def test_a_host_that_does_not_answer_is_never_a_yes(
    api: Api, elsewhere: Site, other: Other
) -> None:
    elsewhere.answer = says(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    given = other.credential(credentialStatus=status.entry(LIST, 8, "revocation"))
    assert api.codes(given) == ["status-missing"]
    assert api.codes(given, checks=["proof"]) == []


@pytest.mark.parametrize(
    ("schema", "codes"), [({"required": ["id"]}, []), ({"required": ["x"]}, ["schema-mismatch"])]
)
def test_a_schema_of_an_allowed_host_is_fetched_and_counts(
    api: Api, elsewhere: Site, other: Other, schema: JsonObject, codes: list[str]
) -> None:
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    serves(elsewhere, draft | schema, "application/json")
    given = other.credential(credentialSchema={"id": SCHEMA, "type": "JsonSchema"})
    assert api.codes(given) == codes


def test_a_did_web_of_an_allowed_host_is_resolved(api: Api, elsewhere: Site, other: Other) -> None:
    other.name = WEB
    other.method = f"{WEB}#{other.signer.public.multikey}"
    serves(elsewhere, document(WEB, [Listed(other.signer.public)]), "application/did+json")
    assert api.verify(other.credential())[1]["warnings"] == []
    assert api.codes(other.credential()) == []
    stranger = Other()
    stranger.name, stranger.method = WEB, f"{WEB}#{stranger.signer.public.multikey}"
    assert api.codes(stranger.credential()) == ["key-not-found"]
    stranger.name = stranger.method = "did:web:not-allowed.example"
    stranger.method += "#" + stranger.signer.public.multikey
    assert api.codes(stranger.credential()) == ["fetch-refused"]


def test_one_verification_asks_for_few_urls(api: Api, elsewhere: Site, other: Other) -> None:
    body = b"{}"
    digest = "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    elsewhere.answer = says(page(body, "application/json"))
    for count, codes in ((MOST, []), (MOST + 1, ["fetch-failed"])):
        names = [f"https://{HOST}/{count}/{number}" for number in range(count)]
        before = len(elsewhere.requests)
        given = [{"id": name, "digestSRI": digest} for name in names]
        assert api.codes(other.credential(relatedResource=given)) == codes
        assert len(elsewhere.requests) - before == MOST


def test_one_verification_asks_for_few_dids(elsewhere: Site, other: Other) -> None:
    asked: list[str] = []

    def resolve(name: str) -> JsonObject:
        asked.append(name)
        raise error("did-not-found", name)

    held = []
    for number in range(MOST // 2):  # each is looked up once more by another fragment
        other.name = f"did:web:{HOST}:{number}"
        for fragment in "ab":
            other.method = f"{other.name}#{fragment}"
            held.append(other.credential())
    material = Material(None, resolve=resolve)  # type: ignore[arg-type]  # no list is asked for
    body: JsonObject = {"presentation": shown(*held)}
    assert not material.presentation(body, int(time.time()))["verified"]
    assert len(asked) == MOST // 2
