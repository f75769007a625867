"""What a verifier judges stands in the JSON under its own name, as it does in the RDF.

A signature over RDF fits every JSON that says the same: whoever passes a credential on may write
``validUntil`` by its IRI, under an alias, or in a node elsewhere, and it holds as before. Who reads
the JSON would see no end and no status. So all that is judged is counted in both, and must agree
(VC Data Integrity 1.0, 2.4.1 and 4.6, leave that to the application).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from . import rdf

__all__ = ["check", "kinds"]

_CREDENTIALS: Final = "https://www.w3.org/2018/credentials#"
_JUDGED: Final = (
    _CREDENTIALS,
    "https://www.w3.org/ns/credentials/status#",
    "https://w3id.org/security#digestMultibase",
)
"""Where the names of what is judged lie; what follows the ``#`` is the name in JSON."""
_ELSEWHERE: Final = ("@included", "@reverse", f"{rdf.RDF}type")
"""Other ways to say what a member, or ``type``, says; nothing that is judged needs them."""
_INSIDE: Final = ("credentialSubject", "credentialStatus", "credentialSchema", "relatedResource",
                  "statusMessage")  # fmt: skip
_HELD: Final = "verifiableCredential"


def check(document: JsonObject, expanded: list[Json]) -> None:
    """Hold a credential or presentation, and the credentials in it, to their own words.

    Args:
        document: as it was read.
        expanded: the same, by `jsonld.expand`.

    Raises:
        Malformed: ``json-ld``.
    """
    for node in rdf.walk(expanded):
        for name in _ELSEWHERE:
            if name in node:
                raise error("json-ld", f"{name} in a credential is not accepted")
    _document(document, expanded)


def kinds(expanded: list[Json]) -> Iterator[str]:
    """The types of every node, by IRI; not those of credentials that are presented."""
    for node in _nodes(expanded):
        if "@value" not in node:
            yield from node.get("@type", ())


def _document(document: Json, expanded: list[Json]) -> None:
    if len(expanded) != 1 or type(document) is not dict:
        raise error("json-ld", "a document is about one thing")
    node: Any = expanded[0]
    _count(document, "type", node.get("@type", []))
    _members(document, node)
    stated: set[str] = set()
    for one in _nodes(expanded):
        if "@id" in one and any(map(_is_judged, one)):
            if one["@id"] in stated:
                raise error("json-ld", f"{one['@id'][:80]} is described in two places")
            stated.add(one["@id"])
    held = node.get(_CREDENTIALS + _HELD, [])
    for inner, graph in zip(_listed(document, _HELD), held, strict=True):
        _document(inner, graph.get("@graph", []))


def _members(value: JsonObject, node: JsonObject) -> None:
    for name in filter(_is_judged, node):
        short = name.rpartition("#")[2]
        _count(value, short, node[name])
        if short in _INSIDE:
            for inner, other in zip(_listed(value, short), node[name], strict=True):
                if type(inner) is dict:
                    _members(inner, other)


def _count(value: JsonObject, name: str, found: list[Json]) -> None:
    if len(_listed(value, name)) != len(found):
        raise error("json-ld", f"{name} is said under another name, or in another place")


def _listed(value: JsonObject, name: str) -> list[Json]:
    if name not in value:
        return []
    stated = value[name]
    return stated if type(stated) is list else [stated]


def _is_judged(name: str) -> bool:
    return name.startswith(_JUDGED)


def _nodes(expanded: list[Json]) -> Iterator[JsonObject]:
    """Every object of the default graph."""
    stack: list[Any] = [*expanded]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(node)
        elif type(node) is dict:
            yield node
            if "@value" not in node:
                stack.extend(one for name, one in node.items() if name != "@graph")
