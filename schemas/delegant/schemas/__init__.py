"""JSON Schema 2020-12, one per wire document, and our JSON-LD context.

For those who write the documents in another language, and for people who want to know what may
stand where. A verifier of ours never asks a schema: its parser and the schemas are held equal
by a test, which also lists the few rules between members that a schema cannot state.

>>> names()[:3]
('agent-attestation', 'agent-delegation', 'agent-identity')
>>> validate("request", {"action": "db.read"})
["$: 'resource' is a required property"]
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

__all__ = ["BASE", "CONTEXT_SHA256", "accepts", "context", "load", "names", "validate"]

BASE: Final = "https://delegant.example/schemas/"
"""Every schema's ``$id`` is this, its name and ``.json``."""
CONTEXT_SHA256: Final = "84f2524e621e3eb062684c4bbc467686ce4104034af7979dff8c73e3e4ff3a34"
"""The hexadecimal SHA-256 of `context`, for those who pin it."""

_SHARED: Final = "common"


def names() -> tuple[str, ...]:
    """The documents that have a schema."""
    return tuple(name for name in _all() if name != _SHARED)


def load(name: str) -> dict[str, Any]:
    """A schema by name (``common`` holds the shared parts); a copy that may be changed.

    Raises:
        KeyError: there is none by that name.
    """
    if name not in _all():
        raise KeyError(name)
    return _read(name)


def validate(name: str, document: Any) -> list[str]:
    """What is wrong with a document, each message after its JSON path; empty if nothing is.

    Raises:
        KeyError: there is no schema by that name.
    """
    errors = sorted(_validator(name).iter_errors(document), key=lambda one: one.json_path)
    return [f"{one.json_path}: {one.message}" for one in errors]


def accepts(name: str, document: Any) -> bool:
    """Whether `validate` would find nothing wrong; quicker, for it stops at the first fault."""
    return _validator(name).is_valid(document)


def context() -> bytes:
    """The JSON-LD context ``https://delegant.example/contexts/delegation/v1``."""
    return files(__name__).joinpath("contexts", "delegation-v1.jsonld").read_bytes()


@cache
def _all() -> tuple[str, ...]:
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name[:-5] for name in found if name.endswith(".json")))


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_bytes())
    return schema


@cache
def _registry() -> Registry[Any]:
    parts = [DRAFT202012.create_resource(_read(name)) for name in _all()]
    return Registry().with_resources(
        [(f"{BASE}{name}.json", part) for name, part in zip(_all(), parts, strict=True)]
    )


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(name), registry=_registry())
