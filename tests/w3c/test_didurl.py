"""DID URLs, their parameters, and what they lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.w3c.dids import from_key
from delegant.w3c.didurl import DidUrl, Options, absolute
from delegant.w3c.keys import signer
from delegant.w3c.resolution import Resolution, Resource, dereference, expand_urls, local, status_of
from refusal import refusal

NAME = "did:example:123"


@pytest.mark.parametrize(
    ("text", "path", "query", "fragment"),
    [
        (NAME, "", None, None),
        (f"{NAME}#key-1", "", None, "key-1"),
        (f"{NAME}?service=files", "", "service=files", None),
        (f"{NAME}/a/b%20c?x=1#f/?", "/a/b%20c", "x=1", "f/?"),
        (f"{NAME}/", "/", None, None),
        (f"{NAME}?", "", "", None),
        (f"{NAME}#", "", None, ""),
        ("did:web:localhost%3A8443#x", "", None, "x"),
    ],
)
def test_a_did_url_comes_apart_and_together_again(
    text: str, path: str, query: str | None, fragment: str | None
) -> None:
    url = DidUrl.parse(text)
    assert (url.path, url.query, url.fragment) == (path, query, fragment)
    assert str(url) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did",
        "did:example",
        "did:example:",
        "DID:example:123",
        "did:EXAMPLE:123",
        "example:123",
        "https://acme.example",
        f" {NAME}",
        f"{NAME}\n",
        f"{NAME}#a#b",
        f"{NAME}#a b",
        f"{NAME}?a b",
        f"{NAME}/a b",
        f"{NAME}/%zz",
        f"{NAME}#%",
        f"{NAME}/ä",
        f"{NAME}[x]",
        f"{NAME}@x",
        NAME + "a" * 5000,
        f"{NAME}#" + "a" * 5000,
        None,
        1,
    ],
)
def test_what_is_no_did_url_is_refused(text: str) -> None:
    assert refusal(lambda: DidUrl.parse(text)) == "did-url"


@given(st.text(max_size=80))
def test_any_text_is_a_did_url_or_refused(text: str) -> None:
    for candidate in (text, f"{NAME}{text}"):
        try:
            assert str(DidUrl.parse(candidate)) == candidate
        except Error as exc:
            assert exc.code == "did-url"


@given(st.text("abcXYZ019-._~!$'()*,;:@/?%20=&#[] é", max_size=40), st.text(max_size=20))
def test_options_are_read_or_refused(name: str, value: str) -> None:
    for pair in ((name, value), ("service", value), ("relativeRef", value), ("versionTime", value)):
        try:
            Options.read([pair])
        except Error as exc:
            assert exc.code in ("did-options", "did-feature")


def test_parameters_stand_in_the_query_as_written() -> None:
    url = DidUrl.parse(f"{NAME}?service=files&relativeRef=%2Fa%3Fb&flag")
    assert url.parameters == [("service", "files"), ("relativeRef", "%2Fa%3Fb"), ("flag", "")]


def test_one_parameter_twice_is_refused_unless_it_says_the_same() -> None:
    same = Options.read([("versionId", "1"), ("versionId", "1")])
    assert same.version_id == "1"
    assert same.versioned
    assert refusal(lambda: Options.read([("versionId", "1"), ("versionId", "2")])) == "did-options"


def test_a_relative_url_is_taken_from_the_did_of_its_document() -> None:
    assert absolute("#a", NAME) == f"{NAME}#a"
    assert absolute("/a", NAME) == f"{NAME}/a"
    assert absolute("?a", NAME) == f"{NAME}?a"
    assert absolute("did:x:y#a", NAME) == "did:x:y#a"
    assert absolute(1, NAME) == ""


DOCUMENT: JsonObject = {
    "@context": "https://www.w3.org/ns/did/v1",
    "id": NAME,
    "verificationMethod": [{"id": "#one", "type": "Multikey", "controller": NAME}],
    "assertionMethod": ["#one", {"id": "#two", "type": "Multikey", "controller": NAME}],
    "service": [{"id": "#api", "type": "Api", "serviceEndpoint": "https://acme.example/a#b"}],
}
FOUND = Resolution(DOCUMENT, {}, {"created": "2026-01-01T00:00:00Z"})


def lead(text: str, *, uri_list: bool = False) -> Resource:
    url = DidUrl.parse(text)
    return dereference(url, FOUND, Options.read(url.parameters), uri_list=uri_list)


def test_a_whole_document_brings_its_metadata_and_a_part_none() -> None:
    assert lead(NAME).content == DOCUMENT
    assert lead(NAME).content_metadata == FOUND.document_metadata
    assert lead(f"{NAME}#one").content_metadata == {}


@pytest.mark.parametrize("fragment", ["one", "two", "api"])
def test_a_fragment_leads_to_what_the_document_defines_anywhere(fragment: str) -> None:
    content = lead(f"{NAME}#{fragment}").content
    assert isinstance(content, dict)
    assert content["id"] == f"#{fragment}"
    assert content["@context"] == DOCUMENT["@context"]


def test_an_address_with_a_fragment_takes_no_other() -> None:
    assert lead(f"{NAME}?service=api", uri_list=True).content == ["https://acme.example/a#b"]
    assert refusal(lambda: lead(f"{NAME}?service=api#x", uri_list=True)) == "did-url"
    assert refusal(lambda: lead(NAME, uri_list=True)) == "did-representation"


def test_a_deactivated_did_leads_nowhere() -> None:
    gone = Resolution(None, {}, {"deactivated": True})
    assert gone.deactivated
    assert not FOUND.deactivated
    assert refusal(lambda: dereference(DidUrl.parse(NAME), gone, Options())) == "did-deactivated"
    told = error("did-deactivated", "x")
    assert Resolution.of(told).document_metadata == {"deactivated": True}
    assert Resource.of(told).content_metadata == {"deactivated": True}
    assert status_of(told) == 410


def test_urls_are_expanded_and_nothing_else() -> None:
    full = expand_urls(DOCUMENT)
    assert full["assertionMethod"] == [
        f"{NAME}#one",
        {"id": f"{NAME}#two", "type": "Multikey", "controller": NAME},
    ]
    assert full["service"][0]["id"] == f"{NAME}#api"
    assert expand_urls(full) == full
    assert DOCUMENT["assertionMethod"][0] == "#one"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("did-invalid", 400, "https://www.w3.org/ns/did#INVALID_DID"),
        ("did-url", 400, "https://www.w3.org/ns/did#INVALID_DID_URL"),
        ("did-options", 400, "https://www.w3.org/ns/did#INVALID_OPTIONS"),
        ("did-not-found", 404, "https://www.w3.org/ns/did#NOT_FOUND"),
        ("did-representation", 406, "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED"),
        ("did-document", 500, "https://www.w3.org/ns/did#INVALID_DID_DOCUMENT"),
        ("did-method", 501, "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED"),
        ("did-feature", 501, "https://www.w3.org/ns/did#FEATURE_NOT_SUPPORTED"),
        ("unavailable", 500, "https://www.w3.org/ns/did#INTERNAL_ERROR"),
        ("key-not-found", 500, "https://w3id.org/security#INVALID_VERIFICATION_METHOD"),
        ("fetch-failed", 503, "https://delegant.example/problems/fetch-failed"),
        ("fetch-refused", 403, "https://delegant.example/problems/fetch-refused"),
    ],
)
def test_every_error_has_its_type_and_its_status(code: str, status: int, kind: str) -> None:
    told = error(code, "why")
    assert status_of(told) == status
    result = Resolution.of(told).json
    assert result["didDocument"] is None
    assert result["didDocumentMetadata"] == {}
    assert result["didResolutionMetadata"]["error"]["type"] == kind
    assert result["didResolutionMetadata"]["error"]["detail"] == "why"
    resource = Resource.of(told).json
    assert resource["contentStream"] is None
    assert resource["contentMetadata"] == {}
    assert resource["dereferencingMetadata"]["error"]["type"] == kind


def test_what_follows_from_itself_has_one_version_for_ever() -> None:
    name = from_key(signer("Ed25519", bytes(32)).public)
    assert local(name, Options(version_time=0)) == local(name)
    assert refusal(lambda: local(name, Options(version_id="1"))) == "did-not-found"
    assert refusal(lambda: local("did:web:acme.example")) == "did-method"
