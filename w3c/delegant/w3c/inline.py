"""Contexts written into a document, which a signature over RDF does not cover.

Such a signature covers what the terms stand for, not the words. Whoever passes a credential on may
write the context anew, so that two terms change places with their values: signed ``lent: 5, owed:
900`` then reads ``lent: 900, owed: 5``, and holds as before. Bundled contexts do not allow it: no
two of their terms stand for the same. So a verifier takes other contexts only where its owner
listed them (VC Data Integrity 1.0, 2.4.1 and 4.6, leave that to the application).

>>> digest({"lent": "https://example.org/#lent"})
'uEiBBS_NtKiD9_xbVpq7o5eaxxjQ6RBZ1GMOwOGND1FEctg'
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from delegant.credentials import codec
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from .suites import of_proof

__all__ = ["check", "digest", "refusal", "unsigned"]


def digest(context: Json) -> str:
    """By what a context is listed: the digest of its canonical form (RFC 8785)."""
    return codec.digest(codec.canonical(context))


def unsigned(document: JsonObject, proofs: Collection[JsonObject]) -> frozenset[str]:
    """The digest of each context in a document, URLs aside, that not every signature covers.

    Of an ``rdfc`` proof that is all of them, at any depth; of a ``jcs`` proof only what was put
    after the contexts it names. What looks like a context inside a JSON literal counts as one.

    Raises:
        Undecided: ``suite``.
    """
    found: set[str] = set()
    for proof in proofs:
        found.update(_inside(document) if of_proof(proof).rdf else _after(document, proof))
    return frozenset(found)


def check(
    document: JsonObject, proofs: Collection[JsonObject], contexts: Collection[str] = ()
) -> None:
    """Hold a document to the contexts that are listed.

    Args:
        contexts: digests.

    Raises:
        Undecided: ``context-inline``, ``suite``.
    """
    found = unsigned(document, proofs) - frozenset(contexts)
    if found:
        raise refusal(found)


def refusal(found: Collection[str]) -> Error:
    """What is to be said of contexts that nobody listed."""
    return error("context-inline", f"{len(found)} that no one listed, as {min(found)}")


def _inside(document: JsonObject) -> Iterator[str]:
    stack: list[Any] = [document]
    while stack:
        one = stack.pop()
        if type(one) is list:
            stack.extend(one)
        elif type(one) is dict:
            yield from _digests(_several(one.get("@context", [])))
            stack.extend(value for name, value in one.items() if name != "@context")


def _after(document: JsonObject, proof: JsonObject) -> Iterator[str]:
    if "@context" in proof:
        signed = len(_several(proof["@context"]))
        yield from _digests(_several(document.get("@context", []))[signed:])


def _digests(contexts: list[Json]) -> Iterator[str]:
    return (digest(one) for one in contexts if type(one) is not str)


def _several(stated: Json) -> list[Json]:
    return stated if type(stated) is list else [stated]
