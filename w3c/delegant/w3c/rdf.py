"""From expanded JSON-LD to RDF quads (JSON-LD 1.1 API, 7 and 8), in canonical N-Quads terms.

A quad is a tuple of four strings as N-Quads writes them; the graph is empty for the default one.
Blank nodes begin with ``_:``. A base direction becomes part of the datatype (``i18n-datatype``), as
with every peer we know. What RDF has no place for (an index) is refused, since a signature over
the quads would not cover it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, TypeAlias

from delegant.credentials.codec import Json, JsonObject, canonical
from delegant.credentials.errors import error

__all__ = ["Quad", "iri", "line", "quads"]

Quad: TypeAlias = tuple[str, str, str, str]

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_I18N: Final = "https://www.w3.org/ns/i18n#"
_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\\ud800-\udfff]*", re.ASCII)
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*", re.ASCII)
_LITERAL: Final = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT: Final = {
    "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"
}  # fmt: skip
_NODE_WORDS: Final = frozenset({"@id", "@type", "@graph", "@included", "@reverse"})


def quads(expanded: list[Json]) -> list[Quad]:
    """Every quad once, in the order met.

    Raises:
        Malformed: ``undefined-term`` for what would not be in any quad, ``json-ld``.
    """
    reader = _Reader()
    for node in expanded:
        reader.alone(node, "")
    return list(reader.found)


def line(quad: Quad) -> str:
    """One line of N-Quads, with its line break."""
    subject, predicate, value, graph = quad
    where = f" {graph}" if graph else ""
    return f"{subject} {predicate} {value}{where} .\n"


def iri(value: str) -> str:
    """An absolute IRI as N-Quads writes it.

    Raises:
        Malformed: ``undefined-term``.
    """
    if not _IRI.fullmatch(value):
        raise error("undefined-term", f"{value[:80]!r} is not an absolute IRI")
    return f"<{value}>"


class _Reader:
    """Walks one expanded document."""

    def __init__(self) -> None:
        self.found: dict[Quad, None] = {}
        self._labels: dict[str, str] = {}
        self._count = 0

    def _fresh(self) -> str:
        self._count += 1
        return f"_:b{self._count}"

    def _name(self, value: str) -> str:
        if value.startswith("_:"):
            if value not in self._labels:
                self._labels[value] = self._fresh()
            return self._labels[value]
        return iri(value)

    def _add(self, subject: str, predicate: str, value: str, graph: str) -> None:
        self.found[subject, predicate, value, graph] = None

    def node(self, node: JsonObject, graph: str) -> str:
        """The quads of a node object; its name."""
        subject = self._name(node["@id"]) if "@id" in node else self._fresh()
        for kind in node.get("@type", ()):
            self._add(subject, _TYPE, self._name(kind), graph)
        for inner in node.get("@graph", ()):
            self.alone(inner, subject)
        for inner in node.get("@included", ()):
            self.alone(inner, graph)
        for predicate, values in node.get("@reverse", {}).items():
            for value in values:
                self._add(self._object(value, graph), _predicate(predicate), subject, graph)
        for predicate, values in node.items():
            if predicate in _NODE_WORDS:
                continue
            name = _predicate(predicate)
            for value in values:
                self._add(subject, name, self._object(value, graph), graph)
        return subject

    def alone(self, node: JsonObject, graph: str) -> None:
        """A node that nothing but what it says itself would bring into the graph."""
        if node.keys() <= {"@id"}:
            raise error("undefined-term", "a node that says nothing: it would not be signed")
        self.node(node, graph)

    def _object(self, value: JsonObject, graph: str) -> str:
        if "@index" in value:
            raise error("undefined-term", "an @index has no place in RDF: it would not be signed")
        if "@value" in value:
            return _literal(value)
        if "@list" in value:
            return self._list(value["@list"], graph)
        return self.node(value, graph)

    def _list(self, items: list[JsonObject], graph: str) -> str:
        cells = [*(self._fresh() for _ in items), _NIL]
        for item, (cell, rest) in zip(items, pairwise(cells), strict=True):
            self._add(cell, _FIRST, self._object(item, graph), graph)
            self._add(cell, _REST, rest, graph)
        return cells[0]


def _predicate(name: str) -> str:
    if name.startswith("@"):
        raise error("undefined-term", f"{name[:40]!r} has no place in RDF: it would not be signed")
    return iri(name)


def _literal(value: JsonObject) -> str:
    plain: Any = value["@value"]
    kind = value.get("@type")
    if kind == "@json":
        return f'"{_escaped(canonical(plain).decode())}"^^<{RDF}JSON>'
    language = value.get("@language", "")
    if language and not _LANGUAGE.fullmatch(language):
        raise error("json-ld", f"{language[:40]!r} is not a language tag")
    if "@direction" in value:  # JSON-LD 1.1 API, 8.6, with rdfDirection i18n-datatype
        if type(plain) is not str or value["@direction"] not in ("ltr", "rtl"):
            raise error("json-ld", "a base direction is ltr or rtl, and that of a text")
        return f'"{_escaped(plain)}"^^<{_I18N}{language.lower()}_{value["@direction"]}>'
    if language:
        return f'"{_escaped(plain)}"@{language}'
    text, datatype = _lexical(plain, kind)
    return f'"{_escaped(text)}"' if datatype == f"{_XSD}string" else (
        f'"{_escaped(text)}"^^{iri(datatype)}'
    )  # fmt: skip


def _lexical(plain: Any, kind: str | None) -> tuple[str, str]:
    if type(plain) is bool:
        return ("true" if plain else "false"), kind or f"{_XSD}boolean"
    if type(plain) is int or type(plain) is float:
        if plain % 1 or abs(plain) >= 1e21 or kind == f"{_XSD}double":
            return _double(float(plain)), kind or f"{_XSD}double"
        return str(int(plain)), kind or f"{_XSD}integer"
    return plain, kind or f"{_XSD}string"


def _double(number: float) -> str:
    """The canonical form of xsd:double with fifteen digits (JSON-LD 1.1 API, 8.6)."""
    digits, _, power = f"{number:.15E}".partition("E")
    digits = digits.rstrip("0")
    return f"{digits}{'0' if digits.endswith('.') else ''}E{int(power)}"


def _escaped(text: str) -> str:
    return _LITERAL.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", text)


def walk(expanded: Json) -> Iterator[JsonObject]:
    """Every object of an expanded document, but not what lies inside JSON literals."""
    stack = [expanded]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(node)
        elif type(node) is dict:
            yield node
            if "@value" not in node:
                stack.extend(node.values())
