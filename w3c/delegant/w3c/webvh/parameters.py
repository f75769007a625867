"""The parameters of a log entry, and those in force after it (did:webvh 1.0, parameters).

A closed set, each of its type. ``null``, deprecated, reads as the parameter's default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import boolean, closed, integer

from .hashes import is_hash, key_hash

__all__ = ["METHOD", "Parameters", "Witnesses", "applied"]

METHOD: Final = "did:webvh:1.0"
"""The one version that is known; its one hash is sha2-256, its one suite eddsa-jcs-2022."""
MAX_KEYS: Final = 64
MAX_WATCHERS: Final = 64
MAX_TTL: Final = 2**31
DEFAULT_TTL: Final = 3600

_NAMES: Final = frozenset(
    (
        "method",
        "scid",
        "updateKeys",
        "nextKeyHashes",
        "witness",
        "watchers",
        "portable",
        "deactivated",
        "ttl",
    )
)
_VERSION: Final = re.compile(r"did:webvh:[0-9]+\.[0-9]+", re.ASCII)
_MULTIKEY: Final = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{8,120}", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who witnesses, and how many of them must; nobody must where ``keys`` is empty.

    Attributes:
        threshold: at least one where there are witnesses.
        keys: the Multikeys of their did:key.
    """

    threshold: int = 0
    keys: tuple[str, ...] = ()

    @property
    def json(self) -> JsonObject:
        """As document metadata has it: the number as a string (DID Resolution)."""
        return {
            "threshold": str(self.threshold),
            "witnesses": [{"id": f"did:key:{key}"} for key in self.keys],
        }


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters in force after an entry; the class without arguments holds the defaults."""

    scid: str = ""
    update_keys: tuple[str, ...] = ()
    next_key_hashes: tuple[str, ...] = ()
    witness: Witnesses = field(default_factory=Witnesses)
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl: int = DEFAULT_TTL


def applied(before: Parameters | None, given: Json) -> tuple[Parameters, tuple[str, ...]]:
    """Apply an entry's parameters to those before it.

    Args:
        before: None for the first entry.
        given: the entry's ``parameters``.

    Returns:
        What is in force after the entry, and the keys of which one must sign it.

    Raises:
        Malformed: ``did-log``, ``shape``, ``unknown-member``. Undecided: ``unknown-version``.
    """
    closed(given, "parameters", frozenset(), _NAMES)
    first = before is None
    _check_method(given, first)
    if first and not {"scid", "updateKeys"} <= given.keys():
        raise error("did-log", "the first entry lacks its scid or updateKeys")
    if not first and "scid" in given:
        raise error("did-log", "a scid after the first entry")
    old = before or Parameters()
    after = old
    for name, (attribute, read) in _READERS.items():
        if name in given:
            after = replace(after, **{attribute: read(given[name])})
    if first:
        if type(given["scid"]) is not str or not is_hash(given["scid"]):
            raise error("did-log", "the scid is not a sha2-256 multihash in base58")
        after = replace(after, scid=given["scid"])
    elif after.portable and not old.portable:
        raise error("did-log", "portable is set after the first entry")
    if old.next_key_hashes:
        _check_rotation(old, after, given)
        return after, after.update_keys
    return after, after.update_keys if first else old.update_keys


def _check_method(given: JsonObject, first: bool) -> None:
    if "method" not in given:
        if first:
            raise error("did-log", "the first entry lacks its method")
        return
    method = given["method"]
    if method != METHOD:
        known = type(method) is str and _VERSION.fullmatch(method)
        raise error("unknown-version" if known else "did-log", f"method {str(method)[:40]!r}")


def _check_rotation(old: Parameters, after: Parameters, given: JsonObject) -> None:
    """Keys were committed to: the entry names its keys, each of them committed, and the next."""
    if not {"updateKeys", "nextKeyHashes"} <= given.keys():
        raise error("did-log", "pre-rotation, and no updateKeys and nextKeyHashes")
    for key in after.update_keys:
        if key_hash(key) not in old.next_key_hashes:
            raise error("did-log", f"the key {key[:24]}… was not committed to")


def _strings(value: Json, where: str, pattern: re.Pattern[str], most: int) -> tuple[str, ...]:
    if value is None:
        return ()
    if type(value) is not list or len(value) > most:
        raise error("did-log", f"{where} is not a list of at most {most}")
    for item in value:
        if type(item) is not str or len(item) > 2048 or not pattern.fullmatch(item):
            raise error("did-log", f"{where} holds {str(item)[:40]!r}")
    if len(set(value)) != len(value):
        raise error("did-log", f"{where} names an item twice")
    return tuple(value)


_ANY: Final = re.compile(r"[!-~]{1,256}", re.ASCII)
"""A hash that was committed to may be any text: decoys are allowed."""


def _witness(value: Json) -> Witnesses:
    if value is None or value == {}:
        return Witnesses()
    closed(value, "witness", frozenset(("threshold", "witnesses")))
    listed = value["witnesses"]
    if type(listed) is not list or not 0 < len(listed) <= MAX_KEYS:
        raise error("did-log", f"witnesses is not a list of 1 to {MAX_KEYS}")
    keys = []
    for item in listed:
        closed(item, "witnesses[]", frozenset(("id",)))
        name = item["id"]
        if type(name) is not str or not name.startswith("did:key:"):
            raise error("did-log", "a witness that is no did:key")
        keys.append(name[8:])
    _strings(keys, "witnesses", _MULTIKEY, MAX_KEYS)
    return Witnesses(integer(value["threshold"], "threshold", 1, len(keys)), tuple(keys))


_READERS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "updateKeys": (
        "update_keys",
        lambda value: _strings(value, "updateKeys", _MULTIKEY, MAX_KEYS),
    ),
    "nextKeyHashes": (
        "next_key_hashes",
        lambda value: _strings(value, "nextKeyHashes", _ANY, MAX_KEYS),
    ),
    "witness": ("witness", _witness),
    "watchers": ("watchers", lambda value: _strings(value, "watchers", _URI, MAX_WATCHERS)),
    "portable": ("portable", lambda value: boolean(value, "portable")),
    "deactivated": ("deactivated", lambda value: boolean(value, "deactivated")),
    "ttl": (
        "ttl",
        lambda value: DEFAULT_TTL if value is None else integer(value, "ttl", 0, MAX_TTL),
    ),
}
