r"""RDF Dataset Canonicalization 1.0 (RDFC-1.0), under a budget of work.

Blank nodes that look alike are told apart by trying orders (section 4.8), which a hostile graph
makes factorial. Every step of that search is counted: a related node hashed, a node of a tried
order visited. What needs more than `MAX_WORK` steps is refused. Ordinary credentials need none,
or a few dozen: their blank nodes differ in what is said of them directly (section 4.6).

>>> canonical([("_:x", "<urn:p>", '"1"', "")])
b'_:c14n0 <urn:p> "1" .\n'
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import Final

from delegant.credentials.errors import error

from .rdf import Quad, line

__all__ = ["HASHES", "MAX_WORK", "canonical"]

MAX_WORK: Final = 20_000
"""Steps of the search, under a tenth of a second; five blank nodes all joined take 15,000."""
MAX_QUADS: Final = 16_384

HASHES: Final = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384}
_POSITIONS: Final = ((0, "s"), (2, "o"), (3, "g"))


class _Issuer:
    """Names for blank nodes, in the order asked for (section 4.5)."""

    __slots__ = ("names", "prefix")

    def __init__(self, prefix: str, names: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.names = names or {}

    def issue(self, node: str) -> str:
        if node not in self.names:
            self.names[node] = f"{self.prefix}{len(self.names)}"
        return self.names[node]

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.names.copy())


class _Search:
    """The state of one canonicalisation (section 4.2)."""

    def __init__(self, quads: list[Quad], name: str, work: int) -> None:
        digest = HASHES[name]
        self.hash: Callable[[str], str] = lambda text: digest(text.encode()).hexdigest()
        self.left = work
        self.quads = quads
        self.of: dict[str, list[Quad]] = {}
        for quad in self.quads:
            for node in {quad[at] for at, _ in _POSITIONS if quad[at].startswith("_:")}:
                self.of.setdefault(node, []).append(quad)
        self.first = {node: self._first(node) for node in self.of}
        self.canonical = _Issuer("_:c14n")

    def _first(self, node: str) -> str:
        """The hash of what is said of a blank node directly (section 4.6)."""

        def seen(term: str) -> str:
            if not term.startswith("_:"):
                return term
            return "_:a" if term == node else "_:z"

        lines = sorted(line((seen(s), p, seen(o), seen(g))) for s, p, o, g in self.of[node])
        return self.hash("".join(lines))

    def run(self) -> dict[str, str]:
        """The canonical name of every blank node (section 4.4)."""
        groups: dict[str, list[str]] = {}
        for node, digest in self.first.items():
            groups.setdefault(digest, []).append(node)
        alike: list[list[str]] = []
        for _, nodes in sorted(groups.items()):
            if len(nodes) == 1:
                self.canonical.issue(nodes[0])
            else:
                alike.append(nodes)
        for nodes in alike:
            found: list[tuple[str, _Issuer]] = []
            for node in nodes:
                if node not in self.canonical.names:
                    issuer = _Issuer("_:b")
                    issuer.issue(node)
                    found.append(self._degree(node, issuer))
            for _, issuer in sorted(found, key=lambda one: one[0]):
                for node in issuer.names:
                    self.canonical.issue(node)
        return self.canonical.names

    def _spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise error("limit-rdf", "blank nodes that take too long to tell apart")

    def _related(self, node: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """The hash of a blank node beside another (section 4.7)."""
        self._spend()
        name = self.canonical.names.get(node) or issuer.names.get(node) or self.first[node]
        predicate = "" if position == "g" else quad[1]
        return self.hash(f"{position}{predicate}{name}")

    def _degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """The hash of all that is reached from a blank node (section 4.8)."""
        related: dict[str, list[str]] = {}
        self._spend(len(self.of[node]) // 8)
        for quad in self.of[node]:
            for at, position in _POSITIONS:
                other = quad[at]
                if other.startswith("_:") and other != node:
                    digest = self._related(other, quad, issuer, position)
                    related.setdefault(digest, []).append(other)
        data = ""
        for digest, nodes in sorted(related.items()):
            chosen, path = self._shortest(nodes, issuer)
            data += digest + path
            issuer = chosen
        return self.hash(data), issuer

    def _shortest(self, nodes: list[str], issuer: _Issuer) -> tuple[_Issuer, str]:
        """The order of these nodes that gives the least path, and the names it issues."""
        best: tuple[_Issuer, str] | None = None
        for order in itertools.permutations(nodes):
            found = self._path(order, issuer.copy(), best[1] if best else "")
            if found is not None and (best is None or found[1] < best[1]):
                best = found
        assert best is not None  # noqa: S101 - the first order is never given up
        return best

    def _path(
        self, order: tuple[str, ...], issuer: _Issuer, least: str
    ) -> tuple[_Issuer, str] | None:
        path, later = "", []
        for node in order:
            self._spend()
            if node in self.canonical.names:
                path += self.canonical.names[node]
            else:
                if node not in issuer.names:
                    later.append(node)
                path += issuer.issue(node)
            if _worse(path, least):
                return None
        for node in later:
            digest, issuer_of = self._degree(node, issuer)
            path += f"{issuer.issue(node)}<{digest}>"
            issuer = issuer_of
            if _worse(path, least):
                return None
        return issuer, path


def _worse(path: str, least: str) -> bool:
    return bool(least) and len(path) >= len(least) and path > least


def canonical(quads: Iterable[Quad], *, hash: str = "SHA-256", work: int = MAX_WORK) -> bytes:  # noqa: A002
    """The canonical N-Quads document of a dataset.

    Args:
        quads: see `rdf`.
        hash: a name of `HASHES`.
        work: most steps of the search.

    Raises:
        LimitExceeded: ``limit-rdf``. Undecided: ``suite`` for another hash.
    """
    if hash not in HASHES:
        raise error("suite", f"{hash[:32]!r} is no hash of RDFC-1.0 here")
    quads = list(quads)
    if len(quads) > MAX_QUADS:
        raise error("limit-rdf", f"more than {MAX_QUADS} quads")
    search = _Search(quads, hash, work)
    try:
        names = search.run()
    except RecursionError:
        raise error("limit-rdf", "blank nodes in a chain too long to follow") from None
    out = [
        line((names.get(s, s), p, names.get(o, o), names.get(g, g))) for s, p, o, g in search.quads
    ]
    return "".join(sorted(out)).encode()
