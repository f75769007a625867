"""What is asked of the naming service: by exact name, or by what an agent is and can do.

    {name}, or one or more of
    {pattern, capability, version, provider, protocol, attestations [type], available}
    and with either {trace, min_log_size}, with the second {prefer, limit}

``available`` is how old, in seconds, a health result that says *up* may be. ``prefer`` is a
provider whose agents come first. Requests of the shapes of the CSA paper (arXiv 2505.19301,
Listings 1 and 4) are read too.

`Query.json` is the one spelling of a question: case, order and defaults are gone from it, and its
digest is what the registry signs that it was asked.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from delegant.credentials import shape
from delegant.credentials.codec import Json, JsonObject, canonical, digest, parse_object
from delegant.credentials.errors import Error, error

from .name import AnsName, protocol_label, provider_label
from .pattern import NamePattern
from .versions import VersionRange

__all__ = ["UP_SECONDS", "Query", "folded"]

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 50
MAX_ATTESTATIONS: Final = 16
MAX_CAPABILITY: Final = 256
MAX_TYPE: Final = 128
MAX_AGE: Final = 86_400
MAX_BODY: Final = 16_384
MAX_PARAMS: Final = 64
UP_SECONDS: Final = 300
"""How old a health result may be where a request says only that the agent be available."""

_FILTERS: Final = frozenset(
    {"pattern", "capability", "version", "provider", "protocol", "attestations", "available"}
)
_WITH_ANY: Final = frozenset({"trace", "min_log_size"})
_MEMBERS: Final = _FILTERS | _WITH_ANY | {"prefer", "limit"}
_PARAMS: Final = _MEMBERS - {"attestations"} | {"name", "attestation"}
_BY_CAPABILITY: Final = "resolveAgentByCapability"
_BY_BOTH: Final = "resolveAgentByNameAndCapability"
_PAPER: Final = {
    "desiredProtocol": "protocol",
    "requiredCapability": "capability",
    "preferredProvider": "prefer",
    "versionRange": "version",
    "ansNamePattern": "pattern",
    "trace": "trace",
    "limit": "limit",
    "min_log_size": "min_log_size",
}
_OTHERS: Final = frozenset({"requiredAttestations", "availabilityRequirement"})
_WORD: Final = frozenset(string.ascii_letters + "_- ")
_FOLD: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(text: str) -> str:
    """A text without ASCII case: what capabilities are compared by, on every Python alike."""
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class Query:
    """A question, in its one spelling. Built by `exact`, `from_params` and `from_json`.

    ``name`` is a name's key (lower case); ``capability``, ``provider`` and ``prefer`` are
    lower case; ``attestations`` are sorted; ``available`` is in seconds.
    """

    name: str | None = None
    pattern: NamePattern | None = None
    capability: str | None = None
    version: VersionRange | None = None
    provider: str | None = None
    protocol: str | None = None
    attestations: tuple[str, ...] = ()
    available: int | None = None
    prefer: str | None = None
    trace: bool = False
    limit: int = DEFAULT_LIMIT
    min_log_size: int | None = None
    _digest: str | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def exact(cls, name: str, *, trace: bool = False, min_log_size: int | None = None) -> Query:
        """The question for one name.

        Raises:
            Malformed: ``ans-name``, ``shape``.
        """
        if not trace and min_log_size is None:
            return cls(AnsName.parse(name).key)
        return _built({"name": name, "trace": trace, "min_log_size": min_log_size})

    @classmethod
    def from_params(cls, pairs: Iterable[tuple[str, str]]) -> Query:
        """Read decoded URL parameters; ``attestation`` alone may stand several times.

        Raises:
            Malformed: ``ans-query``, ``ans-name``, ``shape``, ``limit-items``.
        """
        given: dict[str, Any] = {}
        for at, (name, value) in enumerate(pairs):
            if at >= MAX_PARAMS:
                raise error("ans-query", f"more than {MAX_PARAMS} parameters")
            if name not in _PARAMS:
                raise error("ans-query", f"no parameter {name[:64]!r} is known")
            if name == "attestation":
                given.setdefault("attestations", []).append(value)
            elif name in given:
                raise error("ans-query", f"{name} stands twice", dimension=name)
            else:
                given[name] = _decoded(name, value)
        return _built(given)

    @classmethod
    def from_json(cls, body: Json | bytes) -> Query:
        """Read a body: bytes of JSON, or what they hold.

        Raises:
            Malformed: ``ans-query``, ``ans-name``, ``shape``, ``unknown-member``,
                ``empty-array``, ``limit-items``; of bytes, what `codec.parse_object` raises.
        """
        value = parse_object(body, size=MAX_BODY) if isinstance(body, bytes) else body
        if type(value) is not dict:
            raise error("shape", "a query is not an object")
        if "requestType" in value:
            return _built(_from_paper(value))
        if "name" in value:
            shape.closed(value, "query", frozenset({"name"}), _WITH_ANY)
        else:
            shape.closed(value, "query", frozenset(), _MEMBERS)
        if None in value.values():
            raise error("shape", "a query leaves out what it does not ask, and has no null")
        return _built(value)

    @property
    def json(self) -> JsonObject:
        """The canonical question, without ``min_log_size``; `from_json` reads it back."""
        out: JsonObject = {}
        if self.name is not None:
            return {"name": self.name} | ({"trace": True} if self.trace else {})
        for member in ("capability", "provider", "protocol", "available", "prefer"):
            value = getattr(self, member)
            if value is not None:
                out[member] = value
        if self.pattern is not None:
            out["pattern"] = str(self.pattern)
        if self.version is not None:
            out["version"] = str(self.version)
        if self.attestations:
            out["attestations"] = list(self.attestations)
        if self.limit != DEFAULT_LIMIT:
            out["limit"] = self.limit
        if self.trace:
            out["trace"] = True
        return out

    @property
    def digest(self) -> str:
        """The digest of the canonical question."""
        told = self._digest
        if told is None:
            told = digest(canonical(self.json, floats=False))
            object.__setattr__(self, "_digest", told)  # a question never changes
        return told

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The question as URL parameters, not yet encoded; `from_params` reads them back."""
        out: list[tuple[str, str]] = []
        for member, value in self.json.items():
            if member == "attestations":
                out += [("attestation", one) for one in self.attestations]
            else:
                out.append((member, "true" if value is True else str(value)))
        if self.min_log_size is not None:
            out.append(("min_log_size", str(self.min_log_size)))
        return out


def _decoded(name: str, value: str) -> Json:
    """A parameter as the value a body would hold."""
    if name in {"limit", "available", "min_log_size"}:
        if not shape.is_decimal(value) or len(value) > 15:
            raise error("ans-query", f"{name} is not a whole number", dimension=name)
        return int(value)
    if name == "trace":
        if value not in {"true", "false"}:
            raise error("ans-query", "trace is true or false", dimension=name)
        return value == "true"
    return value


def _built(given: Mapping[str, Any]) -> Query:
    """The question of members that are known, each still to be read."""
    trace = shape.boolean(given.get("trace", False), "trace")
    least = given.get("min_log_size")
    if least is not None:
        shape.integer(least, "min_log_size")
    if "name" in given:
        if given.keys() - _WITH_ANY != {"name"}:
            raise error("ans-query", "a name says it all: with more, ask by pattern")
        name = AnsName.parse(given["name"])
        return Query(name=name.key, trace=trace, min_log_size=least)
    if not given.keys() & _FILTERS:
        raise error("ans-query", f"nothing is asked: give a name, or {', '.join(sorted(_FILTERS))}")
    read: dict[str, Any] = {}
    for member, reader in _READERS.items():
        if member in given:
            read[member] = reader(given[member])
    return Query(**read, trace=trace, min_log_size=least)


def _capability(value: Json) -> str:
    return folded(shape.text(value, "capability", MAX_CAPABILITY))


def _attestations(value: Json) -> tuple[str, ...]:
    return tuple(sorted(shape.string_set(value, "attestations", _type, MAX_ATTESTATIONS)))


def _type(value: Json, where: str) -> str:
    return shape.text(value, where, MAX_TYPE)


def _available(value: Json) -> int:
    return shape.integer(value, "available", 1, MAX_AGE)


def _limit(value: Json) -> int:
    return shape.integer(value, "limit", 1, MAX_LIMIT)


def _protocol(value: Json) -> str:
    return protocol_label(folded(value) if type(value) is str else value)


_READERS: Final = {
    "pattern": NamePattern.parse,
    "capability": _capability,
    "version": VersionRange.parse,
    "provider": provider_label,
    "protocol": _protocol,
    "attestations": _attestations,
    "available": _available,
    "prefer": provider_label,
    "limit": _limit,
}


def _from_paper(value: JsonObject) -> JsonObject:
    """The paper's request in our members."""
    kind = value["requestType"]
    if type(kind) is not str or kind not in {_BY_CAPABILITY, _BY_BOTH}:
        raise _unknown(kind)
    required = {"requestType", "requiredCapability"}
    if kind == _BY_BOTH:
        required.add("ansNamePattern")
    shape.closed(value, "query", frozenset(required), frozenset(_PAPER) | _OTHERS)
    if None in value.values():
        raise error("shape", "a query leaves out what it does not ask, and has no null")
    out: JsonObject = {ours: value[theirs] for theirs, ours in _PAPER.items() if theirs in value}
    if "requiredAttestations" in value:
        out["attestations"] = list(
            shape.array_of(value["requiredAttestations"], "requiredAttestations", _vc_type)
        )
    if "availabilityRequirement" in value:
        out["available"] = _requirement(value["availabilityRequirement"])
    return out


def _vc_type(value: Json, where: str) -> str:
    return _type(shape.closed(value, where, frozenset({"vcType"}))["vcType"], f"{where}.vcType")


def _requirement(value: Json) -> int:
    """The paper names no vocabulary. A number is an age; a plain word asks that the agent be up.

    What states an amount, as ``99.9%``, is refused: no health result tells it.
    """
    if type(value) is str:
        shape.text(value, "availabilityRequirement", 64)
        if not _WORD.issuperset(value):
            raise error(
                "ans-query",
                "availabilityRequirement is a word, or an age in seconds: no rate is known here",
                dimension="availabilityRequirement",
            )
        return UP_SECONDS
    return _available(value)


def _unknown(kind: Json) -> Error:
    return error(
        "ans-query",
        f"requestType is {str(kind)[:64]!r}, not {_BY_CAPABILITY} or {_BY_BOTH}",
        dimension="requestType",
    )
