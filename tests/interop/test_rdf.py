"""Canonical RDF as an independent processor makes it, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.w3c import contexts, jsonld, rdfc
from interop.common import EXAMPLES, V2, credential, ours
from interop.peer import Peer, Refused
from world import World, research_chain

HASHES = ["SHA-256", "SHA-384"]


@pytest.fixture(scope="session")
def rdf(peers: Callable[[str], Peer]) -> Peer:
    """The peer for RDF, with the contexts bundled here and no other."""
    peer = peers("rdf")
    peer("give", documents={url: contexts.context(url) for url in contexts.urls()})
    return peer


@pytest.mark.parametrize("hash_name", HASHES)
def test_credentials_of_ours_have_the_same_canonical_form(rdf: Peer, hash_name: str) -> None:
    world = World()
    links, _ = research_chain(world)
    documents = [
        credential(ours("Ed25519")[1]),
        credential("did:example:1", credentialSubject={"name": ["twice", "twice"]}),
        *(link.secured.document for link in links),
        *(p.credential.secured.document for p in world.parties.values() if p.credential),
        *(p.identity.secured.document for p in world.parties.values() if p.identity),
        world.status_list().secured.document,
    ]
    for document in documents:
        theirs = rdf("canonize", document=document, hash=hash_name)
        assert jsonld.nquads(document, hash=hash_name).decode() == theirs
        assert theirs.count("\n") > 5


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUE: st.SearchStrategy[Any] = st.recursive(
    TEXT
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e20, 1e20, allow_subnormal=False)
    | st.fixed_dictionaries({"@value": TEXT, "@language": st.sampled_from(["de", "en-GB"])})
    | st.fixed_dictionaries(
        {"@value": TEXT, "@direction": st.sampled_from(["ltr", "rtl"])},
        optional={"@language": st.sampled_from(["ar", "en-GB"])},
    )
    | st.sampled_from(["urn:a", "urn:b"]).map(lambda name: {"id": name}),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "knows", "color"]), below, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "knows", "color"]), VALUE, max_size=3))
def test_any_subject_has_the_same_canonical_form(rdf: Peer, subject: dict[str, Any]) -> None:
    document = {
        "@context": [V2, EXAMPLES],
        "type": "VerifiableCredential",
        "issuer": "did:example:1",
        "credentialSubject": {"id": "urn:a", **subject},
    }
    try:
        theirs = rdf("canonize", document=document, hash="SHA-256")
    except Refused:
        with pytest.raises(Error):
            jsonld.nquads(document)
        return
    assert jsonld.nquads(document).decode() == theirs


NODES = st.sampled_from([f"_:n{number}" for number in range(6)])
TRIPLES = st.tuples(NODES, st.sampled_from(["urn:p", "urn:q"]), NODES)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(NODES, st.sampled_from(["urn:p", "urn:q"]), NODES), max_size=10, unique=True)
)
@pytest.mark.parametrize("hash_name", HASHES)
def test_blank_nodes_get_the_same_names(
    rdf: Peer, hash_name: str, triples: list[tuple[str, str, str]]
) -> None:
    quads = [(s, f"<{p}>", o, "") for s, p, o in triples]
    text = "".join(f"{s} {p} {o} .\n" for s, p, o, _ in quads)
    try:
        theirs = rdf("quads", text=text, hash=hash_name)
    except Refused:  # each has a limit of its own on what a graph may cost
        return
    try:
        assert rdfc.canonical(quads, hash=hash_name).decode() == theirs
    except Error as exc:
        assert exc.code == "limit-rdf"
