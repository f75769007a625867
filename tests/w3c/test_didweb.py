"""did:web: DIDs and addresses, and documents of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials.did import Did
from delegant.w3c.dids import RELATIONSHIPS, checked, key_for
from delegant.w3c.didweb import Listed, document, from_url, host_of, path_of, to_url
from delegant.w3c.keys import new_signer
from refusal import refusal

ADDRESSES = [
    ("did:web:acme.example", "https://acme.example/.well-known/did.json"),
    ("did:web:acme.example:people:ana", "https://acme.example/people/ana/did.json"),
    ("did:web:acme.example%3A8443", "https://acme.example:8443/.well-known/did.json"),
    ("did:web:acme.example%3A8443:a:b-c.d_e", "https://acme.example:8443/a/b-c.d_e/did.json"),
    ("did:web:xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/did.json"),
    ("did:web:localhost%3A8000", "https://localhost:8000/.well-known/did.json"),
]


@pytest.mark.parametrize(("name", "url"), ADDRESSES)
def test_a_did_names_the_address_of_its_document_and_back(name: str, url: str) -> None:
    assert to_url(Did(name)) == url
    assert from_url(url) == name


def test_an_address_without_the_file_names_the_same_did() -> None:
    assert from_url("https://acme.example") == "did:web:acme.example"
    assert from_url("https://acme.example/") == "did:web:acme.example"
    assert from_url("https://acme.example:8443/people/ana/") == (
        "did:web:acme.example%3A8443:people:ana"
    )


REFUSED = [
    "did:key:z6Mk",
    "did:web:ACME.example",
    "did:web:127.0.0.1",
    "did:web:127.1",
    "did:web:2130706433",
    "did:web:0x7f.0x1",
    "did:web:acme.example.",
    "did:web:-acme.example",
    "did:web:acme..example",
    "did:web:acme_x.example",
    "did:web:acme.example%3A",
    "did:web:acme.example%3A0",
    "did:web:acme.example%3A65536",
    "did:web:acme.example%3A443",
    "did:web:acme.example%3A8a",
    "did:web:acme.example%3A443%3A443",
    "did:web:%5B%3A%3A1%5D",
    "did:web:user%40acme.example",
    "did:web:acme.example%2Fx",
    "did:web:acme.example:..",
    "did:web:acme.example:.",
    "did:web:acme.example:a:..:b",
    "did:web:acme.example:%2E%2E",
    "did:web:acme.example:a%2Fb",
    "did:web:acme.example:a%5Cb",
    "did:web:acme.example:a%3Fb",
    "did:web:" + "a" * 64 + ".example",
    "did:web:" + "a." * 127 + "aa",
]


@pytest.mark.parametrize("name", REFUSED)
def test_a_did_with_no_single_plain_address_is_refused(name: str) -> None:
    assert refusal(lambda: to_url(Did(name))) == "did-invalid"
    assert refusal(lambda: path_of(Did(name))) == "did-invalid"
    assert refusal(lambda: host_of(Did(name))) == "did-invalid"


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example",
        "acme.example",
        "https://acme.example%3A1",
        "https://127.0.0.1/did.json",
        "https://acme.example/a/../b",
        "https://user@acme.example/",
        "https://acme.example/a?b",
        "https://acme.example//did.json",
        "https://acme.example/did.json",
        "https://acme.example//a",
        "https://acme.example:443",
    ],
)
def test_an_address_that_is_no_plain_https_one_has_no_did(url: str) -> None:
    assert refusal(lambda: from_url(url)) == "did-invalid"


LABELS = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")
SEGMENTS = st.from_regex(r"\A[A-Za-z0-9_-]{1,8}\Z").filter(lambda text: text != "did")


@given(st.lists(LABELS, min_size=1, max_size=4), st.integers(1, 65535), st.lists(SEGMENTS))
def test_every_did_is_read_back_from_its_address(
    labels: list[str], port: int, segments: list[str]
) -> None:
    authority = ".".join(labels) + ("" if port == 443 else f"%3A{port}")
    name = checked(":".join(["did:web", authority, *segments]))
    assert from_url(to_url(name)) == name
    assert host_of(name) == (".".join(labels), port)


ACME = Did("did:web:acme.example")
ONE, TWO = new_signer().public, new_signer("P-256").public


def test_a_document_lists_each_key_for_what_it_is_for_and_no_more() -> None:
    made = document(
        ACME,
        [Listed(ONE), Listed(TWO, ("assertionMethod",))],
        services=[{"id": "#api", "type": "Api", "serviceEndpoint": "https://acme.example/api"}],
        also_known_as=["https://acme.example/"],
        controller="did:web:parent.example",
    )
    assert made["service"][0]["id"] == f"{ACME}#api"
    assert made["alsoKnownAs"] == ["https://acme.example/"]
    assert made["controller"] == "did:web:parent.example"
    for relationship in RELATIONSHIPS[:4]:
        found, _ = key_for(f"{ACME}#{ONE.multikey}", relationship, lambda _: made, at=None)
        assert found == ONE
    assert key_for(f"{ACME}#{TWO.multikey}", "assertionMethod", lambda _: made, at=None)[0] == TWO
    for url, purpose in ((TWO, "authentication"), (ONE, "keyAgreement")):
        assert (
            refusal(
                lambda url=url, purpose=purpose: key_for(
                    f"{ACME}#{url.multikey}", purpose, lambda _: made, at=None
                )
            )
            == "key-purpose"
        )


@pytest.mark.parametrize("member", ["expires", "revoked"])
def test_a_key_is_worth_nothing_from_the_instant_it_was_ended(member: str) -> None:
    ended = Listed(ONE, **{member: 1000})  # type: ignore[arg-type]
    made = document(ACME, [ended])

    def used(at: int) -> str:
        return refusal(
            lambda: key_for(f"{ACME}#{ONE.multikey}", "assertionMethod", lambda _: made, at=at)
        )

    assert used(999) == ""
    assert used(1000) == "key-retired"


def test_a_document_names_no_key_twice_and_no_unknown_purpose() -> None:
    assert refusal(lambda: document(ACME, [Listed(ONE), Listed(ONE)])) == "did-document"
    assert refusal(lambda: document(ACME, [Listed(ONE, ("signing",))])) == "did-document"
    assert refusal(lambda: document(ACME, [Listed(ONE), Listed(TWO)])) == ""
