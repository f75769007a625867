"""A domain claims its own provider label: its document fetched over real TLS, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ans.tiled import key_of
from delegant.ans.confusable import domain_label
from delegant.ans.holder import provider_claim
from delegant.credentials import PrivateKey
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.did import check as check_did
from delegant.resolver.dids import Dids
from delegant.w3c.didweb import Listed, document
from delegant.w3c.keys import Key
from delegant.wallet import keystore
from resolver.door import House, Reply, build, running
from resolver.tls import HOST, Site, page, says, site

ORG = f"did:web:{HOST}"
LABEL = domain_label(ORG)
KEY = key_of("domain")


def web(*keys: PrivateKey, **more: Any) -> bytes:
    """The document of the domain."""
    listed = [Listed(Key("Ed25519", key.public.raw), **more) for key in keys]
    return page(json.dumps(document(check_did(ORG), listed)).encode())


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """These passphrases guard nothing."""
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, says(web(KEY))) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, domain: Site) -> Iterator[House]:
    with running(build(tmp_path), dids=Dids(domain.fetcher())) as found:
        yield found


def claim(house: House, label: str = LABEL, key: PrivateKey = KEY, **more: Any) -> JsonObject:
    given: dict[str, Any] = {"organization": ORG, "registry": house.registry} | more
    at = given.pop("at", int(time.time()))
    return provider_claim(key, given["organization"], given["registry"], label, at=at)


def send(house: House, value: JsonObject) -> Reply:
    return house.call("POST", "/v1/providers", canonical(value))


def told(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["code"]


def test_a_domain_gets_its_label_and_the_log_says_how(house: House, domain: Site) -> None:
    assert LABEL == "acme-example"
    reply = send(house, claim(house))
    assert reply.status == 201
    leaf = reply.json["leaf"]
    assert (leaf["provider"], leaf["organization"], leaf["basis"]) == (LABEL, ORG, "domain")
    assert domain.asked == [HOST]
    listed = house.call("GET", "/v1/providers").json["providers"]
    assert {"label": LABEL, "organization": ORG} in [
        {"label": one["label"], "organization": one["organization"]} for one in listed
    ]
    again = send(house, claim(house))
    assert (again.status, again.json) == (201, reply.json)  # the same receipt


def test_another_label_than_its_own_is_no_domains(house: House, domain: Site) -> None:
    for label in ("DataShop", "acme", "example", f"{LABEL}-x"):
        assert told(send(house, claim(house, label))) == (403, "namespace")
    assert told(send(house, claim(house) | {"label": "-x"})) == (400, "ans-name")
    assert domain.asked == []
    assert send(house, claim(house)).status == 201


def test_a_key_the_domain_does_not_list_proves_nothing(house: House, domain: Site) -> None:
    assert told(send(house, claim(house, key=key_of("thief"))))[1] == "key-not-found"
    value = claim(house)
    forged = claim(house, key=key_of("thief"))
    forged["proof"]["verificationMethod"] = value["proof"]["verificationMethod"]
    assert told(send(house, forged)) == (401, "holder-mismatch")
    assert send(house, value).status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (web(KEY, revoked=1_700_000_000), "key-retired"),
        (web(KEY, expires=1_700_000_000), "key-retired"),
        (web(key_of("other")), "key-not-found"),
        (page(b'{"id": "did:web:other.example"}'), "did-document"),
        (page(b"{}"), "did-document"),
        (page(b"no", "text/html"), "fetch-failed"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "did-not-found"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://x.example/\r\nContent-Length: 0\r\n\r\n",
         "fetch-failed"),
    ],
)  # fmt: skip
def test_a_domain_that_does_not_say_so_gets_nothing(
    house: House, domain: Site, body: bytes, code: str
) -> None:
    domain.answer = says(body)
    assert told(send(house, claim(house)))[1] == code
    assert house.call("GET", "/v1/providers").json["providers"][0]["label"] == "DataCorp"


def test_a_claim_of_long_ago_or_for_another_registry_is_refused(house: House, domain: Site) -> None:
    old = claim(house, at=int(time.time()) - 400)
    assert told(send(house, old)) == (401, "invocation-expired")
    domain.asked.clear()
    elsewhere = claim(house, registry=house.other.did)
    assert told(send(house, elsewhere)) == (401, "audience")
    mine = claim(house, organization=house.other.did, key=house.other.key())
    assert told(send(house, mine)) == (403, "namespace")
    changes: list[JsonObject] = [
        {"proof": None}, {"proof": {}}, {"proof": []}, {"organization": 5}
    ]  # fmt: skip
    for change in changes:
        assert 400 <= send(house, claim(house) | change).status < 500
    assert domain.asked == []  # nobody is asked about what cannot hold


@pytest.mark.parametrize(
    "organization",
    ["did:web:localhost", "did:web:127.0.0.1", "did:web:acme.example%3A8443",
     "did:web:acme.example:agents:x", "did:web:[::1]", "did:web:metadata.internal"],
)  # fmt: skip
def test_nobody_is_led_to_another_place(house: House, domain: Site, organization: str) -> None:
    value = claim(house)
    value["organization"] = organization
    value["proof"]["verificationMethod"] = f"{organization}#{KEY.public.multikey}"
    assert 400 <= send(house, value).status < 500
    assert domain.connected == []
