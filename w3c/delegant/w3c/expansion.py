"""JSON-LD 1.1 expansion by PyLD, held to what a signature needs: nothing is dropped.

PyLD leaves out what no context defines, as JSON-LD says, and so would the canonical form that is
signed. Here every such loss is refused, and the work is counted. Contexts come from `contexts`
alone. Needs the extra ``jsonld``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from pyld import jsonld  # type: ignore[import-untyped] # PyLD ships no type hints
from pyld.context_resolver import ContextResolver  # type: ignore[import-untyped]
from pyld.resolved_context import ResolvedContext  # type: ignore[import-untyped]

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from . import contexts

__all__ = ["RELATIVE", "expand"]

RELATIVE: Final = "relative-iri:"
"""What relative references are resolved against; an IRI that begins so was one."""
MAX_DEFINITIONS: Final = 20_000
"""Most term definitions made or copied for one document; credentials/v2 makes 250."""
MAX_CONTEXTS: Final = 512
"""Most contexts processed for one document, scoped ones and repetitions too."""
MAX_KEPT: Final = 512
"""Most results of a scoped context that are kept; a document with contexts of its own adds some."""

_OFF: Final = {"@base", "@import", "@propagate"}
"""What contexts in a document may not use: `@base` hides relative references, the others are
read wrongly by PyLD 3.3 (`@import` would change the bundled context itself)."""


class _Mine(threading.local):
    """One cache a thread: bundled contexts as PyLD processed them, no other loader's, no others.

    Attributes:
        whole: by URL.
        scoped: by the identity of a context inside a bundled one (kept beside, so that it lives).
        applied: what came of a scoped context, by it, by what it was applied to, and how.
    """

    def __init__(self) -> None:
        self.whole: dict[str, Any] = {}
        self.scoped: dict[int, tuple[JsonObject, ResolvedContext]] = {}
        self.applied: dict[Any, Any] = {}


_MINE: Final = _Mine()


def _load(url: str, _options: JsonObject) -> JsonObject:
    document = contexts.context(url)
    for scoped in _inside(document["@context"]):
        _MINE.scoped[id(scoped)] = (scoped, ResolvedContext(scoped))
    return {
        "contextUrl": None,
        "documentUrl": url,
        "document": document,
        "contentType": "application/ld+json",
        "tag": "static",
    }


def _inside(value: Json) -> Iterator[JsonObject]:
    """Every context that a term of a context brings with it."""
    if type(value) is list:
        for one in value:
            yield from _inside(one)
    elif type(value) is dict:
        for meaning in value.values():
            if type(meaning) is dict and type(meaning.get("@context")) is dict:
                yield meaning["@context"]
                yield from _inside(meaning["@context"])


_Contexts: Any = ContextResolver
_Expansion: Any = jsonld.JsonLdProcessor
"""What is overridden below is not public: see docs/decisions/2026-11-25-jsonld.md."""


class _Resolver(_Contexts):  # type: ignore[misc]
    """Keeps what was bundled; a document's own contexts are forgotten with it."""

    def resolve(self, active: Any, context: Any, base: str, cycles: Any = None) -> Any:
        if type(context) is dict:
            known = _MINE.scoped.get(id(context))
            if known is not None:
                return [known[1]]
        return super().resolve(active, context, base, cycles)

    def _cache_resolved_context(self, key: str, resolved: Any, tag: str | None) -> Any:
        kept = tag if key in contexts.DIGESTS else None
        return super()._cache_resolved_context(key, resolved, kept)


class _Processor(_Expansion):  # type: ignore[misc]
    """PyLD's own processor; what it would leave out it refuses."""

    def __init__(self) -> None:
        super().__init__(on_property_dropped=_dropped)
        self._contexts = 0
        self._definitions = 0

    def _spend(self, definitions: int) -> None:
        self._definitions += definitions
        if self._definitions > MAX_DEFINITIONS:
            raise error("limit-rdf", f"more than {MAX_DEFINITIONS} term definitions")

    def _expand(self, active: Any, name: Any, element: Any, options: Any, **more: Any) -> Any:
        if element is None:
            raise error("undefined-term", f"{name!r} is null, which would not be signed")
        found = super()._expand(active, name, element, options, **more)
        if found is None:
            what = type(element).__name__
            raise error("undefined-term", f"a value of {name!r} says nothing ({what})")
        return found

    def _process_context(self, active: Any, local: Any, options: Any, **how: Any) -> Any:
        self._contexts += 1
        if self._contexts > MAX_CONTEXTS:
            raise error("limit-rdf", f"more than {MAX_CONTEXTS} contexts")
        if type(local) is dict and id(local) in _MINE.scoped and "cycles" not in how:
            # Context and what it is applied to are both fixed, so what comes of them is too.
            key = (id(local), active.get("_uuid"), *sorted(how.items()))
            if key[1] and key in _MINE.applied:
                return _MINE.applied[key]
            found = super()._process_context(active, local, options, **how)
            if key[1]:
                if len(_MINE.applied) >= MAX_KEPT:
                    _MINE.applied.clear()
                _MINE.applied[key] = found
            return found
        for one in local if type(local) is list else [local]:
            if type(one) is dict:
                self._spend(len(one) // 4)
                _allowed(one)
        return super()._process_context(active, local, options, **how)

    def _clone_active_context(self, active: Any) -> Any:
        self._spend(1 + len(active["mappings"]) // 8)
        return super()._clone_active_context(active)

    def _create_term_definition(self, *args: Any, **more: Any) -> None:
        self._spend(1)
        super()._create_term_definition(*args, **more)


def _dropped(name: object) -> NoReturn:
    raise error("undefined-term", f"no @context defines {str(name)[:80]!r}")


def _allowed(context: JsonObject) -> None:
    inner = context.get("@context")
    if type(inner) is dict:
        _allowed(inner)
    for term, meaning in context.items():
        if term in _OFF:
            raise error("json-ld", f"{term} in a @context is not accepted")
        if term[:1] == "@" and term not in jsonld.KEYWORDS:
            raise error("undefined-term", f"{term[:80]!r} looks like a keyword, and is none")
        ids = meaning.values() if type(meaning) is dict else (meaning,)
        for one in ids:
            if type(one) is str and one[:1] == "@" and one not in jsonld.KEYWORDS:
                raise error("undefined-term", f"{one[:80]!r} looks like a keyword, and is none")


def expand(document: JsonObject) -> list[Json]:
    """The expanded form of a document, of which nothing was left out.

    Raises:
        Malformed: ``json-ld``, ``undefined-term``. LimitExceeded: ``limit-rdf``.
        Undecided: ``context-unknown``.
    """
    options = {
        "base": f"{RELATIVE}//here/",
        "documentLoader": _load,
        "contextResolver": _Resolver(_MINE.whole, _load),
    }
    try:
        found: list[Json] = _Processor().expand(document, options)
    except Error:
        raise
    except RecursionError:
        raise error("limit-depth", "nested too deep to expand") from None
    except Exception as exc:  # noqa: BLE001 - PyLD raises KeyError and others for odd contexts
        raise _cause(exc) from None
    return found


def _cause(exc: BaseException) -> Error:
    """Ours, if one of ours lies under what PyLD raised."""
    under: BaseException | None = exc
    while under is not None:
        if isinstance(under, Error):
            return under
        under = under.__cause__
    return error("json-ld", str(getattr(exc, "args", None) and exc.args[0])[:160] or "not JSON-LD")
