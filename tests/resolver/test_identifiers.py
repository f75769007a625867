"""DID Resolution over HTTP: what is answered, as what, with which status."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.credentials.codec import JsonObject, b58_encode
from delegant.credentials.did import Did
from delegant.resolver import identifiers
from delegant.resolver.dids import Dids
from delegant.resolver.fetch import Fetcher
from delegant.resolver.identifiers import LEGACY, OFFERED, RESOLUTION, RESOURCE, negotiate
from delegant.w3c.dids import expand, from_key
from delegant.w3c.didweb import Listed, document
from delegant.w3c.keys import signer
from refusal import refusal
from resolver.door import House, Reply, build, running
from resolver.tls import HOST, Site, page, says, site

KEY = signer("Ed25519", bytes(range(32))).public
NAME = from_key(KEY)
P256 = from_key(signer("P-256", bytes(range(1, 33))).public)
JWK = from_key(KEY, "jwk")
WEAK = b"\xed\x01\x01" + bytes(31)
OFF_CURVE = b"\x80\x24\x02" + b"\xff" * 32
WEB = Did(f"did:web:{HOST}:agents:else")
NS = "https://www.w3.org/ns/did#"
SERVICES: list[JsonObject] = [
    {"id": "#files", "type": "Files", "serviceEndpoint": "https://files.acme.example/a/b"},
    {"id": "#more", "type": ["More", "Files"], "serviceEndpoint": {"uri": "https://x.example"}},
]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A host of somebody else."""
    with site(tmp_path_factory.mktemp("elsewhere"), says(b"")) as running_site:
        yield running_site


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, elsewhere: Site) -> Iterator[House]:
    """A home whose organisation, people and agents are did:webs, and which may fetch."""
    folder: Path = tmp_path_factory.mktemp("web")
    house = build(folder, url="https://home.acme.example", method="web")
    dids = Dids(elsewhere.fetcher(), house.home)
    with running(house, dids=dids) as open_house:
        yield open_house


def get(house: House, asked: str, accept: str = "", query: str = "") -> Reply:
    headers = {"Accept": accept} if accept else {}
    return house.call("GET", f"/1.0/identifiers/{asked}{query}", headers=headers)


def publish(place: Site, value: Any, media: str = "application/did+json") -> None:
    place.answer = says(page(json.dumps(value).encode(), media, "Cache-Control: no-store\r\n"))


def kind(reply: Reply) -> str:
    """The error in a result, which has neither document nor content."""
    value = reply.json
    if "contentStream" in value:
        assert value["contentStream"] is None
        assert reply.headers["content-type"] == RESOURCE
        return str(value["dereferencingMetadata"]["error"]["type"]).removeprefix(NS)
    assert value["didDocument"] is None
    assert value["didDocumentMetadata"] == {}
    assert reply.headers["content-type"] == RESOLUTION
    told = value["didResolutionMetadata"]["error"]
    assert told["title"]
    assert told["detail"]
    return str(told["type"]).removeprefix(NS)


# --- resolution ----------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["", "*/*", RESOLUTION, "application/*"])
@pytest.mark.parametrize("name", [NAME, P256, JWK])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_did_resolves_to_a_result(house: House, name: str, accept: str, encoded: bool) -> None:
    reply = get(house, quote(name, safe="") if encoded else name, accept)
    assert reply.status == 200
    assert reply.headers["content-type"] == RESOLUTION
    assert reply.json == {
        "didDocument": expand(name),
        "didResolutionMetadata": {"contentType": "application/did"},
        "didDocumentMetadata": {},
    }


@pytest.mark.parametrize(
    "media",
    [
        "application/did",
        "application/did+json",
        "application/did+ld+json",
        "application/json",
        "application/ld+json",
    ],
)
def test_a_document_alone_comes_as_what_was_asked_for(house: House, media: str) -> None:
    reply = get(house, NAME, media)
    assert (reply.status, reply.headers["content-type"]) == (200, media)
    assert reply.json == expand(NAME)


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("", 400, "INVALID_DID"),
        ("not-a-did", 400, "INVALID_DID"),
        ("did:example", 400, "INVALID_DID"),
        ("did:Key:z6Mk", 400, "INVALID_DID"),
        ("did:key:z6Mk%00", 400, "INVALID_DID"),
        ("did:key:" + "z" * 5000, 400, "INVALID_DID"),
        ("did:key:zzz", 501, "FEATURE_NOT_SUPPORTED"),
        ("did:key:1:" + NAME[8:], 400, "INVALID_DID"),
        ("did:key:" + NAME[9:], 400, "INVALID_DID"),
        ("did:jwk:e30", 501, "FEATURE_NOT_SUPPORTED"),
        ("did:unsupported:123456789abcdefghi", 501, "METHOD_NOT_SUPPORTED"),
        ("did:web:127.0.0.1", 400, "INVALID_DID"),
        ("did:web:other.example", 501, "METHOD_NOT_SUPPORTED"),
        ("did:webvh:nonsense:acme.example", 400, "INVALID_DID"),
    ],
)
def test_a_did_that_does_not_resolve_says_why(
    house: House, asked: str, status: int, told: str
) -> None:
    for accept in ("", RESOLUTION, "application/did+json"):
        reply = get(house, asked, accept)
        assert (reply.status, kind(reply)) == (status, told)


def test_a_representation_nobody_has_is_refused(house: House) -> None:
    for accept in ("application/x-unsupported-did-representation-99999", "text/html", "*/*;q=0"):
        reply = get(house, NAME, accept)
        assert (reply.status, kind(reply)) == (406, "REPRESENTATION_NOT_SUPPORTED")


@pytest.mark.parametrize("name", ["service", "serviceType", "relativeRef", "versionId", "hl"])
@pytest.mark.parametrize("text", ["🔥", "Привет", "こんにちは", "مرحبا", "foo\u200bbar"])
def test_parameters_are_ascii(house: House, name: str, text: str) -> None:
    assert get(house, NAME, query=f"?{name}={quote(text)}").status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("service=linkedDomain", 200),
        ("serviceType=LinkedDomain", 200),
        ("relativeRef=my%2520path%2Ffile", 200),
        ("relativeRef=my+path%2Ffile", 400),
        ("relativeRef=file%23section", 400),
        ("relativeRef=dir%2Fwith%3Fquery%3Dvalue", 400),
        ("versionTime=2025-10-07T14:30:00Z", 200),
        ("versionTime=2025-10-07+12:30:45", 400),
        ("versionTime=2025/10/07T12:30:45", 400),
        ("versionTime=2025-13-07T12:30:45Z", 400),
        ("versionTime=2025-10-32T12:30:45Z", 400),
        ("versionTime=2025-10-07T25:00:00Z", 400),
        ("versionTime=2025-10-07T12:30:60Z", 400),
        ("versionTime=2025-10-07T12:30:45%2B24:00", 400),
        ("versionTime=2025-10-07", 400),
        ("versionTime=T12:30:45", 400),
        ("versionTime=2025-10-07T00:00:00%2B02:00", 400),
        ("versionTime=2025-10-07T00:00:00", 400),
        ("versionTime=2025-10-07T00:00:00.123Z", 400),
        ("versionId=1", 404),
        ("versionId=", 400),
        ("versionId=1&versionTime=2025-10-07T14:30:00Z", 400),
        ("versionId=1&versionId=2", 400),
        ("hl=zQm", 501),
        ("anything=1", 501),
        ("expandRelativeUrls=true", 200),
        ("expandRelativeUrls=yes", 400),
        ("accept=application/did", 200),
        ("accept=%F0%9F%94%A5", 400),
        ("&".join(f"p{n}=1" for n in range(40)), 400),
    ],
)
def test_options_are_read_strictly(house: House, query: str, status: int) -> None:
    assert get(house, quote(NAME, safe=""), query=f"?{query}").status == status


# --- dereferencing -------------------------------------------------------------------------------


def test_a_fragment_leads_to_the_verification_method(house: House) -> None:
    url = f"{NAME}#{NAME[8:]}"
    method = expand(NAME)["verificationMethod"][0]
    for accept in (RESOURCE, "*/*", RESOLUTION):
        reply = get(house, quote(url, safe=""), accept)
        assert (reply.status, reply.headers["content-type"]) == (200, RESOURCE)
        found = reply.json
        assert found["dereferencingMetadata"] == {"contentType": "application/did"}
        assert found["contentMetadata"] == {}
        assert found["contentStream"] == {"@context": expand(NAME)["@context"]} | method
    mixed = get(house, url.replace("#", "%23"), "application/json")
    assert mixed.json == found["contentStream"]
    assert "dereferencingMetadata" not in mixed.json


def test_a_whole_did_is_dereferenced_to_its_document(house: House) -> None:
    found = get(house, NAME, RESOURCE)
    assert found.status == 200
    assert found.json["contentStream"] == expand(NAME)


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        (f"{NAME}#nothing", 404, "NOT_FOUND"),
        (f"{NAME}/path", 404, "NOT_FOUND"),
        (f"{NAME}?custom=1", 404, "NOT_FOUND"),
        (f"{NAME}?versionId=1", 404, "NOT_FOUND"),
        (f"{NAME}?service=files", 404, "NOT_FOUND"),
        (f"{NAME}?versionTime=now", 400, "INVALID_OPTIONS"),
        (f"{NAME}#a#b", 400, "INVALID_DID_URL"),
        (f"{NAME}#a b", 400, "INVALID_DID_URL"),
        ("not-a-did", 400, "INVALID_DID_URL"),
        ("did:unsupported:1#x", 501, "METHOD_NOT_SUPPORTED"),
    ],
)
def test_a_did_url_that_leads_nowhere_says_why(
    house: House, asked: str, status: int, told: str
) -> None:
    reply = get(house, quote(asked, safe=""), RESOURCE)
    assert (reply.status, kind(reply)) == (status, told)


def test_a_verification_method_must_be_listed_for_what_is_asked(house: House) -> None:
    asked = quote(f"{NAME}#{NAME[8:]}", safe="")
    fits = get(house, asked, RESOURCE, "?verificationRelationship=assertionMethod")
    assert fits.json["contentStream"]["id"] == f"{NAME}#{NAME[8:]}"
    other = get(house, asked, RESOURCE, "?verificationRelationship=keyAgreement")
    assert other.status == 500  # as any other error (12.1)
    assert kind(other).endswith("#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD")
    none = get(house, NAME, RESOURCE, "?verificationRelationship=assertionMethod")
    assert kind(none).endswith("#INVALID_VERIFICATION_METHOD")
    wrong = get(house, asked, RESOURCE, "?verificationRelationship=signing")
    assert (wrong.status, kind(wrong)) == (400, "INVALID_OPTIONS")


@pytest.mark.parametrize("accept", [RESOURCE, "text/uri-list"])
@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("service=files", "https://files.acme.example/a/b"),
        ("serviceType=Files", "https://files.acme.example/a/b"),
        ("service=files&relativeRef=c", "https://files.acme.example/a/c"),
        ("service=files&relativeRef=/resume.pdf", "https://files.acme.example/resume.pdf"),
        (
            "service=files&relativeRef=%2Fmyresume%2Fdoc%3Fversion%3Dlatest#intro",
            "https://files.acme.example/myresume/doc?version=latest#intro",
        ),
    ],
)
def test_a_service_is_answered_with_its_address(
    home: House, elsewhere: Site, accept: str, query: str, location: str
) -> None:
    publish(elsewhere, document(WEB, [Listed(KEY)], services=SERVICES))
    reply = get(home, quote(f"{WEB}?{query}", safe=""), accept)
    assert (reply.status, reply.body) == (303, b"")
    assert reply.headers["location"] == location
    assert reply.headers["content-type"].startswith("text/uri-list")


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("service=none", 404, "NOT_FOUND"),
        ("service=more", 404, "NOT_FOUND"),
        ("service=files&serviceType=More", 404, "NOT_FOUND"),
        ("service=files&relativeRef=%2F%2Fevil.example%2F", 400, "INVALID_OPTIONS"),
        ("service=files&relativeRef=https:%2F%2Fevil.example", 400, "INVALID_OPTIONS"),
        ("service=files&relativeRef=javascript:alert(1)", 400, "INVALID_OPTIONS"),
    ],
)
def test_a_service_with_no_address_is_not_led_to(
    home: House, elsewhere: Site, query: str, status: int, told: str
) -> None:
    publish(elsewhere, document(WEB, [Listed(KEY)], services=SERVICES))
    reply = get(home, quote(f"{WEB}?{query}", safe=""), RESOURCE)
    assert (reply.status, kind(reply)) == (status, told)


def test_a_service_that_runs_in_the_reader_is_not_led_to(home: House, elsewhere: Site) -> None:
    bad = [{"id": "#x", "type": "X", "serviceEndpoint": "javascript:alert(1)"}]
    publish(elsewhere, document(WEB, [Listed(KEY)], services=bad))
    assert get(home, quote(f"{WEB}?service=x", safe=""), RESOURCE).status == 404


def test_the_document_may_be_had_with_the_services_asked_for(home: House, elsewhere: Site) -> None:
    publish(elsewhere, document(WEB, [Listed(KEY)], services=SERVICES))
    for query, count in (("service=files", 1), ("serviceType=Files", 2), ("service=none", 0)):
        reply = get(home, WEB, RESOLUTION, f"?{query}")
        assert reply.status == 200
        assert len(reply.json["didDocument"]["service"]) == count


# --- did:web -------------------------------------------------------------------------------------


def test_the_documents_of_this_home_are_served_and_resolved(home: House) -> None:
    names = {
        "organization": home.home.settings.organization,
        "human": home.home.subject("ana").did,
        "agent": home.bot.did,
    }
    assert names["organization"] == "did:web:home.acme.example"
    for name in names.values():
        rest = name.removeprefix("did:web:home.acme.example").replace(":", "/")
        served = home.call("GET", f"{rest}/did.json" if rest else "/.well-known/did.json")
        assert (served.status, served.headers["content-type"]) == (200, "application/did+json")
        assert served.json["id"] == name
        assert get(home, name, "application/did+json").json == served.json


@pytest.mark.parametrize("path", ["/people/nobody/did.json", "/did.json", "/agents/did.json"])
def test_no_document_lies_where_nobody_has_one(home: House, path: str) -> None:
    assert home.call("GET", path).status == 404


def test_a_home_without_did_webs_serves_no_document(house: House) -> None:
    assert house.call("GET", "/.well-known/did.json").status == 404


def test_a_did_of_this_home_that_it_does_not_list_is_not_there(home: House) -> None:
    reply = get(home, "did:web:home.acme.example:people:nobody")
    assert (reply.status, kind(reply)) == (404, "NOT_FOUND")


def test_a_did_web_of_an_allowed_host_is_fetched(home: House, elsewhere: Site) -> None:
    made = document(WEB, [Listed(KEY)])
    publish(elsewhere, made)
    assert get(home, WEB).json["didDocument"] == made
    assert "GET /agents/else/did.json HTTP/1.1" in elsewhere.requests[-1]
    fragment = get(home, quote(f"{WEB}#{KEY.multikey}", safe=""), "application/json")
    assert fragment.json["publicKeyMultibase"] == KEY.multikey


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "did:web:acme.example"}, "INVALID_DID_DOCUMENT"),
        ({"id": None}, "INVALID_DID_DOCUMENT"),
        ({"verificationMethod": {}}, "INVALID_DID_DOCUMENT"),
        ({"assertionMethod": [1]}, "INVALID_DID_DOCUMENT"),
        ({"controller": "ana"}, "INVALID_DID_DOCUMENT"),
    ],
)
def test_a_document_that_is_not_the_dids_own_is_no_answer(
    home: House, elsewhere: Site, change: JsonObject, told: str
) -> None:
    publish(elsewhere, document(WEB, [Listed(KEY)]) | change)
    reply = get(home, WEB)
    assert (reply.status, kind(reply)) == (500, told)


def test_json_ld_must_have_its_context(home: House, elsewhere: Site) -> None:
    bare = document(WEB, [Listed(KEY)])
    del bare["@context"]
    publish(elsewhere, bare)
    assert get(home, WEB).status == 200
    publish(elsewhere, bare, "application/did+ld+json")
    assert kind(get(home, WEB)) == "INVALID_DID_DOCUMENT"


def test_no_json_is_no_document(home: House, elsewhere: Site) -> None:
    for body in (b"", b"{", b"[]", b'{"id":1,"id":2}', b"\xff", b"[" * 1000):
        elsewhere.answer = says(page(body, head="Cache-Control: no-store\r\n"))
        assert kind(get(home, WEB)) == "INVALID_DID_DOCUMENT"


def test_what_is_not_there_is_not_found_and_what_fails_is_undecided(
    home: House, elsewhere: Site
) -> None:
    elsewhere.answer = says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    gone = get(home, f"did:web:{HOST}:gone")
    assert (gone.status, kind(gone)) == (404, "NOT_FOUND")
    elsewhere.answer = says(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    down = get(home, f"did:web:{HOST}:down")
    assert down.status == 503
    assert kind(down).endswith("/fetch-failed")
    other = get(home, "did:web:not-allowed.example")
    assert other.status == 403
    assert kind(other).endswith("/fetch-refused")


@pytest.mark.parametrize("name", [f"did:web:{HOST}%3A8443", "did:web:localhost"])
def test_an_address_that_is_never_fetched_is_refused(home: House, name: str) -> None:
    for asked in (name, quote(name, safe="")):
        reply = get(home, asked)
        assert reply.status == 403
        assert kind(reply).endswith("/fetch-refused")


def test_a_did_web_has_no_versions(home: House, elsewhere: Site) -> None:
    publish(elsewhere, document(WEB, [Listed(KEY)]))
    reply = get(home, WEB, query="?versionTime=2025-10-07T14:30:00Z")
    assert (reply.status, kind(reply)) == (501, "FEATURE_NOT_SUPPORTED")


def test_relative_urls_are_expanded_when_asked(home: House, elsewhere: Site) -> None:
    made = document(WEB, [Listed(KEY)], services=SERVICES)
    made["service"] = SERVICES
    made["assertionMethod"] = [f"#{KEY.multikey}"]
    publish(elsewhere, made)
    assert get(home, WEB).json["didDocument"] == made
    full = get(home, WEB, query="?expandRelativeUrls=true").json["didDocument"]
    assert full["service"][0]["id"] == f"{WEB}#files"
    assert full["assertionMethod"] == [f"{WEB}#{KEY.multikey}"]


def test_slow_hosts_hold_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Site, home: House
) -> None:
    monkeypatch.setattr(identifiers, "WAITING", 20)
    over = threading.Event()
    dids = Dids(elsewhere.fetcher(seconds=1.5), home.home)

    def waiting(_line: object, _request: str) -> None:
        over.wait(20)

    elsewhere.answer = waiting
    with running(build(tmp_path), dids=dids) as other, ThreadPoolExecutor(40) as pool:
        names = [f"did:web:{HOST}:slow-{n}" for n in range(40)]
        replies = [pool.submit(get, other, name) for name in names]
        time.sleep(0.3)
        for path in ("/health", f"/1.0/identifiers/{NAME}"):
            assert other.call("GET", path).status == 200
        assert not all(reply.done() for reply in replies)  # so none of them was waited for
        statuses = [reply.result().status for reply in replies]
        over.set()
    assert sorted(statuses) == [429] * 20 + [503] * 20


# --- the form before there were error objects ----------------------------------------------------


def old(house: House, asked: str, query: str = "") -> JsonObject:
    reply = get(house, quote(asked, safe=""), LEGACY, query)
    assert reply.headers["content-type"] == LEGACY
    assert reply.json.keys() >= {
        "@context",
        "didDocument",
        "didDocumentMetadata",
        "didResolutionMetadata",
    }
    return dict(reply.json) | {"status": reply.status}


@pytest.mark.parametrize(
    ("asked", "query", "word"),
    [
        (NAME.replace("did:", "notDid"), "", "invalidDid"),
        (NAME.replace(":key:", ":notKey:"), "", "invalidDid"),
        (f"did:key:-4:{NAME[8:]}", "", "invalidId"),
        (f"did:key:{NAME[9:]}", "", "invalidId"),
        ("did:key:@", "", "invalidDid"),
        ("did:key:z" + "2" * 88, "", "invalidPublicKeyLength"),
        ("did:key:z6Mk" + "1" * 20, "", "invalidPublicKeyLength"),
        (f"did:key:z{b58_encode(WEAK)}", "", "invalidPublicKey"),
        (f"did:key:z{b58_encode(OFF_CURVE)}", "", "invalidPublicKey"),
        ("did:key:z0OIl", "", "invalidId"),
        (NAME, "?publicKeyFormat=unknown", "unsupportedPublicKeyType"),
        (
            NAME,
            "?publicKeyFormat=newFormat&enableExperimentalPublicKeyTypes=false",
            "invalidPublicKeyType",
        ),
        (
            f"{NAME}#{NAME[8:]}",
            "?publicKeyFormat=newFormat&enableExperimentalPublicKeyTypes=false",
            "invalidPublicKeyType",
        ),
        (P256, "?publicKeyFormat=Ed25519VerificationKey2020", "invalidPublicKeyType"),
        ("did:example:1", "", "methodNotSupported"),
    ],
)
def test_old_clients_are_told_one_word(house: House, asked: str, query: str, word: str) -> None:
    told = old(house, asked, query)
    assert told["status"] >= 400
    assert told["didDocument"] is None
    assert told["didResolutionMetadata"]["error"] == word


def test_old_clients_get_errors_of_urls_and_their_parts(house: House) -> None:
    bad = old(house, f"{NAME}/?query=true#{NAME[8:]}")
    assert bad["didDereferencingMetadata"]["error"] == "invalidDidUrl"
    part = old(house, f"{NAME}#{NAME[8:]}")
    assert part["status"] == 200
    assert part["didDocument"]["controller"] == NAME
    assert "didDereferencingMetadata" in part
    assert old(house, NAME)["didDocument"] == expand(NAME)


@pytest.mark.parametrize(
    ("form", "kinds", "member"),
    [
        ("Multikey", ["Multikey", "Multikey"], "publicKeyMultibase"),
        ("JsonWebKey", ["JsonWebKey", "JsonWebKey"], "publicKeyJwk"),
        ("JsonWebKey2020", ["JsonWebKey2020", "JsonWebKey2020"], "publicKeyJwk"),
        (
            "Ed25519VerificationKey2020",
            ["Ed25519VerificationKey2020", "X25519KeyAgreementKey2020"],
            "publicKeyMultibase",
        ),
    ],
)
def test_a_did_key_comes_in_the_format_asked_for(
    house: House, form: str, kinds: list[str], member: str
) -> None:
    found = get(house, NAME, query=f"?publicKeyFormat={form}").json["didDocument"]
    assert [one["type"] for one in found["verificationMethod"]] == kinds
    assert all(member in one for one in found["verificationMethod"])
    assert found["id"] == NAME
    query = f"?publicKeyFormat={form}&enableEncryptionKeyDerivation=false"
    fewer = get(house, NAME, query=query).json["didDocument"]
    assert [one["type"] for one in fewer["verificationMethod"]] == kinds[:1]
    assert "keyAgreement" not in fewer


# --- Accept --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", RESOLUTION),
        ("*/*", RESOLUTION),
        ("application/did+json", "application/did+json"),
        ("Application/DID+JSON", "application/did+json"),
        ("text/html, application/did+json;q=0.5, */*;q=0.1", "application/did+json"),
        ("application/did+json;q=0.4, application/did-resolution;q=0.5", RESOLUTION),
        ("application/did-resolution;q=0, */*", RESOURCE),
        ("application/*;q=0.2, text/uri-list;q=0.3", "text/uri-list"),
        ("application/ld+json", "application/ld+json"),
        ("application/ld+json, application/json", "application/json"),
        (LEGACY, LEGACY),
        ("application/ld+json; profile=https://w3id.org/did-resolution", LEGACY),
        ('application/did+json;q=0.9;x="a,b", text/html', "application/did+json"),
        ("application/json;q=x, application/did", "application/did"),
    ],
)
def test_the_type_most_wanted_is_chosen(accept: str, media: str) -> None:
    assert negotiate(accept) == media


@pytest.mark.parametrize(
    "accept", ["text/html", "*/*;q=0", "application/did+json;q=2", ",", "application/did-cbor"]
)
def test_no_type_is_made_up(accept: str) -> None:
    assert refusal(lambda: negotiate(accept)) == "did-representation"


@given(st.text(max_size=200))
def test_any_accept_is_a_type_or_a_refusal(accept: str) -> None:
    try:
        assert negotiate(accept) in OFFERED
    except Error as exc:
        assert exc.code in ("did-representation", "did-options")


# --- anything ------------------------------------------------------------------------------------

ALPHABET = "did:keywbz6Mk#?/%&=.-_~é🔥\x00 \"';23FA"
ASKED = st.one_of(
    st.text(ALPHABET, max_size=60),
    st.builds("{}{}".format, st.sampled_from([NAME, WEB, JWK]), st.text(ALPHABET, max_size=30)),
)
STATUSES = {200, 303, 400, 403, 404, 406, 500, 501}


@given(
    ASKED,
    st.text(ALPHABET, max_size=30),
    st.one_of(
        st.sampled_from(["", *OFFERED]), st.text('*/;q=,.0159applicationd+json"', max_size=40)
    ),
)
def test_whatever_is_asked_is_answered_in_one_of_the_known_ways(
    asked: str, query: str, accept: str
) -> None:
    app = FastAPI()
    identifiers.add(app, Dids(Fetcher()))
    with TestClient(app) as client:
        url = f"/1.0/identifiers/{quote(asked)}?{quote(query, safe='&=')}"
        reply = client.get(url, headers={"accept": accept}, follow_redirects=False)
    assert reply.status_code in STATUSES
    if reply.status_code == 500:  # only what section 12.1 gives that status
        assert "RELATIONSHIP" in reply.text or "VERIFICATION_METHOD" in reply.text
    if reply.status_code >= 400:
        assert reply.json().get("didDocument") is None
        assert reply.json().get("contentStream") is None
