"""Canonical RDF: the standard's, held to a second implementation, and never for long."""

from __future__ import annotations

import time
from itertools import pairwise, permutations

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.w3c import rdfc
from delegant.w3c.rdf import Quad, line
from refusal import refusal

P = "<urn:p>"


def joined(count: int) -> list[Quad]:
    """Blank nodes each of which points to every other."""
    return [(f"_:n{a}", P, f"_:n{b}", "") for a, b in permutations(range(count), 2)]


def other(quads: list[Quad], name: str = "SHA-256") -> bytes:
    """The same by pyoxigraph."""
    text = "".join(map(line, quads))
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(
        {
            "SHA-256": pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0,
            "SHA-384": pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0_SHA_384,
        }[name]
    )
    return "".join(
        sorted(
            line((str(q.subject), str(q.predicate), _object(q.object), _graph(q.graph_name)))
            for q in dataset
        )
    ).encode()


def _object(term: object) -> str:
    return str(term)


def _graph(term: object) -> str:
    return "" if isinstance(term, pyoxigraph.DefaultGraph) else str(term)


nodes = st.sampled_from([f"_:n{n}" for n in range(5)])
names = st.sampled_from(["<urn:a>", "<urn:b>"])
quad = st.tuples(
    nodes | names, st.sampled_from([P, "<urn:q>"]), nodes | names | st.just('"x"'),
    nodes | names | st.just(""),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(quad, unique=True, max_size=12), st.sampled_from(["SHA-256", "SHA-384"]))
def test_the_canonical_form_is_another_implementation_s(quads: list[Quad], name: str) -> None:
    assert rdfc.canonical(quads, hash=name, work=10**7) == other(quads, name)


@given(st.lists(quad, unique=True, max_size=12), st.randoms())
def test_order_and_names_of_blank_nodes_do_not_matter(quads: list[Quad], dice: object) -> None:
    fresh = {f"_:n{n}": f"_:x{(n * 7 + 3) % 5}" for n in range(5)}
    renamed = [tuple(fresh.get(term, term) for term in q) for q in quads]
    dice.shuffle(renamed)  # type: ignore[attr-defined]
    assert rdfc.canonical(renamed, work=10**7) == rdfc.canonical(quads, work=10**7)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), unique=True, max_size=400))
def test_any_graph_is_answered_or_refused_in_well_under_a_second(
    edges: list[tuple[int, int]],
) -> None:
    quads = [(f"_:n{a}", P, f"_:n{b}", "") for a, b in edges]
    start = time.perf_counter()
    assert refusal(lambda: rdfc.canonical(quads)) in ("", "limit-rdf")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("count", [6, 8, 10, 20, 60])
def test_a_poison_graph_is_refused_at_once(count: int) -> None:
    start = time.perf_counter()
    assert refusal(lambda: rdfc.canonical(joined(count))) == "limit-rdf"
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_few_blank_nodes_pass_however_they_are_joined(count: int) -> None:
    assert rdfc.canonical(joined(count)) == other(joined(count))


def test_many_blank_nodes_that_differ_pass() -> None:
    quads = [(f"_:n{n}", P, f'"{n}"', "") for n in range(1000)]
    assert rdfc.canonical(quads).count(b"\n") == 1000


def test_many_blank_nodes_that_are_alike_but_apart_pass() -> None:
    quads = [("<urn:s>", P, f"_:n{n}", "") for n in range(500)]
    assert rdfc.canonical(quads) == other(quads)


def test_a_chain_of_blank_nodes_too_long_to_follow_is_refused() -> None:
    cells = [(f"_:n{a}", P, f"_:n{b}", "") for a, b in pairwise(range(3000))]
    assert refusal(lambda: rdfc.canonical(cells, work=10**9)) == "limit-rdf"
    assert refusal(lambda: rdfc.canonical(cells[:60])) == ""


def test_a_dataset_too_large_is_refused() -> None:
    quads = [("<urn:s>", P, f'"{n}"', "") for n in range(rdfc.MAX_QUADS + 1)]
    assert refusal(lambda: rdfc.canonical(quads)) == "limit-rdf"
    assert refusal(lambda: rdfc.canonical(quads[1:])) == ""


def test_another_hash_is_no_hash_of_ours() -> None:
    assert refusal(lambda: rdfc.canonical([], hash="SHA-1")) == "suite"
    assert rdfc.canonical([], hash="SHA-384") == b""
