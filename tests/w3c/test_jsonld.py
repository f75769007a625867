"""Every term has a meaning and every value is signed, or the document is refused."""

from __future__ import annotations

import copy
import importlib
import json
import sys
import threading
import time
import warnings
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.credentials.envelope import V2_CONTEXT
from delegant.w3c import contexts, jsonld, rdf
from refusal import refusal

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
EX = {"@vocab": "https://example.org/terms#"}


def credential(**changes: Any) -> dict[str, Any]:
    """A plain credential, and something changed about it; None takes a member away."""
    made: dict[str, Any] = {
        "@context": [V2_CONTEXT],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:example:issuer", "name": "Issuer"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject", "name": "Subject"},
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def terms(*defined: Any) -> list[Any]:
    """The v2 context, and more."""
    return [V2_CONTEXT, *defined]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (credential(), ""),
        # terms
        (credential(undefinedTerm="x"), "undefined-term"),
        (credential(**{"@context": terms({"undefinedTerm": "urn:x:t"}), "undefinedTerm": "x"}), ""),
        (credential(**{"@context": terms(EX), "undefinedTerm": "x"}), ""),
        (credential(**{"@context": terms(EXAMPLES), "undefinedTerm": "x"}), ""),
        (credential(**{"@context": terms({"t": None}), "t": "x"}), "undefined-term"),
        (credential(**{"urn:x:absolute": "x"}), ""),
        (credential(**{"_:blank": "x"}), "undefined-term"),
        (credential(**{"a b:c": "x"}), "undefined-term"),
        (credential(**{"": "x"}), "undefined-term"),
        (credential(credentialSubject={"id": "urn:x:s", "undefinedTerm": 1}), "undefined-term"),
        (credential(credentialSubject=[{"name": "a"}, {"nam": "b"}]), "undefined-term"),
        (credential(credentialSubject=[{"name": "a"}, {"name": "b"}]), ""),
        (credential(issuer={"id": "urn:x:i", "undefinedTerm": {}}), "undefined-term"),
        # words like keywords
        (credential(**{"@foo": "x"}), "undefined-term"),
        (credential(credentialSubject={"id": "urn:x:s", "@bar": "x"}), "undefined-term"),
        (credential(**{"@context": terms({"@foo": "urn:x:t"})}), "undefined-term"),
        (credential(**{"@context": terms({"t": "@foo"}), "t": "x"}), "undefined-term"),
        (credential(**{"@context": terms({"t": {"@id": "@foo"}}), "t": "x"}), "undefined-term"),
        # types
        (credential(type=["VerifiableCredential", "UndefinedType"]), "undefined-term"),
        (credential(type=["VerifiableCredential", "https://example.org/T"]), ""),
        (credential(**{"@context": terms({"T": "urn:x:T"}), "type": ["VerifiableCredential", "T"]}),
         ""),
        (credential(**{"@context": terms({"T": "relative"}),
                       "type": ["VerifiableCredential", "T"]}), "json-ld"),
        (credential(credentialSubject={"type": "Undefined"}), "undefined-term"),
        (credential(type=None), "undefined-term"),  # its type defines most of its terms
        ({"@context": V2_CONTEXT, "id": "urn:x:s", "type": 7}, "json-ld"),
        ({"@context": V2_CONTEXT, "id": "urn:x:s", "type": [None]}, "json-ld"),
        ({"@context": V2_CONTEXT, "id": "urn:x:s", "type": "urn:x:T"}, ""),
        # ids
        (credential(id="relative"), "undefined-term"),
        (credential(id="../up"), "undefined-term"),
        (credential(id="//host/path"), "undefined-term"),
        (credential(id="?query"), "undefined-term"),
        (credential(id="#fragment"), "undefined-term"),
        (credential(id=""), "undefined-term"),
        (credential(id="https://example.org/a b"), "undefined-term"),
        (credential(id="https://example.org/\n"), "undefined-term"),
        (credential(id="urn:x:a> <urn:x:p> <urn:x:o> .\n<urn:x:b"), "undefined-term"),
        (credential(id='https://example.org/"'), "undefined-term"),
        (credential(id="@foo"), "undefined-term"),
        (credential(id=7), "json-ld"),
        (credential(id=["urn:x:1"]), "json-ld"),
        (credential(issuer="relative"), "undefined-term"),
        (credential(issuer="did:example:issuer"), ""),
        (credential(credentialSubject={"id": "subject"}), "undefined-term"),
        (credential(credentialStatus={"id": "#1", "type": "BitstringStatusListEntry"}),
         "undefined-term"),
        # bases
        (credential(**{"@context": terms({"@base": "https://example.org/"}), "id": "relative"}),
         "json-ld"),
        (credential(**{"@context": terms({"@base": None})}), "json-ld"),
        (credential(issuer={"@context": {"@base": "https://example.org/"}, "id": "me"}), "json-ld"),
        (credential(**{"@context": terms({"t": {"@id": "urn:x:t",
                                                "@context": {"@base": "urn:x:"}}})}), "json-ld"),
        (credential(**{"@context": terms({"@context": {"@base": "urn:x:"}})}), "json-ld"),
        # nothing that is dropped
        (credential(name=None) | {"name": None}, "undefined-term"),
        (credential(credentialSubject={"id": "urn:x:s", "name": None}), "undefined-term"),
        (credential(name={"@value": None}), "undefined-term"),
        (credential(name={"@language": "en"}), "undefined-term"),
        (credential(name={"@value": "Name", "@language": "en"}), ""),
        (credential(name=[{"@value": "Name", "@language": "en"}, "other"]), ""),
        (credential(name=["Name", None]), "undefined-term"),
        (credential(evidence=[]), ""),  # says nothing either way
        ({"@context": V2_CONTEXT, "@graph": [7]}, "undefined-term"),
        ({"@context": V2_CONTEXT, "@graph": [{"id": "urn:x:only"}]}, "undefined-term"),
        ({"@context": V2_CONTEXT, "id": "urn:x:only"}, "undefined-term"),
        ({"@context": V2_CONTEXT}, "undefined-term"),
        ({}, "undefined-term"),
        # contexts
        (credential(**{"@context": terms("https://example.com/context")}), "context-unknown"),
        (credential(**{"@context": terms("relative")}), "context-unknown"),
        (credential(**{"@context": terms("file:///etc/passwd")}), "context-unknown"),
        (credential(issuer={"@context": "https://example.com/c", "id": "urn:x"}),
         "context-unknown"),
        (credential(**{"@context": terms({"t": {"@id": "urn:x:t", "@context":
                                                "https://example.com/context"}})}),
         "context-unknown"),
        (credential(**{"@context": terms({"@import": V2_CONTEXT})}), "json-ld"),
        (credential(**{"@context": terms({"@propagate": False})}), "json-ld"),
        (credential(**{"@context": terms({"VerifiableCredential": "urn:x:other"})}), "json-ld"),
        (credential(**{"@context": terms({"id": "urn:x:other"})}), "json-ld"),
        (credential(**{"@context": terms({"type": "urn:x:other"})}), "json-ld"),
        (credential(**{"@context": terms(None)}), "json-ld"),
        (credential(**{"@context": terms({"@version": 1.0})}), "json-ld"),
        (credential(**{"@context": terms({"a": "b:c", "b": "a:c"})}), "json-ld"),
        (credential(**{"@context": terms(7)}), "json-ld"),
        (credential(**{"@context": 7}), "json-ld"),
        (credential(**{"@context": V2_CONTEXT}), ""),
        (credential(**{"@context": terms({"@context": {"t": "urn:x:t"}}), "t": "x"}), ""),
        (credential(**{"@context": None}), "undefined-term"),
        (credential(**{"@context": []}), "undefined-term"),
        (credential(**{"@context": terms(*contexts.urls()[6:9])}), ""),
        # shapes
        ([credential()], "json-ld"),
        ("https://example.org/", "json-ld"),
        (None, "json-ld"),
    ],
)  # fmt: skip
def test_a_document_says_what_its_contexts_define_or_is_refused(document: Any, code: str) -> None:
    assert refusal(lambda: jsonld.check_terms(document)) == code
    assert refusal(lambda: jsonld.nquads(document)) == code


@pytest.mark.parametrize("url", contexts.urls())
def test_every_bundled_context_can_be_read(url: str) -> None:
    document = {"@context": url, "@id": "urn:x:s", "urn:x:p": "x"}
    assert jsonld.nquads(document) == b'<urn:x:s> <urn:x:p> "x" .\n'


@pytest.mark.parametrize(
    ("document", "lost"),
    [
        (credential(**{"@context": terms({"m": {"@id": "urn:x:m", "@container": "@index"}}),
                       "m": {"key": "value"}}), "@index"),
        (credential(name={"@value": "n", "@language": "no language"}), "language"),
        (credential(**{"@graph": [{"@id": "urn:x:a", "urn:x:p": {"@value": "v", "@index": "i"}}]}),
         "@index"),
    ],
)  # fmt: skip
def test_what_rdf_has_no_place_for_is_json_alone(document: Any, lost: str) -> None:
    assert refusal(lambda: jsonld.check_terms(document)) == ""
    with pytest.raises(Error, match=lost):
        jsonld.nquads(document)
    assert refusal(lambda: jsonld.nquads(document)) in ("undefined-term", "json-ld")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (
            {"@language": "en-GB", "@direction": "ltr"},
            '"n"^^<https://www.w3.org/ns/i18n#en-gb_ltr>',
        ),
        ({"@direction": "rtl"}, '"n"^^<https://www.w3.org/ns/i18n#_rtl>'),
        ({"@language": "en-GB"}, '"n"@en-gb'),
    ],
)
def test_a_base_direction_is_signed_too(value: Any, literal: str) -> None:
    quads = jsonld.nquads(credential(name={"@value": "n", **value})).decode()
    assert literal in quads


@pytest.mark.parametrize(
    "value", [{"@value": "n", "@direction": "up"}, {"@value": 7, "@direction": "ltr"}]
)
def test_a_base_direction_is_one_of_two_and_that_of_a_text(value: Any) -> None:
    assert refusal(lambda: jsonld.nquads(credential(name=value))) == "json-ld"


def test_a_document_s_own_context_changes_no_later_document() -> None:
    before = jsonld.nquads(credential())
    for extra in ({"@import": V2_CONTEXT, "name": "urn:evil"}, {"name2": "urn:evil"}, EX):
        refusal(lambda extra=extra: jsonld.nquads(credential(**{"@context": [extra, V2_CONTEXT]})))
        refusal(lambda extra=extra: jsonld.nquads(credential(**{"@context": terms(extra)})))
        assert jsonld.nquads(credential()) == before
    assert refusal(lambda: jsonld.check_terms(credential(name2="x"))) == "undefined-term"


def test_another_user_of_pyld_with_a_false_context_is_not_heard() -> None:
    pyld = importlib.import_module("pyld.jsonld")

    def lie(url: str, _options: Any) -> dict[str, Any]:
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": {"@context": {"@vocab": "urn:evil:"}},
            "tag": "static",
        }

    url = "https://w3id.org/security/multikey/v1"
    pyld.expand({"@context": url, "any": "x"}, {"documentLoader": lie})
    assert refusal(lambda: jsonld.check_terms({"@context": url, "any": "x"})) == "undefined-term"


def test_the_document_is_not_changed() -> None:
    document = credential(**{"@context": terms({"t": {"@id": "urn:x:t"}}), "t": {"@id": "urn:x"}})
    before = copy.deepcopy(document)
    jsonld.nquads(document)
    assert document == before


def test_threads_read_the_same() -> None:
    expected = jsonld.nquads(credential())
    found: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda: found.extend(jsonld.nquads(credential()) for _ in range(20))
        )
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 160
    assert set(found) == {expected}


# --- bounds --------------------------------------------------------------------------------


def deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"name": "x"}
    for _ in range(levels):
        node = {"urn:x:p": node}
    return credential(credentialSubject=node)


HOSTILE = {
    "deep": (deep(40), "limit-depth"),
    "deep enough": (deep(20), ""),
    "wide": (credential(name=["x"] * 5000), "limit-members"),
    "wide enough": (credential(name=[f"x{n}" for n in range(4000)]), ""),
    "the same context again and again": (
        credential(**{"@context": [V2_CONTEXT] * 2000}), "limit-rdf"),
    "a scoped context everywhere": (
        credential(**{"@context": terms({"x": {"@id": "urn:x", "@context": {
            f"t{n}": f"urn:x:{n}" for n in range(800)}}}),
            "x": [{"x": {"t1": "a"}} for _ in range(800)]}), "limit-rdf"),
    "whole contexts nested": (
        credential(**{"@context": terms({"x": {"@id": "urn:x", "@context": V2_CONTEXT},
                                         "n": "urn:n"}),
                      "x": [{"x": {"x": {"x": {"x": {"n": "a"}}}}} for _ in range(600)]}),
        "limit-rdf"),
    "many types": (
        credential(**{"@context": terms(EX), "type": [f"T{n}" for n in range(4000)]}), ""),
    "many terms": (
        credential(**{"@context": terms({f"t{n}": f"urn:x:{n}" for n in range(3900)})}), ""),
    "a long word": (credential(name="x" * 500_000), ""),
    "a long id": (credential(id="https://example.org/" + "a/../" * 50_000), ""),
    "a long relative id": (credential(id="a/../" * 50_000), "undefined-term"),
    "blank nodes all joined": (
        credential(credentialSubject=[
            {"id": f"_:n{a}", "urn:x:p": [{"id": f"_:n{b}"} for b in range(10) if b != a]}
            for a in range(10)]), "limit-rdf"),
    "a long list of equal items": (
        credential(**{"@context": terms({"l": {"@id": "urn:x:l", "@container": "@list"}}),
                      "l": ["x"] * 3000}), "limit-rdf"),
    "a list of equal items": (
        credential(**{"@context": terms({"l": {"@id": "urn:x:l", "@container": "@list"}}),
                      "l": ["x"] * 40}), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_every_document_is_read_or_refused_in_bounded_time(name: str) -> None:
    document, code = HOSTILE[name]
    jsonld.nquads(credential())
    start = time.thread_time()
    assert refusal(lambda: jsonld.nquads(document)) == code
    assert time.thread_time() - start < 1


# --- laws ----------------------------------------------------------------------------------

words = st.sampled_from(
    ["id", "type", "name", "description", "issuer", "evidence", "credentialSubject", "undefined",
     "@id", "@type", "@value", "@language", "@list", "@set", "@graph", "@context", "@foo", "@index",
     "@reverse", "@included", "@nest", "termsOfUse", "urn:x:p", "verifiableCredential", "proof"]
)  # fmt: skip
scalars = st.sampled_from(
    [None, True, 0, -1, 1.5, 1e30, 2.0, "", "x", "en", "urn:x:o", "did:example:1", "relative",
     "@json", "@id", "VerifiableCredential", "https://example.org/#a", V2_CONTEXT, "\x00\n\"\\"]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(words, values, max_size=5))
def test_any_json_is_read_or_refused_with_a_code(document: dict[str, Any]) -> None:
    document = {"@context": V2_CONTEXT} | document
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal(lambda: jsonld.check_terms(document)) in (
            "", "undefined-term", "json-ld", "context-unknown", "limit-rdf"
        )  # fmt: skip
        refusal(lambda: jsonld.nquads(document))


plain = st.recursive(
    st.sampled_from([True, False, 0, 7, -3, 1.5, "x", "é", 'a\nb\t"\\\x01\x7f', "urn:x:o"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "description", "urn:x:p", "urn:x:q", "list", "json", "image"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
SHAPES = {
    "name": "https://schema.org/name",
    "description": "https://schema.org/description",
    "image": {"@id": "https://schema.org/image", "@type": "@id"},
    "list": {"@id": "urn:x:list", "@container": "@list"},
    "json": {"@id": "urn:x:json", "@type": "@json"},
    "double": {"@id": "urn:x:double", "@type": "http://www.w3.org/2001/XMLSchema#double"},
}


def by_pyoxigraph(document: Any) -> bytes:
    """The canonical quads by another JSON-LD reader."""
    parsed = pyoxigraph.parse(json.dumps(document), format=pyoxigraph.RdfFormat.JSON_LD)
    dataset = pyoxigraph.Dataset(parsed)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    lines = []
    for one in dataset:
        graph = "" if isinstance(one.graph_name, pyoxigraph.DefaultGraph) else str(one.graph_name)
        lines.append(rdf.line((str(one.subject), str(one.predicate), str(one.object), graph)))
    return "".join(sorted(lines)).encode()


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*SHAPES, "urn:x:p"]), plain, min_size=1, max_size=4))
def test_what_is_read_is_what_another_reader_reads(body: dict[str, Any]) -> None:
    document = {"@context": SHAPES, "@id": "urn:x:s"} | body
    try:
        mine = jsonld.nquads(document, work=10**6)
    except Error:
        return  # what is refused has tests of its own
    assert mine == by_pyoxigraph(document)


def test_no_module_of_the_extra_is_loaded_before_it_is_needed() -> None:
    import subprocess

    code = (
        "import sys, delegant.w3c.proofs, delegant.w3c.contexts\n"
        "assert not {'pyld', 'cryptography', 'joserfc'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
