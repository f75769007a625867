"""The request: what is about to be done, as the enforcement point knows it.

It is built from the act itself, never from anything presented. Its digest is what the
invocation signs, so holder and resource must describe the act with the same members.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, TypeAlias

from . import shape
from .codec import MAX_INT, Json, JsonObject, canonical, digest, parse_object
from .errors import error
from .resource import action, covering_actions, covering_resources, resource

__all__ = ["DATA_CLASSES", "INITIATIONS", "Request"]

DATA_CLASSES: Final = ("public", "internal", "confidential", "restricted")
"""The classes of ``https://delegant.example/data-class/v1``, lowest first."""
INITIATIONS: Final = ("human_request", "schedule", "agent_decision")
MAX_REQUEST: Final = 65_536

Buffer: TypeAlias = bytes  # `Request` has a member called bytes

_NAMES: Final = {
    "data_class": "dataClass",
    "body_digest": "bodyDigest",
}


@dataclass(frozen=True)
class Request:
    """One act: an action on a resource, and the facts its constraints need.

    Args:
        action: for example ``db.read``.
        resource: a canonical absolute URI, exact.
        purpose: self-declared, for the audit.
        task: ``{"id": …, "initiation": human_request | schedule | agent_decision}``.
        arguments: name to string, integer or bool.
        amount: ``{"unit": "EUR:2", "value": "1000"}``, minor units.
        rows, bytes: how many will be returned or touched; a store that returns none says 0.
        columns: those asked for.
        data_class: the class of the data touched.
        network: the caller's IP address.
        method, uri, body_digest: the HTTP request, where there is one.

    Raises:
        Malformed: ``shape``, ``empty-array``, ``unknown-member``.
    """

    action: str
    resource: str
    purpose: str | None = None
    task: Mapping[str, str] | None = None
    arguments: Mapping[str, str | int | bool] | None = None
    amount: Mapping[str, str] | None = None
    rows: int | None = None
    bytes: int | None = None
    columns: tuple[str, ...] | None = None
    data_class: str | None = None
    network: str | None = None
    method: str | None = None
    uri: str | None = None
    body_digest: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.columns, list):
            object.__setattr__(self, "columns", tuple(self.columns))
        for name in ("task", "arguments", "amount"):  # what is signed is what is judged
            given = getattr(self, name)
            if isinstance(given, Mapping):
                object.__setattr__(self, name, dict(given))
        _check(self.json)

    @classmethod
    def parse(cls, data: Buffer) -> Request:
        """From the bytes of its JSON form."""
        return cls.from_json(parse_object(data, size=MAX_REQUEST))

    @classmethod
    def from_json(cls, value: Json) -> Request:
        """From its JSON form, a closed object."""
        _check(value)
        ours = {long: short for short, long in _NAMES.items()}
        members: JsonObject = {str(ours.get(name, name)): member for name, member in value.items()}
        return cls(**members)

    @cached_property
    def json(self) -> JsonObject:
        """The JSON form; members that are None are absent."""
        out: JsonObject = {}
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if value is not None:
                if isinstance(value, Mapping):
                    value = dict(value)
                elif isinstance(value, tuple):
                    value = list(value)
                out[_NAMES.get(field.name, field.name)] = value
        return out

    @cached_property
    def actions(self) -> frozenset[str]:
        """The patterns that cover the action."""
        return covering_actions(self.action)

    @cached_property
    def resources(self) -> frozenset[str]:
        """The patterns that cover the resource."""
        return covering_resources(self.resource)

    @cached_property
    def digest(self) -> str:
        """What the invocation signs."""
        return digest(canonical(self.json))


_REQUIRED: Final = frozenset({"action", "resource"})
_OPTIONAL: Final = frozenset(
    {
        "purpose",
        "task",
        "arguments",
        "amount",
        "rows",
        "bytes",
        "columns",
        "dataClass",
        "network",
        "method",
        "uri",
        "bodyDigest",
    }
)


def argument_name(value: Json, where: str) -> str:
    """A name of 1 to 64 ASCII letters, digits, ``_``, ``.``, ``-``."""
    out = shape.text(value, where, 64)
    if not out.isascii() or not all(c.isalnum() or c in "_.-" for c in out):
        raise error("shape", f"{where}: {out!r} is not an argument name")
    return out


def scalar(value: Json, where: str) -> str | int | bool:
    """A string, an integer or a bool."""
    if type(value) is bool:
        return value
    if type(value) is int:
        return shape.integer(value, where, least=-MAX_INT)
    return shape.text(value, where, 1024)


def _check(value: Json) -> None:
    shape.closed(value, "request", _REQUIRED, _OPTIONAL)
    action(value["action"], "request.action")
    resource(value["resource"], "request.resource")
    for name, read in _READERS.items():
        if name in value:
            read(value[name], f"request.{name}")


def _task(value: Json, where: str) -> None:
    shape.closed(value, where, frozenset({"id", "initiation"}))
    shape.text(value["id"], f"{where}.id")
    shape.one_of(value["initiation"], f"{where}.initiation", INITIATIONS)


def _arguments(value: Json, where: str) -> None:
    if type(value) is not dict or not 0 < len(value) <= shape.MAX_SET:
        raise error("shape", f"{where} is not an object of 1 to {shape.MAX_SET} arguments")
    for name, member in value.items():
        scalar(member, f"{where}.{argument_name(name, where)}")


def _amount(value: Json, where: str) -> None:
    shape.closed(value, where, frozenset({"unit", "value"}))
    shape.text(value["unit"], f"{where}.unit", 32)
    shape.decimal(value["value"], f"{where}.value")


def plain_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """No zone and no IPv4 inside: both have spellings that differ between systems."""
    return address.version == 4 or (address.scope_id is None and address.ipv4_mapped is None)


def _address(value: Json, where: str) -> None:
    try:
        address = ipaddress.ip_address(value) if type(value) is str else None
    except ValueError:
        address = None
    if address is None or str(address) != value or not plain_address(address):
        raise error("shape", f"{where} is not an IP address in its usual form")


_READERS: Final[dict[str, Any]] = {
    "purpose": shape.text,
    "task": _task,
    "arguments": _arguments,
    "amount": _amount,
    "rows": shape.integer,
    "bytes": shape.integer,
    "columns": shape.string_set,
    "dataClass": lambda value, where: shape.one_of(value, where, DATA_CLASSES),
    "network": _address,
    "method": lambda value, where: shape.text(value, where, 16),
    "uri": lambda value, where: shape.text(value, where, shape.MAX_URL),
    "bodyDigest": shape.digest_text,
}
