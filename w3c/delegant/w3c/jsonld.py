"""JSON-LD as signatures need it: every term defined, every value in the signed form.

One expansion serves both: what `check_terms` has looked at is what `nquads` writes down, so there
is nothing for two readers to disagree about. Contexts are the bundled ones (`contexts`), and those
written into the document itself; nothing is fetched.

Stricter than JSON-LD 1.1, because a signature over RDF covers only what becomes RDF: undefined
terms, relative IRIs, nulls, free-floating values and words that look like keywords are refused
(``undefined-term``), and so are ``@base``, ``@import`` and ``@propagate`` in a document's own
contexts (``json-ld``).
"""

from __future__ import annotations

from typing import Any

from delegant.credentials.codec import Json, JsonObject, measure
from delegant.credentials.errors import error

from . import rdf, rdfc
from .extras import load

__all__ = ["check_terms", "expand", "nquads"]

MAX_DEPTH = 32
MAX_MEMBERS = 4096


def _expansion() -> Any:
    return load("delegant.w3c.expansion", "jsonld")


def expand(document: Json) -> list[Json]:
    """The expanded form, of which nothing was left out (JSON-LD 1.1 API, 5.1).

    Raises:
        Malformed: ``undefined-term``, ``json-ld``. Undecided: ``context-unknown``.
        LimitExceeded: ``limit-depth``, ``limit-members``, ``limit-rdf``.
    """
    if type(document) is not dict:
        raise error("json-ld", "a document is one JSON object")
    measure(document, MAX_DEPTH, MAX_MEMBERS)
    expansion = _expansion()
    found: list[Json] = expansion.expand(document)
    for node in rdf.walk(found):
        _absolute(node, expansion.RELATIVE)
    return found


def _absolute(node: JsonObject, relative: str) -> None:
    """Refuse what did not become an absolute IRI, or a blank node, where one must stand."""
    kinds = node.get("@type", ())
    names = [*([kinds] if type(kinds) is str else kinds)]
    if "@id" in node:
        names.append(node["@id"])
    for name in names:
        if type(name) is not str:
            raise error("undefined-term", f"{str(name)[:80]!r} is no IRI")
        if name.startswith(relative):
            raise error("undefined-term", f"{name[len(relative) + 7 :][:80]!r} is relative")
        if name != "@json" and not name.startswith("_:"):
            rdf.iri(name)
    for name in node:
        if name[0] != "@":
            if name.startswith(relative):
                raise error("undefined-term", f"no @context defines {name[:80]!r}")
            rdf.iri(name)


def check_terms(document: JsonObject) -> None:
    """Hold a document to its contexts: each term of it has a meaning.

    For documents whose signature is over the JSON itself (eddsa-jcs-2022, ``vc+jwt``); `nquads`
    holds its document to the same.

    Raises:
        Malformed: ``undefined-term``, ``json-ld``. Undecided: ``context-unknown``.
        LimitExceeded: ``limit-depth``, ``limit-members``, ``limit-rdf``.
    """
    expand(document)


def nquads(document: JsonObject, *, hash: str = "SHA-256", work: int = rdfc.MAX_WORK) -> bytes:  # noqa: A002
    """The canonical N-Quads of a document (RDFC-1.0).

    Args:
        document: with its ``@context``.
        hash: SHA-256, or SHA-384 for keys of P-384 (vc-di-ecdsa 1.0, 3.2).
        work: most steps of the search among blank nodes (see `rdfc`).

    Raises:
        Malformed: ``undefined-term``, ``json-ld``. Undecided: ``context-unknown``.
        LimitExceeded: ``limit-depth``, ``limit-members``, ``limit-rdf``.
    """
    return rdfc.canonical(rdf.quads(expand(document)), hash=hash, work=work)
