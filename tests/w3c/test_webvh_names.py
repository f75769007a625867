"""did:webvh: the identifier, where it is published, its services and its did:web twin."""

from __future__ import annotations

import pytest

from delegant.w3c import webvh
from refusal import refusal
from w3c.webvh_logs import created, entries, resolved

SCID = "QmfG1Dx5wj8zxVVkdTcD81teRgV5DLuQcUvzizd75x8Zxd"


@pytest.mark.parametrize(
    ("place", "log", "files"),
    [
        ("example.com", "https://example.com/.well-known/did.jsonl", "https://example.com/"),
        (
            "issuer.example.com",
            "https://issuer.example.com/.well-known/did.jsonl",
            "https://issuer.example.com/",
        ),
        (
            "example.com:dids:issuer",
            "https://example.com/dids/issuer/did.jsonl",
            "https://example.com/dids/issuer/",
        ),
        (
            "example.com%3A3000:dids:issuer",
            "https://example.com:3000/dids/issuer/did.jsonl",
            "https://example.com:3000/dids/issuer/",
        ),
        (
            "example.com%3A3000",
            "https://example.com:3000/.well-known/did.jsonl",
            "https://example.com:3000/",
        ),
        (
            "xn--jp-cd2fp15c.xn--fsq.jp:%E7%94%A8%E6%88%B7",
            "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.jsonl",
            "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/",
        ),
        ("EXAMPLE.com", "https://example.com/.well-known/did.jsonl", "https://example.com/"),
        ("1.example", "https://1.example/.well-known/did.jsonl", "https://1.example/"),
    ],
)
def test_a_did_is_published_at_one_address(place: str, log: str, files: str) -> None:
    found = webvh.urls(f"did:webvh:{SCID}:{place}")
    assert found.log == log
    assert found.witness == log.replace("did.jsonl", "did-witness.json")
    assert found.web == log.replace("did.jsonl", "did.json")
    assert (found.files, found.whois) == (files, f"{files}whois.vp")


@pytest.mark.parametrize(
    "name",
    [
        f"did:webvh:{SCID}:127.0.0.1",
        f"did:webvh:{SCID}:127%2E0%2E0%2E1",
        f"did:webvh:{SCID}:127.0.0.1%3A8080",
        f"did:webvh:{SCID}:127.0.0.1%3a8080",
        f"did:webvh:{SCID}:example.com%3a8080",
        f"did:webvh:{SCID}:127.0.0.1#x",
        f"did:webvh:{SCID}:example.com#x",
        f"did:webvh:{SCID}:example.com?x=y",
        f"did:webvh:{SCID}:example.com/x",
        f"did:webvh:{SCID}:example.com:..:..:admin",
        f"did:webvh:{SCID}:example.com:.:admin",
        f"did:webvh:{SCID}:example.com:...:admin",
        f"did:webvh:{SCID}:example.com:%2E%2E:admin",
        f"did:webvh:{SCID}:example.com:%2e%2e:admin",
        f"did:webvh:{SCID}:example.com:.%2E:admin",
        f"did:webvh:{SCID}:example.com:a%2Fb",
        f"did:webvh:{SCID}:example.com:a%5Cb",
        f"did:webvh:{SCID}:example.com:a%00",
        f"did:webvh:{SCID}:example.com:a%0D%0Ab",
        f"did:webvh:{SCID}:example.com:a%3Fb",
        f"did:webvh:{SCID}:example.com:a%23b",
        f"did:webvh:{SCID}:example.com:a%25b",
        f"did:webvh:{SCID}:example.com:%FF",
        f"did:webvh:{SCID}:example.com:%41",
        f"did:webvh:{SCID}:example.com::a",
        f"did:webvh:{SCID}:example.com:",
        f"did:webvh:{SCID}:example.com%3A",
        f"did:webvh:{SCID}:example.com%3A0",
        f"did:webvh:{SCID}:example.com%3A080",
        f"did:webvh:{SCID}:example.com%3A65536",
        f"did:webvh:{SCID}:example.com%3A80%3A80",
        f"did:webvh:{SCID}:user%40example.com",
        f"did:webvh:{SCID}:localhost",
        f"did:webvh:{SCID}:2130706433",
        f"did:webvh:{SCID}:0x7f.1",
        f"did:webvh:{SCID}:example.0",
        f"did:webvh:{SCID}:example..com",
        f"did:webvh:{SCID}:example.com.",
        f"did:webvh:{SCID}:-example.com",
        f"did:webvh:{SCID}:exa_mple.com",
        f"did:webvh:{SCID}:{'a' * 64}.com",
        f"did:webvh:{SCID}:{'a.' * 130}com",
        f"did:webvh:{SCID}:例.jp",
        f"did:webvh:{SCID}",
        f"did:webvh:{SCID}:",
        "did:webvh:Qm0000000000000000000000000000000000000000000000:example.com",
        "did:webvh:{SCID}:example.com",
        "did:webvh:example.com",
        f"did:webvh:{SCID[:-1]}:example.com",
        f"did:webvh:{SCID}1:example.com",
        f"did:webvh:z{SCID[1:]}:example.com",
        f"did:webvh:Qm{'z' * 44}:example.com",
        f"did:webvh:{SCID}:example.com\n",
        f" did:webvh:{SCID}:example.com",
        f"did:WEBVH:{SCID}:example.com",
        f"did:web:{SCID}:example.com",
        "",
        None,
        7,
    ],
)
def test_what_is_no_did_is_refused_before_anything_is_read(name: str) -> None:
    assert refusal(lambda: webvh.urls(name)) == "did-invalid"
    assert refusal(lambda: resolved(name, b"\x00 never looked at")) == "did-invalid"


def test_what_is_no_place_is_not_created() -> None:
    for host, path in (("127.0.0.1", ()), ("example.com", ("..",)), ("example.com", ("a:..",))):
        assert refusal(lambda: webvh.create(host, path, None, {}, at=0)) == "did-invalid"  # type: ignore[arg-type]  # noqa: B023


def test_services_that_are_not_said_are_there() -> None:
    did, log = created()
    found = resolved(did, log).document
    assert found is not None
    files, whois = found["service"]
    assert files == {
        "id": f"{did}#files",
        "type": "relativeRef",
        "serviceEndpoint": "https://example.com/ana/",
    }
    assert whois["id"] == f"{did}#whois"
    assert whois["serviceEndpoint"] == "https://example.com/ana/whois.vp"
    assert whois["type"] == "LinkedVerifiablePresentation"
    plain = resolved(did, log, services=False).document
    assert plain is not None
    assert "service" not in plain


@pytest.mark.parametrize("identifier", ["#files", "{DID}#files"])
def test_a_service_of_ones_own_takes_the_place_of_the_implicit_one(identifier: str) -> None:
    own = {"id": identifier, "type": "relativeRef", "serviceEndpoint": "https://files.example/"}
    did, log = created(document={"service": [own]})
    found = resolved(did, log).document
    assert found is not None
    assert [item["serviceEndpoint"] for item in found["service"]] == [
        "https://files.example/",
        "https://example.com/ana/whois.vp",
    ]


def test_services_of_ones_own_stand_first_and_as_they_were_signed() -> None:
    api = {"type": "Api", "serviceEndpoint": "https://a.example"}
    own = [{"id": "#b", **api}, {"id": "{DID}#a", **api}]
    did, log = created(document={"service": own})
    found = resolved(did, log).document
    assert found is not None
    names = [item["id"] for item in found["service"]]
    assert names == ["#b", f"{did}#a", f"{did}#files", f"{did}#whois"]
    assert found["service"][:2] == entries(log)[0]["state"]["service"]


def test_services_that_are_no_list_are_refused() -> None:
    did, log = created(document={"service": {}})
    assert refusal(lambda: resolved(did, log)) == "did-document"


def test_the_did_web_twin_names_the_did_it_comes_from() -> None:
    template = {
        "controller": "{DID}",
        "authentication": ["{DID}#k"],
        "alsoKnownAs": ["did:web:example.com:ana", "https://ana.example/"],
    }
    did, log = created(document=template)
    document = resolved(did, log).document
    assert document is not None
    web = webvh.did_web(document)
    assert web["id"] == web["controller"] == "did:web:example.com:ana"
    assert web["authentication"] == ["did:web:example.com:ana#k"]
    assert web["alsoKnownAs"] == ["https://ana.example/", did]
    assert [item["id"] for item in web["service"]] == [
        "did:web:example.com:ana#files",
        "did:web:example.com:ana#whois",
    ]
    assert webvh.read(did).web == "did:web:example.com:ana"
    assert refusal(lambda: webvh.did_web({**document, "alsoKnownAs": "x"})) == "did-document"
