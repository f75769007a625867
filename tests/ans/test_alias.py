"""Aliases, provider labels of domains, and look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import published
from delegant.ans.alias import AnsAlias
from delegant.ans.confusable import domain_label, skeleton
from delegant.ans.name import provider_label
from refusal import refusal

HOST_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda s: not s.startswith("xn--")
)
HOST = st.builds(
    lambda labels, last: ".".join([*labels, last]),
    st.lists(HOST_LABEL, min_size=1, max_size=4),
    HOST_LABEL.filter(lambda s: not s.isdigit()),
)
LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        "ans://v1.0.0.host.example", "ans://v0.0.0.a.b", "ans://v2.1.0.ai-agent.acmecorp.example",
        "ans://v1.0.0.a1.b", f"ans://v1.0.0.{'a' * 63}.b", "ans://v999999999.0.0.a.b",
    ],
)  # fmt: skip
def test_an_alias_reads_back(text: str) -> None:
    assert str(AnsAlias.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "ans://", "ans://v1", "ans://v1.0.0", "ans://v1.0.0.", "ans://v1.0.0.host",
        "ans://v1.0.host.example", "ans://1.0.0.host.example", "ans://V1.0.0.host.example",
        "ANS://v1.0.0.host.example", "mcp://v1.0.0.host.example", "ans://v01.0.0.host.example",
        "ans://v1.0.00.host.example", "ans://v1.0.0.0.example", "ans://v1.0.0.Host.example",
        "ans://v1.0.0.host.example.", "ans://v1.0.0.host..example", "ans://v1.0.0.-a.example",
        "ans://v1.0.0.a-.example", "ans://v1.0.0.xn--a.example", "ans://v1.0.0.host.example:443",
        "ans://v1.0.0.host.example/x", "ans://v1.0.0.a_b.example", "ans://v1.0.0.host.example\n",
        "ans://v1.0.0.hоst.example", "ans://v１.0.0.host.example", "ans://v1.0.0.a.127",
        "ans://v1000000000.0.0.a.b", f"ans://v1.0.0.{'a' * 64}.b", "ans://v1.0.0." + "a." * 130 + "b",  # noqa: E501
        None, 1, b"ans://v1.0.0.host.example",
    ],
)  # fmt: skip
def test_what_is_no_alias_is_refused(text: object) -> None:
    assert refusal(lambda: AnsAlias.parse(text)) == "ans-name"  # type: ignore[arg-type]


@given(
    st.tuples(*[st.integers(0, 999_999_999)] * 3),
    HOST.filter(lambda s: not s.split(".")[0].isdigit()),
)
def test_every_alias_reads_back(version: tuple[int, int, int], host: str) -> None:
    alias = AnsAlias(version, host)
    assert AnsAlias.parse(str(alias)) == alias


@given(st.text("ans:/v.019-xnA", max_size=30).map("ans://v1.0.0.".__add__) | st.text(max_size=40))
def test_any_text_is_an_alias_in_one_spelling_or_refused(text: str) -> None:
    if not refusal(lambda: AnsAlias.parse(text)):
        assert str(AnsAlias.parse(text)) == text


def test_no_alias_is_built_that_would_not_be_read() -> None:
    assert refusal(lambda: AnsAlias((1, 0, 0), "Host.example")) == "ans-name"
    assert refusal(lambda: AnsAlias((1, 0), "host.example")) == "ans-name"  # type: ignore[arg-type]


@published.needs_vectors
def test_the_alias_of_the_published_events_is_read() -> None:
    for version in ("v1", "v2"):
        event = published.load("ansv2", f"{version}_envelope_golden.jcs.bin")
        found = event["payload"]["producer"]["event"]["ansName"]
        assert AnsAlias.parse(found) == AnsAlias((1, 0, 0), "agent.example.com")


@pytest.mark.parametrize(
    "other",
    ["AcmeFinance", "ACMEFINANCE", "AcrneFinance", "Acme-Finance", "ACME-F1NANCE", "acmeflnance"],
)
def test_labels_that_look_alike_have_one_skeleton(other: str) -> None:
    assert skeleton(other) == skeleton("AcmeFinance")


@pytest.mark.parametrize(
    ("one", "other"),
    [("g0", "go"), ("web", "vveb"), ("data", "clata"), ("a1", "al"), ("modern", "modem")],
)
def test_pairs_that_look_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize("other", ["AcmeFinances", "AcneFinance", "AcmeFinanc", "FinanceAcme"])
def test_other_labels_keep_their_own(other: str) -> None:
    assert skeleton(other) != skeleton("AcmeFinance")


@given(LABEL)
def test_a_skeleton_is_its_own_and_knows_no_case(label: str) -> None:
    seen = skeleton(label)
    assert skeleton(seen) == seen == skeleton(label.upper()) == skeleton(label.lower())


@pytest.mark.parametrize("label", ["Аcme", "a.b", "a\n", "a" * 254, None, 7])
def test_only_what_labels_are_made_of_has_a_skeleton(label: object) -> None:
    assert refusal(lambda: skeleton(label)) == "ans-name"  # type: ignore[arg-type]


def test_a_domain_proves_one_label() -> None:
    assert domain_label("did:web:datacorp.example") == "datacorp-example"
    assert domain_label("did:web:data-corp.example") == "data--corp-example"
    assert domain_label("did:web:data.corp.example") == "data-corp-example"


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk", "did:web:", "did:web:localhost", "did:web:a.example%3A8080",
        "did:web:a.example:agents", "did:web:xn--a.example", "did:web:A.example", "did:web:127.0.0.1",  # noqa: E501
        "did:web:a.example.", "did:web:a..example", "did:web:xn-a.b", "did:webvh:x:a.example", None,
        f"did:web:{'a' * 60}.example", f"did:web:{'-'.join('a' * 30)}.example",
    ],
)  # fmt: skip
def test_what_proves_no_label_is_refused(did: object) -> None:
    assert refusal(lambda: domain_label(did)) == "ans-name"  # type: ignore[arg-type]


@given(HOST, HOST)
def test_no_two_domains_prove_one_label(one: str, other: str) -> None:
    labels = []
    for domain in (one, other):
        if refusal(lambda domain=domain: domain_label(f"did:web:{domain}")):
            return
        labels.append(domain_label(f"did:web:{domain}"))
        assert provider_label(labels[-1]) == labels[-1]
        undone = labels[-1].replace("--", "_").replace("-", ".").replace("_", "-")
        assert undone == domain
    assert (labels[0] == labels[1]) == (one == other)
