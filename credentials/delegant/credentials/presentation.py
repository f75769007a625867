"""What a holder sends: the chain's links, and the invocation that binds them to one act.

Beside it stand approvals, where humans must approve the act; `approved` reads them, where they
must.

* presentation: ``{links, invocation?, approvals?}``, links root first.
* bundle: one file ``{presentation, request, evidence}``. Trust is never in it: the verifier
  brings its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from . import grammar, jose, shape
from .budget import HARD
from .codec import MAX_DEPTH, Json, JsonObject, canonical, parse, parse_object
from .credential import Link
from .envelope import Secured, unpack
from .errors import Error, error
from .evidence import Evidence
from .invocation import Invocation
from .request import Request

__all__ = ["Bundle", "Presentation", "split"]

MAX_PRESENTATION: Final = 1024 * 1024
MAX_BUNDLE: Final = 9 * 1024 * 1024


_HEAD: Final = b'{"invocation":"'
_LINKS: Final = b'","links":'


def split(presentation: bytes) -> tuple[bytes, bytes] | None:
    """Chain and invocation of a presentation in its canonical spelling; else None.

    ``{"invocation":"…","links":CHAIN}``. Both must still be read, by `grammar.read_links`
    and `Invocation.read`: only then is it sure that they end where they seem to.
    """
    if not (presentation.startswith(_HEAD) and presentation.endswith(b"]}")):
        return None
    end = presentation.find(_LINKS, len(_HEAD))
    if end < 0:
        return None
    return presentation[end + len(_LINKS) : -1], presentation[len(_HEAD) : end]


@dataclass(frozen=True, slots=True)
class Presentation:
    """Links and invocation as they were sent, taken apart (phase 2).

    ``read`` holds the links, and ``invoked`` the invocation, where they are already held to
    their shape (phase 3); the verifier does that otherwise.
    """

    links: tuple[Secured, ...]
    invocation: str | None = None
    approvals: tuple[str, ...] = ()
    read: tuple[Link, ...] = ()
    invoked: Invocation | None = None

    @classmethod
    def parse(cls, data: bytes, *, size: int = MAX_PRESENTATION) -> Presentation:
        """Read the bytes of a presentation.

        Raises:
            LimitExceeded: ``limit-*``. Malformed: the codes of phases 2 and 3.
        """
        parts = split(data) if len(data) <= size else None
        found = None if parts is None else cls._canonical(parts[0], parts[1])
        return cls.from_json(parse_object(data, size=size)) if found is None else found

    @classmethod
    def of(
        cls,
        chain: bytes,
        invocation: str,
        approvals: Sequence[str] = (),
        *,
        size: int = MAX_PRESENTATION,
    ) -> Presentation:
        """From the bytes of the chain, ``[…]``, an invocation, and approvals, as HTTP has them.

        Raises:
            As `parse`.
        """
        if len(chain) + len(invocation) + sum(map(len, approvals)) > size:
            raise error("limit-size", f"a presentation larger than {size} bytes")
        if approvals:
            given = shape.array_of(list(approvals), "approvals", _token)
            return replace(cls.of(chain, invocation, size=size), approvals=given)
        found = cls._canonical(chain, invocation.encode("ascii", "replace"))
        if found is not None:
            return found
        links = parse(chain, size=size, depth=MAX_DEPTH - 1)
        return cls.from_json({"links": links, "invocation": invocation})

    @classmethod
    def _canonical(cls, chain: bytes, invocation: bytes) -> Presentation | None:
        """Where both are in their canonical spelling."""
        links, invoked = grammar.read_links(chain), Invocation.read(invocation)
        if links is None or invoked is None:
            return None
        secured = tuple([link.secured for link in links])
        return cls(secured, invocation.decode("ascii"), (), links, invoked)

    @classmethod
    def from_json(cls, value: Json) -> Presentation:
        """From a parsed JSON object."""
        optional = frozenset({"invocation", "approvals"})
        shape.closed(value, "presentation", frozenset({"links"}), optional)
        links = shape.array(value["links"], "links", most=4096)
        if len(links) > HARD.links:  # before any of them is taken apart
            raise error("limit-links", f"{len(links)} links, {HARD.links} are the most")
        token = value.get("invocation")
        if "invocation" in value and type(token) is not str:
            raise error("shape", "invocation is not a compact JWS")
        approvals: tuple[str, ...] = ()
        if "approvals" in value:
            approvals = shape.array_of(value["approvals"], "approvals", _token)
        read = _respelled(links)
        if read is not None:
            return cls(tuple([link.secured for link in read]), token, approvals, read)
        return cls(tuple([unpack(link) for link in links]), token, approvals)

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        out: JsonObject = {"links": [link.raw for link in self.links]}
        if self.invocation is not None:
            out["invocation"] = self.invocation
        if self.approvals:
            out["approvals"] = list(self.approvals)
        return out

    def to_bytes(self) -> bytes:
        """The wire form in RFC 8785 bytes, which are verified fastest."""
        return canonical(self.json)


def _respelled(links: list[Json]) -> tuple[Link, ...] | None:
    """Links that were not sent in their canonical spelling, read in it; None for other links.

    Digest and signature are over that spelling, so nothing is lost. Floats stay as they are and
    are declined, as everywhere.
    """
    try:
        return grammar.read_links(canonical(links, floats=False))
    except Error:
        return None


def _token(value: Json, where: str) -> str:
    if not jose.is_compact(value):
        raise error("shape", f"{where} are compact JWS")
    return str(value)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything a verifier needs but its trust, in one file."""

    presentation: Presentation
    request: Request
    evidence: Evidence

    @classmethod
    def parse(cls, data: bytes) -> Bundle:
        """Read a bundle file.

        Raises:
            LimitExceeded: ``limit-*``. Malformed: the codes of phases 2 and 3.
        """
        value = parse_object(data, size=MAX_BUNDLE)
        shape.closed(value, "bundle", frozenset({"presentation", "request", "evidence"}))
        return cls(
            Presentation.from_json(value["presentation"]),
            Request.from_json(value["request"]),
            Evidence.from_json(value["evidence"]),
        )

    def to_bytes(self) -> bytes:
        """The file's bytes, RFC 8785."""
        return canonical(
            {
                "presentation": self.presentation.json,
                "request": self.request.json,
                "evidence": self.evidence.json,
            }
        )
